//! The key store `^!keys`: the only place where official clients keep long-lived secrets
//! (`protocol-auth.md` 4.8, 4.15).
//!
//! Whoever writes it badly damages the account. So the records stay as they came, byte for byte
//! and in their order, and only what the caller changes is replaced.

mod ltlv;
mod pending;
mod records;
mod trust;

use std::fmt;

use aes_gcm::aead::inout::InOutBuf;
use aes_gcm::{AeadInOut, Aes128Gcm, KeyInit};
use cipher::Array;
use hkdf::Hkdf;
use sha2::Sha256;
use subtle::ConstantTimeEq;
use supermega_encoding::{NodeHandle, UserHandle};
use zeroize::Zeroizing;

use self::records::{Records, SHARE_LEN, tag};
use crate::{CryptoError, MasterKey, PrivateKey, ShareKey, random};

pub use pending::{PendingInShare, PendingOutShare, Recipient};
pub use trust::{TrackedBy, TrackedKey};

const HEADER: [u8; 2] = [0x14, 0x00];
const IV_LEN: usize = 12;
const TAG_LEN: usize = 16;

/// Marks of a share key. Marks that we do not know are kept.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct ShareFlags(pub u8);

impl ShareFlags {
    /// The key came by a way that the owner trusts: never replace it.
    pub const TRUSTED: Self = Self(1);
    /// The folder is shared at present.
    pub const IN_USE: Self = Self(2);

    /// Whether all marks of `other` are set.
    #[must_use]
    pub const fn contains(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }

    /// These marks and those of `other`.
    #[must_use]
    pub const fn with(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// These marks without those of `other`.
    #[must_use]
    pub const fn without(self, other: Self) -> Self {
        Self(self.0 & !other.0)
    }
}

/// The key store of an account, open.
///
/// ```
/// use supermega_crypto::{KeyManager, MasterKey};
/// use supermega_encoding::UserHandle;
///
/// let (master, me) = (MasterKey::generate()?, UserHandle::from_bytes([1; 8]));
/// let store = KeyManager::create(me, 1_700_000_000, &[2; 32], &[3; 32], None);
/// let stored = KeyManager::open(&master, &store.seal(&master)?)?;
/// assert_eq!((stored.identity(), stored.generation()), (me, 2));
/// # Ok::<(), supermega_crypto::CryptoError>(())
/// ```
#[derive(Clone)]
pub struct KeyManager {
    records: Records,
}

impl KeyManager {
    /// Makes the first key store of an account, which has none yet. An account without RSA keys
    /// gives `None`.
    #[must_use]
    pub fn create(
        identity: UserHandle,
        created: u32,
        ed25519: &[u8; 32],
        cu25519: &[u8; 32],
        rsa: Option<&PrivateKey>,
    ) -> Self {
        let mut records = Records::default();
        records.set(tag::VERSION, &[1]);
        records.set(tag::CREATED, &created.to_be_bytes());
        records.set(tag::IDENTITY, identity.as_bytes());
        records.set(tag::GENERATION, &1u32.to_be_bytes());
        records.set(tag::ATTRIBUTES, &[]);
        records.set(tag::ED25519, ed25519);
        records.set(tag::CU25519, cu25519);
        records.set(tag::RSA, rsa.map(PrivateKey::to_short_bytes).as_deref().map_or(&[], |b| b));
        for empty in tag::EMPTY_AT_FIRST {
            records.set(empty, &[]);
        }
        Self { records }
    }

    /// Opens the attribute. That it is the account's own and not older than one that was seen
    /// before is for the caller to check, with [`identity`](Self::identity) and
    /// [`generation`](Self::generation) (`protocol-auth.md` 9.3.10).
    pub fn open(master: &MasterKey, attribute: &[u8]) -> Result<Self, CryptoError> {
        let refused = |reason| CryptoError::Container { reason };
        let body = attribute.strip_prefix(&HEADER).ok_or(refused("unknown kind of container"))?;
        let (iv, body) = body.split_first_chunk::<IV_LEN>().ok_or(refused("cut short"))?;
        let (body, tag) = body.split_last_chunk::<TAG_LEN>().ok_or(refused("cut short"))?;
        let mut plain = Zeroizing::new(body.to_vec());
        gcm(master)?
            .decrypt_inout_detached(&Array(*iv), &[], InOutBuf::from(&mut plain[..]), &Array(*tag))
            .map_err(|_| CryptoError::MacMismatch)?;
        Ok(Self { records: Records::parse(&plain)? })
    }

    /// Encrypts the store with the next generation, for the server. When the server has taken it,
    /// call [`advance`](Self::advance); when it has a newer one, open that and repeat the change.
    pub fn seal(&self, master: &MasterKey) -> Result<Vec<u8>, CryptoError> {
        let mut next = self.clone();
        next.advance();
        next.encrypt(master, random::array()?)
    }

