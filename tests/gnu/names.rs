//! Headers and names.

use super::{MISSING, is_refused, printing, prints, samples};
use crate::common::Logs;

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
