//! What programs are told of happenings: records, words, and what they mean for the end.

use std::path::Path;
use std::time::Duration;

use super::account::{Row, Whose};
use super::ending::Reason;
use super::ledger::Ledger;
use super::naming::as_called;
use super::session::Over;
use crate::output::file_id::ShortId;
use crate::output::record::{FileEnd, Milliseconds, Missing, Name, NewName, Record};
use crate::output::wording::{self, Voice, cause, undecided};
use crate::quote::quote;
use crate::settings::{Mode, Persona};
use crate::tail::{Evidence, Happening, Loss, Outlook};

/// How files are spoken of that are followed by name.
pub(super) const VOICE: Voice = Voice { persona: Persona::Rtail, mode: Mode::Name, retry: false };

/// The intervals in which the core tries again what failed.
const RETRY: Duration = Duration::from_millis(250);

/// Hands out the records for something that happened to a file of this name.
pub(super) fn records(path: &Path, what: &Happening, mut tell: impl FnMut(Record<'_>)) {
    let name = Name::from(path);
    let error = |operation, error: Option<&std::io::Error>, otherwise: &str, outlook: Outlook| {
        let message = error.map_or_else(|| otherwise.to_owned(), cause);
        let retry_in = (outlook == Outlook::Waiting).then_some(Milliseconds(RETRY));
        (operation, message, retry_in)
    };
    let (operation, message, retry_in) = match what {
        Happening::Opened { file, offset, size, .. } => {
            return tell(Record::Open { name, file_id: ShortId::from(*file), offset: *offset, size: *size });
        }
        Happening::Rotated { from, to, renamed_to } => {
            let renamed_to = renamed_to.as_deref().map(|place| as_called(path, place));
            let renamed_to = renamed_to.as_deref().map(NewName::from);
            let (file_id, new_file_id) = (ShortId::from(*from), ShortId::from(*to));
            return tell(Record::Rotate { name, file_id, new_file_id, renamed_to });
        }
        Happening::OffsetBeyondEnd { file, offset, size } => {
            let (file_id, evidence) = (ShortId::from(*file), Evidence::Size);
            return tell(Record::Truncate { name, file_id, offset: *offset, size: *size, evidence, resumes_at: 0 });
        }
        Happening::Rewritten { file, evidence, offset, size, .. } => {
            let (file_id, evidence) = (ShortId::from(*file), *evidence);
            return tell(Record::Truncate { name, file_id, offset: *offset, size: *size, evidence, resumes_at: 0 });
        }
        Happening::Shortened { file, from, to, .. } => {
            let (file_id, evidence) = (ShortId::from(*file), Evidence::Size);
            return tell(Record::Truncate { name, file_id, offset: *from, size: *to, evidence, resumes_at: *to });
        }
        Happening::HeadCut { file, from, to, size } => {
            let (file_id, evidence) = (ShortId::from(*file), Evidence::Content);
            return tell(Record::Truncate { name, file_id, offset: *from, size: *size, evidence, resumes_at: *to });
        }
        Happening::NulsSkipped { file, range } => {
            let (file_id, missing) = (Some(ShortId::from(*file)), Missing::Range(range.clone()));
            return tell(Record::Gap { name, file_id, missing, reason: "nul_bytes" });
        }
        Happening::CameAndWent { files } => {
            return tell(Record::Gap { name, file_id: None, missing: Missing::Files(*files), reason: "unseen" });
        }
        Happening::Lost { file, range, reason } => {
            let (file_id, missing) =
                (Some(ShortId::from(*file)), range.clone().map_or(Missing::Unknown, Missing::Range));
            return tell(Record::Gap { name, file_id, missing, reason: reason_of(*reason) });
        }
        Happening::Ambiguous { file, doubt } => {
            let reason = &undecided(doubt);
            return tell(Record::Ambiguous { name, file_id: ShortId::from(*file), reason });
        }
        Happening::Inaccessible { error: reason, outlook, .. } => error("open", Some(reason), "", *outlook),
        Happening::Untailable { error: reason, outlook, .. } => {
            error("open", reason.as_ref(), "this type of file can't be followed", *outlook)
        }
        Happening::ReadFailed { error: reason, outlook, .. } => error("read", Some(reason), "", *outlook),
        Happening::NotAnswering => error("look", None, "not answering", Outlook::Waiting),
        Happening::Damaged { error: reason, .. } => error("read", Some(reason), "", Outlook::GivenUp),
        // The lines that follow, or the last record, tell all there is to tell.
        Happening::FoundUnseen { .. }
        | Happening::Recovered { .. }
        | Happening::Answering
        | Happening::Closed { .. }
        | Happening::Ended { .. } => {
            return;
        }
    };
    tell(Record::Error { name, operation, message: &message, retry_in });
}

fn reason_of(loss: Loss) -> &'static str {
    match loss {
        Loss::Truncated => "truncated",
        Loss::Unreadable => "unreadable",
        Loss::Gone => "gone",
        Loss::Doubtful => "doubtful",
    }
}

