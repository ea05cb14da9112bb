//! What a login and a tree of nodes cost.
//!
//! Run with `cargo bench -p supermega-crypto --bench keys`.

use std::hint::black_box;
use std::sync::LazyLock;

use divan::Bencher;
use supermega_crypto::{
    AttributeKey, Attributes, AuthKey, Challenge, FolderKey, MasterKey, NodeKey, PasswordKey,
    PrivateKey, Salt, derive_v2,
};

static PRIVATE: LazyLock<PrivateKey> = LazyLock::new(|| PrivateKey::generate().unwrap());
const MASTER: MasterKey = MasterKey::from_bytes([1; 16]);

fn main() {
    divan::main();
}

#[divan::bench]
fn password_version_1() -> PasswordKey {
    PasswordKey::v1(black_box("correct horse battery staple"))
}

#[divan::bench]
fn password_version_2() -> (PasswordKey, AuthKey) {
    derive_v2(black_box("correct horse battery staple"), &Salt::from_bytes([1; 32]))
}

#[divan::bench]
fn private_key_with_all_checks(bencher: Bencher<'_, '_>) {
    let plain = PRIVATE.to_bytes();
    bencher.bench(|| PrivateKey::parse(black_box(&plain)).is_ok());
}

#[divan::bench]
fn private_key_generation() -> bool {
    PrivateKey::generate().is_ok()
}

#[divan::bench]
fn session_id_decryption(bencher: Bencher<'_, '_>) {
    let csid = PRIVATE.public_key().encrypt(&[7; 43]).unwrap();
    bencher.bench(|| PRIVATE.decrypt(black_box(&csid), 43).is_ok());
}

#[divan::bench]
fn node_key_and_attributes(bencher: Bencher<'_, '_>) {
    let key = FolderKey::from_bytes([3; 16]).unwrap();
    let attributes = Attributes::new("A folder's name of some length").encrypt(&(&key).into());
    let wrapped = MASTER.wrap_node_key(&NodeKey::Folder(key));
    bencher.bench(|| {
        let key: AttributeKey =
            MASTER.unwrap_node_key(black_box(&wrapped)).unwrap().attribute_key();
        Attributes::decrypt(&key, black_box(&attributes)).is_ok()
    });
}

#[divan::bench]
fn puzzle_attempt(bencher: Bencher<'_, '_>) {
    let challenge = Challenge::new(180, 0, [5; 48]);
    bencher.bench(|| challenge.verify(black_box([1, 2, 3, 4])));
}
