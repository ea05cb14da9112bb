//! What a hostile server tries (`protocol-auth.md` 9), one test an attack. A man in the middle changes the
//! answers of an honest server, who is then as hostile as any.

use std::sync::{Arc, Mutex};

use serde_json::{Value, json};
use supermega::{Access, Error};
use supermega_crypto::curve::{AgreementKey, SigningSeed};
use supermega_crypto::{SessionId, ShareKey};
use supermega_encoding::{UserHandle, base64};

use crate::middle::{Hostile, change_bytes, is_invalid_keys, nodes};
use crate::world::{
    OTHER, OTHER_PASSWORD, at, client, contacts, content, put, rsa, server, server_of_two, session,
};

/// Changes a ciphertext.
type Change = fn(&mut Vec<u8>);

#[tokio::test]
async fn a_forged_private_key_tells_the_server_nothing() {
    let server = server().await;
    let hostile = Hostile::before(&server).await;
    let changes: [(&str, Change); 6] = [
        ("u changed", |key| {
            let last = key.len() - 40;
            key[last] ^= 1;
        }),
        ("p changed", |key| key[20] ^= 1),
        ("d changed", |key| key[400] ^= 1),
        ("cut short", |key| key.truncate(320)),
        ("a block of another ciphertext in u", |key| {
            let (from, to) = (32, key.len() - 64);
            key.copy_within(from..from + 16, to);
        }),
        ("longer", |key| key.extend([0; 32])),
    ];
    for (what, change) in changes {
        hostile.change_result("us", move |result| change_bytes(&mut result["privk"], change));
        let error = hostile.login().await.unwrap_err();
        assert!(is_invalid_keys(&error), "{what}: {error}");
        assert_eq!(hostile.sent(), ["us0", "us"], "{what}: nothing follows");
    }
}

#[tokio::test]
async fn a_chosen_session_id_is_not_handed_over() {
    let server = server().await;
    let hostile = Hostile::before(&server).await;
    let stranger = SessionId::generate(UserHandle::from_bytes([7; 8])).unwrap();
    let public = rsa().public_key();
    let foreign = public.encrypt(stranger.as_bytes()).unwrap();
    let random = public.encrypt(&[0x55; 43]).unwrap();
    let with_tail = [&foreign[..], &[0; 4]].concat();
    let large = [&[8, 0][..], &[0xff; 256]].concat();
    for (what, csid) in [
        ("another user's", foreign),
        ("no session id", random),
        ("more than one number", with_tail),
        ("larger than the modulus", large),
        ("zero", vec![0, 0]),
        ("nothing", Vec::new()),
    ] {
        let text = base64::encode(&csid);
        hostile.change_result("us", move |result| result["csid"] = json!(text));
        let error = hostile.login().await.unwrap_err();
        assert!(is_invalid_keys(&error), "{what}: {error}");
        assert_eq!(hostile.sent(), ["us0", "us"], "{what}: nothing follows");
    }
}

#[tokio::test]
async fn another_public_key_or_user_is_noticed() {
    let server = server().await;
    let hostile = Hostile::before(&server).await;
    hostile.change_result("ug", |result| change_bytes(&mut result["pubk"], |key| key[100] ^= 1));
    assert!(is_invalid_keys(&hostile.login().await.unwrap_err()));
    hostile.change_result("ug", |result| result["u"] = json!("AAAAAAAAAAA"));
    assert!(is_invalid_keys(&hostile.login().await.unwrap_err()));
}

#[tokio::test]
async fn share_keys_of_the_server_count_for_nothing_beside_the_container() {
    let server = server().await;
    let owner = session(&server).await;
    let folder = owner.make_folder(&"/shared".parse().unwrap()).await.unwrap();
    let link = owner.make_link(&folder).await.unwrap();
    let hostile = Hostile::before(&server).await;
    let mine = json!([{
        "h": folder.handle().to_string(), "ha": base64::encode(&[1; 16]), "k": base64::encode(&[2; 16]),
    }]);
    hostile.change_result("f", move |result| {
        result["ok0"] = mine.clone();
        result["ok"] = mine.clone();
    });
    let victim = hostile.login().await.unwrap();
    put(&victim, &at(&victim, "/shared").await, "file", 100).await;
    let reader = client(&server).open_folder(&link).await.unwrap();
    assert_eq!(crate::world::read(&reader, "/file").await, content(100));
    // Nor does a key that comes back with a new share.
    hostile.change_result("s2", |result| {
        let reply = if result.is_array() { &mut result[1] } else { result };
        reply["ok"] = json!(base64::encode(&[3; 16]));
    });
    let other = victim.make_folder(&"/other".parse().unwrap()).await.unwrap();
    let error = victim.make_link(&other).await.unwrap_err();
    assert!(matches!(error, Error::Integrity { .. }), "{error}");
}

