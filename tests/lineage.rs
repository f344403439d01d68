//! Lineage: what went by unseen, while a tail was busy or while there was none, is found beside the name.
#![allow(clippy::unwrap_used, reason = "a test that can't go on is to stop")]

use std::cell::Cell;
use std::collections::HashMap;
use std::ffi::OsString;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write as _};
use std::ops::RangeInclusive;
use std::os::fd::BorrowedFd;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant, SystemTime};

use rtail::tail::{
    Disk, Event, FileId, Files, Flow, Following, Handle, Happening, Links, Loss, Meta, Options, Position, Resume,
    SourceId, Start, Tail,
};

const PATIENCE: Duration = Duration::from_secs(20);

/// Lines of some length, so that a few of them prove where they are from.
fn lines(numbers: RangeInclusive<u32>) -> String {
    let line = |number| format!("line {number:06} {}\n", "x".repeat(number as usize % 40));
    numbers.map(line).collect::<Vec<_>>().concat()
}

/// A directory with a log in it, and those who write and rotate that.
struct Log {
    temp: tempfile::TempDir,
    clock: Clock,
}

/// How finely the times of files are told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Clock {
    AsHere,
    Ticking,
}

impl Log {
    fn new() -> Self {
        Self::timed_by(Clock::AsHere)
    }

    fn timed_by(clock: Clock) -> Self {
        Self { temp: tempfile::tempdir().unwrap(), clock }
    }

    fn files(&self) -> Box<dyn Files> {
        match self.clock {
            Clock::AsHere => Box::new(Disk),
            Clock::Ticking => Box::new(Ticking),
        }
    }

    fn with(numbers: RangeInclusive<u32>) -> Self {
        let log = Self::new();
        log.append(numbers);
        log
    }

    fn at(&self, name: &str) -> PathBuf {
        self.temp.path().join(name)
    }

    fn path(&self) -> PathBuf {
        self.at("a.log")
    }

    fn write(&self, text: &str) -> &Self {
        let mut file = OpenOptions::new().append(true).create(true).open(self.path()).unwrap();
        file.write_all(text.as_bytes()).unwrap();
        self
    }

    fn append(&self, numbers: RangeInclusive<u32>) -> &Self {
        self.write(&lines(numbers))
    }

    fn rename(&self, from: &str, to: &str) -> &Self {
        fs::rename(self.at(from), self.at(to)).unwrap();
        self
    }

    /// `mv a.log.2 a.log.3; mv a.log.1 a.log.2; …`, so that `a.log.1` is free.
    fn cascade(&self) -> &Self {
        let count = (1..1000).take_while(|number| self.at(&format!("a.log.{number}")).exists()).count();
        for number in (1..=count).rev() {
            self.rename(&format!("a.log.{number}"), &format!("a.log.{}", number + 1));
        }
        self
    }

    fn rotate(&self) -> &Self {
        self.cascade().rename("a.log", "a.log.1")
    }

    fn copytruncate(&self) -> &Self {
        self.cascade();
        fs::copy(self.path(), self.at("a.log.1")).unwrap();
        self.truncate()
    }

    fn truncate(&self) -> &Self {
        File::create(self.path()).unwrap();
        self
    }
}

/// The files of this machine, with times as of a kernel whose clock for them ticks every ten milliseconds.
#[derive(Debug)]
struct Ticking;

impl Ticking {
    fn tick(time: SystemTime) -> SystemTime {
        let since = time.duration_since(SystemTime::UNIX_EPOCH).unwrap();
        time - Duration::from_nanos(u64::from(since.subsec_nanos()) % 10_000_000)
    }

    fn meta(meta: Meta) -> Meta {
        let id = FileId { birth: meta.id.birth.map(Self::tick), ..meta.id };
        Meta { id, modified: Self::tick(meta.modified), ..meta }
    }
}

impl Files for Ticking {
    fn meta(&self, path: &Path, links: Links) -> io::Result<Meta> {
        Disk.meta(path, links).map(Self::meta)
    }

    fn open(&self, path: &Path, links: Links) -> io::Result<Box<dyn Handle>> {
        Ok(Box::new(TickingHandle(Disk.open(path, links)?)))
    }

    fn list(&self, directory: &Path) -> io::Result<Vec<OsString>> {
        Disk.list(directory)
    }
}

/// The files of this machine, while a rotator moves a copy on each time it is about to be opened.
#[derive(Debug)]
struct Moving {
    moves: Cell<u32>,
    moved: Cell<u32>,
}

impl Files for Moving {
    fn meta(&self, path: &Path, links: Links) -> io::Result<Meta> {
        Disk.meta(path, links)
    }

