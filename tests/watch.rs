//! `rtail watch`: a directory of logs that come and go. What their sessions are called is tested in `watch_states`.

#![allow(clippy::expect_used, clippy::unwrap_used, reason = "helpers of tests may fail as tests do")]

mod common;

use common::sessions::{
    assert_text, behind_name, line_count, lines_by_file, records, story, text_of, until_last, until_line, watch,
};
use common::{Ended, Logs, Mode, Writer, in_both_modes, lines, pause_ms, rounds};
use serde_json::Value;

in_both_modes!(a_directory_is_watched_with_all_that_is_below_it);
fn a_directory_is_watched_with_all_that_is_below_it(mode: Mode) {
    let logs = Logs::with("old.log", 1..=3);
    logs.make_dir("sub").append("sub/locked.log", 1..=3);
    let mut writer = Writer::obeying(&logs, "sub/locked.log");
    writer.obey("lock");
    logs.until_locked("sub/locked.log");
    let tail = watch(&logs, mode, ".");
    until_last(&tail, "old.log", "completed by growth");
    until_line(&tail, "sub/locked.log", 3);
    logs.make_dir("later").make_dir("later/deep").append("later/deep/new.log", 1..=2);
    logs.append("old.log", 4..=4);
    writer.obey("write L4");
    until_line(&tail, "later/deep/new.log", 2);
    until_line(&tail, "old.log", 4);
    until_line(&tail, "sub/locked.log", 4);
    let ended = tail.end();
    assert_eq!(story(&ended.stdout, "old.log"), ["completed by growth", "active by growth", "L4"]);
    assert_eq!(story(&ended.stdout, "sub/locked.log"), ["active by lock", "L1", "L2", "L3", "L4"]);
    assert_eq!(story(&ended.stdout, "later/deep/new.log"), ["active by growth", "L1", "L2"]);
}

#[test]
fn people_see_lines_behind_names_and_what_becomes_of_sessions() {
    let logs = Logs::new();
    logs.make_dir("a").make_dir("b").append("a/x.log", 1..=1).append("b/y.log", 1..=1);
    let mut writer = Writer::obeying(&logs, "a/x.log");
    writer.obey("lock");
    logs.until_locked("a/x.log");
    let tail = logs.rtail("watch --idle-after 300ms a b").start();
    tail.until_printed("x.log | L1\n").until_noticed("'b/y.log': completed");
    logs.append("b/x.log", 2..=2);
    tail.until_printed("b/x.log | L2\n").until_noticed("'b/x.log': completed");
    writer.obey("part L;sleep 0.05;write 2");
    tail.until_printed("a/x.log | L2\n");
    let holder = writer.pid();
    writer.finish();
    tail.until_noticed("'a/x.log': completed");
    logs.append("b/y.log", 3..=3);
    tail.until_printed("y.log   | L3\n").until_noticed("'b/y.log': active");
    let ended = tail.end();
    ended.printed("x.log | L1\nb/x.log | L2\na/x.log | L2\ny.log   | L3\n").notices_are(&[
        &format!("'a/x.log': active (locked by {holder})"),
        "'b/y.log': completed (quiet)",
        "'b/x.log': active (growing)",
        "'b/x.log': completed (quiet)",
        "'a/x.log': completed (unlocked)",
        "'b/y.log': active (growing)",
    ]);
}

#[test]
fn a_line_that_was_begun_before_is_shown_whole_when_it_is_finished() {
    let logs = Logs::holding("a.log", "L1\nL");
    logs.append_bytes("b.log", "L");
    let tail = watch(&logs, Mode::Events, ".");
    until_last(&tail, "a.log", "completed by growth");
    until_last(&tail, "b.log", "completed by growth");
    logs.append_bytes("a.log", "2\n").append_bytes("b.log", "1\n");
    until_line(&tail, "a.log", 2);
    until_line(&tail, "b.log", 1);
    let ended = tail.end();
    assert_text(&ended, "a.log", 2..=2);
    assert_text(&ended, "b.log", 1..=1);
}

