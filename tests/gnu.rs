//! What GNU `tail` does, case by case: under the name `tail`, and for what is printed also as `rtail follow`.
//!
//! Expected values are those of the current GNU sources where they differ from older releases: names in headers are
//! quoted when needed, numbers saturate, `--follow=name` lets go of a renamed file.

mod common;

use common::{Drain, Logs, Mode, Run, Signal, Tail, in_both_modes, lines, pause_ms};

/// Twenty lines as `f`, two without a last newline as `nonl`, nothing as `empty`, and a directory `d`.
fn samples() -> Logs {
    let logs = Logs::with("f", 1..=20);
    logs.write("nonl", "a\nb").write("empty", "").make_dir("d");
    logs
}

/// Both ways to print without following.
fn printing<'a>(logs: &'a Logs, args: &str) -> [Run<'a>; 2] {
    [logs.tail(args), logs.rtail("follow --no-follow").args(args)]
}

/// Checks output, status 0 and silence of `args`, under both names.
#[track_caller]
fn prints(args: &str, expected: impl AsRef<[u8]>) {
    let logs = samples();
    for run in printing(&logs, args) {
        run.run().printed(expected.as_ref()).with_status(0).quietly();
    }
}

/// Checks output and status 0 of a shell command, in which `tail` is `"$@"`, under both names.
#[track_caller]
fn prints_in_shell(script: &str, args: &str, expected: impl AsRef<[u8]>) {
    let logs = samples();
    for run in printing(&logs, args) {
        run.through(script).run().printed(expected.as_ref()).with_status(0).quietly();
    }
}

/// Checks messages and status 1 of `tail ARGS`.
#[track_caller]
fn is_refused(args: &str, notices: &[&str]) {
    samples().tail(args).run().notices_are(notices).with_status(1).printed("");
}

/// `tail ARGS` that follows, with events or polling fast.
fn tail_following<'a>(logs: &'a Logs, mode: Mode, args: &str) -> Run<'a> {
    let run = logs.tail(args);
    match mode {
        Mode::Events => run,
        Mode::Polling => run.args("---disable-inotify -s 0.05 --max-unchanged-stats=1"),
    }
}

fn tail_follow(logs: &Logs, mode: Mode, args: &str) -> Tail {
    tail_following(logs, mode, args).start()
}

const MISSING: &str = "cannot open 'missing' for reading: No such file or directory";
const TRY_HELP: &str = "Try 'tail --help' for more information.";

/// `TRY_HELP` comes without the program's name.
#[track_caller]
fn is_wrong_usage(args: &str, message: &str) {
    let ended = samples().tail(args).run().with_status(1).printed("");
    assert_eq!(String::from_utf8_lossy(&ended.stderr), format!("tail: {message}\n{TRY_HELP}\n"));
}

// How much is printed.

#[test]
fn lines_are_counted_from_the_end() {
    prints("f", lines(11..=20));
    prints("-n 3 f", lines(18..=20));
    prints("-n3 f", lines(18..=20));
    prints("-n -2 f", lines(19..=20));
    prints("--lines=-+5 f", lines(16..=20));
    prints("--lines 3 f", lines(18..=20));
    prints("--line=1 f", lines(20..=20));
    prints("-n 100 f", lines(1..=20));
    prints("-n 0 f", "");
    prints("-n -0 f", "");
    prints("-n 1k f", lines(1..=20));
    prints("empty", "");
    prints("/dev/null", "");
}

#[test]
fn a_last_line_without_newline_counts() {
    prints("-n 1 nonl", "b");
    prints("-n 2 nonl", "a\nb");
    prints("nonl", "a\nb");
}

#[test]
fn lines_are_counted_from_the_start() {
    prints("-n +19 f", lines(19..=20));
    prints("-n+19 f", lines(19..=20));
    prints("-n +0 f", lines(1..=20));
    prints("-n +1 f", lines(1..=20));
    prints("-n +2 nonl", "b");
    prints("-n +3 nonl", "");
    prints("-n +21 f", "");
}

