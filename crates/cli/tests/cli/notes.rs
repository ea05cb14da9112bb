//! The rubbish bin, old versions, and what is noted on nodes.

use crate::world::World;

#[test]
fn what_was_thrown_away_comes_back_to_where_it_lay() {
    let world = World::logged_in();
    std::fs::write(world.path("file"), "kept").unwrap();
    world.ok(&["mkdir", "-p", "/a/b"]);
    world.ok(&["put", "file", "/a/b"]);
    world.ok(&["rm", "/a/b/file"]);
    let listed = world.ok(&["trash", "list"]);
    assert!(listed.ends_with("  file  from /a/b\n"), "{listed}");
    assert_eq!(world.ok(&["trash", "restore", "//trash/file"]), "/a/b/file\n");
    assert_eq!(world.ok(&["cat", "/a/b/file"]), "kept");
    assert_eq!(world.run(&["trash", "restore", "/a/b/file"]).code, 1, "it is not there");
    // Where the folder is gone too, the root takes it; a namesake is not replaced.
    world.ok(&["rm", "/a/b/file"]);
    world.ok(&["rm", "-r", "/a/b"]);
    world.ok(&["put", "file", "/file"]);
    assert_eq!(world.run(&["trash", "restore", "//trash/file"]).code, 1);
    world.ok(&["rm", "--permanent", "/file"]);
    assert_eq!(world.ok(&["trash", "restore", "//trash/file"]), "/file\n");
    world.ok(&["trash", "empty"]);
    assert_eq!(world.ok(&["trash", "list"]), "");
    world.ok(&["trash", "empty"]);
}

#[test]
fn old_versions_are_shown_restored_and_pruned() {
    let world = World::logged_in();
    for text in ["one", "second", "third one", "the fourth one"] {
        std::fs::write(world.path("file"), text).unwrap();
        world.ok(&["put", "file", "/"]);
    }
    let sizes = |listed: &str| -> Vec<String> {
        listed.lines().map(|line| line.split_whitespace().last().unwrap().to_owned()).collect()
    };
    assert_eq!(sizes(&world.ok(&["versions", "list", "/file"])), ["9", "6", "3"]);
    world.ok(&["versions", "restore", "/file", "2"]);
    assert_eq!(world.ok(&["cat", "/file"]), "second");
    assert_eq!(sizes(&world.ok(&["versions", "list", "/file"])), ["14", "9", "6", "3"]);
    assert_eq!(world.run(&["versions", "restore", "/file", "9"]).code, 3);
    assert_eq!(world.run(&["versions", "prune", "/file"]).code, 2);
    world.ok(&["versions", "prune", "/file", "--keep", "3", "--older-than", "1h"]);
    assert_eq!(sizes(&world.ok(&["versions", "list", "/file"])), ["14", "9", "6", "3"]);
    world.ok(&["versions", "prune", "/file", "--keep", "2"]);
    assert_eq!(sizes(&world.ok(&["versions", "list", "/file"])), ["14", "9"]);
    assert_eq!(world.ok(&["cat", "/file"]), "second");
    world.ok(&["versions", "prune", "/file", "--older-than", "0s"]);
    assert_eq!(world.ok(&["versions", "list", "/file"]), "");
}

#[test]
fn marks_are_set_and_stay_through_a_rename() {
    let world = World::logged_in();
    world.ok(&["mkdir", "/folder"]);
    let none = "favourite no  label none  tags none  description none\n";
    assert_eq!(world.ok(&["mark", "/folder"]), none);
    let set = ["mark", "/folder", "--favourite", "yes", "--label", "blue", "--tags", "a, b"];
    world.ok(&[&set[..], &["--description", "what it is"]].concat());
    world.ok(&["mv", "/folder", "/renamed"]);
    let all = "favourite yes  label blue  tags a,b  description what it is\n";
    assert_eq!(world.ok(&["mark", "/renamed"]), all);
    let unset = ["--favourite", "no", "--label", "none", "--tags", "", "--description", ""];
    assert_eq!(world.ok(&[&["mark", "/renamed"], &unset[..]].concat()), none);
    assert_eq!(world.run(&["mark", "/renamed", "--label", "pink"]).code, 2);
    assert_eq!(world.run(&["mark", "/renamed", "--tags", "1"]).code, 2);
}

/// A picture of 300 by 2 pixels.
const PNG: &str = "89504e470d0a1a0a0000000d494844520000012c000000020100000000cad7dc2a0000000f4944415478da6358451460204e1900b0ff327973db8a210000000049454e44ae426082";

#[test]
fn pictures_have_thumbnails_unless_somebody_wants_none() {
    let world = World::logged_in();
    let png: Vec<u8> = (0..PNG.len() / 2)
        .map(|i| u8::from_str_radix(&PNG[2 * i..2 * i + 2], 16).unwrap())
        .collect();
    std::fs::create_dir(world.path("pictures")).unwrap();
    for name in ["one.png", "two.PNG", "no picture.png"] {
        let bytes = if name.starts_with("no") { &b"no picture"[..] } else { &png };
        std::fs::write(world.path("pictures").join(name), bytes).unwrap();
    }
    world.ok(&["put", "--no-thumbnails", "pictures", "/"]);
    assert_eq!(world.run(&["thumbnail", "get", "/pictures/one.png"]).code, 3);
    assert_eq!(world.ok(&["thumbnail", "make", "/pictures/one.png"]), "made  /pictures/one.png\n");
    let made = world.run(&["thumbnail", "make", "/pictures"]);
    assert_eq!(made.code, 8, "{}", made.stderr);
    assert!(made.stderr.contains("no picture that can be read"), "{}", made.stderr);
    assert!(made.stdout.contains("skipped  /pictures/one.png"), "{}", made.stdout);
    assert!(made.stdout.contains("made  /pictures/two.PNG"), "{}", made.stdout);

    world.ok(&["put", "pictures/one.png", "/copy.png"]);
    world.ok(&["thumbnail", "get", "/copy.png"]);
    let saved = std::fs::read(world.path("copy.thumbnail.jpg")).unwrap();
    assert!(saved.starts_with(&[0xff, 0xd8]) && saved.ends_with(&[0xff, 0xd9]));
    assert_eq!(world.run(&["thumbnail", "get", "/copy.png"]).code, 1, "it is there");
    world.ok(&["thumbnail", "get", "--force", "/copy.png"]);
    world.ok(&["thumbnail", "get", "--preview", "/copy.png", "larger.jpg"]);
    assert_ne!(std::fs::read(world.path("larger.jpg")).unwrap(), saved);
    let link = world.ok(&["link", "make", "/copy.png"]);
    world.ok(&["thumbnail", "get", link.trim(), "by link.jpg"]);
    assert_eq!(std::fs::read(world.path("by link.jpg")).unwrap(), saved);
    assert_eq!(world.run(&["thumbnail", "get", "/nothing"]).code, 3);
}
