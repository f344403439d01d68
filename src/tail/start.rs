//! Where the first output of a file begins.
//!
//! A regular file is searched for the place, backwards where the end is what counts. What can't be seeked is
//! read through a [`Window`] that lets pass, or keeps, what was asked for.

use std::io;
use std::sync::atomic::{AtomicBool, Ordering};

use memchr::{memchr_iter, memrchr_iter};

use super::files::Handle;
use super::options::{Nuls, Start};
use super::scan::CHUNK;
use crate::backwards;

/// Files up to this size are read through to find their beginning: their size may not be the truth.
const SMALL: u64 = 64 * 1024;

/// What a regular file of a given size begins with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Located {
    /// Read from here on; the file ends there.
    At { offset: u64, end: u64 },
    /// This offset, which was asked for, lies beyond the end: the file was cut since it was noted.
    Beyond(u64),
}

/// A regular file to find a place in.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Place<'a> {
    pub(crate) handle: &'a dyn Handle,
    /// Nothing before this offset counts: where standard input stood when it was handed to us.
    pub(crate) base: u64,
    pub(crate) size: u64,
    pub(crate) terminator: u8,
    pub(crate) nuls: Nuls,
    /// Set by whoever wants the search to end.
    pub(crate) interrupt: &'a AtomicBool,
}

impl Place<'_> {
    /// Ends a search through much that nobody waits for any more.
    fn go_on(&self) -> io::Result<()> {
        if self.interrupt.load(Ordering::Relaxed) { Err(io::ErrorKind::Interrupted.into()) } else { Ok(()) }
    }
}

/// Finds the place where the output of a regular file begins.
///
/// # Errors
/// A read that failed, or an interrupt.
pub(crate) fn locate(place: Place<'_>, start: Start) -> io::Result<Located> {
    let Place { handle, base, size, nuls, .. } = place;
    if matches!(start, Start::FromByte(..=1) | Start::FromLine(..=1)) {
        return Ok(Located::At { offset: base, end: size });
    }
    let size = if size <= SMALL { true_size(handle, size)? } else { size };
    let offset = match start {
        Start::Offset(offset) if offset > size => return Ok(Located::Beyond(offset)),
        Start::Offset(offset) => offset,
        Start::FromByte(number) => base.saturating_add(number.saturating_sub(1)).min(size.max(base)),
        Start::FromLine(number) => skip_lines(&place, number.saturating_sub(1))?,
        Start::LastBytes(0) | Start::LastLines(0) => size,
        Start::LastBytes(count) => data_end(&place, size, nuls)?.saturating_sub(count).max(base),
        Start::LastLines(count) => last_lines(&place, count, data_end(&place, size, nuls)?)?.max(base),
    };
    Ok(Located::At { offset, end: size })
}

/// Where the file really ends, which on `/proc` and the like is not where its size says.
fn true_size(handle: &dyn Handle, size: u64) -> io::Result<u64> {
    let mut end = size;
    let mut buffer = [0; 4096];
    loop {
        match handle.read_at(&mut buffer, end)? {
            0 => return Ok(end),
            length => end += length as u64,
        }
    }
}

/// Where the data end: before any NULs at the end, if those are held back.
fn data_end(place: &Place<'_>, size: u64, nuls: Nuls) -> io::Result<u64> {
    if nuls == Nuls::Pass {
        return Ok(size);
    }
    let mut found = None;
    look_back(place, size, |offset, block| {
        found = block.iter().rposition(|&byte| byte != 0).map(|at| offset + at as u64 + 1);
        found.is_some()
    })?;
    Ok(found.unwrap_or(0))
}

/// The offset of the last `count` lines before `end`. A last line without its end counts as one.
fn last_lines(place: &Place<'_>, count: u64, end: u64) -> io::Result<u64> {
    let mut left = count;
    let mut found = 0;
    look_back(place, end, |offset, block| {
        for at in backwards::places(place.terminator, block) {
            let behind = offset + at as u64 + 1;
            // The end of the last line begins no line.
            if behind == end {
                continue;
            }
            left -= 1;
            if left == 0 {
                found = behind;
                return true;
            }
        }
        false
    })?;
    Ok(found)
}

