//! A local server that speaks MEGA: what a client needs, with no account and no network.
//!
//! It keeps metadata in SQLite and ciphertext in files, answers current and older clients each in their
//! own grammar, and can be told to misbehave. It never sees a plaintext or a user's key.
//!
//! ```
//! use supermega_server::Server;
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), supermega_server::ServerError> {
//! let server = Server::builder().user("me@example.org", "secret").spawn().await?;
//! assert!(server.url().starts_with("http://127.0.0.1:"));
//! // Any client, pointed at `server.url()`, takes it for MEGA.
//! server.shutdown().await;
//! # Ok(())
//! # }
//! ```
//!
//! * [`Server`] and [`ServerHandle`]: how it is started and stopped.
//! * [`Fault`]: how it is told to misbehave.
//! * [`Hold`]: how it is stopped at a point of its work.
//! * [`Mail`]: what it would have sent.
//! * [`AdminClient`]: a server in another process, as the one who runs it reaches it.
//! * [`LoggedRequest`]: what clients asked of it, for tests.
#![deny(missing_docs)]
#![forbid(unsafe_code)]

mod admin;
mod api;
mod builder;
mod ephemeral;
mod error;
mod event;
mod fault;
mod generate;
mod handle;
mod hold;
mod http;
mod mail;
mod request_log;
mod state;
mod storage;
mod store;
mod tls;

pub use admin::{AccountOrder, AdminClient};
pub use builder::{Server, ServerBuilder};
pub use error::ServerError;
pub use fault::{Action, Fault, FaultReport, FaultSyntaxError, Place, Step};
pub use generate::{Generated, GeneratedFile, GeneratedTree};
pub use handle::ServerHandle;
pub use hold::{Hold, HoldPoint, HoldPointError};
pub use mail::{Mail, MailKind};
pub use request_log::LoggedRequest;
pub use supermega_crypto::KdfVersion;
pub use supermega_encoding::NodeHandle;
