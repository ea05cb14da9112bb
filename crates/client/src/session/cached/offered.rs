//! Share keys that packets bring, of accounts that have nowhere else to keep them (`protocol-auth.md` 4.6).

use std::sync::PoisonError;

use supermega_encoding::UserHandle;
use supermega_protocol::event::Events;
use supermega_protocol::tree::OwnerKey;

use super::{KeptAccount, Session, keep_account};
use crate::error::Result;
use crate::keys::offered;

impl Session {
    /// Keeps the share keys that packets bring.
    pub(super) async fn keep_offered(&self, events: &Events) -> Result<()> {
        let Some(cached) = self.cached() else { return Ok(()) };
        let bytes = match &mut *cached.account.lock().unwrap_or_else(PoisonError::into_inner) {
            Some(account) if brings_keys(events, Some(account)) => {
                account.ok.extend(offered_in(events, account.data.u));
                account.to_bytes(&self.keys())
            }
            _ => return Ok(()),
        };
        keep_account(&cached.cache, bytes).await
    }
}

/// Whether packets bring share keys that an account without a container has nowhere else.
pub(super) fn brings_keys(events: &Events, account: Option<&KeptAccount>) -> bool {
    account.is_some_and(|account| {
        account.version().is_none() && !offered_in(events, account.data.u).is_empty()
    })
}

fn offered_in(events: &Events, own: UserHandle) -> Vec<OwnerKey> {
    offered::in_packets(events.a.as_deref().unwrap_or_default(), Some(own))
}
