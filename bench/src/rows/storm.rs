//! Storms of rotation, and whether every line comes out once, whole and in order.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use crate::log::{LINE, Log};
use crate::peer::Peer;
use crate::scene::{PATIENCE, Scene};
use crate::stage::Stage;

/// Lines that a file gets before it is rotated.
const LINES: usize = 4;
/// How many rotated files a cascade keeps.
const KEPT: u32 = 5;
/// How long after a file's rotation its last line is written.
const DELAYS_MS: [u64; 6] = [0, 1, 5, 20, 100, 300];

/// Renames to names that are not used again.
pub(super) fn renames(stage: &Stage, peer: &Peer) -> anyhow::Result<Vec<f64>> {
    steadily(stage, peer, 200, |scene, generation| rotate(scene, generation).map(drop))
}

/// The same, much too often.
pub(super) fn burst(stage: &Stage, peer: &Peer) -> anyhow::Result<Vec<f64>> {
    steadily(stage, peer, 2500, |scene, generation| rotate(scene, generation).map(drop))
}

/// Moves every rotated file up by one, the last one away, and the log to the first name.
pub(super) fn cascades(stage: &Stage, peer: &Peer) -> anyhow::Result<Vec<f64>> {
    steadily(stage, peer, 200, |scene, generation| {
        for from in (1..KEPT).rev().filter(|from| u64::from(*from) <= generation) {
            std::fs::rename(rotated(scene, from.into()), rotated(scene, (from + 1).into()))?;
        }
        rotate(scene, 1).map(drop)
    })
}

/// Renames, and has each old file written to once more a while later.
pub(super) fn late(stage: &Stage, peer: &Peer) -> anyhow::Result<Vec<f64>> {
    let mut scene = Scene::new(stage, peer, 1)?;
    let count = stage.count(100);
    let mut writers: Vec<(Instant, Log)> = Vec::new();
    let mut pace = Pace::new(100);
    for (generation, delay) in (0..count).zip(DELAYS_MS.into_iter().cycle()) {
        scene.logs[0].append(LINES)?;
        let mut old = rotate(&mut scene, generation)?;
        // Lines of different files have no order, so each late one is a stream of its own.
        old.turn_to(usize::try_from(generation)? + 1);
        writers.push((Instant::now() + Duration::from_millis(delay), old));
        write_due(&mut writers)?;
        pace.wait();
    }
    while !writers.is_empty() {
        write_due(&mut writers)?;
        pace.wait();
    }
    let written: Vec<u64> = std::iter::once(scene.logs[0].written()).chain((0..count).map(|_| 1)).collect();
    judge(scene, &written)
}

/// Writes the last lines that are due, and closes their files.
fn write_due(writers: &mut Vec<(Instant, Log)>) -> anyhow::Result<()> {
    for (_, mut log) in writers.extract_if(.., |(due, _)| *due <= Instant::now()) {
        log.append(1)?;
    }
    Ok(())
}

/// Writes and rotates at a steady rate.
fn steadily(
    stage: &Stage,
    peer: &Peer,
    rate: u32,
    rotate: impl Fn(&mut Scene, u64) -> anyhow::Result<()>,
) -> anyhow::Result<Vec<f64>> {
    let mut scene = Scene::new(stage, peer, 1)?;
    let mut pace = Pace::new(rate);
    for generation in 0..stage.count(rate) {
        for _ in 0..LINES {
            scene.logs[0].append(1)?;
        }
        rotate(&mut scene, generation)?;
        pace.wait();
    }
    let written = [scene.logs[0].written()];
    judge(scene, &written)
}

/// Gives the tailer time to get level, and counts what became of the lines.
fn judge(scene: Scene, written: &[u64]) -> anyhow::Result<Vec<f64>> {
    let _ = scene.tailer.wait_for(written.iter().sum::<u64>() * LINE as u64, PATIENCE);
    let (_, account) = scene.close_with(written)?;
    Ok([account.lost, account.repeated, account.torn, account.reordered].map(|count| count as f64).to_vec())
}

/// Renames the log and begins the next one. Returns the old one.
fn rotate(scene: &mut Scene, generation: u64) -> anyhow::Result<Log> {
    let to = rotated(scene, generation);
    Ok(scene.logs[0].rotate(&to)?)
}

fn rotated(scene: &Scene, generation: u64) -> PathBuf {
    let mut name = scene.logs[0].path().to_owned().into_os_string();
    name.push(format!(".{generation}"));
    name.into()
}

/// A beat that doesn't drift.
struct Pace {
    next: Instant,
    interval: Duration,
}

impl Pace {
    fn new(rate: u32) -> Self {
        Self { next: Instant::now(), interval: Duration::from_secs(1) / rate }
    }

    fn wait(&mut self) {
        self.next += self.interval;
        std::thread::sleep(self.next.saturating_duration_since(Instant::now()));
    }
}
