//! Files of an earlier tail of which nothing had been read when they were compressed: no byte tells them from others.

use super::{Beside, Chain, Copy, Extent, list, open_copy};
use crate::tail::generation::Closed;
use crate::tail::lineage::{Written, made_of};
use crate::tail::position::Position;

impl Beside {
    /// Finds the compressed form of a file of which nothing was read, so that nothing but times and sizes can tell.
    pub(super) fn packed_unread(
        &mut self,
        before: &Closed,
        saved: &[Position],
        chain: &Chain<'_>,
    ) -> Result<Option<Copy>, Extent> {
        let siblings = list(chain, Some(before.id))?;
        let mut made = made_of(&siblings, before.id);
        made.retain(|(sibling, _)| {
            let read = saved.iter().any(|position| position.file == sibling.id);
            !read && !self.used.iter().any(|used| used.is_still(sibling))
        });
        // What others have followed doesn't grow any more.
        let grows = saved.last().is_some_and(|newest| newest.file == before.id);
        let live = chain.name.means(chain.files);
        let told = made.iter().all(|(_, written)| *written == Written::Later);
        let fits = |copy: &Copy| {
            let is_empty = copy.end == 0 && before.size == 0 && !grows;
            is_empty || (told && copy.end >= before.size && !chain.is_packed_in(&*copy.handle, live))
        };
        for (sibling, _) in made {
            match open_copy(sibling, chain) {
                Ok(Some(copy)) if fits(&copy) => {
                    self.used.push(sibling.clone());
                    return Ok(Some(copy));
                }
                Ok(None) => return Err(Extent::Moving),
                Ok(Some(_)) | Err(_) => {}
            }
        }
        Ok(None)
    }
}
