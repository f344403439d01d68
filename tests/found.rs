//! Files that patterns and `watch` find, through rotation, copying and closing.

#![allow(clippy::expect_used, clippy::unwrap_used, reason = "helpers of tests may fail as tests do")]

mod common;

use std::fs;
use std::io::Write as _;
use std::os::unix::fs::MetadataExt;

use common::{Ended, Logs, Mode, Tail, in_both_modes};
use serde_json::Value;

/// `rtail watch ARGS .` in the directory of the logs, with records, started.
fn watch(logs: &Logs, mode: Mode, args: &str) -> Tail {
    let run = logs.rtail("watch --format json --from start --idle-after 400ms");
    let run = if mode == Mode::Polling { run.args("--poll=20ms") } else { run };
    run.args(args).args(".").start()
}

/// The records that were written whole so far.
fn records(stdout: &[u8]) -> Vec<Value> {
    let whole = stdout.iter().rposition(|&byte| byte == b'\n').map_or(0, |last| last + 1);
    let lines = stdout[..whole].split(|&byte| byte == b'\n').filter(|line| !line.is_empty());
    lines.map(|line| serde_json::from_slice(line).unwrap()).collect()
}

fn is_of(record: &Value, kind: &str) -> bool {
    record["type"] == kind
}

/// The lines that came, each behind the name of its file.
fn told(ended: &Ended) -> Vec<String> {
    let lines = records(&ended.stdout).into_iter().filter(|record| is_of(record, "line"));
    lines.map(|line| format!("{}: {}", line["path"].as_str().unwrap(), line["text"].as_str().unwrap())).collect()
}

/// Asserts that these lines came of these files, each once, and that nothing is said to be lost.
#[track_caller]
fn assert_told(ended: &Ended, expected: &[(&str, &[u32])]) {
    let line = |(name, numbers): &(&str, &[u32])| {
        let name = (*name).to_owned();
        numbers.iter().map(move |number| format!("{name}: L{number}")).collect::<Vec<_>>()
    };
    let of_file = |lines: &[String], name: &str| -> Vec<String> {
        lines.iter().filter(|line| line.starts_with(&format!("{name}: "))).cloned().collect()
    };
    let told = told(ended);
    for file in expected {
        assert_eq!(of_file(&told, file.0), line(file), "{told:?}");
    }
    assert_eq!(told.len(), expected.iter().map(|(_, numbers)| numbers.len()).sum::<usize>(), "{told:?}");
    let gaps: Vec<_> = records(&ended.stdout).into_iter().filter(|record| is_of(record, "gap")).collect();
    assert!(gaps.is_empty(), "{gaps:?}");
}

#[track_caller]
fn until_line(tail: &Tail, number: u32) {
    let text = format!("L{number}");
    tail.until(&text, |said| records(&said.stdout).iter().any(|record| record["text"] == *text));
}

fn files_held(tail: &Tail) -> Vec<u64> {
    let entries = fs::read_dir(format!("/proc/{}/fd", tail.pid())).unwrap();
    entries.filter_map(|entry| fs::metadata(entry.ok()?.path()).ok()).map(|meta| meta.ino()).collect()
}

/// Waits until a session is completed and its file closed.
#[track_caller]
fn until_closed(tail: &Tail, logs: &Logs, name: &str) {
    let inode = fs::metadata(logs.path(name)).unwrap().ino();
    tail.until(&format!("{name} is closed"), |said| {
        let states: Vec<_> = records(&said.stdout)
            .into_iter()
            .filter(|record| is_of(record, "state") && record["path"] == name)
            .collect();
        states.last().is_some_and(|state| state["state"] == "completed") && !files_held(tail).contains(&inode)
    });
}

in_both_modes!(late_lines_of_a_closed_session_whose_name_goes_to_a_new_file_come);
fn late_lines_of_a_closed_session_whose_name_goes_to_a_new_file_come(mode: Mode) {
    let logs = Logs::with("a.log", 1..=3);
    let tail = watch(&logs, mode, "--keep 0 --glob *.log");
    until_closed(&tail, &logs, "a.log");
    let mut late = logs.open("a.log");
    logs.rename("a.log", "a.log.1").append("a.log", 4..=5);
    until_line(&tail, 5);
    late.write("L6\n");
    until_line(&tail, 6);
    // It is open again, and its next lines come as those of any file that was rotated.
    late.write("L7\n");
    until_line(&tail, 7);
    logs.append("a.log", 8..=8);
    until_line(&tail, 8);
    assert_told(&tail.end(), &[("a.log", &[1, 2, 3, 4, 5, 6, 7, 8])]);
}

