//! Thumbnails, previews and media properties of files: `ufa`, `pfa` (`protocol-api.md` 4.7).

use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;

use schemars::JsonSchema;
use serde::de::Deserializer;
use serde::{Deserialize, Serialize};
use supermega_encoding::{FileAttributeHandle, NodeHandle};

use crate::{Command, Flag, StorageUrl};

/// Greatest size of an attribute in bytes.
pub const MAX_SIZE: u64 = 16 << 20;

/// Asks for an address to upload one attribute to, or to download attributes from.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
pub struct RequestFileAttributes {
    /// Upload: the size in bytes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub s: Option<u64>,
    /// Upload: the node, if it is there already.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub h: Option<NodeHandle>,
    /// Download: one of the attributes wanted, which all lie in the same cluster.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fah: Option<FileAttributeHandle>,
    /// 1 or 2: the address shall be https.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ssl: Option<u8>,
    /// Download: set by official clients.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub r: Option<Flag>,
    /// 3: addresses of hosts are wanted too.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub v: Option<u8>,
}

impl RequestFileAttributes {
    /// To upload so many bytes, which may belong to a node that is there already.
    #[must_use]
    pub fn upload(size: u64, node: Option<NodeHandle>) -> Self {
        Self { s: Some(size), h: node, ssl: Some(2), v: Some(3), ..Self::default() }
    }

    /// To download this attribute, and others of its cluster.
    #[must_use]
    pub fn download(attribute: FileAttributeHandle) -> Self {
        Self { fah: Some(attribute), ssl: Some(2), r: Flag::SET, v: Some(3), ..Self::default() }
    }
}

impl Command for RequestFileAttributes {
    const NAME: &'static str = "ufa";
    const LOCKLESS: bool = true;
    type Response = FileAttributesUrl;
}

/// Where attributes go to or come from.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct FileAttributesUrl {
    /// The address.
    pub p: StorageUrl,
    /// Internet addresses of the host: IPv4 then IPv6.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ip: Option<Vec<String>>,
}

/// Gives a node an attribute, in place of another of the same type.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct PutFileAttributes {
    /// The node.
    pub n: NodeHandle,
    /// The new entries.
    pub fa: FileAttributes,
    /// Identifies the sender's change in packets.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub i: Option<String>,
}

impl Command for PutFileAttributes {
    const NAME: &'static str = "pfa";
    const TAGGED: bool = true;
    type Response = FileAttributes;
}

/// The attributes of a file, as one text `CLUSTER:TYPE*VALUE/…`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FileAttributes(pub Vec<FileAttribute>);

impl FromStr for FileAttributes {
    type Err = FileAttributeSyntaxError;

    fn from_str(text: &str) -> Result<Self, FileAttributeSyntaxError> {
        if text.is_empty() {
            return Ok(Self::default());
        }
        text.split('/').map(str::parse).collect::<Result<_, _>>().map(Self)
    }
}

impl fmt::Display for FileAttributes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, entry) in self.0.iter().enumerate() {
            write!(f, "{}{entry}", if i == 0 { "" } else { "/" })?;
        }
        Ok(())
    }
}

impl Serialize for FileAttributes {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for FileAttributes {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = Cow::<'de, str>::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

impl JsonSchema for FileAttributes {
    fn schema_name() -> Cow<'static, str> {
        "FileAttributes".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        const ENTRY: &str = "([0-9]+:)?[0-9]+\\*[A-Za-z0-9_-]+";
        schemars::json_schema!({
            "description": "Entries, each of which reads `CLUSTER:TYPE*VALUE`.",
            "type": "string",
            "pattern": format!("^({ENTRY}(/{ENTRY})*)?$"),
        })
    }
}

/// One entry: `CLUSTER:TYPE*VALUE`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FileAttribute {
    /// Where the attribute is kept, which the service knows.
    pub cluster: Option<u32>,
    /// 0: thumbnail, 1: preview, 8 and 9: media properties.
    pub kind: u16,
    /// A handle, or what the entry says itself.
    pub value: String,
}

impl FileAttribute {
    /// What the entry names, unless it says everything itself.
    #[must_use]
    pub fn handle(&self) -> Option<FileAttributeHandle> {
        match self.kind {
            8 | 9 => None,
            _ => self.value.parse().ok(),
        }
    }
}

/// A text that is no entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a file attribute reads CLUSTER:TYPE*VALUE")]
pub struct FileAttributeSyntaxError;

impl FromStr for FileAttribute {
    type Err = FileAttributeSyntaxError;

    fn from_str(text: &str) -> Result<Self, FileAttributeSyntaxError> {
        let (cluster, rest) = match text.split_once(':') {
            Some((cluster, rest)) => (Some(number(cluster)?), rest),
            None => (None, text),
        };
        let (kind, value) = rest.split_once('*').ok_or(FileAttributeSyntaxError)?;
        let is_plain = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_');
        if value.is_empty() || !value.bytes().all(is_plain) {
            return Err(FileAttributeSyntaxError);
        }
        Ok(Self { cluster, kind: number(kind)?, value: value.to_owned() })
    }
}

/// Digits alone: no sign.
fn number<T: FromStr>(text: &str) -> Result<T, FileAttributeSyntaxError> {
    let digits = Some(text).filter(|text| text.bytes().all(|b| b.is_ascii_digit()));
    digits.and_then(|digits| digits.parse().ok()).ok_or(FileAttributeSyntaxError)
}

impl fmt::Display for FileAttribute {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(cluster) = self.cluster {
            write!(f, "{cluster}:")?;
        }
        write!(f, "{}*{}", self.kind, self.value)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entries_are_read_and_written_again() {
        let text = "924:1*sMYkPG8cd5M/924:0*M5o4lEpr_ZE/8*AAAA";
        let all: FileAttributes = text.parse().unwrap();
        let entries = &all.0;
        assert_eq!(entries.len(), 3);
        assert_eq!((entries[0].cluster, entries[0].kind), (Some(924), 1));
        assert_eq!(entries[1].handle().unwrap().to_string(), "M5o4lEpr_ZE");
        assert_eq!((entries[2].cluster, entries[2].handle()), (None, None));
        assert_eq!(all.to_string(), text);
        assert_eq!("".parse(), Ok(FileAttributes::default()));
    }

    #[test]
    fn what_is_no_entry_is_refused() {
        for text in
            ["x", "0", "0*", "*AA", ":0*AA", "a:0*AA", "0*A\"A", "+1:0*AA", "99999*A", "/", "0*A/"]
        {
            assert!(text.parse::<FileAttributes>().is_err(), "{text}");
        }
    }
}
