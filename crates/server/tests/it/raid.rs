//! Files in six parts (`protocol-api.md` 3.7).

use serde_json::json;
use supermega_server::{LoggedRequest, ServerHandle};

use crate::http::{get, post};
use crate::world::{Account, EMAIL, PASSWORD, builder};

async fn world() -> (ServerHandle, Account) {
    let server = builder().cloudraid(true).spawn().await.unwrap();
    let account = Account::login(&server, EMAIL, PASSWORD).await;
    (server, account)
}

fn content(size: usize) -> Vec<u8> {
    (0..size).map(|i| (i ^ (i >> 7) ^ (i >> 15)).wrapping_mul(31).to_le_bytes()[0]).collect()
}

/// The six addresses of a new file with this content.
async fn parts(account: &Account, bytes: &[u8]) -> Vec<String> {
    let [root, ..] = account.roots().await;
    let node = account.file(&root, bytes).await;
    let reply = account.v3(json!({ "a": "g", "g": 1, "v": 2, "ssl": 2, "n": node })).await;
    assert_eq!(reply["s"], bytes.len());
    let urls = reply["g"].as_array().unwrap_or_else(|| panic!("{reply}"));
    urls.iter().map(|url| url.as_str().unwrap().to_owned()).collect()
}

/// Puts a file together of its data parts.
fn join(parts: &[Vec<u8>]) -> Vec<u8> {
    let mut sectors: Vec<_> = parts.iter().map(|part| part.chunks(16)).collect();
    let mut file = Vec::new();
    for turn in (0..5).cycle() {
        match sectors[turn].next() {
            Some(sector) => file.extend_from_slice(sector),
            None => return file,
        }
    }
    file
}

#[tokio::test]
async fn five_parts_are_the_file_and_the_sixth_mends_any() {
    let (_server, account) = world().await;
    for size in [1, 16, 79, 80, 1_000_003] {
        let bytes = content(size);
        let urls = parts(&account, &bytes).await;
        assert_eq!(urls.len(), 6);
        let mut parts = Vec::new();
        for url in &urls {
            parts.push(get(url).await.body);
        }
        assert!(join(&parts[1..]) == bytes, "{size}");
        for lost in 1..6 {
            let mut mended = parts.clone();
            let length = mended[lost].len();
            mended[lost] = parts[0].clone();
            for other in (1..6).filter(|other| *other != lost) {
                for (byte, of_other) in mended[lost].iter_mut().zip(&parts[other]) {
                    *byte ^= of_other;
                }
            }
            mended[lost].truncate(length);
            assert!(join(&mended[1..]) == bytes, "{size} without {lost}");
        }
    }
}

#[tokio::test]
async fn ranges_of_a_part_are_exact() {
    let (server, account) = world().await;
    let urls = parts(&account, &content(3_000_001)).await;
    server.clear_request_log();
    for (part, url) in urls.iter().enumerate() {
        let whole = post(url, b"").await.body;
        for (start, end) in [(0, 15), (16, 300_015), (7, 8), (262_140, 524_300)] {
            let answer = post(&format!("{url}/{start}-{end}"), b"").await;
            assert_eq!(answer.status, 200);
            assert!(answer.is_whole && answer.body == whole[start..=end], "{part}: {start}");
        }
        assert_eq!(get(&format!("{url}/500000-")).await.body, whole[500_000..]);
        assert_eq!(get(&format!("{url}/700000-700001")).await.status, 400);
        let asked = LoggedRequest::Download {
            start: 7,
            end: Some(9),
            part: Some(u8::try_from(part).unwrap()),
        };
        assert!(server.request_log().contains(&asked));
    }
}

#[tokio::test]
async fn who_cannot_join_parts_gets_one_address() {
    let (_server, account) = world().await;
    let [root, ..] = account.roots().await;
    let bytes = content(1000);
    let node = account.file(&root, &bytes).await;
    for command in
        [json!({ "a": "g", "g": 1, "n": node }), json!({ "a": "g", "g": 1, "v": 1, "n": node })]
    {
        let reply = account.v3(command.clone()).await;
        assert_eq!(get(reply["g"].as_str().unwrap()).await.body, bytes);
        assert!(account.legacy(command).await["g"].is_string());
    }
}

#[tokio::test]
async fn an_empty_file_has_six_empty_parts() {
    let (_server, account) = world().await;
    for url in parts(&account, b"").await {
        let answer = post(&format!("{url}/0-0"), b"").await;
        assert_eq!((answer.status, answer.body.len()), (200, 0));
    }
}

#[tokio::test]
async fn one_part_fails_alone() {
    let (server, account) = world().await;
    let urls = parts(&account, &content(1000)).await;
    server.add_fault("part3:status=503".parse().unwrap());
    server.add_fault("part0:expired*1".parse().unwrap());
    for (part, status) in [(0, 403), (0, 403), (1, 200), (2, 200), (3, 503), (4, 200), (5, 200)] {
        assert_eq!(get(&urls[part]).await.status, status, "{part}");
    }
    server.clear_faults();
    server.add_fault("download:status=500".parse().unwrap());
    assert_eq!(get(&urls[1]).await.status, 500);
}
