//! How lines look: options shared by the commands that show them to people.

use clap::{ArgAction, Args};
use regex::bytes::Regex;

use super::choice::Choice;
use super::complaint::Complaint;
use super::pattern::{self, Case};
use super::{heading, parser};
use crate::settings::{Color, Controls, Label, Viewing};

const ABOUT_LABEL: &str = "\
Begin each line with its file's name instead of printing headers: as much of the end of the name as tells the files \
apart (name, and -l alone), or all of it (path). Labels are padded to a column, and each file has a colour of its own";

const ABOUT_TIMESTAMPS: &str = "\
Begin each line with the time at which rtail read it, in RFC 3339 to the millisecond, with the local offset: \
2026-11-20T13:05:59.120+01:00";

const ABOUT_HIGHLIGHT: &str = "\
Colour what matches REGEX, or one of several, and show all lines. What --grep looks for is coloured anyway. The syntax \
is that of --grep";

const ABOUT_RAW_CONTROL: &str = "\
Write control characters to a terminal as they are. Without this option they are spelled (^G, <U+202E>), since a log \
could use them to drive the terminal or to hide what it says; sequences that set colours pass. In a pipe bytes are \
never touched";

const ABOUT_COLOR: &str = "\
Colour labels, matches, and words that tell severity (ERROR, WARN, level=info) except in JSON: on terminals (auto), \
always or never. With auto, NO_COLOR in the environment turns colours off, and CLICOLOR_FORCE turns them on even in a \
pipe; this option wins over both [default: auto]";

/// What was typed about looks.
#[derive(Args, Debug)]
#[command(next_help_heading = heading::VIEW)]
pub(super) struct ViewingOptions {
    /// Begin each line with its file's name, in a column and in colour, instead of printing headers
    #[arg(short = 'l', long, value_name = "name|path|none", long_help = ABOUT_LABEL)]
    #[arg(num_args = 0..=1, require_equals = true, default_missing_value = "name")]
    #[arg(value_parser = LABELS, hide_possible_values = true)]
    label: Option<Label>,

    /// Begin each line with the time at which it came, in RFC 3339
    #[arg(short = 'T', long, long_help = ABOUT_TIMESTAMPS)]
    timestamps: bool,

    /// Colour what matches REGEX, or one of several
    #[arg(short = 'H', long, value_name = "REGEX", long_help = ABOUT_HIGHLIGHT)]
    #[arg(action = ArgAction::Append, value_parser = parser(|text| pattern::pattern("--highlight", text)))]
    highlight: Vec<Regex>,

    /// Write control characters to a terminal as they are, instead of spelling them
    #[arg(long, long_help = ABOUT_RAW_CONTROL)]
    raw_control: bool,

    /// Colour the output on terminals, always or never [default: auto]
    #[arg(long, value_name = "auto|always|never", long_help = ABOUT_COLOR)]
    #[arg(value_parser = COLORS, hide_possible_values = true)]
    color: Option<Color>,
}

const LABELS: Choice<Label> =
    Choice { option: "--label", words: &[("name", Label::Name), ("path", Label::Path), ("none", Label::None)] };
const COLORS: Choice<Color> =
    Choice { option: "--color", words: &[("auto", Color::Auto), ("always", Color::Always), ("never", Color::Never)] };

impl ViewingOptions {
    /// Lines begin with their file's name if nothing is said about it.
    pub(super) fn labelled(self) -> Self {
        Self { label: self.label.or(Some(Label::Name)), ..self }
    }

    /// The name of the first of them that was typed, but for `--color`: who writes no colour has done as `never` says.
    pub(super) fn first(&self) -> Option<&'static str> {
        let typed = [
            ("--label", self.label.is_some()),
            ("--timestamps", self.timestamps),
            ("--highlight", !self.highlight.is_empty()),
            ("--raw-control", self.raw_control),
        ];
        typed.into_iter().find_map(|(option, typed)| typed.then_some(option))
    }

    /// How lines are to look, where case matters so to patterns.
    pub(super) fn meaning(self, case: Case) -> Result<Viewing, Complaint> {
        Ok(Viewing {
            timestamps: self.timestamps,
            label: self.label.unwrap_or(Label::None),
            highlight: pattern::in_case("--highlight", case, &self.highlight)?,
            controls: if self.raw_control { Controls::Pass } else { Controls::Spell },
            color: self.color.unwrap_or(Color::Auto),
        })
    }
}
