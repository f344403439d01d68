//! Wrong usage and warnings.

use super::{MISSING, is_refused, is_wrong_usage, samples};

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
