//! Words that say how bad things are.
//!
//! They are words of their own, in capitals, or whatever stands behind `level=`. Left alone are lines that begin with
//! `{`, which are JSON and say it otherwise, and lines with colours of their own, which know better.

use std::iter;
use std::ops::Range;

use crate::output::colour::Tone;

/// Whether the text of a line is only a part of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Cut {
    /// Something stands before it.
    pub(super) before: bool,
    /// More may follow.
    pub(super) behind: bool,
}

/// Whether such words are looked for in a line that begins so.
pub(super) fn has_words(beginning: &[u8]) -> bool {
    !beginning.starts_with(b"{")
}

/// The words of the text of a line, in order, each with what it means. What is cut may be no word.
pub(super) fn marks(text: &[u8], cut: Cut) -> impl Iterator<Item = (Range<usize>, Tone)> {
    let text = if text.contains(&0x1b) { &[] } else { text };
    words(text).filter_map(move |word| {
        let is_cut = (cut.before && word.start == 0) || (cut.behind && word.end == text.len());
        let tone = tone(&text[word.clone()]).or_else(|| tone_behind_key(text, &word))?;
        (!is_cut).then_some((word, tone))
    })
}

/// Where words are.
fn words(text: &[u8]) -> impl Iterator<Item = Range<usize>> {
    let mut at = 0;
    iter::from_fn(move || {
        let start = at + text[at..].iter().position(|byte| is_of_word(*byte))?;
        at = text[start..].iter().position(|byte| !is_of_word(*byte)).map_or(text.len(), |length| start + length);
        Some(start..at)
    })
}

/// Letters of other scripts count, since they are letters.
fn is_of_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_' || !byte.is_ascii()
}

fn tone(word: &[u8]) -> Option<Tone> {
    match word {
        b"ERROR" | b"ERR" | b"FATAL" | b"CRITICAL" | b"PANIC" => Some(Tone::Error),
        b"WARNING" | b"WARN" => Some(Tone::Warning),
        b"INFO" => Some(Tone::Info),
        b"DEBUG" | b"TRACE" => Some(Tone::Aside),
        _ => None,
    }
}

/// What a word means, in whatever letters, if it stands in `level=word` or `level="word"`.
fn tone_behind_key(text: &[u8], word: &Range<usize>) -> Option<Tone> {
    let before = &text[..word.start];
    let key = before.strip_suffix(b"\"").unwrap_or(before).strip_suffix(b"=")?;
    let begin = key.iter().rposition(|byte| !is_of_word(*byte)).map_or(0, |at| at + 1);
    let is_level = [&b"level"[..], b"lvl", b"severity"].iter().any(|name| key[begin..].eq_ignore_ascii_case(name));
    is_level.then(|| tone(&text[word.clone()].to_ascii_uppercase()))?
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A text with letters and brackets around its words.
    fn shown(text: &str, cut: Cut) -> String {
        let mut shown = text.to_owned();
        for (word, tone) in marks(text.as_bytes(), cut).collect::<Vec<_>>().into_iter().rev() {
            shown.insert(word.end, ')');
            shown.insert_str(word.start, &format!("{tone:?}("));
        }
        shown
    }

    #[test]
    fn words_of_their_own_are_found() {
        const WHOLE: Cut = Cut { before: false, behind: false };
        for (text, expected) in [
            ("ERROR: x", "Error(ERROR): x"),
            (
                "[WARN] ERR FATAL CRITICAL PANIC",
                "[Warning(WARN)] Error(ERR) Error(FATAL) Error(CRITICAL) Error(PANIC)",
            ),
            ("WARNING-INFO/DEBUG,TRACE", "Warning(WARNING)-Info(INFO)/Aside(DEBUG),Aside(TRACE)"),
            ("error Error", "error Error"),
            ("ERRORS MY_ERROR ERROR_CODE ERROR2 ÄERROR ERRORÄ", "ERRORS MY_ERROR ERROR_CODE ERROR2 ÄERROR ERRORÄ"),
            ("t=1 level=error msg=x", "t=1 level=Error(error) msg=x"),
            ("lvl=\"warn\" Severity=Info", "lvl=\"Warning(warn)\" Severity=Info(Info)"),
            ("level=errors sublevel=error level:error", "level=errors sublevel=error level:error"),
            ("=error level=", "=error level="),
            ("\x1b[31mERROR\x1b[0m ERROR", "\x1b[31mERROR\x1b[0m ERROR"),
            ("", ""),
        ] {
            assert_eq!(shown(text, WHOLE), expected);
        }
    }

    #[test]
    fn what_is_cut_may_be_no_word() {
        let shown = |before, behind| shown("ERR x ERR", Cut { before, behind });
        assert_eq!(shown(true, false), "ERR x Error(ERR)");
        assert_eq!(shown(false, true), "Error(ERR) x ERR");
        assert_eq!(shown(true, true), "ERR x ERR");
    }

    #[test]
    fn json_has_no_words() {
        assert!(has_words(b"ERROR") && has_words(b"") && !has_words(b"{\"level\":\"ERROR\"}"));
    }
}
