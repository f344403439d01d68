//! Files that patterns find and that may be no logs of their own, but copies that a rotator makes of one.
//!
//! A copy bears the name of a log and more, and holds what that holds or held. Until it is whole, and until its log was
//! cut, it can't be told from a log that happens to begin alike. So it is waited for, as long as it changes, and as fast
//! as copies do; what is in doubt then is followed, for to repeat is better than to lose.

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

/// A copy is made faster than this: in so long, so much of it at least.
const SLOW: (Duration, u64) = (Duration::from_secs(5), 5 << 20);

/// How soon it is looked at again.
const SOON: Duration = Duration::from_millis(20);

#[derive(Debug)]
pub(crate) struct Suspects {
    /// Those that are copies, as they were when that was found out, and at which look at everything they were there last.
    copies: HashMap<FileId, (State, u64)>,
    waiting: BTreeMap<PathBuf, Waiting>,
    look_at: Option<Instant>,
    looks: u64,
    patience: Duration,
}

/// What tells that a file was written to.
type State = (u64, SystemTime);

/// A file that may be a copy.
#[derive(Debug)]
struct Waiting {
    file: FileId,
    /// Since when.
    begun: Instant,
    state: State,
    /// Since when it has been like that.
    since: Instant,
}

impl Waiting {
    /// Whether it can't be a copy in the making.
    fn is_over(&self, patience: Duration, now: Instant) -> bool {
        let (time, size) = SLOW;
        now >= self.since + patience || (now >= self.begun + time && self.state.0 < size)
    }
}

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
        let waited = waited.filter(|was| was.file == meta.id);
        let begun = waited.as_ref().map_or(now, |was| was.begun);
        let since = waited.filter(|was| was.state == state).map_or(now, |was| was.since);
        let waiting = Waiting { file: meta.id, begun, state, since };
        let verdict = match kinship {
            Kinship::Perhaps if waiting.is_over(self.patience, now) => Kinship::None,
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
                self.waiting.insert(path.to_owned(), waiting);
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
