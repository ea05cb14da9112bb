//! Several logins side by side: accounts, folder links, and what goes between them.

use crate::world::{EMAIL, World};

/// Somebody with a folder that everybody with the link may write to, and the line that says how.
fn writable() -> (World, String) {
    let world = World::logged_in();
    std::fs::write(world.path("one"), "first").unwrap();
    world.ok(&["mkdir", "-p", "/shared/deep"]);
    world.ok(&["put", "one", "/shared"]);
    let line = world.ok(&["link", "make", "--writable", "/shared"]).trim().to_owned();
    (world, line)
}

#[test]
fn a_writable_link_is_a_login_to_write_with() {
    let (world, line) = writable();
    assert_eq!(world.ok(&["--profile", "guest", "login", &line]), "");
    std::fs::write(world.path("two"), "second").unwrap();
    let guest = |arguments: &[&str]| world.ok(&[&["--profile", "guest"], arguments].concat());
    guest(&["put", "two", "/"]);
    guest(&["mkdir", "/new"]);
    guest(&["mv", "/two", "/new/renamed"]);
    guest(&["cp", "mega:/new/renamed", "mega:/deep"]);
    guest(&["rm", "--permanent", "/one"]);
    let refused = world.run(&["--profile", "guest", "rm", "/new/renamed"]);
    assert_eq!(refused.code, 1, "{}", refused.stderr);
    assert!(refused.stderr.contains("no rubbish bin"), "{}", refused.stderr);
    assert_eq!(guest(&["cat", "/new/renamed"]), "second");
    assert_eq!(world.ok(&["cat", "/shared/deep/renamed"]), "second");
    assert_eq!(world.ok(&["ls", "/shared"]), "deep/\nnew/\n");

    // The same by what stands before a path, and by the link itself.
    world.ok(&["put", "two", "guest:/deep"]);
    world.ok(&["put", "one", &line]);
    assert_eq!(world.ok(&["cat", "guest:/one", "/shared/deep/two"]), "firstsecond");
    let (link, auth) = line.split_once(' ').unwrap();
    let refused = world.run(&["put", "two", link]);
    assert_eq!(refused.code, 1);
    assert!(refused.stderr.contains("read-only"), "{}", refused.stderr);
    let login = ["--profile", "third", "login", "--write-auth-stdin", link];
    assert_eq!(world.run_with(&login, &format!("{auth}\n")).code, 0);
    world.ok(&["mkdir", "third:/of-third"]);
    assert_eq!(world.run(&["login", &format!("{link} nonsense")]).code, 2);
}

#[test]
fn profiles_are_listed_and_removed() {
    let (world, line) = writable();
    let link = line.split_once(' ').unwrap().0;
    world.ok(&["--profile", "reader", "login", link]);
    let listed = world.ok(&["profiles"]);
    let lines: Vec<&str> = listed.lines().collect();
    assert!(lines[0].starts_with(&format!("default  {EMAIL}  http://127.0.0.1:")), "{listed}");
    assert!(lines[1].starts_with("reader  a folder link"), "{listed}");
    let json = world.ok(&["--json", "profiles"]);
    assert!(json.contains("\"profile\":\"reader\"") && json.contains("\"keyring\":false"));
    let kept = std::fs::read_to_string(world.path("config/sessions/default.json")).unwrap();
    let kept: serde_json::Value = serde_json::from_str(&kept).unwrap();
    world.ok(&["profiles", "remove", "default"]);
    assert_eq!(world.run(&["whoami"]).code, 4);
    // Its session has ended at the service too.
    let mut whoami = world.command(&["whoami"]);
    whoami.env("SUPERMEGA_SESSION", kept["session"].as_str().unwrap());
    assert_eq!(whoami.status().unwrap().code(), Some(4));
    assert_eq!(world.run(&["profiles", "remove", "nobody"]).code, 3);
    assert_eq!(world.ok(&["ls", "reader:/"]), "deep/\none\n");
}

#[test]
fn what_goes_between_profiles_is_imported_or_refused() {
    let (world, line) = writable();
    let link = line.split_once(' ').unwrap().0;
    world.ok(&["--profile", "reader", "login", link]);
    world.ok(&["mkdir", "/copies"]);
    world.ok(&["cp", "reader:/", "mega:/copies"]);
    assert_eq!(world.ok(&["cat", "/copies/shared/one"]), "first");
    assert_eq!(world.run(&["cp", "reader:/one", "mega:/deep/x"]).code, 1);
    world.ok(&["--profile", "work", "login", "--ephemeral"]);
    world.ok(&["cp", "reader:/one", "work:/"]);
    assert_eq!(world.ok(&["cat", "work:/one"]), "first");
    let moved = world.run(&["mv", "work:/one", "/"]);
    assert_eq!(moved.code, 1);
    assert!(moved.stderr.contains("another login"), "{}", moved.stderr);
    let copied = world.run(&["cp", "work:/one", "mega:/"]);
    assert!(copied.stderr.contains("another login"), "{}", copied.stderr);
    world.ok(&["cp", "work:/one", "copy"]);
    assert_eq!(std::fs::read(world.path("copy")).unwrap(), b"first");
}

