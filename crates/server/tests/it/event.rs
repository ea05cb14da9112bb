//! The event channel (`protocol-api.md` 5).

use std::time::Duration;

use serde_json::{Value, json};

use crate::follower::Follower;
use crate::http::{get, post};
use crate::link::export;
use crate::world::{Account, builder, file, folder, with, world};

#[tokio::test]
async fn a_poll_is_answered_at_once_and_its_wait_address_holds() {
    let (_server, account) = world().await;
    let [root, ..] = account.roots().await;
    let mut follower = Follower::of(&account).await;
    let quiet = follower.now().await;
    assert!(quiet.get("a").is_none());
    let wait = quiet["w"].as_str().unwrap().to_owned();
    assert!(!wait.contains('?'));
    let waiting = follower.poll(&wait);
    let change = account.put(&root, json!([folder()]));
    let (reply, made) = tokio::join!(waiting, change);
    let reply = follower.take(&reply);
    assert_eq!(reply["a"][0]["t"]["f"][0]["h"], json!(made[0]));
    // The answer says where to wait next.
    assert!(reply["w"].as_str().unwrap().contains("/w/"));
}

#[tokio::test]
async fn a_poll_with_nothing_to_tell_is_ended_by_one_byte() {
    let server = builder().event_hold(Duration::from_millis(20)).spawn().await.unwrap();
    let account = Account::login(&server, crate::world::EMAIL, crate::world::PASSWORD).await;
    let mut follower = Follower::of(&account).await;
    let wait = follower.now().await["w"].as_str().unwrap().to_owned();
    let answer = post(&format!("{wait}?sn={}{}", follower.sn, account.who), b"").await;
    assert_eq!((answer.text().as_str(), answer.header("Content-Length")), ("0", Some("1")));
    assert_eq!(get(&wait).await.text(), "0");
}

#[tokio::test]
async fn older_clients_wait_first_and_poll_then() {
    let (_server, account) = world().await;
    let [root, ..] = account.roots().await;
    let follower = Follower::of(&account).await;
    let sc = format!("{}sc", account.url);
    let quiet: Value = serde_json::from_str(&follower.poll(&sc).await).unwrap();
    let wait = quiet["w"].as_str().unwrap().to_owned();
    let put = json!({ "a": "p", "t": root, "n": [folder()], "i": "origin" });
    let (woken, _) = tokio::join!(get(&wait), account.legacy(put));
    assert_eq!(woken.status, 200);
    let news: Value = serde_json::from_str(&follower.poll(&sc).await).unwrap();
    assert_eq!((&news["a"][0]["i"], news.get("w")), (&json!("origin"), None));
    // Nothing can be made of another's wait address.
    let mut forged = wait.clone().into_bytes();
    *forged.last_mut().unwrap() ^= 1;
    assert_eq!(get(&String::from_utf8(forged).unwrap()).await.status, 404);
}

