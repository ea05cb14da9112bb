//! Contacts: `ur2`, `ur`, `uk`, `uge`, and how users are shown to each other (`protocol-api.md` 2.10).

mod link;
mod request;

use rusqlite::Connection;
use supermega_encoding::UserHandle;
use supermega_protocol::contact::{
    ContactReply, FetchAddress, FetchPublicKey, PublicKeyReply, SetContact, SetContactOld, UserName,
};
use supermega_protocol::packet::{ChangedContacts, PacketBody};
use supermega_protocol::tree::User as Record;
use supermega_protocol::{ErrorCode, Timestamp, Verbatim};

use super::call::{ApiError, Call, Handle};
use super::share;
use crate::store::events::Stream;
use crate::store::users::{self, User};
use crate::store::{attributes, contacts, now};

pub(super) use request::{incoming, invite, is_address, outgoing};

/// A user as others see him; `state` is 0 hidden, 1 contact, 2 oneself.
pub(super) fn record(
    db: &Connection,
    user: &User,
    state: i64,
    ts: i64,
) -> rusqlite::Result<Record> {
    let attribute = |name| {
        let attribute = attributes::get(db, user.handle, name)?;
        Ok::<_, rusqlite::Error>(attribute.map(|attribute| Verbatim(attribute.value)))
    };
    Ok(Record {
        u: user.handle,
        c: Some(state),
        m: Some(user.email.clone().unwrap_or_default()),
        ts: Some(Timestamp(ts)),
        pubk: user.pubk.as_deref().filter(|_| state != 2).map(Verbatim::from),
        ed25519: attribute("+puEd255")?,
        x25519: attribute("+puCu255")?,
        rsa_signature: attribute("+sigPubk")?,
        x25519_signature: attribute("+sigCu255")?,
        b: None,
    })
}

/// The user whom a command names.
pub(super) fn find(call: &Call<'_>, name: &UserName) -> Result<User, ApiError> {
    let user = match name {
        UserName::Handle(handle) => users::by_handle(call.db, *handle)?,
        UserName::Address(address) => users::by_email(call.db, address)?,
    };
    user.ok_or_else(|| ErrorCode::NotFound.into())
}

/// Makes two users contacts of each other, or ends that, and tells both.
pub(super) fn set_contact(
    call: &mut Call<'_>,
    one: &User,
    other: &User,
    visible: bool,
) -> Result<(), ApiError> {
    contacts::set(call.db, one.handle, other.handle, visible)?;
    for (reader, shown) in [(one, other), (other, one)] {
        let body = PacketBody::Contacts(ChangedContacts {
            u: vec![record(call.db, shown, visible.into(), now())?],
            ou: Some(call.actor(one.handle)),
        });
        call.send(Stream::User(reader.handle), true, body)?;
    }
    Ok(())
}

impl Handle for SetContact {
    fn handle(self, call: &mut Call<'_>) -> Result<ContactReply, ApiError> {
        let own = own_record(call)?;
        let other = find(call, &self.u)?;
        // Contacts are made by requests; what older clients add here must be one already.
        if !contacts::are_contacts(call.db, own.handle, other.handle)? {
            return Err(ErrorCode::NotFound.into());
        }
        if !self.l.0 {
            share::end_between(call, own.handle, other.handle)?;
            set_contact(call, &own, &other, false)?;
        }
        Ok(ContactReply { u: other.handle, m: other.email.unwrap_or_default() })
    }
}

impl Handle for SetContactOld {
    fn handle(self, call: &mut Call<'_>) -> Result<ContactReply, ApiError> {
        SetContact { u: self.u, l: self.l, i: self.i }.handle(call)
    }
}

impl Handle for FetchPublicKey {
    fn handle(self, call: &mut Call<'_>) -> Result<PublicKeyReply, ApiError> {
        call.user()?;
        let user = find(call, &self.u)?;
        let pubk = user.pubk.as_deref().map(Verbatim::from).ok_or(ErrorCode::NotFound)?;
        Ok(PublicKeyReply { u: user.handle, pubk })
    }
}

impl Handle for FetchAddress {
    /// Addresses are shown to those who have to do with a user, and to nobody else.
    fn handle(self, call: &mut Call<'_>) -> Result<String, ApiError> {
        let reader = call.user()?;
        let user = find(call, &UserName::Handle(self.u))?;
        let known = contacts::of_user(call.db, reader)?.iter().any(|c| c.other == user.handle)
            || share::is_between(call.db, reader, user.handle)?;
        if !known && reader != user.handle {
            return Err(ErrorCode::NotFound.into());
        }
        user.email.ok_or_else(|| ErrorCode::NotFound.into())
    }
}

/// The caller's record.
fn own_record(call: &Call<'_>) -> Result<User, ApiError> {
    find(call, &UserName::Handle(call.user()?))
}

/// The contact that a command names by handle or address, if the caller has one there.
pub(super) fn contact_of(
    call: &Call<'_>,
    user: UserHandle,
    name: &UserName,
) -> Result<Option<User>, ApiError> {
    let other = match name {
        UserName::Handle(handle) => users::by_handle(call.db, *handle)?,
        UserName::Address(address) => users::by_email(call.db, address)?,
    };
    Ok(match other {
        Some(other) if contacts::are_contacts(call.db, user, other.handle)? => Some(other),
        _ => None,
    })
}
