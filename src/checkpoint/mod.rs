//! The checkpoint file: where each source was left, kept for the next run.
//!
//! It is replaced whole or not at all: whatever happens, a full disk or a kill at any moment, the file holds the old
//! positions or the new ones. What can't be read is refused, never taken for nothing. One process at a time has it.
//!
//! Not here: what a position means and whether it still fits its file, when to save, and who is told of a failure.

mod error;
mod format;
mod lock;
mod place;

#[cfg(test)]
mod tests;

use std::fs::File;
use std::io::Read;
use std::path::PathBuf;

use crate::tail::Resume;

pub use self::error::{Error, Flaw, Operation};
use self::lock::{Lock, Refused};
use self::place::Place;

/// A checkpoint file that is ours until this is dropped.
///
/// It holds one descriptor, that of the lock, and needs one more while it saves.
#[derive(Debug)]
pub struct Checkpoint {
    place: Place,
    saved: Vec<Resume>,
    /// Whether the file is known to hold just `saved`.
    settled: bool,
    _lock: Lock,
}

impl Checkpoint {
    /// Locks the file of this name, reads it and makes sure that it can be replaced. It need not exist; nothing is
    /// saved then. A file that is there is not touched.
    ///
    /// The name is resolved now: changing the directory or redirecting a link later changes nothing. Of a symbolic
    /// link, the file it leads to is meant.
    ///
    /// # Errors
    /// When another process has it, when it can't be read or replaced, and when it holds anything but a whole
    /// checkpoint of a known version.
    pub fn open(path: impl Into<PathBuf>) -> Result<Self, Error> {
        let place = Place::find(path.into())?;
        let lock = Lock::take(&place.lock_path()).map_err(|refused| match refused {
            Refused::Held(holder) => Error::InUse { path: place.named().to_owned(), holder },
            Refused::Failed(error) => Error::system(Operation::Lock, &place.lock_path(), error),
        })?;
        let saved = match place.open()? {
            Some(file) => Some(read(&place, &file)?),
            None => None,
        };
        place.prepare()?;
        Ok(Self { place, settled: saved.is_some(), saved: saved.unwrap_or_default(), _lock: lock })
    }

    /// What the file held when it was last read or written; empty if there was none.
    #[must_use]
    pub fn saved(&self) -> &[Resume] {
        &self.saved
    }

    /// The paths of all files that are made for it.
    #[must_use]
    pub fn paths(&self) -> [PathBuf; 3] {
        self.place.paths()
    }

    /// Replaces what is saved, and returns when that is safe on the disk. What the file holds already is not written
    /// again.
    ///
    /// # Errors
    /// When the system refuses, most often because the disk is full. The file is as it was, and nothing is left
    /// beside it; saving can be tried again. Only when making the new name safe is what failed, the file may be the
    /// new one.
    pub fn save(&mut self, sources: &[Resume]) -> Result<(), Error> {
        if self.settled && self.saved == sources {
            return Ok(());
        }
        self.settled = false;
        self.place.replace(sources)?;
        self.saved = sources.to_vec();
        self.settled = true;
        Ok(())
    }
}

fn read(place: &Place, mut file: &File) -> Result<Vec<Resume>, Error> {
    let failed = |error| Error::system(Operation::Read, place.named(), error);
    let unusable = |flaw| Error::unusable(place.named(), flaw);
    // A log given by mistake may be larger than the memory.
    let mut text = Vec::new();
    file.take(format::BEGINNING).read_to_end(&mut text).map_err(failed)?;
    format::check_beginning(&text).map_err(unusable)?;
    file.read_to_end(&mut text).map_err(failed)?;
    format::read(&text).map_err(unusable)
}
