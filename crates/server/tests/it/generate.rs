//! Trees that are made at once: they are what a client would have made.

use std::collections::HashMap;

use serde_json::{Value, json};
use supermega_crypto::{
    Attributes, ContentCipher, Link, MasterKey, MetaMacBuilder, NodeKey, Salt, derive_v2,
};
use supermega_encoding::base64;
use supermega_server::{GeneratedFile, GeneratedTree, ServerError};

use crate::http::get;
use crate::world::{Account, EMAIL, PASSWORD, world};

fn tree(nodes: u32) -> GeneratedTree {
    GeneratedTree {
        email: EMAIL.into(),
        password: PASSWORD.to_owned().into(),
        nodes,
        per_folder: 10,
        link: true,
    }
}

#[tokio::test]
async fn its_files_open_with_the_links_key_and_verify() {
    let (server, account) = world().await;
    let made = server.generate(tree(300)).await.unwrap();
    let link = Link::parse(made.link.as_ref().unwrap()).unwrap();
    let share = link.folder_key().unwrap();
    let guest = account.through(&link.handle().to_string());
    let listed = guest.v3(json!({ "a": "f", "c": 1, "r": 1 })).await;
    let nodes = listed["f"].as_array().unwrap();
    assert_eq!(nodes.len(), 300);
    let mut folders: HashMap<&str, u32> = HashMap::new();
    for (i, node) in nodes.iter().enumerate() {
        let parent = node["p"].as_str().unwrap();
        assert!(i == 0 || folders.contains_key(parent), "{node} comes before its parent");
        *folders.entry(parent).or_default() += 1;
        if node["t"] == 1 {
            folders.insert(node["h"].as_str().unwrap(), 0);
        }
        let (_, key) = node["k"].as_str().unwrap().split_once(':').unwrap();
        let key = share.unwrap_node_key(&base64::decode(key).unwrap()).unwrap();
        let attributes = base64::decode(node["a"].as_str().unwrap()).unwrap();
        let attributes = Attributes::decrypt(&key.attribute_key(), &attributes).unwrap();
        assert!(i == 0 || attributes.name().unwrap().starts_with("fi") || node["t"] == 1);
        if let NodeKey::File(key) = key
            && i % 50 < 3
        {
            let source = guest.source(node["h"].as_str().unwrap()).await;
            let mut content = get(&source).await.body;
            assert_eq!(json!(content.len()), node["s"]);
            let mut mac = MetaMacBuilder::new(&key.content_key());
            let cipher = ContentCipher::new(&key.content_key(), key.nonce());
            cipher.decrypt_chunks(0, &mut content).iter().for_each(|chunk| mac.push(chunk));
            assert_eq!(mac.finish(), key.meta_mac());
        }
    }
    assert!(folders.values().all(|children| *children <= 10));
}

#[tokio::test]
async fn it_lies_in_the_account_and_many_nodes_come_in_pieces() {
    let (server, account) = world().await;
    let made = server.generate(tree(3000)).await.unwrap();
    let listed = account.v3(json!({ "a": "f", "c": 1, "r": 1 })).await;
    let nodes = listed["f"].as_array().unwrap();
    assert_eq!(nodes.len(), 3003);
    let top = nodes.iter().find(|node| node["h"] == made.folder.to_string()).unwrap();
    assert_eq!(name(top, &master_key(&account).await), "generated");
}

async fn master_key(account: &Account) -> MasterKey {
    let salt = account.v3(json!({ "a": "us0", "user": EMAIL })).await;
    let salt = base64::decode(salt["s"].as_str().unwrap()).unwrap();
    let (password, _) = derive_v2(PASSWORD, &Salt::from_bytes(salt.try_into().unwrap()));
    let user = account.v3(json!({ "a": "ug" })).await;
    let wrapped = base64::decode(user["k"].as_str().unwrap()).unwrap();
    password.unwrap(&wrapped.try_into().unwrap())
}

fn name(node: &Value, master: &MasterKey) -> String {
    let own = node["k"].as_str().unwrap().split('/').next().unwrap();
    let key = base64::decode(own.split_once(':').unwrap().1).unwrap();
    let key = master.unwrap_node_key(&key).unwrap().attribute_key();
    let attributes = base64::decode(node["a"].as_str().unwrap()).unwrap();
    Attributes::decrypt(&key, &attributes).unwrap().name().unwrap().to_owned()
}

#[tokio::test]
async fn a_wrong_password_makes_nothing() {
    let (server, account) = world().await;
    let wrong = GeneratedTree { password: "wrong".to_owned().into(), ..tree(10) };
    let error = server.generate(wrong).await.unwrap_err();
    assert!(matches!(error, ServerError::WrongPassword(_)), "{error}");
    let other = GeneratedTree { email: "new@example.org".into(), ..tree(10) };
    server.generate(other).await.unwrap();
    let listed = account.v3(json!({ "a": "f", "c": 1 })).await;
    assert_eq!(listed["f"].as_array().unwrap().len(), 3);
    Account::login(&server, "new@example.org", PASSWORD).await;
}

#[tokio::test]
async fn a_file_of_any_size_verifies_if_that_was_asked_for() {
    let (server, account) = world().await;
    let master = master_key(&account).await;
    for (size, with_mac) in [(0, true), (1, true), (131_073, false), (20_000_001, true)] {
        let (email, password) = (EMAIL.into(), PASSWORD.to_owned().into());
        let file = GeneratedFile { email, password, name: "big.bin".into(), size, with_mac };
        let node = server.generate_file(file).await.unwrap().to_string();
        let seen = account.node(&node).await.unwrap();
        assert_eq!(name(&seen, &master), "big.bin");
        let (_, key) = seen["k"].as_str().unwrap().split_once(':').unwrap();
        let key = master.unwrap_node_key(&base64::decode(key).unwrap()).unwrap();
        let NodeKey::File(key) = key else { panic!("{seen}") };
        let mut content = get(&account.source(&node).await).await.body;
        assert_eq!(content.len() as u64, size);
        let mut mac = MetaMacBuilder::new(&key.content_key());
        let cipher = ContentCipher::new(&key.content_key(), key.nonce());
        cipher.decrypt_chunks(0, &mut content).iter().for_each(|chunk| mac.push(chunk));
        assert_eq!(mac.finish() == key.meta_mac(), with_mac, "{size}");
    }
}
