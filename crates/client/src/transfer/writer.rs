//! A remote file to be written as it comes into being: for archives, encoders and whatever else writes.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};

use tokio::io::{AsyncWrite, AsyncWriteExt, DuplexStream};
use tokio::task::JoinHandle;

use super::upload::Upload;
use crate::blocking::shutting_down;
use crate::error::Result;
use crate::tree::Node;

/// Bytes that are taken before the upload has asked for them.
const AHEAD: usize = 1 << 20;

/// Sends what is written to it. See [`Upload::writer`].
#[must_use = "there is no file before `finish`"]
pub struct RemoteWriter {
    pipe: DuplexStream,
    upload: JoinHandle<Result<Node>>,
}

impl std::fmt::Debug for RemoteWriter {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("RemoteWriter").finish_non_exhaustive()
    }
}

impl RemoteWriter {
    pub(super) fn new(upload: Upload, size: u64) -> Self {
        let (pipe, reader) = tokio::io::duplex(AHEAD);
        Self { pipe, upload: tokio::spawn(upload.from_reader(size, reader)) }
    }

    /// Ends the file and gives its node. Fails if more or fewer bytes were written than was said, and with what made
    /// a write fail.
    pub async fn finish(mut self) -> Result<Node> {
        // An upload that has failed reads no more, and says why.
        let _ = self.pipe.shutdown().await;
        (&mut self.upload).await.unwrap_or_else(|_| Err(shutting_down()))
    }
}

/// Nobody makes a file of what was given up.
impl Drop for RemoteWriter {
    fn drop(&mut self) {
        self.upload.abort();
    }
}

impl AsyncWrite for RemoteWriter {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.pipe).poll_write(context, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.pipe).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.pipe).poll_shutdown(context)
    }
}
