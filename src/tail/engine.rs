//! The owner of all sources: says which one goes on next, and when to look again.
//!
//! The engine never waits and never asks the clock: whoever drives it marks what may have changed, hands it the
//! time, and carries out its [`Want`]s. So it can be driven by real events as well as by a test.

use std::collections::{BTreeSet, HashMap, VecDeque};
use std::fmt;
use std::os::fd::{BorrowedFd, RawFd};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::{Duration, Instant};

use super::event::{Arrival, Because, Data, Event, Noticed, SourceId};
use super::files::{FileId, Files, Handle};
use super::generation::{BUFFER, Closed};
use super::options::{Following, Looks, Options};
use super::passage::Passage;
use super::position::Resume;
use super::schedule::Schedule;
use super::source::Source;
use super::step::{Begin, Bytes, Context, Delivery, Due, Step, Want};

/// How often a file without notification is looked at while it changes, and how long it counts as changing.
const POLL_BUSY: Duration = Duration::from_millis(250);
const BUSY_FOR: Duration = Duration::from_secs(10);
/// The same when it is quiet.
const POLL_QUIET: Duration = Duration::from_secs(1);

/// How long a file that was written to all the time must be quiet before each write is told again.
const COOLING: Duration = Duration::from_millis(20);

/// How long files that were rotated are let go at once when descriptors are short.
const HURRY: Duration = Duration::from_secs(1);

/// Why a source is being looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Cause {
    /// An event, or an appointment.
    Told,
    /// Everything is looked at, now and then.
    Safety,
}

#[derive(Debug)]
struct Slot {
    source: Source,
    /// The files that the source had open when that was last noted.
    held: Vec<FileId>,
    noticed: Noticed,
    cause: Cause,
    queued: bool,
}

impl Slot {
    /// Looks at the source in intervals from now on, unless it is so already for another reason.
    fn poll(&mut self, because: Because) {
        if self.noticed == Noticed::ByEvents {
            self.noticed = Noticed::ByPolling(because);
        }
    }
}

/// Says where files begin that are there from the start; else the options do.
struct Beginning(Option<Begin>);

impl fmt::Debug for Beginning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Beginning").field(&self.0.is_some()).finish()
    }
}

/// All sources, and whose turn it is.
#[derive(Debug)]
pub(crate) struct Engine {
    options: Options,
    files: Box<dyn Files>,
    beginning: Beginning,
    slots: HashMap<SourceId, Slot>,
    added: usize,
    /// Sources whose first output is not complete; only the foremost goes on, so that they come out one by one.
    starting: VecDeque<SourceId>,
    /// Sources that something is due for.
    ready: VecDeque<SourceId>,
    schedule: Schedule,
    /// Whose the open files are.
    holders: HashMap<FileId, Vec<SourceId>>,
    /// The sources that were asked for by name.
    named: HashMap<PathBuf, Vec<SourceId>>,
    /// Whose the watched descriptors are.
    descriptors: HashMap<RawFd, SourceId>,
    /// Sources that wait for a pipe or device.
    readable: BTreeSet<SourceId>,
    /// Files that were let go, the last ones last.
    closed: VecDeque<Closed>,
    /// Until then, rotated files are let go as soon as they are read out: descriptors are short.
    hurry_until: Instant,
    interrupt: Arc<AtomicBool>,
    can_make_room: bool,
    /// When the first polling interval began.
    epoch: Instant,
    /// Whether a round of polling is to begin before the next interval does.
    round_due: bool,
    wants: Vec<Want>,
    /// What is to be reported next.
    found: Option<(SourceId, Step)>,
    buffer: Vec<u8>,
    owned: Vec<u8>,
}

impl Engine {
    pub(crate) fn new(options: Options, files: Box<dyn Files>) -> Self {
        Self {
            options,
            files,
            beginning: Beginning(None),
            slots: HashMap::new(),
            added: 0,
            starting: VecDeque::new(),
            ready: VecDeque::new(),
            schedule: Schedule::default(),
            holders: HashMap::new(),
            named: HashMap::new(),
            descriptors: HashMap::new(),
            readable: BTreeSet::new(),
            closed: VecDeque::new(),
            hurry_until: Instant::now(),
            interrupt: Arc::default(),
            can_make_room: false,
            epoch: Instant::now(),
            round_due: false,
            wants: Vec::new(),
            found: None,
            buffer: vec![0; BUFFER],
            owned: Vec::new(),
        }
    }

    /// Has this say where files begin that are there from the start.
    pub(crate) fn begin_by(&mut self, begin: Begin) {
        self.beginning = Beginning(Some(begin));
    }

