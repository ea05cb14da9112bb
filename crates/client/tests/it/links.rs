//! Public links and imports, and what is refused so as not to damage an account.

use supermega::{Error, Link, LinkError};

use crate::world::{client, content, server, session, upload};

#[tokio::test]
async fn a_linked_file_is_read_without_an_account() {
    let server = server().await;
    let session = session(&server).await;
    let file = upload(&session, "shared ☃.bin", 200_000).await;
    let link = session.make_link(&file).await.unwrap();
    assert_eq!(session.make_link(&file).await.unwrap().to_url(), link.to_url());
    let public = client(&server).open_file(&Link::parse(&link.to_url()).unwrap()).await.unwrap();
    assert_eq!(public.name(), Some("shared ☃.bin"));
    let mut bytes = Vec::new();
    public.download().unwrap().to_writer(&mut bytes).await.unwrap();
    assert_eq!(bytes, content(200_000));
}

#[tokio::test]
async fn a_removed_link_is_gone() {
    let server = server().await;
    let session = session(&server).await;
    let file = upload(&session, "file", 10).await;
    let link = session.make_link(&file).await.unwrap();
    session.remove_link(&file).await.unwrap();
    let error = client(&server).open_file(&link).await.unwrap_err();
    assert!(matches!(error, Error::NotFound { .. }), "{error}");
}

#[tokio::test]
async fn a_link_needs_its_own_key() {
    let server = server().await;
    let session = session(&server).await;
    let file = upload(&session, "file", 10).await;
    let other = upload(&session, "other", 10).await;
    let link = session.make_link(&file).await.unwrap();
    let key = session.make_link(&other).await.unwrap().file_key().unwrap().clone();
    let wrong = Link::File { handle: link.handle(), key: Some(key) };
    let error = client(&server).open_file(&wrong).await.unwrap_err();
    assert!(matches!(error, Error::Integrity { .. }), "{error}");
    let keyless = Link::File { handle: link.handle(), key: None };
    let error = client(&server).open_file(&keyless).await.unwrap_err();
    assert!(matches!(error, Error::Link(LinkError::MissingKey)), "{error}");
}

#[tokio::test]
async fn an_import_copies_on_the_server() {
    let server = server().await;
    server.add_user("you@example.org", "theirs").await.unwrap();
    let mine = session(&server).await;
    let link = mine.make_link(&upload(&mine, "gift", 5000).await).await.unwrap();
    let yours = client(&server).login("you@example.org", "theirs").await.unwrap();
    let public = yours.client().open_file(&link).await.unwrap();
    server.clear_request_log();
    let root = yours.tree().await.unwrap().root().unwrap();
    let copy = yours.import(&public, &root).await.unwrap();
    let transfers = server
        .request_log()
        .into_iter()
        .filter(|request| !matches!(request, supermega_server::LoggedRequest::Api(_)));
    assert_eq!(transfers.count(), 0);
    let mut bytes = Vec::new();
    yours.download(&copy).unwrap().to_writer(&mut bytes).await.unwrap();
    assert_eq!(bytes, content(5000));
}
