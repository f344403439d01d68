//! What a tail reports: bytes, and what happened to the files they come from.

use std::io;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

pub use super::decide::Evidence;
pub use super::files::{FileId, FileKind};
pub use super::lines::Ending;
use super::passage::Passage;
use super::position::{Copied, Position};
use crate::wake::Trouble;

/// Names one followed source of a tail; given out in the order in which sources were added.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct SourceId(pub(crate) usize);

impl SourceId {
    /// The one that comes before all others.
    pub(crate) const FIRST: Self = Self(0);
}

/// One thing that a tail reports.
#[derive(Debug)]
#[non_exhaustive]
pub enum Event<'a> {
    /// Bytes of a file.
    Data(Data<'a>),
    /// Bytes of a file that can be passed on where they lie. Only where [`Options::passing`](super::Options::passing)
    /// asks for such.
    Passage(Passage<'a>),
    /// Something happened to a source.
    Happened {
        /// The source.
        source: SourceId,
        /// The name it goes by.
        path: &'a Path,
        /// What happened.
        what: Happening,
    },
    /// Something was read of which nothing can be delivered yet, such as the beginning of a line. It gives whoever drives
    /// the tail the occasion to do something else.
    Working {
        /// The source.
        source: SourceId,
        /// Whether it was there at the start.
        age: Age,
        /// The offset behind it.
        offset: u64,
    },
    /// Notification does not work, or not for all files: these are looked at in intervals.
    Trouble(Trouble),
    /// A pattern matches this file, which is left out because the events are written to it.
    LeftOut(PathBuf),
    /// A pattern matches this file, which is left out because it is compressed, and so are others. A pattern for that
    /// ending takes them.
    Compressed(PathBuf),
    /// A directory that a pattern leads through can't be listed, so that nothing in it matches.
    Unlistable(PathBuf, io::Error),
    /// What was to be followed with all that is below it is not there, from the start or any more. It is waited for.
    NoBase(PathBuf, Since),
}

/// Bytes of a file, in the file's order, each exactly once.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct Data<'a> {
    /// The source they belong to.
    pub source: SourceId,
    /// The name it goes by.
    pub path: &'a Path,
    /// The file they were read from, which the source's name may no longer mean.
    pub file: FileId,
    /// Counts the files, and the runs between truncations, that the source went through, from 1.
    pub run: u64,
    /// The offset of the first byte in the file.
    pub offset: u64,
    /// The bytes: whole lines under [`Framing::Lines`](super::Framing::Lines), but for what `ending` says.
    pub bytes: &'a [u8],
    /// How the last line ends.
    pub ending: Ending,
    /// Whether these bytes were there when the source was first looked at, or were appended since.
    pub age: Age,
}

/// Whether bytes were there before, or are new.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Age {
    /// They were there when the source was first looked at.
    Initial,
    /// They were appended since.
    Appended,
}

/// Where in a line something begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Begins {
    /// With a line.
    Line,
    /// Within a line, whose beginning is not delivered, or was delivered before.
    Within,
}

/// What a new file is to its source.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Arrival {
    /// The first one, there from the start.
    First,
    /// There was no such file before.
    Appeared,
    /// The name meant something before that could not be read.
    Accessible,
    /// The name meant this other file before.
    Replaced(FileId),
    /// A file of this source has got its name back; reading goes on where it was.
    Returned,
    /// The name meant it between two looks; it was found beside the name.
    Unseen,
    /// Reading goes on where an earlier tail had come to.
    Resumed,
}

/// Whether something is so from the start or has become so.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Since {
    /// It was found at the first look.
    Start,
    /// The source was followed before.
    Change,
    /// The source could not be followed before either, for another reason.
    Still,
}

/// Whether the core goes on trying.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outlook {
    /// It looks again, without being asked.
    Waiting,
    /// It has given this source up.
    GivenUp,
}

/// Why bytes could not be delivered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Loss {
    /// They were cut off before they were read.
    Truncated,
    /// The file was let go because reading it kept failing.
    Unreadable,
    /// The file is not to be found any more.
    Gone,
    /// They may have been delivered before: nothing tells whether a file that was compressed has followed what was read,
    /// or was before that.
    Doubtful,
}

/// What can't be told.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Doubt {
    /// The modification time moved but the content is as it was: touched, or rewritten with the same bytes. Nothing is
    /// repeated.
    Touched,
    /// Whether these offsets were cut off unread, or are those of what stands in the file now, and was not read then.
    /// Nothing is missing but what may have stood there.
    CutUnread(Range<u64>),
    /// What a cut took away unread was found in this file, which may be a log of its own that begins with all that had been
    /// read: a pattern takes its name for one's. It is taken for a copy.
    Copy(PathBuf),
}

