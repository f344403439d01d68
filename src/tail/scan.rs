//! Looking through a file for what tells its story: whole anchors, first data, a needle that moved.

use std::io;

use memchr::memmem;

use super::files::Handle;

/// How many bytes are read at once, at the most.
pub(crate) const CHUNK: usize = 256 * 1024;

/// Reads at an offset until `least` bytes are there or the file ends: a short read alone proves nothing.
pub(crate) fn read_at_least(handle: &dyn Handle, buffer: &mut [u8], offset: u64, least: usize) -> io::Result<usize> {
    if buffer.is_empty() {
        return Ok(0);
    }
    let length = handle.read_at(buffer, offset)?;
    read_on(handle, buffer, offset, length, least)
}

/// Reads on where only `length` bytes came, until there are at least so many, or no more.
pub(crate) fn read_on(
    handle: &dyn Handle,
    buffer: &mut [u8],
    offset: u64,
    mut length: usize,
    least: usize,
) -> io::Result<usize> {
    while length < least {
        match handle.read_at(&mut buffer[length..], offset + length as u64)? {
            0 => break,
            more => length += more,
        }
    }
    Ok(length)
}

pub(crate) fn all_nul(bytes: &[u8]) -> bool {
    bytes.iter().all(|&byte| byte == 0)
}

/// Where `needle` stands in the file, if it stands there exactly once.
pub(crate) fn find_once(handle: &dyn Handle, needle: &[u8]) -> io::Result<Option<u64>> {
    let finder = memmem::Finder::new(needle);
    let mut block = vec![0; CHUNK];
    let mut found = None;
    let (mut base, mut kept) = (0u64, 0);
    loop {
        let length = handle.read_at(&mut block[kept..], base + kept as u64)?;
        if length == 0 {
            return Ok(found);
        }
        let filled = kept + length;
        let mut from = 0;
        while let Some(at) = finder.find(&block[from..filled]) {
            if found.replace(base + (from + at) as u64).is_some() {
                return Ok(None);
            }
            from += at + 1;
        }
        // A match may begin in the last bytes; one that ends in them was found already.
        kept = (needle.len() - 1).min(filled);
        block.copy_within(filled - kept..filled, 0);
        base += (filled - kept) as u64;
    }
}

/// The offset of the first byte at or after `from` that is no NUL.
pub(crate) fn find_data(handle: &dyn Handle, from: u64) -> io::Result<Option<u64>> {
    let mut block = vec![0; CHUNK];
    let Some(mut offset) = handle.next_data(from)? else { return Ok(None) };
    loop {
        let length = handle.read_at(&mut block, offset)?;
        if length == 0 {
            return Ok(None);
        }
        if let Some(at) = block[..length].iter().position(|&byte| byte != 0) {
            return Ok(Some(offset + at as u64));
        }
        match handle.next_data(offset + length as u64)? {
            Some(next) => offset = next,
            None => return Ok(None),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::files::{Disk, Files, Links};
    use super::*;

    fn open(content: &[u8]) -> Box<dyn Handle> {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), content).unwrap();
        Disk.open(file.path(), Links::Refuse).unwrap()
    }

    #[test]
    fn a_needle_is_found_wherever_a_block_ends_if_it_stands_there_once() {
        let needle: Vec<u8> = (0..=255).collect();
        for at in [0, 1, CHUNK - 256, CHUNK - 255, CHUNK - 128, CHUNK - 1, CHUNK, CHUNK + 1, 2 * CHUNK - 300] {
            let mut content = vec![b'x'; 2 * CHUNK];
            content[at..at + 256].copy_from_slice(&needle);
            assert_eq!(find_once(&*open(&content), &needle).unwrap(), Some(at as u64), "at {at}");
            content.extend_from_slice(&needle);
            assert_eq!(find_once(&*open(&content), &needle).unwrap(), None, "twice, at {at}");
        }
        assert_eq!(find_once(&*open(b"aaaa"), b"aaa").unwrap(), None, "overlapping");
        assert_eq!(find_once(&*open(b""), b"aaa").unwrap(), None);
    }

    #[test]
    fn the_first_data_are_found_behind_nuls_of_any_length() {
        for nuls in [0, 1, 4096, CHUNK, CHUNK + 1] {
            let content = [vec![0; nuls], b"x".to_vec()].concat();
            assert_eq!(find_data(&*open(&content), 0).unwrap(), Some(nuls as u64));
            assert_eq!(find_data(&*open(&content[..nuls]), 0).unwrap(), None);
        }
    }
}
