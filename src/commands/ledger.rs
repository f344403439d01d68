//! What of each file the output has accepted: where a later run has to go on.
//!
//! What is shown stands in the output's queue before it is written. So whatever happens to a file is entered with the
//! place in the output behind which it is true, and counts once the output has accepted everything before that place.

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::ops::Range;
use std::path::{Component, Path, PathBuf};
use std::time::{Duration, SystemTime};

use crate::output::outlet::Accepted;
use crate::settings::{AtEnd, Begin};
use crate::tail::{Copied, FileId, Happening, Position, Resume, SourceId, Standing, Tail};

/// All sources, and what the output has yet to accept.
#[derive(Clone, Debug)]
pub(super) struct Ledger {
    /// How long a file is waited for that has lost its name.
    rotate_wait: Duration,
    /// Where files begin that no earlier run has read.
    begin: Begin,
    /// Whether what is open is only read to its end.
    at_end: AtEnd,
    /// The run of each open file.
    current: HashMap<(SourceId, FileId), u64>,
    books: BTreeMap<SourceId, Book>,
    due: VecDeque<Entry>,
    unsaved: bool,
}

/// One source, and its files that are in play, oldest first.
#[derive(Clone, Debug)]
struct Book {
    path: PathBuf,
    origin: Origin,
    /// Where an earlier run left files whose turn has not come yet.
    inherited: Vec<Position>,
    /// What the tail knew of its name when it was last asked.
    looked: Option<SystemTime>,
    known: Vec<FileId>,
    copies: Vec<Copied>,
    /// Whether it is known what its name means, if only that this is nothing as yet.
    seen: bool,
    runs: Vec<Run>,
}

/// One file from its beginning, or from a truncation, to its end or the next one.
#[derive(Clone, Debug)]
struct Run {
    file: FileId,
    number: u64,
    /// Where the next byte to be accepted stands.
    offset: u64,
    /// Whether reading has ended with it.
    left: bool,
    /// What was last proven of it.
    position: Option<Position>,
}

/// How a source came about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Origin {
    /// It was asked for by name.
    Named,
    /// A pattern has found it.
    Found,
}

/// Which run of which source.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Of {
    pub(super) source: SourceId,
    pub(super) file: FileId,
    pub(super) run: u64,
}

#[derive(Clone, Debug)]
struct Entry {
    /// The place in the output behind which it is true, in bytes.
    place: u64,
    of: Of,
    what: Change,
}

/// What becomes true of a run.
#[derive(Clone, Debug)]
enum Change {
    /// Its bytes from `offset` on have stood in the output as they are, from the place `from` on.
    Bytes { from: u64, offset: u64, unit: Unit },
    /// A record of these bytes of it has.
    Record(Range<u64>),
    /// It goes on at this offset.
    At(u64),
    /// It ends at this offset, what was accepted behind that is gone, and it has another number.
    Shortened { to: u64, run: u64 },
    /// This much of its beginning is gone.
    Beheaded(u64),
    /// It is over.
    Over(Fate),
}

/// What of bytes counts that were cut by the end of the output.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Unit {
    /// Whole lines.
    Line,
    /// Every byte: they are a part of a line that is too long to be had whole.
    Byte,
}

impl Unit {
    fn counted(self, accepted: Accepted) -> u64 {
        match self {
            Self::Line => accepted.lines,
            Self::Byte => accepted.bytes,
        }
    }
}

/// What is to become of a run that is over.
#[derive(Clone, Debug)]
enum Fate {
    /// It is done with: its file was let go after another had come or it had lost its name.
    Done,
    /// It is done with, for its file was rewritten. What proves that later, as long as the output hasn't accepted all of it.
    Rewritten(Option<Position>),
    /// Reading ends here, and a later run goes on. What proves the offset at its end.
    Left(Option<Position>),
}

impl Ledger {
    /// Of no source as yet. A file that has lost its name is done with when it was not written for `rotate_wait`.
    pub(super) fn new(rotate_wait: Duration, begin: Begin, at_end: AtEnd) -> Self {
        let (current, books, due) = (HashMap::new(), BTreeMap::new(), VecDeque::new());
        Self { rotate_wait, begin, at_end, current, books, due, unsaved: false }
    }

    /// A source is followed by this name.
    pub(super) fn follow(&mut self, source: SourceId, path: &Path, origin: Origin, saved: Option<&Resume>) {
        self.books.entry(source).or_insert_with(|| Book {
            path: path.to_owned(),
            origin,
            inherited: saved.map_or_else(Vec::new, |saved| saved.files.clone()),
            looked: saved.and_then(|saved| saved.looked),
            known: saved.map_or_else(Vec::new, |saved| saved.known.clone()),
            copies: saved.map_or_else(Vec::new, |saved| saved.copies.clone()),
            seen: false,
            runs: Vec::new(),
        });
    }

