//! What is done by mail: another password, the end of an account, another address: `erm`, `erv`, `erx`, `se`,
//! `sec` (`protocol-auth.md` 3.6).

use supermega_encoding::{Base64, UserHandle, base64};
use supermega_protocol::packet::{ChangedEmail, PacketBody};
use supermega_protocol::recovery::{
    ConfirmEmailChange, EmailAction, FetchMailCode, MailCode, MailPurpose, RecoveryStep,
    RequestEmailChange, RequestMail, UseMailCode,
};
use supermega_protocol::wire::{Done, TextOrDone};
use supermega_protocol::{ErrorCode, Timestamp};

use super::call::{ApiError, Call, Caller, Handle};
use super::{contact, password, retire, second_factor};
use crate::mail::MailKind;
use crate::store::events::Stream;
use crate::store::mail_codes::{self, SentCode};
use crate::store::users::{self, User};
use crate::store::{contacts, now, outbox, sessions};

/// The state of an address that is confirmed.
const CONFIRMED: u8 = 3;

impl Handle for RequestMail {
    fn handle(self, call: &mut Call<'_>) -> Result<Done, ApiError> {
        let user = users::by_email(call.db, &self.m)?.ok_or(ErrorCode::NotFound)?;
        let kind = match self.t {
            MailPurpose::Recover | MailPurpose::Park => MailKind::Recover,
            MailPurpose::Cancel => {
                if call.user()? != user.handle {
                    return Err(ErrorCode::Access.into());
                }
                second_factor::demand(call, user.handle, self.mfa.as_deref())?;
                MailKind::Cancel
            }
            _ => return Err(ErrorCode::Arguments.into()),
        };
        let address = user.email.clone().unwrap_or_default();
        send(call, &user, self.t, kind, address)
    }
}

fn send(
    call: &Call<'_>,
    user: &User,
    purpose: MailPurpose,
    kind: MailKind,
    address: String,
) -> Result<Done, ApiError> {
    let ip = call.client.ip.to_owned();
    let sent = SentCode { purpose, user: user.handle, address, ip, ts: now() };
    let code = mail_codes::insert(call.db, &sent)?;
    outbox::put(call.db, &sent.address, kind, &kind.link(&code))?;
    Ok(Done)
}

/// What a code is for, and whose it is.
fn find(call: &Call<'_>, code: &str) -> Result<(SentCode, User), ApiError> {
    let sent = mail_codes::get(call.db, code)?.ok_or(ErrorCode::NotFound)?;
    if sent.has_ended() {
        return Err(ErrorCode::Expired.into());
    }
    let user = users::by_handle(call.db, sent.user)?.ok_or(ErrorCode::NotFound)?;
    Ok((sent, user))
}

impl Handle for FetchMailCode {
    fn handle(self, call: &mut Call<'_>) -> Result<MailCode, ApiError> {
        let (sent, user) = find(call, &self.c)?;
        let addresses = user.email.into_iter().collect();
        let when = Timestamp(sent.ts);
        Ok(MailCode(sent.purpose, sent.address, sent.ip, when, sent.user, addresses))
    }
}

impl Handle for UseMailCode {
    fn handle(self, call: &mut Call<'_>) -> Result<TextOrDone<200>, ApiError> {
        let (sent, user) = find(call, &self.c)?;
        let code = self.c.clone();
        match (sent.purpose, self) {
            (MailPurpose::Recover, Self { r: Some(RecoveryStep::FetchKey), .. }) => {
                let privk = user.privk.map(Base64).ok_or(ErrorCode::NotFound)?;
                return Ok(TextOrDone::Text(base64::encode(&privk.0)));
            }
            (
                MailPurpose::Recover,
                Self { r: Some(RecoveryStep::SetPassword), x: Some(k), y: Some(proof), .. },
            ) => {
                password::set(call, user.handle, &password::recovered(&k, &proof)?)?;
                sessions::remove_all(call.db, user.handle)?;
            }
            (
                MailPurpose::Park,
                Self { r: None, x: Some(k), y: Some(proof), z: Some(challenge), .. },
            ) => {
                let new = password::recovered(&k, &proof)?;
                if challenge.as_bytes().len() != 32 {
                    return Err(ErrorCode::Arguments.into());
                }
                retire::data(call, user.handle)?;
                users::start_over(call.db, user.handle, &new, challenge.as_bytes())?;
            }
            (MailPurpose::Cancel, Self { r: None, x: None, .. }) => {
                retire::account(call, &user)?;
            }
            _ => return Err(ErrorCode::Arguments.into()),
        }
        mail_codes::remove(call.db, &code)?;
        retire::leave_ended_session(call)?;
        Ok(TextOrDone::Done)
    }
}

impl Handle for RequestEmailChange {
    fn handle(self, call: &mut Call<'_>) -> Result<Done, ApiError> {
        let user = users::by_handle(call.db, call.user()?)?.ok_or(ErrorCode::Session)?;
        // An account has one address: there is none to spare.
        if self.aa == EmailAction::Remove || !contact::is_address(&self.e) {
            return Err(ErrorCode::Arguments.into());
        }
        second_factor::demand(call, user.handle, self.mfa.as_deref())?;
        if users::by_email(call.db, &self.e)?.is_some() {
            return Err(ErrorCode::Exists.into());
        }
        send(call, &user, MailPurpose::ChangeEmail, MailKind::ChangeEmail, self.e)
    }
}

impl Handle for ConfirmEmailChange {
    fn handle(self, call: &mut Call<'_>) -> Result<Done, ApiError> {
        let (sent, user) = find(call, &self.c)?;
        let is_other = |session: UserHandle| session != user.handle;
        if matches!(call.caller, Caller::Session(session) if is_other(session.user)) {
            return Err(ErrorCode::Access.into());
        }
        if sent.purpose != MailPurpose::ChangeEmail || !sent.address.eq_ignore_ascii_case(&self.e) {
            return Err(ErrorCode::Arguments.into());
        }
        if users::by_email(call.db, &sent.address)?.is_some() {
            return Err(ErrorCode::Exists.into());
        }
        // What proves a password of version 1 depends on the address.
        let proof = match (user.version, &self.uh) {
            (1, Some(hash)) if hash.as_bytes().len() == 8 => Some(hash.as_bytes()),
            (1, _) => return Err(ErrorCode::Arguments.into()),
            _ => None,
        };
        users::set_email(call.db, user.handle, &sent.address, proof)?;
        mail_codes::remove(call.db, &self.c)?;
        let known = contacts::of_user(call.db, user.handle)?.into_iter();
        let readers = known.filter(|contact| contact.visible).map(|contact| contact.other);
        for reader in std::iter::once(user.handle).chain(readers) {
            let body = ChangedEmail { e: sent.address.clone(), u: user.handle, s: CONFIRMED };
            call.send(Stream::User(reader), true, PacketBody::Email(body))?;
        }
        Ok(Done)
    }
}
