//! Uploads: `/ul/TOKEN/OFFSET`, in any order and in parallel (`protocol-api.md` 4.2, 4.3).

use std::io::ErrorKind;
use std::sync::Arc;

use http_body_util::BodyExt;
use hyper::body::Incoming;
use supermega_encoding::base64;
use supermega_protocol::ErrorCode;
use tokio::task::JoinError;

use super::open_uploads::{OpenUpload, Settled, UploadError};
use super::receive::{Broken, Received, Target};
use crate::fault::Action;
use crate::hold::HoldPoint;
use crate::http::Reply;
use crate::request_log::LoggedRequest;
use crate::state::State;
use crate::store::uploads;

/// A repeated piece of an upload that is complete is taken and thrown away up to this size, so that its
/// client comes to read the answer.
const REPEATED: u64 = 64 << 20;

/// How a client reads the answer to a piece that does not complete the file. The two are exclusive: one
/// kind of client fails on an empty answer, the other takes `0` for the token.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Progress {
    Zero,
    Empty,
}

/// Takes a piece of a file; `rest` is the path behind `/ul/`.
pub(crate) async fn upload(
    state: &Arc<State>,
    rest: &str,
    query: Option<&str>,
    body: Incoming,
    actions: &[Action],
) -> Reply {
    let (token, offset) = rest.split_once('/').unwrap_or((rest, "0"));
    let Ok(offset) = offset.parse::<u64>() else { return refusal(ErrorCode::Range) };
    let upload = match find(state, token).await {
        Ok(Some(upload)) => upload,
        Ok(None) => return Reply::status(404),
        Err(code) => return refusal(code),
    };
    let completion = upload.completion();
    let is_good = state.uploads.use_address(&upload);
    if completion.is_some() || !is_good {
        let length = drain(body).await;
        state.log.add(LoggedRequest::Upload { offset, length });
        let code = ErrorCode::Expired;
        return completion.filter(|_| is_good).map_or_else(|| refusal(code), octets);
    }
    let query = query.unwrap_or_default();
    let parameter = |name: &str| query.split('&').find_map(|part| part.strip_prefix(name));
    let progress = if parameter("d=").is_some() { Progress::Zero } else { Progress::Empty };
    let checksum = parameter("d=").or_else(|| parameter("c="));
    let received = match receive(state, &upload, offset, body, checksum.is_some(), actions).await {
        Ok(received) => received,
        Err(Broken::Refused(code)) => return refusal(code),
        Err(Broken::Cut) => return Reply::none(),
        Err(Broken::Gone) => return Reply::status(404),
        Err(Broken::Stalled) => {
            state.stopped().await;
            return Reply::none();
        }
    };
    state.log.add(LoggedRequest::Upload { offset, length: received.length });
    let given = checksum.map(|text| base64::decode(text).unwrap_or_default());
    if given.as_deref() != received.checksum.as_ref().map(|sum| &sum[..]) {
        return refusal(ErrorCode::Key);
    }
    let settled = settle(state, upload, offset, offset + received.length).await;
    if let Ok(Settled::Complete(_) | Settled::Partial) = settled {
        state.holds.pass(state, HoldPoint::ChunkStored).await;
    }
    if let Ok(Settled::Complete(_)) = settled {
        state.holds.pass(state, HoldPoint::UploadComplete).await;
    }
    match settled {
        Ok(Settled::Complete(token)) => octets(token),
        Ok(Settled::Partial) if progress == Progress::Zero => octets(b"0".to_vec()),
        Ok(Settled::Partial) => octets(Vec::new()),
        Ok(Settled::Abandoned) => Reply::status(404),
        Err(code) => refusal(code),
    }
}

/// Takes a body that nobody needs, so that its sender comes to read the answer. Gives how long it was, as far as it was taken.
async fn drain(mut body: Incoming) -> u64 {
    let mut taken = 0;
    while let Some(Ok(frame)) = body.frame().await {
        taken += frame.data_ref().map_or(0, |data| data.len() as u64);
        if taken > REPEATED {
            break;
        }
    }
    taken
}

fn octets(bytes: Vec<u8>) -> Reply {
    Reply::octets(bytes.into())
}

/// Forgets an upload, so that its address is no longer good.
pub(crate) async fn abandon(state: &Arc<State>, rest: &str) {
    let token = rest.split('/').next().unwrap_or_default().to_owned();
    let state = state.clone();
    let abandon = move || {
        state.uploads.forget(&token);
        if let Ok(blob) = state.store.write(|tx| uploads::abandon(tx, &token)) {
            state.remove_blobs(blob.as_slice());
        }
    };
    let _ = tokio::task::spawn_blocking(abandon).await;
}

pub(super) fn refusal(code: ErrorCode) -> Reply {
    Reply::octets(code.number().to_string().into())
}

async fn find(state: &Arc<State>, token: &str) -> Result<Option<Arc<OpenUpload>>, ErrorCode> {
    let (state, token) = (state.clone(), token.to_owned());
    let find = move || state.uploads.find(&state.store, &state.blob_folder(), &token);
    outcome(tokio::task::spawn_blocking(find).await)
}

async fn receive(
    state: &State,
    upload: &OpenUpload,
    offset: u64,
    body: Incoming,
    with_checksum: bool,
    actions: &[Action],
) -> Result<Received, Broken> {
    let most = upload.size.checked_sub(offset).ok_or(ErrorCode::Range)?;
    let path = state.blob_path(upload.blob);
    let turn = upload.turn.clone();
    let open = move || Target::open(&path, turn, offset, with_checksum);
    let target = match tokio::task::spawn_blocking(open).await {
        Ok(Ok(target)) => target,
        // Its owner's account is gone, say.
        Ok(Err(error)) if error.kind() == ErrorKind::NotFound => return Err(Broken::Gone),
        _ => return Err(ErrorCode::Unavailable.into()),
    };
    target.receive(body, most, offset, actions).await
}

/// Notes what has arrived; when that is all, the upload gets its token.
async fn settle(
    state: &Arc<State>,
    upload: Arc<OpenUpload>,
    start: u64,
    end: u64,
) -> Result<Settled, ErrorCode> {
    let state = state.clone();
    let settle = move || upload.settle(&state.store, &state.blob_folder(), start, end);
    outcome(tokio::task::spawn_blocking(settle).await)
}

fn outcome<T>(done: Result<Result<T, UploadError>, JoinError>) -> Result<T, ErrorCode> {
    match done {
        Ok(Ok(value)) => Ok(value),
        Ok(Err(error)) => {
            tracing::error!(%error, "an upload could not go on");
            Err(ErrorCode::Unavailable)
        }
        Err(_) => Err(ErrorCode::Unavailable),
    }
}
