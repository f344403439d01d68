//! Who is compared: rtail, GNU `tail`, and what else is there; and how each is asked for the same thing.

use std::ffi::OsString;
use std::fmt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context as _, bail};

use crate::log::MARK;

/// A program that tails.
#[derive(Debug)]
pub(crate) struct Peer {
    /// What it is called in the table.
    pub(crate) label: String,
    version: String,
    program: Program,
    dialect: Dialect,
    filters: Filters,
}

/// What is run.
#[derive(Debug)]
struct Program {
    path: PathBuf,
    /// The part of a program of many parts.
    applet: Option<&'static str>,
}

/// How a program takes its orders.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Dialect {
    /// `rtail follow`, which follows unless told not to.
    Rtail,
    /// `tail`, which doesn't follow unless told to.
    Tail,
}

/// How a program filters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Filters {
    /// By itself, with `--grep`.
    Itself,
    /// By a `grep` behind it.
    Piped,
    /// rtail as long as it can't.
    Not,
}

/// What a program is asked for.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Errand<'a> {
    pub(crate) from: From,
    pub(crate) then: Then,
    pub(crate) show: Show,
    /// Where it runs.
    pub(crate) directory: &'a Path,
    /// The files, as seen from there.
    pub(crate) files: &'a [OsString],
}

/// Where it begins.
#[derive(Clone, Copy, Debug)]
pub(crate) enum From {
    Start,
    LastLines(u64),
}

/// What it does at the end of the files.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Then {
    End,
    Follow,
}

/// What it shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Show {
    All,
    /// Lines with the mark.
    Marked,
    /// The same from the start on, as programs ask for them: by `rtail stream`, where that is what is run.
    Streamed,
}

impl Peer {
    fn new(path: &Path) -> anyhow::Result<Self> {
        let program = Program::new(path);
        let version = program.answer(&["--version"])?.lines().next().unwrap_or("says nothing of itself").to_owned();
        let known = ["rtail", "GNU", "BusyBox", "uutils"].into_iter().find(|sign| version.contains(sign));
        let label = known.map_or_else(|| path.display().to_string(), str::to_owned);
        let (dialect, filters) = match known {
            Some("rtail") if program.answer(&["follow", "--help"])?.contains("--grep") => {
                (Dialect::Rtail, Filters::Itself)
            }
            Some("rtail") => (Dialect::Rtail, Filters::Not),
            _ => (Dialect::Tail, Filters::Piped),
        };
        Ok(Self { label, version, program, dialect, filters })
    }

    /// Whether it can be asked for some lines only.
    pub(crate) fn can_filter(&self) -> bool {
        self.filters != Filters::Not
    }

    /// The commands that do an errand, each reading what the one before it writes.
    pub(crate) fn commands(&self, errand: &Errand<'_>) -> Vec<Command> {
        let mut command = self.program.command();
        command.current_dir(errand.directory);
        if (self.dialect, errand.show) == (Dialect::Rtail, Show::Streamed) {
            command.arg("stream");
        } else {
            command.args((self.dialect == Dialect::Rtail).then_some("follow")).arg("-q").arg("-n");
            command.arg(match errand.from {
                From::Start => "+1".to_owned(),
                From::LastLines(count) => count.to_string(),
            });
        }
        match (self.dialect, errand.then) {
            (Dialect::Rtail, Then::End) => command.arg("--no-follow"),
            (Dialect::Tail, Then::Follow) => command.arg("-F"),
            (Dialect::Rtail, Then::Follow) | (Dialect::Tail, Then::End) => &mut command,
        };
        if errand.show != Show::All && self.filters == Filters::Itself {
            command.args(["--grep", MARK]);
        }
        command.arg("--").args(errand.files);
        let mut commands = vec![command];
        if errand.show != Show::All && self.filters == Filters::Piped {
            let mut grep = Command::new("grep");
            grep.args(["--line-buffered", MARK]);
            commands.push(grep);
        }
        commands
    }
}

impl Program {
    fn new(path: &Path) -> Self {
        let of_many = path.file_stem().is_some_and(|stem| stem == "busybox" || stem == "coreutils");
        Self { path: path.to_owned(), applet: of_many.then_some("tail") }
    }

    fn command(&self) -> Command {
        let mut command = Command::new(&self.path);
        command.args(self.applet).env("LC_ALL", "C");
        command
    }

    /// What it answers to a question about itself, be it only by complaining of the question.
    fn answer(&self, question: &[&str]) -> anyhow::Result<String> {
        let output = self.command().args(question).stdin(Stdio::null()).output();
        let output = output.with_context(|| self.path.display().to_string())?;
        let said = if output.stdout.is_empty() { output.stderr } else { output.stdout };
        Ok(String::from_utf8_lossy(&said).into_owned())
    }
}

impl fmt::Display for Peer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {} ({}", self.label, self.version, self.program.path.display())?;
        self.program.applet.iter().try_for_each(|applet| write!(f, " {applet}"))?;
        write!(f, ")")
    }
}

/// All that are compared: rtail, `tail`, `busybox tail` and uutils' where they are on PATH, and those that were named.
///
/// # Errors
/// When one of them can't be run, or there is no `tail`: ratios are ratios to it.
pub(crate) fn line_up(rtail: Option<&Path>, against: &[PathBuf]) -> anyhow::Result<Vec<Peer>> {
    let rtail = match rtail {
        Some(path) => std::path::absolute(path)?,
        None => build()?,
    };
    let Some(tail) = find("tail") else { bail!("there is no `tail` on PATH to compare with") };
    let mut peers = vec![Peer::new(&rtail)?, Peer::new(&tail)?];
    // Either may be there without `tail` among its parts.
    let others = ["busybox", "coreutils"].into_iter().filter_map(find).filter_map(|path| Peer::new(&path).ok());
    peers.extend(others.filter(|peer| peer.label == "BusyBox" || peer.label == "uutils"));
    for path in against {
        peers.push(Peer { label: path.display().to_string(), ..Peer::new(&std::path::absolute(path)?)? });
    }
    Ok(peers)
}

/// Builds the rtail of this tree for release: what is measured is never an old one.
fn build() -> anyhow::Result<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().context("the crate stands alone")?;
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let build = Command::new(cargo)
        .args(["build", "--release", "--locked", "--package", "rtail", "--bin", "rtail"])
        .current_dir(root)
        .status()
        .context("cargo")?;
    if !build.success() {
        bail!("rtail can't be built");
    }
    let target = std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root.join("target"), PathBuf::from);
    Ok(root.join(target).join("release/rtail"))
}

fn find(name: &str) -> Option<PathBuf> {
    std::env::split_paths(&std::env::var_os("PATH")?).map(|place| place.join(name)).find(|path| path.is_file())
}
