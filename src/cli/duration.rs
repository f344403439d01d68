//! Times: GNU's `-s`, a number as C writes it, and rtail's own durations, a number with a unit.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::time::Duration;

use super::complaint::Complaint;
use super::number;
use crate::quote::quote_argument;

/// Reads the value of `-s`: seconds as C's `strtod` reads them, so `.5`, `1e-3`, `0x10` and `inf` are fine. A time
/// too long to be measured is [`Duration::MAX`].
pub(super) fn seconds(text: &OsStr) -> Result<Duration, Complaint> {
    float(number::skip_blanks(text.as_bytes()))
        .and_then(from_seconds)
        .ok_or_else(|| Complaint::plain(format!("invalid number of seconds: {}", quote_argument(text))))
}

/// Reads `250ms`, `5s`, `2m`, `1h`, or a plain number of seconds; each may have a fraction.
pub(super) fn duration(text: &OsStr) -> Result<Duration, Complaint> {
    duration_in(text.as_bytes()).ok_or_else(|| {
        Complaint::plain(format!("invalid duration: {}; use for example 250ms, 5s, 2m or 1h", quote_argument(text)))
    })
}

/// Reads the value of `option`, a duration between two events: not zero, or they would never stop.
pub(super) fn interval(option: &str, text: &OsStr) -> Result<Duration, Complaint> {
    let interval = duration(text)?;
    if interval.is_zero() {
        let text = quote_argument(text);
        let complaint = format!("invalid value for '{option}': {text}: a duration greater than zero is needed");
        return Err(Complaint::plain(complaint));
    }
    Ok(interval)
}

fn duration_in(text: &[u8]) -> Option<Duration> {
    // Longest unit first, and only digits before it: `inf` and `1e3` are for `-s`.
    let units: [(&[u8], f64); 5] = [(b"ms", 0.001), (b"s", 1.0), (b"m", 60.0), (b"h", 3600.0), (b"", 1.0)];
    let (digits, unit) = units.iter().find_map(|(name, unit)| Some((text.strip_suffix(*name)?, unit)))?;
    let is_plain = digits.iter().all(|b| b.is_ascii_digit() || *b == b'.');
    is_plain.then(|| float(digits)).flatten().and_then(|number| from_seconds(number * unit))
}

/// Reads a decimal or hexadecimal number, or infinity.
fn float(text: &[u8]) -> Option<f64> {
    let text = std::str::from_utf8(text).ok()?;
    text.parse().ok().or_else(|| hexadecimal(text))
}

/// Reads `0x1.8p3`: hexadecimal digits, and a power of two in decimal.
fn hexadecimal(text: &str) -> Option<f64> {
    let text = text.strip_prefix('+').unwrap_or(text).to_ascii_lowercase();
    let text = text.strip_prefix("0x")?;
    let (digits, power) = text.split_once('p').unwrap_or((text, "0"));
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    if whole.is_empty() && fraction.is_empty() {
        return None;
    }
    let mut number = 0.0;
    for digit in whole.chars().chain(fraction.chars()) {
        number = number * 16.0 + f64::from(digit.to_digit(16)?);
    }
    let power: i32 = power.parse().ok()?;
    let places = i32::try_from(fraction.len()).ok()?;
    Some(number * 2f64.powi(power.saturating_sub(places.saturating_mul(4))))
}

/// `None` for what is not a time: a negative number, or none at all.
fn from_seconds(seconds: f64) -> Option<Duration> {
    (seconds >= 0.0).then(|| Duration::try_from_secs_f64(seconds).unwrap_or(Duration::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seconds_are_written_as_c_writes_numbers() {
        for (text, expected) in [
            ("0", Some(Duration::ZERO)),
            ("1", Some(Duration::from_secs(1))),
            ("+1", Some(Duration::from_secs(1))),
            (" 1", Some(Duration::from_secs(1))),
            ("1.", Some(Duration::from_secs(1))),
            (".5", Some(Duration::from_millis(500))),
            ("1e-3", Some(Duration::from_millis(1))),
            ("-0", Some(Duration::ZERO)),
            ("0x10", Some(Duration::from_secs(16))),
            ("0X1.8p1", Some(Duration::from_secs(3))),
            ("1e-400", Some(Duration::ZERO)),
            ("1e400", Some(Duration::MAX)),
            ("1e30", Some(Duration::MAX)),
            ("inf", Some(Duration::MAX)),
            ("INFINITY", Some(Duration::MAX)),
            ("-1", None),
            ("-inf", None),
            ("nan", None),
            ("1,5", None),
            ("1 ", None),
            ("1s", None),
            ("x", None),
            ("0x", None),
            ("0xg", None),
            ("", None),
            (".", None),
            ("1e", None),
        ] {
            let expected = expected.ok_or_else(|| Complaint::plain(format!("invalid number of seconds: '{text}'")));
            assert_eq!(seconds(OsStr::new(text)), expected, "{text:?}");
        }
    }

    #[test]
    fn a_duration_is_a_number_and_a_unit() {
        for (text, expected) in [
            ("250ms", Duration::from_millis(250)),
            ("5s", Duration::from_secs(5)),
            ("2m", Duration::from_mins(2)),
            ("1h", Duration::from_hours(1)),
            ("1.5h", Duration::from_mins(90)),
            ("10", Duration::from_secs(10)),
            ("0.25", Duration::from_millis(250)),
            (".5", Duration::from_millis(500)),
            ("0", Duration::ZERO),
            ("99999999999999999999h", Duration::MAX),
        ] {
            assert_eq!(duration(OsStr::new(text)), Ok(expected), "{text:?}");
        }
    }

    #[test]
    fn an_interval_is_not_zero() {
        assert_eq!(interval("--poll", OsStr::new("1ms")), Ok(Duration::from_millis(1)));
        for text in ["0", "0s", "0.0ms", "0.0000000001"] {
            let complaint = format!("invalid value for '--poll': '{text}': a duration greater than zero is needed");
            assert_eq!(interval("--poll", OsStr::new(text)), Err(Complaint::plain(complaint)));
        }
    }

    #[test]
    fn what_is_not_a_duration_is_refused_by_example() {
        for text in ["", "s", "ms", ".", "5 s", " 5s", "5S", "5d", "-5s", "+5s", "inf", "1e3", "0x10", "5s5s", "1..5"]
        {
            let complaint = format!("invalid duration: '{text}'; use for example 250ms, 5s, 2m or 1h");
            assert_eq!(duration(OsStr::new(text)), Err(Complaint::plain(complaint)));
        }
    }
}
