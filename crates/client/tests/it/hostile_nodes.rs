//! What a hostile server tries with nodes: their keys, their names, their content (`protocol-auth.md` 9). One test an
//! attack, as in `hostile.rs`.

use std::sync::{Arc, Mutex};

use serde_json::json;
use supermega::transfer::{Progress, TransferEvent};
use supermega::{Access, Error};
use supermega_crypto::{
    Attributes, ContentCipher, FileKey, Fingerprint, FingerprintHasher, MetaMacBuilder, NodeKey,
};
use supermega_encoding::base64;
use supermega_server::ServerHandle;

use crate::middle::{Hostile, change_bytes, nodes};
use crate::world::{OTHER, at, contacts, content, put, rsa, server, server_of_two, session};

#[tokio::test]
async fn substituted_node_keys_open_nothing() {
    let server = server().await;
    let owner = session(&server).await;
    let root = owner.tree().await.unwrap().root().unwrap();
    put(&owner, &root, "one", 100).await;
    put(&owner, &root, "two", 100).await;
    let hostile = Hostile::before(&server).await;
    hostile.change_result("f", |result| {
        let mut files: Vec<_> = nodes(result).into_iter().filter(|node| node["t"] == 0).collect();
        let (one, two) = files.split_at_mut(1);
        std::mem::swap(&mut one[0]["k"], &mut two[0]["k"]);
    });
    let victim = hostile.login().await.unwrap();
    let tree = victim.tree().await.unwrap();
    let files = tree.children(&tree.root().unwrap());
    assert_eq!(files.len(), 2);
    for file in files {
        assert!(file.problem().is_some() && file.name().is_none());
        assert!(victim.download(&file).is_err());
    }
}

#[tokio::test]
async fn keys_of_equal_halves_are_refused() {
    let server = server().await;
    let owner = session(&server).await;
    put(&owner, &owner.tree().await.unwrap().root().unwrap(), "one", 100).await;
    let hostile = Hostile::before(&server).await;
    hostile.change_result("f", |result| {
        for node in nodes(result).into_iter().filter(|node| node["t"] == 0) {
            let text = node["k"].as_str().unwrap().to_owned();
            let (user, key) = text.split_once(':').unwrap();
            let key = base64::decode(key).unwrap();
            let same = base64::encode(&[&key[..16], &key[..16]].concat());
            node["k"] = json!(format!("{user}:{same}"));
        }
    });
    let victim = hostile.login().await.unwrap();
    let tree = victim.tree().await.unwrap();
    let file = &tree.children(&tree.root().unwrap())[0];
    assert_eq!(file.problem(), Some(supermega::tree::Problem::BadKey));
}

#[tokio::test]
async fn changed_attributes_give_no_other_name() {
    let server = server().await;
    let owner = session(&server).await;
    owner.make_folder(&"/named".parse().unwrap()).await.unwrap();
    let hostile = Hostile::before(&server).await;
    for place in [0, 5, 15, 16, 20] {
        hostile.change_result("f", move |result| {
            for node in nodes(result).into_iter().filter(|node| node["t"] == 1) {
                change_bytes(&mut node["a"], |a| a[place] ^= 4);
            }
        });
        let tree = hostile.login().await.unwrap().tree().await.unwrap();
        let folder = &tree.children(&tree.root().unwrap())[0];
        assert!(folder.problem().is_some(), "{place}: {:?}", folder.name());
    }
}

#[tokio::test]
async fn content_that_was_changed_on_the_way_is_not_kept() {
    let server = server().await;
    let owner = session(&server).await;
    put(&owner, &owner.tree().await.unwrap().root().unwrap(), "one", 100_000).await;
    server.add_fault("download:flip@77777".parse().unwrap());
    let dir = tempfile::tempdir().unwrap();
    let target = dir.path().join("copy");
    let download = owner.download(&at(&owner, "/one").await).unwrap();
    let error = download.to_path(&target).await.unwrap_err();
    assert!(matches!(error, Error::Integrity { .. }), "{error}");
    assert!(!target.exists());
}

