//! Rotated logs that were compressed before they were read: found, read on where they were, and not repeated.
#![allow(clippy::expect_used, clippy::unwrap_used, reason = "helpers of tests may fail as tests do")]

mod common;

use std::fs;
use std::io::{Read as _, Write as _};
use std::ops::RangeInclusive;
use std::os::unix::fs::MetadataExt as _;
use std::path::PathBuf;
use std::process::Command;
use std::time::{Duration, SystemTime};

use common::{Drain, Format, Logs, Mode, Run, Signal, find_program, in_both_modes, lines, pause_ms};
use flate2::Compression;
use flate2::write::GzEncoder;

/// How a tool compresses a log.
#[derive(Clone, Copy, Debug)]
enum Tool {
    /// `gzip NAME`: the time of the last write is kept.
    Gzip,
    /// As loggers do it themselves: the time is that of the compression.
    Logger,
    /// As `pigz` does: of the time of the last write, the seconds are kept.
    Seconds,
}

const TOOLS: [Tool; 3] = [Tool::Gzip, Tool::Logger, Tool::Seconds];

fn pack(content: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(content).unwrap();
    encoder.finish().unwrap()
}

impl Tool {
    /// Puts `NAME.gz` in the place of a log.
    fn compress(self, logs: &Logs, name: &str) {
        let (plain, packed) = (logs.path(name), logs.path(format!("{name}.gz")));
        if let (Self::Gzip, Some(gzip)) = (self, find_program("gzip")) {
            assert!(Command::new(gzip).arg(&plain).status().unwrap().success());
            return;
        }
        let modified = fs::metadata(&plain).unwrap().modified().unwrap();
        let seconds = modified.duration_since(SystemTime::UNIX_EPOCH).unwrap().as_secs();
        fs::write(&packed, pack(&fs::read(&plain).unwrap())).unwrap();
        let file = fs::File::options().write(true).open(&packed).unwrap();
        match self {
            Self::Gzip => file.set_modified(modified).unwrap(),
            Self::Seconds => file.set_modified(SystemTime::UNIX_EPOCH + Duration::from_secs(seconds)).unwrap(),
            Self::Logger => {}
        }
        fs::remove_file(plain).unwrap();
    }
}

fn gzip(logs: &Logs, name: &str) {
    Tool::Gzip.compress(logs, name);
}

/// Numbered lines of 100 bytes.
fn long_lines(numbers: RangeInclusive<u32>) -> Vec<u8> {
    numbers.flat_map(|number| format!("L{number:<98}\n").into_bytes()).collect()
}

/// `rtail stream --checkpoint ../at ARGS`: the checkpoint is beside the logs.
fn resumed<'a>(logs: &'a Logs, mode: Mode, args: &str) -> Run<'a> {
    logs.streaming(mode, &format!("--checkpoint ../at {args}"))
}

fn sizes(scale: u32) -> [u32; 2] {
    // Small enough that nothing but the times tells one from another, and more than is compared.
    [2, scale]
}

in_both_modes!(what_was_compressed_while_it_was_stopped_comes_in_order);
fn what_was_compressed_while_it_was_stopped_comes_in_order(mode: Mode) {
    for (tool, size) in TOOLS.into_iter().flat_map(|tool| sizes(500).map(|size| (tool, size))) {
        let of = |n: u32| n * size + 1..=(n + 1) * size;
        let logs = Logs::with("a.log", of(0));
        let tail = logs.follow(mode, "-n +1 a.log");
        tail.until_line(size).stop();
        // The one that it has open, of which it hasn't read the rest, and one that it never saw.
        logs.append("a.log", of(1)).cascade("a.log", 9).append("a.log", of(2)).cascade("a.log", 9);
        tool.compress(&logs, "a.log.2");
        logs.append("a.log", of(3)).cascade("a.log", 9).append("a.log", of(4));
        logs.rename("a.log.2.gz", "a.log.3.gz");
        tool.compress(&logs, "a.log.2");
        tail.cont().until_line(5 * size);
        tail.end().printed_lines(1..=5 * size).notices_are(&[
            "'a.log': found 2 rotated files that went by unseen",
            "'a.log' has been replaced;  following new file",
        ]);
    }
}