/// Hands the blocks before `end` to `look`, last one first, until it returns true.
fn look_back(place: &Place<'_>, end: u64, mut look: impl FnMut(u64, &[u8]) -> bool) -> io::Result<()> {
    // Small at first, for the usual last ten lines, of which some may stand before the first block.
    let mut size = 8 * 1024u64;
    let mut buffer = Vec::new();
    let mut end = end;
    while end > 0 {
        place.go_on()?;
        // Blocks that begin at multiples of their size are what the page cache holds.
        let start = (end - 1) / size * size;
        buffer.resize(usize::try_from(end - start).unwrap_or(CHUNK), 0);
        let mut filled = 0;
        while filled < buffer.len() {
            match place.handle.read_at(&mut buffer[filled..], start + filled as u64)? {
                0 => break,
                length => filled += length,
            }
        }
        if look(start, &buffer[..filled]) {
            return Ok(());
        }
        end = start;
        size = (4 * size).min(CHUNK as u64);
    }
    Ok(())
}

/// The offset behind the first `count` lines after the base, or the end.
fn skip_lines(place: &Place<'_>, count: u64) -> io::Result<u64> {
    let mut left = count;
    let mut offset = place.base;
    let mut buffer = vec![0; if count == 0 { 0 } else { CHUNK }];
    while left > 0 {
        place.go_on()?;
        let length = place.handle.read_at(&mut buffer, offset)?;
        if length == 0 {
            return Ok(offset);
        }
        for at in memchr_iter(place.terminator, &buffer[..length]) {
            left -= 1;
            if left == 0 {
                return Ok(offset + at as u64 + 1);
            }
        }
        offset += length as u64;
    }
    Ok(place.base)
}

/// Lets pass, or keeps, what was asked for of a file that can't be seeked.
#[derive(Debug)]
pub(crate) struct Window {
    want: Want,
    kept: Vec<u8>,
    /// How long `kept` may become before it is looked through for what can go.
    trim_at: usize,
}

#[derive(Debug)]
enum Want {
    SkipBytes(u64),
    SkipLines(u64),
    LastBytes(u64),
    LastLines(u64),
}

impl Window {
    pub(crate) fn new(start: Start) -> Self {
        let want = match start {
            Start::LastLines(count) => Want::LastLines(count),
            Start::LastBytes(count) => Want::LastBytes(count),
            Start::FromLine(number) => Want::SkipLines(number.saturating_sub(1)),
            Start::FromByte(number) => Want::SkipBytes(number.saturating_sub(1)),
            Start::Offset(offset) => Want::SkipBytes(offset),
        };
        Self { want, kept: Vec::new(), trim_at: 4 * CHUNK }
    }

    /// Takes in new bytes; returns how many of them, at the end, are wanted at once.
    pub(crate) fn push(&mut self, new: &[u8], terminator: u8) -> usize {
        match &mut self.want {
            Want::SkipBytes(left) => {
                let skipped = usize::try_from(*left).unwrap_or(usize::MAX).min(new.len());
                *left -= skipped as u64;
                new.len() - skipped
            }
            Want::SkipLines(left) => {
                if *left == 0 {
                    return new.len();
                }
                for at in memchr_iter(terminator, new) {
                    *left -= 1;
                    if *left == 0 {
                        return new.len() - at - 1;
                    }
                }
                0
            }
            Want::LastBytes(0) | Want::LastLines(0) => 0,
            Want::LastBytes(_) | Want::LastLines(_) => {
                self.kept.extend_from_slice(new);
                if self.kept.len() > self.trim_at {
                    self.trim(terminator);
                    self.trim_at = 2 * self.kept.len() + 4 * CHUNK;
                }
                0
            }
        }
    }

    /// How many bytes are kept.
    pub(crate) fn kept(&self) -> u64 {
        self.kept.len() as u64
    }

    /// What was kept to the end.
    pub(crate) fn finish(mut self, terminator: u8) -> Vec<u8> {
        self.trim(terminator);
        self.kept
    }

