//! What is added to lines for people, and what never is.

mod common;

use common::{Logs, Mode, in_both_modes, pause_ms};

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
    // What is shown as lines ends as a line.
    for (args, printed) in [("-l", "a.log | L1\na.log | L2\n"), ("-g 2", "L2\n"), ("-x 1 -v", "==> a.log <==\nL2\n")]
    {
        logs.rtail("follow --no-follow a.log").args(args).run().printed(printed);
    }
    logs.rtail("follow --no-follow -H x a.log").run().printed("L1\nL2");
}

in_both_modes!(only_lines_that_match_are_shown);
fn only_lines_that_match_are_shown(mode: Mode) {
    let logs = Logs::holding("a.log", "GET /\nerror 1\nGET /health error\n");
    let tail = logs.follow(mode, "-g error -g fatal -x health a.log");
    tail.until_printed("error 1\n");
    logs.append_bytes("a.log", "GET /a\nfa");
    logs.append_bytes("a.log", "tal 2\r\nfatal /health\nerror");
    tail.until_printed("fatal 2\r\n");
    logs.append_bytes("a.log", " 3\nmore\n");
    tail.until_printed("error 3\n");
    tail.end().printed("error 1\nfatal 2\r\nerror 3\n").quietly();
}

#[test]
fn the_last_lines_are_counted_before_they_are_filtered() {
    let logs = Logs::with("a.log", 1..=100);
    logs.rtail("follow --no-follow -n 20 -g 1$ a.log").run().printed("L81\nL91\n").with_status(0);
    logs.rtail("follow --no-follow -n 20 -x [^1]$ a.log").run().printed("L81\nL91\n").with_status(0);
}

#[test]
fn case_can_be_ignored() {
    let logs = Logs::holding("a.log", "Error\nerror\nok\nOK\n");
    logs.rtail("follow --no-follow -ig ERROR a.log").run().printed("Error\nerror\n");
    logs.rtail("follow --no-follow -x ok -i a.log").run().printed("Error\nerror\n");
}

in_both_modes!(a_header_is_shown_only_with_lines_that_match);
fn a_header_is_shown_only_with_lines_that_match(mode: Mode) {
    let logs = Logs::with("a.log", 1..=2);
    logs.append("b.log", 11..=12);
    let tail = logs.follow(mode, "-g 2 a.log b.log c.log");
    tail.until_line(12);
    logs.append("a.log", 3..=4);
    logs.append("c.log", 21..=22);
    tail.until_line(22);
    tail.end().printed("==> a.log <==\nL2\n\n==> b.log <==\nL12\n\n==> c.log <==\nL21\nL22\n");
}

in_both_modes!(the_beginning_of_a_line_too_long_to_be_held_decides_for_all_of_it);
fn the_beginning_of_a_line_too_long_to_be_held_decides_for_all_of_it(mode: Mode) {
    let long = |head: &str| format!("{head}{}\n", "xyz".repeat(1_000_000));
    let logs = Logs::holding("a.log", long("yes"));
    let tail = logs.follow(mode, "-g ^yes -x end a.log");
    tail.until_bytes(3_000_004);
    logs.append_bytes("a.log", long("no")).append_bytes("a.log", long("yes2")).append_bytes("a.log", "yes3\n");
    tail.until_printed("yes3\n");
    tail.end().printed(format!("{}{}yes3\n", long("yes"), long("yes2")));
}

#[test]
fn lines_that_end_in_nul_are_filtered_too() {
    let logs = Logs::holding("a.log", "a\nb\0b\0c");
    logs.rtail("follow --no-follow -z -g ^b$ a.log").run().printed("b\0");
}

in_both_modes!(until_sees_lines_that_are_not_shown);
fn until_sees_lines_that_are_not_shown(mode: Mode) {
    let logs = Logs::holding("a.log", "L2\n");
    let tail = logs.follow(mode, "-g 2 --until L3 a.log");
    tail.until_line(2);
    logs.append("a.log", 3..=4);
    tail.ended().printed("L2\n").with_status(0);
}

