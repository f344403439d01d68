//! A file that was compressed with gzip, read as if it were not.
//!
//! [`Unpacked`] is a [`Handle`] whose offsets are those of the decompressed content. It goes forward cheaply and back only
//! a little; further back means from the beginning. It knows nothing of what the content is.

use std::cell::RefCell;
use std::fmt;
use std::io::{self, BufReader, Read};
use std::os::fd::BorrowedFd;
use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, SystemTime};

use flate2::bufread::MultiGzDecoder;

use super::files::{Flow, Handle, Meta};
use super::proof::HEAD;

/// How many decompressed bytes are kept at the least, to be read again: an anchor's, and what the output has yet to accept
/// when its place is proved.
const WINDOW: usize = 1024 * 1024;
/// How many bytes are decompressed at once.
const STEP: usize = 64 * 1024;
/// The most bytes of one read, so that what is wanted is still kept when the last of them are decompressed.
const MOST: usize = WINDOW / 2;

/// The longest pause of whoever compresses a file.
const PAUSE: Duration = Duration::from_secs(2);
/// The longest time that a file may take which is the only one of its lines: most tools leave the other until they are done.
const LONGEST: Duration = Duration::from_mins(1);

/// A compressed file, by the offsets of what was compressed. Its content is taken for final.
#[derive(Debug)]
pub(crate) struct Unpacked {
    packed: Rc<dyn Handle>,
    /// How many bytes can be decompressed.
    size: u64,
    /// What keeps the rest from being decompressed.
    flaw: Option<Flaw>,
    content: RefCell<Content>,
}

/// What is wrong with a compressed file.
#[derive(Clone, Debug)]
struct Flaw {
    path: PathBuf,
    kind: io::ErrorKind,
    reason: String,
}

impl Unpacked {
    /// Takes over an open file of this path. Decompresses all of it once, since nothing else tells how much it is, nor
    /// whether it is whole; memory doesn't grow with that.
    ///
    /// # Errors
    /// A stat that failed, or an interruption as soon as the flag is set.
    pub(crate) fn new(packed: Box<dyn Handle>, path: &Path, interrupt: &AtomicBool) -> io::Result<Self> {
        let packed: Rc<dyn Handle> = Rc::from(packed);
        packed.meta()?;
        let mut decoder = decoder(&packed);
        let (mut scratch, mut size) = (vec![0; STEP], 0);
        let flaw = loop {
            if interrupt.load(Ordering::Relaxed) {
                return Err(io::ErrorKind::Interrupted.into());
            }
            match decoder.read(&mut scratch) {
                Ok(0) => break None,
                Ok(length) => size += length as u64,
                Err(error) => {
                    break Some(Flaw { path: path.to_owned(), kind: error.kind(), reason: error.to_string() });
                }
            }
        };
        let content = RefCell::new(Content::of(&packed));
        Ok(Self { packed, size, flaw, content })
    }

    /// Whether it is still being compressed, as far as can be told: it ends too early, and was written a moment ago.
    pub(crate) fn is_growing(&self, meta: &Meta, now: SystemTime) -> bool {
        let is_young = |time: SystemTime, age| now.duration_since(time).map_or(true, |passed| passed <= age);
        let is_new = meta.id.birth.is_some_and(|birth| is_young(birth, LONGEST));
        self.flaw.is_some() && is_new && is_young(meta.modified, PAUSE)
    }
}

impl Handle for Unpacked {
    fn meta(&self) -> io::Result<Meta> {
        Ok(Meta { size: self.size, ..self.packed.meta()? })
    }

    fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
        let left = usize::try_from(self.size.saturating_sub(offset)).unwrap_or(usize::MAX);
        let length = buffer.len().min(left).min(MOST);
        if length == 0 {
            return Ok(0);
        }
        self.content.borrow_mut().read(&mut buffer[..length], offset, &self.packed)
    }

    fn read_next(&mut self, _: &mut [u8]) -> io::Result<Flow> {
        Err(io::ErrorKind::Unsupported.into())
    }

    fn renew(&mut self) -> io::Result<()> {
        Err(io::ErrorKind::Unsupported.into())
    }

    fn next_data(&self, from: u64) -> io::Result<Option<u64>> {
        Ok((from < self.size).then_some(from))
    }

    fn position(&self) -> Option<u64> {
        None
    }

    fn flaw(&self) -> Option<io::Error> {
        let Flaw { path, kind, reason } = self.flaw.as_ref()?;
        Some(io::Error::new(*kind, format!("'{}' can't be decompressed to its end: {reason}", path.display())))
    }

    fn location(&self) -> Option<PathBuf> {
        self.packed.location()
    }

    fn file_system(&self) -> Option<i64> {
        self.packed.file_system()
    }

    fn fd(&self) -> Option<BorrowedFd<'_>> {
        // What stands there is not what is read here.
        None
    }
}

type Decoder = MultiGzDecoder<BufReader<Reader>>;

fn decoder(packed: &Rc<dyn Handle>) -> Decoder {
    MultiGzDecoder::new(BufReader::with_capacity(STEP, Reader { packed: Rc::clone(packed), offset: 0 }))
}

/// The compressed bytes, one after another.
#[derive(Debug)]
struct Reader {
    packed: Rc<dyn Handle>,
    offset: u64,
}

impl Read for Reader {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let length = self.packed.read_at(buffer, self.offset)?;
        self.offset += length as u64;
        Ok(length)
    }
}

/// The decompressed bytes, as far as they are kept.
struct Content {
    decoder: Decoder,
    /// The last bytes that were decompressed, and where they begin.
    window: Vec<u8>,
    start: u64,
    /// The first bytes, which are asked for again and again.
    head: Vec<u8>,
}

impl fmt::Debug for Content {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Content")
            .field("start", &self.start)
            .field("kept", &self.window.len())
            .finish_non_exhaustive()
    }
}

impl Content {
    fn of(packed: &Rc<dyn Handle>) -> Self {
        Self { decoder: decoder(packed), window: Vec::new(), start: 0, head: Vec::new() }
    }

    /// Fills the buffer with what stands at an offset, none of which is behind the end.
    fn read(&mut self, buffer: &mut [u8], offset: u64, packed: &Rc<dyn Handle>) -> io::Result<usize> {
        let end = offset + buffer.len() as u64;
        if end <= self.head.len() as u64 {
            let at = usize::try_from(offset).unwrap_or(usize::MAX);
            buffer.copy_from_slice(&self.head[at..at + buffer.len()]);
            return Ok(buffer.len());
        }
        if offset < self.start {
            self.begin_again(packed);
        }
        while self.start + (self.window.len() as u64) < end {
            match self.decompress() {
                Ok(0) => return Err(io::ErrorKind::UnexpectedEof.into()),
                Ok(_) => {}
                Err(error) => {
                    // Where it stands is not known.
                    self.begin_again(packed);
                    return Err(error);
                }
            }
        }
        let at = usize::try_from(offset - self.start).unwrap_or(usize::MAX);
        buffer.copy_from_slice(&self.window[at..at + buffer.len()]);
        Ok(buffer.len())
    }

    fn begin_again(&mut self, packed: &Rc<dyn Handle>) {
        let head = std::mem::take(&mut self.head);
        *self = Self { head, ..Self::of(packed) };
    }

