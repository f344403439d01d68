//! More events than the kernel keeps, while the program can't take them.

use std::time::Instant;

use crate::peer::Peer;
use crate::scene::{PATIENCE, Scene};
use crate::stage::Stage;

/// How many events the kernel keeps unless told otherwise.
const QUEUE: u64 = 16_384;

/// How many lines are lost, and how long after it goes on the program is level.
///
/// Two files take turns, since events that repeat the one before them are merged. Once the queue has overflowed,
/// two others do so, of which no event tells.
pub(super) fn run(stage: &Stage, peer: &Peer) -> anyhow::Result<Vec<f64>> {
    let mut scene = Scene::new(stage, peer, 4)?;
    scene.tailer.halt()?;
    for pair in scene.logs.chunks_mut(2) {
        for _ in 0..queue_length() * 5 / 8 {
            pair.iter_mut().try_for_each(|log| log.append(1))?;
        }
    }
    let start = Instant::now();
    scene.tailer.go_on()?;
    let level = scene.tailer.wait_for(scene.written(), PATIENCE);
    let after = level.map_or(f64::INFINITY, |level| (level - start).as_secs_f64());
    let (_, account) = scene.close()?;
    Ok(vec![account.lost as f64, after])
}

fn queue_length() -> u64 {
    let told = std::fs::read_to_string("/proc/sys/fs/inotify/max_queued_events");
    told.ok().and_then(|text| text.trim().parse().ok()).unwrap_or(QUEUE)
}
