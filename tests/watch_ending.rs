//! `rtail watch`: what it can't begin with, and how it ends.

#![allow(clippy::expect_used, clippy::unwrap_used, reason = "helpers of tests may fail as tests do")]

mod common;

use common::sessions::{assert_text, behind_name, records, until_line, watch};
use common::{Drain, Logs, Mode, Signal, lines, rounds};

#[test]
fn it_ends_as_it_is_asked_to() {
    for (args, status) in [
        ("--until ^L2$ .", 0),
        ("--timeout 300ms .", 0),
        ("--until never --timeout 300ms .", 3),
        ("--idle-timeout 300ms .", 0),
    ] {
        for format in ["text", "json"] {
            let logs = Logs::with("a.log", 1..=3);
            let run = logs.rtail("watch --state none --from start --format").args(format).args(args);
            let ended = run.run().with_status(status);
            let last = if args.contains("L2") { 2 } else { 3 };
            if format == "json" {
                assert_text(&ended, "a.log", 1..=last);
                assert_eq!(records(&ended.stdout).last().unwrap()["type"], "end");
            } else {
                ended.printed(behind_name("a.log", 1..=last)).quietly();
            }
        }
    }
    for signal in [Signal::TERM, Signal::INT, Signal::HUP] {
        let logs = Logs::with("a.log", 1..=3);
        let run = logs.rtail("watch --from start .").with_default_signals();
        let tail = run.start();
        tail.until_printed("a.log | L3\n");
        tail.end_by(signal);
    }
}

#[test]
fn a_signal_ends_it_at_once_whatever_it_does() {
    for signal in [Signal::TERM, Signal::INT, Signal::HUP] {
        // It waits for what is missing, for a line, for the reader of its output.
        let logs = Logs::new();
        let tail = logs.rtail("watch missing").with_default_signals().start();
        tail.until_noticed("'missing': not there yet; waiting for it");
        tail.end_by(signal).printed("");

        let logs = Logs::holding("a.log", "L1\npart");
        let tail = logs.rtail("watch --from start --state none .").with_default_signals().start();
        tail.until_printed("a.log | L1\n");
        tail.end_by(signal)
            .printed("a.log | L1\n")
            .notices_are(&["'a.log': held back 4 bytes that end no line (offsets 3-7)"]);

        let logs = Logs::with("a.log", 1..=1);
        logs.append_bytes("a.log", lines(2..=200_000));
        let run = logs.rtail("watch --from start --state none .").with_default_signals().drained(Drain::WhenTold);
        let tail = run.start();
        tail.until_blocked();
        let printed = tail.end_by(signal).stdout;
        assert!(behind_name("a.log", 1..=200_000).starts_with(&printed));
    }
}

#[test]
fn it_ends_with_its_reader_although_nothing_comes() {
    let logs = Logs::with("a.log", 1..=1);
    let run = logs.rtail("watch --from start .").with_default_signals().drained(Drain::OneLine);
    run.run().died_of(Signal::PIPE).printed("a.log | L1\n");
}

#[test]
fn what_makes_going_on_impossible_is_its_last_word_and_status_1() {
    for (shell, args, words) in [
        (r#"exec "$@" >/dev/full"#, "", "write error: No space left on device"),
        (r#"exec "$@" >/dev/full"#, "--format json", "write error: No space left on device"),
        (r#"exec "$@""#, "--checkpoint none/pos", "No such file or directory"),
        (r#"echo '{' > pos; exec "$@""#, "--checkpoint pos", "'pos' is damaged"),
    ] {
        let logs = Logs::with("a.log", 1..=1);
        let ended = logs.rtail("watch --from start --state none .").args(args).through(shell).run().with_status(1);
        let notices = String::from_utf8(ended.stderr.clone()).unwrap();
        assert!(notices.trim_end().lines().last().is_some_and(|last| last.contains(words)), "{args}: {notices}");
    }
}

#[test]
fn two_runs_can_not_share_a_checkpoint_and_one_after_the_other_can() {
    let logs = Logs::with("a.log", 1..=1);
    let line = "watch --checkpoint pos --from start --state none .";
    let tail = logs.rtail(line).start();
    tail.until_printed("a.log | L1\n");
    logs.rtail(line).run().with_status(1).noticed("pos").printed("");
    tail.end().printed("a.log | L1\n");
    logs.append("a.log", 2..=2);
    let tail = logs.rtail(line).start();
    tail.until_printed("a.log | L2\n");
    tail.end().printed("a.log | L2\n");
}

// X3
#[test]
fn runs_back_to_back_show_each_line_that_was_appended_meanwhile() {
    let logs = Logs::with("a.log", 1..=1);
    for number in 2..=rounds(20, 300) {
        let tail = watch(&logs, Mode::Events, "--state none --from end .");
        tail.until_record("open");
        logs.append("a.log", number..=number);
        until_line(&tail, "a.log", number);
        assert_text(&tail.end(), "a.log", number..=number);
    }
}

#[test]
fn what_can_not_be_watched_is_said_and_the_rest_is_shown() {
    let logs = Logs::with("a.log", 1..=1);
    logs.link("loop", "loop").link("ring", "ring").make_dir("d");
    logs.link("../ring", "d/x.log").link("nowhere", "d/y.log").link("..", "d/up");
    let tail = logs.rtail("watch --from start --state none a.log/x a.log/*.log loop missing d a.log").start();
    tail.until_printed("a.log | L1\n")
        .until_noticed("cannot open 'a.log/x' for reading: Not a directory")
        .until_noticed("'a.log/*.log': no file matches yet")
        .until_noticed("cannot open 'loop' for reading: Too many levels of symbolic links")
        .until_noticed("'missing': not there yet; waiting for it");
    // In one step: a name that is seen to be missing meanwhile is another story.
    logs.replace("loop", "L1\n");
    tail.until_printed("loop  | L1\n").until_noticed("'loop' has become accessible");
    logs.append("d/nowhere", 1..=1);
    tail.until_printed("nowhere | L1\n").until_noticed("'d/nowhere' has appeared;  following new file");
    let ended = tail.end();
    assert_eq!(ended.stderr.split(|&byte| byte == b'\n').count(), 6 + 1);
    ended.printed("a.log | L1\nloop  | L1\nnowhere | L1\n");
}
