//! Links to folders, contacts and shares, between two people with a home each.

use crate::world::{Done, EMAIL, World, content};

const OTHER: &str = "you@example.org";

/// A server with two users, both logged in, each with a profile.
fn two() -> World {
    let world = World::with(&["--user", "you@example.org:theirs"]);
    world.login();
    let done = you_with(&world, &["login", OTHER, "--password-stdin"], "theirs");
    assert_eq!(done.code, 0, "{}", done.stderr);
    world
}

fn you_with(world: &World, arguments: &[&str], input: &str) -> Done {
    world.run_with(&[&["--profile", "you"], arguments].concat(), input)
}

fn you(world: &World, arguments: &[&str]) -> String {
    let done = you_with(world, arguments, "");
    assert_eq!(done.code, 0, "{arguments:?}: {}", done.stderr);
    done.stdout
}

#[test]
fn a_folder_is_shared_from_the_invitation_to_the_end() {
    let world = two();
    std::fs::write(world.path("one"), content(5000)).unwrap();
    world.ok(&["mkdir", "-p", "/shared/deep"]);
    world.ok(&["put", "one", "/shared/deep"]);
    let added = world.ok(&["--json", "share", "add", "/shared", OTHER, "--access", "write"]);
    assert!(added.contains("waits_for_contact"), "{added}");
    assert!(you(&world, &["contact", "list"]).starts_with("asks you  me@example.org"));
    you(&world, &["contact", "accept", EMAIL]);
    let listed = world.ok(&["share", "list"]);
    assert!(listed.starts_with("out  write  you@example.org  /shared"), "{listed}");
    let listed = you(&world, &["share", "list"]);
    assert!(
        listed.starts_with("in   write  me@example.org  //in/me@example.org/shared"),
        "{listed}"
    );
    you(&world, &["get", "//in/me@example.org/shared/deep/one", "copy"]);
    assert_eq!(std::fs::read(world.path("copy")).unwrap(), content(5000));
    you(&world, &["put", "copy", "//in/me@example.org/shared/theirs"]);
    assert_eq!(world.ok(&["ls", "/shared"]), "deep/\ntheirs\n");
    let refused = you_with(&world, &["rm", "//in/me@example.org/shared/theirs"], "");
    assert_eq!(refused.code, 1);
    assert!(refused.stderr.contains("write only"), "{}", refused.stderr);

    let own = world.ok(&["whoami"]);
    let fingerprint = own.lines().nth(1).unwrap().strip_prefix("fingerprint ").unwrap();
    assert!(you(&world, &["contact", "verify", EMAIL]).contains(fingerprint));
    let wrong = fingerprint.replace(fingerprint.chars().next().unwrap(), "x");
    assert_eq!(you_with(&world, &["contact", "verify", EMAIL, &wrong], "").code, 2);
    you(&world, &["contact", "verify", EMAIL, fingerprint]);
    assert!(you(&world, &["contact", "list"]).contains("(verified)"));

    world.ok(&["share", "remove", "/shared", OTHER]);
    assert_eq!(you(&world, &["share", "list"]), "");
    world.ok(&["get", "/shared/theirs", "back"]);
    assert_eq!(std::fs::read(world.path("back")).unwrap(), content(5000));
    world.ok(&["contact", "remove", OTHER]);
    assert_eq!(world.ok(&["contact", "list"]), "");
}

