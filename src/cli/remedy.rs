//! What to type instead of a line that is refused: it may have been meant for `tail`, or for another command.

use std::ffi::{OsStr, OsString};
use std::iter;
use std::os::unix::ffi::OsStrExt;

use clap::Command;

use super::dialect::Dialect;
use super::{getopt, old_forms, similar};
use crate::quote::quote_if_needed;

/// What makes `tail` follow. The commands of `rtail` do it anyway, and better than `tail -f`.
const IMPLIED: [&str; 3] = ["-f", "-F", "--follow"];

/// A guess at the command that was meant by a name that is none.
pub(super) fn name_meant(root: &Command, name: &OsStr) -> Option<String> {
    let names = root.get_subcommands().map(|command| command.get_name().to_owned());
    similar::closest(name.to_str()?, names).map(|meant| format!("did you mean '{meant}'?"))
}

/// How to follow what was typed with the first command that accepts it; `None` if all would refuse it as well.
pub(super) fn of_all(root: &Command, dialect: Dialect, args: &[OsString]) -> Option<String> {
    root.get_subcommands().find_map(|command| of_one(command, dialect, args))
}

/// How to follow what was typed with this command, the name of which may stand among the arguments; `None` if it would
/// refuse it as well.
pub(super) fn of_one(command: &Command, dialect: Dialect, args: &[OsString]) -> Option<String> {
    let name = command.get_name();
    let knows_implied = command.get_opts().any(|option| option.get_long() == Some("follow"));
    let args: Vec<_> = args.iter().filter(|arg| knows_implied || !is_implied(arg)).cloned().collect();
    let line = getopt::read(command, dialect.order(), old_forms(command), &args);

    let options: String = line.options.iter().filter(|option| !is_implied(option)).map(|o| word(o)).collect();
    let files = match &line.operands[..] {
        [typed, files @ ..] if typed == name || typed == "tail" => files,
        files => files,
    };
    let files = match files {
        [] => " FILE".to_owned(),
        [first, rest @ ..] => {
            let separator = if first != "-" && first.as_bytes().starts_with(b"-") { " --" } else { "" };
            let others = if rest.is_empty() { "" } else { " ..." };
            format!("{separator} {}{others}", quote_if_needed(first))
        }
    };
    let (arguments, mistake) = line.into_parts();
    let line = iter::once(name.into()).chain(arguments);
    let is_accepted = mistake.is_none() && command.clone().try_get_matches_from(line).is_ok();
    is_accepted.then(|| format!("to follow a file: rtail {name}{options}{files}"))
}

fn is_implied(option: &OsStr) -> bool {
    IMPLIED.iter().any(|implied| option == *implied)
}

/// A canonical option as one would type it in a shell, after a blank.
fn word(option: &OsStr) -> String {
    let bytes = option.as_bytes();
    match bytes.iter().position(|&b| b == b'=') {
        Some(at) => {
            let (name, value) = (OsStr::from_bytes(&bytes[..at]), OsStr::from_bytes(&bytes[at + 1..]));
            format!(" {}={}", name.to_string_lossy(), quote_if_needed(value))
        }
        None => format!(" {}", quote_if_needed(option)),
    }
}
