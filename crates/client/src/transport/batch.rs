//! Which commands travel together, and which alone.

use std::collections::VecDeque;
use std::marker::PhantomData;
use std::sync::Arc;

use sha2::{Digest, Sha256};
use supermega_protocol::{Command, wire};
use tokio::sync::oneshot;

use super::channel::ChannelError;
use super::sieve::Sieve;
use crate::error::Result;

/// More commands than this do not travel together.
const BATCH_COMMANDS: usize = 1000;
/// Nor more bytes, but for a single command that is longer.
const BATCH_BYTES: usize = 4 << 20;

/// A command that waits, and who waits for its result.
pub(super) struct Job {
    pub parcel: Parcel,
    pub result: oneshot::Sender<Result<String, ChannelError>>,
}

/// A command and how it travels.
#[derive(Clone)]
pub(super) struct Parcel {
    pub command: String,
    pub alone: bool,
    /// What sees the answer while it arrives; such a command travels alone.
    pub sieve: Option<Arc<dyn Sieve>>,
    /// The id of its request, if it has one of its own; such a command travels alone.
    pub id: Option<u64>,
}

/// A command that can be sent in a request with a known id. However often the service gets the two, it carries
/// them out once, as long as it remembers (`protocol-api.md` 1.7).
pub(crate) struct Repeatable<C> {
    command: String,
    kind: PhantomData<C>,
}

impl<C: Command> Repeatable<C> {
    pub(crate) fn new(command: &C) -> Result<Self> {
        Ok(Self { command: wire::encode_command(command)?, kind: PhantomData })
    }

    /// What tells it from other commands.
    pub(crate) fn digest(&self) -> [u8; 16] {
        let hash = Sha256::digest(&self.command);
        std::array::from_fn(|i| hash[i])
    }

    pub(super) fn parcel(&self, id: u64) -> Parcel {
        Parcel { command: self.command.clone(), alone: true, sieve: None, id: Some(id) }
    }
}

/// An id that no other request has. Numbers of this size are exact in every language.
pub(crate) fn request_id() -> Result<u64> {
    Ok(u64::from_be_bytes(supermega_crypto::random::array()?) >> 11)
}

/// Takes what travels together: commands up to the limits, or one that must be alone.
pub(super) fn next_batch(waiting: &mut VecDeque<Job>) -> Vec<Job> {
    let mut batch = Vec::new();
    let mut bytes = 0;
    while let Some(job) = waiting.pop_front() {
        if job.result.is_closed() {
            continue;
        }
        let full = batch.len() >= BATCH_COMMANDS || bytes + job.parcel.command.len() > BATCH_BYTES;
        if !batch.is_empty() && (job.parcel.alone || full) {
            waiting.push_front(job);
            break;
        }
        bytes += job.parcel.command.len();
        let alone = job.parcel.alone;
        batch.push(job);
        if alone {
            break;
        }
    }
    batch
}

#[cfg(test)]
mod tests {
    use super::*;

    fn job(command: &str, alone: bool) -> (Job, oneshot::Receiver<Result<String, ChannelError>>) {
        let (result, receiver) = oneshot::channel();
        (
            Job {
                parcel: Parcel { command: command.into(), alone, sieve: None, id: None },
                result,
            },
            receiver,
        )
    }

    fn batches(jobs: Vec<Job>) -> Vec<Vec<String>> {
        let mut waiting = VecDeque::from(jobs);
        let mut batches = Vec::new();
        while !waiting.is_empty() {
            let batch = next_batch(&mut waiting);
            batches.push(batch.into_iter().map(|job| job.parcel.command).collect());
        }
        batches
    }

    #[test]
    fn commands_travel_together_but_for_those_that_must_not() {
        let (jobs, _receivers): (Vec<_>, Vec<_>) =
            [("a", false), ("b", false), ("f", true), ("c", false)]
                .into_iter()
                .map(|(command, alone)| job(command, alone))
                .unzip();
        assert_eq!(batches(jobs), [vec!["a", "b"], vec!["f"], vec!["c"]]);
    }

    #[test]
    fn a_caller_that_went_away_takes_its_command_back() {
        let (first, receiver) = job("a", false);
        let (second, _kept) = job("b", false);
        drop(receiver);
        assert_eq!(batches(vec![first, second]), [vec!["b"]]);
    }

    #[test]
    fn a_batch_is_bounded() {
        let (jobs, _receivers): (Vec<_>, Vec<_>) =
            (0..=BATCH_COMMANDS).map(|_| job("a", false)).unzip();
        let sizes: Vec<usize> = batches(jobs).iter().map(Vec::len).collect();
        assert_eq!(sizes, [BATCH_COMMANDS, 1]);
    }
}
