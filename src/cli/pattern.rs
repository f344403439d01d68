//! Regular expressions, compiled where they are read: a bad one is refused before any file is touched.

use std::ffi::OsStr;

use regex::bytes::Regex;

use super::complaint::Complaint;
use crate::quote::quote_argument;

/// Reads the value of `option`, a pattern for bytes. The complaint ends in the regex library's own words, which show
/// where the pattern goes wrong.
pub(super) fn pattern(option: &str, text: &OsStr) -> Result<Regex, Complaint> {
    let invalid = |cause: &str| Complaint::with_pointer(format!("invalid value for '{option}': {cause}"));
    let Some(utf8) = text.to_str() else {
        let cause = format!("not UTF-8; write bytes as (?-u:\\xff): {}", quote_argument(text));
        return Err(invalid(&cause));
    };
    Regex::new(utf8).map_err(|error| invalid(&error.to_string()))
}
