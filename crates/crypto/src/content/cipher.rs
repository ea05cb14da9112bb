//! Encryption of content, and the MACs that are taken in the same pass
//! (`protocol-auth.md` 6.2, 6.4).

use std::fmt;

use aes::Aes128;
use cipher::Array;

use super::chunk::lengths;
use super::fused::{self, Direction, Lane};
use super::{ChunkMac, ContentKey, Nonce};
use crate::ecb::{self, Block};

/// Encrypts and decrypts one file's content, and takes the MACs of its chunks.
///
/// Give it many chunks at once: six or eight are handled side by side, which is several times
/// as fast as one after the other.
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
        let counter = offset / 16;
        let skip = (offset % 16) as usize;
        if skip == 0 {
            return fused::apply(&self.cipher, self.nonce, counter, bytes);
        }
        let (head, rest) = bytes.split_at_mut((16 - skip).min(bytes.len()));
        let mut block = [0; 16];
        fused::apply(&self.cipher, self.nonce, counter, &mut block);
        for (byte, mask) in head.iter_mut().zip(&block[skip..]) {
            *byte ^= mask;
        }
        fused::apply(&self.cipher, self.nonce, counter.wrapping_add(1), rest);
    }

    /// Decrypts in place whole chunks, of which the first begins at `offset`, and returns the MAC
    /// of each. The last may be shorter, where the file ends.
    ///
    /// Should `offset` not be the start of a chunk, what comes before the next start counts as a
    /// chunk of its own.
    #[must_use]
    pub fn decrypt_chunks(&self, offset: u64, bytes: &mut [u8]) -> Vec<ChunkMac> {
        self.pass(Direction::Decrypt, offset, bytes)
    }

    /// Takes the MAC of each chunk and encrypts in place; see
    /// [`decrypt_chunks`](Self::decrypt_chunks).
    #[must_use]
    pub fn encrypt_chunks(&self, offset: u64, bytes: &mut [u8]) -> Vec<ChunkMac> {
        self.pass(Direction::Encrypt, offset, bytes)
    }

    fn pass(&self, direction: Direction, offset: u64, mut bytes: &mut [u8]) -> Vec<ChunkMac> {
        let mut lanes = Vec::new();
        let mut start = offset;
        for (index, len) in lengths(offset, bytes.len()).enumerate() {
            let (chunk, rest) = bytes.split_at_mut(len);
            lanes.push(Lane { bytes: chunk, counter: start / 16, mac: self.mac_start(), index });
            start = start.saturating_add(len as u64);
            bytes = rest;
        }
        let mut macs = vec![ChunkMac::from_bytes([0; 16]); lanes.len()];
        fused::run(&self.cipher, self.nonce, direction, &mut lanes);
        for lane in lanes {
            macs[lane.index] = ChunkMac(lane.mac.0);
        }
        macs
    }

    fn mac_start(&self) -> Block {
        let mut start = [0; 16];
        start[..8].copy_from_slice(self.nonce.as_bytes());
        start[8..].copy_from_slice(self.nonce.as_bytes());
        Array(start)
    }
}

impl fmt::Debug for ContentCipher {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ContentCipher(..)")
    }
}

#[cfg(test)]
mod tests {
    use cipher::BlockCipherEncrypt;
    use proptest::prelude::*;

    use super::*;
    use crate::Chunk;

    const KEY: ContentKey = ContentKey::from_bytes([7; 16]);
    const NONCE: Nonce = Nonce::from_bytes([1, 2, 3, 4, 5, 6, 7, 8]);

    /// Bytes without a pattern, so that blocks cannot be mistaken for one another.
    fn content(len: usize) -> Vec<u8> {
        let mut state = 1u64;
        let mut next = || {
            state = state.wrapping_mul(0x5851_F42D_4C95_7F2D).wrapping_add(0x1405_7B7E_F767_814F);
            state.to_le_bytes()[7]
        };
        (0..len).map(|_| next()).collect()
    }

    /// Counter mode, a byte at a time.
    fn serial_apply(offset: u64, bytes: &mut [u8]) {
        let cipher = ecb::cipher(KEY.as_bytes());
        for (at, byte) in (offset..).zip(bytes) {
            let mut block = [0; 16];
            block[..8].copy_from_slice(NONCE.as_bytes());
            block[8..].copy_from_slice(&(at / 16).to_be_bytes());
            let mut block = Array(block);
            cipher.encrypt_block(&mut block);
            *byte ^= block[(at % 16) as usize];
        }
    }

    /// The MACs of chunks, a block at a time.
    fn serial_macs(offset: u64, mut bytes: &[u8]) -> Vec<ChunkMac> {
        let cipher = ecb::cipher(KEY.as_bytes());
        let mut macs = Vec::new();
        for len in lengths(offset, bytes.len()) {
            let (chunk, rest) = bytes.split_at(len);
            bytes = rest;
            let mut state = ContentCipher::new(&KEY, NONCE).mac_start();
            for piece in chunk.chunks(16) {
                for (out, byte) in state.iter_mut().zip(piece) {
                    *out ^= byte;
                }
                cipher.encrypt_block(&mut state);
            }
            macs.push(ChunkMac(state.0));
        }
        macs
    }

    fn check(offset: u64, len: usize) {
        let cipher = ContentCipher::new(&KEY, NONCE);
        let plain = content(len);
        let macs = serial_macs(offset, &plain);
        let mut bytes = plain.clone();
        assert_eq!(cipher.encrypt_chunks(offset, &mut bytes), macs);
        let mut applied = plain.clone();
        cipher.apply(offset, &mut applied);
        assert!(applied == bytes, "encryption differs from plain counter mode");
        assert_eq!(cipher.decrypt_chunks(offset, &mut bytes), macs);
        assert!(bytes == plain, "decryption does not restore the content");
    }

    #[test]
    fn more_chunks_than_lanes() {
        check(0, 24 * (1 << 20) + 5);
        let grown = Chunk::at(8, u64::MAX).unwrap().offset;
        for len in [33 << 20, 16 << 20, (16 << 20) - 700_001, (7 << 20) - 3] {
            check(grown, len);
        }
    }

    #[test]
    fn the_counter_may_be_at_its_end() {
        let cipher = ContentCipher::new(&KEY, NONCE);
        for offset in [u64::MAX, u64::MAX - 15, u64::MAX - 40] {
            let mut bytes = [3; 100];
            cipher.apply(offset, &mut bytes);
            let _ = cipher.decrypt_chunks(offset, &mut bytes);
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(48))]

        #[test]
        fn chunks_are_as_one_after_the_other(index in 0..12u64, len in 0..3_000_000usize) {
            check(Chunk::at(index, u64::MAX).unwrap().offset, len);
        }

        #[test]
        fn lengths_around_the_edges_of_blocks_and_tiles(
            chunk in 0..3usize, blocks in 0..140usize, extra in 0..17usize,
        ) {
            check(0, [0, 131_072, 393_216][chunk] + 16 * blocks + extra);
        }

        #[test]
        fn any_part_is_read_alone(offset in 0..5000u64, len in 0..5000usize) {
            let mut expected = content(len);
            serial_apply(offset, &mut expected);
            let mut bytes = content(len);
            ContentCipher::new(&KEY, NONCE).apply(offset, &mut bytes);
            prop_assert_eq!(bytes, expected);
        }
    }
}
