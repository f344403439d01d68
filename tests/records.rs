//! `rtail stream --format json`: which records there are, in which order, and that accounts add up.

mod common;

use common::{Drain, Logs, Mode, Signal, Tail, Writer, find_program, in_both_modes, lines, pause_ms, rounds};
use serde_json::Value;

// What becomes of files.

in_both_modes!(a_rotation_is_told_between_the_two_files_and_late_lines_are_the_old_ones);
fn a_rotation_is_told_between_the_two_files_and_late_lines_are_the_old_ones(mode: Mode) {
    let logs = Logs::with("a.log", 1..=10);
    let tail = logs.stream(mode, "--format json a.log");
    tail.until_line(10).stop();
    logs.append("a.log", 11..=11).rename("a.log", "a.log.1").append("a.log", 12..=13);
    tail.cont().until_line(13);
    logs.append("a.log.1", 14..=14);
    tail.until_line(14);
    logs.append("a.log", 15..=15);
    tail.until_line(15);
    tail.end().quietly().records().tell(&[
        "open a.log A at 0",
        "lines A 0-35",
        "rotate A to B, now a.log.1",
        "open a.log B at 0",
        "lines B 0-8",
        "lines A 35-39",
        "lines B 8-12",
        "end by signal: a.log A at 39, a.log B at 12",
    ]);
}

in_both_modes!(three_rotations_are_told_one_by_one);
fn three_rotations_are_told_one_by_one(mode: Mode) {
    let logs = Logs::with("a.log", 1..=1);
    let tail = logs.stream(mode, "--format json --rotate-wait 1h a.log");
    tail.until_line(1);
    for generation in 2..=4 {
        tail.stop();
        logs.cascade("a.log", 5).append("a.log", generation..=generation);
        tail.cont().until_line(generation);
    }
    tail.end().quietly().records().tell(&[
        "open a.log A at 0",
        "lines A 0-3",
        "rotate A to B, now a.log.1",
        "open a.log B at 0",
        "lines B 0-3",
        "rotate B to C, now a.log.1",
        "open a.log C at 0",
        "lines C 0-3",
        "rotate C to D, now a.log.1",
        "open a.log D at 0",
        "lines D 0-3",
        "end by signal: a.log A at 3, a.log B at 3, a.log C at 3, a.log D at 3",
    ]);
}

in_both_modes!(a_removal_is_an_error_until_there_is_a_new_file);
fn a_removal_is_an_error_until_there_is_a_new_file(mode: Mode) {
    let logs = Logs::with("a.log", 1..=10);
    let tail = logs.stream(mode, "--format json a.log");
    tail.until_line(10);
    logs.remove("a.log");
    tail.until_record("error");
    logs.append("a.log", 11..=12);
    tail.until_line(12);
    tail.end().quietly().records().tell(&[
        "open a.log A at 0",
        "lines A 0-31",
        "error open a.log: No such file or directory, tried again",
        "rotate A to B",
        "open a.log B at 0",
        "lines B 0-8",
        "end by signal: a.log A at 31, a.log B at 8",
    ]);
}

in_both_modes!(a_line_finished_after_the_rename_is_whole_and_before_the_rotation);
fn a_line_finished_after_the_rename_is_whole_and_before_the_rotation(mode: Mode) {
    let logs = Logs::holding("a.log", "L1\nL");
    let tail = logs.stream(mode, "--format json --rotate-wait 1h a.log");
    tail.until_line(1).stop();
    logs.rename("a.log", "a.log.1").append("a.log", 3..=3);
    tail.cont();
    pause_ms(50);
    logs.append_bytes("a.log.1", "2\n");
    tail.until_line(3);
    tail.end().quietly().records().hold(lines(1..=3)).tell(&[
        "open a.log A at 0",
        "lines A 0-6",
        "rotate A to B, now a.log.1",
        "open a.log B at 0",
        "lines B 0-3",
        "end by signal: a.log A at 6, a.log B at 3",
    ]);
}

