//! Every message that MEGA exchanges, as types: requests, results in both grammars, action packets.
//!
//! One definition serves both directions, so that a client and a server built on it cannot
//! disagree. Nothing here does I/O or cryptography: keys and attributes are opaque text.
//!
//! * [`Command`] ties a request to the result it gets; one file an area of commands.
//! * [`wire`] writes and reads requests, batches and results.
//! * [`packet`] holds what the server tells a client unasked.
//! * [`schema`] makes the JSON Schema of all of it, which `schema/` in the repository keeps.
//!
//! What is missing or of another type is an error that names the command and the JSON path; what
//! nobody here knows is kept out of the way and reported as [`Drift`].
//!
//! ```
//! use supermega_protocol::{session::Prelogin, wire};
//!
//! let request = wire::encode_command(&Prelogin { user: "me@example.org".into() })?;
//! assert_eq!(request, r#"{"a":"us0","user":"me@example.org"}"#);
//!
//! let result = wire::decode_result::<Prelogin>(r#"{"v":1}"#)?;
//! assert_eq!(result.value.v, 1);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
#![deny(missing_docs)]
#![forbid(unsafe_code)]

pub mod account;
pub mod backup;
mod command;
pub mod contact;
pub mod contact_link;
mod drift;
mod error;
pub mod event;
pub mod file_attribute;
pub mod key;
pub mod link;
pub mod node;
mod node_splitter;
pub mod packet;
pub mod put;
pub mod recovery;
pub mod schema;
pub mod second_factor;
pub mod service;
pub mod session;
pub mod session_list;
pub mod share;
pub mod signup;
pub mod transfer;
pub mod tree;
pub mod user_attribute;
mod value;
pub mod wire;

pub use command::{Command, CommandVisitor, visit_commands};
pub use drift::{Decoded, Drift, DriftKind, Malformed};
pub use error::{ErrorCode, Failure, LinkStatus, UserStatus};
pub use node_splitter::{NodeChunk, NodeSource, NodeSplitter};
pub use value::{Flag, SequenceTag, StorageUrl, Timestamp, Verbatim, is_set};
