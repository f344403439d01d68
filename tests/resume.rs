//! `rtail stream --checkpoint`: what the next run delivers, whatever became of the last one and of the files meanwhile.
#![allow(clippy::expect_used, clippy::unwrap_used, reason = "helpers of tests may fail as tests do")]

mod common;

use std::collections::HashMap;
use std::fs;
use std::ops::Range;
use std::os::unix::fs::MetadataExt as _;
use std::sync::Mutex;
use std::time::Duration;

use common::{
    Drain, Ended, Enough, Format, Logs, Mode, Random, Run, Signal, Tail, consecutive, find_program, in_both_modes,
    lines, pause, pause_ms, rounds, skip, whole_lines,
};

/// `rtail stream --checkpoint ../at ARGS`: the checkpoint is beside the logs.
fn resumed<'a>(logs: &'a Logs, mode: Mode, args: &str) -> Run<'a> {
    logs.streaming(mode, &format!("--checkpoint ../at {args}"))
}

/// The same in one go, to the end of the files.
#[track_caller]
fn to_the_end(logs: &Logs, args: &str) -> Ended {
    resumed(logs, Mode::Events, &format!("--no-follow {args}")).run().with_status(0)
}

/// Follows up to a line, and ends by TERM.
#[track_caller]
fn up_to_line(logs: &Logs, mode: Mode, args: &str, number: u32) -> Ended {
    let tail = resumed(logs, mode, args).start();
    tail.until_line(number);
    tail.end()
}

/// More than any pipe takes.
fn bulk() -> Vec<u8> {
    (0..40_000).flat_map(|number| format!("{number:0>99}\n").into_bytes()).collect()
}

// Nothing became of the files.

in_both_modes!(a_run_goes_on_where_the_last_one_ended);
fn a_run_goes_on_where_the_last_one_ended(mode: Mode) {
    for format in Format::ALL {
        let logs = Logs::with("a.log", 1..=5);
        let args = format!("{format} a.log");
        up_to_line(&logs, mode, &args, 5).read_as(format).printed_lines(1..=5).quietly();
        logs.append("a.log", 6..=10);
        up_to_line(&logs, mode, &args, 10).read_as(format).printed_lines(6..=10).quietly();
        to_the_end(&logs, &args).read_as(format).printed("").quietly();
        logs.append("a.log", 11..=11);
        to_the_end(&logs, &args).read_as(format).printed_lines(11..=11).quietly();
    }
}

/// Lines with all kinds of ends and content, and none at the end.
fn motley() -> Vec<u8> {
    let mut text = b"crlf\r\nlone\rreturn\n\n\n\0 nul\n\xff no text \xc3\n\r\n".to_vec();
    text.extend("世界 🦀\n".bytes());
    text.extend(lines(1..=30));
    [text.repeat(3), b"no end".to_vec()].concat()
}

/// Waits until the bytes between two offsets, the second of which ends a line, have come from a stream that begins with
/// the first one.
fn until_delivered(tail: &Tail, format: Format, offsets: Range<usize>) {
    match format {
        Format::Raw => _ = tail.until_bytes(offsets.len()),
        Format::Json => {
            let member = format!("\"next_offset\":{},", offsets.end);
            tail.until("the last line has come", |said| {
                memchr::memmem::find(&said.stdout, member.as_bytes()).is_some()
            });
        }
    }
}

#[test]
fn twenty_runs_one_after_the_other_deliver_the_file_once() {
    for format in Format::ALL {
        let content = motley();
        let logs = Logs::holding("a.log", "");
        let mut came = Vec::new();
        for run in 1..=20 {
            // Cut anywhere, also within a line or a character.
            let (from, to) = (content.len() * (run - 1) / 20, content.len() * run / 20);
            logs.append_bytes("a.log", &content[from..to]);
            let whole = whole_lines(&content[..to]);
            let ended = match run % 3 {
                0 => to_the_end(&logs, &format!("{format} a.log")),
                1 => {
                    resumed(&logs, Mode::Events, &format!("--idle-timeout 50ms {format} a.log")).run().with_status(0)
                }
                _ => {
                    let tail = resumed(&logs, Mode::Events, &format!("{format} a.log")).start();
                    if whole > came.len() {
                        until_delivered(&tail, format, came.len()..whole);
                    }
                    tail.end()
                }
            };
            came.extend(ended.read_as(format).stdout);
        }
        came.extend(to_the_end(&logs, &format!("{format} a.log")).read_as(format).stdout);
        assert!(came == content, "another text than the file's: {}", came.escape_ascii());
    }
}

in_both_modes!(a_line_cut_by_the_end_of_a_run_comes_whole_from_the_next);
fn a_line_cut_by_the_end_of_a_run_comes_whole_from_the_next(mode: Mode) {
    for format in Format::ALL {
        let logs = Logs::holding("a.log", "L1\nL");
        let args = format!("{format} a.log");
        up_to_line(&logs, mode, &args, 1).read_as(format).printed_lines(1..=1);
        logs.append_bytes("a.log", "2\nL");
        up_to_line(&logs, mode, &args, 2).read_as(format).printed_lines(2..=2);
        logs.append_bytes("a.log", "3\n");
        to_the_end(&logs, &args).read_as(format).printed_lines(3..=3).quietly();
    }
}

