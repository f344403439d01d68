//! Files that patterns find: each gets a source of its own, once, and keeps it while some name of it matches.
//!
//! A file is known by its identity here. One that is renamed to another matching name goes on where it was, and one
//! that is followed already, by whatever name, is not taken up again. A new file under the only name of another one is
//! the next of that one's source.
//!
//! Directories are listed when they come into sight, after their watch was set, and all of them now and then. Otherwise
//! only those names are looked at that something happened to, however many files there are.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::ffi::OsStr;
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::time::{Instant, SystemTime};

use super::engine::Engine;
use super::event::{Arrival, Since, SourceId};
use super::failures::{is_silence, silence};
use super::files::{FileId, FileKind, Files, Links, Meta};
use super::lineage;
use super::matches::Matches;
use super::name::is_shortage;
use super::pattern::{Pattern, State, Visit, is_compressed_unasked};
use super::report::Report;
use super::source::{FirstSight, Kinship, Missed};
use super::step::RETRY;
use super::suspects::{Orphan, Suspects};
use crate::wake::{Changed, Notice, Wake};

#[derive(Debug)]
pub(crate) struct Discovery {
    searches: Vec<Search>,
    matches: Matches,
    /// What a file that is found now is to its source.
    arrival: Arrival,
    /// Files that are left out.
    own: Vec<FileId>,
    /// Paths of files that are left out without a word, the way to their directories resolved.
    own_paths: Vec<PathBuf>,
    /// Paths of which something was reported already.
    reported: HashSet<PathBuf>,
    /// Whether it was reported that compressed files are left out.
    told_compressed: bool,
    /// Names of files whose sources have gone on to others: once these let them go, they are followed by themselves.
    strays: BTreeMap<PathBuf, FileId>,
    /// Files that are left out, for now or for good, since they are copies of logs.
    suspects: Suspects,
    /// When it was last known which names match.
    looked: Option<SystemTime>,
    /// When to look again although no event may tell.
    look_at: Option<Instant>,
}

/// One pattern, and where it leads to.
#[derive(Debug)]
struct Search {
    pattern: Rc<Pattern>,
    /// The directories in which a name could make another file match, and how much of the pattern leads to them.
    directories: BTreeMap<PathBuf, BTreeSet<State>>,
    base: Base,
    answers: Answers,
}

/// Whether all that was asked at the last look had an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Answers {
    Whole,
    InPart,
}

/// What is known of the place where a pattern begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Base {
    Unknown,
    There,
    Missing,
}

/// What changed names have brought.
#[derive(Debug, Default)]
struct Found {
    files: Vec<PathBuf>,
    unlistable: Vec<(PathBuf, io::Error)>,
    told: Option<Notice>,
}

impl Discovery {
    pub(crate) fn new() -> Self {
        Self {
            searches: Vec::new(),
            matches: Matches::default(),
            arrival: Arrival::First,
            own: Vec::new(),
            own_paths: Vec::new(),
            reported: HashSet::new(),
            told_compressed: false,
            strays: BTreeMap::new(),
            suspects: Suspects::new(),
            looked: None,
            look_at: None,
        }
    }

    pub(crate) fn add(&mut self, pattern: Rc<Pattern>) {
        self.searches.push(Search {
            pattern,
            directories: BTreeMap::new(),
            base: Base::Unknown,
            answers: Answers::Whole,
        });
        self.arrival = Arrival::First;
        self.look_at = None;
    }

    /// Has a source count as one that patterns have brought, under this name.
    pub(crate) fn adopt(&mut self, source: SourceId, path: PathBuf) {
        self.matches.adopt(source, path);
    }

    pub(crate) fn leave_out(&mut self, file: FileId) {
        self.own.push(file);
    }

    pub(crate) fn leave_out_path(&mut self, path: &Path) {
        self.own_paths.extend(resolved(path));
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.searches.is_empty()
    }

    /// Whether it is time to look at everything.
    pub(crate) fn is_due(&self, now: Instant) -> bool {
        let is_first = self.arrival == Arrival::First;
        !self.is_empty() && self.look_at.map_or(is_first, |at| at <= now)
    }

