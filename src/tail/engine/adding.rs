//! How sources come to be, and whose the open files are.

use std::collections::HashSet;
use std::path::{Path, PathBuf};
use std::time::{Instant, SystemTime};

use super::{Cause, Engine, Slot};
use crate::tail::event::{Arrival, Because, Noticed, SourceId};
use crate::tail::files::{FileId, Handle, Links, Meta, open};
use crate::tail::gzip::Unpacked;
use crate::tail::lineage;
use crate::tail::options::{Following, Lineage};
use crate::tail::position::Resume;
use crate::tail::source::{FirstSight, Kinship, Missed, Source};
use crate::tail::step::{Content, Due, Others, Pinned, Want};

impl Engine {
    /// Follows a name.
    pub(crate) fn add_name(&mut self, path: PathBuf, now: Instant) -> SourceId {
        let id = self.next_id();
        let source = Source::named(id, path, self.options.following, now);
        self.want_name(id);
        self.insert(id, source);
        if let Some(slot) = self.slots.get_mut(&id) {
            slot.is_named = true;
        }
        if !self.patterns.is_empty() {
            self.note_name(id);
        }
        id
    }

    /// Notes whose a name is, if it was asked for.
    pub(super) fn note_name(&mut self, id: SourceId) {
        if let Some(slot) = self.slots.get(&id).filter(|slot| slot.is_named) {
            self.named.entry(slot.source.path().to_owned()).or_default().push(id);
        }
    }

    /// Follows a name from where an earlier tail had come to.
    pub(crate) fn add_resumed(&mut self, saved: Resume, now: Instant) -> SourceId {
        let id = self.next_id();
        let source = Source::resumed(id, saved, self.options.following, now);
        self.want_name(id);
        self.insert(id, source)
    }

    /// Follows a file that a pattern of an earlier tail has found.
    pub(crate) fn add_resumed_found(&mut self, saved: Resume, now: Instant) -> SourceId {
        let id = self.next_id();
        let source = Source::resumed_found(id, saved, self.options.following, now);
        self.insert(id, source)
    }

    /// Follows standard input, or another file that is open already.
    pub(crate) fn add_open(&mut self, path: PathBuf, handle: Box<dyn Handle>, now: Instant) -> SourceId {
        let id = self.next_id();
        let (_, mut context) = self.context(id, now);
        let source = Source::opened(id, path, handle, &mut context);
        self.insert(id, source)
    }

    /// Follows a file that a pattern has found, whatever its name becomes.
    pub(crate) fn add_found(&mut self, path: PathBuf, arrival: Arrival, sight: FirstSight, now: Instant) -> SourceId {
        let id = self.next_id();
        let source = Source::found(id, path, arrival, sight, now);
        self.insert(id, source);
        if arrival != Arrival::First {
            self.begin_later(id);
        }
        id
    }

    /// Follows a file that a pattern has found and that had this name; it is open.
    pub(crate) fn add_held(&mut self, path: PathBuf, handle: Box<dyn Handle>, now: Instant) -> SourceId {
        let id = self.next_id();
        let (_, mut context) = self.context(id, now);
        let source = Source::held(id, path, handle, &mut context);
        self.insert(id, source);
        self.begin_later(id);
        id
    }

    /// Reports that a file that a pattern has found is gone, with all that was in it.
    pub(crate) fn add_lost(&mut self, path: PathBuf, file: FileId, size: u64, now: Instant) {
        let id = self.next_id();
        self.insert(id, Source::lost(id, path, file, size, now));
        self.begin_later(id);
    }

    /// Has a source take its turn behind what was there before it.
    fn begin_later(&mut self, id: SourceId) {
        self.starting.retain(|starting| *starting != id);
        self.mark(id, Due::NameAndFiles);
    }

    /// A file that a pattern has brought is still found, under this name.
    pub(crate) fn keep_found(&mut self, id: SourceId, path: PathBuf) {
        if let Some(slot) = self.slots.get_mut(&id) {
            slot.source.attach(path);
            if slot.source.members().next().is_none() {
                // It went away before it could be opened, and is there again.
                self.mark(id, Due::NameAndFiles);
            }
        }
    }

    /// What a file is to a log.
    pub(crate) fn kinship(&self, log: SourceId, file: &dyn Handle, meta: &Meta) -> Kinship {
        let log = self.source(log).filter(|_| self.options.lineage == Lineage::Find);
        log.map_or(Kinship::None, |log| log.kinship(file, meta, &*self.files))
    }

