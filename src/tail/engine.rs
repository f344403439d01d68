//! The owner of all sources: says which one goes on next, and when to look again.
//!
//! The engine never waits and never asks the clock: whoever drives it marks what may have changed, hands it the
//! time, and carries out its [`Want`]s. So it can be driven by real events as well as by a test.

mod adding;
mod room;
mod rounds;

use std::collections::{BTreeSet, HashMap, VecDeque};
use std::fmt;
use std::os::fd::{BorrowedFd, RawFd};
use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::{Duration, Instant};

use super::event::{Because, Data, Event, Noticed, SourceId};
use super::files::{FileId, Files};
use super::generation::{BUFFER, Closed};
use super::options::Options;
use super::passage::Passage;
use super::pattern::Pattern;
use super::place::Places;
use super::schedule::Schedule;
use super::source::Source;
use super::step::{Begin, Bytes, Compressed, Context, Delivery, Due, First, Others, Pins, Step, Want};
use super::turnover::Backlog;
use crate::numbers::ByNumber;
use crate::wake::Arrivals;

/// The same when it is quiet.
const POLL_QUIET: Duration = Duration::from_secs(1);

/// How long a file that was written to all the time must be quiet before each write is told again.
const COOLING: Duration = Duration::from_millis(20);

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
    held: Box<[FileId]>,
    noticed: Noticed,
    cause: Cause,
    queued: bool,
    /// Whether it was asked for by its name.
    is_named: bool,
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
    slots: ByNumber<SourceId, Box<Slot>>,
    added: usize,
    /// Sources whose first output is not complete; only the foremost goes on, so that they come out one by one.
    starting: VecDeque<SourceId>,
    /// Sources that something is due for.
    ready: VecDeque<SourceId>,
    schedule: Schedule,
    /// Whose the open files are.
    holders: BTreeSet<(FileId, SourceId)>,
    compressed: Compressed,
    pins: Pins,
    /// What more files are found by.
    patterns: Vec<Rc<Pattern>>,
    /// The sources that were asked for by name, as long as there are patterns: these want to know.
    named: HashMap<PathBuf, Vec<SourceId>>,
    /// Whose the watched descriptors are.
    descriptors: ByNumber<RawFd, SourceId>,
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
    first: First,
    places: Places,
    /// How many bytes were found since that was last asked for.
    read: u64,
    /// What is to be reported next.
    found: Option<(SourceId, Step)>,
    buffer: Vec<u8>,
    owned: Vec<u8>,
}

impl Engine {
    pub(crate) fn new(options: Options, files: Box<dyn Files>, now: Instant) -> Self {
        Self {
            options,
            files,
            beginning: Beginning(None),
            slots: ByNumber::default(),
            added: 0,
            starting: VecDeque::new(),
            ready: VecDeque::new(),
            schedule: Schedule::default(),
            holders: BTreeSet::new(),
            compressed: Compressed::new(),
            pins: Pins::default(),
            patterns: Vec::new(),
            named: HashMap::new(),
            descriptors: ByNumber::default(),
            readable: BTreeSet::new(),
            closed: VecDeque::new(),
            hurry_until: now,
            interrupt: Arc::default(),
            can_make_room: false,
            epoch: now,
            round_due: false,
            wants: Vec::new(),
            first: First::Reading,
            places: Places::default(),
            read: 0,
            found: None,
            buffer: vec![0; BUFFER],
            owned: Vec::new(),
        }
    }

    /// Has this say where files begin that are there from the start.
    pub(crate) fn begin_by(&mut self, begin: Begin) {
        self.beginning = Beginning(Some(begin));
    }

    /// More files will be found by this.
    pub(crate) fn expect(&mut self, pattern: Rc<Pattern>) {
        self.patterns.push(pattern);
        if self.patterns.len() == 1 {
            let mut ids: Vec<_> = self.slots.keys().copied().collect();
            ids.sort_unstable();
            for id in ids {
                self.note_name(id);
            }
        }
    }

    pub(crate) fn files(&self) -> &dyn Files {
        &*self.files
    }

    /// How often what no event tells of is looked for.
    pub(crate) fn poll_interval(&self) -> Duration {
        self.options.poll_interval.unwrap_or(POLL_QUIET)
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
        self.forget_arrivals();
        self.mark_all();
    }

    /// Events have told how often files have come under the name of a source.
    pub(crate) fn note_arrivals(&mut self, id: SourceId, arrivals: Arrivals, backlog: Backlog) {
        if let Some(slot) = self.slots.get_mut(&id) {
            slot.source.note_arrivals(arrivals, backlog);
        }
    }

