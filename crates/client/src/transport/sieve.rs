//! What takes the bulk out of an answer while it arrives, so that it need never be held as a whole.

use bytes::Bytes;

use super::http::BoxFuture;

/// Sees an answer piece by piece and leaves a shorter one.
pub(crate) trait Sieve: Send + Sync {
    /// An answer begins; one that had begun before was cut.
    fn begin(&self) -> BoxFuture<'_, ()>;

    /// Takes a piece. The answer waits meanwhile.
    fn sift(&self, piece: Bytes) -> BoxFuture<'_, ()>;

    /// The answer is whole: gives what is left of it.
    fn end(&self) -> BoxFuture<'_, Vec<u8>>;
}
