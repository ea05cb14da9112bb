//! Attributes on their way to the storage servers and back (`protocol-api.md` 4.7).

use bytes::Bytes;
use supermega_crypto::{FileKey, file_attribute};
use supermega_encoding::{FileAttributeHandle, NodeHandle};
use supermega_protocol::ErrorCode;
use supermega_protocol::file_attribute::{FileAttribute, MAX_SIZE, RequestFileAttributes};

use super::{FileAttributeKind, entry};
use crate::error::{Error, Result};
use crate::session::Session;
use crate::transport::storage::{self, StorageError};
use crate::transport::{Backoff, Channel};

/// An attribute's bytes come behind its handle and their length.
const FRAME: usize = 12;

/// Stores an attribute and gives the entry that names it. `node` is the file, if there is one already.
pub(crate) async fn upload(
    session: &Session,
    key: &FileKey,
    node: Option<NodeHandle>,
    kind: FileAttributeKind,
    content: &[u8],
) -> Result<FileAttribute> {
    let encrypted = file_attribute::encrypt(key, content);
    if encrypted.is_empty() || encrypted.len() as u64 > MAX_SIZE || matches!(kind.0, 8 | 9) {
        return Err(Error::Input(format!("this cannot be stored as a {kind}")));
    }
    let request = RequestFileAttributes::upload(encrypted.len() as u64, node);
    let reply = exchange(session.channel(), request, encrypted.into()).await?;
    let no_handle = |_| Error::from_failure("ufa", ErrorCode::Internal.into());
    let handle: [u8; FileAttributeHandle::LEN] = reply.try_into().map_err(no_handle)?;
    Ok(entry(kind, FileAttributeHandle::from_bytes(handle).to_string()))
}

/// The attribute of a handle, still encrypted, if it is there.
pub(super) async fn download(
    channel: &Channel,
    handle: FileAttributeHandle,
) -> Result<Option<Vec<u8>>> {
    let request = RequestFileAttributes::download(handle);
    let body = Bytes::copy_from_slice(handle.as_bytes());
    match exchange(channel, request, body).await {
        Ok(reply) => Ok(frame(&reply, handle)),
        Err(error) if error.code() == Some(ErrorCode::NotFound) => Ok(None),
        Err(error) => Err(error),
    }
}

/// Asks for an address, and sends it a body. An address that has died is asked for anew.
async fn exchange(
    channel: &Channel,
    request: RequestFileAttributes,
    body: Bytes,
) -> Result<Vec<u8>> {
    let options = channel.options();
    let request = RequestFileAttributes { ssl: Some(options.ssl()), ..request };
    let mut backoff = Backoff::new(options.busy_patience);
    loop {
        let url = channel.call(&request).await?.p;
        let most = usize::try_from(MAX_SIZE).unwrap_or(usize::MAX) + FRAME;
        let _connection = options.budget.connections(1).await;
        match storage::exchange(options, &url, body.clone(), most).await {
            Ok(reply) => return Ok(reply),
            Err(StorageError::Expired | StorageError::Passing(_)) if backoff.wait().await => {}
            Err(error) => return Err(error.give_up(&url)),
        }
    }
}

/// Finds the frame of a handle.
fn frame(mut rest: &[u8], handle: FileAttributeHandle) -> Option<Vec<u8>> {
    while let Some((head, behind)) = rest.split_first_chunk::<FRAME>() {
        let (name, length) = head.split_at(FileAttributeHandle::LEN);
        let length = u32::from_le_bytes(length.try_into().ok()?);
        let (content, next) = behind.split_at_checked(usize::try_from(length).ok()?)?;
        if name == handle.as_bytes() {
            return Some(content.to_vec());
        }
        rest = next;
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_frame_is_found_behind_others_and_a_short_one_is_none() {
        let handle = FileAttributeHandle::from_bytes([2; 8]);
        let one = [&[1; 8][..], &3_u32.to_le_bytes(), b"one"].concat();
        let two = [&[2; 8][..], &3_u32.to_le_bytes(), b"two"].concat();
        let both = [one, two].concat();
        assert_eq!(frame(&both, handle).as_deref(), Some(&b"two"[..]));
        for end in 0..both.len() {
            assert_eq!(frame(&both[..end], handle), None, "{end}");
        }
    }
}
