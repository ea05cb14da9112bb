//! The whole life of an account, by commands alone.

use std::cell::Cell;
use std::time::{SystemTime, UNIX_EPOCH};

use supermega_crypto::TotpSecret;
use supermega_encoding::base64;

use crate::world::{Done, World};

const NEW: &str = "new.user@example.org";

struct Life {
    world: World,
}

impl Life {
    fn run(&self, profile: &str, arguments: &[&str], input: &str) -> Done {
        self.world.run_with(&[&["--profile", profile], arguments].concat(), input)
    }

    fn ok(&self, profile: &str, arguments: &[&str], input: &str) -> String {
        let done = self.run(profile, arguments, input);
        assert_eq!(done.code, 0, "{arguments:?}: {}", done.stderr);
        done.stdout
    }

    /// The link of the last mail.
    fn mail(&self) -> String {
        let token = self.world.path("data/admin-token");
        let mails = self.world.ok(&["server", "outbox", "--token-file", token.to_str().unwrap()]);
        mails.lines().last().unwrap().split_whitespace().last().unwrap().to_owned()
    }
}

fn code(secret: &str) -> String {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs();
    secret.parse::<TotpSecret>().unwrap().code(now).to_string()
}

#[test]
fn an_account_lives_from_the_sign_up_to_its_end() {
    let life = Life { world: World::with_outbox() };
    let login = ["login", NEW, "--password-stdin"];
    life.ok("a", &["signup", NEW, "--name", "New User", "--password-stdin"], "first");
    assert_eq!(life.run("a", &login, "first").code, 4, "it is not confirmed yet");
    life.ok("a", &["signup", "confirm", &life.mail()], "");
    life.ok("a", &login, "first");
    let whoami = life.ok("a", &["whoami"], "");
    assert!(whoami.starts_with(NEW) && whoami.contains("fingerprint "), "{whoami}");
    std::fs::write(life.world.path("file"), "kept").unwrap();
    life.ok("a", &["put", "file", "/"], "");

    // The second factor.
    assert_eq!(life.ok("a", &["mfa", "status"], ""), "off\n");
    let secret = life.ok("a", &["mfa", "enable"], "").trim().to_owned();
    let wrong = if code(&secret) == "000000" { "111111" } else { "000000" };
    assert_eq!(life.run("a", &["mfa", "verify", wrong], "").code, 4);
    life.ok("a", &["mfa", "verify", &code(&secret)], "");
    assert_eq!(life.ok("a", &["mfa", "status"], ""), "on\n");
    assert_eq!(life.run("b", &login, "first").code, 4, "the code is missing");
    let both = [&login[..], &["--totp-secret-stdin"]].concat();
    life.ok("b", &both, &format!("first\n{secret}\n"));

    // The other session is seen and ended.
    let listed = life.ok("a", &["sessions"], "");
    let other = listed.lines().find(|line| !line.contains("(this one)")).unwrap();
    let ids = listed.lines().filter(|line| !line.contains("(this one)"));
    for id in ids.map(|line| line.split_whitespace().next().unwrap()) {
        life.ok("a", &["sessions", "kill", id], "");
    }
    assert!(!other.is_empty());
    assert_eq!(life.run("b", &["whoami"], "").code, 4);
    assert_eq!(life.ok("a", &["sessions"], "").lines().count(), 1);
    assert_eq!(life.run("a", &["sessions", "kill", "AAAAAAAAAAA"], "").code, 3);

    // Another password, and the recovery key.
    assert_eq!(life.run("a", &["password", "--password-stdin"], "second").code, 4);
    let change = ["password", "--password-stdin", "--end-sessions", "--mfa-code"];
    life.ok("a", &[&change[..], &[&code(&secret)]].concat(), "second");
    let with_code = |secret: &str| vec!["--mfa-code".to_owned(), code(secret)];
    let arguments = with_code(&secret);
    let again: Vec<&str> = login.into_iter().chain(arguments.iter().map(String::as_str)).collect();
    assert_eq!(life.run("b", &again, "first").code, 4);
    life.ok("b", &again, "second");
    let key = life.ok("a", &["recovery-key"], "").trim().to_owned();
    assert_eq!(key.len(), 22);
    life.ok("c", &["recover", NEW], "");
    let mail = life.mail();
    let confirm = ["recover", "confirm", &mail, "--recovery-key-stdin", "--password-stdin"];
    let swapped: String = key.chars().rev().collect();
    assert_eq!(life.run("c", &confirm, &format!("{swapped}\nthird\n")).code, 7);
    life.ok("c", &confirm, &format!("{key}\nthird\n"));
    life.ok("a", &[&both[..]].concat(), &format!("third\n{secret}\n"));
    assert_eq!(life.ok("a", &["ls"], ""), "file\n");

    // The end.
    life.ok("a", &["mfa", "disable", &code(&secret)], "");
    life.ok("a", &["cancel"], "");
    life.ok("a", &["cancel", "confirm", &life.mail()], "");
    assert_eq!(life.run("a", &login, "third").code, 4);
    assert_eq!(life.run("a", &["whoami"], "").code, 4);
}