#[tokio::test]
async fn an_older_container_in_answer_to_a_clash_stops_all_writing() {
    let server = server().await;
    let owner = session(&server).await;
    let first = owner.make_folder(&"/first".parse().unwrap()).await.unwrap();
    let old = Arc::new(Mutex::new(Value::Null));
    owner.make_link(&first).await.unwrap();
    let hostile = Hostile::before(&server).await;
    let kept = old.clone();
    hostile.change_result("ug", move |result| *kept.lock().unwrap() = result["^!keys"].clone());
    hostile.login().await.unwrap();
    let second = owner.make_folder(&"/second".parse().unwrap()).await.unwrap();
    owner.make_link(&second).await.unwrap();
    hostile.change(|_, _| {});
    let victim = hostile.login().await.unwrap();
    let third = victim.make_folder(&"/third".parse().unwrap()).await.unwrap();
    hostile.change(move |command, result| match command["a"].as_str() {
        Some("upv") => *result = json!(-8),
        Some("uga") if command["ua"] == "^!keys" => *result = old.lock().unwrap().clone(),
        _ => {}
    });
    let error = victim.make_link(&third).await.unwrap_err();
    assert!(matches!(error, Error::Integrity { .. }), "{error}");
    hostile.sent();
    hostile.change(|_, _| {});
    let error = victim.make_link(&third).await.unwrap_err();
    assert!(matches!(error, Error::Integrity { .. }), "{error}");
    assert!(!hostile.sent().contains(&"upv".to_owned()), "it writes no more");
}

#[tokio::test]
async fn swapped_public_keys_get_no_share_key() {
    let server = server_of_two().await;
    let (me, _you) = contacts(&server).await;
    let folder = me.make_folder(&"/shared".parse().unwrap()).await.unwrap();
    me.make_link(&folder).await.unwrap();
    let hostile = Hostile::before(&server).await;
    // A key of the server's own, under the honest signature.
    let own = AgreementKey::generate().unwrap().public().0;
    hostile.change(move |command, result| {
        if command["a"] == "uga" && command["ua"] == "+puCu255" {
            result["av"] = json!(base64::encode(&own));
        }
    });
    let victim = hostile.login().await.unwrap();
    let folder = at(&victim, "/shared").await;
    let error = victim.share(&folder, OTHER, Access::Read).await.unwrap_err();
    assert!(matches!(error, Error::Integrity { .. }), "{error}");
    assert!(!hostile.sent().contains(&"pk".to_owned()), "no key was handed over");
    // A sound set of keys of the server's own, after the honest one was seen.
    hostile.change(|_, _| {});
    victim.share(&folder, OTHER, Access::Read).await.unwrap();
    let (seed, agreement) = (SigningSeed::generate().unwrap(), AgreementKey::generate().unwrap());
    hostile.change(move |command, result| {
        let public = agreement.public().0;
        let value = match command["ua"].as_str() {
            Some("+puEd255") => base64::encode(&seed.public().0),
            Some("+puCu255") => base64::encode(&public),
            Some("+sigCu255") => base64::encode(&seed.sign(1, &public)),
            _ => return,
        };
        result["av"] = json!(value);
    });
    hostile.sent();
    let error = victim.share(&folder, OTHER, Access::Full).await.unwrap_err();
    assert!(matches!(error, Error::Integrity { .. }), "{error}");
    assert!(!hostile.sent().contains(&"pk".to_owned()));
}

