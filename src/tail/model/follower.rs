//! What drives the engine as a tail does, with this world's clock and events, and keeps what it delivers.

use std::cell::RefCell;
use std::fmt;
use std::path::PathBuf;
use std::rc::Rc;
use std::time::{Duration, Instant};

use super::fs::Key;
use super::ledger::Ledger;
use super::op::{Op, Step};
use super::seam::Model;
use super::world::{LIVE, Told, World};
use crate::tail::SAFETY;
use crate::tail::engine::Engine;
use crate::tail::event::{Arrival, Doubt, Ending, Event, Happening, SourceId};
use crate::tail::files::FileId;
use crate::tail::options::{Options, Start};
use crate::tail::position::Resume;
use crate::tail::step::{Due, Want};

/// Who looks more often than this without an end would never sleep.
const MOST: usize = 3_000;

/// What came out, in its order.
#[derive(Clone)]
pub(super) enum Out {
    Data {
        file: FileId,
        run: u64,
        offset: u64,
        bytes: Vec<u8>,
        ending: Ending,
        /// Which file they were read from.
        from: Key,
    },
    Lost {
        file: FileId,
        range: Option<std::ops::Range<u64>>,
        run: Option<u64>,
    },
    /// These may have been lost.
    Doubtful {
        file: FileId,
        range: std::ops::Range<u64>,
    },
    Opened {
        file: FileId,
        arrival: Arrival,
    },
    Rewritten {
        file: FileId,
    },
    Closed {
        file: FileId,
        /// With which call, and when.
        at: u64,
        clock: Duration,
    },
    /// The follower was killed. What came out from this place on had not been saved.
    Killed {
        saved: usize,
        /// Nor had what stands behind these offsets of runs, which could not be proven when the checkpoint was saved.
        unproven: Vec<(FileId, u64, u64)>,
    },
    Other(String),
}

impl fmt::Debug for Out {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Data { file, run, offset, bytes, ending, from } => {
                let text = String::from_utf8_lossy(bytes);
                let lines: Vec<_> = text.split_inclusive('\n').map(|line| line.split('.').next()).collect();
                write!(f, "{} run {run} at {offset} from {from}: {lines:?} {ending:?}", file.inode)
            }
            Self::Opened { file, arrival } => write!(f, "{} opened: {arrival:?}", file.inode),
            Self::Rewritten { file } => write!(f, "{} rewritten", file.inode),
            Self::Lost { file, range, .. } => write!(f, "{} lost: {range:?}", file.inode),
            Self::Doubtful { file, range } => write!(f, "{} perhaps lost: {range:?}", file.inode),
            Self::Closed { file, at, .. } => write!(f, "{} closed with call {at}", file.inode),
            Self::Killed { saved, .. } => write!(f, "killed, saved up to {saved}"),
            Self::Other(text) => f.write_str(text),
        }
    }
}

pub(super) struct Follower {
    pub(super) world: Rc<RefCell<World>>,
    model: Model,
    options: Options,
    base: Instant,
    engine: Engine,
    source: SourceId,
    safety_at: Duration,
    ledger: Ledger,
    saved: Option<Resume>,
    /// How much of what came out was accepted when that was saved.
    saved_at: usize,
    unproven: Vec<(FileId, u64, u64)>,
    pub(super) out: Vec<Out>,
}

impl Follower {
    pub(super) fn new(mut world: World, rotate_wait: Duration, poll_only: bool) -> Self {
        world.rotate_wait = rotate_wait;
        let options = Options { start: Start::FromByte(1), rotate_wait, poll_only, ..Options::default() };
        let (model, base) = (Model::new(world), Instant::now());
        let (engine, source) = Self::begin(&model, &options, base, None);
        let world = model.world.clone();
        Self {
            world,
            model,
            options,
            base,
            engine,
            source,
            safety_at: SAFETY,
            ledger: Ledger::default(),
            saved: None,
            saved_at: 0,
            unproven: Vec::new(),
            out: Vec::new(),
        }
    }

