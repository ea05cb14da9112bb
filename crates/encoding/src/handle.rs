//! Handles: fixed-size ids that travel as base64url text (`protocol-auth.md` 1.3).

use std::fmt;
use std::str::FromStr;

use crate::base64::{self, DecodeError};

macro_rules! handle {
    ($(#[$doc:meta])* $name:ident, $bytes:literal, $chars:literal) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name([u8; $bytes]);

        impl $name {
            /// Number of raw bytes.
            pub const LEN: usize = $bytes;
            /// Number of characters on the wire.
            pub const TEXT_LEN: usize = $chars;

            /// Makes a handle of its raw bytes.
            #[must_use]
            pub const fn from_bytes(bytes: [u8; $bytes]) -> Self {
                Self(bytes)
            }

            /// The raw bytes, in wire order.
            #[must_use]
            pub const fn as_bytes(&self) -> &[u8; $bytes] {
                &self.0
            }
        }

        impl FromStr for $name {
            type Err = DecodeError;

            fn from_str(text: &str) -> Result<Self, DecodeError> {
                if text.len() != $chars {
                    let actual = text.len() * 6 / 8;
                    return Err(DecodeError::Length { what: stringify!($name), expected: $bytes, actual });
                }
                base64::decode_array(stringify!($name), text).map(Self)
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.pad(&base64::encode(&self.0))
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, concat!(stringify!($name), "({})"), self)
            }
        }

        #[cfg(feature = "serde")]
        impl serde::Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }

        #[cfg(feature = "serde")]
        impl<'de> serde::Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
                text.parse().map_err(serde::de::Error::custom)
            }
        }

        #[cfg(feature = "serde")]
        impl schemars::JsonSchema for $name {
            fn schema_name() -> std::borrow::Cow<'static, str> {
                stringify!($name).into()
            }

            fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
                schemars::json_schema!({
                    "type": "string",
                    "pattern": concat!("^[A-Za-z0-9_-]{", stringify!($chars), "}$"),
                })
            }
        }
    };
}

handle!(
    /// A node of somebody's tree: 6 bytes, never reused, the same in every share of it.
    NodeHandle, 6, 8
);
handle!(
    /// A public link's id: 6 bytes, a name space of its own beside node handles.
    PublicHandle, 6, 8
);
handle!(
    /// A user: 8 bytes.
    UserHandle, 8, 11
);
handle!(
    /// A contact request that waits for an answer: 8 bytes.
    ContactRequestHandle, 8, 11
);
handle!(
    /// A login session as the session list names it: 8 bytes, no secret.
    DeviceSessionHandle, 8, 11
);
handle!(
    /// A position in the stream of action packets, `sn` on the wire: 8 bytes.
    EventCursor, 8, 11
);
handle!(
    /// A sync or a backup that a device registered: 8 bytes.
    BackupHandle, 8, 11
);
handle!(
    /// A stored thumbnail or preview: 8 bytes.
    FileAttributeHandle, 8, 11
);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_handle_is_read_and_written() {
        let node: NodeHandle = "AQIDBAUG".parse().unwrap();
        assert_eq!(node.as_bytes(), &[1, 2, 3, 4, 5, 6]);
        assert_eq!(node.to_string(), "AQIDBAUG");
        let user: UserHandle = "ESIzRFVmd4g".parse().unwrap();
        assert_eq!(user.as_bytes(), &[0x11, 0x22, 0x33, 0x44, 0x55, 0x66, 0x77, 0x88]);
    }

    #[test]
    fn another_length_is_refused() {
        for text in ["", "AQIDBAU", "AQIDBAUGB", "ESIzRFVmd4g"] {
            assert!(text.parse::<NodeHandle>().is_err(), "{text}");
        }
        assert!("AQIDBAUG".parse::<UserHandle>().is_err());
    }

    #[test]
    fn another_alphabet_is_refused() {
        assert!("AQID!AUG".parse::<NodeHandle>().is_err());
        assert!("ÄÄÄÄ".parse::<NodeHandle>().is_err());
    }
}
