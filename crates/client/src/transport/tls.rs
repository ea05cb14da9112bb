//! TLS: the operating system's trust store, and authorities that the caller adds.

use std::sync::{Arc, OnceLock};

use rustls::ClientConfig;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls_platform_verifier::{BuilderVerifierExt, Verifier};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use super::http::HttpError;
use crate::error::{Error, NetworkErrorKind as Kind, Result};

/// What servers must prove to whom. Trust stores are read when the first server is met.
#[derive(Clone, Default)]
pub(super) struct Tls {
    authorities: Vec<CertificateDer<'static>>,
    config: OnceLock<Arc<ClientConfig>>,
}

impl Tls {
    /// Trusts the authorities of a PEM file too.
    pub(super) fn trust(&mut self, pem: &[u8]) -> Result<()> {
        let bad = || Error::Input("the file of authorities holds no certificates in PEM".into());
        let read: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(pem).collect();
        let read = read.map_err(|_| bad())?;
        if read.is_empty() {
            return Err(bad());
        }
        self.authorities.extend(read);
        Ok(())
    }

    /// Makes a connection secure.
    pub(super) async fn connect(
        &self,
        host: String,
        tcp: TcpStream,
    ) -> Result<TlsStream<TcpStream>, HttpError> {
        let bad = |text: String| HttpError(Kind::Tls(text));
        let name = ServerName::try_from(host).map_err(|e| bad(e.to_string()))?;
        let connector = TlsConnector::from(self.config().map_err(|e| bad(e.to_string()))?);
        connector.connect(name, tcp).await.map_err(|e| bad(e.to_string()))
    }

    fn config(&self) -> Result<Arc<ClientConfig>, rustls::Error> {
        if let Some(config) = self.config.get() {
            return Ok(config.clone());
        }
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let builder = ClientConfig::builder_with_provider(provider.clone())
            .with_safe_default_protocol_versions()?;
        let config = if self.authorities.is_empty() {
            builder.with_platform_verifier()?
        } else {
            let verifier = Verifier::new_with_extra_roots(self.authorities.clone(), provider)?;
            builder.dangerous().with_custom_certificate_verifier(Arc::new(verifier))
        };
        let config = config.with_no_client_auth();
        Ok(self.config.get_or_init(|| Arc::new(config)).clone())
    }
}
