//! The judgement on a program that has ended.

use std::ops::RangeInclusive;
use std::os::unix::process::ExitStatusExt as _;
use std::process::ExitStatus;

use rustix::process::Signal;

use super::oracle::{self, Extent, contains, indented, lines};

/// What came of a program under test. Each oracle panics with a report if it does not hold.
pub struct Ended {
    pub(super) name: &'static str,
    /// How it ended.
    pub status: ExitStatus,
    /// All of its output.
    pub stdout: Vec<u8>,
    /// All of its messages.
    pub stderr: Vec<u8>,
}

impl Ended {
    /// Its output is exactly this.
    #[track_caller]
    pub fn printed(self, expected: impl AsRef<[u8]>) -> Self {
        self.judge(oracle::difference(expected.as_ref(), &self.stdout));
        self
    }

    /// Its output is exactly these numbered lines.
    #[track_caller]
    pub fn printed_lines(self, numbers: RangeInclusive<u32>) -> Self {
        self.printed(lines(numbers))
    }

    /// Its output holds the lines of every sequence once, each sequence in its order, and nothing else.
    #[track_caller]
    pub fn printed_interleaved(self, sequences: &[Vec<u8>]) -> Self {
        self.judge(oracle::interleaving(sequences, &self.stdout, Extent::Whole));
        self
    }

    /// The same for ranges of numbered lines.
    pub fn printed_ranges<const N: usize>(self, ranges: [RangeInclusive<u32>; N]) -> Self {
        self.printed_interleaved(&ranges.map(lines))
    }

    /// Its output holds the first lines of every sequence, as far as each came, whole and in order, and nothing else.
    #[track_caller]
    pub fn printed_prefixes(self, sequences: &[Vec<u8>]) -> Self {
        self.judge(oracle::interleaving(sequences, &self.stdout, Extent::Prefixes));
        self
    }

    /// Its messages are exactly these, each after the program's name.
    #[track_caller]
    pub fn notices_are(self, notices: &[&str]) -> Self {
        let expected = notices.iter().map(|notice| format!("{}: {notice}\n", self.name)).collect::<Vec<_>>().concat();
        self.judge(
            oracle::difference(expected.as_bytes(), &self.stderr).map(|text| format!("in its messages, {text}")),
        );
        self
    }

    /// It had nothing to say.
    #[track_caller]
    pub fn quietly(self) -> Self {
        self.notices_are(&[])
    }

    /// One of its messages contains `text`.
    #[track_caller]
    pub fn noticed(self, text: &str) -> Self {
        let count = self.notices_with(text);
        self.judge((count == 0).then(|| format!("no notice: {text}")));
        self
    }

    /// Exactly one of its messages contains `text`.
    #[track_caller]
    pub fn noticed_once(self, text: &str) -> Self {
        let count = self.notices_with(text);
        self.judge((count != 1).then(|| format!("{count} notices instead of one: {text}")));
        self
    }

    /// No message contains `text`.
    #[track_caller]
    pub fn never_noticed(self, text: &str) -> Self {
        let count = self.notices_with(text);
        self.judge((count != 0).then(|| format!("{count} notices: {text}")));
        self
    }

    /// How many of its messages contain `text`.
    pub fn notices_with(&self, text: &str) -> usize {
        oracle::split_lines(&self.stderr).into_iter().filter(|line| contains(line, text.as_bytes())).count()
    }

    /// It ended with this status.
    #[track_caller]
    pub fn with_status(self, status: i32) -> Self {
        self.judge((self.status.code() != Some(status)).then(|| format!("not status {status}")));
        self
    }

    /// It was killed by this signal.
    #[track_caller]
    pub fn died_of(self, signal: Signal) -> Self {
        let wrong = self.status.signal() != Some(signal.as_raw());
        self.judge(wrong.then(|| format!("not killed by signal {}", signal.as_raw())));
        self
    }

    #[track_caller]
    fn judge(&self, trouble: Option<String>) {
        if let Some(trouble) = trouble {
            panic!("{trouble}\n{} ended with {}; its messages:\n{}", self.name, self.status, indented(&self.stderr));
        }
    }
}
