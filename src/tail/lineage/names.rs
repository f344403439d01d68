//! Names that rotations give: what they add to the name of a log, and what that tells.

use std::ffi::OsString;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::{Path, PathBuf};

use super::{Form, MarkPlace};

/// What stands between a name and what a rotation added to it.
const SEPARATORS: &[u8] = b".-_~";
/// What rotations add that is no number.
const WORDS: [&[u8]; 6] = [b"old", b"bak", b"prev", b"save", b"orig", b"backup"];
/// What a name ends with if the file was compressed in the one way that is read here.
const PACKED: &[u8] = b".gz";
/// What else in a name tells that the file is compressed, or only being made.
const COMPRESSED: [&[u8]; 6] = [b"gz", b"zst", b"bz2", b"xz", b"lz4", b"zip"];
const UNFINISHED: [&[u8]; 4] = [b"tmp", b"part", b"swp", b"lock"];

/// Whether a file of this name may be a compressed one.
pub(crate) fn is_packed(path: &Path) -> bool {
    path.as_os_str().as_bytes().ends_with(PACKED)
}

/// The files beside one of which a rotation may have given it its name.
pub(crate) fn origins(path: &Path) -> impl Iterator<Item = PathBuf> {
    let bases = bases(path.file_name().unwrap_or_default().as_bytes());
    bases.into_iter().map(|base| path.with_file_name(OsString::from_vec(base)))
}

/// The names of which a rotation may have made this one.
pub(super) fn bases(name: &[u8]) -> Vec<Vec<u8>> {
    let parts = |end: usize| (1..end).filter(|&index| SEPARATORS.contains(&name[index])).map(|index| &name[..index]);
    let suffix = name.iter().rposition(|&byte| byte == b'.').unwrap_or(0);
    let inserted = parts(suffix).map(|begin| [begin, &name[suffix..]].concat());
    let mut bases: Vec<_> = parts(name.len()).map(<[u8]>::to_vec).chain(inserted).collect();
    bases.retain(|base| mark(base, name).is_some() || rotated(base, name).is_some());
    bases
}

/// What a rotation added to the name `base` to make `name`, if it made that, and in which form the file is then.
pub(super) fn rotated<'n>(base: &[u8], name: &'n [u8]) -> Option<(&'n [u8], MarkPlace, Form)> {
    let packed = name.strip_suffix(PACKED).and_then(|plain| {
        // `app.log.gz` may have been compressed in its place.
        if plain == base { Some((&plain[base.len()..], MarkPlace::Appended)) } else { mark(base, plain) }
    });
    let packed = packed.map(|(mark, place)| (mark, place, Form::Packed));
    let plain = || mark(base, name).map(|(mark, place)| (mark, place, Form::Plain));
    packed.or_else(plain).filter(|(mark, ..)| is_readable(mark))
}

/// What a rotation added to the name `base` to make it `name`: `.1`, `-20261120`, `~`; `None` if it made no such name.
pub(super) fn mark<'n>(base: &[u8], name: &'n [u8]) -> Option<(&'n [u8], MarkPlace)> {
    let appended = || {
        let mark = name.strip_prefix(base)?;
        (mark == b"~" || tokens(mark)?.any(tells)).then_some((mark, MarkPlace::Appended))
    };
    let inserted = || {
        let stem = stem(base)?;
        let mark = name.strip_prefix(stem)?.strip_suffix(&base[stem.len()..])?;
        // `app-errors-2.log` is another log than `app.log`.
        tokens(mark)?.next().is_some_and(tells).then_some((mark, MarkPlace::Inserted))
    };
    appended().or_else(inserted)
}

/// What stands before the suffix of a name, if it has one.
pub(super) fn stem(base: &[u8]) -> Option<&[u8]> {
    base.iter().rposition(|&byte| byte == b'.').filter(|dot| *dot > 0).map(|dot| &base[..dot])
}

/// The parts of what may have been added to a name; `None` if it doesn't stand apart from the name.
pub(super) fn tokens(mark: &[u8]) -> Option<impl Iterator<Item = &[u8]>> {
    let (_, rest) = mark.split_first().filter(|(separator, _)| SEPARATORS.contains(separator))?;
    Some(rest.split(|byte| !byte.is_ascii_alphanumeric()))
}

/// Whether a part of a name tells of a rotation: a number or date, or one of the words, numbered or not.
pub(super) fn tells(token: &[u8]) -> bool {
    let letters = token.iter().rposition(|byte| !byte.is_ascii_digit()).map_or(0, |last| last + 1);
    token.first().is_some_and(u8::is_ascii_digit) || WORDS.contains(&&token[..letters])
}

/// Whether a file of such a name, but for what was taken from its end, holds the lines of a log as they are.
pub(super) fn is_readable(mark: &[u8]) -> bool {
    let tokens = || mark.split(|byte| !byte.is_ascii_alphanumeric());
    !tokens().any(|token| COMPRESSED.contains(&token) || UNFINISHED.contains(&token))
}

pub(super) fn numbers(mark: &[u8]) -> Vec<u64> {
    let groups = mark.split(|byte| !byte.is_ascii_digit()).filter(|group| !group.is_empty());
    let push = |number: u64, digit: &u8| number.saturating_mul(10).saturating_add(u64::from(digit - b'0'));
    groups.map(|group| group.iter().fold(0, push)).collect()
}
