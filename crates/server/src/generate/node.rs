//! One generated node: its key and its attributes.

use supermega_crypto::{
    Attributes, ContentCipher, ContentKey, CryptoError, FileKey, MetaMacBuilder, NodeKey, Nonce,
};
use supermega_encoding::base64;

/// All files are the beginning of one blob, whose ciphertext is this many zeros.
pub(super) const CONTENT: u64 = 4096;

/// A new key for a file whose ciphertext is `size` zeros.
pub(super) fn file_key(size: u64) -> Result<FileKey, CryptoError> {
    let (content, nonce) = (ContentKey::generate()?, Nonce::generate()?);
    let mut bytes = vec![0; usize::try_from(size).unwrap_or(usize::MAX)];
    let mut mac = MetaMacBuilder::new(&content);
    for chunk in ContentCipher::new(&content, nonce).decrypt_chunks(0, &mut bytes) {
        mac.push(&chunk);
    }
    FileKey::new(&content, nonce, mac.finish())
}

/// The attributes as they are sent.
pub(super) fn attributes(name: &str, key: &NodeKey) -> String {
    base64::encode(&Attributes::new(name).encrypt(&key.attribute_key()))
}
