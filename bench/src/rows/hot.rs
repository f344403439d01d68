//! Writers at full speed.

use std::time::Instant;

use crate::log::LINE;
use crate::peer::{Peer, Show};
use crate::scene::{PATIENCE, Scene};
use crate::stage::Stage;

/// What is written, and how.
#[derive(Clone, Copy, Debug)]
pub(super) struct Load {
    files: usize,
    /// Length of a line.
    length: usize,
    /// Lines in a write.
    batch: usize,
    /// Writes that are made for each second that a row is to last.
    rate: u32,
}

impl Load {
    /// Lines of 100 bytes, one in a write.
    pub(super) const fn short(files: usize) -> Self {
        Self { files, length: LINE, batch: 1, rate: 400_000 }
    }

    /// Lines of 1 KiB, one in a write.
    pub(super) const fn long(files: usize) -> Self {
        Self { files, length: 1024, batch: 1, rate: 200_000 }
    }

    /// Lines of 100 bytes, 64 in a write.
    pub(super) const fn batched(files: usize) -> Self {
        Self { files, length: LINE, batch: 64, rate: 40_000 }
    }
}

/// How many megabytes a second of CPU time delivered, how long after the last write all was there, how long the
/// writer took, how many lines were lost, and how many torn.
pub(super) fn run(stage: &Stage, peer: &Peer, load: Load) -> anyhow::Result<Vec<f64>> {
    let mut scene = Scene::with(stage, peer, load.files, load.length, Show::All)?;
    let cpu = scene.tailer.cpu()?;
    let start = Instant::now();
    for (_, at) in (0..stage.count(load.rate)).zip((0..load.files).cycle()) {
        scene.logs[at].append(load.batch)?;
    }
    let end = Instant::now();
    let level = scene.tailer.wait_for(scene.written(), PATIENCE);
    let cpu = scene.tailer.cpu()?.saturating_sub(cpu);
    let lag = level.map_or(f64::INFINITY, |level| level.saturating_duration_since(end).as_secs_f64());
    let (output, account) = scene.close()?;
    Ok(vec![
        output.count as f64 / 1e6 / cpu.as_secs_f64(),
        lag,
        (end - start).as_secs_f64(),
        account.lost as f64,
        account.torn as f64,
    ])
}
