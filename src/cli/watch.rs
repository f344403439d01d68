//! `rtail watch`: a directory of logs that come and go, live writers told from finished ones.

use std::ffi::OsString;
use std::path::PathBuf;
use std::time::Duration;

use clap::{ArgAction, ArgMatches, Args, Command, FromArgMatches, ValueHint};

use super::choice::Choice;
use super::complaint::Complaint;
use super::ending::EndingOptions;
use super::looking::LookingOptions;
use super::number::{self, Count};
use super::selection::{ContextOptions, SelectionOptions};
use super::viewing::ViewingOptions;
use super::{Invocation, duration, guide, heading, parser, refusal};
use crate::settings::{Beginning, Liveness, Looking, Showing, Start, Watch};
use crate::tail::Selection;

/// The name of the command.
pub(super) const NAME: &str = "watch";

const ABOUT: &str = "Follow all logs of a directory, those that appear later too, and tell which are being written";

const LONG_ABOUT: &str = "\
Follows all files below each PATH, and those that appear later, whatever writes, rotates, truncates or replaces them. A \
line begins with the name of its file. PATH is a directory, which is searched with all directories below it, a file, or \
a quoted pattern such as 'jobs/*/log'. What is missing is waited for.

Each file is a session: active while a process holds a lock on it (flock), completed when that is gone. A file that \
nobody was seen to lock is active while it grows. Standard error says when that changes; with --format json there are \
records for it. What a file is called changes nothing about reading: whatever is appended is shown, a completed session \
that grows is active again, and a file is read to its end before it is called completed. Locks are read from the \
kernel's table, which nobody notices; only where that can't tell (in a container whose logs are written from outside, on \
btrfs and overlayfs) a shared lock is tried for a moment.

Of a directory, hidden files and compressed ones (.gz, .xz, .zst and the like) are left out, and directories that are \
hidden or hold no logs: node_modules, bower_components, vendor, target, venv, __pycache__, CVS. Links to files are \
followed, those to directories are not.

A duration DUR is a number with a unit, 250ms, 5s, 2m or 1h, or a plain number of seconds.";

const ABOUT_DURATIONS: &str = "DUR is 250ms, 5s, 2m, 1h, or a plain number of seconds.";

/// How long a file that nobody locks is active without growing.
const DEFAULT_IDLE_AFTER: Duration = Duration::from_secs(30);

/// How many completed sessions are held open.
const DEFAULT_KEEP: u64 = 100;

#[derive(Args, Debug)]
struct WatchArgs {
    /// Show the last N lines of each file that is there; with +N, everything from line N on
    #[arg(short = 'n', long, value_name = "[+]N", help_heading = heading::BEGINNING, long_help = ABOUT_LINES)]
    #[arg(conflicts_with = "from", value_parser = parser(number::lines))]
    lines: Option<Count>,

    /// Show everything (start) or nothing (end) of the files that are there
    #[arg(long, value_name = "start|end", help_heading = heading::BEGINNING, long_help = ABOUT_FROM)]
    #[arg(value_parser = FROM, hide_possible_values = true)]
    from: Option<Start>,

    /// Begin where the last run with this checkpoint ended, and record there what the output accepts
    #[arg(long, value_name = "PATH", help_heading = heading::BEGINNING, long_help = ABOUT_CHECKPOINT)]
    #[arg(value_hint = ValueHint::FilePath)]
    checkpoint: Option<PathBuf>,

    /// Of directories, only files whose names match PATTERN; may be given several times
    #[arg(long, value_name = "PATTERN", help_heading = heading::FILES, long_help = ABOUT_GLOB)]
    #[arg(action = ArgAction::Append)]
    glob: Vec<OsString>,

    /// Not the directories whose names match NAME; may be given several times
    #[arg(long, value_name = "NAME", help_heading = heading::FILES, action = ArgAction::Append)]
    exclude_dir: Vec<OsString>,

