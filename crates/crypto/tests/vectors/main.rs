//! Known answers, one test for each subject of `docs/protocol/vectors-auth.json`.
//!
//! They were computed with code of the official clients, or come from public tests of others.

mod accounts;
mod content;
mod curve;
mod hashcash;
mod keys;
mod links;
mod rsa;

use std::sync::LazyLock;

use serde_json::Value;
use supermega_encoding::base64;

static VECTORS: LazyLock<Value> = LazyLock::new(|| {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/protocol/vectors-auth.json");
    serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
});

/// The vectors at a JSON pointer, which must exist.
fn at(pointer: &str) -> &'static Value {
    VECTORS.pointer(pointer).unwrap_or_else(|| panic!("no vector {pointer}"))
}

/// The rows at a JSON pointer, of which there must be so many: a lost row is a failure.
fn rows(pointer: &str, count: usize) -> &'static [Value] {
    let rows = at(pointer).as_array().unwrap();
    assert_eq!(rows.len(), count, "{pointer}");
    rows
}

fn text<'a>(row: &'a Value, name: &str) -> &'a str {
    row[name].as_str().unwrap_or_else(|| panic!("no text {name} in {row}"))
}

fn number(row: &Value, name: &str) -> u64 {
    row[name].as_u64().unwrap_or_else(|| panic!("no number {name} in {row}"))
}

fn hex(row: &Value, name: &str) -> Vec<u8> {
    data_encoding::HEXLOWER.decode(text(row, name).as_bytes()).unwrap()
}

fn hex_array<const N: usize>(row: &Value, name: &str) -> [u8; N] {
    hex(row, name).try_into().unwrap()
}

fn b64(row: &Value, name: &str) -> Vec<u8> {
    base64::decode(text(row, name)).unwrap()
}

fn b64_array<const N: usize>(row: &Value, name: &str) -> [u8; N] {
    b64(row, name).try_into().unwrap()
}
