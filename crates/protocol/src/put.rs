//! New nodes: `p`, for folders, uploads, copies and imports (`protocol-api.md` 2.6).

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::{self, Deserializer};
use serde::{Deserialize, Serialize};
use supermega_encoding::{NodeHandle, PublicHandle, UserHandle};

use crate::share::ShareNodeKeys;
use crate::tree::{NodeList, NodeType};
use crate::{Command, Drift, ErrorCode, Flag, Verbatim};

/// Puts new nodes below a folder, parents first.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct PutNodes {
    /// The folder that takes them; or a user, into whose inbox they go.
    pub t: PutTarget,
    /// The nodes.
    pub n: Vec<NewNode>,
    /// Version of the reply: 4 asks for file ids.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub v: Option<u8>,
    /// Sent by official clients; its meaning is not known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sm: Option<Flag>,
    /// Whether a replaced file is kept as a version.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub vb: Option<Flag>,
    /// Allows a change in the vault.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub vw: Option<Flag>,
    /// A usage statistic of official clients.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub p: Option<String>,
    /// Keys for the shares around the target; node indices count `n`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cr: Option<ShareNodeKeys>,
    /// Authorisation by a chat.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cauth: Option<String>,
    /// The customer's address.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cip: Option<String>,
    /// Identifies the sender's change in packets.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub i: Option<String>,
}

impl Command for PutNodes {
    const NAME: &'static str = "p";
    const TAGGED: bool = true;
    type Response = PutNodesReply;

    fn inner_drift(reply: &PutNodesReply) -> Vec<Drift> {
        let f = reply.f.iter().flat_map(|list| list.drift("p.f"));
        f.chain(reply.f2.iter().flat_map(|list| list.drift("p.f2"))).collect()
    }
}

/// Where new nodes go.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PutTarget {
    /// Below a folder.
    Folder(NodeHandle),
    /// Into a user's inbox.
    User(UserHandle),
    /// Into the inbox of the user with this e-mail address.
    Address(String),
}

impl fmt::Display for PutTarget {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Folder(handle) => handle.fmt(f),
            Self::User(handle) => handle.fmt(f),
            Self::Address(address) => f.write_str(address),
        }
    }
}

impl FromStr for PutTarget {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if let Ok(handle) = text.parse() {
            return Ok(Self::Folder(handle));
        }
        if let Ok(handle) = text.parse() {
            return Ok(Self::User(handle));
        }
        if text.contains('@') { Ok(Self::Address(text.into())) } else { Err("no target of nodes") }
    }
}

impl Serialize for PutTarget {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for PutTarget {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Cow::<'de, str>::deserialize(deserializer)?.parse().map_err(de::Error::custom)
    }
}

impl JsonSchema for PutTarget {
    fn schema_name() -> Cow<'static, str> {
        "PutTarget".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "description": "A folder's handle, a user's handle or an e-mail address.",
            "type": "string", "pattern": "^([A-Za-z0-9_-]{8}|[A-Za-z0-9_-]{11}|.*@.*)$"
        })
    }
}

/// A node to be made.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct NewNode {
    /// What it is made from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub h: Option<NodeSource>,
    /// The public file it is made from, instead of `h`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ph: Option<PublicHandle>,
    /// The `h` of an earlier element that is to be its parent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub p: Option<NodeHandle>,
    /// File or folder.
    pub t: NodeType,
    /// Attributes, encrypted.
    pub a: Verbatim,
    /// Key under the master key (or the recipient's RSA key); absent in a writable folder link.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub k: Option<Verbatim>,
    /// File attributes of an upload.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fa: Option<String>,
    /// The file that becomes the old version.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ov: Option<NodeHandle>,
}

/// What a new node is made from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NodeSource {
    /// A node to copy; for a new folder any placeholder.
    Node(NodeHandle),
    /// A complete upload, by its token's text.
    Upload(String),
}

impl Serialize for NodeSource {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Node(handle) => serializer.collect_str(handle),
            Self::Upload(token) => serializer.serialize_str(token),
        }
    }
}

