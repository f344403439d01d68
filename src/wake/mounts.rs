//! Which files are on mounts that may stop answering, so that a call about them may not come back.
//!
//! What is mounted where is told by the kernel's own table, since to ask the file system would be such a call. That of
//! the root is left out: where it hangs, so does everything.

use std::cell::RefCell;
use std::collections::HashMap;
use std::ffi::OsString;
use std::fs::File;
use std::io;
use std::os::unix::ffi::OsStringExt as _;
use std::os::unix::fs::FileExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::route::route;

const TABLE: &str = "/proc/self/mountinfo";

/// Room for the table as it is on most machines.
const ROOM: usize = 16 * 1024;

/// How often the table is read anew while files are looked at. The kernel would tell of changes, but for a descriptor,
/// of which there may be too few.
const CHANGES: Duration = Duration::from_secs(5);

/// For how long links on the way to a directory are taken to lead where they did: many names in one are looked at in a
/// row.
const TRUST: Duration = Duration::from_millis(50);

/// A mount that may stop answering.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Mount {
    /// The kernel's number for it. What is mounted in the same place later has another one.
    pub(crate) id: u64,
    pub(crate) point: Arc<Path>,
}

/// What is mounted where.
#[derive(Debug)]
pub(crate) struct Mounts(RefCell<State>);

#[derive(Debug)]
struct State {
    source: Source,
    /// Where mounts are that may stop answering.
    points: HashMap<PathBuf, Mount>,
    /// Where directories have led.
    ways: HashMap<PathBuf, Way>,
    ways_since: Instant,
}

/// Where the table comes from.
#[derive(Debug)]
enum Source {
    /// The kernel, and when it is to be asked.
    Kernel(Instant),
    /// It is as it was made.
    Made,
}

/// Where a directory is.
#[derive(Clone, Debug)]
enum Way {
    /// Here, without links.
    Local(PathBuf),
    Behind(Mount),
    Nowhere,
}

impl Mounts {
    /// Those that this process sees.
    pub(crate) fn of_this_process() -> Self {
        Self::new(Source::Kernel(Instant::now()), HashMap::new())
    }

    /// For where nothing is to be taken to stop answering.
    pub(crate) fn none() -> Self {
        Self::new(Source::Made, HashMap::new())
    }

    /// Takes these for mounts that may stop answering.
    #[cfg(test)]
    pub(crate) fn at(points: &[&Path]) -> Self {
        let mount = |(id, point): (u64, &&Path)| (point.to_path_buf(), Mount { id, point: (**point).into() });
        Self::new(Source::Made, (0..).zip(points).map(mount).collect())
    }

    fn new(source: Source, points: HashMap<PathBuf, Mount>) -> Self {
        Self(RefCell::new(State { source, points, ways: HashMap::new(), ways_since: Instant::now() }))
    }

    /// The mount that a call about `path` itself may have to wait for; a link is not followed.
    pub(crate) fn of(&self, path: &Path) -> Option<Mount> {
        self.0.borrow_mut().find(path, |_, _| None)
    }

    /// The same of a call about what `path` leads to.
    pub(crate) fn behind(&self, path: &Path) -> Option<Mount> {
        self.0.borrow_mut().find(path, |state, path| {
            let is_link = std::fs::symlink_metadata(path).is_ok_and(|meta| meta.is_symlink());
            if is_link { state.barrier(path) } else { None }
        })
    }

    /// Whether this is mounted still.
    pub(crate) fn has(&self, mount: &Mount) -> bool {
        self.0.borrow().points.values().any(|other| other == mount)
    }
}

impl State {
    /// The mount on the way to a path, or else what `then` finds of it.
    fn find(&mut self, path: &Path, then: impl Fn(&Self, &Path) -> Option<Mount>) -> Option<Mount> {
        self.refresh();
        if self.points.is_empty() {
            return None;
        }
        let (Some(parent), Some(name)) = (path.parent(), path.file_name()) else { return self.barrier(path) };
        let directory = match self.way(parent) {
            Way::Local(directory) => directory,
            Way::Behind(mount) => return Some(mount),
            Way::Nowhere => return None,
        };
        let path = directory.join(name);
        self.points.get(&path).cloned().or_else(|| then(self, &path))
    }

    fn way(&mut self, directory: &Path) -> Way {
        if self.ways_since.elapsed() > TRUST {
            self.ways.clear();
            self.ways_since = Instant::now();
        }
        if let Some(way) = self.ways.get(directory) {
            return way.clone();
        }
        let way = match route(directory, |next| self.points.contains_key(next)) {
            Ok(route) => match (route.end, route.barrier.and_then(|point| self.points.get(&point))) {
                (Some(end), _) => Way::Local(end),
                (None, Some(mount)) => Way::Behind(mount.clone()),
                (None, None) => Way::Nowhere,
            },
            Err(_) => Way::Nowhere,
        };
        self.ways.insert(directory.to_owned(), way.clone());
        way
    }

    fn barrier(&self, path: &Path) -> Option<Mount> {
        let point = route(path, |next| self.points.contains_key(next)).ok()?.barrier?;
        self.points.get(&point).cloned()
    }

    /// Reads the table if that is due.
    fn refresh(&mut self) {
        let now = Instant::now();
        let Source::Kernel(due) = &mut self.source else { return };
        if now < *due {
            return;
        }
        *due = now + CHANGES;
        // What can't be read now, for want of a descriptor, is as it was.
        if let Ok(table) = read() {
            let points = parse(&table);
            if points != self.points {
                self.points = points;
                self.ways.clear();
            }
        }
    }
}

