//! `rtail stream`: lines for programs, from a known place to an honest end.

use std::ffi::OsString;
use std::path::PathBuf;
use std::time::Duration;

use clap::{ArgMatches, Args, Command, FromArgMatches, ValueHint};

use super::choice::Choice;
use super::complaint::Complaint;
use super::ending::{EndingOptions, Locks, Processes};
use super::looking::LookingOptions;
use super::selection::SelectionOptions;
use super::{Invocation, duration, guide, heading, number, operand, parser, refusal};
use crate::quote::quote;
use crate::settings::{AtEnd, Begin, Format, Looking, Operand, Parse, Stream, Wait};
use crate::tail::looks_like_pattern;

/// The name of the command.
pub(super) const NAME: &str = "stream";

const ABOUT: &str = "Deliver whole lines to programs: resumable, with an honest exit status";

const LONG_ABOUT: &str = "\
Delivers the complete lines of each FILE from its start and follows it by name through rotation, truncation, deletion \
and re-creation. Standard output has data only: the bytes of the files or, with --format json, one record a line. When \
FILE is -, reads standard input. A quoted pattern such as 'logs/*.log' stays open for files that appear later.

With --checkpoint, a run begins where the last one with this checkpoint ended, through all that happened to the files \
meanwhile. Only what the output accepted is recorded: after a kill at any moment, the next run repeats at most what was \
written but not yet recorded, and loses nothing. No two runs can share a checkpoint at a time.

A duration DUR is a number with a unit, 250ms, 5s, 2m or 1h, or a plain number of seconds.";

const ABOUT_NUMBERS: &str = "\
DUR is 250ms, 5s, 2m, 1h, or a plain number of seconds. N and SIZE are numbers of bytes: 4096, 64K, 1M.";

/// The longest line that is held in memory when nothing is said.
const DEFAULT_MAX_LINE: usize = 1024 * 1024;

#[derive(Args, Debug)]
struct StreamArgs {
    /// Begin at byte N of the only FILE, counted from 0
    #[arg(long, value_name = "N", help_heading = heading::BEGINNING, long_help = ABOUT_SINCE_OFFSET)]
    #[arg(conflicts_with = "from", value_parser = parser(number::offset))]
    since_offset: Option<u64>,

    /// Begin at the start or at the end of the files [default: start]
    #[arg(long, value_name = "start|end", help_heading = heading::BEGINNING, long_help = ABOUT_FROM)]
    #[arg(value_parser = FROM, hide_possible_values = true)]
    from: Option<Begin>,

    /// Begin where the last run with this checkpoint ended, and record there what the output accepts
    #[arg(long, value_name = "PATH", help_heading = heading::BEGINNING, long_help = ABOUT_CHECKPOINT)]
    #[arg(value_hint = ValueHint::FilePath)]
    checkpoint: Option<PathBuf>,

    /// Wait for files that are missing at the start, for ever or for DUR, instead of failing
    #[arg(long, value_name = "DUR", help_heading = heading::BEGINNING, long_help = ABOUT_WAIT)]
    #[arg(num_args = 0..=1, require_equals = true, value_parser = parser(duration::duration))]
    #[expect(clippy::option_option, reason = "absent, bare, and with a value")]
    wait: Option<Option<Duration>>,

    /// End at the end of the files
    #[arg(long, conflicts_with_all = ["wait", "while_locked", "pid"], help_heading = heading::FOLLOWING)]
    no_follow: bool,

    // Before the groups: their headings apply to what follows.
    /// The files to read; a quoted pattern such as 'logs/*.log' stays open for files that appear later
    #[arg(value_name = "FILE", value_hint = ValueHint::FilePath, required = true)]
    files: Vec<OsString>,

    #[command(flatten)]
    looking: LookingOptions,

    #[command(flatten)]
    ending: EndingOptions,

    #[command(flatten)]
    locks: Locks,

    #[command(flatten)]
    processes: Processes,

    #[command(flatten)]
    selection: SelectionOptions,

    /// Write the bytes and nothing else (raw), or one JSON record a line (json) [default: raw]
    #[arg(long, value_name = "raw|json", help_heading = heading::OUTPUT, long_help = ABOUT_FORMAT)]
    #[arg(value_parser = FORMATS, hide_possible_values = true)]
    format: Option<Format>,

