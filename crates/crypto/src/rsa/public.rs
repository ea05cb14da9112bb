//! The public half of an RSA key pair, `pubk` (`protocol-auth.md` 1.5).

use std::fmt;

use crypto_bigint::{BoxedUint, Odd};
use supermega_encoding::mpi;
use zeroize::Zeroizing;

use super::arithmetic::{INVALID, bytes, int, odd, pow_public};
use crate::{CryptoError, random};

/// Sizes of a modulus that are worth encrypting to and cheap enough to compute with.
const MODULUS_BITS: std::ops::RangeInclusive<u32> = 1024..=8192;
/// Exponents are small in practice; a large one would only cost time.
const MAX_EXPONENT_BITS: u32 = 64;

/// A public key, which keeps the very bytes that it was read from: signatures cover them.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct PublicKey {
    /// Both integers as they were transmitted, leading zeros included.
    modulus: Vec<u8>,
    exponent: Vec<u8>,
    /// As they were transmitted, headers included.
    wire: Vec<u8>,
}

impl PublicKey {
    /// Reads `pubk`: modulus and exponent, nothing after them.
    pub fn parse(wire: &[u8]) -> Result<Self, CryptoError> {
        let ([modulus, exponent], rest) = mpi::read_many(wire).map_err(|_| INVALID)?;
        let n = int(modulus).and_then(|n| odd(&n)).ok_or(INVALID)?;
        let e = int(exponent).and_then(|e| odd(&e)).ok_or(INVALID)?;
        let sane = MODULUS_BITS.contains(&n.as_ref().bits())
            && (2..=MAX_EXPONENT_BITS).contains(&e.as_ref().bits());
        if !sane || !rest.is_empty() {
            return Err(INVALID);
        }
        Ok(Self { modulus: modulus.into(), exponent: exponent.into(), wire: wire.into() })
    }

    pub(super) fn from_numbers(n: &BoxedUint, e: &BoxedUint) -> Self {
        let (modulus, exponent) = (bytes(n).to_vec(), bytes(e).to_vec());
        let mut wire = Vec::with_capacity(modulus.len() + exponent.len() + 4);
        mpi::write_bytes(&mut wire, &modulus);
        mpi::write_bytes(&mut wire, &exponent);
        Self { modulus, exponent, wire }
    }

    /// The wire form, byte for byte as it was read.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        self.wire.clone()
    }

    /// The modulus without leading zeros, by which two keys are told apart.
    #[must_use]
    pub fn modulus(&self) -> &[u8] {
        let zeros = self.modulus.iter().take_while(|byte| **byte == 0).count();
        &self.modulus[zeros..]
    }

    /// What a signature of this key covers: modulus and exponent, as wide as they were sent.
    #[must_use]
    pub fn signature_payload(&self) -> Vec<u8> {
        [&self.modulus[..], &self.exponent].concat()
    }

    /// Encrypts a short secret: random bytes follow it, and all is two bytes shorter than the
    /// modulus (`protocol-auth.md` 1.7). Every client can read the result.
    pub fn encrypt(&self, secret: &[u8]) -> Result<Vec<u8>, CryptoError> {
        let (n, e) = self.numbers()?;
        let expected = bytes(n.as_ref()).len().saturating_sub(2);
        if secret.len() > expected {
            return Err(CryptoError::Length { what: "RSA secret", expected, actual: secret.len() });
        }
        let mut plain = Zeroizing::new(secret.to_vec());
        plain.resize(expected, 0);
        random::fill(&mut plain[secret.len()..])?;
        let plain = Zeroizing::new(int(&plain).ok_or(INVALID)?);
        let mut out = Vec::with_capacity(expected + 4);
        mpi::write(&mut out, &bytes(&pow_public(&plain, &e, &n)));
        Ok(out)
    }

    pub(super) fn numbers(&self) -> Result<(Odd<BoxedUint>, BoxedUint), CryptoError> {
        let n = int(&self.modulus).and_then(|n| odd(&n)).ok_or(INVALID)?;
        Ok((n, int(&self.exponent).ok_or(INVALID)?))
    }
}

impl fmt::Debug for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PublicKey({} bytes)", self.wire.len())
    }
}
