//! What a stream shows of its tail, and what it keeps account of meanwhile.

use std::collections::HashMap;
use std::io::{self, ErrorKind};
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::time::Instant;

use anyhow::Context as _;

use crate::commands::account::{Accounts, Row, hold_back};
use crate::commands::form::{Count, Form};
use crate::commands::keeper::Keeper;
use crate::commands::ledger::{Ledger, Of};
use crate::commands::lines::Until;
use crate::commands::session::{Over, Show, Shown};
use crate::commands::tell;
use crate::notice::Notices;
use crate::output::filter::Filter;
use crate::output::outlet::{Accepted, Outlet};
use crate::output::record::{Parse, Record};
use crate::output::wording;
use crate::quote::quote;
use crate::settings::{self, Begin, Format, Persona, Selection, Stream, Wait};
use crate::tail::{Arrival, Begins, Data, Event, Happening, SourceId, Tail};

/// Delivers what comes.
pub(super) struct Deliver<'a> {
    settings: &'a Stream,
    form: Form,
    until: Until<'a>,
    /// Whether the line that is waited for has come.
    met: bool,
    ledger: Ledger,
    accounts: Accounts,
    keeper: Option<Keeper>,
    /// Whether something was lost or could not be decided.
    gap: bool,
    awaited: Awaited,
    /// What ended the run, if that was a failure.
    failure: Option<String>,
}

/// Files that are missing at the start, and how long they are waited for.
#[derive(Debug)]
struct Awaited {
    until: Option<Instant>,
    missing: HashMap<SourceId, PathBuf>,
}

impl<'a> Deliver<'a> {
    pub(super) fn new(settings: &'a Stream, ledger: Ledger, keeper: Option<Keeper>) -> anyhow::Result<Self> {
        let Selection { grep, exclude, .. } = &settings.selection;
        let filter = Filter::new(grep, exclude, b'\n').context("cannot search for the patterns")?;
        let until = match settings.wait {
            Wait::For(time) => Instant::now().checked_add(time),
            Wait::Never | Wait::Always => None,
        };
        let missing = ledger.named().map(|(source, path)| (source, path.to_owned())).collect();
        Ok(Self {
            settings,
            form: match (settings.format, settings.parse) {
                (Format::Raw, _) => Form::raw(filter),
                (Format::Json, settings::Parse::Nothing) => Form::json(Parse::Nothing, filter),
                (Format::Json, settings::Parse::Json) => Form::json(Parse::Json, filter),
            },
            until: Until::new(settings.ending.until.as_ref(), b'\n'),
            met: false,
            ledger,
            accounts: Accounts::default(),
            keeper,
            gap: false,
            awaited: Awaited { until, missing },
            failure: None,
        })
    }

    /// Whether something was lost or could not be decided.
    pub(super) fn met_a_gap(&self) -> bool {
        self.gap
    }

    /// Shows lines up to the one that is waited for.
    fn show_data(&mut self, data: &Data<'_>, out: &mut Outlet) -> io::Result<Shown> {
        let end = self.until.end(data);
        self.met |= end.is_some();
        let data = Data { bytes: &data.bytes[..end.unwrap_or(data.bytes.len())], ..*data };
        let count = self.form.deliver(&data, out, &mut self.ledger)?;
        // Not only between events: what is entered of many short lines takes more room than they do.
        self.ledger.settle(out.accepted());
        Ok(self.delivered(Of { source: data.source, file: data.file, run: data.run }, count))
    }

    /// Bytes of a run were delivered, or left out.
    fn delivered(&mut self, of: Of, count: Count) -> Shown {
        self.accounts.show(of, count);
        if !self.met || self.form.kept().is_some() {
            return Shown::Done;
        }
        self.accounts.stop(of);
        Shown::Met
    }

    /// Enters what happened, and shows it as far as there are records.
    fn show_happening(
        &mut self,
        source: SourceId,
        path: &Path,
        what: &Happening,
        out: &mut Outlet,
        notices: &mut Notices,
    ) -> io::Result<Shown> {
        match self.settings.format {
            Format::Raw => notices.tell_all(&wording::notices(tell::VOICE, path, what)),
            Format::Json => {
                let mut text = Vec::new();
                tell::records(path, what, |record| record.encode(&mut text));
                out.push(&text)?;
            }
        }
        self.form.note(source, what);
        if let Happening::Opened { file, run, begins: Begins::Within, arrival: Arrival::First, .. } = *what
            && matches!(self.settings.begin, Begin::Offset(_))
        {
            self.form.continue_line(Of { source, file, run });
        }
        self.gap |= tell::is_gap(what);
        self.enter(source, path, what, out.place());
        if !tell::is_given_up(what) || self.is_passing(source, what) {
            return Ok(Shown::Done);
        }
        let words = tell::failure(path, what);
        if self.settings.format == Format::Json {
            notices.say(&words);
        }
        self.failure = Some(words);
        Ok(Shown::Failed)
    }

    /// Whether a file is missing that a pattern has found: it went away at once, as files do.
    fn is_passing(&self, source: SourceId, what: &Happening) -> bool {
        let missing = matches!(what, Happening::Inaccessible { error, .. } if error.kind() == ErrorKind::NotFound);
        missing && self.ledger.named().all(|(named, _)| named != source)
    }

    /// Enters what happened, behind what was shown before.
    fn enter(&mut self, source: SourceId, path: &Path, what: &Happening, place: u64) {
        self.account_for(source, path, what);
        self.ledger.enter(source, path, what, place);
    }