#[test]
fn a_file_holds_defaults() {
    let world = World::logged_in();
    world.ok(&["--profile", "work", "login", "--ephemeral"]);
    std::fs::write(world.path("config/config.toml"), "profile = 'work'\n").unwrap();
    assert!(world.ok(&["whoami"]).starts_with("ephemeral"));
    assert!(world.ok(&["--profile", "default", "whoami"]).starts_with(EMAIL));
    std::fs::write(world.path("mine"), "json = true\n[ls]\nlong = true\n").unwrap();
    assert!(world.ok(&["--config", "mine", "whoami"]).starts_with('{'));
    std::fs::write(world.path("mine"), "jsn = true\n").unwrap();
    let done = world.run(&["--config", "mine", "whoami"]);
    assert_eq!(done.code, 2);
    assert!(done.stderr.contains("\"jsn\" is no flag"), "{}", done.stderr);
    assert_eq!(world.run(&["--config", "absent", "whoami"]).code, 2);
}

#[cfg(unix)]
#[test]
fn logins_are_for_their_owner_alone() {
    use std::os::unix::fs::PermissionsExt;
    let world = World::logged_in();
    let mode =
        |name: &str| std::fs::metadata(world.path(name)).unwrap().permissions().mode() & 0o777;
    assert_eq!((mode("config/sessions"), mode("config/sessions/default.json")), (0o700, 0o600));
    // Without a bus there is no keyring to be asked, and it is said where the login lies.
    let mut login = world.command(&["-v", "login", "--ephemeral", "--profile", "x"]);
    let done = login.env("SUPERMEGA_KEYRING", "auto").output().unwrap();
    let said = String::from_utf8(done.stderr).unwrap();
    assert!(done.status.success() && said.contains("config/sessions/x.json"), "{said}");
    let mut login = world.command(&["login", "--ephemeral", "--profile", "y"]);
    let done = login.env("SUPERMEGA_KEYRING", "on").output().unwrap();
    assert_eq!(done.status.code(), Some(1));
    assert!(!world.path("config/sessions/y.json").exists());
}

#[test]
fn the_secret_of_a_second_factor_is_kept_for_the_next_login() {
    let world = World::with(&["--user", "two@example.org:secret"]);
    world.login();
    let secret = world.ok(&["mfa", "enable"]);
    let secret = secret.split_whitespace().next().unwrap().to_owned();
    let code = || {
        let totp: supermega::TotpSecret = secret.parse().unwrap();
        let now = std::time::UNIX_EPOCH.elapsed().unwrap().as_secs();
        totp.code(now).to_string()
    };
    world.ok(&["mfa", "verify", &code()]);
    let input = format!("secret\n{secret}\n");
    let login = ["login", EMAIL, "--password-stdin", "--totp-secret-stdin", "--remember-totp"];
    assert_eq!(world.run_with(&login, &input).code, 0);
    // A login that a person types, and one that nobody watches, need no code now.
    let done = world.run_with(&["login", EMAIL, "--password-stdin"], "secret\n");
    assert_eq!(done.code, 0, "{}", done.stderr);
    world.ok(&["sessions", "kill", "--others"]);
    let kept = std::fs::read_to_string(world.path("config/sessions/default.json")).unwrap();
    let kept: serde_json::Value = serde_json::from_str(&kept).unwrap();
    let mut logout = world.command(&["logout"]);
    logout.env("SUPERMEGA_SESSION", kept["session"].as_str().unwrap());
    assert!(logout.status().unwrap().success());
    let mut whoami = world.command(&["whoami"]);
    whoami.env("SUPERMEGA_EMAIL", EMAIL).env("SUPERMEGA_PASSWORD", "secret");
    let done: crate::world::Done = whoami.output().unwrap().into();
    assert_eq!(done.code, 0, "{}", done.stderr);
    // Whoever logs out forgets the secret too.
    world.ok(&["login", "--ephemeral"]);
    world.ok(&["logout"]);
    assert!(!world.path("config/sessions/default.json").exists());
    assert_eq!(world.run_with(&["login", EMAIL, "--password-stdin"], "secret\n").code, 4);
}

#[test]
fn old_versions_of_other_profiles_are_named_by_their_paths() {
    let world = World::logged_in();
    world.ok(&["--profile", "work", "login", "--ephemeral"]);
    for text in ["first", "second", "third"] {
        std::fs::write(world.path("file"), text).unwrap();
        world.ok(&["put", "--overwrite", "always", "file", "work:/"]);
    }
    assert_eq!(world.ok(&["versions", "list", "work:/file"]).lines().count(), 2);
    world.ok(&["versions", "restore", "work:/file", "2"]);
    assert_eq!(world.ok(&["cat", "work:/file"]), "first");
    world.ok(&["versions", "prune", "--keep", "1", "work:/file"]);
    assert_eq!(world.ok(&["versions", "list", "work:/file"]).lines().count(), 1);
    assert_eq!(world.run(&["versions", "list", "/file"]).code, 3);
}
