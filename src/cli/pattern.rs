//! Regular expressions, compiled where they are read: a bad one is refused before any file is touched.

use std::ffi::OsStr;

use regex::bytes::Regex;

use super::complaint::Complaint;
use crate::quote::quote_argument;

/// Reads a pattern for bytes. The complaint is the regex library's own, which shows where the pattern goes wrong.
pub(super) fn pattern(text: &OsStr) -> Result<Regex, Complaint> {
    let Some(text) = text.to_str() else {
        let text =
            format!("invalid regular expression: {}: not UTF-8; write bytes as (?-u:\\xff)", quote_argument(text));
        return Err(Complaint::complete(text));
    };
    Regex::new(text).map_err(|error| Complaint::complete(error.to_string()))
}
