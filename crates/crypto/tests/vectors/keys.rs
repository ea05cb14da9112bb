//! Node keys, attributes and the key store (`protocol-auth.md` 4, 5.1).

use supermega_crypto::{
    AttributeKey, Attributes, CryptoError, FileKey, FolderKey, KeyManager, MasterKey, NodeKey,
    PrivateKey, ShareFlags, ShareKey,
};
use supermega_encoding::{NodeHandle, UserHandle, base64};

use super::{at, b64, b64_array, hex, hex_array, number, rows, text};

#[test]
fn attributes() {
    for row in rows("/attributes", 5) {
        let key = NodeKey::from_bytes(&hex(row, "key_hex")).unwrap();
        assert_eq!(matches!(key, NodeKey::File(_)), text(row, "node") == "file");
        if let NodeKey::File(file) = &key {
            assert_eq!(file.content_key().as_bytes()[..], hex(row, "aes_key_hex"));
        }
        let written = Attributes::parse_json(text(row, "json")).unwrap();
        assert_eq!(written.to_json(), text(row, "json"));
        assert_eq!(base64::encode(&written.encrypt(&key.attribute_key())), text(row, "a_b64"));
        assert_eq!(Attributes::decrypt(&key.attribute_key(), &b64(row, "a_b64")), Ok(written));

        let Some(under) = row.get("k_under_master") else { continue };
        let master = MasterKey::from_bytes(hex_array(under, "master_key_hex"));
        assert_eq!(base64::encode(&master.wrap_node_key(&key)), text(under, "k_b64"));
        assert_eq!(master.unwrap_node_key(&b64(under, "k_b64")), Ok(key));
    }
}

#[test]
fn attributes_from_mega_py_tests() {
    for row in rows("/attributes_from_mega_py_tests", 1) {
        let key = FolderKey::from_bytes(hex_array(row, "aes_key_hex")).unwrap();
        let read = Attributes::decrypt(&AttributeKey::from(&key), &hex(row, "a_hex")).unwrap();
        assert_eq!(read.name(), Some(text(&row["json"], "n")));
        let fingerprint = read.fingerprint().unwrap();
        assert_eq!(fingerprint.to_string(), text(&row["json"], "c"));
    }
}

/// The parts of a node's `k`: under which key, and the wrapped key.
fn parts(field: &str) -> [(&str, Vec<u8>); 2] {
    let parts: Vec<_> = field
        .split('/')
        .map(|part| part.split_once(':').unwrap())
        .map(|(under, key)| (under, base64::decode(key).unwrap()))
        .collect();
    parts.try_into().unwrap()
}

#[test]
fn shares_k_field() {
    let vectors = at("/shares");
    let master = MasterKey::from_bytes(hex_array(vectors, "master_key_hex"));
    let share = ShareKey::from_bytes(hex_array(vectors, "share_key_hex")).unwrap();
    for (field, key) in
        [("k_field_folder", "folder_node_key_hex"), ("k_field_file", "file_node_key_hex")]
    {
        let key = NodeKey::from_bytes(&hex(vectors, key)).unwrap();
        let [own, shared] = parts(text(vectors, field));
        assert_eq!(own.0.len(), UserHandle::TEXT_LEN);
        assert_eq!(master.unwrap_node_key(&own.1).as_ref(), Ok(&key));
        assert_eq!(master.wrap_node_key(&key), own.1);
        assert_eq!(shared.0, text(vectors, "node_handle"));
        assert_eq!(share.unwrap_node_key(&shared.1).as_ref(), Ok(&key));
        assert_eq!(share.wrap_node_key(&key), shared.1);
    }
}

#[test]
fn shares_ok_and_ha() {
    let vectors = at("/shares");
    let master = MasterKey::from_bytes(hex_array(vectors, "master_key_hex"));
    let share = ShareKey::from_bytes(hex_array(vectors, "share_key_hex")).unwrap();
    let handle: NodeHandle = text(vectors, "node_handle").parse().unwrap();
    assert_eq!(base64::encode(&master.wrap_share_key(&share)), text(vectors, "ok_b64"));
    assert_eq!(master.unwrap_share_key(&b64_array(vectors, "ok_b64")), Ok(share));
    assert_eq!(base64::encode(&master.handle_auth(&handle)), text(vectors, "ha_b64"));
    let auth = b64(vectors, "ha_b64");
    assert!(master.check_handle_auth(&handle, &auth));
    assert!(!master.check_handle_auth(&handle, &auth[1..]));
    assert!(!master.check_handle_auth(&NodeHandle::from_bytes([1; 6]), &auth));
}

