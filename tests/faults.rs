//! What the system rarely does, at each call through the file layer: errors and short reads, once, a few times, and for
//! good. What is delivered and what is announced as lost is what was written.
//!
//! Each history is played without faults first, which counts the calls of each operation; then once for each of these
//! calls, with a fault at that. Nothing waits: the tail is told to look, as often as it takes.
#![allow(clippy::unwrap_used, reason = "a test that can't go on is to stop")]

use std::cell::RefCell;
use std::collections::HashMap;
use std::ffi::OsString;
use std::fmt;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Seek as _, SeekFrom};
use std::ops::Range;
use std::os::fd::BorrowedFd;
use std::os::unix::fs::FileExt as _;
use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::sync::Mutex;
use std::time::{Duration, Instant};

use rtail::tail::{
    Disk, Entry, Event, FileId, Files, Flow, Handle, Happening, Links, Loss, Meta, Options, ReadErrors, Resume,
    SourceId, Start, Tail,
};

/// An operation of the file layer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Operation {
    /// `stat` by name.
    Look,
    Open,
    List,
    /// `stat` of an open file.
    Stat,
    Read,
    /// The search for data behind a hole.
    Seek,
}

impl Operation {
    const ALL: [Self; 6] = [Self::Look, Self::Open, Self::List, Self::Stat, Self::Read, Self::Seek];
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Errno(i32),
    /// A read brings no more bytes than this.
    Short(usize),
}

const ENOENT: i32 = 2;
const EINTR: i32 = 4;
const EIO: i32 = 5;
const EMFILE: i32 = 24;
const ENOSPC: i32 = 28;
const ESTALE: i32 = 116;

/// For how many calls with the same name, or of the same open file, a fault lasts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Lasting {
    Once,
    Thrice,
    ForGood,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Fault {
    operation: Operation,
    kind: Kind,
    lasting: Lasting,
    /// The call that it begins with, from 0.
    call: usize,
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?} at {:?} {}, {:?}", self.kind, self.operation, self.call, self.lasting)
    }
}

/// What a call is about.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Subject {
    Name(PathBuf),
    File(FileId),
}

#[derive(Debug, Default)]
struct State {
    fault: Option<Fault>,
    /// Calls, of whatever operation and about whatever, that have no answer.
    silence: Range<usize>,
    calls: [usize; Operation::ALL.len()],
    struck: Option<Subject>,
    times: usize,
}

/// The files of this machine, with a fault.
#[derive(Debug, Default, Clone)]
struct Faulty(Rc<RefCell<State>>);

impl Faulty {
    fn with(fault: Option<Fault>) -> Self {
        Self(Rc::new(RefCell::new(State { fault, ..State::default() })))
    }

    /// Without an answer to these calls, counted over all operations.
    fn silent(silence: Range<usize>) -> Self {
        Self(Rc::new(RefCell::new(State { silence, ..State::default() })))
    }

    /// Counts a call; an error if it is to fail, else the most that it may read.
    fn meet(&self, operation: Operation, subject: &Subject) -> io::Result<usize> {
        let mut state = self.0.borrow_mut();
        let call = state.calls[operation as usize];
        state.calls[operation as usize] += 1;
        if state.silence.contains(&(state.calls.iter().sum::<usize>() - 1)) {
            return Err(io::ErrorKind::TimedOut.into());
        }
        let Some(fault) = state.fault.filter(|fault| fault.operation == operation) else { return Ok(usize::MAX) };
        if call == fault.call {
            state.struck = Some(subject.clone());
        }
        let most = match fault.lasting {
            Lasting::Once => 1,
            Lasting::Thrice => 3,
            Lasting::ForGood => usize::MAX,
        };
        if state.struck.as_ref() != Some(subject) || state.times >= most {
            return Ok(usize::MAX);
        }
        state.times += 1;
        match fault.kind {
            Kind::Errno(errno) => Err(io::Error::from_raw_os_error(errno)),
            Kind::Short(most) => Ok(most),
        }
    }

    fn calls(&self, operation: Operation) -> usize {
        self.0.borrow().calls[operation as usize]
    }
}

impl Files for Faulty {
    fn meta(&self, path: &Path, links: Links) -> io::Result<Meta> {
        self.meet(Operation::Look, &Subject::Name(path.to_owned()))?;
        Disk.meta(path, links)
    }