#[tokio::test]
async fn a_key_under_rsa_is_never_sent_back_in_another_form() {
    let server = server_of_two().await;
    let (me, _you) = contacts(&server).await;
    let folder = me.make_folder(&"/shared".parse().unwrap()).await.unwrap();
    put(&me, &folder, "one", 100).await;
    me.share(&folder, OTHER, Access::Write).await.unwrap();
    let link = me.make_link(&at(&me, "/shared/one").await).await.unwrap();
    let key = NodeKey::File(link.file_key().unwrap().clone());
    let wrapped = base64::encode(&rsa().public_key().encrypt(key.as_bytes()).unwrap());
    let hostile = Hostile::before(&server).await;
    let user = me.account().unwrap().user;
    hostile.change_result("f", move |result| {
        for node in nodes(result).into_iter().filter(|node| node["t"] == 0) {
            node["k"] = json!(format!("{user}:{wrapped}"));
        }
    });
    let victim = hostile.login().await.unwrap();
    let file = at(&victim, "/shared/one").await;
    victim.rename(&file, "two").await.unwrap();
    victim.complete_shares().await.unwrap();
    victim.unshare(&at(&victim, "/shared").await, OTHER).await.unwrap();
    let root = victim.tree().await.unwrap().root().unwrap();
    victim.move_to(&at(&victim, "/shared/two").await, &root).await.unwrap();
    let sent = hostile.sent();
    assert!(sent.contains(&"s2".to_owned()) && !sent.contains(&"k".to_owned()), "{sent:?}");
}

#[tokio::test]
async fn the_key_of_one_file_opens_the_content_of_no_other() {
    let server = server().await;
    let owner = session(&server).await;
    let root = owner.tree().await.unwrap().root().unwrap();
    put(&owner, &root, "one", 1000).await;
    put(&owner, &root, "two", 1000).await;
    let hostile = Hostile::before(&server).await;
    // Both nodes have the name and the key of one, and the contents that they had.
    hostile.change_result("f", |result| {
        let mut files: Vec<_> = nodes(result).into_iter().filter(|node| node["t"] == 0).collect();
        let (one, two) = files.split_at_mut(1);
        for member in ["a", "k"] {
            two[0][member] = one[0][member].clone();
        }
    });
    let victim = hostile.login().await.unwrap();
    let tree = victim.tree().await.unwrap();
    let mut outcomes = Vec::new();
    for file in tree.children(&tree.root().unwrap()) {
        let mut bytes = Vec::new();
        outcomes.push(victim.download(&file).unwrap().to_writer(&mut bytes).await);
    }
    assert_eq!(outcomes.len(), 2);
    let forged = outcomes.iter().filter(|end| matches!(end, Err(Error::Integrity { .. })));
    assert_eq!((forged.count(), outcomes.iter().filter(|end| end.is_ok()).count()), (1, 1));
}

#[tokio::test]
async fn the_key_of_a_folder_is_none_of_a_file_nor_the_other_way_round() {
    let server = server().await;
    let owner = session(&server).await;
    let root = owner.tree().await.unwrap().root().unwrap();
    owner.make_folder_in(&root, "folder").await.unwrap();
    put(&owner, &root, "file", 100).await;
    let hostile = Hostile::before(&server).await;
    hostile.change_result("f", |result| {
        let mut all: Vec<_> =
            nodes(result).into_iter().filter(|n| n["t"] == 0 || n["t"] == 1).collect();
        let (one, two) = all.split_at_mut(1);
        for member in ["a", "k"] {
            let (one, two) = (&mut one[0][member], &mut two[0][member]);
            std::mem::swap(one, two);
        }
    });
    let victim = hostile.login().await.unwrap();
    let tree = victim.tree().await.unwrap();
    let found = tree.children(&tree.root().unwrap());
    assert_eq!(found.len(), 2);
    for node in found {
        assert_eq!(node.problem(), Some(supermega::tree::Problem::BadKey), "{node:?}");
    }
}

