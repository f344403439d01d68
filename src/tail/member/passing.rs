//! Bytes that the kernel passes on, unseen by us.

use std::io::{self, ErrorKind};
use std::os::fd::BorrowedFd;

use super::{Member, Stage};
use crate::tail::event::Age;
use crate::tail::files::FileId;
use crate::tail::lines::Framing;
use crate::tail::options::{Options, Passing};

impl Member {
    /// Whether bytes need not be looked at, and none that came before them are kept.
    pub(super) fn may_pass(&self, options: &Options, framing: Framing) -> bool {
        options.passing == Passing::Offered
            && framing == Framing::Bytes
            && self.lines.kept() == 0
            && matches!(self.stage, Stage::Initial | Stage::Following)
    }

    /// Has `pass` pass up to `length` bytes from the descriptor and offset that it is given; returns the last one, if
    /// there were any.
    pub(crate) fn pass(
        &mut self,
        length: u64,
        terminator: u8,
        pass: impl FnOnce(BorrowedFd<'_>, u64, u64) -> io::Result<u64>,
    ) -> io::Result<Option<u8>> {
        let offset = self.generation.offset();
        let Some(fd) = self.generation.fd() else { return Ok(None) };
        match pass(fd, offset, length) {
            Ok(count) => {
                // What can't be read now is found out at the next look, which says what is wrong.
                let last = self.generation.passed(count).unwrap_or(None);
                self.lines.pass(last.unwrap_or(terminator), terminator);
                Ok(last)
            }
            // Not every file system, nor every output, can do it.
            Err(error) if matches!(error.kind(), ErrorKind::InvalidInput | ErrorKind::Unsupported) => {
                self.generation.refuse_passing();
                Ok(None)
            }
            Err(error) => Err(error),
        }
    }

    /// What may be passed stands where this says; how old it is.
    pub(crate) fn passage(&self) -> (FileId, u64, u64, Age) {
        (self.file(), self.run, self.generation.offset(), self.age())
    }
}
