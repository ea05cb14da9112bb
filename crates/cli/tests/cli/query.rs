//! Looking through the tree: `find`, `du`, `watch`.

use std::io::{BufRead, BufReader};

use serde_json::Value;

use crate::world::World;

fn world() -> World {
    let world = World::logged_in();
    world.ok(&["mkdir", "/a", "/a/Deep", "/b"]);
    for (name, size) in [("one.txt", 10), ("Two.JPG", 2000), ("three.jpg", 3000)] {
        std::fs::write(world.path(name), vec![7; size]).unwrap();
    }
    world.ok(&["put", "one.txt", "/a"]);
    world.ok(&["put", "Two.JPG", "three.jpg", "/a/Deep"]);
    world
}

fn lines(text: &str) -> Vec<&str> {
    let mut lines: Vec<&str> = text.lines().collect();
    lines.sort_unstable();
    lines
}

#[test]
fn find_shows_what_is_so_and_so() {
    let world = world();
    let find = |arguments: &[&str]| world.ok(&[&["find"], arguments].concat());
    assert_eq!(lines(&find(&["/a", "-t", "d"])), ["/a/Deep"]);
    assert_eq!(lines(&find(&["--name", "*.jpg"])), ["/a/Deep/Two.JPG", "/a/Deep/three.jpg"]);
    assert_eq!(lines(&find(&["--name", "*.JPG"])), ["/a/Deep/Two.JPG"]);
    assert_eq!(lines(&find(&["--name", "t[p-w]*.{jpg,png}"])), ["/a/Deep/Two.JPG"]);
    assert_eq!(lines(&find(&["--name", "[!T]*.{JPG,jpg}"])), ["/a/Deep/three.jpg"]);
    assert_eq!(lines(&find(&["--regex", "deep/t.o"])), ["/a/Deep/Two.JPG"]);
    assert_eq!(lines(&find(&["--min-size", "1k", "--max-size", "2500"])), ["/a/Deep/Two.JPG"]);
    assert_eq!(find(&["--older-than", "1h", "-t", "f"]), "");
    assert_eq!(lines(&find(&["--newer-than", "1h", "-t", "f"])).len(), 3);
    assert_eq!(find(&["/a", "--type", "file", "--name", "one*", "-0"]), "/a/one.txt\0");
    for bad in [
        ["--regex", "("],
        ["--name", "[a"],
        ["--name", "{a"],
        ["--newer-than", "soon"],
        ["--min-size", "x"],
    ] {
        assert_eq!(world.run(&["find", bad[0], bad[1]]).code, 2, "{bad:?}");
    }
    assert_eq!(world.run(&["find", "/nowhere"]).code, 3);
    let object: Value = serde_json::from_str(&find(&["--json", "--name", "one.txt"])).unwrap();
    assert_eq!((&object["path"], &object["size"]), (&"/a/one.txt".into(), &10.into()));
}

#[test]
fn du_adds_up() {
    let world = world();
    let sizes = world.ok(&["du", "/", "--depth", "2"]);
    let sizes: Vec<Vec<&str>> =
        sizes.lines().map(|line| line.split_whitespace().collect()).collect();
    let expected = [["5010", "/"], ["5010", "/a"], ["5000", "/a/Deep"], ["0", "/b"]];
    assert_eq!(sizes, expected.map(Vec::from));
    // A replaced file counts as its old version.
    std::fs::write(world.path("one.txt"), b"longer than before").unwrap();
    world.ok(&["put", "one.txt", "/a"]);
    let usage: Value = serde_json::from_str(&world.ok(&["--json", "du", "/a"])).unwrap();
    assert_eq!((&usage["bytes"], &usage["files"]), (&5018.into(), &3.into()));
    assert_eq!((&usage["versions"], &usage["version_bytes"]), (&1.into(), &10.into()));
}

/// A watch that has begun.
fn watching(world: &World, arguments: &[&str]) -> std::process::Child {
    let mut child = world.command(&[&["watch"], arguments].concat()).spawn().unwrap();
    let mut line = String::new();
    BufReader::new(child.stderr.as_mut().unwrap()).read_line(&mut line).unwrap();
    assert!(line.contains("watching /"), "{line}");
    child
}

