//! Writing the account's key container: read, changed, written, and merged with what others wrote
//! meanwhile (`protocol-auth.md` 4.8, 4.15).

use std::collections::BTreeMap;
use std::time::SystemTime;

use supermega_crypto::curve::{AgreementKey, KeyFingerprint, SigningSeed};
use supermega_crypto::key_manager::{KeyManager, ShareFlags};
use supermega_protocol::user_attribute::{
    AttributeName, FetchAttribute, KEYS, PutVersionedAttributes, Replacement,
};
use supermega_protocol::{ErrorCode, Flag, Malformed, Verbatim};

use super::Session;
use crate::error::{Error, Result};
use crate::keys::{AccountKeys, KeyRing, KeyStore};
use crate::tree::Tree;
use crate::unix_time;

/// Every failed try means that somebody else has written: this many in a row mean that something is wrong.
const TRIES: usize = 100;

impl Session {
    /// How often the account's key container was written, if there is one. Keep the number, and hand it to
    /// [`expect_key_generation`](Self::expect_key_generation) next time: a smaller one is an attack.
    #[must_use]
    pub fn key_generation(&self) -> Option<u32> {
        self.with_keys(|keys| keys.store.manager().map(KeyManager::generation))
    }

    /// An error if the key container must not be written: it makes no sense, or the account has its keys in an
    /// older form.
    pub fn key_state(&self) -> Result<()> {
        self.with_keys(|keys| keys.store.writable()).map(|_| ())
    }

    /// Says which generation of the key container was seen before. If the service gave an older one, or none,
    /// that is an error, and this session writes it no more.
    pub fn expect_key_generation(&self, seen: u32) -> Result<()> {
        if seen > 0 && self.key_generation().unwrap_or(0) < seen {
            let why = "the service gave an older one than before";
            return Err(self.update_keys(|keys| keys.store.halt(why)));
        }
        Ok(())
    }

    /// The fingerprint of the account's own signing key, for others to compare; nothing if it has none yet.
    #[must_use]
    pub fn fingerprint(&self) -> Option<KeyFingerprint> {
        self.with_keys(|keys| {
            let seed = keys.store.manager()?.ed25519_private()?;
            Some(SigningSeed::from_bytes(*seed).public().fingerprint())
        })
    }

    /// Reads the own keys, which every account has.
    pub(crate) fn with_account<T>(
        &self,
        read: impl FnOnce(&AccountKeys, &KeyRing) -> T,
    ) -> Result<T> {
        self.with_keys(|keys| keys.account().map(|account| read(account, keys)))
            .ok_or_else(|| Error::Refused("a folder link has no keys of an account".into()))
    }

    /// Makes the account's key container, if there is none, and tells others its public keys.
    pub(crate) async fn need_key_store(&self) -> Result<()> {
        self.change_keys(|_| Ok(())).await
    }

    /// Changes the key container. `change` is done to the newest state, again if somebody else was quicker;
    /// what it does not change is not written.
    pub(crate) async fn change_keys<T>(
        &self,
        change: impl Fn(&mut KeyManager) -> Result<T>,
    ) -> Result<T> {
        self.must_be_account()?;
        let writing = self.with_keys(|keys| keys.store.writing.clone());
        let _writing = writing.lock().await;
        self.prepare_key_store().await?;
        let mut reread = self.with_keys(|keys| keys.store.stale);
        for _ in 0..TRIES {
            if reread {
                self.reread_key_store().await?;
            }
            let (manager, version) = self.with_keys(|keys| keys.store.writable())?;
            let old = manager.ok_or_else(no_container)?;
            let mut new = old.clone();
            let result = change(&mut new)?;
            if new.is_same(&old) {
                return Ok(result);
            }
            match self.write_key_store(new, version, BTreeMap::new()).await {
                Ok(()) => return Ok(result),
                Err(error) if error.code() == Some(ErrorCode::Expired) => reread = true,
                Err(error) => return Err(error),
            }
        }
        Err(Error::Refused("the account's key container changes all the time".into()))
    }

