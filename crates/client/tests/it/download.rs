//! Files up and down: all sizes that lie at a boundary, through paths and streams.

use std::time::{Duration, SystemTime};

use supermega::transfer::Existing;
use supermega::{Error, Node, Session};

use crate::world::{content, server, session, upload};

async fn read(session: &Session, node: &Node) -> Vec<u8> {
    let mut bytes = Vec::new();
    session.download(node).unwrap().to_writer(&mut bytes).await.unwrap();
    bytes
}

#[tokio::test]
async fn every_size_at_a_boundary_comes_back() {
    let server = server().await;
    let session = session(&server).await;
    let sizes = [0, 1, 15, 16, 17, 131_071, 131_072, 131_073, 393_216, 5 << 20, (9 << 20) + 5];
    for size in sizes {
        let node = upload(&session, &size.to_string(), size).await;
        assert!(read(&session, &node).await == content(size), "{size}");
    }
    // A second session finds the same in what the server kept.
    let tree = crate::world::session(&server).await.tree().await.unwrap();
    for size in sizes {
        let node = tree.at(&format!("/{size}").parse().unwrap()).unwrap();
        assert_eq!(node.size(), size as u64);
        assert!(read(&session, &node).await == content(size), "{size}");
    }
}

#[tokio::test]
async fn a_path_keeps_its_time() {
    let server = server().await;
    let session = session(&server).await;
    let dir = tempfile::tempdir().unwrap();
    let (from, to) = (dir.path().join("from"), dir.path().join("to"));
    std::fs::write(&from, content(300_000)).unwrap();
    let time = SystemTime::UNIX_EPOCH + Duration::from_secs(1_234_567_890);
    std::fs::File::options().write(true).open(&from).unwrap().set_modified(time).unwrap();
    let root = session.tree().await.unwrap().root().unwrap();
    let node = session.upload(&root).from_path(&from).await.unwrap();
    assert_eq!(node.name(), Some("from"));
    assert_eq!(node.modified(), Some(time));
    session.download(&node).unwrap().to_path(&to).await.unwrap();
    assert_eq!(std::fs::read(&to).unwrap(), content(300_000));
    assert_eq!(std::fs::metadata(&to).unwrap().modified().unwrap(), time);
}

#[tokio::test]
async fn an_existing_file_stays_unless_it_may_go() {
    let server = server().await;
    let session = session(&server).await;
    let node = upload(&session, "file", 100).await;
    let dir = tempfile::tempdir().unwrap();
    let target = dir.path().join("file");
    std::fs::write(&target, "mine").unwrap();
    let error = session.download(&node).unwrap().to_path(&target).await.unwrap_err();
    assert!(matches!(error, Error::AlreadyExists { .. }), "{error}");
    assert_eq!(std::fs::read(&target).unwrap(), b"mine");
    let download = session.download(&node).unwrap().existing(Existing::Replace);
    download.to_path(&target).await.unwrap();
    assert_eq!(std::fs::read(&target).unwrap(), content(100));
    assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 1);
}

#[tokio::test]
async fn a_reader_must_give_what_it_promises() {
    let server = server().await;
    let session = session(&server).await;
    let root = session.tree().await.unwrap().root().unwrap();
    for (promised, given) in [(10, 9), (10, 11)] {
        let bytes = vec![1; given];
        let upload = session.upload(&root).name("x");
        assert!(upload.from_reader(promised, bytes.as_slice()).await.is_err());
    }
    assert!(session.refresh().await.unwrap().at(&"/x".parse().unwrap()).is_err());
}

#[tokio::test]
async fn names_of_every_kind_survive() {
    let server = server().await;
    let session = session(&server).await;
    let names =
        ["sp ace", "qu\"o'te", "📦", "e\u{301}", "-dash", "end ", "back\\slash", "tab\t", "a/b"];
    for name in names {
        upload(&session, name, 1).await;
    }
    let tree = session.refresh().await.unwrap();
    let mut found: Vec<String> = tree
        .children(&tree.root().unwrap())
        .iter()
        .map(|node| node.name().unwrap().to_owned())
        .collect();
    let mut expected = names.map(str::to_owned);
    found.sort();
    expected.sort();
    assert_eq!(found, expected);
}
