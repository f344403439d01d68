//! Finding the lines that match, without looking at the others one by one.
//!
//! Where few lines match, nearly all of the time would go into finding lines that then don't. So the whole block is
//! searched at once, and the ends of a line are found around a match. What a match is stays a matter of one line,
//! its end not included: `^` and `$` are its ends, a carriage return before the newline counts as part of that, and
//! nothing matches across lines.

use std::fmt;
use std::ops::Range;

use memchr::{memchr, memrchr};
use regex::bytes::Regex;
use regex_automata::{Input, meta};
use regex_syntax::hir::{Class, ClassBytes, ClassBytesRange, ClassUnicode, ClassUnicodeRange, Hir, HirKind, Look};

use crate::output::line::text;

/// How large the program of one pattern may become: what the regex library allows.
const SIZE: usize = 10 * 1024 * 1024;

/// Finds lines that match at least one of some patterns.
#[derive(Debug)]
pub(crate) struct Search {
    /// These decide about one line.
    patterns: Vec<Regex>,
    /// `None` if lines don't end in newlines, which have a meaning to the regex library that other ends have not.
    block: Option<BlockPattern>,
    terminator: u8,
}

/// One pattern that matches, in a block of lines, wherever one of several matches in a line; perhaps elsewhere too.
#[derive(Debug)]
struct BlockPattern {
    regex: meta::Regex,
    /// Whether a match within the text of a line is always one.
    is_exact: bool,
}

impl Search {
    /// A search for these patterns, of which there is at least one.
    ///
    /// # Errors
    /// When they are too much for one program.
    pub(crate) fn new(patterns: &[Regex], terminator: u8) -> Result<Self, BadPatterns> {
        let block = if terminator == b'\n' { Some(BlockPattern::new(patterns)?) } else { None };
        Ok(Self { patterns: patterns.to_vec(), block, terminator })
    }

    /// Whether a line matches, which may have its end or not.
    pub(crate) fn is_match(&self, line: &[u8]) -> bool {
        let text = text(line, self.terminator);
        self.patterns.iter().any(|pattern| pattern.is_match(text))
    }

    /// Finds the first line that matches at `from`, where a line begins, or behind.
    pub(crate) fn next_line(&self, block: &[u8], mut from: usize) -> Option<Range<usize>> {
        while from < block.len() {
            let found = match &self.block {
                Some(block_pattern) => block_pattern.find(block, from)?,
                None => from..block.len(),
            };
            let start = memrchr(self.terminator, &block[from..found.start]).map_or(from, |at| from + at + 1);
            let rest = &block[start..];
            let end = start + memchr(self.terminator, rest).map_or(rest.len(), |at| at + 1);
            let line = &block[start..end];
            // A `\s` may have found the carriage return at the end of the line; then only the line can tell.
            let within = found.end <= start + text(line, self.terminator).len();
            let is_sure = within && self.block.as_ref().is_some_and(|block| block.is_exact);
            if !line.is_empty() && (is_sure || self.is_match(line)) {
                return Some(start..end);
            }
            from = end;
        }
        None
    }
}

impl BlockPattern {
    fn new(patterns: &[Regex]) -> Result<Self, BadPatterns> {
        let parse = |pattern: &Regex| {
            let parsed = regex_syntax::ParserBuilder::new().utf8(false).build().parse(pattern.as_str());
            parsed.map(|pattern| in_block(&pattern)).map_err(|error| BadPatterns(error.to_string()))
        };
        let patterns = patterns.iter().map(parse).collect::<Result<Vec<_>, _>>()?;
        let config = meta::Config::new().utf8_empty(false).nfa_size_limit(Some(patterns.len() * SIZE));
        let regex = meta::Builder::new().configure(config).build_many_from_hir(&patterns);
        // That also matches before a carriage return within a line.
        let is_exact = !patterns.iter().any(|pattern| pattern.properties().look_set().contains(Look::EndCRLF));
        Ok(Self { regex: regex.map_err(|error| BadPatterns(error.to_string()))?, is_exact })
    }

    fn find(&self, block: &[u8], from: usize) -> Option<Range<usize>> {
        // What stands before the range still counts for what the pattern says about it.
        self.regex.find(Input::new(block).range(from..)).map(|found| found.range())
    }
}

