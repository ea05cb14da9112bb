//! Counter mode and chunk MACs in one pass.
//!
//! A chunk's MAC is a chain: each block waits for the one before it, and the processor's AES units
//! idle meanwhile. So up to eight chunks advance side by side, and while a piece of each is
//! in the first-level cache, it is decrypted (or encrypted) and absorbed into the MAC.
//!
//! All of it runs inside the `aes` crate's backend closure: the choice of instruction set is made
//! once for a group of chunks, and our loops are compiled for it as well.
#![expect(clippy::inline_always, reason = "what is not inlined misses the instruction set")]

use std::cmp::Reverse;
use std::hint::black_box;

use aes::Aes128;
use cipher::consts::U16;
use cipher::{
    Array, BlockCipherEncBackend, BlockCipherEncClosure, BlockCipherEncrypt, BlockSizeUser,
};

use super::Nonce;
use crate::ecb::Block;

/// How many chunks advance side by side: enough to keep the AES units busy. Pieces of chunks lie a power of two apart,
/// and of more than these the first-level cache keeps no two in the same place.
pub(super) const LANES: usize = 8;
/// How many blocks of each chunk are handled before the next chunk's turn: few enough that
/// those of all chunks stay in the cache, enough to keep the AES units busy.
const TILE: usize = 64;

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

/// Handles at most [`LANES`] chunks; leaves them in another order.
pub(super) fn run(cipher: &Aes128, nonce: Nonce, direction: Direction, lanes: &mut [Lane<'_>]) {
    lanes.sort_by_key(|lane| Reverse(lane.bytes.len()));
    match direction {
        Direction::Decrypt => cipher.encrypt_with_backend(Pass::<true> { nonce, lanes }),
        Direction::Encrypt => cipher.encrypt_with_backend(Pass::<false> { nonce, lanes }),
    }
}

/// Encrypts or decrypts without a MAC.
pub(super) fn apply(cipher: &Aes128, nonce: Nonce, counter: u64, bytes: &mut [u8]) {
    cipher.encrypt_with_backend(Stream { nonce, counter, bytes });
}

struct Pass<'a, 'b, const DECRYPT: bool> {
    nonce: Nonce,
    lanes: &'a mut [Lane<'b>],
}

struct Stream<'a> {
    nonce: Nonce,
    counter: u64,
    bytes: &'a mut [u8],
}

impl<const DECRYPT: bool> BlockSizeUser for Pass<'_, '_, DECRYPT> {
    type BlockSize = U16;
}

impl BlockSizeUser for Stream<'_> {
    type BlockSize = U16;
}

impl<const DECRYPT: bool> BlockCipherEncClosure for Pass<'_, '_, DECRYPT> {
    #[inline(always)]
    fn call<B: BlockCipherEncBackend<BlockSize = U16>>(self, backend: &B) {
        let nonce = self.nonce;
        let mut macs = [Array([0; 16]); LANES];
        for (mac, lane) in macs.iter_mut().zip(&*self.lanes) {
            *mac = lane.mac;
        }
        let mut active = self.lanes.len().min(LANES);
        while active > 0 {
            // The last lane is the shortest: all others have at least as much.
            let rows = (self.lanes[active - 1].bytes.len() / 16).min(TILE);
            if rows == 0 {
                active -= 1;
                let lane = &mut self.lanes[active];
                finish::<_, DECRYPT>(backend, nonce, lane, &mut macs[active]);
                continue;
            }
            let mut tile: [&mut [Block]; LANES] = Default::default();
            for (piece, lane) in tile.iter_mut().zip(&mut self.lanes[..active]) {
                let (now, later) = std::mem::take(&mut lane.bytes).split_at_mut(16 * rows);
                *piece = Block::slice_as_chunks_mut(now).0;
                lane.bytes = later;
            }
            if !DECRYPT {
                absorb::<_, false>(backend, &mut macs[..active], &tile, self.lanes, rows);
            }
            for (piece, lane) in tile.iter_mut().zip(&mut self.lanes[..active]) {
                mask(backend, nonce, lane.counter, piece);
                lane.counter = lane.counter.wrapping_add(rows as u64);
            }
            if DECRYPT {
                absorb::<_, true>(backend, &mut macs[..active], &tile, self.lanes, rows);
            }
        }
        for (mac, lane) in macs.iter().zip(self.lanes) {
            lane.mac = *mac;
        }
    }
}

