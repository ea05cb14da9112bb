//! Fetches a segment of a file that lies in six parts on six servers: five are asked, and the sixth as soon
//! as one of them fails or lags behind. What has come of the parts, and what is under way, stays when addresses are
//! renewed.

use std::ops::Range;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use bytes::BytesMut;
use futures_util::StreamExt;
use futures_util::future::BoxFuture;
use futures_util::stream::FuturesUnordered;
use supermega_protocol::StorageUrl;
use tokio::time::Instant;

use super::raid::{PARTS, join, part_range};
use super::segment::Segment;
use crate::error::NetworkErrorKind;
use crate::transport::storage::{self, StorageError};
use crate::transport::{Backoff, ChannelOptions};

/// Parts that are needed.
const NEEDED: usize = PARTS - 1;
/// The last of five parts may take this much longer than the other four before the sixth is asked for too.
const PATIENCE: Duration = Duration::from_millis(50);

/// What a file's transfer knows about the servers of its parts.
#[derive(Default)]
pub(super) struct Servers {
    /// The part that is not asked for: parity, or the one whose server failed or lagged last.
    spare: AtomicUsize,
}

/// A part of a segment.
enum Part {
    /// This much has come, and no more is under way.
    Missing(BytesMut),
    UnderWay,
    Whole(BytesMut),
}

/// How one request for a part ended.
struct Attempt {
    part: usize,
    /// The round in which it was sent.
    round: usize,
    /// What has come of the part so far.
    bytes: BytesMut,
    /// How much of it this request brought.
    arrived: usize,
    backoff: Backoff,
    /// Whether the same request may be sent again.
    result: Result<(), (StorageError, bool)>,
}

/// One segment on its way.
pub(super) struct RaidFetch<'a> {
    options: &'a ChannelOptions,
    segment: Segment,
    size: u64,
    servers: &'a Servers,
    running: FuturesUnordered<BoxFuture<'a, Attempt>>,
    parts: [Part; PARTS],
    /// The part that is not asked for in this round, as long as five will do.
    spare: Option<usize>,
    /// How often [`RaidFetch::run`] was called.
    round: usize,
    /// Bytes of all requests that have ended.
    arrived: usize,
}

impl<'a> RaidFetch<'a> {
    pub(super) fn new(
        options: &'a ChannelOptions,
        segment: Segment,
        size: u64,
        servers: &'a Servers,
    ) -> Self {
        Self {
            options,
            segment,
            size,
            servers,
            running: FuturesUnordered::new(),
            parts: std::array::from_fn(|_| Part::Missing(BytesMut::new())),
            spare: None,
            round: 0,
            arrived: 0,
        }
    }

    /// Bytes of all requests that have ended.
    pub(super) fn arrived(&self) -> usize {
        self.arrived
    }

    /// Fetches the ciphertext of the segment, and makes it all that `into` holds. After an error it goes on where it was,
    /// with the addresses of then.
    pub(super) async fn run(
        &mut self,
        urls: &[StorageUrl; PARTS],
        into: &mut BytesMut,
    ) -> Result<(), StorageError> {
        self.round += 1;
        self.ask_for_enough(urls);
        self.collect(urls).await?;
        let whole = self.parts.each_ref().map(|part| match part {
            Part::Whole(bytes) => Some(bytes),
            _ => None,
        });
        into.clear();
        into.resize(self.segment.len(), 0);
        join(&whole, self.segment, into);
        Ok(())
    }

    /// Asks for all that is missing but one part: that of the worst server, if it is missing.
    fn ask_for_enough(&mut self, urls: &[StorageUrl; PARTS]) {
        let worst = self.servers.spare.load(Ordering::Relaxed);
        let mut missing: Vec<usize> =
            (0..PARTS).filter(|part| matches!(self.parts[*part], Part::Missing(_))).collect();
        missing.sort_by_key(|part| *part == worst);
        self.spare = missing.pop();
        for part in missing {
            self.ask(urls, part);
        }
    }

    /// Asks for a part, or for the rest of it, unless that is whole or under way.
    fn ask(&mut self, urls: &[StorageUrl; PARTS], part: usize) {
        let Part::Missing(bytes) = &mut self.parts[part] else { return };
        let bytes = std::mem::take(bytes);
        self.parts[part] = Part::UnderWay;
        let backoff = Backoff::new(self.options.busy_patience);
        let request = self.request(urls, part);
        self.running.push(Box::pin(request.send(bytes, backoff)));
    }

