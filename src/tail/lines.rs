//! Bytes to whole lines: fragments are held until they are finished, within a bound.
//!
//! A line longer than the bound is cut into pieces. Where the cuts are follows from its content alone, never from how
//! it was read.

use memchr::{memchr, memrchr};

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
    /// These, which begin with bytes that had been kept.
    Joined(Vec<u8>, Ending),
}

/// How delivered bytes end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ending {
    /// With the end of a line, or wherever the file ended under [`Framing::Bytes`].
    Line,
    /// Within a line that is longer than [`Options::longest_line`](super::Options::longest_line); more of it follows.
    /// Each piece comes alone, the last one too, which ends otherwise. It is as long as the bound lets it be and ends
    /// between two UTF-8 characters, so that the same line is always cut at the same places.
    Piece,
    /// Without the end of a line, which will never come: the file has ended for good.
    Unterminated,
}

/// What ends a line, and how long it may be.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Bounds {
    pub(crate) terminator: u8,
    /// The length of the longest line that is kept whole, its terminator not counted.
    pub(crate) longest: usize,
}

/// What was read of one file and not delivered: the unfinished line at the end and, once a line was too long to be
/// kept whole, what came behind its first piece in the same read.
#[derive(Debug, Default)]
pub(crate) struct Lines {
    bytes: Vec<u8>,
    /// Where what is kept begins in `bytes`.
    start: usize,
    /// Whether more than an unfinished line may be kept.
    more: bool,
    /// Whether what is kept goes on with a line of which pieces were delivered.
    torn: bool,
    /// Whether the last byte that was read, delivered or not, is no line's end.
    open: bool,
}

impl Lines {
    /// Takes in new bytes and says what can be delivered. Not before [`next`](Self::next) has nothing left.
    pub(crate) fn push(&mut self, new: &[u8], framing: Framing, bounds: Bounds) -> Framed {
        let Some(&last) = new.last() else { return Framed::Nothing };
        self.open = last != bounds.terminator;
        let empty = self.kept() == 0;
        match framing {
            Framing::Bytes if empty => Framed::Direct(new.len()),
            Framing::Bytes => {
                self.keep(new);
                Framed::Joined(self.take().unwrap_or_default(), Ending::Line)
            }
            Framing::Lines if empty && !self.torn => {
                let end = bounds.whole_lines(new);
                self.keep(&new[end..]);
                self.more = self.bytes.len() > bounds.longest;
                if end > 0 { Framed::Direct(end) } else { self.next_framed(bounds) }
            }
            Framing::Lines => {
                // A line that comes little by little is not searched for its end again and again.
                self.more = memchr(bounds.terminator, new).is_some();
                self.keep(new);
                self.more |= self.bytes.len() > bounds.longest;
                self.next_framed(bounds)
            }
        }
    }

    fn next_framed(&mut self, bounds: Bounds) -> Framed {
        self.next(bounds).map_or(Framed::Nothing, |(bytes, ending)| Framed::Joined(bytes, ending))
    }

    /// Hands out the next of what is kept that can be delivered.
    pub(crate) fn next(&mut self, bounds: Bounds) -> Option<(Vec<u8>, Ending)> {
        if !self.more {
            return None;
        }
        let kept = &self.bytes[self.start..];
        let whole = if self.torn { bounds.first_line(kept) } else { bounds.whole_lines(kept) };
        let found = if whole > 0 { Some((whole, Ending::Line)) } else { bounds.piece(kept) };
        let Some((length, ending)) = found else {
            self.more = false;
            return None;
        };
        // Only behind a run of whole lines nothing but a line that is not finished, or too long, can stand.
        self.more = whole == 0 || self.torn || kept.len() - length > bounds.longest;
        self.torn = ending == Ending::Piece;
        Some((self.split(length), ending))
    }

    /// Whether [`next`](Self::next) may have something.
    pub(crate) fn has_more(&self) -> bool {
        self.more
    }

