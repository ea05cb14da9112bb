//! The command line: every verb and every flag, with the environment variable of each.

mod account;
mod notes;
mod query;
mod server;
mod sharing;
mod transfer;

use std::path::PathBuf;

use clap::builder::FalseyValueParser;
use clap::{Args, Parser, Subcommand, ValueEnum};

pub use account::{
    Cancel, CancelStep, ChangePassword, Doctor, Login, Mfa, Profiles, ProfilesStep, Recover,
    RecoverStep, Sessions, SessionsStep, Signup, SignupStep, Upgrade,
};
pub use notes::{
    GetThumbnail, MakeThumbnails, Mark, Prune, RestoreVersion, Thumbnail, Trash, Versions, YesNo,
};
pub use query::{Dedupe, Du, Find, Kind, Ls, Sort, Tree, Watch};
pub use server::{Admin, Kdf, Server, ServerOrder, ServerUser};
pub use sharing::{
    AddShare, Contact, Emails, Import, Link, LinkInfo, MakeLink, RemoveShare, Share, ShareAccess,
    VerifyContact,
};
pub use transfer::{Cat, Choice, Cp, OnQuota, Overwrite, Pace, Verify};

/// MEGA for people and for scripts.
///
/// Remote paths begin with a slash: /Photos/2024. //trash is the rubbish bin, //in/EMAIL what that user
/// shares, H:HANDLE the node with this handle. Public links stand wherever a remote path may.
#[derive(Debug, Parser)]
#[command(name = "supermega", version, max_term_width = 100)]
pub struct Arguments {
    /// What applies to every verb.
    #[command(flatten)]
    pub global: Global,
    /// The verb.
    #[command(subcommand)]
    pub command: Command,
}

/// What applies to every verb.
#[derive(Clone, Debug, Args)]
#[allow(clippy::struct_excessive_bools, reason = "each is a flag that people give or do not")]
pub struct Global {
    /// Address of the service
    #[arg(
        long,
        global = true,
        value_name = "URL",
        env = "SUPERMEGA_API_URL",
        default_value = "https://g.api.mega.co.nz/"
    )]
    pub api_url: String,
    /// Which of several logins to use
    #[arg(
        long,
        global = true,
        value_name = "NAME",
        env = "SUPERMEGA_PROFILE",
        default_value = "default"
    )]
    pub profile: String,
    /// Where logins are kept, instead of the usual place for configuration
    #[arg(long, global = true, value_name = "DIR", env = "SUPERMEGA_CONFIG_DIR")]
    pub config_dir: Option<PathBuf>,
    /// Whether logins are kept in the keyring of the operating system
    #[arg(
        long,
        global = true,
        value_name = "WHEN",
        env = "SUPERMEGA_KEYRING",
        default_value = "auto"
    )]
    pub keyring: UseKeyring,
    /// Where unfinished uploads are noted, instead of the usual place for such
    #[arg(long, global = true, value_name = "DIR", env = "SUPERMEGA_STATE_DIR")]
    pub state_dir: Option<PathBuf>,
    /// Where trees are kept between runs, instead of the usual place for such
    #[arg(long, global = true, value_name = "DIR", env = "SUPERMEGA_CACHE_DIR")]
    pub cache_dir: Option<PathBuf>,
    /// Keep no tree, and load all of it in every run
    #[arg(long, global = true, env = "SUPERMEGA_NO_CACHE", value_parser = switch())]
    pub no_cache: bool,
    /// A file of defaults for flags, instead of config.toml in the usual place
    #[arg(long, global = true, value_name = "FILE", env = "SUPERMEGA_CONFIG")]
    pub config: Option<PathBuf>,
    /// Reach the service through this proxy, as http://HOST:PORT or socks5://HOST:PORT, or direct; else
    /// HTTPS_PROXY and the like decide
    #[arg(
        long,
        global = true,
        value_name = "URL",
        env = "SUPERMEGA_PROXY",
        hide_env_values = true
    )]
    pub proxy: Option<String>,
    /// Trust the certificate authorities in this PEM file too
    #[arg(long, global = true, value_name = "FILE", env = "SUPERMEGA_CA_FILE")]
    pub ca_file: Option<PathBuf>,
    /// How long to try to reach the service
    #[arg(
        long,
        global = true,
        value_name = "SECONDS",
        env = "SUPERMEGA_TIMEOUT",
        default_value_t = 15
    )]
    pub timeout: u64,
    /// How long a storage server may show no sign before its request is sent again
    #[arg(
        long,
        global = true,
        value_name = "SECONDS",
        env = "SUPERMEGA_STALL_TIMEOUT",
        default_value_t = 60
    )]
    pub stall_timeout: u64,
    /// How long to go on when the service is busy or the network fails
    #[arg(
        long,
        global = true,
        value_name = "SECONDS",
        env = "SUPERMEGA_PATIENCE",
        default_value_t = 300
    )]
    pub patience: u64,
    /// Print one JSON object a line, errors too
    #[arg(long, global = true, env = "SUPERMEGA_JSON", value_parser = switch())]
    pub json: bool,
    /// Say nothing but errors
    #[arg(short, long, global = true, env = "SUPERMEGA_QUIET", value_parser = switch())]
    pub quiet: bool,
    /// Say more; twice for everything
    #[arg(short, long, global = true, action = clap::ArgAction::Count, env = "SUPERMEGA_VERBOSE")]
    pub verbose: u8,
    /// When to use colours
    #[arg(
        long,
        global = true,
        value_name = "WHEN",
        env = "SUPERMEGA_COLOR",
        default_value = "auto"
    )]
    pub color: Color,
    /// Draw no progress bars
    #[arg(long, global = true, env = "SUPERMEGA_NO_PROGRESS", value_parser = switch())]
    pub no_progress: bool,
}

