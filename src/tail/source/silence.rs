//! What a source does while what it asks has no answer: it knows nothing, says so once, and asks again.

use super::{News, Origin, Source};
use crate::tail::event::{Happening, Outlook, Since};
use crate::tail::failures::{is_silence, silence};
use crate::tail::name::State;
use crate::tail::step::{Context, RETRY};

/// What there is no answer about.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Silences {
    name: bool,
    files: bool,
}

/// What something was asked about. The name may lead elsewhere than to where the open files are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum About {
    Name,
    Files,
}

impl Silences {
    pub(super) fn any(self) -> bool {
        self.name || self.files
    }

    fn of(&mut self, about: About) -> &mut bool {
        match about {
            About::Name => &mut self.name,
            About::Files => &mut self.files,
        }
    }
}

impl Source {
    /// What was asked has no answer, so that nothing is known.
    pub(super) fn has_no_answer(&mut self, about: About) {
        if !self.silences.any() {
            self.affairs.pending.push_back(Happening::NotAnswering);
        }
        *self.silences.of(about) = true;
    }

    /// What was asked has one. What was quiet meanwhile may have been so for want of answers to its writer, too.
    pub(super) fn has_answer(&mut self, about: About, context: &Context<'_>) {
        if !std::mem::take(self.silences.of(about)) || self.silences.any() {
            return;
        }
        self.affairs.pending.push_back(Happening::Answering);
        if let Some(since) = self.affairs.present().and_then(|affairs| affairs.searching_since.as_mut()) {
            *since = context.now;
        }
        self.members.iter_mut().for_each(|member| member.restart_quiet(context.now));
        self.resting.iter_mut().for_each(|resting| resting.restart_quiet(context.now));
    }

    /// Whether the file of the member at the cursor still doesn't answer, which is to be known before it is read.
    pub(super) fn is_still_silent(&mut self, context: &Context<'_>) -> bool {
        if !self.silences.files || self.state == State::Finishing {
            return false;
        }
        let silent = self.members[self.cursor].meta().is_err_and(|error| is_silence(&error));
        if silent {
            self.read_later(context);
        } else {
            self.has_answer(About::Files, context);
        }
        silent
    }

    /// Has the open files looked at soon, this one and what follows it.
    pub(super) fn read_later(&mut self, context: &Context<'_>) {
        self.look_again(Some(context.now + RETRY));
        self.cursor = self.members.len();
    }

    /// Has the name looked at soon, by whomever it was found.
    pub(super) fn inspect_later(&mut self, context: &Context<'_>) {
        self.affairs.name_again = Some(context.now + RETRY);
        self.news = match (self.origin, self.state) {
            (Origin::Named | Origin::Resumed, _) => News::None,
            (Origin::Found(_), State::Over) => News::Left,
            (Origin::Found(_), _) => News::Heir,
        };
    }

    /// The end comes before the answer. Of what is open that is said when it is read for the last time.
    pub(super) fn give_up_unanswered(&mut self) {
        if self.silences.name && self.files().next().is_none() {
            let (error, since, outlook) = (silence(), Since::Start, Outlook::GivenUp);
            self.affairs.pending.push_back(Happening::Inaccessible { error, since, outlook });
        }
    }
}
