//! Nothing that comes over the wire makes the server fail.

use proptest::prelude::*;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::http::{Connection, post, split};
use crate::world::{Account, builder, file, folder, world};

#[tokio::test]
async fn header_names_are_spelled_as_official_clients_read_them() {
    let (server, _) = world().await;
    let mut stream = TcpStream::connect(split(server.url()).0).await.unwrap();
    let request =
        b"POST /cs HTTP/1.1\r\nhost: x\r\nconnection: close\r\ncontent-length: 2\r\n\r\n[]";
    stream.write_all(request).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 200 OK\r\n"), "{answer}");
    assert!(answer.contains("\r\nContent-Length: 2\r\n"), "{answer}");
    assert!(answer.contains("\r\nContent-Type: application/json\r\n"), "{answer}");
    assert!(answer.ends_with("\r\n\r\n[]"), "{answer}");
}

#[tokio::test]
async fn a_database_that_somebody_else_holds_is_waited_for() {
    let data = tempfile::tempdir().unwrap();
    let server = builder().data_dir(data.path()).spawn().await.unwrap();
    let prelogin = br#"[{"a":"us0","user":"somebody@example.org"}]"#;
    let url = format!("{}cs?id=1&v=3", server.url());
    let other = rusqlite::Connection::open(data.path().join("metadata.sqlite")).unwrap();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    assert_eq!(post(&url, prelogin).await.text(), "-3");
    other.execute_batch("ROLLBACK").unwrap();
    assert!(post(&url, prelogin).await.text().starts_with("[{"));
}

#[tokio::test]
async fn addresses_name_the_host_that_the_client_came_to() {
    let (_server, account) = world().await;
    let ask = br#"[{"a":"u","s":1}]"#;
    for (id, host, named) in [(1, "mega.test:81", "mega.test:81"), (2, "a\"b", "127.0.0.1")] {
        let path = format!("/cs?id={id}{}", account.who);
        let mut stream = TcpStream::connect(split(&account.url).0).await.unwrap();
        let head = format!(
            "POST {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\nContent-Length: {}\r\n\r\n",
            ask.len()
        );
        stream.write_all(head.as_bytes()).await.unwrap();
        stream.write_all(ask).await.unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.unwrap();
        assert!(answer.contains(&format!("\"p\":\"http://{named}/ul/")), "{answer}");
    }
}

#[tokio::test]
async fn what_is_no_batch_is_answered_by_a_number() {
    let (server, _) = world().await;
    let url = format!("{}cs?id=1", server.url());
    let deep = "[".repeat(100_000);
    let deep_value = format!("[{{\"a\":\"us0\",\"user\":{deep}}}]");
    for body in
        ["", "x", "5", "null", "\"x\"", "[", "{", "[{]", "[1,]", "\u{0}", &deep, &deep_value]
    {
        let answer = post(&url, body.as_bytes()).await;
        assert_eq!((answer.status, answer.text().as_str()), (200, "-2"), "{body:.40}");
    }
    let answer = post(&url, b"\xff\xfe").await;
    assert_eq!((answer.status, answer.text().as_str()), (200, "-2"));
    assert_eq!(post(&url, b"[]").await.text(), "[]");
    assert_eq!(post(&url, b"{\"a\":\"log\"}").await.text(), "[0]");
    let many = format!("[{}1]", "1,".repeat(10_000));
    assert_eq!(post(&url, many.as_bytes()).await.text(), "-6");
}

#[tokio::test]
async fn a_body_that_is_too_large_is_refused() {
    let (server, _) = world().await;
    let mut connection = Connection::open(server.url()).await;
    let body = vec![b' '; (64 << 20) + 1];
    // The answer may come before all of the body has gone.
    match connection.request("POST", "/cs", "", &body).await {
        Ok(answer) => assert_eq!(answer.text(), "-6"),
        Err(_) => assert_eq!(connection.answer().await.map_or("-6".into(), |a| a.text()), "-6"),
    }
}

