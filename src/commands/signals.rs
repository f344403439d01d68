//! Signals that ask for an end, noticed without a thread.

use std::io::{self, Write as _};
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::net::UnixStream;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use signal_hook::{flag, low_level};

use crate::sys::is_ignored;

/// The signals that end rtail in order.
const ENDING: [i32; 3] = [SIGINT, SIGTERM, SIGHUP];

/// What has been received.
#[derive(Debug)]
pub(crate) struct Signals {
    received: Arc<AtomicUsize>,
    any: Arc<AtomicBool>,
    bell: UnixStream,
}

impl Signals {
    /// Listens for the signals that ask for an end, but for those that are ignored already (nohup). The first one
    /// restores the default action, so that a second one ends the process at once, whatever it waits for.
    ///
    /// # Errors
    /// When a handler can't be installed.
    pub(crate) fn listen() -> io::Result<Self> {
        let (bell, ringer) = UnixStream::pair()?;
        let received = Arc::new(AtomicUsize::new(0));
        let any = Arc::new(AtomicBool::new(false));
        for signal in ENDING.into_iter().filter(|signal| !is_ignored(*signal)) {
            // In this order: none is missed from now on, and the first one passes the condition by before it sets it.
            flag::register_usize(signal, Arc::clone(&received), usize::try_from(signal).unwrap_or(0))?;
            flag::register_conditional_default(signal, Arc::clone(&any))?;
            flag::register(signal, Arc::clone(&any))?;
            low_level::pipe::register(signal, ringer.try_clone()?)?;
        }
        let signals = Self { received, any, bell };
        if signals.received().is_some() {
            // It came when only a part of this was there.
            signals.any.store(true, Ordering::Relaxed);
            (&ringer).write_all(&[0])?;
        }
        Ok(signals)
    }

    /// The signal that was received, if any.
    pub(crate) fn received(&self) -> Option<i32> {
        let signal = self.received.load(Ordering::Relaxed);
        i32::try_from(signal).ok().filter(|signal| *signal != 0)
    }

    /// Is set with the first signal.
    pub(crate) fn flag(&self) -> Arc<AtomicBool> {
        Arc::clone(&self.any)
    }

    /// Becomes readable with the first signal, and stays so: were it emptied, a signal that came just before would
    /// be slept through.
    pub(crate) fn fd(&self) -> BorrowedFd<'_> {
        self.bell.as_fd()
    }
}
