//! The puzzles that MEGA sets a client before it answers (`protocol-auth.md` 8).
//!
//! ```
//! use std::sync::atomic::AtomicBool;
//! use supermega_crypto::{Challenge, Solution};
//!
//! let header = Challenge::new(255, 1_700_000_000, [7; 48]).header();
//! let challenge = Challenge::parse(&header).unwrap();
//! let solution = challenge.solve(2, &AtomicBool::new(false)).unwrap();
//! let answer = Solution::parse(&solution.header()).unwrap();
//! assert!(answer.verify(challenge.easiness()));
//! ```

use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};

use sha2::{Digest, Sha256};
use supermega_encoding::base64;

const TOKEN_LEN: usize = 48;
const TOKEN_TEXT_LEN: usize = 64;
const REPETITIONS: usize = 262_144;
/// How many tokens are hashed at once, so that the 12 MiB never stand in memory.
const BATCH: usize = 1024;

/// A puzzle, as it stands in the header `X-Hashcash` of an answer with status 402.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Challenge {
    easiness: u8,
    time: u64,
    token: Token,
}

/// The answer to a [`Challenge`], for the same header of the repeated request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Solution {
    token: Token,
    nonce: [u8; 4],
}

/// The token, and the characters in which it came: those go back unchanged.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Token {
    bytes: [u8; TOKEN_LEN],
    text: String,
}

impl Challenge {
    /// Sets a puzzle.
    #[must_use]
    pub fn new(easiness: u8, time: u64, token: [u8; TOKEN_LEN]) -> Self {
        Self { easiness, time, token: Token { bytes: token, text: base64::encode(&token) } }
    }

    /// Reads the header's value; `None` unless it is a puzzle of version 1.
    #[must_use]
    pub fn parse(header: &str) -> Option<Self> {
        let mut parts = header.trim().split(':');
        let (version, easiness, time, token) =
            (parts.next()?, parts.next()?, parts.next()?, parts.next()?);
        if version != "1" || parts.next().is_some() {
            return None;
        }
        Some(Self {
            easiness: easiness.parse().ok()?,
            time: time.parse().ok()?,
            token: Token::parse(token)?,
        })
    }

    /// The header's value.
    #[must_use]
    pub fn header(&self) -> String {
        format!("1:{}:{}:{}", self.easiness, self.time, self.token.text)
    }

    /// How easy the puzzle is: 0 hardly ends, 255 takes about two attempts.
    #[must_use]
    pub const fn easiness(&self) -> u8 {
        self.easiness
    }

    /// When it was set, in seconds since 1970.
    #[must_use]
    pub const fn time(&self) -> u64 {
        self.time
    }

    /// The token: its answer comes back, the time does not.
    #[must_use]
    pub const fn token(&self) -> &[u8; TOKEN_LEN] {
        &self.token.bytes
    }

    /// Up to where the first four bytes of the hash count as an answer (`protocol-auth.md` 8.2).
    #[must_use]
    pub const fn threshold(&self) -> u32 {
        threshold(self.easiness)
    }

    /// Whether this nonce solves the puzzle.
    #[must_use]
    pub fn verify(&self, nonce: [u8; 4]) -> bool {
        hash(nonce, &self.token.bytes) <= self.threshold()
    }

    /// Solves the puzzle with so many threads; each attempt hashes 12 MiB. `None` when `cancel`
    /// became true, which is looked at between attempts, or in the unheard-of case that no
    /// nonce is a solution.
    #[must_use]
    pub fn solve(&self, threads: usize, cancel: &AtomicBool) -> Option<Solution> {
        let found = Mutex::new(None);
        let done = AtomicBool::new(false);
        let stop = || cancel.load(Ordering::Relaxed) || done.load(Ordering::Relaxed);
        let threads = threads.max(1);
        std::thread::scope(|scope| {
            for first in 0..threads {
                let (found, done, stop) = (&found, &done, &stop);
                scope.spawn(move || {
                    let nonces = (first..).step_by(threads).map_while(|n| u32::try_from(n).ok());
                    let solution = nonces
                        .take_while(|_| !stop())
                        .map(u32::to_be_bytes)
                        .find(|nonce| self.verify(*nonce));
                    if let Some(nonce) = solution {
                        done.store(true, Ordering::Relaxed);
                        *found.lock().unwrap_or_else(std::sync::PoisonError::into_inner) =
                            Some(nonce);
                    }
                });
            }
        });
        let nonce = found.into_inner().unwrap_or_else(std::sync::PoisonError::into_inner)?;
        Some(Solution { token: self.token.clone(), nonce })
    }
}