/// Commands of all kinds, as they should be.
fn commands(root: &str, node: &str, dir: &str, token: &str) -> Value {
    json!([
        { "a": "us0", "user": "x@example.org" },
        { "a": "us", "user": "x@example.org", "uh": "AAAA", "sek": "AAAAAAAAAAAAAAAAAAAAAA" },
        { "a": "us", "c": 1 },
        { "a": "ug", "v": 1 },
        { "a": "uq", "strg": 1, "xfer": 1, "pro": 1, "src": -1, "v": 2 },
        { "a": "up", "k": "AAAAAAAAAAAAAAAAAAAAAA", "uh": "AAAAAAAAAAA" },
        { "a": "uga", "u": "AAAAAAAAAAA", "ua": "+puEd255", "v": 1 },
        { "a": "up2", "firstname": "QQ" },
        { "a": "upv", "^!keys": ["AAAA", "BBBB"] },
        { "a": "f", "c": 1, "r": 1, "ca": 1 },
        { "a": "p", "v": 4, "t": root, "sm": 1, "vb": 1, "n": [folder(), file(token), file(node)],
          "cr": [[dir], [], [0, 0, "AAAAAAAAAAAAAAAAAAAAAA"]], "i": "me" },
        { "a": "a", "n": node, "at": "QQ", "i": "me" },
        { "a": "m", "n": dir, "t": root, "cr": [[dir], [node], [0, 0, "AAAA"]] },
        { "a": "d", "n": node, "v": 1 },
        { "a": "l", "n": dir, "d": 1, "ets": 5, "w": "1" },
        { "a": "s2", "n": dir, "s": [{ "u": "EXP", "r": 0 }], "ok": "AAAAAAAAAAAAAAAAAAAAAA",
          "ha": "AAAAAAAAAAAAAAAAAAAAAA", "cr": [[dir], [node], [0, 0, "AAAA"]] },
        { "a": "g", "g": 1, "n": node, "p": "AAAAAAAA", "v": 2, "ssl": 2 },
        { "a": "u", "s": 5, "v": 3, "ssl": 2, "t": [root] },
    ])
}

/// A value that may stand where another one was.
fn any_value() -> impl Strategy<Value = Value> {
    prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        ".{0,12}".prop_map(Value::from),
        "[A-Za-z0-9_-]{8}".prop_map(Value::from),
        "[A-Za-z0-9_-]{0,64}".prop_map(Value::from),
        Just(json!([])),
        Just(json!({})),
        Just(json!([[], [], [0]])),
        Just(json!([[[[[]]]]])),
    ]
}

/// Replaces, or removes, the value that is met after `steps` steps.
fn mutate(value: &mut Value, steps: &mut usize, by: Option<&Value>) {
    match value {
        Value::Object(members) => {
            for name in members.keys().cloned().collect::<Vec<_>>() {
                if *steps == 0 {
                    *steps = usize::MAX;
                    match by {
                        Some(by) => members[&name] = by.clone(),
                        None => drop(members.remove(&name)),
                    }
                    return;
                }
                *steps = steps.saturating_sub(1);
                mutate(&mut members[&name], steps, by);
            }
        }
        Value::Array(items) => items.iter_mut().for_each(|item| mutate(item, steps, by)),
        _ => {}
    }
}

/// Sends bodies to one server until proptest has had enough.
fn survives<S: Strategy>(bodies: impl Fn(&Fixture) -> S, to_body: impl Fn(S::Value) -> Vec<u8>) {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let fixture = runtime.block_on(Fixture::new());
    let url = format!("{}cs?id=1{}&v=3", fixture.account.url, fixture.account.who);
    let mut runner = proptest::test_runner::TestRunner::new(ProptestConfig {
        cases: 300,
        failure_persistence: None,
        ..ProptestConfig::default()
    });
    let connection = std::cell::RefCell::new(runtime.block_on(Connection::open(&url)));
    let outcome = runner.run(&bodies(&fixture), |value| {
        let mut connection = connection.borrow_mut();
        let body = to_body(value);
        let asked = connection.request("POST", split(&url).1, "", &body);
        let answer = runtime.block_on(asked).unwrap();
        prop_assert_eq!(answer.status, 200);
        // -1 is how a broken invariant would look.
        let text = answer.text();
        let results: Value = serde_json::from_str(&text).unwrap();
        let results = results.as_array().cloned().unwrap_or(vec![results]);
        prop_assert!(results.iter().all(|result| *result != -1), "{}", text);
        Ok(())
    });
    outcome.unwrap();
}

struct Fixture {
    _server: supermega_server::ServerHandle,
    account: Account,
    commands: Value,
}

impl Fixture {
    async fn new() -> Self {
        let (server, account) = world().await;
        let [root, ..] = account.roots().await;
        let node = account.file(&root, b"bytes").await;
        let dir = account.folder(&root).await;
        let token = account.upload(b"token").await;
        let commands = commands(&root, &node, &dir, &token);
        Self { _server: server, account, commands }
    }
}

#[test]
fn any_bytes_are_answered() {
    survives(|_| prop::collection::vec(any::<u8>(), 0..200), |bytes| bytes);
}

#[test]
fn any_mutation_of_a_command_is_answered() {
    survives(
        |fixture| {
            let commands = fixture.commands.clone();
            let one = (0..commands.as_array().unwrap().len(), 0..24_usize);
            (one, prop::option::of(any_value())).prop_map(move |((which, step), by)| {
                let mut command = commands[which].clone();
                let mut step = step;
                mutate(&mut command, &mut step, by.as_ref());
                json!([command])
            })
        },
        |batch| batch.to_string().into_bytes(),
    );
}