in_both_modes!(a_line_that_is_never_finished_is_told_to_be_so_at_the_end_of_its_file);
fn a_line_that_is_never_finished_is_told_to_be_so_at_the_end_of_its_file(mode: Mode) {
    let logs = Logs::holding("a.log", "L1\nfrag");
    let tail = logs.stream(mode, "--format json --rotate-wait 100ms a.log");
    tail.until_line(1).stop();
    logs.rename("a.log", "a.log.1").append("a.log", 2..=2);
    tail.cont().until_line(2);
    tail.end().quietly().records().tell(&[
        "open a.log A at 0",
        "lines A 0-3",
        "unterminated A 3-7",
        "rotate A to B",
        "open a.log B at 0",
        "lines B 0-3",
        "end by signal: a.log B at 3",
    ]);
}

#[test]
fn a_file_that_comes_back_goes_on_where_its_lines_did() {
    let logs = Logs::holding("a.log", "L1\nL");
    let tail = logs.stream(Mode::Events, "--format json a.log");
    tail.until_line(1);
    logs.rename("a.log", "b.log");
    tail.until_record("error");
    logs.rename("b.log", "a.log");
    tail.until("it is followed again", |said| {
        String::from_utf8_lossy(&said.stdout).matches(r#""type":"open""#).count() == 2
    });
    logs.append_bytes("a.log", "2\n");
    tail.until_line(2);
    tail.end().quietly().records().tell(&[
        "open a.log A at 0",
        "lines A 0-3",
        "error open a.log: No such file or directory, tried again",
        "open a.log A at 3",
        "lines A 3-6",
        "end by signal: a.log A at 6",
    ]);
}

in_both_modes!(a_truncation_is_told_with_its_evidence);
fn a_truncation_is_told_with_its_evidence(mode: Mode) {
    // What becomes of 40 bytes that were read, while nobody looks, and what is told of it.
    let rewritten = |content: Vec<u8>| move |logs: &Logs| _ = logs.write("a.log", &content);
    told_of_a_change(
        mode,
        rewritten(lines(20..=24)),
        &["truncate A (size) at 40 to 20, on at 0", "lines A 0-20", "end by signal: a.log A at 20"],
    );
    told_of_a_change(
        mode,
        rewritten([lines(30..=39), lines(20..=24)].concat()),
        &["truncate A (content) at 40 to 60, on at 0", "lines A 0-60", "end by signal: a.log A at 60"],
    );
    told_of_a_change(
        mode,
        |logs| _ = logs.truncate("a.log", 0).truncate("a.log", 400).append("a.log", 20..=24),
        &[
            "truncate A (hole) at 40 to 420, on at 0",
            "gap A 0-400: nul_bytes",
            "lines A 400-420",
            "end by signal: a.log A at 420",
        ],
    );
}

#[track_caller]
fn told_of_a_change(mode: Mode, change: impl Fn(&Logs), expected: &[&str]) {
    let logs = Logs::with("a.log", 10..=19);
    let tail = logs.stream(mode, "--format json a.log");
    tail.until_line(19).stop();
    change(&logs);
    tail.cont().until_line(24);
    tail.end().quietly().records().tell(&[&["open a.log A at 0", "lines A 0-40"], expected].concat());
}

in_both_modes!(a_log_cut_off_at_its_end_goes_on_there);
fn a_log_cut_off_at_its_end_goes_on_there(mode: Mode) {
    let logs = Logs::with("a.log", 10..=19);
    let tail = logs.stream(mode, "--format json a.log");
    tail.until_line(19);
    logs.truncate("a.log", 12);
    tail.until_record("truncate");
    logs.append("a.log", 20..=21);
    tail.until_line(21);
    tail.end().quietly().records().tell(&[
        "open a.log A at 0",
        "lines A 0-40",
        "truncate A (size) at 40 to 12, on at 12",
        "lines A 12-20",
        "end by signal: a.log A at 20",
    ]);
}

in_both_modes!(a_head_cut_away_in_place_is_told_with_where_reading_goes_on);
fn a_head_cut_away_in_place_is_told_with_where_reading_goes_on(mode: Mode) {
    let logs = Logs::with("a.log", 1000..=1199);
    let tail = logs.stream(mode, "--format json a.log");
    tail.until_line(1199).stop();
    // As a ring buffer does: the same file, its oldest half gone.
    logs.write("a.log", lines(1100..=1219));
    tail.cont().until_line(1219);
    tail.end().quietly().records().hold(lines(1000..=1219)).tell(&[
        "open a.log A at 0",
        "lines A 0-1200",
        "truncate A (content) at 1200 to 720, on at 600",
        "lines A 600-720",
        "end by signal: a.log A at 720",
    ]);
}

in_both_modes!(a_fragment_before_a_truncation_is_a_line_of_its_own);
fn a_fragment_before_a_truncation_is_a_line_of_its_own(mode: Mode) {
    let logs = Logs::holding("a.log", "L1\nL2");
    let tail = logs.stream(mode, "--format json a.log");
    tail.until_line(1);
    logs.write("a.log", "");
    tail.until_record("truncate");
    logs.append("a.log", 3..=4);
    tail.until_line(4);
    tail.end().quietly().records().tell(&[
        "open a.log A at 0",
        "lines A 0-3",
        "unterminated A 3-5",
        "truncate A (size) at 5 to 0, on at 0",
        "lines A 0-6",
        "end by signal: a.log A at 6",
    ]);
}

in_both_modes!(a_rewriting_with_the_same_bytes_is_ambiguous_once);
fn a_rewriting_with_the_same_bytes_is_ambiguous_once(mode: Mode) {
    let logs = Logs::with("a.log", 1..=10);
    let tail = logs.stream(mode, "--format json a.log");
    tail.until_line(10).stop();
    pause_ms(20);
    logs.write("a.log", lines(1..=10));
    tail.cont().until_record("ambiguous");
    logs.append("a.log", 11..=11);
    tail.until_line(11);
    tail.end().quietly().records().tell(&[
        "open a.log A at 0",
        "lines A 0-31",
        "ambiguous A",
        "lines A 31-35",
        "end by signal: a.log A at 35",
    ]);
}

/// A log of more than a pipe takes, and a stream of it that has come as far as it can.
fn blocked(args: &str) -> (Logs, Vec<u8>, Tail) {
    let bulk = lines(1_000_000..=1_399_999);
    let logs = Logs::holding("a.log", &bulk);
    let tail = logs.rtail(&format!("stream {args} a.log")).drained(Drain::WhenTold).start();
    tail.until_blocked();
    (logs, bulk, tail)
}

#[test]
fn what_was_cut_off_unread_is_a_gap_before_the_truncation() {
    let (logs, bulk, tail) = blocked("--format json --summary");
    tail.stop();
    logs.write("a.log", lines(1..=10));
    tail.cont().drain().until_line(10);
    let ended = tail.end().quietly();
    let records = ended.records();
    let (gap, end) = (records.of("gap")[0], bulk.len());
    let from = usize::try_from(gap["from"].as_u64().unwrap_or_default()).unwrap();
    // Up to the gap, all of it; a line that was cut by the truncation ends there.
    let whole_lines = bulk[..from].iter().rposition(|&byte| byte == b'\n').map_or(0, |last| last + 1);
    let mut story = vec!["open a.log A at 0".to_owned(), format!("lines A 0-{whole_lines}")];
    if whole_lines < from {
        story.push(format!("unterminated A {whole_lines}-{from}"));
    }
    story.extend([
        format!("gap A {from}-{end}: truncated"),
        format!("truncate A (size) at {from} to 31, on at 0"),
        "lines A 0-31".to_owned(),
        "end by signal: a.log A, a.log A at 31".to_owned(),
    ]);
    assert_eq!(records.story(), story);
    assert_eq!(records.text(), [&bulk[..from], &lines(1..=10)].concat());
    let first = format!("a.log A: {end} = {from} delivered + {} lost", end - from);
    assert_eq!(records.accounts(), [first, "a.log A: 31 = 31 delivered".to_owned()]);
}

in_both_modes!(a_name_that_means_a_directory_now_ends_it);
fn a_name_that_means_a_directory_now_ends_it(mode: Mode) {
    let logs = Logs::with("a.log", 1..=10);
    let tail = logs.stream(mode, "--format json a.log");
    tail.until_line(10).stop();
    logs.rename("a.log", "a.log.1").make_dir("a.log");
    tail.cont();
    let cause = "'a.log' has been replaced with an untailable file; giving up on this name";
    tail.ended().with_status(1).notices_are(&[cause]).records().tell(&[
        "open a.log A at 0",
        "lines A 0-31",
        "error open a.log: Is a directory",
        &format!("end by error ({cause}): a.log A at 31"),
    ]);
}

#[test]
fn a_file_has_the_same_id_after_a_rename_and_a_restart_and_no_other_has_it() {
    let logs = Logs::with("a.log", 1..=1);
    logs.append("b.log", 2..=2);
    let ids = |args: &str| -> Vec<String> {
        let ended = logs.rtail(&format!("stream --no-follow --format json {args}")).run().with_status(0);
        let records = ended.records();
        records.of("open").iter().map(|open| open["file_id"].as_str().unwrap_or_default().to_owned()).collect()
    };
    let before = ids("a.log b.log");
    assert_ne!(before[0], before[1]);
    assert!(before.iter().all(|id| id.len() == 16 && id.bytes().all(|byte| byte.is_ascii_hexdigit())), "{before:?}");
    logs.rename("a.log", "c.log").append("c.log", 3..=3).replace("a.log", "L4\n");
    assert_eq!(ids("c.log b.log"), before);
    assert!(!before.contains(&ids("a.log")[0]));
}

#[test]
fn an_open_record_tells_how_large_the_file_is() {
    let logs = Logs::with("a.log", 1..=5);
    let ended = logs.rtail("stream --no-follow --format json --since-offset 6 a.log").run();
    let open = ended.records().of("open")[0].clone();
    assert_eq!((open["offset"].as_u64(), open["size"].as_u64()), (Some(6), Some(15)));
}

// Lines that are records themselves.

#[test]
fn lines_that_are_objects_are_given_parsed_and_others_are_no_error() {
    for (line, parsed) in [
        (r#"{"a":1,"b":[true,null,"x"]}"#, Ok(r#"{"a":1,"b":[true,null,"x"]}"#)),
        ("{}", Ok("{}")),
        ("  { \"a\" : 1.50 } \r", Ok(r#"{"a":1.50}"#)),
        (r#"{"a":{"b":{}},"a":2}"#, Ok(r#"{"a":2}"#)),
        (r#"{"ü":"\u00fc\n"}"#, Ok(r#"{"ü":"ü\n"}"#)),
        ("plain text", Err(())),
        ("", Err(())),
        ("{", Err(())),
        ("[1]", Err(())),
        ("17", Err(())),
        ("null", Err(())),
        (r#"{"a":1} {"b":2}"#, Err(())),
        (r#"{"a":}"#, Err(())),
    ] {
        let logs = Logs::holding("a.log", format!("{line}\nL1\n"));
        let ended = logs.rtail("stream --no-follow --format json --parse json --strict a.log").run();
        let records = ended.with_status(0).quietly().records().hold(format!("{line}\nL1\n"));
        let record = records.of("line")[0];
        match parsed {
            Ok(fields) => {
                let fields: serde_json::Value = serde_json::from_str(fields).unwrap();
                assert_eq!(
                    (&record["fields"], &record["parse_error"]),
                    (&fields, &serde_json::Value::Null),
                    "{line}"
                );
            }
            Err(()) => assert!(record["parse_error"].is_string() && record["fields"].is_null(), "{line}: {record}"),
        }
    }
}

#[test]
fn pieces_and_bytes_that_are_no_text_are_not_parsed() {
    let logs = Logs::holding("a.log", &b"{\"a\":\"0123456789\"}\n{\"a\":\"\xff\"}\n{\"a\":1}"[..]);
    let ended = logs.rtail("stream --no-follow --format json --parse json --max-line 10 a.log").run().with_status(0);
    let records = ended.quietly().records();
    let parsed: Vec<_> = records.of("line").iter().map(|line| line["fields"].is_object()).collect();
    assert_eq!(parsed, [false, false, false, true]);
    assert_eq!(records.of("line")[3]["unterminated"], true);
}

// Several files.

in_both_modes!(eight_logs_and_eight_writers_make_records_that_are_whole);
fn eight_logs_and_eight_writers_make_records_that_are_whole(mode: Mode) {
    let logs = Logs::new();
    let names: Vec<String> = (0..8).map(|number| format!("log-{number}")).collect();
    let tail = logs.stream(mode, &format!("--wait --summary --format json {}", names.join(" ")));
    let count = rounds(150, 3_000) as usize;
    let written: Vec<Vec<u8>> = std::thread::scope(|scope| {
        let writers: Vec<_> = names
            .iter()
            .map(|name| {
                let mut file = logs.open(name);
                scope.spawn(move || {
                    let mut written = Vec::new();
                    for number in 0..count {
                        // From a newline alone to 70 KB, most of them short.
                        let len = if number % 50 == 49 { 70_000 } else { (number * number * 31) % 3_000 };
                        let mut line = vec![b'a' + u8::try_from(number % 26).unwrap_or_default(); len];
                        line.push(b'\n');
                        // Some in two writes.
                        let cut = if number % 3 == 0 { len / 2 } else { 0 };
                        if cut > 0 {
                            file.write(&line[..cut]);
                        }
                        file.write(&line[cut..]);
                        written.extend(line);
                    }
                    file.write(format!("{name} ends\n"));
                    written.extend(format!("{name} ends\n").bytes());
                    written
                })
            })
            .collect();
        writers.into_iter().map(|writer| writer.join().unwrap_or_default()).collect()
    });
    for name in &names {
        let (mut seen, end) = (0, format!(r#""text":"{name} ends""#));
        tail.until(&format!("{name} was read to its end"), |said| {
            let found = memchr::memmem::find(&said.stdout[seen..], end.as_bytes()).is_some();
            seen = said.stdout.len().saturating_sub(end.len());
            found
        });
    }
    let records = tail.end().quietly().records();
    assert_eq!(records.of("line").len(), 8 * (count + 1));
    for (name, written) in names.iter().zip(&written) {
        assert!(records.text_of(name) == *written, "{name} came otherwise than it was written");
    }
}

// Why it ends.

#[test]
fn the_last_record_tells_why_it_ends() {
    let end = |args: &str, status: i32| {
        let logs = Logs::with("a.log", 1..=5);
        let ended = logs.rtail(&format!("stream --format json {args} a.log")).run().with_status(status).quietly();
        ended.records().story().pop().unwrap_or_default()
    };
    assert_eq!(end("--no-follow", 0), "end by end_of_file: a.log A at 15");
    assert_eq!(end("--until ^L3$", 0), "end by until: a.log A at 9");
    assert_eq!(end("--timeout 200ms", 0), "end by timeout: a.log A at 15");
    assert_eq!(end("--timeout 200ms --until nothing", 3), "end by timeout: a.log A at 15");
    assert_eq!(end("--no-follow --until nothing", 3), "end by end_of_file: a.log A at 15");
    assert_eq!(end("--idle-timeout 200ms", 0), "end by idle_timeout: a.log A at 15");
    assert_eq!(end("--while-locked", 0), "end by unlocked: a.log A at 15");
    let gone = Writer::script(&Logs::new(), "read go").pid();
    assert_eq!(end(&format!("--pid {gone}"), 0), "end by pid: a.log A at 15");
}

// Accounts.

fn contains(bytes: &[u8], text: &str) -> bool {
    memchr::memmem::find(bytes, text.as_bytes()).is_some()
}

/// Both forms of the account of the same story: `play` is given a stream that has delivered `L1` to `L10`, and brings
/// it to its end.
#[track_caller]
fn accounts(mode: Mode, args: &str, play: impl Fn(&Logs, &Tail), expected: &[&str]) {
    for format in common::Format::ALL {
        let logs = Logs::with("a.log", 1..=10);
        let tail = logs.stream(mode, &format!("--summary {format} {args} a.log"));
        tail.until_line(10);
        play(&logs, &tail);
        let ended = tail.end();
        match format {
            common::Format::Json => assert_eq!(ended.records().accounts(), expected),
            common::Format::Raw => drop(ended.accounted(expected)),
        }
    }
}

in_both_modes!(accounts_add_up_whatever_becomes_of_the_file);
fn accounts_add_up_whatever_becomes_of_the_file(mode: Mode) {
    accounts(mode, "", |_, _| {}, &["a.log A: 31 = 31 delivered"]);
    accounts(mode, "--since-offset 6", |_, _| {}, &["a.log A: 31 = 6 not asked for + 25 delivered"]);
    let fragment = |logs: &Logs, tail: &Tail| {
        logs.append_bytes("a.log", "L11\nL12");
        tail.until_line(11);
    };
    accounts(mode, "", fragment, &["a.log A: 38 = 35 delivered + 3 held back"]);
    let rotation = |logs: &Logs, tail: &Tail| {
        logs.rename("a.log", "a.log.1").append("a.log", 11..=12);
        tail.until_line(12);
        logs.append("a.log.1", 13..=13);
        tail.until_line(13);
    };
    accounts(mode, "", rotation, &["a.log A: 35 = 35 delivered", "a.log B: 8 = 8 delivered"]);
    let truncation = |logs: &Logs, tail: &Tail| {
        logs.copytruncate("a.log", "a.copy").append("a.log", 11..=12);
        tail.until_line(12);
    };
    accounts(mode, "", truncation, &["a.log A: 31 = 31 delivered", "a.log A: 8 = 8 delivered"]);
    let fragment_before_a_rotation = |logs: &Logs, tail: &Tail| {
        logs.append_bytes("a.log", "L11\nfrag");
        tail.until_line(11).stop();
        logs.rename("a.log", "a.log.1").append("a.log", 12..=12);
        tail.cont().until_line(12);
    };
    let expected = ["a.log A: 39 = 39 delivered", "a.log B: 4 = 4 delivered"];
    accounts(mode, "--rotate-wait 50ms", fragment_before_a_rotation, &expected);
}

in_both_modes!(accounts_add_up_though_a_file_was_shortened);
fn accounts_add_up_though_a_file_was_shortened(mode: Mode) {
    let shortened = |logs: &Logs, tail: &Tail| {
        logs.truncate("a.log", 15);
        tail.until("the truncation was told", |said| said.noticed("truncated") || contains(&said.stdout, "truncate"));
        logs.append("a.log", 11..=12);
        tail.until_line(12);
    };
    // The 16 bytes cut off were delivered before; 39 is what there was in all.
    accounts(mode, "", shortened, &["a.log A: 39 = 39 delivered"]);
}

in_both_modes!(accounts_add_up_though_there_was_a_hole);
fn accounts_add_up_though_there_was_a_hole(mode: Mode) {
    let hole = |logs: &Logs, tail: &Tail| {
        tail.stop();
        logs.truncate("a.log", 0).truncate("a.log", 31).append("a.log", 11..=12);
        tail.cont().until_line(12);
    };
    accounts(mode, "", hole, &["a.log A: 31 = 31 delivered", "a.log A: 39 = 8 delivered + 31 skipped"]);
}

#[test]
fn accounts_add_up_though_the_output_was_cut() {
    let (_logs, bulk, tail) = blocked("--summary");
    let ended = tail.end_by(Signal::TERM);
    let came = ended.stdout.iter().rposition(|&byte| byte == b'\n').map_or(0, |last| last + 1);
    // What was read and not accepted is held back, what stands behind it unread: the rest of the file in all.
    let account = ended.accounts().pop().unwrap_or_default();
    let (begin, rest) = (format!("a.log A: {} = {came} delivered + ", bulk.len()), bulk.len() - came);
    let terms: Vec<_> = account.strip_prefix(&begin).unwrap_or_default().split(" + ").collect();
    let count = |what: &str| {
        let counts =
            terms.iter().filter_map(|term| term.strip_suffix(what)).filter_map(|count| count.parse::<usize>().ok());
        counts.sum::<usize>()
    };
    assert_eq!(count(" held back") + count(" unread"), rest, "{account}");
    assert!(count(" held back") > 0, "{account}");
    assert!(bulk.starts_with(&ended.stdout), "what came is the beginning of it");
}

#[test]
fn accounts_of_many_generations_are_told_together() {
    let logs = Logs::with("a.log", 1..=1);
    let last = 130;
    let tail = logs.stream(Mode::Events, "--summary --format json --rotate-wait 0 a.log");
    tail.until_line(1);
    for generation in 2..=last {
        logs.cascade("a.log", 3).append("a.log", generation..=generation);
        tail.until_line(generation);
    }
    let records = tail.end().records().hold(lines(1..=last));
    let accounts = records.accounts();
    assert!(accounts[0].starts_with("a.log earlier ones: "), "{accounts:?}");
    assert!(accounts.len() <= 103, "{} accounts", accounts.len());
}

#[test]
fn several_files_have_an_account_each() {
    let logs = Logs::with("a.log", 1..=5);
    logs.append("b.log", 11..=15).append_bytes("b.log", "no end");
    let args = "stream --no-follow --summary a.log b.log";
    let ended = logs.rtail(args).run().with_status(0);
    ended.accounted(&["a.log A: 15 = 15 delivered", "b.log B: 26 = 26 delivered"]).quietly();
}

#[test]
fn a_file_that_never_came_has_an_account_of_nothing() {
    let logs = Logs::with("a.log", 1..=1);
    let line = "stream --wait --summary b.log a.log c.log";
    let tail = logs.rtail(line).start();
    tail.until_line(1);
    let nothing = |name| {
        let terms = ["not asked for", "delivered", "filtered", "held back", "skipped", "lost", "unread"]
            .map(|term| format!("0 {term}"));
        format!("summary: '{name}' (no file): 0 bytes on disk = {}\n", terms.join(" + "))
    };
    let ended = tail.end();
    assert_eq!(ended.accounts().len(), 3);
    ended.noticed(&nothing("b.log")).noticed(&nothing("c.log")).never_noticed("add up");

    let tail = logs.rtail(line).args("--format json").start();
    tail.until_line(1);
    let records = tail.end().records();
    let files = records.of("end")[0]["files"].as_array().unwrap();
    let members = |file: &Value| file.as_object().unwrap().keys().cloned().collect::<Vec<_>>();
    assert_eq!(
        files.iter().map(|file| file["path"].as_str().unwrap()).collect::<Vec<_>>(),
        ["a.log", "b.log", "c.log"]
    );
    for file in &files[1..] {
        assert_eq!(members(file), ["account", "path"]);
        assert!(file["account"].as_object().unwrap().values().all(|count| *count == 0), "{file}");
    }
}

#[test]
fn a_lock_that_is_given_up_is_told_as_the_end() {
    if find_program("flock").is_none() {
        return;
    }
    let logs = Logs::with("a.log", 1..=1);
    let writer = Writer::script(&logs, "exec 9>> a.log; flock 9; read go; echo L2 >&9");
    logs.until_locked("a.log");
    let tail = logs.stream(Mode::Events, "--format json --while-locked a.log");
    tail.until_line(1);
    writer.go();
    let story = ["open a.log A at 0", "lines A 0-6", "end by unlocked: a.log A at 6"];
    tail.ended().with_status(0).quietly().records().tell(&story);
}
