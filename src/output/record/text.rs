//! Bytes in records: as text where they are UTF-8, else in Base64 under a key of its own.

use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use base64::display::Base64Display;
use base64::engine::general_purpose::STANDARD;
use serde::{Serialize, Serializer};

/// The name of a file: `path`, or `path_base64`.
#[derive(Clone, Copy, Debug, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Name<'a> {
    Path(&'a str),
    PathBase64(Base64<'a>),
}

impl<'a> From<&'a Path> for Name<'a> {
    fn from(path: &'a Path) -> Self {
        path.to_str().map_or(Self::PathBase64(Base64(path.as_os_str().as_bytes())), Self::Path)
    }
}

/// The name that a file was given: `renamed_to`, or `renamed_to_base64`.
#[derive(Clone, Copy, Debug, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum NewName<'a> {
    RenamedTo(&'a str),
    RenamedToBase64(Base64<'a>),
}

impl<'a> From<&'a Path> for NewName<'a> {
    fn from(path: &'a Path) -> Self {
        path.to_str().map_or(Self::RenamedToBase64(Base64(path.as_os_str().as_bytes())), Self::RenamedTo)
    }
}

/// Bytes that are shown in Base64, in its standard alphabet and padded.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Base64<'a>(pub(crate) &'a [u8]);

impl Serialize for Base64<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&Base64Display::new(self.0, &STANDARD))
    }
}

/// Appends a value as JSON.
pub(super) fn append(out: &mut Vec<u8>, value: &(impl Serialize + ?Sized)) {
    #[expect(
        clippy::expect_used,
        reason = "a vector takes all bytes, and no value here has keys that are not strings"
    )]
    serde_json::to_writer(out, value).expect("a record can be encoded");
}
