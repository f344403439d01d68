//! What was written, and what is known of it when it is missing.

use std::time::SystemTime;

use super::fs::Key;

/// A line that was written, with its beginning if it was never finished.
#[derive(Debug)]
pub(super) struct Line {
    pub(super) text: String,
    /// The file it was written to first, and which run of that.
    pub(super) home: Key,
    pub(super) run: usize,
    pub(super) offset: u64,
    /// How much of it was written.
    pub(super) written: u64,
    /// With which call of the follower the last of it was.
    pub(super) at: u64,
    /// When that was.
    pub(super) clock: SystemTime,
    /// The turn of its file when it was written; `None` if that has yet to come.
    pub(super) turn: Option<u64>,
    /// A newer file had come by then.
    pub(super) late: bool,
    /// Where its file was cut off before it, if it was.
    pub(super) cut_to: Option<u64>,
    /// Within it, how much was left of it when its file was cut there.
    pub(super) stump: Option<usize>,
    /// It was left standing when its file was cut off behind it.
    pub(super) survived: bool,
    /// Why nobody can be blamed if it is missing.
    pub(super) excuse: Option<Excuse>,
}

impl Line {
    pub(super) fn is_whole(&self) -> bool {
        self.written == self.text.len() as u64
    }

    pub(super) fn end(&self) -> u64 {
        self.offset + self.written
    }
}

/// Why a line may be missing without a word.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Excuse {
    /// It was gone before the follower was shown that its file is that long.
    Unseen,
    /// What was cut off began behind all that had been read of the file, so that nothing proves it was ever there.
    Unread,
    /// Its run was over before the look that found other bytes in the place of those that it knew was: these were taken
    /// for a proof only, and by then as much stood in the file again.
    Brief,
    /// It was written to an empty file and cut off in the tick of the clock in which the follower had seen that empty.
    OneTick,
    /// It was never finished, and cut off the end of its file, which is what is announced (core.md 5: shortened from the
    /// end, nothing is printed).
    CutUnfinished,
}
