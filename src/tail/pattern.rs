//! Patterns that stay open: which files match now, and what a new name in one of their directories means.
//!
//! A glob is matched name by name, as a shell does: `*` and `?` don't match a slash, nor a dot that begins a name; `**`
//! stands for any number of directories. A tree is what lies below a directory, as far as a [`Selection`] takes it.
//!
//! Each directory on the way stands for one or more [`State`]s: how much of the pattern lies behind it. With these, a
//! single name is judged without listing anything.

use std::ffi::{OsStr, OsString};
use std::fmt;
use std::io::{self, ErrorKind};
use std::os::unix::ffi::OsStrExt;
use std::path::{Component, Path, PathBuf};

use globset::{GlobBuilder, GlobMatcher};

use super::files::{FileKind, Files, Links};
use super::guarded::Guarded;
use super::scan::read_at_least;

/// How deep `**` goes: directories below it that are nested deeper are most likely a loop of links.
const DEPTH: usize = 64;

/// Directories in which a tree has no logs: what version control, package managers and builds keep. Those whose names
/// begin with a dot are left out in any case.
const NO_LOGS: [&str; 7] = ["CVS", "__pycache__", "bower_components", "node_modules", "target", "vendor", "venv"];

/// Endings of files that are no text, most often rotated logs that were compressed.
const NO_TEXT: [&str; 9] = ["7z", "Z", "bz2", "gz", "lz4", "lzma", "xz", "zip", "zst"];

/// What may stand behind such an ending while the file is being made.
const UNFINISHED: [&str; 3] = ["tmp", "temp", "part"];

/// What compressed files begin with.
const MAGIC: [&[u8]; 9] = [
    b"\x1f\x8b",
    b"\x1f\x9d",
    b"\x28\xb5\x2f\xfd",
    b"\xfd7zXZ\0",
    b"\x5d\0\0",
    b"BZh",
    b"\x04\x22\x4d\x18",
    b"PK\x03\x04",
    b"7z\xbc\xaf\x27\x1c",
];

/// The most bytes that it takes to know one.
const MAGIC_LENGTH: usize = 6;

/// Whether a file of this name may be a compressed one, or one in the making.
fn looks_compressed(path: &Path) -> bool {
    let name = path.file_name().unwrap_or_default().as_bytes();
    let mut parts = name.rsplit(|byte| *byte == b'.');
    let is_behind = |part: &&[u8]| {
        !part.is_empty() && part.iter().all(u8::is_ascii_digit)
            || UNFINISHED.iter().any(|word| word.as_bytes() == *part)
    };
    let ending = parts.find(|part| !is_behind(part));
    // What begins with the dot has no other name.
    parts.next().is_some() && ending.is_some_and(|ending| NO_TEXT.iter().any(|other| other.as_bytes() == ending))
}

/// Whether a file is, by its name and what it begins with, a compressed one that none of these patterns asks for. One
/// that is empty may become one.
pub(crate) fn is_compressed_unasked<'p>(
    path: &Path,
    mut patterns: impl Iterator<Item = &'p Pattern>,
    files: &dyn Files,
) -> bool {
    if !looks_compressed(path) || patterns.any(|pattern| pattern.asks_for_compressed(path)) {
        return false;
    }
    let mut first = [0; MAGIC_LENGTH];
    let opened = files.open(path, Links::Follow);
    let read = opened.and_then(|file| read_at_least(&*file, &mut first, 0, MAGIC_LENGTH));
    let is_beginning =
        |magic: &[u8], length: usize| first[..length].starts_with(magic) || magic.starts_with(&first[..length]);
    read.map_or(true, |length| MAGIC.iter().any(|magic| is_beginning(magic, length)))
}

/// Whether a file that a pattern matches is a compressed one, most often a rotated log, which the pattern doesn't ask for by its ending.
///
/// # Errors
/// When the pattern can't be understood.
pub fn matches_compressed(pattern: &Path, path: &Path, files: &dyn Files) -> Result<bool, BadPattern> {
    Ok(is_compressed_unasked(path, std::iter::once(&Pattern::new(pattern)?), files))
}

