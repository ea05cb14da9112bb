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
