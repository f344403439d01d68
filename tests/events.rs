//! Where events are lost, late, scarce or missing altogether, and what must not grow with time.

mod common;

use std::time::Duration;

use common::{Drain, Logs, Mode, Run, Writer, find_program, in_both_modes, lines, pause, pause_ms, rounds, soaking};

/// Writes as fast as it can, one write a line, and rotates as it goes.
const RUSH: &str = r#"
import os, sys
path, number = sys.argv[1], 0
for generation in range(1, 9):
    log = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
    for _ in range(25000):
        number += 1
        os.write(log, b"L%d\n" % number)
    os.rename(path, "%s.%d" % (path, generation))
log = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
os.write(log, b"L%d\n" % (number + 1))
"#;

#[test]
fn a_log_written_at_full_speed_loses_nothing_when_it_is_rotated() {
    for drain in [Drain::AtOnce, Drain::Slowly { bytes: 65536, gap: Duration::from_millis(2) }] {
        let logs = Logs::with("a.log", 0..=0);
        let tail = logs.following(Mode::Events, "-n +1 a.log").drained(drain).start();
        tail.until_line(0);
        Writer::python(&logs, RUSH, "a.log").finish();
        tail.until_line(200_001);
        tail.end().printed_lines(0..=200_001);
    }
}

in_both_modes!(an_overflowing_event_queue_loses_nothing);
fn an_overflowing_event_queue_loses_nothing(mode: Mode) {
    let logs = Logs::with("a.log", 0..=0);
    logs.append("b.log", 100_000..=100_000);
    let tail = logs.follow(mode, "-q -n +1 a.log b.log");
    tail.until_line(0).until_line(100_000).stop();
    // Alternating, so that the kernel can't merge one event with the next: 40,000 of them, and it keeps 16,384.
    let (mut a, mut b) = (logs.open("a.log"), logs.open("b.log"));
    for number in 1..=20_000 {
        a.write(format!("L{number}\n"));
        b.write(format!("L{}\n", 100_000 + number));
    }
    logs.rename("a.log", "a.log.1").append("a.log", 20_001..=20_100);
    tail.cont().until_line(20_100).until_line(120_000);
    logs.append("a.log", 20_101..=20_200).append("b.log", 120_001..=120_100);
    tail.until_line(20_200).until_line(120_100);
    logs.rename("b.log", "b.log.1").append("b.log", 120_101..=120_200);
    tail.until_line(120_200);
    tail.end().printed_ranges([0..=20_200, 100_000..=120_200]);
}

#[test]
fn too_few_watches_are_announced_once_and_lose_nothing() {
    let logs = three_logs();
    let run = logs.rtail("follow -q -n +1 a.log b.log c.log");
    if let Some(run) = run.in_user_namespace("echo 2 > /proc/sys/user/max_inotify_watches") {
        let ended = follow_three_logs_through_a_rotation(&logs, run);
        ended.noticed_once("max_user_watches");
    }
}

#[test]
fn too_few_instances_are_announced_once_and_lose_nothing() {
    let logs = three_logs();
    let run = logs.rtail("follow -q -n +1 a.log b.log c.log");
    if let Some(run) = run.in_user_namespace("echo 0 > /proc/sys/user/max_inotify_instances") {
        let ended = follow_three_logs_through_a_rotation(&logs, run);
        ended.noticed_once("max_user_instances");
    }
}

