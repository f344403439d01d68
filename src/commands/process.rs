//! Other processes: whether they are still there.

use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use rustix::io::Errno;
use rustix::process::{Pid, PidfdFlags, pidfd_open, test_kill_process};

/// When a process counts as gone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Gone {
    /// When it has ended.
    Ended,
    /// When its parent has taken note of that, as for GNU `tail`, which asks by number.
    Reaped,
}

/// A process whose end is waited for.
#[derive(Debug)]
pub(crate) enum Process {
    /// Known by a descriptor that becomes readable at its end, and that a later process of its number can't take.
    Held(OwnedFd, Pid, Gone),
    /// Known by its number, which must be asked for now and then.
    Numbered(Pid),
    /// There is always one: process group 0 is our own.
    Eternal,
    /// It is gone.
    Gone,
}

impl Process {
    pub(crate) fn new(number: u32, gone: Gone) -> Self {
        let Ok(number) = i32::try_from(number) else { return Self::Gone };
        let Some(pid) = Pid::from_raw(number) else { return Self::Eternal };
        match pidfd_open(pid, PidfdFlags::empty()) {
            Ok(fd) => Self::Held(fd, pid, gone),
            Err(Errno::SRCH) => Self::Gone,
            // An old kernel, no descriptor left, or the number of a thread.
            Err(_) => Self::Numbered(pid),
        }
    }

    /// Whether it has ended.
    pub(crate) fn is_gone(&mut self) -> bool {
        let gone = match self {
            Self::Held(fd, pid, gone) => {
                let mut fds = [rustix::event::PollFd::new(&*fd, rustix::event::PollFlags::IN)];
                let now = rustix::event::Timespec { tv_sec: 0, tv_nsec: 0 };
                let ended = rustix::event::poll(&mut fds, Some(&now)).is_ok_and(|ready| ready > 0);
                if ended && *gone == Gone::Reaped && test_kill_process(*pid) != Err(Errno::SRCH) {
                    *self = Self::Numbered(*pid);
                    return false;
                }
                ended
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
            Self::Held(fd, ..) => Some(fd.as_fd()),
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
        let mut ended = Process::new(child.id(), Gone::Ended);
        let mut reaped = Process::new(child.id(), Gone::Reaped);
        assert!(!ended.is_gone() && !reaped.is_gone());
        child.kill().unwrap();
        // The descriptor tells when; only then is it a zombie for certain.
        let mut fds = [rustix::event::PollFd::from_borrowed_fd(ended.fd().unwrap(), rustix::event::PollFlags::IN)];
        rustix::event::poll(&mut fds, None).unwrap();
        assert!(ended.is_gone() && !reaped.is_gone());
        child.wait().unwrap();
        assert!(reaped.is_gone());
        assert!(Process::new(child.id(), Gone::Ended).is_gone());
        assert!(!Process::new(0, Gone::Ended).is_gone());
        assert!(!Process::new(std::process::id(), Gone::Ended).is_gone());
    }
}
