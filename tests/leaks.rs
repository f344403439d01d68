//! What a tail leaves behind in its process once it was joined: nothing. Alone in its program, since it counts what
//! the whole process has.
#![allow(clippy::unwrap_used, reason = "a test that can't go on is to stop")]

use std::fs;

use rtail::tail::{Options, Retry, Tail};

/// The threads of this process, and its descriptors.
fn counts() -> (usize, usize) {
    let count = |what: &str| fs::read_dir(format!("/proc/self/{what}")).unwrap().count();
    (count("task"), count("fd"))
}

#[test]
fn a_joined_tail_leaves_no_thread_and_no_descriptor() {
    let temp = tempfile::tempdir().unwrap();
    let path = temp.path().join("a.log");
    fs::write(&path, "L0\n").unwrap();
    let before = counts();
    for _ in 0..100 {
        let mut tail = Tail::new(Options::default()).unwrap();
        tail.follow(&path);
        while tail.try_next().is_some() {}
        assert!(tail.uses_events());
        assert!(counts().0 > before.0, "an event source has a thread");
        tail.join();
        assert_eq!(counts(), before);
    }
    // One that has died, too.
    for dead in [temp.path().to_owned(), path.join("below")] {
        let mut tail = Tail::new(Options { retry: Retry::Never, ..Options::default() }).unwrap();
        tail.follow(dead);
        while tail.next().unwrap().is_some() {}
        assert!(counts().0 > before.0, "an event source has a thread");
        tail.join();
        assert_eq!(counts(), before);
    }
}
