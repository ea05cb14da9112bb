//! Faults that go step by step or happen by chance, and what is known of those that are active.

use serde_json::{Value, json};
use supermega_server::Fault;

use crate::admin::order;
use crate::http::post;
use crate::world::{builder, world};

/// The answers to so many requests, by their first character.
async fn answers(url: &str, requests: usize) -> String {
    let mut answers = String::new();
    for _ in 0..requests {
        let answer = post(&format!("{url}cs"), b"[]").await;
        answers.push(if answer.status == 200 {
            answer.text().chars().last().unwrap()
        } else {
            '!'
        });
    }
    answers
}

#[tokio::test]
async fn a_script_goes_step_by_step_and_ends() {
    let (server, _) = world().await;
    let fault: Fault = "api:again;ok*2;delay=1,ratelimit;status=500*2+1".parse().unwrap();
    server.add_fault(fault.clone());
    assert_eq!(answers(server.url(), 9).await, "]3]]4!!]]");
    let [report] = &server.faults()[..] else { panic!("one fault, one report") };
    assert_eq!(report.fault, fault);
    assert_eq!((report.requests, report.hits, report.is_over), (9, 4, true));
    server.clear_faults();
    assert!(server.faults().is_empty());
}

#[tokio::test]
async fn all_faults_of_a_request_happen() {
    let (server, _) = world().await;
    server.add_fault("api:delay=30".parse().unwrap());
    server.add_fault("api:delay=30,status=503".parse().unwrap());
    let begin = std::time::Instant::now();
    assert_eq!(answers(server.url(), 1).await, "!");
    assert!(begin.elapsed() >= std::time::Duration::from_millis(60));
}

#[tokio::test]
async fn chance_is_the_same_for_the_same_seed() {
    let mut seen = Vec::new();
    for seed in [1, 1, 2] {
        let fault = "api:again%40".parse().unwrap();
        let server = builder().fault_seed(seed).fault(fault).spawn().await.unwrap();
        seen.push(answers(server.url(), 40).await);
    }
    assert_eq!(seen[0], seen[1]);
    assert_ne!(seen[0], seen[2]);
    let hits = seen[0].matches('3').count();
    assert!((5..30).contains(&hits), "{hits} of 40 at 40 %");
}

#[tokio::test]
async fn whoever_gives_orders_sees_what_is_active() {
    let (server, account) = world().await;
    for fault in ["g:status=500*3", "uq:refuse=9+1"] {
        let added = order(&server, "POST", "faults", json!({ "fault": fault })).await;
        assert_eq!(added.status, 200);
    }
    let wrong = order(&server, "POST", "faults", json!({ "fault": "g:repeat" })).await;
    assert_eq!(wrong.status, 400);
    assert!(account.v3(json!({ "a": "uq" })).await.is_object());
    assert_eq!(account.v3(json!({ "a": "uq" })).await, -9);
    let listed = order(&server, "GET", "faults", Value::Null).await.text();
    let listed: Vec<Value> =
        listed.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let expected = [("g:status=500*3", 0, 0), ("uq:refuse=9+1", 2, 1)];
    for ((fault, requests, hits), line) in expected.into_iter().zip(&listed) {
        let known = json!({
            "type": "fault", "fault": fault, "requests": requests, "hits": hits, "over": false,
        });
        assert_eq!(*line, known);
    }
    assert_eq!(listed.len(), 2);
}
