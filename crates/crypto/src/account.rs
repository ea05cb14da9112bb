//! What a new account is made of (`protocol-auth.md` 2.1, 3.1 to 3.3).

use std::str::FromStr;

use supermega_encoding::{UserHandle, base64};
use zeroize::Zeroizing;

use crate::{
    ClientRandom, CryptoError, HashedAuthKey, MasterKey, PasswordKey, PrivateKey, Salt, UserHash,
    derive_v2, session_self_challenge,
};

/// How an account turns its password into a key.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum KdfVersion {
    /// Accounts from before 2018.
    V1,
    /// All since.
    #[default]
    V2,
}

/// What a server keeps to know a password again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Proof {
    /// Version 1.
    V1 {
        /// Compared with the `uh` of a login.
        user_hash: UserHash,
    },
    /// Version 2.
    V2 {
        /// What the client drew.
        crv: ClientRandom,
        /// What the client asks for before it logs in; it follows from `crv`.
        salt: Salt,
        /// Compared with the hash of the `uh` of a login.
        hak: HashedAuthKey,
    },
}

/// All that a server stores of an account that has a password and RSA keys, and the master key,
/// which it does not store.
///
/// ```no_run
/// use supermega_crypto::{KdfVersion, NewAccount, PrivateKey};
///
/// let rsa = PrivateKey::generate()?;
/// let account = NewAccount::generate("user@example.com", "password", KdfVersion::V2, rsa)?;
/// assert_eq!(account.wrapped_master_key.len(), 16);
/// # Ok::<(), supermega_crypto::CryptoError>(())
/// ```
#[derive(Clone, Debug)]
pub struct NewAccount {
    /// The master key.
    pub master_key: MasterKey,
    /// `k`: the master key under the password key.
    pub wrapped_master_key: [u8; 16],
    /// What the password is compared with.
    pub proof: Proof,
    /// `privk`: the private key under the master key.
    pub private_key: Vec<u8>,
    /// `pubk`.
    pub public_key: Vec<u8>,
}

impl NewAccount {
    /// Makes an account with a random master key and the given RSA keys.
    #[expect(clippy::needless_pass_by_value, reason = "the secret should not outlive its wrapping")]
    pub fn generate(
        email: &str,
        password: &str,
        version: KdfVersion,
        rsa: PrivateKey,
    ) -> Result<Self, CryptoError> {
        let master_key = MasterKey::generate()?;
        let (password_key, proof) = password_proof(email, password, version)?;
        Ok(Self {
            wrapped_master_key: password_key.wrap(&master_key),
            proof,
            private_key: master_key.wrap_private_key(&rsa)?,
            public_key: rsa.public_key().to_bytes(),
            master_key,
        })
    }
}

/// The key and the proof of a password that is being set, for a new account or in place of an
/// older one (`protocol-auth.md` 3.4).
pub fn password_proof(
    email: &str,
    password: &str,
    version: KdfVersion,
) -> Result<(PasswordKey, Proof), CryptoError> {
    Ok(match version {
        KdfVersion::V1 => {
            let key = PasswordKey::v1(password);
            let user_hash = key.user_hash(email);
            (key, Proof::V1 { user_hash })
        }
        KdfVersion::V2 => {
            let crv = ClientRandom::generate()?;
            let salt = crv.salt();
            let (key, auth_key) = derive_v2(password, &salt);
            (key, Proof::V2 { crv, salt, hak: auth_key.hashed() })
        }
    })
}

/// An account without e-mail address and password (`protocol-auth.md` 3.1).
#[derive(Clone, Debug)]
pub struct NewEphemeral {
    /// The master key.
    pub master_key: MasterKey,
    /// What stands for the password: keep it with the handle as an [`EphemeralToken`].
    pub password: PasswordKey,
    /// `k`: the master key under the password.
    pub wrapped: [u8; 16],
    /// `ts`: by this the client knows its session again.
    pub challenge: [u8; 32],
}

impl NewEphemeral {
    /// Draws everything.
    pub fn generate() -> Result<Self, CryptoError> {
        let master_key = MasterKey::generate()?;
        let password = PasswordKey::generate()?;
        let wrapped = password.wrap(&master_key);
        let challenge = session_self_challenge(&master_key)?;
        Ok(Self { master_key, password, wrapped, challenge })
    }
}

/// What it takes to come back to an ephemeral account: its handle and what stands for the
/// password (`protocol-auth.md` 3.1).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EphemeralToken {
    /// The account.
    pub user: UserHandle,
    /// Opens its master key.
    pub password: PasswordKey,
}

impl EphemeralToken {
    /// The text form: a secret.
    #[must_use]
    pub fn to_text(&self) -> Zeroizing<String> {
        let password = Zeroizing::new(base64::encode(self.password.as_bytes()));
        Zeroizing::new(format!("{}#{}", self.user, *password))
    }
}

impl FromStr for EphemeralToken {
    type Err = CryptoError;

    fn from_str(text: &str) -> Result<Self, CryptoError> {
        let (user, password) =
            text.split_once('#').ok_or(CryptoError::Session { reason: "no # in the token" })?;
        let password = PasswordKey::from_bytes(base64::decode_array("PasswordKey", password)?);
        Ok(Self { user: user.parse()?, password })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::SessionId;

    #[test]
    fn an_ephemeral_account_knows_its_session_again() {
        let account = NewEphemeral::generate().unwrap();
        let token =
            EphemeralToken { user: UserHandle::from_bytes([1; 8]), password: account.password };
        let token: EphemeralToken = token.to_text().parse().unwrap();
        let tsid = SessionId::make_temporary(&account.challenge, token.user);
        let master = token.password.unwrap(&account.wrapped);
        assert!(SessionId::temporary(tsid.as_bytes(), &master).is_ok());
    }

    proptest! {
        #[test]
        fn no_token_panics(text: String) {
            let _ = text.parse::<EphemeralToken>();
            let _ = format!("{text}#{text}").parse::<EphemeralToken>();
        }
    }
}
