//! Contacts: asked, accepted, ended, and their fingerprints compared (`protocol-api.md` 2.10,
//! `protocol-auth.md` 4.10).

use supermega_crypto::curve::KeyFingerprint;
use supermega_crypto::key_manager::{TrackedBy, TrackedKey};
use supermega_encoding::{ContactRequestHandle, UserHandle};
use supermega_protocol::contact::{
    AnswerInvitation, InvitationAnswer, Invite, InviteAction, SetContact, UserName,
};
use supermega_protocol::{ErrorCode, Flag};

use crate::error::{Error, Result};
use crate::session::Session;
use crate::share::address;

/// Somebody with whom this account is in contact.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Contact {
    /// Handle.
    pub user: UserHandle,
    /// E-mail address.
    pub email: Option<String>,
    /// Whether the fingerprint was compared.
    pub verified: bool,
}

/// A contact request.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ContactRequest {
    /// The request.
    pub handle: ContactRequestHandle,
    /// The other one's address.
    pub email: Option<String>,
    /// The message.
    pub message: Option<String>,
    /// Whether it came from the other one.
    pub incoming: bool,
}

/// What to answer to a contact request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answer {
    /// Become a contact.
    Accept,
    /// Say no.
    Deny,
    /// Say nothing; the request goes away here.
    Ignore,
}

impl Session {
    /// Asks somebody to become a contact.
    pub async fn invite(&self, email: &str, message: Option<&str>) -> Result<()> {
        self.send_invitation(email, InviteAction::Add, message).await
    }

    /// Takes a contact request of one's own back.
    pub async fn cancel_invitation(&self, email: &str) -> Result<()> {
        self.send_invitation(email, InviteAction::Cancel, None).await
    }

    async fn send_invitation(
        &self,
        email: &str,
        aa: InviteAction,
        message: Option<&str>,
    ) -> Result<()> {
        self.must_be_account()?;
        let u = address(email)?;
        let e = self.account().and_then(|account| account.email.clone());
        let msg = message.map(str::to_owned);
        let request = Invite { u: u.clone(), aa, e, msg, cl: None, i: None };
        match self.channel().call(&request).await {
            Ok(_) => Ok(()),
            Err(error) => Err(match error.code() {
                Some(ErrorCode::Exists) => {
                    Error::Refused(format!("{u} is a contact already, or has been asked"))
                }
                Some(ErrorCode::NotFound) => {
                    Error::NotFound { what: format!("a contact request to {u}") }
                }
                _ => error,
            }),
        }
    }

    /// The open contact requests, to this account and from it.
    pub async fn contact_requests(&self) -> Result<Vec<ContactRequest>> {
        let overview = self.overview().await?;
        let incoming = overview.0.ipc.iter().flatten().map(|request| ContactRequest {
            handle: request.p,
            email: request.m.clone(),
            message: request.msg.clone(),
            incoming: true,
        });
        let outgoing = overview.0.opc.iter().flatten().map(|request| ContactRequest {
            handle: request.p,
            email: request.m.clone(),
            message: request.msg.clone(),
            incoming: false,
        });
        Ok(incoming.chain(outgoing).collect())
    }

    /// Answers the contact request of whoever has this address. Accepting makes the keys by which shares of the
    /// other one can be read, if the account has none.
    pub async fn answer(&self, email: &str, answer: Answer) -> Result<()> {
        let email = address(email)?;
        let requests = self.contact_requests().await?;
        let from = |request: &&ContactRequest| {
            request.incoming
                && request.email.as_deref().is_some_and(|m| m.eq_ignore_ascii_case(&email))
        };
        let request = requests
            .iter()
            .find(from)
            .ok_or_else(|| Error::NotFound { what: format!("a contact request of {email}") })?;
        let aa = match answer {
            Answer::Accept => InvitationAnswer::Accept,
            Answer::Deny => InvitationAnswer::Deny,
            Answer::Ignore => InvitationAnswer::Ignore,
        };
        if answer == Answer::Accept {
            self.need_key_store().await?;
        }
        self.channel().call(&AnswerInvitation { p: request.handle, aa, i: None }).await?;
        if answer == Answer::Accept {
            // What was shared before the answer appears with it.
            self.refresh().await?;
        }
        Ok(())
    }

    /// Everybody with whom this account is in contact.
    pub async fn contacts(&self) -> Result<Vec<Contact>> {
        let overview = self.overview().await?;
        let contact = |user: &supermega_protocol::tree::User| Contact {
            user: user.u,
            email: user.m.clone(),
            verified: self.with_keys(|keys| {
                let known = keys.store.manager()?.tracked(TrackedKey::Ed25519, user.u)?;
                Some(known.1 == TrackedBy::Fingerprint)
            }) == Some(true),
        };
        Ok(overview.0.u.iter().flatten().filter(|user| user.c == Some(1)).map(contact).collect())
    }

    /// Ends a contact, and with it all that the two share.
    pub async fn remove_contact(&self, email: &str) -> Result<()> {
        let email = address(email)?;
        let request = SetContact { u: UserName::Address(email.clone()), l: Flag(false), i: None };
        match self.channel().call(&request).await {
            Ok(_) => Ok(()),
            Err(error) if error.code() == Some(ErrorCode::NotFound) => {
                Err(Error::NotFound { what: format!("the contact {email}") })
            }
            Err(error) => Err(error),
        }
    }

    /// The fingerprint of a user's signing key, to be compared with what the user sees. Keys that are not those
    /// that were seen before are an error.
    pub async fn fingerprint_of(&self, email: &str) -> Result<KeyFingerprint> {
        Ok(self.known_peer(email).await?.fingerprint())
    }

    /// Notes that a user's fingerprint was compared, in person or by telephone. It must be the one that the
    /// service gives; where the user has new keys, they are taken from here on.
    pub async fn verify_contact(&self, email: &str, compared: KeyFingerprint) -> Result<()> {
        let email = address(email)?;
        let user = self.known_user(&email).await?;
        let peer = self.peer_keys(user).await?.ok_or_else(|| no_keys(&email))?;
        if peer.fingerprint() != compared {
            return Err(Error::Integrity {
                what: format!("the signing key of {email}"),
                why: "its fingerprint is another one",
            });
        }
        self.change_keys(|store| {
            let known = store.tracked(TrackedKey::Ed25519, user);
            if known.is_some_and(|(known, _)| known != compared) {
                store.forget_key(TrackedKey::Ed25519, user)?;
                store.forget_key(TrackedKey::X25519, user)?;
            }
            store.track(TrackedKey::Ed25519, user, compared, TrackedBy::Fingerprint)?;
            peer.track(store)
        })
        .await
    }

    async fn known_peer(&self, email: &str) -> Result<crate::share::PeerKeys> {
        let email = address(email)?;
        let user = self.known_user(&email).await?;
        let peer = self.peer_keys(user).await?.ok_or_else(|| no_keys(&email))?;
        self.change_keys(|store| peer.track(store)).await?;
        Ok(peer)
    }

    async fn known_user(&self, email: &str) -> Result<UserHandle> {
        let user = self.user_of(email).await?;
        user.ok_or_else(|| Error::NotFound { what: format!("a user {email}") })
    }
}

fn no_keys(email: &str) -> Error {
    Error::Refused(format!("{email} has no signing key yet: it is made with the first share"))
}
