mod lines;

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;

use super::*;
use crate::tail::FileId;

/// In records `7ff65801b879b56d`.
const FILE: FileId = FileId { device: 0, inode: 8, birth: None };
/// In records `2b2fca9e40318602`.
const OTHER: FileId = FileId { device: 0, inode: 7, birth: None };

fn log() -> Name<'static> {
    Name::from(Path::new("app.log"))
}

fn encoded(record: &Record<'_>) -> String {
    let mut out = b"before".to_vec();
    record.encode(&mut out);
    String::from_utf8(out).unwrap().strip_prefix("before").unwrap().to_owned()
}

#[track_caller]
fn assert_encoded(record: &Record<'_>, expected: &str) {
    assert_eq!(encoded(record), format!("{expected}\n"));
}

/// The bytes that a record has under a key, or under its twin for what is not UTF-8; exactly one of them is there.
fn bytes(record: &Value, key: &str, twin: &str) -> Vec<u8> {
    match (record.get(key), record.get(twin)) {
        (Some(text), None) => text.as_str().unwrap().as_bytes().to_vec(),
        (None, Some(base64)) => {
            let bytes = STANDARD.decode(base64.as_str().unwrap()).unwrap();
            assert!(str::from_utf8(&bytes).is_err(), "{record}");
            bytes
        }
        _ => panic!("{record}"),
    }
}

#[test]
fn open_says_where_reading_begins() {
    assert_encoded(
        &Record::Open { name: log(), file_id: FILE.into(), offset: 10, size: 2500 },
        r#"{"type":"open","path":"app.log","file_id":"7ff65801b879b56d","offset":10,"size":2500}"#,
    );
}

#[test]
fn rotate_names_both_files_and_the_new_name_where_it_is_known() {
    assert_encoded(
        &Record::Rotate { name: log(), file_id: FILE.into(), new_file_id: OTHER.into(), renamed_to: None },
        r#"{"type":"rotate","path":"app.log","file_id":"7ff65801b879b56d","new_file_id":"2b2fca9e40318602"}"#,
    );
    let renamed_to = Some(Path::new("app.log.1").into());
    assert_encoded(
        &Record::Rotate { name: log(), file_id: FILE.into(), new_file_id: OTHER.into(), renamed_to },
        concat!(
            r#"{"type":"rotate","path":"app.log","file_id":"7ff65801b879b56d","new_file_id":"2b2fca9e40318602","#,
            r#""renamed_to":"app.log.1"}"#
        ),
    );
}

