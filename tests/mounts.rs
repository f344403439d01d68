//! Mounts that stop answering: one by FUSE, in a namespace of its own, whose server can be told to be silent.

mod common;

use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use common::{Logs, Mode, Run, Signal, find_program, in_both_modes, pause_ms, skip};

const SERVER: &str = include_str!("common/silent.py");

/// How soon it is to have ended, on a machine that is busy.
const SOON: Duration = Duration::from_secs(5);

/// Logs in `remote`, which shows what is in `back`.
struct Remote {
    logs: Logs,
}

impl Remote {
    /// `None` where nothing can be mounted.
    fn new() -> Option<Self> {
        let python = find_program("python3")?;
        let logs = Logs::new();
        logs.make_dir("back").make_dir("remote").write("../silent.py", SERVER);
        let mut tried = Command::new("unshare");
        tried.args(["-Urm"]).arg(python).args(["../silent.py", "back", "remote"]);
        let mounted = tried.current_dir(logs.path("")).stderr(Stdio::null()).status();
        if !mounted.is_ok_and(|status| status.success()) {
            skip("FUSE, or mounting in a user namespace, is not permitted");
            return None;
        }
        Some(Self { logs })
    }

    /// Has it run where `remote` is mounted.
    fn seen_by(run: Run<'_>) -> Run<'_> {
        let mount = "python3 ../silent.py back remote ../hang ../silent < /dev/null > /dev/null 2>&1 &";
        let wait = "until test -e ../silent || ! kill -0 $! ; do sleep 0.01; done";
        run.through(format!(r#"exec unshare -Urm sh -c '{mount} {wait}; exec "$@"' sh "$@""#))
    }

    /// From now on there is no answer.
    fn hang(&self) {
        self.logs.remove("../silent").write("../hang", "");
        let deadline = Instant::now() + Duration::from_secs(20);
        while !self.logs.path("../silent").exists() {
            assert!(Instant::now() < deadline, "the server is not silent");
            pause_ms(1);
        }
    }

    fn answer(&self) {
        self.logs.remove("../hang");
    }
}

in_both_modes!(a_mount_that_hangs_keeps_no_other_file_waiting_nor_the_end);
fn a_mount_that_hangs_keeps_no_other_file_waiting_nor_the_end(mode: Mode) {
    let Some(remote) = Remote::new() else { return };
    let logs = &remote.logs;
    logs.append("back/a.log", 1..=10).append("b.log", 1001..=1010);
    let tail = Remote::seen_by(logs.following(mode, "-q -n +1 remote/a.log b.log")).start();
    tail.until_line(10).until_line(1010);
    remote.hang();
    logs.append("back/a.log", 11..=20).append("b.log", 1011..=1020);
    tail.until_line(1020).until_noticed("'remote/a.log': not answering");
    logs.append("b.log", 1021..=1030);
    tail.until_line(1030);
    logs.rename("back/a.log", "back/a.log.1").append("back/a.log", 21..=30);
    remote.answer();
    tail.until_line(30);
    remote.hang();
    logs.append("back/a.log", 31..=40).append("b.log", 1031..=1040);
    tail.until_line(1040);
    let asked = Instant::now();
    let ended = tail.end_by(Signal::TERM).died_of(Signal::TERM).printed_ranges([1..=30, 1001..=1040]);
    assert!(asked.elapsed() < SOON, "it took {:?} to end", asked.elapsed());
    ended
        .noticed("'remote/a.log': not answering; waiting for it")
        .noticed_once("'remote/a.log': answers again")
        .never_noticed("lost");
}

in_both_modes!(a_stream_waits_for_a_mount_that_hangs_and_ends_in_time);
fn a_stream_waits_for_a_mount_that_hangs_and_ends_in_time(mode: Mode) {
    let Some(remote) = Remote::new() else { return };
    let logs = &remote.logs;
    logs.append("back/a.log", 1..=10).append("b.log", 1001..=1010);
    let args = "--idle-timeout 8s remote/a.log b.log";
    let tail = Remote::seen_by(logs.streaming(mode, args)).start();
    tail.until_line(10).until_line(1010);
    remote.hang();
    logs.append("back/a.log", 11..=20);
    // For longer than reads may fail.
    let ended = tail.ended().printed_ranges([1..=10, 1001..=1010]);
    ended
        .with_status(1)
        .noticed_once("'remote/a.log': not answering; waiting for it")
        .noticed_once("error reading 'remote/a.log'");
}
