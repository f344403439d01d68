//! Exact comparison of what was printed with what was written, and a report that helps when they differ.

use std::collections::HashMap;
use std::fmt::Write as _;
use std::ops::RangeInclusive;

/// The numbered lines of a range, as `Logs::append` writes them: `L1\nL2\n…`.
pub fn lines(numbers: RangeInclusive<u32>) -> Vec<u8> {
    let mut text = String::new();
    for number in numbers {
        writeln!(text, "L{number}").expect("a string takes any text");
    }
    text.into_bytes()
}

/// How many bytes the whole lines at the beginning are.
pub fn whole_lines(text: &[u8]) -> usize {
    text.iter().rposition(|&byte| byte == b'\n').map_or(0, |last| last + 1)
}

/// The first and the last of the numbers of whole lines `Ln`, which have to follow each other.
#[track_caller]
pub fn consecutive(text: &[u8]) -> Option<(u64, u64)> {
    let number = |line: &[u8]| std::str::from_utf8(line).ok()?.trim_end().strip_prefix('L')?.parse::<u64>().ok();
    let mut range: Option<(u64, u64)> = None;
    for line in split_lines(&text[..whole_lines(text)]) {
        let number = number(line).unwrap_or_else(|| panic!("a torn line: {}", shown(line)));
        let first = range.map_or(number, |(first, last)| {
            assert_eq!(number, last + 1, "lost or repeated within a run");
            first
        });
        range = Some((first, number));
    }
    range
}

/// Cuts at newlines and keeps them, so that a missing last newline is a difference too.
pub(super) fn split_lines(bytes: &[u8]) -> Vec<&[u8]> {
    bytes.split_inclusive(|&byte| byte == b'\n').collect()
}

/// What is wrong with `printed`, which should equal `expected`; `None` if nothing is.
pub(super) fn difference(expected: &[u8], printed: &[u8]) -> Option<String> {
    if expected == printed {
        return None;
    }
    let (wanted, got) = (split_lines(expected), split_lines(printed));
    let first = wanted.iter().zip(&got).position(|(a, b)| a != b).unwrap_or_else(|| wanted.len().min(got.len()));
    Some(format!(
        "output differs from line {}:\n  expected {}\n  printed  {}\n{}",
        first + 1,
        shown_at(&wanted, first),
        shown_at(&got, first),
        balance(&wanted, &got),
    ))
}

/// How far an interleaving of sequences has to have come.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Extent {
    /// Every line of every sequence.
    Whole,
    /// The first lines of each sequence, as far as it came.
    Prefixes,
}

/// What is wrong with `printed`, which should hold the lines of all `sequences`, each sequence in its order.
pub(super) fn interleaving(sequences: &[Vec<u8>], printed: &[u8], extent: Extent) -> Option<String> {
    let sequences: Vec<Vec<&[u8]>> = sequences.iter().map(|bytes| split_lines(bytes)).collect();
    let home: HashMap<&[u8], (usize, usize)> = sequences
        .iter()
        .enumerate()
        .flat_map(|(sequence, lines)| lines.iter().enumerate().map(move |(place, &line)| (line, (sequence, place))))
        .collect();
    let all: Vec<&[u8]> = sequences.concat();
    assert_eq!(home.len(), all.len(), "the sequences of an interleaving share a line");
    let got = split_lines(printed);
    let mut next = vec![0; sequences.len()];
    for (index, line) in got.iter().enumerate() {
        let trouble = match home.get(line) {
            None => "was never written".to_owned(),
            Some(&(sequence, place)) if place == next[sequence] => {
                next[sequence] += 1;
                continue;
            }
            Some(&(sequence, _)) => {
                format!("came where {} was due", shown_at(&sequences[sequence], next[sequence]))
            }
        };
        return Some(format!(
            "line {} of the output, {}, {trouble}\n{}",
            index + 1,
            shown(line),
            balance(&all, &got)
        ));
    }
    let complete = next.iter().zip(&sequences).all(|(&came, lines)| came == lines.len());
    (extent == Extent::Whole && !complete).then(|| format!("the output ends early\n{}", balance(&all, &got)))
}

/// Counts of what was lost, repeated, or never written, with the first of each.
fn balance(wanted: &[&[u8]], got: &[&[u8]]) -> String {
    let mut counts: HashMap<&[u8], (usize, usize)> = HashMap::new();
    for line in wanted {
        counts.entry(line).or_default().0 += 1;
    }
    for line in got {
        counts.entry(line).or_default().1 += 1;
    }
    let lost = Tally::of(wanted, &counts, |(due, came)| due.saturating_sub(came));
    let repeated = Tally::of(got, &counts, |(due, came)| if due > 0 { came.saturating_sub(due) } else { 0 });
    let foreign = Tally::of(got, &counts, |(due, came)| if due == 0 { came } else { 0 });
    format!(
        "  {} lines expected, {} printed: {lost} lost, {repeated} repeated, {foreign} torn or never written",
        wanted.len(),
        got.len()
    )
}

/// A count of lines, and the first of them.
struct Tally<'a> {
    count: usize,
    first: Option<&'a [u8]>,
}

impl<'a> Tally<'a> {
    fn of(
        lines: &[&'a [u8]],
        counts: &HashMap<&[u8], (usize, usize)>,
        wrong: impl Fn((usize, usize)) -> usize,
    ) -> Self {
        Self {
            count: counts.values().map(|&count| wrong(count)).sum(),
            first: lines.iter().copied().find(|line| wrong(counts[line]) > 0),
        }
    }
}

impl std::fmt::Display for Tally<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}", self.count)?;
        self.first.map_or(Ok(()), |line| write!(f, " (first {})", shown(line)))
    }
}

fn shown_at(lines: &[&[u8]], index: usize) -> String {
    lines.get(index).map_or_else(|| "the end".to_owned(), |line| shown(line))
}

/// Bytes for a report: escaped, and cut where they are long.
pub(super) fn shown(bytes: &[u8]) -> String {
    const ENOUGH: usize = 120;
    if bytes.len() <= ENOUGH {
        format!("\"{}\"", bytes.escape_ascii())
    } else {
        format!("\"{}\"… ({} bytes)", bytes[..ENOUGH].escape_ascii(), bytes.len())
    }
}

/// Messages for a report.
pub(super) fn indented(stderr: &[u8]) -> String {
    let text = String::from_utf8_lossy(stderr);
    text.lines().map(|line| format!("    {line}\n")).collect::<Vec<_>>().concat()
}

/// Whether `text` is somewhere in `bytes`.
pub(super) fn contains(bytes: &[u8], text: &[u8]) -> bool {
    memchr::memmem::find(bytes, text).is_some()
}
