//! What must be asked of the system before Rust's runtime starts, and the only unsafe code.
//!
//! The runtime opens `/dev/null` on standard descriptors that are closed and ignores `SIGPIPE`, both before
//! `main`. How the program was really started is noted here by a function that the loader runs earlier.
#![allow(unsafe_code)]

use std::sync::atomic::{AtomicBool, AtomicU8, Ordering};

use rustix::process::{Resource, getrlimit, setrlimit};

static CLOSED: AtomicU8 = AtomicU8::new(0);
static SIGPIPE_IGNORED: AtomicBool = AtomicBool::new(false);

// SAFETY: the loader calls functions listed in this section once, before `main`, with the arguments of `main`,
// which a C function may leave unread.
#[used]
#[unsafe(link_section = ".init_array")]
static NOTE: extern "C" fn() = note;

/// Runs before Rust's runtime: nothing but system calls and atomics.
extern "C" fn note() {
    for fd in 0..3 {
        // SAFETY: asking for the flags of a descriptor touches no memory, whether it is open or not.
        if unsafe { libc::fcntl(fd, libc::F_GETFD) } == -1 {
            CLOSED.fetch_or(1 << fd, Ordering::Relaxed);
        }
    }
    SIGPIPE_IGNORED.store(is_ignored(libc::SIGPIPE), Ordering::Relaxed);
}

/// Has all threads of the process share one heap. Those of event sources allocate little, so that heaps of their own would
/// only cost memory, and time at the start. For the program alone: it is not for a library to say.
pub fn share_heap() {
    // SAFETY: it sets a number that the C library looks at when a thread begins.
    #[cfg(target_env = "gnu")]
    unsafe {
        libc::mallopt(libc::M_ARENA_MAX, 1)
    };
}

/// A standard descriptor.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standard {
    /// Standard input, 0.
    Input,
    /// Standard output, 1.
    Output,
    /// Standard error, 2.
    Error,
}

/// Whether a standard descriptor was closed when the program was started.
#[must_use]
pub fn was_closed(which: Standard) -> bool {
    CLOSED.load(Ordering::Relaxed) & (1 << which as u8) != 0
}

/// Whether the program was started with `SIGPIPE` ignored, so that a closed pipe is an error rather than its end.
#[must_use]
pub fn sigpipe_was_ignored() -> bool {
    SIGPIPE_IGNORED.load(Ordering::Relaxed)
}

/// Allows as many open files as the system lets this process have: each followed file is one.
pub fn raise_file_limit() {
    let mut limit = getrlimit(Resource::Nofile);
    limit.current = limit.maximum;
    // If that is refused, what there is must do.
    let _ = setrlimit(Resource::Nofile, limit);
}

/// Whether a signal is being ignored now.
#[must_use]
pub fn is_ignored(signal: i32) -> bool {
    // SAFETY: all bytes zero are a valid value of this plain structure.
    let mut action: libc::sigaction = unsafe { std::mem::zeroed() };
    // SAFETY: a null new action only asks; the old one is written to memory that outlives the call.
    let result = unsafe { libc::sigaction(signal, std::ptr::null(), &raw mut action) };
    result == 0 && action.sa_sigaction == libc::SIG_IGN
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_runtime_ignores_sigpipe_and_we_noticed_before() {
        assert!(is_ignored(libc::SIGPIPE));
        assert!(!was_closed(Standard::Error));
    }
}
