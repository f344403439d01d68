//! `rtail stream`: what is delivered, of which files, from where on.

mod common;

use std::ffi::OsStr;
use std::fs::File;
use std::os::unix::ffi::OsStrExt as _;
use std::time::Duration;

use common::{Drain, Format, Logs, Mode, Signal, in_both_modes, lines, pause_ms, rounds, soaking};

/// Lines as logs should not have them: foreign ends, NULs, control characters, bytes that are no text, and at the end
/// one without an end.
fn motley() -> Vec<u8> {
    let mut text: Vec<u8> = (0..=255).collect();
    text.extend(b"\r\nlone\rreturn\r\n\n\n\0\0 not a hole\n\x1b[31mred\x1b[0m\x07\n\xff\xfe\xc3\n\"quoted\" \\\n");
    text.extend("grüße, 世界 🦀 \u{2028}\u{85}\n\u{feff}\n\tthe end".bytes());
    text
}

#[test]
fn what_comes_out_is_the_file() {
    let content = [motley(), b"\n".to_vec(), lines(1..=20_000), motley()].concat();
    let logs = Logs::holding("a.log", &content);
    for format in Format::ALL {
        let run = logs.rtail(&format!("stream --no-follow {format} a.log"));
        run.run().with_status(0).read_as(format).printed(&content).quietly();
    }
}

#[test]
fn an_empty_file_is_nothing_and_no_error() {
    let logs = Logs::holding("a.log", "");
    logs.rtail("stream --no-follow a.log").run().with_status(0).printed("").quietly();
    let ended = logs.rtail("stream --no-follow --format json a.log").run().with_status(0).quietly();
    ended.records().tell(&["open a.log A at 0", "end by end_of_file: a.log A at 0"]);
}

in_both_modes!(a_log_is_followed_and_its_unfinished_line_held_back);
fn a_log_is_followed_and_its_unfinished_line_held_back(mode: Mode) {
    for format in Format::ALL {
        let logs = Logs::holding("a.log", "L1\nL2\nL");
        let tail = logs.stream(mode, &format!("{format} a.log"));
        tail.until_line(2);
        logs.append_bytes("a.log", "3\nL4\nfrag");
        tail.until_line(4);
        let ended = tail.end().read_as(format).printed_lines(1..=4);
        ended.notices_are(&["'a.log': held back 4 bytes that end no line (offsets 12-16)"]);
    }
}

in_both_modes!(a_log_is_followed_through_rotation_and_truncation);
fn a_log_is_followed_through_rotation_and_truncation(mode: Mode) {
    for format in Format::ALL {
        let logs = Logs::with("a.log", 1..=50);
        let tail = logs.stream(mode, &format!("{format} a.log"));
        tail.until_line(50);
        for generation in 1..=10 {
            let first = generation * 50 + 1;
            if generation % 3 == 0 {
                logs.copytruncate("a.log", "a.copy");
            } else {
                logs.rename("a.log", format!("a.log.{generation}"));
            }
            logs.append("a.log", first..=first + 49);
            tail.until_line(first + 49);
        }
        tail.end().read_as(format).printed_lines(1..=550).never_noticed("lost");
    }
}

// What is not there, and what can't be read.

#[test]
fn a_file_that_can_not_be_read_is_status_1_and_nothing_comes_of_the_others() {
    for (name, notice) in [
        ("missing.log", "cannot open 'missing.log' for reading: No such file or directory"),
        ("missing/a.log", "cannot open 'missing/a.log' for reading: No such file or directory"),
        ("good.log/below", "cannot open 'good.log/below' for reading: Not a directory"),
        ("directory", "error reading 'directory': Is a directory"),
    ] {
        let logs = Logs::with("good.log", 1..=5);
        logs.make_dir("directory");
        for format in Format::ALL {
            for args in [name, &format!("good.log {name}"), &format!("{name} good.log")] {
                for follow in ["", "--no-follow"] {
                    let run = logs.rtail(&format!("stream {follow} {format} {args}"));
                    run.run().with_status(1).printed("").notices_are(&[notice]);
                }
            }
        }
    }
}

