//! The recorded bodies in `tests/bodies`, each with the reader and the schema it belongs to.
//!
//! A file is named after a command, or after `packet-` and a packet, and holds a request and its
//! results in the v3 and in the legacy form; `other_…` holds further forms.
#![allow(dead_code, reason = "each test binary uses a part of it")]

use std::collections::BTreeMap;
use std::path::Path;

use serde_json::Value;
use supermega_protocol::packet::ActionPacket;
use supermega_protocol::wire::{self, ResultError};
use supermega_protocol::{Command, CommandVisitor, Drift, Malformed, visit_commands};

/// A recorded body.
pub struct Body {
    /// What it is, as `request p 0`, for messages and the tables of exceptions.
    pub label: String,
    /// The command or packet.
    pub name: String,
    /// Its schema, below `schema/`.
    pub schema: String,
    /// The whole text, a result's wrapper included.
    pub json: Value,
    /// Whether it is a result in a wrapper with a sequence tag.
    pub wrapped: bool,
    read: fn(&str) -> Reading,
}

impl Body {
    /// Reads `json` as if it had come instead.
    pub fn read(&self, json: &Value) -> Reading {
        (self.read)(&json.to_string())
    }

    /// The part that the schema describes.
    pub fn described<'a>(&self, json: &'a Value) -> &'a Value {
        if self.wrapped { json.get(1).unwrap_or(&Value::Null) } else { json }
    }
}

/// What came of reading a text.
#[derive(Debug)]
pub enum Reading {
    Read(Vec<Drift>),
    Malformed(Malformed),
    /// The service's refusal, which is no malformed text but no value either.
    Refused,
}

/// Every recorded body.
pub fn bodies() -> Vec<Body> {
    let commands = commands();
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/bodies");
    let mut bodies = Vec::new();
    let mut files: Vec<_> = std::fs::read_dir(folder).unwrap().map(|f| f.unwrap().path()).collect();
    files.sort();
    for file in files {
        let stem = file.file_stem().unwrap().to_str().unwrap().to_owned();
        let text = std::fs::read_to_string(&file).unwrap();
        let json: Value = serde_json::from_str(&text).unwrap_or_else(|e| panic!("{stem}: {e}"));
        let all = |members: &[&str]| -> Vec<Value> {
            let values = members.iter().filter_map(|member| json.get(member));
            values
                .flat_map(|value| match value {
                    Value::Array(list) => list.clone(),
                    one => vec![one.clone()],
                })
                .collect()
        };
        if let Some(name) = stem.strip_prefix("packet-") {
            for (i, json) in all(&["packets"]).into_iter().enumerate() {
                bodies.push(Body {
                    label: format!("packet {name} {i}"),
                    name: name.to_owned(),
                    schema: format!("packets/{name}.json"),
                    json,
                    wrapped: false,
                    read: read_packet,
                });
            }
            continue;
        }
        let readers = commands.get(stem.as_str()).unwrap_or_else(|| panic!("no command `{stem}`"));
        for (i, json) in all(&["request", "other_requests"]).into_iter().enumerate() {
            bodies.push(Body {
                label: format!("request {stem} {i}"),
                name: stem.clone(),
                schema: format!("commands/{stem}.request.json"),
                json,
                wrapped: false,
                read: readers.request,
            });
        }
        for (i, json) in all(&["results", "other_results"]).into_iter().enumerate() {
            bodies.push(Body {
                label: format!("result {stem} {i}"),
                name: stem.clone(),
                schema: format!("commands/{stem}.result.json"),
                wrapped: readers.tagged && is_wrapper(&json),
                json,
                read: readers.result,
            });
        }
    }
    bodies
}

/// The names of all commands.
pub fn command_names() -> Vec<&'static str> {
    commands().into_keys().collect()
}

fn is_wrapper(json: &Value) -> bool {
    json.as_array().is_some_and(|list| list.len() == 2)
}

struct Readers {
    request: fn(&str) -> Reading,
    result: fn(&str) -> Reading,
    tagged: bool,
}

fn commands() -> BTreeMap<&'static str, Readers> {
    struct Collect(BTreeMap<&'static str, Readers>);
    impl CommandVisitor for Collect {
        fn visit<C: Command>(&mut self) {
            let readers =
                Readers { request: read_request::<C>, result: read_result::<C>, tagged: C::TAGGED };
            self.0.insert(C::NAME, readers);
        }
    }
    let mut all = Collect(BTreeMap::new());
    visit_commands(&mut all);
    all.0
}

fn read_request<C: Command>(json: &str) -> Reading {
    // A server reads the name first, and then what belongs to it.
    match wire::command_name(json) {
        Ok(name) => assert_eq!(name, C::NAME),
        Err(error) => return Reading::Malformed(error),
    }
    match wire::decode_command::<C>(json) {
        Ok(decoded) => Reading::Read(decoded.drift),
        Err(error) => Reading::Malformed(error),
    }
}

fn read_result<C: Command>(json: &str) -> Reading {
    match wire::decode_result::<C>(json) {
        Ok(decoded) => Reading::Read(decoded.drift),
        Err(ResultError::Malformed(error)) => Reading::Malformed(error),
        Err(ResultError::Refused(_)) => Reading::Refused,
    }
}

fn read_packet(json: &str) -> Reading {
    match ActionPacket::decode(json) {
        Ok(decoded) => Reading::Read(decoded.drift),
        Err(error) => Reading::Malformed(error),
    }
}
