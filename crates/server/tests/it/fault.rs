//! Each fault as it reaches a client.

use std::time::{Duration, Instant};

use serde_json::json;
use supermega_crypto::Challenge;
use supermega_server::ServerHandle;

use crate::http::{Answer, Connection, get, post, split, try_post};
use crate::world::{Account, folder, world};

const SIZE: usize = 100_000;
const ASK: &[u8] = br#"[{"a":"us0","user":"x"}]"#;

fn arm(server: &ServerHandle, fault: &str) {
    server.add_fault(fault.parse().unwrap());
}

async fn ask(server: &ServerHandle) -> Answer {
    post(&format!("{}cs?id=1", server.url()), ASK).await
}

/// An account with a file of 100,000 bytes, and the file's address.
async fn stored() -> (ServerHandle, Account, String) {
    let (server, account) = world().await;
    let [root, ..] = account.roots().await;
    let node = account.file(&root, &vec![7; SIZE]).await;
    let source = account.source(&node).await;
    (server, account, source)
}

#[tokio::test]
async fn whole_batches_are_refused() {
    let (server, _) = world().await;
    for (fault, body) in
        [("api:again*1", "-3"), ("us0:ratelimit*1", "-4"), ("us0:error=17*1", "-17")]
    {
        arm(&server, fault);
        assert_eq!(ask(&server).await.text(), body, "{fault}");
        assert!(ask(&server).await.text().starts_with('['), "{fault}");
    }
    arm(&server, "p:again");
    assert!(ask(&server).await.text().starts_with('['));
}

#[tokio::test]
async fn a_refused_batch_is_not_carried_out() {
    let (server, account) = world().await;
    let [root, ..] = account.roots().await;
    let put = json!([{ "a": "p", "t": root, "n": [folder()] }]).to_string();
    arm(&server, "p:again*1");
    assert_eq!(account.send_as(5, "&v=3", &put).await, "-3");
    assert_eq!(account.v3(json!({ "a": "f" })).await["f"].as_array().unwrap().len(), 3);
    account.send_as(5, "&v=3", &put).await;
    assert_eq!(account.v3(json!({ "a": "f" })).await["f"].as_array().unwrap().len(), 4);
}

#[tokio::test]
async fn statuses_and_counts_are_kept() {
    let (server, _) = world().await;
    arm(&server, "api:status=503*2+1");
    let mut statuses = Vec::new();
    for _ in 0..4 {
        statuses.push(ask(&server).await.status);
    }
    assert_eq!(statuses, [200, 503, 503, 200]);
    arm(&server, "event:status=500*1");
    assert_eq!(post(&format!("{}wsc", server.url()), b"").await.status, 500);
    arm(&server, "api:status=500");
    server.clear_faults();
    assert_eq!(ask(&server).await.status, 200);
}

#[tokio::test]
async fn a_proof_of_work_is_asked_for_and_checked() {
    let (server, _) = world().await;
    arm(&server, "api:hashcash=255*1");
    let mut connection = Connection::open(server.url()).await;
    let refused = ask(&server).await;
    assert_eq!((refused.status, refused.header("Content-Length")), (402, Some("0")));
    let challenge = Challenge::parse(refused.header("X-Hashcash").unwrap()).unwrap();
    let cancel = std::sync::atomic::AtomicBool::new(false);
    let solution = challenge.solve(2, &cancel).unwrap().header();
    // A token that nobody gave out, or that was used, proves nothing.
    arm(&server, "api:hashcash=255");
    let (token, nonce) = solution.rsplit_once(':').unwrap();
    let forged = format!("X-Hashcash: 1:{}:{nonce}\r\n", "A".repeat(64));
    assert!(token.len() == 66);
    let mut send = async |header: &str| {
        connection.request("POST", "/cs?id=1", header, ASK).await.unwrap().status
    };
    assert_eq!(send(&forged).await, 402);
    let header = format!("X-Hashcash: {solution}\r\n");
    assert_eq!(send(&header).await, 200);
    assert_eq!(send(&header).await, 402);
}

#[tokio::test]
async fn a_wrong_proof_is_refused_although_no_new_one_is_due() {
    let (server, _) = world().await;
    arm(&server, "api:hashcash=0*1");
    let refused = ask(&server).await;
    let token = refused.header("X-Hashcash").unwrap().rsplit(':').next().unwrap().to_owned();
    let mut connection = Connection::open(server.url()).await;
    let header = format!("X-Hashcash: 1:{token}:AAAAAA\r\n");
    let again = connection.request("POST", "/cs?id=1", &header, ASK).await.unwrap();
    assert_eq!(again.status, 402);
}

#[tokio::test]
async fn answers_come_late() {
    let (server, _, source) = stored().await;
    for (place, url) in [("api", format!("{}cs", server.url())), ("download", source)] {
        arm(&server, &format!("{place}:delay=60ms*1"));
        let begin = Instant::now();
        post(&url, b"[]").await;
        assert!(begin.elapsed() >= Duration::from_millis(60), "{place}");
    }
    arm(&server, "connection:delay=60");
    let mut connection = Connection::open(server.url()).await;
    let begin = Instant::now();
    connection.request("POST", "/cs", "", b"[]").await.unwrap();
    assert!(begin.elapsed() >= Duration::from_millis(50));
}

