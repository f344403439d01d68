//! The library: what a program that embeds the core relies on, and what it does when the system misbehaves.
#![allow(clippy::unwrap_used, reason = "a test that can't go on is to stop")]

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::ffi::OsString;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write as _};
use std::ops::Range;
use std::os::fd::BorrowedFd;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::time::{Duration, Instant};

use rtail::tail::{
    Age, Data, Disk, Ending, Event, FileId, Files, Flow, Following, Handle, Happening, Lineage, Links, Looks, Meta,
    Options, Outlook, Pipes, ReadErrors, Start, Tail,
};

const PATIENCE: Duration = Duration::from_secs(20);

fn from_the_beginning() -> Options {
    Options { start: Start::FromLine(1), ..Options::default() }
}

fn append(path: &Path, text: &str) {
    OpenOptions::new().append(true).create(true).open(path).unwrap().write_all(text.as_bytes()).unwrap();
}

/// Takes events until `enough` of what was delivered so far.
fn take_until(tail: &mut Tail, enough: impl Fn(&Taken) -> bool) -> Taken {
    let mut taken = Taken::default();
    let deadline = Instant::now() + PATIENCE;
    while !enough(&taken) {
        if let Some(event) = tail.try_next() {
            taken.take(event);
            continue;
        }
        assert!(Instant::now() < deadline, "waited in vain; so far {taken:?}");
        tail.wait(Some(deadline), &mut []).unwrap();
    }
    taken
}

/// What a tail reported.
#[derive(Debug, Default)]
struct Taken {
    text: String,
    happenings: Vec<String>,
}

impl Taken {
    fn take(&mut self, event: Event<'_>) {
        match event {
            Event::Data(data) => self.text.push_str(std::str::from_utf8(data.bytes).unwrap()),
            other => self.happenings.push(format!("{other:?}")),
        }
    }

    fn times(&self, what: &str) -> usize {
        self.happenings.iter().filter(|happening| happening.contains(what)).count()
    }
}

#[test]
fn a_tail_can_be_ended_and_begun_again_at_once_five_hundred_times() {
    // The kernel takes some ten milliseconds to release an event source, so several at a time.
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| begin_and_end(125));
        }
    });
}

fn begin_and_end(rounds: u32) {
    let temp = tempfile::tempdir().unwrap();
    let path = temp.path().join("a.log");
    for round in 0..rounds {
        append(&path, "");
        let mut tail = Tail::new(Options { start: Start::LastLines(0), ..Options::default() }).unwrap();
        tail.follow(&path);
        while tail.try_next().is_some() {}
        append(&path, &format!("L{round}\n"));
        let taken = take_until(&mut tail, |taken| !taken.text.is_empty());
        assert_eq!(taken.text, format!("L{round}\n"));
        tail.join();
    }
}

#[test]
fn five_hundred_tails_of_one_path_twenty_at_a_time_do_not_disturb_each_other() {
    let temp = tempfile::tempdir().unwrap();
    let path = temp.path().join("a.log");
    append(&path, "");
    std::thread::scope(|scope| {
        for name in ["A", "B", "C", "D"] {
            let path = &path;
            scope.spawn(move || {
                for round in 0..25 {
                    five_tails_get_the_line(path, &format!("{name}{round:02}\n"));
                }
            });
        }
    });
}

/// Has five tails of a path, which others write to, wait for a line, and joins them.
fn five_tails_get_the_line(path: &Path, line: &str) {
    let begin = |_| {
        let mut tail = Tail::new(Options { start: Start::LastLines(0), ..Options::default() }).unwrap();
        tail.follow(path);
        while tail.try_next().is_some() {}
        tail
    };
    let tails: Vec<_> = (0..5).map(begin).collect();
    append(path, line);
    for mut tail in tails {
        let taken = take_until(&mut tail, |taken| taken.text.contains(line));
        assert_eq!(taken.text.matches(line).count(), 1);
        assert!(taken.text.lines().all(|other| other.len() == line.len() - 1), "torn: {}", taken.text);
        tail.join();
    }
}

#[test]
fn ending_one_of_two_tails_of_a_file_leaves_the_other_alone() {
    let temp = tempfile::tempdir().unwrap();
    let path = temp.path().join("a.log");
    append(&path, "L0\n");
    let mut kept = Tail::new(from_the_beginning()).unwrap();
    kept.follow(&path);
    take_until(&mut kept, |taken| taken.text == "L0\n");
    for round in 1..=20 {
        let mut other = Tail::new(from_the_beginning()).unwrap();
        other.follow(&path);
        take_until(&mut other, |taken| taken.text.ends_with(&format!("L{}\n", round - 1)));
        other.join();
        append(&path, &format!("L{round}\n"));
        take_until(&mut kept, |taken| taken.text == format!("L{round}\n"));
    }
    kept.join();
}

