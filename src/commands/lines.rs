//! The line that is waited for (`--until`).

use regex::bytes::Regex;

use crate::tail::{Data, Ending, SourceId};

/// Looks for the first line that matches.
#[derive(Debug)]
pub(super) struct Until<'a> {
    pattern: Option<&'a Regex>,
    terminator: u8,
    /// The source and run in which a line of several pieces has matched that has yet to end.
    within: Option<(SourceId, u64)>,
}

impl<'a> Until<'a> {
    /// Lines end with `terminator`. Without a pattern none matches.
    pub(super) fn new(pattern: Option<&'a Regex>, terminator: u8) -> Self {
        Self { pattern, terminator, within: None }
    }

    /// How many bytes of a delivery are to be shown if the line that is waited for ends in it.
    pub(super) fn end(&mut self, data: &Data<'_>) -> Option<usize> {
        let pattern = self.pattern?;
        let run = (data.source, data.run);
        if self.within == Some(run) {
            // The last piece of a line comes alone.
            return (data.ending != Ending::Piece).then_some(data.bytes.len());
        }
        let end = end_of_match(data.bytes, pattern, self.terminator)?;
        if data.ending == Ending::Piece {
            self.within.get_or_insert(run);
            return None;
        }
        Some(end)
    }
}

/// Where the first line ends that matches.
fn end_of_match(bytes: &[u8], pattern: &Regex, terminator: u8) -> Option<usize> {
    let mut end = 0;
    for line in bytes.split_inclusive(|&byte| byte == terminator) {
        end += line.len();
        let text = line.strip_suffix(&[terminator]).unwrap_or(line);
        // The other half of a line's end on Windows; `$` means the end of the text.
        if pattern.is_match(text.strip_suffix(b"\r").unwrap_or(text)) {
            return Some(end);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_matching_line_is_the_last_one() {
        let pattern = Regex::new("^b$").unwrap();
        let rows: [(&[u8], Option<usize>); 5] = [
            (b"a\nb\nc\n", Some(4)),
            (b"a\r\nb\r\nc\r\n", Some(6)),
            (b"a\nb", Some(3)),
            (b"ab\nbc\n", None),
            (b"", None),
        ];
        for (bytes, expected) in rows {
            assert_eq!(end_of_match(bytes, &pattern, b'\n'), expected);
        }
    }
}
