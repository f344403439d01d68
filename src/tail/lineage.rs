//! Which files beside a name were generations of it that went by unseen.
//!
//! [`siblings`] lists the files whose names a rotation may have given, [`unseen`] says which of them the name meant
//! between two looks, and in which order. The latter is pure: identities, times and numbers in, an order out. What
//! stands in the files is not its business (`copies` looks there), nor when to ask (`source` knows).
//!
//! All rests on times of birth: where a file system doesn't tell them, nothing is said about any file. And a file that is
//! made under such a name while nobody looks can't be told from a generation.

use std::cmp::Ordering;
use std::collections::{HashMap, HashSet};
use std::ffi::{OsStr, OsString};
use std::io::{self, ErrorKind};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use super::failures::Failures;
use super::files::{Entry, FileId, FileKind, Files, Links, Meta};

/// How long before it gets its name a file may be made: some rotators make the new one under another name first.
pub(crate) const PREPARED: Duration = Duration::from_secs(1);

/// How far behind the clock the time of a birth may be told: kernels tell it by ticks, file systems by coarser ones.
const TICK: Duration = Duration::from_millis(20);

/// How often a directory is listed anew in which files are renamed.
const ATTEMPTS: usize = 32;

/// How many files are enough to see which way their numbers count.
const ENOUGH: usize = 64;

/// What stands between a name and what a rotation added to it.
const SEPARATORS: &[u8] = b".-_~";
/// What rotations add that is no number.
const WORDS: [&[u8]; 6] = [b"old", b"bak", b"prev", b"save", b"orig", b"backup"];
/// What a name ends with if the file was compressed in the one way that is read here.
const PACKED: &[u8] = b".gz";
/// What else in a name tells that the file is compressed, or only being made.
const COMPRESSED: [&[u8]; 6] = [b"gz", b"zst", b"bz2", b"xz", b"lz4", b"zip"];
const UNFINISHED: [&[u8]; 4] = [b"tmp", b"part", b"swp", b"lock"];

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
    /// Whether this is the same file, and nothing was written to it meanwhile.
    pub(crate) fn is_still(&self, now: &Self) -> bool {
        (self.id, self.size, self.modified) == (now.id, now.size, now.modified)
    }

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

/// The latest time that may be meant by one. Some tools leave no more of a time than its seconds.
pub(crate) fn at_the_latest(time: SystemTime) -> SystemTime {
    let whole = time.duration_since(SystemTime::UNIX_EPOCH).is_ok_and(|since| since.subsec_nanos() == 0);
    if whole { time + (Duration::from_secs(1) - Duration::from_nanos(1)) } else { time }
}

/// Whether a file of this name may be a compressed one.
pub(crate) fn is_packed(path: &Path) -> bool {
    path.as_os_str().as_bytes().ends_with(PACKED)
}

/// Lists the regular files beside `path` whose names a rotation of it may have given, in no order, all as of one moment;
/// `None` if they are renamed too fast for that.
///
/// # Errors
/// A directory that can't be listed, or a file in it that can't be looked at for the time being.
pub(crate) fn siblings(files: &dyn Files, path: &Path, failures: &Failures) -> io::Result<Option<Vec<Sibling>>> {
    let base = path.file_name().unwrap_or_default().as_bytes();
    let beginning = OsStr::from_bytes(stem(base).unwrap_or(base));
    let is_generation = |entry: &Entry| rotated(base, entry.name.as_bytes()).is_some();
    // Files that are renamed between the listing and the question what they are: known by their numbers.
    let mut metas: HashMap<u64, Option<Meta>> = HashMap::new();
    let mut before = Vec::new();
    for _ in 0..ATTEMPTS {
        let mut entries = match files.entries_beginning(directory(path), beginning) {
            // That tells nothing of a directory that is there.
            Err(error) if error.kind() == ErrorKind::NotFound && is_there(files, directory(path)) => return Ok(None),
            result => result?,
        };
        entries.retain(is_generation);
        // Where nothing moves and names mean others than was listed, the file system numbers them otherwise.
        let settled = entries == before;
        let mut complete = true;
        for Entry { name, inode } in &entries {
            if metas.contains_key(inode) {
                continue;
            }
            let meta = match files.meta(&path.with_file_name(name), Links::Refuse) {
                Ok(meta) if meta.id.inode == *inode || settled => Some(meta),
                Err(error) if failures.wait_for(&error) => return Err(error),
                Err(error) if error.kind() != ErrorKind::NotFound || settled => None,
                Ok(_) | Err(_) => {
                    complete = false;
                    continue;
                }
            };
            metas.insert(*inode, meta);
        }
        if complete {
            let sibling = |Entry { name, inode }: Entry| {
                let (mark, place, form) = rotated(base, name.as_bytes())?;
                let meta = metas.get(&inode)?.filter(|meta| meta.kind == FileKind::Regular)?;
                let (numbers, path) = (numbers(mark), path.with_file_name(&name));
                Some(Sibling { path, id: meta.id, size: meta.size, modified: meta.modified, numbers, place, form })
            };
            return Ok(Some(without_doubles(entries.into_iter().filter_map(sibling).collect())));
        }
        before = entries;
    }
    Ok(None)
}

