//! Known answers of `docs/protocol/vectors-auth.json` that concern encoding.

use serde_json::Value;
use supermega_encoding::{NodeHandle, UserHandle, base64, mpi};

fn vectors() -> Value {
    serde_json::from_str(include_str!("../../../docs/protocol/vectors-auth.json")).unwrap()
}

fn hex(value: &Value) -> Vec<u8> {
    data_encoding::HEXLOWER.decode(value.as_str().unwrap().as_bytes()).unwrap()
}

#[test]
fn encoding_base64url() {
    for row in vectors()["encoding"]["base64url"].as_array().unwrap() {
        let (bytes, text) = (hex(&row["hex"]), row["b64"].as_str().unwrap());
        assert_eq!(base64::encode(&bytes), text);
        assert_eq!(base64::decode(text).unwrap(), bytes);
    }
}

#[test]
fn encoding_handles() {
    for row in vectors()["encoding"]["handles"].as_array().unwrap() {
        let (bytes, text) = (hex(&row["bytes_hex"]), row["text"].as_str().unwrap());
        let (parsed, printed) = match row["kind"].as_str().unwrap() {
            "node" => {
                let handle: NodeHandle = text.parse().unwrap();
                (handle.as_bytes().to_vec(), handle.to_string())
            }
            "user" => {
                let handle: UserHandle = text.parse().unwrap();
                (handle.as_bytes().to_vec(), handle.to_string())
            }
            kind => panic!("a kind of handle without a test: {kind}"),
        };
        assert_eq!((parsed, printed.as_str()), (bytes, text));
    }
}

#[test]
fn encoding_mpi_decode() {
    for row in vectors()["encoding"]["mpi_decode"].as_array().unwrap() {
        let bytes = hex(&row["hex"]);
        // Zero has no bytes of its own: the row's third byte is what follows it.
        let (magnitude, _) = mpi::read(&bytes).unwrap();
        let value = magnitude.iter().fold(0, |acc, b| (acc << 8) | u64::from(*b));
        assert_eq!(value, row["value"].as_u64().unwrap());
    }
}