    fn trim(&mut self, terminator: u8) {
        let begin = match self.want {
            Want::LastBytes(count) => self.kept.len().saturating_sub(usize::try_from(count).unwrap_or(usize::MAX)),
            Want::LastLines(count) => {
                let body = self.kept.strip_suffix(&[terminator]).unwrap_or(&self.kept);
                let nth = usize::try_from(count.saturating_sub(1)).unwrap_or(usize::MAX);
                memrchr_iter(terminator, body).nth(nth).map_or(0, |at| at + 1)
            }
            Want::SkipBytes(_) | Want::SkipLines(_) => 0,
        };
        self.kept.drain(..begin);
    }
}

#[cfg(test)]
mod tests {
    use super::super::files::{Disk, Files, Links};
    use super::*;

    fn located(content: &[u8], start: Start) -> u64 {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), content).unwrap();
        let handle = Disk.open(file.path(), Links::Refuse).unwrap();
        let size = content.len() as u64;
        let interrupt = &AtomicBool::new(false);
        let place = Place { handle: &*handle, base: 0, size, terminator: b'\n', nuls: Nuls::HoldBack, interrupt };
        match locate(place, start).unwrap() {
            Located::At { offset, .. } => offset,
            Located::Beyond(_) => panic!("beyond the end"),
        }
    }

    fn windowed(content: &[u8], start: Start, step: usize) -> Vec<u8> {
        let mut window = Window::new(start);
        let mut out = Vec::new();
        for part in content.chunks(step) {
            let wanted = window.push(part, b'\n');
            out.extend_from_slice(&part[part.len() - wanted..]);
        }
        out.extend(window.finish(b'\n'));
        out
    }

    /// What the last `count` lines are, found the slow way.
    fn reference(content: &[u8], count: usize) -> Vec<u8> {
        let lines: Vec<&[u8]> = content.split_inclusive(|&byte| byte == b'\n').collect();
        lines[lines.len().saturating_sub(count)..].concat()
    }

    #[test]
    fn the_last_lines_are_found_in_files_of_every_shape() {
        let long = [b"x".repeat(300_000), b"\n".to_vec(), b"y".repeat(70_000), b"\nz".to_vec()].concat();
        let many: Vec<u8> = (0..60_000).flat_map(|n| format!("L{n}\n").into_bytes()).collect();
        for content in [b"".as_slice(), b"\n", b"a", b"a\n", b"a\nb", b"\n\n\n", b"a\n\nb\n", &long, &many] {
            for count in [1, 2, 3, 10, 1000, 59_999, 60_000, 60_001] {
                let start = Start::LastLines(count as u64);
                let offset = usize::try_from(located(content, start)).unwrap();
                let expected = reference(content, count);
                assert!(content[offset..] == expected[..], "{} bytes, -n {count}", content.len());
                for step in [1, 4096, 300_000] {
                    if content.len() / step < 100_000 {
                        assert!(windowed(content, start, step) == expected, "-n {count} in steps of {step}");
                    }
                }
            }
        }
    }

    #[test]
    fn counting_from_the_beginning_begins_with_one() {
        let content = b"a\nbb\nccc";
        for (start, rest) in [
            (Start::FromLine(0), b"a\nbb\nccc".as_slice()),
            (Start::FromLine(1), b"a\nbb\nccc"),
            (Start::FromLine(2), b"bb\nccc"),
            (Start::FromLine(3), b"ccc"),
            (Start::FromLine(9), b""),
            (Start::FromByte(0), b"a\nbb\nccc"),
            (Start::FromByte(1), b"a\nbb\nccc"),
            (Start::FromByte(3), b"bb\nccc"),
            (Start::FromByte(99), b""),
            (Start::LastBytes(3), b"ccc"),
            (Start::LastBytes(99), b"a\nbb\nccc"),
            (Start::LastBytes(0), b""),
            (Start::LastLines(0), b""),
        ] {
            let offset = usize::try_from(located(content, start)).unwrap();
            assert_eq!(content[offset..], *rest, "{start:?}");
            assert_eq!(windowed(content, start, 2), rest, "{start:?} through a window");
        }
    }

    #[test]
    fn room_set_aside_at_the_end_is_no_line() {
        assert_eq!(located(b"a\nb\n\0\0\0\0", Start::LastLines(1)), 2);
    }
}
