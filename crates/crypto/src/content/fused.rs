//! Counter mode and chunk MACs in one pass.
//!
//! A chunk's MAC is a chain: each block waits for the one before it, and the processor's AES units
//! idle meanwhile. So up to sixteen chunks advance side by side, and while a piece of each is
//! in the first-level cache, it is decrypted (or encrypted) and absorbed into the MAC.
//!
//! All of it runs inside the `aes` crate's backend closure: the choice of instruction set is made
//! once for a group of chunks, and our loops are compiled for it as well.
#![expect(clippy::inline_always, reason = "what is not inlined misses the instruction set")]

use std::cmp::Reverse;

use aes::Aes128;
use cipher::consts::U16;
use cipher::{
    Array, BlockCipherEncBackend, BlockCipherEncClosure, BlockCipherEncrypt, BlockSizeUser,
};

use super::Nonce;
use crate::ecb::Block;

/// How many chunks advance side by side.
pub(super) const LANES: usize = 16;
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

impl Lane<'_> {
    fn blocks(&self) -> usize {
        self.bytes.len().div_ceil(16)
    }
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
        let mut tile = [[Array([0; 16]); LANES]; TILE];
        let mut stream = [Array([0; 16]); TILE];
        let mut macs = [Array([0; 16]); LANES];
        for (mac, lane) in macs.iter_mut().zip(&*self.lanes) {
            *mac = lane.mac;
        }
        let mut active = self.lanes.len().min(LANES);
        while active > 0 {
            // The last lane is the shortest: all others have at least as much.
            let rows = self.lanes[active - 1].blocks().min(TILE);
            if rows == 0 {
                active -= 1;
                continue;
            }
            for (column, lane) in self.lanes[..active].iter_mut().enumerate() {
                keystream(backend, self.nonce, lane.counter, &mut stream[..rows]);
                let bytes = std::mem::take(&mut lane.bytes);
                let (now, later) = bytes.split_at_mut((16 * rows).min(bytes.len()));
                lane.bytes = later;
                lane.counter = lane.counter.wrapping_add(rows as u64);
                absorb_column::<DECRYPT>(now, &stream, &mut tile, column);
            }
            // All the same; but where the number of chunks is known, the loops are unrolled.
            let rows = &tile[..rows];
            match active {
                LANES => chain(backend, &mut macs, rows),
                1 => chain(backend, &mut macs[..1], rows),
                _ => chain(backend, &mut macs[..active], rows),
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
        let mut stream = [Array([0; 16]); TILE];
        let mut counter = self.counter;
        for piece in self.bytes.chunks_mut(16 * TILE) {
            let blocks = piece.len().div_ceil(16);
            keystream(backend, self.nonce, counter, &mut stream[..blocks]);
            counter = counter.wrapping_add(blocks as u64);
            let (whole, tail) = Block::slice_as_chunks_mut(piece);
            for (block, mask) in whole.iter_mut().zip(&stream) {
                xor(block, mask);
            }
            for (byte, mask) in tail.iter_mut().zip(stream[blocks - 1]) {
                *byte ^= mask;
            }
        }
    }
}

/// Runs the counter mode over a piece of one chunk and puts its plaintext into a column.
#[inline(always)]
fn absorb_column<const DECRYPT: bool>(
    bytes: &mut [u8],
    stream: &[Block; TILE],
    tile: &mut [[Block; LANES]; TILE],
    column: usize,
) {
    let (whole, tail) = Block::slice_as_chunks_mut(bytes);
    for ((block, mask), row) in whole.iter_mut().zip(stream).zip(&mut *tile) {
        let before = *block;
        xor(block, mask);
        row[column] = if DECRYPT { *block } else { before };
    }
    if !tail.is_empty() {
        let mut plain = Array([0; 16]);
        let places = plain.iter_mut().zip(tail);
        for ((place, byte), mask) in places.zip(stream[whole.len()]) {
            let before = *byte;
            *byte ^= mask;
            *place = if DECRYPT { *byte } else { before };
        }
        tile[whole.len()][column] = plain;
    }
}

/// Absorbs the rows of a tile into the MACs, one after the other.
#[inline(always)]
fn chain<B>(backend: &B, macs: &mut [Block], rows: &[[Block; LANES]])
where
    B: BlockCipherEncBackend<BlockSize = U16>,
{
    for row in rows {
        for (mac, block) in macs.iter_mut().zip(row) {
            xor(mac, block);
        }
        encrypt(backend, macs);
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
