//! `rtail follow`, and all of `tail`: shows files to people as they grow.

use std::io;
use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::Context as _;

use super::debug;
use super::ending::{Conditions, Ending, Exit, Reason};
use super::process::Gone;
use super::signals::Signals;
use super::{output_failed, reader_is_gone};
use crate::notice::Notices;
use crate::output::outlet::Outlet;
use crate::output::plain::Plain;
use crate::output::wording::{self, STDIN};
use crate::quote::quote;
use crate::settings::{Follow, Headers, Looking, Mode, Operand, Persona, Start};
use crate::tail::{
    Age, Also, Arrival, Data, Event, FileKind, Following, Framing, Happening, Nuls, Options, Outlook, Retry,
    Rewriting, Since, SourceId, Tail, Trouble, Until, looks_like_pattern,
};

/// The interval of GNU `tail` unless `-s` sets another.
const SLEEP_INTERVAL: Duration = Duration::from_secs(1);
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

/// GNU's `tail` doesn't even open files of which it would show nothing.
fn nothing_can_come(settings: &Follow) -> bool {
    const HUGE: u64 = i64::MAX.cast_unsigned();
    settings.mode == Mode::Print
        && matches!(
            settings.start,
            Start::LastLines(0) | Start::LastBytes(0) | Start::FromLine(HUGE..) | Start::FromByte(HUGE..)
        )
}

/// The pattern that an operand is, if it is one and no file of that very name is there.
fn as_pattern<'a>(settings: &Follow, operand: &'a Operand) -> Option<&'a Path> {
    match operand {
        Operand::Name(name) if settings.persona == Persona::Rtail && looks_like_pattern(name) => {
            let literal = std::fs::symlink_metadata(name).is_ok();
            Some(name.as_path()).filter(|_| !literal && settings.mode != Mode::Print)
        }
        _ => None,
    }
}

