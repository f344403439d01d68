//! Pipes and standard input.

use super::{MISSING, is_refused, printing, prints_in_shell, samples};
use crate::common::{Logs, lines};

#[test]
fn a_pipe_is_read_to_its_end() {
    for (args, expected) in [
        ("", lines(11..=20)),
        ("-n 2", lines(19..=20)),
        ("-n +19", lines(19..=20)),
        ("-c 4", b"L20\n".to_vec()),
        ("-c +68", b"L20\n".to_vec()),
        ("-n 0", Vec::new()),
        ("-v -n 1", b"==> 'standard input' <==\nL20\n".to_vec()),
        ("-n 1 -", lines(20..=20)),
        ("---presume-input-pipe -n 2", lines(19..=20)),
    ] {
        prints_in_shell(r#"cat f | "$@""#, args, expected);
    }
}

#[test]
fn a_long_pipe_gives_its_last_lines_and_bytes() {
    let logs = Logs::with("f", 1..=200_000);
    for run in printing(&logs, "-n 100000") {
        run.through(r#"cat f | "$@""#).run().printed_lines(100_001..=200_000);
    }
    let all = lines(1..=200_000);
    for run in printing(&logs, "-c 1000000") {
        run.through(r#"cat f | "$@""#).run().printed(&all[all.len() - 1_000_000..]);
    }
}

#[test]
fn standard_input_begins_where_its_offset_is() {
    for (args, expected) in [
        ("-n 100", lines(2..=20)),
        ("-n 3", lines(18..=20)),
        ("-n +2", lines(3..=20)),
        ("-c 1000", lines(2..=20)),
        ("-c +4", lines(3..=20)),
    ] {
        prints_in_shell(r#"{ read -r line; "$@"; } < f"#, args, expected);
    }
    prints_in_shell(r#"{ read -r line; "$@"; } < nonl"#, "-n 100", "b");
}

#[test]
fn following_a_pipe_ends_with_it() {
    for args in ["-f", "-f -", "-f -s 0.1 ---disable-inotify"] {
        let logs = samples();
        let run = logs.tail(args).through(r#"cat nonl | "$@""#);
        run.run().printed("a\nb").with_status(0).quietly();
    }
}

#[test]
fn standard_input_that_is_a_file_is_followed() {
    let logs = samples();
    let tail = logs.tail("-f").through(r#"exec "$@" < f"#).start();
    tail.until_line(20);
    logs.append("f", 21..=25);
    tail.until_line(25);
    tail.end().printed_lines(11..=25).quietly();
}

#[test]
fn standard_input_has_no_name_to_follow() {
    is_refused("-F -", &["cannot follow '-' by name"]);
    is_refused("--follow=name -", &["cannot follow '-' by name"]);
}

#[test]
fn standard_input_and_files_have_headers() {
    let expected = "==> 'standard input' <==\nb\n==> f <==\nL20\n";
    prints_in_shell(r#""$@" < nonl"#, "-n 1 - f", expected);
    let logs = samples();
    let run = logs.tail("-f -n 1 - missing").through(r#"cat nonl | "$@""#);
    run.run().printed("==> 'standard input' <==\nb").with_status(1).noticed(MISSING);
}

#[test]
fn closed_standard_input_is_named() {
    let fstat = "cannot fstat 'standard input': Bad file descriptor";
    for args in ["", "-"] {
        let logs = samples();
        let run = logs.tail(args).through(r#"exec "$@" <&-"#);
        run.run().printed("").with_status(1).notices_are(&[fstat, "-: Bad file descriptor"]);
    }
    let logs = samples();
    let run = logs.tail("-f -").through(r#"exec "$@" <&-"#);
    run.run().printed("").with_status(1).notices_are(&[fstat, "no files remaining"]);
    let logs = samples();
    let run = logs.tail("-n 1 f").through(r#"exec "$@" <&-"#);
    run.run().printed_lines(20..=20).with_status(0).quietly();
    let logs = samples();
    let run = logs.tail("-n 1 - f").through(r#"exec "$@" <&-"#);
    run.run().printed("==> 'standard input' <==\n\n==> f <==\nL20\n").with_status(1).noticed_once(fstat);
}
