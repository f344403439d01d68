//! The event source of the notify crate, made safe to lose.
//!
//! What is guarded against: its thread outlives the watcher that is dropped, it may die in silence, spin on an
//! error, or take a panic along when it is spoken to after its death.

use std::fmt;
use std::io;
use std::path::Path;
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::Duration;

use notify::event::{CreateKind, EventKindMask, ModifyKind, RenameMode};
use notify::{Config, ErrorKind, EventHandler, EventKind, INotifyWatcher, RecursiveMode, Watcher as _};

use super::arrivals::How;
use super::bell::Bell;

/// Why a watch could not be set.
#[derive(Debug)]
pub(crate) enum Refusal {
    /// The user's limit of watches is reached.
    Watches,
    /// What was to be watched isn't there (any more).
    Gone,
    /// The event source is dead.
    Dead,
    /// Something else.
    Other(io::Error),
}

/// A running event source, which reports names that come, go and move in directories.
pub(crate) struct Watcher {
    inner: Option<INotifyWatcher>,
    thread: Arc<Thread>,
}

impl fmt::Debug for Watcher {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Watcher").field("alive", &self.is_alive()).finish()
    }
}

impl Watcher {
    /// Starts an event source, with a thread of its own.
    ///
    /// # Errors
    /// When the system has no further instance to give, or no thread.
    pub(crate) fn start(bell: Arc<Bell>) -> io::Result<Self> {
        let mask = EventKindMask::CREATE | EventKindMask::REMOVE | EventKindMask::MODIFY_NAME;
        let thread = Arc::new(Thread::default());
        let guard = Guard { thread: Arc::clone(&thread), bell: Arc::clone(&bell) };
        let handler = Handler { bell, failed: false, _guard: guard };
        let inner = INotifyWatcher::new(handler, Config::default().with_event_kinds(mask)).map_err(into_io)?;
        if thread.ended() {
            // notify doesn't say that it could not start its thread; its handler is gone all the same.
            std::mem::forget(inner);
            return Err(io::Error::other("no thread could be started"));
        }
        Ok(Self { inner: Some(inner), thread })
    }

    pub(crate) fn is_alive(&self) -> bool {
        !self.thread.ended()
    }

    /// Watches a directory. Waits for the event thread, which never waits for anybody.
    pub(crate) fn watch(&mut self, path: &Path) -> Result<(), Refusal> {
        let Some(inner) = self.inner.as_mut().filter(|_| !self.thread.ended()) else { return Err(Refusal::Dead) };
        inner.watch(path, RecursiveMode::NonRecursive).map_err(Refusal::from)
    }

    /// Forgets a path; one that isn't watched (any more) is no error.
    pub(crate) fn unwatch(&mut self, path: &Path) {
        if let Some(inner) = self.inner.as_mut().filter(|_| !self.thread.ended()) {
            // The kernel may have dropped the watch together with the file already.
            let _ = inner.unwatch(path);
        }
    }

    /// Waits until the bell has been told of all that the system has told the event source by now.
    pub(crate) fn catch_up(&mut self) {
        // The thread reads its queue with each of these, empty as they are, and hands over what it read when it has
        // answered: before it takes up the second one.
        for _ in 0..2 {
            if let Some(inner) = self.inner.as_mut().filter(|_| !self.thread.ended()) {
                // If it has died meanwhile, it says so elsewhere.
                let _ = inner.update_paths(Vec::new());
            }
        }
    }

    /// Ends the event source and waits until its thread is gone.
    pub(crate) fn join(mut self) {
        self.shut_down();
        self.thread.wait();
    }

    /// Ends the event source without waiting for its thread.
    pub(crate) fn retire(mut self) -> Self {
        self.shut_down();
        self
    }

    fn shut_down(&mut self) {
        if let Some(inner) = self.inner.take() {
            if self.thread.ended() {
                // Its drop would panic for want of somebody to talk to; all it holds is a waker.
                std::mem::forget(inner);
            } else {
                drop(inner);
            }
        }
    }
}

