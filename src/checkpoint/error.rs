//! Why a checkpoint can't be used or saved, in words.

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};

use super::format::VERSION;
use crate::quote::quote;

/// Why a checkpoint can't be used or saved.
#[derive(Debug)]
pub enum Error {
    /// Another process has it.
    InUse {
        /// The checkpoint.
        path: PathBuf,
        /// The number of that process, if it could leave it.
        holder: Option<u32>,
    },
    /// What is there can't be used.
    Unusable {
        /// The checkpoint.
        path: PathBuf,
        /// What is wrong with it.
        flaw: Flaw,
    },
    /// The system refused. What it said is the source of this error, and not part of its text.
    System {
        /// What was tried.
        operation: Operation,
        /// With which file or directory.
        path: PathBuf,
        /// What the system said.
        error: io::Error,
    },
}

/// What is wrong with a file that should be a checkpoint.
#[derive(Debug)]
pub enum Flaw {
    /// It is a directory, a FIFO, a device or a socket.
    NoFile,
    /// It is something else, such as a log.
    Foreign,
    /// It has a version that this rtail doesn't know.
    Version(u64),
    /// It is empty.
    Empty,
    /// It begins with NULs, as after a crash of the machine.
    Zeroed,
    /// It was cut, or changed by somebody else.
    Broken(serde_json::Error),
}

/// What is done with a checkpoint.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Operation {
    /// Finding the directory it is in.
    FindDirectory,
    /// Locking it.
    Lock,
    /// Reading it.
    Read,
    /// Saving it, or trying whether it could be saved.
    Save,
}

impl Error {
    pub(super) fn unusable(path: &Path, flaw: Flaw) -> Self {
        Self::Unusable { path: path.to_owned(), flaw }
    }

    pub(super) fn system(operation: Operation, path: &Path, error: io::Error) -> Self {
        Self::System { operation, path: path.to_owned(), error }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::InUse { path, holder: None } => write!(f, "{} is in use by another process", quote(path)),
            Self::InUse { path, holder: Some(pid) } => {
                write!(f, "{} is in use by another process (pid {pid})", quote(path))
            }
            Self::Unusable { path, flaw } => write!(f, "{}{flaw}", quote(path)),
            Self::System { operation, path, .. } => write!(f, "cannot {operation} {}", quote(path)),
        }
    }
}

/// Goes on after the name of the file.
impl fmt::Display for Flaw {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const REMEDY: &str = "remove it to begin anew";
        match self {
            Self::NoFile => f.write_str(" can't be a checkpoint: it is not a regular file"),
            Self::Foreign => f.write_str(" is not a checkpoint of rtail: choose another name"),
            Self::Version(version) => {
                write!(f, ": checkpoint version {version} is not one of this rtail's ({VERSION}): {REMEDY}")
            }
            Self::Empty => write!(f, " is damaged (it is empty): {REMEDY}"),
            Self::Zeroed => write!(f, " is damaged (it begins with NUL bytes): {REMEDY}"),
            Self::Broken(error) => write!(f, " is damaged ({error}): {REMEDY}"),
        }
    }
}

impl fmt::Display for Operation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::FindDirectory => "find directory",
            Self::Lock => "lock",
            Self::Read => "read checkpoint",
            Self::Save => "save checkpoint",
        })
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::System { error, .. } => Some(error),
            Self::InUse { .. } | Self::Unusable { .. } => None,
        }
    }
}
