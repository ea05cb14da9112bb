//! Syncs and backups that devices register.

use rusqlite::{Connection, OptionalExtension, params};
use supermega_encoding::{BackupHandle, NodeHandle, UserHandle};
use supermega_protocol::backup::{Backup, Heartbeat};
use supermega_protocol::{Timestamp, Verbatim};

use super::now;

const COLUMNS: &str = "id, type, node, folder, device, agent, state, details, name,
                       beat, beat_state, progress, uploads, downloads, acted, acted_on";

fn read(row: &rusqlite::Row<'_>) -> rusqlite::Result<Backup> {
    let beat: Option<i64> = row.get(9)?;
    let hb = match beat {
        None => None,
        Some(ts) => Some(Heartbeat {
            ts: Timestamp(ts),
            s: row.get(10)?,
            p: row.get(11)?,
            qu: row.get(12)?,
            qd: row.get(13)?,
            lts: Timestamp(row.get(14)?),
            lh: NodeHandle::from_bytes(row.get(15)?),
        }),
    };
    Ok(Backup {
        id: BackupHandle::from_bytes(row.get(0)?),
        t: row.get(1)?,
        h: NodeHandle::from_bytes(row.get(2)?),
        l: Verbatim(row.get(3)?),
        d: row.get(4)?,
        dua: row.get(5)?,
        s: row.get(6)?,
        ss: row.get(7)?,
        e: row.get::<_, Option<String>>(8)?.map(Verbatim),
        hb,
    })
}

pub(crate) fn of_user(db: &Connection, user: UserHandle) -> rusqlite::Result<Vec<Backup>> {
    db.prepare_cached(&format!("SELECT {COLUMNS} FROM backups WHERE user = ?1 ORDER BY id"))?
        .query_map([user.as_bytes()], read)?
        .collect()
}

pub(crate) fn find(
    db: &Connection,
    user: UserHandle,
    id: BackupHandle,
) -> rusqlite::Result<Option<Backup>> {
    db.prepare_cached(&format!("SELECT {COLUMNS} FROM backups WHERE user = ?1 AND id = ?2"))?
        .query_row(params![user.as_bytes(), id.as_bytes()], read)
        .optional()
}

/// Writes a backup, with all but its heartbeat.
pub(crate) fn put(db: &Connection, user: UserHandle, backup: &Backup) -> rusqlite::Result<()> {
    db.execute(
        "INSERT INTO backups (id, user, type, node, folder, device, agent, state, details, name)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)
         ON CONFLICT (id) DO UPDATE SET type = excluded.type, node = excluded.node,
             folder = excluded.folder, device = excluded.device, agent = excluded.agent,
             state = excluded.state, details = excluded.details, name = excluded.name",
        params![
            backup.id.as_bytes(),
            user.as_bytes(),
            backup.t,
            backup.h.as_bytes(),
            backup.l.0,
            backup.d,
            backup.dua,
            backup.s,
            backup.ss,
            backup.e.as_ref().map(|name| &name.0)
        ],
    )?;
    Ok(())
}

/// Notes a sign of life; says whether there is such a backup.
pub(crate) fn beat(
    db: &Connection,
    user: UserHandle,
    id: BackupHandle,
    heartbeat: &Heartbeat,
) -> rusqlite::Result<bool> {
    let changed = db.execute(
        "UPDATE backups SET beat = ?3, beat_state = ?4, progress = ?5, uploads = ?6, downloads = ?7,
             acted = ?8, acted_on = ?9 WHERE user = ?1 AND id = ?2",
        params![
            user.as_bytes(),
            id.as_bytes(),
            now(),
            heartbeat.s,
            heartbeat.p,
            heartbeat.qu,
            heartbeat.qd,
            heartbeat.lts.0,
            heartbeat.lh.as_bytes()
        ],
    )?;
    Ok(changed == 1)
}

/// Removes a backup; says whether there was one.
pub(crate) fn remove(
    db: &Connection,
    user: UserHandle,
    id: BackupHandle,
) -> rusqlite::Result<bool> {
    let removed = db.execute(
        "DELETE FROM backups WHERE user = ?1 AND id = ?2",
        params![user.as_bytes(), id.as_bytes()],
    )?;
    Ok(removed == 1)
}
