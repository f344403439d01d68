//! Files that patterns find and that may be no logs of their own, but copies that a rotator makes of one.
//!
//! A copy bears the name of a log and more, and holds what that holds or held. Until it is whole, and until its log was
//! cut, it can't be told from a log that happens to begin alike. So it is waited for, as long as it changes; what is in
//! doubt then is followed, for to repeat is better than to lose.

use std::collections::{BTreeMap, HashMap};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant, SystemTime};

use super::engine::Engine;
use super::event::SourceId;
use super::files::{FileId, Meta};
use super::source::Kinship;
use super::step::Due;

/// How long a file that may be a copy must not have changed to be followed for itself.
const PATIENCE: Duration = Duration::from_secs(1);

/// How soon it is looked at again.
const SOON: Duration = Duration::from_millis(20);

#[derive(Debug)]
pub(crate) struct Suspects {
    /// Those that are copies, as they were when that was found out, and at which look at everything they were there last.
    copies: HashMap<FileId, (State, u64)>,
    /// Those that may be, how they are, and since when.
    waiting: BTreeMap<PathBuf, (FileId, State, Instant)>,
    look_at: Option<Instant>,
    looks: u64,
    patience: Duration,
}

/// What tells that a file was written to.
type State = (u64, SystemTime);

impl Suspects {
    pub(crate) fn new() -> Self {
        Self { copies: HashMap::new(), waiting: BTreeMap::new(), look_at: None, looks: 0, patience: PATIENCE }
    }

    /// Waits for none any more.
    pub(crate) fn decide_at_once(&mut self) {
        self.patience = Duration::ZERO;
    }

    /// What a file is to these logs. One that is to be waited for is [due](Self::due) soon.
    pub(crate) fn judge(
        &mut self,
        path: &Path,
        meta: &Meta,
        logs: &[SourceId],
        engine: &mut Engine,
        now: Instant,
    ) -> Kinship {
        let state = (meta.size, meta.modified);
        if let Some((_, look)) = self.copies.get_mut(&meta.id).filter(|(was, _)| *was == state) {
            *look = self.looks;
            return Kinship::Copy;
        }
        let waited = self.waiting.remove(path);
        let kinships = logs.iter().map(|log| (engine.kinship(*log, path, meta.id), *log));
        let Some((kinship, log)) = kinships.max() else { return Kinship::None };
        let is_same = |was: &(FileId, State, Instant)| (was.0, was.1) == (meta.id, state);
        let since = waited.filter(is_same).map_or(now, |was| was.2);
        let verdict = match kinship {
            Kinship::Perhaps if now >= since + self.patience => Kinship::None,
            other => other,
        };
        match verdict {
            Kinship::None => {}
            Kinship::Copy => {
                self.copies.insert(meta.id, (state, self.looks));
            }
            Kinship::Perhaps => {
                // Whether that was cut tells most.
                engine.mark(log, Due::Files);
                self.waiting.insert(path.to_owned(), (meta.id, state, since));
                self.look_at = Some(self.look_at.map_or(now + SOON, |at| at.min(now + SOON)));
            }
        }
        verdict
    }

    /// Those that are waited for, if it is time to look at them again.
    pub(crate) fn due(&mut self, now: Instant) -> Vec<PathBuf> {
        if self.look_at.is_none_or(|at| at > now) {
            return Vec::new();
        }
        self.look_at = None;
        self.waiting.keys().cloned().collect()
    }

    /// When something is due.
    pub(crate) fn look_at(&self) -> Option<Instant> {
        self.look_at
    }

    /// A name is there no more.
    pub(crate) fn forget(&mut self, path: &Path) {
        self.waiting.remove(path);
    }

    /// Everything was looked at: forgets copies that were not there.
    pub(crate) fn forget_missing(&mut self) {
        self.copies.retain(|_, (_, look)| *look == self.looks);
        self.looks += 1;
    }
}
