//! Which lines are shown: those that match a pattern, but for those that match another, and lines around them.
//!
//! A line is shown whole or not at all. How it looks is not decided here.

mod context;
mod search;
mod sieve;

use std::collections::HashMap;
use std::iter;
use std::ops::Range;

use memchr::memchr;
use regex::bytes::Regex;

pub(crate) use self::search::BadPatterns;
use self::search::Search;
pub(crate) use self::sieve::{Part, Sieve};
use crate::tail::{Data, Ending, FileId, SourceId};

/// Decides which lines are shown.
#[derive(Debug)]
pub(crate) struct Filter {
    wanted: Option<Search>,
    unwanted: Option<Search>,
    terminator: u8,
    /// What becomes of the line of a file of which pieces came already.
    torn: HashMap<(SourceId, FileId), Torn>,
}

/// A line that comes in pieces.
#[derive(Clone, Copy, Debug)]
struct Torn {
    run: u64,
    fate: Fate,
}

/// What becomes of a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fate {
    Shown,
    Hidden,
}

impl Filter {
    /// A filter that shows lines that match one of `grep`, all if there are none, but not those that match one of
    /// `exclude`; `None` if it would show every line.
    ///
    /// # Errors
    /// When there are more patterns than can be searched for.
    pub(crate) fn new(grep: &[Regex], exclude: &[Regex], terminator: u8) -> Result<Option<Self>, BadPatterns> {
        let search = |patterns: &[Regex]| match patterns {
            [] => Ok(None),
            patterns => Search::new(patterns, terminator).map(Some),
        };
        let (wanted, unwanted) = (search(grep)?, search(exclude)?);
        let some = wanted.is_some() || unwanted.is_some();
        Ok(some.then(|| Self { wanted, unwanted, terminator, torn: HashMap::new() }))
    }

    /// The runs of lines that are shown of data that was framed as [`Lines`](crate::tail::Framing::Lines). Of a line
    /// that comes in pieces, the first one decides.
    pub(crate) fn shown(&mut self, data: &Data<'_>) -> Vec<Range<usize>> {
        let file = (data.source, data.file);
        let torn = self.torn.remove(&file).filter(|torn| torn.run == data.run);
        let decided = torn.map_or(0, |_| end_of_line(data.bytes, self.terminator));
        let first = torn.filter(|torn| torn.fate == Fate::Shown).map(|_| 0..decided);
        let others = self.runs(&data.bytes[decided..]).map(|run| run.start + decided..run.end + decided);
        let runs: Vec<_> = first.into_iter().chain(others).collect();
        if data.ending == Ending::Piece {
            let fate = if runs.is_empty() { Fate::Hidden } else { Fate::Shown };
            self.torn.insert(file, Torn { run: data.run, fate });
        }
        runs
    }

    /// The next data of this run begin within a line, the beginning of which was shown before.
    pub(crate) fn continue_line(&mut self, source: SourceId, file: FileId, run: u64) {
        self.torn.insert((source, file), Torn { run, fate: Fate::Shown });
    }

    /// Nothing more will come of this file.
    pub(crate) fn forget(&mut self, source: SourceId, file: FileId) {
        self.torn.remove(&(source, file));
    }

    /// The runs of whole lines that are shown of a block.
    fn runs<'a>(&'a self, block: &'a [u8]) -> Box<dyn Iterator<Item = Range<usize>> + 'a> {
        match (&self.wanted, &self.unwanted) {
            (Some(wanted), Some(unwanted)) => {
                Box::new(joined(lines(wanted, block).filter(|line| !unwanted.is_match(&block[line.clone()]))))
            }
            (Some(wanted), None) => Box::new(joined(lines(wanted, block))),
            (None, Some(unwanted)) => Box::new(between(joined(lines(unwanted, block)), block.len())),
            (None, None) => Box::new(iter::once(0..block.len())),
        }
    }
}