#[tokio::test]
async fn content_that_is_cut_short_or_emptied_is_not_kept() {
    let server = server().await;
    let owner = session(&server).await;
    let root = owner.tree().await.unwrap().root().unwrap();
    put(&owner, &root, "one", 300_000).await;
    let hostile = Hostile::before(&server).await;
    // The ends of chunks among them, where an old uploader might have left the rest out of the MAC.
    for size in [0, 131_072, 200_000, 299_999] {
        hostile.change(move |command, result| match command["a"].as_str() {
            Some("f") => {
                let files = nodes(result).into_iter().filter(|node| node["t"] == 0);
                files.for_each(|file| file["s"] = json!(size));
            }
            Some("g") => result["s"] = json!(size),
            _ => {}
        });
        let victim = hostile.login().await.unwrap();
        let dir = tempfile::tempdir().unwrap();
        let target = dir.path().join("copy");
        let download = victim.download(&at(&victim, "/one").await).unwrap();
        let error = download.to_path(&target).await.unwrap_err();
        assert!(matches!(error, Error::Integrity { .. }), "{size}: {error}");
        assert!(!target.exists(), "{size}");
    }
}

/// Makes the node of a file one of its first chunk, as if the service had lengthened that by what follows.
async fn lengthened(
    server: &ServerHandle,
    long: &FileKey,
    fingerprint: Option<Fingerprint>,
) -> Hostile {
    let cipher = ContentCipher::new(&long.content_key(), long.nonce());
    let mut mac = MetaMacBuilder::new(&long.content_key());
    cipher.encrypt_chunks(0, &mut content(131_072)).iter().for_each(|chunk| mac.push(chunk));
    let short = FileKey::new(&long.content_key(), long.nonce(), mac.finish()).unwrap();
    let mut attributes = Attributes::new("one");
    if let Some(fingerprint) = fingerprint {
        attributes.set_fingerprint(&fingerprint);
    }
    let hostile = Hostile::before(server).await;
    let key = NodeKey::File(short);
    let attributes = attributes.encrypt(&key.attribute_key());
    let wrapped = rsa().public_key().encrypt(key.as_bytes()).unwrap();
    hostile.change_result("f", move |result| {
        for node in nodes(result).into_iter().filter(|node| node["t"] == 0) {
            let owner = node["u"].as_str().unwrap();
            node["k"] = json!(format!("{owner}:{}", base64::encode(&wrapped)));
            node["a"] = json!(base64::encode(&attributes));
        }
    });
    hostile
}

fn fingerprint(bytes: &[u8]) -> Fingerprint {
    let mut hasher = FingerprintHasher::new(bytes.len() as u64);
    hasher.update(bytes);
    hasher.finish(1_700_000_000)
}

/// How many chunks were told to be unchecked.
#[derive(Default)]
struct Unchecked(Mutex<Vec<u64>>);

impl Progress for Unchecked {
    fn event(&self, event: TransferEvent<'_>) {
        if let TransferEvent::Unchecked { chunks, .. } = event {
            self.0.lock().unwrap().push(chunks);
        }
    }
}

#[tokio::test]
async fn a_file_that_was_lengthened_without_macs_is_refused_by_its_fingerprint() {
    let server = server().await;
    let owner = session(&server).await;
    put(&owner, &owner.tree().await.unwrap().root().unwrap(), "one", 300_000).await;
    let link = owner.make_link(&at(&owner, "/one").await).await.unwrap();
    let whole = content(300_000);
    let dir = tempfile::tempdir().unwrap();
    for (print, is_refused) in [
        (Some(fingerprint(&whole[..131_072])), true),
        // As an old uploader left them, and of one that wrote none.
        (Some(fingerprint(&whole)), false),
        (None, false),
    ] {
        let hostile = lengthened(&server, link.file_key().unwrap(), print).await;
        let victim = hostile.login().await.unwrap();
        let file = at(&victim, "/one").await;
        let (target, told) = (dir.path().join("copy"), Arc::new(Unchecked::default()));
        let download = || victim.download(&file).unwrap().progress(told.clone());
        let mut stream = Vec::new();
        let outcomes = [download().to_path(&target).await, download().to_writer(&mut stream).await];
        if is_refused {
            assert!(outcomes.iter().all(|end| matches!(end, Err(Error::Integrity { .. }))));
            assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 0);
            assert!(stream.len() < 300_000 && told.0.lock().unwrap().is_empty());
        } else {
            assert!(outcomes.iter().all(Result::is_ok), "{outcomes:?}");
            assert!(std::fs::read(&target).unwrap() == whole && stream == whole);
            assert_eq!(*told.0.lock().unwrap(), [1, 1]);
            std::fs::remove_file(&target).unwrap();
        }
    }
}
