//! The records of a JSON stream: read, and told as a story.

use std::path::Path;

use serde_json::Value;

use super::laws::{Laws, TERMS, content, name, number, text};
use super::oracle::{self, Extent, split_lines};

/// The records of a stream that broke none of the [laws](super::laws).
#[derive(Debug)]
pub struct Records(Vec<Value>);

impl Records {
    /// Reads records, or says which law they break. Those of [`Extent::Prefixes`] may end anywhere, even within one.
    pub(super) fn read(stdout: &[u8], extent: Extent) -> Result<Self, String> {
        let mut records = Vec::new();
        for (index, line) in split_lines(stdout).into_iter().enumerate() {
            let trouble = |what: &str| format!("line {} of the output {what}: {}", index + 1, oracle::shown(line));
            let Some(line) = line.strip_suffix(b"\n") else {
                match extent {
                    Extent::Whole => return Err(trouble("is cut")),
                    Extent::Prefixes => break,
                }
            };
            let value = serde_json::from_slice(line).map_err(|error| trouble(&error.to_string()))?;
            if !matches!(value, Value::Object(_)) {
                return Err(trouble("is no object"));
            }
            records.push(value);
        }
        let mut laws = Laws::default();
        for (index, record) in records.iter().enumerate() {
            laws.take(record).map_err(|law| format!("record {} breaks a law: {law}: {record}", index + 1))?;
        }
        match extent {
            Extent::Whole if !laws.ended => Err("the last record is not that of the end".to_owned()),
            _ => Ok(Self(records)),
        }
    }

    /// The records of a type.
    pub fn of<'a>(&'a self, kind: &str) -> Vec<&'a Value> {
        self.0.iter().filter(|record| record["type"] == kind).collect()
    }

    /// The bytes of all lines, in the order in which they came: what a raw stream would have printed.
    pub fn text(&self) -> Vec<u8> {
        self.of("line").into_iter().flat_map(|line| content(line).unwrap()).collect()
    }

    /// The bytes of the lines of one name.
    pub fn text_of(&self, path: impl AsRef<Path>) -> Vec<u8> {
        let lines = self.of("line").into_iter().filter(|line| name(line) == Ok(path.as_ref().to_owned()));
        lines.flat_map(|line| content(line).unwrap()).collect()
    }

    /// The lines are exactly these bytes.
    #[track_caller]
    pub fn hold(self, expected: impl AsRef<[u8]>) -> Self {
        if let Some(trouble) = oracle::difference(expected.as_ref(), &self.text()) {
            panic!("in the lines, {trouble}");
        }
        self
    }

    /// The records are exactly these, in words: files are called A, B, … as they come, lines that follow each other
    /// are told together, and sizes, which depend on the moment, are left out.
    #[track_caller]
    pub fn tell(self, story: &[&str]) -> Self {
        let (expected, told) = (story.join("\n") + "\n", self.story().join("\n") + "\n");
        assert!(expected == told, "another story than expected:\n{told}instead of:\n{expected}");
        self
    }

    /// What [`tell`](Self::tell) compares.
    pub fn story(&self) -> Vec<String> {
        let mut letters = Letters::default();
        let mut story: Vec<String> = Vec::new();
        // The file and the end of the whole lines told last.
        let mut last: Option<(String, u64, u64)> = None;
        for record in &self.0 {
            let id = record["file_id"].as_str().map_or_else(String::new, |id| letters.of(id));
            let whole = record["piece"].is_null() && record["unterminated"].is_null();
            if record["type"] == "line" && whole {
                let (from, to) = (number(record, "offset").unwrap(), number(record, "next_offset").unwrap());
                let begin = match &last {
                    Some((file, begin, end)) if *file == id && *end == from => {
                        story.pop();
                        *begin
                    }
                    _ => from,
                };
                story.push(format!("lines {id} {begin}-{to}"));
                last = Some((id, begin, to));
            } else {
                story.push(in_words(record, &id, &mut letters));
                last = None;
            }
        }
        story
    }

    /// The accounts of the end, in words.
    pub fn accounts(&self) -> Vec<String> {
        let mut letters = Letters::default();
        let files = self.of("end").into_iter().flat_map(|end| end["files"].as_array().unwrap());
        files.map(|file| account_in_words(file, &mut letters)).collect()
    }
}

