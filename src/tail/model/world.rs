//! What writers and rotators do to the files, and what the follower is told of it.
//!
//! A [`Step`] happens either between two looks of the follower or, if it says so, between two of its system calls. The
//! world remembers of each line where it was written and what became of it, which the oracle compares with what came
//! out.

use std::collections::{BTreeMap, VecDeque};
use std::io;
use std::os::fd::RawFd;
use std::time::{Duration, SystemTime};

use rustix::io::Errno;

use super::fs::{Fs, Inode, Key, Shown};
use super::line::{Excuse, Line};
use super::op::{Failing, Fate, Op, Step, Style, To};
use crate::output::dice::Dice;
use crate::tail::position::Position;

/// The name that is followed.
pub(super) const LIVE: &str = "a.log";

/// What an event tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Told {
    Name,
    Written(RawFd),
}

#[derive(Debug)]
pub(super) struct World {
    pub(super) fs: Fs,
    pub(super) lines: Vec<Line>,
    dice: Dice,
    /// How many system calls the follower has made.
    pub(super) calls: u64,
    /// What happens between its calls.
    pub(super) armed: VecDeque<Step>,
    /// When it is told what.
    pub(super) events: VecDeque<(Duration, Told)>,
    pub(super) name_is_watched: bool,
    pub(super) watched: BTreeMap<RawFd, Key>,
    /// Its open files.
    pub(super) open: BTreeMap<RawFd, Key>,
    /// Which file it has read from last.
    pub(super) last_read: Key,
    /// Whether reads are as short as they may be.
    pub(super) short_reads: bool,
    pub(super) rotate_wait: Duration,
    turns: u64,
    /// The turns of files, and which of them the name means or has meant last.
    turn_of: BTreeMap<Key, u64>,
    /// When the name ceased to mean files.
    pub(super) lost_at: BTreeMap<Key, Duration>,
    live: Option<Key>,
    previous: Option<Key>,
    numbers: u32,
    /// What is being copied, and to where.
    copying: Option<(Key, Key)>,
    /// Lines that were begun, and the runs of their files.
    begun: BTreeMap<Key, (usize, usize)>,
    /// How many of the follower's next calls fail.
    failing: Option<(Failing, u32)>,
    /// How many calls have failed.
    pub(super) failures: u32,
    /// Whether a hole was made of what was never read: nothing tells its zeros from data.
    pub(super) zeros_are_data: bool,
    /// How much of which run a checkpoint knows.
    saved: BTreeMap<(Key, usize), Shown>,
}

impl World {
    pub(super) fn new(seed: u64) -> Self {
        Self {
            fs: Fs::default(),
            lines: Vec::new(),
            dice: Dice(seed),
            calls: 0,
            armed: VecDeque::new(),
            events: VecDeque::new(),
            name_is_watched: false,
            watched: BTreeMap::new(),
            open: BTreeMap::new(),
            last_read: 0,
            short_reads: false,
            rotate_wait: Duration::ZERO,
            turns: 0,
            turn_of: BTreeMap::new(),
            lost_at: BTreeMap::new(),
            live: None,
            previous: None,
            numbers: 0,
            copying: None,
            begun: BTreeMap::new(),
            failing: None,
            failures: 0,
            zeros_are_data: false,
            saved: BTreeMap::new(),
        }
    }

    /// The follower makes a system call: time passes, and what was to come between its calls comes.
    pub(super) fn call(&mut self) {
        self.calls += 1;
        self.fs.clock += Duration::from_micros(self.dice.roll(40) as u64);
        while let Some(step) = self.armed.front_mut() {
            if step.calls > 0 {
                step.calls -= 1;
                return;
            }
            let step = *step;
            self.armed.pop_front();
            self.apply(step);
        }
    }

    pub(super) fn birth(&self, key: Key) -> Option<SystemTime> {
        self.fs.inodes[key].id.birth
    }

    pub(super) fn roll(&mut self, sides: usize) -> usize {
        self.dice.roll(sides)
    }

