//! Connections that wait for their next request, by host.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use super::connection::Connection;

/// Idle connections, and such whose answer nobody wanted to the end: those are passed over until hyper has read it.
#[derive(Default)]
pub(super) struct Pool(Mutex<HashMap<String, Vec<Connection>>>);

impl Pool {
    /// An idle connection to `origin`, if there is one.
    pub(super) fn take(self: &Arc<Self>, origin: &str) -> Option<Lease> {
        let mut pool = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let connections = pool.get_mut(origin)?;
        connections.retain(|connection| !connection.sender.is_closed());
        let idle = connections.iter().rposition(|connection| connection.sender.is_ready())?;
        let connection = connections.swap_remove(idle);
        drop(pool);
        Some(self.lease(origin, connection))
    }

    /// Lets somebody have a connection that is not among these.
    pub(super) fn lease(self: &Arc<Self>, origin: &str, connection: Connection) -> Lease {
        Lease { pool: self.clone(), origin: origin.to_owned(), connection: Some(connection) }
    }
}

/// A connection in use. It goes to the others when this is dropped.
pub(super) struct Lease {
    pool: Arc<Pool>,
    origin: String,
    /// Nothing once it is with somebody else.
    pub connection: Option<Connection>,
}

impl Drop for Lease {
    fn drop(&mut self) {
        if let Some(connection) = self.connection.take()
            && !connection.sender.is_closed()
        {
            let mut pool = self.pool.0.lock().unwrap_or_else(PoisonError::into_inner);
            pool.entry(std::mem::take(&mut self.origin)).or_default().push(connection);
        }
    }
}