/// Letters for file IDs, in the order in which they come.
#[derive(Default)]
pub(super) struct Letters(Vec<String>);

impl Letters {
    pub(super) fn of(&mut self, id: &str) -> String {
        let index = self.0.iter().position(|known| known == id).unwrap_or_else(|| {
            self.0.push(id.to_owned());
            self.0.len() - 1
        });
        let letter = (0..26).zip('A'..='Z').find(|(place, _)| *place == index).map(|(_, letter)| letter);
        letter.map_or_else(|| format!("#{}", index + 1), String::from)
    }
}

fn in_words(record: &Value, id: &str, letters: &mut Letters) -> String {
    let n = |key| number(record, key).unwrap();
    let t = |key| text(record, key).unwrap();
    match t("type") {
        "open" => format!("open {} {id} at {}", shown_name(record), n("offset")),
        "line" => {
            let piece = record["piece"].as_str().map(|piece| format!("{piece} "));
            let open_end = record["unterminated"].as_bool().map(|_| "unterminated ");
            let (piece, open_end) = (piece.unwrap_or_default(), open_end.unwrap_or_default());
            format!("{piece}{open_end}{id} {}-{}", n("offset"), n("next_offset"))
        }
        "rotate" => {
            let new = letters.of(t("new_file_id"));
            let renamed = record["renamed_to"].as_str().and_then(|path| Path::new(path).file_name());
            let renamed = renamed.map(|name| format!(", now {}", name.display())).unwrap_or_default();
            format!("rotate {id} to {new}{renamed}")
        }
        "truncate" => {
            format!(
                "truncate {id} ({}) at {} to {}, on at {}",
                t("evidence"),
                n("offset"),
                n("size"),
                n("resumes_at")
            )
        }
        "gap" if record["bytes_unknown"] == true => format!("gap {id}: {}", t("reason")),
        "gap" => format!("gap {id} {}-{}: {}", n("from"), n("to"), t("reason")),
        "ambiguous" => format!("ambiguous {id}"),
        "error" => {
            let again = record["retry_in_ms"].as_u64().map(|_| ", tried again").unwrap_or_default();
            format!("error {} {}: {}{again}", t("operation"), shown_name(record), t("message"))
        }
        _ => {
            let files: Vec<_> =
                record["files"].as_array().unwrap().iter().map(|file| end_in_words(file, letters)).collect();
            let message = record["message"].as_str().map(|message| format!(" ({message})")).unwrap_or_default();
            format!("end by {}{message}: {}", t("reason"), files.join(", "))
        }
    }
}

fn end_in_words(file: &Value, letters: &mut Letters) -> String {
    let id = file["file_id"].as_str().map_or_else(|| "earlier ones".to_owned(), |id| letters.of(id));
    let next = file["next_offset"].as_u64().map(|next| format!(" at {next}")).unwrap_or_default();
    format!("{} {id}{next}", shown_name(file))
}

fn account_in_words(file: &Value, letters: &mut Letters) -> String {
    let id = file["file_id"].as_str().map_or_else(|| "earlier ones".to_owned(), |id| letters.of(id));
    let [(on_disk, _), terms @ ..] = TERMS.map(|term| (number(&file["account"], term).unwrap(), term));
    let terms = terms.map(|(count, term)| (count, term.replace('_', " ")));
    format!("{} {id}: {}", shown_name(file), sum_in_words(on_disk, &terms))
}

/// An account without the terms of which there is nothing.
pub(super) fn sum_in_words(on_disk: u64, terms: &[(u64, String)]) -> String {
    let terms: Vec<_> =
        terms.iter().filter(|(count, _)| *count > 0).map(|(count, term)| format!("{count} {term}")).collect();
    format!("{on_disk} = {}", if terms.is_empty() { "nothing".to_owned() } else { terms.join(" + ") })
}

fn shown_name(record: &Value) -> String {
    name(record).unwrap().display().to_string()
}
