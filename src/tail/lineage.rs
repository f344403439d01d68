//! Which files beside a name were generations of it that went by unseen.
//!
//! [`siblings`] lists the files whose names a rotation may have given, [`unseen`] says which of them the name meant
//! between two looks, and in which order. The latter is pure: identities, times and numbers in, an order out. What
//! stands in the files is not its business (`copies` looks there), nor when to ask (`source` knows).
//!
//! All rests on times of birth: where a file system doesn't tell them, nothing is said about any file. And a file that is
//! made under such a name while nobody looks can't be told from a generation.

mod names;
mod siblings;

use std::cmp::Ordering;
use std::path::PathBuf;
use std::time::{Duration, SystemTime};

pub(crate) use self::names::{is_packed, origins};
pub(crate) use self::siblings::{Find, directory, find, may_have_come, rotated_away, siblings};
use super::files::FileId;
use super::position::Copied;

/// How long before it gets its name a file may be made: some rotators make the new one under another name first.
pub(crate) const PREPARED: Duration = Duration::from_secs(1);

/// How far behind the clock the time of a birth may be told: kernels tell it by ticks, file systems by coarser ones.
const TICK: Duration = Duration::from_millis(20);

/// How many files are enough to see which way their numbers count.
const ENOUGH: usize = 64;

/// A file beside a name that looks like an earlier generation of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Sibling {
    pub(crate) path: PathBuf,
    pub(crate) id: FileId,
    pub(crate) size: u64,
    pub(crate) modified: SystemTime,
    /// The numbers that tell its name from that of the newest generation.
    numbers: Vec<u64>,
    place: MarkPlace,
    pub(crate) form: Form,
}

/// In which form a file holds the lines of a log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Form {
    /// As they were written.
    Plain,
    /// Compressed with gzip, some time after they were written. Its time of birth is that of the compressed file, its
    /// last write most often that of the lines.
    Packed,
}

/// Where in a name that stands by which it differs from that of the newest generation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum MarkPlace {
    /// Behind the whole name: `app.log.1`.
    Appended,
    /// Before the suffix: `app-2026-11-20.log`, which may also be the log of another process (`app-2.log`).
    Inserted,
}

impl Sibling {
    /// When the file with these lines was there at the latest; of one of which that is not known, when it was born.
    fn came(&self) -> Option<SystemTime> {
        match self.form {
            Form::Plain => self.id.birth,
            Form::Packed => self.id.birth.map(|birth| birth.min(at_the_latest(self.modified))),
        }
    }

    /// Whether its name has a date, rather than a number that counts rotations.
    fn is_dated(&self) -> bool {
        self.numbers.first().is_some_and(|number| *number >= 1000)
    }

    /// Whether the time of its last write is that of its compression, of which the lines have no part.
    fn was_stamped(&self) -> bool {
        self.form == Form::Packed && self.id.birth.is_some_and(|birth| self.modified >= birth)
    }
}

/// Whether a file had been born by then, as far as that is told. Of births within a tick before it, nearly all were before:
/// the moment in which it matters is much shorter.
pub(crate) fn was_there(file: FileId, by: SystemTime) -> bool {
    file.birth.is_some_and(|birth| birth <= by)
}

impl From<&Sibling> for Copied {
    fn from(sibling: &Sibling) -> Self {
        Self { file: sibling.id, size: sibling.size, modified: sibling.modified }
    }
}

/// The latest time that may be meant by one. Some tools leave no more of a time than its seconds.
pub(crate) fn at_the_latest(time: SystemTime) -> SystemTime {
    let whole = time.duration_since(SystemTime::UNIX_EPOCH).is_ok_and(|since| since.subsec_nanos() == 0);
    if whole { time + (Duration::from_secs(1) - Duration::from_nanos(1)) } else { time }
}

/// Whether a sibling came after the last generation known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Certainty {
    /// It did.
    Sure,
    /// It did unless its number counts as most rotators have it count, of which nothing else tells.
    Doubtful,
}

