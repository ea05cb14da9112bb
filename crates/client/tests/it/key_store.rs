//! The key container under several writers, and states of it that make no sense.

use std::collections::BTreeSet;

use supermega::{Access, Error, Link, Session};

use crate::folder_link::Owner;
use crate::world::{
    EMAIL, OTHER, PASSWORD, client, contacts, other, server, server_of_two, session,
};

async fn folder(session: &Session, name: &str) -> supermega::Node {
    session.make_folder(&format!("/{name}").parse().unwrap()).await.unwrap()
}

#[tokio::test]
async fn a_container_is_made_when_it_is_needed_and_everybody_can_check_it() {
    let server = server().await;
    let me = session(&server).await;
    assert_eq!((me.key_generation(), me.fingerprint()), (None, None));
    let link = me.make_link(&folder(&me, "one").await).await.unwrap();
    let again = session(&server).await;
    assert!(again.fingerprint().is_some());
    assert_eq!(again.fingerprint(), me.fingerprint());
    assert_eq!(again.key_generation(), me.key_generation());
    let owner = Owner::of(&server, &me).await;
    for name in ["*keyring", "+puEd255", "+puCu255", "+sigPubk", "+sigCu255"] {
        let reply = owner.call(&format!(r#"{{"a":"uga","ua":"{name}","v":1}}"#)).await;
        assert!(reply["av"].is_string(), "{name}: {reply}");
    }
    assert_eq!(again.links().await.unwrap()[0].link.as_ref().unwrap().to_url(), link.to_url());
}

#[tokio::test]
async fn two_writers_lose_nothing_though_replies_are_lost() {
    let server = server().await;
    let one = session(&server).await;
    one.make_link(&folder(&one, "first").await).await.unwrap();
    server.add_fault("upv:lost%20".parse().unwrap());
    server.add_fault("upv:error=8%10".parse().unwrap());
    let two = session(&server).await;
    let rounds = std::env::var("SUPERMEGA_KEY_ROUNDS").map_or(20, |rounds| rounds.parse().unwrap());
    let write = async |session: &Session, name: &str| {
        let mut generations = vec![session.key_generation().unwrap()];
        for round in 0..rounds {
            let folder = folder(session, &format!("{name}{round}")).await;
            session.make_link(&folder).await.unwrap();
            generations.push(session.key_generation().unwrap());
        }
        assert!(generations.is_sorted_by(|before, after| before < after), "{generations:?}");
    };
    tokio::join!(write(&one, "a"), write(&two, "b"));
    let links = session(&server).await.links().await.unwrap();
    let with_keys = links.iter().filter_map(|link| link.link.as_ref()).map(Link::to_url);
    assert_eq!(with_keys.collect::<BTreeSet<_>>().len(), 2 * rounds + 1);
}

#[tokio::test]
async fn an_older_container_is_noticed_between_runs() {
    let server = server().await;
    let me = session(&server).await;
    let owner = Owner::of(&server, &me).await;
    me.make_link(&folder(&me, "one").await).await.unwrap();
    let old = owner.call(r#"{"a":"uga","ua":"^!keys","v":1}"#).await;
    me.make_link(&folder(&me, "two").await).await.unwrap();
    let seen = me.key_generation().unwrap();
    let put = format!(r#"{{"a":"up2","^!keys":{}}}"#, old["av"]);
    owner.call(&put).await;
    let me = client(&server).login(EMAIL, PASSWORD).await.unwrap();
    let error = me.expect_key_generation(seen).unwrap_err();
    assert!(matches!(error, Error::Integrity { .. }), "{error}");
    let error = me.make_link(&folder(&me, "three").await).await.unwrap_err();
    assert!(matches!(error, Error::Integrity { .. }), "{error}");
}

#[tokio::test]
async fn an_account_with_keys_in_an_older_form_is_left_alone() {
    let server = server().await;
    let me = session(&server).await;
    let owner = Owner::of(&server, &me).await;
    owner.call(r#"{"a":"up2","*keyring":"AAAA"}"#).await;
    let me = session(&server).await;
    let error = me.make_link(&folder(&me, "one").await).await.unwrap_err();
    assert!(matches!(&error, Error::Refused(text) if text.contains("older form")), "{error}");
}

#[tokio::test]
async fn new_keys_of_a_contact_are_not_taken_in_silence() {
    let server = server_of_two().await;
    let (me, you) = contacts(&server).await;
    let shared = folder(&me, "shared").await;
    me.share(&shared, OTHER, Access::Read).await.unwrap();
    // The other one's keys are replaced, as a hostile service would, by a sound set.
    let owner = Owner::of(&server, &you).await;
    for name in ["^!keys", "*keyring", "+puEd255", "+puCu255", "+sigPubk", "+sigCu255"] {
        owner.call(&format!(r#"{{"a":"upr","ua":"{name}"}}"#)).await;
    }
    let you = other(&server).await;
    you.make_link(&folder(&you, "x").await).await.unwrap();
    let error = me.share(&folder(&me, "more").await, OTHER, Access::Read).await.unwrap_err();
    assert!(matches!(error, Error::Integrity { .. }), "{error}");
    assert!(me.fingerprint_of(OTHER).await.is_err());
    // Compared in person they are good.
    me.verify_contact(OTHER, you.fingerprint().unwrap()).await.unwrap();
    me.share(&folder(&me, "again").await, OTHER, Access::Read).await.unwrap();
}
