//! The server is held at a point, while its client does not know how far it came.

use std::time::Duration;

use serde_json::{Value, json};
use supermega_server::HoldPoint;

use crate::admin::order;
use crate::http::{post, try_post};
use crate::world::{Account, folder, world};

async fn nodes(account: &Account) -> usize {
    account.v3(json!({ "a": "f" })).await["f"].as_array().unwrap().len()
}

#[tokio::test]
async fn nodes_are_there_before_whoever_put_them_knows() {
    let (server, account) = world().await;
    let [root, ..] = account.roots().await;
    let hold = server.hold(HoldPoint::PutCommitted);
    // Neither reading nor what fails comes to this point.
    assert_eq!(nodes(&account).await, 3);
    assert_eq!(account.v3(json!({ "a": "p", "t": root, "n": [] })).await, -2);
    assert_eq!(hold.requests(), 0);
    let body = json!([{ "a": "p", "t": root, "n": [folder()] }]).to_string();
    let url = format!("{}cs?id=1{}&v=3", account.url, account.who);
    let put = tokio::spawn(async move { post(&url, body.as_bytes()).await });
    hold.reached().await;
    assert_eq!((nodes(&account).await, put.is_finished(), hold.requests()), (4, false, 1));
    hold.release();
    assert!(put.await.unwrap().text().contains("\"fh\""));
    // It holds no more.
    account.folder(&root).await;
}

#[tokio::test]
async fn a_put_is_held_before_it_is_carried_out() {
    let (server, account) = world().await;
    let [root, ..] = account.roots().await;
    let hold = server.hold(HoldPoint::PutArrived);
    let put = {
        let (account, root) = (account.clone(), root.clone());
        tokio::spawn(async move { account.folder(&root).await })
    };
    hold.reached().await;
    assert_eq!(nodes(&account).await, 3);
    // Whoever is gone when it is released has asked for nothing.
    put.abort();
    assert!(put.await.unwrap_err().is_cancelled());
    let second = {
        let (account, root) = (account.clone(), root.clone());
        tokio::spawn(async move { account.folder(&root).await })
    };
    while hold.requests() < 2 {
        tokio::task::yield_now().await;
    }
    hold.release();
    second.await.unwrap();
    assert_eq!(nodes(&account).await, 4);
}

#[tokio::test]
async fn a_client_that_ends_while_it_is_held_leaves_its_change() {
    let (server, account) = world().await;
    let [root, ..] = account.roots().await;
    let hold = server.hold(HoldPoint::PutCommitted);
    let body = json!([{ "a": "p", "t": root, "n": [folder()] }]).to_string();
    let url = format!("{}cs?id=1{}&v=3", account.url, account.who);
    let put = {
        let (url, body) = (url.clone(), body.clone());
        tokio::spawn(async move { try_post(&url, body.as_bytes()).await })
    };
    hold.reached().await;
    put.abort();
    hold.release();
    // It asks again when it is back, and gets the answer that it missed.
    assert!(post(&url, body.as_bytes()).await.text().contains("\"fh\""));
    assert_eq!(nodes(&account).await, 4);
}

#[tokio::test]
async fn pieces_are_stored_before_their_sender_knows() {
    let (server, account) = world().await;
    let reply = account.v3(json!({ "a": "u", "s": 10, "v": 3 })).await;
    let url = reply["p"].as_str().unwrap().to_owned();
    let (chunk, last) =
        (server.hold(HoldPoint::ChunkStored), server.hold(HoldPoint::UploadComplete));
    let send = |offset: usize, piece: &'static [u8]| {
        let url = format!("{url}/{offset}");
        tokio::spawn(async move { post(&url, piece).await })
    };
    let first = send(0, b"01234");
    chunk.reached().await;
    assert_eq!(last.requests(), 0);
    chunk.release();
    assert_eq!(first.await.unwrap().body, b"");
    let second = send(5, b"56789");
    last.reached().await;
    assert!(!second.is_finished());
    // Dropped, it lets go as well.
    drop(last);
    assert_eq!(second.await.unwrap().body.len(), 36);
}

#[tokio::test]
async fn holds_are_given_as_orders() {
    let (server, account) = world().await;
    let [root, ..] = account.roots().await;
    let made = order(&server, "POST", "holds", json!({ "at": "put-committed" })).await;
    let made: Value = serde_json::from_str(&made.text()).unwrap();
    let path = format!("holds/{}", made["hold"]);
    let put = {
        let (account, root) = (account.clone(), root.clone());
        tokio::spawn(async move { account.folder(&root).await })
    };
    let reached = order(&server, "GET", &path, Value::Null).await.text();
    let reached: Value = serde_json::from_str(&reached).unwrap();
    let known = json!({
        "type": "hold", "hold": made["hold"], "at": "put-committed", "requests": 1,
    });
    assert_eq!(reached, known);
    let listed = order(&server, "GET", "holds", Value::Null).await.text();
    assert_eq!(serde_json::from_str::<Value>(listed.trim()).unwrap(), known);
    assert!(!put.is_finished());
    assert_eq!(order(&server, "DELETE", &path, Value::Null).await.status, 200);
    put.await.unwrap();
    assert_eq!(order(&server, "DELETE", &path, Value::Null).await.status, 404);
    assert_eq!(order(&server, "POST", "holds", json!({ "at": "x" })).await.status, 400);
    assert_eq!(order(&server, "GET", "holds", Value::Null).await.text(), "");
}

#[tokio::test]
async fn a_server_that_is_held_can_be_stopped() {
    let (server, account) = world().await;
    let [root, ..] = account.roots().await;
    let hold = server.hold(HoldPoint::PutCommitted);
    let put = tokio::spawn(async move { account.folder(&root).await });
    hold.reached().await;
    tokio::time::timeout(Duration::from_secs(4), server.shutdown()).await.unwrap();
    // The answer comes on the way out.
    put.await.unwrap();
}
