//! Counter mode and chunk MACs in one pass.
//!
//! A chunk's MAC is a chain: each block waits for the one before it, and the processor's AES units
//! idle meanwhile. So several chunks advance side by side, and what units are left make the keystream.
//! There are two ways:
//!
//! - [`rows`]: a block of each chunk is masked and absorbed at a time. The better with AES units, up to six chunks.
//! - [`tiles`]: a piece of each chunk is masked in batches as wide as the processor takes them, before or after it is
//!   absorbed. The better in software, and for more chunks where batches are wide (VAES).
//!
//! All of it runs inside the `aes` crate's backend closure: the choice of instruction set is made
//! once for all chunks, and our loops are compiled for it as well.
#![expect(clippy::inline_always, reason = "what is not inlined misses the instruction set")]

mod keystream;
mod rows;
mod tiles;

use std::cmp::Reverse;

use aes::Aes128;
use cipher::consts::U16;
use cipher::typenum::Unsigned;
use cipher::{
    Array, BlockCipherEncBackend, BlockCipherEncClosure, BlockCipherEncrypt, BlockSizeUser,
};

use super::Nonce;
use crate::ecb::Block;

/// How many chunks advance side by side in [`rows`]. Of more, the states find no room in registers, and what lies a
/// power of two apart none in the first-level cache.
const IN_ROWS: usize = 6;
/// How many do in [`tiles`].
const IN_TILES: usize = 8;
/// The width of batches, in blocks, from which [`tiles`] is worth it.
const WIDE: usize = 16;
/// The width up to which batches are narrow: [`advance`] takes as many lanes at once there, and no more.
const NARROW: usize = 4;

/// Which side of the counter mode is the plaintext, that the MAC covers.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Direction {
    Decrypt,
    Encrypt,
}

/// One chunk on its way.
pub(super) struct Lane<'a> {
    /// What is still to be done.
    pub(super) bytes: &'a mut [u8],
    /// The counter of its first block.
    pub(super) counter: u64,
    /// The state of its MAC, in the end the MAC.
    pub(super) mac: Block,
    /// Which of the chunks it is.
    pub(super) index: usize,
}

impl<'a> Lane<'a> {
    /// Takes the next blocks, of which there must be so many.
    #[inline(always)]
    fn take(&mut self, rows: usize) -> &'a mut [Block] {
        let (now, later) = std::mem::take(&mut self.bytes).split_at_mut(16 * rows);
        self.bytes = later;
        self.counter = self.counter.wrapping_add(rows as u64);
        Block::slice_as_chunks_mut(now).0
    }
}

/// Handles chunks; leaves them in another order.
pub(super) fn run(cipher: &Aes128, nonce: Nonce, direction: Direction, lanes: &mut [Lane<'_>]) {
    match direction {
        Direction::Decrypt => cipher.encrypt_with_backend(Pass::<true> { nonce, lanes }),
        Direction::Encrypt => cipher.encrypt_with_backend(Pass::<false> { nonce, lanes }),
    }
}

/// Encrypts or decrypts without a MAC.
pub(super) fn apply(cipher: &Aes128, nonce: Nonce, counter: u64, bytes: &mut [u8]) {
    cipher.encrypt_with_backend(keystream::Stream { nonce, counter, bytes });
}

struct Pass<'a, 'b, const DECRYPT: bool> {
    nonce: Nonce,
    lanes: &'a mut [Lane<'b>],
}

impl<const DECRYPT: bool> BlockSizeUser for Pass<'_, '_, DECRYPT> {
    type BlockSize = U16;
}

impl<const DECRYPT: bool> BlockCipherEncClosure for Pass<'_, '_, DECRYPT> {
    #[inline(always)]
    fn call<B: BlockCipherEncBackend<BlockSize = U16>>(self, backend: &B) {
        let most = const { most::<B>() };
        let mut lanes = self.lanes;
        while !lanes.is_empty() {
            // Groups of about the same size: a small one at the end would leave units idle.
            let size = lanes.len().div_ceil(lanes.len().div_ceil(most));
            let (group, rest) = lanes.split_at_mut(size);
            group.sort_by_key(|lane| Reverse(lane.bytes.len()));
            let mut active = group.len();
            while active > 0 {
                // The last lane is the shortest: all others have at least as much.
                let rows = group[active - 1].bytes.len() / 16;
                if rows > 0 {
                    advance::<_, DECRYPT>(backend, self.nonce, &mut group[..active], rows);
                }
                active -= 1;
                finish::<_, DECRYPT>(backend, self.nonce, &mut group[active]);
            }
            lanes = rest;
        }
    }
}

