//! A remote file to be read from any place: for players, archives and mounts.

use std::io::{self, SeekFrom};
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::{Buf, Bytes};
use supermega_crypto::chunks;
use tokio::io::{AsyncRead, AsyncSeek, ReadBuf};

use super::SEGMENT;
use super::download::{Download, PlainChunks};
use super::segment::Segment;
use crate::error::{Error, Result};

/// The first request behind a seek: whoever seeks may want little.
const FIRST: u64 = 128 << 10;

/// Reads a file from any place, and fetches ahead while it is read on. See [`Download::reader`].
///
/// Only a whole file can be verified: one that is read from its beginning to its end gives its last bytes once
/// everything agrees with its MAC, and an error otherwise. Behind a seek to another place nothing is verified: whoever
/// stores the file could have changed it, bit by bit.
pub struct RemoteReader {
    download: Download,
    size: u64,
    position: u64,
    /// What was fetched for this position and not read yet.
    fetched: Bytes,
    /// What follows behind it.
    ahead: Option<PlainChunks>,
}

impl std::fmt::Debug for RemoteReader {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("RemoteReader")
            .field("size", &self.size)
            .field("position", &self.position)
            .finish_non_exhaustive()
    }
}

impl RemoteReader {
    pub(super) fn new(download: Download, size: u64) -> Self {
        Self { download, size, position: 0, fetched: Bytes::new(), ahead: None }
    }

    /// How many bytes the file has.
    #[must_use]
    pub fn size(&self) -> u64 {
        self.size
    }

    /// What comes next, up to `limit` bytes, as it was fetched; nothing at the end.
    pub async fn next_bytes(&mut self, limit: usize) -> Result<Option<Bytes>> {
        let there = std::future::poll_fn(|context| self.poll_fetched(context)).await?;
        Ok(there.then(|| self.take(limit)))
    }

    fn take(&mut self, limit: usize) -> Bytes {
        let bytes = self.fetched.split_to(limit.min(self.fetched.len()));
        self.position += bytes.len() as u64;
        bytes
    }

    /// Whether there are bytes to be taken, once that is known.
    fn poll_fetched(&mut self, context: &mut Context<'_>) -> Poll<Result<bool>> {
        while self.fetched.is_empty() {
            if self.position >= self.size {
                return Poll::Ready(Ok(false));
            }
            let (download, from) = (&self.download, self.position);
            let ahead = self.ahead.get_or_insert_with(|| download.clone().chunks_from(from));
            match ready!(ahead.as_mut().poll_next(context)) {
                Some(Ok(bytes)) => self.fetched = bytes,
                ended => {
                    // Whoever tries again begins anew from here.
                    self.ahead = None;
                    let (what, why) = (self.download.label().to_owned(), "it ends too early");
                    let short = Error::Integrity { what, why };
                    return Poll::Ready(Err(ended.and_then(Result::err).unwrap_or(short)));
                }
            }
        }
        Poll::Ready(Ok(true))
    }

    fn go_to(&mut self, position: u64) {
        let skipped = position.checked_sub(self.position);
        let within = skipped.and_then(|skipped| usize::try_from(skipped).ok());
        if let Some(skipped) = within.filter(|skipped| *skipped <= self.fetched.len()) {
            self.fetched.advance(skipped);
        } else {
            (self.fetched, self.ahead) = (Bytes::new(), None);
        }
        self.position = position;
    }
}

/// Pieces from a position on, each twice as long as the one before, up to the length of a segment.
pub(super) fn growing(from: u64, end: u64) -> impl Iterator<Item = Segment> + Send {
    let mut start = from;
    let mut length = FIRST;
    std::iter::from_fn(move || {
        let piece = Segment { start, end: end.min(start.saturating_add(length)) };
        (start, length) = (piece.end, (length * 2).min(SEGMENT));
        (piece.start < piece.end).then_some(piece)
    })
}

/// The same from the beginning on, in whole chunks.
pub(super) fn growing_chunks(end: u64) -> impl Iterator<Item = Segment> + Send {
    let mut chunks = chunks(end).peekable();
    let mut length = FIRST;
    std::iter::from_fn(move || {
        let first = chunks.next()?;
        let mut piece = Segment { start: first.offset, end: first.end() };
        while let Some(next) = chunks.next_if(|next| next.end() - piece.start <= length) {
            piece.end = next.end();
        }
        length = (length * 2).min(SEGMENT);
        Some(piece)
    })
}

impl AsyncRead for RemoteReader {
    fn poll_read(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        if buffer.remaining() > 0 && ready!(this.poll_fetched(context)).map_err(failed)? {
            buffer.put_slice(&this.take(buffer.remaining()));
        }
        Poll::Ready(Ok(()))
    }
}

impl AsyncSeek for RemoteReader {
    fn start_seek(self: Pin<&mut Self>, to: SeekFrom) -> io::Result<()> {
        let this = self.get_mut();
        let position = match to {
            SeekFrom::Start(position) => Some(position),
            SeekFrom::Current(by) => this.position.checked_add_signed(by),
            SeekFrom::End(by) => this.size.checked_add_signed(by),
        };
        // As of local files: behind the end there is nothing, before the beginning there is an error.
        this.go_to(position.ok_or(io::ErrorKind::InvalidInput)?);
        Ok(())
    }

    fn poll_complete(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<u64>> {
        Poll::Ready(Ok(self.position))
    }
}

fn failed(error: Error) -> io::Error {
    io::Error::other(error)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pieces_grow_and_end_where_the_file_does() {
        let pieces: Vec<(u64, u64)> =
            growing(10, 20 << 20).map(|piece| (piece.start, piece.end)).collect();
        assert_eq!(pieces[0], (10, 10 + FIRST));
        assert_eq!(pieces[1], (10 + FIRST, 10 + 3 * FIRST));
        assert!(pieces.windows(2).all(|pair| pair[0].1 == pair[1].0));
        assert!(pieces.iter().all(|(start, end)| end - start <= SEGMENT));
        assert_eq!(pieces.last().unwrap().1, 20 << 20);
        assert_eq!(growing(5, 5).count(), 0);
    }

    #[test]
    fn whole_chunks_grow_and_cover_the_file() {
        let pieces: Vec<Segment> = growing_chunks(20 << 20).collect();
        assert_eq!(pieces[0].end, FIRST);
        assert!(pieces.windows(2).all(|pair| pair[0].end == pair[1].start));
        assert!(pieces.iter().all(|piece| piece.len() as u64 <= SEGMENT));
        assert_eq!(pieces.last().unwrap().end, 20 << 20);
        assert_eq!(growing_chunks(0).count(), 0);
    }
}
