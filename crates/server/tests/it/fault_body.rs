//! Faults of bodies: those of answers of the API, of events and of storage, and those of uploads.

use std::time::Duration;

use serde_json::json;
use supermega_encoding::base64;
use supermega_server::{GeneratedTree, ServerHandle};

use crate::http::{get, post, try_post};
use crate::world::{Account, EMAIL, PASSWORD, file, world};

fn arm(server: &ServerHandle, fault: &str) {
    server.add_fault(fault.parse().unwrap());
}

/// Addresses whose answers are longer than a hundred bytes, each with the place that it belongs to.
async fn places(account: &Account) -> [(&'static str, String, Vec<u8>); 4] {
    let [root, ..] = account.roots().await;
    let node = account.file(&root, &[7; 1000]).await;
    let tree = account.v3(json!({ "a": "f", "c": 1 })).await;
    let url = &account.url;
    let thumbnail = account.v3(json!({ "a": "ufa", "s": 500 })).await;
    let handle = post(thumbnail["p"].as_str().unwrap(), &[1; 500]).await.body;
    let fah = base64::encode(&handle);
    let thumbnails = account.v3(json!({ "a": "ufa", "fah": fah })).await;
    [
        ("api", format!("{url}cs?id=1{}&v=3", account.who), br#"[{"a":"f"}]"#.to_vec()),
        ("event", format!("{url}wsc?sn={}{}", tree["sn"].as_str().unwrap(), account.who), vec![]),
        ("download", account.source(&node).await, vec![]),
        ("attribute", thumbnails["p"].as_str().unwrap().to_owned(), handle),
    ]
}

#[tokio::test]
async fn answers_are_cut_short_and_turned() {
    let (server, account) = world().await;
    for (place, url, body) in places(&account).await {
        let whole = post(&url, &body).await;
        assert!(whole.is_whole && whole.body.len() > 100, "{place}: {}", whole.body.len());
        let length = whole.header("Content-Length").unwrap();

        arm(&server, &format!("{place}:cut@20*1"));
        let cut = post(&url, &body).await;
        assert!(!cut.is_whole && cut.body == whole.body[..20], "{place}");
        assert_eq!((cut.status, cut.header("Content-Length")), (200, Some(length)));

        arm(&server, &format!("{place}:truncate@20*1"));
        let short = post(&url, &body).await;
        assert!(short.is_whole && short.body == whole.body[..20], "{place}");
        assert_eq!((short.status, short.header("Content-Length")), (200, Some("20")));

        arm(&server, &format!("{place}:flip@3*1"));
        let flipped = post(&url, &body).await.body;
        let differs: Vec<_> =
            (0..flipped.len()).filter(|i| flipped[*i] != whole.body[*i]).collect();
        assert_eq!((differs, flipped[3]), (vec![3], whole.body[3] ^ 1), "{place}");

        // What lies behind the end changes nothing.
        arm(&server, &format!("{place}:cut@1000000,truncate@1000000*1"));
        let again = post(&url, &body).await;
        assert!(again.is_whole && again.body == whole.body, "{place}");
    }
}

#[tokio::test]
async fn answers_stall_after_some_bytes() {
    let (server, account) = world().await;
    let mut waiting = Vec::new();
    for (place, url, body) in places(&account).await {
        arm(&server, &format!("{place}:stall@20*1"));
        waiting.push(tokio::spawn(async move { post(&url, &body).await }));
    }
    tokio::time::sleep(Duration::from_millis(150)).await;
    assert!(waiting.iter().all(|answer| !answer.is_finished()));
    server.shutdown().await;
    for answer in waiting {
        let answer = answer.await.unwrap();
        assert!(!answer.is_whole && answer.body.len() == 20);
    }
}

#[tokio::test]
async fn every_storage_request_is_late() {
    let (server, account) = world().await;
    let [_, _, download, attribute] = places(&account).await;
    let upload = account.v3(json!({ "a": "u", "s": 1 })).await;
    let upload = format!("{}/0", upload["p"].as_str().unwrap());
    arm(&server, "storage:delay=50");
    for (url, body) in [(download.1, vec![]), (attribute.1, attribute.2), (upload, vec![1])] {
        let begin = std::time::Instant::now();
        assert_eq!(post(&url, &body).await.status, 200);
        assert!(begin.elapsed() >= Duration::from_millis(50));
    }
    assert_eq!(server.faults()[0].hits, 3);
}

#[tokio::test]
async fn an_upload_is_cut_after_some_bytes_and_goes_on() {
    let (server, account) = world().await;
    let [root, ..] = account.roots().await;
    let content: Vec<u8> = (0..300_000_u32).map(|i| i.to_le_bytes()[1]).collect();
    let reply = account.v3(json!({ "a": "u", "s": content.len(), "v": 3 })).await;
    let url = reply["p"].as_str().unwrap();
    let checksum = base64::encode(&supermega_crypto::upload_checksum(&content));
    let whole = format!("{url}/0?d={checksum}");
    arm(&server, "upload:cut@100000*1");
    assert!(try_post(&whole, &content).await.is_err());
    // A turned bit, and bytes that are passed over, show in the checksum.
    arm(&server, "upload:flip@150000;truncate@299999");
    for _ in 0..2 {
        assert_eq!(post(&whole, &content).await.text(), "-14");
    }
    let done = post(&whole, &content).await;
    let node = account.put(&root, json!([file(&base64::encode(&done.body))])).await.remove(0);
    assert!(get(&account.source(&node).await).await.body == content);
}

#[tokio::test]
async fn what_an_upload_loses_without_a_checksum_nobody_notices() {
    let (server, account) = world().await;
    let [root, ..] = account.roots().await;
    let reply = account.v3(json!({ "a": "u", "s": 10, "v": 3 })).await;
    let url = reply["p"].as_str().unwrap();
    arm(&server, "upload:truncate@4;flip@9");
    // The answer is that of progress, although the client has sent everything.
    assert_eq!(post(&format!("{url}/0"), b"0123456789").await.body, b"");
    let done = post(&format!("{url}/4"), b"456789").await;
    let node = account.put(&root, json!([file(&base64::encode(&done.body))])).await.remove(0);
    assert_eq!(get(&account.source(&node).await).await.body, b"0123456788");
}

#[tokio::test]
async fn an_upload_stalls_and_can_be_sent_again() {
    let (server, account) = world().await;
    let reply = account.v3(json!({ "a": "u", "s": 10, "v": 3 })).await;
    let url = format!("{}/0", reply["p"].as_str().unwrap());
    arm(&server, "upload:stall@5*1");
    let limit = Duration::from_millis(100);
    assert!(tokio::time::timeout(limit, try_post(&url, b"0123456789")).await.is_err());
    assert_eq!(post(&url, b"0123456789").await.body.len(), 36);
}

#[tokio::test]
async fn answers_of_the_api_come_slowly() {
    let (server, account) = world().await;
    let [(_, url, body), ..] = places(&account).await;
    let length = post(&url, &body).await.body.len();
    arm(&server, &format!("api:bandwidth={}", length * 10));
    let begin = std::time::Instant::now();
    assert_eq!(post(&url, &body).await.body.len(), length);
    assert!(begin.elapsed() >= Duration::from_millis(95));
}

#[tokio::test]
async fn an_answer_of_unknown_length_ends_early_too() {
    let (server, account) = world().await;
    let tree = GeneratedTree {
        email: EMAIL.into(),
        password: PASSWORD.to_owned().into(),
        nodes: 3000,
        per_folder: 50,
        link: false,
    };
    server.generate(tree).await.unwrap();
    let url = format!("{}cs?id=1{}&v=3", account.url, account.who);
    let body = br#"[{"a":"f","c":1,"r":1}]"#;
    let whole = post(&url, body).await;
    assert!(whole.is_whole && whole.header("Content-Length").is_none());
    for (fault, is_whole) in [("cut", false), ("truncate", true)] {
        arm(&server, &format!("f:{fault}@300000*1"));
        let short = post(&url, body).await;
        assert_eq!((short.is_whole, short.body.len()), (is_whole, 300_000), "{fault}");
        assert!(short.body == whole.body[..300_000]);
    }
    arm(&server, "f:drift*1");
    let strange = post(&url, body).await.text();
    assert!(strange.starts_with(r#"[{"zz":{"n":[1]},"#) && strange.len() > 300_000);
}

#[tokio::test]
async fn addresses_of_attributes_expire_and_answers_are_lost() {
    let (server, account) = world().await;
    let reply = account.v3(json!({ "a": "ufa", "s": 3 })).await;
    let url = reply["p"].as_str().unwrap();
    arm(&server, "attribute:lost;quota=5;status=503;expired");
    assert!(try_post(url, b"abc").await.is_err());
    let refused = post(url, b"abc").await;
    assert_eq!((refused.status, refused.header("X-MEGA-Time-Left")), (509, Some("5")));
    let mut statuses = Vec::new();
    for _ in 0..3 {
        statuses.push(post(url, b"abc").await.status);
    }
    assert_eq!(statuses, [503, 403, 403]);
}
