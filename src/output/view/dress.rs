//! What is put around and into the lines of a file: a time and a label before, colours within.

use std::borrow::Cow;
use std::mem;
use std::path::Path;
use std::time::SystemTime;

use super::control::complete;
use super::ink::Ink;
use super::label::Labels;
use super::mark::Marker;
use super::severity::{self, Cut};
use super::stamp::Stamps;
use crate::output::line::text;
use crate::tail::{Data, Ending, SourceId};

/// Dresses lines.
#[derive(Debug)]
pub(super) struct Dress {
    terminator: u8,
    stamps: Option<Stamps>,
    labels: Option<Labels>,
    marker: Option<Marker>,
    /// What writes the text of lines; without, they are copied.
    ink: Option<Ink>,
    /// Whether words of severity are looked for in the line under way.
    has_words: bool,
    withheld: Withheld,
    /// What each line begins with.
    head: Vec<u8>,
    /// Lines that are ready.
    ready: Vec<u8>,
}

/// Whether what comes begins a line or goes on with one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum At {
    LineStart,
    WithinLine,
}

/// The last bytes of a run, since they may be the first ones of a character or a sequence.
#[derive(Debug, Default)]
struct Withheld {
    of: Option<(SourceId, u64)>,
    bytes: Vec<u8>,
}

impl Dress {
    pub(super) fn new(
        terminator: u8,
        stamps: Option<Stamps>,
        labels: Option<Labels>,
        marker: Option<Marker>,
        ink: Option<Ink>,
    ) -> Self {
        let (withheld, head, ready) = (Withheld::default(), Vec::new(), Vec::new());
        Self { terminator, stamps, labels, marker, ink, has_words: true, withheld, head, ready }
    }

    /// Whether lines are not just copied.
    pub(super) fn adds_something(&self) -> bool {
        self.stamps.is_some() || self.labels.is_some() || self.ink.is_some()
    }

    /// Dresses data that came then, the first bytes of which stand there. What it withholds of them comes with those
    /// that follow.
    pub(super) fn lines(&mut self, data: &Data<'_>, came: SystemTime, mut at: At) -> &[u8] {
        let Self { terminator, stamps, labels, marker, ink, has_words, withheld, head, ready } = self;
        ready.clear();
        head.clear();
        if let Some(stamps) = stamps {
            stamps.write(came, head);
        }
        if let Some(labels) = labels {
            head.extend_from_slice(labels.of(data.path));
        }
        let bytes = if ink.is_some() { withheld.join(data, *terminator) } else { Cow::Borrowed(data.bytes) };
        for line in bytes.split_inclusive(|byte| byte == terminator) {
            let cut_before = mem::replace(&mut at, At::LineStart) == At::WithinLine;
            if !cut_before {
                ready.extend_from_slice(head);
            }
            let Some(ink) = ink else {
                ready.extend_from_slice(line);
                continue;
            };
            // A carriage return is part of the end only where the end is.
            let text = if line.ends_with(&[*terminator]) { text(line, *terminator) } else { line };
            let end = &line[text.len()..];
            if !cut_before {
                *has_words = severity::has_words(text);
            }
            let marks = marker.as_ref().map_or_else(Vec::new, |marker| {
                let cut = Cut { before: cut_before, behind: end.is_empty() };
                marker.marks(text, severity::marks(text, cut).filter(|_| *has_words))
            });
            ink.write(text, &marks, ready);
            ink.end_line(end, ready);
        }
        ready
    }

    /// The run of which bytes are withheld.
    pub(super) fn withholds_of(&self) -> Option<(SourceId, u64)> {
        self.withheld.of
    }

    /// What was withheld, as what it is: nothing more comes behind it.
    pub(super) fn release(&mut self) -> &[u8] {
        self.ready.clear();
        if let Some(ink) = &mut self.ink {
            ink.write(&self.withheld.take(), &[], &mut self.ready);
        }
        &self.ready
    }

    /// Ends what nothing ended so far.
    pub(super) fn end(&mut self) -> &[u8] {
        self.release();
        if let Some(ink) = &mut self.ink {
            ink.stop(&mut self.ready);
        }
        &self.ready
    }

    /// Nothing more will come of a file.
    pub(super) fn forget(&mut self, name: &Path) {
        if let Some(labels) = &mut self.labels {
            labels.forget(name);
        }
    }
}

impl Withheld {
    fn take(&mut self) -> Vec<u8> {
        self.of = None;
        mem::take(&mut self.bytes)
    }

    /// What was withheld of this run and what comes now, but for what is to be withheld of that.
    fn join<'d>(&mut self, data: &Data<'d>, terminator: u8) -> Cow<'d, [u8]> {
        let before = self.take();
        let mut bytes = Cow::Borrowed(data.bytes);
        if !before.is_empty() {
            bytes = Cow::Owned([&before, data.bytes].concat());
        }
        let goes_on = data.ending != Ending::Unterminated && bytes.last() != Some(&terminator);
        let end = if goes_on { complete(&bytes) } else { bytes.len() };
        if end < bytes.len() {
            self.of = Some((data.source, data.run));
            self.bytes = bytes[end..].to_vec();
            match &mut bytes {
                Cow::Borrowed(bytes) => *bytes = &bytes[..end],
                Cow::Owned(bytes) => bytes.truncate(end),
            }
        }
        bytes
    }
}

#[cfg(test)]
mod tests {
    use regex::bytes::Regex;

    use super::*;
    use crate::output::colour::Colour;
    use crate::output::dice::Dice;
    use crate::output::view::ink::{Bleeding, Controls};
    use crate::output::view::label::Form;
    use crate::tail::{Age, FileId};

