//! Tokens in addresses: whoever has one may do one thing for a while.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use supermega_crypto::{CryptoError, random};
use supermega_encoding::base64;

use super::raid::Part;

/// Tokens that ended are told from those that never were for this many lives.
const REMEMBERED: u32 = 2;

/// A file's bytes, or those of one of its parts.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Download {
    pub blob: i64,
    /// Of the whole file.
    pub size: u64,
    pub part: Option<Part>,
}

/// What a token is worth.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Access<T> {
    Granted(T),
    Ended,
    Unknown,
}

/// All tokens of one kind that are given out. A restart ends them, and clients ask for new ones.
#[derive(Debug)]
pub(crate) struct Tokens<T> {
    life: Duration,
    issued: Mutex<HashMap<String, Issued<T>>>,
}

#[derive(Debug)]
struct Issued<T> {
    access: T,
    since: Instant,
    /// Before its time.
    is_ended: bool,
}

impl<T: Copy> Tokens<T> {
    pub(crate) fn new(life: Duration) -> Self {
        Self { life, issued: Mutex::default() }
    }

    pub(crate) fn issue(&self, access: T) -> Result<String, CryptoError> {
        let token = base64::encode(&random::array::<18>()?);
        let mut issued = self.issued.lock().unwrap_or_else(PoisonError::into_inner);
        if issued.len() % 4096 == 4095 {
            let remembered = self.life.saturating_mul(REMEMBERED);
            issued.retain(|_, token| token.since.elapsed() < remembered);
        }
        let since = Instant::now();
        issued.insert(token.clone(), Issued { access, since, is_ended: false });
        Ok(token)
    }

    pub(crate) fn find(&self, token: &str) -> Access<T> {
        let issued = self.issued.lock().unwrap_or_else(PoisonError::into_inner);
        match issued.get(token) {
            Some(token) if token.is_ended || token.since.elapsed() >= self.life => Access::Ended,
            Some(token) => Access::Granted(token.access),
            None => Access::Unknown,
        }
    }

    /// Ends a token before its time.
    pub(crate) fn expire(&self, token: &str) {
        let mut issued = self.issued.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(token) = issued.get_mut(token) {
            token.is_ended = true;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_that_ended_is_told_from_one_that_never_was() {
        let tokens = Tokens::new(Duration::from_hours(1));
        let token = tokens.issue(5).unwrap();
        assert_eq!(tokens.find(&token), Access::Granted(5));
        tokens.expire(&token);
        assert_eq!(tokens.find(&token), Access::Ended);
        assert_eq!(tokens.find("another"), Access::Unknown);
        let tokens = Tokens::new(Duration::ZERO);
        let token = tokens.issue(5).unwrap();
        assert_eq!(tokens.find(&token), Access::Ended);
    }
}
