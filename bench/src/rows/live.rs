//! A long run: logs that are written to and rotated all the time, and what grows meanwhile.

use std::collections::VecDeque;
use std::io::Write as _;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use crate::peer::{Peer, Show};
use crate::process::Holdings;
use crate::scene::{PATIENCE, Scene};
use crate::stage::Stage;

const FILES: usize = 20;
/// Short lines: all that comes out is kept until the end.
const LENGTH: usize = 40;
/// Lines that are written in a tick, to one file after the other, before the next file is rotated: each is once a second.
const LINES: usize = 500;
const TICK: Duration = Duration::from_millis(50);
/// Less says nothing: for the first seconds, rotated files are still being waited for.
const SHORTEST: Duration = Duration::from_mins(1);
/// How long rotated files and copies stay.
const KEPT: Duration = Duration::from_secs(20);
/// Which parts of the run are compared, of ten: the first is the start.
const EARLY: usize = 1;
const LATE: usize = 9;

/// How many times as much memory, descriptors, watches and threads are held in the last tenth as in the second one; then
/// how many lines were lost, repeated and torn.
pub(super) fn run(stage: &Stage, peer: &Peer) -> anyhow::Result<Vec<f64>> {
    let mut scene = Scene::with(stage, peer, FILES, LENGTH, Show::All)?;
    let length = stage.seconds().max(SHORTEST);
    let mut tenths = [Holdings::default(); 10];
    let mut rotated: VecDeque<(Instant, PathBuf)> = VecDeque::new();
    let (start, mut tick, mut sample_at) = (Instant::now(), 0, Instant::now());
    loop {
        let now = Instant::now();
        let tenth = (10 * (now - start).as_micros() / length.as_micros()) as usize;
        if now >= sample_at || tenth >= tenths.len() {
            let this = tenth.min(LATE);
            if this > 0 && tenths[this] == Holdings::default() {
                tell(this, tenths[this - 1]);
            }
            tenths[this] = tenths[this].max(scene.tailer.holdings()?);
            sample_at = now + Duration::from_secs(1);
        }
        if tenth >= tenths.len() {
            break;
        }
        for at in 0..LINES {
            scene.logs[at % FILES].append(1)?;
        }
        let to = scene.beside(format!("{:05}.log.{tick}", tick % FILES));
        let log = &mut scene.logs[tick % FILES];
        if (tick / FILES).is_multiple_of(2) {
            log.rotate(&to)?;
        } else {
            log.copy_and_truncate(&to)?;
        }
        rotated.push_back((now, to));
        while let Some((_, path)) = rotated.pop_front_if(|(at, _)| now.duration_since(*at) > KEPT) {
            std::fs::remove_file(path)?;
        }
        tick += 1;
        let next = start + TICK * u32::try_from(tick)?;
        std::thread::sleep(next.saturating_duration_since(Instant::now()));
    }
    tell(tenths.len(), tenths[LATE]);
    let _ = scene.tailer.wait_for(scene.written(), PATIENCE);
    let (_, account) = scene.close()?;
    let mut figures = tenths[LATE].growth_since(tenths[EARLY]).to_vec();
    figures.extend([account.lost, account.repeated, account.torn].map(|count| count as f64));
    Ok(figures)
}

/// Tells whoever waits.
fn tell(tenth: usize, most: Holdings) {
    let Holdings { memory, descriptors, watches, threads } = most;
    let kilobytes = memory / 1024;
    let _ = writeln!(
        std::io::stderr(),
        "  tenth {tenth:2}, at most: RSS {kilobytes} KiB, {descriptors} descriptors, {watches} watches, {threads} threads"
    );
}