#[test]
fn a_line_that_was_begun_before_is_whole_however_long_unless_no_line_of_that_length_is() {
    const LONGEST: usize = 1 << 20;
    for (begun, expected) in [
        (70_000, (3, 70_001, None)),
        (LONGEST - 1, (3, LONGEST, None)),
        (LONGEST + 1, (LONGEST + 4, 1, Some("last"))),
    ] {
        let logs = Logs::holding("a.log", format!("L1\n{}", "x".repeat(begun)));
        let tail = watch(&logs, Mode::Events, ".");
        until_last(&tail, "a.log", "completed by growth");
        logs.append_bytes("a.log", "y\nL3\n");
        until_line(&tail, "a.log", 3);
        let ended = tail.end();
        let records = records(&ended.stdout);
        let lines: Vec<_> = records.iter().filter(|record| record["type"] == "line").collect();
        let (offset, length, piece) = expected;
        let text = format!("{}y", "x".repeat(length - 1));
        assert!(lines[0]["text"] == *text, "of {begun} bytes, {} came", lines[0]["text"].as_str().unwrap().len());
        assert_eq!(
            (lines[0]["offset"].as_u64(), lines[0]["piece"].as_str()),
            (Some(offset as u64), piece),
            "{begun}"
        );
        assert_eq!((lines.len(), &lines[1]["text"], &lines[1]["piece"]), (2, &"L3".into(), &Value::Null), "{begun}");
    }
}

#[test]
fn what_is_shown_of_what_is_there_can_be_chosen() {
    for (args, expected) in [
        ("", ""),
        ("--from end", ""),
        ("--from start", "L1\nL2\nL3\n"),
        ("-n 2", "L2\nL3\n"),
        ("-n +3", "L3\n"),
        ("--state none -n 1", "L3\n"),
    ] {
        let logs = Logs::with("a.log", 1..=3);
        let tail = watch(&logs, Mode::Events, &format!("{args} ."));
        tail.until("the file is open", |said| !records(&said.stdout).is_empty());
        logs.append("b.log", 1..=1).append("a.log", 4..=4);
        until_line(&tail, "a.log", 4);
        until_line(&tail, "b.log", 1);
        let ended = tail.end();
        let printed = text_of(&ended.stdout, "a.log");
        assert_eq!(String::from_utf8(printed).unwrap(), format!("{expected}L4\n"), "{args}");
    }
}

#[test]
fn files_and_directories_are_chosen_by_their_names() {
    let all =
        ["a.log", "b.txt", "c.log.gz", ".d.log", "one/e.log", "one/two/f.log", "target/g.log", "node_modules/h.log"];
    for (args, expected) in [
        (".", vec!["a.log", "b.txt", "one/e.log", "one/two/f.log"]),
        ("--glob *.log .", vec!["a.log", "one/e.log", "one/two/f.log"]),
        ("--glob *.gz --glob *.txt .", vec!["b.txt", "c.log.gz"]),
        ("--exclude-dir tw* .", vec!["a.log", "b.txt", "one/e.log"]),
        ("--depth 1 .", vec!["a.log", "b.txt"]),
        ("--depth 2 one", vec!["one/e.log", "one/two/f.log"]),
        ("target c.log.gz", vec!["c.log.gz", "target/g.log"]),
        ("*.log", vec!["a.log"]),
        ("o*", vec!["one/e.log", "one/two/f.log"]),
    ] {
        // Those that are there, and those that come.
        for late in [false, true] {
            let logs = Logs::new();
            for dir in ["one", "one/two", "target", "node_modules"] {
                logs.make_dir(dir);
            }
            let write = || {
                for name in all {
                    logs.append_bytes(name, "x\n");
                }
            };
            if !late {
                write();
            }
            let tail = watch(&logs, Mode::Events, &format!("--from start sentinel {args}"));
            tail.until_noticed("'sentinel': not there yet");
            if late {
                write();
            }
            logs.append("sentinel", 1..=1);
            until_line(&tail, "sentinel", 1);
            tail.until("all of them are open", |said| {
                records(&said.stdout).iter().filter(|record| record["type"] == "line").count() > expected.len()
            });
            let ended = tail.end();
            let mut found: Vec<_> = records(&ended.stdout)
                .into_iter()
                .filter(|record| record["type"] == "line")
                .map(|record| record["path"].as_str().unwrap().to_owned())
                .filter(|path| path != "sentinel")
                .collect();
            found.sort();
            assert_eq!(found, expected, "{args}, late: {late}");
        }
    }
}

