//! A copy tool's options: which files, what to replace, how fast; copies within the account; verification.

use crate::world::{Done, World, content, snapshot};

fn states(world: &World, arguments: &[&str]) -> Vec<String> {
    let files = world.objects("file", arguments);
    let state = |file: &serde_json::Value| {
        let path = file["path"].as_str().unwrap();
        format!("{} {}", path.rsplit('/').next().unwrap(), file["state"].as_str().unwrap())
    };
    let mut states: Vec<String> = files.iter().map(state).collect();
    states.sort();
    states
}

/// A world with a folder of a few files, up already.
fn with_folder() -> World {
    let world = World::logged_in();
    for path in ["a.jpg", "b.txt", "cache/c.jpg", "deep/er/d.jpg", "deep/e.tmp"] {
        let path = world.path("folder").join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, path.as_os_str().as_encoded_bytes()).unwrap();
    }
    world.ok(&["put", "folder", "/"]);
    world
}

#[test]
fn files_are_chosen() {
    let world = with_folder();
    for (flags, expected) in [
        (&["--include", "*.jpg"][..], &["a.jpg", "c.jpg", "d.jpg"][..]),
        (&["--include", "*.jpg", "--exclude", "cache"], &["a.jpg", "d.jpg"]),
        (&["--exclude", "/deep/**"], &["a.jpg", "b.txt", "c.jpg"]),
        (&["--include", "[ab].{jpg,txt}"], &["a.jpg", "b.txt"]),
        (&["--exclude", "{cach[a-e],deep}/"], &["a.jpg", "b.txt"]),
        (&["--exclude", "[!de]*"], &["d.jpg", "e.tmp"]),
        (&["--max-depth", "1"], &["a.jpg", "b.txt"]),
        (&["--files-from", "list"], &["b.txt", "d.jpg"]),
    ] {
        std::fs::write(world.path("list"), "b.txt\n./deep/er/d.jpg\nmissing\n").unwrap();
        for (verb, source, target) in [("get", "/folder", "copy"), ("put", "folder", "/copy")] {
            let arguments = [&[verb], flags, &[source, target]].concat();
            let dry = [&arguments[..], &["--dry-run"]].concat();
            let word = if verb == "get" { "download" } else { "upload" };
            let would: Vec<String> =
                expected.iter().map(|name| format!("{name} would_{word}")).collect();
            assert_eq!(states(&world, &dry), would, "{dry:?}");
            assert!(!world.path("copy").exists() && world.run(&["ls", "/copy"]).code == 3);
            let done: Vec<String> =
                expected.iter().map(|name| format!("{name} {word}ed")).collect();
            assert_eq!(states(&world, &arguments), done, "{arguments:?}");
            if verb == "get" {
                assert_eq!(snapshot(&world.path("copy")).len(), expected.len());
                let deep = world.path("copy/deep").is_dir();
                assert_eq!(deep, expected.contains(&"d.jpg"), "{arguments:?}");
                std::fs::remove_dir_all(world.path("copy")).unwrap();
            } else {
                world.ok(&["rm", "-r", "--permanent", "/copy"]);
            }
        }
    }
}

#[test]
fn what_is_there_is_replaced_as_asked() {
    let world = World::logged_in();
    let file = world.path("file");
    let touch = |seconds: u64| {
        let time = std::time::UNIX_EPOCH + std::time::Duration::from_secs(seconds);
        std::fs::File::options().write(true).open(&file).unwrap().set_modified(time).unwrap();
    };
    std::fs::write(&file, "one").unwrap();
    touch(1_000_000_000);
    world.ok(&["put", "file", "/"]);
    std::fs::write(&file, "two!").unwrap();
    touch(900_000_000);
    assert_eq!(states(&world, &["put", "--overwrite", "newer", "file", "/"]), ["file skipped"]);
    assert_eq!(states(&world, &["put", "--overwrite", "never", "file", "/"]), ["file skipped"]);
    assert_eq!(world.run(&["put", "--overwrite", "ask", "file", "/"]).code, 1);
    // The remote one is newer: it comes.
    assert_eq!(states(&world, &["get", "--overwrite", "newer", "/file"]), ["file downloaded"]);
    assert_eq!(std::fs::read(&file).unwrap(), b"one");
    assert_eq!(states(&world, &["get", "--overwrite", "always", "/file"]), ["file downloaded"]);
    // The same size and time, and another content.
    std::fs::write(&file, "uno").unwrap();
    touch(1_000_000_000);
    assert_eq!(states(&world, &["put", "file", "/"]), ["file skipped"]);
    assert_eq!(states(&world, &["put", "--checksum", "file", "/"]), ["file uploaded"]);
    assert_eq!(world.ok(&["cat", "/file"]), "uno");
    // Another time, and the same content.
    touch(1_100_000_000);
    assert_eq!(states(&world, &["get", "-c", "/file"]), ["file skipped"]);
    assert_eq!(states(&world, &["put", "-c", "file", "/"]), ["file skipped"]);
}

