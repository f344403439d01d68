//! The files beside a name, as its source knows them: what was seen there, and what is new.
//!
//! A [`Beside`] lists them, has `lineage` and `copies` say what they are, and opens those that matter. It reads nothing
//! of them but what tells a copy from a generation. Rotations go on meanwhile: what it says of a directory is
//! as of one moment, and an opened file is the one that was listed.

mod opening;
mod saved;
mod unread;

use std::collections::VecDeque;
use std::io;
use std::sync::atomic::AtomicBool;
use std::time::SystemTime;

use self::opening::{list, open_copy, open_oldest, open_sibling, was_copied_from};
pub(crate) use self::saved::{Place, find_saved};
use super::copies::{copies, is_run, packs, packs_read};
use super::failures::{Failures, is_silence};
use super::files::{FileId, Files, Handle, Meta};
use super::generation::Closed;
use super::lineage::{self, Between, Certainty, Cuts, Form, PREPARED, Sibling};
use super::member::{Claim, Copy, Member};
use super::name::{Name, is_shortage};
use super::position::Copied;
use super::seldom::{MayBeEmpty, Seldom};
use super::step::{Others, Pinned, Pins};

/// How often a directory whose files are renamed before they are opened is listed anew.
const ATTEMPTS: usize = 8;

/// What is known of the files beside a name.
#[derive(Debug, Default)]
pub(crate) struct Beside {
    /// When the name was last seen to mean the newest generation, or nothing, and all that it had meant was read.
    looked: Option<SystemTime>,
    there: Seldom<There>,
}

/// What of the files beside a name has to do with it.
#[derive(Debug)]
struct There {
    /// Files that were there while the name meant that: no later generation is among them.
    known: Vec<FileId>,
    /// Copies that have given what they had.
    used: Vec<Copied>,
    /// The same, by an earlier tail: what it has shown of them may not have been accepted.
    inherited: Vec<Copied>,
    /// Files that are not there any more, and in which their content was found.
    moved: Vec<(FileId, FileId)>,
}

impl There {
    const NOTHING: Self = Self { known: Vec::new(), used: Vec::new(), inherited: Vec::new(), moved: Vec::new() };
}

impl Default for There {
    fn default() -> Self {
        Self::NOTHING
    }
}

impl MayBeEmpty for There {
    const EMPTY: &'static Self = &Self::NOTHING;

    fn is_empty(&self) -> bool {
        let Self { known, used, inherited, moved } = self;
        known.is_empty() && used.is_empty() && inherited.is_empty() && moved.is_empty()
    }
}

/// What a source holds, or has held, of its name.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Chain<'a> {
    pub(crate) files: &'a dyn Files,
    pub(crate) name: &'a Name,
    pub(crate) members: &'a VecDeque<Member>,
    pub(crate) resting: Option<&'a Closed>,
    pub(crate) closed: &'a VecDeque<Closed>,
    /// What its files were before they were cut.
    pub(crate) cut: &'a [Closed],
    /// Of a file that a pattern has found: what others follow, or will, and what any has let go. None of that is its.
    pub(crate) others: Option<(Others<'a>, &'a VecDeque<Closed>)>,
    /// Files in doubt of being copies.
    pub(crate) pins: &'a Pins,
    /// Set by whoever wants long searches to end.
    pub(crate) interrupt: &'a AtomicBool,
    /// What is to become of what fails.
    pub(crate) failures: &'a Failures,
    /// What the name means now, if that is not among the members yet.
    pub(crate) arriving: Option<&'a dyn Handle>,
}

