//! The form in which lines are delivered, bytes or records, and where in the output each comes to stand.

use std::collections::HashSet;
use std::io;

use super::ledger::{Ledger, Of, Unit};
use crate::output::outlet::Outlet;
use crate::output::plain::Plain;
use crate::output::record::{Lines, Parse};
use crate::settings::Persona;
use crate::tail::{Age, Arrival, Begins, Data, Ending, FileId, Happening, SourceId};

/// How much is encoded before it is handed to the output.
const BATCH: usize = 32 * 1024;

/// In which form lines are delivered.
#[derive(Debug)]
pub(super) enum Form {
    /// The bytes, nothing added; and the sources and runs of which only a part of a line was delivered last.
    Raw(Plain, HashSet<(SourceId, u64)>),
    /// Records, and what of the last delivery there was no room for: records may be much longer than their lines.
    Json(Lines, Option<Rest>),
}

/// Lines that wait for room.
#[derive(Debug)]
pub(super) struct Rest {
    source: SourceId,
    path: std::path::PathBuf,
    file: FileId,
    run: u64,
    offset: u64,
    bytes: Vec<u8>,
    ending: Ending,
    age: Age,
}

impl Form {
    pub(super) fn raw() -> Self {
        Self::Raw(Plain::new(Persona::Rtail, false, b'\n'), HashSet::new())
    }

    pub(super) fn json(parse: Parse) -> Self {
        Self::Json(Lines::new(parse), None)
    }

    /// Delivers lines as far as there is room; the rest is kept. Returns how many bytes of the file that is.
    pub(super) fn deliver(&mut self, data: &Data<'_>, out: &mut Outlet, ledger: &mut Ledger) -> io::Result<u64> {
        let of = Of { source: data.source, file: data.file, run: data.run };
        match self {
            Self::Raw(plain, torn) => {
                plain.begin(out, data.source, data.run, data.path)?;
                // Entered first: a write that fails has written some of it.
                let (count, place, run) = (data.bytes.len() as u64, out.place(), (data.source, data.run));
                let part = torn.remove(&run) || data.ending == Ending::Piece;
                let unit = if part { Unit::Byte } else { Unit::Line };
                ledger.bytes(of, place..place + count, data.offset, unit);
                if data.ending == Ending::Piece {
                    torn.insert(run);
                }
                plain.show(out, data)?;
                Ok(count)
            }
            Self::Json(lines, rest) => {
                let (mut next, mut text) = (data.offset, Vec::new());
                for line in lines.of(data) {
                    line.encode(&mut text);
                    ledger.record(of, out.place() + text.len() as u64, line.offset..line.next_offset);
                    next = line.next_offset;
                    if text.len() >= BATCH {
                        out.push(&text)?;
                        text.clear();
                        if out.is_blocked() {
                            break;
                        }
                    }
                }
                out.push(&text)?;
                let done = usize::try_from(next - data.offset).unwrap_or(usize::MAX);
                *rest = (done < data.bytes.len()).then(|| Rest::new(data, done));
                Ok(done as u64)
            }
        }
    }

    /// Delivers what is kept, as far as there is room; returns of what, and how many bytes. `None` if nothing is kept.
    pub(super) fn go_on(&mut self, out: &mut Outlet, ledger: &mut Ledger) -> Option<io::Result<(Of, u64)>> {
        let Self::Json(_, rest) = self else { return None };
        let Rest { source, path, file, run, offset, bytes, ending, age } = rest.take()?;
        let data = Data { source, path: &path, file, run, offset, bytes: &bytes, ending, age };
        Some(self.deliver(&data, out, ledger).map(|count| (Of { source, file, run }, count)))
    }

    /// What is kept: of what, and how many bytes.
    pub(super) fn kept(&self) -> Option<(Of, u64)> {
        match self {
            Self::Json(_, Some(Rest { source, file, run, bytes, .. })) => {
                Some((Of { source: *source, file: *file, run: *run }, bytes.len() as u64))
            }
            _ => None,
        }
    }

    /// Takes note of where in a line a file begins.
    pub(super) fn note(&mut self, source: SourceId, what: &Happening) {
        if let (Self::Json(lines, _), Happening::Opened { run, offset, begins: Begins::Within, arrival, .. }) =
            (self, what)
            && *arrival != Arrival::Returned
        {
            lines.begin_within((source, *run), *offset);
        }
    }
}

impl Rest {
    fn new(data: &Data<'_>, done: usize) -> Self {
        let Data { source, path, file, run, offset, bytes, ending, age } = *data;
        let (path, bytes) = (path.to_owned(), bytes[done..].to_vec());
        Self { source, path, file, run, offset: offset + done as u64, bytes, ending, age }
    }
}
