//! Truncation and rewriting in place: the file stays, its content does not.
#![allow(clippy::unwrap_used, reason = "helpers of tests may fail as tests do")]

mod common;

use std::fs::{self, File};

use common::{Drain, Logs, Mode, find_program, in_both_modes, lines, pause_ms, skip};

in_both_modes!(a_hundred_copytruncates_lose_nothing);
fn a_hundred_copytruncates_lose_nothing(mode: Mode) {
    let logs = Logs::with("a.log", 1..=1);
    let tail = logs.follow(mode, "-n +1 a.log");
    let mut last = 1;
    tail.until_line(last);
    for round in 0..100 {
        pause_ms([5, 20, 50, 5, 5][round as usize % 5]);
        logs.copytruncate("a.log", "a.log.1");
        let count = 1 + round * 7 % 20;
        logs.append("a.log", last + 1..=last + count);
        last += count;
        tail.until_line(last);
    }
    tail.end().printed_lines(1..=last).noticed("a.log: file truncated").never_noticed("lost");
}

in_both_modes!(a_copytruncate_with_a_gap_before_the_next_line_loses_nothing);
fn a_copytruncate_with_a_gap_before_the_next_line_loses_nothing(mode: Mode) {
    let logs = Logs::with("a.log", 1..=10);
    let tail = logs.follow(mode, "-n +1 a.log");
    tail.until_line(10);
    for round in 1..=20 {
        logs.copytruncate("a.log", "a.log.1");
        pause_ms(50);
        logs.append("a.log", round * 10 + 1..=round * 10 + 10);
        tail.until_line(round * 10 + 10);
    }
    tail.end().printed_lines(1..=210).noticed("a.log: file truncated").never_noticed("lost");
}

in_both_modes!(a_truncation_is_announced_in_the_words_of_tail);
fn a_truncation_is_announced_in_the_words_of_tail(mode: Mode) {
    let logs = Logs::with("a.log", 1..=10);
    let tail = logs.follow(mode, "-n +1 a.log");
    tail.until_line(10);
    logs.write("a.log", "");
    tail.until_noticed("truncated");
    logs.append("a.log", 11..=12);
    tail.until_line(12);
    tail.end().printed_lines(1..=12).notices_are(&["a.log: file truncated"]);
}

in_both_modes!(a_log_regrown_past_the_old_offset_is_read_from_its_start);
fn a_log_regrown_past_the_old_offset_is_read_from_its_start(mode: Mode) {
    let logs = Logs::with("a.log", 1..=100);
    let tail = logs.follow(mode, "-n +1 a.log");
    tail.until_line(100).stop();
    logs.write("a.log", "").append("a.log", 101..=400);
    tail.cont().until_line(400);
    tail.end().printed_lines(1..=400).noticed_once("file truncated").never_noticed("lost");
}

in_both_modes!(a_log_rewritten_with_the_same_length_is_noticed);
fn a_log_rewritten_with_the_same_length_is_noticed(mode: Mode) {
    let logs = Logs::with("a.log", 1..=1);
    let tail = logs.follow(mode, "-n +1 a.log");
    tail.until_line(1).stop();
    pause_ms(20);
    logs.write("a.log", "L2\n");
    tail.cont().until_line(2);
    logs.append("a.log", 3..=3);
    tail.until_line(3);
    tail.end().printed_lines(1..=3).noticed_once("file truncated").never_noticed("lost");
}

in_both_modes!(a_log_rewritten_with_the_same_bytes_is_ambiguous_and_printed_once);
fn a_log_rewritten_with_the_same_bytes_is_ambiguous_and_printed_once(mode: Mode) {
    let logs = Logs::with("a.log", 1..=10);
    let tail = logs.follow(mode, "-n +1 a.log");
    tail.until_line(10).stop();
    pause_ms(20);
    logs.write("a.log", lines(1..=10));
    tail.cont().until_noticed("ambiguous");
    logs.append("a.log", 11..=11);
    tail.until_line(11);
    tail.end().printed_lines(1..=11).noticed_once("ambiguous");
}

