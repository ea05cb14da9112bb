//! A man in the middle, who changes what an honest server answers.

use std::sync::{Arc, Mutex};

use serde_json::{Value, json};
use supermega::{AuthenticationError, Client, ClientBuilder, Error, Session};
use supermega_encoding::base64;
use supermega_server::ServerHandle;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use crate::world::{EMAIL, PASSWORD};

/// Changes the result of a command.
type Tamper = Box<dyn FnMut(&Value, &mut Value) + Send>;

/// Stands between a client and an honest server.
pub struct Hostile {
    url: String,
    tamper: Arc<Mutex<Tamper>>,
    commands: Arc<Mutex<Vec<String>>>,
}

impl Hostile {
    pub async fn before(server: &ServerHandle) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/", listener.local_addr().unwrap());
        let honest = server.url().trim_start_matches("http://").trim_end_matches('/').to_owned();
        let tamper: Arc<Mutex<Tamper>> = Arc::new(Mutex::new(Box::new(|_, _| {})));
        let commands = Arc::new(Mutex::new(Vec::new()));
        let (shared, log) = (tamper.clone(), commands.clone());
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let (honest, tamper, log) = (honest.clone(), shared.clone(), log.clone());
                tokio::spawn(async move { relay(stream, &honest, &tamper, &log).await });
            }
        });
        Self { url, tamper, commands }
    }

    /// From now on each result of a command goes through this, and each answer to a poll for packets, as if that
    /// were a command `sc`.
    pub fn change(&self, tamper: impl FnMut(&Value, &mut Value) + Send + 'static) {
        *self.tamper.lock().unwrap() = Box::new(tamper);
    }

    /// From now on the results of one command do.
    pub fn change_result(
        &self,
        name: &'static str,
        mut tamper: impl FnMut(&mut Value) + Send + 'static,
    ) {
        self.change(move |command, result| {
            if command["a"] == name {
                tamper(result);
            }
        });
    }

    pub fn client(&self) -> Client {
        self.builder().build().unwrap()
    }

    pub fn builder(&self) -> ClientBuilder {
        let builder = Client::builder().api_url(&self.url);
        builder.timeout(std::time::Duration::from_millis(300))
    }

    pub async fn login(&self) -> Result<Session, Error> {
        self.client().login(EMAIL, PASSWORD).await
    }

    /// What the client has sent.
    pub fn sent(&self) -> Vec<String> {
        std::mem::take(&mut self.commands.lock().unwrap())
    }
}

/// One request and its answer, then the connection ends.
async fn relay(
    mut stream: TcpStream,
    honest: &str,
    tamper: &Mutex<Tamper>,
    log: &Mutex<Vec<String>>,
) -> Option<()> {
    let (head, body) = read_message(&mut stream).await?;
    let line = head.lines().next()?;
    let mut server = TcpStream::connect(honest).await.ok()?;
    let request = format!(
        "{line}\r\nHost: {honest}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n",
        body.len()
    );
    server.write_all(request.as_bytes()).await.ok()?;
    server.write_all(&body).await.ok()?;
    let mut answer = Vec::new();
    server.read_to_end(&mut answer).await.ok()?;
    let end = answer.windows(4).position(|four| four == b"\r\n\r\n")?;
    let mut results: Value = serde_json::from_slice(&answer[end + 4..]).ok()?;
    // Polls for packets have no body.
    let commands: Value = serde_json::from_slice(&body).unwrap_or_default();
    if line.contains("/sc") || line.contains("/wsc") {
        (tamper.lock().unwrap())(&json!({ "a": "sc" }), &mut results);
    } else if let Value::Array(results) = &mut results {
        for (command, result) in commands.as_array()?.iter().zip(results) {
            log.lock().unwrap().push(command["a"].as_str()?.to_owned());
            (tamper.lock().unwrap())(command, result);
        }
    }
    let body = results.to_string();
    let head =
        format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\nConnection: close\r\n\r\n", body.len());
    stream.write_all(head.as_bytes()).await.ok()?;
    stream.write_all(body.as_bytes()).await.ok()
}

async fn read_message(stream: &mut TcpStream) -> Option<(String, Vec<u8>)> {
    let mut bytes = Vec::new();
    loop {
        if let Some(end) = bytes.windows(4).position(|four| four == b"\r\n\r\n") {
            let head = String::from_utf8(bytes[..end].to_vec()).ok()?;
            let mut body = bytes.split_off(end + 4);
            let length = head
                .lines()
                .filter_map(|line| line.split_once(':'))
                .find(|(name, _)| name.eq_ignore_ascii_case("content-length"));
            let length = length.map_or("0", |(_, length)| length.trim());
            let missing = length.parse::<usize>().ok()?.checked_sub(body.len())?;
            let start = body.len();
            body.resize(start + missing, 0);
            stream.read_exact(&mut body[start..]).await.ok()?;
            return Some((head, body));
        }
        if stream.read_buf(&mut bytes).await.ok()? == 0 {
            return None;
        }
    }
}

/// Changes base64url text as bytes.
pub fn change_bytes(text: &mut Value, change: impl FnOnce(&mut Vec<u8>)) {
    let mut bytes = base64::decode(text.as_str().unwrap()).unwrap();
    change(&mut bytes);
    *text = json!(base64::encode(&bytes));
}

pub fn is_invalid_keys(error: &Error) -> bool {
    matches!(error, Error::Authentication(AuthenticationError::InvalidKeys))
}

/// The nodes of an `f`.
pub fn nodes(result: &mut Value) -> Vec<&mut Value> {
    result["f"].as_array_mut().unwrap().iter_mut().collect()
}
