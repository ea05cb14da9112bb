//! An ephemeral account becomes a full one: `uc2`, `ud2`, `ucr` (`protocol-auth.md` 3.2, 3.3).

use supermega_encoding::{Base64, base64};
use supermega_protocol::ErrorCode;
use supermega_protocol::packet::{ConfirmedAccount, PacketBody};
use supermega_protocol::signup::{CancelSignup, ConfirmSignup, ConfirmedSignup, RequestSignup};
use supermega_protocol::wire::Done;

use super::call::{ApiError, Call, Handle};
use super::contact::is_address;
use super::password;
use crate::mail::MailKind;
use crate::store::events::Stream;
use crate::store::outbox;
use crate::store::signups::{self, Signup};
use crate::store::users::{self, Password, random_bytes};

/// Longer names are not taken.
const NAME: usize = 1000;

impl Handle for RequestSignup {
    fn handle(self, call: &mut Call<'_>) -> Result<Done, ApiError> {
        let user = users::by_handle(call.db, call.user()?)?.ok_or(ErrorCode::Session)?;
        if user.email.is_some() {
            return Err(ErrorCode::Exists.into());
        }
        let (name, address) = (text(&self.n)?, text(&self.m)?);
        if self.v != 2 || name.len() > NAME || !is_address(&address) {
            return Err(ErrorCode::Arguments.into());
        }
        if users::by_email(call.db, &address)?.is_some() {
            return Err(ErrorCode::Exists.into());
        }
        let known = signups::of_user(call.db, user.handle)?;
        let password = match (&self.k, &self.hak, &self.crv, known) {
            (Some(k), Some(hak), Some(crv), _) => password::read(k, hak, Some(crv))?,
            // The mail is to go out again, perhaps to where it should have gone.
            (None, None, None, Some(known)) => {
                Password { k: known.k, proof: known.proof, salt: Some(known.salt) }
            }
            _ => return Err(ErrorCode::Arguments.into()),
        };
        let signup = Signup {
            user: user.handle,
            code: code(&address, &name)?,
            address,
            name,
            k: password.k,
            proof: password.proof,
            salt: password.salt.ok_or(ErrorCode::Arguments)?,
        };
        signups::put(call.db, &signup)?;
        let link = MailKind::Confirm.link(&signup.code);
        outbox::put(call.db, &signup.address, MailKind::Confirm, &link)?;
        Ok(Done)
    }
}

/// UTF-8 without the characters that would end it early in a code.
fn text(bytes: &Base64) -> Result<String, ErrorCode> {
    match std::str::from_utf8(bytes.as_bytes()) {
        Ok(text) if !text.contains(char::is_control) => Ok(text.to_owned()),
        _ => Err(ErrorCode::Arguments),
    }
}

/// Clients read address and name out of a code; the rest is the server's.
fn code(address: &str, name: &str) -> rusqlite::Result<String> {
    let code: [&[u8]; 6] = [
        b"ConfirmCodeV2",
        &random_bytes::<15>()?,
        address.as_bytes(),
        b"\t",
        name.as_bytes(),
        &random_bytes::<8>()?,
    ];
    Ok(base64::encode(&code.concat()))
}

impl Handle for ConfirmSignup {
    fn handle(self, call: &mut Call<'_>) -> Result<ConfirmedSignup, ApiError> {
        let signup = signups::by_code(call.db, &self.c)?.ok_or(ErrorCode::NotFound)?;
        if users::by_email(call.db, &signup.address)?.is_some() {
            return Err(ErrorCode::Exists.into());
        }
        let password = Password { k: signup.k, proof: signup.proof, salt: Some(signup.salt) };
        users::confirm(call.db, signup.user, &signup.address, &signup.name, &password)?;
        signups::remove(call.db, signup.user)?;
        let body = PacketBody::Confirmed(ConfirmedAccount { m: signup.address.clone() });
        call.send(Stream::User(signup.user), true, body)?;
        Ok(ConfirmedSignup {
            email: Base64(signup.address.into_bytes()),
            name: Base64(signup.name.into_bytes()),
            user: signup.user,
            version: 2,
        })
    }
}

impl Handle for CancelSignup {
    fn handle(self, call: &mut Call<'_>) -> Result<Done, ApiError> {
        let removed = signups::remove(call.db, call.user()?)?;
        if removed { Ok(Done) } else { Err(ErrorCode::NotFound.into()) }
    }
}
