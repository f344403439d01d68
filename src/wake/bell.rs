//! What the event thread tells the engine: a bounded set of marks, and one descriptor to wait on.
//!
//! Its handler runs on a thread of the notify crate and must never block there (its `watch` waits for that thread). It
//! marks and rings; marks of one kind coalesce, so however many events come, the set is as large as what is watched, and
//! of the names in listened directories, which can be any, no more than [`CHANGES`] are noted.

use std::collections::hash_map::Entry;
use std::collections::{BTreeSet, HashMap};
use std::ffi::OsStr;
use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use rustix::event::{EventfdFlags, eventfd};

use super::arrivals::{Arrivals, Counts, How, Leaves};
use crate::tail::SourceId;

/// How many changed names are noted for patterns; if there are more, these must look at everything.
const CHANGES: usize = 4096;

/// Whom a name concerns.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Interest {
    /// Somebody who follows it.
    Follower(Follower),
    /// A way that leads on behind it, so that it must be found anew.
    Way(WayId),
}

/// A way to a directory.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct WayId(pub(crate) usize);

/// Who follows a name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum Follower {
    /// One source.
    Source(SourceId),
    /// One pattern: what decides where its base is.
    Pattern(usize),
}

/// A pattern that wants to know of every name in a directory.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Listener {
    pub(crate) pattern: usize,
    /// What the pattern calls the directory, which may be watched under another path.
    pub(crate) directory: PathBuf,
}

/// A name in a directory that a pattern listens to, or such a directory itself, as the pattern calls it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Changed {
    pub(crate) pattern: usize,
    pub(crate) path: PathBuf,
}

/// What has happened since the last time it was taken.
#[derive(Debug, Default)]
pub(crate) struct Marks {
    /// Anything may have happened: the kernel's queue overflowed.
    pub(crate) everything: bool,
    /// Names of these changed.
    pub(crate) names: BTreeSet<Follower>,
    /// Something happened to these names. Too many of them are a matter for the patterns' [`names`](Self::names).
    pub(crate) changes: BTreeSet<Changed>,
    /// These may lead elsewhere.
    pub(crate) ways: BTreeSet<WayId>,
    /// These directories were moved or removed, and their watches with them.
    pub(crate) lost: BTreeSet<PathBuf>,
    /// An event source has failed.
    pub(crate) failed: Option<String>,
}

#[derive(Debug, Default)]
struct Shared {
    /// Names within watched directories that somebody follows, as events spell them.
    names: HashMap<Arc<OsStr>, Concerned>,
    /// Watched directories, and who wants to know of every name in them.
    directories: HashMap<PathBuf, Vec<Listener>>,
    counts: Counts,
    marks: Marks,
}

/// Whom one name concerns: most often one.
#[derive(Debug)]
enum Concerned {
    One(Interest),
    Many(Vec<Interest>),
}

impl Concerned {
    fn all(&self) -> &[Interest] {
        match self {
            Self::One(interest) => std::slice::from_ref(interest),
            Self::Many(interests) => interests,
        }
    }

    fn add(&mut self, interest: Interest) {
        match self {
            Self::One(first) => *self = Self::Many(vec![*first, interest]),
            Self::Many(interests) => interests.push(interest),
        }
    }

    /// Takes back one interest; `None` if none is left.
    fn without(self, interest: Interest) -> Option<Self> {
        match self {
            Self::One(only) => (only != interest).then_some(Self::One(only)),
            Self::Many(mut interests) => {
                if let Some(index) = interests.iter().position(|other| *other == interest) {
                    interests.swap_remove(index);
                }
                match *interests {
                    [] => None,
                    [only] => Some(Self::One(only)),
                    _ => Some(Self::Many(interests)),
                }
            }
        }
    }
}

/// Whom a name concerns.
fn concerned<'a>(names: &'a HashMap<Arc<OsStr>, Concerned>, path: &Path) -> &'a [Interest] {
    names.get(path.as_os_str()).map_or(&[], Concerned::all)
}

/// The sources whose name this is, each once.
fn owners<'a>(names: &'a HashMap<Arc<OsStr>, Concerned>, path: &Path) -> impl Iterator<Item = SourceId> + use<'a> {
    let interests = concerned(names, path);
    // One that is followed anew is followed twice for a moment.
    let distinct = interests.iter().enumerate().filter(|(index, interest)| !interests[..*index].contains(interest));
    distinct.filter_map(|(_, interest)| match interest {
        Interest::Follower(Follower::Source(source)) => Some(*source),
        Interest::Follower(Follower::Pattern(_)) | Interest::Way(_) => None,
    })
}

