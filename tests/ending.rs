//! How it ends: by signals, by a reader that has enough, by the writers' end, and what it leaves when it does.

mod common;

use common::{Drain, Enough, Logs, Mode, Signal, Tail, Writer, find_program, in_both_modes, lines, pause_ms, rounds};

/// The signals that ask for an orderly end.
const REQUESTS: [Signal; 3] = [Signal::TERM, Signal::INT, Signal::HUP];

in_both_modes!(a_signal_ends_it_while_it_waits_for_a_log);
fn a_signal_ends_it_while_it_waits_for_a_log(mode: Mode) {
    for signal in REQUESTS {
        let logs = Logs::new();
        let tail = logs.following(mode, "missing.log").with_default_signals().start();
        tail.until_noticed("cannot open");
        tail.end_by(signal)
            .printed("")
            .notices_are(&["cannot open 'missing.log' for reading: No such file or directory"]);
    }
}

in_both_modes!(a_signal_ends_it_while_it_is_idle);
fn a_signal_ends_it_while_it_is_idle(mode: Mode) {
    for signal in REQUESTS {
        let logs = Logs::with("a.log", 1..=5);
        let tail = logs.following(mode, "a.log").with_default_signals().start();
        tail.until_line(5);
        tail.end_by(signal).printed_lines(1..=5).quietly();
    }
}

in_both_modes!(a_signal_ends_it_while_its_output_is_blocked);
fn a_signal_ends_it_while_its_output_is_blocked(mode: Mode) {
    let bulk = lines(1..=1_000_000);
    for signal in REQUESTS {
        let logs = Logs::holding("a.log", &bulk);
        let run = logs.following(mode, "-n +1 a.log").with_default_signals();
        let tail = run.drained(Drain::WhenTold).start();
        tail.until_blocked();
        let ended = tail.end_by(signal).quietly();
        let printed = ended.stdout.len();
        assert!(bulk.starts_with(&ended.stdout), "what came before the end is whole");
        assert!((1..bulk.len()).contains(&printed), "{printed} bytes were printed");
    }
}

in_both_modes!(a_signal_under_load_ends_it_between_two_lines);
fn a_signal_under_load_ends_it_between_two_lines(mode: Mode) {
    for signal in REQUESTS {
        let logs = Logs::with("a.log", 0..=0);
        logs.append("b.log", 10_000_000..=10_000_000);
        let run = logs.following(mode, "-q -n +1 a.log b.log").with_default_signals();
        let tail = run.start();
        tail.until_line(0).until_line(10_000_000);
        let enough = Enough::default();
        let (ended, written) = std::thread::scope(|scope| {
            let writing = enough.at_the_end();
            let writers = [("a.log", 0), ("b.log", 10_000_000)].map(|(name, first)| {
                let (enough, mut log) = (&enough, logs.open(name));
                scope.spawn(move || {
                    let mut last = first;
                    while !enough.is_reached() {
                        last += 1;
                        log.write(format!("L{last}\n"));
                    }
                    last
                })
            });
            tail.until_line(1_000).until_line(10_001_000);
            let ended = tail.end_by(signal);
            drop(writing);
            (ended, writers.map(|writer| writer.join().unwrap_or_default()))
        });
        // A line caught half written is held back, which it may say.
        ended.printed_prefixes(&[lines(0..=written[0]), lines(10_000_000..=written[1])]);
    }
}

#[test]
fn a_second_signal_is_not_needed_but_does_no_harm() {
    let logs = Logs::holding("a.log", lines(1..=1_000_000));
    let tail = logs.rtail("follow -n +1 a.log").drained(Drain::WhenTold).start();
    tail.until_blocked();
    tail.signal(Signal::TERM);
    tail.end_by(Signal::TERM);
}

