//! The account behind a session: who it is, how much it holds, the end of the session.

use supermega_encoding::{NodeHandle, UserHandle};
use supermega_protocol::Flag;
use supermega_protocol::account::{FetchQuota, UserData};
use supermega_protocol::session::Logout;

use super::{Identity, Session};
use crate::error::Result;

/// Who an account is.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Account {
    /// The user's handle.
    pub user: UserHandle,
    /// E-mail address; an ephemeral account has none.
    pub email: Option<String>,
    /// Full name.
    pub name: Option<String>,
    /// Version of the password derivation, 1 or 2.
    pub version: Option<u8>,
}

impl Account {
    pub(super) fn new(data: &UserData) -> Self {
        let some = |text: &Option<String>| text.clone().filter(|text| !text.is_empty());
        Self { user: data.u, email: some(&data.email), name: some(&data.name), version: data.aav }
    }
}

/// How much an account holds, in bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Quota {
    /// Used, with the rubbish bin and old versions.
    pub used: u64,
    /// The limit.
    pub total: u64,
    /// Of that, old versions.
    pub versions: u64,
    /// Files, in all roots.
    pub files: u64,
    /// Folders, in all roots.
    pub folders: u64,
    /// What may still be downloaded and what has been, where the plan limits it.
    pub transfer: Option<(u64, u64)>,
    /// Whether the service takes no more: 0 for room enough, 1 nearly full, 2 full, 3 to be emptied soon.
    pub state: u8,
    /// The plan: 0 free, 1 to 4 Pro, 100 and 101 business.
    pub plan: i64,
    /// When the plan ends, in seconds since 1970.
    pub plan_until: Option<i64>,
}

impl Quota {
    /// What is left.
    #[must_use]
    pub fn free(&self) -> u64 {
        self.total.saturating_sub(self.used)
    }
}

impl Session {
    /// Who the account is; nobody for a folder link.
    #[must_use]
    pub fn account(&self) -> Option<&Account> {
        match &self.0.identity {
            Identity::Account { account, .. } => Some(account),
            Identity::FolderLink { .. } => None,
        }
    }

    /// Asks how much the account holds.
    pub async fn quota(&self) -> Result<Quota> {
        self.must_be_account()?;
        let request = FetchQuota {
            strg: Flag::SET,
            xfer: Flag::SET,
            pro: Flag::SET,
            v: Some(2),
            ..FetchQuota::default()
        };
        let quota = self.channel().call(&request).await?;
        let tree = self.tree().await?;
        let own =
            |root: &&NodeHandle| tree.node(**root).is_some_and(|node| node.sharer().is_none());
        let roots = quota.cstrgn.unwrap_or_default();
        let count = |column: usize| -> u64 {
            let rows = roots.iter().filter(|(root, _)| own(root));
            rows.map(|(_, row)| row[column]).sum()
        };
        let spent = [quota.caxfer, quota.tuo].into_iter().flatten().sum();
        Ok(Quota {
            used: quota.cstrg.unwrap_or(0),
            total: quota.mstrg.unwrap_or(0),
            files: count(1),
            folders: count(2),
            versions: count(3),
            transfer: quota.mxfer.map(|limit: u64| (limit.saturating_sub(spent), spent)),
            state: quota.usl.unwrap_or(0),
            plan: quota.utype.unwrap_or(0),
            plan_until: quota.suntil.map(|until| until.0),
        })
    }

    /// Ends the session on the server: whoever saved it cannot resume it any more. A folder link has none.
    /// What was kept of its tree is removed.
    pub async fn logout(self) -> Result<()> {
        #[cfg(feature = "cache")]
        self.forget();
        if !self.is_folder_link() {
            self.channel().call(&Logout {}).await?;
        }
        Ok(())
    }
}
