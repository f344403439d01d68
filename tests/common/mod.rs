//! The scenario language of the black-box tests: logs and their writers, a tail under test, an exact oracle.
//!
//! A case reads as a story:
//!
//! ```ignore
//! in_both_modes!(a_renamed_log_is_read_out_and_the_new_one_follows);
//! fn a_renamed_log_is_read_out_and_the_new_one_follows(mode: Mode) {
//!     let logs = Logs::with("a.log", 1..=200);
//!     let mut tail = logs.follow(mode, "-n +1 a.log");
//!     tail.until_line(200);
//!     logs.rename("a.log", "a.log.1").append("a.log", 201..=400);
//!     tail.until_line(400);
//!     tail.end().printed_lines(1..=400);
//! }
//! ```
//!
//! - [`Logs`] is a directory of logs; its verbs are what writers and rotators do. `append` writes the numbered
//!   lines `L1`, `L2`, …, one write each. [`Writer`] is a writer in a process of its own, which keeps its file open.
//! - [`Tail`] is the program under test, running in that directory. Its `until_…` methods wait for a condition, with
//!   a deadline, and fail at once when the program has ended; nothing is ever waited for by sleeping.
//! - [`Ended`] is what came of it: everything printed, every notice, the status. Its oracles demand equality.
//! - [`Records`] are its output where that is JSON, held to the laws of every stream, with oracles of their own.
//! - [`pause`] is a gap of time that belongs to the scenario (two writes a second apart), never a wait.
//!
//! `RTAIL_SOAK=1` plays the longer form of the scenarios that have one, with the same oracle.
#![allow(dead_code, reason = "each test program uses a part of the language")]
#![allow(unreachable_pub, reason = "a module of a test program has no outside")]
#![allow(clippy::expect_used, clippy::unwrap_used, reason = "a scenario that can't be set up is a failed test")]
#![allow(clippy::print_stderr, reason = "a skipped scenario says why")]
#![allow(
    clippy::missing_panics_doc,
    clippy::must_use_candidate,
    clippy::return_self_not_must_use,
    reason = "every step may panic, and steps are chained for their effect"
)]
#![allow(unused_imports, reason = "each test program uses a part of the language")]

mod ended;
mod laws;
mod logs;
mod oracle;
mod process;
mod records;
mod run;
pub mod sessions;

use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

pub use ended::Ended;
pub use logs::{Appender, Logs, Writer};
pub use oracle::{consecutive, lines, whole_lines};
pub use process::Resources;
pub use records::Records;
pub use run::{Drain, Run, Said, Tail};
pub use rustix::process::Signal;

/// How the tail under test looks at its files.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// Woken by the kernel: the default.
    Events,
    /// `--poll=20ms`.
    Polling,
}

/// What `rtail stream` writes; displayed, the option for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// The bytes.
    Raw,
    /// Records.
    Json,
}

impl Format {
    /// Each of them.
    pub const ALL: [Self; 2] = [Self::Raw, Self::Json];
}

impl std::fmt::Display for Format {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Raw => "--format raw",
            Self::Json => "--format json",
        })
    }
}

/// Makes two tests of a scenario `fn name(mode: Mode)`: `name::with_events` and `name::with_polling`.
#[allow(unused_macros, reason = "each test program uses a part of the language")]
macro_rules! in_both_modes {
    ($name:ident) => {
        mod $name {
            #[test]
            fn with_events() {
                super::$name(crate::common::Mode::Events);
            }

            #[test]
            fn with_polling() {
                super::$name(crate::common::Mode::Polling);
            }
        }
    };
}
pub(crate) use in_both_modes;

/// Tells writers on other threads that there is enough.
#[derive(Debug, Default)]
pub struct Enough(AtomicBool);

impl Enough {
    /// Whether there is.
    pub fn is_reached(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }

    /// There is enough from the moment on when this is dropped, at the latest when the scenario fails.
    pub fn at_the_end(&self) -> UntilDropped<'_> {
        UntilDropped(self)
    }
}

/// While it lives there is not enough.
#[derive(Debug)]
pub struct UntilDropped<'a>(&'a Enough);

impl Drop for UntilDropped<'_> {
    fn drop(&mut self) {
        self.0.0.store(true, Ordering::Relaxed);
    }
}

/// Numbers that look random and are the same each time.
#[derive(Debug)]
pub struct Random(u64);

impl Random {
    /// The numbers that begin with this seed.
    pub fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// The next one, which is less than `bound`.
    pub fn below(&mut self, bound: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % bound
    }
}

/// Lets time pass as a part of the scenario's input. Waiting for an effect is what `until_…` is for.
pub fn pause(gap: Duration) {
    std::thread::sleep(gap);
}

/// [`pause`] in milliseconds.
pub fn pause_ms(gap: u64) {
    pause(Duration::from_millis(gap));
}

/// Whether the long forms of the scenarios were asked for.
pub fn soaking() -> bool {
    std::env::var_os("RTAIL_SOAK").is_some_and(|value| value == "1")
}

/// How often a scenario is played: the short form in the default suite, the long one with `RTAIL_SOAK=1`.
pub fn rounds(default: u32, soak: u32) -> u32 {
    if soaking() { soak } else { default }
}

/// Says why a scenario can't be played on this machine.
pub fn skip(reason: &str) {
    eprintln!("skipped: {reason}");
}

/// Finds a helper program, or says that the scenario is skipped for want of it.
pub fn find_program(name: &str) -> Option<PathBuf> {
    let found = look_for_program(name);
    if found.is_none() {
        skip(&format!("there is no {name} on this machine"));
    }
    found
}

/// Finds a program that the scenario is about; without it, the scenario fails.
#[track_caller]
pub fn need_program(name: &str) -> PathBuf {
    look_for_program(name).unwrap_or_else(|| panic!("this test needs {name}: install it"))
}

fn look_for_program(name: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    // Where some are that not every user has on the path.
    let of_administrators = ["/usr/sbin", "/sbin"].map(PathBuf::from);
    let mut dirs = std::env::split_paths(&path).chain(of_administrators);
    dirs.find_map(|dir| Some(dir.join(name)).filter(|candidate| candidate.is_file()))
}
