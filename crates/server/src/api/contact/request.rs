//! Contact requests: `upc`, `upca` (`protocol-api.md` 2.10).

use rusqlite::Connection;
use sha2::{Digest, Sha512};
use supermega_encoding::base64;
use supermega_protocol::contact::{
    AnswerInvitation, IncomingRequest, InvitationAnswer, Invite, InviteAction, InviteReply,
    OutgoingRequest, RequestState, SettledRequest,
};
use supermega_protocol::packet::PacketBody;
use supermega_protocol::wire::Done;
use supermega_protocol::{ErrorCode, Flag, Timestamp};

use super::{own_record, set_contact};
use crate::api::call::{ApiError, Call, Handle};
use crate::api::share;
use crate::mail::MailKind;
use crate::store::contacts::{self, ContactRequest};
use crate::store::events::Stream;
use crate::store::users::{self, User};
use crate::store::{contact_links, now, outbox, shares};

/// Nobody is reminded more often than this, in seconds (`protocol-api.md` 2.10).
const REMINDER: i64 = 14 * 24 * 3600;

/// A request as its sender sees it.
pub(in crate::api) fn outgoing(sender: &User, request: &ContactRequest) -> OutgoingRequest {
    OutgoingRequest {
        p: request.handle,
        e: Some(sender.email.clone().unwrap_or_default()),
        m: Some(request.address.clone()),
        ts: Some(Timestamp(request.ts)),
        uts: Some(Timestamp(request.uts)),
        rts: (request.uts != request.ts).then_some(Timestamp(request.uts)),
        dts: None,
        msg: request.message.clone(),
    }
}

/// A request as the one whom it is for sees it.
pub(in crate::api) fn incoming(
    db: &Connection,
    request: &ContactRequest,
) -> rusqlite::Result<IncomingRequest> {
    let sender = users::by_handle(db, request.sender)?;
    let waits = !shares::pending_on(db, request.handle)?.is_empty();
    Ok(IncomingRequest {
        p: request.handle,
        m: sender.and_then(|sender| sender.email),
        ts: Some(Timestamp(request.ts)),
        uts: Some(Timestamp(request.uts)),
        rts: (request.uts != request.ts).then_some(Timestamp(request.uts)),
        dts: None,
        msg: request.message.clone(),
        clv: request.linked.then_some(Flag(true)),
        ps: if waits { Flag::SET } else { None },
    })
}

impl Handle for Invite {
    fn handle(self, call: &mut Call<'_>) -> Result<InviteReply, ApiError> {
        let own = own_record(call)?;
        if self.aa == InviteAction::Add {
            if let Some(link) = self.cl {
                let linked = contact_links::user_of(call.db, link)?;
                let named = users::by_email(call.db, &self.u)?.map(|user| user.handle);
                if linked.is_none() || linked != named {
                    return Err(ErrorCode::NotFound.into());
                }
            }
            let linked = self.cl.is_some();
            let request = invite(call, &own, &self.u, self.msg.as_deref(), linked)?;
            return Ok(InviteReply::Sent(outgoing(&own, &request)));
        }
        let request = contacts::request_to(call.db, own.handle, &self.u)?;
        let request = request.ok_or(ErrorCode::NotFound)?;
        if self.aa == InviteAction::Remind {
            if now() - request.uts < REMINDER {
                return Err(ErrorCode::Access.into());
            }
            contacts::remind(call.db, request.handle)?;
            let request = ContactRequest { uts: now(), ignored: false, ..request };
            show(call, &own, &request, None)?;
        } else {
            share::drop_pending(call, &request)?;
            contacts::remove_request(call.db, request.handle)?;
            show(call, &own, &request, Some(Timestamp(now())))?;
        }
        Ok(InviteReply::Done)
    }
}