impl<'de> Deserialize<'de> for NodeSource {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = Cow::<'de, str>::deserialize(deserializer)?;
        if text.len() == NodeHandle::TEXT_LEN {
            return text.parse().map(Self::Node).map_err(de::Error::custom);
        }
        if text.len() > NodeHandle::TEXT_LEN {
            return Ok(Self::Upload(text.into_owned()));
        }
        Err(de::Error::custom("neither a handle nor an upload token"))
    }
}

impl JsonSchema for NodeSource {
    fn schema_name() -> Cow<'static, str> {
        "NodeSource".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "string", "minLength": 8 })
    }
}

/// What became of each new node. Under `v=3` the nodes themselves come as a packet; older clients get
/// them here.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
pub struct PutNodesReply {
    /// The nodes, in the order of the request, for clients without `v=3`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub f: Option<NodeList>,
    /// Old versions that the new nodes replaced, for clients without `v=3`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub f2: Option<NodeList>,
    /// Refusals by element.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub e: Option<ElementErrors>,
    /// The handle and file id of each node that was made, in order.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fh: Option<Vec<MadeNode>>,
}

impl PutNodesReply {
    /// The handle of each of the request's `count` elements, or why it was not made.
    ///
    /// A reply that names too few nodes leaves the rest as internal errors.
    #[must_use]
    pub fn outcomes(&self, count: usize) -> Vec<Result<NodeHandle, ErrorCode>> {
        let refused = |i| self.e.as_ref().and_then(|e| e.0.get(&i).copied());
        let from_fh = self.fh.iter().flatten().map(|made| made.handle);
        let from_f = self.f.iter().flat_map(|list| list.nodes.iter().map(|node| node.h));
        let mut made: Box<dyn Iterator<Item = NodeHandle>> =
            if self.fh.is_some() { Box::new(from_fh) } else { Box::new(from_f) };
        (0..count)
            .map(|i| match refused(i) {
                Some(code) => Err(code),
                None => made.next().ok_or(ErrorCode::Internal),
            })
            .collect()
    }
}

/// Refusals by element: a sparse map, or a list for a leading run.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ElementErrors(pub BTreeMap<usize, ErrorCode>);

impl Serialize for ElementErrors {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if self.0.is_empty() {
            serializer.collect_seq([0u8; 0])
        } else {
            self.0.serialize(serializer)
        }
    }
}

impl<'de> Deserialize<'de> for ElementErrors {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(untagged)]
        enum Form {
            List(Vec<ErrorCode>),
            Map(BTreeMap<String, ErrorCode>),
        }
        let bad = || de::Error::custom("expected error numbers by index");
        let entries = match Form::deserialize(deserializer).map_err(|_| bad())? {
            Form::List(list) => list.into_iter().enumerate().collect(),
            Form::Map(map) => map
                .into_iter()
                .map(|(index, code)| index.parse().map(|i| (i, code)).map_err(|_| bad()))
                .collect::<Result<Vec<_>, _>>()?,
        };
        Ok(Self(entries.into_iter().filter(|(_, code)| code.number() != 0).collect()))
    }
}

impl JsonSchema for ElementErrors {
    fn schema_name() -> Cow<'static, str> {
        "ElementErrors".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "type": ["array", "object"],
            "items": { "type": "integer" },
            "additionalProperties": { "type": "integer" }
        })
    }
}

/// A node that was made: `handle:file id` on the wire. Files of the same content have the same id.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MadeNode {
    /// The new handle.
    pub handle: NodeHandle,
    /// The file id, 11 characters.
    pub file_id: String,
}

impl Serialize for MadeNode {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&format_args!("{}:{}", self.handle, self.file_id))
    }
}

impl<'de> Deserialize<'de> for MadeNode {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = Cow::<'de, str>::deserialize(deserializer)?;
        let (handle, file_id) = text.split_once(':').unwrap_or((&text, ""));
        let handle = handle.parse().map_err(de::Error::custom)?;
        Ok(Self { handle, file_id: file_id.into() })
    }
}

impl JsonSchema for MadeNode {
    fn schema_name() -> Cow<'static, str> {
        "MadeNode".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "string", "pattern": "^[A-Za-z0-9_-]{8}(:[A-Za-z0-9_-]*)?$" })
    }
}
