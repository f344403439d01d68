//! The form of options from before getopt, which everybody still types: `-5f`, `-20c`, `+3`.
//!
//! It is `-` or `+`, a number (10 if there is none), a unit (`b`locks, `c`haracters, `l`ines) and `f`, all but the
//! sign optional; the only option, before at most one file. Elsewhere a digit is an option used in an invalid
//! context, which [`getopt`](super::getopt) says under the name `tail`. `rtail` takes `-5f` wherever an option may
//! stand.

use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::OsStrExt;

use super::dialect::Dialect;
use super::number::{self, COUNT_MAX};

/// Rewrites the old form, if `args` begin with it, into ordinary options.
pub(super) fn modernise(dialect: Dialect, args: &[OsString]) -> Vec<OsString> {
    match args.split_first() {
        Some((first, rest)) if is_alone(rest) => match OldForm::parse(dialect, first) {
            Some(old) => old.options().into_iter().chain(rest.iter().cloned()).collect(),
            None => args.to_vec(),
        },
        _ => args.to_vec(),
    }
}

/// Ordinary options for an old form that begins with `-` and a digit, and so can't be anything else.
pub(super) fn number(arg: &OsStr) -> Option<Vec<OsString>> {
    match arg.as_bytes() {
        [b'-', b'0'..=b'9', ..] => OldForm::parse(Dialect::default(), arg).map(|old| old.options()),
        _ => None,
    }
}

/// Whether what follows the first argument leaves it the only option: at most one file, and a `--` before it.
fn is_alone(rest: &[OsString]) -> bool {
    match rest {
        [] => true,
        [separator] | [separator, _] if separator == "--" => true,
        [file] => file == "-" || !file.as_bytes().starts_with(b"-"),
        _ => false,
    }
}

struct OldForm {
    from_start: bool,
    unit: Unit,
    number: u64,
    follows: bool,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Unit {
    Lines,
    Bytes,
}

impl OldForm {
    fn parse(dialect: Dialect, arg: &OsStr) -> Option<Self> {
        let (from_start, text) = match arg.as_bytes() {
            [b'+', text @ ..] if dialect.has_plus_form() => (true, text),
            // `-` is standard input, and `-c` wants its number.
            [b'-'] | b"-c" if !dialect.prefers_old_forms() => return None,
            [b'-', text @ ..] => (false, text),
            _ => return None,
        };
        let end = text.iter().position(|b| !b.is_ascii_digit()).unwrap_or(text.len());
        let (digits, letters) = text.split_at(end);
        let number = if digits.is_empty() { 10 } else { number::value(digits) };

        let (unit, multiplier, letters) = match letters {
            [b'b', letters @ ..] => (Unit::Bytes, 512, letters),
            [b'c', letters @ ..] => (Unit::Bytes, 1, letters),
            [b'l', letters @ ..] | letters => (Unit::Lines, 1, letters),
        };
        let follows = match letters {
            b"" => false,
            b"f" => true,
            _ => return None,
        };
        Some(Self { from_start, unit, number: number.saturating_mul(multiplier).min(COUNT_MAX), follows })
    }

    /// The same in ordinary options.
    fn options(&self) -> Vec<OsString> {
        let name = match self.unit {
            Unit::Lines => "lines",
            Unit::Bytes => "bytes",
        };
        let sign = if self.from_start { "+" } else { "" };
        let mut options = vec![OsString::from(format!("--{name}={sign}{}", self.number))];
        if self.follows {
            options.push("-f".into());
        }
        options
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn assert_modern(dialect: Dialect, line: &str, modern: &str) {
        let args: Vec<_> = line.split(' ').map(OsString::from).collect();
        let expected: Vec<_> = modern.split(' ').map(OsString::from).collect();
        assert_eq!(modernise(dialect, &args), expected, "{line}");
    }

    #[test]
    fn the_old_form_is_rewritten() {
        for (line, modern) in [
            ("-5", "--lines=5"),
            ("-5 f", "--lines=5 f"),
            ("-5 -- f", "--lines=5 -- f"),
            ("-5 --", "--lines=5 --"),
            ("-5 -", "--lines=5 -"),
            ("-5 -- -", "--lines=5 -- -"),
            ("-5 -- -x", "--lines=5 -- -x"),
            ("-0 f", "--lines=0 f"),
            ("-5f f", "--lines=5 -f f"),
            ("-5l f", "--lines=5 f"),
            ("-5lf f", "--lines=5 -f f"),
            ("-20c f", "--bytes=20 f"),
            ("-2b f", "--bytes=1024 f"),
            ("-2bf f", "--bytes=1024 -f f"),
            ("-f f", "--lines=10 -f f"),
            ("-lf f", "--lines=10 -f f"),
            ("-cf f", "--bytes=10 -f f"),
            ("-l f", "--lines=10 f"),
            ("-b f", "--bytes=5120 f"),
            ("+3 f", "--lines=+3 f"),
            ("+0 f", "--lines=+0 f"),
            ("+3c f", "--bytes=+3 f"),
            ("+c f", "--bytes=+10 f"),
            ("+ f", "--lines=+10 f"),
            ("+f f", "--lines=+10 -f f"),
            ("+", "--lines=+10"),
            ("-99999999999999999999 f", "--lines=9223372036854775807 f"),
            ("-9223372036854775807b f", "--bytes=9223372036854775807 f"),
        ] {
            assert_modern(Dialect::default(), line, modern);
        }
    }

    #[test]
    fn other_lines_stay_as_they_are() {
        for line in [
            "f",
            "-",
            "-c",
            "-c 4",
            "-n 5 f",
            "-n5",
            "-q f",
            "-5 f g",
            "+5 f g",
            "-5 -- f g",
            "-5 -q f",
            "-5 -q",
            "-n1 -5 f",
            "f -5",
            "-- -5",
            "-f5 f",
            "-5x f",
            "-5cl f",
            "-5ff f",
            "-b4 f",
            "-+5 f",
            "+cl f",
            "--5 f",
        ] {
            assert_modern(Dialect::default(), line, line);
        }
        assert_eq!(modernise(Dialect::default(), &[]), Vec::<OsString>::new());
    }

    #[test]
    fn the_editions_of_2001_to_2007_read_plus_as_a_name() {
        for (edition, is_old_form) in [
            ("199209", true),
            ("200111", true),
            ("200112", false),
            ("200808", false),
            ("200809", true),
            ("202405", true),
            ("", true),
            ("x", true),
            ("200112x", true),
            (" 200112", false),
            ("99999999999999999999", true),
        ] {
            let modern = if is_old_form { "--lines=+3 f" } else { "+3 f" };
            assert_modern(Dialect::default().in_edition(edition), "+3 f", modern);
            assert_modern(Dialect::default().in_edition(edition), "-3 f", "--lines=3 f");
        }
    }

    #[test]
    fn the_editions_before_2001_prefer_the_old_form() {
        let old = Dialect::default().in_edition("199209");
        for (line, modern) in
            [("-c 4", "--bytes=10 4"), ("-", "--lines=10"), ("- f", "--lines=10 f"), ("-n 4", "-n 4")]
        {
            assert_modern(old, line, modern);
        }
        assert_modern(Dialect::default().in_edition("200112"), "-c 4", "-c 4");
        assert_modern(Dialect::default().in_edition("0"), "-c 4", "--bytes=10 4");
        assert_modern(Dialect::default().in_edition("-5"), "-c 4", "--bytes=10 4");
    }
}
