//! `rtail stream`. How options are read, and the groups that it shares with `rtail follow`, are tested there.

use std::path::Path;
use std::time::Duration;

use super::*;
use crate::settings::{AtEnd, Begin, Format, Looking, Parse, Wait};

const TRY_STREAM: &str = "Try 'rtail stream --help' for more information.";

/// The settings of a line that is not refused; `stream` warns of nothing.
#[track_caller]
fn stream(line: &str) -> settings::Stream {
    match try_parse(Dialect::default(), line) {
        Ok(Invocation { command: Command::Stream(stream), warnings }) if warnings.is_empty() => stream,
        other => panic!("{line}: {other:?}"),
    }
}

/// Asserts a usage error of one line.
#[track_caller]
fn assert_refused(line: &str, message: &str) {
    super::assert_refused(line, message, TRY_STREAM);
}

#[test]
fn stream_begins_at_the_start_and_follows() {
    let stream = stream("rtail stream app.log");
    assert_eq!(stream.operands, names(&["app.log"]));
    assert_eq!(stream.begin, Begin::Start);
    assert_eq!(stream.checkpoint, None);
    assert_eq!((stream.at_end, stream.wait), (AtEnd::Follow, Wait::Never));
    assert_eq!((stream.looking, stream.rotate_wait), (Looking::Events, Duration::from_secs(5)));
    assert!(stream.ending.until.is_none());
    assert_eq!((stream.ending.timeout, stream.ending.idle_timeout), (None, None));
    assert!(!stream.ending.while_locked);
    assert!(stream.ending.pids.is_empty());
    assert_eq!((stream.format, stream.parse), (Format::Raw, Parse::Nothing));
    assert_eq!(stream.max_line, 1 << 20);
    assert!(!stream.strict && !stream.summary);
    assert!(stream.selection.is_everything());
}

#[test]
fn every_option_is_understood() {
    let stream = stream(
        "rtail stream --from end --checkpoint pos --wait=1.5m --poll=0.5 --rotate-wait 0 --until ^done$ --timeout 2m \
         --idle-timeout=250ms --while-locked --pid 7 --pid=8 --format json --parse json --max-line 64K --strict \
         --summary a logs/*.log",
    );
    assert_eq!(stream.operands, names(&["a", "logs/*.log"]));
    assert_eq!(stream.begin, Begin::End);
    assert_eq!(stream.checkpoint.as_deref(), Some(Path::new("pos")));
    assert_eq!((stream.at_end, stream.wait), (AtEnd::Follow, Wait::For(Duration::from_secs(90))));
    assert_eq!(
        (stream.looking, stream.rotate_wait),
        (Looking::Poll(Some(Duration::from_millis(500))), Duration::ZERO)
    );
    assert_eq!(stream.ending.until.map(|regex| regex.as_str().to_owned()).as_deref(), Some("^done$"));
    assert_eq!(stream.ending.timeout, Some(Duration::from_mins(2)));
    assert_eq!(stream.ending.idle_timeout, Some(Duration::from_millis(250)));
    assert!(stream.ending.while_locked);
    assert_eq!(stream.ending.pids, [7, 8]);
    assert_eq!((stream.format, stream.parse), (Format::Json, Parse::Json));
    assert_eq!(stream.max_line, 64 << 10);
    assert!(stream.strict && stream.summary);
}

#[test]
fn lines_are_selected_without_what_is_around_them() {
    let stream = stream("rtail stream -g error -g fatal -x health --exclude ping -i x");
    let patterns = |patterns: &[regex::bytes::Regex]| patterns.iter().map(ToString::to_string).collect::<Vec<_>>();
    assert_eq!(patterns(&stream.selection.grep), ["(?i)error", "(?i)fatal"]);
    assert_eq!(patterns(&stream.selection.exclude), ["(?i)health", "(?i)ping"]);
    assert_eq!(stream.selection.context, settings::Context::NONE);
    for (option, hint) in [("-C 1", "--context=1"), ("-A 1", "--after-context=1"), ("-B1", "--before-context=1")] {
        let line = format!("rtail stream -g error {option} x");
        let letter = option.chars().nth(1).unwrap();
        let message = format!("invalid option -- '{letter}'; to follow a file: rtail follow --grep=error {hint} x");
        assert_refused(&line, &message);
    }
}

