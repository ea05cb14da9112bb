//! The second factor of a login: `mfag`, `mfas`, `mfad` (`protocol-auth.md` 2.10).

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::wire::{Done, TextOrDone};
use crate::{Command, Flag};

/// Asks whether an account has a second factor; nobody needs to be logged in.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct FetchSecondFactor {
    /// E-mail address.
    pub e: String,
}

impl Command for FetchSecondFactor {
    const NAME: &'static str = "mfag";
    const LOCKLESS: bool = true;
    type Response = Flag;
}

/// Draws a secret for one's account; with `mfa`, a code made of that secret, turns the second factor on.
#[derive(Clone, Default, Serialize, Deserialize, JsonSchema)]
pub struct SetSecondFactor {
    /// Six digits.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mfa: Option<String>,
}

impl fmt::Debug for SetSecondFactor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SetSecondFactor").field("enables", &self.mfa.is_some()).finish()
    }
}

impl Command for SetSecondFactor {
    const NAME: &'static str = "mfas";
    const TAGGED: bool = true;
    /// The secret, in base32.
    type Response = TextOrDone<16>;
}

/// Turns the second factor off.
#[derive(Clone, Serialize, Deserialize, JsonSchema)]
pub struct RemoveSecondFactor {
    /// Six digits.
    pub mfa: String,
}

impl fmt::Debug for RemoveSecondFactor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("RemoveSecondFactor { .. }")
    }
}

impl Command for RemoveSecondFactor {
    const NAME: &'static str = "mfad";
    type Response = Done;
}
