//! Who may do what with a node: the owner, contacts at each level, strangers, holders of links, nobody
//! (`protocol-api.md` 2.9, 6.2, 6.6).

use serde_json::{Value, json};
use supermega_encoding::base64;

use crate::link::export;
use crate::share::{contacts, share};
use crate::world::{ATTRIBUTES, Account, folder};

/// A folder with two nodes in it, made anew for each attempt, since attempts that succeed change them.
struct Scene {
    top: String,
    dir: String,
    file: String,
}

async fn scene(me: &Account) -> Scene {
    let [root, ..] = me.roots().await;
    let top = me.folder(&root).await;
    let (dir, file) = (me.folder(&top).await, me.file(&top, b"content").await);
    Scene { top, dir, file }
}

/// What is tried, each with the least level at which it is allowed: 0 read, 1 write, 2 full, 3 own.
fn attempts(scene: &Scene) -> Vec<(u8, Value)> {
    let Scene { top, dir, file } = scene;
    // Whoever writes through a link has no master key.
    let mut new = folder();
    new.as_object_mut().unwrap().remove("k");
    let key = base64::encode(&[7; 16]);
    let put = json!({
        "a": "p", "v": 4, "t": top, "n": [new], "cr": [[top], [], [0, 0, key]],
    });
    vec![
        (0, json!({ "a": "g", "g": 1, "n": file })),
        (1, put),
        (2, json!({ "a": "a", "n": file, "at": ATTRIBUTES })),
        (2, json!({ "a": "m", "n": file, "t": dir })),
        (2, json!({ "a": "d", "n": dir })),
        (3, json!({ "a": "l", "n": file })),
        (3, json!({ "a": "s2", "n": top, "s": [{ "u": "EXP", "r": 0 }] })),
        (3, json!({ "a": "k", "nk": [top, key] })),
    ]
}

/// Whether a result is one of success; a refusal must be -11, or what `else_` says.
fn is_allowed(result: &Value, else_: i64, what: &str) -> bool {
    match result.as_i64() {
        Some(code) if code < 0 => {
            assert_eq!(code, else_, "{what}");
            false
        }
        _ => true,
    }
}

#[tokio::test]
async fn each_level_allows_what_it_should_and_no_more() {
    let (server, me, you) = contacts().await;
    server.add_user("other@example.org", "third").await.unwrap();
    let stranger = Account::login(&server, "other@example.org", "third").await;
    for level in 0..=2 {
        for (i, (needed, _)) in attempts(&scene(&me).await).into_iter().enumerate() {
            let scene = scene(&me).await;
            share(&me, &you, &scene.top, &scene.file, level).await;
            let mut attempt = attempts(&scene)[i].1.clone();
            if attempt["a"] == "p" {
                attempt["n"][0]["k"] = json!(base64::encode(&[5; 16]));
            }
            let what = format!("level {level}: {attempt}");
            let refused = stranger.v3(attempt.clone()).await;
            assert!(!is_allowed(&refused, -11, &format!("stranger: {attempt}")), "{refused}");
            let result = you.v3(attempt).await;
            assert_eq!(is_allowed(&result, -11, &what), level >= needed, "{what}: {result}");
        }
    }
}

#[tokio::test]
async fn a_link_lets_read_and_with_its_authorisation_write() {
    let (_server, me, _) = contacts().await;
    for (level, with_auth) in [(0, false), (2, false), (2, true)] {
        for (i, (needed, _)) in attempts(&scene(&me).await).into_iter().enumerate() {
            let scene = scene(&me).await;
            let link = export(&me, &scene.top, &[(&scene.top, 16), (&scene.file, 32)]).await;
            let mut name = link.clone();
            if level == 2 {
                let open = json!({ "a": "s2", "n": scene.top, "s": [{ "u": "EXP", "r": 2 }] });
                assert!(me.v3(open).await.is_array());
            }
            if with_auth {
                let link = me.v3(json!({ "a": "l", "n": scene.top, "w": "1" })).await;
                name += link[1]["w"].as_str().unwrap_or_else(|| panic!("{link}"));
            }
            let holder = me.through(&name);
            let attempt = attempts(&scene)[i].1.clone();
            let what = format!("level {level}, authorised {with_auth}: {attempt}");
            let result = holder.v3(attempt).await;
            let allowed = needed == 0 || (with_auth && level >= needed);
            assert_eq!(is_allowed(&result, -11, &what), allowed, "{what}: {result}");
        }
    }
}

#[tokio::test]
async fn nobody_and_ended_sessions_get_nothing() {
    let (server, me, you) = contacts().await;
    let scene = scene(&me).await;
    share(&me, &you, &scene.top, &scene.file, 2).await;
    assert_eq!(you.v3(json!({ "a": "sml" })).await, 0);
    for (_, attempt) in attempts(&scene) {
        for caller in [&you, &Account::guest(&server)] {
            let result = caller.v3(attempt.clone()).await;
            assert!(!is_allowed(&result, -15, &attempt.to_string()), "{attempt}: {result}");
        }
    }
}
