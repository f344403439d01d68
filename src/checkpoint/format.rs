//! The content of a checkpoint: one JSON object, for machines, that a person can read.
//!
//! ```json
//! {"rtail_checkpoint":1,"sources":[
//!   {"path":"/var/log/app.log",
//!    "files":[{"device":2049,"inode":131,"birth":{"secs":1700000000,"nanos":0},
//!              "offset":6,"size":6,"ended":null,"head":"Zmlyc3QK","anchor":"Zmlyc3QK"}],
//!    "looked":{"secs":1700000009,"nanos":0},"known":[{"device":2049,"inode":130,"birth":null}],
//!    "copies":[{"device":2049,"inode":130,"birth":null,"size":6,"modified":{"secs":1700000009,"nanos":0}}]}]}
//! ```
//!
//! `path_base64` takes the place of `path` where that is not UTF-8. Keys that are not known are passed over, so one
//! may be added without another version if an older rtail can do without it.

use std::ffi::OsString;
use std::io;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use serde::{Deserialize, Serialize};

use super::error::Flaw;
use crate::tail::{Copied, FileId, Position, Resume};

/// The version that is written, and the only one that is read.
pub(super) const VERSION: u64 = 1;
/// How each checkpoint of any version begins, but for white space.
const MARK: &[u8] = b"{\"rtail_checkpoint\":";
/// How many bytes tell a checkpoint from another file.
pub(super) const BEGINNING: u64 = 64;

/// The content of a file that holds these positions.
///
/// # Errors
/// None that is known; there is no form of these types that JSON has not.
pub(super) fn write(sources: &[Resume]) -> io::Result<Vec<u8>> {
    let content = Content { rtail_checkpoint: VERSION, sources: sources.iter().map(Source::from).collect() };
    let mut text = serde_json::to_vec(&content)?;
    text.push(b'\n');
    Ok(text)
}

/// Refuses a file that, by its first [`BEGINNING`] bytes, is something else.
pub(super) fn check_beginning(text: &[u8]) -> Result<(), Flaw> {
    let compact: Vec<u8> = text.iter().copied().filter(|byte| !byte.is_ascii_whitespace()).collect();
    match text.first() {
        None => Err(Flaw::Empty),
        Some(0) => Err(Flaw::Zeroed),
        Some(_) if compact.starts_with(MARK) || MARK.starts_with(&compact) => Ok(()),
        Some(_) => Err(Flaw::Foreign),
    }
}

/// The positions that a file of this content holds.
pub(super) fn read(text: &[u8]) -> Result<Vec<Resume>, Flaw> {
    // The version comes first: another one may have other keys.
    let Version { rtail_checkpoint: version } = serde_json::from_slice(text).map_err(Flaw::Broken)?;
    if version != VERSION {
        return Err(Flaw::Version(version));
    }
    let content: Content = serde_json::from_slice(text).map_err(Flaw::Broken)?;
    Ok(content.sources.into_iter().map(Resume::from).collect())
}

#[derive(Deserialize)]
struct Version {
    rtail_checkpoint: u64,
}

#[derive(Serialize, Deserialize)]
struct Content {
    rtail_checkpoint: u64,
    sources: Vec<Source>,
}

#[derive(Serialize, Deserialize)]
struct Source {
    #[serde(flatten)]
    name: Name,
    files: Vec<File>,
    looked: Option<Time>,
    known: Vec<Id>,
    /// Of late: older files have none.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    copies: Vec<Copy>,
}

#[derive(Serialize, Deserialize)]
enum Name {
    #[serde(rename = "path")]
    Text(String),
    #[serde(rename = "path_base64")]
    Bytes(Base64),
}

#[derive(Serialize, Deserialize)]
struct File {
    #[serde(flatten)]
    id: Id,
    offset: u64,
    size: u64,
    ended: Option<Time>,
    head: Base64,
    anchor: Base64,
}

#[derive(Serialize, Deserialize)]
struct Copy {
    #[serde(flatten)]
    id: Id,
    size: u64,
    modified: Time,
}

#[derive(Serialize, Deserialize)]
struct Id {
    device: u64,
    inode: u64,
    birth: Option<Time>,
}

/// A time, also one before 1970.
#[derive(Clone, Copy, Serialize, Deserialize)]
#[serde(into = "Stamp", try_from = "Stamp")]
struct Time(SystemTime);

/// Whole seconds since 1970, rounded down, and what was rounded off.
#[derive(Serialize, Deserialize)]
struct Stamp {
    secs: i64,
    nanos: u32,
}

/// Bytes of any kind.
#[derive(Clone, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
struct Base64(Vec<u8>);

