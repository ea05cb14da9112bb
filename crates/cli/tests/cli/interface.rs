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
            "demo", "df", "get", "import", "link", "login", "logout", "ls", "mkdir", "mv", "put",
            "rm", "server", "tree", "whoami", "help"
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
