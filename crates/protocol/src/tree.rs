//! The tree: `f`, its nodes and what comes with them (`protocol-api.md` 2.5).

use std::borrow::Cow;

use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::de::{Deserializer, SeqAccess, Visitor};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use serde_json::value::RawValue;
use supermega_encoding::{ContactRequestHandle, EventCursor, NodeHandle, PublicHandle, UserHandle};

use crate::contact::{IncomingRequest, OutgoingRequest};
use crate::drift::{self, DriftKind};
use crate::{Command, Drift, Flag, SequenceTag, Timestamp, Verbatim};

/// Fetches the tree of an account, or, with `n=` in the query, of a folder link.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
pub struct FetchNodes {
    /// Asks for contacts and shares too.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub c: Option<Flag>,
    /// Asks for all levels.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub r: Option<Flag>,
    /// Allows a snapshot that is slightly old, with packets to catch up.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ca: Option<Flag>,
    /// The root of a partial tree.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub n: Option<NodeHandle>,
    /// Asks for a partial tree.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub part: Option<Flag>,
    /// Asks for the node behind a public file link, as one older client does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub f: Option<Flag>,
    /// That link.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub p: Option<PublicHandle>,
}

impl FetchNodes {
    /// Asks for everything, contacts and shares too.
    #[must_use]
    pub fn whole() -> Self {
        Self { c: Flag::SET, r: Flag::SET, ..Self::default() }
    }
}

impl Command for FetchNodes {
    const NAME: &'static str = "f";
    const ALONE: bool = true;
    type Response = Tree;

    fn inner_drift(tree: &Tree) -> Vec<Drift> {
        tree.f.drift("f.f").chain(tree.f2.drift("f.f2")).collect()
    }
}

/// A consistent snapshot: later changes are the packets after `sn`.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
pub struct Tree {
    /// Keys of outgoing shares, as current clients read them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ok0: Option<Vec<OwnerKey>>,
    /// The same, as older clients read them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ok: Option<Vec<OwnerKey>>,
    /// All current nodes, parents first.
    pub f: NodeList,
    /// Old versions; the parent is the newer file.
    #[serde(default, skip_serializing_if = "NodeList::is_empty")]
    pub f2: NodeList,
    /// Active outgoing shares and folder links.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub s: Option<Vec<OutgoingShare>>,
    /// Outgoing shares that wait for the invited to become a contact.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ps: Option<Vec<PendingShare>>,
    /// Contacts, oneself, and users of shares.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub u: Option<Vec<User>>,
    /// Public links.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ph: Option<Vec<PublicLink>>,
    /// Incoming contact requests.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ipc: Option<Vec<IncomingRequest>>,
    /// Outgoing contact requests.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub opc: Option<Vec<OutgoingRequest>>,
    /// Albums.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub aesp: Option<Value>,
    /// Chats.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mcf: Option<Value>,
    /// Node access granted by chats to oneself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mcna: Option<Value>,
    /// Node access granted by public chats.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mcpna: Option<Value>,
    /// Scheduled meetings.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mcsm: Option<Value>,
    /// The tag of this snapshot.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub st: Option<SequenceTag>,
    /// The cursor of this snapshot. Servers without events leave it out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sn: Option<EventCursor>,
}

/// What a node is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum NodeType {
    /// 0: a file.
    File,
    /// 1: a folder.
    Folder,
    /// 2: the root of the cloud drive.
    Root,
    /// 3: the inbox, now the vault of backups.
    Vault,
    /// 4: the rubbish bin.
    Trash,
    /// A number that the reference does not list.
    Other(u8),
}

impl NodeType {
    /// The number on the wire.
    #[must_use]
    pub const fn number(self) -> u8 {
        match self {
            Self::File => 0,
            Self::Folder => 1,
            Self::Root => 2,
            Self::Vault => 3,
            Self::Trash => 4,
            Self::Other(number) => number,
        }
    }

    /// The type that a number stands for.
    #[must_use]
    pub const fn from_number(number: u8) -> Self {
        match number {
            0 => Self::File,
            1 => Self::Folder,
            2 => Self::Root,
            3 => Self::Vault,
            4 => Self::Trash,
            other => Self::Other(other),
        }
    }