    pub(crate) fn look_at(&self) -> Option<Instant> {
        [self.look_at, self.suspects.look_at()].into_iter().flatten().min()
    }

    /// Looks once more, and takes up whatever might be followed.
    pub(crate) fn look_at_last(&mut self, engine: &mut Engine, wake: &mut Wake, now: Instant) -> Vec<Report> {
        self.suspects.decide_at_once();
        self.look(engine, wake, now)
    }

    /// Takes up no further file.
    pub(crate) fn end(&mut self, engine: &mut Engine) {
        self.searches.clear();
        self.suspects.end(engine);
        self.look_at = None;
    }

    /// Finds out what matches now, after making sure that what will match later is noticed.
    pub(crate) fn look(&mut self, engine: &mut Engine, wake: &mut Wake, now: Instant) -> Vec<Report> {
        if self.is_empty() {
            return Vec::new();
        }
        let at = engine.files().now();
        // Whatever a name stands for is that source's before it is a pattern's.
        engine.attend(now);
        let mut reports = Vec::new();
        let mut found = Found::default();
        self.suspects.begin_round();
        let before = engine.files().silences();
        for (index, search) in self.searches.iter_mut().enumerate() {
            let silences = engine.files().silences();
            found.tell(wake.follow_base(index, search.pattern.base()));
            reports.extend(search.look_for_base(engine.files()));
            let old = std::mem::take(&mut search.directories);
            let mut walk = Walk::new(index, &mut search.directories, wake, &mut found);
            search.pattern.walk(engine.files(), &mut walk);
            walk.end();
            if engine.files().silences() > silences {
                reports.extend(search.has_no_answer());
                // What was not found may be there all the same.
                for (directory, states) in old {
                    search.directories.entry(directory).or_default().extend(states);
                }
                continue;
            }
            search.answers = Answers::Whole;
            for directory in old.keys().filter(|path| !search.directories.contains_key(*path)) {
                wake.unlisten(index, directory);
            }
        }
        let told = found.told.take().unwrap_or(Notice::Told);
        self.look_at = if told == Notice::Told { None } else { now.checked_add(engine.poll_interval()) };
        let matching: HashSet<&PathBuf> = found.files.iter().collect();
        let mut gone: Vec<_> = self.matches.paths().filter(|path| !matching.contains(path)).cloned().collect();
        if engine.files().silences() > before {
            gone.clear();
            self.look_at = now.checked_add(RETRY);
        }
        self.matches.forget_ended(engine);
        reports.extend(self.settle(engine, found, gone, at, now));
        self.suspects.forget_missing();
        self.arrival = Arrival::Appeared;
        self.looked = Some(at);
        reports
    }

    /// Finds out what names mean that something happened to.
    pub(crate) fn review(
        &mut self,
        changes: &BTreeSet<Changed>,
        engine: &mut Engine,
        wake: &mut Wake,
        now: Instant,
    ) -> Vec<Report> {
        if self.is_empty() {
            return Vec::new();
        }
        let at = engine.files().now();
        let suspects = self.suspects.due(now);
        let are_free = self.strays.values().any(|file| engine.holder(*file).is_none());
        if changes.is_empty() && suspects.is_empty() && !are_free {
            self.looked = Some(at);
            return Vec::new();
        }
        engine.attend(now);
        let mut gone = BTreeSet::new();
        for Changed { pattern, path } in changes {
            // A directory of this name is another one, or none, until it is found below.
            self.searches[*pattern].leave(*pattern, path, wake);
            gone.extend(self.matches.paths_from(path).cloned());
        }
        let mut found = Found::default();
        let silences = engine.files().silences();
        for Changed { pattern, path } in changes {
            self.searches[*pattern].step(*pattern, path, engine.files(), wake, &mut found);
        }
        if found.told.take().is_some_and(|told| told != Notice::Told) {
            self.look_at = self.look_at.or_else(|| now.checked_add(engine.poll_interval()));
        }
        for path in &found.files {
            gone.remove(path);
        }
        if engine.files().silences() > silences {
            // What was not found may be there all the same.
            gone.clear();
            self.look_at = now.checked_add(RETRY);
        }
        found.files.extend(suspects);
        let freed = self.strays.extract_if(.., |_, file| engine.holder(*file).is_none());
        found.files.extend(freed.map(|(path, _)| path).filter(|path| !gone.contains(path)));
        let reports = self.settle(engine, found, gone.into_iter().collect(), at, now);
        self.looked = Some(at);
        reports
    }