/// Asks whoever has an address to become a contact.
pub(in crate::api) fn invite(
    call: &mut Call<'_>,
    own: &User,
    address: &str,
    message: Option<&str>,
    linked: bool,
) -> Result<ContactRequest, ApiError> {
    let Some(own_address) = own.email.as_deref() else { return Err(ErrorCode::Access.into()) };
    if own_address.eq_ignore_ascii_case(address) || !is_address(address) {
        return Err(ErrorCode::Arguments.into());
    }
    if let Some(other) = users::by_email(call.db, address)?
        && (contacts::are_contacts(call.db, own.handle, other.handle)?
            || contacts::request_to(call.db, other.handle, own_address)?.is_some())
    {
        return Err(ErrorCode::Exists.into());
    }
    if contacts::request_to(call.db, own.handle, address)?.is_some() {
        return Err(ErrorCode::Exists.into());
    }
    let request = contacts::insert_request(call.db, own.handle, address, message, linked)?;
    if users::by_email(call.db, address)?.is_none() {
        let link = MailKind::Invitation.link(&invitation(address));
        outbox::put(call.db, address, MailKind::Invitation, &link)?;
    }
    show(call, own, &request, None)?;
    Ok(request)
}

/// The code by which somebody new comes (`protocol-auth.md` 3.3).
fn invitation(address: &str) -> String {
    let check = Sha512::digest(address.as_bytes());
    base64::encode(&[address.as_bytes(), &check[..8]].concat())
}

/// Whether a text may be an e-mail address.
pub(in crate::api) fn is_address(text: &str) -> bool {
    let parts = text.split_once('@');
    text.len() <= 254 && parts.is_some_and(|(name, host)| !name.is_empty() && !host.is_empty())
}

/// Tells both sides of a request; `gone` says when it was taken back.
fn show(
    call: &mut Call<'_>,
    own: &User,
    request: &ContactRequest,
    gone: Option<Timestamp>,
) -> Result<(), ApiError> {
    let body = OutgoingRequest { dts: gone, ..outgoing(own, request) };
    call.send(Stream::User(own.handle), true, PacketBody::OutgoingRequest(body))?;
    if let Some(other) = users::by_email(call.db, &request.address)?
        && !request.ignored
    {
        let body = IncomingRequest { dts: gone, ..incoming(call.db, request)? };
        call.send(Stream::User(other.handle), true, PacketBody::IncomingRequest(body))?;
    }
    Ok(())
}

impl Handle for AnswerInvitation {
    fn handle(self, call: &mut Call<'_>) -> Result<Done, ApiError> {
        let own = own_record(call)?;
        let request = contacts::request(call.db, self.p)?.ok_or(ErrorCode::NotFound)?;
        let own_address = own.email.as_deref().unwrap_or_default();
        if !request.address.eq_ignore_ascii_case(own_address) {
            return Err(ErrorCode::NotFound.into());
        }
        let sender = users::by_handle(call.db, request.sender)?.ok_or(ErrorCode::NotFound)?;
        let state = match self.aa {
            InvitationAnswer::Accept => RequestState::Accepted,
            InvitationAnswer::Deny => RequestState::Denied,
            InvitationAnswer::Ignore => RequestState::Ignored,
        };
        let settled = |other: &User| SettledRequest {
            p: request.handle,
            m: other.email.clone(),
            uts: Some(Timestamp(now())),
            s: state,
            ou: Some(own.handle),
        };
        let to_own = PacketBody::AnsweredRequest(settled(&sender));
        call.send(Stream::User(own.handle), true, to_own)?;
        if state == RequestState::Ignored {
            // The sender is not told.
            contacts::ignore(call.db, request.handle)?;
            return Ok(Done);
        }
        let to_sender = PacketBody::AnswerToRequest(settled(&own));
        call.send(Stream::User(sender.handle), true, to_sender)?;
        if state == RequestState::Accepted {
            set_contact(call, &sender, &own, true)?;
            share::start_pending(call, &request, own.handle)?;
        } else {
            share::drop_pending(call, &request)?;
        }
        contacts::remove_request(call.db, request.handle)?;
        Ok(Done)
    }
}
