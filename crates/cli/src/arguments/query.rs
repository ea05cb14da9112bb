//! Verbs that look through the tree: what is where, how much, what is double, and what changes.

// Each is a switch on the command line.
#![allow(clippy::struct_excessive_bools)]

use std::time::{Duration, SystemTime};

use clap::{ArgAction, Args, ValueEnum};
use supermega::{Label, NodeHandle};

use super::{bytes_of, switch};

/// `ls`
#[derive(Clone, Debug, Args)]
pub struct Ls {
    /// Remote paths or folder links
    #[arg(default_value = "/", value_name = "PATH")]
    pub paths: Vec<String>,
    /// Show kind, size, time and handle too; l marks what has a public link, s what is shared
    #[arg(short, long, env = "SUPERMEGA_LONG", value_parser = switch())]
    pub long: bool,
    /// Show sizes in KiB, MiB and so on
    #[arg(short = 'H', long, env = "SUPERMEGA_HUMAN", value_parser = switch())]
    pub human: bool,
    /// Show what lies in the folders of a folder too, and so on
    #[arg(short = 'R', long, env = "SUPERMEGA_LS_RECURSIVE", value_parser = switch())]
    pub recursive: bool,
    /// Show folders themselves rather than what lies in them
    #[arg(
        short,
        long,
        conflicts_with = "recursive",
        env = "SUPERMEGA_DIRECTORY",
        value_parser = switch()
    )]
    pub directory: bool,
    /// In what order: by name, the largest first, or the newest first
    #[arg(short, long, value_name = "ORDER", env = "SUPERMEGA_SORT", default_value = "name")]
    pub sort: Sort,
    /// The other way round
    #[arg(short, long, env = "SUPERMEGA_REVERSE", value_parser = switch())]
    pub reverse: bool,
    /// Show the old versions of each file too
    #[arg(long, env = "SUPERMEGA_LS_VERSIONS", value_parser = switch())]
    pub versions: bool,
    /// Show what hangs on nothing: the folder it lay in is unknown, or is in itself
    #[arg(long, conflicts_with = "paths", env = "SUPERMEGA_STRAYS", value_parser = switch())]
    pub strays: bool,
}

/// In what order things are shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Sort {
    /// By name.
    Name,
    /// The largest first; folders have no size.
    Size,
    /// The newest first.
    Time,
    /// In any order.
    None,
}

/// `tree`
#[derive(Clone, Debug, Default, Args)]
pub struct Tree {
    /// Remote paths or folder links
    #[arg(default_value = "/", value_name = "PATH")]
    pub paths: Vec<String>,
    /// Show so many levels only
    #[arg(short = 'L', long, value_name = "LEVELS", env = "SUPERMEGA_TREE_DEPTH")]
    pub depth: Option<usize>,
    /// Show folders only
    #[arg(short = 'd', long, env = "SUPERMEGA_FOLDERS_ONLY", value_parser = switch())]
    pub folders_only: bool,
    /// Show how much each folder holds
    #[arg(short, long, env = "SUPERMEGA_SIZES", value_parser = switch())]
    pub sizes: bool,
}

/// `find`
#[derive(Clone, Debug, Args)]
pub struct Find {
    /// Remote folders or folder links to look in
    #[arg(default_value = "/", value_name = "PATH")]
    pub paths: Vec<String>,
    /// Only names that match: * and ? stand for anything, [a-z] and [!a-z] for one character, {a,b} for either; \
    /// before one of them makes it itself. Without capitals, case does not matter
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
    /// Only the node with this handle, to learn its path; as often as wanted
    #[arg(
        long,
        value_name = "HANDLE",
        env = "SUPERMEGA_HANDLE",
        value_delimiter = ',',
        value_parser = handle_of
    )]
    pub handle: Vec<NodeHandle>,
    /// Only so many levels down
    #[arg(short = 'L', long, value_name = "LEVELS", env = "SUPERMEGA_FIND_DEPTH")]
    pub depth: Option<usize>,
    /// Only favourites
    #[arg(long, env = "SUPERMEGA_FAVOURITE", value_parser = switch())]
    pub favourite: bool,
    /// Only what has this label: red, orange, yellow, green, blue, purple or grey
    #[arg(long, value_name = "COLOUR", env = "SUPERMEGA_LABEL")]
    pub label: Option<Label>,
    /// Only what has this tag; several times, all of them
    #[arg(long, value_name = "TAG", env = "SUPERMEGA_TAG", action = ArgAction::Append)]
    pub tag: Vec<String>,
    /// Only what cannot be read, and why
    #[arg(long, env = "SUPERMEGA_PROBLEM", value_parser = switch())]
    pub problem: bool,
    /// Look in what hangs on nothing instead: the folder it lay in is unknown, or is in itself
    #[arg(long, conflicts_with = "paths", env = "SUPERMEGA_STRAYS", value_parser = switch())]
    pub strays: bool,
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
#[derive(Clone, Debug, Args)]
pub struct Du {
    /// Remote paths or folder links
    #[arg(default_value = "/", value_name = "PATH")]
    pub paths: Vec<String>,
    /// Show the folders in them too, so many levels down
    #[arg(short, long, value_name = "LEVELS", env = "SUPERMEGA_DEPTH", default_value_t = 0)]
    pub depth: usize,
    /// Show files too, not only folders
    #[arg(short, long, env = "SUPERMEGA_DU_ALL", value_parser = switch())]
    pub all: bool,
    /// Show sizes in KiB, MiB and so on
    #[arg(short = 'H', long, env = "SUPERMEGA_HUMAN", value_parser = switch())]
    pub human: bool,
    /// Show the largest first, rather than each folder before those in it
    #[arg(short, long, env = "SUPERMEGA_SORT_BY_SIZE", value_parser = switch())]
    pub sort: bool,
    /// Count old versions of files too
    #[arg(long, env = "SUPERMEGA_DU_VERSIONS", value_parser = switch())]
    pub versions: bool,
}

/// `dedupe`
///
/// Files are taken for the same if they have the same size and the same checksum of what lies at many places
/// in them, which whoever uploaded them has written. Nothing is deleted.
#[derive(Clone, Debug, Args)]
pub struct Dedupe {
    /// Remote folders or folder links to look in, together
    #[arg(default_value = "/", value_name = "PATH")]
    pub paths: Vec<String>,
    /// List namesakes in one folder instead, which paths cannot tell apart
    #[arg(short, long, env = "SUPERMEGA_NAMESAKES", value_parser = switch())]
    pub namesakes: bool,
    /// Only files of at least this size: bytes, or a number with K, M, G or T
    #[arg(
        long,
        value_name = "SIZE",
        env = "SUPERMEGA_MIN_SIZE",
        default_value = "1",
        value_parser = bytes_of
    )]
    pub min_size: u64,
}

/// `watch`
#[derive(Clone, Debug, Args)]
pub struct Watch {
    /// Show only what happens in this folder
    #[arg(default_value = "/", value_name = "PATH")]
    pub path: String,
    /// End after so many events
    #[arg(short, long, value_name = "N", env = "SUPERMEGA_COUNT")]
    pub count: Option<usize>,
    /// End after so long, as 30s or 12h
    #[arg(
        long = "for",
        value_name = "SPAN",
        env = "SUPERMEGA_FOR",
        value_parser = crate::moment::span_of
    )]
    pub duration: Option<Duration>,
}

fn handle_of(text: &str) -> Result<NodeHandle, &'static str> {
    text.trim_start_matches("H:").parse().map_err(|_| "a handle has 8 characters, as AQIDBAUG")
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