    /// Lets everything happen that was to come between two calls.
    pub(super) fn disarm(&mut self) {
        while let Some(step) = self.armed.pop_front() {
            self.apply(step);
        }
    }

    /// Does to the files what a step says.
    pub(super) fn apply(&mut self, Step { op, fate, .. }: Step) {
        self.fs.clock += Duration::from_micros(self.dice.roll(300) as u64);
        match op {
            Op::Append(count, length, to) => self.write_lines(count, length, to, fate),
            Op::Begin => self.begin(fate),
            Op::Finish => self.finish(fate),
            Op::Rotate(style) => {
                let to = self.place(style);
                if self.fs.lookup(LIVE).is_some() {
                    let replaced = self.fs.rename(LIVE, &to);
                    self.left(replaced);
                    self.name_changed(fate);
                }
            }
            Op::MoveOn(number) => {
                let replaced = self.fs.rename(&numbered(number), &numbered(number + 1));
                self.left(replaced);
            }
            Op::Create => {
                self.live_file(fate);
            }
            Op::Unlink => {
                let left = self.fs.unlink(LIVE);
                self.left(left);
                self.name_changed(fate);
            }
            Op::Drop(number) => {
                let left = self.fs.unlink(&numbered(number));
                self.left(left);
            }
            Op::Copy(style) => {
                self.begin_copy(style);
                self.end_copy();
            }
            Op::BeginCopy(style) => {
                self.begin_copy(style);
                self.copy_spans(1);
            }
            Op::EndCopy => self.end_copy(),
            Op::Return => self.give_back_name(fate),
            Op::Truncate => self.cut_lines(usize::MAX, fate),
            Op::Shorten(count) => self.cut_lines(count, fate),
            Op::CutWithin => self.cut_within(fate),
            Op::Hole => self.make_hole(fate),
            Op::Rewrite => self.rewrite(fate),
            Op::Link(style) => {
                let to = self.place(style);
                if let Some(key) = self.fs.lookup(LIVE) {
                    let replaced = self.fs.link(key, &to);
                    self.left(replaced);
                }
            }
            Op::Swap(count) => {
                self.fs.take_away(LIVE);
                self.write_new(count, fate);
            }
            Op::Retarget(_) if self.fs.link.is_none() => {}
            Op::Retarget(count) => {
                let to = format!("r{}.log", self.fs.inodes.len());
                self.fs.lead(LIVE, &to);
                self.write_new(count, fate);
            }
            Op::Fail(what, count) => self.failing = Some((what, count)),
            Op::Replace(count) => self.replace(count, fate),
            _ => unreachable!("{op:?} happens to the follower"),
        }
    }

    /// Whether there are no descriptors left.
    pub(super) fn is_short(&self) -> bool {
        matches!(self.failing, Some((Failing::Open, _)))
    }

    /// Fails if calls of such a kind are to fail now.
    pub(super) fn fail(&mut self, kind: Failing) -> io::Result<()> {
        let Some((what, left)) = self.failing.as_mut().filter(|(what, _)| *what == kind) else {
            return Ok(());
        };
        let errno = match what {
            Failing::Open => Errno::MFILE,
            Failing::Read | Failing::List => Errno::IO,
        };
        self.failures += 1;
        *left -= 1;
        if *left == 0 {
            self.failing = None;
        }
        Err(errno.into())
    }

    /// The name has come to mean a new file, with so many lines.
    fn write_new(&mut self, count: u32, fate: Fate) {
        let key = self.fs.create_where_it_leads(LIVE);
        self.means(key);
        for _ in 0..count {
            let text = self.text(40);
            self.write(key, &text, text.len());
        }
        self.name_changed(fate);
    }

    fn place(&mut self, style: Style) -> String {
        if style == Style::Down {
            return numbered(1);
        }
        self.numbers += 1;
        match style {
            Style::Dates => format!("{LIVE}-2026{:04}", self.numbers),
            Style::Up | Style::Down => numbered(self.numbers),
        }
    }

    fn live_file(&mut self, fate: Fate) -> Key {
        if let Some(key) = self.fs.lookup(LIVE) {
            return key;
        }
        let key = self.fs.create_where_it_leads(LIVE);
        self.means(key);
        self.name_changed(fate);
        key
    }

