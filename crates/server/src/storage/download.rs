//! Downloads: `/dl/TOKEN`, `/dl/TOKEN/START-END`, `/dl/TOKEN/START-` (`protocol-api.md` 3.3). Each of the
//! six parts of a file has a token of its own (3.7).

use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::ops::Range;
use std::path::Path;
use std::sync::Arc;

use bytes::Bytes;
use futures_util::{Stream, stream};
use tokio::task::JoinHandle;

use super::medium::Medium;
use super::piece::{PIECE, Piece, Pieces};
use super::raid::Part;
use super::tokens::{Access, Download};
use crate::fault::{Action, spoil};
use crate::http::{Reply, ReplyBody};
use crate::request_log::LoggedRequest;
use crate::state::State;

/// Answers a download; `rest` is the path behind `/dl/`.
pub(crate) async fn download(state: &Arc<State>, rest: &str, actions: &[Action]) -> Reply {
    let (token, range) = rest.split_once('/').unwrap_or((rest, ""));
    let found = match state.downloads.find(token) {
        Access::Granted(found) => found,
        Access::Ended => return Reply::status(403),
        Access::Unknown => return Reply::status(404),
    };
    let Some((start, end)) = parse_range(range, found.length()) else { return Reply::status(400) };
    state.log.add(LoggedRequest::Download {
        start,
        end: (!range.is_empty()).then_some(end),
        part: found.part.map(Part::number),
    });
    if end <= start {
        return Reply::octets(Bytes::new());
    }
    let path = state.blob_path(found.blob);
    let opened = tokio::task::spawn_blocking(move || Stored::open(&path, found)).await;
    let Ok(Ok(stored)) = opened else { return Reply::status(404) };
    let body = ReplyBody::stream(stored.pieces(start..end, state.pieces.clone()));
    spoil(state, actions, start, Reply::octets_of(end - start, body))
}

/// A file, or a part of one, that is open to be sent.
struct Stored {
    file: File,
    medium: Medium,
    what: Download,
}

impl Stored {
    /// Blocks.
    fn open(path: &Path, what: Download) -> std::io::Result<Self> {
        let file = File::open(path)?;
        Ok(Self { medium: Medium::of(&file), file, what })
    }

    /// Bytes `range`, in pieces.
    fn pieces(
        self,
        range: Range<u64>,
        pieces: Arc<Pieces>,
    ) -> impl Stream<Item = std::io::Result<Bytes>> {
        let sending = Sending { stored: Arc::new(self), pieces, ahead: None, rest: range };
        stream::try_unfold(sending, |mut sending| async move {
            let piece = sending.next().await?;
            Ok(piece.map(|piece| (piece, sending)))
        })
    }

    /// Reads from `at` on what is in memory already; gives how much that was. A part has to be made first.
    fn read_at_hand(&self, at: u64, into: &mut [u8]) -> usize {
        match self.what.part {
            Some(_) => 0,
            None => self.medium.read_at_hand(&self.file, at, into),
        }
    }

    /// Fills the buffer from `at` on. Blocks.
    fn read(&self, at: u64, into: &mut [u8]) -> std::io::Result<()> {
        let mut file = &self.file;
        if let Some(part) = self.what.part {
            return part.read(file, self.what.size, at, into);
        }
        file.seek(SeekFrom::Start(at))?;
        file.read_exact(into)
    }
}

/// A body on its way. What is in memory is read when it is sent. Once the disk has to be waited for, one piece is
/// read while the one before is sent.
struct Sending {
    stored: Arc<Stored>,
    pieces: Arc<Pieces>,
    ahead: Option<JoinHandle<std::io::Result<Piece>>>,
    /// What is neither sent nor being read.
    rest: Range<u64>,
}

impl Sending {
    async fn next(&mut self) -> std::io::Result<Option<Bytes>> {
        let reading = if let Some(reading) = self.ahead.take() {
            reading
        } else {
            let Some((at, mut piece)) = self.take() else { return Ok(None) };
            let there = self.stored.read_at_hand(at, piece.as_mut());
            if there == piece.as_ref().len() {
                return Ok(Some(Bytes::from_owner(piece)));
            }
            self.read(at, piece)
        };
        let piece = reading.await.map_err(std::io::Error::other)??;
        self.ahead = self.take().map(|(at, next)| self.read(at, next));
        Ok(Some(Bytes::from_owner(piece)))
    }

    /// A buffer for what comes next, and where that begins.
    fn take(&mut self) -> Option<(u64, Piece)> {
        let left = usize::try_from(self.rest.end - self.rest.start).unwrap_or(usize::MAX);
        let length = left.min(PIECE);
        let at = self.rest.start;
        self.rest.start += length as u64;
        (length > 0).then(|| (at, self.pieces.take(length)))
    }

    /// Fills a buffer where that may block.
    fn read(&self, at: u64, mut piece: Piece) -> JoinHandle<std::io::Result<Piece>> {
        let stored = self.stored.clone();
        tokio::task::spawn_blocking(move || stored.read(at, piece.as_mut()).map(|()| piece))
    }
}

impl Download {
    /// How many bytes there are to read.
    fn length(&self) -> u64 {
        self.part.map_or(self.size, |part| part.size(self.size))
    }
}

/// Bytes `start..end` of a range whose end is named inclusively; an empty file is asked for as `0-0`.
fn parse_range(range: &str, size: u64) -> Option<(u64, u64)> {
    if range.is_empty() {
        return Some((0, size));
    }
    let (start, end) = range.split_once('-')?;
    let start: u64 = start.parse().ok()?;
    let end = match end {
        "" => size,
        end => end.parse::<u64>().ok()?.checked_add(1)?.min(size),
    };
    (start <= size).then_some((start, end))
}

#[cfg(test)]
mod tests {
    use super::parse_range;

    #[test]
    fn ranges_are_inclusive_and_cut_at_the_end() {
        assert_eq!(parse_range("", 10), Some((0, 10)));
        assert_eq!(parse_range("0-0", 0), Some((0, 0)));
        assert_eq!(parse_range("2-5", 10), Some((2, 6)));
        assert_eq!(parse_range("2-", 10), Some((2, 10)));
        assert_eq!(parse_range("2-99", 10), Some((2, 10)));
        for bad in ["x", "1", "-5", "11-12", "1-x", "0-18446744073709551615"] {
            assert_eq!(parse_range(bad, 10), None, "{bad}");
        }
    }
}
