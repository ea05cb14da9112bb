//! Shared folders and the key container: what is put below a share can be read by the others, or is not put
//! there (`protocol-auth.md` 4.15).

use supermega::{AuthenticationError, Error, Link};
use supermega_crypto::key_manager::{KeyManager, ShareFlags};
use supermega_crypto::{MasterKey, NodeKey};
use supermega_encoding::{UserHandle, base64};

use crate::folder_link::Owner;
use crate::world::{client, content, rsa, server, session};

/// A container with the account's own RSA key.
fn container(user: UserHandle) -> KeyManager {
    KeyManager::create(user, 1_700_000_000, &[1; 32], &[2; 32], Some(&rsa()))
}

async fn store(owner: &Owner, master: &MasterKey, container: &KeyManager) {
    let sealed = base64::encode(&container.seal(master).unwrap());
    let reply = owner.call(&format!(r#"{{"a":"upv","^!keys":["{sealed}"]}}"#)).await;
    assert!(reply["^!keys"].is_string(), "{reply}");
}

#[tokio::test]
async fn what_is_put_below_an_exported_folder_can_be_read_by_its_link() {
    let server = server().await;
    let first = session(&server).await;
    let owner = Owner::of(&server, &first).await;
    let root = first.tree().await.unwrap().root().unwrap().handle();
    let (folder, folder_key) = owner.folder(root, "shared").await;
    let nodes = [(folder, NodeKey::Folder(folder_key))];
    let (handle, key) = owner.export(folder, &nodes).await;
    let mut keys = container(first.account().unwrap().user);
    keys.set_share_key(folder, &key, ShareFlags::TRUSTED.with(ShareFlags::IN_USE)).unwrap();
    store(&owner, owner.master(), &keys).await;

    let session = session(&server).await;
    let target = session.tree().await.unwrap().at(&"/shared".parse().unwrap()).unwrap();
    let bytes = content(3000);
    session.upload(&target).name("put").from_reader(3000, &bytes[..]).await.unwrap();
    session.make_folder(&"/shared/made".parse().unwrap()).await.unwrap();
    session.make_folders(&"/moved/deep".parse().unwrap()).await.unwrap();
    let moved = session.tree().await.unwrap().at(&"/moved".parse().unwrap()).unwrap();
    session.move_to(&moved, &target).await.unwrap();

    let link = Link::Folder { handle, key: Some(key), inside: None };
    let reader = client(&server).open_folder(&link).await.unwrap();
    let tree = reader.tree().await.unwrap();
    for path in ["/put", "/made", "/moved", "/moved/deep"] {
        tree.at(&path.parse().unwrap()).unwrap_or_else(|e| panic!("{path}: {e}"));
    }
    let mut read = Vec::new();
    let node = tree.at(&"/put".parse().unwrap()).unwrap();
    reader.download(&node).unwrap().to_writer(&mut read).await.unwrap();
    assert_eq!(read, bytes);
}

#[tokio::test]
async fn a_share_whose_key_is_not_known_takes_nothing() {
    let server = server().await;
    let session = session(&server).await;
    let owner = Owner::of(&server, &session).await;
    let root = session.tree().await.unwrap().root().unwrap().handle();
    let (folder, key) = owner.folder(root, "shared").await;
    owner.export(folder, &[(folder, NodeKey::Folder(key))]).await;
    let target = session.refresh().await.unwrap().at(&"/shared".parse().unwrap()).unwrap();
    let made = session.make_folder(&"/shared/made".parse().unwrap()).await;
    assert!(matches!(made, Err(Error::Refused(_))), "{made:?}");
    let sent = session.upload(&target).name("x").from_reader(1, &[1][..]).await;
    assert!(matches!(sent, Err(Error::Refused(_))), "{sent:?}");
    assert!(matches!(session.trash(&target).await, Err(Error::Refused(_))));
    assert!(matches!(session.delete(&target).await, Err(Error::Refused(_))));
}

#[tokio::test]
async fn a_container_of_somebody_else_or_with_another_key_is_not_trusted() {
    let server = server().await;
    let first = session(&server).await;
    let owner = Owner::of(&server, &first).await;
    let stranger = UserHandle::from_bytes([7; 8]);
    store(&owner, owner.master(), &container(stranger)).await;
    let error =
        client(&server).login(crate::world::EMAIL, crate::world::PASSWORD).await.unwrap_err();
    assert!(matches!(error, Error::Integrity { .. }), "{error}");

    let server = crate::world::server().await;
    let first = session(&server).await;
    let owner = Owner::of(&server, &first).await;
    let other = supermega_crypto::PrivateKey::generate().unwrap();
    let user = first.account().unwrap().user;
    let forged = KeyManager::create(user, 1_700_000_000, &[1; 32], &[2; 32], Some(&other));
    store(&owner, owner.master(), &forged).await;
    let error = client(&server).resume(&first.save()).await.unwrap_err();
    let expected = AuthenticationError::InvalidKeys;
    assert!(matches!(error, Error::Authentication(e) if e == expected), "{error}");
}
