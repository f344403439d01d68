//! What text does to a terminal beside standing there, and how to spell it so that it does nothing.
//!
//! A log may hold what others have sent: an escape sequence in it could move the cursor, rename the window or answer
//! in the user's name, and a character that can't be seen, or reverses the order of others, hides what a line says.
//! Sequences that set colours do no harm, and pass. A tab is a tab, and a newline within a line (which then ends
//! otherwise) a newline.

use memchr::memrchr;

const ESCAPE: u8 = 0x1b;
/// How long a sequence that sets colours can be. A longer one would be held back for too long while it is not complete.
const LONGEST_SEQUENCE: usize = 64;

/// How much of a text, from its first byte on, stands for itself alone.
pub(super) fn harmless(text: &[u8]) -> usize {
    let mut at = 0;
    while let Some(count) = text[at..].iter().position(|byte| !is_harmless_ascii(*byte)) {
        at += count;
        match first_char(&text[at..]) {
            Some(c) if !c.is_ascii() && !is_hidden(c) => at += c.len_utf8(),
            _ => return at,
        }
    }
    text.len()
}

/// Writes the first character of a text, or its first byte if that begins none, spelled if need be; returns its
/// length. There is one.
pub(super) fn write_first(text: &[u8], out: &mut Vec<u8>) -> usize {
    let Some(c) = first_char(text) else {
        out.extend(format!("<{:02X}>", text[0]).bytes());
        return 1;
    };
    let length = c.len_utf8();
    match c {
        _ if harmless(&text[..length]) == length => out.extend_from_slice(&text[..length]),
        '\0'..='\x7f' => out.extend([b'^', text[0] ^ 0x40]),
        _ => out.extend(format!("<U+{:04X}>", u32::from(c)).bytes()),
    }
    length
}

/// The length of the sequence that sets colours with which a text begins, if it does.
pub(super) fn colour_sequence(text: &[u8]) -> Option<usize> {
    let parameters = parameters(text)?;
    (text.get(2 + parameters.len()) == Some(&b'm')).then_some(2 + parameters.len() + 1)
}

/// The parameters of the sequence with which a text begins, as far as they are such as set colours.
pub(super) fn parameters(text: &[u8]) -> Option<&[u8]> {
    let rest = text.strip_prefix(&[ESCAPE, b'['])?;
    let rest = &rest[..rest.len().min(LONGEST_SEQUENCE)];
    let end = rest.iter().position(|byte| !matches!(byte, b'0'..=b'9' | b';' | b':')).unwrap_or(rest.len());
    Some(&rest[..end])
}

/// How much of a text that goes on does not end within a character, a sequence, or the end of a line.
pub(super) fn complete(text: &[u8]) -> usize {
    if let Some(rest) = text.strip_suffix(b"\r") {
        return rest.len();
    }
    let near_end = text.len().saturating_sub(LONGEST_SEQUENCE);
    if let Some(at) = memrchr(ESCAPE, &text[near_end..]).map(|at| near_end + at)
        && (text[at..].len() == 1 || parameters(&text[at..]).is_some_and(|found| found.len() + 2 == text.len() - at))
    {
        return at;
    }
    let continuations = text.iter().rev().take_while(|byte| (0x80..0xc0).contains(*byte)).count();
    let lead = text.len().checked_sub(continuations + 1);
    match lead.map(|lead| (lead, text[lead])) {
        Some((lead, 0xc2..=0xdf)) if continuations < 1 => lead,
        Some((lead, 0xe0..=0xef)) if continuations < 2 => lead,
        Some((lead, 0xf0..=0xf4)) if continuations < 3 => lead,
        _ => text.len(),
    }
}

fn is_harmless_ascii(byte: u8) -> bool {
    matches!(byte, b' '..=b'~' | b'\t' | b'\n')
}

fn first_char(text: &[u8]) -> Option<char> {
    text[..text.len().min(4)].utf8_chunks().next()?.valid().chars().next()
}

