//! When a command ends, and with which status.

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use super::locks::is_locked;
use super::process::{Gone, Process};
use super::signals::Signals;
use crate::settings;
use crate::tail::{Also, FileId, Guarded, Until};

/// How often locks are looked at.
const LOCKS: Duration = Duration::from_secs(1);
/// How often other conditions are looked at while there is more to read.
const ASKING: Duration = Duration::from_millis(100);

/// How the program ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exit {
    /// As asked.
    Success,
    /// Something failed, and was reported.
    Failure,
    /// The end came before `--until` was met.
    Unmet,
    /// Something was lost or could not be decided, and that was to count (`--strict`).
    Gap,
    /// By this signal, for real, so that whoever started the program sees it.
    Signal(i32),
}

impl Exit {
    /// Ends the process if it is to die of a signal; returns the status otherwise.
    #[must_use]
    pub fn carry_out(self) -> ExitCode {
        match self {
            Self::Success => ExitCode::SUCCESS,
            Self::Failure => ExitCode::FAILURE,
            Self::Unmet => ExitCode::from(3),
            Self::Gap => ExitCode::from(4),
            Self::Signal(signal) => {
                // Returns only if the signal could not be raised; then the shell's number for it must do.
                let _ = signal_hook::low_level::emulate_default_handler(signal);
                ExitCode::from(u8::try_from(128 + signal).unwrap_or(1))
            }
        }
    }
}

/// Why a command ends that could go on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Reason {
    /// A signal asks for it.
    Signal(i32),
    /// The processes it was to follow are gone.
    ProcessesGone,
    /// Nobody holds a lock on the files any more.
    Unlocked,
    /// Nothing came for as long as it was to wait.
    Idle,
    /// Its time is over.
    Timeout,
}

/// The conditions under which a command ends.
#[derive(Debug)]
pub(crate) struct Ending {
    signals: Signals,
    processes: Vec<Process>,
    asking_interval: Duration,
    ask_at: Option<Instant>,
    timeout_at: Option<Instant>,
    idle: Option<Duration>,
    last_data: Instant,
    locks_at: Option<Instant>,
    asked_at: Instant,
    files: Guarded,
}

impl Ending {
    /// Conditions that hold from now on. Processes that can only be asked for by number are, in this interval.
    pub(crate) fn new(signals: Signals, asked: &settings::Ending, gone: Gone, asking_interval: Duration) -> Self {
        let now = Instant::now();
        Self {
            signals,
            processes: asked.pids.iter().map(|pid| Process::new(*pid, gone)).collect(),
            asking_interval,
            ask_at: None,
            timeout_at: asked.timeout.and_then(|timeout| now.checked_add(timeout)),
            idle: asked.idle_timeout,
            last_data: now,
            locks_at: asked.while_locked.then_some(now),
            asked_at: now,
            files: Guarded::default(),
        }
    }

    /// Notes that data came.
    pub(crate) fn data_came(&mut self) {
        self.last_data = Instant::now();
    }

    /// The signal that asks for an end, if any.
    pub(crate) fn signal(&self) -> Option<i32> {
        self.signals.received()
    }

    /// What ends a command however much there is to do: a signal, or the end of its time.
    pub(crate) fn urgent(&self) -> Option<Reason> {
        let timeout = || self.timeout_at.filter(|at| *at <= Instant::now()).map(|_| Reason::Timeout);
        self.signal().map(Reason::Signal).or_else(timeout)
    }

    /// Whether it is worth asking for a [`reason`](Self::reason) although there is more to read.
    pub(crate) fn is_due(&self) -> bool {
        self.asked_at.elapsed() >= ASKING
    }

    /// Why it is time to end, urgency aside. To be asked when nothing is left to read, and now and then.
    pub(crate) fn reason(&mut self, files: impl Iterator<Item = (FileId, PathBuf)>) -> Option<Reason> {
        let now = Instant::now();
        self.asked_at = now;
        if !self.processes.is_empty() {
            self.processes.retain_mut(|process| !process.is_gone());
            if self.processes.is_empty() {
                return Some(Reason::ProcessesGone);
            }
            let asking = self.processes.iter().any(Process::needs_asking);
            self.ask_at = asking.then(|| now.checked_add(self.asking_interval)).flatten();
        }
        if self.locks_at.is_some_and(|at| at <= now) {
            let mut files = files.peekable();
            // A file that has yet to come may come locked.
            if files.peek().is_some() && !files.any(|(file, path)| is_locked(file, &path, &self.files)) {
                return Some(Reason::Unlocked);
            }
            self.locks_at = Some(now + LOCKS);
        }
        self.idle_at().filter(|at| *at <= now).map(|_| Reason::Idle)
    }

    fn idle_at(&self) -> Option<Instant> {
        self.idle.and_then(|idle| self.last_data.checked_add(idle))
    }

    /// When to ask again at the latest.
    pub(crate) fn deadline(&self) -> Option<Instant> {
        [self.ask_at, self.timeout_at, self.idle_at(), self.locks_at].into_iter().flatten().min()
    }

    /// What to wait for while nothing can be written: processes don't matter then.
    pub(crate) fn urgent_wakers(&self) -> impl Iterator<Item = Also<'_>> {
        std::iter::once(Also::new(self.signals.fd(), Until::Readable))
    }

    /// When time is over, whatever there is to do.
    pub(crate) fn timeout_at(&self) -> Option<Instant> {
        self.timeout_at
    }

    /// What to wait for, beside the deadline.
    pub(crate) fn wakers(&self) -> impl Iterator<Item = Also<'_>> {
        let processes = self.processes.iter().filter_map(Process::fd);
        std::iter::once(self.signals.fd()).chain(processes).map(|fd| Also::new(fd, Until::Readable))
    }
}
