//! From a password to the key that opens the master key (`protocol-auth.md` 2.2 to 2.4).
//!
//! Accounts come in two versions, and `us0` says which one an account is. Version 1 stirs the
//! password by hand and proves it with a hash of the e-mail address; version 2 is PBKDF2, whose
//! second half is the proof.

use aes::Aes128;
use cipher::{Array, BlockCipherEncrypt};
use sha2::{Digest, Sha256, Sha512};
use zeroize::Zeroizing;

use crate::secret::{any_secret, discreet};
use crate::{CryptoError, MasterKey, ecb, random};

const V1_START: [u8; 16] = 0x93C4_67E3_7DB0_C7A4_D1BE_3F81_0152_CB56_u128.to_be_bytes();
const V1_ROUNDS: usize = 65_536;
const USER_HASH_ROUNDS: usize = 16_384;
const V2_ROUNDS: u32 = 100_000;

any_secret!(
    /// The key that a password stands for: it wraps the [`MasterKey`].
    PasswordKey, 16
);
any_secret!(
    /// Proof of a version 1 password, sent as `uh` (`protocol-auth.md` 2.3).
    UserHash, 8
);
any_secret!(
    /// Proof of a version 2 password, sent as `uh` (`protocol-auth.md` 2.4).
    AuthKey, 16
);
any_secret!(
    /// What a server keeps of an [`AuthKey`], `hak` on the wire (`protocol-auth.md` 2.4).
    HashedAuthKey, 16
);
discreet!(
    /// The random bytes that a client draws when a password is set, `crv` on the wire.
    ClientRandom, 16
);
discreet!(
    /// The salt of a version 2 password, `s` in the answer to `us0`.
    Salt, 32
);

impl PasswordKey {
    /// Derives the key of a version 1 account (`protocol-auth.md` 2.2).
    ///
    /// Characters count as UTF-16 code units, and those above `U+00FF` spill into the byte before
    /// them, as in the official clients.
    #[must_use]
    pub fn v1(password: &str) -> Self {
        Self::v1_from_bytes(&spill(password))
    }

    /// Derives the key of a version 1 account from bytes, which every client agrees on.
    #[must_use]
    pub fn v1_from_bytes(password: &[u8]) -> Self {
        let ciphers: Vec<Aes128> = password
            .chunks(16)
            .map(|piece| {
                let mut key = Zeroizing::new([0; 16]);
                key[..piece.len()].copy_from_slice(piece);
                ecb::cipher(&key)
            })
            .collect();
        let mut state = Array(V1_START);
        for _ in 0..V1_ROUNDS {
            for cipher in &ciphers {
                cipher.encrypt_block(&mut state);
            }
        }
        Self(state.0)
    }

    /// Draws the random password of an ephemeral account (`protocol-auth.md` 3.1).
    pub fn generate() -> Result<Self, CryptoError> {
        random::array().map(Self)
    }

    /// Wraps the master key: the account's `k`.
    #[must_use]
    pub fn wrap(&self, master: &MasterKey) -> [u8; 16] {
        ecb::encrypt_block(&self.0, master.as_bytes())
    }

    /// Unwraps the account's `k`. A wrong password gives a wrong master key and no error: that
    /// shows when the master key is used.
    #[must_use]
    pub fn unwrap(&self, wrapped: &[u8; 16]) -> MasterKey {
        MasterKey::from_bytes(ecb::decrypt_block(&self.0, wrapped))
    }

    /// The proof of a version 1 password for this e-mail address (`protocol-auth.md` 2.3).
    #[must_use]
    pub fn user_hash(&self, email: &str) -> UserHash {
        self.hash_bytes(email.to_ascii_lowercase().as_bytes())
    }

    fn hash_bytes(&self, bytes: &[u8]) -> UserHash {
        let mut state = Array([0; 16]);
        for (i, byte) in bytes.iter().enumerate() {
            state[i % 16] ^= byte;
        }
        let cipher = ecb::cipher(&self.0);
        for _ in 0..USER_HASH_ROUNDS {
            cipher.encrypt_block(&mut state);
        }
        let mut hash = [0; 8];
        hash[..4].copy_from_slice(&state[..4]);
        hash[4..].copy_from_slice(&state[8..12]);
        UserHash(hash)
    }
}

