//! `rtail watch`: sessions and what they are called. Locks are real ones, held by real processes.

#![allow(clippy::expect_used, clippy::unwrap_used, reason = "helpers of tests may fail as tests do")]

mod common;

use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use common::sessions::{assert_text, last_of, records, story, until_last, until_line, watch};
use common::{Logs, Mode, Said, Signal, Tail, Writer, find_program, in_both_modes, lines, pause_ms, rounds, skip};

// S1
in_both_modes!(every_line_comes_once_however_often_the_lock_is_dropped);
fn every_line_comes_once_however_often_the_lock_is_dropped(mode: Mode) {
    let logs = Logs::new();
    let tail = watch(&logs, mode, "--from start .");
    let mut writer = Writer::obeying(&logs, "a.log");
    let count = rounds(25, 200);
    for number in 1..=count {
        // Times without a pattern that could fall in with the intervals of the looks.
        let pauses = [number * 7919 % 23, number * 104_729 % 31, number * 1_299_709 % 17];
        let [before, held, after] = pauses.map(|millis| f64::from(millis) / 1000.0);
        writer.obey(&format!("lock;sleep {before};write L{};sleep {held};unlock", 2 * number - 1));
        writer.obey(&format!("sleep {after};write L{}", 2 * number));
    }
    until_line(&tail, "a.log", 2 * count);
    assert_text(&tail.end(), "a.log", 1..=2 * count);
}

// S2
in_both_modes!(a_completed_session_that_grows_is_active_before_its_line);
fn a_completed_session_that_grows_is_active_before_its_line(mode: Mode) {
    let logs = Logs::holding("a.log", "");
    let mut writer = Writer::obeying(&logs, "a.log");
    writer.obey("lock;write L1");
    logs.until_locked("a.log");
    let tail = watch(&logs, mode, "--from start .");
    until_line(&tail, "a.log", 1);
    writer.obey("unlock");
    until_last(&tail, "a.log", "completed by lock");
    let begun = Instant::now();
    writer.obey("write L2");
    until_line(&tail, "a.log", 2);
    assert!(begun.elapsed() < Duration::from_secs(1));
    writer.obey("lock;write L3");
    until_line(&tail, "a.log", 3);
    pause_ms(1200);
    let expected = ["active by lock", "L1", "completed by lock", "active by growth", "L2", "L3"];
    assert_eq!(story(&tail.end().stdout, "a.log"), expected);
}

in_both_modes!(a_completed_session_is_active_as_soon_as_a_line_begins);
fn a_completed_session_is_active_as_soon_as_a_line_begins(mode: Mode) {
    for keep in ["", "--keep 0"] {
        let logs = Logs::with("a.log", 1..=1);
        logs.append_bytes("b.log", "L1");
        let tail = watch(&logs, mode, &format!("--from start --idle-after 400ms {keep} ."));
        until_last(&tail, "a.log", "completed by growth");
        until_last(&tail, "b.log", "completed by growth");
        for number in 2..=3 {
            logs.append_bytes("a.log", "L");
            until_last(&tail, "a.log", "active by growth");
            until_last(&tail, "a.log", "completed by growth");
            logs.append_bytes("a.log", format!("{number}\n"));
            until_line(&tail, "a.log", number);
            until_last(&tail, "a.log", "completed by growth");
        }
        let again = ["active by growth", "completed by growth", "active by growth"];
        let first = ["L1", "completed by growth"];
        let line = |line| [&again[..], &[line, "completed by growth"]].concat();
        let expected = [&first[..], &line("L2"), &line("L3")].concat();
        let ended = tail.end();
        assert_eq!(story(&ended.stdout, "a.log"), expected, "{keep}");
        // What was there from the start is no growth.
        assert_eq!(story(&ended.stdout, "b.log"), ["completed by growth"], "{keep}");
    }
}

