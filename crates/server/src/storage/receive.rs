//! Writes the body of a request to a file while it arrives.

use std::fs::{File, OpenOptions};
use std::io::{ErrorKind, IoSlice, Seek, SeekFrom, Write};
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use http_body_util::BodyExt;
use hyper::body::{Body, Incoming};
use supermega_protocol::ErrorCode;
use tokio::task::JoinHandle;

use crate::fault::{Action, BodyFaults, End, Pace};

/// How much of a body is written at once.
const PIECE: usize = 1 << 20;

/// What a request brought.
pub(super) struct Received {
    pub length: u64,
    /// The XOR of its bytes onto twelve, if that is wanted (`protocol-auth.md` 6.6).
    pub checksum: Option<[u8; 12]>,
}

/// Why a body was not taken.
pub(super) enum Broken {
    Refused(ErrorCode),
    /// A fault cuts the connection.
    Cut,
    /// There is no such file any more.
    Gone,
    /// A fault takes no more, and the connection stays.
    Stalled,
}

impl From<ErrorCode> for Broken {
    fn from(code: ErrorCode) -> Self {
        Self::Refused(code)
    }
}

/// Where the bytes of a request go.
pub(super) struct Target {
    file: File,
    turn: Turn,
    received: Received,
}

/// Whose turn it is to write to a file. The system would let the others wait too, and burn a processor meanwhile.
pub(super) type Turn = Arc<Mutex<()>>;

impl Target {
    /// Opens the file at `path` to be written from `offset` on. Blocks.
    pub(super) fn open(
        path: &Path,
        turn: Turn,
        offset: u64,
        with_checksum: bool,
    ) -> std::io::Result<Self> {
        let mut file = OpenOptions::new().write(true).open(path)?;
        file.seek(SeekFrom::Start(offset))?;
        let checksum = with_checksum.then_some([0; 12]);
        Ok(Self { file, turn, received: Received { length: 0, checksum } })
    }

    /// Takes a body of at most `most` bytes, which belongs at `offset`: the next piece arrives while one is
    /// written.
    pub(super) async fn receive(
        self,
        mut body: Incoming,
        most: u64,
        offset: u64,
        actions: &[Action],
    ) -> Result<Received, Broken> {
        if body.size_hint().lower() > most {
            return Err(ErrorCode::Range.into());
        }
        let (faults, pace) = (BodyFaults::of(actions), Pace::of(actions));
        let (limit, end) = faults.end().unwrap_or((u64::MAX, End::Short));
        let mut writing = tokio::task::spawn_blocking(|| Ok(self));
        let mut piece = Vec::new();
        let (mut waiting, mut arrived) = (0, 0_u64);
        while let Some(frame) = body.frame().await {
            let Ok(mut data) = frame.map_err(|_| ErrorCode::Again)?.into_data() else { continue };
            let begin = arrived;
            arrived += data.len() as u64;
            if arrived > most {
                return Err(ErrorCode::Range.into());
            }
            match end {
                End::Cut if arrived >= limit => return Err(Broken::Cut),
                End::Stalled if arrived >= limit => return Err(Broken::Stalled),
                // The rest is taken and thrown away.
                _ => data
                    .truncate(usize::try_from(limit.saturating_sub(begin)).unwrap_or(usize::MAX)),
            }
            waiting += data.len();
            piece.push(faults.flip(data, offset + begin));
            if waiting >= PIECE {
                writing = write(writing, std::mem::take(&mut piece)).await?;
                waiting = 0;
            }
            pace.hold(arrived).await;
        }
        let writing = write(writing, piece).await?;
        Ok(done(writing).await?.received)
    }

    fn write(&mut self, piece: &[Bytes]) -> std::io::Result<()> {
        let slices = piece.iter().filter(|bytes| !bytes.is_empty());
        let mut slices: Vec<IoSlice<'_>> = slices.map(|bytes| IoSlice::new(bytes)).collect();
        let mut rest = &mut slices[..];
        while !rest.is_empty() {
            let turn = self.turn.lock().unwrap_or_else(PoisonError::into_inner);
            let written = self.file.write_vectored(rest);
            drop(turn);
            match written {
                Ok(0) => return Err(ErrorKind::WriteZero.into()),
                Ok(written) => IoSlice::advance_slices(&mut rest, written),
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        for bytes in piece {
            if let Some(checksum) = &mut self.received.checksum {
                fold(checksum, self.received.length, bytes);
            }
            self.received.length += bytes.len() as u64;
        }
        Ok(())
    }
}

type Writing = JoinHandle<std::io::Result<Target>>;

/// Waits for the piece that is being written, and begins with the next one.
async fn write(writing: Writing, piece: Vec<Bytes>) -> Result<Writing, ErrorCode> {
    let mut target = done(writing).await?;
    Ok(tokio::task::spawn_blocking(move || target.write(&piece).map(|()| target)))
}

async fn done(writing: Writing) -> Result<Target, ErrorCode> {
    match writing.await {
        Ok(Ok(target)) => Ok(target),
        _ => Err(ErrorCode::Unavailable),
    }
}

/// Goes on with a checksum: each byte is XORed into one of twelve (`protocol-auth.md` 6.6).
fn fold(checksum: &mut [u8; 12], before: u64, bytes: &[u8]) {
    let piece = supermega_crypto::upload_checksum(bytes);
    let turn = usize::try_from(before % 12).unwrap_or(0);
    for (i, byte) in piece.iter().enumerate() {
        checksum[(i + turn) % 12] ^= byte;
    }
}

#[cfg(test)]
mod tests {
    use super::fold;

    #[test]
    fn a_checksum_does_not_depend_on_the_pieces() {
        let bytes: Vec<u8> = (0..100).collect();
        let mut checksum = [0; 12];
        let mut before = 0;
        for piece in bytes.chunks(7) {
            fold(&mut checksum, before, piece);
            before += piece.len() as u64;
        }
        assert_eq!(checksum, supermega_crypto::upload_checksum(&bytes));
    }
}