    fn open(&self, path: &Path, links: Links) -> io::Result<Box<dyn Handle>> {
        self.meet(Operation::Open, &Subject::Name(path.to_owned()))?;
        let inner = Disk.open(path, links)?;
        let subject = Subject::File(inner.meta()?.id);
        Ok(Box::new(FaultyHandle { inner, subject, faults: self.clone() }))
    }

    fn list(&self, directory: &Path) -> io::Result<Vec<OsString>> {
        self.meet(Operation::List, &Subject::Name(directory.to_owned()))?;
        Disk.list(directory)
    }

    fn entries(&self, directory: &Path) -> io::Result<Vec<Entry>> {
        self.meet(Operation::List, &Subject::Name(directory.to_owned()))?;
        Disk.entries(directory)
    }
}

#[derive(Debug)]
struct FaultyHandle {
    inner: Box<dyn Handle>,
    subject: Subject,
    faults: Faulty,
}

impl Handle for FaultyHandle {
    fn meta(&self) -> io::Result<Meta> {
        self.faults.meet(Operation::Stat, &self.subject)?;
        self.inner.meta()
    }

    fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
        let most = self.faults.meet(Operation::Read, &self.subject)?.min(buffer.len());
        self.inner.read_at(&mut buffer[..most], offset)
    }

    fn read_next(&mut self, buffer: &mut [u8]) -> io::Result<Flow> {
        self.inner.read_next(buffer)
    }

    fn renew(&mut self) -> io::Result<()> {
        self.inner.renew()
    }

    fn next_data(&self, from: u64) -> io::Result<Option<u64>> {
        self.faults.meet(Operation::Seek, &self.subject)?;
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

/// What happens to the log, and when the tail looks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Step {
    /// Lines are appended.
    Append,
    /// A line is begun; what is appended next ends it.
    Begin,
    /// The log gets another name.
    Rename,
    /// A copy of the log gets another name, and the log is truncated.
    Copytruncate,
    /// The log is truncated under a writer that keeps its offset.
    Hole,
    /// The tail looks until it has all.
    Look,
    /// The tail ends, and another one goes on where it was. Faults begin here.
    GoOn,
}

use Step::{Append, Begin, Copytruncate, GoOn, Hole, Look, Rename};

/// The tail looks at each file before another one comes.
const SEEN: [&[Step]; 4] = [
    &[Append, Look, Begin, Look, Append, Look],
    &[Append, Look, Append, Rename, Append, Look, Begin, Look, Append, Rename, Append, Look],
    &[Append, Look, Hole, Look, Append, Look],
    &[Append, Look, Append, GoOn, Look, Append, Look, Append, Rename, Append, Look],
];

/// Files that go by unseen are found beside the log, and so are the copies of it.
const BESIDE: [&[Step]; 4] = [
    &[Append, Look, Append, Rename, Append, Rename, Append, Look, Append, Rename, Append, Rename, Append, Look],
    &[Append, Look, Copytruncate, Append, Look, Append, Look, Copytruncate, Look, Append, Look],
    &[Append, Look, Append, Copytruncate, Append, Look, Append, Look],
    &[Append, Look, Append, GoOn, Append, Rename, Append, Rename, Append, Look, Append, Copytruncate, Append, Look],
];

/// Bytes that the log held until it was truncated, got another name, or the history ended.
#[derive(Debug)]
struct Run {
    file: FileId,
    text: Vec<u8>,
    fates: Vec<Fate>,
}

/// What has become of a byte.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fate {
    Unheard,
    Delivered,
    Lost,
}

/// The log, and what is known of each of its bytes.
struct Log {
    temp: tempfile::TempDir,
    runs: Vec<Run>,
    lines: u32,
    rotations: u32,
    /// The rest of a line that was begun.
    begun: String,
    begins_run: bool,
    /// The run and the offset behind what was delivered last.
    last: (usize, usize),
}

impl Log {
    fn new() -> Self {
        let temp = tempfile::tempdir().unwrap();
        Self { temp, runs: Vec::new(), lines: 0, rotations: 0, begun: String::new(), begins_run: true, last: (0, 0) }
    }

    fn path(&self) -> PathBuf {
        self.temp.path().join("a.log")
    }

