//! Where reading has come to, in a form that outlives the process: what a checkpoint holds.

use std::io;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use super::copies::stands_at;
use super::files::{Disk, FileId, Files as _, Handle, Links};
use super::generation::Closed;
use super::proof::{ANCHOR, Anchor, HEAD, Head};
use super::scan::read_at_least;

/// How far one file was read, and what proves later that it is still the same file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Position {
    /// The file.
    pub file: FileId,
    /// The offset of the next byte to be delivered.
    pub offset: u64,
    /// The largest size seen, in bytes: what was there to be lost.
    pub size: u64,
    /// The last time at which the file was written and had been read to its end: what stands behind `offset` in a copy
    /// of it that was cut was not written before. `None` where that isn't known.
    pub ended: Option<SystemTime>,
    /// The first bytes of the file, up to 1 KiB, as far as they stand before `offset`.
    pub head: Vec<u8>,
    /// The last bytes before `offset`, up to 256.
    pub anchor: Vec<u8>,
}

impl Position {
    /// Proves an earlier offset of the same file, which is not open any more, if `path` still leads to it.
    #[must_use]
    pub fn earlier(&self, path: &Path, offset: u64) -> Option<Self> {
        let handle = Disk.open(path, Links::Follow).ok().filter(|_| offset <= self.offset)?;
        let position = Self::read(&*handle, &Closed::from(self), offset).ok()??;
        // Looked at last: a file that was rewritten meanwhile is not what this was read from.
        let same = handle.meta().is_ok_and(|meta| meta.id == self.file)
            && stands_at(&*handle, &self.anchor, self.offset - self.anchor.len() as u64).unwrap_or(false);
        same.then_some(position)
    }

    /// What of this proves an earlier offset, or one before that, of a file that holds it no more.
    #[must_use]
    pub fn cut_back(&self, offset: u64) -> Self {
        let index = |at: u64| usize::try_from(at).unwrap_or(usize::MAX);
        let start = self.offset - self.anchor.len() as u64;
        let (offset, anchor) = if offset >= self.offset {
            (self.offset, &*self.anchor)
        } else if offset > start {
            (offset, &self.anchor[..index(offset - start)])
        } else {
            // Nothing is remembered of what stands between.
            let offset = offset.min(self.head.len() as u64);
            (offset, &self.head[index(offset).saturating_sub(ANCHOR)..index(offset)])
        };
        let head = &self.head[..self.head.len().min(index(offset))];
        Self { offset, head: head.to_vec(), anchor: anchor.to_vec(), ..self.clone() }
    }

    /// Reads the proof for an offset of what was `known`; `None` if the file ends before that.
    pub(crate) fn read(handle: &dyn Handle, known: &Closed, offset: u64) -> io::Result<Option<Self>> {
        let Closed { id: file, size, ended, .. } = *known;
        let most = |limit: usize| usize::try_from(offset).unwrap_or(limit).min(limit);
        let (mut head, mut anchor) = (vec![0; most(HEAD)], vec![0; most(ANCHOR)]);
        let there = read_at_least(handle, &mut head, 0, most(HEAD))? == most(HEAD)
            && read_at_least(handle, &mut anchor, offset - most(ANCHOR) as u64, most(ANCHOR))? == most(ANCHOR);
        Ok(there.then(|| Self { file, offset, size: size.max(offset), ended, head, anchor }))
    }
}

impl From<&Position> for Closed {
    fn from(position: &Position) -> Self {
        let Position { file, offset, size, ended, .. } = *position;
        // Whoever kept it may have kept more, or something else: what can't stand before the offset proves nothing.
        let most = |limit: usize| usize::try_from(offset).unwrap_or(limit).min(limit);
        let mut anchor = Anchor::default();
        anchor.push(&position.anchor[position.anchor.len().saturating_sub(most(ANCHOR))..]);
        let mut head = Head::default();
        head.extend(&position.head[..position.head.len().min(most(HEAD))], 0);
        Self { id: file, offset, size, certain: size, anchor, head, ended, proven: ended }
    }
}

/// A followed name, and the files it has meant that are not done with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Resume {
    /// The name.
    pub path: PathBuf,
    /// Its files, oldest first.
    pub files: Vec<Position>,
    /// When the name was last seen to mean the newest of `files`, or nothing, as
    /// [`Tail::looked`](super::Tail::looked) tells. Files beside it that are older than that can't have followed. `None`
    /// where it isn't known.
    pub looked: Option<SystemTime>,
    /// Files beside it that are dealt with although they were born after the last of `files`: copies of these.
    pub known: Vec<FileId>,
    /// Those of them that are copies, as they were when they had given what they had. One that was written to since is no
    /// copy any more.
    pub copies: Vec<Copied>,
}

/// A copy of what was read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Copied {
    /// The copy.
    pub file: FileId,
    /// Its size, in bytes.
    pub size: u64,
    /// When it was last written.
    pub modified: SystemTime,
}
