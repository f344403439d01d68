//! What people see of files: the lines they asked for, under headers or behind labels, in colour, and such that they
//! can do nothing to a terminal.
//!
//! In a pipe nothing is left out or added by default, and then bytes pass as they come. Which events are shown, and
//! when it is over, is for the commands.

mod control;
mod dress;
mod ink;
mod label;
mod mark;
mod severity;
mod stamp;

use std::io::{self, IsTerminal};
use std::path::Path;
use std::time::SystemTime;

use self::dress::{At, Dress};
use self::ink::{Bleeding, Ink};
use self::label::{Form, Labels};
use self::mark::Marker;
use self::stamp::Stamps;
use super::colour::Colour;
use super::filter::{BadPatterns, Part, Sieve};
use super::outlet::Outlet;
use super::plain::Plain;
use crate::settings::{Controls, Label, Selection, Viewing};
use crate::tail::{Data, Ending, Framing, Happening, Passage, SourceId};

/// Shows what comes of any number of files.
#[derive(Debug)]
pub(crate) struct View {
    sieve: Option<Sieve>,
    dressed: Dressed,
}

/// Shows lines that were selected.
#[derive(Debug)]
struct Dressed {
    plain: Plain,
    dress: Option<Dress>,
    terminator: u8,
    last: LastLine,
}

/// What stands behind a line that its file left unfinished for good.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum LastLine {
    /// Nothing, unless something else follows.
    Open,
    /// An end, as behind all lines: they are shown as lines and not as what a file consists of.
    Ended,
}

/// What a view is to be.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Asked<'a> {
    pub(crate) selection: &'a Selection,
    pub(crate) viewing: &'a Viewing,
    pub(crate) terminator: u8,
    /// How data come: as lines, if [selection](Selection::is_everything) or [viewing](Viewing::needs_lines) needs it.
    pub(crate) framing: Framing,
}

/// What is written to.
#[derive(Clone, Copy, Debug)]
struct Surface {
    colour: Colour,
    controls: ink::Controls,
}

impl Surface {
    fn of_stdout(viewing: &Viewing) -> Self {
        let spell = viewing.controls == Controls::Spell && io::stdout().is_terminal();
        Self {
            colour: Colour::of_stdout(viewing.color),
            controls: if spell { ink::Controls::Spell } else { ink::Controls::Pass },
        }
    }
}

impl View {
    /// A view on standard output of files of these names, and of others that come later. What is shown, in the end,
    /// is for `plain` to write.
    ///
    /// # Errors
    /// When there are more patterns than can be searched for.
    pub(crate) fn new<'n>(
        plain: Plain,
        asked: Asked<'_>,
        names: impl IntoIterator<Item = &'n Path>,
    ) -> Result<Self, BadPatterns> {
        let Asked { selection, viewing, terminator, .. } = asked;
        let sieve = Sieve::new(selection, terminator)?;
        let dress = dress(Surface::of_stdout(viewing), asked, names);
        let is_line_wise = sieve.is_some() || viewing.timestamps || viewing.label != Label::None;
        let last = if is_line_wise { LastLine::Ended } else { LastLine::Open };
        Ok(Self { sieve, dressed: Dressed { plain, dress, terminator, last } })
    }

    /// Shows that a source comes next, even if there is nothing of it; but not if that may stay so, since its lines
    /// have to be asked for.
    pub(crate) fn announce(&mut self, out: &mut Outlet, source: SourceId, name: &Path) -> io::Result<()> {
        if self.sieve.is_some() { Ok(()) } else { self.dressed.plain.announce(out, source, name) }
    }

    /// Shows no header before what comes of this source next.
    pub(crate) fn continue_with(&mut self, source: SourceId) {
        self.dressed.plain.continue_with(source);
    }

    /// Shows what is to be seen of data.
    pub(crate) fn show(&mut self, out: &mut Outlet, data: &Data<'_>) -> io::Result<()> {
        let Self { sieve, dressed } = self;
        let came = SystemTime::now();
        let Some(sieve) = sieve else { return dressed.show(out, data, came) };
        sieve.sift(data, came, |part| match part {
            Part::Lines(bytes, came) => dressed.show(out, &Data { bytes, ..*data }, came),
            Part::Break => dressed.show_break(out, data),
        })
    }

    /// Shows bytes as far as the output takes them, without copying them. Only where nothing is added to lines.
    pub(crate) fn pass(&mut self, out: &mut Outlet, passage: Passage<'_>) -> io::Result<()> {
        self.dressed.plain.pass(out, passage)
    }

    /// Notes what happened to a file of this name.
    pub(crate) fn note(&mut self, source: SourceId, name: &Path, what: &Happening) {
        match what {
            Happening::Closed { file, .. } => {
                if let Some(sieve) = &mut self.sieve {
                    sieve.forget(source, *file);
                }
            }
            Happening::Ended { .. } => {
                if let Some(dress) = &mut self.dressed.dress {
                    dress.forget(name);
                }
            }
            _ => {}
        }
    }

    /// Shows what is still to be seen when nothing more comes.
    pub(crate) fn end(&mut self, out: &mut Outlet) -> io::Result<()> {
        self.dressed.dress.as_mut().map_or(Ok(()), |dress| out.push(dress.end()))
    }
}

impl Dressed {
    fn show(&mut self, out: &mut Outlet, data: &Data<'_>, came: SystemTime) -> io::Result<()> {
        match &mut self.dress {
            None => self.plain.show(out, data)?,
            Some(dress) => {
                if let Some((source, run)) = dress.withholds_of().filter(|of| *of != (data.source, data.run)) {
                    out.push(dress.release())?;
                    if !self.plain.continues_with(source, run) {
                        // Nothing of this line was shown before, so that nobody else knows that it has to be ended.
                        out.push(&[self.terminator])?;
                    }
                }
                let continues = self.plain.continues_with(data.source, data.run);
                let bytes = dress.lines(data, came, if continues { At::WithinLine } else { At::LineStart });
                self.plain.show(out, &Data { bytes, ..*data })?;
            }
        }
        let is_open = data.ending == Ending::Unterminated && self.plain.continues_with(data.source, data.run);
        if is_open && self.last == LastLine::Ended {
            return self.plain.show(out, &Data { bytes: &[self.terminator], ..*data });
        }
        Ok(())
    }

    /// Shows that lines are missing.
    fn show_break(&mut self, out: &mut Outlet, data: &Data<'_>) -> io::Result<()> {
        self.plain.show(out, &Data { bytes: &[b'-', b'-', self.terminator], ..*data })
    }
}

/// What is put around and into lines, if anything is.
fn dress<'n>(surface: Surface, asked: Asked<'_>, names: impl IntoIterator<Item = &'n Path>) -> Option<Dress> {
    let Asked { selection, viewing, terminator, framing } = asked;
    let form = match viewing.label {
        Label::None => None,
        Label::Name => Some(Form::Shortest),
        Label::Path => Some(Form::Path),
    };
    let labels = form.map(|form| Labels::new(form, surface.colour, names));
    let marker =
        (surface.colour == Colour::On).then(|| Marker::new(selection.grep.iter().chain(&viewing.highlight).cloned()));
    let ink = (marker.is_some() || surface.controls == ink::Controls::Spell).then(|| {
        let bleeding = match framing {
            Framing::Bytes => Bleeding::Natural,
            Framing::Lines => Bleeding::Stopped,
        };
        Ink::new(surface.controls, bleeding)
    });
    let stamps = viewing.timestamps.then(|| Stamps::local(surface.colour));
    let dress = Dress::new(terminator, stamps, labels, marker, ink);
    dress.adds_something().then_some(dress)
}
