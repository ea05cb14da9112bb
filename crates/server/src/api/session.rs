//! Logging in and out: `us0`, `us`, `sml` (`protocol-auth.md` 2.5 to 2.12).

use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;
use supermega_crypto::{PublicKey, SessionId};
use supermega_encoding::{Base64, UserHandle, base64};
use supermega_protocol::session::{Login, LoginReply, Logout, Prelogin, PreloginReply};
use supermega_protocol::wire::{Done, Grammar};
use supermega_protocol::{ErrorCode, Failure, Flag, is_set};

use super::call::{ApiError, Call, Caller, Handle};
use super::{link, second_factor};
use crate::store::session_history::Origin;
use crate::store::users::{self, User};
use crate::store::{events, sessions, signups};

/// Reads `sid` and `n` of a query: whom a request comes from.
pub(crate) fn caller(
    db: &rusqlite::Connection,
    sid: Option<&str>,
    folder_link: Option<&str>,
) -> rusqlite::Result<Result<Caller, Failure>> {
    if let Some(text) = folder_link {
        return link::caller(db, text);
    }
    let Some(sid) = sid else { return Ok(Ok(Caller::Anonymous)) };
    let Ok(bytes) = base64::decode(sid) else { return Ok(Err(ErrorCode::Session.into())) };
    let session = sessions::find(db, &bytes)?;
    Ok(session.map(Caller::Session).ok_or_else(|| ErrorCode::Session.into()))
}

impl Handle for Prelogin {
    fn handle(self, call: &mut Call<'_>) -> Result<PreloginReply, ApiError> {
        Ok(match users::by_email(call.db, &self.user)? {
            Some(user) if user.version == 1 => PreloginReply { v: 1, s: None },
            Some(user) => PreloginReply { v: 2, s: user.salt.map(Base64) },
            None => {
                // Whoever has not answered his mail yet must be able to learn that by his password.
                let signup = signups::by_address(call.db, &self.user)?;
                let salt = signup.map(|signup| signup.salt);
                let salt = salt.unwrap_or_else(|| salt_of_nobody(call, &self.user));
                PreloginReply { v: 2, s: Some(Base64(salt)) }
            }
        })
    }
}

/// The same every time, so that nobody can tell which addresses have accounts.
fn salt_of_nobody(call: &Call<'_>, email: &str) -> Vec<u8> {
    let mut hash = Sha256::new();
    hash.update(call.state.secret);
    hash.update(email.to_lowercase());
    hash.finalize().to_vec()
}

impl Handle for Login {
    fn handle(self, call: &mut Call<'_>) -> Result<LoginReply, ApiError> {
        if is_set(self.c) {
            return copy_session(call);
        }
        let sek = self.sek.as_ref().map(Base64::as_bytes);
        if sek.is_some_and(|sek| sek.len() != 16) {
            return Err(ErrorCode::Arguments.into());
        }
        let device = self.si.as_deref();
        let reply = match (&self.user, &self.uh) {
            (None, _) => resume(call, sek),
            (Some(name), None) => open_ephemeral(call, name, sek, device),
            (Some(name), Some(proof)) => {
                let user = check_password(call, name, proof.as_bytes())?;
                second_factor::demand(call, user.handle, self.mfa.as_deref())?;
                // Without a key to keep for a session, it is only asked whether the password is right.
                match sek {
                    None if self.si.is_none() && call.grammar == Grammar::V3 => {
                        Ok(LoginReply { u: Some(user.handle), ..LoginReply::default() })
                    }
                    sek => new_session(call, &user, sek, device),
                }
            }
        }?;
        // Whoever keeps a tree learns whether packets can bring it up to date.
        let sn = self.sn.map(|from| events::is_current(call.db, from)).transpose()?;
        Ok(LoginReply { sn: sn.map(Flag), ..reply })
    }
}

fn check_password(call: &Call<'_>, name: &str, proof: &[u8]) -> Result<User, ApiError> {
    let hashed = |known: &[u8]| bool::from(known.ct_eq(&Sha256::digest(proof)[..16]));
    let Some(user) = users::by_email(call.db, name)? else {
        let signup = signups::by_address(call.db, name)?;
        let waits = signup.is_some_and(|signup| hashed(&signup.proof));
        return Err(if waits { ErrorCode::Incomplete } else { ErrorCode::NotFound }.into());
    };
    let right = match user.version {
        1 => user.proof.ct_eq(proof).into(),
        _ => hashed(&user.proof),
    };
    if right && !user.proof.is_empty() { Ok(user) } else { Err(ErrorCode::NotFound.into()) }
}

