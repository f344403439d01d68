//! One followed name, and the files it has meant.
//!
//! A [`Source`] looks at its name, keeps the generations (oldest first) and reads them in order: a newer one
//! only after the older ones were read to their end once more, and not while an older one's last line may still
//! be finished. It decides nothing about rewriting or rotation (`decide` does), knows nothing of other sources,
//! and never waits.

use std::collections::VecDeque;
use std::io::{self, ErrorKind};
use std::ops::Range;
use std::os::fd::{BorrowedFd, RawFd};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use super::decide::{NameHeld, NameSeen, NameVerdict, decide_name};
use super::event::{Age, Arrival, Ending, Happening, Outlook, Since, SourceId};
use super::files::{FileId, FileKind, Files, Handle, Links, Meta};
use super::generation::{Closed, Generation, Reading};
use super::lines::Framing;
use super::member::{Member, Progress, Role};
use super::options::{Following, Options, Retry};
use crate::wake::is_made_up;

/// How soon a name that can't be reached, or a read that failed, is tried again.
pub(crate) const RETRY: Duration = Duration::from_millis(250);
/// How many files that were let go are remembered, so that one that gets its name back is not repeated.
const REMEMBERED: usize = 4;

/// What a source must look at.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Due {
    Nothing,
    /// Its open files.
    Files,
    /// Its name, then its open files.
    NameAndFiles,
}

/// What a source asks of whoever watches for it.
#[derive(Debug)]
pub(crate) enum Want {
    /// Notice what happens to the name.
    Name(SourceId),
    /// Notice appends to this open file, which is on a file system of this type.
    Appends(SourceId, RawFd, FileId, Option<i64>),
    /// Notice when a pipe or device of the source can be read.
    Readable(SourceId),
    /// A device of the source has nothing and can't tell when it has.
    Unreadable(SourceId),
    /// Forget about this descriptor, which is closed now.
    Release(RawFd),
    /// Forget about the name of this source.
    Forget(SourceId),
    /// Give up descriptors, for want of which a file can't be opened, and have everything looked at again.
    Room,
}

/// What a step needs from outside.
pub(crate) struct Context<'a> {
    pub(crate) files: &'a dyn Files,
    pub(crate) options: &'a Options,
    pub(crate) buffer: &'a mut [u8],
    pub(crate) wants: &'a mut Vec<Want>,
    pub(crate) now: Instant,
    /// The source that is being stepped.
    pub(crate) source: SourceId,
    /// Whether descriptors could be given up for files.
    pub(crate) can_make_room: bool,
    /// Whether it may keep the tail waiting for a FIFO's first writer.
    pub(crate) alone: bool,
}

/// What one step of a source brought.
#[derive(Debug)]
pub(crate) enum Step {
    Happened(Happening),
    Data(Delivery),
}

/// Bytes to deliver, and what is to be said of them.
#[derive(Debug)]
pub(crate) struct Delivery {
    pub(crate) file: FileId,
    pub(crate) run: u64,
    pub(crate) offset: u64,
    pub(crate) bytes: Bytes,
    pub(crate) ending: Ending,
    pub(crate) age: Age,
}

/// Where the bytes to deliver are.
#[derive(Debug)]
pub(crate) enum Bytes {
    /// In the buffer of the context.
    Buffered(Range<usize>),
    /// Here.
    Owned(Vec<u8>),
}

/// What is known of the name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// Not looked at yet.
    New,
    /// It means the last generation; or there is no name, and the only generation is followed.
    Live,
    /// It means nothing that can be followed.
    Absent(Absence),
    /// Nothing new will be taken up.
    Over,
}

/// Why a name can't be followed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Absence {
    Missing,
    Errno(Option<i32>),
    Untailable(FileKind),
}

#[derive(Debug)]
pub(crate) struct Source {
    id: SourceId,
    path: PathBuf,
    following: Following,
    state: State,
    /// What the name was when it was first seen. A plain one is not followed into a link later on.
    links: Option<Links>,
    members: VecDeque<Member>,
    /// Which member is to be read next.
    cursor: usize,
    closed: VecDeque<Closed>,
    pending: VecDeque<Happening>,
    due: Due,
    runs: u64,
    /// When something new was last found.
    changed: Instant,
    /// When the name wants to be looked at without having been woken, regular polling aside.
    name_again: Option<Instant>,
    /// The same for the open files.
    files_again: Option<Instant>,
}

impl Source {
    /// A source for a name, which is looked at when it is first stepped.
    pub(crate) fn named(id: SourceId, path: PathBuf, following: Following, now: Instant) -> Self {
        Self {
            id,
            path,
            following,
            state: State::New,
            links: None,
            members: VecDeque::new(),
            cursor: 0,
            closed: VecDeque::new(),
            pending: VecDeque::new(),
            due: Due::NameAndFiles,
            runs: 0,
            changed: now,
            name_again: None,
            files_again: None,
        }
    }

