//! One followed name, and the files it has meant.
//!
//! A [`Source`] looks at its name, keeps the generations (oldest first) and reads them in order: a newer one
//! only after the older ones were read to their end once more, and not while an older one's last line may still
//! be finished. It decides nothing about rewriting or rotation (`decide` does), knows nothing of other sources,
//! and never waits.

mod past;
mod resting;

use std::collections::VecDeque;
use std::io::{self, ErrorKind};
use std::os::fd::BorrowedFd;
use std::path::{Path, PathBuf};
use std::time::{Instant, SystemTime};

use self::resting::Resting;
use super::beside::{Beside, Extent};
use super::decide::{NameHeld, NameSeen, NameVerdict, decide_name};
use super::event::{Arrival, Happening, Outlook, Since, SourceId};
use super::files::{FileId, FileKind, Handle, Meta};
use super::generation::{Closed, Generation, Reading};
use super::lines::Framing;
use super::member::{Again, Member, Progress, Role};
use super::name::{Absence, Found, Name, State, is_shortage};
use super::options::{Following, Looks, ReadErrors, Retry};
use super::position::Resume;
use super::step::{Context, Delivery, Due, RETRY, Step, Want};
use crate::wake::is_made_up;

/// How many files that were let go are remembered, so that one that gets its name back is not repeated: by a named
/// source, and for all that patterns find.
const REMEMBERED: usize = 4;
const REMEMBERED_BY_ALL: usize = 256;

#[derive(Debug)]
pub(crate) struct Source {
    id: SourceId,
    name: Name,
    following: Following,
    origin: Origin,
    state: State,
    members: VecDeque<Member>,
    /// The only file, if it is closed for the time being.
    resting: Option<Resting>,
    /// Which member is to be read next.
    cursor: usize,
    closed: VecDeque<Closed>,
    /// The file that began, or got its name back, last.
    latest: Option<FileId>,
    beside: Beside,
    /// When the name was last looked at, unless that counts already.
    looking: Option<SystemTime>,
    /// What an earlier tail has left, to be taken up with the first look.
    saved: Option<Resume>,
    pending: VecDeque<Happening>,
    due: Due,
    /// How many rounds of polling in a row have found nothing.
    quiet_rounds: u64,
    runs: u64,
    /// When something new was last found.
    changed: Instant,
    /// When the name wants to be looked at without having been woken, regular polling aside.
    name_again: Option<Instant>,
    /// The same for the open files.
    files_again: Option<Instant>,
    /// Whether a newer file than those it has was found under its name.
    has_heir: bool,
}

impl Source {
    /// A source for a name, which is looked at when it is first stepped.
    pub(crate) fn named(id: SourceId, path: PathBuf, following: Following, now: Instant) -> Self {
        Self {
            id,
            name: Name::new(path),
            following,
            origin: Origin::Named,
            state: State::New,
            members: VecDeque::new(),
            resting: None,
            cursor: 0,
            closed: VecDeque::new(),
            latest: None,
            beside: Beside::default(),
            looking: None,
            saved: None,
            pending: VecDeque::new(),
            due: Due::NameAndFiles,
            quiet_rounds: 0,
            runs: 0,
            changed: now,
            name_again: None,
            files_again: None,
            has_heir: false,
        }
    }

    /// A source for a file that a pattern has found: its name serves to open it and to speak of it.
    pub(crate) fn found(id: SourceId, path: PathBuf, arrival: Arrival, now: Instant) -> Self {
        Self { origin: Origin::Found(arrival), ..Self::named(id, path, Following::Descriptor, now) }
    }

    /// A source for a file that is open already and whose name is not to be looked at: standard input.
    pub(crate) fn opened(id: SourceId, path: PathBuf, handle: Box<dyn Handle>, context: &mut Context<'_>) -> Self {
        let following = match context.options.following {
            Following::Name => Following::Descriptor,
            other => other,
        };
        let mut source = Self::named(id, path, following, context.now);
        match handle.meta() {
            Ok(meta) => {
                if handle.is_stdin() && matches!(meta.kind, FileKind::Fifo | FileKind::Socket) {
                    // No other writer can come once these have left.
                    source.following = Following::Nothing;
                }
                source.take(handle, &meta, Arrival::First, context);
                source.state = State::Live;
            }
            Err(error) => {
                // There is no name by which it could be found one day.
                source.following = Following::Nothing;
                source.absent(Absence::Errno(error.raw_os_error()), Some(error), context);
            }
        }
        source.due = Due::Files;
        source
    }

    pub(crate) fn path(&self) -> &Path {
        self.name.path()
    }

