//! Following.

use super::{MISSING, samples, tail_follow, tail_following};
use crate::common::{Logs, Mode, in_both_modes, lines, pause_ms};

in_both_modes!(a_followed_file_is_followed_through_its_rename);
fn a_followed_file_is_followed_through_its_rename(mode: Mode) {
    for flag in ["-f", "--follow", "--follow=descriptor", "--follow=d"] {
        let logs = samples();
        let tail = tail_follow(&logs, mode, &format!("{flag} -n 1 f"));
        tail.until_line(20);
        logs.rename("f", "g").append("g", 21..=21);
        tail.until_line(21);
        logs.append("f", 91..=91).append("g", 22..=22);
        tail.until_line(22);
        tail.end().printed_lines(20..=22).quietly();
    }
}

in_both_modes!(a_later_f_follows_the_descriptor_though_retry_stays);
fn a_later_f_follows_the_descriptor_though_retry_stays(mode: Mode) {
    let logs = samples();
    let tail = tail_follow(&logs, mode, "-F -f -n 1 f");
    tail.until_line(20);
    logs.rename("f", "g").append("g", 21..=21);
    tail.until_line(21);
    tail.end().printed_lines(20..=21).notices_are(&["warning: --retry only effective for the initial open"]);
}

in_both_modes!(a_truncated_file_is_announced_and_read_again);
fn a_truncated_file_is_announced_and_read_again(mode: Mode) {
    for flag in ["-f", "-F"] {
        let logs = samples();
        let tail = tail_follow(&logs, mode, &format!("{flag} -n 1 f"));
        tail.until_line(20);
        logs.write("f", "");
        tail.until_noticed("f: file truncated");
        logs.append("f", 21..=21);
        tail.until_line(21);
        tail.end().printed_lines(20..=21).notices_are(&["f: file truncated"]);
    }
}

in_both_modes!(a_missing_file_ends_it_without_retry);
fn a_missing_file_ends_it_without_retry(mode: Mode) {
    for flag in ["-f", "--follow=descriptor", "--follow=name"] {
        let logs = samples();
        let run = tail_following(&logs, mode, &format!("{flag} missing"));
        run.run().printed("").with_status(1).notices_are(&[MISSING, "no files remaining"]);
    }
}

in_both_modes!(a_missing_file_is_waited_for_by_name_with_retry);
fn a_missing_file_is_waited_for_by_name_with_retry(mode: Mode) {
    for flag in ["-F", "--follow=name --retry", "--foll=n --retr"] {
        let logs = samples();
        let tail = tail_follow(&logs, mode, &format!("{flag} missing"));
        tail.until_noticed(MISSING);
        logs.append("missing", 1..=1);
        tail.until_line(1);
        tail.end().printed_lines(1..=1).notices_are(&[MISSING, "'missing' has appeared;  following new file"]);
    }
}

in_both_modes!(a_missing_file_is_waited_for_by_descriptor_with_retry_once);
fn a_missing_file_is_waited_for_by_descriptor_with_retry_once(mode: Mode) {
    let logs = samples();
    let tail = tail_follow(&logs, mode, "--follow=descriptor --retry missing");
    tail.until_noticed(MISSING);
    logs.append("missing", 100..=100);
    tail.until_line(100);
    logs.write("missing", "L1\n");
    tail.until_line(1);
    tail.end().printed("L100\nL1\n").notices_are(&[
        "warning: --retry only effective for the initial open",
        MISSING,
        "'missing' has appeared;  following new file",
        "missing: file truncated",
    ]);
}

in_both_modes!(a_missing_file_that_turns_out_a_directory_ends_it);
fn a_missing_file_that_turns_out_a_directory_ends_it(mode: Mode) {
    let logs = samples();
    let tail = tail_follow(&logs, mode, "--follow=descriptor --retry missing");
    tail.until_noticed(MISSING);
    logs.make_dir("missing");
    let untailable = "'missing' has been replaced with an untailable file";
    tail.ended().printed("").with_status(1).noticed_once(untailable).noticed_once("no files remaining");
}

