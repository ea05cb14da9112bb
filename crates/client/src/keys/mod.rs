//! Which key opens what: the account's own keys and those of shares (`protocol-auth.md` 4.2).

mod names;
pub(crate) mod offered;
pub(crate) mod older;
mod store;

use std::collections::HashMap;

use supermega_crypto::{Attributes, MasterKey, NodeKey, PrivateKey, ShareKey};
use supermega_encoding::{NodeHandle, UserHandle, base64};
use supermega_protocol::tree::{KeyOwner, NodeKeys, NodeType, OwnerKey};

use crate::tree::Problem;

pub(crate) use names::NameReader;
#[cfg(feature = "cache")]
pub(crate) use store::KEY_ATTRIBUTES;
pub(crate) use store::{AGREEMENT_KEY, AGREEMENT_SIGNATURE, KeyStore, SIGNING_KEY, private_keys};

/// Longer texts are RSA ciphertexts, not keys under a symmetric key.
const LONGEST_SYMMETRIC: usize = 43;

/// All keys that a session holds.
#[derive(Clone)]
pub(crate) struct KeyRing {
    pub account: Option<AccountKeys>,
    shares: HashMap<NodeHandle, ShareKey>,
    /// Keys of incoming shares that only the service vouches for.
    offered: HashMap<NodeHandle, ShareKey>,
    /// Whether the account keeps its share keys itself: then the server's are not to be trusted.
    managed: bool,
    /// The root of the folder link, if it is one.
    link: Option<NodeHandle>,
    pub store: KeyStore,
}

/// The keys of an account.
#[derive(Clone)]
pub(crate) struct AccountKeys {
    pub user: UserHandle,
    pub master: MasterKey,
    pub rsa: Option<PrivateKey>,
}

impl KeyRing {
    /// The keys of an account, with those in its key container if it has one.
    pub(crate) fn of_account(account: AccountKeys, store: KeyStore) -> Self {
        let mut ring = Self {
            account: Some(account),
            shares: HashMap::new(),
            offered: HashMap::new(),
            managed: false,
            link: None,
            store,
        };
        ring.take_from_store();
        ring
    }

    /// Takes the RSA key that the account has got.
    pub(crate) fn set_rsa(&mut self, rsa: PrivateKey) {
        if let Some(account) = &mut self.account {
            account.rsa = Some(rsa);
        }
    }

    /// Takes over the share keys of the container, which count more than all others.
    pub(crate) fn take_from_store(&mut self) {
        if let Some(manager) = self.store.manager() {
            self.managed = true;
            self.offered.clear();
            self.shares = manager.share_keys().map(|(handle, key, _)| (handle, key)).collect();
        }
    }

    /// The key of a folder link; its root becomes known with the tree.
    pub(crate) fn of_link(root: NodeHandle, key: ShareKey) -> Self {
        Self {
            account: None,
            shares: HashMap::from([(root, key)]),
            offered: HashMap::new(),
            managed: true,
            link: Some(root),
            store: KeyStore::default(),
        }
    }

    /// No key at all.
    #[cfg(test)]
    pub(crate) fn none() -> Self {
        Self {
            account: None,
            shares: HashMap::new(),
            offered: HashMap::new(),
            managed: false,
            link: None,
            store: KeyStore::default(),
        }
    }

    pub(crate) fn account(&self) -> Option<&AccountKeys> {
        self.account.as_ref()
    }

    pub(crate) fn share(&self, root: NodeHandle) -> Option<&ShareKey> {
        self.shares.get(&root)
    }

    /// The root of the folder link and its key, if it is one.
    pub(crate) fn link(&self) -> Option<(NodeHandle, &ShareKey)> {
        let root = self.link?;
        Some((root, self.shares.get(&root)?))
    }

    /// Wraps a node's key under the key that is this session's own: the master key, or the link's.
    pub(crate) fn wrap_own(&self, key: &NodeKey) -> Option<Vec<u8>> {
        match &self.account {
            Some(account) => Some(account.master.wrap_node_key(key)),
            None => Some(self.link()?.1.wrap_node_key(key)),
        }
    }

