//! The history of sessions, and ending them: `usl`, `usr` (`protocol-api.md` 2.3).

use supermega_protocol::session_list::{EndSessions, ListSessions, ListedSession};
use supermega_protocol::wire::Done;
use supermega_protocol::{ErrorCode, Flag, Timestamp, is_set};

use super::call::{ApiError, COUNTRY, Call, Caller, Handle};
use crate::store::session_history;
use crate::store::sessions::{self, Session};

impl Handle for ListSessions {
    fn handle(self, call: &mut Call<'_>) -> Result<Vec<ListedSession>, ApiError> {
        let current = session(call)?;
        let listed = session_history::of_user(call.db, current.user)?.into_iter().map(|entry| {
            let (ids, devices) = (is_set(self.x), is_set(self.d));
            ListedSession {
                opened: Timestamp(entry.opened),
                used: Timestamp(entry.used),
                agent: entry.agent,
                ip: entry.ip,
                country: COUNTRY.into(),
                current: Flag(entry.hash == current.hash),
                id: ids.then_some(entry.id),
                alive: ids.then_some(Flag(entry.alive)),
                device: devices.then(|| entry.device.unwrap_or_default()),
            }
        });
        Ok(listed.collect())
    }
}

impl Handle for EndSessions {
    fn handle(self, call: &mut Call<'_>) -> Result<Done, ApiError> {
        let current = session(call)?;
        match (is_set(self.ko), &self.s) {
            (true, None) => {
                for entry in session_history::of_user(call.db, current.user)? {
                    if entry.alive && entry.hash != current.hash {
                        sessions::remove(call.db, &entry.hash)?;
                    }
                }
            }
            (false, Some(ids)) if !ids.is_empty() => {
                for id in ids {
                    let entry = session_history::find(call.db, current.user, *id)?;
                    let entry = entry.filter(|entry| entry.alive).ok_or(ErrorCode::NotFound)?;
                    sessions::remove(call.db, &entry.hash)?;
                    if entry.hash == current.hash {
                        call.caller = Caller::Anonymous;
                    }
                }
            }
            _ => return Err(ErrorCode::Arguments.into()),
        }
        // Those who wait for these sessions' events must learn that they are over.
        call.announced = true;
        Ok(Done)
    }
}

fn session(call: &Call<'_>) -> Result<Session, ApiError> {
    call.user()?;
    let Caller::Session(session) = call.caller else { return Err(ErrorCode::Session.into()) };
    Ok(session)
}
