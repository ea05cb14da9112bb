//! What went wrong, as a person and as a script read it: one sentence, and what to do about it.

use supermega::{AuthenticationError, Error, NetworkErrorKind};

use crate::exit_code::Exit;

/// The result of a command's parts.
pub type Result<T, E = CommandError> = std::result::Result<T, E>;

/// Why a command ended early.
#[derive(Debug, thiserror::Error)]
pub enum CommandError {
    /// Whoever read our output has seen enough.
    #[error("the output was closed")]
    ClosedPipe,
    /// What would be replaced is not what would come.
    #[error("{0} exists already, and it is different")]
    Different(String),
    /// Somebody pressed Ctrl-C while he was asked something.
    #[error("interrupted")]
    Interrupted,
    /// The library failed.
    #[error(transparent)]
    Library(#[from] Error),
    /// Something of this machine failed.
    #[error("{0}")]
    Local(String),
    /// Nobody is logged in.
    #[error("not logged in{0}")]
    NotLoggedIn(String),
    /// One of several files failed, and its error does not tell which.
    #[error("{path}: {error}")]
    Of {
        /// The file.
        path: String,
        /// Why.
        error: Error,
    },
    /// The server could not start.
    #[error("{0}")]
    Server(#[from] supermega_server::ServerError),
    /// The command line makes no sense.
    #[error("{0}")]
    Usage(String),
}

impl CommandError {
    /// An input or output error of this machine.
    pub fn local(error: impl std::fmt::Display) -> Self {
        Self::Local(error.to_string())
    }

    /// Says which file failed, where the error does not.
    pub fn of(error: Error, path: &str) -> Self {
        match error {
            Error::Network(_)
            | Error::Protocol(_)
            | Error::Quota { .. }
            | Error::Service { .. } => Self::Of { path: path.to_owned(), error },
            error => error.into(),
        }
    }

    /// Whether whatever else there is to do would fail in the same way.
    pub fn concerns_all(&self) -> bool {
        let exit = self.exit();
        matches!(exit, Exit::Authentication | Exit::Done | Exit::Interrupted | Exit::Network)
    }

    /// How this ends the run.
    pub fn exit(&self) -> Exit {
        match self {
            Self::ClosedPipe => Exit::Done,
            Self::Interrupted => Exit::Interrupted,
            Self::Library(error) | Self::Of { error, .. } => Exit::of(error),
            Self::Different(_) | Self::Local(_) | Self::Server(_) => Exit::Failed,
            Self::NotLoggedIn(_) => Exit::Authentication,
            Self::Usage(_) => Exit::Usage,
        }
    }

    /// What a person can do about it.
    pub fn hint(&self) -> Option<String> {
        let hint = match self {
            Self::NotLoggedIn(_) => "run: supermega login EMAIL",
            Self::Different(_) => "--overwrite always replaces it, --overwrite never leaves it",
            Self::Library(error) | Self::Of { error, .. } => return library_hint(error),
            _ => return None,
        };
        Some(hint.into())
    }
}

fn library_hint(error: &Error) -> Option<String> {
    let hint = match error {
        Error::Ambiguous { handles, .. } => {
            let names: Vec<String> = handles.iter().map(|handle| format!("H:{handle}")).collect();
            return Some(format!("name one by its handle: {}", names.join(" ")));
        }
        Error::Authentication(AuthenticationError::MfaRequired) => "give the code with --mfa-code",
        Error::Authentication(AuthenticationError::SessionEnded) => "log in again",
        Error::Authentication(AuthenticationError::InvalidKeys) => {
            "do not enter your password again: the server may be hostile"
        }
        Error::Link(supermega::LinkError::MissingKey) => {
            "the key stands behind # in the link; ask whoever sent it"
        }
        Error::Network(error) => match error.kind {
            NetworkErrorKind::UnknownHost | NetworkErrorKind::ConnectionRefused => {
                "check the network and --api-url"
            }
            _ => return None,
        },
        Error::Quota { kind: supermega::QuotaKind::Storage, .. } => {
            "make room: supermega df shows what is used, and the rubbish bin counts"
        }
        _ => return None,
    };
    Some(hint.into())
}

impl From<std::io::Error> for CommandError {
    fn from(error: std::io::Error) -> Self {
        match error.kind() {
            std::io::ErrorKind::BrokenPipe => Self::ClosedPipe,
            std::io::ErrorKind::Interrupted => Self::Interrupted,
            _ => Self::local(error),
        }
    }
}
