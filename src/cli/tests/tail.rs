//! Under the name `tail`. Expectations are GNU's, version 9.1's where the later ones don't differ.

use std::os::unix::ffi::OsStringExt;
use std::time::Duration;

use super::*;
use crate::cli::number::COUNT_MAX;
use crate::settings::{Headers, Looking, Mode, Start};

const TRY_HELP: &str = "Try 'tail --help' for more information.";

/// Asserts a usage error after which GNU points to `--help`.
#[track_caller]
fn assert_refused_with_pointer(line: &str, message: &str) {
    let mut expected: Vec<_> = format!("tail: {message}").lines().map(str::to_owned).collect();
    expected.push(TRY_HELP.to_owned());
    assert_eq!(usage(line), (expected, 1), "{line}");
}

/// Asserts a usage error of one line.
#[track_caller]
fn assert_refused(line: &str, message: &str) {
    assert_eq!(usage(line), (vec![format!("tail: {message}")], 1), "{line}");
}

#[test]
fn tail_prints_ten_lines_of_standard_input_and_ends() {
    let follow = settings("tail");
    assert_eq!(follow.persona, Persona::Tail);
    assert_eq!(follow.operands, [Operand::Stdin]);
    assert_eq!(follow.start, Start::LastLines(10));
    assert_eq!(follow.terminator, b'\n');
    assert_eq!(follow.headers, Headers::Auto);
    assert_eq!(follow.mode, Mode::Print);
    assert!(!follow.retry);
    assert!(follow.ending.pids.is_empty());
    assert_eq!(follow.sleep_interval, Duration::from_secs(1));
    assert_eq!(follow.max_unchanged_stats, 5);
    assert_eq!(follow.looking, Looking::Events);
    assert_eq!(follow.rotate_wait, Duration::ZERO);
    assert!(follow.ending.until.is_none());
    assert_eq!((follow.ending.timeout, follow.ending.idle_timeout), (None, None));
    assert!(!follow.ending.while_locked && !follow.debug && !follow.presume_input_pipe);
}

#[test]
fn the_last_number_counts_in_its_own_unit() {
    for (line, start) in [
        ("tail -n 3", Start::LastLines(3)),
        ("tail -n3", Start::LastLines(3)),
        ("tail --lines 3", Start::LastLines(3)),
        ("tail --lines=3", Start::LastLines(3)),
        ("tail --li=3", Start::LastLines(3)),
        ("tail -c 3", Start::LastBytes(3)),
        ("tail --bytes=3", Start::LastBytes(3)),
        ("tail -n -3", Start::LastLines(3)),
        ("tail -n-3", Start::LastLines(3)),
        ("tail -n 0", Start::LastLines(0)),
        ("tail -n -0", Start::LastLines(0)),
        ("tail -c -0", Start::LastBytes(0)),
        ("tail -n +3", Start::FromLine(3)),
        ("tail -n +0", Start::FromLine(0)),
        ("tail -n +1", Start::FromLine(1)),
        ("tail -c +3", Start::FromByte(3)),
        ("tail -n 1k", Start::LastLines(1024)),
        ("tail -n 99999999999999999999", Start::LastLines(COUNT_MAX)),
        ("tail -n 3 -c 5", Start::LastBytes(5)),
        ("tail -c 5 -n 3", Start::LastLines(3)),
        ("tail -n 3 -c 5 -n 4", Start::LastLines(4)),
        ("tail -n 3 -n 4", Start::LastLines(4)),
    ] {
        assert_eq!(settings(line).start, start, "{line}");
    }
}

#[test]
fn a_plus_once_seen_stays_in_force() {
    for (line, start) in [
        ("tail -n +5 -n 3", Start::FromLine(3)),
        ("tail -n 3 -n +5", Start::FromLine(5)),
        ("tail -n +5 -c 3", Start::FromByte(3)),
        ("tail -c +5 -n -3", Start::FromLine(3)),
        ("tail -n 3 -c 4", Start::LastBytes(4)),
    ] {
        assert_eq!(settings(line).start, start, "{line}");
    }
}

