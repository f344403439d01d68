//! What makes the engine look: events where they work, and one place to wait for all there is to wait for.
//!
//! [`Wake`] carries out what the engine wants watched, turns events into marks of the engine, and says for which
//! sources looking at an interval must do instead. It decides nothing about files.

mod above;
mod arrivals;
mod bell;
mod directories;
mod filesystem;
mod mounts;
mod names;
mod route;
mod waiting;
mod watcher;
mod ways;
mod writes;

use std::collections::{BTreeSet, HashSet};
use std::io;
use std::os::fd::RawFd;
use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::sync::Arc;
use std::time::{Duration, Instant};

use rustix::io::Errno;

use crate::tail::SourceId;
pub(crate) use arrivals::Arrivals;
use bell::{Bell, WayId};
pub(crate) use bell::{Changed, Follower};
pub(crate) use filesystem::is_made_up;
use filesystem::{Announces, announces};
pub(crate) use mounts::{Mount, Mounts};
use names::Names;
pub(crate) use names::Reach;
pub(crate) use waiting::Attention;
pub use waiting::{Also, Until};
use watcher::{Refusal, Watcher};
use writes::{Writes, Written};

/// The first and the longest pause before a failed event source is started again.
const REVIVAL: Duration = Duration::from_secs(1);
const REVIVAL_LONGEST: Duration = Duration::from_secs(64);

/// How long writes to other files may go unnoticed while there is always something to do.
const BUSY: Duration = Duration::from_millis(1);

/// Why files are looked at in intervals instead of being watched.
#[derive(Debug)]
#[non_exhaustive]
pub enum Trouble {
    /// The user's limit of watches (`fs.inotify.max_user_watches`) is reached.
    Watches,
    /// No event source could be started, most often because the user's limit of them
    /// (`fs.inotify.max_user_instances`) or of open files is reached.
    NoEvents(io::Error),
    /// The event source failed while it was running.
    Failed(String),
    /// What this name means can't be watched.
    Watch(PathBuf, io::Error),
    /// The directory of a followed name was removed; where it will be made again is watched instead.
    DirectoryGone(PathBuf),
}

/// What has happened, as far as it concerns the engine.
#[derive(Debug)]
pub(crate) enum Woken {
    /// Something happened to these.
    Marks(Marked),
    /// Events have ended. Everything must be polled.
    EventsLost,
    /// Events have begun again. Everything must be followed and watched anew.
    EventsBack,
}

/// What something has happened to.
#[derive(Debug, Default)]
pub(crate) struct Marked {
    /// Events were lost: anything may have happened.
    pub(crate) everything: bool,
    /// Their names changed, or the ways to them: sources are to be [followed](Wake::follow_again) anew.
    pub(crate) names: BTreeSet<Follower>,
    /// Something happened to these names, which patterns listen to.
    pub(crate) changes: BTreeSet<Changed>,
    /// These open files were written to.
    pub(crate) descriptors: Vec<RawFd>,
    /// The files of these, which are closed, were written to.
    pub(crate) parked: Vec<SourceId>,
    /// These open files are not watched, since they are written to all the time; it is time to look at them.
    pub(crate) hot: Vec<RawFd>,
}

/// An open file to be watched for appends.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Appends<'a> {
    /// The name it goes by.
    pub(crate) path: &'a Path,
    pub(crate) fd: RawFd,
    /// The type of the file system it is on, where known.
    pub(crate) file_system: Option<i64>,
}

/// How one follower is noticed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Notice {
    /// By events.
    Told,
    /// Not by events alone: its file system doesn't announce everything.
    ToldInPart,
    /// Not by events: no watch could be set.
    Untold,
}

impl From<Announces> for Notice {
    fn from(announces: Announces) -> Self {
        match announces {
            Announces::All => Self::Told,
            Announces::Some | Announces::None => Self::ToldInPart,
        }
    }
}

