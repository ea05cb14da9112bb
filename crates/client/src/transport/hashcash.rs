//! Answers the service's proof of work off the async threads (`protocol-auth.md` 8).

use std::num::NonZero;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use supermega_crypto::hashcash::Challenge;

/// Solves a challenge header and returns the answer header; dropping the future stops the work.
pub(super) async fn answer(header: &str) -> Option<String> {
    let challenge = Challenge::parse(header)?;
    let cancel = Arc::new(AtomicBool::new(false));
    let _guard = CancelOnDrop(cancel.clone());
    let threads = std::thread::available_parallelism().map_or(1, NonZero::get).min(8);
    let work = move || challenge.solve(threads, &cancel).map(|solution| solution.header());
    tokio::task::spawn_blocking(work).await.ok().flatten()
}

struct CancelOnDrop(Arc<AtomicBool>);

impl Drop for CancelOnDrop {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}