#[test]
fn the_last_option_about_following_counts_and_retry_stays() {
    const INITIAL: &str = "warning: --retry only effective for the initial open";
    const IGNORED: &str = "warning: --retry ignored; --retry is useful only when following";
    for (line, mode, retry, warning) in [
        ("tail x", Mode::Print, false, None),
        ("tail -f x", Mode::Descriptor, false, None),
        ("tail --follow x", Mode::Descriptor, false, None),
        ("tail --follow=descriptor x", Mode::Descriptor, false, None),
        ("tail --follow=d x", Mode::Descriptor, false, None),
        ("tail --follow=name x", Mode::Name, false, None),
        ("tail --follow=n x", Mode::Name, false, None),
        ("tail --fo=nam x", Mode::Name, false, None),
        ("tail -F x", Mode::Name, true, None),
        ("tail --follow=name --retry x", Mode::Name, true, None),
        ("tail --retry --follow=name x", Mode::Name, true, None),
        ("tail -f --retry x", Mode::Descriptor, true, Some(INITIAL)),
        ("tail -F -f x", Mode::Descriptor, true, Some(INITIAL)),
        ("tail -Ff x", Mode::Descriptor, true, Some(INITIAL)),
        ("tail -f -F x", Mode::Name, true, None),
        ("tail -F --follow=descriptor x", Mode::Descriptor, true, Some(INITIAL)),
        ("tail --follow=name -f x", Mode::Descriptor, false, None),
        ("tail -f --follow=name x", Mode::Name, false, None),
        ("tail -f -F -f -F x", Mode::Name, true, None),
        ("tail --retry x", Mode::Print, false, Some(IGNORED)),
        ("tail --re x", Mode::Print, false, Some(IGNORED)),
    ] {
        let (follow, warnings) = settings_and_warnings(Dialect::default(), line);
        assert_eq!((follow.mode, follow.retry), (mode, retry), "{line}");
        assert_eq!(warnings, Vec::from_iter(warning), "{line}");
    }
}

#[test]
fn a_process_id_without_following_is_ignored_with_a_warning() {
    let (follow, warnings) = settings_and_warnings(Dialect::default(), "tail --pid=1 --pid=2 --retry x");
    assert!(follow.ending.pids.is_empty());
    assert_eq!(
        warnings,
        [
            "warning: --retry ignored; --retry is useful only when following",
            "warning: PID ignored; --pid=PID is useful only when following",
        ]
    );
    assert_eq!(settings("tail -f --pid=1 --pid 2 --pid=0 x").ending.pids, [1, 2, 0]);
}

#[test]
fn the_last_of_quiet_and_verbose_counts() {
    for (line, headers) in [
        ("tail -q", Headers::Never),
        ("tail --quiet", Headers::Never),
        ("tail --silent", Headers::Never),
        ("tail --sil", Headers::Never),
        ("tail -v", Headers::Always),
        ("tail --verbose", Headers::Always),
        ("tail -qv", Headers::Always),
        ("tail -vq", Headers::Never),
        ("tail -v --silent -v", Headers::Always),
        ("tail -qqvq", Headers::Never),
    ] {
        assert_eq!(settings(line).headers, headers, "{line}");
    }
}

#[test]
fn the_other_options_are_understood() {
    assert_eq!(settings("tail -z").terminator, 0);
    assert_eq!(settings("tail --zero-terminated").terminator, 0);
    assert_eq!(settings("tail -s .5").sleep_interval, Duration::from_millis(500));
    assert_eq!(settings("tail --sleep=4").sleep_interval, Duration::from_secs(4));
    assert_eq!(settings("tail -s inf").sleep_interval, Duration::MAX);
    assert_eq!(settings("tail -s 1 -s 2").sleep_interval, Duration::from_secs(2));
    assert_eq!(settings("tail --max-unchanged-stats=7").max_unchanged_stats, 7);
    assert!(settings("tail --debug").debug);
}

#[test]
fn hidden_options_have_three_dashes_and_abbreviations() {
    for line in ["tail ---disable-inotify -f x", "tail ---dis -f x", "tail ---d -f x"] {
        assert_eq!(settings(line).looking, Looking::Poll(None), "{line}");
    }
    assert!(settings("tail ---presume-input-pipe").presume_input_pipe);
    assert!(settings("tail ---p").presume_input_pipe);
    assert_refused_with_pointer(
        "tail ---",
        "option '---' is ambiguous; possibilities: '---disable-inotify' '---presume-input-pipe'",
    );
    assert_refused_with_pointer("tail --disable-inotify", "unrecognized option '--disable-inotify'");
    assert_refused_with_pointer("tail ----", "unrecognized option '----'");
}

#[test]
fn short_options_cluster_up_to_one_with_a_value() {
    let follow = settings("tail -qFzn5 x");
    assert_eq!(follow.headers, Headers::Never);
    assert_eq!(follow.mode, Mode::Name);
    assert_eq!(follow.terminator, 0);
    assert_eq!(follow.start, Start::LastLines(5));

    let follow = settings("tail -fc 3 x");
    assert_eq!((follow.mode, follow.start), (Mode::Descriptor, Start::LastBytes(3)));
    assert_eq!(follow.operands, names(&["x"]));
    assert_refused("tail -nf x", "invalid number of lines: 'f'");
    assert_refused("tail -n=5 x", "invalid number of lines: '=5'");
}

