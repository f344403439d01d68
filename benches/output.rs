//! What is done with lines on their way out: filters and records.
//!
//! `cargo bench --features bench`

#![allow(missing_docs, clippy::expect_used, reason = "a bench has no users")]

use divan::Bencher;
use divan::counter::BytesCount;
use rtail::bench::{Encoder, Grep};
use rtail::tail::{Data, Event, Following, Options, Start, Tail};

/// As many lines as fit one delivery.
const LINES: usize = 1_000;

fn main() {
    divan::main();
}

/// One line of a hundred matches: by a word, by one of two, by a word whatever its case, by what no word tells.
#[divan::bench(args = ["MATCH", "MATCH|FATAL", "(?i)match", r"[A-Z]{5} \d+"])]
fn filter(bencher: Bencher<'_, '_>, pattern: &str) {
    let mut grep = Grep::new(pattern).expect("a pattern");
    with_lines(
        |number| format!("{} {number:090}", if number % 100 == 0 { "MATCH" } else { "other" }),
        |data| {
            bencher.counter(BytesCount::of_slice(data.bytes)).bench_local(|| grep.shown(data));
        },
    );
}

/// Plain text, text of which every tenth byte is to be escaped, and what is no text.
#[divan::bench(args = ["plain", "escaped", "binary"])]
fn records(bencher: Bencher<'_, '_>, kind: &str) {
    let line: &[u8] = match kind {
        "plain" => b"word word ",
        "escaped" => b"word\\ word ",
        _ => b"word \xFF\xFE ",
    };
    let mut encoder = Encoder::new();
    let mut out = Vec::new();
    with_lines(
        |_| line.repeat(10),
        |data| {
            bencher.counter(BytesCount::of_slice(data.bytes)).bench_local(|| {
                out.clear();
                encoder.encode(data, &mut out);
                out.len()
            });
        },
    );
}

/// Has `measure` get lines as a tail delivers them.
fn with_lines<L: AsRef<[u8]>>(line: impl Fn(usize) -> L, measure: impl FnOnce(&Data<'_>)) {
    let temp = tempfile::tempdir().expect("a temporary directory");
    let log = temp.path().join("app.log");
    let text = (0..LINES).flat_map(|number| [line(number).as_ref(), b"\n"].concat()).collect::<Vec<_>>();
    std::fs::write(&log, &text).expect("a log");
    let options = Options { start: Start::FromLine(1), following: Following::Nothing, ..Options::default() };
    let mut tail = Tail::new(options).expect("a tail");
    tail.follow(&log);
    loop {
        match tail.next().expect("it can wait") {
            Some(Event::Data(data)) => {
                assert_eq!(data.bytes.len(), text.len(), "all came at once");
                return measure(&data);
            }
            Some(_) => {}
            None => panic!("no lines came"),
        }
    }
}
