//! What makes the engine look: events where they work, and one place to wait for all there is to wait for.
//!
//! [`Wake`] carries out what the engine wants watched, turns marks of event threads into marks of the engine, and
//! says for which sources looking at an interval must do instead. It decides nothing about files.

mod bell;
mod filesystem;
mod names;
mod route;
mod watcher;

use std::collections::{HashMap, HashSet};
use std::io;
use std::os::fd::{BorrowedFd, RawFd};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec};

use crate::tail::SourceId;
use bell::Bell;
pub(crate) use bell::Follower;
pub(crate) use filesystem::is_made_up;
use filesystem::{Announces, announces};
use names::Names;
use watcher::{Refusal, Subject, Watcher};

/// The first and the longest pause before a failed event source is started again.
const REVIVAL: Duration = Duration::from_secs(1);
const REVIVAL_LONGEST: Duration = Duration::from_secs(64);

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

/// What a drained set of marks means for the engine.
#[derive(Debug)]
pub(crate) enum Woken {
    /// Something happened to these.
    /// The way to the files of `refused` leads elsewhere now, and not all of it could be watched.
    Marks { names: Vec<Follower>, descriptors: Vec<RawFd>, refused: Vec<(SourceId, Notice)> },
    /// Events were lost: anything may have happened.
    Overflow,
    /// Events have ended. Everything must be polled.
    EventsLost,
    /// Events have begun again. Everything must be followed and watched anew.
    EventsBack,
}

/// An open file to be watched for appends.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Appends {
    pub(crate) source: SourceId,
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

/// Two event sources, and what they watch.
#[derive(Debug)]
struct Events {
    names_watcher: Watcher,
    appends_watcher: Watcher,
    names: Names,
}

#[derive(Debug)]
pub(crate) struct Wake {
    bell: Arc<Bell>,
    events: Option<Events>,
    /// Event sources that failed, whose threads may still be at their end.
    retired: Vec<Watcher>,
    /// The names that are followed, to find the way to them again when it changes.
    paths: HashMap<SourceId, PathBuf>,
    /// The descriptors that are watched for appends.
    watched: HashSet<RawFd>,
    troubles: Vec<Trouble>,
    told: HashSet<&'static str>,
    revive_at: Option<Instant>,
    revival: Duration,
}

