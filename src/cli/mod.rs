//! The command line: from the arguments to [`settings`].
//!
//! Arguments become settings in four steps, each in its own file:
//!
//! 1. `old_form` rewrites what is older than getopt, `-5f` and `+3`, into ordinary options.
//! 2. `getopt` reads options by GNU's rules, reports misuse in GNU's words, and spells the line in one canonical
//!    way, so that clap can't read it by rules of its own.
//! 3. clap fills structures that hold what was typed: `gnu`, `looking`, `ending`, `selection` and `viewing` are
//!    groups of options shared by commands. Values are read by `number`, `duration`, `pattern` and `choice`.
//! 4. `follow`, `stream`, `watch` and `tail`, one file a command, turn what was typed into what it means.
//!
//! Around them: `complaint` and `refusal` word mistakes, `similar` guesses at misspelled names and `remedy` at lines
//! for another command, `guide` has the examples and statuses that `--help` and the man pages show.
//!
//! Parsing has no side effects: nothing here opens, prints or exits. Whether a name exists, and so whether what looks
//! like a glob pattern is one, is not decided here.

mod choice;
mod complaint;
mod dialect;
mod duration;
mod ending;
mod follow;
mod getopt;
mod gnu;
pub mod guide;
mod looking;
mod number;
mod old_form;
mod pattern;
mod refusal;
mod remedy;
mod selection;
mod similar;
mod stream;
mod tail;
mod viewing;
mod watch;

#[cfg(test)]
mod tests;

use std::ffi::{OsStr, OsString};
use std::iter;
use std::mem;
use std::path::Path;

use clap::builder::{OsStringValueParser, TypedValueParser};
use clap::{Arg, ValueHint};

use self::complaint::Complaint;
use self::dialect::Dialect;
use self::getopt::{Line, OldForms, Order};
use self::refusal::Address;
use crate::quote::quote_argument;
use crate::settings::{self, Operand, Persona};

pub use self::refusal::Refusal;

/// The headings of `--help`, in their order there.
mod heading {
    pub(super) const BEGINNING: &str = "Where to begin";
    pub(super) const FILES: &str = "Which files";
    pub(super) const SESSIONS: &str = "Sessions";
    pub(super) const FOLLOWING: &str = "How to follow";
    pub(super) const END: &str = "When to end";
    pub(super) const OUTPUT: &str = "Output";
    pub(super) const SELECTION: &str = "Which lines to show";
    pub(super) const VIEW: &str = "How lines look";
}

/// What the command line asks for.
#[derive(Debug)]
pub struct Invocation {
    /// The command and its settings.
    pub command: Command,
    /// What was typed without effect, for standard error before anything is done: `warning: --retry ignored; …`,
    /// to be preceded by the name of the program.
    pub warnings: Vec<String>,
}

/// One command of the program.
#[derive(Debug)]
pub enum Command {
    /// `rtail follow`, and all that `tail` does.
    Follow(settings::Follow),
    /// `rtail stream`.
    Stream(settings::Stream),
    /// `rtail watch`.
    Watch(settings::Watch),
}

/// Tells under which name the program was called: `tail` is [`Persona::Tail`] in whatever directory it is,
/// everything else is [`Persona::Rtail`].
#[must_use]
pub fn persona(program: &OsStr) -> Persona {
    match Path::new(program).file_name() {
        Some(name) if name == "tail" => Persona::Tail,
        _ => Persona::Rtail,
    }
}

/// Reads a command line, the program's own name first.
///
/// Looks at the environment for `POSIXLY_CORRECT` and `_POSIX2_VERSION`, and at nothing else.
///
/// # Errors
///
/// A [`Refusal`] says what to print instead of doing anything, and the exit status.
pub fn parse(args: impl IntoIterator<Item = OsString>) -> Result<Invocation, Refusal> {
    parse_in(Dialect::of_environment(), args)
}

