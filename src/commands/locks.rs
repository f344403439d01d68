//! Whether anybody holds an advisory lock on a file, found out without disturbing anybody.
//!
//! The kernel's lock table is read first, and where it is complete it is all that is asked. It hides holders in
//! other PID namespaces from all but the first one, and names other devices than `stat` does where one file system
//! shows several (btrfs, overlayfs). Only there, a miss being no proof, a shared lock is tried, without waiting and
//! through a handle of our own, and given back at once. Never an exclusive one: two watchers must not see each other.

use std::collections::HashSet;
use std::fs::File;
use std::io;
use std::path::Path;

use crate::tail::{FileId, Meta};

/// The files that somebody holds a lock on, as the kernel's table names them.
#[derive(Debug, Default)]
pub(crate) struct LockTable {
    held: HashSet<(u64, u64)>,
}

impl LockTable {
    /// Reads the table.
    ///
    /// # Errors
    /// When it can't be read.
    pub(crate) fn read() -> io::Result<Self> {
        Ok(Self::parse(&std::fs::read_to_string("/proc/locks")?))
    }

    /// Each line is `1: FLOCK  ADVISORY  WRITE 123 fe:00:4711 0 EOF`, with `->` before the kind for one that waits.
    fn parse(text: &str) -> Self {
        let held = text.lines().filter_map(|line| {
            let mut words = line.split_whitespace().skip(1);
            if !matches!(words.next()?, "FLOCK" | "POSIX" | "OFDLCK") {
                return None;
            }
            let mut file = words.nth(3)?.split(':');
            let major = u32::from_str_radix(file.next()?, 16).ok()?;
            let minor = u32::from_str_radix(file.next()?, 16).ok()?;
            Some((rustix::fs::makedev(major, minor), file.next()?.parse().ok()?))
        });
        Self { held: held.collect() }
    }

    fn holds(&self, file: FileId) -> bool {
        self.held.contains(&(file.device, file.inode))
    }
}

/// Whether anybody holds a lock on the file of this identity, which `path` meant when it was opened.
///
/// The kernel hands out its table in parts, between which entries can shift, so a miss is looked at twice.
pub(crate) fn is_locked(file: FileId, path: &Path) -> bool {
    let tables: Vec<_> = (0..2).map_while(|_| LockTable::read().ok()).collect();
    let complete = tables.len() == 2 && sees_all_processes() && names_true_devices(path);
    tables.iter().any(|table| table.holds(file)) || (!complete && refuses_shared(file, path))
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

fn refuses_shared(file: FileId, path: &Path) -> bool {
    let Ok(handle) = File::open(path) else { return false };
    if !handle.metadata().is_ok_and(|meta| Meta::from(&meta).id == file) {
        return false;
    }
    match fs4::FileExt::try_lock_shared(&handle) {
        Ok(()) => {
            // Closing the handle gives the lock back in any case.
            let _ = fs4::FileExt::unlock(&handle);
            false
        }
        Err(fs4::TryLockError::WouldBlock) => true,
        // Locks don't work here, so nobody holds one.
        Err(fs4::TryLockError::Error(_)) => false,
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
             3: LEASE  ACTIVE    READ  703 08:12:100 0 EOF\n",
        );
        let device = |major, minor| rustix::fs::makedev(major, minor);
        assert_eq!(table.held, HashSet::from([(device(0xfe, 0), 4711), (device(8, 0x12), 99)]));
    }

    #[test]
    fn a_lock_is_seen_while_it_is_held() {
        let temp = tempfile::NamedTempFile::new().unwrap();
        let id = Meta::from(&temp.as_file().metadata().unwrap()).id;
        assert!(!is_locked(id, temp.path()));
        let holder = File::open(temp.path()).unwrap();
        fs4::FileExt::lock(&holder).unwrap();
        assert!(is_locked(id, temp.path()));
        assert!(refuses_shared(id, temp.path()), "the probe alone must see it too");
        drop(holder);
        // A process that another test is just starting has the descriptor, and with it the lock, until it runs.
        let deadline = Instant::now() + Duration::from_secs(20);
        while is_locked(id, temp.path()) {
            assert!(Instant::now() < deadline, "the lock is seen although nobody holds it");
            std::thread::sleep(Duration::from_millis(1));
        }
    }
}
