//! rtail side by side with GNU `tail`, and with `busybox tail` and uutils' where they are there: each row of the table
//! of workloads as one command, ratios of medians, whole processes.
//!
//! ```sh
//! cargo run --release -p rtail-bench -- [ROW…] [--runs N] [--seconds S] [--against PATH]…
//! ```
//!
//! `README.md` beside this crate tells how to read what it prints. It measures and judges; it tests nothing, and
//! no test runs it.
#![forbid(unsafe_code)]
#![allow(clippy::cast_precision_loss, reason = "figures are rounded when they are shown")]

mod account;
mod arguments;
mod log;
mod machine;
mod measure;
mod metric;
mod peer;
mod process;
mod rows;
mod scene;
mod sink;
mod stage;
mod table;
mod tailer;

use std::io::Write as _;
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use anyhow::ensure;
use clap::Parser as _;
use signal_hook::consts::{SIGINT, SIGTERM};

use self::arguments::Arguments;
use self::measure::Series;
use self::stage::Stage;
use self::table::Table;

fn main() -> ExitCode {
    let result = run(&Arguments::parse());
    if let Err(error) = &result {
        // Where standard error is closed, the status tells it alone.
        let _ = writeln!(std::io::stderr(), "rtail-bench: {error:#}");
    }
    result.map_or(ExitCode::FAILURE, |()| ExitCode::SUCCESS)
}

fn run(arguments: &Arguments) -> anyhow::Result<()> {
    let rows = arguments.rows()?;
    let peers = peer::line_up(arguments.rtail.as_deref(), &arguments.against)?;
    machine::raise_descriptor_limit();
    let stage = Stage::new(arguments)?;
    let interrupted = interruption()?;
    let series = Series { stage: &stage, peers: &peers, runs: arguments.runs, interrupted: &interrupted };
    let outcomes: Vec<_> = rows.iter().map_while(|row| series.measure(row)).collect();
    let mut out = std::io::stdout().lock();
    write!(out, "{}\n{}", machine::heading(&peers, arguments.runs), Table { peers: &peers, outcomes: &outcomes })?;
    ensure!(outcomes.len() == rows.len(), "interrupted; the rows that were not played to their end are missing");
    Ok(())
}

/// A flag that the first signal sets, so that what was measured is shown and temporary files are removed; a second
/// signal kills.
fn interruption() -> anyhow::Result<Arc<AtomicBool>> {
    let flag = Arc::new(AtomicBool::new(false));
    for signal in [SIGINT, SIGTERM] {
        signal_hook::flag::register_conditional_default(signal, Arc::clone(&flag))?;
        signal_hook::flag::register(signal, Arc::clone(&flag))?;
    }
    Ok(flag)
}