in_both_modes!(what_was_compressed_while_it_was_down_comes_in_order);
fn what_was_compressed_while_it_was_down_comes_in_order(mode: Mode) {
    for (tool, size) in TOOLS.into_iter().flat_map(|tool| sizes(500).map(|size| (tool, size))) {
        for read in [1, size] {
            let of = |n: u32| n * size + 1..=(n + 1) * size;
            let logs = Logs::with("a.log", 1..=read);
            let tail = resumed(&logs, mode, "a.log").start();
            tail.until_line(read);
            tail.end().printed_lines(1..=read).quietly();
            logs.append("a.log", read + 1..=size).cascade("a.log", 9).append("a.log", of(1)).cascade("a.log", 9);
            tool.compress(&logs, "a.log.2");
            tool.compress(&logs, "a.log.1");
            logs.append("a.log", of(2));
            for format in Format::ALL {
                fs::copy(logs.path("../at"), logs.path("../before")).unwrap();
                let run = resumed(&logs, mode, &format!("{format} --no-follow a.log")).run().with_status(0);
                run.read_as(format).printed_lines(read + 1..=3 * size);
                fs::copy(logs.path("../before"), logs.path("../at")).unwrap();
            }
            resumed(&logs, mode, "--no-follow a.log").run().with_status(0).printed_lines(read + 1..=3 * size);
            // Nothing of it comes again, compressed or not.
            logs.append("a.log", of(3));
            resumed(&logs, mode, "--no-follow a.log").run().with_status(0).printed_lines(3 * size + 1..=4 * size);
        }
    }
}

#[test]
fn an_empty_log_that_was_compressed_unseen_is_not_counted_as_missed() {
    for tool in TOOLS {
        let logs = Logs::with("a.log", 1..=2);
        let tail = logs.follow(Mode::Events, "-n +1 a.log");
        tail.until_line(2);
        // What came is counted after the first one.
        logs.cascade("a.log", 9).append("a.log", 3..=3);
        tail.until_line(3);
        pause_ms(500);
        tail.stop();
        logs.cascade("a.log", 9).write("a.log", "").cascade("a.log", 9);
        tool.compress(&logs, "a.log.1");
        logs.write("a.log", "");
        tail.cont();
        pause_ms(1000);
        logs.append("a.log", 4..=4);
        tail.until_line(4);
        tail.end().printed_lines(1..=4).never_noticed("came and went");
    }
}

#[test]
fn records_from_a_compressed_file_bear_the_offsets_and_the_name_of_what_was_written() {
    let logs = Logs::with("a.log", 1..=3);
    let first = resumed(&logs, Mode::Events, "--format json --no-follow a.log").run().with_status(0).records();
    let id = first.of("open")[0]["file_id"].as_str().unwrap().to_owned();
    logs.append("a.log", 4..=6).rename("a.log", "a.log.1").append("a.log", 7..=9).rename("a.log", "a.log.0");
    gzip(&logs, "a.log.1");
    gzip(&logs, "a.log.0");
    logs.append("a.log", 10..=12);
    let run = resumed(&logs, Mode::Events, "--format json --summary --no-follow a.log").run().with_status(0);
    let records = run.records();
    assert_eq!(records.of("open")[0]["file_id"], id.as_str());
    records
        .tell(&[
            "open a.log A at 9",
            "lines A 9-18",
            "rotate A to B",
            "open a.log B at 0",
            "lines B 0-9",
            "rotate B to C",
            "open a.log C at 0",
            "lines C 0-12",
            "end by end_of_file: a.log A at 18, a.log B at 9, a.log C at 12",
        ])
        .hold(lines(4..=12));
    assert_eq!(
        run.records().accounts(),
        ["a.log A: 18 = 9 not asked for + 9 delivered", "a.log B: 9 = 9 delivered", "a.log C: 12 = 12 delivered"]
    );
}

in_both_modes!(a_compressed_file_that_was_read_before_is_not_repeated);
fn a_compressed_file_that_was_read_before_is_not_repeated(mode: Mode) {
    for (tool, size) in TOOLS.into_iter().flat_map(|tool| sizes(300).map(|size| (tool, size))) {
        let of = |n: u32| n * size + 1..=(n + 1) * size;
        let logs = Logs::with("a.log", of(0));
        let tail = logs.follow(mode, "-n +1 --rotate-wait 50ms a.log");
        tail.until_line(size);
        // Compressed while it is open, when it was let go, and one rotation later; live, and stopped.
        for n in 1..=6 {
            if n % 2 == 0 {
                tail.stop();
            }
            if n > 1 {
                logs.rename("a.log.1", format!("a.log.{}", n + 100));
                tool.compress(&logs, &format!("a.log.{}", n + 100));
            }
            logs.rename("a.log", "a.log.1").append("a.log", of(n));
            if n % 2 == 0 {
                tail.cont();
            }
            tail.until_line((n + 1) * size);
            if n % 3 == 0 {
                pause_ms(200);
            }
        }
        tail.end().printed_lines(1..=7 * size).never_noticed("unseen");
    }
}