/// A pattern that can't be understood.
#[derive(Debug)]
pub struct BadPattern {
    pattern: PathBuf,
    error: globset::Error,
}

impl fmt::Display for BadPattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "bad pattern '{}': {}", self.pattern.display(), self.error.kind())
    }
}

impl std::error::Error for BadPattern {}

/// Whether a name has characters that a shell takes for a pattern.
#[must_use]
pub fn looks_like_pattern(name: &Path) -> bool {
    name.as_os_str().as_bytes().iter().any(|byte| matches!(byte, b'*' | b'?' | b'[' | b'{'))
}

/// Whether a name is to be taken for a pattern: it looks like one, and nothing of that very name is there, as far as that
/// can be told.
#[must_use]
pub fn is_pattern(name: &Path) -> bool {
    looks_like_pattern(name) && Guarded::default().meta(name, Links::Refuse).is_err()
}

/// The files that match a pattern at the moment, sorted; not those of directories that don't answer.
///
/// # Errors
/// When the pattern can't be understood.
pub fn matching(pattern: &Path) -> Result<Vec<PathBuf>, BadPattern> {
    let mut found = Matching::default();
    Pattern::new(pattern)?.walk(&Guarded::default(), &mut found);
    found.0.sort_unstable();
    found.0.dedup();
    Ok(found.0)
}

/// Whether a path, be there a file or not, is one that a pattern stands for. Both are absolute.
#[must_use]
pub fn could_match(pattern: &Path, path: &Path) -> bool {
    let glob = GlobBuilder::new(&pattern.to_string_lossy()).literal_separator(true).build();
    glob.is_ok_and(|glob| glob.compile_matcher().is_match(path))
}

/// A pattern for one name.
#[derive(Clone, Debug)]
struct NameGlob {
    matcher: GlobMatcher,
    hidden: bool,
}

impl NameGlob {
    fn new(name: &OsStr) -> Result<Self, globset::Error> {
        let glob = GlobBuilder::new(&name.to_string_lossy()).literal_separator(true).build()?;
        Ok(Self { matcher: glob.compile_matcher(), hidden: name.as_bytes().starts_with(b".") })
    }

    fn matches(&self, name: &OsStr) -> bool {
        (self.hidden || !is_dotted(name)) && self.matcher.is_match(Path::new(name))
    }
}

fn is_dotted(name: &OsStr) -> bool {
    name.as_bytes().starts_with(b".")
}

/// Which files of a tree are taken.
#[derive(Clone, Debug)]
pub struct Selection {
    /// None: all but hidden and compressed ones.
    names: Vec<NameGlob>,
    left_out: Vec<NameGlob>,
    depth: usize,
}

impl Selection {
    /// Takes files whose names match one of these patterns (if there are none, all whose names don't begin with a dot nor
    /// end like compressed ones), in directories down to this depth, where 1 stands for the topmost one alone. Left out
    /// are directories of these names, those whose names begin with a dot, and those where version control, package
    /// managers and builds keep what is theirs, like `node_modules` and `target`.
    ///
    /// # Errors
    /// When a pattern can't be understood.
    pub fn new(names: &[OsString], left_out: &[OsString], depth: Option<usize>) -> Result<Self, BadPattern> {
        let glob =
            |name: &OsString| NameGlob::new(name).map_err(|error| BadPattern { pattern: PathBuf::from(name), error });
        Ok(Self {
            names: names.iter().map(glob).collect::<Result<_, _>>()?,
            left_out: left_out.iter().map(glob).collect::<Result<_, _>>()?,
            depth: depth.unwrap_or(DEPTH),
        })
    }

    fn takes_file(&self, name: &OsStr) -> bool {
        if self.names.is_empty() {
            let ending = Path::new(name).extension();
            return !is_dotted(name) && ending.is_none_or(|ending| NO_TEXT.iter().all(|other| ending != *other));
        }
        self.names.iter().any(|glob| glob.matches(name))
    }

