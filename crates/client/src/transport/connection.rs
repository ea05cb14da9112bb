//! One HTTP/1 connection: hyper drives it, until somebody takes it away.

use std::future::poll_fn;

use bytes::Bytes;
use hyper::client::conn::http1::{Builder, SendRequest};
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt};
use tokio::sync::{mpsc, oneshot};

use super::http::HttpError;
use super::hyper_http::from_hyper;
use super::request_body::RequestBody;

/// What a connection goes through.
pub(super) trait Io: AsyncRead + AsyncWrite + Send + Unpin {}

impl<T: AsyncRead + AsyncWrite + Send + Unpin> Io for T {}

/// A connection that hyper drives.
pub(super) struct Connection {
    /// Where requests go.
    pub sender: SendRequest<RequestBody>,
    takers: mpsc::Sender<oneshot::Sender<Taken>>,
}

/// What is left of a connection that hyper drives no more.
pub(super) struct Taken {
    pub io: Box<dyn Io>,
    /// What was read and given to nobody.
    pub unread: Bytes,
}

impl Connection {
    /// Lets hyper drive a connection; returns when it is ready for a request.
    pub(super) async fn begin(io: Box<dyn Io>) -> Result<Self, HttpError> {
        let handshake = Builder::new().handshake(TokioIo::new(io)).await;
        let (mut sender, mut driven) = handshake.map_err(|e| from_hyper(&e))?;
        let (takers, mut wanted) = mpsc::channel::<oneshot::Sender<Taken>>(1);
        tokio::spawn(async move {
            tokio::select! {
                // Whoever waits for an answer sees the connection's errors.
                _ = poll_fn(|context| driven.poll_without_shutdown(context)) => {
                    let _ = driven.into_parts().io.into_inner().shutdown().await;
                }
                Some(taker) = wanted.recv() => {
                    let parts = driven.into_parts();
                    let _ = taker.send(Taken { io: parts.io.into_inner(), unread: parts.read_buf });
                }
            }
        });
        sender.ready().await.map_err(|e| from_hyper(&e))?;
        Ok(Self { sender, takers })
    }

    /// Takes the connection away from hyper, unless it has ended.
    pub(super) async fn take(&self) -> Option<Taken> {
        let (taker, taken) = oneshot::channel();
        self.takers.send(taker).await.ok()?;
        taken.await.ok()
    }
}
