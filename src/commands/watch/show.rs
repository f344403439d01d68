//! What a watch shows of its tail.

use std::cell::RefCell;
use std::io;
use std::path::Path;
use std::rc::Rc;
use std::time::Instant;

use anyhow::Context as _;

use super::states::States;
use crate::commands::form::Form;
use crate::commands::keeper::Keeper;
use crate::commands::ledger::{Ledger, Of};
use crate::commands::lines::Until;
use crate::commands::locks::Locks;
use crate::commands::session::{Over, Show, Shown};
use crate::commands::tell;
use crate::notice::Notices;
use crate::output::filter::Filter;
use crate::output::outlet::{Accepted, Outlet};
use crate::output::plain::Plain;
use crate::output::record::{self, Name, Parse, Record};
use crate::output::view::{Asked, View};
use crate::output::wording;
use crate::settings::{Liveness, Persona, Selection, Showing, Watch};
use crate::tail::{Age, Arrival, Data, Event, Framing, Happening, SourceId, Tail};
use crate::watch::{Change, Label, Sign, State};

/// Shows what comes.
pub(super) struct Shows<'a> {
    settings: &'a Watch,
    picture: Picture,
    until: Until<'a>,
    /// Whether the line that is waited for has come.
    met: bool,
    states: States,
    ledger: Ledger,
    keeper: Option<Keeper>,
}

/// What is made of lines.
#[derive(Debug)]
enum Picture {
    /// Lines for people.
    View(Box<View>),
    /// Records.
    Records(Box<Form>),
}

impl<'a> Shows<'a> {
    pub(super) fn new(
        settings: &'a Watch,
        ledger: Ledger,
        keeper: Option<Keeper>,
        locks: Rc<RefCell<Locks>>,
    ) -> anyhow::Result<Self> {
        let picture = match settings.showing {
            Showing::Text => {
                let Watch { selection, viewing, .. } = settings;
                let asked = Asked { selection, viewing, terminator: b'\n', framing: Framing::Lines };
                let view = View::new(Plain::new(Persona::Rtail, false, b'\n'), asked, []);
                Picture::View(Box::new(view.context("cannot search for the patterns")?))
            }
            Showing::Json => {
                let Selection { grep, exclude, .. } = &settings.selection;
                let filter = Filter::new(grep, exclude, b'\n').context("cannot search for the patterns")?;
                Picture::Records(Box::new(Form::json(Parse::Nothing, filter)))
            }
        };
        Ok(Self {
            settings,
            picture,
            until: Until::new(settings.ending.until.as_ref(), b'\n'),
            met: false,
            states: States::new(settings, locks),
            ledger,
            keeper,
        })
    }

    /// Shows lines up to the one that is waited for.
    fn show_data(&mut self, data: &Data<'_>, out: &mut Outlet) -> io::Result<Shown> {
        let end = self.until.end(data);
        self.met |= end.is_some();
        let data = Data { bytes: &data.bytes[..end.unwrap_or(data.bytes.len())], ..*data };
        match &mut self.picture {
            Picture::View(view) => {
                view.show(out, &data)?;
                let of = Of { source: data.source, file: data.file, run: data.run };
                self.ledger.record(of, out.place(), data.offset..data.offset + data.bytes.len() as u64);
            }
            Picture::Records(form) => drop(form.deliver(&data, out, &mut self.ledger)?),
        }
        Ok(self.shown())
    }

    /// What became of lines.
    fn shown(&self) -> Shown {
        let kept = matches!(&self.picture, Picture::Records(form) if form.kept().is_some());
        if self.met && !kept { Shown::Met } else { Shown::Done }
    }

    /// Enters what happened, and shows it.
    fn show_happening(
        &mut self,
        source: SourceId,
        path: &Path,
        what: &Happening,
        out: &mut Outlet,
        notices: &mut Notices,
    ) -> io::Result<()> {
        let changes = self.states.happened(source, path, what);
        match &mut self.picture {
            Picture::View(view) => {
                view.note(source, path, what);
                let texts = wording::notices(tell::VOICE, path, what);
                let known = is_introduced(what) && self.settings.liveness != Liveness::Untold;
                if !texts.is_empty() && !known && !is_passing(what) {
                    out.flush()?;
                    notices.tell_all(&texts);
                }
            }
            Picture::Records(form) => {
                form.note(source, what);
                if !is_passing(what) {
                    let mut text = Vec::new();
                    tell::records(path, what, |record| record.encode(&mut text));
                    out.push(&text)?;
                }
            }
        }
        self.ledger.enter(source, path, what, out.place());
        self.announce(changes, out, notices)
    }

    /// Something was read of a session, whether or not it ends a line.
    fn grew(
        &mut self,
        source: SourceId,
        age: Age,
        offset: u64,
        out: &mut Outlet,
        notices: &mut Notices,
    ) -> io::Result<()> {
        if age == Age::Initial {
            return Ok(());
        }
        let changes = self.states.grew(source, offset);
        self.announce(changes, out, notices)
    }

