//! The private half of an RSA key pair, `privk` (`protocol-auth.md` 1.6, 1.7, 9.3).

use std::fmt;

use crypto_bigint::{BoxedUint, Odd, Resize};
use subtle::ConstantTimeEq;
use supermega_encoding::{UserHandle, mpi};
use zeroize::{Zeroize, Zeroizing};

use super::PublicKey;
use super::arithmetic::{INVALID, Parts, bytes, int, odd, pow_public};
use crate::random::Latched;
use crate::{CryptoError, SessionId};

/// What official clients choose.
const EXPONENT: u64 = 17;
/// The key does not say its exponent: these are tried, the commonest first.
const USUAL_EXPONENTS: [u64; 4] = [EXPONENT, 257, 3, 65_537];
/// Fewer bytes than a cipher block may follow the integers.
const MAX_PADDING: usize = 15;
/// What official clients demand of `csid`.
const MIN_CIPHERTEXT: usize = 32;
/// A little more than the longest part of a key of 2048 bits: a hostile server should not make
/// us test the primality of larger numbers.
const MAX_PART: usize = 272;

/// A private key whose parts all fit together.
#[derive(Clone)]
pub struct PrivateKey {
    parts: Parts,
    n: Odd<BoxedUint>,
    e: BoxedUint,
}

impl PrivateKey {
    /// Draws a new key: 2048 bits, exponent 17. It takes some tens of milliseconds.
    pub fn generate() -> Result<Self, CryptoError> {
        let mut rng = Latched::default();
        let e = BoxedUint::from(EXPONENT);
        let parts = Parts::generate(&e, &mut rng);
        rng.check()?;
        Self::new(parts.ok_or(INVALID)?, e)
    }

    /// Reads the plain bytes of `privk`: four integers, then fewer than 16 bytes of anything.
    ///
    /// All parts are checked against each other (`protocol-auth.md` 9.3.1), and every failure is
    /// [`CryptoError::InvalidKeyPair`].
    pub fn parse(plain: &[u8]) -> Result<Self, CryptoError> {
        let parts = full(plain)?;
        let e = usual_exponent(&parts).ok_or(INVALID)?;
        Self::checked(parts, e)
    }

    /// Reads bytes that [`to_bytes`](Self::to_bytes) gave and that nobody else can have changed since: what
    /// takes long, whether the primes are such, is not tried again.
    pub fn from_own_bytes(plain: &[u8]) -> Result<Self, CryptoError> {
        let parts = full(plain)?;
        let e = usual_exponent(&parts).ok_or(INVALID)?;
        Self::new(parts, e)
    }

    /// The same where the public key is known: the two must belong together, and the exponent
    /// may be an unusual one.
    pub fn parse_with_public(plain: &[u8], public: &PublicKey) -> Result<Self, CryptoError> {
        let (n, e) = public.numbers()?;
        let key = Self::checked(full(plain)?, e)?;
        if key.n.as_ref() == n.as_ref() { Ok(key) } else { Err(INVALID) }
    }

    /// Reads the form that the key store keeps: three integers and nothing else
    /// (`protocol-auth.md` 1.6). The checks are the same.
    pub fn from_short(bytes: &[u8]) -> Result<Self, CryptoError> {
        let (numbers, rest) = mpi::read_many::<3>(bytes).map_err(|_| INVALID)?;
        let [Some(p), Some(q), Some(d)] = numbers.map(number) else { return Err(INVALID) };
        let parts = Parts::with_exponent(p, q, d).ok_or(INVALID)?;
        let e = usual_exponent(&parts).ok_or(INVALID)?;
        if rest.is_empty() { Self::checked(parts, e) } else { Err(INVALID) }
    }

    fn checked(parts: Parts, e: BoxedUint) -> Result<Self, CryptoError> {
        if parts.check(&e) { Self::new(parts, e) } else { Err(INVALID) }
    }

    fn new(parts: Parts, e: BoxedUint) -> Result<Self, CryptoError> {
        let n = odd(&parts.modulus()).ok_or(INVALID)?;
        Ok(Self { parts, n, e })
    }

    /// The plain bytes of `privk`, without padding: the secret itself.
    #[must_use]
    pub fn to_bytes(&self) -> Zeroizing<Vec<u8>> {
        let Parts { p, q, d, u } = &self.parts;
        write([p, q, d, u].into_iter())
    }

    /// The form that the key store keeps: the secret itself.
    #[must_use]
    pub fn to_short_bytes(&self) -> Zeroizing<Vec<u8>> {
        let Parts { p, q, d, .. } = &self.parts;
        write([p, q, d].into_iter())
    }

    /// The public key, in the form that official clients give it.
    #[must_use]
    pub fn public_key(&self) -> PublicKey {
        PublicKey::from_numbers(self.n.as_ref(), &self.e)
    }