    fn enters(&self, name: &OsStr, depth: usize) -> bool {
        depth + 1 < self.depth
            && !is_dotted(name)
            && NO_LOGS.iter().all(|other| name != *other)
            && !self.left_out.iter().any(|glob| glob.matches(name))
    }
}

/// One part of a pattern, between slashes.
#[derive(Debug)]
enum Part {
    /// Stands for itself.
    Literal(OsString),
    /// Any name that matches.
    Glob(NameGlob),
    /// Any number of directories.
    Tree,
}

#[derive(Debug)]
pub(crate) struct Pattern {
    base: PathBuf,
    parts: Vec<Part>,
    /// What is taken of directories that match.
    below: Option<Selection>,
}

/// How much of a pattern lies behind a directory.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct State {
    /// How many parts lead to it.
    part: usize,
    /// How many directories any number of which may follow each other.
    depth: usize,
}

impl State {
    fn next(self) -> Self {
        Self { part: self.part + 1, depth: 0 }
    }

    fn deeper(self) -> Self {
        Self { depth: self.depth + 1, ..self }
    }
}

/// Whoever is shown what a pattern leads to.
pub(crate) trait Visit {
    /// A directory in which a new name could make another file match; it has yet to be listed.
    fn directory(&mut self, path: &Path, states: &[State]);

    /// A name that matches, of a file that may be gone by now.
    fn file(&mut self, path: PathBuf);

    /// A directory that can't be listed although it is there.
    fn unlistable(&mut self, path: &Path, error: io::Error);
}

impl Pattern {
    /// A pattern for files.
    pub(crate) fn new(pattern: &Path) -> Result<Self, BadPattern> {
        let mut base = PathBuf::new();
        let mut parts = Vec::new();
        for component in pattern.components() {
            match component {
                Component::Normal(name) if name == OsStr::new("**") => parts.push(Part::Tree),
                Component::Normal(name) if looks_like_pattern(Path::new(name)) => {
                    let bad = |error| BadPattern { pattern: pattern.to_owned(), error };
                    parts.push(Part::Glob(NameGlob::new(name).map_err(bad)?));
                }
                other if parts.is_empty() => base.push(other),
                other => parts.push(Part::Literal(other.as_os_str().to_owned())),
            }
        }
        Ok(Self { base, parts, below: None })
    }

    /// A name that may mean a file, or a directory of which this is taken.
    pub(crate) fn below(path: &Path, selection: Selection) -> Self {
        // Names in the current directory are spoken of as they are.
        let base = if path == Path::new(".") { PathBuf::new() } else { path.to_owned() };
        Self { base, parts: Vec::new(), below: Some(selection) }
    }

    /// Has it take this of the directories that match.
    pub(crate) fn with_below(self, selection: Selection) -> Self {
        Self { below: Some(selection), ..self }
    }

    /// Where it begins.
    pub(crate) fn base(&self) -> &Path {
        if self.base.as_os_str().is_empty() { Path::new(".") } else { &self.base }
    }

    /// The same, as the paths begin that it leads to.
    pub(crate) fn root(&self) -> &Path {
        &self.base
    }

    /// Whether it is about what lies below its base, rather than about names that match.
    pub(crate) fn is_tree(&self) -> bool {
        self.parts.is_empty()
    }

    /// Goes everywhere it leads to. What can't be listed matches nothing.
    pub(crate) fn walk(&self, files: &dyn Files, visit: &mut dyn Visit) {
        self.enter(files, &self.base, State { part: 0, depth: 0 }, visit);
    }