#[test]
fn a_place_to_begin_is_chosen() {
    for (line, begin) in [
        ("rtail stream --from start x", Begin::Start),
        ("rtail stream --from=end x", Begin::End),
        ("rtail stream --from e x", Begin::End),
        ("rtail stream --from end --from start x", Begin::Start),
        ("rtail stream --since-offset 0 x", Begin::Offset(0)),
        ("rtail stream --since-offset=1M x", Begin::Offset(1 << 20)),
        ("rtail stream --since-offset 1 --since-offset 2 x", Begin::Offset(2)),
        ("rtail stream --since-offset 5 -", Begin::Offset(5)),
        // For files that the checkpoint has nothing about.
        ("rtail stream --since-offset 5 --checkpoint pos x", Begin::Offset(5)),
        ("rtail stream --from end --checkpoint pos x", Begin::End),
    ] {
        assert_eq!(stream(line).begin, begin, "{line}");
    }
}

#[test]
fn a_missing_file_is_waited_for_if_that_is_asked_for() {
    for (line, wait, operands) in [
        ("rtail stream x", Wait::Never, &["x"][..]),
        ("rtail stream --wait x", Wait::Always, &["x"]),
        ("rtail stream --wait 5 x", Wait::Always, &["5", "x"]),
        ("rtail stream --wait=5 x", Wait::For(Duration::from_secs(5)), &["x"]),
        ("rtail stream --wait=0 x", Wait::For(Duration::ZERO), &["x"]),
        ("rtail stream --wait=5 --wait x", Wait::Always, &["x"]),
    ] {
        let stream = stream(line);
        assert_eq!((stream.wait, stream.operands), (wait, names(operands)), "{line}");
    }
}

#[test]
fn the_last_format_counts() {
    for (line, format, parse) in [
        ("rtail stream --format raw x", Format::Raw, Parse::Nothing),
        ("rtail stream --format json x", Format::Json, Parse::Nothing),
        ("rtail stream --format j --parse j x", Format::Json, Parse::Json),
        ("rtail stream --parse json --format json x", Format::Json, Parse::Json),
        ("rtail stream --format raw --parse json --format json x", Format::Json, Parse::Json),
    ] {
        let stream = stream(line);
        assert_eq!((stream.format, stream.parse), (format, parse), "{line}");
    }
    for line in ["rtail stream --parse json x", "rtail stream --format json --parse json --format raw x"] {
        assert_refused(line, "option '--parse' can't be used without '--format json'");
    }
}

#[test]
fn without_following_only_a_time_ends_it_before_the_end_of_the_files() {
    let stream = stream("rtail stream --no-follow --timeout 1 --idle-timeout 2 --poll --rotate-wait 3 x");
    assert_eq!((stream.at_end, stream.wait), (AtEnd::Stop, Wait::Never));
    assert_eq!(stream.ending.timeout, Some(Duration::from_secs(1)));
    assert_eq!(stream.ending.idle_timeout, Some(Duration::from_secs(2)));
}

#[test]
fn options_that_exclude_each_other_are_refused() {
    for (line, first, second) in [
        ("rtail stream --since-offset 5 --from start x", "--since-offset", "--from"),
        ("rtail stream --from end --since-offset 5 x", "--from", "--since-offset"),
        ("rtail stream --no-follow --while-locked x", "--no-follow", "--while-locked"),
        ("rtail stream --no-follow --pid 1 x", "--no-follow", "--pid"),
        ("rtail stream --no-follow --wait x", "--no-follow", "--wait"),
        ("rtail stream --no-follow --wait=5 x", "--no-follow", "--wait"),
    ] {
        assert_refused(line, &format!("option '{first}' can't be used with '{second}'"));
    }
}