/// Patterns that can't be searched for together, though each by itself.
#[derive(Debug)]
pub(crate) struct BadPatterns(String);

impl fmt::Display for BadPatterns {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for BadPatterns {}

/// What a pattern for the text of a line becomes in a block of lines.
fn in_block(hir: &Hir) -> Hir {
    match hir.kind() {
        HirKind::Empty => Hir::empty(),
        HirKind::Literal(literal) => Hir::literal(literal.0.clone()),
        HirKind::Class(class) => Hir::class(without_newline(class)),
        HirKind::Look(Look::Start | Look::StartLF) => Hir::look(Look::StartLF),
        HirKind::Look(Look::End | Look::EndLF) => Hir::look(Look::EndCRLF),
        HirKind::Look(look) => Hir::look(*look),
        HirKind::Repetition(repetition) => Hir::repetition(repetition.with(in_block(&repetition.sub))),
        HirKind::Capture(capture) => in_block(&capture.sub),
        HirKind::Concat(parts) => Hir::concat(parts.iter().map(in_block).collect()),
        HirKind::Alternation(parts) => Hir::alternation(parts.iter().map(in_block).collect()),
    }
}

/// A match that ran over the ends of lines would be found anew from each of them.
fn without_newline(class: &Class) -> Class {
    let mut class = class.clone();
    match &mut class {
        Class::Unicode(class) => class.difference(&ClassUnicode::new([ClassUnicodeRange::new('\n', '\n')])),
        Class::Bytes(class) => class.difference(&ClassBytes::new([ClassBytesRange::new(b'\n', b'\n')])),
    }
    class
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::output::dice::Dice;

    fn patterns(patterns: &[&str]) -> Vec<Regex> {
        patterns.iter().map(|pattern| Regex::new(pattern).unwrap()).collect()
    }

    /// The lines that a search finds.
    fn found<'b>(search: &Search, block: &'b [u8]) -> Vec<&'b [u8]> {
        let (mut lines, mut from) = (Vec::new(), 0);
        while let Some(line) = search.next_line(block, from) {
            from = line.end;
            lines.push(&block[line]);
        }
        lines
    }

    #[track_caller]
    fn assert_found(pattern: &str, block: &[u8], lines: &[&[u8]]) {
        let search = Search::new(&patterns(&[pattern]), b'\n').unwrap();
        assert_eq!(found(&search, block), lines, "{pattern} in {:?}", block.escape_ascii().to_string());
    }

    #[test]
    fn a_line_is_matched_without_its_end() {
        assert_found("^b$", b"ab\nb\nbc\n", &[b"b\n"]);
        assert_found("^b$", b"ab\r\nb\r\nbc\r\n", &[b"b\r\n"]);
        assert_found("^b$", b"a\nb", &[b"b"]);
        assert_found("^$", b"a\n\n\r\nb\n", &[b"\n", b"\r\n"]);
        assert_found(r"\Aa\z", b"a\nba\na\r\n", &[b"a\n", b"a\r\n"]);
        assert_found("(?m)^b$", b"a\nb\r\n", &[b"b\r\n"]);
        assert_found("(?mR)^b$", b"a\rb\nb\r\n", &[b"a\rb\n", b"b\r\n"]);
        // A carriage return that ends no line is a character like others.
        assert_found("^b", b"a\rb\n", &[]);
        assert_found("a.b", b"a\rb\n", &[b"a\rb\n"]);
        assert_found(r"\s", b"a\r\nb \nc\n", &[b"b \n"]);
        assert_found(r"a\s*$", b"a\r\nab\n a \r\n", &[b"a\r\n", b" a \r\n"]);
    }

    #[test]
    fn nothing_matches_across_lines() {
        assert_found("a\nb", b"a\nb\n", &[]);
        assert_found(r"a\s+b", b"a\nb\na b\n", &[b"a b\n"]);
        assert_found("(?s)a.*b", b"a\nb\naxb\n", &[b"axb\n"]);
        assert_found("[^x]*b", b"a\na\ncb\n", &[b"cb\n"]);
        assert_found("\n", b"a\n", &[]);
    }

    #[test]
    fn a_pattern_that_could_run_over_many_lines_takes_no_time() {
        let block = ["a\n".repeat(200_000), "b\n".to_owned()].concat();
        assert_found("[^x]*b", block.as_bytes(), &[b"b\n"]);
        assert_found("(?s).*b$", block.as_bytes(), &[b"b\n"]);
    }

    #[test]
    fn every_line_matches_nothing_and_a_last_end_is_no_line() {
        assert_found("", b"a\n\nb\n", &[b"a\n", b"\n", b"b\n"]);
        assert_found("$", b"a\n", &[b"a\n"]);
        assert_found("x*", b"", &[]);
        assert_found(r"\B", b"a\n\n", &[b"\n"]);
    }

    #[test]
    fn bytes_that_are_no_text_are_found() {
        assert_found(r"(?-u:\xff)", b"a\nb\xff\nc\n", &[b"b\xff\n"]);
        assert_found("\u{e4}", "a\n\u{e4}\n".as_bytes(), &["\u{e4}\n".as_bytes()]);
        assert_found("a.b", b"a\xffb\naxb\n", &[b"axb\n"]);
    }

    #[test]
    fn patterns_keep_to_themselves() {
        let search = Search::new(&patterns(&["(?i)foo", "(?x) b a r # not ) this", "(?P<n>x)y"]), b'\n').unwrap();
        let block = b"FOO\nBAR\nbar\nxy\nbaz\n";
        assert_eq!(found(&search, block), [&b"FOO\n"[..], b"bar\n", b"xy\n"]);
        Search::new(&patterns(&["(?P<n>x)", "(?P<n>y)"]), b'\n').unwrap();
    }

    #[test]
    fn other_ends_of_lines_are_found_one_by_one() {
        let search = Search::new(&patterns(&["^b$"]), 0).unwrap();
        assert_eq!(found(&search, b"a\nb\0b\0b\r\0b"), [&b"b\0"[..], b"b"]);
    }

    fn any_pattern(dice: &mut Dice, depth: usize) -> String {
        const ATOMS: [&str; 22] = [
            "a",
            "b",
            "c",
            ".",
            "^",
            "$",
            r"\s",
            r"\S",
            r"\b",
            r"\B",
            "[^a]",
            "[ab]",
            "\r",
            "\n",
            r"\A",
            r"\z",
            "(?m:^)",
            "(?m:$)",
            "(?s:.)",
            "(?-u:[^b])",
            "\u{e4}",
            "(?mR:$)",
        ];
        match dice.roll(if depth == 0 { 4 } else { 8 }) {
            0..=3 => dice.pick(&ATOMS).to_owned(),
            4 | 5 => format!("{}{}", any_pattern(dice, depth - 1), any_pattern(dice, depth - 1)),
            6 => format!("(?:{}|{})", any_pattern(dice, depth - 1), any_pattern(dice, depth - 1)),
            _ => format!("(?:{}){}", any_pattern(dice, depth - 1), dice.pick(&["*", "+", "?", "{2}", "*?"])),
        }
    }

    fn any_block(dice: &mut Dice) -> Vec<u8> {
        const PARTS: [&[u8]; 10] =
            [b"a", b"b", b"c", b" ", b"\n", b"\n", b"\r\n", b"\r", "\u{e4}".as_bytes(), b"\xff"];
        (0..dice.roll(30)).flat_map(|_| dice.pick(&PARTS)).copied().collect()
    }

    #[test]
    fn a_block_has_the_lines_that_match_one_by_one() {
        for seed in 0..1000 {
            let mut dice = Dice(seed);
            let patterns: Vec<_> = (0..=dice.roll(2)).map(|_| any_pattern(&mut dice, 3)).collect();
            let regexes: Vec<_> = patterns.iter().map(|pattern| Regex::new(pattern).unwrap()).collect();
            let search = Search::new(&regexes, b'\n').unwrap();
            for _ in 0..20 {
                let block = any_block(&mut dice);
                let expected: Vec<_> = block
                    .split_inclusive(|byte| *byte == b'\n')
                    .filter(|line| regexes.iter().any(|regex| regex.is_match(text(line, b'\n'))))
                    .collect();
                assert_eq!(found(&search, &block), expected, "{patterns:?} in \"{}\"", block.escape_ascii());
            }
        }
    }
}
