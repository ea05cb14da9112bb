//! Files that are read from any place.

use std::io::SeekFrom;

use supermega::Error;
use supermega_server::LoggedRequest;
use tokio::io::{AsyncReadExt, AsyncSeekExt, AsyncWriteExt};

use crate::world::{content, server, session, upload};

const SIZE: usize = 9_000_001;

#[tokio::test]
async fn any_place_is_read_and_little_else_is_fetched() {
    let server = server().await;
    let session = session(&server).await;
    let file = upload(&session, "film", SIZE).await;
    let expected = content(SIZE);
    server.clear_request_log();
    let mut reader = session.download(&file).unwrap().connections(1).reader();
    assert_eq!(reader.size(), SIZE as u64);
    let places = [0, 5_000_000, 17, 131_071, 8_999_990, 4_999_999];
    for place in places {
        assert_eq!(reader.seek(SeekFrom::Start(place)).await.unwrap(), place);
        let mut bytes = [0; 11];
        reader.read_exact(&mut bytes).await.unwrap();
        let place = usize::try_from(place).unwrap();
        assert_eq!(bytes, expected[place..place + 11]);
    }
    let fetched: u64 = server
        .request_log()
        .iter()
        .filter_map(|request| match request {
            LoggedRequest::Download { start, end: Some(end), .. } => Some(end - start),
            _ => None,
        })
        .sum();
    // The first piece of each place, and perhaps the next, which was asked for ahead.
    assert!(fetched <= 6 * 3 * (128 << 10), "{fetched}");
}

#[tokio::test]
async fn a_reader_moves_as_in_a_local_file() {
    let server = server().await;
    let session = session(&server).await;
    let file = upload(&session, "film", SIZE).await;
    let expected = content(SIZE);
    let mut reader = session.download(&file).unwrap().reader();
    let mut whole = Vec::new();
    reader.read_to_end(&mut whole).await.unwrap();
    assert!(whole == expected);
    assert_eq!(reader.read(&mut [0; 5]).await.unwrap(), 0);
    assert_eq!(reader.seek(SeekFrom::End(-3)).await.unwrap(), SIZE as u64 - 3);
    let mut end = Vec::new();
    reader.read_to_end(&mut end).await.unwrap();
    assert_eq!(end, expected[SIZE - 3..]);
    reader.seek(SeekFrom::Start(1000)).await.unwrap();
    reader.read_exact(&mut [0; 10]).await.unwrap();
    // Within what was fetched nothing is asked for again.
    server.clear_request_log();
    assert_eq!(reader.seek(SeekFrom::Current(90)).await.unwrap(), 1100);
    let mut bytes = [0; 4];
    reader.read_exact(&mut bytes).await.unwrap();
    assert_eq!(bytes, expected[1100..1104]);
    assert!(
        server
            .request_log()
            .iter()
            .all(|r| !matches!(r, LoggedRequest::Download { start, .. } if *start < 1104))
    );
    reader.seek(SeekFrom::Start(SIZE as u64 + 5)).await.unwrap();
    assert_eq!(reader.read(&mut [0; 5]).await.unwrap(), 0);
    assert!(reader.seek(SeekFrom::End(-(i64::try_from(SIZE).unwrap() + 1))).await.is_err());
}

#[tokio::test]
async fn an_interrupted_reader_goes_on() {
    let server = server().await;
    let session = session(&server).await;
    let file = upload(&session, "film", SIZE).await;
    server.add_fault("download:cut@1000*2".parse().unwrap());
    server.add_fault("download:status=500*2+3".parse().unwrap());
    let mut whole = Vec::new();
    session.download(&file).unwrap().reader().read_to_end(&mut whole).await.unwrap();
    assert!(whole == content(SIZE));
}

#[tokio::test]
async fn a_file_that_is_read_as_a_whole_is_verified() {
    let server = server().await;
    let session = session(&server).await;
    for size in [100, SIZE] {
        let file = upload(&session, "film", size).await;
        server.add_fault("download:flip@50*1".parse().unwrap());
        let mut reader = session.download(&file).unwrap().reader();
        let mut read = 0;
        let error = loop {
            match reader.next_bytes(1 << 20).await {
                Ok(bytes) => read += bytes.expect("no clean end").len(),
                Err(error) => break error,
            }
        };
        assert!(matches!(error, Error::Integrity { .. }), "{error}");
        assert!(read < size, "the last bytes come only when all is verified");
    }
}

#[tokio::test]
async fn what_is_written_is_a_file_once_it_is_finished() {
    let server = server().await;
    let session = session(&server).await;
    let root = session.tree().await.unwrap().root().unwrap();
    let bytes = content((9 << 20) + 7);
    let mut writer = session.upload(&root).name("whole").writer(bytes.len() as u64);
    for piece in bytes.chunks(100_000) {
        writer.write_all(piece).await.unwrap();
    }
    let file = writer.finish().await.unwrap();
    let mut back = Vec::new();
    session.download(&file).unwrap().to_writer(&mut back).await.unwrap();
    assert!(back == bytes);
    // Too short, too long, and given up.
    for written in [5, 20] {
        let mut writer = session.upload(&root).name("wrong").writer(10);
        writer.write_all(&bytes[..written]).await.unwrap();
        writer.finish().await.unwrap_err();
    }
    let mut writer = session.upload(&root).name("dropped").writer(10);
    writer.write_all(&bytes[..10]).await.unwrap();
    drop(writer);
    let tree = session.refresh().await.unwrap();
    assert_eq!(tree.children(&root).len(), 1);
}
