//! `rtail` and `rtail follow`. What `tail` shares with it is tested there.

use std::time::Duration;

use super::*;
use crate::settings::{Headers, Looking, Mode, Start};

const TRY_FOLLOW: &str = "Try 'rtail follow --help' for more information.";

#[test]
fn follow_follows_by_name_and_retries() {
    let follow = settings("rtail follow app.log");
    assert_eq!(follow.persona, Persona::Rtail);
    assert_eq!(follow.operands, names(&["app.log"]));
    assert_eq!(follow.start, Start::LastLines(10));
    assert_eq!(follow.terminator, b'\n');
    assert_eq!(follow.headers, Headers::Auto);
    assert_eq!(follow.mode, Mode::Name);
    assert!(follow.retry);
    assert!(follow.ending.pids.is_empty());
    assert_eq!(follow.sleep_interval, Duration::from_secs(1));
    assert_eq!(follow.max_unchanged_stats, 5);
    assert_eq!(follow.looking, Looking::Events);
    assert_eq!(follow.rotate_wait, Duration::from_secs(5));
    assert!(follow.ending.until.is_none());
    assert_eq!((follow.ending.timeout, follow.ending.idle_timeout), (None, None));
    assert!(!follow.ending.while_locked && !follow.debug && !follow.presume_input_pipe);
}

#[test]
fn options_choose_another_mode_and_the_last_one_counts() {
    const INITIAL: &str = "warning: --retry only effective for the initial open";
    const IGNORED: &str = "warning: --retry ignored; --retry is useful only when following";
    for (line, mode, retry, warning) in [
        ("rtail follow x", Mode::Name, true, None),
        ("rtail follow --retry x", Mode::Name, true, None),
        ("rtail follow -F x", Mode::Name, true, None),
        ("rtail follow -f x", Mode::Descriptor, false, None),
        ("rtail follow --follow x", Mode::Descriptor, false, None),
        ("rtail follow --follow=descriptor x", Mode::Descriptor, false, None),
        // GNU's meaning: a name that is said, without --retry, is not retried.
        ("rtail follow --follow=name x", Mode::Name, false, None),
        ("rtail follow --follow=name --retry x", Mode::Name, true, None),
        ("rtail follow -f --retry x", Mode::Descriptor, true, Some(INITIAL)),
        ("rtail follow --no-follow x", Mode::Print, false, None),
        ("rtail follow -f --no-follow x", Mode::Print, false, None),
        ("rtail follow --no-follow -f x", Mode::Descriptor, false, None),
        ("rtail follow --no-follow -F x", Mode::Name, true, None),
        ("rtail follow --no-follow --retry x", Mode::Print, false, Some(IGNORED)),
        ("rtail follow --no-follow -F --no-follow x", Mode::Print, false, Some(IGNORED)),
    ] {
        let (follow, warnings) = settings_and_warnings(Dialect::default(), line);
        assert_eq!((follow.mode, follow.retry), (mode, retry), "{line}");
        assert_eq!(warnings, Vec::from_iter(warning), "{line}");
    }
}

#[test]
fn standard_input_can_be_followed_unless_a_name_is_asked_for() {
    assert_eq!(settings("rtail follow").operands, [Operand::Stdin]);
    assert_eq!(settings("rtail follow - x").operands, names(&["-", "x"]));
    assert_refused("rtail follow -F -", "cannot follow '-' by name", TRY_FOLLOW);
    assert_refused("rtail follow --follow=name", "cannot follow '-' by name", TRY_FOLLOW);
}

#[test]
fn old_forms_work_after_follow() {
    for (line, mode, start) in [
        ("rtail follow -5 x", Mode::Name, Start::LastLines(5)),
        ("rtail follow -5f x", Mode::Descriptor, Start::LastLines(5)),
        ("rtail follow -20c x", Mode::Name, Start::LastBytes(20)),
        ("rtail follow +3 x", Mode::Name, Start::FromLine(3)),
    ] {
        let follow = settings(line);
        assert_eq!((follow.mode, follow.start, follow.operands), (mode, start, names(&["x"])), "{line}");
    }
}

