//! Glob patterns that stay open: which files match now, and which directories tell of later ones.
//!
//! A pattern is matched name by name, as a shell does: `*` and `?` don't match a slash, nor a dot that begins a
//! name; `**` stands for any number of directories.

use std::ffi::{OsStr, OsString};
use std::fmt;
use std::io::{self, ErrorKind};
use std::os::unix::ffi::OsStrExt;
use std::path::{Component, Path, PathBuf};

use globset::{GlobBuilder, GlobMatcher};

use super::files::{Disk, FileKind, Files, Links};

/// How deep `**` goes: directories below it that are nested deeper are most likely a loop of links.
const DEPTH: usize = 64;

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

/// The files that match a pattern at the moment, sorted.
///
/// # Errors
/// When the pattern can't be understood.
pub fn matching(pattern: &Path) -> Result<Vec<PathBuf>, BadPattern> {
    Ok(Pattern::new(pattern)?.expand(&Disk).files)
}

/// Whether a path, be there a file or not, is one that a pattern stands for. Both are absolute.
#[must_use]
pub fn could_match(pattern: &Path, path: &Path) -> bool {
    let glob = GlobBuilder::new(&pattern.to_string_lossy()).literal_separator(true).build();
    glob.is_ok_and(|glob| glob.compile_matcher().is_match(path))
}

/// One part of a pattern, between slashes.
#[derive(Debug)]
enum Part {
    /// Stands for itself.
    Literal(OsString),
    /// Any name that matches.
    Glob { matcher: GlobMatcher, hidden: bool },
    /// Any number of directories.
    Tree,
}

#[derive(Debug)]
pub(crate) struct Pattern {
    base: PathBuf,
    parts: Vec<Part>,
}

/// What a pattern matches at the moment.
#[derive(Debug, Default)]
pub(crate) struct Expansion {
    /// The files, sorted.
    pub(crate) files: Vec<PathBuf>,
    /// The directories in which a new name could make another one match.
    pub(crate) directories: Vec<PathBuf>,
    /// Directories that can't be listed although they are there.
    pub(crate) unlistable: Vec<(PathBuf, io::Error)>,
}

impl Pattern {
    pub(crate) fn new(pattern: &Path) -> Result<Self, BadPattern> {
        let mut base = PathBuf::new();
        let mut parts = Vec::new();
        for component in pattern.components() {
            match component {
                Component::Normal(name) if name == OsStr::new("**") => parts.push(Part::Tree),
                Component::Normal(name) if looks_like_pattern(Path::new(name)) => {
                    let bad = |error| BadPattern { pattern: pattern.to_owned(), error };
                    let glob = GlobBuilder::new(&name.to_string_lossy()).literal_separator(true).build();
                    let hidden = name.as_bytes().starts_with(b".");
                    parts.push(Part::Glob { matcher: glob.map_err(bad)?.compile_matcher(), hidden });
                }
                other if parts.is_empty() => base.push(other),
                other => parts.push(Part::Literal(other.as_os_str().to_owned())),
            }
        }
        Ok(Self { base, parts })
    }

    /// The directory that it begins in.
    pub(crate) fn base(&self) -> &Path {
        if self.base.as_os_str().is_empty() { Path::new(".") } else { &self.base }
    }

    /// Lists what matches now. What can't be listed matches nothing.
    pub(crate) fn expand(&self, files: &dyn Files) -> Expansion {
        let mut expansion = Expansion::default();
        descend(files, &self.base, &self.parts, DEPTH, &mut expansion);
        expansion.files.sort_unstable();
        expansion.files.dedup();
        expansion.directories.sort_unstable();
        expansion.directories.dedup();
        expansion
    }
}

fn descend(files: &dyn Files, here: &Path, parts: &[Part], depth: usize, found: &mut Expansion) {
    let Some((part, rest)) = parts.split_first() else {
        found.files.push(here.to_owned());
        return;
    };
    let directory = if here.as_os_str().is_empty() { Path::new(".") } else { here };
    if let Part::Literal(name) = part {
        let path = here.join(name);
        found.directories.push(directory.to_owned());
        if files.meta(&path, Links::Follow).is_ok() {
            descend(files, &path, rest, depth, found);
        }
        return;
    }
    found.directories.push(nearest_existing(files, directory));
    if matches!(part, Part::Tree) {
        descend(files, here, rest, depth, found);
    }
    let names = files.list(directory).unwrap_or_else(|error| {
        if !matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) {
            found.unlistable.push((directory.to_owned(), error));
        }
        Vec::new()
    });
    for name in names {
        let path = here.join(&name);
        let dotted = name.as_bytes().starts_with(b".");
        match part {
            Part::Glob { matcher, hidden }
                if (*hidden || !dotted)
                    && matcher.is_match(Path::new(&name))
                    && (rest.is_empty() || is_directory(files, &path, Links::Follow)) =>
            {
                descend(files, &path, rest, depth, found);
            }
            // Links are not followed here: they could lead back up.
            Part::Tree if !dotted && depth > 0 && is_directory(files, &path, Links::Refuse) => {
                descend(files, &path, parts, depth - 1, found);
            }
            _ => {}
        }
    }
}

/// The directory itself or, while it is missing, the one in which it, or its parents, will be made.
fn nearest_existing(files: &dyn Files, directory: &Path) -> PathBuf {
    let mut here = directory;
    while !is_directory(files, here, Links::Follow) {
        match here.parent() {
            Some(parent) if !parent.as_os_str().is_empty() => here = parent,
            _ => return PathBuf::from("."),
        }
    }
    here.to_owned()
}

fn is_directory(files: &dyn Files, path: &Path, links: Links) -> bool {
    files.meta(path, links).is_ok_and(|meta| meta.kind == FileKind::Directory)
}

#[cfg(test)]
mod tests {
    use super::*;

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
            let found = Pattern::new(&root.join(pattern)).unwrap().expand(&Disk);
            let shown: Vec<_> = found.files.iter().map(|path| path.strip_prefix(root).unwrap()).collect();
            assert_eq!(shown, expected.iter().map(Path::new).collect::<Vec<_>>(), "{pattern}");
        }
    }

    #[test]
    fn every_directory_that_can_bring_a_match_is_told() {
        let temp = tempfile::tempdir().unwrap();
        let root = temp.path();
        std::fs::create_dir_all(root.join("one/two")).unwrap();
        let told = |pattern: &str| {
            let found = Pattern::new(&root.join(pattern)).unwrap().expand(&Disk);
            let shown = found.directories.iter().map(|path| path.strip_prefix(root).unwrap().to_owned());
            shown.map(|path| path.display().to_string()).collect::<Vec<_>>()
        };
        assert_eq!(told("*.log"), [""]);
        assert_eq!(told("*/*.log"), ["", "one"]);
        assert_eq!(told("**/*.log"), ["", "one", "one/two"]);
        assert_eq!(told("missing/deep/*.log"), [""]);
    }

    #[test]
    fn a_bad_pattern_says_which() {
        let error = Pattern::new(Path::new("logs/[a")).unwrap_err();
        assert!(error.to_string().contains("logs/[a"), "{error}");
    }
}
