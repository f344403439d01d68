//! Where a checkpoint is on the disk, and how it is replaced there without ever being half written.

use std::ffi::OsString;
use std::fs::{self, File, OpenOptions};
use std::io::{self, ErrorKind, Write as _};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use super::error::{Error, Flaw, Operation};
use super::format;
use crate::tail::Resume;

/// How many symbolic links in a row are followed, as in the kernel.
const LINKS: usize = 40;

/// Where a checkpoint is.
#[derive(Debug)]
pub(super) struct Place {
    /// What it was called; for messages.
    named: PathBuf,
    /// The absolute path of the file itself.
    path: PathBuf,
    directory: PathBuf,
    /// What is to take its place. One name is enough: who writes it holds the lock. So a process that was killed
    /// leaves one file at most, and the next one removes it.
    temporary: PathBuf,
}

impl Place {
    /// Finds the place of the checkpoint of this name, which need not exist; its directory must.
    pub(super) fn find(named: PathBuf) -> Result<Self, Error> {
        let (directory, name) = resolve(&named)?;
        let mut temporary = OsString::from(".");
        temporary.push(&name);
        temporary.push(".tmp");
        Ok(Self { named, path: directory.join(name), temporary: directory.join(temporary), directory })
    }

    /// What the checkpoint was called.
    pub(super) fn named(&self) -> &Path {
        &self.named
    }

    /// The file whose lock stands for the checkpoint.
    pub(super) fn lock_path(&self) -> PathBuf {
        let mut path = self.path.clone().into_os_string();
        path.push(".lock");
        path.into()
    }

    /// The file, what is to take its place, and that of the lock.
    pub(super) fn paths(&self) -> [PathBuf; 3] {
        [self.path.clone(), self.temporary.clone(), self.lock_path()]
    }

    /// Opens the file for reading; `None` if there is none.
    pub(super) fn open(&self) -> Result<Option<File>, Error> {
        match File::open(&self.path) {
            Ok(file) => Ok(Some(file)),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
            Err(error) => Err(Error::system(Operation::Read, &self.named, error)),
        }
    }

    /// Makes sure that the file can be replaced, as far as that can be known, and removes what a process that was
    /// killed has left.
    pub(super) fn prepare(&self) -> Result<(), Error> {
        let tried = self.create_temporary().and_then(|_| self.remove_temporary());
        tried.map_err(|error| Error::system(Operation::Save, &self.named, error))
    }

    /// Replaces the file and returns when that is safe on the disk.
    pub(super) fn replace(&self, sources: &[Resume]) -> Result<(), Error> {
        let written = format::write(sources)
            .and_then(|text| self.write_temporary(&text))
            .and_then(|()| fs::rename(&self.temporary, &self.path));
        if written.is_err() {
            // If this fails too, the next save or the next process removes it.
            let _ = self.remove_temporary();
        }
        let safe = written.and_then(|()| self.sync_directory());
        safe.map_err(|error| Error::system(Operation::Save, &self.named, error))
    }

    fn write_temporary(&self, text: &[u8]) -> io::Result<()> {
        let mut file = self.create_temporary()?;
        file.write_all(text)?;
        // Else the name could reach the disk before the content, and a crash leave an empty file.
        file.sync_all()
    }

    /// Creates the file that is to take the checkpoint's place, for the user's eyes alone: it holds bits of logs.
    fn create_temporary(&self) -> io::Result<File> {
        // An old one may be open to all, or a link.
        self.remove_temporary()?;
        OpenOptions::new().write(true).create_new(true).mode(0o600).open(&self.temporary)
    }

    fn remove_temporary(&self) -> io::Result<()> {
        match fs::remove_file(&self.temporary) {
            Err(error) if error.kind() != ErrorKind::NotFound => Err(error),
            _ => Ok(()),
        }
    }

    fn sync_directory(&self) -> io::Result<()> {
        match File::open(&self.directory)?.sync_all() {
            // A file system that knows no such thing.
            Err(error) if error.kind() == ErrorKind::InvalidInput => Ok(()),
            result => result,
        }
    }
}

/// The file that a name means, behind all symbolic links: its directory, absolute, and its name there.
fn resolve(named: &Path) -> Result<(PathBuf, OsString), Error> {
    let unreadable = |error| Error::system(Operation::Read, named, error);
    let mut path = named.to_owned();
    for _ in 0..LINKS {
        let Some(name) = path.file_name() else { return Err(Error::unusable(named, Flaw::NoFile)) };
        let directory = path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
        let directory =
            fs::canonicalize(directory).map_err(|error| Error::system(Operation::FindDirectory, directory, error))?;
        let file = directory.join(name);
        match fs::symlink_metadata(&file) {
            Ok(meta) if meta.is_symlink() => path = directory.join(fs::read_link(&file).map_err(unreadable)?),
            // Opening a FIFO would wait, and replacing a device would ruin it.
            Ok(meta) if !meta.is_file() => return Err(Error::unusable(named, Flaw::NoFile)),
            Err(error) if error.kind() != ErrorKind::NotFound => return Err(unreadable(error)),
            Ok(_) | Err(_) => return Ok((directory, name.to_owned())),
        }
    }
    Err(unreadable(rustix::io::Errno::LOOP.into()))
}