#[test]
fn a_file_that_may_not_be_read_is_status_1() {
    let logs = Logs::with("a.log", 1..=5);
    logs.append("good.log", 1..=5).permit("a.log", 0);
    let Some(run) = logs.rtail("stream good.log a.log").by_nobody() else { return };
    run.run().with_status(1).printed("").notices_are(&["cannot open 'a.log' for reading: Permission denied"]);
}

#[test]
fn the_first_of_two_failures_is_the_one_it_ends_with() {
    let logs = Logs::new();
    let ended = logs.rtail("stream one two").run().with_status(1).printed("");
    ended.notices_are(&["cannot open 'one' for reading: No such file or directory"]);
}

in_both_modes!(a_file_that_comes_later_is_waited_for_where_that_is_asked_for);
fn a_file_that_comes_later_is_waited_for_where_that_is_asked_for(mode: Mode) {
    for format in Format::ALL {
        for wait in ["--wait", "--wait=60s"] {
            let logs = Logs::with("a.log", 101..=105);
            let tail = logs.stream(mode, &format!("{wait} {format} a.log dir/b.log"));
            tail.until_line(105);
            logs.make_dir("dir").append("dir/b.log", 1..=5);
            tail.until_line(5);
            logs.append("dir/b.log", 6..=6).append("a.log", 106..=106);
            tail.until_line(6).until_line(106);
            tail.end().read_as(format).printed_ranges([1..=6, 101..=106]);
        }
    }
}

in_both_modes!(a_file_that_never_comes_is_not_waited_for_longer_than_asked);
fn a_file_that_never_comes_is_not_waited_for_longer_than_asked(mode: Mode) {
    let logs = Logs::with("a.log", 1..=5);
    let cannot = "cannot open 'b.log' for reading: No such file or directory";
    let in_vain = "'b.log': waited in vain: it is still missing";
    let ended = logs.streaming(mode, "--wait=300ms a.log b.log").run();
    ended.with_status(1).printed_lines(1..=5).notices_are(&[cannot, in_vain]);
    // In records, what is said of files is said there; only what ended it is said to people, too.
    let ended = logs.streaming(mode, "--wait=300ms --format json a.log b.log").run();
    let ended = ended.with_status(1).notices_are(&[in_vain]);
    let records = ended.records().hold(lines(1..=5));
    assert_eq!(records.of("end")[0]["reason"], "error");
    assert_eq!(records.of("end")[0]["message"], in_vain);
    assert_eq!(records.of("error")[0]["path"], "b.log");
}

in_both_modes!(a_file_that_came_in_time_has_no_time_to_keep_any_more);
fn a_file_that_came_in_time_has_no_time_to_keep_any_more(mode: Mode) {
    let logs = Logs::new();
    let tail = logs.stream(mode, "--wait=500ms a.log");
    tail.until_noticed("cannot open");
    logs.append("a.log", 1..=1);
    tail.until_line(1);
    logs.remove("a.log");
    tail.until_noticed("inaccessible");
    pause_ms(700);
    logs.append("a.log", 2..=2);
    tail.until_line(2);
    tail.end().printed_lines(1..=2);
}

in_both_modes!(a_file_that_vanishes_later_is_waited_for);
fn a_file_that_vanishes_later_is_waited_for(mode: Mode) {
    let logs = Logs::new();
    logs.make_dir("dir").append("dir/a.log", 1..=10);
    let tail = logs.stream(mode, "dir/a.log");
    tail.until_line(10);
    for generation in 1..=3 {
        logs.remove_dir("dir");
        tail.until("it is gone again", |said| {
            String::from_utf8_lossy(&said.stderr).matches("has become inaccessible").count() > 0
        });
        logs.make_dir("dir").append("dir/a.log", generation * 10 + 1..=generation * 10 + 10);
        tail.until_line(generation * 10 + 10);
    }
    tail.end().printed_lines(1..=40);
}

// Where it begins.