#[test]
fn what_stands_behind_the_line_that_was_waited_for_comes_next_time() {
    for format in Format::ALL {
        let logs = Logs::with("a.log", 1..=20);
        let until = |regex: &str| to_the_end(&logs, &format!("--until {regex} {format} a.log")).read_as(format);
        until("^L5$").printed_lines(1..=5);
        until("^L6$").printed_lines(6..=6);
        until("^L12$").printed_lines(7..=12);
        to_the_end(&logs, &format!("{format} a.log")).read_as(format).printed_lines(13..=20);
    }
}

#[test]
fn where_to_begin_is_for_files_that_the_checkpoint_does_not_know() {
    let logs = Logs::with("a.log", 1..=9);
    to_the_end(&logs, "--since-offset 12 a.log").printed_lines(5..=9);
    logs.append("a.log", 10..=12);
    to_the_end(&logs, "--since-offset 12 a.log").printed_lines(10..=12);
    logs.append("b.log", 101..=105);
    to_the_end(&logs, "--from end b.log").printed("");
    logs.append("b.log", 106..=107);
    to_the_end(&logs, "--from end b.log").printed_lines(106..=107);
}

#[test]
fn a_file_that_is_not_asked_for_is_kept_in_the_checkpoint() {
    let logs = Logs::with("a.log", 1..=5);
    logs.append("b.log", 101..=105);
    to_the_end(&logs, "a.log b.log").printed_ranges([1..=5, 101..=105]);
    logs.append("a.log", 6..=8).append("b.log", 106..=108);
    to_the_end(&logs, "a.log").printed_lines(6..=8);
    logs.append("a.log", 9..=9);
    to_the_end(&logs, "b.log a.log").printed_ranges([9..=9, 106..=108]);
}

