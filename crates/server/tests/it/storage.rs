//! Bytes in and out: order, checksums, ranges, restarts (`protocol-api.md` 3.3, 4.2, 4.3).

use serde_json::{Value, json};
use supermega_crypto::upload_checksum;
use supermega_encoding::base64;

use crate::wire::{User, builder, path_of, send, server};

fn content(size: usize) -> Vec<u8> {
    (0..size).map(|i| (i ^ (i >> 8)).to_le_bytes()[0]).collect()
}

async fn address(user: &User, request: Value, member: &str) -> String {
    let reply = user.call(&request).await;
    path_of(reply[member].as_str().unwrap_or_else(|| panic!("{reply}")))
}

#[tokio::test]
async fn pieces_arrive_in_any_order_and_twice() {
    let server = server().await;
    let user = User::login(&server).await;
    let bytes = content(300_000);
    let path = address(&user, json!({"a": "u", "s": bytes.len(), "v": 3}), "p").await;
    let piece = |from: usize, to: usize| {
        let (path, bytes) = (path.clone(), bytes[from..to].to_vec());
        let checksum = base64::encode(&upload_checksum(&bytes));
        let url = user.url.clone();
        async move { send(&url, "POST", &format!("{path}/{from}?d={checksum}"), "", &bytes).await }
    };
    assert_eq!(piece(200_000, 300_000).await.text(), "0");
    assert_eq!(piece(200_000, 300_000).await.text(), "0");
    let (a, b) = tokio::join!(piece(0, 131_072), piece(131_072, 200_000));
    let token = if a.body.len() == 36 { a.body } else { b.body };
    assert_eq!((token.len(), token[35]), (36, 1));
    assert_eq!(piece(0, 131_072).await.body, token);
    let made = user.put(&user.root().await, &base64::encode(&token)).await;
    assert_eq!(made["f"][0]["s"], 300_000);
}

#[tokio::test]
async fn a_wrong_checksum_is_told() {
    let server = server().await;
    let user = User::login(&server).await;
    let path = address(&user, json!({"a": "u", "s": 3, "v": 2}), "p").await;
    for suffix in ["?d=AAAAAAAAAAAAAAAB", "?c=AAAAAAAAAAAAAAAB", "?d=x"] {
        let answer = send(&user.url, "POST", &format!("{path}/0{suffix}"), "", b"abc").await;
        assert_eq!(answer.text(), "-14", "{suffix}");
    }
    let beyond = send(&user.url, "POST", &format!("{path}/2"), "", b"abc").await;
    assert_eq!(beyond.text(), "-7");
}

#[tokio::test]
async fn older_clients_get_text_and_empty_progress() {
    let server = server().await;
    let user = User::login(&server).await;
    let path = address(&user, json!({"a": "u", "s": 2}), "p").await;
    assert_eq!(send(&user.url, "POST", &format!("{path}/1"), "", b"b").await.body, b"");
    let token = send(&user.url, "POST", &format!("{path}/0"), "", b"a").await;
    assert_eq!(token.text().len(), 36);
    assert!(user.put(&user.root().await, token.text()).await["f"].is_array());
    assert_eq!(user.put(&user.root().await, &"A".repeat(36)).await, -9);
}

#[tokio::test]
async fn an_empty_file_has_a_token_and_no_bytes() {
    let server = server().await;
    let user = User::login(&server).await;
    let node = user.store(&user.root().await, b"").await;
    let path = address(&user, json!({"a": "g", "n": node, "g": 1}), "g").await;
    for range in ["", "/0-0"] {
        let answer = send(&user.url, "GET", &format!("{path}{range}"), "", b"").await;
        assert_eq!((answer.status(), answer.body.len()), (200, 0));
    }
}

#[tokio::test]
async fn ranges_come_exactly_by_get_and_post() {
    let server = server().await;
    let user = User::login(&server).await;
    let bytes = content(3_000_000);
    let node = user.store(&user.root().await, &bytes).await;
    let path = address(&user, json!({"a": "g", "n": node, "g": 1}), "g").await;
    for method in ["GET", "POST"] {
        for (range, from, to) in [
            ("", 0, 3_000_000),
            ("/0-0", 0, 1),
            ("/5-2999999", 5, 3_000_000),
            ("/2000000-", 2_000_000, 3_000_000),
        ] {
            let answer = send(&user.url, method, &format!("{path}{range}"), "", b"").await;
            assert_eq!(answer.status(), 200);
            assert!(
                answer.head.contains(&format!("Content-Length: {}", to - from)),
                "{}",
                answer.head
            );
            assert!(answer.body == bytes[from..to], "{method} {range}");
        }
    }
}

#[tokio::test]
async fn everything_survives_a_restart() {
    let dir = tempfile::tempdir().unwrap();
    let server = builder().data_dir(dir.path()).spawn().await.unwrap();
    let mut user = User::login(&server).await;
    let root = user.root().await;
    let node = user.store(&root, &content(5000)).await;
    let link = user.call(&json!({"a": "l", "n": node})).await;
    let half = address(&user, json!({"a": "u", "s": 4}), "p").await;
    send(&user.url, "POST", &format!("{half}/0"), "", b"ab").await;
    let whole = address(&user, json!({"a": "u", "s": 2}), "p").await;
    let token = send(&user.url, "POST", &format!("{whole}/0"), "", b"cd").await;
    server.shutdown().await;

    let server = builder().data_dir(dir.path()).spawn().await.unwrap();
    user.url = server.url().to_owned();
    assert_eq!(user.call(&json!({"a": "l", "n": node})).await, link);
    let path = address(&user, json!({"a": "g", "n": node, "g": 1}), "g").await;
    assert!(send(&user.url, "GET", &path, "", b"").await.body == content(5000));
    let rest = send(&user.url, "POST", &format!("{half}/2"), "", b"ef").await;
    assert_eq!(rest.text().len(), 36);
    for token in [rest.text(), token.text()] {
        assert!(user.put(&root, token).await["f"].is_array());
    }
}

#[tokio::test]
async fn deleted_files_give_their_bytes_back() {
    let dir = tempfile::tempdir().unwrap();
    let server = builder().data_dir(dir.path()).spawn().await.unwrap();
    let user = User::login(&server).await;
    let root = user.root().await;
    let node = user.store(&root, &content(100)).await;
    let copy = json!({"h": node, "t": 0, "a": "AAAA", "k": "A".repeat(43)});
    let copy = user.call(&json!({"a": "p", "t": root, "n": [copy]})).await;
    let blobs = || std::fs::read_dir(dir.path().join("blobs")).unwrap().count();
    assert_eq!(blobs(), 1);
    assert_eq!(user.call(&json!({"a": "uq", "strg": 1})).await["cstrg"], 200);
    user.call(&json!({"a": "d", "n": node})).await;
    assert_eq!(blobs(), 1);
    user.call(&json!({"a": "d", "n": copy["f"][0]["h"]})).await;
    assert_eq!(blobs(), 0);
}

#[tokio::test]
async fn a_full_account_takes_nothing() {
    let server = builder().quota(10).spawn().await.unwrap();
    let user = User::login(&server).await;
    assert_eq!(user.call(&json!({"a": "u", "s": 11})).await, -17);
    user.store(&user.root().await, &content(8)).await;
    assert_eq!(user.call(&json!({"a": "u", "s": 3})).await, -17);
}