#[tokio::test]
async fn an_answer_is_lost_after_the_commit() {
    let (server, account) = world().await;
    let [root, ..] = account.roots().await;
    let put = json!([{ "a": "p", "t": root, "n": [folder()] }]).to_string();
    let url = format!("{}cs?id=9{}&v=3", account.url, account.who);
    arm(&server, "p:lost*1");
    assert!(try_post(&url, put.as_bytes()).await.is_err());
    assert_eq!(account.v3(json!({ "a": "f" })).await["f"].as_array().unwrap().len(), 4);
    assert!(post(&url, put.as_bytes()).await.text().contains("\"fh\""));
    assert_eq!(account.v3(json!({ "a": "f" })).await["f"].as_array().unwrap().len(), 4);
    for fault in ["event:lost*1", "connection:lost*1"] {
        arm(&server, fault);
        assert!(try_post(&format!("{}wsc", account.url), b"").await.is_err(), "{fault}");
    }
}

#[tokio::test]
async fn storage_answers_are_lost_too() {
    let (server, account, source) = stored().await;
    arm(&server, "download:lost*1");
    assert!(try_post(&source, b"").await.is_err());
    let url = account.v3(json!({ "a": "u", "s": 3, "v": 3 })).await;
    let url = format!("{}/0", url["p"].as_str().unwrap());
    arm(&server, "upload:lost*1");
    assert!(try_post(&url, b"abc").await.is_err());
    assert_eq!(post(&url, b"abc").await.body.len(), 36);
}

#[tokio::test]
async fn the_time_left_is_spelled_as_official_clients_read_it() {
    let (server, account, source) = stored().await;
    arm(&server, "download:quota=77*1");
    let refused = get(&source).await;
    assert_eq!((refused.status, refused.header("X-MEGA-Time-Left")), (509, Some("77")));
    let url = account.v3(json!({ "a": "u", "s": 3, "v": 3 })).await;
    arm(&server, "upload:quota=5*1");
    let refused = post(&format!("{}/0", url["p"].as_str().unwrap()), b"abc").await;
    assert_eq!((refused.status, refused.header("X-MEGA-Time-Left")), (509, Some("5")));
}

#[tokio::test]
async fn bodies_are_short_cut_or_wrong() {
    let (server, _, source) = stored().await;
    arm(&server, "download:truncate@1000*1");
    let short = get(&source).await;
    assert!(short.is_whole && short.body.len() == 1000 && short.status == 200);
    arm(&server, "download:cut@1000*1");
    let cut = get(&source).await;
    assert!(!cut.is_whole && cut.body.len() == 1000);
    assert_eq!(cut.header("Content-Length"), Some(SIZE.to_string().as_str()));
    arm(&server, "download:flip@50*1");
    let flipped = get(&format!("{source}/10-99")).await;
    assert!(flipped.is_whole && flipped.body[40] == 6);
    assert_eq!(flipped.body.iter().position(|byte| *byte != 7), Some(40));
    assert!(flipped.body[41..].iter().all(|byte| *byte == 7));
    let right = get(&source).await;
    assert!(right.is_whole && right.body == vec![7; SIZE]);
}

#[tokio::test]
async fn a_stalled_body_stays_open_until_the_end() {
    let (server, _, source) = stored().await;
    arm(&server, "download:stall@1000*1");
    let stalled = tokio::spawn(async move { get(&source).await });
    tokio::time::sleep(Duration::from_millis(100)).await;
    assert!(!stalled.is_finished());
    server.shutdown().await;
    let answer = stalled.await.unwrap();
    assert!(!answer.is_whole && answer.body.len() == 1000);
}

#[tokio::test]
async fn a_stalled_request_is_not_answered() {
    let (server, account) = world().await;
    arm(&server, "api:stall*1");
    let url = format!("{}cs", account.url);
    let asked = tokio::time::timeout(Duration::from_millis(100), try_post(&url, b"[]")).await;
    assert!(asked.is_err());
    assert_eq!(post(&url, b"[]").await.text(), "[]");
}

#[tokio::test]
async fn a_bandwidth_is_kept() {
    let (server, account, source) = stored().await;
    arm(&server, "download:bandwidth=1000000*1");
    let begin = Instant::now();
    assert!(get(&source).await.is_whole);
    assert!(begin.elapsed() >= Duration::from_millis(95));
    let url = account.v3(json!({ "a": "u", "s": SIZE, "v": 3 })).await;
    arm(&server, "upload:bandwidth=1000000*1");
    let begin = Instant::now();
    post(&format!("{}/0", url["p"].as_str().unwrap()), &vec![1; SIZE]).await;
    assert!(begin.elapsed() >= Duration::from_millis(95));
}

#[tokio::test]
async fn an_expired_address_stays_so() {
    let (server, account, source) = stored().await;
    arm(&server, "download:expired*1");
    assert_eq!((get(&source).await.status, get(&source).await.status), (403, 403));
    let url = account.v3(json!({ "a": "u", "s": 3, "v": 3 })).await;
    let url = format!("{}/0", url["p"].as_str().unwrap());
    arm(&server, "upload:expired*1");
    assert_eq!((post(&url, b"abc").await.status, post(&url, b"abc").await.status), (403, 404));
}

#[tokio::test]
async fn a_builder_takes_faults_too() {
    let fault = "api:again*1".parse().unwrap();
    let server = crate::world::builder().fault(fault).spawn().await.unwrap();
    assert_eq!(ask(&server).await.text(), "-3");
    assert_eq!(split(server.url()).1, "/");
}
