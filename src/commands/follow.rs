//! `rtail follow`, and all of `tail`: shows files to people as they grow.

use std::io;
use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::Context as _;

use super::debug;
use super::ending::{Conditions, Ending, Exit, Reason};
use super::plan::{as_pattern, nothing_can_come, options};
use super::process::Gone;
use super::signals::Signals;
use super::{output_failed, reader_is_gone};
use crate::notice::Notices;
use crate::output::outlet::Outlet;
use crate::output::plain::Plain;
use crate::output::wording::{self, STDIN};
use crate::quote::quote;
use crate::settings::{Follow, Headers, Mode, Operand, Persona};
use crate::tail::{
    self, Age, Also, Arrival, Data, Event, FileKind, Happening, Outlook, Since, SourceId, Tail, Trouble, matching,
};

/// How long an output that is full is waited for once a signal asks for the end.
const LAST_WRITE: Duration = Duration::from_millis(50);

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
    let mut session = Session::new(settings, notices, signals, out)?;
    session.add_operands()?;
    let exit = session.run()?;
    Ok(session.close(exit))
}

/// A tail, its output, and what is known about its end.
struct Session<'a> {
    settings: &'a Follow,
    notices: &'a mut Notices,
    tail: Tail,
    out: Outlet,
    view: Plain,
    ending: Ending,
    status: Exit,
    gave_up: bool,
    until: Until,
    last_named: Option<SourceId>,
    /// Followed sources to say by what they are noticed, with `--debug`, once they are.
    to_explain: Option<Vec<(&'a Path, SourceId)>>,
}

/// What has become of `--until`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Until {
    NotAsked,
    Wanted,
    Met,
}

/// Whether anybody reads what is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Reader {
    There,
    Gone,
}

/// What taking one event came to.
enum Step {
    Shown,
    /// There is none.
    Dry,
    /// The output is done, or can't go on.
    End(Exit),
}

impl<'a> Session<'a> {
    fn new(settings: &'a Follow, notices: &'a mut Notices, signals: Signals, out: Outlet) -> anyhow::Result<Self> {
        let patterns = settings.operands.iter().any(|operand| as_pattern(settings, operand).is_some());
        let many = settings.operands.len() > 1 || patterns;
        let headers = match settings.headers {
            Headers::Auto => many,
            Headers::Never => false,
            Headers::Always => true,
        };
        let conditions = Conditions {
            pids: &settings.ending.pids,
            gone: if settings.persona == Persona::Tail { Gone::Reaped } else { Gone::Ended },
            asking_interval: settings.sleep_interval,
            timeout: settings.ending.timeout,
            idle_timeout: settings.ending.idle_timeout,
            while_locked: settings.ending.while_locked,
        };
        let mut tail = Tail::new(options(settings, many)).context("cannot wait for events")?;
        tail.interrupt_by(signals.flag());
        Ok(Self {
            settings,
            notices,
            tail,
            out,
            view: Plain::new(settings.persona, headers, settings.terminator),
            ending: Ending::new(signals, &conditions),
            status: Exit::Success,
            gave_up: false,
            until: if settings.ending.until.is_some() { Until::Wanted } else { Until::NotAsked },
            last_named: None,
            to_explain: (settings.debug && settings.mode != Mode::Print).then(Vec::new),
        })
    }

    fn add_operands(&mut self) -> anyhow::Result<()> {
        if let Some(file) = self.out.regular_file() {
            self.tail.leave_out(file);
        }
        for operand in &self.settings.operands {
            let (name, source) = match (operand, as_pattern(self.settings, operand)) {
                (Operand::Name(name), Some(pattern)) => {
                    let found = matching(pattern)?;
                    if self.settings.mode == Mode::Print {
                        for path in found {
                            self.tail.follow(path);
                        }
                    } else {
                        self.tail.follow_pattern(pattern)?;
                        if found.is_empty() {
                            self.notices.tell(&format!("{}: no file matches yet", quote(name)));
                        }
                    }
                    continue;
                }
                (Operand::Stdin, _) => {
                    let source = self.tail.follow_stdin(STDIN).context("cannot read standard input")?;
                    (Path::new(STDIN), source)
                }
                (Operand::Name(path), None) => (path.as_path(), self.tail.follow(path)),
            };
            self.last_named = Some(source);
            self.to_explain.iter_mut().for_each(|sources| sources.push((name, source)));
        }
        Ok(())
    }

