//! Several things at once: what fails does not keep the rest from being done.

use crate::world::{World, content};

#[test]
fn a_missing_source_leaves_the_others() {
    let world = World::logged_in();
    std::fs::write(world.path("one"), "1").unwrap();
    let done = world.run(&["put", "one", "missing", "/"]);
    assert_eq!(done.code, 8, "{}", done.stderr);
    assert!(done.stderr.contains("missing") && done.stderr.ends_with("1 done, 1 failed\n"));
    std::fs::create_dir(world.path("target")).unwrap();
    let done = world.run(&["get", "/one", "/missing", "target"]);
    assert_eq!(done.code, 8, "{}", done.stderr);
    assert_eq!(std::fs::read(world.path("target/one")).unwrap(), b"1");
    let done = world.run(&["ls", "/one", "/missing"]);
    assert_eq!((done.code, done.stdout.as_str()), (8, "/one:\none\n"));
    assert_eq!(world.run(&["ls", "/no", "/missing"]).code, 3);
}

#[test]
fn a_taken_target_leaves_the_others() {
    let world = World::logged_in();
    std::fs::create_dir(world.path("folder")).unwrap();
    for name in ["a", "b"] {
        std::fs::write(world.path("folder").join(name), name).unwrap();
    }
    world.ok(&["put", "folder", "/"]);
    std::fs::create_dir(world.path("copy")).unwrap();
    std::fs::write(world.path("copy/a"), "mine").unwrap();
    let done = world.run(&["get", "/folder/a", "/folder/b", "copy"]);
    assert_eq!(done.code, 8, "{}", done.stderr);
    assert!(done.stderr.contains("hint: --overwrite always"), "{}", done.stderr);
    assert_eq!(std::fs::read(world.path("copy/a")).unwrap(), b"mine");
    assert_eq!(std::fs::read(world.path("copy/b")).unwrap(), b"b");
    world.ok(&["get", "--overwrite", "never", "/folder/a", "copy"]);
    assert_eq!(std::fs::read(world.path("copy/a")).unwrap(), b"mine");
}

#[test]
fn damage_of_one_file_leaves_the_others() {
    let world = World::with(&["--fault", "download:flip@0*1"]);
    world.login();
    std::fs::create_dir(world.path("folder")).unwrap();
    for size in [1000, 2000, 3000] {
        std::fs::write(world.path("folder").join(size.to_string()), content(size)).unwrap();
    }
    world.ok(&["put", "folder", "/"]);
    let done = world.run(&["get", "/folder", "copy"]);
    assert_eq!(done.code, 8, "{}", done.stderr);
    assert!(done.stderr.contains("2 done, 1 failed"), "{}", done.stderr);
    assert_eq!(std::fs::read_dir(world.path("copy")).unwrap().count(), 2);
}

#[test]
fn folders_of_one_name_are_merged_and_files_are_not() {
    let world = World::logged_in();
    for (path, text) in [("a/x/one", "1"), ("b/x/two", "2"), ("b/x/one", "other")] {
        let path = world.path(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }
    let done = world.run(&["put", "a/x", "b/x", "/"]);
    assert_eq!(done.code, 8, "{}", done.stderr);
    assert!(done.stderr.contains("/x/one goes there already"), "{}", done.stderr);
    assert_eq!(world.ok(&["ls", "/x"]), "one\ntwo\n");
    assert_eq!(world.ok(&["get", "/x/one", "-"]), "1");
}

#[test]
fn a_slash_at_the_end_means_a_folder() {
    let world = World::logged_in();
    std::fs::write(world.path("file"), "x").unwrap();
    assert_eq!(world.run(&["put", "file", "/new/"]).code, 3);
    world.ok(&["put", "file", "/new"]);
    assert_eq!(world.run(&["get", "/new", "target/"]).code, 1);
}

#[cfg(unix)]
#[test]
fn a_name_that_is_no_text_stays_behind_alone() {
    use std::os::unix::ffi::OsStrExt;
    let world = World::logged_in();
    std::fs::create_dir(world.path("folder")).unwrap();
    std::fs::write(world.path("folder/good"), "good").unwrap();
    let bad = std::ffi::OsStr::from_bytes(b"bad\xff");
    std::fs::write(world.path("folder").join(bad), "bad").unwrap();
    let done = world.run(&["put", "folder", "/"]);
    assert_eq!(done.code, 8, "{}", done.stderr);
    assert!(done.stderr.contains("must be Unicode"), "{}", done.stderr);
    assert_eq!(world.ok(&["ls", "/folder"]), "good\n");
}
