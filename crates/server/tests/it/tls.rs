//! TLS beside plain HTTP: with 1.2 as official clients speak it, proven by the server's own authority.

use std::path::Path;
use std::sync::Arc;

use rustls::crypto::aws_lc_rs;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, RootCertStore, SupportedProtocolVersion, version};
use serde_json::json;
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

use crate::http::{Connection, split};
use crate::world::{Account, EMAIL, PASSWORD, builder};

/// A connection to the server that proves to be `name` to whoever trusts `ca`.
async fn connect(
    url: &str,
    ca: &Path,
    name: &str,
    version: &'static SupportedProtocolVersion,
) -> std::io::Result<Connection> {
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_file(ca).unwrap()).unwrap();
    let config = ClientConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
        .with_protocol_versions(&[version])
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    let host = split(url).0.to_owned();
    let stream = TcpStream::connect(&host).await?;
    let name = ServerName::try_from(name.to_owned()).unwrap();
    let stream = TlsConnector::from(Arc::new(config)).connect(name, stream).await?;
    Ok(Connection::over(stream, host))
}

#[tokio::test]
async fn both_versions_are_spoken_and_storage_follows_the_scheme() {
    let server = builder().tls_listen(([127, 0, 0, 1], 0).into()).spawn().await.unwrap();
    let account = Account::login(&server, EMAIL, PASSWORD).await;
    let [root, ..] = account.roots().await;
    let file = account.file(&root, b"content").await;
    let (url, ca) = (server.tls_url().unwrap(), server.ca_file().unwrap());
    for version in [&version::TLS12, &version::TLS13] {
        let mut connection = connect(url, &ca, "127.0.0.1", version).await.unwrap();
        let path = format!("/cs?id=1{}&v=3", account.who);
        let body = json!([{ "a": "g", "g": 1, "ssl": 2, "n": file }]).to_string();
        let answer = connection.request("POST", &path, "", body.as_bytes()).await.unwrap();
        let reply: serde_json::Value = serde_json::from_slice(&answer.body).unwrap();
        let source = reply[0]["g"].as_str().unwrap();
        assert!(source.starts_with(url), "{source} is not at {url}");
        let path = format!("{}/0-6", split(source).1);
        let answer = connection.request("POST", &path, "", b"").await.unwrap();
        assert_eq!(answer.body, b"content");
    }
    assert!(account.source(&file).await.starts_with("HTTP://"));
}

#[tokio::test]
async fn a_data_folder_keeps_its_authority_and_others_are_not_trusted() {
    let folder = tempfile::tempdir().unwrap();
    let start = || builder().data_dir(folder.path()).tls_listen(([127, 0, 0, 1], 0).into());
    let server = start().tls_name("g.api.example").spawn().await.unwrap();
    let ca = folder.path().join("kept.pem");
    std::fs::copy(server.ca_file().unwrap(), &ca).unwrap();
    server.shutdown().await;

    let server = start().tls_name("g.api.example").spawn().await.unwrap();
    let url = server.tls_url().unwrap();
    for name in ["g.api.example", "localhost"] {
        assert!(connect(url, &ca, name, &version::TLS12).await.is_ok(), "{name} is not trusted");
    }
    assert!(connect(url, &ca, "other.example", &version::TLS12).await.is_err());
    let other = builder().tls_listen(([127, 0, 0, 1], 0).into()).spawn().await.unwrap();
    let foreign = other.ca_file().unwrap();
    assert!(connect(url, &foreign, "localhost", &version::TLS12).await.is_err());
}

#[cfg(unix)]
#[tokio::test]
async fn nobody_else_may_read_the_authoritys_key() {
    use std::os::unix::fs::PermissionsExt;
    let server = builder().tls_listen(([127, 0, 0, 1], 0).into()).spawn().await.unwrap();
    let key = server.ca_file().unwrap().with_file_name("ca-key.pem");
    assert_eq!(std::fs::metadata(key).unwrap().permissions().mode() & 0o777, 0o600);
}
