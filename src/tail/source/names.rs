//! What a source makes of what its name means: a file that it takes hold of, or nothing.

use std::collections::VecDeque;
use std::io::{self, ErrorKind};

use super::silence::About;
use super::{Origin, Source};
use crate::tail::beside::Extent;
use crate::tail::decide::{NameHeld, NameSeen, NameVerdict, decide_name};
use crate::tail::event::{Arrival, Happening, Outlook, Since};
use crate::tail::failures::is_silence;
use crate::tail::files::{FileId, FileKind, Handle, Meta};
use crate::tail::generation::{Closed, Generation, Reading};
use crate::tail::member::Member;
use crate::tail::name::{Absence, Found, State, is_shortage};
use crate::tail::options::{Following, Retry};
use crate::tail::place::Place;
use crate::tail::step::{Context, RETRY, Want};
use crate::tail::turnover::{Backlog, Standstill};
use crate::wake::is_made_up;

impl Source {
    /// Compares what the name means with what it meant.
    pub(super) fn inspect(&mut self, context: &mut Context<'_>) {
        if let Some(arriving) = self.arriving.take()
            && self.arrive(arriving.0, &arriving.1, context) != Extent::All
        {
            return;
        }
        let live = self.members.back().filter(|_| self.state == State::Live).map(Member::file);
        let at = context.files.now();
        let backlog = self.turnover.begin_look();
        let (seen, found) = self.name.look(context.files, live);
        if let Found::Error(error) = &found
            && is_silence(error)
        {
            self.turnover.forget();
            self.has_no_answer(About::Name);
            return self.inspect_later(context);
        }
        self.has_answer(About::Name, context);
        // What can't be reached now is not gone: it is taken up when it can.
        let reached = seen != NameSeen::Inaccessible;
        if let Some(saved) = self.affairs.present().and_then(|affairs| affairs.saved.take_if(|_| reached)) {
            let before = self.state;
            let live = if let Found::File(_, meta) = &found { Some(meta.id) } else { None };
            if self.take_up(saved, live, context) != Extent::All || self.state != before {
                return;
            }
        }
        let held = match self.state {
            State::New => NameHeld::New,
            State::Live | State::Absent(_) | State::Finishing | State::Over => {
                live.map_or(NameHeld::Nothing, NameHeld::File)
            }
        };
        match (decide_name(held, seen), found) {
            // Files changed their names since this one was found: it will be found by another, and that one has a source.
            (NameVerdict::Arrived, Found::File(_, meta))
                if matches!(self.origin, Origin::Found(_))
                    && self.state == State::New
                    && context.others.hold(meta.id) =>
            {
                self.state = State::Over;
            }
            (NameVerdict::Arrived | NameVerdict::Rotated, Found::File(handle, meta)) => {
                let begins = self.state == State::New && self.origin != Origin::Resumed;
                let extent = self.arrive(handle, &meta, context);
                if extent == Extent::All && begins {
                    // Nothing that came before is asked for.
                    self.beside.saw_name(at);
                } else if extent == Extent::All {
                    self.looking = Some(at);
                }
            }
            (NameVerdict::Same, _) => {
                self.looking = Some(at);
                self.settle(backlog, Standstill::Same, context);
            }
            (NameVerdict::Gone, Found::Error(error)) => {
                // It may have meant a file and mean nothing again. What can't be had now comes with the next look.
                let missed = self.may_have_missed(None, context.options);
                let held = self.members.len();
                let extent = if missed { self.catch_up(None, None, context) } else { Extent::All };
                if extent == Extent::All {
                    // Events of what was just found may be on the way.
                    let backlog = if self.members.len() > held { Backlog::Unknown } else { backlog };
                    self.settle(backlog, Standstill::Missing, context);
                }
                if self.state == State::New && self.origin == Origin::Named {
                    self.beside.saw_name(at);
                    self.look_around(None, context);
                }
                if extent == Extent::All {
                    self.looking = Some(at);
                }
                self.absent(Absence::Missing, Some(error), context);
            }
            (NameVerdict::Blocked, Found::Error(error)) if is_shortage(&error) && context.can_make_room => {
                context.wants.push(Want::Room);
            }
            (NameVerdict::Blocked, Found::Error(error)) => {
                self.turnover.forget();
                self.absent(Absence::Errno(error.raw_os_error()), Some(error), context);
            }
            (NameVerdict::Blocked | NameVerdict::Refused, Found::Kind(kind, error)) => {
                self.turnover.forget();
                self.absent(Absence::Untailable(kind), error, context);
            }
            // The remaining pairs are what it meant before.
            _ => {}
        }
    }

