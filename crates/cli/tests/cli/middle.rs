//! Somebody between the command and its server, who changes the nodes of a tree on their way.

use std::collections::HashMap;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;

use serde_json::Value;

use crate::world::{Done, EMAIL, PASSWORD, World};

/// A world that is looked at through changed trees.
pub struct Changed<'a> {
    world: &'a World,
    url: String,
}

impl<'a> Changed<'a> {
    /// Every tree that arrives from now on has been given to `change`, as its list of nodes.
    pub fn new(world: &'a World, change: impl Fn(&mut Vec<Value>) + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}/", listener.local_addr().unwrap());
        let honest = world.url.trim_start_matches("http://").trim_end_matches('/').to_owned();
        let change = Arc::new(change);
        std::thread::spawn(move || {
            for client in listener.incoming() {
                let (honest, change) = (honest.clone(), change.clone());
                std::thread::spawn(move || relay(&mut client.unwrap(), &honest, &*change));
            }
        });
        Self { world, url }
    }

    /// Changes nodes one by one, each by what is said of its handle.
    pub fn nodes(
        world: &'a World,
        changes: impl IntoIterator<Item = (String, Box<dyn Fn(&mut Value) + Send + Sync>)>,
    ) -> Self {
        let changes: HashMap<_, _> = changes.into_iter().collect();
        Self::new(world, move |nodes| {
            for node in nodes {
                if let Some(change) = changes.get(node["h"].as_str().unwrap()) {
                    change(node);
                }
            }
        })
    }

    /// Runs the command with a login of its own: logins are bound to the service's address.
    pub fn run(&self, arguments: &[&str]) -> Done {
        let mut command = self.world.command(arguments);
        command
            .env("SUPERMEGA_API_URL", &self.url)
            .env("SUPERMEGA_CONFIG_DIR", self.world.path("other config"))
            .env("SUPERMEGA_EMAIL", EMAIL)
            .env("SUPERMEGA_PASSWORD", PASSWORD);
        command.output().unwrap().into()
    }
}

/// One request and its answer, then the connection ends.
fn relay(
    client: &mut TcpStream,
    honest: &str,
    change: &(impl Fn(&mut Vec<Value>) + ?Sized),
) -> Option<()> {
    let (head, body) = read_request(client)?;
    // An answer to HTTP/1.0 comes in one piece.
    let line = head.lines().next()?.replace("HTTP/1.1", "HTTP/1.0");
    let mut server = TcpStream::connect(honest).ok()?;
    write!(server, "{line}\r\nHost: {honest}\r\nContent-Length: {}\r\n\r\n", body.len()).ok()?;
    server.write_all(&body).ok()?;
    let mut answer = Vec::new();
    server.read_to_end(&mut answer).ok()?;
    let end = answer.windows(4).position(|four| four == b"\r\n\r\n")?;
    let (head, mut body) = (String::from_utf8_lossy(&answer[..end]), answer[end + 4..].to_vec());
    if let Ok(Value::Array(mut results)) = serde_json::from_slice(&body) {
        for result in &mut results {
            if let Some(nodes) = result.get_mut("f").and_then(Value::as_array_mut) {
                change(nodes);
            }
        }
        body = Value::from(results).to_string().into_bytes();
    }
    let status = head.lines().next()?;
    let length = body.len();
    write!(client, "{status}\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n").ok()?;
    client.write_all(&body).ok()
}

fn read_request(client: &mut TcpStream) -> Option<(String, Vec<u8>)> {
    let (mut bytes, mut buffer) = (Vec::new(), [0; 4096]);
    loop {
        if let Some(end) = bytes.windows(4).position(|four| four == b"\r\n\r\n") {
            let mut body = bytes.split_off(end + 4);
            let head = String::from_utf8(bytes).ok()?;
            let fields = head.lines().filter_map(|line| line.split_once(':'));
            let length =
                fields.into_iter().find(|(name, _)| name.eq_ignore_ascii_case("content-length"));
            let length = length.map_or(Some(0), |(_, value)| value.trim().parse().ok())?;
            let arrived = body.len();
            body.resize(length, 0);
            client.read_exact(&mut body[arrived..]).ok()?;
            return Some((head, body));
        }
        match client.read(&mut buffer).ok()? {
            0 => return None,
            count => bytes.extend_from_slice(&buffer[..count]),
        }
    }
}
