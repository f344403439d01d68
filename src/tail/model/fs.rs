//! A file system in memory: one directory, its inodes and names, and a clock that only this world moves.
//!
//! It keeps what rotation is about: numbers of inodes that are given out anew at once, births and modification times
//! in ticks of the kernel's clock, and files that live on without a name as long as somebody has them open. Each
//! inode knows which lines stand in it, so that the oracle need not search for them.

use std::collections::BTreeMap;
use std::ops::Range;
use std::time::{Duration, SystemTime};

use crate::tail::files::{FileId, FileKind, Meta};

/// What the names of files begin with that stand in another directory by now.
const ELSEWHERE: &str = "../";

/// The kernel's clock, by which files are born.
const TICK: u128 = 4_000_000;

/// Which inode, through all of its history; unlike its number this is never given out again.
pub(super) type Key = usize;

/// A line, or the beginning of one, that stands in an inode.
#[derive(Clone, Copy, Debug)]
pub(super) struct Span {
    pub(super) line: usize,
    pub(super) offset: u64,
    pub(super) length: u64,
}

impl Span {
    pub(super) fn end(&self) -> u64 {
        self.offset + self.length
    }
}

/// How much of a run of a file the follower was shown.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Shown {
    /// The largest size it was told.
    pub(super) size: u64,
    /// How far it has read.
    pub(super) read: u64,
    /// Whether anything was read of it, and whether it was asked for its size then, and read from its beginning.
    pub(super) stirred: bool,
    pub(super) noticed: bool,
    pub(super) begun: bool,
    /// The last modification time it was told.
    pub(super) modified: Option<SystemTime>,
}

#[derive(Debug)]
pub(super) struct Inode {
    pub(super) id: FileId,
    pub(super) modified: SystemTime,
    pub(super) content: Vec<u8>,
    pub(super) spans: Vec<Span>,
    links: u64,
    /// Whether the follower ever had it open, and whether it let it go unread for want of a descriptor.
    pub(super) opened: bool,
    pub(super) given_up: bool,
    /// How often the follower has it open.
    pub(super) handles: usize,
    /// Counts the times it was cut.
    pub(super) run: usize,
    /// How much of each run the follower was ever shown.
    pub(super) shown: Vec<Shown>,
    /// The call with which the follower closed it last.
    pub(super) closed_at: u64,
    /// When that was.
    pub(super) closed_clock: Duration,
}

impl Inode {
    /// Whether anybody but its writers can still have it.
    pub(super) fn is_reachable(&self) -> bool {
        self.links > 0 || self.handles > 0
    }

    /// What the follower was shown of the present run.
    pub(super) fn shown(&self) -> &Shown {
        &self.shown[self.run]
    }

    /// The follower is told how long the file is.
    pub(super) fn tell_size(&mut self) {
        let shown = &mut self.shown[self.run];
        shown.size = shown.size.max(self.content.len() as u64);
        shown.noticed |= shown.stirred;
        shown.modified = Some(self.modified);
    }

    /// The follower reads up to an offset.
    pub(super) fn read_to(&mut self, from: u64, end: u64) {
        let has_hole = self.content.first() == Some(&0);
        let shown = &mut self.shown[self.run];
        shown.stirred = true;
        // A hole is found first, and then passed over.
        shown.begun |= (from > 0) == has_hole && shown.noticed;
        shown.read = shown.read.max(end);
        shown.size = shown.size.max(end);
    }

    pub(super) fn meta(&self) -> Meta {
        let size = self.content.len() as u64;
        Meta { id: self.id, kind: FileKind::Regular, size, modified: self.modified, links: self.links }
    }
}

#[derive(Debug, Default)]
pub(super) struct Fs {
    pub(super) inodes: Vec<Inode>,
    names: BTreeMap<String, Key>,
    /// The one name that is a symbolic link, and where it leads.
    pub(super) link: Option<(String, String)>,
    /// How many directories have been in the place of the first one.
    directories: u64,
    /// Numbers that were given back, the last one first to be given out.
    free: Vec<u64>,
    /// What the follower's clock shows.
    pub(super) clock: Duration,
    directory_modified: Duration,
}

impl Fs {
    pub(super) fn now(&self) -> SystemTime {
        SystemTime::UNIX_EPOCH + Duration::from_hours(500_000) + self.clock
    }

    /// The time as files tell it.
    pub(super) fn tick(&self) -> SystemTime {
        Self::ticked(self.now())
    }

    fn ticked(at: SystemTime) -> SystemTime {
        let nanos = at.duration_since(SystemTime::UNIX_EPOCH).unwrap().as_nanos();
        SystemTime::UNIX_EPOCH + Duration::from_nanos(u64::try_from(nanos / TICK * TICK).unwrap())
    }

    pub(super) fn directory(&self) -> Meta {
        let modified = Self::ticked(SystemTime::UNIX_EPOCH + Duration::from_hours(500_000) + self.directory_modified);
        let id = FileId { device: 1, inode: 1 + self.directories, birth: Some(SystemTime::UNIX_EPOCH) };
        Meta { id, kind: FileKind::Directory, size: 0, modified, links: 2 }
    }

    pub(super) fn names(&self) -> impl Iterator<Item = &String> {
        let link = self.link.as_ref().map(|(from, _)| from);
        self.names.keys().filter(|name| !name.starts_with(ELSEWHERE)).chain(link)
    }

    pub(super) fn lookup(&self, name: &str) -> Option<Key> {
        self.names.get(self.target(name)).copied()
    }