// S3
#[test]
fn the_first_line_of_an_empty_file_is_shown() {
    let logs = Logs::new();
    logs.append_bytes("a.log", "");
    let tail = watch(&logs, Mode::Events, ".");
    until_last(&tail, "a.log", "completed by growth");
    logs.append("a.log", 1..=1);
    until_line(&tail, "a.log", 1);
    assert_eq!(story(&tail.end().stdout, "a.log"), ["completed by growth", "active by growth", "L1"]);
}

// S4
#[test]
fn the_last_line_before_the_lock_goes_comes_before_the_session_is_completed() {
    let logs = Logs::new();
    let tail = watch(&logs, Mode::Events, ".");
    for number in 1..=rounds(5, 200) {
        let name = format!("{number}.log");
        let mut writer = Writer::obeying(&logs, &name);
        writer.obey("lock;write L1");
        until_line(&tail, &name, 1);
        // Seen locked, whether before its line or behind.
        logs.until_locked(&name);
        pause_ms(150);
        writer.obey("write L2;unlock;exit");
        until_last(&tail, &name, "completed by lock");
        writer.finish();
        let said =
            |said: &Said| story(&said.stdout, &name).into_iter().filter(|what| what.starts_with('L')).count() == 2;
        tail.until("both lines", said);
    }
    let ended = tail.end();
    for number in 1..=rounds(5, 200) {
        let story = story(&ended.stdout, &format!("{number}.log"));
        assert_eq!(story[1..], ["L1", "L2", "completed by lock"], "{number}");
        assert!(story[0].starts_with("active"), "{number}");
    }
}

// S5
#[test]
fn a_line_beside_a_flip_of_the_lock_comes_at_once() {
    let logs = Logs::new();
    let tail = watch(&logs, Mode::Events, ".");
    let mut writer = Writer::obeying(&logs, "a.log");
    for number in 1..=rounds(20, 200) {
        let gap = f64::from(number * 7919 % 11) / 2000.0;
        let (flip, back) = if number % 2 == 0 { ("lock", "unlock") } else { ("unlock", "lock") };
        let order = if number % 3 == 0 {
            (flip.to_owned(), format!("write L{number}"))
        } else {
            (format!("write L{number}"), flip.to_owned())
        };
        writer.obey(&format!("{};sleep {gap};{}", order.0, order.1));
        let begun = Instant::now();
        until_line(&tail, "a.log", number);
        assert!(begun.elapsed() < Duration::from_secs(1), "line {number} came after {:?}", begun.elapsed());
        writer.obey(back);
    }
    assert_text(&tail.end(), "a.log", 1..=rounds(20, 200));
}

// S6
#[test]
fn of_two_completed_sessions_only_that_changes_which_grows() {
    let logs = Logs::with("a.log", 1..=1);
    logs.append("b.log", 1..=1);
    let tail = watch(&logs, Mode::Events, ".");
    until_last(&tail, "a.log", "completed by growth");
    until_last(&tail, "b.log", "completed by growth");
    logs.append("a.log", 2..=2);
    until_line(&tail, "a.log", 2);
    pause_ms(1200);
    let ended = tail.end();
    assert_eq!(story(&ended.stdout, "a.log"), ["completed by growth", "active by growth", "L2"]);
    assert_eq!(story(&ended.stdout, "b.log"), ["completed by growth"]);
}

// S7
#[test]
fn a_killed_holder_completes_its_session_and_a_new_one_takes_it_up() {
    let logs = Logs::new();
    logs.append_bytes("a.log", "");
    let tail = watch(&logs, Mode::Events, ".");
    let mut before = None;
    for number in 1..=rounds(3, 50) {
        let mut writer = Writer::obeying(&logs, "a.log");
        writer.obey(&format!("lock;write L{number}"));
        until_line(&tail, "a.log", number);
        pause_ms(150);
        writer.signal(Signal::KILL);
        let killed = Instant::now();
        until_last(&tail, "a.log", "completed by lock");
        assert!(killed.elapsed() < Duration::from_millis(1500), "completed after {:?}", killed.elapsed());
        tail.until_no_more_than(*before.get_or_insert_with(|| tail.resources()));
    }
    let ended = tail.end();
    let told = story(&ended.stdout, "a.log").join(", ").replace("active by growth", "active by lock");
    let round = |number: u32| format!("active by lock, L{number}, completed by lock");
    let rounds: Vec<_> = (1..=rounds(3, 50)).map(round).collect();
    // What it was before its first holder came may or may not have been said.
    assert_eq!(told.trim_start_matches("completed by growth, "), rounds.join(", "));
    let opened = records(&ended.stdout).into_iter().filter(|record| record["type"] == "open").count();
    assert_eq!(opened, 1, "a session is one");
}

