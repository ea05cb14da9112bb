//! Where the service is and how it is reached: the start of everything.

use std::num::NonZero;
use std::sync::Arc;
use std::time::Duration;

use supermega_protocol::Drift;

#[cfg(feature = "cache")]
use crate::cache::CacheDir;
use crate::drift_log::DriftLog;
use crate::error::{Error, Result};
use crate::transport::{
    Authentication, Budget, Channel, ChannelOptions, Http, HyperHttp, Limits, Proxy,
};

/// MEGA's own address.
pub const API_URL: &str = "https://g.api.mega.co.nz/";

/// Knows where the service is. Cheap to clone; all clones and sessions share connections.
#[derive(Clone)]
pub struct Client {
    options: ChannelOptions,
    #[cfg(feature = "cache")]
    cache: Option<CacheDir>,
}

impl std::fmt::Debug for Client {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Client").field("api_url", &self.options.api_url).finish_non_exhaustive()
    }
}

impl Client {
    /// Chooses how to reach the service.
    ///
    /// ```
    /// let client = supermega::Client::builder().api_url("http://127.0.0.1:9000").build()?;
    /// assert_eq!(client.api_url(), "http://127.0.0.1:9000/");
    /// # Ok::<(), supermega::Error>(())
    /// ```
    pub fn builder() -> ClientBuilder {
        ClientBuilder::default()
    }

    /// The service's address, with a slash at its end.
    #[must_use]
    pub fn api_url(&self) -> &str {
        &self.options.api_url
    }

    /// What the service's answers had that this library does not know, each once.
    #[must_use]
    pub fn drift(&self) -> Vec<Drift> {
        self.options.drift.seen()
    }

    pub(crate) fn drift_log(&self) -> DriftLog {
        self.options.drift.clone()
    }

    /// Where trees are kept between runs.
    #[cfg(feature = "cache")]
    pub(crate) fn cache_dir(&self) -> Option<&CacheDir> {
        self.cache.as_ref()
    }

    /// Whether trees are kept between runs.
    #[cfg(feature = "cache")]
    pub(crate) fn has_cache(&self) -> bool {
        self.cache.is_some()
    }

    /// Whether trees are kept between runs.
    #[cfg(not(feature = "cache"))]
    #[allow(clippy::unused_self, reason = "it is a question to a client")]
    pub(crate) fn has_cache(&self) -> bool {
        false
    }

    /// A client for another runtime, with connections of its own.
    #[cfg(feature = "cache")]
    pub(crate) fn apart(&self) -> Self {
        let mut apart = self.clone();
        if let Some(http) = self.options.http.apart() {
            apart.options.http = http;
        }
        apart
    }

    pub(crate) fn options(&self) -> &ChannelOptions {
        &self.options
    }

    pub(crate) fn channel(&self, authentication: &Authentication) -> Result<Channel> {
        Channel::open(self.options.clone(), authentication)
    }
}

/// Builds a [`Client`].
#[derive(Clone)]
#[must_use]
pub struct ClientBuilder {
    api_url: String,
    http: Option<Arc<dyn Http>>,
    proxy: Option<Proxy>,
    authorities: Vec<Vec<u8>>,
    timeout: Duration,
    patience: Duration,
    stall_timeout: Duration,
    limits: Limits,
    #[cfg(feature = "cache")]
    cache: Option<CacheDir>,
}

impl Default for ClientBuilder {
    fn default() -> Self {
        Self {
            api_url: API_URL.into(),
            http: None,
            proxy: None,
            authorities: Vec::new(),
            timeout: Duration::from_secs(15),
            patience: Duration::from_mins(5),
            stall_timeout: Duration::from_mins(1),
            limits: Limits::default(),
            #[cfg(feature = "cache")]
            cache: None,
        }
    }
}

impl std::fmt::Debug for ClientBuilder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ClientBuilder").field("api_url", &self.api_url).finish_non_exhaustive()
    }
}

