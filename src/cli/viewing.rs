//! How lines look: options shared by the commands that show them to people.

use clap::Args;

use super::choice::Choice;
use super::heading;
use crate::settings::{Color, Label, Viewing};

const ABOUT_LABEL: &str = "\
Begin each line with its file's name instead of printing headers: as much of the end of the name as tells the files \
apart (name, and -l alone), or all of it (path). Labels are padded to a column, and each file has a colour of its own";

const ABOUT_COLOR: &str = "\
Colour labels: on terminals (auto), always or never. With auto, NO_COLOR in the environment turns colours off, and \
CLICOLOR_FORCE turns them on even in a pipe; this option wins over both [default: auto]";

/// What was typed about looks.
#[derive(Args, Debug)]
#[command(next_help_heading = heading::VIEW)]
pub(super) struct ViewingOptions {
    /// Begin each line with its file's name, in a column and in colour, instead of printing headers
    #[arg(short = 'l', long, value_name = "name|path|none", long_help = ABOUT_LABEL)]
    #[arg(num_args = 0..=1, require_equals = true, default_missing_value = "name")]
    #[arg(value_parser = LABELS, hide_possible_values = true)]
    label: Option<Label>,

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
    /// How lines are to look.
    pub(super) fn meaning(self) -> Viewing {
        Viewing { label: self.label.unwrap_or(Label::None), color: self.color.unwrap_or(Color::Auto) }
    }
}