    fn next_line(&mut self) -> String {
        self.lines += 1;
        format!("line {:05} {}\n", self.lines, "x".repeat(self.lines as usize % 40))
    }

    fn happen(&mut self, step: Step) {
        match step {
            Append => {
                let begun = std::mem::take(&mut self.begun);
                let lines: String = (0..20).map(|_| self.next_line()).collect();
                self.write(&(begun + &lines), 0);
            }
            Begin => {
                let line = self.next_line();
                self.write(&line[..8], 0);
                line[8..].clone_into(&mut self.begun);
            }
            Rename => {
                let to = self.next_name();
                fs::rename(self.path(), to).unwrap();
                self.end_run();
            }
            Copytruncate => {
                let to = self.next_name();
                fs::copy(self.path(), to).unwrap();
                File::create(self.path()).unwrap();
                self.end_run();
            }
            Hole => {
                let before = fs::metadata(self.path()).unwrap().len();
                File::create(self.path()).unwrap();
                self.end_run();
                let lines: String = (0..20).map(|_| self.next_line()).collect();
                self.write(&lines, usize::try_from(before).unwrap());
            }
            Look | GoOn => {}
        }
    }

    fn next_name(&mut self) -> PathBuf {
        self.rotations += 1;
        self.temp.path().join(format!("a.log-{:03}", self.rotations))
    }

    fn end_run(&mut self) {
        self.begins_run = true;
        // Files of one tick of the kernel's clock can't be told apart.
        std::thread::sleep(Duration::from_millis(5));
    }

    /// Writes behind so many NULs.
    fn write(&mut self, text: &str, nuls: usize) {
        let mut file = OpenOptions::new().write(true).create(true).truncate(false).open(self.path()).unwrap();
        let offset = file.seek(SeekFrom::End(0)).unwrap() + nuls as u64;
        file.write_all_at(text.as_bytes(), offset).unwrap();
        if std::mem::take(&mut self.begins_run) {
            let file = Disk.meta(&self.path(), Links::Refuse).unwrap().id;
            self.runs.push(Run { file, text: vec![0; nuls], fates: vec![Fate::Delivered; nuls] });
        }
        let run = self.runs.last_mut().unwrap();
        run.text.extend(text.as_bytes());
        run.fates.resize(run.text.len(), Fate::Unheard);
    }

    /// These bytes of a file were delivered: in their order, and never before.
    fn delivered(&mut self, file: FileId, offset: u64, bytes: &[u8]) -> Result<(), String> {
        let begin = usize::try_from(offset).unwrap();
        let range = begin..begin + bytes.len();
        let shown = || String::from_utf8_lossy(bytes).into_owned();
        let is_it = |run: &Run| run.file == file && run.text.get(range.clone()) == Some(bytes);
        let index = self.runs.iter().position(is_it).ok_or_else(|| format!("torn or not written: {:?}", shown()))?;
        let fates = &mut self.runs[index].fates[range.clone()];
        if fates.iter().any(|fate| *fate != Fate::Unheard) {
            return Err(format!("repeated, or called lost: {:?}", shown()));
        }
        fates.fill(Fate::Delivered);
        if (index, range.start) < self.last {
            return Err(format!("out of order: {:?}", shown()));
        }
        self.last = (index, range.end);
        Ok(())
    }

    /// These bytes of a file were announced as lost: they were written, and nothing was heard of them.
    fn lost(&mut self, file: FileId, range: Range<u64>) -> Result<(), String> {
        let places = usize::try_from(range.start).unwrap()..usize::try_from(range.end).unwrap();
        let runs = self.runs.iter_mut().filter(|run| run.file == file);
        let mut parts = runs.filter_map(|run| Some((run.fates.get_mut(places.clone())?, &run.text[places.clone()])));
        // NULs of a hole are nothing that could be heard of.
        let is_unheard = |fates: &[Fate], text: &[u8]| {
            fates.iter().zip(text).all(|(fate, byte)| *fate == Fate::Unheard || *byte == 0)
        };
        let part = parts.find(|(fates, text)| is_unheard(fates, text));
        part.ok_or_else(|| format!("nothing is lost at {range:?}"))?.0.fill(Fate::Lost);
        Ok(())
    }

