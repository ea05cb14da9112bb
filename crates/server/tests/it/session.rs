//! Logging in and out, in every way there is (`protocol-auth.md` 2.5 to 2.12, 3.1).

use serde_json::{Value, json};
use supermega_crypto::{ClientRandom, MasterKey, NewEphemeral, PasswordKey, SessionId, derive_v2};
use supermega_encoding::base64;
use supermega_server::{KdfVersion, Server};

use crate::world::{Account, EMAIL, PASSWORD, builder, rsa, server, world};

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_else(|| panic!("{value}"))
}

fn bytes(value: &Value) -> Vec<u8> {
    base64::decode(text(value)).unwrap()
}

#[tokio::test]
async fn a_session_opens_with_the_private_key_alone() {
    let (_server, account) = world().await;
    let user = account.v3(json!({ "a": "ug", "v": 1 })).await;
    assert_eq!(user["u"], account.user);
    assert_eq!((&user["email"], &user["aav"]), (&json!(EMAIL), &json!(2)));
    assert!(user["ts"].is_string() && user["privk"].is_string() && user["pubk"].is_string());
    assert!(user["s"].is_i64() && user["c"].is_i64() && user["name"].is_string());
}

#[tokio::test]
async fn an_old_account_proves_its_password_by_a_hash() {
    let user = Server::builder().user_with_key(EMAIL, PASSWORD, KdfVersion::V1, rsa());
    let server = user.spawn().await.unwrap();
    let guest = Account::guest(&server);
    assert_eq!(guest.legacy(json!({ "a": "us0", "user": EMAIL })).await, json!({ "v": 1 }));
    let key = PasswordKey::v1(PASSWORD);
    let proof = base64::encode(key.user_hash(EMAIL).as_bytes());
    let login = guest.legacy(json!({ "a": "us", "user": EMAIL, "uh": proof })).await;
    let master = key.unwrap(&bytes(&login["k"]).try_into().unwrap());
    let private = master.unwrap_private_key(&bytes(&login["privk"])).unwrap();
    let user = text(&login["u"]).parse().unwrap();
    private.session_id(&bytes(&login["csid"]), user).unwrap();
    let wrong = base64::encode(&[0; 8]);
    assert_eq!(guest.legacy(json!({ "a": "us", "user": EMAIL, "uh": wrong })).await, -9);
}

#[tokio::test]
async fn nobody_learns_which_addresses_have_accounts() {
    let server = server().await;
    let guest = Account::guest(&server);
    let ask = |user: &'static str| guest.v3(json!({ "a": "us0", "user": user }));
    let first = ask("nobody@example.org").await;
    assert_eq!((first["v"].as_i64(), bytes(&first["s"]).len()), (Some(2), 32));
    assert_eq!(first, ask("nobody@example.org").await);
    assert_ne!(first, ask("other@example.org").await);
    let proof = base64::encode(&[0; 16]);
    for user in [EMAIL, "nobody@example.org", "AAAAAAAAAAA", ""] {
        let login = guest.v3(json!({ "a": "us", "user": user, "uh": proof, "sek": proof })).await;
        assert_eq!(login, -9, "{user}");
        // Whoever has a password must show it.
        assert_eq!(guest.v3(json!({ "a": "us", "user": user })).await, -9, "{user}");
    }
}

#[tokio::test]
async fn a_resumed_session_keeps_its_first_key() {
    let (_server, account) = world().await;
    let offered = base64::encode(&[1; 16]);
    let resumed = account.v3(json!({ "a": "us", "sek": offered })).await;
    assert_eq!(bytes(&resumed["sek"]), [7; 16]);
    assert_eq!(text(&resumed["u"]), account.user);
    assert!(resumed.get("csid").is_none() && resumed["privk"].is_string());
}

#[tokio::test]
async fn a_copied_session_is_another_one() {
    let (_server, account) = world().await;
    let copy = account.v3(json!({ "a": "us", "c": 1 })).await;
    let user = account.user.parse().unwrap();
    let sid = rsa().session_id(&bytes(&copy["csid"]), user).unwrap();
    let other = Account { who: format!("&sid={}", sid.to_text()), ..account.clone() };
    assert_eq!(account.v3(json!({ "a": "sml" })).await, 0);
    assert_eq!(account.v3(json!({ "a": "ug" })).await, -15);
    assert_eq!(text(&other.v3(json!({ "a": "ug" })).await["u"]), account.user);
}

#[tokio::test]
async fn asking_whether_a_password_is_right_opens_no_session() {
    let server = server().await;
    let guest = Account::guest(&server);
    let salt = guest.v3(json!({ "a": "us0", "user": EMAIL })).await;
    let salt: [u8; 32] = bytes(&salt["s"]).try_into().unwrap();
    let (_, proof) = derive_v2(PASSWORD, &supermega_crypto::Salt::from_bytes(salt));
    let proof = base64::encode(proof.as_bytes());
    let reply = guest.v3(json!({ "a": "us", "user": EMAIL, "uh": proof })).await;
    assert!(reply["u"].is_string() && reply.get("csid").is_none(), "{reply}");
    // Older clients have no session key and want a session all the same.
    let reply = guest.legacy(json!({ "a": "us", "user": EMAIL, "uh": proof })).await;
    assert!(reply["csid"].is_string(), "{reply}");
}

