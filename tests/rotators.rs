//! Real rotators: logrotate, Python's logging handlers, cascades of renames, `sed -i`, and editors.
//!
//! What these tests need is no choice: without logrotate, Python and sed they fail.
#![allow(clippy::expect_used, clippy::unwrap_used, reason = "helpers of tests may fail as tests do")]

mod common;

use std::fs;
use std::os::unix::fs::MetadataExt as _;
use std::process::Command;

use common::{Ended, Logs, Mode, Run, Signal, Tail, Writer, in_both_modes, lines, need_program, pause_ms};

/// logrotate, told how to rotate `a.log`.
struct Logrotate<'a> {
    logs: &'a Logs,
    directives: String,
    runs: u32,
}

impl<'a> Logrotate<'a> {
    fn new(logs: &'a Logs, directives: &str) -> Self {
        if directives.contains("olddir") {
            logs.make_dir("old");
        }
        Self { logs, directives: directives.to_owned(), runs: 0 }
    }

    /// Rotates now, whatever the size is.
    #[track_caller]
    fn rotate(&mut self) {
        self.run(&["--force"]);
    }

    /// Does what is due.
    #[track_caller]
    fn run(&mut self, args: &[&str]) {
        self.runs += 1;
        let [at, state] = ["../rotate.conf", "../rotate.state"].map(|name| self.logs.path(name));
        // Names with dates have to differ although no day passes.
        let directives = self.directives.replace("RUN", &self.runs.to_string());
        let log = self.logs.path("a.log");
        self.logs.write(&at, format!("{} {{\n{directives}\n}}\n", log.display())).permit("../rotate.conf", 0o644);
        let mut logrotate = Command::new(need_program("logrotate"));
        let ran = logrotate.args(args).arg("--state").args([&state, &at]).output().unwrap();
        assert!(ran.status.success(), "logrotate failed: {}", String::from_utf8_lossy(&ran.stderr));
    }
}

/// Ways to rotate that keep each old file as it is, beside the log.
const PLAIN: [&str; 4] = [
    "rotate 50\ncreate",
    "rotate 50\nnocreate\nmissingok",
    "rotate 50\ncreate\ndateext\ndateformat -%Y%m%d.RUN",
    "rotate 50\ncopytruncate",
];

/// Ways that compress it, move it elsewhere, or remove it soon.
const TAKING_AWAY: [&str; 6] = [
    "rotate 50\ncreate\ncompress",
    "rotate 50\ncreate\ncompress\ndelaycompress",
    "rotate 50\ncreate\ndateext\ndateformat -%Y%m%d.RUN\ncompress\ndelaycompress",
    "rotate 50\ncreate\nolddir old",
    "rotate 1\ncreate",
    "rotate 0\ncreate",
];

/// A run with a checkpoint beside the logs.
fn recorded(logs: &Logs, mode: Mode) -> Run<'_> {
    logs.streaming(mode, "--checkpoint ../at a.log")
}

/// Kills it once it has recorded a line, which ends the log.
#[track_caller]
fn kill_when_recorded(tail: Tail, logs: &Logs, number: u32) -> Ended {
    let line = lines(number..=number);
    tail.until("it is recorded", |_| logs.anchors("a.log").last().is_some_and(|anchor| anchor.ends_with(&line)));
    tail.end_by(Signal::KILL)
}

/// Plays a scenario for several ways to rotate at the same time; most of it is waiting.
fn for_each_way(ways: &[&str], scenario: impl Fn(&str) + Sync) {
    std::thread::scope(|scope| {
        for directives in ways {
            scope.spawn(|| scenario(directives));
        }
    });
}

in_both_modes!(a_log_that_logrotate_rotates_comes_once);
fn a_log_that_logrotate_rotates_comes_once(mode: Mode) {
    for directives in PLAIN.into_iter().chain(TAKING_AWAY) {
        let logs = Logs::with("a.log", 1..=1);
        let mut logrotate = Logrotate::new(&logs, directives);
        let tail = logs.follow(mode, "-n +1 a.log");
        for round in 0..5 {
            let first = round * 100 + 1;
            // The file is open: what comes next is safe, however far its reader is.
            tail.until_line(first);
            logs.append("a.log", first + 1..=first + 99);
            logrotate.rotate();
            logs.append("a.log", first + 100..=first + 100);
        }
        tail.until_line(501);
        tail.end().printed_lines(1..=501).never_noticed("lost");
    }
}

