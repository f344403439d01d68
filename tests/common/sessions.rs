//! What `rtail watch` tells of sessions, told as stories.

use std::collections::BTreeMap;
use std::ops::RangeInclusive;

use serde_json::Value;

use super::Mode;
use super::ended::Ended;
use super::logs::Logs;
use super::oracle::lines;
use super::run::{Said, Tail};

/// `rtail watch ARGS` in the directory of the logs, with records, started.
pub fn watch(logs: &Logs, mode: Mode, args: &str) -> Tail {
    let run = logs.rtail("watch --format json");
    let run = if mode == Mode::Polling { run.args("--poll=20ms") } else { run };
    run.args(args).start()
}

/// The records that were written whole so far.
pub fn records(stdout: &[u8]) -> Vec<Value> {
    let whole = stdout.iter().rposition(|&byte| byte == b'\n').map_or(0, |last| last + 1);
    let lines = stdout[..whole].split(|&byte| byte == b'\n').filter(|line| !line.is_empty());
    lines.map(|line| serde_json::from_slice(line).unwrap()).collect()
}

/// What came of one file: its lines, and what its session was called, in their order.
pub fn story(stdout: &[u8], path: &str) -> Vec<String> {
    let own = records(stdout).into_iter().filter(|record| record["path"] == path);
    own.filter_map(|record| match record["type"].as_str().unwrap() {
        "line" => Some(record["text"].as_str().unwrap().to_owned()),
        "state" => Some(format!("{} by {}", record["state"].as_str().unwrap(), record["evidence"].as_str().unwrap())),
        "open" => None,
        other => Some(other.to_owned()),
    })
    .collect()
}

/// The lines of one file.
pub fn text_of(stdout: &[u8], path: &str) -> Vec<u8> {
    let own = records(stdout).into_iter().filter(|record| record["type"] == "line" && record["path"] == path);
    own.flat_map(|record| format!("{}\n", record["text"].as_str().unwrap()).into_bytes()).collect()
}

/// The lines of each file, whatever its names, by its ID.
pub fn lines_by_file(stdout: &[u8]) -> BTreeMap<String, Vec<String>> {
    let mut files: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for record in records(stdout).into_iter().filter(|record| record["type"] == "line") {
        let [file, text] = ["file_id", "text"].map(|key| record[key].as_str().unwrap().to_owned());
        files.entry(file).or_default().push(text);
    }
    files
}

/// Numbered lines behind the name of their file, as people see them.
pub fn behind_name(name: &str, numbers: RangeInclusive<u32>) -> Vec<u8> {
    numbers.flat_map(|number| format!("{name} | L{number}\n").into_bytes()).collect()
}

pub fn line_count(text: &[u8]) -> usize {
    text.split(|&byte| byte == b'\n').count() - 1
}

/// Asserts which lines came of one file.
#[track_caller]
pub fn assert_text(ended: &Ended, path: &str, numbers: RangeInclusive<u32>) {
    let (printed, expected) = (text_of(&ended.stdout, path), lines(numbers));
    assert_eq!(String::from_utf8(printed).unwrap(), String::from_utf8(expected).unwrap(), "{path}");
}

/// Waits until the last that came of a file is this.
#[track_caller]
pub fn until_last(tail: &Tail, path: &str, last: &str) {
    tail.until(&format!("{path}: {last}"), |said| last_of(said, path).as_deref() == Some(last));
}

pub fn last_of(said: &Said, path: &str) -> Option<String> {
    story(&said.stdout, path).pop()
}

/// Waits until a line of a file came.
#[track_caller]
pub fn until_line(tail: &Tail, path: &str, number: u32) {
    let line = format!("L{number}");
    tail.until(&format!("{path}: {line}"), |said| story(&said.stdout, path).contains(&line));
}
