//! Watches on directories, so that followed names are noticed when they change.
//!
//! A directory is known by its identity, not its path: two paths to one directory share one kernel watch, whose
//! events name only one of them.

use std::collections::HashMap;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use super::bell::{Bell, Follower, Interest};
use super::filesystem::{Announces, announces};
use super::route::{Stop, Weight, route};
use super::watcher::{Refusal, Watcher};

/// A directory that is removed and made again while its watch is being set: how often to begin anew.
const ATTEMPTS: usize = 8;

type DirectoryId = (u64, u64, Option<SystemTime>);

#[derive(Debug)]
struct Directory {
    /// The path it is watched under.
    path: PathBuf,
    users: usize,
    listeners: Vec<Follower>,
}

/// What one follower has asked for.
#[derive(Debug, Default)]
struct Entry {
    directories: Vec<DirectoryId>,
    names: Vec<PathBuf>,
}

#[derive(Debug, Default)]
pub(crate) struct Names {
    directories: HashMap<DirectoryId, Directory>,
    paths: HashMap<PathBuf, DirectoryId>,
    entries: HashMap<Follower, Entry>,
}

impl Names {
    /// Watches whatever decides what `path` means. Returns whether events tell of all its changes.
    pub(crate) fn follow(
        &mut self,
        watcher: &mut Watcher,
        bell: &Bell,
        follower: Follower,
        path: &Path,
    ) -> Result<Announces, Refusal> {
        let mut entry = Entry::default();
        let mut result = self.enter_way(watcher, bell, follower, path, &mut entry);
        for _ in 1..ATTEMPTS {
            // The way may have changed before its new watches were there to tell.
            if !matches!(result, Ok((true, _)) | Err(Refusal::Gone)) {
                break;
            }
            result = self.enter_way(watcher, bell, follower, path, &mut entry);
        }
        let old = self.entries.insert(follower, entry);
        self.leave(watcher, bell, follower, old);
        result.map(|(_, told)| told)
    }

    /// Watches directories for any name in them, and whatever decides what `base`, where they begin, means. Returns
    /// whether any of them was not watched before, and whether events tell of all changes.
    pub(crate) fn listen(
        &mut self,
        watcher: &mut Watcher,
        bell: &Bell,
        follower: Follower,
        base: &Path,
        directories: &[PathBuf],
    ) -> Result<(bool, Announces), Refusal> {
        let mut entry = Entry::default();
        let mut result = self.enter_way(watcher, bell, follower, base, &mut entry);
        for directory in directories {
            match self.enter(watcher, bell, directory, &mut entry) {
                Ok(Watched { path, new, announces }) => {
                    if let Ok((any_new, told)) = &mut result {
                        *any_new |= new;
                        *told = (*told).max(announces);
                    }
                    if let Some(id) = self.paths.get(&path)
                        && let Some(directory) = self.directories.get_mut(id)
                        && !directory.listeners.contains(&follower)
                    {
                        directory.listeners.push(follower);
                        bell.follow_directory(&directory.path, directory.listeners.clone());
                    }
                }
                Err(Refusal::Gone) => {}
                Err(refusal) => result = Err(refusal),
            }
        }
        let old = self.entries.insert(follower, entry);
        self.leave(watcher, bell, follower, old);
        result
    }

    /// Watches what decides where a path leads; returns whether any of it was not watched before, and whether events
    /// tell of all changes.
    fn enter_way(
        &mut self,
        watcher: &mut Watcher,
        bell: &Bell,
        follower: Follower,
        path: &Path,
        entry: &mut Entry,
    ) -> Result<(bool, Announces), Refusal> {
        let (mut any_new, mut told) = (false, Announces::All);
        let mut result = Ok(());
        for stop in route(path).map_err(Refusal::Other)? {
            match self.enter(watcher, bell, &stop.directory, entry) {
                Ok(Watched { path, new, announces }) => {
                    any_new |= new;
                    Self::note(bell, follower, entry, &path, &stop);
                    if stop.weight == Weight::Essential {
                        told = told.max(announces);
                    }
                }
                // The safety look must do for those.
                Err(_) if stop.weight == Weight::Ancestor => {}
                Err(refusal) => result = Err(refusal),
            }
        }
        result.map(|()| (any_new, told))
    }

    /// Forgets everything that a follower has asked for.
    pub(crate) fn forget(&mut self, watcher: &mut Watcher, bell: &Bell, follower: Follower) {
        let old = self.entries.remove(&follower);
        self.leave(watcher, bell, follower, old);
    }

    /// Drops what is known of a directory that was moved or removed; returns who had asked for it.
    pub(crate) fn lost(&mut self, watcher: &mut Watcher, bell: &Bell, path: &Path) -> Vec<Follower> {
        let Some(id) = self.paths.remove(path) else { return Vec::new() };
        self.directories.remove(&id);
        bell.unfollow_directory(path);
        watcher.unwatch(path);
        let mut concerned = Vec::new();
        for (follower, entry) in &mut self.entries {
            // Whoever asks again must not give back, for an earlier time, what is counted anew by then.
            if let Some(place) = entry.directories.iter().position(|directory| *directory == id) {
                entry.directories.swap_remove(place);
                concerned.push(*follower);
            }
        }
        concerned
    }