/// Those to a folder and to a file below the one that is linked.
fn links_into_a_folder_are_explained(world: &World, url: &str) {
    let handle = |path: &str| {
        let node = world.ok(&["--json", "ls", "-d", path]);
        let node: serde_json::Value = serde_json::from_str(&node).unwrap();
        node["handle"].as_str().unwrap().to_owned()
    };
    let (deep, one) = (handle("/shared/deep"), handle("/shared/deep/one"));
    let to_folder = format!("{url}/folder/{deep}");
    let info = world.ok(&["link", "info", &to_folder]);
    assert_eq!(info, "folder in a folder deep: 1 files, 0 folders, 3000 bytes (3.0 KiB)\n");
    let to_file = format!("{url}/file/{one}");
    let info = world.ok(&["link", "info", &to_file]);
    assert_eq!(info, "file in a folder one: 1 files, 0 folders, 3000 bytes (3.0 KiB)\n");
    let told = world.objects("link_info", &["link", "info", &to_file]);
    assert_eq!((&told[0]["kind"], &told[0]["name"]), (&"file in a folder".into(), &"one".into()));
    assert_eq!((&told[0]["size"], &told[0]["files"]), (&3000.into(), &1.into()));
    assert_eq!(world.run(&["link", "info", &format!("{url}/file/AAAAAAAA")]).code, 3);
    world.ok(&["get", &to_file, "by-link"]);
    assert_eq!(std::fs::read(world.path("by-link")).unwrap(), content(3000));
    assert_eq!(world.ok(&["ls", &to_folder]), "one\n");
}

#[test]
fn a_linked_folder_is_listed_read_and_imported() {
    let world = two();
    std::fs::write(world.path("one"), content(3000)).unwrap();
    world.ok(&["mkdir", "-p", "/shared/deep"]);
    world.ok(&["put", "one", "/shared/deep"]);
    let url = world.ok(&["link", "make", "/shared"]).trim().to_owned();
    assert_eq!(world.ok(&["link", "list"]), format!("{url}  /shared\n"));
    let info = world.ok(&["link", "info", &url]);
    assert_eq!(info, "folder shared: 1 files, 1 folders, 3000 bytes (3.0 KiB)\n");
    assert_eq!(you(&world, &["import", &url]), "/shared\n");
    links_into_a_folder_are_explained(&world, &url);
    you(&world, &["get", "/shared/deep/one", "copy"]);
    assert_eq!(std::fs::read(world.path("copy")).unwrap(), content(3000));
    assert_eq!(you_with(&world, &["import", &url], "").code, 1, "it is there already");

    let make =
        ["link", "make", "--protect", "--link-password-stdin", "--expires", "30d", "/shared"];
    let done = world.run_with(&make, "swordfish\n");
    assert_eq!(done.code, 0, "{}", done.stderr);
    let protected = done.stdout.trim();
    assert!(protected.contains("#P!"), "{protected}");
    let open = ["link", "info", "--link-password-stdin", protected];
    assert_eq!(world.run_with(&open, "wrong\n").code, 7);
    assert!(world.run_with(&open, "swordfish\n").stdout.contains("protected by a password"));
    assert!(world.ok(&["link", "list"]).contains("  until "));
    assert_eq!(world.run(&["link", "make", "--expires", "yesterday", "/shared"]).code, 2);
    let writable = world.ok(&["link", "make", "--writable", "/shared"]);
    assert_eq!(writable.split_whitespace().count(), 2, "{writable}");
    assert_eq!(world.run(&["rm", "-r", "/shared"]).code, 1, "the link comes first");
    world.ok(&["link", "remove", "/shared"]);
    assert_eq!(world.run(&["link", "info", &url]).code, 3);
    world.ok(&["rm", "-r", "/shared"]);
}

#[test]
fn shares_of_other_profiles_are_named_by_their_paths() {
    let world = two();
    you(&world, &["mkdir", "/theirs"]);
    world.ok(&["contact", "invite", OTHER]);
    you(&world, &["contact", "accept", EMAIL]);
    world.ok(&["share", "add", "you:/theirs", EMAIL]);
    // The first listing makes keys, the second hands over that of the share.
    world.ok(&["share", "list"]);
    you(&world, &["share", "list"]);
    assert_eq!(
        world.ok(&["share", "list"]).trim_end(),
        "in   read   you@example.org  //in/you@example.org/theirs"
    );
    assert_eq!(you(&world, &["share", "leave", "default://in/you@example.org/theirs"]), "");
    assert_eq!(world.ok(&["share", "list"]), "");
    world.ok(&["share", "add", "you:/theirs", EMAIL]);
    world.ok(&["share", "remove", "you:/theirs", EMAIL]);
    assert_eq!(you(&world, &["share", "list"]), "");
    assert_eq!(world.run(&["share", "add", "nobody:/theirs", EMAIL]).code, 4);
}
