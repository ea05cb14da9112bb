//! Small values that many messages share.

use std::borrow::Cow;
use std::fmt;
use std::marker::PhantomData;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use supermega_encoding::{DecodeError, base64};

/// Yes or no, on the wire `1` or `0`: official readers stumble over `true` (`protocol-api.md` 1.6).
/// Some writers quote the number.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Flag(pub bool);

impl Flag {
    /// `1` as an optional field.
    pub const SET: Option<Self> = Some(Self(true));
}

/// Whether an optional flag is there and set.
#[must_use]
pub fn is_set(flag: Option<Flag>) -> bool {
    flag.is_some_and(|flag| flag.0)
}

impl Serialize for Flag {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_u8(self.0.into())
    }
}

impl<'de> Deserialize<'de> for Flag {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(untagged)]
        enum Form<'a> {
            Number(i64),
            Truth(bool),
            Text(#[serde(borrow)] Cow<'a, str>),
        }
        match Form::deserialize(deserializer).map_err(|_| de::Error::custom("expected 0 or 1"))? {
            Form::Number(number) => Ok(Self(number != 0)),
            Form::Truth(truth) => Ok(Self(truth)),
            Form::Text(text) if text == "0" || text == "1" => Ok(Self(text == "1")),
            Form::Text(_) => Err(de::Error::custom("expected 0 or 1")),
        }
    }
}

impl JsonSchema for Flag {
    fn schema_name() -> Cow<'static, str> {
        "Flag".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "description": "Yes or no; some clients quote the number.",
            "enum": [0, 1, "0", "1", true, false]
        })
    }
}

/// A value that comes as a number (from 0), a text or an object.
///
/// An untagged enum would read these too, but it buffers: unknown members below it would go
/// unreported, and errors would lose their path.
pub(crate) enum Form<T> {
    Number,
    Text(String),
    Object(T),
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Form<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct AnyForm<T>(PhantomData<T>);
        impl<'de, T: Deserialize<'de>> de::Visitor<'de> for AnyForm<T> {
            type Value = Form<T>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a number, a text or an object")
            }

            fn visit_u64<E>(self, _: u64) -> Result<Form<T>, E> {
                Ok(Form::Number)
            }

            fn visit_str<E>(self, text: &str) -> Result<Form<T>, E> {
                Ok(Form::Text(text.to_owned()))
            }

            fn visit_map<A: de::MapAccess<'de>>(self, map: A) -> Result<Form<T>, A::Error> {
                T::deserialize(de::value::MapAccessDeserializer::new(map)).map(Form::Object)
            }
        }
        deserializer.deserialize_any(AnyForm(PhantomData))
    }
}

/// Seconds since 1970 in universal time.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(transparent)]
pub struct Timestamp(pub i64);

/// Base64url text that is kept letter by letter: a server stores it unread, and a client decodes it
/// on use, so that one bad node does not spoil a listing.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(transparent)]
pub struct Verbatim(pub String);

impl Verbatim {
    /// The bytes it stands for.
    pub fn decode(&self) -> Result<Vec<u8>, DecodeError> {
        base64::decode(&self.0)
    }
}

impl From<&[u8]> for Verbatim {
    fn from(bytes: &[u8]) -> Self {
        Self(base64::encode(bytes))
    }
}

/// Orders a result among the action packets it caused (`protocol-api.md` 1.5).
///
/// The shorter is the smaller; of the same length the alphabet decides.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(transparent)]
pub struct SequenceTag(pub String);

impl PartialOrd for SequenceTag {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for SequenceTag {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.0.len().cmp(&other.0.len()).then_with(|| self.0.cmp(&other.0))
    }
}

/// The address of one transfer: whoever knows it can use it, so that it is never printed.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(transparent)]
pub struct StorageUrl(String);

impl StorageUrl {
    /// Takes an address.
    #[must_use]
    pub fn new(url: String) -> Self {
        Self(url)
    }

    /// The address, without a range or an offset.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for StorageUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("StorageUrl(..)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn flags_are_read_in_every_form() {
        for (json, value) in [("1", true), ("0", false), ("\"1\"", true), ("true", true)] {
            assert_eq!(serde_json::from_str::<Flag>(json).unwrap(), Flag(value));
        }
        for json in ["\"x\"", "{}", "[]", "null"] {
            assert!(serde_json::from_str::<Flag>(json).is_err(), "{json}");
        }
        assert_eq!(serde_json::to_string(&Flag(true)).unwrap(), "1");
    }

    #[test]
    fn tags_are_ordered_by_length_first() {
        let tag = |text: &str| SequenceTag(text.into());
        assert!(tag("9") < tag("10"));
        assert!(tag("10") < tag("11"));
    }
}