#[tokio::test]
async fn each_change_has_its_packets_under_the_tag_of_its_result() {
    let (_server, account) = world().await;
    let [root, _, trash] = account.roots().await;
    let mut follower = Follower::of(&account).await;
    let names = |packets: &[Value]| -> Vec<String> {
        packets.iter().map(|packet| packet["a"].as_str().unwrap().to_owned()).collect()
    };

    let put = json!({ "a": "p", "v": 4, "t": root, "n": [folder(), folder()] });
    let (result, packets) = follower.packets_of(put).await;
    assert_eq!(names(&packets), ["t"]);
    assert_eq!(packets[0]["st"], result[0]);
    let made = packets[0]["t"]["f"].as_array().unwrap();
    assert_eq!((&made[0]["i"], &made[1]["i"]), (&json!(0), &json!(1)));
    let dir = made[0]["h"].as_str().unwrap().to_owned();
    let leaf = account.file(&dir, b"x").await;
    follower.now().await;

    let (result, packets) = follower.packets_of(json!({ "a": "a", "n": leaf, "at": "QQ" })).await;
    assert_eq!((names(&packets), &packets[0]["st"]), (vec!["u".into()], &result));
    assert!(packets[0]["ts"].is_i64() && packets[0]["u"].is_string());

    let change = json!({ "a": "m", "n": dir, "t": trash, "i": "me" });
    let (result, packets) = follower.packets_of(change).await;
    assert_eq!(names(&packets), ["d", "t"]);
    assert_eq!((&packets[0]["st"], &packets[0]["m"]), (&result, &json!(1)));
    assert!(packets[1].get("st").is_none(), "the second packet of a move has no tag");
    assert_eq!((&packets[0]["i"], &packets[1]["i"]), (&json!("me"), &json!("me")));
    assert_eq!(packets[1]["t"]["f"].as_array().unwrap().len(), 2);

    let (result, packets) = follower.packets_of(json!({ "a": "l", "n": leaf })).await;
    assert_eq!((&packets[0]["a"], &packets[0]["st"]), (&json!("ph"), &result[0]));
    assert_eq!((&packets[0]["ph"], &packets[0]["n"]), (&result[1], &json!(1)));
    assert!(packets[0]["ts"].is_i64());

    let (result, packets) = follower.packets_of(json!({ "a": "up2", "firstname": "QQ" })).await;
    assert_eq!((&packets[0]["a"], &packets[0]["st"]), (&json!("ua"), &result[0]));
    assert_eq!(packets[0]["ua"], json!(["firstname"]));

    // Its link goes before the folder does.
    let (result, packets) = follower.packets_of(json!({ "a": "d", "n": dir })).await;
    assert_eq!(names(&packets), ["ph", "d"]);
    assert!(packets.iter().all(|packet| packet["st"] == result));
    assert!(packets[1]["ou"].is_string());
}

#[tokio::test]
async fn a_replaced_file_comes_with_the_new_one() {
    let (_server, account) = world().await;
    let [root, ..] = account.roots().await;
    let old = account.file(&root, b"old").await;
    let token = account.upload(b"new").await;
    let mut follower = Follower::of(&account).await;
    let element = with(file(&token), "ov", old.as_str());
    let put = json!({ "a": "p", "v": 4, "vb": 1, "t": root, "n": [element] });
    let (result, packets) = follower.packets_of(put).await;
    let new = &result[1]["fh"][0].as_str().unwrap()[..8];
    assert_eq!(packets[0]["t"]["f"][0]["h"], json!(new));
    assert_eq!(packets[0]["t"]["f2"][0]["h"], json!(old));
    assert_eq!(packets[0]["t"]["f2"][0]["p"], json!(new));
    // One version goes, the next comes back in its place.
    let (_, packets) = follower.packets_of(json!({ "a": "d", "n": new, "v": 1 })).await;
    assert_eq!((&packets[0]["a"], &packets[0]["v"]), (&json!("d"), &json!(1)));
    assert_eq!(packets[1]["t"]["f"][0]["p"], json!(root));
}

#[tokio::test]
async fn tags_of_results_and_packets_are_in_the_same_order() {
    let (_server, account) = world().await;
    let [root, ..] = account.roots().await;
    let mut follower = Follower::of(&account).await;
    let put = json!({ "a": "p", "v": 4, "t": root, "n": [folder()] });
    let puts = std::iter::repeat_with(|| account.v3(put.clone())).take(12);
    let mut tags: Vec<Value> = futures_util::future::join_all(puts)
        .await
        .into_iter()
        .map(|result| result[0].clone())
        .collect();
    tags.sort_by_key(|tag| tag.as_str().unwrap().to_owned());
    let seen: Vec<Value> = follower.now().await["a"]
        .as_array()
        .unwrap()
        .iter()
        .map(|packet| packet["st"].clone())
        .collect();
    assert_eq!(seen, tags);
}

#[tokio::test]
async fn a_long_absence_is_caught_up_in_pages() {
    let (_server, account) = world().await;
    let [root, ..] = account.roots().await;
    let dir = account.folder(&root).await;
    let mut follower = Follower::of(&account).await;
    let rename = json!({ "a": "a", "n": dir, "at": "QQ" });
    let batch = Value::from(vec![rename; 1500]).to_string();
    account.send("&v=3", &batch).await;
    let first = follower.now().await;
    assert_eq!((first["a"].as_array().unwrap().len(), &first["ir"]), (1000, &json!(1)));
    // The cursor is the client's: the same question has the same answer.
    let cursor = follower.sn.clone();
    let rest = follower.now().await;
    follower.sn = cursor;
    assert_eq!(follower.now().await, rest);
    assert_eq!((rest["a"].as_array().unwrap().len(), rest.get("ir")), (500, None));
    assert!(follower.now().await.get("a").is_none());
}