/// Between which two generations others are looked for.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Between<'a> {
    /// The newest one known.
    pub(crate) last: Option<FileId>,
    /// The file that its content was found in, if that is another one.
    pub(crate) found_in: Option<FileId>,
    /// When the name was last seen to mean it, or to mean nothing: whatever followed was not there before.
    pub(crate) looked: Option<SystemTime>,
    /// The one that the name means now.
    pub(crate) live: Option<FileId>,
    /// Files that are held or were dealt with.
    pub(crate) known: &'a [FileId],
}

/// Says which siblings the name meant between two looks, oldest first.
///
/// That is what was born after the last known generation (or in the same tick of the kernel's clock), after the name
/// was last seen to mean that one, and not after the live one. Of a name that has meant nothing yet, only what bears
/// the whole of it is taken, for other logs may begin together with this one. Files born in one tick are put into the order of their
/// numbers, as far as others show which way these count, and of their last writes.
///
/// When the file was born that a compressed one was made of is not known, but that it was not after its last write. So
/// among these may be some that are older, or copies of the live one; what stands in them tells.
pub(crate) fn unseen<'s>(siblings: &'s [Sibling], between: &Between<'_>) -> Vec<(&'s Sibling, Certainty)> {
    let Between { last, found_in, looked, live, known } = *between;
    let looked = looked.and_then(|looked| looked.checked_sub(PREPARED));
    // When a compressed one was born says nothing of those that followed.
    let is_packed = |file: FileId| siblings.iter().any(|sibling| sibling.id == file && sibling.form == Form::Packed);
    let (Some(since), Some(until)) = (
        match last {
            Some(last) if !is_packed(last) || looked.is_none() => {
                last.birth.map(|birth| looked.map_or(birth, |looked| birth.max(looked)))
            }
            Some(_) | None => looked,
        },
        live.map_or(Some(None), |live| live.birth.map(Some)),
    ) else {
        return Vec::new();
    };
    // What was born later and is dealt with all the same is a copy, mostly of the last one, which was renamed after that.
    let copy =
        |sibling: &Sibling| last.is_some_and(|last| sibling.id.birth > last.birth) && known.contains(&sibling.id);
    let is_new = |sibling: &Sibling| Some(sibling.id) != last && !known.contains(&sibling.id);
    let (ordered, counting) = oldest_first(siblings, copy, last.map(|last| Oldest { file: last, of: &is_new }));
    let place = |file: Option<FileId>| ordered.iter().position(|sibling| Some(sibling.id) == file);
    let (behind, before) = (place(last).or_else(|| place(found_in)), place(live));
    let is_guess = |sibling: &Sibling, behind: usize| {
        let behind = ordered[behind];
        let by_number = match behind.form {
            Form::Plain => sibling.was_stamped() || at_the_latest(sibling.modified) >= behind.modified,
            Form::Packed => sibling.modified == behind.modified,
        };
        by_number && counting == Counting::Unknown && !sibling.is_dated()
    };
    let candidates = ordered.iter().enumerate().filter_map(|(index, sibling)| {
        let birth = sibling.id.birth;
        let follows = behind.is_none_or(|behind| index > behind);
        let guessed = behind.is_some_and(|behind| is_guess(sibling, behind));
        let in_time = match sibling.form {
            Form::Plain => birth >= Some(since) && until.is_none_or(|until| birth <= Some(until)),
            Form::Packed => sibling.came() >= Some(since) && (follows || guessed),
        };
        // Within its tick the order says more than the birth. What came before the last one in the tick of that is known,
        // and an order that rests on nothing but numbers is not to keep anything out.
        let precedes = before.is_none_or(|before| index < before);
        let is_candidate = in_time
            && precedes
            && (last.is_some() || sibling.place == MarkPlace::Appended)
            && Some(sibling.id) != live
            && is_new(sibling);
        let sure = sibling.form == Form::Plain || follows;
        is_candidate.then_some((*sibling, if sure { Certainty::Sure } else { Certainty::Doubtful }))
    });
    candidates.collect()
}

