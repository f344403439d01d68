//! Output into the programs that people put behind it: it flows as lines come, and all of a pipeline ends when it should.
//!
//! A shell runs the pipeline, and ends when every process of it has.

mod common;

use common::{Ended, Logs, Mode, Run, Writer, find_program, in_both_modes, lines};

/// What runs the first program of a pipeline, which writes down its status.
const FIRST: &str = r#"{ "$@"; echo $? >status; }"#;

/// Each command on one log from its start, as the first program of a pipeline.
fn each<'a>(logs: &'a Logs, mode: Mode, pipeline: &str) -> Vec<Run<'a>> {
    let poll = if mode == Mode::Polling { "--poll=20ms" } else { "" };
    ["follow -n +1", "stream", "watch --state none --label=none --from start"]
        .map(|command| logs.rtail(command).args(poll).args("a.log").through(pipeline))
        .into()
}

/// Asserts that the first of the pipeline died since nobody read any more.
#[track_caller]
fn assert_died_of_pipe(logs: &Logs) {
    assert_eq!(logs.read("status"), b"141\n");
}

in_both_modes!(head_ends_it_with_what_is_there);
fn head_ends_it_with_what_is_there(mode: Mode) {
    let logs = Logs::with("a.log", 1..=5);
    for run in each(&logs, mode, &format!("{FIRST} | head -n 3")) {
        run.run().printed_lines(1..=3).quietly().with_status(0);
        assert_died_of_pipe(&logs);
    }
}

in_both_modes!(a_reader_ends_it_with_the_line_that_it_waited_for);
fn a_reader_ends_it_with_the_line_that_it_waited_for(mode: Mode) {
    for reader in ["grep --line-buffered -m3 L", "sed -u 3q"] {
        let logs = Logs::with("a.log", 1..=1);
        for run in each(&logs, mode, &format!("{FIRST} | {reader}")) {
            logs.write("a.log", "L1\n");
            let tail = run.start();
            for number in 2..=3 {
                tail.until_line(number - 1);
                logs.append("a.log", number..=number);
            }
            // Nothing more is written.
            tail.ended().printed_lines(1..=3).quietly().with_status(0);
            assert_died_of_pipe(&logs);
        }
    }
}

in_both_modes!(lines_flow_through_a_pipeline_as_they_come);
fn lines_flow_through_a_pipeline_as_they_come(mode: Mode) {
    for behind in ["tee copy", "grep --line-buffered L | sed -u s/x/y/"] {
        let logs = Logs::new();
        for run in each(&logs, mode, &format!("{FIRST} | {behind}")) {
            logs.write("a.log", "L1\n");
            let tail = run.args("--until L5").start();
            for number in 2..=5 {
                tail.until_line(number - 1);
                logs.append("a.log", number..=number);
            }
            tail.ended().printed_lines(1..=5).quietly().with_status(0);
            assert_eq!(logs.read("status"), b"0\n");
        }
    }
}

in_both_modes!(jq_reads_records_and_lines_as_they_come);
fn jq_reads_records_and_lines_as_they_come(mode: Mode) {
    if find_program("jq").is_none() {
        return;
    }
    let logs = Logs::new();
    let object = |number: u32| format!("{{\"n\":\"L{number}\"}}\n");
    let poll = if mode == Mode::Polling { "--poll=20ms" } else { "" };
    for (command, filter) in [
        ("follow -n +1", ".n"),
        ("stream", ".n"),
        ("stream --format json --parse json", "select(.type == \"line\").fields.n"),
        ("watch --state none --from start --format json", "select(.type == \"line\").text | fromjson.n"),
    ] {
        logs.write("a.log", object(1));
        let run = logs.rtail(command).args(poll).args("--until L5 a.log");
        let tail = run.through(format!(r#""$@" | jq -r --unbuffered '{filter}'"#)).start();
        for number in 2..=5 {
            tail.until_line(number - 1);
            logs.append_bytes("a.log", object(number));
        }
        tail.ended().printed_lines(1..=5).quietly().with_status(0);
    }
}

in_both_modes!(a_signal_to_the_first_of_a_pipeline_ends_all_of_it_with_everything_written);
fn a_signal_to_the_first_of_a_pipeline_ends_all_of_it_with_everything_written(mode: Mode) {
    let logs = Logs::with("a.log", 1..=5);
    let first = r#"{ "$@" & echo $! >pid; wait $!; echo $? >status; }"#;
    for run in each(&logs, mode, &format!("{first} | tee copy")) {
        let tail = run.start();
        tail.until_line(5);
        Writer::script(&logs, "kill -TERM $(cat pid)").finish();
        tail.ended().printed_lines(1..=5).with_status(0);
        assert_eq!((logs.read("status"), logs.read("copy")), (b"143\n".to_vec(), lines(1..=5)));
    }
}

/// Has `run` run on a terminal of its own, waits until it shows `awaited`, types `keys` and waits until all of it has
/// ended; prints how.
#[track_caller]
fn typed(run: Run<'_>, pipeline: &str, awaited: &str, keys: &str) -> Ended {
    const ON_TERMINAL: &str = r#"
import os, pty, signal, sys
pid, terminal = pty.fork()
if pid == 0:
    os.environ["TERM"] = "xterm"
    # Whoever runs the tests in the background may have these ignored.
    for number in signal.SIGPIPE, signal.SIGINT, signal.SIGQUIT, signal.SIGHUP:
        signal.signal(number, signal.SIG_DFL)
    os.execvp("sh", ["sh", "-c", sys.argv[1], "sh", *sys.argv[4:]])
seen = b""
while sys.argv[2].encode() not in seen:
    seen += os.read(terminal, 65536)
os.write(terminal, sys.argv[3].replace("^C", chr(3)).encode())
try:
    while os.read(terminal, 65536): pass
except OSError: pass
print(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
"#;
    run.through(format!(r#"exec python3 -c '{ON_TERMINAL}' '{pipeline}' '{awaited}' '{keys}' "$@""#)).run()
}

#[test]
fn leaving_less_ends_both() {
    if find_program("less").is_none() {
        return;
    }
    let logs = Logs::with("a.log", 1..=200);
    for command in ["follow -n +1", "follow -l --color always -n +1", "stream", "watch --from start"] {
        let run = logs.rtail(command).args("a.log");
        let ended = typed(run, &format!("{FIRST} | LESS= less -R"), "L20", "q");
        ended.printed("0\n").with_status(0);
        assert_died_of_pipe(&logs);
    }
}

#[test]
fn the_interrupt_key_ends_a_pipeline_with_everything_written() {
    let logs = Logs::with("a.log", 1..=200);
    for command in ["follow -n +1", "stream", "watch --label=none --from start"] {
        let ended = typed(logs.rtail(command).args("a.log"), r#""$@" | tee -i copy"#, "L200", "^C");
        // 130, or the signal itself, as shells have it.
        assert!(ended.stdout == b"130\n" || ended.stdout == b"-2\n", "{}", ended.stdout.escape_ascii());
        assert_eq!(logs.read("copy"), lines(1..=200));
    }
}
