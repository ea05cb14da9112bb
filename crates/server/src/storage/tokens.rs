//! Tokens of downloads: whoever has one may read one file for a while.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use supermega_crypto::{CryptoError, random};
use supermega_encoding::base64;

/// Official clients use an address again for just under two days.
const LIFE: Duration = Duration::from_hours(48);

/// What a token gives access to.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Download {
    pub blob: i64,
    pub size: u64,
    issued: Instant,
}

/// All tokens that are given out. A restart ends them, and clients ask for new ones.
#[derive(Debug, Default)]
pub(crate) struct DownloadTokens(Mutex<HashMap<String, Download>>);

impl DownloadTokens {
    pub(crate) fn issue(&self, blob: i64, size: u64) -> Result<String, CryptoError> {
        let token = base64::encode(&random::array::<18>()?);
        let mut tokens = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if tokens.len() % 4096 == 4095 {
            tokens.retain(|_, download| download.issued.elapsed() < LIFE);
        }
        tokens.insert(token.clone(), Download { blob, size, issued: Instant::now() });
        Ok(token)
    }

    pub(crate) fn find(&self, token: &str) -> Option<Download> {
        let tokens = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        tokens.get(token).filter(|download| download.issued.elapsed() < LIFE).copied()
    }

    /// Makes a token invalid.
    pub(crate) fn expire(&self, token: &str) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).remove(token);
    }
}
