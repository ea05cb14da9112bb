//! Public files and folder links (`protocol-api.md` 2.8, 2.9, 6.6).

use serde_json::{Value, json};
use supermega_encoding::base64;

use crate::follower::Follower;
use crate::http::get;
use crate::world::{Account, file, folder, world};

/// Exports a folder with keys for the nodes in it, and gives the link.
pub async fn export(account: &Account, dir: &str, nodes: &[(&str, usize)]) -> String {
    let handles: Vec<&str> = nodes.iter().map(|(node, _)| *node).collect();
    let mut triples = Vec::new();
    for (i, (_, length)) in nodes.iter().enumerate() {
        triples.extend([json!(0), json!(i), json!(base64::encode(&vec![8; *length]))]);
    }
    let zeros = base64::encode(&[0; 16]);
    let share = json!({
        "a": "s2", "n": dir, "s": [{ "u": "EXP", "r": 0 }], "ok": zeros, "ha": zeros,
        "cr": [[dir], handles, triples],
    });
    let shared = account.v3(share).await;
    assert_eq!(shared[1]["r"], json!([0]), "{shared}");
    let link = account.v3(json!({ "a": "l", "n": dir })).await;
    link[1].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn a_public_file_is_for_everybody() {
    let (server, account) = world().await;
    let [root, ..] = account.roots().await;
    let node = account.file(&root, b"public").await;
    let link = account.v3(json!({ "a": "l", "n": node })).await[1].clone();
    let guest = Account::guest(&server);
    let info = guest.v3(json!({ "a": "g", "p": link })).await;
    assert_eq!((&info["s"], info.get("g")), (&json!(6), None));
    let source = guest.legacy(json!({ "a": "g", "g": 1, "p": link })).await;
    assert_eq!(get(source["g"].as_str().unwrap()).await.body, b"public");
    let tree = guest.legacy(json!({ "a": "f", "f": 1, "p": link })).await;
    let (seen, all) = (&tree["f"][0], tree["f"].as_array().unwrap());
    assert_eq!((&seen["h"], &seen["k"], all.len()), (&json!(node), &json!(""), 1));
    // Who names it as the place of the request, too, sees no more by that.
    let through = account.through(link.as_str().unwrap());
    assert_eq!(through.v3(json!({ "a": "g", "g": 1, "p": link })).await["s"], 6);
    assert!(through.v3(json!({ "a": "f", "c": 1 })).await.is_i64());
    assert!(through.v3(json!({ "a": "g", "g": 1, "n": node })).await.is_i64());
    // It can be imported, and stays when the original goes.
    let import = json!([{ "ph": link, "t": 0, "a": "QQ", "k": base64::encode(&[6; 32]) }]);
    let copy = account.put(&root, import).await.remove(0);
    assert_eq!(account.v3(json!({ "a": "f" })).await["ph"][0]["ph"], link);
    account.v3(json!({ "a": "d", "n": node })).await;
    assert_eq!(guest.v3(json!({ "a": "g", "g": 1, "p": link })).await, -9);
    assert_eq!(get(&account.source(&copy).await).await.body, b"public");
}

#[tokio::test]
async fn a_link_is_made_once_and_removed_once() {
    let (_server, account) = world().await;
    let [root, ..] = account.roots().await;
    let (dir, node) = (account.folder(&root).await, account.file(&root, b"x").await);
    let link = async |command: Value| account.v3(command).await;
    let first = link(json!({ "a": "l", "n": node })).await[1].clone();
    assert_eq!(link(json!({ "a": "l", "n": node })).await[1], first);
    assert!(link(json!({ "a": "l", "n": node, "d": 1 })).await.is_string());
    assert_eq!(link(json!({ "a": "l", "n": node, "d": 1 })).await, -9);
    assert_ne!(link(json!({ "a": "l", "n": node })).await[1], first);
    assert_eq!(link(json!({ "a": "l", "n": dir })).await, -11);
    assert_eq!(link(json!({ "a": "l", "n": root })).await, -11);
    assert_eq!(link(json!({ "a": "l", "n": node, "ets": 1 })).await, -2);
    assert_eq!(link(json!({ "a": "l", "n": dir, "w": "1" })).await, -11);
    let nobody = json!({ "a": "s2", "n": dir, "s": [{ "u": "nobody", "r": 0 }] });
    assert_eq!(link(nobody).await, -2);
}

#[tokio::test]
async fn a_folder_link_shows_the_folder_and_nothing_else() {
    let (_server, account) = world().await;
    let [root, ..] = account.roots().await;
    let dir = account.folder(&root).await;
    let (inner, outside) = (account.folder(&dir).await, account.file(&root, b"out").await);
    let leaf = account.file(&inner, b"inside").await;
    let link = export(&account, &dir, &[(&dir, 16), (&inner, 16), (&leaf, 32)]).await;
    let guest = account.through(&link);
    let tree = guest.v3(json!({ "a": "f", "c": 1, "r": 1, "ca": 1 })).await;
    let nodes = tree["f"].as_array().unwrap();
    assert_eq!(nodes.len(), 3);
    assert_eq!(nodes[0]["h"], json!(dir));
    for node in nodes {
        let key = node["k"].as_str().unwrap();
        assert!(key.starts_with(&format!("{dir}:")) && !key.contains(&account.user), "{key}");
    }
    assert_eq!(tree["sn"].as_str().unwrap().len(), 11);
    assert!(tree.get("u").is_none() && tree.get("ph").is_none());
    let source = guest.legacy(json!({ "a": "g", "g": 1, "n": leaf })).await;
    assert_eq!(get(source["g"].as_str().unwrap()).await.body, b"inside");
    assert_eq!(guest.v3(json!({ "a": "g", "g": 1, "n": outside })).await, -11);
    for command in [
        json!({ "a": "p", "t": dir, "n": [folder()] }),
        json!({ "a": "a", "n": leaf, "at": "QQ" }),
        json!({ "a": "m", "n": leaf, "t": dir }),
        json!({ "a": "d", "n": leaf }),
        json!({ "a": "l", "n": leaf }),
        json!({ "a": "u", "s": 1 }),
        json!({ "a": "ug" }),
        json!({ "a": "uq" }),
        json!({ "a": "s2", "n": dir, "s": [{ "u": "EXP" }] }),
    ] {
        assert_eq!(guest.v3(command.clone()).await, -11, "{command}");
    }
    // The owner gets the share's keys behind his own.
    let key = account.node(&leaf).await.unwrap()["k"].as_str().unwrap().to_owned();
    assert!(key.starts_with(&account.user) && key.contains(&format!("/{dir}:")), "{key}");
    let tree = account.v3(json!({ "a": "f" })).await;
    assert_eq!((&tree["s"][0]["u"], &tree["ok"][0]["h"]), (&json!("EXP"), &json!(dir)));
}

#[tokio::test]
async fn new_nodes_below_a_folder_link_come_with_keys() {
    let (_server, account) = world().await;
    let [root, ..] = account.roots().await;
    let dir = account.folder(&root).await;
    let link = export(&account, &dir, &[(&dir, 16)]).await;
    let token = account.upload(b"new").await;
    let key = base64::encode(&[8; 32]);
    let put = json!({
        "a": "p", "v": 4, "t": dir, "n": [file(&token)], "cr": [[dir], [], [0, 0, key]],
    });
    let reply = account.v3(put).await;
    let new = &reply[1]["fh"][0].as_str().unwrap()[..8];
    let tree = account.through(&link).v3(json!({ "a": "f" })).await;
    assert_eq!(
        (&tree["f"][1]["h"], &tree["f"][1]["k"]),
        (&json!(new), &json!(format!("{dir}:{key}")))
    );
    // Keys for shares that are not around the node are not kept, and indices must be right.
    let put = json!({ "a": "p", "t": dir, "n": [folder()], "cr": [[dir], [], [1, 0, key]] });
    assert_eq!(account.v3(put).await, -2);
}

#[tokio::test]
async fn a_removed_export_or_link_closes_the_view() {
    let (_server, account) = world().await;
    let [root, ..] = account.roots().await;
    for end in ["export", "link", "folder"] {
        let dir = account.folder(&root).await;
        let link = export(&account, &dir, &[(&dir, 16)]).await;
        let guest = account.through(&link);
        assert!(guest.v3(json!({ "a": "f" })).await.is_object());
        let command = match end {
            "export" => json!({ "a": "s2", "n": dir, "s": [{ "u": "EXP", "r": "" }] }),
            "link" => json!({ "a": "l", "n": dir, "d": 1 }),
            _ => json!({ "a": "d", "n": dir }),
        };
        account.v3(command).await;
        assert_eq!(guest.send("&v=3", r#"[{"a":"f"}]"#).await, "-9", "{end}");
    }
    assert_eq!(account.through("zzzzzzzz").send("", r#"[{"a":"f"}]"#).await, "-9");
    assert_eq!(account.through("x").send("", r#"[{"a":"f"}]"#).await, "-9");
}

#[tokio::test]
async fn a_link_ends_when_it_should_and_can_be_taken_down() {
    let (server, account) = world().await;
    let [root, ..] = account.roots().await;
    let node = account.file(&root, b"x").await;
    let soon = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap();
    let later = soon.as_secs() + 1000;
    let mut follower = Follower::of(&account).await;
    let make = json!({ "a": "l", "n": node, "ets": later });
    let (made, packets) = follower.packets_of(make.clone()).await;
    let link = made[1].as_str().unwrap().to_owned();
    assert_eq!((&packets[0]["n"], &packets[0]["ets"]), (&json!(1), &json!(later)));
    assert_eq!(account.v3(make).await[0], 0, "nothing changes");
    assert_eq!(account.v3(json!({ "a": "f", "c": 1 })).await["ph"][0]["ets"], json!(later));
    let (_, packets) = follower.packets_of(json!({ "a": "l", "n": node })).await;
    assert_eq!((&packets[0]["u"], packets[0].get("ets")), (&json!(1), None));
    let guest = Account::guest(&server);
    let open = json!({ "a": "g", "g": 1, "p": link });
    assert_eq!(guest.v3(open.clone()).await["s"], 1);

    let handle = link.parse().unwrap();
    assert!(server.take_down(handle, true).await.unwrap());
    assert_eq!(follower.now().await["a"][0]["down"], 1);
    assert_eq!(guest.v3(open.clone()).await, json!({ "err": -16, "l": 1 }));
    assert_eq!(account.v3(json!({ "a": "l", "n": node })).await, -16);
    assert!(server.take_down(handle, false).await.unwrap());
    assert_eq!(guest.v3(open.clone()).await["s"], 1);
    assert!(!server.take_down("AAAAAAAA".parse().unwrap(), true).await.unwrap());

    let make = json!({ "a": "l", "n": node, "ets": soon.as_secs() + 2 });
    assert_eq!(account.v3(make).await[1], json!(link));
    // A clock has no event to wait for.
    while guest.v3(open.clone()).await != -9 {
        tokio::time::sleep(std::time::Duration::from_millis(100)).await;
    }
    let import = json!({ "a": "p", "t": root, "n": [{ "ph": link, "t": 0, "a": "QQ",
                         "k": base64::encode(&[6; 32]) }] });
    assert_eq!(account.v3(import).await, -9);
}

#[tokio::test]
async fn a_folder_link_tells_what_it_holds_and_takes_uploads_with_its_authorisation() {
    let (server, account) = world().await;
    let [root, ..] = account.roots().await;
    let dir = account.folder(&root).await;
    let leaf = account.file(&dir, b"inside").await;
    let link = export(&account, &dir, &[(&dir, 16), (&leaf, 32)]).await;
    let guest = Account::guest(&server);
    let content = guest.v3(json!({ "a": "pli", "ph": link })).await;
    assert_eq!((&content["s"], &content["u"]), (&json!([6, 1, 0, 0, 0]), &json!(account.user)));
    let key = format!("{dir}:{}", base64::encode(&[8; 16]));
    assert_eq!((&content["k"], &content["ph"]), (&json!(key), &json!(link)));
    assert_eq!(guest.v3(json!({ "a": "pli", "ph": "AAAAAAAA" })).await, -9);

    assert_eq!(account.through(&link).v3(json!({ "a": "u", "s": 1 })).await, -11);
    let open = json!({ "a": "s2", "n": dir, "s": [{ "u": "EXP", "r": 2 }] });
    assert!(account.v3(open).await.is_array());
    let auth = account.v3(json!({ "a": "l", "n": dir, "w": "1" })).await;
    let auth = auth[1]["w"].as_str().unwrap().to_owned();
    assert_eq!(auth.len(), 22);
    let wrong: String = auth.chars().rev().collect();
    let refused = account.through(&format!("{link}{wrong}")).v3(json!({ "a": "f" })).await;
    assert_eq!(refused, -11);
    let writer = account.through(&format!("{link}{auth}"));
    let mut follower = Follower::of(&account.through(&link)).await;
    let token = writer.upload(b"from a guest").await;
    let mut new = file(&token);
    new.as_object_mut().unwrap().remove("k");
    let key = base64::encode(&[9; 32]);
    let put = json!({ "a": "p", "v": 4, "t": dir, "n": [new], "cr": [[dir], [], [0, 0, key]] });
    let put = writer.v3(put).await;
    let new = put[1]["fh"][0].as_str().unwrap_or_else(|| panic!("{put}"))[..8].to_owned();
    assert_eq!(follower.now().await["a"][0]["t"]["f"][0]["h"], json!(new));
    let seen = account.node(&new).await.unwrap();
    assert_eq!((&seen["u"], &seen["k"]), (&json!(account.user), &json!(format!("{dir}:{key}"))));
}

#[tokio::test]
async fn what_a_folder_link_shows_may_be_copied_as_long_as_it_does() {
    let (server, account) = world().await;
    let [root, ..] = account.roots().await;
    let dir = account.folder(&root).await;
    let (inside, outside) = (account.file(&dir, b"in").await, account.file(&root, b"out").await);
    let link = export(&account, &dir, &[(&dir, 16), (&inside, 32)]).await;
    server.add_user("other@example.org", "other").await.unwrap();
    let other = Account::login(&server, "other@example.org", "other").await;
    let [target, ..] = other.roots().await;
    let copy = |node: &str| json!({ "a": "p", "v": 4, "t": target, "n": [file(node)] });
    assert_eq!(other.v3(copy(&outside)).await, -11);
    assert_eq!(other.v3(copy(&inside)).await[1]["e"], json!([]));
    assert!(server.take_down(link.parse().unwrap(), true).await.unwrap());
    assert_eq!(other.v3(copy(&inside)).await, -11);
    assert!(server.take_down(link.parse().unwrap(), false).await.unwrap());
    assert_eq!(other.v3(copy(&inside)).await[1]["e"], json!([]));
    account.v3(json!({ "a": "l", "n": dir, "d": 1 })).await;
    assert_eq!(other.v3(copy(&inside)).await, -11);
}