    fn encrypt(&self, master: &MasterKey, iv: [u8; IV_LEN]) -> Result<Vec<u8>, CryptoError> {
        let mut body = self.records.to_bytes();
        let tag = gcm(master)?
            .encrypt_inout_detached(&Array(iv), &[], InOutBuf::from(&mut body[..]))
            .map_err(|_| CryptoError::Container { reason: "too large" })?;
        Ok([&HEADER[..], &iv, &body, &tag].concat())
    }

    /// Counts the generation on, once the server has taken what [`seal`](Self::seal) made.
    pub fn advance(&mut self) {
        let next = self.generation().saturating_add(1);
        self.records.set(tag::GENERATION, &next.to_be_bytes());
    }

    /// How often the store was written. A store of a lower generation than one that was seen is
    /// an attack.
    #[must_use]
    pub fn generation(&self) -> u32 {
        self.records.array(tag::GENERATION).map_or(0, u32::from_be_bytes)
    }

    /// Whose store it is.
    #[must_use]
    pub fn identity(&self) -> UserHandle {
        UserHandle::from_bytes(self.records.array(tag::IDENTITY).unwrap_or_default())
    }

    /// When it was made, in seconds since 1970.
    #[must_use]
    pub fn created(&self) -> Option<u32> {
        self.records.array(tag::CREATED).map(u32::from_be_bytes)
    }

    /// The seed of the signing key.
    #[must_use]
    pub fn ed25519_private(&self) -> Option<Zeroizing<[u8; 32]>> {
        self.records.array(tag::ED25519).map(Zeroizing::new)
    }

    /// The private key of key agreements.
    #[must_use]
    pub fn cu25519_private(&self) -> Option<Zeroizing<[u8; 32]>> {
        self.records.array(tag::CU25519).map(Zeroizing::new)
    }

    /// The RSA private key in its short form, which [`PrivateKey::from_short`] reads; empty for
    /// an account without one.
    #[must_use]
    pub fn rsa_private_bytes(&self) -> &[u8] {
        self.records.get(tag::RSA).unwrap_or_default()
    }

    /// Whether the copy of the RSA private key is this very key. An account that had none when the store was made
    /// keeps an empty copy, which is no key.
    #[must_use]
    pub fn holds_rsa(&self, key: &PrivateKey) -> bool {
        let copy = self.rsa_private_bytes();
        // What has the same bytes need not be computed with.
        is_secret(&key.to_short_bytes(), Some(copy))
            || PrivateKey::from_short(copy).is_ok_and(|copy| copy.ct_eq(key))
    }

    /// Whether two stores hold the same, the generation too.
    #[must_use]
    pub fn is_same(&self, other: &Self) -> bool {
        self.records.ct_eq(&other.records)
    }

    /// Whether a newer copy has the keys that never change: otherwise it is no copy of this store.
    #[must_use]
    pub fn has_same_keys(&self, newer: &Self) -> bool {
        let known = |tag: &u8| self.records.get(*tag).filter(|value| !value.is_empty());
        tag::STATIC
            .iter()
            .all(|tag| known(tag).is_none_or(|key| is_secret(key, newer.records.get(*tag))))
    }

    /// The key of a shared folder, and its marks.
    #[must_use]
    pub fn share_key(&self, folder: NodeHandle) -> Option<(ShareKey, ShareFlags)> {
        self.share_keys().find(|(handle, ..)| *handle == folder).map(|(_, key, flags)| (key, flags))
    }

    /// Whether the key of a shared folder came by a way that the owner trusts.
    #[must_use]
    pub fn is_trusted(&self, folder: NodeHandle) -> bool {
        self.share_key(folder).is_some_and(|(_, flags)| flags.contains(ShareFlags::TRUSTED))
    }

    /// All keys of shared folders. Zero keys are left out.
    pub fn share_keys(&self) -> impl Iterator<Item = (NodeHandle, ShareKey, ShareFlags)> {
        let shares = self.records.get(tag::SHARES).unwrap_or_default();
        shares.as_chunks::<SHARE_LEN>().0.iter().filter_map(|share| {
            let (handle, rest) = share.split_first_chunk()?;
            let (key, flags) = rest.split_first_chunk()?;
            let key = ShareKey::from_bytes(*key).ok()?;
            Some((NodeHandle::from_bytes(*handle), key, ShareFlags(*flags.first()?)))
        })
    }

    /// Sets the key of a shared folder and its marks. A trusted key is never replaced by another:
    /// that is an error (`protocol-auth.md` 4.15).
    pub fn set_share_key(
        &mut self,
        folder: NodeHandle,
        key: &ShareKey,
        flags: ShareFlags,
    ) -> Result<(), CryptoError> {
        if let Some((old, marks)) = self.share_key(folder)
            && marks.contains(ShareFlags::TRUSTED)
            && old != *key
        {
            return Err(CryptoError::Container { reason: "a trusted key would be replaced" });
        }
        let share = [&folder.as_bytes()[..], key.as_bytes(), &[flags.0]].concat();
        let mut shares = Zeroizing::new(self.record(tag::SHARES).unwrap_or_default().to_vec());
        match shares.chunks_mut(SHARE_LEN).find(|old| old.starts_with(folder.as_bytes())) {
            Some(old) => old.copy_from_slice(&share),
            None => shares.extend_from_slice(&share),
        }
        self.records.set(tag::SHARES, &shares);
        Ok(())
    }

