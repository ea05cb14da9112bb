//! One's own account: `ug`, `uq`, `up` (`protocol-api.md` 2.4, `protocol-auth.md` 2.13 and 3.1).

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;

use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::de::{Deserializer, IgnoredAny, MapAccess, Visitor};
use serde::{Deserialize, Serialize, Serializer, ser::SerializeMap};
use serde_json::Value;
use supermega_encoding::{Base64, NodeHandle, UserHandle};

use crate::user_attribute::{AttributeName, AttributeValue};
use crate::wire::Done;
use crate::{Command, Flag, Timestamp, Verbatim};

/// Fetches one's own user data.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize, JsonSchema)]
pub struct FetchUser {
    /// Asks for attributes with their versions.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub v: Option<Flag>,
}

impl Command for FetchUser {
    const NAME: &'static str = "ug";
    type Response = UserData;
}

macro_rules! user_data {
    ($($(#[doc = $doc:literal])+ $name:ident: $type:ty,)*) => {
        /// One's own user data, with all attributes inline.
        #[derive(Clone, Debug)]
        pub struct UserData {
            /// Own handle.
            pub u: UserHandle,
            $($(#[doc = $doc])+ pub $name: Option<$type>,)*
            /// Every attribute of the account.
            pub attributes: BTreeMap<AttributeName, AttributeValue>,
        }

        /// Its members without the attributes, for the schema.
        #[derive(JsonSchema)]
        #[schemars(rename = "UserData")]
        #[allow(dead_code, reason = "only its shape is read")]
        struct UserDataMembers {
            /// Own handle.
            u: UserHandle,
            $($(#[doc = $doc])+ $name: Option<$type>,)*
        }

        impl UserData {
            /// The data of a user about whom nothing but the handle is known.
            #[must_use]
            pub fn new(u: UserHandle) -> Self {
                Self { u, $($name: None,)* attributes: BTreeMap::new() }
            }
        }

        impl Serialize for UserData {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                let mut map = serializer.serialize_map(None)?;
                map.serialize_entry("u", &self.u)?;
                $(if let Some(value) = &self.$name {
                    map.serialize_entry(stringify!($name), value)?;
                })*
                for (name, value) in &self.attributes {
                    map.serialize_entry(name, value)?;
                }
                map.end()
            }
        }

        impl<'de> Visitor<'de> for UserDataVisitor {
            type Value = UserData;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object of user data")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<UserData, A::Error> {
                let mut u = None;
                $(let mut $name: Option<$type> = None;)*
                let mut attributes = BTreeMap::new();
                while let Some(key) = map.next_key::<Cow<'de, str>>()? {
                    match key.as_ref() {
                        "u" => u = Some(map.next_value()?),
                        $(stringify!($name) => $name = map.next_value()?,)*
                        other => match AttributeName::new(other) {
                            Some(name) => {
                                attributes.insert(name, map.next_value()?);
                            }
                            None => {
                                map.next_value::<IgnoredAny>()?;
                            }
                        },
                    }
                }
                let u = u.ok_or_else(|| serde::de::Error::missing_field("u"))?;
                Ok(UserData { u, $($name,)* attributes })
            }
        }
    };
}

user_data! {
    /// Account status, as some clients read it.
    s: i64,
    /// E-mail address.
    email: String,
    /// Full name.
    name: String,
    /// Master key under the password key.
    k: Base64,
    /// Whether the account is confirmed.
    c: i64,
    /// RSA public key.
    pubk: Base64,
    /// RSA private key under the master key.
    privk: Base64,
    /// A state token that some clients want as text.
    ts: String,
    /// When the account was made.
    since: Timestamp,
    /// Account version, 1 or 2.
    aav: u8,
    /// The salt of a version 2 account.
    aas: Base64,
    /// Service flags, by name.
    flags: BTreeMap<String, Value>,
    /// State of a business account.
    b: Value,
    /// State of a Pro Flexi account, as `b`.
    pf: Value,
    /// Set when there are no achievements.
    na: Flag,
    /// Account type.
    ut: i64,
    /// Verified telephone number.
    smsv: String,
    /// Deadline and warnings of the paywall.
    uspw: Value,
    /// Settings of notifications.
    notifs: Value,
    /// Settings of marketing.
    mkt: Value,
}

struct UserDataVisitor;

impl<'de> Deserialize<'de> for UserData {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(UserDataVisitor)
    }
}

impl JsonSchema for UserData {
    fn schema_name() -> Cow<'static, str> {
        "UserData".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let mut schema = UserDataMembers::json_schema(generator);
        let value = generator.subschema_for::<AttributeValue>();
        schema.insert(
            "patternProperties".into(),
            serde_json::json!({ AttributeName::pattern(): value }),
        );
        schema
    }
}

/// Fetches quota and plan.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
pub struct FetchQuota {
    /// Asks for storage.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub strg: Option<Flag>,
    /// Asks for transfer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub xfer: Option<Flag>,
    /// Asks for the plan.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pro: Option<Flag>,
    /// Asks for the storage limit alone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mstrg: Option<Flag>,
    /// Why it is asked: a statistic.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub src: Option<i64>,
    /// Version of the reply.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub v: Option<u8>,
}

impl Command for FetchQuota {
    const NAME: &'static str = "uq";
    type Response = Quota;
}

/// Quota and plan. Sizes are bytes.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
pub struct Quota {
    /// Storage limit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mstrg: Option<u64>,
    /// Storage used, with versions and rubbish.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cstrg: Option<u64>,
    /// By root: bytes, files, folders, bytes of versions, number of versions.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cstrgn: Option<BTreeMap<NodeHandle, [u64; 5]>>,
    /// Hundredths of a per cent where "nearly full" begins.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub uslw: Option<u64>,
    /// Storage state: 0 green, 1 orange, 2 red, 4 paywall.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub usl: Option<u8>,
    /// Transfer limit of the plan.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mxfer: Option<u64>,
    /// Own transfer used.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub caxfer: Option<u64>,
    /// Own transfer used and not yet in `caxfer`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tuo: Option<u64>,
    /// Transfer served to others.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub csxfer: Option<u64>,
    /// Transfer served to others and not yet in `csxfer`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tua: Option<u64>,
    /// Reserved quota of the actor.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rua: Option<u64>,
    /// Reserved quota of the owner.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ruo: Option<u64>,
    /// Reserved quota of the address.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tar: Option<u64>,
    /// Seconds since the current bucket of free quota began.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bt: Option<u64>,
    /// Free quota by hour.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tah: Option<Vec<u64>>,
    /// Set when `tah` means nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rtt: Option<Flag>,
    /// Per cent of transfer that may serve others.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub srvratio: Option<f64>,
    /// Plan: 0 free, 1 to 4 Pro, 100 and 101 business.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub utype: Option<i64>,
    /// When the plan ends.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub suntil: Option<Timestamp>,
    /// Balance: amount and currency.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub balance: Option<Value>,
    /// Subscriptions.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subs: Option<Vec<Value>>,
    /// Active plans.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub plans: Option<Vec<Value>>,
    /// Features: end and name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub features: Option<Vec<Value>>,
}

/// Changes the user record: makes an ephemeral account (`k`, `ts`), sets the RSA pair (`privk`, `pubk`),
/// changes the password (`k`, `uh`, `crv`), or sets attributes as old clients do.
#[derive(Clone, Default, Serialize, Deserialize, JsonSchema)]
pub struct UpdateUser {
    /// Master key under the (new) password key, 16 bytes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub k: Option<Base64>,
    /// A challenge and the same under the master key, 32 bytes (`protocol-auth.md` 3.1).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ts: Option<Base64>,
    /// RSA private key under the master key.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub privk: Option<Base64>,
    /// RSA public key.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pubk: Option<Base64>,
    /// The client's random value of a version 2 account, 16 bytes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub crv: Option<Base64>,
    /// The hashed authentication key (version 2) or the user hash (version 1).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub uh: Option<Base64>,
    /// The second factor's six digits.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mfa: Option<String>,
    /// The code of a confirmation mail, in the oldest sign-up.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub c: Option<String>,
    /// Full name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Terms that were accepted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub terms: Option<String>,
    /// First name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub firstname: Option<Verbatim>,
    /// Last name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lastname: Option<Verbatim>,
    /// Full name, as newer clients send it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name2: Option<Verbatim>,
    /// Identifies the sender's change in packets.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub i: Option<String>,
}

impl fmt::Debug for UpdateUser {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("UpdateUser { .. }")
    }
}

impl Command for UpdateUser {
    const NAME: &'static str = "up";
    const TAGGED: bool = true;
    type Response = UserHandle;
}

/// Makes a version 2 account of one of version 1 (`protocol-auth.md` 2.14).
#[derive(Clone, Serialize, Deserialize, JsonSchema)]
pub struct UpgradeAccount {
    /// Master key under the new key, 16 bytes.
    pub emk: Base64,
    /// The hashed authentication key, 16 bytes.
    pub hak: Base64,
    /// The client's random value, 16 bytes.
    pub crv: Base64,
}

impl fmt::Debug for UpgradeAccount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("UpgradeAccount { .. }")
    }
}

impl Command for UpgradeAccount {
    const NAME: &'static str = "avu";
    type Response = Done;
}