impl ClientBuilder {
    /// The service's address; MEGA's own unless said otherwise.
    pub fn api_url(mut self, url: impl Into<String>) -> Self {
        self.api_url = url.into();
        self
    }

    /// Another way to the network than hyper.
    pub fn http(mut self, http: impl Http) -> Self {
        self.http = Some(Arc::new(http));
        self
    }

    /// Reaches the service through a proxy; without one unless said otherwise, whatever the environment says.
    pub fn proxy(mut self, proxy: Proxy) -> Self {
        self.proxy = Some(proxy);
        self
    }

    /// Trusts the certificate authorities of a PEM file too, beside those of the operating system.
    pub fn trust(mut self, pem: impl Into<Vec<u8>>) -> Self {
        self.authorities.push(pem.into());
        self
    }

    /// How long to try to reach a host that refuses or cannot be found; 15 seconds unless said
    /// otherwise.
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }

    /// How long to go on when the server is busy or the network fails; 5 minutes unless said otherwise.
    pub fn patience(mut self, patience: Duration) -> Self {
        self.patience = patience;
        self
    }

    /// How long a storage server may show no sign before its request is given up and sent again; a minute
    /// unless said otherwise.
    pub fn stall_timeout(mut self, timeout: Duration) -> Self {
        self.stall_timeout = timeout;
        self
    }

    /// How many bytes all transfers to and from files together may hold in memory; 96 MiB unless said
    /// otherwise.
    pub fn transfer_memory(mut self, bytes: usize) -> Self {
        self.limits.memory = bytes;
        self
    }

    /// How many storage requests all transfers together may have under way; 64 unless said otherwise.
    pub fn transfer_connections(mut self, connections: usize) -> Self {
        self.limits.connections = connections;
        self
    }

    /// How many bytes a second all transfers together may move; no limit unless said otherwise.
    pub fn limit_rate(mut self, bytes: NonZero<u64>) -> Self {
        self.limits.rate = Some(bytes);
        self
    }

    /// Keeps the trees of accounts and folder links in this directory, one file each, so that the next run asks
    /// only for what has changed since; none are kept unless this is said. The directory is made when it is
    /// needed. Names and keys stay encrypted in it; sizes, times, the shape of the tree and addresses of contacts
    /// can be read. A file that cannot be used is made anew, and where that is not possible, everything goes on
    /// without.
    #[cfg(feature = "cache")]
    pub fn cache_dir(mut self, dir: impl Into<std::path::PathBuf>) -> Self {
        self.cache = Some(CacheDir(dir.into()));
        self
    }

    /// Makes the client. Nothing is sent yet.
    pub fn build(self) -> Result<Client> {
        let mut api_url = self.api_url;
        if !api_url.ends_with('/') {
            api_url.push('/');
        }
        let uri = api_url.parse::<http::Uri>().ok();
        let scheme = uri.as_ref().and_then(|uri| uri.scheme_str());
        if !matches!(scheme, Some("http" | "https")) || api_url.contains('?') {
            let text = format!("the API address must look like {API_URL}, not {api_url}");
            return Err(Error::Input(text));
        }
        let http = if let Some(http) = self.http {
            http
        } else {
            let mut http = HyperHttp::new(self.timeout);
            if let Some(proxy) = &self.proxy {
                http = http.with_proxy(proxy)?;
            }
            for pem in &self.authorities {
                http = http.trusting(pem)?;
            }
            Arc::new(http)
        };
        let options = ChannelOptions {
            api_url,
            http,
            connect_patience: self.timeout,
            busy_patience: self.patience,
            stall_timeout: self.stall_timeout,
            budget: Arc::new(Budget::new(self.limits)),
            drift: DriftLog::default(),
        };
        Ok(Client {
            options,
            #[cfg(feature = "cache")]
            cache: self.cache,
        })
    }
}
