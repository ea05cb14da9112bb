//! A server in a process of its own, and the command pointed at it with a home of its own.

use std::io::{BufRead, BufReader, Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};

use supermega_crypto::SavedSession;
use tempfile::TempDir;

pub const EMAIL: &str = "me@example.org";
pub const PASSWORD: &str = "secret";

/// Where the command works, and where its server listens.
pub struct World {
    pub home: TempDir,
    pub url: String,
    /// Where it listens with TLS, if it does.
    pub tls_url: Option<String>,
    server: Child,
}

/// How a run ended.
pub struct Done {
    pub code: i32,
    pub stdout: String,
    pub stderr: String,
}

impl World {
    pub fn new() -> Self {
        Self::with(&[])
    }

    /// With a server whose mails can be read: its token is in `data/admin-token`.
    pub fn with_outbox() -> Self {
        let home = tempfile::tempdir().unwrap();
        let data = home.path().join("data");
        Self::start(home, &["--data", data.to_str().unwrap()])
    }

    /// With a server that speaks TLS too, and its authority.
    pub fn with_tls() -> (Self, PathBuf) {
        let home = tempfile::tempdir().unwrap();
        let data = home.path().join("data");
        let options = ["--tls-listen", "127.0.0.1:0", "--data", data.to_str().unwrap()];
        let world = Self::start(home, &options);
        (world, data.join("ca.pem"))
    }

    /// With more options for the server.
    pub fn with(options: &[&str]) -> Self {
        Self::start(tempfile::tempdir().unwrap(), &[&["--in-memory"], options].concat())
    }

    fn start(home: TempDir, options: &[&str]) -> Self {
        let mut server = Command::new(env!("CARGO_BIN_EXE_supermega"))
            .args(["server", "--user"])
            .arg(format!("{EMAIL}:{PASSWORD}"))
            .args(options)
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(server.stdout.take().unwrap()).lines();
        let mut address = || {
            let line = lines.next().unwrap().unwrap();
            line.strip_prefix("listening ").unwrap().to_owned()
        };
        let url = address();
        let tls_url = options.contains(&"--tls-listen").then(address);
        Self { home, url, tls_url, server }
    }

    /// With somebody logged in.
    pub fn logged_in() -> Self {
        let world = Self::new();
        world.login();
        world
    }

    pub fn login(&self) {
        let done = self.run_with(&["login", EMAIL, "--password-stdin"], PASSWORD);
        assert_eq!(done.code, 0, "{}", done.stderr);
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.home.path().join(name)
    }

    pub fn run(&self, arguments: &[&str]) -> Done {
        self.run_with(arguments, "")
    }

    /// Runs and expects success.
    pub fn ok(&self, arguments: &[&str]) -> String {
        let done = self.run(arguments);
        assert_eq!(done.code, 0, "{arguments:?}: {}", done.stderr);
        done.stdout
    }

    /// The objects of this type that a successful run with `--json` prints.
    pub fn objects(&self, kind: &str, arguments: &[&str]) -> Vec<serde_json::Value> {
        let printed = self.ok(&[&["--json"], arguments].concat());
        let objects = printed.lines().map(|line| serde_json::from_str(line).unwrap());
        objects.filter(|object: &serde_json::Value| object["type"] == kind).collect()
    }

    pub fn run_with(&self, arguments: &[&str], input: &str) -> Done {
        let mut child = self.command(arguments).stdin(Stdio::piped()).spawn().unwrap();
        // A command that reads nothing may have ended already.
        let _ = child.stdin.take().unwrap().write_all(input.as_bytes());
        child.wait_with_output().unwrap().into()
    }

    /// Sends a request as it is, and gives the answer's body.
    pub fn post(&self, target: &str, header: &str, body: &str) -> serde_json::Value {
        let answer = self.ask("POST", target, header, body);
        serde_json::from_str(&answer).unwrap_or_else(|_| panic!("{answer}"))
    }

    fn ask(&self, method: &str, target: &str, header: &str, body: &str) -> String {
        let host = self.url.trim_start_matches("http://").trim_end_matches('/');
        let mut stream = std::net::TcpStream::connect(host).unwrap();
        let length = body.len();
        let head =
            format!("{method} {target} HTTP/1.0\r\nHost: {host}\r\n{header}Connection: close\r\n");
        write!(stream, "{head}Content-Length: {length}\r\n\r\n{body}").unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        let (_, body) = answer.split_once("\r\n\r\n").unwrap();
        body.to_owned()
    }