in_both_modes!(a_missing_file_is_not_tried_again_by_descriptor);
fn a_missing_file_is_not_tried_again_by_descriptor(mode: Mode) {
    let logs = samples();
    let tail = tail_follow(&logs, mode, "--follow=descriptor -n 1 missing f");
    tail.until_line(20);
    logs.append("missing", 91..=99);
    pause_ms(150);
    logs.append("f", 21..=21);
    tail.until_line(21);
    tail.end().printed("==> f <==\nL20\nL21\n").notices_are(&[MISSING]);
}

in_both_modes!(a_name_that_goes_ends_it_without_retry);
fn a_name_that_goes_ends_it_without_retry(mode: Mode) {
    let notices = ["'f' has become inaccessible: No such file or directory", "no files remaining"];
    let logs = samples();
    let tail = tail_follow(&logs, mode, "--follow=name -n 1 f");
    tail.until_line(20);
    logs.remove("f");
    tail.ended().printed_lines(20..=20).with_status(1).notices_are(&notices);
    let logs = samples();
    let tail = tail_follow(&logs, mode, "--follow=name -n 1 f");
    tail.until_line(20);
    logs.rename("f", "g");
    tail.ended().printed_lines(20..=20).with_status(1).notices_are(&notices);
}

in_both_modes!(a_name_that_goes_is_taken_up_again_while_another_lives);
fn a_name_that_goes_is_taken_up_again_while_another_lives(mode: Mode) {
    let logs = samples();
    let tail = tail_follow(&logs, mode, "--follow=name -q -n 1 f empty");
    tail.until_line(20);
    logs.remove("f");
    tail.until_noticed("'f' has become inaccessible: No such file or directory");
    logs.append("f", 1..=1);
    tail.until_line(1);
    tail.end().printed("L20\nL1\n").notices_are(&[
        "'f' has become inaccessible: No such file or directory",
        "'f' has appeared;  following new file",
    ]);
}

#[test]
fn a_name_is_not_looked_at_before_its_open_file_has_been_quiet_for_long_enough() {
    let logs = Logs::with("f", 1..=1);
    let tail = logs.tail("-F -n +1 ---disable-inotify -s 0.02 --max-unchanged-stats=1000000 f").start();
    tail.until_line(1);
    logs.rename("f", "g").append("f", 2..=2).append("g", 3..=3);
    tail.until_line(3);
    logs.append("f", 4..=4).append("g", 5..=5);
    tail.until_line(5);
    tail.end().printed("L1\nL3\nL5\n").quietly();
}

in_both_modes!(a_replaced_file_is_followed_by_name_and_read_from_its_start);
fn a_replaced_file_is_followed_by_name_and_read_from_its_start(mode: Mode) {
    let logs = samples();
    let tail = tail_follow(&logs, mode, "-F -n 1 f");
    tail.until_line(20);
    logs.replace("f", lines(1..=3));
    tail.until_line(3);
    logs.append("f", 4..=4);
    tail.until_line(4);
    tail.end().printed("L20\nL1\nL2\nL3\nL4\n").notices_are(&["'f' has been replaced;  following new file"]);
}

in_both_modes!(a_name_moved_over_another_is_news_of_both);
fn a_name_moved_over_another_is_news_of_both(mode: Mode) {
    let logs = Logs::with("a", 1..=1);
    logs.append("b", 11..=11);
    let tail = tail_follow(&logs, mode, "-F -q a b");
    tail.until_line(11);
    logs.rename("a", "b");
    tail.until_noticed("'a' has become inaccessible: No such file or directory");
    tail.until_noticed("'b' has been replaced;  following new file");
    logs.append("b", 2..=2).append("a", 21..=21);
    tail.until_line(2).until_line(21).until_noticed("'a' has appeared;  following new file");
    // What was in `a` comes again as what is in `b`.
    let ended = tail.end();
    assert!(ended.stdout.starts_with(b"L1\nL11\nL1\n"), "{}", ended.stdout.escape_ascii());
}

in_both_modes!(headers_while_following_come_with_data_and_when_the_file_changes);
fn headers_while_following_come_with_data_and_when_the_file_changes(mode: Mode) {
    let logs = Logs::with("b", 11..=11);
    let tail = tail_follow(&logs, mode, "-F a b");
    tail.until_line(11).until_noticed("cannot open 'a'");
    logs.append("b", 12..=12);
    tail.until_line(12);
    logs.append("a", 1..=1);
    tail.until_line(1);
    logs.append("a", 2..=2);
    tail.until_line(2);
    logs.append("b", 13..=13);
    tail.until_line(13);
    tail.end().printed("==> b <==\nL11\nL12\n\n==> a <==\nL1\nL2\n\n==> b <==\nL13\n");
}

