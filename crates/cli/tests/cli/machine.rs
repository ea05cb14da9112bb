//! What the machine does to a copy: a full disk, a target that nobody may write to, a source that changes while it is
//! read. Each is said, and nothing is lost.

use std::path::Path;
use std::process::{Command, Stdio};

use supermega::{Client, Session};
use supermega_server::{HoldPoint, Server, ServerHandle};
use tempfile::TempDir;

use crate::world::{Done, EMAIL, PASSWORD, World, command, content, files_below};

const SIZE: usize = (9 << 20) + 5;

#[test]
fn what_the_machine_refuses_is_said_and_nothing_is_lost() {
    let world = World::logged_in();
    std::fs::write(world.path("file"), content(5 << 20)).unwrap();
    world.ok(&["put", "file", "/"]);
    // A folder in the place of the file, and a file in that of a folder.
    std::fs::create_dir_all(world.path("taken/file")).unwrap();
    let done = world.run(&["get", "--overwrite", "always", "/file", "taken"]);
    assert_eq!(done.code, 1, "{}", done.stderr);
    assert!(world.path("taken/file").is_dir());
    let done = world.run(&["get", "/file", "file/below"]);
    assert_eq!(done.code, 1, "{}", done.stderr);
    if Path::new("/dev/full").exists() {
        let output = world.command(&["cat", "/file"]);
        let mut output = output;
        let full = std::fs::File::options().write(true).open("/dev/full").unwrap();
        let done = output.stdout(full).output().unwrap();
        assert_eq!(done.status.code(), Some(1));
        assert!(String::from_utf8_lossy(&done.stderr).contains("No space left"));
    }
}

/// Runs the command where a file system of its own lies at `target`; nothing where that is not allowed.
#[cfg(target_os = "linux")]
fn mounted(world: &World, options: &str, arguments: &[&str], after: &str) -> Option<Done> {
    let enter = |script: &str, arguments: &[&str]| {
        let mut command = Command::new("unshare");
        let own = world.command(arguments);
        command.args(["--user", "--map-root-user", "--mount", "sh", "-c", script]);
        command.arg(own.get_program()).args(arguments).current_dir(world.home.path());
        for (name, value) in own.get_envs() {
            match value {
                Some(value) => command.env(name, value),
                None => command.env_remove(name),
            };
        }
        command.stdin(Stdio::null()).output().ok()
    };
    let _ = std::fs::create_dir(world.path("target"));
    let mount = format!("mount -t tmpfs -o {options} none target");
    if !enter(&mount, &[])?.status.success() {
        eprintln!("this machine lets nobody mount a file system: not tested");
        return None;
    }
    let script = format!("{mount} && \"$0\" \"$@\"; code=$?; {after}; exit $code");
    enter(&script, arguments).map(Done::from)
}

#[cfg(target_os = "linux")]
#[test]
fn a_full_disk_is_said_and_a_later_get_goes_on() {
    let world = World::logged_in();
    std::fs::write(world.path("file"), content(SIZE)).unwrap();
    std::fs::write(world.path("small"), content(3 << 20)).unwrap();
    world.ok(&["put", "file", "small", "/"]);
    // What lies there afterwards is told: a file of one piece leaves nothing, a longer one what had arrived.
    let get = |options: &str, source: &str| {
        let after = "find target -type f -printf 'left %f\\n'; cp -a target/. kept";
        std::fs::create_dir_all(world.path("kept")).unwrap();
        mounted(&world, options, &["get", source, "target"], after)
    };
    let Some(done) = get("size=2m", "/small") else { return };
    assert_eq!(done.code, 1, "{}", done.stderr);
    assert!(done.stderr.contains("No space left"), "{}", done.stderr);
    assert_eq!(done.stdout, "");
    let done = get("size=6m", "/file").unwrap();
    assert_eq!(done.code, 1, "{}", done.stderr);
    assert!(done.stderr.contains("No space left"), "{}", done.stderr);
    assert!(done.stdout.starts_with("left .supermega-"), "{}", done.stdout);
    world.ok(&["get", "/file", "kept"]);
    assert!(std::fs::read(world.path("kept/file")).unwrap() == content(SIZE));
    assert_eq!(files_below(&world.path("kept")), ["file"]);
}

