//! Syncs and backups that devices register: `sf`, `sp`, `sphb`, `sr` (`protocol-api.md` 2.12).

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use supermega_encoding::{BackupHandle, NodeHandle};

use crate::wire::Done;
use crate::{Command, Timestamp, Verbatim};

/// Lists one's syncs and backups.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize, JsonSchema)]
pub struct ListBackups {}

impl Command for ListBackups {
    const NAME: &'static str = "sf";
    const LIST: bool = true;
    type Response = Vec<Backup>;
}

/// A sync or a backup of a device.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct Backup {
    /// What it is named by.
    pub id: BackupHandle,
    /// Its type.
    pub t: i64,
    /// The remote folder.
    pub h: NodeHandle,
    /// The local folder, encrypted.
    pub l: Verbatim,
    /// The device.
    pub d: String,
    /// What the device's client called itself.
    pub dua: String,
    /// Its state.
    pub s: i64,
    /// Details of its state.
    pub ss: i64,
    /// Its name, encrypted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub e: Option<Verbatim>,
    /// The last sign of life.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hb: Option<Heartbeat>,
}

/// A sign of life.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct Heartbeat {
    /// When it came.
    pub ts: Timestamp,
    /// Status.
    pub s: i64,
    /// Progress, per cent.
    pub p: i64,
    /// Uploads that wait.
    pub qu: u64,
    /// Downloads that wait.
    pub qd: u64,
    /// When something was last done.
    pub lts: Timestamp,
    /// The node it was done to.
    pub lh: NodeHandle,
}

/// Registers a sync or a backup, or with `id` changes the members that are there.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
pub struct PutBackup {
    /// Which to change.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<BackupHandle>,
    /// Its type.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub t: Option<i64>,
    /// The remote folder.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub h: Option<NodeHandle>,
    /// The local folder, encrypted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub l: Option<Verbatim>,
    /// The device.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub d: Option<String>,
    /// The external drive.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dr: Option<String>,
    /// Its state.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub s: Option<i64>,
    /// Details of its state.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ss: Option<i64>,
    /// Its name, encrypted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub e: Option<Verbatim>,
}

impl Command for PutBackup {
    const NAME: &'static str = "sp";
    const TAGGED: bool = true;
    type Response = BackupHandle;
}

/// Gives a sign of life.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct PutHeartbeat {
    /// Of which.
    pub id: BackupHandle,
    /// Status.
    pub s: i64,
    /// Progress, per cent.
    pub p: i64,
    /// Uploads that wait.
    pub qu: u64,
    /// Downloads that wait.
    pub qd: u64,
    /// When something was last done.
    pub lts: Timestamp,
    /// The node it was done to.
    pub lh: NodeHandle,
}

impl Command for PutHeartbeat {
    const NAME: &'static str = "sphb";
    type Response = Done;
}

/// Removes a sync or a backup from the list; what it uploaded stays.
#[derive(Clone, Copy, Debug, Serialize, Deserialize, JsonSchema)]
pub struct RemoveBackup {
    /// Which.
    pub id: BackupHandle,
}

impl Command for RemoveBackup {
    const NAME: &'static str = "sr";
    type Response = Done;
}
