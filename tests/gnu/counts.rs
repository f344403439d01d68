//! How much is printed.

use super::{is_refused, printing, prints, samples};
use crate::common::{Logs, lines};

#[test]
fn lines_are_counted_from_the_end() {
    prints("f", lines(11..=20));
    prints("-n 3 f", lines(18..=20));
    prints("-n3 f", lines(18..=20));
    prints("-n -2 f", lines(19..=20));
    prints("--lines=-+5 f", lines(16..=20));
    prints("--lines 3 f", lines(18..=20));
    prints("--line=1 f", lines(20..=20));
    prints("-n 100 f", lines(1..=20));
    prints("-n 0 f", "");
    prints("-n -0 f", "");
    prints("-n 1k f", lines(1..=20));
    prints("empty", "");
    prints("/dev/null", "");
}

#[test]
fn a_last_line_without_newline_counts() {
    prints("-n 1 nonl", "b");
    prints("-n 2 nonl", "a\nb");
    prints("nonl", "a\nb");
}

#[test]
fn lines_are_counted_from_the_start() {
    prints("-n +19 f", lines(19..=20));
    prints("-n+19 f", lines(19..=20));
    prints("-n +0 f", lines(1..=20));
    prints("-n +1 f", lines(1..=20));
    prints("-n +2 nonl", "b");
    prints("-n +3 nonl", "");
    prints("-n +21 f", "");
}

#[test]
fn bytes_are_counted_from_either_end() {
    prints("-c 4 f", "L20\n");
    prints("-c -4 f", "L20\n");
    prints("--byt 3 f", "20\n");
    prints("-c 1kB f", lines(1..=20));
    prints("-c +1000 f", "");
    prints("-c +0 nonl", "a\nb");
    prints("-c +1 nonl", "a\nb");
    prints("-c +3 nonl", "b");
    prints("-c 0 f", "");
}

#[test]
fn the_last_of_several_counts_wins_but_a_plus_stays() {
    prints("-c 10 f -n 1", lines(20..=20));
    prints("-n 1 -c 3 f", "20\n");
    prints("-n +5 -n 3 nonl", "");
    prints("-c +2 -n 1 nonl", "a\nb");
}

#[test]
fn a_count_too_big_for_any_file_is_everything() {
    prints("-n 99999999999999999999 nonl", "a\nb");
    prints("-c 99999999999999999999 nonl", "a\nb");
    prints("-n 1Y nonl", "a\nb");
    prints("-n +99999999999999999999 nonl", "");
}

#[test]
fn records_may_end_in_nul() {
    let logs = Logs::holding("f", "a\0b\0c");
    for run in printing(&logs, "-z -n 2 f") {
        run.run().printed("b\0c").with_status(0);
    }
    for run in printing(&logs, "-z -n +2 -v f") {
        run.run().printed("==> f <==\nb\0c").with_status(0);
    }
}

#[test]
fn the_old_form_is_understood() {
    for (args, expected) in [
        ("-2 f", lines(19..=20)),
        ("-2 -- f", lines(19..=20)),
        ("+19 f", lines(19..=20)),
        ("-1l f", lines(20..=20)),
        ("-3c f", b"20\n".to_vec()),
        ("-2c f", b"0\n".to_vec()),
        ("-1b f", lines(1..=20)),
    ] {
        samples().tail(args).run().printed(expected).with_status(0).quietly();
    }
    is_refused("-5 f nonl", &["option used in invalid context -- 5"]);
    let two = "==> f <==\nL20\n\n==> nonl <==\nb";
    samples().tail("-n 1 +5 f nonl").run().printed(two).with_status(1);
}

#[test]
fn the_old_form_can_follow() {
    let logs = samples();
    let tail = logs.tail("-2f f").start();
    tail.until_line(20);
    logs.append("f", 21..=21);
    tail.until_line(21);
    tail.end().printed_lines(19..=21);
}

#[test]
fn options_may_follow_names_unless_posix_says_no() {
    prints("nonl -n 1", "b");
    let logs = samples();
    let run = logs.tail("nonl -n 1").through(r#"POSIXLY_CORRECT=1 exec "$@""#).run();
    run.with_status(1).printed("==> nonl <==\na\nb").notices_are(&[
        "cannot open '-n' for reading: No such file or directory",
        "cannot open '1' for reading: No such file or directory",
    ]);
}
