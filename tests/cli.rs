//! The command line from outside: what is printed where, and with which status it ends.

#![allow(clippy::unwrap_used, reason = "helpers of tests may fail as tests do")]

use std::process::{Command as Program, Stdio};

use assert_cmd::Command;
use assert_cmd::cargo::cargo_bin;
use predicates::prelude::*;

fn rtail(line: &str) -> Command {
    let mut command = Command::new(cargo_bin!("rtail"));
    command.args(line.split_whitespace()).env_remove("POSIXLY_CORRECT").env_remove("_POSIX2_VERSION");
    command
}

/// Has a shell run a line in which `rtail` is `$0`; returns its status and what it wrote to standard error.
fn in_a_shell(line: &str) -> (Option<i32>, String) {
    let mut shell = Program::new("bash");
    let ended = shell.args(["-c", line]).arg(cargo_bin!("rtail")).stdin(Stdio::null()).output().unwrap();
    (ended.status.code(), String::from_utf8(ended.stderr).unwrap())
}

#[test]
fn a_misused_line_ends_with_status_2_and_names_the_remedy() {
    for (line, first) in [
        ("", "a command is required"),
        ("app.log", "unrecognized command 'app.log'; to follow a file: rtail follow app.log"),
        ("-f app.log", "invalid option -- 'f'; to follow a file: rtail follow app.log"),
        ("folow app.log", "unrecognized command 'folow'; did you mean 'follow'?"),
        ("follow --colour x", "unrecognized option '--colour'; did you mean '--color'?"),
        ("follow -f5 x", "option used in invalid context -- 5; use -n 5"),
        ("follow --poll=0 x", "invalid value for '--poll': '0': a duration greater than zero is needed"),
        ("follow --until a(b x", "invalid value for '--until': regex parse error:"),
        ("stream", "missing file operand; to read standard input, give -"),
        ("stream -F app.log", "invalid option -- 'F'; to follow a file: rtail stream app.log"),
        ("stream --fromat json app.log", "unrecognized option '--fromat'; did you mean '--format'?"),
        ("stream --format xml app.log", "invalid argument 'xml' for '--format'"),
        ("stream --parse json app.log", "option '--parse' can't be used without '--format json'"),
        ("stream --since-offset 5 a b", "option '--since-offset' can't be used with more than one FILE"),
    ] {
        let page = match line.split_once(' ').map_or(line, |(command, _)| command) {
            command @ ("follow" | "stream") => format!("rtail {command}"),
            _ => "rtail".to_owned(),
        };
        rtail(line)
            .assert()
            .code(2)
            .stdout("")
            .stderr(predicate::str::starts_with(format!("rtail: {first}\n")))
            .stderr(predicate::str::ends_with(format!("Try '{page} --help' for more information.\n")));
    }
}

#[test]
fn help_and_version_are_shown_on_standard_output() {
    for (line, begin) in [
        ("help", "Follows log files"),
        ("--help", "Follows log files"),
        ("help follow", "Prints the last 10 lines of each FILE and follows it by name"),
        ("follow --help", "Prints the last 10 lines of each FILE and follows it by name"),
        ("follow -h", "Print the last 10 lines of each FILE and follow it by name"),
        ("help watch", "Follows all files below each PATH"),
        ("watch -h", "Follow all logs of a directory"),
        ("help stream", "Delivers the complete lines of each FILE from its start and follows it"),
        ("stream --help", "Delivers the complete lines of each FILE from its start and follows it"),
        ("stream -h", "Deliver whole lines to programs"),
        ("--version", concat!("rtail ", env!("CARGO_PKG_VERSION"), "\n")),
        ("follow -V", concat!("rtail ", env!("CARGO_PKG_VERSION"), "\n")),
    ] {
        rtail(line).assert().code(0).stdout(predicate::str::starts_with(begin)).stderr("");
    }
}

#[test]
fn a_closed_output_is_a_write_error() {
    let expected = (Some(1), "rtail: write error: Bad file descriptor\n".to_owned());
    assert_eq!(in_a_shell("\"$0\" --help >&-"), expected);
}

#[test]
fn a_reader_that_has_had_enough_is_none() {
    let (status, stderr) = in_a_shell("set -o pipefail; { sleep .2; \"$0\" --version; } | true");
    assert_eq!((status, stderr.as_str()), (Some(141), ""));
}

#[test]
fn an_old_form_works_beside_other_options() {
    rtail("follow --no-follow -2").write_stdin("a\nb\nc\n").assert().code(0).stdout("b\nc\n").stderr("");
}

#[test]
fn a_time_limit_is_accepted_without_following() {
    rtail("follow --no-follow --timeout 1m --idle-timeout 1m").write_stdin("a\n").assert().code(0).stdout("a\n");
}

#[test]
fn the_name_tail_keeps_gnus_words_and_status() {
    let (status, stderr) = in_a_shell("(exec -a tail \"$0\" -5 f g)");
    assert_eq!((status, stderr.as_str()), (Some(1), "tail: option used in invalid context -- 5\n"));
}
