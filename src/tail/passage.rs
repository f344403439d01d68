//! Bytes that are offered where they lie, to be passed to the output without being copied.

use std::io;
use std::os::fd::BorrowedFd;
use std::path::Path;

use super::event::{Age, SourceId};
use super::files::FileId;
use super::source::Turn;

/// Bytes of a file that can be passed to the output by the kernel, as by `splice(2)`. What is not passed is offered
/// again.
#[derive(Debug)]
#[non_exhaustive]
pub struct Passage<'a> {
    /// The source they belong to.
    pub source: SourceId,
    /// The name it goes by.
    pub path: &'a Path,
    /// The file that they stand in.
    pub file: FileId,
    /// The run that they belong to, as in [`Data::run`](super::Data::run).
    pub run: u64,
    /// The offset of the first byte in the file.
    pub offset: u64,
    /// How many they are.
    pub length: u64,
    /// Whether they were there when the source was first looked at, or were appended since.
    pub age: Age,
    terminator: u8,
    turn: Turn<'a>,
}

impl<'a> Passage<'a> {
    pub(crate) fn new(source: SourceId, path: &'a Path, length: u64, terminator: u8, turn: Turn<'a>) -> Self {
        let (file, run, offset, age) = turn.passage();
        Self { source, path, file, run, offset, length, age, terminator, turn }
    }

    /// Has `pass` pass bytes from a descriptor: up to [`length`](Self::length), from [`offset`](Self::offset) on. It
    /// returns how many it has passed, and must not move the descriptor's own offset. Returns the last byte passed.
    ///
    /// # Errors
    /// Those of `pass`, but for `EINVAL`, `EOPNOTSUPP` and `ENOSYS`: after these the bytes come as
    /// [`Data`](super::Data).
    pub fn pass(self, pass: impl FnOnce(BorrowedFd<'_>, u64, u64) -> io::Result<u64>) -> io::Result<Option<u8>> {
        self.turn.pass(self.length, self.terminator, pass)
    }
}
