//! All sessions: which of them are to be looked at, and when.
//!
//! What is done at a time is done about sessions that something happened to, never about all of them.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use super::session::{Label, Lock, Next, Policy, Session, State};
use crate::settings::Liveness;
use crate::tail::{FileId, SourceId};

/// How often locks are looked at.
const LOOK: Duration = Duration::from_secs(1);
/// How soon after that for a file that is new, or to confirm what was seen.
pub(crate) const LOOK_AGAIN: Duration = Duration::from_millis(5);
/// And for one that has changed.
pub(crate) const LOOK_AT_CHANGED: Duration = Duration::from_millis(100);

/// Of how many files nothing happened to a lock is tried in one look, where that is the only way to know.
const IN_TURN: usize = 64;

/// A session is called otherwise.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Change {
    pub(crate) path: PathBuf,
    pub(crate) label: Label,
}

/// Whose locks can be known only by trying them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Trying {
    /// Nobody's: what came and went is known.
    Nothing,
    /// Any file's.
    All,
}

#[derive(Debug)]
struct Known {
    session: Session,
    path: PathBuf,
    /// Its open files, the newest last.
    files: Vec<FileId>,
    /// How far it had been read when it was last seen growing.
    seen: u64,
    /// When it is to be asked whether it has become quiet.
    timer: Option<Instant>,
    /// Its place among those that are completed.
    completed: Option<u64>,
}

/// All sessions.
#[derive(Debug)]
pub(crate) struct Sessions {
    policy: Policy,
    keep: usize,
    known: BTreeMap<SourceId, Known>,
    by_inode: HashMap<u64, Vec<SourceId>>,
    /// To be looked at with the next look.
    changed: BTreeSet<SourceId>,
    /// To be looked at very soon.
    again: BTreeSet<SourceId>,
    /// To be read to their ends: asked for already, and not yet.
    reading: BTreeSet<SourceId>,
    to_read: BTreeSet<SourceId>,
    /// When active ones may have become quiet.
    timers: BTreeSet<(Instant, SourceId)>,
    /// Completed ones that are held open, those first that have been so for longest.
    completed: BTreeMap<u64, SourceId>,
    counted: u64,
    /// Surplus ones that could not be closed, and when that is to be asked for again.
    refused: BTreeSet<SourceId>,
    ask_again_at: Option<Instant>,
    looked_at: Instant,
    /// Whose turn it is among those that nothing happened to.
    turn: SourceId,
}

impl Sessions {
    pub(crate) fn new(policy: Policy, keep: usize, now: Instant) -> Self {
        Self {
            policy,
            keep,
            known: BTreeMap::new(),
            by_inode: HashMap::new(),
            changed: BTreeSet::new(),
            again: BTreeSet::new(),
            reading: BTreeSet::new(),
            to_read: BTreeSet::new(),
            timers: BTreeSet::new(),
            completed: BTreeMap::new(),
            counted: 0,
            refused: BTreeSet::new(),
            ask_again_at: None,
            looked_at: now,
            turn: SourceId::FIRST,
        }
    }

    /// Whether locks are of any interest.
    pub(crate) fn minds_locks(&self) -> bool {
        matches!(self.policy.liveness, Liveness::Auto | Liveness::Lock)
    }

    /// A file of a session begins to be read.
    pub(crate) fn begin(&mut self, source: SourceId, path: &Path, file: FileId) {
        let policy = self.policy;
        let known = self.known.entry(source).or_insert_with(|| Known {
            session: Session::new(policy),
            path: path.to_owned(),
            files: Vec::new(),
            seen: 0,
            timer: None,
            completed: None,
        });
        path.clone_into(&mut known.path);
        if !known.files.contains(&file) {
            known.files.push(file);
            self.by_inode.entry(file.inode).or_default().push(source);
        }
        self.again.insert(source);
    }

    /// A session goes by this name now.
    pub(crate) fn rename(&mut self, source: SourceId, path: &Path) {
        if let Some(known) = self.known.get_mut(&source).filter(|known| known.path != path) {
            path.clone_into(&mut known.path);
        }
    }

    /// A file of a session was let go.
    pub(crate) fn closed(&mut self, source: SourceId, file: FileId) {
        if let Some(known) = self.known.get_mut(&source) {
            known.files.retain(|other| *other != file);
        }
        self.forget_file(source, file);
    }

    fn forget_file(&mut self, source: SourceId, file: FileId) {
        if let Some(sources) = self.by_inode.get_mut(&file.inode) {
            sources.retain(|other| *other != source);
            if sources.is_empty() {
                self.by_inode.remove(&file.inode);
            }
        }
    }

