//! The one place to wait: for event sources, pipes and devices that are read, and what else is given.

use std::io;
use std::os::fd::BorrowedFd;
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec};
use rustix::io::Errno;

use super::Wake;
use crate::tail::SourceId;

/// What a wait is to end for, beside the deadline and the descriptors it is given.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Attention<'a> {
    /// Everything that may bring something to read, these pipes and devices included.
    All { readable: &'a [(SourceId, BorrowedFd<'a>)] },
    /// Names only: what was written stays where it is, while a file whose name goes may not.
    Names,
}

/// A descriptor to wait for, beside the tail's own.
#[derive(Debug)]
pub struct Also<'fd> {
    fd: BorrowedFd<'fd>,
    until: Until,
    ready: bool,
}

/// What to wait for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Until {
    /// It can be read, or its other end is closed.
    Readable,
    /// It can be written, or its other end is closed.
    Writable,
    /// Its other end is closed.
    Closed,
}

impl Until {
    fn flags(self) -> PollFlags {
        match self {
            Self::Readable => PollFlags::IN,
            Self::Writable => PollFlags::OUT,
            Self::Closed => PollFlags::empty(),
        }
    }
}

impl<'fd> Also<'fd> {
    /// Waits for `fd` until it is so.
    #[must_use]
    pub fn new(fd: BorrowedFd<'fd>, until: Until) -> Self {
        Self { fd, until, ready: false }
    }

    /// Whether it was so when the last wait ended.
    #[must_use]
    pub fn is_ready(&self) -> bool {
        self.ready
    }
}

impl Wake {
    /// Waits until there is something to drain, a pipe or device can be read, one of `also` is ready, or the
    /// deadline has come. Returns the sources whose pipes or devices can be read.
    ///
    /// # Errors
    /// When the system refuses to wait. A signal is no error; the wait just ends.
    pub(crate) fn wait(
        &mut self,
        attention: Attention<'_>,
        deadline: Option<Instant>,
        also: &mut [Also<'_>],
    ) -> io::Result<Vec<SourceId>> {
        let now = Instant::now();
        if let Some(events) = &mut self.events {
            events.writes.looked(now);
            events.names.confirm();
        }
        let deadline = [self.deadline(attention), deadline].into_iter().flatten().min();
        let (readable, writes) = match attention {
            Attention::All { readable } => (readable, self.events.as_ref().map(|events| events.writes.fd())),
            Attention::Names => (&[][..], None),
        };
        let mut fds = vec![PollFd::from_borrowed_fd(self.bell.fd(), PollFlags::IN)];
        fds.extend(readable.iter().map(|(_, fd)| PollFd::from_borrowed_fd(*fd, PollFlags::IN)));
        fds.extend(also.iter().map(|also| PollFd::from_borrowed_fd(also.fd, also.until.flags())));
        let names = self.events.as_ref().map(|events| events.names.fd());
        fds.extend(names.into_iter().chain(writes).map(|fd| PollFd::from_borrowed_fd(fd, PollFlags::IN)));
        let timeout = deadline.map(|at| timespec(at.saturating_duration_since(now)));
        match rustix::event::poll(&mut fds, timeout.as_ref()) {
            Ok(_) | Err(Errno::INTR) => {}
            Err(errno) => return Err(errno.into()),
        }
        let mut ready = fds[1..].iter().map(|fd| !fd.revents().is_empty());
        let found =
            readable.iter().zip(&mut ready).filter(|(_, ready)| *ready).map(|((source, _), _)| *source).collect();
        for (also, ready) in also.iter_mut().zip(&mut ready) {
            also.ready = ready;
        }
        let (moved, written) = (ready.next() == Some(true), ready.next() == Some(true));
        if let Some(events) = &mut self.events {
            events.moved |= moved;
            events.written |= written;
            if matches!(attention, Attention::All { .. }) {
                events.seen_at = Instant::now();
            }
        }
        Ok(found)
    }

    /// When it wants to be drained without having been woken.
    fn deadline(&self, attention: Attention<'_>) -> Option<Instant> {
        let hot = self.events.as_ref().and_then(|events| events.writes.deadline());
        let hot = hot.filter(|_| matches!(attention, Attention::All { .. }));
        [self.revive_at, hot].into_iter().flatten().min()
    }
}

fn timespec(duration: Duration) -> Timespec {
    // Rounded up, since a wait that ends too soon would only have to be begun again.
    let duration = duration.saturating_add(Duration::from_nanos(999)).min(Duration::from_hours(24));
    Timespec { tv_sec: duration.as_secs().cast_signed(), tv_nsec: duration.subsec_nanos().into() }
}
