//! Bytes that pass from a file to the output without being copied through us.
//!
//! Only what lies in bulk before the end passes so. How it is proven to be the same file's, and what is remembered of
//! it, is as for bytes that are read.

use std::io;
use std::os::fd::BorrowedFd;

use super::{Generation, Reading, Run};
use crate::tail::options::Nuls;
use crate::tail::proof::ANCHOR;
use crate::tail::scan::read_at_least;

/// The least that is worth it, and the most that is offered at once.
const LEAST: u64 = 128 * 1024;
const MOST: u64 = 8 * 1024 * 1024;

/// Whether bytes are there in bulk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Bulk {
    /// Not that the last look has seen.
    Unseen,
    /// More than one look can read; or as much came before the last one, and may have come again.
    Seen,
    /// They are being passed.
    Passing,
    /// They were passed, but for some bytes at the end.
    Passed,
    /// They can't be passed from here to the output.
    Refused,
}

impl Bulk {
    /// What is known of it after a read.
    pub(super) fn after_read(self, at_end: bool) -> Self {
        match self {
            Self::Refused => Self::Refused,
            Self::Unseen | Self::Seen if at_end => Self::Unseen,
            // A file that is written to so fast that bytes were passed goes on like that by the next look.
            Self::Unseen | Self::Seen | Self::Passing | Self::Passed => Self::Seen,
        }
    }
}

impl Generation {
    /// How many bytes from the offset on can be passed now; 0 if it is not worth it, or not safe.
    ///
    /// # Errors
    /// A read or stat that failed.
    pub(crate) fn passable(&mut self) -> io::Result<u64> {
        // Pages on their way show what is written over them later, so that a file that was rewritten once is read.
        let readable = self.reading == Reading::Anchored && self.handle.fd().is_some();
        if !readable || self.run == Run::AfterRewrite {
            return Ok(0);
        }
        self.bulk = match self.bulk {
            Bulk::Seen => Bulk::Unseen,
            Bulk::Passing => Bulk::Passed,
            Bulk::Unseen | Bulk::Passed | Bulk::Refused => return Ok(0),
        };
        let size = self.handle.meta()?.size;
        let end = self.limit.map_or(size, |limit| limit.min(size)).min(self.offset + MOST);
        let length = end.saturating_sub(self.offset);
        let mut last = [0];
        if length < LEAST || !self.is_intact()? || self.handle.read_at(&mut last, end - 1)? != 1 {
            return Ok(0);
        }
        // NULs at the end may be no data; whether they are, reading will tell.
        if last == [0] && self.nuls == Nuls::HoldBack {
            return Ok(0);
        }
        self.bulk = Bulk::Passing;
        Ok(length)
    }

    /// The descriptor to pass from.
    pub(crate) fn fd(&self) -> Option<BorrowedFd<'_>> {
        self.handle.fd()
    }

    /// Passes no bytes from now on.
    pub(crate) fn refuse_passing(&mut self) {
        self.bulk = Bulk::Refused;
    }

    /// Takes note that `count` bytes were passed; returns the last of them. What is remembered of them is read now.
    ///
    /// # Errors
    /// When that can't be read. The bytes count as passed all the same; the next look has nothing to prove them by.
    pub(crate) fn passed(&mut self, count: u64) -> io::Result<Option<u8>> {
        if count == 0 {
            return Ok(None);
        }
        self.offset += count;
        self.size = self.size.max(self.offset);
        self.modified = None;
        self.suspect = None;
        self.anchor.replace(&[]);
        let mut before = [0; ANCHOR];
        let wanted = usize::try_from(self.offset).unwrap_or(ANCHOR).min(ANCHOR);
        let length = read_at_least(&*self.handle, &mut before[..wanted], self.offset - wanted as u64, wanted)?;
        self.anchor.replace(&before[..length]);
        Ok(before[..length].last().copied())
    }
}
