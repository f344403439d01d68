//! What is remembered of bytes that were read, to prove later that they are still there.
//!
//! The [`Anchor`] is the last bytes before the offset, kept whole: each read begins with it. The [`Head`] is the
//! first KiB, kept as sums: it tells a file that was cut from one that was written anew.

/// The most bytes an anchor holds.
pub(crate) const ANCHOR: usize = 256;

/// The last bytes before an offset.
#[derive(Clone, Debug)]
pub(crate) struct Anchor {
    length: u16,
    bytes: [u8; ANCHOR],
}

impl Default for Anchor {
    fn default() -> Self {
        Self { length: 0, bytes: [0; ANCHOR] }
    }
}

impl Anchor {
    /// Remembers the end of `read`, the bytes that were read last.
    pub(crate) fn push(&mut self, read: &[u8]) {
        let old = usize::from(self.length);
        let from_new = read.len().min(ANCHOR);
        let from_old = old.min(ANCHOR - from_new);
        self.bytes.copy_within(old - from_old..old, 0);
        self.bytes[from_old..from_old + from_new].copy_from_slice(&read[read.len() - from_new..]);
        self.length = u16::try_from(from_old + from_new).unwrap_or(0);
    }

    /// Forgets everything and remembers the end of `read`.
    pub(crate) fn replace(&mut self, read: &[u8]) {
        self.length = 0;
        self.push(read);
    }

    pub(crate) fn bytes(&self) -> &[u8] {
        &self.bytes[..self.len()]
    }

    pub(crate) fn len(&self) -> usize {
        usize::from(self.length)
    }

    /// Whether there is enough of it to recognise it in another place.
    pub(crate) fn is_full(&self) -> bool {
        self.len() == ANCHOR
    }
}

/// How many bytes from the beginning a [`Head`] covers.
pub(crate) const HEAD: usize = 1024;
const BLOCK: usize = 64;

/// The first KiB of a file as sums of 64 bytes each, so that a part of it can be recognised too.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Head {
    length: u16,
    sums: [u32; HEAD / BLOCK],
}

impl Default for Head {
    fn default() -> Self {
        // The basis of FNV-1a. A sum need not withstand an attacker: a file that is written to match would
        // have to be written by who may write it anyway.
        Self { length: 0, sums: [0x811c_9dc5; HEAD / BLOCK] }
    }
}

impl Head {
    /// Takes in `bytes`, which stand at `offset`. What is not the head's next part is passed over.
    pub(crate) fn extend(&mut self, bytes: &[u8], offset: u64) {
        if offset != u64::from(self.length) {
            return;
        }
        let room = HEAD - self.len();
        for &byte in &bytes[..bytes.len().min(room)] {
            let sum = &mut self.sums[usize::from(self.length) / BLOCK];
            *sum = (*sum ^ u32::from(byte)).wrapping_mul(0x0100_0193);
            self.length += 1;
        }
    }

    pub(crate) fn len(&self) -> usize {
        usize::from(self.length)
    }

    /// Whether `beginning`, the first bytes of a file, is what the head was taken from.
    ///
    /// A `beginning` that is shorter than the head is compared as far as whole blocks of 64 bytes reach; one
    /// without a single block proves nothing and is no match.
    pub(crate) fn matches(&self, beginning: &[u8]) -> bool {
        let comparable = if beginning.len() >= self.len() { self.len() } else { beginning.len() / BLOCK * BLOCK };
        if comparable == 0 {
            return false;
        }
        let mut other = Self::default();
        other.extend(&beginning[..comparable], 0);
        let blocks = comparable.div_ceil(BLOCK);
        other.sums[..blocks] == self.sums[..blocks]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_anchor_is_the_end_of_everything_pushed() {
        let all: Vec<u8> = (0..2000u32).map(|n| u8::try_from(n % 251).unwrap()).collect();
        for step in [1, 7, 100, 255, 256, 257, 1000] {
            let mut anchor = Anchor::default();
            let mut done = 0;
            for part in all.chunks(step) {
                anchor.push(part);
                done += part.len();
                assert_eq!(anchor.bytes(), &all[done.saturating_sub(ANCHOR)..done], "step {step}");
            }
        }
    }

    #[test]
    fn a_head_is_the_same_in_whatever_pieces_it_came() {
        let all: Vec<u8> = (0..3000u32).map(|n| u8::try_from(n % 241).unwrap()).collect();
        let mut whole = Head::default();
        whole.extend(&all, 0);
        for step in [1, 63, 64, 65, 1000] {
            let mut pieces = Head::default();
            for (index, part) in all.chunks(step).enumerate() {
                pieces.extend(part, (index * step) as u64);
            }
            assert_eq!(pieces, whole, "step {step}");
        }
    }

    #[test]
    fn a_head_recognises_its_file_and_a_cut_of_it_and_nothing_else() {
        let all: Vec<u8> = (0..700u32).map(|n| u8::try_from(n % 241).unwrap()).collect();
        let mut head = Head::default();
        head.extend(&all, 0);
        assert!(head.matches(&all));
        assert!(head.matches(&[all.clone(), b"more".to_vec()].concat()));
        assert!(head.matches(&all[..300]));
        assert!(!head.matches(&all[..63]), "too little to tell");
        let mut other = all.clone();
        other[699] ^= 1;
        assert!(!head.matches(&other));
        other[10] ^= 1;
        assert!(!head.matches(&other[..300]));
        assert!(!Head::default().matches(&all), "an empty head proves nothing");
    }
}