    fn open(&self, path: &Path, links: Links) -> io::Result<Box<dyn Handle>> {
        let number = self.moved.get();
        let (from, to) = (format!("a.log.{number}"), format!("a.log.{}", number + 1));
        if path.file_name().is_some_and(|name| name == &*from) && number <= self.moves.get() {
            fs::rename(path, path.with_file_name(to))?;
            self.moved.set(number + 1);
        }
        Disk.open(path, links)
    }

    fn list(&self, directory: &Path) -> io::Result<Vec<OsString>> {
        Disk.list(directory)
    }
}

#[derive(Debug)]
struct TickingHandle(Box<dyn Handle>);

impl Handle for TickingHandle {
    fn meta(&self) -> io::Result<Meta> {
        self.0.meta().map(Ticking::meta)
    }

    fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
        self.0.read_at(buffer, offset)
    }

    fn read_next(&mut self, buffer: &mut [u8]) -> io::Result<Flow> {
        self.0.read_next(buffer)
    }

    fn renew(&mut self) -> io::Result<()> {
        self.0.renew()
    }

    fn next_data(&self, from: u64) -> io::Result<Option<u64>> {
        self.0.next_data(from)
    }

    fn position(&self) -> Option<u64> {
        self.0.position()
    }

    fn file_system(&self) -> Option<i64> {
        self.0.file_system()
    }

    fn fd(&self) -> Option<BorrowedFd<'_>> {
        self.0.fd()
    }
}

/// A tail of one source, and what it has delivered.
struct Follower {
    tail: Tail,
    source: Option<SourceId>,
    text: String,
    happenings: Vec<Happening>,
    /// How far the open files were read: the last run, and the offset in it.
    read: HashMap<FileId, (u64, u64)>,
    proved: HashMap<FileId, Position>,
}

impl Follower {
    fn options() -> Options {
        Options { start: Start::FromLine(1), ..Options::default() }
    }

    fn new(log: &Log) -> Self {
        let mut tail = Tail::with_files(Self::options(), log.files()).unwrap();
        tail.follow(log.path());
        Self::of(tail)
    }

    fn resumed(log: &Log, saved: Resume) -> Self {
        let proved = saved.files.iter().map(|position| (position.file, position.clone())).collect();
        let mut tail = Tail::with_files(Self::options(), log.files()).unwrap();
        tail.resume(saved);
        Self { proved, ..Self::of(tail) }
    }

    fn of(tail: Tail) -> Self {
        let (read, proved) = (HashMap::new(), HashMap::new());
        Self { tail, source: None, text: String::new(), happenings: Vec::new(), read, proved }
    }

    /// Takes one event, of data no more than `most` lines; false if there is none now.
    fn take(&mut self, most: usize) -> bool {
        match self.tail.try_next() {
            Some(Event::Data(data)) => {
                let taken: String =
                    std::str::from_utf8(data.bytes).unwrap().split_inclusive('\n').take(most).collect();
                self.read.insert(data.file, (data.run, data.offset + taken.len() as u64));
                self.text.push_str(&taken);
                true
            }
            Some(Event::Happened { source, what, .. }) => {
                self.source.get_or_insert(source);
                match what {
                    Happening::Opened { file, run, offset, .. } => self.read.insert(file, (run, offset)),
                    Happening::Rewritten { file, run, .. } => self.read.insert(file, (run, 0)),
                    Happening::Shortened { file, run, to, .. } => {
                        let read = self.read.get(&file).map_or(0, |(_, read)| *read);
                        self.read.insert(file, (run, read.min(to)))
                    }
                    _ => None,
                };
                self.happenings.push(what);
                true
            }
            other => other.is_some(),
        }
    }

    /// Takes what is there now.
    fn drain(&mut self) -> &mut Self {
        while self.take(usize::MAX) {}
        self
    }

    /// Takes events until so much was delivered, and whatever else there is then.
    #[track_caller]
    fn until(&mut self, expected: &str) -> &mut Self {
        let deadline = Instant::now() + PATIENCE;
        self.drain();
        while self.text.len() < expected.len() {
            assert!(Instant::now() < deadline, "waited in vain: {}", self.difference(expected));
            self.tail.wait(Some(deadline), &mut []).unwrap();
            self.drain();
        }
        assert_eq!(self.difference(expected), "");
        self
    }

    fn difference(&self, expected: &str) -> String {
        let (wanted, got): (Vec<_>, Vec<_>) = (expected.lines().collect(), self.text.lines().collect());
        if self.text == expected {
            return String::new();
        }
        let first = wanted.iter().zip(&got).take_while(|(a, b)| a == b).count();
        format!(
            "line {first} is {:?} for {:?}; {} for {} bytes; {:?}",
            got.get(first),
            wanted.get(first),
            self.text.len(),
            expected.len(),
            self.happenings
        )
    }

