//! Where reading has come to, in a form that outlives the process: what a checkpoint holds.

use std::path::PathBuf;

use super::files::FileId;

/// How far one file was read, and what proves later that it is still the same file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Position {
    /// The file.
    pub file: FileId,
    /// The offset of the next byte to be delivered.
    pub offset: u64,
    /// The largest size seen, in bytes: what was there to be lost.
    pub size: u64,
    /// The first bytes of the file, up to 1 KiB, as far as they stand before `offset`.
    pub head: Vec<u8>,
    /// The last bytes before `offset`, up to 256.
    pub anchor: Vec<u8>,
}

/// A followed name, and the files it has meant that are not done with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Resume {
    /// The name.
    pub path: PathBuf,
    /// Its files, oldest first.
    pub files: Vec<Position>,
    /// Files beside it that are dealt with although they were born after the last of `files`: copies of these.
    pub known: Vec<FileId>,
}
