//! One run of a command: takes the events of a tail, has them shown, waits, and ends in order.
//!
//! What is shown of an event, and what status an end means, is for the command to say ([`Show`]). Whatever the
//! command, an output that takes nothing stops the reading and never the attention to names, signals and deadlines.

use std::io;
use std::os::fd::BorrowedFd;
use std::time::{Duration, Instant};

use anyhow::Context as _;

use super::ending::{Ending, Exit, Reason};
use super::{output_failed, reader_is_gone};
use crate::notice::Notices;
use crate::output::outlet::Outlet;
use crate::tail::{self, Also, Event, Tail};

/// How long an output that is full is waited for once a signal asks for the end.
const LAST_WRITE: Duration = Duration::from_millis(50);

/// What a command makes of the events of its tail.
pub(super) trait Show {
    /// Shows one event.
    ///
    /// # Errors
    /// A write that failed.
    fn show(&mut self, event: Event<'_>, out: &mut Outlet, notices: &mut Notices) -> io::Result<Shown>;

    /// Shows more of what was shown in part, since there was no room for all of it; `None` if there is no more. Asked for
    /// before each event.
    ///
    /// # Errors
    /// A write that failed.
    fn go_on(&mut self, _out: &mut Outlet) -> Option<io::Result<Shown>> {
        None
    }

    /// What is to be done between events: now and then while there are many, and before each wait. All that was shown
    /// has been written if nothing of it is `pending` in the output.
    ///
    /// # Errors
    /// A write that failed.
    fn between(&mut self, tail: &mut Tail, out: &mut Outlet, notices: &mut Notices) -> io::Result<()>;

    /// Why the run is over although nothing asked for its end: most often because nothing can come any more.
    fn is_over(&mut self, tail: &Tail, notices: &mut Notices) -> Option<Over>;

    /// The tail is about to be finished: only what is there by now is still to come.
    fn ends(&mut self, _tail: &Tail) {}

    /// When it wants to be asked [`between`](Self::between) events again at the latest.
    fn deadline(&self) -> Option<Instant> {
        None
    }

    /// Shows the last words of the run, which is `over`.
    ///
    /// # Errors
    /// A write that failed.
    fn last_words(&mut self, over: Over, tail: &Tail, out: &mut Outlet) -> io::Result<()>;
}

/// What became of an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Shown {
    /// It was shown as far as it is to be.
    Done,
    /// What was waited for has come, and nothing after it is to be shown.
    Met,
    /// A source has failed for good, and nothing more is to be shown.
    Failed,
}

/// Why a run is over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Over {
    /// Nothing can come any more.
    Dry,
    /// What was waited for has come.
    Met,
    /// One of the conditions under which it was to end.
    Asked(Reason),
    /// A source has failed.
    Failed,
    /// Nobody reads the output, or it can't be written; that was said.
    Unwritable(Exit),
}

/// A tail, its output, and what is known about its end.
pub(super) struct Session<'a, S> {
    pub(super) tail: Tail,
    pub(super) out: Outlet,
    pub(super) notices: &'a mut Notices,
    pub(super) ending: Ending,
    pub(super) show: S,
}

/// Whether anybody reads what is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Reader {
    There,
    Gone,
}

/// What taking one event came to.
enum Step {
    Shown,
    /// There is none.
    Dry,
    Over(Over),
}

