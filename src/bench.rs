//! What `benches/` measures of the program beside its core. Nobody else is to use it.

use regex::bytes::Regex;

use crate::output::filter::Filter;
use crate::output::record::{Lines, Parse};
use crate::tail::Data;

/// What `--grep` does.
#[derive(Debug)]
pub struct Grep(Filter);

impl Grep {
    /// Shows lines that match; `None` for what is no pattern.
    #[must_use]
    pub fn new(pattern: &str) -> Option<Self> {
        Filter::new(&[Regex::new(pattern).ok()?], &[], b'\n').ok()?.map(Self)
    }

    /// How many bytes are shown.
    pub fn shown(&mut self, data: &Data<'_>) -> usize {
        self.0.shown(data).into_iter().map(|run| run.len()).sum()
    }
}

/// What `--format json` does.
#[derive(Debug)]
pub struct Encoder(Lines);

impl Encoder {
    /// Gives lines as text.
    #[must_use]
    #[expect(clippy::new_without_default, reason = "it is made by one bench")]
    pub fn new() -> Self {
        Self(Lines::new(Parse::Nothing))
    }

    /// Appends a record for each line.
    pub fn encode(&mut self, data: &Data<'_>, out: &mut Vec<u8>) {
        for line in self.0.of(data) {
            line.encode(out);
        }
    }
}
