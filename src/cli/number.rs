//! Whole numbers as GNU writes them: signs, blanks, multipliers.
//!
//! What is too big for a file is the biggest there is, not an error: `-n 99999999999999999999` is everything.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;

use super::complaint::Complaint;
use crate::quote::quote_argument;

/// The biggest count, the same as GNU's: no file has an offset beyond it. Bigger ones are read as this one.
pub(super) const COUNT_MAX: u64 = i64::MAX as u64;

/// The biggest process ID that the kernel's type holds.
const PID_MAX: u64 = i32::MAX as u64;

/// GNU's words for `EOVERFLOW`, which it reports for numbers outside the range that an option allows.
const OUT_OF_RANGE: &str = "Value too large for defined data type";

/// What `--help` says about numbers, which it calls by this name.
pub(super) fn about_multipliers(name: &str) -> String {
    format!(
        "{name} may end in a multiplier: b 512, kB 1000, K 1024, MB 1000*1000, M 1024*1024, and so on for G, T, P, \
         E, Z, Y, R, Q. Binary prefixes can be used, too: KiB=K, MiB=M, and so on."
    )
}

/// The value of `-n` or `-c`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Count {
    /// Whether the number began with `+`, and so counts from the start.
    pub(super) from_start: bool,
    /// How many lines or bytes; at most [`COUNT_MAX`].
    pub(super) number: u64,
}

/// Reads the value of `-n`.
pub(super) fn lines(text: &OsStr) -> Result<Count, Complaint> {
    count(text, "lines")
}

/// Reads the value of `-c`.
pub(super) fn bytes(text: &OsStr) -> Result<Count, Complaint> {
    count(text, "bytes")
}

/// Reads the value of `--since-offset`, a number of bytes with GNU's multipliers.
pub(super) fn offset(text: &OsStr) -> Result<u64, Complaint> {
    natural(text, Multipliers::Allowed, "offset")
}

/// Reads the value of `option`, a number of bytes with GNU's multipliers: not zero, or nothing would fit.
pub(super) fn size(option: &str, text: &OsStr) -> Result<usize, Complaint> {
    match Number::parse(text.as_bytes(), Multipliers::Allowed) {
        Some(Number { magnitude: 0, .. }) => {
            let text = quote_argument(text);
            Err(Complaint::plain(format!("invalid value for '{option}': {text}: at least 1 byte is needed")))
        }
        Some(Number { is_negative: false, magnitude }) => Ok(usize::try_from(magnitude).unwrap_or(usize::MAX)),
        _ => Err(invalid("size", text)),
    }
}

/// Reads the value of `--context`, `--before-context` or `--after-context`.
pub(super) fn context(text: &OsStr) -> Result<usize, Complaint> {
    let number = non_negative(text, Multipliers::Forbidden, "context length")?;
    Ok(usize::try_from(number).unwrap_or(usize::MAX))
}

/// Reads the value of `--depth`: not zero, or there would be no directory to look into.
pub(super) fn depth(text: &OsStr) -> Result<u64, Complaint> {
    match natural(text, Multipliers::Forbidden, "number of levels")? {
        0 => {
            let text = quote_argument(text);
            Err(Complaint::plain(format!("invalid value for '--depth': {text}: at least 1 level is needed")))
        }
        depth => Ok(depth),
    }
}

/// Reads the value of `--keep`.
pub(super) fn kept(text: &OsStr) -> Result<u64, Complaint> {
    natural(text, Multipliers::Allowed, "number of sessions")
}

/// Reads the value of `--max-unchanged-stats`.
pub(super) fn unchanged_stats(text: &OsStr) -> Result<u64, Complaint> {
    non_negative(text, Multipliers::Forbidden, "maximum number of unchanged stats between opens")
}

/// Reads the value of `--pid`.
pub(super) fn pid(text: &OsStr) -> Result<u32, Complaint> {
    const WHAT: &str = "PID";
    match Number::parse(text.as_bytes(), Multipliers::Forbidden) {
        Some(Number { is_negative: false, magnitude }) => match u32::try_from(magnitude) {
            Ok(pid) if magnitude <= PID_MAX => Ok(pid),
            _ => Err(out_of_range(WHAT, text)),
        },
        _ => Err(invalid(WHAT, text)),
    }
}

