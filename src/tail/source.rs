//! One followed name, and the files it has meant.
//!
//! A [`Source`] looks at its name, keeps the generations (oldest first) and reads them in order: a newer one
//! only after the older ones were read to their end once more, and not while an older one's last line may still
//! be finished. It decides nothing about rewriting or rotation (`decide` does), knows nothing of other sources,
//! and never waits.

mod kinship;
mod names;
mod past;
mod reading;
mod resting;
mod silence;

use std::collections::VecDeque;
use std::os::fd::BorrowedFd;
use std::path::{Path, PathBuf};
use std::time::{Instant, SystemTime};

pub(crate) use self::kinship::Kinship;
pub(crate) use self::reading::Turn;
use self::resting::Resting;
use self::silence::Silences;
use super::beside::Beside;
use super::event::{Arrival, Happening, Loss, Outlook, SourceId};
use super::files::{FileId, FileKind, Handle, Meta};
use super::generation::Closed;
use super::member::Member;
use super::name::{Absence, Name, State};
use super::options::{Following, Looks};
use super::position::Resume;
use super::seldom::{MayBeEmpty, Seldom};
use super::step::{Context, Due, Step, Want};
use super::turnover::Turnover;
use crate::wake::Reach;

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
    /// A file that is closed for the time being: the only one, or one whose name means another file now.
    resting: Option<Box<Resting>>,
    /// What the name was found to mean, held until it is known what it has meant before.
    arriving: Option<Box<(Box<dyn Handle>, Meta)>>,
    /// Which member is to be read next.
    cursor: usize,
    /// The file that began, or got its name back, last.
    latest: Option<FileId>,
    beside: Beside,
    turnover: Turnover,
    /// When the name was last looked at, unless that counts already.
    looking: Option<SystemTime>,
    affairs: Seldom<Affairs>,
    due: Due,
    runs: u64,
    /// When something new was last found.
    changed: Instant,
    /// What has become of the name of a file that a pattern has found.
    news: News,
    silences: Silences,
}

/// What a quiet source doesn't have.
#[derive(Debug)]
struct Affairs {
    /// What happened to it, to be reported.
    pending: VecDeque<Happening>,
    /// Its files that were let go, the last ones last.
    closed: VecDeque<Closed>,
    /// What its files were before they were cut, the last ones last: their copies may be compressed later.
    cut: Vec<Closed>,
    /// What an earlier tail has left, to be taken up with the first look.
    saved: Option<Resume>,
    /// Since when a search for files beside the name has come to nothing.
    searching_since: Option<Instant>,
    /// How many rounds of polling in a row have found nothing.
    quiet_rounds: u64,
    /// When the name wants to be looked at without having been woken, regular polling aside.
    name_again: Option<Instant>,
    /// The same for the open files.
    files_again: Option<Instant>,
    /// The file that a pattern saw first under the name, if that has meant no other before.
    seen: Option<FileId>,
}

impl Affairs {
    const NONE: Self = Self {
        pending: VecDeque::new(),
        closed: VecDeque::new(),
        cut: Vec::new(),
        saved: None,
        searching_since: None,
        quiet_rounds: 0,
        name_again: None,
        files_again: None,
        seen: None,
    };
}

impl Default for Affairs {
    fn default() -> Self {
        Self::NONE
    }
}

impl MayBeEmpty for Affairs {
    const EMPTY: &'static Self = &Self::NONE;