#[test]
fn too_few_descriptors_lose_nothing() {
    let logs = Logs::with("a.log", 1..=1);
    let tail = logs.rtail("follow -n +1 --rotate-wait 200ms a.log").through(r#"ulimit -n 12; exec "$@""#).start();
    tail.until_line(1);
    for generation in 1..=10 {
        logs.rename("a.log", "a.log.1").append("a.log", generation * 10 + 1..=generation * 10 + 10);
        tail.until_line(generation * 10 + 10);
    }
    // Whether twelve are enough is its own affair; if not, one notice says so.
    let ended = tail.end().printed_interleaved(&[[lines(1..=1), lines(11..=110)].concat()]);
    assert!(notices_about_limits(&ended) <= 1, "more than one notice: {}", ended.stderr.escape_ascii());
}

#[test]
fn three_logs_and_too_few_descriptors_for_events_lose_nothing() {
    let logs = three_logs();
    let run = logs.rtail("follow -q -n +1 --rotate-wait 200ms a.log b.log c.log");
    let ended = follow_three_logs_through_a_rotation(&logs, run.through(r#"ulimit -n 16; exec "$@""#));
    assert!(notices_about_limits(&ended) <= 1, "more than one notice: {}", ended.stderr.escape_ascii());
}

/// How many messages are about something else than the names followed.
fn notices_about_limits(ended: &common::Ended) -> usize {
    ended.notices_with("rtail: ") - ended.notices_with(".log' has ")
}

/// `a.log`, `b.log` and `c.log` with a line each.
fn three_logs() -> Logs {
    let logs = Logs::with("a.log", 1..=1);
    logs.append("b.log", 1001..=1001).append("c.log", 2001..=2001);
    logs
}

fn follow_three_logs_through_a_rotation(logs: &Logs, run: Run<'_>) -> common::Ended {
    let tail = run.start();
    tail.until_line(1).until_line(1001).until_line(2001);
    for (name, base) in [("a.log", 0), ("b.log", 1000), ("c.log", 2000)] {
        logs.append(name, base + 2..=base + 100);
        tail.until_line(base + 100);
        logs.rename(name, format!("{name}.1")).append(name, base + 101..=base + 200);
    }
    tail.until_line(200).until_line(1200).until_line(2200);
    for (name, base) in [("a.log", 0), ("b.log", 1000), ("c.log", 2000)] {
        logs.append(name, base + 201..=base + 300);
        tail.until_line(base + 300);
    }
    tail.end().printed_ranges([1..=300, 1001..=1300, 2001..=2300])
}

in_both_modes!(what_it_holds_does_not_grow_with_rotations);
fn what_it_holds_does_not_grow_with_rotations(mode: Mode) {
    let logs = Logs::with("a.log", 1..=1);
    let tail = logs.follow(mode, "-n +1 --rotate-wait 20ms a.log");
    let mut last = 1;
    tail.until_line(last);
    let mut rotate = |times: u32| {
        for _ in 0..times {
            last += 1;
            logs.rename("a.log", "a.log.1").append("a.log", last..=last);
            tail.until_line(last);
        }
        // Time to let the last generations go.
        pause_ms(300);
    };
    rotate(20);
    let (before, memory) = (tail.resources(), tail.memory());
    rotate(if mode == Mode::Events { rounds(500, 2_000) } else { rounds(150, 2_000) });
    tail.until_no_more_than(before);
    let growth = tail.memory().saturating_sub(memory);
    assert!(growth < 1 << 20, "memory grew by {growth} bytes");
    tail.end().printed_lines(1..=last);
}

in_both_modes!(a_line_appended_while_it_starts_is_delivered);
fn a_line_appended_while_it_starts_is_delivered(mode: Mode) {
    let logs = Logs::new();
    for round in 0..rounds(100, 600) {
        logs.write("a.log", "L0\n");
        let tail = logs.follow(mode, "-n +1 a.log");
        // Half of them from the moment it is started, half from the moment it has shown what was there.
        if round % 2 == 1 {
            tail.until_line(0);
        }
        pause(Duration::from_micros(u64::from(round) * 37 % 300));
        logs.append("a.log", 1..=1);
        tail.until_line(1);
        tail.end().printed_lines(0..=1).quietly();
    }
}

in_both_modes!(a_log_made_while_it_starts_is_delivered);
fn a_log_made_while_it_starts_is_delivered(mode: Mode) {
    for round in 0..rounds(40, 600) {
        let logs = Logs::new();
        let tail = logs.follow(mode, "-n +1 a.log");
        pause(Duration::from_micros(u64::from(round) * 370 % 6_000));
        logs.append("a.log", 1..=1);
        tail.until_line(1);
        tail.end().printed_lines(1..=1);
    }
}

/// Makes its file 64 KiB long and writes its input into it through memory, line by line; at the end of the input the
/// file is cut to what was written.
const MMAP_WRITER: &str = "
import mmap, os, sys
file = open(sys.argv[1], 'r+b')
place = os.fstat(file.fileno()).st_size
os.ftruncate(file.fileno(), 65536)
memory = mmap.mmap(file.fileno(), 65536)
for line in sys.stdin.buffer:
    memory[place:place + len(line)] = line
    place += len(line)
memory.flush()
os.ftruncate(file.fileno(), place)
";

in_both_modes!(what_is_written_through_memory_is_read_without_the_zeros_behind_it);
fn what_is_written_through_memory_is_read_without_the_zeros_behind_it(mode: Mode) {
    if find_program("python3").is_none() {
        return;
    }
    let logs = Logs::with("a.log", 0..=0);
    let tail = logs.follow(mode, "-n +1 a.log");
    tail.until_line(0);
    let mut writer = Writer::python(&logs, MMAP_WRITER, "a.log");
    for first in [1, 101, 201] {
        writer.append(first..=first + 99);
        // No event tells of such a write: it is found by looking, which by default takes up to half a minute.
        if mode == Mode::Polling || soaking() {
            tail.until_line(first + 99);
        }
    }
    writer.finish();
    tail.until_line(300);
    logs.append("a.log", 301..=310);
    tail.until_line(310);
    tail.end().printed(lines(0..=310));
}

in_both_modes!(a_busy_neighbour_is_left_alone);
fn a_busy_neighbour_is_left_alone(mode: Mode) {
    let logs = Logs::with("a.log", 1..=1);
    let tail = logs.follow(mode, "-n +1 a.log");
    tail.until_line(1);
    for number in 0..2_000 {
        let name = format!("other-{}", number % 50);
        logs.append("busy", number..=number).append(&name, 1..=1);
        logs.rename(&name, "moved").remove("moved");
    }
    logs.append("a.log", 2..=2);
    tail.until_line(2);
    tail.end().printed_lines(1..=2).quietly();
}

#[test]
fn whoever_follows_a_descriptor_watches_no_directory() {
    let logs = Logs::with("a.log", 1..=1);
    let tail = logs.rtail("follow -f --retry a.log b.log").start();
    tail.until_line(1).until_noticed("cannot open 'b.log'");
    // The name that means nothing is waited for; the file that is there needs but its own watch.
    logs.append("b.log", 11..=11);
    tail.until_line(11).until("each file has its watch, and nothing else", |_| tail.resources().watches == 2);
    logs.append("a.log", 2..=2).append("b.log", 12..=12);
    tail.until_line(2).until_line(12);
    tail.end();
}
