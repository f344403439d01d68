//! Filters of `rtail stream`, and of records of `rtail watch`: what comes, where the next run goes on, what is accounted.
#![allow(clippy::expect_used, clippy::unwrap_used, reason = "helpers of tests may fail as tests do")]

mod common;

use std::fmt::Write as _;
use std::time::Duration;

use common::{Drain, Ended, Format, Logs, Mode, Run, in_both_modes, lines, rounds};
use serde_json::Value;

/// Lets through the lines with an even number.
const EVEN: &str = "-g [02468]$";

/// What that leaves of text.
fn even(text: &[u8]) -> Vec<u8> {
    let is_even = |line: &&[u8]| line.trim_ascii_end().last().is_some_and(|last| b"02468".contains(last));
    text.split_inclusive(|&byte| byte == b'\n').filter(is_even).collect::<Vec<_>>().concat()
}

/// So many lines.
fn written(count: u32, line: impl Fn(u32) -> String) -> String {
    (1..=count).map(line).collect::<Vec<_>>().concat()
}

/// `rtail stream --checkpoint ../at ARGS`: the checkpoint is beside the logs.
fn resumed<'a>(logs: &'a Logs, mode: Mode, args: &str) -> Run<'a> {
    logs.streaming(mode, &format!("--checkpoint ../at {args}"))
}

/// Asserts what such a run delivers that goes to the end of the files.
#[track_caller]
fn assert_comes(logs: &Logs, args: &str, expected: impl AsRef<[u8]>) {
    resumed(logs, Mode::Events, &format!("--no-follow {args}"))
        .run()
        .with_status(0)
        .never_noticed("lost")
        .printed(expected);
}

/// The records of an output. They skip lines, which those of no other stream do.
fn records(ended: &Ended) -> Vec<Value> {
    ended.stdout.split_inclusive(|&byte| byte == b'\n').map(|line| serde_json::from_slice(line).unwrap()).collect()
}

/// The output as the bytes of its lines, whatever form these came in.
fn text(ended: Ended, format: Format) -> Vec<u8> {
    if format == Format::Raw {
        return ended.stdout;
    }
    let lines = records(&ended).into_iter().filter(|record| record["type"] == "line");
    let mut bytes = Vec::new();
    for line in lines {
        bytes.extend(line["text"].as_str().unwrap().bytes());
        let goes_on = matches!(line["piece"].as_str(), Some("first" | "middle")) || line["unterminated"] == true;
        bytes.extend((!goes_on).then_some(b'\n'));
    }
    bytes
}

in_both_modes!(only_lines_that_match_are_delivered_through_rotation_and_truncation);
fn only_lines_that_match_are_delivered_through_rotation_and_truncation(mode: Mode) {
    for format in Format::ALL {
        let logs = Logs::with("a.log", 1..=50);
        let tail = logs.stream(mode, &format!("{format} {EVEN} -x 4 -i -x l6$ a.log"));
        tail.until_line(50);
        logs.rename("a.log", "a.log.1").append("a.log", 51..=100);
        tail.until_line(100);
        logs.append("a.log.1", 101..=102);
        tail.until_line(102);
        logs.copytruncate("a.log", "a.copy").append("a.log", 103..=110);
        tail.until_line(110);
        let expected: Vec<String> = (1..=110)
            .filter(|number| number % 2 == 0 && *number != 6)
            .map(|number| format!("L{number}\n"))
            .filter(|line| !line.contains('4'))
            .collect();
        assert_eq!(String::from_utf8(text(tail.end(), format)).unwrap(), expected.concat());
    }
}

#[test]
fn bytes_of_all_kinds_are_filtered_as_they_are() {
    let logs = Logs::holding("a.log", b"\xff one\r\n\0two\none \xc3\n\none");
    logs.rtail("stream --no-follow -g one$ a.log").run().with_status(0).printed(b"\xff one\r\none").quietly();
    logs.rtail("stream --no-follow -x one a.log").run().with_status(0).printed(b"\0two\n\n").quietly();
}

#[test]
fn records_tell_offsets_and_everything_but_the_lines_left_out() {
    let logs = Logs::with("a.log", 1..=3);
    let tail = logs.stream(Mode::Events, &format!("--format json {EVEN} --until L5 a.log"));
    tail.until_line(2);
    // In one step, so that the name is never seen to be missing.
    logs.hard_link("a.log", "a.log.1").replace("a.log", lines(4..=6));
    let told: Vec<String> = records(&tail.ended().with_status(0))
        .iter()
        .map(|record| {
            let mut words = record["type"].as_str().unwrap().to_owned();
            for key in ["offset", "next_offset", "text", "reason"] {
                if !record[key].is_null() {
                    write!(words, " {}", record[key]).unwrap();
                }
            }
            for file in record["files"].as_array().into_iter().flatten() {
                write!(words, ", at {}", file["next_offset"]).unwrap();
            }
            words
        })
        .collect();
    let expected = ["open 0", "line 3 6 \"L2\"", "rotate", "open 0", "line 0 3 \"L4\"", "end \"until\", at 9, at 6"];
    assert_eq!(told, expected);
}