    fn is_empty(&self) -> bool {
        let Self { pending, closed, cut, saved, searching_since, quiet_rounds, name_again, files_again, seen } = self;
        let appointed = searching_since.or(*name_again).or(*files_again).is_some();
        let knows = saved.is_some() || seen.is_some() || !closed.is_empty() || !cut.is_empty();
        pending.is_empty() && !knows && !appointed && *quiet_rounds == 0
    }
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
            arriving: None,
            cursor: 0,
            latest: None,
            beside: Beside::default(),
            turnover: Turnover::default(),
            looking: None,
            affairs: Seldom::default(),
            due: Due::NameAndFiles,
            runs: 0,
            changed: now,
            news: News::None,
            silences: Silences::default(),
        }
    }

    /// A source for a file that a pattern has found: its name serves to open it and to speak of it.
    pub(crate) fn found(id: SourceId, path: PathBuf, arrival: Arrival, sight: FirstSight, now: Instant) -> Self {
        let FirstSight { seen, looked } = sight;
        let beside = Beside::resumed(looked, &[], &[]);
        let affairs = Affairs { seen, ..Affairs::NONE }.into();
        Self { origin: Origin::Found(arrival), beside, affairs, ..Self::named(id, path, Following::Descriptor, now) }
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

    /// A source for an open file that a pattern has found, and whose name is gone.
    pub(crate) fn held(id: SourceId, path: PathBuf, handle: Box<dyn Handle>, context: &mut Context<'_>) -> Self {
        let mut source = Self::found(id, path, Arrival::Appeared, FirstSight::default(), context.now);
        match handle.meta() {
            Ok(meta) => source.take(handle, &meta, Arrival::Appeared, context),
            Err(error) => source.absent(Absence::Errno(error.raw_os_error()), Some(error), context),
        }
        source.state = State::Over;
        source
    }

    /// A source for a file that a pattern has found, and of which nothing can be had any more.
    pub(crate) fn lost(id: SourceId, path: PathBuf, file: FileId, size: u64, now: Instant) -> Self {
        let lost = Happening::Lost { file, range: Some(0..size), reason: Loss::Gone };
        let found = Self::found(id, path, Arrival::Appeared, FirstSight::default(), now);
        let affairs = Affairs { pending: VecDeque::from([lost]), ..Affairs::NONE }.into();
        Self { state: State::Over, affairs, ..found }
    }

    pub(crate) fn path(&self) -> &Path {
        self.name.path()
    }

    /// The name, and the file whose turn it is.
    pub(crate) fn turn(&mut self) -> Option<(&Path, Turn<'_>)> {
        let role = self.role();
        let member = self.members.get_mut(self.cursor)?;
        Some((self.name.path(), Turn { member, role, cursor: &mut self.cursor }))
    }

    /// Whether nothing more will come of it.
    pub(crate) fn is_over(&self) -> bool {
        let holds = !self.members.is_empty() || self.arriving.is_some() || self.resting.is_some();
        let empty = !holds && self.affairs.pending.is_empty();
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

    /// Whether it was not looked at yet.
    pub(crate) fn is_new(&self) -> bool {
        self.state == State::New
    }

    /// How far its name is to be followed.
    pub(crate) fn reach(&self) -> Reach {
        match self.state {
            State::New => Reach::Name,
            State::Live if !self.name.is_link() => Reach::Name,
            _ => Reach::Target,
        }
    }

    /// Whether what was there at the start has been delivered.
    pub(crate) fn past_start(&self) -> bool {
        let past_start = self.state != State::New && self.members.iter().all(Member::past_start);
        // Others are not to wait for what may never come.
        (past_start || self.silences.any()) && self.affairs.pending.is_empty()
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

    /// The files that it has, open or closed for the time being, oldest first.
    pub(crate) fn files(&self) -> impl Iterator<Item = FileId> {
        self.resting.iter().map(|resting| resting.file()).chain(self.members.iter().map(Member::file))
    }

    /// Whether it is to go on before others do: there is more to report, or a line of which a part was delivered.
    pub(crate) fn keeps_the_floor(&self) -> bool {
        !self.affairs.pending.is_empty() || self.members.get(self.cursor).is_some_and(Member::is_within_line)
    }

    /// Why it was given up, if that has yet to be reported.
    pub(crate) fn given_up(&self) -> Option<&Happening> {
        self.affairs.pending.iter().find(|what| {
            matches!(
                what,
                Happening::Inaccessible { outlook: Outlook::GivenUp, .. }
                    | Happening::Untailable { outlook: Outlook::GivenUp, .. }
            )
        })
    }

    /// Whether something is due.
    pub(crate) fn is_due(&self) -> bool {
        self.due != Due::Nothing || !self.affairs.pending.is_empty()
    }

    /// When something new was last found.
    pub(crate) fn changed(&self) -> Instant {
        self.changed
    }

    /// When it wants to be looked at without having been woken, regular polling aside.
    pub(crate) fn next_look(&self) -> Option<Instant> {
        [self.affairs.name_again, self.affairs.files_again].into_iter().flatten().min()
    }

    /// Asks for a look at the next step.
    pub(crate) fn mark(&mut self, due: Due) {
        self.due = self.due.max(due);
        self.cursor = 0;
    }

    /// Goes on until there is something to report; `None` if nothing is due any more.
    pub(crate) fn step(&mut self, context: &mut Context<'_>) -> Option<Step> {
        loop {
            if let Some(happening) = self.affairs.present().and_then(|affairs| affairs.pending.pop_front()) {
                self.remember_cut(&happening);
                return Some(Step::Happened(happening));
            }
            match self.due {
                Due::NameAndFiles => {
                    self.attend(context);
                    if context.is_to_wait() {
                        return None;
                    }
                }
                Due::Files | Due::Round => {
                    if self.cursor == 0 {
                        self.forget_appointment();
                        self.take_arriving(context);
                        self.wake_up(context);
                    }
                    let step = self.read(context);
                    if self.cursor >= self.members.len() {
                        self.count_look();
                    }
                    if step.is_some() || !self.affairs.pending.is_empty() {
                        self.end_quiet();
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

    /// The open files are looked at now.
    fn forget_appointment(&mut self) {
        self.affairs.present().into_iter().for_each(|affairs| affairs.files_again = None);
    }

    /// Rounds of polling that find nothing are counted anew.
    fn end_quiet(&mut self) {
        self.affairs.present().into_iter().for_each(|affairs| affairs.quiet_rounds = 0);
    }

    /// Takes no more room than it needs, now that nothing is due.
    pub(crate) fn tidy(&mut self) {
        self.affairs.tidy();
        self.beside.tidy();
        self.members.iter_mut().for_each(Member::tidy);
    }

    /// What is due at the end of a round of polling that has found nothing.
    fn end_round(&mut self, context: &Context<'_>) -> Due {
        match context.options.looks {
            Looks::AfterQuietRounds(most) if self.affairs.quiet_rounds < most => {
                self.affairs.quiet_rounds += 1;
                Due::Nothing
            }
            Looks::AfterQuietRounds(_) | Looks::EachRound => {
                self.end_quiet();
                Due::NameAndFiles
            }
        }
    }

    /// Looks at the name if that is due, and takes hold of what it means, without reading anything.
    pub(crate) fn attend(&mut self, context: &mut Context<'_>) {
        if self.due == Due::NameAndFiles {
            self.due = Due::Files;
            self.cursor = 0;
            let news = std::mem::take(&mut self.news);
            if news == News::Left {
                self.affairs.present().into_iter().for_each(|affairs| affairs.name_again = None);
                self.catch_up_with_left(context);
            } else if news == News::Heir || self.needs_name() || self.state == State::New {
                self.affairs.present().into_iter().for_each(|affairs| affairs.name_again = None);
                self.inspect(context);
            }
        }
    }

    /// Follows nothing any more: what is open is read to its end as it is now and let go, unfinished lines included.
    pub(crate) fn finish(&mut self) {
        self.give_up_unanswered();
        self.state = State::Finishing;
        self.end_search();
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
    pub(crate) fn detach(&mut self, missed: Missed) {
        self.state = State::Over;
        self.news = match missed {
            Missed::Nothing => News::None,
            Missed::Perhaps => News::Left,
        };
        self.mark(Due::NameAndFiles);
    }

    /// Has the file that stands under this name now follow those that it has.
    pub(crate) fn succeed(&mut self, path: PathBuf) {
        self.name = Name::new(path);
        self.state = State::Live;
        self.news = News::Heir;
    }

    /// Whether a pattern has found one that has followed this file under its name.
    pub(crate) fn is_past(&self, file: FileId) -> bool {
        matches!(self.origin, Origin::Found(_)) && self.state == State::Live && self.files().last() != Some(file)
    }

    /// The name was seen to mean the newest file.
    pub(crate) fn saw_name(&mut self, at: SystemTime) {
        if matches!(self.origin, Origin::Found(_)) {
            self.looking = Some(at);
        }
        if self.due == Due::Nothing {
            self.count_look();
        }
    }

    /// Undoes [`detach`](Self::detach) while the file is still open, and has it go by this name.
    pub(crate) fn attach(&mut self, path: PathBuf) {
        if !self.members.is_empty() || self.is_resting() {
            self.state = State::Live;
            if self.news == News::Left {
                self.news = News::None;
            }
            if self.members.is_empty() {
                self.resting.iter_mut().for_each(|resting| resting.note_name());
            }
            self.name.rename(path);
        }
    }
}

/// What a pattern saw when it found a file.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct FirstSight {
    /// The file, if nothing tells that its name has meant others before.
    pub(crate) seen: Option<FileId>,
    /// When there was no such name the last time.
    pub(crate) looked: Option<SystemTime>,
}

/// Whether a name may have meant other files before it went away.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Missed {
    Nothing,
    Perhaps,
}

/// What has become of a name, by those who look after it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum News {
    #[default]
    None,
    /// It means a newer file than those that are known.
    Heir,
    /// It is there no more, and may have meant other files before.
    Left,
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
