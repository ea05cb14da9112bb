//! Share keys on their way: left for others, and taken from where others left them (`protocol-auth.md` 4.5).

use std::collections::BTreeMap;

use supermega_crypto::ShareKey;
use supermega_crypto::key_manager::{
    KeyManager, PendingInShare, PendingOutShare, Recipient, ShareFlags,
};
use supermega_encoding::{NodeHandle, UserHandle};
use supermega_protocol::contact::{FetchPublicKey, UserName};
use supermega_protocol::key::{HandOverKeys, HandOverReply, WaitingKeys};
use supermega_protocol::{ErrorCode, Verbatim};

use super::peer::PeerKeys;
use crate::error::Result;
use crate::session::Session;

impl Session {
    /// Hands over the keys of shares whose other side has its keys now, gives what others put into shares the keys
    /// that they could not give, and takes the keys that others left.
    /// Says whether more can be read than before; the tree then shows it.
    pub async fn complete_shares(&self) -> Result<bool> {
        self.must_be_account()?;
        let waiting = self.waiting_keys().await?;
        let unread = self.tree().await?.incoming().iter().any(|root| root.problem().is_some());
        let none = self.with_keys(|keys| keys.store.manager().is_none());
        if none && waiting.is_none() && !unread {
            return Ok(false);
        }
        self.need_key_store().await?;
        self.complete_outgoing().await?;
        self.supply_node_keys().await?;
        self.complete_incoming(waiting).await
    }

    /// Leaves a share key for a user, if his keys are known, and says whether they are.
    pub(super) async fn hand_over(
        &self,
        pending: &PendingOutShare,
        user: UserHandle,
        key: &ShareKey,
    ) -> Result<bool> {
        let peer = self.peer_keys(user).await?;
        let wrapped = match &peer {
            Some(peer) => {
                let store = self.key_store_copy()?;
                let mut noted = store.clone();
                peer.track(&mut noted)?;
                let trusted = peer.is_trusted(&store);
                trusted.then(|| peer.pairwise(&store)).transpose()?
            }
            None => None,
        };
        if let Some(pairwise) = &wrapped {
            let k = Verbatim::from(&pairwise.wrap_share_key(key)[..]);
            let request = HandOverKeys {
                u: Some(user),
                h: Some(pending.folder),
                k: Some(k),
                ..HandOverKeys::default()
            };
            self.channel().call(&request).await?;
        }
        self.change_keys(|store| {
            if let Some((key, flags)) = store.share_key(pending.folder) {
                store.set_share_key(pending.folder, &key, flags.with(ShareFlags::IN_USE))?;
            }
            if let Some(peer) = &peer {
                peer.track(store)?;
            }
            match wrapped {
                Some(_) => Ok(store.remove_pending_out(pending)?),
                None => Ok(()),
            }
        })
        .await?;
        Ok(wrapped.is_some())
    }

    async fn complete_outgoing(&self) -> Result<()> {
        let pending = self.key_store_copy()?.pending_out()?;
        if pending.is_empty() {
            return Ok(());
        }
        let overview = self.overview().await?;
        for share in &pending {
            let user = match &share.to {
                Recipient::User(user) => Some(*user),
                Recipient::Address(address) => self.user_of(address).await?,
            };
            let active = user.filter(|user| overview.is_shared_with(share.folder, *user));
            let key = self.key_store_copy()?.share_key(share.folder);
            match (active, key) {
                (Some(user), Some((key, _))) => {
                    self.hand_over(share, user, &key).await?;
                }
                _ if overview.expects(share) => {}
                // The share has ended meanwhile.
                _ => self.change_keys(|store| Ok(store.remove_pending_out(share)?)).await?,
            }
        }
        Ok(())
    }

    /// Who has an address, if there is an account.
    pub(crate) async fn user_of(&self, address: &str) -> Result<Option<UserHandle>> {
        let request = FetchPublicKey { u: UserName::Address(address.to_owned()) };
        match self.channel().call(&request).await {
            Ok(reply) => Ok(Some(reply.u)),
            Err(error) if error.code() == Some(ErrorCode::NotFound) => Ok(None),
            Err(error) => Err(error),
        }
    }