    /// Whether it is one of an account's three roots.
    #[must_use]
    pub const fn is_root(self) -> bool {
        matches!(self, Self::Root | Self::Vault | Self::Trash)
    }
}

impl Serialize for NodeType {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_u8(self.number())
    }
}

impl<'de> Deserialize<'de> for NodeType {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        u8::deserialize(deserializer).map(Self::from_number)
    }
}

impl JsonSchema for NodeType {
    fn schema_name() -> Cow<'static, str> {
        "NodeType".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        schemars::json_schema!({ "type": "integer", "minimum": 0, "maximum": 255 })
    }
}

/// The key string of a node: `owner:key` entries joined by `/`, or a key alone
/// (`protocol-auth.md` 4.2).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(transparent)]
pub struct NodeKeys(pub String);

/// Under whose key an entry of a key string stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum KeyOwner {
    /// Nobody is named: the reader's own master key.
    Unnamed,
    /// A user's master key or RSA key.
    User(UserHandle),
    /// The key of the share or folder link with this root.
    Share(NodeHandle),
    /// Something else, not usable.
    Unknown,
}

impl NodeKeys {
    /// The entries, each with the text of its key.
    pub fn entries(&self) -> impl Iterator<Item = (KeyOwner, &str)> {
        self.0.split('/').filter(|entry| !entry.is_empty()).map(|entry| {
            let Some((owner, key)) = entry.split_once(':') else {
                return (KeyOwner::Unnamed, entry);
            };
            let owner = match owner.len() {
                UserHandle::TEXT_LEN => owner.parse().map(KeyOwner::User),
                _ => owner.parse().map(KeyOwner::Share),
            };
            (owner.unwrap_or(KeyOwner::Unknown), key)
        })
    }
}

/// A node as the server knows it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Node {
    /// Handle.
    pub h: NodeHandle,
    /// Parent; an empty text at roots.
    #[serde(default, with = "optional_parent")]
    #[schemars(with = "Option<String>")]
    pub p: Option<NodeHandle>,
    /// Owner.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub u: Option<UserHandle>,
    /// Type.
    pub t: NodeType,
    /// Attributes, encrypted; empty at roots.
    #[serde(default)]
    pub a: Verbatim,
    /// Keys; empty or absent at roots.
    #[serde(default)]
    pub k: NodeKeys,
    /// Size in bytes, of files.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub s: Option<u64>,
    /// When the server made the node.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ts: Option<Timestamp>,
    /// File attributes: thumbnails and the like (`protocol-auth.md` 5.5).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fa: Option<String>,
    /// Who shares this root with the reader.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub su: Option<UserHandle>,
    /// Access level of this incoming share: 0 read, 1 read and write, 2 full.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub r: Option<u8>,
    /// Share key for the reader, in old accounts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sk: Option<Verbatim>,
    /// When it was shared.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sts: Option<Timestamp>,
    /// In packets: which element of the `p` request made it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub i: Option<u64>,
}

mod optional_parent {
    use super::{Cow, Deserialize, Deserializer, NodeHandle};

    #[expect(
        clippy::trivially_copy_pass_by_ref,
        clippy::ref_option,
        reason = "serde's `with` hands over a reference to the field"
    )]
    pub fn serialize<S: serde::Serializer>(
        parent: &Option<NodeHandle>,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        match parent {
            Some(parent) => serializer.collect_str(parent),
            None => serializer.serialize_str(""),
        }
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Option<NodeHandle>, D::Error> {
        let text = Option::<Cow<'de, str>>::deserialize(deserializer)?.unwrap_or_default();
        if text.is_empty() {
            return Ok(None);
        }
        text.parse().map(Some).map_err(serde::de::Error::custom)
    }
}

/// A list of nodes in which one that cannot be read is left out and reported, not fatal.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct NodeList {
    /// The nodes that could be read.
    pub nodes: Vec<Node>,
    /// What was odd: in which element, where in it, and what.
    odd: Vec<(usize, String, DriftKind)>,
}