    /// Brings sources in line with the names that match.
    fn settle(
        &mut self,
        engine: &mut Engine,
        found: Found,
        mut gone: Vec<PathBuf>,
        at: SystemTime,
        now: Instant,
    ) -> Vec<Report> {
        let Found { mut files, unlistable, .. } = found;
        files.sort_unstable();
        files.dedup();
        let mut reports = Vec::new();
        for (path, error) in unlistable {
            if is_silence(&error) {
                self.look_at = now.checked_add(RETRY);
            } else if is_shortage(&error) {
                engine.rest_some();
                self.look_at = now.checked_add(RETRY);
            } else if self.reported.insert(path.clone()) {
                reports.push(Report::Unlistable(path, error));
            }
        }
        for path in &gone {
            self.matches.remove(path);
        }
        let mut new = Vec::new();
        for path in files {
            let meta = match engine.files().meta(&path, Links::Follow) {
                Ok(meta) if meta.kind == FileKind::Directory => {
                    self.matches.remove(&path);
                    continue;
                }
                Ok(_) if self.is_own(&path) => {
                    self.matches.remove(&path);
                    continue;
                }
                Ok(meta) if self.own.contains(&meta.id) => {
                    self.matches.remove(&path);
                    if self.reported.insert(path.clone()) {
                        reports.push(Report::LeftOut(path));
                    }
                    continue;
                }
                Ok(meta) => Some(meta),
                Err(error) if is_silence(&error) => {
                    self.look_at = now.checked_add(RETRY);
                    continue;
                }
                // It went away since it was listed.
                Err(error) if error.kind() == ErrorKind::NotFound => {
                    self.matches.remove(&path);
                    gone.push(path);
                    continue;
                }
                Err(_) => None,
            };
            let file = meta.as_ref().map(|meta| meta.id);
            match file.and_then(|file| engine.holder(file)).or_else(|| self.awaited_by(engine, &path)) {
                Some(id) => {
                    let past = file.filter(|file| engine.source(id).is_some_and(|source| source.is_past(*file)));
                    if let Some(file) = past {
                        self.strays.insert(path.clone(), file);
                    }
                    if engine.source(id).is_some_and(|source| source.path() == path) {
                        match past {
                            None => engine.saw_found(id, at),
                            // What had followed it is gone.
                            Some(_) => engine.succeed_found(id, path.clone()),
                        }
                    }
                    self.matches.insert(path, id);
                }
                None if self.is_compressed(&path, engine.files()) => {
                    self.matches.remove(&path);
                    if !std::mem::replace(&mut self.told_compressed, true) {
                        reports.push(Report::Compressed(path));
                    }
                }
                None => match meta.map_or(Kinship::None, |meta| self.kinship(&path, &meta, engine, now)) {
                    Kinship::None => new.push((path, file)),
                    // Whatever the name meant, it is not known as yet what follows that.
                    Kinship::Perhaps => {}
                    Kinship::Copy => self.matches.remove(&path),
                },
            }
        }
        self.settle_nameless(engine, now);
        let later: &[_] = if self.arrival == Arrival::First { &[] } else { &new };
        let held_at_once = !later.is_empty();
        let names = later.iter().map(|(path, _)| path).chain(&gone).map(PathBuf::as_path);
        let rotated = engine.rotated(names);
        self.take_up(engine, new, &rotated, now);
        for (id, names) in self.matches.take_touched() {
            // A file of several names goes by the same one as long as that matches.
            let own = engine.source(id).map(|source| source.path().to_owned());
            let was_rotated = own.as_ref().is_some_and(|own| rotated.contains(own));
            match own.filter(|own| names.contains(own)).or_else(|| names.first().cloned()) {
                Some(path) => engine.keep_found(id, path),
                None => engine.drop_found(id, if was_rotated { Missed::Perhaps } else { Missed::Nothing }),
            }
        }
        if held_at_once {
            // Who looks for what went by unseen is to know whose these are.
            engine.attend(now);
        }
        reports
    }

