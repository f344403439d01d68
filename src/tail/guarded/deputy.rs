//! The thread that makes the calls to one mount, and waits for them if need be.
//!
//! Nothing is shared with it: what it is to do, and what comes of it, are moved. What it has open stays with it, so that
//! nobody else ever waits, not even to close it.

use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::convert::Infallible;
use std::fmt;
use std::io;
use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, Sender, TryRecvError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use super::Make;
use crate::tail::failures::silence;
use crate::tail::files::{Files, Handle, Links};
use crate::wake::Mount;

/// How long an answer is waited for at the least, and at the most where the last ones have taken long.
const PATIENCE: Duration = Duration::from_secs(1);
const PATIENCE_LONGEST: Duration = Duration::from_secs(10);

/// How long an answer is waited for once somebody wants to end, how often that is asked for, and how long a thread may
/// take to end.
const MOMENT: Duration = Duration::from_millis(50);
const ASKING: Duration = Duration::from_millis(10);

/// What a call does, as far as that says how long it may take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Operation {
    Look,
    Open,
    Read,
    List,
}

impl Operation {
    const COUNT: usize = 4;
}

type Job = Box<dyn FnOnce(&mut Office) + Send>;

/// What the thread has.
pub(super) struct Office {
    pub(super) files: Box<dyn Files>,
    handles: HashMap<u64, Box<dyn Handle>>,
    opened: u64,
}

/// What all threads have to do with.
#[derive(Debug, Default)]
pub(super) struct Surroundings {
    interrupt: RefCell<Arc<AtomicBool>>,
    silences: Cell<u64>,
}

impl Surroundings {
    pub(super) fn interrupt_by(&self, flag: Arc<AtomicBool>) {
        self.interrupt.replace(flag);
    }

    pub(super) fn silences(&self) -> u64 {
        self.silences.get()
    }

    fn is_interrupted(&self) -> bool {
        self.interrupt.borrow().load(Ordering::Relaxed)
    }

    /// An answer that is not there.
    fn silence(&self) -> io::Error {
        self.silences.set(self.silences.get() + 1);
        silence()
    }
}

/// Whoever has calls to one mount made.
pub(super) struct Deputy {
    mount: Mount,
    jobs: Sender<Job>,
    ended: Receiver<Infallible>,
    thread: JoinHandle<()>,
    late: RefCell<Option<Late>>,
    /// How long an answer is waited for, by operation.
    patience: [Cell<Duration>; Operation::COUNT],
    surroundings: Rc<Surroundings>,
    /// What the last bytes have come in.
    buffer: Cell<Vec<u8>>,
}

impl fmt::Debug for Deputy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let is_late = self.late.borrow().is_some();
        f.debug_struct("Deputy").field("mount", &self.mount).field("is_late", &is_late).finish_non_exhaustive()
    }
}

/// A call for whose answer nobody waits any more.
struct Late {
    operation: Operation,
    /// How long it took, once it has come back. What it brought is dropped.
    took: Box<dyn Fn() -> Option<Duration>>,
}

/// A file that is open on the thread, until this is dropped.
pub(super) struct Opened {
    number: u64,
    jobs: Sender<Job>,
    pub(super) position: Option<u64>,
    pub(super) file_system: Option<i64>,
}

impl fmt::Debug for Opened {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Opened").field(&self.number).finish()
    }
}

impl Drop for Opened {
    fn drop(&mut self) {
        let number = self.number;
        // A thread that has ended has closed it.
        let _ = self.jobs.send(Box::new(move |office| drop(office.handles.remove(&number))));
    }
}

impl Deputy {
    /// # Errors
    /// When the system has no thread to give.
    pub(super) fn start(mount: Mount, make: &Make, surroundings: Rc<Surroundings>) -> io::Result<Self> {
        let (jobs, work) = mpsc::channel::<Job>();
        let (at_end, ended) = mpsc::channel();
        let make = Arc::clone(make);
        let thread = thread::Builder::new().name("mount".to_owned()).spawn(move || {
            // It goes with the thread.
            let _at_end: Sender<Infallible> = at_end;
            let mut office = Office { files: make(), handles: HashMap::new(), opened: 0 };
            for job in work {
                job(&mut office);
            }
        })?;
        let patience = [const { Cell::new(PATIENCE) }; Operation::COUNT];
        let (late, buffer) = (RefCell::default(), Cell::default());
        Ok(Self { mount, jobs, ended, thread, late, patience, surroundings, buffer })
    }

    pub(super) fn mount(&self) -> &Mount {
        &self.mount
    }

