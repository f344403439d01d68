//! Lines around those that are shown, of each file for itself.
//!
//! Lines that may become leading context are held, but for a line that comes in pieces: it is too long for that. A
//! break is where lines of a file are missing between two groups.

use std::collections::{HashMap, VecDeque};
use std::io;
use std::ops::Range;
use std::time::SystemTime;

use memchr::{memchr, memrchr};

use super::Fate;
use crate::settings;
use crate::tail::{Data, Ending, FileId, SourceId};

/// Finds the lines around.
#[derive(Debug)]
pub(super) struct Context {
    asked: settings::Context,
    terminator: u8,
    files: HashMap<(SourceId, FileId), Around>,
}

/// What is to be shown next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Part<'a> {
    /// Whole lines, or pieces of one, and when they came.
    Lines(&'a [u8], SystemTime),
    /// The line that says that some are missing.
    Break,
}

/// What is known of the lines of a file around the end of what came.
#[derive(Debug, Default)]
struct Around {
    run: u64,
    held: Held,
    /// How many more lines are shown whatever they are.
    due: usize,
    /// Whether anything of the file was shown.
    began: bool,
    /// Whether lines were passed over, and not held, since.
    missing: bool,
    /// Whether a line is shown of which pieces came.
    torn: Option<Fate>,
}

/// The last lines of a file that were not shown.
#[derive(Debug, Default)]
struct Held {
    /// As they came.
    deliveries: VecDeque<Delivery>,
    /// How many lines there are.
    count: usize,
}

/// Lines that came together.
#[derive(Debug)]
struct Delivery {
    came: SystemTime,
    lines: Vec<u8>,
    count: usize,
}

impl Context {
    pub(super) fn new(asked: settings::Context, terminator: u8) -> Self {
        Self { asked, terminator, files: HashMap::new() }
    }

    /// Hands out what is shown of data that came then, of which these runs match.
    pub(super) fn surround(
        &mut self,
        data: &Data<'_>,
        came: SystemTime,
        runs: &[Range<usize>],
        mut show: impl FnMut(Part<'_>) -> io::Result<()>,
    ) -> io::Result<()> {
        let Self { asked: settings::Context { before, after }, terminator, files } = self;
        let (terminator, bytes, is_piece) = (*terminator, data.bytes, data.ending == Ending::Piece);
        let around = files.entry((data.source, data.file)).or_default();
        if around.run != data.run {
            *around = Around { run: data.run, ..Around::default() };
        }
        if let Some(fate) = around.torn {
            around.torn = Some(fate).filter(|_| is_piece);
            return if fate == Fate::Shown { show(Part::Lines(bytes, came)) } else { Ok(()) };
        }

        let mut at = 0;
        for run in runs {
            let between = around.trail(&bytes[at..run.start], terminator, |lines| show(Part::Lines(lines, came)))?;
            around.hold(between, came, *before, terminator);
            if around.began && around.missing {
                show(Part::Break)?;
            }
            for Delivery { came, lines, .. } in around.held.take() {
                show(Part::Lines(&lines, came))?;
            }
            show(Part::Lines(&bytes[run.clone()], came))?;
            (around.began, around.missing, around.due) = (true, false, *after);
            at = run.end;
        }
        let rest = around.trail(&bytes[at..], terminator, |lines| show(Part::Lines(lines, came)))?;
        if !is_piece {
            around.hold(rest, came, *before, terminator);
        } else if rest.is_empty() {
            around.torn = Some(Fate::Shown);
        } else {
            around.torn = Some(Fate::Hidden);
            around.held.take();
            around.missing = true;
        }
        Ok(())
    }

    /// Nothing more will come of this file.
    pub(super) fn forget(&mut self, source: SourceId, file: FileId) {
        self.files.remove(&(source, file));
    }
}

impl Around {
    /// Shows the lines that are due behind a match; returns the others.
    fn trail<'b>(
        &mut self,
        lines: &'b [u8],
        terminator: u8,
        show: impl FnOnce(&[u8]) -> io::Result<()>,
    ) -> io::Result<&'b [u8]> {
        let (end, count) = end_of_first(lines, self.due, terminator);
        self.due -= count;
        if end > 0 {
            show(&lines[..end])?;
        }
        Ok(&lines[end..])
    }

    /// Holds lines that came then, and no more than the last `most`.
    fn hold(&mut self, lines: &[u8], came: SystemTime, most: usize, terminator: u8) {
        let (start, count) = start_of_last(lines, most, terminator);
        if start > 0 {
            self.held.take();
            self.missing = true;
        }
        if count > 0 {
            self.held.count += count;
            self.held.deliveries.push_back(Delivery { came, lines: lines[start..].to_vec(), count });
        }
        self.missing |= self.held.count > most;
        self.held.drop_first(self.held.count.saturating_sub(most), terminator);
    }
}

impl Held {
    fn take(&mut self) -> VecDeque<Delivery> {
        std::mem::take(self).deliveries
    }

    fn drop_first(&mut self, mut count: usize, terminator: u8) {
        self.count -= count;
        while let Some(first) = self.deliveries.front_mut().filter(|_| count > 0) {
            if first.count <= count {
                count -= first.count;
                self.deliveries.pop_front();
            } else {
                let (end, dropped) = end_of_first(&first.lines, count, terminator);
                first.lines.drain(..end);
                first.count -= dropped;
                count = 0;
            }
        }
    }
}

/// Where the first lines end, at most `most`, and how many these are.
fn end_of_first(lines: &[u8], most: usize, terminator: u8) -> (usize, usize) {
    let (mut end, mut count) = (0, 0);
    while count < most && end < lines.len() {
        end += memchr(terminator, &lines[end..]).map_or(lines.len() - end, |at| at + 1);
        count += 1;
    }
    (end, count)
}

/// Where the last lines begin, at most `most`, and how many these are.
fn start_of_last(lines: &[u8], most: usize, terminator: u8) -> (usize, usize) {
    let (mut start, mut count) = (lines.len(), 0);
    while count < most && start > 0 {
        start = memrchr(terminator, &lines[..start - 1]).map_or(0, |at| at + 1);
        count += 1;
    }
    (start, count)
}
