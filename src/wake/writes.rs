//! Writes to open files, told by inotify to the very thread that waits.
//!
//! Events on names come through the notify crate, on a thread of its own. For each line that is written this
//! hand-over would cost more (10-20 us) than all the rest that is done for it, so these events are read where they
//! are needed. A file is watched as `/proc/self/fd/N`: the watch belongs to what is open, whatever its name becomes.
//!
//! An event for each write costs its writer as much as us. So a file that is written to all the time gives up its
//! watch and is looked at by the clock, until it is quiet, or a second is over, and the watch returns.

use std::collections::BTreeSet;
use std::io;
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd, RawFd};
use std::time::{Duration, Instant};

use rustix::fs::inotify::{self, CreateFlags, ReadFlags, Reader, WatchFlags};
use rustix::io::Errno;

use super::watcher::Refusal;
use crate::numbers::ByNumber;
use crate::tail::SourceId;

/// Room for a thousand events; what doesn't fit comes with the next reading.
const BUFFER: usize = 16 * 1024;

/// As many events as this in such a time, 10,000 a second, and the files that they are about are hot. Where a writer and
/// we take turns on a processor no more than some 12,000 a second ever come, however much it writes.
const HOT: usize = 200;
/// The same where many writes have become one event, since nobody had the time to look at each: as many events, about so
/// many bytes, 32 MiB a second.
const WARM: usize = 40;
const MUCH: u64 = 640 * 1024;
const SPELL: Duration = Duration::from_millis(20);

/// How often hot files are looked at: less often where there are so many that looking takes more than a part of the time.
const TICK: Duration = Duration::from_millis(1);
const LONGEST_TICK: Duration = Duration::from_millis(3);
const PART: u32 = 8;

/// How long files are hot before their events are counted anew: it may have been a burst, and what is written since
/// too often for the clock to see a pause, but not too often to be told.
const RECOUNT: Duration = Duration::from_secs(1);

/// Which open files were written to.
#[derive(Debug)]
pub(super) struct Writes {
    inotify: OwnedFd,
    watches: ByNumber<RawFd, i32>,
    /// The kernel has one watch for each file, however many descriptors of it are watched.
    sharers: BTreeSet<(i32, RawFd)>,
    /// Watches of files that are closed for the time being, and whose they are.
    parked: ByNumber<i32, Vec<SourceId>>,
    parked_by: ByNumber<SourceId, i32>,
    /// Those that gave up their watch.
    hot: BTreeSet<RawFd>,
    /// When they were last looked at, while that goes on.
    ticking: Option<Instant>,
    /// When they are to be looked at.
    tick_at: Instant,
    /// When they get their watches back.
    recount_at: Instant,
    spell: Spell,
}

/// What events have come of late.
#[derive(Debug)]
struct Spell {
    began: Instant,
    events: usize,
    /// How many bytes were read meanwhile.
    bytes: u64,
    /// The files that they were about, in no order.
    about: Vec<RawFd>,
}

impl Spell {
    fn new(now: Instant) -> Self {
        Self { began: now, events: 0, bytes: 0, about: Vec::new() }
    }

    /// Takes note of what was read; returns the files that are hot by now.
    fn note(&mut self, written: &Written, now: Instant) -> Vec<RawFd> {
        if now >= self.began + SPELL {
            *self = Self::new(now);
        }
        self.events += written.events;
        self.about.extend_from_slice(&written.descriptors);
        if self.events >= HOT || (self.events >= WARM && self.bytes >= MUCH) {
            return std::mem::replace(self, Self::new(now)).about;
        }
        Vec::new()
    }
}

/// What was read of the kernel's queue.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Written {
    /// The queue overflowed: any file may have been written to.
    pub(super) any: bool,
    /// These were written to.
    pub(super) descriptors: Vec<RawFd>,
    /// The files of these, which are closed, were.
    pub(super) parked: Vec<SourceId>,
    /// How many events that were.
    events: usize,
}

impl Writes {
    /// # Errors
    /// When the system has no further event source to give.
    pub(super) fn new() -> io::Result<Self> {
        let inotify = inotify::init(CreateFlags::CLOEXEC | CreateFlags::NONBLOCK)?;
        let now = Instant::now();
        Ok(Self {
            inotify,
            watches: ByNumber::default(),
            sharers: BTreeSet::new(),
            parked: ByNumber::default(),
            parked_by: ByNumber::default(),
            hot: BTreeSet::new(),
            ticking: None,
            tick_at: now,
            recount_at: now,
            spell: Spell::new(now),
        })
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
        self.sharers.insert((watch, fd));
        Ok(())
    }

    /// Forgets a descriptor that is closed or about to be; one that isn't watched is no error.
    pub(super) fn release(&mut self, fd: RawFd) {
        self.hot.remove(&fd);
        let Some(watch) = self.watches.remove(&fd) else { return };
        self.sharers.remove(&(watch, fd));
        self.drop_unused(watch);
    }

    /// The watched descriptors of the file that has this watch.
    fn sharing(&self, watch: i32) -> impl Iterator<Item = RawFd> {
        self.sharers.range((watch, RawFd::MIN)..=(watch, RawFd::MAX)).map(|(_, fd)| *fd)
    }