in_both_modes!(what_logrotate_did_while_it_was_stopped_comes_in_order);
fn what_logrotate_did_while_it_was_stopped_comes_in_order(mode: Mode) {
    for directives in PLAIN {
        let logs = Logs::with("a.log", 1..=100);
        let mut logrotate = Logrotate::new(&logs, directives);
        let tail = logs.stream(mode, "a.log");
        tail.until_line(100).stop();
        for round in 1..=5 {
            logs.append("a.log", round * 100 + 1..=round * 100 + 100);
            logrotate.rotate();
        }
        logs.append("a.log", 601..=610);
        tail.cont().until_line(610);
        tail.end().printed_lines(1..=610).never_noticed("lost");
    }
}

in_both_modes!(runs_that_are_killed_between_rotations_of_logrotate_deliver_each_line_once);
fn runs_that_are_killed_between_rotations_of_logrotate_deliver_each_line_once(mode: Mode) {
    for_each_way(&PLAIN, |directives| {
        let logs = Logs::with("a.log", 1..=10);
        let mut logrotate = Logrotate::new(&logs, directives);
        for round in 0..3 {
            // Once while somebody follows, and twice while nobody does.
            let before = round * 40;
            let tail = recorded(&logs, mode).start();
            tail.until_line(before + 10);
            logrotate.rotate();
            logs.append("a.log", before + 11..=before + 20);
            tail.until_line(before + 20);
            let first = if round == 0 { 1 } else { before - 19 };
            let ended = kill_when_recorded(tail, &logs, before + 20);
            ended.printed_lines(first..=before + 20).never_noticed("lost");
            logs.append("a.log", before + 21..=before + 30);
            logrotate.rotate();
            logs.append("a.log", before + 31..=before + 40);
            logrotate.rotate();
            logs.append("a.log", before + 41..=before + 50);
        }
        let ended = recorded(&logs, mode).args("--no-follow").run();
        ended.with_status(0).printed_lines(101..=130).never_noticed("lost");
    });
}

in_both_modes!(what_logrotate_takes_away_after_it_was_let_go_is_not_missed);
fn what_logrotate_takes_away_after_it_was_let_go_is_not_missed(mode: Mode) {
    for_each_way(&TAKING_AWAY, |directives| {
        let logs = Logs::with("a.log", 1..=10);
        let mut logrotate = Logrotate::new(&logs, directives);
        for round in 0..3 {
            let before = round * 20;
            let tail = recorded(&logs, mode).args("--rotate-wait 50ms").start();
            tail.until_line(before + 10);
            logrotate.rotate();
            logs.append("a.log", before + 11..=before + 20);
            tail.until_line(before + 20);
            let log = fs::metadata(logs.path("a.log")).unwrap();
            let alone = [(log.ino(), log.len())];
            tail.until("the old file was let go", |_| logs.positions("a.log") == alone);
            let first = if round == 0 { 1 } else { before + 1 };
            tail.end_by(Signal::KILL).printed_lines(first..=before + 20).never_noticed("lost");
            logs.append("a.log", before + 21..=before + 30);
        }
    });
}

/// Has the old file compressed by the second rotation, before anybody has read it.
const COMPRESSED_UNREAD: [&str; 2] = ["rotate 50\ncreate\ncompress", "rotate 50\ncreate\ncompress\ndelaycompress"];

#[test]
fn what_logrotate_compressed_while_it_was_stopped_comes_in_order() {
    for directives in COMPRESSED_UNREAD {
        let logs = Logs::with("a.log", 1..=100);
        let mut logrotate = Logrotate::new(&logs, directives);
        let tail = logs.stream(Mode::Events, "a.log");
        tail.until_line(100).stop();
        for round in 1..=3 {
            logs.append("a.log", round * 100 + 1..=round * 100 + 100);
            logrotate.rotate();
        }
        logs.append("a.log", 401..=410);
        tail.cont().until_line(410);
        tail.end().printed_lines(1..=410).never_noticed("lost");
    }
}

#[test]
fn what_logrotate_compressed_while_nobody_followed_comes_in_order() {
    for directives in COMPRESSED_UNREAD {
        let logs = Logs::with("a.log", 1..=100);
        let mut logrotate = Logrotate::new(&logs, directives);
        let once = || recorded(&logs, Mode::Events).args("--no-follow").run().with_status(0).never_noticed("lost");
        once().printed_lines(1..=100);
        for round in 1..=3 {
            logs.append("a.log", round * 100 + 1..=round * 100 + 100);
            logrotate.rotate();
        }
        logs.append("a.log", 401..=410);
        once().printed_lines(101..=410);
    }
}

/// A daemon that has its log open until HUP tells it to open it anew.
const DAEMON: &str = "
import os, signal, sys
def reopen(*_):
    global log
    log = os.open(sys.argv[1], os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)
