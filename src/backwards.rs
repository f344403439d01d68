//! Searching backwards for what is most often near the end.

use memchr::memrchr_iter;

/// How many bytes are looked through one by one. `memchr` asks the processor first what it can, which takes no time on
/// most machines, but some 60 us where that is asked of a hypervisor: more than a look at all of these.
const NEAR: usize = 4096;

/// The places at which a byte stands, last one first.
pub(crate) fn places(byte: u8, bytes: &[u8]) -> impl Iterator<Item = usize> {
    let (far, near) = bytes.split_at(bytes.len().saturating_sub(NEAR));
    let at_end = near.iter().enumerate().rev().filter(move |(_, other)| **other == byte);
    let before = (!far.is_empty()).then(|| memrchr_iter(byte, far));
    at_end.map(move |(at, _)| far.len() + at).chain(before.into_iter().flatten())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_place_is_found_wherever_the_near_end() {
        for length in [0, 1, 2, NEAR - 1, NEAR, NEAR + 1, 3 * NEAR] {
            for step in [1, 2, 7, NEAR - 1, NEAR, NEAR + 1] {
                let bytes: Vec<u8> = (0..length).map(|at| u8::from(at % step == 0)).collect();
                let expected: Vec<_> = (0..length).rev().filter(|at| at % step == 0).collect();
                assert_eq!(places(1, &bytes).collect::<Vec<_>>(), expected, "{length} bytes, one in {step}");
            }
        }
    }
}
