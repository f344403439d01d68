//! The file layer: every system call by which the core learns about files.
//!
//! The core reaches files through [`Files`] and [`Handle`] alone, so that tests can put a model file system or
//! a failing disk in their place. This module decides nothing.

use std::cell::OnceCell;
use std::ffi::OsStr;
use std::fmt;
use std::fs::{File, Metadata, OpenOptions};
use std::io::{self, ErrorKind, Read, Seek, SeekFrom};
use std::os::fd::{AsFd, AsRawFd, BorrowedFd};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{FileExt, FileTypeExt, MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::SystemTime;

use rustix::event::{PollFd, PollFlags, Timespec};
use rustix::fs::{OFlags, RawDir, SeekFrom as Whence};

use crate::sys::{Standard, was_closed};

/// Which file a handle or a name means: device, inode and, where the system tells it, the time of birth.
///
/// The number of an unlinked file is given to the next one at once on ext4, so two files can share device and
/// inode one after the other; the birth time tells them apart unless both were born in one kernel tick (4 ms).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct FileId {
    /// The number of the device that the file is on.
    pub device: u64,
    /// The number of the file on its device.
    pub inode: u64,
    /// When the file was created; `None` where the file system doesn't tell.
    pub birth: Option<SystemTime>,
}

/// What sort of file a name or handle means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum FileKind {
    /// A regular file.
    Regular,
    /// A directory.
    Directory,
    /// A symbolic link that was not followed.
    Symlink,
    /// A FIFO, or a pipe.
    Fifo,
    /// A character device.
    CharDevice,
    /// A block device.
    BlockDevice,
    /// A socket.
    Socket,
    /// Something else.
    Other,
}

/// What the system says about a file at one moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Meta {
    /// Which file it is.
    pub id: FileId,
    /// What sort of file it is.
    pub kind: FileKind,
    /// Its size in bytes. On `/proc`, `/sys` and some network file systems this is not the truth.
    pub size: u64,
    /// When its content was last changed.
    pub modified: SystemTime,
    /// How many names it has; 0 once it was unlinked.
    pub links: u64,
}

impl From<&Metadata> for Meta {
    fn from(meta: &Metadata) -> Self {
        let kind = meta.file_type();
        Self {
            id: FileId { device: meta.dev(), inode: meta.ino(), birth: meta.created().ok() },
            kind: match () {
                () if kind.is_file() => FileKind::Regular,
                () if kind.is_dir() => FileKind::Directory,
                () if kind.is_symlink() => FileKind::Symlink,
                () if kind.is_fifo() => FileKind::Fifo,
                () if kind.is_char_device() => FileKind::CharDevice,
                () if kind.is_block_device() => FileKind::BlockDevice,
                () if kind.is_socket() => FileKind::Socket,
                () => FileKind::Other,
            },
            size: meta.len(),
            modified: meta.modified().unwrap_or(SystemTime::UNIX_EPOCH),
            links: meta.nlink(),
        }
    }
}

/// A name in a directory.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// The name.
    pub name: std::ffi::OsString,
    /// The number of the file that it means, on the directory's device. Some file systems tell another one here.
    pub inode: u64,
}

/// Whether a symbolic link that stands at the end of a path is followed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Links {
    /// The link's target is meant.
    Follow,
    /// The link itself is meant; opening it fails.
    Refuse,
}

/// What a sequential read of a pipe, FIFO, socket or device found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Flow {
    /// This many bytes, at least one.
    Bytes(usize),
    /// Nothing now; the handle becomes readable when there is more.
    Dry,
    /// The end: no writer is there (any more).
    End,
}

/// Opens a file, and says what it is: the name may move on meanwhile, so that only the handle tells.
///
/// # Errors
/// As for [`Files::open`] and [`Handle::meta`].
pub(crate) fn open(files: &dyn Files, path: &Path, links: Links) -> io::Result<(Meta, Box<dyn Handle>)> {
    let handle = files.open(path, links)?;
    Ok((handle.meta()?, handle))
}

/// A way to reach files by name.
///
/// A call may fail with [`ErrorKind::TimedOut`], which tells nothing: it is made again until it is answered.
pub trait Files: fmt::Debug {
    /// Looks at what `path` means without opening it.
    ///
    /// # Errors
    /// Whatever the system says, most often that there is no such file.
    fn meta(&self, path: &Path, links: Links) -> io::Result<Meta>;