    async fn waiting_keys(&self) -> Result<Option<WaitingKeys>> {
        match self.channel().call(&HandOverKeys::default()).await {
            Ok(HandOverReply::Keys(waiting)) => Ok(Some(waiting)),
            Ok(HandOverReply::Done) => Ok(None),
            Err(error) if error.code() == Some(ErrorCode::NotFound) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Keeps what was left, opens what can be opened, and only then lets the service forget it. A key counts
    /// only if it comes from the one who shares this very folder, and never replaces one that is trusted; one for
    /// a folder that is not known yet may belong to a share that comes.
    async fn complete_incoming(&self, waiting: Option<WaitingKeys>) -> Result<bool> {
        let tree = self.tree().await?;
        let left = waiting.as_ref().map_or_else(Vec::new, entries);
        let store = self.key_store_copy()?;
        let all = [store.pending_in()?, left.clone()].concat();
        let sharer = |folder: NodeHandle| tree.node(folder).and_then(|node| node.sharer());
        let mut peers: BTreeMap<UserHandle, PeerKeys> = BTreeMap::new();
        for share in all.iter().filter(|share| sharer(share.folder) == Some(share.sharer)) {
            if !peers.contains_key(&share.sharer)
                && let Some(peer) = self.peer_keys(share.sharer).await?
            {
                peers.insert(share.sharer, peer);
            }
        }
        let new = self
            .change_keys(|store| {
                let mut new = false;
                for share in &left {
                    let known = tree.node(share.folder).is_some();
                    if !known || sharer(share.folder) == Some(share.sharer) {
                        keep(store, share)?;
                    }
                }
                for share in store.pending_in()? {
                    let from = sharer(share.folder) == Some(share.sharer);
                    if let Some(peer) = peers.get(&share.sharer).filter(|_| from) {
                        new |= promote(store, &share, peer)?;
                    }
                }
                Ok(new)
            })
            .await?;
        if let Some(waiting) = waiting {
            let request = HandOverKeys { d: Some(waiting.d), ..HandOverKeys::default() };
            self.channel().call(&request).await?;
        }
        Ok(new)
    }

    pub(super) fn key_store_copy(&self) -> Result<KeyManager> {
        self.with_keys(|keys| keys.store.writable())?.0.ok_or_else(|| {
            crate::error::Error::Refused("the account has no key container yet".into())
        })
    }
}

/// Notes a key that was left, unless one is trusted already.
fn keep(store: &mut KeyManager, share: &PendingInShare) -> Result<()> {
    let known = store.share_key(share.folder);
    match known.is_some_and(|(_, flags)| flags.contains(ShareFlags::TRUSTED)) {
        true => Ok(()),
        false => Ok(store.add_pending_in(share)?),
    }
}

/// Makes a trusted key of one that was left, and says whether it could be opened.
fn promote(store: &mut KeyManager, share: &PendingInShare, peer: &PeerKeys) -> Result<bool> {
    peer.track(store)?;
    if !peer.is_trusted(store) {
        return Ok(false);
    }
    let key = peer.pairwise(store)?.unwrap_share_key(&share.wrapped);
    store.remove_pending_in(share.folder)?;
    let Ok(key) = key else { return Ok(false) };
    let flags = ShareFlags::TRUSTED.with(ShareFlags::IN_USE);
    Ok(store.set_share_key(share.folder, &key, flags).is_ok())
}

/// The keys that were left, those that cannot be read left out.
fn entries(waiting: &WaitingKeys) -> Vec<PendingInShare> {
    let mut entries = Vec::new();
    for (sharer, keys) in &waiting.keys {
        let Ok(sharer) = sharer.parse() else { continue };
        for (folder, key) in keys {
            let wrapped = key.decode().ok().and_then(|key| key.try_into().ok());
            if let (Ok(folder), Some(wrapped)) = (folder.parse(), wrapped) {
                entries.push(PendingInShare { folder, sharer, wrapped });
            }
        }
    }
    entries
}