    fn data(bytes: &[u8], ending: Ending) -> Data<'_> {
        let (source, path) = (SourceId(0), Path::new("app.log"));
        let file = FileId { device: 1, inode: 2, birth: None };
        Data { source, path, file, run: 1, offset: 0, bytes, ending, age: Age::Appended }
    }

    /// A dress with all there is.
    fn dress(controls: Controls, bleeding: Bleeding) -> Dress {
        let labels = Labels::new(Form::Shortest, Colour::On, []);
        let patterns = ["b+", "[^a]$", "^", "(?-u:\\xc3)", "1"].map(|pattern| Regex::new(pattern).unwrap());
        let (marker, ink) = (Marker::new(patterns), Ink::new(controls, bleeding));
        Dress::new(b'\n', Some(Stamps::local(Colour::On)), Some(labels), Some(marker), Some(ink))
    }

    /// All that is shown of one file.
    fn shown<'d>(dress: &mut Dress, deliveries: impl IntoIterator<Item = Data<'d>>) -> Vec<u8> {
        let mut shown: Vec<u8> = Vec::new();
        for data in deliveries {
            let at = if shown.last().is_none_or(|last| *last == b'\n') { At::LineStart } else { At::WithinLine };
            shown.extend_from_slice(dress.lines(&data, SystemTime::now(), at));
        }
        shown.extend_from_slice(dress.end());
        shown
    }

    fn without_colours(bytes: &[u8]) -> Vec<u8> {
        Regex::new(r"(?-u)\x1b\[[0-9;:]*m").unwrap().replace_all(bytes, &b""[..]).into_owned()
    }

    fn without_heads(bytes: &[u8]) -> Vec<u8> {
        Regex::new(r"(?m-u)^\S{29} app\.log \| ").unwrap().replace_all(bytes, &b""[..]).into_owned()
    }

    const BITS: [&[u8]; 18] = [
        b"\n",
        b"\n",
        b"\n",
        b"\r\n",
        b"\r",
        b"\0",
        b"\x07\x1b",
        b"\x1b[31m",
        b"\x1b[0;1m",
        b"\x1b[m",
        b"\x1b[2J",
        b"\x1b[1",
        b"\xff\xc3",
        "ä🦀\u{202e}".as_bytes(),
        b"abba ",
        b" ERROR ",
        b"level=info",
        b"{\"level\":\"WARN\"}",
    ];

    #[test]
    fn without_colours_and_heads_there_are_the_lines_of_the_file() {
        for seed in 0..300 {
            let mut dice = Dice(seed);
            let text: Vec<u8> = (0..dice.roll(30)).flat_map(|_| dice.pick(&BITS)).copied().collect();
            // Bytes as they come, or lines and pieces of them.
            let bleeding = dice.pick(&[Bleeding::Natural, Bleeding::Stopped]);
            let mut deliveries = Vec::new();
            let mut rest = text.as_slice();
            while !rest.is_empty() {
                let (delivery, behind) = rest.split_at(dice.roll(rest.len()) + 1);
                let is_piece = bleeding == Bleeding::Stopped && !delivery.ends_with(b"\n") && !behind.is_empty();
                deliveries.push(data(delivery, if is_piece { Ending::Piece } else { Ending::Line }));
                rest = behind;
            }
            let shown = shown(&mut dress(Controls::Pass, bleeding), deliveries);
            let [shown, text] = [without_heads(&without_colours(&shown)), without_colours(&text)];
            assert_eq!(shown.escape_ascii().to_string(), text.escape_ascii().to_string(), "seed {seed}");
        }
    }

    #[test]
    fn whatever_comes_does_nothing_to_a_terminal_but_colour_it() {
        for seed in 0..300 {
            let mut dice = Dice(seed);
            let text: Vec<u8> = (0..dice.roll(30)).flat_map(|_| dice.pick(&BITS)).copied().collect();
            let deliveries = text.chunks(dice.roll(20) + 1).map(|bytes| data(bytes, Ending::Line));
            let shown = shown(&mut dress(Controls::Spell, Bleeding::Natural), deliveries);
            let rest = without_colours(&shown);
            let lines = rest.split(|byte| *byte == b'\n').map(|line| line.strip_suffix(b"\r").unwrap_or(line));
            for line in lines {
                let harmless =
                    str::from_utf8(line).is_ok_and(|line| !line.contains(['\u{202e}', '\x1b', '\r', '\0', '\x07']));
                assert!(harmless, "seed {seed}: {}", line.escape_ascii());
            }
        }
    }

    #[test]
    fn every_line_ends_without_colour() {
        let mut dress = dress(Controls::Pass, Bleeding::Stopped);
        let lines = shown(&mut dress, [data(b"\x1b[31ma\nb\x1b[32m\x1b[1mc\nd\n", Ending::Line)]);
        let colours = Regex::new(r"(?-u)\x1b\[([0-9;]*)m").unwrap();
        for line in lines.split_inclusive(|byte| *byte == b'\n') {
            let last = colours.captures_iter(line).last().unwrap();
            assert_eq!(last[1], *b"0", "{}", line.escape_ascii());
        }
    }

    #[test]
    fn what_is_copied_is_copied() {
        let mut dress = Dress::new(b'\n', None, Some(Labels::new(Form::Path, Colour::Off, [])), None, None);
        let shown = shown(&mut dress, [data(b"\x1b[31ma\r\n\xff\rb", Ending::Unterminated)]);
        assert_eq!(shown, b"app.log | \x1b[31ma\r\napp.log | \xff\rb");
    }
}
