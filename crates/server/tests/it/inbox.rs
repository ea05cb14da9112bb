//! Nodes for somebody else, nodes whose folder is gone, and keys that come later (`protocol-api.md` 2.6, 2.9).

use serde_json::json;
use supermega_encoding::base64;

use crate::follower::Follower;
use crate::share::{YOU, contacts};
use crate::world::{file, folder, with, world};

#[tokio::test]
async fn what_is_put_for_a_user_lies_in_his_inbox_until_he_takes_the_key() {
    let (_server, me, you) = contacts().await;
    let [root, ..] = me.roots().await;
    let [_, inbox, _] = you.roots().await;
    let own = me.file(&root, b"a gift").await;
    let sealed = base64::encode(&[3; 258]);
    let mut follower = Follower::of(&you).await;
    for name in [you.user.as_str(), YOU] {
        let gift = with(file(&own), "k", sealed.as_str());
        let put = me.v3(json!({ "a": "p", "v": 4, "t": name, "n": [gift] })).await;
        assert_eq!(put[0], 0, "no packet comes to the sender: {put}");
        let new = put[1]["fh"][0].as_str().unwrap()[..8].to_owned();
        let packet = follower.now().await["a"][0].clone();
        assert_eq!(packet["t"]["f"][0]["h"], json!(new));
        let seen = you.node(&new).await.unwrap();
        assert_eq!((&seen["p"], &seen["u"]), (&json!(inbox), &json!(you.user)));
        assert_eq!(seen["k"], json!(format!("{}:{sealed}", you.user)));
        assert!(me.node(&new).await.is_none());
        let key = base64::encode(&[4; 32]);
        assert_eq!(me.v3(json!({ "a": "k", "nk": [new, key] })).await, -11);
        assert_eq!(you.v3(json!({ "a": "k", "nk": [new, key] })).await, 0);
        let seen = you.node(&new).await.unwrap();
        assert_eq!(seen["k"], json!(format!("{}:{key}", you.user)));
    }
    // A key under a master key is none for somebody else.
    let put = json!({ "a": "p", "t": you.user, "n": [file(&own)] });
    assert_eq!(me.v3(put).await, -2);
    let nobody = json!({ "a": "p", "t": "nobody@example.org", "n": [with(folder(), "k", sealed)] });
    assert_eq!(me.v3(nobody).await, -9);
}

#[tokio::test]
async fn an_upload_whose_folder_is_gone_lands_in_the_rubbish_bin() {
    let (_server, account) = world().await;
    let [root, _, trash] = account.roots().await;
    let dir = account.folder(&root).await;
    let token = account.upload(b"late").await;
    account.v3(json!({ "a": "d", "n": dir })).await;
    let new = account.put(&dir, json!([file(&token)])).await.remove(0);
    assert_eq!(account.node(&new).await.unwrap()["p"], json!(trash));
    let put = json!({ "a": "p", "t": dir, "n": [folder()] });
    assert_eq!(account.v3(put).await, -9, "a folder is not lost by that");
}

#[tokio::test]
async fn keys_are_supplied_later_for_own_nodes_and_shares() {
    let (_server, me, you) = contacts().await;
    let [root, ..] = me.roots().await;
    let top = me.folder(&root).await;
    let inside = me.file(&top, b"content").await;
    crate::share::share(&me, &you, &top, &inside, 0).await;
    let key = base64::encode(&[11; 16]);
    let supplied = json!({ "a": "k", "cr": [[top], [top], [0, 0, key]] });
    assert_eq!(you.v3(supplied.clone()).await, -11);
    assert_eq!(me.v3(supplied).await, 0);
    let seen = you.node(&top).await.unwrap();
    assert_eq!(seen["k"], json!(format!("{top}:{key}")));
    assert_eq!(me.v3(json!({ "a": "k", "nk": [top] })).await, -2);
    assert_eq!(me.v3(json!({ "a": "k", "nk": [top, "AAAA"] })).await, -2);
}