/// Takes out what is being compressed: until that is done, both are there.
fn without_doubles(mut siblings: Vec<Sibling>) -> Vec<Sibling> {
    let plain = siblings.iter().filter(|sibling| sibling.form == Form::Plain);
    let plain: HashSet<_> = plain.map(|sibling| sibling.path.clone()).collect();
    siblings.retain(|sibling| sibling.form == Form::Plain || !plain.contains(&sibling.path.with_extension("")));
    siblings
}

/// Whether a file may have come to stand beside `path` since a look. Tells it without listing, which is dear where there
/// are many files.
pub(crate) fn may_have_come(files: &dyn Files, path: &Path, looked: SystemTime) -> bool {
    let changed = files.meta(directory(path), Links::Follow).map(|meta| meta.modified);
    changed.ok().is_none_or(|changed| looked.checked_sub(TICK).is_none_or(|since| changed >= since))
}

/// What came of looking for a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Find {
    /// It stands here.
    At(PathBuf),
    /// The directory has changed of late: the file may have been renamed to where it was looked for already.
    Unsure,
    /// It is not in the directory.
    Gone,
}

/// Finds a file beside `path` by its identity, whatever its name is.
///
/// # Errors
/// A directory that can't be listed.
pub(crate) fn find(files: &dyn Files, path: &Path, file: FileId) -> io::Result<Find> {
    let changed = || files.meta(directory(path), Links::Follow).map(|meta| meta.modified);
    let before = changed()?;
    let mut paths = files.list(directory(path))?.into_iter().map(|name| path.with_file_name(name));
    if let Some(path) = paths.find(|path| files.meta(path, Links::Refuse).is_ok_and(|meta| meta.id == file)) {
        return Ok(Find::At(path));
    }
    let quiet = files.now().checked_sub(TICK).is_some_and(|since| before < since);
    Ok(if quiet && changed()? == before { Find::Gone } else { Find::Unsure })
}

/// Those of these names that a rotation may have given some file beside them another one for. Lists each directory once.
pub(crate) fn rotated_away<'p>(files: &dyn Files, paths: impl Iterator<Item = &'p Path>) -> HashSet<PathBuf> {
    let mut sought: HashMap<&Path, HashMap<&[u8], &Path>> = HashMap::new();
    for path in paths {
        let name = path.file_name().unwrap_or_default().as_bytes();
        sought.entry(directory(path)).or_default().insert(name, path);
    }
    let mut rotated = HashSet::new();
    for (directory, sought) in sought {
        // Who may not list a directory won't find anything in it.
        for name in files.list(directory).unwrap_or_default() {
            let bases = bases(name.as_bytes());
            rotated.extend(bases.iter().filter_map(|base| Some(sought.get(base.as_slice())?.to_path_buf())));
        }
    }
    rotated
}

/// The files beside one of which a rotation may have given it its name.
pub(crate) fn origins(path: &Path) -> impl Iterator<Item = PathBuf> {
    let bases = bases(path.file_name().unwrap_or_default().as_bytes());
    bases.into_iter().map(|base| path.with_file_name(OsString::from_vec(base)))
}

/// The names of which a rotation may have made this one.
fn bases(name: &[u8]) -> Vec<Vec<u8>> {
    let parts = |end: usize| (1..end).filter(|&index| SEPARATORS.contains(&name[index])).map(|index| &name[..index]);
    let suffix = name.iter().rposition(|&byte| byte == b'.').unwrap_or(0);
    let inserted = parts(suffix).map(|begin| [begin, &name[suffix..]].concat());
    let mut bases: Vec<_> = parts(name.len()).map(<[u8]>::to_vec).chain(inserted).collect();
    bases.retain(|base| mark(base, name).is_some() || rotated(base, name).is_some());
    bases
}

