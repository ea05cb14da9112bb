//! Orders to a running server, and who may give them.

use serde_json::{Value, json};
use supermega_server::{LoggedRequest, ServerHandle};

use crate::http::{Answer, Connection};
use crate::world::{Account, EMAIL, PASSWORD, world};

/// Sends an order with the token.
pub async fn order(server: &ServerHandle, method: &str, path: &str, body: Value) -> Answer {
    let token = format!("X-Admin-Token: {}\r\n", server.admin_token());
    let body = if body.is_null() { String::new() } else { body.to_string() };
    let mut connection = Connection::open(server.url()).await;
    let path = format!("/admin/{path}");
    connection.request(method, &path, &token, body.as_bytes()).await.unwrap()
}

fn lines(answer: &Answer) -> Vec<Value> {
    answer.text().lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

#[tokio::test]
async fn nobody_gives_orders_without_the_token_or_by_another_name() {
    let (server, _) = world().await;
    let mut connection = Connection::open(server.url()).await;
    let token = format!("X-Admin-Token: {}\r\n", server.admin_token());
    let wrong = "X-Admin-Token: AAAA\r\n";
    for headers in ["", wrong] {
        let answer = connection.request("GET", "/admin/users", headers, b"").await.unwrap();
        assert_eq!(answer.status, 401);
    }
    for (host, status) in [("attacker.example", 403), ("localhost:1", 200), ("[::1]:1", 200)] {
        let answer = connection.request_for(host, "GET", "/admin/users", &token, b"").await;
        assert_eq!(answer.unwrap().status, status, "{host}");
    }
    let file = std::fs::read_to_string(server.admin_token_file()).unwrap();
    assert_eq!(file, server.admin_token());
}

#[tokio::test]
async fn users_are_made_and_listed() {
    let (server, _) = world().await;
    let new = json!({ "email": "new@example.org", "password": "secret", "kdf": "v1" });
    assert_eq!(order(&server, "POST", "users", new.clone()).await.status, 200);
    assert_eq!(order(&server, "POST", "users", new).await.status, 409);
    assert_eq!(order(&server, "POST", "users", json!({ "email": 1 })).await.status, 400);
    let users = lines(&order(&server, "GET", "users", Value::Null).await);
    let known: Vec<_> = users.iter().map(|user| (&user["email"], &user["version"])).collect();
    assert!(known.contains(&(&json!("new@example.org"), &json!(1))), "{known:?}");
    assert!(known.contains(&(&json!(EMAIL), &json!(2))), "{known:?}");
}

#[tokio::test]
async fn faults_come_and_go_and_requests_are_told() {
    let (server, account) = world().await;
    let fault = json!({ "fault": "uq:error=3" });
    assert_eq!(order(&server, "POST", "faults", fault).await.status, 200);
    assert_eq!(account.v3(json!({ "a": "uq", "strg": 1 })).await, json!(-3));
    assert_eq!(order(&server, "DELETE", "faults", Value::Null).await.status, 200);
    assert!(account.v3(json!({ "a": "uq", "strg": 1 })).await["cstrg"].is_number());
    let spoilt = order(&server, "POST", "faults", json!({ "fault": "nonsense" })).await;
    assert_eq!(spoilt.status, 400);
    let log = lines(&order(&server, "GET", "log", Value::Null).await);
    assert_eq!(log.last(), Some(&json!({ "type": "api", "commands": ["uq"] })));
    assert_eq!(order(&server, "DELETE", "log", Value::Null).await.status, 200);
    assert_eq!(server.request_log(), Vec::<LoggedRequest>::new());
}

#[tokio::test]
async fn a_reset_leaves_the_accounts_alone() {
    let (server, account) = world().await;
    let [root, ..] = account.roots().await;
    let file = account.file(&root, b"content").await;
    let source = account.source(&file).await;
    let state = lines(&order(&server, "GET", "state", Value::Null).await);
    assert!(state.iter().any(|line| line["handle"] == json!(file) && line["size"] == 7));
    assert_eq!(order(&server, "POST", "reset", Value::Null).await.status, 200);
    assert_eq!(account.v3(json!({ "a": "uq" })).await, json!(-15));
    let account = Account::login(&server, EMAIL, PASSWORD).await;
    assert_eq!(account.roots().await[0], root);
    assert!(account.node(&file).await.is_none());
    assert_ne!(crate::http::get(&source).await.body, b"content");
}
