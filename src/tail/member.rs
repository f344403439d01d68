//! One generation on its way through a source: pinned, read through, followed, let go.
//!
//! A [`Member`] joins an open file with the unfinished line at its end and says, look by look, what to deliver
//! and when to come back. The source decides the order among members.

mod cut;
mod ending;
mod passing;
mod start;

use std::io;
use std::os::fd::{AsRawFd, BorrowedFd, RawFd};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use self::cut::{Beginning, Past, Peeked, Recovery};
pub(crate) use self::cut::{Claim, Copy, Cut, Turn};
use super::copies::copies;
use super::event::{Age, Arrival, Begins, Ending, Happening, SourceId};
use super::files::{FileId, Handle, Meta};
use super::generation::{Closed, Generation, Look, Reading, Rest};
use super::lines::{Bounds, Framed, Framing, Lines};
use super::options::Options;
use super::place::Place;
use super::position::Position;
use super::seldom::{MayBeEmpty, Seldom};
use super::start::Window;
use super::step::{Bytes, Context, Delivery, RETRY, Want};

/// How soon a file that may be in the middle of a change is looked at again.
const SETTLE: Duration = Duration::from_millis(100);

/// How far the delivery of a generation has come.
#[derive(Debug)]
enum Stage {
    /// Held open; nothing of it was announced or delivered.
    Pinned(Arrival),
    /// Being read through for what was asked for.
    Windowed(Box<Window>),
    /// What that has kept is being delivered.
    Emptied,
    /// What was there at the start is being delivered.
    Initial,
    /// What is appended is being delivered.
    Following,
    /// It was cut, and whether there is a copy of the rest isn't known yet.
    Seeking(Cut),
    /// What was cut off unread is being delivered from a copy.
    Recovering(Box<Recovery>),
}

/// What a generation is to its source.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Role {
    /// The source ends where this file ends.
    Printed,
    /// The source ends with what there is of this file.
    Finishing,
    /// The name means it, or it is followed whatever its name means.
    Current,
    /// The name means nothing now.
    Orphaned,
    /// The name means another file now, or is no longer looked at.
    Superseded,
}

/// What one look brought.
#[derive(Debug)]
pub(crate) enum Progress {
    /// Bytes to deliver; there may be more.
    Data(Delivery),
    /// Bytes to deliver, and nothing more for now.
    LastData(Delivery, Again),
    /// The last bytes of a run, and what happened behind them; there may be more.
    DataThen(Delivery, Vec<Happening>),
    /// It begins, with this to report; there may be more.
    Began(Vec<Happening>),
    /// Something to report; there may be more.
    Happened(Vec<Happening>),
    /// The file was cut: a copy may hold what was not read of it. [`Member::go_on`] goes on behind that.
    Cut(Cut),
    /// So many bytes can be passed; there may be more.
    Passable(u64),
    /// Something of this age was read, but there is nothing to report of it yet; there may be more.
    Working(Age),
    /// The same, and nothing more for now.
    LastWork(Age, Again),
    /// Something is there of a run of which nothing had been. Unless [`Member::go_back`] goes back to an earlier one,
    /// [`Member::settle`] and [`Member::act_on`] go on.
    Stirred(Look),
    /// Nothing for now.
    Rest(Again),
    /// Nothing for now, and newer generations must wait: the last line may still be finished.
    Hold(Again),
    /// Read to its end, and to be let go.
    Done,
    /// A read failed.
    Failed(io::Error),
}

/// When to look again without having been woken.
pub(crate) type Again = Option<Instant>;

#[derive(Debug)]
pub(crate) struct Member {
    generation: Generation,
    /// Where it was when its name was found to mean it, as far as known.
    place: Option<Place>,
    lines: Lines,
    stage: Stage,
    beginning: Beginning,
    /// What was read of the present one, if another has yet to come before it.
    peeked: Option<Box<Peeked>>,
    /// 0 before it begins.
    run: u64,
    quiet_since: Instant,
    unrest: Seldom<Unrest>,
}