#[test]
fn operands_and_options_may_mix() {
    assert_eq!(settings("tail a -n 3 b -q c").operands, names(&["a", "b", "c"]));
    assert_eq!(settings("tail a - b").operands, names(&["a", "-", "b"]));
    assert_eq!(settings("tail -- -n 3").operands, names(&["-n", "3"]));
    assert_eq!(settings("tail a -- -q -- b").operands, names(&["a", "-q", "--", "b"]));
    assert_eq!(settings("tail a a").operands, names(&["a", "a"]));
    assert_eq!(settings("tail --").operands, [Operand::Stdin]);
    let Ok(Invocation { command: Command::Follow(follow), .. }) = parse_args(&["tail", "", "a b"]) else { panic!() };
    assert_eq!(follow.operands, names(&["", "a b"]));
}

#[test]
fn posixly_correct_ends_options_at_the_first_operand() {
    let follow = settings_in(Dialect::default().posixly_correct(), "tail -n 3 a -q -- b");
    assert_eq!(follow.start, Start::LastLines(3));
    assert_eq!(follow.headers, Headers::Auto);
    assert_eq!(follow.operands, names(&["a", "-q", "--", "b"]));
}

#[test]
fn names_and_values_are_bytes() {
    let name = OsString::from_vec(b"\xff\n".to_vec());
    let Ok(Invocation { command: Command::Follow(follow), .. }) =
        parse_in(Dialect::default(), ["tail".into(), name.clone()])
    else {
        panic!()
    };
    assert_eq!(follow.operands, [Operand::Name(name.into())]);

    let value = OsString::from_vec(b"-n\xff".to_vec());
    let refusal = parse_in(Dialect::default(), ["tail".into(), value]).unwrap_err();
    assert_eq!(
        refusal,
        Refusal::Usage { lines: vec!["tail: invalid number of lines: '\\377'".to_owned()], status: 1 }
    );
}

#[test]
fn old_forms_work_alone_and_nowhere_else() {
    for (line, mode, start) in [
        ("tail -5 x", Mode::Print, Start::LastLines(5)),
        ("tail -5f x", Mode::Descriptor, Start::LastLines(5)),
        ("tail -20c x", Mode::Print, Start::LastBytes(20)),
        ("tail -2bf x", Mode::Descriptor, Start::LastBytes(1024)),
        ("tail -cf x", Mode::Descriptor, Start::LastBytes(10)),
        ("tail -f x", Mode::Descriptor, Start::LastLines(10)),
        ("tail +3 x", Mode::Print, Start::FromLine(3)),
        ("tail +3cf x", Mode::Descriptor, Start::FromByte(3)),
    ] {
        let follow = settings(line);
        assert_eq!((follow.mode, follow.start, follow.operands), (mode, start, names(&["x"])), "{line}");
    }
    assert_eq!(settings("tail +5 f g").operands, names(&["+5", "f", "g"]));
    assert_eq!(settings("tail -").operands, [Operand::Stdin]);

    for (line, digit) in [
        ("tail -5 f g", '5'),
        ("tail -n1 -5 f", '5'),
        ("tail -5 -q f", '5'),
        ("tail -5x f", '5'),
        ("tail -2cX", '2'),
        ("tail -12bq", '1'),
        ("tail -f5 x", '5'),
    ] {
        assert_refused(line, &format!("option used in invalid context -- {digit}"));
    }
    assert_refused_with_pointer("tail -b4", "invalid option -- 'b'");
    assert_refused_with_pointer("tail -+5 f", "invalid option -- '+'");
    assert_refused("tail -cl", "invalid number of bytes: 'l'");
}

#[test]
fn the_edition_of_posix_decides_what_plus_and_c_mean() {
    let of_2001 = Dialect::default().in_edition("200112");
    assert_eq!(settings_in(of_2001, "tail +3 x").operands, names(&["+3", "x"]));
    assert_eq!(settings_in(of_2001, "tail -c 4").start, Start::LastBytes(4));

    let of_1992 = Dialect::default().in_edition("199209");
    let follow = settings_in(of_1992, "tail -c 4");
    assert_eq!((follow.start, follow.operands), (Start::LastBytes(10), names(&["4"])));
}

