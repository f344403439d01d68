//! The files beside a name, as of one moment.

use std::collections::{HashMap, HashSet};
use std::ffi::OsStr;
use std::io::{self, ErrorKind};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use super::names::{bases, numbers, rotated, stem};
use super::{Form, Sibling, TICK};
use crate::tail::failures::{Failures, is_silence};
use crate::tail::files::{Entry, FileId, FileKind, Files, Links, Meta};

/// How often a directory is listed anew in which files are renamed.
const ATTEMPTS: usize = 32;

/// Lists the regular files beside `path` whose names a rotation of it may have given, in no order, all as of one moment;
/// `None` if they are renamed too fast for that.
///
/// # Errors
/// A directory that can't be listed, or a file in it that can't be looked at for the time being.
pub(crate) fn siblings(files: &dyn Files, path: &Path, failures: &Failures) -> io::Result<Option<Vec<Sibling>>> {
    let base = path.file_name().unwrap_or_default().as_bytes();
    let beginning = OsStr::from_bytes(stem(base).unwrap_or(base));
    let is_generation = |entry: &Entry| rotated(base, entry.name.as_bytes()).is_some();
    // Files that are renamed between the listing and the question what they are: known by their numbers.
    let mut metas: HashMap<u64, Option<Meta>> = HashMap::new();
    let mut before = Vec::new();
    for _ in 0..ATTEMPTS {
        let mut entries = match files.entries_beginning(directory(path), beginning) {
            // That tells nothing of a directory that is there.
            Err(error) if error.kind() == ErrorKind::NotFound && may_be_there(files, directory(path)) => {
                return Ok(None);
            }
            result => result?,
        };
        entries.retain(is_generation);
        // Where nothing moves and names mean others than was listed, the file system numbers them otherwise.
        let settled = entries == before;
        let mut complete = true;
        for Entry { name, inode } in &entries {
            if metas.contains_key(inode) {
                continue;
            }
            let meta = match files.meta(&path.with_file_name(name), Links::Refuse) {
                Ok(meta) if meta.id.inode == *inode || settled => Some(meta),
                Err(error) if failures.wait_for(&error) => return Err(error),
                Err(error) if error.kind() != ErrorKind::NotFound || settled => None,
                Ok(_) | Err(_) => {
                    complete = false;
                    continue;
                }
            };
            metas.insert(*inode, meta);
        }
        if complete {
            let sibling = |Entry { name, inode }: Entry| {
                let (mark, place, form) = rotated(base, name.as_bytes())?;
                let meta = metas.get(&inode)?.filter(|meta| meta.kind == FileKind::Regular)?;
                let (numbers, path) = (numbers(mark), path.with_file_name(&name));
                Some(Sibling { path, id: meta.id, size: meta.size, modified: meta.modified, numbers, place, form })
            };
            return Ok(Some(without_doubles(entries.into_iter().filter_map(sibling).collect())));
        }
        before = entries;
    }
    Ok(None)
}

/// Takes out what is being compressed: until that is done, both are there.
pub(super) fn without_doubles(mut siblings: Vec<Sibling>) -> Vec<Sibling> {
    let plain = siblings.iter().filter(|sibling| sibling.form == Form::Plain);
    let plain: HashSet<_> = plain.map(|sibling| sibling.path.clone()).collect();
    siblings.retain(|sibling| sibling.form == Form::Plain || !plain.contains(&sibling.path.with_extension("")));
    siblings
}

/// Whether a file may have come to stand beside `path` since a look. Tells it without listing, which is dear where there
/// are many files.
pub(crate) fn may_have_come(files: &dyn Files, path: &Path, looked: SystemTime) -> bool {
    let changed = files.meta(directory(path), Links::Follow).map(|meta| meta.modified);
    changed.ok().is_none_or(|changed| looked.checked_sub(TICK).is_none_or(|since| changed >= since))
}

/// What came of looking for a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Find {
    /// It stands here.
    At(PathBuf),
    /// The directory has changed of late: the file may have been renamed to where it was looked for already.
    Unsure,
    /// It is not in the directory.
    Gone,
}

/// Finds a file beside `path` by its identity, whatever its name is.
///
/// # Errors
/// A directory that can't be listed, or a file in it of which it can't be told which one it is for want of an answer.
pub(crate) fn find(files: &dyn Files, path: &Path, file: FileId) -> io::Result<Find> {
    let changed = || files.meta(directory(path), Links::Follow).map(|meta| meta.modified);
    let before = changed()?;
    for path in files.list(directory(path))?.into_iter().map(|name| path.with_file_name(name)) {
        match files.meta(&path, Links::Refuse) {
            Ok(meta) if meta.id == file => return Ok(Find::At(path)),
            Err(error) if is_silence(&error) => return Err(error),
            Ok(_) | Err(_) => {}
        }
    }
    let quiet = files.now().checked_sub(TICK).is_some_and(|since| before < since);
    Ok(if quiet && changed()? == before { Find::Gone } else { Find::Unsure })
}

/// Those of these names that a rotation may have given some file beside them another one for. Lists each directory once.
pub(crate) fn rotated_away<'p>(files: &dyn Files, paths: impl Iterator<Item = &'p Path>) -> HashSet<PathBuf> {
    let mut sought: HashMap<&Path, HashMap<&[u8], &Path>> = HashMap::new();
    for path in paths {
        let name = path.file_name().unwrap_or_default().as_bytes();
        sought.entry(directory(path)).or_default().insert(name, path);
    }
    let mut rotated = HashSet::new();
    for (directory, sought) in sought {
        let names = match files.list(directory) {
            Ok(names) => names,
            Err(error) if is_silence(&error) => {
                rotated.extend(sought.into_values().map(Path::to_owned));
                continue;
            }
            // Who may not list a directory won't find anything in it.
            Err(_) => continue,
        };
        for name in names {
            let bases = bases(name.as_bytes());
            rotated.extend(bases.iter().filter_map(|base| Some(sought.get(base.as_slice())?.to_path_buf())));
        }
    }
    rotated
}

fn may_be_there(files: &dyn Files, path: &Path) -> bool {
    files.meta(path, Links::Follow).map_or_else(|error| is_silence(&error), |_| true)
}

/// Where a name stands.
pub(crate) fn directory(path: &Path) -> &Path {
    match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    }
}
