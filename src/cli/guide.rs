//! What `--help` and the man pages say beside the options: examples, and what the exit status means.

use super::{follow, stream, watch};

/// What is worth knowing of a command beside its options.
#[derive(Clone, Copy, Debug)]
pub struct Guide {
    /// Command lines worth knowing, each with what it is for.
    pub examples: &'static [(&'static str, &'static str)],
    /// The values of the exit status, each with its meaning.
    pub statuses: &'static [(&'static str, &'static str)],
}

/// The guide to `rtail follow`.
pub const FOLLOW: Guide = Guide {
    examples: &[
        ("rtail follow app.log", "Print the last 10 lines and whatever comes, through rotation."),
        ("rtail follow -n 0 web.log db.log", "Only what is new, of two files."),
        (
            "rtail follow -l 'logs/*.log'",
            "Every log of a directory, those that appear later included, named on each line.",
        ),
        (
            "rtail follow -n +1 -g 'error|fatal' -x healthcheck -C 2 app.log",
            "Only lines that match, and 2 around each, of everything in the log and whatever comes.",
        ),
        (
            "rtail follow --until 'listening on' --timeout 1m server.log",
            "In CI: wait until a server is up; status 3 if it isn't within a minute.",
        ),
        (
            "rtail follow -n +1 --while-locked build.log",
            "A log from its start to the end of the run that holds its lock.",
        ),
    ],
    statuses: &[AS_ASKED, ("1", "a file failed, or output could not be written"), USAGE, UNMET, KILLED],
};

/// The guide to `rtail stream`.
pub const STREAM: Guide = Guide {
    examples: &[
        (
            "rtail stream --checkpoint app.pos app.log >>copy.log",
            "Resume: each run delivers what came since the last one.",
        ),
        (
            "rtail stream --format json app.log | jq -r 'select(.type == \"line\").text'",
            "Records with offsets, and the events between them, for programs.",
        ),
        (
            "rtail stream --wait --checkpoint /var/lib/app/pos /var/log/app.log",
            "As a service, in ExecStart=: waits for the log, ends on TERM, resumes after a restart.",
        ),
        (
            "rtail stream --strict --until '^done$' --timeout 10m job.log >copy || exit",
            "In a script: goes on if 'done' came in time and the copy is complete.",
        ),
    ],
    statuses: &[
        AS_ASKED,
        ("1", "a file failed or is missing, or the output or the checkpoint failed"),
        USAGE,
        UNMET,
        ("4", "--strict, and there was a gap or an undecidable case"),
        KILLED,
    ],
};

/// The guide to `rtail watch`.
pub const WATCH: Guide = Guide {
    examples: &[
        ("rtail watch ci/logs", "All logs of a directory, live, and which of them are being written."),
        (
            "rtail watch --glob '*.log' --exclude-dir archive runs",
            "Only files of that name, and not those in archive.",
        ),
        ("rtail watch --from start '/var/log/containers/*_prod_*.log'", "Everything of the files of a pattern."),
        (
            "rtail watch --format json runs | jq -r 'select(.state == \"completed\").path'",
            "For programs: which runs have ended, once all that they wrote was delivered.",
        ),
    ],
    statuses: &[AS_ASKED, ("1", "the output or the checkpoint failed"), USAGE, UNMET, KILLED],
};

/// The guide to the program as a whole: an example or two of each command, and how any of them can end.
pub const PROGRAM: Guide = Guide {
    examples: &[FOLLOW.examples[0], FOLLOW.examples[2], STREAM.examples[0], STREAM.examples[1], WATCH.examples[0]],
    statuses: STREAM.statuses,
};

// What a status means in every command.
const AS_ASKED: (&str, &str) = ("0", "ended as asked");
const USAGE: (&str, &str) = ("2", "usage");
const UNMET: (&str, &str) = ("3", "--timeout passed, or the input ended, before --until was met");
const KILLED: (&str, &str) = ("128+n", "killed by signal n");

/// The guide to the command of that name, or to the program.
#[must_use]
pub fn to(command: &str) -> Guide {
    match command {
        follow::NAME => FOLLOW,
        stream::NAME => STREAM,
        watch::NAME => WATCH,
        _ => PROGRAM,
    }
}

impl Guide {
    /// Both as blocks for the end of a long help.
    pub(super) fn blocks(&self) -> String {
        let mut text = String::from("EXAMPLES:");
        for (command, purpose) in self.examples {
            text.extend(["\n  ", command, "\n      ", purpose]);
        }
        text.push_str("\n\nEXIT STATUS:");
        text.extend(self.statuses.iter().map(|(status, meaning)| format!("\n  {status:<7}{meaning}")));
        text
    }
}
