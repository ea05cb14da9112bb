//! Why a server cannot start.

use std::net::SocketAddr;
use std::path::PathBuf;

use supermega_crypto::CryptoError;

/// Why a server cannot start.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ServerError {
    /// The address cannot be listened at.
    #[error("cannot listen at {address}: {source}")]
    Listen {
        /// The address.
        address: SocketAddr,
        /// Why.
        source: std::io::Error,
    },
    /// Others than this machine could reach it.
    #[error("{0} can be reached from other machines; allow that explicitly")]
    NotLoopback(SocketAddr),
    /// The data folder cannot be used.
    #[error("{}: {source}", path.display())]
    Data {
        /// The folder.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// Another server has the data folder.
    #[error("{}: another server is using this folder", .0.display())]
    DataInUse(PathBuf),
    /// The database cannot be used.
    #[error("database: {0}")]
    Database(#[from] rusqlite::Error),
    /// The data were written by another version of this program.
    #[error("the data are of format {found}; this program knows {known}: use another folder")]
    Format {
        /// The format of the data.
        found: i64,
        /// The format that this program reads.
        known: i64,
    },
    /// No certificates for TLS could be made.
    #[error("certificates: {0}")]
    Certificates(String),
    /// A user's keys could not be made.
    #[error("user: {0}")]
    Keys(#[from] CryptoError),
    /// A running server does not take an order.
    #[error("{url}: {reason}")]
    Admin {
        /// The server.
        url: String,
        /// Why.
        reason: String,
    },
    /// No account has this e-mail address.
    #[error("{0} has no account")]
    NoUser(String),
    /// The password does not open the account.
    #[error("the password does not open the account of {0}")]
    WrongPassword(String),
    /// The e-mail address has an account already.
    #[error("{0} has an account already")]
    UserExists(String),
}