fn new_session(
    call: &mut Call<'_>,
    user: &User,
    sek: Option<&[u8]>,
    device: Option<&str>,
) -> Result<LoginReply, ApiError> {
    let reply = LoginReply {
        u: Some(user.handle),
        k: Some(Base64(user.k.clone())),
        sek: sek.map(Base64::from),
        ach: Some(Flag(false)),
        ..LoginReply::default()
    };
    let (Some(privk), Some(pubk)) = (user.privk.clone(), user.pubk.clone()) else {
        let ts: [u8; 32] =
            user.ts.as_deref().unwrap_or_default().try_into().map_err(|_| ErrorCode::Internal)?;
        let sid = SessionId::make_temporary(&ts, user.handle);
        sessions::insert(call.db, &sid, user.handle, sek, &origin(call, device))?;
        return Ok(LoginReply { tsid: Some(Base64::from(&sid.as_bytes()[..])), ..reply });
    };
    let csid = session_for_key(call, user.handle, &pubk, sek, device)?;
    Ok(LoginReply { privk: Some(Base64(privk)), csid: Some(Base64(csid)), ..reply })
}

fn session_for_key(
    call: &Call<'_>,
    user: UserHandle,
    pubk: &[u8],
    sek: Option<&[u8]>,
    device: Option<&str>,
) -> Result<Vec<u8>, ApiError> {
    let sid = SessionId::generate(user)?;
    let csid = PublicKey::parse(pubk)?.encrypt(sid.as_bytes())?;
    sessions::insert(call.db, &sid, user, sek, &origin(call, device))?;
    Ok(csid)
}

fn origin<'a>(call: &Call<'a>, device: Option<&'a str>) -> Origin<'a> {
    Origin { agent: call.client.agent, ip: call.client.ip, device }
}

fn open_ephemeral(
    call: &mut Call<'_>,
    name: &str,
    sek: Option<&[u8]>,
    device: Option<&str>,
) -> Result<LoginReply, ApiError> {
    let handle: UserHandle = name.parse().map_err(|_| ErrorCode::NotFound)?;
    let user = users::by_handle(call.db, handle)?.ok_or(ErrorCode::NotFound)?;
    // Whoever has a password must show it.
    if user.email.is_some() || user.ts.is_none() {
        return Err(ErrorCode::NotFound.into());
    }
    new_session(call, &user, sek, device)
}

fn resume(call: &mut Call<'_>, sek: Option<&[u8]>) -> Result<LoginReply, ApiError> {
    let Caller::Session(session) = call.caller else { return Err(ErrorCode::Session.into()) };
    let user = users::by_handle(call.db, session.user)?.ok_or(ErrorCode::Session)?;
    let sek = sessions::session_key(call.db, &session, sek)?;
    Ok(LoginReply {
        u: Some(user.handle),
        k: Some(Base64(user.k)),
        privk: user.privk.map(Base64),
        sek: sek.map(Base64),
        ach: Some(Flag(false)),
        ..LoginReply::default()
    })
}

fn copy_session(call: &mut Call<'_>) -> Result<LoginReply, ApiError> {
    let user = users::by_handle(call.db, call.user()?)?.ok_or(ErrorCode::Session)?;
    let pubk = user.pubk.ok_or(ErrorCode::Access)?;
    let csid = session_for_key(call, user.handle, &pubk, None, None)?;
    Ok(LoginReply { u: Some(user.handle), csid: Some(Base64(csid)), ..LoginReply::default() })
}

impl Handle for Logout {
    fn handle(self, call: &mut Call<'_>) -> Result<Done, ApiError> {
        let Caller::Session(session) = call.caller else { return Err(ErrorCode::Session.into()) };
        sessions::remove(call.db, &session.hash)?;
        call.caller = Caller::Anonymous;
        // Those who wait for this session's events must learn that it is over.
        call.announced = true;
        Ok(Done)
    }
}
