//! Files none of which keeps others waiting: what is on a mount that may stop answering is asked for by a thread of
//! that mount, and what is not answered in time fails with [`ErrorKind::TimedOut`](io::ErrorKind::TimedOut).
//!
//! All other files are reached directly. This module knows which call is about which mount; `deputy` has the threads.

mod deputy;
#[cfg(test)]
mod tests;

use std::cell::RefCell;
use std::collections::HashMap;
use std::ffi::{OsStr, OsString};
use std::fmt;
use std::io;
use std::os::fd::BorrowedFd;
use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use self::deputy::{Deputy, Opened, Operation, Surroundings};
use super::files::{Entry, Files, Flow, Handle, Links, Meta};
use super::listing::Listed;
use crate::wake::{Mount, Mounts};

/// Makes the files that calls are passed on to, here and on each thread.
type Make = Arc<dyn Fn() -> Box<dyn Files> + Send + Sync>;

/// The files of this machine, none of which keeps others waiting for long.
pub struct Guarded {
    here: Box<dyn Files>,
    make: Make,
    mounts: Rc<Mounts>,
    deputies: RefCell<HashMap<u64, Rc<Deputy>>>,
    surroundings: Rc<Surroundings>,
}

impl Default for Guarded {
    fn default() -> Self {
        Self::new(Rc::new(Mounts::of_this_process()), Arc::new(|| Box::<Listed>::default()))
    }
}

impl fmt::Debug for Guarded {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { here, mounts, deputies, .. } = self;
        f.debug_struct("Guarded").field("here", here).field("mounts", mounts).field("deputies", deputies).finish()
    }
}

impl Guarded {
    /// The files that `make` makes, those on mounts that may stop answering each on a thread of the mount's own.
    pub(crate) fn new(mounts: Rc<Mounts>, make: Make) -> Self {
        Self { here: make(), make, mounts, deputies: RefCell::default(), surroundings: Rc::default() }
    }

    /// Does something about what `path` leads to that the core has no need of.
    ///
    /// # Errors
    /// When it has no answer: [`TimedOut`](io::ErrorKind::TimedOut).
    pub(crate) fn attempt<T: Send + 'static>(
        &self,
        path: &Path,
        what: impl FnOnce(&Path) -> T + Send + 'static,
    ) -> io::Result<T> {
        let Some(deputy) = self.deputy(path, Links::Follow)? else { return Ok(what(path)) };
        let path = path.to_owned();
        deputy.ask(Operation::Look, move |_| Ok(what(&path)))
    }

    /// Who is to be asked about a path; `None` if it can be done at once.
    fn deputy(&self, path: &Path, links: Links) -> io::Result<Option<Rc<Deputy>>> {
        let mount = match links {
            Links::Follow => self.mounts.behind(path),
            Links::Refuse => self.mounts.of(path),
        };
        mount.map(|mount| self.deputy_of(mount)).transpose()
    }

    fn deputy_of(&self, mount: Mount) -> io::Result<Rc<Deputy>> {
        let mut deputies = self.deputies.borrow_mut();
        if let Some(deputy) = deputies.get(&mount.id) {
            return Ok(Rc::clone(deputy));
        }
        // Some are mounted for as long as they are used, again and again.
        deputies.retain(|_, deputy| Rc::strong_count(deputy) > 1 || self.mounts.has(deputy.mount()));
        let id = mount.id;
        let deputy = Rc::new(Deputy::start(mount, &self.make, Rc::clone(&self.surroundings))?);
        deputies.insert(id, Rc::clone(&deputy));
        Ok(deputy)
    }
}

impl Files for Guarded {
    fn meta(&self, path: &Path, links: Links) -> io::Result<Meta> {
        let Some(deputy) = self.deputy(path, links)? else { return self.here.meta(path, links) };
        let path = path.to_owned();
        deputy.ask(Operation::Look, move |office| office.files.meta(&path, links))
    }

    fn open(&self, path: &Path, links: Links) -> io::Result<Box<dyn Handle>> {
        let Some(deputy) = self.deputy(path, links)? else { return self.here.open(path, links) };
        let file = deputy.open(path, links)?;
        Ok(Box::new(GuardedHandle { deputy, file }))
    }

