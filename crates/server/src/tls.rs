//! TLS: an authority of the server's own, and a certificate by it for the hosts that clients know.
//!
//! TLS 1.2 stays on, since official clients speak no other (`protocol-api.md` 1.3).

use std::fs::OpenOptions;
use std::io::{self, Write};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::path::Path;
use std::sync::Arc;

use rcgen::{
    BasicConstraints, CertificateParams, DistinguishedName, DnType, ExtendedKeyUsagePurpose, IsCa,
    Issuer, KeyPair, KeyUsagePurpose, SanType,
};
use rustls::ServerConfig;
use rustls::crypto::aws_lc_rs;
use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use tokio_rustls::TlsAcceptor;
use zeroize::Zeroizing;

use crate::error::ServerError;

/// The authority's certificate, in the data folder.
pub(crate) const CA_FILE: &str = "ca.pem";
/// Its key, beside it.
const KEY_FILE: &str = "ca-key.pem";

/// Who signs the server's certificate: made once for a data folder, so that clients need to trust it once.
pub(crate) struct Authority(Issuer<'static, KeyPair>);

impl Authority {
    /// Finds or makes the authority of a data folder.
    pub(crate) fn open(data: &Path) -> Result<Self, ServerError> {
        let (certificate, key) = (data.join(CA_FILE), data.join(KEY_FILE));
        let failed = |path: &Path| {
            let path = path.to_owned();
            move |source| ServerError::Data { path, source }
        };
        // Only its key tells one authority from another.
        let pair = match std::fs::read_to_string(&key) {
            Ok(secret) if certificate.exists() => {
                return Ok(Self(Issuer::new(authority_params(), parse(secret)?)));
            }
            Ok(secret) => parse(secret)?,
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                let pair = KeyPair::generate()?;
                let secret = Zeroizing::new(pair.serialize_pem());
                write_secret(&key, &secret).map_err(failed(&key))?;
                pair
            }
            Err(error) => return Err(failed(&key)(error)),
        };
        let own = authority_params().self_signed(&pair)?;
        std::fs::write(&certificate, own.pem()).map_err(failed(&certificate))?;
        Ok(Self(Issuer::new(authority_params(), pair)))
    }

    /// Takes connections as this machine, and as the hosts of these names.
    pub(crate) fn acceptor(&self, names: &[String]) -> Result<TlsAcceptor, ServerError> {
        let key = KeyPair::generate()?;
        let certificate = host_params(names)?.signed_by(&key, &self.0)?;
        let secret = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.serialize_der()));
        let config = ServerConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
            .with_safe_default_protocol_versions()
            .and_then(|builder| {
                builder
                    .with_no_client_auth()
                    .with_single_cert(vec![certificate.der().clone()], secret)
            })
            .map_err(|error| ServerError::Certificates(error.to_string()))?;
        Ok(TlsAcceptor::from(Arc::new(config)))
    }
}

fn parse(secret: String) -> Result<KeyPair, ServerError> {
    Ok(KeyPair::from_pem(&Zeroizing::new(secret))?)
}

impl From<rcgen::Error> for ServerError {
    fn from(error: rcgen::Error) -> Self {
        Self::Certificates(error.to_string())
    }
}

/// The authority and the host have different names: clients that use OpenSSL take a certificate
/// that is its own issuer's namesake for self-signed.
fn authority_params() -> CertificateParams {
    let mut params = CertificateParams::default();
    params.distinguished_name = name("Supermega local authority");
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    params
}

fn host_params(names: &[String]) -> Result<CertificateParams, ServerError> {
    let mut known = vec!["localhost".to_owned()];
    known.extend_from_slice(names);
    let mut params = CertificateParams::new(known)?;
    for address in [IpAddr::from(Ipv4Addr::LOCALHOST), IpAddr::from(Ipv6Addr::LOCALHOST)] {
        params.subject_alt_names.push(SanType::IpAddress(address));
    }
    params.distinguished_name = name("Supermega local server");
    params.use_authority_key_identifier_extension = true;
    params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    Ok(params)
}

fn name(common: &str) -> DistinguishedName {
    let mut name = DistinguishedName::new();
    name.push(DnType::CommonName, common);
    name
}

/// Writes a file that nobody else may read.
pub(crate) fn write_secret(path: &Path, text: &str) -> io::Result<()> {
    let mut options = OpenOptions::new();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)?.write_all(text.as_bytes())
}