    /// Finds out whether a compressed file was made of what some source has. False if it can't be told as yet.
    pub(crate) fn compare(&mut self, path: &Path, file: FileId) -> bool {
        let opened = open(&*self.files, path, Links::Refuse);
        let Some((meta, handle)) = opened.ok().filter(|(meta, _)| meta.id == file) else { return false };
        let Ok(unpacked) = Unpacked::new(handle, path, &self.interrupt) else { return false };
        if unpacked.is_growing(&meta, self.files.now()) {
            return false;
        }
        let origins: Vec<_> = lineage::origins(path).collect();
        let is_relative = |other: &Path| {
            other.parent() == path.parent()
                && (origins.iter().any(|origin| origin == other)
                    || lineage::origins(other).any(|origin| origins.contains(&origin)))
        };
        let is_its = |source: &Source| is_relative(source.path()) && source.has_packed(&unpacked);
        let followed = self.sources().any(|(_, source)| is_its(source));
        self.compressed.insert(file, if followed { Content::Followed } else { Content::Unknown });
        true
    }

    /// Holds a file open that may be a copy, so that it can be read as one although its name goes.
    pub(crate) fn pin(&mut self, file: FileId, pinned: Pinned) {
        self.pins.get_mut().insert(file, pinned);
    }

    /// Holds such a file no more; `None` if it was found to be a copy, and taken.
    pub(crate) fn unpin(&mut self, file: FileId) -> Option<Pinned> {
        self.pins.get_mut().remove(&file)
    }

    /// The source that was asked for by this name.
    pub(crate) fn named(&self, path: &Path) -> Option<SourceId> {
        self.named.get(path)?.first().copied()
    }

    /// Those of these names that may have meant files which have others now, as far as that matters.
    pub(crate) fn rotated<'p>(&self, paths: impl Iterator<Item = &'p Path>) -> HashSet<PathBuf> {
        match self.options.lineage {
            Lineage::Find => lineage::rotated_away(&*self.files, paths),
            Lineage::Ignore => HashSet::new(),
        }
    }

    /// A newer file stands under the only name of one that a pattern has brought: it is the next of that source.
    pub(crate) fn succeed_found(&mut self, id: SourceId, path: PathBuf) {
        if let Some(slot) = self.slots.get_mut(&id) {
            slot.source.succeed(path);
            self.mark(id, Due::NameAndFiles);
        }
    }

    /// The name of a file that a pattern has brought was seen to mean that.
    pub(crate) fn saw_found(&mut self, id: SourceId, at: SystemTime) {
        if let Some(slot) = self.slots.get_mut(&id) {
            slot.source.saw_name(at);
        }
    }

    /// A file that a pattern has brought is found no more.
    pub(crate) fn drop_found(&mut self, id: SourceId, missed: Missed) {
        if let Some(slot) = self.slots.get_mut(&id) {
            slot.source.detach(missed);
            self.mark(id, Due::NameAndFiles);
        }
    }

    /// A name is watched before it is looked at; whoever follows descriptors needs that only while there is none.
    fn want_name(&mut self, id: SourceId) {
        if self.options.following == Following::Name {
            self.wants.push(Want::Name(id));
        }
    }

    fn next_id(&mut self) -> SourceId {
        self.added += 1;
        SourceId(self.added - 1)
    }

    pub(super) fn insert(&mut self, id: SourceId, source: Source) -> SourceId {
        // Until its watches are set, nothing but looking tells of changes; setting them marks it again.
        let asked = self.options.poll_only;
        let noticed = if asked { Noticed::ByPolling(Because::Asked) } else { Noticed::ByEvents };
        let slot = Slot { source, held: Box::default(), noticed, cause: Cause::Told, queued: false, is_named: false };
        self.slots.insert(id, Box::new(slot));
        self.starting.push_back(id);
        self.note_files(id);
        id
    }

    /// Notes which files a source has open.
    pub(super) fn note_files(&mut self, id: SourceId) {
        let Some(slot) = self.slots.get_mut(&id) else { return };
        if slot.source.files().eq(slot.held.iter().copied()) {
            return;
        }
        let held = slot.source.files().collect();
        let old = std::mem::replace(&mut slot.held, held);
        for file in old {
            self.holders.remove(&(file, id));
        }
        self.holders.extend(slot.held.iter().map(|file| (*file, id)));
    }

    /// The source that has a file open; of several the first.
    pub(crate) fn holder(&self, file: FileId) -> Option<SourceId> {
        let Self { holders, patterns, compressed, pins, .. } = self;
        Others { holders, patterns, compressed, pins }.holders_of(file).next()
    }

    /// The source that was asked for by this name and waits for a file.
    pub(crate) fn awaiting(&self, path: &Path) -> Option<SourceId> {
        self.named.get(path)?.iter().copied().find(|id| self.is_waiting(*id))
    }

    /// Whether a source waits for a file to come under its name.
    pub(crate) fn is_waiting(&self, id: SourceId) -> bool {
        self.source(id).is_some_and(|source| source.members().next().is_none() && source.needs_name())
    }
}
