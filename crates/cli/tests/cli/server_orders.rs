//! A running server is told and asked by the command; one that was killed leaves nothing for long.

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::Child;

use crate::world::{Done, command};

#[test]
fn accounts_are_made_and_mails_read_while_a_server_runs() {
    let data = tempfile::tempdir().unwrap();
    let folder = data.path().to_str().unwrap();
    let mut server = command(&["server", "--data", folder]).spawn().unwrap();
    let mut line = String::new();
    BufReader::new(server.stdout.take().unwrap()).read_line(&mut line).unwrap();
    let url = line.trim().strip_prefix("listening ").unwrap();
    let token = data.path().join("admin-token");
    let run = |arguments: &[&str]| -> Done {
        let mut command = command(arguments);
        command.env("SUPERMEGA_API_URL", url).env("SUPERMEGA_ADMIN_TOKEN_FILE", &token);
        command.env("SUPERMEGA_CONFIG_DIR", data.path()).env("SUPERMEGA_PASSWORD", "secret");
        command.output().unwrap().into()
    };
    let added = run(&["server", "user", "add", "new@example.org"]);
    assert_eq!(added.code, 0, "{}", added.stderr);
    let again = run(&["server", "user", "add", "new@example.org"]);
    assert!(again.code != 0 && again.stderr.contains("has an account already"), "{}", again.stderr);
    assert_eq!(run(&["login", "new@example.org"]).code, 0);
    let protected = run(&["server", "user", "add", "two@example.org", "--mfa", "--quota", "1M"]);
    assert_eq!((protected.code, protected.stdout.trim().len()), (0, 32), "{}", protected.stderr);
    let refused = run(&["login", "two@example.org"]);
    assert_eq!(refused.code, 4, "{}", refused.stderr);
    let outbox = run(&["server", "outbox"]);
    assert_eq!((outbox.code, outbox.stdout.as_str()), (0, ""));

    std::fs::write(data.path().join("wrong"), "wrong").unwrap();
    let wrong = data.path().join("wrong");
    let refused = run(&["server", "outbox", "--token-file", wrong.to_str().unwrap()]);
    assert!(refused.code != 0 && refused.stderr.contains("token"), "{}", refused.stderr);
    let missing = command(&["server", "outbox", "--api-url", url]).output().unwrap();
    assert_eq!(Done::from(missing).code, 2);
    server.kill().unwrap();
    server.wait().unwrap();
}

/// A server that keeps nothing and listens, and the folder that it has made.
fn ephemeral(temporary: &Path) -> (Child, PathBuf) {
    let before = folders(temporary);
    let mut command = command(&["server", "--in-memory"]);
    let mut server = command.env("TMPDIR", temporary).spawn().unwrap();
    let mut line = String::new();
    BufReader::new(server.stdout.as_mut().unwrap()).read_line(&mut line).unwrap();
    assert!(line.starts_with("listening "), "{line}");
    let mut made = folders(temporary);
    made.retain(|folder| !before.contains(folder));
    assert_eq!(made.len(), 1, "{made:?}");
    (server, made.remove(0))
}

fn folders(temporary: &Path) -> Vec<PathBuf> {
    std::fs::read_dir(temporary).unwrap().map(|entry| entry.unwrap().path()).collect()
}

fn kill(mut server: Child) {
    server.kill().unwrap();
    server.wait().unwrap();
}

#[cfg(unix)]
#[test]
fn what_killed_servers_leave_is_removed_by_the_next() {
    let temporary = tempfile::tempdir().unwrap();
    let (live, in_use) = ephemeral(temporary.path());
    let (dead, left) = ephemeral(temporary.path());
    // Folders that only look alike: somebody's own, and one that a server was told to keep.
    let own = temporary.path().join("supermega-server-own");
    std::fs::create_dir(&own).unwrap();
    std::fs::write(own.join("lock"), "").unwrap();
    let (killed, kept) = ephemeral(temporary.path());
    kill(killed);
    let data = kept.to_str().unwrap();
    let mut keeping = command(&["server", "--data", data]).spawn().unwrap();
    let mut line = String::new();
    BufReader::new(keeping.stdout.as_mut().unwrap()).read_line(&mut line).unwrap();
    kill(keeping);
    kill(dead);
    assert!(left.is_dir());
    let (next, new) = ephemeral(temporary.path());
    let mut found = folders(temporary.path());
    found.sort_unstable();
    let mut expected = vec![in_use, own, kept, new];
    expected.sort_unstable();
    assert_eq!(found, expected);
    kill(live);
    kill(next);
}
