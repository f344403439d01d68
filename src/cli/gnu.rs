//! The options of GNU `tail`, shared by `tail` and `rtail follow`.
//!
//! What depends on the order of options is decided here, from the places clap keeps; which mode is the default, and
//! what the other options mean, is for the commands.

use std::ffi::OsString;
use std::time::Duration;

use clap::parser::ValueSource;
use clap::{ArgAction, ArgMatches, Args};

use super::choice::Choice;
use super::complaint::Complaint;
use super::ending::Processes;
use super::number::{self, Count};
use super::{duration, heading, operand, parser};
use crate::quote::quote;
use crate::settings::{self, Ending, Headers, Looking, Mode, Operand, Persona, Selection, Start, Viewing};

/// How many lines are printed when nothing is said.
const DEFAULT_START: Start = Start::LastLines(10);

/// How long GNU sleeps between looks.
const DEFAULT_SLEEP_INTERVAL: Duration = Duration::from_secs(1);

/// After how many quiet looks GNU opens a file anew.
const DEFAULT_MAX_UNCHANGED_STATS: u64 = 5;

// The options whose order matters, by the names of their fields.
const BYTES: &str = "bytes";
const LINES: &str = "lines";
const FOLLOW: &str = "follow";
const FOLLOW_AND_RETRY: &str = "follow_and_retry";
/// The one of them that GNU does not have.
const NO_FOLLOW: &str = "no_follow";

/// What was typed of GNU's options.
#[derive(Args, Debug)]
#[expect(clippy::struct_excessive_bools, reason = "each is a switch of its own, as typed")]
pub(super) struct GnuOptions {
    /// Print the last NUM lines instead of the last 10; with +NUM, everything from line NUM on
    #[arg(short = 'n', long, value_name = "[+]NUM", help_heading = heading::BEGINNING)]
    #[arg(action = ArgAction::Append, value_parser = parser(number::lines))]
    lines: Vec<Count>,

    /// Print the last NUM bytes; with +NUM, everything from byte NUM on
    #[arg(short = 'c', long, value_name = "[+]NUM", help_heading = heading::BEGINNING)]
    #[arg(action = ArgAction::Append, value_parser = parser(number::bytes))]
    bytes: Vec<Count>,

    /// Print what is appended to the opened file (descriptor, and -f alone) or to the file of that name (name)
    #[arg(short = 'f', long, value_name = "descriptor|name", help_heading = heading::FOLLOWING)]
    #[arg(num_args = 0..=1, require_equals = true, default_missing_value = "descriptor")]
    #[arg(value_parser = FOLLOWED, hide_possible_values = true)]
    follow: Option<Followed>,

    /// The same as --follow=name --retry
    #[arg(short = 'F', help_heading = heading::FOLLOWING)]
    follow_and_retry: bool,

    /// Keep trying to open a file that can't be opened
    #[arg(long, help_heading = heading::FOLLOWING)]
    retry: bool,

    /// While polling, wait N seconds between looks; look for --pid as often [default: 1.0]
    #[arg(short = 's', long, value_name = "N", help_heading = heading::FOLLOWING)]
    #[arg(value_parser = parser(duration::seconds))]
    sleep_interval: Option<Duration>,

    /// While polling by name, open a file anew that has not changed for N looks [default: 5]
    #[arg(long, value_name = "N", help_heading = heading::FOLLOWING)]
    #[arg(value_parser = parser(number::unchanged_stats))]
    max_unchanged_stats: Option<u64>,

    #[command(flatten)]
    processes: Processes,

    /// Never print headers with file names
    #[arg(short = 'q', long, visible_alias = "silent", overrides_with = "verbose", help_heading = heading::OUTPUT)]
    quiet: bool,

    /// Always print headers with file names
    #[arg(short = 'v', long, overrides_with = "quiet", help_heading = heading::OUTPUT)]
    verbose: bool,

    /// Lines end in NUL, not in a newline
    #[arg(short = 'z', long, help_heading = heading::OUTPUT)]
    zero_terminated: bool,

    /// Say on standard error how files are followed, and why
    #[arg(long, help_heading = heading::OUTPUT)]
    debug: bool,

    /// Poll
    #[arg(long, hide = true)]
    disable_inotify: bool,

    /// Read as if from a pipe
    #[arg(long, hide = true)]
    presume_input_pipe: bool,
}

/// What `--follow` follows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Followed {
    Descriptor,
    Name,
}

const FOLLOWED: Choice<Followed> =
    Choice { option: "--follow", words: &[("descriptor", Followed::Descriptor), ("name", Followed::Name)] };

/// How a command follows when no option says.
#[derive(Clone, Copy, Debug)]
pub(super) struct DefaultMode {
    pub(super) mode: Mode,
    pub(super) retry: bool,
}

