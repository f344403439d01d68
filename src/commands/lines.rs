//! What is looked for in lines.

use regex::bytes::Regex;

/// The lines up to and including the first one that matches.
pub(super) fn through_match<'b>(bytes: &'b [u8], until: &Regex, terminator: u8) -> Option<&'b [u8]> {
    let mut end = 0;
    for line in bytes.split_inclusive(|&byte| byte == terminator) {
        end += line.len();
        let text = line.strip_suffix(&[terminator]).unwrap_or(line);
        // The other half of a line's end on Windows; `$` means the end of the text.
        if until.is_match(text.strip_suffix(b"\r").unwrap_or(text)) {
            return Some(&bytes[..end]);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_matching_line_is_the_last_one() {
        let until = Regex::new("^b$").unwrap();
        let rows: [(&[u8], Option<&[u8]>); 5] = [
            (b"a\nb\nc\n", Some(b"a\nb\n")),
            (b"a\r\nb\r\nc\r\n", Some(b"a\r\nb\r\n")),
            (b"a\nb", Some(b"a\nb")),
            (b"ab\nbc\n", None),
            (b"", None),
        ];
        for (bytes, expected) in rows {
            assert_eq!(through_match(bytes, &until, b'\n'), expected);
        }
    }
}