impl Marks {
    fn change(&mut self, pattern: usize, path: PathBuf) {
        if self.changes.len() < CHANGES {
            self.changes.insert(Changed { pattern, path });
        } else {
            self.names.insert(Follower::Pattern(pattern));
        }
    }
}

/// The marks, and the descriptor that becomes readable when there are any.
#[derive(Debug)]
pub(crate) struct Bell {
    shared: Mutex<Shared>,
    rung: AtomicBool,
    fd: OwnedFd,
}

impl Bell {
    pub(crate) fn new() -> io::Result<Self> {
        let fd = eventfd(0, EventfdFlags::CLOEXEC | EventfdFlags::NONBLOCK)?;
        Ok(Self { shared: Mutex::default(), rung: AtomicBool::new(false), fd })
    }

    fn lock(&self) -> MutexGuard<'_, Shared> {
        // No code that holds the lock can panic halfway through a change that others rely on.
        self.shared.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Marks, and wakes the engine once until it has taken the marks. `mark` says whether there was anything.
    ///
    /// Ringing and taking exclude each other: were the descriptor written after the marks were taken, the engine
    /// would spin; were it read after a new mark had come, the engine would sleep through it.
    fn ring(&self, mark: impl FnOnce(&mut Shared) -> bool) {
        let mut shared = self.lock();
        if mark(&mut shared) && !self.rung.swap(true, Ordering::AcqRel) {
            // The counter can't overflow by one, so there is nothing that could fail here but a bad descriptor.
            let _ = rustix::io::write(&self.fd, &1u64.to_ne_bytes());
        }
    }

    /// Takes the marks, if there are any.
    pub(crate) fn take(&self) -> Option<Marks> {
        // Asked for with every event that is handed out, so not worth a lock when there is nothing.
        if !self.rung.load(Ordering::Acquire) {
            return None;
        }
        let mut shared = self.lock();
        self.rung.store(false, Ordering::Release);
        let _ = rustix::io::read(&self.fd, &mut [0; 8]);
        Some(std::mem::take(&mut shared.marks))
    }

