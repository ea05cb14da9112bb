//! How MEGA writes bytes: base64url, handles and the other wire ids, multi-precision integers.
//!
//! This is the leaf of the workspace: nothing here knows a message, a key or a file. Every type
//! refuses what it cannot stand for, so that a wrong id does not travel further than the parser.
//!
//! ```
//! use supermega_encoding::{NodeHandle, base64};
//!
//! let handle: NodeHandle = "AQIDBAUG".parse()?;
//! assert_eq!(handle.as_bytes(), &[1, 2, 3, 4, 5, 6]);
//! assert_eq!(base64::encode(&[0xfb, 0xff]), "-_8");
//! # Ok::<(), supermega_encoding::DecodeError>(())
//! ```
#![deny(missing_docs)]
#![forbid(unsafe_code)]

pub mod base64;
mod handle;
pub mod mpi;
mod token;

pub use base64::{Base64, DecodeError};
pub use handle::{
    BackupHandle, ContactRequestHandle, DeviceSessionHandle, EventCursor, FileAttributeHandle,
    NodeHandle, PublicHandle, UserHandle,
};
pub use token::UploadToken;
