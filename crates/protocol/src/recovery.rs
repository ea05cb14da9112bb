//! What goes by mail: recovery of an account, its end, and a new address: `erm`, `erv`, `erx`, `se`, `sec`
//! (`protocol-auth.md` 3.6).

use std::borrow::Cow;
use std::fmt;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::{self, Deserializer};
use serde::{Deserialize, Serialize, Serializer};
use supermega_encoding::{Base64, UserHandle};

use crate::wire::{Done, TextOrDone};
use crate::{Command, Flag, Timestamp};

/// What a mail is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum MailPurpose {
    /// 9: another password, by whoever has the recovery key.
    Recover,
    /// 10: another password without that key, which loses all data.
    Park,
    /// 12: another e-mail address.
    ChangeEmail,
    /// 21: the end of the account.
    Cancel,
    /// A number that the reference does not list.
    Other(u16),
}

impl MailPurpose {
    /// The number on the wire.
    #[must_use]
    pub const fn number(self) -> u16 {
        match self {
            Self::Recover => 9,
            Self::Park => 10,
            Self::ChangeEmail => 12,
            Self::Cancel => 21,
            Self::Other(number) => number,
        }
    }

    /// What a number stands for.
    #[must_use]
    pub const fn from_number(number: u16) -> Self {
        match number {
            9 => Self::Recover,
            10 => Self::Park,
            12 => Self::ChangeEmail,
            21 => Self::Cancel,
            other => Self::Other(other),
        }
    }
}

impl Serialize for MailPurpose {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_u16(self.number())
    }
}

impl<'de> Deserialize<'de> for MailPurpose {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        u16::deserialize(deserializer).map(Self::from_number)
    }
}

impl JsonSchema for MailPurpose {
    fn schema_name() -> Cow<'static, str> {
        "MailPurpose".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "description": "9 recovery, 10 recovery without key, 12 other address, 21 cancellation.",
            "type": "integer", "minimum": 0, "maximum": 65535
        })
    }
}

/// Has a mail sent with a link that recovers the account or ends it.
#[derive(Clone, Serialize, Deserialize, JsonSchema)]
pub struct RequestMail {
    /// E-mail address.
    pub m: String,
    /// What it is for.
    pub t: MailPurpose,
    /// The second factor's six digits, to end an account that has one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mfa: Option<String>,
}

impl fmt::Debug for RequestMail {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RequestMail").field("t", &self.t).finish_non_exhaustive()
    }
}

impl Command for RequestMail {
    const NAME: &'static str = "erm";
    type Response = Done;
}

/// Asks what the code of a mail is for.
#[derive(Clone, Serialize, Deserialize, JsonSchema)]
pub struct FetchMailCode {
    /// The code.
    pub c: String,
}

impl fmt::Debug for FetchMailCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("FetchMailCode { .. }")
    }
}

impl Command for FetchMailCode {
    const NAME: &'static str = "erv";
    const LIST: bool = true;
    type Response = MailCode;
}

/// What the code of a mail is for, on the wire a list.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct MailCode(
    /// What it does.
    pub MailPurpose,
    /// The address; for another address, the new one.
    pub String,
    /// The network address of whoever asked for the mail.
    pub String,
    /// When that was.
    pub Timestamp,
    /// The account.
    pub UserHandle,
    /// The account's addresses.
    pub Vec<String>,
);

/// Does what a mail was for: fetches the private key (`r` is `gk`), sets a password with the recovery key
/// (`r` is `sk`) or without it (`x`, `y`, `z`), or ends the account (`c` alone).
#[derive(Clone, Serialize, Deserialize, JsonSchema)]
pub struct UseMailCode {
    /// Which step of a recovery with the key.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub r: Option<RecoveryStep>,
    /// The code.
    pub c: String,
    /// The master key under the new password key, 16 bytes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub x: Option<Base64>,
    /// What the new password is known by.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub y: Option<PasswordProof>,
    /// Without the key: a challenge and the same under the new master key, 32 bytes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub z: Option<Base64>,
}

