//! Files that patterns find and that may be no logs of their own, but copies that a rotator makes of one.
//!
//! A copy bears the name of a log and more, and holds what that holds or held. Until it is whole, and until its log was
//! cut, it can't be told from a log that happens to begin alike. So it is waited for, as long as it changes, and as fast
//! as copies do; what is in doubt then is followed, for to repeat is better than to lose. Meanwhile it is held open, so
//! that it can be followed though its name is gone by then.

use std::collections::{BTreeMap, HashMap};
use std::io;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant, SystemTime};

use super::engine::Engine;
use super::event::SourceId;
use super::failures::is_silence;
use super::files::{FileId, FileKind, Handle, Links, Meta};
use super::name::is_shortage;
use super::source::Kinship;
use super::step::{Due, Pinned};

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
    waiting: BTreeMap<FileId, Waiting>,
    look_at: Option<Instant>,
    looks: u64,
    patience: Duration,
}

/// What tells that a file was written to.
type State = (u64, SystemTime);

/// A file that may be a copy.
#[derive(Debug)]
struct Waiting {
    /// The name that it was found by last.
    path: PathBuf,
    pin: Pin,
    /// Since when.
    begun: Instant,
    state: State,
    /// Since when it has been like that.
    since: Instant,
    /// Whether it was looked at in the present round.
    looked_at: bool,
}

/// What keeps a file there when its name goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Pin {
    /// It is open, unless a source has taken it for a copy.
    Held,
    /// There was no descriptor for it.
    Missing,
    /// Its descriptor was wanted for others.
    GivenUp,
}

