//! What becomes of a generation whose file was cut: its last bytes, from a copy where there is one, and a new run.

use std::path::PathBuf;

use super::{Member, Progress, Stage};
use crate::tail::event::{Ending, Evidence, Happening, Loss};
use crate::tail::files::{FileId, Handle};
use crate::tail::generation::{Change, Closed};
use crate::tail::lines::Framing;
use crate::tail::scan::CHUNK;
use crate::tail::step::{Bytes, Context, Delivery};

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
}

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
            Change::Ambiguous => Happening::Ambiguous { file },
        };
        Progress::Happened(vec![happening])
    }

    /// Goes on after a cut: with what a copy holds of the rest, if there is one, and then with what the file is now.
    pub(crate) fn go_on(&mut self, mut cut: Cut, copy: Option<Copy>, runs: &mut u64) -> LastWords {
        let offset = cut.before.offset;
        let Some(copy) = copy else { return self.end_run(cut, offset, runs) };
        let recovered = Happening::Recovered { file: self.file(), range: offset..copy.end, copy: copy.path.clone() };
        // What of the copy can't be had is lost, as if there were none.
        cut.before.size = cut.before.size.max(copy.end);
        self.stage = Stage::Recovering(Recovery { copy, offset, cut });
        (None, vec![recovered])
    }

    /// Reads on in the copy of a file that was cut.
    pub(super) fn recover(
        &mut self,
        from: Recovery,
        context: &mut Context<'_>,
        runs: &mut u64,
        framing: Framing,
    ) -> Progress {
        let Recovery { copy, offset, cut } = from;
        let left = usize::try_from(copy.end - offset).unwrap_or(usize::MAX).min(CHUNK);
        let length = copy.handle.read_at(&mut context.buffer[..left], offset).unwrap_or(0);
        if length == 0 {
            let (last, happenings) = self.end_run(cut, offset, runs);
            return match last {
                Some(last) => Progress::DataThen(last, happenings),
                None => Progress::Happened(happenings),
            };
        }
        self.stage = Stage::Recovering(Recovery { copy, offset: offset + length as u64, cut });
        self.quiet_since = context.now;
        let delivery = self.deliver(&context.buffer[..length], 0, framing, context.options);
        delivery.map_or(Progress::Working, Progress::Data)
    }

    /// Ends what was read before a cut, up to `end`, and begins with what the file is now.
    fn end_run(&mut self, cut: Cut, end: u64, runs: &mut u64) -> LastWords {
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
        if before.size > end {
            happenings.push(Happening::Lost { file, range: Some(end..before.size), reason: Loss::Truncated });
        }
        happenings.push(match manner {
            Manner::Rewritten { evidence, size } => {
                self.stage = Stage::Following;
                Happening::Rewritten { file, run, evidence, offset, size }
            }
            Manner::Shortened { to } => Happening::Shortened { file, run, from: offset, to },
        });
        (fragment, happenings)
    }
}
