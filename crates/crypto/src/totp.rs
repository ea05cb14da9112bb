//! The second factor: codes of six digits, new every half minute (RFC 6238 with SHA-1, `protocol-auth.md`
//! 2.10).
//!
//! ```
//! use supermega_crypto::TotpSecret;
//!
//! let secret: TotpSecret = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ".parse()?;
//! assert_eq!(*secret.code(59), "287082");
//! assert!(secret.accepts("287082", 80));
//! # Ok::<(), supermega_crypto::CryptoError>(())
//! ```

use std::str::FromStr;

use data_encoding::BASE32_NOPAD;
use hmac::{Hmac, KeyInit, Mac};
use sha1::Sha1;
use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

use crate::{CryptoError, random};

/// Seconds for which a code is good.
const STEP: u64 = 30;

/// What codes are made of. Its text is base32; in input, case, spaces and padding do not matter.
#[derive(Clone)]
pub struct TotpSecret(Zeroizing<Vec<u8>>);

impl TotpSecret {
    /// Draws a secret of 20 bytes.
    pub fn generate() -> Result<Self, CryptoError> {
        Ok(Self(Zeroizing::new(random::array::<20>()?.to_vec())))
    }

    /// Takes the bytes themselves.
    #[must_use]
    pub fn from_bytes(bytes: &[u8]) -> Self {
        Self(Zeroizing::new(bytes.to_vec()))
    }

    /// The bytes.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// The text: a secret.
    #[must_use]
    pub fn to_text(&self) -> Zeroizing<String> {
        Zeroizing::new(BASE32_NOPAD.encode(&self.0))
    }

    /// The code at a time, which is given in seconds since 1970.
    #[must_use]
    pub fn code(&self, seconds: u64) -> Zeroizing<String> {
        self.code_of_step(seconds / STEP)
    }

    /// Whether a code is good at a time: that of its half minute, of the one before or of the one after, since
    /// clocks differ.
    #[must_use]
    pub fn accepts(&self, code: &str, seconds: u64) -> bool {
        let now = seconds / STEP;
        let steps = [now.saturating_sub(1), now, now + 1];
        let good = steps.map(|step| self.code_of_step(step).as_bytes().ct_eq(code.as_bytes()));
        good.into_iter().fold(false, |any, one| any | bool::from(one))
    }

    fn code_of_step(&self, step: u64) -> Zeroizing<String> {
        // HMAC takes keys of any length.
        let Ok(mut mac) = Hmac::<Sha1>::new_from_slice(&self.0) else {
            return Zeroizing::default();
        };
        mac.update(&step.to_be_bytes());
        let mac = mac.finalize().into_bytes();
        let at = usize::from(mac[19] & 15);
        let word = u32::from_be_bytes([mac[at], mac[at + 1], mac[at + 2], mac[at + 3]]);
        Zeroizing::new(format!("{:06}", (word & 0x7fff_ffff) % 1_000_000))
    }
}

impl std::fmt::Debug for TotpSecret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("TotpSecret(..)")
    }
}

impl FromStr for TotpSecret {
    type Err = CryptoError;

    fn from_str(text: &str) -> Result<Self, CryptoError> {
        let plain = |c: &char| !c.is_whitespace() && !matches!(c, '-' | '=');
        let letters = text.chars().filter(plain).map(|c| c.to_ascii_uppercase());
        let letters: Zeroizing<String> = Zeroizing::new(letters.collect());
        match BASE32_NOPAD.decode(letters.as_bytes()) {
            Ok(bytes) if !bytes.is_empty() => Ok(Self(Zeroizing::new(bytes))),
            _ => Err(CryptoError::SecondFactor),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// The SHA-1 rows of RFC 6238, appendix B, by their last six digits.
    #[test]
    fn the_codes_of_the_standard_come_out() {
        let secret = TotpSecret::from_bytes(b"12345678901234567890");
        for (seconds, code) in [
            (59, "287082"),
            (1_111_111_109, "081804"),
            (1_111_111_111, "050471"),
            (1_234_567_890, "005924"),
            (2_000_000_000, "279037"),
            (20_000_000_000, "353130"),
        ] {
            assert_eq!(*secret.code(seconds), code);
            assert!(secret.accepts(code, seconds + 30) && secret.accepts(code, seconds - 30));
            assert!(!secret.accepts(code, seconds + 90));
        }
        assert!(!secret.accepts("", 59) && !secret.accepts("2870820", 59));
    }

    #[test]
    fn the_text_is_read_as_people_write_it() {
        let secret = TotpSecret::generate().unwrap();
        let text = secret.to_text().to_lowercase();
        let spaced: Vec<&str> =
            text.as_bytes().chunks(4).map(|c| str::from_utf8(c).unwrap()).collect();
        let read: TotpSecret = spaced.join(" ").parse().unwrap();
        assert_eq!(read.as_bytes(), secret.as_bytes());
        assert!("".parse::<TotpSecret>().is_err() && "1".parse::<TotpSecret>().is_err());
        assert_eq!(format!("{secret:?}"), "TotpSecret(..)");
    }

    proptest! {
        #[test]
        fn no_text_panics(text: String, seconds: u64) {
            if let Ok(secret) = text.parse::<TotpSecret>() {
                let code = secret.code(seconds % (1 << 40));
                prop_assert_eq!(code.len(), 6);
            }
        }
    }
}
