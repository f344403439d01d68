//! How often files have come under followed names, as events tell it.
//!
//! No event says which file came. What was renamed away from a name and comes back is known by where it went. Of files
//! that are moved in from where nothing is watched, one right after the other, the kernel may tell as of one: they are
//! counted as at least one.

use std::collections::{HashMap, HashSet};
use std::path::{Path, PathBuf};

use crate::numbers::ByNumber;
use crate::tail::SourceId;

/// How many files that were renamed away from followed names are kept sight of. If there are more, all are forgotten.
const AWAY: usize = 256;

/// How often files have come under the name of a source.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Arrivals {
    /// However they came.
    pub(crate) all: u64,
    /// Those of files that had been renamed away from it.
    pub(crate) returns: u64,
}

#[derive(Debug, Default)]
pub(super) struct Counts {
    by_source: ByNumber<SourceId, Arrivals>,
    /// Where files are that were renamed away from followed names, and which name that was.
    away: HashMap<PathBuf, PathBuf>,
    /// Names from which a file was renamed, which may be to where no events are heard from.
    left: HashSet<PathBuf>,
    /// A name under which a file came that may be the one that had left it.
    doubtful: Option<PathBuf>,
}

impl Counts {
    pub(super) fn of(&self, source: SourceId) -> Arrivals {
        self.by_source.get(&source).copied().unwrap_or_default()
    }

    pub(super) fn forget(&mut self, source: SourceId) {
        self.by_source.remove(&source);
    }

    /// A file has come under a name, which is that of these sources.
    pub(super) fn came(&mut self, path: &Path, how: How, sources: impl Iterator<Item = SourceId>) {
        // What was there was replaced.
        self.away.remove(path);
        let may_return = self.left.remove(path) && how == How::Renamed;
        self.doubtful = may_return.then(|| path.to_owned());
        for source in sources {
            let count = self.by_source.entry(source).or_default();
            count.all += 1;
            count.returns += u64::from(may_return);
        }
    }

    /// A file was renamed away from a followed name.
    pub(super) fn left(&mut self, path: &Path) {
        self.left.insert(path.to_owned());
    }

    /// What has [come](Self::came) last was renamed to that, which is the name of these sources, from where events are
    /// heard from too. `leaves` says whether it was renamed away from a followed name.
    pub(super) fn moved(&mut self, from: &Path, to: &Path, sources: impl Iterator<Item = SourceId>, leaves: Leaves) {
        self.left.remove(from);
        let doubted = self.doubtful.take().is_some();
        let name = self.away.remove(from);
        let returns = name.as_deref() == Some(to);
        for source in sources {
            let count = self.by_source.entry(source).or_default();
            count.returns = count.returns + u64::from(returns) - u64::from(doubted);
        }
        let name = match leaves {
            Leaves::FollowedName => Some(from.to_owned()),
            Leaves::OtherName => name.filter(|name| name != to),
        };
        if let Some(name) = name {
            if self.away.len() >= AWAY {
                self.away.clear();
            }
            self.away.insert(to.to_owned(), name);
        }
    }
}

/// How a file comes under a name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum How {
    Created,
    Renamed,
}

/// What a file is renamed away from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Leaves {
    FollowedName,
    OtherName,
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Where no events are heard from.
    const ELSEWHERE: &str = "elsewhere";

    /// Plays renames as events tell them, in a directory where `a.log` is followed.
    fn play(counts: &mut Counts, renames: &[(&str, &str)]) -> Arrivals {
        let source = |path: &str| (path == "a.log").then_some(SourceId::FIRST).into_iter();
        for (from, to) in renames {
            let leaves = if *from == "a.log" { Leaves::FollowedName } else { Leaves::OtherName };
            if leaves == Leaves::FollowedName {
                counts.left(Path::new(from));
            }
            if *to == ELSEWHERE {
                continue;
            }
            counts.came(Path::new(to), How::Renamed, source(to));
            if *from == ELSEWHERE {
                continue;
            }
            counts.moved(Path::new(from), Path::new(to), source(to), leaves);
        }
        counts.of(SourceId::FIRST)
    }

    #[test]
    fn a_file_that_was_renamed_away_is_known_when_it_returns() {
        let mut counts = Counts::default();
        assert_eq!(play(&mut counts, &[("new", "a.log")]), Arrivals { all: 1, returns: 0 });
        let moved_on = [("a.log", "a.log.1"), ("a.log.1", "a.log.2"), ("a.log.2", "a.log")];
        assert_eq!(play(&mut counts, &moved_on), Arrivals { all: 2, returns: 1 });
        let replaced = [("a.log", "a.log.1"), ("other", "a.log.1"), ("a.log.1", "a.log")];
        assert_eq!(play(&mut counts, &replaced), Arrivals { all: 3, returns: 1 });
    }

    #[test]
    fn a_file_that_was_out_of_sight_may_be_what_comes_from_there_next() {
        let mut counts = Counts::default();
        let away = ("a.log", ELSEWHERE);
        assert_eq!(play(&mut counts, &[away, (ELSEWHERE, "a.log")]), Arrivals { all: 1, returns: 1 });
        assert_eq!(play(&mut counts, &[(ELSEWHERE, "a.log")]), Arrivals { all: 2, returns: 1 }, "another one");
        assert_eq!(play(&mut counts, &[away, ("new", "a.log")]), Arrivals { all: 3, returns: 1 }, "seen to come");
        let rotated = [away, ("a.log.1", "a.log.2"), (ELSEWHERE, "a.log.1")];
        assert_eq!(play(&mut counts, &rotated), Arrivals { all: 3, returns: 1 });
    }

    #[test]
    fn files_that_never_return_are_not_kept_sight_of_for_ever() {
        let mut counts = Counts::default();
        for number in 0..3 * AWAY {
            play(&mut counts, &[("a.log", &format!("a.log.{number}"))]);
        }
        assert!(counts.away.len() <= AWAY);
        assert_eq!(counts.of(SourceId::FIRST), Arrivals::default());
    }
}
