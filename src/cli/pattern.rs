//! Regular expressions, compiled where they are read: a bad one is refused before any file is touched.

use std::ffi::OsStr;

use regex::bytes::Regex;

use super::complaint::Complaint;
use crate::quote::quote_argument;

/// Whether the case of letters matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Case {
    /// It does.
    Sensitive,
    /// It does not, unless a pattern says so itself.
    Ignored,
}

/// Reads the value of `option`, a pattern for bytes. The complaint ends in the regex library's own words, which show
/// where the pattern goes wrong.
pub(super) fn pattern(option: &str, text: &OsStr) -> Result<Regex, Complaint> {
    let Some(utf8) = text.to_str() else {
        let cause = format!("not UTF-8; write bytes as (?-u:\\xff): {}", quote_argument(text));
        return Err(invalid(option, &cause));
    };
    Regex::new(utf8).map_err(|error| invalid(option, &error.to_string()))
}

/// The same patterns, values of `option`, where case is dealt with so. It is known only once the whole line is read.
pub(super) fn in_case(option: &str, case: Case, patterns: &[Regex]) -> Result<Vec<Regex>, Complaint> {
    let patterns = patterns.iter().map(|pattern| match case {
        Case::Sensitive => Ok(pattern.clone()),
        Case::Ignored => {
            let insensitive = format!("(?i){pattern}");
            Regex::new(&insensitive).map_err(|error| invalid(option, &error.to_string()))
        }
    });
    patterns.collect()
}

fn invalid(option: &str, cause: &str) -> Complaint {
    Complaint::with_pointer(format!("invalid value for '{option}': {cause}"))
}