impl Drop for Watcher {
    fn drop(&mut self) {
        self.shut_down();
    }
}

impl From<notify::Error> for Refusal {
    fn from(error: notify::Error) -> Self {
        match error.kind {
            ErrorKind::MaxFilesWatch => Self::Watches,
            ErrorKind::PathNotFound | ErrorKind::WatchNotFound => Self::Gone,
            ErrorKind::Io(error) if error.kind() == io::ErrorKind::NotFound => Self::Gone,
            ErrorKind::Io(error) => Self::Other(error),
            ErrorKind::Generic(text) => Self::Other(io::Error::other(text)),
            ErrorKind::InvalidConfig(_) => Self::Other(io::Error::other("invalid configuration")),
        }
    }
}

fn into_io(error: notify::Error) -> io::Error {
    match error.kind {
        ErrorKind::Io(error) => error,
        _ => io::Error::other(error),
    }
}

/// Receives events on the thread of the event source.
struct Handler {
    bell: Arc<Bell>,
    /// Whether the event source has reported an error.
    failed: bool,
    /// Goes with the handler, which goes with the thread.
    _guard: Guard,
}

impl EventHandler for Handler {
    fn handle_event(&mut self, event: notify::Result<notify::Event>) {
        match event {
            Err(error) => {
                self.bell.mark_failed(error.to_string());
                if std::mem::replace(&mut self.failed, true) {
                    // An error that lasts has the event thread report it for ever and hear nothing else, not even
                    // that it should end. This ends it, without the word that a panic has.
                    std::panic::resume_unwind(Box::new("the event source keeps failing"));
                }
            }
            // An overflow comes without a path: it must be looked for first.
            Ok(event) if event.need_rescan() => self.bell.mark_everything(),
            Ok(event) => match (event.kind, event.paths.as_slice()) {
                // Both names have been told already.
                (EventKind::Modify(ModifyKind::Name(RenameMode::Both)), [from, to]) => {
                    self.bell.mark_rename(from, to);
                }
                (kind, paths) => {
                    for path in paths {
                        match kind {
                            EventKind::Create(CreateKind::File) => self.bell.mark_arrival(path, How::Created),
                            EventKind::Modify(ModifyKind::Name(RenameMode::To)) => {
                                self.bell.mark_arrival(path, How::Renamed);
                            }
                            EventKind::Modify(ModifyKind::Name(RenameMode::From)) => self.bell.mark_departure(path),
                            _ => {}
                        }
                        self.bell.mark_name(path);
                    }
                }
            },
        }
    }
}

/// What is known of the thread of an event source.
#[derive(Debug, Default)]
struct Thread {
    ended: Mutex<Option<rustix::process::Pid>>,
    changed: Condvar,
}

impl Thread {
    fn ended(&self) -> bool {
        self.ended.lock().unwrap_or_else(PoisonError::into_inner).is_some()
    }

    /// Waits until the thread is gone from the process.
    fn wait(&self) {
        let mut ended = self.ended.lock().unwrap_or_else(PoisonError::into_inner);
        while ended.is_none() {
            ended = self.changed.wait(ended).unwrap_or_else(PoisonError::into_inner);
        }
        if let Some(id) = *ended {
            // Nothing is left to run on it but its own end, and there is no handle to join.
            let task = format!("/proc/self/task/{id}");
            while Path::new(&task).exists() {
                std::thread::sleep(Duration::from_micros(50));
            }
        }
    }
}

/// Tells, by being dropped, that the handler's thread is at its end.
struct Guard {
    thread: Arc<Thread>,
    bell: Arc<Bell>,
}

impl Drop for Guard {
    fn drop(&mut self) {
        let id = rustix::thread::gettid();
        *self.thread.ended.lock().unwrap_or_else(PoisonError::into_inner) = Some(id);
        self.thread.changed.notify_all();
        self.bell.mark_failed("its thread has ended".to_owned());
    }
}
