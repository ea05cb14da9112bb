//! Faults of a body: how fast it goes, where it ends, what is wrong in it.

use std::sync::Arc;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use futures_util::{StreamExt, stream};
use tokio::time::Instant;

use super::action::Action;
use crate::http::{Pieces, Reply, ReplyBody};
use crate::state::State;

/// How a body departs from what it should be.
#[derive(Clone, Debug, Default)]
pub(crate) struct BodyFaults {
    /// How long it is at most.
    pub truncate: Option<u64>,
    /// How many bytes come before the connection is cut.
    pub cut: Option<u64>,
    /// How many bytes come before nothing more comes.
    pub stall: Option<u64>,
    /// Offsets in the file of bytes whose lowest bit is turned.
    pub flips: Vec<u64>,
}

impl BodyFaults {
    pub(crate) fn of(actions: &[Action]) -> Self {
        let mut faults = Self::default();
        for action in actions {
            match *action {
                Action::Cut { bytes } => faults.cut = Some(bytes),
                Action::Flip { offset } => faults.flips.push(offset),
                Action::Stall { bytes } => faults.stall = Some(bytes),
                Action::Truncate { bytes } => faults.truncate = Some(bytes),
                _ => {}
            }
        }
        faults
    }

    /// How many bytes come at most, and what happens then.
    pub(crate) fn end(&self) -> Option<(u64, End)> {
        let ends = [(self.truncate, End::Short), (self.cut, End::Cut), (self.stall, End::Stalled)];
        let ends = ends.into_iter().filter_map(|(bytes, end)| Some((bytes?, end)));
        ends.min_by_key(|(bytes, _)| *bytes)
    }

    /// Turns the bits that are to be turned; `bytes` begin at this offset of the file.
    pub(crate) fn flip(&self, bytes: Bytes, at: u64) -> Bytes {
        let index = |offset: &u64| usize::try_from(offset.checked_sub(at)?).ok();
        let indices: Vec<usize> = self.flips.iter().filter_map(index).collect();
        if !indices.iter().any(|index| *index < bytes.len()) {
            return bytes;
        }
        let mut bytes = BytesMut::from(bytes);
        for index in indices {
            if let Some(byte) = bytes.get_mut(index) {
                *byte ^= 1;
            }
        }
        bytes.freeze()
    }
}

/// How a body ends too early.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum End {
    Cut,
    Short,
    Stalled,
}

/// Holds a body back to a bandwidth.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Pace {
    begun: Instant,
    rate: Option<u32>,
}

impl Pace {
    pub(crate) fn of(actions: &[Action]) -> Self {
        let rates = actions.iter().filter_map(|action| match action {
            Action::Bandwidth { rate } => Some(*rate),
            _ => None,
        });
        Self { begun: Instant::now(), rate: rates.min() }
    }

    /// How much may go at once, so that it goes evenly.
    fn piece(&self, most: usize) -> usize {
        match self.rate {
            Some(rate) => most.min((rate / 20).max(1) as usize),
            None => most,
        }
    }

    /// Returns when so many bytes may have gone.
    pub(crate) async fn hold(&self, bytes: u64) {
        if let Some(rate) = self.rate {
            let millis = bytes.saturating_mul(1000) / u64::from(rate);
            tokio::time::sleep_until(self.begun + Duration::from_millis(millis)).await;
        }
    }
}

/// An answer with its body as the faults have it. The body begins at offset `at` of its file.
pub(crate) fn spoil(state: &Arc<State>, actions: &[Action], at: u64, reply: Reply) -> Reply {
    let (faults, pace) = (BodyFaults::of(actions), Pace::of(actions));
    if faults.end().is_none() && faults.flips.is_empty() && pace.rate.is_none() {
        return reply;
    }
    reply.with_body(|body| {
        let length = body.length();
        let end = faults.end().filter(|(bytes, _)| length.is_none_or(|length| *bytes < length));
        let shown = match end {
            Some((bytes, End::Short)) => length.and(Some(bytes)),
            _ => length,
        };
        let spoiled = Spoiled {
            state: state.clone(),
            pieces: body.into_pieces(),
            rest: Bytes::new(),
            sent: 0,
            at,
            end,
            faults,
            pace,
        };
        let pieces = stream::try_unfold(spoiled, |mut spoiled| async move {
            let piece = spoiled.next().await?;
            Ok(piece.map(|piece| (piece, spoiled)))
        });
        ReplyBody::new(pieces, shown)
    })
}

/// A body on its way.
struct Spoiled {
    state: Arc<State>,
    pieces: Pieces,
    /// What is left of a piece.
    rest: Bytes,
    sent: u64,
    at: u64,
    end: Option<(u64, End)>,
    faults: BodyFaults,
    pace: Pace,
}

impl Spoiled {
    async fn next(&mut self) -> std::io::Result<Option<Bytes>> {
        let left = match self.end {
            Some((bytes, end)) if bytes == self.sent => return self.finish(end).await,
            Some((bytes, _)) => bytes - self.sent,
            None => u64::MAX,
        };
        while self.rest.is_empty() {
            match self.pieces.next().await {
                Some(piece) => self.rest = piece?,
                None => return Ok(None),
            }
        }
        let most = self.pace.piece(self.rest.len());
        let piece = self.rest.split_to(most.min(usize::try_from(left).unwrap_or(most)));
        let begin = self.at.saturating_add(self.sent);
        self.sent += piece.len() as u64;
        self.pace.hold(self.sent).await;
        Ok(Some(self.faults.flip(piece, begin)))
    }

    async fn finish(&mut self, end: End) -> std::io::Result<Option<Bytes>> {
        if end == End::Short {
            return Ok(None);
        }
        // What came before must get out before the connection is cut.
        tokio::time::sleep(Duration::from_millis(50)).await;
        if end == End::Stalled {
            self.state.stopped().await;
        }
        Err(std::io::ErrorKind::ConnectionAborted.into())
    }
}
