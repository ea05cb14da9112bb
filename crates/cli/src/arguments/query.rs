//! Verbs that look through the tree: what is where, how much, and what changes.

use std::time::SystemTime;

use clap::{Args, ValueEnum};

use super::{bytes_of, switch};

/// `find`
#[derive(Debug, Args)]
pub struct Find {
    /// Remote folders or folder links to look in
    #[arg(default_value = "/", value_name = "PATH")]
    pub paths: Vec<String>,
    /// Only names that match: * and ? stand for anything; without capitals, case does not matter
    #[arg(short, long, value_name = "PATTERN", env = "SUPERMEGA_NAME")]
    pub name: Option<String>,
    /// Only paths that this regular expression finds; without capitals, case does not matter
    #[arg(short = 'e', long, value_name = "REGEX", env = "SUPERMEGA_REGEX")]
    pub regex: Option<String>,
    /// Only files, or only folders
    #[arg(short = 't', long = "type", value_name = "TYPE", env = "SUPERMEGA_TYPE")]
    pub kind: Option<Kind>,
    /// Only files of at least this size: bytes, or a number with K, M, G or T
    #[arg(long, value_name = "SIZE", env = "SUPERMEGA_MIN_SIZE", value_parser = bytes_of)]
    pub min_size: Option<u64>,
    /// Only files of at most this size
    #[arg(long, value_name = "SIZE", env = "SUPERMEGA_MAX_SIZE", value_parser = bytes_of)]
    pub max_size: Option<u64>,
    /// Only what was changed later: a date, a time, or a span before now, as 2026-01-31 or 7d
    #[arg(long, value_name = "TIME", env = "SUPERMEGA_NEWER_THAN", value_parser = time_of)]
    pub newer_than: Option<SystemTime>,
    /// Only what was changed earlier
    #[arg(long, value_name = "TIME", env = "SUPERMEGA_OLDER_THAN", value_parser = time_of)]
    pub older_than: Option<SystemTime>,
    /// End each path with a zero byte instead of a line, for xargs -0; paths are not made safe for a terminal
    #[arg(short = '0', long, env = "SUPERMEGA_PRINT0", value_parser = switch())]
    pub print0: bool,
}

/// What to look for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Kind {
    /// Files.
    #[value(alias = "f")]
    File,
    /// Folders.
    #[value(alias = "d")]
    Folder,
}

/// `du`
#[derive(Debug, Args)]
pub struct Du {
    /// Remote paths or folder links
    #[arg(default_value = "/", value_name = "PATH")]
    pub paths: Vec<String>,
    /// Show the folders in them too, so many levels down
    #[arg(short, long, value_name = "LEVELS", env = "SUPERMEGA_DEPTH", default_value_t = 0)]
    pub depth: usize,
    /// Show sizes in KiB, MiB and so on
    #[arg(short = 'H', long, env = "SUPERMEGA_HUMAN", value_parser = switch())]
    pub human: bool,
}

/// `watch`
#[derive(Debug, Args)]
pub struct Watch {
    /// Show only what happens in this folder
    #[arg(default_value = "/", value_name = "PATH")]
    pub path: String,
    /// End after so many events
    #[arg(short, long, value_name = "N", env = "SUPERMEGA_COUNT")]
    pub count: Option<usize>,
}

/// A date, a time, or a span before now.
fn time_of(text: &str) -> Result<SystemTime, String> {
    let now = jiff::Zoned::now();
    let then = text
        .parse::<jiff::Timestamp>()
        .map(|time| time.to_zoned(now.time_zone().clone()))
        .or_else(|_| text.parse::<jiff::civil::DateTime>()?.to_zoned(now.time_zone().clone()))
        .or_else(|_| now.checked_sub(text.parse::<jiff::Span>()?));
    then.map(|time| time.timestamp().into())
        .map_err(|_: jiff::Error| "this is no date, no time, and no span as 7d or 12h".into())
}
