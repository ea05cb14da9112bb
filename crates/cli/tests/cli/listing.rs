//! Lists: orders, namesakes, what is long, what is cut off.

use std::io::{BufRead, BufReader};

use serde_json::Value;
use supermega::Client;

use crate::world::{Done, EMAIL, PASSWORD, World};

fn objects(text: &str) -> Vec<Value> {
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// Three files of sizes and ages that differ, a folder, and something in it.
fn world() -> World {
    let world = World::logged_in();
    world.ok(&["mkdir", "/d", "/d/e"]);
    for (name, size, day) in [("a", 20, 3), ("b", 3000, 1), ("c", 100, 2)] {
        let path = world.path(name);
        let file = std::fs::File::create(path).unwrap();
        std::io::Write::write_all(&mut &file, &vec![b'x'; size]).unwrap();
        let time = std::time::UNIX_EPOCH + std::time::Duration::from_hours(24 * day);
        file.set_modified(time).unwrap();
    }
    world.ok(&["put", "a", "b", "c", "/"]);
    world.ok(&["put", "a", "/d/e"]);
    world
}

/// Makes `second` a namesake of `first`: other clients do that.
fn make_namesakes(world: &World, second: &str, name: &str) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let client = Client::builder().api_url(&world.url).build().unwrap();
        let session = client.login(EMAIL, PASSWORD).await.unwrap();
        let node = session.tree().await.unwrap().at(&second.parse().unwrap()).unwrap();
        session.rename(&node, name).await.unwrap();
    });
}

#[test]
fn ls_sorts() {
    let world = world();
    for (order, expected) in [
        (&["--sort", "name"][..], "a b c d/"),
        (&["--sort", "name", "-r"], "d/ c b a"),
        (&["--sort", "size"], "b c a d/"),
        (&["--sort", "size", "-r"], "d/ a c b"),
        // The folder is from today.
        (&["--sort", "time"], "d/ a c b"),
    ] {
        let listed = world.ok(&[&["ls"], order].concat());
        assert_eq!(listed.lines().collect::<Vec<_>>().join(" "), expected, "{order:?}");
    }
    let any = world.ok(&["ls", "--sort", "none"]);
    assert_eq!(any.lines().count(), 4);
    assert_eq!(world.run(&["ls", "--sort", "colour"]).code, 2);
}

#[test]
fn ls_goes_down_and_says_more() {
    let world = world();
    let listed = world.ok(&["ls", "-R"]);
    assert_eq!(listed, "/:\na\nb\nc\nd/\n\n/d:\ne/\n\n/d/e:\na\n");
    let all = objects(&world.ok(&["--json", "ls", "-R"]));
    let paths: Vec<&str> = all.iter().map(|node| node["path"].as_str().unwrap()).collect();
    assert_eq!(paths, ["/a", "/b", "/c", "/d", "/d/e", "/d/e/a"]);
    assert_eq!(world.ok(&["ls", "-d", "/d", "/a"]), "d/\na\n");
    world.ok(&["link", "make", "/d"]);
    let long = world.ok(&["ls", "-lH"]);
    let lines: Vec<Vec<&str>> =
        long.lines().map(|line| line.split_whitespace().collect()).collect();
    assert_eq!((lines[1][0], lines[1][1], lines[1][2]), ("---", "3.0", "KiB"));
    assert_eq!((lines[3][0], lines[3][1], *lines[3].last().unwrap()), ("dls", "-", "d/"));
    let handle = lines[0][lines[0].len() - 2];
    assert_eq!(world.ok(&["cat", &format!("H:{handle}")]), "x".repeat(20));
    std::fs::write(world.path("a"), "another").unwrap();
    world.ok(&["put", "a", "/"]);
    let versions = objects(&world.ok(&["--json", "ls", "/a", "--versions"]));
    let kinds: Vec<&Value> = versions.iter().map(|object| &object["type"]).collect();
    assert_eq!(kinds, ["file", "version"]);
    assert_eq!((&versions[1]["number"], &versions[1]["size"]), (&1.into(), &20.into()));
    assert!(world.ok(&["ls", "--versions", "/a"]).contains("a (version 1, H:"));
}

