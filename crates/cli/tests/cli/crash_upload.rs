//! Uploads on a server that is killed: every piece that it acknowledged is there, and the rest can follow. And
//! they take no memory, however large they are.

use std::collections::BTreeSet;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, Stdio};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use serde_json::{Value, json};

use crate::world::command;

const PIECE: usize = 64 << 10;
const PIECES: usize = 300;
const SENDERS: usize = 3;

fn start(data: &Path) -> (Child, String) {
    let mut server = command(&["server", "--quota", "60G", "--data"]);
    let mut server = server.arg(data).stderr(Stdio::null()).spawn().unwrap();
    let mut line = String::new();
    BufReader::new(server.stdout.take().unwrap()).read_line(&mut line).unwrap();
    let url = line.trim().strip_prefix("listening http://").unwrap();
    (server, url.trim_end_matches('/').to_owned())
}

/// A connection that sends one request after the other.
struct Connection(BufReader<TcpStream>);

impl Connection {
    fn open(host: &str) -> io::Result<Self> {
        let stream = TcpStream::connect(host)?;
        stream.set_nodelay(true)?;
        Ok(Self(BufReader::new(stream)))
    }

    fn post(&mut self, path: &str, body: &[u8]) -> io::Result<Vec<u8>> {
        let stream = self.0.get_mut();
        let length = body.len();
        write!(
            stream,
            "POST {path} HTTP/1.1\r\nHost: localhost\r\nContent-Length: {length}\r\n\r\n"
        )?;
        stream.write_all(body)?;
        let mut length = 0;
        loop {
            let mut line = String::new();
            if self.0.read_line(&mut line)? == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
            if line == "\r\n" {
                break;
            }
            if let Some(value) = line.strip_prefix("Content-Length: ") {
                length = value.trim().parse().unwrap();
            }
        }
        let mut body = vec![0; length];
        self.0.read_exact(&mut body)?;
        Ok(body)
    }

    /// The result of one command.
    fn command(&mut self, sid: &str, command: &Value) -> Value {
        let body = json!([command]).to_string();
        let answer = self.post(&format!("/cs?sid={sid}"), body.as_bytes()).unwrap();
        let answer: Value = serde_json::from_slice(&answer).unwrap();
        answer[0].clone()
    }

    /// Makes an account without an address, and logs in.
    fn log_in(&mut self) -> String {
        let (k, ts) = ("AAECAwQFBgcICQoLDA0ODw", "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8");
        let body = json!([{ "a": "up", "k": k, "ts": ts }]).to_string();
        let user = self.post("/cs", body.as_bytes()).unwrap();
        let user: Value = serde_json::from_slice(&user).unwrap();
        let body = json!([{ "a": "us", "user": user[0] }]).to_string();
        let session = self.post("/cs", body.as_bytes()).unwrap();
        let session: Value = serde_json::from_slice(&session).unwrap();
        session[0]["tsid"].as_str().unwrap_or_else(|| panic!("{session}")).to_owned()
    }

    /// Where to upload so many bytes.
    fn upload(&mut self, sid: &str, size: u64) -> String {
        let reply = self.command(sid, &json!({ "a": "u", "s": size }));
        let url = reply["p"].as_str().unwrap_or_else(|| panic!("{reply}"));
        format!("/ul/{}", url.rsplit('/').next().unwrap())
    }
}

fn piece(index: usize) -> Vec<u8> {
    index.to_le_bytes().repeat(PIECE / 8)
}

/// Sends every so-manieth piece until the server is gone.
fn send(host: &str, path: &str, first: usize, known: &Mutex<BTreeSet<usize>>) -> io::Result<()> {
    let mut connection = Connection::open(host)?;
    // From behind, so that the ranges join in all ways.
    for index in (first..PIECES).step_by(SENDERS).rev() {
        connection.post(&format!("{path}/{}", index * PIECE), &piece(index))?;
        known.lock().unwrap().insert(index);
    }
    Ok(())
}