#[test]
fn a_checkpoint_means_the_same_files_from_whatever_directory() {
    let logs = Logs::with("a.log", 1..=5);
    to_the_end(&logs, "a.log").printed_lines(1..=5);
    logs.append("a.log", 6..=8);
    let run = logs.rtail("stream --no-follow --checkpoint at logs/a.log").through(r#"cd ..; exec "$@""#);
    run.run().with_status(0).printed_lines(6..=8).quietly();
    logs.append("a.log", 9..=9);
    let run = logs.rtail("stream --no-follow --checkpoint ../at").arg(logs.path("a.log"));
    run.run().with_status(0).printed_lines(9..=9).quietly();
    logs.append("a.log", 10..=10);
    to_the_end(&logs, "./a.log").printed_lines(10..=10).quietly();
}

#[test]
fn a_name_through_the_parent_directory_is_the_same() {
    let logs = Logs::with("a.log", 1..=5);
    to_the_end(&logs, "a.log").printed_lines(1..=5);
    logs.append("a.log", 6..=8).make_dir("dir");
    let run = logs.rtail("stream --no-follow --checkpoint ../../at ../a.log").through(r#"cd dir; exec "$@""#);
    run.run().with_status(0).printed_lines(6..=8).quietly();
}

#[test]
fn an_account_says_what_earlier_runs_have_delivered() {
    let logs = Logs::with("a.log", 1..=5);
    to_the_end(&logs, "--summary a.log").accounted(&["a.log A: 15 = 15 delivered"]);
    logs.append("a.log", 6..=9);
    to_the_end(&logs, "--summary a.log").accounted(&["a.log A: 27 = 15 not asked for + 12 delivered"]);
}

// Something did.

/// What became of `a.log`, of which 1 to 100 was delivered, and the rest up to 400 was not.
type Meanwhile = fn(&Logs);

const ROTATED: [Meanwhile; 4] = [
    |logs| {
        logs.append("a.log", 101..=200).rename("a.log", "a.log.1").append("a.log", 201..=300);
        logs.rename("a.log.1", "a.log.2").rename("a.log", "a.log.1").append("a.log", 301..=350);
        logs.cascade("a.log", 5).append("a.log", 351..=400);
    },
    |logs| {
        logs.append("a.log", 101..=110).rename("a.log", "a.log-20261101");
        logs.append("a.log", 111..=390).rename("a.log", "a.log-20261102");
        logs.append("a.log", 391..=399).rename("a.log", "a.log-20261103").append("a.log", 400..=400);
    },
    // The last one was read to its end; late lines come before those of the next.
    |logs| _ = logs.rename("a.log", "a.log.1").append("a.log", 301..=400).append("a.log.1", 101..=300),
    // Nothing has been written into the live one yet.
    |logs| {
        logs.append("a.log", 101..=200).cascade("a.log", 5).append("a.log", 201..=400);
        logs.cascade("a.log", 5).append_bytes("a.log", "");
    },
];

in_both_modes!(what_was_rotated_meanwhile_comes_in_order);
fn what_was_rotated_meanwhile_comes_in_order(mode: Mode) {
    for rotate in ROTATED {
        for format in Format::ALL {
            let logs = Logs::with("a.log", 1..=100);
            let args = format!("{format} a.log");
            up_to_line(&logs, mode, &args, 100).read_as(format).printed_lines(1..=100);
            rotate(&logs);
            up_to_line(&logs, mode, &args, 400).read_as(format).printed_lines(101..=400);
            logs.append("a.log", 401..=401);
            to_the_end(&logs, &args).read_as(format).printed_lines(401..=401);
        }
    }
}

#[test]
fn three_rotations_meanwhile_are_told_one_by_one() {
    let logs = Logs::with("a.log", 1..=2);
    to_the_end(&logs, "a.log");
    logs.append("a.log", 3..=3).rename("a.log", "a.log.3");
    logs.append("a.log", 4..=4).rename("a.log", "a.log.2");
    logs.append("a.log", 5..=5).rename("a.log", "a.log.1").append("a.log", 6..=7);
    let records = to_the_end(&logs, "--format json a.log").quietly().records().hold(lines(3..=7));
    let story = records.story();
    let of_files: Vec<_> = story.iter().filter(|line| !line.starts_with("rotate")).map(String::as_str).collect();
    assert_eq!(
        of_files[..of_files.len() - 1],
        [
            "open a.log A at 6",
            "lines A 6-9",
            "open a.log B at 0",
            "lines B 0-3",
            "open a.log C at 0",
            "lines C 0-3",
            "open a.log D at 0",
            "lines D 0-6",
        ]
    );
}

in_both_modes!(both_files_of_a_rotation_under_way_go_on);
fn both_files_of_a_rotation_under_way_go_on(mode: Mode) {
    let logs = Logs::with("a.log", 1..=100);
    let tail = resumed(&logs, mode, "a.log").start();
    tail.until_line(100);
    logs.rename("a.log", "a.log.1").append("a.log", 1001..=1010);
    tail.until_line(1010);
    tail.end().printed_ranges([1..=100, 1001..=1010]);
    logs.append("a.log.1", 101..=110).append("a.log", 1011..=1020);
    let tail = resumed(&logs, mode, "a.log").start();
    tail.until_line(110).until_line(1020);
    logs.append("a.log.1", 111..=111).append("a.log", 1021..=1021);
    tail.until_line(111).until_line(1021);
    tail.end().printed_ranges([101..=111, 1011..=1021]);
}

in_both_modes!(a_name_that_is_missing_now_still_has_its_old_file);
fn a_name_that_is_missing_now_still_has_its_old_file(mode: Mode) {
    let logs = Logs::with("a.log", 1..=100);
    up_to_line(&logs, mode, "a.log", 100).printed_lines(1..=100);
    logs.append("a.log", 101..=110).rename("a.log", "a.log.1");
    let tail = resumed(&logs, mode, "--wait a.log").start();
    tail.until_line(110);
    logs.append("a.log", 111..=120);
    tail.until_line(120);
    tail.end().printed_lines(101..=120);
}

#[test]
fn a_new_file_with_the_old_inode_is_read_from_its_beginning() {
    for _ in 0..20 {
        let logs = Logs::with("a.log", 1..=10);
        let inode = || fs::metadata(logs.path("a.log")).unwrap().ino();
        to_the_end(&logs, "a.log").printed_lines(1..=10);
        let before = inode();
        logs.remove("a.log").append("a.log", 1001..=1200);
        if inode() == before {
            to_the_end(&logs, "a.log").printed_lines(1001..=1200);
            return;
        }
    }
    skip("inodes are not used again here");
}

in_both_modes!(a_file_truncated_meanwhile_is_read_from_its_beginning);
fn a_file_truncated_meanwhile_is_read_from_its_beginning(mode: Mode) {
    // Shorter than before, longer, and as long.
    for (first, last) in [(301, 310), (301, 800), (301, 400)] {
        for format in Format::ALL {
            let logs = Logs::with("a.log", 101..=200);
            let args = format!("{format} a.log");
            up_to_line(&logs, mode, &args, 200).read_as(format).printed_lines(101..=200);
            logs.write("a.log", lines(first..=last));
            let ended = up_to_line(&logs, mode, &args, last);
            if format == Format::Json {
                assert_eq!(ended.records().of("truncate").len(), 1);
            }
            ended.read_as(format).printed_lines(first..=last);
        }
    }
}

#[test]
fn what_was_cut_off_meanwhile_comes_from_the_copy() {
    for format in Format::ALL {
        let logs = Logs::with("a.log", 1..=100);
        let args = format!("{format} a.log");
        to_the_end(&logs, &args).read_as(format).printed_lines(1..=100);
        logs.append("a.log", 101..=200).copytruncate("a.log", "a.log.1").append("a.log", 201..=210);
        to_the_end(&logs, &args).read_as(format).printed_lines(101..=210);
        // And not once more.
        logs.append("a.log", 211..=211);
        to_the_end(&logs, &args).read_as(format).printed_lines(211..=211);
    }
}

#[test]
fn copies_made_one_after_the_other_meanwhile_are_all_read() {
    let logs = Logs::with("a.log", 1..=100);
    to_the_end(&logs, "a.log").printed_lines(1..=100);
    logs.append("a.log", 101..=200).copytruncate("a.log", "a.log-001");
    pause_ms(10);
    logs.append("a.log", 201..=300).copytruncate("a.log", "a.log-002");
    pause_ms(10);
    logs.append("a.log", 301..=310);
    to_the_end(&logs, "a.log").printed_lines(101..=310);
}

in_both_modes!(a_copy_that_was_made_meanwhile_of_what_was_read_is_nothing_new);
fn a_copy_that_was_made_meanwhile_of_what_was_read_is_nothing_new(mode: Mode) {
    let logs = Logs::with("a.log", 1..=100);
    up_to_line(&logs, mode, "a.log", 100).printed_lines(1..=100);
    logs.copytruncate("a.log", "a.log.1").append("a.log", 101..=110);
    up_to_line(&logs, mode, "a.log", 110).printed_lines(101..=110);
    logs.copytruncate("a.log", "a.log.2").append("a.log", 111..=120);
    up_to_line(&logs, mode, "a.log", 120).printed_lines(111..=120);
}

in_both_modes!(a_link_is_no_reason_to_begin_again);
fn a_link_is_no_reason_to_begin_again(mode: Mode) {
    let logs = Logs::with("real.log", 1..=100);
    logs.link("real.log", "a.log");
    up_to_line(&logs, mode, "a.log", 100).printed_lines(1..=100);
    to_the_end(&logs, "a.log").printed("").quietly();
    logs.append("real.log", 101..=110);
    up_to_line(&logs, mode, "a.log", 110).printed_lines(101..=110);
    logs.append("real.log", 111..=120).retarget("a.log", "real.log");
    to_the_end(&logs, "a.log").printed_lines(111..=120).quietly();
}

/// A pattern that has delivered its files, of which then one gets a name that matches, too, one a name that doesn't,
/// one stays as it is, and one is new.
fn a_pattern_and_its_files_with_other_names(mode: Mode, format: Format) -> (Logs, Ended) {
    let logs = Logs::with("a.log", 1..=10);
    logs.append("b.log", 1001..=1010).append("c.log", 2001..=2010);
    let run = || resumed(&logs, mode, &format!("{format}")).arg("*.log");
    let tail = run().start();
    tail.until_line(10).until_line(1010).until_line(2010);
    tail.end().read_as(format).printed_ranges([1..=10, 1001..=1010, 2001..=2010]);

    logs.append("a.log", 11..=20).rename("a.log", "a.1.log").append("a.log", 21..=30);
    logs.append("b.log", 1011..=1020).rename("b.log", "b.log.1").append("b.log", 1021..=1030);
    logs.append("c.log", 2011..=2020).append("d.log", 3001..=3010);
    let tail = run().start();
    tail.until_line(20).until_line(30).until_line(1030).until_line(2020).until_line(3010);
    let ended = tail.end();
    (logs, ended)
}

in_both_modes!(a_pattern_goes_on_with_its_files_whatever_they_are_called_now);
fn a_pattern_goes_on_with_its_files_whatever_they_are_called_now(mode: Mode) {
    let (logs, ended) = a_pattern_and_its_files_with_other_names(mode, Format::Raw);
    ended.printed_ranges([11..=20, 21..=30, 1011..=1020, 1021..=1030, 2011..=2020, 3001..=3010]);
    logs.append("a.1.log", 31..=31).append("a.log", 41..=41).append("e.log", 51..=51);
    let tail = resumed(&logs, mode, "*.log").start();
    tail.until_line(31).until_line(41).until_line(51);
    tail.end().printed_ranges([31..=31, 41..=41, 51..=51]);
}

#[test]
fn a_pattern_that_goes_on_reads_the_old_file_before_the_new_one() {
    let mode = Mode::Events;
    let (_logs, ended) = a_pattern_and_its_files_with_other_names(mode, Format::Raw);
    ended.printed_ranges([11..=30, 1011..=1030, 2011..=2020, 3001..=3010]);
}

in_both_modes!(records_of_a_pattern_that_goes_on_call_a_file_by_one_name);
fn records_of_a_pattern_that_goes_on_call_a_file_by_one_name(mode: Mode) {
    let (_logs, ended) = a_pattern_and_its_files_with_other_names(mode, Format::Json);
    ended.read_as(Format::Json).printed_ranges([
        11..=20,
        21..=30,
        1011..=1020,
        1021..=1030,
        2011..=2020,
        3001..=3010,
    ]);
}

#[test]
fn a_pattern_read_once_knows_its_files_by_other_names() {
    let logs = Logs::with("a.log", 1..=10);
    logs.append("b.log", 101..=110);
    to_the_end(&logs, "*.log").printed_ranges([1..=10, 101..=110]);
    logs.append("a.log", 11..=20).rename("a.log", "a.1.log").append("a.log", 21..=30);
    logs.append("b.log", 111..=120).rename("b.log", "b.log.1").append("b.log", 121..=130);
    to_the_end(&logs, "*.log").printed_ranges([11..=20, 21..=30, 111..=130]);
    to_the_end(&logs, "*.log").printed("");
}

#[test]
fn an_open_record_of_a_later_run_tells_the_size_of_now() {
    let logs = Logs::with("a.log", 1..=5);
    to_the_end(&logs, "a.log");
    logs.append("a.log", 6..=9);
    let ended = to_the_end(&logs, "--format json a.log");
    let open = ended.records().of("open")[0].clone();
    assert_eq!((open["offset"].as_u64(), open["size"].as_u64()), (Some(15), Some(27)));
}

#[test]
fn random_histories_of_rotations_and_runs_come_once_and_in_order() {
    for seed in 0..rounds(6, 400) {
        eprintln!("seed {seed}");
        play_a_random_history(Random::new(seed.into()));
    }
}

/// Six runs, between and during which there are lines and rotations of one kind or the other.
fn play_a_random_history(mut random: Random) {
    let logs = Logs::with("a.log", 0..=0);
    let mut came = to_the_end(&logs, "a.log").stdout;
    let (mut last, mut rotations, cascading) = (0, 0, random.below(2) == 0);
    let mut write = |random: &mut Random, last: &mut u32| {
        if random.below(5) < 2 {
            rotations += 1;
            if cascading {
                logs.cascade("a.log", 100)
            } else {
                logs.rename("a.log", format!("a.log-{rotations:03}"))
            };
        }
        let count = u32::try_from(1 + random.below(20)).unwrap();
        logs.append("a.log", *last + 1..=*last + count);
        *last += count;
    };
    for _ in 0..6 {
        for _ in 0..random.below(6) {
            write(&mut random, &mut last);
        }
        let ended = if random.below(3) == 0 {
            to_the_end(&logs, "a.log")
        } else {
            let tail = resumed(&logs, Mode::Events, "a.log").start();
            for _ in 0..random.below(5) {
                write(&mut random, &mut last);
                tail.until_line(last);
            }
            tail.end()
        };
        came.extend(ended.stdout);
    }
    let mut ended = to_the_end(&logs, "a.log");
    came.append(&mut ended.stdout);
    ended.stdout = came;
    ended.printed_lines(0..=last);
}

#[test]
fn two_thousand_rotations_leave_the_checkpoint_small() {
    const AT_ONCE: u32 = 10;
    let logs = Logs::with("a.log", 0..=0);
    let tail = resumed(&logs, Mode::Events, "--rotate-wait 0 a.log").start();
    tail.until_line(0);
    let rounds = rounds(200, 10_000);
    for round in 0..rounds {
        for number in round * AT_ONCE + 1..=(round + 1) * AT_ONCE {
            logs.rename("a.log", format!("a.log.{number}")).append("a.log", number..=number);
        }
        tail.until_line((round + 1) * AT_ONCE);
        for number in round * AT_ONCE + 1..=(round + 1) * AT_ONCE {
            logs.remove(format!("a.log.{number}"));
        }
    }
    tail.end().printed_lines(0..=rounds * AT_ONCE);
    let size = logs.read("../at").len();
    assert!(size < 16 << 10, "{size} bytes after {} rotations", rounds * AT_ONCE);
    logs.append("a.log", 1_000_000..=1_000_000);
    to_the_end(&logs, "a.log").printed_lines(1_000_000..=1_000_000);
}

// The last run was killed, or its reader had enough.

/// The lines of a log that is rotated under its followers, each as long as the others.
struct Numbered {
    /// For each file, by inode: its first line, and how many it has.
    files: Mutex<HashMap<u64, (u64, u64)>>,
}

impl Numbered {
    const LINES: u64 = 200;

    fn line(number: u64) -> String {
        format!("L{number:08}\n")
    }

    /// Writes until there is enough, in bursts, and rotates. Returns how many lines there are.
    fn write(&self, logs: &Logs, enough: &Enough) -> u64 {
        let mut next = 0;
        while !enough.is_reached() {
            if next > 0 {
                logs.rename("a.log", format!("a.log.{}", next / Self::LINES));
            }
            let mut file = logs.open("a.log");
            let inode = fs::metadata(logs.path("a.log")).unwrap().ino();
            self.files.lock().unwrap().insert(inode, (next, Self::LINES));
            for number in next..next + Self::LINES {
                file.write(Self::line(number));
                if number % 20 == 0 {
                    pause_ms(1);
                }
            }
            next += Self::LINES;
        }
        next
    }

    /// The line at which a run begins that has these positions.
    fn next(&self, positions: &[(u64, u64)]) -> u64 {
        let files = self.files.lock().unwrap();
        let length = Self::line(0).len() as u64;
        let places = positions.iter().map(|(inode, offset)| {
            let (first, count) = files[inode];
            assert_eq!(offset % length, 0, "a position within a line");
            (first + offset / length, offset / length == count)
        });
        let places: Vec<_> = places.collect();
        let unread = places.iter().filter(|(_, read_out)| !read_out).map(|(next, _)| *next).min();
        unread.or_else(|| places.iter().map(|(next, _)| *next).max()).unwrap_or(0)
    }
}

#[test]
fn killed_at_any_moment_it_loses_nothing_and_repeats_what_was_not_recorded() {
    let seed = 20_261_120;
    eprintln!("seed {seed}");
    let mut random = Random::new(seed);
    let (logs, numbered, enough) = (Logs::new(), Numbered { files: Mutex::default() }, Enough::default());
    std::thread::scope(|scope| {
        let writing = enough.at_the_end();
        let writer = scope.spawn(|| numbered.write(&logs, &enough));
        let mut delivered_to = 0;
        for kill in 0..rounds(20, 200) {
            let format = if kill % 4 == 3 { Format::Json } else { Format::Raw };
            let recorded = logs.positions("a.log");
            let due = numbered.next(&recorded);
            assert!(due <= delivered_to, "kill {kill}: line {due} was recorded, and {delivered_to} was to come");
            let tail = resumed(&logs, Mode::Events, &format!("--wait {format} a.log")).start();
            pause(Duration::from_micros(2_000 + random.below(60_000)));
            let ended = tail.end_by(Signal::KILL);
            let text = if format == Format::Json { ended.records_until_cut().text() } else { ended.stdout };
            if let Some((first, last)) = consecutive(&text) {
                // Until something was recorded, a run begins with the file that is there.
                assert!(
                    recorded.is_empty() || first == due,
                    "kill {kill}: it began at {first}, and {due} was recorded"
                );
                delivered_to = delivered_to.max(last + 1);
            }
        }
        drop(writing);
        let written = writer.join().unwrap();
        let due = numbered.next(&logs.positions("a.log"));
        assert!(due <= delivered_to);
        let ended = to_the_end(&logs, "a.log");
        assert_eq!(consecutive(&ended.stdout).map_or(due, |(first, _)| first), due);
        assert_eq!(consecutive(&ended.stdout).map_or(due, |(_, last)| last + 1), written);
    });
}

#[test]
fn a_checkpoint_is_saved_while_it_runs() {
    let logs = Logs::with("a.log", 1..=5);
    let tail = resumed(&logs, Mode::Events, "a.log").start();
    tail.until("the first lines are recorded", |_| logs.positions("a.log").iter().any(|(_, offset)| *offset == 15));
    logs.append("a.log", 6..=8);
    tail.until("the next ones are, too", |_| logs.positions("a.log").iter().any(|(_, offset)| *offset == 24));
    tail.end_by(Signal::KILL).printed_lines(1..=8);
    logs.append("a.log", 9..=9);
    to_the_end(&logs, "a.log").printed_lines(9..=9);
}

#[test]
fn a_blocked_output_that_is_cut_leaves_a_checkpoint_of_what_the_reader_got() {
    let bulk = bulk();
    for format in Format::ALL {
        let logs = Logs::holding("a.log", &bulk);
        let args = format!("{format} a.log");
        let tail = resumed(&logs, Mode::Events, &args).drained(Drain::WhenTold).start();
        tail.until_blocked();
        let ended = tail.end_by(Signal::TERM);
        let came = if format == Format::Json { ended.records_until_cut().text() } else { ended.stdout };
        let whole = whole_lines(&came);
        assert!(bulk.starts_with(&came) && whole > 0);
        let recorded: Vec<_> = logs.positions("a.log").into_iter().map(|(_, offset)| offset).collect();
        assert_eq!(recorded, [whole as u64]);
        to_the_end(&logs, &args).read_as(format).printed(&bulk[whole..]);
    }
}

#[test]
fn time_that_is_up_although_nobody_reads_leaves_a_checkpoint_of_what_the_reader_got() {
    let bulk = bulk();
    let logs = Logs::holding("a.log", &bulk);
    let tail = resumed(&logs, Mode::Events, "--timeout 500ms a.log").drained(Drain::WhenTold).start();
    tail.until_blocked();
    let ended = tail.ended().with_status(0);
    to_the_end(&logs, "a.log").printed(&bulk[whole_lines(&ended.stdout)..]);
}

// What is wrong with a checkpoint.

/// A log of five lines, and a checkpoint that knows of the first three.
fn three_of_five() -> (Logs, Vec<u8>) {
    let logs = Logs::with("a.log", 1..=3);
    to_the_end(&logs, "a.log").printed_lines(1..=3);
    logs.append("a.log", 4..=5);
    let checkpoint = logs.read("../at");
    (logs, checkpoint)
}

#[test]
fn a_damaged_checkpoint_is_refused_and_nothing_is_read() {
    let (logs, sound) = three_of_five();
    let zeroed = vec![0; sound.len()];
    let other_version = String::from_utf8(sound.clone()).unwrap().replacen(":1,", ":999,", 1).into_bytes();
    for (content, what) in [
        (&b""[..], "'../at' is damaged (it is empty): remove it to begin anew"),
        (&zeroed, "'../at' is damaged (it begins with NUL bytes): remove it to begin anew"),
        (&sound[..sound.len() / 2], "'../at' is damaged ("),
        (&sound[..sound.len() - 2], "'../at' is damaged ("),
        (&other_version, "'../at': checkpoint version 999 is not one of this rtail's (1): remove it to begin anew"),
        (b"L1\nL2\n", "'../at' is not a checkpoint of rtail: choose another name"),
    ] {
        logs.write("../at", content);
        for format in Format::ALL {
            for follow in ["", "--no-follow", "--wait"] {
                let ended = resumed(&logs, Mode::Events, &format!("{follow} {format} a.log")).run();
                ended.with_status(1).printed("").noticed_once(what);
            }
        }
        assert_eq!(logs.read("../at"), content, "it was touched");
    }
    logs.write("../at", &sound);
    to_the_end(&logs, "a.log").printed_lines(4..=5);
}

#[test]
fn a_checkpoint_that_is_a_directory_or_has_none_is_refused() {
    let logs = Logs::with("a.log", 1..=3);
    logs.make_dir("dir");
    for (path, what) in [
        ("dir", "'dir' can't be a checkpoint: it is not a regular file"),
        ("missing/at", "cannot find directory 'missing': No such file or directory"),
        ("a.log/at", "cannot "),
    ] {
        let ended = logs.rtail(&format!("stream --no-follow --checkpoint {path} a.log")).run();
        ended.with_status(1).printed("").noticed_once(what);
    }
    assert_eq!(fs::read_dir(logs.path("dir")).unwrap().count(), 0, "something was left in it");
}

#[test]
fn a_directory_that_may_not_be_written_is_refused_before_anything_is_read() {
    let logs = Logs::with("a.log", 1..=3);
    let Some(run) = logs.rtail("stream --no-follow --checkpoint ./at a.log").by_nobody() else { return };
    logs.permit("", 0o555);
    let ended = run.run();
    logs.permit("", 0o755);
    ended.with_status(1).printed("").noticed_once("at.lock': Permission denied");
}

#[test]
fn a_second_run_with_the_same_checkpoint_fails_at_once() {
    let logs = Logs::with("a.log", 1..=3);
    let first = resumed(&logs, Mode::Events, "a.log").start();
    first.until_line(3);
    let words = format!("'../at' is in use by another process (pid {})", first.pid());
    for _ in 0..3 {
        resumed(&logs, Mode::Events, "a.log").run().with_status(1).printed("").notices_are(&[&words]);
    }
    first.until("it is recorded", |_| !logs.positions("a.log").is_empty());
    first.end_by(Signal::KILL).printed_lines(1..=3);
    logs.append("a.log", 4..=4);
    to_the_end(&logs, "a.log").printed_lines(4..=4).quietly();
}

#[test]
fn a_run_that_fails_before_it_reads_leaves_the_checkpoint_as_it_was() {
    let (logs, sound) = three_of_five();
    for (args, status) in [
        ("a.log missing.log", 1),
        ("missing.log a.log", 1),
        ("--no-follow a.log missing.log", 1),
        ("--no-follow a.log [x]*.log", 1),
        ("--until ( a.log", 2),
    ] {
        resumed(&logs, Mode::Events, args).run().with_status(status).printed("");
        assert_eq!(logs.read("../at"), sound, "{args}");
    }
    let closed = resumed(&logs, Mode::Events, "a.log").through(r#"exec "$@" >&-"#);
    closed.run().with_status(1);
    assert_eq!(logs.read("../at"), sound);
    to_the_end(&logs, "a.log").printed_lines(4..=5).quietly();
}

#[test]
fn an_output_that_failed_is_not_recorded() {
    let (logs, _) = three_of_five();
    let full = resumed(&logs, Mode::Events, "--no-follow a.log").through(r#"exec "$@" > /dev/full"#);
    full.run().with_status(1).printed("");
    to_the_end(&logs, "a.log").printed_lines(4..=5).quietly();
}

#[test]
fn a_full_disk_leaves_the_old_checkpoint_and_is_status_1() {
    if find_program("unshare").is_none() {
        return;
    }
    let logs = Logs::with("a.log", 1..=3);
    logs.make_dir("small").append_bytes("statuses", "");
    // A run that can save, one that can't, one that can again, all of them on a disk of 64 KiB.
    let script = r#"exec unshare -Urm sh -c '
        mount -t tmpfs -o size=64k none small || exit 99
        "$@" > out.1 2> err.1; echo $? >> statuses
        echo L4 >> a.log
        dd if=/dev/zero of=small/fill bs=1k 2> /dev/null
        "$@" > out.2 2> err.2; echo $? >> statuses
        rm small/fill
        "$@" > out.3 2> err.3; echo $? >> statuses
    ' sh "$@""#;
    let run = logs.rtail("stream --idle-timeout 600ms --checkpoint small/at a.log").through(script);
    if run.run().status.code() == Some(99) || logs.read("statuses").is_empty() {
        return skip("file systems can't be mounted here");
    }
    assert_eq!(logs.read("statuses"), b"0\n1\n0\n");
    assert_eq!(
        [logs.read("out.1"), logs.read("out.2"), logs.read("out.3")],
        [lines(1..=3), lines(4..=4), lines(4..=4)]
    );
    let said =
        [logs.read("err.1"), logs.read("err.2"), logs.read("err.3")].map(|said| String::from_utf8(said).unwrap());
    assert_eq!(said, ["", "rtail: cannot save checkpoint 'small/at': No space left on device\n", ""]);
}

// What a review found.

#[test]
fn what_was_written_before_the_output_was_full_is_not_repeated() {
    for format in Format::ALL {
        let logs = Logs::with("a.log", 1..=100_000);
        let run = |limit: &str| {
            let script = format!(r#"trap '' XFSZ; ulimit -f {limit}; exec "$@" >> ../out"#);
            logs.rtail("stream --no-follow --checkpoint ../at").args(&format!("{format} a.log")).through(script).run()
        };
        run("600").with_status(1).noticed("write error: File too large");
        // The last line was cut; the next run begins with it.
        let out = logs.path("../out");
        let whole = whole_lines(&std::fs::read(&out).unwrap());
        std::fs::OpenOptions::new().write(true).open(&out).unwrap().set_len(whole as u64).unwrap();
        run("unlimited").with_status(0).quietly();
        let came = std::fs::read(&out).unwrap();
        if format == Format::Raw {
            assert!(came == lines(1..=100_000), "lines were lost or repeated");
        } else {
            let records = String::from_utf8(came).unwrap();
            let texts = records.lines().filter_map(|line| line.split_once(r#""text":""#)?.1.strip_suffix("\"}"));
            assert!(texts.eq((1..=100_000).map(|n| format!("L{n}"))), "lines were lost or repeated");
        }
    }
}

#[test]
fn room_that_was_set_aside_is_read_by_a_later_run_when_it_is_used() {
    let logs = Logs::holding("a.log", "L1\n\0\0\0\0\0\0");
    to_the_end(&logs, "a.log").printed_lines(1..=1);
    overwrite(&logs, "a.log", 3, b"L2\n");
    to_the_end(&logs, "a.log").printed_lines(2..=2);
}

fn overwrite(logs: &Logs, name: &str, offset: u64, bytes: &[u8]) {
    use std::os::unix::fs::FileExt as _;
    let file = std::fs::OpenOptions::new().write(true).open(logs.path(name)).unwrap();
    file.write_all_at(bytes, offset).unwrap();
}

#[test]
fn a_checkpoint_is_no_log() {
    let logs = Logs::with("a.log", 1..=3);
    for (checkpoint, pattern) in [("at.json", "*"), ("at", "*.lock"), ("a.log", "a.log")] {
        let run = logs.rtail("stream --timeout 5s --checkpoint").arg(checkpoint).arg(pattern);
        run.run().with_status(1).printed("").noticed_once("a checkpoint can't be among the files that are followed");
    }
    assert_eq!(logs.read("a.log"), lines(1..=3));
}

#[test]
fn what_the_output_has_accepted_is_recorded_while_it_is_blocked() {
    let logs = Logs::with("a.log", 1..=400_000);
    let tail = logs.rtail("stream --checkpoint ../at a.log").drained(Drain::WhenTold).start();
    tail.until_blocked();
    let accepted = |_: &_| fs::read_to_string(logs.path("../at")).is_ok_and(|text| !text.contains(r#""offset":0,"#));
    tail.until("the checkpoint has what fits the pipe", accepted);
    tail.signal(common::Signal::KILL);
    tail.drain();
    let before = tail.ended().stdout;
    let after = to_the_end(&logs, "a.log").stdout;
    let all = lines(1..=400_000);
    assert!(all.starts_with(&before) && all.ends_with(&after), "something else than the log");
    let repeated = (before.len() + after.len()).saturating_sub(all.len());
    assert!(before.len() + after.len() >= all.len() && repeated < 100, "{repeated} bytes repeated");
}

#[test]
fn a_file_whose_turn_had_not_come_is_known_to_the_next_run() {
    for signal in [Signal::KILL, Signal::TERM] {
        let logs = Logs::with("a.log", 1..=400_000);
        logs.append("b.log", 500_001..=500_100);
        let args = "--checkpoint ../at a.log b.log";
        let tail = logs.rtail("stream").args(args).drained(Drain::WhenTold).start();
        tail.until_blocked();
        let unread =
            || fs::read_to_string(logs.path("../at")).map_or(0, |text| text.matches(r#""offset":0,"#).count());
        tail.until("b.log is recorded", |_| unread() == 1);
        logs.rename("b.log", "b.log.1").append("b.log", 500_101..=500_200);
        tail.until("both files of b.log are recorded", |_| unread() == 2);
        tail.signal(signal).drain();
        tail.ended();
        let second = logs.rtail("stream --until ^L500200$").args(args).run().with_status(0).stdout;
        assert!(second.ends_with(&lines(500_001..=500_200)), "lines of a file that was held were lost");
    }
}
