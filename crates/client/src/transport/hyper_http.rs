//! HTTP/1 over hyper: connections kept alive, timeouts on progress, no redirects.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use tokio::time::timeout;

use super::connection::Connection;
use super::direct::ConnectionBody;
use super::http::{BoxFuture, Http, HttpBody, HttpError, HttpRequest, HttpResponse};
use super::pool::{Lease, Pool};
use super::proxy::{Proxy, ProxyRules};
use super::request_body::{Progress, RequestBody};
use super::tcp::{self, from_io};
use super::tls::Tls;
use crate::error::{NetworkErrorKind as Kind, Result};

/// The default [`Http`]: hyper with rustls and the operating system's trust store.
pub struct HyperHttp {
    pool: Arc<Pool>,
    connect_timeout: Duration,
    tls: Tls,
    proxy: Option<ProxyRules>,
}

impl std::fmt::Debug for HyperHttp {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("HyperHttp").finish_non_exhaustive()
    }
}

impl HyperHttp {
    /// Makes a client whose connections must stand within `connect_timeout`.
    #[must_use]
    pub fn new(connect_timeout: Duration) -> Self {
        Self { pool: Arc::default(), connect_timeout, tls: Tls::default(), proxy: None }
    }

    /// Reaches hosts through a proxy.
    pub fn with_proxy(mut self, proxy: &Proxy) -> Result<Self> {
        self.proxy = Some(proxy.rules()?);
        Ok(self)
    }

    /// Trusts the certificate authorities of a PEM file, beside those of the operating system.
    pub fn trusting(mut self, pem: &[u8]) -> Result<Self> {
        self.tls.trust(pem)?;
        Ok(self)
    }

    async fn exchange(&self, request: HttpRequest) -> Result<HttpResponse, HttpError> {
        let origin = origin(&request.uri)?;
        if let Some(lease) = self.pool.take(&origin) {
            // A kept connection may have been closed meanwhile. MEGA's requests may be repeated.
            if let Ok(response) = send_on(lease, &request).await {
                return Ok(response);
            }
        }
        let connect = self.connect(&request.uri);
        let connected = timeout(self.connect_timeout, connect).await.map_err(|_| timed_out())??;
        send_on(self.pool.lease(&origin, connected), &request).await
    }

    async fn connect(&self, uri: &http::Uri) -> Result<Connection, HttpError> {
        let host = uri.host().unwrap_or_default().trim_matches(['[', ']']).to_owned();
        let secure = is_secure(uri);
        let port = uri.port_u16().unwrap_or(if secure { 443 } else { 80 });
        let proxied = match &self.proxy {
            Some(proxy) => proxy.connect(uri).await?,
            None => None,
        };
        let tcp = match proxied {
            Some(tcp) => tcp,
            None => tcp::connect(&host, port).await?,
        };
        match secure {
            true => Connection::begin(Box::new(self.tls.connect(host, tcp).await?)).await,
            false => Connection::begin(Box::new(tcp)).await,
        }
    }
}

impl Http for HyperHttp {
    fn send(&self, request: HttpRequest) -> BoxFuture<'_, Result<HttpResponse, HttpError>> {
        Box::pin(self.exchange(request))
    }

    fn apart(&self) -> Option<Arc<dyn Http>> {
        Some(Arc::new(Self {
            pool: Arc::default(),
            connect_timeout: self.connect_timeout,
            tls: self.tls.clone(),
            proxy: self.proxy.clone(),
        }))
    }
}

async fn send_on(mut lease: Lease, request: &HttpRequest) -> Result<HttpResponse, HttpError> {
    let Some(connection) = &mut lease.connection else { return Err(HttpError(Kind::Cut)) };
    let sender = &mut connection.sender;
    sender.ready().await.map_err(|e| from_hyper(&e))?;
    let (outgoing, progress) = head(request)?;
    let answer = tokio::select! {
        answer = sender.send_request(outgoing) => answer,
        () = progress.stalled(request.stall_timeout) => return Err(timed_out()),
    };
    let (head, incoming) = answer.map_err(|e| from_hyper(&e))?.into_parts();
    let stays = stays_open(&head);
    let body = ConnectionBody::new(incoming, lease, stays, request.stall_timeout);
    Ok(HttpResponse {
        status: head.status.as_u16(),
        headers: head.headers,
        body: HttpBody::of_connection(body),
    })
}

/// Whether the connection may be used for more requests after this answer.
fn stays_open(answer: &http::response::Parts) -> bool {
    let closes = |value: &http::HeaderValue| {
        value.to_str().is_ok_and(|text| text.to_ascii_lowercase().contains("close"))
    };
    answer.version == http::Version::HTTP_11
        && !answer.headers.get_all(http::header::CONNECTION).iter().any(closes)
}

fn head(request: &HttpRequest) -> Result<(http::Request<RequestBody>, Progress), HttpError> {
    let method = if request.body.is_some() { http::Method::POST } else { http::Method::GET };
    let authority = request.uri.authority().map(ToString::to_string).unwrap_or_default();
    let path = request.uri.path_and_query().map_or("/", http::uri::PathAndQuery::as_str);
    let mut builder = http::Request::builder()
        .method(method)
        .uri(path)
        .header(http::header::HOST, authority)
        .header(http::header::USER_AGENT, concat!("supermega/", env!("CARGO_PKG_VERSION")));
    if request.body.is_some() {
        builder = builder.header(http::header::CONTENT_TYPE, request.content_type);
    }
    if let Some(answer) = &request.hashcash {
        builder = builder.header("X-Hashcash", answer);
    }
    let (body, progress) = RequestBody::new(request.body.clone().unwrap_or_default());
    let head = builder.body(body).map_err(|e| HttpError(Kind::Other(e.to_string())))?;
    Ok((head, progress))
}

fn is_secure(uri: &http::Uri) -> bool {
    uri.scheme_str().is_none_or(|scheme| scheme.eq_ignore_ascii_case("https"))
}

fn origin(uri: &http::Uri) -> Result<String, HttpError> {
    let authority = uri.authority().ok_or(HttpError(Kind::UnknownHost))?;
    Ok(format!("{}://{authority}", if is_secure(uri) { "https" } else { "http" }))
}

pub(super) fn timed_out() -> HttpError {
    HttpError(Kind::TimedOut)
}

pub(super) fn from_hyper(error: &hyper::Error) -> HttpError {
    use std::error::Error;
    if let Some(io) = error.source().and_then(|source| source.downcast_ref::<io::Error>()) {
        return from_io(io);
    }
    let cut = error.is_incomplete_message() || error.is_closed() || error.is_canceled();
    HttpError(if cut { Kind::Cut } else { Kind::Other(error.to_string()) })
}
