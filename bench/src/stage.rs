//! Where rows are played: a directory for their files, how long and how large they are, and the one large log that
//! several of them read.

use std::cell::OnceCell;
use std::path::{Path, PathBuf};
use std::time::Duration;

use tempfile::TempDir;

use crate::arguments::Arguments;
use crate::log::{LINE, Log};

/// How many lines of the large log are written at once.
const BATCH: usize = 4096;

/// The place and the measure of all rows. Its files go when it does.
#[derive(Debug)]
pub(crate) struct Stage {
    root: TempDir,
    seconds: Duration,
    size: u64,
    large: OnceCell<Large>,
}

/// A large log that nobody writes any more.
#[derive(Debug)]
pub(crate) struct Large {
    pub(crate) path: PathBuf,
    pub(crate) lines: u64,
}

impl Large {
    pub(crate) fn bytes(&self) -> u64 {
        self.lines * LINE as u64
    }
}

impl Stage {
    pub(crate) fn new(arguments: &Arguments) -> anyhow::Result<Self> {
        let place = arguments.dir.clone().unwrap_or_else(std::env::temp_dir);
        let root = tempfile::Builder::new().prefix("rtail-bench-").tempdir_in(place)?;
        Ok(Self { root, seconds: arguments.seconds, size: arguments.size * 1024 * 1024, large: OnceCell::new() })
    }

    /// A directory for one sample.
    pub(crate) fn directory(&self) -> anyhow::Result<TempDir> {
        Ok(tempfile::tempdir_in(self.root.path())?)
    }

    /// How long a live row writes.
    pub(crate) fn seconds(&self) -> Duration {
        self.seconds
    }

    /// How many of what comes at this rate there are in a live row; one at least.
    pub(crate) fn count(&self, per_second: u32) -> u64 {
        self.seconds.saturating_mul(per_second).as_secs().max(1)
    }

    /// The large log, which is in the page cache.
    pub(crate) fn large(&self) -> anyhow::Result<&Large> {
        if let Some(large) = self.large.get() {
            return Ok(large);
        }
        let path = self.write_large(&self.root.path().join("large.log"))?;
        Ok(self.large.get_or_init(|| path))
    }

    fn write_large(&self, path: &Path) -> anyhow::Result<Large> {
        let mut log = Log::create(path.to_owned(), 0, LINE, 0)?;
        while log.written() * (LINE as u64) < self.size {
            log.append(BATCH)?;
        }
        log.sync()?;
        Ok(Large { path: path.to_owned(), lines: log.written() })
    }
}