    /// Forgets a descriptor, but goes on to watch its file on behalf of a source; false if it isn't watched.
    pub(super) fn park(&mut self, source: SourceId, fd: RawFd) -> bool {
        if let Some(watch) = self.watches.get(&fd).copied() {
            self.unpark(source);
            self.parked.entry(watch).or_default().push(source);
            self.parked_by.insert(source, watch);
        }
        self.release(fd);
        self.parked_by.contains_key(&source)
    }

    /// Takes back a [`park`](Self::park).
    pub(super) fn unpark(&mut self, source: SourceId) {
        let Some(watch) = self.parked_by.remove(&source) else { return };
        let Some(sources) = self.parked.get_mut(&watch) else { return };
        sources.retain(|other| *other != source);
        if sources.is_empty() {
            self.parked.remove(&watch);
            self.drop_unused(watch);
        }
    }

    fn drop_unused(&self, watch: i32) {
        if self.sharing(watch).next().is_none() && !self.parked.contains_key(&watch) {
            // The kernel may have dropped the watch together with the file already.
            let _ = inotify::remove_watch(&self.inotify, watch);
        }
    }

    /// When hot files are to be looked at, if there are any.
    pub(super) fn deadline(&self) -> Option<Instant> {
        (!self.hot.is_empty()).then_some(self.tick_at)
    }

    /// All looks are done that were asked for.
    pub(super) fn looked(&mut self, now: Instant) {
        if let Some(began) = self.ticking.take() {
            let pause = PART * now.saturating_duration_since(began);
            self.tick_at = began + pause.clamp(TICK, LONGEST_TICK);
        }
    }

    /// The hot files, if it is time to look at them. Those that are watched again are among them for the last time.
    pub(super) fn hot(&mut self, now: Instant) -> Vec<RawFd> {
        if self.hot.is_empty() || now < self.tick_at {
            return Vec::new();
        }
        self.ticking = Some(now);
        self.tick_at = now + TICK;
        let hot: Vec<_> = self.hot.iter().copied().collect();
        if now >= self.recount_at {
            self.recount_at = now + RECOUNT;
            for fd in &hot {
                if self.watch(*fd).is_err() {
                    self.hot.insert(*fd);
                }
            }
        }
        hot
    }

    /// So many bytes were read because of what was told.
    pub(super) fn note_read(&mut self, bytes: u64) {
        self.spell.bytes += bytes;
    }

    /// Takes what the kernel has to tell, up to a thousand events. Files that it tells too much of become hot.
    ///
    /// # Errors
    /// When the system refuses to tell.
    pub(super) fn take(&mut self, now: Instant) -> io::Result<Written> {
        let written = self.read()?;
        let hot = self.spell.note(&written, now);
        if !hot.is_empty() && self.hot.is_empty() {
            self.recount_at = now + RECOUNT;
        }
        for fd in hot {
            // One that was released since is no file of ours any more.
            if self.watches.contains_key(&fd) {
                self.release(fd);
                self.hot.insert(fd);
            }
        }
        Ok(written)
    }

