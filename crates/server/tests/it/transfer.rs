//! Bytes in and out (`protocol-api.md` 3.3, 4.2, 4.3), and what a restart leaves.

use std::path::Path;

use serde_json::json;
use supermega_encoding::base64;
use supermega_server::{GeneratedFile, LoggedRequest, ServerHandle};

use crate::http::{Connection, get, post, split};
use crate::world::{Account, EMAIL, PASSWORD, builder, file, world};

/// Bytes that repeat nowhere near a piece's length.
fn content(size: usize) -> Vec<u8> {
    (0..size).map(|i| (i ^ (i >> 8) ^ (i >> 16)).wrapping_mul(37).to_le_bytes()[0]).collect()
}

fn checksum(bytes: &[u8]) -> String {
    base64::encode(&supermega_crypto::upload_checksum(bytes))
}

async fn upload_url(account: &Account, size: usize) -> String {
    let reply = account.v3(json!({ "a": "u", "s": size, "v": 3 })).await;
    reply["p"].as_str().unwrap_or_else(|| panic!("{reply}")).to_owned()
}

#[tokio::test]
async fn pieces_come_in_any_order_and_at_once() {
    let (server, account) = world().await;
    let [root, ..] = account.roots().await;
    let bytes = content(3_000_001);
    let url = upload_url(&account, bytes.len()).await;
    let mut pieces: Vec<(usize, &[u8])> =
        bytes.chunks(131_072).enumerate().map(|(i, piece)| (i * 131_072, piece)).collect();
    pieces.reverse();
    pieces.swap(0, 7);
    let last = pieces.pop().unwrap();
    let sent = pieces.iter().map(|(offset, piece)| {
        let url = format!("{url}/{offset}?d={}", checksum(piece));
        async move { post(&url, piece).await }
    });
    for answer in futures_util::future::join_all(sent).await {
        assert_eq!((answer.status, answer.text().as_str()), (200, "0"));
    }
    // A repeated piece, and one that overlaps others, do no harm.
    let (offset, piece) = pieces[3];
    let again = post(&format!("{url}/{offset}?c={}", checksum(piece)), piece).await;
    assert_eq!(again.body, b"");
    assert_eq!(post(&format!("{url}/200000"), &bytes[200_000..700_000]).await.body, b"");
    let done = post(&format!("{url}/{}?d={}", last.0, checksum(last.1)), last.1).await;
    assert_eq!((done.body.len(), done.body[35]), (36, 1));
    // The token stays the same, whatever is sent again; the log knows of that, too.
    assert_eq!(post(&format!("{url}/0"), &bytes[..10]).await.body, done.body);
    let sent_again = LoggedRequest::Upload { offset: 0, length: 10 };
    assert_eq!(server.request_log().last(), Some(&sent_again));
    let node = account.put(&root, json!([file(&base64::encode(&done.body))])).await.remove(0);
    assert!(get(&account.source(&node).await).await.body == bytes);
}

#[tokio::test]
async fn a_wrong_checksum_is_told_and_can_be_mended() {
    let (_server, account) = world().await;
    let url = upload_url(&account, 5).await;
    assert_eq!(post(&format!("{url}/0?d={}", checksum(b"other")), b"bytes").await.text(), "-14");
    assert_eq!(post(&format!("{url}/0?c=@"), b"bytes").await.text(), "-14");
    assert_eq!(post(&format!("{url}/0?d={}", checksum(b"bytes")), b"bytes").await.body.len(), 36);
}

#[tokio::test]
async fn what_does_not_belong_to_the_file_is_refused() {
    let (_server, account) = world().await;
    let url = upload_url(&account, 5).await;
    assert_eq!(post(&format!("{url}/0"), b"too long").await.text(), "-7");
    assert_eq!(post(&format!("{url}/3"), b"end").await.text(), "-7");
    assert_eq!(post(&format!("{url}/6"), b"").await.text(), "-7");
    assert_eq!(post(&format!("{url}/18446744073709551615"), b"x").await.text(), "-7");
    assert_eq!(post(&format!("{url}/x"), b"bytes").await.text(), "-7");
    assert_eq!(post(&format!("{}ul/none/0", account.url), b"bytes").await.status, 404);
    // It still takes what does.
    assert_eq!(post(&format!("{url}/0"), b"bytes").await.body.len(), 36);
}

