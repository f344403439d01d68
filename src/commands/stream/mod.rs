//! `rtail stream`: lines for programs, each once and whole, from a known place to an honest end.

mod deliver;

use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Context as _, anyhow};

use self::deliver::Deliver;
use super::ending::{Ending, Exit, Reason};
use super::keeper::{self, Keeper};
use super::ledger::{Ledger, Origin, absolute};
use super::naming::as_asked_for;
use super::plan::matching_but;
use super::process::Gone;
use super::session::{Over, Session};
use super::signals::Signals;
use super::{output_failed, tell};
use crate::checkpoint::Checkpoint;
use crate::notice::Notices;
use crate::output::outlet::Outlet;
use crate::output::wording::STDIN;
use crate::quote::quote;
use crate::settings::{AtEnd, Begin, Looking, Operand, Stream, Wait};
use crate::tail::{
    FileId, Following, Framing, Nuls, Options, Pipes, ReadErrors, Resume, Retry, Start, Tail, could_match,
    is_pattern, matching,
};

/// How often processes are asked for that can only be asked for by number.
const ASKING: Duration = Duration::from_millis(100);

/// Delivers lines as asked until an end, and returns how to end.
///
/// # Errors
/// What makes going on impossible, with the words for it. Nothing was read then, and no checkpoint was touched.
pub fn run(settings: &Stream, notices: &mut Notices) -> anyhow::Result<Exit> {
    let signals = Signals::listen().context("cannot listen for signals")?;
    let out = match Outlet::stdout() {
        Ok(out) => out,
        Err(error) => return Ok(output_failed(&error, notices)),
    };
    let mut keeper = match &settings.checkpoint {
        Some(path) => {
            ensure_apart(settings, path)?;
            let checkpoint = Checkpoint::open(path).map_err(|error| anyhow!(keeper::words(&error)))?;
            Some(Keeper::new(checkpoint, |name| follows(settings, name)))
        }
        None => None,
    };
    let mut tail = Tail::new(options(settings)).context("cannot wait for events")?;
    tail.interrupt_by(signals.flag());
    if let Some(file) = out.regular_file() {
        tail.leave_out(file);
    }
    let ledger = add_operands(settings, &mut tail, out.regular_file(), keeper.as_mut(), notices)?;
    if let Some(refusal) = refused_at_start(&mut tail)? {
        super::end(tail, notices);
        return Err(anyhow!(refusal));
    }
    let ending = Ending::new(signals, &settings.ending, Gone::Ended, ASKING);
    let show = Deliver::new(settings, ledger, keeper)?;
    let mut session = Session { tail, out, notices, ending, show };
    let over = session.run();
    let Session { tail, out, notices, mut show, .. } = session;
    let exit = over.map(|over| exit(settings, over, &mut show, &tail, &out, notices));
    super::end(tail, notices);
    exit
}

/// How to end, after the last save and the words for it.
fn exit(
    settings: &Stream,
    over: Over,
    show: &mut Deliver<'_>,
    tail: &Tail,
    out: &Outlet,
    notices: &mut Notices,
) -> Exit {
    let sound = show.close(over, tail, out.accepted(), notices);
    match over {
        Over::Unwritable(exit) => exit,
        Over::Asked(Reason::Signal(signal)) => Exit::Signal(signal),
        _ if !sound || over == Over::Failed => Exit::Failure,
        Over::Asked(Reason::Timeout) | Over::Dry if settings.ending.until.is_some() => Exit::Unmet,
        _ if settings.strict && show.met_a_gap() => Exit::Gap,
        _ => Exit::Success,
    }
}

