//! HTTP/1 over hyper: connections kept alive, timeouts on progress, no redirects.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use futures_util::StreamExt;
use http_body_util::{BodyExt, BodyStream};
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::time::timeout;

use super::http::{BoxFuture, Http, HttpError, HttpRequest, HttpResponse};
use super::pool::{Pool, Sender};
use super::proxy::{Proxy, ProxyRules};
use super::request_body::{Progress, RequestBody};
use super::tcp::{self, from_io};
use super::tls::Tls;
use crate::error::{NetworkErrorKind as Kind, Result};

/// The default [`Http`]: hyper with rustls and the operating system's trust store.
pub struct HyperHttp {
    pool: Pool,
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
        Self { pool: Pool::default(), connect_timeout, tls: Tls::default(), proxy: None }
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
        if let Some(sender) = self.pool.take(&origin) {
            // A kept connection may have been closed meanwhile. MEGA's requests may be repeated.
            if let Ok(response) = self.send_on(sender, &origin, &request).await {
                return Ok(response);
            }
        }
        let connect = self.connect(&request.uri);
        let sender = timeout(self.connect_timeout, connect).await.map_err(|_| timed_out())??;
        self.send_on(sender, &origin, &request).await
    }

    async fn send_on(
        &self,
        mut sender: Sender,
        origin: &str,
        request: &HttpRequest,
    ) -> Result<HttpResponse, HttpError> {
        sender.ready().await.map_err(|e| from_hyper(&e))?;
        let stall = request.stall_timeout;
        let (head, progress) = head(request)?;
        let answer = tokio::select! {
            answer = sender.send_request(head) => answer,
            () = progress.stalled(stall) => return Err(timed_out()),
        };
        let (head, body) = answer.map_err(|e| from_hyper(&e))?.into_parts();
        self.pool.put(origin, sender);
        let pieces = BodyStream::new(body.map_err(|e| from_hyper(&e)));
        let body = futures_util::stream::try_unfold(pieces, move |mut pieces| async move {
            loop {
                match timeout(stall, pieces.next()).await.map_err(|_| timed_out())? {
                    None => return Ok(None),
                    Some(frame) => {
                        if let Ok(data) = frame?.into_data() {
                            return Ok(Some((data, pieces)));
                        }
                    }
                }
            }
        });
        Ok(HttpResponse {
            status: head.status.as_u16(),
            headers: head.headers,
            body: Box::pin(body),
        })
    }

    async fn connect(&self, uri: &http::Uri) -> Result<Sender, HttpError> {
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
            true => handshake(self.tls.connect(host, tcp).await?).await,
            false => handshake(tcp).await,
        }
    }
}

impl Http for HyperHttp {
    fn send(&self, request: HttpRequest) -> BoxFuture<'_, Result<HttpResponse, HttpError>> {
        Box::pin(self.exchange(request))
    }

    fn apart(&self) -> Option<Arc<dyn Http>> {
        Some(Arc::new(Self {
            pool: Pool::default(),
            connect_timeout: self.connect_timeout,
            tls: self.tls.clone(),
            proxy: self.proxy.clone(),
        }))
    }
}

async fn handshake<T>(io: T) -> Result<Sender, HttpError>
where
    T: AsyncRead + AsyncWrite + Send + Unpin + 'static,
{
    let (sender, connection) = hyper::client::conn::http1::Builder::new()
        .handshake(TokioIo::new(io))
        .await
        .map_err(|e| from_hyper(&e))?;
    // Whoever waits for an answer sees the connection's errors.
    tokio::spawn(async move {
        let _ = connection.await;
    });
    Ok(sender)
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

fn timed_out() -> HttpError {
    HttpError(Kind::TimedOut)
}

fn from_hyper(error: &hyper::Error) -> HttpError {
    use std::error::Error;
    if let Some(io) = error.source().and_then(|source| source.downcast_ref::<io::Error>()) {
        return from_io(io);
    }
    let cut = error.is_incomplete_message() || error.is_closed() || error.is_canceled();
    HttpError(if cut { Kind::Cut } else { Kind::Other(error.to_string()) })
}
