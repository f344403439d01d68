//! What is different on a terminal: colour, and control characters that do nothing.

mod common;

use common::{Logs, Mode, Run, in_both_modes, pause_ms};

/// Has no variable decide on colour.
const NO_VARIABLES: &str = "env -u NO_COLOR -u CLICOLOR -u CLICOLOR_FORCE TERM=xterm";

/// The script that does nothing else.
const ALONE: &str = "exec \"$@\"";

/// Has `script` run it, as `"$@"`, on a terminal of its own that passes bytes on as they come.
fn on_terminal<'a>(run: Run<'a>, script: &str) -> Run<'a> {
    const SPAWN: &str = "import os, pty, sys; sys.exit(os.waitstatus_to_exitcode(pty.spawn(sys.argv[1:])))";
    let script = format!("stty -opost; {script}");
    run.through(format!("exec {NO_VARIABLES} python3 -c '{SPAWN}' sh -c '{script}' sh \"$@\""))
}

/// What `rtail follow --no-follow ARGS` prints on a terminal.
fn shown(logs: &Logs, args: &str) -> String {
    let ended = on_terminal(logs.rtail("follow --no-follow -n +1").args(args), ALONE).run().with_status(0);
    String::from_utf8_lossy(&ended.stdout).into_owned()
}

#[test]
fn control_characters_do_nothing_to_a_terminal() {
    let logs = Logs::holding("a.log", b"\x1b]0;title\x07\nwipe\x1b[2J\r\nover\rwrite\xff\n\xe2\x80\xaetfel\ttab\n");
    let spelled = "^[]0;title^G\nwipe^[[2J\r\nover^Mwrite<FF>\n<U+202E>tfel\ttab\n";
    assert_eq!(shown(&logs, "a.log"), spelled);
    assert_eq!(shown(&logs, "--color never a.log"), spelled);
    let raw = on_terminal(logs.rtail("follow --no-follow -n +1 --raw-control a.log"), ALONE).run();
    raw.printed(logs.read("a.log"));
    // A pipe gets bytes as they are, whatever else is added.
    logs.rtail("follow --no-follow -n +1 --color always a.log").run().printed(logs.read("a.log"));
}

#[test]
fn colours_of_a_log_pass_and_end_with_its_line() {
    let logs = Logs::holding("a.log", "\x1b[31mred\x1b[0m\n\x1b[32mgreen\nplain\n");
    assert_eq!(shown(&logs, "a.log"), "\x1b[31mred\x1b[0m\n\x1b[32mgreen\nplain\n\x1b[0m");
    logs.append_bytes("b.log", "b\n");
    let both = "\x1b[31mred\x1b[0m\n\x1b[32mgreen\x1b[0m\nplain\nb\n";
    assert_eq!(shown(&logs, "-q a.log b.log"), both);
    let labelled = "a.log | \x1b[31mred\x1b[0m\na.log | \x1b[32mgreen\x1b[0m\na.log | plain\n";
    assert_eq!(shown(&logs, "-l --color never a.log"), labelled);
}

#[test]
fn matches_are_coloured_on_a_terminal() {
    let logs = Logs::holding("a.log", "one\ntwo\nthree\n");
    assert_eq!(
        shown(&logs, "-g e$ -g o a.log"),
        "\x1b[30;43mo\x1b[0mn\x1b[30;43me\x1b[0m\ntw\x1b[30;43mo\x1b[0m\nthre\x1b[30;43me\x1b[0m\n"
    );
    assert_eq!(shown(&logs, "-H w a.log"), "one\nt\x1b[30;43mw\x1b[0mo\nthree\n");
    assert_eq!(shown(&logs, "-H w --color=never a.log"), "one\ntwo\nthree\n");
    logs.rtail("follow --no-follow -n +1 -H w a.log").run().printed("one\ntwo\nthree\n");
}

