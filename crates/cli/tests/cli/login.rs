//! Who is logged in, and where that is kept.

use crate::world::{Done, EMAIL, PASSWORD, World, command};

#[test]
fn logging_out_ends_the_session_everywhere() {
    let world = World::logged_in();
    let kept = std::fs::read_to_string(world.path("config/sessions/default.json")).unwrap();
    let kept: serde_json::Value = serde_json::from_str(&kept).unwrap();
    let session = kept["session"].as_str().unwrap();
    let with_session = |arguments: &[&str]| -> Done {
        let mut command = world.command(arguments);
        command.env("SUPERMEGA_SESSION", session).env("SUPERMEGA_CONFIG_DIR", world.path("other"));
        command.output().unwrap().into()
    };
    assert_eq!(with_session(&["whoami"]).code, 0);
    world.ok(&["logout"]);
    assert!(!world.path("config/sessions/default.json").exists());
    let done = with_session(&["whoami"]);
    assert_eq!(done.code, 4, "{}", done.stderr);
    assert!(done.stderr.contains("the session is over"), "{}", done.stderr);
    assert_eq!(world.run(&["logout"]).code, 4);
}

#[test]
fn a_session_of_the_environment_leaves_the_kept_one_alone() {
    let world = World::logged_in();
    world.ok(&["login", "--profile", "other", "--ephemeral"]);
    let kept = std::fs::read_to_string(world.path("config/sessions/other.json")).unwrap();
    let kept: serde_json::Value = serde_json::from_str(&kept).unwrap();
    let mut logout = world.command(&["logout"]);
    logout.env("SUPERMEGA_SESSION", kept["session"].as_str().unwrap());
    assert!(logout.status().unwrap().success());
    assert!(world.ok(&["whoami"]).starts_with(EMAIL));
    assert_eq!(world.run(&["--profile", "other", "whoami"]).code, 4);
}

#[test]
fn an_ephemeral_account_is_an_account() {
    let world = World::new();
    world.ok(&["login", "--ephemeral"]);
    std::fs::write(world.path("file"), "x").unwrap();
    world.ok(&["put", "file", "/"]);
    assert_eq!(world.ok(&["ls"]), "file\n");
    assert!(world.ok(&["whoami"]).starts_with("ephemeral account "));
}

#[test]
fn accounts_of_both_versions_log_in() {
    let world = World::with(&["--kdf", "v1"]);
    world.login();
    assert!(world.ok(&["--json", "whoami"]).contains("\"version\":1"));
}

#[test]
fn what_is_no_login_is_refused() {
    let world = World::new();
    let no_password = world.run(&["login", EMAIL]);
    assert_eq!(no_password.code, 2);
    assert!(no_password.stderr.contains("--password-stdin"), "{}", no_password.stderr);
    for name in ["me", "https://example.org/", "../x"] {
        let done = world.run(&["login", name]);
        assert_eq!(done.code, 2);
        assert!(done.stderr.contains("neither an e-mail address nor"), "{}", done.stderr);
    }
    assert_eq!(world.run(&["login"]).code, 2);
    assert_eq!(world.run(&["--profile", "../x", "whoami"]).code, 2);
}

#[test]
fn a_protected_link_opens_with_its_password() {
    let world = World::logged_in();
    std::fs::write(world.path("file"), "secret words").unwrap();
    world.ok(&["put", "file", "/"]);
    let link: supermega::Link = world.ok(&["link", "make", "/file"]).trim().parse().unwrap();
    let link = supermega::ProtectedLink::protect(&link, "swordfish").unwrap().to_url();
    let get = ["get", "--link-password-stdin", &link, "copy"];
    assert_eq!(world.run_with(&get, "wrong\n").code, 7);
    assert_eq!(world.run(&["get", &link, "copy"]).code, 2);
    assert_eq!(world.run_with(&get, "swordfish\n").code, 0);
    assert_eq!(std::fs::read(world.path("copy")).unwrap(), b"secret words");
    world.ok(&["mkdir", "/in"]);
    let mut import = world.command(&["import", &link, "/in"]);
    import.env("SUPERMEGA_LINK_PASSWORD", "swordfish");
    assert!(import.status().unwrap().success());
}

#[test]
fn passwords_do_not_show() {
    let mut help = command(&["help", "server"]);
    let help: Done = help.env("SUPERMEGA_SERVER_USER", "me:hunter2").output().unwrap().into();
    assert!(help.stdout.contains("SUPERMEGA_SERVER_USER") && !help.stdout.contains("hunter2"));
    let world = World::new();
    let arguments = ["-vv", "login", EMAIL, "--password-stdin"];
    let done = world.run_with(&arguments, &format!("{PASSWORD}-hunter2\n"));
    assert_eq!(done.code, 4);
    assert!(!done.stderr.contains("hunter2"), "{}", done.stderr);
}
