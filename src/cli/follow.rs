//! `rtail follow`: GNU's options with rtail's defaults, and rtail's own.

use std::ffi::OsString;

use clap::{ArgMatches, Args, Command, FromArgMatches, ValueHint};

use super::complaint::Complaint;
use super::ending::{EndingOptions, Locks};
use super::gnu::{DefaultMode, GnuOptions, Last};
use super::looking::LookingOptions;
use super::selection::{ContextOptions, SelectionOptions};
use super::viewing::ViewingOptions;
use super::{Invocation, guide, heading, number, parser, refusal};
use crate::settings::{Mode, Persona, Start};

/// The name of the command.
pub(super) const NAME: &str = "follow";

const ABOUT: &str = "Print the last 10 lines of each FILE and follow it by name (like tail -F)";

const LONG_ABOUT: &str = "\
Prints the last 10 lines of each FILE and follows it by name through rotation, truncation, deletion and re-creation, \
waiting for files that are not there yet: what tail -F does is the default. With no FILE, or when FILE is -, reads \
standard input. A quoted pattern such as 'logs/*.log' stays open for files that appear later.

The options of GNU tail have GNU's meaning. So -f is not needed to follow; it changes what is followed from the name \
to the file that was opened (the descriptor), which rotation carries away.

A duration DUR is a number with a unit, 250ms, 5s, 2m or 1h, or a plain number of seconds.";

const ABOUT_DURATIONS: &str = "DUR is 250ms, 5s, 2m, 1h, or a plain number of seconds.";

const ABOUT_OLD_FORMS: &str = "\
The old forms work as well: -5, -5f and -20c wherever an option may stand, +3 as the only one before one file.";

#[derive(Args, Debug)]
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
    ending: EndingOptions,

    #[command(flatten)]
    locks: Locks,

    #[command(flatten)]
    selection: SelectionOptions,

    #[command(flatten)]
    context: ContextOptions,

    #[command(flatten)]
    viewing: ViewingOptions,
}

/// The definition, under the name of the command.
pub(super) fn command() -> Command {
    FollowArgs::augment_args(Command::new(NAME)).display_name("rtail").args_override_self(true)
}

/// Adds what help says of it.
pub(super) fn described(command: Command) -> Command {
    command
        .about(ABOUT)
        .long_about(LONG_ABOUT)
        .after_help(ABOUT_DURATIONS)
        .after_long_help(format!(
            "{} {ABOUT_OLD_FORMS}\n\n{}",
            number::about_multipliers("NUM"),
            guide::FOLLOW.blocks()
        ))
        .mut_arg("follow", |arg| arg.help(ABOUT_FOLLOW).long_help(format!("{ABOUT_FOLLOW}. {MORE_ABOUT_FOLLOW}")))
        .mut_arg("follow_and_retry", |arg| arg.help(ABOUT_FOLLOW_AND_RETRY))
        .mut_arg("retry", |arg| arg.help(ABOUT_RETRY))
}

// What GNU's options mean beside another default.
const ABOUT_FOLLOW: &str = "Follow the file that was opened (descriptor, and -f alone) instead of its name";
const MORE_ABOUT_FOLLOW: &str = "\
Without this option rtail follows the name and keeps trying, like tail -F. With descriptor it stays with the file \
that was opened, whatever its name becomes, and a rotated log's successor is not read. With name, unless --retry is \
given, it ends when the last file is gone";
const ABOUT_FOLLOW_AND_RETRY: &str = "The same as --follow=name --retry: the default";
const ABOUT_RETRY: &str = "Keep trying to open a file that can't be opened; on unless -f or --follow is given";

/// What a line means that clap matched.
pub(super) fn meaning(mut matches: ArgMatches) -> Result<Invocation, Complaint> {
    let last = Last::of(&matches);
    let typed = FollowArgs::from_arg_matches_mut(&mut matches).map_err(|error| refusal::complaint_of(&error))?;
    let default = DefaultMode { mode: Mode::Name, retry: true };
    let (mut follow, warnings) = typed.gnu.meaning(Persona::Rtail, default, last, typed.files)?;

    follow.start = typed.since_offset.map_or(follow.start, Start::Offset);
    follow.looking = typed.looking.looking().unwrap_or(follow.looking);
    follow.rotate_wait = typed.looking.rotate_wait();
    follow.ending = typed.ending.meaning(Some(typed.locks), follow.ending.pids);
    follow.selection = typed.selection.meaning()?;
    typed.context.add_to(&mut follow.selection)?;
    follow.viewing = typed.viewing.meaning(typed.selection.case())?;
    Ok(Invocation { command: super::Command::Follow(follow), warnings })
}