#[test]
fn shares_rsa_wrapped_keys() {
    let vectors = at("/shares");
    let private = PrivateKey::parse(&hex(at("/rsa"), "privk_plain_hex")).unwrap();
    for (wrapped, key) in [
        ("rsa_wrapped_share_key_b64", "share_key_hex"),
        ("rsa_wrapped_file_key_b64", "file_node_key_hex"),
    ] {
        let key = hex(vectors, key);
        assert_eq!(private.decrypt(&b64(vectors, wrapped), key.len()).unwrap()[..], key);
    }
}

/// The records of the plain key store, read independently.
fn records(mut plain: &[u8]) -> Vec<(u8, &[u8])> {
    let mut records = Vec::new();
    while let [tag, a, b, c, rest @ ..] = plain {
        let (value, rest) = rest.split_at(u32::from_be_bytes([0, *a, *b, *c]) as usize);
        records.push((*tag, value));
        plain = rest;
    }
    records
}

#[test]
fn keymgr() {
    let vectors = at("/keymgr");
    let master = MasterKey::from_bytes(hex_array(vectors, "master_key_hex"));
    let plain = hex(vectors, "plain_hex");
    assert_eq!(b64(vectors, "attr_b64"), hex(vectors, "attr_hex"));
    let store = KeyManager::open(&master, &hex(vectors, "attr_hex")).unwrap();

    for (tag, value) in records(&plain) {
        assert_eq!(store.record(tag), Some(value), "tag {tag}");
    }
    assert_eq!(u64::from(store.generation()), number(vectors, "generation"));
    assert_eq!(store.identity().to_string(), "ESIzRFVmd4g");
    assert_eq!(store.created(), Some(1_700_000_000));
    let curve = at("/curve25519_ed25519");
    assert_eq!(store.ed25519_private().unwrap()[..], hex(curve, "ed25519_seed_hex"));
    assert_eq!(store.cu25519_private().unwrap()[..], hex(curve, "cu25519_priv_a_hex"));
    assert_eq!(store.rsa_private_bytes(), hex(at("/rsa"), "privk_short_pqd_hex"));
    assert!(PrivateKey::from_short(store.rsa_private_bytes()).is_ok());

    let folder = NodeHandle::from_bytes([1, 2, 3, 4, 5, 6]);
    let share = ShareKey::from_bytes(hex_array(at("/shares"), "share_key_hex")).unwrap();
    let flags = ShareFlags::TRUSTED.with(ShareFlags::IN_USE);
    assert_eq!(store.share_key(folder), Some((share, flags)));
    assert_eq!(store.share_keys().count(), 1);
}

#[test]
fn keymgr_rewrites_keep_everything() {
    let vectors = at("/keymgr");
    let master = MasterKey::from_bytes(hex_array(vectors, "master_key_hex"));
    let plain = hex(vectors, "plain_hex");
    let mut store = KeyManager::open(&master, &hex(vectors, "attr_hex")).unwrap();
    let sealed = store.seal(&master).unwrap();
    assert_eq!(sealed.len(), hex(vectors, "attr_hex").len());
    let written = KeyManager::open(&master, &sealed).unwrap();
    store.advance();
    assert_eq!(written.generation(), store.generation());
    for (tag, value) in records(&plain).into_iter().filter(|(tag, _)| *tag != 4) {
        assert_eq!(written.record(tag), Some(value), "tag {tag}");
    }
    assert_eq!(written.record(4), Some(&[0, 0, 0, 8][..]));
}

#[test]
fn zero_keys() {
    for row in rows("/zero_keys", 2) {
        let key = hex(row, "key_hex");
        assert_eq!(NodeKey::from_bytes(&key), Err(CryptoError::ZeroKey), "{row}");
        if let Ok(key) = key[..].try_into() {
            assert_eq!(FileKey::from_bytes(key), Err(CryptoError::ZeroKey));
        }
        if let Ok(key) = key[..].try_into() {
            assert_eq!(ShareKey::from_bytes(key), Err(CryptoError::ZeroKey));
        }
    }
}
