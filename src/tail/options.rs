//! How a tail behaves, for all of its sources.

use std::time::Duration;

use super::generation::Nuls;
use super::lines::Framing;
use super::start::Start;

/// What is followed after the first output.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Following {
    /// Nothing: a source ends at the end of its file.
    Nothing,
    /// The file that was opened, whatever its name becomes.
    Descriptor,
    /// The name, whatever file it means.
    Name,
}

/// What is done about a name that can't be opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Retry {
    /// One that can't be opened at the start is given up; one that goes away later is looked for.
    Never,
    /// It is looked for until it can be opened.
    Always,
}

/// What is done when a file has become shorter than what was read of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shrinking {
    /// Go on at its end if what is left was read already, else begin again.
    Discern,
    /// Always begin again, as GNU `tail` does.
    BeginAgain,
}

/// How a tail behaves. [`Default`] follows by name, whole lines, from the last ten of them.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Options {
    /// Where a file that is there from the start begins. Later ones begin at 0.
    pub start: Start,
    /// What is followed.
    pub following: Following,
    /// What is done about names that can't be opened.
    pub retry: Retry,
    /// Whether lines are kept whole.
    pub framing: Framing,
    /// The byte that ends a line.
    pub terminator: u8,
    /// The longest unfinished line held in memory, in bytes; a longer one is delivered in pieces.
    pub longest_line: usize,
    /// What is done about NULs that may be no data.
    pub nuls: Nuls,
    /// What is done when a file has become shorter than what was read of it.
    pub shrinking: Shrinking,
    /// How long a file that its name no longer means must be quiet before it is let go.
    pub rotate_wait: Duration,
    /// The interval between looks at files that have no notification; `None`: 250 ms while they change, else 1 s.
    pub poll_interval: Option<Duration>,
    /// Look at an interval only, without notification.
    pub poll_only: bool,
    /// Treat regular files as if they could not be seeked.
    pub never_seek: bool,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            start: Start::LastLines(10),
            following: Following::Name,
            retry: Retry::Always,
            framing: Framing::Lines,
            terminator: b'\n',
            longest_line: 1024 * 1024,
            nuls: Nuls::HoldBack,
            shrinking: Shrinking::Discern,
            rotate_wait: Duration::from_secs(5),
            poll_interval: None,
            poll_only: false,
            never_seek: false,
        }
    }
}