    /// A session has ended: its file is gone for good.
    pub(crate) fn ended(&mut self, source: SourceId) -> Option<Change> {
        let next = self.known.get_mut(&source)?.session.ended();
        let change = self.follow_up(source, next);
        let known = self.known.remove(&source)?;
        known.files.iter().for_each(|file| self.forget_file(source, *file));
        if let Some(at) = known.timer {
            self.timers.remove(&(at, source));
        }
        if let Some(place) = known.completed {
            self.completed.remove(&place);
        }
        for set in [&mut self.changed, &mut self.again, &mut self.reading, &mut self.to_read, &mut self.refused] {
            set.remove(&source);
        }
        change
    }

    /// A file of a session has grown, or was written anew; it was read up to `offset`.
    pub(crate) fn grew(&mut self, source: SourceId, offset: u64, now: Instant) -> Option<Change> {
        let known = self.known.get_mut(&source)?;
        known.seen = offset;
        let next = known.session.grew(now);
        self.changed.insert(source);
        // Where locks don't count, nothing but time asks for a look.
        self.set_timer(source);
        self.follow_up(source, next)
    }

    /// A session whose growth is a surprise, since it is not called active, with the files whose locks may tell why.
    pub(crate) fn surprised(&self, source: SourceId) -> Option<(Vec<FileId>, PathBuf)> {
        let known = self.known.get(&source).filter(|_| self.minds_locks())?;
        (known.session.said() != Some(State::Active)).then(|| (known.files.clone(), known.path.clone()))
    }

    /// When a look is due next; `None`: whenever something happens.
    pub(crate) fn look_at(&self) -> Option<Instant> {
        let after = |pause| self.looked_at + pause;
        let soon = (!self.again.is_empty()).then(|| after(LOOK_AGAIN));
        let changed = (!self.changed.is_empty() && self.minds_locks()).then(|| after(LOOK_AT_CHANGED));
        let regular = (self.minds_locks() && !self.known.is_empty()).then(|| after(LOOK));
        let quiet = self.timers.first().map(|(at, _)| *at);
        [soon, changed, regular, quiet, self.ask_again_at].into_iter().flatten().min()
    }

    /// The sessions to be looked at now, with the files whose locks count, if the locks of files with these numbers have
    /// come or gone.
    pub(crate) fn take_due(
        &mut self,
        inodes: &BTreeSet<u64>,
        trying: Trying,
        now: Instant,
    ) -> Vec<(SourceId, Vec<FileId>, PathBuf)> {
        self.looked_at = now;
        let mut due = std::mem::take(&mut self.again);
        due.append(&mut self.changed);
        due.extend(inodes.iter().filter_map(|inode| self.by_inode.get(inode)).flatten());
        while let Some((at, source)) = self.timers.first().copied().filter(|(at, _)| *at <= now) {
            self.timers.remove(&(at, source));
            due.insert(source);
        }
        if trying == Trying::All {
            due.extend(self.known.iter().filter(|(_, known)| known.session.is_locked()).map(|(source, _)| *source));
            let next: Vec<_> = self.known.range(self.turn..).take(IN_TURN).map(|(source, _)| *source).collect();
            self.turn = next.last().filter(|_| next.len() == IN_TURN).copied().unwrap_or(SourceId::FIRST);
            due.extend(next);
        }
        let known = due.into_iter().filter_map(|source| Some((source, self.known.get(&source)?)));
        known.map(|(source, known)| (source, known.files.clone(), known.path.clone())).collect()
    }

    /// The lock of a session was looked at; it was read up to `offset`, if that is known.
    pub(crate) fn looked(
        &mut self,
        source: SourceId,
        lock: Lock,
        offset: Option<u64>,
        now: Instant,
    ) -> Option<Change> {
        let known = self.known.get_mut(&source)?;
        if known.timer.take_if(|at| *at <= now).is_some()
            && let Some(offset) = offset.filter(|offset| *offset != known.seen)
        {
            // What ends no line is not shown, and shows that somebody writes.
            known.seen = offset;
            known.session.grew(now);
        }
        let next = known.session.looked(lock, now);
        let change = self.follow_up(source, next);
        self.set_timer(source);
        change
    }

    fn set_timer(&mut self, source: SourceId) {
        let Some(known) = self.known.get_mut(&source) else { return };
        if known.timer.is_none()
            && let Some(at) = known.session.quiet_at()
        {
            known.timer = Some(at);
            self.timers.insert((at, source));
        }
    }

    /// The sessions whose files are to be read to their ends, and have not been asked for yet.
    pub(crate) fn take_to_read(&mut self) -> BTreeSet<SourceId> {
        let asked = std::mem::take(&mut self.to_read);
        self.reading.extend(&asked);
        asked
    }

    /// The sessions whose files are being read to their ends.
    pub(crate) fn reading(&self) -> impl Iterator<Item = SourceId> {
        self.reading.iter().copied()
    }