    fn wrote(&self, file: FileId) -> bool {
        self.runs.iter().any(|run| run.file == file)
    }

    /// How many bytes are those of a line that is not finished.
    fn begun(&self) -> usize {
        self.runs.last().map_or(0, |run| run.text.iter().rev().take_while(|byte| **byte != b'\n').count())
    }

    fn fates(&self, fate: Fate) -> usize {
        self.runs.iter().flat_map(|run| &run.fates).filter(|other| **other == fate).count()
    }

    /// How many bytes of a file, or of all of them, were neither delivered nor announced as lost.
    fn unheard(&self, of: impl Fn(FileId) -> bool) -> usize {
        let runs = self.runs.iter().filter(|run| of(run.file));
        runs.flat_map(|run| &run.fates).filter(|fate| **fate == Fate::Unheard).count()
    }
}

/// A tail of a log, and what it has told.
struct Player {
    faulty: Faulty,
    tail: Tail,
    source: SourceId,
    /// How far the open files were read: the run, and the offset in it.
    read: HashMap<FileId, (u64, u64)>,
    /// Whether a failure was told.
    failed: bool,
    /// Files of which it was told that nobody can know how much is lost.
    unknown: Vec<FileId>,
}

impl Player {
    fn options() -> Options {
        Options { start: Start::FromLine(1), read_errors: ReadErrors::GiveUp, poll_only: true, ..Options::default() }
    }

    fn new(log: &Log, faulty: Faulty) -> Self {
        let mut tail = Tail::with_files(Self::options(), Box::new(faulty.clone())).unwrap();
        let source = tail.follow(log.path());
        Self { faulty, tail, source, read: HashMap::new(), failed: false, unknown: Vec::new() }
    }

    /// Plays a history to its end, and has the tail end with it.
    fn play(log: &mut Log, history: &[Step], fault: Option<Fault>) -> Result<Self, String> {
        let from_the_start = !history.contains(&GoOn);
        let mut player = Self::new(log, Faulty::with(fault.filter(|_| from_the_start)));
        for step in history {
            log.happen(*step);
            match step {
                Look => player.look(log, fault)?,
                GoOn => player = player.go_on(log, Faulty::with(fault)),
                _ => {}
            }
        }
        player.end(log)
    }

    /// Plays a history to its end, of which these calls have no answer.
    fn play_with(log: &mut Log, history: &[Step], silence: Range<usize>) -> Result<Self, String> {
        let from_the_start = !history.contains(&GoOn);
        let mut player = Self::new(log, Faulty::silent(if from_the_start { silence.clone() } else { 0..0 }));
        for step in history {
            log.happen(*step);
            match step {
                Look => player.look(log, None)?,
                GoOn => player = player.go_on(log, Faulty::silent(silence.clone())),
                _ => {}
            }
        }
        player.faulty.0.borrow_mut().silence = 0..0;
        player.look(log, None)?;
        player.end(log)
    }

    fn end(mut self, log: &mut Log) -> Result<Self, String> {
        let player = &mut self;
        player.tail.finish();
        let deadline = Instant::now() + Duration::from_secs(20);
        loop {
            player.take_all(log)?;
            if player.tail.is_over() {
                break;
            }
            // What was interrupted is tried again after a while.
            player.tail.wait(Some(deadline), &mut []).unwrap();
            if Instant::now() >= deadline {
                return Err("it does not end".to_owned());
            }
        }
        Ok(self)
    }

    /// Has the tail look until it has all, or has tried often enough.
    fn look(&mut self, log: &mut Log, fault: Option<Fault>) -> Result<(), String> {
        for attempt in 0..16 {
            self.tail.look_at(self.source);
            self.take_all(log)?;
            if log.unheard(|_| true) <= log.begun() {
                break;
            }
            // What might be a change under way is given a moment.
            let passes = fault.is_some_and(|fault| fault.lasting != Lasting::ForGood);
            if attempt > 4 && passes {
                self.tail.wait(Some(Instant::now() + Duration::from_millis(20)), &mut []).unwrap();
            }
        }
        Ok(())
    }

