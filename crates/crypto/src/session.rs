//! Session ids, and sessions that are kept between runs (`protocol-auth.md` 2.8, 2.11).

mod saved;

pub use saved::SavedSession;

use std::str::FromStr;

use subtle::ConstantTimeEq;
use supermega_encoding::{UserHandle, base64};

use crate::secret::any_secret;
use crate::{CryptoError, MasterKey, random};

any_secret!(
    /// A session id: whoever has it acts as the user (`protocol-auth.md` 2.8).
    ///
    /// 16 bytes of the server's, the user's handle as 11 characters, 16 bytes more.
    SessionId, 43
);

impl SessionId {
    /// Number of characters of the text form.
    pub const TEXT_LEN: usize = 58;

    /// The text form, which every request carries as `sid`: a secret.
    #[must_use]
    pub fn to_text(&self) -> String {
        base64::encode(&self.0)
    }

    /// Whether the id names this user.
    #[must_use]
    pub fn belongs_to(&self, user: UserHandle) -> bool {
        self.0[16..27].ct_eq(user.to_string().as_bytes()).into()
    }

    /// Draws an id for a server to hand out. Its first byte is never 0, since some clients would
    /// then lose a byte (`protocol-auth.md` 1.7).
    pub fn generate(user: UserHandle) -> Result<Self, CryptoError> {
        let mut random = random::array::<32>()?;
        while random[0] == 0 {
            random::fill(&mut random[..1])?;
        }
        Ok(Self::compose(&random, user))
    }

    /// Composes the id of an account without RSA keys from its challenge `ts`, as a server does
    /// (`protocol-auth.md` 3.1).
    #[must_use]
    pub fn make_temporary(ts: &[u8; 32], user: UserHandle) -> Self {
        Self::compose(ts, user)
    }

    /// Accepts the id of an account without RSA keys, `tsid`, if its ends prove that the server
    /// has it from the owner of this master key (`protocol-auth.md` 2.8).
    pub fn temporary(tsid: &[u8], master: &MasterKey) -> Result<Self, CryptoError> {
        let id = Self(tsid.try_into().map_err(|_| CryptoError::InvalidKeyPair)?);
        let mut challenge = [0; 16];
        challenge.copy_from_slice(&id.0[..16]);
        if bool::from(master.wrap_block(&challenge).ct_eq(&id.0[27..])) {
            Ok(id)
        } else {
            Err(CryptoError::InvalidKeyPair)
        }
    }

    fn compose(ends: &[u8; 32], user: UserHandle) -> Self {
        let mut id = [0; Self::LEN];
        id[..16].copy_from_slice(&ends[..16]);
        id[16..27].copy_from_slice(user.to_string().as_bytes());
        id[27..].copy_from_slice(&ends[16..]);
        Self(id)
    }
}

impl FromStr for SessionId {
    type Err = CryptoError;

    fn from_str(text: &str) -> Result<Self, CryptoError> {
        Ok(Self(base64::decode_array("SessionId", text)?))
    }
}

/// The challenge `ts` of a new ephemeral account: 16 random bytes, and the same under the master
/// key, by which the client knows its session again (`protocol-auth.md` 3.1).
pub fn session_self_challenge(master: &MasterKey) -> Result<[u8; 32], CryptoError> {
    Ok(challenge(&random::array()?, master))
}

fn challenge(random: &[u8; 16], master: &MasterKey) -> [u8; 32] {
    let mut ts = [0; 32];
    ts[..16].copy_from_slice(random);
    ts[16..].copy_from_slice(&master.wrap_block(random));
    ts
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const USER: UserHandle = UserHandle::from_bytes([0x11; 8]);

    #[test]
    fn an_id_names_its_user() {
        let id = SessionId::generate(USER).unwrap();
        assert!(id.belongs_to(USER));
        assert!(!id.belongs_to(UserHandle::from_bytes([0x12; 8])));
        assert_ne!(id.as_bytes()[0], 0);
        assert_eq!(id.to_text().len(), SessionId::TEXT_LEN);
    }

    #[test]
    fn only_the_own_challenge_is_accepted() {
        let master = MasterKey::from_bytes([5; 16]);
        let ts = session_self_challenge(&master).unwrap();
        let id = SessionId::make_temporary(&ts, USER);
        assert_eq!(SessionId::temporary(id.as_bytes(), &master), Ok(id.clone()));
        let other = MasterKey::from_bytes([6; 16]);
        assert_eq!(SessionId::temporary(id.as_bytes(), &other), Err(CryptoError::InvalidKeyPair));
        assert_eq!(SessionId::temporary(&id.0[1..], &master), Err(CryptoError::InvalidKeyPair));
    }

    proptest! {
        #[test]
        fn no_text_panics(text: String) {
            let _ = text.parse::<SessionId>();
        }

        #[test]
        fn an_id_survives_its_text(bytes in proptest::array::uniform(any::<u8>())) {
            let id = SessionId::from_bytes(bytes);
            prop_assert_eq!(id.to_text().parse::<SessionId>().unwrap(), id);
        }
    }
}
