//! MEGA's base64: the URL alphabet without padding (`protocol-auth.md` 1.1).
//!
//! Encoding is strict. Decoding takes what is seen in the wild: `+` and `/` for `-` and `_`,
//! trailing `=`, and stray bits in the last character; anything else is an error.

use std::fmt;
use std::sync::LazyLock;

use data_encoding::{BASE64URL_NOPAD, Encoding, Specification};

static LENIENT: LazyLock<Encoding> = LazyLock::new(|| {
    let mut spec = Specification::new();
    spec.symbols.push_str("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_");
    spec.translate.from.push_str("+/");
    spec.translate.to.push_str("-_");
    spec.check_trailing_bits = false;
    spec.encoding().expect("the alphabet has 64 distinct symbols")
});

/// Why a text is not what it should stand for.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum DecodeError {
    /// A character outside the alphabet, or a length that no number of bytes has.
    #[error("not base64url: invalid character or length at position {position}")]
    Alphabet {
        /// Index of the first byte that cannot be read.
        position: usize,
    },
    /// The right alphabet, but the wrong number of bytes for this type.
    #[error("{what} must be {expected} bytes long, not {actual}")]
    Length {
        /// The type that was to be read.
        what: &'static str,
        /// How many bytes it has.
        expected: usize,
        /// How many bytes the text holds.
        actual: usize,
    },
    /// A multi-precision integer whose header promises more bytes than there are.
    #[error("integer is cut short: {expected} bytes announced, {actual} left")]
    Truncated {
        /// Bytes that the header announces.
        expected: usize,
        /// Bytes that are left.
        actual: usize,
    },
}

/// Encodes without padding.
#[must_use]
pub fn encode(bytes: &[u8]) -> String {
    BASE64URL_NOPAD.encode(bytes)
}

/// Decodes leniently, as this module's head says.
pub fn decode(text: &str) -> Result<Vec<u8>, DecodeError> {
    let text = text.trim_end_matches('=');
    LENIENT.decode(text.as_bytes()).map_err(|e| DecodeError::Alphabet { position: e.position })
}

/// Decodes as [`decode`] does, into the beginning of `buffer`; an error if that is too short.
pub fn decode_into<'a>(text: &str, buffer: &'a mut [u8]) -> Result<&'a [u8], DecodeError> {
    let text = text.trim_end_matches('=').as_bytes();
    let error = |position| DecodeError::Alphabet { position };
    let length = LENIENT.decode_len(text.len()).map_err(|e| error(e.position))?;
    let actual = buffer.len();
    let place = buffer.get_mut(..length).ok_or(DecodeError::Length {
        what: "buffer",
        expected: length,
        actual,
    })?;
    LENIENT.decode_mut(text, place).map_err(|e| error(e.error.position))?;
    Ok(place)
}

/// Decodes into exactly `N` bytes; `what` names the type in the error.
pub fn decode_array<const N: usize>(
    what: &'static str,
    text: &str,
) -> Result<[u8; N], DecodeError> {
    let bytes = decode(text)?;
    let actual = bytes.len();
    bytes.try_into().map_err(|_| DecodeError::Length { what, expected: N, actual })
}

/// Bytes that travel as base64url text.
///
/// Not for secrets: it prints its content. Keys have types of their own in the crypto crate.
#[derive(Clone, Default, PartialEq, Eq, Hash)]
pub struct Base64(pub Vec<u8>);

impl Base64 {
    /// The bytes.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }
}

impl From<Vec<u8>> for Base64 {
    fn from(bytes: Vec<u8>) -> Self {
        Self(bytes)
    }
}

impl From<&[u8]> for Base64 {
    fn from(bytes: &[u8]) -> Self {
        Self(bytes.to_vec())
    }
}

impl<const N: usize> From<[u8; N]> for Base64 {
    fn from(bytes: [u8; N]) -> Self {
        Self(bytes.to_vec())
    }
}

impl std::str::FromStr for Base64 {
    type Err = DecodeError;

    fn from_str(text: &str) -> Result<Self, DecodeError> {
        decode(text).map(Self)
    }
}

impl fmt::Display for Base64 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&encode(&self.0))
    }
}

impl fmt::Debug for Base64 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Base64({} bytes)", self.0.len())
    }
}

#[cfg(feature = "serde")]
mod json {
    use std::borrow::Cow;

    use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
    use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

    use super::Base64;

    impl Serialize for Base64 {
        fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
            serializer.collect_str(self)
        }
    }

    impl<'de> Deserialize<'de> for Base64 {
        fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
            Cow::<'de, str>::deserialize(deserializer)?.parse().map_err(de::Error::custom)
        }
    }

    impl JsonSchema for Base64 {
        fn schema_name() -> Cow<'static, str> {
            "Base64".into()
        }

        fn json_schema(_: &mut SchemaGenerator) -> Schema {
            json_schema!({
                "type": "string",
                "pattern": "^[A-Za-z0-9_+/-]*=*$",
                "description": "Bytes as base64url without padding."
            })
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn padding_and_the_other_alphabet_are_read() {
        assert_eq!(decode("+/8=").unwrap(), decode("-_8").unwrap());
    }

    #[test]
    fn a_lone_character_is_an_error() {
        assert!(matches!(decode("AAAAA"), Err(DecodeError::Alphabet { .. })));
    }

    #[test]
    fn foreign_characters_are_an_error() {
        for text in ["AA\"A", "AA A", "AA,A", "AÄ"] {
            assert!(decode(text).is_err(), "{text}");
        }
    }

    proptest! {
        #[test]
        fn what_is_encoded_is_decoded(bytes: Vec<u8>) {
            let text = encode(&bytes);
            prop_assert_eq!(text.len(), (bytes.len() * 8).div_ceil(6));
            prop_assert_eq!(decode(&text).unwrap(), bytes);
        }

        #[test]
        fn no_text_panics(text: String) {
            let _ = decode(&text);
        }
    }
}
