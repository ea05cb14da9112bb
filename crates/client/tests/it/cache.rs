//! Trees between runs: what a second run asks for, and what it then sees.

use std::path::Path;

use supermega::{Client, Event, Node, RemotePath, Session};
use supermega_server::{LoggedRequest, ServerHandle};
use tempfile::TempDir;

use crate::events::{Dice, act, shown};
use crate::world::{EMAIL, PASSWORD, put, read, server, session, upload};

pub fn path(text: &str) -> RemotePath {
    text.parse().unwrap()
}

/// A client that keeps its trees.
pub fn client(server: &ServerHandle, dir: &Path) -> Client {
    Client::builder().api_url(server.url()).cache_dir(dir).build().unwrap()
}

/// A session that has been saved by a first run, which has kept its tree.
pub async fn saved(server: &ServerHandle, dir: &Path) -> String {
    let session = client(server, dir).login(EMAIL, PASSWORD).await.unwrap();
    session.tree().await.unwrap();
    session.save().to_string()
}

/// Another run.
pub async fn run(server: &ServerHandle, dir: &Path, saved: &str) -> Session {
    client(server, dir).resume(saved).await.unwrap()
}

#[tokio::test]
async fn the_second_run_asks_once_and_sees_what_others_did() {
    let (server, dir) = (server().await, TempDir::new().unwrap());
    let other = session(&server).await;
    other.make_folders(&path("/a/b")).await.unwrap();
    let file = upload(&other, "file", 10).await;
    let saved = saved(&server, dir.path()).await;
    let folder = other.make_folder(&path("/a/new")).await.unwrap();
    other.move_to(&file, &folder).await.unwrap();
    other.delete(&crate::world::at(&other, "/a/b").await).await.unwrap();
    for _ in 0..2 {
        server.clear_request_log();
        let second = run(&server, dir.path(), &saved).await;
        let tree = second.tree().await.unwrap();
        assert_eq!(server.request_log(), [LoggedRequest::Event]);
        assert_eq!(tree.at(&path("/a/new/file")).unwrap().handle(), file.handle());
        assert!(tree.at(&path("/a/b")).is_err());
        assert_eq!(shown(&tree), shown(&other.refresh().await.unwrap()));
        assert_eq!(tree.len(), other.tree().await.unwrap().len());
        let root = tree.root().unwrap();
        assert_eq!(tree.usage(&root), other.tree().await.unwrap().usage(&root));
    }
}

#[tokio::test]
async fn every_verb_works_on_what_was_kept() {
    let (server, dir) = (server().await, TempDir::new().unwrap());
    let saved = saved(&server, dir.path()).await;
    let session = run(&server, dir.path(), &saved).await;
    let folder = session.make_folder(&path("/folder")).await.unwrap();
    put(&session, &folder, "file", 1000).await;
    let old = crate::world::at(&session, "/folder/file").await;
    let bytes = crate::world::content(2000);
    let upload = session.upload(&folder).name("file").replacing(&old);
    upload.from_reader(2000, bytes.as_slice()).await.unwrap();
    let second = run(&server, dir.path(), &saved).await;
    assert_eq!(read(&second, "/folder/file").await.len(), 2000);
    let tree = second.tree().await.unwrap();
    let file = tree.at(&path("/folder/file")).unwrap();
    assert_eq!(tree.versions(&file).len(), 1);
    let link = second.make_link(&folder_of(&second).await).await.unwrap();
    let third = run(&server, dir.path(), &saved).await;
    let folder = folder_of(&third).await;
    assert!(third.tree().await.unwrap().is_shared(&folder));
    // The share key came with the packets, in the key container.
    put(&third, &folder, "more", 10).await;
    let linked = client(&server, dir.path()).open_folder(&link).await.unwrap();
    assert!(linked.tree().await.unwrap().at(&path("/more")).unwrap().name().is_some());
    third.remove_link(&folder).await.unwrap();
    third.trash(&folder).await.unwrap();
    let fourth = run(&server, dir.path(), &saved).await;
    assert_eq!(shown(&fourth.tree().await.unwrap()), shown(&fourth.refresh().await.unwrap()));
}

async fn folder_of(session: &Session) -> Node {
    crate::world::at(session, "/folder").await
}

#[tokio::test]
async fn a_folder_link_is_kept_too() {
    let (server, dir) = (server().await, TempDir::new().unwrap());
    let owner = session(&server).await;
    owner.make_folders(&path("/shared/below")).await.unwrap();
    let link = owner.make_link(&crate::world::at(&owner, "/shared").await).await.unwrap();
    let first = client(&server, dir.path()).open_folder(&link).await.unwrap();
    assert!(first.tree().await.unwrap().at(&path("/below")).is_ok());
    owner.make_folder(&path("/shared/more")).await.unwrap();
    server.clear_request_log();
    let second = client(&server, dir.path()).open_folder(&link).await.unwrap();
    assert!(second.tree().await.unwrap().at(&path("/more")).is_ok());
    assert_eq!(server.request_log(), [LoggedRequest::Event]);
    owner.remove_link(&crate::world::at(&owner, "/shared").await).await.unwrap();
    assert!(client(&server, dir.path()).open_folder(&link).await.is_err());
}

