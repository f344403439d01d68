//! What a tail reports that belongs to no source.

use std::io;
use std::path::PathBuf;

use super::event::{Event, Since};
use crate::wake::Trouble;

#[derive(Debug)]
pub(crate) enum Report {
    Trouble(Trouble),
    LeftOut(PathBuf),
    Compressed(PathBuf),
    Unlistable(PathBuf, io::Error),
    NoBase(PathBuf, Since),
}

impl From<Report> for Event<'_> {
    fn from(report: Report) -> Self {
        match report {
            Report::Trouble(trouble) => Event::Trouble(trouble),
            Report::LeftOut(path) => Event::LeftOut(path),
            Report::Compressed(path) => Event::Compressed(path),
            Report::Unlistable(path, error) => Event::Unlistable(path, error),
            Report::NoBase(path, since) => Event::NoBase(path, since),
        }
    }
}
