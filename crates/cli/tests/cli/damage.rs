//! What cannot be read or reached: shown with the reason, and reachable by handle.

use std::io::{ErrorKind, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::time::Duration;

use serde_json::Value;

use crate::world::{Done, World};

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

/// Passes everything on, and changes a text in what the server says into another one of its length.
fn changing(server: &str, from: String, to: String) -> String {
    assert_eq!(from.len(), to.len());
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/", listener.local_addr().unwrap());
    let server = server.trim_start_matches("http://").trim_end_matches('/').to_owned();
    std::thread::spawn(move || {
        for client in listener.incoming() {
            let (client, server) = (client.unwrap(), TcpStream::connect(&server).unwrap());
            let mut up = (client.try_clone().unwrap(), server.try_clone().unwrap());
            std::thread::spawn(move || std::io::copy(&mut up.0, &mut up.1));
            let (from, to) = (from.clone(), to.clone());
            std::thread::spawn(move || change(server, client, from.as_bytes(), to.as_bytes()));
        }
    });
    url
}

fn change(mut server: TcpStream, mut client: TcpStream, from: &[u8], to: &[u8]) {
    server.set_read_timeout(Some(Duration::from_millis(20))).unwrap();
    let (mut kept, mut buffer) = (Vec::new(), [0; 4096]);
    loop {
        // What may be the beginning of the text is kept until more comes, or nothing.
        let pass = match server.read(&mut buffer) {
            Ok(0) => break,
            Ok(count) => {
                kept.extend_from_slice(&buffer[..count]);
                while let Some(at) = kept.windows(from.len()).position(|here| here == from) {
                    kept[at..at + to.len()].copy_from_slice(to);
                }
                kept.len().saturating_sub(from.len())
            }
            Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => {
                kept.len()
            }
            Err(_) => break,
        };
        if client.write_all(&kept[..pass]).is_err() {
            return;
        }
        kept.drain(..pass);
    }
    let _ = client.write_all(&kept);
    let _ = client.shutdown(std::net::Shutdown::Write);
}

#[test]
fn what_hangs_on_nothing_is_reachable() {
    let world = World::logged_in();
    world.ok(&["mkdir", "/lost", "/lost/below", "/kept"]);
    std::fs::write(world.path("file"), "found again").unwrap();
    world.ok(&["put", "file", "/lost/below"]);
    let (root, lost) = (handle_of(&world, "/"), handle_of(&world, "/lost"));
    let place = format!(r#""h":"{lost}","p":"{root}""#);
    let nowhere = format!(r#""h":"{lost}","p":"AAAAAAAA""#);
    let hostile = changing(&world.url, place, nowhere);
    // A login of its own: logins are bound to the service's address.
    let run = |arguments: &[&str]| -> Done {
        let output = world
            .command(arguments)
            .env("SUPERMEGA_API_URL", &hostile)
            .env("SUPERMEGA_CONFIG_DIR", world.path("other config"))
            .env("SUPERMEGA_EMAIL", crate::world::EMAIL)
            .env("SUPERMEGA_PASSWORD", crate::world::PASSWORD)
            .output()
            .unwrap();
        output.into()
    };
    assert_eq!(run(&["ls", "/"]).stdout, "kept/\n");
    let strays = run(&["ls", "--strays"]);
    assert_eq!(strays.stdout, format!("lost/  (H:{lost})\n"), "{}", strays.stderr);
    let found = run(&["find", "--strays", "-t", "f"]);
    assert_eq!(found.stdout, format!("H:{lost}/below/file\n"), "{}", found.stderr);
    assert_eq!(run(&["cat", found.stdout.trim()]).stdout, "found again");
}