    /// The name, and the file that is being read.
    pub(crate) fn reading(&mut self) -> Option<(&Path, &mut Member)> {
        Some((self.name.path(), self.members.get_mut(self.cursor)?))
    }

    /// Whether nothing more will come of it.
    pub(crate) fn is_over(&self) -> bool {
        let empty = self.members.is_empty() && self.resting.is_none() && self.pending.is_empty();
        matches!(self.state, State::Over | State::Finishing) && empty
    }

    /// Whether it has a file that may bring more, or has not been looked at yet.
    pub(crate) fn has_files(&self) -> bool {
        self.state == State::New || !self.members.is_empty()
    }

    /// Whether its name is looked at, now or if it should be there one day.
    pub(crate) fn needs_name(&self) -> bool {
        match self.state {
            State::Over | State::Finishing => false,
            State::Live => self.following == Following::Name,
            State::New | State::Absent(_) => self.following != Following::Nothing,
        }
    }

    /// Whether what was there at the start has been delivered.
    pub(crate) fn past_start(&self) -> bool {
        self.state != State::New && self.pending.is_empty() && self.members.iter().all(Member::past_start)
    }

    /// Whether its name means a file that is open.
    pub(crate) fn is_live(&self) -> bool {
        self.state == State::Live
    }

    /// Whether it reads a pipe or device.
    pub(crate) fn is_sequential(&self) -> bool {
        self.members.back().is_some_and(Member::is_sequential)
    }

