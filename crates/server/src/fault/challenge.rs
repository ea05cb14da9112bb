//! Proofs of work that were asked for and not answered yet (`protocol-auth.md` 8).

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use supermega_crypto::CryptoError;
use supermega_crypto::hashcash::{Challenge, Solution};
use supermega_crypto::random;

use crate::store::now;

/// How long clients may compute: the budget of official ones is a third of this.
const LIFE: Duration = Duration::from_mins(5);

/// Challenges by token, each good for one answer.
#[derive(Debug, Default)]
pub(crate) struct Challenges(Mutex<HashMap<[u8; 48], (u8, Instant)>>);

/// What the proof in a request is worth.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Proof {
    /// It answers a challenge.
    Right,
    /// It does not answer the challenge of this easiness.
    Wrong(u8),
    /// Nobody asked for it, or there is none.
    None,
}

impl Challenges {
    /// A new challenge as the header that asks for it.
    pub(crate) fn ask(&self, easiness: u8) -> Result<String, CryptoError> {
        let token = random::array()?;
        let mut open = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        open.retain(|_, (_, since)| since.elapsed() < LIFE);
        open.insert(token, (easiness, Instant::now()));
        Ok(Challenge::new(easiness, u64::try_from(now()).unwrap_or(0), token).header())
    }

    /// Looks at a header that should answer a challenge. Hashes twelve MiB: call it off the async threads.
    pub(crate) fn check(&self, header: &str) -> Proof {
        let Some(solution) = Solution::parse(header) else { return Proof::None };
        let asked = self.0.lock().unwrap_or_else(PoisonError::into_inner).remove(solution.token());
        match asked {
            Some((easiness, since)) if since.elapsed() < LIFE && solution.verify(easiness) => {
                Proof::Right
            }
            Some((easiness, _)) => Proof::Wrong(easiness),
            None => Proof::None,
        }
    }
}
