//! Folders that users share: who sees what, and who may do what (`protocol-api.md` 2.9, 2.10).

use serde_json::{Value, json};
use supermega_encoding::base64;
use supermega_server::{KdfVersion, ServerHandle};

use crate::follower::Follower;
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

/// The kinds of the packets that came, and the handles of the nodes that they bring or take.
async fn news(follower: &mut Follower) -> Vec<(String, Vec<String>)> {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let packets = follower.now().await["a"].as_array().cloned().unwrap_or_default();
    let nodes = |packet: &Value| match packet["t"]["f"].as_array() {
        Some(list) => list.iter().map(|node| text(&node["h"])).collect(),
        None => vec![text(&packet["n"])],
    };
    packets.iter().map(|packet| (text(&packet["a"]), nodes(packet))).collect()
}

fn is(kind: &str, nodes: &[&String]) -> (String, Vec<String>) {
    (kind.to_owned(), nodes.iter().map(|node| (*node).clone()).collect())
}

#[tokio::test]
async fn what_moves_into_a_share_appears_and_what_moves_out_is_gone() {
    let (_server, me, you) = contacts().await;
    let [root, ..] = me.roots().await;
    let (top, outside) = (me.folder(&root).await, me.folder(&root).await);
    let inside = me.file(&top, b"content").await;
    let leaf = me.file(&outside, b"leaf").await;
    share(&me, &you, &top, &inside, 1).await;
    let mut follower = Follower::of(&you).await;
    let cr = json!([
        [top],
        [outside, leaf],
        [0, 0, base64::encode(&[9; 16]), 0, 1, base64::encode(&[9; 32])]
    ]);
    me.v3(json!({ "a": "m", "n": outside, "t": top, "cr": cr })).await;
    assert_eq!(news(&mut follower).await, [is("t", &[&outside, &leaf])]);
    let seen = you.node(&leaf).await.unwrap();
    assert!(seen["k"].as_str().unwrap().starts_with(&format!("{top}:")), "{seen}");
    // Within the share it goes and comes back.
    let other = me.folder(&top).await;
    assert_eq!(news(&mut follower).await, [is("t", &[&other])]);
    me.v3(json!({ "a": "m", "n": leaf, "t": other })).await;
    assert_eq!(news(&mut follower).await, [is("d", &[&leaf]), is("t", &[&leaf])]);
    me.v3(json!({ "a": "m", "n": other, "t": root })).await;
    assert_eq!(news(&mut follower).await, [is("d", &[&other])]);
    assert!(you.node(&leaf).await.is_none());
    assert_eq!(error(&you, json!({ "a": "g", "g": 1, "n": leaf })).await, -11);
}

#[tokio::test]
async fn a_share_within_a_share_outlives_it() {
    let (_server, me, you) = contacts().await;
    let [root, ..] = me.roots().await;
    let top = me.folder(&root).await;
    let inner = me.folder(&top).await;
    let leaf = me.file(&inner, b"leaf").await;
    share(&me, &you, &top, &leaf, 0).await;
    share(&me, &you, &inner, &leaf, 2).await;
    // The innermost share says how far one may go.
    assert_eq!(error(&you, json!({ "a": "p", "t": top, "n": [folder()] })).await, -11);
    let renamed = you.v3(json!({ "a": "a", "n": leaf, "at": ATTRIBUTES })).await;
    assert!(renamed.as_i64().is_none_or(|code| code >= 0), "{renamed}");
    let seen = you.node(&leaf).await.unwrap();
    let keys: Vec<&str> = seen["k"].as_str().unwrap().split('/').collect();
    assert_eq!(keys.len(), 2, "{seen}");
    let mut follower = Follower::of(&you).await;
    me.v3(json!({ "a": "s2", "n": top, "s": [{ "u": you.user }] })).await;
    let told = news(&mut follower).await;
    assert_eq!(told, [is("s2", &[&top]), is("d", &[&top]), is("t", &[&inner, &leaf])]);
    assert!(you.node(&top).await.is_none());
    assert_eq!(you.node(&inner).await.unwrap()["su"], json!(me.user));
    // Leaving is for those who have a share, and deleting its root is leaving.
    assert_eq!(you.v3(json!({ "a": "d", "n": inner })).await.as_i64().unwrap_or(0), 0);
    assert!(you.node(&inner).await.is_none());
    assert!(me.node(&inner).await.is_some());
}

#[tokio::test]
async fn a_share_waits_for_its_reader_to_become_a_contact() {
    let (server, me) = crate::world::world().await;
    let [root, ..] = me.roots().await;
    let top = me.folder(&root).await;
    let inside = me.file(&top, b"content").await;
    let none = base64::encode(&[0; 16]);
    let cr = json!([[top], [inside], [0, 0, base64::encode(&[9; 32])]]);
    let to = json!([{ "u": YOU, "r": 1 }]);
    let shared =
        json!({ "a": "s2", "n": top, "s": to, "ok": none, "ha": none, "cr": cr, "msg": "look" });
    assert_eq!(me.v3(shared).await[1]["r"], json!([0]));
    let tree = me.v3(json!({ "a": "f", "c": 1 })).await;
    assert_eq!((&tree["ps"][0]["h"], &tree["ps"][0]["r"]), (&json!(top), &json!(1)));
    assert_eq!((&tree["opc"][0]["m"], &tree["opc"][0]["msg"]), (&json!(YOU), &json!("look")));
    assert_eq!(server.outbox().await.unwrap()[0].to, YOU);
    // Whoever is invited need not have had an account.
    server.add_user(YOU, "other").await.unwrap();
    let you = Account::login(&server, YOU, "other").await;
    let mut mine = Follower::of(&me).await;
    let waiting = you.v3(json!({ "a": "f", "c": 1 })).await["ipc"][0].clone();
    assert_eq!((&waiting["p"], &waiting["ps"]), (&tree["opc"][0]["p"], &json!(1)));
    assert!(you.node(&top).await.is_none());
    // Keys are handed over beforehand, or afterwards.
    let key = json!({ "a": "pk", "u": you.user, "h": top, "k": none });
    assert_eq!(me.v3(key).await, 0);
    let mut yours = Follower::of(&you).await;
    let accepted = you.v3(json!({ "a": "upca", "p": waiting["p"], "aa": "a" })).await;
    assert!(accepted.is_string(), "{accepted}");
    let told = yours.now().await;
    let kinds = |told: &Value| -> Vec<String> {
        told["a"].as_array().unwrap().iter().map(|p| p["a"].as_str().unwrap().to_owned()).collect()
    };
    assert_eq!(kinds(&told), ["upci", "c", "s2", "t", "pk"]);
    let told = mine.now().await;
    assert_eq!(kinds(&told), ["upco", "c", "s2", "s2"]);
    assert_eq!(told["a"][2]["op"], 1);
    assert_eq!(you.node(&top).await.unwrap()["r"], 1);
    let fetched = you.v3(json!({ "a": "pk" })).await;
    assert_eq!(fetched[&me.user][&top], json!(none));
    assert_eq!(you.v3(json!({ "a": "pk", "d": fetched["d"] })).await, 0);
    assert_eq!(you.v3(json!({ "a": "pk" })).await, -9);
    let tree = me.v3(json!({ "a": "f", "c": 1 })).await;
    assert_eq!((&tree["ps"], &tree["s"][0]["u"]), (&json!([]), &json!(you.user)));
    // Who is no contact any more shares nothing.
    assert_eq!(me.v3(json!({ "a": "ur2", "u": YOU, "l": 0 })).await[1]["u"], json!(you.user));
    assert!(you.node(&top).await.is_none());
}
