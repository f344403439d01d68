//! The commands: each wires a tail to an output and says when to end.

pub mod follow;
pub mod stream;
pub mod watch;

mod account;
mod debug;
mod ending;
mod form;
mod keeper;
mod ledger;
mod lines;
mod locks;
mod naming;
mod plan;
mod process;
mod session;
mod signals;
mod tell;

use std::io::{ErrorKind, Write as _};

use crate::notice::Notices;
use crate::output::wording::{cause, left_behind};
use crate::sys::{Standard, sigpipe_was_ignored, was_closed};
use crate::tail::Tail;
pub use ending::Exit;

/// Writes what was asked for instead of a run, help or the version, to standard output; returns how to end.
pub fn show(text: &str, notices: &mut Notices) -> Exit {
    let written = if was_closed(Standard::Output) {
        Err(rustix::io::Errno::BADF.into())
    } else {
        let mut stdout = std::io::stdout().lock();
        stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush())
    };
    written.map_or_else(|error| output_failed(&error, notices), |()| Exit::Success)
}

/// Ends a tail, and says if something of it had to be left behind.
fn end(tail: Tail, notices: &mut Notices) {
    notices.finish();
    for mount in tail.join() {
        notices.say(&left_behind(&mount));
    }
}

/// Writing failed: says why, unless the reader just has had enough. Returns how to end.
fn output_failed(error: &std::io::Error, notices: &mut Notices) -> Exit {
    if error.kind() == ErrorKind::BrokenPipe && !sigpipe_was_ignored() {
        return reader_is_gone();
    }
    notices.say(&format!("write error: {}", cause(error)));
    Exit::Failure
}

/// How to end when nobody reads what is written.
fn reader_is_gone() -> Exit {
    if sigpipe_was_ignored() { Exit::Failure } else { Exit::Signal(signal_hook::consts::SIGPIPE) }
}