in_both_modes!(lines_that_are_not_shown_are_data_all_the_same);
fn lines_that_are_not_shown_are_data_all_the_same(mode: Mode) {
    let logs = Logs::with("a.log", 1..=1);
    let tail = logs.follow(mode, "-g ^yes --idle-timeout 400ms a.log");
    for number in 2..=12 {
        pause_ms(100);
        logs.append("a.log", number..=number);
    }
    logs.append_bytes("a.log", "yes\n");
    tail.ended().printed("yes\n").with_status(0);
}

in_both_modes!(lines_around_a_match_are_shown_as_they_come);
fn lines_around_a_match_are_shown_as_they_come(mode: Mode) {
    let logs = Logs::with("a.log", 1..=10);
    let tail = logs.follow(mode, "-g 5 -B 1 -A 2 a.log");
    tail.until_line(7);
    logs.append("a.log", 11..=14);
    logs.append("a.log", 15..=15);
    tail.until_line(15);
    logs.append("a.log", 16..=16);
    tail.until_line(16);
    logs.append("a.log", 17..=20);
    tail.until_line(17);
    tail.end().printed("L4\nL5\nL6\nL7\n--\nL14\nL15\nL16\nL17\n");
}

in_both_modes!(context_belongs_to_its_file_through_rotation);
fn context_belongs_to_its_file_through_rotation(mode: Mode) {
    let logs = Logs::holding("a.log", "yes 0\n");
    logs.append("a.log", 1..=3).append("b.log", 101..=101);
    let mut late = logs.open("a.log");
    let tail = logs.follow(mode, "-q -g yes -C 1 a.log b.log");
    tail.until_line(1);
    // The new file doesn't know of the lines that the old one held.
    logs.rename("a.log", "a.log.1").append_bytes("a.log", "yes 1\n");
    tail.until_printed("yes 1\n");
    logs.append_bytes("b.log", "yes 2\n");
    tail.until_printed("L101\nyes 2\n");
    late.write("L4\nyes 3\n");
    tail.until_printed("L4\nyes 3\n");
    logs.append("a.log", 11..=12);
    tail.until_line(11);
    tail.end().printed("yes 0\nL1\nyes 1\nL101\nyes 2\n--\nL4\nyes 3\nL11\n");
}

