//! Shares whose keys come as they did before the key container: beside the folder, or in packets
//! (`protocol-auth.md` 4.6).

use serde_json::{Value, json};
use supermega::tree::Problem;
use supermega::{Access, Error, Session, ShareState};
use supermega_crypto::{MasterKey, ShareKey};
use supermega_encoding::{NodeHandle, base64};
use supermega_server::ServerHandle;

use crate::folder_link::Owner;
use crate::middle::{Hostile, nodes};
use crate::world::{
    OTHER, OTHER_PASSWORD, at, content, other, put, read, rsa, server_of_two, session,
};

const FILE: &str = "//in/me@example.org/shared/one";

/// A folder that one user shares with the other, and its key, which the other has not taken.
struct Shared {
    server: ServerHandle,
    me: Session,
    folder: NodeHandle,
    key: ShareKey,
}

async fn shared() -> Shared {
    let server = server_of_two().await;
    let (me, you) = (session(&server).await, other(&server).await);
    me.invite(OTHER, None).await.unwrap();
    // As by a client that makes no keys with the answer.
    let you = Owner::of(&server, &you).await;
    let request = you.call(r#"{"a":"f","c":1}"#).await["ipc"][0]["p"].clone();
    you.call(&json!({ "a": "upca", "p": request, "aa": "a" }).to_string()).await;
    let folder = me.make_folder(&"/shared".parse().unwrap()).await.unwrap();
    put(&me, &folder, "one", 1000).await;
    let key = me.make_link(&folder).await.unwrap().folder_key().unwrap().clone();
    let state = me.share(&folder, OTHER, Access::Write).await.unwrap();
    assert_eq!(state, ShareState::WaitsForKeys);
    Shared { server, me, folder: folder.handle(), key }
}

/// Under the key of the other user that everybody can encrypt with.
fn under_rsa(key: &ShareKey) -> String {
    base64::encode(&rsa().public_key().encrypt(key.as_bytes()).unwrap())
}

/// Gives the root of every incoming share this key, and leaves no other way to it.
fn beside(hostile: &Hostile, wrapped: String) {
    hostile.change(move |command, result| match command["a"].as_str() {
        Some("f") => {
            let roots = nodes(result).into_iter().filter(|node| node.get("su").is_some());
            roots.for_each(|root| root["sk"] = json!(wrapped));
        }
        Some("pk") => *result = json!(-9),
        _ => {}
    });
}

async fn login(hostile: &Hostile) -> Session {
    hostile.client().login(OTHER, OTHER_PASSWORD).await.unwrap()
}

async fn is_not_written_to(session: &Session) {
    let root = session.tree().await.unwrap().incoming()[0].clone();
    let error = session.make_folder_in(&root, "mine").await.unwrap_err();
    assert!(matches!(error, Error::Refused(_)), "{error}");
}

#[tokio::test]
async fn a_key_beside_a_share_is_read_with_and_not_written_with() {
    let shared = shared().await;
    let hostile = Hostile::before(&shared.server).await;
    let master = other(&shared.server).await.recovery_key().unwrap();
    let master = MasterKey::from_bytes(base64::decode(&master).unwrap().try_into().unwrap());
    let under_master = base64::encode(&master.wrap_share_key(&shared.key));
    for wrapped in [under_rsa(&shared.key), under_master] {
        beside(&hostile, wrapped);
        let you = login(&hostile).await;
        assert_eq!(read(&you, FILE).await, content(1000));
        is_not_written_to(&you).await;
        assert!(you.key_generation().is_none());
    }

    // The account's first container takes it, and trusts it no more than before.
    let you = login(&hostile).await;
    let own = you.make_folder(&"/own".parse().unwrap()).await.unwrap();
    you.make_link(&own).await.unwrap();
    for you in [you, other(&shared.server).await] {
        assert_eq!(read(&you, FILE).await, content(1000));
        is_not_written_to(&you).await;
    }

    // Once its owner has handed it over, it is as good as any.
    let you = other(&shared.server).await;
    shared.me.complete_shares().await.unwrap();
    assert!(you.complete_shares().await.unwrap());
    put(&you, &at(&you, "//in/me@example.org/shared").await, "two", 2000).await;
    shared.me.refresh().await.unwrap();
    assert_eq!(read(&shared.me, "/shared/two").await, content(2000));
}

#[tokio::test]
async fn a_key_beside_a_share_counts_for_nothing_beside_a_container() {
    let shared = shared().await;
    let you = other(&shared.server).await;
    let own = you.make_folder(&"/own".parse().unwrap()).await.unwrap();
    you.make_link(&own).await.unwrap();
    let hostile = Hostile::before(&shared.server).await;
    beside(&hostile, under_rsa(&shared.key));
    let you = login(&hostile).await;
    assert_eq!(you.tree().await.unwrap().incoming()[0].problem(), Some(Problem::NoKey));
}

#[tokio::test]
async fn a_key_that_is_none_is_passed_over() {
    let shared = shared().await;
    let hostile = Hostile::before(&shared.server).await;
    let zeros = rsa().public_key().encrypt(&[0; 16]).unwrap();
    for wrapped in ["", "AAAA", "not*base64", &"_".repeat(342), &base64::encode(&zeros)] {
        beside(&hostile, wrapped.to_owned());
        let you = login(&hostile).await;
        assert_eq!(you.tree().await.unwrap().incoming()[0].problem(), Some(Problem::NoKey));
    }
}

/// Puts packets into the first answer to a poll.
fn tell(hostile: &Hostile, packets: Value) {
    let mut packets = Some(packets);
    hostile.change(move |command, answer| {
        if command["a"] == "sc"
            && let Some(packets) = packets.take()
        {
            answer["a"] = packets;
        }
    });
}

#[tokio::test]
async fn keys_that_packets_bring_open_shares_in_this_run_and_the_next() {
    let shared = shared().await;
    let hostile = Hostile::before(&shared.server).await;
    let cache = tempfile::tempdir().unwrap();
    let client = hostile.builder().cache_dir(cache.path()).build().unwrap();
    let you = client.login(OTHER, OTHER_PASSWORD).await.unwrap();
    assert_eq!(you.tree().await.unwrap().incoming()[0].problem(), Some(Problem::NoKey));
    let (from, to) = (shared.me.account().unwrap().user, you.account().unwrap().user);
    tell(
        &hostile,
        json!([{
            "a": "s", "n": shared.folder.to_string(), "o": from.to_string(), "u": to.to_string(), "r": 1,
            "k": under_rsa(&shared.key),
        }]),
    );
    let mut events = you.events().await.unwrap();
    while !matches!(events.next().await.unwrap(), supermega::Event::ShareChanged(_)) {}
    assert_eq!(read(&you, FILE).await, content(1000));
    is_not_written_to(&you).await;
    let saved = you.save();
    drop((you, events));
    let next = client.resume(&saved).await.unwrap();
    assert_eq!(read(&next, FILE).await, content(1000));
}

#[tokio::test]
async fn node_keys_that_packets_bring_open_nodes() {
    let shared = shared().await;
    let you = other(&shared.server).await;
    you.complete_shares().await.unwrap();
    shared.me.complete_shares().await.unwrap();
    assert!(you.complete_shares().await.unwrap());
    let hostile = Hostile::before(&shared.server).await;
    let (file, prefix) = (at(&you, FILE).await.handle(), format!("{}:", shared.folder));
    let taken = std::sync::Arc::new(std::sync::Mutex::new(String::new()));
    let take = taken.clone();
    hostile.change_result("f", move |result| {
        for node in nodes(result).into_iter().filter(|node| node["t"] == 0) {
            let keys = node["k"].as_str().unwrap().to_owned();
            let (ours, others): (Vec<&str>, Vec<&str>) =
                keys.split('/').partition(|entry| entry.starts_with(&prefix));
            *take.lock().unwrap() = ours[0][prefix.len()..].to_owned();
            node["k"] = json!(others.join("/"));
        }
    });
    let you = login(&hostile).await;
    assert_eq!(you.tree().await.unwrap().node(file).unwrap().problem(), Some(Problem::NoKey));
    let key = taken.lock().unwrap().clone();
    let folder = shared.folder.to_string();
    // Of a node that is not there, of a share that is not named, malformed; and the one that fits.
    let cr = json!([
        [folder],
        ["AAAAAAAA", file.to_string()],
        [0, 0, key, 7, 1, key, 0, 1, "*", 0, 1, key]
    ]);
    tell(
        &hostile,
        json!([{ "a": "k", "cr": cr }, { "a": "k", "cr": 5 }, { "a": "k", "sr": [folder, "x"] }]),
    );
    let mut events = you.events().await.unwrap();
    while !matches!(events.next().await.unwrap(), supermega::Event::Renamed { .. }) {}
    assert_eq!(read(&you, FILE).await, content(1000));
}
