//! Thumbnails and the like: `ufa`, `pfa`, `/fa` (`protocol-api.md` 4.7).

use serde_json::{Value, json};
use supermega_encoding::base64;

use crate::follower::Follower;
use crate::http::post;
use crate::link::export;
use crate::share::{contacts, error, share};
use crate::world::{Account, file, folder, with, world};

/// Where attributes go to or come from.
async fn address(account: &Account, command: Value) -> String {
    let reply = account.v3(command).await;
    reply["p"].as_str().unwrap_or_else(|| panic!("{reply}")).to_owned()
}

/// Uploads an attribute and gives its handle.
async fn upload(account: &Account, data: &[u8], suffix: &str) -> String {
    let url = address(account, json!({ "a": "ufa", "s": data.len(), "ssl": 2, "v": 3 })).await;
    let answer = post(&format!("{url}{suffix}"), data).await;
    assert_eq!((answer.status, answer.body.len()), (200, 8));
    base64::encode(&answer.body)
}

/// The attributes with these handles, as far as they are there, by handle.
async fn download(account: &Account, handles: &[&str]) -> Vec<(String, Vec<u8>)> {
    let url = address(account, json!({ "a": "ufa", "fah": handles[0], "ssl": 2, "r": 1 })).await;
    let body: Vec<u8> = handles.iter().flat_map(|h| base64::decode(h).unwrap()).collect();
    let answer = post(&url, &body).await;
    assert!(answer.status == 200 && answer.is_whole);
    let (mut rest, mut found) = (&answer.body[..], Vec::new());
    while let Some((head, behind)) = rest.split_first_chunk::<12>() {
        let length = u32::from_le_bytes(head[8..].try_into().unwrap()) as usize;
        found.push((base64::encode(&head[..8]), behind[..length].to_vec()));
        rest = &behind[length..];
    }
    assert_eq!(rest, b"");
    found
}

/// Uploads a file with these attributes.
async fn file_with(account: &Account, target: &str, fa: &str) -> String {
    let token = account.upload(b"content").await;
    account.put(target, json!([with(file(&token), "fa", fa)])).await.remove(0)
}

#[tokio::test]
async fn attributes_go_up_with_a_file_and_come_down_together() {
    let (_server, account) = world().await;
    let [root, ..] = account.roots().await;
    let small = upload(&account, b"thumbnail thumb!", "").await;
    let large = upload(&account, &vec![3; 1 << 20], "/1").await;
    let node = file_with(&account, &root, &format!("0*{small}/1*{large}/8*AAAAAAAAAAA")).await;
    let fa = format!("1:0*{small}/1:1*{large}/1:8*AAAAAAAAAAA");
    assert_eq!(account.node(&node).await.unwrap()["fa"], json!(fa));
    assert_eq!(account.v3(json!({ "a": "g", "n": node })).await["fa"], json!(fa));
    let missing = base64::encode(&[7; 8]);
    let found = download(&account, &[&large, &missing, &small]).await;
    assert_eq!(found[0], (large, vec![3; 1 << 20]));
    assert_eq!(found[1], (small, b"thumbnail thumb!".to_vec()));
    assert_eq!(found.len(), 2);
    assert_eq!(error(&account, json!({ "a": "ufa", "fah": missing })).await, -9);
}

#[tokio::test]
async fn a_new_attribute_takes_the_place_of_its_type_and_everybody_is_told() {
    let (_server, me, you) = contacts().await;
    let [root, ..] = me.roots().await;
    let top = me.folder(&root).await;
    let first = upload(&me, b"first", "").await;
    let node = file_with(&me, &top, &format!("0*{first}/9*BBBBBBBBBBB")).await;
    share(&me, &you, &top, &node, 2).await;
    let guest = me.through(&export(&me, &top, &[(&top, 16), (&node, 32)]).await);
    let mut followers = [Follower::of(&you).await, Follower::of(&guest).await];
    let mut mine = Follower::of(&me).await;

    let second = upload(&me, b"second", "/0").await;
    let put = json!({ "a": "pfa", "n": node, "fa": format!("0*{second}"), "i": "abc" });
    let (result, packets) = mine.packets_of(put).await;
    let fa = format!("1:0*{second}/1:9*BBBBBBBBBBB");
    assert_eq!(result[1], json!(fa), "{result}");
    let expected =
        json!({ "a": "fa", "i": "abc", "st": result[0], "n": node, "fa": fa, "ou": me.user });
    assert_eq!(json!(packets), json!([expected]));
    for follower in &mut followers {
        assert_eq!(follower.now().await["a"], json!([expected]));
    }
    // Nobody needs the first one any more.
    assert_eq!(error(&me, json!({ "a": "ufa", "fah": first })).await, -9);
    let third = upload(&me, b"third", "").await;
    let old = me.legacy(json!({ "a": "pfa", "n": node, "fa": format!("1*{third}") })).await;
    assert_eq!(old, json!(format!("{fa}/1:1*{third}")));
}

