//! The name `tail`: GNU `tail` to the letter.

use std::ffi::OsString;

use clap::{ArgAction, ArgMatches, Args, Command, FromArgMatches};

use super::complaint::Complaint;
use super::gnu::{DefaultMode, GnuOptions, Last};
use super::{Invocation, number, refusal};
use crate::settings::{Mode, Persona};

const ABOUT_OLD_FORMS: &str = "The old forms work as the only option before one file: -5f, -20c, +3.";

/// Print the last 10 lines of each FILE to standard output. With more than one FILE, precede each with a header giving
/// the file name. With no FILE, or when FILE is -, read standard input.
#[derive(Args, Debug)]
#[command(
    version = env!("CARGO_PKG_VERSION"),
    display_name = "tail (rtail)",
    help_template = "{usage-heading} {usage}\n{about}\n\n{options}{after-help}",
    override_usage = "tail [OPTION]... [FILE]...",
    after_help = format!("{} {ABOUT_OLD_FORMS}", number::about_multipliers("NUM")),
    disable_help_flag = true,
    disable_version_flag = true,
)]
struct TailArgs {
    #[command(flatten)]
    gnu: GnuOptions,

    /// Display this help and exit
    #[arg(long, action = ArgAction::HelpShort)]
    help: Option<bool>,

    /// Output version information and exit
    #[arg(long, action = ArgAction::Version)]
    version: Option<bool>,

    /// The files to print
    #[arg(value_name = "FILE")]
    files: Vec<OsString>,
}

/// The definition, under the name of the program.
pub(super) fn command() -> Command {
    TailArgs::augment_args(Command::new("tail"))
        .mut_args(|arg| arg.help_heading(None))
        .args_override_self(true)
        .max_term_width(80)
}

/// What a line means that clap matched.
pub(super) fn meaning(mut matches: ArgMatches) -> Result<Invocation, Complaint> {
    let last = Last::of(&matches);
    let typed = TailArgs::from_arg_matches_mut(&mut matches).map_err(|error| refusal::complaint_of(&error))?;
    let default = DefaultMode { mode: Mode::Print, retry: false };
    let (follow, warnings) = typed.gnu.meaning(Persona::Tail, default, last, typed.files)?;
    Ok(Invocation { command: super::Command::Follow(follow), warnings })
}
