//! The way from a path to its file: each directory in which a name decides where the path leads.

use std::collections::{HashSet, VecDeque};
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
    pub(crate) weight: Weight,
}

/// How much depends on a name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Weight {
    /// It changes as logs are rotated: the file itself, a link, or what is missing.
    Essential,
    /// A directory on the way. It may be renamed, or removed, which it doesn't tell itself while a removed file of it
    /// is held open.
    Ancestor,
}

/// Finds the names on which it depends what `path` means: each symbolic link on the way, the first name that is
/// missing, and the last one; then the directories that these are in, and theirs.
///
/// # Errors
/// When the current directory is not known.
pub(crate) fn route(path: &Path) -> io::Result<Vec<Stop>> {
    let mut stops = essential_stops(path)?;
    let mut seen = HashSet::new();
    let directories: Vec<_> = stops.iter().map(|stop| stop.directory.clone()).collect();
    for mut directory in directories {
        while seen.insert(directory.clone()) {
            let Some(entry) = entry_of(&directory) else { break };
            directory.clone_from(&entry.directory);
            stops.push(entry);
        }
    }
    Ok(stops)
}

fn essential_stops(path: &Path) -> io::Result<Vec<Stop>> {
    let stop = |directory: &Path, name, reroute| Stop {
        directory: directory.to_owned(),
        name,
        reroute,
        weight: Weight::Essential,
    };
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
                stops.push(stop(&here, name, true));
                push_front(&mut left, &target);
            }
            Ok(meta) if meta.is_dir() && !last => here = next,
            // What is missing may come to be a directory or a link.
            found => {
                stops.push(stop(&here, name, !last || found.is_err()));
                return Ok(stops);
            }
        }
    }
    Ok(stops)
}

/// The name of a directory, in its parent; the root has none.
fn entry_of(directory: &Path) -> Option<Stop> {
    let (parent, name) = (directory.parent()?.to_owned(), directory.file_name()?.to_owned());
    Some(Stop { directory: parent, name, reroute: true, weight: Weight::Ancestor })
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

    fn names(root: &Path, path: &str, weight: Weight) -> Vec<String> {
        let stops = route(&root.join(path)).unwrap().into_iter().filter(|stop| stop.weight == weight);
        let full = stops.map(|stop| (stop.directory.join(&stop.name), stop.reroute));
        let below = full.filter_map(|(full, reroute)| Some((full.strip_prefix(root).ok()?.to_owned(), reroute)));
        below.map(|(path, reroute)| format!("{}{}", path.display(), if reroute { " and on" } else { "" })).collect()
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
        let rows: [(&str, &[&str]); 6] = [
            ("real/sub/a.log", &["real/sub/a.log"]),
            ("real/sub/../sub/./a.log", &["real/sub/a.log"]),
            ("dir/sub/a.log", &["dir and on", "real/sub/a.log"]),
            ("link", &["link and on", "dir and on", "real/sub/a.log"]),
            ("dangling", &["dangling and on", "nowhere and on"]),
            ("real/none/deep/a.log", &["real/none and on"]),
        ];
        for (path, expected) in rows {
            assert_eq!(names(&root, path, Weight::Essential), expected, "{path}");
        }
    }

    #[test]
    fn every_directory_above_counts_once() {
        let temp = tempfile::tempdir().unwrap();
        let root = temp.path().canonicalize().unwrap();
        std::fs::create_dir_all(root.join("real/sub")).unwrap();
        symlink("real", root.join("dir")).unwrap();
        let ancestors = names(&root, "dir/sub/a.log", Weight::Ancestor);
        assert_eq!(ancestors, [" and on", "real/sub and on", "real and on"]);
    }

    #[test]
    fn a_loop_of_links_ends() {
        let temp = tempfile::tempdir().unwrap();
        symlink("b", temp.path().join("a")).unwrap();
        symlink("a", temp.path().join("b")).unwrap();
        assert!(!route(&temp.path().join("a")).unwrap().is_empty());
    }
}
