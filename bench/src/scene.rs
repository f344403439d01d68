//! What every live row begins with: some logs of one line each, and a tailer that has printed them and rests.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::Context as _;
use tempfile::TempDir;

use crate::account::Account;
use crate::log::{LINE, Log};
use crate::peer::{Errand, From, Peer, Show, Then};
use crate::sink::{Output, Sink};
use crate::stage::Stage;
use crate::tailer::{LONGEST, Tailer};

/// How long a tailer is given to get as far as it was to get.
pub(crate) const PATIENCE: Duration = Duration::from_secs(3);

/// Logs and who follows them.
#[derive(Debug)]
pub(crate) struct Scene {
    // Before the directory, so that it is gone when the files go.
    pub(crate) tailer: Tailer,
    pub(crate) logs: Vec<Log>,
    length: usize,
    directory: TempDir,
}

impl Scene {
    /// Has a peer follow so many logs.
    pub(crate) fn new(stage: &Stage, peer: &Peer, files: usize) -> anyhow::Result<Self> {
        Self::with(stage, peer, files, LINE, Show::All)
    }

    /// Has a peer follow so many logs with lines of this length and show some of them. The first line of each is
    /// one to be shown.
    pub(crate) fn with(stage: &Stage, peer: &Peer, files: usize, length: usize, show: Show) -> anyhow::Result<Self> {
        let directory = stage.directory()?;
        let names: Vec<OsString> = (0..files).map(|stream| name(stream).into()).collect();
        let mut logs = Vec::with_capacity(files);
        for (stream, name) in names.iter().enumerate() {
            let mut log = Log::create(directory.path().join(name), stream, length, 0)?;
            log.append(1)?;
            logs.push(log);
        }
        let errand =
            Errand { from: From::Start, then: Then::Follow, show, directory: directory.path(), files: &names };
        let tailer = Tailer::start(peer.commands(&errand), Sink::Kept)?;
        tailer.wait_for((files * length) as u64, LONGEST).context("the first lines did not come out")?;
        tailer.settle()?;
        Ok(Self { tailer, logs, length, directory })
    }

    /// Where something else beside the logs goes.
    pub(crate) fn beside(&self, name: impl AsRef<Path>) -> PathBuf {
        self.directory.path().join(name)
    }

    /// How many bytes have been written to the logs.
    pub(crate) fn written(&self) -> u64 {
        self.logs.iter().map(Log::written).sum::<u64>() * self.length as u64
    }

    /// Ends the tailer and compares what it showed with what the logs hold.
    pub(crate) fn close(self) -> anyhow::Result<(Output, Account)> {
        let written: Vec<u64> = self.logs.iter().map(Log::written).collect();
        self.close_with(&written)
    }

    /// Ends the tailer and compares what it showed with so many lines of each stream. It is given time to say
    /// something that it should not.
    pub(crate) fn close_with(self, written: &[u64]) -> anyhow::Result<(Output, Account)> {
        self.tailer.settle()?;
        let output = self.tailer.end()?;
        let account = Account::new(&output.bytes, self.length, written);
        Ok((output, account))
    }
}

fn name(stream: usize) -> String {
    format!("{stream:05}.log")
}