    /// The name means a file that it didn't mean before. Those that it meant in between come first; unless these are
    /// all held, the name is to be looked at again.
    fn arrive(&mut self, mut handle: Box<dyn Handle>, meta: &Meta, context: &mut Context<'_>) -> Extent {
        if let Some(resting) = self.resting.take_if(|resting| resting.file() == meta.id) {
            self.state = State::Live;
            self.go_on(resting, handle, meta, context);
            self.come_back(meta.id);
            return Extent::All;
        }
        let held = self.members.iter().any(|member| member.file() == meta.id);
        let resumed = (self.state, self.origin) == (State::New, Origin::Resumed)
            && self.affairs.closed.iter().any(|closed| closed.id == meta.id);
        if !held && !resumed && self.may_have_missed(Some(meta.id), context.options) {
            let mut extent = self.catch_up(Some(meta.id), Some(&*handle), context);
            let means_it = || self.name.means(context.files).is_ok_and(|means| means == Some(meta.id));
            if extent == Extent::Short && means_it() {
                // The directory can be listed with the descriptor that the new file has.
                drop(handle);
                extent = self.catch_up(Some(meta.id), None, context);
                match self.name.open(context.files) {
                    Ok(again) if again.meta().is_ok_and(|again| again.id == meta.id) => handle = again,
                    _ => return Extent::Short,
                }
            }
            if extent != Extent::All {
                // Its name may mean another one when it is looked at again.
                self.arriving = Some(Box::new((handle, *meta)));
                return extent;
            }
        }
        if self.state == State::New {
            self.look_around(Some(meta.id), context);
        }
        let arrival = match self.state {
            State::New if resumed => Arrival::Resumed,
            State::New => match self.origin {
                Origin::Named => Arrival::First,
                Origin::Resumed => self.newest().map_or(Arrival::Appeared, Arrival::Replaced),
                Origin::Found(arrival) => arrival,
            },
            State::Live => self.files().last().map_or(Arrival::Appeared, Arrival::Replaced),
            State::Absent(Absence::Missing) => Arrival::Appeared,
            State::Absent(_) | State::Finishing | State::Over => Arrival::Accessible,
        };
        match (self.following, self.state) {
            // It is watched, or will be before it is looked at again.
            (_, State::New) if !self.name.is_link() => {}
            // The way to the name may lead elsewhere than where it was watched.
            (Following::Name, _) => context.wants.push(Want::Name(self.id)),
            (Following::Descriptor, State::Absent(_)) => context.wants.push(Want::Forget(self.id)),
            _ => {}
        }
        self.state = State::Live;
        if self.come_back(meta.id) {
            return Extent::All;
        }
        if self.closed_files(context).iter().any(|closed| closed.id == meta.id) {
            self.turnover.returned();
        } else {
            self.turnover.took(1);
        }
        let place = match self.following {
            Following::Name if self.name.is_link() => handle.location().map(Place::At),
            Following::Name => context.places.of(self.name.path(), context.files),
            Following::Descriptor | Following::Nothing => None,
        };
        self.take(handle, meta, arrival, context);
        if let Some(live) = self.members.back_mut() {
            live.is_at(place);
        }
        Extent::All
    }

    /// At the end, what was found is read, whatever came before it.
    pub(super) fn take_arriving(&mut self, context: &mut Context<'_>) {
        let ends = matches!(self.state, State::Finishing | State::Over);
        let Some(arriving) = self.arriving.take_if(|_| ends) else { return };
        let (handle, meta) = *arriving;
        self.take(handle, &meta, Arrival::Appeared, context);
        if self.state == State::Finishing {
            self.members.iter_mut().for_each(Member::limit_to_now);
        }
    }

