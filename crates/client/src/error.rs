//! What can go wrong, one variant for each thing that a caller can do about it.

use std::path::PathBuf;
use std::time::Duration;

use supermega_crypto::{CryptoError, LinkError};
use supermega_encoding::{DecodeError, NodeHandle};
use supermega_protocol::wire::ResultError;
use supermega_protocol::{ErrorCode, Failure, Malformed};

/// The result of everything in this crate.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Why an operation failed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A name is taken already.
    #[error("{path} exists already")]
    AlreadyExists {
        /// The remote or local path.
        path: String,
    },
    /// A path names more than one node.
    #[error("{path} is ambiguous: {} nodes have this name", handles.len())]
    Ambiguous {
        /// The path.
        path: String,
        /// The nodes that it names.
        handles: Vec<NodeHandle>,
    },
    /// Logging in failed, or the session is over.
    #[error(transparent)]
    Authentication(#[from] AuthenticationError),
    /// The caller's own data cannot be used, as an address or a saved session that cannot be read.
    #[error("{0}")]
    Input(String),
    /// What was received is not what was stored: wrong key, damaged or forged data.
    #[error("{what}: {why}")]
    Integrity {
        /// The file or node.
        what: String,
        /// What gives it away.
        why: &'static str,
    },
    /// A link cannot be read or used.
    #[error(transparent)]
    Link(#[from] LinkError),
    /// A file or folder of this machine gave an error.
    #[error("{}: {source}", path.display())]
    Local {
        /// The file or folder.
        path: PathBuf,
        /// The operating system's error.
        source: std::io::Error,
    },
    /// The network or the server gave an error that did not pass in time.
    #[error(transparent)]
    Network(#[from] NetworkError),
    /// A node, path or link does not exist.
    #[error("{what} not found")]
    NotFound {
        /// What was looked for.
        what: String,
    },
    /// Storage or transfer quota is used up.
    #[error("{}", quota_text(*.kind, *.wait))]
    Quota {
        /// Which of the two.
        kind: QuotaKind,
        /// When there will be some again.
        wait: Option<Duration>,
    },
    /// Something that this library does not do, because it could damage the account.
    #[error("refused: {0}")]
    Refused(String),
    /// The service refused a command.
    #[error("the service refused `{command}`: {failure}")]
    Service {
        /// The command.
        command: &'static str,
        /// Why.
        failure: Failure,
    },
    /// A message of the service cannot be read.
    #[error("the service's answer cannot be read: {0}")]
    Protocol(#[from] Malformed),
    /// The operating system gave no random numbers, or another primitive failed.
    #[error("cryptography failed: {0}")]
    Crypto(CryptoError),
}

/// Which quota.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum QuotaKind {
    /// Space in the account.
    Storage,
    /// Bytes that may be downloaded.
    Transfer,
}

fn quota_text(kind: QuotaKind, wait: Option<Duration>) -> String {
    match (kind, wait) {
        (QuotaKind::Storage, _) => "the account's storage is full".into(),
        (QuotaKind::Transfer, None) => "the transfer quota is used up".into(),
        (QuotaKind::Transfer, Some(wait)) => {
            format!("the transfer quota is used up; more in {} seconds", wait.as_secs())
        }
    }
}

/// Why logging in failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum AuthenticationError {
    /// The account is suspended.
    #[error("the account is suspended")]
    Blocked,
    /// The server's keys do not fit this account: it answers for another one, or tries an attack.
    #[error("the server's keys do not fit this account")]
    InvalidKeys,
    /// The account needs a second factor's code.
    #[error("the account needs a code of its second factor")]
    MfaRequired,
    /// The session is over: logged out, or ended from elsewhere.
    #[error("the session is over")]
    SessionEnded,
    /// Too many attempts.
    #[error("too many attempts to log in; the service blocks for about an hour")]
    TooManyAttempts,
    /// The account was not confirmed yet.
    #[error("the account is not confirmed yet")]
    Unconfirmed,
    /// The second factor's code is wrong.
    #[error("the code of the second factor is wrong")]
    WrongMfaCode,
    /// E-mail address or password is wrong.
    #[error("wrong e-mail address or password")]
    WrongPassword,
}

/// What kept a request from being answered.
#[derive(Clone, Debug, thiserror::Error)]
#[error("{host}: {kind}")]
pub struct NetworkError {
    /// Where the request went, without secrets.
    pub host: String,
    /// What happened.
    pub kind: NetworkErrorKind,
}

/// What happened on the network.
#[derive(Clone, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum NetworkErrorKind {
    /// The server stayed busy for too long.
    #[error("the server stayed busy")]
    Busy,
    /// Nobody listens there.
    #[error("connection refused")]
    ConnectionRefused,
    /// The connection was cut, or the body was shorter than announced.
    #[error("the connection was cut")]
    Cut,
    /// The server's proof of work would not end.
    #[error("the server kept asking for a proof of work")]
    Hashcash,
    /// Something else.
    #[error("{0}")]
    Other(String),
    /// The proxy did not connect.
    #[error("the proxy: {0}")]
    Proxy(String),
    /// A status that means no success.
    #[error("HTTP status {0}")]
    Status(u16),
    /// No answer in time.
    #[error("no answer in time")]
    TimedOut,
    /// The certificate or the handshake is bad.
    #[error("TLS: {0}")]
    Tls(String),
    /// The name has no address.
    #[error("unknown host")]
    UnknownHost,
}

impl Error {
    /// Reads a command's refusal as what the caller can do about it.
    pub(crate) fn from_result(command: &'static str, error: ResultError) -> Self {
        match error {
            ResultError::Malformed(malformed) => malformed.into(),
            ResultError::Refused(failure) => Self::from_failure(command, failure),
        }
    }

    pub(crate) fn from_failure(command: &'static str, failure: Failure) -> Self {
        match failure.code {
            ErrorCode::Session => AuthenticationError::SessionEnded.into(),
            ErrorCode::OverQuota | ErrorCode::GoingOverQuota | ErrorCode::ShareOverQuota => {
                let kind = if command == "g" { QuotaKind::Transfer } else { QuotaKind::Storage };
                Self::Quota { kind, wait: None }
            }
            _ => Self::Service { command, failure },
        }
    }

    pub(crate) fn local(path: impl Into<PathBuf>) -> impl FnOnce(std::io::Error) -> Self {
        let path = path.into();
        |source| Self::Local { path, source }
    }

    pub(crate) fn not_found(what: impl Into<String>) -> Self {
        Self::NotFound { what: what.into() }
    }

    /// The service's error number, when it gave one.
    #[must_use]
    pub fn code(&self) -> Option<ErrorCode> {
        match self {
            Self::Service { failure, .. } => Some(failure.code),
            _ => None,
        }
    }
}

impl From<CryptoError> for Error {
    fn from(error: CryptoError) -> Self {
        match error {
            CryptoError::InvalidKeyPair => AuthenticationError::InvalidKeys.into(),
            CryptoError::Link(error) => error.into(),
            error => Self::Crypto(error),
        }
    }
}

impl From<DecodeError> for Error {
    fn from(error: DecodeError) -> Self {
        Self::Crypto(CryptoError::Encoding(error))
    }
}
