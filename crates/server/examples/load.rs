//! Asks a server as fast as some clients can, and counts: `interop/load/run` measures with it.
//!
//! `load URL QUERY CLIENTS SECONDS api BODY`, or `down HANDLE`, or `up BYTES` instead of the last two words. The
//! query says who asks, as `&sid=…`. Each client keeps one connection and has one request under way. One line of
//! JSON says how many answers there were, how many of them were errors, and how many bytes of files went through.

use std::error::Error;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::client::conn::http1::{SendRequest, handshake};
use hyper_util::rt::TokioIo;
use serde_json::{Value, json};
use tokio::net::TcpStream;
use tokio::task::JoinSet;

type Outcome<T> = Result<T, Box<dyn Error + Send + Sync>>;

/// What every client does over and over.
enum Work {
    Api(Bytes),
    Down(String),
    Up(Bytes),
}

impl Work {
    fn parse(words: &[String]) -> Outcome<Self> {
        match words {
            [verb, body] if verb == "api" => Ok(Self::Api(body.clone().into())),
            [verb, handle] if verb == "down" => Ok(Self::Down(handle.clone())),
            [verb, size] if verb == "up" => Ok(Self::Up(vec![7; size.parse()?].into())),
            _ => Err("what to do? api BODY, down HANDLE or up BYTES".into()),
        }
    }
}

/// Whom the clients ask, as whom, and what came of it.
struct Load {
    host: String,
    query: String,
    work: Work,
    end: Instant,
    id: AtomicU64,
    answers: AtomicU64,
    failures: AtomicU64,
    bytes: AtomicU64,
}

struct Connection(SendRequest<Full<Bytes>>);

impl Connection {
    async fn open(host: &str) -> Outcome<Self> {
        let stream = TcpStream::connect(host).await?;
        stream.set_nodelay(true)?;
        let (sender, connection) = handshake(TokioIo::new(stream)).await?;
        tokio::spawn(connection);
        Ok(Self(sender))
    }

    /// The status and the body, which is counted only, unless it is small.
    async fn ask(
        &mut self,
        method: &str,
        load: &Load,
        path: &str,
        body: Bytes,
    ) -> Outcome<(Vec<u8>, u64)> {
        let request = http::Request::builder().method(method).uri(path);
        let request = request.header("Host", &load.host).body(Full::new(body))?;
        self.0.ready().await?;
        let mut response = self.0.send_request(request).await?;
        if response.status() != 200 {
            return Err(response.status().to_string().into());
        }
        let (mut small, mut length) = (Vec::new(), 0);
        while let Some(frame) = response.frame().await {
            if let Some(data) = frame?.data_ref() {
                length += data.len() as u64;
                if length < 1 << 16 {
                    small.extend_from_slice(data);
                }
            }
        }
        Ok((small, length))
    }

    async fn command(&mut self, load: &Load, body: Bytes) -> Outcome<Vec<u8>> {
        let id = load.id.fetch_add(1, Ordering::Relaxed);
        let path = format!("/cs?id={id}{}", load.query);
        let (answer, _) = self.ask("POST", load, &path, body).await?;
        let is_error = matches!(answer[..], [b'-', ..] | [b'[', b'-', ..]);
        if is_error { Err(String::from_utf8(answer)?.into()) } else { Ok(answer) }
    }

    /// A file's address, without the host.
    async fn address(&mut self, load: &Load, command: &Value, name: &str) -> Outcome<String> {
        let answer = self.command(load, json!([command]).to_string().into()).await?;
        let answer: Value = serde_json::from_slice(&answer)?;
        let address = answer[0][name].as_str().ok_or("no address")?;
        let path = address.splitn(4, '/').nth(3).ok_or("an address without a path")?;
        Ok(format!("/{path}"))
    }
}

async fn client(load: Arc<Load>) -> Outcome<()> {
    let mut connection = Connection::open(&load.host).await?;
    let mut source = String::new();
    if let Work::Down(handle) = &load.work {
        source = connection.address(&load, &json!({ "a": "g", "g": 1, "n": handle }), "g").await?;
    }
    while Instant::now() < load.end {
        let done = match &load.work {
            Work::Api(body) => connection.command(&load, body.clone()).await.map(|_| 0),
            Work::Down(_) => {
                let got = connection.ask("GET", &load, &source, Bytes::new()).await;
                got.map(|(_, length)| length)
            }
            Work::Up(content) => put(&mut connection, &load, content).await,
        };
        load.answers.fetch_add(1, Ordering::Relaxed);
        match done {
            Ok(bytes) => load.bytes.fetch_add(bytes, Ordering::Relaxed),
            Err(_) => load.failures.fetch_add(1, Ordering::Relaxed),
        };
    }
    Ok(())
}

async fn put(connection: &mut Connection, load: &Load, content: &Bytes) -> Outcome<u64> {
    let size = content.len() as u64;
    let target = connection.address(load, &json!({ "a": "u", "s": size, "v": 2 }), "p").await?;
    connection.ask("POST", load, &format!("{target}/0"), content.clone()).await?;
    Ok(size)
}

#[tokio::main]
async fn main() -> Outcome<()> {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let [url, query, clients, seconds, work @ ..] = &words[..] else {
        return Err("usage: load URL QUERY CLIENTS SECONDS WORK".into());
    };
    let host = url.strip_prefix("http://").ok_or("plain HTTP only")?.trim_end_matches('/');
    let start = Instant::now();
    let now = SystemTime::now().duration_since(UNIX_EPOCH)?;
    let load = Arc::new(Load {
        host: host.to_owned(),
        query: query.clone(),
        work: Work::parse(work)?,
        end: start + Duration::from_secs_f64(seconds.parse()?),
        // Ids that no earlier run has used: an answer must not come from memory.
        id: AtomicU64::new(now.as_secs() * 1_000_000_000),
        answers: AtomicU64::new(0),
        failures: AtomicU64::new(0),
        bytes: AtomicU64::new(0),
    });
    let mut all = JoinSet::new();
    for _ in 0..clients.parse()? {
        all.spawn(client(load.clone()));
    }
    while let Some(ended) = all.join_next().await {
        ended??;
    }
    let told = json!({
        "answers": load.answers.load(Ordering::Relaxed),
        "failures": load.failures.load(Ordering::Relaxed),
        "bytes": load.bytes.load(Ordering::Relaxed),
        "seconds": start.elapsed().as_secs_f64(),
    });
    println!("{told}");
    Ok(())
}