/// What a file doesn't have that is just being followed.
#[derive(Debug)]
struct Unrest {
    /// What the run before the present one was, until that has begun.
    past: Option<Past>,
    /// Since when its name doesn't mean it any more.
    ended_since: Option<Instant>,
    failing_since: Option<Instant>,
    /// When another handle was last put in the place of one that had gone stale.
    renewed: Option<Instant>,
    unsettled_since: Option<Instant>,
    /// What keeps the end of the file from being read, until that was reported.
    flaw: Option<io::Error>,
}

impl Unrest {
    const NONE: Self =
        Self { past: None, ended_since: None, failing_since: None, renewed: None, unsettled_since: None, flaw: None };
}

impl Default for Unrest {
    fn default() -> Self {
        Self::NONE
    }
}

impl MayBeEmpty for Unrest {
    const EMPTY: &'static Self = &Self::NONE;

    fn is_empty(&self) -> bool {
        let Self { past, ended_since, failing_since, renewed, unsettled_since, flaw } = self;
        let since = ended_since.or(*failing_since).or(*renewed).or(*unsettled_since);
        past.is_none() && since.is_none() && flaw.is_none()
    }
}

impl Member {
    /// Holds a generation open until its turn comes.
    pub(crate) fn pinned(generation: Generation, arrival: Arrival, now: Instant) -> Self {
        let beginning = match arrival {
            _ if generation.offset() > 0 => Beginning::Settled,
            // What it was before is not asked for.
            Arrival::First if generation.size() > 0 => Beginning::Settled,
            Arrival::First | Arrival::Resumed | Arrival::Returned => Beginning::Empty(generation.ended()),
            _ => Beginning::Empty(None),
        };
        let flaw = generation.handle().flaw();
        let unrest = flaw.map(|error| Unrest { flaw: Some(error), ..Unrest::NONE }.into()).unwrap_or_default();
        Self {
            generation,
            beginning,
            peeked: None,
            place: None,
            lines: Lines::default(),
            stage: Stage::Pinned(arrival),
            run: 0,
            quiet_since: now,
            unrest,
        }
    }

    /// Takes no more room than it needs, now that there is nothing to do.
    pub(crate) fn tidy(&mut self) {
        self.unrest.tidy();
        self.generation.tidy();
    }

    /// Goes on with a generation that was [closed](Self::into_closed) for a while.
    pub(crate) fn resumed(generation: Generation, run: u64, now: Instant) -> Self {
        Self { stage: Stage::Following, run, ..Self::pinned(generation, Arrival::Returned, now) }
    }

    /// Whether there is more in the file than was seen.
    pub(crate) fn has_grown(&self) -> bool {
        self.generation.handle().meta().is_ok_and(|meta| meta.size > self.generation.size())
    }

    /// Closes a file that has been read to its end, with nothing left to be said of it, to be opened again one day.
    pub(crate) fn into_closed(self) -> Result<(Closed, Meta, Option<Position>), Box<Self>> {
        let quiet = matches!(self.stage, Stage::Following) && self.unrest.failing_since.is_none();
        let settled = self.unrest.unsettled_since.is_none() && self.generation.reading() == Reading::Anchored;
        let whole = self.lines.kept() == 0
            && self.peeked.is_none()
            && !self.lines.is_torn()
            && self.generation.held_back().is_none();
        match self.generation.handle().meta() {
            Ok(meta) if quiet && settled && whole && meta.size == self.generation.offset() => {
                let position = self.generation.prove(meta.size);
                Ok((self.generation.close(), meta, position))
            }
            _ => Err(Box::new(self)),
        }
    }

    /// Has it be quiet from now on at the earliest.
    pub(crate) fn restart_quiet(&mut self, now: Instant) {
        self.quiet_since = now;
    }

    /// Remembers where it was when its name was found to mean it.
    pub(crate) fn is_at(&mut self, place: Option<Place>) {
        self.place = place;
    }

    pub(crate) fn file(&self) -> FileId {
        self.generation.id()
    }

    /// Where it is now, unless that is where it was when its `name` was found to mean it.
    pub(crate) fn renamed_to(&self, name: &Path) -> Option<PathBuf> {
        let moved = |now: &PathBuf| self.place.as_ref().is_none_or(|place| !place.is(now, name));
        self.generation.handle().location().filter(moved)
    }

