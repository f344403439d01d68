//! Outputs that fail.

use super::{printing, samples, tail_following};
use crate::common::{Drain, Mode, Signal, in_both_modes};

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
