//! Followed names, noticed when they change.
//!
//! A name is told by the directory at the end of a way, which is shared by all that are followed there; one that is a
//! link leads on to another. This module knows who follows what; `ways` knows how to get there, `directories` and
//! `above` set the watches.

use std::borrow::Cow;
use std::collections::{BTreeSet, HashMap};
use std::ffi::OsStr;
use std::io::{self, ErrorKind};
use std::os::fd::BorrowedFd;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::above::{Above, Hold};
use super::bell::{Bell, Follower, Interest, Listener, Marks, WayId};
use super::directories::{Directories, DirectoryId};
use super::filesystem::Announces;
use super::route::LINKS;
use super::watcher::{Refusal, Watcher};
use super::ways::{ATTEMPTS, Watches, Ways};
use crate::numbers::ByNumber;

#[derive(Debug)]
pub(crate) struct Names {
    watches: Watches,
    ways: Ways,
    entries: ByNumber<Follower, Entry>,
    /// Ways of names that are looked at only after they were followed.
    unconfirmed: BTreeSet<WayId>,
    /// The directories that patterns listen to, by what these call them.
    heard: HashMap<(usize, PathBuf), DirectoryId>,
}

/// What one follower has asked for.
#[derive(Debug)]
struct Entry {
    /// Most have one: only links lead on.
    stations: Vec<Station>,
    guard: Option<Box<Hold>>,
}

/// A name on the way to a file, in the directory at the end of a way, if that leads to one.
#[derive(Debug)]
struct Station {
    way: WayId,
    name: Option<Arc<OsStr>>,
}

/// How far a name is followed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Reach {
    /// No further than itself, since it is no link; or nobody has looked at it yet, and who does so will follow it again
    /// if it is one, or missing.
    Name,
    /// To where it leads if it is a link, and to where it will be if it is missing.
    Target,
}

impl Names {
    /// # Errors
    /// When the system has no further event source to give, or no thread.
    pub(crate) fn start(bell: Arc<Bell>) -> io::Result<Self> {
        let above = Above::new()?;
        let watches = Watches { directories: Directories::start(bell)?, above };
        let (entries, unconfirmed, heard) = (ByNumber::default(), BTreeSet::new(), HashMap::new());
        Ok(Self { watches, ways: Ways::default(), entries, unconfirmed, heard })
    }

