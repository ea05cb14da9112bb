//! What makes a type a command, and the list of all of them.

use schemars::JsonSchema;
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::{
    Drift, account, backup, contact, contact_link, file_attribute, key, link, node, put, recovery,
    second_factor, service, session, session_list, share, signup, transfer, tree, user_attribute,
};

/// A request that `cs` takes, and the result it gives (`protocol-api.md` 2.1).
pub trait Command: Serialize + DeserializeOwned + JsonSchema + Send + 'static {
    /// The value of `a`.
    const NAME: &'static str;
    /// Whether its result may carry a sequence tag under `v=3` (`protocol-api.md` 1.5).
    const TAGGED: bool = false;
    /// Whether its result is a list.
    const LIST: bool = false;
    /// Whether it must be the only command of its batch (`protocol-api.md` 1.8).
    const ALONE: bool = false;
    /// Whether it changes nothing, so that it may use the second, lock-free channel.
    const LOCKLESS: bool = false;

    /// The result of success.
    type Response: Serialize + DeserializeOwned + JsonSchema + Send + 'static;

    /// Drift that the result's own parser met, beside the unknown fields that are found for it.
    #[must_use]
    fn inner_drift(_response: &Self::Response) -> Vec<Drift> {
        Vec::new()
    }
}

/// Something to be done once for each command there is.
pub trait CommandVisitor {
    /// Called with each command's type.
    fn visit<C: Command>(&mut self);
}

/// Shows every command to `visitor`, grouped by area.
pub fn visit_commands(visitor: &mut impl CommandVisitor) {
    visitor.visit::<session::Prelogin>();
    visitor.visit::<session::Login>();
    visitor.visit::<session::Logout>();
    visitor.visit::<session_list::ListSessions>();
    visitor.visit::<session_list::EndSessions>();
    visitor.visit::<account::FetchUser>();
    visitor.visit::<account::FetchQuota>();
    visitor.visit::<account::UpdateUser>();
    visitor.visit::<account::UpgradeAccount>();
    visitor.visit::<signup::RequestSignup>();
    visitor.visit::<signup::ConfirmSignup>();
    visitor.visit::<signup::CancelSignup>();
    visitor.visit::<second_factor::FetchSecondFactor>();
    visitor.visit::<second_factor::SetSecondFactor>();
    visitor.visit::<second_factor::RemoveSecondFactor>();
    visitor.visit::<recovery::RequestMail>();
    visitor.visit::<recovery::FetchMailCode>();
    visitor.visit::<recovery::UseMailCode>();
    visitor.visit::<recovery::RequestEmailChange>();
    visitor.visit::<recovery::ConfirmEmailChange>();
    visitor.visit::<service::FetchFlags>();
    visitor.visit::<service::FetchBlockReason>();
    visitor.visit::<service::FetchAddress>();
    visitor.visit::<service::QueryTransferQuota>();
    visitor.visit::<backup::ListBackups>();
    visitor.visit::<backup::PutBackup>();
    visitor.visit::<backup::PutHeartbeat>();
    visitor.visit::<backup::RemoveBackup>();
    visitor.visit::<user_attribute::FetchAttribute>();
    visitor.visit::<user_attribute::RemoveAttribute>();
    visitor.visit::<user_attribute::PutAttributes>();
    visitor.visit::<user_attribute::PutVersionedAttributes>();
    visitor.visit::<tree::FetchNodes>();
    visitor.visit::<put::PutNodes>();
    visitor.visit::<node::SetAttributes>();
    visitor.visit::<node::MoveNode>();
    visitor.visit::<node::DeleteNode>();
    visitor.visit::<node::DeleteVersions>();
    visitor.visit::<node::EmptyTrash>();
    visitor.visit::<link::SetLink>();
    visitor.visit::<link::FetchLink>();
    visitor.visit::<share::SetShare>();
    visitor.visit::<key::HandOverKeys>();
    visitor.visit::<key::SetKeys>();
    visitor.visit::<contact::Invite>();
    visitor.visit::<contact::AnswerInvitation>();
    visitor.visit::<contact::SetContact>();
    visitor.visit::<contact::SetContactOld>();
    visitor.visit::<contact::FetchPublicKey>();
    visitor.visit::<contact::FetchAddress>();
    visitor.visit::<contact_link::MakeContactLink>();
    visitor.visit::<contact_link::RenewContactLink>();
    visitor.visit::<contact_link::FetchContactLink>();
    visitor.visit::<contact_link::RemoveContactLink>();
    visitor.visit::<transfer::RequestDownload>();
    visitor.visit::<transfer::RequestUpload>();
    visitor.visit::<file_attribute::RequestFileAttributes>();
    visitor.visit::<file_attribute::PutFileAttributes>();
}
