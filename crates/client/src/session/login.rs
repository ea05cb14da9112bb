//! Logging in: with a password, to an account without a name, to a folder link
//! (`protocol-auth.md` 2.4 to 2.8, 3.1, 7.5).

use std::sync::Arc;

use supermega_crypto::link::Link;
use supermega_crypto::{
    MasterKey, NewEphemeral, PasswordKey, PrivateKey, PublicKey, Salt, SessionId, ShareKey,
    TotpSecret, WriteAuth, derive_v2, random,
};
use supermega_encoding::{Base64, PublicHandle, UserHandle};
use supermega_protocol::account::{FetchUser, UpdateUser, UserData};
use supermega_protocol::session::{Login, LoginReply, Prelogin, PreloginReply};
use supermega_protocol::tree::FetchNodes;
use supermega_protocol::{ErrorCode, Flag, Malformed};
use zeroize::Zeroizing;

#[cfg(feature = "cache")]
use super::Fetched;
use super::account::Account;
#[cfg(feature = "cache")]
use super::cached::Cached;
use super::key_store::now;
use super::{Identity, Session};
use crate::blocking::blocking;
use crate::client::Client;
use crate::error::{AuthenticationError, Error, Result};
use crate::keys::{AccountKeys, KeyRing, KeyStore};
use crate::transport::Authentication;
use crate::tree::{LinkRoot, NodeSieve, load};

/// What a person proves an account with.
#[derive(Clone)]
pub struct Credentials {
    email: String,
    password: Zeroizing<String>,
    mfa_code: Option<String>,
    totp_secret: Option<TotpSecret>,
}

impl std::fmt::Debug for Credentials {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Credentials").field("email", &self.email).finish_non_exhaustive()
    }
}

impl Credentials {
    /// E-mail address and password, neither of them trimmed.
    #[must_use]
    pub fn new(email: &str, password: &str) -> Self {
        Self {
            email: email.into(),
            password: Zeroizing::new(password.into()),
            mfa_code: None,
            totp_secret: None,
        }
    }

    /// The six digits of the account's second factor.
    #[must_use]
    pub fn mfa_code(mut self, code: &str) -> Self {
        self.mfa_code = Some(code.into());
        self
    }

    /// The secret of the account's second factor, of which its codes are made.
    #[must_use]
    pub fn totp_secret(mut self, secret: TotpSecret) -> Self {
        self.totp_secret = Some(secret);
        self
    }

    /// The code of the second factor: the one that was given, or the one of now.
    fn code(&self) -> Option<String> {
        let of_now = || self.totp_secret.as_ref().map(|secret| secret.code(now()).to_string());
        self.mfa_code.clone().or_else(of_now)
    }
}

impl Client {
    /// Logs in with e-mail address and password.
    ///
    /// An account with a second factor gives [`AuthenticationError::MfaRequired`]: see
    /// [`Client::login_with`].
    pub async fn login(&self, email: &str, password: &str) -> Result<Session> {
        self.login_with(Credentials::new(email, password)).await
    }

    /// Logs in. Save the session ([`Session::save`]) rather than log in often: the service limits that.
    pub async fn login_with(&self, credentials: Credentials) -> Result<Session> {
        let channel = self.channel(&Authentication::Anonymous)?;
        let email = credentials.email.to_lowercase();
        let prelogin = channel.call(&Prelogin { user: email.clone() }).await;
        let prelogin = prelogin.map_err(refusal)?;
        let secrets = credentials.clone();
        let (key, proof) = derive(prelogin, email.clone(), credentials.password).await?;
        let session_key: [u8; 16] = random::array()?;
        let request = Login {
            user: Some(email),
            uh: Some(proof),
            mfa: secrets.code(),
            sek: Some(session_key.into()),
            ..Login::default()
        };
        let reply = channel.call(&request).await.map_err(refusal)?;
        let user = reply.u.ok_or(AuthenticationError::InvalidKeys)?;
        let master = key.unwrap(&block(reply.k.as_ref())?);
        let session = self.open(user, master, None, &reply).await?;
        // An account that was confirmed since has no keys yet: they are made by its first login.
        if session.with_keys(|keys| keys.account().is_some_and(|account| account.rsa.is_none())) {
            session.make_keys().await?;
        }
        Ok(session)
    }