    fn request(&self, urls: &[StorageUrl; PARTS], part: usize) -> Request<'a> {
        Request {
            options: self.options,
            url: urls[part].clone(),
            part,
            round: self.round,
            range: part_range(part, self.segment, self.size),
        }
    }

    async fn collect(&mut self, urls: &[StorageUrl; PARTS]) -> Result<(), StorageError> {
        let begun = Instant::now();
        let mut dead = 0;
        let mut lagging = None;
        loop {
            let count = self.parts.iter().filter(|part| matches!(part, Part::Whole(_))).count();
            if count >= NEEDED {
                return Ok(());
            }
            if count == NEEDED - 1 && lagging.is_none() {
                let now = Instant::now();
                lagging = Some(now + PATIENCE.max((now - begun) / 2));
            }
            let ended = tokio::select! {
                ended = self.running.next() => ended,
                () = until(lagging), if self.spare.is_some() => {
                    self.leave_out_the_last(urls);
                    continue;
                }
            };
            // Something is under way until enough is there or too many parts are dead.
            let Some(ended) = ended else {
                return Err(StorageError::Passing(NetworkErrorKind::Cut));
            };
            if let Some(error) = self.end(urls, ended) {
                dead += 1;
                if dead > PARTS - NEEDED {
                    return Err(error);
                }
            }
        }
    }

    /// Takes what a request has brought, and goes on with its part. Gives why that cannot be had from this address.
    fn end(&mut self, urls: &[StorageUrl; PARTS], ended: Attempt) -> Option<StorageError> {
        let Attempt { part, round, bytes, arrived, backoff, result } = ended;
        self.arrived += arrived;
        let Err((error, passes)) = result else {
            self.parts[part] = Part::Whole(bytes);
            return None;
        };
        tracing::debug!(part, ?error, "a part failed");
        if passes {
            self.ask_for_spare(urls, part);
            self.ask_later(urls, part, bytes, backoff, error);
            return None;
        }
        self.parts[part] = Part::Missing(bytes);
        if round < self.round {
            self.ask(urls, part);
            return None;
        }
        self.ask_for_spare(urls, part);
        Some(error)
    }

    /// One part is so late that the spare one is asked for too. The slow one may still win.
    fn leave_out_the_last(&mut self, urls: &[StorageUrl; PARTS]) {
        let late = self.parts.iter().position(|part| matches!(part, Part::UnderWay));
        if let Some(late) = late {
            self.ask_for_spare(urls, late);
        }
    }

    /// Asks for the spare part, if that was not done yet; `instead` takes its place from now on.
    fn ask_for_spare(&mut self, urls: &[StorageUrl; PARTS], instead: usize) {
        if let Some(spare) = self.spare.take() {
            self.servers.spare.store(instead, Ordering::Relaxed);
            self.ask(urls, spare);
        }
    }

    /// Asks for the rest of a part after a while.
    fn ask_later(
        &mut self,
        urls: &[StorageUrl; PARTS],
        part: usize,
        bytes: BytesMut,
        mut backoff: Backoff,
        error: StorageError,
    ) {
        let request = self.request(urls, part);
        self.running.push(Box::pin(async move {
            if backoff.wait().await {
                request.send(bytes, backoff).await
            } else {
                let round = request.round;
                Attempt { part, round, bytes, arrived: 0, backoff, result: Err((error, false)) }
            }
        }));
    }
}

/// A request for a part.
struct Request<'a> {
    options: &'a ChannelOptions,
    url: StorageUrl,
    part: usize,
    round: usize,
    range: Range<u64>,
}

impl Request<'_> {
    /// Fetches what is missing behind `bytes`.
    async fn send(self, mut bytes: BytesMut, mut backoff: Backoff) -> Attempt {
        let before = bytes.len();
        let Range { start, end } = self.range;
        let start = start + bytes.len() as u64;
        let result = match start < end {
            true => storage::fetch(self.options, &self.url, start, end, &mut bytes).await,
            false => Ok(()),
        };
        let result = result.map_err(|error| {
            let passes = matches!(error, StorageError::Passing(_));
            (error, passes)
        });
        let arrived = bytes.len() - before;
        if arrived > 0 {
            backoff = Backoff::new(self.options.busy_patience);
        }
        Attempt { part: self.part, round: self.round, bytes, arrived, backoff, result }
    }
}

async fn until(time: Option<Instant>) {
    match time {
        Some(time) => tokio::time::sleep_until(time).await,
        None => std::future::pending().await,
    }
}
