//! Uploads that end early, and those that go on where they ended; one node and no more.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use supermega::transfer::Upload;
use supermega::{Client, Error, Session};
use supermega_server::{HoldPoint, LoggedRequest, ServerHandle};
use tempfile::TempDir;

use crate::resume::Counter;
use crate::world::{EMAIL, PASSWORD, content, server, session};

const SIZE: usize = (40 << 20) + 12_345;
const SEGMENT: u64 = 4 << 20;

/// A server, and a file to be put there.
struct World {
    server: ServerHandle,
    dir: TempDir,
}

impl World {
    async fn new(size: usize) -> Self {
        let (server, dir) = (server().await, tempfile::tempdir().unwrap());
        std::fs::write(dir.path().join("file"), content(size)).unwrap();
        Self { server, dir }
    }

    fn file(&self) -> PathBuf {
        self.dir.path().join("file")
    }

    fn journals(&self) -> PathBuf {
        self.dir.path().join("journals")
    }

    fn unfinished(&self) -> usize {
        std::fs::read_dir(self.journals()).map_or(0, Iterator::count)
    }

    /// An upload by a session of its own, as a later run has one.
    async fn upload(&self) -> (Session, Upload) {
        let session = session(&self.server).await;
        let root = session.tree().await.unwrap().root().unwrap();
        let upload = session.upload(&root).journal_in(self.journals());
        (session, upload)
    }

    /// An upload that is given up when half of it has arrived.
    async fn begin(&self) {
        self.server.add_fault("upload:stall+5".parse().unwrap());
        let counter = Arc::new(Counter::default());
        let (_, upload) = self.upload().await;
        let upload = upload.progress(counter.clone()).from_path(self.file());
        let enough = async {
            while counter.arrived.load(Ordering::SeqCst) < 4 * SEGMENT {
                counter.changed.notified().await;
            }
            // The last piece that arrived is on its way into the journal.
            tokio::time::sleep(Duration::from_millis(200)).await;
        };
        tokio::select! {
            done = upload => panic!("{done:?}"),
            () = enough => {}
        }
        self.server.clear_faults();
        self.server.clear_request_log();
    }

    /// Bytes that were sent since the log was cleared.
    fn sent(&self) -> u64 {
        let log = self.server.request_log();
        log.iter()
            .map(|request| match request {
                LoggedRequest::Upload { length, .. } => *length,
                _ => 0,
            })
            .sum()
    }

    fn puts(&self) -> usize {
        let log = self.server.request_log();
        let is_put = |request: &&LoggedRequest| matches!(request, LoggedRequest::Api(names) if names.contains(&"p".to_owned()));
        log.iter().filter(is_put).count()
    }

    /// Expects the one file with its content, and no journal.
    async fn check(&self) {
        let session = session(&self.server).await;
        let tree = session.tree().await.unwrap();
        let nodes = tree.children(&tree.root().unwrap());
        assert_eq!(nodes.len(), 1, "{nodes:?}");
        let mut bytes = Vec::new();
        session.download(&nodes[0]).unwrap().to_writer(&mut bytes).await.unwrap();
        assert!(bytes == std::fs::read(self.file()).unwrap());
        assert_eq!(self.unfinished(), 0);
    }
}

#[tokio::test]
async fn a_later_upload_goes_on_and_sends_nothing_twice() {
    let world = World::new(SIZE).await;
    world.begin().await;
    assert_eq!(world.unfinished(), 1);
    let counter = Arc::new(Counter::default());
    let (_, upload) = world.upload().await;
    upload.progress(counter.clone()).from_path(world.file()).await.unwrap();
    let resumed = counter.resumed.load(Ordering::SeqCst);
    assert!(resumed >= 4 * (SEGMENT - (1 << 20)), "{resumed}");
    assert_eq!(resumed + world.sent(), SIZE as u64);
    world.check().await;
}

#[tokio::test]
async fn an_address_that_died_meanwhile_is_replaced() {
    let world = World::new(SIZE).await;
    world.begin().await;
    world.server.add_fault("upload:expired*1+1".parse().unwrap());
    let (_, upload) = world.upload().await;
    upload.from_path(world.file()).await.unwrap();
    assert!(world.sent() >= SIZE as u64);
    world.check().await;
}

#[tokio::test]
async fn a_file_that_changed_between_two_runs_is_sent_anew() {
    let world = World::new(SIZE).await;
    world.begin().await;
    std::fs::write(world.file(), &content(SIZE + 1)[1..]).unwrap();
    let (_, upload) = world.upload().await;
    upload.from_path(world.file()).await.unwrap();
    assert_eq!(world.sent(), SIZE as u64);
    world.check().await;
}

