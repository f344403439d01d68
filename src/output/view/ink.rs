//! Writes the text of lines: marks in colour, and nothing that could do harm to a terminal.
//!
//! Colours that a log sets itself are kept. Where a mark ends they are set again, and where a line ends they end, so
//! that no line colours another.

use memchr::memchr;

use super::control::{colour_sequence, harmless, parameters, write_first};
use super::mark::Mark;
use crate::output::colour::{RESET, Tones};

/// What is done about control characters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Controls {
    /// They are written as they are.
    Pass,
    /// They are spelled.
    Spell,
}

/// Where the colours end that a log sets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Bleeding {
    /// With the line, at the latest.
    Stopped,
    /// Where the log ends them: there is nothing but its lines.
    Natural,
}

/// Writes text.
#[derive(Debug)]
pub(super) struct Ink {
    controls: Controls,
    bleeding: Bleeding,
    tones: Tones,
    /// The sequences that set the colours of the log in force.
    in_force: Vec<u8>,
}

/// How many bytes of sequences are remembered. Who sets more without ever ending them means the last ones.
const REMEMBERED: usize = 1024;

impl Ink {
    pub(super) fn new(controls: Controls, bleeding: Bleeding) -> Self {
        Self { controls, bleeding, tones: Tones::default(), in_force: Vec::new() }
    }

    /// Writes text with its marks, which are in order and don't overlap.
    pub(super) fn write(&mut self, text: &[u8], marks: &[Mark], out: &mut Vec<u8>) {
        let mut at = 0;
        for mark in marks {
            at = self.write_up_to(mark.range.start, text, at, &[], out);
            if at < mark.range.end {
                let tone = self.tones.get(mark.tone).to_vec();
                if !self.in_force.is_empty() {
                    out.extend_from_slice(RESET);
                }
                out.extend_from_slice(&tone);
                at = self.write_up_to(mark.range.end, text, at, &tone, out);
                out.extend_from_slice(RESET);
                out.extend_from_slice(&self.in_force);
            }
        }
        self.write_up_to(text.len(), text, at, &[], out);
    }

    /// Writes what stands at the end of a line behind its text.
    pub(super) fn end_line(&mut self, end: &[u8], out: &mut Vec<u8>) {
        if self.bleeding == Bleeding::Stopped {
            self.stop(out);
        }
        out.extend_from_slice(end);
    }

    /// Ends the colours of the log.
    pub(super) fn stop(&mut self, out: &mut Vec<u8>) {
        if !self.in_force.is_empty() {
            out.extend_from_slice(RESET);
            self.in_force.clear();
        }
    }

    /// Writes text from `at` up to `end`, or behind it if that is within a sequence or character; returns where that
    /// is. `tone` is what is set again behind sequences of the log.
    fn write_up_to(&mut self, end: usize, text: &[u8], mut at: usize, tone: &[u8], out: &mut Vec<u8>) -> usize {
        while at < end {
            let rest = &text[at..end];
            let plain = match self.controls {
                Controls::Pass => memchr(0x1b, rest).unwrap_or(rest.len()),
                Controls::Spell => harmless(rest),
            };
            out.extend_from_slice(&rest[..plain]);
            at += plain;
            if at == end {
                break;
            }
            let rest = &text[at..];
            at += if let Some(length) = colour_sequence(rest) {
                out.extend_from_slice(&rest[..length]);
                out.extend_from_slice(tone);
                self.remember(&rest[..length]);
                length
            } else if self.controls == Controls::Spell {
                write_first(rest, out)
            } else {
                out.push(rest[0]);
                1
            };
        }
        at
    }

