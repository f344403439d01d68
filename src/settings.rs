//! What the user asked for, as plain values.
//!
//! The arguments ([`crate::cli`]) are turned into these in one step; from here on nothing knows clap. No
//! value here has been checked against the file system: a name is what was typed.

use std::ffi::OsString;
use std::path::PathBuf;
use std::time::Duration;

use regex::bytes::Regex;

pub use crate::tail::Start;

/// Under which name the program was called: it decides defaults, message prefix and usage status.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Persona {
    /// `rtail`: follows by name, whole lines, usage errors are status 2.
    Rtail,
    /// `tail`: GNU `tail` to the letter, usage errors are status 1.
    Tail,
}

impl Persona {
    /// The name that begins every message.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Rtail => "rtail",
            Self::Tail => "tail",
        }
    }
}

/// One operand: a name as it was typed, or standard input.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Operand {
    /// `-`, or no operand at all.
    Stdin,
    /// A file name or a glob pattern; which of the two is for the file system to say.
    Name(PathBuf),
}

/// Whether, and by what, files are followed after the first output.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// Print and end.
    Print,
    /// Follow the file that was opened, whatever its name becomes (`-f`).
    Descriptor,
    /// Follow the name, whatever file it means (`-F`, `--follow=name`, and `rtail follow`).
    Name,
}

/// When `==> name <==` headers are printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Headers {
    /// With more than one file, unless lines have labels.
    Auto,
    /// Never (`-q`).
    Never,
    /// Always (`-v`).
    Always,
}

/// What makes rtail look at its files.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Looking {
    /// Notification by the kernel where it works, else a timer.
    Events,
    /// A timer alone (`--poll[=DUR]`); `None` leaves its interval to the core.
    Poll(Option<Duration>),
}

/// When a command ends that could go on.
#[derive(Clone, Debug, Default)]
pub struct Ending {
    /// Once a line matches.
    pub until: Option<Regex>,
    /// After this time.
    pub timeout: Option<Duration>,
    /// After this time without new data.
    pub idle_timeout: Option<Duration>,
    /// When no process holds a lock on any of the files any more.
    pub while_locked: bool,
    /// When all of these processes are gone; empty: no such condition.
    pub pids: Vec<u32>,
}

/// Which lines are shown.
#[derive(Clone, Debug, Default)]
pub struct Selection {
    /// Those that match one of these; empty: all.
    pub grep: Vec<Regex>,
    /// Of these, not those that match one of these.
    pub exclude: Vec<Regex>,
    /// How many lines around those are shown; without `grep`, none.
    pub context: Context,
}

/// How many lines are shown around those that match.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Context {
    /// Before each.
    pub before: usize,
    /// Behind each.
    pub after: usize,
}

impl Context {
    /// No others.
    pub const NONE: Self = Self { before: 0, after: 0 };
}

impl Selection {
    /// Whether every line is shown.
    #[must_use]
    pub fn is_everything(&self) -> bool {
        self.grep.is_empty() && self.exclude.is_empty()
    }
}

/// What of a file's name its lines begin with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Label {
    /// Nothing.
    None,
    /// As much of its end as tells it from the others.
    Name,
    /// All of it, as it was given or found.
    Path,
}

/// When there is colour.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Color {
    /// On terminals, unless the environment says otherwise.
    Auto,
    /// Always.
    Always,
    /// Never.
    Never,
}

/// What is done about control characters on terminals.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Controls {
    /// They are spelled, so that they do nothing to the terminal; colours pass.
    Spell,
    /// They are written as they are (`--raw-control`).
    Pass,
}

/// How lines are shown to people.
#[derive(Clone, Debug)]
pub struct Viewing {
    /// Whether they begin with the time at which they came.
    pub timestamps: bool,
    /// What of their file's name they begin with, behind that.
    pub label: Label,
    /// What is coloured in them, beside what they were selected for.
    pub highlight: Vec<Regex>,
    /// What is done about control characters.
    pub controls: Controls,
    /// When there is colour.
    pub color: Color,
}

impl Viewing {
    /// Lines as they are.
    pub const PLAIN: Self = Self {
        timestamps: false,
        label: Label::None,
        highlight: Vec::new(),
        controls: Controls::Pass,
        color: Color::Never,
    };

    /// Whether lines have to come whole, since something is added to them or looked for in them.
    #[must_use]
    pub fn needs_lines(&self) -> bool {
        self.timestamps || self.label != Label::None || !self.highlight.is_empty()
    }
}