/// When to use colours.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Color {
    /// On a terminal.
    Auto,
    /// Always.
    Always,
    /// Never.
    Never,
}

/// Whether logins are kept in the keyring.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum UseKeyring {
    /// Where there is one; else in a file that only its owner can read.
    Auto,
    /// Never: in the file.
    Off,
    /// Always; without one there is no login.
    On,
}

/// The verbs.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// End the account, with all that is in it
    Cancel(Cancel),
    /// Write files, or parts of them, to standard output
    Cat(Cat),
    /// Ask, accept, verify and end contacts
    #[command(subcommand)]
    Contact(Contact),
    /// Copy from here to there, from there to here, or within the account, on the server
    Cp(Cp),
    /// List files that hold the same, and namesakes in one folder
    Dedupe(Dedupe),
    /// Show the main job, start to end, against a server of its own
    Demo,
    /// Show how much the account holds
    Df,
    /// Look for what is wrong with this machine, the service, the login, and say what to do
    Doctor(Doctor),
    /// Show how much folders hold
    Du(Du),
    /// Find files and folders by name, path, size, time or notes
    Find(Find),
    /// Download files and folders; public links too
    Get(Get),
    /// Copy a public file or folder into the account, on the server
    Import(Import),
    /// Make, list, explain and remove public links
    #[command(subcommand)]
    Link(Link),
    /// Log in to an account or to a folder link
    Login(Login),
    /// End the login, here and on the server
    Logout,
    /// List folders
    Ls(Ls),
    /// Note something on a file or folder: favourite, label, description, tags
    Mark(Mark),
    /// Turn the second factor on and off
    #[command(subcommand)]
    Mfa(Mfa),
    /// Make folders
    Mkdir(Mkdir),
    /// Move or rename
    Mv(Mv),
    /// Set another password
    Password(ChangePassword),
    /// Show the logins that are kept here, and remove them
    Profiles(Profiles),
    /// Upload files and folders
    Put(Put),
    /// Set another password when the old one is lost
    Recover(Recover),
    /// Show the key that a lost password is replaced with
    RecoveryKey,
    /// Move to the rubbish bin, or delete
    Rm(Rm),
    /// Run a local server that speaks MEGA
    Server(Server),
    /// Show who is logged in to the account, and end that
    Sessions(Sessions),
    /// Share folders with others, and see what others share
    #[command(subcommand)]
    Share(Share),
    /// Make an account
    Signup(Signup),
    /// Small pictures of large ones
    #[command(subcommand)]
    Thumbnail(Thumbnail),
    /// Look into the rubbish bin, take out of it, and empty it
    #[command(subcommand)]
    Trash(Trash),
    /// Show folders with everything below them
    Tree(Tree),
    /// Make an account of today of one from before 2018
    Upgrade(Upgrade),
    /// Compare local files with remote ones by content, without downloading
    Verify(Verify),
    /// Show, restore and delete old versions of files
    #[command(subcommand)]
    Versions(Versions),
    /// Show what changes, while it happens
    Watch(Watch),
    /// Show who is logged in
    Whoami,
}

/// `get`
#[derive(Debug, Args)]
pub struct Get {
    /// What to download, and last, if there are several, the local target; - is standard output
    #[arg(required = true, value_name = "REMOTE... [LOCAL]")]
    pub paths: Vec<String>,
    /// What to do with other files that have the target's name
    #[arg(long, value_name = "WHAT", env = "SUPERMEGA_OVERWRITE", default_value = "ask")]
    pub overwrite: Overwrite,
    /// Which files.
    #[command(flatten)]
    pub choice: Choice,
    /// How fast.
    #[command(flatten)]
    pub pace: Pace,
    /// Read the password of a protected link from standard input
    #[arg(long, env = "SUPERMEGA_LINK_PASSWORD_STDIN", value_parser = switch())]
    pub link_password_stdin: bool,
}

/// Several remote paths.
#[derive(Debug, Args)]
pub struct Remotes {
    /// Remote paths
    #[arg(required = true, value_name = "PATH")]
    pub paths: Vec<String>,
}