/// Has the tail follow what was asked for, from where it was left.
fn add_operands(
    settings: &Stream,
    tail: &mut Tail,
    own: Option<FileId>,
    mut keeper: Option<&mut Keeper>,
    notices: &mut Notices,
) -> anyhow::Result<Ledger> {
    let mut ledger = Ledger::new(settings.rotate_wait, settings.begin, settings.at_end);
    for operand in &settings.operands {
        match operand {
            Operand::Stdin => {
                let source = tail.follow_stdin(STDIN).context("cannot read standard input")?;
                ledger.follow(source, Path::new(STDIN), Origin::Named, None);
            }
            Operand::Name(name) if is_pattern(name) && settings.at_end == AtEnd::Stop => {
                let found = matching_but(own, name, notices)?;
                if found.is_empty() {
                    return Err(anyhow!("{}: no file matches", quote(name)));
                }
                for path in found {
                    // What an earlier run has left under another name comes with that.
                    if !keeper.as_deref().is_some_and(|keeper| keeper.has_elsewhere(&path)) {
                        follow(tail, &mut ledger, keeper.as_deref_mut(), &path);
                    }
                }
            }
            Operand::Name(name) if is_pattern(name) => {
                if matching(name)?.is_empty() {
                    notices.tell(&format!("{}: no file matches yet", quote(name)));
                }
                tail.follow_pattern(name)?;
            }
            Operand::Name(name) => follow(tail, &mut ledger, keeper.as_deref_mut(), name),
        }
    }
    for saved in keeper.into_iter().flat_map(Keeper::take_rest) {
        let names = settings.operands.iter().filter_map(|operand| match operand {
            Operand::Name(name) => Some(&**name),
            Operand::Stdin => None,
        });
        let path = as_asked_for(names, saved.path);
        let saved = Resume { path, ..saved };
        let source = tail.resume_found(saved.clone());
        ledger.follow(source, &saved.path, Origin::Found, Some(&saved));
    }
    Ok(ledger)
}

/// Follows a name, from where it was left if that is known.
fn follow(tail: &mut Tail, ledger: &mut Ledger, keeper: Option<&mut Keeper>, name: &Path) {
    let saved = keeper.and_then(|keeper| keeper.take(name));
    let source = match saved.clone() {
        Some(saved) => tail.resume(Resume { path: name.to_owned(), ..saved }),
        None => tail.follow(name),
    };
    ledger.follow(source, name, Origin::Named, saved.as_ref());
}

/// A checkpoint that is followed as a log would grow by being read.
fn ensure_apart(settings: &Stream, checkpoint: &Path) -> anyhow::Result<()> {
    let checkpoint = absolute(checkpoint);
    let mut lock = checkpoint.clone().into_os_string();
    lock.push(".lock");
    if [&*checkpoint, Path::new(&lock)].into_iter().any(|name| follows(settings, name)) {
        return Err(anyhow!("{}: a checkpoint can't be among the files that are followed", quote(&checkpoint)));
    }
    Ok(())
}

/// Whether a name, which is absolute, is one that this run follows.
fn follows(settings: &Stream, name: &Path) -> bool {
    settings.operands.iter().any(|operand| match operand {
        Operand::Stdin => false,
        Operand::Name(pattern) if is_pattern(pattern) => could_match(&absolute(pattern), name),
        Operand::Name(own) => absolute(own) == name,
    })
}

/// What is wrong with a source that can't be followed from the start, if there is one. Nothing has been read then.
fn refused_at_start(tail: &mut Tail) -> anyhow::Result<Option<String>> {
    tail.hold(Some(Instant::now()), &mut []).context("cannot wait for events")?;
    Ok(tail.given_up().map(|(path, what)| tell::failure(path, what)))
}

/// How the core is to behave.
fn options(settings: &Stream) -> Options {
    let follow = settings.at_end == AtEnd::Follow;
    Options {
        start: match settings.begin {
            Begin::Start => Start::FromByte(1),
            Begin::End => Start::LastBytes(0),
            Begin::Offset(offset) => Start::Offset(offset),
        },
        following: if follow { Following::Name } else { Following::Nothing },
        retry: if settings.wait == Wait::Never { Retry::Never } else { Retry::Always },
        framing: Framing::Lines,
        longest_line: settings.max_line,
        // Of a file that is only read to its end, and only once, nothing is room for what may come.
        nuls: if follow || settings.checkpoint.is_some() { Nuls::HoldBack } else { Nuls::Pass },
        read_errors: ReadErrors::GiveUp,
        rotate_wait: settings.rotate_wait,
        poll_only: settings.looking != Looking::Events,
        poll_interval: match settings.looking {
            Looking::Poll(interval) => interval,
            Looking::Events => None,
        },
        pipes: Pipes::Windowed,
        ..Options::default()
    }
}
