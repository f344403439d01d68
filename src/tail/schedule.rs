//! When each source is to be looked at without having been woken.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::time::Instant;

use super::event::SourceId;
use crate::numbers::ByNumber;

/// At most one appointment for each source, the earliest one known at once.
#[derive(Debug, Default)]
pub(crate) struct Schedule {
    /// What counts.
    appointments: ByNumber<SourceId, Instant>,
    /// The order; may hold entries that no longer count, which are passed over.
    queue: BinaryHeap<Reverse<(Instant, SourceId)>>,
}

impl Schedule {
    /// Makes, moves or cancels the appointment of a source.
    pub(crate) fn set(&mut self, source: SourceId, at: Option<Instant>) {
        match at {
            Some(at) => {
                if self.appointments.insert(source, at) != Some(at) {
                    self.queue.push(Reverse((at, source)));
                }
            }
            None => {
                self.appointments.remove(&source);
            }
        }
        if self.queue.len() > 2 * self.appointments.len() + 16 {
            let appointments = &self.appointments;
            self.queue.retain(|Reverse((at, source))| appointments.get(source) == Some(at));
        }
    }

    /// The next appointment.
    pub(crate) fn next(&mut self) -> Option<Instant> {
        while let Some(Reverse((at, source))) = self.queue.peek() {
            if self.appointments.get(source) == Some(at) {
                return Some(*at);
            }
            self.queue.pop();
        }
        None
    }

    /// Takes the next source whose time has come.
    pub(crate) fn take(&mut self, now: Instant) -> Option<SourceId> {
        if self.next()? > now {
            return None;
        }
        let Reverse((_, source)) = self.queue.pop()?;
        self.appointments.remove(&source);
        Some(source)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[test]
    fn sources_come_in_the_order_of_their_latest_appointments() {
        let start = Instant::now();
        let at = |millis| Some(start + Duration::from_millis(millis));
        let mut schedule = Schedule::default();
        schedule.set(SourceId(1), at(30));
        schedule.set(SourceId(2), at(20));
        schedule.set(SourceId(3), at(10));
        schedule.set(SourceId(3), at(40));
        schedule.set(SourceId(2), None);
        assert_eq!(schedule.next(), at(30));
        let late = start + Duration::from_secs(1);
        assert_eq!(schedule.take(start), None);
        assert_eq!(schedule.take(late), Some(SourceId(1)));
        assert_eq!(schedule.take(late), Some(SourceId(3)));
        assert_eq!(schedule.take(late), None);
    }

    #[test]
    fn appointments_that_move_often_leave_no_heap_behind() {
        let start = Instant::now();
        let mut schedule = Schedule::default();
        for millis in 0..10_000 {
            schedule.set(SourceId(1), Some(start + Duration::from_millis(millis)));
        }
        assert!(schedule.queue.len() < 100);
    }
}