    /// The name has come to mean another file.
    fn means(&mut self, key: Key) {
        self.turns += 1;
        self.turn_of.insert(key, self.turns);
        self.previous = self.live.replace(key);
        if let Some(previous) = self.previous {
            self.lost_at.entry(previous).or_insert(self.fs.clock);
        }
        self.lost_at.remove(&key);
        for line in self.lines.iter_mut().filter(|line| line.home == key && line.turn.is_none()) {
            line.turn = Some(self.turns);
        }
    }

    /// A line like no other, not in its end either.
    fn text(&self, length: usize) -> String {
        let mut text = format!("L{}.", self.lines.len());
        let mut dice = Dice(self.lines.len() as u64);
        let more = length.saturating_sub(text.len() + 1);
        text.extend((0..more).map(|_| char::from(b'a' + u8::try_from(dice.roll(26)).unwrap())));
        text.push('\n');
        text
    }

    fn write(&mut self, key: Key, text: &str, upto: usize) {
        let line = Line {
            text: text.to_owned(),
            home: key,
            run: self.fs.inodes[key].run,
            offset: self.fs.inodes[key].content.len() as u64,
            written: upto as u64,
            at: self.calls,
            clock: self.fs.now(),
            turn: self.turn_of.get(&key).copied(),
            late: self.live != Some(key) && self.turn_of.contains_key(&key),
            cut_to: None,
            stump: None,
            survived: false,
            excuse: None,
        };
        self.fs.append(key, self.lines.len(), &text.as_bytes()[..upto]);
        self.lines.push(line);
    }

    fn write_lines(&mut self, count: u32, length: usize, to: To, fate: Fate) {
        let key = match to {
            To::Live => self.live_file(fate),
            To::Previous => match self.previous.filter(|key| self.fs.inodes[*key].is_reachable()) {
                Some(key) => key,
                None => return,
            },
        };
        self.abandon(key);
        for _ in 0..count {
            let text = self.text(length);
            self.write(key, &text, text.len());
        }
        self.written(key, fate);
    }

    /// Nothing is glued to a line that was begun: its writer ends it first.
    fn abandon(&mut self, key: Key) {
        if let Some((line, run)) = self.begun.remove(&key) {
            self.end(key, line, run, Fate::Lost);
        }
        let inode = &self.fs.inodes[key];
        if let Some(last) = inode.spans.last().filter(|_| !inode.content.ends_with(b"\n")) {
            self.fs.append(key, last.line, b"\n");
        }
    }

    fn begin(&mut self, fate: Fate) {
        let key = self.live_file(fate);
        self.abandon(key);
        self.begun.insert(key, (self.lines.len(), self.fs.inodes[key].run));
        let text = self.text(20);
        self.write(key, &text, 10);
        self.written(key, fate);
    }

    /// Ends the line that was begun first.
    fn finish(&mut self, fate: Fate) {
        if let Some((key, (line, run))) = self.begun.pop_first() {
            self.end(key, line, run, fate);
        }
    }

    fn end(&mut self, key: Key, line: usize, run: usize, fate: Fate) {
        if self.fs.inodes[key].run == run && self.fs.inodes[key].is_reachable() {
            let rest = self.lines[line].text.as_bytes()[10..].to_vec();
            self.fs.append(key, line, &rest);
            let written = &mut self.lines[line];
            written.written += rest.len() as u64;
            (written.at, written.clock) = (self.calls, self.fs.now());
            written.late = self.live != Some(key);
            self.written(key, fate);
        }
    }

    fn begin_copy(&mut self, style: Style) {
        self.end_copy();
        let Some(key) = self.fs.lookup(LIVE) else { return };
        let to = self.place(style);
        let left = self.fs.unlink(&to);
        self.left(left);
        self.copying = Some((key, self.fs.create(&to)));
    }

    fn end_copy(&mut self) {
        self.copy_spans(usize::MAX);
        self.copying = None;
    }

