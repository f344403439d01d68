//! Bytes to whole lines: fragments are held until they are finished, within a bound.

use memchr::memrchr;

/// Whether lines are kept whole.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Framing {
    /// Bytes are delivered as they come, torn lines and all.
    Bytes,
    /// A line is delivered when its end is there.
    Lines,
}

/// What of newly read bytes can be delivered.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Framed {
    /// Nothing: they are kept.
    Nothing,
    /// This many of them, from the first on; the others are kept.
    Direct(usize),
    /// These, which begin with bytes that had been kept. `Piece`: of a line too long to be kept whole.
    Joined(Vec<u8>, Ending),
}

/// How delivered bytes end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ending {
    /// With the end of a line, or wherever the file ended under [`Framing::Bytes`].
    Line,
    /// Within a line that is longer than what is held in memory; more of it follows.
    Piece,
    /// Without the end of a line, which will never come: the file has ended for good.
    Unterminated,
}

/// The unfinished line at the end of what was read of one file.
#[derive(Debug, Default)]
pub(crate) struct Lines {
    fragment: Vec<u8>,
    /// Whether the last byte that was read, delivered or not, is no line's end.
    open: bool,
}

impl Lines {
    /// Takes in new bytes and says what can be delivered.
    pub(crate) fn push(&mut self, new: &[u8], framing: Framing, terminator: u8, longest: usize) -> Framed {
        let Some(&last) = new.last() else { return Framed::Nothing };
        self.open = last != terminator;
        let end = match framing {
            Framing::Bytes => new.len(),
            Framing::Lines => memrchr(terminator, new).map_or(0, |at| at + 1),
        };
        if end > 0 && self.fragment.is_empty() {
            self.fragment.extend_from_slice(&new[end..]);
            return Framed::Direct(end);
        }
        if end > 0 {
            let mut whole = std::mem::take(&mut self.fragment);
            whole.extend_from_slice(&new[..end]);
            self.fragment.extend_from_slice(&new[end..]);
            return Framed::Joined(whole, Ending::Line);
        }
        self.fragment.extend_from_slice(new);
        if self.fragment.len() <= longest {
            return Framed::Nothing;
        }
        let kept = self.fragment.split_off(self.fragment.len() - unfinished_character(&self.fragment));
        Framed::Joined(std::mem::replace(&mut self.fragment, kept), Ending::Piece)
    }

    /// Gives up what is kept: its line will never be finished, or need not be.
    pub(crate) fn take(&mut self) -> Option<Vec<u8>> {
        Some(std::mem::take(&mut self.fragment)).filter(|fragment| !fragment.is_empty())
    }

    /// Drops the last `count` bytes of what is kept: they were cut off the file.
    pub(crate) fn cut(&mut self, count: u64) {
        let left = self.fragment.len().saturating_sub(usize::try_from(count).unwrap_or(usize::MAX));
        self.fragment.truncate(left);
        self.open = left > 0;
    }

    /// How many bytes are kept.
    pub(crate) fn kept(&self) -> u64 {
        self.fragment.len() as u64
    }

    /// Whether the last line read has not been finished.
    pub(crate) fn is_open(&self) -> bool {
        self.open
    }
}

/// How many bytes at the end begin a UTF-8 character that is not complete; 0 if they don't look like one.
fn unfinished_character(bytes: &[u8]) -> usize {
    for (back, &byte) in bytes.iter().rev().take(3).enumerate() {
        let length = match byte {
            0x80..=0xbf => continue,
            0xc2..=0xdf => 2,
            0xe0..=0xef => 3,
            0xf0..=0xf4 => 4,
            _ => return 0,
        };
        return if back + 1 < length { back + 1 } else { 0 };
    }
    0
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Feeds the pieces and returns what came out, delivery by delivery.
    fn deliveries(pieces: &[&[u8]], longest: usize) -> (Vec<Vec<u8>>, Lines) {
        let mut lines = Lines::default();
        let mut out = Vec::new();
        for piece in pieces {
            match lines.push(piece, Framing::Lines, b'\n', longest) {
                Framed::Nothing => {}
                Framed::Direct(length) => out.push(piece[..length].to_vec()),
                Framed::Joined(bytes, _) => out.push(bytes),
            }
        }
        (out, lines)
    }

    #[test]
    fn a_fragment_waits_for_its_end() {
        let (out, lines) = deliveries(&[b"a\nb", b"c", b"d\ne"], 100);
        assert_eq!(out, [b"a\n".to_vec(), b"bcd\n".to_vec()]);
        assert!(lines.is_open());
        assert_eq!(lines.kept(), 1);
    }

    #[test]
    fn however_the_bytes_are_cut_only_whole_lines_come_out_and_all_of_them() {
        let text = b"one\r\n\n\0two\nthree three three\nlast".as_slice();
        for size in 1..=text.len() {
            let (out, mut lines) = deliveries(&text.chunks(size).collect::<Vec<_>>(), 1000);
            assert!(out.iter().all(|delivery| delivery.ends_with(b"\n")), "size {size}");
            let mut all = out.concat();
            all.extend(lines.take().unwrap_or_default());
            assert_eq!(all, text, "size {size}");
        }
    }

    #[test]
    fn a_line_that_is_too_long_comes_in_pieces_cut_between_characters() {
        let text = "äöü".repeat(100);
        for size in 1..=9 {
            let pieces: Vec<&[u8]> = text.as_bytes().chunks(size).collect();
            let (out, mut lines) = deliveries(&pieces, 20);
            assert!(out.len() > 10, "size {size}");
            assert!(out.iter().all(|piece| std::str::from_utf8(piece).is_ok()), "size {size}");
            let mut all = out.concat();
            all.extend(lines.take().unwrap_or_default());
            assert_eq!(all, text.as_bytes(), "size {size}");
        }
    }

    #[test]
    fn bytes_pass_as_they_come_behind_what_was_kept() {
        let mut lines = Lines::default();
        assert_eq!(lines.push(b"ab", Framing::Lines, b'\n', 100), Framed::Nothing);
        assert_eq!(lines.push(b"cd", Framing::Bytes, b'\n', 100), Framed::Joined(b"abcd".to_vec(), Ending::Line));
        assert_eq!(lines.push(b"ef", Framing::Bytes, b'\n', 100), Framed::Direct(2));
        assert!(lines.is_open());
    }
}