#[tokio::test]
async fn a_session_that_was_ended_is_noticed() {
    let (server, dir) = (server().await, TempDir::new().unwrap());
    let saved = saved(&server, dir.path()).await;
    session(&server).await.end_other_sessions().await.unwrap();
    let error = client(&server, dir.path()).resume(&saved).await.unwrap_err();
    assert!(matches!(
        error,
        supermega::Error::Authentication(supermega::AuthenticationError::SessionEnded)
    ));
    // What was kept is good for the next session.
    let session = client(&server, dir.path()).login(EMAIL, PASSWORD).await.unwrap();
    server.clear_request_log();
    session.tree().await.unwrap();
    assert_eq!(server.request_log(), [LoggedRequest::Event]);
    // Whoever logs out leaves nothing.
    session.logout().await.unwrap();
    assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 0);
}

#[tokio::test]
async fn two_sessions_at_once_do_not_take_each_others_events() {
    let (server, dir) = (server().await, TempDir::new().unwrap());
    let saved = saved(&server, dir.path()).await;
    let other = session(&server).await;
    let watching = run(&server, dir.path(), &saved).await;
    let mut events = watching.events().await.unwrap();
    for number in 0..100 {
        let name = format!("folder {number}");
        other.make_folder(&path("/").join(&name)).await.unwrap();
        // A run in between takes the packets to the file, or finds them there.
        let between = run(&server, dir.path(), &saved).await;
        assert!(between.tree().await.unwrap().at(&path("/").join(&name)).is_ok());
        while !matches!(events.next().await, Some(Event::Added(n)) if n.name() == Some(&name)) {}
    }
    let tree = run(&server, dir.path(), &saved).await.tree().await.unwrap();
    assert_eq!(shown(&tree), shown(&watching.tree().await.unwrap()));
    assert_eq!(shown(&tree), shown(&other.refresh().await.unwrap()));
}

#[tokio::test]
async fn who_comes_too_late_loads_anew() {
    let server = supermega_server::Server::builder().packets_kept(8);
    let server = server.user_with_key(
        EMAIL,
        PASSWORD,
        supermega_server::KdfVersion::V2,
        crate::world::rsa(),
    );
    let (server, dir) = (server.spawn().await.unwrap(), TempDir::new().unwrap());
    let saved = saved(&server, dir.path()).await;
    let other = session(&server).await;
    for number in 0..40 {
        other.make_folder(&path("/").join(&format!("{number}"))).await.unwrap();
    }
    for requests in [4, 1] {
        server.clear_request_log();
        let tree = run(&server, dir.path(), &saved).await.tree().await.unwrap();
        assert_eq!(shown(&tree), shown(&other.tree().await.unwrap()));
        let log = server.request_log();
        assert!(log.len() <= requests + 1, "{log:?}");
    }
}

#[tokio::test]
async fn what_was_kept_is_what_a_fresh_load_gives() {
    let (server, dir) = (server().await, TempDir::new().unwrap());
    let saved = saved(&server, dir.path()).await;
    let other = session(&server).await;
    let mut dice = Dice(11);
    for number in 0..150 {
        let mine = run(&server, dir.path(), &saved).await;
        act(if dice.roll(2) == 0 { &mine } else { &other }, &mut dice, number).await;
        if number % 10 == 9 {
            let tree = run(&server, dir.path(), &saved).await.tree().await.unwrap();
            let fresh = other.refresh().await.unwrap();
            assert_eq!(shown(&tree), shown(&fresh), "after {number}");
            assert_eq!(tree.len(), fresh.len(), "after {number}");
        }
    }
}

#[tokio::test]
async fn a_search_passes_every_folder_in_which_something_wanted_lies() {
    let (server, dir) = (server().await, TempDir::new().unwrap());
    let other = session(&server).await;
    let mut dice = Dice(3);
    for number in 0..60 {
        act(&other, &mut dice, number).await;
    }
    let saved = saved(&server, dir.path()).await;
    for number in 60..90 {
        act(&other, &mut dice, number).await;
    }
    let kept = run(&server, dir.path(), &saved).await.tree().await.unwrap();
    let unchanged = {
        let dir = TempDir::new().unwrap();
        let saved = self::saved(&server, dir.path()).await;
        run(&server, dir.path(), &saved).await.tree().await.unwrap()
    };
    for tree in [kept, unchanged, other.refresh().await.unwrap()] {
        let tops: Vec<Node> = tree.walk().flat_map(|step| step.folders).collect();
        for top in tops.iter().chain([&tree.root().unwrap()]) {
            for wanted in ["n1", "n5", "mark", "n"] {
                let folders = tree.folders_with(top, |node| {
                    node.is_named(|name| name.starts_with(wanted)) && node.size() < 12
                });
                for step in tree.walk_from(top) {
                    let mut here = step.folders.iter().chain(&step.files);
                    let is_wanted = |node: &Node| {
                        node.name().is_some_and(|name| name.starts_with(wanted)) && node.size() < 12
                    };
                    if here.any(is_wanted) {
                        let mut around: Vec<_> = tree.ancestors(&step.folder).collect();
                        around.truncate(
                            around.iter().position(|a| a.handle() == top.handle()).unwrap() + 1,
                        );
                        assert!(around.iter().all(|folder| folders.contains(&folder.handle())));
                    }
                }
            }
            assert!(tree.folders_with(top, |node| node.is_named(|name| name == "none")).is_empty());
        }
    }
}
