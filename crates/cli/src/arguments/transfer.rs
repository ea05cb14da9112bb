//! What `get`, `put`, `cp` and `verify` have in common: how fast, what of it, and what to replace.

use std::num::NonZero;
use std::path::PathBuf;

use clap::{Args, ValueEnum};

use super::{bytes_of, switch};

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
    /// Only files that match: * and ? within a name, ** across folders; a pattern with / counts from the top
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

fn rate_of(text: &str) -> Result<NonZero<u64>, &'static str> {
    NonZero::new(bytes_of(text)?).ok_or("nothing moves at no bytes a second")
}
