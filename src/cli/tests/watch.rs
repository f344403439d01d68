//! `rtail watch`. How options are read, and the groups that it shares with the others, are tested there.

use std::path::Path;
use std::time::Duration;

use super::*;
use crate::settings::{Beginning, Label, Liveness, Looking, Showing, Start};

const TRY_WATCH: &str = "Try 'rtail watch --help' for more information.";

/// The settings of a line that is not refused; `watch` warns of nothing.
#[track_caller]
fn watch(line: &str) -> settings::Watch {
    match try_parse(Dialect::default(), line) {
        Ok(Invocation { command: Command::Watch(watch), warnings }) if warnings.is_empty() => watch,
        other => panic!("{line}: {other:?}"),
    }
}

#[test]
fn watch_labels_lines_and_tells_sessions_by_their_locks() {
    let watch = watch("rtail watch logs");
    assert_eq!(watch.paths, [Path::new("logs")]);
    assert!(watch.globs.is_empty() && watch.left_out.is_empty());
    assert_eq!((watch.depth, watch.keep), (None, 100));
    assert_eq!((watch.beginning, watch.liveness), (Beginning::Active, Liveness::Auto));
    assert_eq!((watch.idle_after, watch.rotate_wait), (Duration::from_secs(30), Duration::from_secs(5)));
    assert_eq!((watch.looking, watch.showing), (Looking::Events, Showing::Text));
    assert_eq!((watch.checkpoint, watch.viewing.label), (None, Label::Name));
    assert!(watch.selection.is_everything() && watch.ending.until.is_none());
}

#[test]
fn every_option_is_understood() {
    let watch = watch(
        "rtail watch --glob *.log --glob=*.txt --exclude-dir old --depth 3 --state growth --idle-after 5s --keep 2 \
         -n 5 --checkpoint pos --poll=0.5 --rotate-wait 0 --until ^done$ --timeout 2m --idle-timeout 1m --label=path \
         -g error a b/*.log",
    );
    assert_eq!(watch.paths, [Path::new("a"), Path::new("b/*.log")]);
    assert_eq!((watch.globs.len(), watch.left_out.len()), (2, 1));
    assert_eq!((watch.depth, watch.keep), (Some(3), 2));
    assert_eq!(watch.beginning, Beginning::Everywhere(Start::LastLines(5)));
    assert_eq!((watch.liveness, watch.idle_after), (Liveness::Growth, Duration::from_secs(5)));
    assert_eq!(watch.checkpoint.as_deref(), Some(Path::new("pos")));
    assert_eq!((watch.looking, watch.rotate_wait), (Looking::Poll(Some(Duration::from_millis(500))), Duration::ZERO));
    assert_eq!(watch.ending.timeout, Some(Duration::from_mins(2)));
    assert_eq!((watch.viewing.label, watch.selection.grep.len()), (Label::Path, 1));
}

#[test]
fn a_place_to_begin_is_chosen() {
    for (line, start) in [
        ("rtail watch --from start x", Start::FromByte(1)),
        ("rtail watch --from e x", Start::LastBytes(0)),
        ("rtail watch -n +3 x", Start::FromLine(3)),
        ("rtail watch --lines 0 x", Start::LastLines(0)),
    ] {
        assert_eq!(watch(line).beginning, Beginning::Everywhere(start), "{line}");
    }
}

#[test]
fn what_can_not_be_watched_is_refused() {
    for (line, message) in [
        ("rtail watch", "missing path operand; to watch the current directory, give ."),
        ("rtail watch -", "standard input ('-') can't be watched; a file of that name is ./-"),
        ("rtail watch --glob [a x", "bad pattern '[a': unclosed character class; missing ']'"),
        (
            "rtail watch --while-locked x",
            "unrecognized option '--while-locked'; to follow a file: rtail follow --while-locked x",
        ),
    ] {
        super::assert_refused(line, message, TRY_WATCH);
    }
}

#[test]
fn records_are_selected_but_not_adorned() {
    let watch = watch("rtail watch --format json -g a -x b --color never x");
    assert_eq!((watch.showing, watch.selection.grep.len(), watch.selection.exclude.len()), (Showing::Json, 1, 1));
    for (typed, option) in [
        ("-l", "--label"),
        ("--label=none", "--label"),
        ("-T", "--timestamps"),
        ("-H a", "--highlight"),
        ("--raw-control", "--raw-control"),
        ("-g a -A 1", "--after-context"),
        ("-g a -B 1", "--before-context"),
        ("-g a -C 1 -T", "--context"),
    ] {
        let message = format!("option '{option}' can't be used with '--format json': it is for people");
        super::assert_refused(&format!("rtail watch --format json {typed} x"), &message, TRY_WATCH);
    }
}