in_both_modes!(from_the_end_only_what_is_new_comes);
fn from_the_end_only_what_is_new_comes(mode: Mode) {
    for format in Format::ALL {
        let logs = Logs::with("a.log", 1..=100);
        logs.append("live.log", 0..=0);
        let tail = logs.stream(mode, &format!("--from end --wait {format} a.log b.log"));
        if format == Format::Json {
            tail.until_record("open");
        } else {
            tail.until_noticed("cannot open 'b.log'");
        }
        // Both names have been looked at by then, the second one being the one it was told of last.
        logs.append("a.log", 101..=110).append("b.log", 201..=210);
        tail.until_line(110).until_line(210);
        tail.end().read_as(format).printed_ranges([101..=110, 201..=210]);
    }
}

#[test]
fn each_offset_gives_exactly_the_rest() {
    let content = "one\ntwo\r\n\nfür 世界\nno end".as_bytes();
    let logs = Logs::holding("a.log", content);
    for offset in 0..=content.len() {
        for format in Format::ALL {
            let run = logs.rtail(&format!("stream --no-follow {format} --since-offset {offset} a.log"));
            run.run().with_status(0).read_as(format).printed(&content[offset..]).quietly();
        }
    }
}

#[test]
fn the_next_offset_of_a_record_is_where_the_next_run_goes_on() {
    let content = lines(1..=20);
    let logs = Logs::holding("a.log", &content);
    let whole = logs.rtail("stream --no-follow --format json a.log").run();
    for line in whole.records().of("line") {
        let next = line["next_offset"].as_u64().unwrap_or_default();
        let rest = logs.rtail(&format!("stream --no-follow --format json --since-offset {next} a.log")).run();
        let rest = rest.records();
        assert_eq!(rest.of("open")[0]["offset"], next);
        rest.hold(&content[usize::try_from(next).unwrap()..]);
    }
}

in_both_modes!(an_offset_is_followed_from);
fn an_offset_is_followed_from(mode: Mode) {
    let logs = Logs::with("a.log", 1..=9);
    let tail = logs.stream(mode, "--since-offset 12 a.log");
    tail.until_line(9);
    logs.append("a.log", 10..=12).rename("a.log", "a.log.1").append("a.log", 13..=13);
    tail.until_line(13);
    tail.end().printed_lines(5..=13);
}

in_both_modes!(an_offset_beyond_the_end_loses_nothing_and_says_so);
fn an_offset_beyond_the_end_loses_nothing_and_says_so(mode: Mode) {
    let said = "'a.log': offset 16 lies beyond the end (15 bytes): truncated or replaced since; beginning at 0";
    let logs = Logs::with("a.log", 1..=5);
    logs.rtail("stream --no-follow --since-offset 16 a.log")
        .run()
        .with_status(0)
        .printed_lines(1..=5)
        .notices_are(&[said]);
    let ended = logs.rtail("stream --no-follow --format json --since-offset 16 a.log").run().with_status(0).quietly();
    ended.records().tell(&[
        "truncate A (size) at 16 to 15, on at 0",
        "open a.log A at 0",
        "lines A 0-15",
        "end by end_of_file: a.log A at 15",
    ]);
    let tail = logs.stream(mode, "--since-offset 1000000 a.log");
    tail.until_line(5);
    logs.append("a.log", 6..=6);
    tail.until_line(6);
    tail.end().printed_lines(1..=6).noticed_once("offset 1000000 lies beyond the end (15 bytes)");
}

#[test]
fn standard_input_is_read_from_where_its_offset_is() {
    let logs = Logs::with("a.log", 1..=5);
    let from_the_second_line = r#"read line; exec "$@""#;
    for format in Format::ALL {
        let run = logs.rtail(&format!("stream --no-follow {format} -")).through(from_the_second_line);
        let ended = run.stdin(File::open(logs.path("a.log")).unwrap()).run().with_status(0).quietly();
        ended.read_as(format).printed_lines(2..=5);
    }
    let run = logs.rtail("stream --no-follow --format json -").through(from_the_second_line);
    let ended = run.stdin(File::open(logs.path("a.log")).unwrap()).run();
    ended.records().tell(&[
        "open standard input A at 3",
        "lines A 3-15",
        "end by end_of_file: standard input A at 15",
    ]);
}

