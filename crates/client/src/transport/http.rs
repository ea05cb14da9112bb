//! The one interface through which this library reaches the network.
//!
//! A host that has an HTTP client of its own implements [`Http`]; [`HyperHttp`](super::HyperHttp) is
//! what is used otherwise.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;

pub use super::http_body::HttpBody;
use crate::error::NetworkErrorKind;

/// A future without a name.
pub type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// Sends requests.
///
/// Redirects are not to be followed. Dropping the future or the body gives the request up.
pub trait Http: Send + Sync + 'static {
    /// Sends one request and returns once the head of the answer is there.
    fn send(&self, request: HttpRequest) -> BoxFuture<'_, Result<HttpResponse, HttpError>>;

    /// The same with connections of its own, for another runtime. Nothing means that one will do for both.
    fn apart(&self) -> Option<Arc<dyn Http>> {
        None
    }
}

/// A request: a POST with a body, or a GET without.
#[derive(Clone)]
pub struct HttpRequest {
    /// Where to.
    pub uri: http::Uri,
    /// What to send; nothing makes it a GET.
    pub body: Option<Bytes>,
    /// The value of `Content-Type`.
    pub content_type: &'static str,
    /// The value of `X-Hashcash`, the answer to a proof of work.
    pub hashcash: Option<String>,
    /// How long the server may show no sign: take no byte of the body, begin no answer, send no byte
    /// of one.
    pub stall_timeout: Duration,
}

impl fmt::Debug for HttpRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HttpRequest")
            .field("host", &self.uri.host())
            .field("body", &self.body.as_ref().map(Bytes::len))
            .finish_non_exhaustive()
    }
}

/// The head of an answer, with its body to come.
pub struct HttpResponse {
    /// The status.
    pub status: u16,
    /// The headers, by name without regard to case.
    pub headers: http::HeaderMap,
    /// The body.
    pub body: HttpBody,
}

impl fmt::Debug for HttpResponse {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HttpResponse").field("status", &self.status).finish_non_exhaustive()
    }
}

impl HttpResponse {
    /// A header's text.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).and_then(|value| value.to_str().ok())
    }

    /// The whole body, up to `limit` bytes.
    pub async fn bytes(mut self, limit: usize) -> Result<Vec<u8>, HttpError> {
        let mut whole = Vec::new();
        while let Some(piece) = self.body.next().await? {
            if whole.len() + piece.len() > limit {
                let text = format!("the answer is longer than {limit} bytes");
                return Err(HttpError(NetworkErrorKind::Other(text)));
            }
            whole.extend_from_slice(&piece);
        }
        Ok(whole)
    }
}

/// Why there is no answer, or no more of it.
#[derive(Debug, thiserror::Error)]
#[error(transparent)]
pub struct HttpError(pub NetworkErrorKind);
