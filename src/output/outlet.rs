//! Standard output, written without ever waiting in a write.
//!
//! A write to a pipe whose reader doesn't read would block and, with it, the attention to rotations and signals.
//! A pipe or terminal is therefore opened anew, non-blocking, under `/proc/self/fd`: that is a file description of
//! its own, so that whoever shares the old one is not disturbed.

use std::fs::{File, OpenOptions};
use std::io::{self, ErrorKind, IsTerminal, Write};
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::fs::OpenOptionsExt;

use rustix::event::{PollFd, PollFlags, Timespec};
use rustix::fs::{FileType, OFlags};
use rustix::io::Errno;
use rustix::pipe::SpliceFlags;

use crate::backwards;
use crate::sys::{Standard, was_closed};
use crate::tail::{FileId, Meta};

/// What is collected before it is written although more may come at once.
const BATCH: usize = 256 * 1024;
/// The size that a pipe is asked to have once it was full.
const PIPE: usize = 1024 * 1024;

/// How the output is kept from blocking.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Manner {
    /// It doesn't: a file, or a device.
    Plain,
    /// The descriptor is non-blocking.
    NonBlocking,
    /// A socket, which can be told each time not to wait.
    Socket,
    /// A pipe or terminal that can't be opened anew: little by little, as it becomes writable.
    Cautious,
}

/// Standard output, and what it has not taken yet.
#[derive(Debug)]
pub(crate) struct Outlet {
    file: File,
    manner: Manner,
    /// Whether the other end can go away without being written to.
    has_reader: bool,
    width: Width,
    passing: Option<Passing>,
    pending: Vec<u8>,
    sent: usize,
    blocked: bool,
    accepted: Accepted,
}

/// How much the output takes before its reader reads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Width {
    /// A pipe takes more if it is asked to. Most have no use for that.
    Extensible,
    /// That is settled.
    Settled,
}

/// How bytes of a file are passed to the output without being copied through us.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Passing {
    /// Into a pipe.
    Splice,
    /// To `/dev/null`.
    Sendfile,
}

/// How much has been written so far.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Accepted {
    /// All bytes.
    pub(crate) bytes: u64,
    /// Those up to the last newline.
    pub(crate) lines: u64,
}

impl Outlet {
    /// Takes standard output.
    ///
    /// # Errors
    /// `EBADF` if it was closed when the program started.
    pub(crate) fn stdout() -> io::Result<Self> {
        if was_closed(Standard::Output) {
            return Err(io::Error::from(rustix::io::Errno::BADF));
        }
        let stdout = io::stdout();
        let stat = rustix::fs::fstat(&stdout)?;
        let kind = FileType::from_raw_mode(stat.st_mode);
        let (file, manner) = match kind {
            FileType::Fifo => open_anew(&stdout)?,
            FileType::CharacterDevice if stdout.is_terminal() => open_anew(&stdout)?,
            FileType::Socket => (duplicate(&stdout)?, Manner::Socket),
            _ => (duplicate(&stdout)?, Manner::Plain),
        };
        let has_reader = manner != Manner::Plain;
        let width = if kind == FileType::Fifo { Width::Extensible } else { Width::Settled };
        let passing = match kind {
            FileType::Fifo if manner == Manner::NonBlocking => Some(Passing::Splice),
            FileType::CharacterDevice if stat.st_rdev == rustix::fs::makedev(1, 3) => Some(Passing::Sendfile),
            _ => None,
        };
        Ok(Self {
            file,
            manner,
            has_reader,
            width,
            passing,
            pending: Vec::new(),
            sent: 0,
            blocked: false,
            accepted: Accepted::default(),
        })
    }

    /// The file that is written to, if it is a regular one.
    pub(crate) fn regular_file(&self) -> Option<FileId> {
        if self.has_reader {
            return None;
        }
        let meta = self.file.metadata().ok().filter(std::fs::Metadata::is_file)?;
        Some(Meta::from(&meta).id)
    }

