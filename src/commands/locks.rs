//! Whether anybody holds an advisory lock on a file, found out without disturbing anybody.
//!
//! The kernel's lock table is read first, and where it is complete it is all that is asked. It hides holders in
//! other PID namespaces from all but the first one, and names other devices than `stat` does where one file system
//! shows several (btrfs, overlayfs). Only there, a miss being no proof, a shared lock is tried, without waiting and
//! through a handle of our own, and given back at once. Never an exclusive one: two watchers must not see each other.

use std::collections::{BTreeSet, HashMap};
use std::fs::{File, OpenOptions};
use std::io::{self, Read as _, Seek as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;
use std::time::{Duration, Instant};

use rustix::fs::OFlags;

use crate::tail::{FileId, Guarded, Meta};
use crate::watch::{Lock, Trying};

/// How often the table is read where there was no look before.
const FIRST_LOOKS: usize = 3;

/// The files that somebody holds a lock on, by device and inode as the kernel's table names them.
#[derive(Debug, Default)]
pub(crate) struct LockTable {
    held: HashMap<(u64, u64), Holder>,
}

/// Who holds a lock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Holder {
    /// `None` for a lock that belongs to an open file rather than a process.
    pid: Option<u32>,
    /// Whether no other process could have a lock beside it.
    exclusive: bool,
}

impl LockTable {
    fn open() -> io::Result<File> {
        File::open("/proc/locks")
    }

    /// Reads the table.
    fn read(mut from: &File) -> io::Result<Self> {
        let mut text = String::new();
        from.rewind()?;
        from.read_to_string(&mut text)?;
        Ok(Self::parse(&text))
    }

    /// Each line is `1: FLOCK  ADVISORY  WRITE 123 fe:00:4711 0 EOF`, with `->` before the kind for one that waits.
    fn parse(text: &str) -> Self {
        let mut held: HashMap<(u64, u64), Holder> = HashMap::new();
        for (file, holder) in text.lines().filter_map(parse_line) {
            let known = held.entry(file).or_insert(holder);
            if !known.exclusive {
                *known = holder;
            }
        }
        Self { held }
    }

    fn holds(&self, file: FileId) -> bool {
        self.held.contains_key(&(file.device, file.inode))
    }
}

fn parse_line(line: &str) -> Option<((u64, u64), Holder)> {
    let mut words = line.split_whitespace().skip(1);
    if !matches!(words.next()?, "FLOCK" | "POSIX" | "OFDLCK") {
        return None;
    }
    let exclusive = words.nth(1)? == "WRITE";
    let pid = words.next()?.parse().ok().filter(|pid| *pid != 0);
    let mut file = words.next()?.split(':');
    let major = u32::from_str_radix(file.next()?, 16).ok()?;
    let minor = u32::from_str_radix(file.next()?, 16).ok()?;
    let file = (rustix::fs::makedev(major, minor), file.next()?.parse().ok()?);
    Some((file, Holder { pid, exclusive }))
}

/// The locks of many files, known by one reading of the table as far as that can be.
#[derive(Debug)]
pub(crate) struct Locks {
    /// Held open, since descriptors may have run out when it is to be read.
    file: Option<File>,
    /// `None` if it can't be read.
    table: Option<LockTable>,
    /// Files with a lock that others could share, at the last look and at the one before: another watcher that tries has
    /// one for a moment.
    shared: [BTreeSet<(u64, u64)>; 2],
    sees_all: bool,
    read_at: Option<Instant>,
    files: Guarded,
}

impl Locks {
    pub(crate) fn new() -> Self {
        Self {
            file: LockTable::open().ok(),
            table: None,
            shared: Default::default(),
            sees_all: sees_all_processes(),
            read_at: None,
            files: Guarded::default(),
        }
    }

    /// Reads the table anew; returns the numbers of the files whose locks have come or gone.
    pub(crate) fn look(&mut self, now: Instant) -> BTreeSet<u64> {
        self.read_at = Some(now);
        let table = self.file.as_ref().and_then(|file| LockTable::read(file).ok());
        self.take_in(table)
    }

