//! Where a tailer's output goes, and what is noted of it.

use std::fs::File;
use std::io::{self, Read as _};
use std::process::ChildStdout;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use anyhow::Context as _;
use rustix::pipe::{SpliceFlags, splice};

/// How much is taken at once.
const BLOCK: usize = 1024 * 1024;

/// What is done with a tailer's output.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Sink {
    /// It goes to `/dev/null`.
    Null,
    /// It is taken out of a pipe without being looked at.
    Spliced,
    /// It is read and counted.
    Counted,
    /// It is read and kept, and when each part of it came.
    Kept,
}

/// All that came.
#[derive(Debug, Default)]
pub(crate) struct Output {
    /// How many bytes.
    pub(crate) count: u64,
    /// The bytes, if they were to be kept.
    pub(crate) bytes: Vec<u8>,
    /// For each read, how many bytes had come with it and when, if they were to be kept.
    pub(crate) arrivals: Vec<(u64, Instant)>,
}

/// A thread that takes what comes.
#[derive(Debug)]
pub(crate) struct Reader {
    progress: Arc<(Mutex<Progress>, Condvar)>,
    thread: JoinHandle<io::Result<Output>>,
}

#[derive(Debug)]
struct Progress {
    count: u64,
    at: Instant,
    goal: u64,
    ended: bool,
}

impl Reader {
    /// Begins to take what comes.
    pub(crate) fn new(sink: Sink, from: ChildStdout) -> Self {
        let progress = Progress { count: 0, at: Instant::now(), goal: u64::MAX, ended: false };
        let progress = Arc::new((Mutex::new(progress), Condvar::new()));
        let told = Arc::clone(&progress);
        let thread = std::thread::spawn(move || {
            let result = take(sink, from, &told);
            lock(&told.0).ended = true;
            told.1.notify_all();
            result
        });
        Self { progress, thread }
    }

    /// Waits until so many bytes have come and says when the last of them came; `None` if they don't come in time.
    pub(crate) fn wait_for(&self, count: u64, longest: Duration) -> Option<Instant> {
        let (progress, reached) = &*self.progress;
        let mut waiting = lock(progress);
        waiting.goal = count;
        let short = |progress: &mut Progress| progress.count < count && !progress.ended;
        let (progress, _) =
            reached.wait_timeout_while(waiting, longest, short).unwrap_or_else(PoisonError::into_inner);
        (progress.count >= count).then_some(progress.at)
    }

    /// Waits for the end of the output.
    pub(crate) fn finish(self) -> anyhow::Result<Output> {
        let ended = self.thread.join().map_err(|_| anyhow::anyhow!("the reader panicked"))?;
        ended.context("the output can't be read")
    }
}

fn lock(progress: &Mutex<Progress>) -> MutexGuard<'_, Progress> {
    progress.lock().unwrap_or_else(PoisonError::into_inner)
}

fn take(sink: Sink, mut from: ChildStdout, told: &(Mutex<Progress>, Condvar)) -> io::Result<Output> {
    let mut output = Output::default();
    let mut block = vec![0; BLOCK];
    let nowhere = File::options().write(true).open("/dev/null")?;
    loop {
        let count = match sink {
            Sink::Spliced => splice(&from, None, &nowhere, None, BLOCK, SpliceFlags::empty())?,
            Sink::Null | Sink::Counted | Sink::Kept => from.read(&mut block)?,
        };
        if count == 0 {
            return Ok(output);
        }
        let now = Instant::now();
        output.count += count as u64;
        if sink == Sink::Kept {
            output.bytes.extend_from_slice(&block[..count]);
            output.arrivals.push((output.count, now));
        }
        let mut progress = lock(&told.0);
        (progress.count, progress.at) = (output.count, now);
        if progress.count >= progress.goal {
            told.1.notify_all();
        }
    }
}
