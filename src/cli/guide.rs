//! What `--help` and the man pages say beside the options: examples, and what the exit status means.

/// Command lines worth knowing, each with what it is for.
pub const EXAMPLES: [(&str, &str); 5] = [
    ("rtail follow app.log", "Print the last 10 lines and whatever comes, through rotation."),
    ("rtail follow -n 0 web.log db.log", "Only what is new, of two files."),
    ("rtail follow 'logs/*.log'", "Every log of a directory, those that appear later included."),
    (
        "rtail follow --until 'listening on' --timeout 1m server.log",
        "In CI: wait until a server is up; status 3 if it isn't within a minute.",
    ),
    (
        "rtail follow -n +1 --while-locked build.log",
        "A log from its start to the end of the run that holds its lock.",
    ),
];

/// The values of the exit status, each with its meaning.
pub const STATUSES: [(&str, &str); 5] = [
    ("0", "ended as asked"),
    ("1", "a file failed, or output could not be written"),
    ("2", "usage"),
    ("3", "--timeout passed, or the input ended, before --until was met"),
    ("128+n", "killed by signal n"),
];

/// Both as blocks for the end of a long help.
pub(super) fn blocks() -> String {
    let mut text = String::from("EXAMPLES:");
    for (command, purpose) in EXAMPLES {
        text.extend(["\n  ", command, "\n      ", purpose]);
    }
    text.push_str("\n\nEXIT STATUS:");
    text.extend(STATUSES.map(|(status, meaning)| format!("\n  {status:<7}{meaning}")));
    text
}
