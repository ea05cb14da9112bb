//! Changes of nodes: `a`, `m`, `d`, `dv`, `dr` (`protocol-api.md` 2.7).

use schemars::{JsonSchema, Schema};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use supermega_encoding::NodeHandle;

use crate::share::ShareNodeKeys;
use crate::wire::Done;
use crate::{Command, Flag, Verbatim};

/// Replaces all attributes of a node, the name among them.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[schemars(transform = allow_old_name)]
pub struct SetAttributes {
    /// The node.
    pub n: NodeHandle,
    /// The new attributes, encrypted.
    #[serde(alias = "attr")]
    pub at: Verbatim,
    /// The node's key as old clients send it; a server must not take it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key: Option<Verbatim>,
    /// Allows a change in the vault.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub vw: Option<Flag>,
    /// Identifies the sender's change in packets.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub i: Option<String>,
}

/// Old clients say `attr` for `at`.
fn allow_old_name(schema: &mut Schema) {
    let old = schema.get("properties").and_then(|properties| properties.get("at")).cloned();
    if let Some(Value::Object(properties)) = schema.get_mut("properties") {
        properties.extend(old.map(|old| ("attr".to_owned(), old)));
    }
    if let Some(Value::Array(required)) = schema.get_mut("required") {
        required.retain(|name| name != "at");
    }
    schema.insert("oneOf".into(), json!([{ "required": ["at"] }, { "required": ["attr"] }]));
}

impl Command for SetAttributes {
    const NAME: &'static str = "a";
    const TAGGED: bool = true;
    type Response = Done;
}

/// Moves a node with everything below it.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct MoveNode {
    /// The node.
    pub n: NodeHandle,
    /// The folder that takes it.
    pub t: NodeHandle,
    /// Keys for the shares that it comes into.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cr: Option<ShareNodeKeys>,
    /// Allows a change in the vault.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub vw: Option<Flag>,
    /// Identifies the sender's change in packets.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub i: Option<String>,
}

impl Command for MoveNode {
    const NAME: &'static str = "m";
    const TAGGED: bool = true;
    type Response = Done;
}

/// Deletes a node with everything below it, for good.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct DeleteNode {
    /// The node.
    pub n: NodeHandle,
    /// Deletes this version alone and keeps the others.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub v: Option<Flag>,
    /// Allows a change in the vault.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub vw: Option<Flag>,
    /// Identifies the sender's change in packets.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub i: Option<String>,
}

impl Command for DeleteNode {
    const NAME: &'static str = "d";
    const TAGGED: bool = true;
    type Response = Done;
}

/// Deletes the old versions of all files, for good.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize, JsonSchema)]
pub struct DeleteVersions {}

impl Command for DeleteVersions {
    const NAME: &'static str = "dv";
    const TAGGED: bool = true;
    type Response = Done;
}

/// Empties the rubbish bin.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize, JsonSchema)]
pub struct EmptyTrash {}

impl Command for EmptyTrash {
    const NAME: &'static str = "dr";
    const TAGGED: bool = true;
    type Response = Done;
}
