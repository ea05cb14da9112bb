//! Links to folders, made by their owner, listed, ended, and imported by others.

use std::time::{Duration, SystemTime};

use supermega::{Error, Inside, Link, LinkOptions, ProtectedLink, Session};

use crate::world::{at, client, content, other, put, read, server, server_of_two, session};

async fn exported(session: &Session) -> Link {
    session.make_folders(&"/shared/deep/deeper".parse().unwrap()).await.unwrap();
    put(session, &at(session, "/shared").await, "one", 1000).await;
    put(session, &at(session, "/shared/deep/deeper").await, "two", 2000).await;
    session.make_link(&at(session, "/shared").await).await.unwrap()
}

#[tokio::test]
async fn a_folder_link_shows_everything_below_it() {
    let server = server().await;
    let owner = session(&server).await;
    let link = exported(&owner).await;
    let reader = client(&server).open_folder(&link).await.unwrap();
    assert_eq!(read(&reader, "/one").await, content(1000));
    assert_eq!(read(&reader, "/deep/deeper/two").await, content(2000));
    // What comes later is shown too, with the session that made the link and with another.
    put(&owner, &at(&owner, "/shared").await, "three", 30).await;
    let again = session(&server).await;
    put(&again, &at(&again, "/shared/deep").await, "four", 40).await;
    reader.refresh().await.unwrap();
    assert_eq!(read(&reader, "/three").await, content(30));
    assert_eq!(read(&reader, "/deep/four").await, content(40));
    // The same link, from whatever session.
    let same = again.make_link(&at(&again, "/shared").await).await.unwrap();
    assert_eq!(same.to_url(), link.to_url());
}

#[tokio::test]
async fn a_link_ends_and_comes_back_with_its_key() {
    let server = server().await;
    let owner = session(&server).await;
    let link = exported(&owner).await;
    let generation = owner.key_generation().unwrap();
    owner.remove_link(&at(&owner, "/shared").await).await.unwrap();
    assert!(matches!(client(&server).open_folder(&link).await, Err(Error::NotFound { .. })));
    assert!(owner.links().await.unwrap().is_empty());
    assert!(owner.key_generation().unwrap() > generation);
    // Nothing stands in the way of the rubbish bin any more.
    put(&owner, &at(&owner, "/shared").await, "later", 10).await;
    let new = owner.make_link(&at(&owner, "/shared").await).await.unwrap();
    assert_eq!(new.folder_key().unwrap(), link.folder_key().unwrap());
    let reader = client(&server).open_folder(&new).await.unwrap();
    assert_eq!(read(&reader, "/later").await, content(10));
    owner.remove_link(&at(&owner, "/shared").await).await.unwrap();
    owner.trash(&at(&owner, "/shared").await).await.unwrap();
}

#[tokio::test]
async fn links_are_listed_with_their_keys_and_their_end() {
    let server = server().await;
    let owner = session(&server).await;
    let link = exported(&owner).await;
    let file = at(&owner, "/shared/one").await;
    let expires = SystemTime::now() + Duration::from_hours(1);
    let options = LinkOptions { expires: Some(expires), ..LinkOptions::default() };
    let made = owner.make_link_with(&file, options).await.unwrap();
    let links = session(&server).await.links().await.unwrap();
    let find = |link: &Link| links.iter().find(|known| known.handle == link.handle()).unwrap();
    assert_eq!(find(&link).link.as_ref().unwrap().to_url(), link.to_url());
    let known = find(&made.link);
    assert_eq!(known.link.as_ref().unwrap().to_url(), made.link.to_url());
    let end = known.expires.unwrap().duration_since(SystemTime::UNIX_EPOCH).unwrap();
    let expected = expires.duration_since(SystemTime::UNIX_EPOCH).unwrap();
    assert_eq!(end.as_secs(), expected.as_secs());
    assert_eq!(links.len(), 2);
}

#[tokio::test]
async fn a_writable_link_has_an_authorisation_of_its_own() {
    let server = server().await;
    let owner = session(&server).await;
    let link = exported(&owner).await;
    let folder = at(&owner, "/shared").await;
    let options = LinkOptions { writable: true, ..LinkOptions::default() };
    let made = owner.make_link_with(&folder, options).await.unwrap();
    assert_eq!(made.link.to_url(), link.to_url());
    let auth = made.write_auth.clone().unwrap();
    assert!(!format!("{made:?} {auth:?}").contains(auth.to_text().as_str()));
    let links = owner.links().await.unwrap();
    assert_eq!(links[0].write_auth.as_ref(), Some(&auth));
    let file = at(&owner, "/shared/one").await;
    assert!(matches!(owner.make_link_with(&file, options).await, Err(Error::Refused(_))));
}

#[tokio::test]
async fn a_protected_link_to_a_folder_opens_with_its_password() {
    let server = server().await;
    let link = exported(&session(&server).await).await;
    let protected = ProtectedLink::protect(&link, "swordfish").unwrap();
    let Link::Protected(parsed) = Link::parse(&protected.to_url()).unwrap() else { panic!() };
    assert!(parsed.open("shark").is_err());
    let reader = client(&server).open_folder(&parsed.open("swordfish").unwrap()).await.unwrap();
    assert_eq!(read(&reader, "/one").await, content(1000));
}

#[tokio::test]
async fn a_folder_is_imported_with_its_structure() {
    let server = server_of_two().await;
    let link = exported(&session(&server).await).await;
    let reader = client(&server).open_folder(&link).await.unwrap();
    let you = other(&server).await;
    let root = you.tree().await.unwrap().root().unwrap();
    let source = reader.tree().await.unwrap().root().unwrap();
    server.clear_request_log();
    you.import_from(&reader, &source, &root).await.unwrap();
    let transfers = server
        .request_log()
        .into_iter()
        .filter(|request| !matches!(request, supermega_server::LoggedRequest::Api(_)));
    assert_eq!(transfers.count(), 0);
    let you = other(&server).await;
    assert_eq!(read(&you, "/shared/one").await, content(1000));
    assert_eq!(read(&you, "/shared/deep/deeper/two").await, content(2000));

    let sub = at(&reader, "/deep").await;
    let inside = Link::Folder {
        handle: link.handle(),
        key: Some(link.folder_key().unwrap().clone()),
        inside: Some(Inside::Folder(sub.handle())),
    };
    assert!(matches!(
        Link::parse(&inside.to_url()).unwrap(),
        Link::Folder { inside: Some(Inside::Folder(handle)), .. } if handle == sub.handle()
    ));
    you.import_from(&reader, &at(&reader, "/deep/deeper/two").await, &root).await.unwrap();
    assert_eq!(read(&you, "/two").await, content(2000));
}