    /// Opens `path` for reading. Never waits for a FIFO's writer or a device.
    ///
    /// # Errors
    /// Whatever the system says; `ELOOP` for a symbolic link under [`Links::Refuse`].
    fn open(&self, path: &Path, links: Links) -> io::Result<Box<dyn Handle>>;

    /// Lists the names in a directory, in no order.
    ///
    /// # Errors
    /// Whatever the system says.
    fn list(&self, directory: &Path) -> io::Result<Vec<std::ffi::OsString>>;

    /// Lists the names in a directory and which files they mean, in no order: all as of one moment where the system
    /// can, so that a file that is renamed meanwhile stands there once.
    ///
    /// # Errors
    /// Whatever the system says.
    fn entries(&self, directory: &Path) -> io::Result<Vec<Entry>> {
        let entry = |name| match self.meta(&directory.join(&name), Links::Refuse) {
            Ok(meta) => Some(Ok(Entry { name, inode: meta.id.inode })),
            Err(error) if error.kind() == ErrorKind::NotFound => None,
            Err(error) => Some(Err(error)),
        };
        self.list(directory)?.into_iter().filter_map(entry).collect()
    }

    /// Lists the same as [`entries`](Self::entries), of names that begin with this.
    ///
    /// # Errors
    /// Whatever the system says.
    fn entries_beginning(&self, directory: &Path, with: &OsStr) -> io::Result<Vec<Entry>> {
        let mut entries = self.entries(directory)?;
        entries.retain(|entry| entry.name.as_bytes().starts_with(with.as_bytes()));
        Ok(entries)
    }

    /// Where `path` really leads: a path through no symbolic link.
    ///
    /// # Errors
    /// Whatever the system says, most often that there is no such file.
    fn resolve(&self, path: &Path) -> io::Result<PathBuf> {
        Ok(path.to_owned())
    }

    /// The time, by the clock that tells when files were born.
    fn now(&self) -> SystemTime {
        SystemTime::now()
    }

    /// Has calls that wait for an answer wait no longer than a moment once this is set.
    fn interrupt_by(&mut self, _flag: Arc<AtomicBool>) {}

    /// How many calls have failed so far for want of an answer ([`ErrorKind::TimedOut`]). What was found meanwhile may not
    /// be all there is.
    fn silences(&self) -> u64 {
        0
    }

    /// Ends what works for it, when no file is open any more; returns where that could not be waited for.
    #[allow(clippy::must_use_candidate, reason = "who ends anyway may have nothing to say")]
    fn end(self: Box<Self>) -> Vec<PathBuf> {
        Vec::new()
    }
}

/// An open file.
pub trait Handle: fmt::Debug {
    /// Asks the system about the open file, whatever its name has become.
    ///
    /// # Errors
    /// Whatever the system says.
    fn meta(&self) -> io::Result<Meta>;

    /// Reads at an offset; 0 bytes mean the end of the file. Interruptions by signals are retried.
    ///
    /// # Errors
    /// Whatever the system says.
    fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize>;

    /// Reads what comes next from a pipe, FIFO, socket or device, without waiting.
    ///
    /// # Errors
    /// Whatever the system says.
    fn read_next(&mut self, buffer: &mut [u8]) -> io::Result<Flow>;

    /// Opens the same FIFO again, so that the end its last writer left behind is forgotten.
    ///
    /// # Errors
    /// Whatever the system says.
    fn renew(&mut self) -> io::Result<()>;

    /// The offset at or after `from` where data stand that are not a hole; `None` if there are none.
    ///
    /// # Errors
    /// Whatever the system says.
    fn next_data(&self, from: u64) -> io::Result<Option<u64>>;

    /// The offset that the descriptor itself stands at; `None` for what can't be seeked.
    fn position(&self) -> Option<u64>;

    /// Whether this is standard input, which was opened by somebody else.
    fn is_stdin(&self) -> bool {
        false
    }

    /// Moves the offset that the descriptor itself stands at, where others share it; what reads next goes on there.
    fn leave_at(&self, _offset: u64) {}

    /// A path that leads to the file now, that by which it was opened or the one to which it was renamed since; `None`
    /// where that can't be known, and for a file that was removed.
    fn location(&self) -> Option<PathBuf> {
        None
    }