    /// Makes an account without e-mail address and password. It lives as long as its session is kept.
    pub async fn ephemeral(&self) -> Result<Session> {
        let new = NewEphemeral::generate()?;
        let channel = self.channel(&Authentication::Anonymous)?;
        let request = UpdateUser {
            k: Some(new.wrapped.into()),
            ts: Some(new.challenge.into()),
            ..UpdateUser::default()
        };
        let user = channel.call(&request).await?;
        let request = Login { user: Some(user.to_string()), ..Login::default() };
        let reply = channel.call(&request).await.map_err(refusal)?;
        let master = new.password.unwrap(&block(reply.k.as_ref())?);
        self.open(user, master, None, &reply).await
    }

    /// Opens a folder link. A link with a password must be opened with that first
    /// ([`ProtectedLink::open`](crate::ProtectedLink::open)).
    pub async fn open_folder(&self, link: &Link) -> Result<Session> {
        match link {
            Link::Folder { handle, .. } => {
                self.open_folder_link(*handle, link.folder_key()?, None).await
            }
            _ => Err(Error::Input("the link is not that of a folder".into())),
        }
    }

    /// Opens a folder link to write through it, with the authorisation that its owner got with it
    /// ([`MadeLink`](crate::MadeLink)). Whether that is right shows with the first change.
    pub async fn open_writable_folder(&self, link: &Link, auth: &WriteAuth) -> Result<Session> {
        match link {
            Link::Folder { handle, .. } => {
                self.open_folder_link(*handle, link.folder_key()?, Some(auth.clone())).await
            }
            _ => Err(Error::Input("the link is not that of a folder".into())),
        }
    }

    pub(super) async fn open_folder_link(
        &self,
        handle: PublicHandle,
        key: &ShareKey,
        auth: Option<WriteAuth>,
    ) -> Result<Session> {
        #[cfg(feature = "cache")]
        if let Some(session) = self.return_to_link(handle, key, auth.as_ref()).await? {
            return Ok(session);
        }
        let authentication = Authentication::FolderLink(handle, auth.clone());
        let channel = self.channel(&authentication)?;
        let sieve = NodeSieve::new(self.drift_log());
        let rest = channel.call_through(&FetchNodes::whole(), sieve.clone()).await;
        let rest = rest.map_err(|e| link_refusal(e, handle))?;
        let (nodes, first) = sieve.finish().await?;
        let Some(root) = first else {
            return Err(Error::not_found(format!("folder link {handle}")));
        };
        let keys = Arc::new(KeyRing::of_link(root, key.clone()));
        let tree =
            load(keys.clone(), nodes, &rest, Some(LinkRoot::new(root, auth.as_ref()))).await?;
        if tree.root()?.problem().is_some() {
            let what = format!("folder link {handle}");
            return Err(Error::Integrity { what, why: "its key does not open the folder" });
        }
        let identity = Identity::FolderLink { handle, root, key: key.clone(), auth };
        let channels = (channel, self.channel(&authentication)?);
        let session = Session::new(self, identity, channels, keys, Some(tree.clone()));
        #[cfg(feature = "cache")]
        let session = session.with_cache(self.cached_link(handle, key));
        #[cfg(feature = "cache")]
        session.keep_tree(&Fetched { tree, share_keys: Vec::new() }).await?;
        Ok(session)
    }