#[test]
fn namesakes_are_named_by_handle() {
    let world = world();
    make_namesakes(&world, "/b", "a");
    make_namesakes(&world, "/c", "with/slash");
    std::fs::create_dir(world.path("t")).unwrap();
    let listed = world.ok(&["ls"]);
    let handles: Vec<&str> = listed
        .lines()
        .filter_map(|line| Some(line.split_once("(H:")?.1.trim_end_matches(')')))
        .collect();
    assert_eq!(handles.len(), 3, "{listed}");
    assert!(listed.ends_with("d/\n") || listed.contains("\nd/\n"), "{listed}");
    let done = world.run(&["cat", "/a"]);
    assert_eq!(done.code, 3, "{}", done.stderr);
    for handle in &handles[..2] {
        assert!(done.stderr.contains(&format!("H:{handle}")), "{}", done.stderr);
    }
    // What find and ls name can be read, each by itself.
    for command in [&["find", "-t", "f"][..], &["ls", "-R", "--json"]] {
        let printed = world.ok(command);
        let paths: Vec<String> = match command[0] {
            "find" => printed.lines().map(str::to_owned).collect(),
            _ => objects(&printed)
                .iter()
                .filter(|node| node["type"] == "file")
                .map(|node| node["path"].as_str().unwrap().to_owned())
                .collect(),
        };
        assert_eq!(paths.len(), 4, "{printed}");
        let mut lengths: Vec<usize> =
            paths.iter().map(|path| world.ok(&["cat", path]).len()).collect();
        lengths.sort_unstable();
        assert_eq!(lengths, [20, 20, 100, 3000]);
    }
    let tree = world.ok(&["tree"]);
    assert_eq!(tree.matches("(H:").count(), 3, "{tree}");
    let found = objects(&world.ok(&["--json", "dedupe", "--namesakes"]));
    assert_eq!(found.len(), 1);
    assert_eq!((&found[0]["path"], &found[0]["name"]), (&"/".into(), &"a".into()));
    assert_eq!(found[0]["nodes"].as_array().unwrap().len(), 2);
}

#[test]
fn files_of_one_content_are_listed_together() {
    let world = world();
    let done = world.run(&["dedupe"]);
    assert_eq!(done.code, 0);
    let lines: Vec<&str> = done.stdout.lines().collect();
    assert_eq!(lines.len(), 3, "{}", done.stdout);
    assert_eq!(lines[0], "2 × 20");
    assert!(lines[1].ends_with("  /a") && lines[2].ends_with("  /d/e/a"), "{}", done.stdout);
    assert!(done.stderr.contains("1 group, 20 more than once"), "{}", done.stderr);
    let group = &objects(&world.ok(&["--json", "dedupe", "/d", "/", "/a"]))[0];
    assert_eq!((&group["type"], &group["size"]), (&"same_content".into(), &20.into()));
    assert_eq!(group["nodes"].as_array().unwrap().len(), 2);
    assert_eq!(world.ok(&["dedupe", "--min-size", "21"]), "");
    assert_eq!(world.run(&["dedupe", "/nowhere"]).code, 3);
}

#[test]
fn trees_are_drawn_as_far_as_asked() {
    let world = world();
    assert_eq!(world.ok(&["tree", "-L", "1", "-d"]), "/\n└── d/\n");
    let all = world.ok(&["tree", "--sizes"]);
    assert_eq!(
        all,
        "/ (3.1 KiB)\n├── a (20)\n├── b (3.0 KiB)\n├── c (100)\n└── d/ (20)\n    └── e/ (20)\n        └── a (20)\n"
    );
    assert_eq!(world.ok(&["tree", "-L", "0", "/d"]), "d/\n");
}

