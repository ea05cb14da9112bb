//! Who may do what: another user's nodes, ended sessions, read-only links.

use serde_json::json;

use crate::wire::{User, builder, call, send, server};

#[tokio::test]
async fn another_users_nodes_are_refused() {
    let server = server().await;
    server.add_user("you@example.org", "theirs").await.unwrap();
    let me = User::login(&server).await;
    let you = User::login_as(&server, "you@example.org", "theirs").await;
    let (mine, yours) = (me.root().await, you.root().await);
    let folder = me.mkdir(&mine).await;
    let file = me.store(&mine, b"secret").await;
    let key = you.folder_key();
    for command in [
        json!({"a": "a", "n": folder, "at": "AAAA"}),
        json!({"a": "m", "n": folder, "t": yours}),
        json!({"a": "d", "n": folder}),
        json!({"a": "l", "n": file}),
        json!({"a": "g", "n": file, "g": 1}),
        json!({"a": "s2", "n": folder, "s": [{"u": "EXP", "r": 0}]}),
        json!({"a": "p", "t": folder, "n": [{"h": "xxxxxxxx", "t": 1, "a": "AAAA", "k": key}]}),
        json!({"a": "uga", "u": me.handle.to_string(), "ua": "^!keys"}),
    ] {
        assert_eq!(you.call(&command).await, -11, "{command}");
    }
    // A copy of somebody else's file is refused for that element.
    let copy = json!({"h": file, "t": 0, "a": "AAAA", "k": "A".repeat(43)});
    assert_eq!(you.call(&json!({"a": "p", "t": yours, "n": [copy]})).await, -11);
}

#[tokio::test]
async fn an_ended_session_is_over_everywhere() {
    let server = server().await;
    let user = User::login(&server).await;
    assert_eq!(user.call(&json!({"a": "sml"})).await, 0);
    assert_eq!(user.call(&json!({"a": "ug"})).await, -15);
    let path = format!("/sc?sn=AAAAAAAAAAA&sid={}", user.sid);
    assert_eq!(send(&user.url, "POST", &path, "", b"").await.text(), "-15");
    assert_eq!(call(&user.url, "", &json!({"a": "f"})).await, -15);
    assert_eq!(call(&user.url, "&sid=nonsense", &json!({"a": "ug"})).await, -15);
}

#[tokio::test]
async fn a_folder_link_shows_its_folder_and_changes_nothing() {
    let server = server().await;
    let user = User::login(&server).await;
    let root = user.root().await;
    let folder = user.mkdir(&root).await;
    let (inside, outside) = (user.store(&folder, b"in").await, user.store(&root, b"out").await);
    // A folder gets a link only once it is shared with everybody.
    assert_eq!(user.call(&json!({"a": "l", "n": folder})).await, -11);
    let share = json!({"a": "s2", "n": folder, "s": [{"u": "EXP", "r": 0}],
        "cr": [[folder], [folder, inside], [0, 0, "A".repeat(22), 0, 1, "B".repeat(42) + "A"]]});
    assert_eq!(user.call(&share).await["r"], json!([0]));
    let link = user.call(&json!({"a": "l", "n": folder})).await;
    let query = format!("&n={}", link.as_str().unwrap());
    let tree = call(&user.url, &query, &json!({"a": "f", "c": 1, "r": 1})).await;
    let nodes = tree["f"].as_array().unwrap();
    assert_eq!(nodes.len(), 2);
    assert_eq!(nodes[0]["h"], json!(folder));
    assert_eq!(nodes[0]["k"], json!(format!("{folder}:{}", "A".repeat(22))));
    assert!(
        call(&user.url, &query, &json!({"a": "g", "n": inside, "g": 1})).await["g"].is_string()
    );
    assert_eq!(call(&user.url, &query, &json!({"a": "g", "n": outside, "g": 1})).await, -11);
    for command in [
        json!({"a": "d", "n": inside}),
        json!({"a": "a", "n": inside, "at": "AAAA"}),
        json!({"a": "u", "s": 1}),
        json!({"a": "ug"}),
    ] {
        assert_eq!(call(&user.url, &query, &command).await, -11, "{command}");
    }
    let end = json!({"a": "s2", "n": folder, "s": [{"u": "EXP"}]});
    assert_eq!(user.call(&end).await["r"], json!([0]));
    assert_eq!(call(&user.url, &query, &json!({"a": "f"})).await, -9);
}

#[tokio::test]
async fn roots_and_cycles_are_refused() {
    let server = server().await;
    let user = User::login(&server).await;
    let root = user.root().await;
    let outer = user.mkdir(&root).await;
    let inner = user.mkdir(&outer).await;
    let file = user.store(&root, b"x").await;
    assert_eq!(user.call(&json!({"a": "m", "n": outer, "t": inner})).await, -10);
    assert_eq!(user.call(&json!({"a": "m", "n": outer, "t": outer})).await, -10);
    assert_eq!(user.call(&json!({"a": "m", "n": outer, "t": file})).await, -11);
    assert_eq!(user.call(&json!({"a": "d", "n": root})).await, -11);
    assert_eq!(user.call(&json!({"a": "m", "n": root, "t": outer})).await, -11);
}

#[tokio::test]
async fn attributes_change_only_from_the_version_that_was_read() {
    let server = server().await;
    let user = User::login(&server).await;
    let set = |value: &str, version: Option<&str>| match version {
        Some(version) => json!({"a": "upv", "^!keys": [value, version]}),
        None => json!({"a": "upv", "^!keys": [value]}),
    };
    let first = user.call(&set("AAAA", None)).await["^!keys"].as_str().unwrap().to_owned();
    assert_eq!(user.call(&set("BBBB", None)).await, -8);
    assert_eq!(user.call(&set("BBBB", Some("stale"))).await, -8);
    let second = user.call(&set("BBBB", Some(&first))).await;
    assert_ne!(second["^!keys"], json!(first));
    let read = user.call(&json!({"a": "uga", "ua": "^!keys", "v": 1})).await;
    assert_eq!(read["av"], json!("BBBB"));
}

#[tokio::test]
async fn unknown_users_have_a_steady_salt() {
    let server = server().await;
    let ask = json!({"a": "us0", "user": "nobody@example.org"});
    let first = call(server.url(), "", &ask).await;
    assert_eq!(first["v"], 2);
    assert_eq!(first, call(server.url(), "", &ask).await);
    let other = call(server.url(), "", &json!({"a": "us0", "user": "else@example.org"})).await;
    assert_ne!(first, other);
}

#[tokio::test]
async fn only_this_machine_is_served_unless_told() {
    let anywhere = "0.0.0.0:0".parse().unwrap();
    assert!(builder().listen(anywhere).spawn().await.is_err());
}