    /// What keeps the end of the file from being read, if that is known although nothing has failed.
    fn flaw(&self) -> Option<io::Error> {
        None
    }

    /// Whether the name by which it was opened, or to which it was renamed since, was removed, or given to another file.
    fn is_unnamed(&self) -> bool {
        false
    }

    /// The type of the file system that the file is on, as `statfs(2)` numbers it.
    fn file_system(&self) -> Option<i64>;

    /// The descriptor, for a watch or a wait; `None` if there is none (a model).
    fn fd(&self) -> Option<BorrowedFd<'_>>;

    /// Whether nothing but looking at an interval tells of what is written, as there is no descriptor to watch.
    fn must_be_polled(&self) -> bool {
        false
    }
}

/// The room for a listing. The system keeps renames out while it fills that, so what fits in is as of one moment: names
/// of some 25,000 files. Memory that isn't needed is never touched.
const LISTING: usize = 1024 * 1024;

/// The files of this machine.
#[derive(Clone, Copy, Debug, Default)]
pub struct Disk;

impl Files for Disk {
    fn meta(&self, path: &Path, links: Links) -> io::Result<Meta> {
        let meta = match links {
            Links::Follow => std::fs::metadata(path),
            Links::Refuse => std::fs::symlink_metadata(path),
        };
        meta.map(|meta| Meta::from(&meta))
    }

    fn open(&self, path: &Path, links: Links) -> io::Result<Box<dyn Handle>> {
        // Not becoming the controlling process matters when a terminal is followed, not waiting when a FIFO is.
        let mut flags = OFlags::NONBLOCK | OFlags::NOCTTY;
        if links == Links::Refuse {
            flags |= OFlags::NOFOLLOW;
        }
        let file = OpenOptions::new().read(true).custom_flags(flags.bits().cast_signed()).open(path)?;
        Ok(Box::new(DiskHandle::new(file)))
    }

    fn list(&self, directory: &Path) -> io::Result<Vec<std::ffi::OsString>> {
        std::fs::read_dir(directory)?.map(|entry| Ok(entry?.file_name())).collect()
    }

    fn entries(&self, directory: &Path) -> io::Result<Vec<Entry>> {
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
        let directory = rustix::fs::open(directory, flags, rustix::fs::Mode::empty())?;
        let mut buffer = Vec::with_capacity(LISTING);
        let mut listing = RawDir::new(&directory, buffer.spare_capacity_mut());
        let mut entries = Vec::new();
        while let Some(entry) = listing.next() {
            let entry = entry?;
            let name = entry.file_name().to_bytes();
            if name != b"." && name != b".." {
                entries.push(Entry { name: OsStr::from_bytes(name).to_owned(), inode: entry.ino() });
            }
        }
        Ok(entries)
    }

    fn resolve(&self, path: &Path) -> io::Result<PathBuf> {
        std::fs::canonicalize(path)
    }
}

/// An open file of this machine.
#[derive(Debug)]
struct DiskHandle {
    file: File,
    stdin: bool,
    file_system: OnceCell<Option<i64>>,
}

impl DiskHandle {
    fn new(file: File) -> Self {
        Self { file, stdin: false, file_system: OnceCell::new() }
    }
}

/// Standard input, or a handle that says with each use that there is none.
///
/// # Errors
/// When it can't be duplicated.
pub(crate) fn stdin() -> io::Result<Box<dyn Handle>> {
    if was_closed(Standard::Input) {
        return Ok(Box::new(Closed));
    }
    Ok(Box::new(DiskHandle::stdin()?))
}

/// A descriptor that was closed before it was handed to us.
#[derive(Debug)]
struct Closed;

impl Closed {
    fn error() -> io::Error {
        rustix::io::Errno::BADF.into()
    }
}

impl Handle for Closed {
    fn meta(&self) -> io::Result<Meta> {
        Err(Self::error())
    }

    fn read_at(&self, _: &mut [u8], _: u64) -> io::Result<usize> {
        Err(Self::error())
    }

    fn read_next(&mut self, _: &mut [u8]) -> io::Result<Flow> {
        Err(Self::error())
    }

    fn renew(&mut self) -> io::Result<()> {
        Err(Self::error())
    }

    fn next_data(&self, _: u64) -> io::Result<Option<u64>> {
        Err(Self::error())
    }