    /// What a checkpoint would hold now.
    fn save(&mut self, log: &Log) -> Resume {
        let Some(source) = self.source else { panic!("nothing was opened") };
        let open: Vec<FileId> = self.tail.files().map(|standing| standing.file).collect();
        let mut files = Vec::new();
        for file in open {
            let position = self.read.get(&file).and_then(|(run, at)| self.tail.position(source, file, *run, *at));
            // What can't be proved now stays where it was proved last.
            self.proved.extend(position.map(|position| (file, position)));
            files.extend(self.proved.get(&file).cloned());
        }
        let (looked, known) = (self.tail.looked(source), self.tail.known(source));
        Resume { path: log.path(), files, looked, known, copies: self.tail.copies(source) }
    }

    fn stop(mut self, log: &Log) -> (Resume, String) {
        let saved = self.save(log);
        self.tail.join();
        (saved, self.text)
    }

    fn times(&self, what: &str) -> usize {
        self.happenings.iter().filter(|happening| format!("{happening:?}").contains(what)).count()
    }

    fn lost(&self) -> Vec<(Option<std::ops::Range<u64>>, Loss)> {
        let lost = |happening: &Happening| match happening {
            Happening::Lost { range, reason, .. } => Some((range.clone(), *reason)),
            _ => None,
        };
        self.happenings.iter().filter_map(lost).collect()
    }
}

#[test]
fn generations_that_went_by_between_two_looks_come_in_order() {
    for missing in [false, true] {
        let log = Log::with(1..=10);
        let mut follower = Follower::new(&log);
        follower.drain();
        for generation in 1..=20 {
            log.append(generation * 10 + 1..=generation * 10 + 10).rename("a.log", &format!("a.log.{generation}"));
        }
        if !missing {
            log.append(211..=220);
        }
        follower.until(&lines(1..=if missing { 210 } else { 220 }));
        assert_eq!((follower.times("FoundUnseen { files: 19 }"), follower.lost().len()), (1, 0));
    }
}

#[test]
fn generations_that_were_moved_on_by_each_rotation_come_in_order() {
    let log = Log::with(1..=10);
    let mut follower = Follower::new(&log);
    follower.drain();
    for generation in 1..=20 {
        log.append(generation * 10 + 1..=generation * 10 + 10).rotate();
    }
    log.append(211..=220);
    follower.until(&lines(1..=220));
    // And once more, with all of these known.
    for generation in 22..=30 {
        log.rotate().append(generation * 10 + 1..=generation * 10 + 10);
    }
    follower.text.clear();
    follower.until(&lines(221..=310));
    assert_eq!(follower.times("FoundUnseen"), 2);
}

#[test]
fn generations_of_a_name_that_was_missing_come_in_order() {
    let log = Log::new();
    // It was there before the name was found to be missing.
    fs::write(log.at("a.log.1"), lines(900..=910)).unwrap();
    let mut follower = Follower::new(&log);
    follower.drain();
    for first in [1, 41, 81] {
        for generation in 0..3 {
            log.append(first + generation * 10..=first + generation * 10 + 9).rotate();
        }
        log.append(first + 30..=first + 39);
        follower.until(&lines(1..=first + 39));
        log.rotate();
        follower.drain();
    }
    assert_eq!((follower.times("FoundUnseen { files: 3 }"), follower.lost().len()), (3, 0));
}

#[test]
fn generations_of_a_name_that_was_missing_when_the_tail_stopped_come_in_order() {
    for missing_again in [false, true] {
        let log = Log::new();
        fs::write(log.at("a.log.1"), lines(900..=910)).unwrap();
        let mut follower = Follower::new(&log);
        follower.drain();
        let (saved, _) = follower.stop(&log);
        assert_eq!(saved.files, []);
        // A tail that has looked at nothing knows what the one before it knew.
        let mut tail = Tail::new(Follower::options()).unwrap();
        let source = tail.resume(saved.clone());
        let saved =
            Resume { looked: tail.looked(source), known: tail.known(source), copies: tail.copies(source), ..saved };
        tail.join();
        log.append(1..=10).rotate().append(11..=20).rotate();
        if !missing_again {
            log.append(21..=30);
        }
        let mut follower = Follower::resumed(&log, saved);
        let last = if missing_again { 20 } else { 30 };
        follower.until(&lines(1..=last));
        log.append(last + 1..=40);
        follower.until(&lines(1..=40));
        assert_eq!(follower.lost(), []);
    }
}

#[test]
fn a_file_that_was_there_before_or_is_a_copy_is_no_generation() {
    let log = Log::with(1..=50);
    fs::write(log.at("a.log.1"), lines(900..=910)).unwrap();
    let mut follower = Follower::new(&log);
    follower.drain();
    fs::copy(log.path(), log.at("a.log.bak")).unwrap();
    log.append(51..=60).rename("a.log", "a.log.2").append(61..=70);
    follower.until(&lines(1..=70));
    assert_eq!(follower.times("FoundUnseen"), 0, "{:?}", follower.happenings);
}

