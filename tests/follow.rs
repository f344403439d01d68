//! What `rtail follow` prints, and when it ends by itself.

mod common;

use common::{Logs, Mode, in_both_modes, lines, pause_ms};

in_both_modes!(the_last_ten_lines_come_first_and_then_what_is_appended);
fn the_last_ten_lines_come_first_and_then_what_is_appended(mode: Mode) {
    let logs = Logs::with("a.log", 1..=100);
    let tail = logs.follow(mode, "a.log");
    tail.until_line(100);
    logs.append("a.log", 101..=200);
    tail.until_line(200);
    tail.end().printed_lines(91..=200).quietly();
}

in_both_modes!(an_empty_log_is_followed);
fn an_empty_log_is_followed(mode: Mode) {
    let logs = Logs::holding("a.log", "");
    let tail = logs.follow(mode, "-n +1 a.log");
    pause_ms(50);
    logs.append("a.log", 1..=20);
    tail.until_line(20);
    tail.end().printed_lines(1..=20).quietly();
}

in_both_modes!(a_missing_log_is_waited_for_and_read_from_its_start);
fn a_missing_log_is_waited_for_and_read_from_its_start(mode: Mode) {
    let logs = Logs::new();
    let tail = logs.follow(mode, "a.log");
    tail.until_noticed("cannot open");
    logs.append("a.log", 1..=100);
    tail.until_line(100);
    tail.end().printed_lines(1..=100).notices_are(&[
        "cannot open 'a.log' for reading: No such file or directory",
        "'a.log' has appeared;  following new file",
    ]);
}

in_both_modes!(a_part_of_a_line_is_passed_on_at_once);
fn a_part_of_a_line_is_passed_on_at_once(mode: Mode) {
    let logs = Logs::with("a.log", 1..=1);
    let tail = logs.follow(mode, "a.log");
    tail.until_line(1);
    logs.append_bytes("a.log", "pass");
    tail.until_printed("pass");
    logs.append_bytes("a.log", "word: ");
    tail.until_printed("password: ");
    tail.end().printed("L1\npassword: ");
}

in_both_modes!(a_log_can_be_read_from_an_offset);
fn a_log_can_be_read_from_an_offset(mode: Mode) {
    for (offset, rest) in [(0, "L1\nL2\nL3\n"), (3, "L2\nL3\n"), (4, "2\nL3\n"), (9, "")] {
        let logs = Logs::with("a.log", 1..=3);
        let tail = logs.follow(mode, &format!("--since-offset {offset} a.log"));
        logs.append("a.log", 4..=4);
        tail.until_line(4);
        tail.end().printed(format!("{rest}L4\n")).quietly();
    }
}

in_both_modes!(an_offset_beyond_the_end_means_that_the_log_was_cut_since);
fn an_offset_beyond_the_end_means_that_the_log_was_cut_since(mode: Mode) {
    let logs = Logs::with("a.log", 1..=10);
    let tail = logs.follow(mode, "--since-offset 1000 a.log");
    tail.until_line(10);
    logs.append("a.log", 11..=11);
    tail.until_line(11);
    tail.end().printed_lines(1..=11).noticed_once("a.log");
}

in_both_modes!(several_logs_have_headers_as_tail_prints_them);
fn several_logs_have_headers_as_tail_prints_them(mode: Mode) {
    let logs = Logs::with("a.log", 1..=2);
    logs.append("b.log", 11..=12);
    let tail = logs.follow(mode, "a.log b.log");
    tail.until_line(12);
    logs.append("b.log", 13..=13);
    tail.until_line(13);
    logs.append("a.log", 3..=3);
    tail.until_line(3);
    logs.append("a.log", 4..=4);
    tail.until_line(4);
    logs.append("b.log", 14..=14);
    tail.until_line(14);
    tail.end()
        .printed(
            "==> a.log <==\nL1\nL2\n\n==> b.log <==\nL11\nL12\nL13\n\n==> a.log <==\nL3\nL4\n\n==> b.log <==\nL14\n",
        )
        .quietly();
}

in_both_modes!(a_log_that_appears_later_has_its_header_with_its_first_data);
fn a_log_that_appears_later_has_its_header_with_its_first_data(mode: Mode) {
    let logs = Logs::with("a.log", 1..=1);
    let tail = logs.follow(mode, "a.log b.log");
    tail.until_line(1).until_noticed("cannot open 'b.log'");
    logs.append("b.log", 11..=11);
    tail.until_line(11);
    tail.end().printed("==> a.log <==\nL1\n\n==> b.log <==\nL11\n").notices_are(&[
        "cannot open 'b.log' for reading: No such file or directory",
        "'b.log' has appeared;  following new file",
    ]);
}

