//! Contacts: links that lead to them, and what they see of each other (`protocol-api.md` 2.10, 2.11).

use serde_json::json;
use supermega_encoding::base64;

use crate::follower::Follower;
use crate::share::{YOU, contacts};
use crate::world::{Account, EMAIL, world};

#[tokio::test]
async fn contacts_read_what_is_for_them_and_are_told_when_it_changes() {
    let (server, me, you) = contacts().await;
    server.add_user("other@example.org", "third").await.unwrap();
    let stranger = Account::login(&server, "other@example.org", "third").await;
    let mut follower = Follower::of(&you).await;
    let set = json!({ "a": "up2", "firstname": base64::encode(b"Ana"), "^!prd": "AA" });
    assert!(me.v3(set).await[1]["firstname"].is_string());
    let packet = follower.now().await["a"][0].clone();
    // Of the two only the name is for contacts.
    assert_eq!((&packet["u"], &packet["ua"]), (&json!(me.user), &json!(["firstname"])));
    let name = json!({ "a": "uga", "u": me.user, "ua": "firstname" });
    assert_eq!(you.legacy(name.clone()).await, json!(base64::encode(b"Ana")));
    assert_eq!(stranger.v3(name).await, -11);
    assert_eq!(you.v3(json!({ "a": "uga", "u": me.user, "ua": "^!prd" })).await, -11);
    // Public keys come with the contact's record.
    assert!(me.v3(json!({ "a": "upv", "+puEd255": ["AAAA"] })).await.is_array());
    let tree = you.v3(json!({ "a": "f", "c": 1 })).await;
    let record = tree["u"].as_array().unwrap().iter().find(|user| user["u"] == json!(me.user));
    assert_eq!(record.unwrap()["+puEd255"], "AAAA");
    let public = json!({ "a": "uga", "u": EMAIL, "ua": "+puEd255" });
    assert_eq!(stranger.legacy(public).await, "AAAA");
}

#[tokio::test]
async fn a_link_leads_to_its_user_until_it_is_renewed() {
    let (server, me) = world().await;
    server.add_user(YOU, "other").await.unwrap();
    let you = Account::login(&server, YOU, "other").await;
    assert_eq!(me.v3(json!({ "a": "clr" })).await, -9);
    let link = me.v3(json!({ "a": "clc" })).await[1].clone();
    assert_eq!(me.v3(json!({ "a": "clc" })).await[1], link);
    let found = Account::guest(&server).v3(json!({ "a": "clg", "cl": link, "b": 1 })).await;
    assert_eq!((&found["h"], &found["e"]), (&json!(me.user), &json!(EMAIL)));
    let other = me.v3(json!({ "a": "clr" })).await[1].clone();
    assert_ne!(other, link);
    assert_eq!(you.v3(json!({ "a": "clg", "cl": link })).await, -9);
    let invite = |link: &serde_json::Value| json!({ "a": "upc", "u": EMAIL, "e": YOU, "aa": "a", "cl": link });
    assert_eq!(you.v3(invite(&link)).await, -9);
    assert!(you.v3(invite(&other)).await[1]["p"].is_string());
    assert_eq!(me.v3(json!({ "a": "f", "c": 1 })).await["ipc"][0]["clv"], 1);
    assert_eq!(me.v3(json!({ "a": "cld", "cl": link })).await, -9);
    assert_eq!(me.v3(json!({ "a": "cld", "cl": other })).await, 0);
    assert_eq!(you.v3(json!({ "a": "clg", "cl": other })).await, -9);
}
