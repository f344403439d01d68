//! One line now and then, and how long it takes to the reader.

use std::time::{Duration, Instant};

use anyhow::Context as _;

use crate::log::LINE;
use crate::peer::Peer;
use crate::scene::{PATIENCE, Scene};
use crate::stage::Stage;

/// Latency and cost of single lines.
struct Cool {
    /// Sorted.
    latencies: Vec<Duration>,
    cpu: Duration,
}

impl Cool {
    /// Writes a line every `interval` to one of so many files.
    fn new(stage: &Stage, peer: &Peer, files: usize, interval: Duration) -> anyhow::Result<Self> {
        let mut scene = Scene::new(stage, peer, files)?;
        let before = scene.written();
        let cpu = scene.tailer.cpu()?;
        let start = Instant::now();
        let mut written = Vec::new();
        while start.elapsed() < stage.seconds() {
            written.push(Instant::now());
            scene.logs[files / 2].append(1)?;
            let next = start + interval * u32::try_from(written.len())?;
            std::thread::sleep(next.saturating_duration_since(Instant::now()));
        }
        scene.tailer.wait_for(scene.written(), PATIENCE).context("lines were lost")?;
        let cpu = scene.tailer.cpu()?.saturating_sub(cpu);
        let (output, _) = scene.close()?;
        let mut arrivals = output.arrivals.iter().peekable();
        let mut latencies = Vec::with_capacity(written.len());
        for (at, written) in written.into_iter().enumerate() {
            let end = before + ((at + 1) * LINE) as u64;
            while arrivals.next_if(|(count, _)| *count < end).is_some() {}
            let (_, arrived) = arrivals.peek().context("lines were lost")?;
            latencies.push(arrived.saturating_duration_since(written));
        }
        latencies.sort();
        Ok(Self { latencies, cpu })
    }

    fn percentile(&self, percent: usize) -> f64 {
        let at = (self.latencies.len() * percent / 100).min(self.latencies.len() - 1);
        self.latencies[at].as_secs_f64()
    }

    fn cpu_a_line(&self) -> f64 {
        self.cpu.as_secs_f64() / self.latencies.len() as f64
    }
}

/// Median and 99th percentile of the time from before the write to the reader, and CPU time a line.
pub(super) fn run(stage: &Stage, peer: &Peer, interval: Duration) -> anyhow::Result<Vec<f64>> {
    let cool = Cool::new(stage, peer, 1, interval)?;
    Ok(vec![cool.percentile(50), cool.percentile(99), cool.cpu_a_line()])
}

/// How many times as long, and as costly, a line is when it goes to one of 10,000 files instead of to the only one.
pub(super) fn growth(stage: &Stage, peer: &Peer) -> anyhow::Result<Vec<f64>> {
    let interval = Duration::from_millis(5);
    let (one, many) = (Cool::new(stage, peer, 1, interval)?, Cool::new(stage, peer, 10_000, interval)?);
    Ok(vec![many.percentile(50) / one.percentile(50), many.cpu_a_line() / one.cpu_a_line()])
}