    /// The file of a session was read to its end since that was asked for.
    pub(crate) fn read_out(&mut self, source: SourceId, now: Instant) -> Option<Change> {
        self.reading.remove(&source);
        let next = self.known.get_mut(&source)?.session.read_out(now);
        self.follow_up(source, next)
    }

    /// Completed sessions that need not be held open any longer, each once, unless it is [refused](Self::refuse).
    pub(crate) fn take_surplus(&mut self, now: Instant) -> Vec<SourceId> {
        if self.ask_again_at.take_if(|at| *at <= now).is_some() {
            for source in std::mem::take(&mut self.refused) {
                let place = self.known.get(&source).and_then(|known| known.completed);
                self.completed.extend(place.map(|place| (place, source)));
            }
        }
        let mut surplus = Vec::new();
        while self.completed.len() > self.keep
            && let Some((_, source)) = self.completed.pop_first()
        {
            surplus.push(source);
        }
        surplus
    }

    /// A surplus session can't be closed now: there is something left to be done about its files.
    pub(crate) fn refuse(&mut self, source: SourceId, now: Instant) {
        self.refused.insert(source);
        self.ask_again_at.get_or_insert(now + LOOK);
    }

    fn follow_up(&mut self, source: SourceId, next: Next) -> Option<Change> {
        match next {
            Next::Nothing => None,
            Next::ReadOut => {
                self.reading.remove(&source);
                self.to_read.insert(source);
                None
            }
            Next::LookAgain => {
                self.again.insert(source);
                None
            }
            Next::Say(label) => {
                let known = self.known.get_mut(&source)?;
                if let Some(place) = known.completed.take() {
                    self.completed.remove(&place);
                    self.refused.remove(&source);
                }
                if label.state != State::Active {
                    self.counted += 1;
                    known.completed = Some(self.counted);
                    self.completed.insert(self.counted, source);
                }
                Some(Change { path: known.path.clone(), label })
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::watch::Sign;

    /// A file appears.
    fn appear(sessions: &mut Sessions, source: SourceId, path: &str, file: FileId, now: Instant) -> Option<Change> {
        sessions.begin(source, Path::new(path), file);
        sessions.grew(source, 0, now)
    }

    fn file(inode: u64) -> FileId {
        FileId { device: 1, inode, birth: None }
    }

    const IDLE: Duration = Duration::from_secs(30);

    fn sessions(keep: usize) -> Sessions {
        sessions_by(Liveness::Auto, keep)
    }

    fn sessions_by(liveness: Liveness, keep: usize) -> Sessions {
        Sessions::new(Policy { liveness, idle_after: IDLE }, keep, Instant::now())
    }

    /// Looks at what is due until nothing is left to be done, with these locks; returns what was said.
    fn settle(sessions: &mut Sessions, locked: &[u64], inodes: &[u64], now: Instant) -> Vec<(String, State)> {
        let mut said = Vec::new();
        let inodes: BTreeSet<u64> = inodes.iter().copied().collect();
        loop {
            for (source, files, _) in sessions.take_due(&inodes, Trying::Nothing, now) {
                let held = files.iter().any(|file| locked.contains(&file.inode));
                said.extend(sessions.looked(source, if held { Lock::Held(None) } else { Lock::Free }, None, now));
            }
            sessions.take_to_read();
            let reading: Vec<_> = sessions.reading().collect();
            if reading.is_empty() {
                return said
                    .into_iter()
                    .map(|change| (change.path.display().to_string(), change.label.state))
                    .collect();
            }
            for source in reading {
                said.extend(sessions.read_out(source, now));
            }
        }
    }

    #[test]
    fn only_sessions_that_something_happened_to_are_looked_at() {
        let mut sessions = sessions(100);
        let now = Instant::now();
        for number in 0..1000 {
            let path = number.to_string();
            sessions.begin(SourceId(number), Path::new(&path), file(number as u64));
        }
        assert_eq!(settle(&mut sessions, &[], &[], now).len(), 1000);
        let later = now + LOOK;
        assert!(sessions.take_due(&BTreeSet::new(), Trying::Nothing, later).is_empty());
        let grown = sessions.grew(SourceId(7), 0, later).unwrap();
        assert_eq!((grown.path.as_path(), grown.label.sign), (Path::new("7"), Sign::Growth));
        assert_eq!(sessions.take_due(&BTreeSet::from([9, 5000]), Trying::Nothing, later).len(), 2);
        assert_eq!(sessions.take_due(&BTreeSet::new(), Trying::All, later).len(), IN_TURN);
    }

    #[test]
    fn a_session_that_has_become_quiet_is_completed_in_time() {
        let mut sessions = sessions(100);
        let now = Instant::now();
        let appeared = appear(&mut sessions, SourceId(0), "a", file(1), now).unwrap();
        assert_eq!(appeared.label.state, State::Active);
        assert!(settle(&mut sessions, &[], &[], now).is_empty());
        let mut grown = now;
        for _ in 0..3 {
            grown += Duration::from_secs(20);
            assert_eq!(sessions.grew(SourceId(0), 0, grown), None);
            assert!(settle(&mut sessions, &[], &[], grown).is_empty());
        }
        let quiet = grown + Duration::from_secs(30);
        assert!(sessions.timers.first().unwrap().0 <= quiet);
        assert!(settle(&mut sessions, &[], &[], grown + Duration::from_secs(29)).is_empty());
        assert_eq!(sessions.look_at(), Some(quiet.min(sessions.looked_at + LOOK)));
        assert_eq!(settle(&mut sessions, &[], &[], quiet), [("a".to_owned(), State::Completed)]);
    }

    #[test]
    fn writing_that_ends_no_line_keeps_a_session_active() {
        let mut sessions = sessions(100);
        let now = Instant::now();
        appear(&mut sessions, SourceId(0), "a", file(1), now);
        assert!(settle(&mut sessions, &[], &[], now).is_empty());
        let quiet = now + Duration::from_secs(30);
        assert_eq!(sessions.take_due(&BTreeSet::new(), Trying::Nothing, quiet).len(), 1);
        assert_eq!(sessions.looked(SourceId(0), Lock::Free, Some(5), quiet), None);
        assert!(sessions.take_to_read().is_empty());
        assert_eq!(sessions.timers.first().unwrap().0, quiet + Duration::from_secs(30));
    }

    #[test]
    fn those_that_were_completed_first_are_surplus_first_and_never_active_ones() {
        let mut sessions = sessions(2);
        let now = Instant::now();
        for number in 0..4 {
            let path = number.to_string();
            sessions.begin(SourceId(number), Path::new(&path), file(number as u64));
            settle(&mut sessions, &[], &[], now);
        }
        sessions.grew(SourceId(0), 0, now);
        assert_eq!(sessions.take_surplus(now), [SourceId(1)]);
        assert!(sessions.take_surplus(now).is_empty());
        assert_eq!(
            settle(&mut sessions, &[], &[], now + Duration::from_mins(1)),
            [("0".to_owned(), State::Completed)]
        );
        assert_eq!(sessions.take_surplus(now), [SourceId(2)]);
    }

    #[test]
    fn a_surplus_session_that_can_not_be_closed_is_surplus_again_unless_it_is_written() {
        let mut sessions = sessions_by(Liveness::Growth, 0);
        let now = Instant::now();
        for number in 0..3 {
            let path = number.to_string();
            sessions.begin(SourceId(number), Path::new(&path), file(number as u64));
        }
        settle(&mut sessions, &[], &[], now);
        assert_eq!(sessions.take_surplus(now), [SourceId(0), SourceId(1), SourceId(2)]);
        sessions.refuse(SourceId(0), now);
        sessions.refuse(SourceId(2), now);
        sessions.grew(SourceId(0), 0, now);
        assert!(sessions.take_surplus(now).is_empty());
        assert_eq!(sessions.look_at(), Some(now + LOOK));
        assert_eq!(sessions.take_surplus(now + LOOK), [SourceId(2)]);
        assert!(sessions.take_surplus(now + 2 * LOOK).is_empty());
    }

    #[test]
    fn where_locks_do_not_count_time_alone_completes_a_session_each_time_it_has_grown() {
        let mut sessions = sessions_by(Liveness::Growth, 100);
        let now = Instant::now();
        sessions.begin(SourceId(0), Path::new("a"), file(1));
        assert_eq!(settle(&mut sessions, &[], &[], now), [("a".to_owned(), State::Completed)]);
        for round in 1..=3 {
            let grown = now + Duration::from_mins(round);
            assert_eq!(sessions.grew(SourceId(0), round, grown).unwrap().label.state, State::Active);
            let due = sessions.look_at().unwrap();
            assert_eq!(due, grown + IDLE);
            assert_eq!(settle(&mut sessions, &[], &[], due), [("a".to_owned(), State::Completed)]);
        }
    }

    #[test]
    fn nothing_is_left_of_a_session_that_has_ended() {
        let mut sessions = sessions(2);
        let now = Instant::now();
        appear(&mut sessions, SourceId(0), "a", file(1), now);
        settle(&mut sessions, &[1], &[], now);
        sessions.closed(SourceId(0), file(1));
        assert_eq!(sessions.ended(SourceId(0)).unwrap().label.state, State::Completed);
        assert!(sessions.known.is_empty() && sessions.by_inode.is_empty() && sessions.timers.is_empty());
        assert!(sessions.completed.is_empty() && sessions.changed.is_empty() && sessions.again.is_empty());
    }
}