#[test]
fn the_rest_of_a_truncated_log_comes_from_its_copy() {
    for fragment in ["", "line 0000"] {
        let log = Log::with(1..=1);
        let mut follower = Follower::new(&log);
        log.write(fragment);
        follower.drain();
        log.write(lines(2..=1000).strip_prefix(fragment).unwrap()).copytruncate().append(1001..=1100);
        follower.until(&lines(1..=1100));
        assert_eq!((follower.times("Recovered"), follower.times("Rewritten"), follower.lost().len()), (1, 1, 0));
    }
}

#[test]
fn a_run_that_was_cut_between_a_look_at_it_and_its_first_byte_comes_from_its_copy_or_is_lost() {
    for copied in [true, false] {
        let log = Log::with(1..=20);
        let mut follower = Follower::new(&log);
        follower.drain();
        log.truncate().append(21..=70);
        while follower.times("Rewritten") == 0 {
            assert!(follower.take(usize::MAX) || follower.tail.wait(None, &mut []).is_ok());
        }
        // Its size was seen, and nothing more of it.
        if copied { log.copytruncate() } else { log.truncate() }.append(71..=71);
        let expected = if copied { lines(1..=71) } else { lines(1..=20) + &lines(71..=71) };
        follower.until(&expected).tail.finish();
        follower.drain();
        let cut = (Some(0..lines(21..=70).len() as u64), Loss::Truncated);
        assert_eq!(follower.lost(), if copied { vec![] } else { vec![cut] });
        assert_eq!((follower.times("Rewritten"), follower.times("Skipped")), (2, 0));
    }
}

#[test]
fn a_copy_that_is_renamed_while_it_is_looked_for_is_found() {
    for restarted in [false, true] {
        let log = Log::with(1..=20);
        let files = || Box::new(Moving { moves: Cell::new(4), moved: Cell::new(1) });
        let mut tail = Tail::with_files(Follower::options(), files()).unwrap();
        tail.follow(log.path());
        let mut follower = Follower::of(tail);
        follower.drain();
        if restarted {
            let (saved, text) = follower.stop(&log);
            let mut tail = Tail::with_files(Follower::options(), files()).unwrap();
            tail.resume(saved);
            follower = Follower { text, ..Follower::of(tail) };
        }
        log.append(21..=100).copytruncate().append(101..=110);
        follower.until(&lines(1..=110));
        assert!(log.at("a.log.5").exists());
    }
}

#[test]
fn runs_that_were_cut_one_after_another_come_from_their_copies_in_order() {
    for (restarted, first, goes_on) in
        [(false, 0, true), (false, 0, false), (false, 1, true), (true, 0, true), (true, 0, false), (true, 1, true)]
    {
        let log = Log::with(1..=first);
        let mut follower = Follower::new(&log);
        follower.drain();
        if restarted {
            let (saved, _) = follower.stop(&log);
            follower = Follower::resumed(&log, saved);
        }
        for run in 0..3 {
            log.append(first + run * 100 + 1..=first + run * 100 + 100).copytruncate();
        }
        let last = if goes_on { first + 310 } else { first + 300 };
        log.append(first + 301..=last);
        let from = if restarted { first + 1 } else { 1 };
        follower.until(&lines(from..=last));
        assert_eq!((follower.times("Recovered"), follower.times("Rewritten"), follower.lost().len()), (3, 3, 0));
        // Nothing of it comes again.
        let (saved, _) = follower.stop(&log);
        log.append(last + 1..=last + 10).copytruncate().append(last + 11..=last + 20);
        let mut follower = Follower::resumed(&log, saved);
        follower.until(&lines(last + 1..=last + 20));
        assert_eq!(follower.times("Recovered"), 1);
    }
}

#[test]
fn a_run_is_gone_on_with_wherever_the_delivery_of_its_copy_has_stopped() {
    let log = Log::new();
    log.write("");
    let mut follower = Follower::new(&log);
    follower.drain();
    log.append(1..=10).copytruncate().append(11..=20).copytruncate().append(21..=30);
    let mut text = String::new();
    for _ in 0..10 {
        // Whatever comes next, a line of it at the most is accepted.
        while follower.text.is_empty() && follower.take(1) {}
        let (saved, more) = follower.stop(&log);
        text += &more;
        follower = Follower::resumed(&log, saved);
        follower.take(1);
        while follower.source.is_none() && follower.take(1) {}
    }
    text += &std::mem::take(&mut follower.text);
    assert!(lines(1..=30).starts_with(&text), "{text}");
    follower.until(&lines(1..=30)[text.len()..]);
}

