//! An API channel: commands that are issued while a request is under way leave together in the next.
//!
//! A spawned task owns the batch. A caller that goes away before its command is sent takes it back;
//! after that only the result is thrown away. The task alone knows request ids, backoff, the
//! server's "busy" and its proof of work, and repeats a request byte for byte
//! (`protocol-api.md` 1.7 to 1.9).

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use supermega_crypto::{SessionId, WriteAuth};
use supermega_encoding::{EventCursor, PublicHandle};
use supermega_protocol::wire::{self, Reply};
use supermega_protocol::{Command, ErrorCode, Failure, Malformed, SequenceTag, StorageUrl};
use tokio::sync::{mpsc, oneshot};
use zeroize::Zeroizing;

use super::batch::{Job, Parcel, Repeatable, next_batch};
use super::budget::Budget;
use super::hashcash;
use super::http::{Http, HttpError, HttpRequest, HttpResponse};
use super::retry::Backoff;
use super::sieve::Sieve;
use crate::drift_log::DriftLog;
use crate::error::{Error, NetworkError, NetworkErrorKind, Result};

/// A tree of tens of millions of nodes stays below this.
const REPLY_BYTES: usize = 16 << 30;
/// How long an answer may take: a tree is a long computation for the service.
const ANSWER: Duration = Duration::from_mins(2);
/// Proofs of work that one request may be asked for.
const CHALLENGES: usize = 10;

/// On whose behalf a channel speaks.
#[derive(Clone)]
pub(crate) enum Authentication {
    Anonymous,
    Account(SessionId),
    /// Read, or with the authorisation for it written through.
    FolderLink(PublicHandle, Option<WriteAuth>),
}

/// What all channels of a client have in common.
#[derive(Clone)]
pub(crate) struct ChannelOptions {
    /// Ends with a slash.
    pub api_url: String,
    pub http: Arc<dyn Http>,
    /// How long to try to reach a host that refuses or is not found.
    pub connect_patience: Duration,
    /// How long to try again when the server is busy.
    pub busy_patience: Duration,
    /// How long a storage server may show no sign.
    pub stall_timeout: Duration,
    /// What all transfers share.
    pub budget: Arc<Budget>,
    pub drift: DriftLog,
}

impl ChannelOptions {
    /// What `ssl` asks for: storage addresses as secure as the API's own (`protocol-api.md` 3.1).
    pub(crate) fn ssl(&self) -> u8 {
        if self.api_url.starts_with("https:") { 2 } else { 0 }
    }
}

/// The sending end; cheap to clone. The channel ends with the last of them.
#[derive(Clone)]
pub(crate) struct Channel {
    jobs: mpsc::UnboundedSender<Job>,
    options: ChannelOptions,
    /// The query's part that says who it is, on the event channel, where nobody writes.
    events_query: Arc<Zeroizing<String>>,
}

/// Why a whole batch has no results.
#[derive(Clone)]
pub(super) enum ChannelError {
    Refused(Failure),
    Network(NetworkErrorKind),
    Malformed(Malformed),
}

impl Channel {
    pub(crate) fn open(options: ChannelOptions, authentication: &Authentication) -> Result<Self> {
        let (jobs, receiver) = mpsc::unbounded_channel();
        let events_query = Arc::new(Zeroizing::new(match authentication {
            Authentication::Anonymous => String::new(),
            Authentication::Account(sid) => format!("&sid={}", *Zeroizing::new(sid.to_text())),
            Authentication::FolderLink(handle, _) => format!("&n={handle}"),
        }));
        let query = match authentication {
            Authentication::FolderLink(handle, Some(auth)) => {
                Arc::new(Zeroizing::new(format!("&n={handle}{}", *auth.to_text())))
            }
            _ => events_query.clone(),
        };
        let worker = Worker {
            options: options.clone(),
            query,
            next_id: u64::from(u32::from_be_bytes(supermega_crypto::random::array()?)),
        };
        tokio::spawn(worker.run(receiver));
        Ok(Self { jobs, options, events_query })
    }

    pub(crate) fn options(&self) -> &ChannelOptions {
        &self.options
    }

    /// A request for the packets behind a cursor: answered at once, or, at an address to wait at, when there are
    /// some.
    pub(crate) fn poll(
        &self,
        from: EventCursor,
        wait: Option<&StorageUrl>,
        hold: Duration,
    ) -> Option<HttpRequest> {
        let address = match wait {
            Some(url) => url.as_str().to_owned(),
            None => format!("{}wsc", self.options.api_url),
        };
        let address = Zeroizing::new(format!("{address}?sn={from}{}", **self.events_query));
        Some(HttpRequest {
            uri: address.parse().ok()?,
            body: Some(Bytes::new()),
            content_type: "application/json",
            hashcash: None,
            stall_timeout: hold,
        })
    }