#[test]
fn a_file_is_needed() {
    for line in ["rtail stream", "rtail stream --", "rtail stream --from end"] {
        assert_refused(line, "missing file operand; to read standard input, give -");
    }
    assert_eq!(stream("rtail stream -").operands, [Operand::Stdin]);
    assert_eq!(stream("rtail stream - x -- -y").operands, names(&["-", "x", "-y"]));
}

#[test]
fn an_offset_is_for_one_file() {
    const PATTERN: &str = "option '--since-offset' can't be used with a pattern: ";
    for (line, message) in [
        ("rtail stream --since-offset 5 a b", "option '--since-offset' can't be used with more than one FILE"),
        ("rtail stream --since-offset 5 a a", "option '--since-offset' can't be used with more than one FILE"),
        ("rtail stream --since-offset 5 - a", "option '--since-offset' can't be used with more than one FILE"),
        ("rtail stream --since-offset 5 logs/*.log", &format!("{PATTERN}'logs/*.log'")),
        ("rtail stream --since-offset 0 a?", &format!("{PATTERN}'a?'")),
        ("rtail stream --since-offset 5 a[1]", &format!("{PATTERN}'a[1]'")),
        ("rtail stream --since-offset 5 {a,b}", &format!("{PATTERN}'{{a,b}}'")),
        ("rtail stream --since-offset x a", "invalid offset: 'x'"),
        ("rtail stream --since-offset -1 a", "invalid offset: '-1'"),
        ("rtail stream --since-offset= a", "invalid offset: ''"),
    ] {
        assert_refused(line, message);
    }
}

#[test]
fn a_checkpoint_is_for_names_each_given_once() {
    const STDIN: &str = "option '--checkpoint' can't be used with '-': standard input can't be resumed";
    const TWICE: &str = "option '--checkpoint' can't be used with a FILE given twice: 'a'";
    for (line, message) in [
        ("rtail stream --checkpoint pos -", STDIN),
        ("rtail stream --checkpoint pos a -", STDIN),
        ("rtail stream --checkpoint pos a b a", TWICE),
        ("rtail stream a a --checkpoint=pos", TWICE),
    ] {
        assert_refused(line, message);
    }
    // Two readings of one file, as in `follow`; and it is not known here what a pattern matches.
    assert_eq!(stream("rtail stream a a").operands, names(&["a", "a"]));
    assert_eq!(stream("rtail stream --checkpoint pos a *").operands, names(&["a", "*"]));
}

#[test]
fn standard_input_has_one_reader() {
    assert_refused("rtail stream - -", "standard input ('-') can be given only once");
    assert_refused("rtail stream - x -", "standard input ('-') can be given only once");
}

#[test]
fn wrong_values_are_named() {
    for (line, message) in [
        ("rtail stream --max-line 0 x", "invalid value for '--max-line': '0': at least 1 byte is needed"),
        ("rtail stream --max-line 1X x", "invalid size: '1X'"),
        ("rtail stream --max-line", "option '--max-line' requires an argument"),
        ("rtail stream --checkpoint= x", "a value is required for '--checkpoint <PATH>' but none was supplied"),
        ("rtail stream --wait=5d x", "invalid duration: '5d'; use for example 250ms, 5s, 2m or 1h"),
        ("rtail stream --poll=0 x", "invalid value for '--poll': '0': a duration greater than zero is needed"),
        ("rtail stream --pid x y", "invalid PID: 'x'"),
        ("rtail stream --strict=yes x", "option '--strict' doesn't allow an argument"),
    ] {
        assert_refused(line, message);
    }
    for (option, typed, problem, words) in [
        ("--format", "xml", "invalid", &["raw", "json"][..]),
        ("--from", "5", "invalid", &["start", "end"]),
        ("--from", "", "ambiguous", &["start", "end"]),
        ("--parse", "logfmt", "invalid", &["json"]),
    ] {
        let line = format!("rtail stream {option}={typed} x");
        let mut expected =
            vec![format!("rtail: {problem} argument '{typed}' for '{option}'"), "Valid arguments are:".to_owned()];
        expected.extend(words.iter().map(|word| format!("  - '{word}'")));
        expected.push(TRY_STREAM.to_owned());
        assert_eq!(usage(&line), (expected, 2), "{line}");
    }
}

