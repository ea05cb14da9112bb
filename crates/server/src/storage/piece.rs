//! Buffers for what is sent, used again: a fresh one would be cleared each time, and come from cold memory.

use std::sync::{Arc, Mutex, PoisonError};

/// How much of a body is read at once: little enough to be sent from the processor's own cache.
pub(super) const PIECE: usize = 256 << 10;
/// Where buffers begin: at a multiple of this. Some processors copy to a place 16 bytes behind the beginning of a page, where
/// an allocator puts large blocks, at a quarter of their speed.
const LINE: usize = 64;
/// Buffers that are kept while nobody needs them.
const SPARE: usize = 64;

/// Hands out buffers.
#[derive(Debug, Default)]
pub(crate) struct Pieces(Mutex<Vec<Vec<u8>>>);

/// A buffer that goes back to where it came from.
pub(super) struct Piece {
    bytes: Vec<u8>,
    start: usize,
    length: usize,
    home: Arc<Pieces>,
}

impl Pieces {
    /// A buffer of so many bytes, [`PIECE`] at most, whatever is in it.
    pub(super) fn take(self: &Arc<Self>, length: usize) -> Piece {
        let spare = self.0.lock().unwrap_or_else(PoisonError::into_inner).pop();
        let bytes = spare.unwrap_or_else(|| vec![0; PIECE + LINE]);
        let start = bytes.as_ptr().align_offset(LINE).min(LINE);
        Piece { bytes, start, length: length.min(PIECE), home: self.clone() }
    }
}

impl AsRef<[u8]> for Piece {
    fn as_ref(&self) -> &[u8] {
        &self.bytes[self.start..][..self.length]
    }
}

impl AsMut<[u8]> for Piece {
    fn as_mut(&mut self) -> &mut [u8] {
        &mut self.bytes[self.start..][..self.length]
    }
}

impl Drop for Piece {
    fn drop(&mut self) {
        let mut spare = self.home.0.lock().unwrap_or_else(PoisonError::into_inner);
        if spare.len() < SPARE {
            spare.push(std::mem::take(&mut self.bytes));
        }
    }
}