#[test]
fn two_sources_of_one_file_both_get_every_line() {
    let temp = tempfile::tempdir().unwrap();
    let (path, link) = (temp.path().join("a.log"), temp.path().join("b.log"));
    append(&path, "");
    fs::hard_link(&path, &link).unwrap();
    let mut tail = Tail::new(from_the_beginning()).unwrap();
    let sources = [tail.follow(&path), tail.follow(&link), tail.follow(&path)];
    while tail.try_next().is_some() {}
    append(&link, "L1\n");
    let mut seen = Vec::new();
    let deadline = Instant::now() + PATIENCE;
    while seen.len() < 3 {
        assert!(Instant::now() < deadline, "only {seen:?} got it");
        match tail.try_next() {
            Some(Event::Data(data)) => {
                assert_eq!(data.bytes, b"L1\n");
                seen.push(data.source);
            }
            Some(_) => {}
            None => tail.wait(Some(deadline), &mut []).unwrap(),
        }
    }
    seen.sort_unstable();
    assert_eq!(seen, sources);
}

#[test]
fn what_is_delivered_is_the_file_at_the_offsets_told() {
    let temp = tempfile::tempdir().unwrap();
    let path = temp.path().join("a.log");
    let text = (0..50_000).map(|n| format!("{n} {}", "x".repeat(n % 90))).collect::<Vec<_>>().join("\n") + "\n";
    fs::write(&path, &text).unwrap();
    let mut tail = Tail::new(Options { following: Following::Nothing, ..from_the_beginning() }).unwrap();
    tail.follow(&path);
    let mut next = 0;
    while let Some(event) = tail.next().unwrap() {
        if let Event::Data(Data { offset, bytes, ending, age, .. }) = event {
            let begin = usize::try_from(offset).unwrap();
            assert_eq!((begin, ending, age), (next, Ending::Line, Age::Initial));
            next = begin + bytes.len();
            assert_eq!(&text.as_bytes()[begin..next], bytes);
            assert!(bytes.ends_with(b"\n"));
        }
    }
    assert_eq!(next, text.len());
}

#[test]
fn names_are_looked_after_while_no_event_is_taken() {
    let temp = tempfile::tempdir().unwrap();
    let path = temp.path().join("a.log");
    append(&path, "L0\n");
    let mut tail = Tail::new(from_the_beginning()).unwrap();
    tail.follow(&path);
    take_until(&mut tail, |taken| taken.text == "L0\n");
    for generation in 1..=10 {
        append(&path, &format!("L{generation}\n"));
        fs::rename(&path, temp.path().join(format!("a.log.{generation}"))).unwrap();
        append(&path, "");
        let deadline = Instant::now() + PATIENCE;
        // Until the new file is held, however many wake-ups that takes.
        let held = |tail: &Tail| tail.files().count() == generation + 1;
        while !held(&tail) {
            assert!(Instant::now() < deadline);
            tail.hold(Some(Instant::now() + Duration::from_millis(4)), &mut []).unwrap();
        }
        fs::remove_file(temp.path().join(format!("a.log.{generation}"))).unwrap();
    }
    let news = |taken: &Taken| taken.times("Replaced") + taken.times("Appeared");
    let taken = take_until(&mut tail, |taken| news(taken) == 10);
    assert_eq!(taken.text, "L1\nL2\nL3\nL4\nL5\nL6\nL7\nL8\nL9\nL10\n");
}

/// Files that are rotated in the moment in which the second one is opened.
#[derive(Debug)]
struct Shifting {
    log: PathBuf,
    shifted: Cell<bool>,
}

impl Shifting {
    fn numbered(&self, number: u32) -> PathBuf {
        self.log.with_extension(format!("log.{number}"))
    }
}

impl Files for Shifting {
    fn meta(&self, path: &Path, links: Links) -> io::Result<Meta> {
        Disk.meta(path, links)
    }

    fn open(&self, path: &Path, links: Links) -> io::Result<Box<dyn Handle>> {
        if path == self.numbered(1) && !self.shifted.replace(true) {
            fs::rename(self.numbered(1), self.numbered(2))?;
            fs::rename(&self.log, self.numbered(1))?;
            append(&self.log, "L3\n");
        }
        Disk.open(path, links)
    }

    fn list(&self, directory: &Path) -> io::Result<Vec<OsString>> {
        Disk.list(directory)
    }
}

