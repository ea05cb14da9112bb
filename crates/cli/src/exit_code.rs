//! What the command says to the shell. Scripts depend on these numbers.

use std::process::ExitCode;

use supermega::Error;

/// How a run ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exit {
    /// 0: done.
    Done,
    /// 1: an existing target, a full disk, a permission, a refusal.
    Failed,
    /// 2: the command line makes no sense, as a link without its key.
    Usage,
    /// 3: well-formed, but not there.
    NotFound,
    /// 4: log in, or give the second factor's code.
    Authentication,
    /// 5: network or server.
    Network,
    /// 6: storage or transfer quota.
    Quota,
    /// 7: wrong link key, or damaged data.
    Integrity,
    /// 8: some files are done and others are not.
    Partly,
    /// 130: interrupted from the keyboard.
    Interrupted,
}

impl Exit {
    /// The number.
    pub const fn code(self) -> u8 {
        match self {
            Self::Done => 0,
            Self::Failed => 1,
            Self::Usage => 2,
            Self::NotFound => 3,
            Self::Authentication => 4,
            Self::Network => 5,
            Self::Quota => 6,
            Self::Integrity => 7,
            Self::Partly => 8,
            Self::Interrupted => 130,
        }
    }

    /// How an error of the library ends a run.
    pub fn of(error: &Error) -> Self {
        use supermega::LinkError;
        match error {
            Error::Ambiguous { .. } | Error::NotFound { .. } => Self::NotFound,
            Error::Authentication(_) => Self::Authentication,
            Error::Input(_) => Self::Usage,
            Error::Integrity { .. } | Error::Link(LinkError::WrongPassword) => Self::Integrity,
            Error::Link(_) => Self::Usage,
            Error::Network(_) | Error::Protocol(_) | Error::Service { .. } => Self::Network,
            Error::Quota { .. } => Self::Quota,
            _ => Self::Failed,
        }
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit.code())
    }
}

#[cfg(test)]
mod tests {
    use supermega::{AuthenticationError, NetworkError, NetworkErrorKind, QuotaKind};

    use super::*;

    #[test]
    fn every_kind_of_error_has_its_code() {
        let network = NetworkError { host: "h".into(), kind: NetworkErrorKind::UnknownHost };
        let cases = [
            (Error::AlreadyExists { path: "x".into() }, 1),
            (Error::Refused("no".into()), 1),
            (Error::Input("what".into()), 2),
            (Error::NotFound { what: "x".into() }, 3),
            (Error::Ambiguous { path: "x".into(), handles: Vec::new() }, 3),
            (AuthenticationError::WrongPassword.into(), 4),
            (network.into(), 5),
            (Error::Quota { kind: QuotaKind::Storage, wait: None }, 6),
            (Error::Integrity { what: "x".into(), why: "y" }, 7),
        ];
        for (error, code) in cases {
            assert_eq!(Exit::of(&error).code(), code, "{error}");
        }
    }
}