#[test]
fn copies_of_what_is_there_or_was_read_are_no_runs() {
    for read in [0, 50] {
        let log = Log::new();
        log.write("").append(1..=read);
        let mut follower = Follower::new(&log);
        follower.drain();
        let copy = |name: &str| fs::copy(log.path(), log.at(name)).unwrap();
        // Of the first run some parts, and then all of it; of the second as well.
        log.append(read + 1..=read + 3);
        copy("a.log.bak");
        log.append(read + 4..=read + 200);
        copy("a.log.old");
        log.append(read + 201..=read + 210).copytruncate();
        log.append(read + 211..=read + 213);
        copy("a.log.bak2");
        log.append(read + 214..=read + 220).copytruncate();
        log.append(read + 221..=read + 223);
        copy("a.log.bak3");
        log.append(read + 224..=read + 300);
        copy("a.log.bak4");
        follower.until(&lines(1..=read + 300));
        assert_eq!((follower.times("Recovered"), follower.lost().len()), (2, 0), "{:?}", follower.happenings);
    }
}

#[test]
fn a_generation_that_was_cut_before_it_was_seen_comes_from_its_copy() {
    let log = Log::with(1..=50);
    let mut follower = Follower::new(&log);
    follower.drain();
    log.append(51..=60).rotate().append(61..=100);
    std::thread::sleep(Duration::from_millis(20));
    log.copytruncate().append(101..=110);
    follower.until(&lines(1..=110));
    assert_eq!((follower.times("Recovered"), follower.times("FoundUnseen")), (1, 0));
}

#[test]
fn other_logs_that_begin_with_this_one_are_no_runs_of_it() {
    for missing in [false, true] {
        let log = Log::new();
        if !missing {
            log.write("");
        }
        let mut follower = Follower::new(&log);
        follower.drain();
        fs::write(log.at("a-1.log"), lines(900..=999)).unwrap();
        log.append(1..=10);
        fs::write(log.at("a-2.log"), lines(900..=999)).unwrap();
        follower.until(&lines(1..=10));
        assert_eq!((follower.times("Recovered"), follower.times("FoundUnseen")), (0, 0));
    }
}

#[test]
fn without_a_copy_what_was_cut_off_is_lost_as_far_as_it_was_seen() {
    let log = Log::with(1..=20_000);
    let size = lines(1..=20_000).len() as u64;
    let mut follower = Follower::new(&log);
    while follower.text.is_empty() {
        follower.take(usize::MAX);
    }
    let read = follower.text.len() as u64;
    assert!(read < size, "more than one read");
    let fragment = size.min(256 * 1024) - read;
    log.truncate().append(20_001..=20_100);
    let last = &lines(1..=20_000)[follower.text.len()..][..usize::try_from(fragment).unwrap()];
    let expected = format!("{}{last}{}", follower.text, lines(20_001..=20_100));
    follower.until(&expected);
    assert_eq!(follower.lost(), [(Some(read + fragment..size), Loss::Truncated)]);
}

#[test]
fn a_copy_of_an_earlier_run_gives_nothing_back_twice() {
    // Each run begins alike, so that what was read of one may stand in the copy of any.
    const BANNER: &str = "banner\n";
    let log = Log::new();
    log.write(BANNER);
    let mut follower = Follower::new(&log);
    let mut expected = BANNER.to_owned();
    follower.until(&expected);
    for round in (0..100).step_by(10) {
        expected += &lines(round + 1..=round + 5);
        log.append(round + 1..=round + 5);
        follower.until(&expected);
        expected += &lines(round + 6..=round + 10);
        // What is left is what the file begins with: to all appearances it was cut at its end.
        log.append(round + 6..=round + 10).copytruncate().write(BANNER);
        follower.until(&expected);
    }
    assert_eq!(follower.times("Recovered"), 10);
    expected += &lines(500..=501);
    log.truncate().append(500..=501);
    follower.until(&expected);
    assert_eq!((follower.times("Recovered"), follower.times("Rewritten")), (10, 1));
}

#[test]
fn what_happened_while_there_was_no_tail_is_made_up_for() {
    let log = Log::with(1..=100);
    let mut follower = Follower::new(&log);
    follower.drain();
    let (saved, text) = follower.stop(&log);
    assert_eq!(text, lines(1..=100));
    for generation in 1..=3 {
        log.append(generation * 100 + 1..=generation * 100 + 50).rotate();
        log.append(generation * 100 + 51..=generation * 100 + 100);
    }
    let mut follower = Follower::resumed(&log, saved);
    follower.until(&lines(101..=400));
    assert_eq!((follower.times("FoundUnseen { files: 2 }"), follower.lost().len()), (1, 0));
    log.append(401..=410);
    follower.until(&lines(101..=410));
}