#[test]
fn a_number_works_wherever_an_option_may_stand() {
    for (line, mode, start, operands) in [
        ("rtail follow -5 f g", Mode::Name, Start::LastLines(5), ["f", "g"]),
        ("rtail follow f -5 g --timeout 1", Mode::Name, Start::LastLines(5), ["f", "g"]),
        ("rtail follow --timeout 1 -20cf f g", Mode::Descriptor, Start::LastBytes(20), ["f", "g"]),
        ("rtail follow -5 -n 3 f g", Mode::Name, Start::LastLines(3), ["f", "g"]),
        ("rtail follow -n -5 f g", Mode::Name, Start::LastLines(5), ["f", "g"]),
        ("rtail follow -n 3 -- -5 f", Mode::Name, Start::LastLines(3), ["-5", "f"]),
        ("rtail follow -n 3 +5 f", Mode::Name, Start::LastLines(3), ["+5", "f"]),
    ] {
        let follow = settings(line);
        assert_eq!((follow.mode, follow.start, follow.operands), (mode, start, names(&operands)), "{line}");
    }
    for line in ["rtail follow -f53 x", "rtail follow -53x x"] {
        assert_refused(line, "option used in invalid context -- 5; use -n 53", TRY_FOLLOW);
    }
}

#[test]
fn posixly_correct_ends_options_at_the_first_file() {
    let follow = settings_in(Dialect::default().posixly_correct(), "rtail follow -q a -n 3");
    assert_eq!(follow.operands, names(&["a", "-n", "3"]));
    assert_eq!(settings("rtail follow a -n 3").start, Start::LastLines(3));
}

#[test]
fn rtails_own_options_are_understood() {
    let follow = settings(
        "rtail follow --since-offset 120 --until ^done$ --timeout 2m --idle-timeout=250ms --while-locked \
         --poll=0.5 --rotate-wait 0 --debug x",
    );
    assert_eq!(follow.start, Start::Offset(120));
    assert_eq!(follow.ending.until.map(|regex| regex.as_str().to_owned()).as_deref(), Some("^done$"));
    assert_eq!(follow.ending.timeout, Some(Duration::from_mins(2)));
    assert_eq!(follow.ending.idle_timeout, Some(Duration::from_millis(250)));
    assert!(follow.ending.while_locked && follow.debug);
    assert_eq!(follow.looking, Looking::Poll(Some(Duration::from_millis(500))));
    assert_eq!(follow.rotate_wait, Duration::ZERO);
}

#[test]
fn poll_takes_only_an_attached_value() {
    let follow = settings("rtail follow --poll 5 x");
    assert_eq!((follow.looking, follow.operands), (Looking::Poll(None), names(&["5", "x"])));
    assert_eq!(settings("rtail follow ---dis x").looking, Looking::Poll(None));
    assert_eq!(settings("rtail follow ---dis --poll=2 x").looking, Looking::Poll(Some(Duration::from_secs(2))));
    let zero = "invalid value for '--poll': '0': a duration greater than zero is needed";
    assert_refused("rtail follow --poll=0 x", zero, TRY_FOLLOW);
    assert_eq!(settings("rtail follow -s 0 x").sleep_interval, Duration::ZERO);
    assert_refused("rtail follow --poll= x", "invalid duration: ''; use for example 250ms, 5s, 2m or 1h", TRY_FOLLOW);
}

#[test]
fn until_looks_at_bytes() {
    let follow = settings(r"rtail follow --until=(?-u:\xff) x");
    assert!(follow.ending.until.is_some_and(|until| until.is_match(b"a\xffb")));
}

#[test]
fn a_bad_pattern_is_shown_where_it_goes_wrong() {
    for option in ["--until", "--grep", "--exclude", "--highlight"] {
        let first = format!("rtail: invalid value for '{option}': regex parse error:");
        let expected = [&first, "    a(b", "     ^", "error: unclosed group", TRY_FOLLOW];
        for line in [format!("rtail follow {option} a(b x"), format!("rtail follow -i {option} a(b x")] {
            assert_eq!(usage(&line), (expected.map(str::to_owned).to_vec(), 2), "{line}");
        }
    }
}

#[test]
fn options_that_would_be_ignored_in_silence_are_refused() {
    for (line, first, second) in [
        ("rtail follow --since-offset 5 -n 3 x", "--since-offset", "--lines"),
        ("rtail follow -c 3 --since-offset 5 x", "--bytes", "--since-offset"),
        ("rtail follow --no-follow --until a x", "--no-follow", "--until"),
        ("rtail follow --while-locked --no-follow x", "--while-locked", "--no-follow"),
    ] {
        let (lines, status) = usage(line);
        let either = [(first, second), (second, first)]
            .map(|(one, other)| format!("rtail: option '{one}' can't be used with '{other}'"));
        assert!(either.contains(&lines[0]), "{line}: {lines:?}");
        assert_eq!((&lines[1..], status), (&[TRY_FOLLOW.to_owned()][..], 2), "{line}");
    }
}

