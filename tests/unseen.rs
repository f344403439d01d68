//! Files that come under a followed name and go before anybody could look are counted, and nothing else is.
#![allow(clippy::unwrap_used, reason = "a test that can't go on is to stop")]

mod common;

use common::{Logs, Mode, Tail, in_both_modes, pause_ms, rounds};

fn text(bytes: &[u8]) -> &str {
    std::str::from_utf8(bytes).unwrap()
}

/// How many files a program has said to have missed, in records or in notices.
fn counted(output: &[u8]) -> u64 {
    let count = |line: &str| match serde_json::from_str::<serde_json::Value>(line) {
        Ok(record) => record["files"].as_u64().filter(|_| record["reason"] == "unseen"),
        Err(_) => line.contains("came and went unseen").then_some(1),
    };
    text(output).lines().filter_map(count).sum()
}

/// The numbers of the lines in records.
fn numbers(output: &[u8]) -> Vec<u64> {
    let number = |line: &str| {
        let record: serde_json::Value = serde_json::from_str(line).unwrap();
        record["text"].as_str().map(|text| text[1..].parse().unwrap())
    };
    text(output).lines().filter_map(number).collect()
}

/// Ends a program that was to read files of one line each, numbered from 1: what it read, in order, and what it counted
/// are all of them.
#[track_caller]
fn judge(tail: Tail, files: u64) {
    let whole = |output: &[u8]| output[..=output.iter().rposition(|&byte| byte == b'\n').unwrap()].to_vec();
    let all = |output: &[u8]| numbers(output).len() as u64 + counted(output);
    tail.until_line(u32::try_from(files).unwrap());
    tail.until("all are accounted for", |said| all(&whole(&said.stdout)) >= files);
    let ended = tail.end();
    let numbers = numbers(&ended.stdout);
    assert!(numbers.is_sorted_by(|a, b| a < b), "{numbers:?}");
    assert_eq!(all(&ended.stdout), files, "{numbers:?}\n{}", text(&ended.stdout));
}

/// Has a program stand still while this happens, or not.
fn play(tail: &Tail, stopped: bool, act: impl FnOnce()) {
    if stopped {
        tail.stop();
    }
    act();
    if stopped {
        tail.cont();
    }
}

#[test]
fn files_that_live_a_moment_are_read_or_counted() {
    for round in 0..rounds(2, 40) {
        for (stopped, longest) in [(false, 0), (false, 1), (false, 20), (true, 0)] {
            let logs = Logs::with("a.log", 1..=1);
            let tail = logs.stream(Mode::Events, "--format json a.log");
            tail.until_line(1);
            if round % 2 == 0 {
                logs.remove("a.log");
                tail.until_record("error");
            }
            play(&tail, stopped, || {
                for number in 2..=11 {
                    if logs.path("a.log").exists() {
                        logs.remove("a.log");
                    }
                    logs.append("a.log", number..=number);
                    pause_ms(longest);
                    logs.remove("a.log");
                }
            });
            logs.append("a.log", 12..=12);
            judge(tail, 12);
        }
    }
}

#[test]
fn fifty_replacements_in_a_burst_are_read_or_counted() {
    for _ in 0..rounds(2, 40) {
        for stopped in [false, true] {
            let logs = Logs::with("a.log", 1..=1);
            let tail = logs.stream(Mode::Events, "--format json a.log");
            tail.until_line(1);
            play(&tail, stopped, || {
                for number in 2..=51 {
                    logs.append("new", number..=number).rename("new", "a.log");
                }
            });
            judge(tail, 51);
        }
    }
}

#[test]
fn generations_that_a_rotator_removed_in_a_burst_are_counted() {
    for _ in 0..rounds(2, 40) {
        for stopped in [false, true] {
            let logs = Logs::with("a.log", 1..=1);
            let tail = logs.stream(Mode::Events, "--format json a.log");
            tail.until_line(1);
            play(&tail, stopped, || {
                for number in 2..=51 {
                    logs.cascade("a.log", 3).append("a.log", number..=number);
                }
            });
            judge(tail, 51);
        }
    }
}

