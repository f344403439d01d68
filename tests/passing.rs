//! Bytes that a tail offers where they lie: whatever happens to their file on the way, each comes once.
#![allow(clippy::unwrap_used, reason = "a test that can't go on is to stop")]

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write as _};
use std::os::fd::BorrowedFd;
use std::os::unix::fs::FileExt as _;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use rtail::tail::{Event, Framing, Happening, Options, Passing, Start, Tail};

const PATIENCE: Duration = Duration::from_secs(20);

/// More than is read rather than offered.
const BULK: usize = 100_000;

/// Lines of this many bytes in all, each beginning with a letter of its own.
fn lines(letter: char, bytes: usize) -> String {
    (0..bytes / 10).fold(String::new(), |lines, number| lines + &format!("{letter}{number:08}\n"))
}

/// A log whose bytes are offered, and all that came of it.
struct Scene {
    tail: Tail,
    path: PathBuf,
    text: String,
    passages: usize,
    rewritten: usize,
    _temp: tempfile::TempDir,
}

impl Scene {
    /// A log from which some lines have come.
    fn new() -> Self {
        let temp = tempfile::tempdir().unwrap();
        let path = temp.path().join("a.log");
        fs::write(&path, lines('a', BULK)).unwrap();
        let options = Options {
            start: Start::FromLine(1),
            framing: Framing::Bytes,
            passing: Passing::Offered,
            ..Options::default()
        };
        let mut tail = Tail::new(options).unwrap();
        tail.follow(&path);
        let mut scene = Self { tail, path, text: String::new(), passages: 0, rewritten: 0, _temp: temp };
        scene.take(&lines('a', BULK), |_, fd, offset, length| read(fd, offset, length));
        scene
    }

    fn append(&self, text: &str) {
        append(&self.path, text);
    }

    /// Takes events until this has come, passing what is offered.
    fn take(&mut self, expected: &str, mut pass: impl FnMut(usize, BorrowedFd<'_>, u64, u64) -> io::Result<String>) {
        let Self { tail, text, passages, rewritten, .. } = self;
        let deadline = Instant::now() + PATIENCE;
        while text != expected {
            match tail.try_next() {
                Some(Event::Data(data)) => text.push_str(std::str::from_utf8(data.bytes).unwrap()),
                Some(Event::Passage(passage)) => {
                    let pass = |fd: BorrowedFd<'_>, offset, length| {
                        let passed = pass(*passages, fd, offset, length)?;
                        text.push_str(&passed);
                        Ok(passed.len() as u64)
                    };
                    passage.pass(pass).unwrap();
                    *passages += 1;
                }
                Some(Event::Happened { what: Happening::Rewritten { .. }, .. }) => *rewritten += 1,
                Some(_) => {}
                None => {
                    let (came, wanted) = (text.len(), expected.len());
                    assert!(Instant::now() < deadline, "waited in vain: {came} bytes came, {wanted} were to");
                    tail.wait(Some(deadline), &mut []).unwrap();
                }
            }
        }
    }
}

fn append(path: &PathBuf, text: &str) {
    OpenOptions::new().append(true).open(path).unwrap().write_all(text.as_bytes()).unwrap();
}

fn read(fd: BorrowedFd<'_>, offset: u64, length: u64) -> io::Result<String> {
    let mut bytes = vec![0; usize::try_from(length).unwrap()];
    File::from(fd.try_clone_to_owned()?).read_exact_at(&mut bytes, offset)?;
    Ok(String::from_utf8(bytes).unwrap())
}

#[test]
fn what_is_appended_while_bytes_pass_comes_behind_them() {
    let mut scene = Scene::new();
    let path = scene.path.clone();
    for round in 1..=20 {
        let (bulk, mut late) = (lines('b', BULK), Some(format!("late {round}\n")));
        let expected = scene.text.clone() + &bulk + late.as_deref().unwrap();
        scene.append(&bulk);
        scene.take(&expected, |_, fd, offset, length| {
            let passed = read(fd, offset, length);
            late.take().into_iter().for_each(|late| append(&path, &late));
            passed
        });
        assert_eq!(scene.passages, round);
        // Little was read last, and bytes are offered only where there were many.
        let expected = expected + &bulk;
        scene.append(&bulk);
        scene.take(&expected, |_, fd, offset, length| read(fd, offset, length));
    }
}

#[test]
fn what_was_not_passed_is_offered_again() {
    let mut scene = Scene::new();
    let expected = lines('a', BULK) + &lines('b', 3 * BULK);
    scene.append(&lines('b', 3 * BULK));
    scene.take(&expected, |count, fd, offset, length| match count {
        0 => Ok(String::new()),
        1 => read(fd, offset, 7),
        _ => read(fd, offset, length.min(40_000)),
    });
    assert!(scene.passages > 5);
}

#[test]
fn what_can_not_be_passed_is_read() {
    let mut scene = Scene::new();
    for letter in ['b', 'c'] {
        scene.append(&lines(letter, BULK));
        let expected = scene.text.clone() + &lines(letter, BULK);
        scene.take(&expected, |_, _, _, _| Err(io::ErrorKind::InvalidInput.into()));
    }
    assert_eq!(scene.passages, 1);
}

#[test]
fn a_file_that_is_rewritten_while_its_bytes_pass_is_read_from_its_beginning() {
    let mut scene = Scene::new();
    let path = scene.path.clone();
    scene.append(&lines('b', BULK));
    // To the same length, so that nothing but what stands there tells.
    let rewritten = lines('c', 2 * BULK);
    let expected = lines('a', BULK) + &rewritten[BULK..] + &rewritten;
    scene.take(&expected, |_, fd, offset, length| {
        fs::write(&path, &rewritten).unwrap();
        read(fd, offset, length)
    });
    assert_eq!((scene.passages, scene.rewritten), (1, 1));
}
