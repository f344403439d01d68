//! `rtail follow`, and all of `tail`: shows files to people as they grow.

use std::io;
use std::path::{Path, PathBuf};

use anyhow::Context as _;

use super::debug;
use super::ending::{Ending, Exit, Reason};
use super::lines::Until;
use super::plan::{as_pattern, matching_but, nothing_can_come, options, passing};
use super::process::Gone;
use super::session::{Over, Session, Show, Shown};
use super::signals::Signals;
use crate::notice::Notices;
use crate::output::outlet::Outlet;
use crate::output::plain::Plain;
use crate::output::view::{Asked, View};
use crate::output::wording::{self, STDIN, Voice};
use crate::quote::quote;
use crate::settings::{Follow, Headers, Label, Mode, Operand, Persona};
use crate::tail::{
    Age, Arrival, Data, Event, FileId, FileKind, Framing, Happening, Options, Outlook, Since, SourceId, Tail,
    Trouble, matching,
};

/// Follows files as asked until an end, and returns how to end.
///
/// # Errors
/// What makes going on impossible, with the words for it.
pub fn run(settings: &Follow, notices: &mut Notices) -> anyhow::Result<Exit> {
    if nothing_can_come(settings) {
        return Ok(Exit::Success);
    }
    let signals = Signals::listen().context("cannot listen for signals")?;
    let out = match Outlet::stdout() {
        Ok(out) => out,
        Err(error) => {
            let what = if settings.mode == Mode::Print { "write error" } else { "standard output" };
            notices.say(&format!("{what}: {}", wording::cause(&error)));
            return Ok(Exit::Failure);
        }
    };
    let patterns = settings.operands.iter().any(|operand| as_pattern(settings, operand).is_some());
    let many = settings.operands.len() > 1 || patterns;
    let options = Options { passing: passing(settings, &out), ..options(settings, many) };
    let framing = options.framing;
    let mut tail = Tail::new(options).context("cannot wait for events")?;
    tail.interrupt_by(signals.flag());
    let own = out.regular_file();
    if let Some(file) = own {
        tail.leave_out(file);
    }
    let added = add_operands(settings, &mut tail, own, notices)?;
    let gone = if settings.persona == Persona::Tail { Gone::Reaped } else { Gone::Ended };
    let ending = Ending::new(signals, &settings.ending, gone, settings.sleep_interval);
    let show = Shows::new(settings, view(settings, many, framing, &added)?, added.sources);
    let mut session = Session { tail, out, notices, ending, show };
    let over = session.run()?;
    let Session { tail, notices, show, .. } = session;
    let exit = show.exit(over, &tail, notices);
    super::end(tail, notices);
    Ok(exit)
}

/// What is followed from the start.
struct Added<'a> {
    /// The names that are no patterns.
    sources: Vec<(&'a Path, SourceId)>,
    /// The files that patterns match.
    found: Vec<PathBuf>,
}

/// Has the tail follow what was asked for.
fn add_operands<'a>(
    settings: &'a Follow,
    tail: &mut Tail,
    own: Option<FileId>,
    notices: &mut Notices,
) -> anyhow::Result<Added<'a>> {
    let (mut sources, mut found) = (Vec::new(), Vec::new());
    for operand in &settings.operands {
        match (operand, as_pattern(settings, operand)) {
            (Operand::Name(_), Some(pattern)) if settings.mode == Mode::Print => {
                for path in matching_but(own, pattern, notices)? {
                    tail.follow(&path);
                    found.push(path);
                }
            }
            (Operand::Name(name), Some(pattern)) => {
                tail.follow_pattern(pattern)?;
                let matching = matching(pattern)?;
                if matching.is_empty() {
                    notices.tell(&format!("{}: no file matches yet", quote(name)));
                }
                found.extend(matching);
            }
            (Operand::Stdin, _) => {
                let source = tail.follow_stdin(STDIN).context("cannot read standard input")?;
                sources.push((Path::new(STDIN), source));
            }
            (Operand::Name(path), None) => sources.push((path.as_path(), tail.follow(path))),
        }
    }
    Ok(Added { sources, found })
}

/// How files are seen.
fn view(settings: &Follow, many: bool, framing: Framing, added: &Added<'_>) -> anyhow::Result<View> {
    let headers = match settings.headers {
        Headers::Auto => many && settings.viewing.label == Label::None,
        Headers::Never => false,
        Headers::Always => true,
    };
    let Follow { persona, terminator, ref selection, ref viewing, .. } = *settings;
    let plain = Plain::new(persona, headers, terminator);
    let names = added.sources.iter().map(|(name, _)| *name).chain(added.found.iter().map(PathBuf::as_path));
    View::new(plain, Asked { selection, viewing, terminator, framing }, names)
        .context("cannot search for the patterns")
}

/// What is shown to people.
struct Shows<'a> {
    settings: &'a Follow,
    voice: Voice,
    view: View,
    status: Exit,
    gave_up: bool,
    until: Until<'a>,
    /// Whether the line that is waited for has come.
    met: bool,
    last_named: Option<SourceId>,
    /// Followed sources to say by what they are noticed, with `--debug`, once they are.
    to_explain: Option<Vec<(&'a Path, SourceId)>>,
}

