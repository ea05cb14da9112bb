//! Faults of events on their way to a client.

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::follower::Follower;
use crate::world::{Account, folder, world};

/// A change that each reader of the account is told.
async fn change(account: &Account) -> String {
    let [root, ..] = account.roots().await;
    account.put(&root, json!([folder()])).await.remove(0)
}

/// The new node in each packet.
fn made(reply: &Value) -> Vec<&str> {
    let packets = reply["a"].as_array().into_iter().flatten();
    packets.filter_map(|packet| packet["t"]["f"][0]["h"].as_str()).collect()
}

#[tokio::test]
async fn packets_are_lost_and_later_ones_come() {
    let (server, account) = world().await;
    for wait in [false, true] {
        let mut follower = Follower::of(&account).await;
        let url = follower.now().await["w"].as_str().unwrap().to_owned();
        server.add_fault("packets:lost*1".parse().unwrap());
        change(&account).await;
        let reply = if wait {
            let reply = follower.poll(&url).await;
            follower.take(&reply)
        } else {
            follower.now().await
        };
        // Some clients take `sn` only from answers with a list.
        assert_eq!(reply["a"], json!([]), "{reply}");
        let second = change(&account).await;
        assert_eq!(made(&follower.now().await), [second]);
    }
}

#[tokio::test]
async fn packets_are_given_again() {
    let (server, account) = world().await;
    let mut follower = Follower::of(&account).await;
    server.add_fault("packets:repeat*2".parse().unwrap());
    let first = change(&account).await;
    for _ in 0..2 {
        assert_eq!(made(&follower.now().await), [&first]);
    }
    let second = change(&account).await;
    assert_eq!(made(&follower.now().await), [first, second]);
    assert!(follower.now().await.get("a").is_none());
}

#[tokio::test]
async fn packets_are_strange_and_late() {
    let (server, account) = world().await;
    let mut follower = Follower::of(&account).await;
    server.add_fault("packets:drift,delay=60*1".parse().unwrap());
    server.add_fault("event:drift*1".parse().unwrap());
    let node = change(&account).await;
    let begin = Instant::now();
    let reply = follower.now().await;
    assert!(begin.elapsed() >= Duration::from_millis(60));
    let strange = json!({ "n": [1] });
    assert_eq!((made(&reply), &reply["zz"]), (vec![node.as_str()], &strange));
    assert_eq!((&reply["a"][0]["zz"], &reply["a"][1]["a"]), (&strange, &json!("zz")));
}