    /// Sends a command and waits for its result. Dropping the future gives up the result; the command
    /// may or may not be carried out.
    pub(crate) async fn call<C: Command>(&self, command: &C) -> Result<C::Response> {
        Ok(self.call_sifted(command, None).await?.0)
    }

    /// The same for a command that changes the tree: its result says where it belongs among the packets.
    pub(crate) async fn call_tagged<C: Command>(
        &self,
        command: &C,
    ) -> Result<(C::Response, Option<SequenceTag>)> {
        self.call_sifted(command, None).await
    }

    /// The same for a command that must be alone; the result is what the sieve leaves of it.
    pub(crate) async fn call_through<C: Command>(
        &self,
        command: &C,
        sieve: Arc<dyn Sieve>,
    ) -> Result<C::Response> {
        Ok(self.call_sifted(command, Some(sieve)).await?.0)
    }

    async fn call_sifted<C: Command>(
        &self,
        command: &C,
        sieve: Option<Arc<dyn Sieve>>,
    ) -> Result<(C::Response, Option<SequenceTag>)> {
        let alone = C::ALONE || sieve.is_some();
        let parcel = Parcel { command: wire::encode_command(command)?, alone, sieve, id: None };
        let mut backoff = Backoff::new(self.options.busy_patience);
        loop {
            let result = self.exchange(parcel.clone()).await;
            let result = result.map_err(|error| self.error(C::NAME, error))?;
            match wire::decode_result::<C>(&result) {
                Ok(decoded) => {
                    self.options.drift.report(decoded.drift);
                    return Ok((decoded.value, decoded.tag));
                }
                Err(wire::ResultError::Refused(failure)) if failure.code == ErrorCode::Again => {
                    if !backoff.wait().await {
                        return Err(
                            self.error(C::NAME, ChannelError::Network(NetworkErrorKind::Busy))
                        );
                    }
                }
                Err(error) => return Err(Error::from_result(C::NAME, error)),
            }
        }
    }

    /// Sends a command once, in a request with this id.
    pub(crate) async fn call_once<C: Command>(
        &self,
        command: &Repeatable<C>,
        id: u64,
    ) -> Result<(C::Response, Option<SequenceTag>)> {
        let result = self.exchange(command.parcel(id)).await;
        let result = result.map_err(|error| self.error(C::NAME, error))?;
        let decoded = wire::decode_result::<C>(&result);
        let decoded = decoded.map_err(|error| Error::from_result(C::NAME, error))?;
        self.options.drift.report(decoded.drift);
        Ok((decoded.value, decoded.tag))
    }

    async fn exchange(&self, parcel: Parcel) -> Result<String, ChannelError> {
        let ended = || ChannelError::Network(NetworkErrorKind::Other("the channel ended".into()));
        let (result, answer) = oneshot::channel();
        self.jobs.send(Job { parcel, result }).map_err(|_| ended())?;
        answer.await.map_err(|_| ended())?
    }

    fn error(&self, command: &'static str, error: ChannelError) -> Error {
        match error {
            ChannelError::Refused(failure) => Error::from_failure(command, failure),
            ChannelError::Malformed(malformed) => malformed.into(),
            ChannelError::Network(kind) => {
                NetworkError { host: host_of(&self.options.api_url), kind }.into()
            }
        }
    }
}

/// The host (and port) of an address, for messages.
pub(crate) fn host_of(url: &str) -> String {
    url.parse::<http::Uri>()
        .ok()
        .and_then(|uri| uri.authority().map(ToString::to_string))
        .unwrap_or_else(|| "the server".into())
}

struct Worker {
    options: ChannelOptions,
    query: Arc<Zeroizing<String>>,
    next_id: u64,
}

impl Worker {
    async fn run(mut self, mut jobs: mpsc::UnboundedReceiver<Job>) {
        let mut waiting = VecDeque::new();
        loop {
            if waiting.is_empty() {
                match jobs.recv().await {
                    Some(job) => waiting.push_back(job),
                    None => return,
                }
            }
            // Whoever is ready now gets the chance to come along.
            tokio::task::yield_now().await;
            while let Ok(job) = jobs.try_recv() {
                waiting.push_back(job);
            }
            let batch = next_batch(&mut waiting);
            if !batch.is_empty() {
                self.deliver(batch).await;
            }
        }
    }

    async fn deliver(&mut self, batch: Vec<Job>) {
        let commands: Vec<&str> = batch.iter().map(|job| job.parcel.command.as_str()).collect();
        let sieve = batch.iter().find_map(|job| job.parcel.sieve.clone());
        let id = batch.iter().find_map(|job| job.parcel.id);
        let expected = Expected { commands: batch.len(), sieve };
        let results = self.request(id, wire::encode_batch(&commands), &expected).await;
        match results {
            Ok(results) => {
                for (job, result) in batch.into_iter().zip(results) {
                    let _ = job.result.send(Ok(result));
                }
            }
            Err(error) => {
                for job in batch {
                    let _ = job.result.send(Err(error.clone()));
                }
            }
        }
    }

