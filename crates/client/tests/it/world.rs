//! A server with one user, and a client that is pointed at it.

use std::time::Duration;

use supermega::{Client, Session};
use supermega_crypto::PrivateKey;
use supermega_server::{KdfVersion, Server, ServerHandle};

pub const EMAIL: &str = "me@example.org";
pub const PASSWORD: &str = "pässwörd & more";

/// The fixed RSA key of the known-answer vectors: making one takes time.
pub fn rsa() -> PrivateKey {
    let vectors = include_str!("../../../../docs/protocol/vectors-auth.json");
    let vectors: serde_json::Value = serde_json::from_str(vectors).unwrap();
    let hex = vectors["rsa"]["privk_plain_hex"].as_str().unwrap();
    let plain: Vec<u8> = (0..hex.len() / 2)
        .map(|i| u8::from_str_radix(&hex[2 * i..2 * i + 2], 16).unwrap())
        .collect();
    PrivateKey::parse(&plain).unwrap()
}

pub async fn server() -> ServerHandle {
    let user = Server::builder().user_with_key(EMAIL, PASSWORD, KdfVersion::V2, rsa());
    user.spawn().await.unwrap()
}

pub fn client(server: &ServerHandle) -> Client {
    Client::builder()
        .api_url(server.url())
        .timeout(Duration::from_millis(300))
        .patience(Duration::from_secs(20))
        .build()
        .unwrap()
}

pub async fn session(server: &ServerHandle) -> Session {
    client(server).login(EMAIL, PASSWORD).await.unwrap()
}

/// Bytes that repeat nowhere near a chunk's length.
pub fn content(size: usize) -> Vec<u8> {
    (0..size).map(|i| (i ^ (i >> 8) ^ (i >> 16)).to_le_bytes()[0].wrapping_mul(37)).collect()
}

/// Uploads `content(size)` under a name.
pub async fn upload(session: &Session, name: &str, size: usize) -> supermega::Node {
    let root = session.tree().await.unwrap().root().unwrap();
    let bytes = content(size);
    let upload = session.upload(&root).name(name);
    upload.from_reader(size as u64, bytes.as_slice()).await.unwrap()
}