    fn take_all(&mut self, log: &mut Log) -> Result<(), String> {
        for _ in 0..10_000 {
            match self.tail.try_next() {
                None => return Ok(()),
                Some(Event::Data(data)) => {
                    log.delivered(data.file, data.offset, data.bytes)?;
                    self.read.insert(data.file, (data.run, data.offset + data.bytes.len() as u64));
                }
                Some(Event::Happened { what, .. }) => self.happened(log, &what)?,
                Some(Event::Trouble(_)) => self.failed = true,
                Some(_) => {}
            }
        }
        Err("it never comes to rest".to_owned())
    }

    fn happened(&mut self, log: &mut Log, what: &Happening) -> Result<(), String> {
        match what {
            Happening::Opened { file, run, offset, .. } => _ = self.read.insert(*file, (*run, *offset)),
            Happening::Rewritten { file, run, .. } => _ = self.read.insert(*file, (*run, 0)),
            // What can't be read for good may have been a copy.
            Happening::Lost { file, reason: Loss::Unreadable, .. } if !log.wrote(*file) => self.failed = true,
            Happening::Lost { file, range: Some(range), .. } => log.lost(*file, range.clone())?,
            Happening::Lost { file, range: None, reason } => {
                self.unknown.push(*file);
                self.failed |= *reason == Loss::Unreadable;
            }
            Happening::ReadFailed { .. } | Happening::Inaccessible { .. } => self.failed = true,
            _ => {}
        }
        Ok(())
    }

    /// What a checkpoint would hold, taken up by another tail.
    fn go_on(self, log: &Log, faulty: Faulty) -> Self {
        let Self { tail, source, read, .. } = self;
        let files = read.iter().filter_map(|(file, (run, offset))| tail.position(source, *file, *run, *offset));
        let (looked, known) = (tail.looked(source), tail.known(source));
        let saved = Resume { path: log.path(), files: files.collect(), looked, known, copies: tail.copies(source) };
        tail.join();
        let mut tail = Tail::with_files(Self::options(), Box::new(faulty.clone())).unwrap();
        let source = tail.resume(saved);
        Self { faulty, tail, source, read: HashMap::new(), failed: false, unknown: Vec::new() }
    }
}

/// Plays a history with a fault; what is wrong with what came of it.
fn judge(history: &[Step], fault: Fault) -> Result<(), String> {
    let mut log = Log::new();
    let player = Player::play(&mut log, history, Some(fault))?;
    let silent = log.unheard(|file| !player.unknown.contains(&file));
    let stays = fault.lasting == Lasting::ForGood;
    if silent > 0 && !(stays && player.failed) {
        return Err(format!("{silent} bytes are missing in silence"));
    }
    Ok(())
}

/// What an operation may fail with.
fn kinds(operation: Operation) -> Vec<Kind> {
    let errors: &[i32] = match operation {
        Operation::Look => &[ENOENT, EINTR, EIO, ESTALE],
        Operation::Open | Operation::List => &[ENOENT, EINTR, EIO, EMFILE, ESTALE],
        Operation::Stat => &[EIO, ESTALE],
        // A handle retries what a signal has interrupted.
        Operation::Read => &[EIO, ENOSPC, ESTALE],
        Operation::Seek => &[EIO, ENOSPC],
    };
    let short = if operation == Operation::Read { &[1, 100][..] } else { &[] };
    errors.iter().copied().map(Kind::Errno).chain(short.iter().copied().map(Kind::Short)).collect()
}

/// Each fault at each call that a history makes.
fn faults(history: &[Step]) -> Vec<Fault> {
    let mut log = Log::new();
    let player = Player::play(&mut log, history, None).unwrap();
    assert_eq!((log.unheard(|_| true), player.failed, player.unknown.len()), (0, false, 0), "without a fault");
    let mut faults = Vec::new();
    for operation in Operation::ALL {
        for call in 0..player.faulty.calls(operation) {
            for kind in kinds(operation) {
                for lasting in [Lasting::Once, Lasting::Thrice, Lasting::ForGood] {
                    // Signals don't come without end, and descriptors that are short for good are another matter.
                    let passes = matches!(kind, Kind::Errno(EINTR | EMFILE));
                    // What stands beside the log and is not there again and again is not there.
                    let is_gone =
                        kind == Kind::Errno(ENOENT) && operation != Operation::List && BESIDE.contains(&history);
                    if !(passes && lasting == Lasting::ForGood || is_gone && lasting != Lasting::Once) {
                        faults.push(Fault { operation, kind, lasting, call });
                    }
                }
            }
        }
    }
    faults
}

