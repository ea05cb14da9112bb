//! Sessions between runs: saved as text, resumed from it (`protocol-auth.md` 2.11).

use supermega_crypto::{MasterKey, SavedSession, SessionId, random};
use supermega_encoding::UserHandle;
use supermega_protocol::ErrorCode;
use supermega_protocol::session::{Login, LoginReply};
use zeroize::Zeroizing;

#[cfg(feature = "cache")]
use super::cached::Return;
use super::login::{block, refusal};
use super::{Identity, Session};
use crate::client::Client;
use crate::error::{AuthenticationError, Error, Result};
use crate::transport::Authentication;

impl Session {
    /// The session as text, in the form that official clients use. It is as good as the password: keep it
    /// where only its owner can read it.
    ///
    /// Where the service gives the session a key, the master key is wrapped by it, so that the text is worth
    /// nothing once the session is over. With a cache it is not: what is kept could not be opened without asking.
    #[must_use]
    pub fn save(&self) -> Zeroizing<String> {
        let saved = match &self.0.identity {
            Identity::Account { sid, session_key, .. } => self.with_keys(|keys| {
                let master = keys.account().map(|keys| keys.master.clone());
                let session_key = session_key.as_ref().filter(|_| !self.client().has_cache());
                match (master, session_key) {
                    (Some(master), Some(key)) => SavedSession::AccountUnderSessionKey {
                        wrapped: master.wrap_under(key),
                        sid: sid.clone(),
                    },
                    (Some(master), None) => SavedSession::Account { master, sid: sid.clone() },
                    (None, _) => unreachable!("an account's session has the account's keys"),
                }
            }),
            Identity::FolderLink { handle, root, key, auth } => SavedSession::FolderLink {
                handle: *handle,
                root: *root,
                key: key.clone(),
                write_auth: auth.as_ref().map(|auth| auth.to_text().to_string()),
                account_auth: None,
            },
        };
        saved.to_text()
    }
}

impl Client {
    /// Comes back to a saved session.
    ///
    /// One that was ended meanwhile gives [`AuthenticationError::SessionEnded`].
    pub async fn resume(&self, saved: &str) -> Result<Session> {
        let saved: SavedSession = saved
            .trim()
            .parse()
            .map_err(|_| Error::Input("the saved session cannot be read".into()))?;
        match saved {
            SavedSession::FolderLink { handle, key, write_auth, .. } => {
                let auth = write_auth.map(|auth| auth.parse()).transpose()?;
                self.open_folder_link(handle, &key, auth).await
            }
            SavedSession::Account { master, sid } => {
                #[cfg(feature = "cache")]
                let seen = match self.return_to_account(&master, &sid).await? {
                    Return::Session(session) => return Ok(session),
                    Return::Usual(seen) => seen,
                };
                let (user, reply) = self.come_back(&sid).await?;
                let session = self.open(user, master, Some(sid), &reply).await?;
                #[cfg(feature = "cache")]
                session.expect_key_generation(seen)?;
                Ok(session)
            }
            SavedSession::AccountUnderSessionKey { wrapped, sid } => {
                let (user, reply) = self.come_back(&sid).await?;
                let master = MasterKey::unwrap_under(&wrapped, &block(reply.sek.as_ref())?);
                self.open(user, master, Some(sid), &reply).await
            }
        }
    }

    async fn come_back(&self, sid: &SessionId) -> Result<(UserHandle, LoginReply)> {
        let channel = self.channel(&Authentication::Account(sid.clone()))?;
        let session_key: [u8; 16] = random::array()?;
        let request = Login { sek: Some(session_key.into()), ..Login::default() };
        let reply = channel.call(&request).await.map_err(ended)?;
        Ok((reply.u.ok_or(AuthenticationError::InvalidKeys)?, reply))
    }
}

/// A refusal to resume: no password was shown, so that none can be wrong.
fn ended(error: Error) -> Error {
    match error.code() {
        Some(ErrorCode::NotFound) => AuthenticationError::SessionEnded.into(),
        _ => refusal(error),
    }
}