// R9
in_both_modes!(a_rotated_log_is_the_same_session_under_another_name);
fn a_rotated_log_is_the_same_session_under_another_name(mode: Mode) {
    let logs = Logs::with("a.log", 1..=10);
    let tail = watch(&logs, mode, "--from start .");
    until_line(&tail, "a.log", 10);
    for generation in 1..rounds(12, 60) {
        logs.cascade("a.log", 3).append("a.log", generation * 10 + 1..=generation * 10 + 10);
        tail.until("the new one is read", |said| {
            let line = format!("L{}", generation * 10 + 10);
            records(&said.stdout).iter().any(|record| record["text"] == *line)
        });
    }
    let ended = tail.end();
    let texts = records(&ended.stdout).into_iter().filter(|record| record["type"] == "line");
    let printed: Vec<_> = texts.map(|record| record["text"].as_str().unwrap().to_owned()).collect();
    assert_eq!(printed, (1..=rounds(12, 60) * 10).map(|number| format!("L{number}")).collect::<Vec<_>>());
}

in_both_modes!(lines_of_a_log_that_is_rotated_under_load_come_once_whatever_their_files_are_called);
fn lines_of_a_log_that_is_rotated_under_load_come_once_whatever_their_files_are_called(mode: Mode) {
    let logs = Logs::new();
    let tail = watch(&logs, mode, "--from start a.log*");
    tail.until_noticed("no file matches yet");
    let generations = rounds(12, 60);
    let program = format!(
        "
import os, sys
log = sys.argv[1]
for generation in range({generations}):
    for number in reversed(range(generation)):
        os.rename(log + '.%d' % number if number else log, log + '.%d' % (number + 1))
    with open(log, 'ab', buffering=0) as file:
        for number in range(20):
            file.write(b'L%d\\n' % (20 * generation + number + 1))
"
    );
    Writer::python(&logs, &program, "a.log").finish();
    let count = generations * 20;
    tail.until("all lines", |said| {
        lines_by_file(&said.stdout).values().map(Vec::len).sum::<usize>() >= count as usize
    });
    let ended = tail.end();
    let opened: Vec<_> = records(&ended.stdout).into_iter().filter(|record| record["type"] == "open").collect();
    assert_eq!(opened.len(), generations as usize, "each file is one session, whatever its names");
    let mut of_files: Vec<_> = lines_by_file(&ended.stdout).into_values().collect();
    of_files.sort_by_key(|lines| lines[0][1..].parse::<u32>().unwrap());
    assert_eq!(of_files.concat(), (1..=count).map(|number| format!("L{number}")).collect::<Vec<_>>());
}

// S11
#[test]
fn a_line_appended_while_the_backlog_is_read_comes_too() {
    let logs = Logs::new();
    let count = rounds(1_000_000, 20_000_000);
    logs.append_bytes("a.log", lines(1..=count));
    let tail = logs.rtail("watch --from start --state none .").start();
    tail.until_bytes(1);
    logs.append("a.log", count + 1..=count + 1);
    let last = format!("a.log | L{}\n", count + 1);
    tail.until_printed(&last);
    tail.end().printed(behind_name("a.log", 1..=count + 1));
}

// E5
#[test]
fn a_file_made_with_its_directory_is_not_missed() {
    let logs = Logs::new();
    let tail = watch(&logs, Mode::Events, "--from start .");
    tail.until_watching();
    for number in 1..=rounds(25, 200) {
        let dir = format!("d{number}");
        Writer::script(&logs, &format!("mkdir {dir} && echo L0 > {dir}/x.log")).finish();
        until_line(&tail, &format!("{dir}/x.log"), 0);
    }
    let ended = tail.end();
    let came: Vec<_> = (1..=rounds(25, 200)).map(|number| format!("d{number}/x.log")).collect();
    for path in &came {
        assert_text(&ended, path, 0..=0);
    }
    let lines = records(&ended.stdout).into_iter().filter(|record| record["type"] == "line").count();
    assert_eq!(lines, came.len());
}

#[test]
fn patterns_do_not_miss_a_file_made_with_its_directory_either() {
    for command in ["stream --wait", "follow -q"] {
        let logs = Logs::new();
        let tail = logs.rtail(command).arg("d*/x.log").start();
        tail.until_watching();
        let count = rounds(15, 200);
        for number in 1..=count {
            Writer::script(&logs, &format!("mkdir d{number} && echo L0 > d{number}/x.log")).finish();
            tail.until_bytes(number as usize * "L0\n".len());
        }
        tail.end().printed("L0\n".repeat(count as usize));
    }
}