    fn take_in(&mut self, mut table: Option<LockTable>) -> BTreeSet<u64> {
        if let Some(table) = &mut table {
            let shared = table.held.iter().filter(|(_, holder)| !holder.exclusive).map(|(file, _)| *file).collect();
            // One that lasts is a writer's, even if the table has hidden it once.
            table.held.retain(|file, holder| holder.exclusive || self.shared.iter().any(|seen| seen.contains(file)));
            self.shared = [shared, std::mem::take(&mut self.shared[0])];
        }
        let files = |table: &Option<LockTable>| -> BTreeSet<(u64, u64)> {
            table.iter().flat_map(|table| table.held.keys().copied()).collect()
        };
        let (new, old) = (files(&table), files(&self.table));
        self.table = table;
        new.symmetric_difference(&old).map(|(_, inode)| *inode).collect()
    }

    /// Reads the table, but not if that was done so short a time ago. A lock that is held is hidden by the table now and
    /// then, so it is read several times, and what was held at one of them counts: to be followed by [`of`](Self::of)
    /// alone, not by another [`look`](Self::look).
    pub(crate) fn look_for_the_first_time(&mut self, fresh: Duration, now: Instant) {
        if self.is_fresh(fresh, now) {
            return;
        }
        let mut held = HashMap::new();
        for _ in 1..FIRST_LOOKS {
            self.look(now);
            held.extend(self.table.take().into_iter().flat_map(|table| table.held));
        }
        self.look(now);
        if let Some(table) = &mut self.table {
            table.held.extend(held);
        }
    }

    /// Whether the table was read no longer ago than this.
    pub(crate) fn is_fresh(&self, fresh: Duration, now: Instant) -> bool {
        self.read_at.is_some_and(|at| now < at + fresh)
    }

    /// Whether the locks of all files have to be tried.
    pub(crate) fn trying(&self) -> Trying {
        if self.table.is_some() && self.sees_all { Trying::Nothing } else { Trying::All }
    }

    /// The lock of a file that `path` means, or meant when it was opened.
    pub(crate) fn of(&self, file: FileId, path: &Path) -> Lock {
        let try_shared = || self.files.attempt(path, move |path| try_shared(file, path)).unwrap_or(Lock::Unknown);
        let Some(table) = &self.table else { return try_shared() };
        if let Some(holder) = table.held.get(&(file.device, file.inode)) {
            return Lock::Held(holder.pid);
        }
        // Where the table has other devices than `stat`, it still has the inode.
        let true_devices = || self.files.attempt(path, names_true_devices).unwrap_or(false);
        let namesake = || table.held.keys().any(|(_, inode)| *inode == file.inode) && !true_devices();
        if !self.sees_all || namesake() { try_shared() } else { Lock::Free }
    }
}

/// Whether anybody holds a lock on the file of this identity, which `path` meant when it was opened.
///
/// The kernel hands out its table in parts, between which entries can shift, so a miss is looked at twice. While there is no
/// answer, somebody may.
pub(crate) fn is_locked(file: FileId, path: &Path, files: &Guarded) -> bool {
    let table = LockTable::open();
    let tables: Vec<_> = (0..2).map_while(|_| LockTable::read(table.as_ref().ok()?).ok()).collect();
    if tables.iter().any(|table| table.holds(file)) {
        return true;
    }
    let sees_all = tables.len() == 2 && sees_all_processes();
    let is_tried = move |path: &Path| {
        let complete = sees_all && names_true_devices(path);
        !complete && matches!(try_shared(file, path), Lock::Held(_))
    };
    files.attempt(path, is_tried).unwrap_or(true)
}

/// Whether we are in the first PID namespace, where the table has every holder.
fn sees_all_processes() -> bool {
    // The kernel's PROC_PID_INIT_INO.
    std::fs::read_link("/proc/self/ns/pid").is_ok_and(|link| link.as_os_str() == "pid:[4026531836]")
}

/// Whether the table names the same device for a file as `stat` does.
fn names_true_devices(path: &Path) -> bool {
    const BTRFS: i64 = 0x9123_683e;
    const OVERLAYFS: i64 = 0x794c_7630;
    rustix::fs::statfs(path).is_ok_and(|stat| ![BTRFS, OVERLAYFS].contains(&stat.f_type))
}

