//! The sessions of an account, and ending them (`protocol-api.md` 2.3).

use std::time::SystemTime;

use supermega_encoding::DeviceSessionHandle;
use supermega_protocol::Flag;
use supermega_protocol::session_list::{EndSessions, ListSessions};

use super::Session;
use crate::error::{Error, Result};
use crate::unix_time;

/// A session of the account, open or ended.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct SessionInfo {
    /// What it is named by when it is to be ended.
    pub id: Option<DeviceSessionHandle>,
    /// When it began.
    pub opened: Option<SystemTime>,
    /// When it was used last.
    pub used: Option<SystemTime>,
    /// What the client called itself.
    pub agent: String,
    /// Where it came from.
    pub ip: String,
    /// The country of that address.
    pub country: String,
    /// Whether it is this one.
    pub current: bool,
    /// Whether it has not ended.
    pub alive: bool,
}

impl Session {
    /// All sessions of the account, those that have ended too.
    pub async fn sessions(&self) -> Result<Vec<SessionInfo>> {
        self.must_be_account()?;
        let list = self.channel().call(&ListSessions { x: Flag::SET, d: Flag::SET }).await?;
        let info = list.into_iter().map(|listed| SessionInfo {
            id: listed.id,
            opened: unix_time::to_system(listed.opened.0),
            used: unix_time::to_system(listed.used.0),
            agent: listed.agent,
            ip: listed.ip,
            country: listed.country,
            current: listed.current.0,
            alive: listed.alive.is_none_or(|alive| alive.0),
        });
        Ok(info.collect())
    }

    /// Ends one session.
    pub async fn end_session(&self, id: DeviceSessionHandle) -> Result<()> {
        let known = self.sessions().await?;
        if !known.iter().any(|session| session.id == Some(id) && session.alive) {
            return Err(Error::NotFound { what: format!("an open session {id}") });
        }
        self.channel().call(&EndSessions { ko: None, s: Some(vec![id]) }).await?;
        Ok(())
    }

    /// Ends all sessions but this one.
    pub async fn end_other_sessions(&self) -> Result<()> {
        self.must_be_account()?;
        self.channel().call(&EndSessions { ko: Flag::SET, s: None }).await?;
        Ok(())
    }
}