    /// Notes a sequence that was written.
    fn remember(&mut self, sequence: &[u8]) {
        let parameters = parameters(sequence).unwrap_or_default();
        let mut each =
            parameters.split(|byte| *byte == b';').map(|parameter| parameter.iter().all(|byte| *byte == b'0'));
        // No parameter is one of 0, and that ends all colours.
        if each.next() == Some(true) || self.in_force.len() > REMEMBERED {
            self.in_force.clear();
        }
        if !parameters.iter().all(|byte| matches!(byte, b'0' | b';')) {
            self.in_force.extend_from_slice(sequence);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::output::colour::Tone;

    /// A line as it is written, with marks at these places.
    fn written(controls: Controls, text: &[u8], marks: &[(usize, usize)]) -> String {
        let mut ink = Ink::new(controls, Bleeding::Stopped);
        let marks: Vec<_> = marks.iter().map(|&(from, to)| Mark { range: from..to, tone: Tone::Match }).collect();
        let mut out = Vec::new();
        ink.write(text, &marks, &mut out);
        ink.end_line(b"\n", &mut out);
        let text = String::from_utf8_lossy(&out).into_owned();
        let [matched, reset] =
            [Tones::default().get(Tone::Match), RESET].map(|tone| String::from_utf8_lossy(tone).into_owned());
        text.replace(&matched, "{").replace(&reset, "}")
    }

    #[test]
    fn marks_begin_and_end_where_they_stand() {
        for (text, marks, expected) in [
            ("abc", &[][..], "abc\n"),
            ("abc", &[(0, 3)], "{abc}\n"),
            ("abc", &[(1, 2)], "a{b}c\n"),
            ("abc", &[(0, 1), (2, 3)], "{a}b{c}\n"),
            ("a\tä", &[(1, 4)], "a{\tä}\n"),
        ] {
            for controls in [Controls::Pass, Controls::Spell] {
                assert_eq!(written(controls, text.as_bytes(), marks), expected);
            }
        }
    }

    #[test]
    fn colours_of_the_log_are_kept_around_marks_and_end_with_the_line() {
        for (text, marks, expected) in [
            ("\x1b[31mred", &[][..], "\x1b[31mred}\n"),
            ("\x1b[31mred\x1b[m", &[], "\x1b[31mred\x1b[m\n"),
            ("\x1b[31mred\x1b[0;1mbold", &[], "\x1b[31mred\x1b[0;1mbold}\n"),
            ("\x1b[01;31mred", &[(9, 10)], "\x1b[01;31mr}{e}\x1b[01;31md}\n"),
            ("\x1b[31mab\x1b[32mcd", &[(6, 13)], "\x1b[31ma}{b\x1b[32m{c}\x1b[31m\x1b[32md}\n"),
            // A mark that ends within a sequence ends behind it.
            ("a\x1b[31mb", &[(0, 4)], "{a\x1b[31m{}\x1b[31mb}\n"),
            // And one within a sequence is none.
            ("\x1b[31mb", &[(2, 4)], "\x1b[31mb}\n"),
        ] {
            for controls in [Controls::Pass, Controls::Spell] {
                assert_eq!(written(controls, text.as_bytes(), marks), expected, "{text:?}");
            }
        }
    }

    #[test]
    fn control_characters_are_spelled_or_pass() {
        let text = b"\x1b[2Ja\x07\xffb";
        assert_eq!(written(Controls::Spell, text, &[(3, 5)]), "^[[2{Ja}^G<FF>b\n");
        assert_eq!(written(Controls::Pass, b"\x1b[2Ja\x07b", &[(3, 5)]), "\x1b[2{Ja}\x07b\n");
    }

    #[test]
    fn a_character_is_not_cut_by_a_mark() {
        assert_eq!(written(Controls::Spell, "aäb".as_bytes(), &[(1, 2)]), "a{ä}b\n");
        assert_eq!(written(Controls::Spell, "aäb".as_bytes(), &[(2, 3)]), "aäb\n");
    }

    #[test]
    fn colours_without_end_are_not_remembered_without_end() {
        let mut ink = Ink::new(Controls::Pass, Bleeding::Natural);
        ink.write("\x1b[31ma".repeat(10_000).as_bytes(), &[], &mut Vec::new());
        assert!(ink.in_force.len() <= 2 * REMEMBERED);
    }
}