    pub(crate) fn files(&self) -> &dyn Files {
        &*self.files
    }

    /// How often what no event tells of is looked for.
    pub(crate) fn poll_interval(&self) -> Duration {
        self.options.poll_interval.unwrap_or(POLL_QUIET)
    }

    /// Follows a name.
    pub(crate) fn add_name(&mut self, path: PathBuf, now: Instant) -> SourceId {
        let id = self.next_id();
        self.named.entry(path.clone()).or_default().push(id);
        let source = Source::named(id, path, self.options.following, now);
        if self.options.following != Following::Nothing {
            self.wants.push(Want::Name(id));
        }
        self.insert(id, source)
    }

    /// Follows a name from where an earlier tail had come to.
    pub(crate) fn add_resumed(&mut self, saved: Resume, now: Instant) -> SourceId {
        let id = self.next_id();
        let source = Source::resumed(id, saved, self.options.following, now);
        if self.options.following != Following::Nothing {
            self.wants.push(Want::Name(id));
        }
        self.insert(id, source)
    }

    /// Follows a file that a pattern of an earlier tail has found.
    pub(crate) fn add_resumed_found(&mut self, saved: Resume, now: Instant) -> SourceId {
        let id = self.next_id();
        let source = Source::resumed_found(id, saved, self.options.following, now);
        self.insert(id, source)
    }

    /// Follows standard input, or another file that is open already.
    pub(crate) fn add_open(&mut self, path: PathBuf, handle: Box<dyn Handle>, now: Instant) -> SourceId {
        let id = self.next_id();
        let (_, mut context) = self.context(id, now);
        let source = Source::opened(id, path, handle, &mut context);
        self.insert(id, source)
    }

    /// Follows a file that a pattern has found, whatever its name becomes.
    pub(crate) fn add_found(&mut self, path: PathBuf, arrival: Arrival, now: Instant) -> SourceId {
        let id = self.next_id();
        let source = Source::found(id, path, arrival, now);
        self.insert(id, source);
        if arrival != Arrival::First {
            // It takes its turn behind what was there before it.
            self.starting.retain(|starting| *starting != id);
            self.mark(id, Due::NameAndFiles);
        }
        id
    }

    /// A file that a pattern has brought is still found, under this name.
    pub(crate) fn keep_found(&mut self, id: SourceId, path: PathBuf) {
        if let Some(slot) = self.slots.get_mut(&id) {
            slot.source.attach(path);
            if slot.source.members().next().is_none() {
                // It went away before it could be opened, and is there again.
                self.mark(id, Due::NameAndFiles);
            }
        }
    }

    /// A newer file stands under the only name of one that a pattern has brought: it is the next of that source.
    pub(crate) fn succeed_found(&mut self, id: SourceId, path: PathBuf) {
        if let Some(slot) = self.slots.get_mut(&id) {
            slot.source.succeed(path);
            self.mark(id, Due::NameAndFiles);
        }
    }

    /// A file that a pattern has brought is found no more.
    pub(crate) fn drop_found(&mut self, id: SourceId) {
        if let Some(slot) = self.slots.get_mut(&id) {
            slot.source.detach();
            self.mark(id, Due::NameAndFiles);
        }
    }

    fn next_id(&mut self) -> SourceId {
        self.added += 1;
        SourceId(self.added - 1)
    }

    fn insert(&mut self, id: SourceId, source: Source) -> SourceId {
        // Until its watches are set, nothing but looking tells of changes; setting them marks it again.
        let asked = self.options.poll_only;
        let noticed = if asked { Noticed::ByPolling(Because::Asked) } else { Noticed::ByEvents };
        self.slots.insert(id, Slot { source, held: Vec::new(), noticed, cause: Cause::Told, queued: false });
        self.starting.push_back(id);
        self.note_files(id);
        id
    }

    /// Notes which files a source has open.
    fn note_files(&mut self, id: SourceId) {
        let Some(slot) = self.slots.get_mut(&id) else { return };
        if slot.source.files().eq(slot.held.iter().copied()) {
            return;
        }
        let held = slot.source.files().collect();
        let old = std::mem::replace(&mut slot.held, held);
        for file in &slot.held {
            let holders = self.holders.entry(*file).or_default();
            if !holders.contains(&id) {
                holders.push(id);
            }
        }
        for file in old.iter().filter(|file| !slot.held.contains(file)) {
            if let Some(holders) = self.holders.get_mut(file) {
                holders.retain(|holder| *holder != id);
                if holders.is_empty() {
                    self.holders.remove(file);
                }
            }
        }
    }