in_both_modes!(what_was_written_to_a_closed_session_before_it_was_rotated_comes_first);
fn what_was_written_to_a_closed_session_before_it_was_rotated_comes_first(mode: Mode) {
    let logs = Logs::with("a.log", 1..=3);
    let tail = watch(&logs, mode, "--keep 0 --glob *.log");
    until_closed(&tail, &logs, "a.log");
    tail.stop();
    logs.append("a.log", 4..=5).rename("a.log", "a.log.1").append("a.log", 6..=7);
    tail.cont();
    until_line(&tail, 7);
    assert_told(&tail.end(), &[("a.log", &[1, 2, 3, 4, 5, 6, 7])]);
}

in_both_modes!(a_closed_session_that_comes_back_under_another_name_is_not_repeated);
fn a_closed_session_that_comes_back_under_another_name_is_not_repeated(mode: Mode) {
    let logs = Logs::with("a.log", 1..=3);
    let tail = watch(&logs, mode, "--keep 0 --rotate-wait 200ms --glob *.log");
    until_closed(&tail, &logs, "a.log");
    logs.rename("a.log", "away").append("a.log", 4..=4);
    until_line(&tail, 4);
    until_closed(&tail, &logs, "a.log");
    logs.rename("away", "b.log").append("b.log", 5..=5);
    until_line(&tail, 5);
    assert_told(&tail.end(), &[("a.log", &[1, 2, 3, 4]), ("b.log", &[5])]);
}

in_both_modes!(a_closed_session_that_gets_its_name_back_goes_on);
fn a_closed_session_that_gets_its_name_back_goes_on(mode: Mode) {
    let logs = Logs::with("a.log", 1..=3);
    let tail = watch(&logs, mode, "--keep 0 --rotate-wait 200ms --glob *.log");
    until_closed(&tail, &logs, "a.log");
    for number in 0..3 {
        logs.rename("a.log", "away").append("a.log", 4 + 2 * number..=4 + 2 * number);
        until_line(&tail, 4 + 2 * number);
        logs.rename("away", "a.log").append("a.log", 5 + 2 * number..=5 + 2 * number);
        until_line(&tail, 5 + 2 * number);
    }
    assert_told(&tail.end(), &[("a.log", &[1, 2, 3, 4, 5, 6, 7, 8, 9])]);
}

#[test]
fn what_is_written_to_a_closed_session_that_was_removed_is_lost_and_said_to_be() {
    let logs = Logs::with("a.log", 1..=3);
    let tail = watch(&logs, Mode::Events, "--keep 0 --rotate-wait 1h --glob *.log");
    for rounds in 1..=2 {
        until_closed(&tail, &logs, "a.log");
        let mut late = logs.open("a.log");
        logs.remove("a.log").append("a.log", 3 + rounds..=3 + rounds);
        until_line(&tail, 3 + rounds);
        late.write("lost\n");
        tail.until("it is said to be lost", |said| {
            records(&said.stdout).iter().filter(|record| is_of(record, "gap")).count() == rounds as usize
        });
    }
    until_closed(&tail, &logs, "a.log");
    let mut late = logs.open("a.log");
    logs.remove("a.log");
    late.write("lost\n");
    tail.until("it is said to be lost", |said| {
        records(&said.stdout).iter().filter(|record| is_of(record, "gap")).count() == 3
    });
    let ended = tail.end();
    assert_eq!(told(&ended), ["a.log: L1", "a.log: L2", "a.log: L3", "a.log: L4", "a.log: L5"]);
    let gaps = records(&ended.stdout).into_iter().filter(|record| is_of(record, "gap"));
    assert!(gaps.into_iter().all(|gap| gap["reason"] == "gone" && gap["bytes_unknown"] == true));
}

