//! Some lines of many: rtail's own filter, and `tail` with a `grep` behind it.

use std::path::Path;

use anyhow::{Context as _, ensure};

use crate::log::{LINE, marked};
use crate::peer::{Errand, From, Peer, Show, Then};
use crate::scene::{PATIENCE, Scene};
use crate::sink::Sink;
use crate::stage::Stage;
use crate::tailer::Tailer;

/// CPU time to print them and end.
pub(super) fn bulk(stage: &Stage, peer: &Peer) -> anyhow::Result<Vec<f64>> {
    let large = stage.large()?;
    let errand = Errand {
        from: From::Start,
        then: Then::End,
        show: Show::Marked,
        directory: large.path.parent().unwrap_or(Path::new("/")),
        files: &[large.path.clone().into_os_string()],
    };
    let ended = Tailer::start(peer.commands(&errand), Sink::Counted)?.finish()?;
    let owed = marked(large.lines) * LINE as u64;
    ensure!(ended.output.count == owed, "{} bytes came out instead of {owed}", ended.output.count);
    Ok(vec![ended.cpu.as_secs_f64()])
}

/// CPU time to show them as they are written, at full speed.
pub(super) fn live(stage: &Stage, peer: &Peer, show: Show) -> anyhow::Result<Vec<f64>> {
    let mut scene = Scene::with(stage, peer, 1, LINE, show)?;
    let cpu = scene.tailer.cpu()?;
    for _ in 0..stage.count(400_000) {
        scene.logs[0].append(1)?;
    }
    let owed = marked(scene.logs[0].written()) * LINE as u64;
    scene.tailer.wait_for(owed, PATIENCE).context("lines were lost")?;
    let cpu = scene.tailer.cpu()?.saturating_sub(cpu);
    Ok(vec![cpu.as_secs_f64()])
}