/// How many chunks advance side by side.
const fn most<B: BlockCipherEncBackend<BlockSize = U16>>() -> usize {
    if wide::<B>() {
        IN_TILES
    } else if narrow::<B>() {
        B::ParBlocksSize::USIZE
    } else {
        IN_ROWS
    }
}

/// Whether batches are narrow. That is software, where a block alone takes as much time as a batch.
const fn narrow<B: BlockCipherEncBackend<BlockSize = U16>>() -> bool {
    B::ParBlocksSize::USIZE <= NARROW
}

/// Whether batches are wide enough for [`tiles`].
const fn wide<B: BlockCipherEncBackend<BlockSize = U16>>() -> bool {
    B::ParBlocksSize::USIZE >= WIDE
}

/// Handles as many blocks of each lane. The number of lanes is known to each of the loops that this leads to, so that
/// they are unrolled and the MACs stay in registers.
#[inline(always)]
fn advance<B, const DECRYPT: bool>(backend: &B, nonce: Nonce, lanes: &mut [Lane<'_>], rows: usize)
where
    B: BlockCipherEncBackend<BlockSize = U16>,
{
    if const { narrow::<B>() } {
        return match lanes.len() {
            4.. => tiles::advance::<_, 4, DECRYPT>(backend, nonce, lanes, rows),
            3 => tiles::advance::<_, 3, DECRYPT>(backend, nonce, lanes, rows),
            2 => tiles::advance::<_, 2, DECRYPT>(backend, nonce, lanes, rows),
            _ => tiles::advance::<_, 1, DECRYPT>(backend, nonce, lanes, rows),
        };
    }
    if const { wide::<B>() } && lanes.len() > IN_ROWS {
        return match lanes.len() {
            8.. => tiles::advance::<_, 8, DECRYPT>(backend, nonce, lanes, rows),
            _ => tiles::advance::<_, 7, DECRYPT>(backend, nonce, lanes, rows),
        };
    }
    match lanes.len() {
        6.. => rows::advance::<_, 6, DECRYPT>(backend, nonce, lanes, rows),
        5 => rows::advance::<_, 5, DECRYPT>(backend, nonce, lanes, rows),
        4 => rows::advance::<_, 4, DECRYPT>(backend, nonce, lanes, rows),
        3 => rows::advance::<_, 3, DECRYPT>(backend, nonce, lanes, rows),
        2 => rows::advance::<_, 2, DECRYPT>(backend, nonce, lanes, rows),
        _ => rows::advance::<_, 1, DECRYPT>(backend, nonce, lanes, rows),
    }
}

/// The first lanes, of which there must be so many.
#[inline(always)]
fn first<'a, 'b, const N: usize>(lanes: &'a mut [Lane<'b>]) -> &'a mut [Lane<'b>; N] {
    lanes.first_chunk_mut().expect("`advance` has looked at how many there are")
}

/// Handles what is left of a chunk when its whole blocks are done: less than a block.
#[inline(always)]
fn finish<B, const DECRYPT: bool>(backend: &B, nonce: Nonce, lane: &mut Lane<'_>)
where
    B: BlockCipherEncBackend<BlockSize = U16>,
{
    let tail = std::mem::take(&mut lane.bytes);
    if tail.is_empty() {
        return;
    }
    let mut plain: Block = Array([0; 16]);
    if !DECRYPT {
        plain[..tail.len()].copy_from_slice(tail);
    }
    keystream::mask_tail(backend, nonce, lane.counter, tail);
    if DECRYPT {
        plain[..tail.len()].copy_from_slice(tail);
    }
    xor(&mut lane.mac, &plain);
    backend.encrypt_block_inplace(&mut lane.mac);
}

/// Encrypts in batches as wide as the processor takes them.
#[inline(always)]
fn encrypt<B: BlockCipherEncBackend<BlockSize = U16>>(backend: &B, blocks: &mut [Block]) {
    let (wide, rest) = Array::<Block, B::ParBlocksSize>::slice_as_chunks_mut(blocks);
    for blocks in wide {
        backend.encrypt_par_blocks_inplace(blocks);
    }
    for block in rest {
        backend.encrypt_block_inplace(block);
    }
}

#[inline(always)]
fn xor(block: &mut Block, mask: &Block) {
    block.0 = (u128::from_ne_bytes(block.0) ^ u128::from_ne_bytes(mask.0)).to_ne_bytes();
}
