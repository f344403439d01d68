//! One open file, read with proof.
//!
//! A [`Generation`] owns the handle, the offset and what is remembered of the bytes before it. A look at it
//! collects what `decide` needs and carries out the verdict. It knows no name, no line and no other generation.

mod judging;
mod passing;
mod proving;

use self::passing::Bulk;
pub(crate) use self::passing::Passed;
use std::io;
use std::ops::Range;
use std::time::{Instant, SystemTime};

use super::decide::Evidence;
use super::files::{FileId, FileKind, Flow, Handle, Meta};
use super::options::{Nuls, Options, Rewriting};
use super::proof::{ANCHOR, Anchor, HEAD, Head};
use super::scan::{CHUNK, read_at_least};
use super::seldom::{MayBeEmpty, Seldom};

/// The size of the buffer that [`Generation::look`] wants.
pub(crate) const BUFFER: usize = ANCHOR + CHUNK;

/// The most that a pipe holds unless its owner is privileged (`fs.pipe-max-size`).
const PIPE: u64 = 1024 * 1024;

/// How a file is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Reading {
    /// A regular file: at an offset, with an anchor.
    Anchored,
    /// A file whose content is made up as it is read (`/proc`, `/sys`) or a block device: at an offset, no proof.
    Unproven,
    /// A pipe, FIFO, socket or character device: what comes next.
    Sequential,
}

/// What one look at a generation found.
#[derive(Debug)]
pub(crate) enum Look {
    /// New bytes, at this place of the buffer. They are accepted: the offset is behind them.
    Bytes { at: Range<usize>, rest: Rest },
    /// Nothing new.
    Nothing(Rest),
    /// The file was changed otherwise than by appending, and the generation has adapted to it.
    Changed(Change),
    /// A pipe or device has nothing now.
    Dry,
    /// A pipe or device has ended.
    End,
}

/// What can be expected after a look.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Rest {
    /// There may be more to read now.
    More,
    /// Read to the end; nothing until something happens.
    AtEnd,
    /// What was seen may be a change under way: look again in a moment.
    Unsettled,
    /// NULs are held back at the end: their writer may write without a trace (mmap), so look again regularly.
    NulsHeld,
}

/// A change that is not an appending.
#[derive(Debug)]
pub(crate) enum Change {
    /// Rewritten in place; reading begins again at 0. It was `before`.
    Rewritten { evidence: Evidence, before: Box<Closed>, size: u64 },
    /// Cut off at the end behind what was read; reading goes on at the new end. It was `before`.
    Shortened { before: Box<Closed>, to: u64 },
    /// Cut off at the head; what was at offset `from` is at `to` now.
    HeadCut { from: u64, to: u64 },
    /// NULs of a hole at the beginning of a new run were skipped.
    Skipped(Range<u64>),
    /// What stood there was cut off before it was read.
    CutUnread(Range<u64>),
    /// The modification time moved and nothing else.
    Ambiguous,
}

/// One open file.
#[derive(Debug)]
pub(crate) struct Generation {
    handle: Box<dyn Handle>,
    id: FileId,
    kind: FileKind,
    reading: Reading,
    nuls: Nuls,
    rewriting: Rewriting,
    offset: u64,
    anchor: Anchor,
    head: Head,
    modified: Option<SystemTime>,
    /// The last modification time at which this run ended where it had been read to, or began.
    ended: Option<SystemTime>,
    /// The same at a look behind which it was found to be as it was.
    proven: Option<SystemTime>,
    /// The largest size seen in this run: what was there to be lost.
    size: u64,
    /// The same at a look behind which it was found to be as it was. What was seen since may have been a later run already.
    certain: u64,
    /// The modification time that the system told with that size, if it told it.
    told: Option<SystemTime>,
    /// The byte that ends a line.
    terminator: u8,
    doubt: Seldom<Doubt>,
    /// Nothing is read from here on: where the file ended when only that was asked for.
    limit: Option<u64>,
    run: Run,
    bulk: Bulk,
}

/// What is doubtful about the end of a file; nothing, most often.
#[derive(Debug)]
struct Doubt {
    suspect: Option<SystemTime>,
    /// A size that the system told although nothing could be read there.
    believed: Option<u64>,
    /// NULs before this offset are known to be followed by data.
    data_until: u64,
    /// Up to here nothing but NULs stand behind the offset, if this is behind it.
    nuls_until: u64,
    /// Nothing but zeros was found up to the end, which was there, when the file was last searched.
    zeros: Option<Zeros>,
}

impl Doubt {
    const NONE: Self = Self { suspect: None, believed: None, data_until: 0, nuls_until: 0, zeros: None };
}

impl Default for Doubt {
    fn default() -> Self {
        Self::NONE
    }
}

impl MayBeEmpty for Doubt {
    const EMPTY: &'static Self = &Self::NONE;

    fn is_empty(&self) -> bool {
        let Self { suspect, believed, data_until, nuls_until, zeros } = self;
        suspect.is_none() && believed.is_none() && (*data_until, *nuls_until) == (0, 0) && zeros.is_none()
    }
}

