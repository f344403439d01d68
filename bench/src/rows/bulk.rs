//! Much that is there already: all of it, or its end.

use std::time::Instant;

use anyhow::{Context as _, bail, ensure};

use crate::log::LINE;
use crate::measure::median;
use crate::peer::{Errand, From, Peer, Show, Then};
use crate::sink::Sink;
use crate::stage::{Large, Stage};
use crate::tailer::{Ended, LONGEST, Tailer};

/// Prints all of it and ends: wall time and CPU time.
pub(super) fn whole(stage: &Stage, peer: &Peer, sink: Sink) -> anyhow::Result<Vec<f64>> {
    let large = stage.large()?;
    let ended = begin(large, peer, From::Start, Then::End, sink)?.finish()?;
    ensure!(sink == Sink::Null || ended.output.count == large.bytes(), "{}", short_of(&ended, large.bytes()));
    Ok(vec![ended.wall.as_secs_f64(), ended.cpu.as_secs_f64()])
}

/// Prints all of it and follows: wall time until the last byte is there, and CPU time until then.
pub(super) fn followed(stage: &Stage, peer: &Peer) -> anyhow::Result<Vec<f64>> {
    let large = stage.large()?;
    let start = Instant::now();
    let tailer = begin(large, peer, From::Start, Then::Follow, Sink::Counted)?;
    let level = tailer.wait_for(large.bytes(), LONGEST).context("not all of it came out")?;
    let cpu = tailer.cpu()?;
    Ok(vec![(level - start).as_secs_f64(), cpu.as_secs_f64()])
}

/// Prints the last lines and ends, several times over: wall time.
pub(super) fn last(stage: &Stage, peer: &Peer, lines: u64, times: usize) -> anyhow::Result<Vec<f64>> {
    let large = stage.large()?;
    if large.lines <= lines {
        bail!("the large file has no more than {} lines; give a --size", large.lines);
    }
    let mut walls = Vec::new();
    for _ in 0..times {
        let ended = begin(large, peer, From::LastLines(lines), Then::End, Sink::Counted)?.finish()?;
        let owed = lines * LINE as u64;
        ensure!(ended.output.count == owed, "{}", short_of(&ended, owed));
        walls.push(ended.wall.as_secs_f64());
    }
    Ok(median(walls).into_iter().collect())
}

fn begin(large: &Large, peer: &Peer, from: From, then: Then, sink: Sink) -> anyhow::Result<Tailer> {
    let directory = large.path.parent().context("a file is in a directory")?;
    let files = [large.path.clone().into_os_string()];
    Tailer::start(peer.commands(&Errand { from, then, show: Show::All, directory, files: &files }), sink)
}

fn short_of(ended: &Ended, owed: u64) -> String {
    format!("{} bytes came out instead of {owed}", ended.output.count)
}
