//! Accounts from before the key container: their keys in `*keyring`, share keys in `ok`.

use supermega::{Access, Error, NodeHandle, Session};
use supermega_crypto::curve::{AgreementKey, SigningSeed};
use supermega_crypto::key_manager::{KeyManager, TrackedBy, TrackedKey};
use supermega_crypto::{FolderKey, NodeKey, ShareKey, private_attribute};
use supermega_encoding::{UserHandle, base64};
use supermega_server::ServerHandle;

use crate::folder_link::Owner;
use crate::world::{
    EMAIL, OTHER, at, client, contacts, content, other, put, read, rsa, server, server_of_two,
    session,
};

/// What an older client has left of an account.
struct Older {
    seed: SigningSeed,
    agreement: AgreementKey,
}

impl Older {
    /// Gives the account keys as older clients did; what `spoil` says is left out or replaced.
    async fn set_up(owner: &Owner, spoil: impl Fn(&str, Vec<u8>) -> Option<Vec<u8>>) -> Self {
        let keys = Self {
            seed: SigningSeed::generate().unwrap(),
            agreement: AgreementKey::generate().unwrap(),
        };
        let (seed, agreement) = (&keys.seed, &keys.agreement);
        let private = [("prEd255", &seed.as_bytes()[..]), ("prCu255", &agreement.as_bytes()[..])];
        let rsa = rsa().public_key().signature_payload();
        for (name, value) in [
            ("*keyring", private_attribute::seal(owner.master(), &private).unwrap()),
            ("+puEd255", seed.public().0.to_vec()),
            ("+puCu255", agreement.public().0.to_vec()),
            ("+sigCu255", seed.sign(1_500_000_000, &agreement.public().0)),
            ("+sigPubk", seed.sign(1_500_000_000, &rsa)),
        ] {
            if let Some(value) = spoil(name, value) {
                owner.set(name, &value).await;
            }
        }
        keys
    }
}

