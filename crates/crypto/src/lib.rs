//! Every byte that MEGA encrypts.
//!
//! Small functions over small types: a password becomes a [`PasswordKey`], which opens the
//! [`MasterKey`], which opens node keys, which open [`Attributes`] and file content. There is no
//! I/O here and no clock; random numbers come from the operating system.
//!
//! Secrets are wiped from memory when they are dropped, never printed by `Debug`, and compared in
//! constant time. Every parser is total: no input makes it panic.
//!
//! ```
//! use supermega_crypto::{Attributes, FolderKey, MasterKey, NodeKey};
//!
//! let master = MasterKey::generate()?;
//! let folder = FolderKey::generate()?;
//! let wrapped = master.wrap_node_key(&NodeKey::Folder(folder.clone()));
//! let name = Attributes::new("Documents").encrypt(&(&folder).into());
//!
//! let key = master.unwrap_node_key(&wrapped)?;
//! let attributes = Attributes::decrypt(&key.attribute_key(), &name)?;
//! assert_eq!(attributes.name(), Some("Documents"));
//! # Ok::<(), supermega_crypto::CryptoError>(())
//! ```
//!
//! Section numbers in these pages belong to the protocol reference, `protocol-auth.md`.
#![deny(missing_docs)]
#![forbid(unsafe_code)]

pub mod account;
pub mod attributes;
pub mod cache_key;
pub mod content;
pub mod curve;
mod ecb;
mod error;
pub mod file_attribute;
pub mod fingerprint;
pub mod hashcash;
pub mod key_manager;
pub mod link;
pub mod master_key;
pub mod node_key;
pub mod password;
pub mod private_attribute;
pub mod random;
pub mod rsa;
mod secret;
pub mod session;
pub mod totp;

#[doc(no_inline)]
pub use account::{EphemeralToken, KdfVersion, NewAccount, NewEphemeral, Proof};
#[doc(no_inline)]
pub use attributes::{AttributeKey, Attributes};
#[doc(no_inline)]
pub use cache_key::{CacheKey, CacheTag};
#[doc(no_inline)]
pub use content::{
    Chunk, ChunkMac, ContentCipher, ContentKey, MetaMac, MetaMacBuilder, Nonce, chunk_count,
    chunks, upload_checksum,
};
#[doc(no_inline)]
pub use curve::{
    AgreementKey, AgreementPublic, KeyFingerprint, PairwiseKey, SigningPublic, SigningSeed,
};
pub use error::CryptoError;
#[doc(no_inline)]
pub use fingerprint::{ContentSample, Fingerprint, FingerprintHasher};
#[doc(no_inline)]
pub use hashcash::{Challenge, Solution};
#[doc(no_inline)]
pub use key_manager::{KeyManager, ShareFlags};
#[doc(no_inline)]
pub use link::{Inside, Link, LinkError, ProtectedLink, SetKey, WriteAuth};
#[doc(no_inline)]
pub use master_key::MasterKey;
#[doc(no_inline)]
pub use node_key::{FileKey, FolderKey, NodeKey, NodeKeyUnwrapper, ShareKey};
#[doc(no_inline)]
pub use password::{AuthKey, ClientRandom, HashedAuthKey, PasswordKey, Salt, UserHash, derive_v2};
#[doc(no_inline)]
pub use rsa::{PrivateKey, PublicKey};
#[doc(no_inline)]
pub use session::{SavedSession, SessionId, session_self_challenge};
#[doc(no_inline)]
pub use totp::TotpSecret;