#[test]
fn acknowledged_pieces_survive_a_kill() {
    let data = tempfile::tempdir().unwrap();
    let mut acknowledged = 0;
    for round in 0..5 {
        let (mut server, host) = start(data.path());
        let mut connection = Connection::open(&host).unwrap();
        let sid = connection.log_in();
        let path = connection.upload(&sid, (PIECE * PIECES) as u64);
        let known = Arc::new(Mutex::new(BTreeSet::new()));
        let senders: Vec<_> = (0..SENDERS)
            .map(|first| {
                let (host, path, known) = (host.clone(), path.clone(), known.clone());
                std::thread::spawn(move || send(&host, &path, first, &known))
            })
            .collect();
        std::thread::sleep(Duration::from_millis(10 + round * 20));
        server.kill().unwrap();
        server.wait().unwrap();
        for sender in senders {
            let _ = sender.join().unwrap();
        }
        let known = std::mem::take(&mut *known.lock().unwrap());
        acknowledged += known.len();

        let (mut server, host) = start(data.path());
        let mut connection = Connection::open(&host).unwrap();
        // The last one, at least, must be missing for the token to come.
        let mut token = Vec::new();
        let missing = (0..PIECES).filter(|index| !known.contains(index) || *index == 0);
        for index in missing.collect::<Vec<_>>().into_iter().rev() {
            token = connection.post(&format!("{path}/{}", index * PIECE), &piece(index)).unwrap();
        }
        let token = String::from_utf8(token).unwrap();
        assert_eq!(token.len(), 36, "round {round}: {} of {PIECES} were acknowledged", known.len());
        let tree = connection.command(&sid, &json!({ "a": "f", "c": 1 }));
        let root = tree["f"].as_array().unwrap().iter().find(|node| node["t"] == 2).unwrap();
        let key = "BQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQU";
        let new = json!([{ "h": token, "t": 0, "a": "AAECAwQFBgcICQoLDA0ODw", "k": key }]);
        let made = connection.command(&sid, &json!({ "a": "p", "t": root["h"], "n": new }));
        let node = &made["f"][0]["h"];
        let source = connection.command(&sid, &json!({ "a": "g", "g": 1, "n": node }));
        let source = source["g"].as_str().unwrap_or_else(|| panic!("{made} {source}"));
        let source = format!("/dl/{}", source.rsplit('/').next().unwrap());
        for index in 0..PIECES {
            let range = format!("{source}/{}-{}", index * PIECE, (index + 1) * PIECE - 1);
            assert!(connection.post(&range, b"").unwrap() == piece(index), "piece {index}");
        }
        server.kill().unwrap();
        server.wait().unwrap();
    }
    println!("{acknowledged} acknowledged pieces");
    assert!(acknowledged > PIECES / 10, "the server was killed before it had anything to lose");
}

#[test]
#[cfg(target_os = "linux")]
fn a_large_upload_takes_no_memory() {
    const SIZE: u64 = 50 << 30;
    let data = tempfile::tempdir().unwrap();
    let (mut server, host) = start(data.path());
    let mut connection = Connection::open(&host).unwrap();
    let sid = connection.log_in();
    let peak = |server: &Child| -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", server.id())).unwrap();
        let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
        line.trim().strip_suffix(" kB").unwrap().parse().unwrap()
    };
    let before = peak(&server);
    let path = connection.upload(&sid, SIZE);
    let large = vec![1; 100 << 20];
    for offset in [SIZE - large.len() as u64, SIZE / 3, 0] {
        assert_eq!(connection.post(&format!("{path}/{offset}"), &large).unwrap(), b"");
    }
    let grown = peak(&server) - before;
    println!("{before} KiB at first, {grown} KiB more at the peak");
    assert!(grown < 64 << 10, "three pieces of 100 MiB took {grown} KiB");
    server.kill().unwrap();
    server.wait().unwrap();
}
