//! Encryption of content, and the MACs that are taken in the same pass (`protocol-auth.md` 6.2, 6.4).

use std::fmt;

use aes::Aes128;
use cipher::{Array, BlockCipherEncrypt};

use super::chunk::lengths;
use super::mac::absorb;
use super::{ChunkMac, ContentKey, Nonce};
use crate::ecb::{self, Block};

/// Encrypts and decrypts one file's content, and takes the MACs of its chunks.
#[derive(Clone)]
pub struct ContentCipher {
    cipher: Aes128,
    nonce: Nonce,
}

impl ContentCipher {
    /// The cipher of the file that has this key and nonce.
    #[must_use]
    pub fn new(key: &ContentKey, nonce: Nonce) -> Self {
        Self { cipher: ecb::cipher(key.as_bytes()), nonce }
    }

    /// Encrypts or decrypts in place what lies at `offset` of the file. Nothing is authenticated.
    pub fn apply(&self, offset: u64, bytes: &mut [u8]) {
        let skip = (offset % 16) as usize;
        let mut index = offset / 16;
        let head = (16 - skip).min(bytes.len());
        let (head, rest) = bytes.split_at_mut(head);
        let stream = self.keystream(index);
        for (byte, mask) in head.iter_mut().zip(&stream[skip..]) {
            *byte ^= mask;
        }
        for piece in rest.chunks_mut(16) {
            index = index.wrapping_add(1);
            let stream = self.keystream(index);
            for (byte, mask) in piece.iter_mut().zip(stream) {
                *byte ^= mask;
            }
        }
    }

    /// Decrypts in place whole chunks, of which the first begins at `offset`, and returns the MAC
    /// of each. The last may be shorter, where the file ends.
    ///
    /// Should `offset` not be the start of a chunk, what comes before the next start counts as a
    /// chunk of its own.
    #[must_use]
    pub fn decrypt_chunks(&self, offset: u64, bytes: &mut [u8]) -> Vec<ChunkMac> {
        self.apply(offset, bytes);
        self.macs(offset, bytes)
    }

    /// Takes the MAC of each chunk and encrypts in place; see
    /// [`decrypt_chunks`](Self::decrypt_chunks).
    #[must_use]
    pub fn encrypt_chunks(&self, offset: u64, bytes: &mut [u8]) -> Vec<ChunkMac> {
        let macs = self.macs(offset, bytes);
        self.apply(offset, bytes);
        macs
    }

    fn macs(&self, offset: u64, mut bytes: &[u8]) -> Vec<ChunkMac> {
        lengths(offset, bytes.len())
            .map(|len| {
                let (chunk, rest) = bytes.split_at(len);
                bytes = rest;
                self.mac(chunk)
            })
            .collect()
    }

    fn mac(&self, chunk: &[u8]) -> ChunkMac {
        let mut state = self.mac_start();
        for piece in chunk.chunks(16) {
            absorb(&mut state, piece);
            self.cipher.encrypt_block(&mut state);
        }
        ChunkMac(state.0)
    }

    fn mac_start(&self) -> Block {
        let mut start = [0; 16];
        start[..8].copy_from_slice(self.nonce.as_bytes());
        start[8..].copy_from_slice(self.nonce.as_bytes());
        Array(start)
    }

    fn keystream(&self, index: u64) -> Block {
        let mut block = Array([0; 16]);
        block[..8].copy_from_slice(self.nonce.as_bytes());
        block[8..].copy_from_slice(&index.to_be_bytes());
        self.cipher.encrypt_block(&mut block);
        block
    }
}

impl fmt::Debug for ContentCipher {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ContentCipher(..)")
    }
}
