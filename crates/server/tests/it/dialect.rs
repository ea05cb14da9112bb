//! Spelling, order and grammar: what official readers depend on (`protocol-api.md` 1.4 to 1.10).

use serde_json::json;

use crate::wire::{User, builder, path_of, send, server};

#[tokio::test]
async fn header_names_are_spelled_as_readers_compare_them() {
    let server = builder().fault("download:quota=77".parse().unwrap()).spawn().await.unwrap();
    let plain = send(server.url(), "POST", "/cs?id=1", "", b"[]").await;
    assert!(plain.head.contains("\r\nContent-Length: 2"), "{}", plain.head);
    assert!(plain.head.contains("\r\nContent-Type: application/json"), "{}", plain.head);
    assert!(!plain.head.contains("Transfer-Encoding"), "{}", plain.head);
    let user = User::login(&server).await;
    let node = user.store(&user.root().await, b"0123456789abcdef").await;
    let address = user.call(&json!({"a": "g", "g": 1, "n": node})).await;
    let path = path_of(address["g"].as_str().unwrap());
    let over = send(server.url(), "GET", &path, "", b"").await;
    assert_eq!(over.status(), 509);
    assert!(over.head.contains("\r\nX-MEGA-Time-Left: 77"), "{}", over.head);
}

#[tokio::test]
async fn a_challenge_is_spelled_and_empty() {
    let server = builder().fault("api:hashcash=255*1".parse().unwrap()).spawn().await.unwrap();
    let asked = send(server.url(), "POST", "/cs?id=1", "", b"[]").await;
    assert_eq!(asked.status(), 402);
    assert!(asked.head.contains("\r\nContent-Length: 0"), "{}", asked.head);
    let header = asked.head.lines().find_map(|line| line.strip_prefix("X-Hashcash: ")).unwrap();
    let challenge = supermega_crypto::hashcash::Challenge::parse(header).unwrap();
    assert_eq!(challenge.easiness(), 255);
}

#[tokio::test]
async fn answers_are_compact_and_end_with_the_cursor() {
    let server = server().await;
    let user = User::login(&server).await;
    let query = format!("/cs?id=9&sid={}", user.sid);
    let answer = send(&user.url, "POST", &query, "", br#"[{"a":"f","c":1}]"#).await;
    let text = answer.text();
    for forbidden in [": ", ", ", "true", "false", "null", "\n"] {
        assert!(!text.contains(forbidden), "{forbidden:?} in {text}");
    }
    let end = &text[text.len() - 20..];
    assert!(end.starts_with("\"sn\":\"") && end.ends_with("\"}]"), "{end}");
    assert!(text.find("\"ok\":").unwrap() < text.find("\"f\":").unwrap());
}

#[tokio::test]
async fn each_client_gets_its_own_grammar() {
    let server = server().await;
    let user = User::login(&server).await;
    let root = user.root().await;
    let folder = user.mkdir(&root).await;
    let node = json!({"h": "xxxxxxxx", "t": 1, "a": "AAAA", "k": user.folder_key()});
    let made = user.call_v3(&json!({"a": "p", "v": 4, "t": root, "n": [node]})).await;
    let first = made[0].as_str().unwrap().to_owned();
    assert!(made[1]["fh"][0].as_str().unwrap().contains(':'), "{made}");
    let changed = user.call_v3(&json!({"a": "a", "n": folder, "at": "BBBB"})).await;
    assert!(changed.as_str().unwrap() > first.as_str(), "{changed} after {first}");
    assert_eq!(user.call(&json!({"a": "a", "n": folder, "at": "CCCC"})).await, 0);
    let file = user.store(&root, b"x").await;
    let link = user.call(&json!({"a": "l", "n": file})).await;
    assert_eq!(link.as_str().unwrap().len(), 8);
    // The same link again changes nothing, so that there is nothing to wait for.
    assert_eq!(user.call_v3(&json!({"a": "l", "n": file})).await, json!([0, link]));
    assert_eq!(user.call_v3(&json!({"a": "d", "n": "AQIDBAUG"})).await, -9);
}

#[tokio::test]
async fn the_same_request_is_carried_out_once() {
    let server = server().await;
    let user = User::login(&server).await;
    let root = user.root().await;
    let node = json!({"h": "xxxxxxxx", "t": 1, "a": "AAAA", "k": user.folder_key()});
    let body = json!([{"a": "p", "t": root, "n": [node]}]).to_string();
    let path = format!("/cs?id=abcdefghij&sid={}", user.sid);
    let first = send(&user.url, "POST", &path, "", body.as_bytes()).await;
    let second = send(&user.url, "POST", &path, "", body.as_bytes()).await;
    assert_eq!(first.body, second.body);
    let tree = user.call(&json!({"a": "f", "c": 1})).await;
    assert_eq!(tree["f"].as_array().unwrap().len(), 4);
}

#[tokio::test]
async fn what_is_not_supported_is_refused_item_by_item() {
    let server = server().await;
    let user = User::login(&server).await;
    let body =
        br#"[{"a":"nonsense"},{"a":"pk"},{"a":"gpsa"},{"a":"ftz"},{"a":"log","e":1,"m":""}]"#;
    let path = format!("/cs?id=5&v=3&sid={}", user.sid);
    let answer = send(&user.url, "POST", &path, "", body).await;
    assert_eq!(answer.text(), "[-2,-9,-9,-2,0]");
    assert_eq!(send(&user.url, "POST", "/cs/rs?sid=x", "", b"").await.status(), 404);
}
