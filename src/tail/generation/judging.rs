//! Reading with proof: what a look at a regular file means.

use std::io;
use std::ops::Range;
use std::time::{Duration, Instant};

use super::{Change, Closed, Generation, Look, Rest, Run, Zeros};
use crate::tail::copies::stands_at;
use crate::tail::decide::{Before, Held, Seen, Verdict, decide};
use crate::tail::evidence::Remembered;
use crate::tail::files::Meta;
use crate::tail::options::Nuls;
use crate::tail::proof::{ANCHOR, HEAD};
use crate::tail::scan::{find_data, read_on};

/// How often a file that ends in zeros is searched for data behind them while its writer is at work; ten times as
/// long while nothing tells of a writer, for one that writes through a mapping may leave the times alone.
const ZEROS: Duration = Duration::from_secs(1);

impl Generation {
    pub(super) fn look_anchored(&mut self, buffer: &mut [u8], now: Instant) -> io::Result<Look> {
        loop {
            let proof = self.anchor.len();
            let wanted = proof + self.room();
            let start = self.offset - proof as u64;
            // Where more is said to stand, a read that ends with the proof may only have come short.
            let least = (proof + usize::from(self.doubt.believed.is_some())).min(wanted);
            let seen = self.size;
            let Some(length) = self.read_together(&mut buffer[..wanted], start, least)? else { continue };
            let intact = buffer[..proof.min(length)] == self.anchor.bytes()[..proof.min(length)];
            if intact && length >= proof {
                // A file rewritten to the same size, before that was asked for, would have been found out by now.
                self.proven = self.ended;
                self.certain = seen;
            }
            if wanted == proof && length == proof && intact && self.limit.is_some() {
                // Nothing more is wanted, and what was read is what stands there.
                let shorter = self.size > self.offset && self.handle.meta()?.size == self.offset;
                let cut_off = if shorter { self.take_cut_off() } else { None };
                return Ok(
                    cut_off.map_or(Look::Nothing(Rest::AtEnd), |range| Look::Changed(Change::CutUnread(range)))
                );
            }
            if length > proof && intact {
                let new = &buffer[proof..length];
                if self.run == Run::AfterRewrite && self.offset == 0 && new[0] == 0 && self.nuls == Nuls::HoldBack {
                    return self.skip_hole();
                }
                let at_end = length < wanted;
                self.bulk.after_read(new.len());
                let usable = self.usable(new, at_end, now)?;
                return Ok(self.accept(&buffer[..length], proof..proof + usable, at_end));
            }
            let before = if length >= proof && intact {
                Before::Same
            } else {
                self.remembered().examine(&buffer[..length], intact)?
            };
            if let Some(look) = self.judge(before, &buffer[..length])? {
                return Ok(look);
            }
        }
    }

    /// Reads the proof and what follows it, `least` bytes if they are there; less, or `None`, if the file was cut between
    /// two reads: what stands behind the cut is not to be joined with what stood before it.
    fn read_together(&mut self, buffer: &mut [u8], start: u64, least: usize) -> io::Result<Option<usize>> {
        let (handle, proof, wanted) = (&*self.handle, self.anchor.len(), buffer.len());
        let first = if wanted == 0 { 0 } else { handle.read_at(buffer, start)? };
        let mut length = read_on(handle, buffer, start, first, least)?;
        if length > proof {
            // Less than makes a whole proof tells no copy, unless the file is known to end with it.
            length = read_on(handle, buffer, start, length, ANCHOR.min(wanted))?;
        }
        let together = length == first || length <= proof || stands_at(handle, &buffer[..first.min(HEAD)], start)?;
        if together {
            return Ok(Some(length));
        }
        (self.size, self.told) = (self.size.max(start + length as u64), None);
        Ok(Some(first).filter(|first| *first > proof))
    }

    /// Takes the bytes at `at` as read; what stands behind them in `read` is held back.
    fn accept(&mut self, read: &[u8], at: Range<usize>, at_end: bool) -> Look {
        let new = &read[at.clone()];
        self.head.extend(new, self.offset);
        self.anchor.push(new);
        self.offset += new.len() as u64;
        self.size = self.size.max(self.offset);
        self.trust();
        self.modified = None;
        let mut rest = Rest::More;
        if at_end {
            if self.size == self.offset {
                // What follows was not written before that was told.
                self.ended = self.told.or(self.ended);
            }
            // With this size the modification time belongs to what was read, as the next look will prove. These bytes are
            // taken, so that not learning it is no failure.
            match self.handle.meta() {
                Ok(meta) if meta.size == self.offset => {
                    self.modified = Some(meta.modified);
                    self.ended = self.modified;
                    // What was there to be lost has to be asked for.
                    rest = if self.size > self.offset { Rest::More } else { Rest::AtEnd };
                }
                Ok(meta) => self.saw(&meta),
                Err(_) => rest = Rest::Unsettled,
            }
        }
        if at.end < read.len() {
            let behind = self.offset + (read.len() - at.end) as u64;
            self.doubt.nuls_until = self.doubt.zeros.map_or(behind, |zeros| zeros.size.max(behind));
            rest = Rest::NulsHeld;
        }
        if at.is_empty() { Look::Nothing(rest) } else { Look::Bytes { at, rest } }
    }

    /// So large is the file at least.
    pub(crate) fn saw(&mut self, meta: &Meta) {
        if meta.size >= self.size {
            (self.size, self.told) = (meta.size, Some(meta.modified));
        }
    }