    /// Goes on behind one name in a directory of this state.
    pub(crate) fn step(
        &self,
        files: &dyn Files,
        directory: &Path,
        name: &OsStr,
        state: State,
        visit: &mut dyn Visit,
    ) {
        let path = directory.join(name);
        match (self.parts.get(state.part), &self.below) {
            (Some(Part::Literal(own)), _) if own == name && files.meta(&path, Links::Follow).is_ok() => {
                self.enter(files, &path, state.next(), visit);
            }
            (Some(Part::Glob(glob)), _) if glob.matches(name) => self.enter(files, &path, state.next(), visit),
            // Links are not followed here: they could lead back up.
            (Some(Part::Tree), _)
                if !is_dotted(name) && state.depth < DEPTH && kind(files, &path, Links::Refuse) == DIRECTORY =>
            {
                self.enter(files, &path, state.deeper(), visit);
            }
            (None, Some(selection)) => match kind(files, &path, Links::Refuse) {
                DIRECTORY if selection.enters(name, state.depth) => self.enter(files, &path, state.deeper(), visit),
                Some(FileKind::Regular) if selection.takes_file(name) => visit.file(path),
                Some(FileKind::Symlink)
                    if selection.takes_file(name) && kind(files, &path, Links::Follow) == Some(FileKind::Regular) =>
                {
                    visit.file(path);
                }
                _ => {}
            },
            _ => {}
        }
    }

    /// Whether it leads to a file of this path, if there is one.
    pub(crate) fn takes(&self, path: &Path) -> bool {
        let Ok(behind) = path.strip_prefix(&self.base) else { return false };
        let names: Vec<_> = behind.components().map(Component::as_os_str).collect();
        self.takes_names(&names, State { part: 0, depth: 0 })
    }

    /// Whether it leads to a file of this path, which looks compressed, for that very ending: such files are asked for.
    fn asks_for_compressed(&self, path: &Path) -> bool {
        // Nobody's pattern is about this ending.
        self.takes(path) && !self.takes(&path.with_extension("other-than-compressed"))
    }

    fn takes_names(&self, names: &[&OsStr], state: State) -> bool {
        let Some((name, behind)) = names.split_first() else { return state.part == self.parts.len() };
        match (self.parts.get(state.part), &self.below) {
            (Some(Part::Literal(own)), _) => own == name && self.takes_names(behind, state.next()),
            (Some(Part::Glob(glob)), _) => glob.matches(name) && self.takes_names(behind, state.next()),
            (Some(Part::Tree), _) => {
                let deeper = || !is_dotted(name) && state.depth < DEPTH && self.takes_names(behind, state.deeper());
                self.takes_names(names, state.next()) || deeper()
            }
            (None, Some(selection)) if behind.is_empty() => selection.takes_file(name),
            (None, Some(selection)) => {
                selection.enters(name, state.depth) && self.takes_names(behind, state.deeper())
            }
            (None, None) => false,
        }
    }

    fn enter(&self, files: &dyn Files, here: &Path, state: State, visit: &mut dyn Visit) {
        let directory = if here.as_os_str().is_empty() { Path::new(".") } else { here };
        let is_end = state.part == self.parts.len();
        if is_end && self.below.is_none() {
            return visit.file(here.to_owned());
        }
        match files.meta(directory, Links::Follow) {
            Ok(meta) if meta.kind == FileKind::Directory => {}
            Err(error) if error.kind() == ErrorKind::NotFound => return,
            // It says itself what is wrong with it.
            _ if is_end => return visit.file(here.to_owned()),
            _ => return,
        }
        let states = self.reached(state);
        visit.directory(here, &states);
        let literal = |state: &State| match self.parts.get(state.part) {
            Some(Part::Literal(name)) => Some(name.clone()),
            _ => None,
        };
        let names = match states.iter().map(literal).collect::<Option<Vec<_>>>() {
            Some(names) => Ok(names),
            None => files.list(directory),
        };
        match names {
            Ok(names) => {
                for (name, state) in names.iter().flat_map(|name| states.iter().map(move |state| (name, *state))) {
                    self.step(files, here, name, state, visit);
                }
            }
            Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => {}
            Err(error) => visit.unlistable(directory, error),
        }
    }

    /// All states of a directory that is in this one: of any number of directories, none is one.
    fn reached(&self, state: State) -> Vec<State> {
        let mut states = vec![state];
        let mut last = state;
        while let Some(Part::Tree) = self.parts.get(last.part) {
            last = last.next();
            states.push(last);
        }
        states
    }
}

