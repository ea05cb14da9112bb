//! The JSON Schema of the protocol, made from the types: `schema/` in the repository holds it.

use std::collections::BTreeMap;

use schemars::generate::SchemaSettings;
use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde_json::{Value, json};

use crate::{Command, CommandVisitor, packet, visit_commands};

/// Every schema by its path below `schema/`: `commands/NAME.request.json`, `commands/NAME.result.json`,
/// `packets/NAME.json`.
///
/// Objects allow no other members than the known ones, so that validation finds drift.
#[must_use]
pub fn files() -> BTreeMap<String, Value> {
    let mut files = Files(BTreeMap::new());
    visit_commands(&mut files);
    let mut generator = generator();
    let mut packets = Vec::new();
    packet::visit_packets(&mut generator, |name, schema| packets.push((name, schema)));
    let definitions: Value = generator.take_definitions(true).into();
    for (name, schema) in packets {
        let mut value: Value = schema.into();
        add_head(&mut value, name);
        for (member, kind) in [("i", "string"), ("st", "string")] {
            value["properties"][member] = json!({ "type": kind });
        }
        value["$defs"] = definitions.clone();
        let value = closed(titled(value, &format!("packet {name}")));
        files.0.insert(format!("packets/{name}.json"), value);
    }
    files.0
}

fn generator() -> SchemaGenerator {
    SchemaSettings::draft2020_12().into_generator()
}

struct Files(BTreeMap<String, Value>);

impl CommandVisitor for Files {
    fn visit<C: Command>(&mut self) {
        let mut request = schema_of::<C>();
        add_head(&mut request, C::NAME);
        let request = closed(titled(request, &format!("request {}", C::NAME)));
        self.0.insert(format!("commands/{}.request.json", C::NAME), request);
        let result = titled(closed(schema_of::<C::Response>()), &format!("result of {}", C::NAME));
        self.0.insert(format!("commands/{}.result.json", C::NAME), result);
    }
}

fn schema_of<T: JsonSchema>() -> Value {
    let schema: Schema = generator().into_root_schema_for::<T>();
    schema.into()
}

fn add_head(schema: &mut Value, name: &str) {
    schema["properties"]["a"] = json!({ "const": name });
    match schema["required"].as_array_mut() {
        Some(required) => required.insert(0, json!("a")),
        None => schema["required"] = json!(["a"]),
    }
}

fn titled(mut schema: Value, title: &str) -> Value {
    schema["title"] = json!(title);
    schema
}

/// Forbids members that no type knows, wherever the type does not allow them.
fn closed(mut schema: Value) -> Value {
    close(&mut schema);
    schema
}

fn close(schema: &mut Value) {
    match schema {
        Value::Object(members) => {
            if members.contains_key("properties") && !members.contains_key("additionalProperties") {
                members.insert("additionalProperties".into(), json!(false));
            }
            members.values_mut().for_each(close);
        }
        Value::Array(items) => items.iter_mut().for_each(close),
        _ => {}
    }
}
