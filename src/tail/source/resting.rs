//! A file that is closed for the time being, since many others are open: it was read to its end, and is opened again
//! when something is to be read of it. Nobody outside notices.

use std::io;
use std::os::fd::RawFd;
use std::time::{Instant, SystemTime};

use super::{Origin, REMEMBERED_BY_ALL, Source, remember};
use crate::tail::event::{Happening, Loss};
use crate::tail::files::{FileId, Handle, Links, Meta};
use crate::tail::generation::{Closed, Generation};
use crate::tail::member::Member;
use crate::tail::name::{State, is_shortage};
use crate::tail::position::Position;
use crate::tail::step::{Context, Due, RETRY, Want};

#[derive(Debug)]
pub(super) struct Resting {
    closed: Closed,
    run: u64,
    /// How far it was read, which was its size.
    offset: u64,
    /// When it had been written to last.
    modified: SystemTime,
    /// What proves how far it was read.
    position: Option<Position>,
    /// Whether it was written to since, as far as anything told.
    written: bool,
    /// Since when it has had no name by which it could be opened.
    nameless_since: Option<Instant>,
}

impl Resting {
    pub(super) fn file(&self) -> FileId {
        self.closed.id
    }

    /// Proves for later that it was read up to an offset; `None` if that can't be proved.
    pub(super) fn prove(&self, run: u64, offset: u64) -> Option<Position> {
        self.position.clone().filter(|_| (run, offset) == (self.run, self.offset))
    }

    pub(super) fn note_write(&mut self) {
        self.written = true;
    }

    pub(super) fn note_name(&mut self) {
        self.nameless_since = None;
    }

    fn is_as_it_was(&self, meta: &Meta) -> bool {
        (meta.id, meta.size, meta.modified) == (self.file(), self.offset, self.modified)
    }
}

impl Source {
    /// Closes the only file that a pattern has found, if it has been read to its end; returns its descriptor, of which
    /// the watch is to stay.
    pub(crate) fn rest(&mut self) -> Option<RawFd> {
        let idle = self.state == State::Live && self.members.len() == 1 && self.pending.is_empty();
        if !idle || self.due > Due::Files || !matches!(self.origin, Origin::Found(_)) {
            return None;
        }
        let member = self.members.pop_back()?;
        let (fd, run) = (member.fd(), member.run());
        match member.into_closed() {
            Ok((closed, meta, position)) => {
                let (offset, modified) = (meta.size, meta.modified);
                self.resting =
                    Some(Resting { closed, run, offset, modified, position, written: false, nameless_since: None });
                self.files_again = None;
                fd
            }
            Err(member) => {
                self.members.push_back(*member);
                None
            }
        }
    }

    /// Whether there is more in its open files than was seen.
    pub(crate) fn has_grown(&self) -> bool {
        self.members.iter().any(Member::has_grown)
    }

    /// Whether its file is closed for the time being.
    pub(crate) fn is_resting(&self) -> bool {
        self.resting.is_some()
    }

    /// Opens the file again if it is not as it was.
    pub(super) fn wake_up(&mut self, context: &mut Context<'_>) {
        let Some(mut resting) = self.resting.take() else { return };
        if self.state == State::Over {
            return self.wait_for_name(resting, context);
        }
        let finishing = self.state == State::Finishing;
        match context.files.meta(self.name.path(), Links::Follow) {
            Ok(meta) if resting.is_as_it_was(&meta) && finishing => {
                resting.written = false;
                return self.end_resting(resting);
            }
            Ok(meta) if resting.is_as_it_was(&meta) => resting.written = false,
            Ok(meta) if meta.id == resting.file() => match self.open_again(&resting, context) {
                Ok((handle, meta)) => return self.go_on(resting, handle, &meta, context),
                Err(error) => {
                    if is_shortage(&error) && context.can_make_room {
                        context.wants.push(Want::Room);
                    }
                    resting.written = true;
                    self.look_again(Some(context.now + RETRY));
                }
            },
            // It goes by another name, or by none, of which we will hear.
            _ if finishing => return self.end_resting(resting),
            _ => {}
        }
        self.resting = Some(resting);
    }

    fn open_again(&self, resting: &Resting, context: &Context<'_>) -> io::Result<(Box<dyn Handle>, Meta)> {
        let handle = self.name.open(context.files)?;
        let meta = handle.meta()?;
        if meta.id == resting.file() { Ok((handle, meta)) } else { Err(io::ErrorKind::NotFound.into()) }
    }

    fn go_on(&mut self, resting: Resting, handle: Box<dyn Handle>, meta: &Meta, context: &mut Context<'_>) {
        let generation = Generation::reopened(handle, meta, context.options, resting.closed);
        let mut member = Member::resumed(generation, resting.run, context.now);
        if self.state == State::Finishing {
            member.limit_to_now();
        }
        context.wants.extend(member.want_appends(self.id));
        context.wants.push(Want::Unpark(self.id));
        self.members.push_back(member);
    }

    /// Its file has lost its name. As long as it would be read on if it were open, it may get another; if it was written
    /// to meanwhile, that can't be had.
    fn wait_for_name(&mut self, mut resting: Resting, context: &mut Context<'_>) {
        let since = *resting.nameless_since.get_or_insert(context.now);
        let until = since.checked_add(context.rotate_wait);
        if until.is_none_or(|until| context.now < until) {
            self.look_again(until);
            self.resting = Some(resting);
            return;
        }
        context.wants.push(Want::Unpark(self.id));
        remember(context.closed, resting.closed.clone(), REMEMBERED_BY_ALL);
        self.end_resting(resting);
    }

    fn end_resting(&mut self, resting: Resting) {
        let Resting { closed, run, offset, position, written, .. } = resting;
        let file = closed.id;
        self.state = State::Over;
        if written {
            self.pending.push_back(Happening::Lost { file, range: None, reason: Loss::Unreadable });
        }
        self.pending.push_back(Happening::Closed { file, run, offset, size: offset, position });
        let (looked, known) = (self.looked(), self.known());
        self.pending.push_back(Happening::Ended { looked, known });
    }
}
