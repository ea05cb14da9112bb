//! Keys of accounts from before the key container: in `*keyring` and the authrings, for public keys that others
//! know (`protocol-auth.md` 4.9, 4.10).

use supermega_crypto::curve::{AgreementKey, SigningSeed};
use supermega_crypto::key_manager::{KeyManager, TrackedKey};
use supermega_crypto::private_attribute;
use supermega_protocol::account::UserData;
use supermega_protocol::user_attribute::AttributeName;

use super::AccountKeys;
use super::store::{KEYRING, broken, check_public};
use crate::error::Result;

/// Where fingerprints of others were kept.
const AUTHRINGS: [(&str, TrackedKey); 2] =
    [("*!authring", TrackedKey::Ed25519), ("*!authCu255", TrackedKey::X25519)];

/// A container of what the account keeps in the older places. New keys are never made: what is missing or does not
/// fit the public keys is an error.
pub(crate) fn container(data: &UserData, keys: &AccountKeys, created: u32) -> Result<KeyManager> {
    let attribute = |name: &str| {
        let value = AttributeName::new(name).and_then(|name| data.attributes.get(&name));
        value.and_then(|value| value.text().decode().ok())
    };
    let keyring = attribute(KEYRING)
        .ok_or_else(|| broken("the account has public keys, but not the private ones to them"))?;
    let entries = private_attribute::open(&keys.master, &keyring)
        .map_err(|_| broken("the older store of keys does not open with the master key"))?;
    let key = |name: &str| {
        let entry = entries.iter().find(|(known, _)| known == name);
        let key = entry.and_then(|(_, value)| <[u8; 32]>::try_from(&value[..]).ok());
        key.ok_or_else(|| broken("the older store lacks a private key"))
    };
    let (seed, agreement) =
        (SigningSeed::from_bytes(key("prEd255")?), AgreementKey::from_bytes(key("prCu255")?));
    let (ed25519, cu25519) = (seed.as_bytes(), agreement.as_bytes());
    let mut manager = KeyManager::create(keys.user, created, ed25519, cu25519, keys.rsa.as_ref());
    check_public(&manager, data, attribute).map_err(broken)?;
    for (name, ring) in AUTHRINGS {
        let entries = attribute(name).and_then(|value| {
            let entries = private_attribute::open(&keys.master, &value).ok()?;
            entries.into_iter().find(|(name, _)| name.is_empty()).map(|(_, value)| value)
        });
        if let Some(entries) = entries {
            manager.take_authring(ring, &entries)?;
        }
    }
    Ok(manager)
}
