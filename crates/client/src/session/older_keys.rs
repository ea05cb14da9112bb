//! Accounts from before the key container get one, when their owner asks for it (`protocol-auth.md` 4.15).

use supermega_protocol::account::FetchUser;
use supermega_protocol::user_attribute::{AttributeName, KEYS};
use supermega_protocol::{ErrorCode, Flag};

use super::Session;
use super::key_store::{adopt_share_keys, now};
use crate::error::{Error, Result};
use crate::keys::{self, KeyRing, KeyStore};

impl Session {
    /// Whether the account keeps its keys in the form before the key container: then it gets folder links and
    /// shares only after [`convert_older_keys`](Self::convert_older_keys).
    #[must_use]
    pub fn has_older_keys(&self) -> bool {
        self.with_keys(|keys| keys.store.is_older())
    }

    /// Puts the keys of an account from before the key container into one, with the keys of its shares and the
    /// fingerprints that were compared. Says whether there was something to do. Clients that know no container
    /// go on with what they have; private keys that do not fit the public ones end it before anything is
    /// written.
    pub async fn convert_older_keys(&self) -> Result<bool> {
        self.must_be_account()?;
        let writing = self.with_keys(|keys| keys.store.writing.clone());
        let _writing = writing.lock().await;
        if !self.has_older_keys() {
            return Ok(false);
        }
        // It comes with the keys of shares.
        let tree = self.tree().await?;
        let data = self.channel().call(&FetchUser { v: Flag::SET }).await?;
        if AttributeName::new(KEYS).is_some_and(|name| data.attributes.contains_key(&name)) {
            // Another client was quicker.
            self.update_keys(|keys| {
                let KeyRing { account, store, .. } = keys;
                if let Some(account) = account {
                    let writing = store.writing.clone();
                    *store = KeyStore::read(&data, account)?;
                    store.writing = writing;
                }
                keys.take_from_store();
                Ok::<_, Error>(())
            })?;
            return Ok(true);
        }
        let created = u32::try_from(now()).unwrap_or(u32::MAX);
        let (manager, attributes) = self.with_account(|account, keys| {
            let mut manager = keys::older::container(&data, account, created)?;
            adopt_share_keys(&mut manager, keys, &tree)?;
            let attributes = keys.store.unpublished(&manager, account, now())?;
            Ok::<_, Error>((manager, attributes))
        })??;
        match self.write_key_store(manager, None, attributes).await {
            Ok(()) => self.update_keys(|keys| keys.store.all_published()),
            Err(error) if error.code() == Some(ErrorCode::Expired) => {
                self.reread_key_store().await?;
            }
            Err(error) => return Err(error),
        }
        self.update_keys(|keys| keys.store.is_converted());
        Ok(true)
    }
}