#[tokio::test]
async fn an_empty_file_is_uploaded_and_downloaded() {
    let (_server, account) = world().await;
    let [root, ..] = account.roots().await;
    let url = upload_url(&account, 0).await;
    let answer = post(&format!("{url}/0?d=AAAAAAAAAAAAAAAA"), b"").await;
    assert_eq!(answer.body.len(), 36);
    let node = account.put(&root, json!([file(&base64::encode(&answer.body))])).await.remove(0);
    let source = account.source(&node).await;
    for path in ["", "/0-0", "/0-"] {
        let answer = post(&format!("{source}{path}"), b"").await;
        assert_eq!((answer.status, answer.body.len()), (200, 0), "{path}");
    }
}

#[tokio::test]
async fn ranges_are_exact_and_a_connection_serves_many() {
    let (_server, account) = world().await;
    let [root, ..] = account.roots().await;
    let bytes = content(2_500_000);
    let node = account.file(&root, &bytes).await;
    let source = account.source(&node).await;
    let path = split(&source).1;
    let mut connection = Connection::open(&source).await;
    for (range, expected) in [
        ("", &bytes[..]),
        ("/0-0", &bytes[..1]),
        ("/16-1048591", &bytes[16..1_048_592]),
        ("/2499999-2499999", &bytes[2_499_999..]),
        ("/1000000-", &bytes[1_000_000..]),
        ("/2000000-9999999", &bytes[2_000_000..]),
        ("/2500000-", &[]),
    ] {
        for method in ["GET", "POST"] {
            let path = format!("{path}{range}");
            let answer = connection.request(method, &path, "", b"").await.unwrap();
            assert_eq!(answer.status, 200, "{range}");
            assert!(answer.is_whole && answer.body == expected, "{range}");
            let length = expected.len().to_string();
            assert_eq!(answer.header("Content-Length"), Some(length.as_str()));
        }
    }
    for bad in ["/x", "/5", "/-5", "/9999999-", "/1-x"] {
        let path = format!("{path}{bad}");
        assert_eq!(connection.request("GET", &path, "", b"").await.unwrap().status, 400, "{bad}");
    }
    assert_eq!(get(&format!("{}dl/none", account.url)).await.status, 404);
}

#[tokio::test]
async fn transfers_end_with_their_address() {
    let data = tempfile::tempdir().unwrap();
    let server = start(data.path()).await;
    let mut account = Account::login(&server, EMAIL, PASSWORD).await;
    let [root, ..] = account.roots().await;
    let node = account.file(&root, b"x").await;
    let open = upload_url(&account, 5).await;
    assert_eq!(post(&format!("{open}/0"), b"byt").await.body, b"");
    server.shutdown().await;
    let lifetime = std::time::Duration::ZERO;
    let server = builder().data_dir(data.path()).url_lifetime(lifetime).spawn().await.unwrap();
    account.url = server.url().to_owned();
    for url in [here(&account, &open), upload_url(&account, 5).await] {
        assert_eq!(post(&format!("{url}/0"), b"bytes").await.text(), "-8");
    }
    let source = account.source(&node).await;
    assert_eq!(get(&source).await.status, 403);
    assert_eq!(get(&format!("{source}x")).await.status, 404);
}

