//! `X-MEGA-Time-Left`, spelled so: official clients compare header names with their case
//! (`protocol-api.md` 1.10).
//!
//! hyper writes names in title case, which would make it `X-Mega-…`. It keeps the spelling of an answer
//! that it has read in the answer's extensions: so it is given one to read, once, and the extensions go
//! with each answer that has the header.

use bytes::Bytes;
use http_body_util::Empty;
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

/// The spelling of headers that title case would spoil.
#[derive(Clone, Debug, Default)]
pub(super) struct HeaderCase(http::Extensions);

impl HeaderCase {
    pub(super) fn extensions(&self) -> http::Extensions {
        self.0.clone()
    }
}

const SPELLED: &[u8] = b"HTTP/1.1 200 OK\r\nX-MEGA-Time-Left: 0\r\nContent-Length: 0\r\n\r\n";

/// Learns the spelling; without it names stay in title case.
pub(super) async fn learn() -> HeaderCase {
    let (near, mut far) = tokio::io::duplex(4096);
    let speak = async move {
        let _ = far.read(&mut [0; 1024]).await;
        let _ = far.write_all(SPELLED).await;
        far
    };
    let listen = async {
        let (mut sender, connection) = hyper::client::conn::http1::Builder::new()
            .preserve_header_case(true)
            .handshake(TokioIo::new(near))
            .await
            .ok()?;
        let connection = tokio::spawn(connection);
        let answer = sender.send_request(http::Request::new(Empty::<Bytes>::new())).await.ok()?;
        connection.abort();
        Some(HeaderCase(answer.extensions().clone()))
    };
    let (case, _far) = tokio::join!(listen, speak);
    case.unwrap_or_default()
}
