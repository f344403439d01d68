//! Whole command lines, from the program's name to settings or to a refusal.

mod follow;
mod stream;
mod tail;
mod watch;

use std::ffi::OsString;

use super::*;
use crate::settings::Operand;

/// Splits a line at its blanks; arguments with blanks in them are given as they are by [`parse_args`].
#[track_caller]
fn try_parse(dialect: Dialect, line: &str) -> Result<Invocation, Refusal> {
    parse_in(dialect, line.split_whitespace().map(OsString::from))
}

#[track_caller]
fn parse_args(args: &[&str]) -> Result<Invocation, Refusal> {
    parse_in(Dialect::default(), args.iter().map(OsString::from))
}

/// The settings of a line that is not refused and gives no warning.
#[track_caller]
fn settings(line: &str) -> settings::Follow {
    settings_in(Dialect::default(), line)
}

#[track_caller]
fn settings_in(dialect: Dialect, line: &str) -> settings::Follow {
    let (follow, warnings) = settings_and_warnings(dialect, line);
    assert_eq!(warnings, Vec::<String>::new(), "{line}");
    follow
}

#[track_caller]
fn settings_and_warnings(dialect: Dialect, line: &str) -> (settings::Follow, Vec<String>) {
    match try_parse(dialect, line) {
        Ok(Invocation { command: Command::Follow(follow), warnings }) => (follow, warnings),
        other => panic!("{line}: {other:?}"),
    }
}

/// The lines and the status of a usage error.
#[track_caller]
fn usage(line: &str) -> (Vec<String>, u8) {
    match try_parse(Dialect::default(), line) {
        Err(Refusal::Usage { lines, status }) => (lines, status),
        other => panic!("{line}: {other:?}"),
    }
}

/// Where a line that names no command points to.
const TRY_RTAIL: &str = "Try 'rtail --help' for more information.";

/// Asserts a usage error of `rtail` in one line, and where it points to.
#[track_caller]
fn assert_refused(line: &str, message: &str, pointer: &str) {
    assert_eq!(usage(line), (vec![format!("rtail: {message}"), pointer.to_owned()], 2), "{line}");
}

/// What `--help` or `--version` shows.
#[track_caller]
fn shown(line: &str) -> String {
    match try_parse(Dialect::default(), line) {
        Err(Refusal::Shown(text)) => text,
        other => panic!("{line}: {other:?}"),
    }
}

fn names(names: &[&str]) -> Vec<Operand> {
    names.iter().map(|name| if *name == "-" { Operand::Stdin } else { Operand::Name(name.into()) }).collect()
}

#[test]
fn the_program_is_tail_under_the_name_tail_alone() {
    for (program, expected) in [
        ("tail", Persona::Tail),
        ("/usr/bin/tail", Persona::Tail),
        ("./tail", Persona::Tail),
        ("rtail", Persona::Rtail),
        ("/opt/tail/rtail", Persona::Rtail),
        ("tail.old", Persona::Rtail),
        ("", Persona::Rtail),
    ] {
        assert_eq!(persona(OsStr::new(program)), expected, "{program:?}");
    }
}

#[test]
fn clap_finds_no_fault_in_the_definitions() {
    command().debug_assert();
    super::tail::command().debug_assert();
}

#[test]
fn every_option_with_a_value_has_a_long_name() {
    // The canonical spelling of a value needs it.
    let (mut root, mut tail) = (command(), super::tail::command());
    root.build();
    tail.build();
    for command in root.get_subcommands().chain([&tail]) {
        for option in command.get_opts() {
            assert!(option.get_long().is_some(), "{}", option.get_id());
        }
    }
}