#[tokio::test]
async fn a_share_key_from_nowhere_replaces_none() {
    let server = server_of_two().await;
    let (me, you) = contacts(&server).await;
    let folder = me.make_folder(&"/shared".parse().unwrap()).await.unwrap();
    put(&me, &folder, "one", 100).await;
    me.share(&folder, OTHER, Access::Write).await.unwrap();
    let own = you.make_folder(&"/own".parse().unwrap()).await.unwrap();
    let link = you.make_link(&own).await.unwrap();
    you.refresh().await.unwrap();
    assert!(you.complete_shares().await.unwrap());

    let hostile = Hostile::before(&server).await;
    let victim = hostile.client().login(OTHER, OTHER_PASSWORD).await.unwrap();
    let sharer = me.account().unwrap().user.to_string();
    let forged = base64::encode(ShareKey::generate().unwrap().as_bytes());
    let folders = [folder.handle().to_string(), own.handle().to_string()];
    hostile.change(move |command, result| {
        if command["a"] == "pk" && command.get("d").is_none() && command.get("u").is_none() {
            let keys: serde_json::Map<_, _> =
                folders.iter().map(|folder| (folder.clone(), json!(forged))).collect();
            *result = json!({ (sharer.clone()): keys, "d": "1" });
        } else if command["a"] == "pk" {
            *result = json!(0);
        }
    });
    assert!(!victim.complete_shares().await.unwrap());
    victim.refresh().await.unwrap();
    assert_eq!(crate::world::read(&victim, "//in/me@example.org/shared/one").await, content(100));
    put(&victim, &at(&victim, "/own").await, "two", 200).await;
    let reader = client(&server).open_folder(&link).await.unwrap();
    assert_eq!(crate::world::read(&reader, "/two").await, content(200));
}

#[tokio::test]
async fn another_master_key_or_none_at_all_is_noticed() {
    let server = server().await;
    let hostile = Hostile::before(&server).await;
    hostile.change_result("us", |result| change_bytes(&mut result["k"], |key| key[3] ^= 1));
    let error = hostile.login().await.unwrap_err();
    assert!(is_invalid_keys(&error), "{error}");
    assert_eq!(hostile.sent(), ["us0", "us"], "nothing follows");
    hostile.change_result("us", |result| result["k"] = Value::Null);
    assert!(is_invalid_keys(&hostile.login().await.unwrap_err()));
    assert_eq!(hostile.sent(), ["us0", "us"], "nothing follows");
}

#[tokio::test]
async fn a_private_key_that_is_held_back_is_not_overwritten() {
    let server = server().await;
    let owner = session(&server).await;
    let folder = owner.make_folder(&"/shared".parse().unwrap()).await.unwrap();
    owner.make_link(&folder).await.unwrap();
    let hostile = Hostile::before(&server).await;
    hostile.change_result("us", |result| {
        result.as_object_mut().unwrap().remove("privk");
    });
    let error = hostile.client().resume(&owner.save()).await.unwrap_err();
    assert!(is_invalid_keys(&error), "{error}");
    let error = hostile.login().await.unwrap_err();
    assert!(is_invalid_keys(&error), "{error}");
    assert!(!hostile.sent().contains(&"up".to_owned()), "no other key is made");
}

#[tokio::test]
async fn a_share_key_under_rsa_is_not_taken() {
    let server = server_of_two().await;
    let (me, _you) = contacts(&server).await;
    let folder = me.make_folder(&"/shared".parse().unwrap()).await.unwrap();
    put(&me, &folder, "one", 100).await;
    me.share(&folder, OTHER, Access::Write).await.unwrap();
    let hostile = Hostile::before(&server).await;
    let chosen = base64::encode(&rsa().public_key().encrypt(&[5; 16]).unwrap());
    hostile.change(move |command, result| match command["a"].as_str() {
        Some("f") => {
            let roots = nodes(result).into_iter().filter(|node| node.get("su").is_some());
            roots.for_each(|root| root["sk"] = json!(chosen));
        }
        Some("pk") => *result = json!(-9),
        _ => {}
    });
    let victim = hostile.client().login(OTHER, OTHER_PASSWORD).await.unwrap();
    assert!(!victim.complete_shares().await.unwrap());
    let root = &victim.tree().await.unwrap().incoming()[0];
    assert_eq!(root.problem(), Some(supermega::tree::Problem::NoKey));
    let error = victim.make_folder_in(root, "mine").await.unwrap_err();
    assert!(matches!(error, Error::Refused(_)), "{error}");
    let sent = hostile.sent();
    assert!(!sent.iter().any(|name| ["p", "k", "s2"].contains(&name.as_str())), "{sent:?}");
}
