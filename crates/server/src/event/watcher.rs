//! Who waits for events: a session, or whoever has a folder link.

use rusqlite::Connection;
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;
use supermega_encoding::{EventCursor, PublicHandle, UserHandle, base64};
use supermega_protocol::{ErrorCode, Failure};

use crate::api::{self, Caller};
use crate::state::State;
use crate::store::events::Stream;
use crate::store::sessions::Session;
use crate::store::{links, sessions};

/// Who waits.
#[derive(Clone, Copy)]
pub(crate) enum Watcher {
    Session(Session),
    Link(PublicHandle),
}

/// Reads `sid` and `n` of a query.
pub(crate) fn watcher(
    db: &Connection,
    sid: Option<&str>,
    link: Option<&str>,
) -> rusqlite::Result<Result<Watcher, Failure>> {
    Ok(match api::caller(db, sid, link)? {
        Ok(Caller::Session(session)) => Ok(Watcher::Session(session)),
        Ok(Caller::Link { handle, .. }) => Ok(Watcher::Link(handle)),
        Ok(Caller::Anonymous) => Err(ErrorCode::Session.into()),
        Err(failure) => Err(failure),
    })
}

impl Watcher {
    /// The stream of packets that it may read.
    pub(super) fn stream(&self) -> Stream {
        match self {
            Self::Session(session) => Stream::User(session.user),
            Self::Link(handle) => Stream::Link(*handle),
        }
    }

    /// Why it may not go on, if it may not: the session or the link is gone.
    pub(super) fn ended(&self, db: &Connection) -> rusqlite::Result<Option<ErrorCode>> {
        Ok(match self {
            Self::Session(session) => {
                (!sessions::is_live(db, session)?).then_some(ErrorCode::Session)
            }
            Self::Link(handle) => {
                let link = links::get(db, *handle)?.filter(|link| !link.down);
                let export = link.map(|link| links::export_level(db, link.node)).transpose()?;
                export.flatten().is_none().then_some(ErrorCode::NotFound)
            }
        })
    }

    fn to_bytes(self) -> Vec<u8> {
        match self {
            Self::Session(session) => [&session.hash[..], session.user.as_bytes()].concat(),
            Self::Link(handle) => handle.as_bytes().to_vec(),
        }
    }

    fn from_bytes(bytes: &[u8]) -> Option<Self> {
        if let Ok(link) = bytes.try_into() {
            return Some(Self::Link(PublicHandle::from_bytes(link)));
        }
        let (hash, user) = bytes.split_first_chunk::<32>()?;
        let user = UserHandle::from_bytes(user.try_into().ok()?);
        Some(Self::Session(Session { hash: *hash, user }))
    }
}

/// The token of a wait address: it names who waits and from where, and nobody can make it up.
pub(super) fn token(state: &State, watcher: Watcher, from: EventCursor) -> String {
    let mut token = from.as_bytes().to_vec();
    token.extend_from_slice(&watcher.to_bytes());
    let seal = seal(state, &token);
    token.extend_from_slice(&seal);
    base64::encode(&token)
}

/// Reads the token of a wait address.
pub(crate) fn read_token(state: &State, token: &str) -> Option<(Watcher, EventCursor)> {
    let token = base64::decode(token).ok()?;
    let (payload, given) = token.split_at_checked(token.len().checked_sub(16)?)?;
    if !bool::from(seal(state, payload).ct_eq(given)) {
        return None;
    }
    let (cursor, watcher) = payload.split_first_chunk::<8>()?;
    Some((Watcher::from_bytes(watcher)?, EventCursor::from_bytes(*cursor)))
}

fn seal(state: &State, payload: &[u8]) -> [u8; 16] {
    let mut hash = Sha256::new();
    hash.update(state.secret);
    hash.update(b"wait address");
    hash.update(payload);
    let digest: [u8; 32] = hash.finalize().into();
    let mut seal = [0; 16];
    seal.copy_from_slice(&digest[..16]);
    seal
}