/// Of options that are about one thing, those that stand last on the line.
#[derive(Clone, Copy, Debug)]
pub(super) struct Last {
    about_start: Option<&'static str>,
    about_mode: Option<&'static str>,
}

impl Last {
    /// To be asked for before the values are taken out.
    pub(super) fn of(matches: &ArgMatches) -> Self {
        Self {
            about_start: last_of(matches, &[LINES, BYTES]),
            about_mode: last_of(matches, &[FOLLOW, FOLLOW_AND_RETRY, NO_FOLLOW]),
        }
    }
}

impl GnuOptions {
    /// What the options mean, and the warnings about those that mean nothing here. What GNU does not have gets
    /// values as if it were not there: a rotated file is let go at once.
    pub(super) fn meaning(
        self,
        persona: Persona,
        default: DefaultMode,
        last: Last,
        files: Vec<OsString>,
    ) -> Result<(settings::Follow, Vec<String>), Complaint> {
        let operands = operands(files);
        let asked = self.asked_mode(last.about_mode);
        if asked == Some(Mode::Name) && operands.contains(&Operand::Stdin) {
            return Err(Complaint::plain(format!("cannot follow {} by name", quote("-"))));
        }

        let mut warnings = Vec::new();
        let mode = asked.unwrap_or(default.mode);
        let mut retry = self.retry || self.follow_and_retry;
        if retry && mode == Mode::Print {
            retry = false;
            warnings.push("warning: --retry ignored; --retry is useful only when following".to_owned());
        } else if retry && mode == Mode::Descriptor {
            warnings.push("warning: --retry only effective for the initial open".to_owned());
        }
        if asked.is_none() {
            retry |= default.retry;
        }
        let mut pids = self.processes.pid.clone();
        if !pids.is_empty() && mode == Mode::Print {
            pids.clear();
            warnings.push("warning: PID ignored; --pid=PID is useful only when following".to_owned());
        }

        let follow = settings::Follow {
            persona,
            operands,
            start: self.start(last.about_start),
            terminator: if self.zero_terminated { 0 } else { b'\n' },
            headers: self.headers(),
            selection: Selection::default(),
            viewing: Viewing::PLAIN,
            mode,
            retry,
            sleep_interval: self.sleep_interval.unwrap_or(DEFAULT_SLEEP_INTERVAL),
            max_unchanged_stats: self.max_unchanged_stats.unwrap_or(DEFAULT_MAX_UNCHANGED_STATS),
            looking: if self.disable_inotify { Looking::Poll(None) } else { Looking::Events },
            rotate_wait: Duration::ZERO,
            ending: Ending { pids, ..Ending::default() },
            debug: self.debug,
            presume_input_pipe: self.presume_input_pipe,
        };
        Ok((follow, warnings))
    }

    /// Where to begin. The last number counts, in its own unit, but a `+` anywhere before it stays in force.
    fn start(&self, last: Option<&str>) -> Start {
        let from_start = self.lines.iter().chain(&self.bytes).any(|count| count.from_start);
        let last = match last {
            Some(BYTES) => self.bytes.last().map(|count| (true, count.number)),
            Some(_) => self.lines.last().map(|count| (false, count.number)),
            None => None,
        };
        match (last, from_start) {
            (None, _) => DEFAULT_START,
            (Some((false, number)), false) => Start::LastLines(number),
            (Some((false, number)), true) => Start::FromLine(number),
            (Some((true, number)), false) => Start::LastBytes(number),
            (Some((true, number)), true) => Start::FromByte(number),
        }
    }

    fn headers(&self) -> Headers {
        match (self.quiet, self.verbose) {
            (true, _) => Headers::Never,
            (false, true) => Headers::Always,
            (false, false) => Headers::Auto,
        }
    }

    /// The mode that the last option about it chose.
    fn asked_mode(&self, last: Option<&str>) -> Option<Mode> {
        match last? {
            FOLLOW_AND_RETRY => Some(Mode::Name),
            NO_FOLLOW => Some(Mode::Print),
            _ => self.follow.map(|followed| match followed {
                Followed::Descriptor => Mode::Descriptor,
                Followed::Name => Mode::Name,
            }),
        }
    }
}

/// The operands as they were typed; without any, standard input.
fn operands(files: Vec<OsString>) -> Vec<Operand> {
    if files.is_empty() {
        return vec![Operand::Stdin];
    }
    files.into_iter().map(operand).collect()
}

/// Which of some options stands last on the line; options that the command doesn't have may be among them.
fn last_of(matches: &ArgMatches, ids: &[&'static str]) -> Option<&'static str> {
    let typed = ids.iter().copied().filter(|id| {
        matches.try_contains_id(id).unwrap_or(false) && matches.value_source(id) == Some(ValueSource::CommandLine)
    });
    typed.max_by_key(|id| matches.indices_of(id).and_then(Iterator::last))
}
