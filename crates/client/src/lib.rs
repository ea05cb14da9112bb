//! A client for MEGA, the end-to-end encrypted cloud drive.
//!
//! Begin with a [`Client`], which knows where the service is. It gives a [`Session`] for an account, a
//! folder link or an account without a name, and opens public files without any.
//!
//! # Log in and list
//!
//! ```
//! # use supermega_server::Server;
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let server = Server::builder().user("me@example.org", "secret").spawn().await?;
//! let client = supermega::Client::builder().api_url(server.url()).build()?;
//! let session = client.login("me@example.org", "secret").await?;
//! session.make_folder(&"/Photos".parse()?).await?;
//! for step in session.tree().await?.walk() {
//!     println!("{}: {} folders, {} files", step.path, step.folders.len(), step.files.len());
//! }
//! # Ok(())
//! # }
//! ```
//!
//! # Upload and download
//!
//! ```
//! # use supermega_server::Server;
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let server = Server::builder().user("me@example.org", "secret").spawn().await?;
//! # let client = supermega::Client::builder().api_url(server.url()).build()?;
//! # let session = client.login("me@example.org", "secret").await?;
//! # let dir = tempfile::tempdir()?;
//! # std::fs::write(dir.path().join("notes.txt"), "remember the milk")?;
//! let tree = session.tree().await?;
//! let file = session.upload(&tree.root()?).from_path(dir.path().join("notes.txt")).await?;
//! session.download(&file)?.to_path(dir.path().join("copy.txt")).await?;
//!
//! let link = session.make_link(&file).await?;
//! let public = client.open_file(&link).await?;
//! let mut bytes = Vec::new();
//! public.download()?.to_writer(&mut bytes).await?;
//! assert_eq!(bytes, b"remember the milk");
//! # Ok(())
//! # }
//! ```
//!
//! What a name may do to a local folder, how errors are told apart and what dropping a future does is
//! said at [`name`], [`Error`] and the methods themselves. The library reads no environment, no home
//! directory and no terminal.
#![deny(missing_docs)]
#![forbid(unsafe_code)]

mod blocking;
#[cfg(feature = "cache")]
mod cache;
mod client;
mod contact;
mod drift_log;
mod error;
mod events;
mod file_attribute;
mod keys;
mod link;
pub mod name;
mod private_folder;
mod probe;
mod session;
mod share;
pub mod transfer;
pub mod transport;
pub mod tree;
mod unix_time;

#[cfg(feature = "cache")]
pub use cache::KeptTrees;
pub use client::{Client, ClientBuilder};
pub use contact::{Answer, Contact, ContactRequest};
pub use error::{AuthenticationError, Error, NetworkError, NetworkErrorKind, QuotaKind, Result};
pub use events::{Event, Events};
pub use file_attribute::FileAttributeKind;
#[cfg(feature = "thumbnails")]
pub use file_attribute::{Pictures, is_picture_name};
pub use link::{Imported, LinkOptions, MadeLink, PublicFile, PublicLink};
pub use private_folder::make_private_folder;
pub use probe::{BlockReason, Probe};
pub use session::{Account, Credentials, Label, Marks, Quota, Session, SessionInfo};
pub use share::{Access, IncomingShare, OutgoingShare, ShareState, SharedWith};
pub use supermega_crypto::TotpSecret;
pub use supermega_crypto::curve::KeyFingerprint;
pub use supermega_crypto::link::{Inside, Link, LinkError, ProtectedLink, WriteAuth};
pub use supermega_encoding::{DeviceSessionHandle, NodeHandle, PublicHandle, UserHandle};
pub use supermega_protocol::{Drift, ErrorCode, Failure, Malformed};
pub use tree::{Glance, Node, NodeKind, RemotePath, Tree, Usage};
