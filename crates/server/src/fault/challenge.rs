//! Proofs of work that were asked for and not answered yet (`protocol-auth.md` 8).

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use supermega_crypto::CryptoError;
use supermega_crypto::hashcash::{Challenge, Solution};
use supermega_crypto::random;

use crate::store::now;

/// Challenges by token, each good for one answer.
#[derive(Debug, Default)]
pub(crate) struct Challenges(Mutex<HashMap<[u8; 48], u8>>);

impl Challenges {
    /// A new challenge as the header that asks for it.
    pub(crate) fn ask(&self, easiness: u8) -> Result<String, CryptoError> {
        let token = random::array()?;
        self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(token, easiness);
        Ok(Challenge::new(easiness, u64::try_from(now()).unwrap_or(0), token).header())
    }

    /// Whether a header answers a challenge. Hashes twelve MiB: call it off the async threads.
    pub(crate) fn is_answered(&self, header: &str) -> bool {
        let Some(solution) = Solution::parse(header) else { return false };
        let easiness =
            self.0.lock().unwrap_or_else(PoisonError::into_inner).remove(solution.token());
        easiness.is_some_and(|easiness| solution.verify(easiness))
    }
}
