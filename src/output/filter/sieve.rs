//! What comes through of data: the lines of a filter, and those around them.

use std::io;
use std::time::SystemTime;

use regex::bytes::Regex;

use super::context::Context;
use super::{BadPatterns, Filter};
use crate::settings::{self, Selection};
use crate::tail::{Data, FileId, SourceId};

pub(crate) use super::context::Part;

/// Lets lines through.
#[derive(Debug)]
pub(crate) struct Sieve {
    /// What is left out before the lines around others are counted: lines that are excluded are not there even for
    /// context.
    unwanted: Option<Filter>,
    filter: Filter,
    context: Option<Context>,
}

impl Sieve {
    /// A sieve for what was asked; `None` if everything comes through.
    ///
    /// # Errors
    /// When there are more patterns than can be searched for.
    pub(crate) fn new(selection: &Selection, terminator: u8) -> Result<Option<Self>, BadPatterns> {
        let filter = |grep: &[Regex], exclude: &[Regex]| Filter::new(grep, exclude, terminator);
        let (grep, exclude) = (&selection.grep, &selection.exclude);
        let sieve = if selection.context == settings::Context::NONE || grep.is_empty() {
            filter(grep, exclude)?.map(|filter| Self { unwanted: None, filter, context: None })
        } else {
            let unwanted = filter(&[], exclude)?;
            let context = Some(Context::new(selection.context, terminator));
            filter(grep, &[])?.map(|filter| Self { unwanted, filter, context })
        };
        Ok(sieve)
    }

    /// Hands out, in order, what comes through of data that was framed as lines and came then.
    ///
    /// # Errors
    /// Those of `show`.
    pub(crate) fn sift(
        &mut self,
        data: &Data<'_>,
        came: SystemTime,
        mut show: impl FnMut(Part<'_>) -> io::Result<()>,
    ) -> io::Result<()> {
        let left;
        let mut data = *data;
        if let Some(unwanted) = &mut self.unwanted {
            let runs = unwanted.shown(&data).into_iter();
            left = runs.map(|run| &data.bytes[run]).collect::<Vec<_>>().concat();
            if left.is_empty() {
                return Ok(());
            }
            data.bytes = &left;
        }
        let runs = self.filter.shown(&data);
        match &mut self.context {
            None => runs.into_iter().try_for_each(|run| show(Part::Lines(&data.bytes[run], came))),
            Some(context) => context.surround(&data, came, &runs, show),
        }
    }

    /// Nothing more will come of this file.
    pub(crate) fn forget(&mut self, source: SourceId, file: FileId) {
        self.unwanted.iter_mut().chain([&mut self.filter]).for_each(|filter| filter.forget(source, file));
        if let Some(context) = &mut self.context {
            context.forget(source, file);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;
    use std::time::Duration;

    use super::*;
    use crate::output::dice::Dice;
    use crate::tail::{Age, Ending};

    const FILE: FileId = FileId { device: 1, inode: 2, birth: None };

    fn data(bytes: &[u8]) -> Data<'_> {
        let (source, path, ending) = (SourceId(0), Path::new("app.log"), Ending::Line);
        Data { source, path, file: FILE, run: 1, offset: 0, bytes, ending, age: Age::Appended }
    }

    /// A sieve of lines with `x` and without `-`, and so many around.
    fn sieve(before: usize, after: usize) -> Sieve {
        let [grep, exclude] = ["x", "-"].map(|pattern| vec![Regex::new(pattern).unwrap()]);
        let context = settings::Context { before, after };
        Sieve::new(&Selection { grep, exclude, context }, b'\n').unwrap().unwrap()
    }

    /// What comes through of several deliveries, with `...` for a break.
    fn sifted<'d>(sieve: &mut Sieve, deliveries: impl IntoIterator<Item = Data<'d>>) -> String {
        let mut out = Vec::new();
        for data in deliveries {
            let show = |part: Part<'_>| {
                match part {
                    Part::Lines(bytes, _) => out.extend_from_slice(bytes),
                    Part::Break => out.extend_from_slice(b"...\n"),
                }
                Ok(())
            };
            sieve.sift(&data, SystemTime::UNIX_EPOCH, show).unwrap();
        }
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn groups_merge_where_they_meet_and_break_where_lines_are_missing() {
        for (before, after, text, expected) in [
            (0, 0, "a x b x", "x x"),
            (1, 0, "a b x c d x", "b x ... d x"),
            (0, 1, "a x b c x d", "x b ... x d"),
            (1, 1, "a x b x c", "a x b x c"),
            (1, 1, "a x b c x d", "a x b c x d"),
            (1, 1, "a x b m c x d", "a x b ... c x d"),
            (2, 2, "x a x b c d e x f g h", "x a x b c d e x f g"),
            (9, 9, "a b x", "a b x"),
            (usize::MAX, usize::MAX, "a x b x c", "a x b x c"),
            // Excluded lines are not there, and so break nothing.
            (1, 1, "a - x - b - c x", "a x b c x"),
            (1, 1, "a x x- b", "a x b"),
            (1, 1, "a b", ""),
        ] {
            let lines = |text: &str| text.split_whitespace().flat_map(|word| [word, "\n"]).collect::<String>();
            let (text, expected) = (lines(text), lines(expected));
            assert_eq!(
                sifted(&mut sieve(before, after), [data(text.as_bytes())]),
                expected,
                "{before} {after} {text}"
            );
            // However it comes.
            let one_by_one = text.split_inclusive('\n').map(|line| data(line.as_bytes()));
            assert_eq!(sifted(&mut sieve(before, after), one_by_one), expected, "{before} {after} {text}");
        }
    }

    #[test]
    fn context_belongs_to_its_file() {
        let other = |bytes| Data { source: SourceId(1), ..data(bytes) };
        let next_run = |bytes| Data { run: 2, ..data(bytes) };
        assert_eq!(
            sifted(&mut sieve(1, 1), [data(b"a\n"), other(b"b\nx\n"), data(b"c\n"), other(b"d\n")]),
            "b\nx\nd\n"
        );
        assert_eq!(
            sifted(&mut sieve(1, 1), [data(b"a\nx\n"), next_run(b"b\nc\n"), next_run(b"x\n")]),
            "a\nx\nc\nx\n"
        );
        let mut sieve = sieve(1, 1);
        assert_eq!(sifted(&mut sieve, [data(b"x\na\nb\n")]), "x\na\n");
        sieve.forget(SourceId(0), FILE);
        assert_eq!(sifted(&mut sieve, [data(b"x\n")]), "x\n");
    }

    #[test]
    fn lines_keep_the_time_at_which_they_came() {
        let mut sieve = sieve(3, 1);
        let mut times = Vec::new();
        for (second, bytes) in [(1, &b"a\nb\n"[..]), (2, b"c\n"), (3, b"d\nx\ne\n")] {
            let came = SystemTime::UNIX_EPOCH + Duration::from_secs(second);
            let show = |part: Part<'_>| {
                if let Part::Lines(bytes, came) = part {
                    let second = came.duration_since(SystemTime::UNIX_EPOCH).unwrap().as_secs();
                    times.push((second, String::from_utf8(bytes.to_vec()).unwrap()));
                }
                Ok(())
            };
            sieve.sift(&data(bytes), came, show).unwrap();
        }
        let expected = [(1, "b\n"), (2, "c\n"), (3, "d\n"), (3, "x\n"), (3, "e\n")];
        assert_eq!(times, expected.map(|(second, text)| (second, text.to_owned())));
    }