/// Plays each history with each fault at each call; by default with each fourth of them.
fn play_all(histories: &[&[Step]]) {
    let soaking = std::env::var_os("RTAIL_SOAK").is_some_and(|value| value == "1");
    let mut cases: Vec<(&[Step], Fault)> = Vec::new();
    for history in histories {
        cases.extend(faults(history).into_iter().map(|fault| (*history, fault)));
    }
    let failures = each(cases.into_iter().step_by(if soaking { 1 } else { 4 }), |(history, fault)| {
        judge(history, fault).map_err(|trouble| format!("{history:?}, {fault}: {trouble}"))
    });
    assert!(failures.is_empty(), "{} faults do harm:\n{}", failures.len(), failures.join("\n"));
}

/// Tries each case, eight at a time; what is wrong with them.
fn each<T>(cases: impl Iterator<Item = T> + Send, attempt: impl Fn(T) -> Result<(), String> + Sync) -> Vec<String> {
    let (cases, failures) = (Mutex::new(cases), Mutex::new(Vec::new()));
    let next = || cases.lock().unwrap().next();
    std::thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| {
                while let Some(case) = next() {
                    if let Err(trouble) = attempt(case) {
                        failures.lock().unwrap().push(trouble);
                    }
                }
            });
        }
    });
    failures.into_inner().unwrap()
}

#[test]
fn whatever_call_fails_what_is_delivered_and_what_is_told_is_what_was_written() {
    play_all(&SEEN);
}

#[test]
fn whatever_call_fails_what_stands_beside_the_log_is_delivered_once_or_told() {
    play_all(&BESIDE);
}

/// However many calls in a row have no answer, and whichever these are, that is never taken for an answer.
#[test]
fn what_is_not_answered_is_neither_lost_nor_repeated() {
    let soaking = std::env::var_os("RTAIL_SOAK").is_some_and(|value| value == "1");
    let mut cases = Vec::new();
    for history in SEEN.iter().chain(&BESIDE) {
        let player = Player::play(&mut Log::new(), history, None).unwrap();
        let calls: usize = Operation::ALL.iter().map(|operation| player.faulty.calls(*operation)).sum();
        cases.extend((0..calls).flat_map(|first| [1, 2, 5, 13].map(|count| (history, first..first + count))));
    }
    let failures = each(cases.into_iter().step_by(if soaking { 1 } else { 5 }), |(history, silence)| {
        let mut log = Log::new();
        let told = Player::play_with(&mut log, history, silence.clone()).and_then(|player| {
            let missing = (log.unheard(|_| true), log.fates(Fate::Lost));
            let fine = missing == (0, 0) && !player.failed && player.unknown.is_empty();
            if fine { Ok(()) } else { Err(format!("missing {missing:?}, {:?}", player.unknown)) }
        });
        told.map_err(|trouble| format!("{history:?}, {silence:?}: {trouble}"))
    });
    assert!(failures.is_empty(), "{} silences do harm:\n{}", failures.len(), failures.join("\n"));
}

#[test]
fn what_can_not_be_found_out_for_long_is_told_and_the_log_goes_on() {
    let mut log = Log::new();
    let fault = Fault { operation: Operation::List, kind: Kind::Errno(EIO), lasting: Lasting::ForGood, call: 1 };
    let mut player = Player::new(&log, Faulty::with(Some(fault)));
    log.happen(Append);
    player.look(&mut log, None).unwrap();
    for step in [Append, Rename, Append, Rename, Append] {
        log.happen(step);
    }
    let live = log.runs.last().unwrap().file;
    let missed = log.runs[1].text.len();
    let deadline = Instant::now() + Duration::from_mins(1);
    while log.unheard(|file| file == live) > 0 {
        assert!(Instant::now() < deadline, "the log doesn't go on");
        player.tail.wait(Some(deadline), &mut []).unwrap();
        player.take_all(&mut log).unwrap();
    }
    // What followed the first file isn't known, nor what came before the cuts of the last one.
    assert_eq!((log.unheard(|_| true), &*player.unknown), (missed, &[log.runs[0].file, live][..]));
}
