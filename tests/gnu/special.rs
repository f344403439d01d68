//! Files that are not regular.

use super::{is_refused, printing, prints, samples, tail_follow};
use crate::common::{Mode, in_both_modes};

#[test]
fn a_directory_is_no_file() {
    let reading = "error reading 'd': Is a directory";
    let logs = samples();
    for run in printing(&logs, "d") {
        run.run().printed("").with_status(1).notices_are(&[reading]);
    }
    for run in printing(&logs, "-n 1 f d") {
        run.run().printed("==> f <==\nL20\n\n==> d <==\n").with_status(1).notices_are(&[reading]);
    }
    let giving_up = "d: cannot follow end of this type of file; giving up on this name";
    is_refused("-f d", &[reading, giving_up, "no files remaining"]);
    let run = logs.tail("").through(r#"exec "$@" < d"#);
    run.run().with_status(1).notices_are(&["error reading 'standard input': Is a directory"]);
}

in_both_modes!(a_directory_that_becomes_a_file_is_taken_up_with_retry);
fn a_directory_that_becomes_a_file_is_taken_up_with_retry(mode: Mode) {
    let logs = samples();
    let tail = tail_follow(&logs, mode, "-F d");
    tail.until_noticed("d: cannot follow end of this type of file\n");
    logs.remove_dir("d").append("d", 1..=1);
    tail.until_line(1);
    tail.end().printed_lines(1..=1).never_noticed("giving up");
}

#[test]
fn files_without_an_honest_size_are_read_to_their_end() {
    let logs = samples();
    let version = std::fs::read("/proc/version").unwrap_or_default();
    for args in ["-n 1 /proc/version", "-n +1 /proc/version", "-c +1 /proc/version", "-c 10000 /proc/version"] {
        for run in printing(&logs, args) {
            run.run().printed(&version).with_status(0);
        }
    }
    for run in printing(&logs, "-c 3 /proc/version") {
        run.run().printed(&version[version.len() - 3..]).with_status(0);
    }
    let sys = "/sys/kernel/mm/transparent_hugepage/enabled";
    if let Ok(content) = std::fs::read(sys) {
        for run in printing(&logs, &format!("-n 1 {sys}")) {
            run.run().printed(&content).with_status(0);
        }
        for run in printing(&logs, &format!("-c 4 {sys}")) {
            run.run().printed(&content[content.len() - 4..]).with_status(0);
        }
    }
    for run in printing(&logs, "-n 2 /proc/self/status") {
        let ended = run.run().with_status(0);
        assert_eq!(ended.stdout.split(|&byte| byte == b'\n').count(), 3, "two lines");
    }
}

#[test]
fn devices_that_never_end_do_not_hang_it() {
    prints("-c 5 /dev/zero", [0; 5]);
    let logs = samples();
    let run = logs.rtail("follow --no-follow -c 4096 /dev/urandom");
    assert_eq!(run.run().with_status(0).stdout.len(), 4096);
}

#[test]
fn a_fifo_alone_is_read_to_its_end() {
    let logs = samples();
    logs.make_fifo("fifo");
    for run in printing(&logs, "-n 1 fifo") {
        let tail = run.start();
        logs.write_fifo("fifo", "x\ny\n");
        tail.ended().printed("y\n").with_status(0).quietly();
    }
}

in_both_modes!(a_followed_fifo_waits_for_its_next_writer);
fn a_followed_fifo_waits_for_its_next_writer(mode: Mode) {
    let logs = samples();
    logs.make_fifo("fifo");
    let tail = tail_follow(&logs, mode, "-f fifo");
    for number in 1..=3 {
        logs.write_fifo("fifo", format!("L{number}\n"));
        tail.until_line(number);
    }
    tail.end().printed_lines(1..=3).quietly();
}

#[test]
fn a_socket_can_not_be_opened() {
    let logs = samples();
    let _socket = std::os::unix::net::UnixListener::bind(logs.path("sock"));
    for run in printing(&logs, "sock") {
        let message = "cannot open 'sock' for reading: No such device or address";
        run.run().printed("").with_status(1).notices_are(&[message]);
    }
}

#[test]
fn a_path_below_a_file_is_no_directory() {
    for run in printing(&samples(), "f/x") {
        let message = "cannot open 'f/x' for reading: Not a directory";
        run.run().printed("").with_status(1).notices_are(&[message]);
    }
}
