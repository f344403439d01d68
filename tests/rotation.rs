//! Rotation: the name comes to mean another file, by every way rotators, editors and orchestrators have.

mod common;

use std::time::Duration;

use common::{Drain, Logs, Mode, Writer, in_both_modes, lines, pause_ms, rounds};

in_both_modes!(what_comes_and_goes_while_the_output_is_blocked_is_held);
fn what_comes_and_goes_while_the_output_is_blocked_is_held(mode: Mode) {
    let logs = Logs::with("a.log", 1..=300_000);
    let tail = logs.following(mode, "-n +1 a.log").drained(Drain::WhenTold).start();
    tail.until_blocked();
    for generation in 1..=5 {
        let last = 300_000 + 100 * generation;
        let before = tail.holds("a.log");
        logs.replace("a.log", lines(last - 99..=last));
        tail.until("the new file is held", |_| tail.holds("a.log") > before);
    }
    tail.drain().until_line(300_500);
    tail.end().printed_lines(1..=300_500);
}

in_both_modes!(a_renamed_log_is_read_out_and_the_new_one_follows);
fn a_renamed_log_is_read_out_and_the_new_one_follows(mode: Mode) {
    let logs = Logs::with("a.log", 1..=200);
    let tail = logs.follow(mode, "-n +1 a.log");
    tail.until_line(200);
    logs.rename("a.log", "a.log.1").append("a.log", 201..=400);
    tail.until_line(400);
    tail.end().printed_lines(1..=400);
}

in_both_modes!(forty_generations_of_500_lines_come_out_whole);
fn forty_generations_of_500_lines_come_out_whole(mode: Mode) {
    let logs = Logs::with("a.log", 1..=500);
    let tail = logs.follow(mode, "-n +1 a.log");
    for generation in 1..40 {
        let before = generation * 500;
        // Its first line shows that it was opened; the rest of it may still be unread when it is renamed.
        tail.until_line(before - 499);
        logs.rename("a.log", format!("a.log.{generation}")).append("a.log", before + 1..=before + 500);
    }
    tail.until_line(20_000);
    tail.end().printed_lines(1..=20_000);
}

// The rotator waits for nobody. Looking four times as often as it turns is what a poller needs to see each generation.
in_both_modes!(a_rotation_every_20_ms_loses_nothing);
fn a_rotation_every_20_ms_loses_nothing(mode: Mode) {
    let logs = Logs::with("a.log", 1..=500);
    let tail = match mode {
        Mode::Events => logs.follow(mode, "-n +1 a.log"),
        Mode::Polling => logs.rtail("follow --poll=5ms -n +1 a.log").start(),
    };
    tail.until_line(1);
    for generation in 1..40 {
        pause_ms(20);
        let before = generation * 500;
        logs.rename("a.log", format!("a.log.{generation}")).append("a.log", before + 1..=before + 500);
    }
    tail.until_line(20_000);
    tail.end().printed_lines(1..=20_000);
}

in_both_modes!(twenty_rotations_while_it_was_stopped_come_in_order);
fn twenty_rotations_while_it_was_stopped_come_in_order(mode: Mode) {
    let logs = Logs::with("a.log", 1..=10);
    let tail = logs.follow(mode, "-n +1 a.log");
    tail.until_line(10).stop();
    for generation in 1..=20 {
        let before = generation * 50 - 40;
        logs.append("a.log", before + 1..=before + 50).rename("a.log", format!("a.log.{generation}"));
    }
    tail.cont().until_line(1010);
    tail.end().printed_lines(1..=1010).notices_are(&[
        "'a.log': found 19 rotated files that went by unseen",
        "'a.log' has become inaccessible: No such file or directory",
    ]);
}

