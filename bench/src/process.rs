//! What the kernel says about a process that runs.

use std::fs;
use std::path::PathBuf;
use std::time::Duration;

use anyhow::Context as _;

/// The CPU time that the threads of a process have used. Those that ended already are not counted; no tailer here
/// ends threads while it follows.
pub(crate) fn cpu(pid: u32) -> anyhow::Result<Duration> {
    each_thread(pid, "schedstat", |text| text.split(' ').next()?.parse().ok().map(Duration::from_nanos))
}

/// How often the threads of a process have gone to sleep, and so have woken up.
pub(crate) fn wake_ups(pid: u32) -> anyhow::Result<u64> {
    each_thread(pid, "status", |text| field(text, "voluntary_ctxt_switches")?.parse().ok())
}

/// The most memory that a process has had, in bytes.
pub(crate) fn peak_memory(pid: u32) -> anyhow::Result<u64> {
    memory(pid, "VmHWM")
}

fn memory(pid: u32, key: &str) -> anyhow::Result<u64> {
    let path = format!("/proc/{pid}/status");
    let text = fs::read_to_string(&path).with_context(|| path.clone())?;
    let kilobytes = field(&text, key).and_then(|value| value.strip_suffix(" kB")?.trim().parse::<u64>().ok());
    Ok(kilobytes.with_context(|| format!("{path}: no {key}"))? * 1024)
}

/// What a process holds that must not grow for ever.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Holdings {
    /// Memory that is resident now (`VmRSS`), in bytes.
    pub(crate) memory: u64,
    /// Open file descriptors.
    pub(crate) descriptors: u64,
    /// Kernel watches of all its inotify instances.
    pub(crate) watches: u64,
    pub(crate) threads: u64,
}

impl Holdings {
    /// What a process holds now.
    pub(crate) fn of(pid: u32) -> anyhow::Result<Self> {
        let mut held = Self { memory: memory(pid, "VmRSS")?, ..Self::default() };
        held.threads = fs::read_dir(format!("/proc/{pid}/task"))?.count() as u64;
        for info in fs::read_dir(format!("/proc/{pid}/fdinfo"))? {
            held.descriptors += 1;
            // It may be closed by now.
            let text = fs::read_to_string(info?.path()).unwrap_or_default();
            held.watches += text.lines().filter(|line| line.starts_with("inotify wd:")).count() as u64;
        }
        Ok(held)
    }

    /// The larger of each.
    pub(crate) fn max(self, other: Self) -> Self {
        Self {
            memory: self.memory.max(other.memory),
            descriptors: self.descriptors.max(other.descriptors),
            watches: self.watches.max(other.watches),
            threads: self.threads.max(other.threads),
        }
    }

    /// How many times as much of each there is now: memory, descriptors, watches, threads.
    pub(crate) fn growth_since(self, before: Self) -> [f64; 4] {
        [
            (self.memory, before.memory),
            (self.descriptors, before.descriptors),
            (self.watches, before.watches),
            (self.threads, before.threads),
        ]
        .map(|(now, before)| now as f64 / before as f64)
    }
}

/// Whether a stop signal has reached every thread of a process.
pub(crate) fn is_stopped(pid: u32) -> anyhow::Result<bool> {
    // The state follows the name, which is in parentheses.
    let running = each_thread(pid, "stat", |text| Some(u64::from(!text.rsplit_once(") ")?.1.starts_with('T'))))?;
    Ok(running == 0)
}

/// Adds up what a file in `/proc` says of each thread.
fn each_thread<T: std::iter::Sum>(pid: u32, name: &str, read: impl Fn(&str) -> Option<T>) -> anyhow::Result<T> {
    let tasks = PathBuf::from(format!("/proc/{pid}/task"));
    fs::read_dir(&tasks)
        .with_context(|| format!("{}: the program has ended", tasks.display()))?
        .map(|task| {
            let path = task?.path().join(name);
            let text = fs::read_to_string(&path).with_context(|| path.display().to_string())?;
            read(&text).with_context(|| format!("{}: not what it should hold", path.display()))
        })
        .sum()
}

fn field<'a>(text: &'a str, name: &str) -> Option<&'a str> {
    text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':')).map(str::trim)
}