    /// What a run has asked the server, a request a line; the server must be one with an outbox.
    pub fn requests_of(&self, arguments: &[&str]) -> Vec<serde_json::Value> {
        self.ask("DELETE", "/admin/log", &self.admin_header(), "");
        self.ok(arguments);
        let log = self.ask("GET", "/admin/log", &self.admin_header(), "");
        log.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }

    pub fn admin_header(&self) -> String {
        let token = std::fs::read_to_string(self.path("data/admin-token")).unwrap();
        format!("X-Admin-Token: {}\r\n", token.trim())
    }

    /// The id of a new session of the user's.
    pub fn session_id(&self) -> String {
        let client = supermega::Client::builder().api_url(&self.url).build().unwrap();
        let login = client.login(EMAIL, PASSWORD);
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let saved = runtime.block_on(login).unwrap().save();
        match saved.parse().unwrap() {
            SavedSession::Account { sid, .. }
            | SavedSession::AccountUnderSessionKey { sid, .. } => sid.to_text(),
            SavedSession::FolderLink { .. } => unreachable!(),
        }
    }

    /// Makes a tree of so many nodes in the account; the server must be one with an outbox.
    pub fn generate(&self, nodes: u32) {
        let body = serde_json::json!({ "email": EMAIL, "password": PASSWORD, "nodes": nodes });
        self.post("/admin/generate", &self.admin_header(), &body.to_string());
    }

    pub fn command(&self, arguments: &[&str]) -> Command {
        let mut command = command(arguments);
        command
            .env("SUPERMEGA_API_URL", &self.url)
            .env("SUPERMEGA_CONFIG_DIR", self.path("config"))
            .env("SUPERMEGA_STATE_DIR", self.path("state"))
            .env("SUPERMEGA_CACHE_DIR", self.path("cache"))
            .env_remove("SUPERMEGA_NO_CACHE")
            .current_dir(self.home.path());
        command
    }
}

impl Drop for World {
    fn drop(&mut self) {
        let _ = self.server.kill();
        let _ = self.server.wait();
    }
}

/// The command without anything of the caller's environment.
pub fn command(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_supermega"));
    for (name, _) in std::env::vars().filter(|(name, _)| name.starts_with("SUPERMEGA")) {
        command.env_remove(name);
    }
    command
        .args(arguments)
        .env("SUPERMEGA_KEYRING", "off")
        .env_remove("DBUS_SESSION_BUS_ADDRESS")
        .env("SUPERMEGA_TIMEOUT", "1")
        .env("SUPERMEGA_PATIENCE", "1")
        .env("SUPERMEGA_NO_CACHE", "1")
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    command
}

impl From<Output> for Done {
    fn from(output: Output) -> Self {
        Self {
            code: output.status.code().unwrap_or(-1),
            stdout: String::from_utf8(output.stdout).unwrap(),
            stderr: String::from_utf8(output.stderr).unwrap(),
        }
    }
}

/// Bytes that repeat nowhere near a chunk's length.
pub fn content(size: usize) -> Vec<u8> {
    (0..size).map(|i| (i ^ (i >> 8) ^ (i >> 16)).to_le_bytes()[0].wrapping_mul(37)).collect()
}

/// The paths of all files below a folder, which may be missing.
pub fn files_below(top: &Path) -> Vec<String> {
    if !top.exists() {
        return Vec::new();
    }
    snapshot(top).into_keys().map(|path| path.to_str().unwrap().to_owned()).collect()
}

/// Every file below a folder, with its content.
pub fn snapshot(top: &Path) -> std::collections::BTreeMap<PathBuf, Vec<u8>> {
    let mut files = std::collections::BTreeMap::new();
    let mut pending = vec![top.to_owned()];
    while let Some(folder) = pending.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                pending.push(path);
            } else {
                files.insert(
                    path.strip_prefix(top).unwrap().to_owned(),
                    std::fs::read(path).unwrap(),
                );
            }
        }
    }
    files
}
