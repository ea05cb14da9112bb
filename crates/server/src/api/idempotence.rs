//! Answers the same request the same way, without carrying it out twice (`protocol-api.md` 1.7).

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use sha2::{Digest, Sha256};

/// Clients repeat a request for about ten minutes.
const KEPT: Duration = Duration::from_mins(20);
/// Larger answers are those of commands that change nothing.
const LARGEST: usize = 64 << 10;

type Key = [u8; 32];
type Slot = Arc<tokio::sync::Mutex<Option<String>>>;

/// Answers by session, request id and body.
#[derive(Debug, Default)]
pub(crate) struct Idempotence(Mutex<HashMap<Key, (Instant, Slot)>>);

impl Idempotence {
    /// The place of a request's answer. Whoever holds its lock carries the request out; whoever comes with
    /// the same request waits for it.
    pub(crate) fn slot(&self, session: &str, id: &str, body: &[u8]) -> Slot {
        let mut hash = Sha256::new();
        for part in [session.as_bytes(), id.as_bytes(), body] {
            hash.update((part.len() as u64).to_be_bytes());
            hash.update(part);
        }
        let now = Instant::now();
        let mut slots = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if slots.len() % 1024 == 1023 {
            slots.retain(|_, (since, _)| now.duration_since(*since) < KEPT);
        }
        slots.entry(hash.finalize().into()).or_insert_with(|| (now, Slot::default())).1.clone()
    }

    /// Whether an answer is worth keeping.
    pub(crate) fn keeps(answer: &str) -> bool {
        answer.len() <= LARGEST
    }
}