#[test]
fn files_that_change_their_names_while_they_are_found_come_once() {
    let temp = tempfile::tempdir().unwrap();
    let files = Shifting { log: temp.path().join("a.log"), shifted: Cell::new(false) };
    append(&files.log, "L2\n");
    append(&files.numbered(1), "L1\n");
    let mut tail = Tail::with_files(from_the_beginning(), Box::new(files)).unwrap();
    tail.follow_pattern(&temp.path().join("a.log*")).unwrap();
    let taken = take_until(&mut tail, |taken| ["L1\n", "L2\n", "L3\n"].iter().all(|line| taken.text.contains(line)));
    let mut lines: Vec<_> = taken.text.lines().collect();
    lines.sort_unstable();
    assert_eq!(lines, ["L1", "L2", "L3"]);
    tail.join();
}

/// Files of which reads fail, or come up short, as a script says.
#[derive(Debug, Default, Clone)]
struct Faulty {
    script: Rc<RefCell<VecDeque<Fault>>>,
    /// Each read of this file fails.
    broken: Rc<Cell<Option<FileId>>>,
    reads: Rc<Cell<u64>>,
    /// How often a name was looked at.
    looks: Rc<Cell<u64>>,
}

#[derive(Debug, Clone, Copy)]
enum Fault {
    /// The next read fails with this error.
    Errno(i32),
    /// The next read brings no more than this.
    Short(usize),
}

impl Files for Faulty {
    fn meta(&self, path: &Path, links: Links) -> io::Result<Meta> {
        self.looks.set(self.looks.get() + 1);
        Disk.meta(path, links)
    }

    fn open(&self, path: &Path, links: Links) -> io::Result<Box<dyn Handle>> {
        Ok(Box::new(FaultyHandle { inner: Disk.open(path, links)?, faults: self.clone() }))
    }

    fn list(&self, directory: &Path) -> io::Result<Vec<OsString>> {
        Disk.list(directory)
    }
}

#[derive(Debug)]
struct FaultyHandle {
    inner: Box<dyn Handle>,
    faults: Faulty,
}

impl Handle for FaultyHandle {
    fn meta(&self) -> io::Result<Meta> {
        self.inner.meta()
    }

    fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
        self.faults.reads.set(self.faults.reads.get() + 1);
        if self.faults.broken.get() == Some(self.inner.meta()?.id) {
            return Err(io::Error::from_raw_os_error(EIO));
        }
        match self.faults.script.borrow_mut().pop_front() {
            Some(Fault::Errno(errno)) => Err(io::Error::from_raw_os_error(errno)),
            Some(Fault::Short(most)) => {
                let length = buffer.len().min(most);
                self.inner.read_at(&mut buffer[..length], offset)
            }
            None => self.inner.read_at(buffer, offset),
        }
    }

    fn read_next(&mut self, buffer: &mut [u8]) -> io::Result<Flow> {
        self.inner.read_next(buffer)
    }

    fn renew(&mut self) -> io::Result<()> {
        self.inner.renew()
    }

    fn next_data(&self, from: u64) -> io::Result<Option<u64>> {
        self.inner.next_data(from)
    }

    fn position(&self) -> Option<u64> {
        self.inner.position()
    }

    fn file_system(&self) -> Option<i64> {
        self.inner.file_system()
    }

    fn fd(&self) -> Option<BorrowedFd<'_>> {
        self.inner.fd()
    }
}

/// A log that is copied, emptied and written anew to its old size between a read that finds its end and the question when
/// it was written.
#[derive(Debug, Clone)]
struct Regrowing {
    log: PathBuf,
    regrow: Rc<Cell<bool>>,
}

impl Regrowing {
    fn regrow(&self) {
        let written = |path: &Path| fs::metadata(path).unwrap().modified().unwrap();
        let copy = self.log.with_extension("log.1");
        fs::copy(&self.log, &copy).unwrap();
        while written(&self.log) <= written(&copy) + Duration::from_millis(20) {
            fs::write(&self.log, numbered(1000..1400)).unwrap();
        }
    }
}

fn numbered(numbers: Range<usize>) -> String {
    numbers.map(|number| format!("L{number}\n")).collect::<Vec<_>>().concat()
}

impl Files for Regrowing {
    fn meta(&self, path: &Path, links: Links) -> io::Result<Meta> {
        Disk.meta(path, links)
    }

    fn open(&self, path: &Path, links: Links) -> io::Result<Box<dyn Handle>> {
        let inner = Disk.open(path, links)?;
        Ok(if path == self.log { Box::new(RegrowingHandle { inner, files: self.clone() }) } else { inner })
    }

