//! Holds the server at a named point, so that a test can do to a client there what it likes: end it, say, when its
//! change is made and it does not know.

use std::fmt;
use std::str::FromStr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::watch;

use crate::state::State;

/// Where requests can be held.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum HoldPoint {
    /// A piece of an upload is stored, and its sender does not know: `chunk-stored`.
    ChunkStored,
    /// A request for new nodes has come, and is not carried out: whoever sent it has the token of his upload, if
    /// there is one: `put-arrived`.
    PutArrived,
    /// New nodes are committed, and whoever put them does not know: `put-committed`.
    PutCommitted,
    /// The last piece of an upload is stored, and its sender has no token: `upload-complete`.
    UploadComplete,
}

const NAMED: [(&str, HoldPoint); 4] = [
    ("chunk-stored", HoldPoint::ChunkStored),
    ("put-arrived", HoldPoint::PutArrived),
    ("put-committed", HoldPoint::PutCommitted),
    ("upload-complete", HoldPoint::UploadComplete),
];

/// A text that names no point.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is none of chunk-stored, put-arrived, put-committed and upload-complete")]
pub struct HoldPointError(String);

impl FromStr for HoldPoint {
    type Err = HoldPointError;

    fn from_str(text: &str) -> Result<Self, HoldPointError> {
        let named = NAMED.iter().find(|(name, _)| *name == text);
        named.map(|(_, point)| *point).ok_or_else(|| HoldPointError(text.to_owned()))
    }
}

impl fmt::Display for HoldPoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let named = NAMED.iter().find(|(_, point)| point == self);
        f.write_str(named.map_or("", |(name, _)| name))
    }
}

/// Holds all requests that come to a point, until it is released or dropped.
#[derive(Debug)]
#[must_use = "dropping it lets the requests go"]
pub struct Hold(Arc<Held>);

impl Hold {
    /// Returns when a request has come to the point.
    pub async fn reached(&self) {
        self.0.reached().await;
    }

    /// How many requests have come to the point.
    #[must_use]
    pub fn requests(&self) -> u64 {
        *self.0.requests.borrow()
    }

    /// Lets the requests go on, and holds no more.
    pub fn release(self) {}
}

impl Drop for Hold {
    fn drop(&mut self) {
        self.0.released.send_replace(true);
    }
}

/// One hold.
#[derive(Debug)]
pub(crate) struct Held {
    pub id: u64,
    pub point: HoldPoint,
    /// Those that have come so far.
    pub requests: watch::Sender<u64>,
    released: watch::Sender<bool>,
}

impl Held {
    /// Returns when a request has come.
    pub(crate) async fn reached(&self) {
        // The sender lives as long as `self`.
        let _ = self.requests.subscribe().wait_for(|requests| *requests > 0).await;
    }
}

/// All holds that are not released.
#[derive(Debug, Default)]
pub(crate) struct Holds(Mutex<(u64, Vec<Arc<Held>>)>);

impl Holds {
    fn all(&self) -> MutexGuard<'_, (u64, Vec<Arc<Held>>)> {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        all.1.retain(|held| !*held.released.borrow());
        all
    }

    /// Holds requests that come to a point, until [`Hold`] is dropped.
    pub(crate) fn hold(&self, point: HoldPoint) -> Hold {
        Hold(self.add(point))
    }

    /// Holds requests that come to a point, until they are released by the hold's number.
    pub(crate) fn add(&self, point: HoldPoint) -> Arc<Held> {
        let mut all = self.all();
        all.0 += 1;
        let (requests, released) = (watch::Sender::new(0), watch::Sender::new(false));
        let held = Arc::new(Held { id: all.0, point, requests, released });
        all.1.push(held.clone());
        held
    }

    pub(crate) fn find(&self, id: u64) -> Option<Arc<Held>> {
        self.all().1.iter().find(|held| held.id == id).cloned()
    }

    pub(crate) fn list(&self) -> Vec<Arc<Held>> {
        self.all().1.clone()
    }

    /// Lets requests go on; says whether there was such a hold.
    pub(crate) fn release(&self, id: u64) -> bool {
        let held = self.find(id);
        held.is_some_and(|held| !held.released.send_replace(true))
    }

    /// Lets all requests go on.
    pub(crate) fn release_all(&self) {
        for held in self.list() {
            held.released.send_replace(true);
        }
    }

    /// Whether a request that comes to a point is held there.
    pub(crate) fn is_held(&self, point: HoldPoint) -> bool {
        self.all().1.iter().any(|held| held.point == point)
    }

    /// Returns when nothing holds a request at this point any more, or the server stops.
    pub(crate) async fn pass(&self, state: &State, point: HoldPoint) {
        let held: Vec<_> =
            self.all().1.iter().filter(|held| held.point == point).cloned().collect();
        for held in held {
            held.requests.send_modify(|requests| *requests += 1);
            let mut released = held.released.subscribe();
            tokio::select! {
                _ = released.wait_for(|released| *released) => {}
                () = state.stopped() => {}
            }
        }
    }
}
