//! How a tail minds what happens outside: events become marks, and what the engine wants becomes watches.

use std::collections::BTreeSet;
use std::path::Path;
use std::time::Instant;

use super::event::{Because, SourceId};
use super::source::Source;
use super::step::{Due, Want};
use super::turnover::Backlog;
use super::{SAFETY, Tail};
use crate::wake::{Appends, Follower, Notice, Woken};

impl Tail {
    /// Looks at names that may mean other files now, and holds these open, without reading anything.
    pub(super) fn attend(&mut self) {
        let now = Instant::now();
        self.look_around(now);
        self.engine.attend(now);
        // What was only watched now may have changed just before.
        while self.carry_out_wants() {
            self.engine.attend(now);
        }
    }

    /// Turns what has happened outside into marks.
    pub(super) fn look_around(&mut self, now: Instant) {
        let mut discover = self.discovery.is_due(now);
        let mut changes = BTreeSet::new();
        if now >= self.safety_at {
            self.safety_at = now + SAFETY;
            self.engine.mark_all_unannounced();
            discover = true;
        }
        self.engine.tick(now);
        self.wake.note_read(self.engine.take_read());
        match self.wake.drain(now) {
            None => {}
            Some(Woken::Marks(marked)) => {
                if marked.everything {
                    self.engine.forget_arrivals();
                    self.engine.mark_all();
                    discover = true;
                }
                for fd in marked.hot {
                    // Its watch returns before the look that follows, so that nothing is missed in between.
                    if let Some(source) = self.engine.quiet(fd, now)
                        && let Err(notice) = self.wake.cool(fd)
                    {
                        self.cover(source, notice);
                    }
                    self.engine.mark_descriptor(fd);
                }
                for fd in marked.descriptors {
                    self.engine.mark_descriptor(fd);
                }
                for source in marked.parked {
                    self.engine.mark_closed(source);
                }
                for follower in marked.names {
                    match follower {
                        Follower::Source(source) => {
                            // Whether a name is there decides what is to be watched for it.
                            if let Some(followed) = self.engine.source(source) {
                                let notice = self.wake.follow_again(source, followed.path());
                                self.cover(source, notice);
                            }
                            self.note_arrivals(source, Backlog::Unknown);
                            self.engine.mark(source, Due::NameAndFiles);
                        }
                        Follower::Pattern(_) => discover = true,
                    }
                }
                changes = marked.changes;
            }
            Some(Woken::EventsLost) => {
                self.engine.poll_all();
                discover = true;
            }
            Some(Woken::EventsBack) => {
                self.engine.watch_all();
                discover = true;
            }
        }
        if discover {
            self.discover(now);
        } else {
            let reports = self.discovery.review(&changes, &mut self.engine, &mut self.wake, now);
            self.reports.extend(reports);
        }
    }

    pub(super) fn discover(&mut self, now: Instant) {
        let reports = self.discovery.look(&mut self.engine, &mut self.wake, now);
        self.reports.extend(reports);
    }

    /// Sets and drops watches as the engine asks for; returns whether anything was to be done.
    pub(super) fn carry_out_wants(&mut self) -> bool {
        let wants = self.engine.take_wants();
        let (mut looks, mut counts) = (Vec::new(), Vec::new());
        let any_watch = wants.iter().any(Want::is_watch);
        // Room for one is room for all, as everything is looked at again; but only once what is open is watched.
        let wants_room = wants.iter().any(|want| matches!(want, Want::Room));
        let any_opened = wants.iter().any(|want| matches!(want, Want::Appends(..)));
        for want in wants {
            match want {
                Want::Name(source) => {
                    let Some(followed) = self.engine.source(source) else { continue };
                    let is_new = followed.is_new();
                    let notice = self.wake.follow_name(source, followed.path(), followed.reach());
                    self.cover(source, notice);
                    self.note_arrivals(source, Backlog::Unknown);
                    // What nobody has looked at as yet has its turn.
                    looks.extend((!is_new).then_some((source, Due::NameAndFiles)));
                }
                Want::Arrivals(source) => counts.push(source),
                Want::Appends(source, fd, file_system) => {
                    let path = self.engine.source(source).map_or(Path::new(""), Source::path);
                    let notice = self.wake.watch_appends(&Appends { path, fd, file_system });
                    self.cover(source, notice);
                    looks.push((source, Due::Files));
                }
                Want::Unannounced(source) => {
                    self.cover(source, Notice::ToldInPart);
                    looks.push((source, Due::Files));
                }
                Want::Release(fd) => self.wake.release(fd),
                Want::Park(source, fd) => {
                    let notice = self.wake.park(source, fd);
                    self.cover(source, notice);
                }
                Want::Unpark(source) => self.wake.unpark(source),
                Want::Forget(source) => self.wake.forget_name(source),
                Want::Compare(source, path, file) => {
                    if self.engine.compare(&path, file) {
                        looks.push((source, Due::NameAndFiles));
                    }
                }
                Want::Room | Want::Readable(_) | Want::Unreadable(_) => {}
            }
        }
        if wants_room && !self.engine.rest_some() {
            // What was opened a moment ago can be closed once it is read, which it is behind its watch.
            if any_opened || self.discovery.make_room(&mut self.engine) {
                self.engine.mark_all();
            } else if !self.engine.hurry(Instant::now()) {
                if !self.wake.make_room() {
                    self.engine.can_make_room(false);
                }
                self.engine.poll_all();
            }
        }
        if !counts.is_empty() && self.wake.has_events() {
            self.wake.catch_up();
            for source in counts {
                self.note_arrivals(source, Backlog::Heard);
                looks.push((source, Due::NameAndFiles));
            }
        }
        for (source, due) in &looks {
            self.engine.mark(*source, *due);
        }
        wants_room || any_watch || !looks.is_empty()
    }

    fn note_arrivals(&mut self, source: SourceId, backlog: Backlog) {
        if let Some(arrivals) = self.wake.arrivals(source) {
            self.engine.note_arrivals(source, arrivals, backlog);
        }
    }

    fn cover(&mut self, source: SourceId, notice: Notice) {
        match notice {
            Notice::Told => {}
            Notice::ToldInPart => self.engine.poll(source, Because::FileSystem),
            Notice::Untold => self.engine.poll(source, Because::NoWatch),
        }
    }
}