fn count(text: &OsStr, unit: &str) -> Result<Count, Complaint> {
    // One minus says what is the default anyway, and is dropped; a second one is a negative number.
    let digits = text.as_bytes().strip_prefix(b"-").unwrap_or(text.as_bytes());
    let number = non_negative(OsStr::from_bytes(digits), Multipliers::Allowed, &format!("number of {unit}"))?;
    Ok(Count { from_start: text.as_bytes().starts_with(b"+"), number })
}

/// A number that GNU has no option for, and so no words.
fn natural(text: &OsStr, multipliers: Multipliers, what: &str) -> Result<u64, Complaint> {
    match Number::parse(text.as_bytes(), multipliers) {
        Some(Number { is_negative: false, magnitude }) => Ok(magnitude.min(COUNT_MAX)),
        _ => Err(invalid(what, text)),
    }
}

fn non_negative(text: &OsStr, multipliers: Multipliers, what: &str) -> Result<u64, Complaint> {
    match Number::parse(text.as_bytes(), multipliers) {
        None => Err(invalid(what, text)),
        Some(Number { is_negative: true, magnitude: 1.. }) => Err(out_of_range(what, text)),
        Some(number) => Ok(number.magnitude.min(COUNT_MAX)),
    }
}

fn invalid(what: &str, text: &OsStr) -> Complaint {
    Complaint::plain(format!("invalid {what}: {}", quote_argument(text)))
}

fn out_of_range(what: &str, text: &OsStr) -> Complaint {
    Complaint::plain(format!("invalid {what}: {}: {OUT_OF_RANGE}", quote_argument(text)))
}

/// Whether a number may end in a multiplier.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Multipliers {
    Allowed,
    Forbidden,
}

/// A decimal number with its sign; what doesn't fit is `u64::MAX`.
struct Number {
    is_negative: bool,
    magnitude: u64,
}

impl Number {
    /// Reads blanks, a sign, digits and a multiplier. The digits may be missing before a multiplier, but then
    /// nothing else may stand there.
    fn parse(text: &[u8], multipliers: Multipliers) -> Option<Self> {
        let (is_negative, unsigned) = match skip_blanks(text) {
            [b'-', unsigned @ ..] => (true, unsigned),
            [b'+', unsigned @ ..] | unsigned => (false, unsigned),
        };
        let end = unsigned.iter().position(|b| !b.is_ascii_digit()).unwrap_or(unsigned.len());
        let (digits, suffix) = unsigned.split_at(end);
        let (number, suffix) = if digits.is_empty() { (1, text) } else { (value(digits), suffix) };
        if suffix.is_empty() {
            return (!digits.is_empty()).then_some(Self { is_negative, magnitude: number });
        }
        if multipliers == Multipliers::Forbidden {
            return None;
        }
        multiply(number, suffix).map(|magnitude| Self { is_negative, magnitude })
    }
}

/// The value of decimal digits; what doesn't fit is `u64::MAX`.
pub(super) fn value(digits: &[u8]) -> u64 {
    digits.iter().fold(0, |value: u64, digit| value.saturating_mul(10).saturating_add(u64::from(digit - b'0')))
}

/// What is left after the blanks that C skips before a number.
pub(super) fn skip_blanks(text: &[u8]) -> &[u8] {
    let start = text.iter().position(|b| !matches!(b, b' ' | b'\t'..=b'\r')).unwrap_or(text.len());
    &text[start..]
}

