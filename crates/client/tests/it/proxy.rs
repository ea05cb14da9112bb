//! Through proxies: every connection goes there and nowhere else.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use supermega::transport::Proxy;
use supermega::{Client, Error, NetworkErrorKind};
use tokio::io::{AsyncReadExt, AsyncWriteExt, copy_bidirectional};
use tokio::net::{TcpListener, TcpStream};

use crate::world::{EMAIL, PASSWORD, content, read, server, upload};

/// How a proxy behaves.
#[derive(Clone, Copy, PartialEq)]
enum Kind {
    Http,
    Socks,
    Refusing,
}

/// Starts a proxy that sends everything to `target`, whatever it is asked for, and counts connections.
async fn proxy(kind: Kind, target: String) -> (String, Arc<AtomicUsize>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let count = Arc::new(AtomicUsize::new(0));
    let counter = count.clone();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            counter.fetch_add(1, Ordering::Relaxed);
            tokio::spawn(serve(kind, stream, target.clone()));
        }
    });
    (address, count)
}

async fn serve(kind: Kind, mut stream: TcpStream, target: String) {
    let mut greeting = [0; 1024];
    let length = stream.read(&mut greeting).await.unwrap();
    if kind == Kind::Socks {
        assert_eq!(greeting[0], 5);
        stream.write_all(&[5, 0]).await.unwrap();
        // Version, connect, reserved, a name of twelve letters, and a port.
        let length = stream.read(&mut greeting).await.unwrap();
        assert_eq!(&greeting[..5], &[5, 1, 0, 3, 12]);
        assert_eq!(&greeting[5..17], b"mega.invalid");
        assert_eq!(length, 19);
        stream.write_all(&[5, 0, 0, 1, 0, 0, 0, 0, 0, 0]).await.unwrap();
    } else {
        let head = String::from_utf8_lossy(&greeting[..length]).to_string();
        assert!(head.starts_with("CONNECT mega.invalid:80 HTTP/1.1\r\n"), "{head}");
        if kind == Kind::Refusing || !head.contains("Basic bWU6d29yZA==") {
            let no = b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n";
            return stream.write_all(no).await.unwrap();
        }
        stream.write_all(b"HTTP/1.1 200 OK\r\n\r\n").await.unwrap();
    }
    let mut there = TcpStream::connect(target).await.unwrap();
    let _ = copy_bidirectional(&mut stream, &mut there).await;
}

/// A client for a host that only the proxy knows.
fn through(proxy: Proxy) -> Client {
    let client = Client::builder().api_url("http://mega.invalid/").proxy(proxy);
    client.timeout(std::time::Duration::from_millis(300)).build().unwrap()
}

#[tokio::test]
async fn files_travel_through_proxies_of_both_kinds() {
    let server = server().await;
    let host = server.url().trim_start_matches("http://").trim_end_matches('/').to_owned();
    for (kind, scheme, who) in [(Kind::Http, "http", "me:word@"), (Kind::Socks, "socks5", "")] {
        let (address, count) = proxy(kind, host.clone()).await;
        let client = through(Proxy::all(format!("{scheme}://{who}{address}")));
        let session = client.login(EMAIL, PASSWORD).await.unwrap();
        upload(&session, scheme, 300_000).await;
        assert_eq!(read(&session, &format!("/{scheme}")).await, content(300_000));
        assert!(count.load(Ordering::Relaxed) > 0);
    }
}

#[tokio::test]
async fn what_a_proxy_refuses_is_told() {
    let server = server().await;
    let host = server.url().trim_start_matches("http://").trim_end_matches('/').to_owned();
    let (address, _) = proxy(Kind::Refusing, host.clone()).await;
    for proxy in [Proxy::all(format!("http://{address}")), Proxy::all("http://127.0.0.1:1")] {
        let error = through(proxy).login(EMAIL, PASSWORD).await.unwrap_err();
        assert!(
            matches!(&error, Error::Network(e) if matches!(e.kind, NetworkErrorKind::Proxy(_))),
            "{error:?}"
        );
    }
    // Hosts that are excepted are reached without.
    let proxy = Proxy::all("http://127.0.0.1:1").except("127.0.0.1");
    let client = Client::builder().api_url(server.url()).proxy(proxy).build().unwrap();
    client.login(EMAIL, PASSWORD).await.unwrap();
    let proxy = Proxy::all("http://127.0.0.1:1").spare_loopback();
    let client = Client::builder().api_url(server.url()).proxy(proxy).build().unwrap();
    client.login(EMAIL, PASSWORD).await.unwrap();
    assert!(Client::builder().proxy(Proxy::all("ftp://x:1")).build().is_err());
}