/// Whether a compressed sibling was written last when a file had been born.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Written {
    /// It was.
    Later,
    /// Its time is not told, or not told finely enough.
    MaybeLater,
}

/// Says which compressed siblings may have been made of a file of which nothing is known but its birth, oldest first.
pub(crate) fn made_of(siblings: &[Sibling], file: FileId) -> Vec<(&Sibling, Written)> {
    let Some(birth) = file.birth else { return Vec::new() };
    let (ordered, _) = oldest_first(siblings, |_| false, None);
    let packed = ordered.into_iter().filter(|sibling| sibling.form == Form::Packed && sibling.came() >= Some(birth));
    let written = |sibling: &Sibling| {
        let later = !sibling.was_stamped() && sibling.modified >= birth;
        if later { Written::Later } else { Written::MaybeLater }
    };
    packed.map(|sibling| (sibling, written(sibling))).collect()
}

/// Between which two looks a file may have been copied and cut again and again, unseen.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Cuts<'a> {
    pub(crate) file: FileId,
    /// When it was last seen to be as it was known.
    pub(crate) looked: SystemTime,
    /// When it was last written, or cut.
    pub(crate) modified: SystemTime,
    /// Files that are held or were dealt with.
    pub(crate) known: &'a [FileId],
}

/// Says which siblings may be copies of runs of a file that went by between two looks, oldest first.
///
/// That is what was born since, bears the whole name (as copies that rotators make do, and other logs that begin
/// together with this one don't), and was done with before the file was last written or cut.
pub(crate) fn copied<'s>(siblings: &'s [Sibling], cuts: &Cuts<'_>) -> Vec<&'s Sibling> {
    let Cuts { file, looked, modified, known } = *cuts;
    let (Some(looked), Some(birth)) = (looked.checked_sub(TICK), file.birth) else {
        return Vec::new();
    };
    let since = looked.max(birth);
    let (ordered, _) = oldest_first(siblings, |_| false, None);
    // When a compressed one was copied is not known; a generation before this file stands before its copies.
    let is_older = |sibling: &&Sibling| sibling.form == Form::Plain && sibling.id.birth < Some(birth);
    let behind = ordered.iter().rposition(is_older);
    let candidates = ordered.iter().enumerate().filter(|(index, sibling)| {
        sibling.came() >= Some(since)
            && (sibling.form == Form::Plain || behind.is_none_or(|behind| *index > behind))
            && (sibling.modified <= modified || sibling.was_stamped())
            && sibling.place == MarkPlace::Appended
            && sibling.size > 0
            && sibling.id != file
            && !known.contains(&sibling.id)
    });
    candidates.map(|(_, sibling)| *sibling).collect()
}

/// A file of which it is known that it preceded others, though these may have been born in the same tick.
#[derive(Clone, Copy)]
struct Oldest<'a> {
    file: FileId,
    of: &'a dyn Fn(&Sibling) -> bool,
}

/// The siblings whose birth is known, oldest first, and how their numbers count. A copy says nothing of that.
fn oldest_first<'s>(
    siblings: &'s [Sibling],
    is_copy: impl Fn(&Sibling) -> bool,
    oldest: Option<Oldest<'_>>,
) -> (Vec<&'s Sibling>, Counting) {
    let born = siblings.iter().filter(|sibling| sibling.id.birth.is_some());
    let (mut ordered, mut packed): (Vec<_>, Vec<_>) = born.partition(|sibling| sibling.form == Form::Plain);
    let evidence = ordered.iter().chain(&packed).copied().filter(|sibling| !is_copy(sibling));
    let counting = Counting::of(evidence.collect(), oldest);
    ordered.sort_by(|a, b| counting.order(a, b));
    packed.sort_by(|a, b| counting.order_written(a, b));
    for packed in packed {
        let is_newer = |other: &&Sibling| other.form == Form::Plain && counting.order_mixed(other, packed).is_gt();
        let index = ordered.iter().position(is_newer).unwrap_or(ordered.len());
        ordered.insert(index, packed);
    }
    (ordered, counting)
}