    /// A source for a file that is open already and whose name is not to be looked at.
    pub(crate) fn opened(
        id: SourceId,
        path: PathBuf,
        handle: Box<dyn Handle>,
        arrival: Arrival,
        context: &mut Context<'_>,
    ) -> Self {
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
                source.take(handle, &meta, arrival, context);
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
        &self.path
    }

    /// Gives the source another name to go by; what it follows stays.
    pub(crate) fn rename(&mut self, path: PathBuf) {
        self.path = path;
    }

    /// Whether nothing more will come of it.
    pub(crate) fn is_over(&self) -> bool {
        self.state == State::Over && self.members.is_empty() && self.pending.is_empty()
    }

    /// Whether it has a file that may bring more, or has not been looked at yet.
    pub(crate) fn has_files(&self) -> bool {
        self.state == State::New || !self.members.is_empty()
    }

    /// Whether its name is looked at, now or if it should be there one day.
    pub(crate) fn needs_name(&self) -> bool {
        match self.state {
            State::Over => false,
            State::Live => self.following == Following::Name,
            State::New | State::Absent(_) => self.following != Following::Nothing,
        }
    }

    /// Whether what was there at the start has been delivered.
    pub(crate) fn past_start(&self) -> bool {
        self.state != State::New && self.pending.is_empty() && self.members.iter().all(Member::past_start)
    }

    /// Whether it reads a pipe or device.
    pub(crate) fn is_sequential(&self) -> bool {
        self.members.back().is_some_and(Member::is_sequential)
    }

