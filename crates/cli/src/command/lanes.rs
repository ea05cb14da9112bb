//! How many files at once: few large ones, and many small ones, whose time goes by waiting for answers.

use tokio::sync::{Semaphore, SemaphorePermit};

/// What a large file takes of all lanes.
const LARGE: u16 = 16;

/// So many lanes, of which a file takes some.
#[derive(Debug)]
pub struct Lanes {
    free: Semaphore,
    count: usize,
}

impl Lanes {
    /// Room for so many large files.
    pub fn new(files: u16) -> Self {
        let count = usize::from(files) * usize::from(LARGE);
        Self { free: Semaphore::new(count), count }
    }

    /// The greatest number of files at once.
    pub fn count(&self) -> usize {
        self.count
    }

    /// Waits until there is room for a file of this size.
    pub async fn enter(&self, size: u64) -> Option<SemaphorePermit<'_>> {
        let lanes = match size {
            0..=0x2_0000 => 1,
            0x2_0001..=0x10_0000 => 4,
            _ => LARGE,
        };
        // Nobody closes the semaphore.
        self.free.acquire_many(lanes.into()).await.ok()
    }
}
