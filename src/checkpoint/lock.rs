//! The lock that keeps a checkpoint to one process.

use std::fs::{File, OpenOptions};
use std::io::{self, Read as _, Write as _};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use rustix::fs::OFlags;

/// A lock that is held until this is dropped, or the process ends in whatever way.
///
/// It is on a file of its own, since the checkpoint itself is another file after each save. That file is never
/// removed: a process that had just opened it would hold the lock of a file that nobody else finds any more.
#[derive(Debug)]
pub(super) struct Lock {
    file: File,
}

/// Why there is no lock.
#[derive(Debug)]
pub(super) enum Refused {
    /// Somebody holds it: the process of this number, if it could leave it.
    Held(Option<u32>),
    /// The file can't be opened or locked.
    Failed(io::Error),
}

impl Lock {
    /// Takes the lock that `path` stands for, without waiting.
    pub(super) fn take(path: &Path) -> Result<Self, Refused> {
        let mut options = OpenOptions::new();
        options.read(true).write(true).create(true).truncate(false).mode(0o600);
        // The file is written to, so in a directory that is open to all, nobody must be able to lead us to another.
        options.custom_flags(OFlags::NOFOLLOW.bits().cast_signed());
        let mut file = options.open(path).map_err(Refused::Failed)?;
        match fs4::FileExt::try_lock(&file) {
            Ok(()) => {
                // The number is for whoever is refused. The lock is as good without it, so a full disk is no failure.
                let _ = file.set_len(0).and_then(|()| writeln!(file, "{}", std::process::id()));
                Ok(Self { file })
            }
            Err(fs4::TryLockError::WouldBlock) => Err(Refused::Held(holder(&file))),
            Err(fs4::TryLockError::Error(error)) => Err(Refused::Failed(error)),
        }
    }
}

impl Drop for Lock {
    fn drop(&mut self) {
        // Closing is not enough while a process that is just being started has a copy of the descriptor.
        let _ = fs4::FileExt::unlock(&self.file);
    }
}

fn holder(file: &File) -> Option<u32> {
    const LONGEST: u64 = 16;
    let mut text = String::new();
    file.take(LONGEST).read_to_string(&mut text).ok()?;
    text.trim_end().parse().ok()
}