fn is_there(files: &dyn Files, path: &Path) -> bool {
    files.meta(path, Links::Follow).is_ok()
}

fn directory(path: &Path) -> &Path {
    match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    }
}

/// What a rotation added to the name `base` to make `name`, if it made that, and in which form the file is then.
fn rotated<'n>(base: &[u8], name: &'n [u8]) -> Option<(&'n [u8], MarkPlace, Form)> {
    let packed = name.strip_suffix(PACKED).and_then(|plain| {
        // `app.log.gz` may have been compressed in its place.
        if plain == base { Some((&plain[base.len()..], MarkPlace::Appended)) } else { mark(base, plain) }
    });
    let packed = packed.map(|(mark, place)| (mark, place, Form::Packed));
    let plain = || mark(base, name).map(|(mark, place)| (mark, place, Form::Plain));
    packed.or_else(plain).filter(|(mark, ..)| is_readable(mark))
}

/// What a rotation added to the name `base` to make it `name`: `.1`, `-20261120`, `~`; `None` if it made no such name.
fn mark<'n>(base: &[u8], name: &'n [u8]) -> Option<(&'n [u8], MarkPlace)> {
    let appended = || {
        let mark = name.strip_prefix(base)?;
        (mark == b"~" || tokens(mark)?.any(tells)).then_some((mark, MarkPlace::Appended))
    };
    let inserted = || {
        let stem = stem(base)?;
        let mark = name.strip_prefix(stem)?.strip_suffix(&base[stem.len()..])?;
        // `app-errors-2.log` is another log than `app.log`.
        tokens(mark)?.next().is_some_and(tells).then_some((mark, MarkPlace::Inserted))
    };
    appended().or_else(inserted)
}

/// What stands before the suffix of a name, if it has one.
fn stem(base: &[u8]) -> Option<&[u8]> {
    base.iter().rposition(|&byte| byte == b'.').filter(|dot| *dot > 0).map(|dot| &base[..dot])
}

/// The parts of what may have been added to a name; `None` if it doesn't stand apart from the name.
fn tokens(mark: &[u8]) -> Option<impl Iterator<Item = &[u8]>> {
    let (_, rest) = mark.split_first().filter(|(separator, _)| SEPARATORS.contains(separator))?;
    Some(rest.split(|byte| !byte.is_ascii_alphanumeric()))
}

/// Whether a part of a name tells of a rotation: a number or date, or one of the words, numbered or not.
fn tells(token: &[u8]) -> bool {
    let letters = token.iter().rposition(|byte| !byte.is_ascii_digit()).map_or(0, |last| last + 1);
    token.first().is_some_and(u8::is_ascii_digit) || WORDS.contains(&&token[..letters])
}

/// Whether a file of such a name, but for what was taken from its end, holds the lines of a log as they are.
fn is_readable(mark: &[u8]) -> bool {
    let tokens = || mark.split(|byte| !byte.is_ascii_alphanumeric());
    !tokens().any(|token| COMPRESSED.contains(&token) || UNFINISHED.contains(&token))
}