#[test]
fn a_tail_that_follows_nothing_makes_up_for_it_and_ends() {
    for missing in [false, true] {
        let log = Log::with(1..=100);
        let mut follower = Follower::new(&log);
        follower.drain();
        let (saved, _) = follower.stop(&log);
        for generation in 1..=3 {
            log.append(generation * 100 + 1..=generation * 100 + 50).rotate();
            log.append(generation * 100 + 51..=generation * 100 + 100);
        }
        if missing {
            log.rotate();
        }
        let options = Options { following: Following::Nothing, ..Follower::options() };
        let mut tail = Tail::with_files(options, log.files()).unwrap();
        tail.resume(saved);
        let mut follower = Follower::of(tail);
        follower.drain();
        assert_eq!(follower.difference(&lines(101..=400)), "");
        assert!(follower.tail.is_over(), "{:?}", follower.happenings);
        assert_eq!((follower.times("Inaccessible"), follower.lost().len()), (usize::from(missing), 0));
    }
}

#[test]
fn a_line_that_was_cut_by_the_stop_comes_once() {
    let log = Log::with(1..=9);
    log.write("L");
    let mut follower = Follower::new(&log);
    follower.drain();
    let (saved, text) = follower.stop(&log);
    assert_eq!(text, lines(1..=9));
    log.write("1\n");
    Follower::resumed(&log, saved).until("L1\n");
}

#[test]
fn a_file_that_took_over_the_name_and_the_inode_is_read_from_its_start() {
    let log = Log::with(1..=100);
    let mut follower = Follower::new(&log);
    follower.drain();
    let (saved, _) = follower.stop(&log);
    std::thread::sleep(Duration::from_millis(20));
    fs::remove_file(log.path()).unwrap();
    log.append(1001..=1300);
    let mut follower = Follower::resumed(&log, saved);
    follower.until(&lines(1001..=1300));
    assert_eq!(follower.lost(), [(None, Loss::Gone)]);
}

#[test]
fn a_log_rewritten_while_there_was_no_tail_is_read_from_its_start() {
    for copied in [false, true] {
        let log = Log::with(1..=100);
        let mut follower = Follower::new(&log);
        follower.drain();
        let (saved, _) = follower.stop(&log);
        log.append(101..=200);
        if copied {
            log.copytruncate();
        } else {
            log.truncate();
        }
        log.append(201..=600);
        let mut follower = Follower::resumed(&log, saved);
        let expected = lines(if copied { 101 } else { 201 }..=600);
        follower.until(&expected);
        assert_eq!((follower.times("Rewritten"), follower.times("Recovered")), (1, usize::from(copied)));
        // Nothing of it comes again.
        let (saved, _) = follower.stop(&log);
        log.append(601..=610);
        Follower::resumed(&log, saved).until(&lines(601..=610));
    }
}

#[test]
fn the_rest_of_a_file_that_is_gone_comes_from_its_copy() {
    let log = Log::with(1..=100);
    let mut follower = Follower::new(&log);
    follower.drain();
    let before: Vec<FileId> = follower.tail.files().map(|standing| standing.file).collect();
    let (saved, _) = follower.stop(&log);
    log.append(101..=200);
    fs::copy(log.path(), log.at("a.log-20261120")).unwrap();
    fs::remove_file(log.path()).unwrap();
    std::thread::sleep(Duration::from_millis(20));
    log.append(201..=300);
    let mut follower = Follower::resumed(&log, saved);
    follower.until(&lines(101..=300));
    assert_eq!(follower.tail.files().next().unwrap().file, before[0], "it goes by the file it was copied from");
    assert_eq!(follower.lost(), []);
}

#[test]
fn what_was_read_of_a_log_whose_name_is_missing_is_gone_on_with() {
    let log = Log::with(1..=100);
    let mut follower = Follower::new(&log);
    follower.drain();
    let (saved, _) = follower.stop(&log);
    log.append(101..=200).rename("a.log", "a.log.1");
    log.append(201..=300).rename("a.log", "a.log.2");
    let mut follower = Follower::resumed(&log, saved);
    follower.until(&lines(101..=300));
    assert_eq!((follower.times("Inaccessible"), follower.lost().len()), (1, 0));
    log.append(301..=400);
    follower.until(&lines(101..=400));
}

#[test]
fn a_file_that_is_nowhere_is_announced_with_what_was_seen_of_it() {
    let log = Log::with(1..=100);
    let mut follower = Follower::new(&log);
    follower.drain();
    let (mut saved, text) = follower.stop(&log);
    saved.files[0].size += 500;
    fs::remove_file(log.path()).unwrap();
    let mut follower = Follower::resumed(&log, saved);
    follower.drain();
    let end = text.len() as u64;
    assert_eq!(follower.lost(), [(Some(end..end + 500), Loss::Gone)]);
}

