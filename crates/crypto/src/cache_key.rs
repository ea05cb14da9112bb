//! The key of what a client keeps of an account or a folder link between runs.
//!
//! What is kept stays encrypted as it was received; this key proves that it is what was written, and for
//! which account and which service.

use std::fmt::Write;

use hkdf::Hkdf;
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

use crate::secret::secret;
use crate::{MasterKey, ShareKey};

secret!(
    /// Proves what was kept. It is made of the master key, or of a link's key, and of the service's address.
    CacheKey, 32
);

/// What a [`CacheKey`] makes of something, to be kept beside it.
pub type CacheTag = [u8; CacheKey::TAG_LEN];

impl CacheKey {
    /// Bytes of a tag.
    pub const TAG_LEN: usize = 16;

    /// The key for an account at a service.
    #[must_use]
    pub fn of_account(master: &MasterKey, service: &str) -> Self {
        Self::derive(master.as_bytes(), "account", service)
    }

    /// The key for a folder link at a service.
    #[must_use]
    pub fn of_link(link: &ShareKey, service: &str) -> Self {
        Self::derive(link.as_bytes(), "link", service)
    }

    fn derive(key: &[u8; 16], what: &str, service: &str) -> Self {
        let info = format!("supermega cache\0{what}\0{service}");
        let mut derived = Self([0; 32]);
        // One block is far less than HKDF can give.
        let expanded = Hkdf::<Sha256>::new(None, key).expand(info.as_bytes(), &mut derived.0);
        debug_assert!(expanded.is_ok());
        derived
    }

    /// A name that tells this key's cache from all others, and nobody whose it is.
    #[must_use]
    pub fn name(&self) -> String {
        let mut name = String::with_capacity(2 * Self::TAG_LEN);
        for byte in self.tag(&[b"name"]) {
            // Writing to a text cannot fail.
            let _ = write!(name, "{byte:02x}");
        }
        name
    }

    /// The tag of some bytes in a row: HMAC-SHA-256, cut to 16 bytes. All parts but the last must have fixed
    /// lengths, so that nothing can move from one to another.
    #[must_use]
    pub fn tag(&self, parts: &[&[u8]]) -> CacheTag {
        let mac = self.mac(parts).finalize().into_bytes();
        let mut tag = [0; Self::TAG_LEN];
        tag.copy_from_slice(&mac[..Self::TAG_LEN]);
        tag
    }

    /// Whether this is their tag; constant time.
    #[must_use]
    pub fn has_tagged(&self, parts: &[&[u8]], tag: &[u8]) -> bool {
        tag.len() == Self::TAG_LEN && self.mac(parts).verify_truncated_left(tag).is_ok()
    }

    fn mac(&self, parts: &[&[u8]]) -> Hmac<Sha256> {
        // The array is as long as the key of this MAC may be.
        let mut mac = Hmac::<Sha256>::new_from_slice(&self.0).unwrap_or_else(|_| unreachable!());
        for part in parts {
            mac.update(part);
        }
        mac
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn accounts_links_and_services_have_keys_of_their_own() {
        let master = MasterKey::from_bytes([1; 16]);
        let key = CacheKey::of_account(&master, "https://a/");
        let others = [
            CacheKey::of_account(&master, "https://b/"),
            CacheKey::of_account(&MasterKey::from_bytes([2; 16]), "https://a/"),
            CacheKey::of_link(&ShareKey::from_bytes([1; 16]).unwrap(), "https://a/"),
        ];
        for other in others {
            assert_ne!(key.name(), other.name());
            assert!(!other.has_tagged(&[b"x"], &key.tag(&[b"x"])));
        }
    }

    #[test]
    fn a_tag_is_that_of_all_bytes_in_their_order() {
        let key = CacheKey::of_account(&MasterKey::from_bytes([1; 16]), "");
        let tag = key.tag(&[b"ab", &b"c"[..]]);
        assert!(key.has_tagged(&[b"ab", &b"c"[..]], &tag));
        assert!(!key.has_tagged(&[b"ab", &b"d"[..]], &tag));
        assert!(!key.has_tagged(&[b"ab"], &tag));
        assert!(!key.has_tagged(&[b"ab", &b"c"[..]], &tag[..15]));
        assert!(!key.has_tagged(&[b"ab", &b"c"[..]], &[]));
    }
}
