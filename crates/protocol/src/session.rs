//! Logging in and out: `us0`, `us`, `sml` (`protocol-auth.md` 2.5 to 2.12, `protocol-api.md` 2.3).

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use supermega_encoding::{Base64, EventCursor, UserHandle};

use crate::wire::Done;
use crate::{Command, Flag};

/// Asks which key derivation an account uses.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct Prelogin {
    /// E-mail address.
    pub user: String,
}

impl Command for Prelogin {
    const NAME: &'static str = "us0";
    const ALONE: bool = true;
    type Response = PreloginReply;
}

/// How an account's password becomes a key.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct PreloginReply {
    /// Account version, 1 or 2.
    pub v: u8,
    /// The salt of a version 2 account, 32 bytes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub s: Option<Base64>,
}

/// Logs in, resumes a session (then without `user` and `uh`), or opens an ephemeral account (`user` is
/// its handle, without `uh`).
#[derive(Clone, Default, Serialize, Deserialize, JsonSchema)]
pub struct Login {
    /// E-mail address, or the handle of an ephemeral account.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user: Option<String>,
    /// Login proof: 8 bytes for version 1, 16 bytes for version 2.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub uh: Option<Base64>,
    /// The second factor's six digits.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mfa: Option<String>,
    /// A key of 16 random bytes that the server keeps for this session.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sek: Option<Base64>,
    /// Identifies the device: base64url of a hash.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub si: Option<String>,
    /// The cursor of a cached tree: can it be continued from here?
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sn: Option<EventCursor>,
    /// Asks for leave to upgrade a local cache.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fa: Option<Flag>,
    /// Asks for a second session of the same user.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub c: Option<Flag>,
}

impl std::fmt::Debug for Login {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Login").field("resume", &self.user.is_none()).finish_non_exhaustive()
    }
}

impl Command for Login {
    const NAME: &'static str = "us";
    const ALONE: bool = true;
    type Response = LoginReply;
}

/// A session and the keys to it.
#[derive(Clone, Default, Serialize, Deserialize, JsonSchema)]
pub struct LoginReply {
    /// Own handle; on a fresh login always there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub u: Option<UserHandle>,
    /// Master key under the password key, 16 bytes; on a fresh login always there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub k: Option<Base64>,
    /// Session id, encrypted to the account's RSA key: one integer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub csid: Option<Base64>,
    /// Session id of an account without RSA key, 43 bytes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tsid: Option<Base64>,
    /// RSA private key under the master key.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub privk: Option<Base64>,
    /// The key that the server keeps for this session, 16 bytes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sek: Option<Base64>,
    /// Whether achievements are enabled.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ach: Option<Flag>,
    /// Unset when the cached cursor was refused.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sn: Option<Flag>,
    /// Whether the local cache may be upgraded.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fa: Option<Flag>,
}

impl std::fmt::Debug for LoginReply {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("LoginReply").field("u", &self.u).finish_non_exhaustive()
    }
}

/// Ends the session it is sent with.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize, JsonSchema)]
pub struct Logout {}

impl Command for Logout {
    const NAME: &'static str = "sml";
    const ALONE: bool = true;
    type Response = Done;
}