/// The bytes of a version 1 password: UTF-16 code unit `i` is ORed into the big-endian word
/// `i / 4` at byte `i % 4`, and what does not fit into the word is lost.
fn spill(password: &str) -> Zeroizing<Vec<u8>> {
    let mut bytes = Zeroizing::new(Vec::with_capacity(password.len() + 16));
    let mut word = 0;
    let mut place = 0;
    for unit in password.encode_utf16() {
        word |= u32::from(unit) << (24 - 8 * place);
        place = (place + 1) % 4;
        if place == 0 {
            bytes.extend_from_slice(&word.to_be_bytes());
            word = 0;
        }
    }
    if place != 0 {
        bytes.extend_from_slice(&word.to_be_bytes());
    }
    bytes
}

impl ClientRandom {
    /// Draws new ones, for a new password.
    pub fn generate() -> Result<Self, CryptoError> {
        random::array().map(Self)
    }

    /// The salt that these bytes stand for (`protocol-auth.md` 2.4).
    #[must_use]
    pub fn salt(&self) -> Salt {
        let mut hash = Sha256::new();
        hash.update(b"mega.nz");
        hash.update([b'P'; 193]);
        hash.update(self.0);
        Salt(hash.finalize().into())
    }
}

impl AuthKey {
    /// What a server keeps and compares.
    #[must_use]
    pub fn hashed(&self) -> HashedAuthKey {
        let mut hashed = [0; 16];
        hashed.copy_from_slice(&Sha256::digest(self.0)[..16]);
        HashedAuthKey(hashed)
    }
}

/// Derives the keys of a version 2 account: the one that wraps the master key, and the one that
/// proves the password (`protocol-auth.md` 2.4).
///
/// ```
/// use supermega_crypto::{ClientRandom, MasterKey, derive_v2};
///
/// let salt = ClientRandom::from_bytes([0xff; 16]).salt();
/// let (password_key, auth_key) = derive_v2("correct horse", &salt);
/// let master = MasterKey::generate()?;
/// assert_eq!(password_key.unwrap(&password_key.wrap(&master)), master);
/// assert!(auth_key.hashed().ct_eq(&auth_key.hashed()));
/// # Ok::<(), supermega_crypto::CryptoError>(())
/// ```
#[must_use]
pub fn derive_v2(password: &str, salt: &Salt) -> (PasswordKey, AuthKey) {
    let derived = Zeroizing::new(pbkdf2::<32>(password, &salt.0, V2_ROUNDS));
    let (mut first, mut second) = ([0; 16], [0; 16]);
    first.copy_from_slice(&derived[..16]);
    second.copy_from_slice(&derived[16..]);
    (PasswordKey(first), AuthKey(second))
}

/// PBKDF2-HMAC-SHA512, also used by password-protected links.
pub(crate) fn pbkdf2<const N: usize>(password: &str, salt: &[u8; 32], rounds: u32) -> [u8; N] {
    pbkdf2::pbkdf2_hmac_array::<Sha512, N>(password.as_bytes(), salt, rounds)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn wide_characters_spill_to_the_left() {
        assert_eq!(spill("ab")[..], [b'a', b'b', 0, 0]);
        assert_eq!(spill("\u{1234}")[..], [0x34, 0, 0, 0]);
        assert_eq!(spill("a\u{0234}")[..], [b'a' | 2, 0x34, 0, 0]);
    }

    #[test]
    fn the_address_is_hashed_in_lower_case() {
        let key = PasswordKey::from_bytes([3; 16]);
        assert_eq!(key.user_hash("A@B.C"), key.user_hash("a@b.c"));
        assert_ne!(key.user_hash("a@b.c"), key.user_hash("a@b.d"));
    }

    #[test]
    fn a_user_hash_of_bytes_longer_than_a_block_folds_them() {
        let key = PasswordKey::from_bytes([3; 16]);
        assert_eq!(key.hash_bytes(&[5; 32]), key.hash_bytes(&[]));
    }

    #[test]
    fn pbkdf2_agrees_with_the_web_client() {
        let hex = |text: &str| data_encoding::HEXLOWER.decode(text.as_bytes()).unwrap();
        let salt = hex("f9de272d8a4ca2013a8572199be635454656470d43141f7236d48cd249719f2a");
        let derived: [u8; 64] =
            pbkdf2("correct horse battery staple", &salt.try_into().unwrap(), 1000);
        assert_eq!(
            derived[..],
            hex("30bb88729db72eea4f1c81a7c1a340f7e1b1806ba59416f4693a5c753340a730\
                 aa125670e773633b3a7a3b8ab06aec6a89533520c0d93837e25db41f3d9438ac")
        );
    }

    proptest! {
        #[test]
        fn no_password_panics(password: String) {
            prop_assert_eq!(spill(&password).len() % 4, 0);
        }
    }
}