in_both_modes!(the_last_name_counts_as_the_one_printed_last_even_if_it_was_missing);
fn the_last_name_counts_as_the_one_printed_last_even_if_it_was_missing(mode: Mode) {
    // A quirk; `rtail follow` prints the header of `b`.
    let logs = Logs::with("a", 1..=1);
    let tail = tail_follow(&logs, mode, "-F a b");
    tail.until_line(1).until_noticed("cannot open 'b'");
    logs.append("b", 11..=11);
    tail.until_line(11);
    tail.end().printed("==> a <==\nL1\nL11\n");
}

in_both_modes!(writes_that_pile_up_while_it_is_stopped_have_one_header_a_file);
fn writes_that_pile_up_while_it_is_stopped_have_one_header_a_file(mode: Mode) {
    let logs = Logs::with("a", 1..=1);
    logs.append("b", 11..=11);
    let tail = tail_follow(&logs, mode, "-f a b");
    tail.until_line(11).stop();
    logs.append("a", 2..=2).append("b", 12..=12).append("a", 3..=3).append("b", 13..=13);
    tail.cont().until_line(3).until_line(13);
    tail.end().printed("==> a <==\nL1\n\n==> b <==\nL11\n\n==> a <==\nL2\nL3\n\n==> b <==\nL12\nL13\n");
}

in_both_modes!(fragments_are_printed_at_once_and_glued_as_they_come);
fn fragments_are_printed_at_once_and_glued_as_they_come(mode: Mode) {
    let logs = Logs::holding("a", "one\ntwo");
    logs.write("b", "three");
    let tail = tail_follow(&logs, mode, "-f -q a b");
    tail.until_printed("twothree");
    logs.append_bytes("a", " four");
    tail.until_printed("twothree four");
    tail.end().printed("one\ntwothree four");
}

in_both_modes!(it_ends_with_the_process_it_was_told_of);
fn it_ends_with_the_process_it_was_told_of(mode: Mode) {
    let logs = samples();
    let mut writer = logs.writer("f");
    let pid = writer.pid();
    let tail = tail_follow(&logs, mode, &format!("-f -n 1 -s 0.1 --pid={pid} f"));
    let failed = tail_follow(&logs, mode, &format!("-F -n 1 -s 0.1 --pid={pid} f missing"));
    tail.until_line(20);
    failed.until_line(20).until_noticed(MISSING);
    writer.append(21..=30);
    writer.finish();
    tail.ended().with_status(0).printed_lines(20..=30).quietly();
    failed.ended().with_status(1).notices_are(&[MISSING]);
}

in_both_modes!(a_link_is_followed_to_its_file);
fn a_link_is_followed_to_its_file(mode: Mode) {
    let logs = samples();
    logs.link("f", "link");
    let tail = tail_follow(&logs, mode, "-f -n 1 link");
    tail.until_line(20);
    logs.append("f", 21..=23);
    tail.until_line(23);
    tail.end().printed_lines(20..=23).quietly();
}

#[test]
fn it_says_in_which_mode_it_follows_when_asked() {
    let logs = samples();
    logs.make_fifo("fifo");
    for (args, mode) in [
        ("--debug -f -n 1 f", "using notification mode"),
        ("--debug -f -n 1 ---disable-inotify f", "using polling mode"),
        ("--debug -f fifo", "using blocking mode"),
    ] {
        let tail = logs.tail(args).start();
        if args.ends_with("fifo") {
            logs.write_fifo("fifo", "L20\n");
        }
        tail.until_line(20).until_noticed(mode);
        tail.end().notices_are(&[mode]);
    }
}

#[test]
fn without_follow_it_never_waits() {
    let logs = samples();
    logs.tail("f").run().printed_lines(11..=20).with_status(0).quietly();
    logs.tail("missing").run().printed("").with_status(1).notices_are(&[MISSING]);
}