/// The event sources, and what they watch.
#[derive(Debug)]
struct Events {
    names: Names,
    writes: Writes,
    /// Whether there is something to be taken of directories above names, as far as the last wait could see.
    moved: bool,
    /// Whether there are writes to be taken, as far as that could see.
    written: bool,
    /// When a wait last saw whether there is either, or both were taken without having been seen.
    seen_at: Instant,
}

/// What was taken of event sources that are read by whoever waits.
#[derive(Debug, Default)]
struct Taken {
    written: Option<Written>,
    ways: BTreeSet<WayId>,
}

impl Events {
    fn start(bell: &Arc<Bell>) -> io::Result<Self> {
        let writes = Writes::new()?;
        let names = Names::start(Arc::clone(bell))?;
        Ok(Self { names, writes, moved: false, written: false, seen_at: Instant::now() })
    }

    /// Takes what was written, and which ways may lead elsewhere, as far as that is due.
    fn take(&mut self, now: Instant) -> io::Result<Taken> {
        let unseen = now >= self.seen_at + BUSY;
        if unseen {
            self.seen_at = now;
        }
        let mut taken = Taken::default();
        if std::mem::take(&mut self.moved) || unseen {
            taken.ways = self.names.take()?;
        }
        if std::mem::take(&mut self.written) || unseen {
            taken.written = Some(self.writes.take(now)?).filter(|written| *written != Written::default());
        }
        Ok(taken)
    }
}

#[derive(Debug)]
pub(crate) struct Wake {
    bell: Arc<Bell>,
    events: Option<Events>,
    mounts: Rc<Mounts>,
    /// Event sources that failed, whose threads may still be at their end.
    retired: Vec<Watcher>,
    troubles: Vec<Trouble>,
    told: HashSet<&'static str>,
    revive_at: Option<Instant>,
    revival: Duration,
}

impl Wake {
    /// # Errors
    /// When not even a descriptor to wait on can be had.
    pub(crate) fn new(poll_only: bool, mounts: Rc<Mounts>) -> io::Result<Self> {
        let mut wake = Self {
            bell: Arc::new(Bell::new()?),
            events: None,
            mounts,
            retired: Vec::new(),
            troubles: Vec::new(),
            told: HashSet::new(),
            revive_at: None,
            revival: REVIVAL,
        };
        if !poll_only {
            wake.start_events();
        }
        Ok(wake)
    }

    fn start_events(&mut self) {
        match Events::start(&self.bell) {
            Ok(events) => self.events = Some(events),
            Err(error) => self.trouble(Trouble::NoEvents(error)),
        }
    }

    /// Ends the event sources for good, since their descriptors are needed for files. False if there are none.
    pub(crate) fn make_room(&mut self) -> bool {
        let Some(events) = self.events.take() else { return false };
        events.names.into_watcher().join();
        // They have said that they have ended, which is no news.
        let _ = self.bell.take();
        self.trouble(Trouble::NoEvents(Errno::MFILE.into()));
        true
    }

    /// Whether an event source is running.
    pub(crate) fn has_events(&self) -> bool {
        self.events.is_some()
    }

    /// Notes a trouble, once of each kind.
    fn trouble(&mut self, trouble: Trouble) {
        let kind = match trouble {
            Trouble::Watches => "watches",
            Trouble::NoEvents(_) => "no events",
            Trouble::Failed(_) => "failed",
            Trouble::Watch(..) => "watch",
            Trouble::DirectoryGone(_) => "directory gone",
        };
        if self.told.insert(kind) {
            self.troubles.push(trouble);
        }
    }

    /// Notes why a watch could not be set.
    fn refused(&mut self, path: &Path, refusal: Refusal) -> Notice {
        match refusal {
            Refusal::Watches => self.trouble(Trouble::Watches),
            Refusal::Other(error) => self.trouble(Trouble::Watch(path.to_owned(), error)),
            // Looking will tell; and the failure has been noted where it happened.
            Refusal::Gone | Refusal::Dead => {}
        }
        Notice::Untold
    }

    /// The next trouble that has not been reported.
    pub(crate) fn take_trouble(&mut self) -> Option<Trouble> {
        self.troubles.pop()
    }

