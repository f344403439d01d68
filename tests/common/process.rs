//! What the kernel says about a process.

use std::fs;
use std::path::PathBuf;

/// What a process holds that must not grow.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Resources {
    /// Open file descriptors.
    pub descriptors: usize,
    /// Kernel watches of all its inotify instances.
    pub watches: usize,
    /// Threads.
    pub threads: usize,
}

impl Resources {
    pub(super) fn of(pid: u32) -> Self {
        Self { descriptors: entries(pid, "fd"), watches: watches(pid), threads: entries(pid, "task") }
    }
}

fn proc_path(pid: u32, name: &str) -> PathBuf {
    PathBuf::from(format!("/proc/{pid}/{name}"))
}

fn entries(pid: u32, folder: &str) -> usize {
    fs::read_dir(proc_path(pid, folder)).map_or(0, Iterator::count)
}

/// How many open files of a process were opened by this name, or renamed to it; those that were removed, too.
pub(super) fn open_files(pid: u32, name: &str) -> usize {
    let Ok(descriptors) = fs::read_dir(proc_path(pid, "fd")) else {
        return 0;
    };
    let links = descriptors.flatten().filter_map(|descriptor| fs::read_link(descriptor.path()).ok());
    links.filter(|link| link.to_string_lossy().trim_end_matches(" (deleted)").ends_with(&format!("/{name}"))).count()
}

/// The number of inotify watches a process has.
pub(super) fn watches(pid: u32) -> usize {
    let Ok(infos) = fs::read_dir(proc_path(pid, "fdinfo")) else {
        return 0;
    };
    infos
        .flatten()
        .filter_map(|info| fs::read_to_string(info.path()).ok())
        .map(|text| text.lines().filter(|line| line.starts_with("inotify wd:")).count())
        .sum()
}

/// Whether a stop signal has reached every thread of a process.
pub(super) fn is_stopped(pid: u32) -> bool {
    let Ok(tasks) = fs::read_dir(proc_path(pid, "task")) else {
        return false;
    };
    tasks
        .flatten()
        .all(|task| state_in(&fs::read_to_string(task.path().join("stat")).unwrap_or_default()) == Some('T'))
}

/// Whether a process has ended, waited for or not.
pub(super) fn is_gone(pid: u32) -> bool {
    fs::read_to_string(proc_path(pid, "stat")).map_or(true, |stat| state_in(&stat) == Some('Z'))
}

/// The state letter in the text of a `stat` file: it follows the name, which is in parentheses.
fn state_in(stat: &str) -> Option<char> {
    stat.rsplit_once(") ")?.1.chars().next()
}

/// A `kB` value of `/proc/PID/status`, in bytes.
pub(super) fn memory(pid: u32, key: &str) -> Option<u64> {
    let text = fs::read_to_string(proc_path(pid, "status")).ok()?;
    let kilobytes: u64 = value_of(&text, key)?.split(' ').next()?.parse().ok()?;
    Some(kilobytes * 1024)
}

/// The bytes a process that runs has asked the kernel to read.
pub(super) fn bytes_read(pid: u32) -> Option<u64> {
    value_of(&fs::read_to_string(proc_path(pid, "io")).ok()?, "rchar")?.parse().ok()
}

/// How often the first thread of a process that runs has asked the kernel to read or to write.
pub(super) fn transfers(pid: u32) -> Option<u64> {
    let text = fs::read_to_string(proc_path(pid, &format!("task/{pid}/io"))).ok()?;
    let count = |key| value_of(&text, key)?.parse::<u64>().ok();
    Some(count("syscr")? + count("syscw")?)
}

fn value_of<'a>(text: &'a str, key: &str) -> Option<&'a str> {
    text.lines().find_map(|line| line.strip_prefix(key)?.strip_prefix(':').map(str::trim_start))
}
