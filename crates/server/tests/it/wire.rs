//! A client that sends exactly what a test says, over a socket of its own.

use std::fmt::Write;

use serde_json::{Value, json};
use supermega_crypto::{MasterKey, NodeKey, PasswordKey, PrivateKey, derive_v2};
use supermega_encoding::{UserHandle, base64};
use supermega_server::{KdfVersion, Server, ServerBuilder, ServerHandle};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

pub const EMAIL: &str = "me@example.org";
pub const PASSWORD: &str = "secret";

/// An answer with its head as it stood on the wire.
#[derive(Debug)]
pub struct Answer {
    pub head: String,
    pub body: Vec<u8>,
}

impl Answer {
    pub fn status(&self) -> u16 {
        self.head.split(' ').nth(1).unwrap().parse().unwrap()
    }

    pub fn text(&self) -> &str {
        std::str::from_utf8(&self.body).unwrap()
    }
}

/// The fixed RSA key of the known-answer vectors.
pub fn rsa() -> PrivateKey {
    let vectors = include_str!("../../../../docs/protocol/vectors-auth.json");
    let vectors: Value = serde_json::from_str(vectors).unwrap();
    let hex = vectors["rsa"]["privk_plain_hex"].as_str().unwrap();
    let plain: Vec<u8> = (0..hex.len() / 2)
        .map(|i| u8::from_str_radix(&hex[2 * i..2 * i + 2], 16).unwrap())
        .collect();
    PrivateKey::parse(&plain).unwrap()
}

pub fn builder() -> ServerBuilder {
    Server::builder().user_with_key(EMAIL, PASSWORD, KdfVersion::V2, rsa())
}

pub async fn server() -> ServerHandle {
    builder().spawn().await.unwrap()
}

/// Sends one request and reads until the server closes the connection.
pub async fn send(url: &str, method: &str, path: &str, headers: &str, body: &[u8]) -> Answer {
    let host = url.trim_start_matches("http://").trim_end_matches('/');
    let mut stream = TcpStream::connect(host).await.unwrap();
    let mut head = format!("{method} {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n");
    write!(head, "Content-Length: {}\r\n{headers}\r\n", body.len()).unwrap();
    stream.write_all(head.as_bytes()).await.unwrap();
    stream.write_all(body).await.unwrap();
    let mut answer = Vec::new();
    let _ = stream.read_to_end(&mut answer).await;
    let end = answer.windows(4).position(|four| four == b"\r\n\r\n").unwrap_or(answer.len());
    let head = String::from_utf8_lossy(&answer[..end]).into_owned();
    Answer { head, body: answer.get(end + 4..).unwrap_or_default().to_vec() }
}

/// The path of an address that the server gave out.
pub fn path_of(url: &str) -> String {
    let rest = url.split_once("://").unwrap().1;
    format!("/{}", rest.split_once('/').unwrap().1)
}

/// Somebody who is logged in.
pub struct User {
    pub url: String,
    pub sid: String,
    pub handle: UserHandle,
    pub master: MasterKey,
}

impl User {
    pub async fn login(server: &ServerHandle) -> Self {
        Self::login_as(server, EMAIL, PASSWORD).await
    }

    pub async fn login_as(server: &ServerHandle, email: &str, password: &str) -> Self {
        let url = server.url().to_owned();
        let prelogin = call(&url, "", &json!({"a": "us0", "user": email})).await;
        let salt = base64::decode_array("salt", prelogin["s"].as_str().unwrap()).unwrap();
        let (key, proof): (PasswordKey, _) =
            derive_v2(password, &supermega_crypto::Salt::from_bytes(salt));
        let proof = base64::encode(proof.as_bytes());
        let reply = call(&url, "", &json!({"a": "us", "user": email, "uh": proof})).await;
        let handle: UserHandle = reply["u"].as_str().unwrap().parse().unwrap();
        let wrapped = base64::decode_array("k", reply["k"].as_str().unwrap()).unwrap();
        let master = key.unwrap(&wrapped);
        let privk = base64::decode(reply["privk"].as_str().unwrap()).unwrap();
        let csid = base64::decode(reply["csid"].as_str().unwrap()).unwrap();
        let rsa = master.unwrap_private_key(&privk).unwrap();
        let sid = rsa.session_id(&csid, handle).unwrap().to_text();
        Self { url, sid: sid.as_str().to_owned(), handle, master }
    }

    /// Sends a command in the older grammar.
    pub async fn call(&self, command: &Value) -> Value {
        call(&self.url, &format!("&sid={}", self.sid), command).await
    }

    /// Sends a command in the current grammar.
    pub async fn call_v3(&self, command: &Value) -> Value {
        call(&self.url, &format!("&sid={}&v=3", self.sid), command).await
    }

    pub async fn root(&self) -> String {
        let tree = self.call(&json!({"a": "f", "c": 1})).await;
        let nodes = tree["f"].as_array().unwrap();
        let root = nodes.iter().find(|node| node["t"] == 2).unwrap();
        root["h"].as_str().unwrap().to_owned()
    }

    /// A wrapped key of a new folder.
    pub fn folder_key(&self) -> String {
        let key = NodeKey::Folder(supermega_crypto::FolderKey::generate().unwrap());
        base64::encode(&self.master.wrap_node_key(&key))
    }

    pub async fn mkdir(&self, parent: &str) -> String {
        let node = json!({"h": "xxxxxxxx", "t": 1, "a": "AAAA", "k": self.folder_key()});
        let made = self.call(&json!({"a": "p", "t": parent, "n": [node]})).await;
        made["f"][0]["h"].as_str().unwrap().to_owned()
    }

    /// Uploads bytes as they are, and gives the new node.
    pub async fn store(&self, parent: &str, bytes: &[u8]) -> String {
        let address = self.call(&json!({"a": "u", "s": bytes.len()})).await;
        let path = path_of(address["p"].as_str().unwrap());
        let token = send(&self.url, "POST", &format!("{path}/0"), "", bytes).await;
        let made = self.put(parent, token.text()).await;
        made["f"][0]["h"].as_str().unwrap().to_owned()
    }

    pub async fn put(&self, parent: &str, token: &str) -> Value {
        let key = base64::encode(&[7; 32]);
        let node = json!({"h": token, "t": 0, "a": "AAAA", "k": key});
        self.call(&json!({"a": "p", "t": parent, "n": [node]})).await
    }
}

/// Sends one command; every request has an id of its own.
pub async fn call(url: &str, query: &str, command: &Value) -> Value {
    use std::sync::atomic::{AtomicU64, Ordering};
    static NEXT: AtomicU64 = AtomicU64::new(1);
    let id = NEXT.fetch_add(1, Ordering::Relaxed);
    let body = json!([command]).to_string();
    let answer = send(url, "POST", &format!("/cs?id={id}{query}"), "", body.as_bytes()).await;
    assert_eq!(answer.status(), 200, "{}", answer.head);
    match serde_json::from_slice(&answer.body).unwrap() {
        Value::Array(mut results) => results.remove(0),
        whole => whole,
    }
}
