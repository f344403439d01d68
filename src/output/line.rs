//! A line, its text and its end.

/// The text of a line, which may have its end or not. What a Windows program writes before a newline is part of the
/// end.
pub(crate) fn text(line: &[u8], terminator: u8) -> &[u8] {
    let text = line.strip_suffix(&[terminator]).unwrap_or(line);
    if terminator == b'\n' { text.strip_suffix(b"\r").unwrap_or(text) } else { text }
}
