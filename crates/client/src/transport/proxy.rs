//! Connections through a proxy: by HTTP's CONNECT, or by SOCKS5.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use hyper_util::client::legacy::connect::proxy::{SocksV5, Tunnel};
use hyper_util::client::proxy::matcher::{Intercept, Matcher};
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;
use tower_service::Service;

use super::http::HttpError;
use super::tcp;
use crate::error::{Error, NetworkErrorKind as Kind, Result};

/// Which requests go through which proxy. Addresses look like `http://HOST:PORT` or `socks5://HOST:PORT`, with
/// `USER:PASSWORD@` before the host if the proxy wants to know.
#[derive(Clone, Default)]
#[must_use]
pub struct Proxy {
    all: Option<String>,
    http: Option<String>,
    https: Option<String>,
    except: String,
    /// Whether this machine itself is reached without.
    spares_loopback: bool,
}

impl fmt::Debug for Proxy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Addresses may hold passwords.
        f.debug_struct("Proxy").field("except", &self.except).finish_non_exhaustive()
    }
}

impl Proxy {
    /// One proxy for all requests.
    ///
    /// ```
    /// let proxy = supermega::transport::Proxy::all("socks5://127.0.0.1:1080");
    /// supermega::Client::builder().proxy(proxy).build()?;
    /// # Ok::<(), supermega::Error>(())
    /// ```
    pub fn all(address: impl Into<String>) -> Self {
        Self { all: Some(address.into()), ..Self::default() }
    }

    /// Another one for addresses that begin with `http:`.
    pub fn http(mut self, address: impl Into<String>) -> Self {
        self.http = Some(address.into());
        self
    }

    /// Another one for addresses that begin with `https:`.
    pub fn https(mut self, address: impl Into<String>) -> Self {
        self.https = Some(address.into());
        self
    }

    /// Hosts that are reached without: names, which mean their subdomains too, addresses and networks, with
    /// commas between them, or `*`.
    pub fn except(mut self, hosts: impl Into<String>) -> Self {
        self.except = hosts.into();
        self
    }

    /// Reaches this machine itself without.
    pub fn spare_loopback(mut self) -> Self {
        self.spares_loopback = true;
        self
    }

    /// Reads the addresses.
    pub(super) fn rules(&self) -> Result<ProxyRules> {
        let mut builder = Matcher::builder().no(self.except.clone());
        if let Some(all) = &self.all {
            builder = builder.all(checked(all)?);
        }
        if let Some(http) = &self.http {
            builder = builder.http(checked(http)?);
        }
        if let Some(https) = &self.https {
            builder = builder.https(checked(https)?);
        }
        let spares_loopback = self.spares_loopback;
        Ok(ProxyRules { matcher: Arc::new(builder.build()), spares_loopback })
    }
}

/// An address that can be used, since a bad one would be passed over in silence.
fn checked(address: &str) -> Result<String> {
    let uri = address.parse::<http::Uri>().ok().filter(|uri| uri.host().is_some());
    let scheme = match &uri {
        Some(uri) => uri.scheme_str().unwrap_or("http"),
        None => "",
    };
    match scheme {
        "http" | "socks5" | "socks5h" => Ok(address.to_owned()),
        // What stands there may be a password.
        _ => Err(Error::Input(
            "the proxy's address must look like http://HOST:PORT or socks5://HOST:PORT".into(),
        )),
    }
}

/// Rules that were read.
#[derive(Clone)]
pub(super) struct ProxyRules {
    matcher: Arc<Matcher>,
    spares_loopback: bool,
}

impl ProxyRules {
    /// A connection to a host, if there is a proxy for it.
    pub(super) async fn connect(&self, uri: &http::Uri) -> Result<Option<TcpStream>, HttpError> {
        if self.spares_loopback && is_loopback(uri) {
            return Ok(None);
        }
        let Some(proxy) = self.matcher.intercept(uri) else { return Ok(None) };
        through(&proxy, uri).await.map(Some)
    }
}

fn is_loopback(uri: &http::Uri) -> bool {
    let host = uri.host().unwrap_or_default().trim_matches(['[', ']']);
    let address = host.parse::<std::net::IpAddr>();
    host.eq_ignore_ascii_case("localhost") || address.is_ok_and(|address| address.is_loopback())
}

async fn through(proxy: &Intercept, uri: &http::Uri) -> Result<TcpStream, HttpError> {
    let address = proxy.uri().clone();
    let target = with_port(uri)?;
    let failed = |why: String| HttpError(Kind::Proxy(why));
    let stream = if address.scheme_str().is_some_and(|scheme| scheme.starts_with("socks5")) {
        let mut socks = SocksV5::new(address, ToProxy);
        if let Some((user, password)) = proxy.raw_auth() {
            socks = socks.with_auth(user.to_owned(), password.to_owned());
        }
        socks.call(target).await.map_err(|e| failed(e.to_string()))?
    } else {
        let mut tunnel = Tunnel::new(address, ToProxy);
        if let Some(auth) = proxy.basic_auth() {
            tunnel = tunnel.with_auth(auth.clone());
        }
        tunnel.call(target).await.map_err(|e| failed(e.to_string()))?
    };
    Ok(stream.into_inner())
}

/// Both kinds of proxies must be told a port.
fn with_port(uri: &http::Uri) -> Result<http::Uri, HttpError> {
    let host = uri.host().ok_or(HttpError(Kind::UnknownHost))?;
    let secure = uri.scheme_str() == Some("https");
    let port = uri.port_u16().unwrap_or(if secure { 443 } else { 80 });
    let scheme = if secure { "https" } else { "http" };
    format!("{scheme}://{host}:{port}/").parse().map_err(|_| HttpError(Kind::UnknownHost))
}

/// Connects to the proxy itself.
struct ToProxy;

impl Service<http::Uri> for ToProxy {
    type Response = TokioIo<TcpStream>;
    type Error = std::io::Error;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, Self::Error>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, proxy: http::Uri) -> Self::Future {
        Box::pin(async move {
            let usual = if proxy.scheme_str() == Some("http") { 80 } else { 1080 };
            let host = proxy.host().unwrap_or_default().trim_matches(['[', ']']).to_owned();
            let port = proxy.port_u16().unwrap_or(usual);
            let connected = tcp::connect(&host, port).await;
            connected.map(TokioIo::new).map_err(|e| std::io::Error::other(e.to_string()))
        })
    }
}
