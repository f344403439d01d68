//! Ways to directories, watched for whatever makes them lead elsewhere.
//!
//! A [`Way`] is found and watched once for all names that are followed at its end. Something that happens on it makes it
//! stale: it is found again when one of its users asks for it, which all must do then.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::ffi::OsStr;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::above::{Above, Concern, Hold, Watching};
use super::bell::{Interest, WayId};
use super::directories::{Directories, DirectoryId, Watched, identify};
use super::filesystem::Announces;
use super::route::{Turn, route};
use super::watcher::Refusal;
use crate::numbers::ByNumber;

/// Something that is removed and made again while its watch is being set: how often to begin anew.
pub(super) const ATTEMPTS: usize = 8;

#[derive(Debug, Default)]
pub(super) struct Ways {
    all: ByNumber<WayId, Way>,
    by_path: HashMap<PathBuf, WayId>,
    next: usize,
    /// Directories to which ways have led, and that are not there any more.
    gone: Vec<PathBuf>,
}

#[derive(Debug)]
struct Way {
    path: PathBuf,
    users: usize,
    state: State,
    course: Course,
}

/// Whether a way leads where it did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Known,
    Stale,
}

/// Where a way leads, and what is watched for it.
#[derive(Debug)]
struct Course {
    end: Option<End>,
    told: Announces,
    directories: Vec<DirectoryId>,
    names: Vec<Arc<OsStr>>,
    holds: Vec<Hold>,
}

/// The directory that a way leads to.
#[derive(Clone, Debug)]
pub(super) struct End {
    /// Its path, without links.
    pub(super) directory: PathBuf,
    /// The path that events name it by.
    pub(super) watched_as: PathBuf,
    id: DirectoryId,
}

impl Default for Course {
    fn default() -> Self {
        Self { end: None, told: Announces::All, directories: Vec::new(), names: Vec::new(), holds: Vec::new() }
    }
}

/// What ways are watched by.
#[derive(Debug)]
pub(super) struct Watches {
    pub(super) directories: Directories,
    pub(super) above: Above,
}

impl Ways {
    /// The way to a directory, the empty path being the current one. Its user is to [`leave`](Self::leave) it once.
    pub(super) fn enter(&mut self, path: &Path) -> WayId {
        let id = self.by_path.get(path).copied().unwrap_or_else(|| {
            self.next += 1;
            self.by_path.insert(path.to_owned(), WayId(self.next));
            WayId(self.next)
        });
        let new = || Way { path: path.to_owned(), users: 0, state: State::Stale, course: Course::default() };
        self.all.entry(id).or_insert_with(new).users += 1;
        id
    }

    pub(super) fn leave(&mut self, with: &mut Watches, id: WayId) {
        let Some(way) = self.all.get_mut(&id) else { return };
        way.users -= 1;
        if way.users == 0
            && let Some(way) = self.all.remove(&id)
        {
            self.by_path.remove(&way.path);
            way.course.leave(with, id);
        }
    }

    /// Where a way leads, if to a directory, and whether events tell of all changes on it. Unless that is known, it is
    /// found and watched before.
    pub(super) fn find(&mut self, with: &mut Watches, id: WayId) -> Result<(Option<&End>, Announces), Refusal> {
        let Some(way) = self.all.get_mut(&id) else { return Err(Refusal::Gone) };
        if way.state == State::Stale {
            let mut result = way.watch(with, id);
            for _ in 1..ATTEMPTS {
                // It may have changed before its new watches were there to tell.
                if !matches!(result, Ok(Watching::Begun) | Err(Refusal::Gone)) {
                    break;
                }
                result = way.watch(with, id);
            }
            result?;
            way.state = State::Known;
        }
        Ok((way.course.end.as_ref(), way.course.told))
    }

    /// Has it told when the directory at the end of a way is removed, which may be empty as a name in it is missing.
    pub(super) fn guard_end(&mut self, with: &mut Watches, id: WayId) -> Option<Hold> {
        let end = self.all.get(&id)?.course.end.as_ref()?;
        hold_entry(with, &end.directory, id).map(|(hold, _)| hold)
    }

    /// Makes sure that a way led where it is known to lead when a name was looked for at its end. While that was missing,
    /// unknown to us, the directory may have been removed and made again.
    ///
    /// # Errors
    /// When it leads elsewhere.
    pub(super) fn confirm_end(&mut self, id: WayId) -> Result<(), Refusal> {
        let Some(way) = self.all.get_mut(&id) else { return Ok(()) };
        let Some(end) = &way.course.end else { return Ok(()) };
        if identify(&end.directory).is_ok_and(|now| now == end.id) {
            return Ok(());
        }
        if !end.directory.exists() {
            self.gone.push(end.directory.clone());
        }
        way.state = State::Stale;
        Err(Refusal::Gone)
    }

    /// Hands out the directories that were found to be gone.
    pub(super) fn take_gone(&mut self) -> Vec<PathBuf> {
        std::mem::take(&mut self.gone)
    }