/// One of the commands.
#[derive(Clone, Copy)]
struct Subcommand {
    name: &'static str,
    define: fn() -> clap::Command,
    describe: fn(clap::Command) -> clap::Command,
}

/// The commands, in their order in `--help`.
const COMMANDS: [Subcommand; 3] = [
    Subcommand { name: follow::NAME, define: follow::command, describe: follow::described },
    Subcommand { name: stream::NAME, define: stream::command, describe: stream::described },
    Subcommand { name: watch::NAME, define: watch::command, describe: watch::described },
];

/// The definition of `rtail`'s command line, with all that help, completions and man pages need.
#[must_use]
pub fn command() -> clap::Command {
    root().subcommands(COMMANDS.map(|command| (command.describe)((command.define)()).mut_args(with_value_hint)))
}

/// As much of the definition as it takes to read a line that begins so: to define a command takes longer than that.
fn command_for(args: &[OsString]) -> clap::Command {
    let named = COMMANDS.iter().find(|command| args.first().is_some_and(|first| first == command.name));
    named.map_or_else(command, |command| root().subcommand((command.define)()))
}

/// Whether options, in canonical spelling, ask for help.
fn ask_for_help(options: &[OsString]) -> bool {
    options.iter().any(|option| option == "-h" || option == "--help")
}

fn root() -> clap::Command {
    clap::Command::new("rtail")
        .version(env!("CARGO_PKG_VERSION"))
        .about("Follows log files and never loses, repeats or tears a line without saying so")
        .after_help("Under the name 'tail', this program is GNU tail: its options, defaults and messages.")
        .subcommand_required(true)
        .disable_help_subcommand(true)
        .propagate_version(true)
        .max_term_width(100)
}

fn parse_in(dialect: Dialect, args: impl IntoIterator<Item = OsString>) -> Result<Invocation, Refusal> {
    let mut args = args.into_iter();
    let persona = persona(&args.next().unwrap_or_default());
    let args: Vec<_> = args.collect();
    match persona {
        Persona::Tail => parse_tail(dialect, &args),
        Persona::Rtail => parse_rtail(dialect, &args),
    }
}

fn parse_tail(dialect: Dialect, args: &[OsString]) -> Result<Invocation, Refusal> {
    let mut command = tail::command();
    command.build();
    let address = Address { persona: Persona::Tail, page: "tail".to_owned() };

    let (arguments, mistake) = read_line(&command, dialect, OldForms::Alone, args).into_parts();
    let mistake = mistake.map(|mistake| mistake.complaint(|| None));
    let matches = match_line(command, arguments, mistake, &address)?;
    tail::meaning(matches).map_err(|complaint| Refusal::usage(&address, &complaint))
}

fn parse_rtail(dialect: Dialect, args: &[OsString]) -> Result<Invocation, Refusal> {
    let mut address = Address { persona: Persona::Rtail, page: "rtail".to_owned() };

    // `rtail help follow` is another way to say `rtail follow --help`.
    let asked = args.iter().take_while(|arg| *arg == "help").count();
    let help = (asked > 0).then(|| [&args[asked..], &["--help".into()]].concat());
    let args = help.as_deref().unwrap_or(args);
    let mut root = command_for(args);
    root.build();
    // What another command would make of it.
    let remedy_of_all = |args: &[OsString]| {
        let mut root = command();
        root.build();
        remedy::of_all(&root, dialect, args)
    };

    // The first operand names the command; everything after it is the command's own.
    let line = getopt::read(&root, Order::OptionsFirst, OldForms::Nowhere, args);
    let remedy = || remedy_of_all(args);
    let mut arguments = line.options;
    let mut mistake = line.mistake.map(|mistake| mistake.complaint(remedy));
    if let (None, Some((name, rest))) = (&mistake, line.operands.split_first()) {
        if let Some(command) = root.find_subcommand(name) {
            address.page = format!("rtail {}", command.get_name());
            let (own, own_mistake) = read_line(command, dialect, old_forms(command), rest).into_parts();
            arguments.push(name.clone());
            arguments.extend(own);
            let remedy = || remedy::of_one(command, dialect, rest).or_else(|| remedy_of_all(rest));
            mistake = own_mistake.map(|mistake| mistake.complaint(remedy));
        } else {
            let complaint = Complaint::with_pointer(format!("unrecognized command {}", quote_argument(name)));
            mistake = Some(complaint.with_hint(remedy::name_meant(&root, name).or_else(remedy)));
        }
    }

    let root = if ask_for_help(&arguments) { command() } else { root };
    let mut matches = match_line(root, arguments, mistake, &address)?;
    let (name, matches) = matches.remove_subcommand().unwrap_or_default();
    let meaning = match name.as_str() {
        follow::NAME => follow::meaning(matches),
        stream::NAME => stream::meaning(matches),
        watch::NAME => watch::meaning(matches),
        _ => Err(Complaint::with_pointer("a command is required")),
    };
    meaning.map_err(|complaint| Refusal::usage(&address, &complaint))
}