#[test]
fn options_of_tail_and_misspelt_ones_are_refused_with_a_guess() {
    for (line, message) in [
        ("rtail stream --fromat json x", "unrecognized option '--fromat'; did you mean '--format'?"),
        ("rtail stream --check-point p x", "unrecognized option '--check-point'; did you mean '--checkpoint'?"),
        ("rtail stream --zzz x", "unrecognized option '--zzz'"),
        ("rtail stream --s x", "option '--s' is ambiguous; possibilities: '--since-offset' '--strict' '--summary'"),
        // `follow` would take it for --follow, but it is not what was meant.
        ("rtail stream --f json x", "option '--f' is ambiguous; possibilities: '--format' '--from'"),
        ("rtail stream -f x", "invalid option -- 'f'; to follow a file: rtail stream x"),
        ("rtail stream -F --strict x", "invalid option -- 'F'; to follow a file: rtail stream --strict x"),
        ("rtail stream --follow x", "unrecognized option '--follow'; to follow a file: rtail stream x"),
        ("rtail stream -n 5 x", "invalid option -- 'n'; to follow a file: rtail follow --lines=5 x"),
        ("rtail stream -c5 x", "invalid option -- 'c'; to follow a file: rtail follow --bytes=5 x"),
        ("rtail stream -q a b", "invalid option -- 'q'; to follow a file: rtail follow -q a ..."),
        ("rtail stream -5 x", "option used in invalid context -- 5; to follow a file: rtail follow --lines=5 x"),
        ("rtail stream -n 5 --strict x", "invalid option -- 'n'"),
        ("rtail stream -5 --strict x", "option used in invalid context -- 5"),
        ("rtail stream ---disable-inotify --strict x", "unrecognized option '---disable-inotify'"),
    ] {
        assert_refused(line, message);
    }
    assert_eq!(stream("rtail stream +3").operands, names(&["+3"]));
}

#[test]
fn a_mistake_in_the_line_goes_before_what_it_means() {
    assert_refused("rtail stream --no-follow --wait --zzz", "unrecognized option '--zzz'");
    assert_refused(
        "rtail stream --max-line 0 --zzz",
        "invalid value for '--max-line': '0': at least 1 byte is needed",
    );
    assert_refused("rtail stream --no-follow --wait", "option '--no-follow' can't be used with '--wait'");
}

#[test]
fn help_groups_the_options_as_that_of_follow_does() {
    let (long, short) = (shown("rtail stream --help"), shown("rtail stream -h"));
    assert!(long.len() > short.len());
    for help in [&long, &short] {
        let order = ["Where to begin:", "How to follow:", "When to end:", "Which lines to show:", "Output:"]
            .map(|heading| help.find(heading));
        assert!(order.iter().all(Option::is_some) && order.is_sorted(), "{help}");
    }
    assert_eq!(shown("rtail help stream"), long);
    assert_eq!(shown("rtail stream -V"), format!("rtail {}\n", env!("CARGO_PKG_VERSION")));
}

#[test]
fn long_help_ends_in_examples_that_are_accepted_and_statuses() {
    let long = shown("rtail stream --help");
    let (_, end) = long.split_once("EXAMPLES:").unwrap();
    for (example, _) in guide::STREAM.examples {
        assert!(end.contains(example), "{end}");
        // What a shell keeps for itself begins with one of these.
        let own = example.split(['|', '>']).next().unwrap();
        stream(&own.replace('\'', ""));
    }
    for (status, meaning) in guide::STREAM.statuses {
        assert!(end.contains(&format!("{status:<7}{meaning}")), "{end}");
    }
}