in_both_modes!(rotations_that_move_all_names_on_while_it_was_stopped_come_in_order);
fn rotations_that_move_all_names_on_while_it_was_stopped_come_in_order(mode: Mode) {
    let logs = Logs::with("a.log", 1..=10);
    logs.append("a.log.1", 5001..=5010);
    let tail = logs.follow(mode, "-n +1 a.log");
    tail.until_line(10).stop();
    for generation in 1..=20 {
        let before = generation * 50 - 40;
        logs.append("a.log", before + 1..=before + 50).cascade("a.log", 30);
    }
    logs.append("a.log", 1011..=1020);
    tail.cont().until_line(1020);
    logs.cascade("a.log", 30).append("a.log", 1021..=1030);
    tail.until_line(1030);
    tail.end().printed_lines(1..=1030).noticed_once("'a.log': found 19 rotated files that went by unseen");
}

in_both_modes!(generations_of_a_missing_log_that_came_and_went_while_it_was_stopped_come_in_order);
fn generations_of_a_missing_log_that_came_and_went_while_it_was_stopped_come_in_order(mode: Mode) {
    let logs = Logs::new();
    logs.append("a.log.0", 5001..=5010);
    let tail = logs.follow(mode, "a.log");
    tail.until_noticed("No such file").stop();
    for generation in 1..=3 {
        let before = generation * 50 - 50;
        logs.append("a.log", before + 1..=before + 50).rename("a.log", format!("a.log.{generation}"));
    }
    logs.append("a.log", 151..=160);
    tail.cont().until_line(160);
    tail.end().printed_lines(1..=160).noticed_once("'a.log': found 3 rotated files that went by unseen");
}

in_both_modes!(a_burst_of_rotations_loses_nothing);
fn a_burst_of_rotations_loses_nothing(mode: Mode) {
    for _ in 0..rounds(1, 20) {
        let logs = Logs::with("a.log", 1..=10);
        let tail = logs.follow(mode, "-n +1 --rotate-wait 1s a.log");
        tail.until_line(10);
        for generation in 1..=150 {
            let before = generation * 10;
            logs.cascade("a.log", 200).append("a.log", before + 1..=before + 10);
        }
        tail.until_line(1510);
        tail.end().printed_lines(1..=1510);
    }
}

#[test]
fn rotations_beyond_the_limit_of_open_files_come_in_order() {
    let logs = Logs::with("a.log", 1..=10);
    let script = r#"ulimit -n 16; exec "$@""#;
    let tail = logs.rtail("follow -n +1 --rotate-wait 100ms a.log").through(script).start();
    tail.until_line(10).stop();
    for generation in 1..=40 {
        let before = generation * 50 - 40;
        logs.append("a.log", before + 1..=before + 50).rename("a.log", format!("a.log.{generation}"));
    }
    logs.append("a.log", 2011..=2020);
    tail.cont().until_line(2020);
    tail.end().printed_lines(1..=2020);
}

in_both_modes!(a_daemon_that_was_not_told_yet_writes_to_the_renamed_log);
fn a_daemon_that_was_not_told_yet_writes_to_the_renamed_log(mode: Mode) {
    for delay in [0, 10, 100, 500, 1000] {
        let logs = Logs::with("a.log", 1..=100);
        let mut daemon = logs.writer("a.log");
        let tail = logs.follow(mode, "-n +1 a.log");
        tail.until_line(100);
        logs.rename("a.log", "a.log.1").append("a.log", 201..=300);
        tail.until_line(300);
        pause_ms(delay);
        daemon.append(101..=110);
        tail.until_line(110);
        logs.append("a.log", 301..=310);
        tail.until_line(310);
        tail.end().printed_ranges([1..=110, 201..=310]);
    }
}

in_both_modes!(late_lines_are_read_while_the_new_log_is_busy);
fn late_lines_are_read_while_the_new_log_is_busy(mode: Mode) {
    let logs = Logs::with("a.log", 1..=100);
    let mut daemon = logs.writer("a.log");
    let tail = logs.follow(mode, "-n +1 --rotate-wait 2s a.log");
    tail.until_line(100);
    logs.rename("a.log", "a.log.1");
    for step in 0..20 {
        daemon.append(101 + step * 10..=110 + step * 10);
        logs.append("a.log", 1001 + step * 10..=1010 + step * 10);
        pause_ms(10);
    }
    tail.until_line(300).until_line(1200);
    tail.end().printed_ranges([1..=300, 1001..=1200]);
}

