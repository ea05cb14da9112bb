//! Downloads: `/dl/TOKEN`, `/dl/TOKEN/START-END`, `/dl/TOKEN/START-` (`protocol-api.md` 3.3).

use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::sync::Arc;

use bytes::Bytes;
use futures_util::stream;

use super::PIECE;
use crate::fault::BodyFault;
use crate::http::{Reply, ReplyBody};
use crate::request_log::LoggedRequest;
use crate::state::State;

/// Answers a download; `rest` is the path behind `/dl/`.
pub(crate) async fn download(state: &Arc<State>, rest: &str, faults: Vec<BodyFault>) -> Reply {
    let (token, range) = rest.split_once('/').unwrap_or((rest, ""));
    let Some(found) = state.downloads.find(token) else { return Reply::status(404) };
    let Some((start, end)) = parse_range(range, found.size) else { return Reply::status(400) };
    state.log.add(LoggedRequest::Download { start, end: (!range.is_empty()).then_some(end) });
    if end <= start {
        return Reply::octets(Bytes::new());
    }
    let path = state.blob_path(found.blob);
    let opened = tokio::task::spawn_blocking(move || {
        let mut file = File::open(path)?;
        file.seek(SeekFrom::Start(start))?;
        Ok::<_, std::io::Error>(file)
    });
    let Ok(Ok(file)) = opened.await else { return Reply::status(404) };
    let mut length = end - start;
    let mut cut = None;
    let mut flips = Vec::new();
    for fault in faults {
        match fault {
            BodyFault::Truncate(bytes) => length = length.min(bytes),
            BodyFault::Cut(bytes) => cut = Some(bytes),
            BodyFault::Flip(offset) => flips.push(offset),
        }
    }
    let pieces = stream::try_unfold((file, start, length), move |(file, at, left)| {
        let flips = flips.clone();
        async move {
            let sent = at - start;
            if cut.is_some_and(|cut| sent >= cut) {
                return Err(std::io::Error::from(std::io::ErrorKind::ConnectionAborted));
            }
            if left == 0 {
                return Ok(None);
            }
            let mut wanted = left.min(PIECE as u64);
            if let Some(cut) = cut {
                wanted = wanted.min(cut - sent);
            }
            let (file, mut bytes) = read_piece(file, wanted).await?;
            flip(&mut bytes, at, &flips);
            let read = bytes.len() as u64;
            Ok(Some((Bytes::from(bytes), (file, at + read, left - read))))
        }
    });
    Reply::octets_of(length, ReplyBody::stream(pieces))
}

async fn read_piece(mut file: File, wanted: u64) -> std::io::Result<(File, Vec<u8>)> {
    let read = tokio::task::spawn_blocking(move || {
        let mut bytes = vec![0; usize::try_from(wanted).unwrap_or(PIECE)];
        file.read_exact(&mut bytes)?;
        Ok((file, bytes))
    });
    read.await.map_err(std::io::Error::other)?
}

/// Turns the lowest bit of the bytes at these offsets of the file.
fn flip(bytes: &mut [u8], at: u64, offsets: &[u64]) {
    for offset in offsets {
        let index = offset.checked_sub(at).and_then(|index| usize::try_from(index).ok());
        if let Some(byte) = index.and_then(|index| bytes.get_mut(index)) {
            *byte ^= 1;
        }
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
        for bad in ["x", "1", "-5", "11-12", "1-x"] {
            assert_eq!(parse_range(bad, 10), None, "{bad}");
        }
    }
}