impl From<&Resume> for Source {
    fn from(source: &Resume) -> Self {
        Self {
            name: Name::from(source.path.as_path()),
            files: source.files.iter().map(File::from).collect(),
            looked: source.looked.map(Time),
            known: source.known.iter().copied().map(Id::from).collect(),
            copies: source.copies.iter().map(Copy::from).collect(),
        }
    }
}

impl From<Source> for Resume {
    fn from(source: Source) -> Self {
        Self {
            path: source.name.into(),
            files: source.files.into_iter().map(Position::from).collect(),
            looked: source.looked.map(|time| time.0),
            known: source.known.into_iter().map(FileId::from).collect(),
            copies: source.copies.into_iter().map(Copied::from).collect(),
        }
    }
}

impl From<&Path> for Name {
    fn from(path: &Path) -> Self {
        match path.to_str() {
            Some(text) => Self::Text(text.to_owned()),
            None => Self::Bytes(Base64(path.as_os_str().as_bytes().to_owned())),
        }
    }
}

impl From<Name> for PathBuf {
    fn from(name: Name) -> Self {
        match name {
            Name::Text(text) => text.into(),
            Name::Bytes(Base64(bytes)) => OsString::from_vec(bytes).into(),
        }
    }
}

impl From<&Position> for File {
    fn from(position: &Position) -> Self {
        Self {
            id: position.file.into(),
            offset: position.offset,
            size: position.size,
            ended: position.ended.map(Time),
            head: Base64(position.head.clone()),
            anchor: Base64(position.anchor.clone()),
        }
    }
}

impl From<File> for Position {
    fn from(file: File) -> Self {
        Self {
            file: file.id.into(),
            offset: file.offset,
            size: file.size,
            ended: file.ended.map(|time| time.0),
            head: file.head.0,
            anchor: file.anchor.0,
        }
    }
}

impl From<&Copied> for Copy {
    fn from(copy: &Copied) -> Self {
        Self { id: copy.file.into(), size: copy.size, modified: Time(copy.modified) }
    }
}

impl From<Copy> for Copied {
    fn from(copy: Copy) -> Self {
        Self { file: copy.id.into(), size: copy.size, modified: copy.modified.0 }
    }
}

impl From<FileId> for Id {
    fn from(id: FileId) -> Self {
        Self { device: id.device, inode: id.inode, birth: id.birth.map(Time) }
    }
}

impl From<Id> for FileId {
    fn from(id: Id) -> Self {
        Self { device: id.device, inode: id.inode, birth: id.birth.map(|birth| birth.0) }
    }
}

impl From<Time> for Stamp {
    fn from(Time(time): Time) -> Self {
        // The system counts the seconds in 64 bits with a sign, so nothing is cut here.
        match time.duration_since(SystemTime::UNIX_EPOCH) {
            Ok(after) => Self { secs: after.as_secs().cast_signed(), nanos: after.subsec_nanos() },
            Err(error) => {
                let before = error.duration();
                let whole = 0_i64.wrapping_sub_unsigned(before.as_secs());
                match before.subsec_nanos() {
                    0 => Self { secs: whole, nanos: 0 },
                    nanos => Self { secs: whole - 1, nanos: 1_000_000_000 - nanos },
                }
            }
        }
    }
}

impl TryFrom<Stamp> for Time {
    type Error = &'static str;

    fn try_from(Stamp { secs, nanos }: Stamp) -> Result<Self, Self::Error> {
        let whole = Duration::from_secs(secs.unsigned_abs());
        let time = match secs {
            0.. => SystemTime::UNIX_EPOCH.checked_add(whole),
            _ => SystemTime::UNIX_EPOCH.checked_sub(whole),
        };
        let time = time.filter(|_| nanos < 1_000_000_000);
        time.and_then(|time| time.checked_add(Duration::from_nanos(nanos.into()))).map(Self).ok_or("no such time")
    }
}

impl From<Base64> for String {
    fn from(Base64(bytes): Base64) -> Self {
        BASE64_STANDARD.encode(bytes)
    }
}