in_both_modes!(a_log_that_grows_while_it_is_read_is_not_ambiguous);
fn a_log_that_grows_while_it_is_read_is_not_ambiguous(mode: Mode) {
    // A read gets more than the size that was looked at before it; the next look finds a new time and nothing new.
    let logs = Logs::with("a.log", 1..=1);
    let tail = logs.follow(mode, "-n +1 a.log");
    tail.until_line(1);
    logs.append("a.log", 2..=100_000);
    tail.until_line(100_000);
    for number in 100_001..=100_100 {
        pause_ms(1);
        logs.append("a.log", number..=number);
    }
    tail.until_line(100_100);
    tail.end().printed_lines(1..=100_100).quietly();
}

in_both_modes!(a_log_touched_or_made_readable_is_not_printed_again);
fn a_log_touched_or_made_readable_is_not_printed_again(mode: Mode) {
    let logs = Logs::with("a.log", 1..=10);
    let tail = logs.follow(mode, "-n +1 a.log");
    tail.until_line(10);
    logs.permit("a.log", 0o600).permit("a.log", 0o644);
    pause_ms(50);
    logs.append("a.log", 11..=11);
    tail.until_line(11);
    tail.end().printed_lines(1..=11).quietly();
}

in_both_modes!(a_log_shortened_from_its_end_repeats_nothing);
fn a_log_shortened_from_its_end_repeats_nothing(mode: Mode) {
    let logs = Logs::with("a.log", 10..=29);
    let tail = logs.follow(mode, "-n +1 a.log");
    tail.until_line(29);
    logs.truncate("a.log", 40);
    tail.until_noticed("a.log");
    logs.append("a.log", 30..=39);
    tail.until_line(39);
    tail.end().printed_lines(10..=39).noticed_once("a.log").never_noticed("lost");
}

in_both_modes!(a_log_truncated_by_every_write_is_printed_write_by_write);
fn a_log_truncated_by_every_write_is_printed_write_by_write(mode: Mode) {
    let logs = Logs::with("a.log", 1..=1);
    let tail = logs.follow(mode, "-n +1 a.log");
    tail.until_line(1);
    for number in 2..=50 {
        logs.write("a.log", format!("L{number}\n"));
        tail.until_line(number);
    }
    // Whatever was there had been read: a truncation loses nothing then.
    tail.end().printed_lines(1..=50).never_noticed("lost");
}

in_both_modes!(a_log_truncated_by_every_write_never_hangs_or_tears);
fn a_log_truncated_by_every_write_never_hangs_or_tears(mode: Mode) {
    let logs = Logs::with("a.log", 100..=100);
    let tail = logs.follow(mode, "-n +1 a.log");
    tail.until_line(100);
    for number in 101..=149 {
        logs.write("a.log", format!("L{number}\n"));
        pause_ms(10);
    }
    tail.until_line(149);
    let ended = tail.end();
    // What nobody could read may be missing; what is there is whole, in order, and there once.
    let written = lines(100..=149);
    let mut left = written.split_inclusive(|&byte| byte == b'\n');
    let printed: Vec<&[u8]> = ended.stdout.split_inclusive(|&byte| byte == b'\n').collect();
    let in_order = printed.iter().all(|line| left.any(|due| due == *line));
    assert!(in_order, "not a part of what was written: {}", ended.stdout.escape_ascii());
}

in_both_modes!(the_hole_left_by_a_writer_that_kept_its_offset_is_skipped_and_counted);
fn the_hole_left_by_a_writer_that_kept_its_offset_is_skipped_and_counted(mode: Mode) {
    let logs = Logs::new();
    let mut writer = logs.writer_keeping_its_offset("a.log");
    writer.append(100..=399);
    let tail = logs.follow(mode, "-n +1 a.log");
    tail.until_line(399);
    logs.truncate("a.log", 0);
    tail.until_noticed("a.log: file truncated");
    writer.append(400..=410);
    tail.until_line(410);
    // 300 lines of five bytes stood before the new one.
    tail.end().printed_lines(100..=410).noticed_once("1500").never_noticed("lost");
}