in_both_modes!(a_slow_reader_gets_all_of_a_log_renamed_long_ago);
fn a_slow_reader_gets_all_of_a_log_renamed_long_ago(mode: Mode) {
    let megabytes = rounds(30, 100) as usize;
    let line = format!("{}\n", "x".repeat(1023));
    let bulk = line.repeat(megabytes * 1024);
    let logs = Logs::holding("a.log", &bulk);
    let slowly = Drain::Slowly { bytes: 1 << 16, gap: Duration::from_millis(3) };
    let tail = logs.following(mode, "-n +1 --rotate-wait 200ms a.log").drained(slowly).start();
    tail.until_bytes(1);
    logs.rename("a.log", "a.log.1").append("a.log", 1..=10);
    tail.until_bytes(bulk.len()).until_line(10);
    tail.end().printed([bulk.as_bytes(), &lines(1..=10)].concat());
}

in_both_modes!(a_log_deleted_while_it_was_behind_is_read_out);
fn a_log_deleted_while_it_was_behind_is_read_out(mode: Mode) {
    let logs = Logs::with("a.log", 0..=0);
    let tail = logs.follow(mode, "-n +1 a.log");
    tail.until_line(0).stop();
    logs.append("a.log", 1..=1000).remove("a.log");
    tail.cont().until_line(1000).until_noticed("inaccessible");
    tail.end().printed_lines(0..=1000).notices_are(&["'a.log' has become inaccessible: No such file or directory"]);
}

in_both_modes!(a_line_finished_after_the_rename_stays_whole);
fn a_line_finished_after_the_rename_stays_whole(mode: Mode) {
    let logs = Logs::with("a.log", 1..=1);
    let mut daemon = logs.writer("a.log");
    let tail = logs.follow(mode, "-n +1 a.log");
    tail.until_line(1);
    daemon.write("L");
    tail.until_printed("L1\nL");
    logs.rename("a.log", "a.log.1").append("a.log", 3..=3);
    pause_ms(300);
    daemon.write("2\n");
    tail.until_line(2).until_line(3);
    tail.end().printed_lines(1..=3);
}

in_both_modes!(a_last_line_that_is_never_finished_is_not_glued_to_the_next_log);
fn a_last_line_that_is_never_finished_is_not_glued_to_the_next_log(mode: Mode) {
    let logs = Logs::holding("a.log", "L1\nL2");
    let tail = logs.follow(mode, "-n +1 --rotate-wait 200ms a.log");
    tail.until_printed("L1\nL2");
    logs.rename("a.log", "a.log.1").append("a.log", 3..=4);
    tail.until_line(4);
    tail.end().printed_lines(1..=4);
}

in_both_modes!(a_held_fragment_comes_out_when_its_generation_ends);
fn a_held_fragment_comes_out_when_its_generation_ends(mode: Mode) {
    let logs = Logs::holding("a.log", "L1\nL2");
    logs.append("b.log", 11..=11);
    let tail = logs.follow(mode, "-q -n +1 --rotate-wait 200ms a.log b.log");
    tail.until_line(1).until_line(11);
    logs.rename("a.log", "a.log.1").append("a.log", 3..=4).append("b.log", 12..=12);
    tail.until_line(4).until_line(12);
    tail.end().printed_ranges([1..=4, 11..=12]);
}

in_both_modes!(a_rotated_name_that_matches_the_pattern_is_not_read_again);
fn a_rotated_name_that_matches_the_pattern_is_not_read_again(mode: Mode) {
    let logs = Logs::with("a.log", 1..=10);
    let tail = logs.following(mode, "-q -n +1").arg("a.log*").start();
    tail.until_line(10);
    for generation in 1..30 {
        let before = generation * 10;
        logs.cascade("a.log", 3).append("a.log", before + 1..=before + 10);
        // Opened: from here on nothing can take it away, while its later lines come as the cascade moves on.
        tail.until_line(before + 1);
    }
    tail.until_line(300);
    tail.end().printed_lines(1..=300);
}