#[tokio::test]
async fn a_file_that_changes_on_the_way_is_not_stored() {
    for change in ["rewritten", "shorter", "gone"] {
        let world = World::new(SIZE).await;
        world.server.add_fault("upload:delay=500*1+5".parse().unwrap());
        let counter = Arc::new(Counter::default());
        let (session, upload) = world.upload().await;
        let upload = tokio::spawn(upload.progress(counter.clone()).from_path(world.file()));
        while counter.arrived.load(Ordering::SeqCst) < SEGMENT {
            counter.changed.notified().await;
        }
        match change {
            "rewritten" => std::fs::write(world.file(), &content(SIZE + 1)[1..]).unwrap(),
            "shorter" => {
                let file = std::fs::File::options().write(true).open(world.file()).unwrap();
                file.set_len(SIZE as u64 / 2).unwrap();
            }
            _ => std::fs::remove_file(world.file()).unwrap(),
        }
        let error = upload.await.unwrap().unwrap_err();
        assert!(matches!(error, Error::Local { .. }), "{change}: {error}");
        let tree = session.refresh().await.unwrap();
        assert!(tree.children(&tree.root().unwrap()).is_empty(), "{change}");
        assert_eq!(world.unfinished(), 0, "{change}");
    }
}

/// Uploads with a client that gives up soon; expects it to.
async fn fail(world: &World, fault: &str) {
    world.server.add_fault(fault.parse().unwrap());
    let client = Client::builder().api_url(world.server.url());
    let client = client.patience(Duration::from_millis(200)).build().unwrap();
    let session = client.login(EMAIL, PASSWORD).await.unwrap();
    let root = session.tree().await.unwrap().root().unwrap();
    let upload = session.upload(&root).journal_in(world.journals());
    let error = upload.from_path(world.file()).await.unwrap_err();
    assert!(matches!(error, Error::Network(_)), "{error}");
    world.server.clear_faults();
    world.server.clear_request_log();
}

#[tokio::test]
async fn a_node_whose_answer_was_lost_with_the_run_is_found() {
    for size in [0, 1000, 6 << 20] {
        let world = World::new(size).await;
        fail(&world, "p:lost").await;
        let (_, upload) = world.upload().await;
        upload.from_path(world.file()).await.unwrap();
        assert_eq!((world.sent(), world.puts()), (0, 0), "{size}");
        world.check().await;
    }
}

#[tokio::test]
async fn a_request_that_is_still_on_its_way_makes_one_node() {
    let world = World::new(6 << 20).await;
    let hold = world.server.hold(HoldPoint::PutArrived);
    let saved = session(&world.server).await.save();
    let upload = async || {
        let client = Client::builder().api_url(world.server.url()).build().unwrap();
        let session = client.resume(&saved).await.unwrap();
        let root = session.tree().await.unwrap().root().unwrap();
        session.upload(&root).journal_in(world.journals())
    };
    let first = tokio::spawn(upload().await.from_path(world.file()));
    hold.reached().await;
    // It is gone as if killed, and the server goes on with what it has of it.
    first.abort();
    assert!(first.await.unwrap_err().is_cancelled());
    let second = tokio::spawn(upload().await.from_path(world.file()));
    while hold.requests() < 2 {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    hold.release();
    second.await.unwrap().unwrap();
    assert_eq!(world.puts(), 2);
    world.check().await;
}

#[tokio::test]
async fn a_node_that_was_not_made_is_made_of_what_was_sent() {
    for size in [0, 1000, 6 << 20] {
        let world = World::new(size).await;
        fail(&world, "p:status=500").await;
        let (_, upload) = world.upload().await;
        upload.from_path(world.file()).await.unwrap();
        assert_eq!((world.sent(), world.puts()), (0, 1), "{size}");
        world.check().await;
    }
}

#[tokio::test]
async fn a_token_that_died_meanwhile_is_replaced() {
    let world = World::new(6 << 20).await;
    fail(&world, "p:status=500").await;
    world.server.add_fault("p:error=9*1".parse().unwrap());
    let (_, upload) = world.upload().await;
    upload.from_path(world.file()).await.unwrap();
    assert_eq!(world.sent(), 6 << 20);
    world.check().await;
}

#[tokio::test]
async fn the_journal_holds_no_key_in_the_clear_and_is_its_owners_alone() {
    let world = World::new(1000).await;
    fail(&world, "p:lost").await;
    let session = session(&world.server).await;
    let tree = session.tree().await.unwrap();
    let node = tree.at(&"/file".parse().unwrap()).unwrap();
    let link = session.make_link(&node).await.unwrap().to_string();
    let key = link.split('#').nth(1).unwrap();
    let entries: Vec<PathBuf> =
        std::fs::read_dir(world.journals()).unwrap().map(|entry| entry.unwrap().path()).collect();
    let text = std::fs::read_to_string(&entries[0]).unwrap();
    assert!(text.contains("token ") && !text.contains(&key[..10]), "{text}");
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let mode = |path: &Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!((mode(&entries[0]), mode(&world.journals())), (0o600, 0o700));
    }
    let (_, upload) = world.upload().await;
    upload.forget(world.file()).await.unwrap();
    assert_eq!(world.unfinished(), 0);
}
