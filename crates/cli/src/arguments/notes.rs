//! What lies behind nodes: the rubbish bin, old versions, marks, thumbnails.

use clap::{Args, Subcommand, ValueEnum};

use super::{Remotes, switch};

/// `trash`
#[derive(Debug, Subcommand)]
pub enum Trash {
    /// Delete everything in the rubbish bin for good
    Empty,
    /// Show what lies in the rubbish bin, and where it lay before
    List,
    /// Move out of the rubbish bin, to where it lay before
    Restore(Remotes),
}

/// `versions`
#[derive(Debug, Subcommand)]
pub enum Versions {
    /// Show the old versions of a file, the newest first
    List(Version),
    /// Delete old versions for good
    Prune(Prune),
    /// Make an old version current again; what was current becomes an old version
    Restore(RestoreVersion),
}

/// A file with old versions.
#[derive(Debug, Args)]
pub struct Version {
    /// The file
    pub path: String,
}

/// `versions prune`
#[derive(Debug, Args)]
pub struct Prune {
    /// The file
    pub path: String,
    /// How many to keep, the newest
    #[arg(long, value_name = "N", default_value_t = 0, env = "SUPERMEGA_VERSIONS_KEEP")]
    pub keep: usize,
    /// Keep those that are younger, as 30d or 12h
    #[arg(long, value_name = "SPAN", env = "SUPERMEGA_VERSIONS_OLDER_THAN")]
    pub older_than: Option<String>,
}

/// `versions restore`
#[derive(Debug, Args)]
pub struct RestoreVersion {
    /// The file
    pub path: String,
    /// Which: its number in the list, or its handle
    pub version: String,
}

/// `mark`
#[derive(Debug, Args)]
pub struct Mark {
    /// The file or folder
    pub path: String,
    /// Whether it is a favourite
    #[arg(long, value_name = "YES|NO", env = "SUPERMEGA_MARK_FAVOURITE")]
    pub favourite: Option<YesNo>,
    /// Its colour: red, orange, yellow, green, blue, purple, grey or none
    #[arg(long, value_name = "COLOUR", env = "SUPERMEGA_MARK_LABEL")]
    pub label: Option<String>,
    /// Its description; an empty one is none
    #[arg(long, value_name = "TEXT", env = "SUPERMEGA_MARK_DESCRIPTION")]
    pub description: Option<String>,
    /// Its tags, with commas between them; an empty list is none
    #[arg(long, value_name = "TAG,…", env = "SUPERMEGA_MARK_TAGS")]
    pub tags: Option<String>,
}

/// `thumbnail`
#[derive(Debug, Subcommand)]
pub enum Thumbnail {
    /// Save the thumbnail of a file, or print it to standard output
    Get(GetThumbnail),
    /// Make thumbnails and previews of pictures that have none, for which they are downloaded
    Make(MakeThumbnails),
}

/// `thumbnail get`
#[derive(Debug, Args)]
pub struct GetThumbnail {
    /// The remote path or link of the file
    pub path: String,
    /// The local file, or the folder that takes it; - is standard output
    #[arg(default_value = ".")]
    pub target: String,
    /// The larger picture: up to 1000 pixels, not 200
    #[arg(long, env = "SUPERMEGA_PREVIEW", value_parser = switch())]
    pub preview: bool,
    /// Replace a local file of that name
    #[arg(long, env = "SUPERMEGA_THUMBNAIL_FORCE", value_parser = switch())]
    pub force: bool,
    /// Read the password of a protected link from standard input
    #[arg(long, env = "SUPERMEGA_LINK_PASSWORD_STDIN", value_parser = switch())]
    pub link_password_stdin: bool,
}

/// `thumbnail make`
#[derive(Debug, Args)]
pub struct MakeThumbnails {
    /// Remote paths of pictures, or of folders in which there are some
    #[arg(required = true, value_name = "PATH")]
    pub paths: Vec<String>,
    /// Make them anew where there are some already
    #[arg(long, env = "SUPERMEGA_THUMBNAIL_FORCE", value_parser = switch())]
    pub force: bool,
}

/// Yes or no.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum YesNo {
    /// Yes.
    Yes,
    /// No.
    No,
}