#[test]
fn mistakes_are_told_in_gnus_words_with_a_guess() {
    for (line, message) in [
        ("rtail follow --lnes=3 x", "unrecognized option '--lnes=3'; did you mean '--lines'?"),
        ("rtail follow --idle-timout 3 x", "unrecognized option '--idle-timout'; did you mean '--idle-timeout'?"),
        ("rtail follow --zzz x", "unrecognized option '--zzz'"),
        (
            "rtail follow --checkpoint=p x",
            "unrecognized option '--checkpoint=p'; to follow a file: rtail stream --checkpoint=p x",
        ),
        ("rtail follow --colour x", "unrecognized option '--colour'; did you mean '--color'?"),
        ("rtail follow --disable-inotify x", "unrecognized option '--disable-inotify'"),
        ("rtail follow -y", "invalid option -- 'y'"),
        ("rtail follow --r x", "option '--r' is ambiguous; possibilities: '--raw-control' '--retry' '--rotate-wait'"),
        ("rtail follow --retry=1 x", "option '--retry' doesn't allow an argument"),
        ("rtail follow --pid", "option '--pid' requires an argument"),
        ("rtail follow -n", "option requires an argument -- 'n'"),
        ("rtail follow -n x", "invalid number of lines: 'x'"),
        ("rtail follow --since-offset -1 x", "invalid offset: '-1'"),
        ("rtail follow --timeout 5d x", "invalid duration: '5d'; use for example 250ms, 5s, 2m or 1h"),
        ("rtail follow -n x --zzz", "invalid number of lines: 'x'"),
        ("rtail follow --no-follow --until a --zzz", "unrecognized option '--zzz'"),
    ] {
        assert_refused(line, message, TRY_FOLLOW);
    }
}

#[test]
fn lines_are_selected_as_asked_for() {
    let patterns = |regexes: &[regex::bytes::Regex]| regexes.iter().map(ToString::to_string).collect::<Vec<_>>();
    assert!(settings("rtail follow x").selection.is_everything());
    let selection = settings("rtail follow -g a --grep b -x c --exclude=d x").selection;
    assert_eq!((patterns(&selection.grep), patterns(&selection.exclude)), (names_of("a b"), names_of("c d")));
    let selection = settings("rtail follow -g a|b -i -x c x").selection;
    assert!(selection.grep[0].is_match(b"xB") && selection.exclude[0].is_match(b"C"));
    assert!(!settings("rtail follow -g a x").selection.grep[0].is_match(b"A"));
}

#[test]
fn context_is_counted_before_and_behind() {
    for (options, before, after) in
        [("", 0, 0), ("-A 2", 0, 2), ("-B3", 3, 0), ("-C 1", 1, 1), ("--context=2 -A 5", 2, 5), ("-B 0 -C 2", 0, 2)]
    {
        let context = settings(&format!("rtail follow -g a {options} x")).selection.context;
        assert_eq!((context.before, context.after), (before, after), "{options}");
    }
    for (line, message) in [
        ("rtail follow -C 2 x", "option '--context' can't be used without '--grep'"),
        ("rtail follow -x a -A 2 x", "option '--after-context' can't be used without '--grep'"),
        ("rtail follow -g a -B x x", "invalid context length: 'x'"),
    ] {
        assert_refused(line, message, TRY_FOLLOW);
    }
}

fn names_of(text: &str) -> Vec<String> {
    text.split(' ').map(str::to_owned).collect()
}