impl Solution {
    /// Reads the header's value; `None` unless it answers a puzzle of version 1.
    #[must_use]
    pub fn parse(header: &str) -> Option<Self> {
        let mut parts = header.trim().split(':');
        let (version, token, nonce) = (parts.next()?, parts.next()?, parts.next()?);
        if version != "1" || parts.next().is_some() {
            return None;
        }
        let nonce = base64::decode_array("nonce", nonce).ok()?;
        Some(Self { token: Token::parse(token)?, nonce })
    }

    /// The header's value.
    #[must_use]
    pub fn header(&self) -> String {
        format!("1:{}:{}", self.token.text, base64::encode(&self.nonce))
    }

    /// The token of the puzzle that this answers.
    #[must_use]
    pub const fn token(&self) -> &[u8; TOKEN_LEN] {
        &self.token.bytes
    }

    /// The number that was found.
    #[must_use]
    pub const fn nonce(&self) -> [u8; 4] {
        self.nonce
    }

    /// Whether this solves the puzzle with this token and this easiness. Whether the server ever
    /// set it, and when, is for the server to know.
    #[must_use]
    pub fn verify(&self, easiness: u8) -> bool {
        hash(self.nonce, &self.token.bytes) <= threshold(easiness)
    }
}

impl Token {
    fn parse(text: &str) -> Option<Self> {
        if text.len() != TOKEN_TEXT_LEN {
            return None;
        }
        let bytes = base64::decode_array("token", text).ok()?;
        Some(Self { bytes, text: text.to_owned() })
    }
}

const fn threshold(easiness: u8) -> u32 {
    let easiness = easiness as u32;
    (((easiness & 63) << 1) + 1) << ((easiness >> 6) * 7 + 3)
}

/// The first four bytes of the hash that decides.
fn hash(nonce: [u8; 4], token: &[u8; TOKEN_LEN]) -> u32 {
    let batch = token.repeat(BATCH);
    let mut hash = Sha256::new();
    hash.update(nonce);
    for _ in 0..REPETITIONS / BATCH {
        hash.update(&batch);
    }
    let [a, b, c, d, ..] = hash.finalize().0;
    u32::from_be_bytes([a, b, c, d])
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_cancelled_search_ends() {
        let challenge = Challenge::new(0, 0, [1; TOKEN_LEN]);
        assert_eq!(challenge.solve(0, &AtomicBool::new(true)), None);
    }

    #[test]
    fn other_versions_and_lengths_are_refused() {
        let token = "A".repeat(64);
        assert!(Challenge::parse(&format!("1:192:5:{token}")).is_some());
        for header in [
            format!("2:192:5:{token}"),
            format!("1:256:5:{token}"),
            format!("1:192:x:{token}"),
            format!("1:192:5:{token}:"),
            format!("1:192:5:{token}A"),
            "1:192:5".into(),
            format!("1:192:5:{}", "Ä".repeat(32)),
        ] {
            assert_eq!(Challenge::parse(&header), None, "{header}");
        }
        assert!(Solution::parse(&format!("1:{token}:AAAAAA")).is_some());
        for header in
            [format!("1:{token}:"), format!("1:{token}:AAAA"), format!("0:{token}:AAAAAA")]
        {
            assert_eq!(Solution::parse(&header), None, "{header}");
        }
    }

    proptest! {
        #[test]
        fn no_header_panics(text: String) {
            let _ = (Challenge::parse(&text), Solution::parse(&text));
            let _ = (Challenge::parse(&format!("1:{text}")), Solution::parse(&format!("1:{text}")));
        }

        #[test]
        fn headers_are_read_back(easiness: u8, time: u64, low: [u8; 24], high: [u8; 24]) {
            let token: [u8; TOKEN_LEN] = [low, high].concat().try_into().unwrap();
            let challenge = Challenge::new(easiness, time, token);
            prop_assert_eq!(Challenge::parse(&challenge.header()), Some(challenge));
        }
    }
}
