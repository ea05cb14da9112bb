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
        for mut drift in drifts {
            drift.path = without_indices(&drift.path);
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

/// One new field in a list is one drift, however long the list is.
fn without_indices(path: &str) -> String {
    let mut plain = String::with_capacity(path.len());
    for (i, part) in path.split('[').enumerate() {
        match part.split_once(']') {
            Some((_, rest)) if i > 0 => plain.extend(["[*]", rest]),
            _ => plain.push_str(part),
        }
    }
    plain
}

#[cfg(test)]
mod tests {
    use super::without_indices;

    #[test]
    fn indices_are_folded() {
        assert_eq!(without_indices("f[3].x"), "f[*].x");
        assert_eq!(without_indices("t.f[10].k[2]"), "t.f[*].k[*]");
        assert_eq!(without_indices("plain"), "plain");
    }
}