#[test]
fn a_closed_session_that_was_removed_is_let_go_after_the_wait() {
    let logs = Logs::with("a.log", 1..=3);
    logs.append("b.log", 1..=1);
    let tail = watch(&logs, Mode::Events, "--keep 0 --rotate-wait 300ms --glob *.log");
    until_closed(&tail, &logs, "a.log");
    until_closed(&tail, &logs, "b.log");
    // Somebody who has it open keeps its watch alive.
    let _late = logs.open("a.log");
    let watches = tail.resources().watches;
    logs.remove("a.log");
    tail.until("its watch is given up", |_| tail.resources().watches < watches);
    logs.append("b.log", 4..=4);
    until_line(&tail, 4);
    assert_told(&tail.end(), &[("a.log", &[1, 2, 3]), ("b.log", &[1, 4])]);
}

#[test]
fn a_log_whose_new_name_is_seen_late_is_followed_by_that_name_on() {
    let logs = Logs::with("a.log", 1..=3);
    let tail = watch(&logs, Mode::Events, "--keep 0 --rotate-wait 100ms --glob *.log");
    until_closed(&tail, &logs, "a.log");
    logs.rename("a.log", "away").append("a.log", 4..=4);
    until_line(&tail, 4);
    logs.rename("away", "b.log");
    tail.until("it is a session of its own", |said| {
        records(&said.stdout).iter().any(|record| is_of(record, "open") && record["path"] == "b.log")
    });
    logs.append("b.log", 5..=5);
    until_line(&tail, 5);
    assert_told(&tail.end(), &[("a.log", &[1, 2, 3, 4]), ("b.log", &[5])]);
}

in_both_modes!(sessions_closed_for_want_of_descriptors_lose_nothing_when_all_are_rotated);
fn sessions_closed_for_want_of_descriptors_lose_nothing_when_all_are_rotated(mode: Mode) {
    const COUNT: u32 = 60;
    let logs = Logs::new();
    for number in 0..COUNT {
        logs.append_bytes(format!("{number}.log"), format!("L{number}\n"));
    }
    let tail = watch(&logs, mode, "--keep 2 --glob *.log");
    for number in 0..COUNT {
        until_line(&tail, number);
    }
    tail.until("most are closed", |_| tail.resources().descriptors < 20);
    let mut late: Vec<_> = (0..COUNT).map(|number| logs.open(format!("{number}.log"))).collect();
    for number in 0..COUNT {
        logs.rename(format!("{number}.log"), format!("{number}.log.1"));
        logs.append_bytes(format!("{number}.log"), format!("L{}\n", 100 + number));
    }
    for (number, late) in (0..COUNT).zip(&mut late) {
        late.write(format!("L{}\n", 200 + number));
    }
    for number in 0..COUNT {
        until_line(&tail, 100 + number);
        until_line(&tail, 200 + number);
    }
    let ended = tail.end();
    let mut all = told(&ended);
    all.sort_unstable();
    let lines = (0..COUNT)
        .flat_map(|number| [number, 100 + number, 200 + number].map(|line| format!("{number}.log: L{line}")));
    let mut expected: Vec<_> = lines.collect();
    expected.sort_unstable();
    assert_eq!(all, expected);
    ended.never_noticed("lost");
}

/// How files that patterns find are followed, with records.
const COMMANDS: [&str; 4] =
    ["watch --glob *.log .", "watch --keep 0 --glob *.log .", "follow -n +1 *.log", "stream --format json *.log"];

/// `rtail COMMAND`, each line behind the name of its file.
fn following(logs: &Logs, mode: Mode, command: &str) -> Tail {
    let (name, args) = command.split_once(' ').unwrap();
    let run = logs.rtail(name);
    let run = match name {
        "watch" => run.args("--format json --from start --idle-after 300ms"),
        _ => run,
    };
    let run = if mode == Mode::Polling { run.args("--poll=20ms") } else { run };
    run.args(args).start()
}

/// The lines that came, whatever the format.
fn texts(ended: &Ended) -> Vec<String> {
    let lines = String::from_utf8(ended.stdout.clone()).unwrap();
    if lines.starts_with('{') {
        let lines = records(&ended.stdout).into_iter().filter(|record| is_of(record, "line"));
        return lines.map(|line| line["text"].as_str().unwrap().to_owned()).collect();
    }
    lines.lines().filter(|line| line.starts_with('L')).map(ToOwned::to_owned).collect()
}

fn numbered(numbers: impl IntoIterator<Item = u32>) -> Vec<String> {
    numbers.into_iter().map(|number| format!("L{number}")).collect()
}

