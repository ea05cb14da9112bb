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

pub const OTHER: &str = "you@example.org";
pub const OTHER_PASSWORD: &str = "theirs";

/// A server with two users.
pub async fn server_of_two() -> ServerHandle {
    let server = Server::builder().user_with_key(EMAIL, PASSWORD, KdfVersion::V2, rsa());
    let server = server.user_with_key(OTHER, OTHER_PASSWORD, KdfVersion::V2, rsa());
    server.spawn().await.unwrap()
}

/// A fresh session of the other user.
pub async fn other(server: &ServerHandle) -> Session {
    client(server).login(OTHER, OTHER_PASSWORD).await.unwrap()
}

/// Both users, in contact with each other.
pub async fn contacts(server: &ServerHandle) -> (Session, Session) {
    let (me, you) = (session(server).await, other(server).await);
    me.invite(OTHER, Some("hello")).await.unwrap();
    you.answer(EMAIL, supermega::Answer::Accept).await.unwrap();
    (me, you)
}

/// The node at a path.
pub async fn at(session: &Session, path: &str) -> supermega::Node {
    session.tree().await.unwrap().at(&path.parse().unwrap()).unwrap()
}

/// Uploads `content(size)` into a folder.
pub async fn put(session: &Session, folder: &supermega::Node, name: &str, size: usize) {
    let bytes = content(size);
    let upload = session.upload(folder).name(name);
    upload.from_reader(size as u64, bytes.as_slice()).await.unwrap();
}

/// The content of the file at a path.
pub async fn read(session: &Session, path: &str) -> Vec<u8> {
    let mut bytes = Vec::new();
    let node = at(session, path).await;
    session.download(&node).unwrap().to_writer(&mut bytes).await.unwrap();
    bytes
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