fn read() -> io::Result<Vec<u8>> {
    let table = File::open(TABLE)?;
    let (mut text, mut length) = (vec![0; ROOM], 0);
    loop {
        match table.read_at(&mut text[length..], length as u64)? {
            0 => break,
            more => length += more,
        }
        if length == text.len() {
            text.resize(2 * length, 0);
        }
    }
    text.truncate(length);
    Ok(text)
}

/// Each line is `36 35 98:0 /root /point options tags - type source options`, with any number of tags. Of what is mounted
/// in one place, the last is seen.
fn parse(table: &[u8]) -> HashMap<PathBuf, Mount> {
    let mut points = HashMap::new();
    for line in table.split(|byte| *byte == b'\n') {
        let mut words = line.split(|byte| *byte == b' ');
        let (id, point) = (words.next().map(number), words.nth(3).map(unescape));
        let (Some(Some(id)), Some(point)) = (id, point) else { continue };
        let kind = words.skip_while(|word| *word != b"-").nth(1).unwrap_or_default();
        if may_hang(kind) && point != Path::new("/") {
            points.insert(point.clone(), Mount { id, point: point.into() });
        } else {
            points.remove(&point);
        }
    }
    points
}

fn number(digits: &[u8]) -> Option<u64> {
    std::str::from_utf8(digits).ok()?.parse().ok()
}

/// Spaces, tabs, newlines and backslashes stand as three octal digits behind a backslash.
fn unescape(word: &[u8]) -> PathBuf {
    let mut bytes = Vec::with_capacity(word.len());
    let mut rest = word;
    while let Some((first, behind)) = rest.split_first() {
        let octal = behind.first_chunk::<3>().filter(|_| *first == b'\\');
        let value = octal.and_then(|digits| u8::from_str_radix(std::str::from_utf8(digits).ok()?, 8).ok());
        bytes.push(value.unwrap_or(*first));
        rest = if value.is_some() { &behind[3..] } else { behind };
    }
    OsString::from_vec(bytes).into()
}

/// Whether a type of file system waits for another machine, or for another process.
fn may_hang(kind: &[u8]) -> bool {
    const OTHERS: [&[u8]; 26] = [
        b"9p",
        b"acfs",
        b"afs",
        b"autofs",
        b"beegfs",
        b"ceph",
        b"cifs",
        b"coda",
        b"davfs",
        b"gfs2",
        b"glusterfs",
        b"gpfs",
        b"lustre",
        b"ncpfs",
        b"nfs",
        b"nfs4",
        b"ocfs2",
        b"orangefs",
        b"panfs",
        b"prl_fs",
        b"pvfs2",
        b"smb3",
        b"smbfs",
        b"vboxsf",
        b"virtiofs",
        b"vmhgfs",
    ];
    kind.starts_with(b"fuse") && kind != b"fusectl" || OTHERS.contains(&kind)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::symlink;

    #[test]
    fn the_table_tells_which_mounts_may_stop_answering() {
        let table = b"27 1 254:0 / / rw - fuse.root x rw\n\
            30 27 0:26 / /mnt/a\\040b rw,relatime shared:1 master:2 - nfs4 server:/x rw\n\
            31 27 0:27 / /run/user rw - tmpfs tmpfs rw\n\
            32 31 0:28 / /run/user/gvfs rw shared:3 - fuse.gvfsd-fuse gvfsd rw\n\
            33 27 0:29 / /sys/fs/fuse rw - fusectl fusectl rw\n\
            34 27 0:30 / /over rw - cifs //server/x rw\n\
            35 27 0:31 / /over rw - ext4 /dev/x rw\n";
        let mut found: Vec<_> = parse(table).into_iter().map(|(point, mount)| (mount.id, point)).collect();
        found.sort();
        assert_eq!(found, [(30, PathBuf::from("/mnt/a b")), (32, PathBuf::from("/run/user/gvfs"))]);
    }

    #[test]
    fn a_path_is_on_the_mount_that_it_leads_through() {
        let temp = tempfile::tempdir().unwrap();
        let root = temp.path().canonicalize().unwrap();
        let here = |path: &str| root.join(path);
        std::fs::create_dir_all(here("local/sub")).unwrap();
        std::fs::write(here("local/a.log"), "").unwrap();
        // It is not looked at, so it need not be there.
        let mounts = Mounts::at(&[&here("remote")]);
        symlink("remote/logs", here("way")).unwrap();
        symlink(here("remote/a.log"), here("local/link.log")).unwrap();
        let rows = [
            ("local/a.log", false, false),
            ("local/missing.log", false, false),
            ("nowhere/a.log", false, false),
            ("local/sub/../a.log", false, false),
            ("remote", true, true),
            ("remote/a.log", true, true),
            ("local/../remote/a.log", true, true),
            ("way", false, true),
            ("way/a.log", true, true),
            ("local/link.log", false, true),
        ];
        for (path, of, behind) in rows {
            assert_eq!(mounts.of(&here(path)).is_some(), of, "{path} itself");
            assert_eq!(mounts.behind(&here(path)).is_some(), behind, "{path} as it leads");
        }
    }

    #[test]
    fn the_table_of_this_process_can_be_read() {
        let table = read().unwrap();
        assert!(table.ends_with(b"\n") && table.windows(3).any(|word| word == b" / "));
    }
}