signal.signal(signal.SIGHUP, reopen)
reopen()
os.write(log, b'L1\\n')
for line in sys.stdin.buffer:
    os.write(log, line)
";

in_both_modes!(a_daemon_under_logrotate_in_a_loop_is_followed);
fn a_daemon_under_logrotate_in_a_loop_is_followed(mode: Mode) {
    const LINES: u32 = 40_000;
    let logs = Logs::new();
    let tail = logs.stream(mode, "--wait a.log");
    let mut daemon = Writer::python(&logs, DAEMON, "a.log");
    tail.until_line(1);
    let directives =
        format!("rotate 1000\ndaily\nmaxsize 2k\ncreate\npostrotate\nkill -HUP {}\nendscript", daemon.pid());
    let mut logrotate = Logrotate::new(&logs, &directives);
    for round in 0..20 {
        let first = 2 + round * LINES / 20;
        // What it can't take at once it writes while the log is being rotated.
        daemon.append(first..=first + LINES / 20 - 1);
        logrotate.run(&[]);
    }
    tail.until_line(LINES + 1);
    tail.end().printed_lines(1..=LINES + 1).never_noticed("lost");
    assert!(logs.path("a.log.10").exists(), "there was no loop of rotations");
}

// Python.

/// Logs what it is given, line by line, through the handler that `handler` makes.
fn python_logger(logs: &Logs, handler: &str) -> Writer {
    need_program("python3");
    let program = format!(
        "
import logging, logging.handlers, sys
handler = logging.handlers.{handler}
handler.setFormatter(logging.Formatter('%(message)s'))
logger = logging.getLogger('app')
logger.addHandler(handler)
for line in sys.stdin:
    logger.warning(line.rstrip())
"
    );
    Writer::python(logs, &program, "a.log")
}

in_both_modes!(a_log_of_pythons_rotating_handler_comes_once);
fn a_log_of_pythons_rotating_handler_comes_once(mode: Mode) {
    let logs = Logs::new();
    // Two old files are kept, of some 20 lines each.
    let mut logger = python_logger(&logs, "RotatingFileHandler(sys.argv[1], maxBytes=100, backupCount=2)");
    let tail = logs.stream(mode, "--wait a.log");
    for last in (20..=1000).step_by(20) {
        logger.append(last - 19..=last);
        tail.until_line(last);
    }
    tail.end().printed_lines(1..=1000).never_noticed("lost");
    assert!(!logs.path("a.log.3").exists());
}

in_both_modes!(a_busy_log_of_pythons_rotating_handler_comes_once);
fn a_busy_log_of_pythons_rotating_handler_comes_once(mode: Mode) {
    let logs = Logs::new();
    let mut logger = python_logger(&logs, "RotatingFileHandler(sys.argv[1], maxBytes=20_000, backupCount=100)");
    let tail = logs.stream(mode, "--wait a.log");
    logger.append(1..=30_000);
    tail.until_line(30_000);
    tail.end().printed_lines(1..=30_000).never_noticed("lost");
    assert!(logs.path("a.log.8").exists());
}

in_both_modes!(a_log_of_pythons_timed_handler_comes_once);
fn a_log_of_pythons_timed_handler_comes_once(mode: Mode) {
    let logs = Logs::new();
    let mut logger = python_logger(&logs, "TimedRotatingFileHandler(sys.argv[1], when='S', interval=1)");
    let tail = logs.stream(mode, "--checkpoint ../at --wait a.log");
    let mut last = 0;
    let mut log_for = |rounds: u32| {
        for _ in 0..rounds {
            pause_ms(10);
            logger.append(last + 1..=last + 5);
            last += 5;
        }
        last
    };
    let before = log_for(105);
    tail.until_line(before);
    tail.end().printed_lines(1..=before).never_noticed("lost");
    // It goes on while nobody follows.
    let after = log_for(105);
    let tail = recorded(&logs, mode).start();
    tail.until_line(after);
    tail.end().printed_lines(before + 1..=after).never_noticed("lost");
}

// Cascades of renames.

/// Writes what it is given into `app.log`; after each 50 lines `app-1.log` becomes `app-2.log`, and so on, as with log4j.
const CASCADE: &str = r#"
count=0
while read -r line; do
    printf '%s\n' "$line" >>app.log
    count=$((count + 1))
    if [ $count = 50 ]; then
        count=0
        sleep 0.005
        number=40
        while [ $number -gt 1 ]; do
            number=$((number - 1))
            if [ -e app-$number.log ]; then mv app-$number.log app-$((number + 1)).log; fi
        done
        mv app.log app-1.log
    fi