in_both_modes!(the_hole_is_skipped_when_the_truncation_itself_was_not_seen);
fn the_hole_is_skipped_when_the_truncation_itself_was_not_seen(mode: Mode) {
    let logs = Logs::new();
    let mut writer = logs.writer_keeping_its_offset("a.log");
    writer.append(100..=399);
    let tail = logs.follow(mode, "-n +1 a.log");
    tail.until_line(399).stop();
    logs.truncate("a.log", 0);
    writer.append(400..=410);
    writer.finish();
    tail.cont().until_line(410);
    tail.end().printed_lines(100..=410).noticed_once("1500").noticed_once("file truncated").never_noticed("lost");
}

in_both_modes!(the_hundredth_truncation_is_handled_like_the_first);
fn the_hundredth_truncation_is_handled_like_the_first(mode: Mode) {
    let logs = Logs::with("a.log", 1..=5);
    let tail = logs.follow(mode, "-n +1 a.log");
    tail.until_line(5);
    for round in 1..=100 {
        logs.write("a.log", "").append("a.log", round * 5 + 1..=round * 5 + 5);
        tail.until_line(round * 5 + 5);
    }
    // Said once a minute, not a hundred times: each of the two wordings, and at the end how often they were kept back.
    let ended = tail.end().printed_lines(1..=505).never_noticed("lost");
    let notices = ended.notices_with("file truncated");
    assert!((1..=4).contains(&notices), "{notices} notices");
}

in_both_modes!(a_truncation_after_a_fragment_does_not_glue);
fn a_truncation_after_a_fragment_does_not_glue(mode: Mode) {
    let logs = Logs::holding("a.log", "L1\nL2");
    let tail = logs.follow(mode, "-n +1 a.log");
    tail.until_printed("L1\nL2");
    logs.write("a.log", "");
    tail.until_noticed("truncated");
    logs.append("a.log", 3..=4);
    tail.until_line(4);
    tail.end().printed_lines(1..=4);
}

in_both_modes!(a_log_written_and_truncated_between_two_looks_is_announced);
fn a_log_written_and_truncated_between_two_looks_is_announced(mode: Mode) {
    let logs = Logs::with("a.log", 10..=19);
    let tail = logs.follow(mode, "-n +1 a.log");
    tail.until_line(19).stop();
    logs.append("a.log", 20..=29).write("a.log", lines(30..=34));
    tail.cont().until_line(34);
    tail.end().printed_ranges([10..=19, 30..=34]).noticed_once("file truncated");
}

in_both_modes!(what_was_truncated_unread_comes_from_the_copy);
fn what_was_truncated_unread_comes_from_the_copy(mode: Mode) {
    let logs = Logs::with("a.log", 0..=0);
    let tail = logs.follow(mode, "-n +1 a.log");
    tail.until_line(0).stop();
    logs.append("a.log", 1..=1000);
    let unread = logs.read("a.log").len() - lines(0..=0).len();
    logs.copytruncate("a.log", "a.log.1").append("a.log", 1001..=1100);
    tail.cont().until_line(1100);
    let recovered = format!("'a.log': {unread} bytes that were cut off unread were found in 'a.log.1'");
    tail.end().printed_lines(0..=1100).noticed_once(&recovered).never_noticed("lost");
}

in_both_modes!(runs_that_were_truncated_one_after_another_come_from_their_copies);
fn runs_that_were_truncated_one_after_another_come_from_their_copies(mode: Mode) {
    let logs = Logs::with("a.log", 1..=10);
    let tail = logs.follow(mode, "-n +1 a.log");
    tail.until_line(10).stop();
    for run in 1..=5 {
        let copy = format!("a.log.{run}");
        logs.append("a.log", run * 100 - 89..=run * 100 + 10).copytruncate("a.log", &copy);
    }
    logs.append("a.log", 511..=520);
    tail.cont().until_line(520);
    let ended = tail.end().printed_lines(1..=520).never_noticed("lost");
    assert_eq!(ended.notices_with("that were cut off unread were found in"), 5);
}

