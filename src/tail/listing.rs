//! The names in a directory, and which files they mean, remembered until it changes.
//!
//! Each name that is followed wants to know what stands beside it. Were the directory listed for each, the cost of many
//! names in one would grow with their square.

use std::cell::RefCell;
use std::ffi::{OsStr, OsString};
use std::io;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use super::files::{Disk, Entry, FileId, Files, Handle, Links, Meta};

/// For how long after a change of a directory another one may leave its time as it is: kernels tell it by ticks, file
/// systems by coarser ones.
const TICK: Duration = Duration::from_millis(20);

/// The files of this machine; of the directory that was listed last, the names are remembered.
#[derive(Debug, Default)]
pub(crate) struct Listed {
    listing: RefCell<Listing>,
}

#[derive(Debug, Default)]
struct Listing {
    directory: PathBuf,
    /// Which directory that was, and when it had last changed.
    version: Option<(FileId, SystemTime)>,
    /// All names, each behind its length and before the number of its file.
    names: Vec<u8>,
    /// Where they stand, in their order.
    starts: Vec<u32>,
}

impl Listing {
    fn new(directory: &Path, version: (FileId, SystemTime), mut all: Vec<Entry>) -> Self {
        all.sort_unstable_by(|a, b| a.name.cmp(&b.name));
        let (mut names, mut starts) = (Vec::new(), Vec::new());
        for Entry { name, inode } in &all {
            // Neither may fail: a name has at most 255 bytes, and as many names as that would not fit into memory.
            let (Ok(start), Ok(length)) = (u32::try_from(names.len()), u8::try_from(name.len())) else {
                return Self::default();
            };
            starts.push(start);
            names.push(length);
            names.extend_from_slice(name.as_bytes());
            names.extend_from_slice(&inode.to_ne_bytes());
        }
        Self { directory: directory.to_owned(), version: Some(version), names, starts }
    }

    fn name(&self, start: u32) -> &[u8] {
        let start = start as usize;
        &self.names[start + 1..][..usize::from(self.names[start])]
    }

    fn entry(&self, start: u32) -> Entry {
        let name = self.name(start);
        let behind = &self.names[start as usize + 1 + name.len()..];
        let inode = behind.first_chunk().map_or(0, |inode| u64::from_ne_bytes(*inode));
        Entry { name: OsString::from_vec(name.to_owned()), inode }
    }

    fn beginning(&self, with: &[u8]) -> Vec<Entry> {
        let first = self.starts.partition_point(|start| self.name(*start) < with);
        let found = self.starts[first..].iter().take_while(|start| self.name(**start).starts_with(with));
        found.map(|start| self.entry(*start)).collect()
    }
}

impl Files for Listed {
    fn meta(&self, path: &Path, links: Links) -> io::Result<Meta> {
        Disk.meta(path, links)
    }

    fn open(&self, path: &Path, links: Links) -> io::Result<Box<dyn Handle>> {
        Disk.open(path, links)
    }

    fn list(&self, directory: &Path) -> io::Result<Vec<OsString>> {
        Disk.list(directory)
    }

    fn entries(&self, directory: &Path) -> io::Result<Vec<Entry>> {
        Disk.entries(directory)
    }

    fn entries_beginning(&self, directory: &Path, with: &OsStr) -> io::Result<Vec<Entry>> {
        let version = |meta: Meta| (meta.id, meta.modified);
        let Ok(before) = Disk.meta(directory, Links::Follow).map(version) else {
            return Disk.entries_beginning(directory, with);
        };
        let mut listing = self.listing.borrow_mut();
        if listing.version != Some(before) || listing.directory != directory {
            // A change from now on shows in the time of the last one only if that is not of the same tick.
            let settled = before.1.checked_add(TICK).is_some_and(|settled| settled < self.now());
            if !settled {
                return Disk.entries_beginning(directory, with);
            }
            *listing = Listing::new(directory, before, Disk.entries(directory)?);
        }
        Ok(listing.beginning(with.as_bytes()))
    }

    fn resolve(&self, path: &Path) -> io::Result<PathBuf> {
        Disk.resolve(path)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_listing_is_that_of_the_directory_as_it_is_whenever_it_changes() {
        let temp = tempfile::tempdir().unwrap();
        let files = Listed::default();
        let listed = |with: &str| {
            let entries = files.entries_beginning(temp.path(), OsStr::new(with)).unwrap();
            for Entry { name, inode } in &entries {
                assert_eq!(files.meta(&temp.path().join(name), Links::Refuse).unwrap().id.inode, *inode);
            }
            let mut names: Vec<_> = entries.into_iter().map(|entry| entry.name.into_string().unwrap()).collect();
            names.sort_unstable();
            names
        };
        let mut expected = Vec::new();
        for number in 0..60 {
            let name = format!("{}{number:02}", ["b", "a.log", "a."][number % 3]);
            std::fs::write(temp.path().join(&name), "").unwrap();
            expected.push(name);
            expected.sort_unstable();
            if number % 10 == 9 {
                // Long enough for it to be remembered; the next change must be seen all the same.
                std::thread::sleep(3 * TICK);
            }
            for with in ["", "a.", "a.log", "b0", "c"] {
                let expected: Vec<_> = expected.iter().filter(|name| name.starts_with(with)).cloned().collect();
                for _ in 0..2 {
                    assert_eq!(listed(with), expected, "{with}");
                }
            }
        }
        assert!(files.listing.borrow().version.is_some(), "nothing was ever remembered");
    }

    #[test]
    fn another_directory_under_the_same_path_has_a_listing_of_its_own() {
        let temp = tempfile::tempdir().unwrap();
        let path = |name: &str| temp.path().join(name);
        for name in ["x", "y"] {
            std::fs::create_dir(path(name)).unwrap();
            std::fs::write(path(name).join(format!("a.{name}")), "").unwrap();
        }
        std::thread::sleep(3 * TICK);
        let files = Listed::default();
        for name in ["x", "y", "x"] {
            std::fs::rename(path(name), path("now")).unwrap();
            let entries = files.entries_beginning(&path("now"), OsStr::new("a.")).unwrap();
            assert_eq!(entries.iter().map(|entry| &entry.name).collect::<Vec<_>>(), [&*format!("a.{name}")]);
            std::fs::rename(path("now"), path(name)).unwrap();
        }
    }
}