    fn keep(&mut self, new: &[u8]) {
        self.bytes.drain(..std::mem::take(&mut self.start));
        self.bytes.extend_from_slice(new);
    }

    /// Takes the first `length` bytes of what is kept, copying them or what stays, whichever is less.
    fn split(&mut self, length: usize) -> Vec<u8> {
        let end = self.start + length;
        if self.bytes.len() - end > length {
            let first = self.bytes[self.start..end].to_vec();
            self.start = end;
            return first;
        }
        let rest = self.bytes.split_off(end);
        let mut first = std::mem::replace(&mut self.bytes, rest);
        first.drain(..std::mem::take(&mut self.start));
        first
    }

    /// Takes note of bytes that were delivered without being taken in, the last of which is this.
    pub(crate) fn pass(&mut self, last: u8, terminator: u8) {
        self.open = last != terminator;
    }

    /// Gives up what is kept: its line will never be finished, or need not be.
    pub(crate) fn take(&mut self) -> Option<Vec<u8>> {
        self.more = false;
        self.torn = false;
        Some(self.split(self.bytes.len() - self.start)).filter(|kept| !kept.is_empty())
    }

    /// Drops the last `count` bytes of what is kept: they were cut off the file.
    pub(crate) fn cut(&mut self, count: u64) {
        let left = self.bytes.len().saturating_sub(usize::try_from(count).unwrap_or(usize::MAX));
        self.bytes.truncate(left.max(self.start));
        self.open = self.kept() > 0;
    }

    /// How many bytes are kept.
    pub(crate) fn kept(&self) -> u64 {
        (self.bytes.len() - self.start) as u64
    }

    /// Whether the line goes on of which a piece was delivered last.
    pub(crate) fn is_torn(&self) -> bool {
        self.torn
    }

    /// Whether the last line read has not been finished.
    pub(crate) fn is_open(&self) -> bool {
        self.open
    }
}

impl Bounds {
    /// Where the lines end that `bytes` begins with, up to the first one that is not finished or too long.
    fn whole_lines(self, bytes: &[u8]) -> usize {
        let mut end = 0;
        // Whatever ends within so many bytes can't be too long, so that most of it need not be looked at.
        while let Some(at) = memrchr(self.terminator, self.window(&bytes[end..])) {
            end += at + 1;
        }
        end
    }

    /// Where the line ends that `bytes` begins with; 0 if it is not finished or too long.
    fn first_line(self, bytes: &[u8]) -> usize {
        memchr(self.terminator, self.window(bytes)).map_or(0, |at| at + 1)
    }

    /// As much as the longest line takes, its terminator included.
    fn window(self, bytes: &[u8]) -> &[u8] {
        &bytes[..bytes.len().min(self.longest.saturating_add(1))]
    }

    /// The first piece of a line that is too long; `None` if it isn't, or not enough of it is there to say.
    fn piece(self, line: &[u8]) -> Option<(usize, Ending)> {
        let next = *line.get(self.longest)?;
        let cut = if is_continuation(next) { unfinished_character(&line[..self.longest]) } else { 0 };
        let length = match self.longest - cut {
            0 => self.first_character(line),
            length => length,
        };
        match *line.get(length)? {
            // A single character may be longer than the bound, and all there is to its line.
            next if next == self.terminator => Some((length + 1, Ending::Line)),
            _ => Some((length, Ending::Piece)),
        }
    }

    /// How many bytes the character takes that `line` begins with.
    fn first_character(self, line: &[u8]) -> usize {
        let rest = line.iter().skip(1).take(character_length(line[0]) - 1);
        1 + rest.take_while(|&&byte| is_continuation(byte) && byte != self.terminator).count()
    }
}

/// How many bytes at the end begin a UTF-8 character that is not complete; 0 if they don't look like one.
fn unfinished_character(bytes: &[u8]) -> usize {
    let back = bytes.iter().rev().take(3).position(|&byte| !is_continuation(byte));
    back.map_or(0, |back| if back + 1 < character_length(bytes[bytes.len() - 1 - back]) { back + 1 } else { 0 })
}

