//! Sends ciphertext to one upload address (`protocol-api.md` 4.2, 4.3).

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use bytes::Bytes;
use supermega_crypto::ContentCipher;
use supermega_encoding::UploadToken;
use supermega_protocol::transfer::RequestUpload;
use supermega_protocol::{ErrorCode, StorageUrl};

use super::progress::{Progress, TransferEvent};
use super::quota::QuotaGate;
use crate::error::{Error, NetworkErrorKind, Result};
use crate::session::Session;
use crate::transport::storage::{self, StorageError};
use crate::transport::{Backoff, ChannelOptions};

/// Why content was not sent.
#[derive(Debug)]
pub(super) enum Failure {
    /// A new address may help.
    AddressDied(Error),
    Final(Error),
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self::Final(error)
    }
}

impl Failure {
    /// The server has all bytes and says nothing of it.
    pub(super) fn no_token(url: &StorageUrl) -> Self {
        let missing = StorageError::Passing(NetworkErrorKind::Other("no upload token".into()));
        Self::AddressDied(missing.give_up(url))
    }
}

/// Sends segments of one file.
pub(super) struct Sender {
    pub url: StorageUrl,
    pub cipher: ContentCipher,
    pub session: Session,
    pub progress: Arc<dyn Progress>,
    pub quota: Arc<QuotaGate>,
    /// Bytes that have arrived since the last start.
    pub sent: Arc<AtomicU64>,
}

/// Asks for an address for a file of `size` bytes.
pub(super) async fn request_url(
    session: &Session,
    size: u64,
    quota: &QuotaGate,
) -> Result<StorageUrl> {
    let request = RequestUpload {
        s: size,
        ssl: Some(session.channel().options().ssl()),
        v: Some(3),
        t: None,
        ms: None,
        r: None,
        e: None,
    };
    loop {
        match session.channel().call(&request).await {
            Ok(reply) => return Ok(reply.p),
            Err(error) => quota.pass(error).await?,
        }
    }
}

impl Sender {
    pub(super) fn options(&self) -> &ChannelOptions {
        self.session.channel().options()
    }

    /// Sends the ciphertext of one segment; gives the token if the file is complete with it.
    pub(super) async fn post(
        &self,
        offset: u64,
        body: Bytes,
    ) -> Result<Option<UploadToken>, Failure> {
        let options = self.options();
        let mut backoff = Backoff::new(options.busy_patience);
        loop {
            let posted = {
                let _connection = options.budget.connections(1).await;
                storage::post(options, &self.url, offset, body.clone()).await
            };
            let error = match posted {
                Ok(token) => {
                    let bytes = body.len() as u64;
                    self.sent.fetch_add(bytes, Ordering::Relaxed);
                    self.progress.event(TransferEvent::Advanced { bytes });
                    return Ok(token);
                }
                Err(error) => error,
            };
            tracing::debug!(?error, offset, "a piece was not taken");
            match error {
                StorageError::Expired
                | StorageError::Refused(
                    ErrorCode::RateLimit | ErrorCode::Range | ErrorCode::Expired,
                ) => return Err(Failure::AddressDied(error.give_up(&self.url))),
                StorageError::Quota(_) | StorageError::Refused(ErrorCode::OverQuota) => {
                    self.quota.pass(error.give_up(&self.url)).await?;
                    backoff = Backoff::new(options.busy_patience);
                }
                StorageError::Passing(_)
                | StorageError::Refused(
                    ErrorCode::Again
                    | ErrorCode::Key
                    | ErrorCode::Unavailable
                    | ErrorCode::TooManyConnections,
                ) if backoff.wait().await => {}
                error => return Err(error.give_up(&self.url).into()),
            }
        }
    }
}