    /// The descriptor of the pipe or device that is being read, if any.
    pub(crate) fn readable(&self) -> Option<BorrowedFd<'_>> {
        self.members.back().filter(|member| member.is_sequential()).and_then(Member::handle_fd)
    }

    /// The open files, oldest first.
    pub(crate) fn members(&self) -> impl Iterator<Item = &Member> {
        self.members.iter()
    }

    /// The files that it has, open or closed for the time being.
    pub(crate) fn files(&self) -> impl Iterator<Item = FileId> {
        self.members.iter().map(Member::file).chain(self.resting.as_ref().map(Resting::file))
    }

    /// Whether it is to go on before others do: there is more to report, or a line of which a part was delivered.
    pub(crate) fn keeps_the_floor(&self) -> bool {
        !self.pending.is_empty() || self.members.get(self.cursor).is_some_and(Member::is_within_line)
    }

    /// Why it was given up, if that has yet to be reported.
    pub(crate) fn given_up(&self) -> Option<&Happening> {
        self.pending.iter().find(|what| {
            matches!(
                what,
                Happening::Inaccessible { outlook: Outlook::GivenUp, .. }
                    | Happening::Untailable { outlook: Outlook::GivenUp, .. }
            )
        })
    }

    /// Whether something is due.
    pub(crate) fn is_due(&self) -> bool {
        self.due != Due::Nothing || !self.pending.is_empty()
    }

    /// When something new was last found.
    pub(crate) fn changed(&self) -> Instant {
        self.changed
    }

    /// When it wants to be looked at without having been woken, regular polling aside.
    pub(crate) fn next_look(&self) -> Option<Instant> {
        [self.name_again, self.files_again].into_iter().flatten().min()
    }

    /// Asks for a look at the next step.
    pub(crate) fn mark(&mut self, due: Due) {
        self.due = self.due.max(due);
        self.cursor = 0;
        if let Some(resting) = self.resting.as_mut().filter(|_| due == Due::Files) {
            resting.note_write();
        }
    }

    /// Goes on until there is something to report; `None` if nothing is due any more.
    pub(crate) fn step(&mut self, context: &mut Context<'_>) -> Option<Step> {
        loop {
            if let Some(happening) = self.pending.pop_front() {
                return Some(Step::Happened(happening));
            }
            match self.due {
                Due::NameAndFiles => self.attend(context),
                Due::Files | Due::Round => {
                    self.wake_up(context);
                    let step = self.read(context);
                    if self.cursor >= self.members.len() {
                        self.count_look();
                    }
                    if step.is_some() || !self.pending.is_empty() {
                        self.quiet_rounds = 0;
                        self.due = self.due.min(Due::Files);
                    }
                    if step.is_some() {
                        return step;
                    }
                    if self.cursor >= self.members.len() {
                        self.due = if self.due == Due::Round { self.end_round(context) } else { Due::Nothing };
                    }
                }
                Due::Nothing => return None,
            }
        }
    }

    /// What is due at the end of a round of polling that has found nothing.
    fn end_round(&mut self, context: &Context<'_>) -> Due {
        match context.options.looks {
            Looks::AfterQuietRounds(most) if self.quiet_rounds < most => {
                self.quiet_rounds += 1;
                Due::Nothing
            }
            Looks::AfterQuietRounds(_) | Looks::EachRound => {
                self.quiet_rounds = 0;
                Due::NameAndFiles
            }
        }
    }

    /// Looks at the name if that is due, and takes hold of what it means, without reading anything.
    pub(crate) fn attend(&mut self, context: &mut Context<'_>) {
        if self.due == Due::NameAndFiles {
            self.due = Due::Files;
            self.cursor = 0;
            if std::mem::take(&mut self.has_heir) || self.needs_name() || self.state == State::New {
                self.name_again = None;
                self.inspect(context);
            }
        }
    }

    /// Compares what the name means with what it meant.
    fn inspect(&mut self, context: &mut Context<'_>) {
        let live = self.members.back().filter(|_| self.state == State::Live).map(Member::file);
        let at = context.files.now();
        let (seen, found) = self.name.look(context.files, live);
        // What can't be reached now is not gone: it is taken up when it can.
        if let Some(saved) = self.saved.take_if(|_| seen != NameSeen::Inaccessible) {
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
            (NameVerdict::Same, _) => self.looking = Some(at),
            (NameVerdict::Gone, Found::Error(error)) => {
                // It may have meant a file and mean nothing again. What can't be had now comes with the next look.
                let missed = self.may_have_missed(context.options);
                let extent = if missed { self.catch_up(None, context) } else { Extent::All };
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
                self.absent(Absence::Errno(error.raw_os_error()), Some(error), context);
            }
            (NameVerdict::Blocked | NameVerdict::Refused, Found::Kind(kind, error)) => {
                self.absent(Absence::Untailable(kind), error, context);
            }
            // The remaining pairs are what it meant before.
            _ => {}
        }
    }

    /// The name means a file that it didn't mean before. Those that it meant in between come first; unless these are
    /// all held, the name is to be looked at again.
    fn arrive(&mut self, mut handle: Box<dyn Handle>, meta: &Meta, context: &mut Context<'_>) -> Extent {
        let held = self.members.iter().any(|member| member.file() == meta.id);
        let resumed = (self.state, self.origin) == (State::New, Origin::Resumed)
            && self.closed.iter().any(|closed| closed.id == meta.id);
        if !held && !resumed && self.may_have_missed(context.options) {
            let mut extent = self.catch_up(Some(meta.id), context);
            if extent == Extent::Short {
                // The directory can be listed with the descriptor that the new file has.
                drop(handle);
                extent = self.catch_up(Some(meta.id), context);
                match self.name.open(context.files) {
                    Ok(again) if again.meta().is_ok_and(|again| again.id == meta.id) => handle = again,
                    _ => return Extent::Short,
                }
            }
            if extent != Extent::All {
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
            State::Live => self.members.back().map_or(Arrival::Appeared, |live| Arrival::Replaced(live.file())),
            State::Absent(Absence::Missing) => Arrival::Appeared,
            State::Absent(_) | State::Finishing | State::Over => Arrival::Accessible,
        };
        self.state = State::Live;
        if self.following == Following::Name {
            // The way to the name may lead elsewhere than where it was watched.
            context.wants.push(Want::Name(self.id));
        }
        if let Some(index) = self.members.iter().position(|member| member.file() == meta.id)
            && let Some(member) = self.members.remove(index)
        {
            self.pending.extend(member.returned());
            self.latest = Some(member.file());
            self.members.push_back(member);
            return Extent::All;
        }
        let place = if self.following == Following::Name { handle.location() } else { None };
        self.take(handle, meta, arrival, context);
        if let Some(live) = self.members.back_mut() {
            live.is_at(place);
        }
        Extent::All
    }

    /// Holds an open file as the newest generation.
    fn take(&mut self, handle: Box<dyn Handle>, meta: &Meta, arrival: Arrival, context: &mut Context<'_>) {
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
        self.members.push_back(member);
    }

    /// The files that were let go and may come back. A file that another name meant is new under this one; to a pattern
    /// it is the same.
    fn closed_files<'a>(&'a mut self, context: &'a mut Context<'_>) -> &'a mut VecDeque<Closed> {
        match self.origin {
            Origin::Named | Origin::Resumed => &mut self.closed,
            Origin::Found(_) => context.closed,
        }
    }

    /// The name means nothing that can be followed.
    fn absent(&mut self, absence: Absence, error: Option<io::Error>, context: &mut Context<'_>) {
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
            self.pending.push_back(match (absence, error) {
                (Absence::Untailable(kind), error) => Happening::Untailable { kind, error, since, outlook },
                (_, error) => Happening::Inaccessible {
                    error: error.unwrap_or_else(|| io::Error::from(ErrorKind::NotFound)),
                    since,
                    outlook,
                },
            });
        }
        self.state = if waiting { State::Absent(absence) } else { State::Over };
        if waiting && absence != Absence::Missing {
            // Nothing announces that permission was given or a disk came back.
            self.name_again = Some(context.now + RETRY);
        }
        if !waiting {
            context.wants.push(Want::Forget(self.id));
        }
    }

    /// Reads the members in order, from the cursor on.
    fn read(&mut self, context: &mut Context<'_>) -> Option<Step> {
        if self.cursor == 0 {
            self.files_again = None;
        }
        context.source = self.id;
        while self.cursor < self.members.len() && self.pending.is_empty() {
            let role = self.role();
            // While an older file may still bring late lines, these and the newer one's must not tear each other.
            let framing = if self.members.len() > 1 { Framing::Lines } else { context.options.framing };
            let member = &self.members[self.cursor];
            if member.run() == 0
                && let Some(begin) = context.begin_by
            {
                context.start = begin(self.name.path(), member.file());
            }
            let progress = match self.members[self.cursor].advance(context, &mut self.runs, role, framing) {
                Progress::Stirred(look) => self.begin_run(look, role, framing, context),
                progress => progress,
            };
            match progress {
                Progress::Data(delivery) => {
                    self.changed = context.now;
                    return Some(Step::Data(delivery));
                }
                Progress::LastData(delivery, again) => {
                    self.look_again(again);
                    self.cursor += 1;
                    if self.cursor == self.members.len() {
                        self.due = Due::Nothing;
                    }
                    self.changed = context.now;
                    return Some(Step::Data(delivery));
                }
                Progress::DataThen(delivery, happenings) => {
                    self.pending.extend(happenings);
                    self.changed = context.now;
                    return Some(Step::Data(delivery));
                }
                Progress::Began(happenings) => {
                    self.changed = context.now;
                    let rotated = self.rotated();
                    self.pending.extend(rotated.into_iter().chain(happenings));
                }
                Progress::Happened(happenings) => {
                    self.changed = context.now;
                    self.pending.extend(happenings);
                }
                Progress::Cut(cut) => {
                    let copy = self.copy_of(&cut.before, context);
                    let (last, happenings) = self.members[self.cursor].go_on(cut, copy, &mut self.runs);
                    self.pending.extend(happenings);
                    self.changed = context.now;
                    if let Some(last) = last {
                        return Some(Step::Data(last));
                    }
                }
                Progress::Passable(length) => {
                    self.changed = context.now;
                    return Some(Step::Passable(length));
                }
                // What stirred was acted on.
                Progress::Working | Progress::Stirred(_) => {
                    self.changed = context.now;
                    return Some(Step::Working);
                }
                Progress::Failed(error) => return self.failed(error, role, context).map(Step::Data),
                Progress::Rest(again) => {
                    self.look_again(again);
                    self.cursor += 1;
                }
                Progress::Hold(again) => {
                    self.look_again(again);
                    self.cursor = self.members.len();
                }
                Progress::Done => return self.let_go(context).map(Step::Data),
            }
        }
        None
    }

    /// What the member at the cursor is to the source.
    fn role(&self) -> Role {
        let newest = self.cursor + 1 == self.members.len();
        match self.state {
            State::Finishing => Role::Finishing,
            _ if self.following == Following::Nothing => Role::Printed,
            State::Live if newest => Role::Current,
            State::Absent(_) if newest => Role::Orphaned,
            _ => Role::Superseded,
        }
    }

    /// What is to be reported when the member at the cursor begins, if another file was read before it.
    fn rotated(&mut self) -> Option<Happening> {
        let to = self.members[self.cursor].file();
        let from = self.latest.replace(to).filter(|from| *from != to)?;
        let older = self.members.iter().find(|member| member.file() == from);
        Some(Happening::Rotated { from, to, renamed_to: older.and_then(Member::renamed_to) })
    }

    fn look_again(&mut self, again: Again) {
        self.files_again = [self.files_again, again].into_iter().flatten().min();
    }

    /// Closes the member at the cursor, which has been read to its end.
    fn let_go(&mut self, context: &mut Context<'_>) -> Option<Delivery> {
        let member = self.members.remove(self.cursor)?;
        if let Some(fd) = member.fd() {
            context.wants.push(Want::Release(fd));
        }
        let (last, happenings, closed) = member.finish();
        self.pending.extend(happenings);
        if let Some(closed) = closed {
            let file = closed.id;
            remember(context.closed, closed.clone(), REMEMBERED_BY_ALL);
            remember(&mut self.closed, closed, REMEMBERED);
            let oldest = self.members.front().map(Member::file).or_else(|| self.newest());
            self.beside.know_closed(file, oldest);
        }
        let is_last = match self.state {
            State::Live | State::Finishing => true,
            State::Over => matches!(self.origin, Origin::Found(_)),
            State::New | State::Absent(_) => false,
        };
        if self.members.is_empty() && is_last {
            self.state = State::Over;
            self.count_look();
            let (looked, known) = (self.looked(), self.known());
            self.pending.push_back(Happening::Ended { looked, known });
        }
        last
    }

    /// A read failed: says so once, and tries again or gives up.
    fn failed(&mut self, error: io::Error, role: Role, context: &mut Context<'_>) -> Option<Delivery> {
        const ESTALE: i32 = rustix::io::Errno::STALE.raw_os_error();
        if error.kind() == ErrorKind::Interrupted {
            // Somebody wants to end; it is nothing that the file has done.
            self.look_again(Some(context.now + RETRY));
            self.cursor = self.members.len();
            return None;
        }
        self.looking = None;
        let member = &mut self.members[self.cursor];
        if error.raw_os_error() == Some(ESTALE)
            && let Ok(handle) = self.name.open(context.files)
            && handle.meta().is_ok_and(|meta| meta.id == member.file())
        {
            let old = member.fd();
            member.replace_handle(handle);
            context.wants.extend(old.map(Want::Release));
            context.wants.extend(member.want_appends(self.id));
        }
        let (happenings, outlook) = member.failed(error, role, context);
        self.pending.extend(happenings);
        if outlook == Outlook::GivenUp {
            return match context.options.read_errors {
                ReadErrors::KeepTrying => self.let_go(context),
                ReadErrors::GiveUp => self.give_up(context),
            };
        }
        self.look_again(Some(context.now + RETRY));
        self.cursor = self.members.len();
        None
    }

    /// Ends for want of the member at the cursor, which can't be read.
    fn give_up(&mut self, context: &mut Context<'_>) -> Option<Delivery> {
        self.state = State::Finishing;
        let last = self.let_go(context);
        if !self.members.is_empty() {
            self.finish();
        }
        context.wants.push(Want::Forget(self.id));
        last
    }

    /// Follows nothing any more: what is open is read to its end as it is now and let go, unfinished lines included.
    pub(crate) fn finish(&mut self) {
        self.state = State::Finishing;
        self.members.iter_mut().for_each(Member::limit_to_now);
        self.mark(Due::Files);
    }

    /// Leaves descriptors that others share where reading has come to.
    pub(crate) fn leave(&self) {
        self.members.iter().for_each(Member::leave);
    }

    /// Asks for every watch anew.
    pub(crate) fn want_watches(&self, id: SourceId, wants: &mut Vec<Want>) {
        if self.needs_name() {
            wants.push(Want::Name(id));
        }
        if self.following != Following::Nothing {
            let regular = self.members.iter().filter(|member| !member.is_sequential());
            wants.extend(regular.filter_map(|member| member.want_appends(id)));
        }
    }

    /// Takes up no new file; those that are open are let go once they are quiet.
    pub(crate) fn detach(&mut self) {
        self.state = State::Over;
        self.mark(Due::NameAndFiles);
    }

    /// Has the file that stands under this name now follow those that it has.
    pub(crate) fn succeed(&mut self, path: PathBuf) {
        self.name = Name::new(path);
        self.state = State::Live;
        self.has_heir = true;
    }

    /// Undoes [`detach`](Self::detach) while the file is still open, and has it go by this name.
    pub(crate) fn attach(&mut self, path: PathBuf) {
        if !self.members.is_empty() || self.is_resting() {
            self.state = State::Live;
            self.resting.iter_mut().for_each(Resting::note_name);
            self.name.rename(path);
        }
    }
}

/// How a source came about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Origin {
    /// It was asked for.
    Named,
    /// It was asked for, and an earlier tail has followed it.
    Resumed,
    /// A pattern has found its file, which is this to it.
    Found(Arrival),
}

fn remember(closed: &mut VecDeque<Closed>, file: Closed, most: usize) {
    closed.retain(|other| other.id != file.id);
    closed.push_back(file);
    if closed.len() > most {
        closed.pop_front();
    }
}