/// Finds out whether a shared lock could be had.
fn try_shared(file: FileId, path: &Path) -> Lock {
    let flags = OFlags::NONBLOCK | OFlags::NOCTTY;
    let opened = OpenOptions::new().read(true).custom_flags(flags.bits().cast_signed()).open(path);
    let same = |handle: &File| handle.metadata().is_ok_and(|meta| Meta::from(&meta).id == file);
    let Some(handle) = opened.ok().filter(same) else { return Lock::Unknown };
    match fs4::FileExt::try_lock_shared(&handle) {
        Ok(()) => {
            // Closing the handle gives the lock back in any case.
            let _ = fs4::FileExt::unlock(&handle);
            Lock::Free
        }
        Err(fs4::TryLockError::WouldBlock) => Lock::Held(None),
        // Locks don't work here, so nobody holds one.
        Err(fs4::TryLockError::Error(_)) => Lock::Free,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::{Duration, Instant};

    #[test]
    fn the_table_is_read_line_by_line() {
        let table = LockTable::parse(
            "1: FLOCK  ADVISORY  WRITE 701 fe:00:4711 0 EOF\n\
             1: -> FLOCK  ADVISORY  WRITE 702 fe:00:4712 0 EOF\n\
             2: POSIX  ADVISORY  READ  -1 08:12:99 0 0\n\
             3: LEASE  ACTIVE    READ  703 08:12:100 0 EOF\n\
             4: FLOCK  ADVISORY  READ  704 fe:00:4711 0 EOF\n",
        );
        let device = |major, minor| rustix::fs::makedev(major, minor);
        let expected = [
            ((device(0xfe, 0), 4711), Holder { pid: Some(701), exclusive: true }),
            ((device(8, 0x12), 99), Holder { pid: None, exclusive: false }),
        ];
        assert_eq!(table.held, HashMap::from(expected));
    }

    /// What is found of one file by looks at tables in which others could share its lock, or in which it has none.
    fn found(shared: &[bool]) -> Vec<bool> {
        let mut locks = Locks { sees_all: true, ..Locks::new() };
        let device = rustix::fs::makedev(0xfe, 0);
        let file = FileId { device, inode: 4711, birth: None };
        let by_look = shared.iter().map(|shared| {
            let line = if *shared { "1: FLOCK  ADVISORY  READ  701 fe:00:4711 0 EOF\n" } else { "" };
            locks.take_in(Some(LockTable::parse(line)));
            match locks.of(file, Path::new("a.log")) {
                Lock::Held(holder) => {
                    assert_eq!(holder, Some(701));
                    true
                }
                Lock::Free | Lock::Unknown => false,
            }
        });
        by_look.collect()
    }

    #[test]
    fn a_lock_that_others_could_share_counts_once_it_lasts() {
        assert_eq!(found(&[true, true, true]), [false, true, true]);
        assert_eq!(found(&[true, false, false, true]), [false; 4], "a watcher that tries");
    }

    #[test]
    fn a_lock_that_others_could_share_counts_although_the_table_has_hidden_it_once() {
        assert_eq!(found(&[true, true, false, true]), [false, true, false, true]);
    }

    #[test]
    fn a_lock_is_seen_while_it_is_held() {
        let temp = tempfile::NamedTempFile::new().unwrap();
        let id = Meta::from(&temp.as_file().metadata().unwrap()).id;
        let files = Guarded::default();
        let is_locked = || is_locked(id, temp.path(), &files);
        assert!(!is_locked());
        let holder = File::open(temp.path()).unwrap();
        fs4::FileExt::lock(&holder).unwrap();
        assert!(is_locked());
        assert_eq!(try_shared(id, temp.path()), Lock::Held(None), "the probe alone must see it too");
        drop(holder);
        // A process that another test is just starting has the descriptor, and with it the lock, until it runs.
        let deadline = Instant::now() + Duration::from_secs(20);
        while is_locked() {
            assert!(Instant::now() < deadline, "the lock is seen although nobody holds it");
            std::thread::sleep(Duration::from_millis(1));
        }
    }
}
