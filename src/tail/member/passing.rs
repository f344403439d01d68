//! Bytes that the kernel passes on, unseen by us.

use std::io::{self, ErrorKind};
use std::os::fd::BorrowedFd;

use super::{Member, Stage};
use crate::tail::event::Age;
use crate::tail::files::FileId;
use crate::tail::generation::{Passed, Rest};
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

    /// Has `pass` pass up to `length` bytes from the descriptor and offset that it is given. At its end, only a file that
    /// has nothing else to report is at rest.
    pub(crate) fn pass(
        &mut self,
        length: u64,
        terminator: u8,
        pass: impl FnOnce(BorrowedFd<'_>, u64, u64) -> io::Result<u64>,
    ) -> io::Result<Passed> {
        let offset = self.generation.offset();
        let nothing = Passed { last: None, rest: Rest::More };
        let Some(fd) = self.generation.fd() else { return Ok(nothing) };
        match pass(fd, offset, length) {
            Ok(count) => {
                // What can't be read now is found out at the next look, which says what is wrong.
                let Passed { last, rest } = self.generation.passed(count).unwrap_or(nothing);
                self.lines.pass(last.unwrap_or(terminator), terminator);
                let done = matches!(self.stage, Stage::Following) && self.unrest.flaw.is_none();
                Ok(Passed { last, rest: if done { rest } else { Rest::More } })
            }
            // Not every file system, nor every output, can do it.
            Err(error) if matches!(error.kind(), ErrorKind::InvalidInput | ErrorKind::Unsupported) => {
                self.generation.refuse_passing();
                Ok(nothing)
            }
            Err(error) => Err(error),
        }
    }

    /// What may be passed stands where this says; how old it is.
    pub(crate) fn passage(&self) -> (FileId, u64, u64, Age) {
        (self.file(), self.run, self.generation.offset(), self.age())
    }
}