    /// The sources that were asked for by name.
    pub(super) fn named(&self) -> impl Iterator<Item = (SourceId, &Path)> {
        let named = self.books.iter().filter(|(_, book)| book.origin == Origin::Named);
        named.map(|(source, book)| (*source, &*book.path))
    }

    /// The run of an open file.
    pub(super) fn current(&self, source: SourceId, file: FileId) -> Option<Of> {
        self.current.get(&(source, file)).map(|run| Of { source, file, run: *run })
    }

    /// Enters what happened to a source, behind this place of the output.
    pub(super) fn enter(&mut self, source: SourceId, path: &Path, what: &Happening, place: u64) {
        match *what {
            Happening::Opened { file, run, offset, .. } => {
                self.current.insert((source, file), run);
                self.begin(Of { source, file, run }, path, offset);
            }
            Happening::Rewritten { file, run, ref position, .. } => {
                if let Some(old) = self.current(source, file) {
                    self.change(old, place, Change::Over(Fate::Rewritten(position.clone())));
                }
                self.current.insert((source, file), run);
                self.begin(Of { source, file, run }, path, 0);
            }
            Happening::Closed { file, run, ref position, .. } => {
                self.current.remove(&(source, file));
                let fate = match self.at_end {
                    AtEnd::Stop => Fate::Left(position.clone()),
                    AtEnd::Follow => Fate::Done,
                };
                self.change(Of { source, file, run }, place, Change::Over(fate));
            }
            Happening::Shortened { file, run, to, .. } => {
                if let Some(of) = self.current(source, file) {
                    self.current.insert((source, file), run);
                    self.change(of, place, Change::Shortened { to, run });
                }
            }
            Happening::HeadCut { file, from, to, .. } => {
                if let Some(of) = self.current(source, file) {
                    self.change(of, place, Change::Beheaded(from - to));
                }
            }
            Happening::NulsSkipped { file, ref range } => {
                if let Some(of) = self.current(source, file) {
                    self.change(of, place, Change::At(range.end));
                }
            }
            Happening::Lost { file, .. } => self.give_up(source, file),
            Happening::Inaccessible { .. } | Happening::Untailable { .. } => self.see(source),
            Happening::Ended { looked, ref known, ref copies } if self.at_end == AtEnd::Stop => {
                self.leave(source, looked, known, copies);
            }
            Happening::Ended { .. } => self.forget(source),
            _ => {}
        }
    }

    /// The tail is about to be finished: what is open is only read to its end.
    pub(super) fn ends(&mut self, tail: &Tail) {
        self.at_end = AtEnd::Stop;
        self.look(tail);
    }

    /// Reading of a run begins, or goes on, at an offset.
    fn begin(&mut self, of: Of, path: &Path, offset: u64) {
        self.follow(of.source, path, Origin::Found, None);
        if let Some(book) = self.books.get_mut(&of.source)
            && !book.runs.iter().any(|run| run.is(of))
        {
            let inherited = book.inherited.iter().position(|position| position.file == of.file);
            let position = inherited.map(|index| book.inherited.remove(index));
            if book.origin == Origin::Found {
                // It may have been found under another name than before.
                path.clone_into(&mut book.path);
            }
            book.runs.push(Run { file: of.file, number: of.run, offset, left: false, position });
            book.seen = true;
            self.unsaved = true;
        }
    }

    /// A name means nothing as yet: what it will mean is new.
    fn see(&mut self, source: SourceId) {
        if let Some(book) = self.books.get_mut(&source) {
            self.unsaved |= !book.seen;
            book.seen = true;
        }
    }

    /// A file that an earlier run left is not to be found, which was said.
    fn give_up(&mut self, source: SourceId, file: FileId) {
        if let Some(book) = self.books.get_mut(&source) {
            book.inherited.retain(|position| position.file != file);
            book.seen = true;
            self.unsaved = true;
        }
    }

    /// Bytes of a run, the first of which stands at `offset`, stand in this place of the output as they are.
    pub(super) fn bytes(&mut self, of: Of, place: Range<u64>, offset: u64, unit: Unit) {
        self.change(of, place.end, Change::Bytes { from: place.start, offset, unit });
    }

    /// A record of these bytes of a run stands before this place of the output.
    pub(super) fn record(&mut self, of: Of, place: u64, bytes: Range<u64>) {
        self.change(of, place, Change::Record(bytes));
    }

