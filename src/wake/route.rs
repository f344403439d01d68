//! The way to a directory: each name that decides where its path leads.

use std::collections::VecDeque;
use std::ffi::{OsStr, OsString};
use std::io;
use std::path::{Component, Path, PathBuf};

/// As many links as the kernel follows.
pub(super) const LINKS: usize = 40;

/// Where a path leads, and by which names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Route {
    /// The symbolic links on the way, and the first name that is missing, or is none that could lead on.
    pub(super) turns: Vec<Turn>,
    /// The directory that it leads to, without links; `None` if it leads to none.
    pub(super) end: Option<PathBuf>,
    /// Where it was not gone on with, since that may keep us waiting.
    pub(super) barrier: Option<PathBuf>,
}

/// A name that decides where a path leads on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Turn {
    /// The directory that it is in, without links.
    pub(super) directory: PathBuf,
    pub(super) name: OsString,
}

/// Finds the names on which it depends which directory `path` means; the empty path means the current one. What is at a
/// barrier or behind it is not looked at.
///
/// # Errors
/// When the current directory is not known, or a link can't be read.
pub(super) fn route(path: &Path, is_barrier: impl Fn(&Path) -> bool) -> io::Result<Route> {
    // The system's answer has no links in it.
    let mut here = if path.is_relative() { std::env::current_dir()? } else { PathBuf::from("/") };
    let mut left: VecDeque<OsString> = VecDeque::new();
    push_front(&mut left, path);
    let mut turns = Vec::new();
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
        if is_barrier(&next) {
            return Ok(Route { turns, end: None, barrier: Some(next) });
        }
        match std::fs::symlink_metadata(&next) {
            Ok(meta) if meta.is_symlink() && links < LINKS => {
                links += 1;
                let target = std::fs::read_link(&next)?;
                turns.push(Turn { directory: here.clone(), name });
                push_front(&mut left, &target);
            }
            Ok(meta) if meta.is_dir() => here = next,
            // What is missing may come to be a directory or a link.
            _ => {
                turns.push(Turn { directory: here, name });
                return Ok(Route { turns, end: None, barrier: None });
            }
        }
    }
    Ok(Route { turns, end: Some(here), barrier: None })
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

    #[test]
    fn links_and_missing_names_decide_where_a_path_leads() {
        let temp = tempfile::tempdir().unwrap();
        let root = temp.path().canonicalize().unwrap();
        std::fs::create_dir_all(root.join("real/sub")).unwrap();
        std::fs::write(root.join("real/file"), "").unwrap();
        symlink("real", root.join("dir")).unwrap();
        symlink("dir/sub", root.join("link")).unwrap();
        symlink("nowhere/x", root.join("dangling")).unwrap();
        let rows: [(&str, &[&str], Option<&str>); 7] = [
            ("real/sub", &[], Some("real/sub")),
            ("real/sub/../sub/.", &[], Some("real/sub")),
            ("dir/sub", &["dir"], Some("real/sub")),
            ("link", &["link", "dir"], Some("real/sub")),
            ("dangling", &["dangling", "nowhere"], None),
            ("real/none/deep", &["real/none"], None),
            ("real/file/deep", &["real/file"], None),
        ];
        for (path, expected, end) in rows {
            let found = route(&root.join(path), |_| false).unwrap();
            let turns: Vec<_> = found.turns.iter().map(|turn| turn.directory.join(&turn.name)).collect();
            let expected: Vec<_> = expected.iter().map(|name| root.join(name)).collect();
            // The directory of temporary files may itself be behind links.
            assert_eq!(turns[turns.len() - expected.len()..], expected, "{path}");
            assert_eq!(found.end, end.map(|end| root.join(end)), "{path}");
        }
    }

    #[test]
    fn nothing_is_looked_at_behind_a_barrier() {
        let temp = tempfile::tempdir().unwrap();
        let root = temp.path().canonicalize().unwrap();
        symlink("remote/sub", root.join("link")).unwrap();
        let remote = root.join("remote");
        for path in ["remote", "remote/sub/deep", "link/deep"] {
            let found = route(&root.join(path), |next| next == remote).unwrap();
            assert_eq!((found.end, found.barrier), (None, Some(remote.clone())), "{path}");
        }
    }

    #[test]
    fn a_loop_of_links_ends() {
        let temp = tempfile::tempdir().unwrap();
        symlink("b", temp.path().join("a")).unwrap();
        symlink("a", temp.path().join("b")).unwrap();
        assert_eq!(route(&temp.path().join("a"), |_| false).unwrap().end, None);
    }
}
