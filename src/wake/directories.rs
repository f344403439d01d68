//! Watches on directories, for the names that come, go and move in them.
//!
//! A directory is known by its identity, not its path: two paths to one directory share one kernel watch, whose
//! events name only one of them.

use std::collections::HashMap;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::SystemTime;

use super::above::Watching;
use super::bell::{Bell, Listener};
use super::filesystem::{Announces, announces};
use super::watcher::{Refusal, Watcher};

pub(super) type DirectoryId = (u64, u64, Option<SystemTime>);

#[derive(Debug)]
pub(super) struct Directories {
    watcher: Watcher,
    bell: Arc<Bell>,
    watched: HashMap<DirectoryId, Directory>,
    paths: HashMap<PathBuf, DirectoryId>,
}

#[derive(Debug)]
struct Directory {
    /// The path it is watched under.
    path: PathBuf,
    users: usize,
    listeners: Vec<Listener>,
}

/// A directory that is being watched.
#[derive(Debug)]
pub(super) struct Watched {
    pub(super) id: DirectoryId,
    /// The path that its events name it by.
    pub(super) path: PathBuf,
    pub(super) watching: Watching,
    pub(super) announces: Announces,
}

impl Directories {
    /// # Errors
    /// When the system has no further event source to give, or no thread.
    pub(super) fn start(bell: Arc<Bell>) -> io::Result<Self> {
        let watcher = Watcher::start(Arc::clone(&bell))?;
        Ok(Self { watcher, bell, watched: HashMap::new(), paths: HashMap::new() })
    }

    pub(super) fn bell(&self) -> &Bell {
        &self.bell
    }

    /// Watches a directory, and counts its user.
    pub(super) fn enter(&mut self, path: &Path) -> Result<Watched, Refusal> {
        let id = identify(path)?;
        let announces = rustix::fs::statfs(path).map_or(Announces::Some, |stat| announces(stat.f_type));
        let watching = self.watch(path, id)?;
        let Some(directory) = self.watched.get_mut(&id) else { return Err(Refusal::Gone) };
        directory.users += 1;
        Ok(Watched { id, path: directory.path.clone(), watching, announces })
    }

    /// Makes sure that a directory of this identity is watched.
    fn watch(&mut self, path: &Path, id: DirectoryId) -> Result<Watching, Refusal> {
        if self.watched.contains_key(&id) {
            return Ok(Watching::Already);
        }
        // If the path meant another directory, the watch stays with that one unless it is taken away.
        self.lost(path);
        self.watcher.watch(path)?;
        self.paths.insert(path.to_owned(), id);
        self.watched.insert(id, Directory { path: path.to_owned(), users: 0, listeners: Vec::new() });
        self.bell.follow_directory(path, Vec::new());
        Ok(Watching::Begun)
    }

    /// A directory has one user less; without any it is not watched any more.
    pub(super) fn leave(&mut self, id: DirectoryId) {
        let Some(directory) = self.watched.get_mut(&id) else { return };
        directory.users = directory.users.saturating_sub(1);
        if directory.users == 0
            && let Some(Directory { path, .. }) = self.watched.remove(&id)
        {
            self.paths.remove(&path);
            self.bell.unfollow_directory(&path);
            self.watcher.unwatch(&path);
        }
    }

    /// Has a pattern told of every name in a directory that was entered.
    pub(super) fn add_listener(&mut self, id: DirectoryId, listener: Listener) {
        self.change_listeners(id, |listeners| listeners.push(listener));
    }

    pub(super) fn remove_listener(&mut self, id: DirectoryId, listener: &Listener) {
        self.change_listeners(id, |listeners| listeners.retain(|other| other != listener));
    }

    fn change_listeners(&mut self, id: DirectoryId, change: impl FnOnce(&mut Vec<Listener>)) {
        if let Some(directory) = self.watched.get_mut(&id) {
            change(&mut directory.listeners);
            self.bell.follow_directory(&directory.path, directory.listeners.clone());
        }
    }

    /// Drops what is known of a directory that was moved or removed; returns which one it was, and who listened to it.
    /// Its users are counted no more.
    pub(super) fn lost(&mut self, path: &Path) -> Option<(DirectoryId, Vec<Listener>)> {
        let id = self.paths.remove(path)?;
        self.bell.unfollow_directory(path);
        self.watcher.unwatch(path);
        Some((id, self.watched.remove(&id).map(|lost| lost.listeners).unwrap_or_default()))
    }

    /// Drops everything that is known of directories: events were lost, so their watches may be gone.
    pub(super) fn lose_all(&mut self) {
        for path in std::mem::take(&mut self.paths).into_keys() {
            self.bell.unfollow_directory(&path);
            self.watcher.unwatch(&path);
        }
        self.watched.clear();
    }

    /// Ends with all its watches, but for the thread.
    /// Waits until the bell has been told of all that has happened by now.
    pub(super) fn catch_up(&mut self) {
        self.watcher.catch_up();
    }

    pub(super) fn into_watcher(self) -> Watcher {
        self.watcher
    }

    #[cfg(test)]
    pub(super) fn count(&self) -> (usize, usize) {
        (self.watched.len(), self.watched.values().map(|directory| directory.listeners.len()).sum())
    }
}

/// Which directory a path means.
pub(super) fn identify(path: &Path) -> Result<DirectoryId, Refusal> {
    let meta = std::fs::metadata(path).map_err(into_refusal)?;
    Ok((meta.dev(), meta.ino(), meta.created().ok()))
}

fn into_refusal(error: io::Error) -> Refusal {
    match error.kind() {
        io::ErrorKind::NotFound | io::ErrorKind::NotADirectory => Refusal::Gone,
        _ => Refusal::Other(error),
    }
}