    /// The lines of a run before this offset that have not been shown by now need not be.
    pub(super) fn pass_over(&mut self, of: Of, place: u64, offset: u64) {
        match self.due.back_mut() {
            Some(Entry { place: last, of: whose, what: Change::At(at) }) if *last == place && *whose == of => {
                *at = offset;
            }
            _ => self.change(of, place, Change::At(offset)),
        }
    }

    /// A source has come to the end of what it was to bring; a later run goes on with this knowledge of its name.
    fn leave(&mut self, source: SourceId, looked: Option<SystemTime>, known: &[FileId], copies: &[Copied]) {
        if let Some(book) = self.books.get_mut(&source) {
            book.looked = looked;
            book.known = known.to_vec();
            book.copies = copies.to_vec();
            self.unsaved = true;
        }
    }

    /// A source is gone. If a pattern had found it, its name says nothing about what may come.
    fn forget(&mut self, source: SourceId) {
        if self.books.get(&source).is_some_and(|book| book.origin == Origin::Found) {
            self.books.remove(&source);
            self.unsaved = true;
        }
    }

    fn change(&mut self, of: Of, place: u64, what: Change) {
        self.due.push_back(Entry { place, of, what });
    }

    /// Takes note of how far the output has accepted what was shown.
    pub(super) fn settle(&mut self, accepted: Accepted) {
        while let Some(Entry { place, of, what }) = self.due.pop_front_if(|entry| entry.place <= accepted.bytes) {
            self.unsaved = true;
            let Some(book) = self.books.get_mut(&of.source) else { continue };
            let Some(index) = book.runs.iter().position(|run| run.is(of)) else { continue };
            let run = &mut book.runs[index];
            match what {
                Change::Bytes { from, offset, .. } => run.offset = offset + (place - from),
                Change::Record(bytes) => run.offset = bytes.end,
                Change::At(offset) => run.offset = offset,
                Change::Shortened { to, run: number } => {
                    run.offset = run.offset.min(to);
                    run.number = number;
                }
                Change::Beheaded(count) => run.offset = run.offset.saturating_sub(count),
                Change::Over(Fate::Left(position)) => {
                    run.left = true;
                    run.position = position.or(run.position.take());
                }
                Change::Over(Fate::Done | Fate::Rewritten(_)) => drop(book.runs.remove(index)),
            }
        }
        // The output may be cut within what stands first in its queue.
        if let Some(Entry { of, what: Change::Bytes { from, offset, unit }, .. }) = self.due.front()
            && unit.counted(accepted) > *from
            && let Some(book) = self.books.get_mut(&of.source)
            && let Some(run) = book.runs.iter_mut().find(|run| run.is(*of))
        {
            run.offset = offset + (unit.counted(accepted) - from);
            self.unsaved = true;
        }
    }

    /// How far the output has accepted the runs that are in play.
    pub(super) fn runs(&self) -> impl Iterator<Item = (&Path, Of, u64)> {
        self.books.iter().flat_map(|(source, book)| {
            let of = |run: &Run| Of { source: *source, file: run.file, run: run.number };
            book.runs.iter().map(move |run| (&*book.path, of(run), run.offset))
        })
    }

    /// How many bytes of which run were shown and have not been accepted.
    pub(super) fn unaccepted(&self, accepted: Accepted) -> impl Iterator<Item = (Of, u64)> {
        self.due.iter().filter_map(move |Entry { place, of, what }| match what {
            Change::Bytes { from, unit, .. } => Some((*of, place - unit.counted(accepted).max(*from))),
            Change::Record(bytes) => Some((*of, bytes.end - bytes.start)),
            Change::At(_) | Change::Shortened { .. } | Change::Beheaded(_) | Change::Over(_) => None,
        })
    }

    /// Whether something was accepted since the last [`resumption`](Self::resumption).
    pub(super) fn is_unsaved(&self) -> bool {
        self.unsaved
    }

    /// Asks what the tail knows of names, which it forgets with their sources.
    fn look(&mut self, tail: &Tail) {
        for (source, book) in self.books.iter_mut().filter(|(source, _)| tail.noticed(**source).is_some()) {
            book.looked = tail.looked(*source);
            book.known = tail.known(*source);
            book.copies = tail.copies(*source);
        }
    }

