//! The world as the core reaches it: each system call lets what was to come between two calls come first.

use std::cell::RefCell;
use std::ffi::OsString;
use std::fs::File;
use std::io::{self, ErrorKind};
use std::os::fd::{AsFd, AsRawFd, BorrowedFd};
use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::time::SystemTime;

use rustix::io::Errno;

use super::fs::Key;
use super::op::Failing;
use super::world::World;
use crate::tail::files::{FileKind, Files, Flow, Handle, Links, Meta};
use crate::tail::proof::HEAD;

/// What `statfs(2)` says of ext4.
const EXT4: i64 = 0xef53;

/// The files of a world, all of which stand in one directory.
#[derive(Clone, Debug)]
pub(super) struct Model {
    pub(super) world: Rc<RefCell<World>>,
    /// What descriptors are made of: they stand for files, and nothing is read from them.
    null: Rc<File>,
}

impl Model {
    pub(super) fn new(world: World) -> Self {
        let null = Rc::new(File::open("/dev/null").unwrap());
        Self { world: Rc::new(RefCell::new(world)), null }
    }
}

fn name(path: &Path) -> Option<&str> {
    path.file_name().and_then(|name| name.to_str())
}

fn missing() -> io::Error {
    ErrorKind::NotFound.into()
}

impl Files for Model {
    fn meta(&self, path: &Path, links: Links) -> io::Result<Meta> {
        let mut world = self.world.borrow_mut();
        world.call();
        let Some(name) = name(path) else { return Ok(world.fs.directory()) };
        if path.parent() == Some(Path::new("/")) {
            return Ok(world.fs.directory());
        }
        if links == Links::Refuse && world.fs.target(name) != name {
            return Ok(Meta { kind: FileKind::Symlink, ..world.fs.directory() });
        }
        let key = world.fs.lookup(name).ok_or_else(missing)?;
        Ok(world.fs.inodes[key].meta())
    }

    fn open(&self, path: &Path, links: Links) -> io::Result<Box<dyn Handle>> {
        let mut world = self.world.borrow_mut();
        world.call();
        world.fail(Failing::Open)?;
        if links == Links::Refuse && name(path).is_some_and(|name| world.fs.target(name) != name) {
            return Err(Errno::LOOP.into());
        }
        let key = name(path).and_then(|name| world.fs.lookup(name)).ok_or_else(missing)?;
        world.fs.inodes[key].handles += 1;
        world.fs.inodes[key].opened = true;
        let fd = self.null.try_clone()?;
        world.open.insert(fd.as_raw_fd(), key);
        Ok(Box::new(ModelHandle { world: self.world.clone(), key, fd }))
    }

    fn list(&self, _: &Path) -> io::Result<Vec<OsString>> {
        // A directory is read piece by piece, and what is renamed meanwhile may stand in both of them, or in none.
        let mut world = self.world.borrow_mut();
        world.call();
        world.fail(Failing::List)?;
        let middle = world.fs.names().count() / 2;
        let mut names: Vec<String> = world.fs.names().take(middle).cloned().collect();
        world.call();
        let last = names.last().cloned();
        names.extend(world.fs.names().filter(|name| last.as_ref().is_none_or(|last| *name > last)).cloned());
        Ok(names.into_iter().map(OsString::from).collect())
    }

    fn resolve(&self, path: &Path) -> io::Result<PathBuf> {
        let mut world = self.world.borrow_mut();
        world.call();
        Ok(name(path).map_or_else(|| path.to_owned(), |name| path.with_file_name(world.fs.target(name))))
    }

    fn now(&self) -> SystemTime {
        self.world.borrow().fs.now()
    }
}

#[derive(Debug)]
struct ModelHandle {
    world: Rc<RefCell<World>>,
    key: Key,
    fd: File,
}

impl Drop for ModelHandle {
    fn drop(&mut self) {
        let mut world = self.world.borrow_mut();
        world.open.remove(&self.fd.as_raw_fd());
        world.fs.close(self.key);
        let (calls, clock) = (world.calls, world.fs.clock);
        let is_short = world.is_short();
        let inode = &mut world.fs.inodes[self.key];
        inode.given_up |= is_short && inode.shown().read == 0;
        (inode.closed_at, inode.closed_clock) = (calls, clock);
        world.left(Some(self.key));
    }
}

impl Handle for ModelHandle {
    fn meta(&self) -> io::Result<Meta> {
        let mut world = self.world.borrow_mut();
        world.call();
        let inode = &mut world.fs.inodes[self.key];
        let meta = inode.meta();
        inode.tell_size();
        Ok(meta)
    }

    fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
        let mut world = self.world.borrow_mut();
        world.call();
        world.fail(Failing::Read)?;
        let short = if world.short_reads { 1 + world.roll(400) } else { usize::MAX };
        let inode = &mut world.fs.inodes[self.key];
        let rest = usize::try_from(offset).ok().and_then(|offset| inode.content.get(offset..)).unwrap_or(&[]);
        let length = rest.len().min(buffer.len()).min(short);
        buffer[..length].copy_from_slice(&rest[..length]);
        // Less is read for a proof, or to compare files.
        if length > 0 && buffer.len() > 2 * HEAD {
            inode.read_to(offset, offset + length as u64);
        }
        world.last_read = self.key;
        Ok(length)
    }

    fn read_next(&mut self, _: &mut [u8]) -> io::Result<Flow> {
        Err(ErrorKind::Unsupported.into())
    }

    fn renew(&mut self) -> io::Result<()> {
        Err(ErrorKind::Unsupported.into())
    }

    fn next_data(&self, from: u64) -> io::Result<Option<u64>> {
        let mut world = self.world.borrow_mut();
        world.call();
        let from = usize::try_from(from).unwrap();
        let rest = world.fs.inodes[self.key].content.get(from..).unwrap_or(&[]);
        let data = rest.iter().position(|byte| *byte != 0);
        Ok(data.map(|data| (from + data) as u64))
    }

    fn position(&self) -> Option<u64> {
        Some(0)
    }

    fn file_system(&self) -> Option<i64> {
        Some(EXT4)
    }

    fn fd(&self) -> Option<BorrowedFd<'_>> {
        Some(self.fd.as_fd())
    }
}
