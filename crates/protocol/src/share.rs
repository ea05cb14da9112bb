//! Shares and folder links: `s2`, and the node keys that travel with changes (`protocol-api.md` 2.9).

use std::fmt;

use schemars::JsonSchema;
use serde::de::{self, Deserializer};
use serde::{Deserialize, Serialize};
use supermega_encoding::{NodeHandle, UserHandle};

use crate::put::NodeSource;
use crate::{Command, ErrorCode, Verbatim};

/// The target of a share that stands for everybody who has the link.
pub const EXPORT: &str = "EXP";

/// Node keys under share keys: `cr` on the wire, `[[shares],[nodes],[share,node,"key",…]]`.
///
/// In `p` the list of nodes may be empty: node indices then count the request's own elements. Some
/// clients name each element by its `h` instead, an upload by its token.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ShareNodeKeys(
    /// Roots of the shares.
    pub Vec<NodeHandle>,
    /// Nodes, or what new nodes are made from.
    pub Vec<NodeSource>,
    /// The keys.
    pub KeyTriples,
);

impl ShareNodeKeys {
    /// The node at an index, where nodes are named by their handles.
    #[must_use]
    pub fn node(&self, index: usize) -> Option<NodeHandle> {
        match self.1.get(index) {
            Some(NodeSource::Node(handle)) => Some(*handle),
            _ => None,
        }
    }
}

/// Keys, each with its share's and its node's index.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct KeyTriples(pub Vec<KeyTriple>);

/// A node's key under a share's key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyTriple {
    /// Index in the list of shares.
    pub share: usize,
    /// Index in the list of nodes.
    pub node: usize,
    /// The wrapped key.
    pub key: Verbatim,
}

impl Serialize for KeyTriples {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        use serde::ser::SerializeSeq;
        let mut seq = serializer.serialize_seq(Some(self.0.len() * 3))?;
        for triple in &self.0 {
            seq.serialize_element(&triple.share)?;
            seq.serialize_element(&triple.node)?;
            seq.serialize_element(&triple.key)?;
        }
        seq.end()
    }
}

impl<'de> Deserialize<'de> for KeyTriples {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Triples;
        impl<'de> de::Visitor<'de> for Triples {
            type Value = KeyTriples;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("triples of a share's index, a node's index and a key")
            }

            fn visit_seq<A: de::SeqAccess<'de>>(self, mut seq: A) -> Result<KeyTriples, A::Error> {
                let mut triples = Vec::new();
                while let Some(share) = seq.next_element()? {
                    let end = || de::Error::custom("the list ends within a triple");
                    let node = seq.next_element()?.ok_or_else(end)?;
                    let key = seq.next_element()?.ok_or_else(end)?;
                    triples.push(KeyTriple { share, node, key });
                }
                Ok(KeyTriples(triples))
            }
        }
        deserializer.deserialize_seq(Triples)
    }
}

impl JsonSchema for KeyTriples {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "KeyTriples".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({
            "description": "Flat triples: index of a share, index of a node, key.",
            "type": "array",
            "items": { "type": ["integer", "string"], "minimum": 0 }
        })
    }
}

/// Adds, changes or ends shares of a folder.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct SetShare {
    /// The folder.
    pub n: NodeHandle,
    /// With whom.
    pub s: Vec<ShareTarget>,
    /// Share key under the owner's master key; zeros from current clients.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ok: Option<Verbatim>,
    /// Proof that the owner made it; zeros from current clients.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ha: Option<Verbatim>,
    /// Keys of everything in the folder, when it is shared for the first time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cr: Option<ShareNodeKeys>,
    /// The inviter's name for the invitation.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub e: Option<String>,
    /// A message for the invitation.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub msg: Option<String>,
    /// Identifies the sender's change in packets.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub i: Option<String>,
}

impl Command for SetShare {
    const NAME: &'static str = "s2";
    const TAGGED: bool = true;
    type Response = SetShareReply;
}

/// One with whom a folder is shared.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct ShareTarget {
    /// A user's handle, an e-mail address or [`EXPORT`].
    pub u: String,
    /// Access level; nothing (or an empty text) ends the share.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub r: Option<AccessLevel>,
    /// Share key under the target's RSA key, from old clients.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub k: Option<Verbatim>,
}

impl ShareTarget {
    /// The level, if the share is to be added or changed rather than ended.
    #[must_use]
    pub fn level(&self) -> Option<u8> {
        self.r.and_then(|r| r.0)
    }
}

/// How much a share allows: 0 read, 1 read and write, 2 full. An empty text stands for none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AccessLevel(pub Option<u8>);

impl Serialize for AccessLevel {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.0 {
            Some(level) => serializer.serialize_u8(level),
            None => serializer.serialize_str(""),
        }
    }
}

impl<'de> Deserialize<'de> for AccessLevel {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(untagged)]
        enum Form {
            Number(u8),
            Text(String),
        }
        let level = match Form::deserialize(deserializer) {
            Ok(Form::Number(level)) => Some(level),
            Ok(Form::Text(text)) if text.is_empty() => None,
            Ok(Form::Text(text)) => Some(text.parse().map_err(|_| bad_level())?),
            Err(_) => return Err(bad_level()),
        };
        if level.is_some_and(|level| level > 2) {
            return Err(bad_level());
        }
        Ok(Self(level))
    }
}

fn bad_level<E: de::Error>() -> E {
    E::custom("expected an access level of 0, 1 or 2")
}

impl JsonSchema for AccessLevel {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "AccessLevel".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({ "enum": [0, 1, 2, "0", "1", "2", ""] })
    }
}

/// What became of each share.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
pub struct SetShareReply {
    /// A code for each target.
    pub r: Vec<ErrorCode>,
    /// The users behind the targets.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub u: Vec<SharedUser>,
    /// A different share key that the server holds already.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ok: Option<Verbatim>,
}

/// A user behind a target.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct SharedUser {
    /// Handle.
    pub u: UserHandle,
    /// E-mail address.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub m: Option<String>,
}