    /// Where a name leads.
    pub(super) fn target<'a>(&'a self, name: &'a str) -> &'a str {
        self.link.as_ref().filter(|(from, _)| from == name).map_or(name, |(_, to)| to)
    }

    /// Gives a file one more name; the inode that had that.
    pub(super) fn link(&mut self, key: Key, name: &str) -> Option<Key> {
        let replaced = self.unlink(name);
        self.names.insert(name.to_owned(), key);
        self.inodes[key].links += 1;
        self.directory_modified = self.clock;
        replaced
    }

    /// Has a name be a symbolic link.
    pub(super) fn lead(&mut self, name: &str, to: &str) {
        self.link = Some((name.to_owned(), to.to_owned()));
        self.directory_modified = self.clock;
    }

    /// Takes a file away to another directory, with its name.
    pub(super) fn take_away(&mut self, name: &str) {
        if let Some(key) = self.names.remove(name) {
            self.names.insert(format!("{ELSEWHERE}{key}"), key);
        }
        self.directories += 1;
        self.directory_modified = self.clock;
    }

    /// Whether a file stands where neither the name nor a rotation of it leads any more.
    pub(super) fn is_elsewhere(&self, key: Key) -> bool {
        let target = self.link.as_ref().map(|(_, to)| to);
        let beside = |name: &String| !name.starts_with(ELSEWHERE) && (target.is_none() || Some(name) == target);
        !self.names.iter().any(|(name, of)| *of == key && beside(name))
    }

    pub(super) fn name_of(&self, key: Key) -> Option<String> {
        self.names.iter().find(|(_, of)| **of == key).map(|(name, _)| name.clone())
    }

    pub(super) fn create(&mut self, name: &str) -> Key {
        let number = self.free.pop().unwrap_or(100 + self.inodes.len() as u64);
        let (born, key) = (self.tick(), self.inodes.len());
        self.inodes.push(Inode {
            id: FileId { device: 1, inode: number, birth: Some(born) },
            modified: born,
            content: Vec::new(),
            spans: Vec::new(),
            links: 1,
            opened: false,
            given_up: false,
            handles: 0,
            run: 0,
            shown: vec![Shown::default()],
            closed_at: 0,
            closed_clock: Duration::ZERO,
        });
        self.names.insert(name.to_owned(), key);
        self.directory_modified = self.clock;
        key
    }

    /// Makes a new file where a name leads.
    pub(super) fn create_where_it_leads(&mut self, name: &str) -> Key {
        let name = self.target(name).to_owned();
        self.create(&name)
    }

    /// Removes a name; the inode it meant.
    pub(super) fn unlink(&mut self, name: &str) -> Option<Key> {
        let key = self.names.remove(name)?;
        self.directory_modified = self.clock;
        self.inodes[key].links -= 1;
        self.give_back(key);
        Some(key)
    }

    /// Renames a file over whatever had the new name; the inode that had it.
    pub(super) fn rename(&mut self, from: &str, to: &str) -> Option<Key> {
        let key = self.names.remove(from)?;
        let replaced = self.unlink(to);
        self.names.insert(to.to_owned(), key);
        self.directory_modified = self.clock;
        replaced
    }

    pub(super) fn close(&mut self, key: Key) {
        self.inodes[key].handles -= 1;
        self.give_back(key);
    }

    fn give_back(&mut self, key: Key) {
        if !self.inodes[key].is_reachable() {
            self.free.push(self.inodes[key].id.inode);
        }
    }

    pub(super) fn append(&mut self, key: Key, line: usize, bytes: &[u8]) {
        let modified = self.tick();
        let inode = &mut self.inodes[key];
        let offset = inode.content.len() as u64;
        inode.content.extend_from_slice(bytes);
        inode.modified = modified;
        match inode.spans.last_mut().filter(|last| last.line == line && last.end() == offset) {
            Some(last) => last.length += bytes.len() as u64,
            None => inode.spans.push(Span { line, offset, length: bytes.len() as u64 }),
        }
    }

    /// Cuts a file off; the lines that are gone.
    pub(super) fn cut(&mut self, key: Key, size: u64) -> Vec<usize> {
        let modified = self.tick();
        let inode = &mut self.inodes[key];
        inode.content.truncate(usize::try_from(size).unwrap());
        inode.modified = modified;
        let Shown { size: told, read, modified, .. } = *inode.shown();
        inode.run += 1;
        inode.shown.push(Shown { size: told.min(size), read: read.min(size), modified, ..Shown::default() });
        let gone = inode.spans.iter().filter(|span| span.end() > size).map(|span| span.line).collect();
        inode.spans.retain(|span| span.offset < size);
        for span in &mut inode.spans {
            span.length = span.length.min(size - span.offset);
        }
        gone
    }

    /// Whether a line stands between these offsets of a file.
    pub(super) fn stands_in(&self, line: usize, file: FileId, range: &Range<u64>) -> bool {
        let stands = |span: &Span| span.line == line && range.start <= span.offset && span.end() <= range.end;
        self.inodes.iter().any(|inode| inode.id == file && inode.spans.iter().any(stands))
    }

    /// Whether so much of a line stands anywhere where it can be had.
    pub(super) fn holds(&self, line: usize, length: u64) -> bool {
        let stands = |span: &Span| span.line == line && span.length >= length;
        self.inodes.iter().any(|inode| inode.is_reachable() && inode.spans.iter().any(stands))
    }
}