    /// Decompresses some more.
    fn decompress(&mut self) -> io::Result<usize> {
        if self.window.len() >= 2 * WINDOW {
            let gone = self.window.len() - WINDOW;
            self.window.drain(..gone);
            self.start += gone as u64;
        }
        let kept = self.window.len();
        self.window.resize(kept + STEP, 0);
        let result = self.decoder.read(&mut self.window[kept..]);
        self.window.truncate(kept + result.as_ref().map_or(0, |length| *length));
        let room = HEAD - self.head.len();
        if room > 0 && self.start == 0 {
            let new = &self.window[self.head.len()..];
            self.head.extend_from_slice(&new[..new.len().min(room)]);
        }
        result
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use flate2::Compression;
    use flate2::write::GzEncoder;

    use super::super::files::{Disk, Files as _, Links};
    use super::super::scan::read_at_least;
    use super::*;

    fn text(length: usize) -> Vec<u8> {
        (0..)
            .flat_map(|n: u32| format!("line {n} {}\n", n.wrapping_mul(2_654_435_761)).into_bytes())
            .take(length)
            .collect()
    }

    fn pack(content: &[u8]) -> Vec<u8> {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
        encoder.write_all(content).unwrap();
        encoder.finish().unwrap()
    }

    fn open(packed: &[u8]) -> Unpacked {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), packed).unwrap();
        let handle = Disk.open(file.path(), Links::Refuse).unwrap();
        Unpacked::new(handle, Path::new("a.log.1.gz"), &AtomicBool::new(false)).unwrap()
    }

    fn at(file: &Unpacked, offset: u64, length: usize) -> Vec<u8> {
        let mut buffer = vec![0; length];
        let length = read_at_least(file, &mut buffer, offset, length).unwrap();
        buffer.truncate(length);
        buffer
    }

    #[test]
    fn bytes_are_read_at_the_offsets_that_they_had_in_whatever_order() {
        let all = text(5 * WINDOW);
        // A file of several members is one, and its trailer tells the size of the last alone.
        let file = open(&[pack(&all[..WINDOW + 7]), pack(b""), pack(&all[WINDOW + 7..])].concat());
        assert_eq!((file.meta().unwrap().size, file.flaw().is_none()), (all.len() as u64, true));
        let (mut offset, mut length) = (0, 1);
        for step in 0..400_usize {
            let expected = &all[offset.min(all.len())..(offset + length).min(all.len())];
            assert!(at(&file, offset as u64, length) == expected, "{length} bytes at {offset}");
            length = 1 + step * 7919 % (MOST + 1000);
            offset = match step % 50 {
                0 => step * 104_729 % all.len(),
                _ => (offset + length).saturating_sub(256).min(all.len()),
            };
        }
        assert_eq!(at(&file, all.len() as u64, 10), b"");
        assert_eq!(at(&file, u64::MAX, 10), b"");
        assert!(file.content.borrow().window.capacity() <= 4 * WINDOW);
    }

    #[test]
    fn of_a_broken_file_comes_what_can_be_had() {
        let all = text(300_000);
        let packed = pack(&all);
        let cut = open(&packed[..packed.len() / 2]);
        let size = cut.meta().unwrap().size;
        assert!(size > 0 && size < all.len() as u64);
        assert!(at(&cut, 0, all.len()) == all[..usize::try_from(size).unwrap()]);
        let words = cut.flaw().unwrap().to_string();
        assert!(words.starts_with("'a.log.1.gz' can't be decompressed to its end: "), "{words}");

        let mut wrong_sum = packed.clone();
        let sum = packed.len() - 8;
        wrong_sum[sum] ^= 1;
        let file = open(&wrong_sum);
        assert!(file.flaw().is_some());
        assert!(at(&file, 0, all.len()) == all);
        for content in [&b""[..], b"plain text\n", &packed[..5]] {
            let file = open(content);
            assert_eq!((file.meta().unwrap().size, file.flaw().is_some()), (0, true), "{content:?}");
            assert_eq!(at(&file, 0, 10), b"");
        }
    }

    #[test]
    fn counting_ends_when_it_is_interrupted() {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), pack(b"text\n")).unwrap();
        let handle = Disk.open(file.path(), Links::Refuse).unwrap();
        let result = Unpacked::new(handle, file.path(), &AtomicBool::new(true));
        assert_eq!(result.unwrap_err().kind(), io::ErrorKind::Interrupted);
    }
}
