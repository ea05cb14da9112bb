//! The records inside the key store: tag, length, value (`protocol-auth.md` 4.8).

use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

use crate::CryptoError;

/// Handle, key and marks of one shared folder.
pub(super) const SHARE_LEN: usize = 23;

/// The tags that we know.
pub(super) mod tag {
    pub(in super::super) const VERSION: u8 = 1;
    pub(in super::super) const CREATED: u8 = 2;
    pub(in super::super) const IDENTITY: u8 = 3;
    pub(in super::super) const GENERATION: u8 = 4;
    pub(in super::super) const ATTRIBUTES: u8 = 5;
    pub(in super::super) const ED25519: u8 = 16;
    pub(in super::super) const CU25519: u8 = 17;
    pub(in super::super) const RSA: u8 = 18;
    pub(in super::super) const AUTHRING_ED25519: u8 = 32;
    pub(in super::super) const AUTHRING_CU25519: u8 = 33;
    pub(in super::super) const SHARES: u8 = 48;
    pub(in super::super) const PENDING_OUT: u8 = 64;
    pub(in super::super) const PENDING_IN: u8 = 65;
    pub(in super::super) const BACKUPS: u8 = 80;
    pub(in super::super) const WARNINGS: u8 = 96;
    pub(in super::super) const EMPTY_AT_FIRST: [u8; 7] =
        [AUTHRING_ED25519, AUTHRING_CU25519, SHARES, PENDING_OUT, PENDING_IN, BACKUPS, WARNINGS];
    /// What no client ever changes.
    pub(in super::super) const STATIC: [u8; 4] = [IDENTITY, ED25519, CU25519, RSA];
}

/// All records in their order.
#[derive(Clone, Default)]
pub(super) struct Records(Vec<(u8, Zeroizing<Vec<u8>>)>);

impl Records {
    /// Reads the plaintext. Every round takes at least the four bytes of a header, so this ends.
    pub(super) fn parse(mut bytes: &[u8]) -> Result<Self, CryptoError> {
        let refused = |reason| CryptoError::Container { reason };
        let mut records = Self::default();
        while let Some(([tag, len @ ..], rest)) = bytes.split_first_chunk::<4>() {
            let len = len.iter().fold(0, |len, byte| len << 8 | usize::from(*byte));
            let (value, rest) =
                rest.split_at_checked(len).ok_or(refused("a record is cut short"))?;
            check(*tag, value)?;
            if records.get(*tag).is_some() {
                return Err(refused("a record occurs twice"));
            }
            records.0.push((*tag, Zeroizing::new(value.to_vec())));
            bytes = rest;
        }
        for needed in [tag::VERSION, tag::IDENTITY, tag::GENERATION] {
            records.get(needed).ok_or(refused("a record is missing"))?;
        }
        Ok(records)
    }

    /// Writes the plaintext. No value is longer than its length can tell: those that were read
    /// were not, and [`check`] refuses others.
    pub(super) fn to_bytes(&self) -> Zeroizing<Vec<u8>> {
        let size = self.0.iter().map(|(_, value)| value.len() + 4).sum();
        let mut bytes = Zeroizing::new(Vec::with_capacity(size));
        for (tag, value) in &self.0 {
            let [_, high, middle, low] =
                u32::try_from(value.len()).unwrap_or(u32::MAX).to_be_bytes();
            bytes.extend_from_slice(&[*tag, high, middle, low]);
            bytes.extend_from_slice(value);
        }
        bytes
    }

    /// Compares all values in constant time.
    pub(super) fn ct_eq(&self, other: &Self) -> bool {
        self.to_bytes().ct_eq(&other.to_bytes()).into()
    }

    pub(super) fn get(&self, tag: u8) -> Option<&[u8]> {
        self.0.iter().find(|record| record.0 == tag).map(|record| &record.1[..])
    }

    pub(super) fn array<const N: usize>(&self, tag: u8) -> Option<[u8; N]> {
        self.get(tag)?.try_into().ok()
    }

    pub(super) fn set(&mut self, tag: u8, value: &[u8]) {
        let value = Zeroizing::new(value.to_vec());
        match self.0.iter_mut().find(|record| record.0 == tag) {
            Some(record) => record.1 = value,
            None => self.0.push((tag, value)),
        }
    }
}

/// Whether a record of this tag may have this value.
pub(super) fn check(tag: u8, value: &[u8]) -> Result<(), CryptoError> {
    let sound = match tag {
        tag::VERSION => value == [1],
        tag::CREATED | tag::GENERATION => value.len() == 4,
        tag::IDENTITY => value.len() == 8,
        tag::ED25519 | tag::CU25519 => value.len() == 32,
        tag::RSA => value.is_empty() || value.len() >= 512,
        tag::SHARES => value.len().is_multiple_of(SHARE_LEN),
        _ => true,
    };
    if sound && value.len() < 1 << 24 {
        Ok(())
    } else {
        Err(CryptoError::Container { reason: "a record has an impossible value" })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const NEEDED: &[u8] =
        &[1, 0, 0, 1, 1, 3, 0, 0, 8, 1, 1, 1, 1, 1, 1, 1, 1, 4, 0, 0, 4, 0, 0, 0, 7];

    #[test]
    fn a_short_tail_is_passed_over() {
        let records = Records::parse(&[NEEDED, &[1, 2, 3]].concat()).unwrap();
        assert_eq!(records.to_bytes()[..], *NEEDED);
    }

    #[test]
    fn missing_doubled_and_cut_records_are_refused() {
        assert!(Records::parse(&NEEDED[..5]).is_err());
        assert!(Records::parse(&[NEEDED, &NEEDED[..5]].concat()).is_err());
        assert!(Records::parse(&[NEEDED, &[200, 0, 0, 1]].concat()).is_err());
        assert!(Records::parse(&[2; 5]).is_err());
    }

    proptest! {
        #[test]
        fn no_plaintext_panics(bytes: Vec<u8>) {
            let _ = Records::parse(&bytes);
            if let Ok(records) = Records::parse(&[NEEDED, &bytes].concat()) {
                let written = records.to_bytes();
                prop_assert_eq!(&written[..], &[NEEDED, &bytes].concat()[..written.len()]);
            }
        }
    }
}