impl TryFrom<String> for Base64 {
    type Error = base64::DecodeError;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        BASE64_STANDARD.decode(text).map(Self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(birth: Option<SystemTime>) -> FileId {
        FileId { device: 2049, inode: 131, birth }
    }

    fn position(file: FileId, head: &[u8], anchor: &[u8]) -> Position {
        Position { file, offset: 6, size: 7, ended: file.birth, head: head.to_owned(), anchor: anchor.to_owned() }
    }

    fn source(path: impl Into<PathBuf>, files: Vec<Position>, known: Vec<FileId>) -> Resume {
        let looked = known.first().and_then(|file| file.birth);
        let copy = |file: &FileId| Some(Copied { file: *file, size: file.inode, modified: file.birth? });
        let copies = known.iter().filter_map(copy).collect();
        Resume { path: path.into(), files, looked, known, copies }
    }

    /// One of everything that is small, and its text.
    fn example() -> (Vec<Resume>, String) {
        let birth = SystemTime::UNIX_EPOCH + Duration::new(1_700_000_000, 7);
        let sources = vec![
            source("/var/log/app.log", vec![position(id(Some(birth)), b"first\n", b"\xff\xfe\0")], vec![id(None)]),
            source(OsString::from_vec(b"caf\xe9.log".to_vec()), vec![], vec![]),
        ];
        let text = concat!(
            r#"{"rtail_checkpoint":1,"sources":["#,
            r#"{"path":"/var/log/app.log","#,
            r#""files":[{"device":2049,"inode":131,"birth":{"secs":1700000000,"nanos":7},"#,
            r#""offset":6,"size":7,"ended":{"secs":1700000000,"nanos":7},"head":"Zmlyc3QK","anchor":"//4A"}],"#,
            r#""looked":null,"known":[{"device":2049,"inode":131,"birth":null}]},"#,
            r#"{"path_base64":"Y2Fm6S5sb2c=","files":[],"looked":null,"known":[]}]}"#,
            "\n",
        );
        (sources, text.to_owned())
    }

    fn written(sources: &[Resume]) -> String {
        String::from_utf8(write(sources).unwrap()).unwrap()
    }

    /// As a whole file is read.
    fn accept(text: &[u8]) -> Result<Vec<Resume>, Flaw> {
        check_beginning(&text[..text.len().min(usize::try_from(BEGINNING).unwrap())])?;
        read(text)
    }

    #[test]
    fn the_form_is_the_one_that_is_documented() {
        let (sources, text) = example();
        assert_eq!(written(&sources), text);
        assert_eq!(accept(text.as_bytes()).unwrap(), sources);
    }

    #[test]
    fn copies_are_named_where_there_are_some() {
        let file = id(None);
        let copy = Copied { file, size: 6, modified: SystemTime::UNIX_EPOCH };
        let sources = [Resume { copies: vec![copy], ..source("a.log", vec![], vec![file]) }];
        let text = concat!(
            r#"{"rtail_checkpoint":1,"sources":[{"path":"a.log","files":[],"looked":null,"#,
            r#""known":[{"device":2049,"inode":131,"birth":null}],"#,
            r#""copies":[{"device":2049,"inode":131,"birth":null,"size":6,"modified":{"secs":0,"nanos":0}}]}]}"#,
            "\n",
        );
        assert_eq!(written(&sources), text);
        assert_eq!(accept(text.as_bytes()).unwrap(), sources);
    }

    #[test]
    fn everything_comes_back_as_it_was() {
        let epoch = SystemTime::UNIX_EPOCH;
        let most = i64::MAX.cast_unsigned();
        let births = [
            None,
            Some(epoch),
            epoch.checked_add(Duration::new(0, 1)),
            epoch.checked_add(Duration::new(1_763_600_000, 999_999_999)),
            epoch.checked_add(Duration::new(most, 999_999_999)),
            epoch.checked_sub(Duration::new(0, 1)),
            epoch.checked_sub(Duration::new(1, 0)),
            epoch.checked_sub(Duration::new(1, 500_000_000)),
            epoch.checked_sub(Duration::new(most, 999_999_999)),
            epoch.checked_sub(Duration::new(most + 1, 0)),
        ];
        let ids = births.map(id);
        assert_eq!(ids.iter().filter(|id| id.birth.is_none()).count(), 1, "each time exists");
        let bytes: Vec<u8> = (0..1024_u32).map(|n| (n % 256).to_le_bytes()[0]).collect();
        let largest = FileId { device: u64::MAX, inode: u64::MAX, birth: None };
        let extreme = Position { offset: u64::MAX, size: u64::MAX, ..position(largest, &bytes, &bytes[..256]) };
        let every_byte: Vec<u8> = (1..=255).collect();
        let sources = [
            source("a.log", ids.map(|id| position(id, b"", b"")).to_vec(), ids.to_vec()),
            source("logs/\"quoted\"\n\\\u{1F600}\u{7f}.log", vec![extreme], vec![largest]),
            source(OsString::from_vec(every_byte), vec![position(id(None), b"\0", b"\n")], vec![]),
            source("", vec![], vec![]),
        ];
        let text = written(&sources);
        assert_eq!(text.lines().count(), 1);
        assert_eq!(accept(text.as_bytes()).unwrap(), sources);
        assert_eq!(accept(written(&[]).as_bytes()).unwrap(), []);
    }

    #[test]
    fn keys_that_are_not_known_and_white_space_are_passed_over() {
        let (sources, text) = example();
        let more = text
            .replace(r#""sources""#, r#""host":{"name":"a"},"sources""#)
            .replace(r#""files""#, r#""lines":12,"files""#)
            .replace(r#""offset""#, r#""late":[null],"offset""#)
            .replace(r#""inode""#, r#""mount":-1,"inode""#)
            .replace(r#""secs""#, r#""zone":"UTC","secs""#);
        assert_eq!(accept(more.as_bytes()).unwrap(), sources);
        let value: serde_json::Value = serde_json::from_str(&text).unwrap();
        assert_eq!(accept(serde_json::to_string_pretty(&value).unwrap().as_bytes()).unwrap(), sources);
    }

    #[test]
    fn whatever_was_cut_off_but_the_last_newline_is_missed() {
        let (sources, text) = example();
        let whole = text.trim_end().len();
        for length in 0..whole {
            match accept(&text.as_bytes()[..length]) {
                Err(Flaw::Empty) => assert_eq!(length, 0),
                Err(Flaw::Broken(error)) => assert!(error.is_eof(), "{length}: {error}"),
                other => panic!("{length}: {other:?}"),
            }
        }
        assert_eq!(accept(&text.as_bytes()[..whole]).unwrap(), sources);
    }

    #[test]
    fn a_part_that_became_nuls_is_missed() {
        let (_, text) = example();
        for length in 0..text.len() {
            let mut zeroed = text.clone().into_bytes();
            zeroed[length..].fill(0);
            match accept(&zeroed) {
                Err(Flaw::Zeroed) => assert_eq!(length, 0),
                Err(Flaw::Foreign) => assert!(length < MARK.len(), "{length}"),
                Err(Flaw::Broken(_)) => assert!(length >= MARK.len(), "{length}"),
                other => panic!("{length}: {other:?}"),
            }
        }
    }

    #[test]
    fn what_is_wrong_is_named() {
        let (_, text) = example();
        let rows = [
            (
                r#""rtail_checkpoint":1"#,
                r#""rtail_checkpoint":7"#,
                "checkpoint version 7 is not one of this rtail's (1)",
            ),
            (
                r#""rtail_checkpoint":1"#,
                r#""rtail_checkpoint":0"#,
                "checkpoint version 0 is not one of this rtail's (1)",
            ),
            (r#""rtail_checkpoint":1"#, r#""rtail_checkpoint":"1""#, "invalid type: string \"1\", expected u64"),
            (r#""rtail_checkpoint":1"#, r#""rtail_checkpoint":-1"#, "invalid value: integer `-1`, expected u64"),
            (r#""sources""#, r#""sauces""#, "missing field `sources`"),
            (r#""sources":["#, r#""sources":{},"x":["#, "invalid type: map, expected a sequence"),
            (r#""path":"#, r#""name":"#, "no variant of enum Name found"),
            (r#""path":"/var/log/app.log""#, r#""path":5"#, "invalid type: integer `5`, expected a string"),
            (r#""Y2Fm6S5sb2c=""#, r#""Y2Fm6S5sb2c""#, "Invalid padding"),
            (r#""files":[{"#, r#""files":[{"offset":9,"#, "duplicate field `offset`"),
            (r#""device":2049,"inode":131,"birth":{"#, r#""inode":131,"birth":{"#, "missing field `device`"),
            (r#""offset":6,"#, "", "missing field `offset`"),
            (r#""offset":6"#, r#""offset":-6"#, "invalid value: integer `-6`, expected u64"),
            (r#""offset":6"#, r#""offset":6.0"#, "invalid type: floating point `6.0`, expected u64"),
            (r#""size":7"#, r#""size":18446744073709551616"#, "invalid type: floating point"),
            (r#""nanos":7"#, r#""nanos":1000000000"#, "no such time"),
            (r#""secs":1700000000"#, r#""secs":null"#, "invalid type: null, expected i64"),
            (r#""birth":null"#, r#""birth":5"#, "invalid type: integer `5`"),
            (r#""//4A""#, r#""//4!""#, "Invalid symbol"),
            (r#""//4A""#, "null", "invalid type: null, expected a string"),
            ("}]}\n", "}]}\n{}\n", "trailing characters"),
            ("}]}\n", "}]}\n\0", "trailing characters"),
        ];
        for (from, to, message) in rows {
            assert!(text.contains(from), "{from}");
            let flaw = accept(text.replacen(from, to, 1).as_bytes()).unwrap_err().to_string();
            assert!(flaw.contains(message), "{from} -> {to}: {flaw}");
            assert!(!flaw.contains('\n'), "one line: {flaw}");
        }
    }

    #[test]
    fn another_file_is_not_called_a_damaged_checkpoint() {
        for text in
            ["L1\nL2\n", "{\"level\":\"info\"}\n{\"level\":\"info\"}\n", "{}", "[1]", "\u{feff}{", "null", "1"]
        {
            assert!(matches!(accept(text.as_bytes()), Err(Flaw::Foreign)), "{text}");
        }
    }
}
