//! Which lines to show: options shared by the commands that show lines.

use clap::{ArgAction, Args};
use regex::bytes::Regex;

use super::complaint::Complaint;
use super::pattern::{self, Case};
use super::{heading, number, parser};
use crate::settings::{Context, Selection};

const ABOUT_GREP: &str = "\
Show only lines that match REGEX; with several, lines that match one of them. A line is matched without its end, so \
that ^ and $ are its own. The lines that a file has at the start are counted first: -n 10 -g REGEX shows what matches \
of the last 10, as tail -n 10 | grep does. The syntax is that of Rust's regex crate, without look-around and \
back-references: 'error|fatal', '(?i)done$'. Of a line of more than 1 MiB, the first MiB decides";

const ABOUT_EXCLUDE: &str = "\
Don't show lines that match REGEX, or one of several. What --grep shows is what is left";

const ABOUT_CONTEXT: &str = "\
Show NUM lines before and behind each line that --grep shows, of the same file, and -- where lines are missing between \
two groups. Lines come when they are there: those behind a match as they are written. Lines that --exclude leaves out \
are no context, and neither is, before a match, a line of more than 1 MiB";

/// What was typed about lines.
#[derive(Args, Debug)]
#[command(next_help_heading = heading::SELECTION)]
pub(super) struct SelectionOptions {
    /// Show only lines that match REGEX, or one of several
    #[arg(short = 'g', long, value_name = "REGEX", long_help = ABOUT_GREP)]
    #[arg(action = ArgAction::Append, value_parser = parser(|text| pattern::pattern("--grep", text)))]
    grep: Vec<Regex>,

    /// Don't show lines that match REGEX, or one of several
    #[arg(short = 'x', long, value_name = "REGEX", long_help = ABOUT_EXCLUDE)]
    #[arg(action = ArgAction::Append, value_parser = parser(|text| pattern::pattern("--exclude", text)))]
    exclude: Vec<Regex>,

    /// Match letters of either case: in these and in what to highlight
    #[arg(short = 'i', long)]
    ignore_case: bool,
}

impl SelectionOptions {
    /// Which lines to show.
    pub(super) fn meaning(&self) -> Result<Selection, Complaint> {
        let case = self.case();
        Ok(Selection {
            grep: pattern::in_case("--grep", case, &self.grep)?,
            exclude: pattern::in_case("--exclude", case, &self.exclude)?,
            context: Context::NONE,
        })
    }

    /// Whether case matters to patterns.
    pub(super) fn case(&self) -> Case {
        if self.ignore_case { Case::Ignored } else { Case::Sensitive }
    }
}

/// What was typed about the lines around: options of their own, since they are for people.
#[derive(Args, Debug)]
#[command(next_help_heading = heading::SELECTION)]
pub(super) struct ContextOptions {
    /// Show NUM lines behind each line that --grep shows, too
    #[arg(short = 'A', long, value_name = "NUM", value_parser = parser(number::context))]
    after_context: Option<usize>,

    /// Show NUM lines before each line that --grep shows, too
    #[arg(short = 'B', long, value_name = "NUM", value_parser = parser(number::context))]
    before_context: Option<usize>,

    /// Both; -A and -B count more, wherever they stand
    #[arg(short = 'C', long, value_name = "NUM", value_parser = parser(number::context), long_help = ABOUT_CONTEXT)]
    context: Option<usize>,
}

impl ContextOptions {
    /// The name of the first of them that was typed.
    pub(super) fn first(&self) -> Option<&'static str> {
        let typed = [
            ("--after-context", self.after_context),
            ("--before-context", self.before_context),
            ("--context", self.context),
        ];
        typed.into_iter().find_map(|(option, typed)| typed.map(|_| option))
    }

    /// Adds the lines around to those that were asked for.
    pub(super) fn add_to(&self, selection: &mut Selection) -> Result<(), Complaint> {
        if let Some(option) = self.first().filter(|_| selection.grep.is_empty()) {
            return Err(Complaint::with_pointer(format!("option '{option}' can't be used without '--grep'")));
        }
        let or_both = |one: Option<usize>| one.or(self.context).unwrap_or(0);
        selection.context = Context { before: or_both(self.before_context), after: or_both(self.after_context) };
        Ok(())
    }
}