// E8
#[test]
fn a_tree_that_changes_all_the_time_is_survived() {
    let logs = Logs::new();
    for number in 0..8 {
        logs.make_dir(&format!("t{number}"));
    }
    logs.append("last.log", 1..=1);
    let tail = watch(&logs, Mode::Events, "--from start --rotate-wait 100ms .");
    until_line(&tail, "last.log", 1);
    until_last(&tail, "last.log", "completed by growth");
    let before = tail.resources();
    let script = |number: u32| {
        format!(
            "end=$(($(date +%s) + {})); n=0; while [ $(date +%s) -lt $end ]; do n=$((n+1)); mkdir -p t{number}/d$n; \
             echo x > t{number}/d$n/x.log; mv t{number}/d$n t{number}/e$n; echo y >> t{number}/e$n/x.log; \
             rm -r t{number}/e$n; done",
            rounds(2, 30)
        )
    };
    let writers: Vec<_> = (0..8).map(|number| Writer::script(&logs, &script(number))).collect();
    writers.into_iter().for_each(Writer::finish);
    logs.append("last.log", 2..=2);
    until_line(&tail, "last.log", 2);
    tail.until_no_more_than(before);
    let ended = tail.end().never_noticed("panick");
    assert_text(&ended, "last.log", 1..=2);
    for (file, lines) in lines_by_file(&ended.stdout) {
        let all = ["L1", "L2"].as_slice() == lines
            || ["x", "y"].starts_with(&lines.iter().map(String::as_str).collect::<Vec<_>>());
        assert!(all, "{file}: {lines:?}");
    }
}

// L6
#[test]
fn lines_of_many_writers_stay_whole() {
    let logs = Logs::new();
    let program = "
import os, sys
log = os.open(sys.argv[1], os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)
name = os.path.basename(sys.argv[1])[0]
for number in range(48):
    size = [1, 80, 4095, 4096, 8192, 70000][number % 6]
    os.write(log, (name * size + '\\n').encode())
";
    let expected = |letter: char| -> Vec<u8> {
        let sizes = [1, 80, 4095, 4096, 8192, 70_000];
        (0..48)
            .flat_map(|number| format!("{}\n", letter.to_string().repeat(sizes[number % 6])).into_bytes())
            .collect()
    };
    let names = ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h'];
    for format in ["json", "text"] {
        for name in names {
            logs.write(format!("{name}.log"), "");
        }
        let tail = logs.rtail("watch --state none --from start .").args("--format").args(format).start();
        let writers: Vec<_> =
            names.iter().map(|name| Writer::python(&logs, program, &format!("{name}.log"))).collect();
        writers.into_iter().for_each(Writer::finish);
        logs.append_bytes("a.log", "end\n");
        tail.until("the last line", |said| {
            if format == "text" { line_count(&said.stdout) == 385 } else { line_count(&said.stdout) == 393 }
        });
        let ended = tail.end();
        for name in names {
            let path = format!("{name}.log");
            let printed = if format == "json" {
                text_of(&ended.stdout, &path)
            } else {
                let label = format!("{path} | ");
                let lines = ended.stdout.split_inclusive(|&byte| byte == b'\n');
                lines.filter_map(|line| line.strip_prefix(label.as_bytes())).flatten().copied().collect()
            };
            let mut expected = expected(name);
            if name == 'a' {
                expected.extend_from_slice(b"end\n");
            }
            assert!(printed == expected, "{format}: {path} differs");
        }
    }
}

