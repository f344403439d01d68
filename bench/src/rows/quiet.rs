//! Files that nobody writes.

use crate::peer::Peer;
use crate::scene::Scene;
use crate::stage::Stage;

/// Wake-ups and CPU time in a second, over five times as long as a live row lasts.
pub(super) fn idle(stage: &Stage, peer: &Peer, files: usize) -> anyhow::Result<Vec<f64>> {
    let scene = Scene::new(stage, peer, files)?;
    let time = stage.seconds() * 5;
    let (wake_ups, cpu) = (scene.tailer.wake_ups()?, scene.tailer.cpu()?);
    std::thread::sleep(time);
    let wake_ups = scene.tailer.wake_ups()?.saturating_sub(wake_ups);
    let cpu = scene.tailer.cpu()?.saturating_sub(cpu);
    Ok(vec![wake_ups as f64 / time.as_secs_f64(), cpu.as_secs_f64() / time.as_secs_f64()])
}

/// Memory and CPU time that were needed to print a line of each file and to wait for more.
pub(super) fn start(stage: &Stage, peer: &Peer, files: usize) -> anyhow::Result<Vec<f64>> {
    let scene = Scene::new(stage, peer, files)?;
    Ok(vec![scene.tailer.peak_memory()? as f64, scene.tailer.cpu()?.as_secs_f64()])
}
