//! How a source reads the files that it holds, oldest first, and lets them go.

use std::io::{self, ErrorKind};
use std::os::fd::BorrowedFd;

use super::silence::About;
use super::{Origin, REMEMBERED, REMEMBERED_BY_ALL, Source, remember};
use crate::tail::event::{Age, Happening, Outlook};
use crate::tail::failures::is_silence;
use crate::tail::files::FileId;
use crate::tail::generation::{Closed, Passed, Rest};
use crate::tail::lines::Framing;
use crate::tail::member::{Again, Member, Progress, Role};
use crate::tail::name::State;
use crate::tail::options::{Following, ReadErrors};
use crate::tail::step::{Context, Delivery, Due, Step, Want};

/// The turn of one member, which has offered bytes to be passed.
#[derive(Debug)]
pub(crate) struct Turn<'a> {
    pub(super) member: &'a mut Member,
    pub(super) role: Role,
    pub(super) cursor: &'a mut usize,
}

impl Turn<'_> {
    /// What may be passed stands where this says; how old it is.
    pub(crate) fn passage(&self) -> (FileId, u64, u64, Age) {
        self.member.passage()
    }

    /// Has `pass` pass bytes as [`Member::pass`] does; returns the last one, if there were any. The turn is over when all
    /// that there was has been passed; not that of a file that has more to do at the end than to wait.
    pub(crate) fn pass(
        self,
        length: u64,
        terminator: u8,
        pass: impl FnOnce(BorrowedFd<'_>, u64, u64) -> io::Result<u64>,
    ) -> io::Result<Option<u8>> {
        let Passed { last, rest } = self.member.pass(length, terminator, pass)?;
        if rest == Rest::AtEnd && self.role == Role::Current {
            *self.cursor += 1;
        }
        Ok(last)
    }
}

impl Source {
    /// Reads the members in order, from the cursor on.
    pub(super) fn read(&mut self, context: &mut Context<'_>) -> Option<Step> {
        context.source = self.id;
        while self.cursor < self.members.len() && self.affairs.pending.is_empty() {
            if self.is_still_silent(context) || !self.affairs.pending.is_empty() {
                return None;
            }
            let role = self.role();
            // While an older file may still bring late lines, these and the newer one's must not tear each other.
            let framing = if self.members.len() > 1 { Framing::Lines } else { context.options.framing };
            let member = &self.members[self.cursor];
            if member.run() == 0
                && let Some(begin) = context.begin_by
            {
                context.start = begin(self.name.path(), member.file());
            }
            let progress = match self.members[self.cursor].advance(context, &mut self.runs, role, framing) {
                Progress::Stirred(look) => self.begin_run(look, role, framing, context),
                progress => progress,
            };
            match progress {
                Progress::Data(delivery) => {
                    self.changed = context.now;
                    return Some(Step::Data(delivery));
                }
                Progress::LastData(delivery, again) => {
                    self.look_again(again);
                    self.cursor += 1;
                    if self.cursor == self.members.len() {
                        self.due = Due::Nothing;
                    }
                    self.changed = context.now;
                    return Some(Step::Data(delivery));
                }
                Progress::DataThen(delivery, happenings) => {
                    self.affairs.pending.extend(happenings);
                    self.changed = context.now;
                    return Some(Step::Data(delivery));
                }
                Progress::Began(happenings) => {
                    self.changed = context.now;
                    let rotated = self.rotated();
                    self.affairs.pending.extend(rotated.into_iter().chain(happenings));
                }
                Progress::Happened(happenings) => {
                    self.changed = context.now;
                    self.affairs.pending.extend(happenings);
                }
                Progress::Cut(cut) => {
                    let Ok(copy) = self.copy_of(&cut.before, context) else {
                        self.members[self.cursor].wait_for_copy(cut);
                        self.read_later(context);
                        return None;
                    };
                    let (last, happenings) = self.members[self.cursor].go_on(cut, copy, &mut self.runs);
                    self.affairs.pending.extend(happenings);
                    self.changed = context.now;
                    if let Some(last) = last {
                        return Some(Step::Data(last));
                    }
                }
                Progress::Passable(length) => {
                    self.changed = context.now;
                    return Some(Step::Passable(length));
                }
                Progress::Working(age) => {
                    self.changed = context.now;
                    return Some(Step::Working { age, offset: self.members[self.cursor].read_of().0 });
                }
                Progress::LastWork(age, again) => {
                    let offset = self.members[self.cursor].read_of().0;
                    self.look_again(again);
                    self.cursor += 1;
                    if self.cursor == self.members.len() {
                        self.due = Due::Nothing;
                    }
                    self.changed = context.now;
                    return Some(Step::Working { age, offset });
                }
                // What stirred was acted on.
                Progress::Stirred(_) => return None,
                Progress::Failed(error) => return self.failed(error, role, context).map(Step::Data),
                Progress::Rest(again) => {
                    self.look_again(again);
                    self.cursor += 1;
                }
                Progress::Hold(again) => {
                    self.look_again(again);
                    self.cursor = self.members.len();
                }
                Progress::Done => return self.let_go(context).map(Step::Data),
            }
        }
        None
    }