#[test]
fn lines_look_as_asked_for() {
    use settings::{Color, Controls, Label};
    for (line, label, color) in [
        ("rtail follow x", Label::None, Color::Auto),
        ("rtail follow -l x", Label::Name, Color::Auto),
        ("rtail follow -lf x", Label::Name, Color::Auto),
        ("rtail follow --label x", Label::Name, Color::Auto),
        ("rtail follow --label=path --color never x", Label::Path, Color::Never),
        ("rtail follow -l --label=none --color=always x", Label::None, Color::Always),
        ("tail x", Label::None, Color::Never),
    ] {
        let viewing = settings(line).viewing;
        assert_eq!((viewing.label, viewing.color), (label, color), "{line}");
    }
    assert_eq!(settings("rtail follow x").viewing.controls, Controls::Spell);
    assert_eq!(settings("rtail follow --raw-control x").viewing.controls, Controls::Pass);
    assert!(settings("rtail follow -T x").viewing.timestamps && !settings("rtail follow x").viewing.timestamps);
    let highlight = settings("rtail follow -H a --highlight b -i x").viewing.highlight;
    assert!(highlight[0].is_match(b"A") && highlight[1].is_match(b"B"));
    let (lines, status) = usage("rtail follow --color sometimes x");
    assert_eq!((lines[0].as_str(), status), ("rtail: invalid argument 'sometimes' for '--color'", 2));
}

#[test]
fn rtail_needs_a_command_it_knows() {
    for (line, message) in [
        ("rtail", "a command is required"),
        ("rtail --", "a command is required"),
        ("rtail app.log", "unrecognized command 'app.log'; to follow a file: rtail follow app.log"),
        ("rtail tail -f x", "unrecognized command 'tail'; to follow a file: rtail follow x"),
        ("rtail -- -x", "unrecognized command '-x'; to follow a file: rtail follow -- -x"),
        ("rtail x --zzz", "unrecognized command 'x'"),
        ("rtail help x", "unrecognized command 'x'"),
        ("rtail folow x", "unrecognized command 'folow'; did you mean 'follow'?"),
        ("rtail --zzz follow x", "unrecognized option '--zzz'"),
        ("rtail -f x", "invalid option -- 'f'; to follow a file: rtail follow x"),
        ("rtail -f follow x", "invalid option -- 'f'; to follow a file: rtail follow x"),
        ("rtail -F", "invalid option -- 'F'; to follow a file: rtail follow FILE"),
        ("rtail -fn3 a b", "invalid option -- 'f'; to follow a file: rtail follow --lines=3 a ..."),
        ("rtail -5 x", "option used in invalid context -- 5; to follow a file: rtail follow --lines=5 x"),
        ("rtail -f --format json x", "invalid option -- 'f'; to follow a file: rtail stream --format=json x"),
        ("rtail sream x", "unrecognized command 'sream'; did you mean 'stream'?"),
        ("rtail x --strict", "unrecognized command 'x'; to follow a file: rtail stream --strict x"),
        ("rtail -n x y", "invalid option -- 'n'"),
    ] {
        assert_refused(line, message, TRY_RTAIL);
    }
    assert_eq!(settings("rtail -- follow x").operands, names(&["x"]));
}

#[test]
fn help_is_long_and_short() {
    let (long, short) = (shown("rtail follow --help"), shown("rtail follow -h"));
    assert!(long.len() > short.len());
    for heading in
        ["Where to begin:", "How to follow:", "When to end:", "Which lines to show:", "How lines look:", "Output:"]
    {
        assert!(long.contains(heading) && short.contains(heading), "{heading}");
    }
    assert!(!long.contains("inotify") && !long.contains("presume"), "{long}");
    assert_eq!(shown("rtail follow x --hel -n x"), long);
    for help in [shown("rtail --help"), shown("rtail -h")] {
        assert!(help.contains("follow") && help.contains("stream"), "{help}");
    }
    assert_eq!(shown("rtail help"), shown("rtail --help"));
    assert_eq!(shown("rtail help help"), shown("rtail --help"));
    assert_eq!(shown("rtail help follow"), long);
}

#[test]
fn long_help_ends_in_examples_that_are_accepted_and_statuses() {
    let long = shown("rtail follow --help");
    let (_, end) = long.split_once("EXAMPLES:").unwrap();
    for (example, _) in guide::FOLLOW.examples {
        assert!(end.contains(example), "{end}");
        settings(&example.replace("'listening on'", "listening"));
    }
    for (status, meaning) in guide::FOLLOW.statuses {
        assert!(end.contains(&format!("{status:<7}{meaning}")), "{end}");
    }
}

#[test]
fn the_version_is_the_packages() {
    let version = format!("rtail {}\n", env!("CARGO_PKG_VERSION"));
    assert_eq!(shown("rtail --version"), version);
    assert_eq!(shown("rtail -V"), version);
    assert_eq!(shown("rtail follow --version"), version);
    assert_eq!(shown("rtail follow -V"), version);
}
