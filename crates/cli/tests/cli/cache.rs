//! Trees between runs of the command: seen by the next one, whatever happened to this one.

use std::process::Command;
use std::time::Duration;

use crate::world::{Done, World};

fn names(world: &World) -> Vec<String> {
    world.ok(&["ls", "/"]).lines().map(str::to_owned).collect()
}

fn files(world: &World) -> Vec<std::path::PathBuf> {
    let trees = world.path("cache").join("trees");
    std::fs::read_dir(trees).into_iter().flatten().map(|entry| entry.unwrap().path()).collect()
}

#[test]
fn a_second_profile_is_seen_by_the_first() {
    let world = World::logged_in();
    world.ok(&["mkdir", "/a"]);
    assert_eq!(names(&world), ["a/"]);
    let done = world.run_with(
        &["--profile", "other", "--no-cache", "login", crate::world::EMAIL, "--password-stdin"],
        crate::world::PASSWORD,
    );
    assert_eq!(done.code, 0, "{}", done.stderr);
    world.ok(&["--profile", "other", "--no-cache", "mkdir", "/b"]);
    assert_eq!(names(&world), ["a/", "b/"]);
    assert_eq!(files(&world).len(), 1);
    world.ok(&["logout"]);
    assert!(files(&world).is_empty());
}

#[test]
fn without_a_cache_nothing_is_kept() {
    let world = World::logged_in();
    world.ok(&["--no-cache", "mkdir", "/a"]);
    world.ok(&["--no-cache", "ls", "/"]);
    assert!(files(&world).is_empty());
}

#[cfg(unix)]
#[test]
fn on_a_full_disk_the_answer_is_right() {
    let world = World::logged_in();
    for name in ["a", "b", "c"] {
        world.ok(&["mkdir", &format!("/{name}")]);
    }
    let ls = world.command(&["ls", "/"]);
    // No file may grow beyond some blocks, as on a disk that is full.
    let limited = |blocks: u32| -> Done {
        let mut shell = Command::new("sh");
        let script = format!("trap '' XFSZ; ulimit -f {blocks}; exec \"$0\" ls /");
        shell.args(["-c", &script]).arg(ls.get_program());
        shell.envs(ls.get_envs().filter_map(|(name, value)| Some((name, value?))));
        shell.env_remove("SUPERMEGA_NO_CACHE").current_dir(world.home.path());
        shell.output().unwrap().into()
    };
    for blocks in [0, 1, 40, 100, 200] {
        for kept in files(&world) {
            std::fs::remove_file(kept).unwrap();
        }
        let done = limited(blocks);
        assert_eq!((done.code, done.stdout.as_str()), (0, "a/\nb/\nc/\n"), "{}", done.stderr);
    }
    // Where the file was there before, what has changed cannot be added to it.
    names(&world);
    world.ok(&["mkdir", "/d"]);
    assert_eq!(limited(0).stdout, "a/\nb/\nc/\nd/\n");
    assert_eq!(names(&world), ["a/", "b/", "c/", "d/"]);
}

#[test]
fn a_run_that_is_killed_leaves_a_good_file() {
    let world = World::logged_in();
    let mut expected = Vec::new();
    for round in 0..24_u64 {
        let name = format!("folder{round:02}");
        world.ok(&["--no-cache", "mkdir", &format!("/{name}")]);
        expected.push(format!("{name}/"));
        if round % 6 == 5 {
            for kept in files(&world) {
                std::fs::remove_file(kept).unwrap();
            }
        }
        let mut killed = world.command(&["ls", "/"]).spawn().unwrap();
        // Somewhere between its start and its end.
        std::thread::sleep(Duration::from_millis(round * 7 % 60));
        let _ = killed.kill();
        killed.wait().unwrap();
        assert_eq!(names(&world), expected);
    }
}

#[test]
fn many_runs_at_once_see_the_same() {
    let world = World::logged_in();
    let mut expected = Vec::new();
    for round in 0..4 {
        let name = format!("folder{round}");
        world.ok(&["--no-cache", "mkdir", &format!("/{name}")]);
        expected.push(format!("{name}/"));
        let runs: Vec<_> = (0..4).map(|_| world.command(&["ls", "/"]).spawn().unwrap()).collect();
        for run in runs {
            let done: Done = run.wait_with_output().unwrap().into();
            assert_eq!(done.code, 0, "{}", done.stderr);
            assert_eq!(done.stdout.lines().collect::<Vec<_>>(), expected);
        }
    }
}