#[test]
fn parts_of_files_are_shown() {
    let world = World::logged_in();
    std::fs::write(world.path("file"), "0123456789").unwrap();
    world.ok(&["put", "file", "/"]);
    for (range, text) in [("2-4", "234"), ("7-", "789"), ("-3", "789"), ("5-500", "56789")] {
        assert_eq!(world.ok(&["cat", "--range", range, "/file"]), text, "{range}");
    }
    assert_eq!(world.ok(&["cat", "/file", "/file"]), "01234567890123456789");
    let partly = world.run(&["cat", "/file", "/missing", "/", "/file"]);
    assert_eq!((partly.code, partly.stdout.as_str()), (8, "01234567890123456789"));
    assert!(partly.stderr.contains("/missing not found"), "{}", partly.stderr);
    assert_eq!(world.run(&["cat", "/missing", "/missing"]).code, 3);
    assert_eq!(world.run(&["cat", "--range", "4-2", "/file"]).code, 2);
    assert_eq!(world.run(&["cat", "/"]).code, 1);
    std::fs::write(world.path("large"), content(9 << 20)).unwrap();
    world.ok(&["put", "large", "/"]);
    let output = world.command(&["cat", "--range", "4194300-8400000", "/large"]).output().unwrap();
    assert!(output.stdout == content(9 << 20)[4_194_300..=8_400_000]);
}

#[test]
fn a_copy_goes_where_its_prefixes_say() {
    let world = with_folder();
    world.ok(&["cp", "mega:/folder", "down"]);
    assert!(snapshot(&world.path("down")) == snapshot(&world.path("folder")));
    world.ok(&["cp", "down", "mega:/up"]);
    world.ok(&["mkdir", "/in"]);
    world.ok(&["cp", "mega:/up", "mega:/folder/b.txt", "mega:/in"]);
    world.ok(&["get", "/in/up", "again"]);
    assert!(snapshot(&world.path("again")) == snapshot(&world.path("folder")));
    // A second time there is nothing to do, and what has changed becomes a new version.
    assert!(states(&world, &["cp", "mega:/up", "mega:/in"]).iter().all(|s| s.ends_with("skipped")));
    std::fs::write(world.path("down/b.txt"), "changed").unwrap();
    world.ok(&["put", "down/b.txt", "/up"]);
    let changed = states(&world, &["cp", "--dry-run", "mega:/up", "mega:/in"]);
    assert_eq!(changed.iter().filter(|state| *state == "b.txt would_copy").count(), 1);
    world.ok(&["cp", "mega:/up", "mega:/in"]);
    assert_eq!(world.ok(&["cat", "/in/up/b.txt"]), "changed");
    assert_eq!(world.ok(&["ls", "/in/up"]), "a.jpg\nb.txt\ncache/\ndeep/\n");
    world.ok(&["cp", "mega:/up/b.txt", "mega:/renamed"]);
    assert_eq!(world.ok(&["cat", "/renamed"]), "changed");
    for (arguments, code) in [
        (&["cp", "down", "here"][..], 2),
        (&["cp", "down", "mega:/up", "mega:/in"], 2),
        (&["cp", "mega:/in", "mega:/in/up"], 1),
        (&["cp", "mega:/missing", "mega:/in"], 3),
        (&["cp", "--include", "*", "mega:/up", "mega:/in"], 2),
    ] {
        let done = world.run(arguments);
        assert_eq!(done.code, code, "{arguments:?}: {}", done.stderr);
    }
}

#[test]
fn a_copy_within_the_account_says_what_it_came_to() {
    let world = with_folder();
    world.ok(&["mkdir", "/in"]);
    let told = &world.objects("summary", &["cp", "mega:/folder", "mega:/in"])[0];
    let size = snapshot(&world.path("folder")).values().map(Vec::len).sum::<usize>();
    assert_eq!((&told["files"], &told["bytes"]), (&5.into(), &size.into()), "{told}");
    assert_eq!((&told["skipped"], &told["failed"]), (&0.into(), &0.into()), "{told}");
    std::fs::write(world.path("folder/b.txt"), "changed").unwrap();
    world.ok(&["put", "folder", "/"]);
    let done = world.run(&["cp", "mega:/folder", "mega:/in"]);
    assert!(done.stderr.contains("1 file of 7 copied; "), "{}", done.stderr);
    assert!(done.stderr.contains("; 4 files left as they were"), "{}", done.stderr);
    let told = world.objects("summary", &["cp", "--dry-run", "mega:/folder", "mega:/in"]);
    assert!(told.is_empty(), "{told:?}");
}