impl<'a> Shows<'a> {
    fn new(settings: &'a Follow, view: View, sources: Vec<(&'a Path, SourceId)>) -> Self {
        Self {
            settings,
            voice: Voice { persona: settings.persona, mode: settings.mode, retry: settings.retry },
            view,
            status: Exit::Success,
            gave_up: false,
            until: Until::new(settings.ending.until.as_ref(), settings.terminator),
            met: false,
            last_named: sources.last().map(|(_, source)| *source),
            to_explain: (settings.debug && settings.mode != Mode::Print).then_some(sources),
        }
    }

    fn show_data(&mut self, data: Data<'_>, out: &mut Outlet) -> io::Result<Shown> {
        if data.age == Age::Appended
            && let Some(last) = self.last_named.take()
            && self.settings.persona == Persona::Tail
        {
            // GNU's takes the last file named for the one shown last, even if there was nothing of it.
            self.view.continue_with(last);
        }
        let end = if data.age == Age::Appended { self.until.end(&data) } else { None };
        self.view.show(out, &Data { bytes: &data.bytes[..end.unwrap_or(data.bytes.len())], ..data })?;
        self.met |= end.is_some();
        Ok(if self.met { Shown::Met } else { Shown::Done })
    }

    fn show_happening(
        &mut self,
        (source, path): (SourceId, &Path),
        what: &Happening,
        out: &mut Outlet,
        notices: &mut Notices,
    ) -> io::Result<()> {
        self.gave_up |= gave_up(what);
        if is_failure(self.settings.persona, what) {
            self.status = Exit::Failure;
        }
        self.view.note(source, path, what);
        if begins_output(path, what) {
            self.view.announce(out, source, path)?;
        }
        let texts = wording::notices(self.voice, path, what);
        if !texts.is_empty() {
            // Data that came before are not to be seen after the notice, where both go to one place.
            let flushed = out.flush();
            notices.tell_all(&texts);
            flushed?;
        }
        Ok(())
    }

    /// How to end, after the words for it.
    fn exit(self, over: Over, tail: &Tail, notices: &mut Notices) -> Exit {
        let wanted = self.settings.ending.until.is_some() && !self.met;
        // What comes behind the line that was waited for is not missed.
        if self.settings.persona == Persona::Rtail && !self.met {
            wording::unfinished(tail).for_each(|text| notices.say(&text));
        }
        match over {
            Over::Unwritable(exit) => exit,
            Over::Asked(Reason::Signal(signal)) => Exit::Signal(signal),
            Over::Met => Exit::Success,
            Over::Asked(Reason::Timeout) if wanted => Exit::Unmet,
            Over::Asked(_) | Over::Failed => self.status,
            Over::Dry => {
                let mut status = self.status;
                if self.settings.mode != Mode::Print && (self.gave_up || !tail.is_over()) {
                    notices.say("no files remaining");
                    status = Exit::Failure;
                }
                if status == Exit::Success && wanted { Exit::Unmet } else { status }
            }
        }
    }
}

impl Show for Shows<'_> {
    fn show(&mut self, event: Event<'_>, out: &mut Outlet, notices: &mut Notices) -> io::Result<Shown> {
        match event {
            Event::Data(data) => return self.show_data(data, out),
            Event::Passage(passage) => self.view.pass(out, passage)?,
            Event::Happened { source, path, what } => self.show_happening((source, path), &what, out, notices)?,
            // GNU's doesn't use events at all if a file is missing at the start.
            Event::Trouble(Trouble::DirectoryGone(_)) if self.status == Exit::Failure => {}
            Event::Trouble(trouble) => notices.tell_all(&wording::trouble(self.settings.persona, &trouble)),
            Event::LeftOut(path) => notices.tell(&wording::left_out(&path)),
            Event::Compressed(path) => notices.tell(&wording::compressed(&path)),
            Event::Unlistable(path, error) => notices.tell(&wording::unlistable(&path, &error)),
            Event::Working { .. } | Event::NoBase(..) => {}
        }
        Ok(Shown::Done)
    }

    /// With `--debug`, says once how files are followed.
    fn between(&mut self, tail: &mut Tail, _: &mut Outlet, notices: &mut Notices) -> io::Result<()> {
        if let Some(sources) = self.to_explain.take_if(|_| tail.past_start()) {
            for text in debug::explanation(self.settings, tail, &sources) {
                notices.say(&text);
            }
        }
        Ok(())
    }

    fn is_over(&mut self, tail: &Tail, _: &mut Notices) -> Option<Over> {
        (tail.is_over() || (!self.settings.retry && !tail.has_files())).then_some(Over::Dry)
    }

    fn last_words(&mut self, _: Over, _: &Tail, out: &mut Outlet) -> io::Result<()> {
        self.view.end(out)
    }
}

/// Whether a header is shown although no data may follow: for what could be opened at the start.
fn begins_output(path: &Path, what: &Happening) -> bool {
    match what {
        Happening::Opened { arrival, .. } => *arrival == Arrival::First,
        Happening::Untailable { kind, since, .. } => *kind == FileKind::Directory && *since == Since::Start,
        Happening::Inaccessible { .. } => path == Path::new(STDIN),
        _ => false,
    }
}

/// Whether what happened makes the exit status 1 in the end.
fn is_failure(persona: Persona, what: &Happening) -> bool {
    match what {
        Happening::Inaccessible { since: Since::Start, outlook, .. }
        | Happening::Untailable { since: Since::Start, outlook, .. } => {
            persona == Persona::Tail || *outlook == Outlook::GivenUp
        }
        Happening::ReadFailed { outlook, .. } => persona == Persona::Tail || *outlook == Outlook::GivenUp,
        _ => false,
    }
}

/// Whether a source was given up because it can't be followed.
fn gave_up(what: &Happening) -> bool {
    matches!(
        what,
        Happening::Inaccessible { outlook: Outlook::GivenUp, .. }
            | Happening::Untailable { outlook: Outlook::GivenUp, .. }
            | Happening::ReadFailed { outlook: Outlook::GivenUp, .. }
    )
}