    fn list(&self, directory: &Path) -> io::Result<Vec<OsString>> {
        Disk.list(directory)
    }
}

#[derive(Debug)]
struct RegrowingHandle {
    inner: Box<dyn Handle>,
    files: Regrowing,
}

impl Handle for RegrowingHandle {
    fn meta(&self) -> io::Result<Meta> {
        self.inner.meta()
    }

    fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
        let length = self.inner.read_at(buffer, offset)?;
        if length < buffer.len() && self.files.regrow.take() {
            self.files.regrow();
        }
        Ok(length)
    }

    fn read_next(&mut self, buffer: &mut [u8]) -> io::Result<Flow> {
        self.inner.read_next(buffer)
    }

    fn renew(&mut self) -> io::Result<()> {
        self.inner.renew()
    }

    fn next_data(&self, from: u64) -> io::Result<Option<u64>> {
        self.inner.next_data(from)
    }

    fn position(&self) -> Option<u64> {
        self.inner.position()
    }

    fn file_system(&self) -> Option<i64> {
        self.inner.file_system()
    }

    fn fd(&self) -> Option<BorrowedFd<'_>> {
        self.inner.fd()
    }
}

#[test]
fn a_copy_is_known_although_its_log_has_grown_to_its_old_size_since() {
    let temp = tempfile::tempdir().unwrap();
    let files = Regrowing { log: temp.path().join("a.log"), regrow: Rc::default() };
    append(&files.log, &numbered(2000..2200));
    let options = Options { poll_only: true, ..from_the_beginning() };
    let mut tail = Tail::with_files(options, Box::new(files.clone())).unwrap();
    tail.follow(&files.log);
    let mut text = take_until(&mut tail, |taken| taken.text.contains("L2199\n")).text;
    append(&files.log, &numbered(2200..2400));
    files.regrow.set(true);
    text += &take_until(&mut tail, |taken| taken.text.contains("L1399\n")).text;
    assert_eq!(text, numbered(2000..2400) + &numbered(1000..1400));
    tail.join();
}

fn faulty_tail(path: PathBuf, options: Options) -> (Tail, Faulty) {
    let faulty = Faulty::default();
    let mut tail = Tail::with_files(options, Box::new(faulty.clone())).unwrap();
    tail.follow(path);
    (tail, faulty)
}

#[test]
fn files_that_are_there_from_the_start_are_looked_at_and_read_once() {
    const FILES: u64 = 50;
    let temp = tempfile::tempdir().unwrap();
    let faulty = Faulty::default();
    let poll_interval = Some(Duration::from_hours(1));
    let options = Options { lineage: Lineage::Ignore, poll_interval, ..from_the_beginning() };
    let mut tail = Tail::with_files(options, Box::new(faulty.clone())).unwrap();
    for number in 0..FILES {
        let path = temp.path().join(format!("{number}.log"));
        append(&path, &format!("L{number}\n"));
        tail.follow(path);
    }
    let taken = take_until(&mut tail, |taken| taken.text.ends_with(&format!("L{}\n", FILES - 1)));
    assert!(tail.try_next().is_none());
    assert_eq!(taken.text.lines().count() as u64, FILES);
    if tail.uses_events() {
        // Where a file is; its content and its end. The first one doesn't wait for its watch.
        assert!(faulty.looks.get() <= FILES + 2, "{} looks at names", faulty.looks.get());
        assert!(faulty.reads.get() <= 2 * FILES + 2, "{} reads", faulty.reads.get());
    }
    tail.join();
}

const EIO: i32 = 5;
const ESTALE: i32 = 116;

#[test]
fn a_read_that_fails_for_a_while_is_told_once_and_loses_nothing() {
    let temp = tempfile::tempdir().unwrap();
    let path = temp.path().join("a.log");
    append(&path, "L0\n");
    let (mut tail, faulty) = faulty_tail(path.clone(), from_the_beginning());
    take_until(&mut tail, |taken| taken.text == "L0\n");
    faulty.script.borrow_mut().extend([Fault::Errno(EIO); 3]);
    append(&path, "L1\nL2\n");
    let taken = take_until(&mut tail, |taken| taken.text == "L1\nL2\n");
    assert_eq!(taken.times("ReadFailed"), 1, "{taken:?}");
    assert!(faulty.script.borrow().is_empty());
}

