//! Remembers what of the service's messages these types do not describe.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, PoisonError};

use supermega_protocol::Drift;

/// Each drift once, shared by the channels of a client.
#[derive(Clone, Default)]
pub(crate) struct DriftLog(Arc<Mutex<BTreeSet<Drift>>>);

impl DriftLog {
    pub(crate) fn report(&self, drifts: Vec<Drift>) {
        if drifts.is_empty() {
            return;
        }
        let mut seen = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        for drift in drifts {
            if !seen.contains(&drift) {
                tracing::warn!(%drift, "the service's answer has drifted from the schema");
                seen.insert(drift);
            }
        }
    }

    pub(crate) fn seen(&self) -> Vec<Drift> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).iter().cloned().collect()
    }
}
