//! A file that is closed for the time being, since many others are open: it was read to its end, and is opened again
//! when something is to be read of it. Nobody outside notices.

use std::collections::VecDeque;
use std::io;
use std::os::fd::RawFd;
use std::path::{Path, PathBuf};
use std::time::{Instant, SystemTime};

use super::silence::About;
use super::{Origin, Source};
use crate::tail::event::{Happening, Loss, Noticed};
use crate::tail::failures::is_silence;
use crate::tail::files::{FileId, Files, Handle, Links, Meta};
use crate::tail::generation::{Closed, Generation};
use crate::tail::lineage::{self, Find};
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
    written: Written,
    /// Since when it has had no name that is its source's.
    nameless_since: Option<Instant>,
    /// When it was last sought among the names of its directory.
    sought: Option<Instant>,
}

/// A file was closed for the time being.
pub(crate) struct Rested {
    /// Its descriptor, of which the watch is to stay, if it can have one.
    pub(crate) fd: Option<RawFd>,
}

/// Whether a closed file was written to since.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Written {
    /// Not as far as anything told, and it would have been told.
    No,
    /// Nobody can be relied on to have told it.
    Perhaps,
    Yes,
}

/// Where a closed file is.
enum Whereabouts {
    /// Its source's name means it, and this is what it is now.
    Named(Meta),
    /// It stands here.
    Elsewhere(PathBuf),
    /// It was not sought, or can't have been found for certain.
    Unknown,
    /// There is no answer to that.
    Unanswered,
    /// Its directory has it no more.
    Gone,
}

impl Resting {
    pub(super) fn file(&self) -> FileId {
        self.closed.id
    }

    pub(super) fn closed(&self) -> &Closed {
        &self.closed
    }

    /// Proves for later that it was read up to an offset; `None` if that can't be proved.
    pub(super) fn prove(&self, run: u64, offset: u64) -> Option<Position> {
        self.position.clone().filter(|_| (run, offset) == (self.run, self.offset))
    }

    pub(super) fn note_name(&mut self) {
        (self.nameless_since, self.sought) = (None, None);
    }

    pub(super) fn restart_quiet(&mut self, now: Instant) {
        self.nameless_since = self.nameless_since.map(|_| now);
    }

    pub(super) fn is_as_it_was(&self, meta: &Meta) -> bool {
        (meta.id, meta.size, meta.modified) == (self.file(), self.offset, self.modified)
    }
}

