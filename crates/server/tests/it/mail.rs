//! What goes by mail, and the second factor: an account's whole life (`protocol-auth.md` 2.10, 3).

use std::time::{SystemTime, UNIX_EPOCH};

use serde_json::{Value, json};
use supermega_crypto::account::password_proof;
use supermega_crypto::{
    KdfVersion, MasterKey, NewEphemeral, Proof, SessionId, TotpSecret, session_self_challenge,
};
use supermega_encoding::base64;
use supermega_server::{Mail, MailKind, ServerHandle};

use crate::follower::Follower;
use crate::http;
use crate::world::{Account, EMAIL, PASSWORD, rsa, server, world};

const NEW: &str = "New.User@example.org";

/// What the server is told of a new password: `k`, `crv`, and what is called `uh` or `hak`.
fn password(master: &MasterKey, password: &str) -> (String, String, String) {
    let (key, proof) = password_proof(NEW, password, KdfVersion::V2).unwrap();
    let Proof::V2 { crv, hak, .. } = proof else { unreachable!() };
    let wrapped = key.wrap(master);
    let text = |bytes: &[u8]| base64::encode(bytes);
    (text(&wrapped), text(crv.as_bytes()), text(hak.as_bytes()))
}

/// An account without address and password, and its master key.
async fn ephemeral(server: &ServerHandle) -> (Account, MasterKey) {
    let guest = Account::guest(server);
    let new = NewEphemeral::generate().unwrap();
    let up = json!({
        "a": "up", "k": base64::encode(&new.wrapped), "ts": base64::encode(&new.challenge),
    });
    let user = guest.v3(up).await[1].as_str().unwrap().to_owned();
    let login = guest.v3(json!({ "a": "us", "user": user })).await;
    let tsid = base64::decode(login["tsid"].as_str().unwrap()).unwrap();
    let sid = SessionId::temporary(&tsid, &new.master_key).unwrap();
    (Account { who: format!("&sid={}", sid.to_text()), user, ..guest }, new.master_key)
}

fn signup(master: &MasterKey, email: &str, secret: &str) -> Value {
    let (k, crv, hak) = password(master, secret);
    let text = |text: &str| base64::encode(text.as_bytes());
    json!({
        "a": "uc2", "n": text("Ana Nováková"), "m": text(email), "crv": crv, "hak": hak, "k": k, "v": 2,
    })
}

async fn last_mail(server: &ServerHandle) -> Mail {
    server.outbox().await.unwrap().pop().unwrap()
}

/// An account that has confirmed its mail and has keys.
async fn confirmed(server: &ServerHandle) -> Account {
    let (account, master) = ephemeral(server).await;
    assert_eq!(account.v3(signup(&master, NEW, "first")).await, 0);
    let code = last_mail(server).await.code().to_owned();
    let done = Account::guest(server).v3(json!({ "a": "ud2", "c": code })).await;
    assert!(done[1].is_array(), "{done}");
    let keys = json!({
        "a": "up",
        "privk": base64::encode(&master.wrap_private_key(&rsa()).unwrap()),
        "pubk": base64::encode(&rsa().public_key().to_bytes()),
    });
    assert_eq!(account.v3(keys).await[1], json!(account.user));
    account
}

fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs()
}

/// Asks whether a password opens an account; gives the error if it does not.
async fn knows(server: &ServerHandle, email: &str, secret: &str, mfa: Option<&str>) -> Value {
    let guest = Account::guest(server);
    let salt = guest.v3(json!({ "a": "us0", "user": email })).await;
    let salt = base64::decode(salt["s"].as_str().unwrap()).unwrap();
    let salt = supermega_crypto::Salt::from_bytes(salt.try_into().unwrap());
    let (_, proof) = supermega_crypto::derive_v2(secret, &salt);
    let mut login = json!({ "a": "us", "user": email, "uh": base64::encode(proof.as_bytes()) });
    if let Some(code) = mfa {
        login["mfa"] = json!(code);
    }
    guest.v3(login).await
}

