//! How long to wait before trying again, and when to stop.

use std::time::{Duration, Instant};

/// Delays that double with a random share, from a tenth of a second, up to a limit of total time.
///
/// The service's own clients begin at 0.1 s and double (`protocol-api.md` 1.11).
pub(crate) struct Backoff {
    next: Duration,
    deadline: Instant,
}

impl Backoff {
    const FIRST: Duration = Duration::from_millis(100);
    const LONGEST: Duration = Duration::from_secs(30);

    /// Allows `patience` in all, counted from now.
    pub(crate) fn new(patience: Duration) -> Self {
        Self { next: Self::FIRST, deadline: Instant::now() + patience }
    }

    /// Waits for the next try, or returns false when the time is up.
    pub(crate) async fn wait(&mut self) -> bool {
        let delay = self.next + self.next.mul_f64(jitter() / 2.0);
        if Instant::now() + delay > self.deadline {
            return false;
        }
        self.next = (self.next * 2).min(Self::LONGEST);
        tokio::time::sleep(delay).await;
        true
    }
}

/// A number from 0 to 1; without random numbers everybody waits the same.
fn jitter() -> f64 {
    supermega_crypto::random::array::<1>().map_or(0.0, |[byte]| f64::from(byte) / 255.0)
}