    async fn request(
        &mut self,
        id: Option<u64>,
        body: String,
        expected: &Expected,
    ) -> Result<Vec<String>, ChannelError> {
        self.next_id += 1;
        let (url, id) = (&self.options.api_url, id.unwrap_or(self.next_id));
        let address = Zeroizing::new(format!("{url}cs?id={id}{}&v=3", **self.query));
        let uri = address.parse().map_err(|_| {
            ChannelError::Network(NetworkErrorKind::Other("the API address is no URL".into()))
        })?;
        let mut request = HttpRequest {
            uri,
            body: Some(Bytes::from(body)),
            content_type: "application/json",
            hashcash: None,
            stall_timeout: ANSWER,
        };
        let mut connecting = Backoff::new(self.options.connect_patience);
        let mut busy = Backoff::new(self.options.busy_patience);
        let mut challenges = 0;
        loop {
            match self.attempt(&request, expected).await {
                Attempt::Done(results) => return Ok(results),
                Attempt::Failed(error) => return Err(error),
                Attempt::Unreachable(kind) if !connecting.wait().await => {
                    return Err(ChannelError::Network(kind));
                }
                Attempt::Busy(kind) if !busy.wait().await => {
                    return Err(ChannelError::Network(kind));
                }
                Attempt::Unreachable(_) | Attempt::Busy(_) => {}
                Attempt::Challenged(challenge) => {
                    challenges += 1;
                    let answer = hashcash::answer(&challenge).await;
                    if challenges > CHALLENGES || answer.is_none() {
                        return Err(ChannelError::Network(NetworkErrorKind::Hashcash));
                    }
                    request.hashcash = answer;
                }
            }
        }
    }

    async fn attempt(&self, request: &HttpRequest, expected: &Expected) -> Attempt {
        let response = match self.options.http.send(request.clone()).await {
            Ok(response) => response,
            Err(HttpError(kind)) => return unreachable_or_busy(kind),
        };
        match response.status {
            200 => {}
            402 => {
                return match response.header("X-Hashcash") {
                    Some(challenge) => Attempt::Challenged(challenge.to_owned()),
                    None => failed(NetworkErrorKind::Status(402)),
                };
            }
            status @ (429 | 500..=599) => return Attempt::Busy(NetworkErrorKind::Status(status)),
            status => return failed(NetworkErrorKind::Status(status)),
        }
        read_reply(response, expected).await
    }
}

enum Attempt {
    Done(Vec<String>),
    Failed(ChannelError),
    Unreachable(NetworkErrorKind),
    Busy(NetworkErrorKind),
    Challenged(String),
}

fn failed(kind: NetworkErrorKind) -> Attempt {
    Attempt::Failed(ChannelError::Network(kind))
}

fn unreachable_or_busy(kind: NetworkErrorKind) -> Attempt {
    match kind {
        NetworkErrorKind::ConnectionRefused
        | NetworkErrorKind::Proxy(_)
        | NetworkErrorKind::UnknownHost => Attempt::Unreachable(kind),
        NetworkErrorKind::Tls(_) => failed(kind),
        kind => Attempt::Busy(kind),
    }
}

/// What an answer is to hold.
struct Expected {
    commands: usize,
    sieve: Option<Arc<dyn Sieve>>,
}

async fn read_reply(response: HttpResponse, expected: &Expected) -> Attempt {
    let body = match &expected.sieve {
        Some(sieve) => sift(response, &**sieve).await,
        None => response.bytes(REPLY_BYTES).await,
    };
    let body = match body {
        Ok(body) => body,
        Err(HttpError(kind)) => return Attempt::Busy(kind),
    };
    let malformed = |m| Attempt::Failed(ChannelError::Malformed(m));
    let Ok(body) = String::from_utf8(body) else {
        return malformed(Malformed::new("batch", ".", "the answer is not UTF-8"));
    };
    match Reply::read(&body, expected.commands) {
        Ok(Reply::Results(results)) => {
            Attempt::Done(results.iter().map(|result| result.get().to_owned()).collect())
        }
        Ok(Reply::Refused(failure)) => match failure.code {
            ErrorCode::Again | ErrorCode::RateLimit => Attempt::Busy(NetworkErrorKind::Busy),
            _ => Attempt::Failed(ChannelError::Refused(failure)),
        },
        Err(error) => malformed(error),
    }
}

/// Shows an answer to a sieve; gives what that leaves of it.
async fn sift(mut response: HttpResponse, sieve: &dyn Sieve) -> Result<Vec<u8>, HttpError> {
    sieve.begin().await;
    while let Some(piece) = response.body.next().await? {
        sieve.sift(piece).await;
    }
    Ok(sieve.end().await)
}
