//! Lines stay whole, whatever their length, their bytes, and the writes they come in.

mod common;

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt as _;

use common::{Logs, Mode, in_both_modes, lines, pause_ms, rounds, soaking};

in_both_modes!(a_line_in_two_writes_with_a_pause_is_not_torn_by_another_log);
fn a_line_in_two_writes_with_a_pause_is_not_torn_by_another_log(mode: Mode) {
    let logs = Logs::with("a.log", 1..=1);
    logs.append("b.log", 101..=101);
    let tail = logs.follow(mode, "-q a.log b.log");
    tail.until_line(1).until_line(101);
    logs.append_bytes("a.log", "L");
    for number in 102..=110 {
        pause_ms(if soaking() { 200 } else { 30 });
        logs.append("b.log", number..=number);
        tail.until_line(number);
    }
    logs.append_bytes("a.log", "2\n");
    tail.until_line(2);
    tail.end().printed_ranges([1..=2, 101..=110]);
}

in_both_modes!(twenty_thousand_lines_in_two_writes_each_stay_whole);
fn twenty_thousand_lines_in_two_writes_each_stay_whole(mode: Mode) {
    let logs = Logs::holding("a.log", "");
    logs.append("b.log", 0..=0);
    let tail = logs.follow(mode, "-q -n +1 a.log b.log");
    tail.until_line(0);
    // Two writers at full speed: a line torn anywhere would get the other's bytes into it.
    std::thread::scope(|scope| {
        for (name, numbers) in [("a.log", 100_001..=110_000), ("b.log", 200_001..=210_000)] {
            let mut file = logs.open(name);
            scope.spawn(move || {
                for number in numbers {
                    file.write(format!("L{}", number / 1000));
                    file.write(format!("{:03}\n", number % 1000));
                }
            });
        }
    });
    tail.until_line(110_000).until_line(210_000);
    tail.end().printed_interleaved(&[lines(100_001..=110_000), [lines(0..=0), lines(200_001..=210_000)].concat()]);
}

in_both_modes!(lines_about_the_size_of_a_page_stay_whole_at_full_speed);
fn lines_about_the_size_of_a_page_stay_whole_at_full_speed(mode: Mode) {
    let logs = Logs::holding("a.log", "");
    logs.append("b.log", 0..=0);
    let tail = logs.follow(mode, "-q -n +1 a.log b.log");
    tail.until_line(0);
    let written: Vec<Vec<u8>> = std::thread::scope(|scope| {
        let writers = ["a.log", "b.log"].map(|name| {
            let mut file = logs.open(name);
            scope.spawn(move || {
                let mut written = Vec::new();
                for number in 0..rounds(2_000, 20_000) as usize {
                    let line = padded(&format!("{name} {number} "), 4080 + number % 33);
                    file.write(&line);
                    written.extend(line);
                }
                written
            })
        });
        writers.into_iter().map(|writer| writer.join().unwrap_or_default()).collect()
    });
    let bytes = written.iter().map(Vec::len).sum::<usize>() + 3;
    tail.until_bytes(bytes);
    tail.end().printed_interleaved(&[written[0].clone(), written[1].clone(), lines(0..=0)]);
}

in_both_modes!(lines_that_end_at_a_buffer_edge_are_whole);
fn lines_that_end_at_a_buffer_edge_are_whole(mode: Mode) {
    let mut content = Vec::new();
    for len in [8191, 8192, 8193, 65_535, 65_536, 65_537, 131_072, 262_144, 1, 2] {
        let mut line = padded(&format!("{len} "), len);
        // The two bytes of its end stand on both sides of the edge, before it, and behind it.
        line.truncate(len.saturating_sub(2));
        line.extend_from_slice(b"\r\n");
        content.extend(line);
    }
    let logs = Logs::holding("a.log", &content);
    logs.append("b.log", 1..=1);
    let tail = logs.follow(mode, "-n +1 a.log");
    tail.until_bytes(content.len());
    logs.append_bytes("a.log", &content);
    tail.until_bytes(content.len() * 2);
    tail.end().printed(content.repeat(2));
    // And where whole lines are assembled.
    let tail = logs.follow(mode, "-q -n +1 a.log b.log");
    tail.until_line(1);
    tail.end().printed([content.repeat(2), lines(1..=1)].concat());
}

#[test]
fn a_line_of_50_megabytes_passes_in_bounded_memory() {
    let bytes = if soaking() { 1 << 30 } else { 50 << 20 };
    let logs = Logs::with("a.log", 1..=1);
    let tail = logs.follow(Mode::Events, "-n +1 a.log");
    tail.until_line(1);
    let mut file = logs.open("a.log");
    let block = vec![b'x'; 1 << 20];
    for _ in 0..bytes >> 20 {
        file.write(&block);
    }
    tail.until_bytes(3 + bytes);
    logs.append_bytes("a.log", "\n").append("a.log", 2..=2);
    tail.until_bytes(3 + bytes + 1 + 3);
    let peak = tail.peak_memory();
    let ended = tail.end().quietly();
    let long = ended.stdout.strip_prefix(b"L1\n").and_then(|rest| rest.strip_suffix(b"\nL2\n"));
    let whole = long.is_some_and(|long| long.len() == bytes && long.iter().all(|&byte| byte == b'x'));
    assert!(whole, "the long line is not what was written");
    assert!(peak < 64 << 20, "{peak} bytes of memory");
}