/// What a search for data behind zeros found: none.
#[derive(Clone, Copy, Debug)]
struct Zeros {
    size: u64,
    modified: SystemTime,
    searched: Instant,
}

/// What is kept of a file that was closed, or of what a file was before it was cut.
#[derive(Clone, Debug)]
pub(crate) struct Closed {
    pub(crate) id: FileId,
    pub(crate) offset: u64,
    /// The largest size seen.
    pub(crate) size: u64,
    /// The largest one that is known to have been its own, and not that of what came behind it.
    pub(crate) certain: u64,
    pub(crate) anchor: Anchor,
    pub(crate) head: Head,
    /// Whatever stands behind `offset` was not written before this time, unless the file was rewritten in the moment in
    /// which that was asked for.
    pub(crate) ended: Option<SystemTime>,
    /// Nor before this one, for certain.
    pub(crate) proven: Option<SystemTime>,
}

/// How the present run of bytes began.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Run {
    First,
    AfterRewrite,
}

impl Generation {
    /// Takes over an open file, to be read from its beginning.
    pub(crate) fn new(handle: Box<dyn Handle>, meta: &Meta, reading: Reading, options: &Options) -> Self {
        Self {
            handle,
            id: meta.id,
            kind: meta.kind,
            reading,
            nuls: options.nuls,
            rewriting: options.rewriting,
            offset: 0,
            anchor: Anchor::default(),
            head: Head::default(),
            modified: None,
            ended: (meta.size == 0).then_some(meta.modified),
            proven: None,
            size: meta.size,
            certain: 0,
            told: Some(meta.modified),
            terminator: options.terminator,
            doubt: Seldom::default(),
            limit: None,
            run: Run::First,
            bulk: Bulk::Unseen,
        }
    }

    /// Takes up a file again where it was closed. What was remembered of it proves at the next look whether it
    /// is still the same.
    pub(crate) fn reopened(handle: Box<dyn Handle>, meta: &Meta, options: &Options, closed: Closed) -> Self {
        let Closed { offset, size, certain, anchor, head, ended, .. } = closed;
        let size = size.max(offset);
        let new = Self::new(handle, meta, Reading::Anchored, options);
        Self { offset, anchor, head, ended, size, certain, told: None, ..new }
    }

    /// Closes the file and keeps what is needed to take it up again.
    pub(crate) fn close(self) -> Closed {
        self.remember()
    }

    fn remember(&self) -> Closed {
        let Self { id, offset, size, certain, ended, proven, .. } = *self;
        Closed { id, offset, size, certain, anchor: self.anchor.clone(), head: self.head.clone(), ended, proven }
    }

    /// Puts another handle of the same file in the place of one that has gone stale.
    pub(crate) fn replace_handle(&mut self, handle: Box<dyn Handle>) {
        self.handle = handle;
    }

    pub(crate) fn id(&self) -> FileId {
        self.id
    }

    pub(crate) fn kind(&self) -> FileKind {
        self.kind
    }

    pub(crate) fn reading(&self) -> Reading {
        self.reading
    }

    /// Whether the byte before the offset, as far as it is known, ends no line.
    pub(crate) fn is_within_line(&self) -> bool {
        self.anchor.bytes().last().is_some_and(|last| *last != self.terminator)
    }

    pub(crate) fn offset(&self) -> u64 {
        self.offset
    }

    /// The largest size seen, in bytes.
    pub(crate) fn size(&self) -> u64 {
        self.size
    }

    /// The last modification time at which this run ended where it had been read to, or began.
    pub(crate) fn ended(&self) -> Option<SystemTime> {
        self.ended
    }

    pub(crate) fn handle(&self) -> &dyn Handle {
        &*self.handle
    }

    /// Reads nothing that is appended from now on.
    pub(crate) fn limit_to_now(&mut self) {
        let now = match self.reading {
            Reading::Anchored => match self.handle.meta() {
                Ok(meta) => meta.size.max(self.offset),
                // The next look fails too, and says so, unless it finds where the file ends.
                Err(_) => return,
            },
            // What is on the way in a pipe is no more than this; a device may never end.
            Reading::Unproven | Reading::Sequential => self.offset + PIPE,
        };
        self.limit = Some(self.limit.map_or(now, |limit| limit.min(now)));
    }

    /// Leaves the descriptor, which others may share, this many bytes before where reading has come to.
    pub(crate) fn leave(&self, kept: u64) {
        self.handle.leave_at(self.offset.saturating_sub(kept));
    }

    /// Reads nothing from `limit` on.
    pub(crate) fn limit(&mut self, limit: u64) {
        self.limit = Some(limit);
    }

    /// NULs at the end that are being held back, if any.
    pub(crate) fn held_back(&self) -> Option<Range<u64>> {
        (self.doubt.nuls_until > self.offset).then_some(self.offset..self.doubt.nuls_until)
    }

    /// What is known to stand behind the offset, if anything.
    pub(crate) fn unread(&mut self) -> Option<Range<u64>> {
        if self.reading != Reading::Anchored {
            return None;
        }
        if let Ok(meta) = self.handle.meta() {
            self.size = self.size.max(meta.size);
        }
        (self.size > self.offset).then_some(self.offset..self.size)
    }

