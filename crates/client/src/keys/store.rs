//! The account's key container `^!keys` as this session knows it, and whether it may be written
//! (`protocol-auth.md` 4.8, 4.9, 4.15).

use std::collections::BTreeMap;
use std::sync::Arc;

use supermega_crypto::curve::{AgreementKey, SigningSeed};
use supermega_crypto::key_manager::KeyManager;
use supermega_crypto::{PublicKey, private_attribute};
use supermega_protocol::Verbatim;
use supermega_protocol::account::UserData;
use supermega_protocol::user_attribute::{AttributeName, AttributeValue, KEYS, Replacement};

use super::AccountKeys;
use crate::error::{AuthenticationError, Error, Result};

/// The older private store, which is written once and never changed.
pub(super) const KEYRING: &str = "*keyring";
pub(crate) const SIGNING_KEY: &str = "+puEd255";
pub(crate) const AGREEMENT_KEY: &str = "+puCu255";
pub(crate) const AGREEMENT_SIGNATURE: &str = "+sigCu255";
const RSA_SIGNATURE: &str = "+sigPubk";

/// All attributes of an account that have to do with its keys.
#[cfg(feature = "cache")]
pub(crate) const KEY_ATTRIBUTES: [&str; 6] =
    [KEYS, KEYRING, SIGNING_KEY, AGREEMENT_KEY, AGREEMENT_SIGNATURE, RSA_SIGNATURE];

/// The key container, if the account has one.
#[derive(Clone, Default)]
pub(crate) struct KeyStore {
    manager: Option<KeyManager>,
    /// The version that the next write replaces.
    version: Option<String>,
    /// Why it must not be written any more.
    halted: Option<Halt>,
    /// Whether the last write ended in a way that leaves its outcome open.
    pub stale: bool,
    /// Which of the account's attributes about its keys the service has.
    published: Vec<&'static str>,
    /// Held by whoever writes.
    pub writing: Arc<tokio::sync::Mutex<()>>,
}

/// Why a key container is not written.
#[derive(Clone, Copy, Debug)]
enum Halt {
    /// It makes no sense: an attack, or damage that writing would make worse.
    Broken(&'static str),
    /// The account has its keys where clients before the container kept them.
    Older,
}

impl Halt {
    fn error(self) -> Error {
        match self {
            Self::Broken(why) => broken(why),
            Self::Older => Error::Refused(
                "the account keeps its keys in an older form, without a key container: convert \
                 them first (supermega upgrade --keys), or log in with an official client once"
                    .into(),
            ),
        }
    }
}

pub(super) fn broken(why: &'static str) -> Error {
    Error::Integrity { what: "the account's key container".into(), why }
}

impl KeyStore {
    /// Reads what the account's own data hold. What only forbids to write is noted and told then; a container
    /// that does not belong to this account or these keys is an error at once.
    pub(crate) fn read(data: &UserData, keys: &AccountKeys) -> Result<Self> {
        let attribute =
            |name: &str| AttributeName::new(name).and_then(|name| data.attributes.get(&name));
        let names = [KEYRING, SIGNING_KEY, AGREEMENT_KEY, AGREEMENT_SIGNATURE, RSA_SIGNATURE];
        let published = names.into_iter().filter(|name| attribute(name).is_some()).collect();
        let mut store = Self { published, ..Self::default() };
        match attribute(KEYS) {
            Some(value) => {
                let manager = open(value, keys)?;
                let decoded =
                    |name: &str| attribute(name).and_then(|value| value.text().decode().ok());
                store.halted = check_public(&manager, data, decoded).err().map(Halt::Broken);
                store.version = value.version().map(str::to_owned);
                store.manager = Some(manager);
            }
            None if !store.published.is_empty() => store.halted = Some(Halt::Older),
            None => {}
        }
        Ok(store)
    }

    pub(crate) fn manager(&self) -> Option<&KeyManager> {
        self.manager.as_ref()
    }

    /// Whether the account has its keys in the form before the container.
    pub(crate) fn is_older(&self) -> bool {
        matches!(self.halted, Some(Halt::Older))
    }

    /// Notes that there is a container now.
    pub(crate) fn is_converted(&mut self) {
        if self.is_older() {
            self.halted = None;
        }
    }

    /// Stops all writing.
    pub(crate) fn halt(&mut self, why: &'static str) -> Error {
        self.halted = Some(Halt::Broken(why));
        broken(why)
    }

    /// A copy to change, and the version that it replaces, unless nothing must be written.
    pub(crate) fn writable(&self) -> Result<(Option<KeyManager>, Option<String>)> {
        match self.halted {
            Some(halt) => Err(halt.error()),
            None => Ok((self.manager.clone(), self.version.clone())),
        }
    }

    /// Takes what was written.
    pub(crate) fn written(&mut self, manager: KeyManager, version: Option<&String>) {
        self.stale = version.is_none();
        self.version = version.cloned();
        self.manager = Some(manager);
    }

    /// Takes what somebody else has written since. An older state, another one of the same age, or one with
    /// other keys is an attack: nothing is written from then on.
    pub(crate) fn take(&mut self, value: &AttributeValue, keys: &AccountKeys) -> Result<()> {
        let newer = match open(value, keys) {
            Ok(newer) => newer,
            Err(error) => {
                self.halted = Some(Halt::Broken("it was replaced by one that cannot be read"));
                return Err(error);
            }
        };
        if let Some(known) = &self.manager {
            if newer.generation() < known.generation() {
                return Err(self.halt("the service gave an older one than before"));
            }
            if newer.generation() == known.generation() && !newer.is_same(known) {
                return Err(self.halt("the service gave two different ones of the same age"));
            }
            if !known.has_same_keys(&newer) {
                return Err(self.halt("keys have changed that never change"));
            }
        }
        self.version = value.version().map(str::to_owned);
        self.manager = Some(newer);
        self.stale = false;
        Ok(())
    }