    fn read(&self) -> io::Result<Written> {
        let mut buffer = [MaybeUninit::uninit(); BUFFER];
        let mut reader = Reader::new(&self.inotify, &mut buffer);
        let mut written = Written::default();
        loop {
            match reader.next() {
                Ok(event) if event.events().contains(ReadFlags::QUEUE_OVERFLOW) => written.any = true,
                // Its file is gone, or the watch was taken back.
                Ok(event) if event.events().contains(ReadFlags::IGNORED) => {}
                // An event of a watch that was taken back meanwhile concerns nobody any more.
                Ok(event) => {
                    written.events += 1;
                    written.descriptors.extend(self.sharing(event.wd()));
                    written.parked.extend(self.parked.get(&event.wd()).into_iter().flatten());
                }
                Err(Errno::AGAIN | Errno::INTR) => break,
                Err(errno) => return Err(errno.into()),
            }
            if reader.is_buffer_empty() {
                break;
            }
        }
        written.descriptors.sort_unstable();
        written.descriptors.dedup();
        written.parked.sort_unstable();
        written.parked.dedup();
        Ok(written)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs::File;
    use std::io::Write as _;
    use std::os::fd::AsRawFd;
    use std::path::Path;

    fn taken(writes: &mut Writes) -> Vec<RawFd> {
        let written = writes.take(Instant::now()).unwrap();
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
    fn a_closed_file_is_watched_until_it_is_open_again() {
        let temp = tempfile::tempdir().unwrap();
        let path = temp.path().join("a.log");
        let mut log = File::create(&path).unwrap();
        let mut writes = Writes::new().unwrap();
        let source = SourceId::FIRST;
        for _ in 0..3 {
            let file = File::open(&path).unwrap();
            writes.watch(file.as_raw_fd()).unwrap();
            writes.unpark(source);
            log.write_all(b"x").unwrap();
            assert_eq!(taken(&mut writes), [file.as_raw_fd()]);
            assert!(writes.park(source, file.as_raw_fd()));
            drop(file);
            log.write_all(b"y").unwrap();
            let written = writes.take(Instant::now()).unwrap();
            assert_eq!((written.descriptors, written.parked), (Vec::new(), vec![source]));
        }
        writes.unpark(source);
        assert!(writes.watches.is_empty() && writes.sharers.is_empty() && writes.parked.is_empty());
        log.write_all(b"z").unwrap();
        assert!(taken(&mut writes).is_empty());
    }

    #[test]
    fn a_number_that_is_used_again_means_the_new_file() {
        let temp = tempfile::tempdir().unwrap();
        let mut first = File::create(temp.path().join("a.log")).unwrap();
        let mut second = File::create(temp.path().join("b.log")).unwrap();
        let mut watched = OwnedFd::from(File::open(temp.path().join("a.log")).unwrap());
        let fd = watched.as_raw_fd();
        let mut writes = Writes::new().unwrap();
        writes.watch(fd).unwrap();
        rustix::io::dup2(File::open(temp.path().join("b.log")).unwrap(), &mut watched).unwrap();
        writes.watch(fd).unwrap();
        first.write_all(b"x").unwrap();
        assert!(taken(&mut writes).is_empty());
        second.write_all(b"x").unwrap();
        assert_eq!(taken(&mut writes), [fd]);
    }

    /// Two watched files in the order of their numbers, and one that writes to each.
    fn two_logs(temp: &Path, writes: &mut Writes) -> ([File; 2], [File; 2], [RawFd; 2]) {
        let paths = ["a.log", "b.log"].map(|name| temp.join(name));
        let mut logs = paths.clone().map(|log| File::create(log).unwrap());
        let mut files = paths.map(|log| File::open(log).unwrap());
        // Other tests open and close files as well, so that the later one may have got the smaller number.
        if files[0].as_raw_fd() > files[1].as_raw_fd() {
            logs.reverse();
            files.reverse();
        }
        let fds = files.each_ref().map(AsRawFd::as_raw_fd);
        fds.iter().try_for_each(|fd| writes.watch(*fd)).unwrap();
        (logs, files, fds)
    }

    #[test]
    fn files_that_are_written_to_all_the_time_give_up_their_watches_until_they_are_watched_again() {
        let temp = tempfile::tempdir().unwrap();
        let mut writes = Writes::new().unwrap();
        let (mut logs, _files, fds) = two_logs(temp.path(), &mut writes);
        let now = Instant::now();
        logs[1].write_all(b"x").unwrap();
        for _ in 1..HOT {
            assert!(writes.hot.is_empty());
            logs[0].write_all(b"x").unwrap();
            writes.take(now).unwrap();
        }
        assert_eq!(writes.hot(now + TICK), fds);
        assert!(writes.hot(now + TICK).is_empty(), "not before the next tick");
        writes.looked(now + TICK + TICK / 2);
        assert!(writes.hot(now + LONGEST_TICK).is_empty(), "looking took too long");
        assert_eq!(writes.hot(now + LONGEST_TICK + TICK), fds);
        writes.looked(now + LONGEST_TICK + TICK + TICK / PART);
        assert_eq!(writes.hot(now + LONGEST_TICK + 2 * TICK), fds);
        logs[0].write_all(b"x").unwrap();
        assert!(taken(&mut writes).is_empty());
        writes.watch(fds[0]).unwrap();
        assert_eq!(writes.hot(now + RECOUNT), [fds[1]], "looked at once more when it is watched");
        assert!(writes.deadline().is_none());
        for (mut writer, fd) in logs.into_iter().zip(fds) {
            writer.write_all(b"x").unwrap();
            assert_eq!(taken(&mut writes), [fd]);
        }
    }

    #[test]
    fn files_with_more_in_them_than_a_line_an_event_are_hot_sooner() {
        let temp = tempfile::tempdir().unwrap();
        let mut writes = Writes::new().unwrap();
        let (mut logs, _files, fds) = two_logs(temp.path(), &mut writes);
        let now = Instant::now();
        for _ in 1..WARM {
            logs[0].write_all(b"x").unwrap();
            writes.take(now).unwrap();
            writes.note_read(MUCH.div_ceil(WARM as u64 - 1));
            assert!(writes.hot.is_empty());
        }
        logs[1].write_all(b"x").unwrap();
        writes.take(now).unwrap();
        assert_eq!(writes.hot(now + TICK), [fds[0], fds[1]]);
    }

    #[test]
    fn what_is_written_to_five_thousand_times_a_second_is_told_each_time() {
        let temp = tempfile::tempdir().unwrap();
        let mut writes = Writes::new().unwrap();
        let (mut logs, _files, fds) = two_logs(temp.path(), &mut writes);
        let began = Instant::now();
        for count in 1..=5_000 {
            let at = usize::from(count % 3 == 0);
            logs[at].write_all(b"x").unwrap();
            assert_eq!(writes.take(began + count * Duration::from_micros(200)).unwrap().descriptors, [fds[at]]);
        }
        assert!(writes.deadline().is_none());
    }
}