    /// Becomes readable when there is something to take of what the bell doesn't tell.
    pub(crate) fn fd(&self) -> BorrowedFd<'_> {
        self.watches.above.fd()
    }

    /// Takes that: the ways that may lead elsewhere.
    ///
    /// # Errors
    /// When the system refuses to tell.
    pub(crate) fn take(&mut self) -> io::Result<BTreeSet<WayId>> {
        self.watches.above.take()
    }

    /// Watches whatever decides what `path` means. Returns whether events tell of all its changes.
    pub(crate) fn follow(&mut self, follower: Follower, path: &Path, reach: Reach) -> Result<Announces, Refusal> {
        let mut result = self.follow_now(follower, path, reach);
        for _ in 1..ATTEMPTS {
            if !matches!(result, Err(Refusal::Gone)) {
                break;
            }
            result = self.follow_now(follower, path, reach);
        }
        result
    }

    fn follow_now(&mut self, follower: Follower, path: &Path, reach: Reach) -> Result<Announces, Refusal> {
        let mut entry = Entry { stations: Vec::with_capacity(1), guard: None };
        let result = self.enter(follower, path, reach, &mut entry);
        // The old entry goes only now, so that no moment is unwatched.
        if let Some(old) = self.entries.insert(follower, entry) {
            self.leave(follower, old);
        }
        result
    }

    /// Watches a name, and where it leads if it is a link.
    fn enter(
        &mut self,
        follower: Follower,
        path: &Path,
        reach: Reach,
        entry: &mut Entry,
    ) -> Result<Announces, Refusal> {
        let mut told = Announces::All;
        let mut path = Cow::Borrowed(path);
        for _ in 0..=LINKS {
            let (parent, name) = match (path.parent(), path.file_name()) {
                (Some(parent), Some(name)) => (parent, Some(name)),
                _ => (&*path, None),
            };
            let way = self.ways.enter(parent);
            entry.stations.push(Station { way, name: None });
            let (end, announces) = self.ways.find(&mut self.watches, way)?;
            told = told.max(announces);
            let (Some(end), Some(name)) = (end, name) else { break };
            let watched: Arc<OsStr> = end.watched_as.join(name).into_os_string().into();
            self.watches.directories.bell().follow_name(&watched, Interest::Follower(follower));
            if let Some(station) = entry.stations.last_mut() {
                station.name = Some(watched);
            }
            if reach == Reach::Name {
                self.unconfirmed.insert(way);
                break;
            }
            let target = std::fs::read_link(end.directory.join(name)).map(|target| end.directory.join(target));
            if target.as_ref().is_err_and(|error| error.kind() == ErrorKind::NotFound) {
                entry.guard = self.ways.guard_end(&mut self.watches, way).map(Box::new);
            }
            self.ways.confirm_end(way)?;
            match target {
                Ok(target) => path = Cow::Owned(target),
                Err(_) => break,
            }
        }
        Ok(told)
    }

    /// Makes sure that the names that were followed without being looked at have been looked for where they are watched,
    /// now that they were looked at; has the bell tell of ways that led elsewhere.
    pub(crate) fn confirm(&mut self) {
        for way in std::mem::take(&mut self.unconfirmed) {
            if self.ways.confirm_end(way).is_err() {
                self.watches.directories.bell().mark_way(way);
            }
        }
    }

    /// Whether anything was asked for by a follower that was not forgotten since.
    pub(crate) fn is_followed(&self, follower: Follower) -> bool {
        self.entries.contains_key(&follower)
    }

    /// Forgets everything that a follower has asked for.
    pub(crate) fn forget(&mut self, follower: Follower) {
        if let Some(old) = self.entries.remove(&follower) {
            self.leave(follower, old);
        }
    }

    fn leave(&mut self, follower: Follower, entry: Entry) {
        for Station { way, name } in entry.stations {
            if let Some(name) = name {
                self.watches.directories.bell().unfollow_name(&name, Interest::Follower(follower));
            }
            self.ways.leave(&mut self.watches, way);
        }
        if let Some(guard) = entry.guard {
            self.watches.above.let_go(*guard);
        }
    }

    /// Watches a directory for any name in it; the empty path is the current one. Returns whether events tell of all of
    /// them.
    pub(crate) fn listen(&mut self, pattern: usize, directory: &Path) -> Result<Announces, Refusal> {
        let place = if directory.as_os_str().is_empty() { Path::new(".") } else { directory };
        let watched = self.watches.directories.enter(place)?;
        let key = (pattern, directory.to_owned());
        if self.heard.get(&key) == Some(&watched.id) {
            self.watches.directories.leave(watched.id);
            return Ok(watched.announces);
        }
        self.unlisten(pattern, directory);
        self.watches.directories.add_listener(watched.id, Listener { pattern, directory: directory.to_owned() });
        self.heard.insert(key, watched.id);
        Ok(watched.announces)
    }

    /// Takes back a [`listen`](Self::listen).
    pub(crate) fn unlisten(&mut self, pattern: usize, directory: &Path) {
        let key = (pattern, directory.to_owned());
        let Some(id) = self.heard.remove(&key) else { return };
        self.watches.directories.remove_listener(id, &Listener { pattern, directory: key.1 });
        self.watches.directories.leave(id);
    }

    /// Drops what is known of directories that were moved or removed, and of ways that may lead elsewhere. Returns whoever
    /// must follow anew; those who listened to a directory are told by the bell.
    pub(crate) fn lost(&mut self, marks: &Marks) -> BTreeSet<Follower> {
        if marks.everything {
            // Watches may be gone with the events that were lost.
            self.watches.directories.lose_all();
            self.ways.lose_all();
            self.heard.clear();
            return self.entries.keys().copied().collect();
        }
        let mut stale = marks.ways.clone();
        for path in &marks.lost {
            let Some((id, listeners)) = self.watches.directories.lost(path) else { continue };
            for Listener { pattern, directory } in listeners {
                self.heard.remove(&(pattern, directory.clone()));
                self.watches.directories.bell().mark_changed(pattern, directory);
            }
            stale.extend(self.ways.lost(id));
        }
        if stale.is_empty() {
            return BTreeSet::new();
        }
        self.ways.make_stale(&stale);
        let concerned = self
            .entries
            .iter()
            .filter(|(_, entry)| entry.stations.iter().any(|station| stale.contains(&station.way)));
        concerned.map(|(follower, _)| *follower).collect()
    }

    /// Hands out the directories of followed names that were found to be gone.
    pub(crate) fn take_gone(&mut self) -> Vec<PathBuf> {
        self.ways.take_gone()
    }

    /// Waits until the bell has been told of all that has happened to names by now.
    pub(crate) fn catch_up(&mut self) {
        self.watches.directories.catch_up();
    }

    /// Ends with all its watches, but for the thread.
    pub(crate) fn into_watcher(self) -> Watcher {
        self.watches.directories.into_watcher()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rustix::event::{PollFd, PollFlags, Timespec};
    use std::fs;
    use std::os::unix::fs::symlink;

    struct Stage {
        bell: Arc<Bell>,
        names: Names,
        _temp: tempfile::TempDir,
        root: PathBuf,
    }

    impl Stage {
        fn new() -> Self {
            let temp = tempfile::tempdir().unwrap();
            let root = temp.path().canonicalize().unwrap();
            let bell = Arc::new(Bell::new().unwrap());
            Self { names: Names::start(Arc::clone(&bell)).unwrap(), bell, _temp: temp, root }
        }

        fn follow(&mut self, number: usize, name: &str) {
            self.names.follow(Follower::Pattern(number), &self.root.join(name), Reach::Target).unwrap();
        }

        /// Follows until nothing more is told of what has happened so far.
        fn settle(&mut self, name: &str) {
            self.follow(0, name);
            while !self.concerned_already().is_empty() {
                self.follow(0, name);
            }
        }

        /// Whom what happens now concerns; waits for anybody.
        fn concerned(&mut self) -> BTreeSet<Follower> {
            let mut concerned = BTreeSet::new();
            while concerned.is_empty() {
                let mut fds = [self.bell.fd(), self.names.fd()].map(|fd| PollFd::from_borrowed_fd(fd, PollFlags::IN));
                let wait = Timespec { tv_sec: 20, tv_nsec: 0 };
                assert!(rustix::event::poll(&mut fds, Some(&wait)).unwrap() > 0, "nobody is concerned");
                concerned = self.concerned_already();
            }
            concerned
        }

        fn concerned_already(&mut self) -> BTreeSet<Follower> {
            let mut marks = self.bell.take().unwrap_or_default();
            marks.ways.extend(self.names.take().unwrap());
            let mut concerned = self.names.lost(&marks);
            concerned.extend(marks.names);
            concerned
        }

        fn end(self) {
            assert_eq!(self.names.watches.directories.count(), (0, 0));
            assert_eq!((self.names.ways.count(), self.names.entries.len(), self.names.heard.len()), (0, 0, 0));
            self.names.into_watcher().join();
        }
    }

    fn all(count: usize) -> BTreeSet<Follower> {
        (0..count).map(Follower::Pattern).collect()
    }

    #[test]
    fn watches_are_counted_right_through_losses_and_changes_of_mind() {
        let mut stage = Stage::new();
        let everything = Marks { everything: true, ..Marks::default() };
        let lost = Marks { lost: BTreeSet::from([stage.root.clone()]), ..Marks::default() };
        for marks in [None, Some(&everything), Some(&lost), Some(&everything), Some(&lost)] {
            if let Some(marks) = marks {
                assert_eq!(stage.names.lost(marks), all(3));
            }
            (0..3).for_each(|number| stage.follow(number, "a.log"));
            stage.concerned_already();
            fs::write(stage.root.join("a.log"), "").unwrap();
            assert_eq!(stage.concerned(), all(3));
            fs::remove_file(stage.root.join("a.log")).unwrap();
            assert_eq!(stage.concerned(), all(3));
        }
        (0..3).for_each(|number| stage.names.forget(Follower::Pattern(number)));
        stage.end();
    }

    #[test]
    fn every_directory_on_the_way_tells_when_it_goes_elsewhere() {
        let mut stage = Stage::new();
        fs::create_dir_all(stage.root.join("a/b/c")).unwrap();
        symlink("a", stage.root.join("link")).unwrap();
        fs::write(stage.root.join("a/b/c/x.log"), "").unwrap();
        let rows = [("link", "gone"), ("a", "z"), ("a/b", "z"), ("a/b/c", "z"), ("a/b/c/x.log", "z")];
        for (from, to) in rows {
            stage.settle("link/b/c/x.log");
            fs::rename(stage.root.join(from), stage.root.join(to)).unwrap();
            assert_eq!(stage.concerned(), all(1), "{from}");
            stage.follow(0, "link/b/c/x.log");
            fs::rename(stage.root.join(to), stage.root.join(from)).unwrap();
            assert_eq!(stage.concerned(), all(1), "{from} returned");
        }
        stage.names.forget(Follower::Pattern(0));
        stage.end();
    }

    #[test]
    fn directories_that_are_removed_tell_although_they_are_held_open() {
        let mut stage = Stage::new();
        fs::create_dir_all(stage.root.join("a/b")).unwrap();
        fs::write(stage.root.join("a/b/x.log"), "").unwrap();
        let held = fs::File::open(stage.root.join("a/b/x.log")).unwrap();
        stage.follow(0, "a/b/x.log");
        fs::remove_file(stage.root.join("a/b/x.log")).unwrap();
        for directory in ["a/b", "a"] {
            assert_eq!(stage.concerned(), all(1));
            stage.settle("a/b/x.log");
            fs::remove_dir(stage.root.join(directory)).unwrap();
        }
        assert_eq!(stage.concerned(), all(1));
        drop(held);
        stage.names.forget(Follower::Pattern(0));
        stage.end();
    }

    #[test]
    fn a_directory_that_was_made_again_before_anybody_looked_is_the_one_that_tells() {
        let mut stage = Stage::new();
        let path = stage.root.join("a/b/x.log");
        for _ in 0..3 {
            fs::create_dir_all(stage.root.join("a/b")).unwrap();
            fs::write(&path, "").unwrap();
            let held = fs::File::open(&path).unwrap();
            stage.settle("a/b/x.log");
            fs::remove_dir_all(stage.root.join("a")).unwrap();
            fs::create_dir_all(stage.root.join("a/b")).unwrap();
            fs::write(&path, "").unwrap();
            assert_eq!(stage.concerned(), all(1));
            stage.settle("a/b/x.log");
            fs::rename(&path, stage.root.join("a/b/z")).unwrap();
            assert_eq!(stage.concerned(), all(1));
            fs::remove_dir_all(stage.root.join("a")).unwrap();
            drop(held);
        }
        stage.names.forget(Follower::Pattern(0));
        stage.end();
    }

    #[test]
    fn what_comes_and_goes_above_a_file_wakes_nobody() {
        let mut stage = Stage::new();
        fs::create_dir_all(stage.root.join("a/b")).unwrap();
        fs::write(stage.root.join("a/b/x.log"), "").unwrap();
        stage.follow(0, "a/b/x.log");
        let busy = |stage: &Stage| {
            for directory in ["", "a"] {
                let path = stage.root.join(directory).join("other");
                fs::write(&path, "").unwrap();
                fs::remove_file(&path).unwrap();
            }
        };
        let mut queued = [0; 64];
        busy(&stage);
        assert!(rustix::io::read(stage.names.fd(), &mut queued).is_err(), "nothing was told");
        assert!(stage.concerned_already().is_empty());
        stage.names.forget(Follower::Pattern(0));
        stage.end();
    }

    #[test]
    fn a_directory_is_watched_once_however_many_patterns_call_it_what() {
        let mut stage = Stage::new();
        let (root, link) = (stage.root.clone(), stage.root.join("link"));
        symlink(".", &link).unwrap();
        for _ in 0..2 {
            stage.names.listen(0, &root).unwrap();
            stage.names.listen(1, &link).unwrap();
        }
        assert_eq!(stage.names.watches.directories.count(), (1, 2));
        stage.names.lost(&Marks { lost: BTreeSet::from([root.clone()]), ..Marks::default() });
        let told: Vec<_> = stage.bell.take().unwrap().changes.into_iter().map(|change| change.path).collect();
        assert_eq!(told, [root.clone(), link.clone()]);
        stage.names.listen(0, &root).unwrap();
        stage.names.listen(1, &link).unwrap();
        stage.names.unlisten(0, &root);
        assert_eq!(stage.names.watches.directories.count(), (1, 1));
        stage.names.unlisten(1, &link);
        stage.end();
    }
}
