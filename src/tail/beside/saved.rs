//! Where the files of an earlier tail are now.

use std::io::ErrorKind;

use super::opening::{list, told, unpack};
use super::{ATTEMPTS, Beside, Chain, Extent};
use crate::tail::copies::stands_at;
use crate::tail::files::{Handle, Links, Meta, open};
use crate::tail::generation::Closed;
use crate::tail::lineage::{self, Find, is_packed};
use crate::tail::name::is_shortage;
use crate::tail::position::Position;

/// Where a file of an earlier tail is now.
#[derive(Debug)]
pub(crate) enum Place {
    /// The name means it.
    Live,
    /// It, or a copy of it, was found and opened.
    Here(Box<dyn Handle>, Meta),
    /// It is there and can't be opened.
    Unreadable,
    /// It is not there any more, and no copy of it.
    Gone,
}

/// Finds a file of an earlier tail by its identity, whatever its name is now, or else a copy of it. It is one of those that
/// were `saved`.
///
/// # Errors
/// What keeps it from being found: nothing was found out then.
pub(crate) fn find_saved(
    beside: &mut Beside,
    before: &Closed,
    saved: &[Position],
    chain: &Chain<'_>,
) -> Result<Place, Extent> {
    for _ in 0..ATTEMPTS {
        let siblings = list(chain, Some(before.id))?;
        let sibling = siblings.into_iter().find(|sibling| sibling.id == before.id).map(|sibling| sibling.path);
        let path = match sibling {
            Some(path) => Some(path),
            None => match told(lineage::find(chain.files, chain.name.path(), before.id), chain.failures)? {
                Some(Find::At(path)) => Some(path),
                Some(Find::Unsure | Find::Gone) | None => None,
            },
        };
        let Some(path) = path else {
            let unread = before.offset == 0;
            let copy =
                if unread { beside.packed_unread(before, saved, chain) } else { beside.copy_of(before, chain) };
            let Some(copy) = copy? else { return Ok(Place::Gone) };
            let meta = match copy.handle.meta() {
                Ok(meta) => meta,
                Err(error) if chain.failures.wait_for(&error) => return Err(Extent::Failing),
                Err(_) => return Ok(Place::Gone),
            };
            beside.know(copy.id);
            beside.there.moved.push((before.id, copy.id));
            return Ok(Place::Here(copy.handle, meta));
        };
        match open(chain.files, &path, Links::Refuse) {
            Ok((meta, handle)) if meta.id == before.id => {
                // One that was read as it is may have got such a name since.
                let stands = || told(stands_at(&*handle, before.head.bytes(), 0), chain.failures);
                let as_it_is = before.offset > 0 && stands()?.unwrap_or(false);
                if !is_packed(&path) || as_it_is {
                    return Ok(Place::Here(handle, meta));
                }
                return match unpack(handle, &path, chain) {
                    Ok(Some((handle, meta))) => Ok(Place::Here(handle, meta)),
                    Ok(None) => Err(Extent::Moving),
                    Err(error) if chain.failures.wait_for(&error) => Err(Extent::Failing),
                    Err(_) => Ok(Place::Unreadable),
                };
            }
            Err(error) if is_shortage(&error) => return Err(Extent::Short),
            Err(error) if chain.failures.wait_for(&error) => return Err(Extent::Failing),
            Err(error) if error.kind() != ErrorKind::NotFound => return Ok(Place::Unreadable),
            // It was renamed again meanwhile.
            Ok(_) | Err(_) => {}
        }
    }
    Err(Extent::Moving)
}