    /// The version of the container that is known.
    #[cfg(feature = "cache")]
    pub(crate) fn version(&self) -> Option<&str> {
        self.version.as_deref()
    }

    /// How often the container was written.
    #[cfg(feature = "cache")]
    pub(crate) fn generation(&self) -> Option<u32> {
        self.manager.as_ref().map(KeyManager::generation)
    }

    /// Takes what the account's own data hold now, which must continue what was known.
    #[cfg(feature = "cache")]
    pub(crate) fn renew(&mut self, data: &UserData, keys: &AccountKeys) -> Result<()> {
        let value = AttributeName::new(KEYS).and_then(|name| data.attributes.get(&name));
        match (&self.manager, value) {
            (Some(_), None) => return Err(self.halt("the service says that there is none")),
            (Some(_), Some(value)) => {
                self.take(value, keys)?;
                let now = Self::read(data, keys)?;
                self.published = now.published;
                self.halted = self.halted.or(now.halted);
            }
            (None, _) => {
                let writing = self.writing.clone();
                *self = Self { writing, ..Self::read(data, keys)? };
            }
        }
        Ok(())
    }

    /// The attributes that tell others about the keys of `manager`, as far as the service lacks them.
    pub(crate) fn unpublished(
        &self,
        manager: &KeyManager,
        keys: &AccountKeys,
        now: u64,
    ) -> Result<BTreeMap<AttributeName, Replacement>> {
        let (seed, agreement) = private_keys(manager)?;
        let mut values = BTreeMap::new();
        let mut add = |name: &'static str, value: &[u8]| {
            if let Some(attribute) =
                AttributeName::new(name).filter(|_| !self.published.contains(&name))
            {
                let value = Verbatim::from(value);
                values.insert(attribute, Replacement { value, replaces: None });
            }
        };
        let public = agreement.public().0;
        add(SIGNING_KEY, &seed.public().0);
        add(AGREEMENT_KEY, &public);
        add(AGREEMENT_SIGNATURE, &seed.sign(now, &public));
        if let Some(rsa) = &keys.rsa {
            add(RSA_SIGNATURE, &seed.sign(now, &rsa.public_key().signature_payload()));
        }
        Ok(values)
    }

    /// The older private store, for accounts that are made now.
    pub(crate) fn keyring(
        manager: &KeyManager,
        keys: &AccountKeys,
    ) -> Result<Option<(AttributeName, Replacement)>> {
        let (seed, agreement) = private_keys(manager)?;
        let entries = [("prCu255", &agreement.as_bytes()[..]), ("prEd255", &seed.as_bytes()[..])];
        let value = Verbatim::from(&private_attribute::seal(&keys.master, &entries)?[..]);
        let replacement = Replacement { value, replaces: None };
        Ok(AttributeName::new(KEYRING).map(|name| (name, replacement)))
    }

    /// Notes that the service has everything.
    pub(crate) fn all_published(&mut self) {
        self.published =
            vec![KEYRING, SIGNING_KEY, AGREEMENT_KEY, AGREEMENT_SIGNATURE, RSA_SIGNATURE];
    }
}

/// The account's own curve keys.
pub(crate) fn private_keys(manager: &KeyManager) -> Result<(SigningSeed, AgreementKey)> {
    match (manager.ed25519_private(), manager.cu25519_private()) {
        (Some(seed), Some(agreement)) => {
            Ok((SigningSeed::from_bytes(*seed), AgreementKey::from_bytes(*agreement)))
        }
        _ => Err(broken("it holds no curve keys")),
    }
}

/// Opens a container and checks that it is this account's.
fn open(value: &AttributeValue, keys: &AccountKeys) -> Result<KeyManager> {
    let bytes = value.text().decode().map_err(|_| broken("it is no base64url text"))?;
    let manager = KeyManager::open(&keys.master, &bytes)
        .map_err(|_| broken("it does not open with the master key"))?;
    if manager.identity() != keys.user {
        return Err(broken("it belongs to another user"));
    }
    // A key that the service holds back would be made anew, and the account's own lost.
    let is_own = || keys.rsa.as_ref().is_some_and(|rsa| manager.holds_rsa(rsa));
    if !manager.rsa_private_bytes().is_empty() && !is_own() {
        return Err(AuthenticationError::InvalidKeys.into());
    }
    Ok(manager)
}

/// Whether the account's public keys and signatures are those of the container.
pub(super) fn check_public(
    manager: &KeyManager,
    data: &UserData,
    attribute: impl Fn(&str) -> Option<Vec<u8>>,
) -> Result<(), &'static str> {
    let Ok((seed, agreement)) = private_keys(manager) else { return Ok(()) };
    let (signing, public) = (seed.public(), agreement.public());
    let differs = |name: &str, own: &[u8]| attribute(name).is_some_and(|value| value != own);
    if differs(SIGNING_KEY, &signing.0) || differs(AGREEMENT_KEY, &public.0) {
        return Err("the account's public keys are not those of its container");
    }
    let forged = |name: &str, payload: &[u8]| {
        attribute(name).is_some_and(|signature| !signing.verifies(&signature, payload))
    };
    let rsa = data.pubk.as_ref().and_then(|pubk| PublicKey::parse(pubk.as_bytes()).ok());
    let rsa = rsa.map(|key| key.signature_payload());
    if forged(AGREEMENT_SIGNATURE, &public.0)
        || rsa.is_some_and(|payload| forged(RSA_SIGNATURE, &payload))
    {
        return Err("a signature of the account's public keys is wrong");
    }
    Ok(())
}
