//! The way from a path to its file: each directory in which a name decides where the path leads.

use std::collections::VecDeque;
use std::ffi::{OsStr, OsString};
use std::io;
use std::path::{Component, Path, PathBuf};

/// As many links as the kernel follows.
const LINKS: usize = 40;

/// One name on the way.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Stop {
    /// The directory, without links.
    pub(crate) directory: PathBuf,
    /// The name in it.
    pub(crate) name: OsString,
    /// Whether the way leads on behind it, or ends here for want of anything: another thing of that name leads
    /// elsewhere.
    pub(crate) reroute: bool,
}

/// Finds the names on which it depends what `path` means: each symbolic link on the way, the first name that is
/// missing, and the last one; and the name of the directory that this one is in. (A removed directory says nothing
/// of its end while a removed file of it is held open.)
///
/// # Errors
/// When the current directory is not known.
pub(crate) fn route(path: &Path) -> io::Result<Vec<Stop>> {
    let mut here = PathBuf::from("/");
    let mut left: VecDeque<OsString> = VecDeque::new();
    if path.is_relative() {
        // The system's answer has no links in it.
        here = std::env::current_dir()?;
    }
    push_front(&mut left, path);
    let mut stops = Vec::new();
    let mut links = 0;
    while let Some(name) = left.pop_front() {
        if name == OsStr::new("/") {
            here = PathBuf::from("/");
            continue;
        }
        if name == OsStr::new("..") {
            here.pop();
            continue;
        }
        let next = here.join(&name);
        let last = left.is_empty();
        match std::fs::symlink_metadata(&next) {
            Ok(meta) if meta.is_symlink() && links < LINKS => {
                links += 1;
                let target = std::fs::read_link(&next)?;
                stops.push(Stop { directory: here.clone(), name, reroute: true });
                push_front(&mut left, &target);
            }
            Ok(meta) if meta.is_dir() && !last => here = next,
            // What is missing may come to be a directory or a link.
            found => {
                stops.extend(entry_of(&here));
                stops.push(Stop { directory: here, name, reroute: !last || found.is_err() });
                return Ok(stops);
            }
        }
    }
    Ok(stops)
}

/// The name of a directory, in its parent; the root has none.
fn entry_of(directory: &Path) -> Option<Stop> {
    let (parent, name) = (directory.parent()?, directory.file_name()?);
    Some(Stop { directory: parent.to_owned(), name: name.to_owned(), reroute: true })
}

fn push_front(left: &mut VecDeque<OsString>, path: &Path) {
    for component in path.components().rev() {
        match component {
            Component::CurDir | Component::Prefix(_) => {}
            Component::RootDir => left.push_front(OsString::from("/")),
            Component::ParentDir => left.push_front(OsString::from("..")),
            Component::Normal(name) => left.push_front(name.to_owned()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::symlink;

    fn names(root: &Path, path: &str) -> Vec<(String, bool)> {
        let stops = route(&root.join(path)).unwrap();
        let show = |stop: &Stop| {
            let full = stop.directory.join(&stop.name);
            let shown = full.strip_prefix(root).unwrap_or(&full).display().to_string();
            (shown, stop.reroute)
        };
        stops.iter().map(show).collect()
    }

    #[test]
    fn links_missing_names_and_the_last_name_decide() {
        let temp = tempfile::tempdir().unwrap();
        let root = temp.path().canonicalize().unwrap();
        std::fs::create_dir_all(root.join("real/sub")).unwrap();
        std::fs::write(root.join("real/sub/a.log"), "").unwrap();
        symlink("real", root.join("dir")).unwrap();
        symlink("dir/sub/a.log", root.join("link")).unwrap();
        symlink("nowhere/x", root.join("dangling")).unwrap();
        let rows: [(&str, &[(&str, bool)]); 6] = [
            ("real/sub/a.log", &[("real/sub", true), ("real/sub/a.log", false)]),
            ("real/sub/../sub/./a.log", &[("real/sub", true), ("real/sub/a.log", false)]),
            ("dir/sub/a.log", &[("dir", true), ("real/sub", true), ("real/sub/a.log", false)]),
            ("link", &[("link", true), ("dir", true), ("real/sub", true), ("real/sub/a.log", false)]),
            ("dangling", &[("dangling", true), ("", true), ("nowhere", true)]),
            ("real/none/deep/a.log", &[("real", true), ("real/none", true)]),
        ];
        for (path, expected) in rows {
            let expected: Vec<_> = expected.iter().map(|(name, reroute)| ((*name).to_owned(), *reroute)).collect();
            assert_eq!(names(&root, path), expected, "{path}");
        }
    }

    #[test]
    fn a_loop_of_links_ends() {
        let temp = tempfile::tempdir().unwrap();
        symlink("b", temp.path().join("a")).unwrap();
        symlink("a", temp.path().join("b")).unwrap();
        assert!(!route(&temp.path().join("a")).unwrap().is_empty());
    }
}
