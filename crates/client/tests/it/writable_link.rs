//! Folder links that are written through by whoever has their authorisation.

use supermega::{Access, Error, Event, LinkOptions, Session, WriteAuth};
use supermega_server::ServerHandle;

use crate::world::{at, client, content, put, read, server, session};

const WRITABLE: LinkOptions = LinkOptions { expires: None, writable: true };

/// The owner, and somebody who came by the link and may write.
async fn owner_and_guest(server: &ServerHandle) -> (Session, Session) {
    let owner = session(server).await;
    owner.make_folders(&"/shared/deep".parse().unwrap()).await.unwrap();
    put(&owner, &at(&owner, "/shared").await, "one", 1000).await;
    let made = owner.make_link_with(&at(&owner, "/shared").await, WRITABLE).await.unwrap();
    let auth = made.write_auth.unwrap();
    let guest = client(server).open_writable_folder(&made.link, &auth).await.unwrap();
    (owner, guest)
}

#[tokio::test]
async fn a_guest_writes_and_everybody_reads() {
    let server = server().await;
    let (owner, guest) = owner_and_guest(&server).await;
    assert!(guest.is_folder_link());
    let tree = guest.tree().await.unwrap();
    assert_eq!(tree.access(&at(&guest, "/one").await), Access::Full);
    guest.make_folders(&"/new/inner".parse().unwrap()).await.unwrap();
    put(&guest, &at(&guest, "/new/inner").await, "two", 300_000).await;
    let renamed = guest.rename(&at(&guest, "/one").await, "first").await.unwrap();
    guest.move_to(&renamed, &at(&guest, "/deep").await).await.unwrap();
    let (first, new) = (at(&guest, "/deep/first").await, at(&guest, "/new").await);
    guest.copy(&first, &new, "copy").await.unwrap();

    // The owner reads what was put there, with his own client and a fresh one.
    owner.refresh().await.unwrap();
    assert_eq!(read(&owner, "/shared/new/inner/two").await, content(300_000));
    assert_eq!(read(&owner, "/shared/new/copy").await, content(1000));
    assert_eq!(read(&session(&server).await, "/shared/deep/first").await, content(1000));
    // So does who comes by the link alone, and the guest himself.
    let link = owner.links().await.unwrap()[0].link.clone().unwrap();
    let reader = client(&server).open_folder(&link).await.unwrap();
    assert_eq!(read(&reader, "/new/inner/two").await, content(300_000));
    assert_eq!(read(&guest, "/new/inner/two").await, content(300_000));

    guest.delete(&at(&guest, "/new").await).await.unwrap();
    owner.refresh().await.unwrap();
    assert!(owner.tree().await.unwrap().at(&"/shared/new".parse().unwrap()).is_err());
}

#[tokio::test]
async fn what_a_link_cannot_do_is_refused_here() {
    let server = server().await;
    let (owner, guest) = owner_and_guest(&server).await;
    let root = guest.tree().await.unwrap().root().unwrap();
    let one = at(&guest, "/one").await;
    server.clear_request_log();
    assert!(matches!(guest.delete(&root).await, Err(Error::Refused(_))));
    assert!(matches!(guest.trash(&one).await, Err(Error::Refused(_))));
    assert!(matches!(guest.quota().await, Err(Error::Refused(_))));
    assert!(matches!(guest.make_link(&one).await, Err(Error::Refused(_))));
    let link = owner.links().await.unwrap()[0].link.clone().unwrap();
    let reader = client(&server).open_folder(&link).await.unwrap();
    let tree = reader.tree().await.unwrap();
    let one = at(&reader, "/one").await;
    assert_eq!(tree.access(&one), Access::Read);
    server.clear_request_log();
    assert!(matches!(reader.delete(&one).await, Err(Error::Refused(_))));
    assert!(matches!(reader.rename(&one, "x").await, Err(Error::Refused(_))));
    let upload = reader.upload(&tree.root().unwrap()).name("x").from_reader(1, &b"x"[..]).await;
    assert!(matches!(upload, Err(Error::Refused(_))), "{upload:?}");
    assert!(server.request_log().is_empty(), "nothing was asked for");
    // Another authorisation than the link's opens nothing at all.
    let wrong = WriteAuth::from_bytes([7; 16]);
    let error = client(&server).open_writable_folder(&link, &wrong).await.unwrap_err();
    assert!(matches!(error, Error::NotFound { .. } | Error::Service { .. }), "{error:?}");
}

#[tokio::test]
async fn a_saved_session_writes_on_and_its_uploads_go_on() {
    let server = server().await;
    let (owner, guest) = owner_and_guest(&server).await;
    let guest = client(&server).resume(&guest.save()).await.unwrap();
    let dir = tempfile::tempdir().unwrap();
    let (file, journals) = (dir.path().join("big"), dir.path().join("journals"));
    std::fs::write(&file, content(6_000_000)).unwrap();
    let root = guest.tree().await.unwrap().root().unwrap();
    server.add_fault("upload:cut@3000000*1".parse().unwrap());
    let upload = guest.upload(&root).journal_in(&journals);
    upload.from_path(&file).await.unwrap();
    owner.refresh().await.unwrap();
    assert_eq!(read(&owner, "/shared/big").await, content(6_000_000));
}

#[tokio::test]
async fn the_owner_keeps_what_guests_put_there() {
    let server = server().await;
    let (owner, guest) = owner_and_guest(&server).await;
    put(&guest, &at(&guest, "/deep").await, "gift", 5000).await;
    owner.refresh().await.unwrap();
    let shared = at(&owner, "/shared").await;
    owner.remove_link(&shared).await.unwrap();
    assert!(guest.refresh().await.is_err());
    owner.trash(&at(&owner, "/shared/deep").await).await.unwrap();
    let fresh = session(&server).await;
    assert_eq!(read(&fresh, "//trash/deep/gift").await, content(5000));
}

#[tokio::test]
async fn a_guest_hears_of_changes() {
    let server = server().await;
    let (owner, guest) = owner_and_guest(&server).await;
    let mut events = guest.events().await.unwrap();
    put(&owner, &at(&owner, "/shared").await, "news", 10).await;
    loop {
        if let Event::Added(node) = events.next().await.unwrap() {
            break assert_eq!(node.name(), Some("news"));
        }
    }
    assert_eq!(read(&guest, "/news").await, content(10));
}
