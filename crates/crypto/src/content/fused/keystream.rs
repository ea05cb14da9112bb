//! The counter mode alone.

use std::hint::black_box;

use cipher::consts::U16;
use cipher::{Array, BlockCipherEncBackend, BlockCipherEncClosure, BlockSizeUser};

use super::encrypt;
use crate::content::Nonce;
use crate::ecb::Block;

/// How many blocks of the keystream are made at once: as many as the widest batch has.
pub(super) const PIECE: usize = 64;

/// Room for a piece of the keystream.
pub(super) type Piece = [Block; PIECE];

/// Bytes that are masked without a MAC.
pub(super) struct Stream<'a> {
    pub(super) nonce: Nonce,
    pub(super) counter: u64,
    pub(super) bytes: &'a mut [u8],
}

impl BlockSizeUser for Stream<'_> {
    type BlockSize = U16;
}

impl BlockCipherEncClosure for Stream<'_> {
    #[inline(always)]
    fn call<B: BlockCipherEncBackend<BlockSize = U16>>(self, backend: &B) {
        let (blocks, tail) = Block::slice_as_chunks_mut(self.bytes);
        let mut counter = self.counter;
        let mut stream: Piece = [Array([0; 16]); PIECE];
        // Not to be taken apart into registers: there are not as many.
        let stream = black_box(&mut stream);
        for piece in blocks.chunks_mut(PIECE) {
            mask(backend, self.nonce, counter, piece, stream);
            counter = counter.wrapping_add(piece.len() as u64);
        }
        mask_tail(backend, self.nonce, counter, tail);
    }
}

/// Masks at most [`PIECE`] blocks; `stream` is room for the keystream.
#[inline(always)]
pub(super) fn mask<B>(
    backend: &B,
    nonce: Nonce,
    counter: u64,
    blocks: &mut [Block],
    stream: &mut Piece,
) where
    B: BlockCipherEncBackend<BlockSize = U16>,
{
    let stream = &mut stream[..blocks.len()];
    for (i, block) in (0..).zip(&mut *stream) {
        *block = counter_block(nonce, counter.wrapping_add(i));
    }
    encrypt(backend, stream);
    // In parts of a size that is known, which are done at once where registers are as wide.
    let (masks, last_masks) = Array::slice_as_flattened(stream).as_chunks::<64>();
    let (parts, last) = Array::slice_as_flattened_mut(blocks).as_chunks_mut::<64>();
    for (part, mask) in parts.iter_mut().zip(masks) {
        mask_bytes(part, mask);
    }
    mask_bytes(last, last_masks);
}

/// Masks less than a block.
#[inline(always)]
pub(super) fn mask_tail<B>(backend: &B, nonce: Nonce, counter: u64, bytes: &mut [u8])
where
    B: BlockCipherEncBackend<BlockSize = U16>,
{
    let mut mask = counter_block(nonce, counter);
    backend.encrypt_block_inplace(&mut mask);
    mask_bytes(bytes, &mask);
}

/// What the mask of a block is the encryption of (`protocol-auth.md` 6.2).
#[inline(always)]
pub(super) fn counter_block(nonce: Nonce, counter: u64) -> Block {
    let mut block: Block = Array([0; 16]);
    block.0[..8].copy_from_slice(&nonce.0);
    block.0[8..].copy_from_slice(&counter.to_be_bytes());
    block
}

#[inline(always)]
fn mask_bytes(bytes: &mut [u8], mask: &[u8]) {
    for (byte, mask) in bytes.iter_mut().zip(mask) {
        *byte ^= mask;
    }
}
