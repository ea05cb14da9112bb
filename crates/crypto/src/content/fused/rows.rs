//! Chunks side by side, a block of each at a time.

use std::hint::black_box;

use cipher::BlockCipherEncBackend;
use cipher::consts::U16;

use super::keystream::counter_block;
use super::{Lane, first, xor};
use crate::content::Nonce;

/// Handles as many blocks of each lane. While the chains go on, the units that they leave make the masks of the next
/// blocks.
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
    let counters = lanes.each_ref().map(|lane| lane.counter);
    let mut macs = lanes.each_ref().map(|lane| lane.mac);
    let mut pieces = lanes.each_mut().map(|lane| &mut lane.take(rows)[..rows]);
    let mut masks = counters.map(|counter| counter_block(nonce, counter));
    for mask in &mut masks {
        backend.encrypt_block_inplace(mask);
    }
    for row in 0..rows {
        for ((piece, mac), mask) in pieces.iter_mut().zip(&mut macs).zip(&masks) {
            let block = &mut piece[row];
            if !DECRYPT {
                xor(mac, block);
            }
            xor(block, mask);
            if DECRYPT {
                xor(mac, block);
            }
        }
        // The compiler would keep the round keys in the registers that the states need.
        let backend = black_box(backend);
        for (mask, counter) in masks.iter_mut().zip(counters) {
            *mask = counter_block(nonce, counter.wrapping_add(row as u64 + 1));
            backend.encrypt_block_inplace(mask);
        }
        for mac in &mut macs {
            backend.encrypt_block_inplace(mac);
        }
    }
    for (lane, mac) in lanes.iter_mut().zip(macs) {
        lane.mac = mac;
    }
}
