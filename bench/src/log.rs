//! Logs whose every line says where it belongs: which stream, which number.

use std::fs::{File, OpenOptions};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

/// What every hundredth line holds, and no other.
pub(crate) const MARK: &str = "MATCH";
const PLAIN: &str = "other";

/// How long a line is unless the row is about its length, the newline included.
pub(crate) const LINE: usize = 100;

/// Where the digits of a line's number stand, and its mark.
const DIGITS: std::ops::Range<usize> = 6..16;
const MARKED: std::ops::Range<usize> = 17..22;

/// A file under a writer's hand, open for appending.
#[derive(Debug)]
pub(crate) struct Log {
    file: File,
    path: PathBuf,
    stream: usize,
    length: usize,
    next: u64,
    /// The lines of the last append, of which the next one changes the numbers alone: a writer is to cost little.
    lines: Vec<u8>,
}

impl Log {
    /// Creates a file for the lines of `stream` from `next` on, each `length` bytes long.
    pub(crate) fn create(path: PathBuf, stream: usize, length: usize, next: u64) -> io::Result<Self> {
        let file = OpenOptions::new().append(true).create_new(true).open(&path)?;
        Ok(Self { file, path, stream, length, next, lines: Vec::new() })
    }

    /// Appends lines by one write.
    pub(crate) fn append(&mut self, count: usize) -> io::Result<()> {
        if self.lines.len() != count * self.length {
            self.lines = blank(self.stream, self.length).repeat(count);
        }
        for line in self.lines.chunks_exact_mut(self.length) {
            number(line, self.next);
            self.next += 1;
        }
        self.file.write_all(&self.lines)
    }

    /// Renames the file and begins another one under its name, where the stream goes on. Returns the old one.
    pub(crate) fn rotate(&mut self, to: &Path) -> io::Result<Self> {
        std::fs::rename(&self.path, to)?;
        let new = Self::create(self.path.clone(), self.stream, self.length, self.next)?;
        Ok(Self { path: to.to_owned(), ..std::mem::replace(self, new) })
    }

    /// Copies the file and cuts it off, as logrotate's `copytruncate` does. Nothing is written meanwhile.
    pub(crate) fn copy_and_truncate(&mut self, to: &Path) -> io::Result<()> {
        std::fs::copy(&self.path, to)?;
        self.file.set_len(0)
    }

    /// Has the lines that follow belong to another stream, from its beginning.
    pub(crate) fn turn_to(&mut self, stream: usize) {
        self.stream = stream;
        self.next = 0;
        self.lines.clear();
    }

    /// Waits until the disk has it, so that writing it back disturbs nobody later.
    pub(crate) fn sync(&self) -> io::Result<()> {
        self.file.sync_all()
    }

    /// How many lines its stream has.
    pub(crate) fn written(&self) -> u64 {
        self.next
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }
}

/// How many of a stream's first lines hold the mark.
pub(crate) fn marked(lines: u64) -> u64 {
    lines.div_ceil(100)
}

/// A line of a stream, its number and mark to be set.
pub(crate) fn blank(stream: usize, length: usize) -> Vec<u8> {
    let mut line = format!("{stream:05} {:010} {PLAIN} ", 0).into_bytes();
    line.resize(length - 1, b'x');
    line.push(b'\n');
    line
}

/// Numbers a line and sets its mark accordingly.
pub(crate) fn number(line: &mut [u8], number: u64) {
    let mut rest = number;
    for digit in line[DIGITS].iter_mut().rev() {
        *digit = b"0123456789"[usize::try_from(rest % 10).unwrap_or(0)];
        rest /= 10;
    }
    let mark = if number.is_multiple_of(100) { MARK } else { PLAIN };
    line[MARKED].copy_from_slice(mark.as_bytes());
}

/// The stream and number that a line claims.
pub(crate) fn parse(line: &[u8]) -> Option<(usize, u64)> {
    let text = std::str::from_utf8(line.get(..DIGITS.end)?).ok()?;
    let (stream, number) = text.split_once(' ')?;
    Some((stream.parse().ok()?, number.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_says_where_it_belongs_and_every_hundredth_is_marked() {
        let mut line = blank(77, 40);
        for at in [0, 1, 99, 100, 123_456_789] {
            number(&mut line, at);
            assert_eq!(parse(&line), Some((77, at)));
            assert_eq!(line.len(), 40);
            assert_eq!(String::from_utf8_lossy(&line).contains(MARK), at % 100 == 0);
        }
        assert_eq!([0, 1, 100, 101].map(marked), [0, 1, 1, 2]);
    }

    #[test]
    fn a_rotated_log_goes_on_with_the_next_line() {
        let directory = tempfile::tempdir().unwrap();
        let mut log = Log::create(directory.path().join("a"), 0, 40, 0).unwrap();
        log.append(2).unwrap();
        let mut old = log.rotate(&directory.path().join("b")).unwrap();
        log.append(1).unwrap();
        old.turn_to(5);
        old.append(1).unwrap();
        let numbers = |name| {
            let bytes = std::fs::read(directory.path().join(name)).unwrap();
            bytes.chunks(40).map(|line| parse(line).unwrap()).collect::<Vec<_>>()
        };
        assert_eq!(numbers("b"), [(0, 0), (0, 1), (5, 0)]);
        assert_eq!(numbers("a"), [(0, 2)]);
    }
}
