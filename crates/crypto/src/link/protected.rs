//! Links that a password opens (`protocol-auth.md` 7.4).

use std::fmt;

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use subtle::ConstantTimeEq;
use supermega_encoding::{PublicHandle, base64};
use zeroize::Zeroizing;

use super::{Link, LinkError, SITE, parse};
use crate::password::pbkdf2;
use crate::{CryptoError, FileKey, ShareKey, random};

const ROUNDS: u32 = 100_000;
const HEAD_LEN: usize = 40;
const MAC_LEN: usize = 32;

/// Which argument of the HMAC is the key.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Algorithm {
    /// The data is, by an old mistake.
    Swapped = 1,
    /// The derived key is.
    Current = 2,
}

/// A link whose key is encrypted with a password.
#[derive(Clone, PartialEq, Eq)]
pub struct ProtectedLink {
    algorithm: Algorithm,
    handle: PublicHandle,
    /// All that the MAC covers: algorithm, type, handle, salt and the encrypted key.
    body: Vec<u8>,
    mac: [u8; MAC_LEN],
}

impl ProtectedLink {
    /// The public handle, which no password hides.
    #[must_use]
    pub const fn handle(&self) -> PublicHandle {
        self.handle
    }

    /// Whether the link leads to a folder, which no password hides either.
    #[must_use]
    pub fn is_folder(&self) -> bool {
        self.encrypted_key().len() == ShareKey::LEN
    }

    /// Opens the link.
    pub fn open(&self, password: &str) -> Result<Link, LinkError> {
        let derived = derive(password, self.salt());
        if !bool::from(mac(self.algorithm, &self.body, &derived).ct_eq(&self.mac)) {
            return Err(LinkError::WrongPassword);
        }
        let mut key = Zeroizing::new(self.encrypted_key().to_vec());
        mask(&mut key, &derived);
        let handle = self.handle;
        if let Ok(key) = key[..].try_into() {
            let key = ShareKey::from_bytes(key).map_err(|_| LinkError::BadKey)?;
            Ok(Link::Folder { handle, key: Some(key), inside: None })
        } else {
            let key = key[..].try_into().map_err(|_| LinkError::BadKey)?;
            let key = FileKey::from_bytes(key).map_err(|_| LinkError::BadKey)?;
            Ok(Link::File { handle, key: Some(key) })
        }
    }

    /// Protects a link to a file or a folder, which must hold its key. What it points to inside
    /// a folder is lost.
    pub fn protect(link: &Link, password: &str) -> Result<Self, CryptoError> {
        Self::with_salt(link, password, random::array()?, Algorithm::Current)
            .map_err(CryptoError::Link)
    }

    fn with_salt(
        link: &Link,
        password: &str,
        salt: [u8; 32],
        algorithm: Algorithm,
    ) -> Result<Self, LinkError> {
        let (kind, key) = match link {
            Link::File { .. } => (1, &link.file_key()?.as_bytes()[..]),
            Link::Folder { .. } => (0, &link.folder_key()?.as_bytes()[..]),
            _ => return Err(LinkError::NotProtectable),
        };
        let derived = derive(password, salt);
        let mut key = Zeroizing::new(key.to_vec());
        mask(&mut key, &derived);
        let handle = link.handle();
        let body = [&[algorithm as u8, kind], &handle.as_bytes()[..], &salt, &key].concat();
        let mac = mac(algorithm, &body, &derived);
        Ok(Self { algorithm, handle, body, mac })
    }

    /// The link as text.
    #[must_use]
    pub fn to_url(&self) -> String {
        self.to_string()
    }

    /// Reads what follows `#P!`.
    pub(super) fn parse(text: &str) -> Result<Self, LinkError> {
        let [algorithm, kind] = *parse::prefix::<2>(text)?;
        let algorithm = match algorithm {
            1 => Algorithm::Swapped,
            2 => Algorithm::Current,
            _ => return Err(LinkError::UnknownAlgorithm),
        };
        if kind == 0 {
            Self::split(algorithm, &*parse::prefix::<{ HEAD_LEN + 16 + MAC_LEN }>(text)?)
        } else {
            Self::split(algorithm, &*parse::prefix::<{ HEAD_LEN + 32 + MAC_LEN }>(text)?)
        }
    }

    fn split(algorithm: Algorithm, bytes: &[u8]) -> Result<Self, LinkError> {
        let (body, mac) = bytes.split_last_chunk().ok_or(LinkError::Truncated)?;
        let handle = body.get(2..8).and_then(|handle| handle.try_into().ok());
        let handle = PublicHandle::from_bytes(handle.ok_or(LinkError::Truncated)?);
        Ok(Self { algorithm, handle, body: body.to_vec(), mac: *mac })
    }

