//! The history of sessions, and ending them: `usl`, `usr` (`protocol-api.md` 2.3).

use std::borrow::Cow;
use std::fmt;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::{self, Deserializer, SeqAccess, Visitor};
use serde::{Deserialize, Serialize, Serializer, ser::SerializeSeq};
use supermega_encoding::DeviceSessionHandle;

use crate::wire::Done;
use crate::{Command, Flag, Timestamp};

/// Asks for one's sessions, the ended ones too.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize, JsonSchema)]
pub struct ListSessions {
    /// Asks for ids, and for whether a session lives.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub x: Option<Flag>,
    /// Asks for devices; some readers stumble over them unasked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub d: Option<Flag>,
}

impl Command for ListSessions {
    const NAME: &'static str = "usl";
    const LIST: bool = true;
    type Response = Vec<ListedSession>;
}

/// A session as it is listed: on the wire a list of six values, of eight with `x`, of nine with `d` too.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListedSession {
    /// When it began.
    pub opened: Timestamp,
    /// When it was used last.
    pub used: Timestamp,
    /// What the client called itself.
    pub agent: String,
    /// Where it came from.
    pub ip: String,
    /// The country of that address, two letters.
    pub country: String,
    /// Whether it is the one that asks.
    pub current: Flag,
    /// What it is to be named by when it is ended.
    pub id: Option<DeviceSessionHandle>,
    /// Whether it has not ended.
    pub alive: Option<Flag>,
    /// The device that it was opened from; empty if that is not known.
    pub device: Option<String>,
}

impl Serialize for ListedSession {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut seq = serializer.serialize_seq(None)?;
        seq.serialize_element(&self.opened)?;
        seq.serialize_element(&self.used)?;
        seq.serialize_element(&self.agent)?;
        seq.serialize_element(&self.ip)?;
        seq.serialize_element(&self.country)?;
        seq.serialize_element(&self.current)?;
        if let (Some(id), Some(alive)) = (&self.id, &self.alive) {
            seq.serialize_element(id)?;
            seq.serialize_element(alive)?;
            if let Some(device) = &self.device {
                seq.serialize_element(device)?;
            }
        }
        seq.end()
    }
}

impl<'de> Deserialize<'de> for ListedSession {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Row;
        impl<'de> Visitor<'de> for Row {
            type Value = ListedSession;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a list of six, eight or nine values")
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<ListedSession, A::Error> {
                macro_rules! next {
                    ($index:literal) => {
                        seq.next_element()?
                            .ok_or_else(|| de::Error::invalid_length($index, &self))?
                    };
                }
                let mut row = ListedSession {
                    opened: next!(0),
                    used: next!(1),
                    agent: next!(2),
                    ip: next!(3),
                    country: next!(4),
                    current: next!(5),
                    id: seq.next_element()?,
                    alive: None,
                    device: None,
                };
                if row.id.is_some() {
                    row.alive = Some(next!(7));
                    row.device = seq.next_element()?;
                }
                Ok(row)
            }
        }
        deserializer.deserialize_seq(Row)
    }
}

impl JsonSchema for ListedSession {
    fn schema_name() -> Cow<'static, str> {
        "ListedSession".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let time = generator.subschema_for::<Timestamp>();
        let flag = generator.subschema_for::<Flag>();
        let id = generator.subschema_for::<DeviceSessionHandle>();
        let text = json_schema!({ "type": "string" });
        json_schema!({
            "description": "Began, last used, client, address, country, whether it is this one; \
                            if asked for, the id, whether it lives, and the device.",
            "type": "array",
            "prefixItems": [time, time, text, text, text, flag, id, flag, text],
            "minItems": 6,
            "maxItems": 9
        })
    }
}

/// Ends sessions: those that are named, or all but the one that asks.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
pub struct EndSessions {
    /// Ends all others.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ko: Option<Flag>,
    /// Which to end.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub s: Option<Vec<DeviceSessionHandle>>,
}

impl Command for EndSessions {
    const NAME: &'static str = "usr";
    type Response = Done;
}