    /// Whether its name was removed, and it has others.
    pub(crate) fn has_other_names(&self) -> bool {
        let handle = self.generation.handle();
        handle.is_unnamed() && handle.meta().is_ok_and(|meta| meta.links > 0)
    }

    pub(crate) fn fd(&self) -> Option<RawFd> {
        self.generation.handle().fd().map(|fd| fd.as_raw_fd())
    }

    pub(crate) fn is_sequential(&self) -> bool {
        self.generation.reading() == Reading::Sequential
    }

    /// Asks for appends to be noticed.
    pub(crate) fn want_appends(&self, source: SourceId) -> Option<Want> {
        let handle = self.generation.handle();
        match self.fd() {
            Some(fd) => Some(Want::Appends(source, fd, handle.file_system())),
            None => handle.must_be_polled().then_some(Want::Unannounced(source)),
        }
    }

    pub(crate) fn handle_fd(&self) -> Option<BorrowedFd<'_>> {
        self.generation.handle().fd()
    }

    pub(crate) fn past_start(&self) -> bool {
        matches!(self.stage, Stage::Following | Stage::Seeking(_) | Stage::Recovering(_))
            || self.unrest.failing_since.is_some()
    }

    /// Whether, when all members were read to their ends, this one was.
    pub(crate) fn is_read_out(&self) -> bool {
        !matches!(self.stage, Stage::Pinned(_) | Stage::Seeking(_) | Stage::Recovering(_)) && !self.is_stirred()
    }

    /// How far it was read, and the largest size seen.
    pub(crate) fn read_of(&self) -> (u64, u64) {
        let seen = match self.stage {
            // It was not looked at since it was taken, and may have grown.
            Stage::Pinned(_) => self.generation.handle().meta().map_or(0, |meta| meta.size),
            _ => 0,
        };
        (self.read_to(), self.generation.size().max(self.read_to()).max(seen))
    }

    /// The run that is being read; 0 before it begins.
    pub(crate) fn run(&self) -> u64 {
        self.run
    }

    /// How many bytes were read but not delivered since their line is not finished.
    pub(crate) fn kept(&self) -> u64 {
        let windowed = match &self.stage {
            Stage::Windowed(window) => window.kept(),
            _ => 0,
        };
        self.lines.kept() + windowed
    }

    /// What the file is now.
    pub(crate) fn meta(&self) -> io::Result<Meta> {
        self.generation.handle().meta()
    }

    /// Takes note of what the file was at some time.
    pub(crate) fn saw(&mut self, meta: &Meta) {
        self.generation.saw(meta);
    }

    /// Whether only a part of a long line has been delivered as yet.
    pub(crate) fn is_within_line(&self) -> bool {
        self.lines.is_torn()
    }

    /// Proves for later that `run` was read up to `offset`; `None` if that can't be proved (any more).
    pub(crate) fn prove(&self, run: u64, offset: u64) -> Option<Position> {
        match &self.stage {
            _ if run != self.run => None,
            Stage::Pinned(_) => None,
            Stage::Seeking(cut) => cut.before.prove(offset),
            Stage::Recovering(recovery) if offset > recovery.offset => None,
            // What it was stands in the copy, where it will be found again.
            Stage::Recovering(recovery) => {
                Position::read(&*recovery.copy.handle, &recovery.cut.before, offset).ok().flatten()
            }
            _ if offset == 0 => self.prove_beginning(),
            _ => self.generation.prove(offset),
        }
    }

    /// Whether a file is nothing but a copy of this one.
    ///
    /// # Errors
    /// A read that failed.
    pub(crate) fn is_copied_by(&self, file: &dyn Handle) -> io::Result<bool> {
        Ok(self.is_sought_in(file)? || self.generation.is_copied_by(file)?)
    }

    /// Whether a file is a copy of what this one was before it was cut, which is still looked for.
    fn is_sought_in(&self, file: &dyn Handle) -> io::Result<bool> {
        match &self.stage {
            Stage::Seeking(cut) => copies(file, &cut.before),
            _ => Ok(false),
        }
    }

    /// The same of a compressed file.
    ///
    /// # Errors
    /// A read that failed.
    pub(crate) fn is_packed_in(&self, file: &dyn Handle) -> io::Result<bool> {
        Ok(self.is_sought_in(file)? || self.generation.is_packed_in(file)?)
    }

    /// What is to be reported when the name means this file again.
    pub(crate) fn returned(&self) -> Option<Happening> {
        let (file, run, offset) = (self.file(), self.run, self.fragment_offset());
        let size = self.generation.size().max(self.generation.offset());
        let begins = self.begins();
        (run > 0).then_some(Happening::Opened { file, arrival: Arrival::Returned, run, offset, begins, size })
    }

    /// Reads nothing that is appended from now on.
    pub(crate) fn limit_to_now(&mut self) {
        self.generation.limit_to_now();
    }

    /// Leaves a descriptor that others share behind what was delivered; where it was, if nothing was read.
    pub(crate) fn leave(&self) {
        if !matches!(self.stage, Stage::Pinned(_)) {
            self.generation.leave(self.lines.kept());
        }
    }

    /// Whether a handle that has gone stale may be replaced now. One that does so at once, each time, is not to keep us busy.
    pub(crate) fn may_renew(&self, now: Instant) -> bool {
        self.unrest.renewed.is_none_or(|renewed| now >= renewed + RETRY)
    }

    pub(crate) fn replace_handle(&mut self, handle: Box<dyn Handle>, now: Instant) {
        self.unrest.renewed = Some(now);
        self.generation.replace_handle(handle);
    }

    /// Looks at the file once.
    pub(crate) fn advance(
        &mut self,
        context: &mut Context<'_>,
        runs: &mut u64,
        role: Role,
        framing: Framing,
    ) -> Progress {
        match role {
            Role::Printed | Role::Finishing | Role::Current => {
                self.unrest.present().into_iter().for_each(|unrest| unrest.ended_since = None);
            }
            Role::Orphaned | Role::Superseded => {
                self.unrest.ended_since.get_or_insert(context.now);
            }
        }
        if let Some((offset, bytes, ending)) = self.next_kept(context.options) {
            return Progress::Data(self.delivery(offset, Bytes::Owned(bytes), ending));
        }
        match std::mem::replace(&mut self.stage, Stage::Following) {
            Stage::Seeking(cut) => return Progress::Cut(cut),
            Stage::Recovering(recovery) => return self.recover(*recovery, context, runs, role, framing),
            stage => self.stage = stage,
        }
        if let Stage::Pinned(arrival) = self.stage {
            return match self.begin(arrival, context, role, *runs + 1) {
                Ok(happenings) => {
                    *runs += 1;
                    self.run = *runs;
                    Progress::Began(happenings)
                }
                Err(error) => {
                    self.stage = Stage::Pinned(arrival);
                    Progress::Failed(error)
                }
            };
        }
        if matches!(self.stage, Stage::Emptied) {
            self.stage = Stage::Following;
        }
        if let Some(Peeked { bytes, .. }) = self.peeked.as_deref() {
            context.buffer[..bytes.len()].copy_from_slice(bytes);
            return Progress::Stirred(Look::Bytes { at: 0..bytes.len(), rest: Rest::More });
        }
        if self.may_pass(context.options, framing) {
            match self.generation.passable() {
                Ok(0) => {}
                Ok(length) => {
                    self.quiet_since = context.now;
                    return Progress::Passable(length);
                }
                Err(error) => return Progress::Failed(error),
            }
        }
        let look = match self.generation.look(context.buffer, context.now) {
            Ok(look) => look,
            Err(error) => return Progress::Failed(error),
        };
        if let Some(unrest) = self.unrest.present() {
            unrest.failing_since = None;
            unrest.unsettled_since.take_if(|_| !matches!(look, Look::Nothing(Rest::Unsettled)));
        }
        if self.is_stirred() {
            return Progress::Stirred(look);
        }
        self.act_on(look, context, role, framing)
    }

    /// Does what one look calls for.
    pub(crate) fn act_on(&mut self, look: Look, context: &mut Context<'_>, role: Role, framing: Framing) -> Progress {
        match look {
            Look::Bytes { at, rest } => {
                self.quiet_since = context.now;
                let age = self.age();
                let delivery = self.deliver(&context.buffer[at.clone()], at.start, framing, context.options);
                // Whoever is not current has more to do at the end than to wait.
                if role == Role::Current && rest != Rest::More && !self.lines.has_more() && self.unrest.flaw.is_none()
                {
                    self.stage = Stage::Following;
                    let again = again(rest, context.now);
                    return match delivery {
                        Some(delivery) => Progress::LastData(delivery, again),
                        None => Progress::LastWork(age, again),
                    };
                }
                delivery.map_or(Progress::Working(age), Progress::Data)
            }
            Look::Nothing(rest) => self.at_rest(rest, context, role, framing),
            Look::Changed(change) => self.changed(change),
            Look::Dry => {
                context.wants.push(Want::Readable(context.source));
                match role {
                    Role::Printed | Role::Current => Progress::Rest(None),
                    // What has not come by now is not waited for.
                    Role::Finishing => self.leave_start(context.options).unwrap_or(Progress::Done),
                    Role::Orphaned | Role::Superseded => self.wait_for_late_writers(None, context),
                }
            }
            Look::End => self.ended(context, role),
        }
    }

    /// Where in a line the next byte is that will be delivered.
    fn begins(&self) -> Begins {
        let within = self.lines.kept() == 0 && self.generation.is_within_line();
        if within { Begins::Within } else { Begins::Line }
    }

    fn age(&self) -> Age {
        if self.past_start() { Age::Appended } else { Age::Initial }
    }

    /// Passes newly read bytes, which stand at `at` of the buffer, through window and line assembly.
    fn deliver(&mut self, new: &[u8], at: usize, framing: Framing, options: &Options) -> Option<Delivery> {
        let skipped = match &mut self.stage {
            Stage::Windowed(window) => new.len() - window.push(new, options.terminator),
            _ => 0,
        };
        let new = &new[skipped..];
        let offset = self.fragment_offset().saturating_sub(new.len() as u64);
        let (bytes, ending) = match self.lines.push(new, framing, bounds(options)) {
            Framed::Nothing => return None,
            Framed::Direct(length) => (Bytes::Buffered(at + skipped..at + skipped + length), Ending::Line),
            Framed::Joined(bytes, ending) => (Bytes::Owned(bytes), ending),
        };
        Some(self.delivery(offset, bytes, ending))
    }

    /// What can be delivered before more is read.
    fn next_kept(&mut self, options: &Options) -> Option<(u64, Vec<u8>, Ending)> {
        let offset = self.fragment_offset();
        self.lines.next(bounds(options)).map(|(bytes, ending)| (offset, bytes, ending))
    }

    fn delivery(&self, offset: u64, bytes: Bytes, ending: Ending) -> Delivery {
        Delivery { file: self.file(), run: self.run, offset, bytes, ending, age: self.age() }
    }

    /// Where the bytes that are kept begin; 0 if their beginning was cut off the file meanwhile.
    fn fragment_offset(&self) -> u64 {
        self.read_to().saturating_sub(self.lines.kept())
    }

    /// The offset behind what was read last.
    fn read_to(&self) -> u64 {
        match &self.stage {
            Stage::Seeking(cut) => cut.before.offset,
            Stage::Recovering(recovery) => recovery.offset,
            _ => self.generation.offset() - self.peeked.as_ref().map_or(0, |peeked| peeked.bytes.len() as u64),
        }
    }

    fn take_fragment(&mut self, ending: Ending) -> Option<Delivery> {
        let offset = self.fragment_offset();
        self.lines.take().map(|bytes| self.delivery(offset, Bytes::Owned(bytes), ending))
    }
}

fn bounds(options: &Options) -> Bounds {
    Bounds { terminator: options.terminator, longest: options.longest_line }
}

fn again(rest: Rest, now: Instant) -> Again {
    match rest {
        Rest::Unsettled => Some(now + SETTLE),
        Rest::NulsHeld => Some(now + RETRY),
        Rest::More | Rest::AtEnd => None,
    }
}
