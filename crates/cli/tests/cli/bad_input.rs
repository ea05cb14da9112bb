//! Bad input: each with its exit code and one plain sentence, and nothing half done left behind.

use crate::world::{Done, EMAIL, PASSWORD, World, content, snapshot};

fn refused(done: &Done, code: i32, text: &str) {
    assert_eq!(done.code, code, "{}", done.stderr);
    assert!(done.stderr.contains(text), "{}", done.stderr);
    assert!(done.stderr.starts_with("error: "), "{}", done.stderr);
    assert_eq!(done.stdout, "");
    assert!(!done.stderr.contains("panicked"), "{}", done.stderr);
}

#[test]
fn a_wrong_password() {
    let world = World::new();
    let done = world.run_with(&["login", EMAIL, "--password-stdin"], "wrong\n");
    refused(&done, 4, "wrong e-mail address or password");
}

#[test]
fn nobody_logged_in() {
    refused(&World::new().run(&["ls"]), 4, "not logged in");
}

#[test]
fn hosts_that_do_not_answer() {
    let world = World::new();
    for (url, text) in
        [("http://127.0.0.1:1/", "connection refused"), ("http://nowhere.invalid/", "unknown host")]
    {
        let arguments = ["--api-url", url, "login", EMAIL, "--password-stdin"];
        refused(&world.run_with(&arguments, "x"), 5, text);
    }
    refused(&world.run(&["--api-url", "nonsense", "ls"]), 2, "API address");
}

#[test]
fn links_that_are_none() {
    let world = World::logged_in();
    refused(&world.run(&["get", "https://mega.nz/file/short#x"]), 2, "");
    refused(&world.run(&["get", "https://mega.nz/file/AQIDBAUG"]), 2, "key");
    refused(&world.run(&["get", "https://example.org/file/AQIDBAUG#AAAA"]), 2, "");
    refused(&world.run(&["get", "relative/path"]), 2, "neither a remote path");
    refused(&world.run(&["ls", "H:short"]), 2, "handle");
}

#[test]
fn a_link_with_the_key_of_another_file() {
    let world = World::logged_in();
    for name in ["one", "two"] {
        std::fs::write(world.path(name), content(1000)).unwrap();
    }
    world.ok(&["put", "one", "two", "/"]);
    let one = world.ok(&["link", "make", "/one"]);
    let two = world.ok(&["link", "make", "/two"]);
    let (handle, key) = (one.split('#').next().unwrap(), two.trim().split('#').nth(1).unwrap());
    refused(&world.run(&["get", &format!("{handle}#{key}"), "stolen"]), 7, "key");
    assert!(!world.path("stolen").exists());
    let gone = format!("https://mega.nz/file/AQIDBAUG#{key}");
    refused(&world.run(&["get", &gone, "stolen"]), 3, "not found");
}

#[test]
fn paths_that_are_not_there() {
    let world = World::logged_in();
    refused(&world.run(&["ls", "/missing"]), 3, "/missing not found");
    refused(&world.run(&["get", "/missing"]), 3, "not found");
    std::fs::write(world.path("file"), "x").unwrap();
    refused(&world.run(&["put", "file", "/no/where/file"]), 3, "not found");
    refused(&world.run(&["put", "missing", "/"]), 1, "missing");
}

#[test]
fn targets_that_are_taken() {
    let world = World::logged_in();
    std::fs::write(world.path("file"), content(100)).unwrap();
    world.ok(&["put", "file", "/"]);
    std::fs::write(world.path("file"), "mine").unwrap();
    refused(&world.run(&["get", "/file"]), 1, "exists already");
    assert_eq!(std::fs::read(world.path("file")).unwrap(), b"mine");
    refused(&world.run(&["mkdir", "/file"]), 1, "exists already");
    std::fs::create_dir(world.path("folder")).unwrap();
    refused(&world.run(&["put", "folder", "file", "/file"]), 1, "exists already");
    refused(&world.run(&["rm", "/"]), 1, "--recursive");
}