#[tokio::test]
async fn a_blob_lives_as_long_as_any_node_needs_it() {
    let data = tempfile::tempdir().unwrap();
    let server = start(data.path()).await;
    let account = Account::login(&server, EMAIL, PASSWORD).await;
    let blobs = || std::fs::read_dir(data.path().join("blobs")).unwrap().count();
    let [root, ..] = account.roots().await;
    let first = account.file(&root, b"shared").await;
    let copy = account.put(&root, json!([file(&first)])).await.remove(0);
    assert_eq!(account.v3(json!({ "a": "uq" })).await["cstrg"], 12);
    account.v3(json!({ "a": "d", "n": first })).await;
    let source = account.source(&copy).await;
    assert_eq!((get(&source).await.body, blobs()), (b"shared".to_vec(), 1));
    account.v3(json!({ "a": "d", "n": copy })).await;
    assert_eq!((get(&source).await.status, blobs()), (404, 0));
}

async fn start(data: &Path) -> ServerHandle {
    builder().data_dir(data).spawn().await.unwrap()
}

#[tokio::test]
async fn everything_is_there_after_a_restart() {
    let data = tempfile::tempdir().unwrap();
    let server = start(data.path()).await;
    let mut account = Account::login(&server, EMAIL, PASSWORD).await;
    let [root, ..] = account.roots().await;
    let node = account.file(&root, b"kept").await;
    let link = account.v3(json!({ "a": "l", "n": node })).await[1].clone();
    let token = account.upload(b"complete").await;
    let partial = upload_url(&account, 10).await;
    post(&format!("{partial}/5"), b"67890").await;
    let put = json!([{ "a": "p", "t": root, "n": [crate::world::folder()] }]).to_string();
    let made = account.send_as(77, "&v=3", &put).await;
    let before = account.v3(json!({ "a": "f" })).await;
    server.shutdown().await;

    let server = start(data.path()).await;
    account.url = server.url().to_owned();
    assert_eq!(account.v3(json!({ "a": "f" })).await, before);
    assert_eq!(get(&account.source(&node).await).await.body, b"kept");
    assert_eq!(account.v3(json!({ "a": "l", "n": node })).await[1], link);
    account.put(&root, json!([file(&token)])).await;
    // A request whose answer was lost is not carried out again, and an upload goes on.
    assert_eq!(account.send_as(77, "&v=3", &put).await, made);
    let partial = here(&account, &partial);
    assert_eq!(post(&format!("{partial}/0"), b"12").await.body, b"");
    let done = post(&format!("{partial}/2"), b"345").await;
    let node = account.put(&root, json!([file(&base64::encode(&done.body))])).await.remove(0);
    assert_eq!(get(&account.source(&node).await).await.body, b"1234567890");
}

#[tokio::test]
async fn files_that_nobody_knows_are_removed_at_the_start() {
    let data = tempfile::tempdir().unwrap();
    start(data.path()).await.shutdown().await;
    let orphans = ["blobs/999", "blobs/999.ranges"].map(|name| data.path().join(name));
    for orphan in &orphans {
        std::fs::write(orphan, b"left by a crash").unwrap();
    }
    start(data.path()).await.shutdown().await;
    assert!(orphans.iter().all(|orphan| !orphan.exists()));
}

#[tokio::test]
async fn a_crash_between_the_bytes_and_their_record_loses_that_piece_alone() {
    let data = tempfile::tempdir().unwrap();
    let server = start(data.path()).await;
    let mut account = Account::login(&server, EMAIL, PASSWORD).await;
    let [root, ..] = account.roots().await;
    let open = upload_url(&account, 10).await;
    post(&format!("{open}/0"), b"01234").await;
    server.shutdown().await;
    // As a crash leaves it that hit while the record of another piece was written.
    let blobs = std::fs::read_dir(data.path().join("blobs")).unwrap();
    let mut paths = blobs.map(|entry| entry.unwrap().path());
    let journal = paths.find(|path| path.extension().is_some()).unwrap();
    let mut bytes = std::fs::read(&journal).unwrap();
    bytes.extend_from_slice(&[5, 0, 0, 0, 0, 0, 0, 0, 10]);
    std::fs::write(&journal, bytes).unwrap();
    let server = start(data.path()).await;
    account.url = server.url().to_owned();
    let open = here(&account, &open);
    assert_eq!(post(&format!("{open}/9"), b"9").await.body, b"");
    let done = post(&format!("{open}/5"), b"5678").await;
    let node = account.put(&root, json!([file(&base64::encode(&done.body))])).await.remove(0);
    assert_eq!(get(&account.source(&node).await).await.body, b"0123456789");
    assert!(!journal.exists());
}