    async fn prepare_key_store(&self) -> Result<()> {
        let (manager, _) = self.with_keys(|keys| keys.store.writable())?;
        let Some(manager) = manager else { return self.create_key_store().await };
        let missing =
            self.with_account(|account, keys| keys.store.unpublished(&manager, account, now()))??;
        if !missing.is_empty() {
            match self.channel().call(&PutVersionedAttributes { attributes: missing }).await {
                // Somebody else has published them meanwhile; others check the signatures anyway.
                Err(error) if error.code() != Some(ErrorCode::Expired) => return Err(error),
                _ => self.update_keys(|keys| keys.store.all_published()),
            }
        }
        Ok(())
    }

    /// Makes curve keys and a container, and publishes all at once. The share keys of an account that kept them
    /// on the service go into it.
    async fn create_key_store(&self) -> Result<()> {
        let tree = self.tree().await?;
        let (seed, agreement) = (SigningSeed::generate()?, AgreementKey::generate()?);
        let created = u32::try_from(now()).unwrap_or(u32::MAX);
        let (manager, attributes) = self.with_account(|account, keys| {
            let mut manager = KeyManager::create(
                account.user,
                created,
                seed.as_bytes(),
                agreement.as_bytes(),
                account.rsa.as_ref(),
            );
            adopt_share_keys(&mut manager, keys, &tree)?;
            let mut attributes = keys.store.unpublished(&manager, account, now())?;
            attributes.extend(KeyStore::keyring(&manager, account)?);
            Ok::<_, Error>((manager, attributes))
        })??;
        match self.write_key_store(manager, None, attributes).await {
            Ok(()) => {
                self.update_keys(|keys| keys.store.all_published());
                Ok(())
            }
            Err(error) if error.code() == Some(ErrorCode::Expired) => self.reread_key_store().await,
            Err(error) => Err(error),
        }
    }

    pub(super) async fn write_key_store(
        &self,
        mut manager: KeyManager,
        version: Option<String>,
        mut attributes: BTreeMap<AttributeName, Replacement>,
    ) -> Result<()> {
        let sealed = self.with_account(|account, _| manager.seal(&account.master))??;
        let value = Verbatim::from(&sealed[..]);
        let name = name()?;
        attributes.insert(name.clone(), Replacement { value, replaces: version });
        let written = self.channel().call(&PutVersionedAttributes { attributes }).await;
        self.update_keys(|keys| match written {
            Ok(versions) => {
                manager.advance();
                keys.store.written(manager, versions.get(&name));
                keys.take_from_store();
                Ok(())
            }
            Err(error) => {
                // It may have been written all the same.
                keys.store.stale = true;
                Err(error)
            }
        })
    }

    /// Reads what somebody else has written.
    pub(super) async fn reread_key_store(&self) -> Result<()> {
        let user = self.with_account(|account, _| account.user)?;
        let request = FetchAttribute { u: Some(user.to_string()), ua: name()?, v: Flag::SET };
        let value = match self.channel().call(&request).await {
            Err(error) if error.code() == Some(ErrorCode::NotFound) => {
                let why = "the service says that there is none";
                return Err(self.update_keys(|keys| keys.store.halt(why)));
            }
            value => value?,
        };
        self.update_keys(|keys| {
            let KeyRing { account, store, .. } = keys;
            if let Some(account) = account {
                store.take(&value, account)?;
            }
            keys.take_from_store();
            Ok(())
        })
    }
}

/// Puts the share keys of an account that had no container into its first one. The service gave them, so none is
/// trusted; one that came with an incoming share must open at least that.
pub(super) fn adopt_share_keys(
    manager: &mut KeyManager,
    keys: &KeyRing,
    tree: &Tree,
) -> Result<()> {
    let opens = |folder| tree.node(folder).is_some_and(|root| root.problem().is_none());
    let offered = keys.offered().filter(|(folder, _)| opens(*folder));
    for (folder, key) in offered.chain(keys.shares()) {
        manager.set_share_key(folder, key, ShareFlags::IN_USE)?;
    }
    Ok(())
}

pub(crate) fn now() -> u64 {
    unix_time::of(SystemTime::now()).and_then(|now| u64::try_from(now).ok()).unwrap_or(0)
}

fn name() -> Result<AttributeName> {
    AttributeName::new(KEYS).ok_or_else(|| Malformed::new("upv", ".", "no name").into())
}

fn no_container() -> Error {
    Error::Refused("the account has no key container".into())
}
