//! Curve keys, what users share, and what the key store notes of both.

use supermega_crypto::curve::{AgreementKey, AgreementPublic, SigningPublic, SigningSeed};
use supermega_crypto::key_manager::{
    KeyManager, PendingOutShare, Recipient, TrackedBy, TrackedKey,
};
use supermega_crypto::{MasterKey, ShareKey, private_attribute};
use supermega_encoding::{NodeHandle, UserHandle};

use crate::{at, b64, hex, hex_array, number};

fn agreement() -> AgreementKey {
    AgreementKey::from_bytes(hex_array(at("/curve25519_ed25519"), "cu25519_priv_a_hex"))
}

#[test]
fn public_keys_and_fingerprint() {
    let vectors = at("/curve25519_ed25519");
    let seed = SigningSeed::from_bytes(hex_array(vectors, "ed25519_seed_hex"));
    assert_eq!(seed.public().0[..], hex(vectors, "ed25519_pub_hex"));
    assert_eq!(seed.public().fingerprint().0[..], hex(vectors, "ed25519_fingerprint_hex"));
    assert_eq!(agreement().public().0[..], hex(vectors, "cu25519_pub_a_hex"));
}

#[test]
fn signatures() {
    let vectors = at("/curve25519_ed25519");
    let seed = SigningSeed::from_bytes(hex_array(vectors, "ed25519_seed_hex"));
    let row = &vectors["sigCu255"];
    let (payload, signature) = (hex(row, "signed_key_hex"), b64(row, "attr_b64"));
    assert_eq!(seed.sign(number(row, "timestamp"), &payload), signature);
    assert!(seed.public().verifies(&signature, &payload));
    let row = &vectors["sigPubk_from_sdk_test"];
    let payload = hex(row, "modulus_then_exponent_hex");
    assert!(!SigningPublic([0; 32]).verifies(&b64(row, "attr_b64"), &payload));
}

#[test]
fn a_share_key_travels() {
    let vectors = at("/curve25519_ed25519");
    let peer = AgreementPublic(hex_array(vectors, "cu25519_pub_b_hex"));
    let pairwise = agreement().pairwise(&peer).unwrap();
    assert_eq!(pairwise.as_bytes()[..], hex(vectors, "pairwise_key_hex"));
    let share = ShareKey::from_bytes(hex_array(vectors, "share_key_hex")).unwrap();
    let wrapped = pairwise.wrap_share_key(&share);
    assert_eq!(wrapped[..], b64(vectors, "pk_k_b64"));
    let other = AgreementKey::from_bytes(hex_array(vectors, "cu25519_priv_b_hex"));
    let pairwise = other.pairwise(&agreement().public()).unwrap();
    assert_eq!(pairwise.unwrap_share_key(&wrapped).unwrap(), share);
}

#[test]
fn private_attributes() {
    let vectors = at("/tlv_container");
    let master = MasterKey::from_bytes(hex_array(vectors, "key_hex"));
    for form in ["AES_GCM_12_16_0x10_hex", "AES_CCM_12_16_0x00_hex", "AES_CCM_10_08_0x02_hex"] {
        let mut sealed = hex(vectors, form);
        let entries = private_attribute::open(&master, &sealed).unwrap();
        assert_eq!(entries[0].0, "prCu255", "{form}");
        assert_eq!(entries[0].1[..], agreement().as_bytes()[..], "{form}");
        assert_eq!(entries[1].0, "prEd255", "{form}");
        *sealed.last_mut().unwrap() ^= 1;
        assert!(private_attribute::open(&master, &sealed).is_err(), "{form}");
    }
}

#[test]
fn what_the_key_store_notes() {
    let vectors = at("/keymgr");
    let master = MasterKey::from_bytes(hex_array(vectors, "master_key_hex"));
    let mut store = KeyManager::open(&master, &hex(vectors, "attr_hex")).unwrap();
    let before = store.clone();
    let folder = NodeHandle::from_bytes([1, 2, 3, 4, 5, 6]);
    let user = UserHandle::from_bytes([0x99, 0xaa, 0xbb, 0xcc, 0xdd, 0xee, 0xff, 0]);

    let (fingerprint, method) = store.tracked(TrackedKey::Ed25519, user).unwrap();
    assert_eq!(method, TrackedBy::Seen);
    assert_eq!(store.tracked(TrackedKey::X25519, user).unwrap().1, TrackedBy::Signature);
    let out = store.pending_out().unwrap();
    let to = [Recipient::User(user), Recipient::Address("user@example.com".into())];
    assert_eq!(out, to.map(|to| PendingOutShare { folder, to }));
    let waiting = store.pending_in().unwrap();
    assert_eq!(waiting.len(), 1);
    assert_eq!(waiting[0].sharer, user);
    assert_eq!(waiting[0].wrapped[..], b64(at("/curve25519_ed25519"), "pk_k_b64"));
    assert!(store.needs_verification());

    // What is taken out and put back in is the same, byte for byte.
    for share in &out {
        store.remove_pending_out(share).unwrap();
    }
    for share in &out {
        store.add_pending_out(share).unwrap();
    }
    store.remove_pending_in(waiting[0].folder).unwrap();
    store.add_pending_in(&waiting[0]).unwrap();
    store.set_needs_verification(true).unwrap();
    store.forget_key(TrackedKey::Ed25519, user).unwrap();
    store.track(TrackedKey::Ed25519, user, fingerprint, TrackedBy::Seen).unwrap();
    assert!(store.is_same(&before));

    store.track(TrackedKey::Ed25519, user, fingerprint, TrackedBy::Fingerprint).unwrap();
    store.track(TrackedKey::Ed25519, user, fingerprint, TrackedBy::Seen).unwrap();
    assert_eq!(store.tracked(TrackedKey::Ed25519, user).unwrap().1, TrackedBy::Fingerprint);
    let other = SigningPublic([5; 32]).fingerprint();
    assert!(store.track(TrackedKey::Ed25519, user, other, TrackedBy::Fingerprint).is_err());
    assert!(store.has_same_keys(&before) && !store.is_same(&before));
}
