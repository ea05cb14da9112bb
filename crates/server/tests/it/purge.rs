//! Much at once: old versions, and what is in the rubbish bin (`protocol-api.md` 2.7).

use serde_json::json;

use crate::follower::Follower;
use crate::world::{Account, file, with, world};

/// A file with so many old versions, the newest first.
async fn chain(account: &Account, folder: &str, versions: usize) -> Vec<String> {
    let mut chain = vec![account.file(folder, b"1").await];
    for _ in 0..versions {
        let token = account.upload(b"2").await;
        let element = with(file(&token), "ov", chain[0].as_str());
        chain.insert(0, account.put(folder, json!([element])).await.remove(0));
    }
    chain
}

#[tokio::test]
async fn old_versions_go_and_files_stay() {
    let (_server, account) = world().await;
    let [root, ..] = account.roots().await;
    let long = chain(&account, &root, 2).await;
    let short = chain(&account, &root, 0).await;
    let mut follower = Follower::of(&account).await;
    let (done, packets) = follower.packets_of(json!({ "a": "dv" })).await;
    assert!(done.is_string(), "{done}");
    // The oldest first: readers remove what hangs on a version with it.
    let gone: Vec<&str> = packets.iter().map(|packet| packet["n"].as_str().unwrap()).collect();
    assert_eq!(gone, [long[2].as_str(), long[1].as_str()]);
    let tree = account.v3(json!({ "a": "f", "c": 1 })).await;
    assert!(tree.get("f2").is_none(), "{tree}");
    for file in [&long[0], &short[0]] {
        assert!(account.node(file).await.is_some());
    }
    assert_eq!(account.v3(json!({ "a": "dv" })).await, 0, "there is nothing left to delete");
    let quota = account.v3(json!({ "a": "uq", "strg": 1 })).await;
    assert_eq!(quota["cstrg"], 2);
}

#[tokio::test]
async fn the_rubbish_bin_is_emptied_with_links_and_all() {
    let (server, account) = world().await;
    let [root, _, trash] = account.roots().await;
    let (dir, keep) = (account.folder(&trash).await, account.file(&root, b"keep").await);
    let inside = account.file(&dir, b"inside").await;
    let link = account.v3(json!({ "a": "l", "n": inside })).await[1].clone();
    let single = account.file(&trash, b"single").await;
    let mut follower = Follower::of(&account).await;
    let (done, packets) = follower.packets_of(json!({ "a": "dr" })).await;
    assert!(done.is_string(), "{done}");
    let mut kinds: Vec<&str> = packets.iter().map(|packet| packet["a"].as_str().unwrap()).collect();
    kinds.sort_unstable();
    assert_eq!(kinds, ["d", "d", "ph"]);
    for node in [dir, inside, single] {
        assert!(account.node(&node).await.is_none());
    }
    assert!(account.node(&keep).await.is_some());
    assert_eq!(Account::guest(&server).v3(json!({ "a": "g", "p": link })).await, -9);
    assert_eq!(account.v3(json!({ "a": "dr" })).await, 0);
}