in_both_modes!(a_log_rotated_by_a_busy_writer_under_a_pattern_comes_once);
fn a_log_rotated_by_a_busy_writer_under_a_pattern_comes_once(mode: Mode) {
    let logs = Logs::with("a.log", 1..=1);
    logs.append("a.log.1", 5001..=5100).append("a.log.2", 6001..=6100);
    let tail = logs.following(mode, "-q -n +1").arg("a.log*").start();
    tail.until_line(1).until_line(5100).until_line(6100);
    let mut daemon = logs.writer("a.log");
    for generation in 0..10 {
        // The daemon keeps its file until it is told; only then it opens the new one.
        let first = 2 + generation * 200;
        daemon.append(first..=first + 99);
        logs.cascade("a.log", 3);
        daemon.append(first + 100..=first + 199);
        tail.until_line(first + 199);
        daemon.finish();
        daemon = logs.writer("a.log");
    }
    daemon.append(2002..=2002);
    tail.until_line(2002);
    tail.end().printed_ranges([1..=2002, 5001..=5100, 6001..=6100]);
}

in_both_modes!(thirty_atomic_replacements_are_followed);
fn thirty_atomic_replacements_are_followed(mode: Mode) {
    let logs = Logs::with("a.log", 1..=10);
    let tail = logs.follow(mode, "-n +1 a.log");
    tail.until_line(10);
    for round in 1..=30 {
        let first = round * 10 + 1;
        logs.replace("a.log", lines(first..=first + 4));
        tail.until_line(first + 4);
        logs.append("a.log", first + 5..=first + 9);
        tail.until_line(first + 9);
    }
    tail.end().printed_lines(1..=310).noticed("'a.log' has been replaced;  following new file");
}

in_both_modes!(thirty_deletions_with_a_longer_successor_are_followed);
fn thirty_deletions_with_a_longer_successor_are_followed(mode: Mode) {
    let logs = Logs::with("a.log", 1..=1);
    let tail = logs.follow(mode, "-n +1 a.log");
    let mut last = 1;
    tail.until_line(last);
    for round in 1..=30 {
        logs.remove("a.log").append("a.log", last + 1..=last + 2 + round);
        last += 2 + round;
        tail.until_line(last);
    }
    tail.end().printed_lines(1..=last);
}

in_both_modes!(a_replacement_is_announced_in_the_words_of_tail);
fn a_replacement_is_announced_in_the_words_of_tail(mode: Mode) {
    let logs = Logs::with("a.log", 1..=1);
    let tail = logs.follow(mode, "-n +1 a.log");
    tail.until_line(1);
    logs.replace("a.log", lines(2..=2));
    tail.until_line(2);
    tail.end().printed_lines(1..=2).notices_are(&["'a.log' has been replaced;  following new file"]);
}

in_both_modes!(a_log_that_goes_and_comes_back_is_announced_in_the_words_of_tail);
fn a_log_that_goes_and_comes_back_is_announced_in_the_words_of_tail(mode: Mode) {
    let logs = Logs::with("a.log", 1..=1);
    let tail = logs.follow(mode, "-n +1 a.log");
    tail.until_line(1);
    logs.remove("a.log");
    tail.until_noticed("has become inaccessible");
    logs.append("a.log", 2..=2);
    tail.until_line(2);
    tail.end().printed_lines(1..=2).notices_are(&[
        "'a.log' has become inaccessible: No such file or directory",
        "'a.log' has appeared;  following new file",
    ]);
}

in_both_modes!(a_log_renamed_away_and_back_goes_on_where_it_was);
fn a_log_renamed_away_and_back_goes_on_where_it_was(mode: Mode) {
    let logs = Logs::with("a.log", 1..=10);
    let tail = logs.follow(mode, "-n +1 a.log");
    tail.until_line(10);
    logs.rename("a.log", "b.log");
    tail.until_noticed("has become inaccessible");
    logs.append("b.log", 11..=20).rename("b.log", "a.log").append("a.log", 21..=30);
    tail.until_line(30);
    tail.end().printed_lines(1..=30);
}

