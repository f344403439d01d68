//! Files of an earlier tail of which nothing had been read when they were compressed: no byte tells them from others.

use std::io;

use super::opening::told;
use super::{Beside, Chain, Copy, Extent, list, open_copy};
use crate::tail::generation::Closed;
use crate::tail::lineage::{Written, made_of};
use crate::tail::position::{Copied, Position};

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
            !read && !self.there.used.contains(&Copied::from(*sibling))
        });
        // What others have followed doesn't grow any more.
        let grows = saved.last().is_some_and(|newest| newest.file == before.id);
        let live = told(chain.name.means(chain.files), chain.failures)?.flatten();
        let told = made.iter().all(|(_, written)| *written == Written::Later);
        let fits = |copy: &Copy| -> io::Result<bool> {
            let is_empty = copy.end == 0 && before.size == 0 && !grows;
            let may_be = told && copy.end >= before.size;
            Ok(is_empty || (may_be && !chain.is_packed_in(&*copy.handle, live)?))
        };
        for (sibling, _) in made {
            let opened = open_copy(sibling, chain).and_then(|copy| match copy {
                Some(copy) => Ok(Some((fits(&copy)?, copy))),
                None => Ok(None),
            });
            match opened {
                Ok(Some((true, copy))) => {
                    self.there.used.push(Copied::from(sibling));
                    return Ok(Some(copy));
                }
                Ok(None) => return Err(Extent::Moving),
                Err(error) if chain.failures.wait_for(&error) => return Err(Extent::Failing),
                Ok(Some((false, _))) | Err(_) => {}
            }
        }
        Ok(None)
    }
}
