//! Which lines are delivered to programs, in which form, bytes or records, and where in the output each comes to
//! stand.

use std::collections::HashSet;
use std::ops::Range;
use std::path::PathBuf;
use std::{io, iter};

use memchr::memrchr;

use super::ledger::{Ledger, Of, Unit};
use crate::output::filter::Filter;
use crate::output::outlet::Outlet;
use crate::output::plain::Plain;
use crate::output::record::{Lines, Parse};
use crate::settings::Persona;
use crate::tail::{Age, Arrival, Begins, Data, Ending, FileId, Happening, SourceId};

/// How much is encoded before it is handed to the output.
const BATCH: usize = 32 * 1024;
/// What ends a line.
const TERMINATOR: u8 = b'\n';

/// Which lines are delivered, and in which form.
#[derive(Debug)]
pub(super) struct Form {
    filter: Option<Filter>,
    shape: Shape,
}

/// What lines become.
#[derive(Debug)]
enum Shape {
    /// The bytes, nothing added; and the sources and runs of which only a part of a line was delivered last.
    Raw(Plain, HashSet<(SourceId, u64)>),
    /// Records, and what of the last delivery there was no room for: records may be much longer than their lines.
    Json(Lines, Option<Rest>),
}

/// Lines that wait for room.
#[derive(Debug)]
struct Rest {
    source: SourceId,
    path: PathBuf,
    file: FileId,
    run: u64,
    offset: u64,
    bytes: Vec<u8>,
    ending: Ending,
    age: Age,
    /// The runs of lines that are delivered.
    shown: Vec<Range<usize>>,
}

/// What became of bytes of a file.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Count {
    pub(super) delivered: u64,
    /// The filter left them out.
    pub(super) filtered: u64,
}

impl Form {
    /// The bytes of the lines that a filter lets through.
    pub(super) fn raw(filter: Option<Filter>) -> Self {
        let plain = Plain::new(Persona::Rtail, false, TERMINATOR);
        Self { filter, shape: Shape::Raw(plain, HashSet::new()) }
    }

    /// A record for each of these lines.
    pub(super) fn json(parse: Parse, filter: Option<Filter>) -> Self {
        Self { filter, shape: Shape::Json(Lines::new(parse), None) }
    }

    /// Delivers lines as far as there is room; the rest is kept.
    pub(super) fn deliver(&mut self, data: &Data<'_>, out: &mut Outlet, ledger: &mut Ledger) -> io::Result<Count> {
        let shown = match &mut self.filter {
            Some(filter) => filter.shown(data),
            None => iter::once(0..data.bytes.len()).collect(),
        };
        self.deliver_runs(data, &shown, out, ledger)
    }

    /// Delivers these runs of lines, and passes over the others.
    fn deliver_runs(
        &mut self,
        data: &Data<'_>,
        shown: &[Range<usize>],
        out: &mut Outlet,
        ledger: &mut Ledger,
    ) -> io::Result<Count> {
        match &mut self.shape {
            Shape::Raw(plain, torn) => deliver_raw(data, shown, (plain, torn), out, ledger),
            Shape::Json(lines, rest) => {
                let (count, kept) = deliver_json(data, shown, lines, out, ledger)?;
                *rest = kept;
                Ok(count)
            }
        }
    }

    /// Delivers what is kept, as far as there is room; returns of what, and how much. `None` if nothing is kept.
    pub(super) fn go_on(&mut self, out: &mut Outlet, ledger: &mut Ledger) -> Option<io::Result<(Of, Count)>> {
        let Shape::Json(_, rest) = &mut self.shape else { return None };
        let Rest { source, path, file, run, offset, bytes, ending, age, shown } = rest.take()?;
        let data = Data { source, path: &path, file, run, offset, bytes: &bytes, ending, age };
        let count = self.deliver_runs(&data, &shown, out, ledger);
        Some(count.map(|count| (Of { source, file, run }, count)))
    }

    /// What is kept: of what, and how many bytes.
    pub(super) fn kept(&self) -> Option<(Of, u64)> {
        match &self.shape {
            Shape::Json(_, Some(Rest { source, file, run, bytes, .. })) => {
                Some((Of { source: *source, file: *file, run: *run }, bytes.len() as u64))
            }
            _ => None,
        }
    }

