//! Public links: `l`, `pli` (`protocol-api.md` 2.8).

use std::borrow::Cow;

use schemars::JsonSchema;
use serde::de::Deserializer;
use serde::{Deserialize, Serialize};
use supermega_encoding::{NodeHandle, PublicHandle, UserHandle};

use crate::tree::NodeKeys;
use crate::value::Form;
use crate::{Command, Flag, Timestamp, Verbatim};

/// Makes, changes or removes the public link of a node.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct SetLink {
    /// The node.
    pub n: NodeHandle,
    /// Removes the link.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub d: Option<Flag>,
    /// When the link is to end.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ets: Option<Timestamp>,
    /// Makes a folder link writable.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub w: Option<Flag>,
    /// Share key under a random key, for links that the service hosts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sk: Option<Verbatim>,
    /// Identifies the sender's change in packets.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub i: Option<String>,
}

impl SetLink {
    /// Makes a link to `node`, or finds the one it has.
    #[must_use]
    pub fn make(node: NodeHandle) -> Self {
        Self { n: node, d: None, ets: None, w: None, sk: None, i: None }
    }

    /// Removes the link of `node`.
    #[must_use]
    pub fn remove(node: NodeHandle) -> Self {
        Self { d: Flag::SET, ..Self::make(node) }
    }
}

impl Command for SetLink {
    const NAME: &'static str = "l";
    const TAGGED: bool = true;
    type Response = LinkReply;
}

/// What became of the link.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LinkReply {
    /// It has this handle.
    Made(PublicHandle),
    /// It has this handle, and this authorisation to write.
    Writable(PublicHandle, String),
    /// It is removed.
    Removed,
}

#[derive(Serialize, Deserialize)]
struct Writable {
    ph: PublicHandle,
    w: String,
}

impl Serialize for LinkReply {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Made(handle) => handle.serialize(serializer),
            Self::Writable(ph, w) => Writable { ph: *ph, w: w.clone() }.serialize(serializer),
            Self::Removed => serializer.serialize_u8(0),
        }
    }
}

impl<'de> Deserialize<'de> for LinkReply {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Ok(match Form::<Writable>::deserialize(deserializer)? {
            Form::Number => Self::Removed,
            // A text of another length than a handle's is the tag of a removal.
            Form::Text(text) => text.parse().map_or(Self::Removed, Self::Made),
            Form::Object(link) => Self::Writable(link.ph, link.w),
        })
    }
}

impl JsonSchema for LinkReply {
    fn schema_name() -> Cow<'static, str> {
        "LinkReply".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({
            "description": "A public handle; with `w` a writable link; a number or a tag once removed.",
            "type": ["string", "integer", "object"],
            "minimum": 0,
            "properties": {
                "ph": { "type": "string", "pattern": "^[A-Za-z0-9_-]{8}$" },
                "w": { "type": "string" }
            },
            "required": ["ph", "w"]
        })
    }
}

/// Asks what a folder link holds.
#[derive(Clone, Copy, Debug, Serialize, Deserialize, JsonSchema)]
pub struct FetchLink {
    /// The link.
    pub ph: PublicHandle,
}

impl Command for FetchLink {
    const NAME: &'static str = "pli";
    const LOCKLESS: bool = true;
    type Response = LinkContent;
}

/// What a folder link holds.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct LinkContent {
    /// The folder's attributes, encrypted.
    pub attrs: Verbatim,
    /// The link.
    pub ph: PublicHandle,
    /// The folder's owner.
    pub u: UserHandle,
    /// Bytes, files, folders, bytes of versions, number of versions.
    pub s: [u64; 5],
    /// The folder's key under the link's.
    pub k: NodeKeys,
}
