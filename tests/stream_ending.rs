//! How `rtail stream` ends, and with which status.

mod common;

use std::io::Write as _;
use std::time::Duration;

use common::{
    Drain, Enough, Format, Logs, Mode, Run, Signal, Tail, Writer, find_program, in_both_modes, lines, pause,
    pause_ms, rounds,
};

/// The signals that ask for an orderly end.
const REQUESTS: [Signal; 3] = [Signal::TERM, Signal::INT, Signal::HUP];

/// More lines than any pipe takes.
fn bulk() -> Vec<u8> {
    lines(1_000_000..=1_399_999)
}

/// Plays a scenario for each signal and form of output, with a stream of `a.log`.
fn for_each_signal(mode: Mode, logs: &Logs, args: &str, play: impl Fn(Run<'_>, Signal, Format)) {
    for signal in REQUESTS {
        for format in Format::ALL {
            let run = logs.streaming(mode, &format!("{args} {format} a.log")).with_default_signals();
            play(run, signal, format);
        }
    }
}

in_both_modes!(a_signal_ends_it_while_it_waits_for_a_log);
fn a_signal_ends_it_while_it_waits_for_a_log(mode: Mode) {
    for_each_signal(mode, &Logs::new(), "--wait", |run, signal, format| {
        let tail = run.start();
        if format == Format::Json {
            tail.until_record("error");
            let story = ["error open a.log: No such file or directory, tried again", "end by signal: "];
            tail.end_by(signal).quietly().records().tell(&story);
        } else {
            tail.until_noticed("cannot open");
            let notice = "cannot open 'a.log' for reading: No such file or directory";
            tail.end_by(signal).printed("").notices_are(&[notice]);
        }
    });
}

in_both_modes!(a_signal_ends_it_while_it_is_idle);
fn a_signal_ends_it_while_it_is_idle(mode: Mode) {
    for_each_signal(mode, &Logs::with("a.log", 1..=5), "", |run, signal, format| {
        let tail = run.start();
        tail.until_line(5);
        tail.end_by(signal).read_as(format).printed_lines(1..=5).quietly();
    });
}

in_both_modes!(a_signal_ends_it_while_its_output_is_blocked);
fn a_signal_ends_it_while_its_output_is_blocked(mode: Mode) {
    let bulk = bulk();
    for_each_signal(mode, &Logs::holding("a.log", &bulk), "", |run, signal, format| {
        let tail = run.drained(Drain::WhenTold).start();
        tail.until_blocked();
        let ended = tail.end_by(signal);
        let came = match format {
            Format::Raw => ended.stdout.clone(),
            Format::Json => ended.records_until_cut().text(),
        };
        assert!(bulk.starts_with(&came), "what came before the end is whole");
        assert!((1..bulk.len()).contains(&came.len()), "{} bytes came", came.len());
    });
}

#[test]
fn the_edge_of_the_last_read_is_no_unfinished_line() {
    let logs = Logs::holding("a.log", bulk());
    for format in Format::ALL {
        let run = || logs.rtail(&format!("stream {format} a.log"));
        let tail = run().drained(Drain::WhenTold).start();
        tail.until_blocked();
        tail.end_by(Signal::TERM).quietly();
        run().drained(Drain::OneLine).run().died_of(Signal::PIPE).quietly();
    }
}

in_both_modes!(a_signal_under_load_ends_it_between_two_lines);
fn a_signal_under_load_ends_it_between_two_lines(mode: Mode) {
    for (signal, format) in REQUESTS.into_iter().zip([Format::Raw, Format::Json, Format::Raw]) {
        let logs = Logs::with("a.log", 0..=0);
        logs.append("b.log", 10_000_000..=10_000_000);
        let tail = logs.streaming(mode, &format!("{format} a.log b.log")).with_default_signals().start();
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
        ended.read_as(format).printed_prefixes(&[lines(0..=written[0]), lines(10_000_000..=written[1])]);
    }
}

#[test]
fn a_signal_ignored_at_the_start_stays_ignored() {
    let logs = Logs::with("a.log", 1..=1);
    let tail = logs.rtail("stream a.log").through(r#"trap "" HUP INT; exec "$@""#).start();
    tail.until_line(1).signal(Signal::HUP).signal(Signal::INT);
    pause_ms(50);
    logs.append("a.log", 2..=2);
    tail.until_line(2);
    tail.end().printed_lines(1..=2).quietly();
}

#[test]
fn a_signal_ends_it_though_it_reads_a_pipe_that_says_nothing() {
    let logs = Logs::new();
    let (reader, mut writer) = std::io::pipe().unwrap();
    let tail = logs.rtail("stream -").stdin(reader).start();
    writer.write_all(b"L1\nfrag").unwrap();
    tail.until_line(1);
    let notice = "'standard input': held back 4 bytes that end no line (offsets 3-7)";
    tail.end_by(Signal::TERM).printed_lines(1..=1).notices_are(&[notice]);
}

in_both_modes!(it_can_be_started_and_ended_again_and_again_on_one_log);
fn it_can_be_started_and_ended_again_and_again_on_one_log(mode: Mode) {
    let logs = Logs::with("a.log", 1..=1);
    for number in 2..=rounds(30, 300) {
        let tail = logs.stream(mode, "--from end a.log");
        // Whether it has begun or not, the line is there, and nothing is between the end and the next start.
        pause(Duration::from_micros(u64::from(number) * 137 % 3_000));
        tail.end_by(Signal::TERM);
        let tail = logs.stream(mode, "a.log");
        tail.until_line(number - 1);
        logs.append("a.log", number..=number);
        tail.until_line(number);
        tail.end().printed_lines(1..=number).quietly();
    }
}

// Readers that have enough.

in_both_modes!(a_closed_reader_ends_it_though_no_data_flow);
fn a_closed_reader_ends_it_though_no_data_flow(mode: Mode) {
    for format in Format::ALL {
        let logs = Logs::with("a.log", 1..=5);
        let tail = logs.streaming(mode, &format!("{format} a.log")).drained(Drain::OneLine).start();
        tail.ended().died_of(Signal::PIPE).quietly();
    }
}

#[test]
fn a_reader_closed_before_anything_was_printed_ends_it() {
    let logs = Logs::holding("a.log", "");
    // The shell's own status is that of the last command, so the first one's is written down.
    let run = logs.rtail("stream a.log").through(r#"{ "$@"; echo $? > status; } | :"#);
    run.run().with_status(0).printed("").quietly();
    assert_eq!(logs.read("status"), b"141\n");
}

#[test]
fn a_closed_reader_is_status_1_where_its_signal_is_ignored() {
    let logs = Logs::with("a.log", 1..=5);
    let run = logs.rtail("stream a.log").through(r#"trap "" PIPE; exec "$@""#);
    run.drained(Drain::OneLine).run().with_status(1);
}

#[test]
fn a_reader_that_wants_one_line_does_not_make_it_read_a_big_log() {
    let logs = Logs::holding("a.log", lines(1..=3_000_000));
    for format in Format::ALL {
        let run = logs.rtail(&format!("stream {format} a.log"));
        let tail = run.drained(Drain::OneLineWhenTold).start();
        let read = tail.until_blocked().bytes_read();
        tail.drain();
        tail.ended().died_of(Signal::PIPE);
        assert!(read < 8 << 20, "{read} bytes were read");
    }
}

// The line that is waited for.

in_both_modes!(the_line_that_is_waited_for_is_the_last_one);
fn the_line_that_is_waited_for_is_the_last_one(mode: Mode) {
    for format in Format::ALL {
        let logs = Logs::with("a.log", 1..=5);
        let tail = logs.stream(mode, &format!("--until L[78] {format} a.log"));
        tail.until_line(5);
        // More comes with it in one write, and some of it matches, too.
        logs.append_bytes("a.log", lines(6..=9));
        tail.ended().with_status(0).read_as(format).printed_lines(1..=7).quietly();
    }
}

#[test]
fn a_line_that_is_there_already_is_waited_for_no_longer() {
    for format in Format::ALL {
        for follow in ["", "--no-follow"] {
            let logs = Logs::with("a.log", 1..=100_000);
            let ended = logs.rtail(&format!("stream {follow} --until ^L777$ {format} a.log")).run();
            ended.with_status(0).read_as(format).printed_lines(1..=777).quietly();
        }
    }
}

#[test]
fn the_end_of_a_line_is_no_part_of_what_matches() {
    for (content, status) in [("one\nEND\r\ntwo\n", 0), ("one\nEND", 0), ("one\nEND two\n", 3), ("one\nEN", 3)] {
        for format in Format::ALL {
            let logs = Logs::holding("a.log", content);
            let ended = logs.rtail(&format!("stream --no-follow --until ^END$ {format} a.log")).run();
            let expected = if status == 0 { content.trim_end_matches("two\n") } else { content };
            ended.with_status(status).read_as(format).printed(expected).quietly();
        }
    }
}

in_both_modes!(a_line_in_any_of_several_files_is_the_last_one_of_all);
fn a_line_in_any_of_several_files_is_the_last_one_of_all(mode: Mode) {
    for format in Format::ALL {
        let logs = Logs::with("a.log", 1..=5);
        logs.append("b.log", 101..=105);
        let tail = logs.stream(mode, &format!("--until END {format} a.log b.log"));
        tail.until_line(5).until_line(105);
        logs.append_bytes("b.log", "END\nL106\n");
        let ended = tail.ended().with_status(0).read_as(format).quietly();
        ended.printed_interleaved(&[lines(1..=5), [lines(101..=105), b"END\n".to_vec()].concat()]);
    }
}

// Time.

in_both_modes!(time_is_up_and_all_that_was_written_came);
fn time_is_up_and_all_that_was_written_came(mode: Mode) {
    for (args, format, status) in [("", Format::Raw, 0), ("--until nothing", Format::Json, 3)] {
        let logs = Logs::with("a.log", 1..=5);
        let tail = logs.stream(mode, &format!("--timeout 1s {args} {format} a.log"));
        tail.until_line(5).stop();
        logs.append("a.log", 6..=10);
        pause_ms(1_000);
        tail.cont();
        tail.ended().with_status(status).read_as(format).printed_lines(1..=10).quietly();
    }
}

in_both_modes!(quiet_time_begins_anew_with_each_line);
fn quiet_time_begins_anew_with_each_line(mode: Mode) {
    let logs = Logs::with("a.log", 1..=1);
    let tail = logs.stream(mode, "--idle-timeout 800ms a.log");
    for number in 2..=4 {
        pause_ms(400);
        logs.append("a.log", number..=number);
        tail.until_line(number);
    }
    tail.ended().with_status(0).printed_lines(1..=4).quietly();
}

#[test]
fn time_is_up_although_nobody_reads() {
    let bulk = bulk();
    let logs = Logs::holding("a.log", &bulk);
    for (args, status) in [("", 0), ("--until nothing", 3)] {
        let run = logs.rtail(&format!("stream --timeout 500ms {args} a.log"));
        let tail = run.drained(Drain::WhenTold).start();
        tail.until_blocked();
        let ended = tail.ended().with_status(status);
        assert!(bulk.starts_with(&ended.stdout), "what was printed is no beginning of the log");
    }
}

// Writers that end.

/// Shell text that writes the lines 1 to 100 into `a.log`.
const HUNDRED_LINES: &str = "i=0; while [ $((i += 1)) -le 100 ]; do echo L$i; done >> a.log";

/// Plays writers that end right after their last line, ten at a time: `before` is what each does until it is told to
/// write, and `start` starts a stream that is to end with it.
fn writers_that_end_at_once(before: &str, start: impl Fn(&Logs, &Writer, Format) -> Tail) {
    for _ in 0..rounds(1, 10) {
        let begin = |round: u32| {
            let logs = Logs::with("a.log", 0..=0);
            // Half of them are killed before they can do anything that an exit does.
            let exit = if round.is_multiple_of(2) { "exit" } else { "kill -9 $$" };
            let writer = Writer::script(&logs, &format!("{before} read go; {HUNDRED_LINES}; {exit}"));
            let format = if round % 4 < 2 { Format::Raw } else { Format::Json };
            let tail = start(&logs, &writer, format);
            tail.until_line(0);
            (logs, writer, format, tail)
        };
        let all: Vec<_> = (0..10).map(begin).collect();
        let go = |(logs, writer, format, tail): (Logs, Writer, Format, Tail)| {
            writer.go();
            (logs, format, tail)
        };
        let tails: Vec<_> = all.into_iter().map(go).collect();
        for (_logs, format, tail) in tails {
            tail.ended().with_status(0).read_as(format).printed_lines(0..=100).quietly();
        }
    }
}

in_both_modes!(it_ends_with_its_process_and_has_all_of_its_lines);
fn it_ends_with_its_process_and_has_all_of_its_lines(mode: Mode) {
    writers_that_end_at_once("", |logs, writer, format| {
        logs.stream(mode, &format!("--pid {} {format} a.log", writer.pid()))
    });
}

in_both_modes!(it_ends_with_the_lock_and_has_all_of_the_lines);
fn it_ends_with_the_lock_and_has_all_of_the_lines(mode: Mode) {
    if find_program("flock").is_none() {
        return;
    }
    writers_that_end_at_once("exec 9>> a.log; flock 9;", |logs, _, format| {
        logs.until_locked("a.log");
        logs.stream(mode, &format!("--while-locked {format} a.log"))
    });
}

#[test]
fn a_log_that_nobody_has_locked_is_read_to_its_end() {
    let logs = Logs::with("a.log", 1..=1000);
    logs.rtail("stream --while-locked a.log").run().with_status(0).printed_lines(1..=1000).quietly();
}

// What counts with --strict.

/// Plays `change` while a stream that has delivered `L10` to `L19` is stopped. It is to end with `L99`; the first
/// status is that without `--strict`, and the second one that with it.
#[track_caller]
fn strict_about(mode: Mode, change: impl Fn(&Logs), statuses: [i32; 2]) {
    for (args, status) in ["", "--strict"].into_iter().zip(statuses) {
        for format in Format::ALL {
            let logs = Logs::with("a.log", 10..=19);
            let tail = logs.stream(mode, &format!("--until ^L99$ {args} {format} a.log"));
            tail.until_line(19).stop();
            // So that a change of the same size has another time.
            pause_ms(10);
            change(&logs);
            tail.cont();
            if format == Format::Json {
                tail.until("something was told", |said| said.stdout.split(|&byte| byte == b'\n').count() > 12);
            } else if statuses != [0, 0] {
                tail.until("something was told", |said| !said.stderr.is_empty());
            }
            logs.append("a.log", 99..=99);
            tail.ended().with_status(status);
        }
    }
}

in_both_modes!(nothing_lost_is_no_gap);
fn nothing_lost_is_no_gap(mode: Mode) {
    strict_about(mode, |logs| _ = logs.rename("a.log", "a.log.1").append("a.log", 20..=25), [0, 0]);
    strict_about(mode, |logs| _ = logs.copytruncate("a.log", "a.copy").append("a.log", 20..=25), [0, 0]);
}

in_both_modes!(an_undecidable_case_and_a_hole_count_where_it_is_strict);
fn an_undecidable_case_and_a_hole_count_where_it_is_strict(mode: Mode) {
    strict_about(mode, |logs| _ = logs.write("a.log", lines(10..=19)), [0, 4]);
    strict_about(mode, |logs| _ = logs.truncate("a.log", 0).truncate("a.log", 400).append("a.log", 20..=21), [0, 4]);
}

#[test]
fn what_was_cut_off_unread_counts_where_it_is_strict() {
    for (args, status) in [("", 0), ("--strict", 4)] {
        for format in Format::ALL {
            let logs = Logs::holding("a.log", bulk());
            let run = logs.rtail(&format!("stream --until ^L10$ {args} {format} a.log"));
            let tail = run.drained(Drain::WhenTold).start();
            tail.until_blocked().stop();
            logs.write("a.log", lines(1..=10));
            tail.cont().drain();
            tail.ended().with_status(status);
        }
    }
}

#[test]
fn a_signal_is_the_status_however_strict_it_is() {
    let logs = Logs::with("a.log", 1..=10);
    let tail = logs.rtail("stream --strict a.log").start();
    tail.until_line(10).stop();
    pause_ms(10);
    logs.write("a.log", lines(1..=10));
    tail.cont().until_noticed("ambiguous");
    tail.end_by(Signal::TERM).printed_lines(1..=10);
}

#[test]
fn a_failure_is_the_status_however_strict_it_is() {
    let logs = Logs::with("a.log", 1..=10);
    let tail = logs.rtail("stream --strict a.log").start();
    tail.until_line(10).stop();
    pause_ms(10);
    logs.write("a.log", lines(1..=10));
    tail.cont().until_noticed("ambiguous");
    logs.rename("a.log", "b.log").make_dir("a.log");
    tail.ended().with_status(1).printed_lines(1..=10);
}

// Output that can't be written.

#[test]
fn an_output_that_can_not_be_written_is_status_1_and_says_so() {
    let logs = Logs::with("a.log", 1..=5);
    for follow in ["", "--no-follow"] {
        for format in Format::ALL {
            for (script, notice) in [
                (r#"exec "$@" > /dev/full"#, "write error: No space left on device"),
                (r#"exec "$@" >&-"#, "write error: Bad file descriptor"),
            ] {
                let run = logs.rtail(&format!("stream {follow} {format} a.log")).through(script);
                run.run().with_status(1).printed("").notices_are(&[notice]);
            }
        }
    }
}

#[test]
fn an_output_that_fills_up_on_the_way_is_status_1() {
    let content = lines(1..=100_000);
    let logs = Logs::holding("a.log", &content);
    let script = r#"trap "" XFSZ; ulimit -f 100; exec "$@" > ../out"#;
    logs.rtail("stream a.log").through(script).run().with_status(1).noticed_once("write error: File too large");
    let out = logs.read("../out");
    assert!(!out.is_empty() && content.starts_with(&out), "what was written is no beginning of the log");
}

#[test]
fn messages_that_can_not_be_written_lose_no_lines() {
    let logs = Logs::with("a.log", 1..=5);
    let tail = logs.rtail("stream --wait a.log missing").through(r#"exec "$@" 2> /dev/full"#).start();
    tail.until_line(5);
    logs.append("a.log", 6..=6).replace("a.log", lines(7..=7));
    tail.until_line(7);
    tail.end().printed_lines(1..=7);
}

#[test]
fn what_was_asked_for_in_vain_is_status_2() {
    let logs = Logs::with("a.log", 1..=5);
    for args in [
        "",
        "--no-such-option a.log",
        "--format xml a.log",
        "--since-offset -1 a.log",
        "--since-offset 1 a.log b.log",
        "--parse json a.log",
        "--no-follow --wait a.log",
        "--checkpoint at -",
        "--until ( a.log",
    ] {
        let ended = logs.rtail(&format!("stream {args}")).run().with_status(2).printed("");
        assert!(!ended.stderr.is_empty(), "nothing is said about {args:?}");
    }
}

#[test]
fn what_stands_behind_the_line_that_was_waited_for_is_accounted_for() {
    let logs = Logs::with("a.log", 1..=1000);
    logs.rtail("stream --until L5$ --summary a.log")
        .run()
        .with_status(0)
        .printed_lines(1..=5)
        .never_noticed("add up");
}

#[test]
fn a_line_of_several_pieces_that_is_waited_for_comes_to_its_end() {
    let logs = Logs::holding("a.log", "L1\nabcdXYZefghij\nL2\n");
    logs.rtail("stream --until XYZ --max-line 4 a.log").run().with_status(0).printed("L1\nabcdXYZefghij\n");
}

#[test]
fn pieces_are_pieces_wherever_a_stream_begins() {
    let logs = Logs::holding("a.log", "0123456789\nL2\n");
    let told = |offset: u64| {
        let run = logs.rtail(&format!("stream --no-follow --format json --max-line 4 --since-offset {offset} a.log"));
        run.run().with_status(0).records().of("line").into_iter().cloned().collect::<Vec<_>>()
    };
    let all = told(0);
    assert_eq!(all.iter().map(|line| line["piece"].as_str()).collect::<Vec<_>>().len(), 4);
    for (index, line) in all.iter().enumerate() {
        assert_eq!(told(line["offset"].as_u64().unwrap()), all[index..]);
    }
}

#[test]
fn two_names_of_one_file_have_an_account_each() {
    let logs = Logs::with("a.log", 1..=1);
    logs.hard_link("a.log", "b.log");
    let tail = logs.rtail("stream --summary a.log b.log").drained(Drain::WhenTold).start();
    tail.until("both were begun", |_| tail.bytes_waiting() == 2 * lines(1..=1).len());
    logs.append_bytes("a.log", lines(2..=300_000));
    tail.until_blocked();
    tail.end().noticed("summary: 'a.log'").noticed("summary: 'b.log'").never_noticed("add up");
}

#[test]
fn a_pattern_read_once_has_each_file_once() {
    let logs = Logs::with("a.log", 1..=3);
    logs.hard_link("a.log", "b.log").link("a.log", "c.log");
    logs.rtail("stream --no-follow *.log").run().with_status(0).printed_lines(1..=3).quietly();
}
