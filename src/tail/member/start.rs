//! Where the output of a generation begins.

use std::io;

use super::{Member, Progress, Role, Stage, bounds};
use crate::tail::event::{Arrival, Ending, Happening};
use crate::tail::files::FileKind;
use crate::tail::generation::Reading;
use crate::tail::lines::Framed;
use crate::tail::options::{Options, Pipes, Start};
use crate::tail::start::{Located, Place, Window, locate};
use crate::tail::step::{Bytes, Context};

impl Member {
    /// Begins to read a file that was only held.
    pub(super) fn begin(
        &mut self,
        arrival: Arrival,
        context: &Context<'_>,
        role: Role,
        run: u64,
    ) -> io::Result<Vec<Happening>> {
        let is_first = arrival == Arrival::First;
        let seeks = is_first && self.generation.reading() == Reading::Anchored && !context.options.never_seek;
        let meta = match self.generation.handle().meta() {
            Err(error) if seeks => return Err(error),
            meta => meta.ok(),
        };
        let mut happenings = Vec::new();
        self.stage = match () {
            () if seeks => {
                happenings.extend(self.seek_start(meta.map_or(0, |meta| meta.size), context, role)?);
                Stage::Initial
            }
            () if is_first => self.window(context, role),
            () => Stage::Following,
        };
        if arrival == Arrival::Resumed {
            // What an earlier tail has left comes before what is new in other sources.
            self.stage = Stage::Initial;
        }
        if let Some(meta) = meta {
            self.generation.saw(&meta);
        }
        let (offset, size) = (self.generation.offset(), self.generation.size());
        happenings.push(Happening::Opened { file: self.file(), arrival, run, offset, begins: self.begins(), size });
        Ok(happenings)
    }

    /// Goes to the place in a regular file of this size where its output begins.
    fn seek_start(&mut self, size: u64, context: &Context<'_>, role: Role) -> io::Result<Option<Happening>> {
        let handle = self.generation.handle();
        let base = if handle.is_stdin() { handle.position().unwrap_or(0) } else { 0 };
        let Options { terminator, nuls, .. } = *context.options;
        let (start, interrupt) = (context.start, context.interrupt);
        let located = locate(Place { handle, base, size, terminator, nuls, interrupt }, start)?;
        let (offset, end, happening) = match located {
            Located::At { offset, end } => (offset, end, None),
            Located::Beyond(offset) => {
                (0, size, Some(Happening::OffsetBeyondEnd { file: self.file(), offset, size }))
            }
        };
        self.generation.go_to(offset)?;
        if role == Role::Printed && matches!(start, Start::LastLines(_) | Start::LastBytes(_)) {
            // Not more than was asked for, even if the file grows meanwhile.
            self.generation.limit(end.max(offset));
        }
        Ok(happening)
    }

    /// How to read a file that can't be seeked.
    fn window(&mut self, context: &Context<'_>, role: Role) -> Stage {
        let (start, pipes) = (context.start, context.options.pipes);
        let last_bytes = match start {
            Start::LastBytes(count) => Some(count),
            _ => None,
        };
        match self.generation.kind() {
            // Endless devices (/dev/zero) can be seeked, and have no last bytes but those one asks for.
            FileKind::CharDevice if last_bytes.is_some() && self.generation.handle().position().is_some() => {
                self.generation.limit(last_bytes.unwrap_or(0));
                Stage::Initial
            }
            FileKind::Fifo | FileKind::Socket if pipes == Pipes::New => Stage::Following,
            // A FIFO whose writer stays must not keep other files waiting.
            FileKind::Fifo if role != Role::Printed && !(context.alone && pipes == Pipes::Windowed) => {
                Stage::Following
            }
            _ => Stage::Windowed(Box::new(Window::new(start))),
        }
    }

    /// Delivers what was kept to the end of a first reading; `None` if there is nothing to that.
    pub(super) fn leave_start(&mut self, options: &Options) -> Option<Progress> {
        match std::mem::replace(&mut self.stage, Stage::Following) {
            Stage::Windowed(window) => {
                let kept = window.finish(options.terminator);
                if kept.is_empty() {
                    return None;
                }
                let offset = self.generation.offset() - kept.len() as u64;
                let (bytes, ending) = match self.lines.push(&kept, options.framing, bounds(options)) {
                    Framed::Nothing => return None,
                    Framed::Direct(length) => (kept[..length].to_vec(), Ending::Line),
                    Framed::Joined(bytes, ending) => (bytes, ending),
                };
                self.stage = Stage::Emptied;
                Some(Progress::Data(self.delivery(offset, Bytes::Owned(bytes), ending)))
            }
            _ => None,
        }
    }
}
