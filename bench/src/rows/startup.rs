//! A tiny file: what remains is what it costs to begin and to end.

use std::ffi::OsString;
use std::time::{Duration, Instant};

use anyhow::Context as _;

use crate::log::{LINE, Log};
use crate::measure::median;
use crate::peer::{Errand, From, Peer, Show, Then};
use crate::scene::PATIENCE;
use crate::sink::Sink;
use crate::stage::Stage;
use crate::tailer::Tailer;

const LINES: usize = 10;
/// One start takes a millisecond, so that a single one says little.
const TIMES: usize = 30;

/// Wall time to print and end, wall time to the first output while following, memory while following.
pub(super) fn tiny(stage: &Stage, peer: &Peer) -> anyhow::Result<Vec<f64>> {
    let directory = stage.directory()?;
    let mut log = Log::create(directory.path().join("tiny.log"), 0, LINE, 0)?;
    log.append(LINES)?;
    let files = [OsString::from("tiny.log")];
    let printing = Errand {
        from: From::LastLines(LINES as u64),
        then: Then::End,
        show: Show::All,
        directory: directory.path(),
        files: &files,
    };
    let following = Errand { then: Then::Follow, ..printing };
    let (mut ends, mut firsts) = (Vec::new(), Vec::new());
    for _ in 0..TIMES {
        ends.push(Tailer::start(peer.commands(&printing), Sink::Counted)?.finish()?.wall.as_secs_f64());
        firsts.push(first_output(peer, &following)?.0.as_secs_f64());
    }
    let tailer = first_output(peer, &following)?.1;
    tailer.settle()?;
    let memory = tailer.peak_memory()? as f64;
    Ok(median(ends).into_iter().chain(median(firsts)).chain([memory]).collect())
}

fn first_output(peer: &Peer, errand: &Errand<'_>) -> anyhow::Result<(Duration, Tailer)> {
    let start = Instant::now();
    let tailer = Tailer::start(peer.commands(errand), Sink::Counted)?;
    let first = tailer.wait_for((LINES * LINE) as u64, PATIENCE).context("the lines did not come out")?;
    Ok((first - start, tailer))
}