in_both_modes!(a_compressed_file_that_was_read_before_is_not_repeated_by_a_later_run);
fn a_compressed_file_that_was_read_before_is_not_repeated_by_a_later_run(mode: Mode) {
    for (tool, size) in TOOLS.into_iter().flat_map(|tool| sizes(300).map(|size| (tool, size))) {
        let of = |n: u32| n * size + 1..=(n + 1) * size;
        let logs = Logs::with("a.log", of(0));
        let args = "--rotate-wait 50ms a.log";
        let tail = resumed(&logs, mode, args).start();
        tail.until_line(size);
        logs.cascade("a.log", 9).append("a.log", of(1));
        tail.until_line(2 * size);
        pause_ms(300);
        tail.end().printed_lines(1..=2 * size);
        // `delaycompress`: the one before the last one is compressed with the next rotation.
        logs.cascade("a.log", 9).append("a.log", of(2));
        tool.compress(&logs, "a.log.2");
        let tail = resumed(&logs, mode, args).start();
        tail.until_line(3 * size);
        logs.cascade("a.log", 9).append("a.log", of(3));
        tail.until_line(4 * size);
        tail.end().printed_lines(2 * size + 1..=4 * size);
    }
}

#[test]
fn what_may_have_been_read_before_or_not_is_announced() {
    let logs = Logs::with("a.log", 1..=3);
    resumed(&logs, Mode::Events, "--no-follow a.log").run().with_status(0).printed_lines(1..=3).quietly();
    // By its number it is older than the one that was read, if numbers count so here.
    logs.append("a.log.2", 4..=6).rename("a.log", "a.log.1").append("a.log", 7..=9);
    Tool::Logger.compress(&logs, "a.log.2");
    resumed(&logs, Mode::Events, "--no-follow a.log").run().with_status(0).printed_lines(7..=9).notices_are(&[
        "'a.log': passed over a compressed file that may have been read before, or not",
        "'a.log' has been replaced;  following new file",
    ]);
    let strict = resumed(&logs, Mode::Events, "--no-follow --strict a.log").run();
    strict.with_status(0).printed("").quietly();
}

in_both_modes!(the_rest_of_a_truncated_log_comes_from_its_compressed_copy);
fn the_rest_of_a_truncated_log_comes_from_its_compressed_copy(mode: Mode) {
    for (tool, runs) in TOOLS.into_iter().flat_map(|tool| [(tool, 1), (tool, 3)]) {
        for down in [false, true] {
            let logs = Logs::with("a.log", 1..=50);
            let tail = resumed(&logs, mode, "a.log").start();
            tail.until_line(50);
            let stopped = if down {
                tail.end().printed_lines(1..=50).quietly();
                None
            } else {
                tail.stop();
                Some(tail)
            };
            for run in 0..runs {
                let before = 50 + run * 100;
                logs.append("a.log", before + 1..=before + 100).copytruncate("a.log", &format!("a.log.{run}"));
                tool.compress(&logs, &format!("a.log.{run}"));
            }
            let last = 60 + runs * 100;
            logs.append("a.log", last - 9..=last);
            if let Some(tail) = stopped {
                tail.cont().until_line(last);
                tail.end().printed_lines(1..=last);
            } else {
                resumed(&logs, mode, "--no-follow a.log").run().with_status(0).printed_lines(51..=last);
            }
        }
    }
}

