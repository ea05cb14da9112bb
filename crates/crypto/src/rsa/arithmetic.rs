//! The big numbers behind RSA keys: constant-time exponentiation, and the checks of a key.

use crypto_bigint::modular::{BoxedMontyForm, BoxedMontyParams};
use crypto_bigint::{BoxedUint, ConcatenatingMul, Lcm, NonZero, Odd, Resize};
use crypto_primes::hazmat::{SetBits, SmallFactorsSieveFactory};
use crypto_primes::{Flavor, is_prime, sieve_and_find};
use zeroize::{Zeroize, ZeroizeOnDrop, Zeroizing};

use crate::CryptoError;
use crate::random::Latched;

const PRIME_BITS: u32 = 1024;
/// What an official client accepts as the size of a prime, of the coefficient, of the exponent.
const MIN_PRIME_BITS: u32 = 1001;
const MAX_PRIME_BITS: u32 = 1048;
const MAX_BITS: u32 = 8192;
const MIN_EXPONENT_BITS: u32 = 2001;

/// Reads big-endian bytes; `None` for more of them than any number of a key has, since a hostile
/// server should not make us compute with those.
pub(super) fn int(bytes: &[u8]) -> Option<BoxedUint> {
    let bits = u32::try_from(bytes.len()).ok()?.checked_mul(8).filter(|bits| *bits <= MAX_BITS)?;
    BoxedUint::from_be_slice(bytes, bits.max(1).checked_next_multiple_of(64)?).ok()
}

pub(super) fn odd(number: &BoxedUint) -> Option<Odd<BoxedUint>> {
    number.to_odd().into_option()
}

/// `base ^ exponent mod modulus`, in a time that depends on the exponent's length alone.
pub(super) fn pow(base: &BoxedUint, exponent: &BoxedUint, modulus: &Odd<BoxedUint>) -> BoxedUint {
    let params = BoxedMontyParams::new(modulus.clone());
    monty(base, modulus, &params).pow(exponent).retrieve()
}

/// The same for a public exponent, whose length need not be hidden.
pub(super) fn pow_public(
    base: &BoxedUint,
    exponent: &BoxedUint,
    modulus: &Odd<BoxedUint>,
) -> BoxedUint {
    let params = BoxedMontyParams::new(modulus.clone());
    monty(base, modulus, &params).pow_bounded_exp(exponent, exponent.bits()).retrieve()
}

fn monty(
    number: &BoxedUint,
    modulus: &Odd<BoxedUint>,
    params: &BoxedMontyParams,
) -> BoxedMontyForm {
    let reduced = number.rem(modulus.as_nz_ref());
    BoxedMontyForm::new(reduced.resize_unchecked(modulus.bits_precision()), params)
}

/// `n - 1`, if that is not zero.
fn minus_one(n: &BoxedUint) -> Option<NonZero<BoxedUint>> {
    n.wrapping_sub(BoxedUint::one()).into_nz().into_option()
}

/// The secret parts of a key. Whoever makes one calls [`Parts::check`].
#[derive(Clone, Zeroize, ZeroizeOnDrop)]
pub(super) struct Parts {
    pub(super) p: BoxedUint,
    pub(super) q: BoxedUint,
    pub(super) d: BoxedUint,
    /// `1 / p mod q`.
    pub(super) u: BoxedUint,
}

impl Parts {
    /// Draws a key of 2048 bits. Of the random numbers, `rng` knows whether they were random.
    pub(super) fn generate(e: &BoxedUint, rng: &mut Latched) -> Option<Self> {
        loop {
            let p = prime(rng)?;
            let q = prime(rng)?;
            if let Some(parts) = Self::from_primes(p, q, e).filter(|parts| parts.check(e)) {
                return Some(parts);
            }
        }
    }

    fn from_primes(p: BoxedUint, q: BoxedUint, e: &BoxedUint) -> Option<Self> {
        let lcm = minus_one(&p)?.get().lcm(&minus_one(&q)?.get());
        let lcm = lcm.into_nz().into_option()?;
        let e = e.clone().resize_unchecked(lcm.bits_precision());
        let d = e.invert_mod(&lcm).into_option()?;
        Self::with_exponent(p, q, d)
    }