    /// The bytes of any record, known to us or not (`protocol-auth.md` 4.8 lists the tags).
    #[must_use]
    pub fn record(&self, tag: u8) -> Option<&[u8]> {
        self.records.get(tag)
    }

    /// Replaces the bytes of any record; a new one goes to the end. This refuses what would make
    /// the store unreadable, and changes of keys that never change.
    pub fn set_record(&mut self, tag: u8, value: &[u8]) -> Result<(), CryptoError> {
        let known = self.records.get(tag);
        if tag::STATIC.contains(&tag) && known.is_some_and(|old| !old.is_empty() && old != value) {
            return Err(CryptoError::Container { reason: "a key that never changes would change" });
        }
        records::check(tag, value)?;
        self.records.set(tag, value);
        Ok(())
    }
}

/// The cipher of the store, whose key follows from the master key.
fn gcm(master: &MasterKey) -> Result<Aes128Gcm, CryptoError> {
    let mut key = Zeroizing::new([0; 16]);
    Hkdf::<Sha256>::new(None, master.as_bytes())
        .expand(&[1], &mut *key)
        .map_err(|_| CryptoError::Container { reason: "no key" })?;
    Ok(Aes128Gcm::new(&Array(*key)))
}

impl fmt::Debug for KeyManager {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "KeyManager({}, generation {}, ..)", self.identity(), self.generation())
    }
}

/// Compares in constant time.
fn is_secret(known: &[u8], other: Option<&[u8]>) -> bool {
    other.is_some_and(|other| known.ct_eq(other).into())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const MASTER: MasterKey = MasterKey::from_bytes([9; 16]);
    const FOLDER: NodeHandle = NodeHandle::from_bytes([1, 2, 3, 4, 5, 6]);

    fn store() -> KeyManager {
        KeyManager::create(UserHandle::from_bytes([1; 8]), 5, &[2; 32], &[3; 32], None)
    }

    fn key(byte: u8) -> ShareKey {
        ShareKey::from_bytes([byte; 16]).unwrap()
    }

    #[test]
    fn a_share_key_is_kept() {
        let mut store = store();
        store.set_share_key(FOLDER, &key(7), ShareFlags(4)).unwrap();
        store.set_share_key(FOLDER, &key(8), ShareFlags(4).with(ShareFlags::TRUSTED)).unwrap();
        let read = KeyManager::open(&MASTER, &store.seal(&MASTER).unwrap()).unwrap();
        assert_eq!(read.share_key(FOLDER), Some((key(8), ShareFlags(5))));
        assert_eq!(read.share_keys().count(), 1);
    }

    #[test]
    fn a_trusted_key_is_not_replaced() {
        let mut store = store();
        store.set_share_key(FOLDER, &key(7), ShareFlags::TRUSTED).unwrap();
        assert!(store.set_share_key(FOLDER, &key(8), ShareFlags::TRUSTED).is_err());
        store.set_share_key(FOLDER, &key(7), ShareFlags(3)).unwrap();
        assert_eq!(store.share_key(FOLDER), Some((key(7), ShareFlags(3))));
    }

    #[test]
    fn keys_that_never_change_do_not() {
        let mut store = store();
        assert!(store.set_record(tag::ED25519, &[4; 32]).is_err());
        assert!(store.set_record(tag::GENERATION, &[1]).is_err());
        store.set_record(200, b"anything").unwrap();
        assert_eq!(store.record(200), Some(&b"anything"[..]));
    }

    #[test]
    fn a_changed_store_is_refused() {
        let mut sealed = store().seal(&MASTER).unwrap();
        sealed[20] ^= 1;
        assert_eq!(KeyManager::open(&MASTER, &sealed).unwrap_err(), CryptoError::MacMismatch);
        let other = MasterKey::from_bytes([8; 16]);
        assert!(KeyManager::open(&other, &store().seal(&MASTER).unwrap()).is_err());
    }

    proptest! {
        #[test]
        fn no_attribute_panics(bytes: Vec<u8>) {
            prop_assert!(KeyManager::open(&MASTER, &bytes).is_err());
            prop_assert!(KeyManager::open(&MASTER, &[&HEADER[..], &bytes].concat()).is_err());
        }

        #[test]
        fn a_share_beside_others_is_found(handles: Vec<[u8; 6]>) {
            let mut store = store();
            for handle in &handles {
                store.set_share_key(NodeHandle::from_bytes(*handle), &key(handle[0] | 1), ShareFlags::default()).unwrap();
            }
            for handle in &handles {
                let found = store.share_key(NodeHandle::from_bytes(*handle));
                prop_assert_eq!(found.unwrap().0, key(handle[0] | 1));
            }
        }
    }
}
