//! Shares whose keys have not reached the other side, or have not been understood yet
//! (`protocol-auth.md` 4.4, 4.5, 4.8).

use std::fmt;

use supermega_encoding::{NodeHandle, UserHandle, base64};
use zeroize::Zeroizing;

use super::KeyManager;
use super::ltlv::Ltlv;
use super::records::tag;
use crate::CryptoError;

/// With whom a folder is shared who lacks its key.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Recipient {
    /// A user.
    User(UserHandle),
    /// Somebody of whom only the address is known.
    Address(String),
}

/// A share whose key is still to be handed over.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct PendingOutShare {
    /// The folder.
    pub folder: NodeHandle,
    /// To whom.
    pub to: Recipient,
}

/// A share key that somebody left and that could not be opened yet.
#[derive(Clone, PartialEq, Eq)]
pub struct PendingInShare {
    /// The folder.
    pub folder: NodeHandle,
    /// Who left it.
    pub sharer: UserHandle,
    /// The key, under the key that both share.
    pub wrapped: [u8; 16],
}

impl fmt::Debug for PendingInShare {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PendingInShare({} by {})", self.folder, self.sharer)
    }
}

impl KeyManager {
    /// The shares whose keys are still to be handed over.
    pub fn pending_out(&self) -> Result<Vec<PendingOutShare>, CryptoError> {
        let mut rest = self.record(tag::PENDING_OUT).unwrap_or_default();
        let mut shares = Vec::new();
        while !rest.is_empty() {
            let cut = CryptoError::Container { reason: "a pending share is cut short" };
            shares.push(read_out(&mut rest).ok_or(cut)?);
        }
        Ok(shares)
    }

    /// Notes that a share's key is to be handed over.
    pub fn add_pending_out(&mut self, share: &PendingOutShare) -> Result<(), CryptoError> {
        let mut shares = self.pending_out()?;
        if !shares.contains(share) {
            shares.push(share.clone());
        }
        self.set_pending_out(&shares)
    }

    /// Notes that a share's key has been handed over, or that the share has ended.
    pub fn remove_pending_out(&mut self, share: &PendingOutShare) -> Result<(), CryptoError> {
        let mut shares = self.pending_out()?;
        shares.retain(|known| known != share);
        self.set_pending_out(&shares)
    }

    fn set_pending_out(&mut self, shares: &[PendingOutShare]) -> Result<(), CryptoError> {
        let mut bytes = Vec::new();
        for share in shares {
            let (length, name) = match &share.to {
                Recipient::User(user) => (0, &user.as_bytes()[..]),
                Recipient::Address(address) => {
                    let long = CryptoError::Container { reason: "the address is too long" };
                    (u8::try_from(address.len()).map_err(|_| long)?, address.as_bytes())
                }
            };
            bytes.push(length);
            bytes.extend_from_slice(share.folder.as_bytes());
            bytes.extend_from_slice(name);
        }
        self.set_record(tag::PENDING_OUT, &bytes)
    }

    /// The share keys that were left and not opened yet. Entries that cannot be read are passed over, and kept.
    pub fn pending_in(&self) -> Result<Vec<PendingInShare>, CryptoError> {
        let map = Ltlv::parse(self.record(tag::PENDING_IN).unwrap_or_default())?;
        Ok(map.iter().filter_map(|(key, value)| read_in(key, value)).collect())
    }

    /// Keeps a share key that somebody left until it can be opened.
    pub fn add_pending_in(&mut self, share: &PendingInShare) -> Result<(), CryptoError> {
        let value = [&share.sharer.as_bytes()[..], &share.wrapped].concat();
        let key = share.folder.to_string();
        self.change_map(tag::PENDING_IN, |map| map.set(key.as_bytes(), &value))
    }

    /// Drops a share key that was opened, or that is of no use.
    pub fn remove_pending_in(&mut self, folder: NodeHandle) -> Result<(), CryptoError> {
        let key = folder.to_string();
        self.change_map(tag::PENDING_IN, |map| map.remove(key.as_bytes()))
    }

    /// Whether keys may go only to users whose fingerprints were compared.
    #[must_use]
    pub fn needs_verification(&self) -> bool {
        let map = Ltlv::parse(self.record(tag::WARNINGS).unwrap_or_default());
        map.is_ok_and(|map| map.get(b"cv") == Some(b"1"))
    }

    /// Turns that on or off.
    pub fn set_needs_verification(&mut self, on: bool) -> Result<(), CryptoError> {
        let value: &[u8] = if on { b"1" } else { b"0" };
        self.change_map(tag::WARNINGS, |map| map.set(b"cv", value))
    }

    fn change_map(&mut self, tag: u8, change: impl FnOnce(&mut Ltlv)) -> Result<(), CryptoError> {
        let mut map = Ltlv::parse(self.record(tag).unwrap_or_default())?;
        change(&mut map);
        self.set_record(tag, &map.to_bytes()?)
    }
}

fn read_out(rest: &mut &[u8]) -> Option<PendingOutShare> {
    let (length, tail) = rest.split_first()?;
    let (folder, tail) = tail.split_first_chunk()?;
    let (to, tail) = match usize::from(*length) {
        0 => {
            let (user, tail) = tail.split_first_chunk()?;
            (Recipient::User(UserHandle::from_bytes(*user)), tail)
        }
        length => {
            let (address, tail) = tail.split_at_checked(length)?;
            (Recipient::Address(std::str::from_utf8(address).ok()?.to_owned()), tail)
        }
    };
    *rest = tail;
    Some(PendingOutShare { folder: NodeHandle::from_bytes(*folder), to })
}

fn read_in(key: &[u8], value: &[u8]) -> Option<PendingInShare> {
    let folder = std::str::from_utf8(key).ok()?.parse().ok()?;
    let (sharer, wrapped) = value.split_first_chunk()?;
    // Older clients wrote the key as text.
    let wrapped = match wrapped.len() {
        16 => Zeroizing::new(wrapped.to_vec()),
        _ => Zeroizing::new(base64::decode(std::str::from_utf8(wrapped).ok()?).ok()?),
    };
    let wrapped = wrapped[..].try_into().ok()?;
    Some(PendingInShare { folder, sharer: UserHandle::from_bytes(*sharer), wrapped })
}
