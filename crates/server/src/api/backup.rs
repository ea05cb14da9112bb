//! Syncs and backups that devices register: `sf`, `sp`, `sphb`, `sr` (`protocol-api.md` 2.12).

use supermega_encoding::BackupHandle;
use supermega_protocol::backup::{
    Backup, Heartbeat, ListBackups, PutBackup, PutHeartbeat, RemoveBackup,
};
use supermega_protocol::wire::Done;
use supermega_protocol::{ErrorCode, Timestamp};

use super::call::{ApiError, Call, Handle};
use crate::store::backups;
use crate::store::users::random_bytes;

impl Handle for ListBackups {
    fn handle(self, call: &mut Call<'_>) -> Result<Vec<Backup>, ApiError> {
        Ok(backups::of_user(call.db, call.user()?)?)
    }
}

impl Handle for PutBackup {
    fn handle(self, call: &mut Call<'_>) -> Result<BackupHandle, ApiError> {
        let user = call.user()?;
        if let Some(node) = self.h {
            call.own_node(node)?;
        }
        let mut backup = match self.id {
            Some(id) => backups::find(call.db, user, id)?.ok_or(ErrorCode::NotFound)?,
            None => Backup {
                id: BackupHandle::from_bytes(random_bytes()?),
                t: self.t.ok_or(ErrorCode::Arguments)?,
                h: self.h.ok_or(ErrorCode::Arguments)?,
                l: self.l.clone().ok_or(ErrorCode::Arguments)?,
                d: self.d.clone().ok_or(ErrorCode::Arguments)?,
                dua: String::new(),
                s: self.s.ok_or(ErrorCode::Arguments)?,
                ss: self.ss.ok_or(ErrorCode::Arguments)?,
                e: None,
                hb: None,
            },
        };
        backup.t = self.t.unwrap_or(backup.t);
        backup.h = self.h.unwrap_or(backup.h);
        backup.l = self.l.unwrap_or(backup.l);
        backup.d = self.d.unwrap_or(backup.d);
        backup.s = self.s.unwrap_or(backup.s);
        backup.ss = self.ss.unwrap_or(backup.ss);
        backup.e = self.e.or(backup.e);
        call.client.agent.clone_into(&mut backup.dua);
        backups::put(call.db, user, &backup)?;
        Ok(backup.id)
    }
}

impl Handle for PutHeartbeat {
    fn handle(self, call: &mut Call<'_>) -> Result<Done, ApiError> {
        let Self { id, s, p, qu, qd, lts, lh } = self;
        let heartbeat = Heartbeat { ts: Timestamp(0), s, p, qu, qd, lts, lh };
        let known = backups::beat(call.db, call.user()?, id, &heartbeat)?;
        if known { Ok(Done) } else { Err(ErrorCode::NotFound.into()) }
    }
}

impl Handle for RemoveBackup {
    fn handle(self, call: &mut Call<'_>) -> Result<Done, ApiError> {
        let known = backups::remove(call.db, call.user()?, self.id)?;
        if known { Ok(Done) } else { Err(ErrorCode::NotFound.into()) }
    }
}
