//! A tailer that runs: started, watched, stopped, ended.

use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail, ensure};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::process::{Pid, PidfdFlags, Signal, kill_process, pidfd_open};
use wait4::Wait4 as _;

use crate::process::{self, Holdings};
use crate::sink::{Output, Reader, Sink};

/// How long a tailer may take to print what is there.
pub(crate) const LONGEST: Duration = Duration::from_mins(2);
/// How long a tailer that has done its work is given to fall quiet, and how quiet.
const SETTLING: Duration = Duration::from_secs(5);
const QUIET: (Duration, Duration) = (Duration::from_millis(100), Duration::from_micros(500));

/// A program, or several in a pipeline, whose output is taken. It is killed when dropped.
#[derive(Debug)]
pub(crate) struct Tailer {
    processes: Vec<Child>,
    reader: Option<Reader>,
    started: Instant,
}

/// What a tailer took that ended by itself.
#[derive(Debug)]
pub(crate) struct Ended {
    /// From its start to its end and that of its output.
    pub(crate) wall: Duration,
    /// CPU time of the whole process.
    pub(crate) cpu: Duration,
    /// What it printed.
    pub(crate) output: Output,
}

impl Tailer {
    /// Starts commands, each reading what the one before it writes. Messages are thrown away.
    pub(crate) fn start(commands: Vec<Command>, sink: Sink) -> anyhow::Result<Self> {
        let mut tailer = Self { processes: Vec::new(), reader: None, started: Instant::now() };
        let last = commands.len().saturating_sub(1);
        for (at, mut command) in commands.into_iter().enumerate() {
            let before = tailer.processes.last_mut().and_then(|before| before.stdout.take());
            command.stdin(before.map_or_else(Stdio::null, Stdio::from)).stderr(Stdio::null());
            let out = if at == last && sink == Sink::Null { Stdio::null() } else { Stdio::piped() };
            let child = command.stdout(out).spawn();
            tailer.processes.push(child.with_context(|| command.get_program().to_string_lossy().into_owned())?);
        }
        let out = tailer.processes.last_mut().and_then(|child| child.stdout.take());
        tailer.reader = out.map(|out| Reader::new(sink, out));
        Ok(tailer)
    }

    /// Waits for its end, which it comes to by itself.
    pub(crate) fn finish(mut self) -> anyhow::Result<Ended> {
        self.await_end()?;
        let output = self.reader.take().map(Reader::finish).transpose()?.unwrap_or_default();
        let wall = self.started.elapsed();
        let mut cpu = Duration::ZERO;
        for child in std::mem::take(&mut self.processes) {
            let used = child.wait4()?;
            if !used.status.success() {
                bail!("it ended with {}", used.status);
            }
            cpu += used.rusage.utime + used.rusage.stime;
        }
        Ok(Ended { wall, cpu, output })
    }

    /// Kills it and returns all it has put out.
    pub(crate) fn end(mut self) -> anyhow::Result<Output> {
        self.kill();
        Ok(self.reader.take().map(Reader::finish).transpose()?.unwrap_or_default())
    }

    /// Waits until so many bytes have come out, and says when the last of them came; `None` if they don't in time.
    pub(crate) fn wait_for(&self, count: u64, longest: Duration) -> Option<Instant> {
        self.reader.as_ref()?.wait_for(count, longest)
    }

    /// Waits until it does nothing any more, so that its start is not counted as work. One that never rests is
    /// taken as it is after a while.
    pub(crate) fn settle(&self) -> anyhow::Result<()> {
        let (pause, little) = QUIET;
        let deadline = Instant::now() + SETTLING;
        let mut before = self.cpu()?;
        while Instant::now() < deadline {
            std::thread::sleep(pause);
            let now = self.cpu()?;
            if now.saturating_sub(before) < little {
                break;
            }
            before = now;
        }
        Ok(())
    }

    /// The CPU time it has used so far.
    pub(crate) fn cpu(&self) -> anyhow::Result<Duration> {
        self.processes.iter().map(|child| process::cpu(child.id())).sum()
    }

    /// How often it has woken up so far.
    pub(crate) fn wake_ups(&self) -> anyhow::Result<u64> {
        self.processes.iter().map(|child| process::wake_ups(child.id())).sum()
    }

    /// The most memory it has had so far, in bytes.
    pub(crate) fn peak_memory(&self) -> anyhow::Result<u64> {
        self.processes.iter().map(|child| process::peak_memory(child.id())).sum()
    }

    /// What it holds now, if it is one program.
    pub(crate) fn holdings(&self) -> anyhow::Result<Holdings> {
        Holdings::of(self.processes.last().context("nothing runs")?.id())
    }

    /// Stops it in its tracks, and returns when it stands.
    pub(crate) fn halt(&self) -> anyhow::Result<()> {
        for child in &self.processes {
            kill_process(Pid::from_child(child), Signal::STOP)?;
            let deadline = Instant::now() + SETTLING;
            while !process::is_stopped(child.id())? {
                ensure!(Instant::now() < deadline, "it can't be stopped");
                std::thread::yield_now();
            }
        }
        Ok(())
    }

    /// Has it go on.
    pub(crate) fn go_on(&self) -> anyhow::Result<()> {
        self.processes.iter().try_for_each(|child| Ok(kill_process(Pid::from_child(child), Signal::CONT)?))
    }

    /// Waits until all processes have ended, without taking leave of them.
    fn await_end(&self) -> anyhow::Result<()> {
        for child in &self.processes {
            let process = pidfd_open(Pid::from_child(child), PidfdFlags::empty())?;
            let longest = Timespec::try_from(LONGEST)?;
            let ended = poll(&mut [PollFd::new(&process, PollFlags::IN)], Some(&longest))?;
            ensure!(ended == 1, "it did not end within {LONGEST:?}");
        }
        Ok(())
    }

    fn kill(&mut self) {
        for mut child in std::mem::take(&mut self.processes) {
            // What can't be killed has ended, and what can't be waited for has been.
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

impl Drop for Tailer {
    fn drop(&mut self) {
        self.kill();
    }
}
