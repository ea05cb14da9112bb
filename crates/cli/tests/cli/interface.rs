//! Words that scripts depend on.

use crate::world::{Done, command};

#[test]
fn the_verbs_are_those_that_are_built() {
    let done: Done = command(&["--help"]).output().unwrap().into();
    let verbs: Vec<&str> = done
        .stdout
        .lines()
        .skip_while(|line| *line != "Commands:")
        .skip(1)
        .take_while(|line| line.starts_with("  "))
        .filter_map(|line| line.split_whitespace().next())
        .collect();
    assert_eq!(
        verbs,
        [
            "cancel",
            "cat",
            "contact",
            "cp",
            "dedupe",
            "demo",
            "df",
            "doctor",
            "du",
            "find",
            "get",
            "import",
            "link",
            "login",
            "logout",
            "ls",
            "mark",
            "mfa",
            "mkdir",
            "mv",
            "password",
            "profiles",
            "put",
            "recover",
            "recovery-key",
            "rm",
            "server",
            "sessions",
            "share",
            "signup",
            "thumbnail",
            "trash",
            "tree",
            "upgrade",
            "verify",
            "versions",
            "watch",
            "whoami",
            "help"
        ]
    );
}

#[test]
fn a_closed_pipe_is_no_failure() {
    let world = crate::world::World::logged_in();
    world.ok(&["mkdir", "/a", "/b", "/c"]);
    let mut child = world.command(&["tree"]).spawn().unwrap();
    drop(child.stdout.take());
    let done: Done = child.wait_with_output().unwrap().into();
    assert_eq!((done.code, done.stderr.as_str()), (0, ""));
}

#[test]
fn quiet_says_nothing() {
    let world = crate::world::World::logged_in();
    std::fs::write(world.path("file"), "x").unwrap();
    world.ok(&["put", "file", "/"]);
    let done = world.run(&["-q", "put", "file", "/"]);
    assert_eq!((done.code, done.stderr.as_str()), (0, ""));
    assert!(world.run(&["put", "file", "/"]).stderr.contains("stays as it is"));
}

#[test]
fn names_that_are_mapped_are_reported() {
    let world = crate::world::World::logged_in();
    std::fs::write(world.path("file"), "x").unwrap();
    world.ok(&["put", "file", "/.."]);
    std::fs::create_dir(world.path("target")).unwrap();
    let done = world.run(&["get", "/..", "target"]);
    assert_eq!(done.code, 0, "{}", done.stderr);
    assert!(done.stderr.contains("\"..\" becomes target/%2E%2E"), "{}", done.stderr);
    assert_eq!(std::fs::read(world.path("target/%2E%2E")).unwrap(), b"x");
}

#[cfg(unix)]
#[test]
fn a_server_stops_when_it_is_told_to() {
    use std::io::{BufRead, BufReader};
    for signal in ["-INT", "-TERM"] {
        let mut server = command(&["server"]).spawn().unwrap();
        let mut line = String::new();
        BufReader::new(server.stdout.take().unwrap()).read_line(&mut line).unwrap();
        assert!(line.starts_with("listening http://127.0.0.1:") && line.ends_with("/\n"));
        let mut kill = std::process::Command::new("kill");
        assert!(kill.args([signal, &server.id().to_string()]).status().unwrap().success());
        assert_eq!(server.wait().unwrap().code(), Some(0), "{signal}");
    }
}