    /// Checks the server's keys, learns the session id and reads the account's own data.
    ///
    /// Everything that could tell a hostile server about the key gives the same error
    /// (`protocol-auth.md` 9.3).
    pub(super) async fn open(
        &self,
        user: UserHandle,
        master: MasterKey,
        known: Option<SessionId>,
        reply: &LoginReply,
    ) -> Result<Session> {
        let rsa = match &reply.privk {
            Some(privk) => Some(unwrap_private_key(&master, privk).await?),
            None => None,
        };
        let sid = match (known, &reply.tsid, &reply.csid, &rsa) {
            (Some(sid), ..) => sid,
            (None, Some(tsid), ..) => SessionId::temporary(tsid.as_bytes(), &master)?,
            (None, None, Some(csid), Some(rsa)) => rsa.session_id(csid.as_bytes(), user)?,
            _ => return Err(AuthenticationError::InvalidKeys.into()),
        };
        let session_key = reply.sek.as_ref().map(|key| block(Some(key))).transpose()?;
        let authentication = Authentication::Account(sid.clone());
        let channel = self.channel(&authentication)?;
        let data = channel.call(&FetchUser { v: Flag::SET }).await?;
        check_public_key(&data, user, rsa.as_ref())?;
        #[cfg(feature = "cache")]
        let cached = Cached::of_account(self, &master, &data);
        let account_keys = AccountKeys { user, master, rsa };
        let store = KeyStore::read(&data, &account_keys)?;
        let keys = Arc::new(KeyRing::of_account(account_keys, store));
        let identity = Identity::Account { account: Account::new(&data), sid, session_key };
        let channels = (channel, self.channel(&authentication)?);
        let session = Session::new(self, identity, channels, keys, None);
        #[cfg(feature = "cache")]
        let session = session.with_cache(cached);
        Ok(session)
    }
}

/// Derives the password key and the login proof off the async threads.
async fn derive(
    prelogin: PreloginReply,
    email: String,
    password: Zeroizing<String>,
) -> Result<(PasswordKey, Base64)> {
    let salt = prelogin.s.and_then(|salt| <[u8; 32]>::try_from(salt.0).ok()).map(Salt::from_bytes);
    blocking(move || match (prelogin.v, salt) {
        (1, _) => {
            let key = PasswordKey::v1(&password);
            let proof = key.user_hash(&email);
            Ok((key, Base64::from(&proof.as_bytes()[..])))
        }
        (2, Some(salt)) => {
            let (key, proof) = derive_v2(&password, &salt);
            Ok((key, Base64::from(&proof.as_bytes()[..])))
        }
        _ => Err(Malformed::new("us0", "v", "the account's version is unknown").into()),
    })
    .await
}

pub(super) async fn unwrap_private_key(master: &MasterKey, privk: &Base64) -> Result<PrivateKey> {
    let (master, privk) = (master.clone(), privk.0.clone());
    blocking(move || Ok(master.unwrap_private_key(&privk)?)).await
}

/// The public key that the server names must be the private key's.
pub(super) fn check_public_key(
    data: &UserData,
    user: UserHandle,
    rsa: Option<&PrivateKey>,
) -> Result<()> {
    let invalid = || Error::from(AuthenticationError::InvalidKeys);
    if data.u != user {
        return Err(invalid());
    }
    if let (Some(rsa), Some(pubk)) = (rsa, &data.pubk) {
        let public = PublicKey::parse(pubk.as_bytes()).map_err(|_| invalid())?;
        if rsa.public_key().modulus() != public.modulus() {
            return Err(invalid());
        }
    }
    Ok(())
}

pub(super) fn block(value: Option<&Base64>) -> Result<[u8; 16]> {
    value
        .and_then(|bytes| bytes.as_bytes().try_into().ok())
        .ok_or_else(|| AuthenticationError::InvalidKeys.into())
}

/// Reads a refusal of `us0` or `us` (`protocol-auth.md` 2.9).
pub(super) fn refusal(error: Error) -> Error {
    let Some(code) = error.code() else { return error };
    match code {
        ErrorCode::NotFound => AuthenticationError::WrongPassword.into(),
        ErrorCode::MfaRequired => AuthenticationError::MfaRequired.into(),
        ErrorCode::Failed => AuthenticationError::WrongMfaCode.into(),
        ErrorCode::Incomplete => AuthenticationError::Unconfirmed.into(),
        ErrorCode::Blocked => AuthenticationError::Blocked.into(),
        ErrorCode::TooMany => AuthenticationError::TooManyAttempts.into(),
        _ => error,
    }
}

fn link_refusal(error: Error, handle: PublicHandle) -> Error {
    match error.code() {
        Some(ErrorCode::NotFound | ErrorCode::Access) => {
            Error::not_found(format!("folder link {handle}"))
        }
        _ => error,
    }
}
