//! Maps inside the key store: key, value, each with its length (`protocol-auth.md` 4.8).

use zeroize::Zeroizing;

use crate::CryptoError;

/// A value of this length or a longer one has its length in four more bytes.
const LONG: u16 = 0xffff;

/// The entries of a map, in their order.
#[derive(Clone, Default)]
pub(super) struct Ltlv(Vec<(Vec<u8>, Zeroizing<Vec<u8>>)>);

impl Ltlv {
    /// Reads a record. What is not a map is refused: writing it anew would lose something.
    pub(super) fn parse(mut bytes: &[u8]) -> Result<Self, CryptoError> {
        let mut map = Self::default();
        while !bytes.is_empty() {
            let cut = CryptoError::Container { reason: "an entry is cut short" };
            let (key, value, rest) = entry(bytes).ok_or(cut)?;
            map.0.push((key.to_vec(), Zeroizing::new(value.to_vec())));
            bytes = rest;
        }
        Ok(map)
    }

    pub(super) fn to_bytes(&self) -> Result<Zeroizing<Vec<u8>>, CryptoError> {
        let mut bytes = Zeroizing::new(Vec::new());
        for (key, value) in &self.0 {
            let large = |_| CryptoError::Container { reason: "too large" };
            bytes.push(u8::try_from(key.len()).map_err(large)?);
            bytes.extend_from_slice(key);
            match u16::try_from(value.len()) {
                Ok(length) if length < LONG => bytes.extend_from_slice(&length.to_be_bytes()),
                _ => {
                    bytes.extend_from_slice(&LONG.to_be_bytes());
                    let length = u32::try_from(value.len()).map_err(large)?;
                    bytes.extend_from_slice(&length.to_be_bytes());
                }
            }
            bytes.extend_from_slice(value);
        }
        Ok(bytes)
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = (&[u8], &[u8])> {
        self.0.iter().map(|(key, value)| (&key[..], &value[..]))
    }

    pub(super) fn get(&self, key: &[u8]) -> Option<&[u8]> {
        self.iter().find(|entry| entry.0 == key).map(|entry| entry.1)
    }

    pub(super) fn set(&mut self, key: &[u8], value: &[u8]) {
        let value = Zeroizing::new(value.to_vec());
        match self.0.iter_mut().find(|entry| entry.0 == key) {
            Some(entry) => entry.1 = value,
            None => self.0.push((key.to_vec(), value)),
        }
    }

    pub(super) fn remove(&mut self, key: &[u8]) {
        self.0.retain(|entry| entry.0 != key);
    }
}

fn entry(bytes: &[u8]) -> Option<(&[u8], &[u8], &[u8])> {
    let (length, rest) = bytes.split_first()?;
    let (key, rest) = rest.split_at_checked(usize::from(*length))?;
    let (length, rest) = rest.split_first_chunk()?;
    let (length, rest) = match u16::from_be_bytes(*length) {
        LONG => {
            let (length, rest) = rest.split_first_chunk()?;
            (usize::try_from(u32::from_be_bytes(*length)).ok()?, rest)
        }
        short => (usize::from(short), rest),
    };
    let (value, rest) = rest.split_at_checked(length)?;
    Some((key, value, rest))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn long_values_have_long_lengths() {
        for length in [0, 1, 0xfffe, 0xffff, 0x10000] {
            let mut map = Ltlv::default();
            map.set(b"key", &vec![7; length]);
            let bytes = map.to_bytes().unwrap();
            let head = if length < 0xffff { 6 } else { 10 };
            assert_eq!(bytes.len(), head + length);
            assert_eq!(Ltlv::parse(&bytes).unwrap().get(b"key").unwrap().len(), length);
        }
    }

    proptest! {
        #[test]
        fn what_parses_is_written_alike(bytes: Vec<u8>) {
            if let Ok(map) = Ltlv::parse(&bytes) {
                let again = Ltlv::parse(&map.to_bytes().unwrap()).unwrap();
                prop_assert_eq!(again.iter().collect::<Vec<_>>(), map.iter().collect::<Vec<_>>());
            }
        }
    }
}
