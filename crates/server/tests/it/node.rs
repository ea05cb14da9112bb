//! The tree and its changes: `f`, `a`, `m`, `d` (`protocol-api.md` 2.5, 2.7, 6.2, 6.3).

use serde_json::{Value, json};

use crate::world::{ATTRIBUTES, Account, file, folder, with, world};

async fn everything(account: &Account) -> Value {
    account.v3(json!({ "a": "f", "c": 1, "r": 1 })).await
}

#[tokio::test]
async fn a_new_account_has_three_roots_and_what_strict_readers_want() {
    let (_server, account) = world().await;
    let tree = everything(&account).await;
    let kinds: Vec<&Value> = tree["f"].as_array().unwrap().iter().map(|node| &node["t"]).collect();
    assert_eq!(kinds, [2, 3, 4]);
    for node in tree["f"].as_array().unwrap() {
        assert_eq!((&node["p"], &node["a"], &node["k"]), (&json!(""), &json!(""), &json!("")));
        assert!(node["u"].is_string() && node["ts"].is_i64());
    }
    for list in ["ok", "ok0", "s", "ps", "ph", "u", "ipc", "opc"] {
        assert!(tree[list].is_array(), "{list}");
    }
    assert_eq!(tree["sn"].as_str().unwrap().len(), 11);
    assert!(tree["st"].is_string());
    // Readers of a stream profit from keys before nodes, and take the cursor for the end.
    let text = account.send("&v=3", r#"[{"a":"f"}]"#).await;
    assert!(text.find("\"ok\":").unwrap() < text.find("\"f\":").unwrap(), "{text}");
    assert!(text[..text.len() - 14].ends_with("\"sn\":\""), "{text}");
}

#[tokio::test]
async fn parents_come_before_what_they_hold() {
    let (_server, account) = world().await;
    let [root, _, trash] = account.roots().await;
    let inner = account.folder(&trash).await;
    let outer = account.folder(&root).await;
    let moved = json!({ "a": "m", "n": inner, "t": outer });
    assert!(account.v3(moved).await.is_string());
    account.folder(&inner).await;
    let tree = everything(&account).await;
    let mut seen = vec![Value::from("")];
    for node in tree["f"].as_array().unwrap() {
        assert!(seen.contains(&node["p"]), "{node}");
        seen.push(node["h"].clone());
    }
    assert_eq!(seen.len(), 7);
}

#[tokio::test]
async fn attributes_are_replaced_and_keys_are_not() {
    let (_server, account) = world().await;
    let [root, ..] = account.roots().await;
    let node = account.file(&root, b"content").await;
    let before = account.node(&node).await.unwrap();
    let key = "AAAAAAAAAAAAAAAAAAAAAA";
    let legacy = json!({ "a": "a", "n": node, "attr": "QQ", "key": key, "i": "me" });
    assert_eq!(account.legacy(legacy).await, 0);
    let after = account.node(&node).await.unwrap();
    assert_eq!((&after["a"], &after["k"]), (&json!("QQ"), &before["k"]));
    for bad in ["\"", "A", " ", "{}"] {
        assert_eq!(account.v3(json!({ "a": "a", "n": node, "at": bad })).await, -2, "{bad}");
    }
    let long = "A".repeat(65536 / 3 * 4 + 8);
    assert_eq!(account.v3(json!({ "a": "a", "n": node, "at": long })).await, -2);
    assert_eq!(account.v3(json!({ "a": "a", "n": root, "at": "QQ" })).await, -11);
    assert_eq!(account.v3(json!({ "a": "a", "n": "zzzzzzzz", "at": "QQ" })).await, -9);
}

#[tokio::test]
async fn a_move_goes_nowhere_it_must_not() {
    let (_server, account) = world().await;
    let [root, vault, trash] = account.roots().await;
    let outer = account.folder(&root).await;
    let inner = account.folder(&outer).await;
    let leaf = account.file(&root, b"x").await;
    let refused = |n: &str, t: &str| account.v3(json!({ "a": "m", "n": n, "t": t }));
    assert_eq!(refused(&outer, &inner).await, -10);
    assert_eq!(refused(&outer, &outer).await, -10);
    assert_eq!(refused(&outer, &leaf).await, -11);
    assert_eq!(refused(&root, &trash).await, -11);
    assert_eq!(refused(&outer, &vault).await, -11);
    assert_eq!(refused(&outer, "zzzzzzzz").await, -9);
    assert!(refused(&outer, &trash).await.is_string());
    assert_eq!(account.node(&inner).await.unwrap()["p"], json!(outer));
    // Backups mean it when they change the vault.
    let meant = json!({ "a": "m", "n": leaf, "t": vault, "vw": 1 });
    assert!(account.v3(meant).await.is_string());
    assert_eq!(account.v3(json!({ "a": "d", "n": leaf })).await, -11);
    assert!(account.v3(json!({ "a": "d", "n": leaf, "vw": 1 })).await.is_string());
}

#[tokio::test]
async fn deleting_a_folder_deletes_what_it_holds() {
    let (_server, account) = world().await;
    let [root, ..] = account.roots().await;
    let outer = account.folder(&root).await;
    let inner = account.folder(&outer).await;
    let leaf = account.file(&inner, b"bytes").await;
    let source = account.source(&leaf).await;
    let used = account.v3(json!({ "a": "uq", "strg": 1 })).await;
    assert_eq!((&used["cstrg"], &used["cstrgn"][&root]), (&json!(5), &json!([5, 1, 2, 0, 0])));
    assert_eq!(account.legacy(json!({ "a": "d", "n": outer })).await, 0);
    for gone in [&outer, &inner, &leaf] {
        assert!(account.node(gone).await.is_none());
    }
    assert_eq!(account.v3(json!({ "a": "uq" })).await["cstrg"], 0);
    assert_eq!(crate::http::get(&source).await.status, 404);
    assert_eq!(account.v3(json!({ "a": "d", "n": outer })).await, -9);
}

/// A file and its old versions, newest first.
async fn chain(account: &Account, root: &str, versions: usize) -> Vec<String> {
    let mut chain = vec![account.file(root, b"0").await];
    for i in 1..versions {
        let token = account.upload(i.to_string().as_bytes()).await;
        let element = with(file(&token), "ov", chain[0].as_str());
        chain.insert(0, account.put(root, json!([element])).await.remove(0));
    }
    chain
}

#[tokio::test]
async fn a_replaced_file_hangs_below_the_new_one() {
    let (_server, account) = world().await;
    let [root, ..] = account.roots().await;
    let chain = chain(&account, &root, 3).await;
    let tree = everything(&account).await;
    let parent = |list: &str, node: &str| {
        let found = tree[list].as_array().unwrap().iter().find(|n| n["h"] == node);
        found.unwrap_or_else(|| panic!("{node} is not in {list}"))["p"].clone()
    };
    assert_eq!(parent("f", &chain[0]), json!(root));
    assert_eq!(parent("f2", &chain[1]), json!(chain[0]));
    assert_eq!(parent("f2", &chain[2]), json!(chain[1]));
    let used = account.v3(json!({ "a": "uq" })).await;
    assert_eq!(used["cstrgn"][&root], json!([1, 1, 0, 2, 2]));
    assert_eq!(account.v3(json!({ "a": "m", "n": chain[1], "t": root })).await, -11);
}

#[tokio::test]
async fn one_version_can_go_alone() {
    let (_server, account) = world().await;
    let [root, ..] = account.roots().await;
    let chain = chain(&account, &root, 4).await;
    let delete = |n: String| account.v3(json!({ "a": "d", "n": n, "v": 1 }));
    assert!(delete(chain[1].clone()).await.is_string());
    assert_eq!(account.node(&chain[2]).await.unwrap()["p"], json!(chain[0]));
    assert!(delete(chain[0].clone()).await.is_string());
    assert_eq!(account.node(&chain[2]).await.unwrap()["p"], json!(root));
    assert!(account.v3(json!({ "a": "d", "n": chain[2] })).await.is_string());
    assert!(account.node(&chain[3]).await.is_none());
}

#[tokio::test]
async fn deleting_an_old_version_deletes_the_older_ones() {
    let (_server, account) = world().await;
    let [root, ..] = account.roots().await;
    let chain = chain(&account, &root, 4).await;
    account.v3(json!({ "a": "d", "n": chain[2] })).await;
    assert!(account.node(&chain[1]).await.is_some());
    assert!(account.node(&chain[2]).await.is_none() && account.node(&chain[3]).await.is_none());
}

#[tokio::test]
async fn without_versions_the_replaced_file_goes_and_its_versions_stay() {
    let (_server, account) = world().await;
    let [root, ..] = account.roots().await;
    let chain = chain(&account, &root, 2).await;
    let token = account.upload(b"new").await;
    let element = with(file(&token), "ov", chain[0].as_str());
    let put = json!({ "a": "p", "v": 4, "vb": 0, "t": root, "n": [element] });
    let reply = account.v3(put).await;
    let new = &reply[1]["fh"][0].as_str().unwrap()[..8];
    assert!(account.node(&chain[0]).await.is_none());
    assert_eq!(account.node(&chain[1]).await.unwrap()["p"], json!(new));
    // The account's own setting does the same.
    account.v3(json!({ "a": "up2", "^!dv": "MQ" })).await;
    let token = account.upload(b"newer").await;
    account.put(&root, json!([with(file(&token), "ov", new)])).await;
    assert!(account.node(new).await.is_none());
}

#[tokio::test]
async fn other_peoples_nodes_are_out_of_reach() {
    let (server, account) = world().await;
    server.add_user("you@example.org", "other").await.unwrap();
    let you = Account::login(&server, "you@example.org", "other").await;
    let [root, ..] = account.roots().await;
    let [yours, ..] = you.roots().await;
    let node = account.file(&root, b"mine").await;
    let dir = account.folder(&root).await;
    let refused = [
        json!({ "a": "a", "n": node, "at": ATTRIBUTES }),
        json!({ "a": "m", "n": node, "t": yours }),
        json!({ "a": "m", "n": yours, "t": dir }),
        json!({ "a": "d", "n": node }),
        json!({ "a": "g", "g": 1, "n": node }),
        json!({ "a": "l", "n": node }),
        json!({ "a": "s2", "n": dir, "s": [{ "u": "EXP", "r": 0 }] }),
        json!({ "a": "p", "t": dir, "n": [folder()] }),
        json!({ "a": "p", "t": yours, "n": [file(&node)] }),
        json!({ "a": "p", "t": yours, "n": [file(&account.upload(b"x").await)] }),
    ];
    for command in refused {
        let code = you.v3(command.clone()).await;
        assert!(code == -11 || code == -9, "{command}: {code}");
        let code = Account::guest(&server).v3(command.clone()).await;
        assert!(code == -15, "{command}: {code}");
    }
    assert!(account.node(&node).await.is_some());
}