#[tokio::test]
async fn a_cursor_that_nobody_gave_out_asks_for_a_reload() {
    let (_server, account) = world().await;
    let mut follower = Follower::of(&account).await;
    let url = format!("{}wsc", account.url);
    for sn in ["_________f8", "f_________8", "x", ""] {
        follower.sn = sn.into();
        assert_eq!(follower.poll(&url).await, "-6", "{sn}");
    }
}

#[tokio::test]
async fn who_waits_learns_that_the_session_is_over() {
    let (_server, account) = world().await;
    let mut follower = Follower::of(&account).await;
    let wait = follower.now().await["w"].as_str().unwrap().to_owned();
    let (ended, _) = tokio::join!(follower.poll(&wait), account.v3(json!({ "a": "sml" })));
    assert_eq!(ended, "-15");
    assert_eq!(follower.poll(&format!("{}wsc", account.url)).await, "-15");
}

#[tokio::test]
async fn a_folder_link_is_watched_without_a_session() {
    let (_server, account) = world().await;
    let [root, ..] = account.roots().await;
    let dir = account.folder(&root).await;
    let outside = account.folder(&root).await;
    let link = export(&account, &dir, &[(&dir, 16)]).await;
    let mut guest = Follower::of(&account.through(&link)).await;
    account.folder(&outside).await;
    assert!(guest.now().await.get("a").is_none());
    let new = account.folder(&dir).await;
    let seen = guest.now().await;
    assert_eq!(seen["a"][0]["t"]["f"][0]["h"], json!(new));
    assert!(!seen.to_string().contains(&format!("{}:", account.user)), "keys of the owner");
    // Moving the link's root is nothing that can be seen inside.
    account.v3(json!({ "a": "m", "n": dir, "t": outside })).await;
    let wait = guest.now().await["w"].as_str().unwrap().to_owned();
    let end = account.v3(json!({ "a": "l", "n": dir, "d": 1 }));
    let (ended, _) = tokio::join!(guest.poll(&wait), end);
    assert_eq!(ended, "-9");
}

#[tokio::test]
async fn alerts_are_an_empty_history() {
    let (_server, account) = world().await;
    let answer = post(&format!("{}sc?c=50{}", account.url, account.who), b"").await;
    let alerts: Value = serde_json::from_str(&answer.text()).unwrap();
    assert_eq!((&alerts["c"], &alerts["u"]), (&json!([]), &json!([])));
    assert_eq!(post(&format!("{}sc?c=50", account.url), b"").await.text(), "-15");
    assert_eq!(post(&format!("{}wsc?sid=x", account.url), b"").await.text(), "-15");
}

#[tokio::test]
async fn stopping_does_not_wait_for_those_who_wait() {
    let (server, account) = world().await;
    let mut follower = Follower::of(&account).await;
    let wait = follower.now().await["w"].as_str().unwrap().to_owned();
    let waiting = tokio::spawn(async move { get(&wait).await.text() });
    while server.connections() == 0 {
        tokio::task::yield_now().await;
    }
    tokio::time::timeout(Duration::from_secs(3), server.shutdown()).await.unwrap();
    let _ = waiting.await;
}

#[tokio::test]
async fn whoever_missed_forgotten_packets_loads_the_tree_anew() {
    let server = builder().packets_kept(8).spawn().await.unwrap();
    let account = Account::login(&server, crate::world::EMAIL, crate::world::PASSWORD).await;
    let [root, ..] = account.roots().await;
    let stale = Follower::of(&account).await;
    for _ in 0..8 {
        account.folder(&root).await;
    }
    let mut current = Follower::of(&account).await;
    for _ in 0..8 {
        account.folder(&root).await;
    }
    assert_eq!(stale.poll(&format!("{}wsc", account.url)).await, "-6");
    assert_eq!(current.now().await["a"].as_array().unwrap().len(), 8);
}
