//! What a checkpoint holds, as whoever keeps one finds it out: how far each run was accepted.

use std::collections::{BTreeMap, VecDeque};
use std::path::PathBuf;

use super::world::LIVE;
use crate::tail::event::Happening;
use crate::tail::files::FileId;
use crate::tail::position::{Position, Resume};
use crate::tail::source::Source;

#[derive(Debug)]
struct Run {
    file: FileId,
    number: u64,
    offset: u64,
    position: Option<Position>,
}

#[derive(Debug)]
enum Change {
    At(u64),
    Shortened(u64, u64),
    Beheaded(u64),
    Over,
}

#[derive(Debug, Default)]
pub(super) struct Ledger {
    current: BTreeMap<FileId, u64>,
    inherited: Vec<Position>,
    seen: bool,
    runs: Vec<Run>,
    /// What becomes true of which run once so much of what came out was accepted.
    due: VecDeque<(usize, (FileId, u64), Change)>,
}

impl Ledger {
    pub(super) fn resumed(saved: &Resume) -> Self {
        Self { inherited: saved.files.clone(), ..Self::default() }
    }

    pub(super) fn current(&self, file: FileId) -> Option<u64> {
        self.current.get(&file).copied()
    }

    /// Proves each run at its beginning, as a checkpoint does that is saved with it. (Of a run that was cut before it was
    /// proven at all, a checkpoint that is saved then says nothing.)
    pub(super) fn prove_beginnings(&mut self, source: &Source) {
        for run in self.runs.iter_mut().filter(|run| run.position.is_none()) {
            run.position = source.prove(run.file, run.number, run.offset);
        }
    }

    pub(super) fn bytes(&mut self, file: FileId, run: u64, end: u64, place: usize) {
        self.due.push_back((place, (file, run), Change::At(end)));
    }

    pub(super) fn enter(&mut self, what: &Happening, place: usize) {
        match *what {
            Happening::Opened { file, run, offset, .. } => self.begin(file, run, offset),
            Happening::Rewritten { file, run, .. } => {
                self.change(file, place, Change::Over);
                self.begin(file, run, 0);
            }
            Happening::Closed { file, run, .. } => {
                self.current.remove(&file);
                self.due.push_back((place, (file, run), Change::Over));
            }
            Happening::Shortened { file, run, to, .. } => {
                self.change(file, place, Change::Shortened(to, run));
                self.current.insert(file, run);
            }
            Happening::HeadCut { file, from, to, .. } => self.change(file, place, Change::Beheaded(from - to)),
            Happening::NulsSkipped { file, ref range } => self.change(file, place, Change::At(range.end)),
            Happening::Lost { file, .. } => {
                self.inherited.retain(|position| position.file != file);
                self.seen = true;
            }
            Happening::Inaccessible { .. } => self.seen = true,
            _ => {}
        }
    }

    fn change(&mut self, file: FileId, place: usize, what: Change) {
        if let Some(run) = self.current(file) {
            self.due.push_back((place, (file, run), what));
        }
    }

    fn begin(&mut self, file: FileId, number: u64, offset: u64) {
        self.current.insert(file, number);
        self.seen = true;
        if !self.runs.iter().any(|run| (run.file, run.number) == (file, number)) {
            let inherited = self.inherited.iter().position(|position| position.file == file);
            let position = inherited.map(|index| self.inherited.remove(index));
            self.runs.push(Run { file, number, offset, position });
        }
    }

    /// The runs of which less was proven than was accepted, and how much.
    pub(super) fn unproven(&self) -> Vec<(FileId, u64, u64)> {
        let proven = self.runs.iter().filter_map(|run| {
            let offset = run.position.as_ref().map_or(0, |position| position.offset);
            (offset < run.offset).then_some((run.file, run.number, offset))
        });
        proven.collect()
    }

    /// Where a later follower has to go on if so much of what came out was accepted; `None` if nothing is known yet.
    pub(super) fn resumption(&mut self, source: &Source, accepted: usize) -> Option<Resume> {
        while let Some((_, of, what)) = self.due.pop_front_if(|(place, ..)| *place < accepted) {
            let Some(index) = self.runs.iter().position(|run| (run.file, run.number) == of) else { continue };
            let run = &mut self.runs[index];
            match what {
                Change::At(offset) => run.offset = offset,
                Change::Shortened(to, number) => (run.offset, run.number) = (run.offset.min(to), number),
                Change::Beheaded(count) => run.offset = run.offset.saturating_sub(count),
                Change::Over => drop(self.runs.remove(index)),
            }
        }
        let mut files: Vec<Position> = Vec::new();
        for run in &mut self.runs {
            if run.position.as_ref().is_none_or(|position| position.offset != run.offset) {
                let position = source.prove(run.file, run.number, run.offset);
                run.position = position.or(run.position.take());
            }
            files.extend(run.position.clone().filter(|new| files.iter().all(|file| file.file != new.file)));
        }
        files.extend(self.inherited.iter().cloned());
        for member in source.members().filter(|member| member.run() == 0) {
            if files.iter().all(|file| file.file != member.file()) {
                let size = member.read_of().1;
                let (head, anchor) = (Vec::new(), Vec::new());
                files.push(Position { file: member.file(), offset: 0, size, ended: None, head, anchor });
            }
        }
        let path = PathBuf::from("/d").join(LIVE);
        let resume = Resume { path, looked: source.looked(), known: source.known(), copies: source.copies(), files };
        (self.seen || !resume.files.is_empty()).then_some(resume)
    }
}
