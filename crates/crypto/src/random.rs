//! Random numbers, from the operating system and from nowhere else.

use std::convert::Infallible;

use getrandom::rand_core::{TryCryptoRng, TryRng};

use crate::CryptoError;

/// Fills a buffer with random bytes.
pub fn fill(bytes: &mut [u8]) -> Result<(), CryptoError> {
    getrandom::fill(bytes).map_err(|_| CryptoError::Random)
}

/// Makes `N` random bytes.
pub fn array<const N: usize>() -> Result<[u8; N], CryptoError> {
    let mut bytes = [0; N];
    fill(&mut bytes)?;
    Ok(bytes)
}

/// The same source for algorithms that cannot take an error: it remembers a failure, and
/// what was made meanwhile is thrown away.
#[derive(Debug, Default)]
pub(crate) struct Latched {
    failed: bool,
}

impl Latched {
    /// Whether all bytes so far were random.
    pub(crate) fn check(&self) -> Result<(), CryptoError> {
        if self.failed { Err(CryptoError::Random) } else { Ok(()) }
    }
}

impl TryRng for Latched {
    type Error = Infallible;

    fn try_next_u32(&mut self) -> Result<u32, Infallible> {
        let mut bytes = [0; 4];
        self.try_fill_bytes(&mut bytes)?;
        Ok(u32::from_le_bytes(bytes))
    }

    fn try_next_u64(&mut self) -> Result<u64, Infallible> {
        let mut bytes = [0; 8];
        self.try_fill_bytes(&mut bytes)?;
        Ok(u64::from_le_bytes(bytes))
    }

    fn try_fill_bytes(&mut self, bytes: &mut [u8]) -> Result<(), Infallible> {
        self.failed |= fill(bytes).is_err();
        Ok(())
    }
}

impl TryCryptoRng for Latched {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_draws_differ() {
        assert_ne!(array::<16>().unwrap(), array::<16>().unwrap());
    }
}
