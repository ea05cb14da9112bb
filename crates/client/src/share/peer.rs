//! Other users' keys: fetched, checked, and held against what is known of them (`protocol-auth.md` 4.9, 4.10).

use supermega_crypto::curve::{AgreementPublic, KeyFingerprint, PairwiseKey, SigningPublic};
use supermega_crypto::key_manager::{KeyManager, TrackedBy, TrackedKey};
use supermega_encoding::UserHandle;
use supermega_protocol::user_attribute::{AttributeName, FetchAttribute};
use supermega_protocol::{ErrorCode, Flag};

use crate::error::{Error, Result};
use crate::keys::{AGREEMENT_KEY, AGREEMENT_SIGNATURE, SIGNING_KEY, private_keys};
use crate::session::Session;

/// The keys of another user. The one of agreements was signed by the other.
#[derive(Clone, Copy, Debug)]
pub(crate) struct PeerKeys {
    pub user: UserHandle,
    pub signing: SigningPublic,
    agreement: AgreementPublic,
}

impl PeerKeys {
    pub(crate) fn fingerprint(&self) -> KeyFingerprint {
        self.signing.fingerprint()
    }

    /// Notes both keys. Others than those that are known are an error.
    pub(crate) fn track(&self, store: &mut KeyManager) -> Result<()> {
        let changed = |_| changed_keys(self.user);
        let signing = self.fingerprint();
        store.track(TrackedKey::Ed25519, self.user, signing, TrackedBy::Seen).map_err(changed)?;
        let agreement = self.agreement.fingerprint();
        store.track(TrackedKey::X25519, self.user, agreement, TrackedBy::Signature).map_err(changed)
    }

    /// Whether the user compared the fingerprint, or need not.
    pub(crate) fn is_trusted(&self, store: &KeyManager) -> bool {
        let known = store.tracked(TrackedKey::Ed25519, self.user);
        !store.needs_verification() || known == Some((self.fingerprint(), TrackedBy::Fingerprint))
    }

    /// The key that is shared with this user.
    pub(crate) fn pairwise(&self, store: &KeyManager) -> Result<PairwiseKey> {
        let (_, agreement) = private_keys(store)?;
        agreement.pairwise(&self.agreement).map_err(|_| Error::Integrity {
            what: format!("the public key of {}", self.user),
            why: "it is none that a secret could be shared with",
        })
    }
}

pub(crate) fn changed_keys(user: UserHandle) -> Error {
    Error::Integrity {
        what: format!("the public keys of {user}"),
        why: "they are not those that were seen before: ask the user in person, then verify the \
              contact anew",
    }
}

impl Session {
    /// The keys of a user; nothing if he has none yet.
    pub(crate) async fn peer_keys(&self, user: UserHandle) -> Result<Option<PeerKeys>> {
        let (signing, agreement, signature) = tokio::try_join!(
            self.public_attribute(user, SIGNING_KEY),
            self.public_attribute(user, AGREEMENT_KEY),
            self.public_attribute(user, AGREEMENT_SIGNATURE),
        )?;
        let (Some(signing), Some(agreement), Some(signature)) = (signing, agreement, signature)
        else {
            return Ok(None);
        };
        let forged = |why| Error::Integrity { what: format!("the public keys of {user}"), why };
        let odd = |_| forged("they are of another length");
        let signing = SigningPublic(signing.try_into().map_err(odd)?);
        let agreement = AgreementPublic(agreement.try_into().map_err(odd)?);
        if !signing.verifies(&signature, &agreement.0) {
            return Err(forged("the signature is wrong"));
        }
        Ok(Some(PeerKeys { user, signing, agreement }))
    }

    async fn public_attribute(&self, user: UserHandle, name: &str) -> Result<Option<Vec<u8>>> {
        let Some(ua) = AttributeName::new(name) else { return Ok(None) };
        let request = FetchAttribute { u: Some(user.to_string()), ua, v: Flag::SET };
        match self.channel().call(&request).await {
            Ok(value) => Ok(value.text().decode().ok()),
            Err(error) if error.code() == Some(ErrorCode::NotFound) => Ok(None),
            Err(error) => Err(error),
        }
    }
}