    /// The descriptor to wait for; `None` if its other end can't go away.
    pub(crate) fn reader(&self) -> Option<BorrowedFd<'_>> {
        self.has_reader.then(|| self.file.as_fd())
    }

    /// Whether the last write left something for which there was no room.
    pub(crate) fn is_blocked(&self) -> bool {
        self.blocked
    }

    /// How much has been written.
    pub(crate) fn accepted(&self) -> Accepted {
        self.accepted
    }

    /// The place of what is taken next: how much was taken, written or not.
    pub(crate) fn place(&self) -> u64 {
        self.accepted.bytes + (self.pending.len() - self.sent) as u64
    }

    /// Takes bytes. They are written when there are many, or with the next [`flush`](Self::flush).
    ///
    /// # Errors
    /// A write that failed.
    pub(crate) fn push(&mut self, bytes: &[u8]) -> io::Result<()> {
        if self.pending.len() + bytes.len() < BATCH || self.blocked {
            self.pending.extend_from_slice(bytes);
            return Ok(());
        }
        self.flush()?;
        let written = if self.blocked { 0 } else { self.write(bytes)? };
        self.blocked |= written < bytes.len();
        self.pending.extend_from_slice(&bytes[written..]);
        Ok(())
    }

    /// Whether [`pass`](Self::pass) can be of use.
    pub(crate) fn can_pass(&self) -> bool {
        self.passing.is_some()
    }

    /// Passes up to `length` bytes of a file, from `offset` on, after what was taken before; returns how many. There
    /// was no room for more if it is less.
    ///
    /// # Errors
    /// A write that failed; `EINVAL` where bytes can't be passed.
    pub(crate) fn pass(&mut self, from: BorrowedFd<'_>, offset: u64, length: u64) -> io::Result<u64> {
        self.flush()?;
        let mut next = offset;
        while !self.blocked && next < offset + length {
            let left = usize::try_from(offset + length - next).unwrap_or(usize::MAX);
            let moved = match self.passing {
                Some(Passing::Splice) => {
                    let flags = SpliceFlags::NONBLOCK | SpliceFlags::MORE;
                    rustix::pipe::splice(from, Some(&mut next), &self.file, None, left, flags)
                }
                Some(Passing::Sendfile) => rustix::fs::sendfile(&self.file, from, Some(&mut next), left),
                None => Err(Errno::INVAL),
            };
            match moved {
                // The file was cut meanwhile.
                Ok(0) if next > offset => break,
                Ok(0) => return Err(Errno::INVAL.into()),
                Ok(count) => self.accepted.bytes += count as u64,
                Err(Errno::INTR) => {}
                Err(Errno::AGAIN) if self.widen() => {}
                Err(Errno::AGAIN) => self.blocked = true,
                Err(_) if next > offset => break,
                Err(errno) => return Err(errno.into()),
            }
        }
        Ok(next - offset)
    }

    /// Writes what there is room for.
    ///
    /// # Errors
    /// A write that failed.
    pub(crate) fn flush(&mut self) -> io::Result<()> {
        let pending = std::mem::take(&mut self.pending);
        let written = self.write(&pending[self.sent..]);
        self.pending = pending;
        self.sent += written?;
        self.blocked = self.sent < self.pending.len();
        if !self.blocked {
            self.pending.clear();
            self.sent = 0;
            // One giant line is no reason to keep its room for ever.
            self.pending.shrink_to(BATCH);
        }
        Ok(())
    }

    /// Writes what can be written without waiting; returns how much that was.
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let mut written = 0;
        while written < bytes.len() {
            match self.write_some(&bytes[written..]) {
                Ok(0) => return Err(io::Error::from(ErrorKind::WriteZero)),
                Ok(length) => {
                    let last = backwards::places(b'\n', &bytes[written..written + length]).next();
                    let end = last.map(|at| at as u64 + 1);
                    self.accepted.lines = end.map_or(self.accepted.lines, |end| self.accepted.bytes + end);
                    self.accepted.bytes += length as u64;
                    written += length;
                }
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) if error.kind() == ErrorKind::WouldBlock && self.widen() => {}
                Err(error) if error.kind() == ErrorKind::WouldBlock => break,
                Err(error) => return Err(error),
            }
        }
        Ok(written)
    }

    /// Has a pipe that is full take more; false if it doesn't. Larger is faster and no more, and not every pipe may be.
    fn widen(&mut self) -> bool {
        let width = std::mem::replace(&mut self.width, Width::Settled);
        width == Width::Extensible && rustix::pipe::fcntl_setpipe_size(&self.file, PIPE).is_ok()
    }

    fn write_some(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self.manner {
            Manner::Plain | Manner::NonBlocking => self.file.write(bytes),
            Manner::Socket => {
                let flags = rustix::net::SendFlags::DONTWAIT | rustix::net::SendFlags::NOSIGNAL;
                Ok(rustix::net::send(&self.file, bytes, flags)?)
            }
            Manner::Cautious => {
                // A pipe that is ready has room for PIPE_BUF bytes at least.
                let mut fds = [PollFd::new(&self.file, PollFlags::OUT)];
                if rustix::event::poll(&mut fds, Some(&Timespec { tv_sec: 0, tv_nsec: 0 }))? == 0 {
                    return Err(io::Error::from(ErrorKind::WouldBlock));
                }
                self.file.write(&bytes[..bytes.len().min(4096)])
            }
        }
    }
}

fn duplicate(stdout: &impl AsFd) -> io::Result<File> {
    Ok(File::from(stdout.as_fd().try_clone_to_owned()?))
}

fn open_anew(stdout: &impl AsFd) -> io::Result<(File, Manner)> {
    let flags = OFlags::NONBLOCK | OFlags::NOCTTY;
    let mut options = OpenOptions::new();
    options.write(true).custom_flags(flags.bits().cast_signed());
    match options.open("/proc/self/fd/1") {
        Ok(file) => Ok((file, Manner::NonBlocking)),
        Err(_) => Ok((duplicate(stdout)?, Manner::Cautious)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rustix::pipe::{PipeFlags, pipe_with};

    #[test]
    fn a_file_that_ends_before_what_was_to_be_passed_has_passed_what_there_was() {
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(b"short").unwrap();
        let (_reader, writer) = pipe_with(PipeFlags::NONBLOCK).unwrap();
        let mut out = Outlet {
            file: File::from(writer),
            manner: Manner::NonBlocking,
            has_reader: true,
            width: Width::Settled,
            passing: Some(Passing::Splice),
            pending: Vec::new(),
            sent: 0,
            blocked: false,
            accepted: Accepted::default(),
        };
        assert_eq!(out.pass(file.as_fd(), 1, 10).unwrap(), 4);
        assert_eq!(out.pass(file.as_fd(), 5, 10).unwrap_err().kind(), ErrorKind::InvalidInput);
        assert_eq!(out.accepted().bytes, 4);
    }
}
