//! When to end: options shared by the commands that follow.

use std::time::Duration;

use clap::{ArgAction, Args};
use regex::bytes::Regex;

use super::{duration, heading, number, parser, pattern};
use crate::settings::Ending;

const ABOUT_UNTIL: &str = "\
End once an appended line matches REGEX, after printing it. The lines that a file had at the start don't count; on a \
pipe, where nothing tells them apart, all lines do. The syntax is that of Rust's regex crate, without look-around and \
back-references: 'error|fatal', '(?i)done$'";

const ABOUT_LOCKS: &str = "\
End when no process holds a lock on any of the files, after reading all of them. If nobody holds one when rtail \
starts, it prints what is there and ends at once";

/// What was typed about the end.
#[derive(Args, Debug)]
#[command(next_help_heading = heading::END)]
pub(super) struct EndingOptions {
    /// End once an appended line (on a pipe: any line) matches REGEX, after printing it
    #[arg(long, value_name = "REGEX", long_help = ABOUT_UNTIL)]
    #[arg(value_parser = parser(|text| pattern::pattern("--until", text)))]
    until: Option<Regex>,

    /// End after DUR, with status 3 if there is --until, else 0
    #[arg(long, value_name = "DUR", value_parser = parser(duration::duration))]
    timeout: Option<Duration>,

    /// End after DUR without new data
    #[arg(long, value_name = "DUR", value_parser = parser(duration::duration))]
    idle_timeout: Option<Duration>,
}

impl EndingOptions {
    /// When to end, also of those locks and processes.
    pub(super) fn meaning(self, locks: Option<Locks>, pids: Vec<u32>) -> Ending {
        let Self { until, timeout, idle_timeout } = self;
        Ending { until, timeout, idle_timeout, while_locked: locks.is_some_and(|locks| locks.while_locked), pids }
    }
}

/// What was typed about locks: an option of its own, since where sessions come and go no lock is the last.
#[derive(Args, Debug)]
#[command(next_help_heading = heading::END)]
pub(super) struct Locks {
    /// End when no process holds a lock on any of the files, after reading all of them
    #[arg(long, long_help = ABOUT_LOCKS)]
    while_locked: bool,
}

/// What was typed about processes: an option of its own, since GNU has it too.
#[derive(Args, Debug)]
pub(super) struct Processes {
    /// End once the process PID is gone; with several --pid, once all of them are
    #[arg(long, value_name = "PID", help_heading = heading::END)]
    #[arg(action = ArgAction::Append, value_parser = parser(number::pid))]
    pub(super) pid: Vec<u32>,
}
