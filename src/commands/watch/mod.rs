//! `rtail watch`: a directory of logs that come and go, live writers told from finished ones.

mod show;
mod states;

use std::cell::RefCell;
use std::fs::OpenOptions;
use std::os::unix::fs::{FileExt as _, OpenOptionsExt as _};
use std::path::Path;
use std::rc::Rc;
use std::time::{Duration, Instant};

use anyhow::{Context as _, anyhow};
use memchr::memrchr;
use rustix::fs::OFlags;

use self::show::Shows;
use super::ending::{Ending, Exit, Reason};
use super::keeper::{self, Keeper};
use super::ledger::{Ledger, Origin, absolute};
use super::locks::Locks;
use super::naming::{as_asked_for, stands_above};
use super::output_failed;
use super::process::Gone;
use super::session::{Over, Session};
use super::signals::Signals;
use crate::checkpoint::Checkpoint;
use crate::notice::Notices;
use crate::output::outlet::Outlet;
use crate::output::wording;
use crate::settings::{AtEnd, Begin, Beginning, Liveness, Looking, Watch};
use crate::tail::{FileId, Framing, Guarded, Options, Resume, Selection, Start, Tail, is_pattern, matching};
use crate::watch::{LOOK_AT_CHANGED, Lock};

/// How much of a file is read at once in search of the beginning of its last line.
const BLOCK: u64 = 64 * 1024;
/// How often processes are asked for that can only be asked for by number: there are none.
const ASKING: Duration = Duration::from_secs(1);

/// Watches as asked until an end, and returns how to end.
///
/// # Errors
/// What makes going on impossible, with the words for it.
pub fn run(settings: &Watch, notices: &mut Notices) -> anyhow::Result<Exit> {
    let signals = Signals::listen().context("cannot listen for signals")?;
    let out = match Outlet::stdout() {
        Ok(out) => out,
        Err(error) => return Ok(output_failed(&error, notices)),
    };
    let mut own = Vec::new();
    let mut keeper = match &settings.checkpoint {
        Some(path) => {
            let checkpoint = Checkpoint::open(path).map_err(|error| anyhow!(keeper::words(&error)))?;
            own.extend(checkpoint.paths());
            Some(Keeper::new(checkpoint, |name| settings.paths.iter().any(|path| leads_to(path, name))))
        }
        None => None,
    };
    let options = options(settings);
    let longest = options.longest_line as u64;
    let mut tail = Tail::new(options).context("cannot wait for events")?;
    tail.interrupt_by(signals.flag());
    // What we write is no log: to watch it would make more of it without end.
    out.regular_file().into_iter().for_each(|file| tail.leave_out(file));
    for path in &own {
        tail.leave_out_path(path);
    }
    let locks = Rc::new(RefCell::new(Locks::new()));
    if settings.beginning == Beginning::Active && minds_locks(settings.liveness) {
        tail.begin_by(beginning_of_active(Rc::clone(&locks), longest));
    }
    let begin = match settings.beginning {
        Beginning::Everywhere(Start::FromByte(1)) => Begin::Start,
        _ => Begin::End,
    };
    let mut ledger = Ledger::new(settings.rotate_wait, begin, AtEnd::Follow);
    for saved in keeper.iter_mut().flat_map(Keeper::take_rest) {
        let path = as_asked_for(settings.paths.iter().map(|path| &**path), saved.path);
        let saved = Resume { path, ..saved };
        let source = tail.resume_found(saved.clone());
        ledger.follow(source, &saved.path, Origin::Found, Some(&saved));
    }
    let selection = Selection::new(&settings.globs, &settings.left_out, settings.depth)?;
    for path in &settings.paths {
        if is_pattern(path) && matching(path)?.is_empty() {
            notices.tell(&wording::no_match_yet(path));
        }
        tail.follow_tree(path, selection.clone())?;
    }
    let ending = Ending::new(signals, &settings.ending, Gone::Ended, ASKING);
    let show = Shows::new(settings, ledger, keeper, locks)?;
    let mut session = Session { tail, out, notices, ending, show };
    let over = session.run();
    let Session { tail, out, notices, mut show, .. } = session;
    let exit = over.map(|over| {
        let sound = show.close(over, &tail, out.accepted(), notices);
        exit(settings, over, sound)
    });
    super::end(tail, notices);
    exit
}

/// How to end, if the last save was `sound`.
fn exit(settings: &Watch, over: Over, sound: bool) -> Exit {
    match over {
        Over::Unwritable(exit) => exit,
        Over::Asked(Reason::Signal(signal)) => Exit::Signal(signal),
        _ if !sound || over == Over::Failed => Exit::Failure,
        Over::Asked(Reason::Timeout) | Over::Dry if settings.ending.until.is_some() => Exit::Unmet,
        _ => Exit::Success,
    }
}

/// Everything of files that are being written, nothing of others.
fn beginning_of_active(locks: Rc<RefCell<Locks>>, longest: u64) -> impl Fn(&Path, FileId) -> Start {
    let files = Guarded::default();
    move |path, file| {
        let mut locks = locks.borrow_mut();
        locks.look_for_the_first_time(LOOK_AT_CHANGED, Instant::now());
        match locks.of(file, path) {
            Lock::Held(_) => Start::FromByte(1),
            Lock::Free | Lock::Unknown => {
                let unfinished = files.attempt(path, move |path| unfinished_line(path, longest));
                unfinished.ok().flatten().unwrap_or(Start::LastBytes(0))
            }
        }
    }
}

/// The beginning of a last line that has yet to be finished, so that it comes whole when it is. One that is longer than
/// any line that comes whole is not searched for: its rest is a piece.
fn unfinished_line(path: &Path, longest: u64) -> Option<Start> {
    let flags = (OFlags::NONBLOCK | OFlags::NOCTTY).bits().cast_signed();
    let file = OpenOptions::new().read(true).custom_flags(flags).open(path).ok()?;
    let size = file.metadata().ok()?.len();
    // The newline before it counts.
    let least = size.saturating_sub(longest + 1);
    let (mut end, mut buffer) = (size, vec![0; usize::try_from(size.min(BLOCK)).ok()?]);
    while end > least {
        let from = end.saturating_sub(BLOCK).max(least);
        let block = &mut buffer[..usize::try_from(end - from).ok()?];
        file.read_exact_at(block, from).ok()?;
        if let Some(at) = memrchr(b'\n', block) {
            let offset = from + at as u64 + 1;
            return (offset < size).then_some(Start::Offset(offset));
        }
        end = from;
    }
    (end == 0 && size > 0).then_some(Start::Offset(0))
}

fn minds_locks(liveness: Liveness) -> bool {
    matches!(liveness, Liveness::Auto | Liveness::Lock)
}

/// Whether a name, which is absolute, is one that an operand leads to.
fn leads_to(path: &Path, name: &Path) -> bool {
    if is_pattern(path) { stands_above(path, name) } else { name.starts_with(absolute(path)) }
}

/// How the core is to behave.
fn options(settings: &Watch) -> Options {
    Options {
        start: match settings.beginning {
            Beginning::Active => Start::LastBytes(0),
            Beginning::Everywhere(start) => start,
        },
        framing: Framing::Lines,
        rotate_wait: settings.rotate_wait,
        poll_only: settings.looking != Looking::Events,
        poll_interval: match settings.looking {
            Looking::Poll(interval) => interval,
            Looking::Events => None,
        },
        ..Options::default()
    }
}
