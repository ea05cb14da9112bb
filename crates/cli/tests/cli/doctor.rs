//! What is wrong is found, told in words, and told what to do about; the exit code says whether there is anything.

use std::io::{Read, Write};
use std::net::TcpListener;

use crate::world::{Done, EMAIL, PASSWORD, World, command};

/// A world whose server has a fault, with somebody logged in before it is asked for that.
fn faulty(fault: &str) -> World {
    let world = World::with(&["--fault", fault]);
    world.login();
    world
}

fn finds(done: &Done, check: &str, state: &str, words: &str) {
    let lines: Vec<serde_json::Value> =
        done.stdout.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let found = lines.iter().any(|line| {
        line["check"] == check
            && line["state"] == state
            && line["text"].as_str().unwrap().contains(words)
            && (state == "ok" || !line["next"].as_str().unwrap().is_empty())
    });
    assert!(found, "{check} {state} {words}: {}{}", done.stdout, done.stderr);
    let wrong = lines.iter().any(|line| line["state"] == "wrong");
    assert_eq!(done.code, i32::from(wrong), "{}", done.stdout);
}

#[test]
fn nothing_is_wrong_where_nothing_is_and_no_login_is_needed() {
    let world = World::new();
    let done = world.run(&["--json", "doctor"]);
    finds(&done, "service", "ok", "answers");
    finds(&done, "login", "ok", "none is kept");
    finds(&done, "keyring", "ok", "turned off");
    finds(&done, "clock", "ok", "seconds");
    assert_eq!(done.code, 0);
    world.login();
    let done = world.run(&["--json", "doctor"]);
    finds(&done, "login", "ok", EMAIL);
    finds(&done, "keys", "ok", "no key container yet");
    finds(&done, "quota", "ok", "there is room");
    assert_eq!(done.code, 0);
    let text = world.ok(&["doctor"]);
    assert!(text.lines().any(|line| line.starts_with("ok       service")), "{text}");
}

#[test]
fn refusals_of_the_kept_login_are_explained() {
    // The first `us` of a run that looks is the second at all.
    for (fault, words) in [
        ("us:refuse=15+1", "the session is over (-15)"),
        ("us:refuse=16+1", "suspended, and the service does not say why (-16)"),
        ("us:refuse=11+1", "not enough rights (-11)"),
        ("us:refuse=26+1", "second factor (-26)"),
        ("us:refuse=13+1", "not confirmed yet (-13)"),
        ("us:refuse=6+1", "too many attempts"),
        ("us:refuse=77+1", "without a reason that is known (-77)"),
        ("us:drift=kind+1", "cannot be read"),
    ] {
        let world = faulty(fault);
        let done = world.run(&["--json", "doctor"]);
        finds(&done, "login", "wrong", words);
    }
}

#[test]
fn reasons_of_a_suspension_are_told() {
    for (reason, words) in [
        (200, "copyright"),
        (300, "terms of service"),
        (400, "disabled"),
        (401, "removed"),
        (500, "telephone"),
        (700, "e-mail address must"),
    ] {
        let words = words.replace(" must", "");
        let world = World::with(&[
            "--fault",
            "us:refuse=16+1",
            "--fault",
            &format!("whyamiblocked:result={reason}"),
        ]);
        world.login();
        finds(&world.run(&["--json", "doctor"]), "login", "wrong", &words);
    }
}

#[test]
fn what_the_account_lacks_is_told() {
    let world = World::with(&["--quota", "1000"]);
    world.login();
    std::fs::write(world.path("file"), [0; 1000]).unwrap();
    world.ok(&["put", "file", "/"]);
    finds(&world.run(&["--json", "doctor"]), "quota", "wrong", "storage is full");
}

#[test]
fn services_that_do_not_answer_are_explained() {
    for (fault, words) in [
        ("gmf:again", "busy"),
        ("gmf:status=402", "proof of work (402)"),
        ("gmf:status=404", "HTTP status 404"),
        ("gmf:refuse=2", "does not understand"),
        ("gmf:drift=kind", "cannot be read"),
    ] {
        let world = World::with(&["--fault", fault]);
        finds(&world.run(&["--json", "doctor"]), "service", "wrong", words);
    }
    let world = World::with(&["--fault", "gmf:hashcash=255"]);
    finds(&world.run(&["--json", "doctor"]), "service", "warning", "proof of work");
    let world = World::with(&["--fault", "gmf:drift"]);
    finds(&world.run(&["--json", "doctor"]), "drift", "warning", "zz");
}

fn doctor(url: &str, more: &[(&str, &str)]) -> Done {
    let home = tempfile::tempdir().unwrap();
    let mut command = command(&["--json", "doctor"]);
    command.env("SUPERMEGA_API_URL", url).env("SUPERMEGA_CONFIG_DIR", home.path().join("config"));
    command.env("SUPERMEGA_STATE_DIR", home.path().join("state"));
    command.envs(more.iter().copied()).output().unwrap().into()
}