    /// Copies so many more lines of the file that is being copied.
    fn copy_spans(&mut self, most: usize) {
        let Some((from, to)) = self.copying.filter(|(_, to)| self.fs.inodes[*to].is_reachable()) else { return };
        let content = self.fs.inodes[from].content.clone();
        let done = self.fs.inodes[to].content.len() as u64;
        let spans = self.fs.inodes[from].spans.clone();
        for span in spans.iter().filter(|span| span.end() > done).take(most) {
            let start = span.offset.max(done);
            let hole = usize::try_from(span.offset).unwrap();
            if self.fs.inodes[to].content.len() < hole {
                self.fs.inodes[to].content.resize(hole, 0);
            }
            let range = usize::try_from(start).unwrap()..usize::try_from(span.end()).unwrap();
            self.fs.append(to, span.line, &content[range]);
        }
    }

    fn give_back_name(&mut self, fate: Fate) {
        let Some(key) = self.live.filter(|_| self.fs.lookup(LIVE).is_none()) else { return };
        if let Some(name) = self.fs.name_of(key) {
            self.fs.rename(&name, LIVE);
            self.lost_at.remove(&key);
            self.name_changed(fate);
        }
    }

    /// Cuts the last lines off the followed file.
    fn cut_lines(&mut self, count: usize, fate: Fate) {
        let Some(key) = self.fs.lookup(LIVE) else { return };
        let spans = &self.fs.inodes[key].spans;
        let left = spans.len().saturating_sub(count);
        let to = spans.get(left).filter(|_| left > 0).map_or(0, |span| span.offset);
        self.cut(key, to);
        self.written(key, fate);
    }

    fn cut_within(&mut self, fate: Fate) {
        let Some(key) = self.fs.lookup(LIVE) else { return };
        let Some(last) = self.fs.inodes[key].spans.last().copied() else { return };
        let text = &self.lines[last.line].text;
        let left = text.find('.').map_or(0, |dot| dot + 1).max(usize::try_from(last.length / 2).unwrap());
        if (left as u64) < last.length {
            self.lines[last.line].stump = Some(left);
            self.cut(key, last.offset + left as u64);
            self.written(key, fate);
        }
    }

    fn make_hole(&mut self, fate: Fate) {
        let Some(key) = self.fs.lookup(LIVE) else { return };
        // It goes on behind a line, as its writer does.
        let size = self.fs.inodes[key].content.len();
        if !self.fs.inodes[key].content.ends_with(b"\n") {
            return;
        }
        self.zeros_are_data |= self.fs.inodes[key].shown().read == 0;
        self.cut(key, 0);
        self.fs.inodes[key].content.resize(size, 0);
        let text = self.text(40);
        self.write(key, &text, text.len());
        self.written(key, fate);
    }

    fn cut(&mut self, key: Key, to: u64) {
        let Shown { read, modified, stirred, begun, .. } = *self.fs.inodes[key].shown();
        let is_first = self.fs.inodes[key].run == 0;
        // Whoever copies it finds its end there.
        self.copying.take_if(|(from, _)| *from == key);
        let gone = self.fs.cut(key, to);
        for number in &gone {
            let line = &mut self.lines[*number];
            let here = line.home == key;
            let gone = here && !self.fs.holds(*number, line.written);
            line.cut_to = line.cut_to.or(here.then_some(to));
            if gone && to >= read {
                line.excuse.get_or_insert(Excuse::Unread);
            }
            if here && (to, read) == (0, 0) && modified == Some(self.fs.tick()) {
                line.excuse.get_or_insert(Excuse::OneTick);
            }
            if gone && !is_first && stirred && !begun {
                line.excuse.get_or_insert(Excuse::Brief);
            }
            if here && to > 0 && !line.is_whole() {
                line.excuse.get_or_insert(Excuse::CutUnfinished);
            }
        }
        for span in &self.fs.inodes[key].spans {
            self.lines[span.line].survived = true;
        }
        self.gone(gone);
        if self.live == Some(key) {
            self.turns += 1;
            self.turn_of.insert(key, self.turns);
        }
    }