    /// The source that has a file open; of several the first.
    pub(crate) fn holder(&self, file: FileId) -> Option<SourceId> {
        self.holders.get(&file)?.first().copied()
    }

    /// The source that was asked for by this name and waits for a file.
    pub(crate) fn awaiting(&self, path: &Path) -> Option<SourceId> {
        self.named.get(path)?.iter().copied().find(|id| self.is_waiting(*id))
    }

    /// Whether a source waits for a file to come under its name.
    pub(crate) fn is_waiting(&self, id: SourceId) -> bool {
        self.source(id).is_some_and(|source| source.members().next().is_none() && source.needs_name())
    }

    pub(crate) fn source(&self, id: SourceId) -> Option<&Source> {
        self.slots.get(&id).map(|slot| &slot.source)
    }

    pub(crate) fn sources(&self) -> impl Iterator<Item = (SourceId, &Source)> {
        self.slots.iter().map(|(id, slot)| (*id, &slot.source))
    }

    /// By what a source is noticed; `None` for one that has ended.
    pub(crate) fn noticed(&self, id: SourceId) -> Option<Noticed> {
        let slot = self.slots.get(&id)?;
        Some(if slot.source.is_sequential() { Noticed::ByReading } else { slot.noticed })
    }

    /// Looks at a source in intervals from now on.
    pub(crate) fn poll(&mut self, id: SourceId, because: Because) {
        if let Some(slot) = self.slots.get_mut(&id) {
            slot.poll(because);
        }
    }

    /// There are no events any more: looks at everything now, and in intervals from now on.
    pub(crate) fn poll_all(&mut self) {
        self.slots.values_mut().for_each(|slot| slot.poll(Because::NoWatch));
        self.mark_all();
    }

    /// There are events again: has everything followed and watched anew, and looks at it.
    pub(crate) fn watch_all(&mut self) {
        for (id, slot) in &mut self.slots {
            if slot.noticed == Noticed::ByPolling(Because::NoWatch) {
                slot.noticed = Noticed::ByEvents;
            }
            slot.source.want_watches(*id, &mut self.wants);
        }
        self.mark_all();
    }

    /// Something may have happened to a source.
    pub(crate) fn mark(&mut self, id: SourceId, due: Due) {
        self.mark_for(id, due, Cause::Told);
    }

    fn mark_for(&mut self, id: SourceId, due: Due, cause: Cause) {
        if let Some(slot) = self.slots.get_mut(&id) {
            if cause == Cause::Told || !slot.source.is_due() {
                slot.cause = cause;
            }
            slot.source.mark(due);
            if !slot.queued {
                slot.queued = true;
                self.ready.push_back(id);
            }
        }
    }

    /// An open file was written to.
    pub(crate) fn mark_descriptor(&mut self, fd: RawFd) {
        let Some(source) = self.descriptors.get(&fd).copied() else { return };
        if let Some(slot) = self.slots.get_mut(&source)
            && slot.noticed == Noticed::ByPolling(Because::Unannounced)
        {
            slot.noticed = Noticed::ByEvents;
        }
        self.mark(source, Due::Files);
    }

    /// The source of an open file in which nothing new was found for some time; `None` if there was.
    pub(crate) fn quiet(&self, fd: RawFd, now: Instant) -> Option<SourceId> {
        let source = *self.descriptors.get(&fd)?;
        let changed = self.slots.get(&source)?.source.changed();
        (now.saturating_duration_since(changed) > COOLING).then_some(source)
    }

    /// Anything may have happened to any source.
    pub(crate) fn mark_all(&mut self) {
        self.mark_all_for(Cause::Told);
    }

    /// Ends every source at the end of its files as they are now.
    pub(crate) fn finish(&mut self) {
        for slot in self.slots.values_mut() {
            slot.source.finish();
        }
        self.mark_all();
    }

    /// Leaves descriptors that others share where reading has come to.
    pub(crate) fn leave(&self) {
        self.slots.values().for_each(|slot| slot.source.leave());
    }

    /// Has long searches end when this is set.
    pub(crate) fn interrupt_by(&mut self, flag: Arc<AtomicBool>) {
        self.interrupt = flag;
    }

    /// Looks at everything although nothing has announced a change.
    pub(crate) fn mark_all_unannounced(&mut self) {
        self.mark_all_for(Cause::Safety);
    }

    fn mark_all_for(&mut self, cause: Cause) {
        let mut ids: Vec<_> = self.slots.keys().copied().collect();
        ids.sort_unstable();
        for id in ids {
            self.mark_for(id, Due::NameAndFiles, cause);
        }
    }

