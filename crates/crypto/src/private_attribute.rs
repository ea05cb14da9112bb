//! Private user attributes: named values under the master key (`protocol-auth.md` 4.11).
//!
//! What official clients write today is written: AES-GCM with a whole nonce and tag. The forms of older clients,
//! all of them AES-CCM, are read too.

use aes::Aes128;
use aes_gcm::aead::consts::{U8, U10, U12, U16};
use aes_gcm::aead::inout::InOutBuf;
use aes_gcm::aead::{Key, Nonce, Tag};
use aes_gcm::{AeadInOut, Aes128Gcm, KeyInit};
use ccm::Ccm;
use cipher::Array;
use zeroize::Zeroizing;

use crate::{CryptoError, MasterKey, random};

const MODE: u8 = 0x10;
const IV_LEN: usize = 12;
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

/// Decrypts what [`seal`] made, or an older client.
pub fn open(master: &MasterKey, attribute: &[u8]) -> Result<Vec<Entry>, CryptoError> {
    let refused = |reason| CryptoError::Container { reason };
    let (mode, body) = attribute.split_first().ok_or(refused("cut short"))?;
    let key = Array(*master.as_bytes());
    let plain = match *mode {
        MODE => decrypt::<Aes128Gcm>(&key, body),
        // Mode 3 says GCM and is not.
        0 | 3 => decrypt::<Ccm<Aes128, U16, U12>>(&key, body),
        1 => decrypt::<Ccm<Aes128, U16, U10>>(&key, body),
        2 | 4 => decrypt::<Ccm<Aes128, U8, U10>>(&key, body),
        _ => return Err(refused("an unknown kind of container")),
    }?;
    let mut rest = &plain[..];
    let mut entries = Vec::new();
    while !rest.is_empty() {
        let entry = read_entry(&mut rest).ok_or(refused("a record is cut short"))?;
        entries.push(entry);
    }
    Ok(entries)
}

/// Decrypts nonce, ciphertext and tag.
fn decrypt<C: AeadInOut + KeyInit>(
    key: &Key<C>,
    body: &[u8],
) -> Result<Zeroizing<Vec<u8>>, CryptoError> {
    let cut = || CryptoError::Container { reason: "cut short" };
    let (nonce, tag) = (Nonce::<C>::default().len(), Tag::<C>::default().len());
    let inner = body.len().checked_sub(nonce + tag).ok_or_else(cut)?;
    let (nonce, rest) = body.split_at(nonce);
    let (body, tag) = rest.split_at(inner);
    let (Ok(nonce), Ok(tag)) = (Nonce::<C>::try_from(nonce), Tag::<C>::try_from(tag)) else {
        return Err(cut());
    };
    let mut plain = Zeroizing::new(body.to_vec());
    C::new(key)
        .decrypt_inout_detached(&nonce, &[], InOutBuf::from(&mut plain[..]), &tag)
        .map_err(|_| CryptoError::MacMismatch)?;
    Ok(plain)
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