    /// What a file is to the logs whose copies may have its name.
    fn kinship(&mut self, path: &Path, meta: &Meta, engine: &mut Engine, now: Instant) -> Kinship {
        let logs = self.logs(path, engine);
        self.suspects.judge(path, meta, &logs, engine, now)
    }

    /// The logs whose copies may have a name.
    fn logs(&self, path: &Path, engine: &Engine) -> Vec<SourceId> {
        let log = |origin: PathBuf| self.matches.under(&origin).or_else(|| engine.named(&origin));
        lineage::origins(path).filter_map(log).collect()
    }

    /// Decides about files that were waited for when their names went.
    fn settle_nameless(&mut self, engine: &mut Engine, now: Instant) {
        for (file, path) in self.suspects.nameless() {
            if engine.holder(file).is_some() {
                // It was found to be the next of a log.
                self.suspects.forget(file, engine);
                continue;
            }
            let is_named = match engine.files().meta(&path, Links::Follow) {
                Ok(meta) => meta.id == file,
                // Nothing was found out.
                Err(error) => error.kind() != ErrorKind::NotFound,
            };
            if is_named {
                self.suspects.postpone(now);
                continue;
            }
            let logs = self.logs(&path, engine);
            match self.suspects.judge_nameless(file, &logs, engine, now) {
                Some(Orphan { path, handle: Some(handle), .. }) => {
                    let id = engine.add_held(path, handle, now);
                    self.matches.bring(id);
                }
                Some(Orphan { file, path, handle: None, size }) => engine.add_lost(path, file, size, now),
                None => {}
            }
        }
    }

    /// Closes files that are held open for want of a decision, so that others can be opened; false if there are none.
    pub(crate) fn make_room(&mut self, engine: &mut Engine) -> bool {
        self.suspects.make_room(engine)
    }

    /// Has files that no source knows followed.
    fn take_up(
        &mut self,
        engine: &mut Engine,
        new: Vec<(PathBuf, Option<FileId>)>,
        rotated: &HashSet<PathBuf>,
        now: Instant,
    ) {
        let mut taken: HashMap<FileId, SourceId> = HashMap::new();
        for (path, file) in new {
            let known = file.and_then(|file| taken.get(&file).copied());
            let heir = known.or_else(|| {
                let last = self.matches.last_under(&path).filter(|last| engine.source(*last).is_some())?;
                engine.succeed_found(last, path.clone());
                Some(last)
            });
            let id = heir.unwrap_or_else(|| {
                let seen = file.filter(|_| !rotated.contains(&path));
                let id = engine.add_found(path.clone(), self.arrival, FirstSight { seen, looked: self.looked }, now);
                self.matches.bring(id);
                id
            });
            taken.extend(file.map(|file| (file, id)));
            self.matches.insert(path, id);
        }
    }

    /// The source that waits for a file to come under this name.
    fn awaited_by(&self, engine: &Engine, path: &Path) -> Option<SourceId> {
        let found = self.matches.under(path).filter(|id| engine.is_waiting(*id));
        found.or_else(|| engine.awaiting(path))
    }

    fn is_compressed(&self, path: &Path, files: &dyn Files) -> bool {
        is_compressed_unasked(path, self.searches.iter().map(|search| &*search.pattern), files)
    }

    fn is_own(&self, path: &Path) -> bool {
        let mut namesakes = self.own_paths.iter().filter(|own| own.file_name() == path.file_name()).peekable();
        namesakes.peek().is_some() && resolved(path).is_some_and(|path| namesakes.any(|own| *own == path))
    }
}