    /// Whether all that was there at the start has been delivered.
    pub(crate) fn past_start(&self) -> bool {
        self.starting.iter().all(|id| self.slots.get(id).is_none_or(|slot| slot.source.past_start()))
    }

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

    /// What is asked of whoever watches, in this order.
    pub(crate) fn take_wants(&mut self) -> Vec<Want> {
        let wants = std::mem::take(&mut self.wants);
        for want in &wants {
            match want {
                Want::Appends(source, fd, _) => {
                    self.descriptors.insert(*fd, *source);
                }
                Want::Release(fd) | Want::Park(_, fd) => {
                    self.descriptors.remove(fd);
                }
                Want::Readable(source) => {
                    self.readable.insert(*source);
                }
                Want::Unreadable(source) => {
                    self.readable.remove(source);
                }
                Want::Name(_) | Want::Forget(_) | Want::Room | Want::Unpark(_) => {}
            }
        }
        wants
    }

    /// The pipes and devices that are waited for. What is known to be readable and has not been read, since the output
    /// takes nothing, would only end the wait at once.
    pub(crate) fn readable(&self) -> impl Iterator<Item = (SourceId, BorrowedFd<'_>)> {
        let waiting = self.readable.iter().filter_map(|id| Some((*id, self.source(*id)?)));
        waiting.filter(|(_, source)| !source.is_due()).filter_map(|(id, source)| Some((id, source.readable()?)))
    }

    /// Goes on until there is something to report; false if nothing is due. Never waits.
    pub(crate) fn has_next(&mut self, now: Instant) -> bool {
        while self.found.is_none() {
            let Some(id) = self.turn() else { return false };
            let step = self.step(id, now);
            self.round_due |= matches!(step, Some(Step::Data(_)));
            self.found = step.map(|step| (id, step));
        }
        true
    }

    /// Whether [`has_next`](Self::has_next) has found something that was not handed out.
    pub(crate) fn has_found(&self) -> bool {
        self.found.is_some()
    }