in_both_modes!(two_lines_too_long_to_be_held_at_once_do_not_tear_each_other);
fn two_lines_too_long_to_be_held_at_once_do_not_tear_each_other(mode: Mode) {
    let logs = Logs::with("a.log", 1..=1);
    logs.append("b.log", 101..=101);
    let tail = logs.follow(mode, "-q a.log b.log");
    tail.until_line(1).until_line(101).stop();
    let long = ["a", "b"].map(|name| padded(name, 3_000_000));
    logs.append_bytes("a.log", &long[0]).append("a.log", 2..=2);
    logs.append_bytes("b.log", &long[1]).append("b.log", 102..=102);
    tail.cont().until_bytes(2 * 3_000_000 + 2 * 3 + 2 * 5);
    let [a, b] = long;
    tail.end().printed_interleaved(&[
        [lines(1..=1), a, lines(2..=2)].concat(),
        [lines(101..=101), b, lines(102..=102)].concat(),
    ]);
}

#[test]
fn a_long_last_line_is_found_in_bounded_memory() {
    let long = padded("the only line ", 50 << 20);
    let logs = Logs::holding("a.log", &long);
    let tail = logs.follow(Mode::Events, "-n 1 a.log");
    tail.until_bytes(long.len());
    let peak = tail.peak_memory();
    tail.end().printed(long);
    assert!(peak < 64 << 20, "{peak} bytes of memory");
}

in_both_modes!(bytes_that_are_no_text_pass_unchanged);
fn bytes_that_are_no_text_pass_unchanged(mode: Mode) {
    let mut content: Vec<u8> = (0..=255).collect();
    content.extend(b"\n\xff\xfe\xc3\n\x1b[31mred\x1b[0m\x07\n\0\0 not a hole\nlone\rreturn\r\n\n\n\xf0\x9f\n");
    let logs = Logs::holding("a.log", &content);
    let tail = logs.follow(mode, "-n +1 a.log");
    tail.until_bytes(content.len());
    logs.append_bytes("a.log", &content);
    tail.until_bytes(2 * content.len());
    tail.end().printed(content.repeat(2)).quietly();
}

in_both_modes!(a_character_cut_by_a_pause_is_passed_on_whole);
fn a_character_cut_by_a_pause_is_passed_on_whole(mode: Mode) {
    let logs = Logs::with("a.log", 1..=1);
    let tail = logs.follow(mode, "a.log");
    tail.until_line(1);
    for byte in "grüße, 世界 🦀\n".bytes() {
        logs.append_bytes("a.log", [byte]);
        pause_ms(2);
    }
    tail.until_printed("grüße, 世界 🦀\n");
    tail.end().printed("L1\ngrüße, 世界 🦀\n");
}

in_both_modes!(names_of_any_bytes_are_followed_and_quoted);
fn names_of_any_bytes_are_followed_and_quoted(mode: Mode) {
    for (name, quoted) in [
        (&b"not\xffutf8.log"[..], r"'not'$'\377''utf8.log'"),
        (b"new\nline.log", r"'new'$'\n''line.log'"),
        (b"two words.log", "'two words.log'"),
        (b"it's.log", "\"it's.log\""),
        (b"\x1b[31m.log", r"''$'\033''[31m.log'"),
    ] {
        let name = OsStr::from_bytes(name);
        let logs = Logs::new();
        logs.append(name, 1..=5);
        let tail = logs.following(mode, "-v -n +1").arg(name).start();
        tail.until_line(5);
        logs.remove(name);
        tail.until_noticed("inaccessible");
        logs.append(name, 6..=9);
        tail.until_line(9);
        tail.end().printed([format!("==> {quoted} <==\n").into_bytes(), lines(1..=9)].concat()).notices_are(&[
            &format!("{quoted} has become inaccessible: No such file or directory"),
            &format!("{quoted} has appeared;  following new file"),
        ]);
    }
}

in_both_modes!(eight_logs_and_eight_writers_stay_whole);
fn eight_logs_and_eight_writers_stay_whole(mode: Mode) {
    let logs = Logs::new();
    let names: Vec<String> = (0..8).map(|number| format!("log-{number}")).collect();
    for name in &names {
        logs.append_bytes(name, format!("{name} begins\n"));
    }
    let tail = logs.follow(mode, &format!("-q -n +1 {}", names.join(" ")));
    tail.until_printed("log-7 begins\n");
    let written: Vec<Vec<u8>> = std::thread::scope(|scope| {
        let writers: Vec<_> = names
            .iter()
            .map(|name| {
                let mut file = logs.open(name);
                scope.spawn(move || {
                    let mut written = format!("{name} begins\n").into_bytes();
                    for number in 0..300 {
                        let head = format!("{name} {number}");
                        let line = padded(&head, (number * number * 31) % 3000 + head.len() + 1);
                        file.write(&line);
                        written.extend(line);
                    }
                    let long = padded(&format!("{name} ends "), 70_000);
                    file.write(&long);
                    written.extend(long);
                    written
                })
            })
            .collect();
        writers.into_iter().map(|writer| writer.join().unwrap_or_default()).collect()
    });
    tail.until_bytes(written.iter().map(Vec::len).sum());
    tail.end().printed_interleaved(&written);
}

/// A line of `len` bytes, its newline included.
fn padded(head: &str, len: usize) -> Vec<u8> {
    let mut line = head.as_bytes().to_vec();
    line.resize(len.saturating_sub(1), b'x');
    line.push(b'\n');
    line
}
