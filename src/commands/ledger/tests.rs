//! What a checkpoint says of a file that was cut before the output had accepted what was read of it.

use std::fs;

use super::*;
use crate::tail::{Event, Options, Start};

/// What a tail has brought of one file, and how much of it an output has accepted.
struct Output {
    ledger: Ledger,
    tail: Tail,
    source: SourceId,
    text: String,
    lost: Vec<(u64, u64)>,
}

impl Output {
    fn new(path: &Path, saved: Option<&Resume>) -> Self {
        let options = Options { start: Start::FromLine(1), poll_only: true, ..Options::default() };
        let mut tail = Tail::new(options).unwrap();
        let mut ledger = Ledger::new(Duration::from_secs(5), Begin::Start, AtEnd::Follow);
        let source = match saved {
            Some(saved) => tail.resume(saved.clone()),
            None => tail.follow(path),
        };
        ledger.follow(source, path, Origin::Named, saved);
        let mut output = Self { ledger, tail, source, text: String::new(), lost: Vec::new() };
        output.look();
        output
    }

    fn look(&mut self) {
        self.tail.look_at(self.source);
        while let Some(event) = self.tail.try_next() {
            let place = self.text.len() as u64;
            match event {
                Event::Data(data) => {
                    self.text.push_str(std::str::from_utf8(data.bytes).unwrap());
                    let of = Of { source: data.source, file: data.file, run: data.run };
                    self.ledger.bytes(of, place..self.text.len() as u64, data.offset, Unit::Byte);
                }
                Event::Happened { source, path, what } => {
                    self.ledger.enter(source, path, &what, place);
                    if let Happening::Lost { range: Some(range), .. } = what {
                        self.lost.push((range.start, range.end));
                    }
                }
                _ => {}
            }
        }
    }

    /// What a later run begins with that is told of so many bytes.
    fn resumed(mut self, bytes: u64) -> Self {
        self.ledger.settle(Accepted { bytes, lines: bytes });
        let saved = self.ledger.resumption(&self.tail).pop().unwrap();
        Self::new(&saved.path, Some(&saved))
    }
}

fn text() -> String {
    (0..200).fold(String::new(), |text, number| text + &format!("line {number}\n"))
}

#[test]
fn what_was_not_accepted_of_a_file_that_was_shortened_is_not_all_of_it() {
    let temp = tempfile::tempdir().unwrap();
    let path = temp.path().join("a.log");
    let text = text();
    for accepted in [0, 100, 1510, 1600] {
        fs::write(&path, &text).unwrap();
        let mut output = Output::new(&path, None);
        fs::OpenOptions::new().write(true).open(&path).unwrap().set_len(1510).unwrap();
        output.look();
        assert_eq!(output.text, text);
        let later = output.resumed(accepted);
        assert_eq!(
            (later.text.as_str(), later.lost.len()),
            (&text[usize::try_from(accepted.min(1510)).unwrap()..1510], 0)
        );
    }
}

#[test]
fn what_was_not_accepted_of_a_file_that_was_rewritten_is_told() {
    let temp = tempfile::tempdir().unwrap();
    let path = temp.path().join("a.log");
    let text = text();
    let size = text.len() as u64;
    for (accepted, proven) in [(0, 0), (100, 100), (1200, 1024), (size - 100, size - 100)] {
        fs::write(&path, &text).unwrap();
        let mut output = Output::new(&path, None);
        fs::write(&path, "something else\n").unwrap();
        output.look();
        assert_eq!(output.text, text.clone() + "something else\n");
        let later = output.resumed(accepted);
        assert_eq!((later.text.as_str(), later.lost), ("something else\n", vec![(proven, size)]));
    }
}