in_both_modes!(a_part_of_a_line_is_shown_at_once_and_its_characters_whole);
fn a_part_of_a_line_is_shown_at_once_and_its_characters_whole(mode: Mode) {
    let logs = Logs::holding("a.log", "pass");
    let tail = on_terminal(logs.following(mode, "--idle-timeout 1s a.log"), ALONE).start();
    tail.until_printed("pass");
    for byte in "wörd\x1b[1m: \x1b[2J\r\n".bytes() {
        logs.append_bytes("a.log", [byte]);
        pause_ms(2);
    }
    tail.ended().printed("passwörd\x1b[1m: ^[[2J\r\n\x1b[0m");
}

#[test]
fn the_flag_decides_on_colour_then_the_environment_then_the_terminal() {
    let logs = Logs::holding("a.log", "x\n");
    let values = [None, Some(""), Some("1")];
    let (mut script, mut wanted) = (Vec::new(), Vec::new());
    for (no_color, force) in values.map(|no_color| values.map(|force| (no_color, force))).concat() {
        let variables = [("NO_COLOR", no_color), ("CLICOLOR_FORCE", force)]
            .map(|(name, value)| value.map_or_else(String::new, |value| format!("{name}={value} ")));
        // What is empty says nothing.
        let asked = match (no_color, force) {
            (Some("1"), _) => Some(false),
            (_, Some("1")) => Some(true),
            _ => None,
        };
        for (flag, coloured) in
            [("", asked), ("--color=auto", asked), ("--color=always", Some(true)), ("--color=never", Some(false))]
        {
            script.push(format!("{NO_VARIABLES} {} \"$@\" {flag}", variables.concat()));
            wanted.push(coloured);
        }
    }
    let script = script.join(" && ");
    let run = || logs.rtail("follow --no-follow -H x a.log");
    for (is_terminal, run) in [(true, on_terminal(run(), &script)), (false, run().through(script.clone()))] {
        let lines = wanted.iter().map(
            |coloured| {
                if coloured.unwrap_or(is_terminal) { "\x1b[30;43mx\x1b[0m\n" } else { "x\n" }
            },
        );
        run.run().printed(lines.collect::<String>()).with_status(0);
    }
}

#[test]
fn words_that_tell_severity_are_coloured_but_for_json_and_for_logs_with_colours() {
    let logs = Logs::holding("a.log", "ERROR x\nWARN\n{\"level\":\"ERROR\"}\n\x1b[36mINFO\x1b[0m\nlevel=info\n");
    let plain = "{\"level\":\"ERROR\"}\n\x1b[36mINFO\x1b[0m\n";
    let expected = format!("\x1b[31;1mERROR\x1b[0m x\n\x1b[33;1mWARN\x1b[0m\n{plain}level=\x1b[32minfo\x1b[0m\n");
    assert_eq!(shown(&logs, "a.log"), expected);
    logs.rtail("follow --no-follow a.log").run().printed(logs.read("a.log"));
}

in_both_modes!(a_word_of_several_writes_is_no_word_before_it_is_whole);
fn a_word_of_several_writes_is_no_word_before_it_is_whole(mode: Mode) {
    let logs = Logs::holding("a.log", "ERR");
    let tail = on_terminal(logs.following(mode, "--idle-timeout 1s a.log"), ALONE).start();
    tail.until_printed("ERR");
    logs.append_bytes("a.log", "ATIC ERROR\n{\"a\":");
    tail.until("the next was printed", |said| said.stdout.ends_with(b"{\"a\":"));
    logs.append_bytes("a.log", "\"ERROR \"}\n");
    tail.ended().printed("ERRATIC \x1b[31;1mERROR\x1b[0m\n{\"a\":\"ERROR \"}\n");
}

#[test]
fn under_the_name_tail_a_terminal_gets_what_a_pipe_gets() {
    let logs = Logs::holding("a.log", b"ERROR\x07\x1b]0;title\x07\xff\r\n\x1b[31mred");
    let run = logs.tail("-n +1 -v a.log");
    let expected = [b"==> a.log <==\n", &logs.read("a.log")[..]].concat();
    on_terminal(run, &format!("CLICOLOR_FORCE=1 {ALONE}")).run().printed(expected).with_status(0);
}
