//! Each client is answered in its own grammar (`protocol-api.md` 1.4 to 1.8).

use serde_json::{Value, json};

use crate::world::{Account, file, folder, world};

#[tokio::test]
async fn tags_are_for_those_who_read_them() {
    let (_server, account) = world().await;
    let [root, _, trash] = account.roots().await;
    let node = account.file(&root, b"x").await;
    let mut last = String::new();
    for command in [
        json!({ "a": "a", "n": node, "at": "QQ" }),
        json!({ "a": "m", "n": node, "t": trash }),
        json!({ "a": "l", "n": node }),
        json!({ "a": "l", "n": node, "d": 1 }),
        json!({ "a": "up2", "firstname": "QQ" }),
        json!({ "a": "p", "t": root, "n": [folder()] }),
        json!({ "a": "d", "n": node }),
    ] {
        let result = account.v3(command.clone()).await;
        let tag = result.as_str().or(result[0].as_str());
        let tag = tag.unwrap_or_else(|| panic!("{command}: {result}")).to_owned();
        assert!((tag.len(), &tag) > (last.len(), &last), "{command}: {last} then {tag}");
        last = tag;
    }
    // A result that is text is never bare, and what changes nothing has no tag.
    let node = account.file(&root, b"x").await;
    let link = account.v3(json!({ "a": "l", "n": node })).await;
    assert_eq!(account.v3(json!({ "a": "l", "n": node })).await, json!([0, link[1]]));
}

#[tokio::test]
async fn older_clients_get_bare_results() {
    let (_server, account) = world().await;
    let [root, _, trash] = account.roots().await;
    let made = account.legacy(json!({ "a": "p", "t": root, "n": [folder()] })).await;
    let node = made["f"][0]["h"].as_str().unwrap().to_owned();
    assert_eq!(account.legacy(json!({ "a": "a", "n": node, "at": "QQ" })).await, 0);
    assert_eq!(account.legacy(json!({ "a": "m", "n": node, "t": trash })).await, 0);
    assert_eq!(account.legacy(json!({ "a": "d", "n": node })).await, 0);
    let leaf = account.file(&root, b"x").await;
    let link = account.legacy(json!({ "a": "l", "n": leaf })).await;
    assert_eq!(link.as_str().unwrap().len(), 8);
    assert_eq!(account.legacy(json!({ "a": "l", "n": leaf, "d": 1 })).await, 0);
    let source = account.legacy(json!({ "a": "g", "g": 1, "n": leaf })).await;
    assert!(source["g"].as_str().unwrap().starts_with("http://127.0.0.1:"));
    let source = account.v3(json!({ "a": "g", "g": 1, "n": leaf })).await;
    assert!(source["g"].as_str().unwrap().starts_with("HTTP://127.0.0.1:"));
    assert!(source["g"].as_str().unwrap().len() < 400);
    assert!(account.v3(json!({ "a": "g", "n": leaf })).await.get("g").is_none());
}

#[tokio::test]
async fn what_official_readers_stumble_over_is_never_written() {
    let (_server, account) = world().await;
    let [root, ..] = account.roots().await;
    account.file(&root, b"x").await;
    for command in ["ug", "uq", "f"] {
        let body = account.send("&v=3", &format!("[{{\"a\":\"{command}\",\"v\":1}}]")).await;
        for bad in ["true", "false", "null", ": ", ", ", "\n"] {
            assert!(!body.contains(bad), "{command}: {bad:?} in {body}");
        }
    }
}

#[tokio::test]
async fn what_is_not_known_is_refused_item_by_item() {
    let (server, account) = world().await;
    server.clear_request_log();
    let batch = r#"[{"a":"ug"},{"a":"new"},{"a":"pk"},{"a":"gpsa"},{"a":"ftz"},{"a":"stp"},
        {"a":"wmip"},{"a":"log","e":1},{"a":"clog"},{"a":"sla"},{"n":1},{"a":"d"},5,null]"#;
    let results: Value = serde_json::from_str(&account.send("&v=3", batch).await).unwrap();
    assert!(results[0].is_object());
    // Where this machine is, nobody knows.
    assert_eq!(results[6], json!({ "cc": "ZZ", "ip": "127.0.0.1" }));
    assert_eq!(json!(results.as_array().unwrap()[1..6]), json!([-2, -9, -9, -9, -9]));
    assert_eq!(json!(results.as_array().unwrap()[7..]), json!([0, 0, 0, -2, -2, -2, -2]));
    let log = server.request_log();
    let supermega_server::LoggedRequest::Api(names) = &log[0] else { panic!("{log:?}") };
    assert_eq!(&names[..4], ["ug", "new", "pk", "gpsa"]);
}