/// Something that happened to a source.
#[derive(Debug)]
#[non_exhaustive]
pub enum Happening {
    /// A file is being read from `offset` on; its bytes follow.
    Opened {
        /// The file.
        file: FileId,
        /// What it is to its source.
        arrival: Arrival,
        /// The run that begins, or goes on, as in [`Data::run`].
        run: u64,
        /// Where reading begins.
        offset: u64,
        /// Where in a line that is.
        begins: Begins,
        /// Its size at that moment, in bytes.
        size: u64,
    },
    /// A newer file of the source begins, right behind this, after an older one that has been read to its end once;
    /// late lines of that one may follow. A file that gets its name back while it is still open goes on, which is no
    /// rotation.
    Rotated {
        /// The file that the source read before.
        from: FileId,
        /// The file that begins.
        to: FileId,
        /// Where the older one is now, as an absolute path; `None` if it has kept its place, was removed or let go, or
        /// if that can't be known.
        renamed_to: Option<PathBuf>,
    },
    /// A file was let go, after its last bytes.
    Closed {
        /// The file.
        file: FileId,
        /// The run of the source that ends with it, as in [`Data::run`].
        run: u64,
        /// How far it was read.
        offset: u64,
        /// The largest size seen, in bytes.
        size: u64,
        /// What proves that later; `None` for a file that is no regular one.
        position: Option<Position>,
    },
    /// The name means nothing that can be opened.
    Inaccessible {
        /// What the system said.
        error: io::Error,
        /// Whether it was so from the start.
        since: Since,
        /// Whether it is waited for.
        outlook: Outlook,
    },
    /// The name means something that has no bytes to follow.
    Untailable {
        /// What it means.
        kind: FileKind,
        /// What the system says to an attempt to read it, where that can be made.
        error: Option<io::Error>,
        /// Whether it was so from the start.
        since: Since,
        /// Whether it is waited for.
        outlook: Outlook,
    },
    /// The offset asked for lies beyond the end: the file was cut since. Reading begins at 0.
    OffsetBeyondEnd {
        /// The file.
        file: FileId,
        /// The offset asked for.
        offset: u64,
        /// The size, in bytes.
        size: u64,
    },
    /// Files that the name meant between two looks were found beside it; they are read in their order.
    FoundUnseen {
        /// How many.
        files: usize,
    },
    /// Bytes that a cut took away unread were found in a copy of the file; they follow.
    Recovered {
        /// The file that was cut.
        file: FileId,
        /// Their offsets in it.
        range: Range<u64>,
        /// The copy.
        copy: PathBuf,
    },
    /// The file was rewritten in place; reading begins again at 0.
    Rewritten {
        /// The file.
        file: FileId,
        /// The run that begins, as in [`Data::run`].
        run: u64,
        /// How it was noticed.
        evidence: Evidence,
        /// How far it had been read.
        offset: u64,
        /// Its size now, in bytes.
        size: u64,
        /// What proves later how far it had been read.
        position: Option<Position>,
    },
    /// The file was cut off at the end; what is left was read already.
    Shortened {
        /// The file.
        file: FileId,
        /// The number of the run that begins.
        run: u64,
        /// How far it had been read.
        from: u64,
        /// Where it ends now, and reading goes on.
        to: u64,
    },
    /// The file was cut off at the head; what was at `from` is at `to` now, and reading goes on there. Offsets that
    /// were told before are too large by that.
    HeadCut {
        /// The file.
        file: FileId,
        /// How far it had been read.
        from: u64,
        /// Where that is now.
        to: u64,
        /// Its size now, in bytes.
        size: u64,
    },
    /// NULs were passed over: a hole, or room that was set aside and never used.
    NulsSkipped {
        /// The file.
        file: FileId,
        /// Their offsets.
        range: Range<u64>,
    },
    /// Bytes could not be delivered.
    Lost {
        /// The file.
        file: FileId,
        /// Their offsets; `None` where nobody can know.
        range: Option<Range<u64>>,
        /// Why.
        reason: Loss,
    },
    /// Files came under the name and went between two looks, and are nowhere beside it: nobody can know what was in
    /// them.
    CameAndWent {
        /// How many.
        files: u64,
    },
    /// Something happened to a file that can't be told from something else.
    Ambiguous {
        /// The file.
        file: FileId,
        /// What it is that can't be told.
        doubt: Doubt,
    },
    /// What is asked about the file, or its name, has no answer in time, as of a server that is down. Nothing is known of
    /// it until there is one; meanwhile it is asked again and again.
    NotAnswering,
    /// There was an answer again. Whatever has happened meanwhile comes now.
    Answering,
    /// A read failed.
    ReadFailed {
        /// The file.
        file: FileId,
        /// What the system said.
        error: io::Error,
        /// Whether it is tried again.
        outlook: Outlook,
    },
    /// The end of a file can't be read, and never will be. What is lost of it is told next; what follows it goes on.
    Damaged {
        /// The file.
        file: FileId,
        /// What is wrong, and with which file if this one is read from another.
        error: io::Error,
    },
    /// The source has ended for good: nothing more will come of it. With it goes what a later
    /// [`Resume`](super::Resume) is to know.
    Ended {
        /// When its name was last seen to mean the newest of its files, or nothing.
        looked: Option<SystemTime>,
        /// Files beside that which are dealt with.
        known: Vec<FileId>,
        /// Those of them that are copies.
        copies: Vec<Copied>,
    },
}

/// How far an open file has been read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Standing<'a> {
    /// The source that it belongs to.
    pub source: SourceId,
    /// The name that goes by.
    pub path: &'a Path,
    /// The file.
    pub file: FileId,
    /// The run that is being read, as in [`Data::run`]; 0 before the file's turn has come.
    pub run: u64,
    /// Where the next byte is read.
    pub offset: u64,
    /// How many bytes before `offset` are not delivered as yet, since their line is not finished.
    pub kept: u64,
    /// The largest size seen, in bytes.
    pub size: u64,
}

/// By what a source is noticed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Noticed {
    /// By events, and by a look at everything now and then.
    ByEvents,
    /// By looking at an interval, perhaps beside events.
    ByPolling(Because),
    /// By waiting until it can be read: a pipe, FIFO or device.
    ByReading,
}

/// Why a source is looked at in intervals.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Because {
    /// The options ask for it.
    Asked,
    /// Its file system doesn't announce all changes.
    FileSystem,
    /// No watch could be set.
    NoWatch,
    /// A look found what no event had announced. Until one does, none is relied on.
    Unannounced,
}