/// What is played with a log, in words and in deeds.
type Game = (&'static str, fn(&Logs));

in_both_modes!(a_file_that_keeps_or_regains_its_name_is_never_counted);
fn a_file_that_keeps_or_regains_its_name_is_never_counted(mode: Mode) {
    let games: [Game; 6] = [
        ("renamed and back", |logs| {
            logs.rename("a.log", "a.log.1").rename("a.log.1", "a.log.2").rename("a.log.2", "a.log");
        }),
        ("moved out of sight and back", |logs| {
            logs.make_dir("d").rename("a.log", "d/a.log").rename("d/a.log", "a.log").remove_dir("d");
        }),
        ("linked, removed and renamed back", |logs| {
            logs.hard_link("a.log", "b").remove("a.log").rename("b", "a.log");
        }),
        ("linked, removed and linked again", |logs| {
            logs.hard_link("a.log", "b").remove("a.log").hard_link("b", "a.log").remove("b");
        }),
        ("touched", |logs| {
            logs.append_bytes("a.log", "").permit("a.log", 0o600).permit("a.log", 0o644);
        }),
        ("linked elsewhere", |logs| {
            logs.hard_link("a.log", "a.log.9").remove("a.log.9");
        }),
    ];
    for (what, game) in games {
        for (stopped, times) in [(false, 1), (true, 1), (false, 10), (true, 10)] {
            let logs = Logs::with("a.log", 1..=10);
            let tail = logs.follow(mode, "-n +1 a.log");
            tail.until_line(10);
            play(&tail, stopped, || (0..times).for_each(|_| game(&logs)));
            logs.append("a.log", 11..=11);
            tail.until_line(11);
            logs.rename("a.log", "a.log.1").append("a.log", 12..=12);
            tail.until_line(12);
            let ended = tail.end().printed_lines(1..=12);
            assert_eq!(counted(&ended.stderr), 0, "{what}: {}", text(&ended.stderr));
        }
    }
}

in_both_modes!(files_replaced_by_editors_are_never_counted);
fn files_replaced_by_editors_are_never_counted(mode: Mode) {
    let saves: [fn(&Logs, u32); 3] = [
        |logs, number| {
            logs.rename("a.log", "a.log~").append("a.log", number..=number).remove("a.log~");
        },
        |logs, number| {
            logs.append("sed1x2y", number..=number).rename("sed1x2y", "a.log");
        },
        |logs, number| {
            logs.hard_link("a.log", "a.log~").remove("a.log").append("a.log", number..=number).remove("a.log~");
        },
    ];
    for save in saves {
        let logs = Logs::with("a.log", 1..=1);
        let tail = logs.follow(mode, "-n +1 a.log");
        tail.until_line(1);
        for number in 2..=10 {
            save(&logs, number);
            tail.until_line(number);
        }
        let ended = tail.end().printed_lines(1..=10);
        assert_eq!(counted(&ended.stderr), 0, "{}", text(&ended.stderr));
    }
}

#[test]
fn a_record_and_a_notice_tell_how_many_files_came_and_went() {
    for format in ["raw", "json"] {
        let logs = Logs::with("a.log", 1..=1);
        let tail = logs.stream(Mode::Events, &format!("--format {format} a.log"));
        tail.until_line(1).stop();
        for number in 2..=5 {
            logs.append("new", number..=number).rename("new", "a.log");
        }
        tail.cont().until_line(5);
        let gap = r#"{"type":"gap","path":"a.log","bytes_unknown":true,"files":3,"reason":"unseen"}"#;
        let notice = "'a.log': lost an unknown number of bytes: 3 files came and went unseen";
        tail.until("it tells", |said| text(&said.stdout).contains(gap) || said.noticed(notice));
        tail.end();
    }
}
