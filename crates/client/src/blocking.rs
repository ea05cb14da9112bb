//! Work that may block, off the async threads.

use crate::error::{Error, Result};

/// Runs the work on a thread for such, and gives its result.
pub(crate) async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T> + Send + 'static,
) -> Result<T> {
    match tokio::task::spawn_blocking(work).await {
        Ok(result) => result,
        Err(_) => Err(shutting_down()),
    }
}

/// The error of work that the runtime gave up.
pub(crate) fn shutting_down() -> Error {
    Error::Refused("the runtime is shutting down".into())
}
