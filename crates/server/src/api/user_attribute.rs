//! User attributes: `uga`, `up2`, `upv`, `upr`, `uge` (`protocol-api.md` 2.11).

use supermega_encoding::{UserHandle, base64};
use supermega_protocol::packet::{ChangedUserAttributes, PacketBody};
use supermega_protocol::user_attribute::{
    AttributeName, AttributeValue, FetchAttribute, NewVersions, PutAttributes,
    PutVersionedAttributes, RemoveAttribute,
};
use supermega_protocol::wire::Done;
use supermega_protocol::{ErrorCode, Verbatim, is_set};

use super::call::{ApiError, Call, Caller, Handle};
use crate::store::events::Stream;
use crate::store::{attributes, contacts, users};

impl Handle for FetchAttribute {
    fn handle(self, call: &mut Call<'_>) -> Result<AttributeValue, ApiError> {
        let owner = match &self.u {
            None => call.user()?,
            Some(name) => match name.parse::<UserHandle>() {
                Ok(handle) => handle,
                Err(_) => users::by_email(call.db, name)?.ok_or(ErrorCode::NotFound)?.handle,
            },
        };
        let readable = match call.caller {
            _ if self.ua.is_public() => true,
            Caller::Session(session) if session.user == owner => true,
            Caller::Session(session) if self.ua.is_for_contacts() => {
                contacts::are_contacts(call.db, owner, session.user)?
            }
            _ => false,
        };
        if !readable {
            return Err(ErrorCode::Access.into());
        }
        let attribute = attributes::get(call.db, owner, self.ua.as_str())?;
        Ok(attribute.ok_or(ErrorCode::NotFound)?.into_wire(is_set(self.v)))
    }
}

impl Handle for PutAttributes {
    fn handle(self, call: &mut Call<'_>) -> Result<NewVersions, ApiError> {
        let user = call.user()?;
        if self.attributes.is_empty() {
            return Err(ErrorCode::Arguments.into());
        }
        let mut versions = NewVersions::new();
        for (name, value) in self.attributes {
            let version = set(call, user, &name, &value)?;
            versions.insert(name, version);
        }
        tell(call, user, &versions)?;
        Ok(versions)
    }
}

impl Handle for PutVersionedAttributes {
    fn handle(self, call: &mut Call<'_>) -> Result<NewVersions, ApiError> {
        let user = call.user()?;
        if self.attributes.is_empty() {
            return Err(ErrorCode::Arguments.into());
        }
        let mut versions = NewVersions::new();
        for (name, replacement) in self.attributes {
            let current = attributes::get(call.db, user, name.as_str())?;
            if current.map(|current| current.version) != replacement.replaces {
                return Err(ErrorCode::Expired.into());
            }
            let version = set(call, user, &name, &replacement.value)?;
            versions.insert(name, version);
        }
        tell(call, user, &versions)?;
        Ok(versions)
    }
}

impl Handle for RemoveAttribute {
    fn handle(self, call: &mut Call<'_>) -> Result<Done, ApiError> {
        let user = call.user()?;
        if !attributes::remove(call.db, user, self.ua.as_str())? {
            return Err(ErrorCode::NotFound.into());
        }
        // An empty version differs from every one that a client may know.
        tell(call, user, &NewVersions::from([(self.ua, String::new())]))?;
        Ok(Done)
    }
}

/// Sets one attribute and gives its new version.
pub(super) fn set(
    call: &Call<'_>,
    user: UserHandle,
    name: &AttributeName,
    value: &Verbatim,
) -> Result<String, ApiError> {
    match base64::decode(&value.0) {
        Ok(bytes) if bytes.len() <= name.limit() => {}
        _ => return Err(ErrorCode::Arguments.into()),
    }
    Ok(attributes::set(call.db, user, name.as_str(), &value.0)?)
}

/// Tells everybody whom changed attributes concern.
pub(super) fn tell(
    call: &mut Call<'_>,
    user: UserHandle,
    versions: &NewVersions,
) -> Result<(), ApiError> {
    if versions.is_empty() {
        return Ok(());
    }
    call.send(Stream::User(user), true, changed(user, versions.iter()))?;
    let shown = || versions.iter().filter(|(name, _)| name.is_for_contacts());
    if shown().next().is_some() {
        for contact in contacts::of_user(call.db, user)?.iter().filter(|contact| contact.visible) {
            call.send(Stream::User(contact.other), true, changed(user, shown()))?;
        }
    }
    Ok(())
}

fn changed<'a>(
    user: UserHandle,
    versions: impl Iterator<Item = (&'a AttributeName, &'a String)>,
) -> PacketBody {
    let (ua, v) = versions.map(|(name, v)| (name.as_str().to_owned(), v.clone())).unzip();
    PacketBody::UserAttributes(ChangedUserAttributes { u: user, ua, v })
}
