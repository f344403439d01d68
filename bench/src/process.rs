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
    let path = format!("/proc/{pid}/status");
    let text = fs::read_to_string(&path).with_context(|| path.clone())?;
    let kilobytes = field(&text, "VmHWM").and_then(|value| value.strip_suffix(" kB")?.trim().parse::<u64>().ok());
    Ok(kilobytes.with_context(|| format!("{path}: no VmHWM"))? * 1024)
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