    /// Completes a key of which `u` was not kept.
    pub(super) fn with_exponent(p: BoxedUint, q: BoxedUint, d: BoxedUint) -> Option<Self> {
        let modulus = odd(&q)?;
        let reduced = p.rem(modulus.as_nz_ref()).resize_unchecked(q.bits_precision());
        let u = reduced.invert_odd_mod(&modulus).into_option()?;
        Some(Self { p, q, d, u })
    }

    /// Every check of `protocol-auth.md` 9.3.1 on the parts themselves. None is skipped when
    /// another fails, so that the time does not tell which one it was.
    pub(super) fn check(&self, e: &BoxedUint) -> bool {
        let checks = [
            (MIN_PRIME_BITS..=MAX_PRIME_BITS).contains(&self.p.bits()),
            (MIN_PRIME_BITS..=MAX_PRIME_BITS).contains(&self.q.bits()),
            self.d.bits() >= MIN_EXPONENT_BITS,
            self.u.bits() >= MIN_PRIME_BITS,
            self.p != self.q,
            is_prime(Flavor::Any, &self.p),
            is_prime(Flavor::Any, &self.q),
            self.coefficient_fits(),
            self.exponent_fits(e),
        ];
        checks == [true; 9]
    }

    fn coefficient_fits(&self) -> bool {
        let Some(q) = odd(&self.q) else { return false };
        let params = BoxedMontyParams::new(q.clone());
        let product = monty(&self.u, &q, &params) * monty(&self.p, &q, &params);
        let inverse: bool = product.retrieve().is_one().into();
        [inverse, self.u < self.q] == [true; 2]
    }

    /// Whether `d * e = 1` modulo both primes less one.
    pub(super) fn exponent_fits(&self, e: &BoxedUint) -> bool {
        let product = self.d.concatenating_mul(e);
        let one = |prime| minus_one(prime).is_some_and(|m| product.rem(&m).is_one().into());
        one(&self.p) & one(&self.q)
    }

    pub(super) fn modulus(&self) -> BoxedUint {
        self.p.concatenating_mul(&self.q)
    }

    /// `c ^ d mod p * q`, by the Chinese remainder theorem.
    pub(super) fn decrypt(&self, c: &BoxedUint) -> Option<Zeroizing<BoxedUint>> {
        let primes = (odd(&self.p)?, odd(&self.q)?);
        let part = |prime: &Odd<BoxedUint>| -> Option<Zeroizing<BoxedUint>> {
            let exponent = Zeroizing::new(self.d.rem(&minus_one(prime.as_ref())?));
            Some(Zeroizing::new(pow(c, &exponent, prime)))
        };
        let (mod_p, mod_q) = (part(&primes.0)?, part(&primes.1)?);
        let params = BoxedMontyParams::new(primes.1.clone());
        let lift = |number| monty(number, &primes.1, &params);
        let difference = lift(&mod_q) - lift(&mod_p);
        let multiple = Zeroizing::new((difference * lift(&self.u)).retrieve());
        let wide = self.p.bits_precision() + self.q.bits_precision();
        let rest = Zeroizing::new(BoxedUint::clone(&mod_p).resize_unchecked(wide));
        let multiple = Zeroizing::new(multiple.concatenating_mul(&self.p).resize_unchecked(wide));
        Some(Zeroizing::new(multiple.wrapping_add(&*rest)))
    }
}

/// A random prime whose two top bits are set, so that the product of two has all its bits.
fn prime(rng: &mut Latched) -> Option<BoxedUint> {
    let sieve = SmallFactorsSieveFactory::new(Flavor::Any, PRIME_BITS, SetBits::TwoMsb).ok()?;
    sieve_and_find(rng, sieve, |_, candidate| is_prime(Flavor::Any, candidate)).ok()?
}

/// Big-endian bytes without leading zeros.
pub(super) fn bytes(number: &BoxedUint) -> Zeroizing<Vec<u8>> {
    let padded = Zeroizing::new(number.to_be_bytes().into_vec());
    let zeros = padded.iter().take_while(|byte| **byte == 0).count();
    Zeroizing::new(padded[zeros..].to_vec())
}

/// The error of everything in this module.
pub(super) const INVALID: CryptoError = CryptoError::InvalidKeyPair;
