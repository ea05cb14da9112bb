//! Whose public keys were seen or compared: the authrings (`protocol-auth.md` 4.10).

use supermega_encoding::UserHandle;

use super::KeyManager;
use super::records::tag;
use crate::CryptoError;
use crate::curve::KeyFingerprint;

/// Handle, fingerprint and method of one user.
const ENTRY: usize = 29;

/// Which of a user's keys is meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum TrackedKey {
    /// The signing key.
    Ed25519,
    /// The key of agreements.
    X25519,
}

/// How well a key is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum TrackedBy {
    /// It was seen once, and nothing else since.
    Seen,
    /// Its owner signed it.
    Signature,
    /// The user compared the fingerprint.
    Fingerprint,
    /// A method that the reference does not list.
    Other(i8),
}

impl TrackedBy {
    const fn number(self) -> i8 {
        match self {
            Self::Seen => 0,
            Self::Fingerprint => 1,
            Self::Signature => 2,
            Self::Other(number) => number,
        }
    }

    const fn from_number(number: i8) -> Self {
        match number {
            0 => Self::Seen,
            1 => Self::Fingerprint,
            2 => Self::Signature,
            other => Self::Other(other),
        }
    }
}

impl TrackedKey {
    const fn tag(self) -> u8 {
        match self {
            Self::Ed25519 => tag::AUTHRING_ED25519,
            Self::X25519 => tag::AUTHRING_CU25519,
        }
    }
}

impl KeyManager {
    /// What is known of a user's key.
    #[must_use]
    pub fn tracked(
        &self,
        key: TrackedKey,
        user: UserHandle,
    ) -> Option<(KeyFingerprint, TrackedBy)> {
        let ring = self.record(key.tag()).unwrap_or_default();
        let entry = ring.chunks_exact(ENTRY).find(|entry| entry.starts_with(user.as_bytes()))?;
        let (fingerprint, method) = entry.get(8..)?.split_first_chunk()?;
        let method = i8::from_be_bytes([*method.first()?]);
        Some((KeyFingerprint(*fingerprint), TrackedBy::from_number(method)))
    }

    /// Takes over an authring of the older form, which has the same records.
    pub fn take_authring(&mut self, key: TrackedKey, records: &[u8]) -> Result<(), CryptoError> {
        if !records.len().is_multiple_of(ENTRY) {
            return Err(CryptoError::Container { reason: "the authring is cut short" });
        }
        self.set_record(key.tag(), records)
    }

    /// Notes a user's key. Another key than the one that is known is refused: a person must decide
    /// (`protocol-auth.md` 9.3.11). What is known better already stays so.
    pub fn track(
        &mut self,
        key: TrackedKey,
        user: UserHandle,
        fingerprint: KeyFingerprint,
        method: TrackedBy,
    ) -> Result<(), CryptoError> {
        match self.tracked(key, user) {
            Some((known, _)) if known != fingerprint => {
                let reason = "a user's public key is not the one that is known";
                return Err(CryptoError::Container { reason });
            }
            Some((_, known)) if known >= method => return Ok(()),
            _ => {}
        }
        self.forget_key(key, user)?;
        let number = method.number().to_be_bytes();
        let entry = [&user.as_bytes()[..], &fingerprint.0, &number].concat();
        let ring = [self.record(key.tag()).unwrap_or_default(), &entry].concat();
        self.set_record(key.tag(), &ring)
    }

    /// Forgets a user's key, because its owner has a new one and said so.
    pub fn forget_key(&mut self, key: TrackedKey, user: UserHandle) -> Result<(), CryptoError> {
        let ring = self.record(key.tag()).unwrap_or_default();
        let (entries, rest) = ring.as_chunks::<ENTRY>();
        let kept = entries.iter().filter(|entry| !entry.starts_with(user.as_bytes()));
        let ring = [kept.flatten().copied().collect(), rest.to_vec()].concat();
        self.set_record(key.tag(), &ring)
    }
}