    /// Go down N levels of directories; 1 is PATH alone
    #[arg(long, value_name = "N", help_heading = heading::FILES, value_parser = parser(number::depth))]
    depth: Option<u64>,

    /// By what a file is active: its lock or, without one, its growth (auto), one of them, or don't tell (none)
    #[arg(long, value_name = "auto|lock|growth|none", help_heading = heading::SESSIONS, long_help = ABOUT_STATE)]
    #[arg(value_parser = STATES, hide_possible_values = true)]
    state: Option<Liveness>,

    /// A file without a lock is completed when it has not grown for DUR [default: 30s]
    #[arg(long, value_name = "DUR", help_heading = heading::SESSIONS, value_parser = parser(duration::duration))]
    idle_after: Option<Duration>,

    /// Hold N completed sessions open [default: 100]
    #[arg(long, value_name = "N", help_heading = heading::SESSIONS, long_help = ABOUT_KEEP)]
    #[arg(value_parser = parser(number::kept))]
    keep: Option<u64>,

    // Before the groups: their headings apply to what follows.
    /// The directories, files and quoted patterns to watch
    #[arg(value_name = "PATH", value_hint = ValueHint::AnyPath, required = true)]
    paths: Vec<PathBuf>,

    #[command(flatten)]
    looking: LookingOptions,

    #[command(flatten)]
    ending: EndingOptions,

    #[command(flatten)]
    selection: SelectionOptions,

    #[command(flatten)]
    context: ContextOptions,

    #[command(flatten)]
    viewing: ViewingOptions,

    /// Write lines behind the names of their files (text), or one JSON record a line (json) [default: text]
    #[arg(long, value_name = "text|json", help_heading = heading::OUTPUT, long_help = ABOUT_FORMAT)]
    #[arg(value_parser = FORMATS, hide_possible_values = true)]
    format: Option<Showing>,
}

const FROM: Choice<Start> =
    Choice { option: "--from", words: &[("start", Start::FromByte(1)), ("end", Start::LastBytes(0))] };
const FORMATS: Choice<Showing> =
    Choice { option: "--format", words: &[("text", Showing::Text), ("json", Showing::Json)] };
const STATES: Choice<Liveness> = Choice {
    option: "--state",
    words: &[
        ("auto", Liveness::Auto),
        ("lock", Liveness::Lock),
        ("growth", Liveness::Growth),
        ("none", Liveness::Untold),
    ],
};

const ABOUT_LINES: &str = "\
Show the last N lines of each file that is there at the start; with +N, everything from line N on. Without this option \
and --from, everything is shown of files that are locked, and nothing of the others. A file that appears later begins at \
its start";

const ABOUT_FROM: &str = "\
Show everything (start) or nothing (end) of the files that are there at the start; with --checkpoint, of those that it \
has nothing about";

const ABOUT_CHECKPOINT: &str = "\
Begin where the last run with this checkpoint ended, and record there what the output accepts. PATH is made by the \
first run. A damaged checkpoint, or one that another run holds, is an error, status 1";

const ABOUT_GLOB: &str = "\
Of directories, only files whose names match PATTERN, in which * and ? don't match a dot that begins a name; may be \
given several times. Without this option all files but hidden and compressed ones";

const ABOUT_STATE: &str = "\
By what a file is active: auto, while a process holds a lock on it or, if nobody was ever seen to, while it grows; lock, \
while a process holds a lock on it; growth, while it grows; none: that is neither looked for nor told";

const ABOUT_KEEP: &str = "\
Hold N completed sessions open. Of others only the place is remembered; they go on there when they grow or are locked \
again [default: 100]";

const ABOUT_FORMAT: &str = "\
What is written: text, lines behind the names of their files; or json, one record a line, as of rtail stream, for the \
lines that --grep and --exclude select and for everything that happens to files, and a record of type state for each change of a session, with state (active, completed, unknown), evidence (lock, growth) and \
holder_pid, the process that holds the lock, where that is known [default: text]";

