//! The laws that the records of every stream obey, and the members of records.
//!
//! A file is opened before its lines come. A line begins where the one before it in its file ended, or where a record
//! says that reading goes on, and is as long as its offsets say. Pieces of a line follow each other. The record of the
//! end is the last one, says how far each file was read, and its accounts add up to what came.

use std::collections::HashMap;
use std::ffi::OsString;
use std::os::unix::ffi::OsStringExt as _;
use std::path::{Path, PathBuf};

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use serde_json::Value;

/// The terms of an account in the order in which they are told; the first one is the sum of the others.
pub(super) const TERMS: [&str; 8] =
    ["on_disk", "not_asked_for", "delivered", "filtered", "held_back", "skipped", "lost", "unread"];

/// What has to hold for the next record.
#[derive(Default)]
pub(super) struct Laws {
    files: HashMap<(PathBuf, String), Place>,
    delivered: HashMap<PathBuf, u64>,
    /// Whether the record of the end has come.
    pub(super) ended: bool,
}

/// How far a file has come.
#[derive(Clone, Copy)]
struct Place {
    next: u64,
    within_a_line: Option<bool>,
}

impl Laws {
    /// Judges the next record.
    pub(super) fn take(&mut self, record: &Value) -> Result<(), String> {
        if self.ended {
            return Err("something comes behind the end".to_owned());
        }
        match record["type"].as_str() {
            Some("open") => self.open(record),
            Some("line") => self.line(record),
            Some("rotate") => {
                text(record, "new_file_id")?;
                self.place(record).map(drop)
            }
            Some("truncate") => self.truncate(record),
            Some("gap") => self.gap(record),
            Some("ambiguous") => {
                text(record, "reason")?;
                self.place(record).map(drop)
            }
            Some("error") => {
                text(record, "operation").and(text(record, "message"))?;
                name(record).map(drop)
            }
            Some("end") => self.end(record),
            _ => Err("no known type".to_owned()),
        }
    }

    fn place(&mut self, record: &Value) -> Result<&mut Place, String> {
        let key = (name(record)?, text(record, "file_id")?.to_owned());
        self.files.get_mut(&key).ok_or_else(|| "this file was not opened".to_owned())
    }

    fn open(&mut self, record: &Value) -> Result<(), String> {
        number(record, "size")?;
        let key = (name(record)?, text(record, "file_id")?.to_owned());
        self.files.insert(key, Place { next: number(record, "offset")?, within_a_line: None });
        Ok(())
    }

    fn line(&mut self, record: &Value) -> Result<(), String> {
        let (from, to, bytes) = (number(record, "offset")?, number(record, "next_offset")?, content(record)?);
        *self.delivered.entry(name(record)?).or_default() += to - from;
        let place = self.place(record)?;
        if from != place.next {
            return Err(format!("offset {} was due", place.next));
        }
        if to - from != bytes.len() as u64 {
            return Err(format!("its offsets are {} bytes apart, and it has {}", to - from, bytes.len()));
        }
        let within = match record["piece"].as_str() {
            None => false,
            Some("first") if place.within_a_line != Some(true) => true,
            Some("middle") if place.within_a_line != Some(false) => true,
            Some("last") if place.within_a_line != Some(false) => false,
            Some(_) => return Err("a piece out of order".to_owned()),
        };
        if record["piece"].is_null() && place.within_a_line == Some(true) {
            return Err("pieces of a line without a last one".to_owned());
        }
        *place = Place { next: to, within_a_line: Some(within) };
        Ok(())
    }

    fn truncate(&mut self, record: &Value) -> Result<(), String> {
        number(record, "size")?;
        let (offset, resumes_at) = (number(record, "offset")?, number(record, "resumes_at")?);
        let evidence = text(record, "evidence")?.to_owned();
        if resumes_at == 0 && self.place(record).is_err() {
            // An offset beyond the end of a file that is opened next.
            return Ok(());
        }
        let place = self.place(record)?;
        let next = match evidence.as_str() {
            "content" if resumes_at > 0 => place.next - (offset - resumes_at),
            "size" | "content" | "hole" => place.next.min(resumes_at),
            _ => return Err("no known evidence".to_owned()),
        };
        *place = Place { next, within_a_line: (next == 0).then_some(false) };
        Ok(())
    }

