//! The short name that a file has in records: the same after a rename and after a restart.
//!
//! Readers keep these names, so they must never change. The hash is spelled out here for that reason: one from a
//! library, or the standard library's, may change with a version or a compiler.

use std::fmt;
use std::time::UNIX_EPOCH;

use serde::{Serialize, Serializer};

use crate::tail::FileId;

/// A file in 16 hexadecimal digits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct ShortId(u64);

impl From<FileId> for ShortId {
    /// Hashes device and inode (8 bytes each), and behind them the nanoseconds from 1970 to the birth (16 bytes, two's
    /// complement) where that is known; all little-endian.
    fn from(file: FileId) -> Self {
        let hash = fnv1a(fnv1a(BASIS, &file.device.to_le_bytes()), &file.inode.to_le_bytes());
        let Some(birth) = file.birth else { return Self(hash) };
        let nanoseconds = match birth.duration_since(UNIX_EPOCH) {
            Ok(after) => after.as_nanos().cast_signed(),
            Err(before) => -before.duration().as_nanos().cast_signed(),
        };
        Self(fnv1a(hash, &nanoseconds.to_le_bytes()))
    }
}

impl fmt::Display for ShortId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}", self.0)
    }
}

impl Serialize for ShortId {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// Where an FNV-1a hash of 64 bits begins.
const BASIS: u64 = 0xcbf2_9ce4_8422_2325;

/// Continues an FNV-1a hash of 64 bits.
fn fnv1a(hash: u64, bytes: &[u8]) -> u64 {
    bytes.iter().fold(hash, |hash, byte| (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3))
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, SystemTime};

    use super::*;

    fn id(device: u64, inode: u64, birth: Option<SystemTime>) -> String {
        ShortId::from(FileId { device, inode, birth }).to_string()
    }

    #[test]
    fn the_hash_is_fnv_1a() {
        // From the reference implementation's test suite.
        assert_eq!(fnv1a(BASIS, b""), 0xcbf2_9ce4_8422_2325);
        assert_eq!(fnv1a(BASIS, b"a"), 0xaf63_dc4c_8601_ec8c);
        assert_eq!(fnv1a(BASIS, b"foobar"), 0x8594_4171_f739_67e8);
    }

    #[test]
    fn names_given_once_are_given_for_ever() {
        // Computed by another program. If one of these changes, files lose their names.
        let birth = UNIX_EPOCH + Duration::new(1_763_642_329, 123_456_789);
        assert_eq!(id(0xfd01, 1_234_567, Some(birth)), "fd00622a280549e3");
        assert_eq!(id(0xfd01, 1_234_567, None), "f944294dbf465404");
        assert_eq!(id(1, 2, Some(UNIX_EPOCH - Duration::from_nanos(1))), "2374af35b78d3fd6");
    }

    #[test]
    fn device_inode_and_birth_all_count() {
        let births = [None, Some(UNIX_EPOCH), Some(UNIX_EPOCH + Duration::from_nanos(1))];
        let mut ids: Vec<String> = Vec::new();
        for birth in births {
            ids.extend([id(1, 2, birth), id(2, 1, birth), id(1, 1, birth)]);
        }
        ids.sort();
        ids.dedup();
        assert_eq!(ids.len(), 9);
        assert!(ids.iter().all(|id| id.len() == 16));
    }
}