#[test]
fn truncate_says_where_reading_was_and_goes_on() {
    for (evidence, word) in [(Evidence::Size, "size"), (Evidence::Content, "content"), (Evidence::Hole, "hole")] {
        assert_encoded(
            &Record::Truncate { name: log(), file_id: FILE.into(), offset: 900, size: 40, evidence, resumes_at: 0 },
            &format!(
                r#"{{"type":"truncate","path":"app.log","file_id":"7ff65801b879b56d","offset":900,"size":40,{}}}"#,
                format_args!(r#""evidence":"{word}","resumes_at":0"#)
            ),
        );
    }
}

#[test]
fn gap_counts_what_is_missing_or_says_that_nobody_knows() {
    assert_encoded(
        &Record::Gap {
            name: log(),
            file_id: Some(FILE.into()),
            missing: Missing::Range(100..220),
            reason: "truncated",
        },
        concat!(
            r#"{"type":"gap","path":"app.log","file_id":"7ff65801b879b56d","from":100,"to":220,"#,
            r#""reason":"truncated"}"#
        ),
    );
    assert_encoded(
        &Record::Gap { name: log(), file_id: None, missing: Missing::Unknown, reason: "unreadable" },
        r#"{"type":"gap","path":"app.log","bytes_unknown":true,"reason":"unreadable"}"#,
    );
}

#[test]
fn ambiguous_gives_the_reason() {
    assert_encoded(
        &Record::Ambiguous { name: log(), file_id: FILE.into(), reason: "touched or rewritten" },
        r#"{"type":"ambiguous","path":"app.log","file_id":"7ff65801b879b56d","reason":"touched or rewritten"}"#,
    );
}

#[test]
fn state_gives_label_and_evidence() {
    assert_encoded(
        &Record::State { name: log(), state: State::Active, evidence: Sign::Lock, holder_pid: Some(4711) },
        r#"{"type":"state","path":"app.log","state":"active","evidence":"lock","holder_pid":4711}"#,
    );
    assert_encoded(
        &Record::State { name: log(), state: State::Completed, evidence: Sign::Growth, holder_pid: None },
        r#"{"type":"state","path":"app.log","state":"completed","evidence":"growth"}"#,
    );
    assert_encoded(
        &Record::State { name: log(), state: State::Unknown, evidence: Sign::Lock, holder_pid: None },
        r#"{"type":"state","path":"app.log","state":"unknown","evidence":"lock"}"#,
    );
}

#[test]
fn error_says_what_failed_and_when_it_is_tried_again() {
    let message = "Permission denied";
    assert_encoded(
        &Record::Error { name: log(), operation: "open", message, retry_in: None },
        r#"{"type":"error","path":"app.log","operation":"open","message":"Permission denied"}"#,
    );
    let retry_in = Some(Milliseconds(Duration::from_millis(1500)));
    assert_encoded(
        &Record::Error { name: log(), operation: "read", message, retry_in },
        concat!(
            r#"{"type":"error","path":"app.log","operation":"read","message":"Permission denied","#,
            r#""retry_in_ms":1500}"#
        ),
    );
}

#[test]
fn end_says_where_to_resume() {
    let file = FileEnd { name: log(), file_id: Some(FILE.into()), next_offset: Some(120), account: None };
    assert_encoded(
        &Record::End { reason: "until", message: None, files: &[file] },
        concat!(
            r#"{"type":"end","reason":"until","#,
            r#""files":[{"path":"app.log","file_id":"7ff65801b879b56d","next_offset":120}]}"#
        ),
    );
    assert_encoded(
        &Record::End { reason: "error", message: Some("cannot read"), files: &[] },
        r#"{"type":"end","reason":"error","message":"cannot read","files":[]}"#,
    );
}

#[test]
fn end_can_hold_an_account() {
    let account = Account {
        on_disk: 34,
        not_asked_for: 1,
        delivered: 2,
        filtered: 6,
        held_back: 3,
        skipped: 4,
        lost: 5,
        unread: 13,
    };
    let file = FileEnd { name: log(), file_id: Some(FILE.into()), next_offset: Some(120), account: Some(account) };
    assert_encoded(
        &Record::End { reason: "end_of_file", message: None, files: &[file] },
        concat!(
            r#"{"type":"end","reason":"end_of_file","#,
            r#""files":[{"path":"app.log","file_id":"7ff65801b879b56d","next_offset":120,"account":{"on_disk":34,"#,
            r#""not_asked_for":1,"delivered":2,"filtered":6,"held_back":3,"skipped":4,"lost":5,"unread":13}}]}"#
        ),
    );
}

#[test]
fn names_that_are_not_utf8_come_back_as_they_were() {
    for name in [b"caf\xe9.log".as_slice(), b"\xff", b"\xed\xa0\x80", "café\n\"\\\u{1f980}.log".as_bytes(), b""] {
        let path = Path::new(OsStr::from_bytes(name));
        let text = encoded(&Record::Rotate {
            name: path.into(),
            file_id: FILE.into(),
            new_file_id: OTHER.into(),
            renamed_to: Some(path.into()),
        });
        let record: Value = serde_json::from_str(&text).unwrap();
        assert_eq!(bytes(&record, "path", "path_base64"), name);
        assert_eq!(bytes(&record, "renamed_to", "renamed_to_base64"), name);
        assert_eq!(record.as_object().unwrap().len(), 5, "{record}");
    }
}
