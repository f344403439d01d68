//! Lists what stands beside a name, and opens it if it is still what was listed.

use std::io::{self, ErrorKind};
use std::path::Path;

use super::{Chain, EarlierRun, Extent};
use crate::tail::copies::{begins, repeats};
use crate::tail::failures::{Failures, is_silence};
use crate::tail::files::{FileId, Handle, Links, Meta, open};
use crate::tail::gzip::Unpacked;
use crate::tail::lineage::{Form, Sibling, siblings};
use crate::tail::member::{Claim, Copy, Member};
use crate::tail::name::is_shortage;

/// Whether a file was copied from another one that is no younger.
pub(super) fn was_copied_from(file: &dyn Handle, original: &dyn Handle) -> io::Result<bool> {
    Ok(file.meta()?.id.birth >= original.meta()?.id.birth && repeats(file, original)?)
}

/// Opens the oldest of the copies that a run of its own stands in, and says which one it is. None does in copies of what
/// the file held last, or holds now; and a copy that the next one begins with is of the same run.
pub(super) fn open_oldest(candidates: &[&Sibling], live: &Member, chain: &Chain<'_>) -> (EarlierRun, Option<usize>) {
    let (mut run, mut taken) = (EarlierRun::default(), None);
    for (index, sibling) in candidates.iter().enumerate() {
        if chain.is_unknown(sibling) {
            (run.unknown, run.extent) = (Some((*sibling).clone()), Extent::Failing);
            break;
        }
        let opened = open_copy(sibling, chain).and_then(|copy| {
            let Some(copy) = copy else { return Ok(None) };
            let is_known = chain.any([live], |live| live.holds(&*copy.handle))?
                || (sibling.form == Form::Packed && chain.is_packed_in(&*copy.handle, None)?);
            chain.is_compared(&*copy.handle)?;
            // It was copied further, and another one may be older than it by now.
            let grows = sibling.form == Form::Plain && copy.handle.meta()?.size != sibling.size;
            if grows && !is_known {
                return Ok(None);
            }
            let is_next = chain.any(&run.copy, |older| Ok(!begins(&*older.handle, &*copy.handle)?))?;
            Ok(Some((copy, is_known, is_next)))
        });
        match opened {
            Ok(Some((_, true, _))) => {}
            Ok(Some((_, false, true))) => break,
            Ok(Some((copy, false, false))) => (run.copy, taken) = (Some(copy), Some(index)),
            Ok(None) => {
                run.extent = Extent::Moving;
                break;
            }
            Err(error) if is_shortage(&error) => {
                run.extent = Extent::Short;
                break;
            }
            Err(error) if chain.failures.wait_for(&error) => {
                run.extent = Extent::Failing;
                break;
            }
            Err(_) => run.unreadable.push((*sibling).clone()),
        }
    }
    (run, taken)
}

/// Opens a copy; `None` if it is not where it was listed any more, or is still being compressed.
///
/// # Errors
/// A file that is there and can't be opened.
pub(super) fn open_copy(sibling: &Sibling, chain: &Chain<'_>) -> io::Result<Option<Copy>> {
    let path = sibling.path.clone();
    let opened = open_sibling(sibling, chain)?;
    Ok(opened.map(|(handle, meta)| Copy { id: meta.id, path, handle, end: meta.size, claim: Claim::Nothing }))
}

/// Opens a file beside a name; `None` if it is not where it was listed any more, or is still being compressed.
///
/// # Errors
/// A file that is there and can't be opened.
pub(super) fn open_sibling(sibling: &Sibling, chain: &Chain<'_>) -> io::Result<Option<(Box<dyn Handle>, Meta)>> {
    let opened = open(chain.files, &sibling.path, Links::Refuse);
    match opened {
        Ok((meta, handle)) if meta.id == sibling.id => match sibling.form {
            Form::Plain => Ok(Some((handle, meta))),
            Form::Packed => unpack(handle, &sibling.path, chain),
        },
        Err(error) if error.kind() != ErrorKind::NotFound => Err(error),
        Ok(_) | Err(_) => Ok(None),
    }
}

/// Has a compressed file be read as what it was made of; `None` if it is still being made, or if somebody wants to end.
pub(super) fn unpack(
    handle: Box<dyn Handle>,
    path: &Path,
    chain: &Chain<'_>,
) -> io::Result<Option<(Box<dyn Handle>, Meta)>> {
    let unpacked = match Unpacked::new(handle, path, chain.interrupt) {
        Err(error) if error.kind() == ErrorKind::Interrupted => return Ok(None),
        result => result?,
    };
    let meta = unpacked.meta()?;
    Ok((!unpacked.is_growing(&meta, chain.files.now())).then_some((Box::new(unpacked), meta)))
}

/// The siblings of a name, each once. A directory that may not be listed has none. `last` is a generation that was, or
/// is, read.
///
/// # Errors
/// What keeps the directory from being listed: nothing was found out then.
pub(super) fn list(chain: &Chain<'_>, last: Option<FileId>) -> Result<Vec<Sibling>, Extent> {
    let Chain { files, name, failures, .. } = *chain;
    let siblings = |path: &Path| match siblings(files, path, failures) {
        Ok(siblings) => siblings.ok_or(Extent::Moving),
        Err(error) if is_shortage(&error) => Err(Extent::Short),
        Err(error) if failures.wait_for(&error) => Err(Extent::Failing),
        Err(_) => Ok(Vec::new()),
    };
    let mut found = siblings(name.path())?;
    if name.is_link()
        && let Some(target) = told(files.resolve(name.path()), failures)?
    {
        // What stands beside the target was behind the link only if the link has led there before.
        let there = siblings(&target)?;
        let led_there = there.iter().any(|sibling| Some(sibling.id) == last)
            || told(files.meta(&target, Links::Refuse), failures)?.map(|meta| meta.id) == last;
        found.extend(there.into_iter().filter(|_| led_there));
    }
    found.sort_by(|a, b| (a.id, &a.path).cmp(&(b.id, &b.path)));
    found.dedup_by_key(|sibling| sibling.id);
    Ok(found)
}

/// What a call has told, if anything.
///
/// # Errors
/// When it had no answer, and is to be made again.
pub(super) fn told<T>(result: io::Result<T>, failures: &Failures) -> Result<Option<T>, Extent> {
    match result {
        Err(error) if is_silence(&error) && failures.wait_for(&error) => Err(Extent::Failing),
        result => Ok(result.ok()),
    }
}