    #[test]
    fn a_line_in_pieces_comes_through_as_a_whole() {
        let piece = |bytes| Data { ending: Ending::Piece, ..data(bytes) };
        let mut deliveries = vec![data(b"a\n"), piece(b"long "), piece(b"x"), data(b" end\n"), data(b"b\nx\n")];
        // It has no match in its first piece, is too long to be held, and is missing between what is shown.
        assert_eq!(sifted(&mut sieve(2, 0), deliveries.clone()), "b\nx\n");
        assert_eq!(sifted(&mut sieve(0, 0), deliveries.clone()), "x\n");
        deliveries.insert(0, data(b"x\n"));
        assert_eq!(sifted(&mut sieve(9, 0), deliveries.clone()), "x\n...\nb\nx\n");
        // Behind a match it can be shown.
        assert_eq!(sifted(&mut sieve(0, 3), deliveries), "x\na\nlong x end\nb\nx\n");
        let matching = [piece(b"x long"), piece(b" -"), data(b" end\n"), data(b"a\n")];
        assert_eq!(sifted(&mut sieve(0, 0), matching), "x long - end\n");
        assert_eq!(sifted(&mut sieve(1, 1), matching), "x long - end\na\n");
        let unwanted = [piece(b"x-"), piece(b"x"), data(b"x\n"), data(b"x\n")];
        assert_eq!(sifted(&mut sieve(1, 1), unwanted), "x\n");
    }

    /// The same of a whole file, line by line.
    fn expected(lines: &[&str], before: usize, after: usize) -> String {
        let lines: Vec<_> = lines.iter().filter(|line| !line.contains('-')).collect();
        let matching: Vec<_> = (0..lines.len()).filter(|at| lines[*at].contains('x')).collect();
        let is_shown = |at: &usize| {
            matching.iter().any(|matching| (matching.saturating_sub(before)..=matching + after).contains(at))
        };
        let mut text = String::new();
        let mut last = None;
        for at in (0..lines.len()).filter(is_shown) {
            if last.is_some_and(|last| last + 1 < at) {
                text += "...\n";
            }
            text += lines[at];
            last = Some(at);
        }
        text
    }

    #[test]
    fn the_same_comes_through_however_lines_are_delivered() {
        for seed in 0..2000 {
            let mut dice = Dice(seed);
            let lines: Vec<_> =
                (0..dice.roll(30)).map(|_| dice.pick(&["a\n", "b\n", "c\n", "d\n", "x\n", "-\n", "x-\n"])).collect();
            let (before, after) = (dice.roll(4), dice.roll(4));
            let mut deliveries = vec![String::new()];
            for line in &lines {
                if dice.roll(4) == 0 {
                    deliveries.push(String::new());
                }
                deliveries.last_mut().unwrap().push_str(line);
            }
            let deliveries = deliveries.iter().map(|text| data(text.as_bytes()));
            let mut wanted = expected(&lines, before, after);
            if (before, after) == (0, 0) {
                wanted = wanted.replace("...\n", "");
            }
            assert_eq!(sifted(&mut sieve(before, after), deliveries), wanted, "seed {seed}");
        }
    }
}
