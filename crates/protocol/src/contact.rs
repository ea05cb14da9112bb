//! Contacts and the requests that make them: `upc`, `upca`, `ur2`, `ur`, `uk`, `uge`
//! (`protocol-api.md` 2.10).

use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::{self, Deserializer};
use serde::{Deserialize, Serialize};
use supermega_encoding::{ContactRequestHandle, PublicHandle, UserHandle};

use crate::value::Form;
use crate::wire::Done;
use crate::{Command, Flag, Timestamp, Verbatim};

/// How a command names a user.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum UserName {
    /// By handle.
    Handle(UserHandle),
    /// By e-mail address.
    Address(String),
}

impl fmt::Display for UserName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Handle(handle) => handle.fmt(f),
            Self::Address(address) => f.write_str(address),
        }
    }
}

impl FromStr for UserName {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if text.contains('@') {
            return Ok(Self::Address(text.into()));
        }
        text.parse().map(Self::Handle).map_err(|_| "neither a user's handle nor an e-mail address")
    }
}

impl Serialize for UserName {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for UserName {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Cow::<'de, str>::deserialize(deserializer)?.parse().map_err(de::Error::custom)
    }
}

impl JsonSchema for UserName {
    fn schema_name() -> Cow<'static, str> {
        "UserName".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "description": "A user's handle or an e-mail address.",
            "type": "string", "pattern": "^([A-Za-z0-9_-]{11}|.*@.*)$"
        })
    }
}

/// What to do with a contact request of one's own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum InviteAction {
    /// Sends it.
    #[serde(rename = "a")]
    Add,
    /// Takes it back.
    #[serde(rename = "d")]
    Cancel,
    /// Sends it again.
    #[serde(rename = "r")]
    Remind,
}

/// Asks somebody to become a contact, takes that back, or asks again.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct Invite {
    /// The address of whom to ask.
    pub u: String,
    /// What to do.
    pub aa: InviteAction,
    /// One's own address.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub e: Option<String>,
    /// A message.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub msg: Option<String>,
    /// The contact link that led here.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cl: Option<PublicHandle>,
    /// Identifies the sender's change in packets.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub i: Option<String>,
}

impl Command for Invite {
    const NAME: &'static str = "upc";
    const TAGGED: bool = true;
    type Response = InviteReply;
}

/// What became of a contact request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum InviteReply {
    /// It was sent.
    Sent(OutgoingRequest),
    /// It was taken back, or sent again.
    Done,
}

impl Serialize for InviteReply {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Sent(request) => request.serialize(serializer),
            Self::Done => Done.serialize(serializer),
        }
    }
}

impl<'de> Deserialize<'de> for InviteReply {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Ok(match Form::<OutgoingRequest>::deserialize(deserializer)? {
            Form::Number | Form::Text(_) => Self::Done,
            Form::Object(request) => Self::Sent(request),
        })
    }
}

impl JsonSchema for InviteReply {
    fn schema_name() -> Cow<'static, str> {
        "InviteReply".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let request = generator.subschema_for::<OutgoingRequest>();
        json_schema!({ "anyOf": [request, { "type": "integer", "minimum": 0 }, { "type": "string" }] })
    }
}

/// What somebody says to a contact request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum InvitationAnswer {
    /// Yes.
    #[serde(rename = "a")]
    Accept,
    /// No.
    #[serde(rename = "d")]
    Deny,
    /// Nothing, and it is not to be seen again.
    #[serde(rename = "i")]
    Ignore,
}

/// Answers a contact request.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct AnswerInvitation {
    /// The request.
    pub p: ContactRequestHandle,
    /// The answer.
    pub aa: InvitationAnswer,
    /// Identifies the sender's change in packets.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub i: Option<String>,
}

impl Command for AnswerInvitation {
    const NAME: &'static str = "upca";
    const TAGGED: bool = true;
    type Response = Done;
}

