//! What becomes of a generation whose file was cut: its last bytes, from a copy where there is one, runs that went by
//! unseen, from theirs, and a new run.

use std::io;
use std::path::PathBuf;
use std::time::SystemTime;

use super::ending::damaged;
use super::{Member, Progress, Role, Stage};
use crate::tail::copies::{begins, copies};
use crate::tail::decide::{LastSeen, Missed, decide_missed};
use crate::tail::event::{Doubt, Ending, Evidence, Happening, Loss};
use crate::tail::files::{FileId, Handle};
use crate::tail::generation::{Change, Closed, Look, Reading};
use crate::tail::lineage::was_there;
use crate::tail::lines::Framing;
use crate::tail::options::Nuls;
use crate::tail::position::Position;
use crate::tail::proof::{Anchor, HEAD, Head};
use crate::tail::scan::{CHUNK, find_data, read_at_least};
use crate::tail::step::{Bytes, Context, Delivery, RETRY};

/// The rest of a file that was cut, on its way out of a copy.
#[derive(Debug)]
pub(super) struct Recovery {
    pub(super) copy: Copy,
    /// Where the next byte is read, as in the file before the cut.
    pub(super) offset: u64,
    pub(super) cut: Cut,
}

/// Where the rest of a file that was cut is to be had.
#[derive(Debug)]
pub(crate) struct Copy {
    pub(crate) id: FileId,
    pub(crate) path: PathBuf,
    pub(crate) handle: Box<dyn Handle>,
    /// Where the rest ends: the size of the copy.
    pub(crate) end: u64,
    pub(crate) claim: Claim,
}

/// What a copy may be besides.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Claim {
    Nothing,
    /// A log of its own: a pattern would take it for one.
    Log,
}

/// What logs of several runs begin with is not longer than this, so that a file with more of another one is its copy.
const BANNER: u64 = 4096;

/// A cut that may have taken unread bytes with it.
#[derive(Debug)]
pub(crate) struct Cut {
    /// What the file was before.
    pub(crate) before: Box<Closed>,
    manner: Manner,
}

/// How a file was cut.
#[derive(Clone, Copy, Debug)]
enum Manner {
    Rewritten { evidence: Evidence, size: u64 },
    Shortened { to: u64 },
}

/// Whether runs of a file may have gone by before the one that it holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Beginning {
    /// Bytes of the present one were read, and none had gone by then.
    Settled,
    /// The present one is empty. None had gone by when the file had this modification time; `None`: it has yet to be
    /// found out.
    Empty(Option<SystemTime>),
}

/// Of which run of a file a copy is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Turn {
    Earlier,
    /// That of which something was read last.
    Present,
    Later,
}

/// What was read of a run before it was known whether others have gone by.
#[derive(Debug)]
pub(super) struct Peeked {
    pub(super) bytes: Vec<u8>,
    /// When it was read at the latest.
    before: SystemTime,
}

/// A run that has ended with a cut.
#[derive(Debug)]
pub(super) struct Past {
    before: Box<Closed>,
    copy: Option<Box<dyn Handle>>,
}

impl Past {
    /// Whether a file is a copy of this run, or of its beginning.
    fn holds(&self, file: &dyn Handle) -> io::Result<bool> {
        if copies(file, &self.before)? {
            return Ok(true);
        }
        if let Some(copy) = &self.copy {
            return begins(file, &**copy);
        }
        // Where no more is known of it than its head, more than that is no proof.
        let mut first = [0; HEAD + 1];
        let length = read_at_least(file, &mut first, 0, HEAD + 1)?;
        Ok(self.before.head.covers(&first[..length]))
    }
}