#[cfg(target_os = "linux")]
#[test]
fn a_target_that_nobody_may_write_to_is_said() {
    let world = World::logged_in();
    std::fs::create_dir(world.path("folder")).unwrap();
    std::fs::write(world.path("folder/file"), "content").unwrap();
    world.ok(&["put", "folder", "/"]);
    for source in ["/folder/file", "/folder"] {
        let Some(done) = mounted(&world, "ro", &["get", source, "target"], "ls -A target") else {
            return;
        };
        assert_eq!((done.code, done.stdout.as_str()), (1, ""), "{}", done.stderr);
        assert!(done.stderr.contains("Read-only file system"), "{}", done.stderr);
    }
    // As it is where files may not grow further.
    let script = "trap '' XFSZ; ulimit -f 1000; exec \"$0\" get /folder/file .";
    std::fs::write(world.path("long"), content(1 << 20)).unwrap();
    world.ok(&["put", "--overwrite", "always", "long", "/folder/file"]);
    let mut get = world.command(&[]);
    let program = get.get_program().to_owned();
    let mut limited = Command::new("sh");
    limited.args(["-c", script]).arg(program).current_dir(world.home.path());
    limited.envs(get.get_envs().filter_map(|(name, value)| Some((name, value?))));
    get = limited;
    let done: Done = get.output().unwrap().into();
    assert_eq!(done.code, 1, "{}", done.stderr);
    assert!(done.stderr.contains("File too large"), "{}", done.stderr);
    let left = files_below(world.home.path());
    assert!(!left.iter().any(|name| name.starts_with(".supermega") || name == "./file"));
}

/// A server in this process, which can be held, and a file that is being sent to it.
struct Sending {
    server: ServerHandle,
    home: TempDir,
}

impl Sending {
    async fn begin() -> Self {
        let server = Server::builder().user(EMAIL, PASSWORD).spawn().await.unwrap();
        let home = tempfile::tempdir().unwrap();
        std::fs::write(home.path().join("file"), content(SIZE)).unwrap();
        Self { server, home }
    }

    async fn session(&self) -> Session {
        let client = Client::builder().api_url(self.server.url()).build().unwrap();
        client.login(EMAIL, PASSWORD).await.unwrap()
    }

    fn command(&self, session: &Session, arguments: &[&str]) -> Command {
        let mut command = command(arguments);
        command
            .env("SUPERMEGA_API_URL", self.server.url())
            .env("SUPERMEGA_SESSION", session.save().as_str())
            .env("SUPERMEGA_STATE_DIR", self.home.path().join("state"))
            .env("SUPERMEGA_CONNECTIONS", "1")
            .current_dir(self.home.path());
        command
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_source_that_changes_while_it_is_read_is_not_stored() {
    type Change = fn(&Path);
    let changes: [(&str, Change); 3] = [
        ("shorter", |file| {
            std::fs::File::options().write(true).open(file).unwrap().set_len(5 << 20).unwrap();
        }),
        ("longer", |file| {
            std::fs::write(file, content(SIZE + 1000)).unwrap();
        }),
        ("gone", |file| std::fs::remove_file(file).unwrap()),
    ];
    let world = Sending::begin().await;
    let session = world.session().await;
    let file = world.home.path().join("file");
    for (name, change) in changes {
        std::fs::write(&file, content(SIZE)).unwrap();
        let hold = world.server.hold(HoldPoint::ChunkStored);
        let put = world.command(&session, &["put", "file", "/"]).spawn().unwrap();
        hold.reached().await;
        change(&file);
        hold.release();
        let done = tokio::task::spawn_blocking(move || put.wait_with_output().unwrap());
        let done: Done = done.await.unwrap().into();
        assert_eq!(done.code, 1, "{name}: {}", done.stderr);
        let said = if name == "gone" { "No such file" } else { "changed while it was read" };
        assert!(done.stderr.contains(said), "{name}: {}", done.stderr);
        let tree = session.refresh().await.unwrap();
        assert!(tree.children(&tree.root().unwrap()).is_empty(), "{name}");
        assert_eq!(files_below(&world.home.path().join("state")), [""; 0], "{name}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_put_clears_away_journals_that_lead_nowhere() {
    let world = Sending::begin().await;
    let session = world.session().await;
    let file = world.home.path().join("file");
    let hold = world.server.hold(HoldPoint::ChunkStored);
    let mut put = world.command(&session, &["put", "file", "/"]).spawn().unwrap();
    hold.reached().await;
    put.kill().unwrap();
    put.wait().unwrap();
    hold.release();
    let journals = world.home.path().join("state/uploads");
    assert_eq!(files_below(&journals).len(), 1);
    std::fs::write(world.home.path().join("other"), "other").unwrap();
    let other = |flags: &[&str]| {
        let mut put = world.command(&session, &[&["put", "other", "/"], flags].concat());
        tokio::task::spawn_blocking(move || assert!(put.output().unwrap().status.success()))
    };
    other(&[]).await.unwrap();
    assert_eq!(files_below(&journals).len(), 1, "it can be gone on with");
    std::fs::remove_file(file).unwrap();
    other(&["--dry-run"]).await.unwrap();
    assert_eq!(files_below(&journals).len(), 1, "nothing is done");
    other(&[]).await.unwrap();
    assert_eq!(files_below(&journals).len(), 0);
}