    /// Has a call made, and waits for what comes of it.
    ///
    /// # Errors
    /// Those of the call; [`TimedOut`](io::ErrorKind::TimedOut) if it has no answer yet, or one before it has none.
    pub(super) fn ask<T: Send + 'static>(
        &self,
        operation: Operation,
        call: impl FnOnce(&mut Office) -> io::Result<T> + Send + 'static,
    ) -> io::Result<T> {
        if self.is_silent() {
            return Err(self.surroundings.silence());
        }
        let (answer, answers) = mpsc::sync_channel(1);
        let job = move |office: &mut Office| {
            let begun = Instant::now();
            let result = call(office);
            // Nobody need be waiting for it any more.
            let _ = answer.send((result, begun.elapsed()));
        };
        self.jobs.send(Box::new(job)).map_err(|_| ended())?;
        match self.wait(&answers, self.patience[operation as usize].get()) {
            Ok((result, took)) => {
                self.has_taken(operation, took);
                result
            }
            Err(RecvTimeoutError::Timeout) => {
                let took = move || match answers.try_recv() {
                    Ok((_, took)) => Some(took),
                    Err(TryRecvError::Empty) => None,
                    Err(TryRecvError::Disconnected) => Some(Duration::ZERO),
                };
                self.late.replace(Some(Late { operation, took: Box::new(took) }));
                Err(self.surroundings.silence())
            }
            Err(RecvTimeoutError::Disconnected) => Err(ended()),
        }
    }

    /// Opens a file. One that is opened when nobody waits for it any more is closed again.
    pub(super) fn open(&self, path: &Path, links: Links) -> io::Result<Opened> {
        let (path, jobs) = (path.to_owned(), self.jobs.clone());
        self.ask(Operation::Open, move |office| {
            let handle = office.files.open(&path, links)?;
            let (position, file_system) = (handle.position(), handle.file_system());
            office.opened += 1;
            let number = office.opened;
            office.handles.insert(number, handle);
            Ok(Opened { number, jobs, position, file_system })
        })
    }

    /// Has a call made about an open file.
    pub(super) fn ask_about<T: Send + 'static>(
        &self,
        file: &Opened,
        operation: Operation,
        call: impl FnOnce(&mut dyn Handle) -> io::Result<T> + Send + 'static,
    ) -> io::Result<T> {
        let number = file.number;
        self.ask(operation, move |office| match office.handles.get_mut(&number) {
            Some(handle) => call(&mut **handle),
            None => Err(ended()),
        })
    }

    /// Has bytes of an open file read by a call that says how many these are.
    pub(super) fn fill<T: Send + 'static>(
        &self,
        buffer: &mut [u8],
        file: &Opened,
        call: impl FnOnce(&mut dyn Handle, &mut [u8]) -> io::Result<(T, usize)> + Send + 'static,
    ) -> io::Result<T> {
        let (wanted, mut bytes) = (buffer.len(), self.buffer.take());
        let (bytes, found, length) = self.ask_about(file, Operation::Read, move |handle| {
            if bytes.len() < wanted {
                bytes.resize(wanted, 0);
            }
            let (found, length) = call(handle, &mut bytes[..wanted])?;
            Ok((bytes, found, length))
        })?;
        buffer[..length].copy_from_slice(&bytes[..length]);
        self.buffer.set(bytes);
        Ok(found)
    }

    /// Whether a call has no answer although its time is over.
    fn is_silent(&self) -> bool {
        let mut late = self.late.borrow_mut();
        let Some(call) = &*late else { return false };
        let Some(took) = (call.took)() else { return true };
        self.has_taken(call.operation, took);
        *late = None;
        false
    }

    /// The next answer to such a call is waited for as long as this one took, and longer, if that was not too long to wait
    /// for.
    fn has_taken(&self, operation: Operation, took: Duration) {
        let patience = if took > PATIENCE_LONGEST { PATIENCE } else { (2 * took).clamp(PATIENCE, PATIENCE_LONGEST) };
        self.patience[operation as usize].set(patience);
    }

    fn wait<T>(&self, answers: &Receiver<T>, patience: Duration) -> Result<T, RecvTimeoutError> {
        let mut until = Instant::now() + patience;
        let mut interrupted = false;
        loop {
            if !interrupted && self.surroundings.is_interrupted() {
                interrupted = true;
                until = until.min(Instant::now() + MOMENT);
            }
            let left = until.saturating_duration_since(Instant::now());
            match answers.recv_timeout(left.min(ASKING)) {
                Err(RecvTimeoutError::Timeout) if left > ASKING => {}
                result => return result,
            }
        }
    }

    /// Ends the thread, and waits for that.
    ///
    /// # Errors
    /// Where it is, if it waits for an answer itself: then it ends when that comes, or with the process.
    pub(super) fn end(self) -> Result<(), PathBuf> {
        let is_silent = self.is_silent();
        let Self { mount, jobs, ended, thread, .. } = self;
        drop(jobs);
        if is_silent || ended.recv_timeout(MOMENT) == Err(RecvTimeoutError::Timeout) {
            return Err(mount.point.to_path_buf());
        }
        // If it has panicked, that was said.
        let _ = thread.join();
        Ok(())
    }
}

fn ended() -> io::Error {
    io::Error::other("the thread that asks for it has ended")
}