in_both_modes!(generations_of_a_log_that_a_pattern_found_that_went_by_unseen_come_in_order);
fn generations_of_a_log_that_a_pattern_found_that_went_by_unseen_come_in_order(mode: Mode) {
    for command in COMMANDS {
        let logs = Logs::with("a.log", 1..=3);
        let tail = following(&logs, mode, command);
        tail.until_line(3);
        if command.contains("--keep 0") {
            until_closed(&tail, &logs, "a.log");
        }
        for round in 0..3 {
            let begin = 10 * (round + 1);
            tail.stop();
            logs.append("a.log", begin..=begin);
            for number in begin + 1..=begin + 5 {
                logs.rename("a.log", format!("a.log.{number}")).append("a.log", number..=number);
            }
            tail.cont();
            tail.until_line(begin + 5);
        }
        let ended = tail.end();
        assert_eq!(texts(&ended), numbered((1..=3).chain(10..=15).chain(20..=25).chain(30..=35)), "{command}");
        ended.never_noticed("lost");
    }
}

in_both_modes!(generations_of_a_name_that_is_gone_at_the_next_look_come_in_order);
fn generations_of_a_name_that_is_gone_at_the_next_look_come_in_order(mode: Mode) {
    for command in COMMANDS {
        let logs = Logs::with("a.log", 1..=3);
        let tail = following(&logs, mode, command);
        tail.until_line(3);
        tail.stop();
        logs.cascade("a.log", 5)
            .append("a.log", 4..=4)
            .cascade("a.log", 5)
            .append("a.log", 5..=5)
            .cascade("a.log", 5);
        tail.cont();
        tail.until_line(5);
        logs.append("a.log", 6..=6);
        tail.until_line(6);
        let ended = tail.end();
        assert_eq!(texts(&ended), numbered(1..=6), "{command}");
        ended.never_noticed("lost");
    }
}

in_both_modes!(generations_of_a_log_that_appears_and_is_rotated_before_it_is_seen_come_in_order);
fn generations_of_a_log_that_appears_and_is_rotated_before_it_is_seen_come_in_order(mode: Mode) {
    for command in COMMANDS {
        let logs = Logs::with("other.log", 1..=1);
        let tail = following(&logs, mode, command);
        tail.until_line(1);
        tail.stop();
        logs.append("a.log", 2..=2).cascade("a.log", 5).append("a.log", 3..=3).cascade("a.log", 5);
        logs.append("a.log", 4..=4);
        tail.cont();
        tail.until_line(4);
        let ended = tail.end();
        assert_eq!(texts(&ended), numbered(1..=4), "{command}");
        ended.never_noticed("lost");
    }
}

in_both_modes!(generations_whose_names_match_as_well_come_once_as_logs_of_their_own);
fn generations_whose_names_match_as_well_come_once_as_logs_of_their_own(mode: Mode) {
    for command in ["watch .", "watch --keep 0 .", "follow -n +1 a*", "stream --format json a*"] {
        let logs = Logs::with("a.log", 1..=3);
        let tail = following(&logs, mode, command);
        tail.until_line(3);
        let mut last = 3;
        for _ in 0..4 {
            tail.stop();
            for _ in 0..4 {
                last += 1;
                logs.cascade("a.log", 9).append("a.log", last..=last);
            }
            tail.cont();
            for number in last - 3..=last {
                tail.until_line(number);
            }
        }
        let ended = tail.end();
        let mut came = texts(&ended);
        came.sort_unstable_by_key(|line| line[1..].parse::<u32>().unwrap());
        assert_eq!(came, numbered(1..=last), "{command}");
        ended.never_noticed("lost");
    }
}

in_both_modes!(generations_that_a_pattern_missed_while_there_was_no_rtail_come_in_order);
fn generations_that_a_pattern_missed_while_there_was_no_rtail_come_in_order(mode: Mode) {
    for command in ["stream --format json --checkpoint at *.log", "watch --checkpoint at --glob *.log ."] {
        let logs = Logs::with("a.log", 1..=3);
        let tail = following(&logs, mode, command);
        tail.until_line(3);
        assert_eq!(texts(&tail.end()), numbered(1..=3), "{command}");
        for round in 1..4 {
            let begin = 10 * round;
            logs.append("a.log", begin..=begin);
            for number in begin + 1..=begin + 4 {
                logs.cascade("a.log", 20).append("a.log", number..=number);
            }
            let tail = following(&logs, mode, command);
            tail.until_line(begin + 4);
            let ended = tail.end();
            assert_eq!(texts(&ended), numbered(begin..=begin + 4), "{command}");
            ended.never_noticed("lost");
        }
    }
}

