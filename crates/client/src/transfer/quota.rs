//! Used-up quota as a state: it ends a transfer, or is waited out (`protocol-api.md` 3.5, 4.6).

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use super::progress::{Progress, TransferEvent};
use crate::error::{Error, Result};

/// Where the service names no time, waiting begins with this and doubles.
const FIRST: Duration = Duration::from_secs(1);
const LONGEST: Duration = Duration::from_mins(1);

/// What a transfer does when quota is used up.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum OnQuota {
    /// Fail. What has been transferred is kept, as after any failure that passes.
    #[default]
    Fail,
    /// Wait as long as the service says, or ask again every minute, until there is some.
    Wait,
}

/// What one transfer does about quota.
pub(super) struct QuotaGate {
    policy: OnQuota,
    progress: Arc<dyn Progress>,
    waits: AtomicU32,
}

impl QuotaGate {
    pub(super) fn new(policy: OnQuota, progress: Arc<dyn Progress>) -> Self {
        Self { policy, progress, waits: AtomicU32::new(0) }
    }

    /// Returns when the same may be tried again; any other error than quota comes back at once.
    pub(super) async fn pass(&self, error: Error) -> Result<()> {
        let (kind, named) = match (&error, self.policy) {
            (Error::Quota { kind, wait }, OnQuota::Wait) => (*kind, *wait),
            _ => return Err(error),
        };
        let waits = self.waits.fetch_add(1, Ordering::Relaxed);
        let wait = named.unwrap_or_else(|| (FIRST * (1 << waits.min(6))).min(LONGEST));
        self.progress.event(TransferEvent::WaitingForQuota { kind, wait });
        tokio::time::sleep(wait).await;
        Ok(())
    }
}