in_both_modes!(lines_have_the_time_at_which_they_came);
fn lines_have_the_time_at_which_they_came(mode: Mode) {
    let logs = Logs::with("a.log", 1..=1);
    let tail = logs.following(mode, "-T -g . -C 1 a.log").through(r#"TZ=IST-5:30 exec "$@""#).start();
    tail.until("a line was printed", |said| said.stdout.ends_with(b"+05:30 L1\n"));
    pause_ms(20);
    logs.append("a.log", 2..=2);
    tail.until("another was", |said| said.stdout.ends_with(b"+05:30 L2\n"));
    let printed = String::from_utf8_lossy(&tail.end().stdout).into_owned();
    let times: Vec<_> = printed.lines().map(|line| line.split(' ').next().unwrap_or_default()).collect();
    assert!(times.len() == 2 && times[0] < times[1], "{printed}");
    for time in times {
        let pattern = r"^20\d\d-[01]\d-[0-3]\dT[0-2]\d:[0-5]\d:[0-5]\d\.\d{3}\+05:30$";
        assert!(regex::Regex::new(pattern).is_ok_and(|pattern| pattern.is_match(time)), "{time}");
    }
}

#[test]
fn without_colours_and_labels_there_are_the_lines_of_the_files() {
    let logs = Logs::new();
    for (name, number) in [("a.log", 0_u32), ("b.log", 1)] {
        let mut file = logs.open(name);
        for line in (number..1000).step_by(2) {
            let long = if line % 500 < 2 { 20_000 } else { line % 97 };
            file.write(format!("{line} ERROR \u{1f980}\x07{}\r\n", "w\u{ef}de ".repeat(long as usize)));
        }
        file.write([b"no text: \xff\xc3\0", name.as_bytes(), b"\n\nlast\n"].concat());
    }
    let args = "follow --no-follow -n +1 -l --color always -H 1 -H d a.log b.log";
    let shown = logs.rtail(args).run().quietly().with_status(0).stdout;
    let lines = regex::bytes::Regex::new(r"(?-u)\x1b\[[0-9;]*m").unwrap().replace_all(&shown, &b""[..]).into_owned();
    let lines = regex::bytes::Regex::new(r"(?m-u)^[ab]\.log \| ").unwrap().replace_all(&lines, &b""[..]).into_owned();
    assert!(lines == [logs.read("a.log"), logs.read("b.log")].concat());
}

in_both_modes!(readers_that_have_enough_end_it_and_others_get_everything);
fn readers_that_have_enough_end_it_and_others_get_everything(mode: Mode) {
    let json = |number: u32| format!("{{\"n\":{number},\"level\":\"ERROR\"}}\n");
    let logs = Logs::new();
    logs.append_bytes("a.log", (1..=5).map(json).collect::<String>());
    for (reader, expected) in [("head -n 1", json(2)), ("grep -m1 3", json(3)), ("sed -n '2p;2q'", json(3))] {
        let run = logs.following(mode, "-g n\":[2-9] -H ERROR a.log");
        run.through(format!(r#""$@" | {reader}"#)).run().printed(expected).quietly().with_status(0);
    }
    let run = || logs.following(mode, "-x \"n\":3 --idle-timeout 300ms a.log");
    let all = [1, 2, 4, 5].map(json).concat();
    run().through(r#""$@" | tee copy"#).run().printed(&all).quietly().with_status(0);
    assert_eq!(logs.read("copy"), all.as_bytes());
    if common::find_program("jq").is_some() {
        run().through(r#""$@" | jq .n"#).run().printed("1\n2\n4\n5\n").quietly().with_status(0);
    }
}

in_both_modes!(labelled_lines_of_several_writers_stay_whole_and_in_order);
fn labelled_lines_of_several_writers_stay_whole_and_in_order(mode: Mode) {
    let logs = Logs::new();
    let names: Vec<_> = (0..4).map(|number| format!("log-{number}")).collect();
    for name in &names {
        logs.append_bytes(name, "begins\n");
    }
    let tail = logs.follow(mode, &format!("-l -n +1 -x ^noise -T --color always {}", names.join(" ")));
    tail.until_bytes(4 * "begins\n".len());
    let written: Vec<String> = std::thread::scope(|scope| {
        let writers: Vec<_> = names
            .iter()
            .map(|name| {
                let mut file = logs.open(name);
                scope.spawn(move || {
                    let mut written = "begins\n".to_owned();
                    for number in 0..200 {
                        let line = format!("{number} {}\n", "x".repeat((number * number * 7) % 3000));
                        file.write(line.as_bytes()).write("noise\n");
                        written += &line;
                    }
                    let last = format!("ends {}\n", "x".repeat(70_000));
                    file.write(last.as_bytes());
                    written + &last
                })
            })
            .collect();
        writers.into_iter().map(|writer| writer.join().unwrap_or_default()).collect()
    });
    tail.until("all have ended", |said| said.stdout.windows(6).filter(|bytes| bytes == b" ends ").count() == 4);
    tail.until("the last line has, too", |said| said.stdout.ends_with(b"\n"));
    let printed = String::from_utf8_lossy(&tail.end().quietly().stdout).into_owned();
    for (name, written) in names.iter().zip(written) {
        let head = format!("{name} |\x1b[0m ");
        let own: String = printed.split_inclusive('\n').filter_map(|line| Some(line.split_once(&head)?.1)).collect();
        assert!(own == written, "{name}");
    }
    let heads = regex::Regex::new(r"(?m)^\x1b\[2m\S{29}\x1b\[0m \x1b\[38;5;\d+mlog-\d \|\x1b\[0m ");
    assert_eq!(heads.map(|heads| heads.find_iter(&printed).count()), Ok(printed.lines().count()));
}