#[test]
fn bytes_are_counted_from_either_end() {
    prints("-c 4 f", "L20\n");
    prints("-c -4 f", "L20\n");
    prints("--byt 3 f", "20\n");
    prints("-c 1kB f", lines(1..=20));
    prints("-c +1000 f", "");
    prints("-c +0 nonl", "a\nb");
    prints("-c +1 nonl", "a\nb");
    prints("-c +3 nonl", "b");
    prints("-c 0 f", "");
}

#[test]
fn the_last_of_several_counts_wins_but_a_plus_stays() {
    prints("-c 10 f -n 1", lines(20..=20));
    prints("-n 1 -c 3 f", "20\n");
    prints("-n +5 -n 3 nonl", "");
    prints("-c +2 -n 1 nonl", "a\nb");
}

#[test]
fn a_count_too_big_for_any_file_is_everything() {
    prints("-n 99999999999999999999 nonl", "a\nb");
    prints("-c 99999999999999999999 nonl", "a\nb");
    prints("-n 1Y nonl", "a\nb");
    prints("-n +99999999999999999999 nonl", "");
}

#[test]
fn records_may_end_in_nul() {
    let logs = Logs::holding("f", "a\0b\0c");
    for run in printing(&logs, "-z -n 2 f") {
        run.run().printed("b\0c").with_status(0);
    }
    for run in printing(&logs, "-z -n +2 -v f") {
        run.run().printed("==> f <==\nb\0c").with_status(0);
    }
}

#[test]
fn the_old_form_is_understood() {
    for (args, expected) in [
        ("-2 f", lines(19..=20)),
        ("-2 -- f", lines(19..=20)),
        ("+19 f", lines(19..=20)),
        ("-1l f", lines(20..=20)),
        ("-3c f", b"20\n".to_vec()),
        ("-2c f", b"0\n".to_vec()),
        ("-1b f", lines(1..=20)),
    ] {
        samples().tail(args).run().printed(expected).with_status(0).quietly();
    }
    is_refused("-5 f nonl", &["option used in invalid context -- 5"]);
    let two = "==> f <==\nL20\n\n==> nonl <==\nb";
    samples().tail("-n 1 +5 f nonl").run().printed(two).with_status(1);
}

#[test]
fn the_old_form_can_follow() {
    let logs = samples();
    let tail = logs.tail("-2f f").start();
    tail.until_line(20);
    logs.append("f", 21..=21);
    tail.until_line(21);
    tail.end().printed_lines(19..=21);
}

