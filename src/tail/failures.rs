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
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Policy {
    /// The search comes to nothing, and is to be made again.
    #[default]
    Wait,
    /// What can't be looked at is left out.
    PassOver,
}

impl Failures {
    /// For a search that has come to nothing `since` then, if it has.
    pub(crate) fn since(since: Option<Instant>, now: Instant) -> Self {
        let patient = since.is_none_or(|since| now < since + PATIENCE);
        if patient { Self::default() } else { Self::passed_over() }
    }

    /// For a search that can't be made again.
    pub(crate) fn passed_over() -> Self {
        Self { policy: Policy::PassOver, passed_over: Cell::new(false) }
    }

    /// Whether the search is to be made again because of this error.
    pub(crate) fn wait_for(&self, error: &io::Error) -> bool {
        may_pass(error) && self.wait()
    }

    /// Whether the search is to be made again because something can't be told now.
    pub(crate) fn wait(&self) -> bool {
        if self.policy == Policy::PassOver {
            self.passed_over.set(true);
        }
        self.policy == Policy::Wait
    }

    /// Whether something was left out.
    pub(crate) fn has_passed_over(&self) -> bool {
        self.passed_over.get()
    }
}

/// Whether an error tells nothing of what was asked: another time there may be none.
fn may_pass(error: &io::Error) -> bool {
    const LOOP: i32 = rustix::io::Errno::LOOP.raw_os_error();
    let tells = matches!(error.kind(), ErrorKind::NotFound | ErrorKind::PermissionDenied | ErrorKind::NotADirectory);
    error.raw_os_error().is_some_and(|errno| errno != LOOP) && !tells
}
