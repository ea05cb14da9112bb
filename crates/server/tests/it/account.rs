//! What a client asks about an account and its sessions (`protocol-api.md` 2.3, 2.4, 2.12).

use serde_json::{Value, json};
use supermega_crypto::{ClientRandom, MasterKey, PasswordKey, derive_v2};
use supermega_encoding::base64;
use supermega_server::{KdfVersion, Server};

use crate::http;
use crate::world::{Account, EMAIL, PASSWORD, rsa, world};

async fn sessions(account: &Account) -> Vec<Value> {
    let list = account.v3(json!({ "a": "usl", "x": 1, "d": 1 })).await;
    list.as_array().unwrap_or_else(|| panic!("{list}")).clone()
}

/// The id of the session that `account` has, as another session sees it.
async fn id_of(account: &Account) -> String {
    let own = sessions(account).await.into_iter().find(|row| row[5] == 1).unwrap();
    own[6].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn sessions_are_listed_in_the_forms_that_clients_read() {
    let (server, account) = world().await;
    let other = Account::login(&server, EMAIL, PASSWORD).await;
    let rows = sessions(&account).await;
    assert_eq!(rows.len(), 2);
    for row in &rows {
        assert_eq!(row.as_array().unwrap().len(), 9);
        assert!(row[0].as_i64() > Some(1_600_000_000) && row[1].as_i64() >= row[0].as_i64());
        assert_eq!((&row[3], &row[7], &row[8]), (&json!("127.0.0.1"), &json!(1), &json!("")));
        assert!(row[2].is_string() && row[4].as_str().unwrap().len() == 2);
    }
    assert_eq!(rows.iter().filter(|row| row[5] == 1).count(), 1);
    // Another client's reader takes eight values, and one of old clients six.
    let eight = account.v3(json!({ "a": "usl", "x": 1 })).await;
    assert_eq!(eight[0].as_array().unwrap().len(), 8);
    assert_eq!(account.legacy(json!({ "a": "usl" })).await[0].as_array().unwrap().len(), 6);
    // What has ended stays in the list.
    assert_eq!(other.v3(json!({ "a": "sml" })).await, 0);
    let rows = sessions(&account).await;
    assert_eq!(rows.iter().filter(|row| row[7] == 0).count(), 1);
    assert_eq!(Account::guest(&server).v3(json!({ "a": "usl" })).await, -15);
}

#[tokio::test]
async fn an_ended_session_is_over_on_every_channel() {
    let (server, account) = world().await;
    let other = Account::login(&server, EMAIL, PASSWORD).await;
    let third = Account::login(&server, EMAIL, PASSWORD).await;
    let sn =
        account.v3(json!({ "a": "f", "c": 1, "r": 1 })).await["sn"].as_str().unwrap().to_owned();
    let poll = format!("{}wsc?sn={sn}{}", other.url, other.who);
    let ready: Value = serde_json::from_str(&http::post(&poll, b"").await.text()).unwrap();
    let wait = format!("{}?sn={sn}{}", ready["w"].as_str().unwrap(), other.who);
    let id = id_of(&other).await;
    let (waited, ended) = tokio::join!(
        async { http::post(&wait, b"").await.text() },
        account.v3(json!({ "a": "usr", "s": [id] })),
    );
    assert_eq!((waited.as_str(), ended), ("-15", json!(0)));
    for path in ["cs", "sc", "wsc"] {
        let url = format!("{}{path}?id=1&sn={sn}{}", other.url, other.who);
        assert_eq!(http::post(&url, br#"[{"a":"ug"}]"#).await.text(), "-15", "{path}");
    }
    assert_eq!(account.v3(json!({ "a": "usr", "s": [id] })).await, -9);
    assert!(third.v3(json!({ "a": "ug" })).await.is_object());
    assert_eq!(account.v3(json!({ "a": "usr", "ko": 1 })).await, 0);
    assert_eq!(third.v3(json!({ "a": "ug" })).await, -15);
    assert!(account.v3(json!({ "a": "ug" })).await.is_object());
}

#[tokio::test]
async fn nobody_ends_the_sessions_of_others() {
    let (server, account) = world().await;
    server.add_user("you@example.org", "other").await.unwrap();
    let you = Account::login(&server, "you@example.org", "other").await;
    let id = id_of(&account).await;
    assert_eq!(you.v3(json!({ "a": "usr", "s": [id] })).await, -9);
    assert_eq!(you.v3(json!({ "a": "usr", "ko": 1 })).await, 0);
    assert!(account.v3(json!({ "a": "ug" })).await.is_object());
    for wrong in [json!({ "a": "usr" }), json!({ "a": "usr", "s": [] })] {
        assert_eq!(you.v3(wrong).await, -2);
    }
}

#[tokio::test]
async fn an_old_account_becomes_a_current_one_once() {
    let user = Server::builder().user_with_key(EMAIL, PASSWORD, KdfVersion::V1, rsa());
    let server = user.spawn().await.unwrap();
    let guest = Account::guest(&server);
    let old = PasswordKey::v1(PASSWORD);
    let hash = base64::encode(old.user_hash(EMAIL).as_bytes());
    let login = guest.legacy(json!({ "a": "us", "user": EMAIL, "uh": hash })).await;
    let bytes = |name: &str| base64::decode(login[name].as_str().unwrap()).unwrap();
    let master: MasterKey = old.unwrap(&bytes("k").try_into().unwrap());
    let user = login["u"].as_str().unwrap().to_owned();
    let sid = rsa().session_id(&bytes("csid"), user.parse().unwrap()).unwrap();
    let account = Account { who: format!("&sid={}", sid.to_text()), user, ..guest.clone() };
    let random = ClientRandom::from_bytes([3; 16]);
    let (key, proof) = derive_v2(PASSWORD, &random.salt());
    let upgrade = json!({
        "a": "avu", "emk": base64::encode(&key.wrap(&master)),
        "hak": base64::encode(proof.hashed().as_bytes()), "crv": base64::encode(random.as_bytes()),
    });
    assert_eq!(account.v3(upgrade.clone()).await, 0);
    assert_eq!(account.v3(upgrade).await, -12);
    assert_eq!(guest.v3(json!({ "a": "us0", "user": EMAIL })).await["v"], 2);
    let again = Account::login(&server, EMAIL, PASSWORD).await;
    assert_eq!(again.user, account.user);
    assert_eq!(guest.legacy(json!({ "a": "us", "user": EMAIL, "uh": hash })).await, -9);
}

#[tokio::test]
async fn small_questions_have_answers_that_clients_survive() {
    let (server, account) = world().await;
    let guest = Account::guest(&server);
    assert_eq!(guest.v3(json!({ "a": "gmf" })).await["mfae"], 1);
    assert_eq!(guest.v3(json!({ "a": "wmip" })).await["ip"], "127.0.0.1");
    assert_eq!(account.v3(json!({ "a": "whyamiblocked" })).await, 0);
    assert_eq!(guest.v3(json!({ "a": "whyamiblocked" })).await, -15);
    assert_eq!(account.v3(json!({ "a": "qbq", "s": 5 })).await, 0);
    for list in ["utt", "utp", "sf"] {
        assert_eq!(account.v3(json!({ "a": list })).await, json!([]), "{list}");
    }
    // Some clients crash on 0 here.
    for missing in ["ftz", "gpsa"] {
        assert_eq!(account.v3(json!({ "a": missing })).await, -9, "{missing}");
    }
    assert_eq!(account.v3(json!({ "a": "uge", "u": account.user })).await, json!([0, EMAIL]));
    server.add_user("you@example.org", "other").await.unwrap();
    let you = Account::login(&server, "you@example.org", "other").await;
    assert_eq!(you.v3(json!({ "a": "uge", "u": account.user })).await, -9);
    assert_eq!(you.v3(json!({ "a": "uge", "u": "AAAAAAAAAAA" })).await, -9);
}

#[tokio::test]
async fn an_attribute_can_be_removed() {
    let (_server, account) = world().await;
    assert_eq!(account.v3(json!({ "a": "upr", "ua": "^!prd" })).await, -9);
    account.v3(json!({ "a": "up2", "^!prd": "AAAA" })).await;
    assert!(account.v3(json!({ "a": "upr", "ua": "^!prd" })).await.is_string());
    assert_eq!(account.v3(json!({ "a": "uga", "ua": "^!prd" })).await, -9);
    // A new one needs no version.
    assert!(account.v3(json!({ "a": "upv", "^!prd": ["AAAA"] })).await[1].is_object());
}

#[tokio::test]
async fn backups_are_registered_changed_and_removed_by_their_owner() {
    let (server, account) = world().await;
    let [root, ..] = account.roots().await;
    let new = json!({ "a": "sp", "t": 2, "h": root, "l": "bA", "d": "ZGV2aWNl", "s": 1, "ss": 0 });
    let made = account.v3(new.clone()).await;
    let id = made[1].as_str().unwrap_or_else(|| panic!("{made}")).to_owned();
    let change = json!({ "a": "sp", "id": id, "s": 3 });
    assert_eq!(account.v3(change.clone()).await, json!([0, id]));
    let beat = json!({
        "a": "sphb", "id": id, "s": 2, "p": 50, "qu": 1, "qd": 0, "lts": 9, "lh": root,
    });
    assert_eq!(account.v3(beat.clone()).await, 0);
    let listed = account.v3(json!({ "a": "sf" })).await;
    let listed = &listed[0];
    assert_eq!((&listed["id"], &listed["s"], &listed["l"]), (&json!(id), &json!(3), &json!("bA")));
    assert_eq!((&listed["hb"]["p"], &listed["hb"]["lts"]), (&json!(50), &json!(9)));
    assert!(listed["hb"]["ts"].as_i64() > Some(1_600_000_000));
    server.add_user("you@example.org", "other").await.unwrap();
    let you = Account::login(&server, "you@example.org", "other").await;
    for foreign in [change, beat, json!({ "a": "sr", "id": id })] {
        assert_eq!(you.v3(foreign).await, -9);
    }
    assert_eq!(you.v3(new).await, -11);
    assert_eq!(account.v3(json!({ "a": "sr", "id": id })).await, 0);
    assert_eq!(account.v3(json!({ "a": "sf" })).await, json!([]));
    assert_eq!(account.v3(json!({ "a": "sp", "t": 2 })).await, -2);
}