impl Chain<'_> {
    fn has(&self, file: FileId) -> bool {
        self.members.iter().any(|member| member.file() == file)
            || self.resting.is_some_and(|closed| closed.id == file)
    }

    /// What is kept of files that are not open.
    fn past(&self) -> impl Iterator<Item = &Closed> {
        self.closed.iter().chain(self.resting)
    }

    /// Whether a sibling has, or had, another source. What is known of this one tells how numbers count.
    fn is_anothers(&self, sibling: &Sibling) -> bool {
        let closed = |all: &VecDeque<Closed>| all.iter().any(|closed| closed.id == sibling.id);
        let own = self.has(sibling.id) || closed(self.closed);
        !own && self.others.is_some_and(|(others, all)| others.hold(sibling.id) || closed(all))
    }

    /// Whether a sibling may be what another source has, or had, compressed.
    fn is_unknown(&self, sibling: &Sibling) -> bool {
        let is_unknown = |(others, _): (Others<'_>, _)| !others.compressed.contains_key(&sibling.id);
        sibling.form == Form::Packed && self.failures.can_ask() && self.others.is_some_and(is_unknown)
    }

    /// Whether a sibling will have one. As it is, a compressed one gives nobody its lines.
    fn will_be_anothers(&self, sibling: &Sibling) -> bool {
        sibling.form == Form::Plain && self.others.is_some_and(|(others, _)| others.will_find(&sibling.path))
    }

    /// Whether a file holds nothing but what was read, or will be, from one of these.
    ///
    /// # Errors
    /// A comparison that failed, if that is not passed over.
    fn is_copied_by(&self, file: &dyn Handle) -> io::Result<bool> {
        // Of a file that can't be compared any more, only much of it is proof.
        let copied = |closed: &Closed| Ok(closed.anchor.is_full() && copies(file, closed)?);
        Ok(self.any(self.members, |member| member.is_copied_by(file))?
            || self.any(self.past(), copied)?
            || self.any(self.arriving, |original| was_copied_from(file, original))?)
    }

    /// The same of a compressed file, which may also be one of the `live` file, that the name means and is not held yet.
    fn is_packed_in(&self, file: &dyn Handle, live: Option<FileId>) -> io::Result<bool> {
        let packs_live = |live: FileId| {
            let handle = self.name.open(self.files)?;
            Ok(handle.meta()?.id == live && packs(file, &*handle)?)
        };
        // What a pattern found may have been let go by another source under the name that was compressed.
        let anothers = self.others.iter().flat_map(|(_, closed)| closed.iter());
        Ok(self.any(self.members, |member| member.is_packed_in(file))?
            || self.any(self.past().chain(anothers), |closed| packs_read(file, closed))?
            || self.any(self.cut, |run| is_run(file, run))?
            || self.any(live, packs_live)?)
    }

    /// Takes a copy of a file that was cut whose name is gone, but that was held open while it was in doubt.
    fn take_pinned(&self, before: &Closed, siblings: &[Sibling]) -> Option<(Copied, Copy)> {
        let mut pins = self.pins.borrow_mut();
        let is_copy = |file: FileId, pinned: &Pinned| {
            file != before.id
                && siblings.iter().all(|sibling| sibling.id != file)
                && lineage::origins(&pinned.path).any(|origin| origin == self.name.path())
                && copies(&*pinned.handle, before).unwrap_or(false)
        };
        let file = pins.iter().find(|(file, pinned)| is_copy(**file, pinned)).map(|(file, _)| *file)?;
        let Pinned { path, handle } = pins.remove(&file)?;
        let Meta { size, modified, .. } = handle.meta().ok()?;
        Some((Copied { file, size, modified }, Copy { id: file, path, handle, end: size, claim: Claim::Log }))
    }

    /// Makes sure that it is not for want of reading this file that it was not found to be a copy.
    ///
    /// # Errors
    /// A read that failed.
    fn is_compared(&self, file: &dyn Handle) -> io::Result<()> {
        if self.failures.has_passed_over() {
            file.read_at(&mut [0], 0)?;
        }
        Ok(())
    }

    /// Whether it is so of any of these, as far as that can be found out.
    fn any<T>(
        &self,
        all: impl IntoIterator<Item = T>,
        mut is_so: impl FnMut(T) -> io::Result<bool>,
    ) -> io::Result<bool> {
        for one in all {
            match is_so(one) {
                Ok(false) => {}
                Err(error) if !self.failures.wait_for(&error) => {}
                decided => return decided,
            }
        }
        Ok(false)
    }
}

/// Generations that went by unseen, oldest first.
#[derive(Debug, Default)]
pub(crate) struct Unseen {
    pub(crate) opened: Vec<(Box<dyn Handle>, Meta)>,
    /// Those that can't be opened.
    pub(crate) unreadable: Vec<Sibling>,
    /// Those that may as well be older than what was read before.
    pub(crate) doubtful: Vec<FileId>,
    pub(crate) extent: Extent,
    /// A compressed file that may have another source's content: that is to be found out first.
    pub(crate) unknown: Option<Sibling>,
    /// Compressed files that are none, since what they hold was read or will be.
    copies: Vec<FileId>,
    /// How many of these hold nothing, so that they may be generations all the same.
    pub(crate) empty: usize,
}