    /// Events were lost: what comes from now on is counted anew.
    pub(crate) fn forget_arrivals(&mut self) {
        for slot in self.slots.values_mut() {
            slot.source.forget_arrivals(&mut self.wants);
        }
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

    /// The file of a source that is closed for the time being was written to.
    pub(crate) fn mark_closed(&mut self, id: SourceId) {
        if let Some(slot) = self.slots.get_mut(&id) {
            slot.source.note_write();
            self.mark(id, Due::Files);
        }
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
        self.files.interrupt_by(Arc::clone(&flag));
        self.interrupt = flag;
    }

    /// Closes all files that are open.
    pub(crate) fn into_files(self) -> Box<dyn Files> {
        self.files
    }

    /// Looks at everything although nothing has announced a change.
    pub(crate) fn mark_all_unannounced(&mut self) {
        self.mark_all_for(Cause::Safety);
    }

    fn mark_all_for(&mut self, cause: Cause) {
        let mut ids: Vec<_> = self.slots.keys().copied().collect();
        ids.sort_unstable();
        for id in ids {
            if let Some(slot) = self.slots.get_mut(&id) {
                slot.source.doubt();
            }
            self.mark_for(id, Due::NameAndFiles, cause);
        }
    }

    /// Whether all that was there at the start has been delivered.
    pub(crate) fn past_start(&self) -> bool {
        self.starting.iter().all(|id| self.slots.get(id).is_none_or(|slot| slot.source.past_start()))
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
                Want::Name(_)
                | Want::Arrivals(_)
                | Want::Unannounced(_)
                | Want::Forget(_)
                | Want::Compare(..)
                | Want::Room
                | Want::Unpark(_) => {}
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

    /// Goes on until there is something to report; false if nothing is due before its [wants](Self::take_wants) are
    /// carried out. Never waits.
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
            let (path, turn) = self.slots.get_mut(&source)?.source.turn()?;
            return Some(Event::Passage(Passage::new(source, path, length, terminator, turn)));
        }
        let path = self.slots.get(&source).map_or(Path::new(""), |slot| slot.source.path());
        Some(match found {
            Step::Happened(what) => Event::Happened { source, path, what },
            Step::Working { age, offset } => Event::Working { source, age, offset },
            // It was handed out above.
            Step::Passable(_) => return None,
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

    /// How many bytes were found since this was last asked for.
    pub(crate) fn take_read(&mut self) -> u64 {
        std::mem::take(&mut self.read)
    }

    /// Whose turn it is: first outputs one after the other, then whoever is ready, each for one step.
    fn turn(&mut self) -> Option<SourceId> {
        while let Some(id) =
            self.starting.pop_front_if(|id| self.slots.get(id).is_none_or(|slot| slot.source.past_start()))
        {
            self.has_started(id);
        }
        if self.first == First::Watching && self.wants.iter().any(Want::is_watch) {
            return None;
        }
        if let Some(id) = self.starting.front() {
            // A source that waits for its first bytes keeps the later ones waiting.
            return self.source(*id)?.is_due().then_some(*id);
        }
        if self.ready.is_empty() && std::mem::take(&mut self.round_due) {
            self.begin_round();
        }
        self.ready.pop_front()
    }

    /// The first output of a source is complete.
    fn has_started(&mut self, id: SourceId) {
        if let Some(slot) = self.slots.get_mut(&id).filter(|slot| slot.source.is_due() && !slot.queued) {
            slot.queued = true;
            self.ready.push_back(id);
        }
        self.round_due = true;
        self.first = First::Watching;
    }

    fn step(&mut self, id: SourceId, now: Instant) -> Option<Step> {
        let foremost = self.starting.front() == Some(&id);
        let (slots, mut context) = self.context(id, now);
        let slot = slots.get_mut(&id)?;
        slot.queued = false;
        let step = slot.source.step(&mut context);
        self.read += step.as_ref().map_or(0, Step::bytes);
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
                Some(Step::Data(_) | Step::Working { .. } | Step::Passable(_)) if !slot.source.keeps_the_floor() => {
                    self.ready.push_back(id);
                }
                // What happened to a source is dealt with in one go, before what happened to others later; and no
                // other is to get into a line that is delivered in pieces.
                _ => self.ready.push_front(id),
            }
        } else {
            slot.source.tidy();
            self.rest(id, now);
        }
        step
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
    fn context(&mut self, source: SourceId, now: Instant) -> (&mut ByNumber<SourceId, Box<Slot>>, Context<'_>) {
        let noticed = self.slots.get(&source).map_or(Noticed::ByEvents, |slot| slot.noticed);
        let context = Context {
            files: &*self.files,
            options: &self.options,
            begin_by: self.beginning.0.as_ref(),
            start: self.options.start,
            buffer: &mut self.buffer,
            wants: &mut self.wants,
            first: self.first,
            places: &mut self.places,
            now,
            rotate_wait: if self.hurry_until > now { Duration::ZERO } else { self.options.rotate_wait },
            closed: &mut self.closed,
            source,
            noticed,
            others: Others {
                holders: &self.holders,
                patterns: &self.patterns,
                compressed: &self.compressed,
                pins: &self.pins,
            },
            interrupt: &self.interrupt,
            can_make_room: self.can_make_room,
            alone: self.added == 1,
        };
        (&mut self.slots, context)
    }
}
