//! Making an account: `uc2`, `ud2`, `ucr` (`protocol-auth.md` 3.2, 3.3).

use std::borrow::Cow;
use std::fmt;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::{self, Deserializer, SeqAccess, Visitor};
use serde::{Deserialize, Serialize, Serializer};
use supermega_encoding::{Base64, UserHandle};

use crate::Command;
use crate::wire::Done;

/// Gives an ephemeral account a name, an address and a password: a mail with a code goes to the address.
/// Without `crv`, `hak` and `k` that mail goes out again.
#[derive(Clone, Serialize, Deserialize, JsonSchema)]
pub struct RequestSignup {
    /// Full name, UTF-8.
    pub n: Base64,
    /// E-mail address.
    pub m: Base64,
    /// The client's random value, 16 bytes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub crv: Option<Base64>,
    /// The hashed authentication key, 16 bytes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hak: Option<Base64>,
    /// The master key under the password key, 16 bytes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub k: Option<Base64>,
    /// Account version: 2.
    pub v: u8,
    /// Who led the user here, a statistic.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub p: Option<String>,
}

impl fmt::Debug for RequestSignup {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("RequestSignup { .. }")
    }
}

impl Command for RequestSignup {
    const NAME: &'static str = "uc2";
    type Response = Done;
}

/// Makes a full account of the one whose mail held this code.
#[derive(Clone, Serialize, Deserialize, JsonSchema)]
pub struct ConfirmSignup {
    /// The code.
    pub c: String,
}

impl fmt::Debug for ConfirmSignup {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ConfirmSignup { .. }")
    }
}

impl Command for ConfirmSignup {
    const NAME: &'static str = "ud2";
    const TAGGED: bool = true;
    const LIST: bool = true;
    type Response = ConfirmedSignup;
}

/// Whose account it is: on the wire a list of four values; more may follow.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConfirmedSignup {
    /// E-mail address.
    pub email: Base64,
    /// Full name, UTF-8.
    pub name: Base64,
    /// Handle.
    pub user: UserHandle,
    /// Account version.
    pub version: u8,
}

impl Serialize for ConfirmedSignup {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        (&self.email, &self.name, &self.user, self.version).serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for ConfirmedSignup {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct FourOrMore;
        impl<'de> Visitor<'de> for FourOrMore {
            type Value = ConfirmedSignup;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a list of address, name, handle and version")
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<ConfirmedSignup, A::Error> {
                let short = |length| de::Error::invalid_length(length, &self);
                let confirmed = ConfirmedSignup {
                    email: seq.next_element()?.ok_or_else(|| short(0))?,
                    name: seq.next_element()?.ok_or_else(|| short(1))?,
                    user: seq.next_element()?.ok_or_else(|| short(2))?,
                    version: seq.next_element()?.ok_or_else(|| short(3))?,
                };
                while seq.next_element::<de::IgnoredAny>()?.is_some() {}
                Ok(confirmed)
            }
        }
        deserializer.deserialize_seq(FourOrMore)
    }
}

impl JsonSchema for ConfirmedSignup {
    fn schema_name() -> Cow<'static, str> {
        "ConfirmedSignup".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let text = generator.subschema_for::<Base64>();
        let user = generator.subschema_for::<UserHandle>();
        json_schema!({
            "description": "E-mail address, full name, handle, account version.",
            "type": "array",
            "prefixItems": [text, text, user, { "type": "integer", "minimum": 1, "maximum": 255 }],
            "minItems": 4
        })
    }
}

/// Takes a sign-up back that was not confirmed.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize, JsonSchema)]
pub struct CancelSignup {}

impl Command for CancelSignup {
    const NAME: &'static str = "ucr";
    type Response = Done;
}
