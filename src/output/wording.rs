//! What is said about files, in GNU `tail`'s words where it has any.

use std::fmt;
use std::io;
use std::ops::Range;
use std::path::Path;

use crate::quote::{quote, quote_if_needed};
use crate::settings::{Mode, Persona};
use crate::tail::{Arrival, Doubt, Evidence, FileKind, Happening, Loss, Outlook, Since, Standing, Tail, Trouble};

/// What standard input goes by.
pub(crate) const STDIN: &str = "standard input";

/// Who speaks, and what of.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Voice {
    pub(crate) persona: Persona,
    pub(crate) mode: Mode,
    pub(crate) retry: bool,
}

/// The cause of an error without Rust's addition of its number.
pub(crate) fn cause(error: &io::Error) -> String {
    let text = error.to_string();
    match (error.raw_os_error(), text.rfind(" (os error ")) {
        (Some(_), Some(end)) => text[..end].to_owned(),
        _ => text,
    }
}

/// The notices for something that happened to a file of this name, in order; none for what needs no words.
pub(crate) fn notices(voice: Voice, name: &Path, happening: &Happening) -> Vec<String> {
    // Most often nothing is said.
    let quoted = fmt::from_fn(|f| f.write_str(&quote(name)));
    let bare = fmt::from_fn(|f| f.write_str(&quote_if_needed(name)));
    let gnu = voice.persona == Persona::Tail;
    let giving_up = |outlook: &Outlook| match outlook {
        Outlook::GivenUp => "; giving up on this name",
        Outlook::Waiting => "",
    };
    match happening {
        Happening::Opened { arrival, .. } => match arrival {
            Arrival::First | Arrival::Unseen | Arrival::Resumed => vec![],
            Arrival::Appeared => vec![format!("{quoted} has appeared;  following new file")],
            Arrival::Replaced(_) => vec![format!("{quoted} has been replaced;  following new file")],
            Arrival::Accessible | Arrival::Returned => vec![format!("{quoted} has become accessible")],
        },
        Happening::Rotated { .. } | Happening::Closed { .. } => vec![],
        Happening::Inaccessible { error, .. } if name == Path::new(STDIN) => {
            let cause = cause(error);
            let reading = (voice.mode == Mode::Print).then(|| format!("-: {cause}"));
            std::iter::once(format!("cannot fstat {quoted}: {cause}")).chain(reading).collect()
        }
        Happening::Inaccessible { error, since: Since::Start, .. } => {
            vec![format!("cannot open {quoted} for reading: {}", cause(error))]
        }
        // GNU's says nothing while a name stays one that can't be followed.
        Happening::Inaccessible { since: Since::Still, .. } if gnu => vec![],
        Happening::Inaccessible { error, .. } => {
            vec![format!("{quoted} has become inaccessible: {}", cause(error))]
        }
        Happening::Untailable { error, since: Since::Start, outlook, .. } => {
            let reading = error.as_ref().map(|error| format!("error reading {quoted}: {}", cause(error)));
            // With --retry GNU's doesn't say that it gives up, even where it does.
            let clause = if voice.retry { "" } else { giving_up(outlook) };
            let following = (voice.mode != Mode::Print)
                .then(|| format!("{bare}: cannot follow end of this type of file{clause}"));
            reading.into_iter().chain(following).collect()
        }
        Happening::Untailable { kind, outlook, .. } => {
            let what = if *kind == FileKind::Symlink { "symbolic link" } else { "file" };
            vec![format!("{quoted} has been replaced with an untailable {what}{}", giving_up(outlook))]
        }
        Happening::OffsetBeyondEnd { offset, size, .. } => vec![format!(
            "{quoted}: offset {offset} lies beyond the end ({size} bytes): truncated or replaced since; beginning at 0"
        )],
        Happening::Rewritten { evidence, .. } => vec![match evidence {
            Evidence::Content if !gnu => {
                format!("{bare}: file truncated and rewritten;  following from its beginning")
            }
            _ => format!("{bare}: file truncated"),
        }],
        Happening::ReadFailed { error, .. } => vec![format!("error reading {quoted}: {}", cause(error))],
        // What GNU's does not know of, it says nothing about.
        _ if gnu => vec![],
        Happening::FoundUnseen { files: 1 } => vec![format!("{quoted}: found a rotated file that went by unseen")],
        Happening::FoundUnseen { files } => {
            vec![format!("{quoted}: found {files} rotated files that went by unseen")]
        }
        Happening::Recovered { range, copy, .. } => {
            let (count, copy) = (bytes(range.end - range.start), quote(copy));
            vec![format!("{quoted}: {count} that were cut off unread were found in {copy}")]
        }
        Happening::Shortened { from, to, .. } => {
            vec![format!("{bare}: file truncated from {from} to {to} bytes, which were read already; going on there")]
        }
        Happening::HeadCut { from, to, .. } => {
            let cut = from - to;
            vec![format!("{quoted}: {} cut off its beginning; going on at offset {to}", bytes(cut))]
        }
        Happening::NulsSkipped { range, .. } => {
            let count = range.end - range.start;
            vec![format!("{quoted}: skipped {count} NUL bytes (offsets {}-{}): no data", range.start, range.end)]
        }
        Happening::Lost { reason: Loss::Doubtful, .. } => {
            vec![format!("{quoted}: passed over a compressed file that may have been read before, or not")]
        }
        Happening::Lost { range, reason, .. } => {
            let why = match reason {
                Loss::Truncated => "truncated before they were read",
                Loss::Gone => "the file is gone",
                _ => "reading failed",
            };
            vec![match range {
                Some(range) => {
                    let count = range.end - range.start;
                    format!("{quoted}: lost {} (offsets {}-{}): {why}", bytes(count), range.start, range.end)
                }
                None => format!("{quoted}: lost an unknown number of bytes: {why}"),
            }]
        }
        Happening::NotAnswering => vec![format!("{quoted}: not answering; waiting for it")],
        Happening::Answering => vec![format!("{quoted}: answers again")],
        Happening::Damaged { error, .. } => vec![format!("{quoted}: {}", cause(error))],
        Happening::CameAndWent { files } => {
            let files = if *files == 1 { "a file".to_owned() } else { format!("{files} files") };
            vec![format!("{quoted}: lost an unknown number of bytes: {files} came and went unseen")]
        }
        Happening::Ambiguous { doubt, .. } => vec![format!("{quoted}: ambiguous: {}", undecided(doubt))],
        Happening::Ended { .. } => vec![],
    }
}

