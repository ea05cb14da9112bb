//! Folders that users share: who sees what, and who may do what (`protocol-api.md` 2.9, 2.10).

use serde_json::{Value, json};
use supermega_encoding::base64;
use supermega_server::{KdfVersion, ServerHandle};

use crate::world::{ATTRIBUTES, Account, EMAIL, PASSWORD, builder, file, folder, rsa};

pub const YOU: &str = "you@example.org";

/// Two users, who are contacts.
pub async fn contacts() -> (ServerHandle, Account, Account) {
    let server =
        builder().user_with_key(YOU, "other", KdfVersion::V2, rsa()).spawn().await.unwrap();
    let me = Account::login(&server, EMAIL, PASSWORD).await;
    let you = Account::login(&server, YOU, "other").await;
    let invited = me.v3(json!({ "a": "upc", "u": YOU, "e": EMAIL, "aa": "a" })).await;
    let request = invited[1]["p"].as_str().or(invited["p"].as_str()).unwrap().to_owned();
    let waiting = you.v3(json!({ "a": "f", "c": 1 })).await;
    assert_eq!(waiting["ipc"][0]["p"], json!(request));
    let accepted = you.v3(json!({ "a": "upca", "p": request, "aa": "a" })).await;
    assert!(accepted.is_string() || accepted == 0, "{accepted}");
    (server, me, you)
}

/// Shares `folder`, which holds `file`, at a level.
pub async fn share(me: &Account, you: &Account, folder: &str, file: &str, level: u8) -> Value {
    let (none, key) = (base64::encode(&[0; 16]), base64::encode(&[9; 32]));
    let cr = json!([[folder], [file], [0, 0, key]]);
    let to = json!([{ "u": you.user, "r": level }]);
    me.v3(json!({ "a": "s2", "n": folder, "s": to, "ok": none, "ha": none, "cr": cr })).await
}

pub async fn error(account: &Account, command: Value) -> i64 {
    let result = account.v3(command).await;
    let error = result.as_i64().unwrap_or_else(|| panic!("{result}"));
    assert!(error < 0, "{error} is no error");
    error
}

#[tokio::test]
async fn a_reader_sees_the_folder_and_changes_nothing() {
    let (server, me, you) = contacts().await;
    let [root, ..] = me.roots().await;
    let top = me.folder(&root).await;
    let inside = me.file(&top, b"content").await;
    assert_eq!(error(&you, json!({ "a": "g", "g": 1, "n": inside })).await, -11);
    let shared = share(&me, &you, &top, &inside, 0).await;
    assert_eq!(shared[1]["r"], json!([0]), "{shared}");

    let seen = you.node(&top).await.unwrap();
    assert_eq!((&seen["su"], &seen["r"]), (&json!(me.user), &json!(0)));
    let seen = you.node(&inside).await.unwrap();
    assert!(seen["k"].as_str().unwrap().starts_with(&format!("{top}:")), "{seen}");
    assert!(!seen["k"].as_str().unwrap().contains(&me.user), "{seen}");
    assert_eq!(crate::http::get(&you.source(&inside).await).await.body, b"content");

    let changes = [
        json!({ "a": "a", "n": inside, "at": ATTRIBUTES }),
        json!({ "a": "d", "n": inside }),
        json!({ "a": "m", "n": inside, "t": you.roots().await[0] }),
        json!({ "a": "p", "t": top, "n": [folder()] }),
        json!({ "a": "l", "n": inside }),
        json!({ "a": "s2", "n": top, "s": [{ "u": "EXP", "r": 0 }] }),
    ];
    for change in changes {
        assert_eq!(error(&you, change.clone()).await, -11, "{change}");
    }
    server.add_user("other@example.org", "third").await.unwrap();
    let stranger = Account::login(&server, "other@example.org", "third").await;
    assert_eq!(error(&stranger, json!({ "a": "g", "g": 1, "n": inside })).await, -11);
    assert!(stranger.node(&top).await.is_none());
}

#[tokio::test]
async fn levels_grow_and_a_share_that_ends_is_over() {
    let (_server, me, you) = contacts().await;
    let [root, ..] = me.roots().await;
    let top = me.folder(&root).await;
    let inside = me.file(&top, b"content").await;
    share(&me, &you, &top, &inside, 1).await;
    let token = you.upload(b"from you").await;
    let put = you.v3(json!({ "a": "p", "v": 4, "t": top, "n": [file(&token)] })).await;
    let new = put[1]["fh"][0].as_str().unwrap_or_else(|| panic!("{put}"))[..8].to_owned();
    assert_eq!(me.node(&new).await.unwrap()["p"], json!(top));
    assert_eq!(error(&you, json!({ "a": "d", "n": inside })).await, -11);
    share(&me, &you, &top, &inside, 2).await;
    let deleted = you.v3(json!({ "a": "d", "n": inside })).await;
    assert!(deleted.as_i64().is_none_or(|code| code >= 0), "{deleted}");
    assert!(me.node(&inside).await.is_none());

    let sn = you.v3(json!({ "a": "f", "c": 1 })).await["sn"].as_str().unwrap().to_owned();
    me.v3(json!({ "a": "s2", "n": top, "s": [{ "u": you.user }] })).await;
    let packets = crate::http::post(&format!("{}wsc?sn={sn}{}", you.url, you.who), b"").await;
    let packets: Value = serde_json::from_str(&packets.text()).unwrap();
    let kinds: Vec<&str> =
        packets["a"].as_array().unwrap().iter().map(|p| p["a"].as_str().unwrap()).collect();
    assert!(kinds.contains(&"s2"), "{packets}");
    assert!(you.node(&top).await.is_none());
    assert_eq!(error(&you, json!({ "a": "g", "g": 1, "n": new })).await, -11);
    assert!(me.node(&new).await.is_some());
}
