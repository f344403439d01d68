//! What becomes of a search for files when a call fails that may not fail the next time.

use std::cell::Cell;
use std::io::{self, ErrorKind};
use std::time::{Duration, Instant};

/// How long calls may fail before what they were to find is passed over.
const PATIENCE: Duration = Duration::from_secs(5);

/// What one search does about failures, and whether it met one that it has passed over.
#[derive(Debug, Default)]
pub(crate) struct Failures {
    policy: Policy,
    passed_over: Cell<bool>,
    /// Whether it is to be made again for want of an answer.
    met_silence: Cell<bool>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Policy {
    /// The search comes to nothing, and is to be made again.
    #[default]
    Wait,
    /// The same where something was not answered; what else can't be looked at is left out.
    WaitForAnswers,
    /// What can't be looked at is left out.
    PassOver,
}

impl Failures {
    /// For a search that has come to nothing `since` then, if it has.
    pub(crate) fn since(since: Option<Instant>, now: Instant) -> Self {
        let patient = since.is_none_or(|since| now < since + PATIENCE);
        if patient { Self::default() } else { Self::passed_over_but_silence() }
    }

    /// For a search that is made again for want of an answer alone.
    pub(crate) fn passed_over_but_silence() -> Self {
        Self { policy: Policy::WaitForAnswers, ..Self::default() }
    }

    /// For a search that can't be made again.
    pub(crate) fn passed_over() -> Self {
        Self { policy: Policy::PassOver, ..Self::default() }
    }

    /// Whether the search can be made again when more was found out.
    pub(crate) fn can_ask(&self) -> bool {
        self.policy != Policy::PassOver
    }

    /// Whether the search is to be made again because of this error.
    pub(crate) fn wait_for(&self, error: &io::Error) -> bool {
        if is_silence(error) && self.policy != Policy::PassOver {
            self.met_silence.set(true);
            return true;
        }
        may_pass(error) && self.wait()
    }

    /// Whether the search is to be made again because something can't be told now.
    pub(crate) fn wait(&self) -> bool {
        if self.policy != Policy::Wait && !self.met_silence.get() {
            self.passed_over.set(true);
        }
        self.policy == Policy::Wait || self.met_silence.get()
    }

    /// Whether the search is to be made again for want of an answer.
    pub(crate) fn has_met_silence(&self) -> bool {
        self.met_silence.get()
    }

    /// Whether something was left out.
    pub(crate) fn has_passed_over(&self) -> bool {
        self.passed_over.get()
    }
}

/// What is said of an answer that is not there.
pub(crate) fn silence() -> io::Error {
    io::Error::new(ErrorKind::TimedOut, "not answering")
}

/// Whether there was no answer, which tells nothing at all: what was asked about may be as it was, or gone.
pub(crate) fn is_silence(error: &io::Error) -> bool {
    error.kind() == ErrorKind::TimedOut
}

/// Whether an error tells nothing of what was asked: another time there may be none.
fn may_pass(error: &io::Error) -> bool {
    const LOOP: i32 = rustix::io::Errno::LOOP.raw_os_error();
    let tells = matches!(error.kind(), ErrorKind::NotFound | ErrorKind::PermissionDenied | ErrorKind::NotADirectory);
    is_silence(error) || (error.raw_os_error().is_some_and(|errno| errno != LOOP) && !tells)
}
