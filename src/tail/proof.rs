//! What is remembered of bytes that were read, to prove later that they are still there.
//!
//! The [`Anchor`] is the last bytes before the offset, kept whole: each read begins with it. The [`Head`] is the
//! first KiB: it tells a file that was cut from one that was written anew.

/// The most bytes an anchor holds.
pub(crate) const ANCHOR: usize = 256;

/// The last bytes before an offset.
#[derive(Clone, Debug, Default)]
pub(crate) struct Anchor {
    bytes: Vec<u8>,
}

impl Anchor {
    /// Remembers the end of `read`, the bytes that were read last.
    pub(crate) fn push(&mut self, read: &[u8]) {
        let new = &read[read.len().saturating_sub(ANCHOR)..];
        let surplus = (self.bytes.len() + new.len()).saturating_sub(ANCHOR);
        self.bytes.drain(..surplus);
        // Of many files, most rest for ever where they are.
        self.bytes.reserve_exact(new.len());
        self.bytes.extend_from_slice(new);
    }

    /// Forgets everything and remembers the end of `read`.
    pub(crate) fn replace(&mut self, read: &[u8]) {
        self.bytes.clear();
        self.push(read);
    }

    pub(crate) fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    pub(crate) fn len(&self) -> usize {
        self.bytes.len()
    }

    /// Whether there is enough of it to recognise it in another place.
    pub(crate) fn is_full(&self) -> bool {
        self.len() == ANCHOR
    }
}

/// How many bytes from the beginning a [`Head`] covers.
pub(crate) const HEAD: usize = 1024;

/// The first KiB of a file.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Head {
    bytes: Vec<u8>,
}

impl Head {
    /// Takes in `bytes`, which stand at `offset`. What is not the head's next part is passed over.
    pub(crate) fn extend(&mut self, bytes: &[u8], offset: u64) {
        if offset == self.bytes.len() as u64 {
            let room = HEAD - self.bytes.len();
            let next = &bytes[..bytes.len().min(room)];
            self.bytes.reserve_exact(next.len());
            self.bytes.extend_from_slice(next);
        }
    }

    pub(crate) fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// Whether `beginning`, the first bytes of a file, are those that the head was taken from, as far as both reach.
    /// Nothing proves nothing, and is no match.
    pub(crate) fn matches(&self, beginning: &[u8]) -> bool {
        let comparable = beginning.len().min(self.bytes.len());
        comparable > 0 && beginning[..comparable] == self.bytes[..comparable]
    }

    /// Whether all of a file, which is no longer than `beginning`, is known from the head.
    pub(crate) fn covers(&self, beginning: &[u8]) -> bool {
        !beginning.is_empty() && self.bytes.starts_with(beginning)
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
        assert!(head.matches(&all) && head.covers(&all));
        assert!(head.matches(&[all.clone(), b"more".to_vec()].concat()));
        assert!(!head.covers(&[all.clone(), b"more".to_vec()].concat()));
        for length in [1, 63, 64, 300] {
            assert!(head.matches(&all[..length]) && head.covers(&all[..length]));
        }
        let mut other = all.clone();
        other[299] ^= 1;
        assert!(!head.matches(&other) && !head.covers(&other[..300]));
        assert!(!Head::default().matches(&all) && !head.matches(b""), "nothing proves nothing");
    }
}