    /// Shows what comes until an end.
    fn run(&mut self) -> anyhow::Result<Exit> {
        loop {
            if let Some(reason) = self.ending.urgent() {
                return Ok(self.end(reason));
            }
            if self.out.is_blocked() {
                if let Err(error) = self.wait_for_room() {
                    return Ok(output_failed(&error, self.notices));
                }
                continue;
            }
            match self.step() {
                Step::End(exit) => return Ok(exit),
                Step::Shown => {
                    if self.ending.is_due()
                        && let Some(reason) = self.reason()
                    {
                        return Ok(self.end(reason));
                    }
                }
                Step::Dry => {
                    self.explain();
                    if let Some(exit) = self.end_of_sources() {
                        return Ok(exit);
                    }
                    if let Some(reason) = self.reason() {
                        return Ok(self.end(reason));
                    }
                    if self.wait()? == Reader::Gone {
                        return Ok(reader_is_gone());
                    }
                }
            }
        }
    }

    /// Why it is time to end, if it is.
    fn reason(&mut self) -> Option<Reason> {
        self.ending.reason(self.tail.open_files().map(|(file, path)| (file, path.to_owned())))
    }

    /// Shows the next event, if there is one. Whatever was shown has been written, or the output is blocked, when this
    /// says that there is none.
    fn step(&mut self) -> Step {
        let Some(event) = self.tail.try_next() else {
            return match self.out.flush() {
                Ok(()) if self.out.is_blocked() => Step::Shown,
                Ok(()) => Step::Dry,
                Err(error) => Step::End(output_failed(&error, self.notices)),
            };
        };
        let mut met = false;
        let shown = match event {
            Event::Data(data) => {
                self.ending.data_came();
                if data.age == Age::Appended
                    && let Some(last) = self.last_named.take()
                    && self.settings.persona == Persona::Tail
                {
                    // GNU's takes the last file named for the one shown last, even if there was nothing of it.
                    self.view.continue_with(last);
                }
                let part = self.settings.ending.until.as_ref().filter(|_| data.age == Age::Appended);
                let part = part.and_then(|until| through_match(data.bytes, until, self.settings.terminator));
                met = part.is_some();
                let data = Data { bytes: part.unwrap_or(data.bytes), ..data };
                self.view.show(&mut self.out, &data)
            }
            Event::Happened { source, path, what } => {
                self.gave_up |= gave_up(&what);
                if is_failure(self.settings.persona, &what) {
                    self.status = Exit::Failure;
                }
                let texts = wording::notices(self.settings, path, &what);
                let shown =
                    if begins_output(path, &what) { self.view.announce(&mut self.out, source, path) } else { Ok(()) };
                // Data that came before are not to be seen after the notice, where both go to one place.
                let shown = if texts.is_empty() { shown } else { shown.and_then(|()| self.out.flush()) };
                self.notices.tell_all(&texts);
                shown
            }
            // GNU's doesn't use events at all if a file is missing at the start.
            Event::Trouble(Trouble::DirectoryGone(_)) if self.status == Exit::Failure => Ok(()),
            Event::Trouble(trouble) => {
                self.notices.tell_all(&wording::trouble(self.settings.persona, &trouble));
                Ok(())
            }
            Event::LeftOut(path) => {
                self.notices.tell(&format!("{}: left out: it is the output", quote(path)));
                Ok(())
            }
            Event::Unlistable(path, error) => {
                self.notices.tell(&format!("cannot read directory {}: {}", quote(path), wording::cause(&error)));
                Ok(())
            }
            Event::Working => Ok(()),
        };
        match shown {
            Err(error) => Step::End(output_failed(&error, self.notices)),
            Ok(()) if met => {
                self.until = Until::Met;
                Step::End(self.write_the_rest().unwrap_or(Exit::Success))
            }
            Ok(()) => Step::Shown,
        }
    }

    /// Waits until the output takes more, or something asks for an end. Names are still looked after meanwhile.
    fn wait_for_room(&mut self) -> io::Result<()> {
        let mut also: Vec<Also<'_>> = self.ending.urgent_wakers().collect();
        also.extend(self.out.reader().map(|fd| Also::new(fd, tail::Until::Writable)));
        self.tail.hold(self.ending.timeout_at(), &mut also)?;
        drop(also);
        self.out.flush()
    }

    /// Waits until there may be something to show or a reason to end.
    fn wait(&mut self) -> anyhow::Result<Reader> {
        let mut also: Vec<Also<'_>> = self.ending.wakers().collect();
        let wakers = also.len();
        also.extend(self.out.reader().map(|fd| Also::new(fd, tail::Until::Closed)));
        self.tail.wait(self.ending.deadline(), &mut also).context("cannot wait for events")?;
        let gone = also[wakers..].iter().any(Also::is_ready);
        Ok(if gone { Reader::Gone } else { Reader::There })
    }

