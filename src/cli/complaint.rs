//! What is wrong with a command line, in words, before it is known who says so.

use std::fmt;

/// A mistake on the command line.
///
/// It is the error type of everything that reads arguments; [`Refusal`](super::Refusal) adds the name of the
/// program, the pointer to `--help` and the status.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Complaint {
    text: String,
    hint: Option<String>,
    pointer: Pointer,
}

/// Whether `Try '… --help' for more information.` follows the text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Pointer {
    /// Always, as where GNU prints it.
    Always,
    /// Under the name `rtail` only: GNU does not print it here, but it helps.
    ExceptTail,
}

impl Complaint {
    /// A complaint after which GNU points to `--help`.
    pub(super) fn with_pointer(text: impl Into<String>) -> Self {
        Self { text: text.into(), hint: None, pointer: Pointer::Always }
    }

    /// A complaint after which GNU says no more.
    pub(super) fn plain(text: impl Into<String>) -> Self {
        Self { text: text.into(), hint: None, pointer: Pointer::ExceptTail }
    }

    /// Adds the remedy, if there is one, in place of an earlier one: `use -n 5`. GNU doesn't guess, so it is said
    /// under the name `rtail` only.
    pub(super) fn with_hint(self, hint: Option<String>) -> Self {
        Self { hint: hint.or(self.hint), ..self }
    }

    /// The remedy, to follow the text after a semicolon.
    pub(super) fn hint(&self) -> Option<&str> {
        self.hint.as_deref()
    }

    /// When to point to `--help`.
    pub(super) fn pointer(&self) -> Pointer {
        self.pointer
    }
}

impl fmt::Display for Complaint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl std::error::Error for Complaint {}