#[tokio::test]
async fn an_atomic_batch_is_carried_out_whole_or_not() {
    let (_server, account) = world().await;
    let [root, ..] = account.roots().await;
    let put = json!({ "a": "p", "t": root, "n": [folder()] });
    let batch = json!([put, { "a": "d", "n": "zzzzzzzz" }]).to_string();
    assert_eq!(account.send("&bc=1&v=3", &batch).await, "[-25,-9]");
    assert_eq!(account.v3(json!({ "a": "f" })).await["f"].as_array().unwrap().len(), 3);
    account.send("&v=3", &batch).await;
    assert_eq!(account.v3(json!({ "a": "f" })).await["f"].as_array().unwrap().len(), 4);
}

#[tokio::test]
async fn the_same_request_is_carried_out_once() {
    let (_server, account) = world().await;
    let [root, ..] = account.roots().await;
    let put = json!([{ "a": "p", "t": root, "n": [folder()] }]).to_string();
    let tree = json!([{ "a": "f" }]).to_string();
    let empty = account.send_as(1, "&v=3", &tree).await;
    let sent = std::iter::repeat_with(|| account.send_as(1, "&v=3", &put)).take(4);
    let answers = futures_util::future::join_all(sent).await;
    assert!(answers.iter().all(|answer| *answer == answers[0]), "{answers:?}");
    // What changes nothing is not answered from memory.
    assert_ne!(account.send_as(1, "&v=3", &tree).await, empty);
    // Another body, another id or another session is another request.
    let other = json!([{ "a": "p", "t": root, "n": [folder(), folder()] }]).to_string();
    assert_ne!(account.send_as(1, "&v=3", &other).await, answers[0]);
    assert_ne!(account.send_as(2, "&v=3", &put).await, answers[0]);
    let tree = account.v3(json!({ "a": "f" })).await;
    assert_eq!(tree["f"].as_array().unwrap().len(), 3 + 1 + 2 + 1);
}

#[tokio::test]
async fn results_come_in_the_order_of_the_commands() {
    let (_server, account) = world().await;
    let [root, ..] = account.roots().await;
    let leaf = account.file(&root, b"x").await;
    let batch = json!([
        { "a": "p", "t": root, "n": [folder()] },
        { "a": "uq" },
        { "a": "d", "n": leaf },
        { "a": "d", "n": leaf },
        { "a": "p", "t": root, "n": [file(&leaf)] },
    ]);
    let results: Value = serde_json::from_str(&account.send("", &batch.to_string()).await).unwrap();
    assert_eq!(results[0]["f"][0]["t"], 1);
    assert_eq!(results[1]["cstrg"], 1);
    assert_eq!(json!(results.as_array().unwrap()[2..]), json!([0, -9, -9]));
}

#[tokio::test]
async fn side_requests_are_answered() {
    let (_server, account) = world().await;
    let url = |path: &str| format!("{}{path}", account.url);
    let status = async |path: &str| crate::http::post(&url(path), b"").await.status;
    assert_eq!(crate::http::post(&url("cs?&sid=x&wlt=1"), b"").await.text(), "1");
    assert_eq!(status("pf?h").await, 200);
    assert_eq!(status("cs/rs?sid=x").await, 404);
    for path in ["", "x", "dl/x", "dl/x/0-1", "ul/x/0", "ul/../0", "w/x"] {
        assert_eq!(status(path).await, 404, "{path}");
    }
    let guest = Account { who: "&sid=AAAA".into(), ..account.clone() };
    assert_eq!(guest.send("&v=3", r#"[{"a":"ug"}]"#).await, "-15");
}
