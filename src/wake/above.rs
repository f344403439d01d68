//! Directories above followed names, told by inotify when they go elsewhere.
//!
//! A directory that something stands in can't be removed, only be renamed, which it tells itself. So what comes and goes
//! in the directories above a file, which may be much, as in `/tmp`, need not wake us. Only where something is missing
//! may a directory be empty, and one that is removed keeps silent while a removed file of it is held open: there the
//! names that go away beside it are told, too.
//!
//! The notify crate can't watch for this alone.

use std::collections::{BTreeSet, HashMap};
use std::ffi::{OsStr, OsString};
use std::io;
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use rustix::fs::inotify::{self, CreateFlags, ReadFlags, Reader, WatchFlags};
use rustix::io::Errno;

use super::bell::WayId;
use super::watcher::Refusal;

const BUFFER: usize = 8 * 1024;

/// What of a directory is to be told.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) enum Concern {
    /// That it is renamed or removed.
    Itself,
    /// That this name in it is.
    Entry(OsString),
}

/// Something that a way has asked to be told, to be [let go](Above::let_go) once.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Hold {
    watch: i32,
    way: WayId,
    concern: Concern,
}

/// Whether something was not told before a watch was set.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Watching {
    Already,
    Begun,
}

#[derive(Debug)]
pub(super) struct Above {
    inotify: OwnedFd,
    watches: HashMap<i32, Watch>,
}

#[derive(Debug)]
struct Watch {
    /// The path by which it was set.
    path: PathBuf,
    holds: HashMap<(WayId, Concern), usize>,
}

impl Watch {
    fn flags(&self) -> WatchFlags {
        let mut flags = WatchFlags::MOVE_SELF | WatchFlags::DELETE_SELF;
        if self.holds.keys().any(|(_, concern)| *concern != Concern::Itself) {
            flags |= WatchFlags::MOVED_FROM | WatchFlags::DELETE;
        }
        flags
    }
}

impl Above {
    /// # Errors
    /// When the system has no further event source to give.
    pub(super) fn new() -> io::Result<Self> {
        let inotify = inotify::init(CreateFlags::CLOEXEC | CreateFlags::NONBLOCK)?;
        Ok(Self { inotify, watches: HashMap::new() })
    }