/// `mkdir`
#[derive(Debug, Args)]
pub struct Mkdir {
    /// Remote paths
    #[arg(required = true, value_name = "PATH")]
    pub paths: Vec<String>,
    /// Make the folders around them too, and do not mind those that exist
    #[arg(short, long, env = "SUPERMEGA_PARENTS", value_parser = switch())]
    pub parents: bool,
}

/// `mv`
#[derive(Debug, Args)]
pub struct Mv {
    /// What to move, and last the folder that takes it or the new name
    #[arg(required = true, num_args = 2.., value_name = "PATH")]
    pub paths: Vec<String>,
}

/// `put`
#[derive(Debug, Args)]
pub struct Put {
    /// What to upload, and last, if there are several, the remote target; - is standard input
    #[arg(required = true, value_name = "LOCAL... [REMOTE]")]
    pub paths: Vec<String>,
    /// What to do with other files that have the target's name; those that are replaced become old versions
    #[arg(long, value_name = "WHAT", env = "SUPERMEGA_OVERWRITE", default_value = "different")]
    pub overwrite: Overwrite,
    /// Make no thumbnails and previews of pictures
    #[arg(long, env = "SUPERMEGA_NO_THUMBNAILS", value_parser = switch())]
    pub no_thumbnails: bool,
    /// Which files.
    #[command(flatten)]
    pub choice: Choice,
    /// How fast.
    #[command(flatten)]
    pub pace: Pace,
}

/// `rm`
#[derive(Debug, Args)]
pub struct Rm {
    /// Remote paths
    #[arg(required = true, value_name = "PATH")]
    pub paths: Vec<String>,
    /// Folders too, with everything below them
    #[arg(short, long, env = "SUPERMEGA_RECURSIVE", value_parser = switch())]
    pub recursive: bool,
    /// Delete for good rather than move to the rubbish bin
    #[arg(long, env = "SUPERMEGA_PERMANENT", value_parser = switch())]
    pub permanent: bool,
}

/// How a switch's variable is read: `SUPERMEGA_JSON=1` is yes; empty, `0`, `no` and the like are no.
fn switch() -> FalseyValueParser {
    FalseyValueParser::new()
}

/// What one `--fault` says.
#[derive(Clone, Debug)]
pub struct Faults(pub Vec<supermega_server::Fault>);

/// Reads a fault, or the file of faults that `@FILE` names.
fn faults_of(text: &str) -> Result<Faults, String> {
    let faults = match text.strip_prefix('@') {
        None => text.parse().map(|fault| vec![fault]),
        Some(path) => {
            let lines = std::fs::read_to_string(path).map_err(|e| format!("{path}: {e}"))?;
            supermega_server::Fault::read_lines(&lines)
        }
    };
    faults.map(Faults).map_err(|error| error.to_string())
}

/// Reads `1000`, `20G` or `1MiB`.
fn bytes_of(text: &str) -> Result<u64, &'static str> {
    let digits = text.trim_end_matches(|c: char| c.is_ascii_alphabetic());
    let power = match text[digits.len()..].to_ascii_lowercase().as_str() {
        "" | "b" => 0,
        "k" | "kib" => 1,
        "m" | "mib" => 2,
        "g" | "gib" => 3,
        "t" | "tib" => 4,
        _ => return Err("the unit is none of K, M, G and T"),
    };
    let number = digits.parse::<u64>().map_err(|_| "a size is a whole number, as in 20G")?;
    number.checked_mul(1 << (10 * power)).ok_or("the size is too large")
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_definitions_hold_together() {
        Arguments::command().debug_assert();
    }

    #[test]
    fn sizes_are_read_with_their_units() {
        for (text, bytes) in [("1000", 1000), ("0", 0), ("2K", 2048), ("20GiB", 20 << 30)] {
            assert_eq!(bytes_of(text), Ok(bytes), "{text}");
        }
        for text in ["", "G", "1.5G", "-1", "1Q", "99999999T"] {
            assert!(bytes_of(text).is_err(), "{text}");
        }
    }

    #[test]
    fn secrets_of_the_environment_are_not_shown_in_the_help() {
        let mut command = Arguments::command();
        for (verb, flag) in [("login", "mfa_code"), ("server", "users")] {
            let verb = command.find_subcommand_mut(verb).unwrap();
            let flag = verb.get_arguments().find(|argument| argument.get_id() == flag).unwrap();
            assert!(flag.is_hide_env_values_set());
        }
    }

    #[test]
    fn every_flag_has_an_environment_variable() {
        fn check(command: &clap::Command) {
            let flags = command.get_arguments().filter(|argument| !argument.is_positional());
            for flag in flags.filter(|flag| !matches!(flag.get_id().as_str(), "help" | "version")) {
                assert!(flag.get_env().is_some(), "{} {}", command.get_name(), flag.get_id());
            }
            command.get_subcommands().for_each(check);
        }
        check(&Arguments::command());
    }
}
