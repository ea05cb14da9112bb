//! Keys after the fact: `pk` hands share keys over, `k` supplies node keys (`protocol-api.md` 2.9).

use std::borrow::Cow;
use std::collections::BTreeMap;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::{self, Deserializer};
use serde::{Deserialize, Serialize};
use supermega_encoding::{NodeHandle, UserHandle};

use crate::share::ShareNodeKeys;
use crate::value::Form;
use crate::wire::Done;
use crate::{Command, Verbatim};

/// Fetches the share keys that wait for the reader; with `d`, drops those that it fetched; with `u`, `h`
/// and `k`, leaves one for somebody.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
pub struct HandOverKeys {
    /// For whom a key is left.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub u: Option<UserHandle>,
    /// The share.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub h: Option<NodeHandle>,
    /// The share key, encrypted for both.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub k: Option<Verbatim>,
    /// The token of what was fetched.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub d: Option<String>,
}

impl Command for HandOverKeys {
    const NAME: &'static str = "pk";
    type Response = HandOverReply;
}

/// What there was to hand over.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum HandOverReply {
    /// Keys that wait.
    Keys(WaitingKeys),
    /// They are dropped, or the key is left.
    Done,
}

/// Share keys by who left them and by share.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct WaitingKeys {
    /// Drops these keys when it is sent back.
    pub d: String,
    /// The keys.
    #[serde(flatten)]
    pub keys: BTreeMap<String, BTreeMap<String, Verbatim>>,
}

impl Serialize for HandOverReply {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Keys(keys) => keys.serialize(serializer),
            Self::Done => Done.serialize(serializer),
        }
    }
}

impl<'de> Deserialize<'de> for HandOverReply {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Ok(match Form::<WaitingKeys>::deserialize(deserializer)? {
            Form::Number => Self::Done,
            Form::Text(_) => return Err(de::Error::custom("expected keys or 0")),
            Form::Object(keys) => Self::Keys(keys),
        })
    }
}

impl JsonSchema for HandOverReply {
    fn schema_name() -> Cow<'static, str> {
        "HandOverReply".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let keys = generator.subschema_for::<WaitingKeys>();
        json_schema!({ "anyOf": [keys, { "type": "integer", "minimum": 0 }] })
    }
}

/// Replaces keys of one's own nodes, or supplies keys for shares, as older clients do
/// (`protocol-auth.md` 4.3).
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
pub struct SetKeys {
    /// Nodes, each followed by its key under the master key.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub nk: Option<Vec<String>>,
    /// Node keys under share keys.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cr: Option<ShareNodeKeys>,
    /// Identifies the sender's change in packets.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub i: Option<String>,
}

impl Command for SetKeys {
    const NAME: &'static str = "k";
    const TAGGED: bool = true;
    type Response = Done;
}