const DIRECTORY: Option<FileKind> = Some(FileKind::Directory);

fn kind(files: &dyn Files, path: &Path, links: Links) -> Option<FileKind> {
    files.meta(path, links).ok().map(|meta| meta.kind)
}

/// The files that match at the moment.
#[derive(Debug, Default)]
struct Matching(Vec<PathBuf>);

impl Visit for Matching {
    fn directory(&mut self, _: &Path, _: &[State]) {}

    fn file(&mut self, path: PathBuf) {
        self.0.push(path);
    }

    fn unlistable(&mut self, _: &Path, _: io::Error) {}
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tail::files::Disk;

    #[test]
    fn names_match_as_in_a_shell() {
        let temp = tempfile::tempdir().unwrap();
        let root = temp.path();
        for name in ["a.log", "b.log", ".hidden.log", "c.txt", "one/x.log", "one/two/y.log", "one/.git/z.log"] {
            let path = root.join(name);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, "").unwrap();
        }
        let rows: [(&str, &[&str]); 8] = [
            ("*.log", &["a.log", "b.log"]),
            ("[ab].l?g", &["a.log", "b.log"]),
            (".*.log", &[".hidden.log"]),
            ("*/x.log", &["one/x.log"]),
            ("**/*.log", &["a.log", "b.log", "one/two/y.log", "one/x.log"]),
            ("one/**/y.log", &["one/two/y.log"]),
            ("{a,c}.*", &["a.log", "c.txt"]),
            ("none/*.log", &[]),
        ];
        for (pattern, expected) in rows {
            let found = matching(&root.join(pattern)).unwrap();
            let shown: Vec<_> = found.iter().map(|path| path.strip_prefix(root).unwrap()).collect();
            assert_eq!(shown, expected.iter().map(Path::new).collect::<Vec<_>>(), "{pattern}");
            let pattern = Pattern::new(&root.join(pattern)).unwrap();
            for name in ["a.log", "b.log", ".hidden.log", "c.txt", "one/x.log", "one/two/y.log", "one/.git/z.log"] {
                assert_eq!(pattern.takes(&root.join(name)), expected.contains(&name), "{pattern:?}: {name}");
            }
        }
    }

    /// What a walk comes by, below `root`.
    #[derive(Debug, Default)]
    struct Walk {
        directories: Vec<(PathBuf, Vec<State>)>,
        files: Vec<PathBuf>,
    }

    impl Visit for Walk {
        fn directory(&mut self, path: &Path, states: &[State]) {
            self.directories.push((path.to_owned(), states.to_vec()));
        }

        fn file(&mut self, path: PathBuf) {
            self.files.push(path);
        }

        fn unlistable(&mut self, path: &Path, error: io::Error) {
            panic!("{}: {error}", path.display());
        }
    }

    impl Walk {
        fn of(pattern: &Pattern) -> Self {
            let mut walk = Self::default();
            pattern.walk(&Disk, &mut walk);
            walk.directories.sort();
            walk.files.sort();
            walk
        }

        fn names(paths: impl Iterator<Item = PathBuf>, root: &Path) -> Vec<String> {
            paths.map(|path| path.strip_prefix(root).unwrap().display().to_string()).collect()
        }
    }

    fn make(root: &Path, names: &[&str]) {
        for name in names {
            let path = root.join(name);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, "").unwrap();
        }
    }

    #[test]
    fn every_directory_that_can_bring_a_match_is_told() {
        let temp = tempfile::tempdir().unwrap();
        let root = temp.path();
        std::fs::create_dir_all(root.join("one/two")).unwrap();
        let told = |pattern: &str| {
            let walk = Walk::of(&Pattern::new(&root.join(pattern)).unwrap());
            Walk::names(walk.directories.into_iter().map(|(path, _)| path), root)
        };
        assert_eq!(told("*.log"), [""]);
        assert_eq!(told("*/*.log"), ["", "one"]);
        assert_eq!(told("**/*.log"), ["", "one", "one/two"]);
        assert_eq!(told("*/two/*.log"), ["", "one", "one/two"]);
        assert!(told("missing/deep/*.log").is_empty(), "what its base means is looked after elsewhere");
    }

    #[test]
    fn a_tree_is_taken_as_far_as_it_is_selected() {
        let temp = tempfile::tempdir().unwrap();
        let root = temp.path().join("root");
        make(&root, &["a.log", "b.txt", "c.log.1", "d.log.gz", ".e.log", "one/f.log", "one/two/g.log", ".git/h.log"]);
        make(&root, &["node_modules/i.log", "old/j.log", "target/debug/k.log"]);
        std::os::unix::fs::symlink("..", root.join("one/loop")).unwrap();
        std::os::unix::fs::symlink("../b.txt", root.join("one/link.log")).unwrap();
        rustix::fs::mknodat(
            rustix::fs::CWD,
            root.join("fifo.log"),
            rustix::fs::FileType::Fifo,
            rustix::fs::Mode::from_raw_mode(0o644),
            0,
        )
        .unwrap();
        let taken = |names: &[&str], left_out: &[&str], depth| {
            let own = |names: &[&str]| names.iter().map(OsString::from).collect::<Vec<_>>();
            let selection = Selection::new(&own(names), &own(left_out), depth).unwrap();
            Walk::names(Walk::of(&Pattern::below(&root, selection)).files.into_iter(), &root)
        };
        let all = ["a.log", "b.txt", "c.log.1", "old/j.log", "one/f.log", "one/link.log", "one/two/g.log"];
        assert_eq!(taken(&[], &[], None), all);
        assert_eq!(taken(&["*.log", "*.gz"], &["o?d"], None)[..3], ["a.log", "d.log.gz", "one/f.log"]);
        assert_eq!(taken(&["*.log"], &[], Some(2)), ["a.log", "old/j.log", "one/f.log", "one/link.log"]);
        assert_eq!(taken(&["*.log"], &[], Some(1)), ["a.log"]);
        assert_eq!(taken(&[".*"], &[], None), [".e.log"]);
    }

    #[test]
    fn a_tree_that_is_a_file_is_taken_as_it_is() {
        let temp = tempfile::tempdir().unwrap();
        make(temp.path(), &["old.gz"]);
        let selection = Selection::new(&["*.log".into()], &[], None).unwrap();
        let path = temp.path().join("old.gz");
        assert_eq!(Walk::of(&Pattern::below(&path, selection.clone())).files, [path]);
        assert!(Walk::of(&Pattern::below(&temp.path().join("none"), selection)).files.is_empty());
    }

    #[test]
    fn a_name_is_judged_alone_as_in_a_walk() {
        let temp = tempfile::tempdir().unwrap();
        let root = temp.path();
        make(root, &["a.log", "one/b.log", "one/two/c.log", "one/two/three/d.log", ".git/e.log", "f.txt"]);
        for pattern in ["*.log", "*/*.log", "**/*.log", "one/**/two/*.log", "*/two/*", "**/two/**/*.log"] {
            let pattern = Pattern::new(&root.join(pattern)).unwrap();
            let whole = Walk::of(&pattern);
            let mut single = Walk::default();
            for (directory, states) in &whole.directories {
                let names = std::fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().file_name());
                for name in names.collect::<Vec<_>>() {
                    for state in states {
                        pattern.step(&Disk, directory, &name, *state, &mut single);
                    }
                }
            }
            single.files.sort();
            single.files.dedup();
            let mut expected = whole.files.clone();
            expected.dedup();
            assert_eq!(single.files, expected, "{pattern:?}");
        }
    }

    #[test]
    fn a_bad_pattern_says_which() {
        let error = Pattern::new(Path::new("logs/[a")).unwrap_err();
        assert!(error.to_string().contains("logs/[a"), "{error}");
    }
}
