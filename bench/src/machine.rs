//! What is said of the machine, the programs and the command above the figures, without which they mean nothing.

use std::fmt::Write as _;

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

use crate::peer::Peer;

/// Lets all programs alike have as many descriptors as may be had: some follow nothing beyond the usual limit.
pub(crate) fn raise_descriptor_limit() {
    let limit = getrlimit(Resource::Nofile);
    // A limit that can't be raised shows in the rows with many files.
    let _ = setrlimit(Resource::Nofile, Rlimit { current: limit.maximum, ..limit });
}

/// What was compared, on what, and by which command.
pub(crate) fn heading(peers: &[Peer], runs: u32) -> String {
    let mut text = String::new();
    for peer in peers {
        let _ = writeln!(text, "{peer}");
    }
    let cores = std::thread::available_parallelism().map_or(0, std::num::NonZero::get);
    let load = std::fs::read_to_string("/proc/loadavg").unwrap_or_default();
    let load = load.split(' ').next().unwrap_or("unknown");
    let kernel = rustix::system::uname();
    let arguments: Vec<_> = std::env::args_os().skip(1).map(|word| word.to_string_lossy().into_owned()).collect();
    let _ = writeln!(
        text,
        "{cores} cores, {} {}, load {load} at the end; medians of {runs}, the programs taking turns.\n\
         The machine is noisy: absolute figures move by 30 % and more from run to run, ratios by less. Compare ratios.\n\
         cargo run --release -p rtail-bench -- {}",
        kernel.sysname().to_string_lossy(),
        kernel.release().to_string_lossy(),
        arguments.join(" ")
    );
    text
}