// What the shared options mean where every line shown may be the one.
const ABOUT_UNTIL: &str = "End once a line matches REGEX, which is the last one shown";
const MORE_ABOUT_UNTIL: &str = "\
Every line that this run shows counts. The syntax is that of Rust's regex crate, without look-around and \
back-references: 'error|fatal', '(?i)done$'";

// What a label means where lines have one anyway.
const ABOUT_LABEL: &str =
    "Begin each line with its file's name (name), all of its path (path), or nothing [default: name]";
const MORE_ABOUT_LABEL: &str = "\
Of a name, as much of the end as tells the files apart is shown. Labels are padded to a column, and each file has a \
colour of its own";

/// The definition, under the name of the command.
pub(super) fn command() -> Command {
    WatchArgs::augment_args(Command::new(NAME)).display_name("rtail").args_override_self(true)
}

/// Adds what help says of it.
pub(super) fn described(command: Command) -> Command {
    command
        .about(ABOUT)
        .long_about(LONG_ABOUT)
        .after_help(ABOUT_DURATIONS)
        .after_long_help(format!("{}\n\n{}", number::about_multipliers("N"), guide::WATCH.blocks()))
        .mut_arg("until", |arg| arg.help(ABOUT_UNTIL).long_help(format!("{ABOUT_UNTIL}. {MORE_ABOUT_UNTIL}")))
        .mut_arg("label", |arg| arg.help(ABOUT_LABEL).long_help(format!("{ABOUT_LABEL}. {MORE_ABOUT_LABEL}")))
}

/// What a line means that clap matched.
pub(super) fn meaning(mut matches: ArgMatches) -> Result<Invocation, Complaint> {
    let typed = WatchArgs::from_arg_matches_mut(&mut matches).map_err(|error| refusal::complaint_of(&error))?;
    if typed.paths.iter().any(|path| path == "-") {
        let complaint = Complaint::with_pointer("standard input ('-') can't be watched");
        return Err(complaint.with_hint(Some("a file of that name is ./-".to_owned())));
    }
    for pattern in typed.glob.iter().chain(&typed.exclude_dir) {
        let one = std::slice::from_ref(pattern);
        Selection::new(one, &[], None).map_err(|error| Complaint::with_pointer(error.to_string()))?;
    }

    let case = typed.selection.case();
    let mut chosen = typed.selection.meaning()?;
    typed.context.add_to(&mut chosen)?;
    let showing = typed.format.unwrap_or(Showing::Text);
    if showing == Showing::Json
        && let Some(option) = typed.context.first().or_else(|| typed.viewing.first())
    {
        let complaint = format!("option '{option}' can't be used with '--format json': it is for people");
        return Err(Complaint::with_pointer(complaint));
    }

    let lines = |count: Count| match count {
        Count { from_start: true, number } => Start::FromLine(number),
        Count { from_start: false, number } => Start::LastLines(number),
    };
    let watch = Watch {
        paths: typed.paths,
        globs: typed.glob,
        left_out: typed.exclude_dir,
        depth: typed.depth.map(|depth| usize::try_from(depth).unwrap_or(usize::MAX)),
        beginning: typed.from.or(typed.lines.map(lines)).map_or(Beginning::Active, Beginning::Everywhere),
        liveness: typed.state.unwrap_or(Liveness::Auto),
        idle_after: typed.idle_after.unwrap_or(DEFAULT_IDLE_AFTER),
        keep: usize::try_from(typed.keep.unwrap_or(DEFAULT_KEEP)).unwrap_or(usize::MAX),
        checkpoint: typed.checkpoint,
        looking: typed.looking.looking().unwrap_or(Looking::Events),
        rotate_wait: typed.looking.rotate_wait(),
        ending: typed.ending.meaning(None, Vec::new()),
        showing,
        selection: chosen,
        viewing: typed.viewing.labelled().meaning(case)?,
    };
    Ok(Invocation { command: super::Command::Watch(watch), warnings: Vec::new() })
}
