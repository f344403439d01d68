//! Everything that is written to standard output, and the words for what is said on standard error.

pub(crate) mod colour;
#[cfg(test)]
pub(crate) mod dice;
pub(crate) mod file_id;
pub(crate) mod filter;
pub(crate) mod line;
pub(crate) mod outlet;
pub(crate) mod plain;
pub(crate) mod record;
pub(crate) mod view;
pub(crate) mod wording;
