//! Addresses for transfers: `g` and `u` (`protocol-api.md` 3.1, 3.2, 4.1).

use schemars::JsonSchema;
use serde::de::{self, Deserializer};
use serde::{Deserialize, Serialize};
use supermega_encoding::{NodeHandle, PublicHandle};

use crate::{Command, ErrorCode, Flag, StorageUrl, Verbatim};

/// Asks for a file's size, attributes and, with `g`, the address of its bytes.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
pub struct RequestDownload {
    /// A node of one's own, of a share, or of the folder link in the query.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub n: Option<NodeHandle>,
    /// A public file.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub p: Option<PublicHandle>,
    /// Asks for the address.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub g: Option<Flag>,
    /// 2: can put a file together from six parts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub v: Option<u8>,
    /// 1 or 2: the address shall be https.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ssl: Option<u8>,
    /// An old hint that only the information is wanted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ssm: Option<Flag>,
    /// The session of another account that owns the node.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub esid: Option<String>,
    /// The folder link that a foreign node lies in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub en: Option<String>,
    /// Authorisation by a chat.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cauth: Option<String>,
}

impl Command for RequestDownload {
    const NAME: &'static str = "g";
    const LOCKLESS: bool = true;
    type Response = DownloadReply;
}

/// A file's size, attributes and address.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
pub struct DownloadReply {
    /// Size in bytes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub s: Option<u64>,
    /// Attributes, encrypted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at: Option<Verbatim>,
    /// The address, or six of them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub g: Option<Sources>,
    /// Internet addresses of the hosts: IPv4 then IPv6 for each.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ip: Option<Vec<String>>,
    /// File attributes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fa: Option<String>,
    /// File id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fh: Option<String>,
    /// Why it cannot be had.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub e: Option<ErrorCode>,
    /// Seconds until there is transfer quota again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tl: Option<u64>,
    /// Set when it was taken down.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub d: Option<Flag>,
    /// Set when free quota limits the download.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub efq: Option<Flag>,
}

/// Where the bytes of a file are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Sources {
    /// At one address.
    Whole(StorageUrl),
    /// In a parity part and five data parts (`protocol-api.md` 3.7).
    Parts(Box<[StorageUrl; 6]>),
}

impl Serialize for Sources {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Whole(url) => url.serialize(serializer),
            Self::Parts(urls) => urls.serialize(serializer),
        }
    }
}

impl<'de> Deserialize<'de> for Sources {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(untagged)]
        enum Form {
            One(StorageUrl),
            List(Vec<StorageUrl>),
        }
        let bad = || de::Error::custom("expected an address or a list of one or six");
        match Form::deserialize(deserializer).map_err(|_| bad())? {
            Form::One(url) => Ok(Self::Whole(url)),
            Form::List(mut urls) if urls.len() == 1 => Ok(Self::Whole(urls.remove(0))),
            Form::List(urls) => urls.try_into().map(Self::Parts).map_err(|_| bad()),
        }
    }
}

impl JsonSchema for Sources {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Sources".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({
            "type": ["string", "array"],
            "items": { "type": "string" }, "minItems": 1, "maxItems": 6
        })
    }
}

/// Asks for an address to upload to.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct RequestUpload {
    /// Size of the file in bytes.
    pub s: u64,
    /// 1 or 2: the address shall be https.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ssl: Option<u8>,
    /// 2 and 3: the token shall come as raw bytes; 3: addresses of hosts too.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub v: Option<u8>,
    /// The trees that the file will go to, for the quota check.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub t: Option<OneOrMore>,
    /// Greatest speed, an old hint.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ms: Option<i64>,
    /// Number of retries, an old hint.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub r: Option<i64>,
    /// The last error, an old hint.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub e: Option<i64>,
}

/// One text or a list of them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum OneOrMore {
    /// One.
    One(String),
    /// A list.
    More(Vec<String>),
}

impl OneOrMore {
    /// All of them.
    #[must_use]
    pub fn texts(&self) -> &[String] {
        match self {
            Self::One(text) => std::slice::from_ref(text),
            Self::More(texts) => texts,
        }
    }
}

impl Command for RequestUpload {
    const NAME: &'static str = "u";
    type Response = UploadReply;
}

/// Where to upload to.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct UploadReply {
    /// The address, without an offset.
    pub p: StorageUrl,
    /// Internet addresses of the host: IPv4 then IPv6.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ip: Option<Vec<String>>,
}