#[test]
fn a_signal_ignored_at_the_start_stays_ignored() {
    let logs = Logs::with("a.log", 1..=1);
    let tail = logs.rtail("follow a.log").through(r#"trap "" HUP INT; exec "$@""#).start();
    tail.until_line(1).signal(Signal::HUP).signal(Signal::INT);
    pause_ms(50);
    logs.append("a.log", 2..=2);
    tail.until_line(2);
    tail.end().printed_lines(1..=2).quietly();
}

#[test]
fn stopping_and_continuing_changes_nothing() {
    let logs = Logs::with("a.log", 1..=1);
    let tail = logs.rtail("follow -n +1 a.log").start();
    tail.until_line(1);
    for number in 2..=50 {
        tail.stop();
        logs.append("a.log", number..=number);
        tail.cont().until_line(number);
    }
    tail.end().printed_lines(1..=50).quietly();
}

in_both_modes!(a_closed_reader_ends_it_though_no_data_flow);
fn a_closed_reader_ends_it_though_no_data_flow(mode: Mode) {
    let logs = Logs::with("a.log", 1..=5);
    let tail = logs.following(mode, "a.log").drained(Drain::OneLine).start();
    tail.ended().died_of(Signal::PIPE).quietly();
}

in_both_modes!(a_reader_closed_before_anything_was_printed_ends_it);
fn a_reader_closed_before_anything_was_printed_ends_it(mode: Mode) {
    let logs = Logs::holding("a.log", "");
    // The shell's own status is that of the last command, so the first one's is written down.
    let run = logs.following(mode, "a.log").through(r#"{ "$@"; echo $? > status; } | :"#);
    run.run().with_status(0).printed("").quietly();
    assert_eq!(logs.read("status"), b"141\n");
}

#[test]
fn a_closed_reader_is_status_1_where_its_signal_is_ignored() {
    let logs = Logs::with("a.log", 1..=5);
    let run = logs.rtail("follow a.log").through(r#"trap "" PIPE; exec "$@""#);
    run.drained(Drain::OneLine).run().with_status(1);
}

#[test]
fn a_reader_that_wants_one_line_does_not_make_it_read_a_big_log() {
    let logs = Logs::holding("a.log", lines(1..=5_000_000));
    let tail = logs.rtail("follow -n +1 a.log").drained(Drain::OneLineWhenTold).start();
    let read = tail.until_blocked().bytes_read();
    tail.drain();
    tail.ended().died_of(Signal::PIPE).quietly();
    assert!(read < 8 << 20, "{read} bytes were read");
}

in_both_modes!(it_can_be_started_and_ended_a_hundred_times_on_one_log);
fn it_can_be_started_and_ended_a_hundred_times_on_one_log(mode: Mode) {
    let logs = Logs::with("a.log", 1..=1);
    for number in 2..=rounds(100, 300) {
        let tail = logs.follow(mode, "-n 1 a.log");
        tail.until_line(number - 1);
        logs.append("a.log", number..=number);
        tail.until_line(number);
        tail.end().printed_lines(number - 1..=number).quietly();
    }
}

#[test]
fn of_two_on_one_log_one_may_end() {
    let logs = Logs::with("a.log", 1..=1);
    let (one, other) = (logs.follow(Mode::Events, "a.log"), logs.follow(Mode::Events, "a.log"));
    one.until_line(1);
    other.until_line(1);
    one.end().printed_lines(1..=1);
    logs.append("a.log", 2..=2);
    other.until_line(2);
    other.end().printed_lines(1..=2);
}

/// Shell text that writes the lines 1 to 100 into `a.log`.
const HUNDRED_LINES: &str = "i=0; while [ $((i += 1)) -le 100 ]; do echo L$i; done >> a.log";

/// Plays writers that end right after their last line, ten at a time: `before` is what each does until it is told to
/// write, and `start` starts a tail that is to end with it.
fn writers_that_end_at_once(before: &str, start: impl Fn(&Logs, &Writer) -> Tail) {
    for _ in 0..rounds(3, 10) {
        ten_writers_that_end_at_once(before, &start);
    }
}

fn ten_writers_that_end_at_once(before: &str, start: &impl Fn(&Logs, &Writer) -> Tail) {
    let all: Vec<_> = (0..10)
        .map(|round| {
            let logs = Logs::with("a.log", 0..=0);
            // Half of them are killed before they can do anything that an exit does.
            let exit = if round % 2 == 0 { "exit" } else { "kill -9 $$" };
            let writer = Writer::script(&logs, &format!("{before} read go; {HUNDRED_LINES}; {exit}"));
            let tail = start(&logs, &writer);
            tail.until_line(0);
            (logs, writer, tail)
        })
        .collect();
    let tails: Vec<_> = all
        .into_iter()
        .map(|(logs, writer, tail)| {
            writer.go();
            (logs, tail)
        })
        .collect();
    for (_logs, tail) in tails {
        tail.ended().with_status(0).printed_lines(0..=100).quietly();
    }
}

in_both_modes!(it_ends_with_its_process_and_has_all_of_its_lines);
fn it_ends_with_its_process_and_has_all_of_its_lines(mode: Mode) {
    writers_that_end_at_once("", |logs, writer| {
        logs.follow(mode, &format!("-n +1 -s 0.1 --pid {} a.log", writer.pid()))
    });
}

in_both_modes!(it_ends_with_the_lock_and_has_all_of_the_lines);
fn it_ends_with_the_lock_and_has_all_of_the_lines(mode: Mode) {
    if find_program("flock").is_none() {
        return;
    }
    writers_that_end_at_once("exec 9>> a.log; flock 9;", |logs, _| {
        logs.until_locked("a.log");
        logs.follow(mode, "-n +1 -s 0.1 --while-locked a.log")
    });
}

in_both_modes!(it_ends_when_the_last_of_several_processes_is_gone);
fn it_ends_when_the_last_of_several_processes_is_gone(mode: Mode) {
    let logs = Logs::with("a.log", 1..=1);
    let (first, second) = (logs.writer("a.log"), logs.writer("a.log"));
    let pids = format!("--pid {} --pid {}", first.pid(), second.pid());
    let tail = logs.follow(mode, &format!("-s 0.05 {pids} a.log"));
    tail.until_line(1);
    first.finish();
    pause_ms(200);
    logs.append("a.log", 2..=2);
    tail.until_line(2);
    second.finish();
    tail.ended().with_status(0).printed_lines(1..=2).quietly();
}

in_both_modes!(a_process_that_is_gone_at_the_start_still_gets_the_last_lines_printed);
fn a_process_that_is_gone_at_the_start_still_gets_the_last_lines_printed(mode: Mode) {
    let logs = Logs::with("a.log", 1..=20);
    let writer = logs.writer("a.log");
    let pid = writer.pid();
    writer.finish();
    let tail = logs.follow(mode, &format!("-s 0.05 --pid {pid} a.log"));
    tail.ended().with_status(0).printed_lines(11..=20).quietly();
}

#[test]
fn a_storm_of_window_changes_changes_nothing() {
    let logs = Logs::with("a.log", 1..=1);
    let tail = logs.rtail("follow -n +1 a.log").start();
    tail.until_line(1);
    let enough = Enough::default();
    std::thread::scope(|scope| {
        let _storm = enough.at_the_end();
        scope.spawn(|| {
            while !enough.is_reached() {
                tail.signal(Signal::WINCH);
                pause_ms(1);
            }
        });
        for first in (2..=9_902).step_by(100) {
            logs.append("a.log", first..=first + 99);
            pause_ms(2);
        }
        tail.until_line(10_001);
    });
    tail.end().printed_lines(1..=10_001).quietly();
}

#[test]
fn a_full_output_device_is_status_1_and_says_so() {
    let logs = Logs::with("a.log", 1..=5);
    let run = logs.rtail("follow a.log").through(r#"exec "$@" > /dev/full"#);
    run.run().with_status(1).notices_are(&["write error: No space left on device"]);
}

#[test]
fn messages_that_can_not_be_written_lose_no_lines() {
    let logs = Logs::with("a.log", 1..=5);
    let tail = logs.rtail("follow -q missing a.log").through(r#"exec "$@" 2> /dev/full"#).start();
    tail.until_line(5);
    logs.append("a.log", 6..=6).replace("a.log", lines(7..=7));
    tail.until_line(7);
    tail.end().printed_lines(1..=7);
}

#[test]
fn input_without_end_or_lines_hears_signals_and_keeps_to_its_time() {
    let logs = Logs::new();
    for args in ["follow /dev/urandom", "follow -n 1 /dev/zero", "follow --no-follow -n 5 /dev/urandom"] {
        let tail = logs.rtail(args).start();
        pause_ms(200);
        tail.end_by(Signal::TERM).died_of(Signal::TERM);
    }
    logs.rtail("follow --timeout 300ms /dev/urandom").run().with_status(0);
}

#[test]
fn a_search_through_a_huge_file_can_be_interrupted() {
    let logs = Logs::holding("a.log", "L1\n");
    logs.truncate("a.log", 200 << 30);
    for args in ["follow -n 10 a.log", "follow -n +3 a.log"] {
        let tail = logs.rtail(args).start();
        pause_ms(200);
        tail.end_by(Signal::TERM).died_of(Signal::TERM);
    }
}

#[test]
fn time_is_up_although_nobody_reads() {
    let logs = Logs::with("a.log", 1..=400_000);
    let tail = logs.rtail("follow -n +1 --timeout 500ms a.log").drained(Drain::WhenTold).start();
    tail.until_blocked();
    let ended = tail.ended().with_status(0);
    assert!(lines(1..=400_000).starts_with(&ended.stdout), "what was printed is no beginning of the log");
}

#[test]
fn standard_input_is_left_where_reading_came_to() {
    let logs = Logs::with("a.log", 1..=5);
    for (script, expected) in [
        (r#""$@" -n 1; cat"#, "L5\n"),
        (r#"read line; "$@" -n +2; cat"#, "L3\nL4\nL5\n"),
        (r#""$@" -n 1 --timeout 100ms -f; cat"#, "L5\n"),
    ] {
        let follow = if script.contains("--timeout") { "follow" } else { "follow --no-follow" };
        let run = logs.rtail(follow).through(script).stdin(std::fs::File::open(logs.path("a.log")).unwrap());
        run.run().printed(expected);
    }
}

#[test]
fn a_pipe_is_watched_for_a_line_as_it_comes() {
    let logs = Logs::new();
    let script = r#"(echo one; echo READY; while sleep 0.1; do echo more; done) 2>&- | "$@""#;
    logs.rtail("follow --until READY").through(script).run().printed("one\nREADY\n").with_status(0);
    let script = r#"(echo one; echo two) | "$@""#;
    logs.rtail("follow --until READY").through(script).run().printed("one\ntwo\n").with_status(3);
}

#[test]
fn what_was_rewritten_last_is_read_before_the_end() {
    let logs = Logs::with("a.log", 1..=100);
    let tail = logs.rtail("follow -n +1 --poll=60s --timeout 2s a.log").start();
    tail.until_line(100);
    logs.write("a.log", "L101\n");
    tail.ended().printed_lines(1..=101).with_status(0);
}

#[test]
fn standard_input_that_was_not_read_is_left_where_it_was() {
    let logs = Logs::with("a.log", 1..=400_000);
    logs.append("b.log", 1..=5);
    let script = r#"read line; "$@" | head -n 1; cat"#;
    let run = logs.rtail("follow --no-follow -q -n +1 a.log -").through(script);
    run.stdin(std::fs::File::open(logs.path("b.log")).unwrap()).run().printed("L1\nL2\nL3\nL4\nL5\n");
}

#[test]
fn time_is_up_although_nobody_reads_the_line_that_was_waited_for() {
    let logs = Logs::with("a.log", 1..=1);
    let tail = logs.rtail("follow -n +1 --until END --timeout 1s a.log").drained(Drain::WhenTold).start();
    tail.until_watching();
    logs.append("a.log", 2..=400_000).append_bytes("a.log", "END\n");
    tail.ended();
}