    /// Drops everything that is known of directories: events were lost, so their watches may be gone. Returns
    /// everybody who had asked for any.
    pub(crate) fn lose_all(&mut self, watcher: &mut Watcher, bell: &Bell) -> Vec<Follower> {
        for path in std::mem::take(&mut self.paths).into_keys() {
            bell.unfollow_directory(&path);
            watcher.unwatch(&path);
        }
        self.directories.clear();
        self.entries.values_mut().for_each(|entry| entry.directories.clear());
        self.entries.keys().copied().collect()
    }

    /// Makes sure that a directory is watched, and counts its user.
    fn enter(
        &mut self,
        watcher: &mut Watcher,
        bell: &Bell,
        path: &Path,
        entry: &mut Entry,
    ) -> Result<Watched, Refusal> {
        let meta = std::fs::metadata(path).map_err(into_refusal)?;
        let id = (meta.dev(), meta.ino(), meta.created().ok());
        let told = rustix::fs::statfs(path).map_or(Announces::Some, |stat| announces(stat.f_type));
        let new = !self.directories.contains_key(&id);
        if new {
            // If the path meant another directory, the watch stays with that one unless it is taken away.
            self.lost(watcher, bell, path);
            watcher.watch(path)?;
            self.paths.insert(path.to_owned(), id);
            self.directories.insert(id, Directory { path: path.to_owned(), users: 0, listeners: Vec::new() });
            bell.follow_directory(path, Vec::new());
        }
        let Some(directory) = self.directories.get_mut(&id) else { return Err(Refusal::Gone) };
        if !entry.directories.contains(&id) {
            entry.directories.push(id);
            directory.users += 1;
        }
        Ok(Watched { path: directory.path.clone(), new, announces: told })
    }

    fn note(bell: &Bell, follower: Follower, entry: &mut Entry, directory: &Path, stop: &Stop) {
        let full = directory.join(&stop.name);
        // Followed before the old entry goes, so that no moment is unwatched; noted twice does no harm.
        bell.unfollow_name(&full, follower);
        bell.follow_name(&full, Interest { source: follower, reroute: stop.reroute });
        if !entry.names.contains(&full) {
            entry.names.push(full);
        }
    }

    /// Takes back what an entry that was replaced had asked for.
    fn leave(&mut self, watcher: &mut Watcher, bell: &Bell, follower: Follower, old: Option<Entry>) {
        let Some(old) = old else { return };
        let new = self.entries.get(&follower);
        for name in &old.names {
            if new.is_none_or(|new| !new.names.contains(name)) {
                bell.unfollow_name(name, follower);
            }
        }
        for id in &old.directories {
            let kept = new.is_some_and(|new| new.directories.contains(id));
            let Some(directory) = self.directories.get_mut(id) else { continue };
            directory.users = directory.users.saturating_sub(1);
            if !kept {
                directory.listeners.retain(|listener| *listener != follower);
            }
            if directory.users == 0 {
                let path = directory.path.clone();
                self.directories.remove(id);
                self.paths.remove(&path);
                bell.unfollow_directory(&path);
                watcher.unwatch(&path);
            }
        }
    }
}

/// A directory that is being watched.
struct Watched {
    path: PathBuf,
    new: bool,
    announces: Announces,
}

fn into_refusal(error: io::Error) -> Refusal {
    match error.kind() {
        io::ErrorKind::NotFound | io::ErrorKind::NotADirectory => Refusal::Gone,
        _ => Refusal::Other(error),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Arc;

    #[test]
    fn watches_are_counted_right_through_losses_and_changes_of_mind() {
        let temp = tempfile::tempdir().unwrap();
        let root = temp.path().canonicalize().unwrap();
        let bell = Arc::new(Bell::new().unwrap());
        let mut watcher = Watcher::start(Arc::clone(&bell)).unwrap();
        let mut names = Names::default();
        let followers: Vec<_> = (0..3).map(Follower::Pattern).collect();
        let follow_all = |names: &mut Names, watcher: &mut Watcher| {
            for follower in &followers {
                names.follow(watcher, &bell, *follower, &root.join("a.log")).unwrap();
            }
        };
        let woken = |name: &str| {
            bell.take();
            std::fs::write(root.join(name), "").unwrap();
            let mut fds = [rustix::event::PollFd::from_borrowed_fd(bell.fd(), rustix::event::PollFlags::IN)];
            let wait = rustix::event::Timespec { tv_sec: 10, tv_nsec: 0 };
            rustix::event::poll(&mut fds, Some(&wait)).unwrap();
            std::fs::remove_file(root.join(name)).unwrap();
            bell.take().map_or(0, |marks| marks.names.len())
        };
        follow_all(&mut names, &mut watcher);
        assert_eq!(woken("a.log"), 3);
        for _ in 0..3 {
            assert_eq!(names.lose_all(&mut watcher, &bell).len(), 3);
            follow_all(&mut names, &mut watcher);
            assert_eq!(woken("a.log"), 3);
            assert_eq!(names.lost(&mut watcher, &bell, &root).len(), 3);
            follow_all(&mut names, &mut watcher);
            assert_eq!(woken("a.log"), 3);
        }
        for follower in &followers {
            names.forget(&mut watcher, &bell, *follower);
        }
        assert!(names.directories.is_empty() && names.paths.is_empty() && names.entries.is_empty());
        watcher.join();
    }
}