/// A file that was in doubt of being a copy when its name went, and is to be followed.
#[derive(Debug)]
pub(crate) struct Orphan {
    pub(crate) file: FileId,
    /// Its last name.
    pub(crate) path: PathBuf,
    /// `None` if it could not be held open.
    pub(crate) handle: Option<Box<dyn Handle>>,
    /// Its size when it was last looked at.
    pub(crate) size: u64,
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
        if let Some((_, look)) = self.copies.get_mut(&meta.id).filter(|(was, _)| *was == state(meta)) {
            *look = self.looks;
            return Kinship::Copy;
        }
        let waited = self.waiting.remove(&meta.id);
        if logs.is_empty() || meta.kind != FileKind::Regular {
            return Kinship::None;
        }
        let mut waiting = waited.unwrap_or_else(|| Waiting {
            path: PathBuf::new(),
            pin: Pin::Missing,
            begun: now,
            state: state(meta),
            since: now,
            looked_at: true,
        });
        path.clone_into(&mut waiting.path);
        let given_up = waiting.pin == Pin::GivenUp;
        let handle =
            match engine.unpin(meta.id).map_or_else(|| open(path, meta.id, engine), |pinned| Ok(Some(pinned.handle)))
            {
                Ok(Some(handle)) => handle,
                // Another look tells more.
                Ok(None) => return self.wait(meta.id, waiting, now),
                Err(error) if is_silence(&error) => return self.wait(meta.id, waiting, now),
                Err(error) if is_shortage(&error) => {
                    engine.rest_some();
                    return self.wait(meta.id, waiting, now);
                }
                Err(_) => return Kinship::None,
            };
        let verdict = self.verdict(&mut waiting, &*handle, meta, logs, engine, now);
        if verdict == Kinship::Perhaps {
            if !given_up {
                waiting.pin = Pin::Held;
                engine.pin(meta.id, Pinned { path: path.to_owned(), handle });
            }
            return self.wait(meta.id, waiting, now);
        }
        verdict
    }

    /// What an open file is to these logs, as far as that can be told by now.
    fn verdict(
        &mut self,
        waiting: &mut Waiting,
        file: &dyn Handle,
        meta: &Meta,
        logs: &[SourceId],
        engine: &mut Engine,
        now: Instant,
    ) -> Kinship {
        if waiting.state != state(meta) {
            (waiting.state, waiting.since) = (state(meta), now);
        }
        let kinships = logs.iter().map(|log| (engine.kinship(*log, file, meta), *log));
        match kinships.max() {
            Some((Kinship::Perhaps, log)) if !waiting.is_over(self.patience, now) => {
                // Whether that was cut tells most.
                engine.mark(log, Due::Files);
                Kinship::Perhaps
            }
            Some((Kinship::Copy, _)) => {
                self.copies.insert(meta.id, (state(meta), self.looks));
                Kinship::Copy
            }
            Some((Kinship::Perhaps | Kinship::None, _)) | None => Kinship::None,
        }
    }

    fn wait(&mut self, file: FileId, waiting: Waiting, now: Instant) -> Kinship {
        self.waiting.insert(file, Waiting { looked_at: true, ..waiting });
        self.postpone(now);
        Kinship::Perhaps
    }

    /// Has those that are waited for looked at again soon.
    pub(crate) fn postpone(&mut self, now: Instant) {
        self.look_at = Some(self.look_at.map_or(now + SOON, |at| at.min(now + SOON)));
    }

    /// Those that are waited for, if it is time to look at them again. A new round begins then.
    pub(crate) fn due(&mut self, now: Instant) -> Vec<PathBuf> {
        if self.look_at.is_none_or(|at| at > now) {
            return Vec::new();
        }
        self.begin_round();
        self.waiting.values().map(|waiting| waiting.path.clone()).collect()
    }

    /// All that are waited for are to be looked at.
    pub(crate) fn begin_round(&mut self) {
        self.look_at = None;
        self.waiting.values_mut().for_each(|waiting| waiting.looked_at = false);
    }

    /// When something is due.
    pub(crate) fn look_at(&self) -> Option<Instant> {
        self.look_at
    }

    /// Those that no name has led to in this round, with the last one that did.
    pub(crate) fn nameless(&self) -> Vec<(FileId, PathBuf)> {
        let nameless = self.waiting.iter().filter(|(_, waiting)| !waiting.looked_at);
        nameless.map(|(file, waiting)| (*file, waiting.path.clone())).collect()
    }

    /// Waits for a file no more.
    pub(crate) fn forget(&mut self, file: FileId, engine: &mut Engine) {
        self.waiting.remove(&file);
        engine.unpin(file);
    }

    /// Waits for nothing any more.
    pub(crate) fn end(&mut self, engine: &mut Engine) {
        for file in std::mem::take(&mut self.waiting).into_keys() {
            engine.unpin(file);
        }
        self.look_at = None;
    }

    /// Decides about a file that has no name any more, if that can be done by now: it is followed unless it is a copy.
    pub(crate) fn judge_nameless(
        &mut self,
        file: FileId,
        logs: &[SourceId],
        engine: &mut Engine,
        now: Instant,
    ) -> Option<Orphan> {
        let mut waiting = self.waiting.remove(&file)?;
        let Some(Pinned { path, handle }) = engine.unpin(file) else {
            let Waiting { path, state: (size, _), pin, .. } = waiting;
            return (size > 0 && pin != Pin::Held).then_some(Orphan { file, path, handle: None, size });
        };
        let verdict = match handle.meta() {
            Ok(meta) => {
                let verdict = self.verdict(&mut waiting, &*handle, &meta, logs, engine, now);
                // The log has found its copy under another name by now, if it was compressed.
                let is_run = logs.iter().filter_map(|log| engine.source(*log)).any(|log| log.has_run(&*handle));
                if is_run { Kinship::Copy } else { verdict }
            }
            Err(_) => Kinship::None,
        };
        match verdict {
            Kinship::None => {
                let (size, _) = waiting.state;
                Some(Orphan { file, path, handle: Some(handle), size })
            }
            Kinship::Perhaps => {
                engine.pin(file, Pinned { path, handle });
                self.wait(file, waiting, now);
                None
            }
            Kinship::Copy => None,
        }
    }

    /// Closes all that it holds open, so that other files can be opened; false if there are none.
    pub(crate) fn make_room(&mut self, engine: &mut Engine) -> bool {
        let held = self.waiting.iter_mut().filter(|(_, waiting)| waiting.pin == Pin::Held);
        let given_up = held.filter_map(|(file, waiting)| {
            waiting.pin = Pin::GivenUp;
            engine.unpin(*file)
        });
        given_up.count() > 0
    }

    /// Everything was looked at: forgets copies that were not there.
    pub(crate) fn forget_missing(&mut self) {
        self.copies.retain(|_, (_, look)| *look == self.looks);
        self.looks += 1;
    }
}

fn state(meta: &Meta) -> State {
    (meta.size, meta.modified)
}

/// Opens a file; `None` if the path means another one by now.
fn open(path: &Path, file: FileId, engine: &Engine) -> io::Result<Option<Box<dyn Handle>>> {
    let handle = engine.files().open(path, Links::Follow)?;
    Ok((handle.meta()?.id == file).then_some(handle))
}