/// Whether a character can't be seen, or changes the order of others.
fn is_hidden(c: char) -> bool {
    matches!(
        c,
        '\u{80}'..='\u{9f}' // C1: other names for escape sequences
            | '\u{ad}' // soft hyphen
            | '\u{61c}' // Arabic letter mark
            | '\u{115f}' | '\u{1160}' | '\u{3164}' | '\u{ffa0}' // Hangul fillers
            | '\u{180e}' // Mongolian vowel separator
            | '\u{200b}'..='\u{200f}' // zero width, and marks of direction
            | '\u{2028}'..='\u{202e}' // ends of lines and paragraphs; embedding and override of direction
            | '\u{2060}'..='\u{206f}' // joiner, invisible operators, isolation of direction
            | '\u{feff}' // byte order mark
            | '\u{fff9}'..='\u{fffb}' // annotation
            | '\u{e0000}'..='\u{e007f}' // tags
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A text with everything spelled that has to be.
    fn spelled(mut text: &[u8]) -> String {
        let mut out = Vec::new();
        while !text.is_empty() {
            let harmless = harmless(text);
            out.extend_from_slice(&text[..harmless]);
            text = &text[harmless..];
            if !text.is_empty() {
                text = &text[write_first(text, &mut out)..];
            }
        }
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn what_does_something_to_a_terminal_is_spelled() {
        let rows: [(&[u8], &str); 14] = [
            (b"plain text\twith a tab", "plain text\twith a tab"),
            ("grüße, 世界 🦀 e\u{301}".as_bytes(), "grüße, 世界 🦀 e\u{301}"),
            (b"\x07\x08\x0c\r\0", "^G^H^L^M^@"),
            (b"\x1b]0;title\x07", "^[]0;title^G"),
            (b"\x1b[2J\x1b[?25l\x1bc", "^[[2J^[[?25l^[c"),
            (b"a\x7fb", "a^?b"),
            (b"\xc2\x9b31m", "<U+009B>31m"),
            (b"\x9b31m\xff\xc3", "<9B>31m<FF><C3>"),
            ("a\u{202e}b\u{2066}c".as_bytes(), "a<U+202E>b<U+2066>c"),
            ("a\u{200b}b\u{feff}".as_bytes(), "a<U+200B>b<U+FEFF>"),
            ("\u{e0041}".as_bytes(), "<U+E0041>"),
            (b"\xe2\x82", "<E2><82>"),
            ("ä\u{85}ä".as_bytes(), "ä<U+0085>ä"),
            (b"", ""),
        ];
        for (text, expected) in rows {
            assert_eq!(spelled(text), expected);
        }
    }

    #[test]
    fn nothing_that_was_spelled_needs_it_again() {
        let all: Vec<u8> = (0..=255).chain(0..=255).collect();
        let once = spelled(&all);
        assert_eq!(spelled(once.as_bytes()), once);
        assert!(once.bytes().all(|byte| is_harmless_ascii(byte) || byte >= 0x80));
    }

    #[test]
    fn sequences_that_set_colours_are_known() {
        for (text, length) in [
            ("\x1b[m", Some(3)),
            ("\x1b[0m", Some(4)),
            ("\x1b[1;31mred", Some(7)),
            ("\x1b[38:2::1:2:3m", Some(14)),
            ("\x1b[31", None),
            ("\x1b[2J", None),
            ("\x1b[?1m", None),
            ("\x1b[ m", None),
            ("[31m", None),
            ("", None),
        ] {
            assert_eq!(colour_sequence(text.as_bytes()), length, "{text:?}");
        }
        assert_eq!(colour_sequence(format!("\x1b[{}m", "1;".repeat(100)).as_bytes()), None);
    }

    #[test]
    fn what_may_still_be_completed_is_known() {
        let rows: [(&[u8], usize); 17] = [
            (b"", 0),
            (b"abc", 3),
            (b"abc\r", 3),
            (b"abc\xc3", 3),
            (b"abc\xc3\xa4", 5),
            (b"abc\xe2\x82", 3),
            (b"abc\xe2\x82\xac", 6),
            (b"abc\xf0\x9f\xa6", 3),
            (b"abc\xff", 4),
            (b"abc\x80\x80\x80\x80", 7),
            (b"abc\x1b", 3),
            (b"abc\x1b[", 3),
            (b"abc\x1b[1;3", 3),
            (b"abc\x1b[1;3m", 9),
            (b"abc\x1b[2J", 7),
            (b"abc\x1b]", 5),
            (b"\x1b[31ma\x1b[", 6),
        ];
        for (text, expected) in rows {
            assert_eq!(complete(text), expected, "{:?}", text.escape_ascii().to_string());
        }
        assert_eq!(complete(format!("\x1b[{}", "1".repeat(100)).as_bytes()), 102);
    }
}
