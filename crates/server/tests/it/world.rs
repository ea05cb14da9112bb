//! A server with users, and what a client must know to speak to it.

use std::sync::atomic::{AtomicU64, Ordering};

use serde_json::{Value, json};
use supermega_crypto::{PrivateKey, Salt, derive_v2};
use supermega_encoding::base64;
use supermega_server::{KdfVersion, Server, ServerBuilder, ServerHandle};

use crate::http;

pub const EMAIL: &str = "me@example.org";
pub const PASSWORD: &str = "secret";
/// Attributes that no server can read.
pub const ATTRIBUTES: &str = "AAECAwQFBgcICQoLDA0ODw";

/// The fixed RSA key of the known-answer vectors: making one takes time.
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

/// A server and its only user, logged in.
pub async fn world() -> (ServerHandle, Account) {
    let server = server().await;
    let account = Account::login(&server, EMAIL, PASSWORD).await;
    (server, account)
}

/// A client that is logged in, or a guest.
#[derive(Clone)]
pub struct Account {
    pub url: String,
    /// The query's part that says who it is: `&sid=…`, `&n=…` or nothing.
    pub who: String,
    pub user: String,
}

impl Account {
    pub fn guest(server: &ServerHandle) -> Self {
        Self { url: server.url().to_owned(), who: String::new(), user: String::new() }
    }

    /// The view through a folder link.
    pub fn through(&self, link: &str) -> Self {
        Self { who: format!("&n={link}"), user: String::new(), ..self.clone() }
    }

    pub async fn login(server: &ServerHandle, email: &str, password: &str) -> Self {
        let guest = Self::guest(server);
        let salt = guest.v3(json!({ "a": "us0", "user": email })).await;
        let salt = base64::decode(salt["s"].as_str().unwrap()).unwrap();
        let (key, proof) = derive_v2(password, &Salt::from_bytes(salt.try_into().unwrap()));
        let proof = base64::encode(proof.as_bytes());
        let sek = base64::encode(&[7; 16]);
        let login = guest.v3(json!({ "a": "us", "user": email, "uh": proof, "sek": sek })).await;
        let bytes = |name: &str| base64::decode(login[name].as_str().unwrap()).unwrap();
        let master = key.unwrap(&bytes("k").try_into().unwrap());
        let user = login["u"].as_str().unwrap().to_owned();
        let private = master.unwrap_private_key(&bytes("privk")).unwrap();
        let sid = private.session_id(&bytes("csid"), user.parse().unwrap()).unwrap();
        Self { who: format!("&sid={}", sid.to_text()), user, ..guest }
    }

    /// Sends a body to `cs` with a fresh request id.
    pub async fn send(&self, version: &str, body: &str) -> String {
        static ID: AtomicU64 = AtomicU64::new(1);
        self.send_as(ID.fetch_add(1, Ordering::Relaxed), version, body).await
    }

    /// Sends a body to `cs` with a given request id.
    pub async fn send_as(&self, id: u64, version: &str, body: &str) -> String {
        let url = format!("{}cs?id={id}{}{version}", self.url, self.who);
        let answer = http::post(&url, body.as_bytes()).await;
        assert_eq!(answer.status, 200);
        answer.text()
    }

    /// One command in the current grammar.
    pub async fn v3(&self, command: Value) -> Value {
        only(&self.send("&v=3", &json!([command]).to_string()).await)
    }

    /// One command in the grammar of older clients.
    pub async fn legacy(&self, command: Value) -> Value {
        only(&self.send("", &json!([command]).to_string()).await)
    }

    /// The handles of the three roots.
    pub async fn roots(&self) -> [String; 3] {
        let tree = self.v3(json!({ "a": "f", "c": 1, "r": 1 })).await;
        [2, 3, 4].map(|kind| {
            let root = tree["f"].as_array().unwrap().iter().find(|node| node["t"] == kind);
            root.unwrap()["h"].as_str().unwrap().to_owned()
        })
    }

    /// Puts elements below `target` and gives the new handles.
    pub async fn put(&self, target: &str, elements: Value) -> Vec<String> {
        let reply = self.v3(json!({ "a": "p", "v": 4, "t": target, "n": elements })).await;
        assert_eq!(reply[1]["e"], json!([]), "{reply}");
        let made = reply[1]["fh"].as_array().unwrap();
        made.iter().map(|made| made.as_str().unwrap()[..8].to_owned()).collect()
    }

    pub async fn folder(&self, target: &str) -> String {
        self.put(target, json!([folder()])).await.remove(0)
    }

    /// Uploads bytes and puts them below `target`.
    pub async fn file(&self, target: &str, content: &[u8]) -> String {
        let token = self.upload(content).await;
        self.put(target, json!([file(&token)])).await.remove(0)
    }

    /// Uploads bytes in one piece and gives the token's text.
    pub async fn upload(&self, content: &[u8]) -> String {
        let url = self.v3(json!({ "a": "u", "s": content.len(), "v": 3 })).await;
        let url = format!("{}/0", url["p"].as_str().unwrap());
        let answer = http::post(&url, content).await;
        assert_eq!((answer.status, answer.body.len()), (200, 36));
        base64::encode(&answer.body)
    }

    /// The address of a file's bytes.
    pub async fn source(&self, node: &str) -> String {
        let reply = self.v3(json!({ "a": "g", "g": 1, "n": node })).await;
        reply["g"].as_str().unwrap_or_else(|| panic!("{reply}")).to_owned()
    }

    /// The current nodes as they are listed, by handle.
    pub async fn node(&self, handle: &str) -> Option<Value> {
        let tree = self.v3(json!({ "a": "f", "c": 1, "r": 1 })).await;
        let lists = ["f", "f2"].into_iter().filter_map(|list| tree[list].as_array());
        lists.flatten().find(|node| node["h"] == handle).cloned()
    }
}

/// The only result of a batch.
fn only(body: &str) -> Value {
    let value: Value = serde_json::from_str(body).unwrap();
    match value.as_array() {
        Some(results) if results.len() == 1 => results[0].clone(),
        _ => value,
    }
}

/// An element that makes a folder.
pub fn folder() -> Value {
    json!({ "h": "xxxxxxxx", "t": 1, "a": ATTRIBUTES, "k": base64::encode(&[5; 16]) })
}

/// An element that makes a file of an upload, or of a node.
pub fn file(source: &str) -> Value {
    json!({ "h": source, "t": 0, "a": ATTRIBUTES, "k": base64::encode(&[6; 32]) })
}

/// An element with another member.
pub fn with(mut element: Value, name: &str, value: impl Into<Value>) -> Value {
    element[name] = value.into();
    element
}