/// What is to be reported of bytes that stood behind those that were read of a run up to `read`.
fn missed(before: &Closed, read: u64, manner: Manner, copied: bool) -> impl Iterator<Item = Happening> {
    let Closed { id: file, certain, size, .. } = *before;
    let seen = match manner {
        Manner::Rewritten { size: now, .. } => LastSeen { read, certain, size, now, copied },
        // Nothing has followed it.
        Manner::Shortened { to } => LastSeen { read, certain: size, size, now: to, copied },
    };
    let Missed { lost, doubtful } = decide_missed(&seen);
    let lost = Some(lost).filter(|range| !range.is_empty());
    let doubtful = Some(doubtful).filter(|range| !range.is_empty());
    let lost = lost.map(|range| Happening::Lost { file, range: Some(range), reason: Loss::Truncated });
    let doubtful = doubtful.map(|range| Happening::Ambiguous { file, doubt: Doubt::CutUnread(range) });
    lost.into_iter().chain(doubtful)
}

/// The last bytes of a run, and what happened behind them.
pub(crate) type LastWords = (Option<Delivery>, Vec<Happening>);

impl Member {
    /// The file was changed otherwise than by appending.
    pub(super) fn changed(&mut self, change: Change) -> Progress {
        let file = self.file();
        let happening = match change {
            Change::Rewritten { evidence, before, size } => {
                return Progress::Cut(Cut { before, manner: Manner::Rewritten { evidence, size } });
            }
            Change::Shortened { before, to } => {
                return Progress::Cut(Cut { before, manner: Manner::Shortened { to } });
            }
            Change::HeadCut { from, to } => Happening::HeadCut { file, from, to, size: self.generation.size() },
            Change::Skipped(range) => Happening::NulsSkipped { file, range },
            Change::CutUnread(range) => Happening::Lost { file, range: Some(range), reason: Loss::Truncated },
            Change::Ambiguous => Happening::Ambiguous { file, doubt: Doubt::Touched },
        };
        Progress::Happened(vec![happening])
    }

    /// Whether there is a copy of what was cut off isn't known yet: it is asked for again.
    pub(crate) fn wait_for_copy(&mut self, cut: Cut) {
        self.stage = Stage::Seeking(cut);
    }

    /// Goes on after a cut: with what a copy holds of the rest, if there is one, and then with what the file is now.
    pub(crate) fn go_on(&mut self, mut cut: Cut, copy: Option<Copy>, runs: &mut u64) -> LastWords {
        let offset = cut.before.offset;
        let copy = match copy {
            Some(copy) if copy.end > offset => copy,
            read => return self.end_run(cut, offset, read.map(|copy| copy.handle), runs),
        };
        let recovered = Happening::Recovered { file: self.file(), range: offset..copy.end, copy: copy.path.clone() };
        // A size that was seen is that of its copy.
        let is_doubtful = copy.claim == Claim::Log && offset < BANNER && cut.before.certain != copy.end;
        let doubtful = is_doubtful.then(|| {
            let doubt = Doubt::Copy(copy.path.clone());
            Happening::Ambiguous { file: self.file(), doubt }
        });
        // What of the copy can't be had is lost, as if there were none.
        cut.before.size = cut.before.size.max(copy.end);
        cut.before.certain = cut.before.certain.max(copy.end);
        self.stage = Stage::Recovering(Box::new(Recovery { copy, offset, cut }));
        (None, doubtful.into_iter().chain([recovered]).collect())
    }

    /// Whether something was read, or written, of whose run nothing had been read.
    pub(super) fn is_stirred(&self) -> bool {
        let moved = match self.beginning {
            Beginning::Settled => false,
            Beginning::Empty(at) => self.generation.offset() > 0 || self.generation.ended() != at,
        };
        moved
            && self.generation.reading() == Reading::Anchored
            && matches!(self.stage, Stage::Initial | Stage::Following)
    }

    /// Proves for later that nothing of the present run was read, and no more of those before it than is known.
    pub(super) fn prove_beginning(&self) -> Option<Position> {
        let position = self.generation.prove(0);
        match self.beginning {
            Beginning::Settled => position,
            Beginning::Empty(at) => position.map(|position| Position { ended: at, ..position }),
        }
    }