in_both_modes!(of_a_damaged_compressed_file_comes_what_can_be_had);
fn of_a_damaged_compressed_file_comes_what_can_be_had(mode: Mode) {
    let all = long_lines(1..=5000);
    let packed = pack(&all);
    let cut = &packed[..packed.len() / 2];
    let mut begun = Vec::new();
    flate2::read::GzDecoder::new(cut).read_to_end(&mut begun).unwrap_err();
    let words = "'a.log.1.gz' can't be decompressed to its end: incomplete deflate stream";
    for (args, read) in [("--no-follow", 1000), ("--rotate-wait 100ms", 1000), ("--no-follow", all.len())] {
        let logs = Logs::holding("a.log", &all[..read]);
        resumed(&logs, mode, "--no-follow a.log").run().with_status(0).printed(&all[..read]).quietly();
        logs.write("a.log", &all).rename("a.log", "a.log.1").append("a.log", 1..=3);
        logs.write("a.log.1.gz", cut).remove("a.log.1");
        let tail = resumed(&logs, mode, &format!("--format json --summary {args} a.log")).start();
        let ended = if args == "--no-follow" {
            tail.ended().with_status(0)
        } else {
            tail.until_line(3);
            logs.append("a.log", 4..=4);
            tail.until_line(4);
            pause_ms(300);
            tail.end()
        };
        let records = ended.records();
        if read > begun.len() {
            // It was read further than that, so that what was lost isn't known.
            records.hold(lines(1..=3)).tell(&[
                "gap A: gone",
                "open a.log B at 0",
                "lines B 0-9",
                "end by end_of_file: a.log B at 9",
            ]);
            continue;
        }
        let whole = begun.len() - begun.iter().rev().position(|&byte| byte == b'\n').unwrap();
        let (reason, last) = if args == "--no-follow" { ("end_of_file", 3) } else { ("signal", 4) };
        let at = if args == "--no-follow" { format!(" at {}", begun.len()) } else { String::new() };
        let story = [
            "open a.log A at 1000".to_owned(),
            format!("lines A 1000-{whole}"),
            format!("unterminated A {whole}-{}", begun.len()),
            format!("error read a.log: {words}"),
            "gap A: unreadable".to_owned(),
            "rotate A to B".to_owned(),
            "open a.log B at 0".to_owned(),
            format!("lines B 0-{}", 3 * last),
            format!("end by {reason}: a.log A{at}, a.log B at {}", 3 * last),
        ];
        let accounts = [
            format!("a.log A: {} = 1000 not asked for + {} delivered", begun.len(), begun.len() - 1000),
            format!("a.log B: {} = {} delivered", 3 * last, 3 * last),
        ];
        assert_eq!(records.accounts(), accounts);
        let story: Vec<_> = story.iter().map(String::as_str).collect();
        records.hold([&begun[1000..], &lines(1..=last)].concat()).tell(&story);
    }
}

in_both_modes!(a_file_that_is_still_being_compressed_is_waited_for);
fn a_file_that_is_still_being_compressed_is_waited_for(mode: Mode) {
    let all = long_lines(1..=5000);
    for seen in [true, false] {
        let logs = Logs::holding("a.log", &all[..1000]);
        resumed(&logs, mode, "--no-follow a.log").run().with_status(0);
        let expected = if seen { &all[1000..] } else { &all };
        let packed = pack(&all);
        if seen {
            // Whatever compresses it has removed it before its end.
            logs.remove("a.log");
        } else {
            logs.rename("a.log", "a.log.2");
        }
        logs.append("a.log", 1..=3);
        logs.append_bytes("a.log.1.gz", &packed[..100]);
        let tail = resumed(&logs, mode, "--strict a.log").start();
        for part in packed[100..].chunks(packed.len() / 10) {
            pause_ms(150);
            logs.append_bytes("a.log.1.gz", part);
        }
        tail.until_line(3);
        tail.end().printed([expected, &lines(1..=3)].concat()).never_noticed("lost");
    }
}

#[test]
fn a_plain_file_is_preferred_to_what_is_being_made_of_it() {
    let logs = Logs::with("a.log", 1..=3);
    let tail = logs.follow(Mode::Events, "-n +1 a.log");
    tail.until_line(3).stop();
    logs.append("a.log", 4..=6).rename("a.log", "a.log.2").append("a.log", 7..=9).rename("a.log", "a.log.1");
    logs.append("a.log", 10..=12);
    for name in ["a.log.1", "a.log.2"] {
        let packed = pack(&logs.read(name));
        logs.write(format!("{name}.gz"), &packed[..packed.len() - 9]);
    }
    tail.cont().until_line(12);
    tail.end().printed_lines(1..=12).noticed_once("found a rotated file that went by unseen");
}

/// Has logrotate rotate `a.log` now; false where there is none.
fn logrotate(logs: &Logs, directives: &str) -> bool {
    let admin = ["/usr/sbin/logrotate", "/sbin/logrotate"].map(PathBuf::from).into_iter().find(|path| path.exists());
    let Some(program) = admin.or_else(|| find_program("logrotate")) else { return false };
    let lines = directives.replace("; ", "\n");
    logs.write("../conf", format!("{} {{\nrotate 20\n{lines}\n}}\n", logs.path("a.log").display()));
    let status =
        Command::new(program).arg("-f").arg("-s").arg(logs.path("../state")).arg(logs.path("../conf")).status();
    assert!(status.unwrap().success());
    true
}

