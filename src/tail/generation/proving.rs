//! What proves that a file is, or was, a generation: for a later tail, and against its copies.

use std::io;

use super::{Closed, Generation, Reading};
use crate::tail::copies::{copies, holds_read, packs, repeats, stands_at};
use crate::tail::files::Handle;
use crate::tail::position::Position;
use crate::tail::proof::HEAD;

impl Closed {
    /// Proves for later that it was read up to `offset`, as far as what is remembered reaches.
    pub(crate) fn prove(&self, offset: u64) -> Option<Position> {
        let behind = usize::try_from(self.offset.checked_sub(offset)?).unwrap_or(usize::MAX);
        let anchor = self.anchor.len().checked_sub(behind).filter(|length| *length > 0 || offset == 0)?;
        let head = usize::try_from(offset).unwrap_or(HEAD).min(self.head.bytes().len());
        let (head, anchor) = (self.head.bytes()[..head].to_vec(), self.anchor.bytes()[..anchor].to_vec());
        Some(Position { file: self.id, offset, size: self.size, ended: self.ended, head, anchor })
    }
}

impl Generation {
    /// Proves for later that the file was read up to `offset`; `None` if it wasn't, or if what stood there is neither
    /// remembered nor to be read any more.
    pub(crate) fn prove(&self, offset: u64) -> Option<Position> {
        let behind = usize::try_from(self.offset.checked_sub(offset)?).unwrap_or(usize::MAX);
        if self.reading != Reading::Anchored {
            return None;
        }
        if behind > 0
            && let Ok(Some(position)) = self.prove_by_reading(offset)
        {
            return Some(position);
        }
        // What is remembered was read, whatever has become of the file since.
        self.remember().prove(offset)
    }

    fn prove_by_reading(&self, offset: u64) -> io::Result<Option<Position>> {
        let position = Position::read(&*self.handle, &self.remember(), offset)?;
        // Looked at last: a file that was rewritten meanwhile is not what this was read from.
        let intact = self.is_intact()? && stands_at(&*self.handle, self.head.bytes(), 0)?;
        Ok(position.filter(|_| intact))
    }

    /// Whether what was read last still stands where it stood.
    pub(crate) fn is_intact(&self) -> io::Result<bool> {
        stands_at(&*self.handle, self.anchor.bytes(), self.offset - self.anchor.len() as u64)
    }

    /// Whether a file begins with what was read of this one.
    ///
    /// # Errors
    /// A read that failed.
    pub(crate) fn is_begun_in(&self, file: &dyn Handle) -> io::Result<bool> {
        holds_read(file, &self.remember())
    }

    /// Whether a file is nothing but a copy of this one.
    ///
    /// # Errors
    /// A read that failed.
    pub(crate) fn is_copied_by(&self, file: &dyn Handle) -> io::Result<bool> {
        if self.reading != Reading::Anchored {
            return Ok(false);
        }
        // What was cut since can only be compared with what is remembered of it.
        Ok(repeats(file, &*self.handle)? || (!self.is_intact()? && copies(file, &self.remember())?))
    }

    /// Whether a compressed file holds nothing but what stands in this one, or stood there.
    ///
    /// # Errors
    /// A read that failed.
    pub(crate) fn is_packed_in(&self, file: &dyn Handle) -> io::Result<bool> {
        if self.reading != Reading::Anchored {
            return Ok(false);
        }
        Ok(packs(file, &*self.handle)? || (!self.is_intact()? && copies(file, &self.remember())?))
    }
}