/// Whether something was not delivered, or could not be decided.
pub(super) fn is_gap(what: &Happening) -> bool {
    matches!(
        what,
        Happening::Lost { .. }
            | Happening::CameAndWent { .. }
            | Happening::Ambiguous { .. }
            | Happening::NulsSkipped { .. }
    )
}

/// Whether a source was given up.
pub(super) fn is_given_up(what: &Happening) -> bool {
    matches!(
        what,
        Happening::Inaccessible { outlook: Outlook::GivenUp, .. }
            | Happening::Untailable { outlook: Outlook::GivenUp, .. }
            | Happening::ReadFailed { outlook: Outlook::GivenUp, .. }
    )
}

/// The words for a source that was given up.
pub(super) fn failure(path: &Path, what: &Happening) -> String {
    // What follows the cause is what comes of it, which is the end.
    wording::notices(VOICE, path, what).swap_remove(0)
}

/// How far each file was read in the end, with its account if that was asked for.
pub(super) fn ends<'a>(ledger: &'a Ledger, rows: &'a [Row]) -> Vec<FileEnd<'a>> {
    let in_play: Vec<_> = ledger.runs().collect();
    let accounts = rows.iter().map(|row| {
        let run = in_play.iter().find(|(_, of, _)| row.whose == Whose::Run(*of));
        let file_id = match row.whose {
            Whose::Run(of) => Some(ShortId::from(of.file)),
            Whose::NoFile(_) | Whose::Earlier(_) => None,
        };
        let next_offset = run.map(|(_, _, offset)| *offset);
        FileEnd { name: Name::from(&*row.path), file_id, next_offset, account: Some(row.account) }
    });
    let alone = in_play.iter().filter(|(_, of, _)| rows.iter().all(|row| row.whose != Whose::Run(*of)));
    let alone = alone.map(|(path, of, offset)| FileEnd {
        name: Name::from(*path),
        file_id: Some(ShortId::from(of.file)),
        next_offset: Some(*offset),
        account: None,
    });
    accounts.chain(alone).collect()
}

/// The word of the last record for why it is the last.
pub(super) fn reason(over: Over) -> &'static str {
    match over {
        Over::Dry => "end_of_file",
        Over::Met => "until",
        Over::Failed => "error",
        Over::Unwritable(_) => "output",
        Over::Asked(Reason::Signal(_)) => "signal",
        Over::Asked(Reason::ProcessesGone) => "pid",
        Over::Asked(Reason::Unlocked) => "unlocked",
        Over::Asked(Reason::Idle) => "idle_timeout",
        Over::Asked(Reason::Timeout) => "timeout",
    }
}

/// One line of the account, in words.
pub(super) fn account(row: &Row) -> String {
    let whose = match row.whose {
        Whose::Run(of) => ShortId::from(of.file).to_string(),
        Whose::NoFile(_) => "no file".to_owned(),
        Whose::Earlier(count) => format!("{count} earlier"),
    };
    let a = &row.account;
    format!(
        "summary: {} ({whose}): {} bytes on disk = {} not asked for + {} delivered + {} filtered + {} held back + {} \
         skipped + {} lost + {} unread",
        quote(&row.path),
        a.on_disk,
        a.not_asked_for,
        a.delivered,
        a.filtered,
        a.held_back,
        a.skipped,
        a.lost,
        a.unread
    )
}

/// The words for an account that doesn't add up.
pub(super) fn imbalance(row: &Row) -> String {
    let name = quote(&row.path);
    match row.astray {
        0.. => format!("{name}: the account does not add up: {} bytes were read and came to nothing", row.astray),
        _ => format!("{name}: the account does not add up: {} bytes came of nothing", -row.astray),
    }
}