in_both_modes!(files_beside_a_log_that_a_pattern_found_are_no_generations_of_it);
fn files_beside_a_log_that_a_pattern_found_are_no_generations_of_it(mode: Mode) {
    for command in COMMANDS {
        let logs = Logs::with("a.log", 1..=200);
        logs.append("a.log.5", 900..=910);
        // What is made this shortly before may be meant to get the name.
        common::pause_ms(1_100);
        let tail = following(&logs, mode, command);
        tail.until_line(200);
        tail.stop();
        fs::copy(logs.path("a.log"), logs.path("a.log.bak")).unwrap();
        logs.rename("a.log", "a.log.1").append("a.log", 201..=201);
        tail.cont();
        tail.until_line(201);
        logs.remove("a.log").append("a.log", 202..=202);
        tail.until_line(202);
        assert_eq!(texts(&tail.end()), numbered(1..=202), "{command}");
    }
}

/// How a log and the copies that are made of it are followed together.
const WITH_COPIES: [&str; 4] = ["watch .", "watch --keep 0 .", "follow -n +1 a*", "stream --format json a*"];

in_both_modes!(copies_that_match_as_well_are_no_logs_of_their_own);
fn copies_that_match_as_well_are_no_logs_of_their_own(mode: Mode) {
    for command in WITH_COPIES {
        for size in [1, 200] {
            let logs = Logs::with("a.log", 1..=3);
            let tail = following(&logs, mode, command);
            tail.until_line(3);
            let mut last = 3;
            for round in 0..6 {
                logs.append("a.log", last + 1..=last + size);
                last += size;
                if round % 2 == 0 {
                    tail.until_line(last);
                }
                if logs.path("a.log.1").exists() {
                    logs.rename("a.log.1", format!("a.log.{}", round + 2));
                }
                logs.copytruncate("a.log", "a.log.1").append("a.log", last + 1..=last + 1);
                last += 1;
                tail.until_line(last);
            }
            let ended = tail.end();
            assert_eq!(texts(&ended), numbered(1..=last), "{command}");
            ended.never_noticed("lost");
        }
    }
}

in_both_modes!(what_was_cut_unread_comes_once_from_a_copy_that_matches_as_well);
fn what_was_cut_unread_comes_once_from_a_copy_that_matches_as_well(mode: Mode) {
    for command in WITH_COPIES {
        for size in [1, 200] {
            let logs = Logs::with("a.log", 1..=3);
            let tail = following(&logs, mode, command);
            tail.until_line(3);
            if command.contains("--keep 0") {
                until_closed(&tail, &logs, "a.log");
            }
            tail.stop();
            logs.append("a.log", 4..=3 + size).copytruncate("a.log", "a.log.1").append("a.log", 300..=301);
            tail.cont();
            tail.until_line(301);
            logs.append("a.log", 302..=302);
            tail.until_line(302);
            let ended = tail.end();
            assert_eq!(texts(&ended), numbered((1..=3 + size).chain(300..=302)), "{command}");
            ended.never_noticed("lost");
        }
    }
}

in_both_modes!(logs_that_only_begin_alike_are_no_copies);
fn logs_that_only_begin_alike_are_no_copies(mode: Mode) {
    for command in ["watch .", "follow -n +1 a*", "stream --format json a*"] {
        for banner in [0, 3, 200] {
            let logs = Logs::with("a.log", 1..=banner);
            logs.append("a.log", 1_000..=1_000);
            let tail = following(&logs, mode, command);
            tail.until_line(1_000);
            for (name, first) in [("a.log.2", 2_000), ("a-3.log", 3_000), ("a.old.log", 4_000)] {
                logs.append(name, 1..=banner).append(name, first..=first);
                tail.until_line(first);
                logs.append(name, first + 1..=first + 1);
                tail.until_line(first + 1);
            }
            let mut came = texts(&tail.end());
            let mut written = numbered((1..=banner).chain([1_000]));
            for first in [2_000, 3_000, 4_000] {
                written.extend(numbered((1..=banner).chain([first, first + 1])));
            }
            came.sort_unstable();
            written.sort_unstable();
            assert_eq!(came, written, "{command}");
        }
    }
}

