//! `rtail follow`: GNU's options with rtail's defaults, and rtail's own.

use std::ffi::OsString;

use clap::{ArgMatches, Args, Command, FromArgMatches, ValueHint};

use super::complaint::Complaint;
use super::ending::Ending;
use super::gnu::{self, DefaultMode, GnuOptions};
use super::looking::LookingOptions;
use super::{Invocation, heading, number, parser, refusal};
use crate::settings::{Mode, Persona, Start};

/// Print the last 10 lines of each FILE and follow it by name
///
/// Prints the last 10 lines of each FILE and follows it by name through rotation, truncation, deletion and
/// re-creation, waiting for files that are not there yet. With no FILE, or when FILE is -, reads standard input.
///
/// The options of GNU tail have GNU's meaning; --follow=name without --retry ends when the last file is gone.
#[derive(Args, Debug)]
#[command(after_long_help = gnu::ABOUT_NUMBERS)]
struct FollowArgs {
    #[command(flatten)]
    gnu: GnuOptions,

    /// Begin at byte N, counted from 0, instead of the last lines
    #[arg(long, value_name = "N", help_heading = heading::BEGINNING)]
    #[arg(conflicts_with_all = ["lines", "bytes"], value_parser = parser(number::offset))]
    since_offset: Option<u64>,

    /// Print and end; of this, -f, -F and --follow the last one counts
    #[arg(long, conflicts_with_all = ["until", "while_locked"], help_heading = heading::FOLLOWING)]
    no_follow: bool,

    // Before the groups: their headings apply to what follows.
    /// The files to follow; a quoted pattern such as 'logs/*.log' stays open for files that appear later
    #[arg(value_name = "FILE", value_hint = ValueHint::FilePath)]
    files: Vec<OsString>,

    #[command(flatten)]
    looking: LookingOptions,

    #[command(flatten)]
    ending: Ending,
}

/// The definition, under the name of the command.
pub(super) fn command() -> Command {
    FollowArgs::augment_args(Command::new("follow")).args_override_self(true)
}

/// What a line means that clap matched.
pub(super) fn meaning(matches: &ArgMatches) -> Result<Invocation, Complaint> {
    let typed = FollowArgs::from_arg_matches(matches).map_err(|error| refusal::complaint_of(&error))?;
    let default = DefaultMode { mode: Mode::Name, retry: true };
    let (mut follow, warnings) = typed.gnu.meaning(Persona::Rtail, default, matches, typed.files)?;

    follow.start = typed.since_offset.map_or(follow.start, Start::Offset);
    follow.looking = typed.looking.looking().unwrap_or(follow.looking);
    follow.rotate_wait = typed.looking.rotate_wait();
    follow.until = typed.ending.until;
    follow.timeout = typed.ending.timeout;
    follow.idle_timeout = typed.ending.idle_timeout;
    follow.while_locked = typed.ending.while_locked;
    Ok(Invocation { command: super::Command::Follow(follow), warnings })
}