impl fmt::Debug for UseMailCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("UseMailCode").field("r", &self.r).finish_non_exhaustive()
    }
}

impl Command for UseMailCode {
    const NAME: &'static str = "erx";
    const TAGGED: bool = true;
    /// The private key, if that is what was asked for.
    type Response = TextOrDone<200>;
}

/// A step of a recovery with the recovery key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum RecoveryStep {
    /// Fetches the private key, by which the client sees that the recovery key is right.
    #[serde(rename = "gk")]
    FetchKey,
    /// Sets the password.
    #[serde(rename = "sk")]
    SetPassword,
}

/// What a password is known by.
#[derive(Clone, PartialEq, Eq)]
pub enum PasswordProof {
    /// Of a version 2 account.
    V2(HashedPassword),
    /// Of a version 1 account: the user hash, 8 bytes.
    V1(Base64),
}

/// What the password of a version 2 account is known by.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct HashedPassword {
    /// The client's random value, 16 bytes.
    pub crv: Base64,
    /// The hashed authentication key, 16 bytes.
    pub hak: Base64,
}

impl fmt::Debug for HashedPassword {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("HashedPassword { .. }")
    }
}

impl fmt::Debug for PasswordProof {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if matches!(self, Self::V2(_)) { "V2(..)" } else { "V1(..)" })
    }
}

impl Serialize for PasswordProof {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::V2(proof) => proof.serialize(serializer),
            Self::V1(hash) => hash.serialize(serializer),
        }
    }
}

impl<'de> Deserialize<'de> for PasswordProof {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        use crate::value::Form;
        match Form::deserialize(deserializer)? {
            Form::Object(proof) => Ok(Self::V2(proof)),
            Form::Text(text) => {
                let hash = supermega_encoding::base64::decode(&text).map_err(de::Error::custom)?;
                Ok(Self::V1(Base64(hash)))
            }
            Form::Number => Err(de::Error::custom("expected what a password is known by")),
        }
    }
}

impl JsonSchema for PasswordProof {
    fn schema_name() -> Cow<'static, str> {
        "PasswordProof".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let proof = generator.subschema_for::<HashedPassword>();
        let hash = generator.subschema_for::<Base64>();
        json_schema!({ "anyOf": [proof, hash] })
    }
}

/// What becomes of an e-mail address.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum EmailAction {
    /// It is to be the account's: a mail with a code goes there.
    #[serde(rename = "a")]
    Add,
    /// It is the account's no longer.
    #[serde(rename = "r")]
    Remove,
}

/// Asks for another e-mail address.
#[derive(Clone, Serialize, Deserialize, JsonSchema)]
pub struct RequestEmailChange {
    /// What to do.
    pub aa: EmailAction,
    /// The address.
    pub e: String,
    /// The second factor's six digits.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mfa: Option<String>,
}

impl fmt::Debug for RequestEmailChange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RequestEmailChange").field("aa", &self.aa).finish_non_exhaustive()
    }
}

impl Command for RequestEmailChange {
    const NAME: &'static str = "se";
    type Response = Done;
}

/// Confirms another e-mail address by the code that was mailed there.
#[derive(Clone, Serialize, Deserialize, JsonSchema)]
pub struct ConfirmEmailChange {
    /// The code.
    pub c: String,
    /// The address.
    pub e: String,
    /// The new user hash of a version 1 account, 8 bytes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub uh: Option<Base64>,
    /// The former address goes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub r: Option<Flag>,
    /// Identifies the sender's change in packets.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub i: Option<String>,
}

impl fmt::Debug for ConfirmEmailChange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ConfirmEmailChange { .. }")
    }
}

impl Command for ConfirmEmailChange {
    const NAME: &'static str = "sec";
    type Response = Done;
}
