//! The only place that writes to standard error: one line a notice, `rtail: ` before it.
//!
//! A standard error that can't be written, or whose reader doesn't read, loses notices; it never stops the data.

use std::collections::HashMap;
use std::io::{IsTerminal, Write};
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec};

use crate::settings::Persona;

/// How often the same notice is written at the most; more of them are counted.
const REPEAT: Duration = Duration::from_mins(1);
/// How many different notices are remembered to recognise repeats.
const REMEMBERED: usize = 1024;
/// How long a reader of standard error is waited for.
const PATIENCE: Timespec = Timespec { tv_sec: 0, tv_nsec: 50_000_000 };

/// Writes notices.
#[derive(Debug)]
pub struct Notices {
    persona: Persona,
    recent: HashMap<String, Recent>,
    failed: bool,
}

#[derive(Debug)]
struct Recent {
    written: Instant,
    unwritten: u64,
}

impl Notices {
    /// Notices of a program that goes by this name.
    #[must_use]
    pub fn new(persona: Persona) -> Self {
        Self { persona, recent: HashMap::new(), failed: false }
    }

    /// Writes a line, whatever was written before.
    pub fn say(&mut self, text: &str) {
        self.line(&format!("{}: {text}", self.persona.name()));
    }

    /// Writes lines as they are.
    pub fn lines<'a>(&mut self, lines: impl IntoIterator<Item = &'a String>) {
        lines.into_iter().for_each(|line| self.line(line));
    }

    /// Writes a line unless the same one was written within the last minute; then it is counted.
    pub fn tell(&mut self, text: &str) {
        if self.persona == Persona::Tail {
            return self.say(text);
        }
        let now = Instant::now();
        let unwritten = match self.recent.get_mut(text) {
            Some(recent) if now < recent.written + REPEAT => {
                recent.unwritten += 1;
                return;
            }
            Some(recent) => std::mem::take(&mut recent.unwritten),
            None => 0,
        };
        if self.recent.len() >= REMEMBERED {
            self.finish();
        }
        self.recent.insert(text.to_owned(), Recent { written: now, unwritten: 0 });
        match unwritten {
            0 => self.say(text),
            count => self.say(&format!("{text} (unsaid since the last time: {count})")),
        }
    }

    /// Does so for several in a row.
    pub fn tell_all(&mut self, texts: &[String]) {
        for text in texts {
            self.tell(text);
        }
    }

    /// Writes how often notices were counted and not written.
    pub fn finish(&mut self) {
        let mut counted: Vec<_> = self.recent.drain().filter(|(_, recent)| recent.unwritten > 0).collect();
        counted.sort_by(|(a, _), (b, _)| a.cmp(b));
        for (text, recent) in counted {
            let times = if recent.unwritten == 1 { "time" } else { "times" };
            self.say(&format!("{text} ({} more {times})", recent.unwritten));
        }
    }

    /// Whether a notice could not be written.
    #[must_use]
    pub fn failed(&self) -> bool {
        self.failed
    }

    fn line(&mut self, line: &str) {
        let stderr = std::io::stderr();
        // A terminal or file takes what it gets; a pipe whose reader has stopped would block us for ever.
        let mut fds = [PollFd::new(&stderr, PollFlags::OUT)];
        let ready =
            stderr.is_terminal() || rustix::event::poll(&mut fds, Some(&PATIENCE)).is_ok_and(|ready| ready > 0);
        if !ready || stderr.lock().write_all(format!("{line}\n").as_bytes()).is_err() {
            self.failed = true;
        }
    }
}