done
"#;

in_both_modes!(a_log_renamed_in_a_cascade_as_by_log4j_comes_once);
fn a_log_renamed_in_a_cascade_as_by_log4j_comes_once(mode: Mode) {
    let logs = Logs::new();
    let mut logger = Writer::script(&logs, CASCADE);
    let tail = logs.stream(mode, "--checkpoint ../at --wait app.log");
    // What was rotated away before the first look is not asked for.
    logger.append(1..=1);
    tail.until_line(1);
    logger.append(2..=510);
    tail.until_line(510).stop();
    logger.append(511..=1010);
    logger.finish();
    tail.cont().until_line(1010);
    tail.end().printed_lines(1..=1010).never_noticed("lost");
    // And while nobody follows.
    let mut logger = Writer::script(&logs, CASCADE);
    logger.append(1011..=1320);
    logger.finish();
    let ended = logs.streaming(mode, "--checkpoint ../at --no-follow app.log").run();
    ended.with_status(0).printed_lines(1011..=1320).never_noticed("lost");
}

// Edited logs.

/// Runs a command in the directory of the logs.
#[track_caller]
fn shell(logs: &Logs, script: &str) {
    let status = Command::new("sh").args(["-ec", script]).current_dir(logs.path("")).status().unwrap();
    assert!(status.success(), "{script}");
}

in_both_modes!(a_log_edited_by_sed_is_read_anew);
fn a_log_edited_by_sed_is_read_anew(mode: Mode) {
    need_program("sed");
    let logs = Logs::with("a.log", 1..=10);
    let tail = logs.stream(mode, "a.log");
    tail.until_line(10);
    shell(&logs, "sed -i s/L/L10/ a.log");
    tail.until_line(1010);
    logs.append("a.log", 21..=22);
    tail.until_line(22);
    shell(&logs, "sed -i.bak -e '/^L10/d' -e s/L/L30/ a.log");
    tail.until_line(3022);
    let edited: Vec<_> = (1..=10).flat_map(|number| format!("L10{number}\n").into_bytes()).collect();
    tail.end().printed([lines(1..=10), edited, lines(21..=22), lines(3021..=3022)].concat()).never_noticed("lost");
}

in_both_modes!(a_log_edited_by_sed_behind_a_link_is_read_anew);
fn a_log_edited_by_sed_behind_a_link_is_read_anew(mode: Mode) {
    need_program("sed");
    let logs = Logs::with("real.log", 1..=9);
    logs.link("real.log", "a.log");
    let tail = logs.stream(mode, "a.log");
    tail.until_line(9);
    shell(&logs, "sed -i --follow-symlinks s/L/L1/ a.log");
    tail.until_line(19);
    logs.append("a.log", 20..=21);
    tail.until_line(21);
    tail.end().printed([lines(1..=9), lines(11..=21)].concat()).never_noticed("lost");
}

in_both_modes!(a_log_saved_by_an_editor_that_writes_a_new_file_is_read_anew);
fn a_log_saved_by_an_editor_that_writes_a_new_file_is_read_anew(mode: Mode) {
    // Over the old one; with the old one as a backup; with one that is removed at once, as vim does.
    for save in [
        "cat edited >.a.log.new; mv .a.log.new a.log",
        "rm -f a.log~; ln a.log a.log~; cat edited >.a.log.new; mv .a.log.new a.log",
        "mv a.log a.log~; cat edited >a.log; rm a.log~",
    ] {
        let logs = Logs::with("a.log", 1..=10);
        let tail = logs.stream(mode, "a.log");
        for round in 1..=10 {
            tail.until_line(round * 10);
            logs.write("edited", lines(round * 10 + 1..=round * 10 + 9));
            shell(&logs, save);
            logs.append("a.log", round * 10 + 10..=round * 10 + 10);
        }
        tail.until_line(110);
        tail.end().printed_lines(1..=110).never_noticed("lost");
    }
}

in_both_modes!(a_log_saved_in_place_by_an_editor_shows_what_was_added);
fn a_log_saved_in_place_by_an_editor_shows_what_was_added(mode: Mode) {
    let logs = Logs::with("a.log", 1..=100);
    let tail = logs.stream(mode, "a.log");
    for round in 1..=5 {
        // A look between its truncation and its writes would find another file.
        tail.until_line(99 + round).stop();
        logs.write("edited", lines(1..=100 + round));
        shell(&logs, "cp a.log a.log~; cat edited >a.log; rm a.log~");
        tail.cont();
    }
    tail.until_line(105);
    tail.end().printed_lines(1..=105).quietly();
}