/// Where the first line of a block ends.
fn end_of_line(block: &[u8], terminator: u8) -> usize {
    memchr(terminator, block).map_or(block.len(), |at| at + 1)
}

/// The lines of a block that match.
fn lines<'a>(search: &'a Search, block: &'a [u8]) -> impl Iterator<Item = Range<usize>> + 'a {
    let mut from = 0;
    iter::from_fn(move || {
        let line = search.next_line(block, from)?;
        from = line.end;
        Some(line)
    })
}

/// Makes one range of those that follow one another.
fn joined(ranges: impl Iterator<Item = Range<usize>>) -> impl Iterator<Item = Range<usize>> {
    let mut ranges = ranges.peekable();
    iter::from_fn(move || {
        let mut run = ranges.next()?;
        while let Some(next) = ranges.next_if(|next| next.start == run.end) {
            run.end = next.end;
        }
        Some(run)
    })
}

/// What lies before, between and behind some ranges, up to `end`.
fn between(ranges: impl Iterator<Item = Range<usize>>, end: usize) -> impl Iterator<Item = Range<usize>> {
    let mut from = 0;
    let ends = ranges.chain(iter::once(end..end)).map(move |range| {
        let gap = from..range.start;
        from = range.end;
        gap
    });
    ends.filter(|gap| !gap.is_empty())
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::tail::Age;

    fn filter(grep: &[&str], exclude: &[&str]) -> Filter {
        let [grep, exclude] = [grep, exclude]
            .map(|patterns| patterns.iter().map(|pattern| Regex::new(pattern).unwrap()).collect::<Vec<_>>());
        Filter::new(&grep, &exclude, b'\n').unwrap().unwrap()
    }

    #[test]
    fn lines_are_shown_that_are_wanted_and_not_unwanted() {
        type Row = (&'static [&'static str], &'static [&'static str], &'static [&'static [u8]]);
        const BLOCK: &[u8] = b"a\nab\nb\nc\na";
        let rows: [Row; 8] = [
            (&["a"], &[], &[b"a\nab\n", b"a"]),
            (&["a", "c"], &[], &[b"a\nab\n", b"c\na"]),
            (&["a"], &["b"], &[b"a\n", b"a"]),
            (&[], &["b"], &[b"a\n", b"c\na"]),
            (&[], &["b", "c"], &[b"a\n", b"a"]),
            (&[], &["^a"], &[b"b\nc\n"]),
            (&["x"], &[], &[]),
            (&[], &[""], &[]),
        ];
        for (grep, exclude, expected) in rows {
            let filter = filter(grep, exclude);
            let shown: Vec<_> = filter.runs(BLOCK).map(|run| &BLOCK[run]).collect();
            assert_eq!(shown, expected, "{grep:?} {exclude:?}");
        }
    }

    #[test]
    fn the_rest_of_a_line_that_was_begun_is_shown_whatever_it_is() {
        let (source, path, file) = (SourceId(0), Path::new("app.log"), FileId { device: 1, inode: 2, birth: None });
        let (offset, age) = (7, Age::Appended);
        let data = |bytes, ending, run| Data { source, path, file, run, offset, bytes, ending, age };
        let mut filter = filter(&["a"], &["x"]);
        filter.continue_line(source, file, 1);
        assert_eq!(filter.shown(&data(b"x\nb\na\n", Ending::Line, 1)), [0..2, 4..6]);
        assert!(filter.shown(&data(b"x\n", Ending::Line, 1)).is_empty());
        filter.continue_line(source, file, 1);
        assert_eq!(filter.shown(&data(b"x", Ending::Piece, 1)).len(), 1);
        assert_eq!(filter.shown(&data(b"x\nb\na\n", Ending::Line, 1)), [0..2, 4..6]);
        filter.continue_line(source, file, 1);
        assert!(filter.shown(&data(b"x\n", Ending::Line, 2)).is_empty());
    }

    #[test]
    fn without_patterns_there_is_no_filter() {
        assert!(Filter::new(&[], &[], b'\n').unwrap().is_none());
    }
}