in_both_modes!(a_retargeted_symbolic_link_is_followed);
fn a_retargeted_symbolic_link_is_followed(mode: Mode) {
    let logs = Logs::with("r1", 1..=10);
    logs.link("r1", "a.log");
    let tail = logs.follow(mode, "-n +1 a.log");
    tail.until_line(10);
    logs.append("r2", 21..=25).retarget("a.log", "r2");
    tail.until_line(25);
    logs.append("r1", 11..=12).append("r2", 26..=30);
    tail.until_line(12).until_line(30);
    tail.end().printed_ranges([1..=12, 21..=30]).notices_are(&["'a.log' has been replaced;  following new file"]);
}

in_both_modes!(a_retargeted_parent_directory_is_followed);
fn a_retargeted_parent_directory_is_followed(mode: Mode) {
    // As Kubernetes does with its `..data`.
    let logs = Logs::new();
    logs.make_dir("v1").make_dir("v2").link("v1", "..data").link("..data/a.log", "a.log");
    logs.append("v1/a.log", 1..=10);
    let tail = logs.follow(mode, "-n +1 a.log");
    tail.until_line(10);
    logs.append("v2/a.log", 11..=15).retarget("..data", "v2");
    tail.until_line(15);
    logs.remove_dir("v1").append("v2/a.log", 16..=20);
    tail.until_line(20);
    tail.end().printed_lines(1..=20);
}

in_both_modes!(a_plain_log_swapped_for_a_link_is_refused);
fn a_plain_log_swapped_for_a_link_is_refused(mode: Mode) {
    let logs = Logs::with("a.log", 1..=10);
    logs.append("secret", 91..=99);
    let tail = logs.follow(mode, "-n +1 a.log");
    tail.until_line(10);
    logs.retarget("a.log", "secret");
    tail.until_noticed("untailable symbolic link");
    logs.append("secret", 100..=100).replace("a.log", lines(11..=20));
    tail.until_line(20);
    tail.end().printed_lines(1..=20).noticed_once("'a.log' has been replaced with an untailable symbolic link");
}

in_both_modes!(a_dangling_link_is_a_log_that_is_not_there_yet);
fn a_dangling_link_is_a_log_that_is_not_there_yet(mode: Mode) {
    let logs = Logs::new();
    logs.make_dir("elsewhere").link("elsewhere/real.log", "a.log");
    let tail = logs.follow(mode, "-n +1 a.log");
    tail.until_noticed("cannot open 'a.log' for reading: No such file or directory");
    logs.append("elsewhere/real.log", 1..=10);
    tail.until_line(10);
    tail.end().printed_lines(1..=10);
}

in_both_modes!(a_parent_directory_may_go_and_come_back);
fn a_parent_directory_may_go_and_come_back(mode: Mode) {
    let logs = Logs::new();
    logs.make_dir("d").append("d/a.log", 1..=10);
    let tail = logs.follow(mode, "-n +1 d/a.log");
    tail.until_line(10);
    logs.remove_dir("d");
    tail.until_noticed("'d/a.log' has become inaccessible: No such file or directory");
    pause_ms(500);
    logs.make_dir("d").append("d/a.log", 11..=20);
    tail.until_line(20);
    logs.append("d/a.log", 21..=30);
    tail.until_line(30);
    tail.end().printed_lines(1..=30);
}

in_both_modes!(missing_parents_are_waited_for_one_by_one);
fn missing_parents_are_waited_for_one_by_one(mode: Mode) {
    let logs = Logs::new();
    let tail = logs.follow(mode, "-n +1 x/y/z/a.log");
    tail.until_noticed("cannot open 'x/y/z/a.log' for reading: No such file or directory");
    for dir in ["x", "x/y", "x/y/z"] {
        logs.make_dir(dir);
        pause_ms(20);
    }
    logs.append("x/y/z/a.log", 1..=10);
    tail.until_line(10);
    tail.end().printed_lines(1..=10).notices_are(&[
        "cannot open 'x/y/z/a.log' for reading: No such file or directory",
        "'x/y/z/a.log' has appeared;  following new file",
    ]);
}