#[tokio::test]
async fn a_sign_up_becomes_an_account_by_the_code_of_its_mail() {
    let server = server().await;
    let (account, master) = ephemeral(&server).await;
    assert_eq!(account.v3(json!({ "a": "ucr" })).await, -9);
    assert_eq!(account.v3(signup(&master, NEW, "first")).await, 0);
    let mail = last_mail(&server).await;
    assert_eq!((mail.to.as_str(), mail.kind), (NEW, MailKind::Confirm));
    assert!(mail.link.starts_with("https://mega.nz/#confirm"));
    // Clients read address and name out of the code.
    let code = base64::decode(mail.code()).unwrap();
    assert_eq!(&code[..13], b"ConfirmCodeV2");
    let told = String::from_utf8(code[28..code.len() - 8].to_vec()).unwrap();
    assert_eq!(told, format!("{NEW}\tAna Nováková"));
    // The password is right, and the mail not answered.
    assert_eq!(knows(&server, NEW, "first", None).await, -13);
    assert_eq!(knows(&server, NEW, "wrong", None).await, -9);

    // It goes out again to a corrected address, and the former code is void.
    let again = json!({
        "a": "uc2", "n": base64::encode(b"Ana"), "m": base64::encode(b"ana@example.org"), "v": 2,
    });
    assert_eq!(account.v3(again).await, 0);
    let corrected = last_mail(&server).await;
    assert_eq!(corrected.to, "ana@example.org");
    let guest = Account::guest(&server);
    assert_eq!(guest.v3(json!({ "a": "ud2", "c": mail.code() })).await, -9);
    let mut follower = Follower::of(&account).await;
    let done = guest.legacy(json!({ "a": "ud2", "c": corrected.code() })).await;
    let expected =
        [base64::encode(b"ana@example.org"), base64::encode(b"Ana"), account.user.clone()];
    assert_eq!(
        (&done[0], &done[1], &done[2]),
        (&json!(expected[0]), &json!(expected[1]), &json!(expected[2]))
    );
    assert_eq!(done[3], 2);
    assert_eq!(follower.now().await["a"][0]["m"], "ana@example.org");
    assert_eq!(knows(&server, "ana@example.org", "first", None).await["u"], json!(account.user));
    assert_eq!(account.v3(json!({ "a": "ug" })).await["name"], "Ana");
    assert_eq!(guest.v3(json!({ "a": "ud2", "c": corrected.code() })).await, -9);
    assert_eq!(account.v3(signup(&master, "third@example.org", "x")).await, -12);
}

#[tokio::test]
async fn a_sign_up_is_refused_for_a_taken_address_and_can_be_taken_back() {
    let server = server().await;
    let (account, master) = ephemeral(&server).await;
    assert_eq!(account.v3(signup(&master, EMAIL, "first")).await, -12);
    for bad in ["", "nobody", "a@b\tc", "@"] {
        assert_eq!(account.v3(signup(&master, bad, "first")).await, -2, "{bad:?}");
    }
    assert!(server.outbox().await.unwrap().is_empty());
    assert_eq!(account.v3(signup(&master, NEW, "first")).await, 0);
    assert_eq!(account.v3(json!({ "a": "ucr" })).await, 0);
    let guest = Account::guest(&server);
    let code = last_mail(&server).await.code().to_owned();
    assert_eq!(guest.v3(json!({ "a": "ud2", "c": code })).await, -9);
    assert_eq!(guest.v3(signup(&master, NEW, "first")).await, -15);
}

