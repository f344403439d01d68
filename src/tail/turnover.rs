//! Whether every file that came under a name was seen.
//!
//! A [`Turnover`] compares how often files came, as events tell it, with how many were taken up. It is settled at a look
//! that finds nothing to take up, once all events have been heard that came before that: whatever came under the name
//! until then was taken up, or is gone. It looks at nothing itself.

use crate::wake::Arrivals;

#[derive(Debug, Default)]
pub(crate) struct Turnover {
    /// What events tell; `None` while none do.
    told: Option<Heard>,
    /// What they had told when the account began or was settled last.
    settled: Option<Arrivals>,
    /// How many files were taken up since then.
    taken: u64,
    /// How many that were taken up before have got the name back since then.
    returned: u64,
}

#[derive(Clone, Copy, Debug)]
struct Heard {
    arrivals: Arrivals,
    backlog: Backlog,
}

/// Whether more events may be on the way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Backlog {
    /// All that came before the next look have been heard.
    Heard,
    /// That isn't known.
    Unknown,
}

/// What a look at the name found that took up nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Standstill {
    /// The file that it meant at the last look.
    Same,
    /// Nothing.
    Missing,
}

/// What became of settling the account.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Settled {
    /// So many files came and went.
    Unseen(u64),
    /// First all events are to be heard, and then the name is to be looked at again.
    Later,
}

impl Turnover {
    /// Events have told this. The account begins with the first of it: what was taken up before came before.
    pub(crate) fn told(&mut self, arrivals: Arrivals, backlog: Backlog) {
        if self.settled.is_none() {
            *self = Self { settled: Some(arrivals), ..Self::default() };
        }
        self.told = Some(Heard { arrivals, backlog });
    }

    /// Ends the account, since it can't be known any more what came; another begins when more is told.
    pub(crate) fn forget(&mut self) {
        *self = Self::default();
    }

    /// Files were taken up that were not known.
    pub(crate) fn took(&mut self, files: usize) {
        self.taken += files as u64;
    }

    /// A known file got the name back.
    pub(crate) fn returned(&mut self) {
        self.returned += 1;
    }

    /// A look begins: whether all events have been heard that came before it.
    pub(crate) fn begin_look(&mut self) -> Backlog {
        self.told.as_mut().map_or(Backlog::Unknown, |told| std::mem::replace(&mut told.backlog, Backlog::Unknown))
    }

    /// Settles the account at a look that took up nothing.
    pub(crate) fn settle(&mut self, backlog: Backlog, found: Standstill) -> Settled {
        let (Some(Heard { arrivals, .. }), Some(before)) = (self.told, self.settled) else {
            return Settled::Unseen(0);
        };
        let nothing_taken = (self.taken, self.returned) == (0, 0);
        if before == arrivals && nothing_taken {
            return Settled::Unseen(0);
        }
        if backlog == Backlog::Unknown {
            return Settled::Later;
        }
        self.settled = Some(arrivals);
        let (taken, returned) = (std::mem::take(&mut self.taken), std::mem::take(&mut self.returned));
        let (all, returns) = (arrivals.all - before.all, arrivals.returns - before.returns);
        // A file that has lost its name and got it back as no rename tells has links, and all may have been it.
        let by_links = match found {
            Standstill::Same => nothing_taken && returns == 0 || returned > returns,
            Standstill::Missing => returned > returns,
        };
        if by_links {
            return Settled::Unseen(0);
        }
        Settled::Unseen(all.saturating_sub(taken + returns.max(returned)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn arrivals(all: u64, returns: u64) -> Arrivals {
        Arrivals { all, returns }
    }

    /// An account that begins after one arrival.
    fn settled() -> Turnover {
        let mut turnover = Turnover::default();
        turnover.took(1);
        turnover.told(arrivals(1, 0), Backlog::Unknown);
        turnover
    }

    fn settle(turnover: &mut Turnover, all: u64, returns: u64, found: Standstill) -> Settled {
        turnover.told(arrivals(all, returns), Backlog::Heard);
        let backlog = turnover.begin_look();
        turnover.settle(backlog, found)
    }

    #[test]
    fn what_came_and_was_not_taken_up_is_counted_once() {
        let mut turnover = settled();
        turnover.took(2);
        assert_eq!(settle(&mut turnover, 6, 0, Standstill::Same), Settled::Unseen(3));
        assert_eq!(settle(&mut turnover, 6, 0, Standstill::Same), Settled::Unseen(0));
        assert_eq!(settle(&mut turnover, 7, 0, Standstill::Missing), Settled::Unseen(1));
    }

    #[test]
    fn nothing_is_said_before_all_events_were_heard() {
        let mut turnover = settled();
        turnover.took(1);
        let backlog = turnover.begin_look();
        assert_eq!(turnover.settle(backlog, Standstill::Same), Settled::Later, "its own event may be on the way");
        turnover.told(arrivals(2, 0), Backlog::Heard);
        assert_eq!(turnover.begin_look(), Backlog::Heard);
        assert_eq!(turnover.begin_look(), Backlog::Unknown, "that was known of one look");
        assert_eq!(settle(&mut turnover, 2, 0, Standstill::Same), Settled::Unseen(0));
    }

    #[test]
    fn a_file_that_got_its_name_back_is_not_counted() {
        let mut turnover = settled();
        assert_eq!(settle(&mut turnover, 3, 2, Standstill::Same), Settled::Unseen(0), "unseen, twice");
        turnover.returned();
        assert_eq!(settle(&mut turnover, 4, 3, Standstill::Same), Settled::Unseen(0), "seen");
        turnover.returned();
        assert_eq!(settle(&mut turnover, 5, 3, Standstill::Same), Settled::Unseen(0), "seen, from elsewhere");
        assert_eq!(settle(&mut turnover, 7, 4, Standstill::Same), Settled::Unseen(1), "another one came meanwhile");
        assert_eq!(settle(&mut turnover, 9, 4, Standstill::Same), Settled::Unseen(0), "by its links, twice");
        turnover.returned();
        assert_eq!(settle(&mut turnover, 12, 4, Standstill::Same), Settled::Unseen(0), "by its links, once seen");
        assert_eq!(settle(&mut turnover, 13, 4, Standstill::Missing), Settled::Unseen(1));
    }

    #[test]
    fn lost_events_begin_a_new_account() {
        let mut turnover = settled();
        turnover.took(1);
        turnover.forget();
        assert_eq!(turnover.settle(Backlog::Heard, Standstill::Same), Settled::Unseen(0));
        assert_eq!(settle(&mut turnover, 9, 0, Standstill::Missing), Settled::Unseen(0));
        assert_eq!(settle(&mut turnover, 10, 0, Standstill::Missing), Settled::Unseen(1));
    }
}
