//! The text in which official clients keep a session (`protocol-auth.md` 2.11).

use std::fmt;
use std::str::FromStr;

use supermega_encoding::{NodeHandle, PublicHandle, base64};
use zeroize::Zeroizing;

use super::SessionId;
use crate::error::exact;
use crate::{CryptoError, MasterKey, ShareKey};

const VERSION_0_LEN: usize = 59;
const VERSION_1_LEN: usize = 60;

/// A session as it is kept between runs. Its text is as good as the password.
///
/// ```
/// use supermega_crypto::{MasterKey, SavedSession, SessionId};
///
/// let session = SavedSession::Account {
///     master: MasterKey::generate()?,
///     sid: SessionId::from_bytes([1; 43]),
/// };
/// assert_eq!(session.to_text().parse(), Ok(session));
/// # Ok::<(), supermega_crypto::CryptoError>(())
/// ```
#[derive(Clone, PartialEq, Eq)]
pub enum SavedSession {
    /// An account, with the master key in the clear (version 0).
    Account {
        /// The master key.
        master: MasterKey,
        /// The session id.
        sid: SessionId,
    },
    /// An account whose master key only the server's session key opens (version 1).
    AccountUnderSessionKey {
        /// The master key, wrapped by [`MasterKey::wrap_under`].
        wrapped: [u8; 16],
        /// The session id.
        sid: SessionId,
    },
    /// A folder link (version 2).
    FolderLink {
        /// The link's public handle.
        handle: PublicHandle,
        /// The folder's own handle.
        root: NodeHandle,
        /// The link's key.
        key: ShareKey,
        /// The key that permits writing, as it stands in requests.
        write_auth: Option<String>,
        /// The session of the account that uses the link, as it stands in requests.
        account_auth: Option<String>,
    },
}

impl SavedSession {
    /// The text form.
    #[must_use]
    pub fn to_text(&self) -> Zeroizing<String> {
        Zeroizing::new(base64::encode(&self.to_bytes()))
    }

    fn to_bytes(&self) -> Zeroizing<Vec<u8>> {
        Zeroizing::new(match self {
            Self::Account { master, sid } => [&master.as_bytes()[..], sid.as_bytes()].concat(),
            Self::AccountUnderSessionKey { wrapped, sid } => {
                [&[1], &wrapped[..], sid.as_bytes()].concat()
            }
            Self::FolderLink { handle, root, key, write_auth, account_auth } => {
                let mut bytes =
                    [&[2], &handle.as_bytes()[..], root.as_bytes(), key.as_bytes()].concat();
                let flags = [write_auth.is_some(), account_auth.is_some(), true];
                bytes.extend(flags.map(u8::from));
                bytes.extend([0; 5]);
                for text in [write_auth, account_auth].into_iter().flatten() {
                    push_text(&mut bytes, text.as_bytes());
                }
                // Older clients tell sessions apart by their length, which must not be that of
                // another version.
                let padding =
                    if bytes.len() <= VERSION_0_LEN { VERSION_0_LEN + 3 - bytes.len() } else { 1 };
                push_text(&mut bytes, &vec![b'P'; padding]);
                bytes
            }
        })
    }

    fn parse(bytes: &[u8]) -> Result<Self, CryptoError> {
        match (bytes.len(), bytes.split_first()) {
            (VERSION_0_LEN, _) => {
                let (master, sid) = bytes.split_at(16);
                let master = MasterKey::from_bytes(exact("MasterKey", master)?);
                Ok(Self::Account { master, sid: sid_of(sid)? })
            }
            (VERSION_1_LEN, Some((1, rest))) => {
                let (wrapped, sid) = rest.split_at(16);
                let wrapped = exact("MasterKey", wrapped)?;
                Ok(Self::AccountUnderSessionKey { wrapped, sid: sid_of(sid)? })
            }
            (_, Some((2, rest))) => Self::parse_folder_link(rest),
            _ => Err(CryptoError::Session { reason: "unknown version" }),
        }
    }