#[test]
fn a_pipe_is_read_to_its_end() {
    let logs = Logs::holding("motley", motley());
    for args in ["", "--no-follow"] {
        for format in Format::ALL {
            let run = logs.rtail(&format!("stream {args} {format} -")).through(r#"cat motley | "$@""#);
            run.run().with_status(0).read_as(format).printed(motley()).quietly();
        }
    }
}

// Patterns.

in_both_modes!(a_pattern_has_each_file_that_ever_matches_once);
fn a_pattern_has_each_file_that_ever_matches_once(mode: Mode) {
    for format in Format::ALL {
        let logs = Logs::with("a.log", 0..=99);
        let tail = logs.streaming(mode, &format!("{format}")).arg("*.log").arg("[ab].log*").start();
        tail.until_line(99);
        for number in 1..=20 {
            let (name, line) = (format!("new-{number}.log"), 1000 + number);
            // Some keep a name that matches, some get one that doesn't, some go.
            logs.append(&name, line..=line);
            tail.until_line(line);
            match number % 3 {
                0 => logs.rename(&name, format!("old-{number}.log")),
                1 => logs.rename(&name, format!("{name}.1")),
                _ => logs.remove(&name),
            };
        }
        logs.append("a.log", 100..=100);
        tail.until_line(100);
        tail.end().read_as(format).printed_ranges([0..=100, 1001..=1020]);
    }
}

#[test]
fn a_file_with_two_names_keeps_the_one_it_was_opened_by() {
    for format in Format::ALL {
        let logs = Logs::with("a.log", 1..=5);
        logs.hard_link("a.log", "b.log");
        let tail = logs.streaming(Mode::Events, &format!("{format}")).arg("*.log").start();
        tail.until_line(5);
        logs.append("c.log", 101..=101);
        tail.until_line(101);
        logs.append("b.log", 6..=6);
        tail.until_line(6);
        tail.end().read_as(format).printed_ranges([1..=6, 101..=101]);
    }
}

in_both_modes!(files_and_patterns_are_read_side_by_side);
fn files_and_patterns_are_read_side_by_side(mode: Mode) {
    for format in Format::ALL {
        let logs = Logs::with("a.log", 1..=10);
        logs.make_dir("d1").make_dir("d2").append("d1/x.txt", 1001..=1010).append("d2/y.txt", 2001..=2010);
        let tail = logs.streaming(mode, &format!("{format} a.log")).arg("d?/*.txt").arg("a*").start();
        tail.until_line(10).until_line(1010).until_line(2010);
        logs.make_dir("d3").append("d3/z.txt", 3001..=3010).append("a.log", 11..=11).append("d1/x.txt", 1011..=1011);
        tail.until_line(3010).until_line(11).until_line(1011);
        tail.end().read_as(format).printed_ranges([1..=11, 1001..=1011, 2001..=2010, 3001..=3010]);
    }
}

#[test]
fn files_that_live_a_moment_are_whole_or_not_there() {
    for format in Format::ALL {
        let logs = Logs::with("a.log", 0..=0);
        let tail = logs.streaming(Mode::Events, &format!("{format}")).arg("*.log").start();
        tail.until_line(0).until_watching();
        let last = rounds(100, 1_000);
        for number in 1..=last {
            let name = format!("{number}.log");
            logs.append(&name, number..=number);
            if number % 10 == 0 {
                tail.until_line(number);
            }
            logs.remove(&name);
        }
        logs.append("a.log", 100_000..=100_000);
        tail.until_line(100_000);
        let ended = tail.end().read_as(format);
        let printed: Vec<&[u8]> = ended.stdout.split_inclusive(|&byte| byte == b'\n').collect();
        let written = lines(1..=last);
        let mut written = written.split_inclusive(|&byte| byte == b'\n');
        let files = printed.iter().filter(|line| !matches!(**line, b"L0\n" | b"L100000\n"));
        assert!(files.into_iter().all(|line| written.any(|due| due == *line)), "torn, repeated or out of order");
        // Those that were waited for are there at least.
        assert!(printed.len() >= last as usize / 10 + 2);
    }
}

#[test]
fn a_pattern_that_matches_nothing_is_an_error_where_nothing_can_come() {
    let logs = Logs::new();
    let ended = logs.rtail("stream --no-follow").arg("*.log").run().with_status(1).printed("");
    ended.notices_are(&["'*.log': no file matches"]);
    let tail = logs.rtail("stream").arg("*.log").start();
    tail.until_noticed("'*.log': no file matches yet");
    logs.append("a.log", 1..=1);
    tail.until_line(1);
    tail.end().printed_lines(1..=1);
}

#[test]
fn its_own_output_is_left_out_of_a_pattern() {
    leaves_its_own_output_out("--timeout 300ms");
}

#[test]
fn its_own_output_is_left_out_of_a_pattern_read_once() {
    leaves_its_own_output_out("--no-follow");
}

fn leaves_its_own_output_out(args: &str) {
    let logs = Logs::with("a.log", 2..=5);
    logs.append("out.log", 1..=1);
    let run = logs.rtail(&format!("stream {args}")).arg("*.log").through(r#"exec "$@" >> out.log"#);
    run.run().with_status(0).printed("").notices_are(&["'out.log': left out: it is the output"]);
    assert_eq!(logs.read("out.log"), lines(1..=5));
}

// Lines.

#[test]
fn a_line_of_50_megabytes_passes_in_bounded_memory() {
    const PIECE: usize = 1 << 20;
    // Without optimisation records take their time.
    for (format, megabytes) in [(Format::Raw, 50), (Format::Json, 16)] {
        let megabytes = if soaking() { 1024 } else { megabytes };
        let logs = Logs::with("a.log", 1..=1);
        let tail = logs.stream(Mode::Events, &format!("{format} a.log"));
        tail.until_line(1);
        let mut file = logs.open("a.log");
        for _ in 0..megabytes {
            file.write(vec![b'x'; PIECE]);
        }
        file.write("\nL2\n");
        tail.until_bytes(megabytes * PIECE).until_line(2);
        let peak = tail.peak_memory();
        let ended = tail.end().quietly();
        if format == Format::Json {
            let records = ended.records();
            let longest = records.of("line").iter().map(|line| line["text"].as_str().unwrap_or_default().len()).max();
            assert_eq!(longest, Some(PIECE));
            assert_eq!(records.of("line").iter().filter(|line| line["piece"] == "last").count(), 1);
        }
        let ended = ended.read_as(format);
        let long = ended.stdout.strip_prefix(b"L1\n").and_then(|rest| rest.strip_suffix(b"\nL2\n"));
        assert!(long == Some(&vec![b'x'; megabytes * PIECE]), "the long line is not what was written");
        assert!(peak < 64 << 20, "{peak} bytes of memory");
    }
}

in_both_modes!(lines_that_end_at_a_buffer_edge_are_whole);
fn lines_that_end_at_a_buffer_edge_are_whole(mode: Mode) {
    let mut content = Vec::new();
    for len in [8191, 8192, 8193, 65_535, 65_536, 65_537, 131_072, 262_144, 1 << 20, 2, 3] {
        // The two bytes of its end stand on both sides of the edge, before it, and behind it.
        content.extend(vec![b'x'; len - 2]);
        content.extend_from_slice(b"\r\n");
    }
    for format in Format::ALL {
        let logs = Logs::holding("a.log", [&content, &b"L1\n"[..]].concat());
        let tail = logs.stream(mode, &format!("{format} a.log"));
        tail.until_line(1);
        logs.append_bytes("a.log", &content).append("a.log", 2..=2);
        tail.until_line(2);
        let expected = [&content, &b"L1\n"[..], &content, b"L2\n"].concat();
        tail.end().read_as(format).printed(expected).quietly();
    }
}

#[test]
fn pieces_are_cut_between_characters_at_whatever_length() {
    let text = "aé世🦀\nno é, just 世界 and 🦀🦀🦀🦀\r\n\nshort\nééééééééééé\nunfinished 世";
    let logs = Logs::holding("a.log", text);
    for most in 1..=40 {
        for format in Format::ALL {
            let ended = logs.rtail(&format!("stream --no-follow {format} --max-line {most} a.log")).run();
            if format == Format::Json {
                for line in ended.records().of("line") {
                    let part = line["text"].as_str().expect("a piece that is text");
                    // One character is the least there is.
                    assert!(part.len() <= most || part.chars().count() == 1, "{line} is over {most} bytes");
                }
            }
            ended.with_status(0).read_as(format).printed(text).quietly();
        }
    }
}

#[test]
fn pieces_of_bytes_that_are_no_text_come_to_the_same() {
    let logs = Logs::holding("a.log", motley().repeat(20));
    for most in [1, 2, 7, 100, 257] {
        let ended = logs.rtail(&format!("stream --no-follow --format json --max-line {most} a.log")).run();
        ended.with_status(0).quietly().records().hold(motley().repeat(20));
    }
}

in_both_modes!(a_character_cut_by_a_pause_is_passed_on_whole);
fn a_character_cut_by_a_pause_is_passed_on_whole(mode: Mode) {
    let text = "grüße, 世界 🦀\n";
    for max_line in ["", "--max-line 6"] {
        let logs = Logs::with("a.log", 1..=1);
        let tail = logs.stream(mode, &format!("--format json {max_line} a.log"));
        tail.until_line(1);
        for byte in text.bytes() {
            logs.append_bytes("a.log", [byte]);
            pause_ms(2);
        }
        logs.append("a.log", 2..=2);
        tail.until_line(2);
        let records = tail.end().quietly().records().hold(format!("L1\n{text}L2\n"));
        assert!(records.of("line").iter().all(|line| line["bytes_base64"].is_null()));
    }
}

in_both_modes!(names_of_any_bytes_are_followed);
fn names_of_any_bytes_are_followed(mode: Mode) {
    for (name, quoted) in [
        (&b"not\xffutf8.log"[..], r"'not'$'\377''utf8.log'"),
        (b"new\nline.log", r"'new'$'\n''line.log'"),
        (b"two words.log", "'two words.log'"),
        (b"\x1b[31m\".log", r#"''$'\033''[31m".log'"#),
    ] {
        let name = OsStr::from_bytes(name);
        for format in Format::ALL {
            let logs = Logs::new();
            logs.append(name, 1..=5);
            let tail = logs.streaming(mode, &format!("{format}")).arg(name).start();
            tail.until_line(5);
            logs.replace(name, lines(6..=9));
            tail.until_line(9);
            let ended = tail.end();
            if format == Format::Json {
                let records = ended.records();
                assert_eq!(records.text_of(name), lines(1..=9));
                let kept = records.of("open").iter().all(|open| open["path"].is_string() == name.to_str().is_some());
                assert!(kept, "{:?}", records.of("open"));
                ended.quietly();
            } else {
                let notice = format!("{quoted} has been replaced;  following new file");
                ended.printed_lines(1..=9).notices_are(&[&notice]);
            }
        }
    }
}

// Readers.

#[test]
fn a_reader_that_does_not_read_costs_no_memory() {
    let line = [&[b'x'; 99][..], b"\n"].concat();
    let logs = Logs::holding("a.log", line.repeat(3 << 20));
    for format in Format::ALL {
        let run = logs.rtail(&format!("stream {format} a.log"));
        let tail = run.drained(Drain::WhenTold).start();
        let (read, peak) = (tail.until_blocked().bytes_read(), tail.peak_memory());
        tail.end_by(Signal::TERM);
        assert!(read < 8 << 20, "{read} bytes were read for nobody");
        assert!(peak < 64 << 20, "{peak} bytes of memory");
    }
}

#[test]
fn a_reader_that_reads_slowly_gets_everything() {
    let content: Vec<u8> = (0..20_000).flat_map(|number| format!("{number:0>200}\n").into_bytes()).collect();
    let logs = Logs::holding("a.log", &content);
    for format in Format::ALL {
        let run = logs.rtail(&format!("stream --no-follow {format} a.log"));
        let gap = Duration::from_millis(10);
        let ended = run.drained(Drain::Slowly { bytes: 1 << 17, gap }).run();
        ended.with_status(0).read_as(format).printed(&content).quietly();
    }
}
