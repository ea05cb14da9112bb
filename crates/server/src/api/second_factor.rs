//! The second factor: `mfag`, `mfas`, `mfad` (`protocol-auth.md` 2.10).

use supermega_crypto::TotpSecret;
use supermega_encoding::UserHandle;
use supermega_protocol::second_factor::{FetchSecondFactor, RemoveSecondFactor, SetSecondFactor};
use supermega_protocol::wire::{Done, TextOrDone};
use supermega_protocol::{ErrorCode, Flag};

use super::call::{ApiError, Call, Handle};
use crate::store::second_factors::{self, SecondFactor};
use crate::store::{now, users};

/// What an account's second factor, if it has one, demands before something is done.
pub(super) fn demand(
    call: &Call<'_>,
    user: UserHandle,
    code: Option<&str>,
) -> Result<(), ApiError> {
    match second_factors::get(call.db, user)? {
        Some(factor) if factor.active => {
            let code = code.ok_or(ErrorCode::MfaRequired)?;
            Ok(check(&factor, code)?)
        }
        _ => Ok(()),
    }
}

fn check(factor: &SecondFactor, code: &str) -> Result<(), ErrorCode> {
    let now = u64::try_from(now()).unwrap_or(0);
    if factor.secret.accepts(code, now) { Ok(()) } else { Err(ErrorCode::Failed) }
}

impl Handle for FetchSecondFactor {
    fn handle(self, call: &mut Call<'_>) -> Result<Flag, ApiError> {
        // Of somebody who has no account nobody learns that.
        let Some(user) = users::by_email(call.db, &self.e)? else { return Ok(Flag(false)) };
        let factor = second_factors::get(call.db, user.handle)?;
        Ok(Flag(factor.is_some_and(|factor| factor.active)))
    }
}

impl Handle for SetSecondFactor {
    fn handle(self, call: &mut Call<'_>) -> Result<TextOrDone<16>, ApiError> {
        let user = call.user()?;
        let known = second_factors::get(call.db, user)?;
        if known.as_ref().is_some_and(|factor| factor.active) {
            return Err(ErrorCode::Exists.into());
        }
        let Some(code) = &self.mfa else {
            let factor = SecondFactor { secret: TotpSecret::generate()?, active: false };
            second_factors::set(call.db, user, &factor)?;
            return Ok(TextOrDone::Text(factor.secret.to_text().to_string()));
        };
        let factor = known.ok_or(ErrorCode::NotFound)?;
        check(&factor, code)?;
        second_factors::set(call.db, user, &SecondFactor { active: true, ..factor })?;
        Ok(TextOrDone::Done)
    }
}

impl Handle for RemoveSecondFactor {
    fn handle(self, call: &mut Call<'_>) -> Result<Done, ApiError> {
        let user = call.user()?;
        let factor = second_factors::get(call.db, user)?.filter(|factor| factor.active);
        check(&factor.ok_or(ErrorCode::NotFound)?, &self.mfa)?;
        second_factors::remove(call.db, user)?;
        Ok(Done)
    }
}