impl Wake {
    /// # Errors
    /// When not even a descriptor to wait on can be had.
    pub(crate) fn new(poll_only: bool) -> io::Result<Self> {
        let mut wake = Self {
            bell: Arc::new(Bell::new()?),
            events: None,
            retired: Vec::new(),
            paths: HashMap::new(),
            watched: HashSet::new(),
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
        let start = |subject| Watcher::start(subject, Arc::clone(&self.bell));
        let started = start(Subject::Names).and_then(|names_watcher| match start(Subject::Appends) {
            Ok(appends_watcher) => Ok(Events { names_watcher, appends_watcher, names: Names::default() }),
            Err(error) => {
                // Its descriptors are wanted by then.
                names_watcher.join();
                Err(error)
            }
        });
        match started {
            Ok(events) => self.events = Some(events),
            Err(error) => self.trouble(Trouble::NoEvents(error)),
        }
    }

    /// Ends the event sources for good, since their descriptors are needed for files. False if there are none.
    pub(crate) fn make_room(&mut self) -> bool {
        let Some(events) = self.events.take() else { return false };
        events.names_watcher.join();
        events.appends_watcher.join();
        self.watched.clear();
        // They have said that they have ended, which is no news.
        let _ = self.bell.take();
        self.trouble(Trouble::NoEvents(rustix::io::Errno::MFILE.into()));
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
    pub(crate) fn follow_name(&mut self, source: SourceId, path: PathBuf) -> Notice {
        let result = match &mut self.events {
            Some(Events { names_watcher, names, .. }) => {
                names.follow(names_watcher, &self.bell, Follower::Source(source), &path)
            }
            None => Err(Refusal::Dead),
        };
        let notice = result.map_or_else(|refusal| self.refused(&path, refusal), Notice::from);
        self.paths.insert(source, path);
        notice
    }

    /// Forgets the name of a source.
    pub(crate) fn forget_name(&mut self, source: SourceId) {
        self.paths.remove(&source);
        if let Some(Events { names_watcher, names, .. }) = &mut self.events {
            names.forget(names_watcher, &self.bell, Follower::Source(source));
        }
    }

    /// Listens to all names in some directories, and to what decides where the way to `base` leads; returns whether
    /// any of them was not watched before.
    pub(crate) fn listen(&mut self, pattern: usize, base: &Path, directories: &[PathBuf]) -> (bool, Notice) {
        let result = match &mut self.events {
            Some(Events { names_watcher, names, .. }) => {
                names.listen(names_watcher, &self.bell, Follower::Pattern(pattern), base, directories)
            }
            None => Err(Refusal::Dead),
        };
        match result {
            Ok((new, announces)) => (new, announces.into()),
            Err(refusal) => {
                let first = directories.first().cloned().unwrap_or_default();
                (false, self.refused(&first, refusal))
            }
        }
    }

    /// Watches open files for appends.
    pub(crate) fn watch_appends(&mut self, files: &[Appends]) -> Vec<(SourceId, Notice)> {
        self.watched.extend(files.iter().map(|file| file.fd));
        let mut told = Vec::new();
        let mut paths = Vec::new();
        for Appends { source, fd, file_system } in files {
            let announces = file_system.map_or(Announces::Some, announces);
            if announces != Announces::None {
                paths.push((told.len(), descriptor_path(*fd)));
            }
            told.push((*source, Notice::from(announces)));
        }
        let (places, paths): (Vec<usize>, Vec<PathBuf>) = paths.into_iter().unzip();
        let refused = match &mut self.events {
            Some(events) => events.appends_watcher.watch_all(&paths),
            None => (0..paths.len()).map(|index| (index, Refusal::Dead)).collect(),
        };
        for (index, refusal) in refused {
            let (source, notice) = &mut told[places[index]];
            let path = self.paths.get(source).cloned().unwrap_or_default();
            *notice = self.refused(&path, refusal);
        }
        told
    }

    /// Forgets a descriptor that is closed or about to be.
    pub(crate) fn release(&mut self, fd: RawFd) {
        if self.watched.remove(&fd)
            && let Some(events) = &mut self.events
        {
            events.appends_watcher.unwatch(&descriptor_path(fd));
        }
    }

    /// Takes what has happened; sets watches again that were lost with it.
    pub(crate) fn drain(&mut self, now: Instant) -> Option<Woken> {
        if self.revive_at.is_some_and(|at| at <= now) {
            return self.revive(now);
        }
        let marks = self.bell.take()?;
        if let Some(why) = marks.failed
            && self.events.is_some()
        {
            self.fail(why, now);
            return Some(Woken::EventsLost);
        }
        let mut routes = marks.routes;
        let mut names = marks.names;
        let mut gone = Vec::new();
        let mut refused = Vec::new();
        if let Some(events) = &mut self.events {
            if marks.everything {
                routes.extend(events.names.lose_all(&mut events.names_watcher, &self.bell));
            }
            for path in &marks.lost {
                gone.extend((!path.exists()).then(|| path.clone()));
                routes.extend(events.names.lost(&mut events.names_watcher, &self.bell, path));
            }
        }
        for path in gone {
            self.trouble(Trouble::DirectoryGone(path));
        }
        names.extend(&routes);
        for follower in routes {
            if let Follower::Source(source) = follower
                && let Some(path) = self.paths.get(&source).cloned()
            {
                let notice = self.follow_name(source, path);
                refused.extend((notice != Notice::Told).then_some((source, notice)));
            }
        }
        if marks.everything {
            return Some(Woken::Overflow);
        }
        let descriptors = marks.descriptors.into_iter().collect();
        Some(Woken::Marks { names: names.into_iter().collect(), descriptors, refused })
    }

    /// An event source has failed: both end, and are started again later.
    fn fail(&mut self, why: String, now: Instant) {
        if let Some(Events { names_watcher, appends_watcher, .. }) = self.events.take() {
            self.retired.retain(Watcher::is_alive);
            self.retired.extend([names_watcher.retire(), appends_watcher.retire()]);
        }
        self.watched.clear();
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

    /// When it wants to be drained without having been woken.
    pub(crate) fn deadline(&self) -> Option<Instant> {
        self.revive_at
    }

    /// Waits until there is something to drain, a pipe or device can be read, one of `also` is ready, or the
    /// deadline has come. Returns the sources whose pipes or devices can be read.
    ///
    /// # Errors
    /// When the system refuses to wait. A signal is no error; the wait just ends.
    pub(crate) fn wait(
        &self,
        deadline: Option<Instant>,
        readable: &[(SourceId, BorrowedFd<'_>)],
        also: &mut [Also<'_>],
    ) -> io::Result<Vec<SourceId>> {
        let mut fds = vec![PollFd::from_borrowed_fd(self.bell.fd(), PollFlags::IN)];
        fds.extend(readable.iter().map(|(_, fd)| PollFd::from_borrowed_fd(*fd, PollFlags::IN)));
        fds.extend(also.iter().map(|also| PollFd::from_borrowed_fd(also.fd, also.until.flags())));
        let timeout = deadline.map(|at| timespec(at.saturating_duration_since(Instant::now())));
        match rustix::event::poll(&mut fds, timeout.as_ref()) {
            Ok(_) | Err(rustix::io::Errno::INTR) => {}
            Err(errno) => return Err(errno.into()),
        }
        let ready: Vec<bool> = fds[1..].iter().map(|fd| !fd.revents().is_empty()).collect();
        let (ours, others) = ready.split_at(readable.len());
        for (also, ready) in also.iter_mut().zip(others) {
            also.ready = *ready;
        }
        Ok(readable.iter().zip(ours).filter(|(_, ready)| **ready).map(|((source, _), _)| *source).collect())
    }

    /// Has an event source report a failure.
    #[cfg(test)]
    pub(crate) fn fail_for_test(&self) {
        self.bell.mark_failed("as the test asks".to_owned());
    }

    /// Ends the event sources and waits until their threads are gone.
    pub(crate) fn join(mut self) {
        if let Some(events) = self.events.take() {
            self.retired.extend([events.names_watcher, events.appends_watcher]);
        }
        self.retired.into_iter().for_each(Watcher::join);
    }
}

/// A descriptor to wait for, beside the tail's own.
#[derive(Debug)]
pub struct Also<'fd> {
    fd: BorrowedFd<'fd>,
    until: Until,
    ready: bool,
}

/// What to wait for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Until {
    /// It can be read, or its other end is closed.
    Readable,
    /// It can be written, or its other end is closed.
    Writable,
    /// Its other end is closed.
    Closed,
}

impl Until {
    fn flags(self) -> PollFlags {
        match self {
            Self::Readable => PollFlags::IN,
            Self::Writable => PollFlags::OUT,
            Self::Closed => PollFlags::empty(),
        }
    }
}

impl<'fd> Also<'fd> {
    /// Waits for `fd` until it is so.
    #[must_use]
    pub fn new(fd: BorrowedFd<'fd>, until: Until) -> Self {
        Self { fd, until, ready: false }
    }

    /// Whether it was so when the last wait ended.
    #[must_use]
    pub fn is_ready(&self) -> bool {
        self.ready
    }
}

/// The name under which the kernel knows an open file, whatever has become of its path.
fn descriptor_path(fd: RawFd) -> PathBuf {
    PathBuf::from(format!("/proc/self/fd/{fd}"))
}

fn timespec(duration: Duration) -> Timespec {
    // Rounded up, since a wait that ends too soon would only have to be begun again.
    let duration = duration.saturating_add(Duration::from_nanos(999)).min(Duration::from_hours(24));
    Timespec { tv_sec: duration.as_secs().cast_signed(), tv_nsec: duration.subsec_nanos().into() }
}
