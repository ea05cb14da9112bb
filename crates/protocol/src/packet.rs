//! Action packets: what the server tells a client unasked (`protocol-api.md` 5.3).
//!
//! On the wire `a` comes first, then `i`, then `st`: official readers depend on it.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use serde_json::value::RawValue;
use supermega_encoding::{NodeHandle, PublicHandle, UserHandle};

use crate::contact::{IncomingRequest, OutgoingRequest, SettledRequest};
use crate::drift::{self, Decoded, Malformed};
use crate::share::ShareNodeKeys;
use crate::tree::{NodeList, User};
use crate::{Drift, Flag, SequenceTag, Timestamp, Verbatim, wire};

/// One packet.
#[derive(Clone, Debug, PartialEq)]
pub struct ActionPacket {
    /// Who caused it: the `i` of the command.
    pub originator: Option<String>,
    /// The tag of the transaction that it belongs to.
    pub tag: Option<SequenceTag>,
    /// What happened.
    pub body: PacketBody,
}

macro_rules! packets {
    ($($(#[doc = $doc:literal])+ $variant:ident($type:ty) = $name:literal,)*) => {
        /// What happened.
        #[derive(Clone, Debug, PartialEq)]
        #[non_exhaustive]
        pub enum PacketBody {
            $($(#[doc = $doc])+ $variant($type),)*
            /// A packet that nobody here knows, kept whole.
            Unknown(UnknownPacket),
        }

        impl PacketBody {
            /// The value of `a`.
            #[must_use]
            pub fn name(&self) -> &str {
                match self {
                    $(Self::$variant(_) => $name,)*
                    Self::Unknown(packet) => &packet.name,
                }
            }

            fn members(&self) -> serde_json::Result<String> {
                match self {
                    $(Self::$variant(body) => serde_json::to_string(body),)*
                    Self::Unknown(packet) => serde_json::to_string(&packet.members),
                }
            }

            fn read(name: &str, json: &str) -> Result<(Self, Vec<Drift>), Malformed> {
                match name {
                    $($name => {
                        let (body, drift) = drift::read::<$type>(name, json, HEAD)?;
                        Ok((Self::$variant(body), drift))
                    })*
                    _ => {
                        let (mut members, drift) =
                            drift::read::<serde_json::Map<String, Value>>(name, json, &[])?;
                        for head in HEAD {
                            members.shift_remove(*head);
                        }
                        Ok((Self::Unknown(UnknownPacket { name: name.to_owned(), members }), drift))
                    }
                }
            }
        }

        /// Shows the name and the schema of each packet to `visit`.
        pub(crate) fn visit_packets(
            generator: &mut schemars::SchemaGenerator,
            mut visit: impl FnMut(&'static str, schemars::Schema),
        ) {
            $(visit($name, <$type>::json_schema(generator));)*
        }
    };
}

const HEAD: &[&str] = &["a", "i", "st"];

packets! {
    /// Nodes are new, or are back after a move.
    Nodes(NewNodes) = "t",
    /// A node is gone, with everything below it.
    Removed(RemovedNode) = "d",
    /// A node's attributes changed.
    Attributes(ChangedAttributes) = "u",
    /// A node's thumbnails changed.
    FileAttributes(ChangedFileAttributes) = "fa",
    /// A share changed.
    Share(ChangedShare) = "s2",
    /// Nodes get keys under shares.
    SuppliedKeys(SuppliedKeys) = "k",
    /// A public link changed.
    Link(ChangedLink) = "ph",
    /// User attributes changed.
    UserAttributes(ChangedUserAttributes) = "ua",
    /// Contacts changed.
    Contacts(ChangedContacts) = "c",
    /// Share keys wait to be fetched.
    PendingKeys(PendingKeys) = "pk",
    /// Somebody asks to become a contact, asks again or takes it back.
    IncomingRequest(IncomingRequest) = "ipc",
    /// What the reader asked somebody.
    OutgoingRequest(OutgoingRequest) = "opc",
    /// The reader answered a contact request.
    AnsweredRequest(SettledRequest) = "upci",
    /// Somebody answered the reader's contact request.
    AnswerToRequest(SettledRequest) = "upco",
    /// The account is confirmed.
    Confirmed(ConfirmedAccount) = "uac",
    /// A user has another e-mail address.
    Email(ChangedEmail) = "se",
}

impl ActionPacket {
    /// Writes it with its head first.
    pub fn encode(&self) -> Result<String, Malformed> {
        #[derive(Serialize)]
        struct Head<'a> {
            #[serde(skip_serializing_if = "Option::is_none")]
            i: Option<&'a String>,
            #[serde(skip_serializing_if = "Option::is_none")]
            st: Option<&'a SequenceTag>,
        }
        let name = self.body.name();
        let bad = |e: serde_json::Error| Malformed::new(name, ".", e.to_string());
        let head = Head { i: self.originator.as_ref(), st: self.tag.as_ref() };
        let head = serde_json::to_string(&head).map_err(bad)?;
        let members = self.body.members().map_err(bad)?;
        let joined = match (head.as_str(), members.as_str()) {
            ("{}", _) => members,
            (_, "{}") => head,
            _ => format!("{},{}", &head[..head.len() - 1], &members[1..]),
        };
        Ok(wire::splice(name, &joined))
    }

    /// Reads one packet.
    pub fn decode(json: &str) -> Result<Decoded<Self>, Malformed> {
        #[derive(Deserialize)]
        struct Head {
            a: String,
            i: Option<String>,
            st: Option<SequenceTag>,
        }
        let (head, _) = drift::read::<Head>("packet", json, &[]).map_err(|error| Malformed {
            command: wire::command_name(json).unwrap_or(error.command),
            ..error
        })?;
        // An older name of the same.
        let name = if head.a == "s" { "s2" } else { &head.a };
        let (body, mut drift) = PacketBody::read(name, json)?;
        if let PacketBody::Nodes(nodes) = &body {
            drift.extend(nodes.t.f.drift("t.t.f").chain(nodes.t.f2.drift("t.t.f2")));
        }
        let packet = Self { originator: head.i, tag: head.st, body };
        Ok(Decoded { value: packet, tag: None, drift })
    }
}

impl Serialize for ActionPacket {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let text = self.encode().map_err(serde::ser::Error::custom)?;
        RawValue::from_string(text).map_err(serde::ser::Error::custom)?.serialize(serializer)
    }
}

/// A packet that nobody here knows.
#[derive(Clone, Debug, PartialEq)]
pub struct UnknownPacket {
    /// The value of `a`.
    pub name: String,
    /// Its members without the head.
    pub members: serde_json::Map<String, Value>,
}

/// `t`: nodes are new, or are back after a move.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct NewNodes {
    /// The nodes.
    pub t: NodeSet,
    /// Users who come into view with them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub u: Option<Vec<User>>,
    /// Who did it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ou: Option<UserHandle>,
}

/// Nodes, parents first.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct NodeSet {
    /// Current nodes.
    pub f: NodeList,
    /// Old versions.
    #[serde(default, skip_serializing_if = "NodeList::is_empty")]
    pub f2: NodeList,
    /// Users who come into view with them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub u: Option<Vec<User>>,
}

/// `d`: a node is gone.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct RemovedNode {
    /// The node.
    pub n: NodeHandle,
    /// Set when it only moves, and a `t` packet brings it back.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub m: Option<Flag>,
    /// Set when the other versions stay.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub v: Option<Flag>,
    /// Who did it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ou: Option<UserHandle>,
}

