//! Shares with other users: given, changed, taken, ended (`protocol-auth.md` 4.4, 4.5, `protocol-api.md` 2.9).

mod access;
mod hand_over;
mod list;
mod node_keys;
mod peer;

use supermega_crypto::ShareKey;
use supermega_crypto::key_manager::{KeyManager, PendingOutShare, Recipient, ShareFlags};
use supermega_protocol::share::{AccessLevel, EXPORT, SetShare, SetShareReply, ShareTarget};
use supermega_protocol::{ErrorCode, Verbatim};

use crate::error::{Error, Result};
use crate::session::{Session, change};
use crate::tree::{Node, NodeKind};

pub use access::Access;
pub(crate) use access::{must_allow, must_allow_move};
pub use list::{IncomingShare, OutgoingShare, SharedWith};
pub(crate) use peer::PeerKeys;

/// What current clients send where older ones put keys.
const NO_KEY: [u8; 16] = [0; 16];

/// What became of a new share.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ShareState {
    /// The other one can read it.
    Ready,
    /// It is shared; the key follows when the other one has keys that it can be sent with
    /// ([`Session::complete_shares`]).
    WaitsForKeys,
    /// The other one has been asked to become a contact; the share begins when he accepts.
    WaitsForContact,
}

impl Session {
    /// Shares a folder with whoever has this e-mail address, or changes how much an existing share allows.
    /// Somebody who is no contact yet is invited.
    pub async fn share(&self, folder: &Node, email: &str, access: Access) -> Result<ShareState> {
        let level = access.level().ok_or_else(|| Error::Input("nobody is made an owner".into()))?;
        self.must_own(folder).await?;
        let email = address(email)?;
        let pending =
            PendingOutShare { folder: folder.handle(), to: Recipient::Address(email.clone()) };
        let key = self.share_key(folder, |store| Ok(store.add_pending_out(&pending)?)).await?;
        let shared = self.set_share(folder, &email, Some(level), Some(&key)).await;
        let reply = match shared {
            Ok(reply) => reply,
            Err(error) => {
                let drop = |store: &mut KeyManager| Ok(store.remove_pending_out(&pending)?);
                self.change_keys(drop).await?;
                return Err(error);
            }
        };
        self.apply(|tree| {
            tree.facts().shared.insert(folder.handle());
        });
        let with = reply.u.first().map(|user| user.u);
        let Some(user) = with else {
            self.mark_in_use(folder, true).await?;
            return Ok(ShareState::WaitsForContact);
        };
        let ready = self.hand_over(&pending, user, &key).await?;
        Ok(if ready { ShareState::Ready } else { ShareState::WaitsForKeys })
    }

    /// Ends the share of a folder with a user, or takes back the invitation to it.
    pub async fn unshare(&self, folder: &Node, email: &str) -> Result<()> {
        self.must_own(folder).await?;
        let email = address(email)?;
        // What the others put there stays, and its owner must be able to read it.
        let nodes = self.tree().await?.subtree(folder);
        self.rewrite_foreign_keys(&nodes).await?;
        let ended = self.set_share(folder, &email, None, None).await;
        ended.map_err(|error| match error.code() {
            Some(ErrorCode::NotFound) => {
                Error::not_found(format!("a share of {} with {email}", folder.label()))
            }
            _ => error,
        })?;
        self.share_ended(folder).await
    }

    /// Leaves a share of somebody else.
    pub async fn leave(&self, folder: &Node) -> Result<()> {
        self.must_be_account()?;
        if folder.sharer().is_none() {
            let text = format!("{} is not the root of somebody else's share", folder.label());
            return Err(Error::Refused(text));
        }
        let user = self.with_account(|account, _| account.user)?;
        self.set_share(folder, &user.to_string(), None, None).await?;
        self.apply(|tree| drop(tree.remove(folder.handle())));
        Ok(())
    }

    /// Notes that a share or link has ended.
    pub(crate) async fn share_ended(&self, folder: &Node) -> Result<()> {
        let overview = self.overview().await?;
        if !overview.is_shared(folder.handle()) {
            self.mark_in_use(folder, false).await?;
            self.apply(|tree| {
                tree.facts().shared.remove(&folder.handle());
            });
        }
        let ended =
            |share: &PendingOutShare| share.folder == folder.handle() && !overview.expects(share);
        self.change_keys(|store| {
            for share in store.pending_out()?.iter().filter(|share| ended(share)) {
                store.remove_pending_out(share)?;
            }
            Ok(())
        })
        .await
    }

