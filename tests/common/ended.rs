//! The judgement on a program that has ended.

use std::ops::RangeInclusive;
use std::os::unix::process::ExitStatusExt as _;
use std::process::ExitStatus;

use rustix::process::Signal;

use super::Format;
use super::oracle::{self, Extent, contains, indented, lines, split_lines};
use super::records::{Letters, Records, sum_in_words};

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

    /// Its output as records, which end with that of the end.
    #[track_caller]
    pub fn records(&self) -> Records {
        self.read_records(Extent::Whole)
    }

    /// Its output as records, as far as they came.
    #[track_caller]
    pub fn records_until_cut(&self) -> Records {
        self.read_records(Extent::Prefixes)
    }

    /// The same with the lines for the output, whatever form they came in: what a raw stream would have printed.
    #[track_caller]
    pub fn read_as(mut self, format: Format) -> Self {
        if format == Format::Json {
            self.stdout = self.records().text();
        }
        self
    }

    #[track_caller]
    fn read_records(&self, extent: Extent) -> Records {
        match Records::read(&self.stdout, extent) {
            Ok(records) => records,
            Err(trouble) => self.fail(&trouble),
        }
    }

    /// Its account in text, in words as [`Records::accounts`] has them; one that doesn't add up is an empty one.
    pub fn accounts(&self) -> Vec<String> {
        let text = String::from_utf8_lossy(&self.stderr);
        let mut letters = Letters::default();
        let summary = text.lines().filter_map(|line| line.strip_prefix(&self.summary_mark()));
        summary.map(|line| account(line, &mut letters).unwrap_or_default()).collect()
    }

    /// Its account in text is this. These messages are done with.
    #[track_caller]
    pub fn accounted(mut self, expected: &[&str]) -> Self {
        let accounts = self.accounts();
        self.judge((accounts != expected).then(|| format!("in its account, {expected:?} became {accounts:?}")));
        let mark = self.summary_mark();
        let rest = split_lines(&self.stderr).into_iter().filter(|line| !line.starts_with(mark.as_bytes()));
        self.stderr = rest.collect::<Vec<_>>().concat();
        self
    }

    fn summary_mark(&self) -> String {
        format!("{}: summary: ", self.name)
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
        split_lines(&self.stderr).into_iter().filter(|line| contains(line, text.as_bytes())).count()
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
            self.fail(&trouble);
        }
    }

    #[track_caller]
    fn fail(&self, trouble: &str) -> ! {
        panic!("{trouble}\n{} ended with {}; its messages:\n{}", self.name, self.status, indented(&self.stderr));
    }
}

/// What `'NAME' (ID): N bytes on disk = A not asked for + B delivered + …` says, if it adds up.
fn account(line: &str, letters: &mut Letters) -> Option<String> {
    let (name, rest) = line.split_once(" (")?;
    let (whose, rest) = rest.split_once("): ")?;
    let (on_disk, terms) = rest.split_once(" bytes on disk = ")?;
    let terms: Option<Vec<(u64, String)>> = terms
        .split(" + ")
        .map(|term| term.split_once(' ').and_then(|(count, what)| Some((count.parse().ok()?, what.to_owned()))))
        .collect();
    let (on_disk, terms) = (on_disk.parse().ok()?, terms?);
    let whose = if whose.ends_with(" earlier") { "earlier ones".to_owned() } else { letters.of(whose) };
    let adds_up = on_disk == terms.iter().map(|(count, _)| count).sum::<u64>();
    adds_up.then(|| format!("{} {whose}: {}", name.trim_matches('\''), sum_in_words(on_disk, &terms)))
}