in_both_modes!(missing_parents_may_come_all_at_once);
fn missing_parents_may_come_all_at_once(mode: Mode) {
    for _ in 0..10 {
        let logs = Logs::new();
        let tail = logs.follow(mode, "-n +1 x/y/z/a.log");
        tail.until_noticed("cannot open");
        logs.make_dir("x").make_dir("x/y").make_dir("x/y/z").append("x/y/z/a.log", 1..=10);
        tail.until_line(10);
        tail.end().printed_lines(1..=10);
    }
}

in_both_modes!(a_new_log_that_may_not_be_read_yet_is_waited_for);
fn a_new_log_that_may_not_be_read_yet_is_waited_for(mode: Mode) {
    let logs = Logs::with("a.log", 1..=10);
    let Some(run) = logs.following(mode, "-n +1 a.log").by_nobody() else {
        return;
    };
    let tail = run.start();
    tail.until_line(10);
    logs.append("new", 11..=20).permit("new", 0).rename("new", "a.log");
    tail.until_noticed("Permission denied");
    pause_ms(500);
    logs.permit("a.log", 0o644);
    tail.until_line(20);
    logs.append("a.log", 21..=30);
    tail.until_line(30);
    tail.end()
        .printed_lines(1..=30)
        .notices_are(&["'a.log' has become inaccessible: Permission denied", "'a.log' has become accessible"]);
}

in_both_modes!(a_log_that_is_a_directory_for_a_while_is_taken_up_again);
fn a_log_that_is_a_directory_for_a_while_is_taken_up_again(mode: Mode) {
    let logs = Logs::with("a.log", 1..=10);
    let tail = logs.follow(mode, "-n +1 a.log");
    tail.until_line(10);
    logs.rename("a.log", "a.log.1").make_dir("a.log");
    tail.until_noticed("'a.log' has been replaced with an untailable file");
    logs.remove_dir("a.log").append("a.log", 11..=20);
    tail.until_line(20);
    tail.end().printed_lines(1..=20);
}

in_both_modes!(several_logs_may_be_rotated_at_the_same_time);
fn several_logs_may_be_rotated_at_the_same_time(mode: Mode) {
    let logs = Logs::new();
    let names = ["a.log", "b.log", "c.log"];
    for (index, name) in (0..).zip(names) {
        logs.append(name, index * 1000 + 1..=index * 1000 + 100);
    }
    let tail = logs.follow(mode, "-q -n +1 a.log b.log c.log");
    tail.until_line(100).until_line(1100).until_line(2100);
    for (index, name) in (0..).zip(names) {
        logs.rename(name, format!("{name}.1"));
        logs.append(name, index * 1000 + 101..=index * 1000 + 200);
    }
    tail.until_line(200).until_line(1200).until_line(2200);
    tail.end().printed_ranges([1..=200, 1001..=1200, 2001..=2200]);
}

in_both_modes!(a_writer_that_lives_a_moment_is_heard);
fn a_writer_that_lives_a_moment_is_heard(mode: Mode) {
    for round in 0..20 {
        let logs = Logs::new();
        let writer = Writer::script(&logs, "read go; echo L1 > a.log");
        let tail = logs.follow(mode, "-n +1 a.log");
        tail.until_noticed("cannot open");
        pause_ms(round % 4);
        writer.go();
        tail.until_line(1);
        tail.end().printed_lines(1..=1);
    }
}

in_both_modes!(a_log_that_was_quiet_for_long_gets_its_grace_when_it_is_rotated);
fn a_log_that_was_quiet_for_long_gets_its_grace_when_it_is_rotated(mode: Mode) {
    let logs = Logs::with("a.log", 1..=100);
    let mut daemon = logs.writer("a.log");
    let tail = logs.follow(mode, "-n +1 --rotate-wait 500ms a.log");
    tail.until_line(100);
    pause_ms(1000);
    logs.rename("a.log", "a.log.1").append("a.log", 102..=200);
    tail.until_line(200);
    daemon.append(101..=101);
    tail.until_line(101);
    tail.end().printed_ranges([1..=100, 102..=200, 101..=101]);
}

