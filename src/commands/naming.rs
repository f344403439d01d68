//! The form in which files are spoken of: all that a run says of a file goes by the name that it was asked for by,
//! or lies below.

use std::path::{Component, Path, PathBuf};

use super::ledger::absolute;
use crate::tail::{Files as _, Guarded, could_match, is_pattern, looks_like_pattern};

/// Whether a pattern stands for an absolute path, or for a directory that this lies below.
pub(super) fn stands_above(pattern: &Path, path: &Path) -> bool {
    let pattern = absolute(pattern);
    path.ancestors().any(|above| could_match(&pattern, above))
}

/// What an absolute path is called where these were asked for, of which one leads to it.
pub(super) fn as_asked_for<'a>(mut operands: impl Iterator<Item = &'a Path>, path: PathBuf) -> PathBuf {
    let called = |operand: &Path| {
        if is_pattern(operand) {
            let literal = |part: &Component<'_>| !looks_like_pattern(part.as_ref());
            let base: PathBuf = operand.components().take_while(literal).collect();
            return moved(&path, &absolute(&here(&base)), &base).filter(|_| stands_above(operand, &path));
        }
        // Names in the current directory are spoken of as they are.
        let base = if operand == Path::new(".") { Path::new("") } else { operand };
        moved(&path, &absolute(operand), base)
    };
    operands.find_map(called).unwrap_or(path)
}

/// What a place, of which links are resolved, is called where a file that lies in the same directory, or below one that
/// leads there, is called `name`.
pub(super) fn as_called(name: &Path, place: &Path) -> PathBuf {
    let files = Guarded::default();
    let called = |above: &Path| moved(place, &files.resolve(&here(above)).ok()?, above);
    name.ancestors().skip(1).find_map(called).unwrap_or_else(|| place.to_owned())
}

/// A path to a directory, of which the current one has none of its own where it is left out of names.
fn here(directory: &Path) -> PathBuf {
    Path::new(".").join(directory)
}

/// The path below `to` that leads to where this one below `from` does.
fn moved(path: &Path, from: &Path, to: &Path) -> Option<PathBuf> {
    let rest = path.strip_prefix(from).ok()?;
    Some(if rest.as_os_str().is_empty() { to.to_owned() } else { to.join(rest) })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_saved_is_called_as_it_was_asked_for() {
        let called = |operands: &[&str], path: &str| {
            let path = absolute(Path::new(path));
            as_asked_for(operands.iter().map(Path::new), path).into_os_string().into_string().unwrap()
        };
        for (operands, path, expected) in [
            (["."].as_slice(), "w/a.log", "w/a.log"),
            (&["w"], "w/a.log", "w/a.log"),
            (&["./w"], "w/x/a.log", "./w/x/a.log"),
            (&["src/../v"], "v/a.log", "src/../v/a.log"),
            (&["w/a.log"], "w/a.log", "w/a.log"),
            (&["w*"], "w1/x/a.log", "w1/x/a.log"),
            (&["./w*/*.log"], "w1/a.log", "./w1/a.log"),
            (&["../x/*.log"], "../x/a.log", "../x/a.log"),
            (&["/*/*.txt", "w/*.log"], "w/a.log", "w/a.log"),
            (&["v", "w"], "w/a.log", "w/a.log"),
            (&["/v/w"], "/v/w/a.log", "/v/w/a.log"),
            (&["/v"], "/w/a.log", "/w/a.log"),
        ] {
            assert_eq!(called(operands, path), expected, "{path} where {operands:?} were asked for");
        }
    }

    #[test]
    fn what_was_renamed_is_called_as_it_was_before() {
        let temp = tempfile::tempdir().unwrap();
        let root = temp.path().canonicalize().unwrap();
        std::fs::create_dir_all(root.join("real/sub")).unwrap();
        std::os::unix::fs::symlink("real", root.join("link")).unwrap();
        for (name, place, expected) in [
            ("real/a.log", "real/a.log.1", "real/a.log.1"),
            ("real/sub/a.log", "real/a.log.1", "real/a.log.1"),
            ("real/a.log", "real/sub/a.log", "real/sub/a.log"),
            ("real/sub/../a.log", "real/a.log.1", "real/sub/../a.log.1"),
            ("link/a.log", "real/a.log.1", "link/a.log.1"),
            ("link/a.log", "elsewhere", "elsewhere"),
        ] {
            assert_eq!(as_called(&root.join(name), &root.join(place)), root.join(expected), "{name} at {place}");
        }
        let here = std::env::current_dir().unwrap().canonicalize().unwrap();
        for (name, expected) in [("a.log", "a.log.1"), ("./a.log", "./a.log.1")] {
            assert_eq!(as_called(Path::new(name), &here.join("a.log.1")).as_os_str(), expected);
        }
        assert_eq!(as_called(Path::new("a.log"), &root.join("a.log")), root.join("a.log"), "moved away");
    }
}
