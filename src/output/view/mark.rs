//! What of a line is marked by colour, and as what.

use std::ops::Range;

use regex::bytes::Regex;

use crate::output::colour::Tone;

/// A part of a line that has a colour of its own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Mark {
    /// Where it stands in the text of the line; not empty.
    pub(super) range: Range<usize>,
    pub(super) tone: Tone,
}

/// Finds what is to be marked.
#[derive(Debug)]
pub(super) struct Marker {
    patterns: Vec<Regex>,
}

impl Marker {
    /// Marks what matches any of these.
    pub(super) fn new(patterns: impl IntoIterator<Item = Regex>) -> Self {
        Self { patterns: patterns.into_iter().collect() }
    }

    /// The marks of the text of a line, in order; none overlaps another. `words` are marked where nothing matches.
    pub(super) fn marks(&self, text: &[u8], words: impl Iterator<Item = (Range<usize>, Tone)>) -> Vec<Mark> {
        let found = self.patterns.iter().flat_map(|pattern| pattern.find_iter(text)).map(|found| found.range());
        let matches = united(found.filter(|range| !range.is_empty()).collect());
        let overlaps =
            |word: &Range<usize>| matches.iter().any(|range| range.start < word.end && word.start < range.end);
        let mut marks: Vec<_> =
            words.filter(|(word, _)| !overlaps(word)).map(|(range, tone)| Mark { range, tone }).collect();
        marks.extend(matches.into_iter().map(|range| Mark { range, tone: Tone::Match }));
        marks.sort_unstable_by_key(|mark| mark.range.start);
        marks
    }
}

/// Makes one range of those that overlap or touch.
fn united(mut ranges: Vec<Range<usize>>) -> Vec<Range<usize>> {
    ranges.sort_unstable_by_key(|range| range.start);
    let mut united: Vec<Range<usize>> = Vec::with_capacity(ranges.len());
    for range in ranges {
        match united.last_mut() {
            Some(last) if range.start <= last.end => last.end = last.end.max(range.end),
            _ => united.push(range),
        }
    }
    united
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A text with brackets around what is marked.
    fn marked(patterns: &[&str], text: &str) -> String {
        let marker = Marker::new(patterns.iter().map(|pattern| Regex::new(pattern).unwrap()));
        let words = text.match_indices("ERR").map(|(at, word)| (at..at + word.len(), Tone::Error));
        let mut shown = text.to_owned();
        for mark in marker.marks(text.as_bytes(), words).into_iter().rev() {
            let brackets = if mark.tone == Tone::Match { ['[', ']'] } else { ['(', ')'] };
            shown.insert(mark.range.end, brackets[1]);
            shown.insert(mark.range.start, brackets[0]);
        }
        shown
    }

    #[test]
    fn matches_of_several_patterns_are_united() {
        assert_eq!(marked(&["abc", "bcd"], "xabcdx"), "x[abcd]x");
        assert_eq!(marked(&["b", "a"], "a b"), "[a] [b]");
        assert_eq!(marked(&["ab", "c"], "abc"), "[abc]");
        assert_eq!(marked(&["a+", "a"], "aaa"), "[aaa]");
        assert_eq!(marked(&["^a", "b$"], "ab ab"), "[a]b a[b]");
    }

    #[test]
    fn words_are_marked_where_nothing_matches() {
        assert_eq!(marked(&["x"], "x ERR xERR ERR"), "[x] (ERR) [x](ERR) (ERR)");
        assert_eq!(marked(&["E x", "RR?$"], "ERR E x ERR"), "(ERR) [E x] E[RR]");
    }

    #[test]
    fn nothing_can_not_be_marked() {
        assert_eq!(marked(&["", "x*", "^"], "abc"), "abc");
    }
}