#[test]
fn a_misspelled_option_is_refused_in_gnus_words() {
    for (line, message) in [
        ("tail -x", "invalid option -- 'x'"),
        ("tail -qFx", "invalid option -- 'x'"),
        ("tail -h", "invalid option -- 'h'"),
        ("tail -V", "invalid option -- 'V'"),
        ("tail -f=3", "invalid option -- '='"),
        ("tail -é", "invalid option -- '\u{fffd}'"),
        ("tail --x", "unrecognized option '--x'"),
        ("tail --x=5", "unrecognized option '--x=5'"),
        // GNU doesn't guess, and doesn't know rtail's own options.
        ("tail --lnes=3", "unrecognized option '--lnes=3'"),
        ("tail --no-follow", "unrecognized option '--no-follow'"),
        ("tail --poll", "unrecognized option '--poll'"),
        ("tail --until=x", "unrecognized option '--until=x'"),
        ("tail --s", "option '--s' is ambiguous; possibilities: '--silent' '--sleep-interval'"),
        ("tail --s=4", "option '--s=4' is ambiguous; possibilities: '--silent' '--sleep-interval'"),
        ("tail --ver", "option '--ver' is ambiguous; possibilities: '--verbose' '--version'"),
        ("tail --retry=3", "option '--retry' doesn't allow an argument"),
        ("tail --retr=", "option '--retry' doesn't allow an argument"),
        ("tail --pid", "option '--pid' requires an argument"),
        ("tail --pi", "option '--pid' requires an argument"),
        ("tail --lines", "option '--lines' requires an argument"),
        ("tail -n", "option requires an argument -- 'n'"),
        ("tail -qn", "option requires an argument -- 'n'"),
        ("tail -c", "option requires an argument -- 'c'"),
        (
            "tail --follow=x",
            "invalid argument 'x' for '--follow'\nValid arguments are:\n  - 'descriptor'\n  - 'name'",
        ),
        (
            "tail --follow=",
            "ambiguous argument '' for '--follow'\nValid arguments are:\n  - 'descriptor'\n  - 'name'",
        ),
    ] {
        assert_refused_with_pointer(line, message);
    }
}

#[test]
fn a_wrong_value_is_refused_in_gnus_words() {
    for (line, message) in [
        ("tail -n x", "invalid number of lines: 'x'"),
        ("tail --lines=x", "invalid number of lines: 'x'"),
        ("tail --lines=", "invalid number of lines: ''"),
        ("tail -c x", "invalid number of bytes: 'x'"),
        ("tail -c --", "invalid number of bytes: '-'"),
        ("tail -n -5x", "invalid number of lines: '5x'"),
        ("tail -s x", "invalid number of seconds: 'x'"),
        ("tail -s -1", "invalid number of seconds: '-1'"),
        ("tail --pid=x", "invalid PID: 'x'"),
        ("tail --pid=-1", "invalid PID: '-1'"),
        ("tail --pid=2147483648", "invalid PID: '2147483648': Value too large for defined data type"),
        ("tail --max=x", "invalid maximum number of unchanged stats between opens: 'x'"),
        ("tail -F -", "cannot follow '-' by name"),
        ("tail -F", "cannot follow '-' by name"),
        ("tail --follow=name a - b", "cannot follow '-' by name"),
    ] {
        assert_refused(line, message);
    }
}

#[test]
fn the_first_fault_on_the_line_is_the_one_reported() {
    assert_refused("tail -n x --zzz", "invalid number of lines: 'x'");
    assert_refused_with_pointer("tail --zzz -n x", "unrecognized option '--zzz'");
    assert_refused("tail -c x -n y", "invalid number of bytes: 'x'");
    assert_refused("tail -F - --pid=x", "invalid PID: 'x'");
    assert_refused_with_pointer("tail -x --help", "invalid option -- 'x'");
    assert_refused("tail -n x --help", "invalid number of lines: 'x'");
    assert!(shown("tail --help -x").starts_with("Usage: tail"));
    assert!(shown("tail --help -n x").starts_with("Usage: tail"));
}

#[test]
fn help_and_version_are_shown() {
    let help = shown("tail --help");
    assert!(help.starts_with("Usage: tail [OPTION]... [FILE]...\nPrint the last 10 lines"), "{help}");
    for option in ["--bytes", "--follow", "-F", "--max-unchanged-stats", "--pid", "--retry", "--zero-terminated"] {
        assert!(help.contains(option), "{option}: {help}");
    }
    assert!(!help.contains("inotify") && !help.contains("presume") && !help.contains("--poll"), "{help}");
    assert_eq!(shown("tail --hel"), help);
    assert_eq!(shown("tail --version"), format!("tail (rtail) {}\n", env!("CARGO_PKG_VERSION")));
}