in_both_modes!(a_log_that_has_only_begun_like_another_one_is_shown_in_the_end);
fn a_log_that_has_only_begun_like_another_one_is_shown_in_the_end(mode: Mode) {
    for command in ["watch .", "stream --format json a*"] {
        let logs = Logs::with("a.log", 1..=5);
        let tail = following(&logs, mode, command);
        tail.until_line(5);
        logs.append("a.log.2", 1..=2).append("a-3.log", 1..=4);
        tail.until("both are shown", |said| {
            records(&said.stdout).iter().filter(|record| is_of(record, "line")).count() == 5 + 2 + 4
        });
        logs.append("a.log.2", 6..=6);
        tail.until_line(6);
        assert_told(&tail.end(), &[("a.log", &[1, 2, 3, 4, 5]), ("a.log.2", &[1, 2, 6]), ("a-3.log", &[1, 2, 3, 4])]);
    }
}

in_both_modes!(a_log_that_has_the_banner_of_another_one_and_no_more_is_shown_in_the_end);
fn a_log_that_has_the_banner_of_another_one_and_no_more_is_shown_in_the_end(mode: Mode) {
    let banner: Vec<_> = (1..=400).collect();
    for command in ["watch .", "watch --keep 0 .", "stream --format json a*"] {
        let logs = Logs::with("a.log", 1..=400);
        logs.append("a.log", 1_000..=1_000);
        let tail = following(&logs, mode, command);
        tail.until_line(1_000);
        logs.append("a.log.2", 1..=400);
        tail.until("both are shown", |said| {
            records(&said.stdout).iter().filter(|record| is_of(record, "line")).count() == 401 + 400
        });
        logs.append("a.log.2", 2_000..=2_000);
        tail.until_line(2_000);
        let shown = |last| [&banner[..], &[last]].concat();
        assert_told(&tail.end(), &[("a.log", &shown(1_000)), ("a.log.2", &shown(2_000))]);
    }
}

#[test]
fn a_log_that_goes_on_like_another_one_is_shown_while_it_does() {
    let logs = Logs::with("a.log", 1..=5_000);
    let tail = logs.rtail("watch --from start --format json .").start();
    tail.until_line(5_000);
    let is_its = |record: &&str| record.contains("\"type\":\"line\"") && record.contains("\"a.log.2\"");
    let lines = |stdout: &[u8]| str::from_utf8(stdout).unwrap().lines().filter(is_its).count();
    let mut last = 0;
    tail.until("it is shown while it is written to", |said| {
        if lines(&said.stdout) == 0 {
            last += 1;
            logs.append("a.log.2", last..=last);
        }
        lines(&said.stdout) > 0
    });
    tail.until("all of it is shown", |said| lines(&said.stdout) == last as usize);
}

#[test]
fn what_may_be_a_copy_is_shown_before_the_end() {
    let logs = Logs::with("a.log", 1..=5);
    let tail = logs.rtail("stream --idle-timeout 500ms a*").start();
    tail.until_line(5);
    logs.append("a.log.2", 1..=2);
    tail.ended().printed("L1\nL2\nL3\nL4\nL5\nL1\nL2\n").with_status(0);
}

/// Puts `NAME.gz` in the place of a file.
fn compress(logs: &Logs, name: &str) {
    let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    packed.write_all(&logs.read(name)).unwrap();
    logs.write(format!("{name}.gz"), packed.finish().unwrap()).remove(name);
}

in_both_modes!(rotated_logs_that_are_compressed_are_no_logs_of_their_own);
fn rotated_logs_that_are_compressed_are_no_logs_of_their_own(mode: Mode) {
    for command in ["watch --glob *.log* .", "follow -n +1 a*", "stream --format json a*"] {
        let logs = Logs::with("a.log", 900..=999);
        compress(&logs, "a.log");
        logs.rename("a.log.gz", "a.log.2.gz").append("a.log", 1..=300);
        // What is made this shortly before may be meant to get the name.
        common::pause_ms(1_100);
        let tail = following(&logs, mode, command);
        tail.until_line(300);
        for round in 1..=3 {
            logs.rename("a.log", "a.log.1").append("a.log", 300 + round..=300 + round);
            tail.until_line(300 + round);
            compress(&logs, "a.log.1");
            // Not by its name either, while it is made.
            logs.append_bytes("a.log.3.gz", "").append_bytes("a.log.3.gz.tmp", b"\x1f\x8b\x08");
            logs.rename("a.log.1.gz", format!("a.log.{}.gz", 3 + round)).append_bytes("a.log.3.gz", b"\x1f\x8b\x08");
        }
        logs.append("a.log", 304..=304);
        tail.until_line(304);
        let ended = tail.end();
        let mut came = texts(&ended);
        came.sort_unstable_by_key(|line| line[1..].parse::<u32>().unwrap());
        assert!(came == numbered(1..=304), "{command}: {}", came.len());
        ended.noticed_once("left out: it is compressed; '*.gz' would take such files as they are");
    }
}