    fn position(&self) -> Option<u64> {
        None
    }

    fn file_system(&self) -> Option<i64> {
        None
    }

    fn fd(&self) -> Option<BorrowedFd<'_>> {
        None
    }
}

impl DiskHandle {
    /// Takes over standard input, which stays open under its own number for whoever else has it.
    fn stdin() -> io::Result<Self> {
        let file = File::from(io::stdin().as_fd().try_clone_to_owned()?);
        Ok(Self { stdin: true, ..Self::new(file) })
    }

    /// The link by which the system names the open file.
    fn link(&self) -> String {
        format!("/proc/self/fd/{}", self.file.as_raw_fd())
    }

    fn readable_now(&self) -> io::Result<bool> {
        let mut fds = [PollFd::new(&self.file, PollFlags::IN)];
        match rustix::event::poll(&mut fds, Some(&Timespec { tv_sec: 0, tv_nsec: 0 })) {
            Ok(ready) => Ok(ready > 0),
            Err(rustix::io::Errno::INTR) => Ok(false),
            Err(errno) => Err(errno.into()),
        }
    }
}

impl Handle for DiskHandle {
    fn meta(&self) -> io::Result<Meta> {
        let mut meta = Meta::from(&self.file.metadata()?);
        if meta.kind == FileKind::BlockDevice {
            // The system tells 0; a device ends where it can be seeked to. Reads here are positioned, so that
            // moving the offset disturbs nothing.
            meta.size = (&self.file).seek(SeekFrom::End(0))?;
        }
        Ok(meta)
    }

    fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
        loop {
            match self.file.read_at(buffer, offset) {
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                result => return result,
            }
        }
    }

    fn read_next(&mut self, buffer: &mut [u8]) -> io::Result<Flow> {
        // Standard input is not ours to make non-blocking (others share it), so ask before reading.
        if !self.readable_now()? {
            return Ok(Flow::Dry);
        }
        loop {
            match self.file.read(buffer) {
                Ok(0) => return Ok(Flow::End),
                Ok(length) => return Ok(Flow::Bytes(length)),
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(Flow::Dry),
                Err(error) => return Err(error),
            }
        }
    }

    fn renew(&mut self) -> io::Result<()> {
        let link = self.link();
        let flags = OFlags::NONBLOCK | OFlags::NOCTTY;
        // The old handle is open until the new one is, so that bytes of a writer in between are not thrown away.
        self.file = OpenOptions::new().read(true).custom_flags(flags.bits().cast_signed()).open(link)?;
        Ok(())
    }

    fn next_data(&self, from: u64) -> io::Result<Option<u64>> {
        match rustix::fs::seek(&self.file, Whence::Data(from)) {
            Ok(offset) => Ok(Some(offset)),
            Err(rustix::io::Errno::NXIO) => Ok(None),
            // A file system without holes: everything is data.
            Err(rustix::io::Errno::INVAL | rustix::io::Errno::OPNOTSUPP) => Ok(Some(from)),
            Err(errno) => Err(errno.into()),
        }
    }

    fn position(&self) -> Option<u64> {
        (&self.file).stream_position().ok()
    }

    fn is_stdin(&self) -> bool {
        self.stdin
    }

    fn leave_at(&self, offset: u64) {
        if self.stdin {
            // A pipe has no offset, which is no failure.
            let _ = (&self.file).seek(SeekFrom::Start(offset));
        }
    }

    fn location(&self) -> Option<PathBuf> {
        let path = std::fs::read_link(self.link()).ok()?;
        // What is told of a removed file, or of one outside our root, leads nowhere or to another.
        let found = std::fs::symlink_metadata(&path).ok()?;
        let own = self.file.metadata().ok()?;
        (Meta::from(&found).id == Meta::from(&own).id).then_some(path)
    }

    fn is_unnamed(&self) -> bool {
        std::fs::read_link(self.link()).is_ok_and(|path| path.as_os_str().as_bytes().ends_with(b" (deleted)"))
    }

    fn file_system(&self) -> Option<i64> {
        *self.file_system.get_or_init(|| rustix::fs::fstatfs(&self.file).ok().map(|stat| stat.f_type))
    }

    fn fd(&self) -> Option<BorrowedFd<'_>> {
        Some(self.file.as_fd())
    }
}