impl Unseen {
    /// Opens further generations before the `live` one, oldest first, as far as they can be had in this order, and adds them
    /// to what is `known`. Copies of what is held are none.
    fn open(
        &mut self,
        generations: &[(&Sibling, Certainty)],
        live: Option<FileId>,
        chain: &Chain<'_>,
        known: &mut Vec<FileId>,
    ) {
        self.extent = Extent::All;
        for (sibling, certainty) in generations {
            if chain.is_unknown(sibling) {
                self.unknown = Some((*sibling).clone());
                self.extent = Extent::Failing;
                return;
            }
            let opened = open_sibling(sibling, chain).and_then(|opened| {
                let Some((handle, meta)) = opened else { return Ok(None) };
                let is_copy = match sibling.form {
                    Form::Packed => chain.is_packed_in(&*handle, live)?,
                    Form::Plain => chain.is_copied_by(&*handle)?,
                };
                chain.is_compared(&*handle)?;
                Ok(Some((handle, meta, is_copy)))
            });
            match opened {
                Ok(Some((_, meta, true))) if sibling.form == Form::Packed => {
                    self.empty += usize::from(meta.size == 0);
                    self.copies.push(meta.id);
                }
                Ok(Some((.., true))) => {}
                Ok(Some((_, meta, false))) if *certainty == Certainty::Doubtful => self.doubtful.push(meta.id),
                Ok(Some((handle, meta, false))) => self.opened.push((handle, meta)),
                Err(error) if is_shortage(&error) => self.extent = Extent::Short,
                Err(error) if chain.failures.wait_for(&error) => self.extent = Extent::Failing,
                Err(_) => self.unreadable.push((*sibling).clone()),
                Ok(None) => self.extent = Extent::Moving,
            }
            if self.extent != Extent::All {
                return;
            }
            known.push(sibling.id);
        }
    }
}

/// The oldest run of a file that went by unseen before the one it holds now.
#[derive(Debug, Default)]
pub(crate) struct EarlierRun {
    /// All of it.
    pub(crate) copy: Option<Copy>,
    /// What the file itself was then.
    pub(crate) live: Option<Meta>,
    /// Copies that can't be opened.
    pub(crate) unreadable: Vec<Sibling>,
    pub(crate) extent: Extent,
    /// A compressed file that may have another source's content: that is to be found out first.
    pub(crate) unknown: Option<Sibling>,
}

/// How many of the files that were looked for are there.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Extent {
    /// All of them.
    #[default]
    All,
    /// The oldest ones; the directory changes too fast to be sure of the others.
    Moving,
    /// The oldest ones; there are too few descriptors for the others.
    Short,
    /// The oldest ones; what would tell of the others fails, and may not fail for ever.
    Failing,
}

impl Beside {
    /// Takes up what an earlier tail knew.
    pub(crate) fn resumed(looked: Option<SystemTime>, known: &[FileId], copies: &[Copied]) -> Self {
        let there = There { known: known.to_vec(), inherited: copies.to_vec(), ..There::NOTHING };
        Self { looked, there: there.into() }
    }

    /// Takes no more room than it needs.
    pub(crate) fn tidy(&mut self) {
        self.there.tidy();
    }

    /// The name was seen to mean the newest generation, or nothing.
    pub(crate) fn saw_name(&mut self, at: SystemTime) {
        self.looked = Some(at);
    }

    pub(crate) fn looked(&self) -> Option<SystemTime> {
        self.looked
    }

    /// The file in which the content of one was found that is not there any more.
    pub(crate) fn found_in(&self, file: FileId) -> Option<FileId> {
        self.there.moved.iter().find(|(original, _)| *original == file).map(|(_, place)| *place)
    }

    /// Whether this file is a copy that has given what it had, and was not written to since.
    pub(crate) fn has_used(&self, file: FileId, size: u64) -> bool {
        self.copies().any(|copy| (copy.file, copy.size) == (file, size))
    }

    /// The copies that have given what they had.
    pub(crate) fn copies(&self) -> impl Iterator<Item = Copied> {
        let inherited =
            self.there.inherited.iter().filter(|copy| self.there.used.iter().all(|used| used.file != copy.file));
        self.there.used.iter().chain(inherited).copied()
    }

    /// A copy that was opened is to be read another time.
    pub(crate) fn put_back(&mut self, copy: FileId) {
        self.there.used.retain(|used| used.file != copy);
    }