    /// How to end if nothing can come any more.
    fn end_of_sources(&mut self) -> Option<Exit> {
        if !self.tail.is_over() && (self.settings.retry || self.tail.has_files()) {
            return None;
        }
        if self.settings.mode != Mode::Print && (self.gave_up || !self.tail.is_over()) {
            self.notices.say("no files remaining");
            self.status = Exit::Failure;
        }
        Some(match self.status {
            Exit::Success if self.until == Until::Wanted => Exit::Unmet,
            status => status,
        })
    }

    /// Ends for a reason, and says how.
    fn end(&mut self, reason: Reason) -> Exit {
        if let Reason::Signal(signal) = reason {
            self.write_what_fits();
            return Exit::Signal(signal);
        }
        // The last writer may have written, and renamed, since we looked.
        self.tail.finish();
        loop {
            if let Some(signal) = self.ending.signal() {
                return self.end(Reason::Signal(signal));
            }
            if self.out.is_blocked() {
                if self.ending.urgent() == Some(Reason::Timeout) {
                    // Who has not read in time is not waited for.
                    self.write_what_fits();
                    break;
                }
                if let Err(error) = self.wait_for_room() {
                    return output_failed(&error, self.notices);
                }
                continue;
            }
            match self.step() {
                Step::End(exit) => return exit,
                Step::Shown => {}
                Step::Dry => break,
            }
        }
        match reason {
            Reason::Timeout if self.until == Until::Wanted => Exit::Unmet,
            _ => self.status,
        }
    }

    /// Writes what was shown, waiting for the reader.
    fn write_the_rest(&mut self) -> Option<Exit> {
        let mut result = self.out.flush();
        while result.is_ok() && self.out.is_blocked() {
            match self.ending.urgent() {
                Some(Reason::Signal(signal)) => return Some(Exit::Signal(signal)),
                Some(_) => {
                    // Who has not read in time is not waited for.
                    self.write_what_fits();
                    return None;
                }
                None => result = self.wait_for_room(),
            }
        }
        result.err().map(|error| output_failed(&error, self.notices))
    }

    /// Writes what was shown as far as a reader takes it in a moment.
    fn write_what_fits(&mut self) {
        let deadline = Instant::now() + LAST_WRITE;
        while self.out.flush().is_ok() && self.out.is_blocked() && Instant::now() < deadline {
            let reader = self.out.reader().map(|fd| Also::new(fd, tail::Until::Writable));
            let mut also: Vec<Also<'_>> = reader.into_iter().collect();
            if self.tail.hold(Some(deadline), &mut also).is_err() {
                break;
            }
        }
    }

    /// With `--debug`, says once how files are followed.
    fn explain(&mut self) {
        if let Some(sources) = self.to_explain.take_if(|_| self.tail.past_start()) {
            for text in debug::explanation(self.settings, &self.tail, &sources) {
                self.notices.say(&text);
            }
        }
    }

    /// Ends the tail; everything that was started is gone afterwards.
    fn close(self, exit: Exit) -> Exit {
        // What comes behind the line that was waited for is not missed.
        if self.settings.persona == Persona::Rtail && self.until != Until::Met {
            for (path, offset, count) in self.tail.unfinished() {
                self.notices.say(&wording::held_back(path, offset, count));
            }
        }
        self.notices.finish();
        self.tail.join();
        exit
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

/// The lines up to and including the first one that matches.
fn through_match<'b>(bytes: &'b [u8], until: &regex::bytes::Regex, terminator: u8) -> Option<&'b [u8]> {
    let mut end = 0;
    for line in bytes.split_inclusive(|&byte| byte == terminator) {
        end += line.len();
        let text = line.strip_suffix(&[terminator]).unwrap_or(line);
        // The other half of a line's end on Windows; `$` means the end of the text.
        if until.is_match(text.strip_suffix(b"\r").unwrap_or(text)) {
            return Some(&bytes[..end]);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_matching_line_is_the_last_one() {
        let until = regex::bytes::Regex::new("^b$").unwrap();
        let rows: [(&[u8], Option<&[u8]>); 5] = [
            (b"a\nb\nc\n", Some(b"a\nb\n")),
            (b"a\r\nb\r\nc\r\n", Some(b"a\r\nb\r\n")),
            (b"a\nb", Some(b"a\nb")),
            (b"ab\nbc\n", None),
            (b"", None),
        ];
        for (bytes, expected) in rows {
            assert_eq!(through_match(bytes, &until, b'\n'), expected);
        }
    }
}