    /// Accounts for what happened, of which the ledger does not know as yet.
    fn account_for(&mut self, source: SourceId, path: &Path, what: &Happening) {
        match *what {
            Happening::Opened { file, run, offset, .. } => {
                self.awaited.missing.remove(&source);
                self.accounts.begin(Of { source, file, run }, path, offset);
            }
            Happening::Recovered { file, ref range, .. } => {
                if let Some(of) = self.ledger.current(source, file) {
                    self.accounts.recover(of, range.end);
                }
            }
            Happening::Rewritten { file, run, offset, .. } => {
                if let Some(old) = self.ledger.current(source, file) {
                    self.accounts.end(old, offset, offset);
                }
                self.accounts.begin(Of { source, file, run }, path, 0);
            }
            Happening::Closed { file, run, offset, size, .. } => {
                self.accounts.end(Of { source, file, run }, offset, size);
            }
            Happening::Shortened { file, run, to, .. } => {
                if let Some(of) = self.ledger.current(source, file) {
                    self.accounts.shorten(of, run, to);
                }
            }
            Happening::HeadCut { file, from, to, .. } => {
                if let Some(of) = self.ledger.current(source, file) {
                    self.accounts.behead(of, from - to);
                }
            }
            Happening::NulsSkipped { file, ref range } => {
                if let Some(of) = self.ledger.current(source, file) {
                    self.accounts.skip(of, range);
                }
            }
            Happening::Lost { file, range: Some(Range { start, end }), .. } => {
                match self.ledger.current(source, file) {
                    Some(of) => self.accounts.lose(of, &(start..end)),
                    None => self.accounts.miss(source, path, file, end - start),
                }
            }
            _ => {}
        }
    }

    /// The accounts as they stand.
    fn rows(&self, tail: &Tail) -> Vec<Row> {
        let missing = self.awaited.missing.iter().map(|(source, path)| (*source, &**path));
        self.accounts.clone().rows(tail, self.form.kept(), missing)
    }

    /// The last save, and the words for what is not delivered and for the account. False if one of them failed.
    pub(super) fn close(&mut self, over: Over, tail: &Tail, accepted: Accepted, notices: &mut Notices) -> bool {
        self.ledger.settle(accepted);
        let saved = self.keeper.as_mut().is_none_or(|keeper| keeper.save(&mut self.ledger, tail, notices));
        if over != Over::Met {
            wording::unfinished(tail).for_each(|text| notices.say(&text));
        }
        if !self.settings.summary {
            return saved;
        }
        let mut balanced = true;
        let mut rows = self.rows(tail);
        hold_back(&mut rows, self.ledger.unaccepted(accepted));
        for row in rows {
            if self.settings.format == Format::Raw {
                notices.say(&tell::account(&row));
            }
            if row.astray != 0 {
                notices.say(&tell::imbalance(&row));
                balanced = false;
            }
        }
        saved && balanced
    }
}

impl Show for Deliver<'_> {
    fn show(&mut self, event: Event<'_>, out: &mut Outlet, notices: &mut Notices) -> io::Result<Shown> {
        match event {
            Event::Data(data) => return self.show_data(&data, out),
            Event::Happened { source, path, what } => return self.show_happening(source, path, &what, out, notices),
            Event::Trouble(trouble) => notices.tell_all(&wording::trouble(Persona::Rtail, &trouble)),
            Event::LeftOut(path) => notices.tell(&wording::left_out(&path)),
            Event::Compressed(path) => notices.tell(&wording::compressed(&path)),
            Event::Unlistable(path, error) => notices.tell(&wording::unlistable(&path, &error)),
            Event::Passage(_) | Event::Working { .. } | Event::NoBase(..) => {}
        }
        Ok(Shown::Done)
    }

    fn go_on(&mut self, out: &mut Outlet) -> Option<io::Result<Shown>> {
        let went_on = self.form.go_on(out, &mut self.ledger)?;
        Some(went_on.map(|(of, count)| self.delivered(of, count)))
    }

    fn between(&mut self, tail: &mut Tail, out: &mut Outlet, notices: &mut Notices) -> io::Result<()> {
        self.ledger.settle(out.accepted());
        if let Some(keeper) = &mut self.keeper {
            keeper.save_in_time(&mut self.ledger, tail, notices);
        }
        Ok(())
    }

    fn is_over(&mut self, tail: &Tail, notices: &mut Notices) -> Option<Over> {
        if tail.is_over() {
            return Some(Over::Dry);
        }
        let late = self.awaited.until.is_some_and(|until| until <= Instant::now());
        let (_, path) = self.awaited.missing.iter().filter(|_| late).min()?;
        let words = format!("{}: waited in vain: it is still missing", quote(path));
        notices.say(&words);
        self.failure = Some(words);
        Some(Over::Failed)
    }

    fn ends(&mut self, tail: &Tail) {
        self.ledger.ends(tail);
    }

    fn deadline(&self) -> Option<Instant> {
        let awaited = self.awaited.until.filter(|_| !self.awaited.missing.is_empty());
        let save = self.keeper.as_ref().and_then(|keeper| keeper.deadline(&self.ledger));
        [awaited, save].into_iter().flatten().min()
    }

    fn last_words(&mut self, over: Over, tail: &Tail, out: &mut Outlet) -> io::Result<()> {
        if self.settings.format == Format::Raw {
            return Ok(());
        }
        // Who reads this has got everything before it.
        let mut ledger = self.ledger.clone();
        ledger.settle(Accepted { bytes: u64::MAX, lines: u64::MAX });
        let rows = if self.settings.summary { self.rows(tail) } else { Vec::new() };
        let files: Vec<_> = tell::ends(&ledger, &rows);
        let mut text = Vec::new();
        Record::End { reason: tell::reason(over), message: self.failure.as_deref(), files: &files }.encode(&mut text);
        out.push(&text)
    }
}
