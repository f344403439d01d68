//! Sessions: which of many logs are being written.
//!
//! Nothing here reads a file, a clock or a lock table; what was seen is handed in, and what follows from it comes out.
//! A label says nothing about reading, which goes on whatever a session is called.

mod session;
mod sessions;

pub(crate) use session::{Label, Lock, Policy, Sign, State};
pub(crate) use sessions::{Change, LOOK_AGAIN, LOOK_AT_CHANGED, Sessions, Trying};
