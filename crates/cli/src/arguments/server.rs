//! The local server: how it is started, and what a running one is told and asked.

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};

use super::{Faults, bytes_of, faults_of, switch};

/// `server`
#[derive(Debug, Args)]
pub struct Server {
    /// Where to listen; port 0 takes any
    #[arg(
        long,
        value_name = "ADDR",
        default_value = "127.0.0.1:0",
        env = "SUPERMEGA_SERVER_LISTEN"
    )]
    pub listen: SocketAddr,
    /// Where to listen with TLS too; clients have to trust ca.pem in the data folder
    #[arg(long, value_name = "ADDR", env = "SUPERMEGA_SERVER_TLS_LISTEN")]
    pub tls_listen: Option<SocketAddr>,
    /// Other hosts that the server's certificate is to name
    #[arg(
        long,
        value_name = "HOST",
        value_delimiter = ',',
        requires = "tls_listen",
        env = "SUPERMEGA_SERVER_TLS_NAMES"
    )]
    pub tls_names: Vec<String>,
    /// Keep everything in this folder
    #[arg(long, value_name = "DIR", conflicts_with = "in_memory", env = "SUPERMEGA_SERVER_DATA")]
    pub data: Option<PathBuf>,
    /// Keep nothing: what is stored goes away with the server. This is the default
    #[arg(long, env = "SUPERMEGA_SERVER_IN_MEMORY", value_parser = switch())]
    pub in_memory: bool,
    /// Make an account; for tests only, since others see command lines
    #[arg(
        long = "user",
        value_name = "EMAIL:PASSWORD",
        env = "SUPERMEGA_SERVER_USER",
        hide_env_values = true
    )]
    pub users: Vec<String>,
    /// Key derivation of these accounts
    #[arg(long, value_name = "VERSION", default_value = "v2", env = "SUPERMEGA_SERVER_KDF")]
    pub kdf: Kdf,
    /// Misbehave: PLACE:ACTION[,ACTION...][*TIMES][+SKIP][%PERCENT], or @FILE with one a line; see
    /// docs/server-faults.md
    #[arg(
        long = "fault",
        value_name = "SPEC",
        env = "SUPERMEGA_SERVER_FAULT",
        value_parser = faults_of
    )]
    pub faults: Vec<Faults>,
    /// Lets faults that have a percentage happen in another way
    #[arg(long, value_name = "N", env = "SUPERMEGA_SERVER_FAULT_SEED", default_value = "0")]
    pub fault_seed: u64,
    /// How many seconds the addresses of transfers are good when nobody uses them
    #[arg(long, value_name = "SECONDS", env = "SUPERMEGA_SERVER_URL_LIFETIME")]
    pub url_lifetime: Option<u64>,
    /// How much an account may hold: bytes, or a number with K, M, G or T (powers of 1024)
    #[arg(long, value_name = "SIZE", env = "SUPERMEGA_SERVER_QUOTA", value_parser = bytes_of)]
    pub quota: Option<u64>,
    /// Give files in six parts to clients that can put them together
    #[arg(long, env = "SUPERMEGA_SERVER_CLOUDRAID", value_parser = switch())]
    pub cloudraid: bool,
    /// What a running server at --api-url is told or asked, instead of starting one
    #[command(subcommand)]
    pub order: Option<ServerOrder>,
}

/// `server user`, `server outbox`
#[derive(Debug, Subcommand)]
pub enum ServerOrder {
    /// Show the mails that a running server would have sent, with the codes in them
    Outbox(Admin),
    /// Accounts of a running server
    #[command(subcommand)]
    User(ServerUser),
}

/// `server user`
#[derive(Debug, Subcommand)]
pub enum ServerUser {
    /// Make an account
    Add(AddUser),
}

/// `server user add`
#[derive(Debug, Args)]
pub struct AddUser {
    /// How the server is reached.
    #[command(flatten)]
    pub admin: Admin,
    /// E-mail address
    pub email: String,
    /// Read the password from standard input
    #[arg(long, env = "SUPERMEGA_PASSWORD_STDIN", value_parser = switch())]
    pub password_stdin: bool,
    /// Key derivation of the account
    #[arg(long, value_name = "VERSION", default_value = "v2", env = "SUPERMEGA_SERVER_KDF")]
    pub kdf: Kdf,
    /// How much it may hold: bytes, or a number with K, M, G or T (powers of 1024)
    #[arg(long, value_name = "SIZE", env = "SUPERMEGA_SERVER_QUOTA", value_parser = bytes_of)]
    pub quota: Option<u64>,
    /// Give it a second factor, and print its secret
    #[arg(long, env = "SUPERMEGA_SERVER_MFA", value_parser = switch())]
    pub mfa: bool,
}

/// How a running server is known to be one's own.
#[derive(Debug, Args)]
pub struct Admin {
    /// The file that the running server wrote its token to; SUPERMEGA_ADMIN_TOKEN may hold the token instead
    #[arg(long, value_name = "FILE", env = "SUPERMEGA_ADMIN_TOKEN_FILE")]
    pub token_file: Option<PathBuf>,
}

/// Key derivation of an account.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Kdf {
    /// Accounts from before 2018.
    V1,
    /// All since.
    V2,
}