/// `u`: a node's attributes changed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ChangedAttributes {
    /// The node.
    pub n: NodeHandle,
    /// Its owner.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub u: Option<UserHandle>,
    /// The new attributes.
    pub at: Verbatim,
    /// The node's time on the server.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ts: Option<Timestamp>,
    /// Keys for shares.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cr: Option<Value>,
}

/// `fa`: a node's thumbnails changed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ChangedFileAttributes {
    /// The node.
    pub n: NodeHandle,
    /// All its file attributes.
    pub fa: String,
    /// Who did it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ou: Option<UserHandle>,
}

/// `s2`: a share changed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ChangedShare {
    /// The folder.
    pub n: NodeHandle,
    /// Its owner.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub o: Option<UserHandle>,
    /// With whom: a user's handle or `EXP`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub u: Option<String>,
    /// The contact request that it waits for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub p: Option<String>,
    /// Set when a waiting share became a real one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub op: Option<Flag>,
    /// Access level; none when the share is gone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub r: Option<u8>,
    /// When.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ts: Option<Timestamp>,
    /// Share key for the owner.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ok: Option<Verbatim>,
    /// Proof of the owner's key.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ha: Option<Verbatim>,
    /// Share key for the target.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub k: Option<Verbatim>,
    /// Set when the folder's last share is gone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub okd: Option<Flag>,
    /// Who did it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ou: Option<UserHandle>,
}