    /// With --format json: a line that is a JSON object is also given parsed
    #[arg(long, value_name = "json", help_heading = heading::OUTPUT, long_help = ABOUT_PARSE)]
    #[arg(value_parser = PARSED, hide_possible_values = true)]
    parse: Option<Parse>,

    /// Deliver lines longer than SIZE in pieces [default: 1MiB]
    #[arg(long, value_name = "SIZE", help_heading = heading::OUTPUT, long_help = ABOUT_MAX_LINE)]
    #[arg(value_parser = parser(|text| number::size("--max-line", text)))]
    max_line: Option<usize>,

    /// Exit with status 4 if there was a gap or an undecidable case
    #[arg(long, help_heading = heading::OUTPUT, long_help = ABOUT_STRICT)]
    strict: bool,

    /// At the end, account for the bytes of each file: read, delivered, filtered, held back and lost
    #[arg(long, help_heading = heading::OUTPUT, long_help = ABOUT_SUMMARY)]
    summary: bool,
}

const FROM: Choice<Begin> = Choice { option: "--from", words: &[("start", Begin::Start), ("end", Begin::End)] };
const FORMATS: Choice<Format> = Choice { option: "--format", words: &[("raw", Format::Raw), ("json", Format::Json)] };
const PARSED: Choice<Parse> = Choice { option: "--parse", words: &[("json", Parse::Json)] };

const ABOUT_SINCE_OFFSET: &str = "\
Begin at byte N of the only FILE, counted from 0. If the file ends before, it was truncated or replaced since: that is \
said, and everything is delivered from byte 0, so that nothing is lost. With --checkpoint, N counts if the checkpoint \
has nothing about the file";

const ABOUT_FROM: &str = "\
Begin at the start or at the end of the files; with --checkpoint, of those that it has nothing about. A file that \
appears later begins at its start [default: start]";

const ABOUT_CHECKPOINT: &str = "\
Begin where the last run with this checkpoint ended, through rotation, truncation and compression with gzip that \
happened meanwhile, and record there what the output accepts. PATH is made by the first run. A damaged checkpoint, or \
one that another run holds, is an error, status 1. Standard input can't be resumed";

const ABOUT_WAIT: &str = "\
Wait for files that are missing at the start; with DUR, at most that long. Without it a missing file is an error, \
status 1. A file that vanishes later is always waited for, since rotation has such moments";

const ABOUT_FORMAT: &str = "\
What is written: raw, the bytes and nothing else; or json, one record a line, an object with a type (open, line, \
rotate, truncate, gap, ambiguous, error, end) and the path. A line record has its text and offset, and the \
next_offset to resume at [default: raw]";

const ABOUT_PARSE: &str = "\
With --format json: a line that is a JSON object is also given parsed, as fields. One that is not is data with a \
parse_error, never an error";

const ABOUT_MAX_LINE: &str = "\
Hold at most SIZE bytes of an unfinished line in memory. A longer line is delivered in pieces, which --format json \
marks, cut between UTF-8 characters [default: 1MiB]";

const ABOUT_STRICT: &str = "\
Exit with status 4 if something could not be delivered (a gap), or if it could not be known what happened to a file \
(an undecidable case). Both are announced in any case, on standard error or as records";

const ABOUT_SUMMARY: &str = "\
At the end, account for the bytes of each file and its generations: read, delivered, filtered, held back and lost, which \
add up. It goes to standard error or, with --format json, into the end record";

const ABOUT_GREP: &str = "Deliver only lines that match REGEX, or one of several";
const MORE_ABOUT_GREP: &str = "\
A line is matched without its end, so that ^ and $ are its own. Lines that are left out count as read: a checkpoint \
passes over them, and --until sees them. The syntax is that of Rust's regex crate, without look-around and \
back-references: 'error|fatal', '(?i)done$'. Of a line that comes in pieces (--max-line), the first piece decides; of \
one that an earlier run has begun to deliver, the rest comes";
const ABOUT_IGNORE_CASE: &str = "Match letters of either case with --grep and --exclude";

// What the shared options mean where every line delivered is new.
const ABOUT_UNTIL: &str = "End once a line matches REGEX, which is the last one delivered";
const MORE_ABOUT_UNTIL: &str = "\
Every line that this run reads counts, also one that --grep or --exclude leaves out. The syntax is that of Rust's regex crate, without look-around and \
back-references: 'error|fatal', '(?i)done$'";
const MORE_ABOUT_LOCKS: &str = "\
End when no process holds a lock on any of the files, after reading all of them. If nobody holds one when rtail \
starts, it delivers what is there and ends at once";

