//! rtail follows log files and never loses, repeats or tears a line without saying so.
//!
//! The library is [`tail`], the tailing core. The other modules are the `rtail` program around it; they are
//! public for its binary and tests alone and promise no stability.

mod backwards;
#[cfg(feature = "bench")]
#[doc(hidden)]
pub mod bench;
#[doc(hidden)]
pub mod checkpoint;
#[doc(hidden)]
pub mod cli;
#[doc(hidden)]
pub mod commands;
#[doc(hidden)]
pub mod notice;
mod numbers;
mod output;
#[doc(hidden)]
pub mod quote;
#[doc(hidden)]
pub mod settings;
#[doc(hidden)]
pub mod sys;
pub mod tail;
mod wake;
mod watch;
