//! Fetches a segment of a file that lies in six parts on six servers: five are asked, and the sixth as soon
//! as one of them fails or lags behind.

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

/// How one request for a part ended.
struct Attempt {
    part: usize,
    /// What has arrived so far.
    bytes: BytesMut,
    backoff: Backoff,
    /// Whether the same request may be sent again.
    result: Result<(), (StorageError, bool)>,
}

/// One segment on its way.
struct Fetch<'a> {
    options: &'a ChannelOptions,
    urls: &'a [StorageUrl; PARTS],
    segment: Segment,
    size: u64,
    servers: &'a Servers,
    running: FuturesUnordered<BoxFuture<'a, Attempt>>,
    got: [Option<BytesMut>; PARTS],
    /// The part that is not asked for yet.
    spare: Option<usize>,
    /// Parts that cannot be had.
    dead: usize,
}

/// Fetches the ciphertext of a segment.
pub(super) async fn fetch(
    options: &ChannelOptions,
    urls: &[StorageUrl; PARTS],
    segment: Segment,
    size: u64,
    servers: &Servers,
) -> Result<Vec<u8>, StorageError> {
    let spare = servers.spare.load(Ordering::Relaxed);
    let mut fetch = Fetch {
        options,
        urls,
        segment,
        size,
        servers,
        running: FuturesUnordered::new(),
        got: Default::default(),
        spare: Some(spare),
        dead: 0,
    };
    for part in (0..PARTS).filter(|part| *part != spare) {
        fetch.ask(part);
    }
    fetch.collect().await?;
    Ok(join(&fetch.got, segment))
}

impl<'a> Fetch<'a> {
    fn ask(&mut self, part: usize) {
        let backoff = Backoff::new(self.options.busy_patience);
        let request = self.request(part, BytesMut::new(), backoff);
        self.running.push(Box::pin(request));
    }

    /// Asks for a part, or for the rest of it.
    fn request(
        &self,
        part: usize,
        mut bytes: BytesMut,
        backoff: Backoff,
    ) -> impl Future<Output = Attempt> + Send + use<'a> {
        let (options, url) = (self.options, &self.urls[part]);
        let range = part_range(part, self.segment, self.size);
        async move {
            let start = range.start + bytes.len() as u64;
            let result = match start < range.end {
                true => storage::fetch(options, url, start, range.end, &mut bytes).await,
                false => Ok(()),
            };
            let result = result.map_err(|error| {
                let passes = matches!(error, StorageError::Passing(_));
                (error, passes)
            });
            Attempt { part, bytes, backoff, result }
        }
    }

    async fn collect(&mut self) -> Result<(), StorageError> {
        let begun = Instant::now();
        let mut lagging = None;
        loop {
            let count = self.got.iter().flatten().count();
            if count == NEEDED {
                return Ok(());
            }
            if count == NEEDED - 1 && lagging.is_none() {
                let now = Instant::now();
                lagging = Some(now + PATIENCE.max((now - begun) / 2));
            }
            let ended = tokio::select! {
                ended = self.running.next() => ended,
                () = until(lagging), if self.spare.is_some() => {
                    self.leave_out_the_last();
                    continue;
                }
            };
            // Something is under way until enough is there or too many parts are dead.
            let Some(ended) = ended else {
                return Err(StorageError::Passing(NetworkErrorKind::Cut));
            };
            match ended.result {
                Ok(()) => self.got[ended.part] = Some(ended.bytes),
                Err((error, true)) => self.again(ended.part, ended.bytes, ended.backoff, error),
                Err((error, false)) => {
                    self.ask_spare(ended.part);
                    self.dead += 1;
                    if self.dead > PARTS - NEEDED {
                        return Err(error);
                    }
                }
            }
        }
    }

    /// One part is so late that the spare one is asked for too. The slow one may still win.
    fn leave_out_the_last(&mut self) {
        let late = (0..PARTS).find(|part| Some(*part) != self.spare && self.got[*part].is_none());
        if let Some(late) = late {
            self.ask_spare(late);
        }
    }

    /// Asks for the spare part, if that was not done yet; `instead` takes its place from now on.
    fn ask_spare(&mut self, instead: usize) {
        if let Some(spare) = self.spare.take() {
            self.servers.spare.store(instead, Ordering::Relaxed);
            self.ask(spare);
        }
    }

    /// Asks for the rest of a part after a while, and for the spare one now.
    fn again(&mut self, part: usize, bytes: BytesMut, mut backoff: Backoff, error: StorageError) {
        tracing::debug!(part, ?error, "a part failed");
        self.ask_spare(part);
        let next = self.request(part, bytes, Backoff::new(self.options.busy_patience));
        self.running.push(Box::pin(async move {
            if backoff.wait().await {
                Attempt { backoff, ..next.await }
            } else {
                Attempt { part, bytes: BytesMut::new(), backoff, result: Err((error, false)) }
            }
        }));
    }
}

async fn until(time: Option<Instant>) {
    match time {
        Some(time) => tokio::time::sleep_until(time).await,
        None => std::future::pending().await,
    }
}
