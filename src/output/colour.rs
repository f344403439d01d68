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
const PALETTE: [u8; 12] = [33, 28, 133, 30, 99, 64, 169, 67, 163, 65, 31, 97];

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

/// What begins a style; [`RESET`] ends it.
fn start(style: Style) -> Vec<u8> {
    style.prefix_formatter().to_string().into_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The relative luminance, from 0 for black to 1 for white, as the W3C defines it.
    fn luminance(colour: u8) -> f64 {
        let levels = [0, 95, 135, 175, 215, 255];
        let index = usize::from(colour) - 16;
        let [r, g, b] = [index / 36, index / 6 % 6, index % 6].map(|level| {
            let share = f64::from(levels[level]) / 255.0;
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
    fn no_two_labels_begin_alike() {
        let starts: std::collections::HashSet<_> = (0..LABELS).map(label).collect();
        assert_eq!(starts.len(), LABELS);
        assert_eq!(label(0), b"\x1b[38;5;33m");
    }
}
