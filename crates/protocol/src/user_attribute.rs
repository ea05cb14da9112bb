//! User attributes: small named values, some with versions (`protocol-api.md` 2.11).

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;
use std::marker::PhantomData;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::{self, Deserializer, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Serialize};

use crate::value::Form;
use crate::wire::Done;
use crate::{Command, Flag, Verbatim};

/// The key container of current clients (`protocol-auth.md` 4.8).
pub const KEYS: &str = "^!keys";

const UNPREFIXED: &[&str] = &[
    "birthday",
    "birthmonth",
    "birthyear",
    "country",
    "email",
    "firstname",
    "language",
    "lastname",
    "name",
    "name2",
    "pwmh",
    "s4",
    "s4c",
    "terms",
];

/// The name of a user attribute. Its first character says who may read it: `+` everybody, `#` contacts,
/// `^` the owner and the server, `*` the owner alone.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(transparent)]
pub struct AttributeName(String);

impl AttributeName {
    /// Checks a name: a prefix of the list above (or `%`, `$` of business accounts), or one of the few
    /// that have none.
    #[must_use]
    pub fn new(name: &str) -> Option<Self> {
        let prefixed = name.starts_with(['+', '#', '^', '*', '%', '$']) && name.len() > 1;
        (prefixed || UNPREFIXED.contains(&name)).then(|| Self(name.to_owned()))
    }

    /// The name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether everybody may read it.
    #[must_use]
    pub fn is_public(&self) -> bool {
        self.0.starts_with('+')
    }

    /// Whether the owner's contacts may read it.
    #[must_use]
    pub fn is_for_contacts(&self) -> bool {
        self.is_public() || self.0.starts_with('#') || matches!(&*self.0, "firstname" | "lastname")
    }

    /// How large a value may be, in bytes.
    #[must_use]
    pub fn limit(&self) -> usize {
        if matches!(self.0.as_bytes().get(1), Some(b'!' | b'~')) { 16 << 20 } else { 64 << 10 }
    }
}

impl<'de> Deserialize<'de> for AttributeName {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let name = Cow::<'de, str>::deserialize(deserializer)?;
        Self::new(&name).ok_or_else(|| de::Error::custom("no name of a user attribute"))
    }
}

impl JsonSchema for AttributeName {
    fn schema_name() -> Cow<'static, str> {
        "AttributeName".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "string", "pattern": Self::pattern() })
    }
}

impl AttributeName {
    pub(crate) fn pattern() -> String {
        format!("^([+#^*%$].+|{})$", UNPREFIXED.join("|"))
    }
}

/// An attribute's value with its version, or bare as clients without versions get it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(untagged)]
pub enum AttributeValue {
    /// With a version.
    Versioned(VersionedValue),
    /// Without.
    Bare(Verbatim),
}

impl<'de> Deserialize<'de> for AttributeValue {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        match Form::deserialize(deserializer)? {
            Form::Object(value) => Ok(Self::Versioned(value)),
            Form::Text(text) => Ok(Self::Bare(Verbatim(text))),
            Form::Number => Err(de::Error::custom("expected a value, with or without version")),
        }
    }
}

impl AttributeValue {
    /// The value as base64url text.
    #[must_use]
    pub fn text(&self) -> &Verbatim {
        match self {
            Self::Versioned(value) => &value.av,
            Self::Bare(text) => text,
        }
    }

    /// The version, if it has one.
    #[must_use]
    pub fn version(&self) -> Option<&str> {
        match self {
            Self::Versioned(value) => Some(&value.v),
            Self::Bare(_) => None,
        }
    }
}

/// A value and its version.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct VersionedValue {
    /// The value.
    pub av: Verbatim,
    /// An opaque text that is new at every change.
    pub v: String,
}

/// Fetches one attribute of a user.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct FetchAttribute {
    /// Whose: a handle or an e-mail address; nobody's means one's own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub u: Option<String>,
    /// Which.
    pub ua: AttributeName,
    /// Asks for the version too.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub v: Option<Flag>,
}

impl Command for FetchAttribute {
    const NAME: &'static str = "uga";
    type Response = AttributeValue;
}

/// Removes one's attribute.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct RemoveAttribute {
    /// Which.
    pub ua: AttributeName,
}

impl Command for RemoveAttribute {
    const NAME: &'static str = "upr";
    const TAGGED: bool = true;
    type Response = Done;
}

/// Sets attributes whatever their version.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(transparent)]
pub struct PutAttributes {
    /// Name to value.
    #[serde(deserialize_with = "by_name")]
    pub attributes: BTreeMap<AttributeName, Verbatim>,
}

impl Command for PutAttributes {
    const NAME: &'static str = "up2";
    const TAGGED: bool = true;
    type Response = NewVersions;
}

/// Sets attributes if their versions are still the ones that were read: otherwise -8.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(transparent)]
pub struct PutVersionedAttributes {
    /// Name to value and the version that it replaces.
    #[serde(deserialize_with = "by_name")]
    pub attributes: BTreeMap<AttributeName, Replacement>,
}

impl Command for PutVersionedAttributes {
    const NAME: &'static str = "upv";
    const TAGGED: bool = true;
    type Response = NewVersions;
}

/// Reads the members whose names are attributes; the others are the head of the command, or drift.
fn by_name<'de, D: Deserializer<'de>, T: Deserialize<'de>>(
    deserializer: D,
) -> Result<BTreeMap<AttributeName, T>, D::Error> {
    struct ByName<T>(PhantomData<T>);
    impl<'de, T: Deserialize<'de>> Visitor<'de> for ByName<T> {
        type Value = BTreeMap<AttributeName, T>;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("an object of user attributes")
        }

        fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
            let mut attributes = BTreeMap::new();
            while let Some(name) = map.next_key::<Cow<'de, str>>()? {
                match AttributeName::new(&name) {
                    Some(name) => {
                        attributes.insert(name, map.next_value()?);
                    }
                    None => {
                        map.next_value::<de::IgnoredAny>()?;
                    }
                }
            }
            Ok(attributes)
        }
    }
    deserializer.deserialize_map(ByName(PhantomData))
}

/// A new value, on the wire `[value]` for a new attribute and `[value, version]` for a known one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Replacement {
    /// The new value.
    pub value: Verbatim,
    /// The version of the value that it replaces.
    pub replaces: Option<String>,
}

impl Serialize for Replacement {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match &self.replaces {
            Some(version) => (&self.value, version).serialize(serializer),
            None => (&self.value,).serialize(serializer),
        }
    }
}

impl<'de> Deserialize<'de> for Replacement {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct OneOrTwo;
        impl<'de> Visitor<'de> for OneOrTwo {
            type Value = Replacement;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a list of a value and, if there is one, the version it replaces")
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Replacement, A::Error> {
                let value =
                    seq.next_element()?.ok_or_else(|| de::Error::invalid_length(0, &self))?;
                let replaces = seq.next_element()?;
                if seq.next_element::<de::IgnoredAny>()?.is_some() {
                    return Err(de::Error::invalid_length(3, &self));
                }
                Ok(Replacement { value, replaces })
            }
        }
        deserializer.deserialize_seq(OneOrTwo)
    }
}

impl JsonSchema for Replacement {
    fn schema_name() -> Cow<'static, str> {
        "Replacement".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "type": "array", "items": { "type": "string" }, "minItems": 1, "maxItems": 2
        })
    }
}

/// The versions that attributes have got.
pub type NewVersions = BTreeMap<AttributeName, String>;
