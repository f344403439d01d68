//! When to look at files, and how long at rotated ones: options shared by the commands that follow.

use std::time::Duration;

use clap::Args;

use super::{duration, heading, parser};
use crate::settings::Looking;

/// How long a rotated file is read on when nothing is said: some daemons learn late that their log was rotated.
const DEFAULT_ROTATE_WAIT: Duration = Duration::from_secs(5);

/// What was typed about looking.
#[derive(Args, Debug)]
#[command(next_help_heading = heading::FOLLOWING)]
pub(super) struct LookingOptions {
    /// Look at a fixed interval instead of waiting for events [default: 250ms while files change, else 1s]
    #[arg(
        long,
        value_name = "DUR",
        num_args = 0..=1,
        require_equals = true,
        value_parser = parser(|text| duration::interval("--poll", text))
    )]
    #[expect(clippy::option_option, reason = "absent, bare, and with a value")]
    poll: Option<Option<Duration>>,

    /// Read a rotated file until it was quiet for DUR, then let it go [default: 5s]
    #[arg(long, value_name = "DUR", value_parser = parser(duration::duration))]
    rotate_wait: Option<Duration>,
}

impl LookingOptions {
    /// What makes rtail look, if it was said.
    pub(super) fn looking(&self) -> Option<Looking> {
        self.poll.map(Looking::Poll)
    }

    /// How long a rotated file must be quiet.
    pub(super) fn rotate_wait(&self) -> Duration {
        self.rotate_wait.unwrap_or(DEFAULT_ROTATE_WAIT)
    }
}