in_both_modes!(copies_of_a_log_whose_times_do_not_tell_its_cut_yet_are_found);
fn copies_of_a_log_whose_times_do_not_tell_its_cut_yet_are_found(mode: Mode) {
    let logs = Logs::with("a.log", 1..=10);
    let tail = logs.follow(mode, "-n +1 a.log");
    tail.until_line(10).stop();
    logs.append("a.log", 11..=20).copytruncate("a.log", "a.log.1").append("a.log", 21..=30);
    let written = fs::metadata(logs.path("a.log")).unwrap().modified().unwrap();
    pause_ms(50);
    logs.copytruncate("a.log", "a.log.2");
    // As it is while a truncation goes on.
    File::options().write(true).open(logs.path("a.log")).unwrap().set_modified(written).unwrap();
    tail.cont().until_line(30);
    logs.append("a.log", 31..=31);
    tail.until_line(31);
    tail.end().printed_lines(1..=31).never_noticed("lost");
}

in_both_modes!(a_log_that_was_empty_is_written_and_truncated_and_comes_from_its_copy);
fn a_log_that_was_empty_is_written_and_truncated_and_comes_from_its_copy(mode: Mode) {
    let logs = Logs::new();
    logs.write("a.log", "").append("b.log", 901..=901);
    let tail = logs.follow(mode, "-q a.log b.log");
    tail.until_line(901).stop();
    logs.append("a.log", 1..=100).copytruncate("a.log", "a.log.1").append("a.log", 101..=110);
    // Somebody's copy of what is there is none of a run that went by.
    logs.append_bytes("a.log.bak", logs.read("a.log"));
    tail.cont().until_line(110);
    tail.end().printed([lines(901..=901), lines(1..=110)].concat()).never_noticed("lost");
}

#[test]
fn long_lines_come_from_the_copy_in_their_order() {
    let logs = Logs::with("a.log", 1..=2);
    let tail = logs.rtail("stream --max-line 10 a.log").start();
    tail.until_line(2).stop();
    let long: Vec<String> = (0..20_000).map(|n| format!("{n:025}\n")).collect();
    logs.append_bytes("a.log", long.concat()).copytruncate("a.log", "a.log.1").append("a.log", 3..=4);
    tail.cont().until_line(4);
    tail.end().printed([lines(1..=2), long.concat().into_bytes(), lines(3..=4)].concat());
}

in_both_modes!(a_line_torn_by_a_truncation_is_made_whole_from_the_copy);
fn a_line_torn_by_a_truncation_is_made_whole_from_the_copy(mode: Mode) {
    let logs = Logs::holding("a.log", "L1\nL2");
    logs.append("b.log", 11..=11);
    let tail = logs.follow(mode, "-q -n +1 a.log b.log");
    tail.until_line(1).until_line(11).stop();
    logs.append_bytes("a.log", "\nL3\nL4").copytruncate("a.log", "a.log.1").append("a.log", 5..=6);
    tail.cont().until_line(6);
    // Its last line was cut off unfinished, and stays apart from the next one.
    tail.end().printed_interleaved(&[[&lines(1..=4)[..], &lines(5..=6)].concat(), lines(11..=11)]);
}

in_both_modes!(bytes_truncated_before_they_were_read_are_counted);
fn bytes_truncated_before_they_were_read_are_counted(mode: Mode) {
    let bulk = lines(1_000_000..=1_999_999);
    let logs = Logs::holding("a.log", &bulk);
    let tail = logs.following(mode, "-n +1 a.log").drained(Drain::WhenTold).start();
    tail.until_blocked();
    logs.write("a.log", "");
    pause_ms(50);
    logs.append("a.log", 1..=10);
    tail.drain().until_line(10);
    let ended = tail.end().noticed_once("truncated before they were read");
    let (from, to) = lost_range(&ended.stderr);
    assert_eq!(to, bulk.len(), "lost up to the size it had");
    // A line that was cut by the truncation ends before the new run's first one.
    let mut expected = bulk[..from].to_vec();
    if expected.last() != Some(&b'\n') {
        expected.push(b'\n');
    }
    expected.extend(lines(1..=10));
    ended.printed(expected).noticed_once(&format!("'a.log': lost {} bytes (offsets {from}-{to})", to - from));
}

