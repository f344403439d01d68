//! What to print instead of doing anything, and with which status to end.

use std::error::Error as _;

use clap::error::{ContextKind, ContextValue, ErrorKind};

use super::complaint::{Complaint, Pointer};
use crate::settings::Persona;

/// Why there is no [`Invocation`](super::Invocation). All texts are complete; the caller prints them as they are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// What `--help` or `--version` asked for, for standard output; the status is 0 if it could be written.
    Shown(String),
    /// A usage error.
    Usage {
        /// The lines for standard error, without their newlines; the first begins with the name of the program.
        lines: Vec<String>,
        /// The exit status: 2, and 1 under the name `tail`.
        status: u8,
    },
}

/// Who speaks, and where help on the matter is.
pub(super) struct Address {
    /// The name the program goes by.
    pub(super) persona: Persona,
    /// What to type before `--help`.
    pub(super) page: String,
}

impl Refusal {
    /// A complaint, addressed.
    pub(super) fn usage(address: &Address, complaint: &Complaint) -> Self {
        let is_tail = address.persona == Persona::Tail;
        let hint = complaint.hint().filter(|_| !is_tail);
        let hint = hint.map(|hint| format!("; {hint}")).unwrap_or_default();
        let mut lines: Vec<_> =
            format!("{}: {complaint}{hint}", address.persona.name()).lines().map(str::to_owned).collect();
        let points = match complaint.pointer() {
            Pointer::Always => true,
            Pointer::ExceptTail => !is_tail,
        };
        if points {
            lines.push(format!("Try '{} --help' for more information.", address.page));
        }
        Self::Usage { lines, status: if is_tail { 1 } else { 2 } }
    }

    /// What clap has to say about a canonical line.
    pub(super) fn of_clap(address: &Address, error: &clap::Error) -> Self {
        match error.kind() {
            ErrorKind::DisplayHelp if address.persona == Persona::Tail => {
                Self::Shown(as_gnu_spells(&error.render().to_string()))
            }
            ErrorKind::DisplayHelp | ErrorKind::DisplayVersion => Self::Shown(error.render().to_string()),
            _ => Self::usage(address, &complaint_of(error)),
        }
    }
}

/// Has clap's `--lines <NUM>` read `--lines=NUM`, which programs that read GNU's help understand.
fn as_gnu_spells(help: &str) -> String {
    let mut spelt = String::with_capacity(help.len());
    for line in help.split_inclusive('\n') {
        match line.split_once(" <").and_then(|(option, rest)| Some((option, rest.split_once('>')?))) {
            Some((option, (value, rest))) if option.trim_start().starts_with('-') => {
                spelt.extend([option, "=", value, rest]);
            }
            _ => spelt.push_str(line),
        }
    }
    spelt
}

/// Whether an error is about the option where clap met it, and not about the line as a whole.
pub(super) fn concerns_one_option(error: &clap::Error) -> bool {
    matches!(error.kind(), ErrorKind::DisplayHelp | ErrorKind::DisplayVersion | ErrorKind::ValueValidation)
}

/// Says in our words what clap found wrong. Misspelled and misplaced options never come this far: `getopt` has
/// complained about them.
pub(super) fn complaint_of(error: &clap::Error) -> Complaint {
    if let Some(complaint) = error.source().and_then(|source| source.downcast_ref::<Complaint>()) {
        return complaint.clone();
    }
    match error.kind() {
        ErrorKind::ArgumentConflict => {
            let first = name_in(error, ContextKind::InvalidArg);
            let second = name_in(error, ContextKind::PriorArg);
            Complaint::with_pointer(format!("option '{first}' can't be used with '{second}'"))
        }
        ErrorKind::MissingRequiredArgument => {
            let (operand, hint) = match name_in(error, ContextKind::InvalidArg).as_str() {
                "<PATH>..." => ("path", "to watch the current directory, give ."),
                _ => ("file", "to read standard input, give -"),
            };
            Complaint::with_pointer(format!("missing {operand} operand")).with_hint(Some(hint.to_owned()))
        }
        ErrorKind::MissingSubcommand => Complaint::with_pointer("a command is required"),
        _ => {
            let text = error.render().to_string();
            let first = text.lines().next().unwrap_or_default();
            Complaint::with_pointer(first.strip_prefix("error: ").unwrap_or(first))
        }
    }
}

/// The name in a piece of an error's context: of `--since-offset <N>` and `--wait[=<DUR>]` the option alone.
fn name_in(error: &clap::Error, kind: ContextKind) -> String {
    let text = match error.get(kind) {
        Some(ContextValue::String(text)) => text.as_str(),
        Some(ContextValue::Strings(texts)) => texts.first().map_or("", String::as_str),
        _ => "",
    };
    text.split([' ', '[']).next().unwrap_or_default().to_owned()
}