#[test]
fn du_sorts_and_counts_versions() {
    let world = world();
    let du = |arguments: &[&str]| -> Vec<String> {
        let text = world.ok(&[&["du"], arguments].concat());
        text.lines().map(|line| line.split_whitespace().collect::<Vec<_>>().join(" ")).collect()
    };
    assert_eq!(du(&["-d", "3"]), ["3140 /", "20 /d", "20 /d/e"]);
    let all = ["3140 /", "3000 /b", "100 /c", "20 /a", "20 /d", "20 /d/e", "20 /d/e/a"];
    assert_eq!(du(&["-d", "3", "--all", "--sort"]), all);
    std::fs::write(world.path("b"), "short").unwrap();
    world.ok(&["put", "b", "/"]);
    assert_eq!(du(&["--versions"]), ["3145 /"]);
    assert_eq!(du(&["-H"]), ["145 /"]);
}

#[test]
fn find_knows_depth_handles_and_notes() {
    let world = world();
    let find = |arguments: &[&str]| -> Vec<String> {
        let found = world.ok(&[&["find"], arguments].concat());
        let mut found: Vec<String> = found.lines().map(str::to_owned).collect();
        found.sort_unstable();
        found
    };
    assert_eq!(find(&["-L", "1", "-t", "d"]), ["/d"]);
    assert_eq!(find(&["-L", "2", "--name", "?"]), ["/a", "/b", "/c", "/d", "/d/e"]);
    let node = &objects(&world.ok(&["--json", "ls", "/d/e"]))[0];
    let handle = node["handle"].as_str().unwrap();
    assert_eq!(find(&["--handle", handle]), ["/d/e/a"]);
    assert_eq!(find(&["/d", "--handle", &format!("H:{handle}")]), ["/d/e/a"]);
    assert!(find(&["--handle", "AAAAAAAA"]).is_empty());
    assert_eq!(world.run(&["find", "--handle", "short"]).code, 2);
    world.ok(&["mark", "/d/e/a", "--favourite", "yes", "--label", "red", "--tags", "x,y"]);
    world.ok(&["mark", "/b", "--label", "red"]);
    assert_eq!(find(&["--favourite"]), ["/d/e/a"]);
    assert_eq!(find(&["--label", "red"]), ["/b", "/d/e/a"]);
    assert_eq!(find(&["--tag", "x", "--tag", "y", "--label", "red"]), ["/d/e/a"]);
    assert!(find(&["--tag", "z"]).is_empty());
    assert_eq!(world.run(&["find", "--label", "pink"]).code, 2);
}

#[test]
fn names_of_others_do_not_reach_the_terminal() {
    let world = world();
    make_namesakes(&world, "/c", "evil\u{1b}[2J\u{202e}gpj");
    for command in [&["ls"][..], &["ls", "-lR"], &["tree"], &["find"], &["du", "-a", "-d", "1"]] {
        let printed = world.ok(command);
        assert!(printed.contains("evil"), "{command:?}");
        assert!(!printed.contains(['\u{1b}', '\u{202e}']), "{command:?}");
    }
    assert!(world.ok(&["find", "-0"]).contains("evil\u{1b}[2J\u{202e}gpj\0"));
}

#[test]
fn long_lists_stop_when_nobody_reads_on() {
    let world = World::with_outbox();
    world.login();
    world.generate(20_000);
    for command in [&["find"][..], &["ls", "-R"], &["--json", "tree"], &["find", "-0"]] {
        let mut child = world.command(command).spawn().unwrap();
        let mut out = BufReader::new(child.stdout.take().unwrap());
        let mut first = Vec::new();
        out.read_until(if command.contains(&"-0") { 0 } else { b'\n' }, &mut first).unwrap();
        assert!(!first.is_empty());
        drop(out);
        let done: Done = child.wait_with_output().unwrap().into();
        assert_eq!((done.code, done.stderr.as_str()), (0, ""), "{command:?}");
    }
    assert_eq!(world.ok(&["find"]).lines().count(), 20_000);
}