    /// Says what the evidence means and carries it out; `None`: look again at once.
    fn judge(&mut self, before: Before, read: &[u8]) -> io::Result<Option<Look>> {
        let meta = self.handle.meta()?;
        let held = Held { offset: self.offset, modified: self.modified, suspect: self.doubt.suspect };
        let seen = Seen { size: meta.size, modified: meta.modified, before };
        let verdict = decide(&held, &seen);
        Ok(Some(match verdict {
            Verdict::Idle => {
                self.saw(&meta);
                if meta.size == self.offset {
                    self.modified = Some(meta.modified);
                    self.ended = self.modified;
                    self.trust();
                    match self.take_cut_off() {
                        Some(range) => Look::Changed(Change::CutUnread(range)),
                        None => Look::Nothing(Rest::AtEnd),
                    }
                } else if self.doubt.believed == Some(meta.size) {
                    // It says so again and again, and there is nothing: its size lies.
                    Look::Nothing(Rest::Unsettled)
                } else {
                    // It grew between the read and the stat.
                    self.doubt.believed = Some(meta.size);
                    return Ok(None);
                }
            }
            Verdict::Settle => {
                self.doubt.suspect = Some(meta.modified);
                Look::Nothing(Rest::Unsettled)
            }
            Verdict::Stale => Look::Nothing(Rest::Unsettled),
            Verdict::Ambiguous => {
                self.modified = Some(meta.modified);
                self.trust();
                Look::Changed(Change::Ambiguous)
            }
            Verdict::Shortened(to) => {
                let before = Box::new(self.remember());
                self.go_to(to)?;
                if !self.is_beginning_of(&before) {
                    self.take_back(*before);
                    return Ok(None);
                }
                (self.size, self.certain, self.told) = (to, to, None);
                self.ended = Some(meta.modified);
                Look::Changed(Change::Shortened { before, to })
            }
            Verdict::HeadCut(to) => {
                let (from, before) = (self.offset, self.remember());
                self.go_to(to)?;
                if self.anchor.bytes() != before.anchor.bytes() {
                    self.take_back(before);
                    return Ok(None);
                }
                (self.size, self.certain) = (to, to);
                self.saw(&meta);
                Look::Changed(Change::HeadCut { from, to })
            }
            Verdict::Punched => {
                self.anchor.replace(&read[..self.anchor.len()]);
                return Ok(None);
            }
            Verdict::Rewritten(evidence) => {
                let before = Box::new(self.remember());
                // What was read for a proof only may be gone again.
                let start = self.offset - self.anchor.len() as u64;
                self.begin_again();
                self.size = if read.is_empty() { 0 } else { start + read.len() as u64 };
                self.saw(&meta);
                self.ended = Some(meta.modified);
                Look::Changed(Change::Rewritten { evidence, before, size: meta.size })
            }
        }))
    }

    /// Whether what was read where the file ends now is what stood there before: it may have been cut again meanwhile.
    fn is_beginning_of(&self, before: &Closed) -> bool {
        let known = |limit: usize| usize::try_from(self.offset).unwrap_or(limit).min(limit);
        let head = before.head.bytes().iter().zip(self.head.bytes()).all(|(before, now)| before == now);
        let start = before.offset - before.anchor.len() as u64;
        let kept = usize::try_from(self.offset.saturating_sub(start)).unwrap_or(ANCHOR).min(before.anchor.len());
        (self.anchor.len(), self.head.bytes().len()) == (known(ANCHOR), known(HEAD))
            && head
            && self.anchor.bytes().ends_with(&before.anchor.bytes()[..kept])
    }

    /// Undoes a change that was made of what is not so any more.
    fn take_back(&mut self, before: Closed) {
        let Closed { offset, anchor, head, .. } = before;
        (self.offset, self.anchor, self.head) = (offset, anchor, head);
    }

    fn remembered(&self) -> Remembered<'_> {
        Remembered {
            handle: &*self.handle,
            offset: self.offset,
            anchor: &self.anchor,
            head: &self.head,
            rewriting: self.rewriting,
            terminator: self.terminator,
        }
    }

    /// How many of the new bytes, which stand at the offset, can be delivered now.
    fn usable(&mut self, new: &[u8], at_end: bool, now: Instant) -> io::Result<usize> {
        let end = self.offset + new.len() as u64;
        if self.nuls == Nuls::Pass || new.last() != Some(&0) || end <= self.doubt.data_until {
            return Ok(new.len());
        }
        let usable = new.iter().rposition(|&byte| byte != 0).map_or(0, |last| last + 1);
        if at_end {
            return Ok(usable);
        }
        // There may be much of nothing, and it is looked at often.
        let meta = self.handle.meta()?;
        let known = self.doubt.zeros.is_some_and(|zeros| {
            let patience = if zeros.modified == meta.modified { 10 * ZEROS } else { ZEROS };
            zeros.size == meta.size && now < zeros.searched + patience && self.limit.is_none()
        });
        if known {
            return Ok(usable);
        }
        if let Some(data) = find_data(&*self.handle, end)? {
            self.doubt.data_until = data;
            return Ok(new.len());
        }
        self.doubt.zeros = Some(Zeros { size: meta.size, modified: meta.modified, searched: now });
        Ok(usable)
    }

    /// Skips the NULs that a new run begins with.
    fn skip_hole(&mut self) -> io::Result<Look> {
        let Some(data) = find_data(&*self.handle, 0)? else {
            self.size = self.handle.meta()?.size;
            self.doubt.nuls_until = self.size;
            return Ok(Look::Nothing(Rest::NulsHeld));
        };
        self.go_to(data)?;
        Ok(Look::Changed(Change::Skipped(0..data)))
    }
}