#[tokio::test]
async fn nobody_but_the_owner_gives_attributes() {
    let (server, me, you) = contacts().await;
    let [root, ..] = me.roots().await;
    let top = me.folder(&root).await;
    let node = file_with(&me, &top, "").await;
    share(&me, &you, &top, &node, 2).await;
    let guest = me.through(&export(&me, &top, &[(&top, 16), (&node, 32)]).await);
    let handle = upload(&you, b"other", "").await;
    let put = json!({ "a": "pfa", "n": node, "fa": format!("0*{handle}") });
    for (who, code) in [(&you, -11), (&guest, -11), (&Account::guest(&server), -15)] {
        assert_eq!(error(who, json!({ "a": "ufa", "s": 5, "h": node })).await, code);
        assert_eq!(error(who, put.clone()).await, code);
    }
    assert_eq!(error(&guest, json!({ "a": "ufa", "s": 5 })).await, -11);
    // All may look.
    assert_eq!(download(&guest, &[&handle]).await.len(), 1);
    let url = address(&me, json!({ "a": "ufa", "s": 5, "h": node })).await;
    assert_eq!(post(&url, b"bytes").await.body.len(), 8);
    // A link that lets write is the exception.
    me.v3(json!({ "a": "s2", "n": top, "s": [{ "u": "EXP", "r": 2 }] })).await;
    let link = me.v3(json!({ "a": "l", "n": top, "w": "1" })).await[1].clone();
    let link = ["ph", "w"].map(|part| link[part].as_str().unwrap()).concat();
    let writer = me.through(&link);
    assert!(writer.v3(json!({ "a": "ufa", "s": 5, "h": node })).await.is_object());
    assert_eq!(writer.v3(put).await[1], json!(format!("1:0*{handle}")));
}

#[tokio::test]
async fn an_attribute_lives_as_long_as_a_node_names_it() {
    let (_server, account) = world().await;
    let [root, ..] = account.roots().await;
    let handle = upload(&account, b"kept", "").await;
    let node = file_with(&account, &root, &format!("0*{handle}")).await;
    let copy = account.put(&root, json!([file(&node)])).await.remove(0);
    let fa = json!(format!("1:0*{handle}"));
    assert_eq!(account.node(&copy).await.unwrap()["fa"], fa);
    account.v3(json!({ "a": "d", "n": node })).await;
    assert_eq!(download(&account, &[&handle]).await.len(), 1);
    account.v3(json!({ "a": "d", "n": copy })).await;
    assert_eq!(error(&account, json!({ "a": "ufa", "fah": handle })).await, -9);
}

#[tokio::test]
async fn what_is_no_attribute_is_refused() {
    let (_server, account) = world().await;
    let [root, ..] = account.roots().await;
    let dir = account.put(&root, json!([folder()])).await.remove(0);
    let node = account.file(&root, b"x").await;
    for (command, code) in [
        (json!({ "a": "ufa" }), -2),
        (json!({ "a": "ufa", "s": (16 << 20) + 1 }), -7),
        (json!({ "a": "ufa", "s": 5, "h": "AQIDBAUG" }), -9),
        (json!({ "a": "pfa", "n": node, "fa": "0*short" }), -2),
        (json!({ "a": "pfa", "n": node, "fa": "0*\"AAAAAAAAAA" }), -2),
        (json!({ "a": "pfa", "n": node, "fa": "0*AAAAAAAAAAA" }), -9),
        (json!({ "a": "pfa", "n": node, "fa": format!("8*{}", "A".repeat(70_000)) }), -2),
        (json!({ "a": "pfa", "n": dir, "fa": "8*AAAAAAAAAAA" }), -2),
    ] {
        assert_eq!(error(&account, command.clone()).await, code, "{command}");
    }
    let url = address(&account, json!({ "a": "ufa", "s": 5 })).await;
    assert_eq!(post(&url, b"short").await.body.len(), 8);
    assert_eq!(post(&url, b"long of it").await.text(), "-7");
    assert_eq!(post(&url, b"cut").await.text(), "-7");
    let handle = upload(&account, b"there", "").await;
    let url = address(&account, json!({ "a": "ufa", "fah": handle })).await;
    assert_eq!(post(&url, b"odd").await.text(), "-2");
    assert_eq!(post(&url, b"").await.body, b"");
    assert_eq!(post(&format!("{}fa/none", account.url), b"").await.status, 404);
}

#[tokio::test]
async fn the_largest_attribute_there_can_be() {
    let (_server, account) = world().await;
    let data = vec![1; 16 << 20];
    let handle = upload(&account, &data, "").await;
    let found = download(&account, &[&handle]).await;
    assert!(found == [(handle, data)]);
}