    /// Decrypts one integer and takes the first `len` bytes of the secret
    /// (`protocol-auth.md` 1.7). Every failure is [`CryptoError::InvalidKeyPair`].
    ///
    /// Never show a server anything that depends on the result of bytes that it chose.
    pub fn decrypt(&self, mpi: &[u8], len: usize) -> Result<Zeroizing<Vec<u8>>, CryptoError> {
        let (magnitude, rest) = mpi::read(mpi).map_err(|_| INVALID)?;
        let c = int(magnitude).ok_or(INVALID)?;
        if !rest.is_empty() || c >= *self.n.as_ref() {
            return Err(INVALID);
        }
        let c = c.resize_unchecked(self.n.bits_precision());
        let plain = self.parts.decrypt(&c).ok_or(INVALID)?;
        // A fault in the parts would show here, and must not show anywhere else.
        if pow_public(&plain, &self.e, &self.n) != c {
            return Err(INVALID);
        }
        let plain = bytes(&plain);
        let width = bytes(&self.parts.p).len() + bytes(&self.parts.q).len() - 2;
        let mut padded = Zeroizing::new(vec![0; width.saturating_sub(plain.len())]);
        padded.extend_from_slice(&plain);
        padded.get(..len).map(|secret| Zeroizing::new(secret.to_vec())).ok_or(INVALID)
    }

    /// Decrypts the session id of a login, `csid`, which must name this user
    /// (`protocol-auth.md` 2.8). Every failure is [`CryptoError::InvalidKeyPair`].
    pub fn session_id(&self, csid: &[u8], user: UserHandle) -> Result<SessionId, CryptoError> {
        if csid.len() < MIN_CIPHERTEXT {
            return Err(INVALID);
        }
        let secret = self.decrypt(csid, SessionId::LEN)?;
        let id = SessionId::from_bytes(secret[..].try_into().map_err(|_| INVALID)?);
        if id.belongs_to(user) { Ok(id) } else { Err(INVALID) }
    }

    /// Whether both are the same key; constant time.
    #[must_use]
    pub fn ct_eq(&self, other: &Self) -> bool {
        self.to_short_bytes().ct_eq(&other.to_short_bytes()).into()
    }
}

fn full(plain: &[u8]) -> Result<Parts, CryptoError> {
    let (numbers, rest) = mpi::read_many::<4>(plain).map_err(|_| INVALID)?;
    match numbers.map(number) {
        [Some(p), Some(q), Some(d), Some(u)] if rest.len() <= MAX_PADDING => {
            Ok(Parts { p, q, d, u })
        }
        _ => Err(INVALID),
    }
}

/// A part of a key, if it is not too long for one.
fn number(magnitude: &[u8]) -> Option<BoxedUint> {
    if magnitude.len() <= MAX_PART { int(magnitude) } else { None }
}

fn usual_exponent(parts: &Parts) -> Option<BoxedUint> {
    USUAL_EXPONENTS.map(BoxedUint::from).into_iter().find(|e| parts.exponent_fits(e))
}

fn write<'a>(numbers: impl Iterator<Item = &'a BoxedUint>) -> Zeroizing<Vec<u8>> {
    // Room for all of it, since growing would leave copies behind.
    let mut out = Zeroizing::new(Vec::with_capacity(1024));
    for number in numbers {
        mpi::write_bytes(&mut out, &bytes(number));
    }
    out
}

impl Drop for PrivateKey {
    fn drop(&mut self) {
        self.n.zeroize();
    }
}

impl PartialEq for PrivateKey {
    fn eq(&self, other: &Self) -> bool {
        self.ct_eq(other)
    }
}

impl Eq for PrivateKey {}

impl fmt::Debug for PrivateKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PrivateKey(..)")
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_new_key_works_and_survives_its_bytes() {
        let key = PrivateKey::generate().unwrap();
        assert_eq!(PrivateKey::parse(&key.to_bytes()), Ok(key.clone()));
        assert_eq!(PrivateKey::from_own_bytes(&key.to_bytes()), Ok(key.clone()));
        assert_eq!(PrivateKey::from_short(&key.to_short_bytes()), Ok(key.clone()));
        let public = PublicKey::parse(&key.public_key().to_bytes()).unwrap();
        assert_eq!(public, key.public_key());
        assert_eq!(PrivateKey::parse_with_public(&key.to_bytes(), &public), Ok(key.clone()));
        for secret in [&[7; 43][..], &[0; 16], &[]] {
            let encrypted = public.encrypt(secret).unwrap();
            assert_eq!(key.decrypt(&encrypted, secret.len()).unwrap()[..], *secret);
        }
        assert!(public.encrypt(&[1; 255]).is_err());
        let other = PrivateKey::generate().unwrap();
        assert!(PrivateKey::parse_with_public(&other.to_bytes(), &public).is_err());
    }

    #[test]
    fn padding_is_shorter_than_a_block() {
        let key = PrivateKey::generate().unwrap();
        let plain = key.to_bytes();
        assert!(PrivateKey::parse(&[&plain[..], &[1; 15]].concat()).is_ok());
        assert!(PrivateKey::parse(&[&plain[..], &[1; 16]].concat()).is_err());
        assert!(PrivateKey::parse(&plain[..plain.len() - 1]).is_err());
    }

    proptest! {
        #[test]
        fn no_bytes_panic(bytes: Vec<u8>) {
            prop_assert!(PrivateKey::parse(&bytes).is_err());
            prop_assert!(PrivateKey::from_short(&bytes).is_err());
            prop_assert!(PublicKey::parse(&bytes).is_err());
        }

        #[test]
        fn no_numbers_panic(numbers in proptest::array::uniform4(proptest::collection::vec(any::<u8>(), 0..140))) {
            let mut plain = Vec::new();
            for number in &numbers {
                mpi::write_bytes(&mut plain, number);
            }
            prop_assert!(PrivateKey::parse(&plain).is_err());
            let _ = PublicKey::parse(&plain);
        }
    }
}