    fn begin(model: &Model, options: &Options, now: Instant, saved: Option<Resume>) -> (Engine, SourceId) {
        let mut engine = Engine::new(options.clone(), Box::new(model.clone()), now);
        let source = match saved {
            Some(saved) => engine.add_resumed(saved, now),
            None => engine.add_name(PathBuf::from("/d").join(LIVE), now),
        };
        (engine, source)
    }

    fn now(&self) -> Instant {
        self.base + self.world.borrow().fs.clock
    }

    /// Plays one step.
    pub(super) fn play(&mut self, step: Step) {
        if !step.op.is_ours() {
            let mut world = self.world.borrow_mut();
            // What follows something that is yet to come may come with it, between the same two calls.
            if step.calls > 0 || !world.armed.is_empty() {
                world.armed.push_back(step);
            } else {
                world.apply(step);
            }
            return;
        }
        match step.op {
            Op::Look => self.drain(),
            Op::Take(count) => {
                for _ in 0..count {
                    if !self.next() {
                        break;
                    }
                }
            }
            Op::Block(millis) => self.pass(millis, Self::attend),
            Op::Sleep(millis) => self.pass(millis, Self::drain),
            Op::Stall(millis) => {
                let mut world = self.world.borrow_mut();
                world.disarm();
                world.fs.clock += Duration::from_millis(millis);
            }
            Op::Overflow => {
                self.world.borrow_mut().events.clear();
                self.engine.mark_all();
            }
            Op::Save(kept) => self.save(kept),
            Op::Crash(millis) => self.crash(millis),
            _ => {}
        }
    }

    /// Lets everything come to rest, and ends.
    pub(super) fn end(&mut self) {
        self.world.borrow_mut().disarm();
        self.pass(100_000, Self::drain);
        self.engine.mark_all();
        self.attend();
        self.engine.finish();
        self.drain();
    }

    /// Delivers all there is.
    fn drain(&mut self) {
        for _ in 0..MOST {
            if !self.next() {
                self.world.borrow_mut().disarm();
                return;
            }
        }
        panic!("it goes on and on: {:?}", &self.out[self.out.len() - 4..]);
    }

    /// Delivers the next event; false if there is none.
    fn next(&mut self) -> bool {
        let now = self.now();
        self.look_around(now);
        loop {
            if self.engine.has_next(now) {
                break;
            }
            if !self.carry_out_wants() {
                return false;
            }
        }
        let out = match self.engine.take_next() {
            Some(Event::Data(data)) => {
                let from = self.world.borrow().last_read;
                let (file, run, offset) = (data.file, data.run, data.offset);
                Out::Data { file, run, offset, bytes: data.bytes.to_vec(), ending: data.ending, from }
            }
            Some(Event::Happened { what, .. }) => {
                let out = match &what {
                    Happening::Lost { file, range, .. } => {
                        let run = self.ledger.current(*file);
                        Out::Lost { file: *file, range: range.clone(), run }
                    }
                    Happening::Opened { file, arrival, .. } => Out::Opened { file: *file, arrival: *arrival },
                    Happening::Closed { file, .. } => {
                        let world = self.world.borrow();
                        let closed = world.fs.inodes.iter().filter(|inode| inode.id == *file);
                        let (at, clock) =
                            closed.map(|inode| (inode.closed_at, inode.closed_clock)).max().unwrap_or_default();
                        Out::Closed { file: *file, at, clock }
                    }
                    Happening::Ambiguous { file, doubt: Doubt::CutUnread(range) } => {
                        Out::Doubtful { file: *file, range: range.clone() }
                    }
                    Happening::Rewritten { file, .. } => Out::Rewritten { file: *file },
                    other => Out::Other(format!("{other:?}")),
                };
                self.ledger.enter(&what, self.out.len());
                if let Some(source) = self.engine.source(self.source) {
                    self.ledger.prove_beginnings(source);
                }
                out
            }
            other => Out::Other(format!("{other:?}")),
        };
        if let Out::Data { file, run, offset, bytes, .. } = &out {
            self.ledger.bytes(*file, *run, offset + bytes.len() as u64, self.out.len());
        }
        self.out.push(out);
        true
    }

