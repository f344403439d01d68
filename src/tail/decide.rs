//! The one place where truncation, rewriting and rotation are decided.
//!
//! [`decide`] compares what is held of an open file with what was seen of it, [`decide_name`] what a name meant
//! with what it means now. Both are pure: no input or output, no clock, no paths. What was seen is collected by
//! `generation` and `source`, which also carry out the verdicts; they decide nothing themselves.

use std::ops::Range;
use std::time::SystemTime;

use super::files::{FileId, FileKind};

/// What is held of one open file: how far it was read, and what it looked like then.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Held {
    /// Where the next byte is read.
    pub offset: u64,
    /// The modification time at which everything before `offset` was known to be all there was; `None` while
    /// that isn't known.
    pub modified: Option<SystemTime>,
    /// A modification time without growth that was seen once already, and may only be a write under way.
    pub suspect: Option<SystemTime>,
}

/// What one look at an open file found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Seen {
    /// The size that the system told.
    pub size: u64,
    /// The modification time that the system told.
    pub modified: SystemTime,
    /// What stands before the offset.
    pub before: Before,
}

/// What stands where the anchor (the last bytes before the offset) stood.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Before {
    /// The anchor, as it was. An empty anchor always is.
    Same,
    /// The file ends at this smaller offset; what is left of it is what was read.
    CutSame(u64),
    /// The file ends before the offset; what is left of it is something else.
    CutOther,
    /// NULs, and so is (or is gone) the head of the file; the anchor was not.
    Nul,
    /// NULs, but the head of the file is as it was; the anchor was not NULs.
    NulBehindSameHead,
    /// Something else and another head; the anchor ends at this smaller offset now, and nowhere else.
    MovedTo(u64),
    /// Something else.
    Other,
}

/// How a rewriting in place was noticed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Evidence {
    /// The file was smaller than what had been read of it.
    Size,
    /// Other bytes stood where known ones had been.
    Content,
    /// A hole stood where known bytes had been: its writer kept its offset over a truncation.
    Hole,
}

/// What a look at an open file means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Nothing new.
    Idle,
    /// The modification time moved and nothing else: perhaps a write under way, look again soon.
    Settle,
    /// The modification time moved, nothing grew, and it stayed so: touched or rewritten with the same bytes.
    Ambiguous,
    /// The size is behind the content: stale metadata, look again soon.
    Stale,
    /// Cut off at the end; what is left was read already. Go on at the new end, which is here.
    Shortened(u64),
    /// Cut off at the head; go on at this offset.
    HeadCut(u64),
    /// A hole was punched into what was read already. Go on as before.
    Punched,
    /// Rewritten in place: a new run, from the beginning.
    Rewritten(Evidence),
}

/// Says what a look at an open file means.
///
/// New bytes behind an anchor that is as it was need no verdict: they are read on. For everything else:
///
/// | before the offset | size, modification time | verdict |
/// | --- | --- | --- |
/// | as it was | size below the offset | stale metadata |
/// | as it was | size beyond the offset | idle: it grew meanwhile |
/// | as it was | modification time moved, first seen now | look again soon |
/// | as it was | modification time moved, and seen so before | ambiguous |
/// | as it was | nothing | idle |
/// | file ends sooner, the rest as it was | not empty | shortened |
/// | file ends sooner, the rest as it was | empty | rewritten (size) |
/// | file ends sooner, the rest differs | | rewritten (size) |
/// | NULs, head as it was | | punched |
/// | NULs | | rewritten (hole) |
/// | elsewhere, exactly once | | head cut |
/// | something else | | rewritten (content) |
#[must_use]
pub fn decide(held: &Held, seen: &Seen) -> Verdict {
    match seen.before {
        Before::Same if seen.size < held.offset => Verdict::Stale,
        // Nothing was read that could have been rewritten.
        Before::Same if held.offset == 0 => Verdict::Idle,
        // It grew while it was looked at.
        Before::Same if seen.size > held.offset => Verdict::Idle,
        Before::Same => match held.modified {
            Some(modified) if modified != seen.modified => match held.suspect {
                Some(suspect) if suspect == seen.modified => Verdict::Ambiguous,
                _ => Verdict::Settle,
            },
            _ => Verdict::Idle,
        },
        Before::CutSame(end) if (1..held.offset).contains(&end) => Verdict::Shortened(end),
        Before::CutSame(_) | Before::CutOther => Verdict::Rewritten(Evidence::Size),
        Before::NulBehindSameHead => Verdict::Punched,
        Before::Nul => Verdict::Rewritten(Evidence::Hole),
        Before::MovedTo(offset) => Verdict::HeadCut(offset),
        Before::Other => Verdict::Rewritten(Evidence::Content),
    }
}