#[test]
fn until_sees_lines_that_are_left_out() {
    for format in Format::ALL {
        let logs = Logs::with("a.log", 1..=9);
        let ended = logs.rtail(&format!("stream {format} {EVEN} --until L5 a.log")).run().with_status(0);
        assert_eq!(text(ended, format), b"L2\nL4\n");
        let ended = logs.rtail(&format!("stream --no-follow {format} {EVEN} --until L0 a.log")).run().with_status(3);
        assert_eq!(text(ended, format), b"L2\nL4\nL6\nL8\n");
    }
}

in_both_modes!(each_run_goes_on_behind_the_lines_that_the_last_one_left_out);
fn each_run_goes_on_behind_the_lines_that_the_last_one_left_out(mode: Mode) {
    for format in Format::ALL {
        let logs = Logs::with("a.log", 1..=5);
        let args = format!("{format} {EVEN} a.log");
        let tail = resumed(&logs, mode, &args).start();
        tail.until_line(4);
        assert_eq!(text(tail.end(), format), b"L2\nL4\n");
        // Whatever it asks for.
        assert_comes(&logs, "a.log", "");
        logs.append("a.log", 6..=7).rename("a.log", "a.log.1").append("a.log", 8..=9);
        let tail = resumed(&logs, mode, &args).start();
        tail.until_line(8);
        assert_eq!(text(tail.end(), format), b"L6\nL8\n");
        logs.append("a.log", 10..=11);
        assert_comes(&logs, "-g L1 a.log", "L10\nL11\n");
        assert_comes(&logs, "a.log", "");
    }
}

#[test]
fn many_runs_one_after_the_other_deliver_what_one_filter_does() {
    // No beginning of a line matches: what there is of a line where a run ends in good time is judged.
    let content = written(rounds(300, 3000), |number| format!("L{number}.\n"));
    let expected: String = content.split_inclusive('\n').filter(|line| line.ends_with("2.\n")).collect();
    let runs = 24;
    for format in Format::ALL {
        let logs = Logs::holding("a.log", "");
        let (mut from, mut came) = (0, Vec::new());
        for run in 1..=runs {
            // Cut anywhere, also within a line; but what a rotated file leaves unfinished is a line of its own.
            let mut to = content.len() * run / runs;
            if run % 4 == 0 {
                to += content[to..].find('\n').map_or(0, |at| at + 1);
            }
            logs.append_bytes("a.log", &content[from..to]);
            from = to;
            if run % 4 == 0 {
                logs.rename("a.log", format!("a.log.{run}")).write("a.log", "");
            }
            let how = ["--no-follow", "--idle-timeout 50ms", "--timeout 200ms"][run % 3];
            let run = resumed(&logs, Mode::Events, &format!("{how} {format} -g 2[.]$ a.log"));
            came.extend(text(run.run().with_status(0), format));
        }
        assert_eq!(String::from_utf8(came).unwrap(), expected, "{format}");
    }
}

#[test]
fn an_unfinished_line_that_was_left_out_is_judged_anew_when_it_is_longer() {
    for format in Format::ALL {
        let logs = Logs::holding("a.log", "L1\nL2\nL3");
        let run = |expected: &[u8]| {
            let run = resumed(&logs, Mode::Events, &format!("--no-follow {format} {EVEN} a.log"));
            assert_eq!(text(run.run().with_status(0), format), expected);
        };
        run(b"L2\n");
        run(b"");
        logs.append_bytes("a.log", "4\nL3");
        run(b"L34\n");
        logs.append_bytes("a.log", "6");
        run(b"L36");
        // It was delivered as far as it was there; so is the rest, which would not be by itself.
        logs.append_bytes("a.log", "7\nL39\nL40\n");
        run(b"7\nL40\n");
    }
}

#[test]
fn an_unfinished_line_of_a_rotated_file_that_was_left_out_is_done_with() {
    let logs = Logs::holding("a.log", "L2\nL3");
    assert_comes(&logs, "--rotate-wait 0 -g [024]$ a.log", "L2\n");
    logs.rename("a.log", "a.log.1").append("a.log", 4..=5);
    assert_comes(&logs, "--rotate-wait 0 -g [024]$ a.log", "L4\n");
    logs.remove("a.log.1");
    assert_comes(&logs, "--rotate-wait 0 -g [024]$ a.log", "");
}

in_both_modes!(a_line_in_pieces_is_delivered_or_left_out_as_a_whole);
fn a_line_in_pieces_is_delivered_or_left_out_as_a_whole(mode: Mode) {
    let long = |head: &str| format!("{head}{}", "xyz".repeat(10_000));
    for format in Format::ALL {
        let logs = Logs::holding("a.log", format!("{}\nL1\n{}\nL2\n", long("no"), long("yes")));
        let args = format!("--max-line 4K {format} -g ^yes -g ^L a.log");
        let tail = resumed(&logs, mode, &args).start();
        tail.until_line(2);
        // Stopped within one that is left out, and within one that is delivered.
        logs.append_bytes("a.log", long("no"));
        let first = text(tail.end(), format);
        logs.append_bytes("a.log", format!("yes\nL3\n{}", long("yes")));
        let tail = resumed(&logs, mode, &args).start();
        tail.until_line(3);
        tail.until_bytes(20_000);
        let second = text(tail.end(), format);
        logs.append_bytes("a.log", "no\nno\nL4\n");
        let tail = resumed(&logs, mode, &args).start();
        tail.until_line(4);
        let third = text(tail.end(), format);
        let all = [first, second, third].concat();
        assert!(all == format!("L1\n{}\nL2\nL3\n{}no\nL4\n", long("yes"), long("yes")).into_bytes(), "{format}");
    }
}

