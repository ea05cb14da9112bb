//! Downloads: `/dl/TOKEN`, `/dl/TOKEN/START-END`, `/dl/TOKEN/START-` (`protocol-api.md` 3.3). Each of the
//! six parts of a file has a token of its own (3.7).

use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::sync::Arc;

use bytes::Bytes;
use futures_util::stream;
use tokio::task::JoinHandle;

use super::raid::Part;
use super::tokens::{Access, Download};
use super::{PART_PIECE, PIECE};
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
    let opened = tokio::task::spawn_blocking(move || File::open(path));
    let Ok(Ok(file)) = opened.await else { return Reply::status(404) };
    let sending = Sending { source: found, reading: None, at: start, end };
    let reply = Reply::octets_of(end - start, ReplyBody::stream(sending.pieces(file)));
    spoil(state, actions, start, reply)
}

type Piece = (File, Vec<u8>);

/// A body on its way: one piece is read while the one before is sent.
struct Sending {
    source: Download,
    reading: Option<JoinHandle<std::io::Result<Piece>>>,
    /// Offset of the next piece to send.
    at: u64,
    end: u64,
}

impl Sending {
    fn pieces(mut self, file: File) -> impl stream::Stream<Item = std::io::Result<Bytes>> {
        self.read(file, self.at);
        stream::try_unfold(self, |mut sending| async move {
            let piece = sending.next().await?;
            Ok(piece.map(|piece| (piece, sending)))
        })
    }

    async fn next(&mut self) -> std::io::Result<Option<Bytes>> {
        let Some(reading) = self.reading.take() else { return Ok(None) };
        let (file, bytes) = reading.await.map_err(std::io::Error::other)??;
        self.at += bytes.len() as u64;
        self.read(file, self.at);
        Ok(Some(bytes.into()))
    }

    /// Begins to read the piece at `at`, if there is one.
    fn read(&mut self, mut file: File, at: u64) {
        let most = if self.source.part.is_some() { PART_PIECE } else { PIECE };
        let wanted = most.min(usize::try_from(self.end - at).unwrap_or(most));
        if wanted == 0 {
            return;
        }
        let source = self.source;
        self.reading = Some(tokio::task::spawn_blocking(move || {
            let bytes = source.read(&mut file, at, wanted)?;
            Ok((file, bytes))
        }));
    }
}

impl Download {
    /// How many bytes there are to read.
    fn length(&self) -> u64 {
        self.part.map_or(self.size, |part| part.size(self.size))
    }

    /// Reads bytes from `at` on. Blocks.
    fn read(&self, file: &mut File, at: u64, length: usize) -> std::io::Result<Vec<u8>> {
        if let Some(part) = self.part {
            return part.read(file, self.size, at, length);
        }
        file.seek(SeekFrom::Start(at))?;
        let mut bytes = Vec::with_capacity(length);
        Read::by_ref(file).take(length as u64).read_to_end(&mut bytes)?;
        if bytes.len() < length {
            return Err(std::io::ErrorKind::UnexpectedEof.into());
        }
        Ok(bytes)
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