#[test]
fn a_log_behind_a_link_is_not_repeated_and_its_rotations_are_found() {
    let log = Log::new();
    fs::create_dir(log.at("real")).unwrap();
    std::os::unix::fs::symlink("real/0.log", log.path()).unwrap();
    log.append(1..=100);
    let mut follower = Follower::new(&log);
    follower.drain();
    let (saved, _) = follower.stop(&log);
    let mut follower = Follower::resumed(&log, saved);
    log.append(101..=110);
    follower.until(&lines(101..=110));
    let (saved, _) = follower.stop(&log);
    for generation in 1..=3 {
        log.rename("real/0.log", &format!("real/0.log.2026112{generation}-120000"));
        log.append(generation * 100 + 11..=generation * 100 + 110);
    }
    Follower::resumed(&log, saved).until(&lines(111..=410));
}

#[test]
fn a_copy_that_was_read_is_not_read_again_after_a_restart() {
    let log = Log::with(1..=100);
    let mut follower = Follower::new(&log);
    follower.drain();
    log.append(101..=200).copytruncate().append(201..=300);
    follower.until(&lines(1..=300));
    let (saved, _) = follower.stop(&log);
    assert_eq!(saved.known.len(), 1, "the copy");
    log.append(301..=400).rename("a.log", "a.log.2").append(401..=500);
    let mut follower = Follower::resumed(&log, saved);
    follower.until(&lines(301..=500));
    assert_eq!((follower.times("FoundUnseen"), follower.times("Recovered")), (0, 0));
}

#[test]
fn a_file_that_a_pattern_had_found_is_gone_on_with_under_any_name() {
    for to in ["a.log", "z.log", "a.log.1", "elsewhere"] {
        let log = Log::with(1..=100);
        let pattern = log.at("*.log");
        let mut tail = Tail::new(Follower::options()).unwrap();
        tail.follow_pattern(&pattern).unwrap();
        let mut follower = Follower::of(tail);
        follower.drain();
        let (saved, text) = follower.stop(&log);
        assert_eq!((text, saved.files.len()), (lines(1..=100), 1));
        log.append(101..=200);
        if to != "a.log" {
            log.rename("a.log", to);
        }
        let mut tail = Tail::new(Follower::options()).unwrap();
        tail.resume_found(saved);
        tail.follow_pattern(&pattern).unwrap();
        let mut follower = Follower::of(tail);
        follower.until(&lines(101..=200));
        assert_eq!(
            (follower.times("Opened"), follower.lost().len()),
            (1, 0),
            "under {to}: {:?}",
            follower.happenings
        );
        log.append(201..=210);
        // Where it has another name, this is another file, of another source.
        follower.until(&lines(101..=210));
        assert_eq!(follower.times("Opened"), if to == "a.log" { 1 } else { 2 }, "under {to}");
    }
}

#[test]
fn an_offset_is_proved_only_as_long_as_it_means_what_it_meant() {
    let log = Log::with(1..=100);
    let mut follower = Follower::new(&log);
    follower.drain();
    let (file, source) = (follower.tail.files().next().unwrap().file, follower.source.unwrap());
    let (run, end) = follower.read[&file];
    let half = lines(1..=50).len() as u64;
    for offset in [0, half, end] {
        let proof = follower.tail.position(source, file, run, offset).unwrap();
        let at = usize::try_from(offset).unwrap();
        assert_eq!((proof.file, proof.offset, proof.size), (file, offset, end));
        assert_eq!(proof.head, &lines(1..=100).as_bytes()[..at.min(1024)]);
        assert_eq!(proof.anchor, &lines(1..=100).as_bytes()[at.saturating_sub(256)..at]);
    }
    assert_eq!(follower.tail.position(source, file, run, end + 1), None, "not read");
    assert_eq!(follower.tail.position(source, file, run + 1, half), None, "another run");
    log.truncate().append(101..=300);
    assert_eq!(follower.tail.position(source, file, run, half), None, "rewritten since");
    let proof = follower.tail.position(source, file, run, end - 20).unwrap();
    let remembered = usize::try_from(end - 20).unwrap();
    assert_eq!(proof.anchor, &lines(1..=100).as_bytes()[remembered - 236..remembered], "what is remembered of it");
    follower.until(&lines(1..=300));
    assert_eq!(follower.tail.position(source, file, run, half), None, "rewritten since, and read");
}

/// What seeds decide: xorshift, so that a failure can be played again.
struct Dice(u64);

impl Dice {
    fn throw(&mut self, sides: u32) -> u32 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        u32::try_from(self.0 % u64::from(sides)).unwrap()
    }
}

/// A log under a rotator, a follower that is stopped and resumed, and what was written.
struct History {
    dice: Dice,
    log: Log,
    follower: Follower,
    /// What earlier followers have delivered.
    delivered: String,
    written: u32,
    story: Vec<String>,
    cuts: Cuts,
}

