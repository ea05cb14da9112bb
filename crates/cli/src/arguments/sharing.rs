//! Links, shares, contacts and the keys behind them.

use clap::{Args, Subcommand, ValueEnum};

use super::{Remotes, switch};

/// `link`
#[derive(Debug, Subcommand)]
pub enum Link {
    /// Show what a link is, and what it leads to, without an account
    Info(LinkInfo),
    /// Show all public links of the account
    List,
    /// Make public links to files and folders, or show those that exist
    Make(MakeLink),
    /// Remove public links
    Remove(Remotes),
}

/// `link make`
#[derive(Debug, Args)]
pub struct MakeLink {
    /// Remote paths
    #[arg(required = true, value_name = "PATH")]
    pub paths: Vec<String>,
    /// When the links end: a date, as 2027-01-31, a date with a time, or a span from now on, as 30d or 12h
    #[arg(long, value_name = "WHEN", env = "SUPERMEGA_LINK_EXPIRES")]
    pub expires: Option<String>,
    /// Protect the links by a password, which is asked for
    #[arg(long, env = "SUPERMEGA_LINK_PROTECT", value_parser = switch())]
    pub protect: bool,
    /// Read that password from standard input
    #[arg(long, requires = "protect", env = "SUPERMEGA_LINK_PASSWORD_STDIN", value_parser = switch())]
    pub link_password_stdin: bool,
    /// Let everybody who has a folder's link, and the authorisation that is printed behind it, put files there
    #[arg(long, env = "SUPERMEGA_LINK_WRITABLE", value_parser = switch())]
    pub writable: bool,
}

/// `link info`
#[derive(Debug, Args)]
pub struct LinkInfo {
    /// The link, in any of its forms
    pub link: String,
    /// Read the password of a protected link from standard input
    #[arg(long, env = "SUPERMEGA_LINK_PASSWORD_STDIN", value_parser = switch())]
    pub link_password_stdin: bool,
}

/// `import`
#[derive(Debug, Args)]
pub struct Import {
    /// The public link of a file or a folder
    pub link: String,
    /// The folder that takes it
    #[arg(default_value = "/")]
    pub folder: String,
    /// Read the password of a protected link from standard input
    #[arg(long, env = "SUPERMEGA_LINK_PASSWORD_STDIN", value_parser = switch())]
    pub link_password_stdin: bool,
}

/// `share`
#[derive(Debug, Subcommand)]
pub enum Share {
    /// Share a folder with somebody, or change what he may do
    Add(AddShare),
    /// Leave a share of somebody else's
    Leave(Remotes),
    /// Show what is shared, both ways
    List,
    /// Share a folder with somebody no longer
    Remove(RemoveShare),
}

/// `share add`
#[derive(Debug, Args)]
pub struct AddShare {
    /// The folder
    pub path: String,
    /// E-mail address of the other one, who is invited if he is no contact yet
    pub email: String,
    /// What the other one may do
    #[arg(long, value_name = "LEVEL", default_value = "read", env = "SUPERMEGA_SHARE_ACCESS")]
    pub access: ShareAccess,
}

/// How much a share allows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum ShareAccess {
    /// See and download.
    Read,
    /// Upload too.
    Write,
    /// Rename, move and delete too.
    Full,
}

/// `share remove`
#[derive(Debug, Args)]
pub struct RemoveShare {
    /// The folder
    pub path: String,
    /// E-mail address of the other one
    pub email: String,
}

/// `contact`
#[derive(Debug, Subcommand)]
pub enum Contact {
    /// Accept contact requests
    Accept(Emails),
    /// Take contact requests of one's own back
    Cancel(Emails),
    /// Answer no to contact requests
    Deny(Emails),
    /// Let contact requests go without an answer
    Ignore(Emails),
    /// Ask somebody to become a contact
    Invite(Invite),
    /// Show contacts and open requests
    List,
    /// End contacts, and all shares with them
    Remove(Emails),
    /// Show the fingerprints of somebody and of oneself, or note that they were compared
    Verify(VerifyContact),
}

/// Several users.
#[derive(Debug, Args)]
pub struct Emails {
    /// E-mail addresses
    #[arg(required = true, value_name = "EMAIL")]
    pub emails: Vec<String>,
}

/// `contact invite`
#[derive(Debug, Args)]
pub struct Invite {
    /// E-mail address
    pub email: String,
    /// What to write to him
    #[arg(long, value_name = "TEXT", env = "SUPERMEGA_CONTACT_MESSAGE")]
    pub message: Option<String>,
}

/// `contact verify`
#[derive(Debug, Args)]
pub struct VerifyContact {
    /// E-mail address
    pub email: String,
    /// The fingerprint that the other one sees with `supermega whoami`: forty digits, spaces do not matter
    #[arg(value_name = "FINGERPRINT", num_args = 0..)]
    pub fingerprint: Vec<String>,
}
