//! The time at which a line came, as it stands before it.

use std::time::SystemTime;

use jiff::Timestamp;
use jiff::tz::TimeZone;

use crate::output::colour::{Colour, RESET, Tone, Tones};

/// Writes times as RFC 3339 has them, to the millisecond, with the offset of the local zone.
#[derive(Debug)]
pub(super) struct Stamps {
    zone: TimeZone,
    before: Vec<u8>,
    behind: &'static [u8],
}

impl Stamps {
    /// Stamps of the zone that the system is set to.
    pub(super) fn local(colour: Colour) -> Self {
        Self::of(TimeZone::system(), colour)
    }

    fn of(zone: TimeZone, colour: Colour) -> Self {
        let (before, behind): (_, &[u8]) = match colour {
            Colour::Off => (Vec::new(), &[]),
            Colour::On => (Tones::default().get(Tone::Aside).to_vec(), RESET),
        };
        Self { zone, before, behind }
    }

    /// Writes the stamp of a line that came then, and a blank.
    pub(super) fn write(&self, came: SystemTime, out: &mut Vec<u8>) {
        // A clock that is set to a time nobody will live in counts as one that was never set.
        let time = Timestamp::try_from(came).unwrap_or(Timestamp::UNIX_EPOCH).to_zoned(self.zone.clone());
        out.extend_from_slice(&self.before);
        out.extend(time.strftime("%Y-%m-%dT%H:%M:%S%.3f%:z").to_string().bytes());
        out.extend_from_slice(self.behind);
        out.push(b' ');
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn written(zone: TimeZone, colour: Colour, millis: u64) -> String {
        let mut out = Vec::new();
        Stamps::of(zone, colour).write(SystemTime::UNIX_EPOCH + Duration::from_millis(millis), &mut out);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn a_stamp_has_the_same_width_at_all_times() {
        let east = TimeZone::fixed(jiff::tz::offset(5));
        for (zone, millis, expected) in [
            (TimeZone::UTC, 0, "1970-01-01T00:00:00.000+00:00 "),
            (TimeZone::UTC, 1_795_179_959_120, "2026-11-20T13:05:59.120+00:00 "),
            (east, 1_795_179_959_007, "2026-11-20T18:05:59.007+05:00 "),
        ] {
            assert_eq!(written(zone, Colour::Off, millis), expected);
        }
    }

    #[test]
    fn colour_ends_with_the_stamp() {
        assert_eq!(written(TimeZone::UTC, Colour::On, 0), "\x1b[2m1970-01-01T00:00:00.000+00:00\x1b[0m ");
    }
}
