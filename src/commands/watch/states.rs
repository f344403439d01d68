//! Keeps the sessions of a tail: hands them what is seen, and has done for them what they ask for.

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::path::Path;
use std::rc::Rc;
use std::time::{Duration, Instant};

use crate::commands::locks::Locks;
use crate::settings::Watch;
use crate::tail::{Arrival, FileId, Happening, SourceId, Tail};
use crate::watch::{Change, LOOK_AGAIN, LOOK_AT_CHANGED, Lock, Policy, Sessions, Trying};

/// The sessions, and what is known of locks.
#[derive(Debug)]
pub(super) struct States {
    sessions: Sessions,
    locks: Rc<RefCell<Locks>>,
    /// The numbers of files whose locks have come or gone since sessions were last looked at.
    inodes: BTreeSet<u64>,
}

impl States {
    pub(super) fn new(settings: &Watch, locks: Rc<RefCell<Locks>>) -> Self {
        let policy = Policy { liveness: settings.liveness, idle_after: settings.idle_after };
        Self { sessions: Sessions::new(policy, settings.keep, Instant::now()), locks, inodes: BTreeSet::new() }
    }

    /// Something has happened to a file of this name.
    pub(super) fn happened(&mut self, source: SourceId, path: &Path, what: &Happening) -> Vec<Change> {
        let now = Instant::now();
        let mut changes = Vec::new();
        match *what {
            Happening::Opened { file, arrival, offset, .. } => {
                // What is there from the start was looked at together.
                let fresh = if arrival == Arrival::First { LOOK_AT_CHANGED } else { LOOK_AGAIN };
                let lock = self.sessions.minds_locks().then(|| self.lock(&[file], path, fresh, now));
                self.sessions.begin(source, path, file);
                if let Some(lock @ Lock::Held(_)) = lock {
                    changes.extend(self.sessions.looked(source, lock, Some(offset), now));
                }
                // What it did before anybody looked is not guessed.
                if matches!(arrival, Arrival::Appeared | Arrival::Replaced(_)) {
                    changes.extend(self.sessions.grew(source, offset, now));
                }
            }
            Happening::Rewritten { .. } => changes.extend(self.sessions.grew(source, 0, now)),
            Happening::Closed { file, .. } => self.sessions.closed(source, file),
            Happening::Ended { .. } => changes.extend(self.sessions.ended(source)),
            _ => {}
        }
        changes
    }

    /// A file has grown up to `offset`. If that is a surprise, its writer may have locked it, which is looked at first.
    pub(super) fn grew(&mut self, source: SourceId, offset: u64) -> Vec<Change> {
        let now = Instant::now();
        let mut changes = Vec::new();
        if let Some((files, path)) = self.sessions.surprised(source)
            && let lock @ Lock::Held(_) = self.lock(&files, &path, LOOK_AT_CHANGED, now)
        {
            changes.extend(self.sessions.looked(source, lock, Some(offset), now));
        }
        changes.extend(self.sessions.grew(source, offset, now));
        changes
    }

    /// The lock of a session, by what was found no longer ago than this.
    fn lock(&mut self, files: &[FileId], path: &Path, fresh: Duration, now: Instant) -> Lock {
        let mut locks = self.locks.borrow_mut();
        if !locks.is_fresh(fresh, now) {
            self.inodes.append(&mut locks.look(now));
        }
        files.iter().map(|file| locks.of(*file, path)).max().unwrap_or(Lock::Unknown)
    }

    /// Looks at what is due, and has files read that are to be read to their ends before more is said of them.
    pub(super) fn attend(&mut self, tail: &mut Tail) -> Vec<Change> {
        let now = Instant::now();
        let mut changes = Vec::new();
        let read: Vec<SourceId> = self.sessions.reading().filter(|source| tail.has_read(*source)).collect();
        for source in read {
            self.rename(source, tail);
            changes.extend(self.sessions.read_out(source, now));
        }
        if self.sessions.look_at().is_some_and(|at| at <= now) {
            changes.extend(self.look(tail, now));
        }
        for source in self.sessions.take_to_read() {
            tail.look_at(source);
        }
        for source in self.sessions.take_surplus(now) {
            if !tail.rest(source) && tail.standing(source).is_some() {
                self.sessions.refuse(source, now);
            }
        }
        changes
    }

    fn look(&mut self, tail: &Tail, now: Instant) -> Vec<Change> {
        let locks = Rc::clone(&self.locks);
        let mut locks = locks.borrow_mut();
        let minded = self.sessions.minds_locks();
        let mut inodes = std::mem::take(&mut self.inodes);
        if minded {
            inodes.append(&mut locks.look(now));
        }
        let trying = if minded { locks.trying() } else { Trying::Nothing };
        let due = self.sessions.take_due(&inodes, trying, now);
        let mut changes = Vec::new();
        for (source, files, path) in due {
            let found = files.iter().map(|file| locks.of(*file, &path)).max();
            let lock = found.filter(|_| minded).unwrap_or(Lock::Unknown);
            self.rename(source, tail);
            let offset = tail.standing(source).map(|standing| standing.offset);
            changes.extend(self.sessions.looked(source, lock, offset, now));
        }
        changes
    }

    /// Has a session go by the name that its file has now.
    fn rename(&mut self, source: SourceId, tail: &Tail) {
        if let Some(standing) = tail.standing(source) {
            self.sessions.rename(source, standing.path);
        }
    }

    /// When it is to be attended to again.
    pub(super) fn deadline(&self) -> Option<Instant> {
        self.sessions.look_at()
    }
}
