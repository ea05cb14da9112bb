//! Files in six parts: any five give the file back, and a bad server costs nothing.

use std::time::{Duration, Instant};

use supermega_server::{KdfVersion, LoggedRequest, Server, ServerHandle};

use crate::world::{EMAIL, PASSWORD, content, rsa, session, upload};

const SIZE: usize = (5 << 20) + 77;

async fn server() -> ServerHandle {
    let user = Server::builder().user_with_key(EMAIL, PASSWORD, KdfVersion::V2, rsa());
    user.cloudraid(true).spawn().await.unwrap()
}

#[tokio::test]
async fn every_size_comes_back_in_parts() {
    let server = server().await;
    let session = session(&server).await;
    let dir = tempfile::tempdir().unwrap();
    for size in [0, 1, 16, 79, 80, 81, 131_073, 4_718_592, SIZE] {
        let node = upload(&session, &size.to_string(), size).await;
        let target = dir.path().join(size.to_string());
        session.download(&node).unwrap().to_path(&target).await.unwrap();
        assert!(std::fs::read(&target).unwrap() == content(size), "{size}");
        let mut bytes = Vec::new();
        session.download(&node).unwrap().to_writer(&mut bytes).await.unwrap();
        assert!(bytes == content(size), "{size}");
    }
    let parts = server.request_log();
    let parts = parts.iter().filter_map(|request| match request {
        LoggedRequest::Download { part, .. } => Some(*part),
        _ => None,
    });
    assert!(parts.into_iter().all(|part| part.is_some()), "whole files were asked for");
}

#[tokio::test]
async fn a_bad_server_costs_nothing() {
    let server = server().await;
    let session = session(&server).await;
    let node = upload(&session, "file", SIZE).await;
    for part in [0, 1, 5] {
        for fault in [
            "stall",
            "stall@1000",
            "cut@1000",
            "truncate@5",
            "status=500",
            "expired",
            "bandwidth=20000",
        ] {
            server.clear_faults();
            server.add_fault(format!("part{part}:{fault}").parse().unwrap());
            let begun = Instant::now();
            let mut bytes = Vec::new();
            session.download(&node).unwrap().to_writer(&mut bytes).await.unwrap();
            assert!(bytes == content(SIZE), "{part} {fault}");
            assert!(
                begun.elapsed() < Duration::from_secs(5),
                "{part} {fault}: {:?}",
                begun.elapsed()
            );
        }
    }
}

#[tokio::test]
async fn two_bad_servers_are_asked_again() {
    let server = server().await;
    let session = session(&server).await;
    let node = upload(&session, "file", SIZE).await;
    for fault in ["status=500*2", "cut@1000*2", "expired*1"] {
        for part in [2, 5] {
            server.add_fault(format!("part{part}:{fault}").parse().unwrap());
        }
        let mut bytes = Vec::new();
        session.download(&node).unwrap().to_writer(&mut bytes).await.unwrap();
        assert!(bytes == content(SIZE), "{fault}");
        server.clear_faults();
    }
}

#[tokio::test]
async fn what_has_come_of_the_parts_is_kept_when_addresses_are_renewed() {
    let server = server().await;
    let session = session(&server).await;
    let node = upload(&session, "file", 131_072).await;
    // By then the others are there.
    for part in [2, 5] {
        server.add_fault(format!("part{part}:delay=500,expired*1").parse().unwrap());
    }
    let mut bytes = Vec::new();
    session.download(&node).unwrap().to_writer(&mut bytes).await.unwrap();
    assert!(bytes == content(131_072));
    let log = server.request_log();
    for whole in [1, 3, 4] {
        let is_it = |request: &&LoggedRequest| matches!(request, LoggedRequest::Download { part: Some(part), .. } if *part == whole);
        assert_eq!(log.iter().filter(is_it).count(), 1, "part {whole}: {log:?}");
    }
}