    fn salt(&self) -> [u8; 32] {
        let mut salt = [0; 32];
        salt.copy_from_slice(&self.body[8..HEAD_LEN]);
        salt
    }

    fn encrypted_key(&self) -> &[u8] {
        &self.body[HEAD_LEN..]
    }
}

/// The first half masks the key, the second authenticates.
fn derive(password: &str, salt: [u8; 32]) -> Zeroizing<[u8; 64]> {
    Zeroizing::new(pbkdf2(password, &salt, ROUNDS))
}

fn mask(key: &mut [u8], derived: &[u8; 64]) {
    for (byte, mask) in key.iter_mut().zip(derived) {
        *byte ^= mask;
    }
}

fn mac(algorithm: Algorithm, body: &[u8], derived: &[u8; 64]) -> [u8; MAC_LEN] {
    let derived = &derived[32..];
    let (key, message) = match algorithm {
        Algorithm::Swapped => (body, derived),
        Algorithm::Current => (derived, body),
    };
    let mut mac = Hmac::<Sha256>::new_from_slice(key).expect("HMAC takes keys of any length");
    mac.update(message);
    mac.finalize().into_bytes().into()
}

impl fmt::Display for ProtectedLink {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{SITE}#P!{}", base64::encode(&[&self.body[..], &self.mac].concat()))
    }
}

impl fmt::Debug for ProtectedLink {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ProtectedLink({}, ..)", self.handle)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn folder() -> Link {
        Link::parse("https://mega.nz/folder/AAAAAAAG#QEFCQ0RFRkdISUpLTE1OTw").unwrap()
    }

    #[test]
    fn the_password_opens_the_link() {
        let protected = ProtectedLink::protect(&folder(), "swordfish").unwrap();
        assert!(protected.is_folder());
        assert_eq!(protected.open("swordfish"), Ok(folder()));
        assert_eq!(protected.open("Swordfish"), Err(LinkError::WrongPassword));
        let read = Link::parse(&protected.to_url()).unwrap();
        assert_eq!(read, Link::Protected(protected));
        assert_eq!(read.folder_key(), Err(LinkError::MissingKey));
    }

    #[test]
    fn a_known_link_is_written_byte_for_byte() {
        let written = |algorithm, password| {
            let salt = *b"`abcdefghijklmnopqrstuvwxyz{|}~\x7f";
            let key = ShareKey::from_bytes(*b"@ABCDEFGHIJKLMNO").ok();
            let handle = PublicHandle::from_bytes([1, 2, 3, 4, 5, 6]);
            let link = Link::Folder { handle, key, inside: None };
            ProtectedLink::with_salt(&link, password, salt, algorithm).unwrap().to_url()
        };
        assert_eq!(
            written(Algorithm::Current, "hunter2hunter2"),
            "https://mega.nz/#P!AgABAgMEBQZgYWJjZGVmZ2hpamtsbW5vcHFyc3R1dnd4eXp7fH1-f_MsbvL1ALeFRM\
             QYxtcVmIH3PVMgeX6QxpD12YiWGgfm6-zmu1Xfo4g4iLfG4DM3Bg"
        );
        assert_eq!(
            written(Algorithm::Swapped, "pässwörd"),
            "https://mega.nz/#P!AQABAgMEBQZgYWJjZGVmZ2hpamtsbW5vcHFyc3R1dnd4eXp7fH1-f8dhb-2Cgl3gij\
             XYh3vi11Kt49rwFivNbUWsoDQFlJfN8UG-dm8YK1VijLehjzmnwg"
        );
    }

    #[test]
    fn a_changed_link_does_not_open() {
        let mut protected = ProtectedLink::protect(&folder(), "swordfish").unwrap();
        protected.body[5] ^= 1;
        assert_eq!(protected.open("swordfish"), Err(LinkError::WrongPassword));
    }

    #[test]
    fn what_has_no_key_cannot_be_protected() {
        let refused = |text| ProtectedLink::protect(&Link::parse(text).unwrap(), "x").unwrap_err();
        let missing = refused("https://mega.nz/folder/AAAAAAAG");
        assert_eq!(missing, CryptoError::Link(LinkError::MissingKey));
        let collection = refused("https://mega.nz/collection/AAAAAAAG#0NHS09TV1tfY2drb3N3e3w");
        assert_eq!(collection, CryptoError::Link(LinkError::NotProtectable));
    }
}
