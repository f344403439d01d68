//! The label of one session, as a state machine.
//!
//! That a session is active is said at once. That it is completed, only after a second look has confirmed it (a lock that
//! is held can be missed in a table that changes while it is read) and after the file was read to its end behind that
//! look: a writer's last line comes before the lock goes, so that it precedes the word that the session is completed.

use std::time::{Duration, Instant};

use crate::settings::Liveness;

/// Whether a file is locked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Lock {
    /// Nobody holds a lock on it.
    Free,
    /// That can't be found out.
    Unknown,
    /// Somebody does: this process, where that is known.
    Held(Option<u32>),
}

/// What a session is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum State {
    Active,
    Completed,
    Unknown,
}

/// By what that was found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Sign {
    Lock,
    Growth,
}

/// What a session is called.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Label {
    pub(crate) state: State,
    pub(crate) sign: Sign,
    /// The process that holds the lock, where that is known.
    pub(crate) holder: Option<u32>,
}

/// By what a session is labelled.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Policy {
    pub(crate) liveness: Liveness,
    /// How long a file is active without growing.
    pub(crate) idle_after: Duration,
}

/// What is to be done about a session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Next {
    /// Nothing has changed.
    Nothing,
    /// It is called otherwise from now on.
    Say(Label),
    /// Its file is to be read to its end as it is now.
    ReadOut,
    /// Its lock is to be looked at once more.
    LookAgain,
}

/// How far it is on its way to being called something other than active.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Closing {
    No,
    /// So many looks have said so: one, or two.
    Seen,
    Confirmed,
}

/// One session.
#[derive(Debug)]
pub(crate) struct Session {
    policy: Policy,
    lock: Lock,
    /// Whether it was ever seen locked: then locks tell, and growth only if there is none.
    was_locked: bool,
    /// When it was last seen growing; if it was seen locked, since the lock has gone.
    grew_at: Option<Instant>,
    closing: Closing,
    said: Option<State>,
}

impl Session {
    /// A session of a file that was there before anybody looked.
    pub(crate) fn new(policy: Policy) -> Self {
        Self { policy, lock: Lock::Unknown, was_locked: false, grew_at: None, closing: Closing::No, said: None }
    }

    /// What it was last called.
    pub(crate) fn said(&self) -> Option<State> {
        self.said
    }

    /// Whether it was locked when that was last looked at.
    pub(crate) fn is_locked(&self) -> bool {
        matches!(self.lock, Lock::Held(_))
    }

    /// It was seen growing; to appear or to be written anew counts as well.
    pub(crate) fn grew(&mut self, now: Instant) -> Next {
        if self.closing != Closing::No && self.was_locked && self.lock == Lock::Free {
            // It is the rest of what its writer left behind.
            return Next::Nothing;
        }
        if self.policy.liveness == Liveness::Growth || !matches!(self.lock, Lock::Held(_)) {
            self.grew_at = Some(now);
        }
        self.judge(now, Closing::No)
    }

    /// Its lock was looked at.
    pub(crate) fn looked(&mut self, lock: Lock, now: Instant) -> Next {
        if let (Lock::Held(_), Lock::Free | Lock::Unknown) = (self.lock, lock) {
            self.grew_at = None;
        }
        self.lock = lock;
        self.was_locked |= matches!(lock, Lock::Held(_));
        let next = match self.closing {
            Closing::No => Closing::Seen,
            Closing::Seen | Closing::Confirmed => Closing::Confirmed,
        };
        self.judge(now, next)
    }

    /// Its file was read to its end since that was asked for.
    pub(crate) fn read_out(&mut self, now: Instant) -> Next {
        match self.closing {
            Closing::No => Next::Nothing,
            Closing::Seen => Next::LookAgain,
            Closing::Confirmed => {
                self.closing = Closing::No;
                self.say(self.label(now))
            }
        }
    }

    /// When time alone can make it completed.
    pub(crate) fn quiet_at(&self) -> Option<Instant> {
        let counts = self.said == Some(State::Active) && self.label_by_growth();
        self.grew_at.filter(|_| counts)?.checked_add(self.policy.idle_after)
    }