    fn attend(&mut self) {
        let now = self.now();
        self.look_around(now);
        self.engine.attend(now);
        for _ in 0..MOST {
            if !self.carry_out_wants() {
                self.world.borrow_mut().disarm();
                return;
            }
            self.engine.attend(now);
        }
        panic!("it attends on and on");
    }

    fn look_around(&mut self, now: Instant) {
        let clock = now - self.base;
        if clock >= self.safety_at {
            self.safety_at = clock + SAFETY;
            self.engine.mark_all_unannounced();
        }
        self.engine.tick(now);
        let mut world = self.world.borrow_mut();
        if self.options.poll_only {
            world.events.clear();
        }
        let (due, later): (Vec<_>, Vec<_>) = world.events.drain(..).partition(|(at, _)| *at <= clock);
        world.events.extend(later);
        for (_, told) in due {
            match told {
                Told::Name => self.engine.mark(self.source, Due::NameAndFiles),
                Told::Written(fd) => self.engine.mark_descriptor(fd),
            }
        }
    }

    fn carry_out_wants(&mut self) -> bool {
        let mut looks = Vec::new();
        let mut world = self.world.borrow_mut();
        for want in self.engine.take_wants() {
            match want {
                Want::Name(_) => {
                    world.name_is_watched = true;
                    looks.push(Due::NameAndFiles);
                }
                Want::Appends(_, fd, _) => {
                    if let Some(key) = world.open.get(&fd).copied() {
                        world.watched.insert(fd, key);
                    }
                    looks.push(Due::Files);
                }
                Want::Release(fd) => {
                    world.watched.remove(&fd);
                }
                other => panic!("nobody here can do this: {other:?}"),
            }
        }
        for due in &looks {
            self.engine.mark(self.source, *due);
        }
        !looks.is_empty()
    }

    /// Lets time pass, and looks whenever there is a reason to.
    fn pass(&mut self, millis: u64, look: fn(&mut Self)) {
        let end = self.world.borrow().fs.clock + Duration::from_millis(millis);
        for _ in 0..MOST {
            look(self);
            let appointment = self.engine.deadline().map(|at| at.saturating_duration_since(self.base));
            let mut world = self.world.borrow_mut();
            let told = world.events.iter().map(|(at, _)| *at).min();
            let next = [appointment, told, Some(self.safety_at)].into_iter().flatten().min();
            let clock = world.fs.clock;
            let Some(next) = next.filter(|next| *next < end && clock < end) else {
                world.fs.clock = clock.max(end);
                drop(world);
                return look(self);
            };
            world.fs.clock = next.max(clock + Duration::from_micros(1));
        }
        panic!("it never sleeps");
    }

    fn save(&mut self, kept: usize) {
        let accepted = self.out.len().saturating_sub(kept).max(self.saved_at);
        if let Some(source) = self.engine.source(self.source)
            && let Some(resume) = self.ledger.resumption(source, accepted)
        {
            self.world.borrow_mut().remember_shown(&resume.files);
            self.saved = Some(resume);
            self.saved_at = accepted;
            self.unproven = self.ledger.unproven();
        }
    }

    fn crash(&mut self, millis: u64) {
        let Some(saved) = self.saved.clone() else { return };
        {
            let mut world = self.world.borrow_mut();
            world.disarm();
            world.forget_shown();
        }
        self.ledger = Ledger::resumed(&saved);
        let now = self.now();
        (self.engine, self.source) = Self::begin(&self.model, &self.options, now, Some(saved));
        let mut world = self.world.borrow_mut();
        world.events.clear();
        world.watched.clear();
        world.name_is_watched = false;
        world.fs.clock += Duration::from_millis(millis);
        self.safety_at = world.fs.clock + SAFETY;
        self.out.push(Out::Killed { saved: self.saved_at, unproven: self.unproven.clone() });
        self.saved_at = self.out.len();
    }
}