    fn rewrite(&mut self, fate: Fate) {
        let Some(key) = self.fs.lookup(LIVE) else { return };
        let lengths: Vec<_> = self.fs.inodes[key].spans.iter().map(|span| span.length).collect();
        self.cut(key, 0);
        for length in lengths {
            let text = self.text(usize::try_from(length).unwrap());
            self.write(key, &text, text.len());
        }
        self.written(key, fate);
    }

    fn replace(&mut self, count: u32, fate: Fate) {
        const NEW: &str = "a.log.tmp";
        let key = self.fs.create(NEW);
        for _ in 0..count {
            let text = self.text(40);
            self.write(key, &text, text.len());
        }
        let replaced = self.fs.rename(NEW, LIVE);
        self.means(key);
        self.left(replaced);
        self.name_changed(fate);
    }

    /// A file has lost a name, or its last reader.
    pub(super) fn left(&mut self, key: Option<Key>) {
        let Some(inode) = key.map(|key| &self.fs.inodes[key]) else { return };
        if !inode.is_reachable() {
            let gone = inode.spans.iter().map(|span| span.line).collect();
            self.gone(gone);
        }
    }

    /// Lines are gone from a place where they stood.
    fn gone(&mut self, lines: Vec<usize>) {
        for line in lines {
            let (number, line) = (line, &mut self.lines[line]);
            let shown = self.fs.inodes[line.home].shown[line.run];
            if !self.fs.holds(number, line.written) && line.end() > shown.size {
                line.excuse.get_or_insert(Excuse::Unseen);
            }
        }
    }

    /// A checkpoint is saved: so much is known of these files after a kill.
    pub(super) fn remember_shown(&mut self, files: &[Position]) {
        self.saved.clear();
        for file in files {
            // Of a run that began since, it tells nothing.
            let is_run = |inode: &Inode| {
                let end = usize::try_from(file.offset).unwrap();
                let read = inode.content.get(..end).unwrap_or_default();
                read.ends_with(&file.anchor) && read.starts_with(&file.head)
            };
            let known = |inode: &Inode| inode.id == file.file && is_run(inode);
            for (key, inode) in self.fs.inodes.iter().enumerate().filter(|(_, inode)| known(inode)) {
                let Shown { size, read, .. } = *inode.shown();
                let shown = Shown { size: size.min(file.size), read: read.min(file.offset), ..Shown::default() };
                self.saved.insert((key, inode.run), shown);
            }
        }
    }

    /// The follower is killed.
    pub(super) fn forget_shown(&mut self) {
        for (key, inode) in self.fs.inodes.iter_mut().enumerate() {
            for (run, shown) in inode.shown.iter_mut().enumerate() {
                *shown = self.saved.get(&(key, run)).copied().unwrap_or_default();
            }
        }
        for (number, line) in self.lines.iter_mut().enumerate() {
            let read = self.fs.inodes[line.home].shown[line.run].read;
            if line.cut_to.is_some_and(|to| to >= read) && !self.fs.holds(number, line.written) {
                line.excuse.get_or_insert(Excuse::Unread);
            }
        }
        self.gone((0..self.lines.len()).collect());
    }

    fn name_changed(&mut self, fate: Fate) {
        if let Some(live) = self.live.filter(|live| self.fs.lookup(LIVE) != Some(*live)) {
            self.lost_at.entry(live).or_insert(self.fs.clock);
        }
        if self.name_is_watched {
            self.tell(Told::Name, fate);
        }
    }

    fn written(&mut self, key: Key, fate: Fate) {
        let fds: Vec<_> = self.watched.iter().filter(|(_, watched)| **watched == key).map(|(fd, _)| *fd).collect();
        for fd in fds {
            self.tell(Told::Written(fd), fate);
        }
    }

    fn tell(&mut self, what: Told, fate: Fate) {
        match fate {
            Fate::Told => self.events.push_back((self.fs.clock, what)),
            Fate::Late(millis) => self.events.push_back((self.fs.clock + Duration::from_millis(millis), what)),
            Fate::Lost => {}
        }
    }
}

pub(super) fn numbered(number: u32) -> String {
    format!("{LIVE}.{number}")
}