    /// Becomes readable when there is something to take.
    pub(super) fn fd(&self) -> BorrowedFd<'_> {
        self.inotify.as_fd()
    }

    /// Watches a directory on behalf of a way.
    pub(super) fn hold(
        &mut self,
        directory: &Path,
        way: WayId,
        concern: Concern,
    ) -> Result<(Hold, Watching), Refusal> {
        let entries = match concern {
            Concern::Itself => WatchFlags::empty(),
            Concern::Entry(_) => WatchFlags::MOVED_FROM | WatchFlags::DELETE,
        };
        let flags = WatchFlags::MOVE_SELF | WatchFlags::DELETE_SELF | WatchFlags::MASK_ADD | entries;
        let watch = self.add(directory, flags)?;
        let watched = self.watches.entry(watch);
        let watched = watched.or_insert_with(|| Watch { path: directory.to_owned(), holds: HashMap::new() });
        let told = !watched.holds.is_empty() && watched.flags().contains(entries);
        *watched.holds.entry((way, concern.clone())).or_default() += 1;
        Ok((Hold { watch, way, concern }, if told { Watching::Already } else { Watching::Begun }))
    }

    /// Takes back a [`hold`](Self::hold).
    pub(super) fn let_go(&mut self, hold: Hold) {
        let Hold { watch, way, concern } = hold;
        let Some(watched) = self.watches.get_mut(&watch) else { return };
        let before = watched.flags();
        let key = (way, concern);
        if let Some(count) = watched.holds.get_mut(&key) {
            *count -= 1;
            if *count == 0 {
                watched.holds.remove(&key);
            }
        }
        if watched.holds.is_empty() {
            self.watches.remove(&watch);
            self.remove(watch);
            return;
        }
        let (after, path) = (watched.flags(), watched.path.clone());
        if after != before
            && let Ok(now) = self.add(&path, after)
            && !self.watches.contains_key(&now)
        {
            // The path means another directory by now, of which an event will tell.
            self.remove(now);
        }
    }

    fn add(&self, directory: &Path, flags: WatchFlags) -> Result<i32, Refusal> {
        let flags = flags | WatchFlags::ONLYDIR | WatchFlags::DONT_FOLLOW;
        inotify::add_watch(&self.inotify, directory, flags).map_err(|errno| match errno {
            Errno::NOSPC => Refusal::Watches,
            Errno::NOENT | Errno::NOTDIR => Refusal::Gone,
            other => Refusal::Other(other.into()),
        })
    }

    fn remove(&self, watch: i32) {
        // The kernel may have dropped the watch together with the directory already.
        let _ = inotify::remove_watch(&self.inotify, watch);
    }

    /// Takes what the kernel has to tell: the ways that may lead elsewhere.
    ///
    /// # Errors
    /// When the system refuses to tell.
    pub(super) fn take(&mut self) -> io::Result<BTreeSet<WayId>> {
        let mut buffer = [MaybeUninit::uninit(); BUFFER];
        let mut reader = Reader::new(&self.inotify, &mut buffer);
        let mut ways = BTreeSet::new();
        loop {
            match reader.next() {
                Ok(event) if event.events().contains(ReadFlags::QUEUE_OVERFLOW) => {
                    ways.extend(self.watches.values().flat_map(|watch| watch.holds.keys().map(|(way, _)| *way)));
                }
                Ok(event) => {
                    let name = event.file_name().map(|name| OsStr::from_bytes(name.to_bytes()));
                    let holds = self.watches.get(&event.wd()).into_iter().flat_map(|watch| watch.holds.keys());
                    let concerned = holds.filter(|(_, concern)| match (concern, name) {
                        (Concern::Entry(held), Some(name)) => held == name,
                        (Concern::Itself, Some(_)) => false,
                        (_, None) => true,
                    });
                    ways.extend(concerned.map(|(way, _)| *way));
                    if event.events().contains(ReadFlags::IGNORED) {
                        self.watches.remove(&event.wd());
                    }
                }
                Err(Errno::AGAIN | Errno::INTR) => break,
                Err(errno) => return Err(errno.into()),
            }
            if reader.is_buffer_empty() {
                break;
            }
        }
        Ok(ways)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    const WAY: WayId = WayId(0);
    const OTHER: WayId = WayId(1);

    #[test]
    fn a_directory_tells_of_itself_and_of_names_only_while_one_is_asked_for() {
        let temp = tempfile::tempdir().unwrap();
        let directory = temp.path().join("a");
        let entry = |name: &str| directory.join(name);
        fs::create_dir(&directory).unwrap();
        let mut above = Above::new().unwrap();
        let (itself, new) = above.hold(&directory, WAY, Concern::Itself).unwrap();
        assert_eq!(new, Watching::Begun);
        let come_and_go = || {
            fs::create_dir(entry("b")).unwrap();
            fs::remove_dir(entry("b")).unwrap();
            fs::create_dir(entry("c")).unwrap();
            fs::rename(entry("c"), entry("d")).unwrap();
            fs::remove_dir(entry("d")).unwrap();
        };
        for _ in 0..3 {
            come_and_go();
            assert!(above.take().unwrap().is_empty());
            let (b, new) = above.hold(&directory, WAY, Concern::Entry("b".into())).unwrap();
            let (c, also_new) = above.hold(&directory, OTHER, Concern::Entry("c".into())).unwrap();
            assert_eq!((new, also_new), (Watching::Begun, Watching::Already));
            come_and_go();
            assert_eq!(above.take().unwrap(), BTreeSet::from([WAY, OTHER]));
            above.let_go(b);
            come_and_go();
            assert_eq!(above.take().unwrap(), BTreeSet::from([OTHER]));
            above.let_go(c);
        }
        fs::rename(&directory, temp.path().join("z")).unwrap();
        assert_eq!(above.take().unwrap(), BTreeSet::from([WAY]));
        fs::remove_dir(temp.path().join("z")).unwrap();
        assert_eq!(above.take().unwrap(), BTreeSet::from([WAY]));
        above.let_go(itself);
        assert!(above.watches.is_empty());
    }

    #[test]
    fn a_path_that_means_another_directory_is_not_watched_by_mistake() {
        let temp = tempfile::tempdir().unwrap();
        let directory = temp.path().join("a");
        fs::create_dir(&directory).unwrap();
        let mut above = Above::new().unwrap();
        let (itself, _) = above.hold(&directory, WAY, Concern::Itself).unwrap();
        let (entry, _) = above.hold(&directory, WAY, Concern::Entry("b".into())).unwrap();
        fs::rename(&directory, temp.path().join("z")).unwrap();
        fs::create_dir(&directory).unwrap();
        above.let_go(entry);
        assert_eq!(above.take().unwrap(), BTreeSet::from([WAY]));
        fs::remove_dir(&directory).unwrap();
        assert!(above.take().unwrap().is_empty());
        above.let_go(itself);
        assert!(above.watches.is_empty());
    }
}