impl Owner {
    async fn set(&self, name: &str, value: &[u8]) {
        let value = base64::encode(value);
        let reply = self.call(&format!(r#"{{"a":"up2","{name}":"{value}"}}"#)).await;
        assert!(reply.is_object() || reply.is_array() || reply.is_string(), "{name}: {reply}");
    }

    async fn has(&self, name: &str) -> bool {
        let reply = self.call(&format!(r#"{{"a":"uga","ua":"{name}","v":1}}"#)).await;
        reply["av"].is_string()
    }

    /// The container as the service has it.
    async fn container(&self) -> KeyManager {
        let reply = self.call(r#"{"a":"uga","ua":"^!keys","v":1}"#).await;
        let sealed = base64::decode(reply["av"].as_str().unwrap()).unwrap();
        KeyManager::open(self.master(), &sealed).unwrap()
    }

    /// Shares a folder as older clients did: the service keeps the key, under the master key and with a proof.
    async fn share_as_before(&self, handle: NodeHandle, own: FolderKey) -> ShareKey {
        let key = ShareKey::generate().unwrap();
        let ok = base64::encode(&self.master().wrap_share_key(&key));
        let ha = base64::encode(&self.master().handle_auth(&handle));
        let wrapped = base64::encode(&key.wrap_node_key(&NodeKey::Folder(own)));
        let reply = self
            .call(&format!(
                r#"{{"a":"s2","n":"{handle}","s":[{{"u":"EXP","r":0}}],"ok":"{ok}","ha":"{ha}","cr":[["{handle}"],["{handle}"],[0,0,"{wrapped}"]]}}"#
            ))
            .await;
        assert!(reply["r"].is_array() || reply["r"].is_number(), "{reply}");
        key
    }
}

async fn older(server: &ServerHandle) -> (Owner, Older) {
    let me = session(server).await;
    let owner = Owner::of(server, &me).await;
    let keys = Older::set_up(&owner, |_, value| Some(value)).await;
    (owner, keys)
}

async fn folder(session: &Session, name: &str) -> supermega::Node {
    session.make_folder(&format!("/{name}").parse().unwrap()).await.unwrap()
}

#[tokio::test]
async fn keys_are_converted_when_that_is_asked_for_and_not_before() {
    let server = server().await;
    let (owner, keys) = older(&server).await;
    let me = session(&server).await;
    assert!(me.has_older_keys());
    let shared = folder(&me, "shared").await;
    let error = me.make_link(&shared).await.unwrap_err();
    assert!(matches!(&error, Error::Refused(why) if why.contains("upgrade --keys")), "{error}");
    assert!(!owner.has("^!keys").await);

    let friend: UserHandle = "ESIzRFVmd4g".parse().unwrap();
    let fingerprint = keys.seed.public().fingerprint();
    let record = [friend.as_bytes(), &fingerprint.0[..], &[1]].concat();
    let ring = private_attribute::seal(owner.master(), &[("", &record)]).unwrap();
    owner.set("*!authring", &ring).await;
    let keyring = owner.call(r#"{"a":"uga","ua":"*keyring","v":1}"#).await;
    let root = me.tree().await.unwrap().root().unwrap().handle();
    let (handle, own) = owner.folder(root, "from before").await;
    let key = owner.share_as_before(handle, own).await;

    let me = session(&server).await;
    assert!(me.convert_older_keys().await.unwrap());
    assert!(!me.has_older_keys());
    let container = owner.container().await;
    assert_eq!(*container.ed25519_private().unwrap(), *keys.seed.as_bytes());
    assert_eq!(*container.cu25519_private().unwrap(), *keys.agreement.as_bytes());
    assert_eq!(container.share_key(handle).unwrap().0, key);
    let tracked = container.tracked(TrackedKey::Ed25519, friend);
    assert_eq!(tracked, Some((fingerprint, TrackedBy::Fingerprint)));
    assert_eq!(me.fingerprint(), Some(fingerprint));
    // What older clients use stays as it is.
    assert_eq!(owner.call(r#"{"a":"uga","ua":"*keyring","v":1}"#).await, keyring);

    // Now folder links work, with the key that the share had, and a second time there is nothing to do.
    let link = me.make_link(&at(&me, "/from before").await).await.unwrap();
    assert_eq!(*link.folder_key().unwrap(), key);
    put(&me, &at(&me, "/from before").await, "file", 100).await;
    let reader = client(&server).open_folder(&link).await.unwrap();
    assert_eq!(read(&reader, "/file").await, content(100));
    assert!(!session(&server).await.convert_older_keys().await.unwrap());
}

#[tokio::test]
async fn a_converted_account_shares_with_a_new_one() {
    let server = server_of_two().await;
    let (_, _) = older(&server).await;
    let me = session(&server).await;
    me.convert_older_keys().await.unwrap();
    drop(me);
    let (me, you) = contacts(&server).await;
    // The other one's keys are made by what needs them.
    you.make_link(&folder(&you, "own").await).await.unwrap();
    let shared = folder(&me, "for you").await;
    me.share(&shared, OTHER, Access::Read).await.unwrap();
    put(&me, &at(&me, "/for you").await, "file", 50).await;
    let you = other(&server).await;
    you.complete_shares().await.unwrap();
    assert_eq!(read(&you, &format!("//in/{EMAIL}/for you/file")).await, content(50));
}

#[tokio::test]
async fn keys_that_do_not_fit_are_not_converted_and_none_are_made() {
    let other_seed = SigningSeed::generate().unwrap().public().0.to_vec();
    for spoilt in ["*keyring", "+puEd255", "+sigCu255", "+sigPubk"] {
        let server = server().await;
        let owner = Owner::of(&server, &session(&server).await).await;
        Older::set_up(&owner, |name, mut value| match name {
            "*keyring" if spoilt == name => None,
            "+puEd255" if spoilt == name => Some(other_seed.clone()),
            _ => {
                if spoilt == name {
                    value[40] ^= 1;
                }
                Some(value)
            }
        })
        .await;
        let me = session(&server).await;
        assert!(me.has_older_keys(), "{spoilt}");
        let error = me.convert_older_keys().await.unwrap_err();
        assert!(matches!(error, Error::Integrity { .. }), "{spoilt}: {error}");
        assert!(!owner.has("^!keys").await, "{spoilt}");
        assert!(me.has_older_keys(), "{spoilt}");
    }
}

#[tokio::test]
async fn whoever_comes_second_takes_what_the_first_has_made() {
    let server = server().await;
    let (owner, _) = older(&server).await;
    let (one, two) = (session(&server).await, session(&server).await);
    server.add_fault("upv:lost*1".parse().unwrap());
    let (first, second) = tokio::join!(one.convert_older_keys(), two.convert_older_keys());
    assert!(first.unwrap() && second.unwrap());
    assert_eq!((one.key_generation(), two.key_generation()), (Some(2), Some(2)));
    assert_eq!(owner.container().await.generation(), 2);
    one.make_link(&folder(&one, "a").await).await.unwrap();
    two.make_link(&folder(&two, "b").await).await.unwrap();
    assert_eq!(session(&server).await.links().await.unwrap().len(), 2);
}