#[tokio::test]
async fn a_changed_password_replaces_the_old_one_and_ends_no_session() {
    let (server, account) = world().await;
    let random = ClientRandom::from_bytes([3; 16]);
    let (key, proof) = derive_v2("new", &random.salt());
    let k = base64::encode(&key.wrap(&MasterKey::from_bytes([9; 16])));
    let change = json!({
        "a": "up", "k": k, "uh": base64::encode(proof.hashed().as_bytes()),
        "crv": base64::encode(random.as_bytes()),
    });
    assert_eq!(account.v3(change).await, json!([0, account.user]));
    assert_eq!(account.v3(json!({ "a": "ug" })).await["k"], k);
    let guest = Account::guest(&server);
    let login = json!({
        "a": "us", "user": EMAIL, "uh": base64::encode(proof.as_bytes()), "sek": k,
    });
    assert_eq!(guest.v3(login).await["k"], k);
}

#[tokio::test]
async fn an_account_without_address_is_opened_by_its_handle() {
    let server = server().await;
    let guest = Account::guest(&server);
    let new = NewEphemeral::generate().unwrap();
    let (k, ts) = (base64::encode(&new.wrapped), base64::encode(&new.challenge));
    let made = guest.v3(json!({ "a": "up", "k": k, "ts": ts })).await;
    let user = text(&made[1]).to_owned();
    let login = guest.v3(json!({ "a": "us", "user": user })).await;
    assert_eq!(login["k"], k);
    let sid = SessionId::temporary(&bytes(&login["tsid"]), &new.master_key).unwrap();
    assert!(sid.belongs_to(user.parse().unwrap()));
    let account = Account { who: format!("&sid={}", sid.to_text()), user, ..guest.clone() };
    let [root, ..] = account.roots().await;
    account.folder(&root).await;
    // With an RSA key the session id comes encrypted, and the pair cannot be replaced.
    let private = new.master_key.wrap_private_key(&rsa()).unwrap();
    let pair = json!({
        "a": "up", "privk": base64::encode(&private),
        "pubk": base64::encode(&rsa().public_key().to_bytes()),
    });
    assert_eq!(account.v3(pair.clone()).await, json!([0, account.user]));
    assert_eq!(account.v3(pair).await, -12);
    assert!(guest.v3(json!({ "a": "us", "user": account.user })).await["csid"].is_string());
    assert_eq!(guest.v3(json!({ "a": "up", "k": k, "ts": "AAAA" })).await, -2);
}

#[tokio::test]
async fn a_version_clash_of_an_attribute_is_told() {
    let (_server, account) = world().await;
    let put = account.v3(json!({ "a": "upv", "^!keys": ["AAAA"] })).await;
    let first = text(&put[1]["^!keys"]).to_owned();
    assert!(put[0].is_string());
    assert_eq!(account.v3(json!({ "a": "upv", "^!keys": ["BBBB"] })).await, -8);
    assert_eq!(account.v3(json!({ "a": "upv", "^!keys": ["BBBB", "other"] })).await, -8);
    let put = account.v3(json!({ "a": "upv", "^!keys": ["BBBB", first] })).await;
    let second = text(&put[1]["^!keys"]).to_owned();
    assert_ne!(first, second);
    let got = account.v3(json!({ "a": "uga", "ua": "^!keys", "v": 1 })).await;
    assert_eq!(got, json!({ "av": "BBBB", "v": second }));
    assert_eq!(account.legacy(json!({ "a": "uga", "ua": "^!keys" })).await, "BBBB");
    assert_eq!(account.v3(json!({ "a": "uga", "ua": "*keyring" })).await, -9);
    let user = account.v3(json!({ "a": "ug", "v": 1 })).await;
    assert_eq!(user["^!keys"], got);
    // Two attributes in one command are both put or none is.
    let both = json!({ "a": "upv", "*keyring": ["AAAA"], "^!keys": ["CCCC"] });
    assert_eq!(account.v3(both).await, -8);
    assert_eq!(account.v3(json!({ "a": "uga", "ua": "*keyring" })).await, -9);
    assert!(account.v3(json!({ "a": "up2", "firstname": "QQ" })).await[1].is_object());
    assert_eq!(account.v3(json!({ "a": "up2", "firstname": "\"}" })).await, -2);
}

#[tokio::test]
async fn private_attributes_are_for_their_owner() {
    let (server, account) = world().await;
    server.add_user("you@example.org", "other").await.unwrap();
    let you = Account::login(&server, "you@example.org", "other").await;
    account.v3(json!({ "a": "upv", "^!keys": ["AAAA"], "+puEd255": ["BBBB"] })).await;
    let ask = |ua: &'static str| you.v3(json!({ "a": "uga", "u": account.user, "ua": ua }));
    assert_eq!(ask("^!keys").await, -11);
    assert_eq!(ask("+puEd255").await, "BBBB");
    let by_address = json!({ "a": "uga", "u": EMAIL, "ua": "+puEd255" });
    assert_eq!(you.v3(by_address).await, "BBBB");
    let taken = server.add_user(EMAIL, "x").await.unwrap_err();
    assert_eq!(taken.to_string(), "me@example.org has an account already");
}

#[tokio::test]
async fn other_machines_are_let_in_only_when_told() {
    let everywhere = "0.0.0.0:0".parse().unwrap();
    let refused = builder().listen(everywhere).spawn().await.unwrap_err();
    assert!(refused.to_string().contains("allow that explicitly"), "{refused}");
    Server::builder().listen(everywhere).allow_remote().spawn().await.unwrap();
}

#[tokio::test]
async fn whoever_keeps_a_tree_learns_whether_he_can_go_on_from_it() {
    let (_server, account) = world().await;
    let sn = account.v3(json!({ "a": "f", "c": 1 })).await["sn"].clone();
    account.roots().await;
    let resumed = async |sn: Value| account.v3(json!({ "a": "us", "sn": sn })).await["sn"].clone();
    assert_eq!(resumed(sn).await, 1);
    assert_eq!(resumed(json!("ESIzRFVmd4g")).await, 0);
    assert!(account.v3(json!({ "a": "us" })).await.get("sn").is_none());
}
