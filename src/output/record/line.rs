//! The records of type `line`: delivered bytes, line by line.

use std::collections::HashMap;

use memchr::memchr;
use serde::Serialize;

use super::json;
use super::text::{Base64, Name, append};
use crate::output::file_id::ShortId;
use crate::tail::{Data, Ending, SourceId};

/// Whether lines are given parsed, too.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Parse {
    /// As text alone.
    Nothing,
    /// Those that are JSON objects, as `fields`; the others get a `parse_error`.
    Json,
}

/// Which part of an over-long line this is. The parts of a line follow each other without a gap between their offsets,
/// unless the file was cut meanwhile.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Piece {
    First,
    Middle,
    Last,
}

/// Turns deliveries into records, and remembers which files are within an over-long line.
#[derive(Debug)]
pub(crate) struct Lines {
    parse: Parse,
    /// Where the lines begin of which only pieces have come as yet, by source and run.
    begun: HashMap<(SourceId, u64), u64>,
    /// What all records of the delivery at hand begin with: laid out once, as it is most of what they have in common.
    head: Vec<u8>,
}

/// The keys that all lines of a delivery have in common.
#[derive(Serialize)]
#[serde(tag = "type", rename = "line")]
struct Head<'a> {
    #[serde(flatten)]
    name: Name<'a>,
    file_id: ShortId,
}

impl Lines {
    /// Makes records of lines.
    pub(crate) fn new(parse: Parse) -> Self {
        Self { parse, begun: HashMap::new(), head: Vec::new() }
    }

    /// The next delivery of this source and run, which stands at `offset`, begins within a line.
    pub(crate) fn begin_within(&mut self, run: (SourceId, u64), offset: u64) {
        self.begun.insert(run, offset.saturating_sub(1));
    }

    /// Takes the next delivery, whole lines as [`Framing::Lines`](crate::tail::Framing::Lines) has them, and gives its
    /// lines. Lines end with a newline and with nothing else.
    ///
    /// A delivery is taken once, and all deliveries of a source are taken: a part of a line is told from a whole one
    /// by what came before.
    pub(crate) fn of<'a>(&'a mut self, data: &Data<'a>) -> Delivery<'a> {
        let key = (data.source, data.run);
        // A file that was cut back to where the line began, or further, has another line there.
        let begun = self.begun.get(&key).copied().filter(|begin| *begin < data.offset);
        match data.ending {
            Ending::Piece => drop(self.begun.insert(key, begun.unwrap_or(data.offset))),
            Ending::Line | Ending::Unterminated => drop(self.begun.remove(&key)),
        }
        self.head.clear();
        append(&mut self.head, &Head { name: Name::from(data.path), file_id: ShortId::from(data.file) });
        // The closing brace: there is more to come.
        self.head.pop();
        Delivery {
            lines: self,
            rest: data.bytes,
            offset: data.offset,
            ending: data.ending,
            place: if begun.is_some() { Place::Within } else { Place::Start },
        }
    }
}

/// Where in a line one is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Place {
    Start,
    /// Behind pieces of it.
    Within,
}

/// The lines of one delivery.
#[derive(Debug)]
pub(crate) struct Delivery<'a> {
    lines: &'a Lines,
    rest: &'a [u8],
    /// Where `rest` begins.
    offset: u64,
    ending: Ending,
    place: Place,
}

impl<'a> Iterator for Delivery<'a> {
    type Item = Line<'a>;

    fn next(&mut self) -> Option<Line<'a>> {
        if self.rest.is_empty() {
            return None;
        }
        let length = memchr(b'\n', self.rest).map_or(self.rest.len(), |at| at + 1);
        let (line, rest) = self.rest.split_at(length);
        let bytes = line.strip_suffix(b"\n").unwrap_or(line);
        let unfinished = bytes.len() == line.len();
        let (piece, next) = match (self.place, unfinished && self.ending == Ending::Piece) {
            (Place::Start, false) => (None, Place::Start),
            (Place::Start, true) => (Some(Piece::First), Place::Within),
            (Place::Within, true) => (Some(Piece::Middle), Place::Within),
            (Place::Within, false) => (Some(Piece::Last), Place::Start),
        };
        let offset = self.offset;
        self.offset += length as u64;
        self.rest = rest;
        self.place = next;
        let unterminated = unfinished && next == Place::Start;
        Some(Line { lines: self.lines, bytes, offset, next_offset: self.offset, piece, unterminated })
    }
}

/// One line, or a piece of one.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Line<'a> {
    lines: &'a Lines,
    /// What it consists of, without its newline.
    pub(crate) bytes: &'a [u8],
    /// Where it begins.
    pub(crate) offset: u64,
    /// Where the next line, or piece, begins.
    pub(crate) next_offset: u64,
    /// Which piece of a line it is; `None`: a line.
    pub(crate) piece: Option<Piece>,
    unterminated: bool,
}

impl Line<'_> {
    /// Appends its record and the newline that ends it; returns how many bytes that were.
    pub(crate) fn encode(&self, out: &mut Vec<u8>) -> usize {
        let begin = out.len();
        out.extend_from_slice(&self.lines.head);
        member(out, "offset", &self.offset);
        member(out, "next_offset", &self.next_offset);
        let text = str::from_utf8(self.bytes);
        match text {
            Ok(text) => member(out, "text", text),
            Err(_) => member(out, "bytes_base64", &Base64(self.bytes)),
        }
        if let Some(piece) = self.piece {
            member(out, "piece", &piece);
        }
        if self.unterminated {
            member(out, "unterminated", &true);
        }
        match self.lines.parse {
            Parse::Nothing => {}
            Parse::Json if self.piece.is_some() => member(out, "parse_error", "part of a line"),
            Parse::Json => match text.map_or_else(|error| Err(error.to_string()), json::object) {
                Ok(object) => verbatim(out, "fields", object),
                Err(error) => member(out, "parse_error", &error),
            },
        }
        out.extend_from_slice(b"}\n");
        out.len() - begin
    }
}

/// Appends a member to an object that has others already.
fn member(out: &mut Vec<u8>, key: &str, value: &(impl Serialize + ?Sized)) {
    begin_member(out, key);
    append(out, value);
}

/// Appends a member whose value is JSON already.
fn verbatim(out: &mut Vec<u8>, key: &str, json: &str) {
    begin_member(out, key);
    // A carriage return is nothing but a blank in JSON, and for some readers it would end the record.
    out.extend(json.bytes().map(|byte| if byte == b'\r' { b' ' } else { byte }));
}

fn begin_member(out: &mut Vec<u8>, key: &str) {
    out.extend_from_slice(b",\"");
    out.extend_from_slice(key.as_bytes());
    out.extend_from_slice(b"\":");
}