    /// Says what sessions are called from now on.
    fn announce(
        &mut self,
        changes: impl IntoIterator<Item = Change>,
        out: &mut Outlet,
        notices: &mut Notices,
    ) -> io::Result<()> {
        for Change { path, label } in changes {
            match self.picture {
                Picture::View(_) => {
                    // What was read before is seen before, where both go to one place.
                    out.flush()?;
                    notices.say(&wording::session(&path, &words(label)));
                }
                Picture::Records(_) => {
                    let mut text = Vec::new();
                    record(&path, label).encode(&mut text);
                    out.push(&text)?;
                }
            }
        }
        Ok(())
    }

    /// The last save, and the words for what is not shown. False if the save failed.
    pub(super) fn close(&mut self, over: Over, tail: &Tail, accepted: Accepted, notices: &mut Notices) -> bool {
        self.ledger.settle(accepted);
        let saved = self.keeper.as_mut().is_none_or(|keeper| keeper.save(&mut self.ledger, tail, notices));
        if over != Over::Met {
            wording::unfinished(tail).for_each(|text| notices.say(&text));
        }
        saved
    }
}

impl Show for Shows<'_> {
    fn show(&mut self, event: Event<'_>, out: &mut Outlet, notices: &mut Notices) -> io::Result<Shown> {
        match event {
            Event::Data(data) => {
                self.grew(data.source, data.age, data.offset + data.bytes.len() as u64, out, notices)?;
                return self.show_data(&data, out);
            }
            Event::Working { source, age, offset } => self.grew(source, age, offset, out, notices)?,
            Event::Happened { source, path, what } => self.show_happening(source, path, &what, out, notices)?,
            Event::Trouble(trouble) => notices.tell_all(&wording::trouble(Persona::Rtail, &trouble)),
            Event::LeftOut(path) => notices.tell(&wording::left_out(&path)),
            Event::Compressed(path) => notices.tell(&wording::compressed(&path)),
            Event::Unlistable(path, error) => notices.tell(&wording::unlistable(&path, &error)),
            Event::NoBase(path, since) => notices.tell(&wording::no_base(&path, since)),
            Event::Passage(_) => {}
        }
        Ok(Shown::Done)
    }

    fn between(&mut self, tail: &mut Tail, out: &mut Outlet, notices: &mut Notices) -> io::Result<()> {
        let changes = self.states.attend(tail);
        if !changes.is_empty() {
            self.announce(changes, out, notices)?;
            out.flush()?;
        }
        self.ledger.settle(out.accepted());
        if let Some(keeper) = &mut self.keeper {
            keeper.save_in_time(&mut self.ledger, tail, notices);
        }
        Ok(())
    }

    fn go_on(&mut self, out: &mut Outlet) -> Option<io::Result<Shown>> {
        let Picture::Records(form) = &mut self.picture else { return None };
        let went_on = form.go_on(out, &mut self.ledger)?;
        Some(went_on.map(|_| self.shown()))
    }

    fn ends(&mut self, tail: &Tail) {
        self.ledger.ends(tail);
    }

    fn is_over(&mut self, tail: &Tail, _: &mut Notices) -> Option<Over> {
        tail.is_over().then_some(Over::Dry)
    }

    fn deadline(&self) -> Option<Instant> {
        let save = self.keeper.as_ref().and_then(|keeper| keeper.deadline(&self.ledger));
        [self.states.deadline(), save].into_iter().flatten().min()
    }

    fn last_words(&mut self, over: Over, _: &Tail, out: &mut Outlet) -> io::Result<()> {
        if let Picture::View(view) = &mut self.picture {
            return view.end(out);
        }
        // Who reads this has got everything before it.
        let mut ledger = self.ledger.clone();
        ledger.settle(Accepted { bytes: u64::MAX, lines: u64::MAX });
        let mut text = Vec::new();
        Record::End { reason: tell::reason(over), message: None, files: &tell::ends(&ledger, &[]) }.encode(&mut text);
        out.push(&text)
    }
}

/// Whether a file is missing: those that are found go away again at times, before they can be opened.
fn is_passing(what: &Happening) -> bool {
    matches!(what, Happening::Inaccessible { error, .. } if error.kind() == io::ErrorKind::NotFound)
}

/// Whether the first words about a session say as much.
fn is_introduced(what: &Happening) -> bool {
    matches!(what, Happening::Opened { arrival: Arrival::Appeared | Arrival::Returned, .. })
}

fn words(label: Label) -> String {
    match (label.state, label.sign, label.holder) {
        (State::Active, Sign::Lock, Some(holder)) => format!("active (locked by {holder})"),
        (State::Active, Sign::Lock, None) => "active (locked)".to_owned(),
        (State::Active, Sign::Growth, _) => "active (growing)".to_owned(),
        (State::Completed, Sign::Lock, _) => "completed (unlocked)".to_owned(),
        (State::Completed, Sign::Growth, _) => "completed (quiet)".to_owned(),
        (State::Unknown, ..) => "unknown (its lock can't be looked at)".to_owned(),
    }
}

fn record(path: &Path, label: Label) -> Record<'_> {
    Record::State {
        name: Name::from(path),
        state: match label.state {
            State::Active => record::State::Active,
            State::Completed => record::State::Completed,
            State::Unknown => record::State::Unknown,
        },
        evidence: match label.sign {
            Sign::Lock => record::Sign::Lock,
            Sign::Growth => record::Sign::Growth,
        },
        holder_pid: label.holder,
    }
}
