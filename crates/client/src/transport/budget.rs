//! What all transfers of a client share: memory for bytes on their way, connections, bandwidth.

use std::num::NonZero;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use bytes::{Buf, BytesMut};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::Instant;

/// Memory is counted in pieces of this many bytes.
const UNIT: usize = 4096;

/// Where buffers begin: at a multiple of this. Some processors copy to a place 16 bytes behind the beginning of a page, where
/// an allocator puts large blocks, at a quarter of their speed.
const LINE: usize = 64;

/// Buffers that are kept.
const SPARE: usize = 16;

/// Pictures that are made small at the same time: each may take a lot of memory.
#[cfg(feature = "thumbnails")]
const PICTURES: usize = 2;

/// Limits of one client.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Limits {
    /// Bytes that may be on their way between the network and a file.
    pub memory: usize,
    /// Storage requests at the same time.
    pub connections: usize,
    /// Bytes a second, both directions together.
    pub rate: Option<NonZero<u64>>,
}

impl Default for Limits {
    fn default() -> Self {
        Self { memory: 96 << 20, connections: 64, rate: None }
    }
}

/// Hands out what there is; whoever comes first is served first.
pub(crate) struct Budget {
    memory: Share,
    connections: Share,
    #[cfg(feature = "thumbnails")]
    pictures: Share,
    rate: Option<NonZero<u64>>,
    /// Buffers that were used and may be used again: freed ones would stay with the allocator, thread by
    /// thread.
    spare: Mutex<Vec<BytesMut>>,
    /// When the bytes that went so far have gone at the agreed rate.
    paid_until: Mutex<Instant>,
}

/// Something of which there is so much.
struct Share {
    left: Arc<Semaphore>,
    all: u32,
}

/// Something taken, which goes back when this is dropped.
pub(crate) type Taken = Option<OwnedSemaphorePermit>;

impl Share {
    fn new(all: usize) -> Self {
        let all = u32::try_from(all).unwrap_or(u32::MAX).clamp(1, 1 << 28);
        Self { left: Arc::new(Semaphore::new(all as usize)), all }
    }

    /// Takes so much, or all there is if that is less: otherwise it would never come.
    async fn take(&self, wanted: usize) -> Taken {
        let wanted = u32::try_from(wanted).unwrap_or(u32::MAX).min(self.all);
        // Nobody closes the semaphore.
        self.left.clone().acquire_many_owned(wanted).await.ok()
    }
}

impl Budget {
    pub(crate) fn new(limits: Limits) -> Self {
        Self {
            memory: Share::new(limits.memory / UNIT),
            connections: Share::new(limits.connections),
            #[cfg(feature = "thumbnails")]
            pictures: Share::new(PICTURES),
            rate: limits.rate,
            spare: Mutex::default(),
            paid_until: Mutex::new(Instant::now()),
        }
    }

    /// Waits for so many bytes of memory.
    pub(crate) async fn memory(&self, bytes: usize) -> Taken {
        self.memory.take(bytes.div_ceil(UNIT)).await
    }

    /// A buffer of so many bytes, whatever is in it. It counts for nothing: take the memory first.
    pub(crate) fn buffer(self: &Arc<Self>, length: usize) -> Buffer {
        let mut buffer = self.take(length);
        buffer.bytes.resize(length, 0);
        buffer
    }

    /// A buffer with nothing in it, and room for so many bytes.
    pub(crate) fn empty(self: &Arc<Self>, room: usize) -> Buffer {
        let mut buffer = self.take(room);
        buffer.bytes.clear();
        buffer
    }

    /// A buffer with this much room.
    fn take(self: &Arc<Self>, room: usize) -> Buffer {
        let spare = self.spare.lock().unwrap_or_else(PoisonError::into_inner).pop();
        let fitting = spare.filter(|bytes| bytes.capacity() >= room);
        Buffer { bytes: fitting.unwrap_or_else(|| aligned(room)), home: self.clone() }
    }

    /// Waits for so many connections.
    pub(crate) async fn connections(&self, number: usize) -> Taken {
        self.connections.take(number).await
    }

    /// Waits until a picture may be made small.
    #[cfg(feature = "thumbnails")]
    pub(crate) async fn picture(&self) -> Taken {
        self.pictures.take(1).await
    }

    /// Returns when so many more bytes may have gone.
    pub(crate) async fn pace(&self, bytes: usize) {
        let Some(rate) = self.rate else { return };
        let nanos = bytes as u128 * 1_000_000_000 / u128::from(rate.get());
        let cost = Duration::from_nanos(u64::try_from(nanos).unwrap_or(u64::MAX));
        let until = {
            let mut paid = self.paid_until.lock().unwrap_or_else(PoisonError::into_inner);
            *paid = (*paid).max(Instant::now()) + cost;
            *paid
        };
        tokio::time::sleep_until(until).await;
    }
}

fn aligned(room: usize) -> BytesMut {
    let mut bytes = BytesMut::with_capacity(room + LINE);
    let before = bytes.as_ptr().align_offset(LINE);
    bytes.resize(before, 0);
    bytes.advance(before);
    bytes
}

/// A buffer that goes back to where it came from.
pub(crate) struct Buffer {
    bytes: BytesMut,
    home: Arc<Budget>,
}

impl Buffer {
    /// The bytes, which may grow.
    pub(crate) fn bytes(&mut self) -> &mut BytesMut {
        &mut self.bytes
    }
}

impl AsRef<[u8]> for Buffer {
    fn as_ref(&self) -> &[u8] {
        &self.bytes
    }
}

impl AsMut<[u8]> for Buffer {
    fn as_mut(&mut self) -> &mut [u8] {
        &mut self.bytes
    }
}

impl Drop for Buffer {
    fn drop(&mut self) {
        let mut spare = self.home.spare.lock().unwrap_or_else(PoisonError::into_inner);
        if spare.len() < SPARE {
            spare.push(std::mem::take(&mut self.bytes));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn bytes_go_no_faster_than_agreed() {
        let budget = Budget::new(Limits { rate: NonZero::new(100_000), ..Limits::default() });
        let begun = Instant::now();
        for _ in 0..10 {
            budget.pace(1000).await;
        }
        assert!(begun.elapsed() >= Duration::from_millis(99), "{:?}", begun.elapsed());
    }

    #[test]
    fn buffers_are_used_again() {
        let budget = Arc::new(Budget::new(Limits::default()));
        let mut first = budget.buffer(5000);
        first.as_mut().fill(7);
        let place = first.as_ref().as_ptr();
        drop(first);
        let second = budget.buffer(100);
        assert_eq!((second.as_ref().as_ptr(), second.as_ref().len()), (place, 100));
        drop(second);
        let mut third = budget.empty(5000);
        third.bytes().extend_from_slice(&[8; 5000]);
        assert_eq!((third.as_ref().as_ptr(), third.as_ref()), (place, [8; 5000].as_slice()));
    }

    #[test]
    fn buffers_begin_at_a_line() {
        let budget = Arc::new(Budget::new(Limits::default()));
        let buffers = [1, 5000, 1 << 20].map(|length| budget.buffer(length));
        assert!(buffers.iter().all(|buffer| buffer.as_ref().as_ptr().addr().is_multiple_of(LINE)));
    }

    #[tokio::test]
    async fn more_than_there_is_means_all_of_it() {
        let budget = Budget::new(Limits { memory: 8192, connections: 2, rate: None });
        let all = budget.connections(5).await;
        assert_eq!(budget.connections.left.available_permits(), 0);
        drop(all);
        assert!(budget.connections(1).await.is_some());
        assert!(budget.memory(1 << 20).await.is_some());
    }
}
