//! A server that misbehaves: what passes is waited for, what does not is said, and no wrong byte gets a
//! final name.

use std::time::Duration;

use supermega::{Client, Error, QuotaKind};
use supermega_server::LoggedRequest;

use crate::world::{EMAIL, PASSWORD, content, server, session, upload};

const SIZE: usize = 6 << 20;

#[tokio::test]
async fn what_passes_is_waited_for() {
    for fault in [
        "api:again*2",
        "api:ratelimit*1",
        "api:status=500*2",
        "api:hashcash=255*1",
        "p:lost*1",
        "upload:status=503*2",
        "upload:lost*1",
        "download:status=500*2",
        "download:truncate@1000*2",
        "download:cut@5000*3",
        "download:expired*1",
    ] {
        let server = server().await;
        server.add_fault(fault.parse().unwrap());
        let session = session(&server).await;
        let node = upload(&session, "file", SIZE).await;
        let mut bytes = Vec::new();
        session.download(&node).unwrap().to_writer(&mut bytes).await.expect(fault);
        assert!(bytes == content(SIZE), "{fault}");
        let tree = session.refresh().await.unwrap();
        assert_eq!(tree.children(&tree.root().unwrap()).len(), 1, "{fault}");
    }
}

#[tokio::test]
async fn a_cut_body_is_continued_and_not_begun_again() {
    let server = server().await;
    let session = session(&server).await;
    let node = upload(&session, "file", 1 << 20).await;
    server.add_fault("download:cut@500000*1".parse().unwrap());
    server.clear_request_log();
    session.download(&node).unwrap().to_writer(&mut Vec::new()).await.unwrap();
    let starts: Vec<u64> = server
        .request_log()
        .iter()
        .filter_map(|request| match request {
            LoggedRequest::Download { start, .. } => Some(*start),
            _ => None,
        })
        .collect();
    assert_eq!(starts.len(), 2);
    assert!(starts[1] > 0, "{starts:?}");
}

#[tokio::test]
async fn a_flipped_bit_leaves_nothing() {
    let server = server().await;
    let session = session(&server).await;
    let node = upload(&session, "file", SIZE).await;
    let dir = tempfile::tempdir().unwrap();
    for offset in [0, 131_072, SIZE - 1] {
        server.clear_faults();
        server.add_fault(format!("download:flip@{offset}").parse().unwrap());
        let target = dir.path().join("file");
        let error = session.download(&node).unwrap().to_path(&target).await.unwrap_err();
        assert!(matches!(error, Error::Integrity { .. }), "{error}");
        assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 0);
    }
}

#[tokio::test]
async fn a_body_that_stays_short_fails_and_leaves_nothing() {
    let server = server().await;
    let patient = session(&server).await;
    upload(&patient, "file", SIZE).await;
    server.add_fault("download:truncate@0".parse().unwrap());
    let client = Client::builder()
        .api_url(server.url())
        .patience(Duration::from_millis(300))
        .build()
        .unwrap();
    let session = client.login(EMAIL, PASSWORD).await.unwrap();
    let node = session.tree().await.unwrap().at(&"/file".parse().unwrap()).unwrap();
    let dir = tempfile::tempdir().unwrap();
    let target = dir.path().join("file");
    let error = session.download(&node).unwrap().to_path(&target).await.unwrap_err();
    assert!(matches!(error, Error::Network(_)), "{error}");
    assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 0);
}

#[tokio::test]
async fn a_dropped_download_that_got_nothing_leaves_nothing() {
    let server = server().await;
    let session = session(&server).await;
    let node = upload(&session, "file", SIZE).await;
    server.add_fault("download:delay=60000".parse().unwrap());
    let dir = tempfile::tempdir().unwrap();
    let target = dir.path().join("file");
    let download = session.download(&node).unwrap().to_path(&target);
    let stopped = tokio::time::timeout(Duration::from_millis(300), download).await;
    assert!(stopped.is_err());
    assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 0);
}

#[tokio::test]
async fn transfer_quota_says_how_long() {
    let server = server().await;
    let session = session(&server).await;
    let node = upload(&session, "file", 1000).await;
    server.add_fault("download:quota=77".parse().unwrap());
    let error = session.download(&node).unwrap().to_writer(&mut Vec::new()).await.unwrap_err();
    let Error::Quota { kind: QuotaKind::Transfer, wait: Some(wait) } = error else {
        panic!("{error}")
    };
    assert_eq!(wait, Duration::from_secs(77));
}

#[tokio::test]
async fn a_lost_answer_makes_no_second_node() {
    let server = server().await;
    let session = session(&server).await;
    session.tree().await.unwrap();
    server.add_fault("p:lost*1".parse().unwrap());
    session.make_folder(&"/once".parse().unwrap()).await.unwrap();
    let tree = session.refresh().await.unwrap();
    assert!(tree.at(&"/once".parse().unwrap()).is_ok());
    let puts = server.request_log().iter().filter(|request| {
        matches!(request, LoggedRequest::Api(names) if names.contains(&"p".to_owned()))
    }).count();
    assert_eq!(puts, 2);
}

#[tokio::test]
async fn an_upload_whose_address_dies_begins_again() {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicU64, Ordering};
    use supermega::transfer::{Progress, TransferEvent};

    #[derive(Default)]
    struct Sum(AtomicU64);
    impl Progress for Sum {
        fn event(&self, event: TransferEvent<'_>) {
            match event {
                TransferEvent::Advanced { bytes } => self.0.fetch_add(bytes, Ordering::Relaxed),
                TransferEvent::Restarted { bytes } => self.0.fetch_sub(bytes, Ordering::Relaxed),
                _ => 0,
            };
        }
    }

    let server = server().await;
    let session = session(&server).await;
    server.add_fault("upload:expired*1+1".parse().unwrap());
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("file");
    std::fs::write(&path, content(SIZE)).unwrap();
    let root = session.tree().await.unwrap().root().unwrap();
    let sum = Arc::new(Sum::default());
    let node = session.upload(&root).progress(sum.clone()).from_path(&path).await.unwrap();
    assert_eq!(sum.0.load(Ordering::Relaxed), SIZE as u64);
    let mut bytes = Vec::new();
    session.download(&node).unwrap().to_writer(&mut bytes).await.unwrap();
    assert!(bytes == content(SIZE));
    // A reader cannot be read twice: the error says so, and nothing is made.
    server.add_fault("upload:expired*1".parse().unwrap());
    let sent = session.upload(&root).name("x").from_reader(4, &b"abcd"[..]).await;
    assert!(matches!(sent, Err(Error::Network(_))), "{sent:?}");
}
