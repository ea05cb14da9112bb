//! The storage channel: file bytes by range, uploads by offset (`protocol-api.md` 3.3, 4.2, 4.3).

use std::time::Duration;

use bytes::{Bytes, BytesMut};
use supermega_encoding::{UploadToken, base64};
use supermega_protocol::{ErrorCode, StorageUrl};

use super::channel::{ChannelOptions, host_of};
use super::http::{HttpError, HttpRequest, HttpResponse};
use crate::error::{Error, NetworkError, NetworkErrorKind, QuotaKind};

/// Storage servers answer an upload with a few bytes.
const POST_REPLY_BYTES: usize = 64 << 10;

/// Why a storage request gave nothing, by what to do about it.
#[derive(Debug)]
pub(crate) enum StorageError {
    /// Ask for a new address.
    Expired,
    /// Try the same again.
    Passing(NetworkErrorKind),
    /// Wait for quota.
    Quota(Option<Duration>),
    /// The storage server refused.
    Refused(ErrorCode),
}

impl StorageError {
    /// The error for the caller once nothing helps any more.
    pub(crate) fn give_up(self, url: &StorageUrl) -> Error {
        let kind = match self {
            Self::Quota(wait) => return Error::Quota { kind: QuotaKind::Transfer, wait },
            Self::Refused(ErrorCode::OverQuota) => {
                return Error::Quota { kind: QuotaKind::Storage, wait: None };
            }
            Self::Expired => NetworkErrorKind::Other("the address of the transfer expired".into()),
            Self::Passing(kind) => kind,
            Self::Refused(code) => NetworkErrorKind::Other(format!("storage server: {code}")),
        };
        NetworkError { host: host_of(url.as_str()), kind }.into()
    }
}

/// Fetches bytes `start..end` and appends them to `into`, which keeps what came before an error.
///
/// A body of another length than asked for counts as cut.
pub(crate) async fn fetch(
    options: &ChannelOptions,
    url: &StorageUrl,
    start: u64,
    end: u64,
    into: &mut BytesMut,
) -> Result<(), StorageError> {
    let address = format!("{}/{start}-{}", url.as_str(), end - 1);
    let mut response = send(options, &address, None).await?;
    let wanted = usize::try_from(end - start).unwrap_or(usize::MAX);
    let before = into.len();
    loop {
        let room = wanted + before - into.len();
        match response.body.append(into, room).await.map_err(passing)? {
            0 => break,
            more => options.budget.pace(more).await,
        }
    }
    if into.len() - before == wanted {
        return Ok(());
    }
    match number(&into[before..]) {
        // What says why there is no content is none.
        Some(code) => {
            into.truncate(before);
            Err(refusal(code))
        }
        None => Err(StorageError::Passing(NetworkErrorKind::Cut)),
    }
}

/// The error that a body names which is nothing but a number.
fn number(body: &[u8]) -> Option<ErrorCode> {
    let text = std::str::from_utf8(body.get(..body.len().min(8))?).ok()?;
    let code = ErrorCode::from_number(text.trim().parse().ok()?);
    (code.number() < 0 && body.len() <= 8).then_some(code)
}

/// What a download makes of a number.
fn refusal(code: ErrorCode) -> StorageError {
    match code {
        ErrorCode::Expired => StorageError::Expired,
        ErrorCode::OverQuota | ErrorCode::GoingOverQuota => StorageError::Quota(None),
        ErrorCode::Again
        | ErrorCode::RateLimit
        | ErrorCode::Unavailable
        | ErrorCode::TooManyConnections => StorageError::Passing(NetworkErrorKind::Busy),
        code => StorageError::Refused(code),
    }
}

/// Sends ciphertext for `offset` with its checksum; gives the token if the file is complete with it.
pub(crate) async fn post(
    options: &ChannelOptions,
    url: &StorageUrl,
    offset: u64,
    body: Bytes,
) -> Result<Option<UploadToken>, StorageError> {
    let checksum = base64::encode(&supermega_crypto::upload_checksum(&body));
    let address = format!("{}/{offset}?d={checksum}", url.as_str());
    options.budget.pace(body.len()).await;
    let response = send(options, &address, Some(body)).await?;
    let reply = response.bytes(POST_REPLY_BYTES).await.map_err(passing)?;
    match number(&reply) {
        Some(code) => Err(StorageError::Refused(code)),
        None => Ok(UploadToken::from_body(&reply)),
    }
}

/// Sends a body to an address and gives the whole answer, up to `most` bytes. A number below zero is a refusal.
pub(crate) async fn exchange(
    options: &ChannelOptions,
    url: &StorageUrl,
    body: Bytes,
    most: usize,
) -> Result<Vec<u8>, StorageError> {
    options.budget.pace(body.len()).await;
    let reply =
        send(options, url.as_str(), Some(body)).await?.bytes(most).await.map_err(passing)?;
    options.budget.pace(reply.len()).await;
    match number(&reply) {
        Some(code) => Err(refusal(code)),
        None => Ok(reply),
    }
}

async fn send(
    options: &ChannelOptions,
    address: &str,
    body: Option<Bytes>,
) -> Result<HttpResponse, StorageError> {
    let uri = address.parse().map_err(|_| {
        StorageError::Passing(NetworkErrorKind::Other("the storage address is no URL".into()))
    })?;
    let request = HttpRequest {
        uri,
        body,
        content_type: "application/octet-stream",
        hashcash: None,
        stall_timeout: options.stall_timeout,
    };
    let response = options.http.send(request).await.map_err(passing)?;
    match response.status {
        200 => Ok(response),
        403 | 404 => Err(StorageError::Expired),
        509 => {
            let left = response.header("X-MEGA-Time-Left").and_then(|text| text.parse().ok());
            Err(StorageError::Quota(left.map(Duration::from_secs)))
        }
        status => Err(StorageError::Passing(NetworkErrorKind::Status(status))),
    }
}

fn passing(HttpError(kind): HttpError) -> StorageError {
    StorageError::Passing(kind)
}