/// What a FILE on the command line is.
fn operand(file: OsString) -> Operand {
    if file == "-" { Operand::Stdin } else { Operand::Name(file.into()) }
}

/// Keeps shells from offering file names as numbers, durations and patterns.
fn with_value_hint(arg: Arg) -> Arg {
    let is_option_with_value = !arg.is_positional() && arg.get_action().takes_values();
    if is_option_with_value && arg.get_value_hint() == ValueHint::Unknown {
        arg.value_hint(ValueHint::Other)
    } else {
        arg
    }
}

/// A clap parser of a function that reads a value, bytes and all.
fn parser<T: Clone + Send + Sync + 'static>(
    read: fn(&OsStr) -> Result<T, Complaint>,
) -> impl TypedValueParser<Value = T> {
    OsStringValueParser::new().try_map(move |text| read(&text))
}

/// Where a command of `rtail` takes old forms.
fn old_forms(command: &clap::Command) -> OldForms {
    if command.get_name() == follow::NAME { OldForms::Anywhere } else { OldForms::Nowhere }
}

/// Reads the arguments of one command: old forms first, then options as GNU reads them.
fn read_line(command: &clap::Command, dialect: Dialect, old_forms: OldForms, args: &[OsString]) -> Line {
    let modern = match (old_forms, args.first()) {
        (OldForms::Alone, _) => old_form::modernise(dialect, args),
        // Of those with a dash only numbers are old forms here, which the reader knows; `-l` is an option of its own.
        (OldForms::Anywhere, Some(first)) if !first.as_encoded_bytes().starts_with(b"-") => {
            old_form::modernise(dialect, args)
        }
        _ => args.to_vec(),
    };
    getopt::read(command, dialect.order(), old_forms, &modern)
}

/// Has clap match a line that was read up to a mistake, or to its end.
fn match_line(
    mut command: clap::Command,
    arguments: Vec<OsString>,
    mistake: Option<Complaint>,
    address: &Address,
) -> Result<clap::ArgMatches, Refusal> {
    let name = OsString::from(command.get_name());
    let result = command.try_get_matches_from_mut(iter::once(name).chain(arguments));
    // To take a definition apart takes as long as to match a line by it, and there is only one.
    mem::forget(command);
    match (result, mistake) {
        (Ok(matches), None) => Ok(matches),
        // GNU acts on each option as it reads it, so what clap says of one goes before the mistake after it, and
        // what it says of the whole line after.
        (Err(error), Some(_)) if refusal::concerns_one_option(&error) => Err(Refusal::of_clap(address, &error)),
        (_, Some(mistake)) => Err(Refusal::usage(address, &mistake)),
        (Err(error), None) => Err(Refusal::of_clap(address, &error)),
    }
}