    fn gap(&mut self, record: &Value) -> Result<(), String> {
        text(record, "reason")?;
        if record["bytes_unknown"] == true {
            return name(record).map(drop);
        }
        let (from, to) = (number(record, "from")?, number(record, "to")?);
        if from >= to {
            return Err("nothing is missing".to_owned());
        }
        let place = self.place(record)?;
        if from != place.next {
            return Err(format!("what is missing should begin at offset {}", place.next));
        }
        place.next = to;
        Ok(())
    }

    fn end(&mut self, record: &Value) -> Result<(), String> {
        self.ended = true;
        text(record, "reason")?;
        let files = record["files"].as_array().ok_or("no list of files")?;
        for file in files.iter().filter(|file| !file["next_offset"].is_null()) {
            let (next, place) = (number(file, "next_offset")?, self.place(file)?);
            if next != place.next {
                return Err(format!("it should go on at {}: {file}", place.next));
            }
        }
        let mut delivered: HashMap<PathBuf, u64> = HashMap::new();
        for file in files.iter().filter(|file| !file["account"].is_null()) {
            let account = &file["account"];
            let [on_disk, terms @ ..] = TERMS.map(|term| number(account, term));
            if on_disk? != terms.into_iter().sum::<Result<u64, _>>()? {
                return Err(format!("an account that doesn't add up: {file}"));
            }
            *delivered.entry(name(file)?).or_default() += number(account, "delivered")?;
        }
        if !delivered.is_empty() && delivered.iter().any(|(path, count)| self.delivered(path) != *count) {
            return Err(format!("the accounts say that other bytes were delivered than came: {:?}", self.delivered));
        }
        Ok(())
    }

    fn delivered(&self, path: &Path) -> u64 {
        self.delivered.get(path).copied().unwrap_or(0)
    }
}

/// A member that is a number.
pub(super) fn number(record: &Value, key: &str) -> Result<u64, String> {
    record[key].as_u64().ok_or_else(|| format!("no number {key}"))
}

/// A member that is a text.
pub(super) fn text<'a>(record: &'a Value, key: &str) -> Result<&'a str, String> {
    record[key].as_str().ok_or_else(|| format!("no text {key}"))
}

/// The bytes of a text, or of the Base64 that stands for what is none.
fn bytes(record: &Value, key: &str, key_of_base64: &str) -> Result<Vec<u8>, String> {
    match (&record[key], &record[key_of_base64]) {
        (Value::String(text), Value::Null) => Ok(text.clone().into_bytes()),
        (Value::Null, Value::String(text)) => {
            let bytes = BASE64_STANDARD.decode(text).map_err(|error| format!("{key_of_base64}: {error}"))?;
            if std::str::from_utf8(&bytes).is_ok() { Err(format!("{key_of_base64} of a text")) } else { Ok(bytes) }
        }
        _ => Err(format!("not just one of {key} and {key_of_base64}")),
    }
}

/// The name a record speaks of.
pub(super) fn name(record: &Value) -> Result<PathBuf, String> {
    bytes(record, "path", "path_base64").map(|name| OsString::from_vec(name).into())
}

/// The bytes of a line with the newline that ended it, if one did.
pub(super) fn content(line: &Value) -> Result<Vec<u8>, String> {
    let mut bytes = bytes(line, "text", "bytes_base64")?;
    if bytes.contains(&b'\n') {
        return Err("a newline within a line".to_owned());
    }
    let goes_on = matches!(line["piece"].as_str(), Some("first" | "middle"));
    if !goes_on && line["unterminated"] != true {
        bytes.push(b'\n');
    }
    Ok(bytes)
}