#[tokio::test]
async fn a_second_factor_is_asked_for_wherever_a_password_is() {
    let server = server().await;
    let account = confirmed(&server).await;
    let guest = Account::guest(&server);
    let has = async || guest.v3(json!({ "a": "mfag", "e": NEW })).await;
    assert_eq!(has().await, 0);
    let secret = account.v3(json!({ "a": "mfas" })).await;
    let secret: TotpSecret = secret[1].as_str().unwrap().parse().unwrap();
    let good = || secret.code(now()).to_string();
    let wrong = || if good() == "000000" { "111111" } else { "000000" }.to_owned();
    assert_eq!(account.v3(json!({ "a": "mfas", "mfa": wrong() })).await, -5);
    assert_eq!(has().await, 0);
    assert_eq!(account.v3(json!({ "a": "mfas", "mfa": good() })).await, 0);
    assert_eq!(has().await, 1);
    assert_eq!(account.v3(json!({ "a": "mfas" })).await, -12);

    assert_eq!(knows(&server, NEW, "first", None).await, -26);
    assert_eq!(knows(&server, NEW, "first", Some(&wrong())).await, -5);
    assert_eq!(knows(&server, NEW, "wrong", Some(&good())).await, -9);
    assert_eq!(knows(&server, NEW, "first", Some(&good())).await["u"], json!(account.user));
    for protected in [
        json!({ "a": "erm", "m": NEW, "t": 21 }),
        json!({ "a": "se", "aa": "a", "e": "other@example.org" }),
        json!({ "a": "up", "k": base64::encode(&[1; 16]), "uh": base64::encode(&[1; 16]),
                "crv": base64::encode(&[1; 16]) }),
    ] {
        assert_eq!(account.v3(protected.clone()).await, -26, "{protected}");
    }
    assert_eq!(account.v3(json!({ "a": "mfad", "mfa": wrong() })).await, -5);
    assert_eq!(account.v3(json!({ "a": "mfad", "mfa": good() })).await, 0);
    assert_eq!(knows(&server, NEW, "first", None).await["u"], json!(account.user));
}

#[tokio::test]
async fn a_password_is_changed_recovered_and_lost() {
    let server = server().await;
    let account = confirmed(&server).await;
    let guest = Account::guest(&server);
    let master = MasterKey::generate().unwrap();
    let (k, crv, uh) = password(&master, "second");
    let changed = account.v3(json!({ "a": "up", "k": k, "crv": crv, "uh": uh })).await;
    assert_eq!(changed[1], json!(account.user));
    assert_eq!(knows(&server, NEW, "first", None).await, -9);
    assert_eq!(knows(&server, NEW, "second", None).await["u"], json!(account.user));

    // With the recovery key.
    assert_eq!(guest.v3(json!({ "a": "erm", "m": NEW, "t": 9 })).await, 0);
    assert_eq!(guest.v3(json!({ "a": "erm", "m": "nobody@example.org", "t": 9 })).await, -9);
    let code = last_mail(&server).await.code().to_owned();
    let about = guest.v3(json!({ "a": "erv", "c": code })).await;
    assert_eq!((&about[0], &about[1], &about[4]), (&json!(9), &json!(NEW), &json!(account.user)));
    let privk = guest.v3(json!({ "a": "erx", "r": "gk", "c": code })).await;
    assert_eq!(privk[1], account.v3(json!({ "a": "ug" })).await["privk"]);
    let (k, crv, hak) = password(&master, "third");
    let set = json!({ "a": "erx", "r": "sk", "c": code, "x": k, "y": { "crv": crv, "hak": hak } });
    assert_eq!(guest.v3(set.clone()).await, 0);
    assert_eq!(guest.v3(set).await, -9, "a code is good once");
    assert_eq!(knows(&server, NEW, "third", None).await["u"], json!(account.user));
    assert_eq!(account.v3(json!({ "a": "ug" })).await, -15);

    // Without it everything is lost but the address.
    assert_eq!(guest.v3(json!({ "a": "erm", "m": NEW, "t": 10 })).await, 0);
    let code = last_mail(&server).await.code().to_owned();
    let fresh = MasterKey::generate().unwrap();
    let (k, crv, hak) = password(&fresh, "fourth");
    let challenge = base64::encode(&session_self_challenge(&fresh).unwrap());
    let proof = json!({ "crv": crv, "hak": hak });
    let park = json!({ "a": "erx", "c": code, "x": k, "y": proof, "z": challenge });
    assert_eq!(guest.v3(park).await, 0);
    let login = knows(&server, NEW, "fourth", None).await;
    assert_eq!(login["u"], json!(account.user));
    assert!(login.get("privk").is_none());
}

