//! Mounts that stop answering: directories whose calls wait behind a gate.

use std::fs::{self, OpenOptions};
use std::io::{ErrorKind, Write as _};
use std::sync::{Condvar, Mutex};
use std::time::{Duration, Instant};

use super::*;
use crate::tail::files::Disk;
use crate::tail::{Event, Options, Resume, Start, Tail};

const PATIENCE: Duration = Duration::from_secs(20);

/// Behind this, calls wait while it is closed.
#[derive(Debug, Default)]
struct Gate {
    state: Mutex<GateState>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct GateState {
    closed: bool,
    waiting: usize,
    calls: usize,
    open_files: usize,
}

impl Gate {
    fn close(&self) {
        self.state.lock().unwrap().closed = true;
    }

    fn open(&self) {
        self.state.lock().unwrap().closed = false;
        self.changed.notify_all();
    }

    fn pass(&self) {
        let mut state = self.state.lock().unwrap();
        state.calls += 1;
        state.waiting += 1;
        while state.closed {
            state = self.changed.wait(state).unwrap();
        }
        state.waiting -= 1;
    }

    fn told<T>(&self, what: impl Fn(&GateState) -> T) -> T {
        what(&self.state.lock().unwrap())
    }
}

/// Files of this machine behind a gate, if they are on the mount.
#[derive(Debug)]
struct Gated {
    gate: Arc<Gate>,
    mount: PathBuf,
}

impl Gated {
    fn pass(&self, path: &Path) -> bool {
        let is_behind =
            path.starts_with(&self.mount) || path.canonicalize().is_ok_and(|at| at.starts_with(&self.mount));
        if is_behind {
            self.gate.pass();
        }
        is_behind
    }
}

impl Files for Gated {
    fn meta(&self, path: &Path, links: Links) -> io::Result<Meta> {
        self.pass(path);
        Disk.meta(path, links)
    }

    fn open(&self, path: &Path, links: Links) -> io::Result<Box<dyn Handle>> {
        let is_behind = self.pass(path);
        let inner = Disk.open(path, links)?;
        if !is_behind {
            return Ok(inner);
        }
        self.gate.state.lock().unwrap().open_files += 1;
        Ok(Box::new(GatedHandle { inner, gate: Arc::clone(&self.gate) }))
    }

    fn list(&self, directory: &Path) -> io::Result<Vec<OsString>> {
        self.pass(directory);
        Disk.list(directory)
    }

    fn entries(&self, directory: &Path) -> io::Result<Vec<Entry>> {
        self.pass(directory);
        Disk.entries(directory)
    }
}

#[derive(Debug)]
struct GatedHandle {
    inner: Box<dyn Handle>,
    gate: Arc<Gate>,
}

impl Drop for GatedHandle {
    fn drop(&mut self) {
        self.gate.pass();
        self.gate.state.lock().unwrap().open_files -= 1;
    }
}

impl Handle for GatedHandle {
    fn meta(&self) -> io::Result<Meta> {
        self.gate.pass();
        self.inner.meta()
    }

    fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
        self.gate.pass();
        self.inner.read_at(buffer, offset)
    }

    fn read_next(&mut self, buffer: &mut [u8]) -> io::Result<Flow> {
        self.gate.pass();
        self.inner.read_next(buffer)
    }

    fn renew(&mut self) -> io::Result<()> {
        self.gate.pass();
        self.inner.renew()
    }