    /// Unwraps what [`wrap_own`](Self::wrap_own) wrapped.
    pub(crate) fn unwrap_own(&self, wrapped: &[u8]) -> Option<NodeKey> {
        match &self.account {
            Some(account) => account.master.unwrap_node_key(wrapped).ok(),
            None => self.link()?.1.unwrap_node_key(wrapped).ok(),
        }
    }

    /// All share keys.
    pub(crate) fn shares(&self) -> impl Iterator<Item = (NodeHandle, &ShareKey)> {
        self.shares.iter().map(|(handle, key)| (*handle, key))
    }

    /// Takes the share keys that old accounts keep on the server, if they prove to be the owner's. What has no proof
    /// came with an incoming share.
    pub(crate) fn learn(&mut self, keys: &[OwnerKey]) {
        let Some(account) = self.account.as_ref().filter(|_| !self.managed) else { return };
        for entry in keys {
            let Some(proof) = &entry.ha else {
                self.offered.extend(offered::unwrap(account, entry).map(|key| (entry.h, key)));
                continue;
            };
            let proof = proof.decode().unwrap_or_default();
            let wrapped = entry.k.decode().ok().and_then(|k| <[u8; 16]>::try_from(k).ok());
            if !account.master.check_handle_auth(&entry.h, &proof) {
                continue;
            }
            if let Some(key) = wrapped.and_then(|k| account.master.unwrap_share_key(&k).ok()) {
                self.shares.insert(entry.h, key);
            }
        }
    }

    /// Opens a node: the first entry of its key string that fits and whose key opens its attributes.
    pub(crate) fn open(
        &self,
        keys: &NodeKeys,
        kind: NodeType,
        attributes: &[u8],
    ) -> Result<(NodeKey, Attributes), Problem> {
        let mut problem = Problem::NoKey;
        for (owner, text) in keys.entries() {
            let key = match self.unwrap(owner, text, kind) {
                Ok(key) if fits(&key, kind) => key,
                Err(Problem::NoKey) => continue,
                _ => {
                    problem = Problem::BadKey;
                    continue;
                }
            };
            match Attributes::decrypt(&key.attribute_key(), attributes) {
                Ok(attributes) => return Ok((key, attributes)),
                Err(_) => problem = Problem::BadAttributes,
            }
        }
        Err(problem)
    }

    /// Unwraps one entry of a key string, if this ring has the key for it.
    fn unwrap(&self, owner: KeyOwner, text: &str, kind: NodeType) -> Result<NodeKey, Problem> {
        let wrapped = base64::decode(text).map_err(|_| Problem::BadKey)?;
        let account = match owner {
            KeyOwner::Unknown => None,
            KeyOwner::Share(root) => {
                let share = self.shares.get(&root).or_else(|| self.offered.get(&root));
                let share = share.ok_or(Problem::NoKey)?;
                return share.unwrap_node_key(&wrapped).map_err(|_| Problem::BadKey);
            }
            KeyOwner::Unnamed => self.account.as_ref(),
            KeyOwner::User(user) => self.account.as_ref().filter(|own| own.user == user),
        };
        let account = account.ok_or(Problem::NoKey)?;
        if text.len() <= LONGEST_SYMMETRIC {
            return account.master.unwrap_node_key(&wrapped).map_err(|_| Problem::BadKey);
        }
        // A node that somebody put into the inbox.
        let rsa = account.rsa.as_ref().ok_or(Problem::NoKey)?;
        let length = if kind == NodeType::File { 32 } else { 16 };
        let key = rsa.decrypt(&wrapped, length).map_err(|_| Problem::BadKey)?;
        NodeKey::from_bytes(&key).map_err(|_| Problem::BadKey)
    }
}

fn fits(key: &NodeKey, kind: NodeType) -> bool {
    match key {
        NodeKey::File(_) => kind == NodeType::File,
        NodeKey::Folder(_) => kind != NodeType::File,
    }
}