    /// Becomes readable when there are marks to take.
    pub(crate) fn fd(&self) -> BorrowedFd<'_> {
        self.fd.as_fd()
    }

    /// Adds an interest in a name, until it is taken back once.
    pub(crate) fn follow_name(&self, name: &Arc<OsStr>, interest: Interest) {
        match self.lock().names.entry(Arc::clone(name)) {
            Entry::Vacant(entry) => {
                entry.insert(Concerned::One(interest));
            }
            Entry::Occupied(mut entry) => entry.get_mut().add(interest),
        }
    }

    pub(crate) fn unfollow_name(&self, name: &OsStr, interest: Interest) {
        let names = &mut self.lock().names;
        if let Some((name, concerned)) = names.remove_entry(name)
            && let Some(others) = concerned.without(interest)
        {
            names.insert(name, others);
        }
    }

    /// Says that a directory is watched, and who wants to know of everything in it.
    pub(crate) fn follow_directory(&self, directory: &Path, listeners: Vec<Listener>) {
        self.lock().directories.insert(directory.to_owned(), listeners);
    }

    pub(crate) fn unfollow_directory(&self, directory: &Path) {
        self.lock().directories.remove(directory);
    }

    /// Something happened to a name.
    pub(crate) fn mark_name(&self, path: &Path) {
        self.ring(|Shared { names, directories, marks, .. }| {
            let mut marked = false;
            for interest in concerned(names, path) {
                match interest {
                    Interest::Follower(follower) => marks.names.insert(*follower),
                    Interest::Way(way) => marks.ways.insert(*way),
                };
                marked = true;
            }
            let listeners = path.parent().and_then(|parent| directories.get(parent));
            for listener in listeners.into_iter().flatten() {
                let name = path.file_name().unwrap_or_default();
                marks.change(listener.pattern, listener.directory.join(name));
                marked = true;
            }
            if directories.contains_key(path) {
                // A watched directory itself: its watch stays with the old inode, or is gone.
                marks.lost.insert(path.to_owned());
                marked = true;
            }
            marked
        });
    }

    /// A way may lead elsewhere.
    pub(super) fn mark_way(&self, way: WayId) {
        self.ring(|shared| shared.marks.ways.insert(way));
    }

    /// A file has come under a name.
    pub(super) fn mark_arrival(&self, path: &Path, how: How) {
        let Shared { names, counts, .. } = &mut *self.lock();
        counts.came(path, how, owners(names, path));
    }

    /// A file was renamed away from a name.
    pub(crate) fn mark_departure(&self, path: &Path) {
        let Shared { names, counts, .. } = &mut *self.lock();
        if owners(names, path).next().is_some() {
            counts.left(path);
        }
    }

    /// The file that came under a name last was renamed to that.
    pub(crate) fn mark_rename(&self, from: &Path, to: &Path) {
        let Shared { names, counts, .. } = &mut *self.lock();
        let leaves = if owners(names, from).next().is_some() { Leaves::FollowedName } else { Leaves::OtherName };
        counts.moved(from, to, owners(names, to), leaves);
    }

    /// How often files have come under the name of a source.
    pub(crate) fn arrivals(&self, source: SourceId) -> Arrivals {
        self.lock().counts.of(source)
    }

    /// Counts no longer for a source.
    pub(crate) fn forget_arrivals(&self, source: SourceId) {
        self.lock().counts.forget(source);
    }

    /// Something happened to a directory that a pattern listened to.
    pub(crate) fn mark_changed(&self, pattern: usize, directory: PathBuf) {
        self.ring(|shared| {
            shared.marks.change(pattern, directory);
            true
        });
    }

    /// Events were lost.
    pub(crate) fn mark_everything(&self) {
        self.ring(|shared| {
            shared.marks.everything = true;
            true
        });
    }

    /// An event source has failed.
    pub(crate) fn mark_failed(&self, why: String) {
        self.ring(|shared| {
            shared.marks.failed.get_or_insert(why);
            true
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rustix::event::{PollFd, PollFlags, Timespec};

    fn readable(bell: &Bell, wait: i64) -> bool {
        let mut fds = [PollFd::from_borrowed_fd(bell.fd(), PollFlags::IN)];
        rustix::event::poll(&mut fds, Some(&Timespec { tv_sec: wait, tv_nsec: 0 })).unwrap() > 0
    }

    #[test]
    fn names_nobody_follows_wake_nobody() {
        let bell = Bell::new().unwrap();
        bell.follow_directory(Path::new("/logs"), Vec::new());
        bell.mark_name(Path::new("/logs/other"));
        assert!(!readable(&bell, 0));
        assert!(bell.take().is_none());
    }

    #[test]
    fn a_listener_is_told_names_as_it_calls_them_and_no_more_than_can_be_kept() {
        let bell = Bell::new().unwrap();
        let listener = |pattern, directory| Listener { pattern, directory: PathBuf::from(directory) };
        bell.follow_directory(Path::new("/logs"), vec![listener(0, "logs"), listener(1, "link")]);
        bell.mark_name(Path::new("/logs/a"));
        bell.mark_name(Path::new("/logs/a"));
        let changed = |pattern, path| Changed { pattern, path: PathBuf::from(path) };
        let marks = bell.take().unwrap();
        assert_eq!(marks.changes, BTreeSet::from([changed(0, "logs/a"), changed(1, "link/a")]));
        assert!(marks.names.is_empty());
        for number in 0..CHANGES {
            bell.mark_name(&Path::new("/logs").join(number.to_string()));
        }
        let marks = bell.take().unwrap();
        assert_eq!(marks.changes.len(), CHANGES);
        assert_eq!(marks.names, BTreeSet::from([Follower::Pattern(0), Follower::Pattern(1)]));
    }

    #[test]
    fn no_mark_is_slept_through_and_none_leaves_the_bell_ringing() {
        const COUNT: usize = 50_000;
        let bell = Arc::new(Bell::new().unwrap());
        let names: Vec<Arc<OsStr>> = (0..COUNT).map(|number| OsStr::new(&format!("/logs/{number}")).into()).collect();
        for (number, name) in names.iter().enumerate() {
            bell.follow_name(name, Interest::Follower(Follower::Pattern(number)));
        }
        let marker = Arc::clone(&bell);
        let thread = std::thread::spawn(move || names.iter().for_each(|name| marker.mark_name(Path::new(name))));
        let mut seen = 0;
        while seen < COUNT {
            assert!(readable(&bell, 20), "slept through marks after {seen}");
            seen += bell.take().map_or(0, |marks| marks.names.len());
        }
        thread.join().unwrap();
        assert!(!readable(&bell, 0));
    }
}