    /// Where a later run has to go on, source by source.
    pub(super) fn resumption(&mut self, tail: &Tail) -> Vec<Resume> {
        self.unsaved = false;
        self.look(tail);
        let mut all = Vec::new();
        for (source, book) in &mut self.books {
            let mut files = book.positions(*source, tail, &self.due, self.rotate_wait);
            // Those whose turn has yet to come are held open; a later run must find them, whatever becomes of them.
            let held = tail.files().filter(|standing| standing.source == *source && standing.run == 0);
            for standing in held.filter(|_| self.begin == Begin::Start) {
                if files.iter().all(|file| file.file != standing.file) {
                    files.push(beginning(&standing));
                }
            }
            if book.seen || !files.is_empty() {
                let (path, looked) = (absolute(&book.path), book.looked);
                let (known, copies) = (book.known.clone(), book.copies.clone());
                all.push(Resume { path, files, looked, known, copies });
            }
        }
        all
    }
}

impl Book {
    /// Where each file that is in play has come to, oldest first.
    fn positions(
        &mut self,
        source: SourceId,
        tail: &Tail,
        due: &VecDeque<Entry>,
        rotate_wait: Duration,
    ) -> Vec<Position> {
        let mut files: Vec<Position> = Vec::new();
        let newest = self.runs.len().saturating_sub(1);
        for (index, run) in self.runs.iter_mut().enumerate() {
            let superseded = index < newest || !self.inherited.is_empty();
            if run.position.as_ref().is_none_or(|position| position.offset != run.offset) {
                let of = Of { source, file: run.file, run: run.number };
                let (number, offset) = now(due, of, run.offset);
                let rewritten = || {
                    let position = rewritten(due, of)?.cut_back(run.offset);
                    run.position.as_ref().is_none_or(|proven| proven.offset < position.offset).then_some(position)
                };
                let open = tail.position(of.source, of.file, number, offset).or_else(rewritten);
                // Reading ended behind a line without an end that was left out, and may be finished yet.
                let end = run.position.as_ref().filter(|_| run.left && !superseded);
                let position = open.or_else(|| left(due, of).or(end)?.earlier(&self.path, run.offset));
                // What can't be proven, since a rewriting has yet to be noticed, stays as it was.
                run.position = position.or(run.position.take());
            }
            let position = run.position.clone().filter(|at| !(run.left && superseded && is_done(at, rotate_wait)));
            // Of a file that was rewritten, what was there before comes first, and tells that it was.
            files.extend(position.filter(|new| files.iter().all(|file| file.file != new.file)));
        }
        files.extend(self.inherited.iter().cloned());
        files
    }
}

/// The beginning of a file, which needs no proof.
fn beginning(standing: &Standing<'_>) -> Position {
    let Standing { file, size, .. } = *standing;
    Position { file, offset: 0, size, ended: None, head: Vec::new(), anchor: Vec::new() }
}

/// Whether nothing more is expected of a file that another has followed: it was read out, and is quiet.
fn is_done(file: &Position, rotate_wait: Duration) -> bool {
    let quiet = file.ended.and_then(|ended| ended.elapsed().ok());
    file.offset == file.size && quiet.is_some_and(|quiet| quiet > rotate_wait)
}

/// What proves the end of a run that was left, although the output has not come there.
fn left(due: &VecDeque<Entry>, of: Of) -> Option<&Position> {
    due.iter().find_map(|entry| match &entry.what {
        Change::Over(Fate::Left(position)) if entry.of == of => position.as_ref(),
        _ => None,
    })
}

/// What proves how far a run had been read that was rewritten, although the output has not come there.
fn rewritten(due: &VecDeque<Entry>, of: Of) -> Option<&Position> {
    due.iter().find_map(|entry| match &entry.what {
        Change::Over(Fate::Rewritten(position)) if entry.of == of => position.as_ref(),
        _ => None,
    })
}

/// The number that a run goes by now, and where in it an offset is, although the output has not come there.
fn now(due: &VecDeque<Entry>, of: Of, offset: u64) -> (u64, u64) {
    due.iter().fold((of.run, offset), |(run, offset), entry| match entry.what {
        Change::Shortened { to, run: next } if entry.of == (Of { run, ..of }) => (next, offset.min(to)),
        _ => (run, offset),
    })
}

impl From<&Standing<'_>> for Of {
    fn from(standing: &Standing<'_>) -> Self {
        Self { source: standing.source, file: standing.file, run: standing.run }
    }
}

impl Run {
    fn is(&self, of: Of) -> bool {
        self.file == of.file && self.number == of.run
    }
}

/// A name that means the same whatever directory a later run begins in. Links stay in it: where they lead may change.
pub(super) fn absolute(path: &Path) -> PathBuf {
    let full = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
    let mut plain = PathBuf::new();
    for component in full.components() {
        // Behind a link, `..` leads elsewhere than back.
        let back = component == Component::ParentDir && plain.symlink_metadata().is_ok_and(|meta| meta.is_dir());
        if !back || !plain.pop() {
            plain.push(component);
        }
    }
    plain
}

#[cfg(test)]
mod tests;
