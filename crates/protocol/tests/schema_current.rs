//! `schema/` in the repository is what the types say, and what was recorded is what it says.

mod common;

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use serde_json::{Value, json};
use supermega_protocol::schema;

const HOW: &str = "run `cargo run -p supermega-protocol --example schema`, delete extra files, and \
                   commit schema/";

#[test]
fn the_schemas_in_the_repository_are_current() {
    let kept = kept();
    let made = schema::files();
    let mut faults = Vec::new();
    for path in kept.keys().chain(made.keys()).collect::<BTreeSet<_>>() {
        match (kept.get(path), made.get(path)) {
            (None, _) => faults.push(format!("schema/{path} is missing")),
            (_, None) => faults.push(format!("schema/{path} is extra: no type makes it")),
            (Some(kept), Some(made)) if *kept != format!("{made:#}\n") => {
                faults.push(format!("schema/{path} is stale"));
            }
            _ => {}
        }
    }
    assert!(faults.is_empty(), "{}\n{HOW}", faults.join("\n"));
}

#[test]
fn recorded_bodies_keep_to_the_schemas() {
    let files = schema::files();
    let mut faults = Vec::new();
    for body in common::bodies() {
        let validator = jsonschema::validator_for(&files[&body.schema]).unwrap();
        let described = body.described(&body.json);
        for error in validator.iter_errors(described) {
            faults.push(format!("{} at {}: {error}", body.label, error.instance_path()));
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

#[test]
fn every_object_is_closed_or_a_map() {
    // An object that allows whatever comes would hide drift in the traffic of other clients.
    fn open(schema: &Value, path: &str, found: &mut Vec<String>) {
        match schema {
            Value::Object(members) => {
                let shaped = ["properties", "patternProperties"];
                let shaped =
                    shaped.iter().any(|key| members.get(*key).is_some_and(Value::is_object));
                if shaped
                    && members.get("additionalProperties").is_none_or(|more| *more == json!(true))
                {
                    found.push(path.to_owned());
                }
                for (name, value) in members {
                    open(value, &format!("{path}/{name}"), found);
                }
            }
            Value::Array(list) => {
                for (i, value) in list.iter().enumerate() {
                    open(value, &format!("{path}/{i}"), found);
                }
            }
            _ => {}
        }
    }
    let mut found = Vec::new();
    for (path, schema) in schema::files() {
        open(&schema, &path, &mut found);
    }
    assert!(found.is_empty(), "{}", found.join("\n"));
}

/// The files below `schema/`, by their path with slashes.
fn kept() -> BTreeMap<String, String> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../schema");
    let mut files = BTreeMap::new();
    let mut folders = vec![PathBuf::new()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(root.join(&folder)).unwrap() {
            let entry = entry.unwrap();
            let path = folder.join(entry.file_name());
            if entry.file_type().unwrap().is_dir() {
                folders.push(path);
            } else {
                let name = path.to_str().unwrap().replace(std::path::MAIN_SEPARATOR, "/");
                files.insert(name, std::fs::read_to_string(entry.path()).unwrap());
            }
        }
    }
    files
}