    /// No run has gone by unseen before the present one.
    pub(crate) fn settle(&mut self) {
        self.peeked = None;
        self.beginning = match self.generation.offset() {
            0 => Beginning::Empty(self.generation.ended()),
            _ => Beginning::Settled,
        };
        self.unrest.present().into_iter().for_each(|unrest| unrest.past = None);
    }

    /// When what the last look has brought was read at the latest.
    pub(crate) fn read_before(&self, now: SystemTime) -> SystemTime {
        self.peeked.as_ref().map_or(now, |peeked| peeked.before)
    }

    /// Keeps what a look has brought of the present run until those before it have been read. It can't be read again if
    /// the file is cut meanwhile.
    pub(crate) fn keep_for_later(&mut self, look: &Look, buffer: &[u8], before: SystemTime) {
        match look {
            Look::Bytes { at, .. } => {
                let bytes = || buffer[at.clone()].to_vec();
                self.peeked.get_or_insert_with(|| Box::new(Peeked { bytes: bytes(), before }));
            }
            _ => self.generation.rewind(),
        }
    }

    /// Of which run a copy is that is none of what the file holds now. What was read of the present one may have been cut off
    /// since, and was read `before` that time.
    ///
    /// # Errors
    /// A read that failed.
    pub(crate) fn place(&self, copy: &Copy, before: SystemTime) -> io::Result<Turn> {
        Ok(match () {
            () if self.generation.is_intact()? => Turn::Earlier,
            () if self.generation.is_begun_in(&*copy.handle)? => Turn::Present,
            () if was_there(copy.id, before) => Turn::Earlier,
            () => Turn::Later,
        })
    }

    /// Takes what was read of the present run from a copy of that.
    pub(crate) fn begin_with(&mut self, copy: Copy, runs: &mut u64) -> LastWords {
        self.peeked = None;
        self.generation.rewind();
        self.go_back(copy, runs)
    }

    /// Whether what was read last was cut off since.
    pub(crate) fn has_lost_its_place(&self) -> bool {
        !self.generation.is_intact().unwrap_or(true)
    }

    /// Goes back to a run that went by unseen and stands in this copy: what was read of the present one comes later.
    pub(crate) fn go_back(&mut self, copy: Copy, runs: &mut u64) -> LastWords {
        self.end_unread(0, Some(copy), runs)
    }

    /// The largest size seen of a run of which nothing was read, if the file is shorter now: that run has gone by.
    pub(crate) fn cut_unread(&mut self) -> Option<u64> {
        self.generation.was_larger()
    }

    /// Passes over a run of this size, of which nothing was read and there is no copy.
    pub(crate) fn pass_over(&mut self, size: u64, runs: &mut u64) -> LastWords {
        self.end_unread(size, None, runs)
    }

    /// Ends a run of this size of which nothing was read.
    fn end_unread(&mut self, size: u64, copy: Option<Copy>, runs: &mut u64) -> LastWords {
        let id = self.file();
        self.generation.forget_size();
        let ended = match (self.beginning, &self.unrest.past) {
            (Beginning::Empty(Some(at)), _) => Some(at),
            (_, Some(past)) => past.before.ended,
            _ => id.birth,
        };
        let (anchor, head) = (Anchor::default(), Head::default());
        let before = Box::new(Closed { id, offset: 0, size, anchor, head, ended, proven: ended, certain: size });
        let manner = Manner::Rewritten { evidence: Evidence::Content, size: self.generation.size() };
        self.go_on(Cut { before, manner }, copy, runs)
    }

    /// Whether a file is a copy of the run that ended last or of the present one, or of the beginning of one of them.
    ///
    /// # Errors
    /// A stat or read that failed.
    pub(crate) fn holds(&self, file: &dyn Handle) -> io::Result<bool> {
        let past = self.unrest.past.as_ref().map_or(Ok(false), |past| past.holds(file))?;
        Ok(past || begins(file, self.generation.handle())?)
    }

    /// Whether the file was cut, or what was cut off it is still being read.
    pub(crate) fn is_cut(&self) -> bool {
        matches!(self.stage, Stage::Seeking(_) | Stage::Recovering(_)) || self.has_lost_its_place()
    }