#[test]
fn locks_of_every_kind_are_seen_with_their_holders() {
    let program = |lock: &str| {
        format!(
            "
import fcntl, os, struct, sys
log = os.open(sys.argv[1], os.O_RDWR | os.O_APPEND | os.O_CREAT, 0o644)
{lock}
os.write(log, b'L1\\n')
sys.stdin.read()
os.write(log, b'L2\\n')
"
        )
    };
    let logs = Logs::new();
    let kinds = [
        ("exclusive.log", "fcntl.flock(log, fcntl.LOCK_EX)", true),
        ("shared.log", "fcntl.flock(log, fcntl.LOCK_SH)", true),
        ("posix.log", "fcntl.lockf(log, fcntl.LOCK_EX)", true),
        // F_OFD_SETLK: it belongs to whoever has the file open.
        ("ofd.log", "fcntl.fcntl(log, 37, struct.pack('hhqqi4x', fcntl.F_WRLCK, 0, 0, 0, 0))", false),
    ];
    let writers = kinds.map(|(name, lock, _)| Writer::python(&logs, &program(lock), name));
    for (name, ..) in kinds {
        logs.until_written(name);
    }
    let tail = watch(&logs, Mode::Events, ".");
    for (name, ..) in kinds {
        until_line(&tail, name, 1);
    }
    let pids = writers.each_ref().map(Writer::pid);
    writers.into_iter().for_each(Writer::finish);
    for (name, ..) in kinds {
        until_last(&tail, name, "completed by lock");
    }
    let ended = tail.end();
    for ((name, _, has_holder), pid) in kinds.into_iter().zip(pids) {
        assert_eq!(story(&ended.stdout, name), ["active by lock", "L1", "L2", "completed by lock"], "{name}");
        let told =
            records(&ended.stdout).into_iter().find(|record| record["type"] == "state" && record["path"] == name);
        assert_eq!(told.unwrap()["holder_pid"].as_u64(), has_holder.then_some(pid.into()), "{name}");
    }
}

// S8
#[test]
fn looking_at_locks_is_noticed_by_nobody() {
    if find_program("flock").is_none() {
        return;
    }
    let logs = Logs::with("a.log", 1..=1);
    logs.append("b.log", 1..=1);
    let tails = [watch(&logs, Mode::Events, "."), watch(&logs, Mode::Events, ".")];
    for tail in &tails {
        until_last(tail, "a.log", "completed by growth");
        until_last(tail, "b.log", "completed by growth");
    }
    // Locks of moments may be seen or not; that none is refused is what counts. The other file is never locked.
    let script = format!("for i in $(seq {}); do flock -n a.log true || echo $i >>refused; done", rounds(300, 2000));
    Writer::script(&logs, &script).finish();
    assert!(!logs.path("refused").exists(), "refused: {}", String::from_utf8_lossy(&logs.read("refused")));
    pause_ms(rounds(1200, 10_000).into());
    for tail in tails {
        assert_eq!(story(&tail.end().stdout, "b.log"), ["completed by growth"]);
    }
}