    fn list(&self, directory: &Path) -> io::Result<Vec<OsString>> {
        let Some(deputy) = self.deputy(directory, Links::Follow)? else { return self.here.list(directory) };
        let directory = directory.to_owned();
        deputy.ask(Operation::List, move |office| office.files.list(&directory))
    }

    fn entries(&self, directory: &Path) -> io::Result<Vec<Entry>> {
        let Some(deputy) = self.deputy(directory, Links::Follow)? else { return self.here.entries(directory) };
        let directory = directory.to_owned();
        deputy.ask(Operation::List, move |office| office.files.entries(&directory))
    }

    fn entries_beginning(&self, directory: &Path, with: &OsStr) -> io::Result<Vec<Entry>> {
        let Some(deputy) = self.deputy(directory, Links::Follow)? else {
            return self.here.entries_beginning(directory, with);
        };
        let (directory, with) = (directory.to_owned(), with.to_owned());
        deputy.ask(Operation::List, move |office| office.files.entries_beginning(&directory, &with))
    }

    fn resolve(&self, path: &Path) -> io::Result<PathBuf> {
        let Some(deputy) = self.deputy(path, Links::Follow)? else { return self.here.resolve(path) };
        let path = path.to_owned();
        deputy.ask(Operation::Look, move |office| office.files.resolve(&path))
    }

    fn interrupt_by(&mut self, flag: Arc<AtomicBool>) {
        self.surroundings.interrupt_by(flag);
    }

    fn silences(&self) -> u64 {
        self.surroundings.silences()
    }

    fn end(self: Box<Self>) -> Vec<PathBuf> {
        let deputies = self.deputies.into_inner().into_values();
        // A handle that is still open somewhere keeps its thread.
        let left = deputies.filter_map(|deputy| match Rc::try_unwrap(deputy) {
            Ok(deputy) => deputy.end().err(),
            Err(deputy) => Some(deputy.mount().point.to_path_buf()),
        });
        left.collect()
    }
}

/// An open file on a mount that may stop answering. It is open on the thread of the mount.
#[derive(Debug)]
struct GuardedHandle {
    deputy: Rc<Deputy>,
    file: Opened,
}

impl Handle for GuardedHandle {
    fn meta(&self) -> io::Result<Meta> {
        self.deputy.ask_about(&self.file, Operation::Look, |handle| handle.meta())
    }

    fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
        self.deputy.fill(buffer, &self.file, move |handle, buffer| {
            let length = handle.read_at(buffer, offset)?;
            Ok((length, length))
        })
    }

    fn read_next(&mut self, buffer: &mut [u8]) -> io::Result<Flow> {
        self.deputy.fill(buffer, &self.file, |handle, buffer| {
            let flow = handle.read_next(buffer)?;
            Ok((flow, if let Flow::Bytes(length) = flow { length } else { 0 }))
        })
    }

    fn renew(&mut self) -> io::Result<()> {
        self.deputy.ask_about(&self.file, Operation::Open, |handle| handle.renew())
    }

    fn next_data(&self, from: u64) -> io::Result<Option<u64>> {
        self.deputy.ask_about(&self.file, Operation::Read, move |handle| handle.next_data(from))
    }

    fn position(&self) -> Option<u64> {
        self.file.position
    }

    fn location(&self) -> Option<PathBuf> {
        self.deputy.ask_about(&self.file, Operation::Look, |handle| Ok(handle.location())).ok()?
    }

    fn is_unnamed(&self) -> bool {
        self.deputy.ask_about(&self.file, Operation::Look, |handle| Ok(handle.is_unnamed())).unwrap_or(false)
    }

    fn file_system(&self) -> Option<i64> {
        self.file.file_system
    }

    fn fd(&self) -> Option<BorrowedFd<'_>> {
        // To watch it, or to pass from it, may keep us waiting.
        None
    }

    fn must_be_polled(&self) -> bool {
        true
    }
}
