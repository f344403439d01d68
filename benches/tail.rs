//! The pieces of the tailing core: where to begin, lines, decisions.
//!
//! `cargo bench --features bench`

#![allow(missing_docs, clippy::expect_used, reason = "a bench has no users")]

use std::fs::File;
use std::io::{BufWriter, Write as _};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use divan::counter::BytesCount;
use divan::{Bencher, black_box};
use rtail::tail::decide::{Before, Held, NameHeld, NameSeen, Seen, decide, decide_name};
use rtail::tail::{Event, FileId, Following, Framing, Options, Start, Tail};
use tempfile::TempDir;

/// How large logs are.
const SIZE: usize = 32 << 20;

fn main() {
    divan::main();
}

/// The last lines are searched for backwards from the end of the file, and read.
#[divan::bench(args = [10, 10_000, 300_000])]
fn last_lines(bencher: Bencher<'_, '_>, count: u64) {
    let (_temp, log) = log(100);
    bencher.bench_local(|| read(&log, Start::LastLines(count), Framing::Lines));
}

/// All of a log is read, its lines kept whole; long ones are put together from several reads.
#[divan::bench(args = [20, 100, 1_000, 600_000])]
fn lines(bencher: Bencher<'_, '_>, length: usize) {
    let (_temp, log) = log(length);
    bencher.counter(BytesCount::new(SIZE)).bench_local(|| read(&log, Start::FromLine(1), Framing::Lines));
}

/// The same log without minding its lines, to compare with.
#[divan::bench]
fn bytes(bencher: Bencher<'_, '_>) {
    let (_temp, log) = log(100);
    bencher.counter(BytesCount::new(SIZE)).bench_local(|| read(&log, Start::FromLine(1), Framing::Bytes));
}

/// Looks at open files: one that rests, one that was cut off, one that was rewritten.
#[divan::bench]
fn decide_files(bencher: Bencher<'_, '_>) {
    let modified = SystemTime::UNIX_EPOCH + Duration::from_secs(1);
    let held = Held { offset: 4096, modified: Some(modified), suspect: None };
    let seen = [(4096, Before::Same), (0, Before::CutSame(0)), (8192, Before::Other)].map(|(size, before)| Seen {
        size,
        modified,
        before,
    });
    bencher.counter(seen.len()).bench_local(|| seen.map(|seen| decide(black_box(&held), black_box(&seen))));
}

/// Looks at names: one that means what it meant, one that means another file, one that means none.
#[divan::bench]
fn decide_names(bencher: Bencher<'_, '_>) {
    let file = |inode| FileId { device: 1, inode, birth: Some(SystemTime::UNIX_EPOCH) };
    let held = NameHeld::File(file(1));
    let seen = [NameSeen::File(file(1)), NameSeen::File(file(2)), NameSeen::Missing];
    bencher.counter(seen.len()).bench_local(|| seen.map(|seen| decide_name(black_box(held), black_box(seen))));
}

/// A log of lines of this length, the newline included.
fn log(length: usize) -> (TempDir, PathBuf) {
    let temp = tempfile::tempdir().expect("a temporary directory");
    let path = temp.path().join("app.log");
    let mut line = vec![b'x'; length];
    line[length - 1] = b'\n';
    let mut file = BufWriter::new(File::create(&path).expect("a log"));
    (0..SIZE / length).try_for_each(|_| file.write_all(&line)).and_then(|()| file.flush()).expect("room for a log");
    (temp, path)
}

/// Reads a log from where it is to begin to its end, and counts the bytes.
fn read(log: &Path, start: Start, framing: Framing) -> usize {
    let following = Following::Nothing;
    let mut tail = Tail::new(Options { start, framing, following, ..Options::default() }).expect("a tail");
    tail.follow(log);
    let mut count = 0;
    while let Some(event) = tail.next().expect("it can wait") {
        if let Event::Data(data) = event {
            count += data.bytes.len();
        }
    }
    drop(tail.join());
    count
}
