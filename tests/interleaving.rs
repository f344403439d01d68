//! Rotations between any two calls of a tail: a model of a directory plays them, wherever a real one may.
#![allow(clippy::unwrap_used, reason = "a test that can't go on is to stop")]

use std::cell::{RefCell, RefMut};
use std::collections::{BTreeMap, VecDeque};
use std::ffi::OsString;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::io::{self, ErrorKind};
use std::os::fd::BorrowedFd;
use std::path::Path;
use std::rc::Rc;
use std::time::{Duration, SystemTime};

use rtail::tail::{
    Entry, Event, FileId, FileKind, Files, Flow, Handle, Happening, Links, Meta, Options, SourceId, Start, Tail,
};

const LOG: &str = "/model/a.log";
/// How many lines a generation has.
const LINES: u32 = 3;

/// What seeds decide: xorshift, so that a failure can be played again.
#[derive(Debug)]
struct Dice(u64);

impl Dice {
    fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1)
    }

    fn throw(&mut self, sides: u32) -> u32 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        u32::try_from((self.0 >> 16) % u64::from(sides)).unwrap()
    }
}

/// What a rotator or a writer does without anybody getting in between.
#[derive(Clone, Debug)]
enum Act {
    Create(&'static str),
    Append(String),
    Rename(String, String),
}

#[derive(Debug)]
struct Inode {
    birth: u32,
    modified: u32,
    content: Vec<u8>,
    links: u64,
}

/// A directory, and those who rotate and write a log in it while somebody looks.
#[derive(Debug)]
struct World {
    names: BTreeMap<String, usize>,
    inodes: Vec<Inode>,
    script: VecDeque<Act>,
    /// How many acts have been played, and how many of them happen in one tick of the clock.
    acts: u32,
    acts_in_tick: u32,
    /// One in so many calls is preceded by acts, and by so many at most.
    pause: u32,
    most: u32,
    dice: Dice,
    written: String,
}

impl World {
    fn now(&self) -> u32 {
        self.acts / self.acts_in_tick
    }

    /// Plays what happens before a call.
    fn turn(&mut self) {
        if self.dice.throw(self.pause) == 0 {
            for _ in 0..=self.dice.throw(self.most) {
                self.play();
            }
        }
    }

    fn play(&mut self) -> bool {
        let Some(act) = self.script.pop_front() else { return false };
        self.acts += 1;
        let now = self.now();
        match act {
            Act::Create(name) => {
                self.inodes.push(Inode { birth: now, modified: now, content: Vec::new(), links: 1 });
                self.names.insert(name.to_owned(), self.inodes.len() - 1);
            }
            Act::Append(text) => {
                let inode = *self.names.get("a.log").unwrap();
                self.inodes[inode].content.extend(text.as_bytes());
                self.inodes[inode].modified = now;
                self.written += &text;
            }
            Act::Rename(from, to) => {
                let inode = self.names.remove(&from).unwrap();
                if let Some(replaced) = self.names.insert(to, inode) {
                    self.inodes[replaced].links -= 1;
                }
            }
        }
        true
    }

    fn meta(&self, inode: usize) -> Meta {
        let at = |tick: u32| SystemTime::UNIX_EPOCH + Duration::from_secs(1000) + Duration::from_millis(4) * tick;
        let Inode { birth, modified, content, links } = &self.inodes[inode];
        Meta {
            id: FileId { device: 1, inode: inode as u64, birth: Some(at(*birth)) },
            kind: FileKind::Regular,
            size: content.len() as u64,
            modified: at(*modified),
            links: *links,
        }
    }

    fn find(&self, path: &Path) -> io::Result<usize> {
        let name = path.file_name().unwrap().to_str().unwrap();
        self.names.get(name).copied().ok_or_else(|| ErrorKind::NotFound.into())
    }
}

#[derive(Clone, Debug)]
struct Model(Rc<RefCell<World>>);

impl Model {
    fn call(&self) -> RefMut<'_, World> {
        let mut world = self.0.borrow_mut();
        world.turn();
        world
    }
}

impl Files for Model {
    fn meta(&self, path: &Path, _: Links) -> io::Result<Meta> {
        let world = self.call();
        if path == Path::new("/model") {
            return Ok(Meta { kind: FileKind::Directory, ..world.meta(0) });
        }
        world.find(path).map(|inode| world.meta(inode))
    }

    fn open(&self, path: &Path, _: Links) -> io::Result<Box<dyn Handle>> {
        let inode = self.call().find(path)?;
        Ok(Box::new(Open { model: self.clone(), inode }))
    }

    fn list(&self, directory: &Path) -> io::Result<Vec<OsString>> {
        Ok(self.entries(directory)?.into_iter().map(|entry| entry.name).collect())
    }

    fn entries(&self, _: &Path) -> io::Result<Vec<Entry>> {
        let world = self.call();
        let entry = |(name, inode): (&String, &usize)| Entry { name: name.into(), inode: *inode as u64 };
        let mut entries: Vec<_> = world.names.iter().map(entry).collect();
        // As file systems do that put names into the order of their hashes.
        entries.sort_by_key(|entry| {
            let mut hasher = DefaultHasher::new();
            entry.name.hash(&mut hasher);
            hasher.finish()
        });
        Ok(entries)
    }