#[test]
fn options_may_follow_names_unless_posix_says_no() {
    prints("nonl -n 1", "b");
    let logs = samples();
    let run = logs.tail("nonl -n 1").through(r#"POSIXLY_CORRECT=1 exec "$@""#).run();
    run.with_status(1).printed("==> nonl <==\na\nb").notices_are(&[
        "cannot open '-n' for reading: No such file or directory",
        "cannot open '1' for reading: No such file or directory",
    ]);
}

// Pipes and standard input.

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

// Outputs that fail.

#[test]
fn closed_standard_output_is_an_error() {
    for run in printing(&samples(), "f") {
        run.through(r#"exec "$@" >&-"#).run().with_status(1).notices_are(&["write error: Bad file descriptor"]);
    }
    let logs = samples();
    let run = logs.tail("-f f").through(r#"exec "$@" >&-"#);
    run.run().with_status(1).noticed_once("standard output: Bad file descriptor");
    for args in ["--help", "--version"] {
        let logs = samples();
        let run = logs.tail(args).through(r#"exec "$@" >&-"#);
        run.run().with_status(1).notices_are(&["write error: Bad file descriptor"]);
    }
}

#[test]
fn a_full_device_is_an_error() {
    let full = "write error: No space left on device";
    let logs = samples();
    for run in printing(&logs, "f") {
        run.through(r#"exec "$@" > /dev/full"#).run().with_status(1).notices_are(&[full]);
    }
    for args in ["--version", "-f f"] {
        logs.tail(args).through(r#"exec "$@" > /dev/full"#).run().with_status(1).noticed(full);
    }
}

#[test]
fn a_warning_that_can_not_be_written_is_an_error() {
    let logs = samples();
    let run = logs.tail("--retry -n 1 f").through(r#"exec "$@" 2> /dev/full"#);
    run.run().with_status(1).printed_lines(20..=20);
    let run = logs.tail("-n 1 missing f").through(r#"exec "$@" 2> /dev/full"#);
    run.run().with_status(1).printed("==> f <==\nL20\n");
    let run = logs.tail("-n 1 f").through(r#"exec "$@" 2>&-"#);
    run.run().with_status(0).printed_lines(20..=20);
}

in_both_modes!(a_closed_reader_is_noticed_though_nothing_is_written);
fn a_closed_reader_is_noticed_though_nothing_is_written(mode: Mode) {
    let logs = samples();
    let run = tail_following(&logs, mode, "-f empty").through(r#"{ "$@"; echo $? > status; } | :"#);
    run.run().quietly();
    assert_eq!(logs.read("status"), b"141\n");
    let script = r#"trap "" PIPE; { "$@"; echo $? > status; } | :"#;
    tail_following(&logs, mode, "-f f").through(script).run();
    assert_eq!(logs.read("status"), b"1\n");
    tail_following(&logs, mode, "-f f").drained(Drain::OneLine).run().died_of(Signal::PIPE);
}

// Headers and names.

#[test]
fn several_files_have_headers() {
    prints("-n 1 f nonl", "==> f <==\nL20\n\n==> nonl <==\nb");
    prints("-n 1 nonl f", "==> nonl <==\nb\n==> f <==\nL20\n");
    prints("-n 1 empty f", "==> empty <==\n\n==> f <==\nL20\n");
    prints("-n 1 f f", "==> f <==\nL20\n\n==> f <==\nL20\n");
}

#[test]
fn headers_can_be_had_always_and_never_and_the_last_word_counts() {
    for (args, expected) in [
        ("--quiet -n 1 f nonl", "L20\nb"),
        ("--silent -n 1 f nonl", "L20\nb"),
        ("-v -n 1 nonl", "==> nonl <==\nb"),
        ("--verbose -q -n 1 f nonl", "L20\nb"),
        ("-q -v -n 1 nonl", "==> nonl <==\nb"),
    ] {
        prints(args, expected);
    }
}

#[test]
fn a_line_without_end_is_glued_to_the_next_file_under_the_name_tail_alone() {
    let logs = samples();
    logs.tail("-q -n 1 nonl f").run().printed("bL20\n").with_status(0).quietly();
    logs.rtail("follow --no-follow -q -n 1 nonl f").run().printed("b\nL20\n").with_status(0).quietly();
}

#[test]
fn a_missing_file_has_a_message_and_no_header() {
    for args in ["-n 1 missing f", "-n 1 f missing"] {
        for run in printing(&samples(), args) {
            run.run().printed("==> f <==\nL20\n").with_status(1).notices_are(&[MISSING]);
        }
    }
}

#[test]
fn nothing_to_print_means_nothing_is_opened() {
    prints("-n 0 missing", "");
    prints("-c 0 missing", "");
    is_refused("-f -n 0 missing", &[MISSING, "no files remaining"]);
}

#[test]
fn names_in_headers_are_quoted_when_needed() {
    use std::os::unix::ffi::OsStrExt as _;
    let logs = Logs::new();
    for (name, quoted) in [
        (&b"two words"[..], "'two words'"),
        (b"it's", "\"it's\""),
        (b"\n", r"''$'\n'"),
        (b"\xff\xfe", r"''$'\377\376'"),
        (b"x\ty", r"'x'$'\t''y'"),
        (b"$HOME", "'$HOME'"),
        (b"a*", "'a*'"),
        (b"plain-1.log", "plain-1.log"),
        (b"a=b", "'a=b'"),
        (b"~a", "'~a'"),
        (b"a~#{}]", "a~#{}]"),
        (b"a,b@d%e+f", "a,b@d%e+f"),
    ] {
        let name = std::ffi::OsStr::from_bytes(name);
        logs.write(name, "x\n");
        let run = logs.tail("-v").arg(name);
        run.run().printed(format!("==> {quoted} <==\nx\n")).with_status(0).quietly();
    }
}

#[test]
fn names_in_messages_are_quoted_always() {
    use std::os::unix::ffi::OsStrExt as _;
    let logs = Logs::new();
    for (name, quoted) in
        [(&b"no such"[..], "'no such'"), (b"it's", "\"it's\""), (b"a\nb", r"'a'$'\n''b'"), (b"\xff", r"''$'\377'")]
    {
        let run = logs.tail("").arg(std::ffi::OsStr::from_bytes(name));
        let message = format!("cannot open {quoted} for reading: No such file or directory");
        run.run().printed("").with_status(1).notices_are(&[&message]);
    }
}

// Files that are not regular.

#[test]
fn a_directory_is_no_file() {
    let reading = "error reading 'd': Is a directory";
    let logs = samples();
    for run in printing(&logs, "d") {
        run.run().printed("").with_status(1).notices_are(&[reading]);
    }
    for run in printing(&logs, "-n 1 f d") {
        run.run().printed("==> f <==\nL20\n\n==> d <==\n").with_status(1).notices_are(&[reading]);
    }
    let giving_up = "d: cannot follow end of this type of file; giving up on this name";
    is_refused("-f d", &[reading, giving_up, "no files remaining"]);
    let run = logs.tail("").through(r#"exec "$@" < d"#);
    run.run().with_status(1).notices_are(&["error reading 'standard input': Is a directory"]);
}

in_both_modes!(a_directory_that_becomes_a_file_is_taken_up_with_retry);
fn a_directory_that_becomes_a_file_is_taken_up_with_retry(mode: Mode) {
    let logs = samples();
    let tail = tail_follow(&logs, mode, "-F d");
    tail.until_noticed("d: cannot follow end of this type of file\n");
    logs.remove_dir("d").append("d", 1..=1);
    tail.until_line(1);
    tail.end().printed_lines(1..=1).never_noticed("giving up");
}

#[test]
fn files_without_an_honest_size_are_read_to_their_end() {
    let logs = samples();
    let version = std::fs::read("/proc/version").unwrap_or_default();
    for args in ["-n 1 /proc/version", "-n +1 /proc/version", "-c +1 /proc/version", "-c 10000 /proc/version"] {
        for run in printing(&logs, args) {
            run.run().printed(&version).with_status(0);
        }
    }
    for run in printing(&logs, "-c 3 /proc/version") {
        run.run().printed(&version[version.len() - 3..]).with_status(0);
    }
    let sys = "/sys/kernel/mm/transparent_hugepage/enabled";
    if let Ok(content) = std::fs::read(sys) {
        for run in printing(&logs, &format!("-n 1 {sys}")) {
            run.run().printed(&content).with_status(0);
        }
        for run in printing(&logs, &format!("-c 4 {sys}")) {
            run.run().printed(&content[content.len() - 4..]).with_status(0);
        }
    }
    for run in printing(&logs, "-n 2 /proc/self/status") {
        let ended = run.run().with_status(0);
        assert_eq!(ended.stdout.split(|&byte| byte == b'\n').count(), 3, "two lines");
    }
}

#[test]
fn devices_that_never_end_do_not_hang_it() {
    prints("-c 5 /dev/zero", [0; 5]);
    let logs = samples();
    let run = logs.rtail("follow --no-follow -c 4096 /dev/urandom");
    assert_eq!(run.run().with_status(0).stdout.len(), 4096);
}

#[test]
fn a_fifo_alone_is_read_to_its_end() {
    let logs = samples();
    logs.make_fifo("fifo");
    for run in printing(&logs, "-n 1 fifo") {
        let tail = run.start();
        logs.write_fifo("fifo", "x\ny\n");
        tail.ended().printed("y\n").with_status(0).quietly();
    }
}

in_both_modes!(a_followed_fifo_waits_for_its_next_writer);
fn a_followed_fifo_waits_for_its_next_writer(mode: Mode) {
    let logs = samples();
    logs.make_fifo("fifo");
    let tail = tail_follow(&logs, mode, "-f fifo");
    for number in 1..=3 {
        logs.write_fifo("fifo", format!("L{number}\n"));
        tail.until_line(number);
    }
    tail.end().printed_lines(1..=3).quietly();
}

#[test]
fn a_socket_can_not_be_opened() {
    let logs = samples();
    let _socket = std::os::unix::net::UnixListener::bind(logs.path("sock"));
    for run in printing(&logs, "sock") {
        let message = "cannot open 'sock' for reading: No such device or address";
        run.run().printed("").with_status(1).notices_are(&[message]);
    }
}

#[test]
fn a_path_below_a_file_is_no_directory() {
    for run in printing(&samples(), "f/x") {
        let message = "cannot open 'f/x' for reading: Not a directory";
        run.run().printed("").with_status(1).notices_are(&[message]);
    }
}

// Wrong usage and warnings.

#[test]
fn wrong_values_are_named() {
    for (args, message) in [
        ("-n x f", "invalid number of lines: 'x'"),
        ("-n +-5 f", "invalid number of lines: '+-5'"),
        ("-n 1kb f", "invalid number of lines: '1kb'"),
        ("-c 1t f", "invalid number of bytes: '1t'"),
        ("-c 0x1 f", "invalid number of bytes: '0x1'"),
        ("-c 2B f", "invalid number of bytes: '2B'"),
        ("-s nan f", "invalid number of seconds: 'nan'"),
        ("-s -1 f", "invalid number of seconds: '-1'"),
        ("-s 1,5 f", "invalid number of seconds: '1,5'"),
        ("--pid=-1 -f f", "invalid PID: '-1'"),
        ("--pid=x -f f", "invalid PID: 'x'"),
        ("--max-unchanged-stats=x f", "invalid maximum number of unchanged stats between opens: 'x'"),
    ] {
        is_refused(args, &[message]);
    }
}

#[test]
fn wrong_options_are_named_with_a_hint() {
    is_wrong_usage("--nosuch f", "unrecognized option '--nosuch'");
    is_wrong_usage("-y f", "invalid option -- 'y'");
    is_wrong_usage("-n", "option requires an argument -- 'n'");
    is_wrong_usage(
        "--follow=x f",
        "invalid argument 'x' for '--follow'\nValid arguments are:\n  - 'descriptor'\n  - 'name'",
    );
}

#[test]
fn options_without_effect_are_warned_of() {
    let logs = samples();
    let run = logs.tail("--retry -n 1 f").run();
    run.printed_lines(20..=20)
        .with_status(0)
        .notices_are(&["warning: --retry ignored; --retry is useful only when following"]);
    let run = logs.tail("--pid=1 -n 1 f").run();
    run.printed_lines(20..=20)
        .with_status(0)
        .notices_are(&["warning: PID ignored; --pid=PID is useful only when following"]);
    let run = logs.tail("--retry missing").run();
    run.printed("")
        .with_status(1)
        .notices_are(&["warning: --retry ignored; --retry is useful only when following", MISSING]);
}

// Following.

in_both_modes!(a_followed_file_is_followed_through_its_rename);
fn a_followed_file_is_followed_through_its_rename(mode: Mode) {
    for flag in ["-f", "--follow", "--follow=descriptor", "--follow=d"] {
        let logs = samples();
        let tail = tail_follow(&logs, mode, &format!("{flag} -n 1 f"));
        tail.until_line(20);
        logs.rename("f", "g").append("g", 21..=21);
        tail.until_line(21);
        logs.append("f", 91..=91).append("g", 22..=22);
        tail.until_line(22);
        tail.end().printed_lines(20..=22).quietly();
    }
}

in_both_modes!(a_later_f_follows_the_descriptor_though_retry_stays);
fn a_later_f_follows_the_descriptor_though_retry_stays(mode: Mode) {
    let logs = samples();
    let tail = tail_follow(&logs, mode, "-F -f -n 1 f");
    tail.until_line(20);
    logs.rename("f", "g").append("g", 21..=21);
    tail.until_line(21);
    tail.end().printed_lines(20..=21).notices_are(&["warning: --retry only effective for the initial open"]);
}

in_both_modes!(a_truncated_file_is_announced_and_read_again);
fn a_truncated_file_is_announced_and_read_again(mode: Mode) {
    for flag in ["-f", "-F"] {
        let logs = samples();
        let tail = tail_follow(&logs, mode, &format!("{flag} -n 1 f"));
        tail.until_line(20);
        logs.write("f", "");
        tail.until_noticed("f: file truncated");
        logs.append("f", 21..=21);
        tail.until_line(21);
        tail.end().printed_lines(20..=21).notices_are(&["f: file truncated"]);
    }
}

in_both_modes!(a_missing_file_ends_it_without_retry);
fn a_missing_file_ends_it_without_retry(mode: Mode) {
    for flag in ["-f", "--follow=descriptor", "--follow=name"] {
        let logs = samples();
        let run = tail_following(&logs, mode, &format!("{flag} missing"));
        run.run().printed("").with_status(1).notices_are(&[MISSING, "no files remaining"]);
    }
}

in_both_modes!(a_missing_file_is_waited_for_by_name_with_retry);
fn a_missing_file_is_waited_for_by_name_with_retry(mode: Mode) {
    for flag in ["-F", "--follow=name --retry", "--foll=n --retr"] {
        let logs = samples();
        let tail = tail_follow(&logs, mode, &format!("{flag} missing"));
        tail.until_noticed(MISSING);
        logs.append("missing", 1..=1);
        tail.until_line(1);
        tail.end().printed_lines(1..=1).notices_are(&[MISSING, "'missing' has appeared;  following new file"]);
    }
}

in_both_modes!(a_missing_file_is_waited_for_by_descriptor_with_retry_once);
fn a_missing_file_is_waited_for_by_descriptor_with_retry_once(mode: Mode) {
    let logs = samples();
    let tail = tail_follow(&logs, mode, "--follow=descriptor --retry missing");
    tail.until_noticed(MISSING);
    logs.append("missing", 100..=100);
    tail.until_line(100);
    logs.write("missing", "L1\n");
    tail.until_line(1);
    tail.end().printed("L100\nL1\n").notices_are(&[
        "warning: --retry only effective for the initial open",
        MISSING,
        "'missing' has appeared;  following new file",
        "missing: file truncated",
    ]);
}

in_both_modes!(a_missing_file_that_turns_out_a_directory_ends_it);
fn a_missing_file_that_turns_out_a_directory_ends_it(mode: Mode) {
    let logs = samples();
    let tail = tail_follow(&logs, mode, "--follow=descriptor --retry missing");
    tail.until_noticed(MISSING);
    logs.make_dir("missing");
    let untailable = "'missing' has been replaced with an untailable file";
    tail.ended().printed("").with_status(1).noticed_once(untailable).noticed_once("no files remaining");
}

in_both_modes!(a_missing_file_is_not_tried_again_by_descriptor);
fn a_missing_file_is_not_tried_again_by_descriptor(mode: Mode) {
    let logs = samples();
    let tail = tail_follow(&logs, mode, "--follow=descriptor -n 1 missing f");
    tail.until_line(20);
    logs.append("missing", 91..=99);
    pause_ms(150);
    logs.append("f", 21..=21);
    tail.until_line(21);
    tail.end().printed("==> f <==\nL20\nL21\n").notices_are(&[MISSING]);
}

in_both_modes!(a_name_that_goes_ends_it_without_retry);
fn a_name_that_goes_ends_it_without_retry(mode: Mode) {
    let notices = ["'f' has become inaccessible: No such file or directory", "no files remaining"];
    let logs = samples();
    let tail = tail_follow(&logs, mode, "--follow=name -n 1 f");
    tail.until_line(20);
    logs.remove("f");
    tail.ended().printed_lines(20..=20).with_status(1).notices_are(&notices);
    let logs = samples();
    let tail = tail_follow(&logs, mode, "--follow=name -n 1 f");
    tail.until_line(20);
    logs.rename("f", "g");
    tail.ended().printed_lines(20..=20).with_status(1).notices_are(&notices);
}

in_both_modes!(a_name_that_goes_is_taken_up_again_while_another_lives);
fn a_name_that_goes_is_taken_up_again_while_another_lives(mode: Mode) {
    let logs = samples();
    let tail = tail_follow(&logs, mode, "--follow=name -q -n 1 f empty");
    tail.until_line(20);
    logs.remove("f");
    tail.until_noticed("'f' has become inaccessible: No such file or directory");
    logs.append("f", 1..=1);
    tail.until_line(1);
    tail.end().printed("L20\nL1\n").notices_are(&[
        "'f' has become inaccessible: No such file or directory",
        "'f' has appeared;  following new file",
    ]);
}

#[test]
fn a_name_is_not_looked_at_before_its_open_file_has_been_quiet_for_long_enough() {
    let logs = Logs::with("f", 1..=1);
    let tail = logs.tail("-F -n +1 ---disable-inotify -s 0.02 --max-unchanged-stats=1000000 f").start();
    tail.until_line(1);
    logs.rename("f", "g").append("f", 2..=2).append("g", 3..=3);
    tail.until_line(3);
    logs.append("f", 4..=4).append("g", 5..=5);
    tail.until_line(5);
    tail.end().printed("L1\nL3\nL5\n").quietly();
}

in_both_modes!(a_replaced_file_is_followed_by_name_and_read_from_its_start);
fn a_replaced_file_is_followed_by_name_and_read_from_its_start(mode: Mode) {
    let logs = samples();
    let tail = tail_follow(&logs, mode, "-F -n 1 f");
    tail.until_line(20);
    logs.replace("f", lines(1..=3));
    tail.until_line(3);
    logs.append("f", 4..=4);
    tail.until_line(4);
    tail.end().printed("L20\nL1\nL2\nL3\nL4\n").notices_are(&["'f' has been replaced;  following new file"]);
}

in_both_modes!(a_name_moved_over_another_is_news_of_both);
fn a_name_moved_over_another_is_news_of_both(mode: Mode) {
    let logs = Logs::with("a", 1..=1);
    logs.append("b", 11..=11);
    let tail = tail_follow(&logs, mode, "-F -q a b");
    tail.until_line(11);
    logs.rename("a", "b");
    tail.until_noticed("'a' has become inaccessible: No such file or directory");
    tail.until_noticed("'b' has been replaced;  following new file");
    logs.append("b", 2..=2).append("a", 21..=21);
    tail.until_line(2).until_line(21).until_noticed("'a' has appeared;  following new file");
    // What was in `a` comes again as what is in `b`.
    let ended = tail.end();
    assert!(ended.stdout.starts_with(b"L1\nL11\nL1\n"), "{}", ended.stdout.escape_ascii());
}

in_both_modes!(headers_while_following_come_with_data_and_when_the_file_changes);
fn headers_while_following_come_with_data_and_when_the_file_changes(mode: Mode) {
    let logs = Logs::with("b", 11..=11);
    let tail = tail_follow(&logs, mode, "-F a b");
    tail.until_line(11).until_noticed("cannot open 'a'");
    logs.append("b", 12..=12);
    tail.until_line(12);
    logs.append("a", 1..=1);
    tail.until_line(1);
    logs.append("a", 2..=2);
    tail.until_line(2);
    logs.append("b", 13..=13);
    tail.until_line(13);
    tail.end().printed("==> b <==\nL11\nL12\n\n==> a <==\nL1\nL2\n\n==> b <==\nL13\n");
}

in_both_modes!(the_last_name_counts_as_the_one_printed_last_even_if_it_was_missing);
fn the_last_name_counts_as_the_one_printed_last_even_if_it_was_missing(mode: Mode) {
    // A quirk; `rtail follow` prints the header of `b`.
    let logs = Logs::with("a", 1..=1);
    let tail = tail_follow(&logs, mode, "-F a b");
    tail.until_line(1).until_noticed("cannot open 'b'");
    logs.append("b", 11..=11);
    tail.until_line(11);
    tail.end().printed("==> a <==\nL1\nL11\n");
}

in_both_modes!(writes_that_pile_up_while_it_is_stopped_have_one_header_a_file);
fn writes_that_pile_up_while_it_is_stopped_have_one_header_a_file(mode: Mode) {
    let logs = Logs::with("a", 1..=1);
    logs.append("b", 11..=11);
    let tail = tail_follow(&logs, mode, "-f a b");
    tail.until_line(11).stop();
    logs.append("a", 2..=2).append("b", 12..=12).append("a", 3..=3).append("b", 13..=13);
    tail.cont().until_line(3).until_line(13);
    tail.end().printed("==> a <==\nL1\n\n==> b <==\nL11\n\n==> a <==\nL2\nL3\n\n==> b <==\nL12\nL13\n");
}

in_both_modes!(fragments_are_printed_at_once_and_glued_as_they_come);
fn fragments_are_printed_at_once_and_glued_as_they_come(mode: Mode) {
    let logs = Logs::holding("a", "one\ntwo");
    logs.write("b", "three");
    let tail = tail_follow(&logs, mode, "-f -q a b");
    tail.until_printed("twothree");
    logs.append_bytes("a", " four");
    tail.until_printed("twothree four");
    tail.end().printed("one\ntwothree four");
}

in_both_modes!(it_ends_with_the_process_it_was_told_of);
fn it_ends_with_the_process_it_was_told_of(mode: Mode) {
    let logs = samples();
    let mut writer = logs.writer("f");
    let pid = writer.pid();
    let tail = tail_follow(&logs, mode, &format!("-f -n 1 -s 0.1 --pid={pid} f"));
    let failed = tail_follow(&logs, mode, &format!("-F -n 1 -s 0.1 --pid={pid} f missing"));
    tail.until_line(20);
    failed.until_line(20).until_noticed(MISSING);
    writer.append(21..=30);
    writer.finish();
    tail.ended().with_status(0).printed_lines(20..=30).quietly();
    failed.ended().with_status(1).notices_are(&[MISSING]);
}

in_both_modes!(a_link_is_followed_to_its_file);
fn a_link_is_followed_to_its_file(mode: Mode) {
    let logs = samples();
    logs.link("f", "link");
    let tail = tail_follow(&logs, mode, "-f -n 1 link");
    tail.until_line(20);
    logs.append("f", 21..=23);
    tail.until_line(23);
    tail.end().printed_lines(20..=23).quietly();
}

#[test]
fn it_says_in_which_mode_it_follows_when_asked() {
    let logs = samples();
    logs.make_fifo("fifo");
    for (args, mode) in [
        ("--debug -f -n 1 f", "using notification mode"),
        ("--debug -f -n 1 ---disable-inotify f", "using polling mode"),
        ("--debug -f fifo", "using blocking mode"),
    ] {
        let tail = logs.tail(args).start();
        if args.ends_with("fifo") {
            logs.write_fifo("fifo", "L20\n");
        }
        tail.until_line(20).until_noticed(mode);
        tail.end().notices_are(&[mode]);
    }
}

#[test]
fn without_follow_it_never_waits() {
    let logs = samples();
    logs.tail("f").run().printed_lines(11..=20).with_status(0).quietly();
    logs.tail("missing").run().printed("").with_status(1).notices_are(&[MISSING]);
}
