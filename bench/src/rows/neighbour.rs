//! A file that nobody follows, written at full speed beside one that is followed.

use std::time::Instant;

use crate::log::{LINE, Log};
use crate::peer::Peer;
use crate::scene::Scene;
use crate::stage::Stage;

/// The tailer's CPU time, and how long the neighbour's writer took.
pub(super) fn run(stage: &Stage, peer: &Peer) -> anyhow::Result<Vec<f64>> {
    let scene = Scene::new(stage, peer, 1)?;
    let mut neighbour = Log::create(scene.beside("neighbour.log"), 1, LINE, 0)?;
    let cpu = scene.tailer.cpu()?;
    let start = Instant::now();
    for _ in 0..stage.count(400_000) {
        neighbour.append(1)?;
    }
    let time = start.elapsed();
    let cpu = scene.tailer.cpu()?.saturating_sub(cpu);
    Ok(vec![cpu.as_secs_f64(), time.as_secs_f64()])
}
