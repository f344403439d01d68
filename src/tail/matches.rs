//! Which names patterns have found, and to which sources they lead.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::path::{Path, PathBuf};

use super::engine::Engine;
use super::event::SourceId;

/// How many names that lead nowhere any more are remembered at the most between two looks at everything.
const VACATED: usize = 1024;

/// Names and sources. Those that were followed before a pattern found them are none of its business.
#[derive(Debug, Default)]
pub(crate) struct Matches {
    by_path: BTreeMap<PathBuf, SourceId>,
    /// The sources that patterns have brought, with their names.
    brought: HashMap<SourceId, BTreeSet<PathBuf>>,
    /// Names that led to a source last, which has no other.
    vacated: HashMap<PathBuf, SourceId>,
    /// Sources whose names have changed.
    touched: BTreeSet<SourceId>,
}

impl Matches {
    /// A source is there because a pattern found its file.
    pub(crate) fn bring(&mut self, id: SourceId) {
        self.brought.insert(id, BTreeSet::new());
    }

    /// A source is there whose file a pattern of an earlier tail has found under this name. It has to be found again.
    pub(crate) fn adopt(&mut self, id: SourceId, path: PathBuf) {
        self.bring(id);
        self.vacated.insert(path, id);
        self.touched.insert(id);
    }

    /// A name leads to a source.
    pub(crate) fn insert(&mut self, path: PathBuf, id: SourceId) {
        if self.by_path.get(&path) != Some(&id) {
            self.remove(&path);
        }
        self.vacated.remove(&path);
        if let Some(names) = self.brought.get_mut(&id) {
            names.insert(path.clone());
            self.by_path.insert(path, id);
            self.touched.insert(id);
        }
    }

    /// A name leads nowhere any more.
    pub(crate) fn remove(&mut self, path: &Path) {
        let Some(id) = self.by_path.remove(path) else { return };
        self.touched.insert(id);
        if let Some(names) = self.brought.get_mut(&id) {
            names.remove(path);
            if names.is_empty() && self.vacated.len() < VACATED {
                self.vacated.insert(path.to_owned(), id);
            }
        }
    }

    /// The names that lead somewhere.
    pub(crate) fn paths(&self) -> impl Iterator<Item = &PathBuf> {
        self.by_path.keys()
    }

    /// Those of them that are at or below a path.
    pub(crate) fn paths_from(&self, path: &Path) -> impl Iterator<Item = &PathBuf> {
        let from = self.by_path.range(path.to_owned()..).map(|(below, _)| below);
        from.take_while(move |below| below.starts_with(path))
    }

    /// The source that a name leads to.
    pub(crate) fn under(&self, path: &Path) -> Option<SourceId> {
        self.by_path.get(path).copied()
    }

    /// The source that a name led to, or leads to still, and that has no other name.
    pub(crate) fn last_under(&self, path: &Path) -> Option<SourceId> {
        let id = self.under(path).or_else(|| self.vacated.get(path).copied())?;
        let names = self.brought.get(&id)?;
        names.iter().all(|name| name == path).then_some(id)
    }

    /// Forgets sources that have ended.
    pub(crate) fn forget_ended(&mut self, engine: &Engine) {
        self.brought.retain(|id, _| engine.source(*id).is_some());
        self.vacated.retain(|_, id| engine.source(*id).is_some());
        self.by_path.retain(|_, id| engine.source(*id).is_some());
    }

    /// The sources whose names have changed since this was last asked for, each with what it has now.
    pub(crate) fn take_touched(&mut self) -> Vec<(SourceId, BTreeSet<PathBuf>)> {
        let touched = std::mem::take(&mut self.touched);
        touched.into_iter().filter_map(|id| Some((id, self.brought.get(&id)?.clone()))).collect()
    }
}
