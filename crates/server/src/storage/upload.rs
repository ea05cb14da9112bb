//! Uploads: `/ul/TOKEN/OFFSET`, in any order and in parallel (`protocol-api.md` 4.2, 4.3).

use std::fs::{File, OpenOptions};
use std::io::{Seek, SeekFrom, Write};
use std::sync::Arc;

use bytes::{Bytes, BytesMut};
use http_body_util::BodyExt;
use hyper::body::Incoming;
use supermega_encoding::base64;
use supermega_protocol::ErrorCode;

use super::PIECE;
use crate::http::Reply;
use crate::request_log::LoggedRequest;
use crate::state::State;
use crate::store::uploads;

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
) -> Reply {
    let (token, offset) = rest.split_once('/').unwrap_or((rest, "0"));
    let Ok(offset) = offset.parse::<u64>() else { return refusal(ErrorCode::Range) };
    let known = {
        let (state, token) = (state.clone(), token.to_owned());
        blocking(move || state.store.read(|db| uploads::get(db, &token))).await
    };
    let Ok(Ok(Some(upload))) = known else { return Reply::status(404) };
    let query = query.unwrap_or_default();
    let parameter = |name: &str| query.split('&').find_map(|part| part.strip_prefix(name));
    let progress = if parameter("d=").is_some() { Progress::Zero } else { Progress::Empty };
    let checksum = parameter("d=").or_else(|| parameter("c="));
    if let Some(token) = upload.completion {
        return Reply::octets(Bytes::from(token));
    }
    let file = {
        let path = state.upload_path(token);
        let opened = blocking(move || open(&path, offset)).await;
        let Ok(Ok(file)) = opened else { return refusal(ErrorCode::Unavailable) };
        file
    };
    let received = match receive(file, offset, upload.size, body).await {
        Ok(received) => received,
        Err(code) => return refusal(code),
    };
    state.log.add(LoggedRequest::Upload { offset, length: received.length });
    let given = checksum.map(|text| base64::decode(text).unwrap_or_default());
    if given.is_some_and(|given| given != received.checksum) {
        return refusal(ErrorCode::Key);
    }
    let (shared, token) = (state.clone(), token.to_owned());
    let end = offset + received.length;
    match blocking(move || settle(&shared, &token, offset, end)).await {
        Ok(Ok(Some(token))) => Reply::octets(Bytes::from(token)),
        Ok(Ok(None)) if progress == Progress::Zero => Reply::octets(Bytes::from_static(b"0")),
        Ok(Ok(None)) => Reply::octets(Bytes::new()),
        Ok(Err(error)) => {
            tracing::error!(%error, "an upload could not be noted");
            refusal(ErrorCode::Unavailable)
        }
        Err(_) => refusal(ErrorCode::Unavailable),
    }
}

fn refusal(code: ErrorCode) -> Reply {
    Reply::octets(Bytes::from(code.number().to_string()))
}

fn open(path: &std::path::Path, offset: u64) -> std::io::Result<File> {
    let mut file = OpenOptions::new().create(true).truncate(false).write(true).open(path)?;
    file.seek(SeekFrom::Start(offset))?;
    Ok(file)
}

struct Received {
    length: u64,
    checksum: [u8; 12],
}

/// Writes a body to the file while it arrives.
async fn receive(
    mut file: File,
    offset: u64,
    size: u64,
    mut body: Incoming,
) -> Result<Received, ErrorCode> {
    let mut received = Received { length: 0, checksum: [0; 12] };
    let mut piece = BytesMut::with_capacity(PIECE);
    loop {
        let frame = body.frame().await.transpose().map_err(|_| ErrorCode::Again)?;
        let last = frame.is_none();
        if let Some(Ok(data)) = frame.map(hyper::body::Frame::into_data) {
            piece.extend_from_slice(&data);
            if offset + received.length + piece.len() as u64 > size {
                return Err(ErrorCode::Range);
            }
        }
        if piece.len() >= PIECE || (last && !piece.is_empty()) {
            let bytes = std::mem::replace(&mut piece, BytesMut::with_capacity(PIECE));
            let written = blocking(move || file.write_all(&bytes).map(|()| (file, bytes))).await;
            let (open, bytes) =
                written.map_err(|_| ErrorCode::Unavailable)?.map_err(|_| ErrorCode::Unavailable)?;
            file = open;
            fold(&mut received.checksum, received.length, &bytes);
            received.length += bytes.len() as u64;
        }
        if last {
            return Ok(received);
        }
    }
}

/// Goes on with the checksum of a request: each byte is XORed into one of twelve (`protocol-auth.md` 6.6).
fn fold(checksum: &mut [u8; 12], before: u64, bytes: &[u8]) {
    let piece = supermega_crypto::upload_checksum(bytes);
    let turn = usize::try_from(before % 12).unwrap_or(0);
    for (i, byte) in piece.iter().enumerate() {
        checksum[(i + turn) % 12] ^= byte;
    }
}

/// Notes what has arrived; when that is all, makes it a blob and gives the token.
fn settle(
    state: &State,
    token: &str,
    start: u64,
    end: u64,
) -> Result<Option<Vec<u8>>, rusqlite::Error> {
    state.store.write(|tx| {
        let Some(upload) = uploads::get(tx, token)? else { return Ok(None) };
        if let Some(completion) = upload.completion {
            return Ok(Some(completion));
        }
        if !uploads::add_range(tx, token, start, end, upload.size)? {
            return Ok(None);
        }
        let (completion, blob) = uploads::complete(tx, token, &upload)?;
        std::fs::rename(state.upload_path(token), state.blob_path(blob))
            .map_err(|e| rusqlite::Error::ToSqlConversionFailure(Box::new(e)))?;
        Ok(Some(completion))
    })
}

async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<T, tokio::task::JoinError> {
    tokio::task::spawn_blocking(work).await
}

#[cfg(test)]
mod tests {
    use super::fold;

    #[test]
    fn a_checksum_does_not_depend_on_the_pieces() {
        let bytes: Vec<u8> = (0..100).collect();
        let mut checksum = [0; 12];
        let mut before = 0;
        for piece in bytes.chunks(7) {
            fold(&mut checksum, before, piece);
            before += piece.len() as u64;
        }
        assert_eq!(checksum, supermega_crypto::upload_checksum(&bytes));
    }
}