#[test]
fn what_logrotate_compressed_comes_in_order() {
    let rows = [
        "create; compress",
        "create; compress; delaycompress",
        "create; compress; delaycompress; dateext; dateformat -%Y%m%d-%s",
        "copytruncate; compress",
    ];
    for directives in rows {
        for down in [true, false] {
            let logs = Logs::with("a.log", 1..=100);
            let start = || resumed(&logs, Mode::Events, "--strict a.log").start();
            let mut tail = start();
            tail.until_line(100);
            let (mut due, mut last) = (1, 100);
            for _ in 0..2 {
                let stopped = if down {
                    tail.end().printed_lines(due..=last);
                    due = last + 1;
                    None
                } else {
                    tail.stop();
                    Some(tail)
                };
                for _ in 0..2 {
                    logs.append("a.log", last + 1..=last + 50);
                    last += 50;
                    if !logrotate(&logs, directives) {
                        return;
                    }
                    // A date that is there already is not given once more.
                    pause_ms(if directives.contains("dateext") { 1000 } else { 0 });
                }
                last += 1;
                logs.append("a.log", last..=last);
                tail = stopped.unwrap_or_else(start);
                tail.cont().until_line(last);
            }
            tail.end().printed_lines(due..=last).never_noticed("lost").never_noticed("passed over");
        }
    }
}

#[test]
fn killed_within_a_compressed_file_it_goes_on_there() {
    let all = long_lines(1..=200_000);
    for seen in [true, false] {
        let logs = Logs::holding("a.log", &all[..if seen { 100 } else { 0 }]);
        let mut came = resumed(&logs, Mode::Events, "--no-follow a.log").run().with_status(0).stdout;
        let file = inode(&logs, "a.log");
        if !seen {
            logs.rename("a.log", "a.log.0");
        }
        logs.append_bytes("a.log", &all[came.len()..]).rename("a.log", "a.log.1").append("a.log", 1..=3);
        gzip(&logs, "a.log.1");
        // The position is in the file that was written, if that was ever seen.
        let file = if seen { file } else { inode(&logs, "a.log.1.gz") };
        let recorded = || {
            let position = positions(&logs, "a.log").into_iter().find(|(inode, _)| *inode == file);
            usize::try_from(position.map_or(0, |(_, offset)| offset)).unwrap()
        };
        for kill in 0..6 {
            let from = recorded();
            let slowly = Drain::Slowly { bytes: 1 << 13, gap: Duration::from_millis(5) };
            let tail = resumed(&logs, Mode::Events, "a.log").drained(slowly).start();
            tail.until("more is recorded", |_| recorded() > from);
            pause_ms(kill * 37);
            let ended = tail.end_by(Signal::KILL);
            assert!(from <= came.len(), "{from} was recorded, {} came", came.len());
            came.truncate(from);
            came.extend(ended.stdout);
            assert!(all.starts_with(&came) && came.len() < all.len(), "up to {}", came.len());
        }
        let from = recorded();
        assert!(from <= came.len());
        resumed(&logs, Mode::Events, "--no-follow --strict a.log")
            .run()
            .with_status(0)
            .printed([&all[from..], &lines(1..=3)].concat());
    }
}

#[test]
fn a_large_compressed_file_takes_little_memory() {
    let block = long_lines(1..=100_000);
    let logs = Logs::holding("a.log", &block);
    resumed(&logs, Mode::Events, "--no-follow a.log").run().with_status(0);
    let mut log = logs.open("a.log");
    for _ in 1..10 {
        log.write(&block);
    }
    logs.rename("a.log", "a.log.1").append("a.log", 1..=3);
    gzip(&logs, "a.log.1");
    let tail = resumed(&logs, Mode::Events, "--strict a.log").start();
    tail.until_bytes(9 * block.len() + 9);
    let memory = tail.peak_memory();
    assert!(memory < 40 << 20, "{memory} bytes");
    tail.end()
        .printed([block.repeat(9), lines(1..=3)].concat())
        .notices_are(&["'a.log' has been replaced;  following new file"]);
}

fn inode(logs: &Logs, name: &str) -> u64 {
    fs::metadata(logs.path(name)).unwrap().ino()
}

/// The files of a name in the checkpoint, oldest first: inode and offset.
fn positions(logs: &Logs, name: &str) -> Vec<(u64, u64)> {
    let Ok(text) = fs::read(logs.path("../at")) else { return Vec::new() };
    let checkpoint: serde_json::Value = serde_json::from_slice(&text).expect("a whole checkpoint");
    let sources = checkpoint["sources"].as_array().unwrap().iter();
    let files = sources.filter(|source| source["path"].as_str().unwrap().ends_with(name));
    let files = files.flat_map(|source| source["files"].as_array().unwrap());
    files.map(|file| (file["inode"].as_u64().unwrap(), file["offset"].as_u64().unwrap())).collect()
}