/// What is known of the end of a run that was cut off.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LastSeen {
    /// How far it was read, in its file or in a copy of that.
    pub read: u64,
    /// The largest size that was certainly its own.
    pub certain: u64,
    /// The largest size that was seen before it was found to be cut off, which may have been that of what followed it.
    pub size: u64,
    /// The size of the file when that was found.
    pub now: u64,
    /// Whether there is a copy of it, which may have been made in the midst of that.
    pub copied: bool,
}

/// What stood behind that which was read of a run: offsets in it, of no bytes where there was nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Missed {
    /// It was cut off.
    pub lost: Range<u64>,
    /// It stood in the run, or in the one that followed it.
    pub doubtful: Range<u64>,
}

/// Says what was cut off a run before it was read.
///
/// A size is certainly that of a run if that was still there later. One that was seen last may be that of what followed
/// the run, if this has grown so large meanwhile, or was copied away in its turn.
#[must_use]
pub fn decide_missed(seen: &LastSeen) -> Missed {
    let LastSeen { read, certain, size, now, copied } = *seen;
    let certain = certain.max(read);
    let size = size.max(certain);
    let gone = if now < size && !copied { size } else { certain };
    Missed { lost: read..gone, doubtful: gone..size }
}

/// What a followed name meant at the last look.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NameHeld {
    /// The name has not been looked at before.
    New,
    /// This file.
    File(FileId),
    /// Nothing that could be read.
    Nothing,
}

/// What a followed name means now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NameSeen {
    /// A file that can be followed.
    File(FileId),
    /// A directory, socket or the like.
    Untailable(FileKind),
    /// A symbolic link, although the name was no link when it was first seen.
    LinkNow,
    /// There is no such name.
    Missing,
    /// It can't be looked at or opened.
    Inaccessible,
}

/// What a look at a name means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NameVerdict {
    /// It means what it meant.
    Same,
    /// It means a file, and meant none or hadn't been looked at.
    Arrived,
    /// It means another file.
    Rotated,
    /// It means nothing any more: keep what is open and wait for the name.
    Gone,
    /// It can't be reached, or means something that can't be followed: wait.
    Blocked,
    /// It was swapped for a symbolic link: refuse, since that may lead a privileged reader astray.
    Refused,
}

