//! What can happen to the files, and to the follower.

/// One thing that happens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Step {
    /// How many system calls of the follower come first.
    pub(super) calls: u32,
    /// What becomes of the events that it causes.
    pub(super) fate: Fate,
    pub(super) op: Op,
}

/// What becomes of events.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fate {
    Told,
    /// So many milliseconds late.
    Late(u64),
    Lost,
}

/// Which calls of the follower fail, and how.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Failing {
    /// There are no descriptors left.
    Open,
    /// A disk or server can't be read, for the time being.
    Read,
    List,
}

/// Which way rotated files are named.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Style {
    /// Each gets the next number.
    Up,
    /// Each gets a date.
    Dates,
    /// The newest is the first; others have to be moved on before.
    Down,
}

/// Which file is written to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum To {
    /// The one that the name means, made if need be.
    Live,
    /// The one that it meant before.
    Previous,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Op {
    /// Writes so many lines of this length.
    Append(u32, usize, To),
    /// Writes the beginning of a line.
    Begin,
    /// Writes the rest of a line that was begun, wherever its file is by now.
    Finish,
    /// Renames the followed file.
    Rotate(Style),
    /// Moves a rotated file on to the next number.
    MoveOn(u32),
    /// Makes an empty file under the followed name, if there is none.
    Create,
    Unlink,
    /// Removes a rotated file.
    Drop(u32),
    /// Copies the followed file.
    Copy(Style),
    /// The same, but only about the first half of it; the rest follows.
    BeginCopy(Style),
    EndCopy,
    /// Renames the file that was followed last, if it was renamed, back to its name.
    Return,
    /// Empties the followed file.
    Truncate,
    /// Cuts the last lines off.
    Shorten(usize),
    /// Cuts within the last line.
    CutWithin,
    /// Empties the followed file, under a writer that goes on where it was.
    Hole,
    /// Writes other lines of the same lengths over those that are there.
    Rewrite,
    /// Renames a new file with so many lines over the followed one.
    Replace(u32),
    /// Gives the followed file another name as well.
    Link(Style),
    /// A link on the way to the followed name leads to another directory now, with a new file of so many lines.
    Swap(u32),
    /// The followed name is a link, and leads to a new file of so many lines now.
    Retarget(u32),
    /// So many of the follower's next calls of a kind fail.
    Fail(Failing, u32),
    /// The follower looks, and delivers all there is.
    Look,
    /// It delivers no more than this many events.
    Take(u32),
    /// Its output is blocked for so many milliseconds, so that it only minds names.
    Block(u64),
    /// So many milliseconds pass.
    Sleep(u64),
    /// It is stopped for so many.
    Stall(u64),
    /// The queue of events overflows.
    Overflow,
    /// A checkpoint is saved, of all that was delivered but for so many of the last events.
    Save(usize),
    /// It is killed, and begun again from the last checkpoint after so many milliseconds.
    Crash(u64),
}

impl Op {
    /// Whether it happens to the follower rather than to the files.
    pub(super) fn is_ours(self) -> bool {
        use Op::{Block, Crash, Look, Overflow, Save, Sleep, Stall, Take};
        matches!(self, Look | Take(_) | Block(_) | Sleep(_) | Stall(_) | Overflow | Save(_) | Crash(_))
    }
}
