//! Faults of single results: the rest of a batch is as it should be.

use serde_json::{Value, json};
use supermega_server::ServerHandle;

use crate::http::try_post;
use crate::world::{Account, folder, world};

fn arm(server: &ServerHandle, fault: &str) {
    server.add_fault(fault.parse().unwrap());
}

async fn batch(account: &Account, suffix: &str, commands: Value) -> Value {
    serde_json::from_str(&account.send(suffix, &commands.to_string()).await).unwrap()
}

async fn nodes(account: &Account) -> usize {
    account.v3(json!({ "a": "f" })).await["f"].as_array().unwrap().len()
}

#[tokio::test]
async fn one_command_is_refused_and_the_others_are_carried_out() {
    let (server, account) = world().await;
    let [root, ..] = account.roots().await;
    let put = json!({ "a": "p", "t": root, "n": [folder()] });
    arm(&server, "a:refuse=3*1");
    let rename = json!({ "a": "a", "n": root, "at": "QQ" });
    let answer = batch(&account, "&v=3", json!([rename, put])).await;
    assert_eq!(answer[0], -3);
    assert!(answer[1].is_array(), "{answer}");
    assert_eq!(nodes(&account).await, 4);
    // With `bc=1` it takes the others with it.
    arm(&server, "a:refuse=999*1");
    let answer = batch(&account, "&v=3&bc=1", json!([put, rename])).await;
    assert_eq!(answer, json!([-25, -999]));
    assert_eq!(nodes(&account).await, 4);
}

#[tokio::test]
async fn over_quota_is_said_where_clients_look_for_it() {
    let (server, account) = world().await;
    let [root, ..] = account.roots().await;
    let node = account.file(&root, b"x").await;
    arm(&server, "g:overquota=77*1");
    let g = json!({ "a": "g", "g": 1, "n": node });
    assert_eq!(account.v3(g.clone()).await, json!({ "e": -17, "tl": 77 }));
    assert!(account.v3(g).await["g"].is_string());
    arm(&server, "u:overquota*1");
    assert_eq!(account.v3(json!({ "a": "u", "s": 1, "v": 3 })).await, -17);
}

#[tokio::test]
async fn results_have_members_that_nobody_knows() {
    let (server, account) = world().await;
    let [root, ..] = account.roots().await;
    arm(&server, "api:drift");
    let strange = json!({ "n": [1] });
    let quota = account.v3(json!({ "a": "uq" })).await;
    assert_eq!(quota["zz"], strange);
    assert!(quota["mstrg"].is_number());
    let put = account.v3(json!({ "a": "p", "v": 4, "t": root, "n": [folder()] })).await;
    assert_eq!((&put[1]["zz"], &put[1]["e"]), (&strange, &json!([])));
    // A tree that comes in pieces, too.
    let tree = account.v3(json!({ "a": "f", "c": 1, "r": 1 })).await;
    assert_eq!(tree["zz"], strange);
    assert_eq!(tree["f"].as_array().unwrap().len(), 4);
    assert_eq!(account.v3(json!({ "a": "g", "n": root })).await, -9);
}

#[tokio::test]
async fn results_are_of_another_kind() {
    let (server, account) = world().await;
    arm(&server, "api:drift=kind");
    assert_eq!(account.v3(json!({ "a": "uq" })).await, json!([[1]])[0]);
    assert_eq!(account.v3(json!({ "a": "f", "c": 1 })).await, json!([1]));
    assert_eq!(account.v3(json!({ "a": "usl" })).await, json!({ "zz": 1 }));
}

#[tokio::test]
async fn answers_that_are_kept_are_forgotten() {
    let (server, account) = world().await;
    let [root, ..] = account.roots().await;
    let put = json!([{ "a": "p", "t": root, "n": [folder()] }]).to_string();
    let url = format!("{}cs?id=9{}&v=3", account.url, account.who);
    // The client got no answer, asks again, and the server does not know that it did it.
    arm(&server, "p:lost;forget");
    assert!(try_post(&url, put.as_bytes()).await.is_err());
    assert_eq!(nodes(&account).await, 4);
    for _ in 0..2 {
        assert!(try_post(&url, put.as_bytes()).await.unwrap().text().contains("\"fh\""));
        assert_eq!(nodes(&account).await, 5);
    }
}