#[tokio::test]
async fn an_upload_whose_blob_is_gone_is_over() {
    let data = tempfile::tempdir().unwrap();
    let server = start(data.path()).await;
    let account = Account::login(&server, EMAIL, PASSWORD).await;
    let url = upload_url(&account, 10).await;
    assert_eq!(post(&format!("{url}/0"), b"01234").await.body, b"");
    std::fs::remove_dir_all(data.path().join("blobs")).unwrap();
    assert_eq!(post(&format!("{url}/5"), b"56789").await.status, 404);
}

/// The same address on the server that the account is at now.
fn here(account: &Account, url: &str) -> String {
    format!("{}ul/{}", account.url, url.rsplit('/').next().unwrap())
}

#[tokio::test]
#[cfg(unix)]
async fn a_large_upload_takes_the_space_of_what_has_arrived() {
    use std::os::unix::fs::MetadataExt;

    const SIZE: u64 = 50 << 30;
    let data = tempfile::tempdir().unwrap();
    let server = builder().data_dir(data.path()).quota(SIZE).spawn().await.unwrap();
    let account = Account::login(&server, EMAIL, PASSWORD).await;
    let reply = account.v3(json!({ "a": "u", "s": SIZE, "v": 3 })).await;
    let url = reply["p"].as_str().unwrap();
    let piece = content(131_072);
    for offset in [0, 131_072, SIZE / 2, SIZE - 131_072] {
        let answer = post(&format!("{url}/{offset}?d={}", checksum(&piece)), &piece).await;
        assert_eq!(answer.text(), "0");
    }
    assert_eq!(post(&format!("{url}/{}", SIZE - 10), &piece).await.text(), "-7");
    let files = || std::fs::read_dir(data.path().join("blobs")).unwrap();
    let metadata = |file: std::io::Result<std::fs::DirEntry>| file.unwrap().metadata().unwrap();
    let space: u64 = files().map(|file| metadata(file).blocks() * 512).sum();
    let length: u64 = files().map(|file| metadata(file).len()).max().unwrap();
    assert!(space < 2 << 20, "{space} bytes on disk");
    assert_eq!(length, SIZE);
}

#[tokio::test]
async fn a_large_file_is_read_from_near_its_end() {
    const SIZE: u64 = 50 << 30;
    let (server, account) = world().await;
    let (email, password) = (EMAIL.into(), PASSWORD.to_owned().into());
    let file =
        GeneratedFile { email, password, name: "big.bin".into(), size: SIZE, with_mac: false };
    let node = server.generate_file(file).await.unwrap().to_string();
    assert_eq!(account.node(&node).await.unwrap()["s"], json!(SIZE));
    let source = account.source(&node).await;
    let end = post(&format!("{source}/{}-{}", SIZE - 70_000, SIZE - 1), b"").await;
    assert!(end.is_whole && end.body == vec![0; 70_000]);
    assert_eq!(post(&format!("{source}/{}-", SIZE - 5), b"").await.body, [0; 5]);
    assert_eq!(post(&format!("{source}/{SIZE}-"), b"").await.body, b"");
}

#[tokio::test]
async fn one_folder_belongs_to_one_server() {
    let data = tempfile::tempdir().unwrap();
    let server = start(data.path()).await;
    let second = builder().data_dir(data.path()).spawn().await.unwrap_err();
    assert!(second.to_string().contains("another server"), "{second}");
    server.shutdown().await;
    start(data.path()).await.shutdown().await;
}
