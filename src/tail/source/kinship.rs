//! Whether a file is a copy of what a source has read, or will read.

use super::Source;
use super::resting::Resting;
use crate::tail::copies::{begins, is_run, packs_read};
use crate::tail::files::{Files, Handle, Links, Meta};
use crate::tail::member::Member;

/// What a file is to a log whose name a rotation may have made its name of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Kinship {
    /// Nothing.
    None,
    /// A copy of it in the making, or a file that happens to begin alike; or that is not known as yet.
    Perhaps,
    /// A copy of it.
    Copy,
}

impl Source {
    /// What a file is to this log, by what stands in it.
    pub(crate) fn kinship(&self, file: &dyn Handle, meta: &Meta, files: &dyn Files) -> Kinship {
        if self.files().next().is_none() {
            return Kinship::None;
        }
        if self.members.iter().any(|member| member.recovers_from(meta.id)) || self.beside.has_used(meta.id, meta.size)
        {
            return Kinship::Copy;
        }
        // However much there is of it: logs of many runs have banners in common, and some of them have no more.
        let is_doubtful = self.begins_with(file, files) || self.may_be_cut(files);
        if is_doubtful { Kinship::Perhaps } else { Kinship::None }
    }

    /// Whether a compressed file was made of one that it has, or had.
    pub(crate) fn has_packed(&self, file: &dyn Handle) -> bool {
        let closed = self.affairs.closed.iter().chain(self.resting.as_deref().map(Resting::closed));
        self.members.iter().any(|member| member.is_packed_in(file).unwrap_or(false))
            || closed.into_iter().any(|closed| packs_read(file, closed).unwrap_or(false))
            || self.has_run(file)
    }

    /// Whether a file holds just what one that it has was before it was cut.
    pub(crate) fn has_run(&self, file: &dyn Handle) -> bool {
        self.affairs.cut.iter().any(|run| is_run(file, run).unwrap_or(false))
    }

    /// Whether one of its files was cut, and not yet read since.
    fn may_be_cut(&self, files: &dyn Files) -> bool {
        let is_cut = |member: &Member| member.is_cut() || (self.is_due() && member.read_of().0 == 0);
        let has_changed = |resting: &Resting| {
            let meta = files.meta(self.path(), Links::Follow);
            meta.is_ok_and(|meta| meta.id == resting.file() && !resting.is_as_it_was(&meta))
        };
        self.members.iter().any(is_cut) || self.resting.as_deref().is_some_and(has_changed)
    }

    /// Whether a file is no more than the beginning of one that it has, or of what that was before it was cut.
    fn begins_with(&self, file: &dyn Handle, files: &dyn Files) -> bool {
        let resting = || {
            let own = self.resting.as_ref()?.file();
            let handle = files.open(self.name.path(), self.name.links()).ok()?;
            handle.meta().is_ok_and(|meta| meta.id == own).then_some(handle)
        };
        self.members.iter().any(|member| member.holds(file).unwrap_or(false))
            || resting().is_some_and(|handle| begins(file, &*handle).unwrap_or(false))
    }
}
