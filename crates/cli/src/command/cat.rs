//! `cat`: files, or parts of them, to standard output.

use std::io::Write;
use std::ops::Range;

use futures_util::TryStreamExt;
use supermega::transfer::{Download, PlainChunks};

use super::get::{Source, find};
use super::summary::Summary;
use crate::arguments::Cat;
use crate::context::Context;
use crate::error::{CommandError, Result};
use crate::exit_code::Exit;

/// Writes one file after the other; what fails keeps nobody from the others.
pub async fn run(arguments: Cat, context: &Context) -> Result<Exit> {
    let several = arguments.paths.len() > 1;
    let mut summary = Summary::default();
    for text in &arguments.paths {
        match show(&arguments, text, context).await {
            Ok(()) => summary.add(context, Ok(()))?,
            Err(error) => summary.fail(context, error, several)?,
        }
    }
    Ok(summary.exit(context))
}

async fn show(arguments: &Cat, text: &str, context: &Context) -> Result<()> {
    let source = find(context, text, arguments.link_password_stdin).await?;
    let (download, size) = source.download()?;
    let chunks = match &arguments.range {
        Some(range) => download.chunks_of(clip(range, size)),
        None => download.chunks(),
    };
    write_out(chunks).await
}

impl Source {
    /// The download of a file, and its size.
    pub fn download(&self) -> Result<(Download, u64)> {
        Ok(match self {
            Self::File(file) => (file.download()?, file.size()),
            Self::Node(found) => (found.session.download(&found.node)?, found.node.size()),
        })
    }
}

/// Writes to standard output, **before** the whole is verified: a failure shows in the exit code only.
pub async fn write_out(mut chunks: PlainChunks) -> Result<()> {
    while let Some(chunk) = chunks.try_next().await? {
        // Whoever reads may be slow; a request to stop must not wait for that.
        let write = move || std::io::stdout().lock().write_all(&chunk);
        tokio::task::spawn_blocking(write).await.map_err(CommandError::local)??;
    }
    Ok(std::io::stdout().lock().flush()?)
}

/// Bytes of a file, by their first and last, or of its end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ByteRange {
    /// From this one on, up to that one if it is named.
    From(u64, Option<u64>),
    /// The last so many.
    Last(u64),
}

impl std::str::FromStr for ByteRange {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, &'static str> {
        const FORM: &str = "a range reads FIRST-LAST, FIRST- or -LENGTH";
        let (first, last) = text.split_once('-').ok_or(FORM)?;
        let number = |text: &str| text.parse::<u64>().map_err(|_| FORM);
        match (first, last) {
            ("", last) => Ok(Self::Last(number(last)?)),
            (first, "") => Ok(Self::From(number(first)?, None)),
            (first, last) => {
                let (first, last) = (number(first)?, number(last)?);
                if first > last {
                    return Err("the range ends before it begins");
                }
                Ok(Self::From(first, Some(last)))
            }
        }
    }
}

fn clip(range: &ByteRange, size: u64) -> Range<u64> {
    match *range {
        ByteRange::From(first, last) => {
            first.min(size)..last.map_or(size, |last| last.saturating_add(1).min(size))
        }
        ByteRange::Last(length) => size.saturating_sub(length)..size,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_are_read_and_clipped() {
        for (text, range) in [
            ("0-9", 0..10),
            ("5-5", 5..6),
            ("90-", 90..100),
            ("90-1000", 90..100),
            ("-10", 90..100),
            ("-1000", 0..100),
            ("200-", 100..100),
        ] {
            assert_eq!(clip(&text.parse().unwrap(), 100), range, "{text}");
        }
        for text in ["", "-", "5", "9-5", "a-b", "1-2-3"] {
            assert!(text.parse::<ByteRange>().is_err(), "{text}");
        }
    }
}
