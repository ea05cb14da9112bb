//! Verbs that move content, and what they have in common: how fast, what of it, and what to replace.

use std::num::NonZero;
use std::path::PathBuf;

use clap::{Args, ValueEnum};

use super::{bytes_of, switch};
use crate::command::ByteRange;

/// How transfers go.
#[derive(Clone, Debug, Args)]
#[command(next_help_heading = "Transfer options")]
pub struct Pace {
    /// How many large files to transfer at the same time; of small ones up to sixteen times as many
    #[arg(long, value_name = "N", env = "SUPERMEGA_TRANSFERS", default_value = "4")]
    pub transfers: NonZero<u16>,
    /// How many connections to use for one file
    #[arg(long, value_name = "N", env = "SUPERMEGA_CONNECTIONS", default_value = "8")]
    pub connections: NonZero<u16>,
    /// How many bytes a second to move, all files together: a number, or one with K, M, G or T
    #[arg(long, value_name = "RATE", env = "SUPERMEGA_LIMIT_RATE", value_parser = rate_of)]
    pub limit_rate: Option<NonZero<u64>>,
    /// What to do when storage or transfer quota is used up
    #[arg(long, value_name = "WHAT", env = "SUPERMEGA_ON_QUOTA", default_value = "fail")]
    pub on_quota: OnQuota,
}

/// What to do when quota is used up.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum OnQuota {
    /// End with exit code 6 and say how long it will take; a later run goes on.
    Fail,
    /// Wait until there is some.
    Wait,
}

impl From<OnQuota> for supermega::transfer::OnQuota {
    fn from(policy: OnQuota) -> Self {
        match policy {
            OnQuota::Fail => Self::Fail,
            OnQuota::Wait => Self::Wait,
        }
    }
}

/// Which files, and what becomes of those that are there.
#[derive(Clone, Debug, Args)]
#[command(next_help_heading = "Choice of files")]
pub struct Choice {
    /// Only files that match: * and ? within a name, [a-z] and [!a-z] for one character, {a,b} for either, **/ across
    /// folders; a pattern with / counts from the top
    #[arg(long, value_name = "PATTERN", env = "SUPERMEGA_INCLUDE", value_delimiter = '\n')]
    pub include: Vec<String>,
    /// Not the files and folders that match
    #[arg(long, value_name = "PATTERN", env = "SUPERMEGA_EXCLUDE", value_delimiter = '\n')]
    pub exclude: Vec<String>,
    /// Only the files that this file names, one path a line, counted from the top
    #[arg(long, value_name = "FILE", env = "SUPERMEGA_FILES_FROM")]
    pub files_from: Option<PathBuf>,
    /// Only so many levels: 1 are the files in the folder itself
    #[arg(long, value_name = "N", env = "SUPERMEGA_MAX_DEPTH")]
    pub max_depth: Option<usize>,
    /// Tell files apart by content rather than by size and time: reads the local ones, downloads nothing
    #[arg(short, long, env = "SUPERMEGA_CHECKSUM", value_parser = switch())]
    pub checksum: bool,
    /// Say what would be done, and do nothing
    #[arg(short = 'n', long, env = "SUPERMEGA_DRY_RUN", value_parser = switch())]
    pub dry_run: bool,
}

impl Choice {
    /// Whether some files may be left out.
    pub fn is_selective(&self) -> bool {
        let patterns = [&self.include, &self.exclude];
        patterns.iter().any(|list| !list.is_empty())
            || self.files_from.is_some()
            || self.max_depth.is_some()
            || self.checksum
    }
}

/// What to do with files that have the target's name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Overwrite {
    /// Of different ones, ask on a terminal and fail elsewhere.
    Ask,
    /// Leave them and go on.
    Never,
    /// Replace those that are older.
    Newer,
    /// Replace those that are different.
    Different,
    /// Replace them even if they are the same.
    Always,
}

/// `cat`
#[derive(Debug, Args)]
pub struct Cat {
    /// Remote paths or links of files
    #[arg(required = true, value_name = "PATH")]
    pub paths: Vec<String>,
    /// Only these bytes: FIRST-LAST, FIRST- or -LENGTH; a part cannot be verified
    #[arg(long, value_name = "RANGE", env = "SUPERMEGA_RANGE", allow_hyphen_values = true)]
    pub range: Option<ByteRange>,
    /// Read the password of a protected link from standard input
    #[arg(long, env = "SUPERMEGA_LINK_PASSWORD_STDIN", value_parser = switch())]
    pub link_password_stdin: bool,
}

/// `cp`
#[derive(Debug, Args)]
pub struct Cp {
    /// What to copy, and last the target; what is remote begins with mega:
    #[arg(required = true, num_args = 2.., value_name = "PATH")]
    pub paths: Vec<String>,
    /// What to do with other files that have the target's name; as get and put do, unless given
    #[arg(long, value_name = "WHAT", env = "SUPERMEGA_OVERWRITE")]
    pub overwrite: Option<Overwrite>,
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

/// `verify`
#[derive(Debug, Args)]
pub struct Verify {
    /// A local file or folder
    pub local: String,
    /// The remote path or link that it is compared with
    pub remote: String,
}

fn rate_of(text: &str) -> Result<NonZero<u64>, &'static str> {
    NonZero::new(bytes_of(text)?).ok_or("nothing moves at no bytes a second")
}
