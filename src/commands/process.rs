//! Other processes: whether they are still there.

use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use rustix::io::Errno;
use rustix::process::{Pid, PidfdFlags, pidfd_open, test_kill_process};

/// A process whose end is waited for.
#[derive(Debug)]
pub(crate) enum Process {
    /// Known by a descriptor that becomes readable at its end, and that a later process of its number can't take.
    Held(OwnedFd),
    /// Known by its number, which must be asked for now and then.
    Numbered(Pid),
    /// There is always one: process group 0 is our own.
    Eternal,
    /// It is gone.
    Gone,
}

impl Process {
    pub(crate) fn new(number: u32) -> Self {
        let Ok(number) = i32::try_from(number) else { return Self::Gone };
        let Some(pid) = Pid::from_raw(number) else { return Self::Eternal };
        match pidfd_open(pid, PidfdFlags::empty()) {
            Ok(fd) => Self::Held(fd),
            Err(Errno::SRCH) => Self::Gone,
            // An old kernel, no descriptor left, or the number of a thread.
            Err(_) => Self::Numbered(pid),
        }
    }

    /// Whether it has ended.
    pub(crate) fn is_gone(&mut self) -> bool {
        let gone = match self {
            Self::Held(fd) => {
                let mut fds = [rustix::event::PollFd::new(&*fd, rustix::event::PollFlags::IN)];
                let now = rustix::event::Timespec { tv_sec: 0, tv_nsec: 0 };
                rustix::event::poll(&mut fds, Some(&now)).is_ok_and(|ready| ready > 0)
            }
            Self::Numbered(pid) => test_kill_process(*pid) == Err(Errno::SRCH),
            Self::Eternal => false,
            Self::Gone => true,
        };
        if gone {
            *self = Self::Gone;
        }
        gone
    }

    /// The descriptor to wait for.
    pub(crate) fn fd(&self) -> Option<BorrowedFd<'_>> {
        match self {
            Self::Held(fd) => Some(fd.as_fd()),
            Self::Numbered(_) | Self::Eternal | Self::Gone => None,
        }
    }

    /// Whether it must be asked for now and then.
    pub(crate) fn needs_asking(&self) -> bool {
        matches!(self, Self::Numbered(_))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_process_is_gone_when_it_has_ended() {
        let mut child = std::process::Command::new("sleep").arg("60").spawn().unwrap();
        let mut process = Process::new(child.id());
        assert!(!process.is_gone());
        child.kill().unwrap();
        child.wait().unwrap();
        assert!(process.is_gone());
        assert!(Process::new(child.id()).is_gone());
        assert!(!Process::new(0).is_gone());
        assert!(!Process::new(std::process::id()).is_gone());
    }
}