/// The offsets in `lost N bytes (offsets A-B)`.
fn lost_range(stderr: &[u8]) -> (usize, usize) {
    let text = String::from_utf8_lossy(stderr);
    let range = text.split_once("(offsets ").and_then(|(_, rest)| rest.split_once(')'));
    let (from, to) = range.and_then(|(range, _)| range.split_once('-')).unwrap_or_default();
    (from.parse().unwrap_or_default(), to.parse().unwrap_or_default())
}

in_both_modes!(a_log_whose_head_was_cut_away_in_place_goes_on_behind_it);
fn a_log_whose_head_was_cut_away_in_place_goes_on_behind_it(mode: Mode) {
    let logs = Logs::with("a.log", 1000..=1199);
    let tail = logs.follow(mode, "-n +1 a.log");
    tail.until_line(1199).stop();
    // As a ring buffer does: the same file, its oldest half gone.
    logs.write("a.log", lines(1100..=1219));
    tail.cont().until_line(1219);
    tail.end().printed_lines(1000..=1219).noticed("a.log");
}

in_both_modes!(a_log_written_anew_with_the_same_head_is_no_cut);
fn a_log_written_anew_with_the_same_head_is_no_cut(mode: Mode) {
    for banner in [85, 1024, 3000] {
        let head = "#".repeat(banner - 1) + "\n";
        let logs = Logs::holding("a.log", [head.as_bytes(), &lines(1..=2000)].concat());
        let tail = logs.follow(mode, "-n +1 a.log");
        tail.until_line(2000).stop();
        logs.write("a.log", [head.as_bytes(), &lines(3001..=3100)].concat());
        tail.cont().until_line(3100);
        let expected = [head.as_bytes(), &lines(1..=2000), head.as_bytes(), &lines(3001..=3100)].concat();
        tail.end().printed(expected);
    }
}

in_both_modes!(a_hole_punched_into_what_was_read_repeats_nothing);
fn a_hole_punched_into_what_was_read_repeats_nothing(mode: Mode) {
    let Some(fallocate) = find_program("fallocate") else { return skip("there is no fallocate") };
    let logs = Logs::with("a.log", 1..=2000);
    let tail = logs.follow(mode, "-n +1 a.log");
    tail.until_line(2000).stop();
    let size = logs.read("a.log").len();
    for length in [4096, size - 100] {
        let mut punch = std::process::Command::new(&fallocate);
        punch.args(["--punch-hole", "--offset", "0", "--length", &length.to_string()]).arg(logs.path("a.log"));
        if !punch.status().is_ok_and(|status| status.success()) {
            return skip("holes can't be punched here");
        }
    }
    logs.append("a.log", 2001..=2010);
    tail.cont().until_line(2010);
    tail.end().printed_lines(1..=2010);
}

in_both_modes!(a_log_cut_by_any_length_repeats_nothing);
fn a_log_cut_by_any_length_repeats_nothing(mode: Mode) {
    // One long line ends the log, so that each cut is within a line.
    let text = [&lines(1..=500)[..], "x".repeat(600).as_bytes(), b"\n"].concat();
    for length in [1, 255, 256, 257, 500] {
        let logs = Logs::holding("a.log", &text);
        let tail = logs.follow(mode, "-n +1 a.log");
        tail.until_bytes(text.len()).stop();
        logs.truncate("a.log", (text.len() - length) as u64);
        tail.cont().until_noticed("file truncated");
        logs.append_bytes("a.log", "y\n");
        tail.until_printed("y\n");
        tail.end().printed([&text[..], b"y\n"].concat());
    }
}