impl Source {
    /// Closes the only file that a pattern has found, if it has been read to its end.
    pub(crate) fn rest(&mut self) -> Option<Rested> {
        let idle = self.state == State::Live && self.members.len() == 1 && self.affairs.pending.is_empty();
        if !idle || self.is_resting() || self.due > Due::Files || !matches!(self.origin, Origin::Found(_)) {
            return None;
        }
        let member = self.members.pop_back()?;
        let (fd, run) = (member.fd(), member.run());
        match member.into_closed() {
            Ok((closed, meta, position)) => {
                let (offset, modified) = (meta.size, meta.modified);
                let (written, nameless_since, sought) = (Written::No, None, None);
                let resting = Resting { closed, run, offset, modified, position, written, nameless_since, sought };
                self.resting = Some(Box::new(resting));
                // It is there to save room.
                self.members = VecDeque::new();
                self.forget_appointment();
                Some(Rested { fd })
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

    /// The file that is closed for the time being was written to.
    pub(crate) fn note_write(&mut self) {
        self.resting.iter_mut().for_each(|resting| resting.written = Written::Yes);
    }

    /// Whether the file that is closed for the time being was written to is not known any more.
    pub(crate) fn doubt(&mut self) {
        self.resting.iter_mut().for_each(|resting| resting.written = resting.written.max(Written::Perhaps));
    }

    /// Opens the file again if it is not as it was, wherever it stands now; lets it go if its name means it no more and
    /// nothing has come of it for long enough.
    pub(super) fn wake_up(&mut self, context: &mut Context<'_>) {
        let Some(mut resting) = self.resting.take() else { return };
        if context.noticed != Noticed::ByEvents {
            resting.written = resting.written.max(Written::Perhaps);
        }
        let finishing = self.state == State::Finishing;
        let whereabouts = self.whereabouts(&mut resting, context);
        match whereabouts {
            Whereabouts::Unanswered if !finishing => {
                self.has_no_answer(About::Files);
                self.look_again(Some(context.now + RETRY));
                self.resting = Some(resting);
                return;
            }
            _ => self.has_answer(About::Files, context),
        }
        let place = match &whereabouts {
            Whereabouts::Named(meta) if resting.is_as_it_was(meta) => {
                resting.written = Written::No;
                None
            }
            Whereabouts::Named(_) => Some((self.name.path(), self.name.links())),
            Whereabouts::Elsewhere(path) => Some((path.as_path(), Links::Refuse)),
            Whereabouts::Unknown | Whereabouts::Unanswered | Whereabouts::Gone => None,
        };
        match place.map(|(path, links)| open_again(path, links, &resting, context.files)) {
            Some(Ok((handle, meta))) => return self.go_on(resting, handle, &meta, context),
            Some(Err(error)) => {
                let short = is_shortage(&error) && context.can_make_room;
                resting.written = Written::Yes;
                if short {
                    context.wants.push(Want::Room);
                }
                if short || !finishing {
                    self.look_again(Some(context.now + RETRY));
                    self.resting = Some(resting);
                    return;
                }
            }
            None => {}
        }
        let lost = matches!(whereabouts, Whereabouts::Gone) && resting.written == Written::Yes;
        match self.state {
            State::Finishing => self.end_resting(resting, context),
            State::Over if lost => self.end_resting(resting, context),
            _ if lost && !self.members.is_empty() => self.end_resting(resting, context),
            State::Over => self.wait_for_name(resting, context),
            _ if !self.members.is_empty() => self.wait_for_name(resting, context),
            // Its name is looked after by those who have found it.
            _ => {
                let seek = matches!(whereabouts, Whereabouts::Unknown).then(|| context.now + RETRY);
                self.look_again(seek.filter(|_| resting.written != Written::No));
                self.resting = Some(resting);
            }
        }
    }

    /// Finds out where a closed file is. Beside its name it is sought only if it may have been written to, since that is
    /// dear where there are many files.
    fn whereabouts(&self, resting: &mut Resting, context: &Context<'_>) -> Whereabouts {
        let (files, path) = (context.files, self.name.path());
        match files.meta(path, Links::Follow) {
            Ok(meta) if meta.id == resting.file() => return Whereabouts::Named(meta),
            Err(error) if is_silence(&error) => return Whereabouts::Unanswered,
            _ => {}
        }
        if resting.written == Written::No {
            return Whereabouts::Unknown;
        }
        // Whoever has found it will most likely say at once what its name is now.
        let is_named = self.state == State::Live && self.members.is_empty();
        if is_named {
            resting.sought.get_or_insert(context.now);
        }
        let lately = resting.sought.is_some_and(|sought| context.now < sought + RETRY);
        if lately && self.state != State::Finishing {
            return Whereabouts::Unknown;
        }
        resting.sought = Some(context.now);
        match lineage::find(files, path, resting.file()) {
            Ok(Find::At(path)) => Whereabouts::Elsewhere(path),
            Ok(Find::Gone) => Whereabouts::Gone,
            Err(error) if is_silence(&error) => Whereabouts::Unanswered,
            Ok(Find::Unsure) | Err(_) => Whereabouts::Unknown,
        }
    }

    /// Goes on with the file, before those that came after it.
    pub(super) fn go_on(
        &mut self,
        resting: Box<Resting>,
        handle: Box<dyn Handle>,
        meta: &Meta,
        context: &mut Context<'_>,
    ) {
        let generation = Generation::reopened(handle, meta, context.options, resting.closed);
        let mut member = Member::resumed(generation, resting.run, context.now);
        if self.state == State::Finishing {
            member.limit_to_now();
        }
        context.wants.extend(member.want_appends(self.id));
        context.wants.push(Want::Unpark(self.id));
        self.members.reserve_exact(1);
        self.members.push_front(member);
        self.cursor = 0;
    }

    /// Its file has lost its name. As long as it would be read on if it were open, it may get another, or be written to.
    fn wait_for_name(&mut self, mut resting: Box<Resting>, context: &mut Context<'_>) {
        let since = *resting.nameless_since.get_or_insert(context.now);
        let until = since.checked_add(context.rotate_wait);
        if until.is_some_and(|until| until <= context.now) {
            return self.end_resting(resting, context);
        }
        let seek = (resting.written != Written::No).then(|| context.now + RETRY);
        self.look_again([until, seek].into_iter().flatten().min());
        self.resting = Some(resting);
    }

    /// Lets the closed file go. If it was written to meanwhile, that can't be had.
    fn end_resting(&mut self, resting: Box<Resting>, context: &mut Context<'_>) {
        let Resting { closed, run, offset, position, written, .. } = *resting;
        let file = closed.id;
        context.wants.push(Want::Unpark(self.id));
        if written == Written::Yes {
            self.affairs.pending.push_back(Happening::Lost { file, range: None, reason: Loss::Gone });
        }
        self.affairs.pending.push_back(Happening::Closed { file, run, offset, size: offset, position });
        self.keep_closed(closed, context);
        self.end_with_last();
    }
}

fn open_again(
    path: &Path,
    links: Links,
    resting: &Resting,
    files: &dyn Files,
) -> io::Result<(Box<dyn Handle>, Meta)> {
    let handle = files.open(path, links)?;
    let meta = handle.meta()?;
    if meta.id == resting.file() { Ok((handle, meta)) } else { Err(io::ErrorKind::NotFound.into()) }
}
