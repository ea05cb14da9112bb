//! Answers that are written while they are read, however long they are, with little of them in memory.

use std::io::{self, Write};
use std::sync::Arc;

use bytes::Bytes;
use rusqlite::Connection;
use supermega_protocol::ErrorCode;
use supermega_protocol::wire::encode_failure;
use tokio::sync::mpsc::{self, Receiver, Sender};

use super::{Reply, ReplyBody};
use crate::api::{Answer, WriteError};
use crate::state::State;

/// How much is sent at once. What fits into one piece is sent with its length.
const PIECE: usize = 256 << 10;
/// Pieces that wait for a slow client.
const AHEAD: usize = 4;

/// Writes an answer on a thread of its own.
pub(super) async fn reply(state: &Arc<State>, answer: Answer) -> Reply {
    let written = written(state, move |db: &Connection, out: &mut dyn Write| answer.write(db, out));
    written.await.unwrap_or_else(|| Reply::json(encode_failure(ErrorCode::Internal.into())))
}

/// Writes from one committed state on a thread of its own. Gives nothing if that fails at once; later, the
/// body ends early.
pub(crate) async fn written(
    state: &Arc<State>,
    write: impl FnOnce(&Connection, &mut dyn Write) -> Result<(), WriteError> + Send + 'static,
) -> Option<Reply> {
    let (sender, mut pieces) = mpsc::channel(AHEAD);
    let state = state.clone();
    tokio::task::spawn_blocking(move || run(&state, write, sender));
    let first = pieces.recv().await?.ok()?;
    Some(match pieces.recv().await {
        None => Reply::json_bytes(first),
        Some(second) => Reply::json_stream(ReplyBody::stream(rest(first, second, pieces))),
    })
}

fn rest(
    first: Bytes,
    second: io::Result<Bytes>,
    pieces: Receiver<io::Result<Bytes>>,
) -> impl futures_util::Stream<Item = io::Result<Bytes>> + Send {
    let begin = futures_util::stream::iter([Ok(first), second]);
    let end = futures_util::stream::unfold(pieces, async |mut pieces| {
        pieces.recv().await.map(|piece| (piece, pieces))
    });
    futures_util::StreamExt::chain(begin, end)
}

fn run(
    state: &State,
    write: impl FnOnce(&Connection, &mut dyn Write) -> Result<(), WriteError>,
    sender: Sender<io::Result<Bytes>>,
) {
    let mut out = Pieces { buffer: Vec::with_capacity(PIECE), sender };
    let written = state.store.read(|db| Ok(write(db, &mut out)));
    let broken = match written {
        Ok(Ok(())) => return out.finish(),
        Ok(Err(error)) => error.to_string(),
        Err(error) => error.to_string(),
    };
    // The rest of the body does not come, and the client sees that.
    tracing::error!(broken, "a tree could not be written");
    let _ = out.sender.blocking_send(Err(io::Error::other(broken)));
}

/// Collects bytes into pieces.
struct Pieces {
    buffer: Vec<u8>,
    sender: Sender<io::Result<Bytes>>,
}

impl Pieces {
    fn send(&mut self) -> io::Result<()> {
        let piece = std::mem::replace(&mut self.buffer, Vec::with_capacity(PIECE));
        let sent = self.sender.blocking_send(Ok(piece.into()));
        sent.map_err(|_| io::ErrorKind::BrokenPipe.into())
    }

    fn finish(mut self) {
        // Whoever went away needs no end.
        let _ = self.send();
    }
}

impl Write for Pieces {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.buffer.len() + bytes.len() > PIECE && !self.buffer.is_empty() {
            self.send()?;
        }
        self.buffer.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