/// The definition, under the name of the command.
pub(super) fn command() -> Command {
    StreamArgs::augment_args(Command::new(NAME)).display_name("rtail").args_override_self(true)
}

/// Adds what help says of it.
pub(super) fn described(command: Command) -> Command {
    command
        .about(ABOUT)
        .long_about(LONG_ABOUT)
        .after_help(ABOUT_NUMBERS)
        .after_long_help(format!("{}\n\n{}", number::about_multipliers("N or SIZE"), guide::STREAM.blocks()))
        .mut_arg("until", |arg| arg.help(ABOUT_UNTIL).long_help(format!("{ABOUT_UNTIL}. {MORE_ABOUT_UNTIL}")))
        .mut_arg("grep", |arg| arg.help(ABOUT_GREP).long_help(format!("{ABOUT_GREP}. {MORE_ABOUT_GREP}")))
        .mut_arg("ignore_case", |arg| arg.help(ABOUT_IGNORE_CASE))
        .mut_arg("while_locked", |arg| arg.long_help(MORE_ABOUT_LOCKS))
}

/// What a line means that clap matched.
pub(super) fn meaning(mut matches: ArgMatches) -> Result<Invocation, Complaint> {
    let typed = StreamArgs::from_arg_matches_mut(&mut matches).map_err(|error| refusal::complaint_of(&error))?;
    let format = typed.format.unwrap_or(Format::Raw);
    if typed.parse.is_some() && format != Format::Json {
        return Err(Complaint::with_pointer("option '--parse' can't be used without '--format json'"));
    }
    let operands: Vec<_> = typed.files.into_iter().map(operand).collect();
    ensure_one_reader_of_stdin(&operands)?;
    if typed.since_offset.is_some() {
        ensure_one_file(&operands)?;
    }
    if typed.checkpoint.is_some() {
        ensure_resumable(&operands)?;
    }

    let stream = Stream {
        operands,
        begin: typed.since_offset.map(Begin::Offset).or(typed.from).unwrap_or(Begin::Start),
        checkpoint: typed.checkpoint,
        at_end: if typed.no_follow { AtEnd::Stop } else { AtEnd::Follow },
        wait: match typed.wait {
            None => Wait::Never,
            Some(None) => Wait::Always,
            Some(Some(time)) => Wait::For(time),
        },
        looking: typed.looking.looking().unwrap_or(Looking::Events),
        rotate_wait: typed.looking.rotate_wait(),
        ending: typed.ending.meaning(Some(typed.locks), typed.processes.pid),
        selection: typed.selection.meaning()?,
        format,
        parse: typed.parse.unwrap_or(Parse::Nothing),
        max_line: typed.max_line.unwrap_or(DEFAULT_MAX_LINE),
        strict: typed.strict,
        summary: typed.summary,
    };
    Ok(Invocation { command: super::Command::Stream(stream), warnings: Vec::new() })
}

/// What one of two readers takes from standard input, the other never sees.
fn ensure_one_reader_of_stdin(operands: &[Operand]) -> Result<(), Complaint> {
    match operands.iter().filter(|operand| **operand == Operand::Stdin).count() {
        0 | 1 => Ok(()),
        _ => Err(Complaint::with_pointer("standard input ('-') can be given only once")),
    }
}

/// An offset belongs to one file.
fn ensure_one_file(operands: &[Operand]) -> Result<(), Complaint> {
    match operands {
        [Operand::Name(name)] if looks_like_pattern(name) => {
            let name = quote(name);
            Err(Complaint::with_pointer(format!("option '--since-offset' can't be used with a pattern: {name}")))
        }
        [_] => Ok(()),
        _ => Err(Complaint::with_pointer("option '--since-offset' can't be used with more than one FILE")),
    }
}

/// A checkpoint has one position a name, and standard input has none that lasts.
fn ensure_resumable(operands: &[Operand]) -> Result<(), Complaint> {
    for (at, operand) in operands.iter().enumerate() {
        let complaint = match operand {
            Operand::Stdin => {
                "option '--checkpoint' can't be used with '-': standard input can't be resumed".to_owned()
            }
            Operand::Name(name) if operands[..at].contains(operand) => {
                format!("option '--checkpoint' can't be used with a FILE given twice: {}", quote(name))
            }
            Operand::Name(_) => continue,
        };
        return Err(Complaint::with_pointer(complaint));
    }
    Ok(())
}