/// How often the log was copied and truncated since everything was delivered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Cuts {
    /// Not at all, and bytes of it were delivered: the next copy shows what it is a copy of.
    NoneOfRead,
    /// Not at all, and nothing was delivered since it was empty, or once.
    FewEnough,
    /// So that whole runs went by. Copies of these can't be told from rotated files, if it is rotated now.
    WholeRuns,
    /// It was rotated: what is copied of the new one can't be told from others born in one tick of the clock.
    Rotated,
}

impl History {
    fn new(seed: u64) -> Self {
        let log = Log::timed_by(if seed.is_multiple_of(2) { Clock::Ticking } else { Clock::AsHere });
        // Some logs have yet to come.
        let written = u32::from(!seed.is_multiple_of(3));
        if written > 0 {
            log.append(1..=written);
        }
        let mut follower = Follower::new(&log);
        follower.until(&lines(1..=written));
        let dice = Dice(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1);
        let (delivered, story) = (String::new(), vec![format!("seed {seed}")]);
        Self { dice, log, follower, delivered, written, story, cuts: Cuts::Rotated }
    }

    fn step(&mut self) {
        let what = self.dice.throw(10);
        match what {
            0..=3 => {
                let last = self.written + 1 + self.dice.throw(60);
                self.log.append(self.written + 1..=last);
                self.written = last;
            }
            4 | 5 if self.log.path().exists() && self.cuts != Cuts::WholeRuns => {
                self.log.rotate();
                self.cuts = Cuts::Rotated;
                // A rotator that makes no new file, or one that does.
                if what == 4 || self.dice.throw(2) == 0 {
                    self.log.append(self.written + 1..=self.written + 1);
                    self.written += 1;
                }
            }
            6 if self.log.path().exists() && self.cuts != Cuts::Rotated => {
                for _ in 0..=self.dice.throw(3) {
                    self.log.copytruncate();
                    self.cuts = match self.cuts {
                        Cuts::NoneOfRead => Cuts::FewEnough,
                        _ => Cuts::WholeRuns,
                    };
                    let last = self.written + self.dice.throw(20);
                    self.log.append(self.written + 1..=last);
                    self.written = last;
                }
            }
            7 => {
                for _ in 0..self.dice.throw(4) {
                    let most = if self.dice.throw(8) == 0 { usize::MAX } else { 1 + self.dice.throw(30) as usize };
                    if !self.follower.take(most) {
                        break;
                    }
                    if most < usize::MAX {
                        // The rest of that is not accepted any more.
                        self.resume();
                    }
                }
            }
            8 => self.resume(),
            _ => self.catch_up(),
        }
        self.story.push(format!("{what}: {} written, {} delivered", self.written, self.lines_delivered()));
        if !self.log.path().exists() && self.dice.throw(3) == 0 {
            self.log.append(self.written + 1..=self.written + 1);
            self.written += 1;
        }
    }

    fn lines_delivered(&self) -> usize {
        self.delivered.lines().count() + self.follower.text.lines().count()
    }

    /// Ends the follower, and begins another where that was.
    fn resume(&mut self) {
        while self.follower.source.is_none() && self.follower.take(usize::MAX) {}
        let saved = self.follower.save(&self.log);
        let earlier = std::mem::replace(&mut self.follower, Follower::resumed(&self.log, saved));
        self.delivered += &earlier.text;
        earlier.tail.join();
    }

    /// Has everything delivered.
    fn catch_up(&mut self) {
        let all = lines(1..=self.written);
        assert!(all.starts_with(&self.delivered), "{:#?}\n{}", self.story, self.follower_said(&all));
        let rest = &all[self.delivered.len()..];
        let deadline = Instant::now() + PATIENCE;
        self.follower.drain();
        while self.follower.text.len() < rest.len() && Instant::now() < deadline {
            self.follower.tail.wait(Some(deadline), &mut []).unwrap();
            self.follower.drain();
        }
        assert!(self.follower.text == rest, "{:#?}\n{}", self.story, self.follower.difference(rest));
        self.cuts = match fs::metadata(self.log.path()) {
            Ok(meta) if meta.len() > 0 => Cuts::NoneOfRead,
            Ok(_) => Cuts::FewEnough,
            Err(_) => Cuts::Rotated,
        };
    }

    fn follower_said(&self, all: &str) -> String {
        let first = all.lines().zip(self.delivered.lines()).take_while(|(a, b)| a == b).count();
        format!("line {first} differs; {:?}", self.follower.happenings)
    }
}

#[test]
fn whatever_happens_every_line_comes_once_and_in_order() {
    let seeds = if std::env::var_os("RTAIL_SOAK").is_some_and(|value| value == "1") { 1000 } else { 40 };
    for seed in 1..=seeds {
        let mut history = History::new(seed);
        for _ in 0..40 {
            history.step();
        }
        history.catch_up();
    }
}