    /// Follows the name of a source.
    pub(crate) fn follow_name(&mut self, source: SourceId, path: &Path, reach: Reach) -> Notice {
        self.follow(Follower::Source(source), path, reach)
    }

    /// Follows the name of a source anew, unless it was forgotten: the way to it may have changed.
    pub(crate) fn follow_again(&mut self, source: SourceId, path: &Path) -> Notice {
        let follower = Follower::Source(source);
        let is_followed = self.events.as_ref().is_some_and(|events| events.names.is_followed(follower));
        if is_followed { self.follow(follower, path, Reach::Target) } else { Notice::Told }
    }

    /// Follows whatever decides what a path means, but for what might keep us waiting when it is asked for a watch.
    fn follow(&mut self, follower: Follower, path: &Path, reach: Reach) -> Notice {
        let result = match &mut self.events {
            Some(events) if self.mounts.behind(path).is_some() => {
                events.names.forget(follower);
                return Notice::ToldInPart;
            }
            Some(events) => events.names.follow(follower, path, reach),
            None => Err(Refusal::Dead),
        };
        self.tell_gone();
        result.map_or_else(|refusal| self.refused(path, refusal), Notice::from)
    }

    /// Tells of directories of followed names that were found to be gone.
    fn tell_gone(&mut self) {
        for path in self.events.as_mut().map_or_else(Vec::new, |events| events.names.take_gone()) {
            self.trouble(Trouble::DirectoryGone(path));
        }
    }

    /// Forgets the name of a source.
    pub(crate) fn forget_name(&mut self, source: SourceId) {
        self.bell.forget_arrivals(source);
        if let Some(events) = &mut self.events {
            events.names.forget(Follower::Source(source));
        }
    }

    /// How often files have come under the name of a source, as far as events have told; `None` if there are none.
    pub(crate) fn arrivals(&self, source: SourceId) -> Option<Arrivals> {
        self.events.as_ref().map(|_| self.bell.arrivals(source))
    }

    /// Waits until all that there is to be heard of arrivals has been heard.
    pub(crate) fn catch_up(&mut self) {
        if let Some(events) = &mut self.events {
            events.names.catch_up();
        }
    }

    /// Follows whatever decides what the base of a pattern means.
    pub(crate) fn follow_base(&mut self, pattern: usize, base: &Path) -> Notice {
        self.follow(Follower::Pattern(pattern), base, Reach::Target)
    }

    /// Listens to all names in a directory.
    pub(crate) fn listen(&mut self, pattern: usize, directory: &Path) -> Notice {
        let Some(events) = &mut self.events else { return Notice::Untold };
        if self.mounts.behind(directory).is_some() {
            events.names.unlisten(pattern, directory);
            return Notice::ToldInPart;
        }
        match events.names.listen(pattern, directory) {
            Ok(announces) => announces.into(),
            // Its name went away, of which its parent tells.
            Err(Refusal::Gone) => Notice::Told,
            // Whoever lists it says so.
            Err(Refusal::Other(error)) if error.kind() == io::ErrorKind::PermissionDenied => Notice::Untold,
            Err(refusal) => self.refused(directory, refusal),
        }
    }

    /// Listens to a directory no more.
    pub(crate) fn unlisten(&mut self, pattern: usize, directory: &Path) {
        if let Some(events) = &mut self.events {
            events.names.unlisten(pattern, directory);
        }
    }

    /// Watches an open file for appends.
    pub(crate) fn watch_appends(&mut self, file: &Appends<'_>) -> Notice {
        let announces = file.file_system.map_or(Announces::Some, announces);
        if announces == Announces::None {
            return announces.into();
        }
        let result = self.events.as_mut().map_or(Err(Refusal::Dead), |events| events.writes.watch(file.fd));
        result.map_or_else(|refusal| self.refused(file.path, refusal), |()| announces.into())
    }

    /// Watches a file again that was hot.
    ///
    /// # Errors
    /// How the file is noticed if it can't be watched.
    pub(crate) fn cool(&mut self, fd: RawFd) -> Result<(), Notice> {
        let result = self.events.as_mut().map_or(Err(Refusal::Dead), |events| events.writes.watch(fd));
        result.map_err(|refusal| self.refused(Path::new(""), refusal))
    }