#[test]
fn a_read_that_fails_where_nothing_is_followed_ends_the_source() {
    let temp = tempfile::tempdir().unwrap();
    let path = temp.path().join("a.log");
    append(&path, "L0\n");
    let (mut tail, faulty) = faulty_tail(path, Options { following: Following::Nothing, ..from_the_beginning() });
    // The second read: the first one finds out where the file ends.
    faulty.script.borrow_mut().extend([Fault::Short(4096), Fault::Errno(EIO)]);
    let mut failures = 0;
    while let Some(event) = tail.next().unwrap() {
        if let Event::Happened { what: Happening::ReadFailed { error, outlook, .. }, .. } = event {
            assert_eq!((error.raw_os_error(), outlook), (Some(EIO), Outlook::GivenUp));
            failures += 1;
        }
    }
    assert_eq!(failures, 1);
}

#[test]
fn a_source_that_can_not_be_read_ends_where_that_is_asked_for() {
    let temp = tempfile::tempdir().unwrap();
    let path = temp.path().join("a.log");
    append(&path, "L1\nL");
    let options = Options { read_errors: ReadErrors::GiveUp, ..from_the_beginning() };
    let (mut tail, faulty) = faulty_tail(path.clone(), options);
    told_until(&mut tail, |told| *told == data("L1\n"));
    let file = id(&path);
    faulty.broken.set(Some(file));
    append(&path, "2\nL3\n");
    let begun = Instant::now();
    let told = told_until(&mut tail, |told| *told == Told::Ended);
    assert_eq!(
        told,
        [
            Told::Failed(Outlook::Waiting),
            data("L"),
            Told::Failed(Outlook::GivenUp),
            Told::Lost(file, Some(4..9)),
            Told::Closed(file, 1, 4, 9),
            Told::Ended,
        ]
    );
    assert!(begun.elapsed() >= Duration::from_secs(5));
    assert!(tail.next().unwrap().is_none());
}

#[test]
fn a_rotated_file_that_can_not_be_read_ends_its_source_behind_the_next_one() {
    let temp = tempfile::tempdir().unwrap();
    let [path, renamed] = ["a.log", "a.log.1"].map(|name| temp.path().join(name));
    append(&path, "L1\n");
    let options = Options { read_errors: ReadErrors::GiveUp, ..from_the_beginning() };
    let (mut tail, faulty) = faulty_tail(path.clone(), options);
    told_until(&mut tail, |told| *told == data("L1\n"));
    let first = id(&path);
    faulty.broken.set(Some(first));
    fs::rename(&path, &renamed).unwrap();
    append(&path, "L2\n");
    let second = id(&path);
    let told = told_until(&mut tail, |told| *told == Told::Ended);
    assert_eq!(
        told,
        [
            Told::Failed(Outlook::Waiting),
            Told::Failed(Outlook::GivenUp),
            Told::Closed(first, 1, 3, 3),
            Told::Rotated(first, second, None),
            Told::Opened(second),
            data("L2\n"),
            Told::Closed(second, 2, 3, 3),
            Told::Ended,
        ]
    );
}

/// A tail that has delivered the first line of its file and looks at the file every 10 ms.
fn polling_tail(path: &Path, looks: Looks) -> (Tail, Faulty) {
    append(path, "L0\n");
    let poll_interval = Some(Duration::from_millis(10));
    let options = Options { poll_only: true, poll_interval, looks, ..from_the_beginning() };
    let (mut tail, faulty) = faulty_tail(path.to_owned(), options);
    take_until(&mut tail, |taken| taken.text == "L0\n");
    // What is only done at the start is done then.
    while tail.try_next().is_some() {}
    (tail, faulty)
}

#[test]
fn a_name_is_looked_at_after_as_many_quiet_rounds_as_are_asked_for() {
    let temp = tempfile::tempdir().unwrap();
    for (looks, reads_each) in [
        (Looks::EachRound, 1..=1),
        (Looks::AfterQuietRounds(0), 2..=2),
        (Looks::AfterQuietRounds(1), 3..=3),
        (Looks::AfterQuietRounds(7), 9..=9),
    ] {
        let path = temp.path().join(format!("{looks:?}"));
        let (mut tail, faulty) = polling_tail(&path, looks);
        let mut counts = Vec::new();
        let deadline = Instant::now() + PATIENCE;
        while counts.len() < 6 {
            assert!(Instant::now() < deadline, "so far {counts:?}");
            tail.wait(Some(deadline), &mut []).unwrap();
            let before = faulty.looks.get();
            assert!(tail.try_next().is_none());
            if faulty.looks.get() > before {
                counts.push(faulty.reads.get());
            }
        }
        // The read behind the look counts too: what was found is read at once.
        let reads: Vec<u64> = counts.windows(2).map(|pair| pair[1] - pair[0]).collect();
        assert!(reads.iter().all(|reads| reads_each.contains(reads)), "{looks:?}: {reads:?}");
    }
}

