//! What of a source went by unseen: between two looks at its name, before a cut, and since an earlier tail ended.

use std::io;
use std::time::{Instant, SystemTime};

use super::resting::Resting;
use super::{Affairs, FirstSight, Origin, REMEMBERED, Source};
use crate::tail::beside::{Beside, Chain, EarlierRun, Extent, Place, find_saved};
use crate::tail::event::{Arrival, Happening, Loss, Outlook, SourceId};
use crate::tail::failures::Failures;
use crate::tail::files::{FileId, Handle, Meta};
use crate::tail::generation::{Closed, Look};
use crate::tail::lineage::Sibling;
use crate::tail::lines::Framing;
use crate::tail::member::{Copy, Member, Progress, Role, Turn};
use crate::tail::name::State;
use crate::tail::options::{Following, Lineage, Options, Rewriting};
use crate::tail::position::{Copied, Position, Resume};
use crate::tail::seldom::Seldom;
use crate::tail::step::{Context, RETRY, Want};
use crate::tail::turnover::{Backlog, Settled, Standstill};
use crate::wake::Arrivals;

impl Source {
    /// A source for a name that an earlier tail has followed.
    pub(crate) fn resumed(id: SourceId, saved: Resume, following: Following, now: Instant) -> Self {
        let path = saved.path.clone();
        let affairs = Affairs { saved: Some(saved), ..Affairs::NONE }.into();
        Self { origin: Origin::Resumed, affairs, ..Self::named(id, path, following, now) }
    }

    /// A source for a file that a pattern of an earlier tail has found.
    pub(crate) fn resumed_found(id: SourceId, saved: Resume, following: Following, now: Instant) -> Self {
        let path = saved.path.clone();
        let found = Self::found(id, path, Arrival::Resumed, FirstSight::default(), now);
        let following = if following == Following::Nothing { following } else { found.following };
        let affairs = Affairs { saved: Some(saved), ..Affairs::NONE }.into();
        Self { following, affairs, ..found }
    }

    /// Proves for later that a file was read up to an offset; `None` if that can't be proved.
    pub(crate) fn prove(&self, file: FileId, run: u64, offset: u64) -> Option<Position> {
        if let Some(resting) = self.resting.as_ref().filter(|resting| resting.file() == file) {
            return resting.prove(run, offset);
        }
        self.members.iter().find(|member| member.file() == file)?.prove(run, offset)
    }

    /// When the name was last seen to mean the newest generation, or nothing, and all that it had meant was read.
    pub(crate) fn looked(&self) -> Option<SystemTime> {
        self.affairs.saved.as_ref().map_or_else(|| self.beside.looked(), |saved| saved.looked)
    }

    /// Files that are dealt with, and not older than those that are held.
    pub(crate) fn known(&self) -> Vec<FileId> {
        if let Some(saved) = &self.affairs.saved {
            return saved.known.clone();
        }
        let oldest = self.files().next().or_else(|| self.newest());
        let closed = self.affairs.closed.iter().map(|closed| closed.id);
        let mut known: Vec<_> = self.beside.known().chain(closed).collect();
        known.retain(|file| {
            let held = self.files().any(|held| held == *file);
            // From a copy that is being read, a later tail may have to begin anew.
            let read = self
                .members
                .iter()
                .any(|member| member.recovers_from(*file) || self.beside.found_in(member.file()) == Some(*file));
            !held && !read && file.birth >= oldest.and_then(|oldest| oldest.birth)
        });
        known.sort_unstable();
        known.dedup();
        known
    }

    /// Copies that are dealt with, as they were then.
    pub(crate) fn copies(&self) -> Vec<Copied> {
        if let Some(saved) = &self.affairs.saved {
            return saved.copies.clone();
        }
        let is_read = |copy: &Copied| self.members.iter().any(|member| member.recovers_from(copy.file));
        self.beside.copies().filter(|copy| !is_read(copy)).collect()
    }

    /// Remembers what a file was before it was cut.
    pub(super) fn remember_cut(&mut self, happening: &Happening) {
        if let Happening::Rewritten { position: Some(position), .. } = happening {
            let cut = &mut self.affairs.cut;
            if cut.len() == REMEMBERED {
                cut.remove(0);
            }
            cut.push(Closed::from(position));
        }
    }

    /// Whether the name, which means the `live` file now, may have meant others that nobody saw.
    pub(super) fn may_have_missed(&self, live: Option<FileId>, options: &Options) -> bool {
        options.lineage == Lineage::Find
            && match (self.origin, self.state) {
                (Origin::Resumed, State::New) => true,
                (Origin::Found(Arrival::Appeared), State::New) => {
                    self.affairs.seen.is_none() || self.affairs.seen != live
                }
                (_, State::New) => false,
                // Those who look after its name have found it to mean another file, or none.
                (Origin::Found(_), _) => self.following != Following::Nothing,
                (Origin::Named | Origin::Resumed, _) => self.following == Following::Name,
            }
    }

