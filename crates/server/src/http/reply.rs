//! An answer before it is written.

use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use futures_util::{Stream, StreamExt};
use hyper::body::{Body, Frame, SizeHint};

use super::header_case::HeaderCase;

/// An answer: a status, at most one special header, a body of known length.
pub(crate) struct Reply {
    status: u16,
    header: Option<(&'static str, String)>,
    content_type: &'static str,
    body: ReplyBody,
    is_cut: bool,
}

/// The connection is cut instead of an answer, as a fault asked for.
#[derive(Debug, thiserror::Error)]
#[error("cut by a fault, or by a client that went away")]
pub(super) struct Cut;

impl Reply {
    /// JSON, as `cs` and the event channel give it.
    pub(crate) fn json(body: String) -> Self {
        Self::new(200, "application/json", ReplyBody::whole(body.into()))
    }

    /// The same, as bytes.
    pub(super) fn json_bytes(body: Bytes) -> Self {
        Self::new(200, "application/json", ReplyBody::whole(body))
    }

    /// JSON whose length is not known when it begins.
    pub(super) fn json_stream(body: ReplyBody) -> Self {
        Self::new(200, "application/json", body)
    }

    /// JSON Lines.
    pub(crate) fn lines(body: String) -> Self {
        Self::new(200, "application/jsonl", ReplyBody::whole(body.into()))
    }

    /// The same answer with another status.
    pub(crate) fn with_status(mut self, status: u16) -> Self {
        self.status = status;
        self
    }

    /// Bytes, as storage servers give them.
    pub(crate) fn octets(body: Bytes) -> Self {
        Self::new(200, "application/octet-stream", ReplyBody::whole(body))
    }

    /// So many bytes, which come one after the other.
    pub(crate) fn octets_of(length: u64, mut body: ReplyBody) -> Self {
        body.length = Some(length);
        Self::new(200, "application/octet-stream", body)
    }

    /// The same answer with a body made of its own.
    pub(crate) fn with_body(mut self, make: impl FnOnce(ReplyBody) -> ReplyBody) -> Self {
        self.body = make(self.body);
        self
    }

    /// A status without a body.
    pub(crate) fn status(status: u16) -> Self {
        Self::new(status, "text/plain", ReplyBody::whole(Bytes::new()))
    }

    /// No answer at all: the connection is cut.
    pub(crate) fn none() -> Self {
        Self { is_cut: true, ..Self::status(200) }
    }

    /// With a header, whose spelling must be known to this module or be title case.
    pub(crate) fn header(mut self, name: &'static str, value: String) -> Self {
        self.header = Some((name, value));
        self
    }

    fn new(status: u16, content_type: &'static str, body: ReplyBody) -> Self {
        Self { status, header: None, content_type, body, is_cut: false }
    }

    pub(super) fn status_code(&self) -> u16 {
        self.status
    }

    pub(super) fn into_response(self, case: &HeaderCase) -> Result<http::Response<ReplyBody>, Cut> {
        if self.is_cut {
            return Err(Cut);
        }
        let length = self.body.length;
        let mut response = http::Response::new(self.body);
        *response.status_mut() =
            http::StatusCode::from_u16(self.status).unwrap_or(http::StatusCode::BAD_GATEWAY);
        let headers = response.headers_mut();
        headers
            .insert(http::header::CONTENT_TYPE, http::HeaderValue::from_static(self.content_type));
        // Browsers and what runs in them ask for leave.
        headers
            .insert(http::header::ACCESS_CONTROL_ALLOW_ORIGIN, http::HeaderValue::from_static("*"));
        if let Some(length) = length {
            headers.insert(http::header::CONTENT_LENGTH, length.into());
        }
        if let Some((name, value)) = self.header
            && let Ok(value) = http::HeaderValue::from_str(&value)
            && let Ok(name) = http::HeaderName::from_bytes(name.as_bytes())
        {
            response.headers_mut().insert(name, value);
            *response.extensions_mut() = case.extensions();
        }
        Ok(response)
    }
}

/// What a body consists of.
pub(crate) type Pieces = Pin<Box<dyn Stream<Item = std::io::Result<Bytes>> + Send>>;

/// A body: whole, or in pieces of a known sum.
pub(crate) struct ReplyBody {
    pieces: Pieces,
    length: Option<u64>,
}

impl ReplyBody {
    fn whole(bytes: Bytes) -> Self {
        let length = bytes.len() as u64;
        let once = (length > 0).then_some(Ok(bytes));
        Self { pieces: futures_util::stream::iter(once).boxed(), length: Some(length) }
    }

    /// Of pieces with this sum, if it is known.
    pub(crate) fn new(
        pieces: impl Stream<Item = std::io::Result<Bytes>> + Send + 'static,
        length: Option<u64>,
    ) -> Self {
        Self { pieces: pieces.boxed(), length }
    }

    pub(crate) fn length(&self) -> Option<u64> {
        self.length
    }

    pub(crate) fn into_pieces(self) -> Pieces {
        self.pieces
    }

    pub(crate) fn stream(
        pieces: impl Stream<Item = std::io::Result<Bytes>> + Send + 'static,
    ) -> Self {
        Self::new(pieces, None)
    }
}

impl Body for ReplyBody {
    type Data = Bytes;
    type Error = std::io::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<std::io::Result<Frame<Bytes>>>> {
        self.pieces.poll_next_unpin(context).map(|piece| piece.map(|piece| piece.map(Frame::data)))
    }

    fn size_hint(&self) -> SizeHint {
        self.length.map_or_else(SizeHint::default, SizeHint::with_exact)
    }
}
