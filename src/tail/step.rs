//! What passes between the engine and its sources: what is due, what a step needs, what it brings and asks for.

use std::cell::RefCell;
use std::collections::{BTreeSet, HashMap, VecDeque};
use std::ops::Range;
use std::os::fd::RawFd;
use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::sync::atomic::AtomicBool;
use std::time::{Duration, Instant};

use super::event::{Age, Ending, Happening, Noticed, SourceId};
use super::files::{FileId, Files, Handle};
use super::generation::Closed;
use super::options::{Options, Start};
use super::pattern::Pattern;
use super::place::Places;

/// How soon a name that can't be reached, or a read that failed, is tried again.
pub(crate) const RETRY: Duration = Duration::from_millis(250);

/// What a source must look at.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Due {
    Nothing,
    /// Its open files.
    Files,
    /// Its open files, and its name if these have been quiet for long enough.
    Round,
    /// Its name, then its open files.
    NameAndFiles,
}

/// What a source asks of whoever watches for it.
#[derive(Debug)]
pub(crate) enum Want {
    /// Notice what happens to the name.
    Name(SourceId),
    /// Hear all events that there are, and tell how often files have come under the name.
    Arrivals(SourceId),
    /// Notice appends to this open file, which is on a file system of this type.
    Appends(SourceId, RawFd, Option<i64>),
    /// Nothing will tell of appends to an open file of the source.
    Unannounced(SourceId),
    /// Notice when a pipe or device of the source can be read.
    Readable(SourceId),
    /// A device of the source has nothing and can't tell when it has.
    Unreadable(SourceId),
    /// Forget about this descriptor, which is closed now.
    Release(RawFd),
    /// The same, but go on to notice writes to its file, on behalf of the source.
    Park(SourceId, RawFd),
    /// That is not needed any more.
    Unpark(SourceId),
    /// Forget about the name of this source.
    Forget(SourceId),
    /// Find out whose content this compressed file has, and have the source that wants to know look again.
    Compare(SourceId, PathBuf, FileId),
    /// Give up descriptors, for want of which a file can't be opened, and have everything looked at again.
    Room,
}

impl Want {
    /// Whether something is to be noticed that must be looked at afterwards.
    pub(crate) fn is_watch(&self) -> bool {
        matches!(self, Self::Name(_) | Self::Appends(..))
    }
}

/// What comes first where a file is to be watched and read: only what is read behind the watch need not be looked at
/// once more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum First {
    /// The output waits for its first bytes.
    Reading,
    Watching,
}

/// Says where a file begins that is there from the start.
pub(crate) type Begin = Box<dyn Fn(&Path, FileId) -> Start>;

/// What a step needs from outside.
pub(crate) struct Context<'a> {
    pub(crate) files: &'a dyn Files,
    pub(crate) options: &'a Options,
    /// Says where files begin, if the options don't.
    pub(crate) begin_by: Option<&'a Begin>,
    /// Where the file begins that is being looked at.
    pub(crate) start: Start,
    pub(crate) buffer: &'a mut [u8],
    pub(crate) wants: &'a mut Vec<Want>,
    pub(crate) first: First,
    /// Where directories are.
    pub(crate) places: &'a mut Places,
    pub(crate) now: Instant,
    /// How long a file that its name no longer means must be quiet before it is let go.
    pub(crate) rotate_wait: Duration,
    /// The source that is being stepped.
    pub(crate) source: SourceId,
    /// By what that is noticed.
    pub(crate) noticed: Noticed,
    /// What any source has, or will have.
    pub(crate) others: Others<'a>,
    /// Files that were let go by any source, the last ones last.
    pub(crate) closed: &'a mut VecDeque<Closed>,
    /// Set by whoever wants long searches to end.
    pub(crate) interrupt: &'a AtomicBool,
    /// Whether descriptors could be given up for files.
    pub(crate) can_make_room: bool,
    /// Whether it may keep the tail waiting for a FIFO's first writer.
    pub(crate) alone: bool,
}

impl Context<'_> {
    /// Whether nothing is to be read before something was watched.
    pub(crate) fn is_to_wait(&self) -> bool {
        self.first == First::Watching && self.wants.iter().any(Want::is_watch)
    }
}

/// What is followed by any source, or will be.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Others<'a> {
    pub(crate) holders: &'a BTreeSet<(FileId, SourceId)>,
    pub(crate) patterns: &'a [Rc<Pattern>],
    pub(crate) compressed: &'a Compressed,
    pub(crate) pins: &'a Pins,
}

/// Compressed files, and whether they were made of what some source has.
pub(crate) type Compressed = HashMap<FileId, Content>;

/// Whose content a compressed file has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Content {
    /// That of a file that a source has.
    Followed,
    /// That of none.
    Unknown,
}

/// Files that may be copies of logs, and are held open until that is known: whoever finds one to be a copy takes it.
pub(crate) type Pins = RefCell<HashMap<FileId, Pinned>>;

/// One of these files, with the name that it was found by last.
#[derive(Debug)]
pub(crate) struct Pinned {
    pub(crate) path: PathBuf,
    pub(crate) handle: Box<dyn Handle>,
}

impl Others<'_> {
    /// Whether a source has this file, or what was compressed to make it.
    pub(crate) fn hold(self, file: FileId) -> bool {
        self.holders_of(file).next().is_some() || self.compressed.get(&file) == Some(&Content::Followed)
    }

    /// The sources that have this file.
    pub(crate) fn holders_of(self, file: FileId) -> impl Iterator<Item = SourceId> {
        let from = self.holders.range((file, SourceId::FIRST)..);
        from.take_while(move |(held, _)| *held == file).map(|(_, source)| *source)
    }

    /// Whether patterns find whatever has this path.
    pub(crate) fn will_find(self, path: &Path) -> bool {
        self.patterns.iter().any(|pattern| pattern.takes(path))
    }
}

/// What one step of a source brought.
#[derive(Debug)]
pub(crate) enum Step {
    Happened(Happening),
    Data(Delivery),
    /// Something of this age was read up to an offset, but nothing can be reported of it yet.
    Working {
        age: Age,
        offset: u64,
    },
    /// So many bytes can be passed.
    Passable(u64),
}

impl Step {
    /// How many bytes it brought.
    pub(crate) fn bytes(&self) -> u64 {
        match self {
            Self::Data(Delivery { bytes: Bytes::Buffered(range), .. }) => range.len() as u64,
            Self::Data(Delivery { bytes: Bytes::Owned(bytes), .. }) => bytes.len() as u64,
            Self::Passable(length) => *length,
            Self::Happened(_) | Self::Working { .. } => 0,
        }
    }
}

/// Bytes to deliver, and what is to be said of them.
#[derive(Debug)]
pub(crate) struct Delivery {
    pub(crate) file: FileId,
    pub(crate) run: u64,
    pub(crate) offset: u64,
    pub(crate) bytes: Bytes,
    pub(crate) ending: Ending,
    pub(crate) age: Age,
}

/// Where the bytes to deliver are.
#[derive(Debug)]
pub(crate) enum Bytes {
    /// In the buffer of the context.
    Buffered(Range<usize>),
    /// Here.
    Owned(Vec<u8>),
}
