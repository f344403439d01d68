//! What became of the bytes before an offset: the evidence that `decide` judges.

use std::io;

use super::decide::Before;
use super::files::Handle;
use super::options::Rewriting;
use super::proof::{ANCHOR, Anchor, HEAD, Head};
use super::scan::{all_nul, find_once, read_at_least};

/// What is held of a file, to be compared with it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Remembered<'a> {
    pub(crate) handle: &'a dyn Handle,
    pub(crate) offset: u64,
    pub(crate) anchor: &'a Anchor,
    pub(crate) head: &'a Head,
    pub(crate) rewriting: Rewriting,
    /// The byte that ends a line.
    pub(crate) terminator: u8,
}

impl Remembered<'_> {
    /// Finds out what happened to the bytes before the offset. `read` is what stands at the anchor's place.
    pub(crate) fn examine(self, read: &[u8], intact: bool) -> io::Result<Before> {
        let discern = self.rewriting == Rewriting::Discern;
        let anchor = self.anchor.bytes();
        let cut = read.len() < anchor.len();
        if !discern && read.len() == anchor.len() {
            return Ok(Before::Same);
        }
        let mut first = [0; HEAD];
        let length = read_at_least(self.handle, &mut first, 0, HEAD)?;
        let first = &first[..length];
        let head_same = self.head.matches(first);
        if !cut && all_nul(&read[..anchor.len()]) && !all_nul(anchor) {
            // A file that began with a hole before does so behind another truncation, too.
            let is_known = head_same && !all_nul(self.head.bytes());
            return Ok(if is_known { Before::NulBehindSameHead } else { Before::Nul });
        }
        if !cut && punched(anchor, &read[..anchor.len()]) {
            return Ok(Before::NulBehindSameHead);
        }
        if cut
            && discern
            && let Some(end) = self.known_end(first, read, intact && head_same)?
        {
            return Ok(Before::CutSame(end));
        }
        if !head_same && self.anchor.is_full() && discern {
            let found = find_once(self.handle, anchor)?.map(|at| at + ANCHOR as u64);
            if let Some(offset) = found.filter(|offset| *offset < self.offset) {
                return Ok(Before::MovedTo(offset));
            }
        }
        Ok(if cut { Before::CutOther } else { Before::Other })
    }

    /// Where a file ends now that was cut, if what is left of it is what was read. `first` are its first bytes, `read`
    /// what is left at the anchor's place, `same` whether these two are what they were.
    ///
    /// What lies between head and anchor is not remembered. A file that ends there counts as cut only if it ends
    /// within a line: one that was written anew with the same head ends with a whole one, and losing that would be
    /// worse than repeating some.
    fn known_end(self, first: &[u8], read: &[u8], same: bool) -> io::Result<Option<u64>> {
        let start = self.offset - self.anchor.len() as u64;
        if !read.is_empty() && (same || (start == 0 && self.anchor.bytes().starts_with(read))) {
            return Ok(Some(start + read.len() as u64));
        }
        if first.len() < HEAD {
            return Ok(self.head.covers(first).then_some(first.len() as u64));
        }
        let size = self.handle.meta()?.size;
        let mut last = [0];
        let ends_there = size <= start
            && self.handle.read_at(&mut last, size.saturating_sub(1))? == 1
            && self.handle.read_at(&mut [0], size)? == 0;
        Ok(Some(size).filter(|_| same && ends_there && last[0] != self.terminator))
    }
}

/// Whether a hole was punched that reaches into the anchor: NULs, and behind them the anchor's end as it was.
fn punched(anchor: &[u8], now: &[u8]) -> bool {
    let same = anchor.iter().zip(now).rev().take_while(|(before, now)| before == now).count();
    same > 0 && same < anchor.len() && all_nul(&now[..anchor.len() - same])
}
