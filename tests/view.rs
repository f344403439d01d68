//! What is added to lines for people, and what never is.

mod common;

use common::{Logs, Mode, in_both_modes};

in_both_modes!(labels_name_the_file_of_each_line_instead_of_headers);
fn labels_name_the_file_of_each_line_instead_of_headers(mode: Mode) {
    let logs = Logs::with("a.log", 1..=2);
    logs.append("error.log", 11..=11);
    let tail = logs.follow(mode, "-l a.log error.log");
    tail.until_printed("error.log | L11\n");
    logs.append("a.log", 3..=3);
    tail.until_printed("a.log     | L3\n");
    logs.append("error.log", 12..=12);
    tail.until_printed("error.log | L12\n");
    tail.end()
        .printed("a.log     | L1\na.log     | L2\nerror.log | L11\na.log     | L3\nerror.log | L12\n")
        .quietly();
}

#[test]
fn labels_are_as_much_of_a_name_as_tells_it_from_the_others() {
    let logs = Logs::new();
    for (directory, number) in [("web", 1), ("db", 2)] {
        logs.make_dir(directory).append(format!("{directory}/app.log"), number..=number);
    }
    let shown = |args: &str| logs.rtail("follow --no-follow").args(args).run().quietly().with_status(0);
    shown("-l web/app.log").printed("app.log | L1\n");
    shown("-l */app.log").printed("db/app.log  | L2\nweb/app.log | L1\n");
    shown("--label=path web/app.log").printed("web/app.log | L1\n");
    shown("--label=none -v web/app.log").printed("==> web/app.log <==\nL1\n");
    shown("--label -v web/app.log").printed("==> web/app.log <==\napp.log | L1\n");
}

in_both_modes!(a_file_that_a_pattern_finds_later_has_a_label_of_its_own);
fn a_file_that_a_pattern_finds_later_has_a_label_of_its_own(mode: Mode) {
    let logs = Logs::new();
    logs.make_dir("web").make_dir("db").append("web/app.log", 1..=1);
    let tail = logs.follow(mode, "-l */app.log");
    tail.until_printed("app.log | L1\n");
    logs.append("db/app.log", 2..=2);
    tail.until_printed("db/app.log | L2\n");
    logs.append("web/app.log", 3..=3);
    tail.until_printed("web/app.log | L3\n");
    tail.end().printed("app.log | L1\ndb/app.log | L2\nweb/app.log | L3\n");
}

in_both_modes!(a_line_of_several_writes_or_pieces_has_one_label);
fn a_line_of_several_writes_or_pieces_has_one_label(mode: Mode) {
    let logs = Logs::with("a.log", 1..=1);
    let tail = logs.follow(mode, "-l a.log");
    tail.until_printed("a.log | L1\n");
    logs.append_bytes("a.log", "L");
    let long = "x".repeat(3_000_000);
    logs.append_bytes("a.log", format!("2{long}\n"));
    tail.until_bytes(11 + 8 + 2 + 3_000_001);
    tail.end().printed(format!("a.log | L1\na.log | L2{long}\n"));
}

#[test]
fn a_line_that_is_never_finished_is_ended_before_another_label() {
    let logs = Logs::holding("a.log", "L1\nL2");
    logs.append("b.log", 3..=3);
    logs.rtail("follow --no-follow -l a.log b.log").run().printed("a.log | L1\na.log | L2\nb.log | L3\n");
}