/// The one path of a file's name, there or not, whatever leads to its directory.
fn resolved(path: &Path) -> Option<PathBuf> {
    let absolute = std::path::absolute(path).ok()?;
    Some(absolute.parent()?.canonicalize().ok()?.join(absolute.file_name()?))
}

impl Search {
    /// Whether the place where it begins is there; reported when that changes.
    fn look_for_base(&mut self, files: &dyn Files) -> Option<Report> {
        if !self.pattern.is_tree() {
            return None;
        }
        let path = self.pattern.base().to_owned();
        let found = files.meta(&path, Links::Follow);
        let now = match &found {
            Err(error) if error.kind() == ErrorKind::NotFound => Base::Missing,
            _ => Base::There,
        };
        match (std::mem::replace(&mut self.base, now), now) {
            (Base::Unknown, Base::Missing) => Some(Report::NoBase(path, Since::Start)),
            (Base::There, Base::Missing) => Some(Report::NoBase(path, Since::Change)),
            _ => None,
        }
    }

    /// Not all that was asked has had an answer; reported when that begins.
    fn has_no_answer(&mut self) -> Option<Report> {
        let before = std::mem::replace(&mut self.answers, Answers::InPart);
        (before == Answers::Whole).then(|| Report::Unlistable(self.pattern.base().to_owned(), silence()))
    }

    /// Listens no more to a directory of this path, nor to those below it.
    fn leave(&mut self, index: usize, path: &Path, wake: &mut Wake) {
        let below = self.directories.range(path.to_owned()..).take_while(|(below, _)| below.starts_with(path));
        let below: Vec<PathBuf> = below.map(|(below, _)| below.clone()).collect();
        for directory in below {
            self.directories.remove(&directory);
            wake.unlisten(index, &directory);
        }
    }

    /// Goes on behind a name that something happened to.
    fn step(&mut self, index: usize, path: &Path, files: &dyn Files, wake: &mut Wake, found: &mut Found) {
        let Self { pattern, directories, .. } = self;
        let parent = path.parent().and_then(|parent| directories.get(parent).map(|states| (parent, states.clone())));
        let mut walk = Walk::new(index, directories, wake, found);
        match parent {
            Some((parent, states)) => {
                let name = path.file_name().unwrap_or(OsStr::new(""));
                for state in states {
                    pattern.step(files, parent, name, state, &mut walk);
                }
            }
            // It is where the pattern begins, or is reached by nothing any more.
            None if path == pattern.root() => pattern.walk(files, &mut walk),
            None => {}
        }
        walk.end();
    }
}

impl Found {
    fn tell(&mut self, notice: Notice) {
        self.told = self.told.max(Some(notice));
    }
}

/// Has directories listened to before they are listed, and collects what there is.
struct Walk<'a> {
    index: usize,
    directories: &'a mut BTreeMap<PathBuf, BTreeSet<State>>,
    wake: &'a mut Wake,
    found: &'a mut Found,
    /// How far events tell of the directory that is being visited.
    told: Option<Notice>,
}

impl<'a> Walk<'a> {
    fn new(
        index: usize,
        directories: &'a mut BTreeMap<PathBuf, BTreeSet<State>>,
        wake: &'a mut Wake,
        found: &'a mut Found,
    ) -> Self {
        Self { index, directories, wake, found, told: None }
    }

    fn end(&mut self) {
        if let Some(told) = self.told.take() {
            self.found.tell(told);
        }
    }
}

impl Visit for Walk<'_> {
    fn directory(&mut self, path: &Path, states: &[State]) {
        self.end();
        self.told = Some(self.wake.listen(self.index, path));
        self.directories.entry(path.to_owned()).or_default().extend(states);
    }

    fn file(&mut self, path: PathBuf) {
        self.found.files.push(path);
    }

    fn unlistable(&mut self, path: &Path, error: io::Error) {
        // Looking at it again and again would bring nothing but the cost.
        self.told = None;
        self.found.unlistable.push((path.to_owned(), error));
    }
}