    /// The session has ended, since its file is gone for good.
    pub(crate) fn ended(&mut self) -> Next {
        let sign = if self.label_by_growth() { Sign::Growth } else { Sign::Lock };
        match self.said {
            None | Some(State::Completed) => Next::Nothing,
            Some(_) => self.say(Label { state: State::Completed, sign, holder: None }),
        }
    }

    /// Says what it is, or goes on towards saying it.
    fn judge(&mut self, now: Instant, closing: Closing) -> Next {
        if self.policy.liveness == Liveness::Untold {
            return Next::Nothing;
        }
        let label = self.label(now);
        if label.state == State::Active || self.said == Some(label.state) {
            self.closing = Closing::No;
            return self.say(label);
        }
        if closing == Closing::No {
            return Next::Nothing;
        }
        self.closing = closing;
        Next::ReadOut
    }

    fn say(&mut self, label: Label) -> Next {
        if self.said.replace(label.state) == Some(label.state) { Next::Nothing } else { Next::Say(label) }
    }

    fn label_by_growth(&self) -> bool {
        match self.policy.liveness {
            Liveness::Growth => true,
            Liveness::Auto => !matches!(self.lock, Lock::Held(_)),
            Liveness::Lock | Liveness::Untold => false,
        }
    }

    /// What it is, going by what was seen.
    fn label(&self, now: Instant) -> Label {
        let label = |state, sign| Label { state, sign, holder: None };
        let grows = || {
            self.grew_at
                .is_some_and(|at| at.checked_add(self.policy.idle_after).is_none_or(|quiet_at| now < quiet_at))
        };
        if self.label_by_growth() && grows() {
            return label(State::Active, Sign::Growth);
        }
        match (self.policy.liveness, self.lock) {
            (Liveness::Growth, _) => label(State::Completed, Sign::Growth),
            (_, Lock::Held(holder)) => Label { state: State::Active, sign: Sign::Lock, holder },
            (_, Lock::Unknown) => label(State::Unknown, Sign::Lock),
            (Liveness::Auto, Lock::Free) if !self.was_locked => label(State::Completed, Sign::Growth),
            (_, Lock::Free) => label(State::Completed, Sign::Lock),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const IDLE: Duration = Duration::from_secs(30);
    const ACTIVE: Label = Label { state: State::Active, sign: Sign::Growth, holder: None };
    const QUIET: Label = Label { state: State::Completed, sign: Sign::Growth, holder: None };
    const LOCKED: Label = Label { state: State::Active, sign: Sign::Lock, holder: Some(7) };
    const UNLOCKED: Label = Label { state: State::Completed, sign: Sign::Lock, holder: None };
    const UNKNOWN: Label = Label { state: State::Unknown, sign: Sign::Lock, holder: None };

    /// What is seen of a session.
    #[derive(Clone, Copy, Debug)]
    enum Seen {
        Lock,
        Free,
        Hidden,
        Growth,
        ReadOut,
        /// Seconds pass, and whoever waits for them looks.
        Seconds(u64),
        End,
    }

    /// Plays a story, and demands what comes of each step.
    #[track_caller]
    fn play(liveness: Liveness, story: &[(Seen, Next)]) {
        let mut session = Session::new(Policy { liveness, idle_after: IDLE });
        let mut now = Instant::now();
        for (step, (seen, expected)) in story.iter().enumerate() {
            let next = match seen {
                Seen::Lock => session.looked(Lock::Held(Some(7)), now),
                Seen::Free => session.looked(Lock::Free, now),
                Seen::Hidden => session.looked(Lock::Unknown, now),
                Seen::Growth => session.grew(now),
                Seen::ReadOut => session.read_out(now),
                Seen::Seconds(seconds) => {
                    now += Duration::from_secs(*seconds);
                    Next::Nothing
                }
                Seen::End => session.ended(),
            };
            assert_eq!(next, *expected, "step {step}, {seen:?}, of {story:?}");
        }
    }

    #[test]
    fn a_file_that_is_locked_is_active_at_once_and_completed_after_a_second_look_and_all_of_it() {
        play(
            Liveness::Auto,
            &[
                (Seen::Lock, Next::Say(LOCKED)),
                (Seen::Growth, Next::Nothing),
                (Seen::Lock, Next::Nothing),
                (Seen::Free, Next::ReadOut),
                (Seen::Growth, Next::Nothing),
                (Seen::ReadOut, Next::LookAgain),
                (Seen::Free, Next::ReadOut),
                (Seen::Growth, Next::Nothing),
                (Seen::ReadOut, Next::Say(UNLOCKED)),
                (Seen::Free, Next::Nothing),
                (Seen::Lock, Next::Say(LOCKED)),
            ],
        );
    }

    #[test]
    fn a_lock_that_was_only_missed_leaves_a_session_active() {
        play(
            Liveness::Auto,
            &[
                (Seen::Lock, Next::Say(LOCKED)),
                (Seen::Free, Next::ReadOut),
                (Seen::ReadOut, Next::LookAgain),
                (Seen::Lock, Next::Nothing),
                (Seen::ReadOut, Next::Nothing),
                (Seen::Free, Next::ReadOut),
                (Seen::ReadOut, Next::LookAgain),
            ],
        );
    }

    #[test]
    fn a_file_that_nobody_locks_is_active_while_it_grows() {
        play(
            Liveness::Auto,
            &[
                (Seen::Free, Next::ReadOut),
                (Seen::ReadOut, Next::LookAgain),
                (Seen::Free, Next::ReadOut),
                (Seen::ReadOut, Next::Say(QUIET)),
                (Seen::Growth, Next::Say(ACTIVE)),
                (Seen::Seconds(29), Next::Nothing),
                (Seen::Free, Next::Nothing),
                (Seen::Growth, Next::Nothing),
                (Seen::Seconds(29), Next::Nothing),
                (Seen::Free, Next::Nothing),
                (Seen::Seconds(1), Next::Nothing),
                (Seen::Free, Next::ReadOut),
                (Seen::ReadOut, Next::LookAgain),
                (Seen::Growth, Next::Nothing),
                (Seen::Free, Next::Nothing),
                (Seen::Seconds(30), Next::Nothing),
                (Seen::Free, Next::ReadOut),
                (Seen::ReadOut, Next::LookAgain),
                (Seen::Free, Next::ReadOut),
                (Seen::ReadOut, Next::Say(QUIET)),
            ],
        );
    }

    #[test]
    fn a_completed_session_that_grows_without_a_lock_is_active_and_stays_so_with_one() {
        play(
            Liveness::Auto,
            &[
                (Seen::Lock, Next::Say(LOCKED)),
                (Seen::Free, Next::ReadOut),
                (Seen::ReadOut, Next::LookAgain),
                (Seen::Free, Next::ReadOut),
                (Seen::ReadOut, Next::Say(UNLOCKED)),
                (Seen::Growth, Next::Say(ACTIVE)),
                (Seen::Lock, Next::Nothing),
                (Seen::Free, Next::ReadOut),
            ],
        );
    }

    #[test]
    fn what_cannot_be_known_is_unknown_unless_it_grows() {
        play(
            Liveness::Auto,
            &[
                (Seen::Hidden, Next::ReadOut),
                (Seen::ReadOut, Next::LookAgain),
                (Seen::Hidden, Next::ReadOut),
                (Seen::ReadOut, Next::Say(UNKNOWN)),
                (Seen::Growth, Next::Say(ACTIVE)),
            ],
        );
    }

    #[test]
    fn locks_or_growth_alone_are_what_the_other_is_not() {
        play(Liveness::Lock, &[(Seen::Growth, Next::Nothing), (Seen::Lock, Next::Say(LOCKED))]);
        play(Liveness::Growth, &[(Seen::Growth, Next::Say(ACTIVE)), (Seen::Lock, Next::Nothing)]);
        play(
            Liveness::Untold,
            &[(Seen::Growth, Next::Nothing), (Seen::Lock, Next::Nothing), (Seen::End, Next::Nothing)],
        );
    }

    #[test]
    fn a_session_whose_file_is_gone_is_completed_if_that_was_not_said() {
        play(Liveness::Auto, &[(Seen::Lock, Next::Say(LOCKED)), (Seen::End, Next::Say(UNLOCKED))]);
        play(
            Liveness::Auto,
            &[(Seen::Growth, Next::Say(ACTIVE)), (Seen::End, Next::Say(QUIET)), (Seen::End, Next::Nothing)],
        );
    }
}
