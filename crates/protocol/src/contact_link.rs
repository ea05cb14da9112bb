//! Links that lead to a user: `clc`, `clr`, `clg`, `cld` (`protocol-api.md` 2.10).

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use supermega_encoding::{PublicHandle, UserHandle};

use crate::wire::Done;
use crate::{Command, Flag, Verbatim};

/// Makes a link to oneself, or finds the one there is.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize, JsonSchema)]
pub struct MakeContactLink {}

impl Command for MakeContactLink {
    const NAME: &'static str = "clc";
    const TAGGED: bool = true;
    type Response = PublicHandle;
}

/// Makes another link to oneself, in place of the former.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize, JsonSchema)]
pub struct RenewContactLink {}

impl Command for RenewContactLink {
    const NAME: &'static str = "clr";
    const TAGGED: bool = true;
    type Response = PublicHandle;
}

/// Asks to whom a link leads.
#[derive(Clone, Copy, Debug, Serialize, Deserialize, JsonSchema)]
pub struct FetchContactLink {
    /// The link.
    pub cl: PublicHandle,
    /// Asks for names in base64url.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub b: Option<Flag>,
}

impl Command for FetchContactLink {
    const NAME: &'static str = "clg";
    const LOCKLESS: bool = true;
    type Response = LinkedContact;
}

/// To whom a link leads.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct LinkedContact {
    /// Handle.
    pub h: UserHandle,
    /// E-mail address.
    pub e: String,
    /// First name.
    #[serde(rename = "fn", default, skip_serializing_if = "Option::is_none")]
    pub first_name: Option<Verbatim>,
    /// Last name.
    #[serde(rename = "ln", default, skip_serializing_if = "Option::is_none")]
    pub last_name: Option<Verbatim>,
}

/// Removes a link to oneself.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize, JsonSchema)]
pub struct RemoveContactLink {
    /// The link; nothing means the one there is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cl: Option<PublicHandle>,
}

impl Command for RemoveContactLink {
    const NAME: &'static str = "cld";
    type Response = Done;
}