in_both_modes!(compressed_files_come_as_they_are_where_a_pattern_asks_for_them);
fn compressed_files_come_as_they_are_where_a_pattern_asks_for_them(mode: Mode) {
    for pattern in ["*.gz", "a.*.{gz,xz}", "a.log.1.g[yz]"] {
        let logs = Logs::with("a.log.1", 1..=300);
        compress(&logs, "a.log.1");
        let packed = logs.read("a.log.1.gz");
        let tail = logs.follow(mode, &format!("-q -n +1 {pattern}"));
        // Its last line may have no end.
        tail.until_bytes(packed.iter().rposition(|byte| *byte == b'\n').map_or(0, |last| last + 1));
        assert!(packed.starts_with(&tail.end().stdout));
        logs.rtail(&format!("follow --no-follow -q -n +1 {pattern}")).run().printed(&packed);
    }
    // And what only looks compressed is text.
    let logs = Logs::with("a.log", 1..=3);
    logs.append("a.log.1.gz", 4..=5);
    logs.rtail("follow --no-follow -q -n +1 a.log*").run().printed_lines(1..=5);
    let tail = logs.follow(mode, "-q -n +1 a.log*");
    tail.until_line(5);
    logs.append("a.log.1.gz", 6..=6);
    tail.until_line(6);
    tail.end().printed_lines(1..=6);
}

#[test]
fn compressed_files_are_not_printed_where_a_pattern_does_not_ask_for_them() {
    let logs = Logs::with("a.log", 1..=3);
    logs.append("a.log.1", 4..=9).append("a.log.2", 4..=9);
    compress(&logs, "a.log.1");
    compress(&logs, "a.log.2");
    for command in ["follow --no-follow -q -n +1 a*", "stream --no-follow a*"] {
        let ended = logs.rtail(command).run().printed_lines(1..=3);
        ended.noticed_once("'a.log.1.gz': left out: it is compressed").with_status(0);
    }
}

/// How a log and others that begin alike are followed, with records.
const IN_RECORDS: [&str; 3] = ["watch .", "watch --keep 0 .", "stream --format json a*"];

in_both_modes!(a_log_that_is_removed_while_it_may_be_a_copy_is_shown);
fn a_log_that_is_removed_while_it_may_be_a_copy_is_shown(mode: Mode) {
    for command in IN_RECORDS {
        let logs = Logs::with("a.log", 1..=5);
        let tail = following(&logs, mode, command);
        tail.until_line(5);
        if command.contains("--keep 0") {
            until_closed(&tail, &logs, "a.log");
        }
        let mut last = Vec::new();
        for number in 2..=9 {
            let name = format!("a.log.{number}");
            logs.append(&name, 1..=number % 5 + 1);
            let inode = fs::metadata(logs.path(&name)).unwrap().ino();
            tail.until("it is held", |_| files_held(&tail).contains(&inode));
            if number % 2 == 0 {
                logs.remove(&name);
            } else {
                logs.rename(&name, format!("b{number}"));
            }
            last.push((name, (1..=number % 5 + 1).collect::<Vec<_>>()));
        }
        let count: usize = last.iter().map(|(_, lines)| lines.len()).sum();
        tail.until("all are shown", |said| {
            records(&said.stdout).iter().filter(|record| is_of(record, "line")).count() == 5 + count
        });
        let expected: Vec<_> = last.iter().map(|(name, lines)| (name.as_str(), lines.as_slice())).collect();
        if command.starts_with("stream") {
            assert_told(&tail.end(), &[&[("a.log", &[1, 2, 3, 4, 5][..])], &expected[..]].concat());
        }
    }
}

