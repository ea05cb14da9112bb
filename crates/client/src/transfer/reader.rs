//! A remote file to be read from any place: for players, archives and mounts.

use std::io::{self, SeekFrom};
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::{Buf, Bytes};
use tokio::io::{AsyncRead, AsyncSeek, ReadBuf};

use super::SEGMENT;
use super::download::{Download, PlainChunks};
use super::segment::Segment;
use crate::error::Error;

/// The first request behind a seek: whoever seeks may want little.
const FIRST: u64 = 128 << 10;

/// Reads a file from any place, and fetches ahead while it is read on. See [`Download::reader`].
///
/// What it gives is not verified, since only the whole could be: whoever stores the file could have changed it,
/// bit by bit.
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

impl AsyncRead for RemoteReader {
    fn poll_read(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        while this.fetched.is_empty() {
            if this.position >= this.size || buffer.remaining() == 0 {
                return Poll::Ready(Ok(()));
            }
            let (download, from) = (&this.download, this.position);
            let ahead = this.ahead.get_or_insert_with(|| download.clone().chunks_from(from));
            match ready!(ahead.as_mut().poll_next(context)) {
                Some(Ok(bytes)) => this.fetched = bytes,
                ended => {
                    // Whoever tries again begins anew from here.
                    this.ahead = None;
                    let error = ended.and_then(Result::err);
                    let error = error.map_or_else(|| io::ErrorKind::UnexpectedEof.into(), failed);
                    return Poll::Ready(Err(error));
                }
            }
        }
        let length = buffer.remaining().min(this.fetched.len());
        buffer.put_slice(&this.fetched.split_to(length));
        this.position += length as u64;
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
}