/// `rtail watch` where the kernel's table of locks hides the holders; `None` where that can't be had. Only `--until` ends
/// it in order.
fn watch_apart(logs: &Logs, args: &str) -> Option<Tail> {
    let apart = "unshare -Urpf --kill-child --mount-proc";
    let works = Command::new("sh").args(["-c", &format!("{apart} true")]).stderr(Stdio::null()).status();
    if !works.is_ok_and(|status| status.success()) {
        skip("PID namespaces are not permitted");
        return None;
    }
    Some(logs.rtail("watch --format json").args(args).through(format!(r#"exec {apart} "$@""#)).start())
}

#[test]
fn locks_are_tried_where_the_table_hides_them_and_watchers_do_not_see_each_other() {
    let logs = Logs::with("held.log", 1..=1);
    logs.append("free.log", 1..=1);
    let mut writer = Writer::obeying(&logs, "held.log");
    writer.obey("lock");
    logs.until_locked("held.log");
    let args = "--until ^end$ .";
    let (Some(one), Some(other)) = (watch_apart(&logs, args), watch_apart(&logs, args)) else { return };
    for tail in [&one, &other] {
        until_line(tail, "held.log", 1);
        until_last(tail, "free.log", "completed by growth");
    }
    writer.obey("write L2;unlock");
    for tail in [&one, &other] {
        until_last(tail, "held.log", "completed by lock");
    }
    // Both try the locks of both, once a second.
    pause_ms(rounds(2200, 10_000).into());
    logs.append_bytes("free.log", "end\n");
    for tail in [one, other] {
        let ended = tail.ended().with_status(0).quietly();
        assert_eq!(story(&ended.stdout, "held.log"), ["active by lock", "L1", "L2", "completed by lock"]);
        assert_eq!(story(&ended.stdout, "free.log"), ["completed by growth", "active by growth", "end"]);
        let known = records(&ended.stdout).into_iter().any(|record| !record["holder_pid"].is_null());
        assert!(!known, "nobody can tell who holds it");
    }
}

// S9
in_both_modes!(a_new_run_is_announced_once_and_read_from_its_start);
fn a_new_run_is_announced_once_and_read_from_its_start(mode: Mode) {
    let logs = Logs::with("a.log", 1..=100);
    let tail = watch(&logs, mode, "--state none --from start .");
    until_line(&tail, "a.log", 100);
    let mut writer = Writer::obeying(&logs, "a.log");
    writer.obey("truncate;part L10;sleep 0.1;part 1;sleep 0.1;write ;part L1;sleep 0.1;write 02;write L103");
    until_line(&tail, "a.log", 103);
    let ended = tail.end();
    assert_text(&ended, "a.log", 1..=103);
    let truncated = records(&ended.stdout).into_iter().filter(|record| record["type"] == "truncate").count();
    assert_eq!(truncated, 1);
}

in_both_modes!(a_replaced_file_is_a_new_run_of_its_session);
fn a_replaced_file_is_a_new_run_of_its_session(mode: Mode) {
    let logs = Logs::with("a.log", 1..=10);
    let tail = watch(&logs, mode, "--from start --glob *.log .");
    until_last(&tail, "a.log", "completed by growth");
    let mut late = logs.open("a.log");
    late.write("L11\n");
    logs.rename("a.log", "a.log.1").append("a.log", 12..=20);
    until_line(&tail, "a.log", 20);
    logs.replace("a.log", lines(21..=30));
    until_line(&tail, "a.log", 30);
    let ended = tail.end();
    assert_text(&ended, "a.log", 1..=30);
    let told: Vec<_> = story(&ended.stdout, "a.log").into_iter().filter(|what| !what.starts_with('L')).collect();
    assert_eq!(told, ["completed by growth", "active by growth", "rotate", "rotate"]);
}

in_both_modes!(completed_sessions_that_are_not_kept_open_go_on_where_they_were);
fn completed_sessions_that_are_not_kept_open_go_on_where_they_were(mode: Mode) {
    let logs = Logs::new();
    for number in 0..30 {
        logs.append(format!("{number}.log"), 1..=5);
    }
    let tail = watch(&logs, mode, "--from start --idle-after 200ms --keep 3 .");
    for number in 0..30 {
        until_last(&tail, &format!("{number}.log"), "completed by growth");
    }
    tail.until("others are closed", |_| tail.resources().descriptors < 24);
    for round in 6..=8 {
        for number in 0..30 {
            logs.append(format!("{number}.log"), round..=round);
        }
        for number in 0..30 {
            until_line(&tail, &format!("{number}.log"), round);
        }
        for number in 0..30 {
            until_last(&tail, &format!("{number}.log"), "completed by growth");
        }
        tail.until("others are closed again", |_| tail.resources().descriptors < 24);
    }
    let mut writer = Writer::obeying(&logs, "0.log");
    writer.obey("lock");
    until_last(&tail, "0.log", "active by lock");
    logs.rename("1.log", "moved.log").append("moved.log", 9..=9).remove("2.log");
    until_line(&tail, "moved.log", 9);
    let ended = tail.end();
    for number in 0..30 {
        assert_text(&ended, &format!("{number}.log"), 1..=8);
    }
    assert_text(&ended, "moved.log", 9..=9);
    let opened = records(&ended.stdout).into_iter().filter(|record| record["type"] == "open").count();
    assert_eq!(opened, 30);
    assert!(records(&ended.stdout).iter().all(|record| record["type"] != "gap"));
}

#[test]
fn a_log_whose_writer_ends_no_line_for_long_stays_active() {
    if common::soaking() {
        skip("its times are short");
        return;
    }
    let logs = Logs::new();
    let tail = watch(&logs, Mode::Events, "--idle-after 400ms .");
    let mut writer = Writer::obeying(&logs, "a.log");
    writer.obey("write L1");
    for _ in 0..12 {
        writer.obey("part .;sleep 0.1");
    }
    writer.obey("write L2");
    tail.until_printed(r#"{"type":"line","path":"a.log""#);
    tail.until("the line that was long in coming", |said| {
        last_of(said, "a.log").is_some_and(|last| last.ends_with("L2"))
    });
    let told = story(&tail.end().stdout, "a.log");
    assert_eq!(told, ["active by growth", "L1", "............L2"]);
}

in_both_modes!(by_growth_alone_a_session_is_completed_as_often_as_it_was_active);
fn by_growth_alone_a_session_is_completed_as_often_as_it_was_active(mode: Mode) {
    let logs = Logs::with("a.log", 1..=1);
    let tail = watch(&logs, mode, "--state growth --idle-after 200ms --keep 0 .");
    until_last(&tail, "a.log", "completed by growth");
    let closed = tail.resources();
    for number in 2..=4 {
        logs.append("a.log", number..=number);
        until_line(&tail, "a.log", number);
        until_last(&tail, "a.log", "completed by growth");
    }
    tail.until_no_more_than(closed);
    let expected = ["active by growth", "L", "completed by growth"];
    let mut told = story(&tail.end().stdout, "a.log").into_iter();
    assert_eq!(told.next().as_deref(), Some("completed by growth"));
    for number in 2..=4 {
        assert_eq!(
            told.by_ref().take(3).collect::<Vec<_>>(),
            expected.map(|what| what.replace('L', &format!("L{number}")))
        );
    }
    assert_eq!(told.next(), None);
}

in_both_modes!(completed_sessions_that_can_not_be_closed_at_once_are_closed_later);
fn completed_sessions_that_can_not_be_closed_at_once_are_closed_later(mode: Mode) {
    let logs = Logs::new();
    let names: Vec<String> = (0..30).map(|number| format!("{number}.log")).collect();
    for name in &names {
        logs.append(name, 1..=1);
    }
    let tail = watch(&logs, mode, "--from start --idle-after 100ms --rotate-wait 2s --keep 2 --glob *.log .");
    let all_completed = || {
        for name in &names {
            until_last(&tail, name, "completed by growth");
        }
    };
    all_completed();
    tail.until("all but those that are kept are closed", |_| tail.resources().descriptors < 24);
    let closed = tail.resources();
    for name in &names {
        logs.append(name, 2..=2);
        until_line(&tail, name, 2);
    }
    // The files before them are held for two seconds, in which the sessions are completed.
    for name in &names {
        logs.rename(name, format!("{name}.1")).append(name, 3..=3);
    }
    for name in &names {
        until_line(&tail, name, 3);
    }
    all_completed();
    tail.until_no_more_than(closed);
    let ended = tail.end();
    for name in &names {
        assert_text(&ended, name, 1..=3);
    }
}
