//! What people see of files: headers or labels, and what else they asked for, around the files' own bytes.
//!
//! Nothing is added by default, and then bytes pass as they come. Which events are shown, and when it is over, is for
//! the commands.

mod label;

use std::io;
use std::path::Path;

use memchr::memchr;

use self::label::{Form, Labels};
use super::colour::Colour;
use super::outlet::Outlet;
use super::plain::Plain;
use crate::settings::{Label, Viewing};
use crate::tail::{Data, Happening, Passage, SourceId};

/// Shows what comes of any number of files.
#[derive(Debug)]
pub(crate) struct View {
    plain: Plain,
    terminator: u8,
    labels: Option<Labels>,
    /// Lines that are being made ready.
    dressed: Vec<u8>,
}

impl View {
    /// A view of files of these names, and of others that come later. What is shown, in the end, is for `plain` to
    /// write.
    pub(crate) fn new<'n>(
        plain: Plain,
        terminator: u8,
        asked: &Viewing,
        names: impl IntoIterator<Item = &'n Path>,
    ) -> Self {
        let form = match asked.label {
            Label::None => None,
            Label::Name => Some(Form::Shortest),
            Label::Path => Some(Form::Path),
        };
        let colour = Colour::of_stdout(asked.color);
        let labels = form.map(|form| Labels::new(form, colour, names));
        Self { plain, terminator, labels, dressed: Vec::new() }
    }

    /// Shows that a source comes next, even if there is nothing of it.
    pub(crate) fn announce(&mut self, out: &mut Outlet, source: SourceId, name: &Path) -> io::Result<()> {
        self.plain.announce(out, source, name)
    }

    /// Shows no header before what comes of this source next.
    pub(crate) fn continue_with(&mut self, source: SourceId) {
        self.plain.continue_with(source);
    }

    /// Shows bytes.
    pub(crate) fn show(&mut self, out: &mut Outlet, data: &Data<'_>) -> io::Result<()> {
        let Some(labels) = &mut self.labels else { return self.plain.show(out, data) };
        let label = labels.of(data.path);
        self.dressed.clear();
        let mut rest = data.bytes;
        if self.plain.continues_with(data.source, data.run) {
            let end = memchr(self.terminator, rest).map_or(rest.len(), |end| end + 1);
            self.dressed.extend_from_slice(&rest[..end]);
            rest = &rest[end..];
        }
        for line in rest.split_inclusive(|byte| *byte == self.terminator) {
            self.dressed.extend_from_slice(label);
            self.dressed.extend_from_slice(line);
        }
        self.plain.show(out, &Data { bytes: &self.dressed, ..*data })
    }

    /// Shows bytes as far as the output takes them, without copying them. Only where nothing is added to lines.
    pub(crate) fn pass(&mut self, out: &mut Outlet, passage: Passage<'_>) -> io::Result<()> {
        self.plain.pass(out, passage)
    }

    /// Notes what happened to a file of this name.
    pub(crate) fn note(&mut self, name: &Path, what: &Happening) {
        if let (Some(labels), Happening::Ended { .. }) = (&mut self.labels, what) {
            labels.forget(name);
        }
    }
}
