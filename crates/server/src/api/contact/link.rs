//! Links that lead to a user: `clc`, `clr`, `clg`, `cld` (`protocol-api.md` 2.10).

use supermega_encoding::PublicHandle;
use supermega_protocol::contact_link::{
    FetchContactLink, LinkedContact, MakeContactLink, RemoveContactLink, RenewContactLink,
};
use supermega_protocol::wire::Done;
use supermega_protocol::{ErrorCode, Verbatim};

use super::own_record;
use crate::api::call::{ApiError, Call, Handle};
use crate::store::{attributes, contact_links, users};

impl Handle for MakeContactLink {
    fn handle(self, call: &mut Call<'_>) -> Result<PublicHandle, ApiError> {
        let own = own_record(call)?;
        if own.email.is_none() {
            return Err(ErrorCode::Access.into());
        }
        match contact_links::of_user(call.db, own.handle)? {
            Some(link) => Ok(link),
            None => Ok(contact_links::replace(call.db, own.handle)?),
        }
    }
}

impl Handle for RenewContactLink {
    fn handle(self, call: &mut Call<'_>) -> Result<PublicHandle, ApiError> {
        let user = call.user()?;
        if contact_links::of_user(call.db, user)?.is_none() {
            return Err(ErrorCode::NotFound.into());
        }
        Ok(contact_links::replace(call.db, user)?)
    }
}

impl Handle for FetchContactLink {
    fn handle(self, call: &mut Call<'_>) -> Result<LinkedContact, ApiError> {
        let user = contact_links::user_of(call.db, self.cl)?.ok_or(ErrorCode::NotFound)?;
        let user = users::by_handle(call.db, user)?.ok_or(ErrorCode::NotFound)?;
        let name = |which| {
            let name = attributes::get(call.db, user.handle, which)?;
            Ok::<_, ApiError>(name.map(|name| Verbatim(name.value)))
        };
        Ok(LinkedContact {
            h: user.handle,
            first_name: name("firstname")?,
            last_name: name("lastname")?,
            e: user.email.ok_or(ErrorCode::NotFound)?,
        })
    }
}

impl Handle for RemoveContactLink {
    fn handle(self, call: &mut Call<'_>) -> Result<Done, ApiError> {
        let user = call.user()?;
        let known = contact_links::of_user(call.db, user)?;
        if known.is_none() || self.cl.is_some_and(|named| known != Some(named)) {
            return Err(ErrorCode::NotFound.into());
        }
        contact_links::remove(call.db, user)?;
        Ok(Done)
    }
}