in_both_modes!(a_copy_that_is_removed_while_it_is_in_doubt_is_not_shown);
fn a_copy_that_is_removed_while_it_is_in_doubt_is_not_shown(mode: Mode) {
    for command in WITH_COPIES {
        let logs = Logs::with("a.log", 1..=3);
        let tail = following(&logs, mode, command);
        tail.until_line(3);
        let mut last = 3;
        for _ in 0..4 {
            fs::copy(logs.path("a.log"), logs.path("a.log.1")).unwrap();
            let inode = fs::metadata(logs.path("a.log.1")).unwrap().ino();
            tail.until("it is held", |_| files_held(&tail).contains(&inode));
            logs.truncate("a.log", 0).remove("a.log.1").append("a.log", last + 1..=last + 2);
            last += 2;
            tail.until_line(last);
            tail.until("it is let go", |_| !files_held(&tail).contains(&inode));
        }
        let ended = tail.end();
        assert_eq!(texts(&ended), numbered(1..=last), "{command}");
        ended.never_noticed("lost");
    }
}

in_both_modes!(copies_that_were_known_are_no_logs_of_their_own_after_a_restart);
fn copies_that_were_known_are_no_logs_of_their_own_after_a_restart(mode: Mode) {
    for command in ["stream --format json --checkpoint ../at a*", "watch --checkpoint ../at ."] {
        for size in [3, 300] {
            let logs = Logs::with("a.log", 1..=size);
            let tail = following(&logs, mode, command);
            tail.until_line(size);
            let mut came = Vec::new();
            let mut last = size;
            let mut cut = |copy: &str, tail: &Tail| {
                logs.copytruncate("a.log", copy).append("a.log", last + 1..=last + 2);
                last += 2;
                tail.until_line(last);
            };
            cut("a.log.2", &tail);
            cut("a.log.1", &tail);
            came.extend(texts(&tail.end()));
            for round in 0..3 {
                // It is known by whatever name.
                logs.rename("a.log.2", "a.log.3").rename("a.log.1", "a.log.2");
                let tail = following(&logs, mode, command);
                cut("a.log.1", &tail);
                let ended = tail.end();
                came.extend(texts(&ended));
                ended.never_noticed("lost");
                assert_eq!(came, numbered(1..=size + 6 + 2 * round), "{command}");
            }
            // What is written to one shows that it is a log.
            logs.append("a.log.3", 5_000..=5_000);
            let tail = following(&logs, mode, command);
            tail.until_line(5_000);
        }
    }
}

in_both_modes!(what_may_be_a_copy_or_a_log_of_its_own_is_said_to_be_ambiguous);
fn what_may_be_a_copy_or_a_log_of_its_own_is_said_to_be_ambiguous(mode: Mode) {
    for command in IN_RECORDS {
        let logs = Logs::with("a.log", 1..=40);
        let tail = following(&logs, mode, command);
        tail.until_line(40);
        tail.stop();
        logs.truncate("a.log", 0).append("a.log", 901..=902).append("a.log.2", 1..=60);
        tail.cont();
        tail.until_line(902);
        let ended = tail.end();
        let doubts: Vec<_> = records(&ended.stdout).into_iter().filter(|record| is_of(record, "ambiguous")).collect();
        let reason = "'a.log.2' is taken for a copy from before it was truncated, and may be a log of its own";
        assert_eq!(doubts.len(), 1, "{doubts:?}");
        assert!(doubts[0]["path"] == "a.log" && doubts[0]["reason"] == reason, "{doubts:?}");
    }
}

in_both_modes!(copies_that_are_compressed_after_they_were_read_are_not_repeated);
fn copies_that_are_compressed_after_they_were_read_are_not_repeated(mode: Mode) {
    for command in ["watch --glob *.log* .", "watch .", "stream --format json *.log"] {
        let logs = Logs::with("a.log", 1..=30);
        let tail = following(&logs, mode, command);
        tail.until_line(30);
        let mut last = 30;
        for round in 1..=4 {
            // As logrotate does it with `delaycompress`.
            logs.append("a.log", last + 1..=last + 100).copytruncate("a.log", format!("a.log.{round}").as_str());
            if round > 1 {
                compress(&logs, &format!("a.log.{}", round - 1));
            }
            logs.append("a.log", last + 101..=last + 102);
            last += 102;
            tail.until_line(last);
        }
        let ended = tail.end();
        let mut came = texts(&ended);
        came.sort_unstable_by_key(|line| line[1..].parse::<u32>().unwrap());
        assert!(came == numbered(1..=last), "{command}: {} of {last}", came.len());
        ended.never_noticed("lost");
    }
}
