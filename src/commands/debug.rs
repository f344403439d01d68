//! What `--debug` says: how the files are followed, and which limits are in force.

use std::path::Path;

use rustix::process::{Resource, getrlimit};

use crate::quote::quote;
use crate::settings::{Follow, Mode, Persona};
use crate::tail::{Because, Noticed, SourceId, Tail};

/// GNU's line and, but under the name `tail`, a line a file and one for the limits.
pub(crate) fn explanation(settings: &Follow, tail: &Tail, sources: &[(&Path, SourceId)]) -> Vec<String> {
    let all: Vec<(&Path, Noticed)> =
        sources.iter().filter_map(|(name, source)| Some((*name, tail.noticed(*source)?))).collect();
    let mut lines = vec![format!("using {} mode", mode(settings.mode, tail.uses_events(), &all))];
    if settings.persona == Persona::Rtail {
        lines.extend(all.iter().map(|(name, noticed)| describe(name, *noticed)));
        lines.push(limits());
    }
    lines
}

/// GNU's word for how files are followed.
fn mode(mode: Mode, events: bool, all: &[(&Path, Noticed)]) -> &'static str {
    let reading = all.iter().any(|(_, noticed)| *noticed == Noticed::ByReading);
    let polling = all.iter().any(|(_, noticed)| matches!(noticed, Noticed::ByPolling(_)));
    match mode {
        Mode::Descriptor if reading && all.len() == 1 => "blocking",
        _ if events && !polling && !reading => "notification",
        _ => "polling",
    }
}

/// By what a file of this name is noticed, and why.
fn describe(name: &Path, noticed: Noticed) -> String {
    let how = match noticed {
        Noticed::ByEvents => "noticed by events",
        Noticed::ByReading => "waited for: it is no regular file",
        Noticed::ByPolling(Because::Asked) => "polled: asked for",
        Noticed::ByPolling(Because::FileSystem) => "watched and polled: its file system doesn't announce everything",
        Noticed::ByPolling(Because::NoWatch) => "polled: it can't be watched",
        Noticed::ByPolling(Because::Unannounced) => "watched and polled: it changed unannounced",
    };
    format!("{}: {how}", quote(name))
}

/// The limits that decide what can be watched and held open.
fn limits() -> String {
    let inotify = |name: &str| {
        let value = std::fs::read_to_string(format!("/proc/sys/fs/inotify/{name}"));
        value.map_or_else(|_| "unknown".to_owned(), |value| value.trim().to_owned())
    };
    let files = getrlimit(Resource::Nofile).current.map_or_else(|| "unlimited".to_owned(), |limit| limit.to_string());
    let [watches, instances, events] = ["max_user_watches", "max_user_instances", "max_queued_events"].map(inotify);
    format!(
        "limits: {watches} watches, {instances} event sources a user, {events} events waiting; {files} open files"
    )
}
