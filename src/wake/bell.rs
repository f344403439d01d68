//! What event threads tell the engine: a bounded set of marks, and one descriptor to wait on.
//!
//! Handlers run on threads of the notify crate and must never block there (its `watch` waits for that thread). They
//! mark and ring; marks of one kind coalesce, so however many events come, the set is as large as what is watched.

use std::collections::{BTreeSet, HashMap};
use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd, RawFd};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use rustix::event::{EventfdFlags, eventfd};

use crate::tail::SourceId;

/// Whom a name concerns.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Interest {
    pub(crate) source: Follower,
    /// Whether the way to the source's file leads on behind this name, so that it must be found anew.
    pub(crate) reroute: bool,
}

/// Who follows a name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum Follower {
    /// One source.
    Source(SourceId),
    /// One pattern.
    Pattern(usize),
}

/// What has happened since the last time it was taken.
#[derive(Debug, Default)]
pub(crate) struct Marks {
    /// Anything may have happened: the kernel's queue overflowed.
    pub(crate) everything: bool,
    /// Names of these changed.
    pub(crate) names: BTreeSet<Follower>,
    /// The way to the files of these may lead elsewhere.
    pub(crate) routes: BTreeSet<Follower>,
    /// These directories were moved or removed, and their watches with them.
    pub(crate) lost: BTreeSet<PathBuf>,
    /// These open files were written to.
    pub(crate) descriptors: BTreeSet<RawFd>,
    /// An event source has failed.
    pub(crate) failed: Option<String>,
}

#[derive(Debug, Default)]
struct Shared {
    /// Names within watched directories that somebody follows.
    names: HashMap<PathBuf, Vec<Interest>>,
    /// Watched directories, and who wants to know of every name in them.
    directories: HashMap<PathBuf, Vec<Follower>>,
    marks: Marks,
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

    /// Wakes the engine, once until it has taken the marks.
    fn ring(&self) {
        if !self.rung.swap(true, Ordering::AcqRel) {
            // The counter can't overflow by one, so there is nothing that could fail here but a bad descriptor.
            let _ = rustix::io::write(&self.fd, &1u64.to_ne_bytes());
        }
    }

    /// Takes the marks, if there are any.
    pub(crate) fn take(&self) -> Option<Marks> {
        if !self.rung.swap(false, Ordering::AcqRel) {
            return None;
        }
        let _ = rustix::io::read(&self.fd, &mut [0; 8]);
        Some(std::mem::take(&mut self.lock().marks))
    }

    /// Becomes readable when there are marks to take.
    pub(crate) fn fd(&self) -> BorrowedFd<'_> {
        self.fd.as_fd()
    }

    /// Says who follows a name; `None` of them: nobody.
    pub(crate) fn follow_name(&self, name: &Path, interest: Interest) {
        self.lock().names.entry(name.to_owned()).or_default().push(interest);
    }

    pub(crate) fn unfollow_name(&self, name: &Path, follower: Follower) {
        let mut shared = self.lock();
        if let Some(interests) = shared.names.get_mut(name) {
            interests.retain(|interest| interest.source != follower);
            if interests.is_empty() {
                shared.names.remove(name);
            }
        }
    }

    /// Says that a directory is watched, and who wants to know of everything in it.
    pub(crate) fn follow_directory(&self, directory: &Path, listeners: Vec<Follower>) {
        self.lock().directories.insert(directory.to_owned(), listeners);
    }

    pub(crate) fn unfollow_directory(&self, directory: &Path) {
        self.lock().directories.remove(directory);
    }

    /// Something happened to a name.
    pub(crate) fn mark_name(&self, path: &Path) {
        let mut guard = self.lock();
        let shared = &mut *guard;
        let mut marked = false;
        for interest in shared.names.get(path).into_iter().flatten() {
            shared.marks.names.insert(interest.source);
            if interest.reroute {
                shared.marks.routes.insert(interest.source);
            }
            marked = true;
        }
        if let Some(listeners) = path.parent().and_then(|parent| shared.directories.get(parent)) {
            shared.marks.names.extend(listeners);
            marked |= !listeners.is_empty();
        }
        if shared.directories.contains_key(path) {
            // A watched directory itself: its watch stays with the old inode, or is gone.
            shared.marks.lost.insert(path.to_owned());
            marked = true;
        }
        drop(guard);
        if marked {
            self.ring();
        }
    }

    /// Something happened to an open file.
    pub(crate) fn mark_descriptor(&self, fd: RawFd) {
        self.lock().marks.descriptors.insert(fd);
        self.ring();
    }

    /// Events were lost.
    pub(crate) fn mark_everything(&self) {
        self.lock().marks.everything = true;
        self.ring();
    }

    /// An event source has failed.
    pub(crate) fn mark_failed(&self, why: String) {
        self.lock().marks.failed.get_or_insert(why);
        self.ring();
    }
}