    /// Remembers what stands beside the name at the start: no later generation is among that.
    pub(super) fn look_around(&mut self, live: Option<FileId>, context: &Context<'_>) {
        if self.origin == Origin::Named && self.looks_beside(context.options) {
            let failures = Failures::passed_over();
            let (beside, chain) = self.beside(&failures, context);
            beside.look_around(&chain, live);
        }
    }

    /// Counts the last look at the name once all that it had meant until then was read to its end. Until then, what is
    /// delivered, and saved by whoever saves that, may be older than the look.
    pub(super) fn count_look(&mut self) {
        if self.members.iter().all(Member::is_read_out)
            && let Some(at) = self.looking.take()
        {
            self.beside.saw_name(at);
        }
    }

    /// Whether what stands beside the name has to do with it.
    fn looks_beside(&self, options: &Options) -> bool {
        let named = self.following == Following::Name || self.origin != Origin::Named;
        named && options.lineage == Lineage::Find
    }

    /// Holds the generations that went by unseen since the newest one known, up to the `live` one that the name means
    /// now. Unless these are all, the name is looked at again, and the live one is to wait until then.
    pub(super) fn catch_up(
        &mut self,
        live: Option<FileId>,
        arriving: Option<&dyn Handle>,
        context: &mut Context<'_>,
    ) -> Extent {
        let last = self.newest();
        let failures = match (last.or(live), self.state) {
            (Some(_), _) | (None, State::Finishing) => self.failures(context),
            // Nothing has to wait for this, and what was passed over could not even be told.
            (None, _) => Failures::since(None, context.now),
        };
        let (beside, chain) = self.beside(&failures, context);
        let unseen = beside.unseen(&Chain { arriving, ..chain }, last, live);
        let asked = unseen.unknown.map(|Sibling { path, id, .. }| Want::Compare(self.id, path, id));
        context.wants.extend(asked);
        self.has_searched(unseen.extent, &failures, last.or(live), context);
        self.lose_unreadable(&unseen.unreadable);
        let unread = unseen.unreadable.len() + unseen.doubtful.len() + unseen.empty;
        self.turnover.took(unseen.opened.len() + unread);
        for file in unseen.doubtful {
            self.affairs.pending.push_back(Happening::Lost { file, range: None, reason: Loss::Doubtful });
            self.beside.know(file);
        }
        if !unseen.opened.is_empty() {
            self.affairs.pending.push_back(Happening::FoundUnseen { files: unseen.opened.len() });
        }
        for (handle, meta) in unseen.opened {
            self.take(handle, &meta, Arrival::Unseen, context);
        }
        self.come_back_for(unseen.extent, context);
        unseen.extent
    }

    /// Files that belong to the name can't be opened: all that stands in them is lost.
    fn lose_unreadable(&mut self, siblings: &[Sibling]) {
        for Sibling { id: file, size, .. } in siblings {
            self.affairs.pending.push_back(Happening::Lost {
                file: *file,
                range: Some(0..*size),
                reason: Loss::Unreadable,
            });
            self.beside.know(*file);
        }
    }

    /// The name means nothing any more: holds what it may have meant since the newest one known.
    pub(super) fn catch_up_with_left(&mut self, context: &mut Context<'_>) {
        if self.may_have_missed(None, context.options) {
            self.catch_up(None, None, context);
        }
    }

