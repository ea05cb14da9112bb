//! The main job: folders up, looked at, down again, linked, imported, changed.

use crate::world::{EMAIL, PASSWORD, World, content, snapshot};

#[test]
fn the_demo_does_what_it_says() {
    let done: crate::world::Done = crate::world::command(&["demo"]).output().unwrap().into();
    assert_eq!(done.code, 0, "{}", done.stderr);
    assert!(done.stdout.contains("All 5 SHA-256 hashes agree."), "{}", done.stdout);
}

#[test]
fn a_folder_comes_back_bit_for_bit() {
    let world = World::logged_in();
    let folder = world.path("folder");
    std::fs::create_dir_all(folder.join("in ner/deeper")).unwrap();
    for size in [0, 1, 15, 16, 17, 131_071, 131_072, 131_073, 5 << 20] {
        std::fs::write(folder.join(size.to_string()), content(size)).unwrap();
    }
    let names = [
        "sp ace",
        "qu\"o'te",
        "📦",
        "e\u{301}",
        "-dash",
        "end ",
        "back\\slash",
        "tab\t",
        "50%25",
        "%2F",
        "%252F",
        "%2E",
    ];
    for name in names {
        std::fs::write(folder.join("in ner").join(name), name).unwrap();
    }
    world.ok(&["put", "folder", "/"]);
    let tree = world.ok(&["tree"]);
    assert!(tree.contains("└── folder/") && tree.contains("tab\\u{9}"), "{tree}");
    world.ok(&["get", "/folder", "copy"]);
    assert!(snapshot(&world.path("copy")) == snapshot(&folder));
    assert!(world.path("copy/in ner/deeper").is_dir());
}

#[test]
fn what_is_the_same_is_not_copied_again() {
    let world = World::logged_in();
    std::fs::write(world.path("file"), content(1000)).unwrap();
    world.ok(&["put", "file", "/"]);
    let states = |arguments: &[&str]| -> Vec<String> {
        let files = world.objects("file", arguments);
        files.iter().map(|file| file["state"].as_str().unwrap().to_owned()).collect()
    };
    assert_eq!(states(&["put", "file", "/"]), ["skipped"]);
    assert_eq!(states(&["get", "/file", "copy"]), ["downloaded"]);
    assert_eq!(states(&["get", "/file", "copy"]), ["skipped"]);
    std::fs::write(world.path("file"), content(2000)).unwrap();
    assert_eq!(states(&["put", "file", "/"]), ["uploaded"]);
    assert_eq!(world.ok(&["ls", "/"]), "file\n");
    assert_eq!(states(&["get", "--overwrite", "always", "/file", "copy"]), ["downloaded"]);
    assert_eq!(std::fs::read(world.path("copy")).unwrap(), content(2000));
}

#[test]
fn links_and_imports_work() {
    let world = World::logged_in();
    std::fs::write(world.path("file"), content(200_000)).unwrap();
    world.ok(&["put", "file", "/"]);
    let link = world.ok(&["link", "make", "/file"]).trim().to_owned();
    world.ok(&["mkdir", "/inbox"]);
    world.ok(&["import", &link, "/inbox"]);
    assert_eq!(world.ok(&["ls", "/inbox"]), "file\n");
    world.ok(&["logout"]);
    // Nobody is logged in any more: a link needs no account.
    world.ok(&["get", &link, "by link"]);
    assert_eq!(std::fs::read(world.path("by link")).unwrap(), content(200_000));
}

#[test]
fn changes_show_at_the_next_command() {
    let world = World::logged_in();
    std::fs::write(world.path("file"), "x").unwrap();
    world.ok(&["mkdir", "-p", "/a/b"]);
    world.ok(&["put", "file", "/a"]);
    world.ok(&["mv", "/a/file", "/a/b"]);
    world.ok(&["mv", "/a/b/file", "/renamed"]);
    assert_eq!(world.ok(&["ls", "/"]), "a/\nrenamed\n");
    world.ok(&["rm", "/renamed"]);
    world.ok(&["rm", "-r", "--permanent", "/a"]);
    assert_eq!(world.ok(&["ls", "/"]), "");
    assert_eq!(world.ok(&["ls", "//trash"]), "renamed\n");
}

#[test]
fn standard_input_and_output_are_files_too() {
    let world = World::logged_in();
    let done = world.run_with(&["put", "-", "/piped"], "through a pipe");
    assert_eq!(done.code, 0, "{}", done.stderr);
    assert_eq!(world.ok(&["get", "/piped", "-"]), "through a pipe");
}

#[test]
fn the_environment_logs_in_and_carries_a_session() {
    let world = World::new();
    let mut command = world.command(&["whoami"]);
    command.env("SUPERMEGA_EMAIL", EMAIL).env("SUPERMEGA_PASSWORD", PASSWORD);
    let done: crate::world::Done = command.output().unwrap().into();
    assert_eq!(done.code, 0, "{}", done.stderr);
    assert!(done.stdout.starts_with(EMAIL));
    assert!(!world.path("config").exists(), "a login by the environment is not kept");
}

#[cfg(unix)]
#[test]
fn a_login_is_for_its_owner_and_its_service_alone() {
    use std::os::unix::fs::PermissionsExt;
    let world = World::logged_in();
    let mode =
        |name: &str| std::fs::metadata(world.path(name)).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode("config/sessions/default.json"), 0o600);
    assert_eq!(mode("config/sessions"), 0o700);
    let done = world.run(&["--api-url", "http://127.0.0.1:9/", "whoami"]);
    assert_eq!(done.code, 4, "{}", done.stderr);
}
