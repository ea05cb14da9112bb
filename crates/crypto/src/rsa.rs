//! RSA without padding, as MEGA uses it for short secrets (`protocol-auth.md` 1.5 to 1.7, 9.3).
//!
//! The server hands out the private key (under the master key) and the number to decrypt with it,
//! so a hostile server can alter both. Therefore a [`PrivateKey`] exists only after all its parts
//! were checked against each other, every decryption is checked by encrypting again, and every
//! failure is the same error.

mod arithmetic;
mod private;
mod public;

pub use private::PrivateKey;
pub use public::PublicKey;