#[test]
fn watch_ends_when_it_is_over_or_nobody_reads_it() {
    let world = world();
    assert_eq!(world.ok(&["watch", "--for", "1s"]), "");
    assert_eq!(world.run(&["watch", "--for", "soon"]).code, 2);
    // Nothing happens that would have to be written.
    let mut child = watching(&world, &[]);
    drop(child.stdout.take());
    assert_eq!(child.wait().unwrap().code(), Some(0));
}

#[cfg(unix)]
#[test]
fn watch_ends_when_it_is_interrupted() {
    let world = world();
    let mut child = watching(&world, &["/a"]);
    let mut kill = std::process::Command::new("kill");
    assert!(kill.args(["-INT", &child.id().to_string()]).status().unwrap().success());
    assert_eq!(child.wait().unwrap().code(), Some(130));
}

#[test]
fn watch_tells_of_every_kind_of_change() {
    let world = world();
    let mut child = world.command(&["--json", "watch"]).spawn().unwrap();
    let mut out = BufReader::new(child.stdout.take().unwrap());
    // Nothing says to a program when the watch has begun.
    let mut began = None;
    std::thread::scope(|scope| {
        let first = scope.spawn(|| next(&mut out));
        let mut number = 0;
        while !first.is_finished() {
            number += 1;
            world.ok(&["mkdir", &format!("/begin {number}")]);
        }
        began = Some((first.join().unwrap(), number));
    });
    let (mut event, last) = began.unwrap();
    while event["name"] != format!("begin {last}") {
        event = next(&mut out);
    }
    world.ok(&["mv", "/begin 1", "/renamed"]);
    world.ok(&["mv", "/renamed", "/a"]);
    world.ok(&["mark", "/a/renamed", "--favourite", "yes"]);
    world.ok(&["link", "make", "/a/one.txt"]);
    world.ok(&["rm", "-r", "--permanent", "/a/renamed"]);
    let mut seen = Vec::new();
    while seen.last().is_none_or(|(event, _, _)| event != "removed") {
        let event = next(&mut out);
        let text = |field: &str| event[field].as_str().unwrap_or_default().to_owned();
        seen.push((text("event"), text("path"), text("from")));
    }
    child.kill().unwrap();
    child.wait().unwrap();
    seen.retain(|(event, _, _)| event != "attributes");
    let seen: Vec<(&str, &str, &str)> =
        seen.iter().map(|(event, path, from)| (&event[..], &path[..], &from[..])).collect();
    assert_eq!(
        seen,
        [
            ("renamed", "/renamed", "begin 1"),
            ("moved", "/a/renamed", "/"),
            ("changed", "/a/renamed", ""),
            ("link", "/a/one.txt", ""),
            ("removed", "/a/renamed", ""),
        ]
    );
}

fn next(out: &mut impl BufRead) -> Value {
    let mut line = String::new();
    out.read_line(&mut line).unwrap();
    serde_json::from_str(&line).unwrap()
}

#[test]
fn watch_shows_what_another_run_does() {
    let world = world();
    let mut watching = world.command(&["--json", "watch", "/a", "--count", "2"]);
    // Whoever is quiet says nothing when it begins: a person is told.
    let mut watching = watching.spawn().unwrap();
    let mut spoken = world.command(&["watch", "/a", "--count", "1"]).spawn().unwrap();
    let mut line = String::new();
    BufReader::new(spoken.stderr.take().unwrap()).read_line(&mut line).unwrap();
    assert!(line.contains("watching /a"), "{line}");
    // The first may begin later than the second: changes go on until both have seen enough.
    let mut number = 0;
    while watching.try_wait().unwrap().is_none() || spoken.try_wait().unwrap().is_none() {
        number += 1;
        assert!(number < 100, "nothing is seen");
        world.ok(&["mkdir", &format!("/b/elsewhere {number}"), &format!("/a/new {number}")]);
    }
    let seen = std::io::read_to_string(watching.stdout.take().unwrap()).unwrap();
    let seen: Vec<Value> = seen.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(seen.len(), 2);
    for event in seen {
        assert_eq!((&event["type"], &event["event"]), (&"event".into(), &"added".into()));
        assert!(event["path"].as_str().unwrap().starts_with("/a/new "), "{event}");
    }
    let line = std::io::read_to_string(spoken.stdout.take().unwrap()).unwrap();
    assert!(line.starts_with("added     /a/new "), "{line}");
}