    /// The descriptor of the pipe or device that is being read, if any.
    pub(crate) fn readable(&self) -> Option<BorrowedFd<'_>> {
        self.members.back().and_then(Member::handle_fd)
    }

    /// The open files, oldest first.
    pub(crate) fn members(&self) -> impl Iterator<Item = &Member> {
        self.members.iter()
    }

    /// Whether there is something to report that has been found already.
    pub(crate) fn has_pending(&self) -> bool {
        !self.pending.is_empty()
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
    }

    /// Goes on until there is something to report; `None` if nothing is due any more.
    pub(crate) fn step(&mut self, context: &mut Context<'_>) -> Option<Step> {
        loop {
            if let Some(happening) = self.pending.pop_front() {
                return Some(Step::Happened(happening));
            }
            match self.due {
                Due::NameAndFiles => self.attend(context),
                Due::Files => {
                    if let Some(delivery) = self.read(context) {
                        return Some(Step::Data(delivery));
                    }
                    if self.cursor >= self.members.len() {
                        self.due = Due::Nothing;
                    }
                }
                Due::Nothing => return None,
            }
        }
    }

    /// Looks at the name if that is due, and takes hold of what it means, without reading anything.
    pub(crate) fn attend(&mut self, context: &mut Context<'_>) {
        if self.due == Due::NameAndFiles {
            self.due = Due::Files;
            self.cursor = 0;
            if self.needs_name() || self.state == State::New {
                self.name_again = None;
                self.inspect(context);
            }
        }
    }

    /// Compares what the name means with what it meant.
    fn inspect(&mut self, context: &mut Context<'_>) {
        let (seen, found) = self.look_at_name(context);
        let held = match self.state {
            State::New => NameHeld::New,
            State::Live => self.members.back().map_or(NameHeld::Nothing, |live| NameHeld::File(live.file())),
            State::Absent(_) | State::Over => NameHeld::Nothing,
        };
        match (decide_name(held, seen), found) {
            (NameVerdict::Arrived | NameVerdict::Rotated, Found::File(handle, meta)) => {
                self.arrive(handle, &meta, context);
            }
            (NameVerdict::Gone, Found::Error(error)) => self.absent(Absence::Missing, Some(error), context),
            (NameVerdict::Blocked, Found::Error(error)) if is_shortage(&error) && context.can_make_room => {
                context.wants.push(Want::Room);
            }
            (NameVerdict::Blocked, Found::Error(error)) => {
                self.absent(Absence::Errno(error.raw_os_error()), Some(error), context);
            }
            (NameVerdict::Blocked | NameVerdict::Refused, Found::Kind(kind)) => {
                self.absent(Absence::Untailable(kind), None, context);
            }
            // The remaining pairs are what it meant before.
            _ => {}
        }
    }

    /// Finds out what the name means now; opens it if that is not what it meant.
    fn look_at_name(&mut self, context: &Context<'_>) -> (NameSeen, Found) {
        let result = (|| {
            let links = if let Some(links) = self.links { links } else { self.first_sight(context)? };
            let meta = context.files.meta(&self.path, links)?;
            if links == Links::Refuse && meta.kind == FileKind::Symlink {
                return Ok((NameSeen::LinkNow, Found::Kind(FileKind::Symlink)));
            }
            if self.state == State::Live && self.members.back().is_some_and(|live| live.file() == meta.id) {
                return Ok((NameSeen::File(meta.id), Found::Same));
            }
            if matches!(meta.kind, FileKind::Socket) {
                // Opening it says in the system's words why not.
                context.files.open(&self.path, links)?;
            }
            if matches!(meta.kind, FileKind::Directory | FileKind::Other) {
                return Ok((NameSeen::Untailable(meta.kind), Found::Kind(meta.kind)));
            }
            let handle = context.files.open(&self.path, links)?;
            // The name may have moved on since: only the handle tells whose identity this is.
            let meta = handle.meta()?;
            if meta.kind == FileKind::Directory {
                return Ok((NameSeen::Untailable(meta.kind), Found::Kind(meta.kind)));
            }
            Ok((NameSeen::File(meta.id), Found::File(handle, meta)))
        })();
        result.unwrap_or_else(|error: io::Error| {
            let became_a_link = error.raw_os_error() == Some(rustix::io::Errno::LOOP.raw_os_error())
                && self.links == Some(Links::Refuse);
            match error.kind() {
                ErrorKind::NotFound => (NameSeen::Missing, Found::Error(error)),
                _ if became_a_link => (NameSeen::LinkNow, Found::Kind(FileKind::Symlink)),
                _ => (NameSeen::Inaccessible, Found::Error(error)),
            }
        })
    }

    /// Remembers whether the name is a link when it is seen for the first time.
    fn first_sight(&mut self, context: &Context<'_>) -> io::Result<Links> {
        let meta = context.files.meta(&self.path, Links::Refuse)?;
        let links = if meta.kind == FileKind::Symlink { Links::Follow } else { Links::Refuse };
        // What can't be followed yet (a directory) may make way for a link as well as for a file.
        if meta.kind != FileKind::Directory {
            self.links = Some(links);
        }
        Ok(links)
    }

    /// The name means a file that it didn't mean before.
    fn arrive(&mut self, handle: Box<dyn Handle>, meta: &Meta, context: &mut Context<'_>) {
        let arrival = match self.state {
            State::New => Arrival::First,
            State::Live => self.members.back().map_or(Arrival::Appeared, |live| Arrival::Replaced(live.file())),
            State::Absent(Absence::Missing) => Arrival::Appeared,
            State::Absent(_) | State::Over => Arrival::Accessible,
        };
        self.state = State::Live;
        if self.following == Following::Name {
            // The way to the name may lead elsewhere than where it was watched.
            context.wants.push(Want::Name(self.id));
        }
        if let Some(index) = self.members.iter().position(|member| member.file() == meta.id)
            && let Some(member) = self.members.remove(index)
        {
            self.pending.push_back(member.returned());
            self.members.push_back(member);
            return;
        }
        self.take(handle, meta, arrival, context);
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
        let known = self.closed.iter().position(|closed| closed.id == meta.id);
        let generation = match known.and_then(|index| self.closed.remove(index)) {
            Some(closed) => Generation::reopened(handle, meta, context.options, closed),
            None => Generation::new(handle, meta, reading, context.options),
        };
        let arrival = if known.is_some() { Arrival::Returned } else { arrival };
        let member = Member::pinned(generation, arrival, context.now);
        if self.following != Following::Nothing && reading != Reading::Sequential {
            context.wants.extend(member.want_appends(self.id));
        }
        self.members.push_back(member);
        self.state = State::Live;
    }

    /// The name means nothing that can be followed.
    fn absent(&mut self, absence: Absence, error: Option<io::Error>, context: &mut Context<'_>) {
        let since = if self.state == State::New { Since::Start } else { Since::Change };
        let options = context.options;
        let waiting = match (self.following, options.retry, since, absence) {
            (Following::Nothing, ..) | (Following::Descriptor, _, _, Absence::Untailable(_)) => false,
            (_, Retry::Always, ..) => true,
            // A name that was followed is taken up again while other files are followed.
            (Following::Name, Retry::Never, Since::Change, Absence::Missing | Absence::Errno(_)) => true,
            _ => false,
        };
        let outlook = if waiting { Outlook::Waiting } else { Outlook::GivenUp };
        if self.state != State::Absent(absence) {
            self.pending.push_back(match (absence, error) {
                (Absence::Untailable(kind), _) => Happening::Untailable { kind, since, outlook },
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
    fn read(&mut self, context: &mut Context<'_>) -> Option<Delivery> {
        if self.cursor == 0 {
            self.files_again = None;
        }
        context.source = self.id;
        while self.cursor < self.members.len() && self.pending.is_empty() {
            let role = self.role();
            // While an older file may still bring late lines, these and the newer one's must not tear each other.
            let framing = if self.members.len() > 1 { Framing::Lines } else { context.options.framing };
            match self.members[self.cursor].advance(context, &mut self.runs, role, framing) {
                Progress::Data(delivery) => return self.deliver(delivery, context),
                Progress::LastData(delivery, again) => {
                    self.look_again(again);
                    self.cursor += 1;
                    if self.cursor == self.members.len() {
                        self.due = Due::Nothing;
                    }
                    return self.deliver(delivery, context);
                }
                Progress::DataThen(delivery, happenings) => {
                    self.pending.extend(happenings);
                    return self.deliver(delivery, context);
                }
                Progress::Happened(happenings) => {
                    self.changed = context.now;
                    self.pending.extend(happenings);
                }
                Progress::Failed(error) => return self.failed(error, role, context),
                Progress::Rest(again) => {
                    self.look_again(again);
                    self.cursor += 1;
                }
                Progress::Hold(again) => {
                    self.look_again(again);
                    self.cursor = self.members.len();
                }
                Progress::Done => return self.let_go(context),
            }
        }
        None
    }

    /// What the member at the cursor is to the source.
    fn role(&self) -> Role {
        let newest = self.cursor + 1 == self.members.len();
        match self.state {
            _ if self.following == Following::Nothing => Role::Printed,
            State::Live if newest => Role::Current,
            State::Absent(_) if newest => Role::Orphaned,
            _ => Role::Superseded,
        }
    }

    fn deliver(&mut self, delivery: Delivery, context: &Context<'_>) -> Option<Delivery> {
        self.changed = context.now;
        Some(delivery)
    }

    fn look_again(&mut self, again: Option<Instant>) {
        self.files_again = [self.files_again, again].into_iter().flatten().min();
    }

    /// Closes the member at the cursor, which has been read to its end.
    fn let_go(&mut self, context: &mut Context<'_>) -> Option<Delivery> {
        let member = self.members.remove(self.cursor)?;
        if let Some(fd) = member.fd() {
            context.wants.push(Want::Release(fd));
        }
        let (last, happening, closed) = member.finish();
        self.pending.extend(happening);
        if let Some(closed) = closed {
            if self.closed.len() == REMEMBERED {
                self.closed.pop_front();
            }
            self.closed.push_back(closed);
        }
        if self.members.is_empty() && self.state == State::Live {
            self.state = State::Over;
            self.pending.push_back(Happening::Ended);
        }
        last
    }

    /// A read failed: says so once, and tries again or gives up.
    fn failed(&mut self, error: io::Error, role: Role, context: &mut Context<'_>) -> Option<Delivery> {
        const ESTALE: i32 = rustix::io::Errno::STALE.raw_os_error();
        let member = &mut self.members[self.cursor];
        if error.raw_os_error() == Some(ESTALE)
            && let Ok(handle) = context.files.open(&self.path, self.links.unwrap_or(Links::Refuse))
            && handle.meta().is_ok_and(|meta| meta.id == member.file())
        {
            let old = member.fd();
            member.replace_handle(handle);
            context.wants.extend(old.map(Want::Release));
            context.wants.extend(member.want_appends(self.id));
        }
        let (happening, outlook) = member.failed(error, role, context.now);
        self.pending.extend(happening);
        if outlook == Outlook::GivenUp {
            return self.let_go(context);
        }
        self.look_again(Some(context.now + RETRY));
        self.cursor = self.members.len();
        None
    }

    /// Follows nothing any more: what is open is read to its end and let go, unfinished lines included.
    pub(crate) fn finish(&mut self) {
        self.following = Following::Nothing;
        if self.members.is_empty() {
            self.state = State::Over;
        }
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
        self.mark(Due::Files);
    }

    /// Undoes [`detach`](Self::detach) while the file is still open.
    pub(crate) fn attach(&mut self) {
        if !self.members.is_empty() {
            self.state = State::Live;
        }
    }
}

/// What stood under a name.
enum Found {
    /// The file that it meant before.
    Same,
    /// A file, opened.
    File(Box<dyn Handle>, Meta),
    /// Something that can't be followed.
    Kind(FileKind),
    /// An error.
    Error(io::Error),
}

/// Whether an error says that there are too many descriptors.
fn is_shortage(error: &io::Error) -> bool {
    use rustix::io::Errno;
    [Errno::MFILE, Errno::NFILE].iter().any(|errno| error.raw_os_error() == Some(errno.raw_os_error()))
}
