//! The content of files: encryption, chunks and their MACs (`protocol-auth.md` 6).
//!
//! Content is encrypted in counter mode, so any part can be read alone. It is authenticated in
//! chunks: each has a MAC of its own, and these fold, in file order, into the 8 bytes that the
//! file's key carries. A file is genuine only when its last chunk has been checked.
//!
//! ```
//! use supermega_crypto::{ContentCipher, ContentKey, FileKey, MetaMacBuilder, Nonce};
//!
//! let (key, nonce) = (ContentKey::generate()?, Nonce::generate()?);
//! let mut content = b"what nobody else shall read".to_vec();
//! let mut mac = MetaMacBuilder::new(&key);
//! for chunk in ContentCipher::new(&key, nonce).encrypt_chunks(0, &mut content) {
//!     mac.push(&chunk);
//! }
//! let file_key = FileKey::new(&key, nonce, mac.finish())?;
//!
//! let key = file_key.content_key();
//! let mut mac = MetaMacBuilder::new(&key);
//! for chunk in ContentCipher::new(&key, file_key.nonce()).decrypt_chunks(0, &mut content) {
//!     mac.push(&chunk);
//! }
//! assert!(mac.finish().ct_eq(&file_key.meta_mac()));
//! assert_eq!(content, b"what nobody else shall read");
//! # Ok::<(), supermega_crypto::CryptoError>(())
//! ```

mod chunk;
mod cipher;
mod fused;
mod mac;

pub use chunk::{Chunk, chunk_count, chunks};
pub use cipher::ContentCipher;
pub use mac::{ChunkMac, MetaMac, MetaMacBuilder};

use crate::secret::{any_secret, discreet};
use crate::{CryptoError, random};

any_secret!(
    /// The AES key of a file's content.
    ContentKey, 16
);
discreet!(
    /// The first half of every counter block of a file's content.
    Nonce, 8
);

impl ContentKey {
    /// Draws the key of a new file.
    pub fn generate() -> Result<Self, CryptoError> {
        random::array().map(Self)
    }
}

impl Nonce {
    /// Draws the nonce of a new file.
    pub fn generate() -> Result<Self, CryptoError> {
        random::array().map(Self)
    }
}

/// The checksum of one upload request over its ciphertext, `d` in the URL
/// (`protocol-auth.md` 6.6).
#[must_use]
pub fn upload_checksum(ciphertext: &[u8]) -> [u8; 12] {
    // Four turns at once are 48 bytes: wide enough for vector instructions.
    let mut wide = [0u8; 48];
    let mut pieces = ciphertext.chunks_exact(48);
    for piece in &mut pieces {
        for (sum, byte) in wide.iter_mut().zip(piece) {
            *sum ^= byte;
        }
    }
    for (sum, byte) in wide.iter_mut().zip(pieces.remainder()) {
        *sum ^= byte;
    }
    let mut sum = [0; 12];
    for (i, byte) in wide.iter().enumerate() {
        sum[i % 12] ^= byte;
    }
    sum
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn the_checksum_is_the_sum_of_every_twelfth_byte(bytes: Vec<u8>) {
            let mut expected = [0; 12];
            for (i, byte) in bytes.iter().enumerate() {
                expected[i % 12] ^= byte;
            }
            prop_assert_eq!(upload_checksum(&bytes), expected);
        }
    }
}