#[test]
fn a_round_that_finds_something_is_not_quiet() {
    let temp = tempfile::tempdir().unwrap();
    let path = temp.path().join("a.log");
    let (mut tail, faulty) = polling_tail(&path, Looks::AfterQuietRounds(2));
    let before = faulty.looks.get();
    for number in 2..=20 {
        append(&path, &format!("L{number}\n"));
        take_until(&mut tail, |taken| taken.text == format!("L{number}\n"));
    }
    assert_eq!(faulty.looks.get(), before);
    while faulty.looks.get() == before {
        tail.wait(Some(Instant::now() + PATIENCE), &mut []).unwrap();
        assert!(tail.try_next().is_none());
    }
}

#[test]
fn a_handle_that_has_gone_stale_is_opened_anew() {
    let temp = tempfile::tempdir().unwrap();
    let path = temp.path().join("a.log");
    append(&path, "L0\n");
    let (mut tail, faulty) = faulty_tail(path.clone(), from_the_beginning());
    take_until(&mut tail, |taken| taken.text == "L0\n");
    let before: Vec<FileId> = tail.files().map(|standing| standing.file).collect();
    faulty.script.borrow_mut().push_back(Fault::Errno(ESTALE));
    append(&path, "L1\n");
    take_until(&mut tail, |taken| taken.text == "L1\n");
    append(&path, "L2\n");
    take_until(&mut tail, |taken| taken.text == "L2\n");
    assert_eq!(tail.files().map(|standing| standing.file).collect::<Vec<_>>(), before);
}

#[test]
fn short_reads_are_no_mismatch() {
    let temp = tempfile::tempdir().unwrap();
    let path = temp.path().join("a.log");
    let text = (0..200).map(|n| format!("line {n}")).collect::<Vec<_>>().join("\n") + "\n";
    fs::write(&path, &text[..900]).unwrap();
    let (mut tail, faulty) = faulty_tail(path.clone(), from_the_beginning());
    faulty.script.borrow_mut().extend((0..4000).map(|n| Fault::Short(1 + n % 23)));
    let whole = text[..900].rfind('\n').unwrap() + 1;
    let mut taken = take_until(&mut tail, |taken| taken.text.len() >= whole);
    append(&path, &text[900..]);
    let rest = take_until(&mut tail, |taken| taken.text.len() >= text.len() - whole);
    taken.text += &rest.text;
    assert_eq!(taken.text, text);
    assert_eq!(taken.times("Rewritten") + rest.times("Rewritten"), 0);
    assert!(faulty.reads.get() > 100);
}

/// What is told of a tail's files, failed looks at their name left out, until `last` of it.
fn told_until(tail: &mut Tail, last: impl Fn(&Told) -> bool) -> Vec<Told> {
    let mut all = Vec::new();
    let deadline = Instant::now() + PATIENCE;
    while !all.last().is_some_and(&last) {
        assert!(Instant::now() < deadline, "waited in vain; so far {all:?}");
        match tail.try_next() {
            Some(Event::Data(data)) => all.push(Told::Data(String::from_utf8(data.bytes.to_vec()).unwrap())),
            Some(Event::Happened { what, .. }) => all.extend(match what {
                Happening::Opened { file, .. } => Some(Told::Opened(file)),
                Happening::Rotated { from, to, renamed_to } => Some(Told::Rotated(from, to, renamed_to)),
                Happening::Closed { file, run, offset, size, .. } => Some(Told::Closed(file, run, offset, size)),
                Happening::ReadFailed { outlook, .. } => Some(Told::Failed(outlook)),
                Happening::Lost { file, range, .. } => Some(Told::Lost(file, range)),
                Happening::Ended { .. } => Some(Told::Ended),
                _ => None,
            }),
            Some(_) => {}
            None => tail.wait(Some(deadline), &mut []).unwrap(),
        }
    }
    all
}

#[derive(Debug, PartialEq)]
enum Told {
    Data(String),
    Opened(FileId),
    Rotated(FileId, FileId, Option<PathBuf>),
    Closed(FileId, u64, u64, u64),
    Failed(Outlook),
    Lost(FileId, Option<Range<u64>>),
    Ended,
}

fn data(text: &str) -> Told {
    Told::Data(text.to_owned())
}

fn id(path: &Path) -> FileId {
    Disk.meta(path, Links::Follow).unwrap().id
}