impl NodeList {
    /// Whether no node could be read and none was left out.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.nodes.is_empty() && self.odd.is_empty()
    }

    /// What was odd, with its place below `path` (a command and a member, as `f.f2`).
    pub(crate) fn drift(&self, path: &'static str) -> impl Iterator<Item = Drift> {
        self.drift_from(path, 0)
    }

    /// The same for a list of which `first` elements came before.
    pub(crate) fn drift_from(
        &self,
        path: &'static str,
        first: usize,
    ) -> impl Iterator<Item = Drift> {
        let (command, member) = path.split_once('.').unwrap_or((path, ""));
        self.odd.iter().map(move |(i, place, kind)| Drift {
            command: command.to_owned(),
            path: format!("{member}[{}]{place}", first + i),
            what: kind.clone(),
        })
    }
}

impl From<Vec<Node>> for NodeList {
    fn from(nodes: Vec<Node>) -> Self {
        Self { nodes, odd: Vec::new() }
    }
}

impl Serialize for NodeList {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.nodes.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for NodeList {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Nodes;
        impl<'de> Visitor<'de> for Nodes {
            type Value = NodeList;

            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("a list of nodes")
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<NodeList, A::Error> {
                let mut list = NodeList::default();
                for i in 0.. {
                    let Some(raw) = seq.next_element::<Box<RawValue>>()? else { break };
                    match drift::read::<Node>("f", raw.get(), &[]) {
                        Ok((node, odd)) => {
                            list.nodes.push(node);
                            let odd = odd.into_iter();
                            list.odd.extend(odd.map(|d| (i, format!(".{}", d.path), d.what)));
                        }
                        Err(error) => {
                            let place = match error.path.as_str() {
                                "." => String::new(),
                                path => format!(".{path}"),
                            };
                            list.odd.push((i, place, DriftKind::Skipped(error.reason)));
                        }
                    }
                }
                Ok(list)
            }
        }
        deserializer.deserialize_seq(Nodes)
    }
}

impl JsonSchema for NodeList {
    fn schema_name() -> Cow<'static, str> {
        "NodeList".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        Vec::<Node>::json_schema(generator)
    }
}

/// The key of an outgoing share under the owner's master key; current accounts keep it elsewhere
/// and send zeros (`protocol-auth.md` 4.6).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct OwnerKey {
    /// The shared folder.
    pub h: NodeHandle,
    /// Proof that the owner made it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ha: Option<Verbatim>,
    /// The share key, wrapped.
    pub k: Verbatim,
}

/// An outgoing share, or, with `u` = `EXP`, a folder link.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct OutgoingShare {
    /// The shared folder.
    pub h: NodeHandle,
    /// With whom: a user's handle or `EXP`.
    pub u: String,
    /// Access level.
    pub r: u8,
    /// Since when.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ts: Option<Timestamp>,
}

/// An outgoing share that waits for the invited to become a contact.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct PendingShare {
    /// The shared folder.
    pub h: NodeHandle,
    /// The contact request that it waits for.
    pub p: ContactRequestHandle,
    /// Access level.
    pub r: u8,
    /// Since when.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ts: Option<Timestamp>,
}

/// A user whom the account has to do with.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct User {
    /// Handle.
    pub u: UserHandle,
    /// 0 hidden, 1 contact, 2 oneself, 3 blocked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub c: Option<i64>,
    /// E-mail address.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub m: Option<String>,
    /// Since when.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ts: Option<Timestamp>,
    /// RSA public key.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pubk: Option<Verbatim>,
    /// Ed25519 public key.
    #[serde(default, rename = "+puEd255", skip_serializing_if = "Option::is_none")]
    pub ed25519: Option<Verbatim>,
    /// X25519 public key.
    #[serde(default, rename = "+puCu255", skip_serializing_if = "Option::is_none")]
    pub x25519: Option<Verbatim>,
    /// Signature of the RSA key.
    #[serde(default, rename = "+sigPubk", skip_serializing_if = "Option::is_none")]
    pub rsa_signature: Option<Verbatim>,
    /// Signature of the X25519 key.
    #[serde(default, rename = "+sigCu255", skip_serializing_if = "Option::is_none")]
    pub x25519_signature: Option<Verbatim>,
    /// Role in a business account.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub b: Option<Value>,
}

/// A public link of one's own.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct PublicLink {
    /// The node.
    pub h: NodeHandle,
    /// The link's handle.
    pub ph: PublicHandle,
    /// Since when.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ts: Option<Timestamp>,
    /// When it ends.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ets: Option<Timestamp>,
    /// The write authorisation of a writable folder link.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub w: Option<String>,
    /// Set when it was taken down.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub down: Option<Flag>,
}