    /// Has an open file be the newest generation again; false if it isn't open.
    fn come_back(&mut self, file: FileId) -> bool {
        let index = self.members.iter().position(|member| member.file() == file);
        let Some(member) = index.and_then(|index| self.members.remove(index)) else { return false };
        self.turnover.returned();
        self.affairs.pending.extend(member.returned());
        self.latest = Some(file);
        self.members.push_back(member);
        true
    }

    /// Holds an open file as the newest generation.
    pub(super) fn take(&mut self, handle: Box<dyn Handle>, meta: &Meta, arrival: Arrival, context: &mut Context<'_>) {
        let file_system = handle.file_system();
        let reading = match meta.kind {
            FileKind::Regular if file_system.is_some_and(is_made_up) => Reading::Unproven,
            FileKind::Regular => Reading::Anchored,
            FileKind::BlockDevice => Reading::Unproven,
            _ => Reading::Sequential,
        };
        let closed = self.closed_files(context);
        let known = closed.iter().rposition(|closed| closed.id == meta.id);
        let generation = match known.and_then(|index| closed.remove(index)) {
            Some(closed) => Generation::reopened(handle, meta, context.options, closed),
            None => Generation::new(handle, meta, reading, context.options),
        };
        let arrival = if known.is_some() && arrival != Arrival::Resumed { Arrival::Returned } else { arrival };
        let member = Member::pinned(generation, arrival, context.now);
        if self.following != Following::Nothing && reading != Reading::Sequential {
            context.wants.extend(member.want_appends(self.id));
        }
        // Most have one file all the time, and that is what takes most memory.
        self.members.reserve_exact(1);
        self.members.push_back(member);
    }

    /// The files that were let go and may come back. A file that another name meant is new under this one; to a pattern
    /// it is the same.
    pub(super) fn closed_files<'a>(&'a mut self, context: &'a mut Context<'_>) -> &'a mut VecDeque<Closed> {
        match self.origin {
            Origin::Named | Origin::Resumed => &mut self.affairs.closed,
            Origin::Found(_) => context.closed,
        }
    }

    /// The name means nothing that can be followed.
    pub(super) fn absent(&mut self, absence: Absence, error: Option<io::Error>, context: &mut Context<'_>) {
        let since = match self.state {
            State::New => Since::Start,
            State::Live => Since::Change,
            State::Absent(_) | State::Finishing | State::Over => Since::Still,
        };
        let options = context.options;
        let waiting = match (self.following, options.retry, since, absence) {
            (Following::Nothing, ..) | (Following::Descriptor, _, _, Absence::Untailable(_)) => false,
            // A name that was followed is taken up again, with or without retry, while other files are followed.
            (_, Retry::Always, ..)
            | (Following::Name, Retry::Never, Since::Change | Since::Still, Absence::Missing | Absence::Errno(_)) => {
                true
            }
            _ => false,
        };
        let outlook = if waiting { Outlook::Waiting } else { Outlook::GivenUp };
        if self.state != State::Absent(absence) {
            self.affairs.pending.push_back(match (absence, error) {
                (Absence::Untailable(kind), error) => Happening::Untailable { kind, error, since, outlook },
                (_, error) => Happening::Inaccessible {
                    error: error.unwrap_or_else(|| io::Error::from(ErrorKind::NotFound)),
                    since,
                    outlook,
                },
            });
        }
        let watched = match since {
            Since::Start => false,
            Since::Change => self.following == Following::Name,
            Since::Still => true,
        };
        if waiting && !watched && !matches!(self.origin, Origin::Found(_)) {
            // It isn't watched yet, or no further than itself; once it is, it is looked at again. What a pattern has found
            // is looked for by that.
            context.wants.push(Want::Name(self.id));
        }
        self.state = if waiting { State::Absent(absence) } else { State::Over };
        if waiting && absence != Absence::Missing {
            // Nothing announces that permission was given or a disk came back.
            self.affairs.name_again = Some(context.now + RETRY);
        }
        if !waiting {
            context.wants.push(Want::Forget(self.id));
        }
    }
}