    /// The files that are dealt with.
    pub(crate) fn known(&self) -> impl Iterator<Item = FileId> {
        self.there.known.iter().copied().chain(self.there.used.iter().map(|used| used.file))
    }

    /// This file is dealt with.
    pub(crate) fn know(&mut self, file: FileId) {
        self.there.known.push(file);
    }

    /// A generation was let go. One that was born in the same tick as what is held can't be told by that from what
    /// follows, so that it must be known; what is older than the `oldest` held is out of the question.
    pub(crate) fn know_closed(&mut self, file: FileId, oldest: Option<FileId>) {
        let birth = oldest.and_then(|oldest| oldest.birth);
        self.there.known.retain(|known| known.birth >= birth);
        if file.birth >= birth && !self.there.known.contains(&file) {
            self.there.known.push(file);
        }
    }

    /// Remembers what stands beside the name while that means the `live` generation, or nothing.
    pub(crate) fn look_around(&mut self, chain: &Chain<'_>, live: Option<FileId>) {
        let siblings = list(chain, live).unwrap_or_default();
        self.remember(&siblings, chain, live);
    }

    /// Opens the generations between the `last` one known and the `live` one that the name means now.
    pub(crate) fn unseen(&mut self, chain: &Chain<'_>, last: Option<FileId>, live: Option<FileId>) -> Unseen {
        let held = chain.members.iter().map(Member::file).chain(chain.past().map(|closed| closed.id));
        let mut known: Vec<_> = held.chain(self.known()).collect();
        let mut unseen = Unseen::default();
        for _ in 0..ATTEMPTS {
            let mut siblings = match list(chain, last) {
                Ok(siblings) => siblings,
                Err(extent) => {
                    unseen.extent = extent;
                    break;
                }
            };
            // What is open already can be renamed or removed without harm; the others follow it.
            let last = unseen.opened.last().map(|(_, meta)| meta.id).or(last);
            siblings.retain(|sibling| {
                let anothers = || chain.is_anothers(sibling) || chain.will_be_anothers(sibling);
                Some(sibling.id) == last || !anothers()
            });
            let found_in = last.and_then(|last| self.found_in(last));
            let between = Between { last, found_in, looked: self.looked, live, known: &known };
            unseen.open(&lineage::unseen(&siblings, &between), live, chain, &mut known);
            match (unseen.extent, live) {
                (Extent::Moving, _) => continue,
                (Extent::All, None) => self.remember(&siblings, chain, None),
                (Extent::All, Some(live)) => {
                    // What is younger than that may have been copied from it, and so may what is of its tick.
                    siblings.retain(|sibling| sibling.id.birth < live.birth || known.contains(&sibling.id));
                    self.remember(&siblings, chain, Some(live));
                }
                // The others are still to come.
                (Extent::Short | Extent::Failing, _) => {}
            }
            break;
        }
        self.there.known.append(&mut unseen.copies);
        if unseen.extent != Extent::All {
            // More come later, when these may have been read and let go.
            self.there.known.extend(unseen.opened.iter().map(|(_, meta)| meta.id));
        }
        unseen
    }

    /// Finds the copy that was made of a file before it was cut, after it was read; of several the newest.
    ///
    /// # Errors
    /// When there is none as far as can be told, but what may be one is still being compressed, is renamed again and
    /// again, or can't be looked at for the time being.
    pub(crate) fn copy_of(&mut self, before: &Closed, chain: &Chain<'_>) -> Result<Option<Copy>, Extent> {
        let mut found = Err(Extent::Moving);
        for _ in 0..ATTEMPTS {
            found = self.find_copy(before, chain);
            if !matches!(found, Err(Extent::Moving)) {
                break;
            }
        }
        found
    }

