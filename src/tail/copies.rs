//! Whether a file is a copy of another one, by what stands in it.
//!
//! A copy that a rotator makes before it truncates a log (copytruncate) holds what was cut off unread; and it is no
//! generation of its own, so that what was read must not be read from it again.

use std::cmp::Ordering;
use std::io;
use std::time::SystemTime;

use super::files::{Handle, Meta};
use super::generation::Closed;
use super::lineage::at_the_latest;
use super::proof::{ANCHOR, HEAD};
use super::scan::read_at_least;

/// Whether a file was copied, or compressed, from another one after that was read: what is remembered of it stands at its place.
///
/// Few bytes are no proof by themselves, for an earlier run may have begun with them too. What has more than that was
/// written later, though, if it is known when the other one ended there. Many bytes need no more than what is certain of
/// that time.
///
/// # Errors
/// A stat or read that failed.
pub(crate) fn copies(file: &dyn Handle, known: &Closed) -> io::Result<bool> {
    let is_full = known.anchor.is_full();
    let ended = if is_full { known.proven } else { known.ended };
    let written_later = |ended| file.meta().map(|meta| at_the_latest(meta.modified) >= ended);
    Ok(known.offset > 0 && ended.map_or(Ok(is_full), written_later)? && holds_read(file, known)?)
}

/// Whether what is remembered of a file that was read stands in another one at its place.
pub(crate) fn holds_read(file: &dyn Handle, known: &Closed) -> io::Result<bool> {
    let start = known.offset - known.anchor.len() as u64;
    // In this order a compressed file is read forward.
    Ok(stands_at(file, known.head.bytes(), 0)? && stands_at(file, known.anchor.bytes(), start)?)
}

/// Whether a compressed file was made of one that was read to its end, and let go.
///
/// # Errors
/// A stat or read that failed.
pub(crate) fn packs_read(file: &dyn Handle, known: &Closed) -> io::Result<bool> {
    let meta = file.meta()?;
    if meta.size < known.offset {
        // Of a damaged one no more can be had than its beginning.
        let mut first = [0; HEAD];
        let length = read_at_least(file, &mut first, 0, HEAD)?;
        return Ok(file.flaw().is_some() && known.head.matches(&first[..length]));
    }
    let in_time = match known.ended {
        Some(ended) if meta.size == known.offset => may_be_written(&meta, ended),
        _ => known.anchor.is_full() && known.ended.is_none_or(|ended| at_the_latest(meta.modified) >= ended),
    };
    Ok(known.offset > 0 && in_time && holds_read(file, known)?)
}

/// Whether a file is, or was made of, a copy of all that another one was before it was cut.
///
/// # Errors
/// A stat or read that failed.
pub(crate) fn is_run(file: &dyn Handle, run: &Closed) -> io::Result<bool> {
    Ok(file.meta()?.size == run.offset && copies(file, run)?)
}

/// Whether a compressed file was made of another one as it is, or was when it had less in it.
///
/// # Errors
/// A stat or read that failed.
pub(crate) fn packs(file: &dyn Handle, original: &dyn Handle) -> io::Result<bool> {
    let (packed, plain) = (file.meta()?, original.meta()?);
    let in_time = match packed.size.cmp(&plain.size) {
        Ordering::Less => packed.size >= ANCHOR as u64,
        Ordering::Equal => may_be_written(&packed, plain.modified),
        Ordering::Greater => false,
    };
    Ok(in_time && begins(file, original)?)
}

/// Whether a compressed file may have been made of one that was written last at this time. That is kept, or no more of it
/// than its seconds, or it is of the compression.
fn may_be_written(packed: &Meta, at: SystemTime) -> bool {
    let kept = packed.modified <= at && at <= at_the_latest(packed.modified);
    kept || packed.id.birth.is_none_or(|birth| packed.modified >= birth)
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
        && same_at(file, original, 0, most(HEAD))?
        && same_at(file, original, size - most(ANCHOR) as u64, most(ANCHOR))?)
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
    use std::time::Duration;

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
        let later = Some(SystemTime::now() + Duration::from_mins(1));
        for known in [few, much] {
            let known = Closed { ended: later, proven: later, ..known };
            assert!(!copies(&*open(&all), &known).unwrap(), "of an earlier run");
        }
    }

    fn open_written_at(content: &[u8], at: SystemTime) -> Box<dyn Handle> {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), content).unwrap();
        file.as_file().set_modified(at).unwrap();
        Disk.open(file.path(), Links::Refuse).unwrap()
    }

    #[test]
    fn a_compressed_file_of_few_bytes_is_known_by_its_time() {
        let written = SystemTime::UNIX_EPOCH + Duration::from_millis(1_000_000_700);
        let (seconds, later) = (written - Duration::from_millis(700), written + Duration::from_secs(5));
        let all = text(0..10);
        let known = Closed { ended: Some(written), ..known(&all, all.len()) };
        let original = open_written_at(&all, written);
        for (at, same) in
            [(written, true), (seconds, true), (later, false), (seconds - Duration::from_secs(1), false)]
        {
            assert_eq!(packs_read(&*open_written_at(&all, at), &known).unwrap(), same, "{at:?}");
            assert_eq!(packs(&*open_written_at(&all, at), &*original).unwrap(), same, "{at:?}");
        }
        // It was written when it was compressed.
        assert!(packs_read(&*open(&all), &known).unwrap() && packs(&*open(&all), &*original).unwrap());
        let other = text(1..11);
        for packed in [&all[..all.len() - 1], &other] {
            assert!(!packs_read(&*open_written_at(packed, written), &known).unwrap());
            assert!(!packs(&*open_written_at(packed, written), &*original).unwrap());
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