    fn parse_folder_link(bytes: &[u8]) -> Result<Self, CryptoError> {
        let mut reader = Reader(bytes);
        let handle = PublicHandle::from_bytes(reader.array()?);
        let root = NodeHandle::from_bytes(reader.array()?);
        let key = ShareKey::from_bytes(reader.array()?)?;
        let [has_write_auth, has_account_auth, ..] = reader.array::<8>()?;
        let write_auth = (has_write_auth != 0).then(|| reader.text()).transpose()?;
        let account_auth = (has_account_auth != 0).then(|| reader.text()).transpose()?;
        // What follows is padding, or fields of a later version.
        Ok(Self::FolderLink { handle, root, key, write_auth, account_auth })
    }
}

fn sid_of(bytes: &[u8]) -> Result<SessionId, CryptoError> {
    exact("SessionId", bytes).map(SessionId::from_bytes)
}

/// Longer texts than the length can tell are cut; the keys that belong here have 22 and 58
/// characters.
fn push_text(bytes: &mut Vec<u8>, text: &[u8]) {
    let len = u16::try_from(text.len()).unwrap_or(u16::MAX);
    bytes.extend_from_slice(&len.to_le_bytes());
    bytes.extend_from_slice(&text[..usize::from(len)]);
}

struct Reader<'a>(&'a [u8]);

impl Reader<'_> {
    const SHORT: CryptoError = CryptoError::Session { reason: "cut short" };

    fn array<const N: usize>(&mut self) -> Result<[u8; N], CryptoError> {
        let (head, rest) = self.0.split_first_chunk().ok_or(Self::SHORT)?;
        self.0 = rest;
        Ok(*head)
    }

    fn text(&mut self) -> Result<String, CryptoError> {
        let len = usize::from(u16::from_le_bytes(self.array()?));
        let (text, rest) = self.0.split_at_checked(len).ok_or(Self::SHORT)?;
        self.0 = rest;
        String::from_utf8(text.to_vec())
            .map_err(|_| CryptoError::Session { reason: "text is not UTF-8" })
    }
}

impl FromStr for SavedSession {
    type Err = CryptoError;

    fn from_str(text: &str) -> Result<Self, CryptoError> {
        Self::parse(&Zeroizing::new(base64::decode(text.trim())?))
    }
}

impl fmt::Debug for SavedSession {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Account { .. } => "SavedSession::Account(..)",
            Self::AccountUnderSessionKey { .. } => "SavedSession::AccountUnderSessionKey(..)",
            Self::FolderLink { .. } => "SavedSession::FolderLink(..)",
        })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn folder_link(write_auth: Option<String>, account_auth: Option<String>) -> SavedSession {
        SavedSession::FolderLink {
            handle: PublicHandle::from_bytes([1; 6]),
            root: NodeHandle::from_bytes([2; 6]),
            key: ShareKey::from_bytes([3; 16]).unwrap(),
            write_auth,
            account_auth,
        }
    }

    #[test]
    fn an_unknown_version_is_refused() {
        for bytes in [&[][..], &[3; 70], &[0; 60], &[1; 61], &[2; 20]] {
            assert!(base64::encode(bytes).parse::<SavedSession>().is_err());
        }
    }

    proptest! {
        #[test]
        fn a_folder_link_survives_its_text(write in "[a-z]{0,80}", account: Option<String>) {
            for session in [folder_link(None, account.clone()), folder_link(Some(write), account)] {
                let text = session.to_text();
                prop_assert!(![59, 60].contains(&session.to_bytes().len()));
                prop_assert_eq!(text.parse::<SavedSession>().unwrap(), session);
            }
        }

        #[test]
        fn no_bytes_panic(bytes: Vec<u8>, kind in 0..3u8) {
            let _ = SavedSession::parse(&bytes);
            let _ = SavedSession::parse(&[&[kind], &bytes[..]].concat());
        }

        #[test]
        fn no_text_panics(text: String) {
            let _ = text.parse::<SavedSession>();
        }
    }
}