    /// Whether this copy is being read.
    pub(crate) fn recovers_from(&self, file: FileId) -> bool {
        matches!(&self.stage, Stage::Recovering(recovery) if recovery.copy.id == file)
    }

    /// Reads on in the copy of a file that was cut.
    pub(super) fn recover(
        &mut self,
        from: Recovery,
        context: &mut Context<'_>,
        runs: &mut u64,
        role: Role,
        framing: Framing,
    ) -> Progress {
        let Recovery { copy, offset, cut } = from;
        let left = usize::try_from(copy.end - offset).unwrap_or(usize::MAX).min(CHUNK);
        let length = match copy.handle.read_at(&mut context.buffer[..left], offset) {
            Err(_) if role != Role::Finishing && self.is_patient(context.now) => {
                self.stage = Stage::Recovering(Box::new(Recovery { copy, offset, cut }));
                return Progress::Hold(Some(context.now + RETRY));
            }
            result => result.unwrap_or(0),
        };
        self.unrest.present().into_iter().for_each(|unrest| unrest.unsettled_since = None);
        if length == 0 {
            let (last, happenings) = self.end_run(cut, offset, Some(copy.handle), runs);
            return match last {
                Some(last) => Progress::DataThen(last, happenings),
                None => Progress::Happened(happenings),
            };
        }
        if offset == 0 && context.buffer[0] == 0 && context.options.nuls == Nuls::HoldBack {
            // Its writer had kept its offset over a truncation.
            let data = find_data(&*copy.handle, 0).unwrap_or(Some(0)).unwrap_or(copy.end).min(copy.end);
            if data > 0 {
                self.stage = Stage::Recovering(Box::new(Recovery { copy, offset: data, cut }));
                return Progress::Happened(vec![Happening::NulsSkipped { file: self.file(), range: 0..data }]);
            }
        }
        self.stage = Stage::Recovering(Box::new(Recovery { copy, offset: offset + length as u64, cut }));
        self.quiet_since = context.now;
        let delivery = self.deliver(&context.buffer[..length], 0, framing, context.options);
        delivery.map_or_else(|| Progress::Working(self.age()), Progress::Data)
    }

    /// Ends what was read before a cut, up to `end`, and begins with what the file is now. `copy` was made before the cut.
    fn end_run(&mut self, cut: Cut, end: u64, copy: Option<Box<dyn Handle>>, runs: &mut u64) -> LastWords {
        let Cut { before, manner } = cut;
        let file = self.file();
        let fragment = match manner {
            Manner::Shortened { to } if end == before.offset => {
                self.lines.cut(before.offset - to);
                None
            }
            Manner::Shortened { .. } | Manner::Rewritten { .. } => {
                let begin = end.saturating_sub(self.lines.kept());
                let bytes = std::mem::take(&mut self.lines).take();
                bytes.map(|bytes| self.delivery(begin, Bytes::Owned(bytes), Ending::Unterminated))
            }
        };
        *runs += 1;
        self.run = *runs;
        let (run, offset) = (self.run, before.offset);
        let mut happenings = Vec::new();
        if let Some(error) = copy.as_ref().and_then(|copy| copy.flaw()) {
            happenings.extend(damaged(file, error, end..before.size));
        } else {
            happenings.extend(missed(&before, end, manner, copy.is_some()));
        }
        happenings.push(match manner {
            Manner::Rewritten { evidence, size } => {
                self.stage = Stage::Following;
                self.beginning = Beginning::Empty(None);
                let from_copy = |copy: &dyn Handle| Position::read(copy, &before, end).ok().flatten();
                let position = copy.as_deref().and_then(from_copy).or_else(|| before.prove(offset));
                self.unrest.past = Some(Past { before, copy });
                Happening::Rewritten { file, run, evidence, offset, size, position }
            }
            Manner::Shortened { to } => Happening::Shortened { file, run, from: offset, to },
        });
        (fragment, happenings)
    }
}