#[test]
fn a_rotation_is_told_when_the_old_file_was_read_and_its_end_when_it_is_let_go() {
    let temp = tempfile::tempdir().unwrap();
    let directory = temp.path().canonicalize().unwrap();
    let [path, renamed] = ["a.log", "a.log.1"].map(|name| directory.join(name));
    append(&path, "L1\n");
    let first = id(&path);
    let options = Options { rotate_wait: Duration::from_secs(1), ..from_the_beginning() };
    let mut tail = Tail::new(options).unwrap();
    tail.follow(&path);
    let told = told_until(&mut tail, |told| *told == data("L1\n"));
    assert_eq!(told, [Told::Opened(first), data("L1\n")]);

    append(&path, "L2\n");
    fs::rename(&path, &renamed).unwrap();
    append(&path, "L4\n");
    let second = id(&path);
    let told = told_until(&mut tail, |told| *told == data("L4\n"));
    let rotated = Told::Rotated(first, second, Some(renamed.clone()));
    assert_eq!(told, [data("L2\n"), rotated, Told::Opened(second), data("L4\n")]);

    append(&renamed, "L3\n");
    let told = told_until(&mut tail, |told| matches!(told, Told::Closed(..)));
    assert_eq!(told, [data("L3\n"), Told::Closed(first, 1, 9, 9)]);

    // Removed, let go, and only then followed by another.
    fs::remove_file(&path).unwrap();
    let told = told_until(&mut tail, |told| matches!(told, Told::Closed(..)));
    assert_eq!(told, [Told::Closed(second, 2, 3, 3)]);
    append(&path, "L5\n");
    let third = id(&path);
    let told = told_until(&mut tail, |told| *told == data("L5\n"));
    assert_eq!(told, [Told::Rotated(second, third, None), Told::Opened(third), data("L5\n")]);

    // Away and back is no rotation.
    fs::rename(&path, &renamed).unwrap();
    while tail.try_next().is_none() {
        tail.wait(Some(Instant::now() + PATIENCE), &mut []).unwrap();
    }
    fs::rename(&renamed, &path).unwrap();
    let told = told_until(&mut tail, |told| *told == Told::Opened(third));
    assert_eq!(told, [Told::Opened(third)]);
    append(&path, "L6\n");
    let told = told_until(&mut tail, |told| *told == data("L6\n"));
    assert_eq!(told, [data("L6\n")]);
    tail.finish();
    let told = told_until(&mut tail, |told| *told == Told::Ended);
    assert_eq!(told, [Told::Closed(third, 3, 6, 6), Told::Ended]);
}

#[test]
fn a_file_that_was_rewritten_while_it_was_let_go_has_lost_nothing() {
    let temp = tempfile::tempdir().unwrap();
    let [path, renamed] = ["a.log", "a.log.1"].map(|name| temp.path().join(name));
    append(&path, "L1\n");
    let options = Options { rotate_wait: Duration::from_millis(100), ..from_the_beginning() };
    let mut tail = Tail::new(options).unwrap();
    tail.follow(&path);
    told_until(&mut tail, |told| *told == data("L1\n"));
    let first = id(&path);
    fs::rename(&path, &renamed).unwrap();
    append(&path, "L2\n");
    told_until(&mut tail, |told| *told == Told::Closed(first, 1, 3, 3));
    let second = id(&path);
    fs::write(&renamed, "L3\nL4\n").unwrap();
    fs::rename(&renamed, &path).unwrap();
    let mut told = told_until(&mut tail, |told| *told == data("L3\nL4\n"));
    // When the second one is let go is not what this is about.
    told.retain(|told| *told != Told::Closed(second, 2, 3, 3));
    assert_eq!(told, [Told::Rotated(second, first, None), Told::Opened(first), data("L3\nL4\n")]);
}

#[test]
fn a_retargeted_link_is_a_rotation_that_renames_nothing() {
    let temp = tempfile::tempdir().unwrap();
    let directory = temp.path().canonicalize().unwrap();
    let [path, one, two, new] = ["a.log", "r1", "r2", "new"].map(|name| directory.join(name));
    append(&one, "L1\n");
    append(&two, "L2\n");
    symlink("r1", &path).unwrap();
    let mut tail = Tail::new(from_the_beginning()).unwrap();
    tail.follow(&path);
    told_until(&mut tail, |told| *told == data("L1\n"));
    symlink("r2", &new).unwrap();
    fs::rename(&new, &path).unwrap();
    let told = told_until(&mut tail, |told| *told == data("L2\n"));
    assert_eq!(told, [Told::Rotated(id(&one), id(&two), None), Told::Opened(id(&two)), data("L2\n")]);
}