/// Multiplies by `b` (512) or by a power of 1000 (`kB`) or 1024 (`k`, `KiB`).
fn multiply(number: u64, suffix: &[u8]) -> Option<u64> {
    let (&letter, base) = suffix.split_first()?;
    let power = match letter {
        b'b' if base.is_empty() => return Some(number.saturating_mul(512)),
        b'k' | b'K' => 1,
        b'm' | b'M' => 2,
        b'G' => 3,
        b'T' => 4,
        b'P' => 5,
        b'E' => 6,
        b'Z' => 7,
        b'Y' => 8,
        b'R' => 9,
        b'Q' => 10,
        _ => return None,
    };
    let base: u64 = match base {
        b"" | b"iB" => 1024,
        b"B" | b"D" => 1000,
        _ => return None,
    };
    Some((0..power).fold(number, |product, _| product.saturating_mul(base)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn last(number: u64) -> Count {
        Count { from_start: false, number }
    }

    fn from(number: u64) -> Count {
        Count { from_start: true, number }
    }

    #[track_caller]
    fn assert_count(text: &str, expected: Result<Count, &str>) {
        let what = "invalid number of bytes: ";
        let expected = expected.map_err(|rest| format!("{what}{rest}"));
        assert_eq!(bytes(OsStr::new(text)).map_err(|complaint| complaint.to_string()), expected, "{text:?}");
    }

    #[test]
    fn a_count_has_an_optional_sign_and_leading_blanks() {
        for (text, count) in [
            ("5", last(5)),
            ("0", last(0)),
            ("010", last(10)),
            ("-5", last(5)),
            ("-0", last(0)),
            ("--0", last(0)),
            ("+5", from(5)),
            ("+0", from(0)),
            ("-+5", last(5)),
            (" 5", last(5)),
            ("- 5", last(5)),
            ("\t\n\x0b\x0c\r5", last(5)),
            // The sign is looked for before the blanks are skipped.
            (" +5", last(5)),
        ] {
            assert_eq!(lines(OsStr::new(text)), Ok(count), "{text:?}");
        }
    }

    #[test]
    fn a_multiplier_follows_the_number_or_stands_alone() {
        for (text, number) in [
            ("1b", 512),
            ("2k", 2 << 10),
            ("2K", 2 << 10),
            ("2KiB", 2 << 10),
            ("2kiB", 2 << 10),
            ("2kB", 2_000),
            ("2KB", 2_000),
            ("2kD", 2_000),
            ("1m", 1 << 20),
            ("1M", 1 << 20),
            ("1mB", 1_000_000),
            ("1miB", 1 << 20),
            ("1G", 1 << 30),
            ("1GB", 1_000_000_000),
            ("1T", 1 << 40),
            ("1P", 1 << 50),
            ("1E", 1 << 60),
            ("1EB", 1_000_000_000_000_000_000),
            ("k", 1 << 10),
            ("-k", 1 << 10),
            ("b", 512),
            ("0Y", 0),
        ] {
            assert_count(text, Ok(last(number)));
        }
    }

    #[test]
    fn a_number_too_big_for_a_file_is_the_biggest_there_is() {
        for text in
            ["9223372036854775807", "9223372036854775808", "99999999999999999999", "8E", "1Z", "1YB", "1R", "1QiB"]
        {
            assert_count(text, Ok(last(COUNT_MAX)));
        }
        assert_count("+99999999999999999999k", Ok(from(COUNT_MAX)));
        assert_count("9223372036854775806", Ok(last(COUNT_MAX - 1)));
    }

    #[test]
    fn what_is_not_a_number_is_refused_as_gnu_words_it() {
        for (text, rest) in [
            ("x", "'x'"),
            ("", "''"),
            ("-", "''"),
            ("+", "'+'"),
            (" ", "' '"),
            ("5 ", "'5 '"),
            ("1.5", "'1.5'"),
            ("0x10", "'0x10'"),
            ("5,000", "'5,000'"),
            ("++5", "'++5'"),
            ("+-5", "'+-5'"),
            ("+ 5", "'+ 5'"),
            ("+k", "'+k'"),
            (" k", "' k'"),
            // Lower case only for b, k and m; B and iB only after a letter that takes them.
            ("1g", "'1g'"),
            ("1t", "'1t'"),
            ("1kb", "'1kb'"),
            ("2B", "'2B'"),
            ("B", "'B'"),
            ("1bB", "'1bB'"),
            ("1Ki", "'1Ki'"),
            ("1c", "'1c'"),
            ("99999999999999999999x", "'99999999999999999999x'"),
            // The dropped minus is not shown; a second one makes the number negative.
            ("-5x", "'5x'"),
            ("--5", "'-5': Value too large for defined data type"),
            ("--5x", "'-5x'"),
            ("-- ", "'- '"),
            ("a'b", "'a\\'b'"),
        ] {
            assert_count(text, Err(rest));
        }
        let error = lines(OsStr::new("x")).unwrap_err();
        assert_eq!(error, Complaint::plain("invalid number of lines: 'x'"));
    }

    #[test]
    fn a_process_id_is_a_plain_number_of_its_type() {
        for (text, expected) in [
            ("0", Ok(0)),
            ("123", Ok(123)),
            ("+5", Ok(5)),
            (" 5", Ok(5)),
            ("2147483647", Ok(2_147_483_647)),
            ("2147483648", Err("'2147483648': Value too large for defined data type")),
            ("99999999999999999999", Err("'99999999999999999999': Value too large for defined data type")),
            ("-1", Err("'-1'")),
            ("x", Err("'x'")),
            ("", Err("''")),
            ("5k", Err("'5k'")),
            ("k", Err("'k'")),
        ] {
            let expected = expected.map_err(|rest| Complaint::plain(format!("invalid PID: {rest}")));
            assert_eq!(pid(OsStr::new(text)), expected, "{text:?}");
        }
    }

    #[test]
    fn unchanged_stats_are_a_plain_number_that_saturates() {
        const WHAT: &str = "invalid maximum number of unchanged stats between opens: ";
        for (text, expected) in [
            ("0", Ok(0)),
            ("7", Ok(7)),
            ("99999999999999999999", Ok(COUNT_MAX)),
            ("x", Err("'x'")),
            ("1k", Err("'1k'")),
            ("-1", Err("'-1': Value too large for defined data type")),
        ] {
            let expected = expected.map_err(|rest| Complaint::plain(format!("{WHAT}{rest}")));
            assert_eq!(unchanged_stats(OsStr::new(text)), expected, "{text:?}");
        }
    }

    #[test]
    fn a_size_has_multipliers_and_is_not_zero() {
        let zero = |text| format!("invalid value for '--max-line': '{text}': at least 1 byte is needed");
        for (text, expected) in [
            ("1", Ok(1)),
            ("4096", Ok(4096)),
            ("64K", Ok(64 << 10)),
            ("64kB", Ok(64_000)),
            ("1MiB", Ok(1 << 20)),
            ("99999999999999999999", Ok(usize::MAX)),
            ("0", Err(zero("0"))),
            ("0K", Err(zero("0K"))),
            ("-0", Err(zero("-0"))),
            ("-1", Err("invalid size: '-1'".to_owned())),
            ("1.5K", Err("invalid size: '1.5K'".to_owned())),
            ("", Err("invalid size: ''".to_owned())),
        ] {
            assert_eq!(size("--max-line", OsStr::new(text)), expected.map_err(Complaint::plain), "{text:?}");
        }
    }

    #[test]
    fn a_depth_is_a_plain_number_and_not_zero() {
        for (text, expected) in [
            ("1", Ok(1)),
            ("64", Ok(64)),
            ("0", Err("invalid value for '--depth': '0': at least 1 level is needed")),
            ("-1", Err("invalid number of levels: '-1'")),
            ("1K", Err("invalid number of levels: '1K'")),
        ] {
            assert_eq!(depth(OsStr::new(text)), expected.map_err(Complaint::plain), "{text:?}");
        }
    }

    #[test]
    fn sessions_to_keep_are_a_number_with_multipliers() {
        for (text, expected) in [
            ("0", Ok(0)),
            ("2k", Ok(2048)),
            ("-1", Err("invalid number of sessions: '-1'")),
            ("many", Err("invalid number of sessions: 'many'")),
        ] {
            let expected = expected.map_err(Complaint::plain);
            assert_eq!(kept(OsStr::new(text)), expected, "{text:?}");
        }
    }

    #[test]
    fn an_offset_has_multipliers_and_no_minus() {
        for (text, expected) in [
            ("0", Ok(0)),
            ("120", Ok(120)),
            ("1M", Ok(1 << 20)),
            ("-1", Err("invalid offset: '-1'")),
            ("x", Err("invalid offset: 'x'")),
        ] {
            assert_eq!(offset(OsStr::new(text)), expected.map_err(Complaint::plain), "{text:?}");
        }
    }
}
