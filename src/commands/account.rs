//! The account of `--summary`: what became of every byte of every file.
//!
//! It is kept twice. How far a file was read is known to the core; what became of its bytes is counted here, from what
//! was shown. If the two differ, bytes have come out twice or not at all, which no fault of a file can explain.

use std::collections::{BTreeMap, VecDeque};
use std::ops::Range;
use std::path::{Path, PathBuf};

use super::form::Count;
use super::ledger::Of;
use crate::output::record::Account;
use crate::tail::{FileId, SourceId, Standing, Tail};

/// How many runs that are over are accounted for one by one; of earlier ones the sum is kept.
const KEPT: usize = 100;

/// The accounts of all files.
#[derive(Clone, Debug, Default)]
pub(super) struct Accounts {
    open: Vec<Open>,
    over: VecDeque<Row>,
    earlier: Vec<Row>,
}

/// The account of a run that is being read.
#[derive(Clone, Debug)]
struct Open {
    of: Of,
    path: PathBuf,
    account: Account,
    /// By how much the file would be longer if nothing had been cut off it that is accounted for.
    cut: u64,
    /// Behind the last bytes that did not come from reading the file: passed over, or found in a copy.
    beyond: u64,
    /// Whether what was read behind the last bytes that were shown is not wanted.
    stopped: bool,
}

/// One line of the account.
#[derive(Clone, Debug)]
pub(super) struct Row {
    pub(super) path: PathBuf,
    pub(super) whose: Whose,
    pub(super) account: Account,
    /// How many bytes were read and came to nothing; below 0, how many came of nothing.
    pub(super) astray: i128,
}

/// Whose account it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Whose {
    /// Of a run.
    Run(Of),
    /// Of a name that has meant no file.
    NoFile(SourceId),
    /// Of so many runs that were over long ago, together.
    Earlier(u64),
}

impl Accounts {
    /// Reading of a run begins at an offset.
    pub(super) fn begin(&mut self, of: Of, path: &Path, offset: u64) {
        if self.open.iter().all(|open| open.of != of) {
            let account = Account { not_asked_for: offset, ..Account::default() };
            self.open.push(Open { of, path: path.to_owned(), account, cut: 0, beyond: 0, stopped: false });
        }
    }

    /// Bytes of a run were shown, or left out as was asked.
    pub(super) fn show(&mut self, of: Of, count: Count) {
        self.change(of, |open| {
            open.account.delivered += count.delivered;
            open.account.filtered += count.filtered;
        });
    }

    /// What was waited for has come: nothing more of this run is wanted, read or not.
    pub(super) fn stop(&mut self, of: Of) {
        self.change(of, |open| open.stopped = true);
    }

    /// Bytes of a run were passed over.
    pub(super) fn skip(&mut self, of: Of, range: &Range<u64>) {
        self.change(of, |open| {
            open.account.skipped += range.end - range.start;
            open.beyond = range.end;
        });
    }

    /// Bytes of a run were cut off before they were read.
    pub(super) fn lose(&mut self, of: Of, range: &Range<u64>) {
        self.change(of, |open| {
            open.account.lost += range.end - range.start;
            // A copy did not have all that it seemed to have.
            open.beyond = open.beyond.min(range.start);
        });
    }

    /// Bytes of a run up to `to` that were cut off were found in a copy, and come from there.
    pub(super) fn recover(&mut self, of: Of, to: u64) {
        self.change(of, |open| open.beyond = to);
    }

    /// Bytes of a file that can't be found any more were lost.
    pub(super) fn miss(&mut self, source: SourceId, path: &Path, file: FileId, count: u64) {
        let account = Account { on_disk: count, lost: count, ..Account::default() };
        self.over.push_back(Row {
            path: path.to_owned(),
            whose: Whose::Run(Of { source, file, run: 0 }),
            account,
            astray: 0,
        });
    }

    /// A run that had been read further ends at `to` now, and goes on under another number.
    pub(super) fn shorten(&mut self, of: Of, run: u64, to: u64) {
        self.change(of, |open| {
            // Of an unfinished line nothing was accounted for, so that nothing is missing if it is cut off.
            open.cut += (open.known() - open.cut).saturating_sub(to);
            open.of.run = run;
        });
    }

