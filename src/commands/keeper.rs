//! Saves the checkpoint as the output accepts what was shown.

use std::path::Path;
use std::time::{Duration, Instant};

use super::ledger::{Ledger, absolute};
use crate::checkpoint::{Checkpoint, Error};
use crate::notice::Notices;
use crate::output::wording::cause;
use crate::tail::{Files as _, Guarded, Links, Resume, Tail};

/// How often positions are saved at the most: each time the disk is waited for.
const INTERVAL: Duration = Duration::from_millis(500);

/// A checkpoint, and when to save it.
#[derive(Debug)]
pub(super) struct Keeper {
    checkpoint: Checkpoint,
    /// What it has about names that this run doesn't follow.
    others: Vec<Resume>,
    /// What it has about those that it does.
    own: Vec<Resume>,
    saved_at: Option<Instant>,
    /// Whether the last save failed.
    failing: bool,
    files: Guarded,
}

impl Keeper {
    /// Takes a checkpoint that this process has the lock of. `is_own` says which names this run follows.
    pub(super) fn new(checkpoint: Checkpoint, is_own: impl Fn(&Path) -> bool) -> Self {
        let (own, others) = checkpoint.saved().iter().cloned().partition(|resume| is_own(&resume.path));
        Self { checkpoint, others, own, saved_at: None, failing: false, files: Guarded::default() }
    }

    /// Takes what was saved about a name.
    pub(super) fn take(&mut self, name: &Path) -> Option<Resume> {
        let path = absolute(name);
        if let Some(index) = self.own.iter().position(|resume| resume.path == path) {
            return Some(self.own.swap_remove(index));
        }
        // Two names that lead to one place are two spellings of one.
        let place = self.files.resolve(name).ok()?;
        let same = |resume: &Resume| self.files.resolve(&resume.path).is_ok_and(|other| other == place);
        self.others.iter().position(same).map(|index| self.others.swap_remove(index))
    }

    /// Whether a file was left under another name than this one, which is not followed under this one as well.
    pub(super) fn has_elsewhere(&self, name: &Path) -> bool {
        let path = absolute(name);
        let Ok(meta) = self.files.meta(name, Links::Follow) else { return false };
        let has = |resume: &Resume| resume.files.iter().any(|position| position.file == meta.id);
        self.own.iter().all(|resume| resume.path != path) && self.own.iter().any(has)
    }

    /// Takes what was saved about all other names that this run follows.
    pub(super) fn take_rest(&mut self) -> Vec<Resume> {
        std::mem::take(&mut self.own)
    }

    /// When to save again.
    pub(super) fn deadline(&self, ledger: &Ledger) -> Option<Instant> {
        let due = self.saved_at.map_or_else(Instant::now, |at| at + INTERVAL);
        Some(due).filter(|_| ledger.is_unsaved() || self.failing)
    }

    /// Saves what the output has accepted, if the last time is long enough ago.
    pub(super) fn save_in_time(&mut self, ledger: &mut Ledger, tail: &Tail, notices: &mut Notices) {
        if self.saved_at.is_none_or(|at| at.elapsed() >= INTERVAL) {
            self.save(ledger, tail, notices);
        }
    }

    /// Saves what the output has accepted; false if that is not possible, which was said.
    pub(super) fn save(&mut self, ledger: &mut Ledger, tail: &Tail, notices: &mut Notices) -> bool {
        let sources = [self.others.clone(), ledger.resumption(tail)].concat();
        self.saved_at = Some(Instant::now());
        let failed = self.checkpoint.save(&sources).err();
        if let Some(error) = failed.as_ref().filter(|_| !self.failing) {
            notices.say(&words(error));
        }
        self.failing = failed.is_some();
        !self.failing
    }
}

/// What is wrong with a checkpoint, in one line.
pub(super) fn words(error: &Error) -> String {
    match error {
        Error::System { error: reason, .. } => format!("{error}: {}", cause(reason)),
        Error::InUse { .. } | Error::Unusable { .. } => error.to_string(),
    }
}