/// Which way the numbers in the names of rotated files count.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Counting {
    /// The births show that the newest has the highest number, as of dates.
    Up,
    /// The births show that the oldest has the highest number, as where each rotation moves all of them on.
    Down,
    /// The births show nothing.
    Unknown,
}

impl Counting {
    /// Finds out by files of different births, and by the one of which it is known that it preceded others.
    fn of(mut siblings: Vec<&Sibling>, oldest: Option<Oldest<'_>>) -> Self {
        let is_oldest = |sibling: &Sibling| oldest.is_some_and(|oldest| oldest.file == sibling.id);
        siblings.sort_by_key(|sibling| (sibling.came(), !is_oldest(sibling)));
        // Each newer one against each older: a copy among them goes against the others, but not most of the time.
        let newest = &siblings[siblings.len().saturating_sub(ENOUGH)..];
        let pairs = newest
            .iter()
            .enumerate()
            .flat_map(|(index, newer)| newest[..index].iter().map(move |older| (older, newer)));
        // A file that was written after the younger one was may have been copied to that, and renamed later.
        let apart = pairs.filter(|(older, newer)| {
            let of_one_tick = is_oldest(older) && oldest.is_some_and(|oldest| (oldest.of)(newer));
            // One that was compressed long after it was written may be older all the same.
            let born_before = older.came() < newer.came()
                && older.modified <= newer.modified
                && (older.form == newer.form || !newer.was_stamped());
            born_before || older.id.birth == newer.id.birth && of_one_tick
        });
        let balance: i64 = apart.map(|(older, newer)| newer.numbers.cmp(&older.numbers) as i64).sum();
        match balance.cmp(&0) {
            Ordering::Greater => Self::Up,
            Ordering::Less => Self::Down,
            Ordering::Equal => Self::Unknown,
        }
    }

    /// Which of two files is the older generation.
    fn order(self, a: &Sibling, b: &Sibling) -> Ordering {
        let written = a.modified.cmp(&b.modified);
        let counted = self.count(a, b);
        a.id.birth.cmp(&b.id.birth).then(match self {
            Self::Up | Self::Down => counted.then(written),
            Self::Unknown if a.is_dated() && b.is_dated() => counted.then(written),
            Self::Unknown => written.then(counted),
        })
    }

    /// The same of files of which it is not known when they were born.
    fn order_written(self, a: &Sibling, b: &Sibling) -> Ordering {
        a.modified.cmp(&b.modified).then(self.count(a, b))
    }

    /// The same where that is not known of one of them: by their numbers, as far as these are of one kind, for a late
    /// writer may have written to the older one when the newer one was not written any more.
    fn order_mixed(self, a: &Sibling, b: &Sibling) -> Ordering {
        if a.numbers.is_empty() || a.numbers.len() != b.numbers.len() || a.is_dated() != b.is_dated() {
            return self.order_written(a, b);
        }
        if self == Self::Unknown && !a.is_dated() && !a.was_stamped() && !b.was_stamped() {
            return self.order_written(a, b);
        }
        self.count(a, b).then(self.order_written(a, b))
    }

    /// Which of two files is the older one by its number, which counts as most rotators have it count unless others show
    /// otherwise.
    fn count(self, a: &Sibling, b: &Sibling) -> Ordering {
        let counted = a.numbers.cmp(&b.numbers);
        match self {
            Self::Up => counted,
            Self::Unknown if a.is_dated() && b.is_dated() => counted,
            Self::Down | Self::Unknown => counted.reverse(),
        }
    }
}

#[cfg(test)]
mod tests;