#[test]
fn hosts_proxies_and_certificates_are_explained() {
    let closed = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    finds(&doctor(&format!("http://{closed}/"), &[]), "service", "wrong", "nobody answers");
    finds(&doctor("http://nowhere.invalid/", &[]), "service", "wrong", "has no address");
    let proxy = format!("http://{closed}");
    let done =
        doctor("http://nowhere.invalid/", &[("HTTPS_PROXY", &proxy), ("HTTP_PROXY", &proxy)]);
    finds(&done, "service", "wrong", "the proxy does not connect");
    finds(&done, "proxy", "ok", "HTTPS_PROXY");
    let done = doctor("http://127.0.0.1:9/", &[("SUPERMEGA_PROXY", "ftp://x")]);
    finds(&done, "service", "wrong", "must look like");
    let (world, ca) = World::with_tls();
    let tls = world.tls_url.clone().unwrap();
    finds(&doctor(&tls, &[]), "service", "wrong", "does not prove");
    finds(
        &doctor(&tls, &[("SUPERMEGA_CA_FILE", ca.to_str().unwrap())]),
        "service",
        "ok",
        "answers",
    );
    finds(&doctor(&tls, &[("SUPERMEGA_CA_FILE", "absent")]), "service", "wrong", "absent");
}

#[test]
fn a_wrong_clock_is_told() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/", listener.local_addr().unwrap());
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let mut request = [0; 4096];
            let _ = stream.read(&mut request);
            let answer = "HTTP/1.1 200 OK\r\nDate: Sun, 06 Nov 1994 08:49:37 GMT\r\n\
                          Content-Length: 4\r\nConnection: close\r\n\r\n[{}]";
            let _ = stream.write_all(answer.as_bytes());
        }
    });
    finds(&doctor(&url, &[]), "clock", "wrong", "seconds ahead");
}

#[test]
fn passwords_that_are_refused_are_looked_at() {
    let world = World::new();
    let tries = |password: &str| {
        world.run_with(&["--json", "doctor", EMAIL, "--password-stdin"], &format!("{password}\n"))
    };
    finds(&tries(PASSWORD), "password", "ok", "can log in");
    finds(&tries("wrong"), "password", "wrong", "(-9)");
    let spaces = tries(" secret");
    finds(&spaces, "password", "warning", "white space");
    assert_eq!(spaces.code, 1);
    finds(&tries("sécret"), "password", "warning", "in several ways");
    assert!(!spaces.stdout.contains(" secret\""));
}

#[cfg(all(unix, not(target_os = "macos")))]
#[test]
fn a_keyring_that_cannot_be_reached_is_told() {
    let world = World::logged_in();
    for (wanted, state) in [("auto", "warning"), ("on", "wrong")] {
        let mut doctor = world.command(&["--json", "doctor"]);
        doctor.env("DBUS_SESSION_BUS_ADDRESS", "unix:path=/nonexistent");
        let done = doctor.env("SUPERMEGA_KEYRING", wanted).output().unwrap().into();
        finds(&done, "keyring", state, "the keyring: ");
    }
}

#[cfg(unix)]
#[test]
fn logins_that_others_can_read_are_told() {
    use std::os::unix::fs::PermissionsExt;
    let world = World::logged_in();
    let file = world.path("config/sessions/default.json");
    std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o644)).unwrap();
    finds(&world.run(&["--json", "doctor"]), "logins", "wrong", "others can read");
}

#[test]
fn the_folder_of_kept_trees_is_looked_at() {
    let world = World::logged_in();
    let trees = world.path("cache/trees");
    finds(&world.run(&["--json", "doctor"]), "cache", "ok", "0 trees, 0 in ");
    world.ok(&["ls", "/"]);
    finds(&world.run(&["--json", "doctor"]), "cache", "ok", "1 trees, ");
    finds(&world.run(&["--json", "--no-cache", "doctor"]), "cache", "ok", "turned off");

    let kept = std::fs::read_dir(&trees).unwrap().next().unwrap().unwrap().path();
    let mut bytes = std::fs::read(&kept).unwrap();
    // The place of the format's number in the header.
    bytes[63] += 1;
    std::fs::write(trees.join("newer.sqlite"), &bytes).unwrap();
    let newer = std::fs::metadata(&kept).unwrap().permissions();
    std::fs::set_permissions(trees.join("newer.sqlite"), newer).unwrap();
    finds(&world.run(&["--json", "doctor"]), "cache", "warning", "1 files of another format");
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        std::fs::set_permissions(&kept, std::fs::Permissions::from_mode(0o604)).unwrap();
        finds(&world.run(&["--json", "doctor"]), "cache", "wrong", "others can read");
    }
}
