//! Thumbnails and previews under the key of their file (`protocol-auth.md` 5.5).

use crate::{AttributeKey, FileKey};

/// Length of a block.
const BLOCK: usize = 16;

/// Encrypts what belongs to a file. Zeros fill the last block; the length is kept nowhere.
///
/// ```
/// use supermega_crypto::{ContentKey, FileKey, MetaMac, Nonce, file_attribute};
///
/// let key = FileKey::new(&ContentKey::generate()?, Nonce::generate()?, MetaMac::from_bytes([1; 8]))?;
/// let encrypted = file_attribute::encrypt(&key, b"a picture");
/// assert_eq!(encrypted.len(), 16);
/// assert_eq!(file_attribute::decrypt(&key, &encrypted), b"a picture\0\0\0\0\0\0\0");
/// # Ok::<(), supermega_crypto::CryptoError>(())
/// ```
#[must_use]
pub fn encrypt(key: &FileKey, plain: &[u8]) -> Vec<u8> {
    let mut bytes = plain.to_vec();
    bytes.resize(plain.len().next_multiple_of(BLOCK), 0);
    AttributeKey::from(key).encrypt(&mut bytes);
    bytes
}

/// Decrypts what [`encrypt`] made, with the zeros behind it. Nothing proves that it is genuine. What is no
/// whole block, as a peer leaves it (the crate `mega`), is left out.
#[must_use]
pub fn decrypt(key: &FileKey, encrypted: &[u8]) -> Vec<u8> {
    let mut bytes = encrypted[..encrypted.len() - encrypted.len() % BLOCK].to_vec();
    AttributeKey::from(key).decrypt(&mut bytes);
    bytes
}