/// Says what a look at a name means.
#[must_use]
pub fn decide_name(held: NameHeld, seen: NameSeen) -> NameVerdict {
    match (held, seen) {
        (NameHeld::File(before), NameSeen::File(now)) if before == now => NameVerdict::Same,
        (NameHeld::File(_), NameSeen::File(_)) => NameVerdict::Rotated,
        (NameHeld::New | NameHeld::Nothing, NameSeen::File(_)) => NameVerdict::Arrived,
        (_, NameSeen::Missing) => NameVerdict::Gone,
        (_, NameSeen::Inaccessible | NameSeen::Untailable(_)) => NameVerdict::Blocked,
        (_, NameSeen::LinkNow) => NameVerdict::Refused,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    fn at(millis: u64) -> SystemTime {
        SystemTime::UNIX_EPOCH + Duration::from_millis(millis)
    }

    /// 100 bytes read, known to be all there was at time 7.
    const fn held() -> Held {
        Held { offset: 100, modified: None, suspect: None }
    }

    fn seen(before: Before, size: u64) -> Seen {
        Seen { size, modified: at(7), before }
    }

    #[test]
    fn every_row_of_the_table_holds() {
        let known = Held { modified: Some(at(7)), ..held() };
        let moved = Held { modified: Some(at(3)), ..held() };
        let suspected = Held { suspect: Some(at(7)), ..moved };
        let suspected_earlier = Held { suspect: Some(at(5)), ..moved };
        let empty = Held { offset: 0, ..moved };
        let rows: &[(&str, Held, Seen, Verdict)] = &[
            ("nothing", known, seen(Before::Same, 100), Verdict::Idle),
            ("nothing, time not known", held(), seen(Before::Same, 100), Verdict::Idle),
            ("nothing, empty file touched", empty, seen(Before::Same, 0), Verdict::Idle),
            ("grown since the read, and written", moved, seen(Before::Same, 130), Verdict::Idle),
            ("grown since the read", known, seen(Before::Same, 130), Verdict::Idle),
            ("stale size", known, seen(Before::Same, 40), Verdict::Stale),
            ("time moved", moved, seen(Before::Same, 100), Verdict::Settle),
            ("time moved on", suspected_earlier, seen(Before::Same, 100), Verdict::Settle),
            ("time moved and stayed", suspected, seen(Before::Same, 100), Verdict::Ambiguous),
            ("cut at the end", known, seen(Before::CutSame(50), 50), Verdict::Shortened(50)),
            ("emptied", known, seen(Before::CutSame(0), 0), Verdict::Rewritten(Evidence::Size)),
            ("cut and rewritten", known, seen(Before::CutOther, 50), Verdict::Rewritten(Evidence::Size)),
            ("hole", known, seen(Before::Nul, 120), Verdict::Rewritten(Evidence::Hole)),
            ("punched", known, seen(Before::NulBehindSameHead, 120), Verdict::Punched),
            ("head cut", known, seen(Before::MovedTo(60), 80), Verdict::HeadCut(60)),
            ("same length, other bytes", known, seen(Before::Other, 100), Verdict::Rewritten(Evidence::Content)),
            ("regrown past the offset", known, seen(Before::Other, 300), Verdict::Rewritten(Evidence::Content)),
        ];
        for (what, held, seen, verdict) in rows {
            assert_eq!(decide(held, seen), *verdict, "{what}");
        }
    }

    #[test]
    fn what_may_not_have_been_there_is_not_said_to_be_lost() {
        let all_read = LastSeen { read: 100, certain: 100, size: 100, now: 0, copied: false };
        let proven = LastSeen { certain: 130, size: 130, ..all_read };
        let seen = LastSeen { size: 130, ..all_read };
        let more = LastSeen { certain: 110, ..seen };
        let rows = [
            ("all was read", all_read, 100, 100),
            ("all was read, and less was known", LastSeen { certain: 50, size: 50, ..all_read }, 100, 100),
            ("more was there", proven, 130, 130),
            ("more was there, and is again", LastSeen { now: 500, ..proven }, 130, 130),
            ("more was there than was copied", LastSeen { copied: true, ..proven }, 130, 130),
            ("more was seen, and is gone in any case", seen, 130, 130),
            ("more was seen, and may be here now", LastSeen { now: 130, ..seen }, 100, 130),
            ("more was seen, and may be copied", LastSeen { copied: true, ..seen }, 100, 130),
            ("some was there, and more was seen", LastSeen { now: 200, ..more }, 110, 130),
        ];
        for (what, seen, gone, doubtful) in rows {
            assert_eq!(decide_missed(&seen), Missed { lost: 100..gone, doubtful: gone..doubtful }, "{what}");
        }
    }

    #[test]
    fn every_change_of_a_name_has_its_verdict() {
        let one = FileId { device: 1, inode: 1, birth: Some(at(1)) };
        let reborn = FileId { birth: Some(at(9)), ..one };
        let rows = [
            (NameHeld::New, NameSeen::File(one), NameVerdict::Arrived),
            (NameHeld::Nothing, NameSeen::File(one), NameVerdict::Arrived),
            (NameHeld::File(one), NameSeen::File(one), NameVerdict::Same),
            (NameHeld::File(one), NameSeen::File(reborn), NameVerdict::Rotated),
            (NameHeld::File(one), NameSeen::Missing, NameVerdict::Gone),
            (NameHeld::New, NameSeen::Missing, NameVerdict::Gone),
            (NameHeld::File(one), NameSeen::Inaccessible, NameVerdict::Blocked),
            (NameHeld::File(one), NameSeen::Untailable(FileKind::Directory), NameVerdict::Blocked),
            (NameHeld::File(one), NameSeen::LinkNow, NameVerdict::Refused),
            (NameHeld::Nothing, NameSeen::LinkNow, NameVerdict::Refused),
        ];
        for (held, seen, verdict) in rows {
            assert_eq!(decide_name(held, seen), verdict, "{held:?} {seen:?}");
        }
    }
}
