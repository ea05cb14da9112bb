//! Storage quota that is used up while the service copies: waited for, or told.

use std::time::Duration;

use supermega::{Error, Result};

use crate::arguments::OnQuota;
use crate::context::Context;

/// Where the service names no time, waiting begins with this and doubles.
const FIRST: Duration = Duration::from_secs(1);
const LONGEST: Duration = Duration::from_mins(1);

/// What is done about quota.
pub struct Patience<'a> {
    context: &'a Context,
    policy: OnQuota,
    next: Duration,
}

impl<'a> Patience<'a> {
    /// Waits if that is wanted.
    pub fn new(context: &'a Context, policy: OnQuota) -> Self {
        Self { context, policy, next: FIRST }
    }

    /// Gives back what came of a try, or nothing when the same may be tried again.
    pub async fn settle<T>(&mut self, tried: Result<T>) -> Option<Result<T>> {
        let (kind, named) = match (&tried, self.policy) {
            (Err(Error::Quota { kind, wait }), OnQuota::Wait) => (*kind, *wait),
            _ => return Some(tried),
        };
        let wait = named.unwrap_or(self.next);
        self.next = (self.next * 2).min(LONGEST);
        self.context.output.waiting(kind, wait);
        tokio::time::sleep(wait).await;
        None
    }
}