#[test]
fn differences_are_found_without_a_download() {
    let world = with_folder();
    let done = world.run(&["verify", "folder", "/folder"]);
    assert_eq!((done.code, done.stdout.as_str()), (0, ""), "{}", done.stderr);
    assert!(done.stderr.contains("5 the same, 0 not"), "{}", done.stderr);
    let changed = world.path("folder/deep/er/d.jpg");
    let mut bytes = std::fs::read(&changed).unwrap();
    bytes[3] ^= 1;
    let time = std::fs::metadata(&changed).unwrap().modified().unwrap();
    std::fs::write(&changed, bytes).unwrap();
    std::fs::File::options().write(true).open(&changed).unwrap().set_modified(time).unwrap();
    std::fs::remove_file(world.path("folder/b.txt")).unwrap();
    std::fs::write(world.path("folder/new"), "new").unwrap();
    let done = world.run(&["verify", "folder", "/folder"]);
    let mut lines: Vec<&str> = done.stdout.lines().collect();
    lines.sort_unstable();
    let expected = ["different folder/deep/er/d.jpg", "extra folder/new", "missing folder/b.txt"];
    assert_eq!((done.code, lines), (7, expected.to_vec()), "{}", done.stderr);
    let link = world.ok(&["link", "make", "/folder/a.jpg"]);
    assert_eq!(world.run(&["verify", "folder/a.jpg", "/folder/a.jpg"]).code, 0);
    assert_eq!(world.run(&["verify", "folder/new", "/folder/a.jpg"]).code, 7);
    assert_eq!(world.run(&["verify", "folder", "/folder/a.jpg"]).code, 1);
    drop(link);
}

/// A file with a length that not even root can read: the kernel only takes what is written to it.
#[cfg(target_os = "linux")]
const UNREADABLE: &str = "/sys/devices/system/clocksource/clocksource0/unbind_clocksource";

#[cfg(target_os = "linux")]
#[test]
fn what_cannot_be_read_ends_no_comparison() {
    let Ok(unreadable) = std::fs::metadata(UNREADABLE) else {
        eprintln!("this machine has no file that cannot be read: not tested");
        return;
    };
    let world = with_folder();
    let length = unreadable.len();
    std::fs::write(world.path("folder/a.dat"), content(length.try_into().unwrap())).unwrap();
    world.ok(&["put", "folder", "/"]);
    std::fs::remove_file(world.path("folder/a.dat")).unwrap();
    std::os::unix::fs::symlink(UNREADABLE, world.path("folder/a.dat")).unwrap();
    let done = world.run(&["verify", "folder", "/folder"]);
    assert_eq!((done.code, done.stdout.as_str()), (8, ""), "{}", done.stderr);
    assert!(done.stderr.contains("folder/a.dat"), "{}", done.stderr);
    assert!(done.stderr.contains("5 the same, 0 not, 1 not read"), "{}", done.stderr);
    let done = world.run(&["verify", "folder/a.dat", "/folder/a.dat"]);
    assert_eq!(done.code, 1, "{}", done.stderr);
    std::fs::remove_file(world.path("folder/b.txt")).unwrap();
    let done = world.run(&["verify", "folder", "/folder"]);
    assert_eq!((done.code, done.stdout.as_str()), (7, "missing folder/b.txt\n"));
}

#[cfg(target_os = "linux")]
#[test]
fn what_lies_too_deep_for_this_system_holds_up_nothing_else() {
    let world = World::logged_in();
    std::fs::write(world.path("file"), content(10)).unwrap();
    let deep = format!("/top{}", format!("/{}", "d".repeat(250)).repeat(17));
    world.ok(&["mkdir", "-p", &deep]);
    world.ok(&["put", "file", &deep]);
    world.ok(&["put", "file", "/top"]);
    let done = world.run(&["get", "/top", "."]);
    assert_eq!(done.code, 8, "{}", done.stderr);
    assert!(std::fs::read(world.path("top/file")).unwrap() == content(10));
    let done = world.run(&["verify", "top", "/top"]);
    assert_eq!(done.code, 7, "{}", done.stderr);
    assert!(done.stderr.contains("1 the same"), "{}", done.stderr);
}

