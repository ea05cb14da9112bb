//! The body of a request, which tells when the server last took some of it.
//!
//! A piece of a file may take minutes on a slow line: what matters is that it moves.

use std::convert::Infallible;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use hyper::body::{Body, Frame, SizeHint};
use tokio::time::Instant;

/// Bytes that are handed to the connection at once.
const PIECE: usize = 128 << 10;

/// A body in pieces.
pub(super) struct RequestBody {
    rest: Bytes,
    last: Progress,
}

/// When a body last moved.
#[derive(Clone)]
pub(super) struct Progress(Arc<Mutex<Instant>>);

impl RequestBody {
    pub(super) fn new(bytes: Bytes) -> (Self, Progress) {
        let last = Progress(Arc::new(Mutex::new(Instant::now())));
        (Self { rest: bytes, last: last.clone() }, last)
    }
}

impl Progress {
    fn last(&self) -> Instant {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Returns when nothing has moved for so long.
    pub(super) async fn stalled(&self, limit: Duration) {
        loop {
            let until = self.last() + limit;
            tokio::time::sleep_until(until).await;
            if self.last() + limit <= until {
                return;
            }
        }
    }
}

impl Body for RequestBody {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        *self.last.0.lock().unwrap_or_else(PoisonError::into_inner) = Instant::now();
        let length = self.rest.len().min(PIECE);
        let piece = self.rest.split_to(length);
        Poll::Ready((!piece.is_empty()).then(|| Ok(Frame::data(piece))))
    }

    fn is_end_stream(&self) -> bool {
        self.rest.is_empty()
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.rest.len() as u64)
    }
}

#[cfg(test)]
mod tests {
    use http_body_util::BodyExt;

    use super::*;

    #[tokio::test]
    async fn a_body_that_moves_has_not_stalled() {
        let (mut body, progress) = RequestBody::new(Bytes::from(vec![7; 3 * PIECE]));
        let limit = Duration::from_millis(100);
        let begun = Instant::now();
        let slowly = async {
            let mut length = 0;
            while let Some(frame) = body.frame().await {
                length += frame.unwrap().into_data().unwrap().len();
                tokio::time::sleep(Duration::from_millis(60)).await;
            }
            assert_eq!(length, 3 * PIECE);
            std::future::pending::<()>().await;
        };
        tokio::select! {
            () = slowly => {}
            () = progress.stalled(limit) => {}
        }
        assert!(begun.elapsed() >= Duration::from_millis(3 * 60), "{:?}", begun.elapsed());
    }
}