    /// Looks at the file and reads up to [`CHUNK`] new bytes. Never waits for data.
    ///
    /// # Errors
    /// A read or stat that failed; the offset is as before and the look can be repeated.
    pub(crate) fn look(&mut self, buffer: &mut [u8], now: Instant) -> io::Result<Look> {
        match self.reading {
            Reading::Anchored => self.look_anchored(buffer, now),
            Reading::Unproven => self.look_unproven(buffer),
            Reading::Sequential => self.look_sequential(buffer),
        }
    }

    fn look_unproven(&mut self, buffer: &mut [u8]) -> io::Result<Look> {
        let room = self.room();
        let length = self.handle.read_at(&mut buffer[..room], self.offset)?;
        self.offset += length as u64;
        Ok(match length {
            0 => Look::Nothing(Rest::AtEnd),
            // Such files hand out a page at a time; only nothing means the end.
            _ => Look::Bytes { at: 0..length, rest: Rest::More },
        })
    }

    fn look_sequential(&mut self, buffer: &mut [u8]) -> io::Result<Look> {
        let room = self.room();
        if room == 0 {
            return Ok(Look::End);
        }
        Ok(match self.handle.read_next(&mut buffer[..room])? {
            Flow::Bytes(length) => {
                self.offset += length as u64;
                Look::Bytes { at: 0..length, rest: Rest::More }
            }
            Flow::Dry => Look::Dry,
            Flow::End => Look::End,
        })
    }

    /// Forgets that a FIFO's last writer has left, so that the next one is noticed.
    pub(crate) fn renew(&mut self) -> io::Result<()> {
        self.handle.renew()
    }

    fn room(&self) -> usize {
        let left = self.limit.map_or(u64::MAX, |limit| limit.saturating_sub(self.offset));
        usize::try_from(left).unwrap_or(usize::MAX).min(CHUNK)
    }

    /// Reads from `offset` on and remembers what stands before it.
    ///
    /// # Errors
    /// When that, the proof of what is read next, can't be read; then nothing has changed.
    pub(crate) fn go_to(&mut self, offset: u64) -> io::Result<()> {
        let mut before = [0; ANCHOR];
        let proof = usize::try_from(offset).unwrap_or(ANCHOR).min(ANCHOR);
        let before_length = read_at_least(&*self.handle, &mut before[..proof], offset - proof as u64, proof)?;
        let mut first = [0; HEAD];
        let wanted = usize::try_from(offset).unwrap_or(HEAD).min(HEAD);
        let first_length = read_at_least(&*self.handle, &mut first[..wanted], 0, wanted)?;
        self.anchor.replace(&before[..before_length]);
        self.head = Head::default();
        self.head.extend(&first[..first_length], 0);
        self.offset = offset;
        self.modified = None;
        self.forget_end();
        Ok(())
    }

    /// What stood behind the offset and is there no more, now that the file ends there; it is forgotten.
    fn take_cut_off(&mut self) -> Option<Range<u64>> {
        let nuls_until = self.doubt.present().map_or(0, |doubt| std::mem::take(&mut doubt.nuls_until));
        let from = self.offset.max(nuls_until);
        let until = std::mem::replace(&mut self.size, self.offset);
        (self.certain, self.told) = (self.offset, None);
        (from < until && self.rewriting == Rewriting::Discern).then_some(from..until)
    }

    /// What was seen may have been the size of a run that has gone by since: it has that of now.
    pub(crate) fn forget_size(&mut self) {
        if let Ok(meta) = self.handle.meta() {
            self.size = self.offset;
            self.saw(&meta);
        }
        self.certain = 0;
    }

    /// Goes back to the beginning, as if nothing of this run had been read.
    pub(crate) fn rewind(&mut self) {
        let (size, told) = (self.size, self.told);
        self.begin_again();
        (self.size, self.told) = (size, told);
    }

    /// Whether the file is shorter now than it was seen to be, and which size that was.
    pub(crate) fn was_larger(&mut self) -> Option<u64> {
        let meta = self.handle.meta().ok()?;
        let larger = Some(self.size).filter(|seen| meta.size < *seen);
        self.saw(&meta);
        larger
    }

    /// What was seen of the end is that of something else.
    fn forget_end(&mut self) {
        if let Some(doubt) = self.doubt.present() {
            *doubt = Doubt { believed: doubt.believed, ..Doubt::NONE };
        }
    }

    /// The file is not, or no longer, suspected of having been changed.
    fn trust(&mut self) {
        self.doubt.present().into_iter().for_each(|doubt| doubt.suspect = None);
    }

    /// Takes no more room than it needs, now that there is nothing to do.
    pub(crate) fn tidy(&mut self) {
        self.doubt.tidy();
    }

    fn begin_again(&mut self) {
        self.offset = 0;
        self.anchor = Anchor::default();
        self.head = Head::default();
        self.modified = None;
        self.proven = None;
        self.size = 0;
        self.certain = 0;
        self.told = None;
        self.forget_end();
        self.run = Run::AfterRewrite;
    }
}
