//! Watches on directories, so that followed names are noticed when they change.
//!
//! A directory is known by its identity, not its path: two paths to one directory share one kernel watch, whose
//! events name only one of them.

use std::collections::{HashMap, HashSet};
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use super::bell::{Bell, Follower, Interest, Listener};
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
    listeners: Vec<Listener>,
}

/// What one follower has asked for.
#[derive(Debug, Default)]
struct Entry {
    directories: HashSet<DirectoryId>,
    names: Vec<PathBuf>,
}

#[derive(Debug, Default)]
pub(crate) struct Names {
    directories: HashMap<DirectoryId, Directory>,
    paths: HashMap<PathBuf, DirectoryId>,
    entries: HashMap<Follower, Entry>,
    /// The directories that patterns listen to, by what these call them.
    heard: HashMap<(usize, PathBuf), DirectoryId>,
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

    /// Watches a directory for any name in it; the empty path is the current one. Returns whether events tell of all of them.
    pub(crate) fn listen(
        &mut self,
        watcher: &mut Watcher,
        bell: &Bell,
        pattern: usize,
        directory: &Path,
    ) -> Result<Announces, Refusal> {
        let place = if directory.as_os_str().is_empty() { Path::new(".") } else { directory };
        let (id, announces) = identify(place)?;
        let key = (pattern, directory.to_owned());
        if self.heard.get(&key) == Some(&id) {
            return Ok(announces);
        }
        self.unlisten(watcher, bell, pattern, directory);
        self.watch(watcher, bell, place, id)?;
        if let Some(watched) = self.directories.get_mut(&id) {
            watched.users += 1;
            watched.listeners.push(Listener { pattern, directory: directory.to_owned() });
            bell.follow_directory(&watched.path, watched.listeners.clone());
            self.heard.insert(key, id);
        }
        Ok(announces)
    }

    /// Takes back a [`listen`](Self::listen).
    pub(crate) fn unlisten(&mut self, watcher: &mut Watcher, bell: &Bell, pattern: usize, directory: &Path) {
        let key = (pattern, directory.to_owned());
        let Some(id) = self.heard.remove(&key) else { return };
        if let Some(watched) = self.directories.get_mut(&id) {
            let listener = Listener { pattern, directory: key.1 };
            watched.listeners.retain(|other| *other != listener);
            bell.follow_directory(&watched.path, watched.listeners.clone());
            self.release(watcher, bell, id);
        }
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

    /// Drops what is known of a directory that was moved or removed; returns who had asked for it. Whoever listened to
    /// it is told by the bell.
    pub(crate) fn lost(&mut self, watcher: &mut Watcher, bell: &Bell, path: &Path) -> Vec<Follower> {
        let Some(id) = self.paths.remove(path) else { return Vec::new() };
        bell.unfollow_directory(path);
        watcher.unwatch(path);
        for Listener { pattern, directory } in
            self.directories.remove(&id).into_iter().flat_map(|lost| lost.listeners)
        {
            self.heard.remove(&(pattern, directory.clone()));
            bell.mark_changed(pattern, directory);
        }
        let mut concerned = Vec::new();
        for (follower, entry) in &mut self.entries {
            // Whoever asks again must not give back, for an earlier time, what is counted anew by then.
            if entry.directories.remove(&id) {
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
        self.heard.clear();
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
        let (id, announces) = identify(path)?;
        let new = self.watch(watcher, bell, path, id)?;
        let Some(directory) = self.directories.get_mut(&id) else { return Err(Refusal::Gone) };
        if entry.directories.insert(id) {
            directory.users += 1;
        }
        Ok(Watched { path: directory.path.clone(), new, announces })
    }

    /// Makes sure that a directory of this identity is watched; returns whether it was not before.
    fn watch(&mut self, watcher: &mut Watcher, bell: &Bell, path: &Path, id: DirectoryId) -> Result<bool, Refusal> {
        if self.directories.contains_key(&id) {
            return Ok(false);
        }
        // If the path meant another directory, the watch stays with that one unless it is taken away.
        self.lost(watcher, bell, path);
        watcher.watch(path)?;
        self.paths.insert(path.to_owned(), id);
        self.directories.insert(id, Directory { path: path.to_owned(), users: 0, listeners: Vec::new() });
        bell.follow_directory(path, Vec::new());
        Ok(true)
    }

    /// A directory has one user less; without any it is not watched any more.
    fn release(&mut self, watcher: &mut Watcher, bell: &Bell, id: DirectoryId) {
        let Some(directory) = self.directories.get_mut(&id) else { return };
        directory.users = directory.users.saturating_sub(1);
        if directory.users == 0
            && let Some(Directory { path, .. }) = self.directories.remove(&id)
        {
            self.paths.remove(&path);
            bell.unfollow_directory(&path);
            watcher.unwatch(&path);
        }
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
        for id in old.directories {
            self.release(watcher, bell, id);
        }
    }
}

/// A directory that is being watched.
struct Watched {
    path: PathBuf,
    new: bool,
    announces: Announces,
}

/// Which directory a path means, and whether its file system announces changes.
fn identify(path: &Path) -> Result<(DirectoryId, Announces), Refusal> {
    let meta = std::fs::metadata(path).map_err(into_refusal)?;
    let announces = rustix::fs::statfs(path).map_or(Announces::Some, |stat| announces(stat.f_type));
    Ok(((meta.dev(), meta.ino(), meta.created().ok()), announces))
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

    #[test]
    fn a_directory_is_watched_once_however_many_patterns_call_it_what() {
        let temp = tempfile::tempdir().unwrap();
        let root = temp.path().canonicalize().unwrap();
        std::os::unix::fs::symlink(".", root.join("link")).unwrap();
        let link = root.join("link");
        let bell = Arc::new(Bell::new().unwrap());
        let mut watcher = Watcher::start(Arc::clone(&bell)).unwrap();
        let mut names = Names::default();
        for _ in 0..2 {
            names.listen(&mut watcher, &bell, 0, &root).unwrap();
            names.listen(&mut watcher, &bell, 1, &link).unwrap();
        }
        assert_eq!(names.directories.len(), 1);
        names.lost(&mut watcher, &bell, &root);
        let told: Vec<_> = bell.take().unwrap().changes.into_iter().map(|change| change.path).collect();
        assert_eq!(told, [root.clone(), link.clone()]);
        names.listen(&mut watcher, &bell, 0, &root).unwrap();
        names.listen(&mut watcher, &bell, 1, &link).unwrap();
        names.unlisten(&mut watcher, &bell, 0, &root);
        assert_eq!(names.directories.values().map(|directory| directory.listeners.len()).sum::<usize>(), 1);
        names.unlisten(&mut watcher, &bell, 1, &link);
        assert!(names.directories.is_empty() && names.paths.is_empty() && names.heard.is_empty());
        watcher.join();
    }
}