    /// Hands out what [`has_next`](Self::has_next) found.
    pub(crate) fn take_next(&mut self) -> Option<Event<'_>> {
        let (source, found) = self.found.take()?;
        if let Step::Passable(length) = found {
            let terminator = self.options.terminator;
            let (path, member) = self.slots.get_mut(&source)?.source.reading()?;
            return Some(Event::Passage(Passage::new(source, path, length, terminator, member)));
        }
        let path = self.slots.get(&source).map_or(Path::new(""), |slot| slot.source.path());
        Some(match found {
            Step::Happened(what) => Event::Happened { source, path, what },
            Step::Working | Step::Passable(_) => Event::Working,
            Step::Data(Delivery { file, run, offset, bytes, ending, age }) => {
                let bytes = match bytes {
                    Bytes::Buffered(range) => &self.buffer[range],
                    Bytes::Owned(bytes) => {
                        self.owned = bytes;
                        &self.owned
                    }
                };
                Event::Data(Data { source, path, file, run, offset, bytes, ending, age })
            }
        })
    }

    /// Whose turn it is: first outputs one after the other, then whoever is ready, each for one step.
    fn turn(&mut self) -> Option<SourceId> {
        while let Some(id) = self.starting.front() {
            match self.slots.get(id) {
                Some(slot) if !slot.source.past_start() => {
                    // A source that waits for its first bytes keeps the later ones waiting.
                    return slot.source.is_due().then_some(*id);
                }
                _ => {
                    let id = self.starting.pop_front()?;
                    self.mark(id, Due::Files);
                    self.round_due = true;
                }
            }
        }
        if self.ready.is_empty() && std::mem::take(&mut self.round_due) {
            self.begin_round();
        }
        self.ready.pop_front()
    }

    fn step(&mut self, id: SourceId, now: Instant) -> Option<Step> {
        let foremost = self.starting.front() == Some(&id);
        let (slots, mut context) = self.context(id, now);
        let slot = slots.get_mut(&id)?;
        slot.queued = false;
        let step = slot.source.step(&mut context);
        self.note_files(id);
        let slot = self.slots.get_mut(&id)?;
        if matches!(step, Some(Step::Data(_) | Step::Passable(_))) && slot.cause == Cause::Safety {
            // Nobody announced these bytes, so nobody can be relied on to announce the next ones.
            slot.poll(Because::Unannounced);
        }
        if slot.source.is_due() {
            slot.queued = !foremost;
            match step {
                // It has its turn until it is past its start.
                _ if foremost => {}
                // Much to read in one file must not keep the others waiting.
                Some(Step::Data(_) | Step::Working | Step::Passable(_)) if !slot.source.keeps_the_floor() => {
                    self.ready.push_back(id);
                }
                // What happened to a source is dealt with in one go, before what happened to others later; and no
                // other is to get into a line that is delivered in pieces.
                _ => self.ready.push_front(id),
            }
        } else {
            self.rest(id, now);
        }
        step
    }

    /// Begins a round where these are counted. GNU's `tail` has one behind its start and one behind each that brought
    /// something, without the pause that is between the others.
    fn begin_round(&mut self) {
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
    fn rest(&mut self, id: SourceId, now: Instant) {
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
    fn next_round(&self, now: Instant, interval: Duration) -> Option<Instant> {
        let passed = now.saturating_duration_since(self.epoch).as_nanos();
        let next = interval.as_nanos().checked_mul(passed.checked_div(interval.as_nanos()).unwrap_or(0) + 1)?;
        let (seconds, nanos) = (next / 1_000_000_000, next % 1_000_000_000);
        let next = Duration::new(u64::try_from(seconds).ok()?, u32::try_from(nanos).ok()?);
        self.epoch.checked_add(next).map(|at| at.max(now))
    }

    /// Takes hold of what names mean now, without reading: what is done while the output accepts nothing.
    pub(crate) fn attend(&mut self, now: Instant) {
        let due: Vec<_> = self.ready.iter().chain(&self.starting).copied().collect();
        for id in due {
            let (slots, mut context) = self.context(id, now);
            if let Some(slot) = slots.get_mut(&id) {
                slot.source.attend(&mut context);
                if slot.noticed != Noticed::ByEvents {
                    // It is not at rest, from where it would make its next appointment.
                    self.schedule.set(id, self.next_round(now, self.poll_interval()));
                }
            }
            self.note_files(id);
        }
    }

    /// The sources, and what a step of one of them needs beside itself.
    fn context(&mut self, source: SourceId, now: Instant) -> (&mut HashMap<SourceId, Slot>, Context<'_>) {
        let context = Context {
            files: &*self.files,
            options: &self.options,
            begin_by: self.beginning.0.as_ref(),
            start: self.options.start,
            buffer: &mut self.buffer,
            wants: &mut self.wants,
            now,
            rotate_wait: if self.hurry_until > now { Duration::ZERO } else { self.options.rotate_wait },
            closed: &mut self.closed,
            source,
            interrupt: &self.interrupt,
            can_make_room: self.can_make_room,
            alone: self.added == 1,
        };
        (&mut self.slots, context)
    }

    /// Closes the file of a source that a pattern has found, if it was read to its end, until there is more in it.
    pub(crate) fn rest_file(&mut self, id: SourceId) -> bool {
        // A watch can be kept once it is there.
        if self.wants.iter().any(|want| matches!(want, Want::Appends(source, ..) if *source == id)) {
            return false;
        }
        let Some(fd) = self.slots.get_mut(&id).and_then(|slot| slot.source.rest()) else { return false };
        self.wants.push(Want::Park(id, fd));
        // It may have grown while it was being closed.
        self.mark(id, Due::NameAndFiles);
        true
    }

    /// Closes files that have not changed for longest, as many as one in four that are open, so that others can be
    /// opened, and has everything looked at; false if there are none to close, nor will be.
    pub(crate) fn rest_some(&mut self) -> bool {
        let open = self.slots.iter().filter(|(_, slot)| slot.source.members().next().is_some());
        let mut open: Vec<_> = open.map(|(id, slot)| (slot.source.changed(), *id)).collect();
        open.sort_unstable();
        let enough = open.len().div_ceil(4);
        let mut rested = 0;
        for (_, id) in &open {
            if rested < enough && self.rest_file(*id) {
                rested += 1;
            }
        }
        // Those of whose writers no event has told as yet can be closed once they are read.
        let can_be_read = |id| self.source(id).is_some_and(|source| !source.is_due() && source.has_grown());
        let any = rested > 0 || open.iter().any(|(_, id)| can_be_read(*id));
        if any {
            self.mark_all();
        }
        any
    }

    /// Lets rotated files go as soon as they are read out, for a moment; false if there are none.
    pub(crate) fn hurry(&mut self, now: Instant) -> bool {
        let any = self.hurry_until <= now && self.slots.values().any(|slot| slot.source.members().nth(1).is_some());
        if any {
            self.hurry_until = now + HURRY;
            self.mark_all();
        }
        any
    }

    /// Says whether descriptors could be given up if files need them.
    pub(crate) fn can_make_room(&mut self, can: bool) {
        self.can_make_room = can;
    }
}
