//! Bytes that pass from a file to the output without being copied through us.
//!
//! Only what lies in bulk passes so. How it is proven to be the same file's, and what is remembered of it, is as for
//! bytes that are read.

use std::io;
use std::os::fd::BorrowedFd;
use std::time::SystemTime;

use super::{Generation, Reading, Rest, Run};
use crate::tail::options::Nuls;
use crate::tail::proof::{ANCHOR, Anchor};
use crate::tail::scan::read_at_least;

/// The least that is worth it, and the most that is offered at once.
const LEAST: u64 = 32 * 1024;
const MOST: u64 = 8 * 1024 * 1024;

/// Whether bytes are there in bulk.
#[derive(Debug)]
pub(crate) enum Bulk {
    /// Not that the last look has seen.
    Unseen,
    /// The last look has read so many, or they were passed, and as many may have come since.
    Seen,
    /// They are offered to be passed.
    Offered(Box<Offer>),
    /// They can't be passed from here to the output.
    Refused,
}

/// What is known of bytes that are to be passed.
#[derive(Debug)]
pub(crate) struct Offer {
    /// The offset behind them.
    end: u64,
    /// The last of them. Remembered before they pass: were the file rewritten on their way, what is read afterwards would
    /// prove nothing.
    anchor: Anchor,
    /// When the file was last written to, if it ended behind them then.
    modified: Option<SystemTime>,
}

/// What has become of bytes that were offered.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Passed {
    /// The last one that was passed, if there were any.
    pub(crate) last: Option<u8>,
    pub(crate) rest: Rest,
}

impl Bulk {
    /// What is known of it after a read of `count` new bytes.
    pub(super) fn after_read(&mut self, count: usize) {
        *self = match self {
            Self::Refused => Self::Refused,
            _ if count as u64 >= LEAST => Self::Seen,
            _ => Self::Unseen,
        };
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
        if !readable || self.run == Run::AfterRewrite || matches!(self.bulk, Bulk::Unseen | Bulk::Refused) {
            return Ok(0);
        }
        self.bulk = Bulk::Unseen;
        let meta = self.handle.meta()?;
        self.saw(&meta);
        let end = self.limit.map_or(meta.size, |limit| limit.min(meta.size)).min(self.offset + MOST);
        let length = end.saturating_sub(self.offset);
        if length < LEAST || !self.is_intact()? {
            return Ok(0);
        }
        // As with a read that begins with its proof.
        (self.proven, self.certain) = (self.ended, self.size);
        let mut last = [0; ANCHOR];
        if read_at_least(&*self.handle, &mut last, end - ANCHOR as u64, ANCHOR)? != ANCHOR {
            return Ok(0);
        }
        // NULs at the end may be no data; whether they are, reading will tell.
        if last.ends_with(&[0]) && self.nuls == Nuls::HoldBack {
            return Ok(0);
        }
        let mut anchor = Anchor::default();
        anchor.push(&last);
        // What was there to be lost has to be asked for.
        let modified = (self.size == end).then_some(meta.modified);
        self.bulk = Bulk::Offered(Box::new(Offer { end, anchor, modified }));
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

    /// Takes note that `count` bytes were passed. What is remembered of them is read now, unless it was before.
    ///
    /// # Errors
    /// When that can't be read. The bytes count as passed all the same; the next look has nothing to prove them by.
    pub(crate) fn passed(&mut self, count: u64) -> io::Result<Passed> {
        let bulk = std::mem::replace(&mut self.bulk, Bulk::Seen);
        if count == 0 {
            return Ok(Passed { last: None, rest: Rest::More });
        }
        self.offset += count;
        self.size = self.size.max(self.offset);
        self.modified = None;
        self.trust();
        if let Bulk::Offered(offer) = bulk
            && offer.end == self.offset
        {
            let Offer { anchor, modified, .. } = *offer;
            self.anchor = anchor;
            self.modified = modified;
            self.ended = modified.or(self.ended);
            let rest = modified.map_or(Rest::More, |_| Rest::AtEnd);
            return Ok(Passed { last: self.anchor.bytes().last().copied(), rest });
        }
        self.anchor.replace(&[]);
        let mut before = [0; ANCHOR];
        let wanted = usize::try_from(self.offset).unwrap_or(ANCHOR).min(ANCHOR);
        let length = read_at_least(&*self.handle, &mut before[..wanted], self.offset - wanted as u64, wanted)?;
        self.anchor.replace(&before[..length]);
        Ok(Passed { last: before[..length].last().copied(), rest: Rest::More })
    }
}
