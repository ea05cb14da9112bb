//! Private user attributes: named values under the master key (`protocol-auth.md` 4.11).
//!
//! Only what official clients write today is written and read: AES-GCM with a whole nonce and tag.

use aes_gcm::aead::inout::InOutBuf;
use aes_gcm::{AeadInOut, Aes128Gcm, KeyInit};
use cipher::Array;
use zeroize::Zeroizing;

use crate::{CryptoError, MasterKey, random};

const MODE: u8 = 0x10;
const IV_LEN: usize = 12;
const TAG_LEN: usize = 16;
/// Longer values would need a form of their own.
const LONGEST: usize = 0xffff;

/// A value and its name.
pub type Entry = (String, Zeroizing<Vec<u8>>);

/// Encrypts named values, each of less than 64 KiB.
pub fn seal(master: &MasterKey, entries: &[(&str, &[u8])]) -> Result<Vec<u8>, CryptoError> {
    let mut body = Zeroizing::new(Vec::new());
    for (name, value) in entries {
        let length =
            u16::try_from(value.len()).ok().filter(|length| usize::from(*length) < LONGEST);
        let length = length.ok_or(CryptoError::Container { reason: "too large" })?;
        body.extend_from_slice(name.as_bytes());
        body.push(0);
        body.extend_from_slice(&length.to_be_bytes());
        body.extend_from_slice(value);
    }
    let iv: [u8; IV_LEN] = random::array()?;
    let tag = Aes128Gcm::new(&Array(*master.as_bytes()))
        .encrypt_inout_detached(&Array(iv), &[], InOutBuf::from(&mut body[..]))
        .map_err(|_| CryptoError::Container { reason: "too large" })?;
    Ok([&[MODE][..], &iv, &body, &tag].concat())
}

/// Decrypts what [`seal`] made.
pub fn open(master: &MasterKey, attribute: &[u8]) -> Result<Vec<Entry>, CryptoError> {
    let refused = |reason| CryptoError::Container { reason };
    let body = attribute.strip_prefix(&[MODE]).ok_or(refused("an older kind of container"))?;
    let (iv, body) = body.split_first_chunk::<IV_LEN>().ok_or(refused("cut short"))?;
    let (body, tag) = body.split_last_chunk::<TAG_LEN>().ok_or(refused("cut short"))?;
    let mut plain = Zeroizing::new(body.to_vec());
    Aes128Gcm::new(&Array(*master.as_bytes()))
        .decrypt_inout_detached(&Array(*iv), &[], InOutBuf::from(&mut plain[..]), &Array(*tag))
        .map_err(|_| CryptoError::MacMismatch)?;
    let mut rest = &plain[..];
    let mut entries = Vec::new();
    while !rest.is_empty() {
        let entry = read_entry(&mut rest).ok_or(refused("a record is cut short"))?;
        entries.push(entry);
    }
    Ok(entries)
}

fn read_entry(rest: &mut &[u8]) -> Option<Entry> {
    let end = rest.iter().position(|byte| *byte == 0)?;
    let name = std::str::from_utf8(&rest[..end]).ok()?.to_owned();
    let (length, tail) = rest[end + 1..].split_first_chunk()?;
    let (value, tail) = tail.split_at_checked(usize::from(u16::from_be_bytes(*length)))?;
    *rest = tail;
    Some((name, Zeroizing::new(value.to_vec())))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const MASTER: MasterKey = MasterKey::from_bytes([3; 16]);

    #[test]
    fn what_is_sealed_opens() {
        let sealed = seal(&MASTER, &[("one", b"1"), ("two", b"")]).unwrap();
        let entries = open(&MASTER, &sealed).unwrap();
        assert_eq!(entries[0], ("one".to_owned(), Zeroizing::new(b"1".to_vec())));
        assert_eq!(entries[1].1.len(), 0);
        assert!(open(&MasterKey::from_bytes([4; 16]), &sealed).is_err());
        assert!(seal(&MASTER, &[("large", &vec![0; LONGEST])]).is_err());
    }

    proptest! {
        #[test]
        fn no_attribute_panics(bytes: Vec<u8>) {
            prop_assert!(open(&MASTER, &[&[MODE][..], &bytes].concat()).is_err());
        }
    }
}
