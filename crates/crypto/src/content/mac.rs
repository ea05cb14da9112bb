//! The MACs of chunks and of whole files (`protocol-auth.md` 6.4).

use std::fmt;

use aes::Aes128;
use cipher::{Array, BlockCipherEncrypt};

use super::ContentKey;
use crate::ecb::{self, Block};
use crate::secret::discreet;

discreet!(
    /// The MAC of one chunk's plaintext.
    ChunkMac, 16
);
discreet!(
    /// The MAC of a whole file, as its key carries it.
    MetaMac, 8
);

/// Folds the MACs of a file's chunks, in file order, into the file's.
#[derive(Clone)]
pub struct MetaMacBuilder {
    cipher: Aes128,
    state: Block,
}

impl MetaMacBuilder {
    /// Begins with no chunk.
    #[must_use]
    pub fn new(key: &ContentKey) -> Self {
        Self { cipher: ecb::cipher(key.as_bytes()), state: Array([0; 16]) }
    }

    /// Adds the next chunk.
    pub fn push(&mut self, mac: &ChunkMac) {
        absorb(&mut self.state, mac.as_bytes());
        self.cipher.encrypt_block(&mut self.state);
    }

    /// The file's MAC; that of an empty file is zero.
    #[must_use]
    pub fn finish(&self) -> MetaMac {
        let mut mac = [0; 8];
        for (i, out) in mac.iter_mut().enumerate() {
            let at = i % 4 + i / 4 * 8;
            *out = self.state[at] ^ self.state[at + 4];
        }
        MetaMac(mac)
    }
}

impl fmt::Debug for MetaMacBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("MetaMacBuilder(..)")
    }
}

/// XORs a block, or the shorter last piece of a chunk, into the state.
pub(super) fn absorb(state: &mut Block, piece: &[u8]) {
    for (out, byte) in state.iter_mut().zip(piece) {
        *out ^= byte;
    }
}