    /// These may lead elsewhere.
    pub(super) fn make_stale(&mut self, ids: &BTreeSet<WayId>) {
        for id in ids {
            if let Some(way) = self.all.get_mut(id) {
                let end = way.course.end.as_ref().filter(|end| !end.directory.exists());
                self.gone.extend(end.map(|end| end.directory.clone()));
                way.state = State::Stale;
            }
        }
    }

    /// A watched directory is lost; returns the ways that it was on.
    pub(super) fn lost(&mut self, directory: DirectoryId) -> BTreeSet<WayId> {
        let mut concerned = BTreeSet::new();
        for (id, way) in &mut self.all {
            if way.course.directories.contains(&directory) {
                // It must not be given back, for an earlier time, when it is counted anew.
                way.course.directories.retain(|other| *other != directory);
                concerned.insert(*id);
            }
        }
        concerned
    }

    /// All watched directories are lost.
    pub(super) fn lose_all(&mut self) {
        for way in self.all.values_mut() {
            way.course.directories.clear();
            way.state = State::Stale;
        }
    }

    #[cfg(test)]
    pub(super) fn count(&self) -> usize {
        self.all.len().max(self.by_path.len())
    }
}

impl Way {
    /// Watches it where it leads now.
    fn watch(&mut self, with: &mut Watches, id: WayId) -> Result<Watching, Refusal> {
        let mut course = Course::default();
        let result = course.watch(with, &self.path, id);
        std::mem::replace(&mut self.course, course).leave(with, id);
        result
    }
}

impl Course {
    fn watch(&mut self, with: &mut Watches, path: &Path, way: WayId) -> Result<Watching, Refusal> {
        let route = route(path, |_| false).map_err(Refusal::Other)?;
        let mut watching = Watching::Already;
        let mut result = Ok(());
        let mut seen = HashSet::new();
        for Turn { directory, name } in &route.turns {
            match self.enter(with, directory) {
                Ok(watched) => {
                    let name: Arc<OsStr> = watched.path.join(name).into_os_string().into();
                    with.directories.bell().follow_name(&name, Interest::Way(way));
                    self.names.push(name);
                    watching = watching.max(watched.watching);
                }
                Err(refusal) => result = Err(refusal),
            }
            watching = watching.max(self.hold_above(with, directory, way, &mut seen));
        }
        if let Some(directory) = route.end {
            match self.enter(with, &directory) {
                Ok(Watched { id, path, watching: end, .. }) => {
                    watching = watching.max(end).max(self.hold_above(with, &directory, way, &mut seen));
                    self.end = Some(End { directory, watched_as: path, id });
                }
                Err(refusal) => result = Err(refusal),
            }
        } else if let Some(missing) = route.turns.last() {
            watching = watching.max(self.keep(hold_entry(with, &missing.directory, way)));
        }
        result.map(|()| watching)
    }

    /// Watches the names in a directory.
    fn enter(&mut self, with: &mut Watches, directory: &Path) -> Result<Watched, Refusal> {
        let watched = with.directories.enter(directory)?;
        self.directories.push(watched.id);
        self.told = self.told.max(watched.announces);
        Ok(watched)
    }

    /// Has it told when a directory whose names are watched comes to stand elsewhere with one of those above it.
    fn hold_above(
        &mut self,
        with: &mut Watches,
        directory: &Path,
        way: WayId,
        seen: &mut HashSet<PathBuf>,
    ) -> Watching {
        let mut watching = Watching::Already;
        // It tells itself of its own moves.
        let mut telling = true;
        let mut here = directory;
        while let Some(parent) = here.parent()
            && seen.insert(here.to_owned())
        {
            // What is mounted or a volume of its own can go away with all that stands in it.
            if !telling || device(here) != device(parent) {
                watching = watching.max(self.keep(hold_entry(with, here, way)));
            }
            let hold = with.above.hold(parent, way, Concern::Itself).ok();
            telling = hold.is_some();
            watching = watching.max(self.keep(hold));
            here = parent;
        }
        watching
    }

    /// What can't be held is left to the safety look.
    fn keep(&mut self, found: Option<(Hold, Watching)>) -> Watching {
        let Some((hold, watching)) = found else { return Watching::Already };
        self.holds.push(hold);
        watching
    }

    fn leave(self, with: &mut Watches, way: WayId) {
        self.names.iter().for_each(|name| with.directories.bell().unfollow_name(name, Interest::Way(way)));
        self.directories.into_iter().for_each(|id| with.directories.leave(id));
        self.holds.into_iter().for_each(|hold| with.above.let_go(hold));
    }
}

/// Has it told when a directory is removed, or renamed, by that in which it stands.
fn hold_entry(with: &mut Watches, directory: &Path, way: WayId) -> Option<(Hold, Watching)> {
    let (parent, name) = (directory.parent()?, directory.file_name()?);
    with.above.hold(parent, way, Concern::Entry(name.to_owned())).ok()
}

fn device(directory: &Path) -> Option<u64> {
    std::fs::metadata(directory).ok().map(|meta| meta.dev())
}