/// Everything `rtail follow` was asked to do.
#[derive(Clone, Debug)]
pub struct Follow {
    /// The name the program goes by.
    pub persona: Persona,
    /// What to follow, in the order given; never empty.
    pub operands: Vec<Operand>,
    /// Where the first output begins.
    pub start: Start,
    /// The byte that ends a line: a newline, or NUL with `-z`.
    pub terminator: u8,
    /// When headers are printed.
    pub headers: Headers,
    /// Which lines are shown.
    pub selection: Selection,
    /// How they are shown.
    pub viewing: Viewing,
    /// Whether and how to follow.
    pub mode: Mode,
    /// Keep trying names that can't be opened (`--retry`).
    pub retry: bool,
    /// The interval between looks while polling, and between looks at processes. `Duration::MAX` for `inf`.
    pub sleep_interval: Duration,
    /// GNU's `--max-unchanged-stats`: how many quiet rounds of polling pass between two looks at a name. Of effect under
    /// the name `tail` alone.
    pub max_unchanged_stats: u64,
    /// Events or polling.
    pub looking: Looking,
    /// How long a rotated file must be quiet before it is let go.
    pub rotate_wait: Duration,
    /// When to end; of lines only appended ones are matched.
    pub ending: Ending,
    /// Say how the files are followed, and why.
    pub debug: bool,
    /// GNU's hidden `---presume-input-pipe`: never seek.
    pub presume_input_pipe: bool,
}

/// Where a stream begins in a file of which no checkpoint knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Begin {
    /// At its start.
    Start,
    /// At its end; files that appear later begin at their start.
    End,
    /// At this byte, counted from 0, of the only operand. Beyond the end means that the file was cut since.
    Offset(u64),
}

/// What a stream does at the end of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AtEnd {
    /// It ends (`--no-follow`).
    Stop,
    /// It follows the name, whatever file it means.
    Follow,
}

/// How long a file that is missing at the start is waited for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wait {
    /// Not at all: it is an error.
    Never,
    /// For this time; then it is an error.
    For(Duration),
    /// Until it is there.
    Always,
}

/// What a stream writes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// The bytes, nothing added.
    Raw,
    /// One record a line, in JSON.
    Json,
}

/// What of its content a line's record has parsed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Parse {
    /// Nothing.
    Nothing,
    /// A JSON object.
    Json,
}

/// Everything `rtail stream` was asked to do.
#[derive(Clone, Debug)]
pub struct Stream {
    /// What to read, in the order given; never empty. Standard input is there at most once; with a
    /// [`checkpoint`](Self::checkpoint) it is not, and no name is there twice.
    pub operands: Vec<Operand>,
    /// Where to begin in what the checkpoint has nothing about. With [`Begin::Offset`] there is one operand, and no
    /// pattern.
    pub begin: Begin,
    /// Where the positions that the output accepted are kept.
    pub checkpoint: Option<PathBuf>,
    /// What to do at the end of a file. With [`AtEnd::Stop`], `wait` is [`Wait::Never`], and of `ending` locks and
    /// processes are not set.
    pub at_end: AtEnd,
    /// How long to wait for files that are missing at the start.
    pub wait: Wait,
    /// Events or polling.
    pub looking: Looking,
    /// How long a rotated file must be quiet before it is let go.
    pub rotate_wait: Duration,
    /// When to end; every line that is read is matched, delivered or not.
    pub ending: Ending,
    /// Which lines to deliver; there is no context.
    pub selection: Selection,
    /// What to write.
    pub format: Format,
    /// What to parse of lines; with [`Format::Raw`], nothing.
    pub parse: Parse,
    /// The longest line held in memory, in bytes, at least 1; a longer one is delivered in pieces.
    pub max_line: usize,
    /// Whether a gap or an undecidable case changes the exit status.
    pub strict: bool,
    /// Whether to account for the bytes of each file at the end.
    pub summary: bool,
}

/// By what a session is told to be active or completed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Liveness {
    /// By locks; a file that was never seen locked by its growth.
    Auto,
    /// By locks alone.
    Lock,
    /// By growth alone.
    Growth,
    /// It is not told.
    Untold,
}

/// What is shown of files that are there when a watch begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Beginning {
    /// Everything of those that are being written, nothing of the others.
    Active,
    /// The same of all.
    Everywhere(Start),
}

/// What `rtail watch` writes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Showing {
    /// Lines behind the names of their files.
    Text,
    /// One record a line, in JSON.
    Json,
}

/// Everything `rtail watch` was asked to do.
#[derive(Clone, Debug)]
pub struct Watch {
    /// Directories, glob patterns and files, in the order given; never empty.
    pub paths: Vec<PathBuf>,
    /// Patterns for the names of files in directories; empty: all that may be logs.
    pub globs: Vec<OsString>,
    /// Patterns for the names of directories that are left out.
    pub left_out: Vec<OsString>,
    /// How many levels of directories are gone through, at least 1; `None`: all.
    pub depth: Option<usize>,
    /// What is shown of what is there.
    pub beginning: Beginning,
    /// By what sessions are told to be active.
    pub liveness: Liveness,
    /// How long a file that nobody locks is active without growing.
    pub idle_after: Duration,
    /// How many completed sessions are held open.
    pub keep: usize,
    /// Where the positions that the output accepted are kept.
    pub checkpoint: Option<PathBuf>,
    /// Events or polling.
    pub looking: Looking,
    /// How long a file that lost its name must be quiet before it is let go.
    pub rotate_wait: Duration,
    /// When to end; of `ending`, locks and processes are not set. Every line that is shown is matched.
    pub ending: Ending,
    /// What to write.
    pub showing: Showing,
    /// Which lines are shown; with records, without context.
    pub selection: Selection,
    /// How they look; with records, as they are.
    pub viewing: Viewing,
}
