//! What the environment says about the syntax of command lines.

use std::env;
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;

use super::getopt::Order;

/// The edition of POSIX that GNU programs conform to on this system, where `_POSIX2_VERSION` doesn't say.
const DEFAULT_EDITION: i32 = 200_809;

/// The syntax in force: GNU's, bent by `POSIXLY_CORRECT` and `_POSIX2_VERSION`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Dialect {
    options_first: bool,
    edition: i32,
}

impl Default for Dialect {
    fn default() -> Self {
        Self { options_first: false, edition: DEFAULT_EDITION }
    }
}

impl Dialect {
    /// The dialect that this process' environment asks for.
    pub(super) fn of_environment() -> Self {
        Self {
            options_first: env::var_os("POSIXLY_CORRECT").is_some(),
            edition: env::var_os("_POSIX2_VERSION").and_then(|text| edition(&text)).unwrap_or(DEFAULT_EDITION),
        }
    }

    /// This dialect with options before operands only.
    #[cfg(test)]
    pub(super) fn posixly_correct(self) -> Self {
        Self { options_first: true, ..self }
    }

    /// This dialect in the edition of a value of `_POSIX2_VERSION`.
    #[cfg(test)]
    pub(super) fn in_edition(self, text: &str) -> Self {
        Self { edition: edition(text.as_ref()).unwrap_or(DEFAULT_EDITION), ..self }
    }

    /// Whether options may follow operands.
    pub(super) fn order(self) -> Order {
        if self.options_first { Order::OptionsFirst } else { Order::Any }
    }

    /// Whether `-c` alone, and before an operand, is the old form. It was until 2001; then `-c` got an argument.
    pub(super) fn prefers_old_forms(self) -> bool {
        self.edition < 200_112
    }

    /// Whether `+3` is an old form and not a file name. Only the editions of 2001 to before 2008 forbade it.
    pub(super) fn has_plus_form(self) -> bool {
        self.prefers_old_forms() || self.edition >= 200_809
    }
}

/// Reads an edition as C's `strtol` does; what is not wholly a number counts as absent.
fn edition(text: &OsStr) -> Option<i32> {
    let text = std::str::from_utf8(text.as_bytes()).ok()?.trim_start();
    let number: i64 = text.parse().ok()?;
    Some(i32::try_from(number).unwrap_or(if number < 0 { i32::MIN } else { i32::MAX }))
}