in_both_modes!(headers_can_be_had_always_and_never);
fn headers_can_be_had_always_and_never(mode: Mode) {
    let logs = Logs::with("a.log", 1..=1);
    logs.append("b.log", 11..=11);
    let tail = logs.follow(mode, "-v a.log");
    tail.until_line(1);
    tail.end().printed("==> a.log <==\nL1\n");
    let tail = logs.follow(mode, "-q a.log b.log");
    tail.until_line(11);
    tail.end().printed("L1\nL11\n");
}

in_both_modes!(a_fragment_is_held_while_another_log_prints);
fn a_fragment_is_held_while_another_log_prints(mode: Mode) {
    let logs = Logs::with("a.log", 1..=1);
    logs.append("b.log", 11..=11);
    let tail = logs.follow(mode, "-q a.log b.log");
    tail.until_line(11);
    logs.append_bytes("a.log", "L").append("b.log", 12..=12);
    tail.until_line(12);
    pause_ms(100);
    logs.append_bytes("a.log", "2\n");
    tail.until_line(2);
    tail.end().printed("L1\nL11\nL12\nL2\n");
}

in_both_modes!(a_name_given_twice_is_two_sources);
fn a_name_given_twice_is_two_sources(mode: Mode) {
    let logs = Logs::with("a.log", 1..=1);
    let tail = logs.follow(mode, "-q a.log a.log");
    tail.until_printed("L1\nL1\n");
    logs.append("a.log", 2..=2);
    tail.until_printed("L2\nL2\n");
    tail.end().printed("L1\nL1\nL2\nL2\n");
}

in_both_modes!(two_hard_links_of_one_log_are_two_sources);
fn two_hard_links_of_one_log_are_two_sources(mode: Mode) {
    let logs = Logs::with("a.log", 1..=1);
    logs.hard_link("a.log", "b.log");
    let tail = logs.follow(mode, "-q a.log b.log");
    tail.until_printed("L1\nL1\n");
    logs.append("b.log", 2..=2);
    tail.until_printed("L2\nL2\n");
    tail.end().printed("L1\nL1\nL2\nL2\n");
}

in_both_modes!(a_descriptor_is_followed_through_a_rename);
fn a_descriptor_is_followed_through_a_rename(mode: Mode) {
    for flag in ["-f", "--follow=descriptor"] {
        let logs = Logs::with("a.log", 1..=1);
        let tail = logs.follow(mode, &format!("{flag} a.log"));
        tail.until_line(1);
        logs.rename("a.log", "b.log").append("a.log", 91..=99).append("b.log", 2..=2);
        tail.until_line(2);
        tail.end().printed_lines(1..=2).quietly();
    }
}

in_both_modes!(files_that_match_a_pattern_later_are_followed_from_their_start);
fn files_that_match_a_pattern_later_are_followed_from_their_start(mode: Mode) {
    let logs = Logs::with("a.log", 1..=20);
    logs.append("b.txt", 91..=99);
    let tail = logs.following(mode, "-q").arg("*.log").start();
    tail.until_line(20);
    logs.append("c.log", 101..=150).append("d.txt", 91..=99);
    tail.until_line(150);
    logs.append("a.log", 21..=21).append("c.log", 151..=151);
    tail.until_line(21).until_line(151);
    tail.end().printed_ranges([11..=21, 101..=151]);
}

in_both_modes!(a_file_that_matches_twice_comes_once);
fn a_file_that_matches_twice_comes_once(mode: Mode) {
    let logs = Logs::with("a.log", 1..=5);
    let tail = logs.following(mode, "-q").arg("*.log").arg("a*").start();
    tail.until_line(5);
    logs.append("ab.log", 11..=15);
    tail.until_line(15);
    logs.append("a.log", 6..=6);
    tail.until_line(6);
    tail.end().printed_ranges([1..=6, 11..=15]);
}

in_both_modes!(a_pattern_that_matches_nothing_yet_is_kept_open);
fn a_pattern_that_matches_nothing_yet_is_kept_open(mode: Mode) {
    let logs = Logs::holding("anchor", "A\n");
    let tail = logs.following(mode, "-q anchor").arg("d/*.log").start();
    tail.until_printed("A\n");
    logs.make_dir("d").append("d/a.log", 1..=5);
    tail.until_line(5);
    tail.end().printed("A\nL1\nL2\nL3\nL4\nL5\n");
}