    /// What the member at the cursor is to the source.
    pub(super) fn role(&self) -> Role {
        let newest = self.cursor + 1 == self.members.len();
        match self.state {
            State::Finishing => Role::Finishing,
            _ if self.following == Following::Nothing => Role::Printed,
            State::Live if newest => Role::Current,
            State::Absent(_) if newest => Role::Orphaned,
            _ => Role::Superseded,
        }
    }

    /// What is to be reported when the member at the cursor begins, if another file was read before it.
    fn rotated(&mut self) -> Option<Happening> {
        let to = self.members[self.cursor].file();
        let from = self.latest.replace(to).filter(|from| *from != to)?;
        let older = self.members.iter().find(|member| member.file() == from);
        Some(Happening::Rotated { from, to, renamed_to: older.and_then(|older| older.renamed_to(self.name.path())) })
    }

    pub(super) fn look_again(&mut self, again: Again) {
        if let Some(again) = again {
            self.affairs.files_again = Some(self.affairs.files_again.map_or(again, |at| at.min(again)));
        }
    }

    /// Closes the member at the cursor, which has been read to its end.
    fn let_go(&mut self, context: &mut Context<'_>) -> Option<Delivery> {
        let member = self.members.remove(self.cursor)?;
        if let Some(fd) = member.fd() {
            context.wants.push(Want::Release(fd));
        }
        let (last, happenings, closed) = member.finish();
        self.affairs.pending.extend(happenings);
        if let Some(closed) = closed {
            self.keep_closed(closed, context);
        }
        self.end_with_last();
        last
    }

    /// Remembers a file that was let go.
    pub(super) fn keep_closed(&mut self, closed: Closed, context: &mut Context<'_>) {
        let file = closed.id;
        remember(context.closed, closed.clone(), REMEMBERED_BY_ALL);
        remember(&mut self.affairs.closed, closed, REMEMBERED);
        let oldest = self.files().next().or_else(|| self.newest());
        self.beside.know_closed(file, oldest);
    }

    /// Ends the source when its last file was let go, unless its name may mean another one day.
    pub(super) fn end_with_last(&mut self) {
        let is_last = match self.state {
            State::Live | State::Finishing => true,
            State::Over => matches!(self.origin, Origin::Found(_)),
            State::New | State::Absent(_) => false,
        };
        if is_last && self.files().next().is_none() {
            self.state = State::Over;
            self.count_look();
            let (looked, known, copies) = (self.looked(), self.known(), self.copies());
            self.affairs.pending.push_back(Happening::Ended { looked, known, copies });
        }
    }

    /// A read failed: says so once, and tries again or gives up.
    fn failed(&mut self, error: io::Error, role: Role, context: &mut Context<'_>) -> Option<Delivery> {
        const ESTALE: i32 = rustix::io::Errno::STALE.raw_os_error();
        if error.kind() == ErrorKind::Interrupted {
            // Somebody wants to end; it is nothing that the file has done.
            self.read_later(context);
            return None;
        }
        self.looking = None;
        if is_silence(&error) && role != Role::Finishing {
            self.has_no_answer(About::Files);
            self.read_later(context);
            return None;
        }
        let member = &mut self.members[self.cursor];
        if error.raw_os_error() == Some(ESTALE)
            && member.may_renew(context.now)
            && let Ok(handle) = self.name.open(context.files)
            && let Ok(meta) = handle.meta()
            && meta.id == member.file()
        {
            let old = member.fd();
            member.replace_handle(handle, context.now);
            member.saw(&meta);
            context.wants.extend(old.map(Want::Release));
            context.wants.extend(member.want_appends(self.id));
        }
        let (happenings, outlook) = member.failed(error, role, context);
        self.affairs.pending.extend(happenings);
        if outlook == Outlook::GivenUp {
            return match context.options.read_errors {
                ReadErrors::KeepTrying => self.let_go(context),
                ReadErrors::GiveUp => self.give_up(context),
            };
        }
        self.read_later(context);
        None
    }

    /// Ends for want of the member at the cursor, which can't be read.
    fn give_up(&mut self, context: &mut Context<'_>) -> Option<Delivery> {
        self.state = State::Finishing;
        let last = self.let_go(context);
        if !self.members.is_empty() {
            self.finish();
        }
        context.wants.push(Want::Forget(self.id));
        last
    }
}