    fn find_copy(&mut self, before: &Closed, chain: &Chain<'_>) -> Result<Option<Copy>, Extent> {
        let mut siblings = list(chain, Some(before.id))?;
        siblings.sort_by_key(|sibling| std::cmp::Reverse(sibling.modified));
        let may_be = |sibling: &&Sibling| {
            (sibling.size >= before.offset || sibling.form == Form::Packed)
                && sibling.id != before.id
                && !chain.has(sibling.id)
                && !self.there.used.contains(&Copied::from(*sibling))
        };
        // It can't have been compressed before it was born.
        let packed = Closed { ended: before.ended.or(before.id.birth), ..before.clone() };
        let (mut found, mut extent) = (None, Extent::All);
        for sibling in siblings.iter().filter(may_be) {
            let known = if sibling.form == Form::Packed { &packed } else { before };
            let opened = open_copy(sibling, chain).and_then(|copy| match copy {
                Some(copy) => Ok(Some((copies(&*copy.handle, known)?, copy))),
                None => Ok(None),
            });
            match opened {
                Ok(Some((true, copy))) => {
                    let claim = if chain.will_be_anothers(sibling) { Claim::Log } else { Claim::Nothing };
                    found = Some((Copied::from(sibling), Copy { claim, ..copy }));
                    break;
                }
                Ok(None) => extent = Extent::Moving,
                Err(error) if is_shortage(&error) => return Err(Extent::Short),
                Err(error) if chain.failures.wait_for(&error) => return Err(Extent::Failing),
                Ok(Some((false, _))) | Err(_) => {}
            }
        }
        let is_there = |used: &Copied| siblings.iter().any(|sibling| Copied::from(sibling) == *used);
        self.there.used.retain(is_there);
        self.there.inherited.retain(is_there);
        if found.is_none() && extent == Extent::All {
            found = chain.take_pinned(before, &siblings);
        }
        match found {
            Some((copied, copy)) => {
                self.there.used.push(copied);
                Ok(Some(copy))
            }
            None if extent == Extent::All => Ok(None),
            None => Err(extent),
        }
    }

    /// Finds the copy of the oldest run of the newest member's file that went by unseen before what that holds now.
    /// Without one, all that stands beside the name is dealt with.
    pub(crate) fn earlier_run(&mut self, chain: &Chain<'_>) -> EarlierRun {
        let mut run = EarlierRun::default();
        let (Some(live), Some(looked)) = (chain.members.back(), self.looked) else { return run };
        let name = chain.name;
        if !name.is_link() && !lineage::may_have_come(chain.files, name.path(), looked) {
            return run;
        }
        let held = chain.members.iter().map(Member::file).chain(chain.past().map(|closed| closed.id));
        let known: Vec<_> = held.chain(self.known()).collect();
        for _ in 0..ATTEMPTS {
            let mut siblings = match list(chain, Some(live.file())) {
                Ok(siblings) => siblings,
                Err(extent) => {
                    run.extent = extent;
                    break;
                }
            };
            let meta = match live.meta() {
                Ok(meta) => meta,
                Err(error) => {
                    let silence = is_silence(&error) && chain.failures.wait_for(&error);
                    run.extent = if silence { Extent::Failing } else { Extent::Short };
                    break;
                }
            };
            siblings.retain(|sibling| !chain.is_anothers(sibling));
            // Behind another name stand others' copies, and among them generations that have followed.
            if name.means(chain.files).ok().flatten() != Some(live.file()) {
                run.extent = Extent::Moving;
                break;
            }
            // A file that is being cut is empty before its times tell: until then they are those of its last write.
            let modified = if meta.size == 0 { chain.files.now() } else { meta.modified };
            let cuts = Cuts { file: live.file(), looked, modified, known: &known };
            let candidates = lineage::copied(&siblings, &cuts);
            let taken;
            (run, taken) = open_oldest(&candidates, live, chain);
            run.live = Some(meta);
            match (run.extent, taken) {
                (Extent::Moving, _) => continue,
                (Extent::Short | Extent::Failing, _) => {}
                (Extent::All, None) => self.remember(&siblings, chain, Some(live.file())),
                (Extent::All, Some(taken)) => {
                    // What is older, and was passed over, holds nothing else.
                    self.there.known.extend(candidates[..taken].iter().map(|sibling| sibling.id));
                    self.there.used.push(Copied::from(candidates[taken]));
                }
            }
            break;
        }
        run
    }

    /// Remembers what there is, if the name still means the live generation, or nothing: then none of these follows.
    fn remember(&mut self, siblings: &[Sibling], chain: &Chain<'_>, live: Option<FileId>) {
        if siblings.is_empty() && self.there.known.is_empty() {
            return;
        }
        if chain.name.means(chain.files).is_ok_and(|now| now == live) {
            // What is older than anything held is out of the question anyhow, and may be very many files.
            let held = chain.members.front().map(Member::file).or(live);
            let looked = || self.looked.and_then(|looked| looked.checked_sub(PREPARED));
            let oldest = held.map_or_else(looked, |held| held.birth);
            self.there.known = siblings.iter().map(|sibling| sibling.id).filter(|id| id.birth >= oldest).collect();
        }
    }
}
