//! Connections that wait for their next request, by host.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use hyper::client::conn::http1::SendRequest;

use super::request_body::RequestBody;

/// The sending half of one connection.
pub(super) type Sender = SendRequest<RequestBody>;

/// Idle and busy connections; the busy ones are passed over until their answer has been read.
#[derive(Default)]
pub(super) struct Pool(Mutex<HashMap<String, Vec<Sender>>>);

impl Pool {
    /// An idle connection to `origin`, if there is one.
    pub(super) fn take(&self, origin: &str) -> Option<Sender> {
        let mut pool = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let senders = pool.get_mut(origin)?;
        senders.retain(|sender| !sender.is_closed());
        let idle = senders.iter().rposition(Sender::is_ready)?;
        Some(senders.swap_remove(idle))
    }

    /// Keeps a connection for later.
    pub(super) fn put(&self, origin: &str, sender: Sender) {
        let mut pool = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        pool.entry(origin.to_owned()).or_default().push(sender);
    }
}