/// How many bytes a UTF-8 character takes that begins with this one; 1 if none begins so.
fn character_length(first: u8) -> usize {
    match first {
        0xc2..=0xdf => 2,
        0xe0..=0xef => 3,
        0xf0..=0xf4 => 4,
        _ => 1,
    }
}

/// Whether this is a byte of a UTF-8 character other than its first.
fn is_continuation(byte: u8) -> bool {
    matches!(byte, 0x80..=0xbf)
}

#[cfg(test)]
mod tests {
    use memchr::memchr_iter;

    use super::*;

    fn bounds(longest: usize) -> Bounds {
        Bounds { terminator: b'\n', longest }
    }

    /// What came out, delivery by delivery, and how each ended.
    type Deliveries = Vec<(Vec<u8>, Ending)>;

    /// Feeds the chunks, each when what came before has been delivered as far as it can be.
    fn deliveries<'a>(chunks: impl IntoIterator<Item = &'a [u8]>, longest: usize) -> (Deliveries, Lines) {
        let mut lines = Lines::default();
        let mut out = Vec::new();
        for chunk in chunks {
            match lines.push(chunk, Framing::Lines, bounds(longest)) {
                Framed::Nothing => {}
                Framed::Direct(length) => out.push((chunk[..length].to_vec(), Ending::Line)),
                Framed::Joined(bytes, ending) => out.push((bytes, ending)),
            }
            while let Some(next) = lines.next(bounds(longest)) {
                out.push(next);
            }
            assert!(!lines.has_more() && lines.kept() <= (longest as u64).max(4));
        }
        (out, lines)
    }

    /// What is delivered of `content`, found the slow way: line by line, character by character.
    fn reference(content: &[u8], longest: usize) -> Deliveries {
        let mut out = Vec::new();
        for line in content.split_inclusive(|&byte| byte == b'\n') {
            let text = line.strip_suffix(b"\n").unwrap_or(line);
            let mut piece = Vec::new();
            let mut rest = text;
            while !rest.is_empty() {
                let (character, behind) = rest.split_at(character_length_of(rest));
                if !piece.is_empty() && piece.len() + character.len() > longest {
                    out.push((std::mem::take(&mut piece), Ending::Piece));
                }
                piece.extend_from_slice(character);
                rest = behind;
            }
            piece.extend_from_slice(&line[text.len()..]);
            out.push((piece, if text.len() < line.len() { Ending::Line } else { Ending::Unterminated }));
        }
        out
    }

    /// The length of the first character, or of what there is of it.
    fn character_length_of(text: &[u8]) -> usize {
        let whole = match text[0] {
            0xc2..=0xdf => 2,
            0xe0..=0xef => 3,
            0xf0..=0xf4 => 4,
            _ => 1,
        };
        (1..whole).find(|&at| text.get(at).is_none_or(|byte| byte >> 6 != 0b10)).unwrap_or(whole)
    }

    /// Numbers that look random, the same ones each time.
    struct Numbers(u64);

    impl Numbers {
        fn below(&mut self, bound: usize) -> usize {
            self.0 ^= self.0 << 13;
            self.0 ^= self.0 >> 7;
            self.0 ^= self.0 << 17;
            usize::try_from(self.0 % bound as u64).unwrap()
        }
    }

    #[test]
    fn a_fragment_waits_for_its_end() {
        let (out, lines) = deliveries([b"a\nb".as_slice(), b"c", b"d\ne"], 100);
        assert_eq!(out, [(b"a\n".to_vec(), Ending::Line), (b"bcd\n".to_vec(), Ending::Line)]);
        assert!(lines.is_open());
        assert_eq!(lines.kept(), 1);
    }

    #[test]
    fn however_the_bytes_are_cut_only_whole_lines_come_out_and_all_of_them() {
        let text = b"one\r\n\n\0two\nthree three three\nlast".as_slice();
        for size in 1..=text.len() {
            let (out, mut lines) = deliveries(text.chunks(size), 1000);
            assert!(out.iter().all(|(bytes, _)| bytes.ends_with(b"\n")), "size {size}");
            let mut all = out.into_iter().flat_map(|(bytes, _)| bytes).collect::<Vec<_>>();
            all.extend(lines.take().unwrap_or_default());
            assert_eq!(all, text, "size {size}");
        }
    }

    #[test]
    fn any_content_in_any_chunks_under_any_bound_comes_in_the_same_pieces() {
        let parts = ["", "a", "bc", "\n", "\n\n", "ä", "€", "🦀", "ab🦀", "\r\n"].map(str::as_bytes);
        let broken: [&[u8]; 6] = [b"\x80", b"\xe2\x82", b"\xe2", b"\xf0\x9f", b"\xff", b"\x80\x80\x80\x80\x80"];
        let parts: Vec<&[u8]> = parts.into_iter().chain(broken).collect();
        let mut numbers = Numbers(0x9e37_79b9_7f4a_7c15);
        for round in 0..20_000 {
            let content =
                (0..numbers.below(30)).map(|_| parts[numbers.below(parts.len())]).collect::<Vec<_>>().concat();
            let longest = numbers.below(12) * numbers.below(4) + 1;
            let mut chunks = Vec::new();
            let mut rest = content.as_slice();
            while !rest.is_empty() {
                let (chunk, behind) = rest.split_at(1 + numbers.below(rest.len().min(24)));
                chunks.push(chunk);
                rest = behind;
            }

            let (out, mut lines) = deliveries(chunks.iter().copied(), longest);
            let mut found = Vec::new();
            let mut torn = false;
            for (bytes, ending) in out {
                let several = memchr_iter(b'\n', &bytes).count() > 1;
                assert!(!(torn && several), "the last piece comes alone");
                torn = ending == Ending::Piece;
                let each = bytes.split_inclusive(|&byte| byte == b'\n');
                found.extend(each.map(|line| (line.to_vec(), ending)));
            }
            found.extend(lines.take().map(|bytes| (bytes, Ending::Unterminated)));
            assert_eq!(found, reference(&content, longest), "round {round}, bound {longest}, {chunks:?}");
        }
    }

    #[test]
    fn a_piece_is_never_less_than_one_character() {
        let (out, lines) = deliveries(["a€ä\n🦀\n".as_bytes()], 1);
        let pieces = [("a", Ending::Piece), ("€", Ending::Piece), ("ä\n", Ending::Line), ("🦀\n", Ending::Line)];
        assert_eq!(out, pieces.map(|(text, ending)| (text.as_bytes().to_vec(), ending)));
        assert_eq!(lines.kept(), 0);
    }

    #[test]
    fn lines_within_the_bound_are_not_copied() {
        let mut lines = Lines::default();
        assert_eq!(lines.push(b"1234\n123\n\n1234\n12", Framing::Lines, bounds(4)), Framed::Direct(15));
        assert_eq!((lines.has_more(), lines.kept()), (false, 2));
    }

    #[test]
    fn many_pieces_of_one_chunk_take_no_time() {
        let chunk = vec![b'x'; 1 << 20];
        let (out, lines) = deliveries([chunk.as_slice()], 1);
        assert_eq!((out.len(), lines.kept()), ((1 << 20) - 1, 1));
    }

    #[test]
    fn bytes_pass_as_they_come_behind_what_was_kept() {
        let mut lines = Lines::default();
        assert_eq!(lines.push(b"ab", Framing::Lines, bounds(100)), Framed::Nothing);
        assert_eq!(lines.push(b"cd", Framing::Bytes, bounds(100)), Framed::Joined(b"abcd".to_vec(), Ending::Line));
        assert_eq!(lines.push(b"ef", Framing::Bytes, bounds(100)), Framed::Direct(2));
        assert!(lines.is_open());
    }
}
