//! `rtail watch`: what a line costs, and what silence does, however many files are known.

#![allow(clippy::expect_used, clippy::unwrap_used, reason = "helpers of tests may fail as tests do")]

mod common;

use std::io::{BufRead as _, BufReader};
use std::process::{Command, Stdio};

use common::sessions::{behind_name, line_count};
use common::{Logs, Signal, Tail, find_program, pause_ms, rounds, skip};
use rustix::process::{Pid, kill_process};

/// How many lines are written at a time.
const LINES: u32 = 50;

/// The system calls that the first thread of a process makes while `act` goes on; its other threads take events, also of
/// what happens elsewhere. `None` where they can't be counted.
fn calls(tail: &Tail, act: impl FnOnce()) -> Option<usize> {
    let strace = find_program("strace")?;
    let log = tempfile::NamedTempFile::new().unwrap();
    let pid = tail.pid().to_string();
    let mut tracer =
        Command::new(strace).args(["-p", &pid, "-o"]).arg(log.path()).stderr(Stdio::piped()).spawn().unwrap();
    let mut said = String::new();
    let mut stderr = BufReader::new(tracer.stderr.take().unwrap());
    stderr.read_line(&mut said).unwrap();
    if !said.contains("attached") {
        tracer.wait().unwrap();
        skip(&format!("system calls can't be counted: {said}"));
        return None;
    }
    act();
    kill_process(Pid::from_child(&tracer), Signal::INT).unwrap();
    tracer.wait().unwrap();
    let text = std::fs::read_to_string(log.path()).unwrap();
    Some(text.lines().filter(|line| line.starts_with(|first: char| first.is_ascii_lowercase())).count())
}

/// `rtail watch` among so many files, all of them quiet and but for `--keep` closed.
fn watch_among(logs: &Logs, files: usize, args: &str) -> Tail {
    for number in 0..files {
        logs.append_bytes(format!("{number}.log"), "old\n");
    }
    let tail = logs.rtail("watch .").args(args).start();
    tail.until("all is quiet", |said| line_count(&said.stderr) == files);
    let kept = files.min(100);
    tail.until("files are closed", |_| tail.resources().descriptors < kept + 20);
    tail
}

// S10
#[test]
fn a_line_costs_the_same_however_many_files_are_known() {
    for files in [5, 500, rounds(2_000, 10_000) as usize] {
        let logs = Logs::new();
        // No lock is looked at, since that is a matter of time and not of lines.
        let tail = watch_among(&logs, files, "--state growth");
        let mut last = 0;
        let mut write = |count: u32| {
            for number in last + 1..=last + count {
                logs.append("0.log", number..=number);
                tail.until_printed(format!("0.log | L{number}\n"));
            }
            last += count;
        };
        let is_idle = || calls(&tail, || pause_ms(200)).is_none_or(|count| count <= 2);
        assert!((0..50).any(|_| is_idle()), "{files} files: never at rest");
        // It is opened again and becomes active. Nothing was left to be done about others.
        let first = calls(&tail, || write(1));
        assert!(first.is_none_or(|count| count <= 40), "{first:?} system calls for the first of {files} files");
        // Every 30 seconds all files are looked at: at the most in one of two times.
        let transfers = (0..2).map(|_| {
            let before = tail.transfers();
            write(LINES);
            tail.transfers() - before
        });
        // An event, a read and a write; on a busy machine more events come for nothing.
        let most = u64::from(LINES) * 5;
        assert!(transfers.min().is_some_and(|count| count <= most), "{files} files");
        // A wait and a look at the size as well.
        let most = LINES as usize * 8;
        let spent: Vec<usize> = (0..2).filter_map(|_| calls(&tail, || write(LINES))).collect();
        assert!(spent.iter().min().is_none_or(|count| *count <= most), "{spent:?} system calls with {files} files");
        assert!((0..2).any(|_| is_idle()), "{files} files: not at rest");
        tail.end().printed(behind_name("0.log", 1..=last));
    }
}

/// Whether the kernel's table has the locks of all processes, so that none is tried.
fn table_is_complete() -> bool {
    let first = std::fs::read_link("/proc/self/ns/pid").is_ok_and(|link| link.as_os_str() == "pid:[4026531836]");
    if !first {
        skip("in a PID namespace of its own, locks are tried");
    }
    first
}

#[test]
fn a_look_at_locks_costs_the_same_however_many_files_are_known() {
    if !table_is_complete() {
        return;
    }
    for files in [5, 500, rounds(2_000, 10_000) as usize] {
        let logs = Logs::new();
        let tail = watch_among(&logs, files, "");
        // A look a second: a wait, its end, and the table, which is read in parts.
        let spent: Vec<usize> = (0..2).filter_map(|_| calls(&tail, || pause_ms(1100))).collect();
        assert!(spent.iter().min().is_none_or(|count| *count <= 30), "{spent:?} with {files} files");
        tail.end().printed("");
    }
}
