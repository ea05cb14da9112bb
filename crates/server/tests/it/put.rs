//! New nodes in all forms: `p` (`protocol-api.md` 2.6).

use serde_json::json;

use crate::http::post;
use crate::world::{Account, builder, file, folder, with, world};

#[tokio::test]
async fn a_tree_is_put_at_once() {
    let (_server, account) = world().await;
    let [root, ..] = account.roots().await;
    let source = account.file(&root, b"content").await;
    let made = account
        .put(
            &root,
            json!([
                with(folder(), "h", "AAAAAAAB"),
                with(with(folder(), "h", "AAAAAAAC"), "p", "AAAAAAAB"),
                with(file(&source), "p", "AAAAAAAC"),
            ]),
        )
        .await;
    let parent = async |i: usize| account.node(&made[i]).await.unwrap()["p"].clone();
    assert_eq!(parent(0).await, json!(root));
    assert_eq!(parent(1).await, json!(made[0]));
    assert_eq!(parent(2).await, json!(made[1]));
    assert_ne!(made[2], source);
    assert_eq!(post(&account.source(&made[2]).await, b"").await.body, b"content");
}

#[tokio::test]
async fn a_chain_of_versions_is_copied_as_one() {
    let (_server, account) = world().await;
    let [root, ..] = account.roots().await;
    let (new, old) = (account.file(&root, b"new").await, account.file(&root, b"old").await);
    let elements = json!([file(&new), with(file(&old), "p", new.as_str())]);
    let made = account.put(&root, elements).await;
    let tree = account.v3(json!({ "a": "f" })).await;
    assert_eq!(tree["f2"][0]["h"], json!(made[1]));
    assert_eq!(tree["f2"][0]["p"], json!(made[0]));
    let below_a_file = json!([file(&new), with(folder(), "p", new.as_str())]);
    let reply = account.v3(json!({ "a": "p", "v": 4, "t": root, "n": below_a_file })).await;
    assert_eq!(reply[1]["e"], json!({ "1": -11 }));
}

#[tokio::test]
async fn a_refused_element_does_not_stop_the_others() {
    let (_server, account) = world().await;
    let [root, ..] = account.roots().await;
    let elements = json!([
        folder(),
        file("zzzzzzzz"),
        with(folder(), "k", "AAAA"),
        with(folder(), "k", "AAAAAAAAAAAAAAAAAAAAAA"),
        with(folder(), "a", "\"\\"),
        with(folder(), "p", "AAAAAAAD"),
        with(folder(), "t", 2),
        with(file("AAAAAAAA"), "ph", "AAAAAAAA"),
        file(&"A".repeat(48)),
        with(folder(), "h", "BAAAAAAA"),
    ]);
    let put = json!({ "a": "p", "v": 4, "t": root, "n": elements });
    let reply = account.v3(put.clone()).await;
    let refused = json!({
        "1": -9, "2": -2, "3": -14, "4": -2, "5": -9, "6": -2, "7": -9, "8": -9,
    });
    assert_eq!(reply[1]["e"], refused);
    assert_eq!(reply[1]["fh"].as_array().unwrap().len(), 2);
    assert_eq!(account.legacy(put).await["f"].as_array().unwrap().len(), 2);
    // With nothing made there is but the error.
    let put = json!({ "a": "p", "v": 4, "t": root, "n": [file("zzzzzzzz")] });
    assert_eq!(account.v3(put).await, -9);
    assert_eq!(account.v3(json!({ "a": "p", "v": 4, "t": root, "n": [] })).await, -2);
    assert_eq!(account.v3(json!({ "a": "p", "t": "you@x", "n": [folder()] })).await, -9);
}

#[tokio::test]
async fn a_token_is_good_for_its_uploader_in_both_forms_and_more_than_once() {
    let (_server, account) = world().await;
    let [root, ..] = account.roots().await;
    let token = account.upload(b"raw").await;
    assert_eq!(token.len(), 48);
    account.put(&root, json!([file(&token), file(&token)])).await;
    let url = account.legacy(json!({ "a": "u", "s": 4, "ssl": 2 })).await;
    let token = post(&format!("{}/0", url["p"].as_str().unwrap()), b"text").await.text();
    assert_eq!(token.len(), 36);
    let put = json!({ "a": "p", "t": root, "n": [file(&token)], "i": "me" });
    let reply = account.legacy(put).await;
    assert_eq!((&reply["f"][0]["s"], &reply["f"][0]["t"]), (&json!(4), &json!(0)));
    let key = reply["f"][0]["k"].as_str().unwrap();
    assert!(key.starts_with(&format!("{}:", account.user)), "{key}");
}

#[tokio::test]
async fn nothing_goes_beyond_the_quota() {
    let server = builder().quota(10).spawn().await.unwrap();
    let account = Account::login(&server, crate::world::EMAIL, crate::world::PASSWORD).await;
    let [root, ..] = account.roots().await;
    let quota = account.v3(json!({ "a": "uq", "strg": 1, "v": 2 })).await;
    assert_eq!((&quota["mstrg"], &quota["usl"]), (&json!(10), &json!(0)));
    assert_eq!(account.v3(json!({ "a": "u", "s": 11 })).await, -17);
    let first = account.file(&root, b"123456").await;
    let late = account.upload(b"7890").await;
    account.put(&root, json!([folder()])).await;
    let copy = json!({ "a": "p", "v": 4, "t": root, "n": [file(&first)] });
    assert_eq!(account.v3(copy.clone()).await, -17);
    account.put(&root, json!([file(&late)])).await;
    assert_eq!(account.v3(json!({ "a": "uq" })).await["usl"], 2);
    assert_eq!(account.v3(json!({ "a": "u", "s": 1 })).await, -17);
    assert!(account.v3(json!({ "a": "u", "s": 0 })).await["p"].is_string());
    account.v3(json!({ "a": "d", "n": first })).await;
    assert_eq!(account.v3(json!({ "a": "uq" })).await["cstrg"], 4);
    assert!(account.v3(json!({ "a": "u", "s": 6 })).await["p"].is_string());
    let many = json!({ "a": "u", "s": u64::MAX });
    assert_eq!(account.v3(many).await, -17);
}
