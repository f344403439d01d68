//! Data as `tail` shows them: bytes as they are, and a header where the source changes.

use std::io;
use std::path::Path;

use super::outlet::Outlet;
use crate::quote::quote_if_needed;
use crate::settings::Persona;
use crate::tail::{Data, Passage, SourceId};

/// What was shown last, and what must come between that and what comes next.
#[derive(Debug)]
pub(crate) struct Plain {
    headers: bool,
    glue: bool,
    terminator: u8,
    shown: Option<Shown>,
    /// The source that the last header, or the lack of one, stands for.
    current: Option<SourceId>,
}

/// Where the last bytes came from.
#[derive(Debug)]
struct Shown {
    source: SourceId,
    run: u64,
    open: bool,
}

impl Plain {
    pub(crate) fn new(persona: Persona, headers: bool, terminator: u8) -> Self {
        Self { headers, glue: persona == Persona::Tail, terminator, shown: None, current: None }
    }

    /// Shows that a source comes next, even if there is nothing of it.
    pub(crate) fn announce(&mut self, out: &mut Outlet, source: SourceId, name: &Path) -> io::Result<()> {
        if self.headers && self.current != Some(source) {
            // The first header of all is preceded by nothing; the newline before the others also ends a line that
            // its file left unfinished.
            let before = if self.current.is_some() { "\n" } else { "" };
            out.push(format!("{before}==> {} <==\n", quote_if_needed(name)).as_bytes())?;
            if let Some(shown) = &mut self.shown {
                shown.open = false;
            }
        }
        self.current = Some(source);
        Ok(())
    }

    /// Shows no header before what comes of this source next.
    pub(crate) fn continue_with(&mut self, source: SourceId) {
        self.current = Some(source);
    }

    /// Whether bytes of this run would stand behind others of it on a line that is not finished.
    pub(crate) fn continues_with(&self, source: SourceId, run: u64) -> bool {
        self.shown.as_ref().is_some_and(|shown| shown.open && shown.source == source && shown.run == run)
    }

    /// Shows bytes.
    pub(crate) fn show(&mut self, out: &mut Outlet, data: &Data<'_>) -> io::Result<()> {
        let Some(&last) = data.bytes.last() else { return Ok(()) };
        self.begin(out, data.source, data.run, data.path)?;
        out.push(data.bytes)?;
        self.shown = Some(Shown { source: data.source, run: data.run, open: last != self.terminator });
        Ok(())
    }

    /// Shows bytes as far as the output takes them, without copying them.
    pub(crate) fn pass(&mut self, out: &mut Outlet, passage: Passage<'_>) -> io::Result<()> {
        let (source, run) = (passage.source, passage.run);
        self.begin(out, source, run, passage.path)?;
        if let Some(last) = passage.pass(|fd, offset, length| out.pass(fd, offset, length))? {
            self.shown = Some(Shown { source, run, open: last != self.terminator });
        }
        Ok(())
    }

    /// Shows what must come before bytes of a run; nothing, if that was done.
    pub(crate) fn begin(&mut self, out: &mut Outlet, source: SourceId, run: u64, path: &Path) -> io::Result<()> {
        self.announce(out, source, path)?;
        let torn = self.shown.as_mut().filter(|shown| shown.open && (shown.source != source || shown.run != run));
        if let Some(shown) = torn.filter(|_| !self.glue) {
            out.push(&[self.terminator])?;
            shown.open = false;
        }
        Ok(())
    }
}