impl<S: Show> Session<'_, S> {
    /// Shows what comes until an end, and the last words; says why it is over.
    ///
    /// # Errors
    /// When the system refuses to wait.
    pub(super) fn run(&mut self) -> anyhow::Result<Over> {
        let over = self.until_over()?;
        let over = match over {
            Over::Unwritable(_) => over,
            _ => match self.show.last_words(over, &self.tail, &mut self.out) {
                Ok(()) => self.write_the_rest(over),
                Err(error) => self.unwritable(&error),
            },
        };
        // Nothing is shown behind the last words, so that nothing can fail that has not failed before.
        let _ = self.show.between(&mut self.tail, &mut self.out, self.notices);
        Ok(over)
    }

    fn until_over(&mut self) -> anyhow::Result<Over> {
        loop {
            if let Some(reason) = self.ending.urgent() {
                return Ok(self.end(reason));
            }
            if self.out.is_blocked() {
                if let Err(error) = self.wait_for_room() {
                    return Ok(self.unwritable(&error));
                }
                continue;
            }
            match self.step() {
                Step::Over(over) => return Ok(over),
                Step::Shown => {
                    if self.ending.is_due() {
                        if let Err(error) = self.between() {
                            return Ok(self.unwritable(&error));
                        }
                        if let Some(reason) = self.reason() {
                            return Ok(self.end(reason));
                        }
                    }
                }
                Step::Dry => {
                    if let Err(error) = self.between() {
                        return Ok(self.unwritable(&error));
                    }
                    if self.out.is_blocked() {
                        continue;
                    }
                    if let Some(over) = self.show.is_over(&self.tail, self.notices) {
                        return Ok(over);
                    }
                    if let Some(reason) = self.reason() {
                        return Ok(self.end(reason));
                    }
                    if self.wait()? == Reader::Gone {
                        return Ok(Over::Unwritable(reader_is_gone()));
                    }
                }
            }
        }
    }

    /// Why it is time to end, if it is.
    fn reason(&mut self) -> Option<Reason> {
        self.ending.reason(self.tail.files().map(|standing| (standing.file, standing.path.to_owned())))
    }

    /// Shows the next event, if there is one. Whatever was shown has been written, or the output is blocked, when this
    /// says that there is none.
    fn step(&mut self) -> Step {
        if let Some(shown) = self.show.go_on(&mut self.out) {
            return self.over(shown);
        }
        let Some(event) = self.tail.try_next() else {
            return match self.out.flush() {
                Ok(()) if self.out.is_blocked() => Step::Shown,
                Ok(()) => Step::Dry,
                Err(error) => Step::Over(self.unwritable(&error)),
            };
        };
        if matches!(event, Event::Data(_) | Event::Passage(_)) {
            self.ending.data_came();
        }
        let shown = self.show.show(event, &mut self.out, self.notices);
        self.over(shown)
    }

    /// What came of showing something.
    fn over(&mut self, shown: io::Result<Shown>) -> Step {
        match shown {
            Ok(Shown::Done) => Step::Shown,
            Ok(Shown::Met) => Step::Over(Over::Met),
            Ok(Shown::Failed) => Step::Over(Over::Failed),
            Err(error) => Step::Over(self.unwritable(&error)),
        }
    }

    /// Waits until the output takes more, or something asks for an end. Names are still looked after meanwhile.
    fn wait_for_room(&mut self) -> io::Result<()> {
        self.between()?;
        let deadline = earliest([self.ending.timeout_at(), self.show.deadline()]);
        let mut also: Vec<Also<'_>> = self.ending.urgent_wakers().collect();
        also.extend(writable(self.out.reader()));
        self.tail.hold(deadline, &mut also)?;
        drop(also);
        self.out.flush()
    }

    fn between(&mut self) -> io::Result<()> {
        self.show.between(&mut self.tail, &mut self.out, self.notices)
    }

    /// Waits until there may be something to show or a reason to end.
    fn wait(&mut self) -> anyhow::Result<Reader> {
        let deadline = earliest([self.ending.deadline(), self.show.deadline()]);
        let mut also: Vec<Also<'_>> = self.ending.wakers().collect();
        let wakers = also.len();
        also.extend(self.out.reader().map(|fd| Also::new(fd, tail::Until::Closed)));
        self.tail.wait(deadline, &mut also).context("cannot wait for events")?;
        let gone = also[wakers..].iter().any(Also::is_ready);
        Ok(if gone { Reader::Gone } else { Reader::There })
    }

    /// Ends for a reason: but for a signal, what is there to be read now is shown first.
    fn end(&mut self, reason: Reason) -> Over {
        if let Reason::Signal(_) = reason {
            return Over::Asked(reason);
        }
        self.show.ends(&self.tail);
        // The last writer may have written, and renamed, since we looked.
        self.tail.finish();
        loop {
            if let Some(signal) = self.ending.signal() {
                return Over::Asked(Reason::Signal(signal));
            }
            if self.out.is_blocked() {
                if self.ending.urgent() == Some(Reason::Timeout) {
                    // Who has not read in time is not waited for.
                    return Over::Asked(reason);
                }
                if let Err(error) = self.wait_for_room() {
                    return self.unwritable(&error);
                }
                continue;
            }
            match self.step() {
                Step::Over(over) => return over,
                Step::Shown => {}
                Step::Dry => return Over::Asked(reason),
            }
        }
    }

    /// Writes what was shown: all of it, however long its reader takes, unless something doesn't let it wait.
    fn write_the_rest(&mut self, over: Over) -> Over {
        let mut result = self.out.flush();
        while result.is_ok() && self.out.is_blocked() {
            match (over, self.ending.urgent()) {
                (Over::Asked(Reason::Signal(_)), _) => {
                    self.write_what_fits();
                    return over;
                }
                (_, Some(Reason::Signal(signal))) => {
                    self.write_what_fits();
                    return Over::Asked(Reason::Signal(signal));
                }
                (_, Some(_)) => {
                    self.write_what_fits();
                    return over;
                }
                (_, None) => result = self.wait_for_room(),
            }
        }
        match result {
            Ok(()) => over,
            Err(error) => self.unwritable(&error),
        }
    }

    /// Writes what was shown as far as a reader takes it in a moment.
    fn write_what_fits(&mut self) {
        let deadline = Instant::now() + LAST_WRITE;
        while self.out.flush().is_ok() && self.out.is_blocked() && Instant::now() < deadline {
            let mut also: Vec<Also<'_>> = writable(self.out.reader()).into_iter().collect();
            if self.tail.hold(Some(deadline), &mut also).is_err() {
                break;
            }
        }
    }

    fn unwritable(&mut self, error: &io::Error) -> Over {
        Over::Unwritable(output_failed(error, self.notices))
    }
}

fn writable(fd: Option<BorrowedFd<'_>>) -> Option<Also<'_>> {
    fd.map(|fd| Also::new(fd, tail::Until::Writable))
}

fn earliest<const N: usize>(deadlines: [Option<Instant>; N]) -> Option<Instant> {
    deadlines.into_iter().flatten().min()
}
