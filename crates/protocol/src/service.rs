//! Small questions to the service: `gmf`, `whyamiblocked`, `wmip`, `qbq` (`protocol-api.md` 2.4 and 2.12).

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{Command, Flag};

/// Asks what the service offers, without an account.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize, JsonSchema)]
pub struct FetchFlags {}

impl Command for FetchFlags {
    const NAME: &'static str = "gmf";
    type Response = ServiceFlags;
}

/// What the service offers.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
pub struct ServiceFlags {
    /// Links of the new form.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub nlfe: Option<Flag>,
    /// A second factor.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mfae: Option<Flag>,
    /// Achievements.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ach: Option<Flag>,
    /// Chats.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mcs: Option<Flag>,
    /// A rubbish bin that the server empties.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ssrs: Option<Flag>,
}

/// Asks why the account is blocked.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize, JsonSchema)]
pub struct FetchBlockReason {}

impl Command for FetchBlockReason {
    const NAME: &'static str = "whyamiblocked";
    /// 0 if it is not; else a number of `protocol-auth.md` 2.9.
    type Response = u16;
}

/// Asks for one's own address.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize, JsonSchema)]
pub struct FetchAddress {}

impl Command for FetchAddress {
    const NAME: &'static str = "wmip";
    type Response = Address;
}

/// Where a client comes from.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct Address {
    /// The country, two letters.
    pub cc: String,
    /// The address.
    pub ip: String,
}

/// Asks whether a download would exceed the transfer quota.
#[derive(Clone, Copy, Debug, Serialize, Deserialize, JsonSchema)]
pub struct QueryTransferQuota {
    /// Bytes to be downloaded.
    pub s: u64,
}

impl Command for QueryTransferQuota {
    const NAME: &'static str = "qbq";
    /// 0 if it would not.
    type Response = u8;
}
