//! Reads a tree while it arrives: nodes are taken out of the text, read on other threads and kept in few
//! bytes (`protocol-api.md` 2.5, 8.2).

use std::collections::VecDeque;
use std::sync::Arc;

use bytes::Bytes;
use supermega_crypto::WriteAuth;
use supermega_encoding::NodeHandle;
use supermega_protocol::tree::{self as wire, OwnerKey};
use supermega_protocol::{Malformed, NodeChunk, NodeSource, NodeSplitter};
use tokio::task::JoinHandle;

use super::arena::Segment;
use super::row::Row;
use super::snapshot::Tree;
use super::state::Facts;
use crate::blocking::blocking;
use crate::drift_log::DriftLog;
use crate::error::Result;
use crate::keys::{KeyRing, offered};
use crate::share::Access;
use crate::transport::{BoxFuture, Sieve};

/// Chunks that are read at the same time: more would only wait in memory.
const READING: usize = 4;

/// Nodes of an answer on its way.
pub(crate) struct NodeSieve {
    state: tokio::sync::Mutex<State>,
    drift: DriftLog,
}

/// A chunk as it was read.
struct Read {
    source: NodeSource,
    segment: Segment,
    offered: Vec<OwnerKey>,
}

#[derive(Default)]
struct State {
    splitter: NodeSplitter,
    reading: VecDeque<JoinHandle<Result<Read, Malformed>>>,
    read: Vec<Segment>,
    /// Keys beside the roots of incoming shares.
    offered: Vec<OwnerKey>,
    first: Option<NodeHandle>,
    broken: Option<Malformed>,
}

impl NodeSieve {
    pub(crate) fn new(drift: DriftLog) -> Arc<Self> {
        Arc::new(Self { state: tokio::sync::Mutex::default(), drift })
    }

    /// The nodes, and the handle of the first of them.
    pub(crate) async fn finish(&self) -> Result<(Vec<Segment>, Option<NodeHandle>)> {
        let mut state = self.state.lock().await;
        while state.wait().await {}
        match state.broken.take() {
            Some(broken) => Err(broken.into()),
            None => Ok((std::mem::take(&mut state.read), state.first)),
        }
    }

    /// The share keys that came with the nodes, once those have come.
    pub(crate) async fn offered(&self) -> Vec<OwnerKey> {
        std::mem::take(&mut self.state.lock().await.offered)
    }

    async fn take(&self, piece: Bytes) {
        let mut state = self.state.lock().await;
        let mut chunks = Vec::new();
        state.splitter.feed(&piece, |chunk| chunks.push(chunk));
        for chunk in chunks {
            while state.reading.len() >= READING {
                state.wait().await;
            }
            let drift = self.drift.clone();
            state.reading.push_back(tokio::task::spawn_blocking(move || read(&chunk, &drift)));
        }
    }
}

/// Reads a chunk. Blocks.
fn read(chunk: &NodeChunk, drift: &DriftLog) -> Result<Read, Malformed> {
    let (list, odd) = chunk.read()?;
    drift.report(odd);
    let offered = list.nodes.iter().filter_map(offered::beside).collect();
    let segment = list.nodes.iter().map(Row::from).collect();
    Ok(Read { source: chunk.source, segment, offered })
}

impl State {
    /// Waits for the oldest chunk that is being read; says whether there was one.
    async fn wait(&mut self) -> bool {
        let Some(reading) = self.reading.pop_front() else { return false };
        match reading.await {
            Ok(Ok(read)) => {
                if read.source == NodeSource::Current && self.first.is_none() {
                    self.first = read.segment.first();
                }
                self.read.push(read.segment);
                self.offered.extend(read.offered);
            }
            Ok(Err(malformed)) => self.broken = Some(malformed),
            Err(failed) => self.broken = Some(Malformed::new("f", "f", failed.to_string())),
        }
        true
    }
}

impl Sieve for NodeSieve {
    fn begin(&self) -> BoxFuture<'_, ()> {
        Box::pin(async {
            // What came of an answer that was cut is thrown away.
            *self.state.lock().await = State::default();
        })
    }

    fn sift(&self, piece: Bytes) -> BoxFuture<'_, ()> {
        Box::pin(self.take(piece))
    }

    fn end(&self) -> BoxFuture<'_, Vec<u8>> {
        Box::pin(async {
            let splitter = std::mem::take(&mut self.state.lock().await.splitter);
            splitter.into_rest()
        })
    }
}

/// The root of a folder link, and what may be done below it.
#[derive(Clone, Copy)]
pub(crate) struct LinkRoot {
    pub root: NodeHandle,
    pub access: Access,
}

impl LinkRoot {
    pub(crate) fn new(root: NodeHandle, auth: Option<&WriteAuth>) -> Self {
        Self { root, access: if auth.is_some() { Access::Full } else { Access::Read } }
    }
}

/// Builds the tree of an account (`link` is nothing) or of a folder link.
pub(crate) async fn load(
    keys: Arc<KeyRing>,
    segments: Vec<Segment>,
    rest: &wire::Tree,
    link: Option<LinkRoot>,
) -> Result<Tree> {
    let mut facts = Facts {
        root: link.map(|link| link.root),
        link: link.map(|link| link.access),
        cursor: rest.sn,
        ..Facts::default()
    };
    // What is put below it needs its key under the link's.
    facts.shared.extend(facts.root);
    for share in rest.s.iter().flatten() {
        facts.shared.insert(share.h);
    }
    for key in rest.ok0.iter().chain(&rest.ok).flatten() {
        facts.shared.insert(key.h);
    }
    for user in rest.u.iter().flatten() {
        if let Some(email) = &user.m {
            facts.users.insert(email.clone(), user.u);
        }
    }
    facts.links = rest.ph.iter().flatten().map(|link| (link.h, link.ph)).collect();
    let told = rest.st.clone();
    blocking(move || {
        let mut tree = Tree::build(keys, segments, facts);
        if let Some(tag) = &told {
            tree.pass(tag);
        }
        // An exported folder is a share with everybody.
        let mut linked: Vec<NodeHandle> = tree.facts().links.keys().copied().collect();
        linked.retain(|node| tree.node(*node).is_some_and(|node| !node.is_file()));
        tree.facts().shared.extend(linked);
        Ok(tree)
    })
    .await
}
