//! The files that patterns bring: taken up when they match, each once, and let go when they match no more.
//!
//! A file is known by its identity here. One that is renamed to another matching name goes on where it was, and one
//! that is followed already, by whatever name, is not taken up again.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::io::ErrorKind;
use std::path::PathBuf;
use std::time::Instant;

use super::engine::Engine;
use super::event::{Arrival, SourceId};
use super::files::{FileId, FileKind, Links};
use super::pattern::{Expansion, Pattern};
use super::report::Report;
use crate::wake::{Notice, Wake};

/// How often directories are listed anew because further ones came to be watched meanwhile.
const ATTEMPTS: usize = 8;

#[derive(Debug)]
pub(crate) struct Discovery {
    patterns: Vec<Pattern>,
    /// The sources that patterns have brought.
    brought: BTreeSet<SourceId>,
    /// What a file that is found now is to its source.
    arrival: Arrival,
    /// Files that are left out.
    own: Vec<FileId>,
    /// Paths of which something was reported already.
    reported: HashSet<PathBuf>,
    /// When to look again although no event may tell.
    look_at: Option<Instant>,
}

impl Discovery {
    pub(crate) fn new() -> Self {
        Self {
            patterns: Vec::new(),
            brought: BTreeSet::new(),
            arrival: Arrival::First,
            own: Vec::new(),
            reported: HashSet::new(),
            look_at: None,
        }
    }

    pub(crate) fn add(&mut self, pattern: Pattern) {
        self.patterns.push(pattern);
        self.arrival = Arrival::First;
    }

    /// Has a source count as one that patterns have brought.
    pub(crate) fn adopt(&mut self, source: SourceId) {
        self.brought.insert(source);
    }

    pub(crate) fn leave_out(&mut self, file: FileId) {
        self.own.push(file);
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.patterns.is_empty()
    }

    /// Whether the first look is still to be taken.
    pub(crate) fn is_due(&self, now: Instant) -> bool {
        !self.is_empty() && (self.arrival == Arrival::First || self.look_at.is_some_and(|at| at <= now))
    }

    pub(crate) fn look_at(&self) -> Option<Instant> {
        self.look_at
    }

    /// Takes up no further file.
    pub(crate) fn end(&mut self) {
        self.patterns.clear();
        self.look_at = None;
    }

    /// Finds out what matches now, after making sure that what will match later is noticed.
    pub(crate) fn look(&mut self, engine: &mut Engine, wake: &mut Wake, now: Instant) -> Vec<Report> {
        if self.is_empty() {
            return Vec::new();
        }
        // Whatever a name stands for is that source's before it is a pattern's.
        engine.attend(now);
        let mut reports = Vec::new();
        let found = self.expand(engine, wake, now);
        for (path, error) in found.unlistable {
            if self.reported.insert(path.clone()) {
                reports.push(Report::Unlistable(path, error));
            }
        }
        reports.extend(self.reconcile(engine, found.files, now));
        self.arrival = Arrival::Appeared;
        reports
    }

    fn expand(&mut self, engine: &Engine, wake: &mut Wake, now: Instant) -> Expansion {
        let mut all = Expansion::default();
        for _ in 0..ATTEMPTS {
            all = Expansion::default();
            let mut told = Notice::Told;
            let mut new = false;
            for (index, pattern) in self.patterns.iter().enumerate() {
                let found = pattern.expand(engine.files());
                let (fresh, notice) = wake.listen(index, pattern.base(), &found.directories);
                new |= fresh;
                told = told.max(notice);
                all.files.extend(found.files);
                all.unlistable.extend(found.unlistable);
            }
            self.look_at = if told == Notice::Told { None } else { now.checked_add(engine.poll_interval()) };
            // A directory that was not watched before may have got entries between its listing and its watch.
            if !new {
                break;
            }
        }
        all.files.sort_unstable();
        all.files.dedup();
        all
    }

    fn reconcile(&mut self, engine: &mut Engine, found: Vec<PathBuf>, now: Instant) -> Vec<Report> {
        let mut reports = Vec::new();
        let mut followed: HashMap<FileId, SourceId> = HashMap::new();
        let mut awaited: HashMap<PathBuf, SourceId> = HashMap::new();
        for (id, source) in engine.sources() {
            followed.extend(source.members().map(|member| (member.file(), id)));
            if source.members().next().is_none() && source.needs_name() {
                awaited.insert(source.path().to_owned(), id);
            }
        }
        let mut matched: BTreeMap<SourceId, Vec<PathBuf>> = BTreeMap::new();
        for path in found {
            let file = match engine.files().meta(&path, Links::Follow) {
                Ok(meta) if meta.kind == FileKind::Directory => continue,
                Ok(meta) if self.own.contains(&meta.id) => {
                    if self.reported.insert(path.clone()) {
                        reports.push(Report::LeftOut(path));
                    }
                    continue;
                }
                Ok(meta) => Some(meta.id),
                // It went away since it was listed.
                Err(error) if error.kind() == ErrorKind::NotFound => continue,
                Err(_) => None,
            };
            let known = file.and_then(|file| followed.get(&file)).or_else(|| awaited.get(&path)).copied();
            let id = known.unwrap_or_else(|| {
                let id = engine.add_found(path.clone(), self.arrival, now);
                self.brought.insert(id);
                id
            });
            followed.extend(file.map(|file| (file, id)));
            matched.entry(id).or_default().push(path);
        }
        for id in &self.brought {
            match matched.get_mut(id) {
                // A file of several names goes by the same one as long as that matches.
                Some(paths) => {
                    let own =
                        engine.source(*id).and_then(|source| paths.iter().position(|path| path == source.path()));
                    engine.keep_found(*id, paths.swap_remove(own.unwrap_or(0)));
                }
                None => engine.drop_found(*id),
            }
        }
        self.brought.retain(|id| engine.source(*id).is_some());
        reports
    }
}