#[test]
fn the_rest_of_a_line_is_delivered_at_the_offset_of_a_piece_and_judged_from_the_end() {
    let logs = Logs::holding("a.log", "yes and no\nno\nyes\n");
    for format in Format::ALL {
        let ended = logs.rtail(&format!("stream --no-follow --since-offset 4 {format} -g yes a.log")).run();
        assert_eq!(text(ended.with_status(0), format), b"and no\nyes\n");
    }
    let logs = Logs::holding("a.log", "L1\nyes");
    let tail = logs.stream(Mode::Events, "--from end --format json -g L a.log");
    tail.until_record("open");
    logs.append_bytes("a.log", " and no\nyes and L\n").append("a.log", 2..=2);
    tail.until_line(2);
    assert_eq!(text(tail.end(), Format::Json), b"yes and L\nL2\n");
}

#[test]
fn the_account_has_a_term_for_what_was_left_out() {
    for format in Format::ALL {
        let logs = Logs::with("a.log", 1..=10);
        let tail = logs.stream(Mode::Events, &format!("--summary {format} {EVEN} --until L17 a.log"));
        tail.until_line(10);
        logs.append("a.log", 11..=12);
        tail.until_line(12);
        logs.rename("a.log", "a.log.1").append("a.log", 13..=20);
        let ended = tail.ended().with_status(0);
        let expected =
            ["a.log A: 39 = 20 delivered + 19 filtered", "a.log B: 32 = 8 delivered + 12 filtered + 12 unread"];
        match format {
            Format::Raw => drop(ended.accounted(&expected)),
            Format::Json => {
                let end = records(&ended).pop().unwrap();
                let [first, second] = end["files"].as_array().unwrap().as_slice() else { panic!("{end}") };
                for (file, term, count) in [
                    (first, "on_disk", 39),
                    (first, "delivered", 20),
                    (first, "filtered", 19),
                    (second, "on_disk", 32),
                    (second, "delivered", 8),
                    (second, "filtered", 12),
                    (second, "unread", 12),
                ] {
                    assert_eq!(file["account"][term], count, "{term} of {file}");
                }
            }
        }
    }
}

#[test]
fn a_reader_that_reads_slowly_gets_every_line_that_matches() {
    let content = written(60_000, |number| format!("{number:0>60} {}\n", number % 7));
    let expected: String = content.split_inclusive('\n').filter(|line| line.ends_with(" 3\n")).collect();
    for format in Format::ALL {
        let logs = Logs::holding("a.log", &content);
        let slowly = Drain::Slowly { bytes: 50_000, gap: Duration::from_millis(2) };
        for filter in ["-g 3$", "-x [^3]$"] {
            let run = logs.rtail(&format!("stream --no-follow --summary {format} {filter} a.log")).drained(slowly);
            let ended = run.run().with_status(0).never_noticed("does not add up");
            assert!(text(ended, format) == expected.as_bytes(), "{format} {filter}");
        }
    }
}

#[test]
fn a_blocked_output_that_is_cut_leaves_a_checkpoint_before_what_its_reader_did_not_get() {
    let content = written(80_000, |number| format!("{number:0>90} {}\n", number % 3));
    let expected: String = content.split_inclusive('\n').filter(|line| !line.ends_with(" 1\n")).collect();
    let logs = Logs::holding("a.log", &content);
    let tail = resumed(&logs, Mode::Events, "-x 1$ a.log").drained(Drain::WhenTold).start();
    tail.until_blocked();
    let came = tail.end().stdout;
    // What was cut within a line is delivered again from the start of that line.
    let whole = came.iter().rposition(|&byte| byte == b'\n').map_or(0, |last| last + 1);
    assert!(expected.as_bytes().starts_with(&came) && whole > 0);
    assert_comes(&logs, "-x 1$ a.log", &expected.as_bytes()[whole..]);
}

in_both_modes!(records_of_a_watch_are_filtered_too);
fn records_of_a_watch_are_filtered_too(mode: Mode) {
    let logs = Logs::with("a.log", 1..=4);
    let run = logs.rtail("watch --format json --state none --from start .").args(EVEN);
    let tail = if mode == Mode::Polling { run.args("--poll=20ms") } else { run }.start();
    tail.until_line(4);
    logs.append("b.log", 5..=8).append("a.log", 9..=9);
    tail.until_line(8);
    logs.append("a.log", 10..=10);
    tail.until_line(10);
    let mut came = text(tail.end(), Format::Json);
    came.sort_unstable();
    let mut expected = even(&lines(1..=10));
    expected.sort_unstable();
    assert_eq!(came, expected);
}
