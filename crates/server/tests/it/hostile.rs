//! Requests that make no sense get the protocol's own error code: never a 500, never a closed connection.

use proptest::prelude::*;
use serde_json::{Value, json};
use supermega_server::ServerHandle;

use crate::wire::{User, send, server};

async fn must_be_answered(server: &ServerHandle, path: &str, body: &[u8]) {
    let answer = send(server.url(), "POST", path, "", body).await;
    assert_eq!(answer.status(), 200, "{}", String::from_utf8_lossy(body));
    let value: Value = serde_json::from_slice(&answer.body).unwrap();
    assert!(value.is_array() || value.as_i64().is_some_and(|n| n < 0), "{value}");
}

#[tokio::test]
async fn bodies_that_are_no_batch() {
    let server = server().await;
    for body in ["", "x", "{}", "[", "[1]", "[[]]", "[{}]", "[{\"a\":1}]", "null", "\"", "[null]"] {
        must_be_answered(&server, "/cs?id=1", body.as_bytes()).await;
    }
    must_be_answered(&server, "/cs?id=1", &[0xff, 0xfe]).await;
    must_be_answered(&server, "/cs", "[".repeat(100_000).as_bytes()).await;
    must_be_answered(&server, "/cs?sid=%00&n=/&v=x", b"[{\"a\":\"f\"}]").await;
}

/// Commands as clients send them, to be spoilt.
fn commands(root: &str) -> Vec<Value> {
    vec![
        json!({"a": "us0", "user": "x"}),
        json!({"a": "us", "user": "me@example.org", "uh": "AAAA", "sek": "AAAA"}),
        json!({"a": "ug", "v": 1}),
        json!({"a": "uq", "strg": 1, "xfer": 1}),
        json!({"a": "f", "c": 1, "r": 1}),
        json!({"a": "p", "t": root, "n": [{"h": "xxxxxxxx", "t": 1, "a": "AAAA", "k": "AAAA"}]}),
        json!({"a": "a", "n": root, "at": "AAAA"}),
        json!({"a": "m", "n": root, "t": root}),
        json!({"a": "d", "n": root}),
        json!({"a": "l", "n": root}),
        json!({"a": "s2", "n": root, "s": [{"u": "EXP", "r": 0}], "cr": [[root], [root], [0, 0, "AAAA"]]}),
        json!({"a": "g", "n": root, "g": 1}),
        json!({"a": "u", "s": 10}),
        json!({"a": "up", "k": "AAAA", "ts": "AAAA"}),
        json!({"a": "uga", "ua": "^!keys", "v": 1}),
        json!({"a": "upv", "^!keys": ["AAAA", "v"]}),
    ]
}

#[test]
fn spoilt_commands() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let server = runtime.block_on(server());
    let user = runtime.block_on(User::login(&server));
    let root = runtime.block_on(user.root());
    let commands = commands(&root);
    let path = format!("/cs?id=1&v=3&sid={}", user.sid);
    let values = prop_oneof![
        Just(Value::Null),
        Just(json!(-1)),
        Just(json!(u64::MAX)),
        Just(json!(1e300)),
        Just(json!({})),
        Just(json!([[[]]])),
        ".{0,12}".prop_map(Value::String),
    ];
    let config =
        ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() };
    proptest!(config, |(which in 0..commands.len(), member in 0..8usize, value in values)| {
        let mut command = commands[which].clone();
        let members = command.as_object_mut().unwrap();
        let name = members.keys().nth(1 + member % (members.len() - 1)).unwrap().clone();
        members.insert(name, value);
        runtime.block_on(must_be_answered(&server, &path, json!([command]).to_string().as_bytes()));
    });
}

#[tokio::test]
async fn paths_that_mean_nothing() {
    let server = server().await;
    for path in ["/", "/x", "/dl/x", "/dl/x/0-1", "/ul/x/0", "/ul/../0", "/w/x"] {
        assert_eq!(send(server.url(), "POST", path, "", b"").await.status(), 404, "{path}");
    }
}