// E7
#[test]
fn more_files_than_descriptors_are_all_followed() {
    let logs = Logs::new();
    let (limit, count) = if common::soaking() { (64, 500) } else { (40, 120) };
    for number in 0..count / 2 {
        logs.append(format!("{number}.log"), 1..=1);
    }
    let run = logs.rtail("watch --format json --from start .").through(format!(r#"ulimit -n {limit}; exec "$@""#));
    let tail = run.start();
    for number in 0..count / 2 {
        until_line(&tail, &format!("{number}.log"), 1);
    }
    for number in count / 2..count {
        logs.append(format!("{number}.log"), 1..=1);
    }
    for round in 2..=3 {
        for number in 0..count {
            logs.append(format!("{number}.log"), round..=round);
        }
        for number in 0..count {
            until_line(&tail, &format!("{number}.log"), round);
        }
    }
    for number in 0..count {
        logs.rename(format!("{number}.log"), format!("{number}.log.1")).append(format!("{number}.log"), 4..=4);
    }
    for number in 0..count {
        until_line(&tail, &format!("{number}.log"), 4);
    }
    let ended = tail.end();
    for number in 0..count {
        assert_text(&ended, &format!("{number}.log"), 1..=4);
    }
    ended.never_noticed("lost").never_noticed("polling");
}

#[test]
fn what_is_missing_is_waited_for_and_what_is_removed_comes_back() {
    let logs = Logs::new();
    let tail = logs.rtail("watch some/dir p*/*.log").start();
    tail.until_noticed("'some/dir': not there yet; waiting for it").until_noticed("'p*/*.log': no file matches yet");
    logs.make_dir("some").make_dir("some/dir").append("some/dir/a.log", 1..=1);
    tail.until_printed("a.log | L1\n");
    logs.make_dir("p1").append("p1/b.log", 2..=2);
    tail.until_printed("b.log | L2\n");
    logs.remove_dir("some");
    tail.until_noticed("'some/dir': not there any more; waiting for it");
    logs.make_dir("some").make_dir("some/dir").append("some/dir/c.log", 3..=3);
    tail.until_printed("c.log | L3\n");
    tail.end().printed("a.log | L1\nb.log | L2\nc.log | L3\n");
}

#[test]
fn what_cannot_be_read_is_said_and_the_rest_is_shown() {
    let logs = Logs::new();
    logs.make_dir("shut").append("shut/a.log", 1..=1).append("closed.log", 1..=1).append("open.log", 1..=1);
    logs.permit("shut", 0).permit("closed.log", 0);
    let Some(run) = logs.rtail("watch --from start .").by_nobody() else { return };
    let tail = run.start();
    tail.until_printed("open.log | L1\n").until_noticed("cannot read directory 'shut': Permission denied");
    tail.until_noticed("cannot open 'closed.log' for reading: Permission denied");
    logs.permit("closed.log", 0o644);
    tail.until_printed("closed.log | L1\n");
    logs.permit("shut", 0o755);
    tail.end().printed("open.log | L1\nclosed.log | L1\n");
}

#[test]
fn links_lead_to_files_and_to_no_directories_but_the_one_that_was_named() {
    let logs = Logs::new();
    logs.make_dir("real").make_dir("elsewhere").append("elsewhere/a.log", 1..=1).append("elsewhere/b.log", 1..=1);
    logs.link("real", "named")
        .link(".", "real/loop")
        .link("../elsewhere", "real/dir")
        .link("../elsewhere/a.log", "real/a.log");
    let tail = watch(&logs, Mode::Events, "--from start named");
    until_line(&tail, "named/a.log", 1);
    logs.append("real/c.log", 1..=1).append("elsewhere/a.log", 2..=2);
    until_line(&tail, "named/c.log", 1);
    until_line(&tail, "named/a.log", 2);
    let ended = tail.end();
    assert_text(&ended, "named/a.log", 1..=2);
    let count = records(&ended.stdout).into_iter().filter(|record| record["type"] == "open").count();
    assert_eq!(count, 2);
}

#[test]
fn its_own_files_are_not_watched() {
    let logs = Logs::with("a.log", 1..=3);
    let tail = watch(&logs, Mode::Events, "--checkpoint pos --from start .");
    until_line(&tail, "a.log", 3);
    tail.until("the checkpoint is saved", |_| logs.path("pos").exists());
    for number in 4..=6 {
        logs.append("a.log", number..=number);
        until_line(&tail, "a.log", number);
        pause_ms(600);
    }
    let ended = tail.end().quietly();
    assert_text(&ended, "a.log", 1..=6);
    assert!(records(&ended.stdout).iter().all(|record| record["type"] == "end" || record["path"] == "a.log"));
}

#[test]
fn a_later_run_goes_on_where_the_last_one_ended() {
    let logs = Logs::new();
    logs.make_dir("d");
    let names = ["a.log", "d/b.log", "c.log", "d/e.log"];
    for name in names {
        logs.append(name, 1..=5);
    }
    let line = "--checkpoint ../pos --from start --keep 1 --idle-after 100ms .";
    let tail = watch(&logs, Mode::Events, line);
    for name in names {
        until_last(&tail, name, "completed by growth");
    }
    let ended = tail.end();
    for name in names {
        assert_text(&ended, name, 1..=5);
    }

    for name in names {
        logs.append(name, 6..=7);
    }
    logs.rename("c.log", "c.log.1").append("c.log", 8..=9).append("d/new.log", 1..=2);
    let tail = watch(&logs, Mode::Events, line);
    for (name, last) in [("a.log", 7), ("d/b.log", 7), ("c.log.1", 7), ("d/e.log", 7), ("c.log", 9), ("d/new.log", 2)]
    {
        until_line(&tail, name, last);
    }
    let ended = tail.end();
    for (name, numbers) in
        [("a.log", 6..=7), ("d/b.log", 6..=7), ("c.log.1", 6..=7), ("d/e.log", 6..=7), ("c.log", 8..=9)]
    {
        assert_text(&ended, name, numbers);
    }
    assert_text(&ended, "d/new.log", 1..=2);
}

in_both_modes!(all_that_is_told_of_files_goes_by_names_as_they_were_asked_for);
fn all_that_is_told_of_files_goes_by_names_as_they_were_asked_for(mode: Mode) {
    let all_below = |ended: &Ended, base: &str| {
        let records = records(&ended.stdout);
        let files = records.last().unwrap()["files"].as_array().unwrap();
        let told: Vec<_> = records.iter().filter(|record| record["type"] != "end").chain(files).collect();
        let names = told.iter().flat_map(|record| [&record["path"], &record["renamed_to"]]).filter_map(Value::as_str);
        let others: Vec<_> = names.filter(|name| !name.starts_with(base)).collect();
        assert!(others.is_empty(), "not below {base}: {others:?}");
        records
    };
    for (operand, base) in [("w", "w/"), ("w/*.log", "w/"), ("./w", "./w/"), ("../logs/w", "../logs/w/")] {
        for command in ["watch --from start", "stream"]
            .into_iter()
            .filter(|command| !(*command == "stream" && operand != "w/*.log"))
        {
            let logs = Logs::new();
            logs.make_dir("w").append("w/a.log", 1..=1).append("w/gone.log", 1..=1);
            let line = format!("{command} --format json --checkpoint pos --rotate-wait 100ms");
            let run = || {
                let run = logs.rtail(&line).arg(operand);
                if mode == Mode::Polling { run.args("--poll=20ms").start() } else { run.start() }
            };
            let a = format!("{base}a.log");
            let tail = run();
            until_line(&tail, &a, 1);
            until_line(&tail, &format!("{base}gone.log"), 1);
            all_below(&tail.end(), base);

            logs.remove("w/gone.log");
            let tail = run();
            tail.until_record("gap");
            logs.append("w/a.log", 2..=2);
            until_line(&tail, &a, 2);
            logs.replace("w/b.log", "L1\n").rename("w/a.log", "w/a.old").append("w/a.log", 3..=3);
            until_line(&tail, &a, 3);
            let records = all_below(&tail.end(), base);
            let gaps: Vec<_> = records.iter().filter(|record| record["type"] == "gap").collect();
            assert_eq!((gaps.len(), &gaps[0]["path"]), (1, &format!("{base}gone.log").into()));
            if operand == "w/*.log" {
                let rotated: Vec<_> = records.iter().filter(|record| record["type"] == "rotate").collect();
                assert_eq!((rotated.len(), &rotated[0]["renamed_to"]), (1, &"w/a.old".into()));
            }
        }
    }
}

#[test]
fn sessions_below_directories_that_a_pattern_stands_for_are_resumed() {
    let logs = Logs::new();
    logs.make_dir("one").make_dir("two").append("one/a.log", 1..=1).append("two/b.log", 1..=1);
    let line = "--checkpoint pos --from start o* t*";
    let tail = watch(&logs, Mode::Events, line);
    until_line(&tail, "one/a.log", 1);
    until_line(&tail, "two/b.log", 1);
    tail.end();
    logs.append("one/a.log", 2..=2).append("two/b.log", 2..=2);
    let tail = watch(&logs, Mode::Events, line);
    until_line(&tail, "one/a.log", 2);
    until_line(&tail, "two/b.log", 2);
    let ended = tail.end();
    assert_text(&ended, "one/a.log", 2..=2);
    assert_text(&ended, "two/b.log", 2..=2);
}