    fn next_data(&self, from: u64) -> io::Result<Option<u64>> {
        self.gate.pass();
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

/// A directory that is local, and one that is on a mount with a gate.
struct Stage {
    gate: Arc<Gate>,
    _temp: tempfile::TempDir,
    root: PathBuf,
}

impl Drop for Stage {
    fn drop(&mut self) {
        // A thread that waits at the gate of a test that fails is to end all the same.
        self.gate.open();
    }
}

impl Stage {
    fn new() -> Self {
        let temp = tempfile::tempdir().unwrap();
        let root = temp.path().canonicalize().unwrap();
        fs::create_dir(root.join("local")).unwrap();
        fs::create_dir(root.join("remote")).unwrap();
        Self { gate: Arc::default(), _temp: temp, root }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.root.join(name)
    }

    fn mounts(&self) -> Rc<Mounts> {
        Rc::new(Mounts::at(&[&self.path("remote")]))
    }

    fn files(&self, mounts: Rc<Mounts>) -> Guarded {
        let (gate, mount) = (Arc::clone(&self.gate), self.path("remote"));
        Guarded::new(mounts, Arc::new(move || Box::new(Gated { gate: Arc::clone(&gate), mount: mount.clone() })))
    }

    fn tail(&self) -> Tail {
        let options = Options { start: Start::FromLine(1), ..Options::default() };
        Tail::with(options, Box::new(self.files(self.mounts())), self.mounts()).unwrap()
    }

    fn append(&self, name: &str, text: &str) {
        let mut file = OpenOptions::new().append(true).create(true).open(self.path(name)).unwrap();
        file.write_all(text.as_bytes()).unwrap();
    }

    fn rename(&self, from: &str, to: &str) {
        fs::rename(self.path(from), self.path(to)).unwrap();
        // Files of one tick of the kernel's clock can't be told apart.
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// What a tail has told.
#[derive(Debug, Default)]
struct Told {
    remote: String,
    local: String,
    happenings: Vec<String>,
}

impl Told {
    /// Takes what comes until it is enough.
    fn until(&mut self, tail: &mut Tail, enough: impl Fn(&Self) -> bool) {
        let deadline = Instant::now() + PATIENCE;
        while !enough(self) {
            if let Some(event) = tail.try_next() {
                self.take(event);
            } else {
                assert!(Instant::now() < deadline, "waited in vain: {self:#?}");
                tail.wait(Some(deadline), &mut []).unwrap();
            }
        }
    }

    /// Takes what comes while it is looked at everything a few times.
    fn for_a_while(&mut self, tail: &mut Tail) {
        let until = Instant::now() + Duration::from_millis(1500);
        while Instant::now() < until {
            tail.wait(Some(until), &mut []).unwrap();
            while let Some(event) = tail.try_next() {
                self.take(event);
            }
        }
    }

    fn take(&mut self, event: Event<'_>) {
        match event {
            Event::Data(data) => {
                let text = std::str::from_utf8(data.bytes).unwrap();
                let is_remote = data.path.components().any(|part| part.as_os_str() == "remote");
                if is_remote { &mut self.remote } else { &mut self.local }.push_str(text);
            }
            Event::Happened { what, .. } => self.happenings.push(format!("{what:?}")),
            other => self.happenings.push(format!("{other:?}")),
        }
    }

    fn times(&self, what: &str) -> usize {
        self.happenings.iter().filter(|happening| happening.starts_with(what)).count()
    }

    /// Nothing was lost, and one silence was told, with its end.
    fn assert_one_silence(&self) {
        let times = ["NotAnswering", "Answering", "Lost", "CameAndWent", "ReadFailed"].map(|what| self.times(what));
        assert_eq!(times, [1, 1, 0, 0, 0], "{self:#?}");
    }
}

fn is_silence(result: io::Result<impl fmt::Debug>) -> bool {
    result.unwrap_err().kind() == ErrorKind::TimedOut
}

/// Asks until there is an answer.
fn answer<T>(ask: impl Fn() -> io::Result<T>) -> T {
    let deadline = Instant::now() + PATIENCE;
    loop {
        match ask() {
            Ok(answer) => return answer,
            Err(error) => assert!(Instant::now() < deadline, "waited in vain: {error}"),
        }
        std::thread::sleep(Duration::from_millis(5));
    }
}

#[test]
fn a_call_without_an_answer_fails_and_so_do_those_behind_it_at_once() {
    let stage = Stage::new();
    let (local, remote) = (stage.path("local"), stage.path("remote"));
    let files = stage.files(stage.mounts());
    files.meta(&remote, Links::Follow).unwrap();
    stage.gate.close();
    assert!(is_silence(files.meta(&remote, Links::Follow)));
    assert!(is_silence(files.list(&remote)));
    assert!(is_silence(files.open(&remote, Links::Follow)));
    assert_eq!(stage.gate.told(|gate| (gate.calls, gate.waiting)), (2, 1), "only the first one was made");
    assert_eq!(files.silences(), 3);
    files.meta(&local, Links::Follow).unwrap();
    files.open(&local, Links::Follow).unwrap();
    stage.gate.open();
    answer(|| files.meta(&remote, Links::Follow));
    assert_eq!(Box::new(files).end(), Vec::<PathBuf>::new());
}

#[test]
fn a_file_that_is_opened_when_nobody_waits_for_it_any_more_is_closed() {
    let stage = Stage::new();
    stage.append("remote/a.log", "L0\n");
    let path = stage.path("remote/a.log");
    let files = stage.files(stage.mounts());
    stage.gate.close();
    assert!(is_silence(files.open(&path, Links::Refuse)));
    stage.gate.open();
    answer(|| files.meta(&path, Links::Refuse));
    answer(|| if stage.gate.told(|gate| gate.open_files) == 0 { Ok(()) } else { Err(ErrorKind::Other.into()) });
    let handle = files.open(&path, Links::Refuse).unwrap();
    assert_eq!(stage.gate.told(|gate| gate.open_files), 1);
    drop(handle);
    assert_eq!(Box::new(files).end(), Vec::<PathBuf>::new());
    assert_eq!(stage.gate.told(|gate| gate.open_files), 0);
}

#[test]
fn bytes_come_as_they_are() {
    let stage = Stage::new();
    let text = (0..50_000).map(|number| format!("L{number}\n")).collect::<Vec<_>>().concat();
    stage.append("remote/a.log", &text);
    let files = stage.files(stage.mounts());
    let handle = files.open(&stage.path("remote/a.log"), Links::Refuse).unwrap();
    let mut read = Vec::new();
    for length in [1, 100_000, 7, 200_000, 300_000].into_iter().cycle() {
        let mut buffer = vec![b'?'; length];
        let count = handle.read_at(&mut buffer, read.len() as u64).unwrap();
        assert!(buffer[count..].iter().all(|byte| *byte == b'?'));
        read.extend_from_slice(&buffer[..count]);
        if count == 0 {
            break;
        }
    }
    assert!(read == text.as_bytes());
}

#[test]
fn who_wants_to_end_does_not_wait_for_an_answer() {
    let stage = Stage::new();
    let flag = Arc::new(AtomicBool::new(false));
    let mut files = stage.files(stage.mounts());
    files.interrupt_by(Arc::clone(&flag));
    files.meta(&stage.path("remote"), Links::Follow).unwrap();
    flag.store(true, std::sync::atomic::Ordering::Relaxed);
    files.meta(&stage.path("remote"), Links::Follow).unwrap();
    stage.gate.close();
    let begun = Instant::now();
    assert!(is_silence(files.meta(&stage.path("remote"), Links::Follow)));
    assert_eq!(Box::new(files).end(), [stage.path("remote")]);
    assert!(begun.elapsed() < Duration::from_millis(900), "as long as if nobody wanted to end");
}

#[test]
fn a_hung_mount_keeps_no_other_file_waiting_and_all_of_it_comes_once_it_answers() {
    let stage = Stage::new();
    let mut tail = stage.tail();
    for name in ["remote/a.log", "local/b.log"] {
        stage.append(name, "L0\n");
        tail.follow(stage.path(name));
    }
    let mut told = Told::default();
    told.until(&mut tail, |told| (&*told.remote, &*told.local) == ("L0\n", "L0\n"));
    stage.gate.close();
    for number in 1..=20 {
        stage.append("remote/a.log", &format!("L{number}\n"));
        stage.append("local/b.log", &format!("L{number}\n"));
        let line = format!("L{number}\n");
        told.until(&mut tail, |told| told.local.ends_with(&line));
    }
    told.until(&mut tail, |told| told.times("NotAnswering") > 0);
    stage.append("local/b.log", "L21\n");
    told.until(&mut tail, |told| told.local.ends_with("L21\n"));
    assert_eq!(told.remote, "L0\n");
    stage.gate.open();
    stage.append("remote/a.log", "L21\n");
    told.until(&mut tail, |told| told.remote.ends_with("L21\n"));
    assert_eq!(told.remote, told.local);
    told.assert_one_silence();
    assert_eq!(tail.join(), Vec::<PathBuf>::new());
}

#[test]
fn a_mount_that_hangs_from_the_start_keeps_no_other_file_waiting() {
    let stage = Stage::new();
    stage.gate.close();
    let mut tail = stage.tail();
    for name in ["remote/a.log", "local/b.log"] {
        stage.append(name, "L0\n");
        tail.follow(stage.path(name));
    }
    let mut told = Told::default();
    told.until(&mut tail, |told| told.local == "L0\n");
    assert!(tail.past_start());
    stage.append("local/b.log", "L1\n");
    told.until(&mut tail, |told| told.local == "L0\nL1\n");
    stage.gate.open();
    told.until(&mut tail, |told| told.remote == "L0\n");
    told.assert_one_silence();
    assert_eq!(tail.join(), Vec::<PathBuf>::new());
}

#[test]
fn rotations_on_a_mount_that_does_not_answer_are_caught_up_with() {
    let stage = Stage::new();
    let mut tail = stage.tail();
    stage.append("remote/a.log", "L0\n");
    tail.follow(stage.path("remote/a.log"));
    let mut told = Told::default();
    told.until(&mut tail, |told| told.remote == "L0\n");
    stage.gate.close();
    told.until(&mut tail, |told| told.times("NotAnswering") > 0);
    let mut expected = "L0\n".to_owned();
    for number in 1..=4 {
        let (before, after) = (format!("L{number} before\n"), format!("L{number} after\n"));
        stage.append("remote/a.log", &before);
        stage.rename("remote/a.log", &format!("remote/a.log-{number}"));
        stage.append("remote/a.log", &after);
        expected.extend([before, after]);
    }
    stage.gate.open();
    told.until(&mut tail, |told| told.remote.ends_with("L4 after\n"));
    assert_eq!(told.remote, expected);
    told.assert_one_silence();
    assert_eq!(tail.join(), Vec::<PathBuf>::new());
}

#[test]
fn files_that_a_pattern_finds_are_not_given_up_while_their_directory_does_not_answer() {
    let stage = Stage::new();
    let mut tail = stage.tail();
    stage.append("remote/a.log", "A0\n");
    stage.append("local/b.log", "B0\n");
    tail.follow_pattern(&stage.path("*/*.log")).unwrap();
    let mut told = Told::default();
    told.until(&mut tail, |told| (&*told.remote, &*told.local) == ("A0\n", "B0\n"));
    stage.gate.close();
    told.until(&mut tail, |told| told.times("NotAnswering") > 0);
    stage.append("local/new.log", "B1\n");
    told.until(&mut tail, |told| told.local == "B0\nB1\n");
    stage.append("remote/a.log", "A1\n");
    stage.append("remote/new.log", "A2\n");
    // A few looks at everything in vain.
    told.for_a_while(&mut tail);
    stage.gate.open();
    told.until(&mut tail, |told| told.remote.len() == "A0\nA1\nA2\n".len());
    let mut lines: Vec<_> = told.remote.lines().collect();
    lines.sort_unstable();
    assert_eq!(lines, ["A0", "A1", "A2"]);
    assert_eq!((told.times("Closed"), told.times("Opened")), (0, 4), "{told:#?}");
    told.assert_one_silence();
    assert_eq!(tail.join(), Vec::<PathBuf>::new());
}

#[test]
fn what_is_held_open_for_want_of_a_decision_is_closed_at_the_end() {
    let stage = Stage::new();
    let mut tail = stage.tail();
    stage.append("remote/a.log", "L0\n");
    tail.follow_pattern(&stage.path("remote/a.log*")).unwrap();
    let mut told = Told::default();
    told.until(&mut tail, |told| told.remote == "L0\n");
    fs::copy(stage.path("remote/a.log"), stage.path("remote/a.log.1")).unwrap();
    let deadline = Instant::now() + PATIENCE;
    while stage.gate.told(|gate| gate.open_files) < 2 {
        assert!(Instant::now() < deadline, "the copy is not held");
        told.for_a_while(&mut tail);
    }
    assert_eq!((tail.join(), stage.gate.told(|gate| gate.open_files)), (Vec::new(), 0));
}

#[test]
fn a_link_that_leads_to_a_mount_that_hangs_and_away_from_it_is_told_once() {
    let stage = Stage::new();
    let mut tail = stage.tail();
    stage.append("remote/a.log", "L0\n");
    stage.append("local/a.log", "L2\n");
    std::os::unix::fs::symlink("../remote/a.log", stage.path("local/link")).unwrap();
    tail.follow(stage.path("local/link"));
    let mut told = Told::default();
    told.until(&mut tail, |told| told.local == "L0\n");
    stage.gate.close();
    stage.append("remote/a.log", "L1\n");
    std::os::unix::fs::symlink("a.log", stage.path("local/new")).unwrap();
    stage.rename("local/new", "local/link");
    told.until(&mut tail, |told| told.times("NotAnswering") > 0);
    // A few looks at a name that answers, of a file that doesn't.
    told.for_a_while(&mut tail);
    assert_eq!((&*told.local, told.times("Answering")), ("L0\n", 0), "what comes later must wait");
    stage.gate.open();
    told.until(&mut tail, |told| told.local.ends_with("L2\n"));
    assert_eq!(told.local, "L0\nL1\nL2\n");
    told.assert_one_silence();
    tail.join();
}

#[test]
fn what_was_left_by_an_earlier_tail_is_looked_for_until_there_is_an_answer() {
    let stage = Stage::new();
    stage.append("remote/a.log", "L0\n");
    let mut tail = stage.tail();
    let path = stage.path("remote/a.log");
    let source = tail.follow(&path);
    let mut told = Told::default();
    told.until(&mut tail, |told| told.remote == "L0\n");
    let standing = tail.standing(source).unwrap();
    let files = tail.position(source, standing.file, standing.run, standing.offset).into_iter().collect();
    let saved =
        Resume { path, files, looked: tail.looked(source), known: tail.known(source), copies: tail.copies(source) };
    tail.join();
    stage.append("remote/a.log", "L1\n");
    stage.rename("remote/a.log", "remote/a.log.1");
    stage.append("remote/a.log", "L2\n");
    stage.rename("remote/a.log.1", "remote/a.log.2");
    stage.rename("remote/a.log", "remote/a.log.1");
    stage.append("remote/a.log", "L3\n");
    stage.gate.close();
    let mut tail = stage.tail();
    tail.resume(saved);
    told.until(&mut tail, |told| told.times("NotAnswering") > 0);
    stage.gate.open();
    told.until(&mut tail, |told| told.remote.ends_with("L3\n"));
    assert_eq!(told.remote, "L0\nL1\nL2\nL3\n");
    told.assert_one_silence();
    tail.join();
}

#[test]
fn a_tail_ends_although_a_mount_does_not_answer_and_says_where_that_is() {
    let stage = Stage::new();
    let mut tail = stage.tail();
    stage.append("remote/a.log", "L0\n");
    tail.follow(stage.path("remote/a.log"));
    tail.follow(stage.path("remote/missing.log"));
    let mut told = Told::default();
    told.until(&mut tail, |told| told.remote == "L0\n" && told.times("Inaccessible") == 1);
    stage.gate.close();
    stage.append("remote/a.log", "L1\n");
    told.until(&mut tail, |told| told.times("NotAnswering") == 2);
    tail.finish();
    while let Some(event) = tail.next().unwrap() {
        told.take(event);
    }
    assert_eq!((told.times("ReadFailed"), told.times("Inaccessible")), (1, 2), "{told:#?}");
    assert_eq!(tail.join(), [stage.path("remote")]);
    assert_eq!(stage.gate.told(|gate| gate.open_files), 1);
    stage.gate.open();
    answer(|| if stage.gate.told(|gate| gate.open_files) == 0 { Ok(()) } else { Err(ErrorKind::Other.into()) });
}