#[test]
fn namesakes_are_listed() {
    let world = World::logged_in();
    std::fs::write(world.path("file"), "x").unwrap();
    world.ok(&["put", "file", "/"]);
    let link = world.ok(&["link", "make", "/file"]).trim().to_owned();
    world.ok(&["mkdir", "/a"]);
    world.ok(&["import", &link, "/a"]);
    world.ok(&["rm", "/file"]);
    world.ok(&["rm", "/a/file"]);
    let done = world.run(&["ls", "//trash/file"]);
    refused(&done, 3, "2 nodes have this name");
    assert_eq!(done.stderr.matches("H:").count(), 2, "{}", done.stderr);
}

#[test]
fn damage_and_cuts_leave_nothing() {
    for (fault, code) in [
        ("download:flip@70000", 7),
        ("download:truncate@0", 5),
        ("download:quota=60", 6),
        ("download:status=500", 5),
    ] {
        let world = World::with(&["--fault", fault]);
        world.login();
        std::fs::write(world.path("file"), content(200_000)).unwrap();
        world.ok(&["put", "file", "/"]);
        std::fs::create_dir(world.path("target")).unwrap();
        let done = world.run(&["get", "/file", "target"]);
        refused(&done, code, "");
        assert_eq!(std::fs::read_dir(world.path("target")).unwrap().count(), 0, "{fault}");
    }
}

#[test]
fn a_full_account() {
    let world = World::with(&["--quota", "1000"]);
    world.login();
    std::fs::write(world.path("file"), content(2000)).unwrap();
    refused(&world.run(&["put", "file", "/"]), 6, "full");
}

#[cfg(unix)]
#[test]
fn an_interrupt_leaves_what_can_be_gone_on_with() {
    let world = World::with(&["--fault", "download:delay=600000*1+1"]);
    world.login();
    std::fs::write(world.path("file"), content(8 << 20)).unwrap();
    world.ok(&["put", "file", "/"]);
    std::fs::create_dir(world.path("target")).unwrap();
    let child = world.command(&["get", "/file", "target"]).spawn().unwrap();
    let target = world.path("target");
    while std::fs::read_dir(&target).unwrap().count() == 0 {
        std::thread::yield_now();
    }
    assert!(!target.join("file").exists());
    let kill = std::process::Command::new("kill").args(["-INT", &child.id().to_string()]).status();
    assert!(kill.unwrap().success());
    let done: Done = child.wait_with_output().unwrap().into();
    assert_eq!(done.code, 130, "{}", done.stderr);
    assert!(!target.join("file").exists());
    // The delay is this run's when the first one asked for nothing more before its end.
    world.ok(&["--stall-timeout", "1", "--patience", "30", "get", "/file", "target"]);
    let left = snapshot(&target);
    assert_eq!(left.len(), 1);
    assert!(left.values().eq([&content(8 << 20)]));
}

#[test]
fn errors_are_objects_when_asked() {
    let world = World::new();
    let done = world.run(&["--json", "ls"]);
    let object: serde_json::Value = serde_json::from_str(done.stderr.trim()).unwrap();
    assert_eq!((object["type"].as_str(), object["exit"].as_u64()), (Some("error"), Some(4)));
    assert!(object["hint"].as_str().unwrap().contains("login"));
}

#[test]
fn usage_errors() {
    let world = World::new();
    for arguments in [
        &["frobnicate"][..],
        &["get"],
        &["mv", "/one"],
        &["server", "--fault", "x"],
        &["server", "--fault", "@no-such-file"],
    ] {
        assert_eq!(world.run(arguments).code, 2, "{arguments:?}");
    }
}

#[test]
fn faults_come_from_a_file() {
    let home = tempfile::tempdir().unwrap();
    let file = home.path().join("faults");
    std::fs::write(&file, "# busy at first\nus0:again*2\n\nus:error=9%100\n").unwrap();
    let file = format!("@{}", file.display());
    let world = World::with(&["--fault", &file, "--fault-seed", "7"]);
    let done = world.run_with(&["login", EMAIL, "--password-stdin"], PASSWORD);
    assert_eq!(done.code, 4, "{}", done.stderr);
}