/// Ends a contact.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct SetContact {
    /// Who it is.
    pub u: UserName,
    /// 0 ends the contact.
    pub l: Flag,
    /// Identifies the sender's change in packets.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub i: Option<String>,
}

impl Command for SetContact {
    const NAME: &'static str = "ur2";
    const TAGGED: bool = true;
    type Response = ContactReply;
}

/// Ends a contact, as older clients do.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct SetContactOld {
    /// Who it is.
    pub u: UserName,
    /// 0 ends the contact.
    pub l: Flag,
    /// Identifies the sender's change in packets.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub i: Option<String>,
}

impl Command for SetContactOld {
    const NAME: &'static str = "ur";
    type Response = ContactReply;
}

/// Who the other one is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ContactReply {
    /// Handle.
    pub u: UserHandle,
    /// E-mail address.
    pub m: String,
}

/// Fetches the public key of a user.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct FetchPublicKey {
    /// Who it is.
    pub u: UserName,
}

impl Command for FetchPublicKey {
    const NAME: &'static str = "uk";
    const LOCKLESS: bool = true;
    type Response = PublicKeyReply;
}

/// A user's public key.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct PublicKeyReply {
    /// Handle.
    pub u: UserHandle,
    /// RSA public key.
    pub pubk: Verbatim,
}

/// Fetches the e-mail address of a user.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct FetchAddress {
    /// Who it is.
    pub u: UserHandle,
}

impl Command for FetchAddress {
    const NAME: &'static str = "uge";
    const TAGGED: bool = true;
    type Response = String;
}

/// A contact request that somebody sent to the reader; in `f` and as packet `ipc`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct IncomingRequest {
    /// The request.
    pub p: ContactRequestHandle,
    /// The sender's e-mail address.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub m: Option<String>,
    /// When it was sent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ts: Option<Timestamp>,
    /// When it was last sent or changed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub uts: Option<Timestamp>,
    /// When it was sent again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rts: Option<Timestamp>,
    /// When it was taken back.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dts: Option<Timestamp>,
    /// A message.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub msg: Option<String>,
    /// Set when a contact link led to it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub clv: Option<Flag>,
    /// Set when a share waits for the answer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ps: Option<Flag>,
}

/// A contact request that the reader sent; in `f`, as result of `upc` and as packet `opc`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct OutgoingRequest {
    /// The request.
    pub p: ContactRequestHandle,
    /// The sender's own e-mail address.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub e: Option<String>,
    /// The e-mail address it went to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub m: Option<String>,
    /// When it was sent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ts: Option<Timestamp>,
    /// When it was last sent or changed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub uts: Option<Timestamp>,
    /// When it was sent again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rts: Option<Timestamp>,
    /// When it was taken back.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dts: Option<Timestamp>,
    /// The message.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub msg: Option<String>,
}

/// `upci`, `upco`: a contact request has its answer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct SettledRequest {
    /// The request.
    pub p: ContactRequestHandle,
    /// The other one's e-mail address.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub m: Option<String>,
    /// When.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub uts: Option<Timestamp>,
    /// The answer.
    pub s: RequestState,
    /// Who gave it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ou: Option<UserHandle>,
}

/// How a contact request was answered: 1 ignored, 2 accepted, 3 denied.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RequestState {
    /// 1: not answered at all.
    Ignored,
    /// 2: accepted.
    Accepted,
    /// 3: denied.
    Denied,
}

impl Serialize for RequestState {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_u8(match self {
            Self::Ignored => 1,
            Self::Accepted => 2,
            Self::Denied => 3,
        })
    }
}

impl<'de> Deserialize<'de> for RequestState {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        match u8::deserialize(deserializer)? {
            1 => Ok(Self::Ignored),
            2 => Ok(Self::Accepted),
            3 => Ok(Self::Denied),
            _ => Err(de::Error::custom("expected 1, 2 or 3")),
        }
    }
}

impl JsonSchema for RequestState {
    fn schema_name() -> Cow<'static, str> {
        "RequestState".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "enum": [1, 2, 3] })
    }
}