    /// Takes note of where in a line a file begins, and of files of which nothing more comes.
    pub(super) fn note(&mut self, source: SourceId, what: &Happening) {
        match *what {
            Happening::Opened { file, run, offset, begins: Begins::Within, arrival, .. }
                if arrival != Arrival::Returned =>
            {
                if let Shape::Json(lines, _) = &mut self.shape {
                    lines.begin_within((source, run), offset);
                }
                if arrival == Arrival::Resumed {
                    self.continue_line(Of { source, file, run });
                }
            }
            Happening::Closed { file, .. } => {
                if let Some(filter) = &mut self.filter {
                    filter.forget(source, file);
                }
            }
            _ => {}
        }
    }

    /// An earlier run has delivered the beginning of the line that comes next of this run: the rest of it comes too.
    pub(super) fn continue_line(&mut self, of: Of) {
        if let Some(filter) = &mut self.filter {
            filter.continue_line(of.source, of.file, of.run);
        }
    }
}

/// Delivers runs of lines as they are.
fn deliver_raw(
    data: &Data<'_>,
    shown: &[Range<usize>],
    (plain, torn): (&mut Plain, &mut HashSet<(SourceId, u64)>),
    out: &mut Outlet,
    ledger: &mut Ledger,
) -> io::Result<Count> {
    let of = Of { source: data.source, file: data.file, run: data.run };
    let mut count = Count::default();
    let mut end = 0;
    for range in shown {
        count.filtered += pass_over(data, end..range.start, out.place(), ledger);
        end = range.end;
        plain.begin(out, data.source, data.run, data.path)?;
        // Entered first: a write that fails has written some of it.
        let (bytes, place, run) = (&data.bytes[range.clone()], out.place(), (data.source, data.run));
        let is_piece = data.ending == Ending::Piece;
        let unit = if torn.remove(&run) || is_piece { Unit::Byte } else { Unit::Line };
        ledger.bytes(of, place..place + bytes.len() as u64, data.offset + range.start as u64, unit);
        if is_piece {
            torn.insert(run);
        }
        plain.show(out, &Data { bytes, ..*data })?;
        count.delivered += bytes.len() as u64;
    }
    count.filtered += pass_over(data, end..data.bytes.len(), out.place(), ledger);
    Ok(count)
}

/// Delivers runs of lines as records, as far as there is room; returns what there was none for.
fn deliver_json(
    data: &Data<'_>,
    mut shown: &[Range<usize>],
    lines: &mut Lines,
    out: &mut Outlet,
    ledger: &mut Ledger,
) -> io::Result<(Count, Option<Rest>)> {
    let of = Of { source: data.source, file: data.file, run: data.run };
    let mut count = Count::default();
    let (mut done, mut text) = (0, Vec::new());
    for line in lines.of(data) {
        let place = |text: &[u8]| out.place() + text.len() as u64;
        let range = done..usize::try_from(line.next_offset - data.offset).unwrap_or(usize::MAX);
        done = range.end;
        while let [first, others @ ..] = shown
            && first.end <= range.start
        {
            shown = others;
        }
        if shown.first().is_none_or(|first| range.start < first.start) {
            count.filtered += pass_over(data, range, place(&text), ledger);
            continue;
        }
        line.encode(&mut text);
        ledger.record(of, place(&text), line.offset..line.next_offset);
        count.delivered += range.len() as u64;
        if text.len() >= BATCH {
            out.push(&text)?;
            text.clear();
            if out.is_blocked() {
                break;
            }
        }
    }
    out.push(&text)?;
    let rest = (done < data.bytes.len()).then(|| Rest::new(data, done, shown));
    Ok((count, rest))
}

/// Enters that lines are left out, behind this place of the output; returns how many bytes that is.
///
/// A line of which the end is missing is not passed over: to judge it, whoever goes on there has to see all of it.
fn pass_over(data: &Data<'_>, range: Range<usize>, place: u64, ledger: &mut Ledger) -> u64 {
    if let Some(last) = memrchr(TERMINATOR, &data.bytes[range.clone()]) {
        let of = Of { source: data.source, file: data.file, run: data.run };
        ledger.pass_over(of, place, data.offset + (range.start + last) as u64 + 1);
    }
    range.len() as u64
}

impl Rest {
    /// What is left of data of which so many bytes are done.
    fn new(data: &Data<'_>, done: usize, shown: &[Range<usize>]) -> Self {
        let Data { source, path, file, run, offset, bytes, ending, age } = *data;
        let (path, bytes) = (path.to_owned(), bytes[done..].to_vec());
        let shown = shown.iter().filter(|range| range.end > done);
        let shown = shown.map(|range| range.start.saturating_sub(done)..range.end - done).collect();
        Self { source, path, file, run, offset: offset + done as u64, bytes, ending, age, shown }
    }
}
