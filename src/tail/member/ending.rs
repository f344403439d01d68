//! When a generation has nothing more to give, for now or for good.

use std::io;
use std::ops::Range;
use std::time::{Duration, Instant};

use super::{Again, Member, Progress, Role, again};
use crate::tail::event::{Ending, Happening, Loss, Outlook};
use crate::tail::failures::is_silence;
use crate::tail::files::{FileId, FileKind};
use crate::tail::generation::{Closed, Reading, Rest};
use crate::tail::lines::Framing;
use crate::tail::options::{Options, ReadErrors, Retry};
use crate::tail::step::{Context, Delivery, RETRY, Want};

/// What is to be reported of a file of which only the beginning can be read. `missed` is what is known to have stood behind
/// that, if anything.
pub(super) fn damaged(file: FileId, error: io::Error, missed: Range<u64>) -> Vec<Happening> {
    let range = Some(missed).filter(|missed| !missed.is_empty());
    vec![Happening::Damaged { file, error }, Happening::Lost { file, range, reason: Loss::Unreadable }]
}

/// How long reads may fail before a file that its name no longer means is let go.
const PATIENCE: Duration = Duration::from_secs(5);

impl Member {
    /// There is nothing new.
    pub(super) fn at_rest(&mut self, rest: Rest, context: &Context<'_>, role: Role, framing: Framing) -> Progress {
        if let Some(kept) = self.leave_start(context.options) {
            return kept;
        }
        if framing == Framing::Bytes
            && let Some(delivery) = self.take_fragment(Ending::Line)
        {
            // Kept while lines had to be whole, which is over.
            return Progress::Data(delivery);
        }
        if let Some(error) = self.unrest.present().and_then(|unrest| unrest.flaw.take()) {
            let happenings = damaged(self.file(), error, self.generation.offset()..self.generation.size());
            return match self.take_fragment(Ending::Unterminated) {
                Some(last) => Progress::DataThen(last, happenings),
                None => Progress::Happened(happenings),
            };
        }
        let again = again(rest, context.now);
        match role {
            Role::Current => Progress::Rest(again),
            // Not before it is certain that there is nothing.
            _ if rest == Rest::Unsettled && role != Role::Finishing && self.is_patient(context.now) => {
                Progress::Hold(again)
            }
            Role::Printed | Role::Finishing => Progress::Done,
            Role::Orphaned if self.may_be_rotating(context.options) => Progress::Rest(again),
            Role::Orphaned | Role::Superseded => self.wait_for_late_writers(again, context),
        }
    }

    /// Whether it is worth to wait for a file that seems to be changing; a size that lies would have us wait for ever.
    pub(crate) fn is_patient(&mut self, now: Instant) -> bool {
        now < *self.unrest.unsettled_since.get_or_insert(now) + PATIENCE
    }

    /// Whether a file without its name may be halfway through a rotation that has yet to make the new file. One
    /// that was removed is let go like a rotated one, lest it keep its room on the disk.
    fn may_be_rotating(&self, options: &Options) -> bool {
        options.retry == Retry::Always
            && !options.rotate_wait.is_zero()
            && self.generation.handle().meta().map_or_else(|error| is_silence(&error), |meta| meta.links > 0)
    }

    /// Its name means another file, or nothing: it is let go once it has been quiet for long enough.
    pub(super) fn wait_for_late_writers(&mut self, again: Again, context: &Context<'_>) -> Progress {
        // A file that was quiet when it was rotated gets its time all the same.
        let since = self.unrest.ended_since.map_or(self.quiet_since, |ended| ended.max(self.quiet_since));
        let Some(until) = since.checked_add(context.rotate_wait) else {
            return Progress::Rest(again);
        };
        if context.now >= until {
            return self.leave_start(context.options).unwrap_or(Progress::Done);
        }
        let again = [again, Some(until)].into_iter().flatten().min();
        if self.lines.is_open() { Progress::Hold(again) } else { Progress::Rest(again) }
    }

    /// A pipe, FIFO or device has ended.
    pub(super) fn ended(&mut self, context: &mut Context<'_>, role: Role) -> Progress {
        let fifo = self.generation.kind() == FileKind::Fifo;
        let unwritten = fifo && self.generation.offset() == 0 && matches!(role, Role::Current);
        if !unwritten && let Some(kept) = self.leave_start(context.options) {
            return kept;
        }
        match role {
            Role::Printed | Role::Finishing => Progress::Done,
            Role::Superseded | Role::Orphaned => {
                context.wants.push(Want::Unreadable(context.source));
                self.wait_for_late_writers(None, context)
            }
            Role::Current if fifo => {
                // Its next writer makes it readable.
                context.wants.push(Want::Readable(context.source));
                self.generation.renew().map_or_else(Progress::Failed, |()| Progress::Rest(None))
            }
            Role::Current => {
                context.wants.push(Want::Unreadable(context.source));
                Progress::Rest(Some(context.now + RETRY))
            }
        }
    }

    /// Counts a failed read; says what is to be reported of it, and whether the file is to be let go.
    pub(crate) fn failed(
        &mut self,
        error: io::Error,
        role: Role,
        context: &Context<'_>,
    ) -> (Vec<Happening>, Outlook) {
        let (file, now, policy) = (self.file(), context.now, context.options.read_errors);
        let first = self.unrest.failing_since.is_none();
        let since = *self.unrest.failing_since.get_or_insert(now);
        let outlook = match role {
            Role::Current if policy == ReadErrors::KeepTrying => Outlook::Waiting,
            Role::Current | Role::Orphaned | Role::Superseded if now < since + PATIENCE => Outlook::Waiting,
            _ => Outlook::GivenUp,
        };
        let failed = Happening::ReadFailed { file, error, outlook };
        let lost = |range| Happening::Lost { file, range, reason: Loss::Unreadable };
        let happenings = match (outlook, policy) {
            (Outlook::GivenUp, ReadErrors::GiveUp) => {
                let unread = self.generation.unread();
                std::iter::once(failed).chain(unread.map(|range| lost(Some(range)))).collect()
            }
            _ if first => vec![failed],
            (Outlook::GivenUp, ReadErrors::KeepTrying) if role != Role::Finishing => vec![lost(None)],
            _ => vec![],
        };
        (happenings, outlook)
    }

    /// Gives up the file: its last bytes, what is to be reported, and what is kept of it.
    pub(crate) fn finish(mut self) -> (Option<Delivery>, Vec<Happening>, Option<Closed>) {
        let last = self.take_fragment(Ending::Unterminated);
        self.leave();
        let (file, run, offset) = (self.file(), self.run, self.generation.offset());
        let mut happenings = Vec::new();
        if self.unrest.failing_since.is_none() {
            // What could not be read is no NULs.
            happenings.extend(self.generation.held_back().map(|range| Happening::NulsSkipped { file, range }));
        }
        if run > 0 {
            let size = self.generation.size().max(offset);
            let position = self.generation.prove(offset);
            happenings.push(Happening::Closed { file, run, offset, size, position });
        }
        let closed = (self.generation.reading() == Reading::Anchored).then(|| self.generation.close());
        (last, happenings, closed)
    }
}
