//! What GNU `tail` does, case by case: under the name `tail`, and for what is printed also as `rtail follow`.
//!
//! Expected values are those of the current GNU sources where they differ from older releases: names in headers are
//! quoted when needed, numbers saturate, `--follow=name` lets go of a renamed file.

#[path = "../common/mod.rs"]
mod common;
mod counts;
mod following;
mod input;
mod names;
mod output;
mod special;
mod usage;

use common::{Logs, Mode, Run, Tail};

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
