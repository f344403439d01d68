//! What `follow` asks of the core, of each operand and altogether.

use std::collections::HashSet;
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::notice::Notices;
use crate::output::colour::Colour;
use crate::output::outlet::Outlet;
use crate::output::wording;
use crate::settings::{Follow, Looking, Mode, Operand, Persona, Start};
use crate::tail::{
    FileId, FileKind, Files as _, Following, Framing, Guarded, Lineage, Links, Looks, Nuls, Options, Passing, Pipes,
    Retry, Rewriting, is_pattern, matches_compressed, matching,
};

/// The interval of GNU `tail` unless `-s` sets another.
const SLEEP_INTERVAL: Duration = Duration::from_secs(1);
/// No interval of ours is shorter: looking without a pause only takes the processor from the writer.
const SHORTEST_INTERVAL: Duration = Duration::from_millis(1);

/// GNU's `tail` doesn't even open files of which it would show nothing.
pub(super) fn nothing_can_come(settings: &Follow) -> bool {
    const HUGE: u64 = i64::MAX.cast_unsigned();
    settings.mode == Mode::Print
        && matches!(
            settings.start,
            Start::LastLines(0) | Start::LastBytes(0) | Start::FromLine(HUGE..) | Start::FromByte(HUGE..)
        )
}

/// The pattern that an operand is, if it is one and no file of that very name is there.
pub(super) fn as_pattern<'a>(settings: &Follow, operand: &'a Operand) -> Option<&'a Path> {
    match operand {
        Operand::Name(name) if settings.persona == Persona::Rtail && is_pattern(name) => {
            // What is only printed and matches nothing is a name that can't be opened.
            let some = settings.mode != Mode::Print || matching(name).is_ok_and(|paths| !paths.is_empty());
            Some(name.as_path()).filter(|_| some)
        }
        _ => None,
    }
}

/// The files that match a pattern now, each under one name, but for the output and what is compressed, which are left
/// out with a notice.
pub(super) fn matching_but(
    own: Option<FileId>,
    pattern: &Path,
    notices: &mut Notices,
) -> anyhow::Result<Vec<PathBuf>> {
    let mut found = matching(pattern)?;
    let (mut seen, mut told_compressed, files) = (HashSet::new(), false, Guarded::default());
    found.retain(|path| {
        // What can't be reached is for the reading to find out.
        let Ok(meta) = files.meta(path, Links::Follow) else { return true };
        if own == Some(meta.id) {
            notices.tell(&wording::left_out(path));
            return false;
        }
        if matches_compressed(pattern, path, &files).unwrap_or(false) {
            if !std::mem::replace(&mut told_compressed, true) {
                notices.tell(&wording::compressed(path));
            }
            return false;
        }
        meta.kind == FileKind::Directory || seen.insert(meta.id)
    });
    Ok(found)
}

/// Whether lines have to come whole, be it of one source.
fn needs_lines(settings: &Follow) -> bool {
    settings.ending.until.is_some() || !settings.selection.is_everything() || settings.viewing.needs_lines()
}

/// Whether bytes may pass to the output without being looked at.
pub(super) fn passing(settings: &Follow, out: &Outlet) -> Passing {
    let seen = needs_lines(settings) || Colour::of_stdout(settings.viewing.color) == Colour::On;
    if out.can_pass() && !seen { Passing::Offered } else { Passing::Never }
}

/// How the core is to behave. `many`: the output is shared by several files.
pub(super) fn options(settings: &Follow, many: bool) -> Options {
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
            // A single source passes as it comes, unless what its lines say matters, or something is added to them.
            Persona::Rtail if many || needs_lines(settings) => Framing::Lines,
            _ => Framing::Bytes,
        },
        terminator: settings.terminator,
        nuls: if text { Nuls::HoldBack } else { Nuls::Pass },
        rewriting: if rtail { Rewriting::Discern } else { Rewriting::AsGnu },
        lineage: if rtail { Lineage::Find } else { Lineage::Ignore },
        rotate_wait: settings.rotate_wait,
        poll_only: settings.looking != Looking::Events,
        poll_interval: match (settings.looking, settings.persona) {
            (Looking::Poll(Some(interval)), _) => Some(interval.max(SHORTEST_INTERVAL)),
            // The interval that GNU's `tail` has unless told otherwise is no wish of the user's.
            (_, Persona::Rtail) => Some(settings.sleep_interval)
                .filter(|interval| *interval != SLEEP_INTERVAL)
                .map(|interval| interval.max(SHORTEST_INTERVAL)),
            (_, Persona::Tail) => Some(settings.sleep_interval),
        },
        looks: match settings.persona {
            Persona::Rtail => Looks::EachRound,
            Persona::Tail => Looks::AfterQuietRounds(settings.max_unchanged_stats),
        },
        pipes: match settings.ending.until {
            Some(_) => Pipes::New,
            None if settings.ending.pids.is_empty() => Pipes::Windowed,
            None => Pipes::NamedNew,
        },
        never_seek: settings.presume_input_pipe,
        ..Options::default()
    }
}
