//! Where files stood when their names were found to mean them.

use std::path::{Path, PathBuf};
use std::rc::Rc;

use super::files::{FileId, Files, Links};
use super::lineage::directory;

/// Where a file stood, by a path through no link.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Place {
    /// Under its source's name, in this directory.
    In(Rc<Path>),
    /// Here, where a link led.
    At(PathBuf),
}

impl Place {
    /// Whether a path is that of this place, to which `name` led.
    pub(crate) fn is(&self, path: &Path, name: &Path) -> bool {
        match self {
            Self::In(directory) => path.parent() == Some(directory) && path.file_name() == name.file_name(),
            Self::At(place) => place == path,
        }
    }
}

/// Where directories are. Of names in the same one, one after the other, it is asked for once.
#[derive(Debug, Default)]
pub(crate) struct Places {
    last: Option<(PathBuf, FileId, Rc<Path>)>,
}

impl Places {
    /// The place of a name that is no link.
    pub(crate) fn of(&mut self, name: &Path, files: &dyn Files) -> Option<Place> {
        let path = directory(name);
        let id = files.meta(path, Links::Follow).ok()?.id;
        let known = self.last.as_ref().filter(|(last, of, _)| last == path && *of == id);
        let real = match known {
            Some((.., real)) => Rc::clone(real),
            None => files.resolve(path).ok()?.into(),
        };
        if known.is_none() {
            self.last = Some((path.to_owned(), id, Rc::clone(&real)));
        }
        Some(Place::In(real))
    }
}