    /// So many bytes were cut off the beginning of a run.
    pub(super) fn behead(&mut self, of: Of, count: u64) {
        self.change(of, |open| open.cut += count);
    }

    /// A run is over: it was read to `offset`, and never seen longer than `size`.
    pub(super) fn end(&mut self, of: Of, offset: u64, size: u64) {
        let Some(index) = self.open.iter().position(|open| open.of == of) else { return };
        self.over.push_back(self.open.remove(index).row(offset, size, 0));
        if self.over.len() > KEPT
            && let Some(oldest) = self.over.pop_front()
        {
            match self.earlier.iter_mut().find(|earlier| earlier.path == oldest.path) {
                Some(earlier) => earlier.add(&oldest),
                None => self.earlier.push(Row { whose: Whose::Earlier(1), ..oldest }),
            }
        }
    }

    fn change(&mut self, of: Of, change: impl FnOnce(&mut Open)) {
        if let Some(open) = self.open.iter_mut().find(|open| open.of == of) {
            change(open);
        }
    }

    /// All accounts as they stand at the end, also of the names that are `missing` still. What was `kept` was read and
    /// not shown.
    pub(super) fn rows<'a>(
        self,
        tail: &Tail,
        kept: Option<(Of, u64)>,
        missing: impl Iterator<Item = (SourceId, &'a Path)>,
    ) -> Vec<Row> {
        let standings: Vec<Standing<'_>> = tail.files().collect();
        let mut rows: Vec<Row> = self.earlier.into_iter().chain(self.over).collect();
        for open in self.open {
            let standing = standings.iter().find(|standing| open.of == Of::from(*standing));
            let kept = kept.filter(|(of, _)| *of == open.of).map_or(0, |(_, count)| count);
            rows.extend(standing.map(|standing| open.row(standing.offset, standing.size, standing.kept + kept)));
        }
        let missing: BTreeMap<_, _> = missing.collect();
        rows.extend(missing.into_iter().map(|(source, path)| Row {
            path: path.to_owned(),
            whose: Whose::NoFile(source),
            account: Account::default(),
            astray: 0,
        }));
        rows
    }
}

/// Bytes of runs that were shown and not accepted by the output were held back.
pub(super) fn hold_back(rows: &mut [Row], unaccepted: impl Iterator<Item = (Of, u64)>) {
    for (of, count) in unaccepted {
        if let Some(row) = rows.iter_mut().find(|row| row.whose == Whose::Run(of)) {
            row.account.delivered -= count;
            row.account.held_back += count;
        }
    }
}

impl Open {
    /// How many bytes are accounted for.
    fn known(&self) -> u64 {
        let Account { not_asked_for, delivered, filtered, skipped, .. } = self.account;
        not_asked_for + delivered + filtered + skipped
    }

    fn row(self, read_to: u64, size: u64, held_back: u64) -> Row {
        let wanted = (self.known() - self.cut, 0);
        let (read_to, held_back) = if self.stopped { wanted } else { (read_to.max(self.beyond), held_back) };
        let astray = i128::from(read_to + self.cut) - i128::from(self.known() + held_back);
        let unread = size.saturating_sub(read_to);
        let account = Account {
            held_back,
            on_disk: read_to + unread.max(self.account.lost) + self.cut,
            unread: unread.saturating_sub(self.account.lost),
            ..self.account
        };
        Row { path: self.path, whose: Whose::Run(self.of), account, astray }
    }
}

impl Row {
    fn add(&mut self, other: &Self) {
        let (sum, other_account) = (&mut self.account, other.account);
        for (total, more) in [
            (&mut sum.on_disk, other_account.on_disk),
            (&mut sum.not_asked_for, other_account.not_asked_for),
            (&mut sum.delivered, other_account.delivered),
            (&mut sum.filtered, other_account.filtered),
            (&mut sum.held_back, other_account.held_back),
            (&mut sum.skipped, other_account.skipped),
            (&mut sum.lost, other_account.lost),
            (&mut sum.unread, other_account.unread),
        ] {
            *total += more;
        }
        self.astray += other.astray;
        if let Whose::Earlier(count) = &mut self.whose {
            *count += 1;
        }
    }
}
