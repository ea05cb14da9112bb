//! What can go wrong, by what a caller can do about it.

use supermega_encoding::DecodeError;

use crate::LinkError;

/// Why a key, a text or a ciphertext was refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CryptoError {
    /// A node's attributes do not decrypt to what attributes look like: the key is wrong, or the
    /// data is damaged.
    #[error("attributes cannot be read with this key")]
    Attributes,
    /// The key store `^!keys` is damaged, forged, or of a kind that we do not know.
    #[error("key store refused: {reason}")]
    Container {
        /// Which rule it breaks.
        reason: &'static str,
    },
    /// A text is not base64url, or not of the length of what it should stand for.
    #[error(transparent)]
    Encoding(#[from] DecodeError),
    /// Anything about an RSA key pair, or about a session id that should come out of it.
    ///
    /// One error for every cause, since the difference tells a hostile server something about
    /// the private key (`protocol-auth.md` 9.3).
    #[error("the account's keys do not fit together; the password may be wrong")]
    InvalidKeyPair,
    /// A number of bytes that this type does not have.
    #[error("{what} must be {expected} bytes long, not {actual}")]
    Length {
        /// The type that was to be read.
        what: &'static str,
        /// How many bytes it has.
        expected: usize,
        /// How many bytes there are.
        actual: usize,
    },
    /// A text is not a link, or a link does not give what is asked of it.
    #[error(transparent)]
    Link(#[from] LinkError),
    /// A message authentication code differs: the data was changed, or the key is another's.
    #[error("the data does not match its authentication code")]
    MacMismatch,
    /// The operating system gave no random numbers.
    #[error("the operating system gives no random numbers")]
    Random,
    /// The secret of a second factor is not base32.
    #[error("the secret of a second factor is base32 text")]
    SecondFactor,
    /// A saved session is not one of the known layouts.
    #[error("not a saved session: {reason}")]
    Session {
        /// Which rule it breaks.
        reason: &'static str,
    },
    /// A key that would encrypt with zeros (`protocol-auth.md` 4.2).
    #[error("the key is a zero key, which MEGA refuses")]
    ZeroKey,
}

/// Takes exactly `N` bytes; `what` names the type in the error.
pub(crate) fn exact<const N: usize>(
    what: &'static str,
    bytes: &[u8],
) -> Result<[u8; N], CryptoError> {
    bytes.try_into().map_err(|_| CryptoError::Length { what, expected: N, actual: bytes.len() })
}
