//! Chunks side by side, of which a piece is masked in wide batches and then absorbed, in turns.
//!
//! Chains leave the memory idle, and masking would wait for it: to decrypt, what is masked next is fetched into the
//! cache while a piece is absorbed. To encrypt, absorbing comes first and does that by itself.

use std::hint::black_box;

use cipher::consts::U16;
use cipher::{Array, BlockCipherEncBackend};

use super::keystream::{PIECE, Piece, mask};
use super::{Lane, encrypt, first, narrow, xor};
use crate::content::Nonce;
use crate::ecb::Block;

/// Blocks in a line of the cache.
const ROWS_PER_LINE: usize = 4;

/// Handles as many blocks of each lane, a piece of each at a time: those of all lanes stay in the first-level cache.
#[inline(always)]
pub(super) fn advance<B, const N: usize, const DECRYPT: bool>(
    backend: &B,
    nonce: Nonce,
    lanes: &mut [Lane<'_>],
    rows: usize,
) where
    B: BlockCipherEncBackend<BlockSize = U16>,
{
    let lanes = first::<N>(lanes);
    let mut macs = lanes.each_ref().map(|lane| lane.mac);
    let mut stream: Piece = [Array([0; 16]); PIECE];
    // Not to be taken apart into registers: there are not as many.
    let stream = black_box(&mut stream);
    let mut left = rows;
    while left > 0 {
        let rows = left.min(PIECE);
        left -= rows;
        let counters = lanes.each_ref().map(|lane| lane.counter);
        let mut tile = lanes.each_mut().map(|lane| lane.take(rows));
        if !DECRYPT {
            absorb(backend, &mut macs, &tile, rows, [&[]; N]);
        }
        for (piece, counter) in tile.iter_mut().zip(counters) {
            mask(backend, nonce, counter, piece, stream);
        }
        if DECRYPT {
            let next = lanes.each_ref().map(|lane| &*lane.bytes);
            absorb(backend, &mut macs, &tile, rows, next);
        }
    }
    for (lane, mac) in lanes.iter_mut().zip(macs) {
        lane.mac = mac;
    }
}

/// Absorbs a piece of each lane into its MAC, in step, and touches as much of what comes `next`.
#[inline(always)]
fn absorb<B, const N: usize>(
    backend: &B,
    macs: &mut [Block],
    tile: &[&mut [Block]; N],
    rows: usize,
    next: [&[u8]; N],
) where
    B: BlockCipherEncBackend<BlockSize = U16>,
{
    // What is outside the loop need not stay in registers.
    let macs = black_box(macs);
    let mut states: [Block; N] = std::array::from_fn(|i| macs[i]);
    let tile: [&[Block]; N] = std::array::from_fn(|i| &tile[i][..rows]);
    for row in 0..rows {
        if row % ROWS_PER_LINE == 0 {
            for next in next {
                black_box(next.get(16 * row).copied());
            }
        }
        for (state, piece) in states.iter_mut().zip(tile) {
            xor(state, &piece[row]);
        }
        // The compiler would keep the round keys in the registers that the states need.
        let backend = black_box(backend);
        if const { narrow::<B>() } {
            encrypt(backend, &mut states);
        } else {
            for state in &mut states {
                backend.encrypt_block_inplace(state);
            }
        }
    }
    macs.copy_from_slice(&states);
}
