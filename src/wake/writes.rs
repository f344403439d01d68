//! Writes to open files, told by inotify to the very thread that waits.
//!
//! Events on names come through the notify crate, on a thread of its own. For each line that is written this
//! hand-over would cost more (10-20 us) than all the rest that is done for it, so these events are read where they
//! are needed. A file is watched as `/proc/self/fd/N`: the watch belongs to what is open, whatever its name becomes.

use std::collections::HashMap;
use std::io;
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd, RawFd};

use rustix::fs::inotify::{self, CreateFlags, ReadFlags, Reader, WatchFlags};
use rustix::io::Errno;

use super::watcher::Refusal;

/// Room for a thousand events; what doesn't fit comes with the next reading.
const BUFFER: usize = 16 * 1024;

/// Which open files were written to.
#[derive(Debug)]
pub(super) struct Writes {
    inotify: OwnedFd,
    watches: HashMap<RawFd, i32>,
    /// The kernel has one watch for each file, however many descriptors of it are watched.
    sharers: HashMap<i32, Vec<RawFd>>,
}

/// What was read of the kernel's queue.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Written {
    /// The queue overflowed: any file may have been written to.
    pub(super) any: bool,
    /// These were written to.
    pub(super) descriptors: Vec<RawFd>,
}

impl Writes {
    /// # Errors
    /// When the system has no further event source to give.
    pub(super) fn new() -> io::Result<Self> {
        let inotify = inotify::init(CreateFlags::CLOEXEC | CreateFlags::NONBLOCK)?;
        Ok(Self { inotify, watches: HashMap::new(), sharers: HashMap::new() })
    }

    /// Becomes readable when there is something to take.
    pub(super) fn fd(&self) -> BorrowedFd<'_> {
        self.inotify.as_fd()
    }

    /// Watches an open file, until its descriptor is released.
    pub(super) fn watch(&mut self, fd: RawFd) -> Result<(), Refusal> {
        // The number may have been another file's, whose release was never asked for.
        self.release(fd);
        let path = format!("/proc/self/fd/{fd}");
        let watch = inotify::add_watch(&self.inotify, path, WatchFlags::MODIFY).map_err(|errno| match errno {
            Errno::NOSPC => Refusal::Watches,
            Errno::NOENT => Refusal::Gone,
            other => Refusal::Other(other.into()),
        })?;
        self.watches.insert(fd, watch);
        self.sharers.entry(watch).or_default().push(fd);
        Ok(())
    }

    /// Forgets a descriptor that is closed or about to be; one that isn't watched is no error.
    pub(super) fn release(&mut self, fd: RawFd) {
        let Some(watch) = self.watches.remove(&fd) else { return };
        let Some(sharers) = self.sharers.get_mut(&watch) else { return };
        sharers.retain(|sharer| *sharer != fd);
        if sharers.is_empty() {
            self.sharers.remove(&watch);
            // The kernel may have dropped the watch together with the file already.
            let _ = inotify::remove_watch(&self.inotify, watch);
        }
    }

    /// Takes what the kernel has to tell, up to a thousand events.
    ///
    /// # Errors
    /// When the system refuses to tell.
    pub(super) fn take(&mut self) -> io::Result<Written> {
        let mut buffer = [MaybeUninit::uninit(); BUFFER];
        let mut reader = Reader::new(&self.inotify, &mut buffer);
        let mut written = Written::default();
        loop {
            match reader.next() {
                Ok(event) if event.events().contains(ReadFlags::QUEUE_OVERFLOW) => written.any = true,
                // An event of a watch that was taken back meanwhile concerns nobody any more.
                Ok(event) => written.descriptors.extend(self.sharers.get(&event.wd()).into_iter().flatten()),
                Err(Errno::AGAIN | Errno::INTR) => break,
                Err(errno) => return Err(errno.into()),
            }
            if reader.is_buffer_empty() {
                break;
            }
        }
        written.descriptors.sort_unstable();
        written.descriptors.dedup();
        Ok(written)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs::File;
    use std::io::Write as _;
    use std::os::fd::AsRawFd;

    fn taken(writes: &mut Writes) -> Vec<RawFd> {
        let written = writes.take().unwrap();
        assert!(!written.any);
        written.descriptors
    }

    #[test]
    fn every_descriptor_of_a_file_is_told_until_it_is_released() {
        let temp = tempfile::tempdir().unwrap();
        let mut log = File::create(temp.path().join("a.log")).unwrap();
        let other = File::create(temp.path().join("b.log")).unwrap();
        let files: Vec<_> = (0..3).map(|_| File::open(temp.path().join("a.log")).unwrap()).collect();
        let mut fds: Vec<_> = files.iter().map(AsRawFd::as_raw_fd).collect();
        let mut writes = Writes::new().unwrap();
        for fd in &fds {
            writes.watch(*fd).unwrap();
        }
        writes.watch(other.as_raw_fd()).unwrap();
        while !fds.is_empty() {
            assert!(taken(&mut writes).is_empty());
            log.write_all(b"x").unwrap();
            log.write_all(b"y").unwrap();
            assert_eq!(taken(&mut writes), fds);
            writes.release(fds.remove(0));
        }
        log.write_all(b"z").unwrap();
        assert!(taken(&mut writes).is_empty());
        assert_eq!((writes.watches.len(), writes.sharers.len()), (1, 1));
    }

    #[test]
    fn a_number_that_is_used_again_means_the_new_file() {
        let temp = tempfile::tempdir().unwrap();
        let mut first = File::create(temp.path().join("a.log")).unwrap();
        let mut second = File::create(temp.path().join("b.log")).unwrap();
        let mut watched = File::open(temp.path().join("a.log")).unwrap();
        let fd = watched.as_raw_fd();
        let mut writes = Writes::new().unwrap();
        writes.watch(fd).unwrap();
        drop(watched);
        watched = File::open(temp.path().join("b.log")).unwrap();
        assert_eq!(watched.as_raw_fd(), fd, "the lowest free number is taken");
        writes.watch(fd).unwrap();
        first.write_all(b"x").unwrap();
        assert!(taken(&mut writes).is_empty());
        second.write_all(b"x").unwrap();
        assert_eq!(taken(&mut writes), [fd]);
    }
}
