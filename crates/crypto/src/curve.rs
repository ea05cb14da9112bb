//! Ed25519 and X25519: who signed a key, and the key that two users share (`protocol-auth.md` 4.5, 4.9).

use ed25519_dalek::{Signature, Signer, SigningKey, VerifyingKey};
use hkdf::Hkdf;
use sha2::{Digest, Sha256};
use x25519_dalek::{PublicKey, StaticSecret};
use zeroize::Zeroizing;

use crate::secret::any_secret;
use crate::{CryptoError, ShareKey, ecb, random};

/// Stands before what a signature covers.
const CONTEXT: &[u8] = b"keyauth";
const TIMESTAMP: usize = 8;

any_secret!(
    /// The seed of the key that signs an account's other keys.
    SigningSeed, 32
);
any_secret!(
    /// The private key by which two users agree on a key.
    AgreementKey, 32
);
any_secret!(
    /// What two users share: share keys travel between them under it.
    PairwiseKey, 16
);

/// The public key that signatures are checked with, `+puEd255`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct SigningPublic(pub [u8; 32]);

/// The public key of agreements, `+puCu255`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct AgreementPublic(pub [u8; 32]);

/// By what a public key is told apart: the beginning of its hash.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct KeyFingerprint(pub [u8; 20]);

impl KeyFingerprint {
    fn of(public: &[u8]) -> Self {
        let mut fingerprint = [0; 20];
        fingerprint.copy_from_slice(&Sha256::digest(public)[..20]);
        Self(fingerprint)
    }
}

impl std::fmt::Display for KeyFingerprint {
    /// Ten groups of four digits, as official clients show it.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        for (i, pair) in self.0.chunks(2).enumerate() {
            if i > 0 {
                f.write_str(" ")?;
            }
            pair.iter().try_for_each(|byte| write!(f, "{byte:02X}"))?;
        }
        Ok(())
    }
}

impl std::str::FromStr for KeyFingerprint {
    type Err = CryptoError;

    /// Reads forty hexadecimal digits, with spaces or colons between them or without.
    fn from_str(text: &str) -> Result<Self, CryptoError> {
        let digits: String = text.chars().filter(|c| !matches!(c, ' ' | ':' | '-')).collect();
        let bytes = data_encoding::HEXLOWER_PERMISSIVE.decode(digits.as_bytes());
        let wrong =
            CryptoError::Length { what: "fingerprint", expected: 20, actual: digits.len() / 2 };
        bytes.ok().and_then(|bytes| bytes.try_into().ok()).map(Self).ok_or(wrong)
    }
}

impl SigningSeed {
    /// Draws a key.
    pub fn generate() -> Result<Self, CryptoError> {
        random::array().map(Self)
    }

    /// Its public half.
    #[must_use]
    pub fn public(&self) -> SigningPublic {
        SigningPublic(SigningKey::from_bytes(&self.0).verifying_key().to_bytes())
    }

    /// Signs a key of this account: the value of `+sigCu255` or `+sigPubk`. `payload` are the bytes of the
    /// X25519 key, or [`signature_payload`](crate::PublicKey::signature_payload) of the RSA key.
    #[must_use]
    pub fn sign(&self, timestamp: u64, payload: &[u8]) -> Vec<u8> {
        let timestamp = timestamp.to_be_bytes();
        let message = [CONTEXT, &timestamp, payload].concat();
        let signature = SigningKey::from_bytes(&self.0).sign(&message);
        [&timestamp[..], &signature.to_bytes()].concat()
    }
}

impl SigningPublic {
    /// Whether an attribute's value is a signature of `payload` by this key.
    #[must_use]
    pub fn verifies(&self, attribute: &[u8], payload: &[u8]) -> bool {
        let Some((timestamp, signature)) = attribute.split_at_checked(TIMESTAMP) else {
            return false;
        };
        let (Ok(key), Ok(signature)) =
            (VerifyingKey::from_bytes(&self.0), Signature::from_slice(signature))
        else {
            return false;
        };
        let message = [CONTEXT, timestamp, payload].concat();
        key.verify_strict(&message, &signature).is_ok()
    }

    /// What people compare.
    #[must_use]
    pub fn fingerprint(&self) -> KeyFingerprint {
        KeyFingerprint::of(&self.0)
    }
}

impl AgreementPublic {
    /// By what it is known again.
    #[must_use]
    pub fn fingerprint(&self) -> KeyFingerprint {
        KeyFingerprint::of(&self.0)
    }
}

impl AgreementKey {
    /// Draws a key.
    pub fn generate() -> Result<Self, CryptoError> {
        random::array().map(Self)
    }

    /// Its public half.
    #[must_use]
    pub fn public(&self) -> AgreementPublic {
        AgreementPublic(PublicKey::from(&StaticSecret::from(self.0)).to_bytes())
    }

    /// The key shared with whoever holds the other key. A public key that would make it a constant is refused.
    pub fn pairwise(&self, peer: &AgreementPublic) -> Result<PairwiseKey, CryptoError> {
        let shared = StaticSecret::from(self.0).diffie_hellman(&PublicKey::from(peer.0));
        if !shared.was_contributory() {
            return Err(CryptoError::ZeroKey);
        }
        let mut key = Zeroizing::new([0; 16]);
        Hkdf::<Sha256>::new(None, shared.as_bytes())
            .expand(b"strongvelope pairwise key", &mut *key)
            .map_err(|_| CryptoError::ZeroKey)?;
        Ok(PairwiseKey(*key))
    }
}

impl PairwiseKey {
    /// Wraps a share key for the other user.
    #[must_use]
    pub fn wrap_share_key(&self, key: &ShareKey) -> [u8; 16] {
        ecb::encrypt_block(&self.0, key.as_bytes())
    }

    /// Unwraps a share key that the other user left.
    pub fn unwrap_share_key(&self, wrapped: &[u8; 16]) -> Result<ShareKey, CryptoError> {
        ShareKey::from_bytes(ecb::decrypt_block(&self.0, wrapped))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_signature_of_another_key_or_time_is_none() {
        let seed = SigningSeed::from_bytes([7; 32]);
        let mut signature = seed.sign(5, b"payload");
        assert!(seed.public().verifies(&signature, b"payload"));
        assert!(!seed.public().verifies(&signature, b"other"));
        assert!(!SigningSeed::from_bytes([8; 32]).public().verifies(&signature, b"payload"));
        signature[7] ^= 1;
        assert!(!seed.public().verifies(&signature, b"payload"));
        assert!(!seed.public().verifies(&signature[..40], b"payload"));
        assert!(!seed.public().verifies(b"", b"payload"));
    }

    #[test]
    fn a_public_key_of_low_order_is_refused() {
        let own = AgreementKey::from_bytes([9; 32]);
        assert_eq!(own.pairwise(&AgreementPublic([0; 32])), Err(CryptoError::ZeroKey));
    }

    #[test]
    fn a_fingerprint_is_read_as_it_is_written() {
        let fingerprint = SigningSeed::from_bytes([7; 32]).public().fingerprint();
        assert_eq!(fingerprint.to_string().parse(), Ok(fingerprint));
        assert_eq!(
            fingerprint.to_string().replace(' ', "").to_lowercase().parse(),
            Ok(fingerprint)
        );
        assert!("12 34".parse::<KeyFingerprint>().is_err());
        assert!("zz".repeat(20).parse::<KeyFingerprint>().is_err());
    }
}