    fn now(&self) -> SystemTime {
        let now = self.0.borrow().now();
        SystemTime::UNIX_EPOCH + Duration::from_secs(1000) + Duration::from_millis(4) * now
    }
}

#[derive(Debug)]
struct Open {
    model: Model,
    inode: usize,
}

impl Handle for Open {
    fn meta(&self) -> io::Result<Meta> {
        Ok(self.model.call().meta(self.inode))
    }

    fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
        let world = self.model.call();
        let content = &world.inodes[self.inode].content;
        let rest = content.get(usize::try_from(offset).unwrap()..).unwrap_or_default();
        let length = rest.len().min(buffer.len());
        buffer[..length].copy_from_slice(&rest[..length]);
        Ok(length)
    }

    fn read_next(&mut self, _: &mut [u8]) -> io::Result<Flow> {
        Err(ErrorKind::Unsupported.into())
    }

    fn renew(&mut self) -> io::Result<()> {
        Err(ErrorKind::Unsupported.into())
    }

    fn next_data(&self, from: u64) -> io::Result<Option<u64>> {
        Ok(Some(from))
    }

    fn position(&self) -> Option<u64> {
        None
    }

    fn file_system(&self) -> Option<i64> {
        None
    }

    fn fd(&self) -> Option<BorrowedFd<'_>> {
        None
    }
}

/// How a log is rotated.
#[derive(Clone, Copy, Debug)]
enum Rotator {
    /// All names are moved on each time.
    Cascade,
    /// Each generation gets a higher number.
    CountingUp,
}

fn lines(generation: u32) -> String {
    let line = |line| format!("line {:05}\n", generation * LINES + line);
    (0..LINES).map(line).collect::<Vec<_>>().concat()
}

fn script(rotator: Rotator, rotations: u32) -> VecDeque<Act> {
    let mut acts = VecDeque::new();
    for generation in 1..=rotations {
        let numbered = |number: u32| if number == 0 { "a.log".to_owned() } else { format!("a.log.{number}") };
        match rotator {
            Rotator::Cascade => {
                acts.extend((0..generation).rev().map(|number| Act::Rename(numbered(number), numbered(number + 1))));
            }
            Rotator::CountingUp => acts.push_back(Act::Rename(numbered(0), numbered(generation))),
        }
        acts.push_back(Act::Create("a.log"));
        acts.push_back(Act::Append(lines(generation)));
    }
    acts
}

/// A tail of the model, and what it has delivered.
struct Follower {
    tail: Tail,
    source: SourceId,
    text: String,
    happenings: Vec<Happening>,
}

impl Follower {
    fn new(model: &Model) -> Self {
        let options = Options { start: Start::FromLine(1), poll_only: true, ..Options::default() };
        let mut tail = Tail::with_files(options, Box::new(model.clone())).unwrap();
        let source = tail.follow(LOG);
        Self { tail, source, text: String::new(), happenings: Vec::new() }
    }

    /// Takes what is there now.
    fn look(&mut self) {
        self.tail.look_at(self.source);
        while let Some(event) = self.tail.try_next() {
            match event {
                Event::Data(data) => self.text.push_str(std::str::from_utf8(data.bytes).unwrap()),
                Event::Happened { what, .. } => self.happenings.push(what),
                _ => {}
            }
        }
    }
}

/// A log under a rotator, as a seed decides.
fn world(seed: u64) -> (World, VecDeque<Act>) {
    let mut dice = Dice::new(seed);
    let rotator = [Rotator::Cascade, Rotator::CountingUp][dice.throw(2) as usize];
    let script = script(rotator, 2 + dice.throw(12));
    let first = Inode { birth: 0, modified: 0, content: lines(0).into_bytes(), links: 1 };
    let world = World {
        names: BTreeMap::from([("a.log".to_owned(), 0)]),
        inodes: vec![first],
        script: VecDeque::new(),
        acts: 0,
        acts_in_tick: [1, 5, 20, 1000][dice.throw(4) as usize],
        pause: 1 + dice.throw(12),
        most: 1 + dice.throw(30),
        dice,
        written: lines(0),
    };
    (world, script)
}

#[test]
fn rotations_between_any_two_calls_lose_nothing() {
    let seeds = if std::env::var_os("RTAIL_SOAK").is_some_and(|value| value == "1") { 200_000 } else { 2_000 };
    for seed in 1..=seeds {
        let (world, script) = world(seed);
        let model = Model(Rc::new(RefCell::new(world)));
        let mut follower = Follower::new(&model);
        follower.look();
        model.0.borrow_mut().script = script;
        // Where no call is made nobody else would play.
        while model.0.borrow_mut().play() {
            follower.look();
        }
        follower.look();
        let world = model.0.borrow();
        assert_eq!(follower.text, world.written, "seed {seed}: {world:#?}\n{:?}", follower.happenings);
    }
}
