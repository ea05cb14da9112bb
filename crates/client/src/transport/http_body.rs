//! Bodies of answers.

use std::fmt;
use std::pin::Pin;

use bytes::{Bytes, BytesMut};
use futures_util::{Stream, TryStreamExt};

use super::direct::ConnectionBody;
use super::http::HttpError;
use crate::error::NetworkErrorKind;

/// A body that arrives in pieces.
pub struct HttpBody(Source);

enum Source {
    Pieces(Pin<Box<dyn Stream<Item = Result<Bytes, HttpError>> + Send>>),
    Connection(Box<ConnectionBody>),
}

impl fmt::Debug for HttpBody {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HttpBody").finish_non_exhaustive()
    }
}

impl HttpBody {
    /// A body of these pieces.
    pub fn new(pieces: impl Stream<Item = Result<Bytes, HttpError>> + Send + 'static) -> Self {
        Self(Source::Pieces(Box::pin(pieces)))
    }

    pub(super) fn of_connection(body: ConnectionBody) -> Self {
        Self(Source::Connection(Box::new(body)))
    }

    #[cfg(test)]
    pub(super) fn into_connection(self) -> Option<ConnectionBody> {
        match self.0 {
            Source::Connection(body) => Some(*body),
            Source::Pieces(_) => None,
        }
    }

    /// The next piece; nothing at the end.
    pub async fn next(&mut self) -> Result<Option<Bytes>, HttpError> {
        match &mut self.0 {
            Source::Pieces(pieces) => pieces.try_next().await,
            Source::Connection(body) => body.next().await,
        }
    }

    /// Appends what has arrived, of which more than `most` bytes are an error; gives how many bytes that were, and
    /// 0 at the end.
    pub(super) async fn append(
        &mut self,
        into: &mut BytesMut,
        most: usize,
    ) -> Result<usize, HttpError> {
        match &mut self.0 {
            Source::Pieces(pieces) => append_piece(pieces.try_next().await?, into, most),
            Source::Connection(body) => body.append(into, most).await,
        }
    }
}

/// Appends a piece of at most so many bytes, or nothing; gives how many bytes that were.
pub(super) fn append_piece(
    piece: Option<Bytes>,
    into: &mut BytesMut,
    most: usize,
) -> Result<usize, HttpError> {
    let piece = piece.unwrap_or_default();
    if piece.len() > most {
        return Err(too_long());
    }
    into.extend_from_slice(&piece);
    Ok(piece.len())
}

/// The error of a body that is longer than was asked for.
pub(super) fn too_long() -> HttpError {
    HttpError(NetworkErrorKind::Other("too long a body".into()))
}