in_both_modes!(our_own_output_is_left_out_of_a_pattern_with_a_notice);
fn our_own_output_is_left_out_of_a_pattern_with_a_notice(mode: Mode) {
    let logs = Logs::with("a.log", 1..=5);
    let run = logs.following(mode, "-q").arg("*.log").through(r#"exec "$@" > out.log"#);
    let tail = run.start();
    tail.until_noticed("out.log");
    logs.append("a.log", 6..=6);
    tail.until("the output has the last line", |_| logs.read("out.log").ends_with(b"L6\n"));
    pause_ms(50);
    tail.end().noticed_once("out.log");
    assert_eq!(logs.read("out.log"), lines(1..=6));
}

in_both_modes!(an_appended_line_can_end_it);
fn an_appended_line_can_end_it(mode: Mode) {
    let logs = Logs::holding("a.log", "ready: no, this one was there before\n");
    let tail = logs.follow(mode, "--until ready a.log");
    tail.until_printed("ready: no");
    logs.append_bytes("a.log", "L1\nL2 ready\nL3\n");
    tail.ended().with_status(0).printed("ready: no, this one was there before\nL1\nL2 ready\n").quietly();
}

in_both_modes!(a_timeout_ends_it_with_the_status_it_deserves);
fn a_timeout_ends_it_with_the_status_it_deserves(mode: Mode) {
    let logs = Logs::with("a.log", 1..=3);
    logs.follow(mode, "--timeout 300ms a.log").ended().with_status(0).printed_lines(1..=3);
    logs.follow(mode, "--timeout 300ms --until never a.log").ended().with_status(3).printed_lines(1..=3);
    logs.follow(mode, "--idle-timeout 300ms a.log").ended().with_status(0).printed_lines(1..=3);
}

in_both_modes!(an_idle_timeout_counts_from_the_last_data);
fn an_idle_timeout_counts_from_the_last_data(mode: Mode) {
    let logs = Logs::with("a.log", 1..=1);
    let tail = logs.follow(mode, "--idle-timeout 1s a.log");
    tail.until_line(1);
    for number in 2..=6 {
        pause_ms(250);
        logs.append("a.log", number..=number);
    }
    tail.ended().with_status(0).printed_lines(1..=6);
}

#[test]
fn without_following_it_prints_and_ends() {
    let logs = Logs::with("a.log", 1..=20);
    logs.rtail("follow --no-follow a.log").run().with_status(0).printed_lines(11..=20).quietly();
    logs.rtail("follow --no-follow missing a.log")
        .run()
        .with_status(1)
        .printed([b"==> a.log <==\n".to_vec(), lines(11..=20)].concat())
        .notices_are(&["cannot open 'missing' for reading: No such file or directory"]);
}

#[test]
fn standard_input_that_is_a_pipe_ends_it() {
    let logs = Logs::with("a.log", 1..=20);
    for args in ["follow", "follow -"] {
        let run = logs.rtail(args).through(r#"cat a.log | "$@""#);
        run.run().with_status(0).printed_lines(11..=20).quietly();
    }
}

#[test]
fn standard_input_that_is_a_file_is_followed() {
    let logs = Logs::with("a.log", 1..=20);
    let tail = logs.rtail("follow").through(r#"exec "$@" < a.log"#).start();
    tail.until_line(20);
    logs.append("a.log", 21..=25);
    tail.until_line(25);
    tail.end().printed_lines(11..=25).quietly();
}

in_both_modes!(records_may_end_in_nul);
fn records_may_end_in_nul(mode: Mode) {
    let logs = Logs::holding("a.log", "a\n1\0b\n2\0c\n3\0");
    let tail = logs.follow(mode, "-z -n 2 a.log");
    tail.until_printed("2\0c\n3\0");
    logs.append_bytes("a.log", "d\n4\0");
    tail.until_printed("4\0");
    tail.end().printed("b\n2\0c\n3\0d\n4\0");
}

in_both_modes!(a_named_pipe_waits_for_its_next_writer);
fn a_named_pipe_waits_for_its_next_writer(mode: Mode) {
    let logs = Logs::with("a.log", 1..=1);
    logs.make_fifo("fifo");
    let tail = logs.follow(mode, "-q a.log fifo");
    tail.until_line(1);
    for number in 11..=13 {
        // Closing it ends the file, not the tail.
        logs.write_fifo("fifo", format!("L{number}\n"));
        tail.until_line(number);
    }
    tail.end().printed_ranges([1..=1, 11..=13]);
}

#[test]
fn a_pattern_is_printed_too() {
    let logs = Logs::with("a.log", 1..=2);
    logs.append("b.log", 3..=4);
    logs.rtail("follow --no-follow -q *.log").run().printed_lines(1..=4).with_status(0).quietly();
    let ended = logs.rtail("follow --no-follow *.none").run();
    ended.printed("").with_status(1).notices_are(&["cannot open '*.none' for reading: No such file or directory"]);
}

#[test]
fn a_pattern_without_a_match_says_that_it_waits() {
    let logs = Logs::new();
    let tail = logs.follow(Mode::Events, "-q nodir/*.log");
    tail.until_noticed("'nodir/*.log': no file matches yet");
    logs.make_dir("nodir").append("nodir/a.log", 1..=3);
    tail.until_line(3);
    tail.end().printed_lines(1..=3);
}