    /// What is known of the files beside the name, and what that is to be compared with.
    fn beside<'a>(&'a mut self, failures: &'a Failures, context: &'a Context<'_>) -> (&'a mut Beside, Chain<'a>) {
        let Self { beside, name, members, resting, affairs, origin, .. } = self;
        let affairs: &Seldom<Affairs> = affairs;
        let others = matches!(origin, Origin::Found(_)).then_some((context.others, &*context.closed));
        let (files, interrupt, pins) = (context.files, context.interrupt, context.others.pins);
        let resting = resting.as_deref().map(Resting::closed);
        let Affairs { closed, cut, .. } = &**affairs;
        (
            beside,
            Chain { files, name, members, resting, closed, cut, others, pins, interrupt, failures, arriving: None },
        )
    }

    /// What a search beside the name is to do about failures.
    fn failures(&self, context: &Context<'_>) -> Failures {
        match self.state {
            State::Finishing => Failures::passed_over(),
            _ => Failures::since(self.affairs.searching_since, context.now),
        }
    }

    /// A search for files that followed this one, or are copies of it, has come to an end, or is to be made again. What it
    /// has passed over is lost, and how much that is nobody knows.
    fn has_searched(&mut self, extent: Extent, failures: &Failures, of: Option<FileId>, context: &Context<'_>) {
        if extent != Extent::All {
            self.affairs.searching_since.get_or_insert(context.now);
            return;
        }
        self.affairs.present().into_iter().for_each(|affairs| affairs.searching_since = None);
        if failures.has_passed_over()
            && let Some(file) = of
        {
            self.affairs.pending.push_back(Happening::Lost { file, range: None, reason: Loss::Unreadable });
        }
    }

    /// No search beside the name will be made again: what it was to find is lost. What an earlier tail has left is still
    /// there for a later one.
    pub(super) fn end_search(&mut self) {
        // What was cut is sought once more.
        if self.affairs.present().and_then(|affairs| affairs.searching_since.take()).is_none()
            || self.members.iter().any(Member::is_cut)
        {
            return;
        }
        if let Some(file) = self.newest() {
            self.affairs.pending.push_back(Happening::Lost { file, range: None, reason: Loss::Unreadable });
        } else if let Some(Position { file, .. }) = self.affairs.saved.as_ref().and_then(|saved| saved.files.last()) {
            let file = *file;
            let error = io::Error::other("it could not be looked for");
            self.affairs.pending.push_back(Happening::ReadFailed { file, error, outlook: Outlook::GivenUp });
        }
    }

    /// Has the name looked at again soon if not all files could be had.
    fn come_back_for(&mut self, extent: Extent, context: &mut Context<'_>) {
        if extent == Extent::Short && context.can_make_room {
            context.wants.push(Want::Room);
        }
        if extent != Extent::All {
            self.inspect_later(context);
        }
    }

    /// Events have told how often files have come under the name.
    pub(crate) fn note_arrivals(&mut self, arrivals: Arrivals, backlog: Backlog) {
        self.turnover.told(arrivals, backlog);
    }

    /// Events were lost.
    pub(crate) fn forget_arrivals(&mut self, wants: &mut Vec<Want>) {
        self.turnover.forget();
        if self.following == Following::Name {
            wants.push(Want::Arrivals(self.id));
        }
    }

    /// Says how many files came and went unseen, at a look that took up nothing, or has all events heard before the next
    /// one. A name that is a link may mean another file without any coming under a name.
    pub(super) fn settle(&mut self, backlog: Backlog, found: Standstill, context: &mut Context<'_>) {
        let is_counted = self.may_have_missed(None, context.options) && !matches!(self.origin, Origin::Found(_));
        if !is_counted || self.name.is_link() {
            return;
        }
        match self.turnover.settle(backlog, found) {
            Settled::Unseen(0) => {}
            // By one of them it may have come under this name again, and gone.
            Settled::Unseen(_) if self.members.iter().any(Member::has_other_names) => {}
            Settled::Unseen(files) => self.affairs.pending.push_back(Happening::CameAndWent { files }),
            Settled::Later => context.wants.push(Want::Arrivals(self.id)),
        }
    }

    /// The newest generation known.
    pub(super) fn newest(&self) -> Option<FileId> {
        self.files().last().or_else(|| self.affairs.closed.back().map(|closed| closed.id))
    }

    /// The copy that was made of a file before that was cut, if there is one.
    ///
    /// # Errors
    /// When that isn't known yet.
    pub(super) fn copy_of(&mut self, before: &Closed, context: &mut Context<'_>) -> Result<Option<Copy>, Extent> {
        if !self.looks_beside(context.options) {
            return Ok(None);
        }
        let failures = self.failures(context);
        let (beside, chain) = self.beside(&failures, context);
        let found = match beside.copy_of(before, &chain) {
            // The file goes on: what would come too late is none.
            Err(_) if !failures.wait() => Ok(None),
            found => found,
        };
        let extent = found.as_ref().map_or_else(|extent| *extent, |_| Extent::All);
        if extent == Extent::Short && context.can_make_room {
            context.wants.push(Want::Room);
        }
        self.has_searched(extent, &failures, Some(before.id), context);
        found
    }

    /// Something stirs in the file of the member at the cursor, of whose run nothing had been read. Before that is
    /// taken, runs of the file that went by unseen come from their copies.
    pub(super) fn begin_run(
        &mut self,
        look: Look,
        role: Role,
        framing: Framing,
        context: &mut Context<'_>,
    ) -> Progress {
        let newest = self.cursor + 1 == self.members.len();
        // Before the copies are looked for: one is made before a cut.
        let discerning = context.options.rewriting == Rewriting::Discern;
        let cut_unread = self.members[self.cursor].cut_unread().filter(|_| discerning);
        let before = self.members[self.cursor].read_before(context.files.now());
        let (mut earlier, mut unanswered) = (EarlierRun::default(), false);
        if newest && self.looks_beside(context.options) {
            let waits = role == Role::Current && self.following == Following::Name;
            let ends = self.state == State::Finishing;
            let failures = if waits || ends { self.failures(context) } else { Failures::passed_over_but_silence() };
            let (beside, chain) = self.beside(&failures, context);
            earlier = beside.earlier_run(&chain);
            let file = self.members[self.cursor].file();
            self.has_searched(earlier.extent, &failures, Some(file), context);
            unanswered = failures.has_met_silence() || earlier.unknown.is_some();
        }
        let asked = earlier.unknown.map(|Sibling { path, id, .. }| Want::Compare(self.id, path, id));
        context.wants.extend(asked);
        self.lose_unreadable(&earlier.unreadable);
        let member = &mut self.members[self.cursor];
        earlier.live.iter().for_each(|meta| member.saw(meta));
        if let Some(copy) = earlier.copy {
            let (_, happenings) = match member.place(&copy, before) {
                Err(_) if role == Role::Current && member.is_patient(context.now) => {
                    self.beside.put_back(copy.id);
                    member.keep_for_later(&look, context.buffer, before);
                    return Progress::Rest(Some(context.now + RETRY));
                }
                Ok(Turn::Earlier) | Err(_) => {
                    member.keep_for_later(&look, context.buffer, before);
                    member.go_back(copy, &mut self.runs)
                }
                Ok(Turn::Present) => member.begin_with(copy, &mut self.runs),
                Ok(Turn::Later) => {
                    self.beside.put_back(copy.id);
                    (None, Vec::new())
                }
            };
            if !happenings.is_empty() {
                return Progress::Happened(happenings);
            }
        }
        // Where the name is not looked at any more, it may mean whatever it likes.
        let is_looked_at = role == Role::Current && self.following == Following::Name;
        if earlier.extent != Extent::All && (is_looked_at || unanswered) {
            member.keep_for_later(&look, context.buffer, before);
            if is_looked_at {
                self.come_back_for(earlier.extent, context);
            }
            return Progress::Rest(Some(context.now + RETRY));
        }
        if let Some(size) = cut_unread.filter(|_| !member.has_lost_its_place()) {
            member.keep_for_later(&look, context.buffer, before);
            let (_, happenings) = member.pass_over(size, &mut self.runs);
            return Progress::Happened(happenings);
        }
        member.settle();
        member.act_on(look, context, role, framing)
    }

    /// Holds the files of an earlier tail, wherever they are now; the one that the name means, `live`, comes with a look
    /// at that. Unless all could be looked for, nothing has happened, and the name is to be looked at again.
    pub(super) fn take_up(&mut self, saved: Resume, live: Option<FileId>, context: &mut Context<'_>) -> Extent {
        self.beside = Beside::resumed(saved.looked, &saved.known, &saved.copies);
        let mut places = Vec::new();
        // What is proved by bytes that were read can't be taken for what nothing was read of.
        let mut order: Vec<_> = (0..saved.files.len()).collect();
        order.sort_by_key(|index| saved.files[*index].offset == 0);
        let failures = self.failures(context);
        for index in order {
            let before = Closed::from(&saved.files[index]);
            let (beside, chain) = self.beside(&failures, context);
            let place = match live {
                Some(live) if live == before.id => Ok(Place::Live),
                _ => find_saved(beside, &before, &saved.files, &chain),
            };
            match place {
                Ok(place) => places.push((index, before, place)),
                Err(extent) => {
                    self.has_searched(extent, &failures, None, context);
                    self.affairs.saved = Some(saved);
                    self.come_back_for(extent, context);
                    return extent;
                }
            }
        }
        self.affairs.present().into_iter().for_each(|affairs| affairs.searching_since = None);
        places.sort_by_key(|(index, ..)| *index);
        let is_live = places.iter().any(|(.., place)| matches!(place, Place::Live));
        for (_, before, place) in places {
            let (file, offset, size) = (before.id, before.offset, before.size);
            if matches!(self.origin, Origin::Found(_)) {
                self.affairs.closed.push_back(before.clone());
            }
            self.closed_files(context).push_back(before);
            let reason = match place {
                Place::Live => continue,
                Place::Here(handle, meta) => {
                    self.take(handle, &Meta { id: file, ..meta }, Arrival::Resumed, context);
                    continue;
                }
                Place::Unreadable => Loss::Unreadable,
                Place::Gone => Loss::Gone,
            };
            let range = (size > offset).then_some(offset..size);
            self.affairs.pending.push_back(Happening::Lost { file, range, reason });
        }
        if matches!(self.origin, Origin::Found(_)) && !is_live {
            // Whatever has its name now is another file to the pattern.
            self.state = if self.members.is_empty() { State::Over } else { State::Live };
        }
        Extent::All
    }
}
