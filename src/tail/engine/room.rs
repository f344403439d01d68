//! What is closed so that other files can be opened.

use std::time::{Duration, Instant};

use super::Engine;
use crate::tail::event::SourceId;
use crate::tail::step::{Due, Want};

/// How long files that were rotated are let go at once when descriptors are short.
const HURRY: Duration = Duration::from_secs(1);

impl Engine {
    /// Closes the file of a source that a pattern has found, if it was read to its end, until there is more in it.
    pub(crate) fn rest_file(&mut self, id: SourceId) -> bool {
        // A watch can be kept once it is there.
        if self.wants.iter().any(|want| matches!(want, Want::Appends(source, ..) if *source == id)) {
            return false;
        }
        let Some(rested) = self.slots.get_mut(&id).and_then(|slot| slot.source.rest()) else { return false };
        self.wants.extend(rested.fd.map(|fd| Want::Park(id, fd)));
        // It may have grown while it was being closed.
        self.mark(id, Due::NameAndFiles);
        true
    }

    /// Closes files that have not changed for longest, as many as one in four that are open, so that others can be
    /// opened, and has everything looked at; false if there are none to close, nor will be.
    pub(crate) fn rest_some(&mut self) -> bool {
        let open = self.slots.iter().filter(|(_, slot)| slot.source.members().next().is_some());
        let mut open: Vec<_> = open.map(|(id, slot)| (slot.source.changed(), *id)).collect();
        open.sort_unstable();
        let enough = open.len().div_ceil(4);
        let mut rested = 0;
        for (_, id) in &open {
            if rested < enough && self.rest_file(*id) {
                rested += 1;
            }
        }
        // Those of whose writers no event has told as yet can be closed once they are read.
        let can_be_read = |id| self.source(id).is_some_and(|source| !source.is_due() && source.has_grown());
        let any = rested > 0 || open.iter().any(|(_, id)| can_be_read(*id));
        if any {
            self.mark_all();
        }
        any
    }

    /// Lets rotated files go as soon as they are read out, for a moment; false if there are none.
    pub(crate) fn hurry(&mut self, now: Instant) -> bool {
        let any = self.hurry_until <= now && self.slots.values().any(|slot| slot.source.files().nth(1).is_some());
        if any {
            self.hurry_until = now + HURRY;
            self.mark_all();
        }
        any
    }

    /// Says whether descriptors could be given up if files need them.
    pub(crate) fn can_make_room(&mut self, can: bool) {
        self.can_make_room = can;
    }
}