/// How the core is to behave. `many`: the output is shared by several files.
fn options(settings: &Follow, many: bool) -> Options {
    let rtail = settings.persona == Persona::Rtail;
    let text = rtail && settings.terminator == b'\n' && settings.mode != Mode::Print;
    Options {
        start: settings.start,
        following: match settings.mode {
            Mode::Print => Following::Nothing,
            Mode::Descriptor => Following::Descriptor,
            Mode::Name => Following::Name,
        },
        retry: if settings.retry { Retry::Always } else { Retry::Never },
        framing: match settings.persona {
            // A single source passes as it comes, unless what it says decides where to stop.
            Persona::Rtail if many || settings.until.is_some() => Framing::Lines,
            _ => Framing::Bytes,
        },
        terminator: settings.terminator,
        nuls: if text { Nuls::HoldBack } else { Nuls::Pass },
        rewriting: if rtail { Rewriting::Discern } else { Rewriting::AsGnu },
        rotate_wait: settings.rotate_wait,
        poll_only: settings.looking != Looking::Events,
        poll_interval: match (settings.looking, settings.persona) {
            (Looking::Poll(Some(interval)), _) => Some(interval),
            // The interval that GNU's `tail` has unless told otherwise is no wish of the user's.
            (_, Persona::Rtail) => Some(settings.sleep_interval).filter(|interval| *interval != SLEEP_INTERVAL),
            (_, Persona::Tail) => Some(settings.sleep_interval),
        },
        wait_for_fifos: settings.pids.is_empty(),
        never_seek: settings.presume_input_pipe,
        ..Options::default()
    }
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
    last_named: Option<SourceId>,
    /// Followed sources to say by what they are noticed, with `--debug`, once they are.
    to_explain: Option<Vec<(&'a Path, SourceId)>>,
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
            pids: &settings.pids,
            gone: if settings.persona == Persona::Tail { Gone::Reaped } else { Gone::Ended },
            asking_interval: settings.sleep_interval,
            timeout: settings.timeout,
            idle_timeout: settings.idle_timeout,
            while_locked: settings.while_locked,
        };
        Ok(Self {
            settings,
            notices,
            tail: Tail::new(options(settings, many)).context("cannot wait for events")?,
            out,
            view: Plain::new(settings.persona, headers, settings.terminator),
            ending: Ending::new(signals, &conditions),
            status: Exit::Success,
            gave_up: false,
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
                (_, Some(pattern)) => {
                    self.tail.follow_pattern(pattern)?;
                    continue;
                }
                (Operand::Stdin, None) => {
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
            if let Some(Reason::Signal(signal)) = self.ending.signal() {
                return Ok(self.end_by_signal(signal));
            }
            match self.step() {
                Step::End(exit) => return Ok(exit),
                Step::Shown => {}
                Step::Dry => {
                    self.explain();
                    if let Some(exit) = self.end() {
                        return Ok(exit);
                    }
                    if let Some(exit) = self.wait()? {
                        return Ok(exit);
                    }
                }
            }
        }
    }

    /// Shows the next event, if there is one and the output takes it. Whatever was shown has been written when this
    /// says that there is none.
    fn step(&mut self) -> Step {
        while self.out.is_blocked() {
            match self.wait_for_room() {
                Ok(()) if self.ending.signal().is_some() => return Step::Shown,
                Ok(()) => {}
                Err(error) => return Step::End(output_failed(&error, self.notices)),
            }
        }
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
                let part = self.settings.until.as_ref().filter(|_| data.age == Age::Appended);
                let part = part.and_then(|until| through_match(data.bytes, until, self.settings.terminator));
                met = part.is_some();
                let data = Data { bytes: part.unwrap_or(data.bytes), ..data };
                self.view.show(&mut self.out, &data)
            }
            Event::Happened { source, path, what } => {
                let failed = is_failure(self.settings.persona, &what);
                self.gave_up |= gave_up(&what);
                let texts = wording::notices(self.settings, path, &what);
                let shown =
                    if begins_output(path, &what) { self.view.announce(&mut self.out, source, path) } else { Ok(()) };
                if failed {
                    self.status = Exit::Failure;
                }
                // Data that came before are not to be seen after the notice, where both go to one place.
                let shown = if texts.is_empty() { shown } else { shown.and_then(|()| self.out.flush()) };
                self.notices.tell_all(&texts);
                shown
            }
            // GNU's doesn't use events at all if a file is missing at the start.
            Event::Trouble(Trouble::DirectoryGone(_)) if self.status == Exit::Failure => Ok(()),
            Event::Trouble(trouble) => {
                let texts = wording::trouble(self.settings.persona, &trouble);
                self.notices.tell_all(&texts);
                Ok(())
            }
            Event::LeftOut(path) => {
                self.notices.tell(&format!("{}: left out: it is the output", quote(path)));
                Ok(())
            }
        };
        match shown {
            Err(error) => Step::End(output_failed(&error, self.notices)),
            Ok(()) if met => Step::End(self.write_the_rest().unwrap_or(Exit::Success)),
            Ok(()) => Step::Shown,
        }
    }

    /// Waits until the output takes more, or something asks for an end. Names are still looked after meanwhile.
    fn wait_for_room(&mut self) -> io::Result<()> {
        let mut also: Vec<Also<'_>> = self.ending.wakers().collect();
        also.extend(self.out.reader().map(|fd| Also::new(fd, Until::Writable)));
        self.tail.wait(None, &mut also)?;
        drop(also);
        self.tail.attend();
        self.out.flush()
    }

    /// Waits until there may be something to show or a reason to end.
    fn wait(&mut self) -> anyhow::Result<Option<Exit>> {
        let mut also: Vec<Also<'_>> = self.ending.wakers().collect();
        let wakers = also.len();
        also.extend(self.out.reader().map(|fd| Also::new(fd, Until::Closed)));
        self.tail.wait(self.ending.deadline(), &mut also).context("cannot wait for events")?;
        let closed = also[wakers..].iter().any(Also::is_ready);
        Ok(closed.then(reader_is_gone))
    }

    /// Whether to end, when there is nothing to show.
    fn end(&mut self) -> Option<Exit> {
        let hopeless = self.tail.is_over() || !(self.settings.retry || self.tail.has_files());
        if hopeless {
            if self.settings.mode != Mode::Print && (self.gave_up || !self.tail.is_over()) {
                self.notices.say("no files remaining");
                self.status = Exit::Failure;
            }
            return Some(self.status);
        }
        let files = self.tail.open_files().map(|(file, path)| (file, path.to_owned()));
        let reason = self.ending.reason(files)?;
        if reason.reads_to_the_end() {
            // The last writer may have written, and renamed, since we looked.
            self.tail.look_at_all();
            if let Some(exit) = self.drain() {
                return Some(exit);
            }
            self.tail.finish();
            if let Some(exit) = self.drain() {
                return Some(exit);
            }
        }
        Some(match reason {
            Reason::Signal(signal) => self.end_by_signal(signal),
            Reason::Timeout if self.settings.until.is_some() => Exit::TimedOut,
            _ => self.status,
        })
    }

    /// Shows all there is; returns how to end if that is decided on the way.
    fn drain(&mut self) -> Option<Exit> {
        loop {
            if let Some(Reason::Signal(signal)) = self.ending.signal() {
                return Some(self.end_by_signal(signal));
            }
            match self.step() {
                Step::End(exit) => return Some(exit),
                Step::Dry => return None,
                Step::Shown => {}
            }
        }
    }

    /// Writes what was shown, waiting for the reader.
    fn write_the_rest(&mut self) -> Option<Exit> {
        let mut result = self.out.flush();
        while result.is_ok() && self.out.is_blocked() {
            if let Some(Reason::Signal(signal)) = self.ending.signal() {
                return Some(Exit::Signal(signal));
            }
            result = self.wait_for_room();
        }
        result.err().map(|error| output_failed(&error, self.notices))
    }

    /// Writes what can be written at once and says what is left unsaid.
    fn end_by_signal(&mut self, signal: i32) -> Exit {
        let deadline = Instant::now() + LAST_WRITE;
        while self.out.flush().is_ok() && self.out.is_blocked() && Instant::now() < deadline {
            let reader = self.out.reader().map(|fd| Also::new(fd, Until::Writable));
            let mut also: Vec<Also<'_>> = reader.into_iter().collect();
            if self.tail.wait(Some(deadline), &mut also).is_err() {
                break;
            }
        }
        Exit::Signal(signal)
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
        if self.settings.persona == Persona::Rtail {
            for (path, offset, count) in self.tail.unfinished() {
                let end = offset + count;
                let name = quote(path);
                self.notices
                    .say(&format!("{name}: held back {count} bytes of an unfinished line (offsets {offset}-{end})"));
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
        if until.is_match(line.strip_suffix(&[terminator]).unwrap_or(line)) {
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
        let rows: [(&[u8], Option<&[u8]>); 4] =
            [(b"a\nb\nc\n", Some(b"a\nb\n")), (b"a\nb", Some(b"a\nb")), (b"ab\nbc\n", None), (b"", None)];
        for (bytes, expected) in rows {
            assert_eq!(through_match(bytes, &until, b'\n'), expected);
        }
    }
}
