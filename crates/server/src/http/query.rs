//! What a request says beside its body: the query, and the host that it came to.

use std::net::IpAddr;

use hyper::body::Incoming;

/// Marks requests that came over TLS.
#[derive(Clone, Copy)]
pub(super) struct OverTls;

/// Marks requests with the address that they come from.
#[derive(Clone, Copy)]
pub(super) struct Peer(pub IpAddr);

/// The value of a parameter. MEGA's values need no percent signs.
pub(super) fn parameter<'a>(query: &'a str, name: &str) -> Option<&'a str> {
    query.split('&').find_map(|part| part.strip_prefix(name)?.strip_prefix('='))
}

/// Scheme, host and port that the client reached us by: what it is told to come to for transfers, it can
/// reach.
pub(super) fn base(request: &http::Request<Incoming>) -> String {
    let host = request.headers().get(http::header::HOST).and_then(|host| host.to_str().ok());
    let authority = request.uri().authority().map(http::uri::Authority::as_str);
    let host = host.or(authority).filter(|host| is_host(host));
    let scheme = if request.extensions().get::<OverTls>().is_some() { "https" } else { "http" };
    format!("{scheme}://{}", host.unwrap_or("127.0.0.1"))
}

/// Whether a text is a host with at most a port. What is something else must not get into addresses.
fn is_host(text: &str) -> bool {
    let plain = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-' | b':' | b'[' | b']');
    (1..=255).contains(&text.len()) && text.bytes().all(plain)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parameters_are_found_by_their_whole_name() {
        let query = "id=1&&sn=AA&n=BB&sid=";
        assert_eq!(parameter(query, "n"), Some("BB"));
        assert_eq!(parameter(query, "sn"), Some("AA"));
        assert_eq!(parameter(query, "sid"), Some(""));
        assert_eq!(parameter(query, "d"), None);
    }

    #[test]
    fn only_hosts_are_hosts() {
        assert!(is_host("127.0.0.1:80") && is_host("[::1]:80") && is_host("localhost"));
        assert!(!is_host("a\"b") && !is_host("") && !is_host("a/b") && !is_host("a@b"));
    }
}