/// `k`: nodes get keys under shares, or such keys are asked for (`protocol-api.md` 5.3).
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct SuppliedKeys {
    /// The keys.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cr: Option<ShareNodeKeys>,
    /// Share keys that are asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sr: Option<Value>,
    /// A share of which keys are asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub h: Option<Value>,
    /// The nodes whose keys are asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub n: Option<Value>,
}

/// `ph`: a public link changed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ChangedLink {
    /// The node.
    pub h: NodeHandle,
    /// The link.
    pub ph: PublicHandle,
    /// It is new.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub n: Option<Flag>,
    /// It changed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub u: Option<Flag>,
    /// It is gone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub d: Option<Flag>,
    /// It was taken down, or is back.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub down: Option<Flag>,
    /// When; always there unless it is gone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ts: Option<Timestamp>,
    /// When it ends.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ets: Option<Timestamp>,
    /// Authorisation to write.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub w: Option<String>,
}

/// `ua`: user attributes changed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ChangedUserAttributes {
    /// Whose.
    pub u: UserHandle,
    /// Which.
    pub ua: Vec<String>,
    /// Their new versions.
    #[serde(default)]
    pub v: Vec<String>,
}

/// `c`: contacts changed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ChangedContacts {
    /// The users with their new state.
    pub u: Vec<User>,
    /// Who did it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ou: Option<UserHandle>,
}

/// `uac`: the account is confirmed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ConfirmedAccount {
    /// Its e-mail address.
    pub m: String,
}

/// `se`: a user has another e-mail address, or is about to.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ChangedEmail {
    /// The address.
    pub e: String,
    /// Whose.
    pub u: UserHandle,
    /// 3 once it is confirmed.
    pub s: u8,
}

/// `pk`: share keys wait to be fetched.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct PendingKeys {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_head_comes_first_and_in_order() {
        let packet = ActionPacket {
            originator: Some("abc".into()),
            tag: Some(SequenceTag("0000000003".into())),
            body: PacketBody::Removed(RemovedNode {
                n: NodeHandle::from_bytes([1, 2, 3, 4, 5, 6]),
                m: Flag::SET,
                v: None,
                ou: None,
            }),
        };
        let text = packet.encode().unwrap();
        assert_eq!(text, r#"{"a":"d","i":"abc","st":"0000000003","n":"AQIDBAUG","m":1}"#);
        assert_eq!(ActionPacket::decode(&text).unwrap().value, packet);
    }

    #[test]
    fn an_unknown_packet_is_kept() {
        let text = r#"{"a":"new","st":"1","x":{"y":[1]}}"#;
        let decoded = ActionPacket::decode(text).unwrap();
        assert_eq!(decoded.value.body.name(), "new");
        assert_eq!(decoded.value.encode().unwrap(), text);
    }

    #[test]
    fn a_packet_without_members_is_written() {
        let body = PacketBody::PendingKeys(PendingKeys {});
        let packet = ActionPacket { originator: None, tag: None, body };
        assert_eq!(packet.encode().unwrap(), r#"{"a":"pk"}"#);
    }

    #[test]
    fn an_unknown_member_is_drift() {
        let decoded = ActionPacket::decode(r#"{"a":"d","n":"AQIDBAUG","new":1}"#).unwrap();
        assert_eq!(decoded.drift[0].path, "new");
    }
}