#[test]
fn a_directory_removed_while_a_file_of_it_is_held_is_noticed_at_once() {
    let logs = Logs::new();
    logs.make_dir("dir").append("dir/a.log", 1..=10);
    // With that much patience nothing but the events can tell.
    let tail = logs.rtail("follow -n +1 --rotate-wait 1h dir/a.log").start();
    tail.until_line(10).until_watching();
    for generation in 1..=5 {
        logs.remove_dir("dir").make_dir("dir").append("dir/a.log", generation * 10 + 1..=generation * 10 + 10);
        tail.until_line(generation * 10 + 10);
    }
    tail.end().printed_lines(1..=60);
}

#[test]
fn a_directory_further_up_that_is_renamed_is_noticed_at_once() {
    let logs = Logs::new();
    logs.make_dir("app").make_dir("app/logs").append("app/logs/a.log", 1..=10);
    let tail = logs.follow(Mode::Events, "-n +1 app/logs/a.log");
    tail.until_line(10).until_watching();
    for generation in 1..=5 {
        let next = format!("next.{generation}");
        logs.make_dir(&next).make_dir(&format!("{next}/logs"));
        logs.append(format!("{next}/logs/a.log"), generation * 10 + 1..=generation * 10 + 10);
        logs.rename("app", format!("app.{generation}")).rename(&next, "app");
        tail.until_line(generation * 10 + 10);
    }
    tail.end().printed_lines(1..=60);
}

in_both_modes!(two_patterns_and_a_name_have_each_file_once);
fn two_patterns_and_a_name_have_each_file_once(mode: Mode) {
    let logs = Logs::with("a.log", 1..=10);
    logs.append("b.log", 101..=110);
    let tail = logs.follow(mode, "-q -n +1 --rotate-wait 100ms a*.log b*.log *.log a.log");
    tail.until_line(10).until_line(110);
    for round in 0..5 {
        logs.append(format!("c{round}.log"), 1001 + round..=1001 + round);
        tail.until_line(1001 + round);
        pause_ms(150);
        logs.append("a.log", 11 + round..=11 + round).append("b.log", 111 + round..=111 + round);
        tail.until_line(11 + round).until_line(111 + round);
    }
    tail.end().printed_interleaved(&[lines(1..=15), lines(101..=115), lines(1001..=1005)]);
}

in_both_modes!(a_pattern_does_not_repeat_a_file_that_went_away_and_came_back);
fn a_pattern_does_not_repeat_a_file_that_went_away_and_came_back(mode: Mode) {
    let logs = Logs::with("a.log", 1..=10);
    let tail = logs.follow(mode, "-q -n +1 --rotate-wait 100ms *.log");
    tail.until_line(10);
    logs.rename("a.log", "a.gone");
    pause_ms(600);
    logs.append("a.gone", 11..=20).rename("a.gone", "a.log");
    tail.until_line(20);
    tail.end().printed_lines(1..=20);
}

in_both_modes!(a_pattern_says_what_it_can_not_open_and_opens_it_later);
fn a_pattern_says_what_it_can_not_open_and_opens_it_later(mode: Mode) {
    let logs = Logs::with("a.log", 1..=10);
    logs.append("b.log", 11..=20).permit("b.log", 0);
    let Some(run) = logs.following(mode, "-q -n +1 *.log").by_nobody() else { return };
    let tail = run.start();
    tail.until_line(10).until_noticed("cannot open 'b.log' for reading: Permission denied");
    logs.permit("b.log", 0o644);
    tail.until_line(20);
    tail.end().printed_lines(1..=20);
}

#[test]
fn a_pattern_takes_up_a_name_that_comes_and_goes() {
    let logs = Logs::with("a.log", 1..=1);
    let tail = logs.follow(Mode::Events, "-q -n +1 *.log");
    tail.until_line(1).until_watching();
    for round in 2..=60 {
        for _ in 0..5 {
            logs.append_bytes("b.log", "").remove("b.log");
        }
        logs.append("b.log", round..=round);
        tail.until_line(round);
        logs.remove("b.log");
    }
    tail.end().printed_lines(1..=60);
}