#[tokio::test]
async fn an_account_that_is_cancelled_leaves_nothing_but_its_shares_end() {
    let (server, me, you) = crate::share::contacts().await;
    let [root, ..] = me.roots().await;
    let top = me.folder(&root).await;
    let inside = me.file(&top, b"content").await;
    crate::share::share(&me, &you, &top, &inside, 1).await;
    let mut follower = Follower::of(&you).await;
    assert_eq!(you.v3(json!({ "a": "erm", "m": EMAIL, "t": 21 })).await, -11);
    assert_eq!(me.v3(json!({ "a": "erm", "m": EMAIL, "t": 21 })).await, 0);
    let mail = last_mail(&server).await;
    assert_eq!(mail.kind, MailKind::Cancel);
    // What comes behind it in the same batch finds no session any more.
    let batch = json!([{ "a": "erx", "c": mail.code() }, { "a": "ug" }]).to_string();
    assert_eq!(me.send("&v=3", &batch).await, "[0,-15]");
    assert_eq!(me.v3(json!({ "a": "f", "c": 1 })).await, -15);
    let packets = follower.now().await;
    let kinds: Vec<&str> =
        packets["a"].as_array().unwrap().iter().map(|p| p["a"].as_str().unwrap()).collect();
    assert!(kinds.contains(&"c") && kinds.contains(&"s2") && kinds.contains(&"d"), "{packets}");
    assert!(you.node(&inside).await.is_none());
    assert_eq!(knows(&server, EMAIL, PASSWORD, None).await, -9);
    server.add_user(EMAIL, "somebody else").await.unwrap();
}

#[tokio::test]
async fn an_address_changes_by_the_code_that_was_mailed_there() {
    let (server, me, you) = crate::share::contacts().await;
    let other = "me@example.net";
    let taken = json!({ "a": "se", "aa": "a", "e": crate::share::YOU });
    assert_eq!(me.v3(taken).await, -12);
    assert_eq!(me.v3(json!({ "a": "se", "aa": "a", "e": other })).await, 0);
    let mail = last_mail(&server).await;
    assert_eq!((mail.to.as_str(), mail.kind), (other, MailKind::ChangeEmail));
    let confirm = json!({ "a": "sec", "c": mail.code(), "e": other, "r": 1 });
    assert_eq!(you.v3(confirm.clone()).await, -11);
    let mut follower = Follower::of(&you).await;
    let done = me.v3(confirm).await;
    assert!(done == 0 || done.is_string(), "{done}");
    assert_eq!(knows(&server, other, PASSWORD, None).await["u"], json!(me.user));
    assert_eq!(knows(&server, EMAIL, PASSWORD, None).await, -9);
    let packets = follower.now().await;
    assert_eq!((&packets["a"][0]["a"], &packets["a"][0]["e"]), (&json!("se"), &json!(other)));
}

#[tokio::test]
async fn the_outbox_is_read_and_emptied_over_http() {
    let (server, account) = world().await;
    let invited = account.v3(json!({ "a": "upc", "u": "new@example.org", "e": EMAIL, "aa": "a" }));
    assert!(invited.await[1]["p"].is_string());
    let header = format!("X-Admin-Token: {}\r\n", server.admin_token());
    let mut connection = http::Connection::open(server.url()).await;
    let listed = connection.request("GET", "/admin/outbox", &header, b"").await.unwrap();
    let mail: Value = serde_json::from_str(listed.text().trim()).unwrap();
    assert_eq!((&mail["to"], &mail["kind"]), (&json!("new@example.org"), &json!("invitation")));
    assert!(mail["link"].as_str().unwrap().ends_with(mail["code"].as_str().unwrap()));
    let emptied = connection.request("DELETE", "/admin/outbox", &header, b"").await.unwrap();
    assert_eq!(emptied.status, 200);
    assert!(server.outbox().await.unwrap().is_empty());
}