/// What can't be told, and how it was decided.
pub(crate) fn undecided(doubt: &Doubt) -> String {
    match doubt {
        Doubt::CutUnread(range) => {
            let (count, Range { start, end }) = (bytes(range.end - range.start), range);
            format!("{count} (offsets {start}-{end}) were truncated before they were read, or written since")
        }
        Doubt::Copy(path) => {
            format!("{} is taken for a copy from before it was truncated, and may be a log of its own", quote(path))
        }
        _ => "touched, or rewritten with the same bytes; nothing is repeated".to_owned(),
    }
}

/// How many bytes there are between two offsets, in words.
fn bytes(count: u64) -> String {
    if count == 1 { "1 byte".to_owned() } else { format!("{count} bytes") }
}

/// The notices for what was read and not shown, since its line is not finished, when the program ends.
pub(crate) fn unfinished(tail: &Tail) -> impl Iterator<Item = String> {
    // Before the end of a file, it is only where the last read has ended.
    let unfinished = |file: &Standing<'_>| file.kept > 0 && file.offset == file.size;
    tail.files().filter(unfinished).map(|Standing { path, offset, kept, .. }| {
        let begin = offset.saturating_sub(kept);
        let end = if kept == 1 { "ends" } else { "end" };
        format!("{}: held back {} that {end} no line (offsets {begin}-{offset})", quote(path), bytes(kept))
    })
}

/// The notice for a file that a pattern matches and that is the output.
pub(crate) fn left_out(path: &Path) -> String {
    format!("{}: left out: it is the output", quote(path))
}

/// The notice for the first file that a pattern would match if it were not compressed.
pub(crate) fn compressed(path: &Path) -> String {
    let ending = path.extension().unwrap_or_default().display();
    format!("{}: left out: it is compressed; '*.{ending}' would take such files as they are", quote(path))
}

/// The notice for a directory that a pattern leads through and that can't be listed.
pub(crate) fn unlistable(path: &Path, error: &io::Error) -> String {
    format!("cannot read directory {}: {}", quote(path), cause(error))
}

/// The notice for a pattern that nothing matches as yet.
pub(crate) fn no_match_yet(pattern: &Path) -> String {
    format!("{}: no file matches yet", quote(pattern))
}

/// The notice for a mount that somebody still waits for, who can't be waited for.
pub(crate) fn left_behind(mount: &Path) -> String {
    format!("{}: still not answering; what waits for it was left behind", quote(mount))
}

/// The notice for a directory or file to be followed that isn't there.
pub(crate) fn no_base(path: &Path, since: Since) -> String {
    match since {
        Since::Start => format!("{}: not there yet; waiting for it", quote(path)),
        Since::Change | Since::Still => format!("{}: not there any more; waiting for it", quote(path)),
    }
}

/// The notice for a session that is called this from now on.
pub(crate) fn session(path: &Path, label: &str) -> String {
    format!("{}: {label}", quote(path))
}

/// The notices for notification that does not work.
pub(crate) fn trouble(persona: Persona, trouble: &Trouble) -> Vec<String> {
    const REVERTING: &str = "inotify cannot be used, reverting to polling";
    let limit = |text: &str| match persona {
        Persona::Tail => String::new(),
        Persona::Rtail => format!(": {text}"),
    };
    match trouble {
        Trouble::Watches => {
            let named = limit("the limit fs.inotify.max_user_watches is reached; files beyond it are polled");
            vec![format!("inotify resources exhausted{named}")]
        }
        Trouble::NoEvents(error) if error.raw_os_error() == Some(rustix::io::Errno::MFILE.raw_os_error()) => {
            let named = limit("the limit fs.inotify.max_user_instances or that of open files (ulimit -n) is reached");
            vec![format!("{REVERTING}: {}{named}", cause(error))]
        }
        Trouble::Watch(path, error) if persona == Persona::Rtail => {
            vec![format!("{} can't be watched, polling it: {}", quote(path), cause(error))]
        }
        Trouble::NoEvents(error) | Trouble::Watch(_, error) => vec![format!("{REVERTING}: {}", cause(error))],
        Trouble::DirectoryGone(_) if persona == Persona::Rtail => vec![],
        Trouble::DirectoryGone(_) => {
            vec!["directory containing watched file was removed".to_owned(), REVERTING.to_owned()]
        }
        Trouble::Failed(why) => vec![format!("{REVERTING}: {why}")],
    }
}