impl BlockCipherEncClosure for Stream<'_> {
    #[inline(always)]
    fn call<B: BlockCipherEncBackend<BlockSize = U16>>(self, backend: &B) {
        let (blocks, tail) = Block::slice_as_chunks_mut(self.bytes);
        let mut counter = self.counter;
        for piece in blocks.chunks_mut(TILE) {
            mask(backend, self.nonce, counter, piece);
            counter = counter.wrapping_add(piece.len() as u64);
        }
        mask_tail(backend, self.nonce, counter, tail);
    }
}

/// Handles what is left of a chunk when its whole blocks are done: less than a block.
#[inline(always)]
fn finish<B, const DECRYPT: bool>(backend: &B, nonce: Nonce, lane: &mut Lane<'_>, mac: &mut Block)
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
    mask_tail(backend, nonce, lane.counter, tail);
    if DECRYPT {
        plain[..tail.len()].copy_from_slice(tail);
    }
    xor(mac, &plain);
    backend.encrypt_block_inplace(mac);
}

/// Absorbs as many blocks of each piece into its MAC, in step. What the lanes have next may be touched meanwhile: the
/// counter mode would wait for it, where these chains would not.
#[inline(always)]
fn absorb<B, const TOUCH: bool>(
    backend: &B,
    macs: &mut [Block],
    pieces: &[&mut [Block]; LANES],
    lanes: &[Lane<'_>],
    rows: usize,
) where
    B: BlockCipherEncBackend<BlockSize = U16>,
{
    // All the same; but where the number of chunks is known, the loops are unrolled.
    match macs.len() {
        LANES => chain::<_, TOUCH>(backend, &mut macs[..LANES], pieces, lanes, rows),
        4 => chain::<_, TOUCH>(backend, &mut macs[..4], pieces, lanes, rows),
        1 => chain::<_, TOUCH>(backend, &mut macs[..1], pieces, lanes, rows),
        _ => chain::<_, TOUCH>(backend, macs, pieces, lanes, rows),
    }
}

#[inline(always)]
fn chain<B, const TOUCH: bool>(
    backend: &B,
    macs: &mut [Block],
    pieces: &[&mut [Block]; LANES],
    lanes: &[Lane<'_>],
    rows: usize,
) where
    B: BlockCipherEncBackend<BlockSize = U16>,
{
    for row in 0..rows {
        for (mac, piece) in macs.iter_mut().zip(pieces) {
            xor(mac, &piece[row]);
        }
        encrypt(backend, macs);
        if TOUCH && row % 4 == 0 {
            // One byte of each line of the cache.
            for lane in &lanes[..macs.len()] {
                black_box(lane.bytes.get(16 * row).copied());
            }
        }
    }
}

/// Runs the counter mode over at most [`TILE`] blocks.
#[inline(always)]
fn mask<B>(backend: &B, nonce: Nonce, counter: u64, blocks: &mut [Block])
where
    B: BlockCipherEncBackend<BlockSize = U16>,
{
    let mut stream = [Array([0; 16]); TILE];
    let stream = &mut stream[..blocks.len()];
    keystream(backend, nonce, counter, stream);
    for (block, mask) in blocks.iter_mut().zip(&*stream) {
        xor(block, mask);
    }
}

/// The same for less than a block.
#[inline(always)]
fn mask_tail<B>(backend: &B, nonce: Nonce, counter: u64, bytes: &mut [u8])
where
    B: BlockCipherEncBackend<BlockSize = U16>,
{
    let mut stream = [Array([0; 16])];
    keystream(backend, nonce, counter, &mut stream);
    for (byte, mask) in bytes.iter_mut().zip(stream[0]) {
        *byte ^= mask;
    }
}

/// Fills `blocks` with the keystream from `counter` on.
#[inline(always)]
fn keystream<B>(backend: &B, nonce: Nonce, counter: u64, blocks: &mut [Block])
where
    B: BlockCipherEncBackend<BlockSize = U16>,
{
    let nonce = u128::from(u64::from_be_bytes(nonce.0)) << 64;
    for (i, block) in (0..).zip(&mut *blocks) {
        block.0 = (nonce | u128::from(counter.wrapping_add(i))).to_be_bytes();
    }
    encrypt(backend, blocks);
}

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