    /// Forgets a descriptor that is closed or about to be.
    pub(crate) fn release(&mut self, fd: RawFd) {
        if let Some(events) = &mut self.events {
            events.writes.release(fd);
        }
    }

    /// Forgets a descriptor that is closed, but not its file, which belongs to this source.
    pub(crate) fn park(&mut self, source: SourceId, fd: RawFd) -> Notice {
        let parked = self.events.as_mut().is_some_and(|events| events.writes.park(source, fd));
        if parked { Notice::Told } else { Notice::Untold }
    }

    /// Forgets a parked file.
    pub(crate) fn unpark(&mut self, source: SourceId) {
        if let Some(events) = &mut self.events {
            events.writes.unpark(source);
        }
    }

    /// So many bytes were read because of what was taken.
    pub(crate) fn note_read(&mut self, bytes: u64) {
        if let Some(events) = &mut self.events {
            events.writes.note_read(bytes);
        }
    }

    /// Takes what has happened.
    pub(crate) fn drain(&mut self, now: Instant) -> Option<Woken> {
        if self.revive_at.is_some_and(|at| at <= now) {
            return self.revive(now);
        }
        let taken = match self.events.as_mut().map(|events| events.take(now)).transpose() {
            Ok(taken) => taken.unwrap_or_default(),
            Err(error) => {
                self.fail(error.to_string(), now);
                return Some(Woken::EventsLost);
            }
        };
        let hot = self.events.as_mut().map_or_else(Vec::new, |events| events.writes.hot(now));
        let marks = self.bell.take();
        if taken.written.is_none() && taken.ways.is_empty() && marks.is_none() && hot.is_empty() {
            return None;
        }
        let Written { any, descriptors, parked, .. } = taken.written.unwrap_or_default();
        let mut marks = marks.unwrap_or_default();
        marks.ways.extend(taken.ways);
        if let Some(why) = marks.failed.take()
            && self.events.is_some()
        {
            self.fail(why, now);
            return Some(Woken::EventsLost);
        }
        let mut concerned = self.events.as_mut().map_or_else(BTreeSet::new, |events| events.names.lost(&marks));
        // Whether a name is there decides what is to be watched for it.
        concerned.extend(marks.names);
        self.tell_gone();
        Some(Woken::Marks(Marked {
            everything: marks.everything || any,
            names: concerned,
            changes: marks.changes,
            descriptors,
            parked,
            hot,
        }))
    }

    /// An event source has failed: both end, and are started again later.
    fn fail(&mut self, why: String, now: Instant) {
        if let Some(events) = self.events.take() {
            self.retired.retain(Watcher::is_alive);
            self.retired.push(events.names.into_watcher().retire());
        }
        self.trouble(Trouble::Failed(why));
        self.revive_at = now.checked_add(self.revival);
        self.revival = (self.revival * 2).min(REVIVAL_LONGEST);
    }

    /// Tries to start the event sources again.
    fn revive(&mut self, now: Instant) -> Option<Woken> {
        // What the dead ones said last is no news of the new ones.
        let _ = self.bell.take();
        self.start_events();
        if self.has_events() {
            self.revive_at = None;
            return Some(Woken::EventsBack);
        }
        self.revive_at = now.checked_add(self.revival);
        self.revival = (self.revival * 2).min(REVIVAL_LONGEST);
        None
    }

    /// Has an event source report a failure.
    #[cfg(test)]
    pub(crate) fn fail_for_test(&self) {
        self.bell.mark_failed("as the test asks".to_owned());
    }

    /// Ends the event sources and waits until their threads are gone.
    pub(crate) fn join(mut self) {
        // The kernel takes its time to release an event source, so both are let go before either is waited for.
        self.retired.extend(self.events.take().map(|events| events.names.into_watcher().retire()));
        self.retired.into_iter().for_each(Watcher::join);
    }
}
