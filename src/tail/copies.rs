//! Whether a file is a copy of another one, by what stands in it.
//!
//! A copy that a rotator makes before it truncates a log (copytruncate) holds what was cut off unread; and it is no
//! generation of its own, so that what was read must not be read from it again.

use std::io;

use super::files::Handle;
use super::generation::Closed;
use super::proof::{ANCHOR, HEAD};
use super::scan::read_at_least;

/// Whether a file was copied from another one after that was read: what is remembered of it stands at its place.
///
/// Few bytes are no proof by themselves, for an earlier run may have begun with them too. What has more than that was
/// written later, though, if it is known when the other one ended there.
///
/// # Errors
/// A stat or read that failed.
pub(crate) fn copies(file: &dyn Handle, known: &Closed) -> io::Result<bool> {
    let start = known.offset - known.anchor.len() as u64;
    Ok(known.offset > 0
        && known.ended.map_or(Ok(known.anchor.is_full()), |ended| file.meta().map(|meta| meta.modified >= ended))?
        && stands_at(file, known.anchor.bytes(), start)?
        && stands_at(file, known.head.bytes(), 0)?)
}

/// Whether a file is no more than the beginning of another one, or all of it. A few bytes prove nothing: taking two
/// small files that begin alike for a copy and its original would lose one of them.
///
/// # Errors
/// A read that failed.
pub(crate) fn repeats(file: &dyn Handle, original: &dyn Handle) -> io::Result<bool> {
    Ok(file.meta()?.size >= ANCHOR as u64 && begins(file, original)?)
}

/// Whether a file is no more than the beginning of another one, or all of it, however little that is.
///
/// # Errors
/// A stat or read that failed.
pub(crate) fn begins(file: &dyn Handle, original: &dyn Handle) -> io::Result<bool> {
    let size = file.meta()?.size;
    let most = |limit: usize| usize::try_from(size).unwrap_or(limit).min(limit);
    Ok(size <= original.meta()?.size
        && same_at(file, original, size - most(ANCHOR) as u64, most(ANCHOR))?
        && same_at(file, original, 0, most(HEAD))?)
}

fn same_at(file: &dyn Handle, original: &dyn Handle, offset: u64, length: usize) -> io::Result<bool> {
    let mut expected = [0; HEAD];
    let there = read_at_least(original, &mut expected[..length], offset, length)?;
    Ok(there == length && stands_at(file, &expected[..length], offset)?)
}

/// Whether these bytes stand in a file at this offset.
pub(crate) fn stands_at(file: &dyn Handle, expected: &[u8], offset: u64) -> io::Result<bool> {
    let mut found = [0; HEAD];
    let found = &mut found[..expected.len()];
    let length = read_at_least(file, found, offset, expected.len())?;
    Ok(found[..length] == *expected)
}

#[cfg(test)]
mod tests {
    use super::super::files::{Disk, FileId, Files, Links};
    use super::super::position::Position;
    use super::*;
    use std::time::SystemTime;

    fn open(content: &[u8]) -> Box<dyn Handle> {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), content).unwrap();
        Disk.open(file.path(), Links::Refuse).unwrap()
    }

    fn text(lines: std::ops::Range<u32>) -> Vec<u8> {
        lines.flat_map(|n| format!("line {n}\n").into_bytes()).collect()
    }

    fn known(content: &[u8], offset: usize) -> Closed {
        let position = Position {
            file: FileId { device: 1, inode: 1, birth: None },
            offset: offset as u64,
            size: content.len() as u64,
            ended: Some(SystemTime::UNIX_EPOCH),
            head: content[..offset.min(HEAD)].to_vec(),
            anchor: content[offset.saturating_sub(ANCHOR)..offset].to_vec(),
        };
        Closed::from(&position)
    }

    #[test]
    fn a_copy_is_known_by_its_beginning_and_by_what_was_read_last() {
        let all = text(0..1000);
        for offset in [7, 256, 300, 1024, 5000, all.len()] {
            let known = known(&all, offset);
            assert!(copies(&*open(&all), &known).unwrap(), "offset {offset}");
            assert!(copies(&*open(&all[..offset]), &known).unwrap(), "offset {offset}");
            assert!(!copies(&*open(&all[..offset - 1]), &known).unwrap(), "cut before {offset}");
            for other in [0, offset - 1] {
                let mut content = all.clone();
                content[other] ^= 1;
                assert!(!copies(&*open(&content), &known).unwrap(), "offset {offset}, other at {other}");
            }
        }
        assert!(!copies(&*open(&all), &known(&all, 0)).unwrap(), "nothing proves nothing");
    }

    #[test]
    fn few_bytes_prove_a_copy_only_if_it_was_written_later() {
        let all = text(0..1000);
        let (few, much) = (known(&all, 255), known(&all, 256));
        assert!(!copies(&*open(&all), &Closed { ended: None, ..few.clone() }).unwrap());
        assert!(copies(&*open(&all), &Closed { ended: None, ..much.clone() }).unwrap());
        let later = Some(SystemTime::now() + std::time::Duration::from_mins(1));
        for known in [few, much] {
            assert!(!copies(&*open(&all), &Closed { ended: later, ..known }).unwrap(), "of an earlier run");
        }
    }

    #[test]
    fn what_is_longer_or_differs_or_is_too_small_is_no_repetition() {
        let all = text(0..1000);
        for length in [ANCHOR, 1000, 5000, all.len()] {
            assert!(repeats(&*open(&all[..length]), &*open(&all)).unwrap(), "{length} bytes");
        }
        assert!(!repeats(&*open(&all), &*open(&all[..5000])).unwrap());
        assert!(!repeats(&*open(&all[..ANCHOR - 1]), &*open(&all)).unwrap());
        assert!(!repeats(&*open(&text(1..500)), &*open(&all)).unwrap());
        for length in [0, 1, ANCHOR - 1, 1000, all.len()] {
            assert!(begins(&*open(&all[..length]), &*open(&all)).unwrap(), "{length} bytes");
        }
        assert!(!begins(&*open(b"m"), &*open(&all)).unwrap());
        assert!(!begins(&*open(&all), &*open(&all[..5000])).unwrap());
    }
}
