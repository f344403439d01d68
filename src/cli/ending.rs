//! When to end: options shared by the commands that follow.

use std::time::Duration;

use clap::Args;
use regex::bytes::Regex;

use super::{duration, heading, parser, pattern};

/// What was typed about the end.
#[derive(Args, Debug)]
#[command(next_help_heading = heading::END)]
pub(super) struct Ending {
    /// End once an appended line matches REGEX, after printing it
    #[arg(long, value_name = "REGEX", value_parser = parser(pattern::pattern))]
    pub(super) until: Option<Regex>,

    /// End after DUR; with --until, the status is then 3
    #[arg(long, value_name = "DUR", value_parser = parser(duration::duration))]
    pub(super) timeout: Option<Duration>,

    /// End after DUR without new data
    #[arg(long, value_name = "DUR", value_parser = parser(duration::duration))]
    pub(super) idle_timeout: Option<Duration>,

    /// End when no process holds a lock on any of the files any more, after reading all of them
    #[arg(long)]
    pub(super) while_locked: bool,
}
