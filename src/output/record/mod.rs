//! The records of `--format json`: one JSON object a line, by which other programs are told everything.
//!
//! Keys and words are a promise to these programs: none is renamed, none changes its meaning, and readers pass over
//! those that they don't know. What is not known is left out; nothing is `null`.
//!
//! Records are encoded here and nothing else: this writes nothing, and doesn't decide which records there are or in
//! which order. Those of type `line`, which are nearly all of them, are made by [`Lines`].

mod json;
mod line;
mod text;

use std::ops::Range;
use std::time::Duration;

use serde::ser::SerializeMap;
use serde::{Serialize, Serializer};

pub(crate) use self::line::{Lines, Parse};
pub(crate) use self::text::{Name, NewName};
use super::file_id::ShortId;
use crate::tail::Evidence;

/// One record other than a line.
#[derive(Debug, Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub(crate) enum Record<'a> {
    /// A file, or a new generation of it, begins.
    Open {
        #[serde(flatten)]
        name: Name<'a>,
        file_id: ShortId,
        /// Where reading begins.
        offset: u64,
        size: u64,
    },
    /// The name means another file now, and the old one has been read to its end.
    Rotate {
        #[serde(flatten)]
        name: Name<'a>,
        /// The old file.
        file_id: ShortId,
        new_file_id: ShortId,
        /// What the old file is called now, where that is known.
        #[serde(flatten)]
        renamed_to: Option<NewName<'a>>,
    },
    /// The file was changed in place otherwise than by appending.
    Truncate {
        #[serde(flatten)]
        name: Name<'a>,
        file_id: ShortId,
        /// How far it had been read.
        offset: u64,
        /// Its size now.
        size: u64,
        #[serde(with = "EvidenceWord")]
        evidence: Evidence,
        /// Where reading goes on: at 0 if it was rewritten, else behind what was read already.
        resumes_at: u64,
    },
    /// Something could not be delivered.
    Gap {
        #[serde(flatten)]
        name: Name<'a>,
        /// The file that it was in, where that is known.
        #[serde(skip_serializing_if = "Option::is_none")]
        file_id: Option<ShortId>,
        #[serde(flatten)]
        missing: Missing,
        /// Why, in one `snake_case` word.
        reason: &'a str,
    },
    /// An undecidable case was met.
    Ambiguous {
        #[serde(flatten)]
        name: Name<'a>,
        file_id: ShortId,
        /// What it was, and how it was decided.
        reason: &'a str,
    },
    /// A session's label has changed.
    State {
        #[serde(flatten)]
        name: Name<'a>,
        state: State,
        evidence: Sign,
        /// The process that holds the lock, where that is known.
        #[serde(skip_serializing_if = "Option::is_none")]
        holder_pid: Option<u32>,
    },
    /// There is a problem with one file.
    Error {
        #[serde(flatten)]
        name: Name<'a>,
        /// What was tried, in one word: `open`, `read`, `watch`, `list`, `look`.
        operation: &'a str,
        message: &'a str,
        /// In which time it is tried again, if it is.
        #[serde(rename = "retry_in_ms", skip_serializing_if = "Option::is_none")]
        retry_in: Option<Milliseconds>,
    },
    /// The last record.
    End {
        /// Why it ends, in one `snake_case` word.
        reason: &'a str,
        /// What was wrong, if it ends with an error.
        #[serde(skip_serializing_if = "Option::is_none")]
        message: Option<&'a str>,
        files: &'a [FileEnd<'a>],
    },
}

impl Record<'_> {
    /// Appends the record and the newline that ends it.
    pub(crate) fn encode(&self, out: &mut Vec<u8>) {
        text::append(out, self);
        out.push(b'\n');
    }
}

/// The label of a session.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum State {
    Active,
    Completed,
    Unknown,
}

/// By what a session's label was found.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Sign {
    Lock,
    Growth,
}

/// The words for [`Evidence`], which knows nothing of records.
#[derive(Serialize)]
#[serde(remote = "Evidence", rename_all = "snake_case")]
enum EvidenceWord {
    Size,
    Content,
    Hole,
}

/// What could not be delivered: `from` and `to`, or `bytes_unknown`.
#[derive(Clone, Debug)]
pub(crate) enum Missing {
    /// What stood at these offsets.
    Range(Range<u64>),
    /// Nobody can know how much.
    Unknown,
    /// All of so many files, of which nothing is known.
    Files(u64),
}

impl Serialize for Missing {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        match self {
            Self::Range(range) => {
                map.serialize_entry("from", &range.start)?;
                map.serialize_entry("to", &range.end)?;
            }
            Self::Unknown => map.serialize_entry("bytes_unknown", &true)?,
            Self::Files(files) => {
                map.serialize_entry("bytes_unknown", &true)?;
                map.serialize_entry("files", files)?;
            }
        }
        map.end()
    }
}

/// A time in whole milliseconds.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Milliseconds(pub(crate) Duration);

impl Serialize for Milliseconds {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_u128(self.0.as_millis())
    }
}

/// How far one file was read in the end.
#[derive(Debug, Serialize)]
pub(crate) struct FileEnd<'a> {
    #[serde(flatten)]
    pub(crate) name: Name<'a>,
    /// `None` for a name that has meant no file, and for several files that were let go long ago, together.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) file_id: Option<ShortId>,
    /// Where to resume, for files that are in play.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) next_offset: Option<u64>,
    /// With `--summary`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) account: Option<Account>,
}

/// What became of a file's bytes: `on_disk` is the sum of the others.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub(crate) struct Account {
    pub(crate) on_disk: u64,
    /// They stand before the place where reading was to begin.
    pub(crate) not_asked_for: u64,
    pub(crate) delivered: u64,
    /// They are of lines that were not asked for.
    pub(crate) filtered: u64,
    /// They end no line.
    pub(crate) held_back: u64,
    /// They are NULs that are no data.
    pub(crate) skipped: u64,
    pub(crate) lost: u64,
    pub(crate) unread: u64,
}

#[cfg(test)]
mod tests;
