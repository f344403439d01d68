//! Options whose value is one of a few words, read as GNU reads them: a beginning that fits one of them will do.

use std::ffi::{OsStr, OsString};

use clap::builder::{OsStringValueParser, PossibleValue, TypedValueParser};

use super::complaint::Complaint;
use crate::quote::quote_argument;

/// The words that an option takes, each with its meaning.
#[derive(Clone, Copy, Debug)]
pub(super) struct Choice<T: 'static> {
    /// The option, for complaints: `--follow`.
    pub(super) option: &'static str,
    /// The words and what they mean.
    pub(super) words: &'static [(&'static str, T)],
}

impl<T: Copy> Choice<T> {
    /// Finds the meaning of a word or of a beginning of it.
    fn meaning(self, text: &OsStr) -> Result<T, Complaint> {
        let typed = text.as_encoded_bytes();
        let fitting: Vec<_> = self.words.iter().filter(|(word, _)| word.as_bytes().starts_with(typed)).collect();
        // Nothing at all, of a variable that is not set, is no beginning even of the only word.
        if let [(_, meaning)] = fitting[..]
            && !typed.is_empty()
        {
            return Ok(*meaning);
        }
        let problem = if fitting.is_empty() { "invalid" } else { "ambiguous" };
        let mut complaint =
            format!("{problem} argument {} for '{}'\nValid arguments are:", quote_argument(text), self.option);
        for (word, _) in self.words {
            complaint.push_str("\n  - ");
            complaint.push_str(&quote_argument(word));
        }
        Err(Complaint::with_pointer(complaint))
    }
}

/// Reads values for clap; completions offer the words.
impl<T: Copy + Send + Sync + 'static> TypedValueParser for Choice<T> {
    type Value = T;

    fn parse_ref(
        &self,
        command: &clap::Command,
        arg: Option<&clap::Arg>,
        value: &OsStr,
    ) -> Result<Self::Value, clap::Error> {
        let choice = *self;
        let read = move |text: OsString| choice.meaning(&text);
        OsStringValueParser::new().try_map(read).parse_ref(command, arg, value)
    }

    fn possible_values(&self) -> Option<Box<dyn Iterator<Item = PossibleValue> + '_>> {
        Some(Box::new(self.words.iter().map(|(word, _)| PossibleValue::new(word))))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_beginning_that_fits_one_word_will_do() {
        const SIZES: Choice<u8> = Choice { option: "--size", words: &[("large", 3), ("little", 1)] };
        for (text, expected) in [
            ("large", Ok(3)),
            ("la", Ok(3)),
            ("li", Ok(1)),
            ("l", Err("ambiguous argument 'l'")),
            ("", Err("ambiguous argument ''")),
            ("larger", Err("invalid argument 'larger'")),
            ("LARGE", Err("invalid argument 'LARGE'")),
        ] {
            let complaint = |problem| {
                let text = format!("{problem} for '--size'\nValid arguments are:\n  - 'large'\n  - 'little'");
                Complaint::with_pointer(text)
            };
            assert_eq!(SIZES.meaning(OsStr::new(text)), expected.map_err(complaint), "{text:?}");
        }
    }

    #[test]
    fn nothing_is_no_word_even_if_there_is_but_one() {
        const ONLY: Choice<()> = Choice { option: "--only", words: &[("json", ())] };
        assert_eq!(ONLY.meaning(OsStr::new("j")), Ok(()));
        assert!(ONLY.meaning(OsStr::new("")).is_err());
    }
}
