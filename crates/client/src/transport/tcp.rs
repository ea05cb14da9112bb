//! Connections to hosts by name.

use std::io;

use tokio::net::TcpStream;

use super::http::HttpError;
use crate::error::NetworkErrorKind as Kind;

/// Connects to the first of a host's addresses that answers.
pub(super) async fn connect(host: &str, port: u16) -> Result<TcpStream, HttpError> {
    let addresses = tokio::net::lookup_host((host, port)).await;
    let mut last = HttpError(Kind::UnknownHost);
    for address in addresses.map_err(|_| HttpError(Kind::UnknownHost))? {
        match TcpStream::connect(address).await {
            Ok(stream) => {
                let _ = stream.set_nodelay(true);
                return Ok(stream);
            }
            Err(error) => last = from_io(&error),
        }
    }
    Err(last)
}

/// What an error of the operating system means.
pub(super) fn from_io(error: &io::Error) -> HttpError {
    HttpError(match error.kind() {
        io::ErrorKind::ConnectionRefused => Kind::ConnectionRefused,
        io::ErrorKind::TimedOut => Kind::TimedOut,
        io::ErrorKind::ConnectionReset
        | io::ErrorKind::ConnectionAborted
        | io::ErrorKind::BrokenPipe
        | io::ErrorKind::UnexpectedEof => Kind::Cut,
        _ => Kind::Other(error.to_string()),
    })
}