fn numbers(mark: &[u8]) -> Vec<u64> {
    let groups = mark.split(|byte| !byte.is_ascii_digit()).filter(|group| !group.is_empty());
    let push = |number: u64, digit: &u8| number.saturating_mul(10).saturating_add(u64::from(digit - b'0'));
    groups.map(|group| group.iter().fold(0, push)).collect()
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
mod tests {
    use super::*;

    #[test]
    fn rotated_names_are_told_from_other_logs() {
        let rows: [(&str, &[&str], &[&str]); 4] = [
            (
                "app.log",
                &[
                    "app.log.1",
                    "app.log.10",
                    "app.log-20261120",
                    "app.log.2026-11-20_10-00-00",
                    "app.log_3",
                    "app.log~",
                    "app.log.~1~",
                    "app.log.old",
                    "app.log.bak2",
                    "app.log-backup-1",
                    "app.log.Nov-20-2026",
                    "app-2026-11-20.log",
                    "app.1.log",
                    "app-2026-11-20T10-00-00.000.log",
                    "app.old.log",
                    "app_2.log",
                    "app.log-20261120.zst",
                ],
                &[
                    "app.log",
                    "app.log1",
                    "app.logs.1",
                    "app.log.sha256",
                    "app.log.lock",
                    "app.log.",
                    "app2.log",
                    "app-errors.log",
                    "app-errors-2.log",
                    "app.log.gz",
                    "app.txt",
                    "xapp.log.1",
                    "app.lo",
                    "",
                ],
            ),
            (
                "messages",
                &["messages.1", "messages-20261120", "messages.old"],
                &["messages", "messagesx.1", "mess.1"],
            ),
            ("0.log", &["0.log.20260101-101010"], &["1.log", "00.log"]),
            (".log", &[".log.1"], &["1.log", "a.log"]),
        ];
        for (base, rotated, others) in rows {
            let is_base = |name: &str| bases(name.as_bytes()).contains(&base.as_bytes().to_vec());
            for name in rotated {
                assert!(mark(base.as_bytes(), name.as_bytes()).is_some(), "{name} was {base}");
                assert!(is_base(name), "{name} was {base}");
            }
            for name in others {
                assert!(mark(base.as_bytes(), name.as_bytes()).is_none(), "{name} was never {base}");
                let is_packed = super::rotated(base.as_bytes(), name.as_bytes()).is_some();
                assert_eq!(is_base(name), is_packed, "{name} was never {base}");
            }
        }
    }

    #[test]
    fn siblings_are_regular_files_that_can_be_read_as_they_are() {
        let temp = tempfile::tempdir().unwrap();
        let names = ["a.log", "a.log.1", "a.log.1.gz", "a-2.log", "a-2.gz.log", "a.log.3.gz", "a.log.4.zst.tmp"];
        for name in names.into_iter().chain(["a.log.gz", "a.log.4.gz.tmp", "a.log.5.gz.1", "b.log.1", "b.log.1.gz"]) {
            std::fs::write(temp.path().join(name), name).unwrap();
        }
        std::fs::create_dir(temp.path().join("a.log.4")).unwrap();
        std::os::unix::fs::symlink("a.log", temp.path().join("a.log.5")).unwrap();
        let mut found =
            siblings(&super::super::files::Disk, &temp.path().join("a.log"), &Failures::default()).unwrap().unwrap();
        found.sort_by(|a, b| a.path.cmp(&b.path));
        let names: Vec<_> = found.iter().map(|sibling| sibling.path.file_name().unwrap()).collect();
        assert_eq!(names, ["a-2.log", "a.log.1", "a.log.3.gz", "a.log.gz"]);
        assert_eq!(found.iter().filter(|sibling| sibling.form == Form::Packed).count(), 2);
        assert_eq!((found[0].size, &found[0].numbers), (7, &vec![2]));
    }

    fn at(millis: u64) -> SystemTime {
        SystemTime::UNIX_EPOCH + Duration::from_millis(1_000_000 + millis)
    }

    fn file(inode: u64, birth: u64) -> FileId {
        FileId { device: 1, inode, birth: Some(at(birth)) }
    }

    /// A sibling with the number `mark`, the inode of the same number, and the times of its birth and last write.
    fn sibling(mark: u64, inode: u64, birth: u64, modified: u64) -> Sibling {
        let path = PathBuf::from(format!("a.log.{mark}"));
        Sibling {
            path,
            id: file(inode, birth),
            size: 1,
            modified: at(modified),
            numbers: vec![mark],
            place: MarkPlace::Appended,
            form: Form::Plain,
        }
    }

    fn inodes(siblings: &[Sibling], between: &Between<'_>) -> Vec<u64> {
        unseen(siblings, between)
            .into_iter()
            .filter(|(_, sure)| *sure == Certainty::Sure)
            .map(|(one, _)| one.id.inode)
            .collect()
    }

    #[test]
    fn what_was_born_between_two_generations_is_taken_in_order_of_birth() {
        let (last, live) = (file(1, 100), file(9, 900));
        let siblings =
            [sibling(2, 3, 500, 600), sibling(1, 4, 700, 700), sibling(3, 1, 100, 200), sibling(4, 7, 50, 60)];
        let between = Between { last: Some(last), found_in: None, looked: None, live: Some(live), known: &[] };
        assert_eq!(inodes(&siblings, &between), [3, 4]);
        assert_eq!(inodes(&siblings, &Between { live: None, ..between }), [3, 4]);
        assert_eq!(inodes(&siblings, &Between { known: &[file(3, 500)], ..between }), [4]);
        assert_eq!(
            inodes(&siblings, &Between { live: Some(file(9, 600)), ..between }),
            [3],
            "born after the live one"
        );
        assert_eq!(
            inodes(&siblings, &Between { looked: Some(at(1600)), ..between }),
            [4],
            "there before the last look"
        );
        assert_eq!(inodes(&siblings, &Between { last: None, ..between }), [0u64; 0], "nothing was known");
        assert_eq!(inodes(&siblings, &Between { last: None, looked: Some(at(1500)), ..between }), [3, 4]);
    }

    #[test]
    fn what_was_copied_away_since_a_look_is_taken_in_order_of_birth() {
        let other = Sibling { place: MarkPlace::Inserted, ..sibling(5, 5, 500, 500) };
        let empty = Sibling { size: 0, ..sibling(6, 6, 500, 500) };
        let siblings = [sibling(1, 1, 600, 610), other, empty, sibling(2, 2, 500, 510), sibling(3, 3, 300, 310)];
        let cuts = Cuts { file: file(9, 100), looked: at(420), modified: at(700), known: &[] };
        let inodes = |cuts: &Cuts<'_>| -> Vec<u64> {
            copied(&siblings, cuts).into_iter().map(|sibling| sibling.id.inode).collect()
        };
        assert_eq!(inodes(&cuts), [2, 1]);
        assert_eq!(inodes(&Cuts { known: &[file(2, 500)], ..cuts }), [1]);
        assert_eq!(inodes(&Cuts { looked: at(521), ..cuts }), [1], "there before the last look");
        assert_eq!(inodes(&Cuts { modified: at(600), ..cuts }), [2], "still written after the cut");
        assert_eq!(inodes(&Cuts { file: file(9, 550), ..cuts }), [1], "older than the file");
        assert_eq!(inodes(&Cuts { file: FileId { birth: None, ..cuts.file }, ..cuts }), [0u64; 0]);
    }

    #[test]
    fn of_a_name_that_meant_nothing_only_what_bears_the_whole_of_it_was_a_generation() {
        let other = Sibling { place: MarkPlace::Inserted, ..sibling(2, 2, 500, 500) };
        let siblings = [sibling(1, 1, 400, 400), other];
        let between =
            Between { last: None, found_in: None, looked: Some(at(300)), live: Some(file(9, 900)), known: &[] };
        assert_eq!(inodes(&siblings, &between), [1]);
        assert_eq!(inodes(&siblings, &Between { last: Some(file(8, 100)), ..between }), [1, 2]);
    }

    #[test]
    fn without_times_of_birth_nothing_is_told() {
        let unborn = |inode| FileId { birth: None, ..file(inode, 0) };
        let siblings = [sibling(1, 3, 500, 600), Sibling { id: unborn(4), ..sibling(2, 4, 0, 700) }];
        let between =
            Between { last: Some(file(1, 100)), found_in: None, looked: None, live: Some(file(9, 900)), known: &[] };
        assert_eq!(inodes(&siblings, &between), [3]);
        assert_eq!(inodes(&siblings, &Between { last: Some(unborn(1)), ..between }), [0u64; 0]);
        assert_eq!(inodes(&siblings, &Between { live: Some(unborn(9)), ..between }), [0u64; 0]);
    }

    #[test]
    fn generations_of_one_tick_are_put_into_order_by_their_numbers_as_others_count() {
        let last = file(1, 100);
        let between =
            Between { last: Some(last), found_in: None, looked: None, live: Some(file(9, 504)), known: &[] };
        // Each got the next number: the last one known has the lowest.
        let up =
            [sibling(3, 3, 500, 500), sibling(1, 1, 100, 500), sibling(10, 4, 500, 500), sibling(2, 2, 500, 504)];
        assert_eq!(inodes(&up, &between), [2, 3, 4]);
        // All were moved on each time: the last one known has the highest.
        let down =
            [sibling(3, 3, 500, 500), sibling(4, 1, 100, 500), sibling(1, 4, 500, 500), sibling(2, 2, 500, 500)];
        assert_eq!(inodes(&down, &between), [3, 2, 4]);
        // A copy that was moved on after the others goes against what most of them show.
        let copy =
            [sibling(3, 1, 100, 500), sibling(4, 8, 490, 490), sibling(2, 2, 500, 504), sibling(1, 3, 500, 500)];
        assert_eq!(inodes(&copy, &Between { known: &[file(8, 490)], ..between }), [2, 3]);
        // The last one known was copied away and cut again and again before it was renamed, and others were born, all
        // within one tick.
        let copies = [sibling(4, 5, 500, 500), sibling(5, 6, 500, 500), sibling(6, 7, 500, 500)];
        let rotated = [sibling(1, 4, 500, 500), sibling(2, 3, 500, 500), sibling(3, 1, 100, 500)];
        let known = [file(5, 500), file(6, 500), file(7, 500)];
        let all = [copies.as_slice(), &rotated].concat();
        assert_eq!(inodes(&all, &Between { known: &known, ..between }), [3, 4]);
        // All are of the tick of the last one known, which shows it.
        let last = file(1, 500);
        let of_one_tick = Between { last: Some(last), ..between };
        let up = [sibling(3, 4, 500, 500), sibling(1, 1, 500, 500), sibling(2, 3, 500, 500)];
        assert_eq!(inodes(&up, &of_one_tick), [3, 4]);
        let down = [sibling(2, 3, 500, 500), sibling(3, 1, 500, 500), sibling(1, 4, 500, 500)];
        assert_eq!(inodes(&down, &of_one_tick), [3, 4]);
        // Nothing shows how they count: by their last writes, then as most rotators count.
        let unknown = [sibling(3, 3, 500, 500), sibling(2, 2, 500, 500), sibling(4, 4, 500, 508)];
        assert_eq!(inodes(&unknown, &between), [3, 2, 4]);
    }

    /// The same, compressed: the birth is that of the compressed file.
    fn packed(mark: u64, inode: u64, birth: u64, modified: u64) -> Sibling {
        Sibling { form: Form::Packed, ..sibling(mark, inode, birth, modified) }
    }

    #[test]
    fn what_was_compressed_between_two_looks_is_put_where_it_was_written_last() {
        let between = Between {
            last: Some(file(1, 100)),
            found_in: None,
            looked: Some(at(1150)),
            live: Some(file(9, 900)),
            known: &[],
        };
        // 3 was compressed after 4 had come, and 5 after the live one.
        let siblings =
            [packed(3, 3, 750, 600), sibling(2, 4, 610, 700), packed(1, 5, 950, 890), packed(4, 2, 760, 120)];
        assert_eq!(inodes(&siblings, &between), [3, 4, 5], "2 was written last before the last look");
        assert_eq!(inodes(&siblings, &Between { live: None, known: &[file(3, 750)], ..between }), [4, 5]);
        // Somebody still wrote to 3 when 4, which nobody wrote to, had come: the numbers tell, where others show how.
        let late = [packed(3, 3, 750, 620), sibling(2, 4, 610, 610), sibling(1, 5, 700, 700)];
        assert_eq!(inodes(&late, &between), [3, 4, 5]);
        // Dates count up, and say nothing of numbers of another kind.
        let dates = [packed(20_261_119, 3, 650, 600), packed(20_261_120, 4, 750, 700), sibling(1, 5, 800, 800)];
        assert_eq!(inodes(&dates, &between), [3, 4, 5]);
    }

    #[test]
    fn what_is_older_than_the_last_one_by_its_number_was_no_generation_since() {
        // The times of the compressed ones are those of their compression, some of them in whole seconds.
        let siblings =
            [packed(4, 3, 960, 970), sibling(3, 1, 100, 200), sibling(2, 4, 500, 600), sibling(1, 9, 900, 900)];
        let between =
            Between { last: Some(file(1, 100)), found_in: None, looked: None, live: Some(file(9, 900)), known: &[] };
        assert_eq!(inodes(&siblings, &between), [4]);
        assert_eq!(unseen(&siblings, &between).len(), 1);
        // Without the others nothing tells how these numbers count.
        assert_eq!(inodes(&siblings[..2], &between), [0u64; 0]);
        assert_eq!(unseen(&siblings[..2], &between), [(&siblings[0], Certainty::Doubtful)]);
        let whole = Sibling { modified: at(0), ..packed(2, 4, 650, 0) };
        assert_eq!(inodes(&[whole], &between), [4], "written within this second");
        assert_eq!(inodes(&[packed(2, 4, 650, 1)], &between), [0u64; 0]);
    }

    #[test]
    fn neighbours_of_one_tick_are_kept_out_by_the_order() {
        // All of one tick, counting down: 3 was before the last one, 1 has followed the live one already.
        let siblings = [sibling(5, 5, 100, 100), sibling(4, 3, 500, 500), sibling(3, 1, 500, 500)];
        let more = [sibling(2, 2, 500, 500), sibling(1, 9, 500, 500), sibling(0, 7, 500, 500)];
        let all = [siblings.as_slice(), &more].concat();
        let between =
            Between { last: Some(file(1, 500)), found_in: None, looked: None, live: Some(file(9, 500)), known: &[] };
        assert_eq!(inodes(&all, &Between { known: &[file(3, 500)], ..between }), [2]);
    }
}