    /// Lets everybody read a folder who has its key. The link is made after that.
    pub(crate) async fn export(&self, folder: &Node, access: Access) -> Result<ShareKey> {
        self.must_own(folder).await?;
        let key = self.share_key(folder, |_| Ok(())).await?;
        self.set_share(folder, EXPORT, access.level(), Some(&key)).await?;
        self.mark_in_use(folder, true).await?;
        self.apply(|tree| {
            tree.facts().shared.insert(folder.handle());
        });
        Ok(key)
    }

    /// Ends what [`export`](Self::export) began.
    pub(crate) async fn end_export(&self, folder: &Node) -> Result<()> {
        match self.set_share(folder, EXPORT, None, None).await {
            Err(error) if error.code() != Some(ErrorCode::NotFound) => return Err(error),
            _ => {}
        }
        self.share_ended(folder).await
    }

    /// The key of a folder that is to be shared, kept in the container before anybody gets it.
    async fn share_key(
        &self,
        folder: &Node,
        also: impl Fn(&mut KeyManager) -> Result<()>,
    ) -> Result<ShareKey> {
        let fresh = ShareKey::generate()?;
        self.change_keys(|store| {
            let (key, flags) =
                store.share_key(folder.handle()).unwrap_or((fresh.clone(), ShareFlags::default()));
            store.set_share_key(folder.handle(), &key, flags.with(ShareFlags::TRUSTED))?;
            also(store)?;
            Ok(key)
        })
        .await
    }

    async fn mark_in_use(&self, folder: &Node, on: bool) -> Result<()> {
        self.change_keys(|store| {
            let Some((key, flags)) = store.share_key(folder.handle()) else { return Ok(()) };
            let flags = match on {
                true => flags.with(ShareFlags::IN_USE),
                false => flags.without(ShareFlags::IN_USE),
            };
            Ok(store.set_share_key(folder.handle(), &key, flags)?)
        })
        .await
    }

    /// Sends `s2`. With a key, everything in the folder gets its key under that one.
    async fn set_share(
        &self,
        folder: &Node,
        with: &str,
        level: Option<u8>,
        key: Option<&ShareKey>,
    ) -> Result<SetShareReply> {
        let cr = match key {
            Some(key) => Some(self.keys_below(folder, key).await?),
            None => None,
        };
        let proof = level.map(|_| Verbatim::from(&NO_KEY[..]));
        let target = ShareTarget {
            u: with.to_owned(),
            r: level.map(|level| AccessLevel(Some(level))),
            k: None,
        };
        let request = SetShare {
            n: folder.handle(),
            s: vec![target],
            ok: proof.clone(),
            ha: proof,
            cr,
            e: None,
            msg: None,
            i: None,
        };
        let reply = self.channel().call(&request).await?;
        if reply.ok.is_some() {
            let why = "the service holds another key for this share";
            return Err(Error::Integrity { what: folder.label(), why });
        }
        match reply.r.first() {
            Some(code) if code.number() != 0 => Err(Error::from_failure("s2", (*code).into())),
            _ => Ok(reply),
        }
    }

    /// An error unless the folder is the account's own and no root.
    async fn must_own(&self, folder: &Node) -> Result<()> {
        self.must_be_account()?;
        change::must_be_folder(folder)?;
        if folder.kind() != NodeKind::Folder {
            let text = format!("{} cannot be shared: share a folder in it", folder.label());
            return Err(Error::Refused(text));
        }
        if self.tree().await?.access(folder) != Access::Owner {
            let text = format!("{} belongs to somebody else", folder.label());
            return Err(Error::Refused(text));
        }
        Ok(())
    }
}

/// An e-mail address as the service compares it.
pub(crate) fn address(email: &str) -> Result<String> {
    match email.split_once('@') {
        Some((name, host)) if !name.is_empty() && !host.is_empty() && email.len() < 256 => {
            Ok(email.trim().to_lowercase())
        }
        _ => Err(Error::Input(format!("{email:?} is no e-mail address"))),
    }
}