#[test]
fn quota_is_waited_for_or_said() {
    let world = World::with(&["--fault", "download:quota=1*2", "--fault", "u:error=17*1+1"]);
    world.login();
    std::fs::write(world.path("file"), content(1000)).unwrap();
    world.ok(&["put", "file", "/"]);
    let done = world.run(&["get", "/file", "copy"]);
    assert_eq!(done.code, 6, "{}", done.stderr);
    assert!(done.stderr.contains("more in 1 seconds"), "{}", done.stderr);
    let done = world.run(&["--json", "get", "--on-quota", "wait", "/file", "copy"]);
    assert_eq!(done.code, 0, "{}", done.stderr);
    let first: serde_json::Value =
        serde_json::from_str(done.stdout.lines().next().unwrap()).unwrap();
    assert_eq!((&first["type"], &first["quota"]), (&"waiting".into(), &"transfer".into()));
    std::fs::write(world.path("file"), content(2000)).unwrap();
    let done = world.run(&["put", "--on-quota", "wait", "file", "/"]);
    assert_eq!(done.code, 0, "{}", done.stderr);
    assert!(done.stderr.contains("storage quota is used up: waiting"), "{}", done.stderr);
}

#[test]
fn a_copy_within_the_account_waits_for_quota() {
    let world = World::with_outbox();
    world.login();
    std::fs::create_dir_all(world.path("folder/deep")).unwrap();
    for name in ["a", "deep/b"] {
        std::fs::write(world.path("folder").join(name), name).unwrap();
    }
    world.ok(&["put", "folder", "/"]);
    world.ok(&["mkdir", "/in"]);
    // The folder is made, and there is no room for what lies in it.
    let full = r#"{"fault":"p:error=17*1+1"}"#;
    world.post("/admin/faults", &world.admin_header(), full);
    let waiting =
        world.objects("waiting", &["cp", "--on-quota", "wait", "mega:/folder", "mega:/in"]);
    assert_eq!((waiting.len(), &waiting[0]["quota"]), (1, &"storage".into()));
    assert_eq!(world.ok(&["find", "/in", "-t", "f"]), "/in/folder/a\n/in/folder/deep/b\n");
    world.post("/admin/faults", &world.admin_header(), r#"{"fault":"p:error=17*1"}"#);
    let done = world.run(&["cp", "mega:/folder", "mega:/copy"]);
    assert_eq!(done.code, 6, "{}", done.stderr);
}

#[test]
fn a_rate_is_kept() {
    let world = World::logged_in();
    std::fs::write(world.path("file"), content(300_000)).unwrap();
    let begun = std::time::Instant::now();
    world.ok(&["put", "--limit-rate", "500K", "file", "/"]);
    world.ok(&["get", "--limit-rate", "500K", "/file", "copy"]);
    assert!(begun.elapsed() >= std::time::Duration::from_millis(1100), "{:?}", begun.elapsed());
    let slowly = ["get", "--limit-rate", "200K", "/file", "again"];
    let told = world.objects("progress", &slowly);
    let last = told.last().expect("a word a second");
    assert_eq!((&last["total_bytes"], &last["total_files"]), (&300_000.into(), &1.into()));
    assert!(last["rate"].as_u64().unwrap() <= 400_000, "{last}");
    assert!(last["eta"].as_u64().unwrap() < 10, "{last}");
    for bad in ["0", "fast", "-1"] {
        let done: Done = world.run(&["get", "--limit-rate", bad, "/file"]);
        assert_eq!(done.code, 2, "{bad}");
    }
}

/// How many requests to the API there were, and how many commands of a name in them.
fn count(requests: &[serde_json::Value], name: &str) -> (usize, usize) {
    let batches = requests.iter().filter_map(|request| request["commands"].as_array());
    let named = batches.clone().flatten().filter(|command| *command == name);
    (batches.count(), named.count())
}

#[test]
fn small_files_travel_in_few_requests() {
    let world = World::with_outbox();
    // What is asked for while an answer is on its way leaves together: on a network that takes a while.
    world.post("/admin/faults", &world.admin_header(), r#"{"fault":"api:delay=20"}"#);
    world.login();
    for number in 0..1000 {
        let folder = world.path("many").join(format!("{}", number % 50));
        std::fs::create_dir_all(&folder).unwrap();
        std::fs::write(folder.join(format!("{number}")), content(1024 + number)).unwrap();
    }
    let up = world.requests_of(&["put", "many", "/"]);
    let (requests, addresses) = count(&up, "u");
    // A node for each file and each of the 51 folders.
    assert_eq!((addresses, count(&up, "p").1), (1000, 1051));
    assert!(requests < 150, "{requests} requests up");
    let down = world.requests_of(&["get", "/many", "copy"]);
    let (requests, addresses) = count(&down, "g");
    assert_eq!(addresses, 1000);
    assert!(requests < 150, "{requests} requests down");
    assert!(snapshot(&world.path("copy")) == snapshot(&world.path("many")));
}
