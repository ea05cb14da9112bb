//! A client that shows every byte: what a library would hide is what these tests look at.

use std::io;

use tokio::io::{AsyncBufReadExt, AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, BufStream};
use tokio::net::TcpStream;

/// Whatever carries bytes both ways.
pub trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}

impl<T: AsyncRead + AsyncWrite + Send + Unpin> Stream for T {}

/// A connection that is kept alive.
pub struct Connection {
    stream: BufStream<Box<dyn Stream>>,
    host: String,
}

/// An answer as it came.
#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    /// The lines of the head, spelled as they came.
    pub head: Vec<String>,
    pub body: Vec<u8>,
    /// Whether the body was as long as its header said.
    pub is_whole: bool,
}

impl Answer {
    pub fn text(&self) -> String {
        String::from_utf8(self.body.clone()).unwrap()
    }

    /// The value of a header with exactly this spelling.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.head.iter().find_map(|line| line.strip_prefix(name)?.strip_prefix(": "))
    }
}

impl Connection {
    /// Connects to the host of an address.
    pub async fn open(url: &str) -> Self {
        let host = split(url).0.to_owned();
        let stream = TcpStream::connect(&host).await.unwrap();
        Self::over(stream, host)
    }

    /// Speaks to a host over a connection that is there already.
    pub fn over(stream: impl Stream + 'static, host: String) -> Self {
        Self { stream: BufStream::new(Box::new(stream)), host }
    }

    /// Sends a request with extra header lines, and reads the answer.
    pub async fn request(
        &mut self,
        method: &str,
        path: &str,
        headers: &str,
        body: &[u8],
    ) -> io::Result<Answer> {
        let host = self.host.clone();
        self.request_for(&host, method, path, headers, body).await
    }

    /// The same, naming another host.
    pub async fn request_for(
        &mut self,
        host: &str,
        method: &str,
        path: &str,
        headers: &str,
        body: &[u8],
    ) -> io::Result<Answer> {
        let head = format!(
            "{method} {path} HTTP/1.1\r\nHost: {host}\r\nContent-Length: {}\r\n{headers}\r\n",
            body.len()
        );
        self.stream.write_all(head.as_bytes()).await?;
        self.stream.write_all(body).await?;
        self.stream.flush().await?;
        self.answer().await
    }

    /// Reads the next answer.
    pub async fn answer(&mut self) -> io::Result<Answer> {
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            head.push(self.stream.read_u8().await?);
        }
        let head = String::from_utf8(head).unwrap();
        let mut head: Vec<String> = head.lines().map(str::to_owned).collect();
        let status = head.remove(0).split(' ').nth(1).unwrap().parse().unwrap();
        let mut answer = Answer { status, head, body: Vec::new(), is_whole: false };
        if answer.header("Transfer-Encoding") == Some("chunked") {
            return self.chunks(answer).await;
        }
        let length: usize = answer.header("Content-Length").unwrap_or("0").parse().unwrap();
        let mut buffer = vec![0; 1 << 16];
        while answer.body.len() < length {
            let wanted = buffer.len().min(length - answer.body.len());
            match self.stream.read(&mut buffer[..wanted]).await {
                Ok(0) | Err(_) => return Ok(answer),
                Ok(read) => answer.body.extend_from_slice(&buffer[..read]),
            }
        }
        answer.is_whole = true;
        Ok(answer)
    }

    /// Reads a body whose length was not known when it began.
    async fn chunks(&mut self, mut answer: Answer) -> io::Result<Answer> {
        loop {
            let mut size = String::new();
            if self.stream.read_line(&mut size).await? == 0 {
                return Ok(answer);
            }
            let size = usize::from_str_radix(size.trim(), 16).unwrap();
            let mut chunk = vec![0; size + 2];
            if self.stream.read_exact(&mut chunk).await.is_err() {
                return Ok(answer);
            }
            answer.body.extend_from_slice(&chunk[..size]);
            if size == 0 {
                answer.is_whole = true;
                return Ok(answer);
            }
        }
    }
}

/// Host and path of an address.
pub fn split(url: &str) -> (&str, &str) {
    let rest = &url[url.find("://").unwrap() + 3..];
    rest.split_at(rest.find('/').unwrap_or(rest.len()))
}

/// Posts to an address on a connection of its own.
pub async fn post(url: &str, body: &[u8]) -> Answer {
    try_post(url, body).await.unwrap()
}

/// The same, where the connection may be cut.
pub async fn try_post(url: &str, body: &[u8]) -> io::Result<Answer> {
    Connection::open(url).await.request("POST", split(url).1, "", body).await
}

/// Gets an address on a connection of its own.
pub async fn get(url: &str) -> Answer {
    Connection::open(url).await.request("GET", split(url).1, "", b"").await.unwrap()
}
