//! The event channel: the client's cursor, tags as in results, waiting (`protocol-api.md` 5).

use serde_json::{Value, json};

use crate::wire::{User, path_of, send, server};

async fn poll(user: &User, endpoint: &str, sn: &str) -> Value {
    let path = format!("/{endpoint}?sn={sn}&sid={}", user.sid);
    let answer = send(&user.url, "POST", &path, "", b"").await;
    serde_json::from_slice(&answer.body).unwrap()
}

async fn cursor(user: &User) -> String {
    let tree = user.call(&json!({"a": "f", "c": 1})).await;
    tree["sn"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn packets_follow_the_cursor_with_the_tags_of_the_results() {
    let server = server().await;
    let user = User::login(&server).await;
    let (root, start) = (user.root().await, cursor(&user).await);
    let quiet = poll(&user, "wsc", &start).await;
    assert!(quiet["w"].is_string() && quiet["sn"] == json!(start), "{quiet}");
    let node = json!({"h": "xxxxxxxx", "t": 1, "a": "AAAA", "k": user.folder_key()});
    let made = user.call_v3(&json!({"a": "p", "v": 4, "t": root, "n": [node]})).await;
    let folder = made[1]["fh"][0].as_str().unwrap()[..8].to_owned();
    let trash = user.call(&json!({"a": "f"})).await["f"]
        .as_array()
        .unwrap()
        .iter()
        .find(|node| node["t"] == 4)
        .unwrap()["h"]
        .clone();
    let moved = user.call_v3(&json!({"a": "m", "i": "me", "n": folder, "t": trash})).await;
    let gone = user.call_v3(&json!({"a": "d", "n": folder})).await;
    let events = poll(&user, "sc", &start).await;
    let names: Vec<&str> = events["a"]
        .as_array()
        .unwrap()
        .iter()
        .map(|packet| packet["a"].as_str().unwrap())
        .collect();
    assert_eq!(names, ["t", "d", "t", "d"]);
    assert_eq!(events["a"][0]["st"], made[0]);
    assert_eq!(events["a"][0]["t"]["f"][0]["i"], 0);
    assert_eq!((&events["a"][1]["st"], &events["a"][1]["m"]), (&moved, &json!(1)));
    assert_eq!(events["a"][1]["i"], "me");
    assert_eq!(events["a"][2]["st"], Value::Null);
    assert_eq!(events["a"][3]["st"], gone);
    let end = events["sn"].as_str().unwrap();
    assert!(poll(&user, "sc", end).await["w"].is_string());
    // The cursor is the client's: the same question has the same answer.
    assert_eq!(poll(&user, "sc", &start).await, events);
}

#[tokio::test]
async fn whoever_waits_is_told_at_once() {
    let server = server().await;
    let user = User::login(&server).await;
    let (root, start) = (user.root().await, cursor(&user).await);
    let wait = poll(&user, "wsc", &start).await["w"].as_str().unwrap().to_owned();
    let with_cursor = format!("{}?sn={start}&sid={}", path_of(&wait), user.sid);
    let waiting = send(&user.url, "POST", &with_cursor, "", b"");
    let legacy = path_of(&wait);
    let bare = send(&user.url, "GET", &legacy, "", b"");
    let (told, woken, ()) = tokio::join!(waiting, bare, async {
        user.mkdir(&root).await;
    });
    let told: Value = serde_json::from_slice(&told.body).unwrap();
    assert_eq!(told["a"][0]["a"], "t");
    assert_eq!(woken.text(), "0");
    assert!(woken.head.contains("Content-Length: 1"), "{}", woken.head);
}

#[tokio::test]
async fn cursors_that_were_never_given_out_ask_for_a_reload() {
    let server = server().await;
    let user = User::login(&server).await;
    assert_eq!(poll(&user, "sc", "fwAAAAAAAAA").await, -6);
    assert_eq!(poll(&user, "sc", "short").await, -6);
    let path = format!("/sc?c=50&sid={}", user.sid);
    let alerts = send(&user.url, "POST", &path, "", b"").await;
    assert!(alerts.text().starts_with("{\"c\":[],\"u\":[],"), "{}", alerts.text());
}
