//! The objects of `--json`: JSON.md says what they hold, and scripts depend on it.

use serde_json::Value;

use crate::world::{Done, EMAIL, World, command};

fn objects(text: &str) -> Vec<Value> {
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

fn fields(object: &Value) -> Vec<&str> {
    object.as_object().unwrap().keys().map(String::as_str).collect()
}

/// Runs a verb that prints one object, and gives its fields but `type`, which must be documented.
fn only(world: &World, arguments: &[&str], kind: &str, expected: &[&str]) -> Value {
    let all: Vec<&str> = [&["--json"], arguments].concat();
    let mut printed = objects(&world.ok(&all));
    if let Some(summary) = printed.pop_if(|last| last["type"] == "summary") {
        let counts = ["files", "bytes", "skipped", "failed", "seconds"];
        check(&summary, "summary", &counts);
        assert_eq!((&summary["files"], &summary["bytes"]), (&1.into(), &5.into()));
    }
    assert_eq!(printed.len(), 1, "{arguments:?}: {printed:?}");
    let object = printed.remove(0);
    check(&object, kind, expected);
    object
}

/// Expects these fields but `type`, all of them documented.
fn check(object: &Value, kind: &str, expected: &[&str]) {
    assert_eq!(object["type"], kind);
    assert_eq!(fields(object)[1..], *expected);
    let documented = include_str!("../../JSON.md");
    for word in expected.iter().chain([&kind]) {
        assert!(documented.contains(&format!("`{word}`")), "{word}");
    }
}

#[test]
fn every_verb_prints_what_is_documented() {
    let world = World::logged_in();
    let node = ["handle", "path", "name", "size", "modified", "created", "problem"];
    std::fs::write(world.path("a file"), "12345").unwrap();
    only(&world, &["mkdir", "/in"], "folder", &["path", "handle"]);
    only(&world, &["put", "a file", "/"], "file", &["path", "size", "handle", "state"]);
    let listed = only(&world, &["ls", "/a file"], "file", &node);
    assert_eq!((&listed["path"], &listed["size"]), (&"/a file".into(), &5.into()));
    assert_eq!(listed["handle"].as_str().unwrap().len(), 8);
    assert!(listed["modified"].as_i64().unwrap() > 1_600_000_000);
    only(&world, &["get", "/a file", "copy"], "file", &["path", "size", "state"]);
    let link = only(&world, &["link", "make", "/a file"], "link", &["path", "url", "write_auth"]);
    only(&world, &["import", link["url"].as_str().unwrap(), "/in"], "file", &["path", "handle"]);
    let df = ["used", "free", "total", "files", "folders", "versions", "state"];
    let more = ["transfer_left", "transfer_used", "plan", "plan_until"];
    only(&world, &["df"], "quota", &[&df[..], &more].concat());
    let who = only(
        &world,
        &["whoami"],
        "account",
        &["email", "user", "version", "api_url", "fingerprint"],
    );
    assert_eq!((&who["email"], &who["api_url"]), (&EMAIL.into(), &world.url.as_str().into()));
    let tree = objects(&world.ok(&["--json", "tree"]));
    let kinds: Vec<&Value> = tree.iter().map(|object| &object["type"]).collect();
    assert_eq!(kinds, ["root", "file", "folder", "file"]);
    only(&world, &["logout"], "logout", &[]);
}

#[test]
fn usage_errors_are_objects_too() {
    let world = World::new();
    let by_variable = world.command(&["get"]).env("SUPERMEGA_JSON", "1").output().unwrap();
    for done in [world.run(&["--json", "frobnicate"]), by_variable.into()] {
        let error: Value = serde_json::from_str(done.stderr.trim()).unwrap();
        assert_eq!((done.code, fields(&error)), (2, vec!["type", "error", "exit", "hint"]));
        assert!(!error["error"].as_str().unwrap().contains('\n'));
    }
}

#[test]
fn switches_of_the_environment_are_yes_or_no() {
    let world = World::logged_in();
    for (value, json) in [("1", true), ("true", true), ("0", false), ("", false)] {
        let output = world.command(&["df"]).env("SUPERMEGA_JSON", value).output().unwrap();
        let done: Done = output.into();
        assert_eq!((done.code, done.stdout.starts_with('{')), (0, json), "{value:?}");
    }
}

#[test]
fn the_demo_prints_objects_too() {
    let done: Done = command(&["--json", "demo"]).output().unwrap().into();
    assert_eq!(done.code, 0, "{}", done.stderr);
    assert!(objects(&done.stdout).iter().all(|object| object["type"].is_string()));
}