#[test]
fn a_handle_tells_where_its_file_is() {
    let temp = tempfile::tempdir().unwrap();
    let directory = temp.path().canonicalize().unwrap();
    let [path, renamed] = ["a.log", "a.log (deleted)"].map(|name| directory.join(name));
    append(&path, "");
    let handle = Disk.open(&path, Links::Refuse).unwrap();
    assert_eq!(handle.location().as_ref(), Some(&path));
    fs::rename(&path, &renamed).unwrap();
    assert_eq!(handle.location().as_ref(), Some(&renamed));
    fs::rename(&renamed, &path).unwrap();
    append(&renamed, "");
    fs::remove_file(&path).unwrap();
    assert_eq!(handle.location(), None);
}

#[test]
fn a_line_over_the_bound_comes_in_the_same_pieces_however_it_is_read() {
    let text = "short\n0123456789ä123\nshort\n\n0123456789\nab€defgh€k\nlast one is long";
    let expected = [
        (0, "short\n", Ending::Line),
        (6, "0123456789", Ending::Piece),
        (16, "ä123\n", Ending::Line),
        (22, "short\n", Ending::Line),
        (28, "\n", Ending::Line),
        (29, "0123456789\n", Ending::Line),
        (40, "ab€defgh", Ending::Piece),
        (50, "€k\n", Ending::Line),
        (55, "last one i", Ending::Piece),
        (65, "s long", Ending::Unterminated),
    ];
    let temp = tempfile::tempdir().unwrap();
    let path = temp.path().join("a.log");
    fs::write(&path, text).unwrap();
    for step in 1..=text.len() {
        let options = Options { longest_line: 10, following: Following::Nothing, ..from_the_beginning() };
        let (mut tail, faulty) = faulty_tail(path.clone(), options);
        faulty.script.borrow_mut().extend((0..200).map(|n| Fault::Short(1 + n * step % 97)));
        let mut found = Vec::new();
        while let Some(event) = tail.next().unwrap() {
            if let Event::Data(Data { mut offset, bytes, ending, .. }) = event {
                for line in bytes.split_inclusive(|&byte| byte == b'\n') {
                    found.push((offset, String::from_utf8(line.to_vec()).unwrap(), ending));
                    offset += line.len() as u64;
                }
            }
        }
        assert_eq!(found, expected.map(|(offset, text, ending)| (offset, text.to_owned(), ending)), "step {step}");
    }
}

#[test]
fn what_a_pipe_had_at_the_start_is_initial_to_its_last_piece() {
    let temp = tempfile::tempdir().unwrap();
    let path = temp.path().join("fifo");
    assert!(std::process::Command::new("mkfifo").arg(&path).status().unwrap().success());
    let options = Options { longest_line: 10, start: Start::LastLines(1), ..Options::default() };
    let mut tail = Tail::new(options).unwrap();
    tail.follow(&path);
    let mut found = Vec::new();
    let deadline = Instant::now() + PATIENCE;
    for (text, enough) in [("dropped\n0123456789abcdefghijk\n", 3), ("new\n", 4)] {
        // The tail opens the FIFO when it looks; a writer waits for that.
        while tail.try_next().is_some() {}
        File::options().write(true).open(&path).unwrap().write_all(text.as_bytes()).unwrap();
        while found.len() < enough {
            assert!(Instant::now() < deadline, "waited in vain; so far {found:?}");
            match tail.try_next() {
                Some(Event::Data(data)) => found.push((String::from_utf8(data.bytes.to_vec()).unwrap(), data.age)),
                Some(_) => {}
                None => tail.wait(Some(deadline), &mut []).unwrap(),
            }
        }
    }
    let expected =
        [("0123456789", Age::Initial), ("abcdefghij", Age::Initial), ("k\n", Age::Initial), ("new\n", Age::Appended)];
    assert_eq!(found, expected.map(|(text, age)| (text.to_owned(), age)));
}

#[test]
fn a_fifo_can_be_followed_from_writer_to_writer() {
    let temp = tempfile::tempdir().unwrap();
    let path = temp.path().join("fifo");
    let made = std::process::Command::new("mkfifo").arg(&path).status().unwrap();
    assert!(made.success());
    let mut tail = Tail::new(Options { pipes: Pipes::New, ..Options::default() }).unwrap();
    tail.follow(&path);
    while tail.try_next().is_some() {}
    for round in 0..20 {
        let mut writer = File::options().write(true).open(&path).unwrap();
        writeln!(writer, "L{round}").unwrap();
        drop(writer);
        let taken = take_until(&mut tail, |taken| !taken.text.is_empty());
        assert_eq!(taken.text, format!("L{round}\n"));
    }
}
