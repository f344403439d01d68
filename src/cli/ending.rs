//! When to end: options shared by the commands that follow.

use std::time::Duration;

use clap::Args;
use regex::bytes::Regex;

use super::{duration, heading, parser, pattern};

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
pub(super) struct Ending {
    /// End once an appended line (on a pipe: any line) matches REGEX, after printing it
    #[arg(long, value_name = "REGEX", long_help = ABOUT_UNTIL)]
    #[arg(value_parser = parser(|text| pattern::pattern("--until", text)))]
    pub(super) until: Option<Regex>,

    /// End after DUR, with status 3 if there is --until, else 0
    #[arg(long, value_name = "DUR", value_parser = parser(duration::duration))]
    pub(super) timeout: Option<Duration>,

    /// End after DUR without new data
    #[arg(long, value_name = "DUR", value_parser = parser(duration::duration))]
    pub(super) idle_timeout: Option<Duration>,

    /// End when no process holds a lock on any of the files, after reading all of them
    #[arg(long, long_help = ABOUT_LOCKS)]
    pub(super) while_locked: bool,
}
