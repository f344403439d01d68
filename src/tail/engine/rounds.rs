//! When a source is looked at although nothing has told of it: appointments, and rounds of polling.

use std::time::{Duration, Instant};

use super::{Engine, POLL_QUIET};
use crate::tail::event::{Noticed, SourceId};
use crate::tail::options::{Following, Looks};
use crate::tail::step::Due;

/// How often a file without notification is looked at while it changes, and how long it counts as changing.
const POLL_BUSY: Duration = Duration::from_millis(250);
const BUSY_FOR: Duration = Duration::from_secs(10);

impl Engine {
    /// Marks the sources whose time has come.
    pub(crate) fn tick(&mut self, now: Instant) {
        while let Some(id) = self.schedule.take(now) {
            self.mark(id, self.due_in_time(id));
        }
    }

    /// What is due for a source whose time has come.
    fn due_in_time(&self, id: SourceId) -> Due {
        let polled =
            self.slots.get(&id).is_some_and(|slot| slot.noticed != Noticed::ByEvents && slot.source.is_live());
        match self.options.looks {
            Looks::AfterQuietRounds(_) if polled => Due::Round,
            Looks::AfterQuietRounds(_) | Looks::EachRound => Due::NameAndFiles,
        }
    }

    /// When to tick again.
    pub(crate) fn deadline(&mut self) -> Option<Instant> {
        self.schedule.next()
    }

    /// Begins a round where these are counted. GNU's `tail` has one behind its start and one behind each that brought
    /// something, without the pause that is between the others.
    pub(super) fn begin_round(&mut self) {
        if self.options.looks == Looks::EachRound {
            return;
        }
        let polled = self.slots.iter().filter(|(_, slot)| slot.noticed != Noticed::ByEvents);
        let mut ids: Vec<_> = polled.map(|(id, _)| *id).collect();
        ids.sort_unstable();
        for id in ids {
            self.mark(id, self.due_in_time(id));
        }
    }

    /// Nothing is due for a source: makes its next appointment, or lets it go.
    pub(super) fn rest(&mut self, id: SourceId, now: Instant) {
        let Some(slot) = self.slots.get(&id) else { return };
        if slot.source.is_over() {
            if let Some(ids) = self.named.get_mut(slot.source.path()) {
                ids.retain(|other| *other != id);
            }
            self.slots.remove(&id);
            self.readable.remove(&id);
            self.schedule.set(id, None);
            return;
        }
        let poll = (slot.noticed != Noticed::ByEvents && self.options.following != Following::Nothing).then(|| {
            let busy = now.saturating_duration_since(slot.source.changed()) < BUSY_FOR;
            self.next_round(now, self.options.poll_interval.unwrap_or(if busy { POLL_BUSY } else { POLL_QUIET }))
        });
        let at = [poll.flatten(), slot.source.next_look()].into_iter().flatten().min();
        self.schedule.set(id, at);
    }

    /// When the next interval begins. It does so for all sources at once, so that they are looked at in one wake-up
    /// and in their order.
    pub(super) fn next_round(&self, now: Instant, interval: Duration) -> Option<Instant> {
        let passed = now.saturating_duration_since(self.epoch).as_nanos();
        let next = interval.as_nanos().checked_mul(passed.checked_div(interval.as_nanos()).unwrap_or(0) + 1)?;
        let (seconds, nanos) = (next / 1_000_000_000, next % 1_000_000_000);
        let next = Duration::new(u64::try_from(seconds).ok()?, u32::try_from(nanos).ok()?);
        self.epoch.checked_add(next).map(|at| at.max(now))
    }
}
