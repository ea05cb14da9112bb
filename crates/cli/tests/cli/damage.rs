//! What cannot be read or reached, as `ls`, `tree`, `find`, `du` and `get` show it: with the reason, and by handle.

use serde_json::Value;
use supermega_encoding::base64;

use crate::middle::Changed;
use crate::world::{Done, World, snapshot};

fn handle_of(world: &World, path: &str) -> String {
    let node: Value = serde_json::from_str(&world.ok(&["--json", "ls", "-d", path])).unwrap();
    node["handle"].as_str().unwrap().to_owned()
}

/// Makes a node in each of these folders that no key opens.
fn make_unreadable(world: &World, parents: &[&str]) {
    let session = world.session_id();
    let node =
        r#"{"h":"xxxxxxxx","t":1,"a":"AAECAwQFBgcICQoLDA0ODw","k":"BQUFBQUFBQUFBQUFBQUFBQ"}"#;
    for parent in parents {
        let body = format!(r#"[{{"a":"p","t":"{parent}","n":[{node}]}}]"#);
        let made = world.post(&format!("/cs?id=1&sid={session}"), "", &body);
        assert!(made[0].get("f").is_some() || made[0].is_array(), "{made}");
    }
}

#[test]
fn what_cannot_be_read_is_left_out_of_an_import_and_told() {
    let world = World::logged_in();
    std::fs::write(world.path("file"), "kept").unwrap();
    world.ok(&["mkdir", "-p", "/shared/deep", "/imported", "/copied"]);
    world.ok(&["put", "file", "/shared/deep"]);
    let link = world.ok(&["link", "make", "/shared"]).trim().to_owned();
    let [shared, deep] = ["/shared", "/shared/deep"].map(|path| handle_of(&world, path));
    make_unreadable(&world, &[&shared, &deep]);
    for (verb, target) in [("import", "/imported"), ("cp", "mega:/copied/")] {
        let done = world.run(&[verb, &link, target]);
        assert_eq!(done.code, 8, "{verb}: {}", done.stderr);
        let told = done.stderr.matches("cannot be decrypted").count();
        assert!(told == 2 && done.stderr.contains("1 done, 2 failed"), "{}", done.stderr);
        let target = target.trim_start_matches("mega:").trim_end_matches('/');
        assert_eq!(world.ok(&["cat", &format!("{target}/shared/deep/file")]), "kept");
        let done = world.run(&["--json", "find", "--problem", target]);
        assert_eq!(done.stdout, "", "{verb}");
    }
}

#[test]
fn what_cannot_be_read_is_shown_with_the_reason() {
    let world = World::logged_in();
    world.ok(&["mkdir", "/good", "/good/deep"]);
    let (root, good) = (handle_of(&world, "/"), handle_of(&world, "/good"));
    make_unreadable(&world, &[&root, &good]);
    let found = world.ok(&["--json", "find", "--problem"]);
    let found: Vec<Value> = found.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(found.len(), 2);
    let reason = "its attributes do not open with its key";
    for node in &found {
        assert_eq!((&node["problem"], &node["name"]), (&reason.into(), &Value::Null));
        let path = node["path"].as_str().unwrap();
        assert_eq!(path, format!("H:{}", node["handle"].as_str().unwrap()));
        assert!(world.ok(&["find", "--problem"]).contains(&format!("{path}  ({reason})")));
        assert_eq!(world.ok(&["ls", path]), "", "an empty folder");
    }
    let listed = world.ok(&["ls", "/"]);
    assert!(
        listed.starts_with("good/\nH:") && listed.contains(&format!(" ({reason})")),
        "{listed}"
    );
    // It can be removed, too.
    world.ok(&["rm", "-r", "--permanent", found[0]["path"].as_str().unwrap()]);
    assert_eq!(world.ok(&["find", "--problem"]).lines().count(), 1);
}

#[test]
fn what_hangs_on_nothing_is_reachable() {
    let world = World::logged_in();
    world.ok(&["mkdir", "/lost", "/lost/below", "/kept"]);
    std::fs::write(world.path("file"), "found again").unwrap();
    world.ok(&["put", "file", "/lost/below"]);
    let lost = handle_of(&world, "/lost");
    let nowhere = |node: &mut Value| node["p"] = "AAAAAAAA".into();
    let changed = Changed::nodes(&world, [(lost.clone(), Box::new(nowhere) as _)]);
    let run = |arguments: &[&str]| changed.run(arguments);
    assert_eq!(run(&["ls", "/"]).stdout, "kept/\n");
    let strays = run(&["ls", "--strays"]);
    assert_eq!(strays.stdout, format!("lost/  (H:{lost})\n"), "{}", strays.stderr);
    let found = run(&["find", "--strays", "-t", "f"]);
    assert_eq!(found.stdout, format!("H:{lost}/below/file\n"), "{}", found.stderr);
    assert_eq!(run(&["cat", found.stdout.trim()]).stdout, "found again");
}

type Change = Box<dyn Fn(&mut Value) + Send + Sync>;

/// Puts something else in the place of a node's own key.
fn with_key(change: impl Fn(&str, Vec<u8>) -> String + Send + Sync + 'static) -> Change {
    Box::new(move |node| {
        let text = node["k"].as_str().unwrap().to_owned();
        let (user, key) = text.split_once(':').unwrap();
        node["k"] = change(user, base64::decode(key).unwrap()).into();
    })
}

/// Changes a bit of the attributes: that of the second block spoils the JSON, that of the first what stands before it.
fn with_flipped(place: usize) -> Change {
    Box::new(move |node| {
        let mut attributes = base64::decode(node["a"].as_str().unwrap()).unwrap();
        attributes[place] ^= 4;
        node["a"] = base64::encode(&attributes).into();
    })
}

const NO_KEY: &str = "no key of this session opens it";
const BAD_KEY: &str = "its key is damaged";
const BAD_ATTRIBUTES: &str = "its attributes do not open with its key";

/// What is wrong with the files of `sick`.
fn sick() -> [(&'static str, &'static str, Change); 6] {
    let equal_halves = |user: &str, key: Vec<u8>| {
        format!("{user}:{}", base64::encode(&[&key[..16], &key[..16]].concat()))
    };
    let cut = |user: &str, key: Vec<u8>| format!("{user}:{}", base64::encode(&key[..24]));
    let foreign = |_: &str, key: Vec<u8>| format!("AAAAAAAAAAA:{}", base64::encode(&key));
    let no_key: Change = Box::new(|node| node["k"] = "".into());
    [
        ("1", BAD_KEY, with_key(equal_halves)),
        ("2", BAD_KEY, with_key(cut)),
        ("3", NO_KEY, with_key(foreign)),
        ("4", NO_KEY, no_key),
        ("5", BAD_ATTRIBUTES, with_flipped(0)),
        ("6", BAD_ATTRIBUTES, with_flipped(16)),
    ]
}

#[test]
fn every_verb_shows_what_cannot_be_read() {
    let world = World::logged_in();
    std::fs::create_dir_all(world.path("sick/folder")).unwrap();
    for name in ["1", "2", "3", "4", "5", "6", "good", "folder/inside"] {
        std::fs::write(world.path("sick").join(name), "x".repeat(100)).unwrap();
    }
    world.ok(&["put", "sick", "/"]);
    let folder = handle_of(&world, "/sick/folder");
    let mut changes = vec![(folder.clone(), with_flipped(1))];
    let mut expected = vec![(folder.clone(), BAD_ATTRIBUTES)];
    for (name, reason, change) in sick() {
        let handle = handle_of(&world, &format!("/sick/{name}"));
        expected.push((handle.clone(), reason));
        changes.push((handle, change));
    }
    let changed = Changed::nodes(&world, changes);
    // The first run has the tree from the service, the second from its cache.
    for _ in 0..2 {
        let found = changed.run(&["find", "--problem"]).stdout;
        let listed = changed.run(&["ls", "/sick"]).stdout;
        let drawn = changed.run(&["tree"]).stdout;
        let long = changed.run(&["ls", "-lR"]).stdout;
        for (handle, reason) in &expected {
            assert!(found.contains(&format!("H:{handle}  ({reason})\n")), "{found}");
            for shown in [&listed, &drawn, &long] {
                assert!(shown.contains(&format!("H:{handle} ({reason})")), "{shown}");
            }
        }
        assert_eq!((found.lines().count(), listed.lines().count()), (7, 8), "{found}{listed}");
        assert!(listed.starts_with("good\n"), "{listed}");
        assert!(drawn.contains("inside"), "{drawn}");
        // Sizes are no secret.
        let sizes = changed.run(&["du", "/", "--depth", "2"]).stdout;
        assert!(sizes.contains("800  /\n") && sizes.contains(&format!("100  H:{folder}\n")));
        let inside = changed.run(&["cat", &format!("H:{folder}/inside")]);
        assert_eq!((inside.code, inside.stdout.len()), (0, 100), "{}", inside.stderr);
    }
    let done = changed.run(&["get", "/sick", "copy"]);
    assert_eq!(done.code, 8, "{}", done.stderr);
    // What is copied into a folder that is there already is whole, or it is said what is missing.
    world.ok(&["mkdir", "/in", "/in/sick"]);
    let within = changed.run(&["cp", "mega:/sick", "mega:/in"]);
    assert_eq!(within.code, 8, "{}", within.stderr);
    assert_eq!(changed.run(&["ls", "/in/sick"]).stdout, "good\n");
    let copied: Vec<_> = snapshot(&world.path("copy")).into_keys().collect();
    assert_eq!(copied, [std::path::PathBuf::from("good")]);
    for (handle, reason) in &expected {
        for stderr in [&done.stderr, &within.stderr] {
            assert!(stderr.contains(&format!("H:{handle} ({reason})")), "{stderr}");
        }
        let (place, remote) = (format!("H:{handle}"), format!("mega:H:{handle}"));
        for arguments in [&["get", &place][..], &["cp", &remote, "mega:/"]] {
            let done = changed.run(arguments);
            assert_eq!(done.code, 7, "{arguments:?} {reason}: {}", done.stderr);
            assert!(done.stderr.contains(&place), "{arguments:?}: {}", done.stderr);
        }
    }
}

#[test]
fn circles_come_to_an_end() {
    let world = World::logged_in();
    world.ok(&["mkdir", "/a", "/a/b", "/a/b/c", "/own", "/kept"]);
    std::fs::write(world.path("file"), "found again").unwrap();
    world.ok(&["put", "file", "/a/b"]);
    world.ok(&["put", "file", "/own"]);
    let [a, c, own] = ["/a", "/a/b/c", "/own"].map(|path| handle_of(&world, path));
    let below = |parent: &str| -> Change {
        let parent = parent.to_owned();
        Box::new(move |node| node["p"] = parent.as_str().into())
    };
    let changed = Changed::nodes(&world, [(a.clone(), below(&c)), (own.clone(), below(&own))]);
    for _ in 0..2 {
        assert_eq!(changed.run(&["ls", "-R", "/"]).stdout, "/:\nkept/\n\n/kept:\n");
        assert_eq!(changed.run(&["tree"]).stdout, "/\n└── kept/\n");
        assert_eq!(changed.run(&["find", "--name", "file"]).stdout, "");
        let strays = changed.run(&["ls", "--strays"]).stdout;
        assert_eq!(strays.lines().count(), 2, "{strays}");
        assert!(strays.contains(&format!("own/  (H:{own})")), "{strays}");
        let files = changed.run(&["find", "--strays", "-t", "f"]).stdout;
        assert_eq!(files.lines().count(), 2, "{files}");
        for file in files.lines() {
            assert_eq!(changed.run(&["cat", file]).stdout, "found again", "{file}");
        }
        // From any place on the circle all of it is seen, each once at most.
        for (top, most) in [(&a, 4), (&c, 4), (&own, 2)] {
            let top = format!("H:{top}");
            for verb in [&["find"][..], &["ls", "-R"], &["tree"], &["du", "-a", "-d", "9"]] {
                let done = changed.run(&[verb, &[top.as_str()]].concat());
                assert_eq!(done.code, 0, "{verb:?}: {}", done.stderr);
                assert!(done.stdout.matches("file").count() <= 1, "{}", done.stdout);
                assert!(done.stdout.lines().count() <= 3 * most, "{verb:?}: {}", done.stdout);
            }
        }
        let to = world.path("copy");
        for (top, files) in [(&own, 1), (&a, 1)] {
            let top = format!("H:{top}");
            let done = changed.run(&["get", &top, to.to_str().unwrap()]);
            assert_eq!(done.code, 0, "{}", done.stderr);
            assert!(snapshot(&to).len() <= files);
            std::fs::remove_dir_all(&to).unwrap();
        }
        let into = changed.run(&["mv", &format!("H:{a}"), &format!("H:{c}")]);
        assert_eq!(into.code, 1, "{}", into.stderr);
    }
}

#[test]
fn what_lies_very_deep_is_shown() {
    let world = World::with_outbox();
    world.login();
    world.generate(8000);
    // Each folder moves into the one before it.
    let changed = Changed::new(&world, |nodes| {
        let mut before = Value::Null;
        for node in nodes.iter_mut().filter(|node| node["t"] == 1) {
            let own = node["h"].clone();
            if !before.is_null() {
                node["p"] = before;
            }
            before = own;
        }
    });
    let folders = changed.run(&["find", "-t", "d"]).stdout;
    let deepest = folders.lines().last().unwrap();
    let depth = folders.lines().count();
    assert!(depth > 100, "{depth}");
    assert_eq!(deepest.matches('/').count(), depth);
    assert_eq!(changed.run(&["find"]).stdout.lines().count(), 8000);
    for verb in [&["ls", "-R"][..], &["tree"], &["du", "-d", "100000"]] {
        let done = changed.run(verb);
        assert_eq!(done.code, 0, "{verb:?}: {}", done.stderr);
        assert!(done.stdout.lines().count() >= depth, "{verb:?}");
    }
    assert_eq!(changed.run(&["ls", "-d", deepest]).code, 0);
    // No local path is so long: what lies that deep is said, and the rest is there.
    let done = changed.run(&["get", "/", "copy"]);
    assert!(matches!(done.code, 0 | 8), "{} {}", done.code, done.stderr);
}

#[cfg(unix)]
#[test]
fn deep_folders_need_no_deep_stack() {
    let world = World::logged_in();
    let run = |arguments: &[&str]| -> Done {
        let plain = world.command(arguments);
        // The smallest stack that the command begins with; what goes down by recursion needs more.
        let mut small = std::process::Command::new("sh");
        small.args(["-c", "ulimit -s 1024 && exec \"$0\" \"$@\""]).arg(plain.get_program());
        small.args(arguments).current_dir(world.home.path());
        for (name, value) in plain.get_envs() {
            match value {
                Some(value) => small.env(name, value),
                None => small.env_remove(name),
            };
        }
        small.output().unwrap().into()
    };
    let deep = "/d".repeat(500);
    std::fs::create_dir_all(world.path("top").join(&deep[1..])).unwrap();
    std::fs::write(world.path("top").join(&deep[1..]).join("file"), "found").unwrap();
    for arguments in [
        &["put", "top", "/"][..],
        &["mkdir", "-p", &format!("/made{deep}")],
        &["cp", "mega:/top", "mega:/copy"],
        &["get", "/copy", "copy"],
        &["verify", "copy", "/top"],
        &["rm", "-r", "--permanent", "/top"],
    ] {
        let done = run(arguments);
        assert_eq!(done.code, 0, "{arguments:?}: {}", done.stderr);
    }
    assert_eq!(run(&["cat", &format!("/copy{deep}/file")]).stdout, "found");
}
