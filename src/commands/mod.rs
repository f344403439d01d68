//! The commands: each wires a tail to an output and says when to end.

pub mod follow;

mod ending;
mod locks;
mod process;
mod signals;

pub use crate::output::wording::cause;
pub use ending::Exit;

/// Writes text that is no data, such as help, to standard output.
///
/// # Errors
/// When it can't be written, `EBADF` if standard output was closed at the start.
pub fn show(text: &[u8]) -> std::io::Result<()> {
    use std::io::Write as _;
    if crate::sys::was_closed(crate::sys::Standard::Output) {
        return Err(rustix::io::Errno::BADF.into());
    }
    let mut stdout = std::io::stdout().lock();
    stdout.write_all(text)?;
    stdout.flush()
}
