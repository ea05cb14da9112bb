//! Downloads that end early, and those that go on with what they left.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use supermega::transfer::{Download, Existing, Progress, TransferEvent};
use supermega::{Error, Node, Session};
use supermega_server::{LoggedRequest, ServerHandle};
use tokio::sync::Notify;

use crate::world::{content, server, session, upload};

const SIZE: usize = (40 << 20) + 12_345;
const SEGMENT: u64 = 4 << 20;

/// Counts bytes, and wakes whoever waits for some.
#[derive(Default)]
pub struct Counter {
    pub arrived: AtomicU64,
    pub resumed: AtomicU64,
    pub changed: Notify,
}

impl Progress for Counter {
    fn event(&self, event: TransferEvent<'_>) {
        match event {
            TransferEvent::Advanced { bytes } => self.arrived.fetch_add(bytes, Ordering::SeqCst),
            TransferEvent::Resumed { bytes } => self.resumed.fetch_add(bytes, Ordering::SeqCst),
            _ => 0,
        };
        self.changed.notify_one();
    }
}

fn names(folder: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(folder).unwrap();
    let mut names: Vec<String> =
        entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

/// Bytes that were asked for since the log was cleared.
fn asked(server: &ServerHandle) -> u64 {
    let log = server.request_log();
    log.iter()
        .map(|request| match request {
            LoggedRequest::Download { start, end, .. } => end.unwrap() - start,
            _ => 0,
        })
        .sum()
}

/// Begins a download that is given up when half of it has arrived.
async fn begin(server: &ServerHandle, session: &Session, node: &Node, target: &Path) {
    server.add_fault("download:stall+5".parse().unwrap());
    let counter = Arc::new(Counter::default());
    let download = session.download(node).unwrap().progress(counter.clone()).to_path(target);
    let enough = async {
        while counter.arrived.load(Ordering::SeqCst) < 4 * SEGMENT {
            counter.changed.notified().await;
        }
        // The last segment that arrived is on its way into the file.
        tokio::time::sleep(Duration::from_millis(200)).await;
    };
    tokio::select! {
        done = download => panic!("{done:?}"),
        () = enough => {}
    }
    server.clear_faults();
    server.clear_request_log();
}

#[tokio::test]
async fn a_later_download_goes_on_and_fetches_nothing_twice() {
    let server = server().await;
    let first = session(&server).await;
    let node = upload(&first, "file", SIZE).await;
    let dir = tempfile::tempdir().unwrap();
    let target = dir.path().join("file");
    begin(&server, &first, &node, &target).await;
    assert_eq!(names(dir.path()).len(), 1);
    assert!(!target.exists());

    let second = session(&server).await;
    let counter = Arc::new(Counter::default());
    let download = second.download(&node).unwrap().progress(counter.clone());
    download.to_path(&target).await.unwrap();
    assert!(std::fs::read(&target).unwrap() == content(SIZE));
    assert_eq!(names(dir.path()), ["file"]);
    let resumed = counter.resumed.load(Ordering::SeqCst);
    assert!(resumed >= 4 * (SEGMENT - (1 << 20)), "{resumed}");
    assert_eq!(resumed + asked(&server), SIZE as u64);
}

#[tokio::test]
async fn what_is_damaged_in_the_part_file_is_fetched_again() {
    let server = server().await;
    let session = session(&server).await;
    let node = upload(&session, "file", SIZE).await;
    let dir = tempfile::tempdir().unwrap();
    let target = dir.path().join("file");
    begin(&server, &session, &node, &target).await;
    let part = dir.path().join(&names(dir.path())[0]);
    let mut bytes = std::fs::read(&part).unwrap();
    // As after a loss of power: some content and the last record never reached the disk.
    bytes[1000] ^= 1;
    bytes.truncate(bytes.len() - 5);
    std::fs::write(&part, bytes).unwrap();
    session.download(&node).unwrap().to_path(&target).await.unwrap();
    assert!(std::fs::read(&target).unwrap() == content(SIZE));
    assert!(asked(&server) < SIZE as u64);
}

#[tokio::test]
async fn the_part_file_of_another_file_is_not_trusted() {
    let server = server().await;
    let session = session(&server).await;
    let node = upload(&session, "file", SIZE).await;
    let other = upload(&session, "other", SIZE).await;
    let dir = tempfile::tempdir().unwrap();
    let target = dir.path().join("file");
    begin(&server, &session, &node, &target).await;
    let counter = Arc::new(Counter::default());
    let download = session.download(&other).unwrap().progress(counter.clone());
    download.to_path(&target).await.unwrap();
    assert_eq!(counter.resumed.load(Ordering::SeqCst), 0);
    assert_eq!(asked(&server), SIZE as u64);
    assert_eq!(names(dir.path()), ["file"]);
}

#[tokio::test]
async fn a_download_that_only_lacked_its_name_gets_it() {
    let server = server().await;
    let session = session(&server).await;
    let node = upload(&session, "file", SIZE).await;
    let dir = tempfile::tempdir().unwrap();
    let target = dir.path().join("file");
    begin(&server, &session, &node, &target).await;
    let part = dir.path().join(&names(dir.path())[0]);
    std::fs::write(&part, content(SIZE)).unwrap();
    session.download(&node).unwrap().to_path(&target).await.unwrap();
    assert_eq!(asked(&server), 0);
    assert!(std::fs::read(&target).unwrap() == content(SIZE));
    // The right size alone is not enough.
    std::fs::write(&part, vec![0; SIZE]).unwrap();
    let download = session.download(&node).unwrap().existing(Existing::Replace);
    download.to_path(&target).await.unwrap();
    assert_eq!(asked(&server), SIZE as u64);
    assert!(std::fs::read(&target).unwrap() == content(SIZE));
    assert_eq!(names(dir.path()), ["file"]);
}

#[cfg(unix)]
#[tokio::test]
async fn a_link_in_the_place_of_the_part_file_is_not_followed() {
    let server = server().await;
    let session = session(&server).await;
    let node = upload(&session, "file", SIZE).await;
    let dir = tempfile::tempdir().unwrap();
    let target = dir.path().join("file");
    begin(&server, &session, &node, &target).await;
    let part = dir.path().join(&names(dir.path())[0]);
    std::fs::remove_file(&part).unwrap();
    let victim = dir.path().join("victim");
    std::fs::write(&victim, "precious").unwrap();
    std::os::unix::fs::symlink(&victim, &part).unwrap();
    let error = session.download(&node).unwrap().to_path(&target).await.unwrap_err();
    assert!(error.to_string().contains("in the way"), "{error}");
    assert_eq!(std::fs::read(&victim).unwrap(), b"precious");
    Download::forget(&target).await.unwrap();
    session.download(&node).unwrap().to_path(&target).await.unwrap();
    assert_eq!(std::fs::read(&victim).unwrap(), b"precious");
}

/// Notes that a transfer has its file.
#[derive(Default)]
struct Begun(Notify);

impl Progress for Begun {
    fn event(&self, event: TransferEvent<'_>) {
        if let TransferEvent::Started { .. } = event {
            self.0.notify_one();
        }
    }
}

#[tokio::test]
async fn two_transfers_do_not_write_one_file() {
    let server = server().await;
    let session = session(&server).await;
    let node = upload(&session, "file", SIZE).await;
    let dir = tempfile::tempdir().unwrap();
    let target = dir.path().join("file");
    server.add_fault("download:stall".parse().unwrap());
    let begun = Arc::new(Begun::default());
    let first = session.download(&node).unwrap().progress(begun.clone());
    let first = tokio::spawn(first.to_path(target.clone()));
    begun.0.notified().await;
    let error = session.download(&node).unwrap().to_path(&target).await.unwrap_err();
    assert!(matches!(error, Error::Refused(_)), "{error}");
    first.abort();
    let _ = first.await;
    server.clear_faults();
    session.download(&node).unwrap().to_path(&target).await.unwrap();
    assert_eq!(names(dir.path()), ["file"]);
}
