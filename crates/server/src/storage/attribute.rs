//! File attributes: `/fa/TOKEN`, or `/fa/TOKEN/TYPE` as some clients have it (`protocol-api.md` 4.7).

use std::sync::Arc;

use bytes::Bytes;
use futures_util::stream;
use http_body_util::{BodyExt, Limited};
use hyper::body::Incoming;
use supermega_encoding::FileAttributeHandle;
use supermega_protocol::ErrorCode;

use super::tokens::Access;
use super::upload::refusal;
use crate::http::{Reply, ReplyBody};
use crate::request_log::LoggedRequest;
use crate::state::State;
use crate::store::file_attributes;

/// Longer lists of handles are not taken: eight thousand of them.
const HANDLES: usize = 64 << 10;

/// What an address is good for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum AttributeAccess {
    Download,
    Upload { size: u64 },
}

/// Takes an attribute, or gives those whose handles the body names; `rest` is the path behind `/fa/`.
pub(crate) async fn attribute(state: &Arc<State>, rest: &str, body: Incoming) -> Reply {
    let token = rest.split('/').next().unwrap_or_default();
    match state.attributes.find(token) {
        Access::Granted(AttributeAccess::Download) => download(state, body).await,
        Access::Granted(AttributeAccess::Upload { size }) => upload(state, size, body).await,
        Access::Ended => Reply::status(403),
        Access::Unknown => Reply::status(404),
    }
}

/// The answer is the handle, raw.
async fn upload(state: &Arc<State>, size: u64, body: Incoming) -> Reply {
    let most = usize::try_from(size).unwrap_or(usize::MAX);
    let data = match Limited::new(body, most).collect().await {
        Ok(data) => data.to_bytes(),
        Err(error) if error.is::<http_body_util::LengthLimitError>() => {
            return refusal(ErrorCode::Range);
        }
        Err(_) => return Reply::none(),
    };
    state.log.add(LoggedRequest::AttributeUpload { length: data.len() as u64 });
    if data.len() != most {
        return refusal(ErrorCode::Range);
    }
    let state = state.clone();
    let keep = move || state.store.write(|tx| file_attributes::insert(tx, &data));
    match tokio::task::spawn_blocking(keep).await {
        Ok(Ok(handle)) => Reply::octets(Bytes::copy_from_slice(handle.as_bytes())),
        _ => refusal(ErrorCode::Unavailable),
    }
}

/// The answer is a frame for each attribute that there is: its handle, its length, its bytes.
async fn download(state: &Arc<State>, body: Incoming) -> Reply {
    let Ok(body) = Limited::new(body, HANDLES).collect().await else {
        return refusal(ErrorCode::TooMany);
    };
    let body = body.to_bytes();
    let (handles, []) = body.as_chunks() else { return refusal(ErrorCode::Arguments) };
    let handles: Vec<_> = handles.iter().copied().map(FileAttributeHandle::from_bytes).collect();
    state.log.add(LoggedRequest::AttributeDownload { attributes: handles.len() });
    let found = {
        let state = state.clone();
        tokio::task::spawn_blocking(move || sizes(&state, &handles)).await
    };
    let Ok(Ok(found)) = found else { return refusal(ErrorCode::Unavailable) };
    let head = FileAttributeHandle::LEN as u64 + 4;
    let length = found.iter().map(|(_, size)| head + u64::from(*size)).sum();
    // One attribute is in memory at a time.
    let rest = (state.clone(), found.into_iter());
    let frames = stream::try_unfold(rest, |(state, mut rest)| async move {
        let Some((handle, size)) = rest.next() else { return Ok(None) };
        let reader = state.clone();
        let read = tokio::task::spawn_blocking(move || frame(&reader, handle, size)).await;
        Ok(Some((read.map_err(std::io::Error::other)??, (state, rest))))
    });
    Reply::octets_of(length, ReplyBody::stream(frames))
}

/// Those that there are, with their lengths.
fn sizes(
    state: &State,
    handles: &[FileAttributeHandle],
) -> rusqlite::Result<Vec<(FileAttributeHandle, u32)>> {
    state.store.read(|db| {
        let mut found = Vec::new();
        for handle in handles {
            let size = file_attributes::size(db, *handle)?;
            // None is ever so long that this does not fit.
            if let Some(size) = size.and_then(|size| u32::try_from(size).ok()) {
                found.push((*handle, size));
            }
        }
        Ok(found)
    })
}

fn frame(state: &State, handle: FileAttributeHandle, size: u32) -> std::io::Result<Bytes> {
    let data = state.store.read(|db| file_attributes::get(db, handle));
    let data = data.map_err(std::io::Error::other)?;
    // What has gone since its length was told breaks the answer off.
    let data = data.ok_or(std::io::ErrorKind::NotFound)?;
    let mut frame = Vec::with_capacity(12 + data.len());
    frame.extend_from_slice(handle.as_bytes());
    frame.extend_from_slice(&size.to_le_bytes());
    frame.extend_from_slice(&data);
    Ok(frame.into())
}