#[test]
fn an_account_without_its_recovery_key_starts_anew() {
    let life = Life { world: World::with_outbox() };
    life.world.login();
    life.world.ok(&["mkdir", "/lost"]);
    life.ok("x", &["recover", crate::world::EMAIL, "--lose-data"], "");
    let mail = life.mail();
    assert_eq!(life.run("x", &["recover", "confirm", &mail, "--password-stdin"], "new").code, 2);
    life.ok("x", &["recover", "confirm", &mail, "--lose-data", "--password-stdin"], "new");
    life.ok("x", &["login", crate::world::EMAIL, "--password-stdin"], "new");
    assert_eq!(life.ok("x", &["ls"], ""), "");
}

#[test]
fn an_old_account_becomes_one_of_version_2() {
    let world = World::with(&["--kdf", "v1"]);
    world.login();
    assert_eq!(world.run_with(&["upgrade", "--password-stdin"], "wrong").code, 4);
    assert_eq!(world.run_with(&["upgrade", "--password-stdin"], crate::world::PASSWORD).code, 0);
    world.login();
    assert!(world.ok(&["--json", "whoami"]).contains("\"version\":2"));
}

#[test]
fn that_the_recovery_key_was_shown_is_noted_beside_what_others_noted() {
    let world = World::logged_in();
    let (session, requests) = (world.session_id(), Cell::new(0));
    let post = |body: &str| {
        requests.set(requests.get() + 1);
        world.post(&format!("/cs?id={}&sid={session}", requests.get()), "", body)
    };
    let reminder = || {
        let value = post(r#"[{"a":"uga","ua":"^!prd","v":1}]"#);
        let value = base64::decode(value[0]["av"].as_str().unwrap()).unwrap();
        String::from_utf8(value).unwrap()
    };
    world.ok(&["recovery-key"]);
    assert_eq!(reminder(), "0:0:1:0:0");
    for (before, after) in [
        ("1700000000:5:0:1:1700000001", "1700000000:5:1:1:1700000001"),
        ("of another form", "of another form"),
    ] {
        let value = base64::encode(before.as_bytes());
        post(&format!(r#"[{{"a":"up2","^!prd":"{value}"}}]"#));
        assert_eq!(world.ok(&["recovery-key"]).trim().len(), 22);
        assert_eq!(reminder(), after);
    }
    // Whether it can be noted or not, the key is shown.
    let world = World::with(&["--fault", "up2:refuse=11"]);
    world.login();
    let done = world.run(&["recovery-key"]);
    assert_eq!((done.code, done.stdout.trim().len()), (0, 22), "{}", done.stderr);
    assert!(done.stderr.contains("will still remind you"), "{}", done.stderr);
}
