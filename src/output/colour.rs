//! When there is colour, and which.
//!
//! Whether to paint is decided once: the option wins, else `anstream` has its rules for `NO_COLOR`, `CLICOLOR_FORCE`
//! and terminals. Nothing is painted here.

use std::io;

use anstream::{AutoStream, ColorChoice};
use owo_colors::{Style, XtermColors};

use crate::settings::Color;

/// Ends all colours.
pub(crate) const RESET: &[u8] = b"\x1b[0m";

/// The colours of labels: in the middle between black and white, so that both make a background for them, and neither
/// red nor yellow, which mean something in logs.
const PALETTE: [u8; 8] = [33, 28, 133, 30, 99, 64, 163, 67];

/// How many colours labels have.
pub(crate) const LABELS: usize = PALETTE.len();

/// Whether there is colour.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Colour {
    Off,
    On,
}

impl Colour {
    /// What was asked for means this for standard output.
    pub(crate) fn of_stdout(asked: Color) -> Self {
        match asked {
            Color::Always => Self::On,
            Color::Never => Self::Off,
            Color::Auto => match AutoStream::choice(&io::stdout()) {
                ColorChoice::Never => Self::Off,
                ColorChoice::Always | ColorChoice::AlwaysAnsi | ColorChoice::Auto => Self::On,
            },
        }
    }
}

/// What begins a label of this number, which is less than [`LABELS`].
pub(crate) fn label(number: usize) -> Vec<u8> {
    start(Style::new().color(XtermColors::from(PALETTE[number])))
}

/// What a part of a line is coloured as.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Tone {
    /// Something that was looked for.
    Match,
    /// Something bad.
    Error,
    /// Something that may become bad.
    Warning,
    /// Something good to know.
    Info,
    /// Something beside the point.
    Aside,
}

/// What begins each tone; [`RESET`] ends it.
#[derive(Debug)]
pub(crate) struct Tones {
    matched: Vec<u8>,
    error: Vec<u8>,
    warning: Vec<u8>,
    info: Vec<u8>,
    aside: Vec<u8>,
}

impl Default for Tones {
    fn default() -> Self {
        Self {
            // As with a marker on paper; and nothing in a log has this colour by itself.
            matched: start(Style::new().black().on_yellow()),
            error: start(Style::new().red().bold()),
            warning: start(Style::new().yellow().bold()),
            info: start(Style::new().green()),
            aside: start(Style::new().dimmed()),
        }
    }
}

impl Tones {
    /// What begins a tone.
    pub(crate) fn get(&self, tone: Tone) -> &[u8] {
        match tone {
            Tone::Match => &self.matched,
            Tone::Error => &self.error,
            Tone::Warning => &self.warning,
            Tone::Info => &self.info,
            Tone::Aside => &self.aside,
        }
    }
}

/// What begins a style; [`RESET`] ends it.
fn start(style: Style) -> Vec<u8> {
    style.prefix_formatter().to_string().into_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Red, green and blue of one of the 216 colours that have them.
    fn components(colour: u8) -> [u8; 3] {
        let levels = [0, 95, 135, 175, 215, 255];
        let index = usize::from(colour) - 16;
        [index / 36, index / 6 % 6, index % 6].map(|level| levels[level])
    }

    /// The relative luminance, from 0 for black to 1 for white, as the W3C defines it.
    fn luminance(colour: u8) -> f64 {
        let [r, g, b] = components(colour).map(|component| {
            let share = f64::from(component) / 255.0;
            if share <= 0.04045 { share / 12.92 } else { ((share + 0.055) / 1.055).powf(2.4) }
        });
        0.2126 * r + 0.7152 * g + 0.0722 * b
    }

    #[test]
    fn labels_are_legible_on_black_and_on_white() {
        for colour in PALETTE {
            let luminance = luminance(colour);
            let (on_black, on_white) = ((luminance + 0.05) / 0.05, 1.05 / (luminance + 0.05));
            assert!(on_black >= 3.0 && on_white >= 3.0, "{colour}: {on_black:.1} on black, {on_white:.1} on white");
        }
    }

    #[test]
    fn no_label_is_taken_for_another() {
        for (at, one) in PALETTE.into_iter().enumerate() {
            for other in &PALETTE[at + 1..] {
                let differences = components(one).into_iter().zip(components(*other));
                let distance: u32 = differences.map(|(a, b)| u32::from(a.abs_diff(b)).pow(2)).sum();
                assert!(distance > 80 * 80, "{one} and {other}");
            }
        }
        assert_eq!(label(0), b"\x1b[38;5;33m");
    }
}
