//! A name, and what stands under it. Looking is all that is done here; what it means is for `decide` to say.

use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};

use super::decide::NameSeen;
use super::failures::is_silence;
use super::files::{FileId, FileKind, Files, Handle, Links, Meta, open};

/// What is known of the name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum State {
    /// Not looked at yet.
    New,
    /// It means the last generation; or there is no name, and the only generation is followed.
    Live,
    /// It means nothing that can be followed.
    Absent(Absence),
    /// Whatever is open is read to its end as it is now, and let go.
    Finishing,
    /// Nothing new will be taken up.
    Over,
}

/// Why a name can't be followed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Absence {
    Missing,
    Errno(Option<i32>),
    Untailable(FileKind),
}

/// A name to look at.
#[derive(Debug)]
pub(crate) struct Name {
    path: PathBuf,
    /// What it was when it was first seen. A plain one is not followed into a link later on.
    links: Option<Links>,
}

impl Name {
    pub(crate) fn new(path: PathBuf) -> Self {
        Self { path, links: None }
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Has it be another path that leads to the same file.
    pub(crate) fn rename(&mut self, path: PathBuf) {
        self.path = path;
    }

    /// Whether it was a link when it was first seen.
    pub(crate) fn is_link(&self) -> bool {
        self.links == Some(Links::Follow)
    }

    /// How it leads to its file.
    pub(crate) fn links(&self) -> Links {
        self.links.unwrap_or(Links::Refuse)
    }

    /// Which file it means now, if any.
    ///
    /// # Errors
    /// When there is no answer to that.
    pub(crate) fn means(&self, files: &dyn Files) -> io::Result<Option<FileId>> {
        match files.meta(&self.path, self.links()) {
            Err(error) if is_silence(&error) => Err(error),
            found => Ok(found.ok().map(|meta| meta.id)),
        }
    }

    /// Opens whatever it means now.
    pub(crate) fn open(&self, files: &dyn Files) -> io::Result<Box<dyn Handle>> {
        files.open(&self.path, self.links())
    }

    /// Finds out what the name means now; opens it if that is not the file it `meant`.
    pub(crate) fn look(&mut self, files: &dyn Files, meant: Option<FileId>) -> (NameSeen, Found) {
        let result = (|| {
            // The name may move on meanwhile: only the handle tells whose identity this is.
            let (meta, handle) = match self.links {
                Some(links) => {
                    let meta = files.meta(&self.path, links)?;
                    if links == Links::Refuse && meta.kind == FileKind::Symlink {
                        return Ok((NameSeen::LinkNow, Found::Kind(FileKind::Symlink, None)));
                    }
                    if meant == Some(meta.id) {
                        return Ok((NameSeen::File(meta.id), Found::Same));
                    }
                    open(files, &self.path, links)?
                }
                None => self.open_first(files)?,
            };
            if meant == Some(meta.id) {
                return Ok((NameSeen::File(meta.id), Found::Same));
            }
            if matches!(meta.kind, FileKind::Directory | FileKind::Other) {
                let error = handle.read_at(&mut [0], 0).err();
                return Ok((NameSeen::Untailable(meta.kind), Found::Kind(meta.kind, error)));
            }
            Ok((NameSeen::File(meta.id), Found::File(handle, meta)))
        })();
        result.unwrap_or_else(|error: io::Error| {
            let became_a_link = error.raw_os_error() == Some(rustix::io::Errno::LOOP.raw_os_error())
                && self.links == Some(Links::Refuse);
            match error.kind() {
                ErrorKind::NotFound => (NameSeen::Missing, Found::Error(error)),
                _ if became_a_link => (NameSeen::LinkNow, Found::Kind(FileKind::Symlink, None)),
                _ => (NameSeen::Inaccessible, Found::Error(error)),
            }
        })
    }

    /// Opens whatever the name means when it is seen for the first time, and remembers whether it is a link.
    fn open_first(&mut self, files: &dyn Files) -> io::Result<(Meta, Box<dyn Handle>)> {
        // Most names are plain. What can be opened as such is no link, which need not be asked for before.
        let opened = open(files, &self.path, Links::Refuse);
        let kind = match &opened {
            Ok((meta, _)) => meta.kind,
            Err(_) => files.meta(&self.path, Links::Refuse)?.kind,
        };
        match kind {
            // What can't be followed yet may make way for a link as well as for a file.
            FileKind::Directory => opened,
            FileKind::Symlink => {
                self.links = Some(Links::Follow);
                open(files, &self.path, Links::Follow)
            }
            _ => {
                self.links = Some(Links::Refuse);
                opened
            }
        }
    }
}

/// What stood under a name.
pub(crate) enum Found {
    /// The file that it meant before.
    Same,
    /// A file, opened.
    File(Box<dyn Handle>, Meta),
    /// Something that can't be followed.
    Kind(FileKind, Option<io::Error>),
    /// An error.
    Error(io::Error),
}

/// Whether an error says that there are too many descriptors.
pub(crate) fn is_shortage(error: &io::Error) -> bool {
    use rustix::io::Errno;
    [Errno::MFILE, Errno::NFILE].iter().any(|errno| error.raw_os_error() == Some(errno.raw_os_error()))
}
